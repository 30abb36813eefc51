//! One golden per rule: the filled plan with one thing wrong gives that finding and no other. Text at two widths and JSON.

use std::fmt::Write as _;

use super::{PLAN, at, reading};
use crate::plan_doc::{RULES, Reading, json, line_column, read, render_text};

/// An edit of the filled plan: what is replaced by what.
type Edit = (&'static str, &'static str);

const DEPENDENCIES: &str = "## Pre-Release Dependencies

**Related Documents:**
- [x] Development Phase: `release-checklist.md` reviewed
- [x] Deployment Guide: `deployment-guide.md` prepared
- [x] Monitoring Plan: `monitoring-plan.md` configured

**Technical Prerequisites:**
- [x] All tests passing in CI/CD pipeline
- [x] Feature flags configured (if applicable)
- [x] Database migrations tested and ready
- [ ] Dependencies deployed and stable

";

/// For each rule the edits that break it, and codes that come with it by nature.
const CASES: &[(&str, &[Edit], &[&str])] = &[
    ("TM003", &[("After release completion\n", "After release completion")], &[]),
    ("TM004", &[("| 0.4% | < 1% |", "| 0.4\u{a0}% | ＜ 1% |")], &["TM004"]),
    ("TM005", &[("- [ ] Dependencies deployed", "- [] Dependencies deployed")], &[]),
    ("TM006", &[("| Error Rate | 0.4% | < 1% | > 2% |", "| Error Rate | 0.4% | < 1% | > 2% | more |")], &[]),
    ("TM010", &[("**Release Owner:** Ana Ferreira (@ana)  \n", "")], &[]),
    ("TM011", &[("## Success Criteria", "## Success Metrics")], &[]),
    ("TM012", &[("---\n\n**Last", "## Glossary\n\nWords.\n\n---\n\n**Last")], &[]),
    ("TM013", &[("**Risk Level:**", "**Release Owner:** Eva Novak (@eva)  \n**Risk Level:**")], &[]),
    (
        "TM014",
        &[
            (DEPENDENCIES, ""),
            (
                "## Success Criteria",
                "## Pre-Release Dependencies\n\n**Related Documents:**\n- [ ] Guide: `guide.md`\n\n**Technical Prerequisites:**\n- [x] All tests pass\n\n## Success Criteria",
            ),
        ],
        &[],
    ),
    ("TM020", &[("Ana Ferreira (@ana)  ", "[Name and contact]  ")], &[]),
    ("TM021", &[("Ben Okafor (@ben) → Eva Novak (@eva)", "[Define chain of command]")], &[]),
    (
        "TM022",
        &[(
            "3. **Stage 3:** 100% of users - 1 hour  \n",
            "3. **Stage 3:** 100% of users - 1 hour  \n   *Example: Deploy to 5% of users in region US-WEST for 30 minutes*\n",
        )],
        &[],
    ),
    ("TM023", &[("Checkout 4.2: new payment step", "[Name of feature]: Checkout 4.2")], &[]),
    ("TM030", &[("[x] Standard [ ] Hotfix", "[x] Standard [x] Hotfix")], &[]),
    ("TM031", &[("- [ ] Big Bang", "- [x] Big Bang")], &["TM033"]),
    ("TM032", &[("(specify percentage: 5%)", "(specify percentage: ___%)")], &[]),
    ("TM033", &[("(specify percentage: 5%)", "(specify percentage: 10%)")], &[]),
    ("TM040", &[("25% of users", "3% of users")], &[]),
    ("TM041", &[("25% of users - 1 hour", "25% of users")], &[]),
    ("TM042", &[("3. **Stage 3:**", "3. **Stage 4:**")], &[]),
    ("TM043", &[("5% of users - 30 minutes", "5% of users - 6 minutes")], &["TM079"]),
    ("TM050", &[("| > 400ms |", "| quite slow |")], &[]),
    ("TM051", &[("| < 250ms |", "| 250ms |")], &[]),
    ("TM052", &[("| > 400ms |", "| > 220ms |")], &["TM063"]),
    ("TM053", &[("| > 400ms |", "| > 4s |")], &[]),
    ("TM054", &[("| 200ms |", "| 300ms |")], &[]),
    ("TM055", &[("| > 400ms |", "| > 2% |")], &[]),
    ("TM056", &[("| 200ms | < 250ms | > 400ms |", "| - | < 250ms | > 2x baseline |")], &[]),
    (
        "TM057",
        &[("| Throughput | 1,200 rps | > 1,000 rps | < 800 rps |", "| Uptime | 99.5% | < 99.9% | < 99% |")],
        &["TM058", "TM052"],
    ),
    (
        "TM058",
        &[(
            "| Throughput | 1,200 rps | > 1,000 rps | < 800 rps |",
            "| Throughput | 700 rps | < 1,000 rps | > 1,500 rps |",
        )],
        &[],
    ),
    ("TM059", &[("| Throughput |", "| Error Rates | 0.4% | < 1% | > 2% |\n| Throughput |")], &[]),
    ("TM060", &[("- [x] Error rate exceeds 2% for 5 minutes", "- [ ] Error rate exceeds ___% for ___ minutes")], &[]),
    ("TM061", &[("Error rate exceeds 2%", "Eror rate exceeds 2%")], &[]),
    ("TM062", &[("P99 latency exceeds 400ms", "P99 latency exceeds 180ms")], &[]),
    ("TM063", &[("P99 latency exceeds 400ms", "P99 latency exceeds 900ms")], &[]),
    ("TM064", &[("exceeds 2% for 5 minutes", "exceeds 2%")], &[]),
    (
        "TM065",
        &[(
            "- [x] Error rate exceeds 2% for 5 minutes",
            "- [x] Error rate exceeds 2% for 5 minutes\n- [ ] Data corruption is found",
        )],
        &[],
    ),
    ("TM066", &[("- [x] Error rate exceeds 2%", "- [ ] Error rate exceeds 2%")], &[]),
    ("TM067", &[("Error rate exceeds 2% for 5 minutes", "Error rate exceeds ___% for ___ minutes")], &[]),
    (
        "TM068",
        &[(
            "Error rate exceeds 2% for 5 minutes",
            "Error rate > 2% for 5 minutes or P99 latency > 400ms for 5 minutes and Throughput < 800 rps for 5 minutes",
        )],
        &[],
    ),
    ("TM069", &[("exceeds 2% for 5 minutes", "exceeds 2% for 10 seconds")], &[]),
    ("TM070", &[("2026-12-08 14:00 Europe/Berlin", "early December")], &[]),
    ("TM071", &[("2026-12-08 14:00 Europe/Berlin", "2026-12-08 14:00")], &[]),
    ("TM072", &[("2026-12-08 14:00 Europe/Berlin", "2026-12-08 14:00 IST")], &[]),
    ("TM073", &[("2026-12-08 14:00 Europe/Berlin", "2027-03-28 02:30 Europe/Berlin")], &[]),
    ("TM074", &[("2026-12-08 14:00 Europe/Berlin", "8/12/2026 14:00 Europe/Berlin")], &[]),
    ("TM075", &[("2026-12-08 14:00", "2026-11-24 14:00")], &[]),
    ("TM076", &[("2026-12-08 14:00", "2026-12-01 14:00")], &[]),
    ("TM077", &[("2026-12-08 14:00", "2026-12-12 14:00")], &[]),
    ("TM078", &[("T+4 hours", "T+30 minutes")], &[]),
    ("TM079", &[("Updates every: 30 minutes", "Updates every: 40 minutes")], &[]),
    ("TM080", &[("Ana Ferreira (@ana)", "Ana Ferreira")], &[]),
    ("TM081", &[("Ben Okafor (@ben)  ", "Ana Ferreira (@ana)  ")], &[]),
    ("TM082", &[("- [ ] SRE/Ops: [Name] - [Date/Time]\n", "")], &[]),
    ("TM083", &[("Engineering Lead: [Name]", "Engineering Lead: Ana Ferreira (@ana)")], &[]),
    ("TM084", &[("Product Owner: [Name] - [Date/Time]", "Product Owner: Dev Patel - 2027-01-05")], &[]),
    ("TM085", &[("- [ ] SRE/Ops:", "- [x] SRE/Ops:")], &[]),
    ("TM086", &[("#releases", "#Releases Team!")], &[]),
    ("TM087", &[("Hold, and read", "Tell @everyone, hold, and read")], &[]),
    ("TM090", &[("- **If rollback fails:** Switch the flag off for everyone and page the platform lead.\n", "")], &[]),
    ("TM091", &[("`release-checklist.md` reviewed", "checklist reviewed")], &[]),
];

