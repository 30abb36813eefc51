//! Words of alerts, rollback prompts and contingencies.

use jiff::{SignedDuration, Timestamp};

use super::message::{Message, Tone};
use super::text::{Stamp, Text};
use super::words;
use crate::domain::alert::{Alert, TriggerState, metric_named};
use crate::domain::command::Verdict;
use crate::domain::notice::Notice;
use crate::domain::plan::TriggerRule;
use crate::domain::release::{Release, Run};
use crate::domain::rollback::{Case, CaseState, Cause};

pub(super) fn say(notice: &Notice, release: &Release, now: Timestamp) -> Message {
    let Some(run) = release.phase.run() else {
        return Message::default();
    };
    let name = words::name(release);
    match notice {
        Notice::Alert { key } => run.alerts.iter().find(|a| a.key == *key).map_or_else(Message::default, |a| alert(release, a)),
        Notice::Case { n } => run.cases.iter().find(|c| c.n == *n).map_or_else(Message::default, |c| case(release, run, c, now)),
        Notice::CaseReminder { n, count } => {
            let mut message = run.cases.iter().find(|c| c.n == *n).map_or_else(Message::default, |c| case(release, run, c, now));
            message.headline = Text::from(format!("❗ Rollback decision still open (reminder {count}) · {name}"));
            message
        }
        Notice::CaseDeclined { verdict, by, reason, .. } => {
            let (tone, word) = match verdict {
                Verdict::Continue => (Tone::Wait, "Continue"),
                Verdict::Hold | Verdict::RollBack => (Tone::Wait, "Hold"),
            };
            Message::new(tone, Text::from(format!("☑️ No rollback: {word} · {name}"))).body(Text::from(format!("Decided by {by}: “{reason}”")))
        }
        Notice::RollingBack { by, reason } => Message::new(Tone::Bad, Text::from(format!("⏪ Rolling back · {name}")))
            .body(Text::from(format!("Decided by {by}: “{reason}”. T-Minus does not deploy: on-call rolls back now.")))
            .field("What now", Text::from("When users are on the old version again and the values are healthy, press the first button. If it does not work, press the second."))
            .field("People", words::people(release)),
        Notice::RollbackReminder { count } => Message::new(Tone::Bad, Text::from(format!("❗ Rollback not confirmed (reminder {count}) · {name}")))
            .body(Text::from("Is it done? Somebody must say whether it worked."))
            .field("Metrics", words::metrics(release, run, now)),
        Notice::RolledBack { by, note } => {
            let note = note.as_ref().map_or(String::new(), |n| format!(" “{n}”"));
            Message::new(Tone::Good, Text::from(format!("↩️ Rolled back · {name}")))
                .body(Text::from(format!("Verified by {by}.{note} A post-mortem is due.")))
        }
        Notice::RollbackFailed { by, reason } => Message::new(Tone::Bad, Text::from(format!("🆘 Rollback failed · {name}")))
            .body(Text::from(format!("Reported by {by}: “{reason}”. The case stays open; the plan's contingency follows if it has one.")))
            .field("People", words::people(release)),
        Notice::Contingency { when, text } => Message::new(Tone::Bad, Text::from(format!("🧭 {when} · {name}"))).body(Text::from(text.as_str())),
        _ => Message::default(),
    }
}

fn alert(release: &Release, alert: &Alert) -> Message {
    let ended = alert.resolved_at.is_some();
    let (tone, head) = if ended { (Tone::Wait, "🟡 Alert ended") } else { (Tone::Bad, "🔴 Alert firing") };
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
            "Ended",
            Text::new()
                .time(at, Stamp::Short)
                .t(". The alert stopped; that alone does not mean healthy. Report a fresh value with ")
                .code("/release alert report")
                .t("."),
        );
    }
    match &alert.acked {
        Some((by, at)) => message.field("Acknowledged", Text::from(format!("✅ {by} ")).time(*at, Stamp::Short)),
        None if !ended => message.field("What now", Text::from("On-call: acknowledge, then look.")),
        None => message,
    }
}

fn case(release: &Release, run: &Run, case: &Case, now: Timestamp) -> Message {
    let name = words::name(release);
    let causes = Text::lines(case.causes.iter().map(|c| cause(release, run, c, now)));
    let base = |tone, headline: String| {
        Message::new(tone, Text::from(headline))
            .field("Because", causes.clone())
            .field("Metrics", words::metrics(release, run, now))
    };
    match &case.state {
        CaseState::Proposed { .. } => base(Tone::Bad, format!("🚨 Roll back? · {name}"))
            .body(Text::from("A rollback trigger fired. Somebody must decide: roll back, hold or continue."))
            .field("Who may decide", words::people(release).t(", SRE/Ops, release managers"))
            .field(
                "If nobody decides",
                Text::from("It stays open, reminds and climbs the escalation path. Nothing is rolled back by itself."),
            ),
        CaseState::Declined { by, verdict, reason, at } => {
            base(Tone::Wait, format!("☑️ {} · {name}", words::verdict(*verdict)))
                .body(Text::from(format!("Decided by {by}: “{reason}” at ")).time(*at, Stamp::Short).t("."))
        }
        CaseState::Executing { by, reason, since, .. } | CaseState::Verified { by, reason, at: since } => {
            base(Tone::Bad, format!("☑️ Roll back · {name}"))
                .body(Text::from(format!("Decided by {by}: “{reason}” at ")).time(*since, Stamp::Short).t("."))
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
                    .t(" Look at the values first: they may be as old."),
                _ => text,
            }
        }
        Cause::Alert { name } => Text::from(format!("• alert “{name}” asks for it")),
        Cause::Point { after_min } => Text::from(format!("• decided at {}", words::after(*after_min))),
        Cause::Person { name } => Text::from(format!("• {name} asked for it")),
    }
}

/// A value older than this is not called the present one.
const PRESENT: SignedDuration = SignedDuration::from_mins(5);

/// The value that speaks for a trigger, if one is known, and from when it is.
fn evidence(text: Text, release: &Release, run: &Run, rule: &TriggerRule, now: Timestamp) -> Text {
    let metric = metric_named(&release.plan, rule.subject());
    let by_alert = run
        .alerts
        .iter()
        .rev()
        .find(|a| {
            let about = |name: &str| crate::domain::alert::same_metric(name, rule.subject());
            a.metric.as_deref().is_some_and(about) || about(&a.name)
        })
        .and_then(|a| a.value.map(|v| (a.last, v)));
    let by_person = metric.and_then(|m| run.observed.get(&m.name)).map(|o| (o.at, o.value));
    let latest = by_alert.into_iter().chain(by_person).max_by_key(|(at, _)| *at);
    let Some((at, value)) = latest else { return text };
    let value = metric.map_or_else(|| value.to_string(), |metric| words::value(metric, value).to_string());
    if now <= at + PRESENT {
        text.t(format!(" · now {value}"))
    } else {
        text.t(format!(" · {value} at ")).time(at, words::stamp(at, now))
    }
}
