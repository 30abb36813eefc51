//! Words while it runs: go, stages, hold and resume, updates, decision points.

use jiff::Timestamp;

use super::message::{Message, Tone};
use super::text::{Stamp, Text};
use super::{WHAT_NOW, words};
use crate::domain::decision;
use crate::domain::decision::PointNotice;
use crate::domain::decision::Verdict;
use crate::domain::notice::Notice;
use crate::domain::plan::span_label;
use crate::domain::release::{Phase, Release, Run};
use crate::domain::stage::Done;
use crate::domain::stage::StageNotice;
use crate::domain::updates::UpdateNotice;

pub(super) fn say(notice: &Notice, release: &Release, now: Timestamp) -> Message {
    let Some(run) = release.phase.run() else {
        return before_go(notice, release);
    };
    let name = words::name(release);
    match notice {
        StageNotice::Went { by, break_glass, open } => {
            let mut body = Text::from(format!("{by} gave the go. ")).t(sentence(&words::stage(release, run))).t(".");
            let planned = release.plan.t0_at().unwrap_or(run.go_at);
            let apart = (run.go_at.as_second() - planned.as_second()) / 60;
            if apart.abs() >= 1 {
                let word = if apart > 0 { "after" } else { "before" };
                body = body.t(format!(" Go came {} {word} the planned T-0.", span_label(apart.unsigned_abs())));
            }
            let mut message = Message::new(Tone::Good, Text::from(format!("🚀 Live · {name}")));
            if let Some(reason) = break_glass {
                message = Message::new(Tone::Bad, Text::from(format!("🚨 Live by break-glass · {name}")));
                body = body.br().t(format!("Reason: “{reason}”. Missing sign-offs are due within 24 hours. A review of this go is due as an action at the end."));
            }
            message
                .body(body)
                .field("Skipped", words::open_list(open, &release.policy))
                .short("Next update by", Text::new().time(run.updates.next_due, Stamp::Short))
                .field("Next decision", next_point(run))
                .field("People", words::people(release))
        }
        StageNotice::Undone { by, .. } => {
            Message::new(Tone::Wait, Text::from(format!("↩️ Stage step undone · {name}")))
                .body(Text::from(format!("{by} undid the step within 60 seconds. Now {}.", words::stage(release, run))))
        }
        StageNotice::Started { reason } => {
            let mut message =
                Message::new(Tone::Good, Text::from(format!("➡️ {} · {name}", sentence(&words::stage(release, run)))));
            if let Some(until) = run.stage.soak_until {
                message = message.body(
                    Text::from("Soaks until ").time(until, Stamp::Short).t(" (").time(until, Stamp::Relative).t(")."),
                );
            }
            match reason {
                Some(reason) => message.field("Earlier than planned", Text::from(format!("“{reason}”"))),
                None => message,
            }
        }
        StageNotice::Owed { soaked, update, merged, done } => {
            let message = owed(release, run, (*soaked, *update), done.as_ref(), now);
            message.field("Late", away(*merged))
        }
        StageNotice::Extended { minutes, reason, by } => {
            let until = run.stage.soak_until.unwrap_or(now);
            Message::new(Tone::Wait, Text::from(format!("⏱️ Stage extended · {name}"))).body(
                Text::from(format!("{by} added {}: “{reason}”. Soaks until ", span_label(u64::from(*minutes))))
                    .time(until, Stamp::Short)
                    .t("."),
            )
        }
        StageNotice::AllDone => Message::new(Tone::Good, Text::from(format!("👀 Rollout done, monitoring · {name}")))
            .body("The last stage is done. Decision points and alerts continue.")
            .field("Next decision", next_point(run))
            .field(
                WHAT_NOW,
                Text::from(
                    "Once every decision is answered, report fresh values; then the owner gives the all-clear with ",
                )
                .code("/release all-clear")
                .t("."),
            ),
        StageNotice::Held { by, reason, case, .. } => {
            let causes = case.and_then(|n| run.cases.iter().find(|case| case.n == n));
            let causes = causes.map_or_else(Text::new, |case| super::alerts::causes(release, run, case, now));
            Message::new(Tone::Wait, Text::from(format!("⏸️ On hold · {name}")))
                .body(Text::from(format!(
                    "{by} put the release on hold: “{}”. Stage timers and decision points are paused; updates continue.",
                    reason.trim_end_matches('.')
                )))
                .field("Why", causes)
        }
        StageNotice::HoldOver { by, held_min } => Message::new(Tone::Good, Text::from(format!("▶️ Resumed · {name}")))
            .body(Text::from(format!(
                "{by} resumed the release. Stage timers and decision points move by {}; updates stay due.",
                span_label(u64::from(*held_min))
            )))
            .field("Next decision", next_point(run)),
        StageNotice::Resumed { by, held_min } => Message::new(Tone::Good, Text::from(format!("▶️ Resumed · {name}")))
            .body(Text::from(format!(
                "{by} resumed the release. Stage timers and decision points move by {}; updates stay due.",
                span_label(u64::from(*held_min))
            )))
            .field("Next decision", next_point(run)),
        UpdateNotice { text, by, unchanged, merged } => {
            let message = update(release, run, now, (text.as_deref(), by.as_deref()), *unchanged);
            message.field("Late", away(*merged))
        }
        PointNotice::Asked { after_min, reminder, .. } if *reminder > 0 => {
            let label = words::after(*after_min);
            Message::new(
                Tone::Wait,
                Text::from(format!("⏳ Decision {label} still open (reminder {reminder}) · {name}")),
            )
            .body("Continue, hold or roll back? Use the buttons on the message this replies to.")
        }
        PointNotice::Asked { after_min, text, late, .. } => {
            let label = words::after(*after_min);
            let what = if text.is_empty() { String::new() } else { format!("{text}: ") };
            let rolling_out = matches!(release.phase, Phase::Live { .. });
            let waits = if rolling_out { "This stage keeps running; the next one" } else { "The all-clear" };
            Message::new(Tone::Wait, Text::from(format!("❓ Decide at {label} · {name}")))
                .body(Text::from(format!("{what}continue, hold or roll back? {waits} waits for the answer.")))
                .field("Late", late.as_ref().map_or_else(Text::new, |late| words::late(late, "asked")))
                .field("Now", Text::from(words::stage(release, run)))
                .field("Metrics", words::metrics(release, run, now))
                .field("Alerts", alerts_line(run))
                .field("Who can decide", words::people(release).t(", SRE/Ops, release managers"))
        }
        PointNotice::Decided { after_min, verdict, by, reason } => {
            let (tone, icon) = match verdict {
                Verdict::Continue => (Tone::Good, "✅"),
                Verdict::Hold => (Tone::Bad, "⏸️"),
                Verdict::RollBack => (Tone::Bad, "⏪"),
            };
            let why = reason.as_ref().map_or(String::new(), |r| format!(": “{r}”"));
            Message::new(
                tone,
                Text::from(format!("{icon} {}: {} · {name}", words::after(*after_min), words::verdict(*verdict))),
            )
            .body(Text::from(format!("{by} decided{why}")))
        }
        _ => Message::default(),
    }
}

