//! Topic: sign-offs. Bound to a digest of the plan; given, refused, withdrawn; chased only from those pending.

use jiff::{SignedDuration, Timestamp};

use super::agenda::{Mark, MarkKind};
use super::command::SignoffCommand;
use super::decide::{Work, reason};
use super::effect::{Destination, Priority, Reply};
use super::event::{PlanEvent, SignoffEvent};
use super::lifecycle::{signoff_key, signoff_prompt};
use super::notice::Notice;
use super::people::Person;
use super::plan::SignoffRole;
use super::policy;
use super::refusal::Refusal;
use super::release::{Phase, PhaseName, Release, Signoff};

/// Hours after the request at which those pending are reminded; no further reminder after the last.
pub const REMIND_AFTER_H: [i64; 5] = [4, 24, 48, 72, 96];

/// Hours after a break-glass go at which its missing sign-offs are asked for.
pub const FOLLOW_UP_H: i64 = 24;

/// Required roles that have not signed the present digest.
pub fn missing(release: &Release) -> Vec<SignoffRole> {
    policy::required_signoffs(&release.plan)
        .into_iter()
        .map(|(role, _)| role)
        .filter(|role| release.signoffs.get(role).is_none_or(|s| s.digest != release.digest))
        .collect()
}

pub(super) fn decide(work: &mut Work<'_>, command: SignoffCommand) -> Result<Reply, Refusal> {
    let role = match &command {
        SignoffCommand::Give(role) | SignoffCommand::Withdraw(role) | SignoffCommand::Refuse { role, .. } => *role,
    };
    let Some(person) = work.ctx.actor.person().cloned() else {
        return Err(Refusal::NotAllowed { who: vec![] });
    };
    if !policy::required_signoffs(&work.release.plan).iter().any(|(r, _)| *r == role) {
        return Err(Refusal::NotRequired { role });
    }
    match command {
        SignoffCommand::Give(role) => give(work, role, &person),
        SignoffCommand::Refuse { role, reason: why } => {
            let why = reason(&why)?;
            take_back(work, SignoffEvent::Refused { role, reason: why.clone() });
            let key = work.unique("signoff-refused");
            let mention = work.owner();
            let notice = Notice::SignoffRefused { role, name: person.name, reason: why };
            work.post(key, Destination::Release, notice).mention = mention;
            Ok(Reply::SignoffRefused { role })
        }
        SignoffCommand::Withdraw(role) => {
            if work.release.signoffs.get(&role).is_none_or(|s| s.user != person.user) {
                return Err(Refusal::NotSigned { role });
            }
            take_back(work, SignoffEvent::Withdrawn { role });
            let key = work.unique("signoff-withdrawn");
            let mention = work.owner();
            work.post(key, Destination::Release, Notice::Withdrawn { role, name: person.name }).mention = mention;
            Ok(Reply::Withdrawn { role })
        }
    }
}

fn take_back(work: &mut Work<'_>, event: SignoffEvent) {
    work.record(event);
    show(work);
}

fn give(work: &mut Work<'_>, role: SignoffRole, person: &Person) -> Result<Reply, Refusal> {
    let release = &work.release;
    if let Some(signed) = release.signoffs.get(&role).filter(|s| s.digest == release.digest) {
        return Err(Refusal::AlreadySigned { role, by: signed.name.clone() });
    }
    let held = release.signoffs.iter().find(|(_, s)| s.user == person.user && s.digest == release.digest);
    if let Some((held, _)) = held {
        return Err(Refusal::OneRoleEach { held: *held });
    }
    let digest = release.digest.clone();
    work.record(SignoffEvent::Given { role, user: person.user.clone(), name: person.name.clone(), digest });
    show(work);
    let key = work.unique("signed");
    work.post(key, Destination::Release, Notice::Signed { role, name: person.name.clone() });
    approve_if_complete(work);
    Ok(Reply::Signed { role, missing: missing(&work.release) })
}

/// The request's message shows who has signed.
fn show(work: &mut Work<'_>) {
    let (key, prompt) = (signoff_key(&work.release), signoff_prompt(&work.release));
    work.edit(key, Notice::SignoffAsk { changed: false }, Some(prompt));
}

pub(super) fn approve_if_complete(work: &mut Work<'_>) {
    if work.release.phase.name() == PhaseName::Gathering && missing(&work.release).is_empty() {
        work.record(PlanEvent::Approved);
        let key = work.unique("approved");
        let mention = work.owner();
        work.post(key, Destination::Release, Notice::Approved).mention = mention;
    }
}

/// Asks every required role to sign the present digest.
pub(super) fn ask(work: &mut Work<'_>, changed: bool) {
    if changed && work.release.round > 1 {
        // The request of the round before must not be read as the present one's.
        work.edit(format!("signoff/{}", work.release.round - 1), Notice::SignoffOver, None);
    }
    let (key, prompt) = (signoff_key(&work.release), signoff_prompt(&work.release));
    let posting = work.post(key, Destination::Release, Notice::SignoffAsk { changed });
    posting.prompt = Some(prompt);
    posting.priority = Priority::Prompt;
}

/// Reminds those pending; after a break-glass go it asks for what was skipped.
pub(super) fn remind(work: &mut Work<'_>) {
    work.record(SignoffEvent::Reminded);
    let missing = missing(&work.release);
    let until = work.release.plan.t0_at();
    if work.release.phase.run().is_some() {
        let mention = work.owner();
        work.post("break-glass-follow-up", Destination::Release, Notice::BreakGlassFollowUp { missing }).mention =
            mention;
        return;
    }
    let key = work.unique("signoff-reminder");
    work.post(key, Destination::Release, Notice::SignoffReminder { missing }).useful_until = until;
}

pub(super) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    match &release.phase {
        Phase::Gathering { since } => {
            let n = release.signoff_reminders;
            if let Some(hours) = REMIND_AFTER_H.get(usize::from(n)) {
                let at = *since + SignedDuration::from_hours(*hours);
                if release.plan.t0_at().is_some_and(|t0| at < t0) && !missing(release).is_empty() {
                    marks.push(Mark { at, kind: MarkKind::SignoffReminder { n } });
                }
            }
        }
        phase => {
            if let Some(run) = phase.run()
                && run.break_glass.is_some()
                && release.signoff_reminders == 0
                && !release.ended()
                && !missing(release).is_empty()
            {
                let at = run.go_at + SignedDuration::from_hours(FOLLOW_UP_H);
                marks.push(Mark { at, kind: MarkKind::BreakGlassFollowUp });
            }
        }
    }
}

pub(super) fn evolve(release: &mut Release, event: &SignoffEvent, at: Timestamp) {
    match event {
        SignoffEvent::Given { role, user, name, digest } => {
            let revision = release.revision;
            let signoff = Signoff { user: user.clone(), name: name.clone(), at, digest: digest.clone(), revision };
            release.signoffs.insert(*role, signoff);
        }
        SignoffEvent::Refused { role, .. } | SignoffEvent::Withdrawn { role } => {
            release.signoffs.remove(role);
            if matches!(release.phase, Phase::Approved { .. }) {
                release.phase = Phase::Gathering { since: at };
                release.signoff_reminders = 0;
            }
        }
        SignoffEvent::Reminded => release.signoff_reminders = release.signoff_reminders.saturating_add(1),
    }
}
