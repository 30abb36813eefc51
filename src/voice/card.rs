//! The live card: one message per release, rendered from the release and edited when the rendering changed. Countdowns use
//! the chat's own relative timestamps, so the card need not be edited to tick.

use jiff::Timestamp;

use super::message::{Message, Tone};
use super::running::next_point;
use super::text::{Stamp, Text};
use super::words;
use crate::domain::evidence::{self, Judged, Source, TriggerState, metric_named};
use crate::domain::ladder::{self, RungSaid};
use crate::domain::plan::span_label;
use crate::domain::release::{Phase, Release, Run};
use crate::domain::stage::view::gaps_ahead;
use crate::domain::{concern, rollback, signoff};
use crate::voice::open;

/// Renders the card. `now` judges how fresh values are.
pub fn card(release: &Release, now: Timestamp) -> Message {
    let plan = &release.plan;
    let phase = &release.phase;
    let tone = match phase {
        Phase::Live { .. }
        | Phase::Watching { .. }
        | Phase::Approved { .. }
        | Phase::AllClear { .. }
        | Phase::Closed { .. } => Tone::Good,
        Phase::Draft | Phase::Gathering { .. } | Phase::HeldBefore { .. } | Phase::Held { .. } => Tone::Wait,
        Phase::RollingBack { .. } | Phase::RolledBack { .. } | Phase::Scrubbed { .. } => Tone::Bad,
    };
    let state = if rollback::view::ended_unverified(release) {
        "⚠️ Rolled back, not verified"
    } else {
        words::phase(phase.name())
    };
    let mut message = Message::new(tone, Text::from(format!("{state} · {}", words::name(release))));
    message = message
        .field("T-0", t0(release))
        .short("Type", Text::from(words::chosen(plan.kind)))
        .short("Risk", Text::from(words::chosen(plan.risk)))
        .short("Service", Text::from(plan.service.clone().unwrap_or_else(|| "–".to_owned())))
        .field("People", words::people(release));
    message = match phase.run() {
        None => before(message, release, now),
        Some(run) => running(message, release, run, now),
    };
    message.footer = format!("{} · live card", words::footer(release));
    message
}

fn t0(release: &Release) -> Text {
    let plan = &release.plan;
    match release.phase.run() {
        None if matches!(release.phase, Phase::HeldBefore { .. }) => {
            Text::from("paused; was ").and(words::planned(release))
        }
        None => words::planned(release).t(" · ").and(words::until_t0(plan)),
        Some(run) => {
            let text = Text::from("went live ").and(words::when(release, run.go_at));
            match plan.t0_at() {
                Some(planned) if planned != run.go_at => text.t("; planned ").time(planned, Stamp::Short),
                _ => text,
            }
        }
    }
}

fn before(message: Message, release: &Release, now: Timestamp) -> Message {
    if matches!(release.phase, Phase::Scrubbed { .. }) {
        return message;
    }
    let open = gaps_ahead(release, now);
    let mut lines: Vec<Text> = signoff::view::valid(release)
        .map(|(role, given)| Text::from(format!("✅ {role}: {}", words::signer(&given.name, given.behalf.as_ref()))))
        .collect();
    lines.extend(
        signoff::view::pending(release).iter().map(|pending| Text::from(format!("⬜ {}", open::pending(pending)))),
    );
    lines.extend(signoff::view::declined(release).map(words::declined));
    message
        .field("Sign-offs", Text::lines(lines))
        .field("Concerns", concerns(release))
        .field("Waived", waived(release))
        .field("Notices", notices(release))
        .field("Readiness", Text::from(open::readiness(release, &open)))
}

fn concerns(release: &Release) -> Text {
    Text::lines(concern::view::open(release).map(|concern| {
        let text = words::short(&concern.text, 80);
        Text::from(format!("✋ #{} ", concern.n)).user(&concern.by).t(format!(": “{text}”"))
    }))
}

fn waived(release: &Release) -> Text {
    let text = |id: &String| {
        let gate = release.plan.gates.iter().find(|gate| gate.id == *id);
        gate.map_or_else(|| format!("receipt for {id}"), |gate| words::short(&gate.text, 80))
    };
    Text::lines(release.waived.iter().take(8).map(|(id, why)| Text::from(format!("▫️ {} · {why}", text(id)))))
}

fn notices(release: &Release) -> Text {
    Text::lines(ladder::rung::rungs(release).into_iter().map(|rung| {
        let state = release.countdown.rungs.get(&rung.key());
        let (icon, word) = match state {
            None => ("⬜", ""),
            Some(s) if s.receipt.is_some() => ("✅", " confirmed"),
            Some(s) if s.said == RungSaid::Skipped => ("⏭️", " skipped"),
            Some(s) if s.said == RungSaid::Late => ("📣", " sent late"),
            Some(_) => ("📣", " sent"),
        };
        Text::from(format!("{icon} {}{word}", rung.key()))
    }))
}

