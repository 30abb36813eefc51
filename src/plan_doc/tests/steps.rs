//! Steps of a plan: their owners, rollback steps beside triggers, and T-0 in several zones.

use super::{PLAN, codes, reading};

#[test]
fn the_owner_of_a_step_owns_no_release() {
    let owner = |text: &str| reading(text).plan.unwrap().owner.map(|owner| owner.name);
    for text in [
        "# Move\n\n**Go-Live**: 2026-12-08 14:00 UTC\n\n## Step 1: freeze\n\n**Owner:** Database team\n\n- [ ] Writes are off\n",
        "# Move\n\n## Copy the data\n\n**Responsible:** Storage team\n\n1. Copy\n",
        "# Move\n\n## Command 2: lock the roles\n\n**Owner:** Database team\n\n- [ ] Roles are filled\n",
        "# Move\n\n## Task #3 – tell the team\n\n**Owner:** Database team\n",
        "# Move\n\n## Overview\n\nWe move.\n\n### Phase 1\n\n**Owner:** Database team\n",
    ] {
        assert_eq!(owner(text), None, "{text}");
    }
    for text in [
        "# Move\n\n**Owner:** Kim (@kim)\n",
        "# Move\n\n## Contacts\n\n**Owner:** Kim (@kim)\n",
        "# Move\n\n## The move\n\n**Owner:** Kim (@kim)\n**Go-Live**: 2026-12-08 14:00 UTC\n",
        "# Move\n\n## Step 1\n\n**Release Manager:** Kim (@kim)\n",
    ] {
        assert_eq!(owner(text).as_deref(), Some("Kim"), "{text}");
    }
}

#[test]
fn rollback_steps_are_not_triggers() {
    let triggers = |text: &str| -> Vec<String> {
        reading(text).plan.unwrap().triggers.into_iter().map(|trigger| trigger.text).collect()
    };
    let list = "- Error rate > 5% for 5 minutes\n- Users report lost data";
    for steps in [
        "Steps:\n\n1. Disable the flag for everyone\n2. Point the balancer back",
        "**Rollback verification:**\n\n- Orders arrive again",
        "**If we roll back:**\n\n- Point the balancer back",
        "- Disable the flag for everyone\n- `kubectl rollout undo deploy/shop`",
    ] {
        let text = format!("# Move\n\n## Rollback Triggers\n\n{list}\n\n{steps}\n");
        assert_eq!(triggers(&text), ["Error rate > 5% for 5 minutes", "Users report lost data"], "{steps}");
    }
    let asked = format!("# Move\n\n## Rollback\n\n**Roll back immediately if:**\n\n{list}\n");
    assert_eq!(triggers(&asked).len(), 2);
    let label = "**Manual Rollback Decision Points:**";
    let template = PLAN.replace(label, &format!("**Rollback Steps:**\n- [ ] Disable the flag\n\n{label}"));
    assert_eq!(triggers(&template), triggers(PLAN));
}

#[test]
fn a_second_offset_in_a_line_is_told() {
    let text = PLAN.replace("briefed (T-2h)", "briefed (T-2h, again T-1h)");
    assert_eq!(codes(&text), ["TM078"]);
    assert_eq!(codes(&PLAN.replace("Full metrics review", "Metrics against those of T-0")), Vec::<&str>::new());
}

#[test]
fn one_instant_in_several_zones_is_t0() {
    let table = |rows: &str| {
        let head = "| Slot | UTC | Berlin (+01:00) | Tokyo (UTC+9) |\n|--|--|--|--|";
        reading(&format!("# Fork\n\n## Upgrade\n\n{head}\n{rows}\n"))
    };
    let row = "| 12 | 2026-12-08 13:00:00 | 2026-12-08 14:00:00 | 2026-12-08 22:00:00 |";
    let found = table(row);
    assert!(found.diagnostics.iter().any(|d| d.message.contains("reads T-0 from the table: 2026-12-08 13:00:00 UTC")));
    assert_eq!(found.plan.unwrap().t0_at().map(|at| at.to_string()).as_deref(), Some("2026-12-08T13:00:00Z"));
    let apart = table(&row.replace("22:00", "23:00"));
    assert!(apart.diagnostics.iter().any(|d| d.code == "TM072"), "{:?}", apart.diagnostics);
    let several = table(&format!("{row}\n{}", row.replace("-08", "-09")));
    assert_eq!((apart.plan.unwrap().t0, several.plan.unwrap().t0), (None, None));
}