/// Rules that need more than a document: refusals, edited blocks, re-imports.
const ELSEWHERE: [&str; 8] = ["TM001", "TM002", "TM007", "TM088", "TM092", "TM093", "TM094", "TM095"];

fn edited(edits: &[Edit]) -> String {
    let mut text = PLAN.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from} is not in the plan");
        text = text.replacen(from, to, 1);
    }
    text
}

fn golden(text: &str, reading: &Reading, code: &str) -> String {
    let mut out = String::new();
    for diagnostic in reading.diagnostics.iter().filter(|d| d.code == code) {
        for width in [72, 100] {
            writeln!(out, "--- width {width}\n{}\n", render_text(diagnostic, text, "plan.md", width, false)).unwrap();
        }
        writeln!(out, "--- json\n{:#}", json(diagnostic, text)).unwrap();
    }
    out
}

#[test]
fn every_rule_finds_its_fault_and_nothing_else() {
    for (code, edits, company) in CASES {
        let text = edited(edits);
        let reading = reading(&text);
        let mut found: Vec<&str> = reading.diagnostics.iter().map(|d| d.code).collect();
        assert!(found.contains(code), "{code}: {found:?}");
        found.retain(|c| c != code && !company.contains(c));
        assert_eq!(found, Vec::<&str>::new(), "{code}: {:#?}", reading.diagnostics);
        if !company.contains(code) {
            assert_eq!(
                reading.diagnostics.iter().filter(|d| d.code == *code).count(),
                1,
                "{code}: {:#?}",
                reading.diagnostics
            );
        }
        insta::assert_snapshot!(*code, golden(&text, &reading, code));
    }
}

