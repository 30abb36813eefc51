//! What has happened, as a document can show it: ids of done items, sign-offs, observed values, log lines. It must not know
//! where in a document they stand.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::{Deserialize, Serialize};

use crate::domain::closing::{Postmortem, Settled};
use crate::domain::decision::PointState;
use crate::domain::evidence::{self, Judged};
use crate::domain::ladder::view::confirmed;
use crate::domain::plan::{self, PlannedTime};
use crate::domain::release::{Phase, Release};
use crate::domain::{signoff, zone_of};

/// The state an export fills in. As JSON it is the `--state` file of `tminus plan export`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filled {
    /// The revision the document is of, so that an edit of an old export is told from one of the newest.
    pub revision: Option<u32>,
    /// Ids of items whose box is ticked, `gate/all-tests-passing`.
    pub done: BTreeSet<String>,
    /// Sign-offs by the role's slug.
    pub signed: BTreeMap<String, Signed>,
    /// The day of the last change, for `Last Updated`.
    pub updated: Option<String>,
    /// T-0 as the plan would write it, where it is no longer what the document says.
    pub t0: Option<String>,
    /// Latest values, one a metric.
    pub observed: Vec<Observed>,
    /// Lines of the log, oldest first.
    pub log: Vec<String>,
}

/// A sign-off as the document shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Who signed.
    pub name: String,
    /// Day, time and zone.
    pub at: String,
}

/// The latest value of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// The metric's name in the plan.
    pub metric: String,
    /// The plan's baseline, or a dash.
    pub baseline: String,
    /// The value with its unit.
    pub observed: String,
    /// What the value covers, `latest`.
    pub window: String,
    /// `ok`, `between thresholds`, `alert`, `no data`.
    pub verdict: String,
    /// Day, time and zone.
    pub at: String,
    /// Who or what reported it.
    pub source: String,
}

impl Filled {
    /// Whether there is nothing to fill in; a revision alone is nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self { revision: self.revision, ..Self::default() }
    }

    /// What a release has to show at `now`; the log's lines are the caller's words.
    pub fn of(release: &Release, log: Vec<String>, now: Timestamp) -> Self {
        let done = done_items(release);
        let zone = zone(release);
        let shown = |at: Timestamp| {
            let civil = zone.1.to_datetime(at);
            format!("{} {:02}:{:02} {}", civil.date(), civil.hour(), civil.minute(), zone.0)
        };
        let mut signed: BTreeMap<String, Signed> = BTreeMap::new();
        for (role, signoff) in signoff::view::valid(release) {
            let name = match &signoff.behalf {
                Some(behalf) => format!("{} (recorded by {})", signoff.name, behalf.by),
                None => signoff.name.clone(),
            };
            // Several people of a role stand on its one line, with the instant of the last.
            let before = signed.remove(role.slug()).map_or_else(String::new, |before| format!("{}, ", before.name));
            signed.insert(role.slug().to_owned(), Signed { name: before + &name, at: shown(signoff.at) });
        }
        let observed: Vec<Observed> = release.phase.run().map_or_else(Vec::new, |run| {
            let seen = |metric: &plan::MetricPlan| {
                let value = run.observed.get(&metric.name)?;
                let unit = metric.success.iter().chain(&metric.alert).map(|b| &b.than).chain(&metric.baseline);
                let unit = unit.map(|q| q.unit.clone()).find(|unit| !unit.is_empty()).unwrap_or_default();
                let verdict = match evidence::view::judge(metric, run, value.at.max(now.min(value.at))) {
                    Judged::Ok => "ok",
                    Judged::Between => "between thresholds",
                    Judged::Breach => "alert",
                    Judged::Firing => "alert firing",
                    Judged::NoData => "no data",
                };
                Some(Observed {
                    metric: metric.name.clone(),
                    baseline: metric.baseline.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string),
                    observed: plan::Quantity { value: value.value, unit }.to_string(),
                    window: "latest".to_owned(),
                    verdict: verdict.to_owned(),
                    at: shown(value.at),
                    source: value.by.clone(),
                })
            };
            release.plan.metrics.iter().filter_map(seen).collect()
        });
        let changed = !done.is_empty() || !release.signing.signoffs.is_empty();
        let updated = changed.then(|| zone.1.to_datetime(now).date().to_string());
        // A draft that nobody touched has nothing to show: its export is the document itself.
        let log = if matches!(release.phase, Phase::Draft) && done.is_empty() { Vec::new() } else { log };
        let revision = (!done.is_empty() || !log.is_empty()).then_some(release.revision);
        let t0 = release.countdown.t0_written.and(release.plan.t0.as_ref()).map(written);
        Self { revision, done, signed, updated, t0, observed, log }
    }
}

