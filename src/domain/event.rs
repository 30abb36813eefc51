//! Everything that can have happened: the journal's language. Stored as JSON with a version; a golden file holds one of
//! each, so that a change of shape is seen before it meets an old journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alert::event::AlertEvent;
use super::closing::ClosingEvent;
use super::concern::ConcernEvent;
use super::decision::PointEvent;
use super::delivery::DeliveryEvent;
use super::freeze::FreezeEvent;
use super::ladder::NoticeEvent;
use super::lifecycle::PlanEvent;
use super::people::By;
use super::rights::RightsEvent;
use super::rollback::RollbackEvent;
use super::signoff::SignoffEvent;
use super::stage::StageEvent;
use super::updates::UpdateEvent;

/// The version written today. Readers accept every version that was ever released.
pub const EVENT_VERSION: u32 = 1;

/// An event with its instant and its author.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The event's version.
    pub v: u32,
    pub at: Timestamp,
    pub by: By,
    pub event: Event,
}

/// What happened, by topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "topic", content = "what", rename_all = "snake_case")]
pub enum Event {
    Plan(PlanEvent),
    Signoff(SignoffEvent),
    Notice(NoticeEvent),
    Delivery(DeliveryEvent),
    Stage(StageEvent),
    Update(UpdateEvent),
    Point(PointEvent),
    Alert(AlertEvent),
    Rollback(RollbackEvent),
    Closing(ClosingEvent),
    Freeze(FreezeEvent),
    Concern(ConcernEvent),
    Rights(RightsEvent),
}

of_topics!(Event {
    Plan: PlanEvent,
    Signoff: SignoffEvent,
    Notice: NoticeEvent,
    Delivery: DeliveryEvent,
    Stage: StageEvent,
    Update: UpdateEvent,
    Point: PointEvent,
    Alert: AlertEvent,
    Rollback: RollbackEvent,
    Closing: ClosingEvent,
    Freeze: FreezeEvent,
    Concern: ConcernEvent,
    Rights: RightsEvent,
});
