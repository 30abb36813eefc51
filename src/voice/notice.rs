//! `say`: the root that gives each notice to its topic's words. It only matches and delegates.

use jiff::Timestamp;

use super::message::{Button, Message, Style};
use super::{alerts, amend, closing, concern, delivery, ladder, outcome, people, run, signoff, words};
use crate::domain::alert::AlertNotice;
use crate::domain::amend::AmendNotice;
use crate::domain::closing::ClosingNotice;
use crate::domain::concern::ConcernNotice;
use crate::domain::decision::PointNotice;
use crate::domain::decision::Verdict;
use crate::domain::delivery::DeliveryNotice;
use crate::domain::freeze::FreezeNotice;
use crate::domain::ladder::LadderNotice;
use crate::domain::lifecycle::PlanNotice;
use crate::domain::notice::Notice;
use crate::domain::plan::span_label;
use crate::domain::prompt;
use crate::domain::prompt::{Choice, Prompt};
use crate::domain::release::Release;
use crate::domain::rights::RightsNotice;
use crate::domain::rollback::RollbackNotice;
use crate::domain::signoff::SignoffNotice;
use crate::domain::stage::StageNotice;
use crate::domain::updates::UpdateNotice;

/// Gives a notice its words. `prompt` adds its buttons.
pub fn say(notice: &Notice, release: &Release, now: Timestamp, prompt: Option<&Prompt>) -> Message {
    let mut message = match notice {
        Notice::Plan(PlanNotice::DraftForgotten)
        | Notice::Signoff(SignoffNotice::Ask { .. })
        | Notice::Signoff(SignoffNotice::Over)
        | Notice::Signoff(SignoffNotice::Reminder { .. })
        | Notice::Signoff(SignoffNotice::Signed { .. })
        | Notice::Signoff(SignoffNotice::Refused { .. })
        | Notice::Signoff(SignoffNotice::Withdrawn { .. })
        | Notice::Plan(PlanNotice::Ticked { .. })
        | Notice::Signoff(SignoffNotice::Expired { .. })
        | Notice::Signoff(SignoffNotice::Approved)
        | Notice::Signoff(SignoffNotice::BreakGlassFollowUp { .. }) => signoff::say(notice, release),
        Notice::Plan(PlanNotice::HandedOver { .. }) | Notice::Rights(RightsNotice::Bypassed { .. }) => {
            people::say(notice, release)
        }
        Notice::Amend(AmendNotice::Ask { .. }) | Notice::Amend(AmendNotice::Amended { .. }) => {
            amend::say(notice, release)
        }
        Notice::Concern(ConcernNotice::State { .. }) | Notice::Concern(ConcernNotice::Resolved { .. }) => {
            concern::say(notice, release)
        }
        Notice::Ladder(LadderNotice::Rung { .. })
        | Notice::Stage(StageNotice::GoNoGo { .. })
        | Notice::Stage(StageNotice::GoAnswered { .. })
        | Notice::Plan(PlanNotice::Moved { .. })
        | Notice::Ladder(LadderNotice::Overtaken { .. })
        | Notice::Ladder(LadderNotice::Page)
        | Notice::Ladder(LadderNotice::Corrected { .. })
        | Notice::Ladder(LadderNotice::QuietOver { .. })
        | Notice::Freeze(FreezeNotice::Excepted { .. })
        | Notice::Freeze(FreezeNotice::Overlap { .. })
        | Notice::Plan(PlanNotice::Departed { .. })
        | Notice::Plan(PlanNotice::Scrubbed { .. }) => ladder::say(notice, release),
        Notice::Ladder(LadderNotice::Outcome { outcome, audience }) => outcome::say(*outcome, audience, release),
        Notice::Delivery(DeliveryNotice::Stuck { .. })
        | Notice::Delivery(DeliveryNotice::OpsGone { .. })
        | Notice::Plan(PlanNotice::CardMoved { .. }) => delivery::say(notice, release),
        Notice::Stage(StageNotice::Went { .. })
        | Notice::Stage(StageNotice::Undone { .. })
        | Notice::Stage(StageNotice::Started { .. })
        | Notice::Stage(StageNotice::Owed { .. })
        | Notice::Stage(StageNotice::Extended { .. })
        | Notice::Stage(StageNotice::AllDone)
        | Notice::Stage(StageNotice::Held { .. })
        | Notice::Stage(StageNotice::HoldOver { .. })
        | Notice::Stage(StageNotice::Resumed { .. })
        | Notice::Update(UpdateNotice { .. })
        | Notice::Point(PointNotice::Asked { .. })
        | Notice::Point(PointNotice::Decided { .. }) => run::say(notice, release, now),
        Notice::Alert(AlertNotice::Alert { .. })
        | Notice::Alert(AlertNotice::Returned { .. })
        | Notice::Alert(AlertNotice::Unheard { .. })
        | Notice::Alert(AlertNotice::Crowd { .. })
        | Notice::Rollback(RollbackNotice::Case { .. })
        | Notice::Rollback(RollbackNotice::CaseReminder { .. })
        | Notice::Rollback(RollbackNotice::Done { .. })
        | Notice::Rollback(RollbackNotice::Started { .. })
        | Notice::Rollback(RollbackNotice::Reminder { .. })
        | Notice::Rollback(RollbackNotice::RolledBack { .. })
        | Notice::Rollback(RollbackNotice::Failed { .. })
        | Notice::Rollback(RollbackNotice::Contingency { .. }) => alerts::say(notice, release, now),
        Notice::Closing(ClosingNotice::AllClear { .. })
        | Notice::Closing(ClosingNotice::Rewatched { .. })
        | Notice::Closing(ClosingNotice::ClearAsk { .. })
        | Notice::Closing(ClosingNotice::ClearGiven { .. })
        | Notice::Closing(ClosingNotice::PostmortemDue { .. })
        | Notice::Closing(ClosingNotice::PostmortemScheduled { .. })
        | Notice::Closing(ClosingNotice::PostmortemFiled { .. })
        | Notice::Closing(ClosingNotice::PostmortemWaived { .. })
        | Notice::Closing(ClosingNotice::ActionsOpen { .. })
        | Notice::Closing(ClosingNotice::Closed) => closing::say(notice, release, now),
    };
    message.footer = words::footer(release);
    if let Some(prompt) = prompt {
        message.buttons = buttons(release, prompt);
    }
    message
}

