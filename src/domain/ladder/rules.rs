//! The rules of notices: each at its instant, receipts, corrections, status pages.

use jiff::{SignedDuration, Timestamp};

use super::rung::{Fate, fate, said, same_audience};
use super::view::{ahead, meant, needs_receipt, not_sent_before, owed, rung_named, unconfirmed};
use super::{
    Correction, LadderMark, LadderNotice, LadderRefusal, LadderReply, NoticeCommand, NoticeEvent, Receipt, RungMissed,
    RungSaid, RungState, page_key, posting_key,
};
use crate::domain::delivery::{self, Trouble};
use crate::domain::effect::Priority;
use crate::domain::ids::{Audience, Destination};
use crate::domain::key::PostKey;
use crate::domain::lateness::{Away, Late};
use crate::domain::mark::Mark;
use crate::domain::people::By;
use crate::domain::plan::{ReleaseType, RungPlan, t_label};
use crate::domain::prompt::Prompt;
use crate::domain::refusal::Refusal;
use crate::domain::release::{Phase, Release};
use crate::domain::reply::Reply;
use crate::domain::stage::view::gaps_ahead;
use crate::domain::work::{self, Work};
use crate::domain::{UNDO, minutes, policy};

/// How long an emergency's notice is worth sending, at least.
const EMERGENCY_USEFUL: SignedDuration = SignedDuration::from_hours(1);

fn due(work: &mut Work<'_>, rung: &str, away: Option<Away>) {
    let now = work.ctx.now;
    let release = &work.release;
    let Some(plan) = release.plan.rungs.iter().find(|r| r.key() == rung).cloned() else {
        return;
    };
    let Some(t0) = release.plan.t0_at() else { return };
    let emergency = release.plan.kind == Some(ReleaseType::Emergency);
    if let Some(Fate::Missed(missed)) = fate(release, &plan, now) {
        skip(work, rung.to_owned(), Some(missed));
        return;
    }
    let late = if emergency { None } else { Late::of(t0 - minutes(plan.before_min), now, away) };
    let how = if late.is_some() { RungSaid::Late } else { RungSaid::OnTime };
    let not_sent = not_sent_before(release, &plan);
    let open = gaps_ahead(release, now);
    let useful_until = same_audience(release, &plan).map(|r| t0 - minutes(r.before_min)).filter(|d| *d > now).min();
    let useful_until = useful_until.unwrap_or(t0);
    let useful_until = if emergency { useful_until.max(now + EMERGENCY_USEFUL) } else { useful_until };
    let generation = release.countdown.generation;
    let quiet_until = policy::quiet_until(&work.release.policy, &plan.audience, now);
    let away = late.and_then(|late| late.away);
    work.record(NoticeEvent::Said { rung: rung.to_owned(), how, missed: None, quiet_until, away });
    let notice = LadderNotice::Rung {
        rung: rung.to_owned(),
        label: t_label(-i64::from(plan.before_min)),
        audience: plan.audience.clone(),
        text: plan.text.clone(),
        late,
        not_sent,
        open,
        quiet: quiet_until.is_some(),
    };
    let receipt = needs_receipt(&work.release, &plan.audience);
    let posting = work.post(posting_key(generation, rung), Destination::Audience(plan.audience.clone()), notice);
    posting.useful_until = Some(useful_until);
    posting.priority = Priority::Notice;
    if receipt {
        posting.prompt = Some(Prompt::Receipt { rung: rung.to_owned(), generation });
    }
    if plan.audience == Audience::status_page() {
        show_on_pages(work);
    }
}

/// The release comes onto every status page; from then on the pages follow its state (`desk`).
pub(in crate::domain) fn show_on_pages(work: &mut Work<'_>) {
    for page in work.release.policy.pages.clone() {
        work.post(page_key(&page), Destination::Page(page), LadderNotice::Page);
    }
}

/// The release is over: a page that does not show it yet never will.
pub(in crate::domain) fn leave_pages(work: &mut Work<'_>) {
    for page in work.release.policy.pages.clone() {
        if !work.release.countdown.pages_shown.contains(&page) {
            delivery::rules::drop_unsent(work, &page_key(&page));
        }
    }
}

pub(in crate::domain) fn decide(work: &mut Work<'_>, command: NoticeCommand) -> Result<Reply, Refusal> {
    match command {
        NoticeCommand::Receipt { rung, generation } => receive(work, &rung, generation),
        NoticeCommand::TakeBack { rung, generation } => take_back(work, &rung, generation),
        command @ NoticeCommand::Brief { .. } => brief(work, &command),
        NoticeCommand::Correct { rung, text, retracted } => correct(work, &rung, &text, retracted),
    }
}

