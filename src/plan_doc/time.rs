//! The date field: civil date and time with a zone, never guessed (`plans.md` 4.2, 4.3). Gaps and folds of daylight saving
//! are refused with both readings.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::zone::{offset_name, zone};
use crate::domain::plan::PlannedTime;
use crate::domain::plausible;

/// Why a date was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeProblem {
    /// A code of the TM07x family.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What was expected.
    pub help: String,
    /// What may have been meant, each a whole value for the field.
    pub readings: Vec<String>,
    zones: Vec<String>,
}

impl TimeProblem {
    pub(super) fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into(), readings: Vec::new(), zones: Vec::new() }
    }

    /// Zones that may have been meant; the caller knows the date they go with.
    pub(super) fn zones(mut self, zones: impl IntoIterator<Item = String>) -> Self {
        self.zones = zones.into_iter().filter(|zone| !zone.is_empty()).collect();
        self
    }

    fn readings(mut self, readings: impl IntoIterator<Item = String>) -> Self {
        self.readings = readings.into_iter().take(3).collect();
        self
    }
}

const EXPECTED: &str = "Write it like `2026-12-01 14:00 Europe/Berlin` or `2026-12-01 14:00 UTC`.";

/// Reads `2026-12-01 14:00 Europe/Berlin`, `1 December 2026, 2:00 PM UTC+1`, `2026-12-01T14:00+01:00[Europe/Berlin]`,
/// `<t:1796000000>`.
///
/// # Errors
/// A code of the TM07x family with a message, what was expected, and what may have been meant.
pub fn parse_when(typed: &str, default_zone: Option<&str>) -> Result<PlannedTime, TimeProblem> {
    let typed = typed.trim();
    if let Some(at) = discord_stamp(typed) {
        let zone = default_zone.unwrap_or("UTC").to_owned();
        return Ok(PlannedTime { at, zone, typed: typed.to_owned() });
    }
    let spaced = machine_form(&typed.replace("a.m.", "am").replace("p.m.", "pm"));
    let words: Vec<&str> = spaced.split([' ', '\t', ',', '\u{a0}']).filter(|w| !w.is_empty()).collect();
    let words: Vec<&str> = words.into_iter().map(|w| w.trim_start_matches('~')).collect();
    // A weekday in brackets says nothing new.
    let words: Vec<&str> = words
        .into_iter()
        .filter(|w| !(w.starts_with('(') && named(w.trim_matches(['(', ')']), &WEEKDAYS).is_some()))
        .collect();
    let (date, used) = date(&words)?;
    let rest: Vec<&str> = words[used..]
        .iter()
        .copied()
        .filter(|w| !w.eq_ignore_ascii_case("at") && !matches!(*w, "-" | "@" | "·"))
        .collect();
    let split: Vec<&str> = rest.first().map_or_else(Vec::new, |word| attached(word));
    let rest: Vec<&str> = split.into_iter().chain(rest.iter().skip(1).copied()).collect();
    let (time, used) = time(&rest, date)?;
    let zone_text = rest[used..].join(" ");
    // `+01:00[Europe/Berlin]`: both must agree.
    let (offset, zone_text) = match zone_text.split_once('[') {
        Some((offset, name)) if !offset.trim().is_empty() => {
            (Some(offset.trim().to_owned()), name.trim_end_matches(']').to_owned())
        }
        _ => (None, zone_text.trim_matches(['(', ')', '[', ']', ' ', '.']).to_owned()),
    };
    let civil = DateTime::from_parts(date, time);
    // "14:00 - 15:00", "13:00 UTC / 14:00 CET": which of them is T-0 is not ours to say.
    let second = zone_text.split_whitespace().find(|w| w.contains(':') && w.starts_with(|c: char| c.is_ascii_digit()));
    if let Some(second) = second {
        let message = format!("Two times of day, {} and {second}.", hhmm(civil));
        let zone = zone_text.split_whitespace().last().unwrap_or_default();
        let help = format!("Give the start only, `{} {} {zone}`.", civil.date(), hhmm(civil));
        return Err(TimeProblem::new("TM070", message, help));
    }
    let zone_text = match (zone_text.is_empty(), default_zone) {
        (false, _) => zone_text,
        (true, Some(zone)) => zone.to_owned(),
        (true, None) => {
            let readings = ["UTC", "Europe/Berlin", "America/New_York"].map(|zone| shown(civil, zone));
            return Err(
                TimeProblem::new("TM071", format!("`{typed}` names no time zone."), EXPECTED).readings(readings)
            );
        }
    };
    let resolved = zone(&zone_text, civil).and_then(|(zone, name)| {
        let at = match &offset {
            Some(offset) => pinned(civil, &zone, &name, offset)?,
            None => instant(civil, &zone, &name)?,
        };
        Ok((at, name))
    });
    match resolved {
        Ok((at, zone)) => Ok(PlannedTime { at, zone, typed: typed.to_owned() }),
        Err(problem) if problem.readings.is_empty() => {
            let readings: Vec<String> = problem.zones.iter().map(|zone| shown(civil, zone)).collect();
            Err(problem.readings(readings))
        }
        Err(problem) => Err(problem),
    }
}

