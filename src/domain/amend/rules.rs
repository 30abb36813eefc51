//! The rules of a changed plan for a release that runs.

use jiff::Timestamp;

use super::view::{complete, parts};
use super::{AmendNotice, AmendRefusal, AmendReply, Amendment, AmendmentEnd};
use crate::domain::decision::{Point, PointState};
use crate::domain::digest::digest as digest_of;
use crate::domain::effect::Priority;
use crate::domain::evidence::{TriggerState, TriggerWatch};
use crate::domain::ids::{Destination, UserId};
use crate::domain::lifecycle::view::keep_names;
use crate::domain::lifecycle::{Imported, PlanEvent, T0_PAST};
use crate::domain::open::Open;
use crate::domain::people::By;
use crate::domain::phase::During;
use crate::domain::plan::{Plan, StagePlan};
use crate::domain::prompt::Prompt;
use crate::domain::refusal::{Refusal, Wanted};
use crate::domain::release::{Phase, Release, Run};
use crate::domain::reply::Reply;
use crate::domain::work::{Work, reason};
use crate::domain::{changes, minutes, signoff};

/// Fields of a plan that a running release cannot change any more, by the names `changes` gives them, and its lists likewise.
const FIXED: [&str; 10] = [
    "Feature/Change", "Release Date/Time", "Release Type", "Risk Level", "Release Owner", "On-Call Engineer",
    "Service", "Rollout Approach", "Channel", "Security sign-off",
];
const FIXED_LISTS: [&str; 2] = ["Notice ", "Gate "];

/// The most triggers of a plan, those dropped counted: the state has to hold it twice.
const MAX_TRIGGERS: usize = 80;

/// Stands behind a trigger that keeps its place only because the record names it.
const DROPPED: &str = " (dropped by an amendment)";

/// A plan as its document has it.
fn as_written(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.triggers.retain(|trigger| !trigger.text.ends_with(DROPPED));
    plan
}

/// The plan as it would be, or what of the change comes too late.
fn amended(release: &Release, run: &Run, new: &Plan) -> Result<Plan, Refusal> {
    let old = &release.plan;
    let late = |what: Vec<String>| Err(AmendRefusal::NotAmendable { what }.into());
    // Everything that may change, changed; if that is not all, the rest comes too late.
    let mut plan = Plan {
        stages: new.stages.clone(),
        metrics: new.metrics.clone(),
        points: new.points.clone(),
        updates_every_min: new.updates_every_min,
        escalation: new.escalation.clone(),
        risks: new.risks.clone(),
        contingency: new.contingency.clone(),
        actions: new.actions.clone(),
        tasks: new.tasks.clone(),
        triggers: new.triggers.clone(),
        ..old.clone()
    };
    if digest_of(&plan) != digest_of(new) {
        let changed = changes::all(old, new).into_iter().map(|change| change.what);
        let fixed =
            |what: &String| FIXED.contains(&what.as_str()) || FIXED_LISTS.iter().any(|list| what.starts_with(list));
        let mut what: Vec<String> = changed.filter(fixed).collect();
        if what.is_empty() {
            what.push("the order of notices or gates".to_owned());
        }
        return late(what);
    }
    ahead_only(release, run, &plan)?;
    // The record names triggers by their place: one that goes leaves it empty.
    let mut triggers = old.triggers.clone();
    for trigger in &mut triggers {
        if !new.triggers.contains(trigger) && !trigger.text.ends_with(DROPPED) {
            trigger.rule = None;
            trigger.ticked = false;
            trigger.text.push_str(DROPPED);
        }
    }
    triggers.extend(new.triggers.iter().filter(|trigger| !old.triggers.contains(trigger)).cloned());
    if triggers.len() > MAX_TRIGGERS {
        return Err(Refusal::TooMany { what: "triggers (including dropped ones)", most: MAX_TRIGGERS });
    }
    plan.triggers = triggers;
    Ok(plan)
}

/// Whether a plan changes only what lies ahead: no stage that is done, no question that was asked.
fn ahead_only(release: &Release, run: &Run, new: &Plan) -> Result<(), Refusal> {
    let old = &release.plan;
    let late = |what: &str| Err(AmendRefusal::NotAmendable { what: vec![what.to_owned()] }.into());
    let done = run.stage.index.min(old.stages.len());
    let watching = matches!(&release.phase, Phase::Watching { .. } | Phase::Held { back: During::Watching, .. });
    let kept = new.stages.len() > done && new.stages.get(..done) == old.stages.get(..done);
    if new.stages != old.stages && (watching || !kept) {
        return late("completed stages");
    }
    let of = |plan: &Plan, after: u32| plan.points.iter().find(|p| p.after_min == after).cloned();
    let asked = run.points.iter().filter(|point| point.state != PointState::Waiting);
    if asked.into_iter().any(|point| of(new, point.after_min) != of(old, point.after_min)) {
        return late("decision points already asked");
    }
    Ok(())
}

