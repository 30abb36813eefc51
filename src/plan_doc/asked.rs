//! What a plan does not say yet, asked for one by one: a form per question, and the answer written into the document as
//! Markdown. It must not judge an answer; the reader does.

use std::fmt::Write as _;
use std::ops::Range;

use super::chapters;
use super::fields::{label, plain_label};
use super::names::{self, Part};
use super::read::{Setting, read};
use crate::domain::plan::{ReleaseType, Risk};
use crate::plan_doc::lines::trim;

/// One thing to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// What is asked, as the template and the findings call it.
    pub label: &'static str,
    /// How an answer looks.
    pub example: &'static str,
    part: Part,
    shape: Shape,
}

/// How an answer stands in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `**Label:** value`.
    Value,
    /// `**Label:** [x] value`, one of a few.
    Choice,
    /// A list under a bold label or, with none, the section's own; one entry per line.
    List(&'static str, Entry),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Ticked,
    Box,
    Stage,
    Metric,
    Risk,
    Contingency,
}

const QUESTIONS: [Question; 15] = [
    ask("Feature/Change", "Checkout 4.2: new payment step", Part::Overview, Shape::Value),
    ask("Release Date/Time", "2026-12-08 14:00 Europe/Berlin", Part::Overview, Shape::Value),
    ask("Release Type", "Standard", Part::Overview, Shape::Choice),
    ask("Risk Level", "Medium", Part::Overview, Shape::Choice),
    ask("Release Owner", "Ana Ferreira (@ana)", Part::Overview, Shape::Value),
    ask("On-Call Engineer", "Ben Okafor (@ben)", Part::Overview, Shape::Value),
    ask("Rollout Approach", "Canary (percentage: 5%)", Part::Strategy, Shape::List("Rollout Approach", Entry::Ticked)),
    ask("Rollout Stages", "5% of users - 30 minutes", Part::Strategy, Shape::List("Rollout Stages", Entry::Stage)),
    ask("Key Metrics", "Error Rate; < 1%; > 2%", Part::Success, Shape::List("Key Metrics to Monitor", Entry::Metric)),
    ask(
        "Automatic Rollback Triggers",
        "Error rate exceeds 2% for 5 minutes",
        Part::Rollback,
        Shape::List("Automatic Rollback Triggers", Entry::Box),
    ),
    ask("Slack channel", "#releases", Part::Communication, Shape::Value),
    ask("Updates every", "30 minutes", Part::Communication, Shape::Value),
    ask(
        "Identified Risks",
        "Card declines rise: switch the flag off",
        Part::Risks,
        Shape::List("Identified Risks", Entry::Risk),
    ),
    ask(
        "Contingency Plans",
        "If rollback fails: restore the snapshot",
        Part::Risks,
        Shape::List("Contingency Plans", Entry::Contingency),
    ),
    ask("Approval Sign-offs", "SRE/Ops: Ben Okafor", Part::Signoffs, Shape::List("", Entry::Box)),
];

const fn ask(label: &'static str, example: &'static str, part: Part, shape: Shape) -> Question {
    Question { label, example, part, shape }
}

impl Question {
    /// The question with this key, as `menu` gave it.
    pub fn of_key(key: &str) -> Option<Self> {
        QUESTIONS.get(key.strip_prefix("ask-")?.parse::<usize>().ok()?).copied()
    }

