//! Words of rollback prompts, rollbacks and contingencies.

use jiff::Timestamp;

use crate::domain::decision::Verdict;
use crate::domain::evidence::{self, TriggerState, metric_named};
use crate::domain::open::Open;
use crate::domain::release::{Release, Run};
use crate::domain::rollback::{self, Case, CaseState, Cause, RollbackEvent, RollbackNotice, RollbackReply};
use crate::domain::trigger::TriggerRule;
use crate::voice::message::{Message, Tone, WHAT_NOW};
use crate::voice::text::{Stamp, Text};
use crate::voice::{open, words};

pub(super) fn say(notice: &RollbackNotice, release: &Release, now: Timestamp) -> Message {
    let Some(run) = release.phase.run() else { return Message::default() };
    let name = words::name(release);
    match notice {
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
            .field("Not verified", open::open_list(unverified, &release.policy))
            .field(WHAT_NOW, Text::from("On-call: check the service until it is healthy."))
    };
    message.field("Planned vs observed", words::metrics(release, run, now))
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
                text = measured(text, release, run, rule, now);
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
fn measured(text: Text, release: &Release, run: &Run, rule: &TriggerRule, now: Timestamp) -> Text {
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

/// The answer to whoever asked.
pub(super) fn done(reply: &RollbackReply) -> Text {
    match reply {
        RollbackReply::Started => {
            Text::from("Rollback started and announced. Confirm it with the buttons under the announcement.")
        }
        RollbackReply::Failed => {
            Text::from("Recorded: the rollback failed. T-Minus pings everybody on the escalation path.")
        }
        RollbackReply::RolledBack { verified: true } => {
            Text::from("Recorded: rolled back and verified. A post-mortem is due.")
        }
        RollbackReply::RolledBack { verified: false } => Text::from(
            "Recorded: rolled back, not verified. The announcement names what is open. A post-mortem is due.",
        ),
    }
}

/// An event as a line of the timeline.
pub(super) fn entry(event: &RollbackEvent) -> String {
    match event {
        RollbackEvent::Proposed { .. } => "asked whether to roll back".to_owned(),
        RollbackEvent::CauseAdded { .. } => "added a cause to the rollback prompt".to_owned(),
        RollbackEvent::Reminded => "reminded about the rollback".to_owned(),
        RollbackEvent::Declined { verdict, reason } => {
            format!("decided {}: “{reason}”", words::verdict(*verdict))
        }
        RollbackEvent::Started { reason } => format!("decided to roll back: “{reason}”"),
        RollbackEvent::Failed { reason } => format!("the rollback failed: “{reason}”"),
        RollbackEvent::Verified { unverified: false, .. } => "rolled back and verified".to_owned(),
        RollbackEvent::Verified { unverified: true, note } => {
            format!("rolled back, not verified: “{}”", note.as_deref().unwrap_or_default())
        }
    }
}
