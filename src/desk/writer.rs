//! The writer task: the only place where a decision becomes rows. Group commit: one transaction for whatever is queued.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};

use super::{Answer, Ask, Desk, DeskFault, Request, Stop, not_recorded, speak, workspace};
use crate::domain::command::{Command, DeliveryCommand, PlanCommand, Post};
use crate::domain::decide::{self, Context};
use crate::domain::effect::{Decision, Prompt, Reply};
use crate::domain::event::{Event, PlanEvent, Recorded};
use crate::domain::freeze::Planned;
use crate::domain::ids::{GuildId, ReleaseId, ReleaseNo};
use crate::domain::people::Actor;
use crate::domain::policy::Policy;
use crate::domain::prompt;
use crate::domain::refusal::Refusal;
use crate::domain::release::Release;
use crate::domain::rights;
use crate::domain::workspace::{Workspace, WorkspaceEvent};
use crate::store::{Conn, Store, StoreFault};
use crate::voice;

/// The most requests that share one transaction: enough to be cheap, few enough to stay quick.
const BATCH: usize = 64;

/// Wakes the loops that look at what the writer wrote. A nudge carries no data.
#[derive(Debug, Clone, Default)]
pub struct Nudges {
    pub timekeeper: Arc<Notify>,
    pub courier: Arc<Notify>,
}

/// Serves requests until every sender is gone.
pub(crate) async fn run(desk: Desk, mut requests: mpsc::Receiver<Request>, nudges: Nudges) {
    let mut batch = Vec::with_capacity(BATCH);
    while requests.recv_many(&mut batch, BATCH).await > 0 {
        let now = desk.clock.now();
        let taken = std::mem::take(&mut batch);
        match commit(&desk, &taken, now).await {
            Ok(answers) => {
                nudges.timekeeper.notify_one();
                nudges.courier.notify_one();
                for (request, answer) in taken.into_iter().zip(answers) {
                    // A caller that stopped waiting is no fault: its command stands.
                    drop(request.answer.send(answer));
                }
            }
            Err(fault) => {
                let fault = not_recorded(fault);
                for request in taken {
                    drop(request.answer.send(Err(fault.clone())));
                }
            }
        }
    }
}

/// One transaction for the batch. The error is the transaction's; a single request's fault is its own.
async fn commit(desk: &Desk, batch: &[Request], now: Timestamp) -> Result<Vec<Result<Answer, DeskFault>>, StoreFault> {
    let mut txn = desk.store.begin().await?;
    let mut answers = Vec::with_capacity(batch.len());
    for request in batch {
        let mut savepoint = Store::savepoint(&mut txn).await?;
        let outcome = match &request.once {
            Some((source, id)) => match Store::note(&mut savepoint, source, id, now).await {
                Ok(true) => serve(desk, &mut savepoint, &request.ask, now).await,
                Ok(false) => Ok(Answer::Duplicate),
                Err(fault) => Err(Stop::Fault(fault)),
            },
            None => serve(desk, &mut savepoint, &request.ask, now).await,
        };
        match outcome {
            Ok(answer) => {
                savepoint.commit().await?;
                answers.push(Ok(answer));
            }
            Err(Stop::Refused(message)) => {
                savepoint.rollback().await?;
                answers.push(Ok(Answer::Refused { message }));
            }
            Err(Stop::Fault(fault)) => {
                // A full disk ends the whole transaction, savepoints and all: then nobody's command stands.
                if savepoint.rollback().await.is_err() {
                    return Err(fault);
                }
                answers.push(Err(not_recorded(fault)));
            }
        }
    }
    txn.commit().await?;
    Ok(answers)
}

