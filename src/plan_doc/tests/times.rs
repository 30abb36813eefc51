//! The date field: every form, every trap, every gap and fold of a year in five zones.

#![expect(clippy::print_stderr, reason = "a test over every zone says what it tried")]

use jiff::civil::date;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::PLAN;
use crate::plan_doc::time::parse_when;

#[test]
fn dates_are_read_or_refused_never_guessed() {
    let ok = |text: &str| parse_when(text, None).map(|w| format!("{} {}", w.at, w.zone)).map_err(|p| p.code);
    for (text, want) in [
        ("2026-12-08 14:00 Europe/Berlin", Ok("2026-12-08T13:00:00Z Europe/Berlin")),
        ("2026-12-08 14:00 europe/berlin", Ok("2026-12-08T13:00:00Z Europe/Berlin")),
        ("2026-12-08 14:00 (Europe/Berlin)", Ok("2026-12-08T13:00:00Z Europe/Berlin")),
        ("2026/12/08 14:00 [Europe/Berlin]", Ok("2026-12-08T13:00:00Z Europe/Berlin")),
        ("Tuesday, December 8, 2026 at 2:00 PM UTC+1", Ok("2026-12-08T13:00:00Z +01:00")),
        ("8 Dec 2026 14:00 UTC", Ok("2026-12-08T14:00:00Z UTC")),
        ("8th December 2026 14:00 Z", Ok("2026-12-08T14:00:00Z UTC")),
        ("2026-12-08 14:00 CET", Ok("2026-12-08T13:00:00Z +01:00")),
        ("2026-12-08 14:00 ET", Ok("2026-12-08T19:00:00Z America/New_York")),
        ("2026-12-08 9AM PST8PDT", Err("TM072")),
        ("2026-12-08 14:00 UTC+2", Ok("2026-12-08T12:00:00Z +02:00")),
        ("2026-12-08 14:00 UTC-05:30", Ok("2026-12-08T19:30:00Z -05:30")),
        ("2026-12-08 14:00 +0200", Ok("2026-12-08T12:00:00Z +02:00")),
        ("2026-12-08T14:00:00+01:00[Europe/Berlin]", Ok("2026-12-08T13:00:00Z Europe/Berlin")),
        ("2026-12-08T14:00:00Z", Ok("2026-12-08T14:00:00Z UTC")),
        ("2026-12-08T14:00:00+05:00[Europe/Berlin]", Err("TM072")),
        ("23/12/2026 14:00 UTC", Ok("2026-12-23T14:00:00Z UTC")),
        ("12/23/2026 9AM UTC", Ok("2026-12-23T09:00:00Z UTC")),
        ("<t:1796734800:F>", Ok("2026-12-08T13:00:00Z UTC")),
        ("2026-12-08 14:00", Err("TM071")),
        ("2026-07-08 14:00 PST", Err("TM072")),
        ("2026-07-08 14:00 CET", Err("TM072")),
        ("2026-12-08 14:00 IST", Err("TM072")),
        ("2026-12-08 14:00 AST", Err("TM072")),
        ("2026-12-08 14:00 Europe/Brelin", Err("TM072")),
        ("8/12/2026 14:00 UTC", Err("TM074")),
        ("Monday 2026-12-08 14:00 UTC", Err("TM074")),
        ("2026-03-29 02:30 Europe/Berlin", Err("TM073")),
        ("2026-10-25 02:30 Europe/Berlin", Err("TM073")),
        ("2026-10-25 02:30 UTC+2", Ok("2026-10-25T00:30:00Z +02:00")),
        ("2026-12-08 12AM UTC", Err("TM070")),
        ("2026-12-08 24:00 UTC", Err("TM070")),
        ("2026-12-08 1400 UTC", Err("TM070")),
        ("2026-02-30 14:00 UTC", Err("TM070")),
        ("2025-07-24 09:00 - 10:00", Err("TM070")),
        ("2026-12-08 10:00-12:00", Err("TM070")),
        ("2026-12-08 22:00\u{2013}02:00", Err("TM070")),
        ("8 Dec 2026 02:00-04:00 UTC", Err("TM070")),
        ("2026-12-08 10:00 -12:00", Err("TM070")),
        ("2026-12-08 14:00 -05:00", Ok("2026-12-08T19:00:00Z -05:00")),
        ("2026-12-08 14:00:00-05:00", Ok("2026-12-08T19:00:00Z -05:00")),
        ("2026-12-08T02:00-04:00", Ok("2026-12-08T06:00:00Z -04:00")),
        ("2026-12-08 (Mon) 14:00 UTC", Err("TM074")),
        ("8 December 2026 [Monday] 14:00 UTC", Err("TM074")),
        ("2026-12-08 14:00 UTC, Monday", Err("TM074")),
        ("December 8, 2026 (Tuesday) at 2:00 PM UTC", Ok("2026-12-08T14:00:00Z UTC")),
        ("2026-12-08 14:00 UTC (15:00 CET)", Err("TM070")),
        ("2026-12-08 14:00:00:30 UTC", Err("TM070")),
        ("2026-12-08 14:00:00.5x UTC", Err("TM070")),
        ("2026-12-08 14:5 UTC", Err("TM070")),
        ("2026-12-08 14:00 UTC+-2", Err("TM072")),
        ("<t:1796734800:F:x>", Err("TM070")),
        ("next Tuesday", Err("TM070")),
        ("week of 7/20", Err("TM070")),
        ("Q2", Err("TM070")),
    ] {
        assert_eq!(ok(text).as_deref().map_err(|e| *e), want, "{text}");
    }
}

