//! Words while it runs: go, stages, hold and resume, updates, decision points.

use jiff::Timestamp;

use super::message::{Message, Tone};
use super::text::{Stamp, Text};
use super::words;
use crate::domain::command::Verdict;
use crate::domain::notice::Notice;
use crate::domain::plan::span_label;
use crate::domain::release::{Release, Run};

pub(super) fn say(notice: &Notice, release: &Release, now: Timestamp) -> Message {
    let Some(run) = release.phase.run() else {
        return before_go(notice, release);
    };
    let name = words::name(release);
    match notice {
        Notice::Went { by, break_glass, open } => {
            let mut body = Text::from(format!("Go was given by {by}. ")).t(sentence(&words::stage(release, run))).t(".");
            let planned = release.plan.t0_at().unwrap_or(run.go_at);
            let apart = (run.go_at.as_second() - planned.as_second()) / 60;
            if apart.abs() >= 1 {
                let word = if apart > 0 { "after" } else { "before" };
                body = body.t(format!(" That is {} {word} the planned T-0.", span_label(apart.unsigned_abs())));
            }
            let mut message = Message::new(Tone::Good, Text::from(format!("🚀 Live · {name}")));
            if let Some(reason) = break_glass {
                message = Message::new(Tone::Bad, Text::from(format!("🚨 Live by break-glass · {name}")));
                body = body.br().t(format!("Reason: “{reason}”. Missing sign-offs are owed within 24 hours, and a review of this go is due at the end, as an action."));
            }
            message
                .body(body)
                .field("Skipped", words::open_list(open, &release.policy))
                .short("Next update by", Text::new().time(run.updates.next_due, Stamp::Short))
                .field("Next decision", next_point(run))
                .field("People", words::people(release))
        }
        Notice::Undone { by, .. } => Message::new(Tone::Wait, Text::from(format!("↩️ Stage step undone · {name}")))
            .body(Text::from(format!("{by} took the step back within a minute. Now {}.", words::stage(release, run)))),
        Notice::StageStarted { reason } => {
            let mut message = Message::new(Tone::Good, Text::from(format!("➡️ {} · {name}", sentence(&words::stage(release, run)))));
            if let Some(until) = run.stage.soak_until {
                message = message.body(Text::from("Soaks until ").time(until, Stamp::Short).t(" (").time(until, Stamp::Relative).t(")."));
            }
            match reason {
                Some(reason) => message.field("Earlier than planned", Text::from(format!("“{reason}”"))),
                None => message,
            }
        }
        Notice::SoakEnded => Message::new(Tone::Wait, Text::from(format!("⏱️ Soak time over · {name}")))
            .body(Text::from(format!("{}. ", sentence(&words::stage(release, run)))).t("Go on with ").code("/release stage").t(": advance or extend."))
            .field("Metrics", words::metrics(release, run, now)),
        Notice::Extended { minutes, reason, by } => {
            let until = run.stage.soak_until.unwrap_or(now);
            Message::new(Tone::Wait, Text::from(format!("⏱️ Stage extended · {name}")))
                .body(Text::from(format!("{} more by {by}: “{reason}”. Until ", span_label(u64::from(*minutes)))).time(until, Stamp::Short).t("."))
        }
        Notice::StagesDone => Message::new(Tone::Good, Text::from(format!("👀 Rollout done, watching · {name}")))
            .body("The last stage is done. Decision points and alerts go on; the all-clear needs every point answered and fresh values.")
            .field("Next decision", next_point(run)),
        Notice::Held { by, reason, .. } => Message::new(Tone::Wait, Text::from(format!("⏸️ On hold · {name}")))
            .body(Text::from(format!("Held by {by}: “{reason}”. Stage clocks and decision points stand still; updates go on. Go on with ")).code("/release resume").t(".")),
        Notice::Resumed { by, held_min } => Message::new(Tone::Good, Text::from(format!("▶️ Resumed · {name}")))
            .body(Text::from(format!("By {by}, after {}. Later times moved by as much.", span_label(u64::from(*held_min)))))
            .field("Next decision", next_point(run)),
        Notice::Update { text, by, missed, merged } => {
            let message = update(release, run, now, text.as_deref(), by.as_deref(), *missed);
            let away = format!("This one stands for {merged} updates; T-Minus was not running when the others were due.");
            message.field("Late", if *merged > 1 { Text::from(away) } else { Text::new() })
        }
        Notice::Point { after_min, text, reminder, late } => {
            let label = words::after(*after_min);
            let again = if *reminder > 0 { " · still open" } else { "" };
            let what = if text.is_empty() { String::new() } else { format!(" ({text})") };
            Message::new(Tone::Wait, Text::from(format!("❓ Decide at {label}{again} · {name}")))
                .body(Text::from(format!("Continue, hold or roll back?{what} It stays open until somebody decides; it never continues by itself.")))
                .field("Late", late.as_ref().map_or_else(Text::new, |late| words::late(late, "asked")))
                .field("Now", Text::from(words::stage(release, run)))
                .field("Metrics", words::metrics(release, run, now))
                .field("Alerts", alerts_line(run))
                .field("Who may decide", words::people(release).t(", SRE/Ops, release managers"))
        }
        Notice::PointDecided { after_min, verdict, by, reason } => {
            let tone = if *verdict == Verdict::Continue { Tone::Good } else { Tone::Bad };
            let why = reason.as_ref().map_or(String::new(), |r| format!(": “{r}”"));
            Message::new(tone, Text::from(format!("☑️ {}: {} · {name}", words::after(*after_min), words::verdict(*verdict))))
                .body(Text::from(format!("Decided by {by}{why}")))
        }
        _ => Message::default(),
    }
}

