//! Words of alerts, rollback prompts and contingencies.

use jiff::Timestamp;

use super::message::{Message, Tone, WHAT_NOW};
use super::text::{Stamp, Text};
use super::words;
use crate::domain::alert::AlertNotice;
use crate::domain::alert::crowd::Crowd;
use crate::domain::alert::{self, Alert};
use crate::domain::decision::Verdict;
use crate::domain::evidence::{TriggerState, metric_named};
use crate::domain::notice::Notice;
use crate::domain::open::Open;
use crate::domain::plan::TriggerRule;
use crate::domain::release::{Release, Run};
use crate::domain::rollback::RollbackNotice;
use crate::domain::rollback::{Case, CaseState, Cause};
use crate::domain::{closing, evidence, rollback};

pub(super) fn say(notice: &Notice, release: &Release, now: Timestamp) -> Message {
    if let AlertNotice::Alert { key } = notice {
        let found = alert::view::of(release).iter().find(|a| a.key == *key);
        return found.map_or_else(Message::default, |found| alert(release, found));
    }
    let Some(run) = release.phase.run() else {
        return Message::default();
    };
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
        RollbackNotice::Case { n } => run.cases.iter().find(|c| c.n == *n).map_or_else(Message::default, |c| case(release, run, c, now)),
        RollbackNotice::CaseReminder { count, .. } => {
            Message::new(Tone::Bad, Text::from(format!("⏳ Rollback decision still open (reminder {count}) · {name}")))
                .body("Continue, hold or roll back? Use the buttons on the message this replies to.")
        }
        RollbackNotice::Started { by, reason } => Message::new(Tone::Bad, Text::from(format!("⏪ Rolling back · {name}")))
            .body(Text::from(format!("{by} decided: “{reason}”. T-Minus does not deploy, so on-call must roll back now.")))
            .field(WHAT_NOW, Text::from("1. Roll back. 2. Report every metric with /release alert report. 3. Press “Rolled back and verified”. Without values: “Rolled back, not verified”. If the rollback does not work: “Rollback failed”."))
            .field("People", words::people(release)),
        RollbackNotice::Reminder { count } => {
            Message::new(Tone::Bad, Text::from(format!("⏳ Rollback not confirmed (reminder {count}) · {name}")))
                .body("Did the rollback work? Answer with the buttons on the message this replies to: verified, not verified or failed.")
        }
        RollbackNotice::Done { by } => {
            let (icon, result) = if rollback::view::ended_unverified(release) { ("⚠️", "not verified") } else { ("↩️", "verified") };
            Message::new(Tone::Good, Text::from(format!("{icon} Rolled back, {result} · {name}")))
                .body(Text::from(format!("{by} confirmed the rollback.")))
        }
        RollbackNotice::RolledBack { by, note, unverified } => rolled_back(release, run, by, note.as_deref(), unverified, now),
        RollbackNotice::Failed { by, reason } => Message::new(Tone::Bad, Text::from(format!("🔴 Rollback failed · {name}")))
            .body(Text::from(format!("{by} reported: “{reason}”. The rollback stays open. The plan's contingency follows, if it has one.")))
            .field("People", words::people(release)),
        RollbackNotice::Contingency { when, text } => Message::new(Tone::Bad, Text::from(format!("🧭 {when} · {name}"))).body(Text::from(text.as_str())),
        _ => Message::default(),
    }
}

