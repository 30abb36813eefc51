//! Topic: the promised updates. T-Minus posts one at every interval; until the last stage is done an interval without words
//! from a person counts as missed, says so, and climbs owner → on-call → escalation path until somebody writes. In the
//! watch window the cadence is slower and the bot's own update keeps the promise.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::agenda::{Mark, MarkKind};
use super::decide::Work;
use super::decision::{self, PointState};
use super::effect::{Destination, Priority, Reply};
use super::event::UpdateEvent;
use super::evidence;
use super::minutes;
use super::notice::Notice;
use super::owed::{self, Done};
use super::people::By;
use super::plan::{MetricPlan, Quantity};
use super::refusal::Refusal;
use super::release::{Issue, Phase, Release};
use super::{alert, rollback};

/// After the last stage the interval grows by this factor.
const WATCHING_FACTOR: u32 = 4;
/// While watching a new update is posted this many minutes after the last at the earliest.
const WATCHING_POST_MIN: u32 = 240;

/// When the next update is promised, and how often it was missed in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateClock {
    pub every_min: u32,
    pub next_due: Timestamp,
    pub missed_in_row: u8,
    pub posted: u32,
    pub missed: u32,
    /// The newest update, which is edited while nothing changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastUpdate>,
}

/// An update as it was posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUpdate {
    pub key: String,
    pub at: Timestamp,
    pub text: Option<String>,
    pub by: Option<String>,
    /// What it showed.
    pub state: String,
}

impl UpdateClock {
    /// The clock at go.
    pub fn start(every_min: u32, at: Timestamp) -> Self {
        Self { every_min, next_due: at + minutes(every_min), missed_in_row: 0, posted: 0, missed: 0, last: None }
    }

    /// The promise counts from now on.
    pub fn restart(&mut self, at: Timestamp) {
        (self.missed_in_row, self.next_due) = (0, at + minutes(self.every_min));
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
        evidence::observe(work, &metric, &value)?;
    }
    let (owed, by) = (owed::before(work), work.by());
    let state = state(&work.release, work.ctx.now);
    work.record(UpdateEvent::Written { text: text.clone(), state });
    if owed.as_ref().is_some_and(|owed| owed.update) {
        owed::show(work, owed, Done::Updated { by: by.clone() });
    }
    let key = work.unique("update");
    let notice = Notice::Update { text, by: Some(by), unchanged: None, merged: 0 };
    work.post(key, Destination::Release, notice).priority = Priority::Update;
    Ok(Reply::UpdatePosted)
}

/// What an update shows, in short: the same twice is no news.
fn state(release: &Release, now: Timestamp) -> String {
    let Some(run) = release.phase.run() else { return String::new() };
    let verdicts: Vec<String> =
        release.plan.metrics.iter().map(|metric| format!("{:?}", evidence::judge(metric, run, now))).collect();
    let points = run.points.iter().filter(|point| matches!(point.state, PointState::Open { .. })).count();
    let asked = rollback::proposed(run).map(|case| case.n);
    let (phase, alerts) = (release.phase.name(), alert::open_count(run));
    format!("{phase:?} {} {} {alerts} {points} {asked:?}", run.stage.index, verdicts.join(" "))
}

/// Whether the bot can fill the update itself: every metric measured and fresh, and no question open.
fn filled(release: &Release, now: Timestamp) -> bool {
    let Some(run) = release.phase.run() else { return false };
    let measured = |metric: &MetricPlan| {
        run.observed.get(&metric.name).is_some_and(|seen| seen.measured && evidence::fresh(seen, now))
    };
    let metrics = &release.plan.metrics;
    let asked = rollback::proposed(run).is_some() || decision::open(run).is_some() || run.owed.is_some();
    let unheard = alert::unheard(release).next().is_some() || run.crowd.is_unheard();
    let rolling = matches!(release.phase, Phase::RollingBack { .. });
    !metrics.is_empty() && metrics.iter().all(measured) && !asked && !unheard && !rolling
}

