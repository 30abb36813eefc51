//! The stories of the sandbox: each a list of steps that the page, the command line and a test play alike. Data only.

use chat_sandbox::{Act, Step, Tale};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::world::{WATCHED, Watched};
use super::{ALERT_TOKEN, BEGIN_MS, PLAN};

type Steps = fn() -> Vec<Step>;

/// Every story: its name, its title, its steps.
const STORIES: [(&str, &str, Steps); 4] = [
    ("smooth", "One scare, one hold, and a post-mortem", smooth),
    ("rollback", "Production breaks, and the team rolls back", rollback),
    ("silence", "Nobody answers, and T-Minus keeps asking", silence),
    ("scrub", "Cancelled before T-0", scrub),
];

/// The stories' names, as `--story` takes them.
pub const NAMES: [&str; 4] = ["smooth", "rollback", "silence", "scrub"];

/// A story by name; the first if there is none of that name.
pub fn tale(name: &str) -> Tale {
    let (name, title, steps) = STORIES.into_iter().find(|(known, ..)| *known == name).unwrap_or(STORIES[0]);
    let others = STORIES.iter().filter(|(other, ..)| *other != name);
    Tale {
        name: name.to_owned(),
        title: title.to_owned(),
        steps: steps(),
        others: others.map(|(name, title, _)| ((*name).to_owned(), (*title).to_owned())).collect(),
    }
}

/// Minutes after (or before) the plan's T-0, in milliseconds of Unix time.
pub fn t(minutes: i64) -> i64 {
    BEGIN_MS + (25 * 60 + minutes) * 60_000
}

fn step(caption: &str, who: &str, channel: &str, act: Act) -> Step {
    Step { caption: caption.to_owned(), who: who.to_owned(), channel: channel.to_owned(), act, refused: false }
}

fn slash(caption: &str, who: &str, path: &str, options: &[(&str, &str)]) -> Step {
    let options = options.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    step(caption, who, "releases", Act::Slash { path: path.to_owned(), options, file: None })
}

fn press(caption: &str, who: &str, channel: &str, label: &str, fill: &[(&str, &str)]) -> Step {
    let fill = fill.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    step(caption, who, channel, Act::Press { label: label.to_owned(), fill })
}

/// A step that the bot is to refuse.
fn refused(step: Step) -> Step {
    Step { refused: true, ..step }
}

/// Gwen keeps the status page.
fn publish(caption: &str, state: &str, text: &str) -> Step {
    step(caption, "gwen", "releases", Act::Publish { state: state.to_owned(), text: text.to_owned() })
}

fn advance(caption: &str, channel: &str, minutes: i64) -> Step {
    step(caption, "ana", channel, Act::Advance { to_ms: t(minutes) })
}

fn error_rate(caption: &str, percent: f64) -> Step {
    step(caption, "ben", "releases", Act::Signals(vec![("Error Rate".to_owned(), percent)]))
}

/// What Alertmanager sends of an alert.
pub(super) fn notification(watched: &Watched, since_ms: i64, value: &str, firing: bool) -> Value {
    let starts = Timestamp::from_millisecond(since_ms).unwrap_or(Timestamp::UNIX_EPOCH).to_string();
    let status = if firing { "firing" } else { "resolved" };
    json!({
        "version": "4", "groupKey": format!("{{}}:{{alertname=\"{}\"}}", watched.alert), "status": status,
        "receiver": "tminus", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager.example",
        "alerts": [{
            "status": status,
            "labels": { "alertname": watched.alert, "service": "checkout", "severity": "critical", "metric": watched.metric },
            "annotations": { "summary": watched.summary, "value": value },
            "startsAt": starts, "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": watched.alert.to_lowercase(),
        }],
    })
}

