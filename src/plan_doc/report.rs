//! Findings for people and machines: text with the line and a mark under it, JSON, SARIF, GitHub annotations, a few lines
//! for chat. It must not judge; it shows.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Patch, Renderer, Snippet};
use serde_json::{Value, json};

use super::diagnostics::{Diagnostic, Severity, line_column};
use super::rules::RULES;
use crate::plan_doc::lines::floor_boundary;

/// The most findings shown as text for one file; the rest is counted.
pub const MAX_SHOWN: usize = 20;

/// The most findings written to a file for chat.
const MAX_FILED: usize = 200;

/// The widest part of a source line that is shown, in bytes.
const WIDEST: usize = 160;

/// The part of the line a span begins on that a person can read; the span is clipped to it.
fn excerpt(source: &str, span: &Range<usize>) -> (String, Range<usize>, usize) {
    let start = floor_boundary(source, span.start);
    let line_start = source[..start].rfind('\n').map_or(0, |i| i + 1);
    let line_end = source[start..].find(['\n', '\r']).map_or(source.len(), |i| start + i);
    let from = floor_boundary(source, line_start.max(start.saturating_sub(WIDEST / 2)));
    let to = floor_boundary(source, line_end.min(from + WIDEST)).max(start);
    let end = floor_boundary(source, span.end.clamp(start, to));
    // A byte-order mark at the front of the line has no width.
    let bom = if source[from..].starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let from = (from + bom).min(to);
    let text: String = source[from..to].replace(['\t', '\r'], " ");
    let (line, _) = line_column(source, start);
    (text, start.saturating_sub(from)..end.saturating_sub(from), line)
}

/// The findings as people should meet them: errors, then warnings, then information, each by position.
fn heaviest(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut found: Vec<&Diagnostic> = diagnostics.iter().collect();
    found.sort_by_key(|d| std::cmp::Reverse(d.severity));
    found
}

/// A path as a URI reference.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    if path.starts_with('/') { format!("file://{out}") } else { out }
}

/// One finding as a person reads it in a terminal: place, title, the line with a mark under it, help, a patch.
pub fn render_text(diagnostic: &Diagnostic, source: &str, file: &str, width: usize, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Info => Level::INFO,
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let (text, span, line) = excerpt(source, &diagnostic.span);
    let (_, column) = line_column(source, diagnostic.span.start);
    let origin = format!("{file}:{line}:{column}");
    let snippet = Snippet::source(text.as_str()).line_start(line).annotation(AnnotationKind::Primary.span(span));
    let mut group = level.primary_title(&diagnostic.message).id(diagnostic.code).element(snippet);
    if !diagnostic.help.is_empty() {
        group = group.element(Level::HELP.message(&diagnostic.help));
    }
    let mut report = vec![group];
    // Only a patch on the same line, within what is shown, can be drawn.
    let patched = diagnostic.suggestions.first().and_then(|s| {
        let (text, span, line) = excerpt(source, &s.span);
        let whole = source.get(s.span.clone()).is_some_and(|old| !old.contains('\n'));
        (whole && !s.replacement.contains('\n') && s.replacement.len() <= WIDEST).then_some((text, span, line, s))
    });
    if let Some((text, span, line, suggestion)) = &patched {
        let title = if suggestion.safe { "safe fix" } else { "possible fix" };
        let snippet = Snippet::source(text.as_str())
            .line_start(*line)
            .patch(Patch::new(span.clone(), suggestion.replacement.as_str()));
        report.push(Level::HELP.secondary_title(title).element(snippet));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(width);
    // The snippet shows a cut line, so the true place is printed by us.
    let drawn = renderer.render(&report);
    let drawn: Vec<&str> = drawn.lines().map(str::trim_end).collect();
    format!("{origin}\n{}", drawn.join("\n"))
}

/// The findings of a file as text, the heaviest first; the twenty-first and later are counted.
pub fn render_all(diagnostics: &[Diagnostic], source: &str, file: &str, width: usize, color: bool) -> String {
    let mut out = String::new();
    for diagnostic in heaviest(diagnostics).into_iter().take(MAX_SHOWN) {
        out.push_str(&render_text(diagnostic, source, file, width, color));
        out.push_str("\n\n");
    }
    if diagnostics.len() > MAX_SHOWN {
        out.push_str(&format!("{file}: and {} more; see all with --format json\n", diagnostics.len() - MAX_SHOWN));
    }
    out
}

/// Every finding as a text file of its own, as wide as a chat's code block.
pub fn render_file(diagnostics: &[Diagnostic], source: &str, file: &str) -> String {
    let shown = heaviest(diagnostics).into_iter().take(MAX_FILED);
    let mut out: String = shown.map(|diagnostic| render_text(diagnostic, source, file, 72, false) + "\n\n").collect();
    if diagnostics.len() > MAX_FILED {
        out.push_str(&format!("and {} more\n", diagnostics.len() - MAX_FILED));
    }
    out
}

/// One finding as JSON.
pub fn json(diagnostic: &Diagnostic, source: &str) -> Value {
    let (line, column) = line_column(source, diagnostic.span.start);
    let (end_line, end_column) = line_column(source, diagnostic.span.end);
    let suggestions: Vec<Value> = diagnostic
        .suggestions
        .iter()
        .map(|s| {
            json!({
                "byte_start": s.span.start, "byte_end": s.span.end, "replacement": s.replacement,
                "applicability": if s.safe { "safe" } else { "maybe" },
            })
        })
        .collect();
    json!({
        "code": diagnostic.code, "severity": diagnostic.severity.word(), "message": diagnostic.message,
        "help": diagnostic.help, "field": diagnostic.field, "line": line, "column": column, "end_line": end_line,
        "end_column": end_column, "byte_start": diagnostic.span.start, "byte_end": diagnostic.span.end,
        "suggestions": suggestions, "docs_url": "docs/plans.md#rules",
    })
}

/// A file with its findings, for the machine formats.
#[derive(Debug, Clone, Copy)]
pub struct Linted<'a> {
    /// The name it is reported under.
    pub file: &'a str,
    /// Its text.
    pub source: &'a str,
    /// Its findings.
    pub diagnostics: &'a [Diagnostic],
}

