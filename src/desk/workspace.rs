//! The desk's second aggregate: a workspace's settings, freezes and trains. A train's draft is a release like any other, made
//! from its template. Runs inside the writer's transaction.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::sheet::Sheet;
use super::writer::{entry_of, open_release, quietly};
use super::{Answer, Stop, read_with, speak};
use crate::domain::command::{Command, Imported, PlanCommand};
use crate::domain::effect::Destination;
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
use crate::store::{StoreFault, Undelivered};
use crate::voice;

/// How long a test message is worth sending.
const TEST_USEFUL: SignedDuration = SignedDuration::from_hours(1);

/// Sets the workspace's rules; open releases follow.
pub(super) async fn configure(
    sheet: &mut Sheet<'_>,
    guild: &GuildId,
    actor: &Actor,
    new: &Policy,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let mut workspace = sheet.workspace(guild).await?;
    let before = workspace.policy.clone();
    if let Err(refusal) = may(actor, &Action::Setup, &before, None) {
        return said_no(sheet, &workspace, &Action::Setup, &refusal, actor, now).await;
    }
    if workspace.policy != *new || sheet.version(guild).await? == 0 {
        let event = WorkspaceEvent::Configured { policy: Box::new(new.clone()) };
        workspace = note(sheet, &workspace, &[event], actor, now).await?;
        hand_on(sheet, &before, &workspace, actor, now).await?;
        tell(sheet, &workspace, before.clone(), actor, now).await?;
    }
    // A test message shows at once whether T-Minus can post to a new channel.
    if let Actor::Person(person) = actor {
        let channels =
            [(false, &before.release_channel, &new.release_channel), (true, &before.ops_channel, &new.ops_channel)];
        for (ops, old, channel) in channels {
            if channel.is_some() && channel != old {
                let (key, by) = (format!("setup/{}/{ops}", now.as_millisecond()), person.name.clone());
                let notice = WorkspaceNotice::SetUp { by, ops };
                let until = Some(now + TEST_USEFUL);
                speak::announce(sheet, &workspace, &key, &notice, Vec::new(), until, now).await?;
            }
        }
    }
    Ok(Answer::Silent)
}

/// A refusal, and its place on the record where it matters.
async fn said_no(
    sheet: &mut Sheet<'_>,
    workspace: &Arc<Workspace>,
    action: &Action,
    refusal: &Refusal,
    actor: &Actor,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let message = Box::new(voice::refuse_here(refusal, &workspace.policy, None));
    match workspace.refused(action, refusal, actor, now) {
        None => Err(Stop::Refused(message)),
        Some(event) => {
            note(sheet, workspace, &[event], actor, now).await?;
            Ok(Answer::Refused { message })
        }
    }
}

/// Whoever reads where T-Minus speaks of itself sees what was set, and by whom. What is set for the first time replaces nothing.
async fn tell(
    sheet: &mut Sheet<'_>,
    workspace: &Workspace,
    before: Policy,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let unset = Policy { pages: Vec::new(), sources: Vec::new(), ..before.clone() } == Policy::default();
    if unset || voice::settings::changes(&before, &workspace.policy).is_empty() {
        return Ok(());
    }
    let key = format!("settings/{}", sheet.version(&workspace.guild).await?);
    let after = Box::new(workspace.policy.clone());
    let notice = WorkspaceNotice::Changed { by: actor.by().to_string(), before: Box::new(before.clone()), after };
    let moved = before.address(&Destination::Ops) != workspace.policy.address(&Destination::Ops);
    speak::announce(sheet, workspace, &key, &notice, Vec::new(), None, now).await?;
    if moved {
        // Whoever read there until now is not to learn it last.
        let as_it_was = Workspace { policy: before, ..workspace.clone() };
        speak::announce(sheet, &as_it_was, &format!("{key}/before"), &notice, Vec::new(), None, now).await?;
    }
    Ok(())
}

