//! Topic: what values and alerts prove. A firing alert is evidence by itself; a readable value says more. A trigger fires on evidence
//! held long enough, and once fired only a decision settles it.

pub(in crate::domain) mod rules;
pub mod view;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::lateness::Late;
use super::plan::{MetricPlan, Plan, TriggerPlan, TriggerRule};
use super::policy::Policy;

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

fn rules(plan: &Plan) -> Vec<(usize, TriggerRule)> {
    plan.triggers.iter().enumerate().filter_map(|(i, t)| t.rule.clone().map(|rule| (i, rule))).collect()
}

/// What happens by itself at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvidenceMark {
    Trigger { trigger: usize },
}
