//! Every word T-Minus says, platform-neutral. Pure: a notice, a reply or a refusal and the release give a [`Message`].
//! It must not know chat markup or limits of a platform; renderers escape and cut.
//!
//! House style: short, concrete, no exclamation marks, no jokes; icon plus word, never colour alone; what, when, who,
//! what now; an instant in the reader's own zone with its T-label.

mod alerts;
mod amend;
mod card;
mod closing;
mod concern;
mod delivery;
mod ladder;
mod message;
mod notice;
mod outcome;
mod page;
mod people;
mod plain;
mod refusal;
mod reply;
mod run;
pub mod settings;
mod signoff;
pub mod system;
mod text;
pub mod timeline;
pub mod words;
pub mod workspace;

#[cfg(test)]
mod tests;

pub use card::card;
pub use closing::{RECORD, record};
pub use message::{Button, Field, Message, Style, Tone, WHAT_NOW};
pub use notice::{buttons, say};
pub use page::{PageEntry, PageState, entry as page_entry};
pub use plain::plain;
pub use refusal::{refuse, refuse_here};
pub use reply::{TO_MEND, answer};
pub use text::{Span, Stamp, Text};
