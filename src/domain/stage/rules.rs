//! The rules of go, of stage steps, of hold and resume.

use super::view::{go_gaps, stage_count};
use super::{
    Done, GoAnswer, StageCommand, StageEvent, StageMark, StageNotice, StageRefusal, StageReply, Step, Undone, go_no_go,
    owed,
};
use crate::domain::ids::Destination;
use crate::domain::ladder::{self, Outcome};
use crate::domain::mark::Mark;
use crate::domain::notice::Notice;
use crate::domain::open::Open;
use crate::domain::phase::PhaseName;
use crate::domain::plan::{ReleaseType, t_label};
use crate::domain::prompt::Prompt;
use crate::domain::refusal::{Refusal, Wanted};
use crate::domain::release::{Phase, Release, Run};
use crate::domain::reply::Reply;
use crate::domain::work::{Work, reason};
use crate::domain::{UNDO, amend, concern, decision, minutes, signoff};

/// A hold is told to audiences after so many minutes where the stage has no planned time.
const LONG_HOLD_MIN: u32 = 60;

pub(in crate::domain) fn decide(work: &mut Work<'_>, command: StageCommand) -> Result<Reply, Refusal> {
    match command {
        StageCommand::Undo => undo(work),
        StageCommand::Go { break_glass } => go(work, break_glass),
        StageCommand::Advance { reason } => advance(work, reason),
        StageCommand::Extend { minutes, reason: why } => extend(work, minutes, &why),
        StageCommand::Hold { reason: why } => {
            let why = reason(&why)?;
            hold(work, why, HoldBy::Command)?;
            Ok(StageReply::Held.into())
        }
        StageCommand::Resume => resume(work),
    }
}

fn go(work: &mut Work<'_>, break_glass: Option<String>) -> Result<Reply, Refusal> {
    let now = work.ctx.now;
    let gaps = go_gaps(&work.release, now);
    let break_glass = match break_glass {
        None => {
            if !gaps.is_empty() {
                return Err(Refusal::Open { wanted: Wanted::Go, items: gaps });
            }
            None
        }
        Some(why) => {
            if work.release.plan.kind != Some(ReleaseType::Emergency) {
                return Err(StageRefusal::BreakGlassOnly { kind: work.release.plan.kind }.into());
            }
            // With nothing to break it is a go like any other.
            Some(reason(&why)?).filter(|_| !gaps.is_empty())
        }
    };
    ladder::rules::leave_ahead(work);
    let question = work.release.countdown.go_question.clone();
    work.record(StageEvent::Went { break_glass: break_glass.clone() });
    let by = work.by();
    let open = if break_glass.is_some() { gaps } else { Vec::new() };
    go_no_go::answered(work, question, GoAnswer::Go);
    let broke = break_glass.is_some();
    // An ordinary go asks nobody for anything.
    let mut mention = if broke { work.crew() } else { Vec::new() };
    // Whoever objected must not learn by chance that it went over them.
    mention.extend(concern::rules::overridden(work));
    let key = work.unique("went");
    let posting = work.post(
        key.clone(),
        Destination::Release,
        StageNotice::Went { by: by.clone(), break_glass: break_glass.clone(), open: open.clone() },
    );
    posting.mention = mention;
    ladder::outcome::tell(work, Outcome::Live);
    if ladder::view::tells_pages(&work.release) {
        // Its rung may not have come: the page says that it is under way all the same.
        ladder::rules::show_on_pages(work);
    }
    if broke {
        signoff::rules::ask_for_owed(work);
        work.post(format!("{key}/ops"), Destination::Ops, StageNotice::Went { by, break_glass, open });
    }
    Ok(StageReply::Went.into())
}

