//! Markdown ↔ plan: reads what people wrote, says what is wrong with positions, and gives the document back with only
//! the state-bearing bytes patched. It must not know what a release is doing beyond the state it is handed to export.
//!
//! Each diagnostic carries the code of its rule (`rules.rs`).

mod asked;
mod blocks;
mod bot_blocks;
mod chapters;
mod checkbox;
mod diagnostics;
mod export;
mod fields;
mod filled;
mod fix;
mod grammar;
mod ladder;
mod limits;
mod lines;
mod merge;
mod names;
mod read;
mod report;
mod rules;
mod show;
mod template;
mod time;
mod zone;

#[cfg(test)]
mod tests;

pub use asked::Question;
pub use chapters::{Chapter, chapter, menu, replace_chapter};
pub use diagnostics::{Diagnostic, Severity, Suggestion, line_column};
pub use export::{Exported, export, exported_revision, strip, unticked};
pub use filled::{Filled, Observed, Signed};
pub use fix::fix;
pub use grammar::{duration_min as duration_minutes, duration_seconds, number_with_unit};
pub use ladder::{ladder, usual_ladder};
pub use limits::{MAX_BYTES, MAX_COLUMNS, MAX_LINE_BYTES, MAX_NESTING};
pub use merge::{Merge, merge, plain_id};
pub use read::{Counts, Reading, Setting, audience, read};
pub use report::{Linted, github, json, render_all, render_chat, render_file, render_text, sarif};
pub use rules::{RULES, Rule};
pub use show::{level_words, show, show_text};
pub use template::{NewPlan, new_plan};
pub use time::{TimeProblem, parse_when};
