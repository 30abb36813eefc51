//! Fields inside lines: bold labels, inline choices, contacts, slugs. Byte ranges are of the original document.

use std::ops::Range;

use super::blocks::{Check, check_at, trim};
use crate::domain::ids::UserId;
use crate::domain::plan::Contact;

/// A line's `**Label:** value`, as ranges; the colon may stand inside or outside the bold.
pub(super) fn label(text: &str, line: &Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let slice = &text[line.clone()];
    let inner = slice.strip_prefix("**")?;
    let close = inner.find("**")?;
    let name = &inner[..close];
    let after = &inner[close + 2..];
    let (name, value_start) = if let Some(name) = name.strip_suffix(':') {
        (name, line.end - after.len())
    } else {
        let trimmed = after.trim_start();
        let rest = trimmed.strip_prefix(':')?;
        (name, line.end - rest.len())
    };
    let start = line.start + 2;
    Some((trim(text, start..start + name.len()), trim(text, value_start..line.end)))
}

/// Boxes inside a line with the words that follow each: `[x] Standard [ ] Hotfix`.
pub(super) fn choices(text: &str, value: &Range<usize>) -> Vec<(Check, Range<usize>)> {
    let slice = &text[value.clone()];
    let starts: Vec<usize> =
        slice.match_indices('[').map(|(i, _)| value.start + i).filter(|at| check_at(text, *at).is_some()).collect();
    let mut found = Vec::new();
    for (n, at) in starts.iter().enumerate() {
        let end = starts.get(n + 1).copied().unwrap_or(value.end);
        if let Some(check) = check_at(text, *at) {
            found.push((check, trim(text, (at + 3).min(end)..end)));
        }
    }
    found
}

/// A person as plans name them: `Ana Ferreira (@ana)`, `@ana`, `<@123>`, `Ana Ferreira, ana@example.com`.
pub(super) fn contact(text: &str) -> Contact {
    let text = text.trim().trim_matches('*').trim();
    let mention = text.find("<@").and_then(|at| {
        let inner = text[at + 2..].split('>').next()?.trim_start_matches('!');
        (!inner.is_empty() && inner.bytes().all(|b| b.is_ascii_digit())).then(|| UserId(inner.to_owned()))
    });
    let handle = text.match_indices('@').find_map(|(at, _)| {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '<') {
            return None;
        }
        let word: String =
            text[at + 1..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-')).collect();
        (!word.is_empty()).then(|| word.trim_end_matches('.').to_owned())
    });
    let name = text.split(['(', ',', '<', '—']).next().unwrap_or(text).trim().trim_start_matches('@').trim();
    let name = if name.is_empty() { handle.clone().unwrap_or_else(|| text.to_owned()) } else { name.to_owned() };
    Contact { name: name.chars().take(80).collect(), handle, user: mention }
}

/// An escalation path: people in order, separated by arrows, commas or "then".
pub(super) fn chain(text: &str) -> Vec<Contact> {
    text.replace("->", "→")
        .replace(" then ", "→")
        .split(['→', ','])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(contact)
        .collect()
}

/// A stable short name for an item: letters and digits of its text.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
        if slug.len() >= 48 {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Letters and digits only, lower case: how headings and labels are compared.
pub(super) fn fold(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