/// Hold and resume before T-0.
fn before_go(notice: &Notice, release: &Release) -> Message {
    let name = words::name(release);
    match notice {
        StageNotice::Held { by, reason, again, .. } => {
            let still = Text::from(format!(
                "{by} put the release on hold: “{}”. The countdown is paused. ",
                reason.trim_end_matches('.')
            ));
            let body = if *again {
                still.t("T-0 will move; T-Minus posts the new time here.")
            } else {
                still.t("To cancel: ").code("/release scrub").t(".")
            };
            Message::new(Tone::Wait, Text::from(format!("⏸️ On hold before T-0 · {name}"))).body(body)
        }
        StageNotice::HoldOver { by, held_min } => Message::new(Tone::Good, Text::from(format!("▶️ Resumed · {name}")))
            .body(Text::from(format!("{by} resumed the countdown after {}.", span_label(u64::from(*held_min))))),
        StageNotice::Undone { by, .. } => Message::new(Tone::Bad, Text::from(format!("↩️ Go undone · {name}"))).body(
            Text::from(format!("{by} undid the go within 60 seconds: the release is not live. To give the go again: "))
                .code("/release go")
                .t("."),
        ),
        StageNotice::Resumed { by, held_min } => {
            Message::new(Tone::Good, Text::from(format!("▶️ Countdown resumed · {name}"))).body(
                Text::from(format!("{by} resumed the countdown after {}. New T-0: ", span_label(u64::from(*held_min))))
                    .and(words::planned(release))
                    .t("."),
            )
        }
        _ => Message::default(),
    }
}

/// That one update stands for several.
fn away(merged: u32) -> Text {
    if merged < 2 {
        return Text::new();
    }
    Text::from(format!("This update covers {merged} due updates; T-Minus was not running when the others were due."))
}

const MOOT: &str = "✅ Stage step and update no longer needed";

