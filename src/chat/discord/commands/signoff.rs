//! Slash commands for sign-offs.

use serde_json::Value;

use super::shape::{group, length, reason, role, text, typed_role, verb};
use crate::chat::discord::parse::{Typed, Unread};
use crate::domain::command::Command;
use crate::domain::signoff::SignoffCommand;

/// The verbs as they are registered.
pub(super) fn verbs() -> Value {
    group(
        "signoff",
        "Sign-offs",
        vec![
            verb(
                "give",
                "Sign the current revision",
                vec![
                    role(),
                    text("for", "Record the sign-off of someone outside this server: their name", false),
                    text("reason", "With “for”: where they gave the sign-off, such as an email", false),
                ],
                true,
            ),
            verb("refuse", "Refuse to sign, with a reason", vec![role(), reason(true)], true),
            verb("withdraw", "Withdraw your sign-off", vec![role()], true),
            verb("remind", "Remind the roles that have not signed, at most once an hour", vec![], true),
            verb(
                "snooze",
                "Snooze the next reminder, once",
                vec![text("time", "How long, such as 4h (default); at most 24h", false)],
                true,
            ),
        ],
    )
}

/// The command behind `/release signoff …`.
pub(super) fn read(typed: &Typed) -> Option<Result<Command, Unread>> {
    let text = |name: &str| typed.text(name).unwrap_or_default();
    Some(match typed.path.as_str() {
        "release signoff give" => typed_role(typed).map(|role| {
            Command::Signoff(match typed.text("for") {
                Some(name) => SignoffCommand::Record { role, name, evidence: text("reason") },
                None => SignoffCommand::Give(role),
            })
        }),
        "release signoff refuse" => {
            typed_role(typed).map(|role| Command::Signoff(SignoffCommand::Refuse { role, reason: text("reason") }))
        }
        "release signoff withdraw" => typed_role(typed).map(|role| Command::Signoff(SignoffCommand::Withdraw(role))),
        "release signoff remind" => Ok(Command::Signoff(SignoffCommand::Remind)),
        "release signoff snooze" => length(&typed.text("time").unwrap_or_else(|| "4h".to_owned()))
            .map(|minutes| Command::Signoff(SignoffCommand::Snooze { minutes })),
        _ => return None,
    })
}
