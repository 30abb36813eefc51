//! What the bot says of a release is so: who hears of it, what counts as decided, what the record holds.

use chat_sandbox::Seen;
use tminus::sandboxed::{PLAN, t};

use crate::rig::{Rig, text};

async fn live() -> Rig {
    let rig = Rig::approved().await;
    rig.advance(t(0)).await;
    rig.slash("ana", "release go", &[]).await;
    rig
}

async fn reschedule(rig: &Rig, time: &str) {
    let options = [("time", time), ("reason", "The provider needs a day")];
    let answer = rig.slash("ana", "release reschedule", &options).await;
    assert!(answer.starts_with("✅"), "{answer}");
}

/// Stages one to three, with the updates and decisions they owe.
pub async fn to_the_end(rig: &Rig) {
    for minute in [20, 45, 70, 95, 120, 145, 170, 195, 220, 245] {
        rig.advance(t(minute)).await;
        let update = [("text", "All well"), ("values", "P99 Latency: 212ms\nError Rate: 0.5%\nThroughput: 1180 rps")];
        rig.press("ana", "releases", "Write update", &update).await;
        rig.slash("ana", "release decide", &[("verdict", "continue")]).await;
        rig.slash("ana", "release stage", &[("stage", "advance")]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scrub_after_a_reschedule_reaches_everybody_who_was_ever_told() {
    let rig = Rig::approved().await;
    rig.advance(t(-119)).await;
    reschedule(&rig, "2026-12-10 18:00").await;
    reschedule(&rig, "2026-12-11 18:00").await;
    for channel in ["engineering", "support"] {
        let moved = rig.newest_about(channel, "🗓️ T-0 moved · REL-1");
        assert!(moved.contains("Fri 17:00"), "{channel} hears of the second move: {moved}");
    }
    let answer = rig.slash("ana", "release scrub", &[("reason", "Not this week")]).await;
    assert!(answer.starts_with("✅"), "{answer}");
    for channel in ["engineering", "support", "releases"] {
        let said = rig.newest_about(channel, "Not this week");
        assert!(said.contains("🚫"), "{channel}: {}", rig.newest(channel));
    }
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rung_gives_way_only_to_a_later_one_of_its_own_audience() {
    let rig = Rig::new().await;
    rig.advance(t(-61)).await;
    rig.submit(PLAN).await;
    rig.quiet().await;
    assert_eq!(rig.count("engineering", "📣 T-24h · "), 1, "late, and said");
    assert_eq!(rig.count("support", "📣 T-2h · "), 1, "late, and said");
    rig.advance(t(-29)).await;
    assert_eq!(rig.count("releases", "📣 T-30m · "), 1);
    rig.finish().await;

    let twice = PLAN.replace("briefed (T-2h)", "briefed (T-2h)\n- [ ] Support team briefed (T-90m)");
    let rig = Rig::new().await;
    rig.advance(t(-61)).await;
    rig.submit(&twice).await;
    rig.quiet().await;
    assert_eq!((rig.count("support", "📣 T-2h · "), rig.count("support", "📣 T-1h 30m · ")), (0, 1));
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audience_that_was_told_hears_how_it_went() {
    let rig = live().await;
    for channel in ["engineering", "support"] {
        assert_eq!(rig.count(channel, "🚀 Live · REL-1"), 1, "{channel}");
    }
    rig.advance(t(3)).await;
    rig.slash("ben", "release rollback", &[("reason", "Orders are lost")]).await;
    rig.advance(t(5)).await;
    rig.press("ben", "releases", "Rolled back, not verified", &[("text", "The old version answers")]).await;
    for channel in ["engineering", "support"] {
        assert_eq!(rig.count(channel, "↩️ Rolled back · REL-1"), 1, "{channel}: {}", rig.newest(channel));
    }
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audience_hears_its_own_wording_and_of_the_all_clear() {
    let rig = Rig::strict(&[]).await;
    let wording = [("name", "support"), ("wording", "{title} is {state}. Impact: {impact}.")];
    let set = rig.slash("ana", "tminus audience set", &wording).await;
    assert!(set.starts_with("✅"), "{set}");
    let plan = PLAN.replace("**Service:** checkout", "**User Impact:** slow payments  \n**Service:** checkout");
    rig.submit(&plan).await;
    rig.sign_all().await;
    rig.slash("ana", "release item done", &[("text", "dependencies-deployed-and-stable")]).await;
    rig.advance(t(0)).await;
    rig.press("gwen", "support", "Briefed", &[]).await;
    rig.slash("ana", "release go", &[]).await;
    let said = rig.newest("support");
    assert!(said.contains("Checkout 4.2: new payment step is live. Impact: slow payments."), "{said}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_decision_blocks_the_next_stage() {
    let rig = live().await;
    rig.advance(t(35)).await;
    let refused = rig.slash("ana", "release stage", &[("stage", "advance")]).await;
    assert!(refused.starts_with("⛔") && refused.contains("T+15m"), "{refused}");
    let soaked = rig.newest_about("releases", "Stage 1 soak complete");
    assert!(soaked.contains("Answer decision T+15m first") && !soaked.contains("[Advance]"), "{soaked}");
    rig.slash("ana", "release decide", &[("verdict", "continue")]).await;
    let soaked = rig.newest_about("releases", "Stage 1 soak complete");
    assert!(soaked.contains("[Advance]"), "{soaked}");
    let advanced = rig.slash("ana", "release stage", &[("stage", "advance")]).await;
    assert!(advanced.starts_with("✅"), "{advanced}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_is_not_there_is_said_at_import_and_one_that_is_gets_the_updates() {
    let rig = Rig::new().await;
    let answer = rig.import("ana", "plan.md", PLAN.replace("#releases", "#war-room").as_bytes()).await;
    assert!(answer.contains("war-room") && answer.contains('⚠'), "{answer}");
    rig.finish().await;

    let rig = Rig::new().await;
    rig.submit(&PLAN.replace("#releases", "#engineering")).await;
    rig.sign_all().await;
    rig.slash("ana", "release item done", &[("text", "dependencies-deployed-and-stable")]).await;
    rig.advance(t(0)).await;
    rig.slash("ana", "release go", &[]).await;
    let said = rig.newest_about("engineering", "Next update by");
    assert!(said.contains("🚀 Live · REL-1"), "the plan's channel is where the release speaks: {said}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_all_clear_is_asked_for_and_the_clock_ticks_nobodys_action() {
    let rig = live().await;
    to_the_end(&rig).await;
    rig.advance(t(24 * 60 + 10)).await;
    rig.slash("ana", "release decide", &[("verdict", "continue")]).await;
    rig.advance(t(2 * 24 * 60)).await;
    assert!(rig.count("releases", "All clear?") >= 1, "{}", rig.newest("releases"));
    assert!(rig.count("releases", "All clear?") <= 5, "and not for ever");
    let record = rig.slash("ana", "release timeline", &[("show", "everything")]).await;
    assert!(!record.contains("clock: done"), "{record}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_mortem_link_is_a_link_and_can_be_replaced() {
    let rig = live().await;
    rig.advance(t(3)).await;
    rig.slash("ben", "release rollback", &[("reason", "Orders are lost")]).await;
    rig.advance(t(5)).await;
    rig.press("ben", "releases", "Rolled back, not verified", &[("text", "The old version answers")]).await;
    let refused = rig.slash("ana", "release postmortem file", &[("text", "later")]).await;
    assert!(refused.starts_with("⛔"), "{refused}");
    for link in ["https://wiki.example/pm/1", "https://wiki.example/pm/2"] {
        let filed = rig.slash("ana", "release postmortem file", &[("text", link)]).await;
        assert!(filed.starts_with("✅"), "{link}: {filed}");
    }
    let filed = rig.newest_about("releases", "📄 Post-mortem filed");
    assert!(filed.contains("pm/2"), "{filed}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_sees_what_changed_since_it_signed_and_gets_the_plan() {
    let rig = Rig::new().await;
    rig.submit(PLAN).await;
    rig.slash("chloe", "release signoff give", &[("role", "engineering_lead")]).await;
    let revise = async |plan: &str| {
        let file = Some(("plan.md", plan.as_bytes()));
        let options = [("release", "REL-1")];
        rig.sandbox().slash("ana", "releases", "release import", &options, file).await.unwrap();
        rig.quiet().await;
    };
    let loose = PLAN.replace("Error rate exceeds 2%", "Error rate exceeds 10%");
    revise(&loose).await;
    revise(&loose.replace("2026-12-08 14:00", "2026-12-09 14:00")).await;
    let request = rig.newest_about("releases", "✍️ Sign-off requested");
    assert!(request.contains("10%"), "the date change hides no trigger: {request}");
    for part in ["Thresholds", "Risks", "Contingency", "file plan.md"] {
        assert!(request.contains(part), "{part}: {request}");
    }
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_is_forecast_as_it_happens() {
    let rig = Rig::new().await;
    let plan = PLAN.replace("[x] Standard [ ] Hotfix [ ] Emergency", "[ ] Standard [ ] Hotfix [x] Emergency");
    rig.advance(t(-60)).await;
    let answer = rig.import("ana", "plan.md", plan.as_bytes()).await;
    assert!(!answer.contains("skipped"), "{answer}");
    rig.slash("ana", "release submit", &[]).await;
    for (channel, rung) in [("engineering", "T-24h"), ("support", "T-2h"), ("releases", "T-30m")] {
        assert!(answer.contains(&format!("{rung}/")), "{rung}: {answer}");
        assert_eq!(rig.count(channel, &format!("📣 {rung} · ")), 1, "{rung}");
    }
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_plan_of_the_same_title_is_asked_about() {
    let rig = Rig::new().await;
    rig.import("ana", "plan.md", PLAN.as_bytes()).await;
    let again = async |options: &[(&str, &str)]| {
        let file = Some(("plan.md", PLAN.as_bytes()));
        let Seen::Message(message) =
            rig.sandbox().slash("ana", "releases", "release import", options, file).await.unwrap()
        else {
            panic!("no answer")
        };
        rig.quiet().await;
        text(&message)
    };
    let asked = again(&[]).await;
    assert!(asked.contains("REL-1 has the same title") && asked.contains("saved nothing"), "{asked}");
    assert!(again(&[("release", "new")]).await.contains("REL-2 revision 1"));
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_freeze_at_t0_is_said_at_import_and_to_whoever_signs() {
    let rig = Rig::strict(&[]).await;
    let freeze =
        [("name", "Year end"), ("from", "2026-12-08 00:00"), ("until", "2026-12-09 00:00"), ("reason", "Peak")];
    let added = rig.slash("ana", "tminus freeze add", &freeze).await;
    assert!(added.starts_with("✅"), "{added}");
    let answer = rig.import("ana", "plan.md", PLAN.as_bytes()).await;
    assert!(answer.contains("T-0 is inside freeze “Year end”"), "{answer}");
    rig.slash("ana", "release submit", &[]).await;
    let request = rig.newest_about("releases", "✍️ Sign-off requested");
    assert!(request.contains("T-0 is inside freeze “Year end”"), "{request}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setup_tests_a_channel_once() {
    let rig = Rig::strict(&[]).await;
    let tests = || rig.count("releases", "✅ Test message") + rig.count("tminus-ops", "✅ Test message");
    assert_eq!(tests(), 2);
    rig.slash("ana", "tminus setup", &[("timezone", "UTC")]).await;
    assert_eq!(tests(), 2, "no channel changed");
    rig.finish().await;
}
