//! What readers with fresh eyes broke: each line once read wrongly, with what it means.

use serde_json::{Value, json};

use super::{PLAN, codes, reading};
use crate::domain::plan;
use crate::plan_doc::diagnostics::Severity;
use crate::plan_doc::{Filled, Setting, export, exported_revision, read, show, strip, unticked};

/// The rules of a plan whose first trigger is `line`.
fn rules(line: &str) -> Vec<Value> {
    let text = PLAN.replace("Error rate exceeds 2% for 5 minutes", line);
    let all = show(&reading(&text)).unwrap()["triggers"].as_array().unwrap().clone();
    all.into_iter()
        .filter(|t| !t["text"].as_str().unwrap().contains("P99 latency exceeds 400ms for 10"))
        .map(|t| t["rule"].clone())
        .filter(|r| r["check"] != "Payment service health check")
        .collect()
}

#[test]
fn windows_hold_or_count_from_t0() {
    for (line, key, value) in [
        ("P99 latency increases by more than 20% for 10 minutes", "for_s", json!(600)),
        ("P99 latency increases by more than 20% for 10 minutes", "within_s", json!(null)),
        ("Throughput drops by more than 30% within the first hour", "within_s", json!(3600)),
        ("Throughput drops by more than 30% within an hour", "within_s", json!(3600)),
        ("Error rate > 2% in the first 4 hours", "within_s", json!(14_400)),
        ("Error rate > 2% in the first 4 hours", "for_s", json!(300)),
        ("Error rate > 2% for 1h30m", "for_s", json!(5400)),
        ("Error rate > 2% for PT2H", "for_s", json!(7200)),
    ] {
        let found = rules(line);
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        assert_eq!(found[0][key], value, "{line}: {found:?}");
    }
}

#[test]
fn what_a_machine_would_misread_is_left_to_a_person() {
    for line in [
        "Error rate does not drop below 1% within 15 minutes",
        "Throughput does not recover above 900 rps within 10 minutes",
        "No more than 3 failed payments in 10 minutes",
        "Error rate > 2% for 5 minutes, latency > 400ms",
        "Error rate > 2% unless traffic < 100 rps",
        "Do not roll back if error rate > 2%",
    ] {
        assert_eq!(rules(line), [Value::Null], "{line}");
        let text = PLAN.replace("Error rate exceeds 2% for 5 minutes", line);
        assert!(codes(&text).contains(&"TM065"), "{line}: said so");
    }
}

#[test]
fn tags_links_and_comments_are_no_placeholders() {
    for line in [
        "[SEV1] Error rate exceeds 2% for 5 minutes",
        "Error rate exceeds 2% for 5 minutes [pager]",
        "[Error rate](https://grafana.example/d) exceeds 2% for 5 minutes",
        "Error rate exceeds 2% for 5 minutes <!-- agreed -->",
    ] {
        let found = rules(line);
        assert_eq!(found[0]["metric"], "Error rate", "{line}: {found:?}");
        assert_eq!(found[0]["for_s"], 300, "{line}");
    }
    let text = PLAN.replace("Checkout 4.2: new payment step", "[ABC-123] Checkout <!-- Zeus -->");
    assert_eq!(reading(&text).plan.unwrap().title, "[ABC-123] Checkout");
}

#[test]
fn brackets_bind() {
    let found = rules("(Error rate > 5% and P99 latency > 500ms) or Throughput < 700 rps for 5 minutes");
    assert_eq!(found[0]["kind"], "all", "{found:?}");
    assert_eq!(found[1]["metric"], "Throughput");
    let share = rules("More than 5% of requests fail for 5 minutes");
    assert_eq!((&share[0]["kind"], &share[0]["metric"]), (&json!("exceeds"), &json!("requests fail")));
}

#[test]
fn units_of_one_kind_fit_each_other() {
    let row = |row: &str| PLAN.replace("| P99 Latency | 200ms | < 250ms | > 400ms |", row);
    for text in [
        row("| P99 Latency | 0.2s | < 250ms | > 400ms |"),
        row("| P99 Latency | 200ms | < 0.25s | > 0.4 s |"),
        row("| P99 Latency | 200ms | < 250ms | > 400ms |\n| Memory | 512MB | < 0.75 GB | > 1 GB |"),
        row("| P99 Latency | 200ms | < 250ms | > 400ms |\n| Restarts | no restarts | < 1 restart | > 2 restarts |"),
        row("| P99 Latency | 200ms | < 250ms | > 400ms |\n| Drain | 30s | < 1 min | > 5 min |"),
    ] {
        assert_eq!(reading(&text).diagnostics, []);
    }
    let band = reading(&row("| P99 Latency | 200ms | 0-0.3s | > 400ms |")).plan.unwrap();
    assert_eq!(band.metrics[0].success.as_ref().unwrap().to_string(), "within 0–300ms");
    let points = reading(&PLAN.replace("| 0.4% | < 1% | > 2% |", "| 0.4% | +0.2pp | +1pp |")).plan.unwrap();
    assert_eq!(points.metrics[1].success.as_ref().map(|b| b.than.value), Some(0.6));
    assert!(codes(&PLAN.replace("| 0.4% | < 1% | > 2% |", "| 0.4% | +2% | > 2% |")).contains(&"TM057"));
}

