//! Why not, and what to do instead. Calm, private, never a dead end.

use super::message::{Message, Tone, WHAT_NOW};
use super::text::{Stamp, Text};
use super::words;
use crate::domain::amend::AmendRefusal;
use crate::domain::closing::ClosingRefusal;
use crate::domain::ids::Audience;
use crate::domain::ladder::LadderRefusal;
use crate::domain::lifecycle::PlanRefusal;
use crate::domain::phase::PhaseName;
use crate::domain::policy::Policy;
use crate::domain::refusal::{Refusal, Wanted};
use crate::domain::rights::Who;
use crate::domain::signoff::SignoffRefusal;
use crate::domain::stage::StageRefusal;

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
            message.body("Resolve these items first.").field("Open items", words::open_list(items, policy))
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
        Refusal::Closing(ClosingRefusal::BadLink { typed }) => Text::from(format!(
            "“{typed}” is neither a link nor a document. Give a URL such as https://wiki.example/post-mortem, or a file name such as post-mortem.md."
        )),
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
        Refusal::Signoff(SignoffRefusal::HasSigned { role }) => Text::from(format!(
            "They signed this plan as {role}, and an owner can't sign their own plan. Ask them to withdraw the sign-off ("
        ))
        .code("/release signoff withdraw")
        .t("), or choose somebody else."),
        Refusal::TimedOut => {
            Text::from("You are timed out in this server. T-Minus ignores your commands and buttons until the timeout ends.")
        }
        Refusal::Signoff(SignoffRefusal::RoleUnmapped { role }) => Text::from(format!(
            "No chat role is mapped to {role}, so nobody can sign for it. Ask an administrator to map one with "
        ))
        .code("/tminus setup")
        .t("."),
        Refusal::Ladder(LadderRefusal::AudienceUnmapped { audience }) => Text::from(format!(
            "No chat role is mapped to {}, so nobody can confirm for it. Ask an administrator to map one with ",
            words::audience(audience)
        ))
        .code("/tminus setup")
        .t("."),
        Refusal::Ladder(LadderRefusal::NotOfAudience { audience, role }) => {
            Text::from(format!("Only {} can confirm this: ", words::audience(audience))).role(role).t(".")
        }
        Refusal::Signoff(SignoffRefusal::OwnPlan { role }) => {
            Text::from(format!("You are the owner or author of this plan. Ask somebody else to sign as {role}."))
        }
        Refusal::Signoff(SignoffRefusal::AlreadySigned { role, by }) => Text::from(format!("{by} already signed as {role}.")),
        Refusal::Signoff(SignoffRefusal::OneRoleEach { held, by }) => Text::from(format!(
            "{by} already signed this revision as {held}. One person can sign for one role only, and can't also record somebody else's sign-off. Ask a colleague."
        )),
        Refusal::Signoff(SignoffRefusal::NotRequired { role }) => Text::from(format!("This release does not need a {role} sign-off.")),
        Refusal::Signoff(SignoffRefusal::SignYourself) => {
            Text::from("They are in this server: ask them to sign. “for” is for people outside it, by name.")
        }
        Refusal::Signoff(SignoffRefusal::NotOnBehalf) => Text::from(
            "This server does not allow sign-offs for people outside the chat. Ask them to sign here, or ask an administrator to allow it with ",
        )
        .code("/tminus setup")
        .t("."),
        Refusal::Closing(ClosingRefusal::NotWaived) => {
            Text::from("This release is High risk, and this server does not allow waivers for it. Complete the item, or cancel the release (/release scrub).")
        }
        Refusal::Amend(AmendRefusal::NotAmendable { what }) => Text::from(format!(
            "You can't change this while the release runs: {}. Restore it in the document. If a proposal is open, decline it and propose again.",
            what.join("; ")
        )),
        Refusal::Signoff(SignoffRefusal::NotSigned { role }) => Text::from(format!("You have not signed as {role}.")),
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
        Refusal::Plan(PlanRefusal::EditedMeanwhile { revision }) => Text::from(format!(
            "Somebody changed the plan in the meantime: it is now at revision {revision}. Check it with /release edit, then try again."
        )),
        Refusal::Stage(StageRefusal::BreakGlassOnly { kind }) => Text::from(format!(
            "Break-glass is only for Emergency releases; this release's type is {}. Collect the sign-offs, or import the plan as Emergency.",
            words::chosen(*kind)
        )),
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
        Refusal::Plan(PlanRefusal::TooManyOpen { most }) => Text::from(format!("This server already has {most} open releases, the maximum. Close or cancel some first: "))
            .code("/release list")
            .t(", ")
            .code("/release scrub")
            .t("."),
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
        Refusal::Plan(PlanRefusal::NotScheduledYet) => {
            Text::from("A draft has no schedule yet. Change its date with ").code("/release edit").t(".")
        }
        Refusal::Plan(PlanRefusal::TimePast { at }) => Text::from("That time is in the past: ")
            .time(*at, Stamp::Full)
            .t(". Enter a future date and time, such as 2026-12-15 15:00 Europe/Berlin."),
        Refusal::Stage(StageRefusal::UndoOvertaken) => Text::from("You can't undo this: something else has happened since. Use ")
            .code("/release hold")
            .t(" or ")
            .code("/release rollback")
            .t("."),
        Refusal::UndoOver => {
            Text::from("You can't undo this: the 60 seconds are over, and it stays on the record. If it is wrong, tell the owner.")
        }
        Refusal::NothingToSet => {
            Text::from("Choose what to set: a channel, a role, quiet hours, or whether go waits for its receipts.")
        }
        Refusal::Ladder(LadderRefusal::NobodyConfirms { audience }) if *audience == Audience::engineering() => {
            Text::from("Go can't wait for engineering: engineering notices need no receipt.")
        }
        Refusal::Ladder(LadderRefusal::NobodyConfirms { audience }) => Text::from(format!(
            "Go can wait for {} only if a role can confirm. Set that role as well.",
            words::audience(audience)
        )),
        Refusal::Ladder(LadderRefusal::NotPosted { rung }) => Text::from(format!("You can't correct {rung}: T-Minus has not posted it.")),
        Refusal::NothingOpen { what } => Text::from(format!("There is no open {what}.")),
        Refusal::Open { .. } => Text::new(),
    }
}
