//! The door of the desk: what can be asked, what is answered, and the queue to the writer.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::delivery::{Capabilities, EditEvent, PostEvent};
use crate::desk::lanes::Lanes;
use crate::domain::alert::route::Incoming;
use crate::domain::command::Command;
use crate::domain::ids::{ReleaseId, ReleaseNo, WorkspaceId};
use crate::domain::lateness::Away;
use crate::domain::lifecycle::Imported;
use crate::domain::people::Actor;
use crate::domain::plan::RungPlan;
use crate::domain::policy::Policy;
use crate::domain::prompt::{Choice, Filled, Prompt};
use crate::domain::release::Release;
use crate::domain::workspace::{Workspace, WorkspaceCommand};
use crate::plan_doc::{self, Reading, Setting, Severity};
use crate::store::{PostRow, Store, StoreFault};
use crate::voice::Message;

/// What is asked of the desk.
#[derive(Debug, Clone)]
pub enum Ask {
    /// A plan document, already read; a number means a new revision of that release.
    Import {
        server: WorkspaceId,
        actor: Actor,
        release: Option<ReleaseNo>,
        /// The revision it was made from; another one meanwhile is not overwritten.
        expect: Option<u32>,
        imported: Box<Imported>,
        file_name: String,
        bytes: Vec<u8>,
    },
    /// Keeps a prompt for an answer that was composed outside.
    Keep { server: WorkspaceId, release: ReleaseNo, prompt: Prompt },
    /// A command to a release by its number, or to the only one open.
    Command { server: WorkspaceId, actor: Actor, release: Option<String>, command: Command },
    /// A pressed button; `choice` and `filled` are the person's, the rest comes from the store.
    Click { server: WorkspaceId, actor: Actor, prompt: String, choice: Choice, filled: Filled },
    /// The alerts of one body, to be routed; and why the rest of it cannot be read.
    Alerts { server: WorkspaceId, source: String, alerts: Vec<Incoming>, unreadable: Vec<String> },
    /// A workspace's settings.
    Configure { server: WorkspaceId, actor: Actor, policy: Box<Policy> },
    /// A workspace's freezes and trains; `template` is a new train's document.
    Workspace { server: WorkspaceId, actor: Actor, command: WorkspaceCommand, template: Option<(String, Vec<u8>)> },
    /// The clock: do what is due; what is late says when nobody was there to do it.
    Tick { release: ReleaseId, away: Option<Away> },
    /// The courier: what happened to messages, in this order.
    Courier(Vec<Step>),
    /// The courier: a message's owner has not heard what became of it.
    Report { post: i64 },
}

/// Something the courier says.
#[derive(Debug, Clone)]
pub enum Step {
    /// An event of a message; `payload` is its simpler words, where it has such now.
    Post { id: i64, event: PostEvent, payload: Option<String> },
    /// An event of a message's edits.
    Edit { post: i64, event: EditEvent, news: EditNews },
    /// The process started, or its clock jumped.
    Started,
}

/// What an edit says beside itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditNews {
    /// Nothing.
    None,
    /// Its target takes no edits; before this instant, if it said so.
    TargetRefuses(Option<Timestamp>),
    /// It is shown; `awaited`: people were told that it was not.
    Shown { awaited: bool },
    /// People must know why it is not shown.
    Failed(String),
}

/// What comes back once everything is on disk.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Done; the message is for the actor alone, its buttons lead to `prompt`.
    Done { message: Box<Message>, prompt: Option<String>, release: ReleaseId },
    /// Done, and it concerns no single release; for the actor alone.
    Said { message: Box<Message> },
    /// Refused, with words; at most the refusal itself is recorded.
    Refused { message: Box<Message> },
    /// Came before; nothing was stored.
    Duplicate,
    /// Alerts were taken; so many concern no release, or cannot be read.
    Taken { strays: usize },
    /// Messages the courier spoke of, as they are now; those it could not claim are left out.
    Posts(Vec<PostRow>),
    /// Done, and nobody is listening.
    Silent,
}

/// Why an answer cannot be given. Trying again may help.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeskFault {
    #[error("T-Minus is stopping and takes no more requests")]
    Closed,
    #[error("not recorded: {0}")]
    NotRecorded(String),
}

/// Why a request ends without an answer of its own.
pub(super) enum Stop {
    Refused(Box<Message>),
    Fault(StoreFault),
}

impl From<StoreFault> for Stop {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault)
    }
}

/// Who must look at what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Written {
    /// Messages, edits or targets.
    pub(super) posts: bool,
    /// A wake-up moved.
    pub(super) wakeups: bool,
}

