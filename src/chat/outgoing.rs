//! What goes out to a chat platform, and what is found there.

use crate::domain::effect::Priority;
use crate::voice::Message;

/// A message with what makes it findable and clickable.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    pub message: &'a Message,
    /// What its buttons lead to.
    pub prompt: Option<&'a str>,
    /// Shown in the footer; the look-up searches for it.
    pub marker: &'a str,
    pub rank: Rank,
    /// The message it is a reply to, where that is in the same channel.
    pub reply_to: Option<&'a str>,
    pub file: Option<&'a File>,
}

/// Who goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// A person must decide.
    Urgent,
    /// A notice at its instant.
    Due,
    Later,
}

impl Rank {
    /// Who goes first, by the priority in a row.
    pub fn of(priority: i64) -> Self {
        match priority {
            URGENT => Self::Urgent,
            DUE => Self::Due,
            _ => Self::Later,
        }
    }
}

const URGENT: i64 = Priority::Prompt as i64;

const DUE: i64 = Priority::Notice as i64;

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// A message of ours as it stands in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub id: String,
    pub marker: String,
}
