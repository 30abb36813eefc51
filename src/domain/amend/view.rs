//! Whose agreement to a changed plan is missing.

use super::Amendment;
use crate::domain::ids::UserId;
use crate::domain::release::Release;

/// Whose agreement counts: owner and on-call.
pub(super) fn parts(release: &Release) -> Vec<UserId> {
    let plan = &release.plan;
    plan.owner_user().into_iter().chain(plan.on_call_user()).cloned().collect()
}

/// Owner and on-call have agreed; where one person is both, the owner and somebody else who may.
pub(super) fn complete(release: &Release, amendment: &Amendment) -> bool {
    let has = |user: Option<&UserId>| user.is_some_and(|user| amendment.agreed.contains(user));
    let (owner, on_call) = (release.plan.owner_user(), release.plan.on_call_user());
    has(owner) && has(on_call) && (owner != on_call || amendment.agreed.len() > 1)
}

/// Whose agreement is missing; `None` stands for a release manager.
pub fn missing(release: &Release, amendment: &Amendment) -> Vec<Option<UserId>> {
    let mut missing: Vec<Option<UserId>> = Vec::new();
    for part in parts(release) {
        if !amendment.agreed.contains(&part) && !missing.contains(&Some(part.clone())) {
            missing.push(Some(part));
        }
    }
    let one = release.plan.owner_user() == release.plan.on_call_user();
    let second = amendment.agreed.iter().any(|user| Some(user) != release.plan.owner_user());
    if one && !second {
        missing.push(None);
    }
    missing
}
