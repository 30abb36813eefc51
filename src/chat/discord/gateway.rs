//! The gateway: serenity's client, kept to what it does well. Commands are registered per server as it appears; each
//! interaction is handled in a task of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret;
use serenity::all::{ClientBuilder, Context, EventHandler, Guild, Interaction, Ready, UnavailableGuild};
use serenity::async_trait;
use serenity::http::HttpBuilder;
use serenity::model::gateway::GatewayIntents;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::handle::{Handler, TOLD_AT_ONCE};
use super::owner;
use super::registration::Registrations;
use super::rest::{Rest, http_client};
use crate::chat::rate::{Limits, Rate};
use crate::chat::token::Token;
use crate::desk::Desk;
use crate::domain::ids::WorkspaceId;

/// What the gateway is told.
#[derive(Debug, Clone)]
pub struct Settings {
    pub token: Token,
    /// Base URL of the API, such as `https://discord.com`.
    pub api_url: String,
    /// Servers whose settings come from the configuration file.
    pub by_file: Arc<std::collections::BTreeSet<WorkspaceId>>,
    /// How much may be asked of it.
    pub limits: Limits,
}

/// Whether the gateway is connected and each server has its commands, for readiness.
#[derive(Debug, Default)]
pub struct GatewayHealth {
    ready: AtomicBool,
    /// READY came at least once: the token and the address were right.
    proved: AtomicBool,
    pub registrations: Registrations,
    /// What the file gives servers that is another server's, with the reasons.
    misplaced: Mutex<BTreeMap<WorkspaceId, Vec<String>>>,
}

impl GatewayHealth {
    /// Servers whose settings in the file name what is another server's, with the reasons.
    pub fn misplaced(&self) -> BTreeMap<WorkspaceId, Vec<String>> {
        self.misplaced.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Checks whose the channels and roles are that the file gives a server. Nothing is sent into another server's channel anyway.
    async fn look_at(&self, handler: &Handler, guild: &WorkspaceId) {
        if !handler.by_file.contains(guild) {
            return;
        }
        let policy = match handler.desk.store().read_workspace(guild).await {
            Ok(workspace) => workspace.policy,
            Err(fault) => {
                tracing::error!(%guild, error = &fault as &dyn std::error::Error, "settings not read");
                return;
            }
        };
        match handler.rest.foreign(guild, &policy).await {
            Ok(found) => {
                for what in &found {
                    tracing::error!(%guild, what, "configuration names a channel or role of another server, nothing is sent there");
                }
                let mut misplaced = self.misplaced.lock().unwrap_or_else(PoisonError::into_inner);
                misplaced.insert(guild.clone(), found);
            }
            Err(fault) => tracing::warn!(%guild, %fault, "channels and roles of the configuration not checked"),
        }
    }

    /// READY came since the last disconnect.
    pub fn ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }
}

