//! The states of a message, and what can happen to it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::delivery::Trouble;

/// Where a message is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostState {
    /// Its next attempt is due at `at`.
    Waiting { at: Timestamp },
    /// An attempt that began at `began` holds it, until the lease ends.
    Sending { began: Timestamp, until: Timestamp },
    /// Nobody knows whether it is there: looked up at `look_up_at`.
    Unknown { look_up_at: Timestamp },
    /// In its target since `at`; `message` is its id there.
    Posted { message: String, at: Timestamp },
    /// Posted, then deleted by somebody: never posted again.
    Deleted,
    /// Only a person can tell whether it is there.
    Held,
    /// Never accepted as it is.
    Dead,
    /// Not posted while it was useful, or found by a person.
    Skipped,
    /// Withdrawn before it was posted.
    Superseded,
}

/// Attempts that may have had an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// When the first of them began; `None` if there was none in the present target.
    pub first: Option<Timestamp>,
    /// For [`super::times::FRESH`] after this instant another attempt does no harm: a look-up found nothing, or the nonce still
    /// counts.
    pub cleared: Option<Timestamp>,
}

/// What its owner must hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// It is in its target.
    Arrived,
    /// It is not, and why.
    Stuck(Trouble),
}

/// What an attempt led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Posted; `message` is its id there.
    Sent { message: String },
    /// Posted by an earlier attempt, and deleted since.
    Deleted,
    /// Not begun: the target has no room for this priority before `at`.
    NoRoom { at: Timestamp },
    /// Surely without effect; tried again after `wait`, or after a growing pause.
    Failed { wait: Option<SignedDuration>, why: String },
    /// With or without effect. `era`: since when the clock runs without a jump.
    Unknown { era: Timestamp, why: String },
    /// The target takes nothing; `gone`: nor is it there any more, with all that was in it.
    Closed { why: String, gone: bool },
    /// Refused as it was; it has simpler words now.
    Simplified { why: String },
    /// Never accepted as it is.
    Refused { why: String },
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is there, since `at`.
    There { message: String, at: Timestamp },
    /// The history was read, and it is not there.
    NotThere,
    /// The history cannot be trusted. `era`: since when the clock runs without a jump.
    Unreadable { era: Timestamp },
    /// The look-up failed, and is repeated after `wait`.
    Failed { wait: Option<SignedDuration> },
    /// The target cannot be read, so it takes nothing either.
    Closed { why: String, gone: bool },
}

/// What happens to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostEvent {
    /// Its time has come.
    Due,
    /// An attempt ended.
    Attempted { attempt: u32, outcome: Outcome },
    /// A look-up ended; `attempt` is the one it was made for.
    LookedUp { attempt: u32, found: Found },
    /// The attempt or the look-up crashed, and the process went on.
    Crashed,
    /// The process started, or its clock jumped.
    Started,
    /// Its target takes nothing at present.
    ShutOut { why: String },
    /// A decision withdraws it.
    Withdrawn,
    /// A person has it sent again; to another target if `moved`. `closed`: its present target takes nothing.
    SentAgain { moved: bool, closed: bool },
    /// A person found it in its channel.
    FoundByPerson,
    /// Another target stands for its readers now.
    Moved,
    /// Its latest rendering cannot be shown.
    EditFailed { why: String },
    /// Its latest rendering is shown.
    EditShown,
}

/// A message on its way. Everything the rules of delivery need, and nothing of its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    pub state: PostState,
    pub due: Timestamp,
    /// After this instant it is not worth sending.
    pub useful_until: Option<Timestamp>,
    /// Attempts so far; a late result names the attempt it belongs to.
    pub attempt: u32,
    /// Attempts that ended with the process.
    pub crashes: u32,
    pub doubt: Option<Doubt>,
    /// Not sent any more unless an attempt under way arrives.
    pub withdrawn: bool,
    /// People know that it did not arrive, and nothing changed since.
    pub told: bool,
    /// Its owner waits for news that it arrived.
    pub awaited: bool,
    /// Why it is where it is, in the log's words.
    pub why: Option<String>,
    /// What its owner has not heard yet.
    pub report: Option<Report>,
}
