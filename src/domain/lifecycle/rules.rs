//! The rules of a plan's way from import to approval, of its people and of cancelling it.

use jiff::{SignedDuration, Timestamp};

use super::evolve::opened;
use super::view::{keep_names, ticked};
use super::{
    Imported, MAX_OPEN, PlanCommand, PlanEvent, PlanMark, PlanNotice, PlanRefusal, PlanReply, T0_ASKED_AFTER_MIN,
    T0_PAST, grace,
};
use crate::domain::command::Command;
use crate::domain::digest::digest as digest_of;
use crate::domain::event::Event;
use crate::domain::ids::{Destination, ReleaseId, UserId, WorkspaceId};
use crate::domain::ladder::schedule::Said;
use crate::domain::mark::Mark;
use crate::domain::may::may;
use crate::domain::notice::Notice;
use crate::domain::open::Open;
use crate::domain::people::Post;
use crate::domain::phase::PhaseName;
use crate::domain::plan::ReleaseType;
use crate::domain::prompt::Prompt;
use crate::domain::refusal::{Refusal, Wanted};
use crate::domain::release::{Phase, Release};
use crate::domain::reply::Reply;
use crate::domain::rights::{self, Action, Grant};
use crate::domain::signoff::{self, SignoffRefusal};
use crate::domain::stage::{self, GoAnswer};
use crate::domain::work::{Context, Decision, Work, reason, recorded};
use crate::domain::{amend, changes, delivery, freeze, ladder, minutes, policy};

/// How long a draft is left alone before its author is reminded of it.
const DRAFT_LEFT_ALONE: SignedDuration = SignedDuration::from_hours(2);

pub(in crate::domain) fn open(
    id: ReleaseId,
    server: WorkspaceId,
    command: Command,
    ctx: Context<'_>,
    open: usize,
) -> Result<Decision, Refusal> {
    let mut grant = Grant::Ordinary;
    let (imported, no, train, author) = match command {
        Command::Plan(PlanCommand::Import { imported, no }) => {
            grant = may(ctx.actor, &Action::Import, ctx.policy, None)?;
            let Some(person) = ctx.actor.person() else {
                return Err(Refusal::NotAllowed { who: vec![] });
            };
            (imported, no, None, person.user.clone())
        }
        // Only the clock makes a train depart; whoever set it up was asked then.
        Command::Plan(PlanCommand::Depart { imported, no, train, author }) => {
            may(ctx.actor, &Action::Depart, ctx.policy, None)?;
            (imported, no, Some(train), author)
        }
        _ => return Err(Refusal::UnknownRelease { typed: String::new() }),
    };
    let Imported { plan, digest, findings, fixes, renamed: _, undone: _ } = *imported;
    // An emergency is never kept from being run by what lies about.
    if open >= MAX_OPEN && plan.kind != Some(ReleaseType::Emergency) {
        return Err(PlanRefusal::TooManyOpen { most: MAX_OPEN }.into());
    }
    let event = PlanEvent::Imported {
        id,
        no,
        server,
        author,
        plan: Box::new(plan),
        digest,
        findings,
        fixes,
        policy: Box::new(ctx.policy.clone()),
        train: train.clone(),
    };
    let Some(release) = opened(&event, ctx.now) else {
        return Err(Refusal::UnknownRelease { typed: String::new() });
    };
    let first = recorded(ctx, Event::Plan(event));
    let mut work = Work::with(release, first, ctx);
    if grant == Grant::Bypass {
        rights::rules::bypass(&mut work, &Action::Import);
    }
    if let Some(train) = train {
        let (mention, until) = (vec![work.release.author.clone()], work.release.plan.t0_at());
        let posting = work.post("departed", Destination::Release, PlanNotice::Departed { train });
        posting.mention = mention;
        posting.useful_until = until;
        posting.prompt = Some(Prompt::Submit);
    }
    Ok(work.done(PlanReply::Imported { revision: 1, material: true }.into()))
}

pub(in crate::domain) fn decide(work: &mut Work<'_>, command: PlanCommand) -> Result<Reply, Refusal> {
    match command {
        PlanCommand::Import { .. } | PlanCommand::Depart { .. } => {
            Err(Refusal::AlreadyDone { what: "import".to_owned() })
        }
        PlanCommand::Revise { imported } if work.release.running().is_some() => amend::rules::propose(work, *imported),
        PlanCommand::Revise { imported } => revise(work, *imported),
        PlanCommand::Agree { n } => amend::rules::agree(work, n),
        PlanCommand::Decline { n, reason } => amend::rules::decline(work, n, &reason),
        PlanCommand::Repolicy { policy } => {
            let policy = Box::new(work.release.rules(&policy));
            if work.release.policy != *policy {
                let (before, cards) = (signoff::view::pending(&work.release), work.release.card_keys());
                work.record(PlanEvent::PolicyChanged { policy });
                if !cards.contains(&work.release.card_key())
                    && let Some(channel) = work.release.policy.release_channel.clone()
                {
                    // Those left earlier point on as well.
                    for card in cards {
                        delivery::rules::drop_unsent(work, &card);
                        work.edit(card, PlanNotice::CardMoved { channel: channel.clone() }, None);
                    }
                }
                signoff::rules::look_again(work, &before);
            }
            Ok(Reply::Silent)
        }
        PlanCommand::Submit => submit(work),
        PlanCommand::Reschedule { t0, reason } => ladder::schedule::reschedule(work, t0, &reason),
        PlanCommand::Scrub { reason: why } => scrub(work, &why),
        PlanCommand::Name { post, user } => {
            work.record(PlanEvent::Named { post, user });
            Ok(PlanReply::Named.into())
        }
        PlanCommand::HandOver { post, to, reason: why } => hand_over(work, post, to, why),
    }
}