/// An Alertmanager body for the error rate, as it began at `since` minutes after T-0.
pub fn alert(intake: &str, since: i64, value: &str, firing: bool) -> Act {
    Act::Post {
        url: format!("{intake}/hooks/alertmanager/sandbox"),
        bearer: ALERT_TOKEN.to_owned(),
        body: notification(&WATCHED[0], t(since), value, firing),
    }
}

fn import() -> Step {
    let plan = Act::Slash {
        path: "release import".to_owned(),
        options: Vec::new(),
        file: Some(("checkout-4.2.md".to_owned(), PLAN.as_bytes().to_vec())),
    };
    step("Ana imports the filled-in plan", "ana", "releases", plan)
}

/// From the import to the approval, without a word too many.
fn signed() -> Vec<Step> {
    vec![
        import(),
        press("She reviews the scheduled messages and submits the plan", "ana", "releases", "Submit for sign-off", &[]),
        press("Chloe signs as Engineering Lead", "chloe", "releases", "Sign as Engineering Lead", &[]),
        press("Dev signs as Product Owner", "dev", "releases", "Sign as Product Owner", &[]),
        press("Eva signs as SRE/Ops: the release is approved", "eva", "releases", "Sign as SRE/Ops", &[]),
        slash(
            "Ana ticks the last prerequisite",
            "ana",
            "release item done",
            &[("text", "dependencies-deployed-and-stable")],
        ),
    ]
}

