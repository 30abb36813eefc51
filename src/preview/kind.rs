//! What kind of message a notice is, in the words of the preview.

use crate::domain::alert::AlertNotice;
use crate::domain::amend::AmendNotice;
use crate::domain::closing::ClosingNotice;
use crate::domain::concern::ConcernNotice;
use crate::domain::decision::PointNotice;
use crate::domain::delivery::DeliveryNotice;
use crate::domain::freeze::FreezeNotice;
use crate::domain::ladder::LadderNotice;
use crate::domain::lifecycle::PlanNotice;
use crate::domain::notice::Notice;
use crate::domain::rights::RightsNotice;
use crate::domain::rollback::RollbackNotice;
use crate::domain::signoff::SignoffNotice;
use crate::domain::stage::StageNotice;
use crate::domain::updates::UpdateNotice;

/// What sort of message it is.
pub(super) fn kind(notice: &Notice) -> &'static str {
    match notice {
        Notice::Ladder(LadderNotice::Rung { .. }) => "notice",
        Notice::Plan(PlanNotice::DraftForgotten) => "reminder",
        Notice::Signoff(SignoffNotice::Ask { .. })
        | Notice::Signoff(SignoffNotice::Over)
        | Notice::Signoff(SignoffNotice::Reminder { .. })
        | Notice::Signoff(SignoffNotice::BreakGlassFollowUp { .. }) => "sign-off request",
        Notice::Signoff(SignoffNotice::Signed { .. })
        | Notice::Signoff(SignoffNotice::Refused { .. })
        | Notice::Signoff(SignoffNotice::Withdrawn { .. })
        | Notice::Plan(PlanNotice::Ticked { .. })
        | Notice::Signoff(SignoffNotice::Expired { .. })
        | Notice::Signoff(SignoffNotice::Approved) => "sign-off",
        Notice::Plan(PlanNotice::HandedOver { .. }) | Notice::Rights(RightsNotice::Bypassed { .. }) => "people",
        Notice::Amend(AmendNotice::Ask { .. }) | Notice::Amend(AmendNotice::Amended { .. }) => "amendment",
        Notice::Concern(ConcernNotice::State { .. }) | Notice::Concern(ConcernNotice::Resolved { .. }) => "concern",
        Notice::Delivery(DeliveryNotice::Stuck { .. })
        | Notice::Delivery(DeliveryNotice::OpsGone { .. })
        | Notice::Plan(PlanNotice::CardMoved { .. }) => "delivery",
        Notice::Ladder(LadderNotice::Outcome { .. }) => "outcome",
        Notice::Stage(StageNotice::GoNoGo { .. }) | Notice::Stage(StageNotice::GoAnswered { .. }) => "go / no-go",
        Notice::Freeze(FreezeNotice::Overlap { .. })
        | Notice::Ladder(LadderNotice::Corrected { .. })
        | Notice::Ladder(LadderNotice::QuietOver { .. })
        | Notice::Stage(StageNotice::Undone { .. })
        | Notice::Ladder(LadderNotice::Page)
        | Notice::Freeze(FreezeNotice::Excepted { .. })
        | Notice::Plan(PlanNotice::Departed { .. })
        | Notice::Plan(PlanNotice::Moved { .. })
        | Notice::Ladder(LadderNotice::Overtaken { .. })
        | Notice::Plan(PlanNotice::Scrubbed { .. }) => "schedule",
        Notice::Stage(StageNotice::Went { .. }) => "go",
        Notice::Stage(StageNotice::Started { .. })
        | Notice::Stage(StageNotice::Owed { .. })
        | Notice::Stage(StageNotice::Extended { .. })
        | Notice::Stage(StageNotice::AllDone) => "stage",
        Notice::Stage(StageNotice::Held { .. })
        | Notice::Stage(StageNotice::HoldOver { .. })
        | Notice::Stage(StageNotice::Resumed { .. }) => "hold",
        Notice::Update(UpdateNotice { .. }) => "update",
        Notice::Point(PointNotice::Asked { .. }) | Notice::Point(PointNotice::Decided { .. }) => "decision point",
        Notice::Alert(AlertNotice::Alert { .. })
        | Notice::Alert(AlertNotice::Returned { .. })
        | Notice::Alert(AlertNotice::Unheard { .. })
        | Notice::Alert(AlertNotice::Crowd { .. }) => "alert",
        Notice::Rollback(RollbackNotice::Case { .. })
        | Notice::Rollback(RollbackNotice::CaseReminder { .. })
        | Notice::Rollback(RollbackNotice::Done { .. })
        | Notice::Rollback(RollbackNotice::Started { .. })
        | Notice::Rollback(RollbackNotice::Reminder { .. })
        | Notice::Rollback(RollbackNotice::RolledBack { .. })
        | Notice::Rollback(RollbackNotice::Failed { .. }) => "rollback",
        Notice::Rollback(RollbackNotice::Contingency { .. }) => "contingency",
        Notice::Closing(ClosingNotice::AllClear { .. })
        | Notice::Closing(ClosingNotice::ClearAsk { .. })
        | Notice::Closing(ClosingNotice::ClearGiven { .. })
        | Notice::Closing(ClosingNotice::Rewatched { .. }) => "all-clear",
        Notice::Closing(ClosingNotice::PostmortemDue { .. })
        | Notice::Closing(ClosingNotice::PostmortemScheduled { .. })
        | Notice::Closing(ClosingNotice::PostmortemFiled { .. })
        | Notice::Closing(ClosingNotice::PostmortemWaived { .. }) => "post-mortem",
        Notice::Closing(ClosingNotice::ActionsOpen { .. }) => "post-release actions",
        Notice::Closing(ClosingNotice::Closed) => "closed",
    }
}
