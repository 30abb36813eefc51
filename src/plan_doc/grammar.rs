//! The small grammars: numbers with units, thresholds, triggers, durations, offsets, stages (`plans.md` 6). Pure; a text
//! that does not parse is `None` and becomes a diagnostic above, nothing is guessed.

use crate::domain::plan::{Bound, Cmp, Quantity, StagePlan, TriggerRule};

/// Typographic variants to plain characters, so that one grammar reads them all. Lengths change: use for values only.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{a0}' | '\u{2009}' | '\u{202f}' => out.push(' '),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push('-'),
            '＜' => out.push('<'),
            '＞' => out.push('>'),
            '`' | '*' | '\\' => {}
            c => out.push(c),
        }
    }
    out.replace("&lt;", "<").replace("&gt;", ">").replace("<=", "≤").replace(">=", "≥").trim().to_owned()
}

/// A placeholder nobody filled: `[value]`, `___`, `TBD`, nothing.
pub(super) fn unfilled(text: &str) -> bool {
    let text = text.trim().trim_matches('*').trim();
    let bracketed = text.starts_with('[') && text.ends_with(']') && !text.contains("](");
    text.is_empty()
        || bracketed
        || text.contains("___")
        || text.eq_ignore_ascii_case("tbd")
        || text == "-"
        || text == "—"
}

/// A number with its suffix (`1.5M`, `48K`, `1,000`) and unit (`ms`, `%`, `rps`), and the rest of the text.
pub(super) fn quantity(text: &str) -> Option<(Quantity, &str)> {
    let text = text.trim_start();
    let digits = text.bytes().take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b',')).count();
    let raw = text.get(..digits)?.trim_end_matches(['.', ',']);
    if raw.is_empty() || !raw.as_bytes()[0].is_ascii_digit() {
        return None;
    }
    let value = decimal(raw)?;
    let mut rest = &text[raw.len()..];
    let mut factor = 1.0;
    // The suffix is case-sensitive and must not begin a word: 800ms is not 800 m + s.
    for (suffix, by) in [("K", 1e3), ("k", 1e3), ("M", 1e6), ("G", 1e9)] {
        if let Some(after) = rest.strip_prefix(suffix)
            && !after.starts_with(|c: char| c.is_alphanumeric())
        {
            (factor, rest) = (by, after);
            break;
        }
    }
    let (unit, rest) = unit(rest);
    Some((Quantity { value: value * factor, unit }, rest))
}

/// `1,000` and `1,000,000` group thousands; `1,5` is a decimal comma and refused.
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

const UNITS: &[(&str, &str)] = &[
    ("%", "%"),
    ("percent", "%"),
    ("pp", "pp"),
    ("milliseconds", "ms"),
    ("ms", "ms"),
    ("seconds", "s"),
    ("sec", "s"),
    ("s", "s"),
    ("µs", "µs"),
    ("req/s", "rps"),
    ("requests/s", "rps"),
    ("requests/sec", "rps"),
    ("rps", "rps"),
    ("qps", "rps"),
    ("tps", "tps"),
    ("rpm", "rpm"),
    ("MB", "MB"),
    ("GB", "GB"),
];

fn unit(text: &str) -> (String, &str) {
    let trimmed = text.trim_start();
    for (written, canonical) in UNITS {
        if let Some(rest) = trimmed.strip_prefix(written) {
            let ends = *written == "%" || !rest.starts_with(|c: char| c.is_alphanumeric() || c == '/');
            if ends {
                return ((*canonical).to_owned(), rest);
            }
        }
    }
    // An unknown unit is a word or a ratio such as `orders/min`, kept as written.
    let word: &str =
        trimmed.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ')' | '(')).next().unwrap_or("");
    let joins = ["for", "over", "within", "in", "and", "or", "during", "on", "vs", "of", "x", "to", "consecutive"];
    let is_unit = word.starts_with(|c: char| c.is_alphabetic()) && !joins.contains(&word.to_lowercase().as_str());
    if is_unit { (word.to_owned(), &trimmed[word.len()..]) } else { (String::new(), text) }
}

/// A person's number, `2.5`, `212 ms`, `1,200 rps`.
pub fn number_with_unit(text: &str) -> Option<Quantity> {
    let text = plain(text);
    let (negative, body) = text.strip_prefix('-').map_or((false, text.as_str()), |rest| (true, rest));
    let (mut quantity, rest) = quantity(body)?;
    if negative {
        quantity.value = -quantity.value;
    }
    rest.trim().is_empty().then_some(quantity)
}

const BELOW: &[&str] = &["<", "below", "under", "less than", "lower than", "fewer than"];
const AT_MOST: &[&str] = &["≤", "at most", "no more than", "up to"];
const ABOVE: &[&str] = &[">", "above", "over", "exceeds", "exceeding", "more than", "greater than", "higher than"];
const AT_LEAST: &[&str] = &["≥", "at least", "no less than"];