async fn serve(desk: &Desk, connection: &mut Conn, ask: &Ask, now: Timestamp) -> Result<Answer, Stop> {
    match ask {
        Ask::Import { guild, actor, release, expect, imported, file_name, bytes } => {
            let (mut workspace, version) = Store::workspace(connection, guild).await?;
            let decision = match release {
                None => {
                    let no = ReleaseNo(workspace.next_no);
                    let command = Command::Plan(PlanCommand::Import { imported: imported.clone(), no });
                    let decision = open_release(desk, connection, &workspace, command, actor, now).await?;
                    let event = WorkspaceEvent::Numbered { no };
                    workspace::note(connection, &mut workspace, version, &[event], actor, now).await?;
                    decision
                }
                Some(no) => {
                    let id = named(connection, &workspace, Some(&no.to_string())).await?;
                    let (found, base) = load(connection, id).await?;
                    if expect.is_some_and(|expect| expect != found.revision) {
                        let refusal = Refusal::EditedMeanwhile { revision: found.revision };
                        return Err(refused(&refusal, &workspace.policy, None));
                    }
                    let command = Command::Plan(PlanCommand::Revise { imported: imported.clone() });
                    let others = others(connection, &found, &command).await?;
                    let ctx = Context { now, actor, policy: &workspace.policy, others: &others };
                    let decision = match decide::decide(&found, command.clone(), ctx) {
                        Ok(decision) => decision,
                        Err(no) => return said_no(desk, connection, (&found, base), &command, &no, ctx).await,
                    };
                    save(desk, connection, &decision, base, now).await?;
                    if decision.release.amendments > found.amendments {
                        Store::keep_proposal(connection, &decision.release, file_name, bytes, now).await?;
                        if decision.release.revision > found.revision {
                            Store::adopt_proposal(connection, &decision.release, now).await?;
                        }
                        return answer(connection, &decision, now).await;
                    }
                    decision
                }
            };
            Store::keep_revision(connection, &decision.release, file_name, bytes, now).await?;
            answer(connection, &decision, now).await
        }
        Ask::Keep { guild, release, prompt } => {
            let (workspace, _) = Store::workspace(connection, guild).await?;
            let id = named(connection, &workspace, Some(&release.to_string())).await?;
            let (found, _) = load(connection, id).await?;
            let prompt = Some(Store::keep_prompt(connection, &found, prompt, now).await?);
            Ok(Answer::Done { message: Box::default(), prompt, release: id })
        }
        Ask::Command { guild, actor, release, command } => {
            let (workspace, _) = Store::workspace(connection, guild).await?;
            let id = named(connection, &workspace, release.as_deref()).await?;
            apply(desk, connection, id, |_| Ok(command.clone()), actor, &workspace.policy, now).await
        }
        Ask::Click { guild, actor, prompt, choice, filled } => {
            let (mut workspace, version) = Store::workspace(connection, guild).await?;
            let Some(stored) = Store::prompt(connection, guild, prompt).await? else {
                return Err(refused(&Refusal::UnknownRelease { typed: String::new() }, &workspace.policy, None));
            };
            let policy = workspace.policy.clone();
            let command = |release: &Release| prompt::command(release, &stored.prompt, *choice, filled.clone());
            let answer = apply(desk, connection, stored.release, command, actor, &policy, now).await?;
            if let (Prompt::Person { post }, Some(user)) = (&stored.prompt, &filled.user)
                && let Some((release, _)) = Store::release(connection, stored.release).await?
            {
                let contact = match post {
                    Post::Owner => release.plan.owner,
                    Post::OnCall => release.plan.on_call,
                };
                if let Some(contact) = contact {
                    let event = WorkspaceEvent::Remembered { name: contact.name, user: user.clone() };
                    workspace::note(connection, &mut workspace, version, &[event], actor, now).await?;
                }
            }
            Ok(answer)
        }
        Ask::Signal { guild, source, release, service, signal } => {
            let Some(id) = route(connection, guild, release.as_deref(), service.as_deref()).await? else {
                return Ok(Answer::Unrouted);
            };
            let command = Command::Alert(crate::domain::command::AlertCommand::Signal(signal.clone()));
            quietly(desk, connection, id, command, &Actor::Source(source.clone()), now).await
        }
        Ask::Configure { guild, actor, policy } => {
            workspace::configure(desk, connection, guild, actor, policy, now).await
        }
        Ask::Workspace { guild, actor, command, template } => {
            workspace::apply(desk, connection, guild, actor, command.clone(), template.as_ref(), now).await
        }
        Ask::Tick { release } => quietly(desk, connection, *release, Command::Tick, &Actor::Clock, now).await,
        Ask::Delivered { release, row, key, at } => {
            Store::mark_reported(connection, *row).await?;
            let command = DeliveryCommand::Delivered { key: own_key(*release, key), at: *at };
            quietly(desk, connection, *release, Command::Delivery(command), &Actor::Courier, now).await
        }
        Ask::Stuck(post) => {
            Store::mark_told(connection, post.id).await?;
            let Some(release) = post.release else {
                return workspace::undelivered(desk, connection, post, now).await;
            };
            let command = DeliveryCommand::Stuck {
                key: own_key(release, &post.key),
                trouble: post.trouble,
                channel: post.channel.clone(),
                said: speak::headline(&post.payload),
                why: post.why.clone(),
            };
            quietly(desk, connection, release, Command::Delivery(command), &Actor::Courier, now).await
        }
    }
}

