//! Words of go, of the rollout's stages, of hold and resume.

use jiff::Timestamp;

use crate::domain::ladder::view::unconfirmed;
use crate::domain::lifecycle::GO_GRACE_MIN;
use crate::domain::plan::span_label;
use crate::domain::release::{Release, Run};
use crate::domain::stage::{Done, GoAnswer, StageEvent, StageNotice, StageRefusal, StageReply};
use crate::domain::{decision, minutes};
use crate::voice::ladder::firing;
use crate::voice::message::{Message, Tone, WHAT_NOW};
use crate::voice::running::{alerts_line, away, next_point, sentence};
use crate::voice::text::{Stamp, Text};
use crate::voice::{open, words};

pub(super) fn say(notice: &StageNotice, release: &Release, now: Timestamp) -> Message {
    match release.phase.run() {
        Some(run) => running(notice, release, run, now),
        None => before_go(notice, release),
    }
}

fn running(notice: &StageNotice, release: &Release, run: &Run, now: Timestamp) -> Message {
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
                .field("Skipped", open::open_list(open, &release.policy))
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
            let causes = causes.map_or_else(Text::new, |case| super::rollback::causes(release, run, case, now));
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
        StageNotice::GoNoGo { .. } | StageNotice::GoAnswered { .. } => question(notice, release),
    }
}

/// Before T-0: the question, its answer, hold and resume.
fn before_go(notice: &StageNotice, release: &Release) -> Message {
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
        StageNotice::GoNoGo { .. } | StageNotice::GoAnswered { .. } => question(notice, release),
        StageNotice::Went { .. }
        | StageNotice::Started { .. }
        | StageNotice::Owed { .. }
        | StageNotice::Extended { .. }
        | StageNotice::AllDone => Message::default(),
    }
}

/// The question for go or no-go, and its answer.
fn question(notice: &StageNotice, release: &Release) -> Message {
    let name = words::name(release);
    let plan = &release.plan;
    match notice {
        StageNotice::GoNoGo { asked, open } => {
            let headline = match asked {
                0 => format!("🕛 T-0 · go / no-go? · {name}"),
                3.. => format!("⚠️ T-0 passed 4 hours ago · {name}"),
                _ => format!("⏳ T-0 passed · waiting for go / no-go · {name}"),
            };
            let body = if *asked >= 3 {
                Text::from("This release can no longer go at that T-0. Set a new T-0 with ")
                    .code("/release reschedule")
                    .t(", or cancel with ")
                    .code("/release scrub")
                    .t(".")
            } else if open.is_empty() && *asked > 0 {
                Text::from("Still no answer. Give the go, hold or cancel with the buttons of the question.")
            } else if open.is_empty() {
                let text = Text::from(ready(release)).t(" Nothing goes live automatically.");
                match plan.t0_at() {
                    // The last question says that this T-0 is over.
                    Some(t0) => text.t(" This T-0 expires at ").time(t0 + minutes(GO_GRACE_MIN), Stamp::Short).t("."),
                    None => text,
                }
            } else {
                Text::from("Not ready. Fix the open items, hold or cancel.")
            };
            let message = Message::new(if open.is_empty() { Tone::Wait } else { Tone::Bad }, Text::from(headline))
                .body(body)
                .field("Open items", open::open_list(open, &release.policy));
            // A reminder is a reply to the question, which has the rest.
            if (1..3).contains(asked) {
                return message;
            }
            message
                .field("Alerts", firing(release))
                .field("Missing receipts", Text::from(unconfirmed(release).join(", ")))
                .field("Risks", words::risks(plan))
                .field("People", words::people(release))
        }
        StageNotice::GoAnswered { how, by } => {
            let (tone, headline) = match how {
                GoAnswer::Go => (Tone::Good, format!("✅ {by} gave the go")),
                GoAnswer::Held => (Tone::Wait, format!("⏸️ {by} put the release on hold")),
                GoAnswer::Scrubbed => (Tone::Bad, format!("🚫 {by} cancelled the release")),
                GoAnswer::Moved => (Tone::Wait, format!("🗓️ {by} moved T-0")),
                GoAnswer::TooLate => (Tone::Bad, "⚠️ Nobody gave the go within 4 hours".to_owned()),
            };
            Message::new(tone, Text::from(format!("{headline} · {name}")))
        }
        _ => Message::default(),
    }
}