/// Changed rules reach open releases as an event of each, and whatever waits to be posted.
async fn hand_on(
    sheet: &mut Sheet<'_>,
    before: &Policy,
    workspace: &Workspace,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Stop> {
    sheet.readdress(workspace.guild.clone(), before.clone(), workspace.policy.clone());
    for head in sheet.open(&workspace.guild).await? {
        let policy = Box::new(workspace.policy.clone());
        quietly(sheet, head.id, Command::Plan(PlanCommand::Repolicy { policy }), actor, now).await?;
    }
    Ok(())
}

/// Decides a workspace's command and carries it out. `template` is a new train's document.
pub(super) async fn apply(
    sheet: &mut Sheet<'_>,
    guild: &GuildId,
    actor: &Actor,
    command: WorkspaceCommand,
    template: Option<&(String, Vec<u8>)>,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let (before, version) = (sheet.workspace(guild).await?, sheet.version(guild).await?);
    let planned = match command {
        WorkspaceCommand::Tick => sheet.planned(guild).await?,
        _ => Vec::new(),
    };
    let open = match command {
        WorkspaceCommand::Tick if before.digest_is_due(now) => standing(sheet, guild).await?,
        _ => Vec::new(),
    };
    let inside = Inside { planned: &planned, open: &open };
    let action = workspace::action_of(&command);
    let decision = match workspace::decide(&before, command, actor, now, &inside) {
        Ok(decision) => decision,
        Err(refusal) => return said_no(sheet, &before, &action, &refusal, actor, now).await,
    };
    let workspace = note(sheet, &before, &decision.events, actor, now).await?;
    if workspace.policy != before.policy {
        hand_on(sheet, &before.policy, &workspace, actor, now).await?;
        tell(sheet, &workspace, before.policy.clone(), actor, now).await?;
    }
    if let (WorkspaceReply::TrainAdded { name, .. }, Some((file_name, bytes))) = (&decision.reply, template) {
        sheet.keep_train_plan(guild, name, file_name, bytes);
    }
    for effect in decision.effects {
        match effect {
            WorkspaceEffect::Post { key, notice, mention, useful_until } => {
                // What is decided anew is said anew: a train may be skipped, removed, made again and skipped.
                let key = format!("{key}/{version}");
                speak::announce(sheet, &workspace, &key, &notice, mention, useful_until, now).await?;
            }
            WorkspaceEffect::Begin { key, notice } => {
                speak::announce(sheet, &workspace, &key, &notice, Vec::new(), None, now).await?;
            }
            WorkspaceEffect::Edit { key, notice } => speak::announce_anew(sheet, &workspace, &key, &notice)?,
            WorkspaceEffect::Draft { train, t0 } => depart(sheet, guild, &train, t0, now).await?,
            WorkspaceEffect::SendAgain => {
                let own = [Destination::Release, Destination::Ops];
                let to = own.into_iter().filter_map(|to| Some((to.clone(), workspace.policy.address(&to)?.0)));
                sheet.send_again(guild.clone(), to.collect());
            }
        }
    }
    Ok(match voice::workspace::answer(&decision.reply) {
        Some(message) => Answer::Said { message: Box::new(message) },
        None => Answer::Silent,
    })
}

/// Every open release, as a digest names it; newest first.
async fn standing(sheet: &mut Sheet<'_>, guild: &GuildId) -> Result<Vec<Standing>, StoreFault> {
    let mut open = Vec::new();
    for head in sheet.open(guild).await? {
        if let Some(release) = sheet.release(head.id).await? {
            open.push(Standing::of(&release));
        }
    }
    Ok(open)
}

/// Makes a train's draft; what cannot be made is said.
async fn depart(sheet: &mut Sheet<'_>, guild: &GuildId, name: &str, t0: Timestamp, now: Timestamp) -> Result<(), Stop> {
    let (workspace, version) = (sheet.workspace(guild).await?, sheet.version(guild).await?);
    let Some(train) = workspace.trains.get(name).cloned() else { return Ok(()) };
    let failed = async |sheet: &mut Sheet<'_>, workspace: &Workspace, why: &str| {
        let (key, zone) = (format!("train/{}/{name}/{version}", t0.as_millisecond()), train.zone.clone());
        let notice = WorkspaceNotice::TrainFailed { name: name.to_owned(), t0, zone, why: why.to_owned() };
        let mention = vec![train.author.clone()];
        speak::announce(sheet, workspace, &key, &notice, mention, None, now).await
    };
    let Some((file_name, bytes)) = sheet.train_plan(guild, name).await? else {
        return Ok(failed(sheet, &workspace, "T-Minus no longer has its template").await?);
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Ok(failed(sheet, &workspace, "its template is not UTF-8").await?);
    };
    let text = train::filled(text, t0, &train.zone);
    // A document that ends its reader must not end the writer.
    let reader = (Arc::clone(&workspace), text.into_bytes());
    let read = tokio::task::spawn_blocking(move || read_with(&reader.0, now, &reader.1)).await;
    let Ok((reading, bytes)) = read else {
        return Ok(failed(sheet, &workspace, "T-Minus cannot read its template").await?);
    };
    let findings = super::findings(&reading);
    let Some(plan) = reading.plan else {
        return Ok(failed(sheet, &workspace, "T-Minus cannot read its template as a plan").await?);
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
    let (release, _) = match open_release(sheet, &workspace, Command::Plan(command), &Actor::Clock, now).await {
        Ok(opened) => opened,
        Err(Stop::Refused(message)) => {
            let why = format!("T-Minus refused its draft: {}", message.body.words().trim_end_matches('.'));
            return Ok(failed(sheet, &workspace, &why).await?);
        }
        Err(fault) => return Err(fault),
    };
    note(sheet, &workspace, &[WorkspaceEvent::Numbered { no }], &Actor::Clock, now).await?;
    sheet.keep_revision(release, &file_name, &bytes);
    Ok(())
}

/// A message of the workspace's own could not be posted: the ops channel is told, once, unless that is what failed.
pub(super) async fn undelivered(sheet: &mut Sheet<'_>, post: &Undelivered, now: Timestamp) -> Result<Answer, Stop> {
    let said = speak::headline(&post.payload);
    tracing::error!(post.key = post.key, why = post.why, said, "server message not posted");
    if post.key.contains("/undelivered/") {
        return Ok(Answer::Silent);
    }
    let workspace = sheet.workspace(&post.guild).await?;
    let notice = WorkspaceNotice::Undelivered {
        said,
        why: post.why.clone(),
        channel: post.channel.clone(),
        trouble: post.trouble,
    };
    let key = format!("undelivered/{}/{}", post.id, now.as_millisecond());
    speak::announce(sheet, &workspace, &key, &notice, Vec::new(), None, now).await?;
    Ok(Answer::Silent)
}

/// Records a workspace's events; gives it as it is after them.
pub(super) async fn note(
    sheet: &mut Sheet<'_>,
    before: &Arc<Workspace>,
    events: &[WorkspaceEvent],
    actor: &Actor,
    now: Timestamp,
) -> Result<Arc<Workspace>, StoreFault> {
    if events.is_empty() {
        return Ok(Arc::clone(before));
    }
    let (mut workspace, mut entries) = (Workspace::clone(before), Vec::with_capacity(events.len()));
    for event in events {
        workspace.evolve(event, now);
        entries.push(entry_of(now, &serde_json::json!({ "v": 1, "at": now, "by": actor.by(), "workspace": event }))?);
    }
    let workspace = Arc::new(workspace);
    sheet.save_workspace(Arc::clone(&workspace)).await?;
    sheet.record(&workspace.guild, None, entries).await?;
    Ok(workspace)
}
