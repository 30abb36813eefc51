//! Topic: go, the rollout stages with their soak clocks, hold and resume.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::agenda::{Mark, MarkKind};
use super::alert::{self, Alert};
use super::command::StageCommand;
use super::crowd::Crowd;
use super::decide::{Work, reason};
use super::decision::{self, Point};
use super::delivery::Trouble;
use super::effect::{Destination, Prompt, Reply};
use super::event::StageEvent;
use super::go_no_go;
use super::lifecycle::GO_GRACE_MIN;
use super::notice::{GoAnswer, Notice, Undone};
use super::outcome::{self, Outcome};
use super::owed::{self, Done};
use super::people::By;
use super::plan::{Plan, ReleaseType, Risk, t_label};
use super::refusal::{Open, Refusal, Wanted};
use super::release::{Issue, Phase, PhaseName, Release, Run, Step, Undo};
use super::updates::UpdateClock;
use super::{UNDO, amend, concern, evidence, freeze, ladder, minutes, schedule, signoff};

/// A hold is told to audiences after so many minutes where the stage has no planned time.
const LONG_HOLD_MIN: u32 = 60;

/// Where the rollout stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageClock {
    /// Counts from 0; equal to the number of stages once the last is done.
    pub index: usize,
    pub since: Timestamp,
    /// When this stage has soaked long enough; absent if the plan gives no time.
    pub soak_until: Option<Timestamp>,
    pub soak_said: bool,
}

/// What stands against go at an instant, in the order a person would mend it.
pub fn go_gaps(release: &Release, now: Timestamp) -> Vec<Open> {
    let mut open: Vec<Open> = signoff::pending_at(release, now).into_iter().map(Open::Signoff).collect();
    let gates = release.plan.gates.iter().filter(|gate| !gate.done && !release.gates_done.contains(&gate.id));
    open.extend(gates.map(|gate| Open::Gate { text: gate.text.clone() }));
    if release.plan.t0_at().is_some_and(|t0| now > t0 + minutes(GO_GRACE_MIN)) {
        open.push(Open::T0Past);
    }
    open.extend(ladder::owed(release).map(|rung| Open::Receipt { rung: rung.key(), audience: rung.audience.clone() }));
    open.extend(concern::gaps(release));
    let more = release.ahead_more.unheard();
    open.extend((more > 0).then_some(Open::MoreAlertsAhead { count: more }));
    open.extend(alert::unheard(release).map(|alert| Open::AlertAhead { name: alert.name.clone() }));
    open.extend(unreached(release));
    open.extend(freeze::gaps(release, now));
    open
}

/// Whoever must hear of go or of what follows and would not: the release channel took no message when it was asked last, or at High
/// risk somebody on the escalation path was not found among the members.
fn unreached(release: &Release) -> Vec<Open> {
    let mut open = Vec::new();
    if let Some(channel) = &release.policy.release_channel
        && release
            .stuck
            .values()
            .any(|stuck| stuck.trouble == Trouble::Blocked && stuck.place.channel() == Some(channel))
    {
        open.push(Open::ChannelShut { channel: channel.clone() });
    }
    open.extend(escalation_gap(&release.plan));
    open
}

/// At High risk everybody on the escalation path must be somebody who can be called.
pub(super) fn escalation_gap(plan: &Plan) -> Option<Open> {
    if plan.risk != Some(Risk::High) {
        return None;
    }
    let unknown = plan.escalation.iter().filter(|contact| contact.user.is_none());
    let names: Vec<String> = unknown.map(|contact| contact.name.clone()).collect();
    (plan.escalation.is_empty() || !names.is_empty()).then_some(Open::Escalation { names })
}

/// What stands against go as it looks for T-0, or for now where that is past.
pub fn gaps_ahead(release: &Release, now: Timestamp) -> Vec<Open> {
    go_gaps(release, release.plan.t0_at().map_or(now, |t0| t0.max(now)))
}

/// The number of stages; a plan without any has one, "all at once".
pub fn stage_count(release: &Release) -> usize {
    release.plan.stages.len().max(1)
}

