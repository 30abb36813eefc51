//! What is wrong with a plan, where, what was expected, and a patch where one is safe. Columns count Unicode characters
//! from 1; bytes are of the original document.

use std::ops::Range;

use super::rules;
use crate::plan_doc::lines::floor_boundary;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Info,
    /// Worth a look before submitting; it stops nothing.
    Warning,
    /// The plan can be kept as a draft, but not submitted.
    Error,
}

impl Severity {
    /// `error`, `warning`, `info`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A change of the document that would settle a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Bytes of the document; an empty range inserts.
    pub span: Range<usize>,
    /// What stands there instead.
    pub replacement: String,
    /// May be applied without asking: it changes nothing of what the plan says.
    pub safe: bool,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable code, `TM050`.
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What was expected, or what to do.
    pub help: String,
    /// The field it is about, as the template calls it.
    pub field: Option<String>,
    /// Bytes of the document.
    pub span: Range<usize>,
    /// Changes that would settle it, the likeliest first.
    pub suggestions: Vec<Suggestion>,
}

impl Diagnostic {
    /// A finding with the severity of its rule.
    pub(super) fn new(
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
        span: Range<usize>,
    ) -> Self {
        let severity = rules::find(code).map_or(Severity::Error, |rule| rule.severity);
        debug_assert!(rules::find(code).is_some(), "{code} has no rule");
        Self { code, severity, message: message.into(), help: help.into(), field: None, span, suggestions: Vec::new() }
    }

    pub(super) fn weighing(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(super) fn of(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// A patch that may be applied without asking.
    pub(super) fn fix(mut self, span: Range<usize>, replacement: impl Into<String>) -> Self {
        self.suggestions.push(Suggestion { span, replacement: replacement.into(), safe: true });
        self
    }

    /// A patch somebody has to choose.
    pub(super) fn suggest(mut self, span: Range<usize>, replacement: impl Into<String>) -> Self {
        self.suggestions.push(Suggestion { span, replacement: replacement.into(), safe: false });
        self
    }
}

/// Line and column of a byte, both from 1, columns in characters. A byte-order mark is no column.
pub fn line_column(source: &str, byte: usize) -> (usize, usize) {
    let byte = floor_boundary(source, byte);
    let before = &source[..byte];
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    let column = before[line_start..].chars().filter(|c| *c != '\u{feff}').count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// Applies patches to a document; of overlapping ones the first counts.
pub(super) fn patch(text: &str, patches: impl IntoIterator<Item = (Range<usize>, String)>) -> String {
    let mut patches: Vec<_> = patches.into_iter().filter(|(span, _)| text.get(span.clone()).is_some()).collect();
    patches.sort_by_key(|(span, _)| (span.start, span.end));
    let mut out = String::with_capacity(text.len() + 256);
    let mut at = 0;
    for (span, new) in patches {
        if span.start < at {
            continue;
        }
        out.push_str(&text[at..span.start]);
        out.push_str(&new);
        at = span.end;
    }
    out.push_str(&text[at..]);
    out
}
