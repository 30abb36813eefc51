//! The date field: civil date and time with a zone, never guessed. Gaps and folds of daylight saving
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

const EXPECTED: &str = "Write date, time and zone like `2026-12-01 14:00 Europe/Berlin` or `2026-12-01 14:00 UTC`.";

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
    let written = typed.replace("a.m.", "am").replace("p.m.", "pm");
    let spaced = machine_form(&written);
    let words = spaced.split([' ', '\t', ',', '\u{a0}']).filter(|w| !w.is_empty()).map(|w| w.trim_start_matches('~'));
    // A weekday anywhere in the value must match the date.
    let (days, words): (Vec<&str>, Vec<&str>) = words.partition(|word| weekday(word).is_some());
    let (date, used) = date(&words, typed)?;
    for said in days.into_iter().filter_map(weekday) {
        let is = date.weekday().to_monday_zero_offset() as usize;
        if is != said {
            let message = format!("{date} is a {}, not a {}.", capital(WEEKDAYS[is]), capital(WEEKDAYS[said]));
            return Err(TimeProblem::new("TM074", message, "Correct the weekday or the date."));
        }
    }
    let rest: Vec<&str> = words[used..]
        .iter()
        .copied()
        .filter(|w| !w.eq_ignore_ascii_case("at") && !matches!(*w, "-" | "@" | "·"))
        .collect();
    if let Some(window) = window(&rest, spaced != written) {
        let start = window.split('-').next().unwrap_or_default().trim();
        let zone = rest.iter().rev().find(|word| !word.contains(':')).unwrap_or(&"Europe/Berlin");
        let message = format!("`{window}` is a time window, not a time.");
        let help = format!("Give only the start, such as `{date} {start} {zone}`. Write an offset as `UTC-05:00`.");
        return Err(TimeProblem::new("TM070", message, help));
    }
    let split: Vec<&str> = rest.first().map_or_else(Vec::new, |word| attached(word));
    let rest: Vec<&str> = split.into_iter().chain(rest.iter().skip(1).copied()).collect();
    let (time, used) = time(&rest, date)?;
    let zone_text = rest[used..].join(" ");
    let civil = DateTime::from_parts(date, time);
    if let Some((zone, _)) = zone_text.split_once('(').filter(|(zone, _)| !zone.is_empty()) {
        let (zone, bracket) = (zone.trim(), &zone_text[zone.len()..]);
        let message = format!("T-Minus can't read the bracket `{bracket}` after the time zone.");
        let plain = format!("{date} {} {zone}", clock(civil));
        return Err(TimeProblem::new("TM070", message, format!("Remove it: `{plain}`.")).readings([plain]));
    }
    // `+01:00[Europe/Berlin]`: both must agree.
    let (offset, zone_text) = match zone_text.split_once('[') {
        Some((offset, name)) if !offset.trim().is_empty() => {
            (Some(offset.trim().to_owned()), name.trim_end_matches(']').to_owned())
        }
        _ => (None, zone_text.trim_matches(['(', ')', '[', ']', ' ', '.']).to_owned()),
    };
    // "14:00 - 15:00", "13:00 UTC / 14:00 CET": which of them is T-0 is not ours to say.
    let second = zone_text.split_whitespace().find(|w| w.contains(':') && w.starts_with(|c: char| c.is_ascii_digit()));
    if let Some(second) = second {
        let message = format!("The date has two times of day, {} and {second}.", hhmm(civil));
        let zone = zone_text.split_whitespace().last().unwrap_or_default();
        let help = format!("Give only the start, such as `{} {} {zone}`.", civil.date(), hhmm(civil));
        return Err(TimeProblem::new("TM070", message, help));
    }
    let zone_text = match (zone_text.is_empty(), default_zone) {
        (false, _) => zone_text,
        (true, Some(zone)) => zone.to_owned(),
        (true, None) => {
            let readings = ["UTC", "Europe/Berlin", "America/New_York"].map(|zone| shown(civil, zone));
            return Err(TimeProblem::new("TM071", format!("`{typed}` has no time zone."), EXPECTED).readings(readings));
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

/// A window such as `10:00-12:00`, which is not a time with an offset. `10:00 -12:00` is one too: no place is that far west. In
/// machine forms such as `2026-12-01T10:00-05:00` the second part is always an offset.
fn window(rest: &[&str], machine: bool) -> Option<String> {
    const DASHES: [char; 7] = ['-', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}'];
    let is_clock =
        |text: &str| text.split_once(':').is_some_and(|(h, m)| digits(h).is_some() && two_digits(m).is_some());
    let first = *rest.first().filter(|_| !machine)?;
    if let Some((from, until)) = first.split_once(DASHES) {
        return (is_clock(from) && is_clock(until)).then(|| format!("{from}-{until}"));
    }
    let until = rest.get(1)?.strip_prefix(DASHES)?;
    let west = is_clock(until) && until.split(':').next().and_then(digits).is_some_and(|hour| hour >= 12);
    (west && is_clock(first)).then(|| format!("{first} - {until}"))
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
        let message = format!("{name} does not use the offset {offset} on that date.");
        return Err(TimeProblem::new("TM072", message, "Correct the offset or the zone."));
    }
    if plausible(at) { Ok(at) } else { Err(unreadable(&civil.to_string())) }
}

fn discord_stamp(typed: &str) -> Option<Timestamp> {
    let inner = typed.strip_prefix("<t:")?.strip_suffix('>')?;
    let (seconds, style) = inner.split_once(':').unwrap_or((inner, "f"));
    (style.len() == 1 && style.bytes().all(|b| b.is_ascii_alphabetic())).then_some(())?;
    let seconds = seconds.parse().ok()?;
    Timestamp::from_second(seconds).ok().filter(|at| plausible(*at))
}

fn unreadable(what: &str) -> TimeProblem {
    let shown: String = what.chars().take(60).collect();
    TimeProblem::new("TM070", format!("T-Minus can't read `{shown}` as a date and time."), EXPECTED)
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

/// The weekday a word names, in brackets or not; Monday is 0.
pub(super) fn weekday(word: &str) -> Option<usize> {
    named(word.trim_matches(['(', ')', '[', ']']), &WEEKDAYS)
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// The date and how many words it took.
fn date(words: &[&str], typed: &str) -> Result<(Date, usize), TimeProblem> {
    let bad = || unreadable(typed);
    let word = *words.first().ok_or_else(bad)?;
    let ((y, m, d), used) = if let Some(parts) = iso(word) {
        (parts, 1)
    } else if word.matches(['/', '.']).count() == 2 && word.starts_with(|c: char| c.is_ascii_digit()) {
        (numeric(word, &words[1..])?, 1)
    } else {
        let three = words.get(..3).ok_or_else(bad)?;
        let day = |w: &str| w.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h', '.']).parse::<i8>().ok();
        let year = three[2].parse::<i16>().map_err(|_not_a_year| bad())?;
        match (day(three[0]), named(three[1], &MONTHS), named(three[0], &MONTHS), day(three[1])) {
            (Some(d), Some(m), _, _) | (_, _, Some(m), Some(d)) => ((year, m as i8 + 1, d), 3),
            _ => return Err(bad()),
        }
    };
    let date = Date::new(y, m, d)
        .map_err(|_not_a_day| TimeProblem::new("TM070", format!("There is no day {y:04}-{m:02}-{d:02}."), EXPECTED))?;
    Ok((date, used))
}

/// One or two digits and nothing else; `parse` alone would take a sign.
fn digits(text: &str) -> Option<i8> {
    let fits = matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn two_digits(text: &str) -> Option<i8> {
    digits(text).filter(|_| text.len() == 2)
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
            let message = format!("`{word}` is ambiguous: either number could be the month.");
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
    let (clock, half, used) = if let Some(clock) = lower.strip_suffix("am").or_else(|| lower.strip_suffix("pm")) {
        (clock.to_owned(), Some(lower.ends_with("pm")), 1)
    } else {
        match words.get(1).map(|w| w.to_lowercase()) {
            Some(next) if next == "am" || next == "pm" => (lower, Some(next == "pm"), 2),
            _ => (lower, None, 1),
        }
    };
    let bad = || unreadable(word);
    let mut parts = clock.split(':');
    let hour: i8 = match parts.next().and_then(digits) {
        Some(hour) => hour,
        // `1400` is a time to some.
        _ if clock.len() == 4 && clock.bytes().all(|b| b.is_ascii_digit()) => {
            let reading = format!("{}:{}", &clock[..2], &clock[2..]);
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
    let minute: Option<i8> = parts.next().map(|minute| two_digits(minute).ok_or_else(bad)).transpose()?;
    // T-0 has whole seconds; a fraction only has to be digits.
    let (second, fraction) = parts.next().map_or(("00", "0"), |second| second.split_once('.').unwrap_or((second, "0")));
    let second = two_digits(second).ok_or_else(bad)?;
    let whole = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit()) && parts.next().is_none();
    if !whole || (minute.is_none() && half.is_none()) {
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
            let message = format!("`{word}` could mean midnight or noon.");
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
            let help = format!("Write `{first}` or `{second}`.");
            return Err(TimeProblem::new("TM073", message, help).readings([first, second]));
        }
    }
    let at = ambiguous.unambiguous().map_err(|_out_of_range| unreadable(&civil.to_string()))?;
    if plausible(at) { Ok(at) } else { Err(unreadable(&civil.to_string())) }
}

fn hhmm(civil: DateTime) -> String {
    format!("{:02}:{:02}", civil.hour(), civil.minute())
}

/// The same, with seconds where there are some.
fn clock(civil: DateTime) -> String {
    if civil.second() == 0 { hhmm(civil) } else { format!("{}:{:02}", hhmm(civil), civil.second()) }
}
