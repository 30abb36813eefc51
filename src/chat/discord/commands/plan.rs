//! Slash commands for a plan and its people.

use serde_json::Value;

use super::shape::{choices, option, reason, text, typed_time, verb};
use crate::chat::discord::parse::{Typed, Unread};
use crate::domain::command::Command;
use crate::domain::lifecycle::PlanCommand;
use crate::domain::people::Post;

/// The verbs as they are registered.
pub(super) fn verbs() -> Vec<Value> {
    vec![
        verb(
            "new",
            "Start a release plan with a short form; fill in its sections with /release edit",
            vec![
                choices(
                    "type",
                    "Release type",
                    true,
                    &[("Standard", "standard"), ("Hotfix", "hotfix"), ("Emergency", "emergency")],
                ),
                choices("risk", "Risk level", true, &[("Low", "low"), ("Medium", "medium"), ("High", "high")]),
            ],
            false,
        ),
        verb("edit", "Edit a section of the plan", vec![], true),
        verb("import", "Import a release plan (Markdown)", vec![option(11, "plan", "The plan document", true)], true),
        verb("show", "Show a release", vec![], true),
        verb("list", "List this server's releases", vec![], false),
        verb("submit", "Submit a draft: request sign-offs and start the countdown", vec![], true),
    ]
}

/// Those that come after the verbs of a run.
pub(super) fn later_verbs() -> Vec<Value> {
    vec![
        verb(
            "reschedule",
            "Move T-0: everyone already notified gets the new time, and the roles sign again",
            vec![text("time", "The new T-0, such as 2026-12-15 15:00 Europe/Berlin", true), reason(true)],
            true,
        ),
        verb(
            "handover",
            "Hand over the owner or on-call role",
            vec![
                choices("part", "Which role", true, &[("Release owner", "owner"), ("On-call engineer", "on_call")]),
                option(6, "to", "The member who takes over", true),
                reason(false),
            ],
            true,
        ),
        verb("scrub", "Cancel the release before it goes live", vec![reason(true)], true),
        verb(
            "amend",
            "Agree to or decline a plan change while the release runs",
            vec![choices("answer", "Your answer", true, &[("Agree", "agree"), ("Decline", "decline")]), reason(false)],
            true,
        ),
        verb(
            "timeline",
            "Show what happened, from the journal",
            vec![
                choices("show", "Which entries; default: everything", false, &crate::voice::timeline::About::choices()),
                option(6, "who", "Only what this member did", false),
                choices("format", "File format; default: text", false, &[("Text", "text"), ("JSON Lines", "json")]),
            ],
            true,
        ),
        verb("export", "Export the plan with the results filled in", vec![], true),
    ]
}

/// The command behind `/release …`.
pub(super) fn read(typed: &Typed, zone: Option<&str>) -> Option<Result<Command, Unread>> {
    let text = |name: &str| typed.text(name).unwrap_or_default();
    Some(match typed.path.as_str() {
        "release submit" => Ok(Command::Plan(PlanCommand::Submit)),
        "release handover" => typed.member("to").map(|to| {
            let post = if text("part") == "on_call" { Post::OnCall } else { Post::Owner };
            Command::Plan(PlanCommand::HandOver { post, to, reason: typed.text("reason") })
        }),
        "release scrub" => Ok(Command::Plan(PlanCommand::Scrub { reason: text("reason") })),
        "release reschedule" => {
            typed_time(typed, zone).map(|t0| Command::Plan(PlanCommand::Reschedule { t0, reason: text("reason") }))
        }
        "release amend" => Ok(Command::Plan(match text("answer").as_str() {
            "decline" => PlanCommand::Decline { n: None, reason: text("reason") },
            _ => PlanCommand::Agree { n: None },
        })),
        _ => return None,
    })
}