/// The message under a posting key is in its channel; if it is a rung of this schedule, the rung knows.
pub(in crate::domain) fn delivered(work: &mut Work<'_>, key: &PostKey, at: Timestamp) {
    let rung = match key {
        PostKey::Page { page } if !work.release.countdown.pages_shown.contains(page) => {
            work.record(NoticeEvent::PageShown { page: page.clone() });
            return show_page_rung(work);
        }
        PostKey::Rung { generation, rung } if *generation == work.release.countdown.generation => rung.clone(),
        _ => return,
    };
    let Some(state) = work.release.countdown.rungs.get(&rung).filter(|state| state.delivered_at.is_none()) else {
        return;
    };
    let in_time = state.said == RungSaid::OnTime && work.release.plan.kind != Some(ReleaseType::Emergency);
    let nominal = RungPlan::of_key(&rung).zip(work.release.plan.t0_at()).map(|(r, t0)| t0 - minutes(r.before_min));
    let late = state.due.or(nominal).filter(|_| in_time).and_then(|due| Late::of(due, at, None));
    let late_min = late.map(|late| late.min);
    let plan = work.release.plan.rungs.iter().find(|plan| plan.key() == rung).cloned();
    let shut = late.is_some() && work.release.stuck.get(key).is_some_and(|stuck| stuck.trouble == Trouble::Blocked);
    work.record(NoticeEvent::Delivered { rung, at, late_min, shut });
    // Its words were written when it was in time.
    if let Some(plan) = plan.filter(|_| late_min.is_some()) {
        show(work, &plan);
    }
}

/// The notice that speaks of status pages, as they stand now.
pub(in crate::domain) fn show_page_rung(work: &mut Work<'_>) {
    // What is over shows its end.
    if work.release.phase.name().is_over() {
        return;
    }
    let mut rungs = said(&work.release);
    rungs.retain(|rung| rung.audience == Audience::status_page() && work.release.plan.rungs.contains(rung));
    for rung in &rungs {
        show(work, rung);
    }
}

fn receive(work: &mut Work<'_>, rung: &str, generation: u32) -> Result<Reply, Refusal> {
    let release = &work.release;
    let known = || release.plan.rungs.iter().map(RungPlan::key).collect();
    let Some(plan) = release.plan.rungs.iter().find(|r| r.key() == rung).cloned() else {
        return Err(Refusal::UnknownItem { typed: rung.to_owned(), known: known() });
    };
    if generation != release.countdown.generation {
        return Err(Refusal::Stale { now: release.phase.name() });
    }
    let Some(state) = release.countdown.rungs.get(rung) else {
        return Err(Refusal::NothingOpen { what: "receipt" });
    };
    let skipped = state.said == RungSaid::Skipped;
    // Go waits for it though its notice came too late to be said: whoever knows all the same confirms it.
    let asked = if skipped { owed(release).any(|plan| plan.key() == rung) } else { state.unanswered() };
    if !asked && state.receipt.is_none() {
        return Err(Refusal::NothingOpen { what: "receipt" });
    }
    if let Some(receipt) = &state.receipt {
        return Err(Refusal::AlreadyDone { what: format!("{rung}, by {}", receipt.name) });
    }
    let Some(person) = work.ctx.actor.person().cloned() else {
        return Err(Refusal::NotAllowed { who: vec![] });
    };
    work.record(NoticeEvent::Received { rung: rung.to_owned(), user: person.user, name: person.name });
    if !skipped {
        say_anew(work, &plan, None);
    }
    Ok(LadderReply::Received { rung: rung.to_owned() }.into())
}

/// A mis-pressed receipt: its giver takes it back within a minute, and the question is open again.
fn take_back(work: &mut Work<'_>, rung: &str, generation: u32) -> Result<Reply, Refusal> {
    let release = &work.release;
    let plan = release.plan.rungs.iter().find(|r| r.key() == rung).cloned();
    let receipt = release.countdown.rungs.get(rung).and_then(|state| state.receipt.as_ref());
    let (Some(plan), Some(receipt), true) = (plan, receipt, generation == release.countdown.generation) else {
        return Err(Refusal::NothingOpen { what: "receipt to undo" });
    };
    if work.ctx.actor.person().is_none_or(|person| person.user != receipt.user) {
        return Err(Refusal::NotYours { by: receipt.name.clone() });
    }
    if work.ctx.now > receipt.at + UNDO {
        return Err(Refusal::UndoOver);
    }
    let skipped = release.countdown.rungs.get(rung).is_some_and(|state| state.said == RungSaid::Skipped);
    work.record(NoticeEvent::TakenBack { rung: rung.to_owned() });
    if !skipped {
        say_anew(work, &plan, Some(Prompt::Receipt { rung: rung.to_owned(), generation }));
    }
    Ok(LadderReply::TakenBack { rung: rung.to_owned() }.into())
}

