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
mod times;

pub use channel::ChannelState;
pub use edit::{Edit, EditEvent, Rendering};
pub use key::{Key, Owner, hashed, marker_of, next_nonce, nonce_of};
pub use repeat::{Capabilities, Capability, NonceWindow, Repeat};
#[cfg(test)]
pub use state::Doubt;
pub use state::{Found, Outcome, Post, PostEvent, PostState, Report};
pub use target::Target;
#[cfg(test)]
pub use times::FRESH;
pub use times::{PROBE, PROBE_LATER, backoff};
