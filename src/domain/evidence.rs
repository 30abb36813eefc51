//! Topic: what values and alerts prove. A firing alert is evidence by itself; a readable value says more. A trigger fires on evidence
//! held long enough, and once fired only a decision settles it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::agenda::{Mark, MarkKind};
use super::alert::{self, Alert};
use super::command::{Seen, Signal};
use super::decide::Work;
use super::event::AlertEvent;
use super::lateness::Late;
use super::plan::{MetricPlan, Plan, Quantity, TriggerPlan, TriggerRule};
use super::policy::Policy;
use super::refusal::Refusal;
use super::release::{Phase, Release, Run};
use super::rollback::{self, Cause};
use super::{minutes, seconds};

/// A value is evidence for this long (minutes).
pub const FRESH_MIN: u32 = 30;

/// How often a check is taken to run where an alert says that it fails, in seconds: "3 consecutive checks" is three minutes.
pub const CHECK_EVERY_S: u32 = 60;

/// A metric's value as somebody saw it, in the plan's unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub value: f64,
    pub at: Timestamp,
    pub by: String,
    /// A source measured it; else a person typed it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub measured: bool,
}

/// How a metric stands against the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    Ok,
    /// Between success and alert: a person has to judge.
    Between,
    Breach,
    NoData,
    /// An alert about it fires, and no fresh value shows a breach: it is not healthy, even with a good value.
    Firing,
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

/// Judges a metric by its latest observation and its open alerts. A stale value is no data.
pub fn judge(metric: &MetricPlan, run: &Run, now: Timestamp) -> Judged {
    let value = run.observed.get(&metric.name).filter(|seen| fresh(seen, now)).map(|seen| seen.value);
    let breach = |value: f64| metric.alert.as_ref().is_some_and(|bound| bound.holds(value));
    let misses = |value: f64| metric.success.as_ref().is_some_and(|bound| !bound.holds(value));
    match value {
        Some(value) if breach(value) => Judged::Breach,
        _ if fires(run, &metric.name) => Judged::Firing,
        None => Judged::NoData,
        Some(value) if misses(value) => Judged::Between,
        Some(_) => Judged::Ok,
    }
}

/// Whether an alert about a metric or check fires, with a message of its own or without.
fn fires(run: &Run, subject: &str) -> bool {
    firing(run, subject).is_some() || run.crowd.speaks_of(subject)
}

/// An open alert about a metric or check, the newest first.
pub fn firing<'r>(run: &'r Run, subject: &str) -> Option<&'r Alert> {
    run.alerts.iter().rev().find(|alert| alert.counts() && about(alert, subject))
}

fn about(alert: &Alert, subject: &str) -> bool {
    alert.metric.as_deref().is_some_and(|metric| same_metric(metric, subject)) || same_metric(&alert.name, subject)
}

/// Whether an observation is young enough to say anything.
pub fn fresh(seen: &Observation, now: Timestamp) -> bool {
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

/// The plan's metric a word means.
pub fn metric_named<'p>(plan: &'p Plan, typed: &str) -> Option<&'p MetricPlan> {
    let exact = plan.metrics.iter().find(|m| m.name.eq_ignore_ascii_case(typed.trim()));
    exact.or_else(|| plan.metrics.iter().find(|m| same_metric(&m.name, typed)))
}

/// Every metric and check a person can report, as the plan names them.
pub fn reportable(plan: &Plan) -> Vec<String> {
    let mut names: Vec<String> = plan.metrics.iter().map(|metric| metric.name.clone()).collect();
    for (_, rule) in rules(plan) {
        for part in rule.parts() {
            if !names.iter().any(|name| same_metric(name, part.subject())) {
                names.push(part.subject().to_owned());
            }
        }
    }
    names
}

/// What can feed a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Alerts that name its metric or check, and people's reports.
    Alerts,
    /// No alert can reach this server, or only a person can judge it.
    Person,
}

/// What can feed a trigger in this server.
pub fn source(trigger: &TriggerPlan, policy: &Policy) -> Source {
    if trigger.rule.is_some() && !policy.sources.is_empty() { Source::Alerts } else { Source::Person }
}

/// What an alert says of the plan's metrics.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    pub metric: Option<String>,
    /// In the unit of the plan's metric.
    pub value: Option<f64>,
    /// As the source wrote it, where it cannot be read.
    pub unread: Option<String>,
}

/// Reads an alert's metric and value. A bare number may be in the plan's unit or, as Prometheus counts, in the base unit (a ratio, seconds,
/// bytes): the reading that fits an alert that fires is taken, and none where neither does.
pub fn read(plan: &Plan, signal: &Signal) -> Reading {
    let metric = metric_named(plan, signal.metric.as_deref().unwrap_or(&signal.name));
    let name = metric.map(|metric| metric.name.clone());
    let (value, unread) = match &signal.value {
        Seen::Nothing => (None, None),
        Seen::Text(text) => (None, Some(text.clone())),
        Seen::Value(seen) => match in_unit(seen, metric) {
            Some(value) => match metric.filter(|_| seen.unit.is_empty() && signal.firing) {
                None => (Some(value), None),
                Some(metric) => match fitting(plan, metric, value) {
                    Some(value) => (Some(value), None),
                    None => (None, Some(seen.to_string())),
                },
            },
            None => (None, Some(seen.to_string())),
        },
    };
    Reading { metric: name, value, unread }
}

