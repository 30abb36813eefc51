//! What is said to a channel, without the words: each variant carries only what the release itself no longer shows.

use super::alert::AlertNotice;
use super::amend::AmendNotice;
use super::closing::ClosingNotice;
use super::concern::ConcernNotice;
use super::decision::PointNotice;
use super::delivery::DeliveryNotice;
use super::freeze::FreezeNotice;
use super::ladder::LadderNotice;
use super::lifecycle::PlanNotice;
use super::rights::RightsNotice;
use super::rollback::RollbackNotice;
use super::signoff::SignoffNotice;
use super::stage::StageNotice;
use super::updates::UpdateNotice;

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
