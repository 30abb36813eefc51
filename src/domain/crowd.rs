//! Topic: more alerts than people can read. Beyond a few messages the rest share one that names the worst and counts the others,
//! edited as it grows. Each still counts: as evidence, against the all-clear, on the record.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::alert::{self, MAX_ALERTS};
use super::command::Signal;
use super::decide::Work;
use super::effect::{Destination, Priority, Prompt};
use super::event::AlertEvent;
use super::evidence;
use super::notice::Notice;
use super::people::By;
use super::plan::Plan;
use super::release::{Release, Run};

/// Open alerts with messages of their own; more share one.
const MOST_OPEN: usize = 8;
/// New messages of alerts within a minute; more share one.
const MOST_NEW: usize = 5;
const NEW: SignedDuration = SignedDuration::from_secs(60);
/// Alerts of one body that still get messages of their own.
const MOST_IN_A_GROUP: usize = 4;
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
pub(super) fn hashed(id: &str) -> u64 {
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
    pub(super) fn knows(&self, signal: &Signal) -> bool {
        let id = hashed(&signal.id());
        let began = self.ended.get(&id);
        self.open.contains(&id) || began.is_some_and(|began| signal.starts_at.as_millisecond() <= *began)
    }

    /// Whether it waits for somebody to acknowledge it.
    pub(super) fn is_unheard(&self) -> bool {
        self.waits_since().is_some()
    }

    /// Since when its message waits for somebody to acknowledge it.
    pub(super) fn waits_since(&self) -> Option<Timestamp> {
        self.since.filter(|_| self.acked.is_none() && !self.open.is_empty())
    }
}

/// Whether alerts without messages of their own wait for somebody.
pub(super) fn unheard(release: &Release) -> bool {
    release.phase.run().is_some_and(|run| run.crowd.is_unheard())
}

/// Whether a new alert gets no message of its own.
pub(super) fn joins(release: &Release, signal: &Signal, now: Timestamp) -> bool {
    let own = || alert::of(release).iter().filter(|alert| alert.posted && !alert.pre_existing);
    let new = own().filter(|alert| now < alert.heard + NEW).count();
    let open = own().filter(|alert| alert.is_open()).count();
    signal.group > MOST_IN_A_GROUP || open >= MOST_OPEN || new >= MOST_NEW
}

fn key(n: u32) -> String {
    format!("alerts/{n}")
}

/// A new alert joins the shared message.
pub(super) fn fired(work: &mut Work<'_>, signal: &Signal) {
    let begins = work.release.phase.run().is_none_or(|run| run.crowd.open.is_empty());
    let pings = begins && !alert::pinged_lately(&work.release, work.ctx.now);
    let reading = evidence::read(&work.release.plan, signal);
    work.record(AlertEvent::Crowded {
        id: signal.id(),
        name: signal.name.clone(),
        severity: signal.severity.clone(),
        metric: reading.metric,
        value: reading.value,
        starts_at: signal.starts_at,
        pinged: pings,
        about: about(&work.release.plan, signal),
    });
    if begins {
        let n = work.release.phase.run().map_or(0, |run| run.crowd.n);
        let mention = if pings { alert::on_call(work) } else { Vec::new() };
        let posting = work.post(key(n), Destination::Release, Notice::Crowd { n });
        posting.prompt = Some(Prompt::Alerts);
        posting.priority = Priority::Prompt;
        posting.mention = mention;
    } else {
        show(work);
    }
    alert::proves(work, signal);
}

/// The plan's metric or check that an alert is about.
fn about(plan: &Plan, signal: &Signal) -> Option<String> {
    let says = |subject: &String| {
        let metric = signal.metric.as_deref().is_some_and(|metric| evidence::same_metric(metric, subject));
        metric || evidence::same_metric(&signal.name, subject)
    };
    evidence::reportable(plan).into_iter().find(says)
}

