//! The writer task: the only place where a decision becomes rows. Group commit: one transaction for whatever is queued.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};

use super::known::Known;
use super::unit::{Once, Unit};
use super::{Answer, Ask, Desk, DeskFault, Request, Stop, Written, messages, not_recorded, speak, workspace};
use crate::domain::alert::route::{Incoming, Stray};
use crate::domain::command::Command;
use crate::domain::event::{Event, Recorded};
use crate::domain::freeze::Planned;
use crate::domain::ids::{GuildId, ReleaseId, ReleaseNo};
use crate::domain::lifecycle::{PlanCommand, PlanEvent, PlanRefusal};
use crate::domain::people::{Actor, Post};
use crate::domain::phase::PhaseName;
use crate::domain::policy::Policy;
use crate::domain::prompt::{self, Prompt};
use crate::domain::refusal::Refusal;
use crate::domain::release::Release;
use crate::domain::reply::Reply;
use crate::domain::work::{Context, Decision};
use crate::domain::workspace::stray::StrayAlert;
use crate::domain::workspace::{Workspace, WorkspaceCommand, WorkspaceEvent};
use crate::domain::{alert, decide, rights};
use crate::store::{DocumentKey, StoreFault, to_json};
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
    let (mut batch, mut known) = (Vec::with_capacity(BATCH), Known::default());
    while requests.recv_many(&mut batch, BATCH).await > 0 {
        let taken = std::mem::take(&mut batch);
        match commit(&desk, &mut known, &taken).await {
            // One of them does not fit, or all of them together: each gets a transaction of its own.
            Err(undone) if taken.len() > 1 && undone.may_be_of_one() => {
                for request in taken {
                    let alone = commit(&desk, &mut known, std::slice::from_ref(&request)).await;
                    answer_all(vec![request], alone, &nudges);
                }
            }
            stored => answer_all(taken, stored, &nudges),
        }
    }
}

/// Everybody's answer, after the commit.
fn answer_all(requests: Vec<Request>, stored: Result<(Answers, Written), Undone>, nudges: &Nudges) {
    match stored {
        Ok((answers, written)) => {
            for (request, answer) in requests.into_iter().zip(answers) {
                // A caller that stopped waiting is no fault: its command stands.
                drop(request.answer.send(answer));
            }
            if written.wakeups {
                nudges.timekeeper.notify_one();
            }
            if written.posts {
                nudges.courier.notify_one();
            }
        }
        Err(undone) => {
            let fault = match undone {
                Undone::Fault(fault) => not_recorded(fault),
                Undone::OneFailed => DeskFault::NotRecorded("another request of the batch failed".to_owned()),
            };
            for request in requests {
                drop(request.answer.send(Err(fault.clone())));
            }
        }
    }
}

type Answers = Vec<Result<Answer, DeskFault>>;

/// Why nothing of a batch is stored.
enum Undone {
    Fault(StoreFault),
    /// One of several requests failed half-way, so the others are tried without it.
    OneFailed,
}

impl Undone {
    /// Whether others of the batch may be stored without one of them.
    fn may_be_of_one(&self) -> bool {
        match self {
            Self::OneFailed => true,
            Self::Fault(fault) => matches!(
                fault,
                StoreFault::Full | StoreFault::Conflict(_) | StoreFault::Inconsistent { .. } | StoreFault::Sql(_)
            ),
        }
    }
}

impl From<StoreFault> for Undone {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault)
    }
}

/// One transaction for the batch. What is refused before it changes anything leaves the others alone.
async fn commit(desk: &Desk, known: &mut Known, batch: &[Request]) -> Result<(Answers, Written), Undone> {
    let mut unit = Unit::begin(desk, known, desk.clock.now()).await?;
    let once: Vec<&Once> = batch.iter().filter_map(|request| request.once.as_ref()).collect();
    let mut new = unit.note_came(&once).await?;
    unit.read_ahead(&batch.iter().flat_map(|request| messages::about(&request.ask)).collect::<Vec<_>>()).await?;
    let (mut answers, mut refused) = (Vec::with_capacity(batch.len()), Vec::new());
    for request in batch {
        if request.once.as_ref().is_some_and(|once| !new.contains(once)) {
            answers.push(Ok(Answer::Duplicate));
            continue;
        }
        let decided = unit.decided();
        let answer = match serve(&mut unit, &request.ask).await {
            Ok(answer) => {
                // A second one in this batch is a repetition.
                if let Some(once) = &request.once {
                    new.remove(once);
                }
                Ok(answer)
            }
            Err(Stop::Refused(message)) if unit.decided() == decided => {
                refused.extend(request.once.as_ref());
                Ok(Answer::Refused { message })
            }
            Err(_) if batch.len() > 1 => return Err(Undone::OneFailed),
            Err(Stop::Refused(message)) => return Ok((vec![Ok(Answer::Refused { message })], Written::default())),
            Err(Stop::Fault(fault)) => return Err(fault.into()),
        };
        answers.push(answer);
    }
    refused.retain(|once| new.contains(*once));
    unit.forget_came(&refused).await?;
    for release in unit.changed_releases() {
        speak::follow(&mut unit, &release)?;
    }
    Ok((answers, unit.commit().await?))
}

