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