/// The story `smooth`: one release from import to the post-mortem's reminder. Nothing about it is smooth for five minutes.
pub fn smooth() -> Vec<Step> {
    let healthy = "P99 Latency: 212ms\nError Rate: 0.5%\nThroughput: 1180 rps";
    vec![
        import(),
        press("She reviews the scheduled messages and submits the plan", "ana", "releases", "Submit for sign-off", &[]),
        refused(slash(
            "She owns the plan, so she cannot sign it",
            "ana",
            "release signoff give",
            &[("role", "engineering_lead")],
        )),
        press("Chloe signs as Engineering Lead", "chloe", "releases", "Sign as Engineering Lead", &[]),
        advance("T-24h: engineering gets its notice", "engineering", -24 * 60),
        press("Dev signs as Product Owner", "dev", "releases", "Sign as Product Owner", &[]),
        press("Eva signs as SRE/Ops: the release is approved", "eva", "releases", "Sign as SRE/Ops", &[]),
        slash(
            "Ana ticks the last prerequisite",
            "ana",
            "release item done",
            &[("text", "dependencies-deployed-and-stable")],
        ),
        advance("T-2h: support gets its notice", "support", -120),
        press("Gwen confirms for support", "gwen", "support", "Briefed", &[]),
        advance("T-30m: the status page is due", "releases", -30),
        publish(
            "Gwen posts on the status page",
            "Scheduled maintenance",
            "We update the checkout at 13:00 UTC and expect no interruption.",
        ),
        press("She confirms the status page notice", "gwen", "releases", "Briefed", &[]),
        advance("T-0: go or no-go", "releases", 0),
        slash("Ana gives the go", "ana", "release go", &[]),
        advance("Ten minutes later", "releases", 10),
        slash(
            "Ana writes an update",
            "ana",
            "release update",
            &[("text", "5% of users are on the new step; nothing unusual.")],
        ),
        advance("T+15m: the first decision point", "releases", 15),
        press(
            "Eva decides to continue",
            "eva",
            "releases",
            "Continue",
            &[("text", "Latency and errors are at baseline.")],
        ),
        advance("T+20m", "releases", 20),
        error_rate("Production breaks: an alert arrives", 3.1),
        press("Ben acknowledges the alert", "ben", "releases", "Acknowledge", &[]),
        advance("Two minutes later", "releases", 22),
        error_rate("The alert repeats: T-Minus edits its message", 3.4),
        advance("Error rate above 2% for five minutes: the trigger asks for a decision", "releases", 25),
        press(
            "Eva holds the rollout",
            "eva",
            "releases",
            "Hold",
            &[("text", "The provider is raising our quota; we can live with 5%.")],
        ),
        advance("T+35m", "releases", 35),
        error_rate("The alert resolves, which alone proves nothing", 0.5),
        slash(
            "Ben reports a fresh value",
            "ben",
            "release alert report",
            &[("metric", "Error Rate"), ("text", "0.5%")],
        ),
        slash("Ana resumes; later times shift by ten minutes", "ana", "release resume", &[]),
        advance("Stage 1 soak complete", "releases", 45),
        slash("Ana advances to 25%", "ana", "release stage", &[("stage", "advance")]),
        slash(
            "Ana writes an update",
            "ana",
            "release update",
            &[("text", "25% of users; the provider has raised the quota.")],
        ),
        advance("T+1h, shifted by the hold", "releases", 70),
        press(
            "Ben decides to continue",
            "ben",
            "releases",
            "Continue",
            &[("text", "No errors since the provider raised the quota.")],
        ),
        slash("Ana writes an update", "ana", "release update", &[("text", "Stable at 25%.")]),
        advance("Nobody writes the next update: T-Minus posts one and says so", "releases", 105),
        slash("Ana advances to everyone", "ana", "release stage", &[("stage", "advance")]),
        slash("She writes the overdue update", "ana", "release update", &[("text", "Everyone is on the new step.")]),
        advance("Half an hour later", "releases", 134),
        slash("Ana writes an update", "ana", "release update", &[("text", "Everything is calm.")]),
        advance("A quarter of an hour before stage 3 has soaked", "releases", 150),
        slash(
            "Ana ends the rollout early, with a reason: the watch window begins",
            "ana",
            "release stage",
            &[("stage", "advance"), ("reason", "An hour without a single error; support reports nothing")],
        ),
        refused(slash("T-Minus refuses the all-clear and lists what is open", "ana", "release all-clear", &[])),
        advance("T+4h, shifted by the hold", "releases", 250),
        press("Eva decides to continue", "eva", "releases", "Continue", &[("text", "All metrics at baseline.")]),
        advance("T+24h, shifted by the hold", "releases", 1450),
        press("Eva decides to continue", "eva", "releases", "Continue", &[("text", "A quiet night.")]),
        press(
            "Ana reports the final values",
            "ana",
            "releases",
            "Write update",
            &[("text", "Final values."), ("values", healthy)],
        ),
        slash("Ana gives the all-clear", "ana", "release all-clear", &[]),
        publish(
            "Gwen closes the maintenance on the status page",
            "Completed",
            "The new checkout is live for everyone.",
        ),
        advance("A day later: the post-mortem is due, because an alert fired", "releases", 1451 + 1440),
        press(
            "Ana files the post-mortem",
            "ana",
            "releases",
            "File post-mortem",
            &[("text", "https://wiki.example/post-mortems/checkout-4.2")],
        ),
    ]
}