/// The rules that need more than one document.
#[test]
fn rules_of_refusals_edited_blocks_and_returns() {
    let shown = |code: &'static str, text: &str, found: &[crate::plan_doc::Diagnostic]| {
        let found: Vec<_> = found.iter().filter(|d| d.code == code).cloned().collect();
        assert_eq!(found.len(), 1, "{code}: {found:?}");
        let drawn = render_text(&found[0], text, "plan.md", 72, false);
        insta::assert_snapshot!(code, format!("{drawn}\n\n--- json\n{:#}\n", json(&found[0], text)));
    };
    let turned = PLAN.replace("new payment", "new \u{202e}payment");
    shown("TM001", &turned, &reading(&turned).diagnostics);
    let long = PLAN.replace("new payment", &"x".repeat(9_000));
    shown("TM002", &long, &reading(&long).diagnostics);
    let done = ["gate/dependencies-deployed-and-stable".to_owned()];
    let filled = crate::plan_doc::Filled { done: done.clone().into(), ..Default::default() };
    let exported = String::from_utf8(crate::plan_doc::export(PLAN.as_bytes(), &filled).bytes).unwrap();
    let touched = exported.replace("<!-- filled", "Mine.\n<!-- filled");
    shown("TM007", &touched, &reading(&touched).diagnostics);
    let again = |from: &str, to: &str| {
        let text = PLAN.replace(from, to);
        let (old, new) = (reading(PLAN), reading(&text));
        let merged = crate::plan_doc::merge(&old, &new, &done.clone().into());
        (text.clone(), merged.diagnostics(&old, &new, true))
    };
    let (text, found) = again("> 2%", "> 3%");
    shown("TM093", &text, &found);
    let (text, found) = again("Dependencies deployed and stable", "Dependencies are deployed and stable");
    shown("TM094", &text, &found);
    let (text, found) = again("- [ ] Schedule retrospective", "- [x] Schedule retrospective");
    shown("TM092", &text, &found);
    let setting = crate::plan_doc::Setting { ladder: crate::plan_doc::usual_ladder(), ..at("2026-12-01T08:00:00Z") };
    let silent: String = PLAN.lines().filter(|line| !line.contains("(T-")).map(|line| format!("{line}\n")).collect();
    shown("TM088", &silent, &read(silent.as_bytes(), &setting).diagnostics);
}

