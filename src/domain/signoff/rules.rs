//! The rules of sign-offs: giving and taking back, reminders, expiry, approval.

use jiff::SignedDuration;

use super::view::{
    declined, expires, missing, next_reminder, owed, pending, planned, signoff_key, signoff_prompt, valid,
};
use super::{
    Behalf, Declined, FOLLOW_UP_H, MAX_SNOOZE_MIN, Pending, REMIND_AGAIN, Signoff, SignoffCommand, SignoffEvent,
    SignoffMark, SignoffNotice, SignoffRefusal, SignoffReply,
};
use crate::domain::ids::Destination;
use crate::domain::lifecycle::PlanEvent;
use crate::domain::mark::Mark;
use crate::domain::people::Person;
use crate::domain::phase::Before;
use crate::domain::plan::SignoffRole;
use crate::domain::prompt::Prompt;
use crate::domain::refusal::Refusal;
use crate::domain::release::{Phase, Release};
use crate::domain::reply::Reply;
use crate::domain::work::{Work, reason};
use crate::domain::{closing, policy};

pub(in crate::domain) fn decide(work: &mut Work<'_>, command: SignoffCommand) -> Result<Reply, Refusal> {
    let Some(person) = work.ctx.actor.person().cloned() else {
        return Err(Refusal::NotAllowed { who: vec![] });
    };
    let role = match &command {
        SignoffCommand::Give(role) | SignoffCommand::Withdraw(role) => *role,
        SignoffCommand::Refuse { role, .. } | SignoffCommand::Record { role, .. } => *role,
        SignoffCommand::Snooze { minutes } => return snooze(work, *minutes),
        SignoffCommand::Remind => return remind_now(work),
    };
    let required = policy::required_signoffs(&work.release.plan, &work.release.policy);
    // One that the rules ask for no more still binds whoever gave it: they take it back.
    let back = matches!(command, SignoffCommand::Withdraw(_));
    if !back && !required.iter().any(|needed| needed.role == role) {
        return Err(SignoffRefusal::NotRequired { role }.into());
    }
    match command {
        SignoffCommand::Give(role) => give(work, role, &person, None),
        SignoffCommand::Record { role, name, evidence } => {
            let name = name.trim_start_matches(|c: char| c == '@' || c.is_whitespace());
            let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
            if name.is_empty() {
                return Err(Refusal::NameNeeded);
            }
            // Whoever can be mentioned is here, and signs here.
            if name.contains("<@") {
                return Err(SignoffRefusal::SignYourself.into());
            }
            let name = name.chars().take(80).collect();
            let evidence = reason(&evidence)?.chars().take(200).collect();
            give(work, role, &person, Some((name, evidence)))
        }
        SignoffCommand::Refuse { role, reason: why } => {
            let why = reason(&why)?;
            let others = valid(&work.release)
                .filter(|(of, given)| *of == role && (given.user != person.user || given.behalf.is_some()));
            let (users, fell): (Vec<_>, Vec<_>) =
                others.map(|(_, signoff)| (signoff.user.clone(), signoff.name.clone())).unzip();
            take_back(work, SignoffEvent::Refused { role, reason: why.clone() });
            let mut mention = work.owner();
            mention.extend(users);
            mention.sort_unstable();
            mention.dedup();
            let notice = SignoffNotice::Refused { role, name: person.name, reason: why, fell };
            work.report("signoff-refused", Destination::Release, notice).mention = mention;
            Ok(SignoffReply::Refused { role }.into())
        }
        SignoffCommand::Withdraw(role) => {
            if !valid(&work.release).any(|(of, signoff)| of == role && signoff.user == person.user) {
                return Err(SignoffRefusal::NotSigned { role }.into());
            }
            take_back(work, SignoffEvent::Withdrawn { role });
            let (mention, notice) = (work.owner(), SignoffNotice::Withdrawn { role, name: person.name });
            work.report("signoff-withdrawn", Destination::Release, notice).mention = mention;
            Ok(SignoffReply::Withdrawn { role }.into())
        }
        SignoffCommand::Snooze { minutes } => snooze(work, minutes),
        SignoffCommand::Remind => remind_now(work),
    }
}

