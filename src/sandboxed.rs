//! The bot and its sandbox in one process: the simulated Discord, a seeded server, the story of one release. Used by
//! `tminus sandbox` and by the tests.

mod story;
mod world;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use chat_sandbox::{Bot, CREATE, Limits, Message, Sandbox, Setup, SimClock, Waiting};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use crate::app::{App, cannot_listen};
pub use crate::chat::rate::Limits as Asking;
use crate::clock::Clock;
pub use crate::clock::Machine;
use crate::config::{Config, Source, SourceKind};
use crate::desk::Ask;
use crate::domain::ids::WorkspaceId;
use crate::domain::people::Actor;
use crate::domain::release;
use crate::store::Purpose;
use crate::telemetry::LogFormat;

pub use story::{NAMES as STORIES, alert, t, tale};
pub use world::world;
use world::{GUILD, WATCHED, policy};

/// The plan of the stories, filled in the template.
pub const PLAN: &str = include_str!("../tests/data/plans/checkout-4.2.md");
/// The bearer token the sandbox's alert source uses.
pub const ALERT_TOKEN: &str = "sandbox-alert-token-of-24-bytes";
/// The bot token of the simulated Discord.
pub const BOT_TOKEN: &str = "sandbox-bot-token";
/// Where the sandbox's clock begins: 2026-12-07 12:00 UTC, 25 hours before the plan's T-0.
pub const BEGIN_MS: i64 = 1_796_644_800_000;

/// A story is told faster than people type.
pub const UNCOUNTED: Asking = Asking { person_per_minute: NonZeroU32::MAX, server_per_minute: NonZeroU32::MAX };

/// How the pair is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// The page's port; 0 takes a free one.
    pub port: u16,
    /// Shared by the bot and the simulated Discord.
    pub clock: SimClock,
    /// How much the bot may send.
    pub limits: Limits,
    /// The configuration file sets the server up. Otherwise `/tminus setup` does, or [`Sandboxed::set_up`].
    pub configured: bool,
    /// Status pages, as the configuration file has them.
    pub pages: String,
    /// How the clocks of the bot's machine differ from the sandbox's.
    pub machine: Machine,
    /// How much people may ask.
    pub asking: Asking,
}

/// The bot connected to its sandbox.
#[derive(Debug)]
pub struct Sandboxed {
    /// The simulated Discord.
    pub sandbox: Sandbox,
    /// The bot.
    pub app: Arc<App>,
    /// The intake's base URL.
    pub intake: String,
}

/// What the sandbox asks of the bot, and the Alertmanager of the shop beside it.
#[derive(Debug)]
struct Marks {
    app: Weak<App>,
    intake: String,
    clock: SimClock,
    /// Alerts that fire: since when, and the last value that made them.
    firing: Arc<Mutex<BTreeMap<&'static str, (i64, f64)>>>,
}

impl Bot for Marks {
    fn next_due(&self) -> Waiting<Option<i64>> {
        let app = self.app.upgrade();
        Box::pin(async move {
            match app {
                Some(app) => app.next_due().await.ok().flatten().map(Timestamp::as_millisecond),
                None => None,
            }
        })
    }

    fn quiet(&self) -> Waiting<Result<(), String>> {
        let app = self.app.upgrade();
        Box::pin(async move {
            match app {
                Some(app) => app.quiet().await.map_err(|error| error.to_string()),
                None => Ok(()),
            }
        })
    }

    fn signal(&self, name: &str, value: f64) -> Waiting<Result<(), String>> {
        let told = WATCHED.iter().find(|watched| watched.metric == name).and_then(|watched| {
            let now = self.clock.now_ms();
            let mut firing = self.firing.lock().unwrap_or_else(PoisonError::into_inner);
            let beyond = if watched.above { value > watched.threshold } else { value < watched.threshold };
            if beyond {
                let entry = firing.entry(watched.alert).or_insert((now, value));
                entry.1 = value;
                return Some((watched, *entry, true));
            }
            // A resolved alert carries the value it last fired with.
            firing.remove(watched.alert).map(|entry| (watched, entry, false))
        });
        let intake = self.intake.clone();
        Box::pin(async move {
            let Some((watched, (since, value), fires)) = told else { return Ok(()) };
            let body = story::notification(watched, since, &format!("{value}{}", watched.unit), fires);
            let http = reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())?;
            let sent = http.post(format!("{intake}/hooks/alertmanager/sandbox")).bearer_auth(ALERT_TOKEN).json(&body);
            let answer = sent.send().await.map_err(|error| error.to_string())?;
            if answer.status().is_success() { Ok(()) } else { Err(format!("the bot answered {}", answer.status())) }
        })
    }

    /// Refusals are the one kind of message that begins so and is said to one person alone.
    fn refuses(&self, said: &Message) -> bool {
        said.only.is_some() && said.headline().starts_with("⛔ You can't")
    }
}

/// The house's own rule: whatever says something names who may be mentioned.
fn house(route: &str, body: &Value) -> Vec<String> {
    let says = if route.ends_with("/callback") {
        matches!(body["type"].as_u64(), Some(4 | 7)).then_some(&body["data"])
    } else {
        (route == CREATE || route.starts_with("PATCH /channels/") || route.contains("/webhooks/")).then_some(body)
    };
    match says {
        Some(body) if body.is_object() && !body["allowed_mentions"].is_object() => {
            vec!["allowed_mentions is missing".to_owned()]
        }
        _ => Vec::new(),
    }
}

