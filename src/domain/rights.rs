//! Topic: rights on the record. What somebody did past the roles, and refusals that matter: both stand in the journal, because
//! who tried is asked after a bad evening as often as who did.

use std::mem::discriminant;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::command::{Command, Verdict};
use super::decide::{Context, Work};
use super::effect::{Decision, Destination, Reply};
use super::event::RightsEvent;
use super::ids::UserId;
use super::may::Action;
use super::notice::Notice;
use super::people::{Actor, By};
use super::refusal::{Refusal, Wanted};
use super::release::Release;

/// The same refusal of the same person stands once in this time.
const ONCE_IN: SignedDuration = SignedDuration::from_hours(1);
/// The most refusals of a release, and of one person on it, that stand in that time.
const MOST: usize = 24;
const MOST_OF_ONE: usize = 4;

/// Why somebody was refused, as the record keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denied {
    NotAllowed,
    /// They own or wrote the plan.
    OwnPlan,
    /// They signed as something else.
    OneRoleEach,
    /// Break-glass is for emergencies.
    NoEmergency,
    /// So many things stood open.
    Open(usize),
}

/// A refusal of late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub user: UserId,
    pub action: Action,
    pub why: Denied,
    pub at: Timestamp,
}

/// Someone past the roles: recorded, and said where the bot speaks of itself.
pub(super) fn bypass(work: &mut Work<'_>, action: &Action) {
    work.record(RightsEvent::Bypassed { action: action.clone() });
    let by = work.by();
    work.report("bypass", Destination::Ops, Notice::Bypassed { action: action.clone(), by });
}

/// The record of a refusal, where it matters and does not stand already.
pub fn refused(release: &Release, command: &Command, refusal: &Refusal, ctx: Context<'_>) -> Option<Decision> {
    let Actor::Person(person) = ctx.actor else { return None };
    let action = Action::of(command, release, ctx.now).ok().filter(|action| matters(action, command))?;
    let why = denied(refusal)?;
    if !is_new(&release.refused, &person.user, &action, why, ctx.now) {
        return None;
    }
    let mut work = Work::new(release.clone(), ctx);
    work.record(RightsEvent::Refused { action, why });
    Some(work.done(Reply::Silent))
}

/// Whether a refusal does not stand already, and there is room for it.
pub(super) fn is_new(known: &[Refused], user: &UserId, action: &Action, why: Denied, now: Timestamp) -> bool {
    let late: Vec<&Refused> = known.iter().filter(|refused| now < refused.at + ONCE_IN).collect();
    let theirs: Vec<&&Refused> = late.iter().filter(|known| known.user == *user).collect();
    // How much stood open is no other refusal.
    let same = |known: &Refused| known.action == *action && discriminant(&known.why) == discriminant(&why);
    !theirs.iter().any(|known| same(known)) && theirs.len() < MOST_OF_ONE && late.len() < MOST
}

/// Keeps a refusal, and forgets those that are old.
pub(super) fn keep(known: &mut Vec<Refused>, refused: Refused) {
    known.retain(|old| refused.at < old.at + ONCE_IN);
    known.push(refused);
}

/// Whether it matters that somebody tried.
fn matters(action: &Action, command: &Command) -> bool {
    match action {
        Action::Sign(_)
        | Action::SignFor(_)
        | Action::Go
        | Action::BreakGlass
        | Action::HandOver(_)
        | Action::RollBack
        | Action::AllClear
        | Action::Settle(_)
        | Action::Waive
        | Action::Except
        | Action::Scrub
        | Action::Reschedule
        | Action::Amend => true,
        Action::Decide | Action::Answer => !matches!(command, Command::Decide { verdict: Verdict::Hold, .. }),
        _ => false,
    }
}

pub(super) fn denied(refusal: &Refusal) -> Option<Denied> {
    Some(match refusal {
        Refusal::NotAllowed { .. } | Refusal::TimedOut => Denied::NotAllowed,
        Refusal::OwnPlan { .. } | Refusal::HasSigned { .. } => Denied::OwnPlan,
        Refusal::OneRoleEach { .. } => Denied::OneRoleEach,
        Refusal::BreakGlassOnly { .. } => Denied::NoEmergency,
        Refusal::Open { wanted: Wanted::Go | Wanted::AllClear, items } => Denied::Open(items.len()),
        _ => return None,
    })
}

pub(super) fn evolve(release: &mut Release, event: &RightsEvent, at: Timestamp, by: &By) {
    match event {
        RightsEvent::Bypassed { .. } => {}
        RightsEvent::Refused { action, why } => {
            if let By::Person { user, .. } = by {
                let (user, action, why) = (user.clone(), action.clone(), *why);
                keep(&mut release.refused, Refused { user, action, why, at });
            }
        }
    }
}
