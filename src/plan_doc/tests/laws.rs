//! The laws of giving back, on every fixture and on mutated ones.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{FIXTURES, PLAN, reading};
use crate::plan_doc::{Filled, Observed, Signed, export, merge, strip};

/// Everything of a document done, signed, observed, logged.
fn everything(text: &str) -> Filled {
    let reading = reading(text);
    let fits =
        |id: &str, check: &super::super::checkbox::Check| !id.starts_with("trigger/") && check.ticked(text).is_some();
    let done: BTreeSet<String> =
        reading.items.iter().filter(|(id, check)| fits(id, check)).map(|(id, _)| id.clone()).collect();
    let signed = Signed { name: "Chloé | Martin --> [x]".to_owned(), at: "2026-12-02 10:00 Europe/Berlin".to_owned() };
    Filled {
        revision: Some(3),
        signed: reading
            .slots
            .keys()
            .filter_map(|s| s.strip_prefix("signoff/"))
            .map(|s| (s.to_owned(), signed.clone()))
            .collect(),
        done,
        updated: Some("2026-12-02".to_owned()),
        t0: None,
        observed: vec![Observed {
            metric: "P99 | Latency".to_owned(),
            baseline: "200ms".to_owned(),
            observed: "210ms".to_owned(),
            window: "latest".to_owned(),
            verdict: "ok".to_owned(),
            at: "2026-12-08 15:00".to_owned(),
            source: "prod <!-- tminus:end observed -->".to_owned(),
        }],
        log: vec!["T-24h · told engineering -->".to_owned()],
    }
}

/// Holds the laws for one document and one state.
fn hold(text: &str, filled: &Filled) {
    assert_eq!(export(text.as_bytes(), &Filled::default()).bytes, text.as_bytes(), "no state, same bytes");
    if super::super::blocks::admit(text.as_bytes()).is_err() || text.contains("tminus:") {
        return;
    }
    let before = reading(text);
    if before.plan.is_none() {
        return;
    }
    let once = export(text.as_bytes(), filled).bytes;
    let twice = export(&once, filled).bytes;
    assert_eq!(String::from_utf8_lossy(&twice), String::from_utf8_lossy(&once), "twice is once");
    assert_eq!(String::from_utf8_lossy(&strip(&once)), text, "strip gives the original back");
    // Outside the bot's blocks, k items touch at most k lines.
    let once = String::from_utf8(once).unwrap();
    let own = super::super::bot_blocks::ranges(&once);
    let outside = super::super::diagnostics::patch(&once, own.into_iter().map(|block| (block.whole, String::new())));
    assert_eq!(outside.lines().count(), text.lines().count(), "no line comes or goes");
    let touched = outside.lines().zip(text.lines()).filter(|(a, b)| a != b).count();
    let items: BTreeSet<&str> = filled
        .done
        .iter()
        .map(|id| id.trim_start_matches("signoff/"))
        .chain(filled.signed.keys().map(String::as_str))
        .collect();
    assert!(
        touched <= items.len() + usize::from(filled.updated.is_some()),
        "{touched} lines for {} items",
        items.len()
    );
    // The plan is the same, but for what was ticked.
    let after = reading(&once).plan.unwrap();
    let mut plan = before.plan.unwrap();
    for gate in &mut plan.gates {
        gate.done |= filled.done.contains(&format!("gate/{}", gate.id));
    }
    for task in &mut plan.tasks {
        task.done |= filled.done.contains(&format!("task/{}", task.id));
    }
    assert_eq!((after.t0, after.stages, after.metrics, after.gates), (plan.t0, plan.stages, plan.metrics, plan.gates));
    assert_eq!((after.triggers, after.points, after.tasks), (plan.triggers, plan.points, plan.tasks));
}

#[test]
fn the_laws_hold_on_every_fixture() {
    for (name, text, _) in FIXTURES {
        for text in
            [(*text).to_owned(), text.replace('\n', "\r\n"), format!("\u{feff}{text}"), text.trim_end().to_owned()]
        {
            let filled = everything(&text);
            assert!(!filled.done.is_empty(), "{name}");
            hold(&text, &filled);
            hold(&text, &Filled { log: vec!["line".to_owned()], ..Filled::default() });
        }
    }
}

#[test]
fn each_box_is_one_byte_and_one_line() {
    for (name, text, _) in FIXTURES {
        let reading = reading(text);
        for (id, check) in &reading.items {
            let Some(ticked) = check.ticked(text) else { continue };
            let out = crate::plan_doc::diagnostics::patch(text, [(check.range(), ticked.to_owned())]);
            assert_eq!(out.len(), text.len(), "{name}: {id}");
            assert_eq!(out.lines().zip(text.lines()).filter(|(a, b)| a != b).count(), 1, "{name}: {id}");
            let back = crate::plan_doc::diagnostics::patch(&out, [(check.range(), text[check.range()].to_owned())]);
            assert_eq!(&back, text);
        }
    }
}

#[test]
fn a_block_edited_by_hand_is_kept() {
    let filled = everything(PLAN);
    let once = String::from_utf8(export(PLAN.as_bytes(), &filled).bytes).unwrap();
    let edited = once.replace("| 210ms |", "| 999ms, see below |");
    assert_ne!(edited, once);
    let again = String::from_utf8(export(edited.as_bytes(), &filled).bytes).unwrap();
    assert!(again.contains("999ms, see below"));
    assert_eq!(again.matches("tminus:begin observed").count(), 1);
    assert!(super::codes(&edited).contains(&"TM007"));
}

