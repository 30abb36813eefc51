//! What is said to a channel, without the words: each variant carries only what the release itself no longer shows.

use jiff::Timestamp;

use super::amend::AmendmentEnd;
use super::changes::Change;
use super::decision::Verdict;
use super::delivery::{Settled, Stuck};
use super::freeze::Planned;
use super::ids::{Audience, ChannelId, UserId};
use super::key::PostKey;
use super::ladder::Outcome;
use super::lateness::Late;
use super::people::Post;
use super::plan::{ContingencyWhen, SignoffRole};
use super::rights::Action;
use super::signoff::Behalf;
use super::stage::{Done, GoAnswer, Undone};
use crate::domain::alert::AlertNotice;
use crate::domain::amend::AmendNotice;
use crate::domain::closing::ClosingNotice;
use crate::domain::concern::ConcernNotice;
use crate::domain::decision::PointNotice;
use crate::domain::delivery::DeliveryNotice;
use crate::domain::freeze::FreezeNotice;
use crate::domain::ladder::LadderNotice;
use crate::domain::lifecycle::PlanNotice;
use crate::domain::open::Open;
use crate::domain::rights::RightsNotice;
use crate::domain::rollback::RollbackNotice;
use crate::domain::signoff::SignoffNotice;
use crate::domain::stage::StageNotice;
use crate::domain::updates::UpdateNotice;

/// One thing to be said to a channel; `voice` gives it words, reading the release beside it.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    Plan(PlanNotice),
    Signoff(SignoffNotice),
    Rights(RightsNotice),
    Amend(AmendNotice),
    Concern(ConcernNotice),
    Ladder(LadderNotice),
    Delivery(DeliveryNotice),
    Freeze(FreezeNotice),
    Stage(StageNotice),
    Update(UpdateNotice),
    Point(PointNotice),
    Alert(AlertNotice),
    Rollback(RollbackNotice),
    Closing(ClosingNotice),
}

of_topics!(Notice {
    Plan: PlanNotice,
    Signoff: SignoffNotice,
    Rights: RightsNotice,
    Amend: AmendNotice,
    Concern: ConcernNotice,
    Ladder: LadderNotice,
    Delivery: DeliveryNotice,
    Freeze: FreezeNotice,
    Stage: StageNotice,
    Update: UpdateNotice,
    Point: PointNotice,
    Alert: AlertNotice,
    Rollback: RollbackNotice,
    Closing: ClosingNotice,
});
