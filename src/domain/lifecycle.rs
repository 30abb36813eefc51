//! Topic: a plan's way from import to approval, naming people, scrubbing, and a T-0 that passes without go.

use jiff::{SignedDuration, Timestamp};

use super::agenda::{Mark, MarkKind};
use super::changes;
use super::command::{Command, Imported, PlanCommand, Post};
use super::decide::{Context, Work, reason, recorded};
use super::digest::digest as digest_of;
use super::effect::{Decision, Destination, Prompt, Reply};
use super::event::{Event, PlanEvent};
use super::go_no_go;
use super::ids::{GuildId, ReleaseId, UserId};
use super::may::{Action, Grant, may};
use super::notice::{GoAnswer, Notice};
use super::people::By;
use super::plan::{ReleaseType, Risk};
use super::refusal::{Open, Refusal, Wanted};
use super::release::{Phase, PhaseName, Release};
use super::schedule::{self, Said};
use super::{amend, freeze, minutes, rights, signoff};

/// How long a draft is left alone before its author is reminded of it.
const DRAFT_LEFT_ALONE: SignedDuration = SignedDuration::from_hours(2);
/// Minutes after T-0 at which a missing go is asked for again; at the last one a new T-0 is demanded.
pub const T0_ASKED_AFTER_MIN: [u32; 4] = [0, 15, 60, 240];
/// The reminder at which go is no longer possible.
pub const LAST_ASKED: u8 = 3;

/// How long after its T-0 a plan may still be submitted: an emergency is written down while it runs.
pub fn grace(kind: Option<ReleaseType>) -> SignedDuration {
    match kind {
        Some(ReleaseType::Emergency) => SignedDuration::from_hours(24),
        _ => SignedDuration::from_mins(10),
    }
}

/// The rule of lint that says that the written T-0 is past.
pub(super) const T0_PAST: &str = "TM075";

/// How long after T-0 go may still be given.
pub const GO_GRACE_MIN: u32 = 240;

/// Releases of a server that may be open at once, those past the all-clear aside; an emergency always may.
/// With twenty rungs each that is fewer than 5,000 notices.
pub const MAX_OPEN: usize = 200;

pub(super) fn open(
    id: ReleaseId,
    guild: GuildId,
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
        return Err(Refusal::TooManyOpen { most: MAX_OPEN });
    }
    let event = PlanEvent::Imported {
        id,
        no,
        guild,
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
        rights::bypass(&mut work, &Action::Import);
    }
    if let Some(train) = train {
        let (mention, until) = (vec![work.release.author.clone()], work.release.plan.t0_at());
        let posting = work.post("departed", Destination::Release, Notice::Departed { train });
        posting.mention = mention;
        posting.useful_until = until;
        posting.prompt = Some(Prompt::Submit);
    }
    Ok(work.done(Reply::Imported { revision: 1, material: true }))
}

pub(super) fn decide(work: &mut Work<'_>, command: PlanCommand) -> Result<Reply, Refusal> {
    match command {
        PlanCommand::Import { .. } | PlanCommand::Depart { .. } => {
            Err(Refusal::AlreadyDone { what: "import".to_owned() })
        }
        PlanCommand::Revise { imported } if work.release.running().is_some() => amend::propose(work, *imported),
        PlanCommand::Revise { imported } => revise(work, *imported),
        PlanCommand::Agree { n } => amend::agree(work, n),
        PlanCommand::Decline { n, reason } => amend::decline(work, n, &reason),
        PlanCommand::Repolicy { policy } => {
            let policy = Box::new(work.release.rules(&policy));
            if work.release.policy != *policy {
                let (before, cards) = (signoff::pending(&work.release), work.release.card_keys());
                work.record(PlanEvent::PolicyChanged { policy });
                if !cards.contains(&work.release.card_key())
                    && let Some(channel) = work.release.policy.release_channel.clone()
                {
                    // Those left earlier point on as well.
                    for card in cards {
                        schedule::drop_unsent(work, &card);
                        work.edit(card, Notice::CardMoved { channel: channel.clone() }, None);
                    }
                }
                signoff::look_again(work, &before);
            }
            Ok(Reply::Silent)
        }
        PlanCommand::Submit => submit(work),
        PlanCommand::Reschedule { t0, reason } => schedule::reschedule(work, t0, &reason),
        PlanCommand::Scrub { reason: why } => scrub(work, &why),
        PlanCommand::Name { post, user } => {
            work.record(PlanEvent::Named { post, user });
            Ok(Reply::Named)
        }
        PlanCommand::HandOver { post, to, reason: why } => hand_over(work, post, to, why),
    }
}