fn take_back(work: &mut Work<'_>, event: SignoffEvent) {
    work.record(event);
    show(work);
}

fn give(
    work: &mut Work<'_>,
    role: SignoffRole,
    person: &Person,
    outside: Option<(String, String)>,
) -> Result<Reply, Refusal> {
    let release = &work.release;
    if !missing(release).contains(&role) {
        let names: Vec<&str> = valid(release).filter(|(of, _)| *of == role).map(|(_, s)| s.name.as_str()).collect();
        return Err(SignoffRefusal::AlreadySigned { role, by: names.join(", ") }.into());
    }
    if let Some((held, signed)) = valid(release).find(|(_, signoff)| same_hand(signoff, person, outside.as_ref())) {
        // A second press is no news.
        let again = held == role && outside.is_none() && signed.user == person.user && signed.behalf.is_none();
        let by = signed.name.clone();
        return Err(if again {
            SignoffRefusal::AlreadySigned { role, by }.into()
        } else {
            SignoffRefusal::OneRoleEach { held, by }.into()
        });
    }
    if let Some((name, _)) = &outside {
        let same = |other: &str| name.to_lowercase() == other.trim_start_matches('@').to_lowercase();
        if same(&person.name) {
            return Err(SignoffRefusal::SignYourself.into());
        }
        let owner = release.plan.owner.iter().flat_map(|owner| [Some(&owner.name), owner.handle.as_ref()]);
        if owner.flatten().any(|known| same(known)) && !work.ctx.policy.owner_may_sign(&release.plan) {
            return Err(SignoffRefusal::OwnPlan { role }.into());
        }
    }
    let digest = release.digest.clone();
    let (name, behalf) = match outside {
        Some((name, evidence)) => (name, Some(Behalf { by: person.name.clone(), evidence })),
        None => (person.name.clone(), None),
    };
    let (user, signer) = (person.user.clone(), name.clone());
    work.record(SignoffEvent::Given { role, user, name, digest, behalf: behalf.clone() });
    show(work);
    // The request shows who signed. Only a colleague who refused must hear of it.
    let refused: Vec<Declined> = declined(&work.release).filter(|refusal| refusal.role == role).cloned().collect();
    let (refused_by, against): (Vec<_>, Vec<_>) =
        refused.into_iter().map(|refusal| (refusal.user, (refusal.name, refusal.reason))).unzip();
    let whose = behalf.as_ref().map(|_| signer.clone());
    if !refused_by.is_empty() {
        let notice = SignoffNotice::Signed { role, name: signer, behalf, against };
        work.report("signed", Destination::Release, notice).mention = refused_by;
    }
    approve_if_complete(work);
    closing::rules::close_if_settled(work);
    Ok(SignoffReply::Signed { role, whose, missing: missing(&work.release) }.into())
}

/// Whether one person would stand behind two sign-offs: by signing twice, by recording beside their own, or under one name.
fn same_hand(signed: &Signoff, person: &Person, outside: Option<&(String, String)>) -> bool {
    let own = signed.user == person.user && (signed.behalf.is_none() || outside.is_none());
    let name = outside.map_or(&person.name, |(name, _)| name);
    // Where one of the two is known by name alone the names decide.
    let named = outside.is_some() || signed.behalf.is_some();
    own || (named && signed.name.to_lowercase() == name.to_lowercase())
}

/// The request's message shows who has signed.
pub(in crate::domain) fn show(work: &mut Work<'_>) {
    let (key, prompt) = (signoff_key(&work.release), signoff_prompt(&work.release));
    work.edit(key, SignoffNotice::Ask { changed: false }, Some(prompt));
}