/// A receipt by command: for the rung that is named, or the only one that waits.
fn brief(work: &mut Work<'_>, command: &NoticeCommand) -> Result<Reply, Refusal> {
    let (rung, generation) = (meant(&work.release, command)?.key(), work.release.countdown.generation);
    receive(work, &rung, generation)
}

/// A notice that was wrong: its message shows what is right, and its audience is told again.
fn correct(work: &mut Work<'_>, typed: &str, text: &str, retracted: bool) -> Result<Reply, Refusal> {
    let plan = rung_named(&work.release, typed)?;
    let rung = plan.key();
    if work.release.countdown.rungs.get(&rung).is_none_or(|state| state.said == RungSaid::Skipped) {
        return Err(LadderRefusal::NotPosted { rung }.into());
    }
    let text = work::reason(text)?;
    work.record(NoticeEvent::Corrected { rung: rung.clone(), text: text.clone(), retracted });
    show(work, &plan);
    let by = work.by();
    let label = t_label(-i64::from(plan.before_min));
    let notice = LadderNotice::Corrected { label, audience: plan.audience.clone(), text, retracted, by };
    let what = format!("corrected/{}", plan.audience);
    work.series(&what, Destination::Audience(plan.audience), notice);
    Ok(LadderReply::Corrected { rung, retracted }.into())
}

/// The quiet hours in which a rung was said are over: its audience is called now, if it still matters.
fn quiet_over(work: &mut Work<'_>, rung: &str) {
    work.record(NoticeEvent::QuietOver { rung: rung.to_owned() });
    // The plan may have dropped the rung meanwhile.
    let Some(plan) = work.release.plan.rungs.iter().find(|r| r.key() == rung).cloned() else { return };
    let (Some(t0), open) = (work.release.plan.t0_at(), unconfirmed(&work.release)) else { return };
    let waits = !needs_receipt(&work.release, &plan.audience) || open.contains(&plan.key());
    if t0 <= work.ctx.now || !waits {
        return;
    }
    let (label, at) = (t_label(-i64::from(plan.before_min)), t0 - minutes(plan.before_min));
    let notice = LadderNotice::QuietOver { label, audience: plan.audience.clone(), at };
    let key = work.unique("quiet-over");
    let posting = work.post(key, Destination::Audience(plan.audience), notice);
    posting.useful_until = Some(t0);
}

/// The rung's message as things are now.
pub(in crate::domain) fn show(work: &mut Work<'_>, plan: &RungPlan) {
    let generation = work.release.countdown.generation;
    let open = work.release.countdown.rungs.get(&plan.key()).is_some_and(RungState::unanswered);
    let prompt = (open && needs_receipt(&work.release, &plan.audience))
        .then(|| Prompt::Receipt { rung: plan.key(), generation });
    say_anew(work, plan, prompt);
}

fn say_anew(work: &mut Work<'_>, plan: &RungPlan, prompt: Option<Prompt>) {
    let state = work.release.countdown.rungs.get(&plan.key());
    let nominal = work.release.plan.t0_at().map(|t0| t0 - minutes(plan.before_min));
    let notice = LadderNotice::Rung {
        rung: plan.key(),
        label: t_label(-i64::from(plan.before_min)),
        audience: plan.audience.clone(),
        text: plan.text.clone(),
        late: state.and_then(|state| {
            Some(Late { due: state.due.or(nominal)?, min: state.late_min?, away: state.away, shut: state.shut })
        }),
        not_sent: not_sent_before(&work.release, plan),
        open: gaps_ahead(&work.release, work.ctx.now),
        quiet: state.is_some_and(|state| state.quiet_until.is_some()),
    };
    work.edit(posting_key(work.release.countdown.generation, &plan.key()), notice, prompt);
}

/// Go is given: what was not said yet never is, and the record says so.
pub(in crate::domain) fn leave_ahead(work: &mut Work<'_>) {
    for (_, rung) in ahead(&work.release) {
        skip(work, rung, Some(RungMissed::WentBefore));
    }
}

