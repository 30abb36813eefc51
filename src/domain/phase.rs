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
