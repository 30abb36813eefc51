//! What counts as a tick: signs used as bullets, boxes and states in tables, conditions of a no-go.

use super::{PLAN, codes, reading};
use crate::domain::plan;
use crate::plan_doc::{Filled, Reading, export, strip};

/// A plan of another structure with some lines under its prerequisites.
fn document(lines: &str) -> String {
    format!("# Ship it\n\n**Go-Live**: 2026-12-08 14:00 UTC\n\n## Prerequisites\n\n{lines}\n")
}

fn gates(lines: &str) -> Vec<(String, bool)> {
    let plan = reading(&document(lines)).plan.unwrap();
    plan.gates.into_iter().map(|gate| (gate.text, gate.done)).collect()
}

/// What the one finding about boxes says.
fn told(reading: &Reading) -> Vec<&str> {
    reading.diagnostics.iter().filter(|d| d.code == "TM095").map(|d| d.message.as_str()).collect()
}

fn owned(gates: &[(&str, bool)]) -> Vec<(String, bool)> {
    gates.iter().map(|(text, done)| ((*text).to_owned(), *done)).collect()
}

#[test]
fn signs_without_boxes_are_bullets() {
    for lines in [
        "- ✅ DO warm the cache\n- ❌ DO NOT skip the canary",
        "1. ✔ The disk is large enough\n2. ⚠️ Nobody knows the cache",
        "✅ Everybody is at work\n✅ The dry run took an hour",
        "- Rules\n  - ✅ DO warm the cache\n  - ❌ DO NOT skip the canary\n- ✔️ Others",
    ] {
        assert_eq!(gates(lines), owned(&[]), "{lines}");
    }
    let found = reading(&document("- ✅ DO warm the cache\n- ❌ DO NOT skip the canary"));
    assert_eq!(told(&found), ["2 lines use ✅, ❌ or ⚠️ as bullets."]);
    let text = "# Move\n\n## Success criteria\n\n- ✅ No order is lost\n- ✅ Error rate below 1%\n";
    let plan = reading(text).plan.unwrap();
    assert_eq!((plan.tasks, plan.metrics.len()), (vec![], 1));
}

#[test]
fn signs_among_boxes_are_states() {
    let lines = "- [ ] Load test\n- ✅ Backup taken\n- ❌ Cache warm\n- ⬜ DNS moved";
    let want = [("Load test", false), ("Backup taken", true), ("Cache warm", false), ("DNS moved", false)];
    assert_eq!(gates(lines), owned(&want));
    assert_eq!(told(&reading(&document(lines))), ["1 of 4 boxes came ticked."]);
}

#[test]
fn choices_may_be_made_with_signs() {
    let text =
        "# Move\n\n**Risk Level:**\n\n- ❌ Low\n- ✅ Medium\n- ❌ High\n\n## Deployment Strategy\n\n- ✅ Blue-Green\n";
    let plan = reading(text).plan.unwrap();
    assert_eq!(plan.risk, Some(plan::Risk::Medium));
    assert_eq!(plan.approaches, [plan::Approach::BlueGreen]);
}

#[test]
fn no_go_conditions_are_never_gates() {
    for label in ["**NO-GO if**:", "### No-Go conditions", "NO-GO if:", "**Do not go if:**", "**Abort if:**"] {
        let lines = format!("- [ ] Backup taken\n\n{label}\n\n- [ ] Any P1 is open\n- ❌ A role is empty");
        assert_eq!(gates(&lines), owned(&[("Backup taken", false)]), "{label}");
        let found = reading(&document(&lines));
        assert_eq!(told(&found), ["2 no-go conditions are not gates."], "{label}");
        assert!(!found.items.keys().any(|id| id.contains("p1") || id.contains("role")), "{label}");
    }
    assert_eq!(gates("- [ ] NO-GO if the freeze holds"), owned(&[]));
    let both = "**NO-GO if**:\n\n- [ ] A role is empty\n\n**GO if**:\n\n- [ ] All roles are filled";
    assert_eq!(gates(both), owned(&[("All roles are filled", false)]));
    let asked = reading("# Move\n\n## Go/No-Go Criteria\n\n- [ ] The tests pass\n").plan.unwrap();
    assert_eq!(asked.gates.len(), 1, "a heading that asks both ways");
}

