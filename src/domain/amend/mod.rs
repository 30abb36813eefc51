//! Topic: a changed plan for a release that runs. Owner and on-call agree to it, and it holds from then on.

pub(in crate::domain) mod rules;
pub mod view;

use serde::{Deserialize, Serialize};

use super::changes::Change;
use super::ids::UserId;
use super::plan::Plan;

/// A changed plan that waits for owner and on-call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Amendment {
    /// Counts from 1 within the release.
    pub n: u32,
    pub by: UserId,
    pub plan: Plan,
    pub changes: Vec<Change>,
    pub agreed: Vec<UserId>,
}

/// How an amendment ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AmendmentEnd {
    Agreed,
    Declined {
        by: String,
        reason: String,
    },
    /// A later one takes its place.
    Overtaken,
    /// The release is over before it was agreed.
    Lapsed,
}

/// What is said to channels, without the words: each variant carries only what the release itself no longer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum AmendNotice {
    /// A changed plan for the release that runs, as it stands.
    Ask {
        n: u32,
        by: UserId,
        changes: Vec<Change>,
        ended: Option<AmendmentEnd>,
    },
    Amended {
        changes: Vec<Change>,
        by: Vec<UserId>,
    },
}

/// The answers to its commands.
#[derive(Debug, Clone, PartialEq)]
pub enum AmendReply {
    Proposed { n: u32 },
    Agreed { n: u32 },
    Declined { n: u32 },
    Amended { n: u32 },
}

/// Why one of its commands was not carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum AmendRefusal {
    /// What a running release cannot change any more, by the names of its fields.
    NotAmendable { what: Vec<String> },
}
