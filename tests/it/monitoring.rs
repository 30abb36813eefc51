//! Alerts as monitoring systems send them, and what the bot makes of them: which release, what counts as evidence, who is
//! called, what is refused meanwhile.

use chat_sandbox::{Fault, Seen};
use serde_json::{Value, json};
use tminus::sandboxed::{ALERT_TOKEN, PLAN, t};

use crate::rig::Rig;

async fn live() -> Rig {
    let rig = Rig::approved().await;
    rig.advance(t(0)).await;
    rig.slash("ana", "release go", &[]).await;
    rig
}

fn at(minute: i64) -> String {
    jiff::Timestamp::from_millisecond(t(minute)).unwrap().to_string()
}

/// An alert of the service, as it began at a minute after T-0.
fn alert(name: &str, since: i64, status: &str) -> Value {
    json!({
        "status": status, "labels": { "alertname": name, "service": "checkout", "severity": "warning" },
        "annotations": {}, "startsAt": at(since), "endsAt": "0001-01-01T00:00:00Z", "fingerprint": name,
    })
}

fn with(mut alert: Value, part: &str, key: &str, value: Value) -> Value {
    if part.is_empty() {
        alert[key] = value
    } else {
        alert[part][key] = value
    }
    alert
}

/// Sends alerts in one body and waits until they are dealt with.
async fn send(rig: &Rig, alerts: &[Value]) {
    let body = json!({ "version": "4", "groupKey": "{}", "status": "firing", "alerts": alerts });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/hooks/alertmanager/sandbox", rig.pair.intake);
    let sent = client.post(url).bearer_auth(ALERT_TOKEN).json(&body).send().await.unwrap();
    assert_eq!(sent.status().as_u16(), 202, "{body}");
    rig.quiet().await;
    // Alerts are taken in the background.
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    rig.quiet().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_goes_to_the_newest_running_release_and_the_other_is_shown_it() {
    let rig = live().await;
    rig.advance(t(5)).await;
    let second = PLAN.replace("Checkout 4.2: new payment step", "Checkout 4.2.1: hotfix").replace("14:00", "14:30");
    rig.import("ana", "hotfix.md", second.as_bytes()).await;
    rig.slash("ana", "release submit", &[("release", "REL-2")]).await;
    for (who, role) in [("chloe", "engineering_lead"), ("dev", "product_owner"), ("eva", "sre_ops")] {
        rig.slash(who, "release signoff give", &[("role", role), ("release", "REL-2")]).await;
    }
    let item = [("text", "dependencies-deployed-and-stable"), ("release", "REL-2")];
    rig.slash("ana", "release item done", &item).await;
    rig.advance(t(30)).await;
    rig.slash("gwen", "release item brief", &[("release", "REL-2")]).await;
    let go = rig.slash("ana", "release go", &[("release", "REL-2")]).await;
    assert!(go.starts_with("✅"), "{go}");
    rig.advance(t(32)).await;
    send(&rig, &[alert("PaymentsDown", 32, "firing")]).await;
    let own = rig.newest_about("releases", "🔴 Alert firing: PaymentsDown");
    assert!(own.contains("REL-2"), "{own}");
    assert_eq!(rig.count("releases", "🔴 Alert firing: PaymentsDown"), 1);
    let other = rig.slash("ana", "release show", &[("release", "REL-1")]).await;
    assert!(other.contains("PaymentsDown") && other.contains("REL-2"), "the other is shown the link: {other}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_fires_again_with_the_same_start_is_open_and_stops_the_all_clear() {
    let rig = live().await;
    for (minute, status) in [(3, "firing"), (4, "resolved"), (5, "firing"), (9, "firing")] {
        rig.advance(t(minute)).await;
        send(&rig, &[alert("PaymentsDown", 3, status)]).await;
    }
    let message = rig.newest_about("releases", "PaymentsDown");
    assert!(
        message.contains("Firing again: PaymentsDown") || message.contains("firing again: PaymentsDown"),
        "{message}"
    );
    let refused = rig.slash("ana", "release all-clear", &[]).await;
    assert!(refused.contains("“PaymentsDown”"), "{refused}");
    // A late duplicate of the end ends it, and only that.
    rig.advance(t(12)).await;
    send(&rig, &[alert("PaymentsDown", 3, "resolved")]).await;
    let refused = rig.slash("ana", "release all-clear", &[]).await;
    assert!(!refused.contains("“PaymentsDown” is still firing"), "{refused}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_odd_alert_loses_none_of_its_body() {
    for odd in [
        with(alert("Odd", 3, "firing"), "", "annotations", Value::Null),
        with(alert("Odd", 3, "firing"), "labels", "instance", Value::Null),
        with(alert("Odd", 3, "firing"), "labels", "shard", json!(7)),
        with(alert("Odd", 3, "firing"), "", "startsAt", json!(t(3))),
        with(alert("Odd", 3, "firing"), "", "fingerprint", Value::Null),
        json!("not an alert"),
    ] {
        let rig = live().await;
        rig.advance(t(3)).await;
        send(&rig, &[alert("First", 3, "firing"), odd.clone(), alert("Last", 3, "firing")]).await;
        for name in ["First", "Last"] {
            assert_eq!(rig.count("releases", &format!("🔴 Alert firing: {name}")), 1, "{name} beside {odd}");
        }
        let said = rig.count("releases", "Alert firing: Odd") + rig.count("tminus-ops", "alert");
        assert_eq!(said, 1, "it is relayed, or said in the ops channel: {odd}");
        rig.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_firing_alert_without_a_value_is_evidence() {
    let rig = live().await;
    for minute in [2, 3, 5, 8] {
        rig.advance(t(minute)).await;
        send(&rig, &[with(alert("CheckoutErrorRate", 2, "firing"), "labels", "metric", json!("Error Rate"))]).await;
    }
    assert_eq!(rig.count("releases", "🚨 Roll back?"), 1, "{}", rig.newest("releases"));
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_cannot_be_read_is_shown_and_never_green() {
    for (value, shown) in [("NaN", "“NaN” (unreadable)"), ("450m", "“450m” (unreadable)"), ("0.031", "3.1%")] {
        let rig = live().await;
        rig.advance(t(2)).await;
        let labelled = with(alert("CheckoutErrorRate", 2, "firing"), "labels", "metric", json!("Error Rate"));
        send(&rig, &[with(labelled, "annotations", "value", json!(value))]).await;
        let message = rig.newest_about("releases", "🔴 Alert firing: CheckoutErrorRate");
        assert!(message.contains(shown), "{value}: {message}");
        let card = rig.slash("ben", "release show", &[]).await;
        assert!(!card.contains("🟢 Error Rate"), "{value}: {card}");
        rig.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_alerts_share_one_message_and_one_ping() {
    let rig = live().await;
    rig.advance(t(3)).await;
    let (posts, pings) = rig.said("releases");
    let crowd: Vec<Value> = (0..20)
        .map(|n| with(alert(&format!("Disk{n}"), 3, "firing"), "labels", "severity", json!("critical")))
        .collect();
    send(&rig, &crowd).await;
    let after = rig.said("releases");
    assert_eq!((after.0 - posts, after.1 - pings), (1, 1), "{}", rig.newest("releases"));
    assert_eq!(rig.count("releases", "🔴 20 alerts firing"), 1);
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_before_go_blocks_it_until_somebody_acknowledges() {
    let rig = Rig::approved().await;
    rig.advance(t(-20)).await;
    send(&rig, &[with(alert("PaymentsDown", -20, "firing"), "labels", "severity", json!("critical"))]).await;
    rig.advance(t(0)).await;
    let question = rig.newest_about("releases", "go / no-go?");
    assert!(question.contains("PaymentsDown") && !question.contains("Everything is ready"), "{question}");
    let refused = rig.slash("ana", "release go", &[]).await;
    assert!(refused.starts_with('⛔') && refused.contains("PaymentsDown"), "{refused}");
    rig.slash("ben", "release alert ack", &[]).await;
    let go = rig.slash("ana", "release go", &[]).await;
    assert!(go.starts_with("✅"), "{go}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_of_no_release_is_said_in_the_ops_channel() {
    let rig = live().await;
    rig.advance(t(3)).await;
    send(&rig, &[with(alert("SearchDown", 3, "firing"), "labels", "service", json!("search"))]).await;
    send(&rig, &[with(alert("MailDown", 3, "firing"), "labels", "service", json!("mail"))]).await;
    let said = rig.newest_about("tminus-ops", "2 alerts belong to no release");
    assert!(said.contains("SearchDown") && said.contains("MailDown"), "{said}");
    assert_eq!(rig.count("tminus-ops", "to no release"), 1, "one message, counted");
    assert_eq!(rig.count("releases", "SearchDown"), 0);
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_is_verified_only_when_nothing_says_otherwise() {
    let rig = live().await;
    rig.advance(t(3)).await;
    send(&rig, &[alert("PaymentsDown", 3, "firing")]).await;
    rig.slash("ben", "release rollback", &[("reason", "Orders are lost")]).await;
    rig.advance(t(5)).await;
    let refused = rig.press("ben", "releases", "Rolled back and verified", &[]).await;
    assert!(refused.starts_with('⛔') && refused.contains("“PaymentsDown” is still firing"), "{refused}");
    let said = rig.press("ben", "releases", "Rolled back, not verified", &[("text", "The old version answers")]).await;
    assert!(!said.contains("and verified"), "{said}");
    assert!(!rig.newest_about("releases", "Not verified").is_empty(), "{}", rig.newest("releases"));
    // What ends afterwards does not stay red.
    send(&rig, &[alert("PaymentsDown", 3, "resolved")]).await;
    assert_eq!(
        rig.count("releases", "🔴 Alert firing: PaymentsDown"),
        0,
        "{}",
        rig.newest_about("releases", "PaymentsDown")
    );
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_nobody_acknowledges_is_called_out_again_and_more_rarely() {
    let rig = live().await;
    rig.advance(t(2)).await;
    send(&rig, &[alert("QueueBacklog", 2, "firing")]).await;
    for (minute, reminders) in [(6, 0), (8, 1), (18, 2), (34, 3)] {
        rig.advance(t(minute)).await;
        let said = rig.count("releases", "Alerts not acknowledged");
        assert_eq!(said, reminders, "T+{minute}m");
    }
    rig.slash("ben", "release alert ack", &[]).await;
    assert_eq!(rig.count("releases", "✅ Alerts acknowledged or resolved"), 1, "the newest reminder shows it");
    rig.advance(t(90)).await;
    assert_eq!(rig.count("releases", "Alerts not acknowledged"), 2, "and no other comes");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_filled_from_measured_values_counts_as_given() {
    let rig = Rig::new().await;
    rig.submit(&PLAN.replace("Updates every: 30 minutes", "Updates every: 10 minutes")).await;
    rig.sign_all().await;
    rig.slash("ana", "release item done", &[("text", "dependencies-deployed-and-stable")]).await;
    rig.advance(t(0)).await;
    rig.slash("gwen", "release item brief", &[]).await;
    rig.slash("ana", "release go", &[]).await;
    let values = [("P99 Latency", "212ms"), ("Error Rate", "0.5%"), ("Throughput", "1180 rps")];
    for (minute, status) in [(6, "firing"), (7, "resolved")] {
        rig.advance(t(minute)).await;
        let alerts = values.map(|(metric, value)| {
            let about = with(alert(metric, 6, status), "labels", "metric", json!(metric));
            with(about, "annotations", "value", json!(value))
        });
        send(&rig, &alerts).await;
    }
    rig.advance(t(11)).await;
    let update = rig.newest_about("releases", "🔄 Update T+10m");
    assert!(update.contains("212ms"), "{update}");
    assert_eq!(rig.count("releases", "Update overdue"), 0, "nobody is called for it");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_after_the_all_clear_asks_whether_to_watch_again() {
    let rig = live().await;
    crate::truth::to_the_end(&rig).await;
    rig.advance(t(24 * 60 + 10)).await;
    rig.slash("ana", "release decide", &[("verdict", "continue")]).await;
    for (metric, value) in [("P99 Latency", "212ms"), ("Error Rate", "0.5%"), ("Throughput", "1180 rps")] {
        rig.slash("ben", "release alert report", &[("metric", metric), ("text", value)]).await;
    }
    let cleared = rig.slash("ana", "release all-clear", &[]).await;
    assert!(cleared.starts_with("✅"), "{cleared}");
    rig.advance(t(26 * 60)).await;
    send(&rig, &[alert("PaymentsDown", 26 * 60, "firing")]).await;
    let message = rig.newest_about("releases", "🔴 Alert firing: PaymentsDown");
    assert!(message.contains("Watch it again?") && message.contains("[Watch again]"), "{message}");
    let again = rig.press("ana", "releases", "Watch again", &[]).await;
    assert!(again.starts_with("✅"), "{again}");
    for channel in ["engineering", "support"] {
        assert_eq!(rig.count(channel, "✅ All clear · REL-1"), 1, "{channel} heard of the all-clear");
        assert_eq!(rig.count(channel, "👀 Watching again · REL-1"), 1, "{channel}: {}", rig.newest(channel));
    }
    let refused = rig.slash("ana", "release all-clear", &[]).await;
    assert!(refused.contains("“PaymentsDown” is still firing"), "{refused}");
    rig.finish().await;
}

/// Found by review: a metric was shown as ok while its alert fired in the shared message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_in_the_shared_message_speaks_for_its_metric() {
    let rig = live().await;
    rig.advance(t(3)).await;
    rig.slash("ben", "release alert report", &[("metric", "Error Rate"), ("text", "0.5%")]).await;
    assert!(rig.slash("ben", "release show", &[]).await.contains("✅ Error Rate"));
    let of = |n: i64, status: &str| {
        let one = alert(&format!("Errors{n}"), 3, status);
        if n < 2 { with(one, "labels", "metric", json!("Error Rate")) } else { one }
    };
    let crowd: Vec<Value> = (0..8).map(|n| of(n, "firing")).collect();
    send(&rig, &crowd).await;
    assert_eq!(rig.count("releases", "🔴 8 alerts firing"), 1);
    let metric = async || {
        let card = rig.slash("ben", "release show", &[]).await;
        card.lines().find(|line| line.contains("Error Rate")).unwrap().to_owned()
    };
    assert!(!metric().await.contains("✅"), "{}", metric().await);
    send(&rig, &[of(0, "resolved")]).await;
    assert!(!metric().await.contains("✅"), "the other one fires: {}", metric().await);
    send(&rig, &[of(1, "resolved")]).await;
    assert!(metric().await.contains("✅"), "{}", metric().await);
    rig.finish().await;
}

/// Found by review: beyond twenty, alerts before go were taken and lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_alert_before_go_stands_against_it() {
    let rig = Rig::approved().await;
    rig.advance(t(-20)).await;
    let crowd: Vec<Value> = (0..300).map(|n| alert(&format!("Disk{n}"), -20, "firing")).collect();
    send(&rig, &crowd).await;
    send(&rig, &crowd[250..]).await;
    rig.advance(t(0)).await;
    let question = rig.newest_about("releases", "go / no-go?");
    assert!(question.contains("260 more alerts are firing") && question.contains("and 29 more"), "{question}");
    assert!(question.contains("and 292 more"), "all are counted: {question}");
    let seen = rig.sandbox().slash("ana", "releases", "release timeline", &[], None).await.unwrap();
    let Seen::Message(message) = &seen else { panic!("no timeline") };
    let file = String::from_utf8(message.file().unwrap().1).unwrap();
    for n in 0..300 {
        assert_eq!(file.matches(&format!("Disk{n} fired")).count(), 1, "Disk{n}: {file}");
    }
    rig.slash("ben", "release alert ack", &[]).await;
    let go = rig.slash("ana", "release go", &[]).await;
    assert!(go.starts_with("✅"), "{go}");
    rig.finish().await;
}

/// Measured before: the annotation `for: 2s` counted as a minute, and a trigger of two minutes asked after one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trigger_asks_at_its_second() {
    for (rule, held, after_s) in [
        ("for 2 minutes", "2s", 118),
        ("for 2 minutes", "", 120),
        ("for 90 seconds", "", 90),
        ("for 90 seconds", "89s", 1),
        ("for 1m 30s", "1m", 30),
        ("for 5 minutes", "4m59s", 1),
    ] {
        let rig = Rig::new().await;
        let plan = PLAN.replace("exceeds 2% for 5 minutes", &format!("exceeds 2% {rule}"));
        rig.submit(&plan).await;
        rig.sign_all().await;
        rig.slash("ana", "release item done", &[("text", "dependencies-deployed-and-stable")]).await;
        rig.advance(t(0)).await;
        rig.slash("ana", "release go", &[]).await;
        rig.advance(t(3)).await;
        let fires = with(alert("CheckoutErrorRate", 3, "firing"), "labels", "metric", json!("Error Rate"));
        let fires = if held.is_empty() { fires } else { with(fires, "annotations", "for", json!(held)) };
        send(&rig, &[with(fires, "annotations", "value", json!("3%"))]).await;
        let asked = || rig.count("releases", "🚨 Roll back?");
        rig.advance(t(3) + (after_s - 1) * 1_000).await;
        assert_eq!(asked(), 0, "{rule}, held {held:?}: a second early");
        rig.advance(t(3) + after_s * 1_000).await;
        assert_eq!(asked(), 1, "{rule}, held {held:?}: {}", rig.newest("releases"));
        rig.finish().await;
    }
}

/// Found by review: an alert that ended while its message was being repeated stood there as firing for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_ends_before_its_repeat_is_shown_as_ended() {
    for fault in [Fault::FailAfter, Fault::FailBefore] {
        let rig = live().await;
        rig.advance(t(3)).await;
        rig.sandbox().fail_next(&[fault]);
        send(&rig, &[alert("DiskFull", 3, "firing")]).await;
        send(&rig, &[alert("DiskFull", 3, "resolved")]).await;
        rig.advance(t(6)).await;
        let (there, message) = (rig.count("releases", "DiskFull"), rig.newest_about("releases", "DiskFull"));
        assert!(!message.contains("🔴"), "{fault:?}: {message}");
        assert_eq!(there, usize::from(fault == Fault::FailAfter), "{fault:?}: {message}");
        rig.finish().await;
    }
}
