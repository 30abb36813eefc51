//! Topic: decision points (T+15m, T+1h, T+4h, T+24h). A point nobody answers stays open, reminds and climbs; it never
//! continues by itself.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::agenda::{Mark, MarkKind};
use super::command::Verdict;
use super::decide::{Work, reason};
use super::effect::{Destination, Priority, Prompt, Reply};
use super::event::PointEvent;
use super::lateness::{Away, Late};
use super::notice::Notice;
use super::owed;
use super::people::By;
use super::refusal::{Refusal, Wanted};
use super::release::{Phase, Release, Run};
use super::rollback::Cause;
use super::stage::HoldBy;
use super::{minutes, rollback, stage};

/// Minutes after its opening at which an unanswered point reminds.
pub const REMIND_AFTER_MIN: [u32; 4] = [15, 30, 60, 120];

/// A decision point of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub after_min: u32,
    pub due: Timestamp,
    pub state: PointState,
}

/// Whether it was asked and answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PointState {
    Waiting,
    Open { since: Timestamp, reminders: u8 },
    Decided { at: Timestamp, by: By, verdict: Verdict, reason: Option<String> },
}

impl Point {
    /// A point ahead.
    pub fn waiting(after_min: u32, go_at: Timestamp) -> Self {
        Self { after_min, due: go_at + minutes(after_min), state: PointState::Waiting }
    }
    /// Moves a point that was not asked yet.
    pub fn shift(&mut self, by: SignedDuration) {
        if self.state == PointState::Waiting {
            self.due += by;
        }
    }
}

/// The point that is open, earliest first.
pub fn open(run: &Run) -> Option<&Point> {
    run.points.iter().find(|p| matches!(p.state, PointState::Open { .. }))
}

fn key(after_min: u32) -> String {
    format!("point/{after_min}")
}

/// A point opens, or reminds.
pub(super) fn due(work: &mut Work<'_>, after_min: u32, away: Option<Away>) {
    let Some(point) = find(&work.release, after_min) else {
        return;
    };
    let text =
        work.release.plan.points.iter().find(|p| p.after_min == after_min).map_or(String::new(), |p| p.text.clone());
    let reminder = match point.state {
        PointState::Waiting => {
            let owed = owed::before(work);
            work.record(PointEvent::Opened { after_min });
            owed::ask(work, owed.as_ref(), Vec::new(), None);
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
    let posting = work.post(key, Destination::Release, Notice::Point { after_min, text, reminder, late });
    posting.prompt = first.then_some(Prompt::Point { after_min });
    posting.reply_to = (!first).then(|| question.into());
    posting.priority = Priority::Prompt;
    posting.mention = mention;
}

/// A rollback makes open questions moot: they lose their buttons.
pub(super) fn moot(work: &mut Work<'_>) {
    let open = work.release.phase.run().into_iter().flat_map(|run| &run.points);
    let open: Vec<u32> =
        open.filter(|p| matches!(p.state, PointState::Open { .. })).map(|point| point.after_min).collect();
    for after_min in open {
        let by = work.by();
        let notice = Notice::PointDecided { after_min, verdict: Verdict::RollBack, by, reason: None };
        work.edit(key(after_min), notice, None);
    }
}

fn find(release: &Release, after_min: u32) -> Option<Point> {
    release.phase.run()?.points.iter().find(|p| p.after_min == after_min).cloned()
}

pub(super) fn decide(
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
            let what = format!("{}, by {by}", super::plan::t_label(i64::from(after_min)));
            return Err(Refusal::AlreadyDone { what });
        }
    }
    let why = match verdict {
        Verdict::Continue => why.map(|w| reason(&w)).transpose()?,
        Verdict::Hold | Verdict::RollBack => Some(reason(&why.unwrap_or_default())?),
    };
    let owed = owed::before(work);
    work.record(PointEvent::Decided { after_min, verdict, reason: why.clone() });
    if verdict == Verdict::Continue {
        // The stage step waited for the answer; a hold and a rollback end it by themselves.
        owed::ask(work, owed.as_ref(), Vec::new(), None);
    }
    let by = work.by();
    let notice = Notice::PointDecided { after_min, verdict, by, reason: why.clone() };
    // The question's own message shows the answer; a rollback announces itself.
    work.edit(key(after_min), notice, None);
    match (verdict, why) {
        (Verdict::Hold, Some(why)) if !matches!(work.release.phase, Phase::Held { .. }) => {
            stage::hold(work, why, HoldBy::Answer { key: key(after_min), case: None })?;
        }
        (Verdict::RollBack, Some(why)) => rollback::start(work, Some(Cause::Point { after_min }), why)?,
        _ => {}
    }
    Ok(Reply::Decided { verdict })
}

pub(super) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    // A hold stops the clocks; a rollback makes the questions moot.
    let (Phase::Live { run } | Phase::Watching { run }) = &release.phase else {
        return;
    };
    // The question whether to roll back comes first; while it is open it reminds alone.
    let asked = rollback::proposed(run).is_some();
    for point in &run.points {
        let after_min = point.after_min;
        match point.state {
            PointState::Open { .. } if asked => {}
            PointState::Waiting => marks.push(Mark { at: point.due, kind: MarkKind::Point { after_min } }),
            PointState::Open { since, reminders } => {
                if let Some(after) = REMIND_AFTER_MIN.get(usize::from(reminders)) {
                    marks.push(Mark { at: since + minutes(*after), kind: MarkKind::PointReminder { after_min } });
                }
            }
            PointState::Decided { .. } => {}
        }
    }
}

pub(super) fn evolve(release: &mut Release, event: &PointEvent, at: Timestamp, by: &By) {
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
