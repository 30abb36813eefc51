//! The writer task: the only place where a decision becomes rows. Group commit: one transaction for whatever is queued.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};

use super::sheet::{Memory, Once, Sheet, Stored, Written};
use super::{Answer, Ask, Desk, DeskFault, Request, Stop, not_recorded, speak, workspace};
use crate::domain::command::{Command, DeliveryCommand, PlanCommand, Post};
use crate::domain::decide::{self, Context};
use crate::domain::delivery::NotPosted;
use crate::domain::effect::{Decision, Prompt, Reply};
use crate::domain::event::{Event, PlanEvent, Recorded};
use crate::domain::freeze::Planned;
use crate::domain::ids::{GuildId, ReleaseId, ReleaseNo};
use crate::domain::people::Actor;
use crate::domain::policy::Policy;
use crate::domain::prompt;
use crate::domain::refusal::Refusal;
use crate::domain::release::{PhaseName, Release};
use crate::domain::rights;
use crate::domain::route::{self, Incoming, Stray};
use crate::domain::stray::StrayAlert;
use crate::domain::workspace::{Workspace, WorkspaceCommand, WorkspaceEvent};
use crate::store::StoreFault;
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
    let (mut batch, mut memory) = (Vec::with_capacity(BATCH), Memory::default());
    while requests.recv_many(&mut batch, BATCH).await > 0 {
        let now = desk.clock.now();
        let taken = std::mem::take(&mut batch);
        match commit(&desk, &mut memory, &taken, now).await {
            Ok((answers, written)) => {
                for (request, answer) in taken.into_iter().zip(answers) {
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
            Err(fault) => {
                let fault = not_recorded(fault);
                for request in taken {
                    drop(request.answer.send(Err(fault.clone())));
                }
            }
        }
    }
}

type Answers = Vec<Result<Answer, DeskFault>>;

/// One transaction for the batch. The error is the transaction's; a single request's fault is its own.
async fn commit(
    desk: &Desk,
    memory: &mut Memory,
    batch: &[Request],
    now: Timestamp,
) -> Result<(Answers, Written), StoreFault> {
    // What came in before is known only when the batch is stored; then everything else is decided again.
    let mut before = BTreeSet::<Once>::new();
    loop {
        let mut sheet = Sheet::new(&desk.store, memory).await?;
        let mut answers = Vec::with_capacity(batch.len());
        for request in batch {
            answers.push(answered(&mut sheet, request, &before, now).await);
        }
        let refused = batch.iter().zip(&answers).filter(|(_, answer)| matches!(answer, Ok(Answer::Refused { .. })));
        let refused: Vec<&Once> = refused.filter_map(|(request, _)| request.once.as_ref()).collect();
        before.extend(sheet.came_before(&refused).await?);
        for (request, answer) in batch.iter().zip(&mut answers) {
            if request.once.as_ref().is_some_and(|once| before.contains(once)) {
                *answer = Ok(Answer::Duplicate);
            }
        }
        match sheet.store(now).await? {
            Stored::All(written) => return Ok((answers, written)),
            Stored::CameBefore(known) => before.extend(known),
        }
    }
}

/// Decides one request; what it changes counts only if it is answered well.
async fn answered(
    sheet: &mut Sheet<'_>,
    request: &Request,
    before: &BTreeSet<Once>,
    now: Timestamp,
) -> Result<Answer, DeskFault> {
    let once = request.once.as_ref();
    if once.is_some_and(|once| sheet.came(once) || before.contains(once)) {
        return Ok(Answer::Duplicate);
    }
    match serve(sheet, &request.ask, now).await {
        Ok(answer) => {
            sheet.keep(once);
            Ok(answer)
        }
        Err(Stop::Refused(message)) => {
            sheet.drop_page();
            Ok(Answer::Refused { message })
        }
        Err(Stop::Fault(fault)) => {
            sheet.drop_page();
            Err(not_recorded(fault))
        }
    }
}

async fn serve(sheet: &mut Sheet<'_>, ask: &Ask, now: Timestamp) -> Result<Answer, Stop> {
    match ask {
        Ask::Import { guild, actor, release, expect, imported, file_name, bytes } => {
            let workspace = sheet.workspace(guild).await?;
            let (release, reply) = match release {
                None => {
                    let no = ReleaseNo(workspace.next_no);
                    let command = Command::Plan(PlanCommand::Import { imported: imported.clone(), no });
                    let opened = open_release(sheet, &workspace, command, actor, now).await?;
                    workspace::note(sheet, &workspace, &[WorkspaceEvent::Numbered { no }], actor, now).await?;
                    opened
                }
                Some(no) => {
                    let id = named(sheet, &workspace, Some(&no.to_string())).await?;
                    let found = load(sheet, id).await?;
                    if expect.is_some_and(|expect| expect != found.revision) {
                        let refusal = Refusal::EditedMeanwhile { revision: found.revision };
                        return Err(refused(&refusal, &workspace.policy, None));
                    }
                    let command = Command::Plan(PlanCommand::Revise { imported: imported.clone() });
                    let others = others(sheet, &found, &command).await?;
                    let ctx = Context { now, actor, policy: &workspace.policy, others: &others };
                    let (release, reply) = match decide::decide(&found, command.clone(), ctx) {
                        Ok(decision) => save(sheet, decision, now).await?,
                        Err(no) => return said_no(sheet, &found, &command, &no, ctx).await,
                    };
                    if release.amendments > found.amendments {
                        sheet.keep_proposal(Arc::clone(&release), file_name, bytes);
                        if release.revision > found.revision {
                            sheet.adopt_proposal(Arc::clone(&release));
                        }
                        return answer(sheet, &release, &reply, now).await;
                    }
                    (release, reply)
                }
            };
            sheet.keep_revision(Arc::clone(&release), file_name, bytes);
            answer(sheet, &release, &reply, now).await
        }
        Ask::Keep { guild, release, prompt } => {
            let workspace = sheet.workspace(guild).await?;
            let id = named(sheet, &workspace, Some(&release.to_string())).await?;
            let found = load(sheet, id).await?;
            let prompt = Some(sheet.keep_prompt(&found, prompt, now).await?);
            Ok(Answer::Done { message: Box::default(), prompt, release: id })
        }
        Ask::Command { guild, actor, release, command } => {
            let workspace = sheet.workspace(guild).await?;
            let id = named(sheet, &workspace, release.as_deref()).await?;
            apply(sheet, id, |_| Ok(command.clone()), actor, &workspace.policy, now).await
        }
        Ask::Click { guild, actor, prompt, choice, filled } => {
            let workspace = sheet.workspace(guild).await?;
            let Some(stored) = sheet.prompt(guild, prompt).await? else {
                return Err(refused(&Refusal::UnknownRelease { typed: String::new() }, &workspace.policy, None));
            };
            let command = |release: &Release| prompt::command(release, &stored.prompt, *choice, filled.clone());
            let answer = apply(sheet, stored.release, command, actor, &workspace.policy, now).await?;
            if let (Prompt::Person { post }, Some(user)) = (&stored.prompt, &filled.user)
                && let Some(release) = sheet.release(stored.release).await?
            {
                let contact = match post {
                    Post::Owner => &release.plan.owner,
                    Post::OnCall => &release.plan.on_call,
                };
                if let Some(contact) = contact {
                    let event = WorkspaceEvent::Remembered { name: contact.name.clone(), user: user.clone() };
                    workspace::note(sheet, &workspace, &[event], actor, now).await?;
                }
            }
            Ok(answer)
        }
        Ask::Alerts { guild, source, alerts, unreadable } => {
            take_alerts(sheet, guild, &Actor::Source(source.clone()), (alerts, unreadable), now).await
        }
        Ask::Configure { guild, actor, policy } => workspace::configure(sheet, guild, actor, policy, now).await,
        Ask::Workspace { guild, actor, command, template } => {
            workspace::apply(sheet, guild, actor, command.clone(), template.as_ref(), now).await
        }
        Ask::Tick { release, away } => {
            quietly(sheet, *release, Command::Tick { away: *away }, &Actor::Clock, now).await
        }
        Ask::Delivered { release, row, key, channel, at } => {
            sheet.reported(*row);
            let command = DeliveryCommand::Delivered { key: own_key(*release, key), channel: channel.clone(), at: *at };
            quietly(sheet, *release, Command::Delivery(command), &Actor::Courier, now).await
        }
        Ask::Stuck(post) => {
            sheet.told(post.id);
            let Some(release) = post.release else {
                return workspace::undelivered(sheet, post, now).await;
            };
            let command = DeliveryCommand::Stuck {
                key: own_key(release, &post.key),
                found: NotPosted {
                    trouble: post.trouble,
                    channel: post.channel.clone(),
                    to: post.to.clone(),
                    said: speak::headline(&post.payload),
                    why: post.why.clone(),
                },
            };
            quietly(sheet, release, Command::Delivery(command), &Actor::Courier, now).await
        }
    }
}

/// A posting's key within its release.
fn own_key(release: ReleaseId, key: &str) -> String {
    key.strip_prefix(&format!("{release}/")).unwrap_or(key).to_owned()
}

pub(super) fn refused(refusal: &Refusal, policy: &Policy, subject: Option<&str>) -> Stop {
    Stop::Refused(Box::new(voice::refuse_here(refusal, policy, subject)))
}

/// The release a person means: by number, or the only one open.
async fn named(sheet: &mut Sheet<'_>, workspace: &Workspace, typed: Option<&str>) -> Result<ReleaseId, Stop> {
    let policy = &workspace.policy;
    let Some(typed) = typed else {
        let open = sheet.open(&workspace.guild).await?;
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
        Ok(no) => sheet.numbered(&workspace.guild, no).await?,
        Err(()) => None,
    };
    found.ok_or_else(|| refused(&Refusal::UnknownRelease { typed: typed.to_owned() }, policy, None))
}

/// Hands each alert to the releases it concerns; what concerns none, or cannot be read, is counted in the ops channel.
async fn take_alerts(
    sheet: &mut Sheet<'_>,
    guild: &GuildId,
    source: &Actor,
    (alerts, unreadable): (&[Incoming], &[String]),
    now: Timestamp,
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
        for head in sheet.open(guild).await? {
            if head.phase.takes_alerts() && route::may_concern(labels, head.no, head.service.as_deref()) {
                open.push(load(sheet, head.id).await?);
            }
        }
        match route::commands(open.iter().map(AsRef::as_ref), labels, signal, now) {
            Ok(commands) => {
                for (id, command) in commands {
                    quietly(sheet, id, command, source, now).await?;
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
        workspace::apply(sheet, guild, source, command, None, now).await?;
    }
    Ok(Answer::Taken { strays: count })
}

async fn load(sheet: &mut Sheet<'_>, id: ReleaseId) -> Result<Arc<Release>, StoreFault> {
    sheet.release(id).await?.ok_or_else(|| StoreFault::Inconsistent {
        table: "release",
        column: "id",
        key: id.to_string(),
    })
}

/// Opens a release: a person's import, or a train's draft.
pub(super) async fn open_release(
    sheet: &mut Sheet<'_>,
    workspace: &Workspace,
    command: Command,
    actor: &Actor,
    now: Timestamp,
) -> Result<(Arc<Release>, Reply), Stop> {
    let id = ReleaseId(uuid::Uuid::now_v7());
    let ctx = Context { now, actor, policy: &workspace.policy, others: &[] };
    let past = |phase| matches!(phase, PhaseName::AllClear | PhaseName::RolledBack);
    let open = sheet.open(&workspace.guild).await?.iter().filter(|head| !past(head.phase)).count();
    let decision = decide::open(id, workspace.guild.clone(), command, ctx, open)
        .map_err(|refusal| refused(&refusal, &workspace.policy, None))?;
    Ok(save(sheet, decision, now).await?)
}

/// The workspace's other open releases, for commands that plan; others do not look at them.
async fn others(sheet: &mut Sheet<'_>, release: &Release, command: &Command) -> Result<Vec<Planned>, StoreFault> {
    match command {
        Command::Plan(PlanCommand::Submit | PlanCommand::Reschedule { .. } | PlanCommand::Revise { .. }) => {
            sheet.planned(&release.guild).await
        }
        _ => Ok(Vec::new()),
    }
}

async fn apply(
    sheet: &mut Sheet<'_>,
    id: ReleaseId,
    command: impl FnOnce(&Release) -> Result<Command, Refusal>,
    actor: &Actor,
    policy: &Policy,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let release = load(sheet, id).await?;
    let command = command(&release).map_err(|r| refused(&r, &release.policy, Some(&voice::words::name(&release))))?;
    let others = others(sheet, &release, &command).await?;
    let ctx = Context { now, actor, policy, others: &others };
    match decide::decide(&release, command.clone(), ctx) {
        Ok(decision) => {
            let amended = decision.events.iter().any(|e| matches!(e.event, Event::Plan(PlanEvent::Amended { .. })));
            let (release, reply) = save(sheet, decision, now).await?;
            if amended {
                sheet.adopt_proposal(Arc::clone(&release));
            }
            answer(sheet, &release, &reply, now).await
        }
        Err(refusal) => said_no(sheet, &release, &command, &refusal, ctx).await,
    }
}

/// A refusal in words, and its place on the record where it matters; nothing else of it is stored.
async fn said_no(
    sheet: &mut Sheet<'_>,
    release: &Release,
    command: &Command,
    refusal: &Refusal,
    ctx: Context<'_>,
) -> Result<Answer, Stop> {
    let subject = voice::words::name(release);
    let message = Box::new(voice::refuse(refusal, &release.policy, Some(&subject)));
    match rights::refused(release, command, refusal, ctx) {
        None => Err(Stop::Refused(message)),
        Some(noted) => {
            save(sheet, noted, ctx.now).await?;
            Ok(Answer::Refused { message })
        }
    }
}

/// A command nobody waits an answer for; its refusal is a line in the log.
pub(super) async fn quietly(
    sheet: &mut Sheet<'_>,
    id: ReleaseId,
    command: Command,
    actor: &Actor,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let release = load(sheet, id).await?;
    match decide::decide(&release, command, Context { now, actor, policy: &release.policy, others: &[] }) {
        Ok(decision) => {
            save(sheet, decision, now).await?;
        }
        Err(refusal) => {
            tracing::warn!(release.no = %release.no, ?refusal, "automatic command refused");
        }
    }
    Ok(Answer::Silent)
}

/// State, journal, prompts and outbox together.
async fn save(sheet: &mut Sheet<'_>, decision: Decision, now: Timestamp) -> Result<(Arc<Release>, Reply), StoreFault> {
    let Decision { events, effects, reply, release } = decision;
    let release = Arc::new(release);
    if events.is_empty() && effects.is_empty() {
        return Ok((release, reply));
    }
    sheet.save_release(Arc::clone(&release)).await?;
    let entries = events.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    sheet.record(&release.guild, Some(release.id), entries).await?;
    speak::speak(sheet, &release, &effects, now).await?;
    Ok((release, reply))
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

async fn answer(sheet: &mut Sheet<'_>, release: &Release, reply: &Reply, now: Timestamp) -> Result<Answer, Stop> {
    if *reply == Reply::Silent {
        return Ok(Answer::Silent);
    }
    let (message, prompt) = voice::answer(reply, release, now);
    let prompt = match prompt {
        Some(prompt) => Some(sheet.keep_prompt(release, &prompt, now).await?),
        None => None,
    };
    Ok(Answer::Done { message: Box::new(message), prompt, release: release.id })
}
