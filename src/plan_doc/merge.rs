//! Re-import: what a human edited meanwhile meets what the bot recorded. Items are found again by id, then by the
//! same words with a few more or fewer; what cannot be placed is reported, never guessed.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostics::{Diagnostic, Severity};
use super::read::Reading;

/// The most words a rewording adds or leaves out.
const WORDS: usize = 3;

/// Whether a text goes on under other words: every word of the shorter stands in the longer, in order, a slip in a long word
/// aside, and what is new turns nothing around.
fn goes_on(old: &str, new: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let low = text.to_lowercase();
        low.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let (a, b) = (words(old), words(new));
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() || long.len() - short.len() > WORDS {
        return false;
    }
    let slip = |a: &str, b: &str| {
        let plain = !a.chars().chain(b.chars()).any(|c| c.is_ascii_digit());
        a == b || (plain && a.chars().count() >= 6 && strsim::damerau_levenshtein(a, b) <= 1)
    };
    let mut rest = long.iter();
    let inside = short.iter().all(|word| rest.any(|other| slip(word, other)));
    let turned = ["not", "no", "never", "without", "except"];
    inside && !long.iter().any(|word| turned.contains(&word.as_str()) && !short.contains(word))
}

/// How the items of one revision continue in the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merge {
    /// Old id → new id, where only the words changed.
    pub renamed: BTreeMap<String, String>,
    /// Done items that are gone.
    pub lost: Vec<String>,
    /// Boxes the human ticked that the bot did not know of.
    pub adopted: Vec<String>,
}

/// Follows the items the bot ticked from one revision to the next.
pub fn merge(old: &Reading, new: &Reading, done: &BTreeSet<String>) -> Merge {
    let mut merge = Merge::default();
    let kind = |id: &str| id.split('/').next().unwrap_or_default().to_owned();
    let mut free: BTreeSet<&String> = new.items.keys().filter(|id| !old.items.contains_key(*id)).collect();
    for id in done.iter().filter(|id| !new.items.contains_key(*id)) {
        let words = old.texts.get(id).map_or("", String::as_str);
        // A gate opens the way to go: only the same words with a few added, left out or mended are the same gate.
        let mut same = free.iter().filter(|candidate| {
            let text = new.texts.get(**candidate).map_or("", String::as_str);
            plain_id(id).is_some() && kind(candidate) == kind(id) && goes_on(words, text)
        });
        match (same.next().copied(), same.next()) {
            (Some(found), None) => {
                free.remove(found);
                merge.renamed.insert(id.clone(), found.clone());
            }
            // What the old document did not have either was never a box.
            _ if old.items.contains_key(id) => merge.lost.push(id.clone()),
            _ => {}
        }
    }
    for (id, _) in new.items.iter().filter(|(_, check)| check.done()) {
        let known = done.contains(id) || merge.renamed.values().any(|new| new == id);
        let was = old.items.get(id).is_some_and(|old| old.done());
        let human = ["gate/", "task/", "action/"].iter().any(|kind| id.starts_with(kind));
        if !known && !was && human {
            merge.adopted.push(id.clone());
        }
    }
    merge
}

/// The id of a gate or a task within the plan; other items have none.
pub fn plain_id(id: &str) -> Option<String> {
    let (kind, id) = id.split_once('/')?;
    matches!(kind, "gate" | "task").then(|| id.to_owned())
}

impl Merge {
    /// Renamed gates and tasks by their ids within the plan.
    pub fn plain_ids(&self) -> BTreeMap<String, String> {
        self.renamed.iter().filter_map(|(from, to)| Some((plain_id(from)?, plain_id(to)?))).collect()
    }

    /// What the author should know of it; `asked` if sign-offs were asked for the old one.
    pub fn diagnostics(&self, old: &Reading, new: &Reading, asked: bool) -> Vec<Diagnostic> {
        let words = |reading: &Reading, id: &str| reading.texts.get(id).cloned().unwrap_or_else(|| id.to_owned());
        let lost = self.lost.iter().map(|id| {
            let message = format!("“{}” was done but is missing from this revision.", words(old, id));
            Diagnostic::new("TM094", message, "The record keeps it; the document won't show it.", 0..0)
        });
        let renamed = self.renamed.iter().map(|(from, to)| {
            let span = new.items.get(to).map_or(0..0, |check| check.range());
            let message =
                format!("“{}” looks like a rewording of “{}”, so it stays done.", words(new, to), words(old, from));
            Diagnostic::new("TM094", message, "If it is a different item, reword it; the record keeps both.", span)
        });
        let adopted = self.adopted.iter().map(|id| {
            let span = new.items.get(id).map_or(0..0, |check| check.range());
            Diagnostic::new(
                "TM092",
                format!("“{}” is ticked in the file, so it counts as done.", words(new, id)),
                "",
                span,
            )
        });
        // The change itself is shown field by field beside this; it stands against nothing, it costs the sign-offs.
        let voided = (asked && old.digest != new.digest).then(|| {
            let message = "This change voids the sign-offs: a gating field changed.";
            let help = "Every role signs again; T-Minus shows the changed fields.";
            Diagnostic::new("TM093", message, help, 0..0).weighing(Severity::Warning)
        });
        voided.into_iter().chain(lost).chain(renamed).chain(adopted).collect()
    }
}
