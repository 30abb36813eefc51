//! Alerts beyond what people can read one by one: the first of them by name, all of them on the record.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Signal;
use super::event::AlertEvent;
use crate::domain::evidence;
use crate::domain::people::By;

/// Alerts before go beyond those that are kept with all their words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    open: BTreeSet<u64>,
    /// Nobody has acknowledged them.
    unheard: bool,
}

impl Ahead {
    /// Whether one of them fires.
    pub fn is_open(&self, id: &str) -> bool {
        self.open.contains(&hashed(id))
    }

    /// How many fire.
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// How many stand against go.
    pub fn unheard(&self) -> usize {
        if self.unheard { self.open.len() } else { 0 }
    }

    pub(super) fn evolve(&mut self, event: &AlertEvent) {
        match event {
            AlertEvent::AheadCounted { id, .. } => {
                self.open.insert(hashed(id));
                self.unheard = true;
            }
            AlertEvent::AheadEnded { id } => drop(self.open.remove(&hashed(id))),
            AlertEvent::AheadAcknowledged => self.unheard = false,
            _ => {}
        }
    }
}

/// Alerts the shared message names.
const NAMED: usize = 8;
/// Alerts whose state is kept one by one; about 16 bytes each. More are counted. All of it together is well below what a release may be.
const MOST_KEPT: usize = 1_500;
/// Of so many it is kept which metric or check they are about.
const MOST_ABOUT: usize = 600;
/// So many that ended are kept, about 32 bytes each.
const MOST_ENDED: usize = 600;

/// Alerts without a message of their own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Crowd {
    /// Which shared message it is; a new one begins once all of the last have ended.
    pub n: u32,
    /// When its first alert came.
    pub since: Option<Timestamp>,
    /// Alerts that fire, by a hash of their identity.
    open: BTreeSet<u64>,
    /// The metric or check of the plan that one of them is about.
    #[serde(with = "pairs")]
    about: BTreeMap<u64, String>,
    /// When those began that ended, so that a late repeat is not news.
    #[serde(with = "pairs")]
    ended: BTreeMap<u64, i64>,
    /// The worst, as the message names them.
    pub worst: Vec<Named>,
    /// How many came since the message began.
    pub total: u32,
    /// When its message pinged somebody.
    pub pinged: Option<Timestamp>,
    pub acked: Option<(String, Timestamp)>,
}

/// A map as pairs: inside a tagged enum a number that is a key of JSON is not read back.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer, V: Serialize>(map: &BTreeMap<u64, V>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
        from: D,
    ) -> Result<BTreeMap<u64, V>, D::Error> {
        Ok(Vec::<(u64, V)>::deserialize(from)?.into_iter().collect())
    }
}

/// An alert the shared message names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub name: String,
    pub severity: Option<String>,
    id: u64,
}

/// A hash that JSON numbers keep whole.
pub(in crate::domain) fn hashed(id: &str) -> u64 {
    let bytes = Sha256::digest(id.as_bytes());
    bytes.iter().take(6).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// How bad a severity sounds; less is worse.
fn rank(severity: Option<&str>) -> u8 {
    match severity.map(str::to_lowercase).as_deref() {
        Some("critical" | "page" | "fatal" | "emergency" | "p1" | "sev1") => 0,
        Some("error" | "high" | "major" | "p2" | "sev2") => 1,
        Some("warning" | "warn" | "medium" | "minor" | "p3" | "sev3") | None => 2,
        Some(_) => 3,
    }
}

impl Crowd {
    /// Whether an alert without a message of its own fires.
    pub fn is_open(&self, id: &str) -> bool {
        self.open.contains(&hashed(id))
    }

    /// Whether one of them is about this metric or check.
    pub fn speaks_of(&self, subject: &str) -> bool {
        self.about.values().any(|about| evidence::same_metric(about, subject))
    }

    /// How many fire.
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// Whether this alert is among them, or was: a start it does not know is news.
    pub(in crate::domain) fn knows(&self, signal: &Signal) -> bool {
        let id = hashed(&signal.id());
        let began = self.ended.get(&id);
        self.open.contains(&id) || began.is_some_and(|began| signal.starts_at.as_millisecond() <= *began)
    }

    /// Whether it waits for somebody to acknowledge it.
    pub(in crate::domain) fn is_unheard(&self) -> bool {
        self.waits_since().is_some()
    }

    /// Since when its message waits for somebody to acknowledge it.
    pub(in crate::domain) fn waits_since(&self) -> Option<Timestamp> {
        self.since.filter(|_| self.acked.is_none() && !self.open.is_empty())
    }

    pub(super) fn evolve(&mut self, event: &AlertEvent, at: Timestamp, by: &By) {
        match event {
            AlertEvent::Crowded { id, name, severity, pinged, about, .. } => {
                if self.open.is_empty() {
                    (self.n, self.since, self.acked) = (self.n + 1, Some(at), None);
                    (self.worst, self.total) = (Vec::new(), 0);
                }
                if *pinged {
                    self.pinged = Some(at);
                }
                self.total = self.total.saturating_add(1);
                self.join(id, name, severity.as_ref(), about.as_ref());
            }
            AlertEvent::CrowdRepeated { id, name, severity, about } => {
                self.ended.remove(&hashed(id));
                self.since.get_or_insert(at);
                self.join(id, name, severity.as_ref(), about.as_ref());
            }
            AlertEvent::CrowdEnded { id, starts_at } => {
                let id = hashed(id);
                self.open.remove(&id);
                self.about.remove(&id);
                self.worst.retain(|named| named.id != id);
                self.remember(id, *starts_at);
            }
            AlertEvent::CrowdAcknowledged => self.acked = Some((by.to_string(), at)),
            _ => {}
        }
    }

    pub(super) fn remember(&mut self, id: u64, began: Timestamp) {
        if self.ended.len() >= MOST_ENDED
            && let Some(oldest) = self.ended.iter().min_by_key(|(_, began)| **began).map(|(id, _)| *id)
        {
            self.ended.remove(&oldest);
        }
        self.ended.insert(id, began.as_millisecond());
    }

    fn join(&mut self, id: &str, name: &str, severity: Option<&String>, about: Option<&String>) {
        let id = hashed(id);
        if self.open.len() < MOST_KEPT {
            self.open.insert(id);
            let room = self.about.len() < MOST_ABOUT;
            self.about.extend(about.filter(|_| room).map(|about| (id, about.clone())));
        }
        self.worst.push(Named { name: name.to_owned(), severity: severity.cloned(), id });
        self.worst.sort_by_key(|named| rank(named.severity.as_deref()));
        self.worst.truncate(NAMED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by review: a release whose state is too large takes no write any more, not even the end of an alert.
    #[test]
    fn however_many_alerts_there_are_the_state_stays_small() {
        let mut crowd = Crowd::default();
        let name = "n".repeat(120);
        for n in 0..20_000 {
            let id = format!("alerts/{n}");
            crowd.join(&id, &name, Some(&"critical".to_owned()), Some(&"Error Rate".to_owned()));
            if n % 2 == 0 {
                crowd.remember(hashed(&format!("ended/{n}")), Timestamp::UNIX_EPOCH);
            }
        }
        let bytes = serde_json::to_string(&crowd).unwrap().len();
        assert!(bytes < 64 * 1024, "{bytes} bytes");
    }
}
