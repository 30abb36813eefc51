//! The block layer: a document's sections, lines, list items and table rows as byte ranges of the original. Everything
//! above it works on raw slices, so that export can patch single bytes. It must not know what a plan is.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::diagnostics::{Blocks, Diagnostic};
use super::{MAX_BYTES, MAX_COLUMNS, MAX_LINE_BYTES, MAX_LINES, MAX_NESTING};

/// A document cut into sections at its headings.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) title: Option<Range<usize>>,
    pub(super) sections: Vec<Section>,
}

/// A heading and what stands under it, up to the next heading.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) heading: Range<usize>,
    pub(super) blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Debug)]
pub(super) enum Block {
    /// A line of a paragraph, without its newline.
    Line(Range<usize>),
    /// A list item's own text (without nested lists), possibly several lines.
    Item { text: Range<usize>, check: Option<Check> },
    /// A row of a table; `header` marks the first.
    Row { cells: Vec<Range<usize>>, header: bool },
}

/// The state symbol of a box and its byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) at: usize,
    pub(super) done: bool,
}

/// Refuses what must not reach the parser: wrong encoding, control characters, excess.
pub(super) fn admit(bytes: &[u8]) -> Result<&str, Diagnostic> {
    let refuse = |code, message: String, help: &str, span| {
        Err(Diagnostic { code, blocks: Blocks::Import, message, help: help.to_owned(), span })
    };
    if bytes.len() > MAX_BYTES {
        let message = format!("The document has {} bytes; {MAX_BYTES} are allowed.", bytes.len());
        return refuse("TM002", message, "Keep the plan to what the team reads; link the rest.", 0..0);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            return refuse("TM001", format!("Byte {at} is not UTF-8."), "Save the file as UTF-8.", at..at);
        }
    };
    for (at, c) in text.char_indices() {
        let bidi =
            matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}');
        let control = c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if bidi || control {
            let message = format!("A character that hides or turns text (U+{:04X}).", u32::from(c));
            return refuse("TM001", message, "Remove it: everybody must read the same plan.", at..at + c.len_utf8());
        }
    }
    let mut start = 0;
    for (n, line) in text.split_inclusive('\n').enumerate() {
        if line.len() > MAX_LINE_BYTES {
            let message = format!("A line of {} bytes; {MAX_LINE_BYTES} are allowed.", line.len());
            return refuse("TM002", message, "Break the line.", start..start + 1);
        }
        if n >= MAX_LINES {
            return refuse("TM002", format!("More than {MAX_LINES} lines."), "Shorten the plan.", start..start + 1);
        }
        if let Some(columns) = Some(line.matches('|').count()).filter(|n| *n > MAX_COLUMNS + 1) {
            let message = format!("A table row of {columns} bars; {MAX_COLUMNS} columns are allowed.");
            return refuse("TM002", message, "Use fewer columns.", start..start + 1);
        }
        let quotes = line.bytes().take_while(|b| matches!(b, b'>' | b' ' | b'\t')).filter(|b| *b == b'>').count();
        let markers = line.split_whitespace().take_while(|w| matches!(*w, "-" | "*" | "+" | "1." | "1)")).count();
        if quotes + markers > MAX_NESTING {
            return refuse("TM002", "Nesting is too deep.".to_owned(), "Use at most 16 levels.", start..start + 1);
        }
        start += line.len();
    }
    Ok(text)
}

/// Where the body begins: after a byte-order mark and front matter, which stay as they are.
fn body_start(text: &str) -> usize {
    let start = if text.starts_with('\u{FEFF}') { 3 } else { 0 };
    let rest = &text[start..];
    if !(rest.starts_with("---\n") || rest.starts_with("---\r\n")) {
        return start;
    }
    let mut at = start;
    for (n, line) in rest.split_inclusive('\n').enumerate() {
        at += line.len();
        if n > 0 && line.trim_end() == "---" {
            return at;
        }
    }
    start
}

