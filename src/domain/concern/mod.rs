//! Topic: concerns. A named objection to a planned release, raised by somebody and resolved by name; while one is open, go is
//! refused. A concern outlives revisions: only a person ends it.

pub(in crate::domain) mod rules;
pub mod view;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::UserId;

/// A named objection, raised and resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConcernCommand {
    Raise {
        text: String,
    },
    /// The concern by its number, or the only open one.
    Resolve {
        concern: Option<String>,
        how: String,
    },
}

/// The most concerns a release may have open, and one person of them.
pub const MAX_OPEN: usize = 10;
pub const MAX_OWN: usize = 3;

/// One objection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    /// Counts from 1.
    pub n: u32,
    pub by: UserId,
    pub name: String,
    pub at: Timestamp,
    pub text: String,
    pub resolved: Option<Resolved>,
    /// The number of the concern whose message shows it: an earlier one of somebody who raises many; 0 for its own.
    #[serde(default)]
    pub shown: u32,
}

impl Concern {
    /// The number its message is known by.
    fn message(&self) -> u32 {
        if self.shown == 0 { self.n } else { self.shown }
    }
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    pub by: String,
    pub at: Timestamp,
    pub how: String,
}

/// What can have happened.
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

/// What is said to channels, without the words: each variant carries only what the release itself no longer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum ConcernNotice {
    /// An objection, as it stands.
    State {
        n: u32,
    },
    Resolved {
        n: u32,
    },
}

/// The answers to its commands.
#[derive(Debug, Clone, PartialEq)]
pub enum ConcernReply {
    Raised { n: u32 },
    Resolved { n: u32 },
}