pub(in crate::domain) fn propose(work: &mut Work<'_>, imported: Imported) -> Result<Reply, Refusal> {
    let Imported { plan: mut new, findings, .. } = imported;
    let release = &work.release;
    let Some(run) = release.running() else {
        return work.wrong_phase(Wanted::Amend);
    };
    keep_names(release, &mut new);
    // The document still says the T-0 that a command moved, or that has come.
    new.t0.clone_from(&release.plan.t0);
    let standing = findings.into_iter().filter(|(code, _)| code != T0_PAST);
    let items: Vec<Open> = standing.map(|(code, text)| Open::Finding { code, text }).collect();
    if !items.is_empty() {
        return Err(Refusal::Open { wanted: Wanted::Amend, items });
    }
    let plan = amended(release, run, &new)?;
    let changes = changes::between(&as_written(&release.plan), &new);
    if changes.is_empty() {
        return Err(Refusal::AlreadyDone { what: "this is the current plan".to_owned() });
    }
    let Some(person) = work.ctx.actor.person().cloned() else {
        return Err(Refusal::NotAllowed { who: vec![] });
    };
    if let Some(before) = work.release.amendment.clone() {
        show(work, &before, Some(AmendmentEnd::Overtaken));
    }
    let n = work.release.amendments + 1;
    work.record(PlanEvent::AmendmentProposed { n, plan: Box::new(plan), changes: changes.clone() });
    let mention = work.crew();
    let notice = AmendNotice::Ask { n, by: person.user.clone(), changes, ended: None };
    let posting = work.post(key(n), Destination::Release, notice);
    posting.prompt = Some(Prompt::Amendment { n });
    posting.mention = mention;
    posting.priority = Priority::Prompt;
    // Whoever proposes it and has a part in it agrees by proposing.
    if parts(&work.release).contains(&person.user) {
        return agreed(work, n);
    }
    Ok(AmendReply::Proposed { n }.into())
}

pub(in crate::domain) fn agree(work: &mut Work<'_>, n: Option<u32>) -> Result<Reply, Refusal> {
    let person = work.ctx.actor.person().map(|person| person.user.clone());
    let open = meant(work, n)?;
    if person.is_some_and(|user| open.agreed.contains(&user)) {
        return Err(Refusal::AlreadyDone { what: "you agreed; the other role has not yet".to_owned() });
    }
    agreed(work, open.n)
}

pub(in crate::domain) fn decline(work: &mut Work<'_>, n: Option<u32>, why: &str) -> Result<Reply, Refusal> {
    let open = meant(work, n)?;
    let why = reason(why)?;
    let n = open.n;
    work.record(PlanEvent::AmendmentDeclined { n, reason: why.clone() });
    let by = work.by();
    show(work, &open, Some(AmendmentEnd::Declined { by, reason: why }));
    Ok(AmendReply::Declined { n }.into())
}

fn meant(work: &Work<'_>, n: Option<u32>) -> Result<Amendment, Refusal> {
    let open = work.release.amendment.as_deref();
    match (open, n) {
        (Some(open), n) if n.is_none_or(|n| n == open.n) => Ok(open.clone()),
        (None, None) => Err(Refusal::NothingOpen { what: "amendment" }),
        _ => Err(Refusal::Stale { now: work.release.phase.name() }),
    }
}

pub(super) fn agreed(work: &mut Work<'_>, n: u32) -> Result<Reply, Refusal> {
    work.record(PlanEvent::AmendmentAgreed { n });
    let open = meant(work, Some(n))?;
    if !complete(&work.release, &open) {
        show(work, &open, None);
        return Ok(AmendReply::Agreed { n }.into());
    }
    // It may have waited: what it changes may be done by now.
    if let Some(run) = work.release.running() {
        ahead_only(&work.release, run, &open.plan)?;
    }
    work.record(PlanEvent::Amended { n });
    show(work, &open, Some(AmendmentEnd::Agreed));
    let mention = work.crew();
    let notice = AmendNotice::Amended { changes: open.changes, by: open.agreed };
    let posting = work.post(format!("{}/done", key(n)), Destination::Release, notice);
    posting.mention = mention;
    posting.priority = Priority::Prompt;
    // The buttons that ask for what is owed are of the plan before.
    if !signoff::view::owed(&work.release).is_empty() {
        signoff::rules::show(work);
        signoff::rules::ask_for_owed(work);
    }
    Ok(AmendReply::Amended { n }.into())
}

/// The release is over, or rolled back: a change that still waits is nobody's question any more.
pub(in crate::domain) fn lapse(work: &mut Work<'_>) {
    if let Some(open) = work.release.amendment.clone() {
        show(work, &open, Some(AmendmentEnd::Lapsed));
    }
}

/// Somebody else has a part now: who agreed without one any more has not, and the request says whom it waits for.
pub(in crate::domain) fn parts_changed(work: &mut Work<'_>) {
    if let Some(open) = work.release.amendment.clone() {
        show(work, &open, None);
    }
}

