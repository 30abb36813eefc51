//! The grammars as tables, the laws of export, and hostile bytes.

use proptest::prelude::*;

use super::blocks::parse;
use super::grammar::{bound, duration_min, offset, quantity, stage, trigger};
use super::{read, time::parse_when};
use crate::domain::plan::{Bound, Cmp, Quantity, TriggerRule};

const PLAN: &str = include_str!("../../tests/data/plans/checkout-4.2.md");

#[test]
fn thresholds_mean_what_they_say() {
    let base = Quantity { value: 200.0, unit: "ms".to_owned() };
    let read = |text: &str| {
        bound(text, Some(&base)).map(|(cmp, q)| format!("{}{q}", cmp.map_or(String::new(), |c| format!("{c} "))))
    };
    for (text, want) in [
        ("< 250ms", Some("< 250ms")),
        (">400 ms", Some("> 400ms")),
        ("`&lt; 1%`", Some("< 1%")),
        ("≥ 99.9%", Some("≥ 99.9%")),
        ("below 1,000 rps", Some("< 1000 rps")),
        ("800ms", Some("800ms")),
        ("48K", Some("48000")),
        ("> 2x baseline", Some("> 400ms")),
        ("110% of baseline", Some("220ms")),
        ("> 5% for 5 minutes", Some("> 5%")),
        ("1,5 %", None),
        ("fast", None),
        ("> 4oo ms", None),
    ] {
        assert_eq!(read(text).as_deref(), want, "{text}");
    }
    assert_eq!(quantity("___%"), None);
}

#[test]
fn triggers_mean_what_they_say() {
    let exceeds = |metric: &str, cmp, value, unit: &str, for_min| TriggerRule::Exceeds {
        metric: metric.to_owned(),
        bound: Bound { cmp, than: Quantity { value, unit: unit.to_owned() } },
        for_min,
    };
    for (text, want) in [
        ("Error rate exceeds 2% for 5 minutes", Some(exceeds("Error rate", Cmp::Above, 2.0, "%", 5))),
        ("P99 latency exceeds 400ms for 10 minutes", Some(exceeds("P99 latency", Cmp::Above, 400.0, "ms", 10))),
        ("Throughput < 800 rps", Some(exceeds("Throughput", Cmp::Below, 800.0, "rps", 5))),
        (
            "Key service health check fails for 3 consecutive checks",
            Some(TriggerRule::Fails { check: "Key service health check".to_owned(), times: 3 }),
        ),
        (
            "Rollback if checkout conversion rate drops by more than 10% within first hour",
            Some(TriggerRule::Moves {
                metric: "checkout conversion rate".to_owned(),
                down: true,
                percent: 10.0,
                within_min: Some(60),
            }),
        ),
        ("Data corruption is found", None),
        ("Error rate exceeds ___% for ___ minutes", None),
    ] {
        assert_eq!(trigger(text), want, "{text}");
    }
}

#[test]
fn offsets_durations_and_stages() {
    for (text, want) in [
        ("(T-24h)", Some(-1440)),
        ("T+15 minutes: check", Some(15)),
        ("T−30m", Some(-30)),
        ("T+1 hour", Some(60)),
        ("Team T-shirt", None),
    ] {
        assert_eq!(offset(text).map(|(m, _)| m), want, "{text}");
    }
    for (text, want) in [
        ("30 minutes", Some(30)),
        ("1h 30m", Some(90)),
        ("~2 days", Some(2880)),
        ("1M", None),
        ("90", None),
        ("0m", None),
    ] {
        assert_eq!(duration_min(text), want, "{text}");
    }
    let five = stage("Deploy to 5% of users in region US-WEST for 30 minutes");
    assert_eq!((five.percent, five.hold_min), (Some(5.0), Some(30)));
    assert_eq!(stage("all users - 1 hour").percent, Some(100.0));
}

