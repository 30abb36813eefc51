//! Durations and offsets from T-0: `30 minutes`, `1h 30m`, `~2 days`, `5-10 min`, `T-24h`, `T0`.

use std::ops::Range;

use super::number::number;
use super::scan::{Scan, plain};

const PERIODS: &[(&str, f64)] = &[
    ("seconds", 1.0),
    ("second", 1.0),
    ("secs", 1.0),
    ("sec", 1.0),
    ("s", 1.0),
    ("minutes", 60.0),
    ("minute", 60.0),
    ("mins", 60.0),
    ("min", 60.0),
    ("m", 60.0),
    ("hours", 3600.0),
    ("hour", 3600.0),
    ("hrs", 3600.0),
    ("hr", 3600.0),
    ("h", 3600.0),
    ("days", 86_400.0),
    ("day", 86_400.0),
    ("d", 86_400.0),
    ("weeks", 604_800.0),
    ("week", 604_800.0),
    ("wks", 604_800.0),
    ("wk", 604_800.0),
    ("w", 604_800.0),
    ("business days", 86_400.0),
    ("business day", 86_400.0),
];

/// The longest duration understood: a year, in seconds.
const LONGEST_S: f64 = 366.0 * 86_400.0;

/// Whether a word is a period of time, so that it is never a noun unit.
pub(super) fn period_word(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    PERIODS.iter().any(|(written, _)| *written == word)
}

/// A duration in seconds. Of a range the lower end counts: it is the minimum.
pub(super) fn duration(scan: &mut Scan<'_>) -> Option<u32> {
    if let Some(seconds) = scan.attempt(iso) {
        return Some(seconds);
    }
    scan.attempt(|scan| {
        for lead in ["~", "≥", ">", "≈"] {
            scan.symbol(lead);
        }
        scan.word(&[
            "at least", "about", "approximately", "approx.", "approx", "around", "minimum of", "minimum", "min.",
            "more than", "up to", "roughly", "max", "the",
        ]);
        let mut total = 0.0;
        let mut parts = 0;
        while parts < 4 {
            match scan.attempt(part) {
                Some(seconds) => total += seconds,
                None => break,
            }
            parts += 1;
            let mut ahead = scan.clone();
            ahead.symbol(",");
            ahead.word(&["and"]);
            if ahead.clone().attempt(part).is_some() {
                scan.at = ahead.at;
            }
        }
        scan.symbol("+");
        scan.word(&["minimum", "min."]);
        (parts > 0 && (1.0..=LONGEST_S).contains(&total)).then_some(total.round() as u32)
    })
}

/// `2h30m`, `1h 20min`: two parts at least, without a range.
pub(super) fn compound(scan: &mut Scan<'_>) -> Option<u32> {
    let mut total = 0.0;
    for n in 0..4 {
        let Some(seconds) = scan.attempt(|scan| {
            scan.space();
            let plain = scan.rest().starts_with(|c: char| c.is_ascii_digit());
            let ranged = scan.rest().trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim_start();
            (plain && !ranged.starts_with(['-', '+'])).then(|| part(scan)).flatten()
        }) else {
            return (n > 1 && (1.0..=LONGEST_S).contains(&total)).then_some(total.round() as u32);
        };
        total += seconds;
    }
    None
}

/// `PT30M`, `PT2H`, `P1D`.
fn iso(scan: &mut Scan<'_>) -> Option<u32> {
    scan.space();
    let rest = scan.rest();
    let len = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let word = &rest[..len];
    if !word.starts_with('P') || !word.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let span: jiff::Span = word.parse().ok()?;
    let seconds = span.total(jiff::SpanTotal::from(jiff::Unit::Second).days_are_24_hours()).ok()?;
    scan.at += len;
    (1.0..=LONGEST_S).contains(&seconds).then_some(seconds.round() as u32)
}