/// Cuts a document into sections.
///
/// # Errors
/// TM002 when lists or quotes nest deeper than allowed.
pub(super) fn parse(text: &str) -> Result<Document, Diagnostic> {
    let base = body_start(text);
    let body = &text[base..];
    let mut document = Document::default();
    let mut depth = 0usize;
    let mut items: Vec<OpenItem> = Vec::new();
    let mut row: Option<(Vec<Range<usize>>, bool)> = None;
    let parser = Parser::new_ext(body, Options::ENABLE_TABLES).into_offset_iter();
    for (event, range) in parser {
        let range = base + range.start..base + range.end;
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                let heading = heading_text(text, &range);
                if level == HeadingLevel::H1 && document.title.is_none() && document.sections.is_empty() {
                    document.title = Some(heading);
                } else {
                    document.sections.push(Section { heading, blocks: Vec::new() });
                }
            }
            Event::Start(Tag::List(_) | Tag::BlockQuote(_)) => {
                depth += 1;
                if depth > MAX_NESTING {
                    return Err(Diagnostic {
                        code: "TM002",
                        blocks: Blocks::Import,
                        message: "Nesting is too deep.".to_owned(),
                        help: "Use at most 16 levels.".to_owned(),
                        span: range,
                    });
                }
                if let Some(open) = items.last_mut() {
                    open.end = open.end.min(range.start);
                    open.emit(text, &mut document);
                }
            }
            Event::End(TagEnd::List(_) | TagEnd::BlockQuote(_)) => depth = depth.saturating_sub(1),
            Event::Start(Tag::Item) => {
                items.push(OpenItem { start: range.start, end: range.end, emitted: false });
            }
            Event::End(TagEnd::Item) => {
                if let Some(mut open) = items.pop() {
                    open.emit(text, &mut document);
                }
            }
            Event::Start(Tag::Paragraph) if items.is_empty() => {
                if let Some(section) = document.sections.last_mut() {
                    section.blocks.extend(lines(text, range).into_iter().map(Block::Line));
                }
            }
            Event::Start(Tag::TableHead) => row = Some((Vec::new(), true)),
            Event::Start(Tag::TableRow) => row = Some((Vec::new(), false)),
            Event::Start(Tag::TableCell) => {
                if let Some((cells, _)) = &mut row {
                    cells.push(trim(text, range));
                }
            }
            Event::End(TagEnd::TableHead | TagEnd::TableRow) => {
                if let (Some((cells, header)), Some(section)) = (row.take(), document.sections.last_mut()) {
                    section.blocks.push(Block::Row { cells, header });
                }
            }
            _ => {}
        }
    }
    Ok(document)
}

struct OpenItem {
    start: usize,
    end: usize,
    emitted: bool,
}

impl OpenItem {
    /// An item is shown once: when its first nested list begins, or when it ends.
    fn emit(&mut self, text: &str, document: &mut Document) {
        if self.emitted {
            return;
        }
        self.emitted = true;
        let Some(section) = document.sections.last_mut() else {
            return;
        };
        let span = trim(text, self.start..self.end);
        let after = after_marker(text, span.start);
        let check = check_at(text, after);
        let from = check.map_or(after, |c| (c.at + 2).min(span.end));
        section.blocks.push(Block::Item { text: trim(text, from.min(span.end)..span.end), check });
    }
}

/// The byte after a list marker and its blanks.
fn after_marker(text: &str, start: usize) -> usize {
    let rest = &text[start..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let marker = if digits > 0 { digits + 1 } else { 1 };
    let blanks = rest.bytes().skip(marker).take_while(|b| matches!(b, b' ' | b'\t')).count();
    (start + marker + blanks).min(text.len())
}

/// A box `[ ]`, `[x]` or `[X]` at `at`.
pub(super) fn check_at(text: &str, at: usize) -> Option<Check> {
    match text.as_bytes().get(at..at + 3)? {
        [b'[', symbol @ (b' ' | b'x' | b'X'), b']'] => Some(Check { at: at + 1, done: *symbol != b' ' }),
        _ => None,
    }
}

fn heading_text(text: &str, range: &Range<usize>) -> Range<usize> {
    let line = trim(text, range.clone());
    let first = text[line.clone()].find('\n').map_or(line.end, |i| line.start + i);
    let hashes = text[line.start..first].bytes().take_while(|b| *b == b'#').count();
    trim(text, line.start + hashes..first)
}

fn lines(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = range.start;
    for line in text[range].split_inclusive('\n') {
        found.push(trim(text, start..start + line.len()));
        start += line.len();
    }
    found.retain(|line| !line.is_empty());
    found
}

/// Narrows a range to its text without surrounding white space.
pub(super) fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let slice = &text[range.clone()];
    let start = range.start + (slice.len() - slice.trim_start().len());
    let end = range.end - (slice.len() - slice.trim_end().len());
    start..end.max(start)
}
