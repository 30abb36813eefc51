//! The rules of a workspace: what can be asked of it, and what happens by itself.

use jiff::{SignedDuration, Timestamp};

use super::notice::{WorkspaceNotice, WorkspaceReply};
use super::stray::StrayAlert;
use super::weekly::{self, Standing};
use super::work::{FORGOTTEN, Work};
use super::{
    Inside, Mark, Workspace, WorkspaceCommand, WorkspaceDecision, WorkspaceEffect, WorkspaceEvent, settings, trains,
};
use crate::domain::freeze::Planned;
use crate::domain::may::may;
use crate::domain::people::Actor;
use crate::domain::refusal::Refusal;
use crate::domain::rights::{Action, Grant};

/// Counts alerts that concern no release; what the present message knows is no news.
pub(in crate::domain) fn count(work: &mut Work<'_>, mut alerts: Vec<StrayAlert>) {
    let before = work.workspace.strays.clone();
    alerts.retain(|alert| !before.as_ref().is_some_and(|strays| strays.knows(alert, work.now)));
    alerts.dedup_by(|a, b| a.id == b.id);
    if alerts.is_empty() {
        return;
    }
    work.record(WorkspaceEvent::Strayed { alerts });
    let Some(strays) = work.workspace.strays.clone() else { return };
    let begins = before.is_none_or(|before| before.n != strays.n);
    let (key, notice) = (format!("strays/{}", strays.n), Box::new(WorkspaceNotice::Strays { strays }));
    work.effects.push(if begins {
        WorkspaceEffect::Begin { key, notice }
    } else {
        WorkspaceEffect::Edit { key, notice }
    });
}

/// A machine's clock further off than this is said.
const CLOCK_ALARM: SignedDuration = SignedDuration::from_secs(60);

/// The most marks one tick deals with.
const MAX_MARKS_A_TICK: usize = 200;

/// Decides a command; `inside` are the workspace's open releases, for what happens by itself to name them.
///
/// # Errors
/// A [`Refusal`]: nothing is to be stored or said.
pub fn decide(
    workspace: &Workspace,
    command: WorkspaceCommand,
    actor: &Actor,
    now: Timestamp,
    inside: &Inside<'_>,
) -> Result<WorkspaceDecision, Refusal> {
    let action = action_of(&command);
    let grant = may(actor, &action, &workspace.policy, None)?;
    let mut work = Work { workspace: workspace.clone(), now, actor, events: Vec::new(), effects: Vec::new() };
    if grant == Grant::Bypass {
        work.record(WorkspaceEvent::Bypassed { action: action.clone() });
        let notice = WorkspaceNotice::Bypassed { action, by: actor.by().to_string() };
        work.post(format!("bypass/{}", now.as_millisecond()), notice, None);
    }
    let reply = match command {
        WorkspaceCommand::AddFreeze(freeze) => settings::add_freeze(&mut work, freeze),
        WorkspaceCommand::RemoveFreeze { name } => settings::remove_freeze(&mut work, &name),
        WorkspaceCommand::AddRule(rule) => settings::add_rule(&mut work, rule),
        WorkspaceCommand::RemoveRule { name } => settings::remove_rule(&mut work, &name),
        WorkspaceCommand::AddTrain { name, rule, zone, days_ahead, people } => {
            trains::add(&mut work, &name, rule, zone, days_ahead, people)
        }
        WorkspaceCommand::RemoveTrain { name } => {
            let name = trains::known(workspace, &name)?;
            work.record(WorkspaceEvent::TrainRemoved { name: name.clone() });
            Ok(WorkspaceReply::TrainRemoved { name })
        }
        WorkspaceCommand::SkipTrain { name, reason } => trains::skip(&mut work, &name, &reason),
        WorkspaceCommand::UnskipTrain { name } => trains::unskip(&mut work, &name),
        WorkspaceCommand::SetAudience { audience, change } => settings::set_audience(&mut work, audience, change),
        WorkspaceCommand::RemoveAudience { audience } => settings::remove_audience(&mut work, audience),
        WorkspaceCommand::SendAgain => {
            work.record(WorkspaceEvent::SentAgain);
            work.effects.push(WorkspaceEffect::SendAgain);
            Ok(WorkspaceReply::SentAgain)
        }
        WorkspaceCommand::Stray { alerts } => {
            count(&mut work, alerts);
            Ok(WorkspaceReply::Silent)
        }
        WorkspaceCommand::Tick => {
            tick(&mut work, inside);
            Ok(WorkspaceReply::Silent)
        }
        WorkspaceCommand::Clock { ahead_ms } => {
            clock(&mut work, ahead_ms);
            Ok(WorkspaceReply::Silent)
        }
    }?;
    Ok(WorkspaceDecision { workspace: work.workspace, events: work.events, effects: work.effects, reply })
}

