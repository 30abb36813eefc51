//! The live card: one message per release, rendered from the release and edited when the rendering changed. Countdowns use
//! the chat's own relative timestamps, so the card need not be edited to tick.

use jiff::Timestamp;

use super::message::{Message, Tone};
use super::run::next_point;
use super::text::{Stamp, Text};
use super::words;
use crate::domain::concern;
use crate::domain::ladder;
use crate::domain::plan::span_label;
use crate::domain::release::{Phase, Release, Run, RungSaid};
use crate::domain::signoff;
use crate::domain::stage::gaps_ahead;

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
    let mut message =
        Message::new(tone, Text::from(format!("{} · {}", words::phase(phase.name()), words::name(release))));
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
        None => words::planned(plan).t(" · ").and(words::until_t0(plan)),
        Some(run) => {
            let text = Text::from("went ").and(words::when(run.go_at, plan.zone()));
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
    let mut lines: Vec<Text> = signoff::valid(release)
        .map(|(role, given)| Text::from(format!("✅ {role}: {}", words::signer(&given.name, given.behalf.as_ref()))))
        .collect();
    lines.extend(signoff::pending(release).iter().map(|pending| Text::from(format!("⬜ {}", words::pending(pending)))));
    lines.extend(signoff::declined(release).map(words::declined));
    message
        .field("Sign-offs", Text::lines(lines))
        .field("Concerns", concerns(release))
        .field("Waived", waived(release))
        .field("Notices", notices(release))
        .field("Readiness", Text::from(words::readiness(release, &open)))
}

fn concerns(release: &Release) -> Text {
    Text::lines(concern::open(release).map(|concern| {
        let text = words::short(&concern.text, 80);
        Text::from(format!("✋ #{} ", concern.n)).user(&concern.by).t(format!(": “{text}”"))
    }))
}

fn waived(release: &Release) -> Text {
    let text = |id: &String| {
        let gate = release.plan.gates.iter().find(|gate| gate.id == *id);
        gate.map_or_else(|| format!("receipt of {id}"), |gate| words::short(&gate.text, 80))
    };
    Text::lines(release.waived.iter().take(8).map(|(id, why)| Text::from(format!("▫️ {} · {why}", text(id)))))
}

fn notices(release: &Release) -> Text {
    Text::lines(ladder::rungs(release).into_iter().map(|rung| {
        let state = release.rungs.get(&rung.key());
        let (icon, word) = match state {
            None => ("⬜", ""),
            Some(s) if s.receipt.is_some() => ("✅", " confirmed"),
            Some(s) if s.said == RungSaid::Skipped => ("⏭️", " skipped"),
            Some(s) if s.said == RungSaid::Late => ("📣", " told late"),
            Some(_) => ("📣", " told"),
        };
        Text::from(format!("{icon} {}{word}", rung.key()))
    }))
}

fn running(message: Message, release: &Release, run: &Run, now: Timestamp) -> Message {
    let mut stage = Text::from(words::stage(release, run));
    if let (Phase::Live { .. }, Some(until)) = (&release.phase, run.stage.soak_until) {
        stage = if run.stage.soak_said {
            stage.t(" · soak over")
        } else {
            stage.t(" · soaks until ").time(until, Stamp::Short)
        };
    }
    let mut message = message.field("Rollout", stage).field("Metrics", words::metrics(release, run, now));
    let firing: Vec<String> = run
        .alerts
        .iter()
        .filter(|a| a.resolved_at.is_none())
        .map(|a| {
            if a.pre_existing { format!("⚪ {} (before T-0, set aside)", a.name) } else { format!("🔴 {}", a.name) }
        })
        .collect();
    let firing =
        if firing.is_empty() { Text::from("none open") } else { Text::lines(firing.into_iter().map(Text::from)) };
    message = message.field("Alerts", firing);
    if crate::domain::rollback::proposed(run).is_some() {
        message = message.field("Rollback", Text::from("🚨 a decision is open"));
    }
    match &release.phase {
        Phase::Live { .. } | Phase::Watching { .. } => message
            .short("Next update by", Text::new().time(run.updates.next_due, Stamp::Short))
            .short("Next decision", next_point(run)),
        Phase::Held { reason, since, .. } => {
            message.field("On hold", Text::from(format!("“{reason}” since ")).time(*since, Stamp::Short))
        }
        _ => match release.phase.closing() {
            Some(closing) => {
                let open = closing.actions.iter().filter(|a| a.settled.is_none()).count();
                let took = (closing.since.as_second() - run.go_at.as_second()).unsigned_abs() / 60;
                message.short("Took", Text::from(span_label(took))).short("Actions open", Text::from(open.to_string()))
            }
            None => message,
        },
    }
}
