//! Export: the human's own document with only the state-bearing bytes patched: the symbol of a done box, and the slots of
//! a sign-off line. No state gives the same bytes; exporting twice gives the same as once.

use std::ops::Range;

use jiff::tz::TimeZone;

use super::read::read;
use crate::domain::closing::Postmortem;
use crate::domain::decision::PointState;
use crate::domain::plan::SignoffRole;
use crate::domain::release::{Release, RungSaid};

/// The document of the release's present revision with what has happened filled in.
pub fn export(bytes: &[u8], release: &Release) -> Vec<u8> {
    let reading = read(bytes, release.policy.zone.as_deref());
    let mut patches: Vec<(Range<usize>, Vec<u8>)> = done_items(release)
        .into_iter()
        .filter_map(|item| reading.boxes.get(&item))
        .map(|at| (*at..at + 1, b"x".to_vec()))
        .collect();
    for (role, slot) in &reading.signoff_slots {
        if let Some(words) = signed_words(release, *role)
            && bytes.get(slot.clone()).is_some_and(|old| old.contains(&b'['))
        {
            patches.push((slot.clone(), words.into_bytes()));
        }
    }
    patches.retain(|(range, _)| range.end <= bytes.len());
    patches.sort_by_key(|(range, _)| range.start);
    let mut out = Vec::with_capacity(bytes.len() + 256);
    let mut at = 0;
    for (range, new) in patches {
        if range.start < at {
            continue;
        }
        out.extend_from_slice(&bytes[at..range.start]);
        out.extend_from_slice(&new);
        at = range.end;
    }
    out.extend_from_slice(&bytes[at..]);
    out
}

fn signed_words(release: &Release, role: SignoffRole) -> Option<String> {
    let signoff = release.signoffs.get(&role).filter(|s| s.digest == release.digest)?;
    let zone = TimeZone::get(&release.plan.t0.zone).unwrap_or(TimeZone::UTC);
    let at = zone.to_datetime(signoff.at);
    let zone = if TimeZone::get(&release.plan.t0.zone).is_ok() { release.plan.t0.zone.as_str() } else { "UTC" };
    // A name is the person's own text: it must not become markup in the plan.
    let name: String =
        signoff.name.chars().filter(|c| !matches!(c, '[' | ']' | '<' | '>' | '`' | '\n' | '\r')).collect();
    Some(format!("{name} - {} {:02}:{:02} {zone}", at.date(), at.hour(), at.minute()))
}

/// Ids of the boxes that state ticks (`plans.md` 5.1).
fn done_items(release: &Release) -> Vec<String> {
    let mut done: Vec<String> = release.gates_done.iter().map(|id| format!("gate/{id}")).collect();
    for role in release.signoffs.iter().filter(|(_, s)| s.digest == release.digest).map(|(role, _)| role) {
        done.push(format!("signoff/{}", role.slug()));
    }
    for (rung, state) in &release.rungs {
        let needs = release.plan.rungs.iter().find(|r| r.key() == *rung);
        let receipt = needs.is_some_and(|r| crate::domain::ladder::needs_receipt(&r.audience));
        let confirmed = if receipt { state.receipt.is_some() } else { state.delivered_at.is_some() };
        if state.said != RungSaid::Skipped && confirmed {
            done.push(format!("rung/{rung}"));
        }
    }
    if let Some(run) = release.phase.run() {
        let decided = run.points.iter().filter(|p| matches!(p.state, PointState::Decided { .. }));
        done.extend(decided.map(|p| format!("point/{}", p.after_min)));
        if run.updates.posted + run.updates.missed > 0 {
            done.push("updates".to_owned());
        }
    }
    if let Some(closing) = release.phase.closing() {
        if !matches!(release.phase, crate::domain::release::Phase::RolledBack { .. }) {
            done.extend(["all-clear".to_owned(), "metrics-shared".to_owned()]);
        }
        match &closing.postmortem {
            Postmortem::Filed { .. } | Postmortem::Due { scheduled: Some(_), .. } => {
                done.push("post-mortem".to_owned())
            }
            Postmortem::Due { .. } | Postmortem::Waived { .. } | Postmortem::NotRequired => {}
        }
        let settled =
            closing.actions.iter().filter(|a| matches!(a.settled, Some(crate::domain::closing::Settled::Done { .. })));
        done.extend(settled.map(|a| format!("action/{}", a.id)));
    }
    done
}