/// `14:00+05:30` and `14:00Z` as time and zone.
fn attached(word: &str) -> Vec<&str> {
    let time = word.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.'))).unwrap_or(word.len());
    let zone = &word[time..];
    if time > 3 && (zone.starts_with(['+', '-']) || zone.eq_ignore_ascii_case("z")) {
        vec![&word[..time], zone]
    } else {
        vec![word]
    }
}

fn shown(civil: DateTime, zone: &str) -> String {
    format!("{} {} {zone}", civil.date(), hhmm(civil))
}

/// `2026-12-01T14:00:00+01:00[Europe/Berlin]` with blanks where the other forms have them.
fn machine_form(typed: &str) -> String {
    let bytes = typed.as_bytes();
    let fits = typed.is_ascii() && bytes.len() > 15 && matches!(bytes[10], b'T' | b't') && iso(&typed[..10]).is_some();
    if !fits {
        return typed.to_owned();
    }
    let time = &typed[11..];
    let end = time.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.'))).unwrap_or(time.len());
    format!("{} {} {}", &typed[..10], &time[..end], &time[end..])
}

/// A civil time with both an offset and a zone; they must not contradict each other.
fn pinned(civil: DateTime, zone: &TimeZone, name: &str, offset: &str) -> Result<Timestamp, TimeProblem> {
    let fixed = super::zone::fixed_offset(offset).ok_or_else(|| unreadable(offset))?;
    let at = fixed.to_timestamp(civil).map_err(|_out_of_range| unreadable(&civil.to_string()))?;
    if zone.to_offset(at) != fixed {
        let message = format!("{name} is not at {offset} then.");
        return Err(TimeProblem::new("TM072", message, "Correct the offset or the zone."));
    }
    if plausible(at) { Ok(at) } else { Err(unreadable(&civil.to_string())) }
}

fn discord_stamp(typed: &str) -> Option<Timestamp> {
    let inner = typed.strip_prefix("<t:")?.strip_suffix('>')?;
    let seconds = inner.split(':').next()?.parse().ok()?;
    Timestamp::from_second(seconds).ok().filter(|at| plausible(*at))
}

fn unreadable(what: &str) -> TimeProblem {
    let shown: String = what.chars().take(60).collect();
    TimeProblem::new("TM070", format!("`{shown}` is not a date and time we can read."), EXPECTED)
}

const MONTHS: [&str; 12] = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

fn named(word: &str, names: &[&str]) -> Option<usize> {
    let word = word.trim_end_matches('.').to_lowercase();
    (word.len() >= 3).then(|| names.iter().position(|name| name.starts_with(&word))).flatten()
}

/// The date and how many words it took.
fn date(words: &[&str]) -> Result<(Date, usize), TimeProblem> {
    let mut at = 0;
    let weekday = words.first().and_then(|word| named(word, &WEEKDAYS));
    if weekday.is_some() {
        at += 1;
    }
    let bad = || unreadable(&words.join(" "));
    let word = *words.get(at).ok_or_else(bad)?;
    let ((y, m, d), used) = if let Some(parts) = iso(word) {
        (parts, 1)
    } else if word.matches(['/', '.']).count() == 2 && word.starts_with(|c: char| c.is_ascii_digit()) {
        (numeric(word, &words[at + 1..])?, 1)
    } else {
        let three = words.get(at..at + 3).ok_or_else(bad)?;
        let day = |w: &str| w.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h', '.']).parse::<i8>().ok();
        let year = three[2].parse::<i16>().map_err(|_not_a_year| bad())?;
        match (day(three[0]), named(three[1], &MONTHS), named(three[0], &MONTHS), day(three[1])) {
            (Some(d), Some(m), _, _) | (_, _, Some(m), Some(d)) => ((year, m as i8 + 1, d), 3),
            _ => return Err(bad()),
        }
    };
    let date = Date::new(y, m, d)
        .map_err(|_not_a_day| TimeProblem::new("TM070", format!("There is no day {y:04}-{m:02}-{d:02}."), EXPECTED))?;
    if let Some(weekday) = weekday {
        let is = date.weekday().to_monday_zero_offset() as usize;
        if is != weekday {
            let message = format!("{date} is a {}, not a {}.", WEEKDAYS[is], WEEKDAYS[weekday]);
            return Err(TimeProblem::new("TM074", message, "Correct the weekday or the date."));
        }
    }
    Ok((date, at + used))
}

/// `23/7/2026`: accepted only where one number cannot be a month.
fn numeric(word: &str, rest: &[&str]) -> Result<(i16, i8, i8), TimeProblem> {
    let parts: Vec<i16> = word.split(['/', '.']).filter_map(|part| part.parse().ok()).collect();
    let &[a, b, year] = parts.as_slice() else { return Err(unreadable(word)) };
    let year = if year < 100 { 2000 + year } else { year };
    let small = |n: i16| i8::try_from(n).unwrap_or(i8::MAX);
    match (a > 12, b > 12) {
        (true, false) => Ok((year, small(b), small(a))),
        (false, true) => Ok((year, small(a), small(b))),
        (false, false) if a == b => Ok((year, small(a), small(b))),
        (true, true) => Err(unreadable(word)),
        (false, false) => {
            let rest = rest.join(" ");
            let readings = [format!("{year:04}-{a:02}-{b:02} {rest}"), format!("{year:04}-{b:02}-{a:02} {rest}")];
            let message = format!("`{word}` does not say which number is the month.");
            let help =
                format!("Write the date as year-month-day: `{year:04}-{a:02}-{b:02}` or `{year:04}-{b:02}-{a:02}`.");
            Err(TimeProblem::new("TM074", message, help).readings(readings))
        }
    }
}

