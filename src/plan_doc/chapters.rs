//! A document's sections as a person edits them: one at a time, as Markdown. It must not judge what is written.

use std::ops::Range;

use super::asked::{self, Question};
use super::blocks::{self, body_start};
use super::names::{self, Part};
use super::template::{NewPlan, new_plan};

/// A section's own Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chapter {
    /// The heading, without markup.
    pub name: String,
    /// Without the blank lines at its end.
    pub text: String,
}

/// The top of a document: title and what stands before the first section.
const TOP: &str = "-top";

/// What can be edited, as (value, label): what is open and can be asked for, the sections of the document, then the
/// template's that are missing.
pub fn menu(text: &str, open: &[String]) -> Vec<(String, String)> {
    let found = found(text);
    let mut entries = asked::entries(open);
    entries.extend(found.iter().map(|(value, name, _)| (value.clone(), name.clone())).take(16));
    for part in Part::ALL {
        let here = found.iter().any(|(_, name, _)| names::part(name).is_some_and(|(known, _)| known == part));
        if !here {
            entries.push((slot(part), format!("Add: {}", part.heading())));
        }
    }
    entries
}

fn slot(part: Part) -> String {
    format!("add-{}", Part::ALL.iter().position(|known| *known == part).unwrap_or(0))
}

fn of_slot(value: &str) -> Option<Part> {
    Part::ALL.get(value.strip_prefix("add-")?.parse::<usize>().ok()?).copied()
}

/// (value, name, range) of each section of the highest level, and the top.
fn found(text: &str) -> Vec<(String, String, Range<usize>)> {
    let Ok(document) = blocks::parse(text) else { return Vec::new() };
    let starts: Vec<(String, usize)> = document
        .sections
        .iter()
        .filter(|section| !section.heading.is_empty() && section.parent.is_none())
        .map(|section| {
            let start = text[..section.heading.start].rfind('\n').map_or(0, |i| i + 1);
            (super::grammar::plain(&text[section.heading.clone()]), start)
        })
        .collect();
    let mut found = Vec::new();
    let first = starts.first().map_or(text.len(), |(_, start)| *start);
    if !text[body_start(text).min(first)..first].trim().is_empty() {
        found.push((TOP.to_owned(), "Top of the document".to_owned(), body_start(text).min(first)..first));
    }
    for (n, (name, start)) in starts.iter().enumerate() {
        let end = starts.get(n + 1).map_or(text.len(), |(_, next)| *next);
        // By its heading, not its place: a section that moved is still the same.
        let value =
            super::fields::unique(&super::fields::slug(name), |id| found.iter().any(|(known, ..)| *known == id));
        found.push((value, name.clone(), *start..end));
    }
    found
}

/// The range of the document's section of this kind.
pub(super) fn of_part(text: &str, part: Part) -> Option<Range<usize>> {
    let is = |name: &str| names::part(name).is_some_and(|(known, _)| known == part);
    found(text).into_iter().find(|(_, name, _)| is(name)).map(|(_, _, range)| range)
}

/// A section, or a question's answer, by its value; for a missing one the template's blank text.
pub fn chapter(text: &str, value: &str) -> Option<Chapter> {
    if let Some(question) = Question::of_key(value) {
        return Some(Chapter { name: question.label.to_owned(), text: question.answer_in(text) });
    }
    if let Some(part) = of_slot(value) {
        let blank = new_plan(&NewPlan::default());
        let (_, name, range) = found(&blank).into_iter().find(|(_, name, _)| name == part.heading())?;
        return Some(Chapter { name, text: blank[range].trim_end_matches(['\n', '-', ' ']).to_owned() });
    }
    let (_, name, range) = found(text).into_iter().find(|(known, ..)| known == value)?;
    Some(Chapter { name, text: text[range].trim_end().replace("\r\n", "\n") })
}

/// The document with one section replaced; what stands around it stays byte for byte. `None` if the section is gone.
pub fn replace_chapter(text: &str, value: &str, new: &str) -> Option<String> {
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let new = new.trim_end().replace("\r\n", "\n");
    if let Some(question) = Question::of_key(value) {
        let answered = question.answered(&text.replace("\r\n", "\n"), &new);
        return Some(answered.replace('\n', newline));
    }
    let new = new.replace('\n', newline);
    if of_slot(value).is_some() {
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { newline };
        return Some(format!("{text}{end}{newline}{new}{newline}"));
    }
    let (_, _, range) = found(text).into_iter().find(|(known, ..)| known == value)?;
    let kept = text[range.clone()].trim_end().len();
    Some(format!("{}{new}{}", &text[..range.start], &text[range.start + kept..]))
}