/// Why the gateway ended.
#[derive(Debug, thiserror::Error)]
pub enum GatewayFault {
    #[error("cannot build the HTTP client")]
    Http(#[source] reqwest::Error),
    #[error("discord.api_url is on loopback, so the gateway must be on loopback too, not {0}")]
    NotLocal(String),
    #[error("the Discord gateway failed")]
    Gateway(#[source] Box<serenity::Error>),
}

struct Events {
    handler: Handler,
    health: Arc<GatewayHealth>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

#[async_trait]
impl EventHandler for Events {
    async fn ready(&self, _: Context, ready: Ready) {
        self.health.ready.store(true, Ordering::Relaxed);
        self.health.proved.store(true, Ordering::Relaxed);
        tracing::info!(bot = %ready.user.name, guilds = ready.guilds.len(), "connected to Discord");
    }

    async fn resume(&self, _: Context, _: serenity::model::event::ResumedEvent) {
        self.health.ready.store(true, Ordering::Relaxed);
    }

    async fn guild_create(&self, context: Context, guild: Guild, _: Option<bool>) {
        let application = context.http.application_id().map(|id| id.get()).unwrap_or_default();
        let (id, handler) = (WorkspaceId(guild.id.to_string()), self.handler.clone());
        self.handler.rest.owners().note(&id, owner::channels_of(&guild));
        let misplaced = Arc::clone(&self.health);
        self.tasks.spawn(async move { misplaced.look_at(&handler, &id).await });
        let (rest, health, stop) = (self.handler.rest.clone(), Arc::clone(&self.health), self.stop.clone());
        self.tasks.spawn(async move {
            health.registrations.run(&rest, application, guild.id.get(), &stop).await;
        });
    }

    async fn guild_delete(&self, _: Context, guild: UnavailableGuild, _: Option<Guild>) {
        tracing::warn!(server = %guild.id, unavailable = guild.unavailable, "server removed or unavailable");
        if !guild.unavailable {
            self.health.registrations.forget(guild.id.get());
        }
    }

    async fn interaction_create(&self, _: Context, interaction: Interaction) {
        let handler = self.handler.clone();
        self.tasks.spawn(async move { handler.handle(interaction).await });
    }
}

/// Whether Discord refused the token.
fn refuses_token(error: &serenity::Error) -> bool {
    use serenity::gateway::GatewayError::InvalidAuthentication;
    match error {
        serenity::Error::Gateway(error) => matches!(error, InvalidAuthentication),
        serenity::Error::Http(error) => error.status_code().is_some_and(|status| status.as_u16() == 401),
        _ => false,
    }
}

/// Whether trying again does not help: the gateway closed for good. A token is waited for if it was good once.
fn is_lasting(error: &serenity::Error, proved: bool) -> bool {
    if refuses_token(error) { !proved } else { matches!(error, serenity::Error::Gateway(_)) }
}

/// Whether a URL's host is on this machine.
pub fn is_loopback(url: &str) -> bool {
    reqwest::Url::parse(url).ok().is_some_and(|u| match u.host_str() {
        Some("localhost") => true,
        Some(host) => host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        None => false,
    })
}

/// Runs the gateway until cancelled. A token that is refused after it was good is waited for.
///
/// # Errors
/// A fault that a retry does not fix, such as a token that is refused at the start.
pub async fn run(
    settings: Settings,
    desk: Desk,
    rest: Rest,
    health: Arc<GatewayHealth>,
    tasks: TaskTracker,
    stop: CancellationToken,
) -> Result<(), GatewayFault> {
    let http = http_client().map_err(GatewayFault::Http)?;
    let local = is_loopback(&settings.api_url);
    let handler = Handler {
        desk,
        rest,
        http: http.clone(),
        local: local.then(|| settings.api_url.clone()),
        by_file: Arc::clone(&settings.by_file),
        rate: Arc::new(Rate::new(settings.limits)),
        telling: Arc::new(Semaphore::new(TOLD_AT_ONCE)),
        missed: Arc::default(),
    };
    let mut pause = Duration::from_millis(500);
    loop {
        // serenity ignores a base URL while its own limiter is on; ours limits what we send.
        let discord = HttpBuilder::new(settings.token.value().expose_secret())
            .client(http.clone())
            .proxy(settings.api_url.trim_end_matches('/'))
            .ratelimiter_disabled(true)
            .build();
        let events =
            Events { handler: handler.clone(), health: Arc::clone(&health), tasks: tasks.clone(), stop: stop.clone() };
        let built = ClientBuilder::new_with_http(discord, GatewayIntents::GUILDS).event_handler(events).await;
        let ended = match built {
            Ok(mut client) => {
                let url = client.ws_url.lock().await.clone();
                if local && !is_loopback(&url) {
                    return Err(GatewayFault::NotLocal(url));
                }
                let shards = Arc::clone(&client.shard_manager);
                tokio::select! {
                    ended = client.start() => ended,
                    () = stop.cancelled() => {
                        shards.shutdown_all().await;
                        return Ok(());
                    }
                }
            }
            Err(error) => Err(error),
        };
        health.ready.store(false, Ordering::Relaxed);
        match ended {
            Ok(()) => tracing::warn!("gateway closed, reconnecting"),
            Err(error) if is_lasting(&error, health.proved.load(Ordering::Relaxed)) => {
                return Err(GatewayFault::Gateway(Box::new(error)));
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "gateway failed, reconnecting");
                if refuses_token(&error) {
                    settings.token.doubt();
                    tokio::select! {
                        () = settings.token.until(true) => {}
                        () = stop.cancelled() => return Ok(()),
                    }
                }
            }
        }
        // A crash loop of identifies can cost the token: back off.
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return Ok(()),
        }
        pause = (pause * 2).min(Duration::from_secs(90));
    }
}
