//! The desk's second aggregate: a workspace's settings, freezes and trains. A train's draft is a release like any other, made
//! from its template. Runs inside the writer's transaction.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::unit::Unit;
use super::{messages, speak};
use crate::desk::commands::{open_release, quietly};
use crate::desk::door::{Answer, Stop, findings, read_with};
use crate::domain::command::Command;
use crate::domain::delivery::Trouble;
use crate::domain::ids::{Destination, ReleaseNo, WorkspaceId};
use crate::domain::key::PostKey;
use crate::domain::lifecycle::{Imported, PlanCommand};
use crate::domain::may::may;
use crate::domain::people::Actor;
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::domain::rights::Action;
use crate::domain::workspace::weekly::Standing;
use crate::domain::workspace::{
    self, Inside, Workspace, WorkspaceCommand, WorkspaceEffect, WorkspaceEvent, WorkspaceNotice, WorkspaceReply, train,
};
use crate::store::{DocumentKey, PostRow, StoreFault};
use crate::voice;

/// How long a test message is worth sending.
const TEST_USEFUL: SignedDuration = SignedDuration::from_hours(1);

/// Sets the workspace's rules; open releases follow.
pub(super) async fn configure(
    unit: &mut Unit<'_>,
    server: &WorkspaceId,
    actor: &Actor,
    new: &Policy,
) -> Result<Answer, Stop> {
    let mut workspace = unit.workspace(server).await?;
    let before = workspace.policy.clone();
    if let Err(refusal) = may(actor, &Action::Setup, &before, None) {
        return said_no(unit, &workspace, &Action::Setup, &refusal, actor).await;
    }
    if workspace.policy != *new || unit.workspace_version(server).await? == 0 {
        let event = WorkspaceEvent::Configured { policy: Box::new(new.clone()) };
        workspace = note(unit, &workspace, &[event], actor).await?;
        hand_on(unit, &before, &workspace, actor).await?;
        tell(unit, &workspace, before.clone(), actor).await?;
    }
    // A test message shows at once whether T-Minus can post to a new channel.
    if let Actor::Person(person) = actor {
        let channels =
            [(false, &before.release_channel, &new.release_channel), (true, &before.ops_channel, &new.ops_channel)];
        for (ops, old, channel) in channels {
            if channel.is_some() && channel != old {
                let key = PostKey::from(format!("setup/{}/{ops}", unit.now.as_millisecond()));
                let notice = WorkspaceNotice::SetUp { by: person.name.clone(), ops };
                let until = Some(unit.now + TEST_USEFUL);
                speak::announce(unit, &workspace, &key, &notice, Vec::new(), until).await?;
            }
        }
    }
    Ok(Answer::Silent)
}

/// A refusal, and its place on the record where it matters.
async fn said_no(
    unit: &mut Unit<'_>,
    workspace: &Arc<Workspace>,
    action: &Action,
    refusal: &Refusal,
    actor: &Actor,
) -> Result<Answer, Stop> {
    let message = Box::new(voice::refuse_here(refusal, &workspace.policy, None));
    match workspace.refused(action, refusal, actor, unit.now) {
        None => Err(Stop::Refused(message)),
        Some(event) => {
            note(unit, workspace, &[event], actor).await?;
            Ok(Answer::Refused { message })
        }
    }
}

/// Whoever reads where T-Minus speaks of itself sees what was set, and by whom. What is set for the first time replaces nothing.
async fn tell(unit: &mut Unit<'_>, workspace: &Workspace, before: Policy, actor: &Actor) -> Result<(), StoreFault> {
    let unset = Policy { pages: Vec::new(), sources: Vec::new(), ..before.clone() } == Policy::default();
    if unset || voice::settings::changes(&before, &workspace.policy).is_empty() {
        return Ok(());
    }
    let key = PostKey::from(format!("settings/{}", unit.workspace_version(&workspace.server).await?));
    let after = Box::new(workspace.policy.clone());
    let notice = WorkspaceNotice::Changed { by: actor.by().to_string(), before: Box::new(before.clone()), after };
    let moved = before.address(&Destination::Ops) != workspace.policy.address(&Destination::Ops);
    speak::announce(unit, workspace, &key, &notice, Vec::new(), None).await?;
    if moved {
        // Whoever read there until now is not to learn it last.
        let as_it_was = Workspace { policy: before, ..workspace.clone() };
        speak::announce(unit, &as_it_was, &key.under("before"), &notice, Vec::new(), None).await?;
    }
    Ok(())
}

