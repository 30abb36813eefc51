//! Topic: rollback. A prompt opens with a cause, a person decides, and its end is verified or said not to be.

pub(in crate::domain) mod rules;
pub mod view;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::decision::Verdict;
use super::open::Open;
use super::people::By;
use super::plan::ContingencyWhen;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RollbackCommand {
    Decide { verdict: Verdict, reason: String },
    Start { reason: String },
    Verified { note: Option<String> },
    Failed { reason: String },
}

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollbackEvent {
    Proposed {
        cause: Cause,
    },
    CauseAdded {
        cause: Cause,
    },
    Reminded,
    Declined {
        verdict: Verdict,
        reason: String,
    },
    Started {
        reason: String,
    },
    Failed {
        reason: String,
    },
    Verified {
        note: Option<String>,
        /// An alert fired, or a metric had no fresh good value.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unverified: bool,
    },
}

/// Minutes after the prompt (or the start of the rollback) at which it reminds; eight at most.
pub const REMIND_AFTER_MIN: [u32; 8] = [5, 15, 30, 45, 60, 90, 120, 180];

/// A prompt and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    pub n: usize,
    pub opened: Timestamp,
    pub causes: Vec<Cause>,
    pub state: CaseState,
}

/// What speaks for a rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Trigger { trigger: usize },
    Alert { name: String },
    Point { after_min: u32 },
    Person { name: String },
}

/// Where the case stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CaseState {
    Proposed {
        reminders: u8,
    },
    Declined {
        at: Timestamp,
        by: By,
        verdict: Verdict,
        reason: String,
    },
    Executing {
        since: Timestamp,
        by: By,
        reason: String,
        reminders: u8,
        failed: Option<String>,
    },
    Verified {
        at: Timestamp,
        by: By,
        reason: String,
        /// Something spoke against it, and a person ended it all the same.
        #[serde(default)]
        unverified: bool,
    },
}

/// What is said to channels, without the words: each variant carries only what the release itself no longer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum RollbackNotice {
    Case {
        n: usize,
    },
    CaseReminder {
        n: usize,
        count: u8,
    },
    Started {
        by: String,
        reason: String,
    },
    Reminder {
        count: u8,
    },
    RolledBack {
        by: String,
        note: Option<String>,
        /// What spoke against calling it verified.
        unverified: Vec<Open>,
    },
    /// The rollback's own message once it is over.
    Done {
        by: String,
    },
    Failed {
        by: String,
        reason: String,
    },
    Contingency {
        when: ContingencyWhen,
        text: String,
    },
}

/// The answers to its commands.
#[derive(Debug, Clone, PartialEq)]
pub enum RollbackReply {
    Started,
    Failed,
    RolledBack {
        /// Nothing spoke against it.
        verified: bool,
    },
}

/// What happens by itself at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RollbackMark {
    CaseReminder,
    RollbackReminder,
}
