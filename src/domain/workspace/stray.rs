//! Alerts that concern no release: counted in one message, so that a source that is set up wrongly is noticed.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::alert::route::Stray;

/// How long one message counts on.
const A_MESSAGE: SignedDuration = SignedDuration::from_hours(24);
/// Alerts a message names, the newest first.
const NAMED: usize = 8;
/// Alerts that are known again when they repeat.
const KNOWN: usize = 200;

/// An alert that concerns no release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrayAlert {
    /// Its identity at its source.
    pub id: String,
    pub name: String,
    pub severity: Option<String>,
    pub source: String,
    pub why: Stray,
}

/// Alerts that concern no release, as the present message counts them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strays {
    pub n: u32,
    pub since: Timestamp,
    pub total: u32,
    /// The newest last.
    pub named: Vec<StrayAlert>,
    known: Vec<String>,
}

impl Strays {
    /// After more of them.
    pub(in crate::domain) fn with(before: Option<Self>, alerts: &[StrayAlert], at: Timestamp) -> Self {
        let n = before.as_ref().map_or(0, |strays| strays.n);
        let goes_on = before.filter(|strays| at < strays.since + A_MESSAGE);
        let mut strays =
            goes_on.unwrap_or(Self { n: n + 1, since: at, total: 0, named: Vec::new(), known: Vec::new() });
        for alert in alerts {
            strays.total = strays.total.saturating_add(1);
            strays.known.push(alert.id.clone());
            strays.named.push(alert.clone());
        }
        let surplus = |len: usize, most: usize| len.saturating_sub(most);
        strays.known.drain(..surplus(strays.known.len(), KNOWN));
        strays.named.drain(..surplus(strays.named.len(), NAMED));
        strays
    }

    pub(super) fn knows(&self, alert: &StrayAlert, now: Timestamp) -> bool {
        now < self.since + A_MESSAGE && self.known.contains(&alert.id)
    }
}
