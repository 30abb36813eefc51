//! The laws of documents: what is read, what is said of it, what is given back. Fixtures are written for their traits.

mod asked;
mod hostile;
mod ladder;
mod laws;
mod mended;
mod oracle;
mod rules;
mod steps;
mod ticks;
mod times;

use super::{Reading, Setting, read};
use crate::domain::plan::{self, Level};

/// The template filled in for a release of medium risk: nothing to say about it.
pub(super) const PLAN: &str = include_str!("../../../tests/data/plans/checkout-4.2.md");

/// Fixtures by name, with the level they read at.
pub(super) const FIXTURES: &[(&str, &str, Level)] = &[
    ("checkout-4.2", PLAN, Level::A),
    ("blank", include_str!("../../../tests/data/plans/blank.md"), Level::A),
    ("search-high-risk", include_str!("../../../tests/data/plans/search-high-risk.md"), Level::A),
    ("runbook", include_str!("../../../tests/data/plans/runbook.md"), Level::B),
    ("mobile-phases", include_str!("../../../tests/data/plans/mobile-phases.md"), Level::C),
    ("ledger-japanese", include_str!("../../../tests/data/plans/ledger-japanese.md"), Level::C),
    ("tables-and-traps", include_str!("../../../tests/data/plans/tables-and-traps.md"), Level::C),
    ("launch-checklist", include_str!("../../../tests/data/plans/launch-checklist.md"), Level::D),
];

pub(super) fn reading(text: &str) -> Reading {
    read(text.as_bytes(), &at("2026-12-01T08:00:00Z"))
}

pub(super) fn at(now: &str) -> Setting {
    Setting { now: Some(now.parse().unwrap()), ..Setting::default() }
}

pub(super) fn codes(text: &str) -> Vec<&'static str> {
    reading(text).diagnostics.iter().map(|d| d.code).collect()
}

#[test]
fn every_fixture_reads_at_its_level() {
    for (name, text, level) in FIXTURES {
        let reading = reading(text);
        let plan = reading.plan.as_ref().unwrap();
        assert_eq!(plan.level, *level, "{name}: {:?}", reading.diagnostics);
        assert!(!plan.title.is_empty(), "{name}");
    }
}

#[test]
fn the_filled_plan_is_clean_and_complete() {
    let reading = reading(PLAN);
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
    assert_eq!(
        (plan.updates_every_min, plan.escalation.len(), plan.service.as_deref()),
        (Some(30), 2, Some("checkout"))
    );
    assert_eq!((reading.counts.boxes_open, reading.counts.boxes_done, reading.counts.tables), (24, 10, 1));
    for check in reading.items.values() {
        assert!(matches!(PLAN.as_bytes()[check.at - 1..check.at + 2], [b'[', b' ' | b'x', b']']));
    }
}

#[test]
fn foreign_plans_give_what_they_say() {
    let plan = |name: &str| {
        let (_, text, _) = FIXTURES.iter().find(|(known, ..)| *known == name).unwrap();
        reading(text).plan.unwrap()
    };
    let runbook = plan("runbook");
    assert_eq!((runbook.metrics.len(), runbook.triggers.len(), runbook.points.len()), (3, 3, 2));
    let query = runbook.metrics[0].query.as_deref();
    assert_eq!(query, Some("https://grafana.example/d/queue"));
    assert_eq!(runbook.triggers[0].rule.as_ref().map(|r| r.wait_s()), Some(300));
    let phases = plan("mobile-phases");
    let percents: Vec<_> = phases.stages.iter().map(|s| (s.percent, s.hold_min)).collect();
    assert_eq!(
        percents,
        [(Some(1.0), Some(2880)), (Some(10.0), Some(4320)), (Some(50.0), Some(1440)), (Some(100.0), None)]
    );
    assert_eq!(phases.t0.unwrap().at.to_string(), "2026-12-09T17:00:00Z");
    assert_eq!(phases.owner.unwrap().handle.as_deref(), Some("kim"));
    assert!(phases.triggers.iter().filter(|t| t.rule.is_some()).count() >= 3);
    let japanese = plan("ledger-japanese");
    assert_eq!(japanese.metrics.len(), 2);
    let checklist = plan("launch-checklist");
    assert_eq!(checklist.tasks.len(), 12);
    assert_eq!(checklist.t0, None);
}

#[test]
fn line_endings_front_matter_and_a_byte_order_mark_change_nothing() {
    let want = reading(PLAN).plan;
    for text in [PLAN.replace('\n', "\r\n"), format!("\u{FEFF}{PLAN}"), format!("---\nkind: plan\n---\n{PLAN}")] {
        let reading = reading(&text);
        assert_eq!(reading.plan, want, "{:?}", reading.diagnostics);
    }
    // Two rules are no front matter: nothing between them may vanish.
    let ruled = format!("---\n\nA rule above, and one below.\n\n---\n\n{PLAN}");
    assert_eq!(reading(&ruled).plan.map(|p| p.metrics), want.map(|p| p.metrics));
}

#[test]
fn the_digest_knows_material_from_cosmetic() {
    let digest = |text: &str| reading(text).digest;
    let same = digest(PLAN);
    assert_eq!(same, digest(&PLAN.replace("[ ] Dependencies", "[x] Dependencies")));
    assert_eq!(same, digest(&PLAN.replace("losing a single order", "losing orders")));
    for (from, to) in [
        ("> 2%", "> 3%"),
        ("14:00", "15:00"),
        ("25% of users", "30% of users"),
        ("(T-2h)", "(T-3h)"),
        ("read-only mode", "maintenance"),
        ("@eva", "@eve"),
    ] {
        assert_ne!(same, digest(&PLAN.replace(from, to)), "{from}");
    }
}

#[test]
fn a_new_plan_is_the_template_and_asks_for_the_rest() {
    let text = super::new_plan(&super::NewPlan {
        title: Some("Search 7".to_owned()),
        when: Some("2026-12-08 14:00 UTC".to_owned()),
        kind: Some(plan::ReleaseType::Hotfix),
        risk: Some(plan::Risk::Low),
        ..super::NewPlan::default()
    });
    let reading = reading(&text);
    let plan = reading.plan.as_ref().unwrap();
    assert_eq!((plan.level, plan.title.as_str()), (Level::A, "Search 7"));
    assert_eq!(
        reading.questions,
        ["Release Owner", "On-Call Engineer", "Automatic Rollback Triggers", "Rollout Approach"]
    );
    assert!(reading.diagnostics.len() <= 8, "{:#?}", reading.diagnostics);
    // A line break must not begin another field.
    let sly =
        super::new_plan(&super::NewPlan { title: Some("A\n**Risk Level:** Low".to_owned()), ..Default::default() });
    assert_eq!(read(sly.as_bytes(), &Setting::default()).plan.unwrap().risk, None);
}

#[test]
fn safe_fixes_settle_their_findings_and_change_no_meaning() {
    let text = PLAN
        .replace("## Success Criteria", "## Success Metrics")
        .replace("exceeds 2% for 5 minutes", "exceeds 2%")
        .replace("| < 250ms |", "| 250ms |");
    assert_eq!(codes(&text), ["TM011", "TM051", "TM064"]);
    let (fixed, count) = super::fix(text.as_bytes()).unwrap();
    assert_eq!((count, codes(&fixed)), (3, vec![]));
    assert_eq!(reading(&fixed).plan, reading(PLAN).plan);
}
