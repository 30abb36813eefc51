//! Every word T-Minus says, platform-neutral. Pure: a notice, a reply or a refusal and the release give a [`Message`].
//! It must not know chat markup or limits of a platform; renderers escape and cut.
//!
//! House style: short, concrete, no exclamation marks, no jokes; icon plus word, never colour alone; what, when, who,
//! what now; an instant in the reader's own zone with its T-label.

mod alert;
mod amend;
mod buttons;
mod card;
mod closing;
mod concern;
mod decision;
mod delivery;
mod freeze;
mod imported;
mod ladder;
pub mod lists;
mod message;
mod notice;
mod open;
mod outcome;
mod page;
mod plain;
mod plan;
mod refusal;
mod reply;
mod rights;
mod rollback;
mod running;
pub mod settings;
mod signoff;
mod stage;
pub mod system;
mod text;
pub mod timeline;
mod updates;
pub mod words;
pub mod workspace;

#[cfg(test)]
mod tests;

pub use buttons::buttons;
pub use card::card;
pub use closing::{RECORD, record};
pub use imported::TO_MEND;
pub use message::{Button, Field, Message, Style, Tone, WHAT_NOW};
pub use notice::say;
pub use page::{PageEntry, PageState, entry as page_entry};
pub use plain::plain;
pub use refusal::{refuse, refuse_here};
pub use reply::answer;
pub use text::{Span, Stamp, Text};
