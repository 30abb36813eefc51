//! The rules of evidence: what a value or an alert does to the triggers of the plan.

use jiff::{SignedDuration, Timestamp};

use super::view::{fires, firing, fresh, in_unit, read};
use super::{CHECK_EVERY_S, EvidenceMark, Observation, TriggerState, metric_named, reportable, rules, same_metric};
use crate::domain::alert::event::AlertEvent;
use crate::domain::alert::{self, Alert, Signal};
use crate::domain::lateness::{Away, Late};
use crate::domain::mark::Mark;
use crate::domain::plan::{self, Quantity, TriggerRule};
use crate::domain::refusal::Refusal;
use crate::domain::release::{Phase, Release, Run};
use crate::domain::rollback::{self, Cause};
use crate::domain::seconds;
use crate::domain::work::Work;

/// What is said of one metric or check.
struct Evidence<'a> {
    subjects: Vec<&'a str>,
    proof: Proof,
    since: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Proof {
    Value(f64),
    /// Its alert fires: with a value, where one can be read, and said so often.
    Alert {
        value: Option<f64>,
        times: u32,
    },
    /// Its data stays away.
    Missing,
}

impl Evidence<'_> {
    fn speaks_of(&self, part: &TriggerRule) -> bool {
        self.subjects.iter().any(|subject| same_metric(subject, part.subject()))
    }
}

/// What a firing alert of a source proves: its value is an observation, and the alert is evidence for the triggers.
pub(in crate::domain) fn of_alert(work: &mut Work<'_>, signal: &Signal) {
    let reading = read(&work.release.plan, signal);
    if let (Some(metric), Some(value)) = (&reading.metric, reading.value) {
        let observation = Observation { value, at: work.ctx.now, by: signal.source.clone(), measured: true };
        work.record(AlertEvent::Observed { metric: metric.clone(), observation });
    }
    let id = signal.id();
    let known = alert::view::of(&work.release).iter().rev().find(|alert| alert.counts() && alert.key.starts_with(&id));
    // What ended in between and came back has held only since then.
    let (times, since) = known.map_or((1, signal.starts_at), |known| (known.count, holds_since(known, signal)));
    let proof = proof(reading.value, signal.no_data, times);
    let subjects: Vec<&str> = signal.metric.as_deref().into_iter().chain([signal.name.as_str()]).collect();
    weigh_all(work, &Evidence { subjects, proof, since: since - seconds(signal.held_s) });
}

fn holds_since(known: &Alert, signal: &Signal) -> Timestamp {
    if known.returns > 0 || known.again.is_some() { known.heard.max(signal.starts_at) } else { signal.starts_at }
}

/// What an alert proves that fires again and is believed now.
pub(in crate::domain) fn of_open_alert(work: &mut Work<'_>, alert: &Alert) {
    let subjects: Vec<&str> = alert.metric.as_deref().into_iter().chain([alert.name.as_str()]).collect();
    let proof = proof(alert.value.filter(|_| alert.unread.is_none()), alert.no_data, alert.count);
    weigh_all(work, &Evidence { subjects, proof, since: alert.again.unwrap_or(work.ctx.now) });
}

fn proof(value: Option<f64>, no_data: bool, times: u32) -> Proof {
    if no_data { Proof::Missing } else { Proof::Alert { value, times } }
}

/// An alert ended: what rested on it alone no longer holds.
pub(in crate::domain) fn ended(work: &mut Work<'_>, signal: &Signal) {
    let names = |part: &TriggerRule| {
        let metric = signal.metric.as_deref().is_some_and(|metric| same_metric(metric, part.subject()));
        metric || same_metric(&signal.name, part.subject())
    };
    let held =
        |work: &Work<'_>, part: &TriggerRule| work.release.phase.run().is_some_and(|run| fires(run, part.subject()));
    for (trigger, rule) in rules(&work.release.plan) {
        let spoken: Vec<&TriggerRule> = rule.parts().iter().filter(|part| names(part)).collect();
        // Of several conditions each counts.
        if !spoken.is_empty() && !spoken.into_iter().all(|part| held(work, part)) {
            clear(work, trigger);
        }
    }
}

