//! The walk through a document: which section each block belongs to, and which reader takes it.

use std::ops::Range;

use super::{RawTrigger, Reader, triggers};
use crate::domain::plan::Level;
use crate::plan_doc::blocks::{Block, Document, Section, trim};
use crate::plan_doc::checkbox::{self, Check};
use crate::plan_doc::diagnostics::Diagnostic;
use crate::plan_doc::fields::{label, one_line, own_words, plain_label};
use crate::plan_doc::grammar::plain;
use crate::plan_doc::names::{self, Match, Part, fold};

impl Reader<'_> {
    pub(super) fn walk(&mut self, document: &Document) {
        let mut parts: Vec<Option<Part>> = Vec::with_capacity(document.sections.len());
        for (n, section) in document.sections.iter().enumerate() {
            let inherited = section.parent.and_then(|parent| parts.get(parent).copied().flatten());
            let mut part = self.part_of(section, n, inherited);
            parts.push(part);
            self.columns = None;
            let mut group = if section.parent.is_some() || self.level != Level::A {
                fold(self.at(&section.heading))
            } else {
                String::new()
            };
            if section.heading.is_empty() {
                group.clear();
            }
            self.settle_below();
            self.escalation_step(&section.heading, None);
            self.phase_heading(section);
            for block in &section.blocks {
                if let Some(group_part) = self.group_of(block) {
                    part = Some(group_part);
                }
                self.block(part, &mut group, block);
            }
        }
    }

    /// The part a block's bold label leads to, in the template's words: its heading may have been lost.
    fn group_of(&self, block: &Block) -> Option<Part> {
        let Block::Line(line) = block else { return None };
        if !self.template() {
            return None;
        }
        let (name, _) = label(self.text, line)?;
        names::group_part(&fold(self.at(&name)))
    }

    /// The part a section belongs to; a sub-heading without a meaning of its own belongs to its parent's.
    fn part_of(&mut self, section: &Section, n: usize, inherited: Option<Part>) -> Option<Part> {
        if n == 0 {
            return Some(Part::Overview);
        }
        let span = section.heading.clone();
        let heading = self.at(&span);
        let found = names::part(heading);
        match found {
            Some((part, how)) => {
                // A part of a section that is called as the section itself is the section.
                if inherited == Some(part) {
                    return Some(part);
                }
                // Inside a known section only a sure name leads elsewhere.
                if inherited.is_some_and(|inherited| inherited != part) && how >= Match::Spelling {
                    return inherited;
                }
                self.parts.push((part, how, span.clone()));
                if matches!(how, Match::Synonym | Match::Spelling) && self.template() {
                    let wanted = part.heading();
                    self.report(
                        Diagnostic::new(
                            "TM011",
                            format!("`{}` is read as `{wanted}`.", plain(heading)),
                            "",
                            span.clone(),
                        )
                        .of(wanted)
                        .fix(span, wanted),
                    );
                }
                Some(part)
            }
            None => {
                if inherited.is_none() {
                    let message = format!("Section `{}` is kept as it is.", plain(heading));
                    self.unknown.push(plain(heading));
                    self.report(Diagnostic::new("TM012", message, "", span));
                }
                inherited
            }
        }
    }

    fn block(&mut self, part: Option<Part>, group: &mut String, block: &Block) {
        match block {
            Block::Line(line) => {
                self.columns = None;
                self.line(part, group, line);
            }
            Block::Item { text, check, depth } => {
                self.columns = None;
                self.list_item(part, group, text, *check, *depth);
            }
            Block::Row { cells, header, line, .. } => self.row(part, group, cells, *header, line),
        }
    }

    fn line(&mut self, part: Option<Part>, group: &mut String, line: &Range<usize>) {
        if self.closing_line(line) || self.example(line) {
            return;
        }
        if let Some((name, value)) = label(self.text, line) {
            self.settle_below();
            let words = self.at(&name).to_owned();
            if self.channel_label(&words, &value) {
                return;
            }
            if self.overview_line(part, &words, &name, &value) || self.trigger_label(&words, &value) {
                return;
            }
            if part != Some(Part::Overview) {
                *group = fold(&words);
                self.groups.insert(group.clone());
            }
            self.phase_label(&words, &value);
            return;
        }
        if self.below(line, None) {
            return;
        }
        // A list that does not begin with 1 is a paragraph to Markdown, and a list to its author.
        let raw = self.at(line);
        let digits = raw.bytes().take_while(u8::is_ascii_digit).count();
        if part == Some(Part::Strategy) && (1..3).contains(&digits) && raw[digits..].starts_with(". ") {
            let text = line.start + digits + 2..line.end;
            self.list_item(part, group, &text, None, 0);
            return;
        }
        if part == Some(Part::Overview)
            && let Some((name, value)) = plain_label(self.text, line)
        {
            let words = self.at(&name).to_owned();
            self.overview_plain(&words, &name, &value);
        }
        let choices = checkbox::choices(self.text, line);
        if choices.len() == 1 && self.at(line).starts_with(['☐', '☑', '✅', '□', '☒']) {
            // A box on a line of its own is an item without a bullet.
            let (check, text) = &choices[0];
            self.list_item(part, group, text, Some(*check), 0);
        }
    }

    fn list_item(&mut self, part: Option<Part>, group: &str, text: &Range<usize>, check: Option<Check>, depth: usize) {
        if self.example(text) {
            return;
        }
        let line = own_words(self.text, text);
        if label(self.text, &line).is_none() && self.below(&line, check) {
            return;
        }
        if self.escalation_step(&line, Some(depth)) {
            return;
        }
        self.depth = depth;
        match part {
            Some(Part::Overview) => {
                let found = label(self.text, &line).or_else(|| plain_label(self.text, &line));
                if let Some((name, value)) = found
                    && check.is_none()
                {
                    let words = self.at(&name).to_owned();
                    self.overview_plain(&words, &name, &value);
                    self.labels_below(part, &line, text);
                } else {
                    self.task(text, check);
                }
            }
            Some(Part::Dependencies) => self.gate(group, text, check),
            Some(Part::Strategy) => self.strategy(group, text, check, depth),
            Some(Part::Success) => self.success_item(text, check),
            Some(Part::Rollback) => self.rollback(group, text, check),
            Some(Part::Communication) => self.communication(group, text, check),
            Some(Part::Risks) => self.risk_or_contingency(group, text, check),
            Some(Part::Actions) => self.action(text, check),
            Some(Part::Signoffs) => {
                let line = one_line(self.text, text);
                self.signoff(&line, text, check);
            }
            None => self.foreign_item(group, text, check),
        }
    }

    /// Lines of labels that Markdown takes for the end of an item.
    fn labels_below(&mut self, part: Option<Part>, first: &Range<usize>, text: &Range<usize>) {
        let mut at = text.start;
        for line in self.at(text).split_inclusive('\n') {
            let range = trim(self.text, at..at + line.len());
            at += line.len();
            if range.start >= first.end
                && let Some((name, value)) = label(self.text, &range)
            {
                let words = self.at(&name).to_owned();
                self.overview_line(part, &words, &name, &value);
            }
        }
    }

    /// An item of a section we do not know.
    fn foreign_item(&mut self, group: &str, text: &Range<usize>, check: Option<Check>) {
        if triggers::names_triggers(group) && check.is_none() {
            self.raw_triggers.push(RawTrigger { text: text.clone(), check, sure: false });
        }
        self.task(text, check);
    }
}
