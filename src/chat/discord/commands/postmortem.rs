//! Slash commands for the post-mortem.

use serde_json::Value;

use super::shape::{group, reason, text, typed_time, verb};
use crate::chat::discord::parse::{Typed, Unread};
use crate::domain::closing::ClosingCommand;
use crate::domain::command::Command;

/// The verbs as they are registered.
pub(super) fn verbs() -> Value {
    group(
        "postmortem",
        "The post-mortem",
        vec![
            verb(
                "schedule",
                "Schedule the post-mortem",
                vec![text("time", "Date and time, such as 2026-12-15 15:00 Europe/Berlin", true)],
                true,
            ),
            verb("file", "File the link to the post-mortem", vec![text("text", "Link to the post-mortem", true)], true),
            verb("waive", "Waive the post-mortem, with a reason", vec![reason(true)], true),
        ],
    )
}

/// The command behind `/release postmortem …`.
pub(super) fn read(typed: &Typed, zone: Option<&str>) -> Option<Result<Command, Unread>> {
    let text = |name: &str| typed.text(name).unwrap_or_default();
    Some(match typed.path.as_str() {
        "release postmortem file" => Ok(Command::Closing(ClosingCommand::File { link: text("text") })),
        "release postmortem waive" => Ok(Command::Closing(ClosingCommand::WaivePostmortem { reason: text("reason") })),
        "release postmortem schedule" => {
            typed_time(typed, zone).map(|when| Command::Closing(ClosingCommand::Schedule { at: when.at }))
        }
        _ => return None,
    })
}