fn revise(work: &mut Work<'_>, imported: Imported) -> Result<Reply, Refusal> {
    let before = work.release.phase.name();
    let Imported { mut plan, digest, mut findings, fixes, renamed, undone } = imported;
    keep_names(&work.release, &mut plan);
    // The document still says the time that a command or a hold moved.
    if work.release.t0_written.is_some() && plan.t0_at() == work.release.t0_written {
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
            schedule::begin_anew(work, said, None);
            freeze::point_out_overlaps(work);
        }
        if material {
            signoff::ask(work, true);
        }
        // Nobody said so by name, as /release item done does: it is said for whoever knows better.
        if !ticked.is_empty() {
            let (by, mention) = (work.by(), work.owner());
            work.report("ticked", Destination::Release, Notice::Ticked { by, items: ticked }).mention = mention;
        }
    }
    Ok(Reply::Imported { revision: work.release.revision, material })
}

/// What a document settles of what go still waits for.
fn ticked(release: &Release, new: &super::plan::Plan) -> Vec<String> {
    let settled = |id: &String| release.gates_done.contains(id) || release.waived.contains_key(id);
    let open = release.plan.gates.iter().filter(|gate| !gate.done && !settled(&gate.id));
    let now = |text: &String| new.gates.iter().any(|gate| gate.done && gate.text == *text);
    open.map(|gate| gate.text.clone()).filter(now).collect()
}

/// People picked once, or who took a part over, are kept while the plan names the same person: a match by name must not undo
/// what somebody decided.
pub(super) fn keep_names(release: &Release, plan: &mut super::plan::Plan) {
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

fn submit(work: &mut Work<'_>) -> Result<Reply, Refusal> {
    let items = submit_gaps(&work.release, work.ctx);
    if !items.is_empty() {
        return Err(Refusal::Open { wanted: Wanted::Submit, items });
    }
    let policy = Box::new(work.release.rules(work.ctx.policy));
    work.record(PlanEvent::Submitted { policy });
    signoff::ask(work, false);
    freeze::point_out_overlaps(work);
    signoff::approve_if_complete(work);
    Ok(Reply::Submitted)
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
    open.extend(super::stage::escalation_gap(plan));
    if ctx.policy.release_channel.is_none() && plan.channel_id.is_none() {
        open.push(Open::NoReleaseChannel);
    }
    for needed in super::policy::required_signoffs(plan, ctx.policy) {
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
        schedule::scrub(work);
        let question = work.release.go_question.clone();
        go_no_go::answered(work, question, GoAnswer::Scrubbed);
        if let Phase::HeldBefore { said, .. } = &work.release.phase {
            let said = Some(said.clone()).filter(|said| !said.is_empty());
            go_no_go::answered(work, said, GoAnswer::Scrubbed);
        }
        schedule::announce_again(work, &Notice::Scrubbed { by, reason: why.clone(), again: false });
    }
    work.record(PlanEvent::Scrubbed { reason: why });
    Ok(Reply::Scrubbed)
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
    let signed = signoff::valid(release).find(|(_, signoff)| signoff.user == to);
    if let (Post::Owner, Some((role, _)), true, false) =
        (post, signed, planned, work.ctx.policy.owner_may_sign(&work.release.plan))
    {
        return Err(Refusal::HasSigned { role });
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
        let signed = signoff::valid(&work.release).map(|(_, signoff)| signoff.user.clone());
        let signed: Vec<UserId> = signed.filter(|user| !mention.contains(user)).collect();
        mention.extend(signed);
    }
    let posting = work.post(key, Destination::Release, Notice::HandedOver { post, from, to, by, reason: why });
    posting.mention = mention;
    amend::parts_changed(work);
    Ok(Reply::HandedOver { post })
}

/// The author of a draft is reminded once of each T-0, a day ahead of it; a draft made later is left alone for a while first.
pub(super) fn remind_draft(work: &mut Work<'_>) {
    work.record(PlanEvent::DraftReminded);
    let author: UserId = work.release.author.clone();
    let until = work.release.plan.t0_at();
    // The service was away: there is nothing to submit for any more.
    if until.is_none_or(|t0| t0 <= work.ctx.now) {
        return;
    }
    let key = format!("draft/{}", work.release.generation);
    let posting = work.post(key, Destination::Release, Notice::DraftForgotten);
    posting.mention = vec![author];
    posting.useful_until = until;
}

pub(super) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    let Some(t0) = release.plan.t0_at() else { return };
    match &release.phase {
        Phase::Draft if !release.draft_reminded => {
            let quiet_until = release.drafted_at.map_or(Timestamp::MIN, |at| at + DRAFT_LEFT_ALONE);
            let at = quiet_until.max(t0 - SignedDuration::from_hours(24));
            if at < t0 {
                marks.push(Mark { at, kind: MarkKind::Draft });
            }
        }
        Phase::Gathering { .. } | Phase::Approved { .. } => {
            if let Some(after) = T0_ASKED_AFTER_MIN.get(usize::from(release.t0_asked)) {
                marks.push(Mark { at: t0 + minutes(*after), kind: MarkKind::T0 { asked: release.t0_asked } });
            }
        }
        _ => {}
    }
}

