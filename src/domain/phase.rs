//! The phases of a release by name, without their data: for words and refusals.

use serde::{Deserialize, Serialize};

/// A phase without its data, for words and refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseName {
    Draft,
    Gathering,
    Approved,
    Held,
    Live,
    Watching,
    RollingBack,
    RolledBack,
    AllClear,
    Closed,
    Scrubbed,
}

impl PhaseName {
    /// Whether alerts may concern a release in it: from its submission until it is over.
    pub fn takes_alerts(self) -> bool {
        !matches!(self, Self::Draft | Self::Closed | Self::Scrubbed)
    }

    /// Whether a release in it is over.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Scrubbed)
    }
}

/// Where a hold before T-0, or a go that is taken back, returns to. Stored as whether it was approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum Before {
    Gathering,
    Approved,
}

impl From<bool> for Before {
    fn from(approved: bool) -> Self {
        if approved { Self::Approved } else { Self::Gathering }
    }
}

impl From<Before> for bool {
    fn from(before: Before) -> Self {
        before == Before::Approved
    }
}

/// Where a hold after T-0 returns to. Stored as whether it was watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum During {
    Live,
    Watching,
}

impl From<bool> for During {
    fn from(watching: bool) -> Self {
        if watching { Self::Watching } else { Self::Live }
    }
}

impl From<During> for bool {
    fn from(during: During) -> Self {
        during == During::Watching
    }
}