#[test]
fn what_has_no_box_is_reported_not_guessed() {
    let done = ["gate/nowhere".to_owned(), "all-clear".to_owned()].into();
    let exported = export(PLAN.as_bytes(), &Filled { done, ..Filled::default() });
    assert_eq!(exported.unplaced, ["gate/nowhere"]);
}

#[test]
fn a_name_the_human_wrote_stays() {
    let text = PLAN.replace("SRE/Ops: [Name]", "SRE/Ops: Eva Novak");
    let signed = BTreeMap::from([(
        "sre_ops".to_owned(),
        Signed { name: "Max".to_owned(), at: "2026-12-02 10:00 UTC".to_owned() },
    )]);
    let out = String::from_utf8(export(text.as_bytes(), &Filled { signed, ..Filled::default() }).bytes).unwrap();
    assert!(out.contains("SRE/Ops: Eva Novak - 2026-12-02 10:00 UTC (signed by Max)"), "{out}");
}

#[test]
fn an_item_is_found_again_under_nearly_the_same_words() {
    let done: BTreeSet<String> =
        ["gate/all-tests-passing-in-ci-cd-pipeline", "gate/database-migrations-tested-and-ready"]
            .map(str::to_owned)
            .into();
    let edited = PLAN
        .replace("All tests passing in CI/CD pipeline", "All tests passing in the CI/CD pipeline")
        .replace("- [x] Database migrations tested and ready\n", "")
        .replace("- [ ] Dependencies deployed", "- [x] Dependencies deployed");
    let (old, new) = (reading(PLAN), reading(&edited));
    let found = merge(&old, &new, &done);
    assert_eq!(
        found.renamed.get("gate/all-tests-passing-in-ci-cd-pipeline").map(String::as_str),
        Some("gate/all-tests-passing-in-the-ci-cd-pipeline")
    );
    assert_eq!(found.lost, ["gate/database-migrations-tested-and-ready"]);
    assert_eq!(found.adopted, ["gate/dependencies-deployed-and-stable"]);
    let codes: Vec<_> = found.diagnostics(&old, &new, true).iter().map(|d| d.code).collect();
    assert_eq!(codes, ["TM093", "TM094", "TM094", "TM092"]);
}

#[test]
fn a_revision_alone_fills_nothing() {
    let filled: Filled = serde_json::from_str(r#"{"revision": 1}"#).unwrap();
    for (name, text, _) in FIXTURES {
        assert_eq!(export(text.as_bytes(), &filled).bytes, text.as_bytes(), "{name}");
    }
}

#[test]
fn a_moved_t0_is_exported_and_stripped() {
    let moved = |t0: &str| Filled { t0: Some(t0.to_owned()), ..Filled::default() };
    let filled = moved("2026-12-09 15:30 Europe/Berlin");
    let out = String::from_utf8(export(PLAN.as_bytes(), &filled).bytes).unwrap();
    assert!(out.contains("**Release Date/Time:** 2026-12-09 15:30 Europe/Berlin  \n"), "{out}");
    let t0 = reading(&out).plan.unwrap().t0_at();
    assert_eq!(t0.map(|at| at.to_string()).as_deref(), Some("2026-12-09T14:30:00Z"));
    assert_eq!(export(out.as_bytes(), &filled).bytes, out.as_bytes());
    assert_eq!(strip(out.as_bytes()), PLAN.as_bytes());
    // The same instant in other words is no move.
    assert_eq!(export(PLAN.as_bytes(), &moved("2026-12-08 13:00 UTC")).bytes, PLAN.as_bytes());
    let nowhere = export(b"# List\n\n- [ ] A box\n", &filled);
    assert_eq!(nowhere.unplaced, ["T-0, 2026-12-09 15:30 Europe/Berlin"]);
}

#[test]
fn the_log_keeps_every_character() {
    let line = "Error rate > 2%, p99 < 400ms <b>a</b> [x] `y` a|b -> c";
    let filled = Filled { log: vec![line.to_owned(), "> 2%".to_owned()], ..Filled::default() };
    let out = String::from_utf8(export(PLAN.as_bytes(), &filled).bytes).unwrap();
    let want = r"- Error rate > 2%, p99 < 400ms \<b>a\</b> \[x\] \`y\` a\|b -> c";
    assert!(out.contains(&format!("{want}\n- \\> 2%\n")), "{out}");
    assert_eq!(strip(out.as_bytes()), PLAN.as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    /// The laws hold on documents somebody edited without care.
    #[test]
    fn the_laws_hold_on_mutated_documents(
        which in 0..FIXTURES.len(), at in 0.0..1.0f64, cut in 0usize..60,
        junk in "\\PC{0,8}|[\\[\\]|`*_#>x \n-]{0,10}", crlf: bool,
    ) {
        let text = FIXTURES[which].1;
        let mut start = (at * text.len() as f64) as usize;
        while !text.is_char_boundary(start) { start -= 1; }
        let mut end = (start + cut).min(text.len());
        while !text.is_char_boundary(end) { end += 1; }
        let mut text = format!("{}{junk}{}", &text[..start], &text[end..]);
        if crlf { text = text.replace('\n', "\r\n"); }
        let filled = everything(&text);
        hold(&text, &filled);
    }
}
