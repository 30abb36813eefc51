//! Which notices were confirmed, and which still wait.

use jiff::Timestamp;

use super::rung::{due_at, rungs};
use super::{NoticeCommand, RungSaid, RungState};
use crate::domain::ids::Audience;
use crate::domain::plan::RungPlan;
use crate::domain::refusal::Refusal;
use crate::domain::release::Release;

/// Whether the plan tells the readers of a status page at all.
pub(in crate::domain) fn tells_pages(release: &Release) -> bool {
    release.plan.rungs.iter().any(|rung| rung.audience == Audience::status_page())
}

/// Engineering is told; the others confirm that they are ready. A status page that T-Minus writes itself needs
/// nobody's word.
pub fn needs_receipt(release: &Release, audience: &Audience) -> bool {
    let written = *audience == Audience::status_page() && !release.policy.pages.is_empty();
    *audience != Audience::engineering() && !written
}

/// Whether a rung has done its work: posted, confirmed by a person where that is asked, shown on every page T-Minus writes.
pub fn confirmed(release: &Release, rung: &RungPlan, state: &RungState) -> bool {
    let pages = &release.policy.pages;
    state.said != RungSaid::Skipped
        && if needs_receipt(release, &rung.audience) {
            state.receipt.is_some()
        } else if rung.audience == Audience::status_page() {
            pages.iter().all(|page| release.countdown.pages_shown.contains(page))
        } else {
            state.delivered_at.is_some()
        }
}

/// Earlier rungs of the same audience on this schedule that were skipped.
pub(super) fn not_sent_before(release: &Release, rung: &RungPlan) -> Vec<String> {
    let skipped =
        release.countdown.rungs.iter().filter(|(_, state)| state.said == RungSaid::Skipped).map(|(key, _)| key);
    let before = |key: &&String| {
        let other = RungPlan::of_key(key);
        other.is_none_or(|other| other.audience == rung.audience && other.before_min >= rung.before_min)
    };
    skipped.filter(before).cloned().collect()
}

/// Rungs that were said, want a receipt and have none.
pub fn unconfirmed(release: &Release) -> Vec<String> {
    release
        .plan
        .rungs
        .iter()
        .filter(|rung| needs_receipt(release, &rung.audience))
        .map(RungPlan::key)
        .filter(|key| {
            release.countdown.rungs.get(key).is_some_and(|state| state.said != RungSaid::Skipped && state.unanswered())
        })
        .collect()
}

/// Whether go waits for a rung's receipt: its line says so, or its audience's rule.
fn demanded(release: &Release, rung: &RungPlan) -> bool {
    let by_rule = release.policy.audiences.get(&rung.audience).is_some_and(|route| route.must_confirm);
    needs_receipt(release, &rung.audience) && (by_rule || rung.demands_receipt())
}

/// Rungs whose receipt go waits for, that are neither confirmed nor waived.
pub fn owed(release: &Release) -> impl Iterator<Item = &RungPlan> {
    let open = |rung: &&RungPlan| {
        let key = rung.key();
        // A notice that was retracted is not a receipt.
        let unanswered = release.countdown.rungs.get(&key).is_none_or(|state| state.receipt.is_none());
        unanswered && !release.waived.contains_key(&key)
    };
    rungs(release).into_iter().filter(|rung| demanded(release, rung)).filter(open)
}

/// The rung a receipt, or its taking back, is about.
///
/// # Errors
/// None is, or several could be.
pub(in crate::domain) fn meant(release: &Release, command: &NoticeCommand) -> Result<RungPlan, Refusal> {
    let skipped =
        |rung: &&RungPlan| release.countdown.rungs.get(&rung.key()).is_some_and(|s| s.said == RungSaid::Skipped);
    let mut waiting = unconfirmed(release);
    waiting.extend(owed(release).filter(skipped).map(RungPlan::key));
    let typed = match command {
        NoticeCommand::Receipt { rung, .. } | NoticeCommand::TakeBack { rung, .. } => {
            let known = || release.plan.rungs.iter().map(RungPlan::key).collect();
            let found = release.plan.rungs.iter().find(|plan| plan.key() == *rung).cloned();
            return found.ok_or_else(|| Refusal::UnknownItem { typed: rung.clone(), known: known() });
        }
        NoticeCommand::Correct { rung, .. } => Some(rung),
        NoticeCommand::Brief { rung } => rung.as_ref(),
    };
    match (typed, waiting.as_slice()) {
        (Some(typed), _) => rung_named(release, typed),
        (None, [only]) => rung_named(release, only),
        (None, []) => Err(Refusal::NothingOpen { what: "receipt" }),
        (None, _) => Err(Refusal::UnknownItem { typed: String::new(), known: waiting }),
    }
}

/// A rung as a person types it: its key, or its T-label where one alone has it.
pub(super) fn rung_named(release: &Release, typed: &str) -> Result<RungPlan, Refusal> {
    let typed = typed.trim();
    let is = |rung: &&RungPlan| {
        let key = rung.key();
        key.eq_ignore_ascii_case(typed) || key.split('/').any(|part| part.eq_ignore_ascii_case(typed))
    };
    let found: Vec<&RungPlan> = release.plan.rungs.iter().filter(is).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        _ => {
            let known = release.plan.rungs.iter().map(RungPlan::key).collect();
            Err(Refusal::UnknownItem { typed: typed.to_owned(), known })
        }
    }
}

/// Rungs of the present schedule that were neither said nor skipped, with their instants.
pub(in crate::domain) fn ahead(release: &Release) -> Vec<(Timestamp, String)> {
    let waiting = rungs(release).into_iter().filter(|rung| !release.countdown.rungs.contains_key(&rung.key()));
    waiting.filter_map(|rung| Some((due_at(release, rung)?, rung.key()))).collect()
}
