//! The rules of updates: written by a person, shown by the bot, missed.

use jiff::Timestamp;

use super::{LastUpdate, UpdateClock, UpdateEvent, UpdateMark, UpdateNotice, UpdateReply};
use crate::domain::closing::Issue;
use crate::domain::decision::{self, PointState};
use crate::domain::effect::Priority;
use crate::domain::ids::Destination;
use crate::domain::mark::Mark;
use crate::domain::people::By;
use crate::domain::plan::{MetricPlan, Quantity};
use crate::domain::refusal::Refusal;
use crate::domain::release::{Phase, Release};
use crate::domain::reply::Reply;
use crate::domain::stage::{self, Done};
use crate::domain::work::Work;
use crate::domain::{alert, evidence, minutes, rollback};

/// While watching a new update is posted this many minutes after the last at the earliest.
const WATCHING_POST_MIN: u32 = 240;

pub(in crate::domain) fn decide(
    work: &mut Work<'_>,
    text: Option<String>,
    values: Vec<(String, Quantity)>,
) -> Result<Reply, Refusal> {
    let text = text.map(|t| t.trim().chars().take(1500).collect::<String>()).filter(|t| !t.is_empty());
    if text.is_none() && values.is_empty() {
        return Err(Refusal::ReasonNeeded);
    }
    for (metric, value) in values {
        evidence::rules::observe(work, &metric, &value)?;
    }
    let (owed, by) = (stage::owed::before(work), work.by());
    let state = state(&work.release, work.ctx.now);
    work.record(UpdateEvent::Written { text: text.clone(), state });
    if owed.as_ref().is_some_and(|owed| owed.update) {
        stage::owed::show(work, owed, Done::Updated { by: by.clone() });
    }
    let key = work.unique("update");
    let notice = UpdateNotice { text, by: Some(by), unchanged: None, merged: 0 };
    work.post(key, Destination::Release, notice).priority = Priority::Update;
    Ok(UpdateReply::Posted.into())
}

/// What an update shows, in short: the same twice is no news.
pub(super) fn state(release: &Release, now: Timestamp) -> String {
    let Some(run) = release.phase.run() else { return String::new() };
    let verdicts: Vec<String> =
        release.plan.metrics.iter().map(|metric| format!("{:?}", evidence::view::judge(metric, run, now))).collect();
    let points = run.points.iter().filter(|point| matches!(point.state, PointState::Open { .. })).count();
    let asked = rollback::view::proposed(run).map(|case| case.n);
    let (phase, alerts) = (release.phase.name(), alert::view::open_count(run));
    format!("{phase:?} {} {} {alerts} {points} {asked:?}", run.stage.index, verdicts.join(" "))
}

/// Whether the bot can fill the update itself: every metric measured and fresh, and no question open.
fn filled(release: &Release, now: Timestamp) -> bool {
    let Some(run) = release.phase.run() else { return false };
    let measured = |metric: &MetricPlan| {
        run.observed.get(&metric.name).is_some_and(|seen| seen.measured && evidence::view::fresh(seen, now))
    };
    let metrics = &release.plan.metrics;
    let asked = rollback::view::proposed(run).is_some() || decision::view::open(run).is_some() || run.owed.is_some();
    let unheard = alert::view::unheard(release).next().is_some() || run.crowd.is_unheard();
    let rolling = matches!(release.phase, Phase::RollingBack { .. });
    !metrics.is_empty() && metrics.iter().all(measured) && !asked && !unheard && !rolling
}

/// The promised instant came: the bot says what it knows.
pub(in crate::domain) fn due(work: &mut Work<'_>) {
    let watching = matches!(work.release.phase, Phase::Watching { .. });
    let late = |clock: &UpdateClock| {
        let behind = work.ctx.now.duration_since(clock.next_due).as_secs() / 60 / i64::from(clock.every_min.max(1));
        u32::try_from(behind).unwrap_or(0) + 1
    };
    let Some(before) = work.release.phase.run().map(|run| run.updates.clone()) else { return };
    let (merged, now) = (late(&before), work.ctx.now);
    if !watching && !filled(&work.release, now) {
        let owed = stage::owed::before(work);
        work.record(UpdateEvent::Missed);
        let Some(clock) = work.release.phase.run().map(|run| run.updates.clone()) else { return };
        let mention = work.climb(clock.missed_in_row.saturating_sub(1));
        return stage::owed::ask(work, owed.as_ref(), mention, Some(clock.next_due));
    }
    let state = state(&work.release, now);
    if let Some(last) = unchanged(&before, &state, now, watching) {
        work.record(UpdateEvent::Unchanged);
        let notice = UpdateNotice { text: last.text, by: last.by, unchanged: Some(now), merged };
        return work.edit(last.key, notice, None);
    }
    work.record(UpdateEvent::Shown { state });
    let until = work.release.phase.run().map(|run| run.updates.next_due);
    let key = work.unique("update");
    let posting = work.post(key, Destination::Release, UpdateNotice { text: None, by: None, unchanged: None, merged });
    posting.priority = Priority::Update;
    posting.useful_until = until;
}

/// The update that is edited instead of a new one: nothing has changed since, or overnight too little time has passed for a new post.
fn unchanged(clock: &UpdateClock, state: &str, now: Timestamp, watching: bool) -> Option<LastUpdate> {
    let last = clock.last.clone()?;
    let soon = watching && now < last.at + minutes(WATCHING_POST_MIN);
    (last.state == state || soon).then_some(last)
}

pub(in crate::domain) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    if let Phase::Live { run } | Phase::Watching { run } | Phase::Held { run, .. } | Phase::RollingBack { run, .. } =
        &release.phase
    {
        // Once the all-clear is asked for, updates without news end.
        if run.clear_asked == 0 {
            marks.push(Mark::new(run.updates.next_due, UpdateMark::Due));
        }
    }
}

pub(in crate::domain) fn evolve(release: &mut Release, event: &UpdateEvent, at: Timestamp, by: &By) {
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
            stage::owed::settle(run, |owed| owed.update = false);
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
                stage::owed::add(run, at, |owed| (owed.update, owed.merged) = (true, merged));
            }
        }
    }
}