#[test]
fn every_rule_has_a_case() {
    for rule in RULES {
        let here = CASES.iter().any(|(code, ..)| *code == rule.code);
        assert!(here != ELSEWHERE.contains(&rule.code), "{}", rule.code);
    }
    let documented = include_str!("../../../docs/plans.md");
    for rule in RULES {
        let row = documented.lines().find(|line| line.starts_with(&format!("| {} |", rule.code))).unwrap_or_default();
        assert!(row.contains(rule.title) && row.contains(rule.severity.word()), "{}: {row}", rule.code);
    }
    assert!(RULES.windows(2).all(|pair| pair[0].code < pair[1].code));
}

/// Each field that is required, deleted, gives its rule and no other.
#[test]
fn each_deleted_field_gives_exactly_its_rule() {
    for (field, gone, code) in [
        ("title", &["**Feature/Change:** Checkout 4.2: new payment step  \n"][..], "TM010"),
        ("date", &["**Release Date/Time:** 2026-12-08 14:00 Europe/Berlin  \n"], "TM010"),
        ("type", &["**Release Type:** [x] Standard [ ] Hotfix [ ] Emergency  \n"], "TM010"),
        ("risk", &["**Risk Level:** [ ] Low [x] Medium [ ] High  \n"], "TM010"),
        ("owner", &["**Release Owner:** Ana Ferreira (@ana)  \n"], "TM010"),
        ("on-call", &["**On-Call Engineer:** Ben Okafor (@ben)  \n"], "TM010"),
        (
            "approach",
            &[
                "- [ ] Big Bang (all at once)\n",
                "- [x] Canary (specify percentage: 5%)\n",
                "- [ ] Blue-Green\n",
                "- [ ] Feature Flag (specify groups: _______)\n",
            ],
            "TM010",
        ),
        ("channel", &["- [ ] Slack channel: #releases\n"], "TM010"),
        ("updates", &["- [ ] Updates every: 30 minutes\n"], "TM010"),
        (
            "metrics",
            &[
                "| P99 Latency | 200ms | < 250ms | > 400ms |\n",
                "| Error Rate | 0.4% | < 1% | > 2% |\n",
                "| Throughput | 1,200 rps | > 1,000 rps | < 800 rps |\n",
            ],
            "TM010",
        ),
        (
            "triggers",
            &[
                "- [x] Error rate exceeds 2% for 5 minutes\n",
                "- [x] P99 latency exceeds 400ms for 10 minutes\n",
                "- [x] Payment service health check fails for 3 consecutive checks\n",
            ],
            "TM010",
        ),
        (
            "stages",
            &[
                "1. **Stage 1:** 5% of users - 30 minutes  \n",
                "2. **Stage 2:** 25% of users - 1 hour  \n",
                "3. **Stage 3:** 100% of users - 1 hour  \n",
            ],
            "TM010",
        ),
        ("escalation", &["- [ ] Escalation path: Ben Okafor (@ben) → Eva Novak (@eva)\n"], "TM010"),
        ("sign-off", &["- [ ] Product Owner: [Name] - [Date/Time]\n"], "TM082"),
        ("contingency", &["- **If cascading failures occur:** Put the shop into read-only mode.\n"], "TM090"),
    ] {
        let mut text = PLAN.to_owned();
        for line in gone {
            assert!(text.contains(line), "{line}");
            text = text.replacen(line, "", 1);
        }
        assert_eq!(super::codes(&text), [code], "{field}: {:#?}", reading(&text).diagnostics);
    }
}

#[test]
fn the_blank_template_gives_a_bounded_grouped_report() {
    let (_, blank, _) = super::FIXTURES.iter().find(|(name, ..)| *name == "blank").unwrap();
    let reading = reading(blank);
    assert!(reading.diagnostics.len() <= 10, "{:#?}", reading.diagnostics);
    let codes: std::collections::BTreeSet<_> = reading.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), ["TM020", "TM021", "TM030", "TM060"]);
}

