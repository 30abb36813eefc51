//! `decide`: a command against a release gives events and effects, or a refusal. This root only matches and delegates;
//! each topic's module knows its own rules.

#![deny(clippy::wildcard_enum_match_arm, reason = "a new command, event or mark must break the root that delegates it")]

use super::closing::{self, AllClearMark};
use super::command::Command;
use super::ids::{ReleaseId, WorkspaceId};
use super::lateness::Away;
use super::mark::{Mark, MarkKind};
use super::may::may;
use super::refusal::Refusal;
use super::release::Release;
use super::reply::Reply;
use super::rights::{self, Action, Grant};
use super::rollback::{self, RollbackMark};
use super::updates::{self, UpdateMark};
use super::work::{Context, Decision, Work};
use super::{agenda, alert, concern, decision, delivery, evidence, freeze, ladder, lifecycle, signoff, stage};

/// The most marks one tick may fire; more means a mark does not leave the agenda.
const MAX_MARKS_A_TICK: usize = 500;

/// Opens a release from its first import.
///
/// # Errors
/// A refusal if the actor may not import.
pub fn open(
    id: ReleaseId,
    server: WorkspaceId,
    command: Command,
    ctx: Context<'_>,
    open: usize,
) -> Result<Decision, Refusal> {
    lifecycle::rules::open(id, server, command, ctx, open)
}

/// Decides a command.
///
/// # Errors
/// A [`Refusal`]: nothing is to be stored or said, but the refusal to the actor.
pub fn decide(release: &Release, command: Command, ctx: Context<'_>) -> Result<Decision, Refusal> {
    let action = Action::of(&command, release, ctx.now)?;
    let grant = may(ctx.actor, &action, ctx.policy, Some(release))?;
    let mut work = Work::new(release.clone(), ctx);
    if grant == Grant::Bypass {
        rights::rules::bypass(&mut work, &action);
    }
    let reply = match command {
        Command::Plan(command) => lifecycle::rules::decide(&mut work, command),
        Command::Signoff(command) => signoff::rules::decide(&mut work, command),
        Command::Notice(command) => ladder::rules::decide(&mut work, command),
        Command::Delivery(command) => delivery::rules::decide(&mut work, command),
        Command::Stage(command) => stage::rules::decide(&mut work, command),
        Command::Update { text, values } => updates::rules::decide(&mut work, text, values),
        Command::Decide { point, verdict, reason } => decision::rules::decide(&mut work, point, verdict, reason),
        Command::Alert(command) => alert::rules::decide(&mut work, command),
        Command::Rollback(command) => rollback::rules::decide(&mut work, command),
        Command::AllClear(command) => closing::all_clear::decide(&mut work, command),
        Command::Closing(command) => closing::rules::decide(&mut work, command),
        Command::Concern(command) => concern::rules::decide(&mut work, command),
        Command::Except(exception) => freeze::rules::except(&mut work, exception),
        Command::Tick { away } => {
            tick(&mut work, away);
            Ok(Reply::Silent)
        }
    }?;
    Ok(work.done(reply))
}

fn tick(work: &mut Work<'_>, away: Option<Away>) {
    let mut ahead = agenda::agenda(&work.release);
    for _ in 0..MAX_MARKS_A_TICK {
        let now = work.ctx.now;
        let Some(mark) = ahead.into_iter().find(|mark| mark.at <= now) else { return };
        let before = work.effects.len();
        fire(work, &mark, away);
        ahead = agenda::agenda(&work.release);
        // Reminders missed together are one message: the newest.
        let again = |next: &Mark| next.at <= now && next.kind == mark.kind;
        if mark.kind.reminds() && ahead.iter().any(again) {
            work.effects.truncate(before);
        }
    }
}

fn fire(work: &mut Work<'_>, mark: &Mark, away: Option<Away>) {
    match &mark.kind {
        MarkKind::Plan(mark) => lifecycle::rules::fire(work, mark),
        MarkKind::Signoff(mark) => signoff::rules::fire(work, mark),
        MarkKind::Ladder(mark) => ladder::rules::fire(work, mark, away),
        MarkKind::Stage(mark) => stage::rules::fire(work, mark),
        MarkKind::Update(UpdateMark::Due) => updates::rules::due(work),
        MarkKind::Point(mark) => decision::rules::fire(work, mark, away),
        MarkKind::Evidence(of) => evidence::rules::fire(work, of, mark.at, away),
        MarkKind::Alert(mark) => alert::rules::fire(work, mark),
        MarkKind::Rollback(RollbackMark::CaseReminder | RollbackMark::RollbackReminder) => {
            rollback::rules::remind(work)
        }
        MarkKind::AllClear(AllClearMark::Ask) => closing::all_clear::ask_clear(work),
        MarkKind::Closing(mark) => closing::rules::fire(work, mark),
    }
}
