//! What two revisions of a plan have in common.

use crate::domain::plan;
use crate::domain::release::{Phase, Release};

/// What a document settles of what go still waits for.
pub(super) fn ticked(release: &Release, new: &plan::Plan) -> Vec<String> {
    let settled = |id: &String| release.gates_done.contains(id) || release.waived.contains_key(id);
    let open = release.plan.gates.iter().filter(|gate| !gate.done && !settled(&gate.id));
    let now = |text: &String| new.gates.iter().any(|gate| gate.done && gate.text == *text);
    open.map(|gate| gate.text.clone()).filter(now).collect()
}

/// People picked once, or who took a part over, are kept while the plan names the same person: a match by name must not undo
/// what somebody decided.
pub(in crate::domain) fn keep_names(release: &Release, plan: &mut plan::Plan) {
    let old = &release.plan;
    for (new, old) in [(&mut plan.owner, &old.owner), (&mut plan.on_call, &old.on_call)] {
        if let (Some(new), Some(old)) = (new, old)
            && old.user.is_some()
            && (&new.name, &new.handle) == (&old.name, &old.handle)
        {
            new.user.clone_from(&old.user);
        }
    }
    // Where it is said is settled once it is submitted.
    if !matches!(release.phase, Phase::Draft) {
        plan.channel_id.clone_from(&old.channel_id);
    }
}
