//! Export: the human's own document with only the state-bearing bytes patched, and two blocks of the bot's own.
//! The laws: no state gives the same bytes; twice is once; [`strip`] gives the original back; k changed
//! items touch at most k lines outside the bot's blocks.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::blocks;
use super::bot_blocks;
use super::diagnostics::patch;
use super::filled::{Filled, Signed};
use super::read::{Reading, Setting, read};
use super::time::parse_when;
use crate::domain::plan::{Plan, SignoffRole};

/// A document filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The document.
    pub bytes: Vec<u8>,
    /// Done items whose box is not in the document, by id. Reported, never guessed.
    pub unplaced: Vec<String>,
}

/// The document with what has happened filled in.
pub fn export(bytes: &[u8], filled: &Filled) -> Exported {
    let (false, Ok(text)) = (filled.is_empty(), std::str::from_utf8(bytes)) else {
        return Exported { bytes: bytes.to_vec(), unplaced: Vec::new() };
    };
    let text = strip_text(text);
    let reading = read(text.as_bytes(), &Setting::default());
    let edited: Vec<String> = bot_blocks::ranges(&text).into_iter().map(|block| block.name).collect();
    if edited.iter().any(|name| name == "log") {
        // Without a log of ours nothing we fill in could be taken out again.
        let unplaced = filled.done.iter().cloned().chain(["the log block, edited by hand".to_owned()]).collect();
        return Exported { bytes: text.into_bytes(), unplaced };
    }
    let mut patches: Vec<(Range<usize>, String)> = Vec::new();
    let mut record: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut unplaced = Vec::new();
    let mut signings = Vec::new();
    for id in &filled.done {
        // A trigger's box is its author's: armed or not, never done.
        let item = reading.items.get(id).filter(|_| !id.starts_with("trigger/"));
        match item.map(|check| (check, check.ticked(&text))) {
            Some((check, Some(ticked))) => {
                record.insert(id.clone(), (text[check.range()].to_owned(), ticked.to_owned()));
                patches.push((check.range(), ticked.to_owned()));
            }
            Some((check, None)) if check.settled() => {}
            Some(_) | None => unplaced.push(id.clone()),
        }
    }
    for (role, signed) in &filled.signed {
        let key = format!("signoff/{role}");
        let Some(slot) = reading.slots.get(&key) else {
            unplaced.push(key);
            continue;
        };
        let old = &text[slot.clone()];
        if let Some(new) = signed_words(old, signed) {
            record.insert(format!("slot/{key}"), (old.to_owned(), new.clone()));
            patches.push((slot.clone(), new));
        } else {
            // Without a placeholder to fill the line is its author's: the log says who signed.
            signings.push(format!("{} signed as {}, {}", signed.name, role_words(role), signed.at));
        }
    }
    if let (Some(updated), Some(slot)) = (&filled.updated, reading.slots.get("last-updated"))
        && &text[slot.clone()] == "[Date]"
    {
        record.insert("slot/last-updated".to_owned(), ("[Date]".to_owned(), updated.clone()));
        patches.push((slot.clone(), updated.clone()));
    }
    if let Some(t0) = &filled.t0 {
        match (reading.slots.get("t0"), parse_when(t0, None)) {
            (Some(slot), Ok(new)) => {
                let old = &text[slot.clone()];
                if reading.plan.as_ref().and_then(Plan::t0_at) != Some(new.at) {
                    record.insert("slot/t0".to_owned(), (old.to_owned(), new.typed.clone()));
                    patches.push((slot.clone(), new.typed));
                }
            }
            _ => unplaced.push(format!("T-0, {t0}")),
        }
    }
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    if !filled.observed.is_empty()
        && !edited.iter().any(|name| name == "observed")
        && let Some(at) = reading.after_metrics.and_then(|at| after_line(&text, at))
    {
        patches.push((at..at, bot_blocks::write("observed", &observed(filled), newline)));
    }
    if patches.is_empty() && signings.is_empty() && filled.log.is_empty() {
        return Exported { bytes: text.into_bytes(), unplaced };
    }
    let end = text.len();
    patches.push((end..end, bot_blocks::write("log", &log(filled, &signings, &record), newline)));
    Exported { bytes: patch(&text, patches).into_bytes(), unplaced }
}

/// The document without the bot's blocks and with the bytes it filled in put back. Blocks edited by hand stay, and so does
/// whatever no longer reads as it was written.
pub fn strip(bytes: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => strip_text(text).into_bytes(),
        Err(_) => bytes.to_vec(),
    }
}

fn strip_text(text: &str) -> String {
    let own: Vec<_> = bot_blocks::ranges(text).into_iter().filter(|block| block.untouched).collect();
    if own.is_empty() {
        return text.to_owned();
    }
    let record: BTreeMap<String, (String, String)> = own
        .iter()
        .filter(|block| block.name == "log")
        .find_map(|block| recorded(&text[block.body.clone()]))
        .map(|record| record.items)
        .unwrap_or_default();
    let bare = patch(text, own.into_iter().map(|block| (block.whole, String::new())));
    if record.is_empty() {
        return bare;
    }
    let reading = read(bare.as_bytes(), &Setting::default());
    let back = record.into_iter().filter_map(|(id, (old, new))| {
        let range = place(&reading, &id)?;
        (bare.get(range.clone())? == new).then_some((range, old))
    });
    patch(&bare, back.collect::<Vec<_>>())
}

