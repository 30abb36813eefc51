//! The notices of a server whose plans name none: read from one line, such as `T-24h engineering, T-2h support`. It must not know
//! what becomes of them.

use super::grammar::offset;
use super::read::{MAX_RUNGS, audience};
use crate::domain::plan::RungPlan;

/// Who is told, and when, where neither a plan nor its server says.
pub const USUAL: &str = "T-24h engineering, T-2h support, T-30m status page";

/// The same, read.
pub fn usual_ladder() -> Vec<RungPlan> {
    ladder(USUAL).unwrap_or_default()
}

/// Reads a ladder; `off` is none at all. The earliest notice comes first.
///
/// # Errors
/// A sentence that says what cannot be read, and how it is written.
pub fn ladder(text: &str) -> Result<Vec<RungPlan>, String> {
    if text.trim().eq_ignore_ascii_case("off") {
        return Ok(Vec::new());
    }
    let mut rungs: Vec<RungPlan> = Vec::new();
    for part in text.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
        let unread = |why: &str| format!("“{part}” {why}. Write notices like {USUAL}, or write off.");
        let (minutes, span) = offset(part).ok_or_else(|| unread("gives no time before T-0"))?;
        let before_min = u32::try_from(-minutes).ok().filter(|m| *m > 0);
        let before_min = before_min.ok_or_else(|| unread("is not before T-0"))?;
        let words = format!("{} {}", &part[..span.start], &part[span.end..]);
        let words = words.trim_matches(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ':' | '-'));
        let audience = audience(words);
        if audience.0.is_empty() {
            return Err(unread("names no audience"));
        }
        let rung = RungPlan { before_min, audience, text: words.chars().take(120).collect() };
        if rungs.iter().any(|known| known.key() == rung.key()) {
            return Err(unread("appears twice"));
        }
        rungs.push(rung);
    }
    match rungs.len() {
        0 => Err(format!("There is no notice here. Write notices like {USUAL}, or write off.")),
        n if n > MAX_RUNGS => Err(format!("{n} notices are too many; write at most {MAX_RUNGS}.")),
        _ => {
            rungs.sort_by_key(|rung| std::cmp::Reverse(rung.before_min));
            Ok(rungs)
        }
    }
}
