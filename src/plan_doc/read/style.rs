//! Rules of the document as such: encoding marks, look-alikes, boxes, tables, mentions, leftovers.

use std::ops::Range;

use crate::domain::plan::Level;
use crate::plan_doc::blocks::{Block, Document};
use crate::plan_doc::bot_blocks;
use crate::plan_doc::checkbox::{Check, Mark};
use crate::plan_doc::diagnostics::Diagnostic;
use crate::plan_doc::fields::label;
use crate::plan_doc::names::{Match, fold};
use crate::plan_doc::read::reader::Reader;

/// Rows of one section told one by one.
const SEVERAL: usize = 10;

/// The template's own examples.
const EXAMPLES: &[&str] = &[
    "deployto5ofusersinregionuswestfor30minutes",
    "p99latencybaseline200mssuccess250msalert400ms",
    "rollbackifcheckoutconversionratedropsbymorethan10withinfirsthour",
    "riskdatabasemigrationmaylocktablesmitigationrunduringoffpeakhourswithstatementtimeout",
];

impl Reader<'_> {
    /// True for a line that is the template's example; a finding with the fix to delete it.
    pub(super) fn example(&mut self, range: &Range<usize>) -> bool {
        let raw = self.at(range);
        // Inside an item the example is its last line.
        let Some(at) = raw.find("*Example:") else { return false };
        let line = crate::plan_doc::lines::line_of(self.text, range.start + at);
        let words = fold(self.at(&line));
        let known = words.strip_prefix("example").is_some_and(|rest| EXAMPLES.contains(&rest));
        if known {
            let start = self.text[..line.start].rfind('\n').map_or(0, |i| i + 1);
            let end = self.text[line.end..].find('\n').map_or(self.text.len(), |i| line.end + i + 1);
            // Only a line of its own can go.
            let mut found =
                Diagnostic::new("TM022", "The template's example is still here.", "Delete it.", line.clone());
            if self.text[start..line.start].trim().is_empty() {
                found = found.fix(start..end, "");
            }
            if !self.diagnostics.iter().any(|d| d.code == "TM022" && d.span == line) {
                self.report(found);
            }
        }
        at == 0
    }

    /// "Last Updated" and "Next Review"; true if the line is one of them.
    pub(super) fn closing_line(&mut self, line: &Range<usize>) -> bool {
        let Some((name, value)) = label(self.text, line) else { return false };
        match fold(self.at(&name)).as_str() {
            "lastupdated" => {
                self.slots.insert("last-updated".to_owned(), value);
                true
            }
            "nextreview" => {
                self.spans.review = value;
                true
            }
            _ => false,
        }
    }

    /// Characters of a value that look like others.
    pub(super) fn look_alikes(&mut self, value: &Range<usize>, field: &str) {
        let raw = self.at(value);
        let plain_of = |c: char| match c {
            '\u{a0}' | '\u{2007}' | '\u{202f}' => Some(' '),
            '\u{2011}' => Some('-'),
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
            _ => None,
        };
        let Some((at, c)) = raw.char_indices().find(|(_, c)| plain_of(*c).is_some()) else { return };
        let fixed: String = raw.chars().map(|c| plain_of(c).unwrap_or(c)).collect();
        let span = value.start + at..value.start + at + c.len_utf8();
        let message = format!("U+{:04X} only looks like the character `{}`.", u32::from(c), plain_of(c).unwrap_or(' '));
        self.report(
            Diagnostic::new("TM004", message, "Use the plain character.", span).of(field).fix(value.clone(), fixed),
        );
    }

    pub(super) fn style(&mut self, document: &Document) {
        self.encoding();
        self.own_blocks();
        for section in &document.sections {
            for block in &section.blocks {
                match block {
                    Block::Item { text, check, .. } => {
                        if let Some(check) = check {
                            self.box_style(*check);
                        } else {
                            self.unboxed(text);
                        }
                    }
                    Block::Line(line) => self.unboxed(line),
                    Block::Row { .. } => {}
                }
            }
            self.rows(&section.blocks);
        }
        self.mentions();
        self.order();
        self.tell_ticks();
        for (what, count) in std::mem::take(&mut self.left_out) {
            let message = format!("The plan has too many {what}; T-Minus leaves out {count}.");
            self.report(Diagnostic::new("TM002", message, "Shorten the plan, or split it.", 0..0));
        }
        if self.tasks_over > 0 {
            let message = format!("The checklist is full; {} more boxes stay in the document only.", self.tasks_over);
            self.report(Diagnostic::new("TM012", message, "", 0..0));
        }
    }

    fn encoding(&mut self) {
        let mut marks = Vec::new();
        if self.text.starts_with('\u{feff}') {
            marks.push("a byte-order mark");
        }
        if self.text.contains("\r\n") {
            marks.push("CRLF line endings");
        }
        if !self.text.ends_with('\n') {
            marks.push("no final newline");
        }
        if !marks.is_empty() {
            let message = format!("The document has {}; T-Minus keeps it as it is.", marks.join(", "));
            self.report(Diagnostic::new("TM003", message, "", 0..0));
        }
    }

    fn own_blocks(&mut self) {
        for block in bot_blocks::ranges(self.text).into_iter().filter(|block| !block.untouched) {
            let message = format!("Someone edited the block `{}` by hand; T-Minus keeps that text.", block.name);
            let help = "To get a fresh block, delete this one.";
            self.report(Diagnostic::new("TM007", message, help, block.body));
        }
    }

    fn box_style(&mut self, check: Check) {
        let span = check.at.saturating_sub(1)..(check.at + check.len + 1).min(self.text.len());
        match check.mark {
            Mark::Malformed { done } => {
                let wanted = if done { "[x]" } else { "[ ]" };
                let message = format!("`{}` is not a valid checkbox.", self.at(&span));
                self.report(
                    Diagnostic::new("TM005", message, format!("Write `{wanted}`."), span.clone()).suggest(span, wanted),
                );
            }
            Mark::Unknown => {
                let message = format!("T-Minus does not know the checkbox `{}` and reads it as open.", self.at(&span));
                self.report(Diagnostic::new("TM005", message, "Use `[ ]`, `[x]` or `[-]`.", span));
            }
            Mark::Open | Mark::Done | Mark::NotApplicable | Mark::Failed | Mark::AtRisk => {}
        }
    }

    /// `-[x]` and `- []text` are no boxes to anybody.
    fn unboxed(&mut self, line: &Range<usize>) {
        let raw = self.at(line);
        let Some(rest) = raw.strip_prefix(['-', '*', '+']) else { return };
        let symbol = ["[ ]", "[x]", "[X]", "[]"].iter().find(|symbol| rest.starts_with(**symbol));
        if let Some(symbol) = symbol {
            let end = line.start + 1 + symbol.len();
            let wanted = if symbol.len() == 2 { "[ ]" } else { symbol };
            let found = Diagnostic::new(
                "TM005",
                "This checkbox has no space before it.",
                format!("Write `- {wanted}`."),
                line.start..end,
            );
            self.report(found.suggest(line.start + 1..end, format!(" {wanted}")));
        }
    }

    /// Rows whose number of cells is not their header's.
    fn rows(&mut self, blocks: &[Block]) {
        let mut wanted = 0;
        let mut crooked: Vec<(Range<usize>, usize, usize)> = Vec::new();
        for block in blocks {
            let Block::Row { header, line, cells } = block else { continue };
            if *header {
                wanted = cells.len();
                continue;
            }
            let found = written_cells(self.at(line));
            if found != wanted {
                crooked.push((line.clone(), found, wanted));
            }
        }
        let rest = crooked.len().saturating_sub(SEVERAL);
        for (n, (line, found, wanted)) in crooked.into_iter().take(SEVERAL).enumerate() {
            let more = if n == 0 && rest > 0 { format!(" ({rest} more rows below)") } else { String::new() };
            let message = format!("This row should have {wanted} cells but has {found}{more}.");
            self.report(Diagnostic::new("TM006", message, "Give each column one cell.", line));
        }
    }

    fn mentions(&mut self) {
        let mut found = Vec::new();
        for word in ["@everyone", "@here", "<@&"] {
            found.extend(self.text.match_indices(word).map(|(at, word)| at..at + word.len()));
        }
        for span in found {
            let after = self.text[span.end..].chars().next();
            let before = self.text[..span.start].chars().next_back();
            let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.');
            let part_of_a_name = inside(before) || (self.at(&span).starts_with('@') && inside(after));
            if !part_of_a_name {
                let message =
                    format!("`{}` is a mass mention; T-Minus shows it as text and pings nobody.", self.at(&span));
                self.report(Diagnostic::new("TM087", message, "Name people instead.", span));
            }
        }
    }

    /// Sections twice, or out of the template's order.
    fn order(&mut self) {
        if self.level != Level::A {
            return;
        }
        let sure: Vec<_> = self.parts.iter().filter(|(_, how, _)| *how <= Match::Spelling).cloned().collect();
        for (n, (part, _, span)) in sure.iter().enumerate() {
            if sure[..n].iter().any(|(earlier, ..)| earlier == part) {
                let message = format!("`{}` appears twice.", part.heading());
                self.report(Diagnostic::new("TM013", message, "Keep one of them.", span.clone()).of(part.heading()));
            } else if n > 0 && sure[..n].iter().any(|(earlier, ..)| earlier > part) {
                let message = format!("`{}` comes after a section that follows it in the template.", part.heading());
                self.report(Diagnostic::new("TM014", message, "", span.clone()).of(part.heading()));
            }
        }
    }
}

/// The cells of a row as written: bars that are not escaped.
fn written_cells(row: &str) -> usize {
    let row = row.trim().trim_start_matches('>').trim();
    let body = row.strip_prefix('|').unwrap_or(row);
    let mut bars = 0;
    let mut escaped = false;
    for c in body.chars() {
        match c {
            '\\' => escaped = !escaped,
            '|' if !escaped => bars += 1,
            _ => escaped = false,
        }
        if c != '\\' {
            escaped = false;
        }
    }
    if body.ends_with('|') && !body.ends_with("\\|") { bars } else { bars + 1 }
}
