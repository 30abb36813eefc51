//! The walk through a document: which section each block belongs to, and which reader takes it.

use std::ops::Range;

use super::{ticks, triggers};
use crate::domain::plan::Level;
use crate::plan_doc::blocks::{Block, Document, Section};
use crate::plan_doc::checkbox::{self, Check};
use crate::plan_doc::diagnostics::Diagnostic;
use crate::plan_doc::fields::{label, one_line, own_words, plain_label};
use crate::plan_doc::grammar::plain;
use crate::plan_doc::lines::trim;
use crate::plan_doc::names::{self, Field, Match, Part, fold};
use crate::plan_doc::read::reader::{RawTrigger, Reader};
use crate::plan_doc::time::parse_when;

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
            self.bullets.extend(ticks::bullets(self.text, &section.blocks));
            self.home = self.at_home(section, part);
            for (i, block) in section.blocks.iter().enumerate() {
                if let Some(group_part) = self.group_of(block) {
                    part = Some(group_part);
                }
                if matches!(block, Block::Row { header: true, .. }) {
                    self.ticks = self.tick_columns(&section.blocks[i..], part);
                }
                self.block(part, &mut group, block);
            }
        }
    }

    /// Whether a section says who runs the release, and not who does one of its steps.
    fn at_home(&self, section: &Section, part: Option<Part>) -> bool {
        let heading = self.at(&section.heading);
        let folded = fold(heading.trim_start_matches(|c: char| !c.is_alphabetic()));
        let overview = heading.is_empty() || names::part(heading).is_some_and(|(part, _)| part == Part::Overview);
        let people = ["contact", "team", "people", "role", "owner", "stakeholder", "responsib", "raci"];
        let dated = |block: &Block| {
            let Block::Line(line) = block else { return false };
            let Some((name, value)) = label(self.text, line) else { return false };
            let when = names::field(self.at(&name)).is_some_and(|(field, _)| field == Field::When);
            when && parse_when(&plain(self.at(&value)), Some("UTC")).is_ok()
        };
        // Steps have numbers: "Step 1", "Command 2: lock the roles".
        let second = heading.trim_start_matches(|c: char| !c.is_alphabetic()).split_whitespace().nth(1);
        let step =
            second.is_some_and(|word| word.trim_start_matches(['#', '(']).starts_with(|c: char| c.is_ascii_digit()));
        overview
            || (part == Some(Part::Overview) && !folded.contains(|c: char| c.is_ascii_digit()))
            || (!step && people.iter().any(|word| folded.contains(word)))
            || section.blocks.iter().any(dated)
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
                            format!("T-Minus reads `{}` as `{wanted}`.", plain(heading)),
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
                    let message =
                        format!("T-Minus does not know the section `{}` and keeps it as it is.", plain(heading));
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
            let folded = fold(&words);
            // Who does it is no group of lines.
            let person = matches!(names::field(&words), Some((Field::Owner | Field::OnCall, _))) && !value.is_empty();
            let groups = part != Some(Part::Overview) || ticks::no_go(group) || ticks::no_go(&folded);
            if groups && !person {
                *group = folded;
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
        // "NO-GO if:" and "Steps:" begin a group without bold, too; the next such line ends it.
        let caption = raw.ends_with(':') || (raw.starts_with("**") && raw.ends_with("**"));
        let folded = fold(raw);
        let back = matches!(part, Some(Part::Rollback) | None);
        let turns = |group: &str| ticks::no_go(group) || (back && triggers::names_steps(group));
        if caption && (turns(&folded) || turns(group.as_str())) {
            *group = folded;
            return;
        }
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
        if choices.len() == 1 && self.at(line).starts_with(['☐', '☑', '✅', '□', '☒', '⬜', '🔲']) {
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
        if part != Some(Part::Rollback) && self.stops(group, &line, check) {
            return;
        }
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
        if triggers::names_triggers(group) && self.boxed(check).is_none() {
            self.raw_triggers.push(RawTrigger { text: text.clone(), check: None, sure: false });
        }
        self.task(text, check);
    }
}
