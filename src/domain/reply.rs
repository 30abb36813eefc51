//! The answer to whoever sent a command: to them alone, at once.

use super::alert::AlertReply;
use super::amend::AmendReply;
use super::closing::ClosingReply;
use super::concern::ConcernReply;
use super::decision::PointReply;
use super::delivery::DeliveryReply;
use super::freeze::FreezeReply;
use super::ladder::LadderReply;
use super::lifecycle::PlanReply;
use super::rollback::RollbackReply;
use super::signoff::SignoffReply;
use super::stage::StageReply;
use super::updates::UpdateReply;

/// The answer to whoever sent the command; goes out at once, to them alone.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Plan(PlanReply),
    Signoff(SignoffReply),
    Amend(AmendReply),
    Concern(ConcernReply),
    Ladder(LadderReply),
    Delivery(DeliveryReply),
    Freeze(FreezeReply),
    Stage(StageReply),
    Update(UpdateReply),
    Point(PointReply),
    Alert(AlertReply),
    Rollback(RollbackReply),
    Closing(ClosingReply),
    /// Nothing to say: the clock, the courier and sources do not listen.
    Silent,
}

of_topics!(Reply {
    Plan: PlanReply,
    Signoff: SignoffReply,
    Amend: AmendReply,
    Concern: ConcernReply,
    Ladder: LadderReply,
    Delivery: DeliveryReply,
    Freeze: FreezeReply,
    Stage: StageReply,
    Update: UpdateReply,
    Point: PointReply,
    Alert: AlertReply,
    Rollback: RollbackReply,
    Closing: ClosingReply,
});