/// A T-0 as the date field reads it; a time that comes twice needs its offset.
fn written(t0: &PlannedTime) -> String {
    let zone = zone_of(&t0.zone);
    let civil = zone.to_datetime(t0.at);
    if matches!(zone.to_ambiguous_timestamp(civil).offset(), AmbiguousOffset::Fold { .. }) {
        return t0.at.to_zoned_datetime(zone).to_string();
    }
    let seconds = if civil.second() == 0 { String::new() } else { format!(":{:02}", civil.second()) };
    format!("{} {:02}:{:02}{seconds} {}", civil.date(), civil.hour(), civil.minute(), t0.zone)
}

fn zone(release: &Release) -> (String, TimeZone) {
    let name = release.plan.zone();
    match TimeZone::get(name) {
        Ok(zone) => (name.to_owned(), zone),
        Err(_) => ("UTC".to_owned(), TimeZone::UTC),
    }
}

/// Ids of the boxes that state ticks.
fn done_items(release: &Release) -> BTreeSet<String> {
    let mut done: BTreeSet<String> = BTreeSet::new();
    for id in &release.gates_done {
        let kind = if release.plan.gates.iter().any(|gate| gate.id == *id) { "gate" } else { "task" };
        done.insert(format!("{kind}/{id}"));
    }
    let missing = signoff::view::missing(release);
    let signed = signoff::view::valid(release).filter(|(role, _)| !missing.contains(role));
    done.extend(signed.map(|(role, _)| format!("signoff/{}", role.slug())));
    for (rung, state) in &release.countdown.rungs {
        let plan = release.plan.rungs.iter().find(|r| r.key() == *rung);
        if plan.is_some_and(|plan| confirmed(release, plan, state)) {
            done.insert(format!("rung/{rung}"));
        }
    }
    if !matches!(release.phase, Phase::Draft) {
        // Ticked only where it is the plan's own channel that is written to.
        if release.plan.channel_id.is_some() && !release.countdown.rungs.is_empty() {
            done.insert("channel".to_owned());
        }
        let path = &release.plan.escalation;
        if !path.is_empty() && path.iter().all(|contact| contact.user.is_some()) {
            done.insert("escalation".to_owned());
        }
    }
    if let Some(run) = release.phase.run() {
        let decided = run.points.iter().filter(|p| matches!(p.state, PointState::Decided { .. }));
        done.extend(decided.map(|p| format!("point/{}", p.after_min)));
        if run.updates.posted + run.updates.missed > 0 {
            done.insert("updates".to_owned());
        }
    }
    if let Some(closing) = release.phase.closing() {
        if !matches!(release.phase, Phase::RolledBack { .. }) {
            done.extend(["all-clear".to_owned(), "metrics-shared".to_owned()]);
        }
        match &closing.postmortem {
            Postmortem::Filed { .. } | Postmortem::Due { scheduled: Some(_), .. } => {
                done.insert("post-mortem".to_owned());
            }
            Postmortem::Due { .. } | Postmortem::Waived { .. } | Postmortem::NotRequired => {}
        }
        let settled = closing.actions.iter().filter(|a| matches!(a.settled, Some(Settled::Done { .. })));
        done.extend(settled.map(|a| format!("action/{}", a.id)));
    }
    done
}
