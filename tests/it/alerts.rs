//! Alerts through the real webhook: relayed once, edited on repeats, one rollback prompt, a recorded decision.

use chat_sandbox::{Act, CREATE, Fault, Script, Seen, Step};
use tminus::sandboxed::{ALERT_TOKEN, alert, t};

use crate::rig::Rig;
use crate::signoff::button;

async fn live() -> Rig {
    let rig = Rig::approved().await;
    rig.advance(t(0)).await;
    rig.slash("ana", "release go", &[]).await;
    rig
}

async fn send(rig: &Rig, since: i64, value: &str, firing: bool) {
    let act: Act = alert(&rig.pair.intake, since, value, firing);
    let step =
        Step { caption: String::new(), who: "ana".to_owned(), channel: "releases".to_owned(), act, refused: false };
    rig.sandbox().play(&step).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_relays_once_and_crossing_a_trigger_opens_one_prompt() {
    let rig = live().await;
    rig.advance(t(2)).await;
    for _ in 0..3 {
        send(&rig, 2, "3.1", true).await;
    }
    assert_eq!(rig.count("releases", "Alert firing: CheckoutErrorRate"), 1);
    rig.advance(t(3)).await;
    assert_eq!(rig.count("releases", "3 times"), 1, "the message is edited");
    assert_eq!(rig.count("releases", "🚨 Roll back?"), 0, "not long enough");
    rig.advance(t(7)).await;
    assert_eq!(rig.count("releases", "🚨 Roll back?"), 1);
    send(&rig, 2, "4.0", true).await;
    rig.advance(t(8)).await;
    assert_eq!(rig.count("releases", "🚨 Roll back?"), 1, "one prompt only");
    let stranger = rig.press("hugo", "releases", "Roll back", &[("text", "because")]).await;
    assert!(stranger.contains("You don't have permission"), "{stranger}");
    let done = rig.press("ben", "releases", "Roll back", &[("text", "One user in thirty cannot pay")]).await;
    assert!(done.contains("Rollback started"), "{done}");
    rig.advance(t(24)).await;
    assert_eq!(rig.count("releases", "Rollback not confirmed"), 2, "chased after five and fifteen minutes");
    let open = rig.press("ben", "releases", "Rolled back and verified", &[]).await;
    assert!(open.contains("“CheckoutErrorRate” is still firing"), "{open}");
    rig.press("ben", "releases", "Rolled back, not verified", &[("text", "The old version answers")]).await;
    let timeline = rig.slash("ana", "release timeline", &[]).await;
    assert!(timeline.contains("Ben Okafor: decided to roll back: “One user in thirty cannot pay”"), "{timeline}");
    rig.advance(t(24 * 60 + 60)).await;
    assert_eq!(rig.count("releases", "Post-mortem due"), 1);
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answered_prompt_opens_no_form() {
    let rig = live().await;
    rig.advance(t(2)).await;
    send(&rig, 2, "3.1", true).await;
    rig.advance(t(7)).await;
    let (message, hold) = button(&rig, "Hold");
    let press = async || rig.sandbox().press_id("eva", "releases", message, &hold).await.unwrap();
    assert!(matches!(press().await, Seen::Modal { .. }));
    rig.press("ben", "releases", "Roll back", &[("text", "One user in thirty cannot pay")]).await;
    assert!(matches!(press().await, Seen::Message(_)), "refused at once");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recovery_before_the_window_asks_nothing_and_an_old_alert_is_set_aside() {
    let rig = live().await;
    rig.advance(t(2)).await;
    send(&rig, -30, "9", true).await;
    assert_eq!(rig.count("releases", "Alert firing"), 0, "it fired before T-0");
    send(&rig, 2, "3.1", true).await;
    rig.advance(t(4)).await;
    send(&rig, 2, "3.1", false).await;
    rig.advance(t(14)).await;
    assert_eq!(rig.count("releases", "⚠️ Alert resolved"), 1);
    assert_eq!(rig.count("releases", "🚨 Roll back?"), 0);
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_credentials_are_refused_alike_and_health_tells() {
    let rig = live().await;
    let http = http();
    let url = &rig.pair.intake;
    let post = |path: &str, token: &str| http.post(format!("{url}{path}")).bearer_auth(token).body("{}").send();
    for (path, token, status) in [
        ("/hooks/alertmanager/sandbox", "wrong", 401),
        ("/hooks/alertmanager/nobody", ALERT_TOKEN, 401),
        ("/hooks/generic/sandbox", ALERT_TOKEN, 401),
        ("/hooks/alertmanager/sandbox", ALERT_TOKEN, 202),
    ] {
        assert_eq!(post(path, token).await.unwrap().status().as_u16(), status, "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(http.get(format!("{url}{path}")).send().await.unwrap().status().as_u16(), 200, "{path}");
    }
    let metrics = http.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("tminus_webhooks_denied_total 3") && metrics.ends_with("# EOF\n"), "{metrics}");
    let big =
        http.post(format!("{url}/hooks/alertmanager/sandbox")).bearer_auth(ALERT_TOKEN).body(vec![b' '; 2_000_000]);
    assert_eq!(big.send().await.unwrap().status().as_u16(), 413);
    rig.finish().await;
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_all_clear_is_refused_while_something_is_open() {
    let rig = live().await;
    rig.advance(t(2)).await;
    send(&rig, 2, "3.1", true).await;
    rig.advance(t(8)).await;
    let answer = rig.slash("ana", "release all-clear", &[]).await;
    for open in [
        "rollback prompt", "CheckoutErrorRate", "T+15m", "stage 1 of 3", "no fresh value for P99 Latency",
        "Error Rate was 3.1%, success is < 1%",
    ] {
        assert!(answer.contains(open), "{open} is missing: {answer}");
    }
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_settles_a_trigger_until_it_recovered() {
    let rig = live().await;
    rig.advance(t(2)).await;
    send(&rig, 2, "3.1", true).await;
    rig.advance(t(7)).await;
    rig.press("eva", "releases", "Continue", &[("text", "Known, and bearable")]).await;
    rig.advance(t(9)).await;
    send(&rig, 2, "3.3", true).await;
    rig.advance(t(14)).await;
    assert_eq!(rig.count("releases", "🚨 Roll back?"), 0, "the repeat of what was decided asks nothing");
    send(&rig, 2, "3.3", false).await;
    send(&rig, 14, "3.5", true).await;
    rig.advance(t(20)).await;
    assert_eq!(rig.count("releases", "🚨 Roll back?"), 1, "it recovered and came back");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_is_weighed_in_its_own_unit() {
    let rig = live().await;
    let report = |text: &'static str| [("metric", "P99 Latency"), ("text", text)];
    rig.slash("ben", "release alert report", &report("1.2s")).await;
    assert!(rig.slash("ben", "release show", &[]).await.contains("🔴 P99 Latency: **1200ms**"));
    let refused = rig.slash("ben", "release alert report", &report("12 rps")).await;
    assert!(refused.contains("is not valid here"), "{refused}");
    // An empty line of the update's form is no fresh value.
    rig.advance(t(40)).await;
    rig.press("ana", "releases", "Write update", &[("text", "Only words")]).await;
    assert!(rig.slash("ben", "release show", &[]).await.contains("⚪ P99 Latency: 1200ms stale"));
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instant_from_another_age_cannot_stop_the_bot() {
    let rig = live().await;
    let Act::Post { url, bearer, mut body } = alert(&rig.pair.intake, 2, "3.1", true) else {
        panic!("an alert is a post")
    };
    body["alerts"][0]["startsAt"] = "9999-12-30T21:59:59Z".into();
    let answer = http().post(&url).bearer_auth(&bearer).json(&body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 202, "well-formed, and ignored");
    for date in ["<t:-377705023201>", "9999-12-30 21:00 UTC", "1000-01-01 00:00 UTC"] {
        let plan = tminus::sandboxed::PLAN.replace("2026-12-08 14:00 Europe/Berlin", date);
        let answer = rig.import("ana", "old.md", plan.as_bytes()).await;
        assert!(answer.contains("TM070"), "{date}: {answer}");
    }
    rig.finish().await;
}

/// An alert is posted only while it is true.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_was_over_before_it_could_be_posted_calls_nobody_and_stands_on_the_record() {
    let rig = live().await;
    rig.advance(t(2)).await;
    rig.sandbox().script(Script { route: CREATE.to_owned(), fault: Fault::FailBefore, times: None, chance: 1.0 });
    send(&rig, 2, "3.1", true).await;
    rig.advance(t(5)).await;
    send(&rig, 2, "3.1", false).await;
    rig.sandbox().mend();
    rig.advance(t(10)).await;
    assert_eq!(rig.count("releases", "CheckoutErrorRate"), 0);
    let lines = rig.slash("ana", "release timeline", &[]).await;
    assert!(lines.contains("CheckoutErrorRate"), "{lines}");
    rig.finish().await;
}
