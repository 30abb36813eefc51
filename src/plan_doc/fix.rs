//! Safe fixes: patches that change nothing of what the plan says, applied until none is left.

use super::diagnostics::{Diagnostic, patch};
use super::read::{Setting, read};

/// One fix may bring another into view; more rounds than this are a circle.
const ROUNDS: usize = 4;

/// The document with every safe fix applied, and how many were.
///
/// # Errors
/// The refusal of a document that cannot be read at all.
pub fn fix(bytes: &[u8]) -> Result<(String, usize), Box<Diagnostic>> {
    let refused = |bytes: &[u8]| {
        let reading = read(bytes, &Setting::default());
        match (reading.plan.is_some(), reading.diagnostics.into_iter().next()) {
            (false, Some(diagnostic)) => Err(Box::new(diagnostic)),
            _ => Ok(()),
        }
    };
    refused(bytes)?;
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    let mut count = 0;
    for _ in 0..ROUNDS {
        let reading = read(text.as_bytes(), &Setting::default());
        let safe: Vec<_> = reading
            .diagnostics
            .iter()
            .flat_map(|d| &d.suggestions)
            .filter(|s| s.safe)
            .map(|s| (s.span.clone(), s.replacement.clone()))
            .collect();
        if safe.is_empty() {
            break;
        }
        count += safe.len();
        text = patch(&text, safe);
    }
    Ok((text, count))
}
