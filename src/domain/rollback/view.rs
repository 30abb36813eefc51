//! Which rollback prompt is open, and what speaks against calling a rollback verified.

use jiff::Timestamp;

use super::{Case, CaseState};
use crate::domain::closing;
use crate::domain::open::Open;
use crate::domain::release::{Phase, Release, Run};

/// The prompt that waits for an answer.
pub fn proposed(run: &Run) -> Option<&Case> {
    run.cases.last().filter(|case| matches!(case.state, CaseState::Proposed { .. }))
}

/// What speaks against calling a rollback verified: an alert that fires, or a metric without a fresh good value.
pub fn unverified(release: &Release, now: Timestamp) -> Vec<Open> {
    let Some(run) = release.phase.run() else { return Vec::new() };
    let mut open = closing::view::firing(run);
    open.extend(closing::view::not_healthy(release, run, now));
    open
}

/// Whether the release was rolled back while something spoke against calling it verified.
pub fn ended_unverified(release: &Release) -> bool {
    matches!(&release.phase, Phase::RolledBack { case, .. } if matches!(case.state, CaseState::Verified { unverified: true, .. }))
}
