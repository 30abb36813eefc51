//! Words of alerts.

use crate::domain::alert::crowd::Crowd;
use crate::domain::alert::event::AlertEvent;
use crate::domain::alert::{self, Alert, AlertNotice, AlertReply};
use crate::domain::closing;
use crate::domain::evidence::{self, metric_named};
use crate::domain::release::{Release, Run};
use crate::voice::message::{Message, Tone, WHAT_NOW};
use crate::voice::text::{Stamp, Text};
use crate::voice::words;

pub(super) fn say(notice: &AlertNotice, release: &Release) -> Message {
    if let AlertNotice::Alert { key } = notice {
        let found = alert::view::of(release).iter().find(|a| a.key == *key);
        return found.map_or_else(Message::default, |found| relayed(release, found));
    }
    let Some(run) = release.phase.run() else { return Message::default() };
    let name = words::name(release);
    match notice {
        AlertNotice::Returned { key } => {
            let found = run.alerts.iter().find(|a| a.key == *key).map_or("", |a| a.name.as_str());
            Message::new(Tone::Bad, Text::from(format!("🔴 Firing again: {found} · {name}")))
                .body("It resolved, then fired again. On-call: acknowledge, then investigate.")
        }
        AlertNotice::Unheard { reminder: 0 } => {
            Message::new(Tone::Plain, Text::from(format!("✅ Alerts acknowledged or resolved · {name}")))
        }
        AlertNotice::Unheard { reminder } => unheard(release, run, *reminder),
        AlertNotice::Crowd { .. } => crowd(release, &run.crowd),
        AlertNotice::Alert { .. } => Message::default(),
    }
}

/// What nobody has acknowledged, in one line.
fn unheard(release: &Release, run: &Run, reminder: u8) -> Message {
    let mut names: Vec<&str> = alert::view::unheard(release).map(|alert| alert.name.as_str()).collect();
    let more = format!("{} more", run.crowd.open_count());
    if run.crowd.open_count() > 0 && run.crowd.acked.is_none() {
        names.push(&more);
    }
    Message::new(
        Tone::Bad,
        Text::from(format!("🔴 Alerts not acknowledged (reminder {reminder}) · {}", words::name(release))),
    )
    .body(Text::from(format!("Still firing: {}.", names.join(", "))))
}

/// Many alerts at once: the worst by name, the rest counted.
fn crowd(release: &Release, crowd: &Crowd) -> Message {
    let (open, total) = (crowd.open_count(), crowd.total);
    let (tone, head) = match open {
        0 => (Tone::Wait, "⚠️ Alerts resolved".to_owned()),
        _ => (Tone::Bad, format!("🔴 {open} {} firing", words::plural(open, "alert", "alerts"))),
    };
    let lines = crowd.worst.iter().map(|named| {
        let severity = named.severity.as_ref().map_or(String::new(), |severity| format!(" ({severity})"));
        Text::from(format!("• {}{severity}", named.name))
    });
    let more = open.saturating_sub(crowd.worst.len());
    let rest = (more > 0).then(|| Text::from(format!("and {more} more")));
    let mut message = Message::new(tone, Text::from(format!("{head} · {}", words::name(release))))
        .body("Too many alerts for separate messages. T-Minus keeps this one up to date.")
        .field("Worst first", Text::lines(lines.chain(rest)));
    if let Some(since) = crowd.since {
        message = message.short("Seen", Text::from(format!("{total} since ")).time(since, Stamp::Short));
    }
    match &crowd.acked {
        Some((by, at)) => message.field("Acknowledged", Text::from(format!("✅ {by} ")).time(*at, Stamp::Short)),
        None if open > 0 => message.field(WHAT_NOW, Text::from("On-call: acknowledge, then investigate.")),
        None => message,
    }
}

fn relayed(release: &Release, alert: &Alert) -> Message {
    let ended = alert.resolved_at.is_some();
    let (tone, head) = match (ended, alert.again.is_some() || alert.returns > 0) {
        (true, _) => (Tone::Wait, "⚠️ Alert resolved"),
        (false, true) => (Tone::Bad, "🔴 Alert firing again"),
        (false, false) => (Tone::Bad, "🔴 Alert firing"),
    };
    let mut message = Message::new(tone, Text::from(format!("{head}: {} · {}", alert.name, words::name(release))));
    if !alert.summary.is_empty() {
        message = message.body(Text::from(alert.summary.as_str()));
    }
    let plan_metric = alert.metric.as_deref().and_then(|m| metric_named(&release.plan, m));
    if let Some(value) = alert.value {
        let shown = plan_metric.map_or(value.to_string(), |m| words::value(m, value).to_string());
        let limit = plan_metric.and_then(|m| m.alert.as_ref()).map_or(String::new(), |b| format!(" (alert {b})"));
        let word = if ended { "Last value while firing" } else { "Value" };
        message = message.short(word, Text::from(format!("{shown}{limit}")));
    }
    if let Some(unread) = &alert.unread {
        message = message.short("Value", Text::from(format!("“{unread}” (unreadable)")));
    }
    if let Some(severity) = &alert.severity {
        message = message.short("Severity", Text::from(severity.as_str()));
    }
    let mut seen = Text::from("first ").time(alert.first, Stamp::Short);
    if alert.count > 1 {
        seen = seen.t(", last ").time(alert.last, Stamp::Short).t(format!(", {} times", alert.count));
    }
    message = message.short("Seen", seen);
    if let Some(at) = alert.resolved_at {
        message = message.field(
            "Resolved",
            Text::new()
                .time(at, Stamp::Short)
                .t(". A resolved alert does not prove the service is healthy: report a fresh value with ")
                .code("/release alert report")
                .t("."),
        );
    }
    match &alert.acked {
        Some((by, at)) => message.field("Acknowledged", Text::from(format!("✅ {by} ")).time(*at, Stamp::Short)),
        None if ended || alert.pre_existing => message,
        None => message.field(WHAT_NOW, what_now(release)),
    }
}