/// The story `rollback`: five minutes over the threshold, a decision, a rollback that is confirmed, a post-mortem.
fn rollback() -> Vec<Step> {
    let mut steps = signed();
    steps.extend([
        advance("T-24h: engineering gets its notice", "engineering", -24 * 60),
        advance("T-2h: support gets its notice", "support", -120),
        press("Gwen confirms for support", "gwen", "support", "Briefed", &[]),
        advance("T-30m: the status page is due", "releases", -30),
        publish(
            "Gwen posts on the status page",
            "Scheduled maintenance",
            "We update the checkout at 13:00 UTC and expect no interruption.",
        ),
        press("She confirms the status page notice", "gwen", "releases", "Briefed", &[]),
        advance("T-0: go or no-go", "releases", 0),
        slash("Ana gives the go", "ana", "release go", &[]),
        advance("Six minutes later", "releases", 6),
        error_rate("Production breaks: an alert arrives", 6.2),
        press("Ben acknowledges the alert", "ben", "releases", "Acknowledge", &[]),
        advance("Error rate above 2% for five minutes: the trigger asks for a decision", "releases", 11),
        refused(press("Hugo may not decide", "hugo", "releases", "Roll back", &[("text", "It looks bad")])),
        press("Ben rolls back", "ben", "releases", "Roll back", &[("text", "One user in sixteen cannot pay")]),
        advance("Five minutes without news: T-Minus asks Ben how the rollback went", "releases", 16),
        error_rate("The error rate falls, and the alert resolves", 0.4),
        refused(press("Without fresh values nothing is verified", "ben", "releases", "Rolled back and verified", &[])),
    ]);
    steps.extend(healthy());
    steps.extend([
        press("Ben has rolled back and verified it", "ben", "releases", "Rolled back and verified", &[]),
        publish("Gwen updates the status page", "Completed", "The checkout is back to its previous version."),
        slash("Ana reads the timeline", "ana", "release timeline", &[]),
        advance("A day later: the post-mortem is due", "releases", 24 * 60 + 20),
        press(
            "Ana files the post-mortem",
            "ana",
            "releases",
            "File post-mortem",
            &[("text", "https://wiki.example/post-mortems/checkout-4.2")],
        ),
    ]);
    steps
}

/// Ben reports a good value of every metric.
fn healthy() -> Vec<Step> {
    let values = [("Error Rate", "0.4%"), ("P99 Latency", "205ms"), ("Throughput", "1190 rps")];
    let report = |(metric, value): (&str, &str)| {
        slash(&format!("Ben reports {metric}"), "ben", "release alert report", &[("metric", metric), ("text", value)])
    };
    values.map(report).to_vec()
}

/// The story `silence`: receipts, go, updates, decisions and alerts that nobody answers in time.
fn silence() -> Vec<Step> {
    let mut steps = signed();
    steps.extend([
        advance("T-2h: support gets its notice, and nobody confirms", "support", -120),
        advance("T-30m: the notice names the missing receipt", "releases", -30),
        advance("T-0 passes, and nobody gives the go", "releases", 0),
        advance("A quarter of an hour after T-0", "releases", 15),
        slash("Ana is back and gives the go late", "ana", "release go", &[]),
        advance("Nobody writes the update: T-Minus posts one and says so", "releases", 50),
        error_rate("Production breaks: an alert arrives", 3.1),
        advance("Nobody acknowledges the alert, and nobody decides", "releases", 65),
        press("Ben wakes up and acknowledges the alert", "ben", "releases", "Acknowledge", &[]),
        press(
            "He rolls back",
            "ben",
            "releases",
            "Roll back",
            &[("text", "Nobody was watching; back to what we know")],
        ),
        advance("Ten minutes later", "releases", 76),
        press(
            "Ben has rolled back, and has no values to show it",
            "ben",
            "releases",
            "Rolled back, not verified",
            &[("text", "The old version answers; the dashboard is down")],
        ),
        slash("Iris reads the timeline", "iris", "release timeline", &[]),
    ]);
    steps
}

/// The story `scrub`: support is told already when the release is called off; everybody who was told hears of it.
fn scrub() -> Vec<Step> {
    let mut steps = signed();
    steps.extend([
        advance("T-24h: engineering gets its notice", "engineering", -24 * 60),
        advance("T-2h: support gets its notice", "support", -120),
        press("Gwen confirms for support", "gwen", "support", "Briefed", &[]),
        slash(
            "The payment provider has trouble: Ana holds the countdown",
            "ana",
            "release hold",
            &[("reason", "The payment provider reports trouble")],
        ),
        advance("An hour passes; the countdown stays paused", "releases", -60),
        slash(
            "It will not be today: she cancels the release",
            "ana",
            "release scrub",
            &[("reason", "The payment provider is not ready")],
        ),
        advance("T-0 would have been now: T-Minus posts nothing", "support", 0),
        slash("Ana reads the timeline", "ana", "release timeline", &[]),
    ]);
    steps
}
