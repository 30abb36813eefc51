//! A T-0 that moves, freezes, overlaps and trains, by the front door.

use chat_sandbox::Script;
use tminus::sandboxed::{PLAN, t};

use crate::rig::{Rig, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moved_t0_is_told_again_and_its_notices_show_it() {
    let mut rig = Rig::approved().await;
    rig.advance(t(-24 * 60) + 60_000).await;
    assert_eq!(rig.count("engineering", "📣 T-24h · "), 1);
    rig.news();
    let early = rig.slash("hugo", "release reschedule", &[("time", "2026-12-10 18:00"), ("reason", "x")]).await;
    assert!(early.contains("You don't have permission"), "{early}");
    let past = rig.slash("ana", "release reschedule", &[("time", "2026-12-01 18:00"), ("reason", "x")]).await;
    assert!(past.contains("is in the past"), "{past}");
    let moved = rig
        .slash("ana", "release reschedule", &[("time", "2026-12-10 18:00"), ("reason", "The provider needs a day")])
        .await;
    insta::assert_snapshot!("reschedule_answer", moved);
    insta::assert_snapshot!("reschedule_news", rig.news());
    // The roles sign again, and the new ladder runs in full.
    rig.sign_all().await;
    let t0 = "2026-12-10T17:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let at = |minutes: i64| t0 + minutes * 60_000;
    rig.advance(at(-24 * 60) - 1).await;
    assert_eq!(rig.count("engineering", "📣 T-24h · "), 0, "the old notice says that it is overtaken");
    rig.advance(at(0)).await;
    for (channel, rung) in [("engineering", "T-24h"), ("support", "T-2h"), ("releases", "T-30m")] {
        assert_eq!(rig.count(channel, &format!("📣 {rung} · ")), 1, "{rung}");
    }
    // The document still says the old time; importing it again does not move T-0 back.
    let again = rig
        .sandbox()
        .slash(
            "ana",
            "releases",
            "release import",
            &[("release", "REL-1")],
            Some(("plan.md", PLAN.replace("Purpose", "Aim").as_bytes())),
        )
        .await
        .unwrap();
    rig.quiet().await;
    let again = crate::rig::shown(&again);
    assert!(again.contains("T-0: Thu 17:00"), "T-0 stays: {again}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_sent_when_t0_moves_is_never_sent() {
    let rig = Rig::approved().await;
    rig.advance(t(-24 * 60) - 1).await;
    let route = chat_sandbox::CREATE.to_owned();
    rig.sandbox().script(Script { route, fault: chat_sandbox::Fault::Forbidden, times: None, chance: 1.0 });
    rig.advance(t(-23 * 60)).await;
    rig.slash("ana", "release reschedule", &[("time", "2026-12-12 18:00"), ("reason", "Later")]).await;
    rig.sandbox().mend();
    rig.advance(t(-20 * 60)).await;
    assert_eq!(rig.count("engineering", "T-24h"), 0, "{}", rig.newest("engineering"));
    assert_eq!(rig.count("engineering", "🗓️ T-0 moved"), 1, "told of the move all the same");
    assert_eq!(rig.count("tminus-ops", "No longer needed"), 1, "{}", rig.newest("tminus-ops"));
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rungs_that_are_past_on_the_new_schedule_are_skipped_and_said_so() {
    let rig = Rig::approved().await;
    rig.advance(t(-25 * 60)).await;
    // In 90 minutes: T-24h and T-2h are past.
    let soon = jiff::Timestamp::from_millisecond(t(-25 * 60 + 90)).unwrap().to_string();
    let moved = rig.slash("ana", "release reschedule", &[("time", &soon), ("reason", "Earlier")]).await;
    assert!(moved.contains("Skipped, their time has passed: T-24h/engineering, T-2h/support."), "{moved}");
    for channel in ["engineering", "support"] {
        assert!(rig.newest(channel).contains("🗓️ T-0 moved"), "{channel}: {}", rig.newest(channel));
    }
    rig.advance(t(-25 * 60 + 90)).await;
    assert_eq!(rig.count("support", "📣"), 0);
    assert_eq!(rig.count("releases", "📣 T-30m · "), 1);
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_shows_on_what_was_told() {
    let rig = Rig::approved().await;
    rig.advance(t(-24 * 60) + 60_000).await;
    rig.slash("ana", "release hold", &[("reason", "Waiting")]).await;
    rig.advance(t(-23 * 60)).await;
    let said = || rig.sandbox().messages("engineering").iter().map(text).find(|m| m.contains("📣")).unwrap();
    assert!(said().contains("On hold: the countdown is paused."), "{}", said());
    rig.slash("ana", "release resume", &[]).await;
    rig.advance(t(-22 * 60)).await;
    assert!(!said().contains("On hold"), "{}", said());
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_freeze_is_announced_stands_against_go_and_can_be_excepted() {
    let rig = Rig::with(false).await;
    rig.configure().await;
    let add = [("name", "Winter fair"), ("from", "2026-12-08 12:00"), ("until", "2026-12-09 20:00")];
    let refused = rig.slash("hugo", "tminus freeze add", &add).await;
    assert!(refused.contains("members with the Manage Server permission"), "{refused}");
    let wrong = rig.slash("ana", "tminus freeze add", &[add[0], add[1], ("until", "Mon 08:00")]).await;
    assert!(wrong.contains("two rules such as Fri 15:00 and Mon 08:00"), "{wrong}");
    rig.import("ana", "checkout-4.2.md", PLAN.as_bytes()).await;
    rig.press("ana", "releases", "Submit for sign-off", &[]).await;
    rig.sign_all().await;
    rig.slash("ana", "release item done", &[("text", "dependencies-deployed-and-stable")]).await;
    let added = rig.slash("ana", "tminus freeze add", &add).await;
    insta::assert_snapshot!("freeze_added", added);
    let ahead = rig.sandbox().messages("releases").iter().map(text).find(|m| m.contains("🧊 Freeze ahead")).unwrap();
    insta::assert_snapshot!("freeze_ahead", ahead);
    rig.advance(t(0)).await;
    let go = rig.slash("ana", "release go", &[]).await;
    insta::assert_snapshot!("freeze_stands_against_go", go);
    let denied = rig.slash("ben", "tminus freeze except", &[("reason", "Please")]).await;
    assert!(denied.contains("release managers"), "{denied}");
    let excepted = rig.slash("ana", "tminus freeze except", &[("reason", "The fair's own shop needs it")]).await;
    assert!(excepted.contains("can go live during freeze “Winter fair”"), "{excepted}");
    assert_eq!(rig.count("releases", "🧊 Freeze exception"), 1);
    assert_eq!(rig.count("tminus-ops", "🧊 Freeze exception"), 1);
    let go = rig.slash("ana", "release go", &[]).await;
    assert!(go.starts_with("✅ Done"), "{go}");
    // A freeze never blocks a rollback.
    rig.slash("ana", "tminus freeze remove", &[("name", "winter fair")]).await;
    rig.slash(
        "ana",
        "tminus freeze add",
        &[("name", "All"), ("from", "2026-12-08 14:10"), ("until", "2026-12-20 12:00")],
    )
    .await;
    rig.advance(t(30)).await;
    let back = rig.slash("ana", "release rollback", &[("reason", "Errors")]).await;
    assert!(back.starts_with("✅ Done"), "{back}");
    let listed = rig.slash("ana", "tminus freeze list", &[]).await;
    assert!(listed.contains("**All**: from") && listed.contains("active until"), "{listed}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn releases_of_one_service_near_each_other_are_pointed_out() {
    let rig = Rig::approved().await;
    assert_eq!(rig.count("releases", "⚠️ Overlap"), 0);
    let other = PLAN
        .replace("Checkout 4.2: new payment step", "Checkout 4.3: receipts")
        .replace("2026-12-08 14:00", "2026-12-08 19:00");
    rig.import("ana", "checkout-4.3.md", other.as_bytes()).await;
    rig.slash("ana", "release submit", &[("release", "REL-2")]).await;
    let overlap = rig.sandbox().messages("releases").iter().map(text).find(|m| m.contains("⚠️ Overlap")).unwrap();
    insta::assert_snapshot!("overlap", overlap);
    rig.finish().await;
}

async fn add_train(rig: &Rig, time: &str, plan: &str) -> String {
    let options = [("name", "Weekly"), ("time", time)];
    let file = Some(("weekly.md", plan.as_bytes()));
    let seen = rig.sandbox().slash("ana", "releases", "tminus train add", &options, file).await.unwrap();
    rig.quiet().await;
    crate::rig::shown(&seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_train_makes_drafts_and_a_skip_is_announced() {
    let rig = Rig::new().await;
    let template = PLAN
        .replace("Checkout 4.2: new payment step", "Weekly checkout {date}")
        .replace("2026-12-08 14:00 Europe/Berlin", "{t0}");
    let bad = add_train(&rig, "every Tuesday", &template).await;
    assert!(bad.contains("A rule has five"), "{bad}");
    let bad = add_train(&rig, "Tue 14:00", PLAN).await;
    assert!(bad.contains("Write {t0}"), "{bad}");
    let bad = add_train(&rig, "* * * * *", &template).await;
    assert!(bad.contains("more than 30 drafts within 3 days"), "{bad}");
    insta::assert_snapshot!("train_added", add_train(&rig, "Tue 14:00", &template).await);
    rig.slash("ana", "tminus train skip", &[("name", "weekly"), ("reason", "Board meeting")]).await;
    let skipped = rig.newest("releases");
    insta::assert_snapshot!("train_skipped", skipped);
    // The draft of the 8th was made at once, the 15th is skipped, the draft of the 22nd comes on the 19th.
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    rig.advance(at("2026-12-19T12:59:59Z")).await;
    assert_eq!(rig.count("releases", "🚆 Draft of train"), 1);
    rig.advance(at("2026-12-19T13:00:00Z")).await;
    let draft = rig.newest("releases");
    insta::assert_snapshot!("train_draft", draft);
    let rig = rig.restart().await;
    rig.advance(at("2026-12-20T12:00:00Z")).await;
    assert_eq!(rig.count("releases", "🚆 Draft of train"), 2, "once, whatever restarts");
    let submitted = rig.press("ana", "releases", "Submit for sign-off", &[]).await;
    assert!(submitted.contains("Submitted"), "{submitted}");
    let listed = rig.slash("ana", "tminus train list", &[]).await;
    assert!(listed.contains("**Weekly**: `0 14 * * TUE` (Europe/Berlin), drafted 3 d ahead by Ana"), "{listed}");
    // Made again with the same rule: nothing is drafted twice, and a skip is announced again.
    add_train(&rig, "Tue 14:00", &template).await;
    assert_eq!(rig.count("releases", "🚆 Draft of train"), 2);
    for skips in [2, 3] {
        rig.slash("ana", "tminus train skip", &[("name", "weekly"), ("reason", "Board meeting")]).await;
        assert_eq!(rig.count("releases", "⏭️"), skips);
        add_train(&rig, "Tue 14:00", &template).await;
    }
    let removed = rig.slash("ana", "tminus train remove", &[("name", "Weekly")]).await;
    assert!(removed.contains(" removed."), "{removed}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_skip_that_is_taken_back_is_announced_and_its_draft_comes_at_its_time() {
    let rig = Rig::new().await;
    let template = PLAN
        .replace("Checkout 4.2: new payment step", "Weekly checkout {date}")
        .replace("2026-12-08 14:00 Europe/Berlin", "{t0}");
    add_train(&rig, "Tue 14:00", &template).await;
    let nothing = rig.slash("ana", "tminus train unskip", &[("name", "weekly")]).await;
    assert!(nothing.starts_with("⛔ You can't"), "{nothing}");
    rig.slash("ana", "tminus train skip", &[("name", "weekly"), ("reason", "Board meeting")]).await;
    let done = rig.slash("ana", "tminus train unskip", &[("name", "weekly")]).await;
    assert!(done.starts_with("✅") && done.contains("runs after all"), "{done}");
    assert!(rig.newest("releases").starts_with("↩️ Train runs after all"), "{}", rig.newest("releases"));
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let before = rig.count("releases", "🚆 Draft of train");
    rig.advance(at("2026-12-12T13:00:00Z")).await;
    assert_eq!(rig.count("releases", "🚆 Draft of train"), before + 1, "the draft of the 15th");
    rig.finish().await;
}
