//! Numbers with suffixes and units: `1,000`, `0.5`, `1e3`, `48K`, `800ms`, `50 req/s`, `3 errors/hour`.

use super::scan::{Scan, plain};
use crate::domain::plan::Quantity;

/// A number, sign aside. `1,5` is a decimal comma and not read; [`decimal_comma`] finds it.
pub(super) fn number(scan: &mut Scan<'_>) -> Option<f64> {
    scan.attempt(|scan| {
        scan.space();
        let rest = scan.rest();
        let digits = rest
            .bytes()
            .enumerate()
            .take_while(|(i, b)| b.is_ascii_digit() || (matches!(b, b',' | b'.') && next_digit(rest, *i)))
            .count();
        let raw = &rest[..digits];
        if !raw.contains(|c: char| c.is_ascii_digit()) {
            return word_number(scan);
        }
        let mut value = decimal(raw)?;
        let mut taken = digits;
        if let Some(exponent) = exponent(&rest[digits..]) {
            value = format!("{value}{exponent}").parse().ok()?;
            taken += exponent.len();
        }
        scan.at += taken;
        // The suffix is case-sensitive and must not begin a word: 800ms is not 800 m + s.
        for (suffix, by) in [("K", 1e3), ("k", 1e3), ("M", 1e6), ("G", 1e9)] {
            if let Some(after) = scan.rest().strip_prefix(suffix)
                && !after.starts_with(|c: char| c.is_alphanumeric())
            {
                value *= by;
                scan.at += suffix.len();
                break;
            }
        }
        value.is_finite().then_some(value)
    })
}

fn next_digit(text: &str, at: usize) -> bool {
    text.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit)
}

fn exponent(text: &str) -> Option<&str> {
    let after = text.strip_prefix(['e', 'E'])?;
    let digits = after.strip_prefix(['-', '+']).unwrap_or(after);
    let n = digits.bytes().take_while(u8::is_ascii_digit).count();
    let ends = !digits[n..].starts_with(|c: char| c.is_alphanumeric());
    (n > 0 && n <= 2 && ends).then(|| &text[..text.len() - digits.len() + n])
}

const WORDS: &[(&str, f64)] = &[
    ("one", 1.0),
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("fifteen", 15.0),
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("sixty", 60.0),
];

fn word_number(scan: &mut Scan<'_>) -> Option<f64> {
    WORDS.iter().find_map(|(word, value)| scan.word(&[*word]).map(|_| *value))
}

/// `1,000` and `1,000,000.5` group thousands; anything else with a comma is refused.
fn decimal(raw: &str) -> Option<f64> {
    if !raw.contains(',') {
        return raw.parse().ok();
    }
    let (whole, fraction) = raw.split_once('.').map_or((raw, None), |(w, f)| (w, Some(f)));
    let mut groups = whole.split(',');
    let first = groups.next()?;
    if first.is_empty() || first.len() > 3 || groups.any(|g| g.len() != 3) {
        return None;
    }
    let joined = whole.replace(',', "");
    match fraction {
        Some(f) => format!("{joined}.{f}").parse().ok(),
        None => joined.parse().ok(),
    }
}

/// Where a text has a decimal comma: the comma's byte.
pub(crate) fn decimal_comma(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (1..bytes.len().saturating_sub(1)).find(|&i| {
        let after = bytes[i + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        let before = bytes[..i].iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let grouped = after == 3 && (1..=3).contains(&before) && bytes[i - before] != b'0';
        let single = !bytes[..i].iter().rev().skip(before).take(1).any(|b| matches!(b, b',' | b'.'));
        bytes[i] == b','
            && before > 0
            && (1..=4).contains(&after)
            && !grouped
            && single
            && bytes[i - 1].is_ascii_digit()
            && !matches!(bytes.get(i + 1 + after), Some(b',' | b'-'))
    })
}

/// Where a number may be grouped by a point or a blank, `1.200 ms`, `1 250/h`: the mark's byte. Three decimals are read
/// where they are usual: percent, multiples, and after a zero.
pub(crate) fn thousands(text: &str, blanks: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    (1..bytes.len().saturating_sub(3)).find(|&i| {
        let mark = bytes[i] == b'.' || (blanks && bytes[i] == b' ');
        let before = bytes[..i].iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let after = bytes[i + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        if !mark || after != 3 || !(1..=3).contains(&before) || bytes[i - before] == b'0' {
            return false;
        }
        let lead = text[..i - before].chars().next_back();
        let apart = lead.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | ',' | '-' | '/'));
        let rest = text[i + 4..].trim_start();
        let decimals = ["%", "percent", "pct", "pp", "x", "×", "σ"].iter().any(|unit| rest.starts_with(unit));
        let more =
            text[i + 4..].strip_prefix(['.', ':', '-']).is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
        apart && !more && (bytes[i] == b' ' || !decimals)
    })
}

