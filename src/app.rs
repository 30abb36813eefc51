//! The composition root: builds the parts, starts the tasks, ends them in order.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chat::discord::gateway::{self, GatewayHealth};
use crate::chat::discord::rest::{Rest, http_client};
use crate::chat::discord::send::Sender;
use crate::chat::token::Token;
use crate::chat::{Platform, token_watch};
use crate::clock::Clock;
use crate::config::Config;
use crate::courier::{self, Courier, Outlook, Outside};
use crate::desk::{self, Ask, Desk, Nudges};
use crate::domain::ids::WorkspaceId;
use crate::domain::people::Actor;
use crate::domain::policy::Policy;
use crate::intake::{self, Intake};
use crate::outside::Pages;
use crate::store::{Purpose, Store, StoreFault};
use crate::{redact, timecheck, timekeeper};

/// How often every page of the database is read.
const PAGES_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long tasks may take to end.
const SHUTDOWN: Duration = Duration::from_secs(8);

/// The running service.
#[derive(Debug)]
pub struct App {
    desk: Desk,
    /// Where the intake listens.
    pub intake: SocketAddr,
    gateway: Arc<GatewayHealth>,
    courier: Arc<courier::Health>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// The writer ends when every desk is gone.
    writer: tokio::task::JoinHandle<()>,
    failed: tokio::sync::watch::Receiver<Option<String>>,
    _lock: Option<File>,
}

/// Another process holds the database.
#[derive(Debug, thiserror::Error)]
#[error("another instance is using {0}")]
pub struct Held(String);

/// Takes the lock beside the database for the life of the process; the kernel releases it even after a kill.
fn lock(database: &Path) -> anyhow::Result<File> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let shown = Path::new(&path).display().to_string();
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {shown}"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Held(database.display().to_string()).into()),
        Err(std::fs::TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {shown}")),
    }
}

/// Why an address cannot be listened on; `instead` says what to do where another program uses it.
pub(crate) fn cannot_listen(address: SocketAddr, error: std::io::Error, instead: &str) -> anyhow::Error {
    if error.kind() == std::io::ErrorKind::AddrInUse {
        return anyhow::anyhow!("another program already listens on {address}. {instead}");
    }
    anyhow::Error::from(error).context(format!("cannot listen on {address}"))
}

/// A task whose abnormal end is the service's: a bot that looks alive but is deaf is worse than one that ended.
async fn watched(
    name: &'static str,
    task: impl Future<Output = ()> + Send + 'static,
    failed: tokio::sync::watch::Sender<Option<String>>,
) {
    if let Err(error) = tokio::spawn(task).await {
        tracing::error!(task = name, error = &error as &dyn std::error::Error, "task crashed");
        failed.send_replace(Some(format!("the {name} crashed: {error}")));
    }
}

