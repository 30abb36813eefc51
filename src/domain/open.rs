//! What stands open against go, an all-clear or a submission, for people: each with who can mend it.

use jiff::Timestamp;

use super::ids::{Audience, ChannelId, UserId};
use super::plan::SignoffRole;
use super::signoff::Pending;

/// One thing that stands open.
#[derive(Debug, Clone, PartialEq)]
pub enum Open {
    Signoff(Pending),
    /// A notice that must be confirmed and is not.
    Receipt {
        rung: String,
        audience: Audience,
    },
    Gate {
        text: String,
    },
    Concern {
        n: u32,
        by: UserId,
        text: String,
    },
    /// The release channel takes no messages.
    ChannelShut {
        channel: ChannelId,
    },
    /// These of the escalation path are no members; nobody stands on it where there are none.
    Escalation {
        names: Vec<String>,
    },
    OwnerUnknown {
        name: String,
    },
    OnCallUnknown {
        name: String,
    },
    SignersUnmapped(SignoffRole),
    NoReleaseChannel,
    T0Past,
    T0Unknown,
    Missing {
        field: &'static str,
    },
    Finding {
        code: String,
        text: String,
    },
    Alert {
        name: String,
    },
    /// Alerts without messages of their own.
    MoreAlerts {
        count: usize,
    },
    /// An alert that fires before go, and that nobody has acknowledged.
    AlertAhead {
        name: String,
    },
    /// More of them than are named.
    MoreAlertsAhead {
        count: usize,
    },
    RollbackPrompt,
    Point {
        label: String,
    },
    NoData {
        metric: String,
    },
    NotHealthy {
        metric: String,
        value: String,
        success: String,
    },
    StagesLeft {
        done: usize,
        of: usize,
    },
    UpdateOverdue,
    Freeze {
        name: String,
        until: Timestamp,
        opening: Option<Timestamp>,
    },
}
