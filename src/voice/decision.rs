//! Words of decision points.

use jiff::Timestamp;

use crate::domain::decision::{PointEvent, PointNotice, PointReply, Verdict};
use crate::domain::release::{Phase, Release};
use crate::voice::message::{Message, Tone};
use crate::voice::running::alerts_line;
use crate::voice::text::Text;
use crate::voice::words;

pub(super) fn say(notice: &PointNotice, release: &Release, now: Timestamp) -> Message {
    let Some(run) = release.phase.run() else { return Message::default() };
    let name = words::name(release);
    match notice {
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
    }
}

/// The answer to whoever asked.
pub(super) fn done(reply: &PointReply) -> Text {
    match reply {
        PointReply::Decided { verdict } => Text::from(format!("Recorded: {}.", words::verdict(*verdict))),
    }
}

/// An event as a line of the timeline.
pub(super) fn entry(event: &PointEvent) -> String {
    match event {
        PointEvent::Opened { after_min } => {
            format!("asked for a decision at {}", words::after(*after_min))
        }
        PointEvent::Reminded { after_min } => {
            format!("reminded about the decision at {}", words::after(*after_min))
        }
        PointEvent::Decided { after_min, verdict, reason } => {
            let why = reason.as_ref().map_or(String::new(), |r| format!(": “{r}”"));
            format!("decided {} at {}{why}", words::verdict(*verdict), words::after(*after_min))
        }
    }
}
