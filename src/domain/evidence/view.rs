//! How metrics stand, and what an alert says of them.

use jiff::Timestamp;

use super::{FRESH_MIN, Judged, Observation, Reading, metric_named, rules, same_metric};
use crate::domain::alert::{Alert, Seen, Signal};
use crate::domain::minutes;
use crate::domain::plan::{MetricPlan, Plan, Quantity, TriggerRule};
use crate::domain::release::Run;

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
pub(super) fn fires(run: &Run, subject: &str) -> bool {
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
pub(super) fn in_unit(seen: &Quantity, metric: Option<&MetricPlan>) -> Option<f64> {
    let unit = metric.map(unit).unwrap_or_default();
    seen.convert(&unit).map(|q| q.value).filter(|value| value.is_finite())
}
