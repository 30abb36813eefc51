//! The rules of freezes for one release: exceptions, and other releases near it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::view::gaps;
use super::{Exception, FreezeEvent, FreezeException, FreezeNotice, FreezeReply, Planned};
use crate::domain::ids::Destination;
use crate::domain::open::Open;
use crate::domain::people;
use crate::domain::refusal::Refusal;
use crate::domain::release::Release;
use crate::domain::reply::Reply;
use crate::domain::work::{Work, reason};

/// Releases of one service nearer than this to each other are pointed out.
const NEAR: SignedDuration = SignedDuration::from_hours(24);

/// A release manager lets one release through one freeze; announced where people look.
pub(in crate::domain) fn except(work: &mut Work<'_>, exception: FreezeException) -> Result<Reply, Refusal> {
    // What stands against go now stands against it as well as what does at its T-0; an exception for both lasts to the later end.
    let (now, t0) = (work.ctx.now, work.release.plan.t0_at());
    let of = |at| {
        gaps(&work.release, at).into_iter().filter_map(|open| match open {
            Open::Freeze { name, until, .. } => Some((name, until)),
            _ => None,
        })
    };
    let ahead: BTreeMap<String, Timestamp> = t0.filter(|t0| *t0 > now).into_iter().flat_map(of).collect();
    let mut standing = ahead.clone();
    for (name, until) in of(now) {
        let end = standing.entry(name).or_insert(until);
        *end = (*end).max(until);
    }
    let named = exception.freeze.as_ref().map(|name| name.trim().to_lowercase());
    // Without a name it is the one at its T-0, or else the one of now.
    let meant = if named.is_none() && !ahead.is_empty() { &ahead } else { &standing };
    let found: Vec<&String> =
        meant.keys().filter(|name| named.as_ref().is_none_or(|named| *named == name.to_lowercase())).collect();
    let (freeze, until) = match (found.as_slice(), &exception.freeze) {
        ([one], _) => ((*one).clone(), standing[*one]),
        ([], None) => return Err(Refusal::NothingOpen { what: "freeze now or at T-0" }),
        (_, typed) => {
            let known = standing.into_keys().collect();
            return Err(Refusal::UnknownItem { typed: typed.clone().unwrap_or_default(), known });
        }
    };
    let (by, reason) = (work.by(), reason(&exception.reason)?);
    work.record(FreezeEvent::Excepted { freeze: freeze.clone(), until, reason: reason.clone() });
    let notice = FreezeNotice::Excepted { freeze: freeze.clone(), until, by, reason };
    work.report("exception", Destination::Release, notice.clone());
    work.report("exception-ops", Destination::Ops, notice);
    Ok(FreezeReply::Excepted { freeze, until }.into())
}

/// Points out other releases of the same service near this one's T-0.
pub(in crate::domain) fn point_out_overlaps(work: &mut Work<'_>) {
    let (Some(t0), Some(service)) = (work.release.plan.t0_at(), work.release.plan.service.as_deref()) else { return };
    let near = |other: &&Planned| {
        let same = other.service.as_deref().is_some_and(|s| s.eq_ignore_ascii_case(service));
        let apart = other.t0.map(|at| at.duration_since(t0).abs());
        let runs_into = other.running && t0.duration_since(work.ctx.now) < NEAR;
        same && other.no != work.release.no && (runs_into || apart.is_some_and(|apart| apart < NEAR))
    };
    let others: Vec<Planned> = work.ctx.others.iter().filter(near).take(5).cloned().collect();
    if others.is_empty() {
        return;
    }
    let (key, mention) = (work.unique("overlap"), work.owner());
    work.post(key, Destination::Release, FreezeNotice::Overlap { others }).mention = mention;
}

pub(in crate::domain) fn evolve(release: &mut Release, event: &FreezeEvent, by: &people::By) {
    match event {
        FreezeEvent::Excepted { freeze, until, reason } => {
            release.exceptions.retain(|known| known.freeze != *freeze);
            let exception =
                Exception { freeze: freeze.clone(), until: *until, by: by.to_string(), reason: reason.clone() };
            release.exceptions.push(exception);
        }
    }
}