/// The promised instant came: the bot says what it knows.
pub(super) fn due(work: &mut Work<'_>) {
    let watching = matches!(work.release.phase, Phase::Watching { .. });
    let late = |clock: &UpdateClock| {
        let behind = work.ctx.now.duration_since(clock.next_due).as_secs() / 60 / i64::from(clock.every_min.max(1));
        u32::try_from(behind).unwrap_or(0) + 1
    };
    let Some(before) = work.release.phase.run().map(|run| run.updates.clone()) else { return };
    let (merged, now) = (late(&before), work.ctx.now);
    if !watching && !filled(&work.release, now) {
        let owed = owed::before(work);
        work.record(UpdateEvent::Missed);
        let Some(clock) = work.release.phase.run().map(|run| run.updates.clone()) else { return };
        let mention = work.climb(clock.missed_in_row.saturating_sub(1));
        return owed::ask(work, owed.as_ref(), mention, Some(clock.next_due));
    }
    let state = state(&work.release, now);
    if let Some(last) = unchanged(&before, &state, now, watching) {
        work.record(UpdateEvent::Unchanged);
        let notice = Notice::Update { text: last.text, by: last.by, unchanged: Some(now), merged };
        return work.edit(last.key, notice, None);
    }
    work.record(UpdateEvent::Shown { state });
    let until = work.release.phase.run().map(|run| run.updates.next_due);
    let key = work.unique("update");
    let posting =
        work.post(key, Destination::Release, Notice::Update { text: None, by: None, unchanged: None, merged });
    posting.priority = Priority::Update;
    posting.useful_until = until;
}

/// The update that is edited instead of a new one: nothing has changed since, or overnight too little time has passed for a new post.
fn unchanged(clock: &UpdateClock, state: &str, now: Timestamp, watching: bool) -> Option<LastUpdate> {
    let last = clock.last.clone()?;
    let soon = watching && now < last.at + minutes(WATCHING_POST_MIN);
    (last.state == state || soon).then_some(last)
}

pub(super) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    if let Phase::Live { run } | Phase::Watching { run } | Phase::Held { run, .. } | Phase::RollingBack { run, .. } =
        &release.phase
    {
        // Once the all-clear is asked for, updates without news end.
        if run.clear_asked == 0 {
            marks.push(Mark { at: run.updates.next_due, kind: MarkKind::Update });
        }
    }
}

pub(super) fn evolve(release: &mut Release, event: &UpdateEvent, at: Timestamp, by: &By) {
    let key = format!("update/{}", release.seq);
    if matches!(event, UpdateEvent::Missed) {
        release.issues.insert(Issue::MissedUpdate);
    }
    let Some(run) = release.phase.run_mut() else {
        return;
    };
    let clock = &mut run.updates;
    match event {
        UpdateEvent::Written { text, state } => {
            clock.missed_in_row = 0;
            clock.posted += 1;
            clock.next_due = at + minutes(clock.every_min);
            let (text, by, state) = (text.clone(), Some(by.to_string()), state.clone());
            clock.last = Some(LastUpdate { key, at, text, by, state });
            owed::settle(run, |owed| owed.update = false);
        }
        UpdateEvent::Posted | UpdateEvent::Shown { .. } | UpdateEvent::Unchanged | UpdateEvent::Missed => {
            if let UpdateEvent::Shown { state } = event {
                clock.last = Some(LastUpdate { key, at, text: None, by: None, state: state.clone() });
            }
            if matches!(event, UpdateEvent::Missed) {
                clock.missed_in_row = clock.missed_in_row.saturating_add(1);
                clock.missed += 1;
            }
            // Several slots missed while the service was away collapse into the newest.
            let mut merged = 0;
            while clock.next_due <= at {
                clock.next_due += minutes(clock.every_min.max(1));
                merged += 1;
            }
            if matches!(event, UpdateEvent::Missed) {
                owed::add(run, at, |owed| (owed.update, owed.merged) = (true, merged));
            }
        }
    }
}