/// Reads every page of the database beside the service, after the start and once a day. A damaged one ends the service.
async fn check_pages(store: Store, failed: tokio::sync::watch::Sender<Option<String>>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match store.check_pages(stop.clone()).await {
            Ok(()) => {}
            Err(fault @ (StoreFault::Damaged(_) | StoreFault::Unwritable(_))) => {
                tracing::error!(error = &fault as &dyn std::error::Error, "database damaged, service is stopping");
                failed.send_replace(Some(fault.to_string()));
                return;
            }
            Err(fault) => tracing::warn!(error = &fault as &dyn std::error::Error, "database not checked"),
        }
        tokio::select! {
            () = tokio::time::sleep(PAGES_EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// What the file gives servers beside their settings: status pages and sources of alerts, by name.
struct Given {
    pages: Vec<(WorkspaceId, String)>,
    sources: Vec<(WorkspaceId, String)>,
}

impl Given {
    fn of(config: &Config) -> Self {
        let pages = config.pages.iter().map(|page| (page.server.clone(), page.name.clone())).collect();
        let sources = config.sources.iter().map(|source| (source.server.clone(), source.name.clone())).collect();
        Self { pages, sources }
    }

    /// The servers it gives something to.
    fn servers(&self) -> impl Iterator<Item = WorkspaceId> {
        self.pages.iter().chain(&self.sources).map(|(server, _)| server.clone())
    }

    /// A server's settings with what it is given.
    fn add_to(&self, server: &WorkspaceId, policy: &mut Policy) {
        let of = |all: &[(WorkspaceId, String)]| {
            all.iter().filter(|(own, _)| own == server).map(|(_, name)| name.clone()).collect::<Vec<_>>()
        };
        (policy.pages, policy.sources) = (of(&self.pages), of(&self.sources));
    }
}

/// What the file says of servers, and what it gives those that were set up in chat.
async fn configure(
    desk: &Desk,
    workspaces: Vec<(WorkspaceId, Policy)>,
    given: &Given,
    by_file: &BTreeSet<WorkspaceId>,
) -> anyhow::Result<()> {
    for (server, mut policy) in workspaces {
        given.add_to(&server, &mut policy);
        desk.ask(Ask::Configure { server, actor: Actor::File, policy: Box::new(policy) }).await?;
    }
    hand_out(desk, given, by_file).await
}

/// Servers set up in chat learn what the file gives them, and what it does not give them any more.
async fn hand_out(desk: &Desk, given: &Given, by_file: &BTreeSet<WorkspaceId>) -> anyhow::Result<()> {
    let known = desk.store().servers().await?;
    let servers: BTreeSet<WorkspaceId> = known.into_iter().chain(given.servers()).collect();
    for server in servers.difference(by_file).cloned() {
        let before = desk.store().read_workspace(&server).await?.policy;
        let mut policy = before.clone();
        given.add_to(&server, &mut policy);
        if policy != before {
            desk.ask(Ask::Configure { server, actor: Actor::File, policy: Box::new(policy) }).await?;
        }
    }
    Ok(())
}

impl App {
    /// Starts every part.
    ///
    /// # Errors
    /// A file, a port or the database cannot be used; [`Held`] if another instance runs.
    pub async fn start(config: Config, clock: Clock, purpose: Purpose) -> anyhow::Result<Self> {
        config.secrets().iter().for_each(redact::keep_out);
        let lock = lock(&config.database)?;
        let store = Store::open(&config.database, purpose).await.context("cannot open the database")?;
        let listener = TcpListener::bind(config.listen).await.map_err(|error| {
            cannot_listen(config.listen, error, "Stop that program, or set another address in `intake.listen`.")
        })?;
        let intake_address = listener.local_addr()?;
        let (stop, tasks, nudges) = (CancellationToken::new(), TaskTracker::new(), Nudges::default());
        let (failed_tx, failed) = tokio::sync::watch::channel(None);

        let http = http_client().context("cannot build the HTTP client")?;
        let token = Token::new(config.token.clone(), config.token_file.clone());
        let rest = Rest::new(http, &config.api_url, token.clone(), clock.clone());
        let platform = Platform::Discord(Sender::new(rest.clone()));
        let given = Given::of(&config);
        let pages = Pages::new(config.pages, &clock).context("cannot build the HTTP client")?;
        let outside = Outside { chat: platform.clone(), pages };
        let (desk, requests) = Desk::new(store, clock, outside.capabilities());
        let writer =
            tokio::spawn(watched("writer", desk::run(desk.clone(), requests, nudges.clone()), failed_tx.clone()));
        let by_file: Arc<BTreeSet<_>> = Arc::new(config.workspaces.iter().map(|(server, _)| server.clone()).collect());
        let courier_health = Arc::new(courier::Health::default());
        let courier = Courier::new(desk.clone(), outside, Arc::clone(&nudges.courier), Arc::clone(&courier_health));
        tasks.spawn(watched("courier", courier.run(stop.clone()), failed_tx.clone()));
        let (checkpointing, stopped) = (desk.store().clone(), stop.clone());
        let checkpoints = async move { checkpointing.keep_checkpoints(stopped).await };
        tasks.spawn(watched("checkpointer", checkpoints, failed_tx.clone()));
        tasks.spawn(check_pages(desk.store().clone(), failed_tx.clone(), stop.clone()));
        let timekeeper = timekeeper::run(desk.clone(), Arc::clone(&nudges.timekeeper), stop.clone());
        tasks.spawn(watched("timekeeper", timekeeper, failed_tx.clone()));

        let confirming = token_watch::watch(token.clone(), platform.clone(), Arc::clone(&nudges.courier), stop.clone());
        tasks.spawn(watched("token check", confirming, failed_tx.clone()));

        let timecheck = timecheck::run(desk.clone(), platform, stop.clone());
        tasks.spawn(watched("time check", timecheck, failed_tx.clone()));

        let gateway = Arc::new(GatewayHealth::default());
        let seen = Arc::clone(&courier_health);
        let intake = Arc::new(Intake::new(desk.clone(), config.sources, Arc::clone(&gateway), seen, token.clone()));
        tasks.spawn(watched("HTTP intake", intake::run(listener, intake, stop.clone()), failed_tx.clone()));
        let settings = gateway::Settings { token, api_url: config.api_url, by_file, limits: config.limits };
        let (health, stopped, tracker, desk_of_chat) =
            (Arc::clone(&gateway), stop.clone(), tasks.clone(), desk.clone());
        let workspaces = config.workspaces;
        tasks.spawn(async move {
            // Nothing is recorded by a clock that nobody has confirmed.
            if !desk_of_chat.clock().confirmed(&stopped).await {
                return;
            }
            if let Err(fault) = configure(&desk_of_chat, workspaces, &given, &settings.by_file).await {
                failed_tx.send_replace(Some(format!("cannot record the configuration: {fault:#}")));
                return;
            }
            if let Err(fault) = gateway::run(settings, desk_of_chat, rest, health, tracker, stopped).await {
                tracing::error!(error = &fault as &dyn std::error::Error, "gateway failed, service is stopping");
                failed_tx.send_replace(Some(format!("{:#}", anyhow::Error::from(fault))));
            }
        });
        tasks.close();
        Ok(Self {
            desk,
            intake: intake_address,
            gateway,
            courier: courier_health,
            stop,
            tasks,
            writer,
            failed,
            _lock: Some(lock),
        })
    }

    /// Whether the gateway is connected.
    pub fn ready(&self) -> bool {
        self.gateway.ready()
    }

    /// Waits until a part failed for good; then says which.
    pub async fn failure(&self) -> String {
        let mut failed = self.failed.clone();
        let seen = failed.wait_for(Option::is_some).await;
        seen.ok().and_then(|text| text.clone()).unwrap_or_default()
    }

    /// When something will happen by itself next: a mark or a delivery.
    ///
    /// # Errors
    /// Database faults.
    pub async fn next_due(&self) -> anyhow::Result<Option<Timestamp>> {
        let (store, now) = (self.desk.store(), self.desk.clock().now());
        let (wakeup, delivery) = (store.next_wakeup().await?, Outlook::read(store, now).await?.next(now));
        Ok(wakeup.into_iter().chain(delivery).min())
    }

    /// Waits until nothing is due at the clock's present instant: no mark, no delivery, no report.
    ///
    /// # Errors
    /// Database faults, or no silence within fifteen seconds of real time.
    pub async fn quiet(&self) -> anyhow::Result<()> {
        let (mut silent, mut busy) = (0, None);
        for _ in 0..3_000 {
            busy = self.busy().await?;
            silent = if busy.is_some() { 0 } else { silent + 1 };
            if silent >= 2 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (why, due) = (busy.unwrap_or("it does not stay idle"), self.next_due().await?);
        anyhow::bail!("T-Minus was not idle within fifteen seconds: {why}; next due: {due:?}")
    }

    /// What is not done yet at the clock's present instant.
    async fn busy(&self) -> anyhow::Result<Option<&'static str>> {
        let now = self.desk.clock().now();
        Ok(if !self.desk.clock().is_confirmed() {
            Some("the time is not confirmed")
        } else if self.next_due().await?.is_some_and(|at| at <= now) {
            Some("work is due")
        } else if self.courier.under_way() > 0 || self.desk.lanes().has_taken() {
            Some("deliveries are under way")
        } else if !self.desk.store().reports().await?.is_empty() {
            Some("deliveries are not reported")
        } else {
            None
        })
    }

    /// The desk, for tests of what is stored.
    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Ends every part: nothing new is claimed, what was begun is finished.
    pub async fn stop(self) {
        self.stop.cancel();
        if tokio::time::timeout(SHUTDOWN, self.tasks.wait()).await.is_err() {
            tracing::warn!("tasks did not stop in time, unfinished work resumes at the next start");
        }
        let store = self.desk.store().clone();
        if self.desk.clock().is_confirmed()
            && let Err(fault) = store.note_alive(self.desk.clock().now()).await
        {
            tracing::warn!(error = &fault as &dyn std::error::Error, "shutdown time not recorded");
        }
        drop(self.desk);
        self.writer.abort();
        store.close().await;
    }
}
