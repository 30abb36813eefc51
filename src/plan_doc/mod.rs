//! Markdown ↔ plan: reads what people wrote, says what is wrong with positions, and gives the document back with only
//! the state-bearing bytes patched. It must not know what a release is doing beyond the state it is handed to export.
//!
//! Rules and codes follow `reference/plans.md` of the design; each diagnostic carries its code.

mod blocks;
mod diagnostics;
mod fields;
mod grammar;
mod read;
mod time;
mod write_back;

#[cfg(test)]
mod tests;

pub use diagnostics::{Blocks, render_chat, render_text};
pub use grammar::{duration_min as duration_minutes, number_with_unit};
pub use read::{Reading, read};
pub use time::parse_when;
pub use write_back::export;

/// The largest document accepted, in bytes (TM002).
pub const MAX_BYTES: usize = 256 * 1024;
/// The longest line accepted, in bytes (TM002).
pub const MAX_LINE_BYTES: usize = 8 * 1024;
/// The most lines accepted (TM002).
pub const MAX_LINES: usize = 5_000;
/// The most columns of a table (TM002).
pub const MAX_COLUMNS: usize = 32;
/// The deepest nesting of lists and quotes (TM002).
pub const MAX_NESTING: usize = 16;