pub(super) fn decide(work: &mut Work<'_>, command: StageCommand) -> Result<Reply, Refusal> {
    match command {
        StageCommand::Undo => undo(work),
        StageCommand::Go { break_glass } => go(work, break_glass),
        StageCommand::Advance { reason } => advance(work, reason),
        StageCommand::Extend { minutes, reason: why } => extend(work, minutes, &why),
        StageCommand::Hold { reason: why } => {
            let why = reason(&why)?;
            hold(work, why, HoldBy::Command)?;
            Ok(Reply::Held)
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
                return Err(Refusal::BreakGlassOnly { kind: work.release.plan.kind });
            }
            // With nothing to break it is a go like any other.
            Some(reason(&why)?).filter(|_| !gaps.is_empty())
        }
    };
    ladder::leave_ahead(work);
    let question = work.release.go_question.clone();
    work.record(StageEvent::Went { break_glass: break_glass.clone() });
    let by = work.by();
    let open = if break_glass.is_some() { gaps } else { Vec::new() };
    go_no_go::answered(work, question, GoAnswer::Go);
    let broke = break_glass.is_some();
    // An ordinary go asks nobody for anything.
    let mut mention = if broke { work.crew() } else { Vec::new() };
    // Whoever objected must not learn by chance that it went over them.
    mention.extend(concern::overridden(work));
    let key = work.unique("went");
    let posting = work.post(
        key.clone(),
        Destination::Release,
        Notice::Went { by: by.clone(), break_glass: break_glass.clone(), open: open.clone() },
    );
    posting.mention = mention;
    outcome::tell(work, Outcome::Live);
    if ladder::tells_pages(&work.release) {
        // Its rung may not have come: the page says that it is under way all the same.
        ladder::show_on_pages(work);
    }
    if broke {
        signoff::ask_for_owed(work);
        work.post(format!("{key}/ops"), Destination::Ops, Notice::Went { by, break_glass, open });
    }
    Ok(Reply::Went)
}

fn advance(work: &mut Work<'_>, why: Option<String>) -> Result<Reply, Refusal> {
    let Phase::Live { run } = &work.release.phase else {
        return work.wrong_phase(Wanted::Stage);
    };
    if let Some(point) = decision::open(run) {
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
        let notice = if last { Notice::StagesDone } else { Notice::StageStarted { reason: why } };
        work.post(key, Destination::Release, notice);
    }
    Ok(if last { Reply::Finished } else { Reply::Moved })
}

/// A step pressed by mistake: whoever took it takes it back within a minute, if nothing came of it yet.
fn undo(work: &mut Work<'_>) -> Result<Reply, Refusal> {
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
        return Err(Refusal::UndoOvertaken);
    }
    let back = matches!(undo.step, Step::Went { .. });
    if back {
        // What was proposed for the run has no run any more.
        amend::lapse(work);
    }
    work.record(StageEvent::Undone);
    if back {
        concern::show_open(work);
    }
    let what = if matches!(undo.step, Step::Went { .. }) { Undone::Go } else { Undone::Stage };
    let (key, by, mention) = (work.unique("undone"), work.by(), work.crew());
    let posting = work.post(key, Destination::Release, Notice::Undone { what, by });
    posting.mention = mention;
    if back {
        outcome::tell(work, Outcome::GoUndone);
        signoff::go_undone(work);
    }
    Ok(Reply::Undone)
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
        work.report("extended", Destination::Release, Notice::Extended { minutes, reason: why, by });
    }
    Ok(Reply::Extended { minutes })
}

/// What a hold came by: its message shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HoldBy {
    Command,
    /// The answer to the question of this message; of a rollback prompt with its number.
    Answer {
        key: String,
        case: Option<usize>,
    },
}

