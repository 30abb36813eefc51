//! The block layer: a document's sections, lines, list items and table rows as byte ranges of the original. Everything
//! above it works on raw slices, so that export can patch single bytes. It must not know what a plan is.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::bot_blocks;
use super::checkbox::{Check, Mark, box_at};
use super::diagnostics::Diagnostic;
use crate::plan_doc::limits::{MAX_BYTES, MAX_COLUMNS, MAX_LINE_BYTES, MAX_NESTING};
use crate::plan_doc::lines::{floor_boundary, line_of, trim};

/// A document cut into sections at its headings.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// The first heading of the first level, if it opens the document.
    pub(super) title: Option<Range<usize>>,
    /// The first has no heading: what stands before any, or under the title.
    pub(super) sections: Vec<Section>,
    /// The boxes of list items as GitHub knows them, in order.
    pub(super) boxes: Vec<Check>,
    pub(super) tables: usize,
}

/// A heading and what stands under it, up to the next heading.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// Empty for what stands before the first.
    pub(super) heading: Range<usize>,
    /// The index of the section this one is a part of.
    pub(super) parent: Option<usize>,
    pub(super) blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Debug)]
pub(super) enum Block {
    /// A line of a paragraph, without its newline.
    Line(Range<usize>),
    /// A list item's own text (without nested lists), possibly several lines.
    Item { text: Range<usize>, check: Option<Check>, depth: usize },
    /// A row of a table; `header` marks its first.
    Row { cells: Vec<Range<usize>>, header: bool, line: Range<usize> },
}

/// Refuses what must not reach the parser: wrong encoding, control characters, excess.
pub(super) fn admit(bytes: &[u8]) -> Result<&str, Box<Diagnostic>> {
    let refuse = |code, message: String, help: &str, span| Err(Box::new(Diagnostic::new(code, message, help, span)));
    if bytes.len() > MAX_BYTES {
        let message = format!("The document has {} bytes; the limit is {MAX_BYTES}.", bytes.len());
        return refuse("TM002", message, "Keep only what the team reads; link to the rest.", 0..0);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            return refuse("TM001", format!("Byte {at} is not UTF-8."), "Save the file as UTF-8.", at..at);
        }
    };
    if let Some((at, c)) = text.char_indices().find(|(_, c)| hides(*c)) {
        let message = format!("The document contains U+{:04X}, a character that hides or reorders text.", u32::from(c));
        return refuse("TM001", message, "Remove it, so that everyone reads the same plan.", at..at + c.len_utf8());
    }
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let span = start..start + line.trim_end().len().min(1);
        if line.len() > MAX_LINE_BYTES {
            let message = format!("This line has {} bytes; the limit is {MAX_LINE_BYTES}.", line.len());
            return refuse("TM002", message, "Break the line.", span);
        }
        if let Some(columns) = delimiter_columns(line).filter(|n| *n > MAX_COLUMNS) {
            let message = format!("This table has {columns} columns; the limit is {MAX_COLUMNS}.");
            return refuse("TM002", message, "Use fewer columns.", span);
        }
        if markers(line) > MAX_NESTING {
            return refuse("TM002", "Nesting is too deep.".to_owned(), "Use at most 16 levels.", span);
        }
        start += line.len();
    }
    Ok(text)
}

