//! Which items are open, and what stands against the all-clear.

use jiff::{SignedDuration, Timestamp};

use super::{ACTION_DAYS, CLEAR_ASKED_AFTER_MIN, MONITORED_MIN, Postmortem};
use crate::domain::decision::PointState;
use crate::domain::evidence::{self, Judged};
use crate::domain::open::Open;
use crate::domain::plan::{self, t_label};
use crate::domain::refusal::Refusal;
use crate::domain::release::{Phase, Release, Run};
use crate::domain::stage::view::stage_count;
use crate::domain::{ladder, minutes, rollback, signoff};

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
    if rollback::view::proposed(run).is_some() {
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
pub(in crate::domain) fn not_healthy(release: &Release, run: &Run, now: Timestamp) -> Vec<Open> {
    let mut open = Vec::new();
    for metric in &release.plan.metrics {
        match evidence::view::judge(metric, run, now) {
            // Its alert stands in the list already.
            Judged::Ok | Judged::Firing => {}
            Judged::NoData => open.push(Open::NoData { metric: metric.name.clone() }),
            Judged::Between | Judged::Breach => {
                let unit = metric.success.as_ref().or(metric.alert.as_ref()).map_or("", |b| b.than.unit.as_str());
                let value = run.observed.get(&metric.name).map_or(f64::NAN, |o| o.value);
                let shown = plan::Quantity { value, unit: unit.to_owned() };
                let success = metric.success.as_ref().map_or(String::new(), ToString::to_string);
                open.push(Open::NotHealthy { metric: metric.name.clone(), value: shown.to_string(), success });
            }
        }
    }
    open
}

/// Alerts of the run that fire.
pub(in crate::domain) fn firing(run: &Run) -> Vec<Open> {
    let named = run.alerts.iter().filter(|alert| alert.counts()).map(|alert| Open::Alert { name: alert.name.clone() });
    let more = run.crowd.open_count();
    named.chain((more > 0).then_some(Open::MoreAlerts { count: more })).collect()
}

/// When the all-clear is asked for: a moment after the last stage and the last decision point, then again.
pub(in crate::domain) fn clear_ask(release: &Release) -> Option<Timestamp> {
    let Phase::Watching { run } = &release.phase else { return None };
    let mut since = run.watched_from.unwrap_or(run.stage.since);
    for point in &run.points {
        let PointState::Decided { at, .. } = &point.state else { return None };
        since = since.max(*at);
    }
    let after = CLEAR_ASKED_AFTER_MIN.get(usize::from(run.clear_asked))?;
    Some(since + minutes(*after))
}

/// The newest reminder of the post-mortem, if there was one.
pub(super) fn reminder_key(release: &Release) -> Option<String> {
    match release.phase.closing().map(|closing| &closing.postmortem) {
        Some(Postmortem::Due { reminders, .. }) if *reminders > 0 => Some(format!("postmortem/{reminders}")),
        _ => None,
    }
}

/// Items that can be ticked now: gates before go, actions after it. The text or the id may be typed.
pub fn open_items(release: &Release) -> Vec<(String, String)> {
    match &release.phase {
        Phase::Draft | Phase::Gathering { .. } | Phase::Approved { .. } | Phase::HeldBefore { .. } => release
            .plan
            .gates
            .iter()
            .filter(|gate| !gate.done && !release.gates_done.contains(&gate.id))
            .map(|gate| (gate.id.clone(), gate.text.clone()))
            .collect(),
        phase => phase.closing().map_or(Vec::new(), |closing| {
            let open = closing.actions.iter().filter(|a| a.settled.is_none());
            open.map(|a| (a.id.clone(), a.text.clone())).collect()
        }),
    }
}

/// Items that can be waived now: those to be ticked, and receipts that go waits for.
pub fn waivable_items(release: &Release) -> Vec<(String, String)> {
    let mut items = open_items(release);
    if release.phase.run().is_none() && !release.ended() {
        items.extend(ladder::view::owed(release).map(|rung| (rung.key(), rung.key())));
    }
    if release.phase.closing().is_some() && !release.ended() {
        let owed = signoff::view::owed(release).into_iter();
        items.extend(owed.map(|role| (signoff::item(role), format!("{role} sign-off due after break-glass"))));
    }
    items
}

pub(super) fn named(open: Vec<(String, String)>, typed: &str) -> Result<(String, String), Refusal> {
    let wanted = typed.trim().to_lowercase();
    let found =
        open.iter().find(|(id, text)| id.to_lowercase() == wanted || text.to_lowercase() == wanted).or_else(|| {
            let mut hits = open.iter().filter(|(_, text)| !wanted.is_empty() && text.to_lowercase().contains(&wanted));
            hits.next().filter(|_| hits.next().is_none())
        });
    found.cloned().ok_or_else(|| Refusal::UnknownItem {
        typed: typed.to_owned(),
        known: open.into_iter().map(|(_, text)| text).collect(),
    })
}

/// When open actions are listed next.
pub(super) fn action_reminder(release: &Release) -> Option<Timestamp> {
    let closing = release.phase.closing()?;
    let waiting = closing.actions.iter().any(|a| a.settled.is_none() && (a.over_at.is_none() || a.asked));
    let after = ACTION_DAYS.get(usize::from(closing.action_reminders)).filter(|_| waiting)?;
    Some(closing.since + SignedDuration::from_hours(24 * after))
}