/// What a command asks for.
pub fn action_of(command: &WorkspaceCommand) -> Action {
    match command {
        WorkspaceCommand::AddFreeze(_)
        | WorkspaceCommand::RemoveFreeze { .. }
        | WorkspaceCommand::AddRule(_)
        | WorkspaceCommand::RemoveRule { .. }
        | WorkspaceCommand::SetAudience { .. }
        | WorkspaceCommand::RemoveAudience { .. } => Action::Setup,
        WorkspaceCommand::SendAgain => Action::Redeliver,
        WorkspaceCommand::AddTrain { .. }
        | WorkspaceCommand::RemoveTrain { .. }
        | WorkspaceCommand::SkipTrain { .. }
        | WorkspaceCommand::UnskipTrain { .. } => Action::Train,
        WorkspaceCommand::Stray { .. } => Action::Signal,
        WorkspaceCommand::Tick | WorkspaceCommand::Clock { .. } => Action::Tick,
    }
}

fn tick(work: &mut Work<'_>, inside: &Inside<'_>) {
    for _ in 0..MAX_MARKS_A_TICK {
        let due = work.workspace.marks().into_iter().filter(|(at, _)| *at <= work.now).min_by_key(|(at, _)| *at);
        match due {
            None => return,
            Some((_, Mark::Freeze { name, start })) => warn(work, &name, start, inside.planned),
            Some((_, Mark::Train { name, t0 })) => trains::depart(work, &name, t0),
            Some((_, Mark::Digest)) => digest(work, inside),
        }
    }
}

/// Said when it begins and when it ends, and only where people have set the bot up.
fn clock(work: &mut Work<'_>, ahead_ms: i64) {
    let ahead = SignedDuration::from_millis(ahead_ms);
    if work.workspace.policy.release_channel.is_none() {
        return;
    }
    let said = work.workspace.clock_ahead_ms;
    // Again where it has become much worse, or wrong the other way.
    let worse = said.is_none_or(|said| ahead_ms.abs() > 2 * said.abs() || ahead_ms.signum() != said.signum());
    let (event, notice) = if ahead.abs() > CLOCK_ALARM && worse {
        (WorkspaceEvent::ClockWrong { ahead_ms }, WorkspaceNotice::ClockWrong { ahead })
    } else if ahead_ms == 0 && said.is_some() {
        (WorkspaceEvent::ClockRight, WorkspaceNotice::ClockRight)
    } else {
        return;
    };
    work.record(event);
    work.post("clock".to_owned(), notice, None);
}

fn warn(work: &mut Work<'_>, name: &str, start: Timestamp, planned: &[Planned]) {
    work.record(WorkspaceEvent::FreezeSeen { freeze: name.to_owned(), start });
    let Some(freeze) = work.workspace.policy.freezes.iter().find(|freeze| freeze.name == name).cloned() else { return };
    let until = freeze.holds(start);
    if until.is_some_and(|until| until <= work.now) || start + FORGOTTEN < work.now {
        return;
    }
    let inside = planned
        .iter()
        .filter(|planned| !planned.running)
        .filter(|planned| planned.t0.is_some_and(|t0| t0 >= start && until.is_none_or(|until| t0 < until)))
        .cloned()
        .collect();
    let key = format!("freeze/{}/{}", start.as_millisecond(), freeze.name);
    work.post(key, WorkspaceNotice::FreezeAhead { freeze, start, until, inside }, until);
}

/// What is open, once a week; nothing where nothing was open since the last.
pub(super) fn digest(work: &mut Work<'_>, inside: &Inside<'_>) {
    let begun = work.workspace.next_no != work.workspace.digest_no;
    let something = !inside.open.is_empty() || work.workspace.digest_open || begun;
    work.record(WorkspaceEvent::Digested { open: !inside.open.is_empty() });
    if something {
        let open: Vec<Standing> = inside.open.iter().take(weekly::MOST).cloned().collect();
        let more = inside.open.len() - open.len();
        let key = format!("digest/{}", work.now.as_millisecond());
        work.post(key, WorkspaceNotice::Digest { open, more }, Some(work.now + weekly::USEFUL));
    }
}