/// Changed rules reach open releases as an event of each, and whatever waits to be posted.
async fn hand_on(unit: &mut Unit<'_>, before: &Policy, workspace: &Workspace, actor: &Actor) -> Result<(), Stop> {
    messages::readdress(unit, &workspace.server, before, &workspace.policy).await?;
    for head in unit.open(&workspace.server).await? {
        let policy = Box::new(workspace.policy.clone());
        quietly(unit, head.id, Command::Plan(PlanCommand::Repolicy { policy }), actor).await?;
    }
    Ok(())
}

/// Decides a workspace's command and carries it out. `template` is a new train's document.
pub(super) async fn apply(
    unit: &mut Unit<'_>,
    server: &WorkspaceId,
    actor: &Actor,
    command: WorkspaceCommand,
    template: Option<&(String, Vec<u8>)>,
) -> Result<Answer, Stop> {
    let (before, version) = (unit.workspace(server).await?, unit.workspace_version(server).await?);
    let planned = match command {
        WorkspaceCommand::Tick => unit.planned(server).await?,
        _ => Vec::new(),
    };
    let open = match command {
        WorkspaceCommand::Tick if before.digest_is_due(unit.now) => standing(unit, server).await?,
        _ => Vec::new(),
    };
    let inside = Inside { planned: &planned, open: &open };
    let action = workspace::rules::action_of(&command);
    let decision = match workspace::rules::decide(&before, command, actor, unit.now, &inside) {
        Ok(decision) => decision,
        Err(refusal) => return said_no(unit, &before, &action, &refusal, actor).await,
    };
    let workspace = note(unit, &before, &decision.events, actor).await?;
    if workspace.policy != before.policy {
        hand_on(unit, &before.policy, &workspace, actor).await?;
        tell(unit, &workspace, before.policy.clone(), actor).await?;
    }
    if let (WorkspaceReply::TrainAdded { name, .. }, Some((file_name, bytes))) = (&decision.reply, template) {
        unit.keep_document(DocumentKey::Train(server.clone(), name.clone()), file_name, bytes);
    }
    for effect in decision.effects {
        match effect {
            WorkspaceEffect::Post { key, notice, mention, useful_until } => {
                // What is decided anew is said anew: a train may be skipped, removed, made again and skipped.
                let key = PostKey::from(key).under(version);
                speak::announce(unit, &workspace, &key, &notice, mention, useful_until).await?;
            }
            WorkspaceEffect::Begin { key, notice } => {
                speak::announce(unit, &workspace, &key.into(), &notice, Vec::new(), None).await?;
            }
            WorkspaceEffect::Edit { key, notice } => {
                speak::announce_again(unit, &workspace, key.into(), &notice)?;
            }
            WorkspaceEffect::Draft { train, t0 } => depart(unit, server, &train, t0).await?,
            WorkspaceEffect::SendAgain => {
                let own = [Destination::Release, Destination::Ops];
                let at = |to: Destination| {
                    let (place, _) = workspace.policy.address(&to)?;
                    Some((to, messages::target(server, &place)))
                };
                let to: Vec<_> = own.into_iter().filter_map(at).collect();
                messages::send_own_again(unit, server, &to).await?;
            }
        }
    }
    Ok(match voice::workspace::answer(&decision.reply) {
        Some(message) => Answer::Said { message: Box::new(message) },
        None => Answer::Silent,
    })
}

/// Every open release, as a digest names it; newest first.
async fn standing(unit: &mut Unit<'_>, server: &WorkspaceId) -> Result<Vec<Standing>, StoreFault> {
    let mut open = Vec::new();
    for head in unit.open(server).await? {
        if let Some(release) = unit.release(head.id).await? {
            open.push(Standing::of(&release));
        }
    }
    Ok(open)
}

