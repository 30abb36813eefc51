//! The date field: civil date and time with a zone, never guessed (`plans.md` 4.2, 4.3). Gaps and folds of daylight saving
//! are refused with both readings.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, db};

use crate::domain::plan::PlannedTime;
use crate::domain::plausible;

/// Why a date was not accepted: code, message, help.
pub(super) type TimeProblem = (&'static str, String, String);

const EXPECTED: &str = "Write it like `2026-12-01 14:00 Europe/Berlin` or `2026-12-01 14:00 UTC`.";

/// Reads `2026-12-01 14:00 Europe/Berlin`, `1 December 2026, 2:00 PM UTC+1`, `<t:1796000000>`.
///
/// # Errors
/// A code of the TM07x family with a message and what was expected.
pub fn parse_when(typed: &str, default_zone: Option<&str>) -> Result<PlannedTime, TimeProblem> {
    let typed = typed.trim();
    if let Some(at) = discord_stamp(typed) {
        return Ok(PlannedTime { at, zone: "UTC".to_owned(), typed: typed.to_owned() });
    }
    let words: Vec<&str> = typed.split([' ', '\t', ',', '\u{a0}']).filter(|w| !w.is_empty()).collect();
    let (date, used) = date(&words)?;
    let rest: Vec<&str> = words[used..].iter().copied().filter(|w| !w.eq_ignore_ascii_case("at")).collect();
    let (time, used) = time(&rest)?;
    let zone_text = rest[used..].join(" ");
    let zone_text = zone_text.trim_matches(['(', ')', '[', ']', ' ']).to_owned();
    let civil = DateTime::from_parts(date, time);
    let zone_text = match (zone_text.is_empty(), default_zone) {
        (false, _) => zone_text,
        (true, Some(zone)) => zone.to_owned(),
        (true, None) => {
            return Err(("TM071", format!("`{typed}` names no time zone."), EXPECTED.to_owned()));
        }
    };
    let (zone, name) = zone(&zone_text, civil)?;
    let at = instant(civil, &zone, &name)?;
    Ok(PlannedTime { at, zone: name, typed: typed.to_owned() })
}

fn discord_stamp(typed: &str) -> Option<Timestamp> {
    let inner = typed.strip_prefix("<t:")?.strip_suffix('>')?;
    let seconds = inner.split(':').next()?.parse().ok()?;
    Timestamp::from_second(seconds).ok().filter(|at| plausible(*at))
}

fn unreadable(what: &str) -> TimeProblem {
    ("TM070", format!("`{what}` is not a date and time we can read."), EXPECTED.to_owned())
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
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
    let (y, m, d, used) = if let Some(parts) = iso(word) {
        (parts.0, parts.1, parts.2, 1)
    } else if word.matches('/').count() == 2 {
        return Err((
            "TM074",
            format!("`{word}` does not say which number is the month."),
            "Write the date as year-month-day, `2026-12-01`.".to_owned(),
        ));
    } else {
        let three = words.get(at..at + 3).ok_or_else(bad)?;
        let day = |w: &str| w.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h', '.']).parse::<i8>().ok();
        let year = three[2].parse::<i16>().map_err(|_not_a_year| bad())?;
        match (day(three[0]), named(three[1], &MONTHS), named(three[0], &MONTHS), day(three[1])) {
            (Some(d), Some(m), _, _) | (_, _, Some(m), Some(d)) => (year, m as i8 + 1, d, 3),
            _ => return Err(bad()),
        }
    };
    let date = Date::new(y, m, d)
        .map_err(|_not_a_day| ("TM070", format!("There is no day {y:04}-{m:02}-{d:02}."), EXPECTED.to_owned()))?;
    if let Some(weekday) = weekday {
        let is = date.weekday().to_monday_zero_offset() as usize;
        if is != weekday {
            let message = format!("{date} is a {}, not a {}.", WEEKDAYS[is], WEEKDAYS[weekday]);
            return Err(("TM074", message, "Correct the weekday or the date.".to_owned()));
        }
    }
    Ok((date, at + used))
}

fn iso(word: &str) -> Option<(i16, i8, i8)> {
    let separator = if word.contains('-') { '-' } else { '/' };
    let mut parts = word.split(separator);
    let (y, m, d) = (parts.next()?, parts.next()?, parts.next()?);
    (y.len() == 4 && parts.next().is_none()).then_some(())?;
    Some((y.parse().ok()?, m.parse().ok()?, d.parse().ok()?))
}

fn time(words: &[&str]) -> Result<(Time, usize), TimeProblem> {
    let missing = || ("TM070", "The time of day is missing.".to_owned(), EXPECTED.to_owned());
    let word = *words.first().ok_or_else(missing)?;
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
    let hour: i8 = parts.next().and_then(|p| p.parse().ok()).ok_or_else(bad)?;
    let minute: Option<i8> = parts.next().map(str::parse).transpose().map_err(|_not_minutes| bad())?;
    let second: i8 = parts.next().map_or(Ok(0), str::parse).map_err(|_not_seconds| bad())?;
    if minute.is_none() && half.is_none() {
        return Err(bad());
    }
    let hour = match half {
        None => hour,
        Some(_) if hour == 12 && minute.is_none() => {
            let help = "Write 00:00 or 12:00.".to_owned();
            return Err(("TM070", format!("`{word}` may be midnight or noon."), help));
        }
        Some(_) if !(1..=12).contains(&hour) => return Err(bad()),
        Some(pm) => hour % 12 + if pm { 12 } else { 0 },
    };
    let time = Time::new(hour, minute.unwrap_or(0), second, 0).map_err(|_out_of_range| bad())?;
    Ok((time, used))
}

fn zone(typed: &str, civil: DateTime) -> Result<(TimeZone, String), TimeProblem> {
    if let Some(offset) = fixed_offset(typed) {
        let name = if offset == Offset::UTC { "UTC".to_owned() } else { offset_name(offset) };
        return Ok((TimeZone::fixed(offset), name));
    }
    if typed.contains('/') {
        let zone = TimeZone::get(typed).map_err(|_unknown_zone| unknown_zone(typed))?;
        let name = zone.iana_name().unwrap_or(typed).to_owned();
        return Ok((zone, name));
    }
    abbreviation(typed, civil)
}

fn unknown_zone(typed: &str) -> TimeProblem {
    let wanted = typed.to_lowercase();
    let near = db()
        .available()
        .map(|name| name.to_string())
        .filter(|name| name.contains('/'))
        .max_by(|a, b| {
            let score = |n: &str| strsim::jaro_winkler(&n.to_lowercase(), &wanted);
            score(a).total_cmp(&score(b))
        })
        .unwrap_or_default();
    ("TM072", format!("`{typed}` is not a time zone we know."), format!("Did you mean `{near}`?"))
}

/// `Z`, `UTC`, `GMT`, `UTC+2`, `+02:00`, `+0200`: signs as in ISO 8601, east is plus.
fn fixed_offset(typed: &str) -> Option<Offset> {
    let upper = typed.to_uppercase();
    let rest = upper.strip_prefix("UTC").or_else(|| upper.strip_prefix("GMT")).unwrap_or(&upper).trim();
    if rest.is_empty() || rest == "Z" {
        return Some(Offset::UTC);
    }
    let sign = match rest.chars().next()? {
        '+' => 1,
        '-' | '\u{2212}' => -1,
        _ => return None,
    };
    let digits: String = rest.chars().skip(1).collect();
    let (hours, minutes): (i32, i32) = match digits.split_once(':') {
        Some((h, m)) => (h.parse().ok()?, m.parse().ok()?),
        None if digits.len() == 4 => (digits[..2].parse().ok()?, digits[2..].parse().ok()?),
        None => (digits.parse().ok()?, 0),
    };
    (hours <= 14 && minutes < 60).then_some(())?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

fn offset_name(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() % 3600 / 60)
}

/// An abbreviation counts only if every zone that uses it on that date agrees on the offset.
fn abbreviation(typed: &str, civil: DateTime) -> Result<(TimeZone, String), TimeProblem> {
    let wanted = typed.to_uppercase();
    let mut offsets: BTreeMap<i32, String> = BTreeMap::new();
    let mut other_season = None;
    let half_a_year = jiff::SignedDuration::from_hours(24 * 183);
    for name in db().available() {
        let name = name.to_string();
        if !name.contains('/') || name.starts_with("Etc/") || name.starts_with("posix/") || name.starts_with("right/") {
            continue;
        }
        let Ok(zone) = TimeZone::get(&name) else { continue };
        let Ok(at) = zone.to_ambiguous_timestamp(civil).compatible() else {
            continue;
        };
        let info = zone.to_offset_info(at);
        if info.abbreviation() == wanted {
            offsets.entry(info.offset().seconds()).or_insert(name);
        } else if zone.to_offset_info(at + half_a_year).abbreviation() == wanted {
            other_season.get_or_insert((name, info.abbreviation().to_owned()));
        }
    }
    if let Some((place, is)) = other_season {
        let message = format!("{place} is on {is} on {}, not on {wanted}.", civil.date());
        return Err(("TM072", message, format!("Name the place, `{place}`, or give an offset such as `UTC-8`.")));
    }
    let mut found = offsets.into_iter();
    match (found.next(), found.next()) {
        (Some((seconds, _)), None) => {
            let offset = Offset::from_seconds(seconds).map_err(|_out_of_range| unknown_zone(typed))?;
            Ok((TimeZone::fixed(offset), offset_name(offset)))
        }
        (Some((_, first)), Some((_, second))) => {
            let help = format!("Name the place: `{first}` or `{second}`.");
            Err(("TM072", format!("`{typed}` means more than one time zone."), help))
        }
        (None, _) => {
            let help = "Use a place such as `America/Los_Angeles`, or an offset such as `UTC-8`.".to_owned();
            Err(("TM072", format!("No place uses `{typed}` on {}.", civil.date()), help))
        }
    }
}

fn instant(civil: DateTime, zone: &TimeZone, name: &str) -> Result<Timestamp, TimeProblem> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let shown = |offset: Offset| format!("`{} {} UTC{}`", civil.date(), hhmm(civil), offset_name(offset));
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => {}
        AmbiguousOffset::Gap { before, after } => {
            let message = format!("{} {} does not exist in {name}: the clocks go forward.", civil.date(), hhmm(civil));
            let help = format!("Choose another time, or give the offset: {} or {}.", shown(before), shown(after));
            return Err(("TM073", message, help));
        }
        AmbiguousOffset::Fold { before, after } => {
            let message = format!("{} {} happens twice in {name}: the clocks go back.", civil.date(), hhmm(civil));
            return Err(("TM073", message, format!("Say which: {} or {}.", shown(before), shown(after))));
        }
    }
    let at = ambiguous.unambiguous().map_err(|_out_of_range| unreadable(&civil.to_string()))?;
    if plausible(at) { Ok(at) } else { Err(unreadable(&civil.to_string())) }
}

fn hhmm(civil: DateTime) -> String {
    format!("{:02}:{:02}", civil.hour(), civil.minute())
}
