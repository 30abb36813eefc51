//! What is known against a target at present. Stands once for each target; posts do not copy it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::delivery::times::{AN_HOUR, PROBE, PROBE_LATER};

/// Whether a target takes anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelState {
    /// It takes no messages.
    pub closed: Option<Closed>,
    /// Its rate limit is used up.
    pub full: Option<Room>,
    /// It takes no edits for a while.
    pub edits: Option<Pause>,
}

/// A target that takes no messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub since: Timestamp,
    /// What the platform said.
    pub why: String,
    /// It is not there any more, nor anything that was in it. Otherwise a permission is missing.
    pub gone: bool,
    /// When one message tries it again.
    pub probe_at: Timestamp,
}

/// A while without edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub since: Timestamp,
    pub until: Timestamp,
}

/// A used-up rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Nothing of this priority or less urgent goes out (`domain::effect::Priority` as a number; smaller is more urgent).
    pub from: i64,
    pub until: Timestamp,
}

impl ChannelState {
    /// A target nothing is known against.
    pub const OPEN: Self = Self { closed: None, full: None, edits: None };

    /// When a message of this priority may go out; in the past where it may now.
    pub fn opens(&self, priority: i64) -> Timestamp {
        let full = self.full.filter(|room| priority >= room.from).map(|room| room.until);
        self.closed.as_ref().map(|closed| closed.probe_at).or(full).unwrap_or(Timestamp::MIN)
    }

    /// When an edit may go out.
    pub fn opens_for_edits(&self) -> Timestamp {
        self.edits.map_or(Timestamp::MIN, |pause| pause.until)
    }

    /// When it can be read.
    pub fn opens_for_look_ups(&self) -> Timestamp {
        self.closed.as_ref().map_or(Timestamp::MIN, |closed| closed.probe_at)
    }

    /// The instants at which it takes more than before.
    pub fn opens_at(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let (full, edits) = (self.full.map(|room| room.until), self.edits.map(|pause| pause.until));
        [full, edits, self.closed.as_ref().map(|closed| closed.probe_at)].into_iter().flatten()
    }

    /// Whether it takes messages of every priority.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        self.closed.is_none() && self.opens(i64::MAX) <= now
    }

    /// It took a message.
    pub fn took(&mut self) {
        if self.closed.is_some() {
            *self = Self::OPEN;
        }
    }

    /// It refused a message: tried again after five minutes, after an hour every quarter of an hour.
    pub fn refused(&mut self, why: String, gone: bool, now: Timestamp) {
        let since = self.closed.as_ref().map_or(now, |closed| closed.since.min(now));
        self.closed = Some(Closed { since, why, gone, probe_at: now + probe(since, now) });
        self.full = None;
    }

    /// It has no room for this priority and what is less urgent.
    pub fn filled(&mut self, from: i64, until: Timestamp) {
        if self.closed.is_none() {
            self.full = Some(Room { from, until });
        }
    }

    /// It refused an edit, or has no room for one before `until`. Without `until` it is tried again like a refused message.
    pub fn without_edits(&mut self, until: Option<Timestamp>, now: Timestamp) {
        let since = self.edits.map_or(now, |pause| pause.since.min(now));
        self.edits = Some(Pause { since, until: until.unwrap_or(now + probe(since, now)) });
    }

    /// It took an edit, which says nothing of messages.
    pub fn took_edit(&mut self) {
        self.edits = None;
    }

    /// A person asks for another try now.
    pub fn probed(&mut self, now: Timestamp) {
        if let Some(closed) = &mut self.closed {
            closed.probe_at = closed.probe_at.min(now);
        }
    }

    /// After a start or a jump of the clock, stored times may be wrong: pauses end, and a closed target is tried now.
    pub fn restarted(&mut self, now: Timestamp) {
        (self.full, self.edits) = (None, None);
        self.probed(now);
    }
}

/// How long until something that is closed since then is tried again.
fn probe(since: Timestamp, now: Timestamp) -> SignedDuration {
    if since + AN_HOUR < now { PROBE_LATER } else { PROBE }
}