/// A SARIF 2.1.0 log. Columns are Unicode code points.
pub fn sarif(files: &[Linted<'_>]) -> Value {
    let level = |severity| match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.code, "shortDescription": { "text": rule.title },
                "defaultConfiguration": { "level": level(rule.severity) },
            })
        })
        .collect();
    let region = |source: &str, span: &Range<usize>| {
        let (line, column) = line_column(source, span.start);
        let (end_line, end_column) = line_column(source, span.end);
        json!({
            "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column,
            "byteOffset": span.start, "byteLength": span.end - span.start,
        })
    };
    let mut results = Vec::new();
    for file in files {
        let location = json!({ "uri": uri(file.file) });
        for d in file.diagnostics {
            let text = if d.help.is_empty() { d.message.clone() } else { format!("{} {}", d.message, d.help) };
            let mut result = json!({
                "ruleId": d.code, "level": level(d.severity), "message": { "text": text },
                "ruleIndex": RULES.iter().position(|rule| rule.code == d.code),
                "locations": [{ "physicalLocation": { "artifactLocation": location, "region": region(file.source, &d.span) } }],
            });
            if !d.suggestions.is_empty() {
                let fixes: Vec<Value> = d
                    .suggestions
                    .iter()
                    .map(|s| {
                        json!({
                            "description": { "text": if s.safe { "safe fix" } else { "possible fix" } },
                            "artifactChanges": [{
                                "artifactLocation": location,
                                "replacements": [{
                                    "deletedRegion": region(file.source, &s.span),
                                    "insertedContent": { "text": s.replacement },
                                }],
                            }],
                        })
                    })
                    .collect();
                result["fixes"] = Value::Array(fixes);
            }
            results.push(result);
        }
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "tminus", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints", "results": results,
        }],
    })
}

/// A GitHub workflow command for a finding.
pub fn github(diagnostic: &Diagnostic, source: &str, file: &str) -> String {
    let property = |text: &str| {
        text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A").replace(':', "%3A").replace(',', "%2C")
    };
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let (line, column) = line_column(source, diagnostic.span.start);
    let (end_line, end_column) = line_column(source, diagnostic.span.end);
    let word = match diagnostic.severity {
        Severity::Info => "notice",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    // Columns are only read where a finding stays on its line.
    let end = if end_line == line { format!(",endColumn={}", end_column.max(column)) } else { String::new() };
    format!(
        "::{word} file={},line={line},endLine={end_line},col={column}{end},title={}::{}",
        property(file),
        property(diagnostic.code),
        data(format!("{} {}", diagnostic.message, diagnostic.help).trim()),
    )
}

/// The findings as they fit a chat message: at most `max`, each with line and column, then how many more.
pub fn render_chat(diagnostics: &[Diagnostic], source: &str, max: usize) -> Vec<String> {
    let mut lines: Vec<String> = heaviest(diagnostics)
        .into_iter()
        .take(max)
        .map(|d| {
            let (line, column) = line_column(source, d.span.start);
            let sign = match d.severity {
                Severity::Error => "❌ error",
                Severity::Warning => "⚠️ warning",
                Severity::Info => "ℹ️ info",
            };
            format!("{sign}, line {line}, column {column}: {} {} ({})", d.message, d.help, d.code).replace("  ", " ")
        })
        .collect();
    if diagnostics.len() > max {
        lines.push(format!("and {} more", diagnostics.len() - max));
    }
    lines
}
