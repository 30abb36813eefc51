//! The only SQL. One writing connection, a few reading ones. Statements are literal and checked when compiled, except pragmas
//! and the converter. It must not decide anything: rows in, rows out.
//!
//! Every function that reads or writes fails with a [`StoreFault`] of the database; what else can fail is said where it can.

mod base;
mod channels;
mod check;
mod checkpoint;
mod convert;
mod documents;
mod journal;
mod open;
mod posts;
mod releases;
#[cfg(test)]
mod testing;
mod workspaces;

pub use base::{Purpose, Store, StoreFault, Txn, json, to_json};
pub use documents::{DocumentKey, NewPrompt, StoredPrompt};
pub use journal::{Broken, Entry, Head, Line, verify, verify_file};
pub use posts::{Front, Pending, PostRow};
pub use releases::ReleaseHead;