/// Stops the clocks; used by the command, by decision points and by rollback prompts.
pub(super) fn hold(work: &mut Work<'_>, why: String, how: HoldBy) -> Result<(), Refusal> {
    match work.release.phase.name() {
        PhaseName::Gathering | PhaseName::Approved | PhaseName::Live | PhaseName::Watching => {}
        _ => return work.wrong_phase(Wanted::Hold),
    }
    let (question, owed) = (work.release.go_question.clone(), owed::before(work));
    let (said, case) = match &how {
        HoldBy::Command => (None, None),
        HoldBy::Answer { key, case } => (Some(key.clone()), *case),
    };
    work.record(StageEvent::Held { reason: why.clone(), said: said.clone() });
    owed::show(work, owed, Done::Moot);
    let before_go = work.release.phase.run().is_none();
    if before_go {
        schedule::show_anew(work);
        go_no_go::answered(work, question, GoAnswer::Held);
    }
    let by = work.by();
    let notice = Notice::Held { by, reason: why, again: false, case };
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
        schedule::tell_of_hold(work, &notice);
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
            work.edit(said, Notice::HoldOver { by: by.clone(), held_min }, None);
        }
        // T-0 moved: whoever was told of the old one is told again.
        schedule::show_anew(work);
        schedule::announce_again(work, &Notice::Resumed { by, held_min });
    } else if said.is_empty() {
        work.report("resumed", Destination::Release, Notice::Resumed { by, held_min });
    } else {
        work.edit(said, Notice::HoldOver { by, held_min }, None);
    }
    if told {
        outcome::tell(work, Outcome::Resumed);
    }
    // The rules may have changed meanwhile.
    signoff::approve_if_complete(work);
    Ok(Reply::Resumed)
}

pub(super) fn soak_ended(work: &mut Work<'_>) {
    let (owed, mention) = (owed::before(work), work.owner());
    work.record(StageEvent::SoakEnded);
    owed::ask(work, owed.as_ref(), mention, None);
}

/// The hold takes longer than the stage was planned to: its audiences are told.
pub(super) fn long_hold(work: &mut Work<'_>) {
    work.record(StageEvent::HoldTold);
    outcome::tell(work, Outcome::OnHold);
}

pub(super) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    if let Phase::Held { run, since, told: false, .. } = &release.phase {
        let stage = release.plan.stages.get(run.stage.index).and_then(|stage| stage.hold_min);
        marks.push(Mark { at: *since + minutes(stage.unwrap_or(LONG_HOLD_MIN)), kind: MarkKind::LongHold });
    }
    if let Phase::Live { run } = &release.phase
        && let Some(at) = run.stage.soak_until
        && !run.stage.soak_said
    {
        marks.push(Mark { at, kind: MarkKind::SoakEnds });
    }
}

fn clock(release: &Release, index: usize, at: Timestamp) -> StageClock {
    let hold = release.plan.stages.get(index).and_then(|stage| stage.hold_min);
    StageClock { index, since: at, soak_until: hold.map(|m| at + minutes(m)), soak_said: false }
}

pub(super) fn evolve(release: &mut Release, event: &StageEvent, at: Timestamp, by: &By) {
    match event {
        StageEvent::Went { break_glass } => {
            let approved = matches!(release.phase, Phase::Approved { .. });
            release.changes.clear();
            release.go_question = None;
            if break_glass.is_some() {
                release.issues.insert(Issue::BreakGlass);
            }
            release.signoff_reminders = 0;
            let points = release.plan.points.iter().map(|p| Point::waiting(p.after_min, at)).collect();
            let run = Run {
                go_at: at,
                go_by: by.clone(),
                break_glass: break_glass.clone(),
                stage: clock(release, 0, at),
                updates: UpdateClock::start(release.plan.update_interval_min(), at),
                points,
                // What fires at go is set aside.
                alerts: release.ahead.drain(..).map(|alert| Alert { pre_existing: true, ..alert }).collect(),
                crowd: Crowd::default(),
                elsewhere: Vec::new(),
                owed: None,
                owed_count: 0,
                watched_from: None,
                clear_asked: 0,
                clear_question: None,
                alert_reminders: 0,
                alert_rounds: 0,
                triggers: evidence::watches(&release.plan),
                observed: std::collections::BTreeMap::new(),
                cases: Vec::new(),
                undo: Some(Undo { at, by: by.clone(), step: Step::Went { approved } }),
            };
            release.phase = Phase::Live { run: Box::new(run) };
        }
        StageEvent::SoakEnded => {
            if let Some(run) = release.phase.run_mut() {
                run.stage.soak_said = true;
                owed::add(run, at, |owed| owed.soaked = true);
            }
        }
        StageEvent::Advanced { .. } => {
            let next = release.phase.run().map_or(0, |run| run.stage.index + 1);
            let clock = clock(release, next, at);
            if let Some(run) = release.phase.run_mut() {
                run.undo = Some(moved(run, at, by));
                run.stage = clock;
                // The step is an update by itself.
                run.updates.restart(at);
                run.owed = None;
            }
        }
        StageEvent::Extended { minutes: more, .. } => {
            if let Some(run) = release.phase.run_mut() {
                let from = run.stage.soak_until.map_or(at, |until| until.max(at));
                run.stage.soak_until = Some(from + minutes(*more));
                run.stage.soak_said = false;
                owed::settle(run, |owed| owed.soaked = false);
                run.undo = None;
            }
        }
        StageEvent::Finished { .. } => {
            if let Phase::Live { run } = &mut release.phase {
                let mut run = run.clone();
                run.undo = Some(moved(&run, at, by));
                run.stage = StageClock { index: run.stage.index + 1, since: at, soak_until: None, soak_said: false };
                run.updates.slow_down(at);
                (run.owed, run.watched_from) = (None, Some(at));
                release.phase = Phase::Watching { run };
            }
        }
        StageEvent::Undone => undone(release, at),
        StageEvent::Held { reason, said } => held(release, reason, said.as_ref(), at),
        StageEvent::Resumed => resumed(release, at),
        StageEvent::HoldTold => {
            if let Phase::Held { told, .. } = &mut release.phase {
                *told = true;
            }
        }
    }
}