fn iso(word: &str) -> Option<(i16, i8, i8)> {
    let separator = ['-', '/', '.'].into_iter().find(|c| word.contains(*c))?;
    let mut parts = word.split(separator);
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    (y.len() == 4 && parts.next().is_none()).then_some(())?;
    Some((y.parse().ok()?, m.parse().ok()?, d.parse().ok()?))
}

fn time(words: &[&str], date: Date) -> Result<(Time, usize), TimeProblem> {
    let Some(&word) = words.first() else {
        return Err(TimeProblem::new("TM070", "The time of day is missing.", EXPECTED));
    };
    let lower = word.to_lowercase();
    let (digits, half, used) = if let Some(digits) = lower.strip_suffix("am").or_else(|| lower.strip_suffix("pm")) {
        (digits.to_owned(), Some(lower.ends_with("pm")), 1)
    } else {
        match words.get(1).map(|w| w.to_lowercase()) {
            Some(next) if next == "am" || next == "pm" => (lower, Some(next == "pm"), 2),
            _ => (lower, None, 1),
        }
    };
    let bad = || unreadable(word);
    let mut parts = digits.split(':');
    let hour: i8 = match parts.next().map(str::parse) {
        Some(Ok(hour)) => hour,
        // `1400` is a time to some.
        _ if digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()) => {
            let reading = format!("{}:{}", &digits[..2], &digits[2..]);
            let rest = words[used..].join(" ");
            return Err(TimeProblem::new(
                "TM070",
                format!("`{word}` is not a time of day."),
                format!("Write `{reading}`."),
            )
            .readings([format!("{date} {reading} {rest}").trim_end().to_owned()]));
        }
        _ => return Err(bad()),
    };
    let minute: Option<i8> = parts.next().map(str::parse).transpose().map_err(|_not_minutes| bad())?;
    let second = parts.next().map_or("0", |second| second.split('.').next().unwrap_or("0"));
    let second: i8 = second.parse().map_err(|_not_seconds| bad())?;
    if minute.is_none() && half.is_none() {
        return Err(bad());
    }
    if hour == 24 {
        let next = date.tomorrow().unwrap_or(date);
        let message = format!("`{word}` is the end of a day.");
        return Err(TimeProblem::new("TM070", message, format!("Write `{next} 00:00`."))
            .readings([format!("{next} 00:00 {}", words[used..].join(" "))]));
    }
    let hour = match half {
        None => hour,
        Some(_) if hour == 12 && minute.is_none() => {
            let rest = words[used..].join(" ");
            let readings = ["00:00", "12:00"].map(|time| format!("{date} {time} {rest}").trim_end().to_owned());
            let message = format!("`{word}` may be midnight or noon.");
            return Err(TimeProblem::new("TM070", message, "Write 00:00 or 12:00.").readings(readings));
        }
        Some(_) if !(1..=12).contains(&hour) => return Err(bad()),
        Some(pm) => hour % 12 + if pm { 12 } else { 0 },
    };
    let time = Time::new(hour, minute.unwrap_or(0), second, 0).map_err(|_out_of_range| bad())?;
    Ok((time, used))
}

fn instant(civil: DateTime, zone: &TimeZone, name: &str) -> Result<Timestamp, TimeProblem> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let shown = |offset: Offset| format!("{} {} UTC{}", civil.date(), hhmm(civil), offset_name(offset));
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => {}
        AmbiguousOffset::Gap { before, after } => {
            let message = format!("{} {} does not exist in {name}: the clocks go forward.", civil.date(), hhmm(civil));
            let (first, second) = (shown(before), shown(after));
            let help = format!("Choose another time, or give the offset: `{first}` or `{second}`.");
            return Err(TimeProblem::new("TM073", message, help).readings([first, second]));
        }
        AmbiguousOffset::Fold { before, after } => {
            let message = format!("{} {} happens twice in {name}: the clocks go back.", civil.date(), hhmm(civil));
            let (first, second) = (shown(before), shown(after));
            let help = format!("Say which: `{first}` or `{second}`.");
            return Err(TimeProblem::new("TM073", message, help).readings([first, second]));
        }
    }
    let at = ambiguous.unambiguous().map_err(|_out_of_range| unreadable(&civil.to_string()))?;
    if plausible(at) { Ok(at) } else { Err(unreadable(&civil.to_string())) }
}

fn hhmm(civil: DateTime) -> String {
    format!("{:02}:{:02}", civil.hour(), civil.minute())
}
