//! Topic: decision points (T+15m, T+1h, T+4h, T+24h). A point nobody answers stays open, reminds and climbs; it never
//! continues by itself.

pub(in crate::domain) mod rules;
pub mod view;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::lateness::Late;
use super::minutes;
use super::people::By;

/// An answer at a decision point or a rollback prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Continue,
    Hold,
    RollBack,
}

/// Minutes after its opening at which an unanswered point reminds.
pub const REMIND_AFTER_MIN: [u32; 4] = [15, 30, 60, 120];

/// A decision point of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub after_min: u32,
    pub due: Timestamp,
    pub state: PointState,
}

/// Whether it was asked and answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PointState {
    Waiting,
    Open { since: Timestamp, reminders: u8 },
    Decided { at: Timestamp, by: By, verdict: Verdict, reason: Option<String> },
}

impl Point {
    /// A point ahead.
    pub fn waiting(after_min: u32, go_at: Timestamp) -> Self {
        Self { after_min, due: go_at + minutes(after_min), state: PointState::Waiting }
    }
    /// Moves a point that was not asked yet.
    pub fn shift(&mut self, by: SignedDuration) {
        if self.state == PointState::Waiting {
            self.due += by;
        }
    }
}

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointEvent {
    Opened { after_min: u32 },
    Reminded { after_min: u32 },
    Decided { after_min: u32, verdict: Verdict, reason: Option<String> },
}

/// What is said to channels, without the words: each variant carries only what the release itself no longer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum PointNotice {
    Asked { after_min: u32, text: String, reminder: u8, late: Option<Late> },
    Decided { after_min: u32, verdict: Verdict, by: String, reason: Option<String> },
}

/// The answers to its commands.
#[derive(Debug, Clone, PartialEq)]
pub enum PointReply {
    Decided { verdict: Verdict },
}

/// What happens by itself at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointMark {
    Due { after_min: u32 },
    Reminder { after_min: u32 },
}

impl PointMark {
    /// Marks of this kind that are missed together are one: the newest.
    pub(super) fn reminds(&self) -> bool {
        match self {
            Self::Reminder { .. } => true,
            Self::Due { .. } => false,
        }
    }
}