#[test]
fn nobody_is_not_an_owner_and_a_guess_is_no_choice() {
    for value in ["[Name] [Handle]", "[Name], [phone]", "___"] {
        assert_eq!(codes(&PLAN.replace("Ana Ferreira (@ana)  ", value)), ["TM020"], "{value}");
    }
    assert_eq!(codes(&PLAN.replace("2026-12-08 14:00 Europe/Berlin", "[mm/dd/yy] [HH:MM]")), ["TM020"]);
    for value in ["Low/Medium", "Medium-High", "Low | Medium | High"] {
        assert_eq!(codes(&PLAN.replace("[ ] Low [x] Medium [ ] High", value)), ["TM030"], "{value}");
    }
    let below = PLAN.replace(
        "**Risk Level:** [ ] Low [x] Medium [ ] High  \n",
        "\n**Risk Level:**\n- [ ] Low\n- [x] Medium\n- [ ] High\n\n",
    );
    assert_eq!(reading(&below).plan.unwrap().risk, Some(plan::Risk::Medium));
    // Another member under the same name is another owner.
    let digest = |text: &str| reading(text).digest;
    let (one, two) = (PLAN.replace("(@ana)", "<@111>"), PLAN.replace("(@ana)", "<@222>"));
    assert_ne!(digest(&one), digest(&two));
}

#[test]
fn wrapped_items_keep_their_second_line() {
    let text = PLAN
        .replace(
            "1. **Stage 1:** 5% of users - 30 minutes  \n",
            "1. **Stage 1:** 5% of users\n   in EU - 30 minutes\n   - check dashboards\n   - 10% error budget\n",
        )
        .replace("- [ ] Engineering team notified (T-24h)", "- [ ] Engineering team\n  notified (T-24h)")
        .replace("Hold, and read the provider's own dashboard.", "Hold, and read\n  the provider's own dashboard.");
    let found = reading(&text);
    assert_eq!(found.diagnostics, []);
    let plan = found.plan.unwrap();
    assert_eq!((plan.stages.len(), plan.stages[0].percent, plan.stages[0].hold_min), (3, Some(5.0), Some(30)));
    assert_eq!(plan.rungs.len(), 3);
    assert!(plan.contingency[1].text.ends_with("own dashboard."), "{:?}", plan.contingency);
}

#[test]
fn fixes_are_safe() {
    let fixed = |text: &str| crate::plan_doc::fix(text.as_bytes()).unwrap().0;
    for same in [
        PLAN.replace("exceeds 2% for 5 minutes", "> 2% immediately"),
        PLAN.replace("exceeds 2% for 5 minutes", "exceeds 2% within the first hour"),
        PLAN.replace("## Deployment Strategy\n", "## Deployment Strategy\n\n### Rollout Stages\n"),
    ] {
        assert_eq!(fixed(&same), same);
    }
    let typo = PLAN.replace("**Release Type:**", "**Release Tpye:**");
    assert_eq!(fixed(&typo), PLAN);
    let zero = PLAN.replace("| Throughput | 1,200 rps", "| Errors | 0 | 0 | > 0 |\n| Throughput | 1,200 rps");
    assert!(fixed(&zero).contains("| Errors | 0 | ≤ 0 | > 0 |"), "{}", fixed(&zero));
}

#[test]
fn decimal_commas_are_never_numbers() {
    for (from, to) in [("5% of users - 30", "0,5 % of users - 30"), ("percentage: 5%", "percentage: 5,5%")] {
        let found = codes(&PLAN.replace(from, to));
        assert!(found.contains(&"TM050") || found.contains(&"TM032"), "{to}: {found:?}");
    }
}