fn comparator(text: &str) -> (Option<Cmp>, &str) {
    let lower = text.to_lowercase();
    for (words, cmp) in [(AT_MOST, Cmp::AtMost), (AT_LEAST, Cmp::AtLeast), (BELOW, Cmp::Below), (ABOVE, Cmp::Above)] {
        for word in words {
            if lower.starts_with(word) && lower.is_char_boundary(word.len()) && text.is_char_boundary(word.len()) {
                return (Some(cmp), text[word.len()..].trim_start());
            }
        }
    }
    (None, text)
}

/// A threshold cell: `< 250ms`, `above 2x baseline`. `baseline` gives relative ones their value.
pub(super) fn bound(text: &str, baseline: Option<&Quantity>) -> Option<(Option<Cmp>, Quantity)> {
    let text = plain(text);
    let (cmp, rest) = comparator(&text);
    let (quantity, tail) = quantity(rest)?;
    let tail = tail.trim();
    let lower = tail.to_lowercase();
    let relative = lower.strip_prefix(['x', '×']).map(str::trim_start);
    if let Some(after) = relative.filter(|a| a.is_empty() || a.starts_with("baseline")) {
        let base = baseline?;
        let value = round(quantity.value * base.value);
        return (after.is_empty() || after == "baseline").then(|| (cmp, Quantity { value, unit: base.unit.clone() }));
    }
    if quantity.unit == "%" && lower.starts_with("of baseline") {
        let base = baseline?;
        return Some((cmp, Quantity { value: round(quantity.value / 100.0 * base.value), unit: base.unit.clone() }));
    }
    let note = tail.is_empty() || tail.starts_with('(') || lower.starts_with("for ") || lower.starts_with("over ");
    note.then_some((cmp, quantity))
}

/// Rounded to what a plan can say, so that 0.4s is 400ms.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// `30 minutes`, `1h 30m`, `2 hours`, `1.5h`, `~2 days` → minutes.
pub fn duration_min(text: &str) -> Option<u32> {
    let text = plain(text);
    // A lone capital M is a month to some and a minute to others.
    if text.ends_with('M') || text.contains("M ") {
        return None;
    }
    let text = text.to_lowercase();
    let text = text.trim_start_matches(['~', '>', ' ']).trim_start_matches("at least ").trim();
    let mut rest = text;
    let mut total = 0.0;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let value: f64 = rest.get(..digits)?.parse().ok()?;
        let after = rest[digits..].trim_start_matches(['+', '-', ' ']);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let factor = match after.get(..letters)? {
            "m" | "min" | "mins" | "minute" | "minutes" => 1.0,
            "h" | "hr" | "hrs" | "hour" | "hours" => 60.0,
            "d" | "day" | "days" => 1440.0,
            "w" | "week" | "weeks" => 10_080.0,
            _ => return None,
        };
        total += value * factor;
        parts += 1;
        rest = after[letters..].trim_start_matches([' ', ',']);
    }
    (parts > 0 && (1.0..=60.0 * 1440.0).contains(&total)).then_some(total.round() as u32)
}

/// The first duration inside a text: "for 30 minutes in US-WEST" → 30.
pub(super) fn find_duration_min(text: &str) -> Option<u32> {
    let text = plain(text);
    let words: Vec<&str> = text.split([' ', ',', '(', ')', '/']).filter(|w| !w.is_empty()).collect();
    (0..words.len()).find_map(|i| {
        let pair = words.get(i..i + 2).map(|w| w.join(" "));
        duration_min(words[i]).or_else(|| pair.and_then(|p| duration_min(&p)))
    })
}

/// `T-24h`, `T−30 min`, `T+15 minutes`, `T0` → minutes from T-0, and the bytes it takes.
pub(super) fn offset(text: &str) -> Option<(i64, std::ops::Range<usize>)> {
    for (start, _) in text.match_indices('T') {
        let before = text[..start].chars().next_back();
        if before.is_some_and(char::is_alphanumeric) {
            continue;
        }
        let rest = &text[start + 1..];
        let Some(sign) = rest.chars().next() else { continue };
        let negative = match sign {
            '+' => false,
            '-' | '\u{2212}' | '\u{2013}' | '\u{2011}' => true,
            _ => continue,
        };
        let body = &rest[sign.len_utf8()..];
        let taken = body
            .char_indices()
            .take_while(|(i, c)| c.is_ascii_alphanumeric() || (*c == ' ' && *i < 12))
            .map(|(i, c)| i + c.len_utf8());
        let mut ends: Vec<usize> = taken.collect();
        ends.reverse();
        for end in ends {
            if let Some(minutes) = duration_min(&body[..end]) {
                let signed = if negative { -i64::from(minutes) } else { i64::from(minutes) };
                let start_of_body = start + 1 + sign.len_utf8();
                return Some((signed, start..start_of_body + body[..end].trim_end().len()));
            }
        }
    }
    None
}