#[test]
fn a_weekday_in_brackets_must_fit() {
    let date = "2026-12-08 14:00 Europe/Berlin";
    for (day, want) in [("(Tue)", vec![]), ("[Tuesday]", vec![]), ("(Wed)", vec!["TM074"]), ("[Mon]", vec!["TM074"])] {
        let text = PLAN.replace(date, &date.replace(" 14:00", &format!(" {day} 14:00")));
        assert_eq!(super::codes(&text), want, "{day}");
    }
    let problem = parse_when("2026-12-08 14:00:30 UTC (15:00:30 CET)", None).unwrap_err();
    assert!(problem.help.contains("`2026-12-08 14:00:30 UTC`") && problem.message.contains("(15:00:30 CET)"));
    let window = parse_when("2026-12-08 10:00-12:00 UTC", None).unwrap_err();
    assert!(window.help.contains("`2026-12-08 10:00 UTC`"), "{window:?}");
}

#[test]
fn a_refusal_offers_readings_that_are_accepted() {
    for text in [
        "2026-12-08 14:00", "8/12/2026 14:00 UTC", "2026-12-08 12AM UTC", "2026-12-08 24:00 UTC",
        "2026-12-08 1400 UTC", "2026-03-29 02:30 Europe/Berlin", "2026-12-08 14:00 IST", "2026-07-08 14:00 PST",
    ] {
        let problem = parse_when(text, None).unwrap_err();
        assert!(!problem.readings.is_empty(), "{text}: {problem:?}");
        for reading in problem.readings {
            // A season's own abbreviation may be ambiguous still; a place or an offset never is.
            let read = parse_when(&reading, None);
            assert!(read.is_ok() || reading.ends_with("PDT"), "{text}: {reading}: {read:?}");
        }
    }
}

/// Every hour of a year that does not exist or comes twice is refused, every other one is read.
#[test]
fn gaps_and_folds_of_a_year_are_refused() {
    for name in ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca"] {
        let zone = TimeZone::get(name).unwrap();
        let mut refused = 0;
        let mut day = date(2026, 1, 1);
        while day.year() == 2026 {
            for minute in (0..4 * 60).step_by(30) {
                let civil = day.at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
                let text = format!("{} {:02}:{:02} {name}", civil.date(), civil.hour(), civil.minute());
                let plain = matches!(zone.to_ambiguous_timestamp(civil).offset(), AmbiguousOffset::Unambiguous { .. });
                match parse_when(&text, None) {
                    Ok(when) => assert!(plain && zone.to_datetime(when.at) == civil, "{text}"),
                    Err(problem) => {
                        assert!(!plain && problem.code == "TM073", "{text}: {problem:?}");
                        assert_eq!(problem.readings.len(), 2, "{text}");
                        refused += 1;
                    }
                }
            }
            day = day.tomorrow().unwrap();
        }
        assert!(refused >= 2, "{name}: {refused}");
    }
}

/// F19 for entries: every zone, every change of its clocks from 2024 to 2035, eight times around each, against minutes counted one
/// by one.
#[test]
fn f19_every_entry_around_every_change_of_every_zone_is_exact_or_refused() {
    let span = |text: &str| -> jiff::Timestamp { text.parse().unwrap() };
    let (begin, end) = (span("2024-01-01T00:00:00Z"), span("2036-01-01T00:00:00Z"));
    let (mut zones, mut entries, mut unnamed) = (0, 0, Vec::new());
    for name in jiff::tz::db().available() {
        let (name, zone) = (name.as_str(), TimeZone::get(name.as_str()).unwrap());
        zones += 1;
        for change in zone.following(begin).map(|change| change.timestamp()).take_while(|at| *at < end) {
            let minutes: Vec<_> = (-360..360)
                .map(|n| change + jiff::SignedDuration::from_mins(n))
                .map(|at| (at, zone.to_datetime(at)))
                .collect();
            let wall = minutes[359].1.checked_add(jiff::SignedDuration::from_mins(1)).unwrap();
            for ahead in [-61, -30, -1, 0, 1, 30, 59, 90] {
                let civil = wall.checked_add(jiff::SignedDuration::from_mins(ahead)).unwrap();
                let text = format!("{} {:02}:{:02} {name}", civil.date(), civil.hour(), civil.minute());
                let there: Vec<_> = minutes.iter().filter(|(_, read)| *read == civil).map(|(at, _)| *at).collect();
                match parse_when(&text, None) {
                    Ok(when) => assert_eq!(there, [when.at], "{text}"),
                    Err(problem) if problem.code == "TM072" => unnamed.push(name.to_owned()),
                    Err(problem) => {
                        assert!(there.len() != 1 && problem.code == "TM073", "{text}: {problem:?}");
                        assert_eq!(problem.readings.len(), 2, "{text}");
                    }
                }
                entries += 1;
            }
        }
    }
    unnamed.dedup();
    eprintln!("{zones} zones, {entries} entries; not taken as names of zones: {unnamed:?}");
    assert!(zones > 400 && entries > 30_000, "{zones} zones, {entries} entries");
    // Abbreviations and old names of countries; every place is taken.
    assert!(unnamed.iter().all(|name| !name.contains('/')), "{unnamed:?}");
}

/// T-24h is exact elapsed time: across a change of the clocks it stands at another hour.
#[test]
fn offsets_are_elapsed_time_across_a_change_of_the_clocks() {
    let text = PLAN.replace("2026-12-08 14:00 Europe/Berlin", "2026-10-25 14:00 Europe/Berlin");
    let plan = super::reading(&text).plan.unwrap();
    let played = crate::preview::play(plan, 0, "2026-10-20T08:00:00Z".parse().unwrap());
    let rung = played.json()["marks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["label"] == "T-24h" && m["kind"] == "notice")
        .cloned();
    assert_eq!(rung.unwrap()["at"], "2026-10-24T15:00:00+02:00");
}