/// A posting's key within its release.
fn own_key(release: ReleaseId, key: &str) -> String {
    key.strip_prefix(&format!("{release}/")).unwrap_or(key).to_owned()
}

pub(super) fn refused(refusal: &Refusal, policy: &Policy, subject: Option<&str>) -> Stop {
    Stop::Refused(Box::new(voice::refuse(refusal, policy, subject)))
}

/// The release a person means: by number, or the only one open.
async fn named(connection: &mut Conn, workspace: &Workspace, typed: Option<&str>) -> Result<ReleaseId, Stop> {
    let policy = &workspace.policy;
    let Some(typed) = typed else {
        let open = Store::open_releases(connection, &workspace.guild).await?;
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
        Ok(no) => Store::release_numbered(connection, &workspace.guild, no).await?,
        Err(()) => None,
    };
    found.ok_or_else(|| refused(&Refusal::UnknownRelease { typed: typed.to_owned() }, policy, None))
}

/// The running release an alert concerns: by label, by service, or the only one that runs.
async fn route(
    connection: &mut Conn,
    guild: &GuildId,
    release: Option<&str>,
    service: Option<&str>,
) -> Result<Option<ReleaseId>, StoreFault> {
    let running = Store::running_releases(connection, guild).await?;
    if let Some(no) = release.and_then(|typed| typed.parse::<ReleaseNo>().ok()) {
        return Ok(running.iter().find(|(_, n, _)| *n == no).map(|(id, _, _)| *id));
    }
    if let Some(service) = service {
        let matches = |s: &Option<String>| s.as_deref().is_some_and(|s| s.eq_ignore_ascii_case(service));
        if let Some((id, _, _)) = running.iter().find(|(_, _, s)| matches(s)) {
            return Ok(Some(*id));
        }
        // A service another release names is not this one's business.
        return Ok(match running.as_slice() {
            [(id, _, None)] => Some(*id),
            _ => None,
        });
    }
    Ok(match running.as_slice() {
        [(id, _, _)] => Some(*id),
        _ => None,
    })
}

async fn load(connection: &mut Conn, id: ReleaseId) -> Result<(Release, i64), StoreFault> {
    Store::release(connection, id).await?.ok_or_else(|| StoreFault::Inconsistent {
        table: "release",
        column: "id",
        key: id.to_string(),
    })
}

/// Opens a release: a person's import, or a train's draft.
pub(super) async fn open_release(
    desk: &Desk,
    connection: &mut Conn,
    workspace: &Workspace,
    command: Command,
    actor: &Actor,
    now: Timestamp,
) -> Result<Decision, Stop> {
    let id = ReleaseId(uuid::Uuid::now_v7());
    let ctx = Context { now, actor, policy: &workspace.policy, others: &[] };
    let decision = decide::open(id, workspace.guild.clone(), command, ctx)
        .map_err(|refusal| refused(&refusal, &workspace.policy, None))?;
    save(desk, connection, &decision, 0, now).await?;
    Ok(decision)
}

/// The workspace's other open releases, for commands that plan; others do not look at them.
async fn others(connection: &mut Conn, release: &Release, command: &Command) -> Result<Vec<Planned>, StoreFault> {
    match command {
        Command::Plan(PlanCommand::Submit | PlanCommand::Reschedule { .. } | PlanCommand::Revise { .. }) => {
            Store::planned(connection, &release.guild).await
        }
        _ => Ok(Vec::new()),
    }
}

