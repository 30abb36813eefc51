//! Slash commands for concerns.

use serde_json::Value;

use super::shape::{completed, group, reason, verb};
use crate::chat::discord::parse::{Typed, Unread};
use crate::domain::command::Command;
use crate::domain::concern::ConcernCommand;

/// The verbs as they are registered.
pub(super) fn verbs() -> Value {
    group(
        "concern",
        "Concerns that block go",
        vec![
            verb("raise", "Raise a concern; it blocks go until someone resolves it", vec![reason(true)], true),
            verb(
                "resolve",
                "Resolve your own concern, or overrule another's as a release manager",
                vec![reason(true), completed("concern", "Which concern; optional if only one is open", false)],
                true,
            ),
        ],
    )
}

/// The command behind `/release concern …`.
pub(super) fn read(typed: &Typed) -> Option<Result<Command, Unread>> {
    let text = |name: &str| typed.text(name).unwrap_or_default();
    Some(match typed.path.as_str() {
        "release concern raise" => Ok(Command::Concern(ConcernCommand::Raise { text: text("reason") })),
        "release concern resolve" => {
            Ok(Command::Concern(ConcernCommand::Resolve { concern: typed.text("concern"), how: text("reason") }))
        }
        _ => return None,
    })
}
