//! Re-import: what a human edited meanwhile meets what the bot recorded. Items are found again by id, then by nearly the same
//! words; what cannot be placed is reported, never guessed (`plans.md` 2.3).

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostics::{Diagnostic, Severity};
use super::read::Reading;

/// How alike two items' words must be to be one item renamed.
const ALIKE: f64 = 0.85;

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
        let words = old.texts.get(id).map_or("", String::as_str).to_lowercase();
        let score = |candidate: &String| {
            let text = new.texts.get(candidate).map_or("", String::as_str).to_lowercase();
            strsim::jaro_winkler(&words, &text)
        };
        let near = free
            .iter()
            .filter(|candidate| kind(candidate) == kind(id) && !words.is_empty())
            .map(|candidate| (*candidate, score(candidate)))
            .filter(|(_, score)| *score >= ALIKE)
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(candidate, _)| candidate);
        match near {
            Some(found) => {
                free.remove(found);
                merge.renamed.insert(id.clone(), found.clone());
            }
            // What the old document did not have either was never a box.
            None if old.items.contains_key(id) => merge.lost.push(id.clone()),
            None => {}
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

impl Merge {
    /// Renamed gates and tasks by their ids within the plan.
    pub fn plain_ids(&self) -> BTreeMap<String, String> {
        let bare = |id: &str| id.split_once('/').map_or(id, |(_, id)| id).to_owned();
        self.renamed.iter().map(|(from, to)| (bare(from), bare(to))).collect()
    }

    /// What the author should know of it; `asked` if sign-offs were asked for the old one.
    pub fn diagnostics(&self, old: &Reading, new: &Reading, asked: bool) -> Vec<Diagnostic> {
        let words = |reading: &Reading, id: &str| reading.texts.get(id).cloned().unwrap_or_else(|| id.to_owned());
        let lost = self.lost.iter().map(|id| {
            let message = format!("“{}” was done and is not in this revision.", words(old, id));
            Diagnostic::new("TM094", message, "The record keeps it; the document will not show it.", 0..0)
        });
        let renamed = self.renamed.iter().map(|(from, to)| {
            let span = new.items.get(to).map_or(0..0, |check| check.range());
            let message = format!("“{}” is taken for “{}”, and stays done.", words(new, to), words(old, from));
            Diagnostic::new("TM094", message, "Untick it if it is another item.", span)
        });
        let adopted = self.adopted.iter().map(|id| {
            let span = new.items.get(id).map_or(0..0, |check| check.range());
            Diagnostic::new("TM092", format!("“{}” is ticked in the file: taken as done.", words(new, id)), "", span)
        });
        // The change itself is shown field by field beside this; it stands against nothing, it costs the sign-offs.
        let voided = (asked && old.digest != new.digest).then(|| {
            let message = "A gating field changed after sign-offs were asked.";
            let help = "They start anew; what changed is shown.";
            Diagnostic::new("TM093", message, help, 0..0).weighing(Severity::Warning)
        });
        voided.into_iter().chain(lost).chain(renamed).chain(adopted).collect()
    }
}
