//! What recurs on a wall clock: a cron rule and the instants it means in a zone. The `cron` crate counts civil times as if
//! they were UTC; here they are placed on the time line. A time that a clock change leaves out is moved to the first instant
//! after the gap, one that happens twice means the first; instants rise strictly. It must not know what recurs.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A cron rule of five fields as people write it: minute, hour, day, month, weekday. Weekdays by name or POSIX number (0 and
/// 7 are Sunday). As in `crontab(5)`, a rule that names both a day and a weekday means either; with a `*` in one of them it means
/// both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rule(String);

/// Why a text is no rule: a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoRule(pub String);

/// How far before the wanted instant the civil walk begins: longer than any change of a clock.
const BACK: SignedDuration = SignedDuration::from_hours(30);
/// Civil times looked at before a rule counts as never firing again.
const MOST: usize = 5_000;

const DAYS: [&str; 7] = ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"];

impl Rule {
    /// Reads a rule; also `Fri 15:00`, `Mon-Fri 09:00` and `daily 09:00`.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, NoRule> {
        let text = text.trim();
        let rule = Self(spoken(text).unwrap_or_else(|| text.split_whitespace().collect::<Vec<_>>().join(" ")));
        rule.schedules()?;
        Ok(rule)
    }

    /// As it was understood: five fields.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether it ever comes: the 30th of February does not.
    pub fn fires(&self) -> bool {
        self.after(&TimeZone::UTC, Timestamp::UNIX_EPOCH).next().is_some()
    }

    /// The instants after `after`, rising strictly.
    pub fn after(&self, zone: &TimeZone, after: Timestamp) -> impl Iterator<Item = Timestamp> + use<> {
        let begin = chrono_of(zone.to_datetime(after - BACK));
        let schedules = self.schedules().unwrap_or_default();
        let zone = zone.clone();
        let mut last = after;
        let mut at = begin;
        let mut tries = 0;
        std::iter::from_fn(move || {
            while tries < MOST {
                tries += 1;
                let next = schedules.iter().filter_map(|schedule| schedule.after(&at?).next()).min();
                at = next;
                let placed = place(next?, &zone)?;
                if placed > last {
                    (last, tries) = (placed, 0);
                    return Some(placed);
                }
            }
            None
        })
    }

    /// The latest instant up to and with `at`; `None` if there is none within nine years, the longest between two leap days.
    pub fn last(&self, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
        let hours = [2, 26, 8 * 24, 32 * 24, 367 * 24, 9 * 366 * 24].into_iter();
        let mut spans = hours.map(SignedDuration::from_hours);
        spans.find_map(|span| self.after(zone, at - span).take_while(|firing| *firing <= at).last())
    }

    /// One schedule, or two where a day and a weekday are both named.
    fn schedules(&self) -> Result<Vec<cron::Schedule>, NoRule> {
        let fields: Vec<&str> = self.0.split(' ').collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(NoRule(format!(
                "“{}” has {} fields. A rule has five: minute, hour, day, month, weekday, such as 0 15 * * FRI.",
                self.0,
                fields.len()
            )));
        };
        let days = weekdays(weekday)?;
        let day = if day == "?" { "*" } else { day };
        // The crate would read `9*` as two fields.
        let fits = [minute, hour, day, month].into_iter().all(whole);
        let parse = |day: &str, weekday: &str| {
            let text = format!("0 {minute} {hour} {day} {month} {weekday}");
            text.parse::<cron::Schedule>().ok().filter(|_| fits).ok_or_else(|| {
                NoRule(format!(
                    "“{}” is not a rule. Write minute, hour, day, month, weekday, such as 0 15 * * FRI.",
                    self.0
                ))
            })
        };
        let starred = |field: &str| field.contains(['*', '?']);
        Ok(if starred(day) || starred(weekday) {
            vec![parse(day, &days)?]
        } else {
            vec![parse(day, "*")?, parse("*", &days)?]
        })
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// `Fri 15:00`, `Mon-Fri 9:30`, `daily 09:00` as five fields.
fn spoken(text: &str) -> Option<String> {
    let (days, time) = text.split_once(' ')?;
    let (hour, minute) = time.trim().split_once(':')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    (digits(hour) && digits(minute) && minute.len() == 2).then_some(())?;
    let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
    let days = if days.eq_ignore_ascii_case("daily") { "*".to_owned() } else { days.to_uppercase() };
    (hour < 24 && minute < 60).then(|| format!("{minute} {hour} * * {days}"))
}

/// Whether a field is all numbers or names, ranges of them, and steps.
fn whole(field: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let letters = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphabetic());
    field.split(',').all(|part| {
        let (range, step) = part.split_once('/').unwrap_or((part, "1"));
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        digits(step) && (range == "*" || (digits(from) && digits(to)) || (letters(from) && letters(to)))
    })
}