async fn serve(unit: &mut Unit<'_>, ask: &Ask) -> Result<Answer, Stop> {
    match ask {
        Ask::Import { guild, actor, release, expect, imported, file_name, bytes } => {
            let workspace = unit.workspace(guild).await?;
            let (release, reply) = match release {
                None => {
                    let no = ReleaseNo(workspace.next_no);
                    let command = Command::Plan(PlanCommand::Import { imported: imported.clone(), no });
                    let opened = open_release(unit, &workspace, command, actor).await?;
                    workspace::note(unit, &workspace, &[WorkspaceEvent::Numbered { no }], actor).await?;
                    opened
                }
                Some(no) => {
                    let id = named(unit, &workspace, Some(&no.to_string())).await?;
                    let found = load(unit, id).await?;
                    if expect.is_some_and(|expect| expect != found.revision) {
                        let refusal = PlanRefusal::EditedMeanwhile { revision: found.revision }.into();
                        return Err(refused(&refusal, &workspace.policy, None));
                    }
                    let command = Command::Plan(PlanCommand::Revise { imported: imported.clone() });
                    let others = others(unit, &found, &command).await?;
                    let ctx = Context { now: unit.now, actor, policy: &workspace.policy, others: &others };
                    let (release, reply) = match decide::decide(&found, command.clone(), ctx) {
                        Ok(decision) => save(unit, decision).await?,
                        Err(no) => return said_no(unit, &found, &command, &no, ctx).await,
                    };
                    if release.amendments > found.amendments {
                        unit.keep_document(DocumentKey::Proposal(id, release.amendments), file_name, bytes);
                        if release.revision > found.revision {
                            unit.adopt_amendment(Arc::clone(&release));
                        }
                        return answer(unit, &release, &reply).await;
                    }
                    (release, reply)
                }
            };
            unit.keep_document(DocumentKey::Revision(release.id, release.revision), file_name, bytes);
            answer(unit, &release, &reply).await
        }
        Ask::Keep { guild, release, prompt } => {
            let workspace = unit.workspace(guild).await?;
            let id = named(unit, &workspace, Some(&release.to_string())).await?;
            let found = load(unit, id).await?;
            let prompt = Some(unit.keep_prompt(&found, prompt)?);
            Ok(Answer::Done { message: Box::default(), prompt, release: id })
        }
        Ask::Command { guild, actor, release, command } => {
            let workspace = unit.workspace(guild).await?;
            let id = named(unit, &workspace, release.as_deref()).await?;
            apply(unit, id, |_| Ok(command.clone()), actor, &workspace.policy).await
        }
        Ask::Click { guild, actor, prompt, choice, filled } => {
            let workspace = unit.workspace(guild).await?;
            let Some(stored) = unit.prompt(guild, prompt).await? else {
                return Err(refused(&Refusal::UnknownRelease { typed: String::new() }, &workspace.policy, None));
            };
            let command = |release: &Release| prompt::rules::command(release, &stored.prompt, *choice, filled.clone());
            let answer = apply(unit, stored.release, command, actor, &workspace.policy).await?;
            if let (Prompt::Person { post }, Some(user)) = (&stored.prompt, &filled.user)
                && let Some(release) = unit.release(stored.release).await?
            {
                let contact = match post {
                    Post::Owner => &release.plan.owner,
                    Post::OnCall => &release.plan.on_call,
                };
                if let Some(contact) = contact {
                    let event = WorkspaceEvent::Remembered { name: contact.name.clone(), user: user.clone() };
                    workspace::note(unit, &workspace, &[event], actor).await?;
                }
            }
            Ok(answer)
        }
        Ask::Alerts { guild, source, alerts, unreadable } => {
            take_alerts(unit, guild, &Actor::Source(source.clone()), (alerts, unreadable)).await
        }
        Ask::Configure { guild, actor, policy } => workspace::configure(unit, guild, actor, policy).await,
        Ask::Workspace { guild, actor, command, template } => {
            workspace::apply(unit, guild, actor, command.clone(), template.as_ref()).await
        }
        Ask::Tick { release, away } => quietly(unit, *release, Command::Tick { away: *away }, &Actor::Clock).await,
        Ask::Courier(steps) => messages::steps(unit, steps).await,
        Ask::Report { post } => messages::report(unit, *post).await,
    }
}

