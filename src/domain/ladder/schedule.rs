//! Where T-0 lies before go. A new T-0 begins a new schedule: what was said of the old one shows so, what was not
//! sent yet never is, whoever was told is told again, and the rungs ahead run anew.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{LadderNotice, RungMissed, posting_key, rules, rung, view};
use crate::domain::changes::{self, Change};
use crate::domain::delivery::rules::drop_unsent;
use crate::domain::digest::digest as digest_of;
use crate::domain::ids::{Audience, Destination};
use crate::domain::lifecycle::{PlanEvent, PlanNotice, PlanRefusal, PlanReply};
use crate::domain::notice::Notice;
use crate::domain::plan::{PlannedTime, RungPlan, t_label};
use crate::domain::refusal::Refusal;
use crate::domain::release::{Phase, Release};
use crate::domain::reply::Reply;
use crate::domain::stage::{self, GoAnswer, StageNotice};
use crate::domain::work::{Work, reason};
use crate::domain::{freeze, plausible, signoff, zone_of};

/// What was said of a schedule that is about to end.
#[derive(Debug)]
pub(in crate::domain) struct Said {
    generation: u32,
    t0: Option<Timestamp>,
    rungs: Vec<RungPlan>,
    told: Vec<Audience>,
    /// The question for go or no-go that was open.
    question: Option<String>,
}

impl Said {
    /// Of the present schedule; to be taken before the event that ends it.
    pub(in crate::domain) fn of(release: &Release) -> Self {
        Self {
            generation: release.countdown.generation,
            t0: release.plan.t0_at(),
            rungs: rung::said(release),
            told: rung::told(release).into_iter().collect(),
            question: release.countdown.go_question.clone(),
        }
    }
}

/// A new T-0 by command. Times are material: the required roles are asked again.
pub(in crate::domain) fn reschedule(work: &mut Work<'_>, mut t0: PlannedTime, why: &str) -> Result<Reply, Refusal> {
    let why = reason(why)?;
    if t0.at <= work.ctx.now || !plausible(t0.at) {
        return Err(PlanRefusal::TimePast { at: t0.at }.into());
    }
    if work.release.plan.t0_at() == Some(t0.at) {
        return Err(Refusal::AlreadyDone { what: "T-0 is at that time".to_owned() });
    }
    // An instant without a place keeps the plan's; the record shows it with its zone, whatever was typed.
    if !t0.zone.contains('/') {
        work.release.plan.zone().clone_into(&mut t0.zone);
    }
    t0.typed = typed(&t0);
    let said = Said::of(&work.release);
    let mut plan = work.release.plan.clone();
    plan.t0 = Some(t0.clone());
    let (digest, changes) = (digest_of(&plan), changes::between(&work.release.plan, &plan));
    work.record(PlanEvent::Rescheduled { t0, reason: why.clone(), digest, changes });
    let (told, skipped) = begin_anew(work, said, Some(why));
    signoff::rules::ask(work, true);
    freeze::rules::point_out_overlaps(work);
    Ok(PlanReply::Rescheduled { told, skipped }.into())
}

/// A time as somebody would type it.
pub(in crate::domain) fn typed(t0: &PlannedTime) -> String {
    format!("{} {}", zone_of(&t0.zone).to_datetime(t0.at).strftime("%Y-%m-%d %H:%M"), t0.zone)
}

/// After the event that moved T-0: the old schedule's notices, the rungs whose time is past, and whoever must know.
pub(in crate::domain) fn begin_anew(
    work: &mut Work<'_>,
    said: Said,
    why: Option<String>,
) -> (Vec<Audience>, Vec<String>) {
    overtake(work, &said, false);
    stage::go_no_go::answered(work, said.question.clone(), GoAnswer::Moved);
    let skipped = skip_past(work);
    let mut told = said.told;
    for rung in &work.release.plan.rungs {
        if skipped.contains(&rung.key()) && !told.contains(&rung.audience) {
            told.push(rung.audience.clone());
        }
    }
    let by = work.by();
    announce(work, &Notice::Plan(PlanNotice::Moved { by, from: said.t0, reason: why }), &told);
    (told, skipped)
}

/// Rungs whose time is past on the new schedule are not said; the record says why.
fn skip_past(work: &mut Work<'_>) -> Vec<String> {
    let now = work.ctx.now;
    let past: Vec<String> =
        view::ahead(&work.release).into_iter().filter(|(at, _)| *at <= now).map(|(_, rung)| rung).collect();
    for rung in &past {
        rules::skip(work, rung.clone(), Some(RungMissed::PastWhenRescheduled));
    }
    past
}

