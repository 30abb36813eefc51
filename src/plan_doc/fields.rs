//! Fields inside lines: labels, contacts, slugs, placeholders beside values. Byte ranges are of the original document.

use std::ops::Range;

use super::grammar::plain;
use crate::domain::ids::UserId;
use crate::domain::plan::Contact;
use crate::plan_doc::lines::trim;

/// A line's `**Label:** value`, as ranges; the colon may stand inside or outside the bold.
pub(super) fn label(text: &str, line: &Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let slice = &text[line.clone()];
    let mark = if slice.starts_with("**") { "**" } else { "__" };
    let inner = slice.strip_prefix(mark)?;
    let close = inner.find(mark)?;
    let name = &inner[..close];
    let after = &inner[close + 2..];
    let (name, value_start) = if let Some(name) = name.trim_end().strip_suffix([':', '：']) {
        (name, line.end - after.len())
    } else {
        let trimmed = after.trim_start();
        let rest = trimmed.strip_prefix([':', '：'])?;
        (name, line.end - rest.len())
    };
    let start = line.start + 2;
    Some((trim(text, start..start + name.len()), trim(text, value_start..line.end)))
}

/// A line's `Label: value` without bold; the label is a few words.
pub(super) fn plain_label(text: &str, line: &Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let slice = &text[line.clone()];
    let colon = slice.find(':')?;
    let name = &slice[..colon];
    let words = name.split_whitespace().count();
    let fits = (1..=5).contains(&words) && name.len() <= 40 && !name.contains(['[', '`', '|', '<', '*']);
    let after = &slice[colon + 1..];
    (fits && (after.is_empty() || after.starts_with(' ')))
        .then(|| (trim(text, line.start..line.start + colon), trim(text, line.start + colon + 1..line.end)))
}

/// An item's own words: its first line and those that only wrap it. A hard break, an empty line, a label or an aside in
/// italics ends them.
pub(super) fn own_words(text: &str, item: &Range<usize>) -> Range<usize> {
    let mut end = item.start;
    for line in text[item.clone()].split_inclusive('\n') {
        let words = line.trim();
        if end > item.start
            && (words.is_empty() || words.starts_with(['*', '_', '|', '#']) || words.starts_with("<!--"))
        {
            break;
        }
        end += line.len();
        let bare = line.trim_end_matches(['\n', '\r']);
        if bare.ends_with("  ") || bare.ends_with('\\') {
            break;
        }
    }
    let range = trim(text, item.start..end);
    // The mark of a hard break is no word.
    let kept = text[range.clone()].trim_end_matches('\\').len();
    trim(text, range.start..range.start + kept)
}

/// The first line of an item: a slot the bot fills never spans two.
pub(super) fn one_line(text: &str, item: &Range<usize>) -> Range<usize> {
    let end = text[item.clone()].find('\n').map_or(item.end, |i| item.start + i);
    trim(text, item.start..end)
}

/// Placeholders `[like this]` inside a value; links and boxes are none.
pub(super) fn placeholders(text: &str, value: &Range<usize>) -> Vec<Range<usize>> {
    let slice = &text[value.clone()];
    let mut end_of_last = 0;
    slice
        .match_indices('[')
        .filter_map(|(i, _)| {
            if i < end_of_last {
                return None;
            }
            let inner = &slice[i + 1..];
            let end = inner.find(']')?;
            let after = &inner[end + 1..];
            let word = inner[..end].trim();
            let fits = word.chars().count() > 1 && !after.starts_with(['(', '[']) && !word.starts_with('^');
            if !fits {
                return None;
            }
            end_of_last = i + end + 2;
            Some(value.start + i..value.start + end_of_last)
        })
        .collect()
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
    let name = text.split(['(', ',', '<', '—']).next().unwrap_or(text);
    let name = name.split(" - ").next().unwrap_or(name).trim().trim_start_matches('@').trim();
    let name = if name.is_empty() { handle.clone().unwrap_or_else(|| text.to_owned()) } else { name.to_owned() };
    // A mention names a member as surely as a handle does, and its change is as material.
    let handle = handle.or_else(|| mention.as_ref().map(|user| user.0.clone()));
    Contact { name: name.chars().take(80).collect(), handle, user: mention }
}

/// Whether a text says how to reach a person: a handle, an address, a number.
pub(super) fn reachable(text: &str) -> bool {
    text.contains('@') || text.chars().filter(char::is_ascii_digit).count() >= 6 || text.contains("](")
}

/// An escalation path: people in order, separated by arrows, commas or "then".
pub(super) fn chain(text: &str) -> Vec<Contact> {
    plain(text)
        .replace(" then ", "→")
        .replace(" > ", "→")
        .split(['→', ',', ';'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .take(8)
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

/// The slug, with a number where another item has it already.
pub(super) fn unique(slug: &str, taken: impl Fn(&str) -> bool) -> String {
    let slug = if slug.is_empty() { "item" } else { slug };
    let numbered = (2..).map(|n| format!("{slug}-{n}"));
    std::iter::once(slug.to_owned()).chain(numbered).find(|id| !taken(id)).unwrap_or_default()
}
