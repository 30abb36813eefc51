//! Reads TOML and says in an operator's words where it is not TOML. It must not know any setting.

use toml::Spanned;
use toml::de::DeTable;

use super::problem::{Origin, Problem};

/// The line of a byte, counted from 1.
pub(super) fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// Reads TOML. Every line that is not TOML is a mistake.
pub(super) fn parse<'i>(file: &str, text: &'i str) -> Result<Spanned<DeTable<'i>>, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = Vec::new();
    for error in errors {
        let number = line(text, error.span().map_or(0, |span| span.start));
        let origin = Origin::Line(file.to_owned(), number);
        // One line, one report: what follows the first is its consequence.
        if problems.iter().all(|problem| problem.origin != origin) {
            let (key, found, expected) = explain(text, number, error.message());
            problems.push(Problem { origin, key, found, expected });
        }
    }
    if problems.is_empty() { Ok(table) } else { Err(problems) }
}

/// Key, finding and expectation for a line that is not TOML. Its value is not repeated: it may be a secret.
fn explain(text: &str, number: usize, message: &str) -> (String, String, String) {
    let above = number.saturating_sub(1);
    let line = text.lines().nth(above).unwrap_or_default().trim();
    let end = line.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(line.len());
    let (word, rest) = (&line[..end], line[end..].trim_start());
    let key = if (2..=24).contains(&word.len()) && rest.starts_with(['=', ':']) {
        let header = text.lines().take(above).filter(|line| line.starts_with('[')).last().unwrap_or_default();
        let header = header.trim_start_matches('[').split(']').next().unwrap_or_default().trim();
        if header.is_empty() { word.to_owned() } else { format!("{header}.{word}") }
    } else {
        String::new()
    };
    let bare = rest.strip_prefix('=').is_some_and(|value| !value.trim_start().starts_with(['"', '\'', '[', '{']));
    let (found, expected) = match message.split_once(", expected ") {
        _ if message == "duplicate key" => ("found twice", "each key and each section once"),
        _ if bare && !key.is_empty() => ("a value that is not TOML", "text in double quotes, a number, true or false"),
        Some((found, expected)) => (found, expected),
        None => (message, "TOML"),
    };
    (key, found.to_owned(), expected.to_owned())
}
