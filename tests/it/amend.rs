//! A plan changed while its release runs: owner and on-call together, on the record, shown as a diff.

use tminus::sandboxed::{PLAN, t};

use crate::rig::{Rig, shown, text};

async fn live() -> Rig {
    let rig = Rig::approved().await;
    rig.advance(t(0)).await;
    assert!(rig.slash("ana", "release go", &[]).await.contains("is live"));
    rig
}

async fn propose(rig: &Rig, who: &str, plan: &str) -> String {
    let seen = rig
        .sandbox()
        .slash(who, "releases", "release import", &[("release", "REL-1")], Some(("checkout-4.2.md", plan.as_bytes())))
        .await
        .unwrap();
    rig.quiet().await;
    shown(&seen)
}

/// The message that says so, once edits had their time.
async fn said(rig: &Rig, needle: &str) -> String {
    rig.advance(rig.sandbox().clock().now_ms() + 5_000).await;
    let found = rig.sandbox().messages("releases").iter().map(text).find(|message| message.contains(needle));
    found.unwrap_or_else(|| panic!("nothing says {needle}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thresholds_and_stages_change_once_owner_and_on_call_agree() {
    let rig = live().await;
    let plan = PLAN
        .replace("| P99 Latency | 200ms | < 250ms | > 400ms |", "| P99 Latency | 200ms | < 300ms | > 500ms |")
        .replace("5% of users - 30 minutes", "5% of users - 45 minutes")
        .replace("latency exceeds 400ms", "latency exceeds 500ms");
    let answer = propose(&rig, "iris", &plan).await;
    assert!(answer.contains("Amendment #1 proposed. It takes effect once"), "{answer}");
    let asked = said(&rig, "📝 Amendment #1 proposed").await;
    assert!(asked.contains("calls @ana @ben") && asked.contains("Waiting for @ana and @ben."), "{asked}");
    for change in
        ["Stage 1: 5% of users - 30 minutes → **5% of users - 45 minutes", "Metric P99 Latency", "exceeds 500ms"]
    {
        assert!(asked.contains(change), "{change}: {asked}");
    }
    let denied = rig.press("eva", "releases", "Agree", &[]).await;
    assert!(denied.contains("Ask: the release owner, the on-call engineer"), "{denied}");
    assert!(rig.press("ben", "releases", "Agree", &[]).await.contains("You agreed to amendment #1"));
    assert!(rig.press("ben", "releases", "Agree", &[]).await.contains("the other role has not yet"));
    let half = said(&rig, "📝 Amendment #1 proposed").await;
    assert!(half.contains("Agreed: @ben") && half.contains("Waiting for @ana."), "{half}");
    assert!(rig.slash("ana", "release show", &[]).await.contains("soaks until 13:30"), "nothing holds yet");
    let done = rig.slash("ana", "release amend", &[("answer", "agree")]).await;
    assert!(done.contains("Amendment #1 is now in effect"), "{done}");
    let announced = said(&rig, "📝 Plan amended").await;
    assert!(announced.contains("@ben and @ana agreed") && announced.contains("Metric P99 Latency"), "{announced}");
    assert!(said(&rig, "✅ Amendment #1 agreed").await.lines().all(|line| !line.contains("[Agree]")));
    let card = rig.slash("ana", "release show", &[]).await;
    assert!(card.contains("soaks until 13:45") && card.contains("success < 300ms"), "{card}");
    // The export is the document that holds now.
    let seen = rig.sandbox().slash("ana", "releases", "release export", &[], None).await.unwrap();
    let chat_sandbox::Seen::Message(message) = &seen else { panic!("no message") };
    let exported = String::from_utf8(message.file().unwrap().1).unwrap();
    assert!(exported.contains("< 300ms") && exported.contains("45 minutes"), "{exported}");
    // The new threshold is the one that is judged.
    let seen = rig.slash("ana", "release alert report", &[("metric", "P99 Latency"), ("text", "290ms")]).await;
    assert!(seen.starts_with("✅"), "{seen}");
    assert!(rig.slash("ana", "release show", &[]).await.contains("P99 Latency: **290ms** ok"));
    rig.advance(t(46)).await;
    assert_eq!(rig.count("releases", "1 soak complete · REL-1"), 1);
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_or_belongs_to_another_day_is_not_amended() {
    let rig = live().await;
    for (from, to, why) in [
        ("[x] Medium [ ] High", "[ ] Medium [x] High", "Risk Level"),
        ("Checkout 4.2: new payment step", "Checkout 4.3", "Feature/Change"),
        ("(@ben)", "(@eva)", "On-Call Engineer"),
    ] {
        let answer = propose(&rig, "ana", &PLAN.replace(from, to)).await;
        assert!(answer.contains("can't change this while the release runs") && answer.contains(why), "{answer}");
    }
    // What comes too late is always named, an order as well.
    let (first, second) =
        ("- [x] All tests passing in CI/CD pipeline\n", "- [x] Feature flags configured (if applicable)\n");
    let turned = PLAN.replace(&format!("{first}{second}"), &format!("{second}{first}"));
    assert_ne!(turned, PLAN);
    let turned = propose(&rig, "ana", &turned).await;
    assert!(turned.contains("can't change this while the release runs: the order of notices or gates"), "{turned}");
    let same = propose(&rig, "ana", PLAN).await;
    assert!(same.contains("this is the current plan"), "{same}");
    rig.slash("ana", "release stage", &[("stage", "advance"), ("reason", "all is calm")]).await;
    let late = propose(&rig, "ana", &PLAN.replace("5% of users - 30", "5% of users - 40")).await;
    assert!(late.contains("completed stages"), "{late}");
    let denied = propose(&rig, "hugo", &PLAN.replace("100% of users - 1 hour", "100% of users - 2 hours")).await;
    assert!(denied.contains("You don't have permission"), "{denied}");
    // The owner's own proposal has the owner's agreement; on-call declines it; then another takes its place.
    let first = propose(&rig, "ana", &PLAN.replace("100% of users - 1 hour", "100% of users - 2 hours")).await;
    assert!(first.contains("You agreed to amendment #1"), "{first}");
    let second = propose(&rig, "ana", &PLAN.replace("100% of users - 1 hour", "100% of users - 3 hours")).await;
    assert!(second.contains("You agreed to amendment #2"), "{second}");
    assert!(said(&rig, "Amendment #1 superseded").await.contains("2 hours"));
    let no = rig.press("ben", "releases", "Decline", &[("text", "one hour is what we planned for")]).await;
    assert!(no.contains("Amendment #2 declined"), "{no}");
    assert!(said(&rig, "⛔ Amendment #2 declined").await.contains("Ben Okafor: “one hour is what we planned for”"));
    let gone = rig.slash("ben", "release amend", &[("answer", "agree")]).await;
    assert!(gone.contains("There is no open amendment"), "{gone}");
    assert!(rig.slash("ana", "release show", &[]).await.contains("stage 2 of 3"));
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_one_person_has_both_parts_a_release_manager_is_the_second() {
    let rig = live().await;
    let answer = rig.slash("ana", "release handover", &[("part", "on_call"), ("to", rig.id("ana").as_str())]).await;
    assert!(answer.starts_with("✅"), "{answer}");
    let answer = propose(&rig, "ana", &PLAN.replace("every: 30 minutes", "every: 15 minutes")).await;
    assert!(answer.contains("You agreed to amendment #1"), "{answer}");
    assert!(
        said(&rig, "📝 Amendment #1 proposed")
            .await
            .contains("a release manager, because one person is both owner and on-call")
    );
    assert!(rig.press("iris", "releases", "Agree", &[]).await.contains("is now in effect"));
    rig.advance(t(16)).await;
    assert_eq!(rig.count("releases", "⏳ Update overdue"), 1, "{}", rig.newest("releases"));
    rig.finish().await;
}

/// Found by review: the old threshold fired at once, because a dropped trigger waited for nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trigger_that_is_pending_when_it_is_dropped_fires_no_more() {
    let rig = live().await;
    let report = async |value: &str| {
        rig.slash("ben", "release alert report", &[("metric", "P99 Latency"), ("text", value)]).await
    };
    rig.advance(t(1)).await;
    assert!(report("450ms").await.starts_with('✅'));
    let plan = PLAN
        .replace("| P99 Latency | 200ms | < 250ms | > 400ms |", "| P99 Latency | 200ms | < 250ms | > 500ms |")
        .replace("latency exceeds 400ms", "latency exceeds 500ms");
    propose(&rig, "ana", &plan).await;
    assert!(rig.press("ben", "releases", "Agree", &[]).await.contains("is now in effect"));
    rig.advance(t(20)).await;
    assert_eq!(rig.count("releases", "🚨"), 0, "{}", rig.newest("releases"));
    rig.finish().await;
}

/// Found by review: what was proposed for a run that was taken back could replace a plan that was signed anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proposal_ends_with_the_run_and_agreements_with_their_part() {
    let rig = live().await;
    let plan = PLAN.replace("100% of users - 1 hour", "100% of users - 2 hours");
    propose(&rig, "iris", &plan).await;
    assert!(
        rig.slash("ana", "release handover", &[("part", "on_call"), ("to", rig.id("eva").as_str())])
            .await
            .starts_with('✅')
    );
    assert!(said(&rig, "📝 Amendment #1 proposed").await.contains("Waiting for @ana and @eva."));
    assert!(rig.press("eva", "releases", "Agree", &[]).await.contains("You agreed"));
    rig.slash("ana", "release handover", &[("part", "on_call"), ("to", rig.id("ben").as_str())]).await;
    assert!(
        said(&rig, "📝 Amendment #1 proposed").await.contains("Waiting for @ana and @ben."),
        "eva has no part any more"
    );
    let undone = rig.press("ana", "releases", "Undo", &[]).await;
    assert!(undone.contains("Undone"), "{undone}");
    assert!(said(&rig, "Amendment #1 lapsed").await.contains("2 hours"));
    let late = rig.slash("ben", "release amend", &[("answer", "agree")]).await;
    assert!(late.starts_with('⛔'), "{late}");
    rig.finish().await;
}
