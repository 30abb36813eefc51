//! What stands against go.

use jiff::Timestamp;

use crate::domain::delivery::Trouble;
use crate::domain::lifecycle::GO_GRACE_MIN;
use crate::domain::open::Open;
use crate::domain::plan::{Plan, Risk};
use crate::domain::release::Release;
use crate::domain::{alert, concern, freeze, ladder, minutes, signoff};

/// What stands against go at an instant, in the order a person would mend it.
pub fn go_gaps(release: &Release, now: Timestamp) -> Vec<Open> {
    let mut open: Vec<Open> = signoff::view::pending_at(release, now).into_iter().map(Open::Signoff).collect();
    let gates = release.plan.gates.iter().filter(|gate| !gate.done && !release.gates_done.contains(&gate.id));
    open.extend(gates.map(|gate| Open::Gate { text: gate.text.clone() }));
    if release.plan.t0_at().is_some_and(|t0| now > t0 + minutes(GO_GRACE_MIN)) {
        open.push(Open::T0Past);
    }
    open.extend(
        ladder::view::owed(release).map(|rung| Open::Receipt { rung: rung.key(), audience: rung.audience.clone() }),
    );
    open.extend(concern::view::gaps(release));
    let more = release.ahead_more.unheard();
    open.extend((more > 0).then_some(Open::MoreAlertsAhead { count: more }));
    open.extend(alert::view::unheard(release).map(|alert| Open::AlertAhead { name: alert.name.clone() }));
    open.extend(unreached(release));
    open.extend(freeze::view::gaps(release, now));
    open
}

/// Whoever must hear of go or of what follows and would not: the release channel took no message when it was asked last, or at High
/// risk somebody on the escalation path was not found among the members.
fn unreached(release: &Release) -> Vec<Open> {
    let mut open = Vec::new();
    if let Some(channel) = &release.policy.release_channel
        && release
            .stuck
            .values()
            .any(|stuck| stuck.trouble == Trouble::Blocked && stuck.place.channel() == Some(channel))
    {
        open.push(Open::ChannelShut { channel: channel.clone() });
    }
    open.extend(escalation_gap(&release.plan));
    open
}

/// At High risk everybody on the escalation path must be somebody who can be called.
pub(in crate::domain) fn escalation_gap(plan: &Plan) -> Option<Open> {
    if plan.risk != Some(Risk::High) {
        return None;
    }
    let unknown = plan.escalation.iter().filter(|contact| contact.user.is_none());
    let names: Vec<String> = unknown.map(|contact| contact.name.clone()).collect();
    (plan.escalation.is_empty() || !names.is_empty()).then_some(Open::Escalation { names })
}

/// What stands against go as it looks for T-0, or for now where that is past.
pub fn gaps_ahead(release: &Release, now: Timestamp) -> Vec<Open> {
    go_gaps(release, release.plan.t0_at().map_or(now, |t0| t0.max(now)))
}

/// The number of stages; a plan without any has one, "all at once".
pub fn stage_count(release: &Release) -> usize {
    release.plan.stages.len().max(1)
}