/// A known alert of the shared message repeats, ends, or fires again.
pub(super) fn relay(work: &mut Work<'_>, signal: &Signal) {
    let id = signal.id();
    let open = work.release.phase.run().is_some_and(|run| run.crowd.is_open(&id));
    let starts_at = signal.starts_at;
    match (signal.firing, open) {
        (true, true) => alert::proves(work, signal),
        // Fired before go: set aside with the others of that time.
        (true, false) if work.release.phase.run().is_some_and(|run| starts_at < run.go_at) => {}
        (true, false) => {
            let about = about(&work.release.plan, signal);
            let (name, severity) = (signal.name.clone(), signal.severity.clone());
            work.record(AlertEvent::CrowdRepeated { id, name, severity, about });
            show(work);
        }
        (false, true) => {
            work.record(AlertEvent::CrowdEnded { id, starts_at });
            show(work);
            evidence::ended(work, signal);
        }
        (false, false) => {}
    }
}

/// The shared message as it stands now.
pub(super) fn show(work: &mut Work<'_>) {
    let Some(crowd) = work.release.phase.run().map(|run| &run.crowd) else { return };
    let (n, prompt) = (crowd.n, crowd.waits_since().map(|_| Prompt::Alerts));
    work.edit(key(n), Notice::Crowd { n }, prompt);
}

/// Of alerts with all their words only so many are kept; of the oldest that ended its start is kept here.
pub(super) fn forget_ended(run: &mut Run) {
    while run.alerts.len() > MAX_ALERTS {
        let Some(oldest) = run.alerts.iter().position(|a| !a.is_open() || a.pre_existing) else { return };
        let gone = run.alerts.remove(oldest);
        let id = hashed(gone.key.rsplit_once('/').map_or(gone.key.as_str(), |(id, _)| id));
        remember(&mut run.crowd, id, gone.first);
    }
}

fn remember(crowd: &mut Crowd, id: u64, began: Timestamp) {
    if crowd.ended.len() >= MOST_ENDED
        && let Some(oldest) = crowd.ended.iter().min_by_key(|(_, began)| **began).map(|(id, _)| *id)
    {
        crowd.ended.remove(&oldest);
    }
    crowd.ended.insert(id, began.as_millisecond());
}

pub(super) fn evolve(run: &mut Run, event: &AlertEvent, at: Timestamp, by: &By) {
    let crowd = &mut run.crowd;
    match event {
        AlertEvent::Crowded { id, name, severity, pinged, about, .. } => {
            if crowd.open.is_empty() {
                (crowd.n, crowd.since, crowd.acked) = (crowd.n + 1, Some(at), None);
                (crowd.worst, crowd.total) = (Vec::new(), 0);
            }
            if *pinged {
                crowd.pinged = Some(at);
            }
            crowd.total = crowd.total.saturating_add(1);
            join(crowd, id, name, severity.as_ref(), about.as_ref());
        }
        AlertEvent::CrowdRepeated { id, name, severity, about } => {
            crowd.ended.remove(&hashed(id));
            crowd.since.get_or_insert(at);
            join(crowd, id, name, severity.as_ref(), about.as_ref());
        }
        AlertEvent::CrowdEnded { id, starts_at } => {
            let id = hashed(id);
            crowd.open.remove(&id);
            crowd.about.remove(&id);
            crowd.worst.retain(|named| named.id != id);
            remember(crowd, id, *starts_at);
        }
        AlertEvent::CrowdAcknowledged => crowd.acked = Some((by.to_string(), at)),
        _ => {}
    }
}

fn join(crowd: &mut Crowd, id: &str, name: &str, severity: Option<&String>, about: Option<&String>) {
    let id = hashed(id);
    if crowd.open.len() < MOST_KEPT {
        crowd.open.insert(id);
        let room = crowd.about.len() < MOST_ABOUT;
        crowd.about.extend(about.filter(|_| room).map(|about| (id, about.clone())));
    }
    crowd.worst.push(Named { name: name.to_owned(), severity: severity.cloned(), id });
    crowd.worst.sort_by_key(|named| rank(named.severity.as_deref()));
    crowd.worst.truncate(NAMED);
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
            join(&mut crowd, &id, &name, Some(&"critical".to_owned()), Some(&"Error Rate".to_owned()));
            if n % 2 == 0 {
                remember(&mut crowd, hashed(&format!("ended/{n}")), Timestamp::UNIX_EPOCH);
            }
        }
        let bytes = serde_json::to_string(&crowd).unwrap().len();
        assert!(bytes < 64 * 1024, "{bytes} bytes");
    }
}
