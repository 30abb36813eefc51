//! The time by which things fire: a machine whose clock is wrong, a clock nobody confirms, and whoever
//! would like to move it.

use std::time::Duration;

use chat_sandbox::{Dice, Fault, Script};
use serde_json::json;
use tminus::sandboxed::{ALERT_TOKEN, t};

use crate::rig::Rig;

const HOUR: i64 = 3_600_000;

/// What comes within twenty seconds of real time: a request nobody answers takes ten, and the machine may be busy.
pub async fn comes(rig: &Rig, channel: &str, needle: &str) {
    for _ in 0..2_000 {
        if rig.count(channel, needle) > 0 {
            return rig.quiet().await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{needle} did not come in #{channel}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f17_a_machine_hours_off_posts_by_discords_time_and_says_so() {
    for (ahead, words) in
        [(3 * HOUR + 120_000, "is 3h 2m ahead of Discord's."), (-26 * HOUR, "is 26h behind Discord's.")]
    {
        let rig = Rig::approved().await;
        rig.machine.set_ahead(ahead);
        let rig = rig.restart().await;
        comes(&rig, "tminus-ops", "⚠️ The host clock is wrong").await;
        assert!(rig.newest("tminus-ops").contains(words), "{}", rig.newest("tminus-ops"));
        rig.advance(t(-24 * 60) - 1_000).await;
        assert_eq!(rig.count("engineering", "📣 T-24h"), 0, "not a second early");
        rig.advance(t(-24 * 60) + 1_000).await;
        assert_eq!(rig.count("engineering", "📣 T-24h"), 1);
        // Somebody sets it right while it runs.
        rig.machine.set_ahead(0);
        comes(&rig, "tminus-ops", "✅ The host clock is right again").await;
        rig.advance(t(-2 * 60) - 1_000).await;
        assert_eq!(rig.count("support", "📣 T-2h"), 0);
        rig.advance(t(-2 * 60)).await;
        assert_eq!((rig.count("support", "📣 T-2h"), rig.count("engineering", "📣 T-24h")), (1, 1));
        assert_eq!(rig.count("tminus-ops", "The host clock is wrong"), 1, "said once");
        rig.finish().await;
    }
}

/// An alert as Alertmanager sends it; the answer's status.
async fn alert(rig: &Rig, n: u32, at: &str, date: Option<&str>) -> u16 {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let alert = json!({
        "status": "firing", "labels": { "alertname": format!("Alert{n}") }, "annotations": {}, "startsAt": at, "endsAt": at,
        "generatorURL": "http://m.example", "fingerprint": format!("{n:016x}"),
    });
    let body = json!({
        "version": "4", "groupKey": "g", "status": "firing", "receiver": "tminus", "groupLabels": {}, "commonLabels": {},
        "commonAnnotations": {}, "externalURL": "http://a.example", "truncatedAlerts": 0, "alerts": [alert],
    });
    let sent = http.post(format!("{}/hooks/alertmanager/sandbox", rig.pair.intake)).bearer_auth(ALERT_TOKEN);
    let sent = if let Some(date) = date { sent.header("Date", date).header("X-Now", at) } else { sent };
    sent.json(&body).send().await.unwrap().status().as_u16()
}

fn unanswered() -> Script {
    Script { route: "GET /gateway".to_owned(), fault: Fault::Slow(20_000), times: None, chance: 1.0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f17_a_clock_that_stepped_fires_nothing_until_it_is_confirmed() {
    let rig = Rig::approved().await;
    rig.advance(t(-24 * 60) - 60_000).await;
    rig.sandbox().script(unanswered());
    rig.machine.set_ahead(26 * HOUR);
    // It looks once a second at least.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(rig.count("engineering", "📣 T-24h"), 0, "the wall clock says it is long past");
    assert_eq!(alert(&rig, 1, "2026-12-07T12:00:00Z", None).await, 503, "nothing is recorded by a doubtful clock");
    rig.sandbox().clock().move_to(t(-24 * 60) + 30_000);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(rig.count("engineering", "📣 T-24h"), 0, "it is, but nobody says so");
    rig.sandbox().mend();
    comes(&rig, "engineering", "📣 T-24h").await;
    assert_eq!(rig.count("engineering", "📣 T-24h"), 1);
    assert_eq!(rig.count("support", "📣 T-2h"), 0);
    assert_eq!(alert(&rig, 1, "2026-12-07T12:00:00Z", None).await, 202);
    rig.finish().await;
}

/// Found by review: what came in before the first confirmation was recorded by a clock that may be wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f17_nothing_is_recorded_before_the_time_is_first_confirmed() {
    let rig = Rig::approved().await;
    rig.machine.set_ahead(3 * HOUR);
    let (sandbox, entries) = (rig.sandbox().clone(), rig.pair.check_journal().await.unwrap());
    sandbox.script(unanswered());
    let mend = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(2_000)).await;
        sandbox.mend();
    });
    // It comes online only once the time is confirmed.
    let started = tokio::time::Instant::now();
    let rig = rig.restart().await;
    assert!(started.elapsed() >= Duration::from_millis(1_900), "it was online before the time was confirmed");
    mend.await.unwrap();
    comes(&rig, "tminus-ops", "⚠️ The host clock is wrong").await;
    // Two entries: that the clock is wrong, and that this was delivered; none of them hours ahead.
    assert!(rig.pair.check_journal().await.unwrap() <= entries + 2);
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s20_webhooks_cannot_move_the_time() {
    let rig = Rig::approved().await;
    rig.advance(t(-24 * 60) - 1_000).await;
    // Nobody would set right what they had moved.
    rig.sandbox().script(unanswered());
    let seed = 20_261_125;
    let mut dice = Dice::new(seed);
    for n in 0..200 {
        // The same date several times in a row, a second or years ahead.
        let (at, date) = if n % 8 < 4 {
            ("2026-12-07T13:00:05Z".to_owned(), "Mon, 07 Dec 2026 13:00:05 GMT".to_owned())
        } else {
            let year = 2_027 + dice.roll(70);
            (format!("{year}-01-02T03:04:05Z"), format!("Sat, 02 Jan {year} 03:04:05 GMT"))
        };
        assert_eq!(alert(&rig, n, &at, Some(&date)).await, 202, "seed {seed}, {n}: the time stays confirmed");
    }
    rig.quiet().await;
    assert_eq!(rig.count("engineering", "📣 T-24h"), 0, "seed {seed}");
    rig.advance(t(-24 * 60)).await;
    assert_eq!(rig.count("engineering", "📣 T-24h"), 1, "seed {seed}");
    assert_eq!(rig.count("tminus-ops", "clock"), 0, "seed {seed}");
    rig.sandbox().mend();
    rig.finish().await;
}