/// What the owner owes, or how it was done.
fn owed(release: &Release, run: &Run, (soaked, update): (bool, bool), done: Option<&Done>, now: Timestamp) -> Message {
    let name = words::name(release);
    let stage = sentence(&words::stage(release, run));
    let open = soaked || update;
    let (tone, headline, body) = match done {
        None | Some(Done::Moot) if !open => (Tone::Plain, MOOT.to_owned(), String::new()),
        Some(Done::Stepped { by }) => (Tone::Good, format!("➡️ {stage}"), format!("{by} advanced the rollout.")),
        Some(Done::Extended { by, minutes, reason }) => {
            let more = span_label(u64::from(*minutes));
            (Tone::Wait, "⏱️ Stage extended".to_owned(), format!("{by} added {more}: “{reason}”"))
        }
        Some(Done::Updated { by }) if !soaked => {
            (Tone::Good, "✅ Update given".to_owned(), format!("{by} wrote the update below."))
        }
        Some(Done::Moot) => (Tone::Plain, MOOT.to_owned(), String::new()),
        None | Some(Done::Updated { .. }) => asked(run, soaked, update),
    };
    let message = Message::new(tone, Text::from(format!("{headline} · {name}"))).body(Text::from(body));
    match done {
        None => message
            .field("Now", Text::from(words::stage(release, run)))
            .field("Metrics", words::metrics(release, run, now))
            .field("Alerts", alerts_line(run))
            .short("Next update by", Text::new().time(run.updates.next_due, Stamp::Short))
            .short("Next decision", next_point(run)),
        Some(Done::Stepped { .. }) => {
            let soak = run.stage.soak_until.map_or_else(Text::new, |until| Text::new().time(until, Stamp::Short));
            message.short("Soaks until", soak).short("Next decision", next_point(run))
        }
        Some(_) => message,
    }
}

/// The headline and the sentence of what the owner owes.
fn asked(run: &Run, soaked: bool, update: bool) -> (Tone, String, String) {
    let missed = run.updates.missed_in_row;
    let again = if missed > 1 { format!(" ({missed} in a row)") } else { String::new() };
    let overdue = if update { format!("Update overdue{again}. ") } else { String::new() };
    if !soaked {
        return (Tone::Wait, "⏳ Update overdue".to_owned(), format!("{overdue}Latest data:"));
    }
    let complete = format!("⏱️ Stage {} soak complete", run.stage.index + 1);
    match decision::view::open(run) {
        None => (Tone::Wait, format!("{complete}. Advance?"), format!("{overdue}Latest data:")),
        Some(point) => {
            let first = format!("Answer decision {} first, then advance. ", words::after(point.after_min));
            (Tone::Wait, complete, format!("{first}{overdue}Latest data:"))
        }
    }
}

fn update(
    release: &Release,
    run: &Run,
    now: Timestamp,
    (text, by): (Option<&str>, Option<&str>),
    unchanged: Option<Timestamp>,
) -> Message {
    let at = run.updates.last.as_ref().filter(|_| unchanged.is_some()).map_or(now, |last| last.at);
    let label = release.label_at(at).unwrap_or_default();
    let mut message = Message::new(Tone::Plain, Text::from(format!("🔄 Update {label} · {}", words::name(release))));
    message = match (text, by) {
        (Some(text), Some(by)) => message.body(Text::from(format!("{by}: {text}"))),
        (None, Some(by)) => message.body(Text::from(format!("{by} reported values."))),
        _ => message.body("Latest data:"),
    };
    let next = Text::new().time(run.updates.next_due, Stamp::Short);
    let message = message
        .field("Now", Text::from(words::stage(release, run)))
        .field("Metrics", words::metrics(release, run, now))
        .field("Alerts", alerts_line(run));
    let message = match unchanged {
        Some(at) => message.field("As of", Text::new().time(at, Stamp::Full).t(" · next update by ").and(next)),
        None => message.short("Next update by", next),
    };
    message.short("Next decision", next_point(run))
}

fn alerts_line(run: &Run) -> Text {
    let mut firing: Vec<String> = run.alerts.iter().filter(|a| a.counts()).map(|a| a.name.clone()).collect();
    if run.crowd.open_count() > 0 {
        firing.push(format!("{} more", run.crowd.open_count()));
    }
    let elsewhere = run.elsewhere.iter().map(|e| Text::from(format!("🔗 {}: see {}", e.name, e.no)));
    let own = if firing.is_empty() { "none open".to_owned() } else { format!("🔴 firing: {}", firing.join(", ")) };
    Text::lines([Text::from(own)].into_iter().chain(elsewhere))
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

/// The text with a capital letter first.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
