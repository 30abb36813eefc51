//! What the events of sign-offs change.

use super::{Declined, REMIND_AGAIN, Signoff, SignoffEvent, SinceSigned};
use crate::domain::changes::{self, Change};
use crate::domain::people::By;
use crate::domain::phase::Before;
use crate::domain::plan::SignoffRole;
use crate::domain::release::{Phase, Release};
use crate::domain::signoff::view::{missing, next_reminder};
use jiff::Timestamp;

/// A plan changed: every role that ever signed is shown the sum of it. What is as it was then is no change.
pub(in crate::domain) fn plan_changed(release: &mut Release, changes: &[Change]) {
    for since in release.signing.since_signed.values_mut() {
        changes::add(&mut since.changes, changes);
    }
}

pub(in crate::domain) fn evolve(release: &mut Release, event: &SignoffEvent, at: Timestamp, by: &By) {
    match event {
        SignoffEvent::Given { role, user, name, digest, behalf } => {
            let (user, name, digest, behalf) = (user.clone(), name.clone(), digest.clone(), behalf.clone());
            if behalf.is_none() {
                release.signing.declined.retain(|refusal| refusal.role != *role || refusal.user != user);
            }
            let signoff = Signoff { user, name, at, digest, revision: release.revision, behalf };
            release.signing.signoffs.entry(*role).or_default().push(signoff);
            // From here on the role is shown what differs from what it signed.
            release.signing.since_signed.insert(*role, SinceSigned { revision: release.revision, changes: Vec::new() });
        }
        SignoffEvent::Refused { role, reason } => {
            release.signing.signoffs.remove(role);
            if let By::Person { user, name } = by {
                let (user, name, reason) = (user.clone(), name.clone(), reason.clone());
                release.signing.declined.retain(|refusal| refusal.role != *role || refusal.user != user);
                release.signing.declined.push(Declined {
                    role: *role,
                    user,
                    name,
                    reason,
                    digest: release.digest.clone(),
                });
            }
            no_longer_approved(release, at);
        }
        SignoffEvent::Withdrawn { role } => {
            let own = |signoff: &Signoff| matches!(by, By::Person { user, .. } if *user == signoff.user);
            drop_of(release, *role, own);
            no_longer_approved(release, at);
        }
        SignoffEvent::Expired { role, user, name } => {
            drop_of(release, *role, |signoff| signoff.user == *user && signoff.name == *name);
            no_longer_approved(release, at);
            // It is asked for anew, and so are the reminders.
            let wanted = !missing(release).is_empty();
            if let Phase::Gathering { since } = &mut release.phase
                && wanted
            {
                (*since, release.signing.signoff_reminders) = (at, 0);
            }
        }
        SignoffEvent::Reminded => reminded(release, at),
        // What would come within the hour has come.
        SignoffEvent::RemindedNow if next_reminder(release).is_some_and(|next| next <= at + REMIND_AGAIN) => {
            reminded(release, at);
        }
        SignoffEvent::RemindedNow => release.signing.reminded_at = Some(at),
        SignoffEvent::Snoozed { until } => release.signing.snoozed = Some(*until),
    }
}

/// One of the reminders that come by themselves was sent, or came as one by command.
fn reminded(release: &mut Release, at: Timestamp) {
    release.signing.signoff_reminders = release.signing.signoff_reminders.saturating_add(1);
    release.signing.reminded_at = Some(at);
}

/// Go was taken back: an owner's own sign-off counts no more, and what is missing by now is.
pub(in crate::domain) fn count_anew(release: &mut Release, at: Timestamp) {
    if !release.policy.owner_may_sign(&release.plan)
        && let Some(owner) = release.plan.owner_user().cloned()
    {
        for role in SignoffRole::ALL {
            drop_of(release, *role, |signoff| signoff.user == owner);
        }
    }
    no_longer_approved(release, at);
}

fn drop_of(release: &mut Release, role: SignoffRole, which: impl Fn(&Signoff) -> bool) {
    if let Some(given) = release.signing.signoffs.get_mut(&role) {
        given.retain(|signoff| !which(signoff));
        if given.is_empty() {
            release.signing.signoffs.remove(&role);
        }
    }
}

/// Unless everybody who is required has signed all the same.
pub(in crate::domain) fn no_longer_approved(release: &mut Release, at: Timestamp) {
    if missing(release).is_empty() {
        return;
    }
    match &mut release.phase {
        Phase::Approved { .. } => {
            release.phase = Phase::Gathering { since: at };
            release.signing.signoff_reminders = 0;
        }
        Phase::HeldBefore { back, .. } => {
            *back = Before::Gathering;
            release.signing.signoff_reminders = 0;
        }
        _ => {}
    }
}
