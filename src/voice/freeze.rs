//! Words of freezes and of releases that lie close together.

use crate::domain::freeze::{FreezeEvent, FreezeNotice, FreezeReply};
use crate::domain::release::Release;
use crate::voice::message::{Message, Tone, WHAT_NOW};
use crate::voice::text::{Stamp, Text};
use crate::voice::words;

pub(super) fn say(notice: &FreezeNotice, release: &Release) -> Message {
    let name = words::name(release);
    let plan = &release.plan;
    match notice {
        FreezeNotice::Excepted { freeze, until, by, reason } => {
            Message::new(Tone::Bad, Text::from(format!("🧊 Freeze exception · {name}")))
                .body(
                    Text::from(format!("{by} allowed this release to go live during freeze “{freeze}” (until "))
                        .time(*until, Stamp::Full)
                        .t(format!("): “{reason}”.")),
                )
                .field("People", words::people(release))
        }
        FreezeNotice::Overlap { others } => Message::new(Tone::Wait, Text::from(format!("⚠️ Overlap · {name}")))
            .body(
                Text::from(format!(
                    "Another release of {} is close to this release's T-0: ",
                    plan.service.as_deref().unwrap_or("the same service")
                ))
                .and(words::planned(release))
                .t("."),
            )
            .field("Other releases", Text::lines(others.iter().map(super::workspace::planned)))
            .field(
                WHAT_NOW,
                Text::from("Agree on an order. If they conflict, move one with ").code("/release reschedule").t("."),
            ),
    }
}

/// The answer to whoever asked.
pub(super) fn done(reply: &FreezeReply) -> Text {
    match reply {
        FreezeReply::Excepted { freeze, until } => {
            Text::from(format!("Recorded and announced: this release can go live during freeze “{freeze}” (until "))
                .time(*until, Stamp::Full)
                .t(").")
        }
    }
}

/// An event as a line of the timeline.
pub(super) fn entry(event: &FreezeEvent) -> String {
    match event {
        FreezeEvent::Excepted { freeze, reason, .. } => {
            format!("allowed go during freeze “{freeze}”: “{reason}”")
        }
    }
}