#[test]
fn zones_are_explained_by_the_places_people_mean() {
    let problem = |text: &str| crate::plan_doc::parse_when(text, None).unwrap_err();
    let india = problem("2026-12-08 14:00 IST");
    assert!(india.help.contains("Asia/Kolkata") && india.help.contains("Asia/Jerusalem"), "{india:?}");
    let summer = problem("2027-07-08 14:00 PST");
    assert_eq!(summer.readings, ["2027-07-08 14:00 America/Los_Angeles", "2027-07-08 14:00 UTC-08:00"]);
    let when = |text: &str| crate::plan_doc::parse_when(text, None).unwrap().at.to_string();
    assert_eq!(when("2027-07-08 14:00 HST"), "2027-07-09T00:00:00Z");
    assert_eq!(when("2026-12-08 14:00+05:30"), "2026-12-08T08:30:00Z");
    assert_eq!(when("2026-12-08 (Tue) 2:30 p.m. UTC"), "2026-12-08T14:30:00Z");
    assert_eq!(problem("2026-12-08 14:00 - 15:00 UTC").code, "TM070");
    assert_eq!(problem("2026-12-08 13:00 UTC / 14:00 CET").code, "TM070");
    let text = PLAN.replace("2026-12-08 14:00 Europe/Berlin", "2026-12-08T14:00:00+02:00[Europe/Berlin]");
    assert_eq!(codes(&text), ["TM072"], "offset and zone contradict each other");
    let text = PLAN.replace("2026-12-08 14:00 Europe/Berlin", "2026-12-08 14:00 [Europe/Berlin]");
    assert_eq!(codes(&text), Vec::<&str>::new());
}

#[test]
fn too_much_is_said_not_dropped() {
    let many: String = (0..50).map(|n| format!("- [x] Metric number {n} exceeds 2% for 5 minutes\n")).collect();
    let text = PLAN.replace("- [x] Error rate exceeds 2% for 5 minutes\n", &many);
    assert!(codes(&text).contains(&"TM002"));
    let plan = reading(&text).plan.unwrap();
    assert_eq!(plan.triggers.len(), 40);
}

#[test]
fn names_of_signers_cannot_spoil_the_document() {
    for name in ["\u{202e}Bob", "| Bob |", "***", "\u{200f}", "Bob --> [x]", "Bob\n# Heading"] {
        let signed = crate::plan_doc::Signed { name: name.to_owned(), at: "2026-12-02 10:00 UTC".to_owned() };
        let filled = Filled { signed: [("sre_ops".to_owned(), signed)].into(), ..Filled::default() };
        for text in [PLAN.to_owned(), format!("{PLAN}\r")] {
            let once = export(text.as_bytes(), &filled).bytes;
            assert_eq!(export(&once, &filled).bytes, once, "{name:?}");
            assert_eq!(strip(&once), text.as_bytes(), "{name:?}");
            assert!(read(&once, &Setting::default()).plan.is_some(), "{name:?}");
        }
    }
}

#[test]
fn a_long_checklist_comes_home() {
    let boxes: String = (0..150).map(|n| format!("- [ ] Box-number-{n}: with-many-dashes--and-words\n")).collect();
    let text = format!("# List\n\n## Boxes\n\n{boxes}");
    let done = reading(&text).items.keys().cloned().collect();
    let filled = Filled { done, revision: Some(7), ..Filled::default() };
    let once = export(text.as_bytes(), &filled).bytes;
    assert!(read(&once, &Setting::default()).plan.is_some());
    assert_eq!((strip(&once), exported_revision(&once)), (text.clone().into_bytes(), Some(7)));
    let changed = String::from_utf8(once).unwrap().replacen("[x]", "[ ]", 1);
    assert_eq!(unticked(changed.as_bytes()), ["task/box-number-0-with-many-dashes-and-words"]);
}

#[test]
fn what_was_not_asked_is_not_said() {
    let text = PLAN
        .replace("- [ ] Support team briefed (T-2h)", "- [-] Support team briefed (T-2h)")
        .replace("- [ ] Status page", "- [ ] ~~Status page");
    assert_eq!(reading(&text).plan.unwrap().rungs.len(), 1);
    let high = PLAN
        .replace("[x] Medium [ ] High", "[ ] Medium [x] High")
        .replace("Security (if required): [Name] - [Date/Time]", "Security (if required): N/A");
    assert!(codes(&high).contains(&"TM082"));
    let whom = reading(&PLAN.replace("Support team briefed", "Legal and marketing teams informed")).plan.unwrap();
    assert_eq!(whom.rungs[1].audience.0, "legal-and-marketing");
}

