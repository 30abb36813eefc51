//! Boxes as people draw them: `[ ]`, `[x]`, `[-]`, `[❌]`, `☐`, a leading ✅. It knows symbols, not items.

use std::ops::Range;

use crate::plan_doc::lines::trim;

/// What a box says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Open,
    Done,
    NotApplicable,
    Failed,
    AtRisk,
    /// Drawn wrongly, `[]` or `[x ]`: read as well as it can be, and said.
    Malformed {
        done: bool,
    },
    /// A symbol we do not know.
    Unknown,
}

/// The state symbol of a box: its byte, its length, what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Check {
    pub(super) at: usize,
    pub(super) len: usize,
    pub(super) mark: Mark,
}

impl Check {
    pub(super) fn done(self) -> bool {
        matches!(self.mark, Mark::Done | Mark::Malformed { done: true })
    }

    /// Settled one way or the other: nothing to wait for.
    pub(super) fn settled(self) -> bool {
        self.done() || self.mark == Mark::NotApplicable
    }

    pub(super) fn range(self) -> Range<usize> {
        self.at..self.at + self.len
    }

    /// A sign without brackets, such as a leading ✅: a state among boxes, a bullet among its like.
    pub(super) fn is_sign(self, text: &str) -> bool {
        let sign = matches!(text.get(self.range()), Some("✅" | "✔" | "❌" | "⚠"));
        sign && !text[..self.at].ends_with('[')
    }

    /// The bytes that tick this box; `None` where ticking would not be understood.
    pub(super) fn ticked(self, text: &str) -> Option<&'static str> {
        match (self.mark, text.get(self.range())?) {
            (Mark::Open, " ") => Some("x"),
            (Mark::Open, "☐" | "□" | "⬜") => Some("☑"),
            _ => None,
        }
    }
}

/// Symbols inside brackets.
fn symbol(inside: &str) -> Option<Mark> {
    let bare = inside.trim_end_matches('\u{fe0f}');
    Some(match bare {
        " " => Mark::Open,
        "x" | "X" | "✓" | "✔" | "✅" | "☑" => Mark::Done,
        "-" | "~" | "/" => Mark::NotApplicable,
        "❌" | "✗" | "✘" | "✖" => Mark::Failed,
        "⚠" | "!" | "?" => Mark::AtRisk,
        _ => return None,
    })
}

const GLYPHS: &[(&str, Mark)] = &[
    ("☐", Mark::Open),
    ("□", Mark::Open),
    ("⬜", Mark::Open),
    ("🔲", Mark::Open),
    ("☑", Mark::Done),
    ("☒", Mark::Done),
    ("✅", Mark::Done),
    ("✔", Mark::Done),
    ("❌", Mark::Failed),
    ("⚠", Mark::AtRisk),
];

/// The box that begins at `at`, and the byte after it.
pub(super) fn box_at(text: &str, at: usize) -> Option<(Check, usize)> {
    let rest = text.get(at..)?;
    if let Some(inner) = rest.strip_prefix('[') {
        // A symbol is at most one character with its variation selector; a link or a placeholder is longer.
        let end = inner.char_indices().take(4).find(|(_, c)| *c == ']')?.0;
        let inside = &inner[..end];
        let after = &inner[end + 1..];
        if after.starts_with(['(', '[', ':']) {
            return None;
        }
        let follows = after.is_empty() || after.starts_with(char::is_whitespace);
        let check = |mark, len| (Check { at: at + 1, len, mark }, at + end + 2);
        if let Some(mark) = symbol(inside) {
            return if follows {
                Some(check(mark, inside.len()))
            } else {
                Some(check(malformed(inside), inside.len()))
            };
        }
        let trimmed = inside.trim();
        let drawn = inside.is_empty() || trimmed.is_empty() || (matches!(trimmed, "x" | "X") && follows);
        if drawn && follows {
            return Some(check(malformed(inside), inside.len()));
        }
        let single = inside.chars().filter(|c| *c != '\u{fe0f}').count() == 1;
        return (single && follows && !inside.chars().all(char::is_alphanumeric))
            .then(|| check(Mark::Unknown, inside.len()));
    }
    let (glyph, mark) = GLYPHS.iter().find(|(glyph, _)| rest.starts_with(glyph))?;
    let end = at + glyph.len();
    let selector = if text[end..].starts_with('\u{fe0f}') { '\u{fe0f}'.len_utf8() } else { 0 };
    Some((Check { at, len: glyph.len(), mark: *mark }, end + selector))
}

/// The box a table cell begins with, and the words after it; a cell with several boxes is a choice and has none.
pub(super) fn cell_box(text: &str, cell: &Range<usize>) -> Option<(Check, Range<usize>)> {
    let raw = &text[cell.clone()];
    // `- [ ]`: inside a cell the bullet is text.
    let bullet = ["- ", "* ", "+ "].iter().any(|bullet| raw.starts_with(bullet));
    let start = trim(text, cell.start + usize::from(bullet) * 2..cell.end).start;
    let (check, end) = box_at(&text[..cell.end], start)?;
    let single = choices(text, cell).len() == 1;
    single.then(|| (check, trim(text, end.min(cell.end)..cell.end)))
}

fn malformed(inside: &str) -> Mark {
    Mark::Malformed { done: matches!(inside.trim(), "x" | "X") }
}

/// Boxes inside a line with the words that follow each: `[x] Standard [ ] Hotfix`, `☐ Soft ☑ Full`.
pub(super) fn choices(text: &str, value: &Range<usize>) -> Vec<(Check, Range<usize>)> {
    let slice = &text[value.clone()];
    let mut starts: Vec<(Check, usize, usize)> = Vec::new();
    for (i, c) in slice.char_indices() {
        let at = value.start + i;
        if (c == '[' || GLYPHS.iter().any(|(glyph, _)| glyph.starts_with(c)))
            && let Some((check, end)) = box_at(&text[..value.end], at)
        {
            starts.push((check, at, end));
        }
    }
    let mut found = Vec::new();
    for (n, (check, _, from)) in starts.iter().enumerate() {
        let end = starts.get(n + 1).map_or(value.end, |(_, at, _)| *at);
        found.push((*check, trim(text, (*from).min(end)..end)));
    }
    found
}
