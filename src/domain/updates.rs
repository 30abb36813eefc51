//! Topic: the promised updates. T-Minus posts one at every interval; until the last stage is done an interval without words
//! from a person counts as missed, says so, and climbs owner → on-call → escalation path until somebody writes. In the
//! watch window the cadence is slower and the bot's own update keeps the promise.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::agenda::{Mark, MarkKind};
use super::alert;
use super::decide::Work;
use super::effect::{Destination, Priority, Prompt, Reply};
use super::event::UpdateEvent;
use super::minutes;
use super::notice::Notice;
use super::plan::Quantity;
use super::refusal::Refusal;
use super::release::{Issue, Phase, Release};

/// After the last stage the interval grows by this factor.
const WATCHING_FACTOR: u32 = 4;

/// When the next update is promised, and how often it was missed in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateClock {
    pub every_min: u32,
    pub next_due: Timestamp,
    pub missed_in_row: u8,
    pub posted: u32,
    pub missed: u32,
}

impl UpdateClock {
    /// The clock at go.
    pub fn start(every_min: u32, at: Timestamp) -> Self {
        Self { every_min, next_due: at + minutes(every_min), missed_in_row: 0, posted: 0, missed: 0 }
    }

    /// The slower cadence of the watch window.
    pub fn slow_down(&mut self, at: Timestamp) {
        self.every_min = self.every_min.saturating_mul(WATCHING_FACTOR).min(240);
        self.missed_in_row = 0;
        self.next_due = at + minutes(self.every_min);
    }
}

pub(super) fn decide(
    work: &mut Work<'_>,
    text: Option<String>,
    values: Vec<(String, Quantity)>,
) -> Result<Reply, Refusal> {
    let text = text.map(|t| t.trim().chars().take(1500).collect::<String>()).filter(|t| !t.is_empty());
    if text.is_none() && values.is_empty() {
        return Err(Refusal::ReasonNeeded);
    }
    for (metric, value) in values {
        alert::observe(work, &metric, &value)?;
    }
    work.record(UpdateEvent::Written { text: text.clone() });
    let (key, by) = (work.unique("update"), work.by());
    let posting = work.post(key, Destination::Release, Notice::Update { text, by: Some(by), missed: 0, merged: 0 });
    posting.priority = Priority::Update;
    Ok(Reply::UpdatePosted)
}

/// The promised instant came: the bot says what it knows.
pub(super) fn due(work: &mut Work<'_>) {
    let watching = matches!(work.release.phase, Phase::Watching { .. });
    let late = |clock: &UpdateClock| {
        let behind = work.ctx.now.duration_since(clock.next_due).as_secs() / 60 / i64::from(clock.every_min.max(1));
        u32::try_from(behind).unwrap_or(0) + 1
    };
    let merged = work.release.phase.run().map_or(1, |run| late(&run.updates));
    work.record(if watching { UpdateEvent::Posted } else { UpdateEvent::Missed });
    let Some(clock) = work.release.phase.run().map(|run| run.updates.clone()) else {
        return;
    };
    let missed = clock.missed_in_row;
    let mention = if watching { Vec::new() } else { work.climb(missed.saturating_sub(1)) };
    let key = work.unique("update");
    let posting = work.post(key, Destination::Release, Notice::Update { text: None, by: None, missed, merged });
    posting.priority = Priority::Update;
    posting.useful_until = Some(clock.next_due);
    posting.prompt = Some(Prompt::Update);
    posting.mention = mention;
}

pub(super) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    if let Phase::Live { run } | Phase::Watching { run } | Phase::Held { run, .. } | Phase::RollingBack { run, .. } =
        &release.phase
    {
        marks.push(Mark { at: run.updates.next_due, kind: MarkKind::Update });
    }
}

pub(super) fn evolve(release: &mut Release, event: &UpdateEvent, at: Timestamp) {
    if matches!(event, UpdateEvent::Missed) {
        release.issues.insert(Issue::MissedUpdate);
    }
    let Some(run) = release.phase.run_mut() else {
        return;
    };
    let clock = &mut run.updates;
    match event {
        UpdateEvent::Written { .. } => {
            clock.missed_in_row = 0;
            clock.posted += 1;
            clock.next_due = at + minutes(clock.every_min);
        }
        UpdateEvent::Posted | UpdateEvent::Missed => {
            if matches!(event, UpdateEvent::Missed) {
                clock.missed_in_row = clock.missed_in_row.saturating_add(1);
                clock.missed += 1;
            }
            // Several slots missed while the service was away collapse into the newest.
            while clock.next_due <= at {
                clock.next_due += minutes(clock.every_min.max(1));
            }
        }
    }
}
