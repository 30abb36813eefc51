//! The desk's second aggregate: a workspace's settings, freezes and trains. A train's draft is a release like any other, made
//! from its template. Runs inside the writer's transaction.

use jiff::{SignedDuration, Timestamp};

use super::writer::{entry_of, open_release, quietly};
use super::{Answer, Desk, Stop, read_with, speak};
use crate::domain::command::{Command, Imported, PlanCommand};
use crate::domain::ids::{GuildId, ReleaseNo};
use crate::domain::may::{Action, may};
use crate::domain::people::Actor;
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::domain::train;
use crate::domain::weekly::Standing;
use crate::domain::workspace::{
    self, Inside, Workspace, WorkspaceCommand, WorkspaceEffect, WorkspaceEvent, WorkspaceNotice, WorkspaceReply,
};
use crate::store::{Conn, Store, StoreFault, Undelivered};
use crate::voice;

/// How long a test message is worth sending.
const TEST_USEFUL: SignedDuration = SignedDuration::from_hours(1);

/// Sets the workspace's rules; open releases follow.
pub(super) async fn configure(
    desk: &Desk,
    connection: &mut Conn,
    guild: &GuildId,
    actor: &Actor,
    new: &Policy,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let (mut workspace, version) = Store::workspace(connection, guild).await?;
    if let Err(refusal) = may(actor, &Action::Setup, &workspace.policy, None) {
        return said_no(connection, workspace, version, &Action::Setup, &refusal, actor, now).await;
    }
    if workspace.policy != *new || version == 0 {
        let event = WorkspaceEvent::Configured { policy: Box::new(new.clone()) };
        note(connection, &mut workspace, version, &[event], actor, now).await?;
        hand_on(desk, connection, &workspace, actor, now).await?;
    }
    // Whoever sets it up sees at once whether it can be read where it belongs.
    if let Actor::Person(person) = actor {
        for (ops, channel) in [(false, &new.release_channel), (true, &new.ops_channel)] {
            if channel.is_some() {
                let (key, by) = (format!("setup/{}/{ops}", now.as_millisecond()), person.name.clone());
                let notice = WorkspaceNotice::SetUp { by, ops };
                let until = Some(now + TEST_USEFUL);
                speak::announce(connection, &desk.store, &workspace, &key, &notice, Vec::new(), until, now).await?;
            }
        }
    }
    Ok(Answer::Silent)
}

/// A refusal, and its place on the record where it matters.
async fn said_no(
    connection: &mut Conn,
    mut workspace: Workspace,
    version: i64,
    action: &Action,
    refusal: &Refusal,
    actor: &Actor,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let message = Box::new(voice::refuse(refusal, &workspace.policy, None));
    match workspace.refused(action, refusal, actor, now) {
        None => Err(Stop::Refused(message)),
        Some(event) => {
            note(connection, &mut workspace, version, &[event], actor, now).await?;
            Ok(Answer::Refused { message })
        }
    }
}