/// The same on the record.
pub(in crate::domain) fn keep_agreed(release: &mut Release) {
    let parts = parts(release);
    if let Some(open) = &mut release.amendment {
        open.agreed.retain(|user| parts.contains(user));
    }
}

fn show(work: &mut Work<'_>, amendment: &Amendment, ended: Option<AmendmentEnd>) {
    let prompt = ended.is_none().then_some(Prompt::Amendment { n: amendment.n });
    let (n, by, changes) = (amendment.n, amendment.by.clone(), amendment.changes.clone());
    work.edit(key(n), AmendNotice::Ask { n, by, changes, ended }, prompt);
}

fn key(n: u32) -> String {
    format!("amendment/{n}")
}

pub(in crate::domain) fn evolve(release: &mut Release, event: &PlanEvent, at: Timestamp, by: &By) {
    let user = match by {
        By::Person { user, .. } => Some(user.clone()),
        By::Clock | By::Courier | By::Source { .. } => None,
    };
    match event {
        PlanEvent::AmendmentProposed { n, plan, changes } => {
            let Some(by) = user else { return };
            let amendment =
                Amendment { n: *n, by, plan: (**plan).clone(), changes: changes.clone(), agreed: Vec::new() };
            release.amendment = Some(Box::new(amendment));
            release.amendments = *n;
        }
        PlanEvent::AmendmentAgreed { .. } => {
            if let (Some(open), Some(user)) = (&mut release.amendment, user) {
                open.agreed.push(user);
            }
        }
        PlanEvent::AmendmentDeclined { .. } => release.amendment = None,
        PlanEvent::Amended { .. } => {
            if let Some(open) = release.amendment.take() {
                take_over(release, open.plan, open.by, at);
            }
        }
        _ => {}
    }
}

/// The amended plan holds from `at` on: what is over stays, what is ahead follows it.
fn take_over(release: &mut Release, mut plan: Plan, by: UserId, at: Timestamp) {
    // People may have changed while it waited.
    plan.owner.clone_from(&release.plan.owner);
    plan.on_call.clone_from(&release.plan.on_call);
    let old = std::mem::replace(&mut release.plan, plan);
    release.revision += 1;
    // Whoever wrote it is as much an author as the first.
    release.revisers.insert(by);
    if release.phase.run().is_some_and(|run| run.break_glass.is_some()) {
        // The sign-offs that follow are of the plan that runs; those that were given stay.
        let before = std::mem::replace(&mut release.digest, digest_of(&release.plan));
        for signoff in release.signing.signoffs.values_mut().flatten().filter(|signoff| signoff.digest == before) {
            signoff.digest.clone_from(&release.digest);
        }
        for refusal in release.signing.declined.iter_mut().filter(|refusal| refusal.digest == before) {
            refusal.digest.clone_from(&release.digest);
        }
    }
    let (plan, every) = (&release.plan, release.plan.update_interval_min());
    // On hold the clocks stand still: what is over is judged by the instant they stopped at.
    let (watching, clock) = match &release.phase {
        Phase::Held { back, since, .. } => (*back == During::Watching, *since),
        phase => (matches!(phase, Phase::Watching { .. }), at),
    };
    let (stages, points, triggers) = (plan.stages.clone(), plan.points.clone(), plan.triggers.clone());
    let Some(run) = release.phase.run_mut() else { return };
    run.undo = None;
    let hold = |stages: &[StagePlan]| stages.get(run.stage.index).and_then(|stage| stage.hold_min);
    let (before, after) = (hold(&old.stages), hold(&stages));
    if before != after {
        // By as much as the plan's own time changed, so that an extension stays.
        let until = match (before, after, run.stage.soak_until) {
            (Some(before), Some(after), Some(until)) => Some(until + minutes(after) - minutes(before)),
            (_, after, _) => after.map(|after| run.stage.since + minutes(after)),
        };
        run.stage.soak_until = until.map(|until| until.max(clock));
        run.stage.soak_said = false;
    }
    let go_at = run.go_at;
    run.points.retain(|point| {
        point.state != PointState::Waiting || points.iter().any(|planned| planned.after_min == point.after_min)
    });
    for planned in points {
        if !run.points.iter().any(|point| point.after_min == planned.after_min) {
            let mut point = Point::waiting(planned.after_min, go_at);
            point.due = point.due.max(clock);
            run.points.push(point);
        }
    }
    run.points.sort_by_key(|point| point.after_min);
    run.triggers.resize(triggers.len(), TriggerWatch { state: TriggerState::Ok });
    for (watch, trigger) in run.triggers.iter_mut().zip(&triggers) {
        if trigger.rule.is_none() {
            watch.state = TriggerState::Ok;
        }
    }
    if every != old.update_interval_min() && !watching {
        run.updates.every_min = every;
        run.updates.next_due = run.updates.next_due.min(at + minutes(every));
    }
}