/// Units as written, and what we call them. Longer ones first where one begins with another.
const UNITS: &[(&str, &str)] = &[
    ("%", "%"),
    ("percentage points", "pp"),
    ("percentage point", "pp"),
    ("percent", "%"),
    ("pct", "%"),
    ("pp", "pp"),
    ("milliseconds", "ms"),
    ("millisecond", "ms"),
    ("millis", "ms"),
    ("msec", "ms"),
    ("ms", "ms"),
    ("microseconds", "µs"),
    ("μs", "µs"),
    ("us", "µs"),
    ("nanoseconds", "ns"),
    ("ns", "ns"),
    ("seconds", "s"),
    ("second", "s"),
    ("secs", "s"),
    ("sec", "s"),
    ("s", "s"),
    ("minutes", "min"),
    ("minute", "min"),
    ("mins", "min"),
    ("min", "min"),
    ("m", "min"),
    ("hours", "h"),
    ("hour", "h"),
    ("hrs", "h"),
    ("hr", "h"),
    ("h", "h"),
    ("days", "d"),
    ("day", "d"),
    ("d", "d"),
    ("rps", "rps"),
    ("qps", "qps"),
    ("tps", "tps"),
    ("rpm", "rpm"),
];

/// Size units are case-sensitive: `Mb` is bits.
const SIZES: &[&str] = &["KiB", "MiB", "GiB", "TiB", "KB", "kB", "MB", "GB", "TB", "B"];

const PERIODS: &[(&str, &str)] = &[
    ("seconds", "s"),
    ("second", "s"),
    ("sec", "s"),
    ("s", "s"),
    ("minutes", "min"),
    ("minute", "min"),
    ("mins", "min"),
    ("min", "min"),
    ("m", "min"),
    ("hours", "hour"),
    ("hour", "hour"),
    ("hr", "hour"),
    ("h", "hour"),
    ("days", "day"),
    ("day", "day"),
    ("d", "day"),
    ("week", "week"),
    ("month", "month"),
];

/// Words that can follow a number without being its unit.
const NO_UNIT: &[&str] = &[
    "for", "over", "within", "in", "and", "or", "during", "on", "vs", "of", "x", "to", "consecutive", "at", "across",
    "under", "per", "sustained", "the", "a", "an", "is", "are", "than", "from", "against", "compared", "above",
    "below", "baseline", "if", "when", "then", "with", "per", "avg", "average", "mean", "median", "max", "min.", "p50",
    "p75", "p90", "p95", "p99", "any", "increase", "decrease", "drop", "rise", "higher", "lower", "more", "less",
    "out", "times", "after", "before", "until",
];

/// The unit that follows a number; nothing taken and an empty unit if none does.
pub(super) fn unit(scan: &mut Scan<'_>) -> String {
    if let Some(rate) = scan.attempt(rate) {
        return rate;
    }
    for size in SIZES {
        let mut ahead = scan.clone();
        if ahead.symbol(size) && !ahead.rest().starts_with(|c: char| c.is_alphanumeric()) {
            scan.at = ahead.at;
            return (*size).replace("kB", "KB");
        }
    }
    for (written, unit) in UNITS {
        if scan.word(&[*written]).is_some() {
            return with_period(scan, unit);
        }
    }
    scan.attempt(|scan| {
        let word = scan.letters()?;
        if NO_UNIT.contains(&word.to_ascii_lowercase().as_str()) || super::span::period_word(word) {
            return None;
        }
        let mut noun = word.to_owned();
        // An adjective and its noun: "concurrent users".
        if let Some(next) = scan.attempt(|scan| {
            let next = scan.letters()?;
            let fits =
                next.ends_with('s') && !word.ends_with('s') && !NO_UNIT.contains(&next.to_ascii_lowercase().as_str());
            fits.then_some(next)
        }) {
            noun = format!("{noun} {next}");
        }
        Some(with_period(scan, &noun))
    })
    .unwrap_or_default()
}

/// `req/s`, `requests per second`, `/min`.
fn rate(scan: &mut Scan<'_>) -> Option<String> {
    const REQUESTS: &[&str] = &["requests", "request", "reqs", "req", "r"];
    if scan.word(REQUESTS).is_some() {
        return match period(scan)? {
            "s" => Some("rps".to_owned()),
            "min" => Some("rpm".to_owned()),
            other => Some(format!("requests/{other}")),
        };
    }
    period(scan).map(|period| format!("/{period}"))
}

fn period(scan: &mut Scan<'_>) -> Option<&'static str> {
    scan.attempt(|scan| {
        if !scan.symbol("/") && scan.word(&["per", "a", "an", "each"]).is_none() {
            return None;
        }
        PERIODS.iter().find_map(|(written, period)| scan.word(&[*written]).map(|_| *period))
    })
}

fn with_period(scan: &mut Scan<'_>, unit: &str) -> String {
    match period(scan) {
        Some(period) => format!("{unit}/{period}"),
        None => unit.to_owned(),
    }
}

/// A currency sign before a number.
pub(super) fn currency(scan: &mut Scan<'_>) -> Option<&'static str> {
    ["$", "€", "£"].into_iter().find(|sign| scan.symbol(sign))
}

/// A number with its unit.
pub(super) fn quantity(scan: &mut Scan<'_>) -> Option<Quantity> {
    scan.attempt(|scan| {
        let money = currency(scan);
        let value = number(scan)?;
        let unit = match money {
            Some(sign) => with_period(scan, sign),
            None => unit(scan),
        };
        Some(Quantity { value, unit })
    })
}

/// A person's number: `2.5`, `212 ms`, `-3`, `1,200 rps`; nothing may follow.
pub fn number_with_unit(text: &str) -> Option<Quantity> {
    let text = plain(text);
    let mut scan = Scan::new(&text);
    let negative = scan.symbol("-");
    let mut quantity = quantity(&mut scan)?;
    if negative {
        quantity.value = -quantity.value;
    }
    scan.done().then_some(quantity)
}