fn place(reading: &Reading, id: &str) -> Option<Range<usize>> {
    match id.strip_prefix("slot/") {
        Some(slot) => reading.slots.get(slot).cloned(),
        None => reading.items.get(id).map(|check| check.range()),
    }
}

/// What a sign-off's slot becomes: the placeholders are the bot's, a name the human wrote stays.
fn signed_words(old: &str, signed: &Signed) -> Option<String> {
    if !old.contains('[') {
        return None;
    }
    let name = tidy(&signed.name);
    let at = tidy(&signed.at);
    if old.contains("[Name]") || !old.contains("[Date/Time]") {
        return Some(format!("{name} - {at}"));
    }
    let named = old.to_lowercase().contains(&name.to_lowercase());
    let when = if named { at } else { format!("{at} (signed by {name})") };
    Some(old.replace("[Date/Time]", &when))
}

/// A person's own words in a line of the plan: they must not become markup there, nor make it unreadable.
fn tidy(text: &str) -> String {
    one_line(&text.replace(['[', ']', '<', '>', '`', '|', '*'], ""))
}

/// One line of visible text; two dashes could end a comment.
fn one_line(text: &str) -> String {
    let visible = text.chars().filter(|c| !blocks::hides(*c)).map(|c| if c.is_control() { ' ' } else { c });
    let text = visible.collect::<String>().replace("--", "–").split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() { "–".to_owned() } else { text }
}

/// A text in the bot's own blocks: all of it, with a backslash where Markdown would take a character for markup.
fn escaped(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let next = rest.clone().next();
        let markup = match c {
            '\\' | '`' | '*' | '[' | ']' | '|' => true,
            '<' => next.is_some_and(|c| c.is_alphabetic() || matches!(c, '/' | '!' | '?')),
            '&' => next.is_some_and(|c| c.is_alphabetic() || c == '#'),
            '>' | '#' | '+' | '-' | '=' | '~' => out.is_empty(),
            _ => false,
        };
        if markup {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The byte after a line's end; `None` inside a quote or a list, where a block would break it.
fn after_line(text: &str, at: usize) -> Option<usize> {
    let start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    if text[start..].starts_with(['>', ' ', '\t']) {
        return None;
    }
    Some(text[at..].find('\n').map_or(text.len(), |i| at + i + 1))
}

fn observed(filled: &Filled) -> String {
    let mut body = String::from(
        "\n| Metric | Baseline | Observed | Window | Verdict | Time | Source |\n|---|---|---|---|---|---|---|\n",
    );
    for seen in &filled.observed {
        let cells = [&seen.metric, &seen.baseline, &seen.observed, &seen.window, &seen.verdict, &seen.at, &seen.source];
        let cells: Vec<String> = cells.into_iter().map(|cell| escaped(cell)).collect();
        body.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    body.push('\n');
    body
}

const RECORD: &str = "<!-- filled ";

/// What an export wrote, so that it can be taken out again.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    /// The revision it was exported from.
    revision: Option<u32>,
    /// Item or slot → what stood there, what was written.
    items: BTreeMap<String, (String, String)>,
}

/// The revision a document was exported from, if it says so.
pub fn exported_revision(bytes: &[u8]) -> Option<u32> {
    log_record(std::str::from_utf8(bytes).ok()?)?.revision
}

/// Items the bot had ticked in this document and a human unticked since.
pub fn unticked(bytes: &[u8]) -> Vec<String> {
    let Some((text, record)) = std::str::from_utf8(bytes).ok().and_then(|text| Some((text, log_record(text)?))) else {
        return Vec::new();
    };
    let reading = read(text.as_bytes(), &Setting::default());
    let open = |id: &str, old: &str| {
        let range = reading.items.get(id).map(|check| check.range());
        range.and_then(|range| text.get(range)).is_some_and(|now| now == old)
    };
    let again = record.items.into_iter().filter(|(id, (old, _))| !id.starts_with("slot/") && open(id, old));
    again.map(|(id, _)| id).collect()
}

fn log_record(text: &str) -> Option<Record> {
    let own = bot_blocks::ranges(text).into_iter().find(|block| block.name == "log" && block.untouched)?;
    recorded(&text[own.body])
}

/// The role a slug means, as people call it.
fn role_words(slug: &str) -> String {
    SignoffRole::from_slug(slug).map_or_else(|| slug.to_owned(), |role| role.to_string())
}

fn log(filled: &Filled, signings: &[String], items: &BTreeMap<String, (String, String)>) -> String {
    let mut body = String::new();
    if !filled.log.is_empty() || !signings.is_empty() {
        body.push_str("\n**Log**\n\n");
        for line in signings.iter().chain(&filled.log) {
            body.push_str(&format!("- {}\n", escaped(line)));
        }
        body.push('\n');
    }
    let record = Record { revision: filled.revision, items: items.clone() };
    // One item a line, so that no line grows; and a comment must not end early, whatever the document holds.
    let json = serde_json::to_string(&record).unwrap_or_default();
    let json = json.replace('-', "\\u002d").replace('>', "\\u003e").replace("],\"", "],\n\"");
    body.push_str(&format!("{RECORD}{json} -->\n"));
    body
}

fn recorded(body: &str) -> Option<Record> {
    let json = body.split_once(RECORD)?.1;
    serde_json::from_str(json.split_once(" -->")?.0).ok()
}