fn advance(work: &mut Work<'_>, why: Option<String>) -> Result<Reply, Refusal> {
    let Phase::Live { run } = &work.release.phase else {
        return work.wrong_phase(Wanted::Stage);
    };
    if let Some(point) = decision::view::open(run) {
        let label = t_label(i64::from(point.after_min));
        return Err(Refusal::Open { wanted: Wanted::Stage, items: vec![Open::Point { label }] });
    }
    let early = run.stage.soak_until.is_some_and(|until| until > work.ctx.now);
    let why = match why {
        Some(why) => Some(reason(&why)?),
        None if early => return Err(Refusal::ReasonNeeded),
        None => None,
    };
    let next = run.stage.index + 1;
    let (owed, by, last) = (owed::before(work), work.by(), next >= stage_count(&work.release));
    work.record(match last {
        true => StageEvent::Finished { reason: why.clone() },
        false => StageEvent::Advanced { reason: why.clone() },
    });
    // The message that asked for the step shows it; without one the step is news.
    if !owed.as_ref().is_some_and(|owed| owed.soaked) || !owed::show(work, owed, Done::Stepped { by }) {
        let key = work.unique("stage");
        let notice = if last { StageNotice::AllDone } else { StageNotice::Started { reason: why } };
        work.post(key, Destination::Release, notice);
    }
    Ok(if last { StageReply::Finished.into() } else { StageReply::Moved.into() })
}

/// A step pressed by mistake: whoever took it takes it back within a minute, if nothing came of it yet.
pub(super) fn undo(work: &mut Work<'_>) -> Result<Reply, Refusal> {
    let Some(undo) = work.release.running().and_then(|run| run.undo.clone()) else {
        return Err(Refusal::NothingOpen { what: "step to undo" });
    };
    if work.ctx.actor.by() != undo.by {
        return Err(Refusal::NotYours { by: undo.by.to_string() });
    }
    if work.ctx.now > undo.at + UNDO {
        return Err(Refusal::UndoOver);
    }
    let untouched = |run: &Run| run.cases.is_empty() && run.alerts.iter().all(|alert| alert.pre_existing);
    let fits = match (&work.release.phase, &undo.step) {
        (Phase::Live { run }, Step::Went { .. }) => untouched(run) && run.updates.posted == 0,
        (Phase::Live { .. } | Phase::Watching { .. }, Step::Moved { .. }) => true,
        _ => false,
    };
    if !fits {
        return Err(StageRefusal::UndoOvertaken.into());
    }
    let back = matches!(undo.step, Step::Went { .. });
    if back {
        // What was proposed for the run has no run any more.
        amend::rules::lapse(work);
    }
    work.record(StageEvent::Undone);
    if back {
        concern::rules::show_open(work);
    }
    let what = if matches!(undo.step, Step::Went { .. }) { Undone::Go } else { Undone::Stage };
    let (key, by, mention) = (work.unique("undone"), work.by(), work.crew());
    let posting = work.post(key, Destination::Release, StageNotice::Undone { what, by });
    posting.mention = mention;
    if back {
        ladder::outcome::tell(work, Outcome::GoUndone);
        signoff::rules::go_undone(work);
    }
    Ok(StageReply::Undone.into())
}

fn extend(work: &mut Work<'_>, minutes: u32, why: &str) -> Result<Reply, Refusal> {
    let why = reason(why)?;
    if !(1..=24 * 60).contains(&minutes) {
        return Err(Refusal::BadNumber { typed: minutes.to_string() });
    }
    let (owed, by) = (owed::before(work), work.by());
    work.record(StageEvent::Extended { minutes, reason: why.clone() });
    let done = Done::Extended { by: by.clone(), minutes, reason: why.clone() };
    if !owed.as_ref().is_some_and(|owed| owed.soaked) || !owed::show(work, owed, done) {
        work.report("extended", Destination::Release, StageNotice::Extended { minutes, reason: why, by });
    }
    Ok(StageReply::Extended { minutes }.into())
}

/// What a hold came by: its message shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::domain) enum HoldBy {
    Command,
    /// The answer to the question of this message; of a rollback prompt with its number.
    Answer {
        key: String,
        case: Option<usize>,
    },
}