#[test]
fn ids_do_not_depend_on_what_is_ticked() {
    let text = PLAN.replace("- [ ] Schedule retrospective if needed", "- [ ] Update `post-release-monitoring-log.md`");
    let done: std::collections::BTreeSet<String> =
        reading(&text).items.keys().filter(|id| id.starts_with("action/")).cloned().collect();
    assert_eq!(done.len(), 3);
    let filled = Filled { done, ..Filled::default() };
    let once = export(text.as_bytes(), &filled).bytes;
    assert_eq!(export(&once, &filled).bytes, once);
    assert_eq!(strip(&once), text.as_bytes());
}

#[test]
fn a_number_that_changes_the_meaning_is_never_dropped() {
    for line in [
        "At least 5 crashes per 1000 sessions for 15 minutes",
        "More than 20 errors per 10,000 requests for 5 minutes",
        "Error rate exceeds 1% after 10 minutes",
        "Error rate > 1-2% for 5 minutes",
        "Error rate > 2% for 5 min in more than one region",
    ] {
        assert_eq!(rules(line), [Value::Null], "{line}");
    }
    let long = rules("Batch duration > 2h30m for 5 minutes");
    assert_eq!((&long[0]["bound"]["value"], &long[0]["bound"]["unit"]), (&json!(150.0), &json!("min")));
    assert_eq!(rules("Error rate exceeds 2% for a minute")[0]["for_s"], 60);
    assert_eq!(rules("Error budget burn rate > 14.4x for 1h")[0]["bound"]["unit"], "x");
}

#[test]
fn a_point_that_may_group_thousands_is_asked_about() {
    for (from, to, code) in [
        ("| 200ms | < 250ms | > 400ms |", "| 1.200 ms | < 1.500 ms | > 2.000 ms |", "TM050"),
        ("| 200ms | < 250ms | > 400ms |", "| 1 200 ms | < 1 500 ms | > 2 000 ms |", "TM050"),
        ("Error rate exceeds 2% for 5 minutes", "P99 latency > 1.000 ms for 5 minutes", "TM060"),
    ] {
        assert!(codes(&PLAN.replace(from, to)).contains(&code), "{to}");
    }
    let precise = PLAN.replace("| 0.4% | < 1% | > 2% |", "| 0.125% | < 1.255% | > 2% |");
    assert_eq!(codes(&precise), Vec::<&str>::new());
}

#[test]
fn phrases_against_the_baseline() {
    for (line, key, value) in [
        ("Throughput drops to 50% of baseline for 5 minutes", "value", json!(600.0)),
        ("Throughput drops to 700 req/s for 5 minutes", "value", json!(700.0)),
    ] {
        assert_eq!(rules(line)[0]["bound"][key], value, "{line}: {:?}", rules(line));
    }
    let over = rules("P99 latency exceeds baseline by 110% for 5 minutes");
    assert_eq!((&over[0]["kind"], &over[0]["percent"]), (&json!("moves"), &json!(110.0)));
    let half = rules("Throughput drops by half for 10 minutes");
    assert_eq!((&half[0]["kind"], &half[0]["percent"]), (&json!("moves"), &json!(50.0)));
    let text = PLAN.replace("| 0.4% | < 1% | > 2% |", "| 0.4% | no worse than baseline | > 2% |");
    assert!(codes(&text).contains(&"TM050"));
}

#[test]
fn a_lost_heading_or_label_is_one_finding() {
    let lost = PLAN.replace("## Communication Plan\n\n", "");
    let read = reading(&lost).plan.unwrap();
    assert_eq!((read.rungs.len(), read.triggers.len()), (3, 3));
    assert_eq!(codes(&lost), ["TM010"]);
    assert_eq!(codes(&PLAN.replace("**Technical Prerequisites:**\n", "")), ["TM010"]);
    let related = reading(PLAN).plan.unwrap().gates.len();
    assert_eq!(reading(&PLAN.replace("**Technical Prerequisites:**\n", "")).plan.unwrap().gates.len(), related);
}

#[test]
fn one_empty_line_is_one_finding() {
    let line = |starts: &str| PLAN.lines().find(|l| l.trim_start().starts_with(starts)).unwrap().to_owned();
    let risk = line("1. **Risk:**");
    let stage = line("2. **Stage 2:**");
    for (from, to, code) in [
        (risk.as_str(), "1. **Risk:**  ", "TM021"),
        (stage.as_str(), "2. **Stage 2:**", "TM021"),
        (line("1. **Stage 1:**").as_str(), "", "TM042"),
        ("- [ ] Slack channel: #releases", "- [ ] Slack channel:", "TM020"),
        (line("- [ ] Monitor dashboards").as_str(), "- [ ] Monitor dashboards", "TM021"),
    ] {
        assert!(PLAN.contains(from), "{from}");
        let found = codes(&PLAN.replace(&format!("{from}\n"), &format!("{to}\n")));
        let found: Vec<_> = found.into_iter().filter(|code| *code != "TM033").collect();
        assert_eq!(found, [code], "{to}");
    }
    let high = PLAN.replace("[x] Medium [ ] High", "[ ] Medium [x] High").replace(&stage, "2. **Stage 2:**");
    assert!(reading(&high).diagnostics.iter().any(|d| d.code == "TM021" && d.severity == Severity::Error));
    let last = PLAN.lines().find(|l| l.starts_with("3. **Stage 3:**")).unwrap();
    assert_eq!(codes(&PLAN.replace(last, "3. **Stage 3:** 100% - ongoing")), Vec::<&str>::new());
}

