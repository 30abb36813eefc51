//! Everything that can have happened: the journal's language. Stored as JSON with a version; a golden file holds one of
//! each, so that a change of shape is seen before it meets an old journal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::changes::Change;
use super::command::{Post, Verdict};
use super::delivery::Stuck;
use super::evidence::Observation;
use super::ids::{GuildId, Place, ReleaseId, ReleaseNo, UserId};
use super::key::PostKey;
use super::lateness::{Away, Late};
use super::may::Action;
use super::notice::RungMissed;
use super::people::By;
use super::plan::{Plan, PlannedTime, SignoffRole};
use super::policy::Policy;
use super::release::{Behalf, RungSaid};
use super::rights::Denied;
use super::rollback::Cause;

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

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanEvent {
    Imported {
        id: ReleaseId,
        no: ReleaseNo,
        guild: GuildId,
        author: UserId,
        plan: Box<Plan>,
        digest: String,
        findings: Vec<(String, String)>,
        #[serde(default)]
        fixes: u32,
        policy: Box<Policy>,
        /// The train that made it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        train: Option<String>,
    },
    Revised {
        plan: Box<Plan>,
        digest: String,
        findings: Vec<(String, String)>,
        #[serde(default)]
        fixes: u32,
        /// What differs from the revision before.
        #[serde(default)]
        changes: Vec<Change>,
        material: bool,
        moved: bool,
        /// Items that go on under new words: old id → new id.
        #[serde(default)]
        renamed: BTreeMap<String, String>,
        /// Items a human unticked.
        #[serde(default)]
        undone: Vec<String>,
    },
    Rescheduled {
        t0: PlannedTime,
        reason: String,
        digest: String,
        changes: Vec<Change>,
    },
    Submitted {
        policy: Box<Policy>,
    },
    PolicyChanged {
        policy: Box<Policy>,
    },
    Approved,
    Scrubbed {
        reason: String,
    },
    Named {
        post: Post,
        user: UserId,
    },
    HandedOver {
        post: Post,
        from: Option<UserId>,
        to: UserId,
        reason: Option<String>,
    },
    DraftReminded,
    T0Asked,
    /// A changed plan for the release that runs; nothing of it holds yet.
    AmendmentProposed {
        n: u32,
        plan: Box<Plan>,
        changes: Vec<Change>,
    },
    AmendmentAgreed {
        n: u32,
    },
    AmendmentDeclined {
        n: u32,
        reason: String,
    },
    /// Owner and on-call have agreed: it holds.
    Amended {
        n: u32,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignoffEvent {
    Given {
        role: SignoffRole,
        user: UserId,
        name: String,
        digest: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        behalf: Option<Behalf>,
    },
    Refused {
        role: SignoffRole,
        reason: String,
    },
    Withdrawn {
        role: SignoffRole,
    },
    Reminded,
    /// It was given too long ago.
    Expired {
        role: SignoffRole,
        user: UserId,
        name: String,
    },
    /// The next reminder waits.
    Snoozed {
        until: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeEvent {
    Said {
        rung: String,
        how: RungSaid,
        missed: Option<RungMissed>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quiet_until: Option<Timestamp>,
        /// The time away that made it late.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        away: Option<Away>,
    },
    Delivered {
        rung: String,
        at: Timestamp,
        /// It was said in time, and reached its channel so many minutes after it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        late_min: Option<u32>,
        /// The channel took no message meanwhile.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        shut: bool,
    },
    Received {
        rung: String,
        user: UserId,
        name: String,
    },
    TakenBack {
        rung: String,
    },
    Corrected {
        rung: String,
        text: String,
        retracted: bool,
    },
    /// The audience was called now that its quiet hours are over.
    QuietOver {
        rung: String,
    },
    /// A status page shows the release.
    PageShown {
        page: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryEvent {
    Stuck {
        key: PostKey,
        stuck: Stuck,
    },
    Freed {
        key: PostKey,
    },
    SentAgain {
        key: PostKey,
        by: String,
        /// Another channel than before stands for its readers now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Place>,
    },
    CalledSent {
        key: PostKey,
    },
    /// It was not sent, and what it would say is overtaken.
    Dropped {
        key: PostKey,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageEvent {
    Went {
        break_glass: Option<String>,
    },
    SoakEnded,
    Advanced {
        reason: Option<String>,
    },
    Extended {
        minutes: u32,
        reason: String,
    },
    Finished {
        reason: Option<String>,
    },
    Held {
        reason: String,
        /// The message that shows it, where that is a question's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<String>,
    },
    Resumed,
    /// A hold's audiences were told that it takes longer.
    HoldTold,
    /// The latest step was taken back.
    Undone,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateEvent {
    Written {
        text: Option<String>,
        /// What it showed beside the words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        state: String,
    },
    /// As earlier builds wrote it.
    Posted,
    /// The bot's own update, where nobody owes words.
    Shown {
        #[serde(default, skip_serializing_if = "String::is_empty")]
        state: String,
    },
    /// The last update was looked at, and holds.
    Unchanged,
    Missed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointEvent {
    Opened { after_min: u32 },
    Reminded { after_min: u32 },
    Decided { after_min: u32, verdict: Verdict, reason: Option<String> },
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertEvent {
    Fired {
        key: String,
        name: String,
        summary: String,
        severity: Option<String>,
        metric: Option<String>,
        value: Option<f64>,
        /// The value as written, where it could not be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unread: Option<String>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        no_data: bool,
        starts_at: Timestamp,
        pre_existing: bool,
        /// It has a message of its own.
        #[serde(default = "yes")]
        posted: bool,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pinged: bool,
    },
    Repeated {
        key: String,
        value: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unread: Option<String>,
    },
    /// It ended, and its source says that it fires: quietly at first.
    Reopened {
        key: String,
    },
    /// That is believed, and pings.
    Returned {
        key: String,
    },
    /// A newer release of the service has it.
    Elsewhere {
        id: String,
        name: String,
        no: ReleaseNo,
    },
    ElsewhereOver {
        id: String,
    },
    /// One more without a message of its own.
    Crowded {
        id: String,
        name: String,
        severity: Option<String>,
        metric: Option<String>,
        value: Option<f64>,
        starts_at: Timestamp,
        pinged: bool,
        /// The plan's metric or check that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
    },
    /// One of them ended, and fires again.
    CrowdRepeated {
        id: String,
        name: String,
        severity: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
    },
    CrowdEnded {
        id: String,
        starts_at: Timestamp,
    },
    CrowdAcknowledged,
    /// Nobody had acknowledged what waits.
    Reminded,
    /// Nothing waits for an acknowledgement any more.
    AllHeard,
    /// One more alert before go than are kept with all their words.
    AheadCounted {
        id: String,
        name: String,
        severity: Option<String>,
    },
    AheadEnded {
        id: String,
    },
    AheadAcknowledged,
    Resolved {
        key: String,
    },
    Acknowledged {
        key: String,
    },
    Observed {
        metric: String,
        observation: Observation,
    },
    TriggerPending {
        trigger: usize,
        since: Timestamp,
        value: Option<f64>,
    },
    TriggerCleared {
        trigger: usize,
    },
    TriggerSettled {
        trigger: usize,
    },
    TriggerFired {
        trigger: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        late: Option<Late>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollbackEvent {
    Proposed {
        cause: Cause,
    },
    CauseAdded {
        cause: Cause,
    },
    Reminded,
    Declined {
        verdict: Verdict,
        reason: String,
    },
    Started {
        reason: String,
    },
    Failed {
        reason: String,
    },
    Verified {
        note: Option<String>,
        /// An alert fired, or a metric had no fresh good value.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unverified: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosingEvent {
    AllClear,
    Scheduled {
        at: Timestamp,
    },
    /// The owner was asked for the all-clear.
    ClearAsked,
    /// An action's time is over; whether it is done is a person's to say.
    ActionOver {
        item: String,
    },
    Filed {
        link: String,
    },
    Waived {
        reason: String,
    },
    PostmortemReminded,
    ItemDone {
        item: String,
        note: Option<String>,
    },
    ItemWaived {
        item: String,
        reason: String,
    },
    ActionsReminded,
    /// Watched again after the all-clear.
    Rewatched,
    Closed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreezeEvent {
    Excepted { freeze: String, until: Timestamp, reason: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConcernEvent {
    Raised {
        n: u32,
        text: String,
        /// The number of the concern whose message shows it; 0 for its own.
        #[serde(default, skip_serializing_if = "super::alert::is_zero")]
        shown: u32,
    },
    Resolved {
        n: u32,
        how: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RightsEvent {
    /// What follows was done by somebody who may manage the server, past the roles.
    Bypassed { action: Action },
    /// Somebody was refused something that matters.
    Refused { action: Action, why: Denied },
}

macro_rules! into_event {
    ($($variant:ident: $type:ty),+ $(,)?) => {
        $(impl From<$type> for Event { fn from(event: $type) -> Self { Self::$variant(event) } })+
    };
}
into_event!(
    Plan: PlanEvent, Signoff: SignoffEvent, Notice: NoticeEvent, Delivery: DeliveryEvent, Stage: StageEvent, Update: UpdateEvent,
    Point: PointEvent, Alert: AlertEvent, Rollback: RollbackEvent, Closing: ClosingEvent, Freeze: FreezeEvent, Concern: ConcernEvent, Rights: RightsEvent,
);
