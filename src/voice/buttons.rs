//! The buttons of a prompt.

use super::words;
use crate::domain::decision::Verdict;
use crate::domain::plan::span_label;
use crate::domain::prompt::{self, Choice, Prompt};
use crate::domain::release::Release;
use crate::voice::message::{Button, Style};

/// The buttons of a prompt as it stands now.
pub fn buttons(release: &Release, prompt: &Prompt) -> Vec<Button> {
    prompt::rules::choices(release, prompt).into_iter().map(button).collect()
}

fn button(choice: Choice) -> Button {
    let (label, style) = match choice {
        Choice::Sign(role) => (format!("Sign as {role}"), Style::Good),
        Choice::Briefed => ("Briefed".to_owned(), Style::Good),
        Choice::Unverified => ("Rolled back, not verified".to_owned(), Style::Quiet),
        Choice::Go => ("Go".to_owned(), Style::Good),
        Choice::Scrub => ("Cancel release".to_owned(), Style::Danger),
        Choice::Resume => ("Resume".to_owned(), Style::Main),
        Choice::Advance => ("Advance".to_owned(), Style::Main),
        Choice::Extend => (format!("Extend {}", span_label(u64::from(prompt::EXTEND_MIN))), Style::Quiet),
        Choice::AllClear => ("All clear".to_owned(), Style::Good),
        Choice::Rewatch => ("Watch again".to_owned(), Style::Quiet),
        Choice::Acknowledge => ("Acknowledge".to_owned(), Style::Main),
        Choice::Verdict(Verdict::RollBack) => ("Roll back".to_owned(), Style::Danger),
        Choice::Verdict(verdict) => (words::verdict(verdict).to_owned(), Style::Quiet),
        Choice::Verified => ("Rolled back and verified".to_owned(), Style::Good),
        Choice::Failed => ("Rollback failed".to_owned(), Style::Danger),
        Choice::WriteUpdate => ("Write update".to_owned(), Style::Main),
        Choice::Submit => ("Submit for sign-off".to_owned(), Style::Main),
        Choice::FilePostmortem => ("File post-mortem".to_owned(), Style::Main),
        Choice::Pick => ("Pick".to_owned(), Style::Quiet),
        Choice::ApplyFixes => ("Apply safe fixes".to_owned(), Style::Main),
        Choice::DownloadFixed => ("Download fixed plan".to_owned(), Style::Quiet),
        Choice::EditAgain => ("Edit again".to_owned(), Style::Main),
        Choice::SendAgain => ("Send again".to_owned(), Style::Main),
        Choice::Undo => ("Undo".to_owned(), Style::Quiet),
        Choice::Agree => ("Agree".to_owned(), Style::Good),
        Choice::Decline => ("Decline".to_owned(), Style::Quiet),
        Choice::Snooze => ("Delay reminder by 4 hours".to_owned(), Style::Quiet),
        Choice::CallSent => ("It was posted".to_owned(), Style::Good),
    };
    Button { choice, label, style }
}