/// That it is ready, and what speaks against it without stopping it.
fn ready(release: &Release) -> String {
    let receipts = unconfirmed(release).len();
    let alerts = release.ahead.iter().filter(|alert| alert.is_open()).count() + release.ahead_more.open_count();
    let receipts = (receipts > 0).then(|| format!("{receipts} {}", words::plural(receipts, "receipt", "receipts")));
    let alerts = (alerts > 0).then(|| format!("{alerts} firing {}", words::plural(alerts, "alert", "alerts")));
    let except: Vec<String> = receipts.into_iter().chain(alerts).collect();
    if except.is_empty() {
        "Everything is ready.".to_owned()
    } else {
        format!("You can give the go. Missing, but not blocking it: {}.", except.join(", "))
    }
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

/// The answer to whoever asked.
pub(super) fn done(reply: &StageReply, release: &Release) -> Text {
    let name = words::name(release);
    let plan = &release.plan;
    match reply {
        StageReply::Undone => Text::from("Undone. T-Minus records and announces it."),
        StageReply::Went => Text::from(format!(
            "{name} is live. First update due in {}.",
            span_label(u64::from(plan.update_interval_min()))
        )),
        StageReply::Moved => {
            Text::from(release.phase.run().map_or(String::new(), |run| format!("Now {}.", words::stage(release, run))))
        }
        StageReply::Finished => Text::from(
            "The last stage is done. T-Minus relays alerts until the all-clear; report values with /release alert report.",
        ),
        StageReply::Extended { minutes } => Text::from(format!("Extended by {}.", span_label(u64::from(*minutes)))),
        StageReply::Held => Text::from("On hold. Resume with ").code("/release resume").t("."),
        StageReply::Resumed => Text::from("Resumed."),
    }
}

/// Why not, and what to do instead.
pub(super) fn refuse(refusal: &StageRefusal) -> Text {
    match refusal {
        StageRefusal::BreakGlassOnly { kind } => Text::from(format!(
            "Break-glass is only for Emergency releases; this release's type is {}. Collect the sign-offs, or import the plan as Emergency.",
            words::chosen(*kind)
        )),
        StageRefusal::UndoOvertaken => Text::from("You can't undo this: something else has happened since. Use ")
            .code("/release hold")
            .t(" or ")
            .code("/release rollback")
            .t("."),
    }
}

/// An event as a line of the timeline.
pub(super) fn entry(event: &StageEvent) -> String {
    match event {
        StageEvent::Went { break_glass: None } => "gave the go".to_owned(),
        StageEvent::Went { break_glass: Some(reason) } => format!("gave the go by break-glass: “{reason}”"),
        StageEvent::SoakEnded => "soak complete".to_owned(),
        StageEvent::Advanced { reason: None } => "advanced the stage".to_owned(),
        StageEvent::Advanced { reason: Some(reason) } => format!("advanced the stage: “{reason}”"),
        StageEvent::Extended { minutes, reason } => {
            format!("extended the stage by {minutes} min: “{reason}”")
        }
        StageEvent::Finished { .. } => "finished the last stage".to_owned(),
        StageEvent::Held { reason, .. } => format!("put the release on hold: “{reason}”"),
        StageEvent::Undone => "undid the step within 60 seconds".to_owned(),
        StageEvent::Resumed => "resumed the release".to_owned(),
        StageEvent::HoldTold => "notified every audience of the hold".to_owned(),
    }
}
