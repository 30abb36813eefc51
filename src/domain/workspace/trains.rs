//! The rules of trains: added, skipped, departing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::train::{MAX_DAYS_AHEAD, MAX_DRAFTS, MAX_TRAINS, Train};
use super::work::{FORGOTTEN, Work, name_of};
use super::{Workspace, WorkspaceEffect, WorkspaceEvent, WorkspaceNotice, WorkspaceReply};
use crate::domain::ids::UserId;
use crate::domain::recur::Rule;
use crate::domain::refusal::Refusal;
use crate::domain::work::reason;

pub(in crate::domain) fn depart(work: &mut Work<'_>, name: &str, t0: Timestamp) {
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

pub(in crate::domain) fn add(
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
pub(in crate::domain) fn known(workspace: &Workspace, typed: &str) -> Result<String, Refusal> {
    workspace.trains.keys().find(|name| name.eq_ignore_ascii_case(typed.trim())).cloned().ok_or_else(|| {
        Refusal::UnknownItem { typed: typed.to_owned(), known: workspace.trains.keys().cloned().collect() }
    })
}

pub(in crate::domain) fn skip(work: &mut Work<'_>, typed: &str, why: &str) -> Result<WorkspaceReply, Refusal> {
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
pub(in crate::domain) fn unskip(work: &mut Work<'_>, typed: &str) -> Result<WorkspaceReply, Refusal> {
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