/// The day a whole word names: `FRI`, `Friday`, `Fridays`; `FRIL` and `FRI#1` are other words.
fn named(word: &str) -> Option<usize> {
    let upper = word.to_uppercase();
    let word = upper.strip_suffix('S').unwrap_or(&upper);
    (word.len() >= 3).then(|| DAYS.iter().position(|day| day.starts_with(word))).flatten()
}

/// The weekday field as a list of names; `*` for every day.
fn weekdays(field: &str) -> Result<String, NoRule> {
    if field == "*" || field == "?" {
        return Ok("*".to_owned());
    }
    let bad = || NoRule(format!("“{field}” is not a weekday. Write MON to SUN, or 0 to 7 with Sunday as 0 and 7."));
    let number = |word: &str| -> Result<usize, NoRule> {
        let digit = || word.parse::<usize>().ok().filter(|day| *day <= 7 && word.len() == 1);
        named(word).or_else(digit).ok_or_else(bad)
    };
    let mut days = std::collections::BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => {
                (range, step.parse::<usize>().ok().filter(|n| *n > 0 && whole(step)).ok_or_else(bad)?)
            }
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None if range == "*" => (0, 6),
            None if step > 1 => (number(range)?, 6),
            None => (number(range)?, number(range)?),
        };
        // Fri-Mon goes through Sunday.
        let to = if to < from { to + 7 } else { to };
        days.extend((from..=to).step_by(step).map(|day| DAYS[day % 7]));
    }
    Ok(days.into_iter().collect::<Vec<_>>().join(","))
}

fn chrono_of(civil: civil::DateTime) -> Option<DateTime<Utc>> {
    let positive = |n: i8| u32::try_from(n).ok();
    let date = NaiveDate::from_ymd_opt(i32::from(civil.year()), positive(civil.month())?, positive(civil.day())?)?;
    let time = date.and_hms_opt(positive(civil.hour())?, positive(civil.minute())?, positive(civil.second())?)?;
    Some(time.and_utc())
}

fn place(at: DateTime<Utc>, zone: &TimeZone) -> Option<Timestamp> {
    let small = |n: u32| i8::try_from(n).ok();
    let (year, month, day) = (i16::try_from(at.year()).ok()?, small(at.month())?, small(at.day())?);
    let civil =
        civil::DateTime::new(year, month, day, small(at.hour())?, small(at.minute())?, small(at.second())?, 0).ok()?;
    instant(civil, zone)
}

