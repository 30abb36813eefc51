//! What a sign-off is about: a digest over the plan's material fields.

use sha2::{Digest, Sha256};

use super::plan::{Level, Plan, SignoffRole, t_label};

/// SHA-256 in hexadecimal. Ticked boxes, tasks and names of approvers are not material; that Security is asked, times, people, stages, thresholds,
/// triggers, notices and contingency are.
pub fn digest(plan: &Plan) -> String {
    let mut material = plan.clone();
    material.level = Level::A;
    material.impact = None;
    material.channel_id = None;
    // Whose name stands there is not; that Security is asked at all is.
    material.signoffs.retain(|signoff| signoff.role == SignoffRole::Security && signoff.name.is_some());
    for signoff in &mut material.signoffs {
        signoff.name = Some(String::new());
    }
    material.actions.clear();
    material.tasks.clear();
    for gate in &mut material.gates {
        gate.done = false;
    }
    // Who a name was matched with is found out later; a mention the plan itself holds is its handle.
    for contact in material.contacts_mut() {
        contact.user = None;
    }
    if let Some(t0) = &mut material.t0 {
        t0.typed = String::new();
    }
    for rung in &mut material.rungs {
        // Its wording is not; that go waits for its receipt is.
        let demands = if rung.demands_receipt() { ", must confirm" } else { "" };
        rung.text = t_label(-i64::from(rung.before_min)) + demands;
    }
    // A plan is plain data: it always becomes JSON.
    let bytes = serde_json::to_vec(&material).unwrap_or_default();
    let hash = Sha256::digest(bytes);
    hash.iter().map(|b| format!("{b:02x}")).collect()
}
