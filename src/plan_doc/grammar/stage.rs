//! Stages of a rollout: extents in percent, counts or groups, and how long each holds.

use super::number::number;
use super::scan::{Scan, plain, unfilled};
use super::span::find_duration;
use crate::domain::plan::StagePlan;

/// Reads a stage's text; a line such as `1% → 10% → 100%` is several stages.
pub(crate) fn stages(raw: &str) -> Vec<StagePlan> {
    let text = plain(raw);
    let steps: Vec<&str> = text.split('→').map(str::trim).collect();
    if steps.len() > 1 && steps.iter().all(|step| percent(step).is_some()) {
        return steps.into_iter().map(stage).collect();
    }
    vec![stage(&text)]
}

fn stage(text: &str) -> StagePlan {
    let percent = percent(text);
    let head = head(text);
    let count = if percent.is_none() { count(head) } else { None };
    let group = (percent.is_none() && count.is_none() && !head.is_empty() && !unfilled(head)).then(|| cut(head, 80));
    let hold_min = hold(text).map(|seconds| seconds.div_ceil(60));
    StagePlan { text: cut(text, 200), percent, count, group, hold_min }
}

fn cut(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

/// The words before the extent: up to a dash with blanks around it, a comma or a bracket.
fn head(text: &str) -> &str {
    let end = [" - ", ", ", " (", " for ", ": "].iter().filter_map(|stop| text.find(stop)).min().unwrap_or(text.len());
    text[..end].trim()
}

/// How long the stage holds. What is planned counts, not what it was: "2 days (actual: 7)".
fn hold(text: &str) -> Option<u32> {
    let low = text.to_ascii_lowercase();
    let planned = low.find("(actual").map_or(text, |at| &text[..at]);
    find_duration(planned)
}

const ALL: &[&str] = &[
    "all users", "everyone", "all traffic", "full rollout", "all customers", "all regions", "all hosts", "all servers",
    "entire fleet", "whole fleet", "all instances", "all nodes", "general availability", "full traffic", "all at once",
    "full deployment", "full production", "all tenants", "all pods",
];

/// The first `N%` inside a text; of a range `5-10%` the upper end. "All users" is 100.
pub(crate) fn percent(text: &str) -> Option<f64> {
    let text = plain(text);
    for (at, _) in text.match_indices('%') {
        let before = text[..at].trim_end();
        let start = before
            .rfind(|c: char| !(c.is_ascii_digit() || c == '.'))
            .map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
        if let Ok(percent) = before[start..].parse::<f64>()
            && (0.0..=100.0).contains(&percent)
        {
            return Some(percent);
        }
    }
    let low = text.to_ascii_lowercase();
    ALL.iter().any(|words| low.contains(words)).then_some(100.0)
}

/// `10 submissions`, `3 hosts`.
fn count(head: &str) -> Option<String> {
    let mut scan = Scan::new(head);
    scan.word(&["first", "deploy to", "roll out to", "about", "up to", "the first"]);
    let before = scan.at;
    number(&mut scan)?;
    let noun = scan.letters()?;
    (!super::span::period_word(noun)).then(|| head[before..scan.at].trim().to_owned())
}