/// Called off: the notices of the present schedule show it.
pub(in crate::domain) fn scrub(work: &mut Work<'_>) {
    let said = Said::of(&work.release);
    rules::leave_pages(work);
    overtake(work, &said, true);
}

/// The notices of a schedule show that it holds no more; those not in their channel yet are not sent.
fn overtake(work: &mut Work<'_>, said: &Said, scrubbed: bool) {
    for rung in &said.rungs {
        let key = posting_key(said.generation, &rung.key());
        let label = t_label(-i64::from(rung.before_min));
        let notice = Notice::Ladder(LadderNotice::Overtaken { label, audience: rung.audience.clone(), scrubbed });
        drop_unsent(work, &key);
        work.edit(key, notice, None);
    }
}

/// The notices of the present schedule with T-0 and state as they are now: on hold, or moved by a hold.
pub(in crate::domain) fn show_anew(work: &mut Work<'_>) {
    // What the plan says no more has no text to show; whoever it told is told of the hold beside it.
    let rungs = work.release.plan.rungs.clone();
    for rung in rung::said(&work.release).into_iter().filter(|rung| rungs.contains(rung)) {
        rules::show(work, &rung);
    }
}

/// The series of messages that say how a release is: the last of them shows it as it is now.
pub(in crate::domain) const STATE: &str = "state";

/// Says something to the release channel and to every audience that was already told.
pub(in crate::domain) fn announce_again(work: &mut Work<'_>, notice: &Notice) {
    let told: Vec<Audience> = rung::told(&work.release).into_iter().collect();
    announce(work, notice, &told);
}

fn announce(work: &mut Work<'_>, notice: &Notice, to: &[Audience]) {
    // Whatever was said often: the first of another kind is a message of its own.
    let what = match notice {
        Notice::Plan(PlanNotice::Scrubbed { .. }) => "scrubbed",
        Notice::Stage(StageNotice::Held { .. }) | Notice::Stage(StageNotice::Resumed { .. }) => STATE,
        _ => "moved",
    };
    work.series(what, Destination::Release, notice.clone());
    tell(work, what, notice, to);
}

/// Says something to audiences; nobody reads it twice in one channel, unless somebody else is called there.
fn tell(work: &mut Work<'_>, key: &str, notice: &Notice, to: &[Audience]) {
    let mut read = BTreeSet::from([(work.release.policy.release_channel.clone(), None)]);
    for audience in to {
        let route = work.release.policy.audiences.get(audience);
        let channel = route.and_then(|route| route.channel.clone());
        let channel = channel.or_else(|| work.release.policy.release_channel.clone());
        let role = route.and_then(|route| route.role.clone());
        let known = if role.is_none() { read.iter().any(|(c, _)| *c == channel) } else { false };
        if known || !read.insert((channel, role)) {
            continue;
        }
        let again = match notice {
            Notice::Plan(PlanNotice::Scrubbed { by, reason, .. }) => {
                Notice::Plan(PlanNotice::Scrubbed { by: by.clone(), reason: reason.clone(), again: true })
            }
            Notice::Stage(StageNotice::Held { by, reason, case, .. }) => {
                Notice::Stage(StageNotice::Held { by: by.clone(), reason: reason.clone(), again: true, case: *case })
            }
            other => other.clone(),
        };
        let what = format!("{key}/{audience}");
        work.series(&what, Destination::Audience(audience.clone()), again);
    }
}

/// The countdown stands still: every audience that counts on the time is told, beside the release channel.
pub(in crate::domain) fn tell_of_hold(work: &mut Work<'_>, notice: &Notice) {
    let told: Vec<Audience> = rung::told(&work.release).into_iter().collect();
    tell(work, STATE, notice, &told);
}

/// T-0 lies elsewhere from here on: a new schedule, and a new round of sign-offs.
pub(in crate::domain) fn rescheduled(
    release: &mut Release,
    t0: &PlannedTime,
    digest: &str,
    changes: &[Change],
    at: Timestamp,
) {
    keep_written(release);
    release.plan.t0 = Some(t0.clone());
    release.digest = digest.to_owned();
    release.changes = changes.to_vec();
    signoff::evolve::plan_changed(release, changes);
    release.begin_schedule();
    release.begin_round();
    release.phase = Phase::Gathering { since: at };
}

/// The document keeps the time it was written with: a later import of it does not move T-0 back.
pub(in crate::domain) fn keep_written(release: &mut Release) {
    if release.countdown.t0_written.is_none() {
        release.countdown.t0_written = release.plan.t0_at();
    }
}
