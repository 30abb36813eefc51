//! What the events of a plan change.

use jiff::Timestamp;

use super::PlanEvent;
use crate::domain::ladder::{self, Countdown};
use crate::domain::people::{By, Post};
use crate::domain::phase::Before;
use crate::domain::plan::Risk;
use crate::domain::release::{Phase, Release};
use crate::domain::signoff::{self, Signing};
use crate::domain::{alert, amend};

pub(in crate::domain) fn opened(event: &PlanEvent, at: Timestamp) -> Option<Release> {
    let PlanEvent::Imported { id, no, server, author, plan, digest, findings, fixes, policy, train: _ } = event else {
        return None;
    };
    Some(Release {
        id: *id,
        no: *no,
        server: server.clone(),
        author: author.clone(),
        revisers: std::collections::BTreeSet::new(),
        seq: 1,
        revision: 1,
        signing: Signing::begin(),
        countdown: Countdown::begin(at),
        digest: digest.clone(),
        plan: (**plan).clone(),
        findings: findings.clone(),
        fixes: *fixes,
        changes: Vec::new(),
        policy: (**policy).clone(),
        phase: Phase::Draft,
        gates_done: std::collections::BTreeSet::new(),
        stuck: std::collections::BTreeMap::new(),
        exceptions: Vec::new(),
        concerns: Vec::new(),
        waived: std::collections::BTreeMap::new(),
        ahead: Vec::new(),
        ahead_more: alert::crowd::Ahead::default(),
        amendment: None,
        amendments: 0,
        refused: Vec::new(),
        card_moves: 0,
        closed_before: None,
        issues: std::collections::BTreeSet::new(),
    })
}

pub(in crate::domain) fn evolve(release: &mut Release, event: &PlanEvent, at: Timestamp, by: &By) {
    match event {
        PlanEvent::Imported { .. } => {}
        PlanEvent::Revised { plan, digest, findings, fixes, changes, material, moved, renamed, undone } => {
            // Whoever owned it does not sign it once another is named.
            if let Some(before) = release.plan.owner_user().filter(|before| plan.owner_user() != Some(before)) {
                release.revisers.insert(before.clone());
            }
            let raised = plan.risk == Some(Risk::High) && release.plan.risk != plan.risk;
            release.plan = (**plan).clone();
            release.digest.clone_from(digest);
            release.findings.clone_from(findings);
            release.fixes = *fixes;
            release.changes.clone_from(changes);
            signoff::evolve::plan_changed(release, changes);
            release.revision += 1;
            for item in undone {
                release.gates_done.remove(item);
                release.waived.remove(item);
            }
            for (from, to) in renamed {
                if release.gates_done.remove(from) {
                    release.gates_done.insert(to.clone());
                }
                if let Some(waiver) = release.waived.remove(from) {
                    release.waived.insert(to.clone(), waiver);
                }
            }
            // What stands against a High risk release is hard: what was waived at a lower one stands against it again.
            if raised && !release.policy.waive_high {
                for item in std::mem::take(&mut release.waived).into_keys() {
                    release.gates_done.remove(&item);
                }
            }
            if let By::Person { user, .. } = by {
                release.revisers.insert(user.clone());
            }
            if *moved {
                release.countdown.t0_written = None;
                release.begin_schedule();
                release.countdown.drafted_at = Some(at);
            }
            if *material {
                release.begin_round();
                if matches!(release.phase, Phase::Approved { .. } | Phase::Gathering { .. }) {
                    release.phase = Phase::Gathering { since: at };
                }
            }
        }
        PlanEvent::Rescheduled { t0, reason: _, digest, changes } => {
            ladder::schedule::rescheduled(release, t0, digest, changes, at);
        }
        PlanEvent::Submitted { policy } => {
            release.policy = (**policy).clone();
            release.phase = Phase::Gathering { since: at };
        }
        PlanEvent::PolicyChanged { policy } => {
            let channels = (&release.policy.release_channel, &policy.release_channel);
            if let (Some(before), Some(after)) = channels
                && before != after
                && release.phase != Phase::Draft
            {
                release.card_moves += 1;
            }
            release.policy = (**policy).clone();
            signoff::evolve::no_longer_approved(release, at);
        }
        PlanEvent::Approved => match &mut release.phase {
            Phase::HeldBefore { back, .. } => *back = Before::Approved,
            phase => *phase = Phase::Approved { since: at },
        },
        PlanEvent::Scrubbed { reason } => release.phase = Phase::Scrubbed { at, reason: reason.clone() },
        PlanEvent::Named { post, user } => {
            let contact = match post {
                Post::Owner => &mut release.plan.owner,
                Post::OnCall => &mut release.plan.on_call,
            };
            if let Some(contact) = contact {
                contact.user = Some(user.clone());
            }
        }
        PlanEvent::HandedOver { post, from, to, reason: _ } => {
            let contact = match post {
                Post::Owner => &mut release.plan.owner,
                Post::OnCall => &mut release.plan.on_call,
            };
            if let Some(contact) = contact {
                contact.user = Some(to.clone());
            }
            amend::rules::keep_agreed(release);
            // Whoever owned it does not sign it by giving it away.
            if let (Post::Owner, Some(from)) = (post, from) {
                release.revisers.insert(from.clone());
            }
        }
        PlanEvent::AmendmentProposed { .. }
        | PlanEvent::AmendmentAgreed { .. }
        | PlanEvent::AmendmentDeclined { .. }
        | PlanEvent::Amended { .. } => amend::rules::evolve(release, event, at, by),
        PlanEvent::DraftReminded => release.countdown.draft_reminded = true,
        PlanEvent::T0Asked => {
            release.countdown.t0_asked += 1;
            let question = format!("go/{}", release.seq);
            release.countdown.go_question.get_or_insert(question);
        }
    }
}