pub(in crate::domain) fn approve_if_complete(work: &mut Work<'_>) {
    let open =
        matches!(work.release.phase, Phase::Gathering { .. } | Phase::HeldBefore { back: Before::Gathering, .. });
    if open && missing(&work.release).is_empty() {
        work.record(PlanEvent::Approved);
        work.report("approved", Destination::Release, SignoffNotice::Approved);
    }
}

/// The workspace's rules changed: the request shows it, and who is missing now is said.
pub(in crate::domain) fn look_again(work: &mut Work<'_>, before: &[Pending]) {
    if !planned(&work.release) {
        return;
    }
    let now = pending(&work.release);
    if now == before {
        return;
    }
    show(work);
    let more = |new: &Pending| before.iter().all(|old| old.role != new.role || old.need < new.need);
    if now.iter().any(more) {
        ask_for_missing(work);
    }
    approve_if_complete(work);
}

/// Who is missing now, without a round's having begun.
fn ask_for_missing(work: &mut Work<'_>) {
    let missing = missing(&work.release);
    // On hold T-0 has yet to move.
    let held = matches!(work.release.phase, Phase::HeldBefore { .. });
    let until = work.release.plan.t0_at().filter(|t0| *t0 > work.ctx.now && !held);
    let prompt = Prompt::Reminder { round: work.release.signing.round };
    let posting = work.report("signoff-missing", Destination::Release, SignoffNotice::Reminder { missing });
    posting.useful_until = until;
    posting.prompt = Some(prompt);
}

/// Go was taken back: who is missing by now is asked, and what is complete by now is approved.
pub(in crate::domain) fn go_undone(work: &mut Work<'_>) {
    show(work);
    if !missing(&work.release).is_empty() {
        ask_for_missing(work);
    }
    approve_if_complete(work);
}

/// Asks every required role to sign the present digest.
pub(in crate::domain) fn ask(work: &mut Work<'_>, changed: bool) {
    if changed && work.release.signing.round > 1 {
        // The request of the round before must not be read as the present one's.
        work.edit(format!("signoff/{}", work.release.signing.round - 1), SignoffNotice::Over, None);
    }
    let (key, prompt) = (signoff_key(&work.release), signoff_prompt(&work.release));
    let posting = work.post(key, Destination::Release, SignoffNotice::Ask { changed });
    posting.document = true;
    posting.prompt = Some(prompt);
}

/// Right after a break-glass go whoever has not signed is asked, while there is time.
pub(in crate::domain) fn ask_for_owed(work: &mut Work<'_>) {
    let missing = owed(&work.release);
    if missing.is_empty() {
        return;
    }
    let (key, prompt) = (work.unique("break-glass-owed"), signoff_prompt(&work.release));
    work.post(key, Destination::Release, SignoffNotice::BreakGlassFollowUp { missing }).prompt = Some(prompt);
}

/// Reminds those pending; after a break-glass go it asks for what was skipped.
fn remind(work: &mut Work<'_>) {
    work.record(SignoffEvent::Reminded);
    if work.release.phase.run().is_some() {
        let missing = owed(&work.release);
        let n = work.release.signing.signoff_reminders;
        let mention = work.climb(u8::from(n > 1));
        let notice = SignoffNotice::BreakGlassFollowUp { missing };
        let prompt = signoff_prompt(&work.release);
        let posting = work.post(format!("break-glass-follow-up/{n}"), Destination::Release, notice);
        posting.mention = mention;
        posting.prompt = Some(prompt);
        return;
    }
    post_reminder(work);
}

/// Somebody has those pending reminded now.
fn remind_now(work: &mut Work<'_>) -> Result<Reply, Refusal> {
    let missing = missing(&work.release);
    if missing.is_empty() {
        return Err(Refusal::NothingOpen { what: "sign-off request" });
    }
    let again = work.release.signing.reminded_at.map(|at| at + REMIND_AGAIN);
    if let Some(again) = again.filter(|again| work.ctx.now < *again) {
        return Err(SignoffRefusal::RemindedLately { again }.into());
    }
    work.record(SignoffEvent::RemindedNow);
    post_reminder(work);
    Ok(SignoffReply::Reminded { missing, again: work.ctx.now + REMIND_AGAIN }.into())
}