/// Changed rules reach open releases as an event of each.
async fn hand_on(
    desk: &Desk,
    connection: &mut Conn,
    workspace: &Workspace,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Stop> {
    for id in Store::open_release_ids(connection, &workspace.guild).await? {
        let policy = Box::new(workspace.policy.clone());
        quietly(desk, connection, id, Command::Plan(PlanCommand::Repolicy { policy }), actor, now).await?;
    }
    Ok(())
}

/// Decides a workspace's command and carries it out. `template` is a new train's document.
pub(super) async fn apply(
    desk: &Desk,
    connection: &mut Conn,
    guild: &GuildId,
    actor: &Actor,
    command: WorkspaceCommand,
    template: Option<&(String, Vec<u8>)>,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let (before, version) = Store::workspace(connection, guild).await?;
    let planned = match command {
        WorkspaceCommand::Tick => Store::planned(connection, guild).await?,
        _ => Vec::new(),
    };
    let open = match command {
        WorkspaceCommand::Tick if before.digest_is_due(now) => standing(connection, guild).await?,
        _ => Vec::new(),
    };
    let inside = Inside { planned: &planned, open: &open };
    let action = workspace::action_of(&command);
    let decision = match workspace::decide(&before, command, actor, now, &inside) {
        Ok(decision) => decision,
        Err(refusal) => return said_no(connection, before, version, &action, &refusal, actor, now).await,
    };
    let mut workspace = before.clone();
    note(connection, &mut workspace, version, &decision.events, actor, now).await?;
    if workspace.policy != before.policy {
        hand_on(desk, connection, &workspace, actor, now).await?;
    }
    if let (WorkspaceReply::TrainAdded { name, .. }, Some((file_name, bytes))) = (&decision.reply, template) {
        Store::keep_train_plan(connection, guild, name, file_name, bytes).await?;
    }
    for effect in decision.effects {
        match effect {
            WorkspaceEffect::Post { key, notice, mention, useful_until } => {
                // What is decided anew is said anew: a train may be skipped, removed, made again and skipped.
                let key = format!("{key}/{version}");
                speak::announce(connection, &desk.store, &workspace, &key, &notice, mention, useful_until, now).await?;
            }
            WorkspaceEffect::Draft { train, t0 } => depart(desk, connection, guild, &train, t0, now).await?,
        }
    }
    Ok(match voice::workspace::answer(&decision.reply) {
        Some(message) => Answer::Said { message: Box::new(message) },
        None => Answer::Silent,
    })
}

/// Every open release, as a digest names it; newest first.
async fn standing(connection: &mut Conn, guild: &GuildId) -> Result<Vec<Standing>, StoreFault> {
    let mut open = Vec::new();
    for id in Store::open_release_ids(connection, guild).await? {
        if let Some((release, _)) = Store::release(connection, id).await? {
            open.push(Standing::of(&release));
        }
    }
    open.sort_by_key(|standing| std::cmp::Reverse(standing.no));
    Ok(open)
}

/// Makes a train's draft; what cannot be made is said.
async fn depart(
    desk: &Desk,
    connection: &mut Conn,
    guild: &GuildId,
    name: &str,
    t0: Timestamp,
    now: Timestamp,
) -> Result<(), Stop> {
    let (mut workspace, version) = Store::workspace(connection, guild).await?;
    let Some(train) = workspace.trains.get(name).cloned() else { return Ok(()) };
    let failed = async |connection: &mut Conn, workspace: &Workspace, why: &str| {
        let (key, zone) = (format!("train/{}/{name}/{version}", t0.as_millisecond()), train.zone.clone());
        let notice = WorkspaceNotice::TrainFailed { name: name.to_owned(), t0, zone, why: why.to_owned() };
        let mention = vec![train.author.clone()];
        speak::announce(connection, &desk.store, workspace, &key, &notice, mention, None, now).await
    };
    let Some((file_name, bytes)) = Store::train_plan(connection, guild, name).await? else {
        return Ok(failed(connection, &workspace, "its template is not stored any more").await?);
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Ok(failed(connection, &workspace, "its template is not UTF-8").await?);
    };
    let text = train::filled(text, t0, &train.zone);
    // A document that ends its reader must not end the writer.
    let reader = (workspace.clone(), text.into_bytes());
    let read = tokio::task::spawn_blocking(move || read_with(&reader.0, now, &reader.1)).await;
    let Ok((reading, bytes)) = read else {
        return Ok(failed(connection, &workspace, "its template cannot be read").await?);
    };
    let findings = super::findings(&reading);
    let Some(plan) = reading.plan else {
        return Ok(failed(connection, &workspace, "its template cannot be read as a plan").await?);
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
    let decision = match open_release(desk, connection, &workspace, Command::Plan(command), &Actor::Clock, now).await {
        Ok(decision) => decision,
        Err(Stop::Refused(message)) => {
            let why = format!("its draft was refused: {}", message.headline.words());
            return Ok(failed(connection, &workspace, &why).await?);
        }
        Err(fault) => return Err(fault),
    };
    note(connection, &mut workspace, version, &[WorkspaceEvent::Numbered { no }], &Actor::Clock, now).await?;
    Store::keep_revision(connection, &decision.release, &file_name, &bytes, now).await?;
    Ok(())
}

/// A message of the workspace's own could not be posted: the ops channel is told, once, unless that is what failed.
pub(super) async fn undelivered(
    desk: &Desk,
    connection: &mut Conn,
    post: &Undelivered,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let said = speak::headline(&post.payload);
    tracing::error!(post.key = post.key, why = post.why, said, "A message of the workspace could not be posted");
    if post.key.contains("/undelivered/") {
        return Ok(Answer::Silent);
    }
    let (workspace, _) = Store::workspace(connection, &post.guild).await?;
    let notice = WorkspaceNotice::Undelivered { said, why: post.why.clone(), channel: post.channel.clone() };
    let key = format!("undelivered/{}", post.id);
    speak::announce(connection, &desk.store, &workspace, &key, &notice, Vec::new(), None, now).await?;
    Ok(Answer::Silent)
}

/// Records a workspace's events and saves it.
pub(super) async fn note(
    connection: &mut Conn,
    workspace: &mut Workspace,
    version: i64,
    events: &[WorkspaceEvent],
    actor: &Actor,
    now: Timestamp,
) -> Result<(), StoreFault> {
    if events.is_empty() {
        return Ok(());
    }
    let mut entries = Vec::with_capacity(events.len());
    for event in events {
        workspace.evolve(event, now);
        entries.push(entry_of(now, &serde_json::json!({ "v": 1, "at": now, "by": actor.by(), "workspace": event }))?);
    }
    Store::save_workspace(connection, workspace, version).await?;
    Store::append(connection, &workspace.guild, None, &entries).await
}