/// The configuration of a bot that connects to a sandbox at `api_url`.
fn config(api_url: String, database: &Path) -> Config {
    Config {
        token: SecretString::from(BOT_TOKEN.to_owned()),
        token_file: None,
        api_url,
        database: database.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        sources: vec![Source {
            name: "sandbox".to_owned(),
            kind: SourceKind::Alertmanager,
            server: WorkspaceId(GUILD.to_string()),
            secret: SecretString::from(ALERT_TOKEN.to_owned()),
        }],
        pages: Vec::new(),
        limits: UNCOUNTED,
        log_format: LogFormat::Human,
        log_filter: "info".to_owned(),
        workspaces: vec![(WorkspaceId(GUILD.to_string()), policy())],
    }
}

impl Sandboxed {
    /// Starts the sandbox, then the bot, and waits until it is online.
    ///
    /// # Errors
    /// A port, a file or the database cannot be used, or the bot did not come online.
    pub async fn start(options: Options, database: &Path) -> anyhow::Result<Self> {
        let setup = Setup {
            world: world(),
            clock: options.clock,
            token: BOT_TOKEN.to_owned(),
            port: options.port,
            limits: options.limits,
            house: Some(house),
            openapi: std::env::var_os("DISCORD_OPENAPI").map(Into::into),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], options.port));
        let sandbox = Sandbox::start(setup).await.map_err(|error| {
            cannot_listen(address, error, "Stop that program, or choose another port: `--port 0` takes a free one.")
        })?;
        let clock = Clock::machine(sandbox.clock().clone(), options.machine);
        let mut config = config(sandbox.url(), database);
        config.limits = options.asking;
        Self::join(sandbox, config, clock, options.configured, &options.pages).await
    }

    /// Starts the bot against a sandbox that runs already: a restart.
    ///
    /// # Errors
    /// As [`Sandboxed::start`].
    pub async fn connect(
        sandbox: Sandbox,
        database: &Path,
        configured: bool,
        pages: &str,
        machine: Machine,
    ) -> anyhow::Result<Self> {
        let clock = Clock::machine(sandbox.clock().clone(), machine);
        let config = config(sandbox.url(), database);
        Self::join(sandbox, config, clock, configured, pages).await
    }

    async fn join(
        sandbox: Sandbox,
        mut config: Config,
        clock: Clock,
        configured: bool,
        pages: &str,
    ) -> anyhow::Result<Self> {
        config.pages = crate::config::pages(pages)?;
        if !configured {
            config.workspaces.clear();
        }
        let app = App::start(config, clock, Purpose::Sandbox).await?;
        let intake = format!("http://{}", app.intake);
        let app = Arc::new(app);
        sandbox.attach(Some(Arc::new(Marks {
            app: Arc::downgrade(&app),
            intake: intake.clone(),
            clock: sandbox.clock().clone(),
            firing: Arc::default(),
        })));
        for _ in 0..1_000 {
            if app.ready() && sandbox.online() {
                return Ok(Self { sandbox, app, intake });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::bail!("the bot did not come online within ten seconds")
    }

    /// Stores the seeded server's settings as `/tminus setup` would: chat may change them. Posts no test messages.
    ///
    /// # Errors
    /// The settings were not recorded.
    pub async fn set_up(&self) -> anyhow::Result<()> {
        let server = WorkspaceId(GUILD.to_string());
        let ask = Ask::Configure { server, actor: Actor::File, policy: Box::new(policy()) };
        self.app.desk().ask(ask).await?;
        Ok(())
    }

    /// Checks the journal: its chain, and that replaying it gives each stored state. Returns the number of entries.
    ///
    /// # Errors
    /// A sentence that says what does not fit.
    pub async fn check_journal(&self) -> anyhow::Result<i64> {
        let store = self.app.desk().store();
        let head = crate::store::verify(store, None).await?;
        let entries = head.map_err(|broken| anyhow::anyhow!("the hash chain is broken: {broken:?}"))?.seq;
        for head in store.list_releases(&WorkspaceId(GUILD.to_string())).await? {
            let journal: Vec<_> = store.history(head.id).await?.into_iter().map(|e| e.recorded).collect();
            let replayed = release::Release::replay(&journal);
            anyhow::ensure!(
                replayed == store.read_release(head.id).await?,
                "replaying the journal of {} gives another state",
                head.no
            );
        }
        Ok(entries)
    }

    /// Ends the bot; the sandbox goes on.
    ///
    /// # Errors
    /// Somebody still uses the bot after ten seconds, and it goes on.
    pub async fn stop_bot(self) -> anyhow::Result<()> {
        let Self { app, sandbox, .. } = self;
        sandbox.attach(None);
        for _ in 0..1_000 {
            if Arc::strong_count(&app) == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let app = Arc::try_unwrap(app).map_err(|_in_use| anyhow::anyhow!("the bot is still busy"))?;
        app.stop().await;
        Ok(())
    }
}
