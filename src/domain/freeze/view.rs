//! Which freezes stand against go.

use jiff::Timestamp;

use super::{Freeze, Planned, holding, opening};
use crate::domain::open::Open;
use crate::domain::phase::PhaseName;
use crate::domain::release::Release;

/// What stands against go at `at`: every freeze without an exception.
pub fn gaps(release: &Release, at: Timestamp) -> Vec<Open> {
    let excepted =
        |freeze: &Freeze, until| release.exceptions.iter().any(|e| e.freeze == freeze.name && until <= e.until);
    let freezes = &release.policy.freezes;
    holding(freezes, at)
        .filter(|(freeze, until)| !excepted(freeze, *until))
        .map(|(freeze, until)| Open::Freeze { name: freeze.name.clone(), until, opening: opening(freezes, at) })
        .collect()
}

/// A release from submitting to the all-clear, as others see it; `None` before and after.
pub fn planned(release: &Release) -> Option<Planned> {
    let name = release.phase.name();
    let over = matches!(name, PhaseName::Draft | PhaseName::RolledBack | PhaseName::AllClear) || name.is_over();
    let (title, service) = (release.plan.title.clone(), release.plan.service.clone());
    let running = Planned::runs(name, release.phase.run().is_some());
    (!over).then(|| Planned { no: release.no, title, t0: release.plan.t0_at(), service, running })
}