/// Bidirectional controls, and control characters that are no white space.
pub(super) fn hides(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}')
        || (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// The columns of a table's delimiter row; only such a row makes a table.
fn delimiter_columns(line: &str) -> Option<usize> {
    let row = line.trim().trim_start_matches(['>', ' ']);
    let fits =
        row.contains('-') && row.contains('|') && row.bytes().all(|b| matches!(b, b'|' | b'-' | b':' | b' ' | b'\t'));
    fits.then(|| row.trim_matches('|').split('|').count())
}

/// Quote and list markers a line begins with. A thematic break `- - -` has none.
fn markers(line: &str) -> usize {
    if line.bytes().all(|b| matches!(b, b'-' | b' ' | b'\t' | b'\r' | b'\n'))
        || line.bytes().all(|b| matches!(b, b'*' | b' ' | b'\t' | b'\r' | b'\n'))
    {
        return 0;
    }
    let quotes = line.bytes().take_while(|b| matches!(b, b'>' | b' ' | b'\t')).filter(|b| *b == b'>').count();
    let lists = line.split_whitespace().take_while(|w| matches!(*w, "-" | "*" | "+" | ">" | "1." | "1)")).count();
    quotes.max(lists)
}

/// Where the body begins: after a byte-order mark and front matter, which stay as they are.
pub(super) fn body_start(text: &str) -> usize {
    let start = if text.starts_with('\u{FEFF}') { 3 } else { 0 };
    let rest = &text[start..];
    if !(rest.starts_with("---\n") || rest.starts_with("---\r\n")) {
        return start;
    }
    let mut at = start;
    for (n, line) in rest.split_inclusive('\n').enumerate() {
        at += line.len();
        if n > 0 && matches!(line.trim_end(), "---" | "...") {
            return at;
        }
        // What is no "key: value" is a rule and text, not front matter.
        let word = line.trim_end();
        let fits = n == 0 || word.is_empty() || word.starts_with([' ', '\t', '#', '-', ']', '}']) || word.contains(':');
        if !fits {
            return start;
        }
    }
    start
}

/// The options of the parser; never its metadata option, which swallows what stands between two rules.
pub(super) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS
}

/// Cuts a document into sections. The bot's own blocks are left out.
///
/// # Errors
/// TM002 when lists or quotes nest deeper than allowed.
pub(super) fn parse(text: &str) -> Result<Document, Box<Diagnostic>> {
    let base = body_start(text);
    let own = bot_blocks::ranges(text);
    let mut cutter =
        Cutter { text, document: Document::default(), depth: 0, items: Vec::new(), row: None, above: Vec::new() };
    cutter.document.sections.push(Section::default());
    for (event, range) in Parser::new_ext(&text[base..], options()).into_offset_iter() {
        let range = base + range.start..base + range.end;
        if own.iter().any(|block| block.whole.start <= range.start && range.end <= block.whole.end) {
            continue;
        }
        cutter.event(event, range)?;
    }
    Ok(cutter.document)
}

struct Cutter<'t> {
    text: &'t str,
    document: Document,
    depth: usize,
    items: Vec<OpenItem>,
    row: Option<(Vec<Range<usize>>, bool, usize)>,
    /// The headings the next one may be a part of: level and index.
    above: Vec<(u8, usize)>,
}