async fn apply(
    desk: &Desk,
    connection: &mut Conn,
    id: ReleaseId,
    command: impl FnOnce(&Release) -> Result<Command, Refusal>,
    actor: &Actor,
    policy: &Policy,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let (release, version) = load(connection, id).await?;
    let subject = voice::words::name(&release);
    let command = command(&release).map_err(|r| refused(&r, &release.policy, Some(&subject)))?;
    let others = others(connection, &release, &command).await?;
    let ctx = Context { now, actor, policy, others: &others };
    match decide::decide(&release, command.clone(), ctx) {
        Ok(decision) => {
            save(desk, connection, &decision, version, now).await?;
            if decision.events.iter().any(|e| matches!(e.event, Event::Plan(PlanEvent::Amended { .. }))) {
                Store::adopt_proposal(connection, &decision.release, now).await?;
            }
            answer(connection, &decision, now).await
        }
        Err(refusal) => said_no(desk, connection, (&release, version), &command, &refusal, ctx).await,
    }
}

/// A refusal in words, and its place on the record where it matters; nothing else of it is stored.
async fn said_no(
    desk: &Desk,
    connection: &mut Conn,
    (release, version): (&Release, i64),
    command: &Command,
    refusal: &Refusal,
    ctx: Context<'_>,
) -> Result<Answer, Stop> {
    let subject = voice::words::name(release);
    let message = Box::new(voice::refuse(refusal, &release.policy, Some(&subject)));
    match rights::refused(release, command, refusal, ctx) {
        None => Err(Stop::Refused(message)),
        Some(noted) => {
            save(desk, connection, &noted, version, ctx.now).await?;
            Ok(Answer::Refused { message })
        }
    }
}

/// A command nobody waits an answer for; its refusal is a line in the log.
pub(super) async fn quietly(
    desk: &Desk,
    connection: &mut Conn,
    id: ReleaseId,
    command: Command,
    actor: &Actor,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let (release, version) = load(connection, id).await?;
    let policy = release.policy.clone();
    match decide::decide(&release, command, Context { now, actor, policy: &policy, others: &[] }) {
        Ok(decision) => {
            save(desk, connection, &decision, version, now).await?;
            Ok(Answer::Silent)
        }
        Err(refusal) => {
            tracing::warn!(release.no = %release.no, ?refusal, "A command without a person was refused");
            Ok(Answer::Silent)
        }
    }
}

/// State, journal, prompts and outbox together, against the version.
async fn save(
    desk: &Desk,
    connection: &mut Conn,
    decision: &Decision,
    version: i64,
    now: Timestamp,
) -> Result<(), StoreFault> {
    if decision.events.is_empty() && decision.effects.is_empty() {
        return Ok(());
    }
    Store::save_release(connection, &decision.release, version).await?;
    let entries = decision.events.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    Store::append(connection, &decision.release.guild, Some(decision.release.id), &entries).await?;
    speak::speak(connection, &desk.store, &decision.release, &decision.effects, now).await
}

fn entry(recorded: &Recorded) -> Result<(Timestamp, String), StoreFault> {
    entry_of(recorded.at, recorded)
}

/// A line of the journal.
pub(super) fn entry_of(at: Timestamp, what: &impl serde::Serialize) -> Result<(Timestamp, String), StoreFault> {
    let text = serde_json::to_string(what).map_err(|error| StoreFault::Inconsistent {
        table: "journal",
        column: "entry",
        key: error.to_string(),
    })?;
    Ok((at, text))
}

async fn answer(connection: &mut Conn, decision: &Decision, now: Timestamp) -> Result<Answer, Stop> {
    if decision.reply == Reply::Silent {
        return Ok(Answer::Silent);
    }
    let release = &decision.release;
    let (message, prompt) = voice::answer(&decision.reply, release, now);
    let prompt = match prompt {
        Some(prompt) => Some(Store::keep_prompt(connection, release, &prompt, now).await?),
        None => None,
    };
    Ok(Answer::Done { message: Box::new(message), prompt, release: release.id })
}