/// The reading of a bare number that is outside the plan's limits; as written where the plan has none.
fn fitting(plan: &Plan, metric: &MetricPlan, bare: f64) -> Option<f64> {
    let by_rule = |value: f64| {
        rules(plan).iter().flat_map(|(_, rule)| rule.parts().to_vec()).any(|part| match &part {
            TriggerRule::Exceeds { metric: subject, bound, .. } => {
                same_metric(subject, &metric.name) && bound.holds(value)
            }
            _ => false,
        })
    };
    let alert = |value: f64| metric.alert.as_ref().is_some_and(|bound| bound.holds(value));
    let misses = |value: f64| metric.success.as_ref().is_some_and(|bound| !bound.holds(value));
    if metric.alert.is_none() && metric.success.is_none() {
        return Some(bare);
    }
    let outside = |value: &f64| alert(*value) || misses(*value) || by_rule(*value);
    let base = base_unit(&unit(metric)).map(|factor| bare * factor);
    [Some(bare), base].into_iter().flatten().find(outside)
}

/// How many of a unit a base unit is, for those that sources usually count in base units.
fn base_unit(unit: &str) -> Option<f64> {
    Some(match unit {
        "%" | "pp" => 100.0,
        "ms" => 1e3,
        "µs" => 1e6,
        "min" => 1.0 / 60.0,
        "h" => 1.0 / 3600.0,
        "KB" => 1e-3,
        "MB" => 1e-6,
        "GB" => 1e-9,
        "KiB" => 1.0 / 1024.0,
        "MiB" => 1.0 / 1_048_576.0,
        "GiB" => 1.0 / 1_073_741_824.0,
        _ => return None,
    })
}

/// The unit a metric's thresholds are in.
fn unit(metric: &MetricPlan) -> String {
    let bounds = metric.success.iter().chain(&metric.alert).map(|bound| &bound.than);
    bounds.chain(metric.baseline.as_ref()).map(|q| q.unit.clone()).next().unwrap_or_default()
}

/// A value in the unit of the plan's metric; `None` where it measures something else. A bare number is taken as it is.
fn in_unit(seen: &Quantity, metric: Option<&MetricPlan>) -> Option<f64> {
    let unit = metric.map(unit).unwrap_or_default();
    seen.convert(&unit).map(|q| q.value).filter(|value| value.is_finite())
}

fn rules(plan: &Plan) -> Vec<(usize, TriggerRule)> {
    plan.triggers.iter().enumerate().filter_map(|(i, t)| t.rule.clone().map(|rule| (i, rule))).collect()
}

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
pub(super) fn of_alert(work: &mut Work<'_>, signal: &Signal) {
    let reading = read(&work.release.plan, signal);
    if let (Some(metric), Some(value)) = (&reading.metric, reading.value) {
        let observation = Observation { value, at: work.ctx.now, by: signal.source.clone(), measured: true };
        work.record(AlertEvent::Observed { metric: metric.clone(), observation });
    }
    let id = signal.id();
    let known = alert::of(&work.release).iter().rev().find(|alert| alert.counts() && alert.key.starts_with(&id));
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
pub(super) fn of_open_alert(work: &mut Work<'_>, alert: &Alert) {
    let subjects: Vec<&str> = alert.metric.as_deref().into_iter().chain([alert.name.as_str()]).collect();
    let proof = proof(alert.value.filter(|_| alert.unread.is_none()), alert.no_data, alert.count);
    weigh_all(work, &Evidence { subjects, proof, since: alert.again.unwrap_or(work.ctx.now) });
}

fn proof(value: Option<f64>, no_data: bool, times: u32) -> Proof {
    if no_data { Proof::Missing } else { Proof::Alert { value, times } }
}

/// An alert ended: what rested on it alone no longer holds.
pub(super) fn ended(work: &mut Work<'_>, signal: &Signal) {
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
pub(super) fn observe(work: &mut Work<'_>, typed: &str, seen: &Quantity) -> Result<String, Refusal> {
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

fn state(work: &Work<'_>, trigger: usize) -> Option<TriggerState> {
    work.release.phase.run().and_then(|run| run.triggers.get(trigger)).map(|t| t.state.clone())
}

fn clear(work: &mut Work<'_>, trigger: usize) {
    if matches!(state(work, trigger), Some(TriggerState::Pending { .. } | TriggerState::Settled)) {
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
            marks.push(Mark { at: since + wait(rule), kind: MarkKind::Trigger { trigger } });
        }
    }
}

pub(super) fn evolve(run: &mut Run, event: &AlertEvent, at: Timestamp) {
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