pub(super) fn refused(refusal: &Refusal, policy: &Policy, subject: Option<&str>) -> Stop {
    Stop::Refused(Box::new(voice::refuse_here(refusal, policy, subject)))
}

/// The release a person means: by number, or the only one open.
async fn named(unit: &mut Unit<'_>, workspace: &Workspace, typed: Option<&str>) -> Result<ReleaseId, Stop> {
    let policy = &workspace.policy;
    let Some(typed) = typed else {
        let open = unit.open(&workspace.guild).await?;
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
        Ok(no) => unit.numbered(&workspace.guild, no).await?,
        Err(()) => None,
    };
    found.ok_or_else(|| refused(&Refusal::UnknownRelease { typed: typed.to_owned() }, policy, None))
}

/// Hands each alert to the releases it concerns; what concerns none, or cannot be read, is counted in the ops channel.
async fn take_alerts(
    unit: &mut Unit<'_>,
    guild: &GuildId,
    source: &Actor,
    (alerts, unreadable): (&[Incoming], &[String]),
) -> Result<Answer, Stop> {
    let by = source.by().to_string();
    let unread = |why: &String| StrayAlert {
        id: format!("{by}/{why}"),
        name: "unreadable".to_owned(),
        severity: None,
        source: by.clone(),
        why: Stray::Unreadable(why.clone()),
    };
    let mut strays: Vec<StrayAlert> = unreadable.iter().map(unread).collect();
    for Incoming { labels, signal } in alerts {
        let mut open = Vec::new();
        for head in unit.open(guild).await? {
            if head.phase.takes_alerts() && alert::route::may_concern(labels, head.no, head.service.as_deref()) {
                open.push(load(unit, head.id).await?);
            }
        }
        match alert::route::commands(open.iter().map(AsRef::as_ref), labels, signal, unit.now) {
            Ok(commands) => {
                for (id, command) in commands {
                    quietly(unit, id, command, source).await?;
                }
            }
            Err(why) => {
                let (name, severity) = (signal.name.clone(), signal.severity.clone());
                strays.push(StrayAlert { id: signal.id(), name, severity, source: by.clone(), why });
            }
        }
    }
    let count = strays.len();
    if count > 0 {
        let command = WorkspaceCommand::Stray { alerts: strays };
        workspace::apply(unit, guild, source, command, None).await?;
    }
    Ok(Answer::Taken { strays: count })
}

async fn load(unit: &mut Unit<'_>, id: ReleaseId) -> Result<Arc<Release>, StoreFault> {
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
    let open = unit.open(&workspace.guild).await?.iter().filter(|head| !past(head.phase)).count();
    let decision = decide::open(id, workspace.guild.clone(), command, ctx, open)
        .map_err(|refusal| refused(&refusal, &workspace.policy, None))?;
    Ok(save(unit, decision).await?)
}

/// The workspace's other open releases, for commands that plan; others do not look at them.
async fn others(unit: &mut Unit<'_>, release: &Release, command: &Command) -> Result<Vec<Planned>, StoreFault> {
    match command {
        Command::Plan(PlanCommand::Submit | PlanCommand::Reschedule { .. } | PlanCommand::Revise { .. }) => {
            unit.planned(&release.guild).await
        }
        _ => Ok(Vec::new()),
    }
}

async fn apply(
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
async fn said_no(
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
async fn save(unit: &mut Unit<'_>, decision: Decision) -> Result<(Arc<Release>, Reply), StoreFault> {
    let Decision { events, effects, reply, release } = decision;
    let release = Arc::new(release);
    if events.is_empty() && effects.is_empty() {
        return Ok((release, reply));
    }
    unit.save_release(Arc::clone(&release)).await?;
    let entry = |recorded: &Recorded| Ok((recorded.at, to_json(recorded, "journal")?));
    let entries = events.iter().map(entry).collect::<Result<Vec<_>, StoreFault>>()?;
    unit.record(&release.guild, Some(release.id), entries).await?;
    speak::speak(unit, &release, &effects).await?;
    Ok((release, reply))
}

async fn answer(unit: &mut Unit<'_>, release: &Release, reply: &Reply) -> Result<Answer, Stop> {
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
