//! Topic: a plan's way from import to approval, naming people, cancelling. What can be asked and what can have happened.

pub(in crate::domain) mod evolve;
pub(in crate::domain) mod rules;
pub(in crate::domain) mod view;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::changes::Change;
use super::ids::{Audience, ChannelId, ReleaseId, ReleaseNo, UserId, WorkspaceId};
use super::people::Post;
use super::plan::{Plan, PlannedTime, ReleaseType};
use super::policy::Policy;

/// A plan as read from a document, with what lint says against submitting it.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    pub plan: Plan,
    pub digest: String,
    pub findings: Vec<(String, String)>,
    /// Safe fixes lint offers.
    pub fixes: u32,
    /// Items of the revision before that are the same under new words: old id → new id.
    pub renamed: BTreeMap<String, String>,
    /// Gates and tasks that were done and that the human unticked in an exported document.
    pub undone: Vec<String>,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanCommand {
    /// The first revision; `no` was allotted by the workspace.
    Import {
        imported: Box<Imported>,
        no: ReleaseNo,
    },
    Revise {
        imported: Box<Imported>,
    },
    /// A draft a train makes, in the name of whoever set the train up.
    Depart {
        imported: Box<Imported>,
        no: ReleaseNo,
        train: String,
        author: UserId,
    },
    /// The workspace's rules changed.
    Repolicy {
        policy: Box<Policy>,
    },
    Submit,
    /// A new T-0 before go.
    Reschedule {
        t0: PlannedTime,
        reason: String,
    },
    Scrub {
        reason: String,
    },
    /// Ties a name of the plan to a member of the server.
    Name {
        post: Post,
        user: UserId,
    },
    /// To an amendment, by its number or the open one.
    Agree {
        n: Option<u32>,
    },
    Decline {
        n: Option<u32>,
        reason: String,
    },
    /// Somebody else takes a part over.
    HandOver {
        post: Post,
        to: UserId,
        reason: Option<String>,
    },
}

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanEvent {
    Imported {
        id: ReleaseId,
        no: ReleaseNo,
        #[serde(rename = "guild")]
        server: WorkspaceId,
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

/// Minutes after T-0 at which a missing go is asked for again; at the last one a new T-0 is demanded.
pub const T0_ASKED_AFTER_MIN: [u32; 4] = [0, 15, 60, 240];
/// The reminder at which go is no longer possible.
pub const LAST_ASKED: u8 = 3;

/// How long after its T-0 a plan may still be submitted: an emergency is written down while it runs.
pub fn grace(kind: Option<ReleaseType>) -> SignedDuration {
    match kind {
        Some(ReleaseType::Emergency) => SignedDuration::from_hours(24),
        _ => SignedDuration::from_mins(10),
    }
}

/// The rule of lint that says that the written T-0 is past.
pub(in crate::domain) const T0_PAST: &str = "TM075";

/// How long after T-0 go may still be given.
pub const GO_GRACE_MIN: u32 = 240;

/// Releases of a server that may be open at once, those past the all-clear aside; an emergency always may.
/// With twenty rungs each that is fewer than 5,000 notices.
pub const MAX_OPEN: usize = 200;

/// What is said to channels, without the words: each variant carries only what the release itself no longer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanNotice {
    DraftForgotten,
    /// Items that go waited for count as done because a new revision ticks them.
    Ticked {
        by: String,
        items: Vec<String>,
    },
    /// Somebody else has a part now.
    HandedOver {
        post: Post,
        from: Option<UserId>,
        to: UserId,
        by: String,
        reason: Option<String>,
    },
    /// The card is in another channel from here on: what is left of it in the old one.
    CardMoved {
        channel: ChannelId,
    },
    /// A train made this draft.
    Departed {
        train: String,
    },
    /// T-0 lies elsewhere.
    Moved {
        by: String,
        from: Option<Timestamp>,
        reason: Option<String>,
    },
    Scrubbed {
        by: String,
        reason: String,
        again: bool,
    },
}

/// The answers to its commands.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanReply {
    Imported {
        revision: u32,
        material: bool,
    },
    Submitted,
    HandedOver {
        post: Post,
    },
    /// Audiences told of the new time, and rungs whose time is past.
    Rescheduled {
        told: Vec<Audience>,
        skipped: Vec<String>,
    },
    Scrubbed,
    Named,
}

/// Why one of its commands was not carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanRefusal {
    /// The plan has another revision than the edit was made from.
    EditedMeanwhile { revision: u32 },
    /// So many of a server's releases are not over yet.
    TooManyOpen { most: usize },
    /// A draft has no schedule yet.
    NotScheduledYet,
    /// A time that must lie ahead does not.
    TimePast { at: Timestamp },
}

/// What happens by itself at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanMark {
    /// The author is reminded of a draft nobody submitted.
    Draft,
    /// T-0 came (or went) without go.
    T0,
}

impl PlanMark {
    /// Marks of this kind that are missed together are one: the newest.
    pub(super) fn reminds(&self) -> bool {
        match self {
            Self::T0 => true,
            Self::Draft => false,
        }
    }
}