/// Columns count characters: an emoji and a Han character before the value are one column each.
#[test]
fn columns_are_right_after_wide_characters() {
    for (front, width) in [("", 0), ("🚀 ", 2), ("支払 ", 3), ("👩‍🚀 ", 4)] {
        let text = PLAN
            .replace("| P99 Latency |", &format!("| {front}P99 Latency |"))
            .replace("| > 400ms |", "| quite slow |");
        let reading = reading(&text);
        let found = reading.diagnostics.iter().find(|d| d.code == "TM050").unwrap();
        let (line, column) = line_column(&text, found.span.start);
        let plain = PLAN.lines().nth(line - 1).unwrap().find("> 400ms").unwrap() + 1;
        assert_eq!(column, plain + width, "{front}");
        let drawn = render_text(found, &text, "plan.md", 100, false);
        assert!(drawn.starts_with(&format!("plan.md:{line}:{column}\n")), "{drawn}");
        insta::assert_snapshot!(format!("columns-{width}"), drawn);
    }
    let marked = format!("\u{feff}**Release Date/Time:** x\n{PLAN}");
    let found = read(marked.as_bytes(), &at("2026-12-01T00:00:00Z")).diagnostics;
    assert!(found.iter().any(|d| line_column(&marked, d.span.start) == (1, 24)), "{found:?}");
}

#[test]
fn a_workspaces_zone_is_taken_with_a_warning() {
    let text = PLAN.replace(" Europe/Berlin", "");
    let setting = crate::plan_doc::Setting { zone: Some("Asia/Tokyo".to_owned()), ..at("2026-12-01T00:00:00Z") };
    let found = read(text.as_bytes(), &setting);
    let said: Vec<_> = found.diagnostics.iter().map(|d| (d.code, d.severity.word())).collect();
    assert_eq!(said, [("TM071", "warning")]);
    assert_eq!(found.plan.unwrap().t0.unwrap().at.to_string(), "2026-12-08T05:00:00Z");
    assert_eq!(super::codes(&PLAN.replace("Europe/Berlin", "ET")), ["TM072"]);
}

#[test]
fn policy_follows_risk_and_type() {
    let risk = |risk: &str| match risk {
        "Low" => PLAN.replace("[ ] Low [x] Medium", "[x] Low [ ] Medium"),
        "High" => PLAN.replace("[x] Medium [ ] High", "[ ] Medium [x] High"),
        _ => PLAN.to_owned(),
    };
    let without = |text: String, lines: &[&str]| lines.iter().fold(text, |text, line| text.replace(line, ""));
    let contingencies = ["- **If rollback fails:** Switch the flag off for everyone and page the platform lead.\n"];
    for (level, want) in [("Low", "warning"), ("Medium", "warning"), ("High", "error")] {
        let found = reading(&without(risk(level), &contingencies)).diagnostics;
        let weight: Vec<_> = found.iter().filter(|d| d.code == "TM090").map(|d| d.severity.word()).collect();
        assert_eq!(weight, [want], "{level}");
    }
    let security = "- [ ] Security (if required): [Name] - [Date/Time]\n";
    assert_eq!(super::codes(&without(risk("Medium"), &[security])), Vec::<&str>::new());
    assert_eq!(super::codes(&without(risk("High"), &[security])), ["TM082"]);
    let bang = |level: &str| {
        risk(level)
            .replace("- [ ] Big Bang", "- [x] Big Bang")
            .replace("- [x] Canary", "- [ ] Canary")
            .replace("2. **Stage 2:** 25% of users - 1 hour  \n3. **Stage 3:** 100% of users - 1 hour  \n", "")
            .replace("5% of users - 30 minutes", "100% of users - 30 minutes")
    };
    for (level, want) in [("Low", vec![]), ("Medium", vec![("TM090", "warning")]), ("High", vec![("TM090", "error")])] {
        let found = reading(&bang(level)).diagnostics;
        let found: Vec<_> = found.iter().map(|d| (d.code, d.severity.word())).collect();
        assert_eq!(found, want, "{level}");
    }
    let emergency = PLAN.replace("[x] Standard [ ] Hotfix [ ] Emergency", "[ ] Standard [ ] Hotfix [x] Emergency");
    assert_eq!(
        super::codes(&emergency.replace("2026-12-08", "2026-11-30").replace("14:00", "20:00")),
        Vec::<&str>::new()
    );
}
