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
    assert!(refused.contains("#releases takes no messages, so nobody would hear of it"), "{refused}");
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
    let named = "on the escalation path and no member here: Eva Novak (write the handle beside the name";
    assert!(refused.starts_with("⛔ Not done") && refused.contains(named), "{refused}");
    let mended = plan.replace("→ Eva Novak", "→ Eva Novak (@eva)");
    let file = Some(("plan.md", mended.as_bytes()));
    rig.sandbox().slash("ana", "releases", "release import", &[("release", "REL-1")], file).await.unwrap();
    rig.quiet().await;
    let submitted = rig.slash("ana", "release submit", &[]).await;
    assert!(submitted.starts_with("✅"), "{submitted}");
    rig.finish().await;
}
