//! The rules of overrides and refusals on the record.

use std::mem::discriminant;

use jiff::{SignedDuration, Timestamp};

use super::{Action, Denied, Refused, RightsEvent, RightsNotice};
use crate::domain::command::Command;
use crate::domain::decision::Verdict;
use crate::domain::ids::{Destination, UserId};
use crate::domain::people::{Actor, By};
use crate::domain::refusal::{Refusal, Wanted};
use crate::domain::release::Release;
use crate::domain::reply::Reply;
use crate::domain::signoff::SignoffRefusal;
use crate::domain::stage::StageRefusal;
use crate::domain::work::{Context, Decision, Work};

/// The same refusal of the same person stands once in this time.
const ONCE_IN: SignedDuration = SignedDuration::from_hours(1);
/// The most refusals of a release, and of one person on it, that stand in that time.
const MOST: usize = 24;
const MOST_OF_ONE: usize = 4;

/// Someone past the roles: recorded, and said where the bot speaks of itself.
pub(in crate::domain) fn bypass(work: &mut Work<'_>, action: &Action) {
    work.record(RightsEvent::Bypassed { action: action.clone() });
    let by = work.by();
    work.report("bypass", Destination::Ops, RightsNotice::Bypassed { action: action.clone(), by });
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
pub(in crate::domain) fn is_new(
    known: &[Refused],
    user: &UserId,
    action: &Action,
    why: Denied,
    now: Timestamp,
) -> bool {
    let late: Vec<&Refused> = known.iter().filter(|refused| now < refused.at + ONCE_IN).collect();
    let theirs: Vec<&&Refused> = late.iter().filter(|known| known.user == *user).collect();
    // How much stood open is no other refusal.
    let same = |known: &Refused| known.action == *action && discriminant(&known.why) == discriminant(&why);
    !theirs.iter().any(|known| same(known)) && theirs.len() < MOST_OF_ONE && late.len() < MOST
}

/// Keeps a refusal, and forgets those that are old.
pub(in crate::domain) fn keep(known: &mut Vec<Refused>, refused: Refused) {
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

pub(in crate::domain) fn denied(refusal: &Refusal) -> Option<Denied> {
    Some(match refusal {
        Refusal::NotAllowed { .. } | Refusal::TimedOut => Denied::NotAllowed,
        Refusal::Signoff(SignoffRefusal::OwnPlan { .. }) | Refusal::Signoff(SignoffRefusal::HasSigned { .. }) => {
            Denied::OwnPlan
        }
        Refusal::Signoff(SignoffRefusal::OneRoleEach { .. }) => Denied::OneRoleEach,
        Refusal::Stage(StageRefusal::BreakGlassOnly { .. }) => Denied::NoEmergency,
        Refusal::Open { wanted: Wanted::Go | Wanted::AllClear, items } => Denied::Open(items.len()),
        _ => return None,
    })
}

pub(in crate::domain) fn evolve(release: &mut Release, event: &RightsEvent, at: Timestamp, by: &By) {
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
