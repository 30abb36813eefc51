//! Topic: alerts and the plan's triggers. An alert is relayed on change of state only; "resolved" ends the paging, never
//! means healthy. A trigger fires on evidence held long enough, and once fired only a decision settles it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::agenda::{Mark, MarkKind};
use super::command::{AlertCommand, Signal};
use super::decide::Work;
use super::effect::{Destination, Priority, Prompt, Reply};
use super::event::AlertEvent;
use super::ids::UserId;
use super::lateness::Late;
use super::notice::Notice;
use super::people::By;
use super::plan::{MetricPlan, Plan, Quantity, TriggerRule};
use super::refusal::{Refusal, Wanted};
use super::release::{Issue, Phase, Release, Run};
use super::rollback::{self, Cause};
use super::{minutes, schedule, seconds};

/// Alerts kept in a release's state; beyond it the oldest resolved one goes, then nothing more is added.
pub const MAX_ALERTS: usize = 20;

/// A person's report of a value is evidence for this long (minutes).
pub const FRESH_MIN: u32 = 30;

/// An alert as relayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub key: String,
    pub name: String,
    pub summary: String,
    pub severity: Option<String>,
    pub metric: Option<String>,
    /// The last value while firing; a resolved body repeats it, so it is never read as a recovery.
    pub value: Option<f64>,
    pub first: Timestamp,
    pub last: Timestamp,
    pub count: u32,
    pub resolved_at: Option<Timestamp>,
    pub acked: Option<(String, Timestamp)>,
    /// Was firing before T-0: shown, set aside.
    pub pre_existing: bool,
}

/// A metric's value as somebody saw it, in the plan's unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub value: f64,
    pub at: Timestamp,
    pub by: String,
}

/// How a value compares with the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    Ok,
    /// Between success and alert: a person has to judge.
    Between,
    Breach,
    NoData,
}

/// A trigger being watched, by its place in the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerWatch {
    pub state: TriggerState,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TriggerState {
    Ok,
    /// Breached, not yet long enough.
    Pending {
        since: Timestamp,
    },
    Firing {
        since: Timestamp,
        /// It fired after its time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        late: Option<Late>,
    },
    /// Somebody decided: it counts again only after it recovered and came back.
    Settled,
}

/// One watch for each trigger of the plan.
pub fn watches(plan: &Plan) -> Vec<TriggerWatch> {
    plan.triggers.iter().map(|_| TriggerWatch { state: TriggerState::Ok }).collect()
}

/// Judges the latest observation of a metric. A stale one is no data.
pub fn judge(metric: &MetricPlan, run: &Run, now: Timestamp) -> Judged {
    let Some(seen) = run.observed.get(&metric.name) else {
        return Judged::NoData;
    };
    if !fresh(seen, now) {
        return Judged::NoData;
    }
    if metric.alert.as_ref().is_some_and(|bound| bound.holds(seen.value)) {
        return Judged::Breach;
    }
    match &metric.success {
        Some(bound) if !bound.holds(seen.value) => Judged::Between,
        _ => Judged::Ok,
    }
}

/// Whether an observation is young enough to say anything.
fn fresh(seen: &Observation, now: Timestamp) -> bool {
    !seen.value.is_nan() && now <= seen.at + minutes(FRESH_MIN)
}

/// Whether two names mean the same metric: letters and digits only, case aside, one inside the other's beginning or end.
pub fn same_metric(a: &str, b: &str) -> bool {
    let fold = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    same_folded(&fold(a), &fold(b))
}

/// The same for names already reduced to their letters and digits.
pub fn same_folded(a: &str, b: &str) -> bool {
    !a.is_empty() && (a == b || (a.len() >= 5 && b.ends_with(a)) || (b.len() >= 5 && a.ends_with(b)))
}

/// A value in the unit of the plan's metric; `None` where it measures something else. A bare number is taken as it is.
fn in_unit(seen: &Quantity, metric: Option<&MetricPlan>) -> Option<f64> {
    let bounds = metric.into_iter().flat_map(|m| m.success.iter().chain(&m.alert)).map(|b| &b.than);
    let unit = bounds.chain(metric.and_then(|m| m.baseline.as_ref())).map(|q| q.unit.as_str()).next().unwrap_or("");
    seen.convert(unit).map(|q| q.value)
}