/// Makes a train's draft; what cannot be made is said.
async fn depart(unit: &mut Unit<'_>, server: &WorkspaceId, name: &str, t0: Timestamp) -> Result<(), Stop> {
    let (workspace, version) = (unit.workspace(server).await?, unit.workspace_version(server).await?);
    let Some(train) = workspace.trains.get(name).cloned() else { return Ok(()) };
    let failed = async |unit: &mut Unit<'_>, workspace: &Workspace, why: &str| {
        let key = PostKey::from(format!("train/{}/{name}/{version}", t0.as_millisecond()));
        let zone = train.zone.clone();
        let notice = WorkspaceNotice::TrainFailed { name: name.to_owned(), t0, zone, why: why.to_owned() };
        let mention = vec![train.author.clone()];
        speak::announce(unit, workspace, &key, &notice, mention, None).await
    };
    let Some((file_name, bytes)) = unit.train_plan(server, name).await? else {
        return Ok(failed(unit, &workspace, "T-Minus no longer has its template").await?);
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Ok(failed(unit, &workspace, "its template is not UTF-8").await?);
    };
    let text = train::filled(text, t0, &train.zone);
    // A document that ends its reader must not end the writer.
    let (reader, now) = ((Arc::clone(&workspace), text.into_bytes()), unit.now);
    let read = tokio::task::spawn_blocking(move || read_with(&reader.0, now, &reader.1)).await;
    let Ok((reading, bytes)) = read else {
        return Ok(failed(unit, &workspace, "T-Minus cannot read its template").await?);
    };
    let findings = findings(&reading);
    let Some(plan) = reading.plan else {
        return Ok(failed(unit, &workspace, "T-Minus cannot read its template as a plan").await?);
    };
    let imported = Imported {
        plan,
        digest: reading.digest,
        findings,
        fixes: 0,
        renamed: std::collections::BTreeMap::new(),
        undone: Vec::new(),
    };
    let no = ReleaseNo(workspace.next_no);
    let command =
        PlanCommand::Depart { imported: Box::new(imported), no, train: name.to_owned(), author: train.author.clone() };
    let (release, _) = match open_release(unit, &workspace, Command::Plan(command), &Actor::Clock).await {
        Ok(opened) => opened,
        Err(Stop::Refused(message)) => {
            let why = format!("T-Minus refused its draft: {}", message.body.words().trim_end_matches('.'));
            return Ok(failed(unit, &workspace, &why).await?);
        }
        Err(fault) => return Err(fault),
    };
    note(unit, &workspace, &[WorkspaceEvent::Numbered { no }], &Actor::Clock).await?;
    unit.keep_document(DocumentKey::Revision(release.id, release.revision), &file_name, &bytes);
    Ok(())
}

/// A message of the workspace's own could not be posted: the ops channel is told, once, unless that is what failed.
pub(super) async fn undelivered(unit: &mut Unit<'_>, post: &PostRow, trouble: Trouble) -> Result<Answer, Stop> {
    let (said, why) = (speak::headline(&post.rendering.payload), post.post.why.clone().unwrap_or_default());
    tracing::error!(post.key = %post.key, why, said, "server message not posted");
    let (false, Some(channel)) = (post.key.post.is_about_a_message(), post.target.channel()) else {
        return Ok(Answer::Silent);
    };
    let workspace = unit.workspace(&post.server).await?;
    let notice = WorkspaceNotice::Undelivered { said, why, channel: channel.clone(), trouble };
    let key = PostKey::Undelivered { post: post.id, at_ms: unit.now.as_millisecond() };
    speak::announce(unit, &workspace, &key, &notice, Vec::new(), None).await?;
    Ok(Answer::Silent)
}

/// Records a workspace's events; gives it as it is after them.
pub(super) async fn note(
    unit: &mut Unit<'_>,
    before: &Arc<Workspace>,
    events: &[WorkspaceEvent],
    actor: &Actor,
) -> Result<Arc<Workspace>, StoreFault> {
    if events.is_empty() {
        return Ok(Arc::clone(before));
    }
    let now = unit.now;
    let (mut workspace, mut entries) = (Workspace::clone(before), Vec::with_capacity(events.len()));
    for event in events {
        workspace.evolve(event, now);
        let entry = serde_json::json!({ "v": 1, "at": now, "by": actor.by(), "workspace": event });
        entries.push((now, entry.to_string()));
    }
    let workspace = Arc::new(workspace);
    unit.save_workspace(Arc::clone(&workspace)).await?;
    unit.record(&workspace.server, None, entries).await?;
    Ok(workspace)
}
