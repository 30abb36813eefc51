//! The rules of decision points: asked, reminded, answered.

use jiff::Timestamp;

use super::view::open;
use super::{Point, PointEvent, PointMark, PointNotice, PointReply, PointState, REMIND_AFTER_MIN, Verdict};
use crate::domain::effect::Priority;
use crate::domain::ids::Destination;
use crate::domain::lateness::{Away, Late};
use crate::domain::mark::Mark;
use crate::domain::people::By;
use crate::domain::prompt::Prompt;
use crate::domain::refusal::{Refusal, Wanted};
use crate::domain::release::{Phase, Release};
use crate::domain::reply::Reply;
use crate::domain::rollback::{self, Cause};
use crate::domain::stage::rules::HoldBy;
use crate::domain::work::{Work, reason};
use crate::domain::{minutes, plan, stage};

fn key(after_min: u32) -> String {
    format!("point/{after_min}")
}

/// A point opens, or reminds.
fn due(work: &mut Work<'_>, after_min: u32, away: Option<Away>) {
    let Some(point) = find(&work.release, after_min) else {
        return;
    };
    let text =
        work.release.plan.points.iter().find(|p| p.after_min == after_min).map_or(String::new(), |p| p.text.clone());
    let reminder = match point.state {
        PointState::Waiting => {
            let owed = stage::owed::before(work);
            work.record(PointEvent::Opened { after_min });
            stage::owed::ask(work, owed.as_ref(), Vec::new(), None);
            0
        }
        PointState::Open { reminders, .. } => {
            work.record(PointEvent::Reminded { after_min });
            reminders + 1
        }
        PointState::Decided { .. } => return,
    };
    let (question, late) = (key(after_min), Late::of(point.due, work.ctx.now, away).filter(|_| reminder == 0));
    let (mention, first) = (work.climb(reminder), reminder == 0);
    let key = if first { question.clone() } else { format!("{question}/reminder/{reminder}") };
    let posting = work.post(key, Destination::Release, PointNotice::Asked { after_min, text, reminder, late });
    posting.prompt = first.then_some(Prompt::Point { after_min });
    posting.reply_to = (!first).then(|| question.into());
    posting.priority = Priority::Prompt;
    posting.mention = mention;
}

/// A rollback makes open questions moot: they lose their buttons.
pub(in crate::domain) fn moot(work: &mut Work<'_>) {
    let open = work.release.phase.run().into_iter().flat_map(|run| &run.points);
    let open: Vec<u32> =
        open.filter(|p| matches!(p.state, PointState::Open { .. })).map(|point| point.after_min).collect();
    for after_min in open {
        let by = work.by();
        let notice = PointNotice::Decided { after_min, verdict: Verdict::RollBack, by, reason: None };
        work.edit(key(after_min), notice, None);
    }
}

fn find(release: &Release, after_min: u32) -> Option<Point> {
    release.phase.run()?.points.iter().find(|p| p.after_min == after_min).cloned()
}

pub(in crate::domain) fn decide(
    work: &mut Work<'_>,
    after_min: Option<u32>,
    verdict: Verdict,
    why: Option<String>,
) -> Result<Reply, Refusal> {
    let Some(run) = work.release.running() else {
        return work.wrong_phase(Wanted::Decide);
    };
    let after_min = match after_min.or_else(|| open(run).map(|p| p.after_min)) {
        Some(after_min) => after_min,
        None => {
            return Err(Refusal::NothingOpen { what: "decision point" });
        }
    };
    let Some(point) = find(&work.release, after_min) else {
        return Err(Refusal::NothingOpen { what: "decision point" });
    };
    match point.state {
        PointState::Open { .. } => {}
        PointState::Waiting => {
            return Err(Refusal::NothingOpen { what: "decision point" });
        }
        PointState::Decided { by, .. } => {
            let what = format!("{}, by {by}", plan::t_label(i64::from(after_min)));
            return Err(Refusal::AlreadyDone { what });
        }
    }
    let why = match verdict {
        Verdict::Continue => why.map(|w| reason(&w)).transpose()?,
        Verdict::Hold | Verdict::RollBack => Some(reason(&why.unwrap_or_default())?),
    };
    let owed = stage::owed::before(work);
    work.record(PointEvent::Decided { after_min, verdict, reason: why.clone() });
    if verdict == Verdict::Continue {
        // The stage step waited for the answer; a hold and a rollback end it by themselves.
        stage::owed::ask(work, owed.as_ref(), Vec::new(), None);
    }
    let by = work.by();
    let notice = PointNotice::Decided { after_min, verdict, by, reason: why.clone() };
    // The question's own message shows the answer; a rollback announces itself.
    work.edit(key(after_min), notice, None);
    match (verdict, why) {
        (Verdict::Hold, Some(why)) if !matches!(work.release.phase, Phase::Held { .. }) => {
            stage::rules::hold(work, why, HoldBy::Answer { key: key(after_min), case: None })?;
        }
        (Verdict::RollBack, Some(why)) => rollback::rules::start(work, Some(Cause::Point { after_min }), why)?,
        _ => {}
    }
    Ok(PointReply::Decided { verdict }.into())
}

/// Does what is due.
pub(in crate::domain) fn fire(work: &mut Work<'_>, mark: &PointMark, away: Option<Away>) {
    match mark {
        PointMark::Due { after_min } | PointMark::Reminder { after_min } => due(work, *after_min, away),
    }
}

pub(in crate::domain) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    // A hold stops the clocks; a rollback makes the questions moot.
    let (Phase::Live { run } | Phase::Watching { run }) = &release.phase else {
        return;
    };
    // The question whether to roll back comes first; while it is open it reminds alone.
    let asked = rollback::view::proposed(run).is_some();
    for point in &run.points {
        let after_min = point.after_min;
        match point.state {
            PointState::Open { .. } if asked => {}
            PointState::Waiting => marks.push(Mark::new(point.due, PointMark::Due { after_min })),
            PointState::Open { since, reminders } => {
                if let Some(after) = REMIND_AFTER_MIN.get(usize::from(reminders)) {
                    marks.push(Mark::new(since + minutes(*after), PointMark::Reminder { after_min }));
                }
            }
            PointState::Decided { .. } => {}
        }
    }
}

pub(in crate::domain) fn evolve(release: &mut Release, event: &PointEvent, at: Timestamp, by: &By) {
    let (PointEvent::Opened { after_min } | PointEvent::Reminded { after_min } | PointEvent::Decided { after_min, .. }) =
        event;
    let Some(run) = release.phase.run_mut() else {
        return;
    };
    let Some(point) = run.points.iter_mut().find(|p| p.after_min == *after_min) else {
        return;
    };
    match event {
        PointEvent::Opened { .. } => point.state = PointState::Open { since: at, reminders: 0 },
        PointEvent::Reminded { .. } => {
            if let PointState::Open { reminders, .. } = &mut point.state {
                *reminders = reminders.saturating_add(1);
            }
        }
        PointEvent::Decided { verdict, reason, .. } => {
            let reason = reason.clone();
            point.state = PointState::Decided { at, by: by.clone(), verdict: *verdict, reason };
        }
    }
}
