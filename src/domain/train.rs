//! Topic: trains. A cron rule in a zone makes a draft from a template some days before each firing; a firing can be skipped.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::UserId;
use super::recur::Rule;
use super::refusal::Refusal;
use super::work::reason;
use super::workspace::{
    FORGOTTEN, Work, Workspace, WorkspaceEffect, WorkspaceEvent, WorkspaceNotice, WorkspaceReply, name_of,
};
use super::zone_of;

/// The most trains a workspace may have.
pub const MAX_TRAINS: usize = 25;
/// The most days a draft is made ahead.
pub const MAX_DAYS_AHEAD: u32 = 60;
/// The most drafts of one train that are made ahead.
pub const MAX_DRAFTS: usize = 30;
/// Where the template wants T-0 written; without it a draft would have no date.
pub const T0_HOLE: &str = "{t0}";
/// Where the template wants the day alone, in a title for instance.
pub const DATE_HOLE: &str = "{date}";

/// A recurring release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Train {
    pub rule: Rule,
    /// IANA name.
    pub zone: String,
    pub days_ahead: u32,
    /// Whoever set it up is its drafts' author.
    pub author: UserId,
    pub author_name: String,
    /// Firings up to here are dealt with.
    pub handled: Timestamp,
    /// Firings to come that are skipped.
    #[serde(default)]
    pub skipped: Vec<Timestamp>,
}

impl Train {
    /// The firings not dealt with yet, in order; skipped ones are among them.
    pub fn firings(&self) -> impl Iterator<Item = Timestamp> + use<> {
        self.rule.after(&zone_of(&self.zone), self.handled)
    }

    /// The next T-0s, without those skipped.
    pub fn next(&self, n: usize) -> Vec<Timestamp> {
        self.firings().filter(|at| !self.skipped.contains(at)).take(n).collect()
    }

    /// Whether more than [`MAX_DRAFTS`] of its drafts would be open at once.
    pub fn too_often(&self) -> bool {
        let ahead = SignedDuration::from_hours(24 * i64::from(self.days_ahead.max(1)));
        self.firings().nth(MAX_DRAFTS).is_some_and(|firing| firing <= self.handled + ahead)
    }

    /// When the draft of a firing is due.
    pub fn draft_at(&self, t0: Timestamp) -> Timestamp {
        t0 - SignedDuration::from_hours(24 * i64::from(self.days_ahead))
    }
}

/// The template's bytes with T-0 and its day filled in, as the plan grammar reads them.
pub fn filled(template: &str, t0: Timestamp, zone: &str) -> String {
    let tz = zone_of(zone);
    let civil = tz.to_datetime(t0);
    let twice = matches!(tz.to_ambiguous_timestamp(civil).offset(), jiff::tz::AmbiguousOffset::Fold { .. });
    let day = civil.date().to_string();
    let time = format!("{day} {:02}:{:02}", civil.hour(), civil.minute());
    // A wall clock time that happens twice is written with its offset.
    let written = if twice {
        let minutes = tz.to_offset(t0).seconds() / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        format!("{day}T{:02}:{:02}{sign}{hours:02}:{rest:02}[{zone}]", civil.hour(), civil.minute())
    } else {
        format!("{time} {zone}")
    };
    template.replace(T0_HOLE, &written).replace(DATE_HOLE, &day)
}

pub(super) fn depart(work: &mut Work<'_>, name: &str, t0: Timestamp) {
    let Some(train) = work.workspace.trains.get(name) else { return };
    let (skipped, zone) = (train.skipped.contains(&t0), train.zone.clone());
    work.record(WorkspaceEvent::TrainHandled { name: name.to_owned(), t0 });
    if skipped {
        return;
    }
    if t0 > work.now {
        work.effects.push(WorkspaceEffect::Draft { train: name.to_owned(), t0 });
    } else if t0 + FORGOTTEN > work.now {
        let key = format!("train/{}/{name}", t0.as_millisecond());
        work.post(key, WorkspaceNotice::TrainMissed { name: name.to_owned(), t0, zone }, None);
    }
}