#[test]
fn boxes_in_table_cells_are_read() {
    for (table, want) in [
        (
            "| Ready | Step | Who |\n|--|--|--|\n| [ ] | Backup taken | DBA |\n| [x] | Flags set | Dev |",
            &[("Backup taken", false), ("Flags set", true)][..],
        ),
        (
            "| Task | Done |\n|--|--|\n| Pager tested | ☐ |\n| DNS moved | ☑ |",
            &[("Pager tested", false), ("DNS moved", true)],
        ),
        ("| Check | Step |\n|--|--|\n| ☐ | Pager tested |", &[("Pager tested", false)]),
        ("| Item |\n|--|\n| - [ ] Smoke test |", &[("Smoke test", false)]),
        ("| Check | Go | No-Go |\n|--|--|--|\n| Latency is flat | ☑ | ☐ |", &[("Latency is flat", true)]),
        ("| Do | Avoid |\n|--|--|\n| ✅ Announce it | ❌ Deploy by hand |", &[]),
        ("| Task | Dev | Prod |\n|--|--|--|\n| Deploy | [x] | [ ] |", &[]),
    ] {
        assert_eq!(gates(table), owned(want), "{table}");
    }
    let several = reading(&document("| Task | Dev | Prod |\n|--|--|--|\n| Deploy | [x] | [ ] |"));
    assert_eq!(told(&several), ["1 table row has several boxes."]);
    let fields = "# Move\n\n## Overview\n\n| Field | Value |\n|--|--|\n| Risk | ☐ Low ☑ High |\n";
    assert_eq!(reading(fields).plan.unwrap().risk, Some(plan::Risk::High));
}

#[test]
fn a_box_in_a_cell_is_ticked_and_unticked() {
    let text = document("| Task | Who | Done |\n|--|--|--|\n| Backup \\| copy | DBA | [ ] |\n| Pager | SRE | ☐ |");
    let done = reading(&text).items.keys().cloned().collect();
    let filled = Filled { done, ..Filled::default() };
    let out = String::from_utf8(export(text.as_bytes(), &filled).bytes).unwrap();
    assert!(out.contains("| DBA | [x] |") && out.contains("| SRE | ☑ |"), "{out}");
    assert_eq!(export(out.as_bytes(), &filled).bytes, out.as_bytes());
    assert_eq!(strip(out.as_bytes()), text.as_bytes());
    assert_eq!(reading(&out).plan.unwrap().gates.iter().filter(|gate| gate.done).count(), 2);
}

#[test]
fn a_status_column_counts_by_whole_cells() {
    let rows = [
        ("Schema", "Done", true),
        ("Flags", "✅ Done (2026-12-01)", true),
        ("Keys", "✅", true),
        ("Banner", "N/A", true),
        ("Pager", "Pending", false),
        ("Load test", "🔄 In progress", false),
        ("Cache", "Done, but not verified", false),
        ("Backup", "50% done", false),
        ("Mail", "❌", false),
        ("DNS", "", false),
        ("Proxy", "☐ Pending ☑ Done", true),
    ];
    let body: String = rows.iter().map(|(task, status, _)| format!("| {task} | {status} |\n")).collect();
    let want: Vec<(String, bool)> = rows.iter().map(|(task, _, done)| ((*task).to_owned(), *done)).collect();
    assert_eq!(gates(&format!("| Task | Status |\n|--|--|\n{body}")), want);
    // Words nobody knows as a state are no checklist.
    let found = reading(&document("| Dependency | Status |\n|--|--|\n| Payments | stable |"));
    assert_eq!(told(&found), ["1 line has no box."]);
    assert_eq!(found.plan.unwrap().gates, []);
}

#[test]
fn lines_without_boxes_are_counted_once() {
    let found = reading(&document("- Node 22\n- Docker\n  - with compose\n\n✅ Licence paid"));
    assert_eq!(told(&found), ["1 line uses ✅, ❌ or ⚠️ as a bullet; 2 lines have no box."]);
    let template = PLAN.replace("- [ ] Dependencies deployed", "- Dependencies deployed");
    assert_eq!(codes(&template), ["TM095"]);
}

#[test]
fn a_signoff_table_has_boxes_too() {
    let text = "# Move\n\n## Sign-offs\n\n| Role | Name | Signed |\n|--|--|--|\n| Tech Lead | Ana (@ana) | ☐ |\n| Product Owner | ☑ | |\n";
    let found = reading(text);
    assert!(found.items.contains_key("signoff/engineering_lead") && codes(text).contains(&"TM085"));
    let names: Vec<_> = found.plan.unwrap().signoffs.into_iter().map(|signoff| signoff.name).collect();
    assert_eq!(names, [Some("Ana (@ana)".to_owned()), None]);
}
