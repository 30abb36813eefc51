//! The agenda: a pure function of the release, the one source of what will happen when. Rescheduling is recomputing;
//! there is no job to cancel. This root only collects; each topic names its own marks.

#![deny(clippy::wildcard_enum_match_arm, reason = "a new command, event or mark must break the root that delegates it")]

use jiff::Timestamp;

use super::mark::Mark;
use super::release::Release;
use super::{alert, closing, decision, ladder, lifecycle, rollback, signoff, stage, updates};

/// Every mark ahead, in time order. A mark in the past is due.
pub fn agenda(release: &Release) -> Vec<Mark> {
    let mut marks = Vec::new();
    for topic in [
        lifecycle::rules::marks,
        signoff::rules::marks,
        ladder::rules::marks,
        stage::rules::marks,
        updates::rules::marks,
        decision::rules::marks,
        alert::rules::marks,
        rollback::rules::marks,
        closing::rules::marks,
    ] {
        topic(release, &mut marks);
    }
    marks.sort_by_key(|mark| mark.at);
    marks
}

/// The earliest mark's instant; stored and indexed, so that finding due work costs what is due.
pub fn next_wakeup(release: &Release) -> Option<Timestamp> {
    agenda(release).first().map(|mark| mark.at)
}
