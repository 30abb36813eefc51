//! Why not, and what to do instead. Calm, private, never a dead end.

use super::message::{Message, Tone};
use super::text::{Stamp, Text};
use super::words;
use crate::domain::ids::Audience;
use crate::domain::may::Who;
use crate::domain::policy::Policy;
use crate::domain::refusal::{Refusal, Wanted};
use crate::domain::release::PhaseName;

/// Gives a refusal its words. `subject` names the release, where there is one.
pub fn refuse(refusal: &Refusal, policy: &Policy, subject: Option<&str>) -> Message {
    let headline = match subject {
        Some(subject) => format!("⛔ Not done · {subject}"),
        None => "⛔ Not done".to_owned(),
    };
    let message = Message::new(Tone::Bad, Text::from(headline));
    match refusal {
        Refusal::Open { wanted, items } => message
            .body(Text::from(format!("{} is not possible while this is open:", verb(*wanted))))
            .field("Open", words::open_list(items, policy)),
        other => message.body(sentence(other)),
    }
}

/// What to do where the release's phase forbids it.
fn instead(phase: PhaseName, wanted: Wanted) -> &'static str {
    match (phase, wanted) {
        (PhaseName::Draft, _) => "Submit it first: /release submit.",
        (PhaseName::Gathering | PhaseName::Approved, Wanted::Submit) => {
            "It is submitted already; /release show says what is missing."
        }
        (PhaseName::Gathering | PhaseName::Approved, Wanted::Resume) => "It is not on hold.",
        (PhaseName::Gathering | PhaseName::Approved, _) => "It is not live; the owner gives go with /release go.",
        (PhaseName::Held, _) => "Go on with /release resume first.",
        (PhaseName::Live | PhaseName::Watching, Wanted::Go | Wanted::Submit | Wanted::Sign) => "It is live already.",
        (PhaseName::Live | PhaseName::Watching, _) => "/release show says where it stands.",
        (PhaseName::RollingBack, _) => "Confirm the rollback first: /release rollback, step “verified”.",
        (PhaseName::RolledBack | PhaseName::AllClear, _) => {
            "The rollout is over; /release show says what is still open."
        }
        (PhaseName::Closed | PhaseName::Scrubbed, _) => {
            "It is over; a new one begins with /release new or /release import."
        }
    }
}

fn verb(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Import => "Importing",
        Wanted::Submit => "Submitting",
        Wanted::Sign => "Signing",
        Wanted::Go => "Go",
        Wanted::Hold => "Hold",
        Wanted::Resume => "Resuming",
        Wanted::Stage => "Moving a stage",
        Wanted::Update => "An update",
        Wanted::Decide => "A decision",
        Wanted::RollBack => "A rollback",
        Wanted::AllClear => "All-clear",
        Wanted::Scrub => "Scrubbing",
        Wanted::Reschedule => "Rescheduling",
        Wanted::Except => "An exception from a freeze",
        Wanted::Postmortem => "A post-mortem",
        Wanted::Alert => "An alert",
        Wanted::Receipt => "A receipt",
        Wanted::Correct => "Correcting a notice",
        Wanted::Item => "Ticking an item",
        Wanted::Concern => "A concern",
        Wanted::HandOver => "Handing over",
        Wanted::Amend => "An amendment",
    }
}

