//! Slash commands for checklist items and notices.

use serde_json::Value;

use super::shape::{choices, completed, group, reason, text, verb};
use crate::chat::discord::parse::{Typed, Unread};
use crate::domain::closing::ClosingCommand;
use crate::domain::command::Command;
use crate::domain::ladder::NoticeCommand;

/// The verbs as they are registered.
pub(super) fn verbs() -> Value {
    group(
        "item",
        "Checklist items",
        vec![
            verb("done", "Mark an item as done", vec![completed("text", "The item", true), reason(false)], true),
            verb(
                "waive",
                "Waive an item that does not apply",
                vec![completed("text", "The item", true), reason(true)],
                true,
            ),
            verb(
                "brief",
                "Confirm a notice for your audience, like its button",
                vec![text("text", "Which notice, such as T-2h; optional if only one is unconfirmed", false)],
                true,
            ),
            verb(
                "correct",
                "Correct or retract a notice, and notify its audience again",
                vec![
                    text("text", "Which notice, such as T-2h", true),
                    reason(true),
                    choices("step", "Default: correct", false, &[("Correct", "correct"), ("Retract", "retract")]),
                ],
                true,
            ),
        ],
    )
}

/// The command behind `/release item …`.
pub(super) fn read(typed: &Typed) -> Option<Result<Command, Unread>> {
    let text = |name: &str| typed.text(name).unwrap_or_default();
    Some(match typed.path.as_str() {
        "release item done" => {
            Ok(Command::Closing(ClosingCommand::ItemDone { item: text("text"), note: typed.text("reason") }))
        }
        "release item waive" => {
            Ok(Command::Closing(ClosingCommand::ItemWaived { item: text("text"), reason: text("reason") }))
        }
        "release item brief" => Ok(Command::Notice(NoticeCommand::Brief { rung: typed.text("text") })),
        "release item correct" => Ok(Command::Notice(NoticeCommand::Correct {
            rung: text("text"),
            text: text("reason"),
            retracted: text("step") == "retract",
        })),
        _ => return None,
    })
}