pub(crate) struct Request {
    pub(super) ask: Ask,
    /// Source and id of what came in, if it must count once.
    pub(super) once: Option<(String, String)>,
    pub(super) answer: oneshot::Sender<Result<Answer, DeskFault>>,
}

/// The door. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    pub(super) queue: mpsc::Sender<Request>,
    pub(super) store: Store,
    pub(super) clock: Clock,
    /// What each target allows.
    pub(super) can: Arc<Capabilities>,
    pub(super) lanes: Lanes,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("once", &self.once).finish_non_exhaustive()
    }
}

impl Desk {
    /// A desk and the queue its writer reads.
    pub(crate) fn new(store: Store, clock: Clock, can: Capabilities) -> (Self, mpsc::Receiver<Request>) {
        let (queue, requests) = mpsc::channel(1024);
        (Self { queue, store, clock, can: Arc::new(can), lanes: Lanes::default() }, requests)
    }

    /// Asks, and waits until the answer is on disk.
    ///
    /// # Errors
    /// The desk is closed, or nothing could be recorded; then nothing was.
    pub async fn ask(&self, ask: Ask) -> Result<Answer, DeskFault> {
        self.ask_with(ask, None).await
    }

    /// Asks with the id of what came in: a second time it is a duplicate.
    ///
    /// # Errors
    /// As [`Desk::ask`].
    pub async fn ask_once(&self, ask: Ask, source: &str, id: &str) -> Result<Answer, DeskFault> {
        self.ask_with(ask, Some((source.to_owned(), id.to_owned()))).await
    }

    async fn ask_with(&self, ask: Ask, once: Option<(String, String)>) -> Result<Answer, DeskFault> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(Request { ask, once, answer }).await.map_err(|_closed| DeskFault::Closed)?;
        answered.await.map_err(|_closed| DeskFault::Closed)?
    }

    /// Reads a plan document beside the queue: parsing is work, not writing.
    ///
    /// # Errors
    /// The reader ended abnormally.
    pub async fn read_plan(&self, server: &WorkspaceId, bytes: Vec<u8>) -> Result<(Reading, Vec<u8>), DeskFault> {
        self.read_against(server, bytes, None).await
    }

    /// Reads a document of a release; where it names no notice, the release's own are its notices, whatever the server's are by now.
    ///
    /// # Errors
    /// As [`Desk::read_plan`].
    pub async fn read_again(&self, release: &Release, bytes: Vec<u8>) -> Result<(Reading, Vec<u8>), DeskFault> {
        self.read_against(&release.server, bytes, Some(release.plan.rungs.clone())).await
    }

    async fn read_against(
        &self,
        server: &WorkspaceId,
        bytes: Vec<u8>,
        ladder: Option<Vec<RungPlan>>,
    ) -> Result<(Reading, Vec<u8>), DeskFault> {
        let mut workspace = self.store.read_workspace(server).await.map_err(not_recorded)?;
        workspace.policy.ladder = ladder.or(workspace.policy.ladder);
        let now = self.clock.now();
        let done = tokio::task::spawn_blocking(move || read_with(&workspace, now, &bytes));
        done.await.map_err(|error| DeskFault::NotRecorded(error.to_string()))
    }

    /// The store, for reading.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Which targets are idle.
    pub fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}

/// Reads a document as a workspace would: its zone, the people it knows. Gives the human's bytes back beside it.
pub(super) fn read_with(workspace: &Workspace, now: Timestamp, bytes: &[u8]) -> (Reading, Vec<u8>) {
    // What the bot filled in is state, not the human's document.
    let bytes = plan_doc::strip(bytes);
    let policy = &workspace.policy;
    let ladder = policy.ladder.clone().unwrap_or_else(plan_doc::usual_ladder);
    let mut reading = plan_doc::read(&bytes, &Setting { zone: policy.zone.clone(), now: Some(now), ladder });
    if let Some(plan) = &mut reading.plan {
        for contact in plan.contacts_mut() {
            if contact.user.is_none() {
                contact.user = workspace.people.get(&contact.name.to_lowercase()).cloned();
            }
        }
    }
    (reading, bytes)
}

/// Findings that stand against submitting, as the release keeps them.
pub fn findings(reading: &Reading) -> Vec<(String, String)> {
    let blocking = reading.diagnostics.iter().filter(|d| d.severity == Severity::Error);
    blocking
        .take(20)
        .map(|d| (d.code.to_owned(), format!("{} {}", d.message, d.help).trim().chars().take(240).collect()))
        .collect()
}

pub(crate) fn not_recorded(fault: StoreFault) -> DeskFault {
    tracing::error!(error = &fault as &dyn std::error::Error, "database operation failed");
    DeskFault::NotRecorded(fault.to_string())
}
