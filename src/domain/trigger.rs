//! What a trigger line watches, as plain data. It must not know how it is watched (`alert` does) nor how it was written.

use serde::{Deserialize, Serialize};

use super::plan::quantity::Bound;

/// What a machine can watch. Windows are seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", from = "StoredRule")]
pub enum TriggerRule {
    /// "error rate exceeds 2% for 5 minutes"; `within_s` counts from T-0: "in the first 4 hours"
    Exceeds { metric: String, bound: Bound, for_s: u32, within_s: Option<u32> },
    /// "health check fails for 3 consecutive checks"
    Fails { check: String, times: u32 },
    /// "health check fails for 2 minutes"
    Down { check: String, for_s: u32 },
    /// "conversion drops by more than 10% within first hour", against the baseline
    Moves { metric: String, down: bool, percent: f64, for_s: u32, within_s: Option<u32> },
    /// "no heartbeats for 10 minutes": data that stays away
    Silent { metric: String, for_s: u32 },
    /// Conditions that must hold together.
    All(Vec<Self>),
}

/// A rule as any version stored it: windows were minutes once.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredRule {
    Exceeds {
        metric: String,
        bound: Bound,
        for_s: Option<u32>,
        for_min: Option<u32>,
        within_s: Option<u32>,
    },
    Fails {
        check: String,
        times: u32,
    },
    Down {
        check: String,
        for_s: u32,
    },
    Moves {
        metric: String,
        down: bool,
        percent: f64,
        #[serde(default)]
        for_s: u32,
        within_s: Option<u32>,
        within_min: Option<u32>,
    },
    Silent {
        metric: String,
        for_s: u32,
    },
    All(Vec<TriggerRule>),
}

impl From<StoredRule> for TriggerRule {
    fn from(stored: StoredRule) -> Self {
        let seconds = |minutes: u32| minutes.saturating_mul(60);
        match stored {
            StoredRule::Exceeds { metric, bound, for_s, for_min, within_s } => {
                Self::Exceeds { metric, bound, for_s: for_s.or(for_min.map(seconds)).unwrap_or(0), within_s }
            }
            StoredRule::Fails { check, times } => Self::Fails { check, times },
            StoredRule::Down { check, for_s } => Self::Down { check, for_s },
            StoredRule::Moves { metric, down, percent, for_s, within_s, within_min } => {
                Self::Moves { metric, down, percent, for_s, within_s: within_s.or(within_min.map(seconds)) }
            }
            StoredRule::Silent { metric, for_s } => Self::Silent { metric, for_s },
            StoredRule::All(parts) => Self::All(parts),
        }
    }
}

impl TriggerRule {
    /// The metric or check the rule speaks of; of several, the first.
    pub fn subject(&self) -> &str {
        match self {
            Self::Exceeds { metric, .. } | Self::Moves { metric, .. } | Self::Silent { metric, .. } => metric,
            Self::Fails { check, .. } | Self::Down { check, .. } => check,
            Self::All(parts) => parts.first().map_or("", Self::subject),
        }
    }

    /// The rule's conditions: itself, or its parts.
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::All(parts) => parts,
            single => std::slice::from_ref(single),
        }
    }

    /// How long the condition must hold before the trigger fires, in seconds.
    pub fn wait_s(&self) -> u32 {
        match self {
            Self::Exceeds { for_s, .. }
            | Self::Moves { for_s, .. }
            | Self::Down { for_s, .. }
            | Self::Silent { for_s, .. } => *for_s,
            Self::Fails { .. } => 0,
            Self::All(parts) => parts.iter().map(Self::wait_s).max().unwrap_or(0),
        }
    }
}
