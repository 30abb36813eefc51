//! What the countdown owes to whoever was told of it, found by review: each test is the evening on which somebody was misled.

use chat_sandbox::{CREATE, Fault, Right, Script, Seen};
use tminus::sandboxed::{PLAN, t};

use crate::rig::{Rig, text};

/// The plan with T-0 at another time of the same week, in Berlin.
fn at(time: &str) -> String {
    PLAN.replace("2026-12-08 14:00", time)
}

async fn import_again(rig: &Rig, plan: &str) {
    let file = Some(("plan.md", plan.as_bytes()));
    let seen = rig.sandbox().slash("ana", "releases", "release import", &[("release", "REL-1")], file).await.unwrap();
    rig.quiet().await;
    let Seen::Message(message) = seen else { panic!("not imported") };
    assert!(!message.headline().starts_with('⛔'), "{}", message.headline());
}

async fn timeline(rig: &Rig) -> String {
    rig.slash("ana", "release timeline", &[("show", "everything")]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_draft_reminds_its_author_once_of_each_t0_and_never_at_once() {
    let reminders = |rig: &Rig| rig.count("releases", "⏳ Draft not submitted");
    let rig = Rig::new().await;
    // Written ten hours ahead: its author is just there.
    rig.advance(t(-600)).await;
    rig.import("ana", "plan.md", PLAN.as_bytes()).await;
    rig.advance(t(-482)).await;
    assert_eq!(reminders(&rig), 0);
    rig.advance(t(-479)).await;
    assert_eq!(reminders(&rig), 1, "two hours later it may be forgotten");
    // A new T-0 is forgotten anew.
    import_again(&rig, &at("2026-12-11 14:00")).await;
    rig.advance(t(2 * 24 * 60 - 1)).await;
    assert_eq!(reminders(&rig), 1);
    rig.advance(t(2 * 24 * 60 + 1)).await;
    assert_eq!(reminders(&rig), 2);
    rig.finish().await;

    // A time that is past, corrected later: nobody is told of a reminder that came too late.
    let rig = Rig::new().await;
    rig.import("ana", "plan.md", at("2026-12-01 14:00").as_bytes()).await;
    rig.advance(t(-24 * 60 + 60)).await;
    assert_eq!((reminders(&rig), rig.count("tminus-ops", "Not posted")), (0, 0));
    import_again(&rig, PLAN).await;
    rig.advance(t(-60)).await;
    assert_eq!(reminders(&rig), 1);
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rung_that_the_plan_drops_after_it_was_said_is_overtaken_all_the_same() {
    let rig = Rig::approved().await;
    rig.advance(t(-24 * 60 + 1)).await;
    assert_eq!(rig.count("engineering", "📣 T-24h · "), 1);
    import_again(&rig, &PLAN.replace("- [ ] Engineering team notified (T-24h)\n", "")).await;
    let moved = rig
        .slash("ana", "release reschedule", &[("time", "2026-12-10 18:00"), ("reason", "The provider needs a day")])
        .await;
    assert!(moved.contains("engineering"), "{moved}");
    rig.advance(t(-24 * 60 + 10)).await;
    assert_eq!(rig.count("engineering", "📣 T-24h · "), 0, "it shows the old time no more");
    assert_eq!(rig.count("engineering", "🗓️ T-0 moved · was T-24h"), 1);
    assert_eq!(rig.count("engineering", "🗓️ T-0 moved · REL-1"), 1, "and whoever was told is told");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_before_go_is_told_to_whoever_counts_on_the_time() {
    let rig = Rig::approved().await;
    rig.advance(t(-110)).await;
    rig.slash("ana", "release hold", &[("reason", "the provider reports trouble")]).await;
    for channel in ["engineering", "support", "releases"] {
        assert_eq!(rig.count(channel, "⏸️ On hold before T-0"), 1, "{channel}");
        // An audience is not offered what only the crew can do.
        assert_eq!(rig.newest(channel).contains("[Resume]"), channel == "releases", "{}", rig.newest(channel));
    }
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_whose_time_is_past_tells_everybody_at_once() {
    let rig = Rig::new().await;
    rig.advance(t(2)).await;
    let plan = PLAN.replace("[x] Standard [ ] Hotfix [ ] Emergency", "[ ] Standard [ ] Hotfix [x] Emergency");
    rig.submit(&plan).await;
    rig.advance(t(3)).await;
    for (channel, rung) in [("engineering", "T-24h"), ("support", "T-2h"), ("releases", "T-30m")] {
        assert_eq!(rig.count(channel, &format!("📣 {rung} · ")), 1, "{rung}");
    }
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_notice_stays_late_when_it_is_edited() {
    let rig = Rig::approved().await;
    rig.advance(t(-24 * 60) - 1).await;
    let sandbox = rig.sandbox().clone();
    let rig = rig.restart_after(|| sandbox.clock().move_to(t(-110))).await;
    rig.quiet().await;
    let rung = || rig.sandbox().messages("support").iter().map(text).find(|m| m.contains("📣 T-2h · ")).unwrap();
    let late = "Due 11:00, sent 10m late. T-Minus was offline from Mon 12:59 to Tue 11:10.";
    assert!(rung().contains(late), "{}", rung());
    assert!(rig.slash("gwen", "release item brief", &[]).await.starts_with("✅"));
    rig.advance(t(-100)).await;
    assert!(rung().contains("✅ Briefed") && rung().contains(late), "{}", rung());
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_that_could_not_be_posted_in_time_counts_as_not_sent() {
    let rig = Rig::approved().await;
    rig.advance(t(-121)).await;
    rig.sandbox().revoke(Right::SendMessages, Some("support"), true);
    rig.advance(t(-28)).await;
    let rung = rig.sandbox().messages("releases").iter().map(text).find(|m| m.contains("📣 T-30m · ")).unwrap();
    assert!(rung.contains("Missing receipts: T-2h/support"), "at T-30m it was still under way: {rung}");
    rig.advance(t(2)).await;
    let lines = timeline(&rig).await;
    assert!(lines.contains("T-Minus could not post it in time"), "{lines}");
    rig.finish().await;
}

/// Its channel takes nothing, so its people were told by hand, which was confirmed: that stands when the message is given up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_outlives_the_message_it_was_given_for() {
    let rig = Rig::approved().await;
    rig.advance(t(-121)).await;
    rig.sandbox().revoke(Right::SendMessages, Some("support"), true);
    rig.advance(t(-110)).await;
    let told = rig.slash("gwen", "release item brief", &[]).await;
    assert!(told.starts_with("✅"), "{told}");
    rig.advance(t(2)).await;
    assert!(rig.newest("tminus-ops").starts_with("🔴 Not posted in time"), "{}", rig.newest("tminus-ops"));
    let again = rig.slash("gwen", "release item brief", &[("text", "T-2h")]).await;
    assert!(again.contains("by Gwen"), "it is confirmed: {again}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_before_a_notice_leaves_it_unsaid_and_says_so_and_an_undo_brings_it_back() {
    let rig = Rig::approved().await;
    rig.advance(t(-180)).await;
    assert!(rig.slash("ana", "release go", &[]).await.contains("is live"));
    let undone = rig.press("ana", "releases", "Undo", &[]).await;
    assert!(undone.starts_with("✅"), "{undone}");
    let lines = timeline(&rig).await;
    assert!(lines.contains("go came before its time"), "{lines}");
    rig.advance(t(-119)).await;
    assert_eq!(rig.count("support", "📣 T-2h · "), 1, "it comes at its time after all");
    rig.finish().await;

    // Its time passes between go and the undo: late is better than never. What was overtaken before go stays overtaken.
    let rig = Rig::approved().await;
    rig.advance(t(-30) - 30_000).await;
    assert!(rig.slash("ana", "release go", &[]).await.contains("is live"));
    rig.advance(t(-30) + 20_000).await;
    let undone = rig.press("ana", "releases", "Undo", &[]).await;
    assert!(undone.starts_with("✅"), "{undone}");
    rig.advance(t(-28)).await;
    assert_eq!(rig.count("releases", "📣 T-30m · "), 1, "{}", timeline(&rig).await);
    rig.finish().await;
}

/// A channel that takes nothing is asked with one request for everything that waits there, however much that is: the refusals of
/// one server must not silence the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_probe_asks_for_all_that_waits_in_a_channel() {
    let rig = Rig::new().await;
    for n in 1..=12 {
        let plan = PLAN.replace("Checkout 4.2: new payment step", &format!("Release {n}"));
        rig.import("ana", "plan.md", plan.as_bytes()).await;
        let no = format!("REL-{n}");
        let answer = rig.slash("ana", "release submit", &[("release", no.as_str())]).await;
        assert!(answer.starts_with('✅'), "{answer}");
    }
    rig.advance(t(-121)).await;
    rig.sandbox().revoke(Right::SendMessages, Some("support"), true);
    let refusals = || {
        let log = rig.sandbox().requests();
        log.iter().filter(|r| r.route == CREATE && r.status == 403).count()
    };
    rig.advance(t(-118)).await;
    assert_eq!(refusals(), 1, "twelve notices, one refusal");
    assert_eq!(rig.count("tminus-ops", "🔴 Not posted · "), 12, "and each is told");
    rig.advance(t(-60)).await;
    let so_far = refusals();
    assert!((11..=13).contains(&so_far), "one each five minutes: {so_far}");
    rig.sandbox().revoke(Right::SendMessages, Some("support"), false);
    rig.press("ana", "tminus-ops", "Send again", &[]).await;
    rig.advance(t(-58)).await;
    assert_eq!(rig.count("support", "📣 T-2h · "), 12, "whoever sends one again opens the channel for all");
    rig.finish().await;
}

/// A rollout that was put on hold days ago still has its service half updated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_on_hold_is_pointed_out_to_the_next_release_of_its_service() {
    let rig = Rig::approved().await;
    rig.advance(t(0)).await;
    assert!(rig.slash("ana", "release go", &[]).await.contains("is live"));
    rig.advance(t(5)).await;
    rig.slash("ana", "release hold", &[("reason", "the quota is not raised")]).await;
    rig.advance(t(48 * 60)).await;
    let next = at("2026-12-11 10:00").replace("Checkout 4.2: new payment step", "Checkout 4.3");
    rig.import("ana", "next.md", next.as_bytes()).await;
    let answer = rig.slash("ana", "release submit", &[("release", "REL-2")]).await;
    assert!(answer.starts_with("✅"), "{answer}");
    let overlap = rig.sandbox().messages("releases").iter().map(text).find(|m| m.contains("⚠️ Overlap"));
    assert!(overlap.as_ref().is_some_and(|m| m.contains("REL-1")), "{overlap:?}");
    rig.finish().await;
}

/// The bot was there, the channel was not: the message says when it should have come, and blames nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_that_reached_its_channel_late_says_so() {
    let rig = Rig::approved().await;
    rig.advance(t(-121)).await;
    rig.sandbox().script(Script { route: CREATE.to_owned(), fault: Fault::FailBefore, times: None, chance: 1.0 });
    rig.advance(t(-105)).await;
    rig.sandbox().mend();
    rig.advance(t(-100)).await;
    let rung = rig.newest("support");
    assert!(rung.contains("Due 11:00, sent 15m late.") && !rung.contains("offline"), "{rung}");
    rig.finish().await;

    // Its channel took none meanwhile; and what is past does not move with T-0.
    let rig = Rig::approved().await;
    rig.advance(t(-121)).await;
    rig.sandbox().revoke(Right::SendMessages, Some("support"), true);
    rig.advance(t(-105)).await;
    rig.sandbox().revoke(Right::SendMessages, Some("support"), false);
    rig.press("ana", "tminus-ops", "Send again", &[]).await;
    rig.advance(t(-90)).await;
    rig.slash("ana", "release hold", &[("reason", "Waiting for the vendor")]).await;
    rig.advance(t(-60)).await;
    rig.slash("ana", "release resume", &[]).await;
    rig.advance(t(-59)).await;
    let said = rig.sandbox().messages("support").iter().map(text).find(|m| m.contains("📣 T-2h · ")).unwrap();
    assert!(said.contains("Due 11:00, sent 15m late. T-Minus could not post in the channel until then."), "{said}");
    rig.finish().await;

    // Posted in time, the answer lost, and nobody could look for ten minutes: it was not late.
    let rig = Rig::approved().await;
    rig.advance(t(-121)).await;
    rig.sandbox().fail_next(&[Fault::FailAfter]);
    let route = "GET /channels/{}/messages".to_owned();
    rig.sandbox().script(Script { route, fault: Fault::FailBefore, times: Some(30), chance: 1.0 });
    rig.advance(t(-100)).await;
    assert_eq!(rig.count("support", "📣 T-2h · "), 1);
    let lines = timeline(&rig).await;
    let rung = rig.newest("support");
    assert!(!rung.contains("late") && lines.contains("T-2h/support"), "{rung}\n{lines}");
    rig.finish().await;
}

/// The trigger's five minutes ended while nobody was there: it is asked, and says how old what it knows is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trigger_that_fires_after_an_absence_says_from_when_its_values_are() {
    let rig = Rig::approved().await;
    rig.advance(t(0)).await;
    assert!(rig.slash("ana", "release go", &[]).await.contains("is live"));
    rig.advance(t(2)).await;
    rig.slash("ben", "release alert report", &[("metric", "Error Rate"), ("text", "4%")]).await;
    let sandbox = rig.sandbox().clone();
    let rig = rig.restart_after(|| sandbox.clock().move_to(t(67))).await;
    rig.advance(t(68)).await;
    let asked = rig.sandbox().messages("releases").iter().map(text).find(|m| m.contains("🚨 Roll back?")).unwrap();
    for words in
        ["4% at 13:02", "Due 13:07, fired 1h late. T-Minus was offline from 13:02 to 14:07.", "Check the metrics first"]
    {
        assert!(asked.contains(words), "{words} is missing: {asked}");
    }
    rig.finish().await;
}