/// The instant of a civil time: the first instant after a gap, the first of two.
pub fn instant(civil: civil::DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => ambiguous.compatible().ok(),
        AmbiguousOffset::Fold { .. } => ambiguous.earlier().ok(),
        AmbiguousOffset::Gap { .. } => {
            // As if the clock had not been changed, this lies after the change: the change is the one before it.
            // At the change itself, if the civil time is the first of the gap; "preceding" is strictly before.
            let beyond = ambiguous.later().ok()?.checked_add(SignedDuration::from_secs(1)).ok()?;
            zone.preceding(beyond).next().map(|change| change.timestamp())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(at: Timestamp, zone: &TimeZone) -> String {
        let offset = zone.to_offset(at).seconds() / 60;
        let civil = zone.to_datetime(at).strftime("%a %m-%d %H:%M");
        format!("{civil}{}{:02}:{:02}", if offset < 0 { '-' } else { '+' }, offset.abs() / 60, offset.abs() % 60)
    }

    fn firings(rule: &str, zone: &str, after: &str, n: usize) -> Vec<String> {
        let zone = TimeZone::get(zone).unwrap();
        let rule = Rule::parse(rule).unwrap();
        let fired = rule.after(&zone, after.parse().unwrap()).take(n);
        fired.map(|at| shown(at, &zone)).collect()
    }

    /// Every night a clock changes, in four zones.
    #[test]
    fn f19_daily_rules_fire_once_a_day_through_every_clock_change() {
        let table = [
            // Gap: 02:30 is moved to the end of the gap.
            ("30 2 * * *", "Europe/Berlin", "2027-03-27T12:00:00Z", ["Sun 03-28 03:00+02:00", "Mon 03-29 02:30+02:00"]),
            (
                "30 2 * * *",
                "America/New_York",
                "2027-03-13T12:00:00Z",
                ["Sun 03-14 03:00-04:00", "Mon 03-15 02:30-04:00"],
            ),
            // Lord Howe moves by half an hour at 02:00.
            (
                "15 2 * * *",
                "Australia/Lord_Howe",
                "2027-10-02T00:00:00Z",
                ["Sun 10-03 02:30+11:00", "Mon 10-04 02:15+11:00"],
            ),
            (
                "30 2 * * *",
                "Australia/Lord_Howe",
                "2027-10-02T00:00:00Z",
                ["Sun 10-03 02:30+11:00", "Mon 10-04 02:30+11:00"],
            ),
            // Cairo's gap is at midnight.
            ("30 0 * * *", "Africa/Cairo", "2027-04-29T12:00:00Z", ["Fri 04-30 01:00+03:00", "Sat 05-01 00:30+03:00"]),
            ("30 1 * * *", "Africa/Cairo", "2027-04-29T12:00:00Z", ["Fri 04-30 01:30+03:00", "Sat 05-01 01:30+03:00"]),
            // Fold: the first of the two.
            ("30 2 * * *", "Europe/Berlin", "2027-10-30T12:00:00Z", ["Sun 10-31 02:30+02:00", "Mon 11-01 02:30+01:00"]),
            ("30 1 * * *", "Europe/Berlin", "2027-10-30T12:00:00Z", ["Sun 10-31 01:30+02:00", "Mon 11-01 01:30+01:00"]),
            (
                "30 1 * * *",
                "America/New_York",
                "2026-10-31T12:00:00Z",
                ["Sun 11-01 01:30-04:00", "Mon 11-02 01:30-05:00"],
            ),
            (
                "45 1 * * *",
                "Australia/Lord_Howe",
                "2027-04-03T00:00:00Z",
                ["Sun 04-04 01:45+11:00", "Mon 04-05 01:45+10:30"],
            ),
            ("30 23 * * *", "Africa/Cairo", "2027-10-28T12:00:00Z", ["Thu 10-28 23:30+03:00", "Fri 10-29 23:30+02:00"]),
        ];
        for (rule, zone, after, want) in table {
            assert_eq!(firings(rule, zone, after, 2), want, "{rule} in {zone}");
        }
    }

    /// Counted through twelve years: as many firings as days, rising strictly, in every zone with a clock change near them.
    #[test]
    fn f19_a_daily_rule_fires_as_often_as_there_are_days() {
        let (begin, end): (Timestamp, Timestamp) =
            ("2024-01-01T00:00:00Z".parse().unwrap(), "2036-01-01T00:00:00Z".parse().unwrap());
        for name in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"] {
            let zone = TimeZone::get(name).unwrap();
            for text in ["30 0 * * *", "30 1 * * *", "15 2 * * *", "30 2 * * *", "0 3 * * *"] {
                let rule = Rule::parse(text).unwrap();
                let first =
                    instant(civil::date(2024, 1, 1).at(0, 0, 0, 0), &zone).unwrap() - SignedDuration::from_secs(1);
                let fired: Vec<Timestamp> = rule.after(&zone, first).take_while(|at| *at < end).collect();
                assert!(fired.windows(2).all(|two| two[0] < two[1]), "{text} in {name} goes back");
                let days: std::collections::BTreeSet<_> = fired.iter().map(|at| zone.to_datetime(*at).date()).collect();
                assert_eq!(days.len(), fired.len(), "{text} in {name}: once a day");
                let all = (end.duration_since(begin).as_hours() / 24) as usize;
                assert!(fired.len().abs_diff(all) <= 1, "{text} in {name}: {} firings, {all} days", fired.len());
            }
        }
    }

    /// Every zone, every change of its clocks, eight daily rules around each: once on each of four days, at the first minute whose
    /// wall clock has reached the rule's time, counted minute by minute.
    #[test]
    fn f19_a_daily_rule_is_exact_around_every_change_of_every_zone() {
        let (begin, end): (Timestamp, Timestamp) =
            ("2024-01-01T00:00:00Z".parse().unwrap(), "2036-01-01T00:00:00Z".parse().unwrap());
        let mut changes = 0;
        for name in jiff::tz::db().available() {
            let zone = TimeZone::get(name.as_str()).unwrap();
            for change in zone.following(begin).map(|change| change.timestamp()).take_while(|at| *at < end) {
                changes += 1;
                let minutes: Vec<_> = (-600..600)
                    .map(|n| change + SignedDuration::from_mins(n))
                    .map(|at| (at, zone.to_datetime(at)))
                    .collect();
                let wall = minutes[599].1.checked_add(SignedDuration::from_mins(1)).unwrap();
                for ahead in [-61, -30, -1, 0, 1, 30, 59, 90] {
                    let civil = wall.checked_add(SignedDuration::from_mins(ahead)).unwrap();
                    let rule = Rule::parse(&format!("{} {} * * *", civil.minute(), civil.hour())).unwrap();
                    let want = minutes.iter().find(|(_, read)| *read >= civil).unwrap().0;
                    let fired: Vec<_> = rule.after(&zone, change - SignedDuration::from_hours(36)).take(4).collect();
                    let said = || format!("{rule} in {name} at {change}: {fired:?}, {want} is wanted");
                    // Once a day: what falls into a gap fires up to as much later as the gap is long.
                    let once =
                        fired.windows(2).all(|two| (20..=28).contains(&two[1].duration_since(two[0]).as_hours()));
                    assert!(fired.contains(&want) && fired.len() == 4 && once, "{}", said());
                }
            }
        }
        assert!(changes > 3_000, "{changes}");
    }

    #[test]
    fn a_rule_that_fires_often_never_goes_back() {
        let fired = firings("*/30 * * * *", "America/New_York", "2026-11-01T04:29:00Z", 6);
        let want = ["Sun 11-01 00:30-04:00", "Sun 11-01 01:00-04:00", "Sun 11-01 01:30-04:00", "Sun 11-01 02:00-05:00"];
        assert_eq!(fired[..4], want);
    }

    #[test]
    fn weekdays_are_posix_and_a_day_or_a_weekday_is_enough() {
        let monday = "2026-11-23T00:00:00Z";
        for rule in ["0 15 * * 5", "0 15 * * FRI", "Fri 15:00", "0 15 * * friday"] {
            assert_eq!(firings(rule, "UTC", monday, 1), ["Fri 11-27 15:00+00:00"], "{rule}");
        }
        assert_eq!(firings("0 9 * * 7", "UTC", monday, 1), ["Sun 11-29 09:00+00:00"]);
        assert_eq!(
            firings("Fri-Mon 09:00", "UTC", monday, 3),
            ["Mon 11-23 09:00+00:00", "Fri 11-27 09:00+00:00", "Sat 11-28 09:00+00:00"]
        );
        assert_eq!(
            firings("0 9 1 * MON", "UTC", monday, 3),
            ["Mon 11-23 09:00+00:00", "Mon 11-30 09:00+00:00", "Tue 12-01 09:00+00:00"]
        );
    }

    #[test]
    fn a_star_in_a_day_field_means_both() {
        let monday = "2026-12-07T00:00:00Z";
        for (rule, want) in [
            ("0 0 */2 * 1", ["Mon 12-21 00:00+00:00", "Mon 01-11 00:00+00:00", "Mon 01-25 00:00+00:00"]),
            ("0 14 *,10 * MON", ["Mon 12-07 14:00+00:00", "Mon 12-14 14:00+00:00", "Mon 12-21 14:00+00:00"]),
            ("0 14 1-7 * */2", ["Sat 01-02 14:00+00:00", "Sun 01-03 14:00+00:00", "Tue 01-05 14:00+00:00"]),
            ("0 14 * * */2", ["Tue 12-08 14:00+00:00", "Thu 12-10 14:00+00:00", "Sat 12-12 14:00+00:00"]),
            // Without one it means either day field.
            ("0 9 1 * 0-6", ["Mon 12-07 09:00+00:00", "Tue 12-08 09:00+00:00", "Wed 12-09 09:00+00:00"]),
        ] {
            assert_eq!(firings(rule, "UTC", monday, 3), want, "{rule}");
        }
    }

    #[test]
    fn only_whole_words_and_fields_are_read() {
        for rule in ["Fridays 15:00", "0 15 * * fri", "0 15 * * FRIDAYS", "0 15 ? * 5"] {
            let fired = firings(rule, "UTC", "2026-11-23T00:00:00Z", 1);
            assert_eq!(fired, ["Fri 11-27 15:00+00:00"], "{rule}");
        }
        for rule in [
            "0 2 * * SUN#1", "monthly 09:00", "weekly 09:00", "0 14 * * FRIL", "Sunset 18:00", "0 9 * * 5L",
            "0 20 L * *", "0 9* * * *", "Fri 9:5", "Fri +9:05", "0 9 * * MON/+2", "0 9 15W * *", "Tue 2:00 PM",
            "0 9 1JAN * *",
        ] {
            assert!(Rule::parse(rule).is_err(), "{rule}");
        }
    }

    #[test]
    fn what_is_no_rule_says_what_is() {
        for (text, part) in [
            ("0 9 * *", "five"),
            ("61 9 * * *", "not a rule"),
            ("0 9 * * 8", "not a weekday"),
            ("0 9 * * Frx-Mon", "not a weekday"),
            ("tomorrow", "five"),
        ] {
            let said = Rule::parse(text).unwrap_err().0;
            assert!(said.contains(part), "{text}: {said}");
        }
        assert_eq!(firings("0 9 30 2 *", "UTC", "2026-01-01T00:00:00Z", 1), Vec::<String>::new(), "never");
    }
}