/// What a firing alert asks of its reader.
fn what_now(release: &Release) -> Text {
    if release.phase.run().is_none() {
        return Text::from("Go waits until somebody acknowledges this alert.");
    }
    if closing::view::watches_again(release) {
        return Text::from("This release is all clear. Watch it again?");
    }
    Text::from("On-call: acknowledge, then investigate.")
}

/// The answer to whoever asked.
pub(super) fn done(reply: &AlertReply, release: &Release) -> Text {
    match reply {
        AlertReply::Acknowledged => Text::from("Acknowledged."),
        AlertReply::Observed { metric } => observed(release, metric),
    }
}

/// The value as it was taken, and what no fresh value is known of.
fn observed(release: &Release, metric: &str) -> Text {
    let Some(run) = release.phase.run() else { return Text::from(format!("Recorded your value for {metric}.")) };
    let planned = release.plan.metrics.iter().find(|known| known.name == metric);
    let value =
        planned.zip(run.observed.get(metric)).map(|(planned, seen)| (words::value(planned, seen.value), seen.at));
    let text = match value {
        Some((value, at)) => Text::from(format!("{metric} {value} recorded at ")).time(at, Stamp::Short).t("."),
        None => Text::from(format!("Recorded your value for {metric}.")),
    };
    let now = run.observed.get(metric).map(|seen| seen.at);
    let fresh =
        |name: &str| run.observed.get(name).zip(now).is_some_and(|(seen, now)| evidence::view::fresh(seen, now));
    let missing: Vec<&str> = release.plan.metrics.iter().map(|m| m.name.as_str()).filter(|name| !fresh(name)).collect();
    if missing.is_empty() { text } else { text.t(format!(" No fresh value yet: {}.", missing.join(", "))) }
}

/// An event as a line of the timeline.
pub(super) fn entry(event: &AlertEvent, release: &Release) -> String {
    let trigger = |n: &usize| release.plan.triggers.get(*n).map_or("a trigger", |t| t.text.as_str()).to_owned();
    match event {
        AlertEvent::Fired { name, pre_existing: false, .. } => format!("alert {name} fired"),
        AlertEvent::Fired { name, pre_existing: true, .. } => {
            format!("alert {name} was firing before T-0; set aside")
        }
        AlertEvent::Repeated { .. } => "the alert repeated".to_owned(),
        AlertEvent::Resolved { .. } => "the alert resolved".to_owned(),
        AlertEvent::Reopened { .. } => "the alert fired again".to_owned(),
        AlertEvent::Returned { .. } => "the alert still fires; on-call pinged again".to_owned(),
        AlertEvent::Elsewhere { name, no, .. } => format!("alert {name} fired; it belongs to {no}"),
        AlertEvent::ElsewhereOver { .. } => "an alert of a newer release resolved".to_owned(),
        AlertEvent::Crowded { name, .. } => format!("alert {name} fired, in the shared message"),
        AlertEvent::CrowdRepeated { name, .. } => format!("alert {name} fired again, in the shared message"),
        AlertEvent::CrowdEnded { .. } => "an alert of the shared message resolved".to_owned(),
        AlertEvent::CrowdAcknowledged => "acknowledged the alerts of the shared message".to_owned(),
        AlertEvent::Reminded => "reminded on-call about alerts".to_owned(),
        AlertEvent::AheadCounted { name, .. } => format!("alert {name} fired before go"),
        AlertEvent::AheadEnded { .. } => "an alert before go resolved".to_owned(),
        AlertEvent::AheadAcknowledged => "acknowledged the other alerts before go".to_owned(),
        AlertEvent::AllHeard => "every alert is acknowledged or resolved".to_owned(),
        AlertEvent::Acknowledged { .. } => "acknowledged the alert".to_owned(),
        AlertEvent::Observed { metric, observation } => {
            format!("{metric} observed at {}", observation.value)
        }
        AlertEvent::TriggerPending { trigger: n, .. } => format!("trigger pending: {}", trigger(n)),
        AlertEvent::TriggerCleared { trigger: n } => format!("trigger cleared: {}", trigger(n)),
        AlertEvent::TriggerSettled { trigger: n } => format!("trigger settled by the decision: {}", trigger(n)),
        AlertEvent::TriggerFired { trigger: n, .. } => format!("trigger fired: {}", trigger(n)),
    }
}
