//! Slash commands while a release runs: go, stages, updates, decisions, rollback, all-clear.

use serde_json::Value;

use super::shape::{choices, length, reason, text, verb};
use crate::chat::discord::parse::{Typed, Unread};
use crate::domain::closing::AllClearCommand;
use crate::domain::command::Command;
use crate::domain::decision::Verdict;
use crate::domain::rollback::RollbackCommand;
use crate::domain::stage::StageCommand;

/// The verbs as they are registered.
pub(super) fn verbs() -> Vec<Value> {
    vec![
        verb(
            "go",
            "Give the go: the release goes live",
            vec![text(
                "break_glass",
                "Emergency releases only: why the release must go live despite open items",
                false,
            )],
            true,
        ),
        verb("hold", "Pause the countdown and stage timers", vec![reason(true)], true),
        verb("resume", "Resume the countdown and stage timers", vec![], true),
        verb(
            "stage",
            "Advance or extend the rollout stage",
            vec![
                choices(
                    "stage",
                    "What to do",
                    true,
                    &[("Advance to the next stage", "advance"), ("Extend this stage", "extend")],
                ),
                text("time", "How long to extend the stage, such as 30m", false),
                reason(false),
            ],
            true,
        ),
        verb(
            "update",
            "Post the promised update",
            vec![text("text", "The update's text; leave it out to open a form", false)],
            true,
        ),
        verb(
            "decide",
            "Answer the open decision point",
            vec![
                choices(
                    "verdict",
                    "The decision",
                    true,
                    &[("Continue", "continue"), ("Hold", "hold"), ("Roll back", "roll_back")],
                ),
                reason(false),
            ],
            true,
        ),
        verb(
            "rollback",
            "Start a rollback, or report its result",
            vec![
                reason(true),
                choices(
                    "step",
                    "Default: start",
                    false,
                    &[("Start", "start"), ("Done and verified", "verified"), ("Failed", "failed")],
                ),
            ],
            true,
        ),
        verb("all-clear", "Give the all-clear, if nothing is open", vec![], true),
    ]
}

/// The command behind `/release …`.
pub(super) fn read(typed: &Typed) -> Option<Result<Command, Unread>> {
    let text = |name: &str| typed.text(name).unwrap_or_default();
    Some(match typed.path.as_str() {
        "release go" => Ok(Command::Stage(StageCommand::Go { break_glass: typed.text("break_glass") })),
        "release hold" => Ok(Command::Stage(StageCommand::Hold { reason: text("reason") })),
        "release resume" => Ok(Command::Stage(StageCommand::Resume)),
        "release stage" => stage(typed),
        "release update" => typed
            .text("text")
            .map(|text| Command::Update { text: Some(text), values: Vec::new() })
            .ok_or_else(String::new),
        "release decide" => verdict(&text("verdict")).map(|verdict| Command::Decide {
            point: None,
            verdict,
            reason: typed.text("reason"),
        }),
        "release rollback" => Ok(Command::Rollback(match text("step").as_str() {
            "verified" => RollbackCommand::Verified { note: typed.text("reason") },
            "failed" => RollbackCommand::Failed { reason: text("reason") },
            _ => RollbackCommand::Start { reason: text("reason") },
        })),
        "release all-clear" => Ok(Command::AllClear(AllClearCommand::Give)),
        _ => return None,
    })
}

fn stage(typed: &Typed) -> Result<Command, Unread> {
    let reason = typed.text("reason");
    if typed.text("stage").as_deref() != Some("extend") {
        return Ok(Command::Stage(StageCommand::Advance { reason }));
    }
    let time = typed.text("time").unwrap_or_default();
    let minutes = length(&time)?;
    Ok(Command::Stage(StageCommand::Extend { minutes, reason: reason.unwrap_or_default() }))
}

fn verdict(text: &str) -> Result<Verdict, Unread> {
    match text {
        "continue" => Ok(Verdict::Continue),
        "hold" => Ok(Verdict::Hold),
        "roll_back" => Ok(Verdict::RollBack),
        other => Err(format!("“{other}” is not a decision. Choose Continue, Hold or Roll back.")),
    }
}
