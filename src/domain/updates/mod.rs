//! Topic: the promised updates. T-Minus posts one at every interval; until the last stage is done an interval without words
//! from a person counts as missed, says so, and climbs owner → on-call → escalation path until somebody writes. In the
//! watch window the cadence is slower and the bot's own update keeps the promise.

pub(in crate::domain) mod rules;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::minutes;

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateEvent {
    Written {
        text: Option<String>,
        /// What it showed beside the words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        state: String,
    },
    /// As earlier builds wrote it.
    Posted,
    /// The bot's own update, where nobody owes words.
    Shown {
        #[serde(default, skip_serializing_if = "String::is_empty")]
        state: String,
    },
    /// The last update was looked at, and holds.
    Unchanged,
    Missed,
}

/// After the last stage the interval grows by this factor.
const WATCHING_FACTOR: u32 = 4;

/// When the next update is promised, and how often it was missed in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateClock {
    pub every_min: u32,
    pub next_due: Timestamp,
    pub missed_in_row: u8,
    pub posted: u32,
    pub missed: u32,
    /// The newest update, which is edited while nothing changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastUpdate>,
}

/// An update as it was posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUpdate {
    pub key: String,
    pub at: Timestamp,
    pub text: Option<String>,
    pub by: Option<String>,
    /// What it showed.
    pub state: String,
}

impl UpdateClock {
    /// The clock at go.
    pub fn start(every_min: u32, at: Timestamp) -> Self {
        Self { every_min, next_due: at + minutes(every_min), missed_in_row: 0, posted: 0, missed: 0, last: None }
    }

    /// The promise counts from now on.
    pub fn restart(&mut self, at: Timestamp) {
        (self.missed_in_row, self.next_due) = (0, at + minutes(self.every_min));
    }

    /// The slower cadence of the watch window.
    pub fn slow_down(&mut self, at: Timestamp) {
        self.every_min = self.every_min.saturating_mul(WATCHING_FACTOR).min(240);
        self.missed_in_row = 0;
        self.next_due = at + minutes(self.every_min);
    }
}

/// An update, without the words: only what the release itself no longer shows.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateNotice {
    pub text: Option<String>,
    pub by: Option<String>,
    /// When it was looked at last, and nothing had changed.
    pub unchanged: Option<Timestamp>,
    /// Updates that were due while the service was away, this one among them.
    pub merged: u32,
}

/// The answers to its commands.
#[derive(Debug, Clone, PartialEq)]
pub enum UpdateReply {
    Posted,
}

/// What happens by itself at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateMark {
    Due,
}
