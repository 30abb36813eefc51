//! Topic: a workspace's own lists from chat: its freezes and its rules for sign-offs. Each change is the whole policy anew, so that
//! the record shows what held from when on.

use jiff::Timestamp;

use super::freeze::{Freeze, MAX_FREEZES};
use super::policy::{MAX_PEOPLE, MAX_RULES, SignoffRule};
use super::refusal::Refusal;
use super::workspace::{Work, WorkspaceEvent, WorkspaceReply, name_of};

pub(super) fn add_freeze(work: &mut Work<'_>, freeze: Freeze) -> Result<WorkspaceReply, Refusal> {
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

pub(super) fn remove_freeze(work: &mut Work<'_>, typed: &str) -> Result<WorkspaceReply, Refusal> {
    let mut policy = work.workspace.policy.clone();
    let known: Vec<String> = policy.freezes.iter().map(|freeze| freeze.name.clone()).collect();
    let Some(at) = known.iter().position(|name| name.eq_ignore_ascii_case(typed.trim())) else {
        return Err(Refusal::UnknownItem { typed: typed.to_owned(), known });
    };
    let name = policy.freezes.remove(at).name;
    work.record(WorkspaceEvent::Configured { policy: Box::new(policy) });
    Ok(WorkspaceReply::FreezeRemoved { name })
}

pub(super) fn add_rule(work: &mut Work<'_>, rule: SignoffRule) -> Result<WorkspaceReply, Refusal> {
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

pub(super) fn remove_rule(work: &mut Work<'_>, typed: &str) -> Result<WorkspaceReply, Refusal> {
    let mut policy = work.workspace.policy.clone();
    let known: Vec<String> = policy.rules.iter().map(|rule| rule.name.clone()).collect();
    let Some(at) = known.iter().position(|name| name.eq_ignore_ascii_case(typed.trim())) else {
        return Err(Refusal::UnknownItem { typed: typed.to_owned(), known });
    };
    let name = policy.rules.remove(at).name;
    work.record(WorkspaceEvent::Configured { policy: Box::new(policy) });
    Ok(WorkspaceReply::RuleRemoved { name })
}