/// The first `N%` inside a text.
pub(super) fn percent(text: &str) -> Option<f64> {
    let text = plain(text);
    let at = text.find('%')?;
    let before = text[..at].trim_end();
    let start = before
        .rfind(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
    before[start..].parse().ok().filter(|p: &f64| (0.0..=100.0).contains(p))
}

/// A rollout stage's text: its percentage ("all users" is 100) and its soak time.
pub(super) fn stage(text: &str) -> StagePlan {
    let clean = plain(text);
    let lower = clean.to_lowercase();
    let all = lower.contains("all users") || lower.contains("everyone") || lower.contains("all traffic");
    let percent = percent(&clean).or(all.then_some(100.0));
    StagePlan { text: clean.clone(), percent, hold_min: find_duration_min(&clean) }
}

/// A trigger line a machine can watch; `None` is a trigger a person has to judge.
pub(super) fn trigger(text: &str) -> Option<TriggerRule> {
    let text = plain(text);
    let lower = text.to_lowercase();
    let skip = ["rollback if ", "roll back if ", "abort if ", "if ", "when ", "any "];
    let start = skip.iter().find(|p| lower.starts_with(**p)).map_or(0, |p| p.len());
    let body = text[start..].trim();
    checks(body).or_else(|| moves(body)).or_else(|| exceeds(body))
}

/// The text before and after the first of some words, matched as whole words, case aside.
fn split_word<'t>(text: &'t str, words: &[&str]) -> Option<(&'t str, &'t str)> {
    let lower = text.to_ascii_lowercase();
    let find = |word: &&str| {
        let at = lower.find(&format!(" {word} "))?;
        Some((at, at + word.len() + 2))
    };
    let (at, after) = words.iter().filter_map(find).min()?;
    Some((text[..at].trim(), text[after..].trim()))
}

fn checks(body: &str) -> Option<TriggerRule> {
    let (check, tail) = split_word(body, &["fails", "fail", "failing"])?;
    let tail = tail.trim_start_matches("for ").trim();
    let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
    let times: u32 = tail.get(..digits)?.parse().ok().filter(|n| (1..=1000).contains(n))?;
    let word = tail[digits..].trim().to_lowercase();
    let counted = ["consecutive", "checks", "check", "times"].iter().any(|w| word.starts_with(w));
    counted.then(|| TriggerRule::Fails { check: check.to_owned(), times })
}

fn moves(body: &str) -> Option<TriggerRule> {
    let down = ["drops", "falls", "decreases", "declines"];
    let up = ["rises", "increases", "grows"];
    let (metric, tail, down) = split_word(body, &down)
        .map(|(m, t)| (m, t, true))
        .or_else(|| split_word(body, &up).map(|(m, t)| (m, t, false)))?;
    let mut tail = tail.to_lowercase();
    for filler in ["by ", "more than ", "at least ", "over ", "> "] {
        if let Some(rest) = tail.strip_prefix(filler) {
            tail = rest.to_owned();
        }
    }
    let (quantity, rest) = quantity(&tail)?;
    (quantity.unit == "%" && quantity.value > 0.0).then_some(())?;
    let within_min = match rest.find("within") {
        Some(at) => Some(window(&rest[at + "within".len()..])?),
        None => None,
    };
    Some(TriggerRule::Moves { metric: metric.to_owned(), down, percent: quantity.value, within_min })
}

/// "the first hour", "first 30 minutes", "1 hour" → minutes.
fn window(text: &str) -> Option<u32> {
    let text = text.trim();
    let text = text.strip_prefix("the ").unwrap_or(text);
    let text = text.strip_prefix("first ").unwrap_or(text);
    let text = text.split(" of ").next().unwrap_or(text).trim();
    match text {
        "hour" => Some(60),
        "day" => Some(1440),
        other => duration_min(other),
    }
}

/// The default time window of a threshold without one (TM064).
pub(super) const DEFAULT_FOR_MIN: u32 = 5;

fn exceeds(body: &str) -> Option<TriggerRule> {
    let mut words: Vec<&str> = vec!["exceeds", "above", "over", "below", "under", "is above", "is below", "reaches"];
    words.extend(["exceeding", "goes above", "goes below", "≥", "≤", "<", ">"]);
    let spaced = body.replace('<', " < ").replace('>', " > ").replace('≥', " ≥ ").replace('≤', " ≤ ");
    let (metric, _) = split_word(&spaced, &words)?;
    let operator = spaced[metric.len()..].trim_start().trim_start_matches("is ").trim_start_matches("goes ");
    let operator = if operator.to_lowercase().starts_with("reaches") {
        format!("≥{}", &operator[7..])
    } else {
        operator.to_owned()
    };
    let (cmp, rest) = comparator(operator.trim());
    let (than, tail) = quantity(rest)?;
    let metric = metric.trim_end_matches([':', '-', ' ']).to_owned();
    (!metric.is_empty()).then_some(())?;
    let tail = tail.trim();
    let for_min = match tail.split_once("for ").or_else(|| tail.split_once("over ")) {
        Some((_, window)) => duration_min(window.split(['(', ';', '→']).next().unwrap_or(window).trim())?,
        None if tail.is_empty() || tail.starts_with('(') => DEFAULT_FOR_MIN,
        None => return None,
    };
    Some(TriggerRule::Exceeds { metric, bound: Bound { cmp: cmp?, than }, for_min })
}
