//! The one door: load, decide, commit, answer. Commands queue to one writer; whatever queued while a commit ran is decided
//! in memory and shares the next transaction, and answers leave only after it. It must not know any platform.

mod commands;
mod door;
mod known;
mod lanes;
mod messages;
mod reports;
mod speak;
#[cfg(test)]
mod tests;
mod unit;
mod workspace;
mod writer;

pub(crate) use door::findings;
pub use door::{Answer, Ask, Desk, DeskFault, EditNews, Step};
pub use writer::Nudges;
pub(crate) use writer::run;
