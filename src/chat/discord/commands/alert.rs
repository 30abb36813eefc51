//! Slash commands for alerts and metric values.

use serde_json::Value;

use super::shape::{completed, group, text, verb};
use crate::chat::discord::parse::{Typed, Unread, number};
use crate::domain::alert::AlertCommand;
use crate::domain::command::Command;

/// The verbs as they are registered.
pub(super) fn verbs() -> Value {
    group(
        "alert",
        "Alerts and metric values",
        vec![
            verb(
                "report",
                "Report a metric's value",
                vec![completed("metric", "The metric", true), text("text", "The value, such as 212ms or 0.4%", true)],
                true,
            ),
            verb(
                "ack",
                "Acknowledge an alert",
                vec![text("text", "The alert's name; default: the oldest unacknowledged alert", false)],
                true,
            ),
        ],
    )
}

/// The command behind `/release alert …`.
pub(super) fn read(typed: &Typed) -> Option<Result<Command, Unread>> {
    let text = |name: &str| typed.text(name).unwrap_or_default();
    Some(match typed.path.as_str() {
        "release alert report" => {
            number(&text("text")).map(|value| Command::Alert(AlertCommand::Report { metric: text("metric"), value }))
        }
        "release alert ack" => Ok(Command::Alert(AlertCommand::Ack { alert: text("text") })),
        _ => return None,
    })
}
