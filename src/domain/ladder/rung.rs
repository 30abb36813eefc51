//! What a notice before T-0 comes to: which a release has, when each is due, and who was told.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{RungMissed, RungSaid};
use crate::domain::ids::Audience;
use crate::domain::lateness::Late;
use crate::domain::minutes;
use crate::domain::plan::{ReleaseType, RungPlan};
use crate::domain::release::{Phase, Release};

/// The rungs of this release's type, earliest first. A hotfix has no T-24h.
pub fn rungs(release: &Release) -> Vec<&RungPlan> {
    let mut rungs: Vec<&RungPlan> = release
        .plan
        .rungs
        .iter()
        .filter(|rung| release.plan.kind != Some(ReleaseType::Hotfix) || rung.before_min < 24 * 60)
        .collect();
    rungs.sort_by_key(|rung| std::cmp::Reverse(rung.before_min));
    rungs
}

/// The instant of a rung: exact elapsed time before T-0; an emergency tells at once.
pub(in crate::domain) fn due_at(release: &Release, rung: &RungPlan) -> Option<Timestamp> {
    let at = release.plan.t0_at()? - minutes(rung.before_min);
    Some(match (&release.phase, release.plan.kind) {
        (Phase::Gathering { since } | Phase::Approved { since }, Some(ReleaseType::Emergency)) => at.min(*since),
        _ => at,
    })
}

/// Audiences that were ever sent a notice of this release, on any schedule.
pub fn told(release: &Release) -> BTreeSet<Audience> {
    // A release stored before `told` was kept knows only its present schedule.
    let present = said(release).into_iter().map(|rung| rung.audience);
    release.countdown.told.iter().cloned().chain(present).collect()
}

/// What a rung comes to at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// At this instant, which is ahead.
    Ahead(Timestamp),
    /// Now, in time.
    Now,
    /// Now, after its time.
    Late,
    Missed(RungMissed),
}

/// What a rung comes to at `now`; `None` without a T-0. A rung is superseded only by a later rung of its own audience.
pub fn fate(release: &Release, rung: &RungPlan, now: Timestamp) -> Option<Fate> {
    let (t0, due) = (release.plan.t0_at()?, due_at(release, rung)?);
    if due > now {
        return Some(Fate::Ahead(due));
    }
    // An emergency is told whenever it is submitted: the outage does not wait for a time in a plan.
    if release.plan.kind == Some(ReleaseType::Emergency) {
        return Some(Fate::Now);
    }
    if now >= t0 {
        return Some(Fate::Missed(RungMissed::AfterT0));
    }
    if same_audience(release, rung).any(|later| due_at(release, later).is_some_and(|due| due <= now)) {
        return Some(Fate::Missed(RungMissed::Superseded));
    }
    let late = Late::of(t0 - minutes(rung.before_min), now, None).is_some();
    Some(if late { Fate::Late } else { Fate::Now })
}

/// Later rungs of the same audience.
pub(in crate::domain) fn same_audience<'r>(
    release: &'r Release,
    rung: &'r RungPlan,
) -> impl Iterator<Item = &'r RungPlan> {
    let later = |other: &&RungPlan| other.audience == rung.audience && other.before_min < rung.before_min;
    rungs(release).into_iter().filter(later)
}

/// Rungs that were said of this schedule; one that the plan has dropped since has no text any more.
pub(in crate::domain) fn said(release: &Release) -> Vec<RungPlan> {
    let said = release.countdown.rungs.iter().filter(|(_, state)| state.said != RungSaid::Skipped);
    let plan = |key: &str| release.plan.rungs.iter().find(|rung| rung.key() == key).cloned();
    said.filter_map(|(key, _)| plan(key).or_else(|| RungPlan::of_key(key))).collect()
}