/// Records a person's value and weighs it; returns the plan's name of the metric or check.
///
/// # Errors
/// Unknown metric, or a value that is no number.
pub(in crate::domain) fn observe(work: &mut Work<'_>, typed: &str, seen: &Quantity) -> Result<String, Refusal> {
    let plan = &work.release.plan;
    let found = metric_named(plan, typed);
    let Some(value) = in_unit(seen, found) else {
        return Err(Refusal::BadNumber { typed: seen.to_string() });
    };
    let known = reportable(plan);
    let name = found.map(|metric| metric.name.clone());
    let name = name.or_else(|| known.iter().find(|name| same_metric(name, typed)).cloned());
    let Some(name) = name else {
        return Err(Refusal::UnknownItem { typed: typed.to_owned(), known });
    };
    let now = work.ctx.now;
    let observation = Observation { value, at: now, by: work.by(), measured: false };
    work.record(AlertEvent::Observed { metric: name.clone(), observation });
    weigh_all(work, &Evidence { subjects: vec![&name], proof: Proof::Value(value), since: now });
    Ok(name)
}

/// Whether a rule's condition holds. A part the evidence does not speak of is judged by what is known of it: its latest fresh
/// observation, or an alert about it that is still open. What cannot be told is `None`.
fn holds(work: &Work<'_>, rule: &TriggerRule, evidence: &Evidence<'_>) -> Option<bool> {
    if let TriggerRule::All(parts) = rule {
        let judged: Vec<Option<bool>> = parts.iter().map(|part| holds(work, part, evidence)).collect();
        // One part that does not hold is enough to know.
        if judged.contains(&Some(false)) {
            return Some(false);
        }
        return judged.into_iter().collect::<Option<Vec<bool>>>().map(|parts| !parts.is_empty());
    }
    let proof = if evidence.speaks_of(rule) { Some(evidence.proof) } else { known(work, rule.subject()) };
    let in_time = |within_s: Option<u32>| {
        within_s.is_none_or(|within| work.release.t0().is_some_and(|t0| work.ctx.now <= t0 + seconds(within)))
    };
    match (rule, proof?) {
        (TriggerRule::Silent { .. }, Proof::Value(value) | Proof::Alert { value: Some(value), .. }) => {
            Some(value == 0.0)
        }
        (TriggerRule::Silent { .. }, Proof::Missing | Proof::Alert { value: None, .. }) => Some(true),
        // Missing data is no data: it says nothing of a limit.
        (_, Proof::Missing) => None,
        (
            TriggerRule::Exceeds { within_s, .. } | TriggerRule::Moves { within_s, .. },
            Proof::Alert { value: None, .. },
        ) => Some(in_time(*within_s)),
        (
            TriggerRule::Exceeds { bound, within_s, .. },
            Proof::Value(value) | Proof::Alert { value: Some(value), .. },
        ) => Some(in_time(*within_s) && bound.holds(value)),
        (
            TriggerRule::Moves { metric, down, percent, within_s, .. },
            Proof::Value(value) | Proof::Alert { value: Some(value), .. },
        ) => {
            let baseline = metric_named(&work.release.plan, metric).and_then(|m| m.baseline.as_ref())?;
            let factor = if *down { 1.0 - percent / 100.0 } else { 1.0 + percent / 100.0 };
            let edge = baseline.value * factor;
            Some(in_time(*within_s) && if *down { value < edge } else { value > edge })
        }
        // An alert about a check says that it fails, even with the value 0 (`probe_success == 0`).
        (TriggerRule::Fails { .. } | TriggerRule::Down { .. }, Proof::Alert { .. }) => Some(true),
        (TriggerRule::Fails { times, .. }, Proof::Value(value)) => Some(value >= f64::from(*times)),
        (TriggerRule::Down { .. }, Proof::Value(value)) => Some(value >= 1.0),
        (TriggerRule::All(_), _) => None,
    }
}

/// What is known of a metric or check now.
fn known(work: &Work<'_>, subject: &str) -> Option<Proof> {
    let run = work.release.phase.run()?;
    let metric = metric_named(&work.release.plan, subject).map_or(subject, |metric| metric.name.as_str());
    let seen = run.observed.get(metric).filter(|seen| fresh(seen, work.ctx.now));
    let by_value = seen.map(|seen| Proof::Value(seen.value));
    let own = || firing(run, subject).map(|alert| proof(alert.value, alert.no_data, alert.count));
    by_value.or_else(own).or_else(|| run.crowd.speaks_of(subject).then(|| proof(None, false, 1)))
}

fn weigh_all(work: &mut Work<'_>, evidence: &Evidence<'_>) {
    for (trigger, rule) in rules(&work.release.plan) {
        if rule.parts().iter().any(|part| evidence.speaks_of(part)) {
            weigh(work, trigger, &rule, evidence);
        }
    }
}

