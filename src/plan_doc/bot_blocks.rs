//! The blocks the bot owns in a human's document, between comments with a hash of what it wrote. It must
//! not know what stands in them.

use std::ops::Range;

use sha2::{Digest, Sha256};

/// A bot block of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BotBlock {
    pub(super) name: String,
    /// The opening comment with the line break before it, to after the line break of the closing one.
    pub(super) whole: Range<usize>,
    /// Between the comments.
    pub(super) body: Range<usize>,
    /// Nobody edited the body since it was written.
    pub(super) untouched: bool,
}

/// A document holds two blocks of ours; more than this many is somebody else's joke.
const MOST: usize = 16;

const BEGIN: &str = "<!-- tminus:begin ";
const END: &str = "<!-- tminus:end ";

/// The bot's blocks, in order. A block whose end is missing is the human's text.
pub(super) fn ranges(text: &str) -> Vec<BotBlock> {
    let mut found = Vec::new();
    let (mut from, mut unclosed) = (0, 0);
    while let Some(at) = text[from..].find(BEGIN).map(|i| from + i) {
        from = at + BEGIN.len();
        if at > 0 && !text[..at].ends_with('\n') {
            continue;
        }
        let Some(close) = text[from..].find("-->").map(|i| from + i) else { break };
        let mut words = text[from..close].split_whitespace();
        let (Some(name), Some("v1"), Some(hash), None) = (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        let Some(hash) = hash.strip_prefix("sha256=") else { continue };
        let body_start = close + "-->".len();
        let end_mark = format!("{END}{name} -->");
        let Some(end) = text[body_start..].find(&end_mark).map(|i| body_start + i) else {
            unclosed += 1;
            if unclosed > MOST {
                break;
            }
            continue;
        };
        let mut stop = end + end_mark.len();
        stop += newline_len(&text[stop..]);
        let body = body_start + newline_len(&text[body_start..])..end;
        let body = body.start.min(body.end)..body.end;
        let untouched = hash == digest(&text[body.clone()]);
        // The line break before a block came with it, in the style the block is written in.
        let crlf = text[body_start..].starts_with("\r\n") && text[..at].ends_with("\r\n");
        let lead = if crlf { 2 } else { usize::from(at > 0) };
        found.push(BotBlock { name: name.to_owned(), whole: at - lead..stop, body, untouched });
        from = stop;
        if found.len() >= MOST {
            break;
        }
    }
    found
}

fn newline_len(text: &str) -> usize {
    if text.starts_with("\r\n") { 2 } else { usize::from(text.starts_with('\n')) }
}

/// Line endings do not count: editors change them.
fn digest(body: &str) -> String {
    let hash = Sha256::digest(body.replace("\r\n", "\n").as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// A block's text, to be put after a line break. `newline` is the document's own.
pub(super) fn write(name: &str, body: &str, newline: &str) -> String {
    let body = body.replace('\n', newline);
    format!("{newline}{BEGIN}{name} v1 sha256={} -->{newline}{body}{END}{name} -->{newline}", digest(&body))
}
