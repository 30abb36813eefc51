//! What a workspace says, and what it answers, without the words (`voice` has them). It must not decide when.

use jiff::{SignedDuration, Timestamp};

use super::stray::Strays;
use super::weekly::Standing;
use crate::domain::delivery::Trouble;
use crate::domain::freeze::{Freeze, Planned};
use crate::domain::ids::{Audience, ChannelId};
use crate::domain::policy::{Policy, Route, SignoffRule};
use crate::domain::rights::Action;

/// What a workspace says, without the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkspaceNotice {
    FreezeAhead {
        freeze: Freeze,
        start: Timestamp,
        until: Option<Timestamp>,
        inside: Vec<Planned>,
    },
    TrainSkipped {
        name: String,
        t0: Timestamp,
        zone: String,
        by: String,
        reason: String,
        next: Option<Timestamp>,
    },
    /// A skip is taken back.
    TrainRuns {
        name: String,
        t0: Timestamp,
        zone: String,
        by: String,
    },
    /// The service was away until after T-0.
    TrainMissed {
        name: String,
        t0: Timestamp,
        zone: String,
    },
    /// The template could not be made into a draft.
    TrainFailed {
        name: String,
        t0: Timestamp,
        zone: String,
        why: String,
    },
    /// The machine's clock is far off, and the platform's counts.
    ClockWrong {
        ahead: SignedDuration,
    },
    ClockRight,
    /// Alerts that concern no release.
    Strays {
        strays: Strays,
    },
    /// A test message after a setup.
    SetUp {
        by: String,
        ops: bool,
    },
    /// Other settings hold from here on.
    Changed {
        by: String,
        before: Box<Policy>,
        after: Box<Policy>,
    },
    /// Somebody past the roles.
    Bypassed {
        action: Action,
        by: String,
    },
    Digest {
        open: Vec<Standing>,
        /// How many more are open.
        more: usize,
    },
    /// A message of the workspace's own that could not be posted.
    Undelivered {
        said: String,
        why: String,
        channel: ChannelId,
        trouble: Trouble,
    },
}

/// The answer to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkspaceReply {
    FreezeAdded { freeze: Freeze, holds: Option<Timestamp>, next: Vec<Timestamp> },
    FreezeRemoved { name: String },
    RuleAdded { rule: SignoffRule },
    RuleRemoved { name: String },
    TrainAdded { name: String, days_ahead: u32, next: Vec<Timestamp>, unknown: Vec<String> },
    TrainRemoved { name: String },
    TrainSkipped { name: String, t0: Timestamp, next: Option<Timestamp> },
    TrainRuns { name: String, t0: Timestamp },
    AudienceSet { audience: Audience, route: Route },
    AudienceRemoved { audience: Audience },
    SentAgain,
    Silent,
}
