//! Words of overrides and refusals on the record.

use crate::domain::release::Release;
use crate::domain::rights::{Action, Denied, RightsEvent, RightsNotice};
use crate::voice::message::{Message, Tone};
use crate::voice::text::Text;
use crate::voice::words;

pub(super) fn say(notice: &RightsNotice, release: &Release) -> Message {
    let RightsNotice::Bypassed { action: done, by } = notice;
    Message::new(Tone::Bad, Text::from(format!("⚠️ Administrator override · {}", words::name(release))))
        .body(Text::from(format!(
            "{by} used the Manage Server permission to do this without the required role: {}.",
            action(done)
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
        RightsEvent::Bypassed { action: done } => {
            format!("used the administrator override: {}", action(done))
        }
        RightsEvent::Refused { action: tried, why } => {
            format!("was refused: {} ({})", action(tried), denied(*why))
        }
    }
}

/// Why somebody was refused.
pub fn denied(why: Denied) -> String {
    match why {
        Denied::NotAllowed => "no permission".to_owned(),
        Denied::OwnPlan => "own plan, or already signed it".to_owned(),
        Denied::OneRoleEach => "already signed for another role".to_owned(),
        Denied::NoEmergency => "not an Emergency release".to_owned(),
        Denied::Open(1) => "1 item was open".to_owned(),
        Denied::Open(n) => format!("{n} items were open"),
    }
}

/// What somebody wanted to do, as a noun.
pub fn action(action: &Action) -> String {
    let text = match action {
        Action::Setup => "changing the server's settings",
        Action::Train => "changing a train",
        Action::Import => "importing a plan",
        Action::Depart => "creating a train's draft",
        Action::Repolicy => "applying settings",
        Action::Revise => "importing a new revision",
        Action::Amend => "proposing an amendment",
        Action::Agree => "answering an amendment",
        Action::Name => "matching a name to a member",
        Action::HandOver(part) => return format!("handing over the {} role", words::post(*part)),
        Action::Submit => "submitting the plan",
        Action::Reschedule => "moving T-0",
        Action::Scrub => "cancelling the release",
        Action::Sign(role) => return format!("the {role} sign-off"),
        Action::Withdraw(role) => return format!("withdrawing the {role} sign-off"),
        Action::SignFor(role) => return format!("the {role} sign-off for somebody else"),
        Action::Snooze => "delaying or sending a reminder",
        Action::Receive(of) => return format!("a receipt for {}", words::audience(of)),
        Action::Correct => "correcting a notice",
        Action::Deliver => "reporting a delivery",
        Action::Redeliver => "handling a stuck message",
        Action::Go => "giving the go",
        Action::BreakGlass => "giving the go by break-glass",
        Action::Stage => "a stage step",
        Action::Undo => "undoing a step",
        Action::Hold => "putting the release on hold",
        Action::Resume => "resuming the release",
        Action::Update => "posting an update",
        Action::Decide => "answering a decision point",
        Action::Answer => "answering the rollback prompt",
        Action::RollBack => "rolling back",
        Action::Verify => "confirming a rollback",
        Action::Signal => "sending an alert",
        Action::Report => "reporting a value",
        Action::Acknowledge => "acknowledging an alert",
        Action::Item => "ticking an item",
        Action::Waive => "waiving an item",
        Action::AllClear => "giving the all-clear",
        Action::Rewatch => "watching again",
        Action::Postmortem => "updating the post-mortem",
        Action::Object => "raising a concern",
        Action::Settle(_) => "resolving a concern",
        Action::Except => "recording a freeze exception",
        Action::Tick => "running due work",
        Action::Examine => "checking the bot's permissions",
        Action::Read => "reading the release",
    };
    text.to_owned()
}