fn weigh(work: &mut Work<'_>, trigger: usize, rule: &TriggerRule, evidence: &Evidence<'_>) {
    let Some(holds) = holds(work, rule, evidence) else { return };
    match (state(work, trigger), holds) {
        (Some(TriggerState::Ok), true) => {
            let value = match evidence.proof {
                Proof::Value(value) => Some(value),
                Proof::Alert { value, .. } => value,
                Proof::Missing => None,
            };
            work.record(AlertEvent::TriggerPending { trigger, since: evidence.since, value });
            if evidence.since + wait(rule) <= work.ctx.now || counted(rule, evidence) {
                trigger_due(work, trigger, None);
            }
        }
        (Some(TriggerState::Pending { .. }), true) if counted(rule, evidence) => trigger_due(work, trigger, None),
        (Some(TriggerState::Pending { .. } | TriggerState::Settled), false) => clear(work, trigger),
        _ => {}
    }
}

/// Whether a check was said to fail often enough, however short the time: by a person's count, or by repeats of its alert.
fn counted(rule: &TriggerRule, evidence: &Evidence<'_>) -> bool {
    match (rule, evidence.proof) {
        (TriggerRule::Fails { .. }, Proof::Value(_)) => true,
        (TriggerRule::Fails { times, .. }, Proof::Alert { times: said, .. }) => said >= *times,
        _ => false,
    }
}

/// How long a condition must hold by what is known of it.
fn wait(rule: &TriggerRule) -> SignedDuration {
    match rule {
        TriggerRule::Fails { times, .. } => seconds(times.saturating_mul(CHECK_EVERY_S)),
        TriggerRule::All(parts) => parts.iter().map(wait).max().unwrap_or_default(),
        rule => seconds(rule.wait_s()),
    }
}

pub(super) fn state(work: &Work<'_>, trigger: usize) -> Option<TriggerState> {
    work.release.phase.run().and_then(|run| run.triggers.get(trigger)).map(|t| t.state.clone())
}

fn clear(work: &mut Work<'_>, trigger: usize) {
    if matches!(state(work, trigger), Some(TriggerState::Pending { .. } | TriggerState::Settled)) {
        work.record(AlertEvent::TriggerCleared { trigger });
    }
}

/// Breached for long enough, as far as anybody knows: the trigger fires and asks for a decision. After an absence its values may
/// be old; no data is never ok, so it fires all the same and says so.
fn trigger_due(work: &mut Work<'_>, trigger: usize, late: Option<Late>) {
    work.record(AlertEvent::TriggerFired { trigger, late });
    rollback::rules::propose(work, Cause::Trigger { trigger });
    cascade(work);
}

/// Two or more triggers within ten minutes wake the contingency for cascading failures.
fn cascade(work: &mut Work<'_>) {
    let Some(run) = work.release.phase.run() else {
        return;
    };
    let horizon = work.ctx.now - SignedDuration::from_mins(10);
    let firing =
        run.triggers.iter().filter(|t| matches!(t.state, TriggerState::Firing { since, .. } if since >= horizon));
    if firing.count() >= 2 {
        work.contingency(plan::ContingencyWhen::Cascade);
    }
}

/// Does what is due at `at`.
pub(in crate::domain) fn fire(work: &mut Work<'_>, mark: &EvidenceMark, at: Timestamp, away: Option<Away>) {
    match mark {
        EvidenceMark::Trigger { trigger } => trigger_due(work, *trigger, Late::of(at, work.ctx.now, away)),
    }
}

pub(in crate::domain) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    let (Phase::Live { run } | Phase::Watching { run } | Phase::Held { run, .. }) = &release.phase else {
        return;
    };
    for (trigger, watch) in run.triggers.iter().enumerate() {
        if let TriggerState::Pending { since } = watch.state {
            // One that an amendment dropped waits for nothing.
            let Some(rule) = release.plan.triggers.get(trigger).and_then(|t| t.rule.as_ref()) else { continue };
            marks.push(Mark::new(since + wait(rule), EvidenceMark::Trigger { trigger }));
        }
    }
}

pub(in crate::domain) fn evolve(run: &mut Run, event: &AlertEvent, at: Timestamp) {
    match event {
        AlertEvent::Observed { metric, observation } => {
            run.observed.insert(metric.clone(), observation.clone());
        }
        AlertEvent::TriggerPending { trigger, since, .. } => {
            set(run, *trigger, TriggerState::Pending { since: *since });
        }
        AlertEvent::TriggerCleared { trigger } => set(run, *trigger, TriggerState::Ok),
        AlertEvent::TriggerSettled { trigger } => set(run, *trigger, TriggerState::Settled),
        AlertEvent::TriggerFired { trigger, late } => {
            set(run, *trigger, TriggerState::Firing { since: at, late: *late });
        }
        _ => {}
    }
}

fn set(run: &mut Run, trigger: usize, state: TriggerState) {
    if let Some(watch) = run.triggers.get_mut(trigger) {
        watch.state = state;
    }
}
