//! What leaves T-Minus, as values: where it goes, under which key, what may be repeated, and what follows from each attempt.
//! Pure: it must not know SQL, HTTP or words.

mod channel;
mod edit;
mod key;
mod post;
mod repeat;
mod state;
mod target;
#[cfg(test)]
mod tests;

pub use channel::ChannelState;
pub use edit::{Edit, EditEvent, Rendering};
pub use key::{Key, Owner, hashed, marker_of, next_nonce, nonce_of};
pub use repeat::{Capabilities, Capability, NonceWindow, Repeat};
#[cfg(test)]
pub use state::Doubt;
pub use state::{Found, Outcome, Post, PostEvent, PostState, Report};
pub use target::Target;

use jiff::SignedDuration;

/// How long one attempt may hold a post. Longer than the longest request.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How long a look-up that found nothing allows another attempt.
pub const FRESH: SignedDuration = SignedDuration::from_secs(10);
/// How long until something that is closed is tried again.
pub const PROBE: SignedDuration = SignedDuration::from_mins(5);
/// The same once it was closed for an hour. The refusals of all channels together must stay far below Discord's limit.
pub const PROBE_LATER: SignedDuration = SignedDuration::from_mins(15);
const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Nothing waits longer for its repeat; a time further ahead comes from a wrong clock.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(20);

/// Half a second, doubled with each attempt, at most a minute.
pub fn backoff(attempt: u32) -> SignedDuration {
    SignedDuration::from_millis((500_i64 << attempt.min(7)).min(60_000))
}
