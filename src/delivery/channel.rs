//! Whether a target takes anything at present. Stands once for each target; posts do not copy it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AN_HOUR, PROBE, PROBE_LATER};

/// Whether a target takes anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelState {
    Open {
        /// Its rate limit is used up.
        #[serde(default)]
        full: Option<Room>,
        /// It takes no edits for a while.
        #[serde(default)]
        edits: Option<Pause>,
    },
    /// A permission is missing.
    Shut(Closed),
    /// It is not there any more, nor anything that was in it.
    Gone(Closed),
}

/// A target that takes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub since: Timestamp,
    /// What the platform said.
    pub why: String,
    /// When one message tries it again.
    pub probe_at: Timestamp,
    /// It takes no edits either, for a while.
    #[serde(default)]
    pub edits: Option<Pause>,
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
    pub const OPEN: Self = Self::Open { full: None, edits: None };

    /// When a message of this priority may go out; in the past where it may now.
    pub fn opens(&self, priority: i64) -> Timestamp {
        match self {
            Self::Open { full: Some(room), .. } if priority >= room.from => room.until,
            Self::Open { .. } => Timestamp::MIN,
            Self::Shut(closed) | Self::Gone(closed) => closed.probe_at,
        }
    }

    /// When an edit may go out.
    pub fn opens_for_edits(&self) -> Timestamp {
        match self {
            Self::Open { edits, .. } | Self::Shut(Closed { edits, .. }) | Self::Gone(Closed { edits, .. }) => {
                edits.map_or(Timestamp::MIN, |pause| pause.until)
            }
        }
    }

    /// When it can be read.
    pub fn opens_for_look_ups(&self) -> Timestamp {
        self.closed().map_or(Timestamp::MIN, |closed| closed.probe_at)
    }

    /// The instants at which it takes more than before.
    pub fn opens_at(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let (full, edits, probe) = match self {
            Self::Open { full, edits } => (full.map(|room| room.until), edits.map(|pause| pause.until), None),
            Self::Shut(closed) | Self::Gone(closed) => {
                (None, closed.edits.map(|pause| pause.until), Some(closed.probe_at))
            }
        };
        [full, edits, probe].into_iter().flatten()
    }

    /// Whether it takes messages of every priority.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        self.closed().is_none() && self.opens(i64::MAX) <= now
    }

    /// Why it takes nothing, while it takes nothing.
    pub fn closed(&self) -> Option<&Closed> {
        match self {
            Self::Open { .. } => None,
            Self::Shut(closed) | Self::Gone(closed) => Some(closed),
        }
    }

    /// It took something.
    pub fn took(self) -> Self {
        match self {
            Self::Open { .. } => self,
            Self::Shut(_) | Self::Gone(_) => Self::OPEN,
        }
    }

    /// It refused: tried again after five minutes, after an hour every quarter of an hour.
    pub fn refused(self, why: String, gone: bool, now: Timestamp) -> Self {
        let since = self.closed().map_or(now, |closed| closed.since.min(now));
        let edits = match &self {
            Self::Open { edits, .. } => *edits,
            Self::Shut(closed) | Self::Gone(closed) => closed.edits,
        };
        let closed = Closed { since, why, probe_at: now + probe(since, now), edits };
        if gone { Self::Gone(closed) } else { Self::Shut(closed) }
    }

    /// It has no room for this priority and what is less urgent.
    pub fn filled(self, from: i64, until: Timestamp) -> Self {
        match self {
            Self::Open { edits, .. } => Self::Open { full: Some(Room { from, until }), edits },
            Self::Shut(_) | Self::Gone(_) => self,
        }
    }

    /// It refused an edit, or has no room for one before `until`. Without `until` it is tried again like a refused message.
    pub fn without_edits(self, until: Option<Timestamp>, now: Timestamp) -> Self {
        let pause = |edits: Option<Pause>| {
            let since = edits.map_or(now, |pause| pause.since.min(now));
            Some(Pause { since, until: until.unwrap_or(now + probe(since, now)) })
        };
        match self {
            Self::Open { full, edits } => Self::Open { full, edits: pause(edits) },
            Self::Shut(closed) => Self::Shut(Closed { edits: pause(closed.edits), ..closed }),
            Self::Gone(closed) => Self::Gone(Closed { edits: pause(closed.edits), ..closed }),
        }
    }

    /// It took an edit, which says nothing of messages.
    pub fn took_edit(self) -> Self {
        match self {
            Self::Open { full, .. } => Self::Open { full, edits: None },
            Self::Shut(closed) => Self::Shut(Closed { edits: None, ..closed }),
            Self::Gone(closed) => Self::Gone(Closed { edits: None, ..closed }),
        }
    }

    /// A person asks for another try now.
    pub fn probed(self, now: Timestamp) -> Self {
        let at = |closed: Closed| Closed { probe_at: closed.probe_at.min(now), ..closed };
        match self {
            Self::Open { .. } => self,
            Self::Shut(closed) => Self::Shut(at(closed)),
            Self::Gone(closed) => Self::Gone(at(closed)),
        }
    }

    /// After a start or a jump of the clock, stored times may be wrong: pauses end, and a closed target is tried now.
    pub fn restarted(self, now: Timestamp) -> Self {
        match self {
            Self::Open { .. } => Self::OPEN,
            closed => closed.probed(now),
        }
    }
}

/// How long until something that is closed since then is tried again.
fn probe(since: Timestamp, now: Timestamp) -> jiff::SignedDuration {
    if since + AN_HOUR < now { PROBE_LATER } else { PROBE }
}
