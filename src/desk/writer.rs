//! The writer task: the only one that asks for decisions. Group commit: one transaction for whatever is queued.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};

use super::commands::{answer, apply, load, named, open_release, others, quietly, refused, said_no, save};
use super::known::Known;
use super::unit::{Once, Unit};
use super::{speak, workspace};
use crate::desk::door::{Answer, Ask, Desk, DeskFault, Request, Stop, Written, not_recorded};
use crate::desk::reports;
use crate::domain::alert::route::{Incoming, Stray};
use crate::domain::command::Command;
use crate::domain::ids::{ReleaseNo, WorkspaceId};
use crate::domain::lifecycle::{PlanCommand, PlanRefusal};
use crate::domain::people::{Actor, Post};
use crate::domain::prompt::{self, Prompt};
use crate::domain::refusal::Refusal;
use crate::domain::release::Release;
use crate::domain::work::Context;
use crate::domain::workspace::stray::StrayAlert;
use crate::domain::workspace::{WorkspaceCommand, WorkspaceEvent};
use crate::domain::{alert, decide};
use crate::store::{DocumentKey, StoreFault};

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
    unit.read_ahead(&batch.iter().flat_map(|request| reports::about(&request.ask)).collect::<Vec<_>>()).await?;
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
        Ask::Import { server, actor, release, expect, imported, file_name, bytes } => {
            let workspace = unit.workspace(server).await?;
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
        Ask::Keep { server, release, prompt } => {
            let workspace = unit.workspace(server).await?;
            let id = named(unit, &workspace, Some(&release.to_string())).await?;
            let found = load(unit, id).await?;
            let prompt = Some(unit.keep_prompt(&found, prompt)?);
            Ok(Answer::Done { message: Box::default(), prompt, release: id })
        }
        Ask::Command { server, actor, release, command } => {
            let workspace = unit.workspace(server).await?;
            let id = named(unit, &workspace, release.as_deref()).await?;
            apply(unit, id, |_| Ok(command.clone()), actor, &workspace.policy).await
        }
        Ask::Click { server, actor, prompt, choice, filled } => {
            let workspace = unit.workspace(server).await?;
            let Some(stored) = unit.prompt(server, prompt).await? else {
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
        Ask::Alerts { server, source, alerts, unreadable } => {
            take_alerts(unit, server, &Actor::Source(source.clone()), (alerts, unreadable)).await
        }
        Ask::Configure { server, actor, policy } => workspace::configure(unit, server, actor, policy).await,
        Ask::Workspace { server, actor, command, template } => {
            workspace::apply(unit, server, actor, command.clone(), template.as_ref()).await
        }
        Ask::Tick { release, away } => quietly(unit, *release, Command::Tick { away: *away }, &Actor::Clock).await,
        Ask::Courier(steps) => reports::steps(unit, steps).await,
        Ask::Report { post } => reports::report(unit, *post).await,
    }
}

/// Hands each alert to the releases it concerns; what concerns none, or cannot be read, is counted in the ops channel.
async fn take_alerts(
    unit: &mut Unit<'_>,
    server: &WorkspaceId,
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
        for head in unit.open(server).await? {
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
        workspace::apply(unit, server, source, command, None).await?;
    }
    Ok(Answer::Taken { strays: count })
}
