//! A workspace's own lists from chat: its freezes, its rules for sign-offs, its audiences. Each change is the whole policy anew, so that
//! the record shows what held from when on.

use jiff::Timestamp;

use super::work::{Work, name_of};
use super::{WorkspaceEvent, WorkspaceReply};
use crate::domain::freeze::{Freeze, MAX_FREEZES};
use crate::domain::ids::Audience;
use crate::domain::ladder::LadderRefusal;
use crate::domain::policy::{MAX_AUDIENCES, MAX_PEOPLE, MAX_RULES, Route, RouteChange, SignoffRule};
use crate::domain::refusal::Refusal;

pub(in crate::domain) fn add_freeze(work: &mut Work<'_>, freeze: Freeze) -> Result<WorkspaceReply, Refusal> {
    let freeze = Freeze { name: name_of(&freeze.name)?, ..freeze };
    let mut policy = work.workspace.policy.clone();
    policy.freezes.retain(|known| !known.name.eq_ignore_ascii_case(&freeze.name));
    if policy.freezes.len() >= MAX_FREEZES {
        return Err(Refusal::TooMany { what: "freezes", most: MAX_FREEZES });
    }
    let holds = freeze.holds(work.now);
    let next: Vec<Timestamp> =
        std::iter::successors(freeze.next_start(work.now), |last| freeze.next_start(*last)).take(3).collect();
    if holds.is_none() && next.is_empty() {
        return Err(Refusal::NeverAgain);
    }
    policy.freezes.push(freeze.clone());
    work.record(WorkspaceEvent::Configured { policy: Box::new(policy) });
    Ok(WorkspaceReply::FreezeAdded { freeze, holds, next })
}

pub(in crate::domain) fn remove_freeze(work: &mut Work<'_>, typed: &str) -> Result<WorkspaceReply, Refusal> {
    let mut policy = work.workspace.policy.clone();
    let known: Vec<String> = policy.freezes.iter().map(|freeze| freeze.name.clone()).collect();
    let Some(at) = known.iter().position(|name| name.eq_ignore_ascii_case(typed.trim())) else {
        return Err(Refusal::UnknownItem { typed: typed.to_owned(), known });
    };
    let name = policy.freezes.remove(at).name;
    work.record(WorkspaceEvent::Configured { policy: Box::new(policy) });
    Ok(WorkspaceReply::FreezeRemoved { name })
}

pub(in crate::domain) fn add_rule(work: &mut Work<'_>, rule: SignoffRule) -> Result<WorkspaceReply, Refusal> {
    let rule = SignoffRule { name: name_of(&rule.name)?, ..rule };
    if rule.people == 0 || rule.people > MAX_PEOPLE {
        return Err(Refusal::BadNumber { typed: rule.people.to_string() });
    }
    let mut policy = work.workspace.policy.clone();
    policy.rules.retain(|known| !known.name.eq_ignore_ascii_case(&rule.name));
    if policy.rules.len() >= MAX_RULES {
        return Err(Refusal::TooMany { what: "rules", most: MAX_RULES });
    }
    policy.rules.push(rule.clone());
    work.record(WorkspaceEvent::Configured { policy: Box::new(policy) });
    Ok(WorkspaceReply::RuleAdded { rule })
}

pub(in crate::domain) fn remove_rule(work: &mut Work<'_>, typed: &str) -> Result<WorkspaceReply, Refusal> {
    let mut policy = work.workspace.policy.clone();
    let known: Vec<String> = policy.rules.iter().map(|rule| rule.name.clone()).collect();
    let Some(at) = known.iter().position(|name| name.eq_ignore_ascii_case(typed.trim())) else {
        return Err(Refusal::UnknownItem { typed: typed.to_owned(), known });
    };
    let name = policy.rules.remove(at).name;
    work.record(WorkspaceEvent::Configured { policy: Box::new(policy) });
    Ok(WorkspaceReply::RuleRemoved { name })
}

/// Where an audience is told, who is called, when not, and whether go waits for it.
///
/// # Errors
/// No name, nothing to change, or a receipt that nobody could give.
pub(in crate::domain) fn set_audience(
    work: &mut Work<'_>,
    audience: Audience,
    change: RouteChange,
) -> Result<WorkspaceReply, Refusal> {
    if audience.0.is_empty() {
        return Err(Refusal::NameNeeded);
    }
    if change == RouteChange::default() {
        return Err(Refusal::NothingToSet);
    }
    let mut policy = work.workspace.policy.clone();
    if !policy.audiences.contains_key(&audience) && policy.audiences.len() >= MAX_AUDIENCES {
        return Err(Refusal::TooMany { what: "audiences", most: MAX_AUDIENCES });
    }
    let route = policy.audiences.entry(audience.clone()).or_default();
    let RouteChange { channel, role, quiet, must_confirm, wording } = change;
    route.channel = channel.or_else(|| route.channel.take());
    route.role = role.or_else(|| route.role.take());
    route.quiet = quiet.unwrap_or_else(|| route.quiet.take());
    route.must_confirm = must_confirm.unwrap_or(route.must_confirm);
    route.wording = wording.unwrap_or_else(|| route.wording.take());
    // Engineering is told and confirms nothing.
    if route.must_confirm && (route.role.is_none() || audience == Audience::engineering()) {
        return Err(LadderRefusal::NobodyConfirms { audience }.into());
    }
    let route = route.clone();
    work.record(WorkspaceEvent::Configured { policy: Box::new(policy) });
    Ok(WorkspaceReply::AudienceSet { audience, route })
}

/// It is told in the release channel from here on, and nobody is called.
///
/// # Errors
/// It is not set.
pub(in crate::domain) fn remove_audience(work: &mut Work<'_>, audience: Audience) -> Result<WorkspaceReply, Refusal> {
    let mut policy = work.workspace.policy.clone();
    if policy.audiences.remove(&audience).is_none_or(|route| route == Route::default()) {
        let known = policy.audiences.keys().map(|audience| audience.0.clone()).collect();
        return Err(Refusal::UnknownItem { typed: audience.0, known });
    }
    work.record(WorkspaceEvent::Configured { policy: Box::new(policy) });
    Ok(WorkspaceReply::AudienceRemoved { audience })
}
