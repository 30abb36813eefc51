//! Which freezes stand against go.

use jiff::Timestamp;

use super::{Freeze, holding, opening};
use crate::domain::refusal::Open;
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
