//! `decide`: a command against a release gives events and effects, or a refusal. This root only matches and delegates;
//! each topic's module knows its own rules.

#![deny(clippy::wildcard_enum_match_arm, reason = "a new command, event or mark must break the root that delegates it")]

use super::command::Command;
use super::ids::{GuildId, ReleaseId};
use super::lateness::{Away, Late};
use super::mark::{self, MarkKind};
use super::may::may;
use super::refusal::Refusal;
use super::release::Release;
use super::reply::Reply;
use super::rights::{self, Action, Grant};
use super::work::{Context, Decision, Work};
use super::{
    agenda, alert, closing, concern, decision, delivery, evidence, freeze, ladder, lifecycle, rollback, signoff, stage,
    updates,
};

/// The most marks one tick may fire; more means a mark does not leave the agenda.
const MAX_MARKS_A_TICK: usize = 500;

/// Opens a release from its first import.
///
/// # Errors
/// A refusal if the actor may not import.
pub fn open(
    id: ReleaseId,
    guild: GuildId,
    command: Command,
    ctx: Context<'_>,
    open: usize,
) -> Result<Decision, Refusal> {
    lifecycle::rules::open(id, guild, command, ctx, open)
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
    for _ in 0..MAX_MARKS_A_TICK {
        let due = agenda::agenda(&work.release).into_iter().filter(|mark| mark.at <= work.ctx.now).min_by_key(|m| m.at);
        let Some(mark) = due else { return };
        let (kind, before) = (mark.kind.clone(), work.effects.len());
        match mark.kind {
            MarkKind::Draft => lifecycle::rules::remind_draft(work),
            MarkKind::T0 { .. } => stage::go_no_go::ask(work),
            MarkKind::SignoffReminder { .. } | MarkKind::BreakGlassFollowUp { .. } => signoff::rules::remind(work),
            MarkKind::SignoffExpires => signoff::rules::expire(work),
            MarkKind::Rung { rung } => ladder::rules::due(work, &rung, away),
            MarkKind::SoakEnds => stage::rules::soak_ended(work),
            MarkKind::LongHold => stage::rules::long_hold(work),
            MarkKind::Update => updates::rules::due(work),
            MarkKind::Point { after_min } | MarkKind::PointReminder { after_min } => {
                decision::rules::due(work, after_min, away);
            }
            MarkKind::AlertBelieved { key } => alert::rules::believed(work, &key),
            MarkKind::AlertReminder => alert::rules::remind(work),
            MarkKind::Trigger { trigger } => {
                evidence::rules::trigger_due(work, trigger, Late::of(mark.at, work.ctx.now, away))
            }
            MarkKind::CaseReminder | MarkKind::RollbackReminder => rollback::rules::remind(work),
            MarkKind::Postmortem { .. } => closing::rules::remind_postmortem(work),
            MarkKind::AllClear => closing::all_clear::ask_clear(work),
            MarkKind::ActionOver { .. } => closing::rules::action_over(work),
            MarkKind::Actions { .. } => closing::rules::remind_actions(work),
            MarkKind::QuietOver { rung } => ladder::rules::quiet_over(work, &rung),
        }
        // Reminders missed together are one message: the newest.
        let now = work.ctx.now;
        let again = |mark: &mark::Mark| mark.at <= now && mark.kind.follows(&kind);
        if agenda::agenda(&work.release).iter().any(again) {
            work.effects.truncate(before);
        }
    }
}