fn revise(work: &mut Work<'_>, imported: Imported) -> Result<Reply, Refusal> {
    let before = work.release.phase.name();
    let Imported { mut plan, digest, mut findings, fixes, renamed, undone } = imported;
    keep_names(&work.release, &mut plan);
    // The document still says the time that a command or a hold moved.
    if work.release.countdown.t0_written.is_some() && plan.t0_at() == work.release.countdown.t0_written {
        plan.t0.clone_from(&work.release.plan.t0);
        findings.retain(|(code, _)| code != T0_PAST);
    }
    if before != PhaseName::Draft {
        // What may be submitted is what may replace it.
        let next = Release { plan: plan.clone(), findings: findings.clone(), ..work.release.clone() };
        let items = submit_gaps(&next, work.ctx);
        if !items.is_empty() {
            return Err(Refusal::Open { wanted: Wanted::Import, items });
        }
    }
    // Both sides by today's digest: an upgrade of ours is no change of theirs.
    let material = digest != work.release.digest && digest_of(&plan) != digest_of(&work.release.plan);
    let digest = if material { digest_of(&plan) } else { work.release.digest.clone() };
    let moved = plan.t0_at() != work.release.plan.t0_at();
    let changes = changes::between(&work.release.plan, &plan);
    let ticked = ticked(&work.release, &plan);
    let (plan, said) = (Box::new(plan), Said::of(&work.release));
    work.record(PlanEvent::Revised { plan, digest, findings, fixes, changes, material, moved, renamed, undone });
    if before != PhaseName::Draft {
        if moved {
            ladder::schedule::begin_anew(work, said, None);
            freeze::rules::point_out_overlaps(work);
        }
        if material {
            signoff::rules::ask(work, true);
        }
        // Nobody said so by name, as /release item done does: it is said for whoever knows better.
        if !ticked.is_empty() {
            let (by, mention) = (work.by(), work.owner());
            work.report("ticked", Destination::Release, PlanNotice::Ticked { by, items: ticked }).mention = mention;
        }
    }
    Ok(PlanReply::Imported { revision: work.release.revision, material }.into())
}

fn submit(work: &mut Work<'_>) -> Result<Reply, Refusal> {
    let items = submit_gaps(&work.release, work.ctx);
    if !items.is_empty() {
        return Err(Refusal::Open { wanted: Wanted::Submit, items });
    }
    let policy = Box::new(work.release.rules(work.ctx.policy));
    work.record(PlanEvent::Submitted { policy });
    signoff::rules::ask(work, false);
    freeze::rules::point_out_overlaps(work);
    signoff::rules::approve_if_complete(work);
    Ok(PlanReply::Submitted.into())
}

/// What stands against submitting, in the order a person would mend it.
fn submit_gaps(release: &Release, ctx: Context<'_>) -> Vec<Open> {
    let plan = &release.plan;
    let mut open: Vec<Open> =
        release.findings.iter().map(|(code, text)| Open::Finding { code: code.clone(), text: text.clone() }).collect();
    // Lint says what is missing; who submits must not depend on it alone.
    if release.findings.is_empty() {
        let missing = [
            ("Release Type", plan.kind.is_none()),
            ("Risk Level", plan.risk.is_none()),
            ("Release Owner", plan.owner.is_none()),
            ("On-Call Engineer", plan.on_call.is_none()),
        ];
        open.extend(missing.into_iter().filter(|(_, gone)| *gone).map(|(field, _)| Open::Missing { field }));
    }
    if let Some(owner) = plan.owner.as_ref().filter(|owner| owner.user.is_none()) {
        open.push(Open::OwnerUnknown { name: owner.name.clone() });
    }
    if let Some(on_call) = plan.on_call.as_ref().filter(|on_call| on_call.user.is_none()) {
        open.push(Open::OnCallUnknown { name: on_call.name.clone() });
    }
    // Before anybody signs: mending it is a material change.
    open.extend(stage::view::escalation_gap(plan));
    if ctx.policy.release_channel.is_none() && plan.channel_id.is_none() {
        open.push(Open::NoReleaseChannel);
    }
    for needed in policy::required_signoffs(plan, ctx.policy) {
        if ctx.policy.signers.get(&needed.role).is_none_or(Vec::is_empty) {
            open.push(Open::SignersUnmapped(needed.role));
        }
    }
    match plan.t0_at() {
        Some(t0) if t0 + grace(plan.kind) < ctx.now => open.push(Open::T0Past),
        Some(_) => {}
        // Lint says so as well; the schedule must not depend on it.
        None if release.findings.is_empty() => open.push(Open::T0Unknown),
        None => {}
    }
    open
}

