//! The answer to whoever sent a command: to them alone, at once.

use jiff::Timestamp;

use super::decision::Verdict;
use super::ids::{Audience, ChannelId};
use super::people::Post;
use super::plan::SignoffRole;
use crate::domain::alert::AlertReply;
use crate::domain::amend::AmendReply;
use crate::domain::closing::ClosingReply;
use crate::domain::concern::ConcernReply;
use crate::domain::decision::PointReply;
use crate::domain::delivery::DeliveryReply;
use crate::domain::freeze::FreezeReply;
use crate::domain::ladder::LadderReply;
use crate::domain::lifecycle::PlanReply;
use crate::domain::rollback::RollbackReply;
use crate::domain::signoff::SignoffReply;
use crate::domain::stage::StageReply;
use crate::domain::updates::UpdateReply;

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