/// Each trigger with what is known of it; what nothing can feed says so.
fn triggers(release: &Release, run: &Run, now: Timestamp) -> Text {
    let watched = release.plan.triggers.iter().zip(&run.triggers);
    Text::lines(watched.map(|(trigger, watch)| {
        let line = |icon: &str, what: &str| Text::from(format!("{icon} {}{what}", trigger.text));
        let metric = trigger.rule.as_ref().and_then(|rule| metric_named(&release.plan, rule.subject()));
        let seen = metric.and_then(|metric| Some((metric, run.observed.get(&metric.name)?)));
        match (&watch.state, seen.filter(|(_, seen)| evidence::view::fresh(seen, now))) {
            (TriggerState::Firing { since, .. }, _) => line("🔴", ": firing since ").time(*since, Stamp::Short),
            (TriggerState::Pending { since }, _) => line("🔵", ": beyond its limit since ").time(*since, Stamp::Short),
            (TriggerState::Settled, _) => line("⏸️", ": decided; counts again once it has recovered"),
            (TriggerState::Ok, Some((metric, seen))) => {
                let good = evidence::view::judge(metric, run, now) == Judged::Ok;
                let value = words::value(metric, seen.value);
                let (icon, word) = if good { ("✅", "") } else { ("⚪", "not firing; last value ") };
                line(icon, &format!(": {word}{value} at ")).time(seen.at, Stamp::Short)
            }
            (TriggerState::Ok, None) if trigger.rule.is_none() => line("⚪", ": a person must judge"),
            (TriggerState::Ok, None) if evidence::source(trigger, &release.policy) == Source::Person => {
                line("⚪", ": no source; a person must report")
            }
            (TriggerState::Ok, None) => match seen {
                Some((metric, seen)) if !seen.value.is_nan() => {
                    line("⚪", &format!(": no fresh value, {} at ", words::value(metric, seen.value)))
                        .time(seen.at, Stamp::Short)
                }
                _ => line("⚪", ": no data yet"),
            },
        }
    }))
}

/// Alerts that fire: this run's, those set aside, and those a newer release has.
fn alerts(run: &Run) -> Text {
    let own = run.alerts.iter().filter(|a| a.is_open()).map(|a| match a.pre_existing {
        true => format!("⚠️ {} (firing since before T-0, set aside)", a.name),
        false => format!("🔴 {}", a.name),
    });
    let more = run.crowd.open_count();
    let more = (more > 0).then(|| format!("🔴 {more} more"));
    let elsewhere = run.elsewhere.iter().map(|e| format!("🔗 {}: see {}", e.name, e.no));
    let lines: Vec<Text> = own.chain(more).chain(elsewhere).map(Text::from).collect();
    if lines.is_empty() { Text::from("none open") } else { Text::lines(lines) }
}

fn running(message: Message, release: &Release, run: &Run, now: Timestamp) -> Message {
    let mut stage = Text::from(words::stage(release, run));
    if let (Phase::Live { .. }, Some(until)) = (&release.phase, run.stage.soak_until) {
        stage = if run.stage.soak_said {
            stage.t(" · soak complete")
        } else {
            stage.t(" · soaks until ").time(until, Stamp::Short)
        };
    }
    let mut message = message.field("Rollout", stage).field("Metrics", words::metrics(release, run, now));
    message = message.field("Alerts", alerts(run));
    if release.running().is_some() {
        message = message.field("Rollback triggers", triggers(release, run, now));
    }
    if rollback::view::proposed(run).is_some() {
        message = message.field("Rollback", Text::from("🚨 decision needed"));
    }
    match &release.phase {
        Phase::Live { .. } | Phase::Watching { .. } => message
            .short("Next update by", Text::new().time(run.updates.next_due, Stamp::Short))
            .short("Next decision", next_point(run)),
        Phase::Held { reason, since, .. } => {
            message.field("On hold", Text::from("since ").time(*since, Stamp::Short).t(format!(": “{reason}”")))
        }
        _ => match release.phase.closing() {
            Some(closing) => {
                let open = closing.actions.iter().filter(|a| a.settled.is_none()).count();
                let took = (closing.since.as_second() - run.go_at.as_second()).unsigned_abs() / 60;
                message
                    .short("Duration", Text::from(span_label(took)))
                    .short("Open actions", Text::from(open.to_string()))
            }
            None => message,
        },
    }
}