/// Go is taken back: what it had overtaken is as it was, and is said at its instant, or late.
pub(in crate::domain) fn return_ahead(release: &mut Release) {
    release.countdown.rungs.retain(|_, state| state.missed != Some(RungMissed::WentBefore));
}

/// A notice of the present schedule that was not posted while it was useful was not said.
pub(in crate::domain) fn expired(work: &mut Work<'_>, key: &PostKey) {
    let PostKey::Rung { generation, rung } = key else { return };
    if *generation != work.release.countdown.generation {
        return;
    }
    // Somebody was told by hand, and said so: that stands.
    let unsaid =
        |state: &RungState| state.said != RungSaid::Skipped && state.delivered_at.is_none() && state.receipt.is_none();
    if work.release.countdown.rungs.get(rung).is_some_and(unsaid) {
        skip(work, rung.to_owned(), Some(RungMissed::Undelivered));
    }
}

/// It is not said, and the record says why.
pub(in crate::domain) fn skip(work: &mut Work<'_>, rung: String, missed: Option<RungMissed>) {
    work.record(NoticeEvent::Said { rung, how: RungSaid::Skipped, missed, quiet_until: None, away: None });
}

/// Does what is due.
pub(in crate::domain) fn fire(work: &mut Work<'_>, mark: &LadderMark, away: Option<Away>) {
    match mark {
        LadderMark::Rung { rung } => due(work, rung, away),
        LadderMark::QuietOver { rung } => quiet_over(work, rung),
    }
}

pub(in crate::domain) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    if !matches!(release.phase, Phase::Gathering { .. } | Phase::Approved { .. }) {
        return;
    }
    let silent = release.countdown.rungs.iter().filter_map(|(rung, state)| Some((state.quiet_until?, rung.clone())));
    marks.extend(silent.map(|(at, rung)| Mark::new(at, LadderMark::QuietOver { rung })));
    marks.extend(ahead(release).into_iter().map(|(at, rung)| Mark::new(at, LadderMark::Rung { rung })));
}

pub(in crate::domain) fn evolve(release: &mut Release, event: &NoticeEvent, at: Timestamp, by: &By) {
    match event {
        NoticeEvent::Said { rung, how, missed, quiet_until, away } => {
            let nominal = RungPlan::of_key(rung).zip(release.plan.t0_at()).map(|(r, t0)| t0 - minutes(r.before_min));
            let late = nominal.filter(|_| *how == RungSaid::Late).map(|nominal| at.duration_since(nominal));
            let state = RungState {
                said: *how,
                late_min: late.map(|late| u32::try_from(late.as_mins()).unwrap_or(u32::MAX)),
                delivered_at: None,
                receipt: None,
                missed: *missed,
                away: *away,
                shut: false,
                due: nominal,
                quiet_until: *quiet_until,
                correction: None,
            };
            if *how != RungSaid::Skipped
                && let Some(plan) = RungPlan::of_key(rung)
            {
                release.countdown.told.insert(plan.audience);
            }
            release.countdown.rungs.insert(rung.clone(), state);
        }
        NoticeEvent::Corrected { rung, text, retracted } => {
            if let Some(state) = release.countdown.rungs.get_mut(rung) {
                let (text, by) = (text.clone(), by.to_string());
                state.correction = Some(Correction { text, retracted: *retracted, by, at });
                if *retracted {
                    state.receipt = None;
                }
            }
        }
        NoticeEvent::QuietOver { rung } => {
            if let Some(state) = release.countdown.rungs.get_mut(rung) {
                state.quiet_until = None;
            }
        }
        NoticeEvent::Delivered { rung, at, late_min, shut } => {
            if let Some(state) = release.countdown.rungs.get_mut(rung) {
                state.delivered_at = Some(*at);
                if late_min.is_some() {
                    (state.said, state.late_min, state.shut) = (RungSaid::Late, *late_min, *shut);
                }
            }
        }
        NoticeEvent::Received { rung, user, name } => {
            if let Some(state) = release.countdown.rungs.get_mut(rung) {
                state.receipt = Some(Receipt { user: user.clone(), name: name.clone(), at });
            }
        }
        NoticeEvent::PageShown { page } => {
            release.countdown.pages_shown.insert(page.clone());
        }
        NoticeEvent::TakenBack { rung } => {
            if let Some(state) = release.countdown.rungs.get_mut(rung) {
                state.receipt = None;
            }
        }
    }
}