/// Hold and resume before T-0.
fn before_go(notice: &Notice, release: &Release) -> Message {
    let name = words::name(release);
    match notice {
        Notice::Held { by, reason, again } => {
            let still = Text::from(format!("Held by {by}: “{reason}”. The countdown stands still. "));
            let body = if *again {
                still.t("T-0 will move; the new time is told here.")
            } else {
                let go_on = still.t("Go on with ").code("/release resume");
                go_on.t(", or call it off with ").code("/release scrub").t(".")
            };
            Message::new(Tone::Wait, Text::from(format!("⏸️ On hold before T-0 · {name}"))).body(body)
        }
        Notice::Undone { by, .. } => Message::new(Tone::Bad, Text::from(format!("↩️ Go undone · {name}"))).body(
            Text::from(format!("{by} took go back within a minute: the release is not live. Go is given with "))
                .code("/release go")
                .t("."),
        ),
        Notice::Resumed { by, held_min } => {
            Message::new(Tone::Good, Text::from(format!("▶️ Countdown resumed · {name}"))).body(
                Text::from(format!("By {by}, after {}. New T-0: ", span_label(u64::from(*held_min))))
                    .and(words::planned(&release.plan))
                    .t("."),
            )
        }
        _ => Message::default(),
    }
}

fn update(release: &Release, run: &Run, now: Timestamp, text: Option<&str>, by: Option<&str>, missed: u8) -> Message {
    let label = release.label_at(now).unwrap_or_default();
    let mut message = Message::new(Tone::Plain, Text::from(format!("🔄 Update {label} · {}", words::name(release))));
    match (text, by) {
        (Some(text), Some(by)) => message = message.body(Text::from(format!("{by}: {text}"))),
        (None, Some(by)) => message = message.body(Text::from(format!("Values reported by {by}."))),
        _ if missed == 0 => message = message.body("Watching. This is what T-Minus knows."),
        _ => {
            message.tone = Tone::Wait;
            let again = if missed > 1 { format!(" ({missed} in a row)") } else { String::new() };
            message = message
                .body(Text::from(format!("Nobody wrote the promised update{again}. This is what T-Minus knows.")));
        }
    }
    message
        .field("Now", Text::from(words::stage(release, run)))
        .field("Metrics", words::metrics(release, run, now))
        .field("Alerts", alerts_line(run))
        .short("Next update by", Text::new().time(run.updates.next_due, Stamp::Short))
        .short("Next decision", next_point(run))
}

fn alerts_line(run: &Run) -> Text {
    let firing: Vec<&str> =
        run.alerts.iter().filter(|a| a.resolved_at.is_none() && !a.pre_existing).map(|a| a.name.as_str()).collect();
    if firing.is_empty() { Text::from("none open") } else { Text::from(format!("🔴 firing: {}", firing.join(", "))) }
}

/// The next decision point.
pub(super) fn next_point(run: &Run) -> Text {
    use crate::domain::decision::PointState;
    let next = run.points.iter().find(|p| !matches!(p.state, PointState::Decided { .. }));
    match next {
        Some(point) => match point.state {
            PointState::Open { .. } => Text::from(format!("{} is open now", words::after(point.after_min))),
            _ => Text::from(format!("{} at ", words::after(point.after_min))).time(point.due, Stamp::Short),
        },
        None => Text::from("none left"),
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