pub(super) fn opened(event: &PlanEvent, at: Timestamp) -> Option<Release> {
    let PlanEvent::Imported { id, no, guild, author, plan, digest, findings, fixes, policy, train: _ } = event else {
        return None;
    };
    Some(Release {
        id: *id,
        no: *no,
        guild: guild.clone(),
        author: author.clone(),
        revisers: std::collections::BTreeSet::new(),
        seq: 1,
        round: 1,
        revision: 1,
        digest: digest.clone(),
        generation: 1,
        plan: (**plan).clone(),
        findings: findings.clone(),
        fixes: *fixes,
        changes: Vec::new(),
        policy: (**policy).clone(),
        phase: Phase::Draft,
        signoffs: std::collections::BTreeMap::new(),
        since_signed: std::collections::BTreeMap::new(),
        declined: Vec::new(),
        gates_done: std::collections::BTreeSet::new(),
        rungs: std::collections::BTreeMap::new(),
        told: std::collections::BTreeSet::new(),
        pages_shown: std::collections::BTreeSet::new(),
        stuck: std::collections::BTreeMap::new(),
        exceptions: Vec::new(),
        concerns: Vec::new(),
        waived: std::collections::BTreeMap::new(),
        signoff_reminders: 0,
        ahead: Vec::new(),
        ahead_more: super::ahead::Ahead::default(),
        snoozed: None,
        amendment: None,
        amendments: 0,
        refused: Vec::new(),
        t0_asked: 0,
        go_question: None,
        t0_written: None,
        drafted_at: Some(at),
        card_moves: 0,
        closed_before: None,
        draft_reminded: false,
        issues: std::collections::BTreeSet::new(),
    })
}

pub(super) fn evolve(release: &mut Release, event: &PlanEvent, at: Timestamp, by: &By) {
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
            signoff::plan_changed(release, changes);
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
                release.t0_written = None;
                release.begin_schedule();
                release.drafted_at = Some(at);
            }
            if *material {
                release.begin_round();
                if matches!(release.phase, Phase::Approved { .. } | Phase::Gathering { .. }) {
                    release.phase = Phase::Gathering { since: at };
                }
            }
        }
        PlanEvent::Rescheduled { t0, reason: _, digest, changes } => {
            schedule::rescheduled(release, t0, digest, changes, at);
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
            signoff::no_longer_approved(release, at);
        }
        PlanEvent::Approved => match &mut release.phase {
            Phase::HeldBefore { approved, .. } => *approved = true,
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
            amend::keep_agreed(release);
            // Whoever owned it does not sign it by giving it away.
            if let (Post::Owner, Some(from)) = (post, from) {
                release.revisers.insert(from.clone());
            }
        }
        PlanEvent::AmendmentProposed { .. }
        | PlanEvent::AmendmentAgreed { .. }
        | PlanEvent::AmendmentDeclined { .. }
        | PlanEvent::Amended { .. } => amend::evolve(release, event, at, by),
        PlanEvent::DraftReminded => release.draft_reminded = true,
        PlanEvent::T0Asked => {
            release.t0_asked += 1;
            let question = format!("go/{}", release.seq);
            release.go_question.get_or_insert(question);
        }
    }
}

/// Effects that change a sign-off request's buttons use this key.
pub(super) fn signoff_key(release: &Release) -> String {
    format!("signoff/{}", release.round)
}

/// The prompt under the present revision's request.
pub(super) fn signoff_prompt(release: &Release) -> Prompt {
    Prompt::Signoff { digest: release.digest.clone() }
}