impl Cutter<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) -> Result<(), Box<Diagnostic>> {
        match event {
            Event::Start(Tag::Heading { level, .. }) => self.heading(level, &range),
            Event::Start(Tag::List(_)) => {
                self.deeper(&range)?;
                self.cut_item(range.start);
            }
            Event::Start(Tag::BlockQuote(_)) => {
                self.deeper(&range)?;
                // An item that begins with `>` is a comparison to its author.
                let begins = self.items.last().is_some_and(|open| after_marker(self.text, open.start) >= range.start);
                if !begins {
                    self.cut_item(range.start);
                }
            }
            Event::End(TagEnd::List(_) | TagEnd::BlockQuote(_)) => self.depth = self.depth.saturating_sub(1),
            Event::Start(Tag::CodeBlock(_) | Tag::HtmlBlock) => self.cut_item(range.start),
            Event::Start(Tag::Item) => {
                self.items.push(OpenItem { start: range.start, end: range.end, emitted: false });
            }
            Event::TaskListMarker(done) => {
                let mark = if done { Mark::Done } else { Mark::Open };
                self.document.boxes.push(Check { at: range.start + 1, len: 1, mark });
            }
            Event::End(TagEnd::Item) => {
                if let Some(open) = self.items.pop() {
                    self.emit(open, self.items.len());
                }
            }
            Event::Start(Tag::Paragraph) if self.items.is_empty() => {
                let lines = lines(self.text, range);
                self.push(lines.into_iter().map(Block::Line));
            }
            Event::Start(Tag::Table(_)) => {
                self.cut_item(range.start);
                self.document.tables += 1;
            }
            Event::Start(Tag::TableHead) => self.row = Some((Vec::new(), true, range.start)),
            Event::Start(Tag::TableRow) => self.row = Some((Vec::new(), false, range.start)),
            Event::Start(Tag::TableCell) => {
                if let Some((cells, ..)) = &mut self.row {
                    cells.push(trim(self.text, range));
                }
            }
            Event::End(TagEnd::TableHead | TagEnd::TableRow) => {
                if let Some((cells, header, start)) = self.row.take() {
                    let line = line_of(self.text, start);
                    self.push([Block::Row { cells, header, line }]);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn push(&mut self, blocks: impl IntoIterator<Item = Block>) {
        if let Some(section) = self.document.sections.last_mut() {
            section.blocks.extend(blocks);
        }
    }

    fn heading(&mut self, level: HeadingLevel, range: &Range<usize>) {
        let heading = heading_text(self.text, range);
        let level = level as u8;
        let sections = &mut self.document.sections;
        if level == 1 && self.document.title.is_none() && sections.len() == 1 {
            self.document.title = Some(heading);
            return;
        }
        while self.above.last().is_some_and(|(above, _)| *above >= level) {
            self.above.pop();
        }
        let parent = self.above.last().map(|(_, index)| *index);
        self.above.push((level, sections.len()));
        sections.push(Section { heading, parent, blocks: Vec::new() });
    }

    fn deeper(&mut self, range: &Range<usize>) -> Result<(), Box<Diagnostic>> {
        self.depth += 1;
        if self.depth <= MAX_NESTING {
            return Ok(());
        }
        let span = range.start..(range.start + 1).min(range.end);
        Err(Box::new(Diagnostic::new("TM002", "Nesting is too deep.", "Use at most 16 levels.", span)))
    }

    /// What is nested in an item ends its own text.
    fn cut_item(&mut self, at: usize) {
        if let Some(open) = self.items.last_mut() {
            let cut = OpenItem { end: open.end.min(at), ..*open };
            let emitted = std::mem::replace(&mut open.emitted, true);
            if !emitted {
                self.emit(cut, self.items.len() - 1);
            }
        }
    }

    fn emit(&mut self, open: OpenItem, depth: usize) {
        if open.emitted {
            return;
        }
        let span = trim(self.text, open.start..open.end.max(open.start));
        let after = after_marker(self.text, span.start).min(span.end);
        let check = box_at(&self.text[..span.end], after);
        let from = check.map_or(after, |(_, end)| end.min(span.end));
        let text = trim(self.text, from..span.end);
        self.push([Block::Item { text, check: check.map(|(check, _)| check), depth }]);
    }
}

#[derive(Debug, Clone, Copy)]
struct OpenItem {
    start: usize,
    end: usize,
    emitted: bool,
}

/// The byte after a list marker and its blanks.
fn after_marker(text: &str, start: usize) -> usize {
    let rest = &text[start..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let marker = if digits > 0 { digits + 1 } else { 1 };
    let blanks = rest.bytes().skip(marker).take_while(|b| matches!(b, b' ' | b'\t')).count();
    floor_boundary(text, (start + marker + blanks).min(text.len()))
}

fn heading_text(text: &str, range: &Range<usize>) -> Range<usize> {
    let line = trim(text, range.clone());
    let first = text[line.clone()].find('\n').map_or(line.end, |i| line.start + i);
    let hashes = text[line.start..first].bytes().take_while(|b| *b == b'#').count();
    let body = trim(text, line.start + hashes..first);
    let closing = text[body.clone()].trim_end_matches('#');
    // `## Title ##`, but not `## C#`.
    if closing.len() < body.len() && closing.ends_with(' ') {
        trim(text, body.start..body.start + closing.len())
    } else {
        body
    }
}

fn lines(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = range.start;
    for line in text[range].split_inclusive('\n') {
        let quoted = line.len() - line.trim_start_matches(['>', ' ', '\t']).len();
        let from = if line.trim_start().starts_with('>') { start + quoted } else { start };
        found.push(trim(text, from..start + line.len()));
        start += line.len();
    }
    found.retain(|line| !line.is_empty());
    found
}