/// The plan's metric a word means.
pub fn metric_named<'p>(plan: &'p Plan, typed: &str) -> Option<&'p MetricPlan> {
    let exact = plan.metrics.iter().find(|m| m.name.eq_ignore_ascii_case(typed.trim()));
    exact.or_else(|| plan.metrics.iter().find(|m| same_metric(&m.name, typed)))
}

pub(super) fn decide(work: &mut Work<'_>, command: AlertCommand) -> Result<Reply, Refusal> {
    match command {
        AlertCommand::Signal(signal) => {
            if work.release.running().is_some() {
                relay(work, *signal);
            }
            Ok(Reply::Silent)
        }
        AlertCommand::Report { metric, value } => {
            let metric = observe(work, &metric, &value)?;
            Ok(Reply::Observed { metric })
        }
        AlertCommand::Ack { alert } => acknowledge(work, &alert),
    }
}

fn acknowledge(work: &mut Work<'_>, key: &str) -> Result<Reply, Refusal> {
    let Some(run) = work.release.phase.run() else {
        return work.wrong_phase(Wanted::Alert);
    };
    let open = run.alerts.iter().filter(|a| a.acked.is_none() && !a.pre_existing);
    let found = if key.is_empty() {
        open.clone().next()
    } else {
        run.alerts.iter().find(|a| a.key == key || a.name.eq_ignore_ascii_case(key))
    };
    let Some(alert) = found else {
        return Err(Refusal::NothingOpen { what: "alert" });
    };
    if let Some((by, _)) = &alert.acked {
        return Err(Refusal::AlreadyDone { what: format!("{}, by {by}", alert.name) });
    }
    let key = alert.key.clone();
    work.record(AlertEvent::Acknowledged { key: key.clone() });
    show(work, &key);
    Ok(Reply::Acknowledged)
}

fn posting_key(key: &str) -> String {
    format!("alert/{key}")
}

fn show(work: &mut Work<'_>, key: &str) {
    let open = work.release.phase.run().and_then(|run| run.alerts.iter().find(|a| a.key == key));
    let prompt = open.filter(|a| a.acked.is_none()).map(|_| Prompt::Alert { key: key.to_owned() });
    work.edit(posting_key(key), Notice::Alert { key: key.to_owned() }, prompt);
}

fn relay(work: &mut Work<'_>, signal: Signal) {
    let key = signal.key();
    let Some(run) = work.release.phase.run() else {
        return;
    };
    let known = run.alerts.iter().find(|a| a.key == key).cloned();
    let go_at = run.go_at;
    match (known, signal.firing) {
        (None, true) => {
            if run.alerts.len() >= MAX_ALERTS && !run.alerts.iter().any(|a| a.resolved_at.is_some() || a.pre_existing) {
                // The list is full of open alerts: what this one proves still counts.
                evidence(work, &signal);
                return;
            }
            let pre_existing = signal.starts_at < go_at;
            let (metric, value) = measured(&work.release.plan, &signal);
            work.record(AlertEvent::Fired {
                key: key.clone(),
                name: signal.name.clone(),
                summary: signal.summary.clone(),
                severity: signal.severity.clone(),
                metric,
                value,
                starts_at: signal.starts_at,
                pre_existing,
            });
            if pre_existing {
                return;
            }
            let mention: Vec<UserId> = work.release.plan.on_call_user().into_iter().cloned().collect();
            let mention = if mention.is_empty() { work.owner() } else { mention };
            let posting = work.post(posting_key(&key), Destination::Release, Notice::Alert { key: key.clone() });
            posting.prompt = Some(Prompt::Alert { key });
            posting.priority = Priority::Prompt;
            posting.mention = mention;
            evidence(work, &signal);
            if signal.asks_rollback {
                rollback::propose(work, Cause::Alert { name: signal.name.clone() });
            }
        }
        (Some(known), true) => {
            if known.resolved_at.is_some() {
                return; // A late or doubled "firing" of something that already ended.
            }
            let (_, value) = measured(&work.release.plan, &signal);
            work.record(AlertEvent::Repeated { key: key.clone(), value });
            if !known.pre_existing {
                show(work, &key);
                evidence(work, &signal);
            }
        }
        (Some(known), false) => {
            if known.resolved_at.is_some() {
                return;
            }
            work.record(AlertEvent::Resolved { key: key.clone() });
            // What is over before it reached its channel calls nobody any more.
            schedule::drop_unsent(work, &posting_key(&key));
            if !known.pre_existing {
                show(work, &key);
            }
            for (trigger, rule) in rules(&work.release.plan) {
                if about(&rule, &signal) && !other_evidence(work, &rule, &signal) {
                    clear(work, trigger);
                }
            }
        }
        (None, false) => {}
    }
}