pub(super) fn add(
    work: &mut Work<'_>,
    name: &str,
    rule: Rule,
    zone: String,
    days_ahead: u32,
    people: BTreeMap<String, Option<UserId>>,
) -> Result<WorkspaceReply, Refusal> {
    let Some(person) = work.actor.person() else { return Err(Refusal::NotAllowed { who: vec![] }) };
    let name = name_of(name)?;
    if days_ahead == 0 || days_ahead > MAX_DAYS_AHEAD {
        return Err(Refusal::BadNumber { typed: days_ahead.to_string() });
    }
    let known = work.workspace.trains.keys().any(|known| known.eq_ignore_ascii_case(&name));
    if !known && work.workspace.trains.len() >= MAX_TRAINS {
        return Err(Refusal::TooMany { what: "trains", most: MAX_TRAINS });
    }
    let old = work.workspace.trains.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
    let old = old.map(|(known, train)| (known.clone(), train.clone()));
    // The same firings with another template or more days ahead: what was drafted is not drafted again.
    let same = old.as_ref().filter(|(_, old)| old.rule == rule && old.zone == zone);
    let train = Train {
        handled: same.map_or(work.now, |(_, old)| old.handled.max(work.now)),
        rule,
        zone: zone.clone(),
        days_ahead,
        author: person.user.clone(),
        author_name: person.name.clone(),
        skipped: Vec::new(),
    };
    let next = train.next(5);
    if next.is_empty() {
        return Err(Refusal::NeverAgain);
    }
    if train.too_often() {
        return Err(Refusal::TooOften { most: MAX_DRAFTS, days_ahead });
    }
    if let Some((old, _)) = old {
        work.record(WorkspaceEvent::TrainRemoved { name: old });
    }
    work.record(WorkspaceEvent::TrainAdded { name: name.clone(), train });
    let mut unknown = Vec::new();
    for (name, user) in people {
        match user {
            Some(user) => work.record(WorkspaceEvent::Remembered { name, user }),
            None => unknown.push(name),
        }
    }
    Ok(WorkspaceReply::TrainAdded { name, days_ahead, next, unknown })
}

/// A train by its name, however it is capitalised.
pub(super) fn known(workspace: &Workspace, typed: &str) -> Result<String, Refusal> {
    workspace.trains.keys().find(|name| name.eq_ignore_ascii_case(typed.trim())).cloned().ok_or_else(|| {
        Refusal::UnknownItem { typed: typed.to_owned(), known: workspace.trains.keys().cloned().collect() }
    })
}

pub(super) fn skip(work: &mut Work<'_>, typed: &str, why: &str) -> Result<WorkspaceReply, Refusal> {
    let name = known(&work.workspace, typed)?;
    let reason = reason(why)?;
    let Some(train) = work.workspace.trains.get(&name) else { return Err(Refusal::NeverAgain) };
    let next = train.next(2);
    let Some(t0) = next.first().copied() else { return Err(Refusal::NeverAgain) };
    let (zone, after) = (train.zone.clone(), next.get(1).copied());
    work.record(WorkspaceEvent::TrainSkipped { name: name.clone(), t0, reason: reason.clone() });
    let notice = WorkspaceNotice::TrainSkipped {
        name: name.clone(),
        t0,
        zone,
        by: work.actor.by().to_string(),
        reason,
        next: after,
    };
    work.post(format!("train/{}/{name}", t0.as_millisecond()), notice, None);
    Ok(WorkspaceReply::TrainSkipped { name, t0, next: after })
}

/// A skip is taken back while its draft would still be made: the nearest.
pub(super) fn unskip(work: &mut Work<'_>, typed: &str) -> Result<WorkspaceReply, Refusal> {
    let name = known(&work.workspace, typed)?;
    let train = work.workspace.trains.get(&name);
    let skipped = train.and_then(|train| Some((*train.skipped.iter().min()?, train.zone.clone())));
    let Some((t0, zone)) = skipped else { return Err(Refusal::NothingOpen { what: "skip for this train" }) };
    work.record(WorkspaceEvent::TrainUnskipped { name: name.clone(), t0 });
    let by = work.actor.by().to_string();
    let notice = WorkspaceNotice::TrainRuns { name: name.clone(), t0, zone, by };
    work.post(format!("train/{}/{name}", t0.as_millisecond()), notice, Some(t0));
    Ok(WorkspaceReply::TrainRuns { name, t0 })
}
