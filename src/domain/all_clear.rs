//! Topic: the all-clear. What stands against it, the question for it, and a release that is watched again after it.

use jiff::Timestamp;

use super::alert;
use super::amend;
use super::closing;
use super::decide::Work;
use super::decision::PointState;
use super::effect::{Destination, Priority, Prompt, Reply};
use super::event::ClosingEvent;
use super::evidence::{self, Judged};
use super::ladder;
use super::minutes;
use super::notice::Notice;
use super::outcome::{self, Outcome};
use super::plan::t_label;
use super::refusal::{Open, Refusal, Wanted};
use super::release::{Phase, Release, Run};
use super::rollback;
use super::stage::stage_count;

/// Minutes after everything is decided at which the all-clear is asked for, first after a moment in which it may be given unasked;
/// no further reminder after the last.
pub const CLEAR_ASKED_AFTER_MIN: [u32; 8] = [5, 35, 125, 245, 1_440, 2_880, 4_320, 5_760];
/// How long after the all-clear alerts still concern a release whose plan names no time, in minutes.
const MONITORED_MIN: u32 = 24 * 60;

/// Until when alerts still concern a release that is all clear: for the longest time an action of its plan names ("Monitor dashboards
/// for next 24 hours"). `None` in every other phase.
pub fn monitored_until(release: &Release) -> Option<Timestamp> {
    let Phase::AllClear { closing, .. } = &release.phase else { return None };
    let longest = release.plan.actions.iter().filter_map(|action| action.for_min).max();
    Some(closing.since + minutes(longest.unwrap_or(MONITORED_MIN)))
}

/// Whether an alert asks whether to watch the release again.
pub fn watches_again(release: &Release) -> bool {
    matches!(release.phase, Phase::AllClear { .. })
}

/// What stands against the all-clear.
pub fn all_clear_gaps(release: &Release, now: Timestamp) -> Vec<Open> {
    let Some(run) = release.phase.run() else {
        return Vec::new();
    };
    let mut open = Vec::new();
    if rollback::proposed(run).is_some() {
        open.push(Open::RollbackPrompt);
    }
    open.extend(firing(run));
    let unanswered = run.points.iter().filter(|p| !matches!(p.state, PointState::Decided { .. }));
    open.extend(unanswered.map(|p| Open::Point { label: t_label(i64::from(p.after_min)) }));
    if matches!(release.phase, Phase::Live { .. }) {
        open.push(Open::StagesLeft { done: run.stage.index, of: stage_count(release) });
    }
    if run.updates.missed_in_row > 1 {
        open.push(Open::UpdateOverdue);
    }
    open.extend(not_healthy(release, run, now));
    open
}

/// Metrics without a fresh good value.
pub(super) fn not_healthy(release: &Release, run: &Run, now: Timestamp) -> Vec<Open> {
    let mut open = Vec::new();
    for metric in &release.plan.metrics {
        match evidence::judge(metric, run, now) {
            // Its alert stands in the list already.
            Judged::Ok | Judged::Firing => {}
            Judged::NoData => open.push(Open::NoData { metric: metric.name.clone() }),
            Judged::Between | Judged::Breach => {
                let unit = metric.success.as_ref().or(metric.alert.as_ref()).map_or("", |b| b.than.unit.as_str());
                let value = run.observed.get(&metric.name).map_or(f64::NAN, |o| o.value);
                let shown = super::plan::Quantity { value, unit: unit.to_owned() };
                let success = metric.success.as_ref().map_or(String::new(), ToString::to_string);
                open.push(Open::NotHealthy { metric: metric.name.clone(), value: shown.to_string(), success });
            }
        }
    }
    open
}

/// Alerts of the run that fire.
pub(super) fn firing(run: &Run) -> Vec<Open> {
    let named = run.alerts.iter().filter(|alert| alert.counts()).map(|alert| Open::Alert { name: alert.name.clone() });
    let more = run.crowd.open_count();
    named.chain((more > 0).then_some(Open::MoreAlerts { count: more })).collect()
}

pub(super) fn all_clear(work: &mut Work<'_>) -> Result<Reply, Refusal> {
    let items = all_clear_gaps(&work.release, work.ctx.now);
    if !items.is_empty() {
        return Err(Refusal::Open { wanted: Wanted::AllClear, items });
    }
    amend::lapse(work);
    let question = work.release.phase.run().and_then(|run| run.clear_question.clone());
    work.record(ClosingEvent::AllClear);
    if let Some(question) = question {
        let by = work.by();
        work.edit(question, Notice::ClearGiven { by }, None);
    }
    ladder::leave_pages(work);
    let by = work.by();
    let key = work.unique("all-clear");
    work.post(key, Destination::Release, Notice::AllClear { by });
    outcome::tell(work, Outcome::AllClear);
    closing::close_if_settled(work);
    Ok(Reply::AllClear)
}

/// The all-clear was given too soon: the release is watched again.
pub(super) fn rewatch(work: &mut Work<'_>) -> Result<Reply, Refusal> {
    work.record(ClosingEvent::Rewatched);
    let (key, by, mention) = (work.unique("rewatched"), work.by(), work.crew());
    work.post(key, Destination::Release, Notice::Rewatched { by }).mention = mention;
    alert::show_all(work);
    outcome::tell(work, Outcome::Rewatched);
    Ok(Reply::Rewatched)
}

/// When the all-clear is asked for: a moment after the last stage and the last decision point, then again.
pub(super) fn clear_ask(release: &Release) -> Option<Timestamp> {
    let Phase::Watching { run } = &release.phase else { return None };
    let mut since = run.watched_from.unwrap_or(run.stage.since);
    for point in &run.points {
        let PointState::Decided { at, .. } = &point.state else { return None };
        since = since.max(*at);
    }
    let after = CLEAR_ASKED_AFTER_MIN.get(usize::from(run.clear_asked))?;
    Some(since + minutes(*after))
}

/// Everything is decided: the owner is asked for the all-clear, and updates without news end.
pub(super) fn ask_clear(work: &mut Work<'_>) {
    let question = work.release.phase.run().and_then(|run| run.clear_question.clone());
    work.record(ClosingEvent::ClearAsked);
    let asked = work.release.phase.run().map_or(0, |run| run.clear_asked);
    let (key, open, first) = (work.unique("clear"), all_clear_gaps(&work.release, work.ctx.now), question.is_none());
    // It climbs once, and not for ever.
    let mention = work.climb(u8::from(asked > 3));
    let posting = work.post(key, Destination::Release, Notice::ClearAsk { asked, open });
    posting.mention = mention;
    posting.priority = Priority::Prompt;
    posting.prompt = first.then_some(Prompt::AllClear);
    posting.reply_to = question.map(Into::into);
}
