//! Keeps a report readable: findings of one kind are told once with their number.

use std::collections::BTreeMap;

use crate::domain::plan::Level;
use crate::plan_doc::diagnostics::{Diagnostic, Severity, line_column};

/// More placeholders of one kind than this are one finding.
const PLACEHOLDERS: usize = 2;
/// More pieces of information of one kind than this are one finding; errors and warnings are told one by one.
const INFORMATION: usize = 4;

/// Nobody reads more errors or warnings of one kind than this one by one.
const MANY: usize = 25;

/// How many lines a folded finding names.
const NAMED: usize = 8;

/// Orders findings and folds repeated ones; their fixes stay.
pub(super) fn fold(mut diagnostics: Vec<Diagnostic>, text: &str, level: Level) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|d| (d.span.start, d.code));
    let mut by_code: BTreeMap<(&'static str, Severity), Vec<Diagnostic>> = BTreeMap::new();
    for diagnostic in diagnostics {
        by_code.entry((diagnostic.code, diagnostic.severity)).or_default().push(diagnostic);
    }
    let mut out = Vec::new();
    for ((code, severity), group) in by_code {
        // A plan in other words lacks much of the template by nature: that is one question, not twenty faults.
        let at_most = match (code, level, severity) {
            ("TM010" | "TM011" | "TM012" | "TM090", Level::B | Level::C | Level::D, _) => 1,
            ("TM020" | "TM021" | "TM022" | "TM060", ..) => PLACEHOLDERS,
            (.., Severity::Info) => INFORMATION,
            _ => MANY,
        };
        if group.len() > at_most { out.extend(one(group, text)) } else { out.extend(group) }
    }
    out.sort_by_key(|d| (d.span.start, d.code));
    out
}

fn one(group: Vec<Diagnostic>, text: &str) -> Option<Diagnostic> {
    let count = group.len();
    let fields: Vec<String> = group.iter().filter_map(|d| d.field.clone()).collect();
    // Only the first lines are named; the last of them says that there are more.
    let lines: Vec<usize> = group.iter().take(NAMED + 1).map(|d| line_column(text, d.span.start).0).collect();
    let suggestions = group.iter().flat_map(|d| d.suggestions.clone()).take(500).collect();
    let first = group.into_iter().next()?;
    let message = match first.code {
        "TM090" => format!("{count} items are missing for this risk level: {}.", listed(&fields)),
        "TM010" => format!("{count} sections or fields are missing: {}.", listed(&fields)),
        "TM020" => format!("{count} required fields are not filled in: {}.", listed(&fields)),
        "TM021" => format!("{count} optional fields are not filled in: {}.", listed(&fields)),
        "TM011" => format!("T-Minus matched {count} headings or labels by synonym or spelling."),
        "TM012" => format!("T-Minus does not know {count} sections and keeps them as they are."),
        _ => format!("{} ({count} times: lines {}).", first.message.trim_end_matches('.'), spelled(&lines)),
    };
    let help = match first.code {
        "TM010" => "Add them, or fill them in when T-Minus asks.".to_owned(),
        "TM020" | "TM021" => "Fill them in.".to_owned(),
        _ => first.help.clone(),
    };
    Some(Diagnostic { message, help, field: None, suggestions, ..first })
}

fn listed(fields: &[String]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for field in fields {
        if !names.contains(&field.as_str()) {
            names.push(field);
        }
    }
    let shown = names.iter().take(12).copied().collect::<Vec<_>>().join(", ");
    if names.len() > 12 { format!("{shown} and {} more", names.len() - 12) } else { shown }
}

fn spelled(lines: &[usize]) -> String {
    let shown: Vec<String> = lines.iter().take(NAMED).map(ToString::to_string).collect();
    if lines.len() > NAMED { format!("{} …", shown.join(", ")) } else { shown.join(", ") }
}