/// The plan's metric a signal speaks of, and its value in that metric's unit.
fn measured(plan: &Plan, signal: &Signal) -> (Option<String>, Option<f64>) {
    let metric = metric_named(plan, signal.metric.as_deref().unwrap_or(&signal.name));
    let value = signal.value.as_ref().and_then(|seen| in_unit(seen, metric));
    (metric.map(|m| m.name.clone()), value)
}

fn rules(plan: &Plan) -> Vec<(usize, TriggerRule)> {
    plan.triggers.iter().enumerate().filter_map(|(i, t)| t.rule.clone().map(|rule| (i, rule))).collect()
}

fn about(rule: &TriggerRule, signal: &Signal) -> bool {
    let names = |part: &TriggerRule| {
        signal.metric.as_deref().is_some_and(|m| same_metric(m, part.subject()))
            || same_metric(&signal.name, part.subject())
    };
    rule.parts().iter().any(names)
}

/// Whether what a resolved signal spoke of is still held up by another open alert; of several conditions each counts.
fn other_evidence(work: &Work<'_>, rule: &TriggerRule, resolved: &Signal) -> bool {
    let spoken = rule.parts().iter().filter(|part| about(part, resolved));
    spoken.into_iter().all(|part| open_alert(work, part.subject()).is_some())
}

/// What a firing alert proves: its value is an observation, and evidence for the triggers.
fn evidence(work: &mut Work<'_>, signal: &Signal) {
    let (metric, value) = measured(&work.release.plan, signal);
    if let (Some(metric), Some(value)) = (metric, value) {
        let observation = Observation { value, at: work.ctx.now, by: signal.source.clone() };
        work.record(AlertEvent::Observed { metric, observation });
    }
    for (trigger, rule) in rules(&work.release.plan) {
        if about(&rule, signal) {
            let subject = signal.metric.as_deref().unwrap_or(&signal.name);
            weigh(
                work,
                trigger,
                &rule,
                &Evidence { subject, value, since: signal.starts_at, held_min: signal.held_min },
            );
        }
    }
}

/// Records a person's value and weighs it; returns the plan's name of the metric.
///
/// # Errors
/// Unknown metric, or a value that is no number.
pub(super) fn observe(work: &mut Work<'_>, typed: &str, seen: &Quantity) -> Result<String, Refusal> {
    let plan = &work.release.plan;
    let found = metric_named(plan, typed);
    let Some(value) = in_unit(seen, found).filter(|value| value.is_finite()) else {
        return Err(Refusal::BadNumber { typed: seen.to_string() });
    };
    let Some(metric) = found.map(|m| m.name.clone()) else {
        let known = plan.metrics.iter().map(|m| m.name.clone()).collect();
        return Err(Refusal::UnknownItem { typed: typed.to_owned(), known });
    };
    let now = work.ctx.now;
    let observation = Observation { value, at: now, by: work.by() };
    work.record(AlertEvent::Observed { metric: metric.clone(), observation });
    for (trigger, rule) in rules(&work.release.plan) {
        if rule.parts().iter().any(|part| same_metric(part.subject(), &metric)) {
            weigh(work, trigger, &rule, &Evidence { subject: &metric, value: Some(value), since: now, held_min: 0 });
        }
    }
    Ok(metric)
}