#[test]
fn an_escalation_path_may_stand_on_items() {
    let path = PLAN.lines().find(|l| l.starts_with("- [ ] Escalation path:")).unwrap();
    let nested = "- [ ] Escalation path:\n  1. Ben Okafor (@ben)\n  2. Eva Brandt (@eva)";
    let names = |text: &str| {
        let plan = reading(text).plan.unwrap();
        plan.escalation.iter().filter_map(|c| c.handle.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&PLAN.replace(path, nested)), ["ben", "eva"]);
    assert_eq!(codes(&PLAN.replace(path, nested)), Vec::<&str>::new());
    assert_eq!(codes(&PLAN.replace(path, "- [ ] Escalation path:")), ["TM021"]);
    let foreign = "# Launch\n\n## Communication\n\n**Escalation:**\n- L1: Ben (@ben)\n- L2: Eva (@eva)\n";
    assert_eq!(names(foreign), ["ben", "eva"]);
}

#[test]
fn signoffs_may_be_a_table_and_roles_have_other_names() {
    let text = "# Launch of X\n\n**Launch Date:** 2026-12-08 14:00 UTC\n\n## Go/No-Go Decision\n\n\
                | Role | Name | Vote |\n|---|---|---|\n| Tech Lead | Ana (@ana) | |\n| Product Manager | [name] | |\n\
                | Legal | Kim | |\n";
    let plan = reading(text).plan.unwrap();
    let found: Vec<_> = plan.signoffs.iter().map(|s| (s.role.slug(), s.name.as_deref())).collect();
    assert_eq!(found, [("engineering_lead", Some("Ana (@ana)")), ("product_owner", None)]);
    let text = "# X\n\n## 切り戻し基準\n\n- [ ] error rate > 5% for 5 minutes\n";
    assert_eq!(reading(text).plan.unwrap().triggers.len(), 1);
}

#[test]
fn closing_dates_are_looked_at() {
    let updated = PLAN.lines().find(|l| l.starts_with("**Last Updated:**")).unwrap();
    assert_eq!(codes(&PLAN.replace(updated, "**Last Updated:** 2026-12-25  ")), ["TM084"]);
    let review = PLAN.lines().find(|l| l.starts_with("**Next Review:**")).unwrap();
    assert_eq!(codes(&PLAN.replace(review, "**Next Review:** 2026-12-03")), ["TM078"]);
    assert_eq!(codes(&PLAN.replace("Ana Ferreira (@ana)  ", "Ana Ferreira (@ana), Ben (@ben)  ")), ["TM080"]);
}

#[test]
fn a_state_that_fills_nothing_adds_nothing() {
    let updated = PLAN.lines().find(|l| l.starts_with("**Last Updated:**")).unwrap();
    let text = PLAN.replace(updated, "**Last Updated:** 2026-11-28  ");
    let filled: Filled = serde_json::from_value(json!({"updated": "2026-12-02"})).unwrap();
    assert_eq!(export(text.as_bytes(), &filled).bytes, text.as_bytes());
    // A name the author wrote stays; who signed stands in the log.
    let slot = text.lines().find(|l| l.starts_with("- [ ] Engineering Lead:")).unwrap();
    let text = text.replace(slot, "- [ ] Engineering Lead: Ines Koch");
    let signed = json!({"signed": {"engineering_lead": {"name": "Ines Koch", "at": "2026-12-01 10:00 UTC"}}});
    let filled: Filled = serde_json::from_value(signed).unwrap();
    let out = export(text.as_bytes(), &filled).bytes;
    assert!(
        String::from_utf8(out.clone())
            .unwrap()
            .contains("- Ines Koch signed as Engineering Lead, 2026-12-01 10:00 UTC")
    );
    assert_eq!(strip(&out), text.as_bytes());
    assert_eq!(export(&out, &filled).bytes, out);
}