#[test]
fn dates_are_read_or_refused_never_guessed() {
    let ok = |text: &str| parse_when(text, None).map(|w| format!("{} {}", w.at, w.zone)).map_err(|(code, ..)| code);
    for (text, want) in [
        ("2026-12-08 14:00 Europe/Berlin", Ok("2026-12-08T13:00:00Z Europe/Berlin")),
        ("2026-12-08 14:00 europe/berlin", Ok("2026-12-08T13:00:00Z Europe/Berlin")),
        ("Tuesday, December 8, 2026 at 2:00 PM UTC+1", Ok("2026-12-08T13:00:00Z +01:00")),
        ("8 Dec 2026 14:00 UTC", Ok("2026-12-08T14:00:00Z UTC")),
        ("2026-12-08 14:00 CET", Ok("2026-12-08T13:00:00Z +01:00")),
        ("<t:1796734800:F>", Ok("2026-12-08T13:00:00Z UTC")),
        ("2026-12-08 14:00", Err("TM071")),
        ("2026-07-08 14:00 PST", Err("TM072")),
        ("2026-12-08 14:00 IST", Err("TM072")),
        ("8/12/2026 14:00 UTC", Err("TM074")),
        ("Monday 2026-12-08 14:00 UTC", Err("TM074")),
        ("2026-03-29 02:30 Europe/Berlin", Err("TM073")),
        ("2026-10-25 02:30 Europe/Berlin", Err("TM073")),
        ("2026-10-25 02:30 UTC+2", Ok("2026-10-25T00:30:00Z +02:00")),
        ("2026-12-08 12AM UTC", Err("TM070")),
        ("next Tuesday", Err("TM070")),
    ] {
        assert_eq!(ok(text).as_deref().map_err(|e| *e), want, "{text}");
    }
}

#[test]
fn the_filled_plan_is_clean_and_complete() {
    let reading = read(PLAN.as_bytes(), None);
    assert_eq!(reading.diagnostics, []);
    let plan = reading.plan.unwrap();
    assert_eq!(
        (plan.stages.len(), plan.metrics.len(), plan.triggers.len(), plan.points.len(), plan.rungs.len()),
        (3, 3, 3, 4, 3)
    );
    assert_eq!(
        (plan.gates.len(), plan.risks.len(), plan.contingency.len(), plan.actions.len(), plan.signoffs.len()),
        (7, 2, 3, 3, 4)
    );
    assert_eq!((plan.updates_every_min, plan.escalation.len(), plan.service.as_deref()), (30, 2, Some("checkout")));
    assert_eq!(reading.boxes.len(), 30);
    for at in reading.boxes.values() {
        assert!(matches!(PLAN.as_bytes()[at - 1..at + 2], [b'[', b' ' | b'x', b']']));
    }
}

#[test]
fn line_endings_front_matter_and_a_byte_order_mark_change_nothing() {
    let want = read(PLAN.as_bytes(), None).plan;
    for text in [PLAN.replace('\n', "\r\n"), format!("\u{FEFF}{PLAN}"), format!("---\nkind: plan\n---\n{PLAN}")] {
        let reading = read(text.as_bytes(), None);
        assert_eq!(reading.plan, want, "{:?}", reading.diagnostics);
    }
}

#[test]
fn the_digest_knows_material_from_cosmetic() {
    let digest = |text: &str| read(text.as_bytes(), None).digest;
    let same = digest(PLAN);
    assert_eq!(same, digest(&PLAN.replace("[ ] Dependencies", "[x] Dependencies")));
    assert_eq!(same, digest(&PLAN.replace("losing a single order", "losing orders")));
    for (from, to) in [
        ("> 2%", "> 3%"),
        ("14:00", "15:00"),
        ("25% of users", "30% of users"),
        ("(T-2h)", "(T-3h)"),
        ("read-only mode", "maintenance"),
    ] {
        assert_ne!(same, digest(&PLAN.replace(from, to)), "{from}");
    }
}

proptest! {
    /// Any mutation of the plan is read without a panic, and every span lies inside it.
    #[test]
    fn mutated_plans_never_panic(at in 0..PLAN.len(), cut in 0usize..40, junk in "\\PC{0,12}|[\\[\\]|`*_#>x \n-]{0,12}") {
        let mut bytes = PLAN.as_bytes().to_vec();
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, junk.bytes());
        let reading = read(&bytes, Some("UTC"));
        for diagnostic in &reading.diagnostics {
            prop_assert!(diagnostic.span.end <= bytes.len());
            if let Ok(text) = std::str::from_utf8(&bytes) {
                super::render_text(diagnostic, text, "plan.md");
            }
        }
        for at in reading.boxes.values() {
            prop_assert!(*at < bytes.len());
        }
    }

    /// Markdown-like noise goes through the block layer without a panic.
    #[test]
    fn noise_never_panics(text in "([#>|`*_\\[\\]x \n-]|[a-z]|1\\. |\\| --- \\|\n|é|漢){0,300}") {
        if let Ok(document) = parse(&text) {
            for section in document.sections {
                prop_assert!(section.heading.end <= text.len());
            }
        }
        read(text.as_bytes(), None);
    }
}
