//! Topic: alerts. An alert is relayed on change of state only; "resolved" ends the paging, never means healthy. What an alert proves
//! is `evidence`'s.

pub(in crate::domain) mod ahead;
pub mod crowd;
pub(in crate::domain) mod crowd_rules;
pub mod event;
pub(in crate::domain) mod evolve;
pub mod route;
pub(in crate::domain) mod rules;
pub mod view;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::ReleaseNo;
use super::plan::Quantity;

/// Alerts with all their words that a release keeps; beyond it the oldest that ended goes.
pub const MAX_ALERTS: usize = 20;

/// After these minutes an alert nobody acknowledged reminds, and climbs the escalation path; no further reminder after the last.
pub const REMIND_AFTER_MIN: [u32; 6] = [5, 15, 30, 60, 120, 240];

/// An alert as relayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub key: String,
    pub name: String,
    pub summary: String,
    pub severity: Option<String>,
    pub metric: Option<String>,
    /// The last readable value while firing; a resolved body repeats it, so it is never read as a recovery.
    pub value: Option<f64>,
    /// The value as the source wrote it, where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// It says that data is missing, not that a limit is passed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_data: bool,
    pub first: Timestamp,
    pub last: Timestamp,
    /// When this release heard of it.
    #[serde(default = "never")]
    pub heard: Timestamp,
    pub count: u32,
    pub resolved_at: Option<Timestamp>,
    /// It fires again since then, and nobody was pinged for that yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Timestamp>,
    /// How often it fired again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub returns: u32,
    pub acked: Option<(String, Timestamp)>,
    /// Was firing before T-0: shown, set aside.
    pub pre_existing: bool,
    /// It has a message of its own.
    #[serde(default = "yes")]
    pub posted: bool,
    /// Its message pinged somebody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinged: bool,
}

fn never() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn yes() -> bool {
    true
}

pub(in crate::domain) fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Alert {
    /// It fires, as far as anybody knows.
    pub fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// It fires, and concerns this run.
    pub fn counts(&self) -> bool {
        self.is_open() && !self.pre_existing
    }

    /// Its identity at its source, whenever it started.
    fn id(&self) -> &str {
        self.key.rsplit_once('/').map_or(self.key.as_str(), |(id, _)| id)
    }
}

/// An alert that a newer release of the service has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    pub key: String,
    pub name: String,
    pub no: ReleaseNo,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum AlertCommand {
    Signal(Box<Signal>),
    /// A newer release of the service has this alert.
    Elsewhere {
        id: String,
        name: String,
        no: ReleaseNo,
        firing: bool,
    },
    /// A person reports a metric's value, with its unit or as a bare number.
    Report {
        metric: String,
        value: Quantity,
    },
    Ack {
        alert: String,
    },
}

/// An alert as a source sent it, in our words. All text is the source's and is not trusted.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    pub source: String,
    pub fingerprint: String,
    pub starts_at: Timestamp,
    pub firing: bool,
    pub name: String,
    pub summary: String,
    pub severity: Option<String>,
    /// What the alert measures, to be matched with the plan's metrics and triggers.
    pub metric: Option<String>,
    pub value: Seen,
    /// It says that data is missing, not that a limit is passed.
    pub no_data: bool,
    /// How long the condition had already held when the alert started, in seconds.
    pub held_s: u32,
    /// How many alerts came with it in one body, itself among them.
    pub group: usize,
    /// The rule's author asks for a rollback prompt (label `tminus_action=rollback`).
    pub asks_rollback: bool,
}

impl Signal {
    /// The alert's identity at its source, whenever it started.
    pub fn id(&self) -> String {
        format!("{}/{}", self.source, self.fingerprint)
    }

    /// One firing of it: kept through repeats and recovery.
    pub fn key(&self) -> String {
        format!("{}/{}", self.id(), self.starts_at.as_millisecond())
    }
}

/// A value as a source sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Seen {
    #[default]
    Nothing,
    Value(Quantity),
    /// It cannot be read as a number.
    Text(String),
}

/// What is said to channels, without the words: each variant carries only what the release itself no longer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum AlertNotice {
    Alert {
        key: String,
    },
    /// An alert that ended fires again.
    Returned {
        key: String,
    },
    /// Alerts nobody has acknowledged; none waits any more where the reminder is 0.
    Unheard {
        reminder: u8,
    },
    /// More alerts than have messages of their own.
    Crowd {
        n: u32,
    },
}

/// The answers to its commands.
#[derive(Debug, Clone, PartialEq)]
pub enum AlertReply {
    Acknowledged,
    Observed { metric: String },
}

/// What happens by itself at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertMark {
    /// An alert that fires again is believed.
    Believed { key: String },
    /// Nobody acknowledged an alert.
    Reminder,
}

impl AlertMark {
    /// Marks of this kind that are missed together are one: the newest.
    pub(super) fn reminds(&self) -> bool {
        match self {
            Self::Reminder => true,
            Self::Believed { .. } => false,
        }
    }
}
