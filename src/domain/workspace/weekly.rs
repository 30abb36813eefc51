//! The weekly digest: which releases are open and what each waits for.

use jiff::{SignedDuration, Timestamp};

use crate::domain::closing::{POSTMORTEM_DAYS, Postmortem};
use crate::domain::ids::ReleaseNo;
use crate::domain::phase::PhaseName;
use crate::domain::policy::Policy;
use crate::domain::recur::Rule;
use crate::domain::release::Release;
use crate::domain::{concern, signoff, zone_of};

/// When the digest is said where nobody chose a time: a rule in the workspace's zone.
const USUAL: &str = "Mon 09:00";

/// The most releases a digest names.
pub const MOST: usize = 15;

/// How long a digest is worth sending.
pub const USEFUL: SignedDuration = SignedDuration::from_hours(24);

/// An open release, as far as a digest concerns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub no: ReleaseNo,
    pub title: String,
    pub phase: PhaseName,
    pub t0: Option<Timestamp>,
    pub signoffs_missing: usize,
    pub concerns_open: usize,
    /// A post-mortem nobody filed, and whether its reminders have ended.
    pub postmortem: Option<bool>,
    pub actions_open: usize,
}

impl Standing {
    /// What a digest says of a release.
    pub fn of(release: &Release) -> Self {
        let closing = release.phase.closing();
        let planned = release.phase.run().is_none() && release.phase.name() != PhaseName::Draft;
        Self {
            no: release.no,
            title: release.plan.title.clone(),
            phase: release.phase.name(),
            t0: release.phase.run().is_none().then(|| release.plan.t0_at()).flatten(),
            signoffs_missing: if planned {
                signoff::view::missing(release).len()
            } else {
                signoff::view::owed(release).len()
            },
            concerns_open: concern::view::open(release).count(),
            postmortem: closing.and_then(|closing| match closing.postmortem {
                Postmortem::Due { reminders, .. } => Some(usize::from(reminders) >= POSTMORTEM_DAYS.len()),
                Postmortem::NotRequired | Postmortem::Filed { .. } | Postmortem::Waived { .. } => None,
            }),
            actions_open: closing.map_or(0, |closing| closing.actions.iter().filter(|a| a.settled.is_none()).count()),
        }
    }
}

/// The first digest after `after`; none where it is switched off or nothing is set up.
pub fn next(policy: &Policy, after: Timestamp) -> Option<Timestamp> {
    if policy.no_digest || (policy.ops_channel.is_none() && policy.release_channel.is_none()) {
        return None;
    }
    let zone = zone_of(policy.zone.as_deref().unwrap_or("UTC"));
    match &policy.digest {
        Some(rule) => rule.after(&zone, after).next(),
        None => Rule::parse(USUAL).ok()?.after(&zone, after).next(),
    }
}
