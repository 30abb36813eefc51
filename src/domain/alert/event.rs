//! What can have happened to alerts, metric values and triggers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::evidence::Observation;
use crate::domain::ids::ReleaseNo;
use crate::domain::lateness::Late;

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertEvent {
    Fired {
        key: String,
        name: String,
        summary: String,
        severity: Option<String>,
        metric: Option<String>,
        value: Option<f64>,
        /// The value as written, where it could not be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unread: Option<String>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        no_data: bool,
        starts_at: Timestamp,
        pre_existing: bool,
        /// It has a message of its own.
        #[serde(default = "yes")]
        posted: bool,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pinged: bool,
    },
    Repeated {
        key: String,
        value: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unread: Option<String>,
    },
    /// It ended, and its source says that it fires: quietly at first.
    Reopened {
        key: String,
    },
    /// That is believed, and pings.
    Returned {
        key: String,
    },
    /// A newer release of the service has it.
    Elsewhere {
        id: String,
        name: String,
        no: ReleaseNo,
    },
    ElsewhereOver {
        id: String,
    },
    /// One more without a message of its own.
    Crowded {
        id: String,
        name: String,
        severity: Option<String>,
        metric: Option<String>,
        value: Option<f64>,
        starts_at: Timestamp,
        pinged: bool,
        /// The plan's metric or check that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
    },
    /// One of them ended, and fires again.
    CrowdRepeated {
        id: String,
        name: String,
        severity: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
    },
    CrowdEnded {
        id: String,
        starts_at: Timestamp,
    },
    CrowdAcknowledged,
    /// Nobody had acknowledged what waits.
    Reminded,
    /// Nothing waits for an acknowledgement any more.
    AllHeard,
    /// One more alert before go than are kept with all their words.
    AheadCounted {
        id: String,
        name: String,
        severity: Option<String>,
    },
    AheadEnded {
        id: String,
    },
    AheadAcknowledged,
    Resolved {
        key: String,
    },
    Acknowledged {
        key: String,
    },
    Observed {
        metric: String,
        observation: Observation,
    },
    TriggerPending {
        trigger: usize,
        since: Timestamp,
        value: Option<f64>,
    },
    TriggerCleared {
        trigger: usize,
    },
    TriggerSettled {
        trigger: usize,
    },
    TriggerFired {
        trigger: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        late: Option<Late>,
    },
}