fn part(scan: &mut Scan<'_>) -> Option<f64> {
    if scan.word(&["half an hour"]).is_some() {
        return Some(1800.0);
    }
    if scan.word(&["an hour", "one hour"]).is_some() {
        return Some(3600.0);
    }
    if scan.word(&["a minute", "one minute"]).is_some() {
        return Some(60.0);
    }
    if scan.word(&["a day", "one day"]).is_some() {
        return Some(86_400.0);
    }
    if scan.word(&["a week"]).is_some() {
        return Some(604_800.0);
    }
    let value = number(scan)?;
    scan.attempt(|scan| {
        if !scan.symbol("-") && scan.word(&["to"]).is_none() {
            return None;
        }
        number(scan)
    });
    scan.symbol("+");
    scan.symbol("-");
    scan.word(&["consecutive", "full", "continuous", "straight"]);
    // A lone capital M is a month to some and a minute to others.
    scan.space();
    if scan.rest().starts_with('M') && !scan.rest()[1..].starts_with(|c: char| c.is_alphabetic()) {
        return None;
    }
    if let Some(seconds) = PERIODS
        .iter()
        .filter(|(written, _)| written.contains(' '))
        .find_map(|(written, seconds)| scan.word(&[*written]).map(|_| *seconds))
    {
        return Some(value * seconds);
    }
    // Letters only: in `1h30m` a digit goes on where the word ends.
    scan.space();
    let len = scan.low().bytes().take_while(u8::is_ascii_alphabetic).count();
    let word = scan.low()[..len].to_owned();
    let seconds = PERIODS.iter().find(|(written, _)| *written == word).map(|(_, seconds)| *seconds)?;
    scan.at += len;
    Some(value * seconds)
}

/// A whole text as a duration in seconds; `30 minutes`, `1h 30m`, `2s`.
pub fn duration_seconds(text: &str) -> Option<u32> {
    let text = plain(text);
    let mut scan = Scan::new(&text);
    let seconds = duration(&mut scan)?;
    scan.done().then_some(seconds)
}

/// The same in minutes, rounded up.
pub fn duration_min(text: &str) -> Option<u32> {
    duration_seconds(text).map(|seconds| seconds.div_ceil(60))
}

/// The first duration inside a text, in seconds: "for 30 minutes in US-WEST" → 1800.
pub(crate) fn find_duration(text: &str) -> Option<u32> {
    let text = plain(text);
    let mut scan = Scan::new(&text);
    let mut fresh = true;
    for (at, c) in text.char_indices() {
        if fresh && !c.is_whitespace() {
            scan.at = at;
            let begins = c.is_ascii_digit()
                || scan.next_is(&[
                    "an hour", "half an hour", "a minute", "a day", "a week", "one", "two", "three", "four", "five",
                    "six", "ten", "twenty", "thirty",
                ]);
            if begins && let Some(seconds) = duration(&mut scan) {
                return Some(seconds);
            }
        }
        fresh = !(c.is_alphanumeric() || matches!(c, '.' | '+' | '%' | '_') || (c == '-' && fresh));
    }
    None
}

/// `T-24h`, `T−30 min`, `T+15 minutes`, `T - 2 hours`, `T0` → minutes from T-0, and the bytes it takes in `text`.
pub(crate) fn offset(text: &str) -> Option<(i64, Range<usize>)> {
    for (start, _) in text.match_indices(['T', 't']) {
        if text[..start].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &text[start + 1..];
        let after = rest.trim_start();
        let Some(sign) = after.chars().next() else { continue };
        let clock = rest.get(1..2) == Some(":") && rest[2..].starts_with(|c: char| c.is_ascii_digit());
        if rest.starts_with('0') && !clock && !rest[1..].starts_with(char::is_alphanumeric) {
            return Some((0, start..start + 2));
        }
        let negative = match sign {
            '+' => false,
            '-' | '\u{2212}' | '\u{2013}' | '\u{2014}' | '\u{2011}' | '\u{2010}' => true,
            _ => continue,
        };
        let body_at = start + 1 + (rest.len() - after.len()) + sign.len_utf8();
        let body = &text[body_at..];
        if !body.trim_start().starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let mut scan = Scan::new(body);
        if let Some(seconds) = single(&mut scan) {
            let minutes = i64::from(seconds.div_ceil(60));
            return Some((if negative { -minutes } else { minutes }, start..body_at + scan.at));
        }
        let zero = body.trim_start();
        if zero.starts_with('0') && !zero[1..].starts_with(|c: char| c.is_alphanumeric() || c == '.') {
            let end = body_at + (body.len() - zero.len()) + 1;
            return Some((0, start..end));
        }
    }
    None
}

/// A duration whose first part may be followed only by parts without a comma: "T+1 hour, 30 people" is one hour.
fn single(scan: &mut Scan<'_>) -> Option<u32> {
    let mut total = scan.attempt(part)?;
    while let Some(more) = scan.attempt(|scan| {
        scan.space();
        if scan.rest().starts_with(|c: char| c.is_ascii_digit()) { part(scan) } else { None }
    }) {
        total += more;
    }
    (1.0..=LONGEST_S).contains(&total).then_some(total.round() as u32)
}