fn post_reminder(work: &mut Work<'_>) {
    let missing = missing(&work.release);
    // Go may be given after T-0 as well, and a sign-off until then.
    let until = work.release.plan.t0_at().filter(|t0| *t0 > work.ctx.now);
    let key = work.unique("signoff-reminder");
    let prompt = Some(Prompt::Reminder { round: work.release.signing.round });
    let posting = work.post(key, Destination::Release, SignoffNotice::Reminder { missing });
    posting.useful_until = until;
    posting.prompt = prompt;
}

fn snooze(work: &mut Work<'_>, minutes: u32) -> Result<Reply, Refusal> {
    if !(15..=MAX_SNOOZE_MIN).contains(&minutes) {
        return Err(Refusal::BadNumber { typed: format!("{minutes} min") });
    }
    if work.release.signing.snoozed.is_some() {
        return Err(Refusal::AlreadyDone { what: "you can delay the reminder only once".to_owned() });
    }
    let Some(next) = next_reminder(&work.release) else {
        return Err(Refusal::NothingOpen { what: "reminder to delay" });
    };
    let until = next + crate::domain::minutes(minutes);
    if work.release.plan.t0_at().is_none_or(|t0| until >= t0) {
        return Err(Refusal::NothingOpen { what: "reminder that can wait that long: T-0 comes first" });
    }
    work.record(SignoffEvent::Snoozed { until });
    Ok(SignoffReply::Snoozed { until }.into())
}

/// A sign-off that was given too long ago counts no more.
fn expire(work: &mut Work<'_>) {
    let over = |release: &Release, now| -> Vec<(SignoffRole, Signoff)> {
        let over = |(_, signoff): &(SignoffRole, &Signoff)| expires(release, signoff).is_some_and(|at| at <= now);
        valid(release).filter(over).map(|(role, signoff)| (role, signoff.clone())).collect()
    };
    for (role, signoff) in over(&work.release, work.ctx.now) {
        let gave = signoff.user.clone();
        work.record(SignoffEvent::Expired { role, user: signoff.user, name: signoff.name.clone() });
        let (key, mut mention) = (work.unique("signoff-expired"), work.owner());
        // Whoever gave it is who may give it again.
        if signoff.behalf.is_none() && !mention.contains(&gave) {
            mention.push(gave);
        }
        let hours = work.release.policy.signoff_hours.unwrap_or_default();
        let notice = SignoffNotice::Expired { role, name: signoff.name, hours };
        work.post(key, Destination::Release, notice).mention = mention;
    }
    show(work);
}

/// Does what is due.
pub(in crate::domain) fn fire(work: &mut Work<'_>, mark: &SignoffMark) {
    match mark {
        SignoffMark::Reminder | SignoffMark::FollowUp => remind(work),
        SignoffMark::Expires => expire(work),
    }
}

pub(in crate::domain) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    if planned(release)
        && let Some(at) = valid(release).filter_map(|(_, signoff)| expires(release, signoff)).min()
    {
        marks.push(Mark::new(at, SignoffMark::Expires));
    }
    if let Some(at) = next_reminder(release) {
        marks.push(Mark::new(at, SignoffMark::Reminder));
    }
    if let Some(run) = release.phase.run()
        && !release.ended()
        && !owed(release).is_empty()
        && let Some(hours) = FOLLOW_UP_H.get(usize::from(release.signing.signoff_reminders))
    {
        let _n = release.signing.signoff_reminders;
        marks.push(Mark::new(run.go_at + SignedDuration::from_hours(*hours), SignoffMark::FollowUp));
    }
}
