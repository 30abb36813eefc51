//! What customers read on a status page: a text of its own. Names of people, channels, metrics and alerts never stand there.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::phase::During;
use crate::domain::release::{Phase, Release};
use crate::domain::rollback::CaseState;
use crate::domain::stage::view::stage_count;

/// A planned maintenance as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageEntry {
    /// `REL-42`, to find it by.
    pub release: String,
    pub title: String,
    pub body: String,
    pub state: PageState,
    pub starts: Timestamp,
    /// When it ended; before that, the plan's own estimate, or a longer one once that has passed.
    pub ends: Timestamp,
}

/// Where the maintenance stands; the words are Statuspage's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageState {
    Scheduled,
    InProgress,
    Verifying,
    Completed,
    /// Called off.
    Cancelled,
}

impl PageState {
    /// Its name, as Statuspage writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::InProgress => "in_progress",
            Self::Verifying => "verifying",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Longest title and body, in characters: Statuspage takes 255 and 25,000.
const TITLE: usize = 200;
/// The rollout's length where the plan gives none.
const USUAL: SignedDuration = SignedDuration::from_hours(1);
/// A rollout that takes longer is not given more time by itself.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 7);

/// When the maintenance ends, or ended: customers plan by it. One that takes longer than planned is given as much time again, and
/// as much as that if it must be, so that readers are seldom told.
fn ends(release: &Release, starts: Timestamp, now: Timestamp) -> Timestamp {
    let minutes: i64 = release.plan.stages.iter().filter_map(|stage| stage.hold_min).map(i64::from).sum();
    let mut length = if minutes > 0 { SignedDuration::from_mins(minutes) } else { USUAL };
    let ended = match &release.phase {
        // Whoever holds the watch takes nothing back from customers: the last stage is done.
        Phase::Watching { run } | Phase::Held { run, back: During::Watching, .. } => Some(run.stage.since),
        Phase::RolledBack { closing, .. } => Some(closing.since),
        // It was over for customers when the last stage was done, not when the watch was.
        Phase::AllClear { closing, .. } | Phase::Closed { closing, .. } => {
            let done =
                release.phase.run().filter(|run| run.stage.index >= stage_count(release) && run.cases.is_empty());
            Some(done.map_or(closing.since, |run| run.stage.since))
        }
        Phase::Scrubbed { at, .. } => Some(*at),
        Phase::Live { .. } | Phase::Held { .. } | Phase::RollingBack { .. } => {
            while starts + length <= now && length < LONGEST {
                length += length;
            }
            None
        }
        Phase::Draft | Phase::Gathering { .. } | Phase::Approved { .. } | Phase::HeldBefore { .. } => None,
    };
    // Called off, it may end before it began; no page takes that.
    ended.map_or(starts + length, |at| at.max(starts + SignedDuration::from_mins(1)))
}

/// The release on a status page; `None` while there is nothing to show.
pub fn entry(release: &Release, now: Timestamp) -> Option<PageEntry> {
    let starts = release.t0()?;
    let (state, body) = match &release.phase {
        Phase::Draft => return None,
        Phase::Gathering { .. } | Phase::Approved { .. } => {
            (PageState::Scheduled, "We will be updating this service. Brief interruptions are possible.")
        }
        Phase::HeldBefore { .. } => (PageState::Scheduled, "The update is postponed. We will post the new time here."),
        Phase::Live { .. } => (PageState::InProgress, "The update is in progress. Brief interruptions are possible."),
        Phase::Held { back: During::Live, .. } => (PageState::InProgress, "The update is paused while we review it."),
        Phase::Watching { .. } | Phase::Held { back: During::Watching, .. } => {
            (PageState::Verifying, "The update is in place. We are monitoring it.")
        }
        Phase::RollingBack { .. } => {
            (PageState::InProgress, "We are rolling back the update. Brief interruptions are possible.")
        }
        Phase::RolledBack { .. } => (PageState::Completed, "We rolled back the update. The service runs as before."),
        Phase::AllClear { .. } | Phase::Closed { .. } => {
            let back = release
                .phase
                .run()
                .is_some_and(|run| run.cases.iter().any(|c| matches!(c.state, CaseState::Verified { .. })));
            let text = if back {
                "We rolled back the update. The service runs as before."
            } else {
                "The update is complete. Thank you for your patience."
            };
            (PageState::Completed, text)
        }
        Phase::Scrubbed { .. } => (PageState::Cancelled, "We cancelled the update. Nothing changes."),
    };
    let title: String = release.plan.title.chars().filter(|c| !c.is_control()).take(TITLE).collect();
    Some(PageEntry {
        release: release.no.to_string(),
        title: format!("Scheduled maintenance: {title}"),
        body: body.to_owned(),
        state,
        starts,
        ends: ends(release, starts, now),
    })
}
