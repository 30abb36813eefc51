//! The heart: what a release is, what may be asked of it, what follows. Pure: no I/O, no clock, no async, no prose.
//!
//! Invariants, each with a test:
//! - replaying the journal gives the state;
//! - a release is never live without its required sign-offs or a recorded break-glass;
//! - nobody fills two roles in one revision; author and owner do not sign their own plan unless policy says so;
//! - "alert resolved" alone never means healthy, and no data is never ok;
//! - a mark that fired leaves the agenda: a tick at an instant leaves nothing due at that instant;
//! - a decision nobody takes stays open.

/// A root with one variant for each topic is made from any of them.
macro_rules! of_topics {
    ($root:ident { $($variant:ident: $type:ty),+ $(,)? }) => {
        $(impl From<$type> for $root { fn from(of: $type) -> Self { Self::$variant(of) } })+
    };
}

pub mod agenda;
pub mod alert;
pub mod amend;
pub mod changes;
pub mod closing;
pub mod command;
pub mod concern;
pub mod decide;
pub mod decision;
pub mod delivery;
pub mod digest;
pub mod effect;
pub mod event;
pub mod evidence;
mod evolve;
pub mod freeze;
pub mod ids;
pub mod key;
pub mod ladder;
pub mod lateness;
pub mod lifecycle;
pub mod mark;
pub mod may;
pub mod notice;
pub mod open;
pub mod people;
pub mod phase;
pub mod plan;
pub mod policy;
pub mod prompt;
pub mod recur;
pub mod refusal;
pub mod release;
pub mod reply;
pub mod rights;
pub mod rollback;
pub mod signoff;
pub mod stage;
pub mod trigger;
pub mod updates;
pub mod work;
pub mod workspace;

#[cfg(test)]
pub mod tests;

/// How long a step or a receipt that was pressed by mistake can be taken back.
pub(crate) const UNDO: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

/// Whether an instant lies between 2000 and 2200: others are mistakes, and would overflow the
/// arithmetic of offsets.
pub(crate) fn plausible(at: jiff::Timestamp) -> bool {
    (946_684_800..7_258_118_400).contains(&at.as_second())
}

/// Seconds as a span of time.
pub(crate) fn seconds(n: u32) -> jiff::SignedDuration {
    jiff::SignedDuration::from_secs(i64::from(n))
}

/// Minutes as a span of time.
pub(crate) fn minutes(n: u32) -> jiff::SignedDuration {
    jiff::SignedDuration::from_mins(i64::from(n))
}

/// The zone of an IANA name or a fixed offset such as `+02:00`; UTC for anything else.
pub fn zone_of(name: &str) -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get(name).ok().or_else(|| fixed_zone(name)).unwrap_or(jiff::tz::TimeZone::UTC)
}

fn fixed_zone(zone: &str) -> Option<jiff::tz::TimeZone> {
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.trim_start_matches(['+', '-']).split_once(':')?;
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    jiff::tz::Offset::from_seconds(sign * seconds).ok().map(jiff::tz::TimeZone::fixed)
}
