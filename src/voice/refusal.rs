//! Why not, and what to do instead. Calm, private, never a dead end.

use super::message::{Message, Tone, WHAT_NOW};
use super::text::Text;
use super::{amend, closing, ladder, plan, signoff, stage, words};
use crate::domain::phase::PhaseName;
use crate::domain::policy::Policy;
use crate::domain::refusal::{Refusal, Wanted};
use crate::domain::rights::Who;
use crate::voice::open;

/// Gives a refusal its words. `subject` names the release, where there is one.
pub fn refuse(refusal: &Refusal, policy: &Policy, subject: Option<&str>) -> Message {
    let what = match refusal {
        Refusal::Open { wanted, .. } => format!("You can't {} yet", verb(*wanted)),
        Refusal::WrongPhase { wanted, .. } => format!("You can't {} now", verb(*wanted)),
        _ => "You can't do that".to_owned(),
    };
    let headline = match subject {
        Some(subject) => format!("⛔ {what} · {subject}"),
        None => format!("⛔ {what}"),
    };
    let message = Message::new(Tone::Bad, Text::from(headline));
    match refusal {
        Refusal::Open { items, .. } => {
            message.body("Resolve these items first.").field("Open items", open::open_list(items, policy))
        }
        other => message.body(sentence(other)),
    }
}

/// The same under the server's own settings: where there are none yet, it leads to them.
pub fn refuse_here(refusal: &Refusal, policy: &Policy, subject: Option<&str>) -> Message {
    let message = refuse(refusal, policy, subject);
    if policy.release_channel.is_some() || !policy.release_managers.is_empty() {
        return message;
    }
    let setup = Text::from("This server is not set up yet. Ask a member with the Manage Server permission to run ")
        .code("/tminus setup")
        .t(".");
    message.field(WHAT_NOW, setup)
}

/// What to do where the release's phase forbids it.
fn instead(phase: PhaseName, wanted: Wanted) -> &'static str {
    match (phase, wanted) {
        (PhaseName::Draft, _) => "Submit it first: /release submit.",
        (PhaseName::Gathering | PhaseName::Approved, Wanted::Submit) => {
            "It is already submitted. /release show lists what is missing."
        }
        (PhaseName::Gathering | PhaseName::Approved, Wanted::Resume) => "It is not on hold.",
        (PhaseName::Gathering | PhaseName::Approved, _) => {
            "It is not live yet. The owner gives the go with /release go."
        }
        (PhaseName::Held, _) => "Resume it first: /release resume.",
        (PhaseName::Live | PhaseName::Watching, Wanted::Go | Wanted::Submit | Wanted::Sign) => "It is already live.",
        (PhaseName::Live | PhaseName::Watching, _) => "See /release show for its status.",
        (PhaseName::RollingBack, _) => "Confirm the rollback first: /release rollback, step “verified”.",
        (PhaseName::RolledBack | PhaseName::AllClear, _) => {
            "The rollout is over. /release show lists what is still open."
        }
        (PhaseName::Closed | PhaseName::Scrubbed, _) => {
            "It is over. Start a new one with /release new or /release import."
        }
    }
}

fn verb(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Import => "change this plan",
        Wanted::Submit => "submit this plan",
        Wanted::Sign => "sign or withdraw",
        Wanted::Go => "give the go",
        Wanted::Hold => "put this release on hold",
        Wanted::Resume => "resume this release",
        Wanted::Stage => "change the stage",
        Wanted::Update => "post an update",
        Wanted::Decide => "answer a decision point",
        Wanted::RollBack => "roll back",
        Wanted::Verify => "call the rollback verified",
        Wanted::AllClear => "give the all-clear",
        Wanted::Scrub => "cancel this release",
        Wanted::Reschedule => "reschedule this release",
        Wanted::Except => "record a freeze exception",
        Wanted::Postmortem => "update the post-mortem",
        Wanted::Alert => "report or acknowledge an alert",
        Wanted::Receipt => "change a receipt",
        Wanted::Correct => "correct a notice",
        Wanted::Item => "tick or waive an item",
        Wanted::Concern => "raise or resolve a concern",
        Wanted::HandOver => "hand over a role",
        Wanted::Amend => "amend the plan",
    }
}