/// A value of one metric or check, or an alert about it without a value.
struct Evidence<'a> {
    subject: &'a str,
    value: Option<f64>,
    since: Timestamp,
    held_min: u32,
}

/// Whether a rule's condition holds. A part the evidence does not speak of is judged by what is known of it: its latest fresh
/// observation, or an alert about it that is still open. What cannot be told is `None`.
fn breached(work: &Work<'_>, rule: &TriggerRule, evidence: &Evidence<'_>) -> Option<bool> {
    if let TriggerRule::All(parts) = rule {
        let judged: Vec<Option<bool>> = parts.iter().map(|part| breached(work, part, evidence)).collect();
        // One part that does not hold is enough to know.
        if judged.contains(&Some(false)) {
            return Some(false);
        }
        return judged.into_iter().collect::<Option<Vec<bool>>>().map(|parts| !parts.is_empty());
    }
    let spoken = same_metric(rule.subject(), evidence.subject);
    let value = if spoken { evidence.value } else { known_value(work, rule.subject()) };
    let in_time = |within_s: Option<u32>| {
        within_s.is_none_or(|within| work.release.t0().is_some_and(|t0| work.ctx.now <= t0 + seconds(within)))
    };
    match rule {
        TriggerRule::Exceeds { bound, within_s, .. } => value.map(|value| in_time(*within_s) && bound.holds(value)),
        TriggerRule::Fails { times, .. } => value.map(|value| value >= f64::from(*times)),
        TriggerRule::Down { .. } => value.map(|value| value >= 1.0),
        // An alert about missing data carries no number; a number is data.
        TriggerRule::Silent { .. } if spoken => Some(evidence.value.is_none_or(|value| value == 0.0)),
        TriggerRule::Silent { .. } => Some(open_alert(work, rule.subject()).is_some()),
        TriggerRule::Moves { metric, down, percent, within_s, .. } => {
            let baseline = metric_named(&work.release.plan, metric).and_then(|m| m.baseline.as_ref())?;
            let factor = if *down { 1.0 - percent / 100.0 } else { 1.0 + percent / 100.0 };
            let edge = baseline.value * factor;
            value.map(|value| in_time(*within_s) && if *down { value < edge } else { value > edge })
        }
        TriggerRule::All(_) => None,
    }
}

/// An alert about a metric or check that is still open.
fn open_alert<'w>(work: &'w Work<'_>, subject: &str) -> Option<&'w Alert> {
    let run = work.release.phase.run()?;
    run.alerts.iter().rev().find(|a| {
        let about = a.metric.as_deref().is_some_and(|m| same_metric(m, subject)) || same_metric(&a.name, subject);
        about && a.resolved_at.is_none() && !a.pre_existing
    })
}

/// What is known of a metric or check now.
fn known_value(work: &Work<'_>, subject: &str) -> Option<f64> {
    let run = work.release.phase.run()?;
    let metric = metric_named(&work.release.plan, subject);
    let seen = metric.and_then(|m| run.observed.get(&m.name)).filter(|seen| fresh(seen, work.ctx.now));
    seen.map(|seen| seen.value).or_else(|| open_alert(work, subject).and_then(|alert| alert.value))
}

fn weigh(work: &mut Work<'_>, trigger: usize, rule: &TriggerRule, evidence: &Evidence<'_>) {
    let Some(breached) = breached(work, rule, evidence) else { return };
    let state = work.release.phase.run().and_then(|run| run.triggers.get(trigger)).map(|t| t.state.clone());
    match (state, breached) {
        (Some(TriggerState::Ok), true) => {
            let since = evidence.since - minutes(evidence.held_min);
            work.record(AlertEvent::TriggerPending { trigger, since, value: evidence.value.unwrap_or(0.0) });
            if since + seconds(rule.wait_s()) <= work.ctx.now {
                trigger_due(work, trigger, None);
            }
        }
        (Some(TriggerState::Pending { .. } | TriggerState::Settled), false) => clear(work, trigger),
        _ => {}
    }
}

