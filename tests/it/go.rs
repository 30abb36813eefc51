//! What stands against go beside sign-offs, freezes and concerns: whoever must hear of it could not.

use chat_sandbox::Right;
use tminus::sandboxed::{PLAN, t};

use crate::rig::{Rig, shown};

/// Go that nobody would hear of is not given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_waits_for_a_release_channel_that_takes_messages() {
    let rig = Rig::approved().await;
    rig.advance(t(-3)).await;
    rig.sandbox().revoke(Right::SendMessages, Some("releases"), true);
    let raised = [("reason", "The provider is slow")];
    rig.sandbox().slash("chloe", "support", "release concern raise", &raised, None).await.unwrap();
    rig.sandbox()
        .slash("chloe", "support", "release concern resolve", &[("concern", "1"), ("reason", "It is not")], None)
        .await
        .unwrap();
    rig.advance(t(0)).await;
    let seen = rig.sandbox().slash("ana", "support", "release go", &[], None).await.unwrap();
    let refused = shown(&seen);
    assert!(refused.contains("T-Minus cannot post in #releases"), "{refused}");
    rig.sandbox().revoke(Right::SendMessages, Some("releases"), false);
    rig.advance(t(10)).await;
    let seen = rig.sandbox().slash("ana", "support", "release go", &[], None).await.unwrap();
    assert!(shown(&seen).starts_with("✅"), "{}", shown(&seen));
    rig.finish().await;
}

/// At High risk whoever is to be called must be somebody who can be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_high_risk_plan_waits_for_an_escalation_path_that_can_be_called() {
    let rig = Rig::strict(&[]).await;
    let plan = PLAN.replace("[x] Medium [ ] High", "[ ] Medium [x] High").replace("→ Eva Novak (@eva)", "→ Eva Novak");
    rig.import("ana", "plan.md", plan.as_bytes()).await;
    // Before anybody signs: whoever mends it then would ask them all again.
    let refused = rig.slash("ana", "release submit", &[]).await;
    let named = "the escalation path names people who are not members here: Eva Novak (add the handle";
    assert!(refused.starts_with("⛔ You can't") && refused.contains(named), "{refused}");
    let mended = plan.replace("→ Eva Novak", "→ Eva Novak (@eva)");
    let file = Some(("plan.md", mended.as_bytes()));
    rig.sandbox().slash("ana", "releases", "release import", &[("release", "REL-1")], file).await.unwrap();
    rig.quiet().await;
    let submitted = rig.slash("ana", "release submit", &[]).await;
    assert!(submitted.starts_with("✅"), "{submitted}");
    rig.finish().await;
}

/// The question at T-0 takes its answer by button; a reminder points to it, and once it is answered nothing is left to press.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_question_at_t0_is_answered_where_it_stands() {
    let rig = Rig::approved().await;
    rig.advance(t(16)).await;
    let question = || rig.newest_about("releases", "🕛 T-0 · go / no-go?");
    assert!(question().contains("[Go] [Hold] [Cancel release]"), "{}", question());
    let reminder = rig.newest_about("releases", "⏳ T-0 passed");
    assert!(!reminder.is_empty() && !reminder.contains('['), "{reminder}");
    let answer = rig.press("ana", "releases", "Go", &[]).await;
    assert!(answer.starts_with("✅"), "{answer}");
    let answered = rig.newest_about("releases", "✅ Ana Ferreira gave the go");
    assert!(!answered.is_empty() && !answered.contains("[Go]"), "{answered}");
    rig.finish().await;
}