fn scrub(work: &mut Work<'_>, why: &str) -> Result<Reply, Refusal> {
    let why = reason(why)?;
    let told = work.release.phase.name() != PhaseName::Draft;
    let by = work.by();
    if told {
        ladder::schedule::scrub(work);
        let question = work.release.countdown.go_question.clone();
        stage::go_no_go::answered(work, question, GoAnswer::Scrubbed);
        if let Phase::HeldBefore { said, .. } = &work.release.phase {
            let said = Some(said.clone()).filter(|said| !said.is_empty());
            stage::go_no_go::answered(work, said, GoAnswer::Scrubbed);
        }
        ladder::schedule::announce_again(
            work,
            &Notice::Plan(PlanNotice::Scrubbed { by, reason: why.clone(), again: false }),
        );
    }
    work.record(PlanEvent::Scrubbed { reason: why });
    Ok(PlanReply::Scrubbed.into())
}

/// Somebody else takes a part over; whatever is asked of it from here on goes to them.
fn hand_over(work: &mut Work<'_>, post: Post, to: UserId, why: Option<String>) -> Result<Reply, Refusal> {
    let release = &work.release;
    let from = match post {
        Post::Owner => release.plan.owner_user(),
        Post::OnCall => release.plan.on_call_user(),
    };
    let from = from.cloned();
    if from.as_ref() == Some(&to) {
        return Err(Refusal::AlreadyDone { what: "they have this role".to_owned() });
    }
    // An owner does not sign their own plan, in either order. Once it runs the sign-offs have done their work.
    let planned = release.running().is_none() && release.phase.closing().is_none();
    let signed = signoff::view::valid(release).find(|(_, signoff)| signoff.user == to);
    if let (Post::Owner, Some((role, _)), true, false) =
        (post, signed, planned, work.ctx.policy.owner_may_sign(&work.release.plan))
    {
        return Err(SignoffRefusal::HasSigned { role }.into());
    }
    let why = why.map(|why| reason(&why)).transpose()?;
    work.record(PlanEvent::HandedOver { post, from: from.clone(), to: to.clone(), reason: why.clone() });
    if let Some(from) = from.clone() {
        work.recall(from, to.clone());
    }
    let (key, by) = (work.unique("handover"), work.by());
    let mut mention: Vec<UserId> = [to.clone()].into_iter().chain(from.clone()).collect();
    if planned && post == Post::Owner {
        // Whoever signed did so under another owner.
        let signed = signoff::view::valid(&work.release).map(|(_, signoff)| signoff.user.clone());
        let signed: Vec<UserId> = signed.filter(|user| !mention.contains(user)).collect();
        mention.extend(signed);
    }
    let posting = work.post(key, Destination::Release, PlanNotice::HandedOver { post, from, to, by, reason: why });
    posting.mention = mention;
    amend::rules::parts_changed(work);
    Ok(PlanReply::HandedOver { post }.into())
}

/// The author of a draft is reminded once of each T-0, a day ahead of it; a draft made later is left alone for a while first.
fn remind_draft(work: &mut Work<'_>) {
    work.record(PlanEvent::DraftReminded);
    let author: UserId = work.release.author.clone();
    let until = work.release.plan.t0_at();
    // The service was away: there is nothing to submit for any more.
    if until.is_none_or(|t0| t0 <= work.ctx.now) {
        return;
    }
    let key = format!("draft/{}", work.release.countdown.generation);
    let posting = work.post(key, Destination::Release, PlanNotice::DraftForgotten);
    posting.mention = vec![author];
    posting.useful_until = until;
}

/// Does what is due.
pub(in crate::domain) fn fire(work: &mut Work<'_>, mark: &PlanMark) {
    match mark {
        PlanMark::Draft => remind_draft(work),
        PlanMark::T0 => stage::go_no_go::ask(work),
    }
}

pub(in crate::domain) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    let Some(t0) = release.plan.t0_at() else { return };
    match &release.phase {
        Phase::Draft if !release.countdown.draft_reminded => {
            let quiet_until = release.countdown.drafted_at.map_or(Timestamp::MIN, |at| at + DRAFT_LEFT_ALONE);
            let at = quiet_until.max(t0 - SignedDuration::from_hours(24));
            if at < t0 {
                marks.push(Mark::new(at, PlanMark::Draft));
            }
        }
        Phase::Gathering { .. } | Phase::Approved { .. } => {
            if let Some(after) = T0_ASKED_AFTER_MIN.get(usize::from(release.countdown.t0_asked)) {
                marks.push(Mark::new(t0 + minutes(*after), PlanMark::T0));
            }
        }
        _ => {}
    }
}