fn clear(work: &mut Work<'_>, trigger: usize) {
    let state = work.release.phase.run().and_then(|run| run.triggers.get(trigger)).map(|t| t.state.clone());
    if matches!(state, Some(TriggerState::Pending { .. } | TriggerState::Settled)) {
        work.record(AlertEvent::TriggerCleared { trigger });
    }
}

/// Breached for long enough, as far as anybody knows: the trigger fires and asks for a decision. After an absence its values may
/// be old; no data is never ok, so it fires all the same and says so.
pub(super) fn trigger_due(work: &mut Work<'_>, trigger: usize, late: Option<Late>) {
    work.record(AlertEvent::TriggerFired { trigger, late });
    rollback::propose(work, Cause::Trigger { trigger });
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
        work.contingency(super::plan::ContingencyWhen::Cascade);
    }
}

pub(super) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    let (Phase::Live { run } | Phase::Watching { run } | Phase::Held { run, .. }) = &release.phase else {
        return;
    };
    for (trigger, watch) in run.triggers.iter().enumerate() {
        if let TriggerState::Pending { since } = watch.state {
            // One that an amendment dropped waits for nothing.
            let Some(rule) = release.plan.triggers.get(trigger).and_then(|t| t.rule.as_ref()) else { continue };
            let wait = rule.wait_s();
            marks.push(Mark { at: since + seconds(wait), kind: MarkKind::Trigger { trigger } });
        }
    }
}

pub(super) fn evolve(release: &mut Release, event: &AlertEvent, at: Timestamp, by: &By) {
    if matches!(event, AlertEvent::Fired { pre_existing: false, .. }) {
        release.issues.insert(Issue::Alert);
    }
    let Some(run) = release.phase.run_mut() else {
        return;
    };
    let find = |alerts: &mut Vec<Alert>, key: &str| alerts.iter().position(|a| a.key == key);
    match event {
        AlertEvent::Fired { key, name, summary, severity, metric, value, starts_at, pre_existing } => {
            if run.alerts.len() >= MAX_ALERTS
                && let Some(oldest) = run.alerts.iter().position(|a| a.resolved_at.is_some() || a.pre_existing)
            {
                run.alerts.remove(oldest);
            }
            run.alerts.push(Alert {
                key: key.clone(),
                name: name.clone(),
                summary: summary.clone(),
                severity: severity.clone(),
                metric: metric.clone(),
                value: *value,
                first: *starts_at,
                last: at,
                count: 1,
                resolved_at: None,
                acked: None,
                pre_existing: *pre_existing,
            });
        }
        AlertEvent::Repeated { key, value } => {
            if let Some(i) = find(&mut run.alerts, key) {
                let alert = &mut run.alerts[i];
                alert.count = alert.count.saturating_add(1);
                alert.last = at;
                alert.value = value.or(alert.value);
            }
        }
        AlertEvent::Resolved { key } => {
            if let Some(i) = find(&mut run.alerts, key) {
                run.alerts[i].resolved_at = Some(at);
            }
        }
        AlertEvent::Acknowledged { key } => {
            if let Some(i) = find(&mut run.alerts, key) {
                run.alerts[i].acked = Some((by.to_string(), at));
            }
        }
        AlertEvent::Observed { metric, observation } => {
            run.observed.insert(metric.clone(), observation.clone());
        }
        AlertEvent::TriggerPending { trigger, since, .. } => {
            set(run, *trigger, TriggerState::Pending { since: *since })
        }
        AlertEvent::TriggerCleared { trigger } => set(run, *trigger, TriggerState::Ok),
        AlertEvent::TriggerSettled { trigger } => set(run, *trigger, TriggerState::Settled),
        AlertEvent::TriggerFired { trigger, late } => {
            set(run, *trigger, TriggerState::Firing { since: at, late: *late });
        }
    }
}

fn set(run: &mut Run, trigger: usize, state: TriggerState) {
    if let Some(watch) = run.triggers.get_mut(trigger) {
        watch.state = state;
    }
}