/// The buttons of a prompt as it stands now.
pub fn buttons(release: &Release, prompt: &Prompt) -> Vec<Button> {
    prompt::rules::choices(release, prompt).into_iter().map(button).collect()
}

fn button(choice: Choice) -> Button {
    let (label, style) = match choice {
        Choice::Sign(role) => (format!("Sign as {role}"), Style::Good),
        Choice::Briefed => ("Briefed".to_owned(), Style::Good),
        Choice::Unverified => ("Rolled back, not verified".to_owned(), Style::Quiet),
        Choice::Go => ("Go".to_owned(), Style::Good),
        Choice::Scrub => ("Cancel release".to_owned(), Style::Danger),
        Choice::Resume => ("Resume".to_owned(), Style::Main),
        Choice::Advance => ("Advance".to_owned(), Style::Main),
        Choice::Extend => (format!("Extend {}", span_label(u64::from(prompt::EXTEND_MIN))), Style::Quiet),
        Choice::AllClear => ("All clear".to_owned(), Style::Good),
        Choice::Rewatch => ("Watch again".to_owned(), Style::Quiet),
        Choice::Acknowledge => ("Acknowledge".to_owned(), Style::Main),
        Choice::Verdict(Verdict::RollBack) => ("Roll back".to_owned(), Style::Danger),
        Choice::Verdict(verdict) => (words::verdict(verdict).to_owned(), Style::Quiet),
        Choice::Verified => ("Rolled back and verified".to_owned(), Style::Good),
        Choice::Failed => ("Rollback failed".to_owned(), Style::Danger),
        Choice::WriteUpdate => ("Write update".to_owned(), Style::Main),
        Choice::Submit => ("Submit for sign-off".to_owned(), Style::Main),
        Choice::FilePostmortem => ("File post-mortem".to_owned(), Style::Main),
        Choice::Pick => ("Pick".to_owned(), Style::Quiet),
        Choice::ApplyFixes => ("Apply safe fixes".to_owned(), Style::Main),
        Choice::DownloadFixed => ("Download fixed plan".to_owned(), Style::Quiet),
        Choice::EditAgain => ("Edit again".to_owned(), Style::Main),
        Choice::SendAgain => ("Send again".to_owned(), Style::Main),
        Choice::Undo => ("Undo".to_owned(), Style::Quiet),
        Choice::Agree => ("Agree".to_owned(), Style::Good),
        Choice::Decline => ("Decline".to_owned(), Style::Quiet),
        Choice::Snooze => ("Delay reminder by 4 hours".to_owned(), Style::Quiet),
        Choice::CallSent => ("It was posted".to_owned(), Style::Good),
    };
    Button { choice, label, style }
}