/// Stops the clocks; used by the command, by decision points and by rollback prompts.
pub(in crate::domain) fn hold(work: &mut Work<'_>, why: String, how: HoldBy) -> Result<(), Refusal> {
    match work.release.phase.name() {
        PhaseName::Gathering | PhaseName::Approved | PhaseName::Live | PhaseName::Watching => {}
        _ => return work.wrong_phase(Wanted::Hold),
    }
    let (question, owed) = (work.release.countdown.go_question.clone(), owed::before(work));
    let (said, case) = match &how {
        HoldBy::Command => (None, None),
        HoldBy::Answer { key, case } => (Some(key.clone()), *case),
    };
    work.record(StageEvent::Held { reason: why.clone(), said: said.clone() });
    owed::show(work, owed, Done::Moot);
    let before_go = work.release.phase.run().is_none();
    if before_go {
        ladder::schedule::show_anew(work);
        go_no_go::answered(work, question, GoAnswer::Held);
    }
    let by = work.by();
    let notice = StageNotice::Held { by, reason: why, again: false, case };
    // A hold that answers a question shows in that question's message: one is enough.
    if let Some(said) = said {
        work.edit(said, notice, Some(Prompt::Held));
        return Ok(());
    }
    let key = work.unique("held");
    let mention = if before_go { Vec::new() } else { work.crew() };
    let posting = work.post(key.clone(), Destination::Release, notice.clone());
    posting.mention = mention;
    posting.prompt = Some(Prompt::Held);
    if before_go {
        ladder::schedule::tell_of_hold(work, &notice.into());
    }
    Ok(())
}

fn resume(work: &mut Work<'_>) -> Result<Reply, Refusal> {
    let (since, told, said) = match &work.release.phase {
        Phase::HeldBefore { since, said, .. } => (*since, false, said.clone()),
        Phase::Held { since, told, said, .. } => (*since, *told, said.clone()),
        _ => return work.wrong_phase(Wanted::Resume),
    };
    let held_min = u32::try_from(work.ctx.now.duration_since(since).as_secs() / 60).unwrap_or(0);
    work.record(StageEvent::Resumed);
    let by = work.by();
    if work.release.phase.run().is_none() {
        if !said.is_empty() {
            work.edit(said, StageNotice::HoldOver { by: by.clone(), held_min }, None);
        }
        // T-0 moved: whoever was told of the old one is told again.
        ladder::schedule::show_anew(work);
        ladder::schedule::announce_again(work, &Notice::Stage(StageNotice::Resumed { by, held_min }));
    } else if said.is_empty() {
        work.report("resumed", Destination::Release, StageNotice::Resumed { by, held_min });
    } else {
        work.edit(said, StageNotice::HoldOver { by, held_min }, None);
    }
    if told {
        ladder::outcome::tell(work, Outcome::Resumed);
    }
    // The rules may have changed meanwhile.
    signoff::rules::approve_if_complete(work);
    Ok(StageReply::Resumed.into())
}

fn soak_ended(work: &mut Work<'_>) {
    let (owed, mention) = (owed::before(work), work.owner());
    work.record(StageEvent::SoakEnded);
    owed::ask(work, owed.as_ref(), mention, None);
}

/// The hold takes longer than the stage was planned to: its audiences are told.
fn long_hold(work: &mut Work<'_>) {
    work.record(StageEvent::HoldTold);
    ladder::outcome::tell(work, Outcome::OnHold);
}

/// Does what is due.
pub(in crate::domain) fn fire(work: &mut Work<'_>, mark: &StageMark) {
    match mark {
        StageMark::SoakEnds => soak_ended(work),
        StageMark::LongHold => long_hold(work),
    }
}

pub(in crate::domain) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    if let Phase::Held { run, since, told: false, .. } = &release.phase {
        let stage = release.plan.stages.get(run.stage.index).and_then(|stage| stage.hold_min);
        marks.push(Mark::new(*since + minutes(stage.unwrap_or(LONG_HOLD_MIN)), StageMark::LongHold));
    }
    if let Phase::Live { run } = &release.phase
        && let Some(at) = run.stage.soak_until
        && !run.stage.soak_said
    {
        marks.push(Mark::new(at, StageMark::SoakEnds));
    }
}
