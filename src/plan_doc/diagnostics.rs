//! What is wrong with a plan, where, and what was expected. Columns count Unicode characters from 1.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// What a finding stands against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocks {
    /// Information or a warning; nothing is stopped.
    Nothing,
    /// The plan can be kept as a draft, but not submitted.
    Submit,
    /// The plan cannot be read; nothing is stored.
    Import,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable code, `TM050`.
    pub code: &'static str,
    pub blocks: Blocks,
    pub message: String,
    /// What was expected, or what to do.
    pub help: String,
    /// Bytes of the document.
    pub span: Range<usize>,
}

/// Line and column of a byte, both from 1, columns in characters.
pub fn line_column(source: &str, byte: usize) -> (usize, usize) {
    let byte = floor_boundary(source, byte);
    let before = &source[..byte];
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn floor_boundary(source: &str, byte: usize) -> usize {
    let mut byte = byte.min(source.len());
    while !source.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

/// The line a span begins on, without its newline, cut to what a person can read; the span is clipped to it.
fn excerpt(source: &str, span: &Range<usize>) -> (String, Range<usize>, usize) {
    const WIDEST: usize = 160;
    let start = floor_boundary(source, span.start);
    let line_start = source[..start].rfind('\n').map_or(0, |i| i + 1);
    let line_end = source[start..].find(['\n', '\r']).map_or(source.len(), |i| start + i);
    let from = floor_boundary(source, line_start.max(start.saturating_sub(WIDEST / 2)));
    let to = floor_boundary(source, line_end.min(from + WIDEST));
    let end = floor_boundary(source, span.end.clamp(start, to.max(start)));
    let text: String = source[from..to].replace('\t', " ");
    let (line, _) = line_column(source, start);
    (text, start - from..(end - from).max(start - from), line)
}

/// One finding as a person reads it in a terminal: title, place, the line with a mark under it, help.
pub fn render_text(diagnostic: &Diagnostic, source: &str, file: &str) -> String {
    let level = match diagnostic.blocks {
        Blocks::Nothing => Level::WARNING,
        Blocks::Submit | Blocks::Import => Level::ERROR,
    };
    let (text, span, line) = excerpt(source, &diagnostic.span);
    let (_, column) = line_column(source, diagnostic.span.start);
    let origin = format!("{file}:{line}:{column}");
    let report = &[level.primary_title(&diagnostic.message).id(diagnostic.code).element(
        Snippet::source(text.as_str())
            .line_start(line)
            .annotation(AnnotationKind::Primary.span(span).label(diagnostic.help.as_str())),
    )];
    // The snippet shows a cut line, so the true place is printed by us.
    format!("{origin}\n{}", Renderer::plain().render(report))
}

/// The findings as they fit a chat message: at most `max`, each with line and column, then how many more.
pub fn render_chat(diagnostics: &[Diagnostic], source: &str, max: usize) -> Vec<String> {
    let mut lines: Vec<String> = diagnostics
        .iter()
        .take(max)
        .map(|d| {
            let (line, column) = line_column(source, d.span.start);
            format!("line {line}, column {column} ({}): {} {}", d.code, d.message, d.help)
        })
        .collect();
    if diagnostics.len() > max {
        lines.push(format!("and {} more", diagnostics.len() - max));
    }
    lines
}
