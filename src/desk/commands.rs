//! Commands for releases: decided, stored, answered. Nothing is sent from here.

use std::sync::Arc;

use super::speak;
use crate::desk::door::{Answer, Stop};
use crate::desk::unit::Unit;
use crate::domain::command::Command;
use crate::domain::event::{Event, Recorded};
use crate::domain::freeze::Planned;
use crate::domain::ids::{ReleaseId, ReleaseNo};
use crate::domain::lifecycle::{PlanCommand, PlanEvent};
use crate::domain::people::Actor;
use crate::domain::phase::PhaseName;
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::domain::release::Release;
use crate::domain::reply::Reply;
use crate::domain::work::{Context, Decision};
use crate::domain::workspace::Workspace;
use crate::domain::{decide, rights};
use crate::store::{StoreFault, to_json};
use crate::voice;

pub(super) fn refused(refusal: &Refusal, policy: &Policy, subject: Option<&str>) -> Stop {
    Stop::Refused(Box::new(voice::refuse_here(refusal, policy, subject)))
}

/// The release a person means: by number, or the only one open.
pub(super) async fn named(unit: &mut Unit<'_>, workspace: &Workspace, typed: Option<&str>) -> Result<ReleaseId, Stop> {
    let policy = &workspace.policy;
    let Some(typed) = typed else {
        let open = unit.open(&workspace.server).await?;
        return match open.as_slice() {
            [only] => Ok(only.id),
            [] => Err(refused(&Refusal::UnknownRelease { typed: String::new() }, policy, None)),
            several => {
                let open = several.iter().take(10).map(|head| head.no.to_string()).collect();
                Err(refused(&Refusal::WhichRelease { open }, policy, None))
            }
        };
    };
    let found = match typed.parse::<ReleaseNo>() {
        Ok(no) => unit.numbered(&workspace.server, no).await?,
        Err(()) => None,
    };
    found.ok_or_else(|| refused(&Refusal::UnknownRelease { typed: typed.to_owned() }, policy, None))
}

pub(super) async fn load(unit: &mut Unit<'_>, id: ReleaseId) -> Result<Arc<Release>, StoreFault> {
    unit.release(id).await?.ok_or_else(|| StoreFault::Inconsistent {
        table: "release",
        column: "id",
        key: id.to_string(),
    })
}

/// Opens a release: a person's import, or a train's draft.
pub(super) async fn open_release(
    unit: &mut Unit<'_>,
    workspace: &Workspace,
    command: Command,
    actor: &Actor,
) -> Result<(Arc<Release>, Reply), Stop> {
    let id = ReleaseId(uuid::Uuid::now_v7());
    let ctx = Context { now: unit.now, actor, policy: &workspace.policy, others: &[] };
    let past = |phase| matches!(phase, PhaseName::AllClear | PhaseName::RolledBack);
    let open = unit.open(&workspace.server).await?.iter().filter(|head| !past(head.phase)).count();
    let decision = decide::open(id, workspace.server.clone(), command, ctx, open)
        .map_err(|refusal| refused(&refusal, &workspace.policy, None))?;
    Ok(save(unit, decision).await?)
}

/// The workspace's other open releases, for commands that plan; others do not look at them.
pub(super) async fn others(
    unit: &mut Unit<'_>,
    release: &Release,
    command: &Command,
) -> Result<Vec<Planned>, StoreFault> {
    match command {
        Command::Plan(PlanCommand::Submit | PlanCommand::Reschedule { .. } | PlanCommand::Revise { .. }) => {
            unit.planned(&release.server).await
        }
        _ => Ok(Vec::new()),
    }
}

pub(super) async fn apply(
    unit: &mut Unit<'_>,
    id: ReleaseId,
    command: impl FnOnce(&Release) -> Result<Command, Refusal>,
    actor: &Actor,
    policy: &Policy,
) -> Result<Answer, Stop> {
    let release = load(unit, id).await?;
    let command = command(&release).map_err(|r| refused(&r, &release.policy, Some(&voice::words::name(&release))))?;
    let others = others(unit, &release, &command).await?;
    let ctx = Context { now: unit.now, actor, policy, others: &others };
    match decide::decide(&release, command.clone(), ctx) {
        Ok(decision) => {
            let amended = decision.events.iter().any(|e| matches!(e.event, Event::Plan(PlanEvent::Amended { .. })));
            let (release, reply) = save(unit, decision).await?;
            if amended {
                unit.adopt_amendment(Arc::clone(&release));
            }
            answer(unit, &release, &reply).await
        }
        Err(refusal) => said_no(unit, &release, &command, &refusal, ctx).await,
    }
}

/// A refusal in words, and its place on the record where it matters; nothing else of it is stored.
pub(super) async fn said_no(
    unit: &mut Unit<'_>,
    release: &Release,
    command: &Command,
    refusal: &Refusal,
    ctx: Context<'_>,
) -> Result<Answer, Stop> {
    let subject = voice::words::name(release);
    let message = Box::new(voice::refuse(refusal, &release.policy, Some(&subject)));
    match rights::rules::refused(release, command, refusal, ctx) {
        None => Err(Stop::Refused(message)),
        Some(noted) => {
            save(unit, noted).await?;
            Ok(Answer::Refused { message })
        }
    }
}

/// A command nobody waits an answer for; its refusal is a line in the log.
pub(super) async fn quietly(
    unit: &mut Unit<'_>,
    id: ReleaseId,
    command: Command,
    actor: &Actor,
) -> Result<Answer, Stop> {
    let release = load(unit, id).await?;
    match decide::decide(&release, command, Context { now: unit.now, actor, policy: &release.policy, others: &[] }) {
        Ok(decision) => {
            save(unit, decision).await?;
        }
        Err(refusal) => {
            tracing::warn!(release.no = %release.no, ?refusal, "automatic command refused");
        }
    }
    Ok(Answer::Silent)
}

/// State, journal, prompts and outbox together.
pub(super) async fn save(unit: &mut Unit<'_>, decision: Decision) -> Result<(Arc<Release>, Reply), StoreFault> {
    let Decision { events, effects, reply, release } = decision;
    let release = Arc::new(release);
    if events.is_empty() && effects.is_empty() {
        return Ok((release, reply));
    }
    unit.save_release(Arc::clone(&release)).await?;
    let entry = |recorded: &Recorded| Ok((recorded.at, to_json(recorded, "journal")?));
    let entries = events.iter().map(entry).collect::<Result<Vec<_>, StoreFault>>()?;
    unit.record(&release.server, Some(release.id), entries).await?;
    speak::speak(unit, &release, &effects).await?;
    Ok((release, reply))
}

pub(super) async fn answer(unit: &mut Unit<'_>, release: &Release, reply: &Reply) -> Result<Answer, Stop> {
    if *reply == Reply::Silent {
        return Ok(Answer::Silent);
    }
    let (message, prompt) = voice::answer(reply, release, unit.now);
    let prompt = match prompt {
        Some(prompt) => Some(unit.keep_prompt(release, &prompt)?),
        None => None,
    };
    Ok(Answer::Done { message: Box::new(message), prompt, release: release.id })
}
