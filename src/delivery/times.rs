//! How long attempts, look-ups and waits take.

use jiff::SignedDuration;

/// How long one attempt may hold a post. Longer than the longest request.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// How long a look-up that found nothing allows another attempt.
pub const FRESH: SignedDuration = SignedDuration::from_secs(10);

/// How long until something that is closed is tried again.
pub const PROBE: SignedDuration = SignedDuration::from_mins(5);

/// The same once it was closed for an hour. The refusals of all channels together must stay far below Discord's limit.
pub const PROBE_LATER: SignedDuration = SignedDuration::from_mins(15);

pub(super) const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Nothing waits longer for its repeat; a time further ahead comes from a wrong clock.
pub(super) const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(20);

/// Half a second, doubled with each attempt, at most a minute.
pub fn backoff(attempt: u32) -> SignedDuration {
    SignedDuration::from_millis((500_i64 << attempt.min(7)).min(60_000))
}
