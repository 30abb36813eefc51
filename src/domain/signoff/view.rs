//! Whose sign-off a release has, and whose it waits for.

use jiff::{SignedDuration, Timestamp};

use super::{Declined, Pending, REMIND_AFTER_H, SNOOZE_MIN, Signoff, item};
use crate::domain::plan::SignoffRole;
use crate::domain::policy;
use crate::domain::prompt::Prompt;
use crate::domain::release::{Phase, Release};

/// Effects that change a sign-off request's buttons use this key.
pub(in crate::domain) fn signoff_key(release: &Release) -> String {
    format!("signoff/{}", release.signing.round)
}

/// The prompt under the present revision's request.
pub(in crate::domain) fn signoff_prompt(release: &Release) -> Prompt {
    Prompt::Signoff { digest: release.digest.clone() }
}

/// Sign-offs of the present digest.
pub fn valid(release: &Release) -> impl Iterator<Item = (SignoffRole, &Signoff)> {
    let given = release.signing.signoffs.iter().flat_map(|(role, given)| given.iter().map(|signoff| (*role, signoff)));
    given.filter(|(_, signoff)| signoff.digest == release.digest)
}

/// Refusals of the present digest.
pub fn declined(release: &Release) -> impl Iterator<Item = &Declined> {
    release.signing.declined.iter().filter(|refusal| refusal.digest == release.digest)
}

/// The instant at which a sign-off no longer counts, where this workspace has such a limit.
pub(super) fn expires(release: &Release, signoff: &Signoff) -> Option<Timestamp> {
    let hours = release.policy.signoff_hours?;
    signoff.at.checked_add(SignedDuration::from_hours(i64::from(hours))).ok()
}

/// Required roles that have not signed the present digest in full.
pub fn pending(release: &Release) -> Vec<Pending> {
    pending_of(release, |_| true)
}

/// The same at an instant: what has expired by then does not count, whether or not that was said already.
pub fn pending_at(release: &Release, now: Timestamp) -> Vec<Pending> {
    pending_of(release, |signoff| expires(release, signoff).is_none_or(|at| now < at))
}

fn pending_of(release: &Release, counts: impl Fn(&Signoff) -> bool) -> Vec<Pending> {
    policy::required_signoffs(&release.plan, &release.policy)
        .into_iter()
        .filter_map(|needed| {
            let have = valid(release).filter(|(role, signoff)| *role == needed.role && counts(signoff)).count();
            let need = usize::from(needed.people);
            let refused = declined(release).any(|refusal| refusal.role == needed.role);
            (have < need).then_some(Pending { role: needed.role, have, need, refused })
        })
        .collect()
}

/// What is owed after a break-glass go: missing, and not waived since.
pub fn owed(release: &Release) -> Vec<SignoffRole> {
    let broke = release.phase.run().is_some_and(|run| run.break_glass.is_some());
    let mut roles = if broke { missing(release) } else { Vec::new() };
    roles.retain(|role| !release.waived.contains_key(&item(*role)));
    roles
}

/// The roles of [`pending`].
pub fn missing(release: &Release) -> Vec<SignoffRole> {
    pending(release).into_iter().map(|pending| pending.role).collect()
}

/// Whether there is a reminder to come that was not put off yet.
pub fn can_snooze(release: &Release) -> bool {
    let later = |at: Timestamp| at + crate::domain::minutes(SNOOZE_MIN);
    let before_t0 = |at: Timestamp| release.plan.t0_at().is_some_and(|t0| at < t0);
    release.signing.snoozed.is_none() && next_reminder(release).map(later).is_some_and(before_t0)
}

pub(super) fn planned(release: &Release) -> bool {
    matches!(release.phase, Phase::Gathering { .. } | Phase::Approved { .. } | Phase::HeldBefore { .. })
}

pub(super) fn next_reminder(release: &Release) -> Option<Timestamp> {
    let Phase::Gathering { since } = &release.phase else { return None };
    let after = REMIND_AFTER_H.get(usize::from(release.signing.signoff_reminders))?;
    let at = *since + SignedDuration::from_hours(*after);
    let at = release.signing.snoozed.map_or(at, |until| at.max(until));
    let useful = release.plan.t0_at().is_some_and(|t0| at < t0) && !missing(release).is_empty();
    useful.then_some(at)
}