/// What a stage step can be taken back to.
fn moved(run: &Run, at: Timestamp, by: &By) -> Undo {
    Undo { at, by: by.clone(), step: Step::Moved { stage: run.stage.clone(), updates: run.updates.clone() } }
}

fn undone(release: &mut Release, at: Timestamp) {
    let (Phase::Live { run } | Phase::Watching { run }) = &release.phase else { return };
    let mut run = run.clone();
    match run.undo.take().map(|undo| undo.step) {
        Some(Step::Went { approved }) => {
            release.amendment = None;
            release.ahead = run.alerts.drain(..).map(|alert| Alert { pre_existing: false, ..alert }).collect();
            ladder::return_ahead(release);
            release.phase = if approved { Phase::Approved { since: at } } else { Phase::Gathering { since: at } };
            // People and rules may have changed since go.
            signoff::count_anew(release, at);
        }
        Some(Step::Moved { stage, updates }) => {
            (run.stage, run.updates) = (stage, updates);
            release.phase = Phase::Live { run };
        }
        None => {}
    }
}

fn held(release: &mut Release, reason: &str, said: Option<&String>, at: Timestamp) {
    let reason = reason.to_owned();
    // The key that `hold` gives its own message.
    let said = said.cloned().unwrap_or_else(|| format!("held/{}", release.seq));
    release.go_question = None;
    if let Some(run) = release.phase.run_mut() {
        run.owed = None;
    }
    let next = match &release.phase {
        Phase::Gathering { .. } => Phase::HeldBefore { since: at, reason, approved: false, said },
        Phase::Approved { .. } => Phase::HeldBefore { since: at, reason, approved: true, said },
        Phase::Live { run } => Phase::Held { run: run.clone(), since: at, reason, watching: false, said, told: false },
        Phase::Watching { run } => {
            Phase::Held { run: run.clone(), since: at, reason, watching: true, said, told: false }
        }
        _ => return,
    };
    release.phase = next;
}

/// Later marks shift by the time on hold: T-0 before go, the run's clocks after it. Updates went on meanwhile.
fn resumed(release: &mut Release, at: Timestamp) {
    match release.phase.clone() {
        Phase::HeldBefore { since, approved, .. } => {
            schedule::keep_written(release);
            if let Some(t0) = &mut release.plan.t0 {
                t0.at += at.duration_since(since);
                t0.typed = schedule::typed(t0);
            }
            release.t0_asked = 0;
            release.phase = if approved { Phase::Approved { since: at } } else { Phase::Gathering { since: at } };
        }
        Phase::Held { mut run, since, watching, .. } => {
            let done = run.stage.since;
            shift(&mut run, at.duration_since(since));
            if watching {
                // The last stage was done when it was: only what comes after it moves.
                run.stage.since = done;
            }
            release.phase = if watching { Phase::Watching { run } } else { Phase::Live { run } };
        }
        _ => {}
    }
}

fn shift(run: &mut Run, by: SignedDuration) {
    run.stage.since += by;
    run.stage.soak_until = run.stage.soak_until.map(|until| until + by);
    for point in &mut run.points {
        point.shift(by);
    }
}