/// The end of a rollback, with what was planned and what was seen.
fn rolled_back(
    release: &Release,
    run: &Run,
    by: &str,
    note: Option<&str>,
    unverified: &[Open],
    now: Timestamp,
) -> Message {
    let note = note.map_or(String::new(), |note| format!(": “{note}”"));
    let name = words::name(release);
    let message = if unverified.is_empty() {
        Message::new(Tone::Good, Text::from(format!("↩️ Rolled back and verified · {name}")))
            .body(Text::from(format!("{by} verified the rollback{note}. A post-mortem is due.")))
    } else {
        Message::new(Tone::Wait, Text::from(format!("⚠️ Rolled back, not verified · {name}")))
            .body(Text::from(format!("{by} confirmed the rollback{note}. A post-mortem is due.")))
            .field("Not verified", words::open_list(unverified, &release.policy))
            .field(WHAT_NOW, Text::from("On-call: check the service until it is healthy."))
    };
    message.field("Planned vs observed", words::metrics(release, run, now))
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

fn alert(release: &Release, alert: &Alert) -> Message {
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

/// What speaks for a rollback.
pub(super) fn causes(release: &Release, run: &Run, case: &Case, now: Timestamp) -> Text {
    Text::lines(case.causes.iter().map(|c| cause(release, run, c, now)))
}

fn case(release: &Release, run: &Run, case: &Case, now: Timestamp) -> Message {
    let name = words::name(release);
    let causes = causes(release, run, case, now);
    let base = |tone, headline: String| {
        Message::new(tone, Text::from(headline))
            .field("Why", causes.clone())
            .field("Metrics", words::metrics(release, run, now))
    };
    match &case.state {
        CaseState::Proposed { .. } => base(Tone::Bad, format!("🚨 Roll back? · {name}"))
            .body(Text::from("Decide now: roll back, hold or continue."))
            .field("Who can decide", words::people(release).t(", SRE/Ops, release managers"))
            .field(
                "If nobody decides",
                Text::from("T-Minus keeps reminding, then escalates. It never rolls back by itself."),
            ),
        CaseState::Declined { by, verdict, reason, at } => {
            let icon = if *verdict == Verdict::Continue { "✅" } else { "⏸️" };
            base(Tone::Wait, format!("{icon} Decision: {} · {name}", words::verdict(*verdict)))
                .body(Text::from(format!("{by} decided at ")).time(*at, Stamp::Short).t(format!(": “{reason}”")))
        }
        CaseState::Executing { by, reason, since, .. } | CaseState::Verified { by, reason, at: since, .. } => {
            base(Tone::Bad, format!("⏪ Decision: Roll back · {name}"))
                .body(Text::from(format!("{by} decided at ")).time(*since, Stamp::Short).t(format!(": “{reason}”")))
        }
    }
}

fn cause(release: &Release, run: &Run, cause: &Cause, now: Timestamp) -> Text {
    match cause {
        Cause::Trigger { trigger } => {
            let Some(plan) = release.plan.triggers.get(*trigger) else {
                return Text::from("a trigger");
            };
            let mut text = Text::from(format!("• {}", plan.text));
            if let Some(rule) = &plan.rule {
                text = evidence(text, release, run, rule, now);
            }
            match run.triggers.get(*trigger).map(|t| &t.state) {
                Some(TriggerState::Firing { since, late: None }) => text.t(", fired at ").time(*since, Stamp::Short),
                Some(TriggerState::Firing { late: Some(late), .. }) => text
                    .br()
                    .t("⏰ ")
                    .and(words::late(late, "fired"))
                    .t(" Check the metrics first: the values may be just as old."),
                _ => text,
            }
        }
        Cause::Alert { name } => Text::from(format!("• alert “{name}” requests a rollback")),
        Cause::Point { after_min } => Text::from(format!("• decision at {}", words::after(*after_min))),
        Cause::Person { name } => Text::from(format!("• {name} requested a rollback")),
    }
}

/// The value that speaks for a trigger, if one is known, and from when it is.
fn evidence(text: Text, release: &Release, run: &Run, rule: &TriggerRule, now: Timestamp) -> Text {
    let metric = metric_named(&release.plan, rule.subject());
    let by_alert = run
        .alerts
        .iter()
        .rev()
        .find(|a| {
            let about = |name: &str| evidence::same_metric(name, rule.subject());
            a.metric.as_deref().is_some_and(about) || about(&a.name)
        })
        .and_then(|a| a.value.map(|v| (a.last, v)));
    let by_person = metric.and_then(|m| run.observed.get(&m.name)).map(|o| (o.at, o.value));
    let latest = by_alert.into_iter().chain(by_person).max_by_key(|(at, _)| *at);
    let Some((at, value)) = latest else { return text };
    let value = metric.map_or_else(|| value.to_string(), |metric| words::value(metric, value).to_string());
    text.t(format!(" · {value} at ")).time(at, words::stamp(at, now))
}
