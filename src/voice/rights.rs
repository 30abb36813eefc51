//! Words of overrides and refusals on the record.

use crate::domain::release::Release;
use crate::domain::rights::{RightsEvent, RightsNotice};
use crate::voice::message::{Message, Tone};
use crate::voice::text::Text;
use crate::voice::words;

pub(super) fn say(notice: &RightsNotice, release: &Release) -> Message {
    let RightsNotice::Bypassed { action, by } = notice;
    Message::new(Tone::Bad, Text::from(format!("⚠️ Administrator override · {}", words::name(release))))
        .body(Text::from(format!(
            "{by} used the Manage Server permission to do this without the required role: {}.",
            words::action(action)
        )))
        .field(
            "Why this is possible",
            Text::from(
                "This server allows administrator overrides (administrator_bypass). The timeline records each one.",
            ),
        )
}

/// An event as a line of the timeline.
pub(super) fn entry(event: &RightsEvent) -> String {
    match event {
        RightsEvent::Bypassed { action } => {
            format!("used the administrator override: {}", words::action(action))
        }
        RightsEvent::Refused { action, why } => {
            format!("was refused: {} ({})", words::action(action), words::denied(*why))
        }
    }
}