    /// What the menu and the form call it: the template's channel may be anybody's.
    pub fn title(self) -> &'static str {
        if self.label == "Slack channel" { "Channel" } else { self.label }
    }

    /// The question about a field that a finding names.
    fn of_label(field: &str) -> Option<(usize, Self)> {
        QUESTIONS.into_iter().enumerate().find(|(_, question)| question.label == field)
    }

    /// The answers there are, where there are only a few.
    pub fn choices(self) -> Vec<String> {
        match (self.shape, self.label) {
            (Shape::Choice, "Risk Level") => Risk::ALL.iter().map(ToString::to_string).collect(),
            (Shape::Choice, _) => ReleaseType::ALL.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether an answer has several entries, one per line.
    pub fn is_list(self) -> bool {
        matches!(self.shape, Shape::List(..))
    }

    /// What the document says now: the value of its line. An answer replaces a list as a whole.
    pub fn answer_in(self, text: &str) -> String {
        value_of(text, self).map(|range| text[range].to_owned()).unwrap_or_default()
    }

    /// The document with an answer written into it. Everything else keeps its bytes.
    pub fn answered(self, text: &str, answer: &str) -> String {
        let lines: Vec<&str> = answer.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        match self.shape {
            Shape::Value => self.set(text, &lines.join(" ")),
            Shape::Choice => self.set(text, &format!("[x] {}", lines.join(" "))),
            Shape::List(group, entry) => self.list(text, group, &entries_of(entry, &lines)),
        }
    }

    fn set(self, text: &str, value: &str) -> String {
        if let Some(range) = value_of(text, self) {
            let space = if text[..range.start].ends_with(':') { " " } else { "" };
            return format!("{}{space}{value}{}", &text[..range.start], &text[range.end..]);
        }
        let line = match self.part {
            Part::Communication => format!("- [ ] {}: {value}", self.label),
            _ => format!("**{}:** {value}", self.label),
        };
        let group = if self.part == Part::Communication { "During Release" } else { "" };
        self.add(text, group, &line)
    }

    /// A list of the template's: what stood under its label gives way.
    fn list(self, text: &str, group: &str, entries: &str) -> String {
        match group_of(text, self.part, group) {
            Some(range) => format!("{}{entries}\n{}", &text[..range.start], after(&text[range.end..])),
            None => self.add(text, group, entries),
        }
    }

    /// Puts lines at the end of the section, under the group's label; a section that is missing is added.
    fn add(self, text: &str, group: &str, lines: &str) -> String {
        let Some(section) = chapters::of_part(text, self.part) else {
            let labelled = if group.is_empty() { lines.to_owned() } else { format!("**{group}:**\n{lines}") };
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            return format!("{text}{end}\n## {}\n\n{labelled}\n", self.part.heading());
        };
        if let Some(there) = group_of(text, self.part, group).filter(|_| !group.is_empty()) {
            let kept = there.start + text[there.clone()].trim_end().len();
            return format!("{}\n{lines}{}", &text[..kept], &text[kept..]);
        }
        let kept = section.start + text[section].trim_end().trim_end_matches('-').trim_end().len();
        let label = if group.is_empty() { String::new() } else { format!("**{group}:**\n") };
        // Two spaces at a line's end keep the lines of an overview apart.
        let gap = if self.part == Part::Overview && !text[..kept].ends_with('|') { "  \n" } else { "\n\n" };
        format!("{}{gap}{label}{lines}{}", &text[..kept], text[kept..].trim_start_matches(' '))
    }
}

fn after(rest: &str) -> String {
    let rest = rest.trim_start_matches('\n');
    if rest.is_empty() { String::new() } else { format!("\n{rest}") }
}

/// What can be asked about a plan with these fields open, as (key, label).
pub fn entries(open: &[String]) -> Vec<(String, String)> {
    let found = open.iter().filter_map(|field| Question::of_label(field));
    found.map(|(n, question)| (format!("ask-{n}"), format!("Fill in: {}", question.title()))).collect()
}

/// Where the question's value stands: a field of the overview where the reader took it from, else beside its own label.
fn value_of(text: &str, question: Question) -> Option<Range<usize>> {
    if let Some((field, _)) = names::field(question.label) {
        return read(text.as_bytes(), &Setting::default()).fields.remove(&field);
    }
    let is = |range: &Range<usize>| {
        let name = names::fold(&text[range.clone()]);
        name == names::fold(question.label) || question.label == "Slack channel" && name == "channel"
    };
    let mut at = 0;
    text.split_inclusive('\n').find_map(|line| {
        let range = trim(text, at..at + line.len());
        at += line.len();
        let (name, value) = pair(text, range)?;
        is(&name).then_some(value)
    })
}

/// A line's label and value: `**Label:** value`, `- [ ] Label: value`.
fn pair(text: &str, line: Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let slice = &text[line.clone()];
    let bare = if slice.starts_with("**") { slice } else { slice.trim_start_matches(['-', '*', '+', ' ']) };
    let bare = ["[ ] ", "[x] ", "[X] "].into_iter().find_map(|mark| bare.strip_prefix(mark)).unwrap_or(bare);
    let range = line.end - bare.len()..line.end;
    label(text, &range).or_else(|| plain_label(text, &range))
}

/// The lines under a bold label of a section, or the whole section's without one; the label and the heading stay out.
fn group_of(text: &str, part: Part, group: &str) -> Option<Range<usize>> {
    let section = chapters::of_part(text, part)?;
    let mut at = section.start;
    let mut begun = None;
    for line in text[section.clone()].split_inclusive('\n') {
        let (start, words) = (at, line.trim());
        at += line.len();
        let is_label = words.starts_with("**") && words.trim_end_matches('*').ends_with(':') || words.starts_with('#');
        let named = names::fold(words.trim_matches(['*', ':', '#', ' ']));
        match begun {
            None if group.is_empty() && words.starts_with('#') => begun = Some(at),
            None if !group.is_empty() && is_label && named == names::fold(group) => begun = Some(at),
            Some(begun) if is_label || words == "---" => return Some(begun..start),
            _ => {}
        }
    }
    begun.map(|begun| begun..section.end)
}

fn entries_of(entry: Entry, lines: &[&str]) -> String {
    let mut out = String::new();
    if entry == Entry::Metric {
        out.push_str("\n| Metric | Baseline | Success Threshold | Alert Threshold |\n|---|---|---|---|\n");
    }
    for (n, line) in lines.iter().enumerate() {
        let n = n + 1;
        // A cell ends at a bar, and nobody typed one to begin another.
        let cell = |part: usize| line.split(';').nth(part).unwrap_or_default().trim().replace('|', "/");
        let _: std::fmt::Result = match entry {
            Entry::Ticked => writeln!(out, "- [x] {line}"),
            Entry::Box => writeln!(out, "- [ ] {line}"),
            Entry::Stage => writeln!(out, "{n}. **Stage {n}:** {line}"),
            Entry::Metric => writeln!(out, "| {} | | {} | {} |", cell(0), cell(1), cell(2)),
            Entry::Risk => {
                let (risk, mitigation) = line.split_once(':').unwrap_or((line, ""));
                writeln!(out, "{n}. **Risk:** {}  \n   **Mitigation:** {}", risk.trim(), mitigation.trim())
            }
            Entry::Contingency => {
                let (when, what) = line.split_once(':').unwrap_or((line, ""));
                writeln!(out, "- **{}:** {}", when.trim(), what.trim())
            }
        };
    }
    out.trim_end().to_owned()
}