fn sentence(refusal: &Refusal) -> Text {
    match refusal {
        Refusal::Plan(refusal) => plan::refuse(refusal),
        Refusal::Signoff(refusal) => signoff::refuse(refusal),
        Refusal::Amend(refusal) => amend::refuse(refusal),
        Refusal::Ladder(refusal) => ladder::refuse(refusal),
        Refusal::Stage(refusal) => stage::refuse(refusal),
        Refusal::Closing(refusal) => closing::refuse(refusal),
        Refusal::UnknownRelease { typed } if typed.is_empty() => {
            Text::from("This server has no open release. Import a plan with ").code("/release import").t(".")
        }
        Refusal::UnknownRelease { typed } => {
            Text::from(format!("This server has no release “{typed}”. See ")).code("/release list").t(".")
        }
        Refusal::WhichRelease { open } => {
            Text::from(format!("Several releases are open: {}. Name one in the option ", open.join(", ")))
                .code("release")
                .t(".")
        }
        Refusal::NotAllowed { who } => {
            let mut text = Text::from("You don't have permission. ");
            if who.is_empty() {
                return text.t("Only members of this server can do this.");
            }
            text = text.t("Ask: ");
            for (n, who) in who.iter().enumerate() {
                if n > 0 {
                    text = text.t(", ");
                }
                text = match who {
                    Who::Owner => text.t("the release owner"),
                    Who::OnCall => text.t("the on-call engineer"),
                    Who::Author => text.t("the plan's author"),
                    Who::Raiser(user) => text.user(user).t(" (who raised it)"),
                    Who::ServerManagers => text.t("members with the Manage Server permission"),
                    Who::BreakGlass(roles) => roles.iter().fold(text.t("break-glass role"), |t, r| t.t(" ").role(r)),
                    Who::Managers(roles) if roles.is_empty() => text.t("release managers (no role is mapped yet)"),
                    Who::Managers(roles) => roles.iter().fold(text.t("release managers"), |t, r| t.t(" ").role(r)),
                    Who::Signers(role, roles) => roles.iter().fold(text.t(role.to_string()), |t, r| t.t(" ").role(r)),
                };
            }
            text
        }
        Refusal::TimedOut => Text::from(
            "You are timed out in this server. T-Minus ignores your commands and buttons until the timeout ends.",
        ),
        Refusal::WrongPhase { phase, wanted } => {
            Text::from(format!("This release is “{}”. ", words::phase(*phase))).t(instead(*phase, *wanted))
        }
        Refusal::Stale { now } => Text::from(format!(
            "This button is out of date. The release is now “{}”; use the newest message or ",
            words::phase(*now)
        ))
        .code("/release show")
        .t("."),
        Refusal::ReasonNeeded => Text::from("Give a short reason. It goes on the record."),
        Refusal::UnknownItem { typed, known } if known.is_empty() => {
            Text::from(format!("There is no “{typed}”, and nothing is open."))
        }
        Refusal::UnknownItem { typed, known } if typed.is_empty() => {
            Text::from(format!("Several are open. Name one: {}.", known.join("; ")))
        }
        Refusal::UnknownItem { typed, known } => {
            Text::from(format!("There is no “{typed}”. Open: {}.", known.join("; ")))
        }
        Refusal::AlreadyDone { what } => Text::from(format!("Already done: {what}.")),
        Refusal::BadNumber { typed } => {
            Text::from(format!("“{typed}” is not valid here. Enter a number such as 212 or 0.4%, or a future time."))
        }
        Refusal::NotYours { by } => Text::from(format!("Only {by}, who did this, can undo it.")),
        Refusal::NameNeeded => Text::from("Enter a short name."),
        Refusal::TooMany { what, most } => {
            Text::from(format!("There are already {most} {what}, the maximum. Remove or resolve one first."))
        }
        Refusal::TooOften { most, days_ahead } => Text::from(format!(
            "This rule would create more than {most} drafts within {}. Use a rule that fires less often, or fewer days ahead.",
            if *days_ahead == 1 { "a day".to_owned() } else { format!("{days_ahead} days") }
        )),
        Refusal::NeverAgain => {
            Text::from("That time never comes again. Enter a future time, or a rule such as Fri 15:00.")
        }
        Refusal::UndoOver => Text::from(
            "You can't undo this: the 60 seconds are over, and it stays on the record. If it is wrong, tell the owner.",
        ),
        Refusal::NothingToSet => {
            Text::from("Choose what to set: a channel, a role, quiet hours, or whether go waits for its receipts.")
        }
        Refusal::NothingOpen { what } => Text::from(format!("There is no open {what}.")),
        Refusal::Open { .. } => Text::new(),
    }
}