fn sentence(refusal: &Refusal) -> Text {
    match refusal {
        Refusal::UnknownRelease { typed } if typed.is_empty() => {
            Text::from("There is no release here. Import a plan with ").code("/release import").t(".")
        }
        Refusal::UnknownRelease { typed } => {
            Text::from(format!("There is no release “{typed}” in this server. See ")).code("/release list").t(".")
        }
        Refusal::WhichRelease { open } => {
            Text::from(format!("Several releases are open: {}. Name one in the option ", open.join(", ")))
                .code("release")
                .t(".")
        }
        Refusal::NotAllowed { who } => {
            let mut text = Text::from("You may not do this. ");
            if who.is_empty() {
                return text.t("Only people of this server can.");
            }
            text = text.t("These may: ");
            for (n, who) in who.iter().enumerate() {
                if n > 0 {
                    text = text.t(", ");
                }
                text = match who {
                    Who::Owner => text.t("the release owner"),
                    Who::OnCall => text.t("the on-call engineer"),
                    Who::Author => text.t("the plan's author"),
                    Who::Raiser(user) => text.t("whoever raised it, ").user(user),
                    Who::ServerManagers => text.t("members who may manage the server"),
                    Who::BreakGlass(roles) => roles.iter().fold(text.t("for break-glass "), |t, r| t.role(r).t(" ")),
                    Who::Managers(roles) if roles.is_empty() => text.t("release managers (no role is mapped yet)"),
                    Who::Managers(roles) => roles.iter().fold(text.t("release managers "), |t, r| t.role(r).t(" ")),
                    Who::Signers(role, roles) => roles.iter().fold(text.t(format!("{role} ")), |t, r| t.role(r).t(" ")),
                };
            }
            text
        }
        Refusal::HasSigned { role } => Text::from(format!(
            "They signed this plan as {role}, and an owner does not sign their own plan. They withdraw it first ("
        ))
        .code("/release signoff withdraw")
        .t("), or somebody else takes over."),
        Refusal::TimedOut => {
            Text::from("You are timed out in this server: nothing you type or press counts until that is over.")
        }
        Refusal::RoleUnmapped { role } => Text::from(format!(
            "No chat role is mapped to {role}, so nobody can sign as it. An administrator maps one with "
        ))
        .code("/tminus setup")
        .t("."),
        Refusal::AudienceUnmapped { audience } => Text::from(format!(
            "No chat role is mapped to {}, so nobody can confirm for it. An administrator maps one with ",
            words::audience(audience)
        ))
        .code("/tminus setup")
        .t("."),
        Refusal::NotOfAudience { audience, role } => {
            Text::from(format!("Only {} can confirm this: ", words::audience(audience))).role(role).t(".")
        }
        Refusal::OwnPlan { role } => {
            Text::from(format!("You are the owner or author of this plan; somebody else signs as {role}."))
        }
        Refusal::AlreadySigned { role, by } => Text::from(format!("{role} has been signed already, by {by}.")),
        Refusal::OneRoleEach { held, by } => Text::from(format!(
            "{by} signed this revision as {held}. One person signs for one role, and whoever signs records nobody else; ask a colleague."
        )),
        Refusal::NotRequired { role } => Text::from(format!("This release does not need a {role} sign-off.")),
        Refusal::SignYourself => {
            Text::from("Whoever is here signs here, without the option “for”: it is for people outside the chat, by their name.")
        }
        Refusal::NotOnBehalf => Text::from(
            "This server records no sign-offs for people outside the chat. They sign here themselves, or an administrator allows it with ",
        )
        .code("/tminus setup")
        .t("."),
        Refusal::NotWaived => {
            Text::from("The risk is High: nothing that stands against it is waived here. Do it, or call the release off.")
        }
        Refusal::NotAmendable { what } => Text::from(format!(
            "A running release cannot change this any more: {}. Leave it in the document as it was; a proposal that waits is declined and made anew.",
            what.join("; ")
        )),
        Refusal::NotSigned { role } => Text::from(format!("You have not signed as {role}.")),
        Refusal::WrongPhase { phase, wanted } => {
            let text = format!("{} is not possible now: the release is “{}”. ", verb(*wanted), words::phase(*phase));
            Text::from(text).t(instead(*phase, *wanted))
        }
        Refusal::Stale { now } => Text::from(format!(
            "This button has been overtaken. The release is “{}” now; see the newest message or ",
            words::phase(*now)
        ))
        .code("/release show")
        .t("."),
        Refusal::ReasonNeeded => Text::from("Say why, in a few words: it goes on the record."),
        Refusal::EditedMeanwhile { revision } => Text::from(format!(
            "Somebody changed the plan meanwhile; it is at revision {revision}. Look at it with /release edit, then try again."
        )),
        Refusal::BreakGlassOnly { kind } => Text::from(format!(
            "Break-glass is for Emergency releases; this one's type is {}. Collect the sign-offs, or import the plan as Emergency.",
            words::chosen(*kind)
        )),
        Refusal::UnknownItem { typed, known } if known.is_empty() => {
            Text::from(format!("“{typed}” is not here, and nothing is open."))
        }
        Refusal::UnknownItem { typed, known } if typed.is_empty() => {
            Text::from(format!("Several are open. Name one: {}.", known.join("; ")))
        }
        Refusal::UnknownItem { typed, known } => {
            Text::from(format!("“{typed}” is not here. Open: {}.", known.join("; ")))
        }
        Refusal::AlreadyDone { what } => Text::from(format!("Already done: {what}.")),
        Refusal::BadNumber { typed } => {
            Text::from(format!("“{typed}” does not fit here. Give a number such as 212 or 0.4%, or a time ahead."))
        }
        Refusal::NotYours { by } => Text::from(format!("Only {by}, who pressed it, can take it back.")),
        Refusal::NameNeeded => Text::from("Give it a name, in a few words."),
        Refusal::TooManyOpen { most } => Text::from(format!("{most} releases are open here already, and no more are taken. End or call off some first: "))
            .code("/release list")
            .t(", ")
            .code("/release scrub")
            .t("."),
        Refusal::TooMany { what, most } => {
            Text::from(format!("There are {most} {what} already, and no more are taken. Remove or resolve one first."))
        }
        Refusal::TooOften { most, days_ahead } => Text::from(format!(
            "That would make more than {most} drafts within {}. Give a rule that fires less often, or fewer days ahead.",
            if *days_ahead == 1 { "a day".to_owned() } else { format!("{days_ahead} days") }
        )),
        Refusal::NeverAgain => {
            Text::from("That never happens again. Give a time to come, or a rule such as Fri 15:00.")
        }
        Refusal::NotScheduledYet => {
            Text::from("A draft is not scheduled yet. Change its date with ").code("/release edit").t(".")
        }
        Refusal::TimePast { at } => Text::from("That time does not lie ahead: ")
            .time(*at, Stamp::Full)
            .t(". Give a date and a time to come, such as 2026-12-15 15:00 Europe/Berlin."),
        Refusal::UndoOvertaken => Text::from("Something came of it already, so it cannot be taken back. Use ")
            .code("/release hold")
            .t(" or ")
            .code("/release rollback")
            .t("."),
        Refusal::UndoOver => {
            Text::from("The minute for undoing it is over; it stays on the record. Tell the owner if it is wrong.")
        }
        Refusal::NothingToSet => {
            Text::from("Say what to set: a channel, a role, quiet hours, or whether go waits for its receipts.")
        }
        Refusal::NobodyConfirms { audience } if *audience == Audience::engineering() => {
            Text::from("Engineering is told and confirms nothing, so go cannot wait for it.")
        }
        Refusal::NobodyConfirms { audience } => Text::from(format!(
            "Go can wait for {} only if a role is set whose members confirm. Give the role as well.",
            words::audience(audience)
        )),
        Refusal::NotPosted { rung } => Text::from(format!("{rung} was not posted, so there is nothing to correct.")),
        Refusal::NothingOpen { what } => Text::from(format!("There is no open {what}.")),
        Refusal::Open { .. } => Text::new(),
    }
}
