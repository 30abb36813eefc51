//! A small simulated Discord on loopback: REST and gateway, stateful, with Discord's documented limits, scripted faults, a
//! clock of its own and a plain page. It knows nothing of the bot that connects to it.

#![expect(missing_docs, reason = "fields and variants of plain data say what they are by their names")]

mod act;
mod clock;
mod gateway;
mod model;
mod page;
mod rest;
mod rules;
#[cfg(feature = "schema")]
mod schema;
mod world;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};

use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use act::{CannotAct, Options};
pub use clock::{SimClock, wall_ms};
pub use model::{Fault, Logged, Message, Seen};
pub use world::{ChannelSeed, PersonSeed, RoleSeed, World};

use model::State;
use rest::{Shared, lock};

/// A future of a hook.
pub type Waiting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the sandbox asks of whoever runs the bot, so that advancing the clock visits every mark and waits for silence.
pub trait Bot: Send + Sync + std::fmt::Debug {
    /// When the bot will do something by itself next, in milliseconds.
    fn next_due(&self) -> Waiting<Option<i64>>;
    /// Resolves when the bot has nothing left to do at the present instant; an error says what is left.
    fn quiet(&self) -> Waiting<Result<(), String>>;
}

/// One step of a story.
#[derive(Debug, Clone)]
pub struct Step {
    pub caption: String,
    pub who: String,
    pub channel: String,
    pub act: Act,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Act {
    /// A slash command with its options, and a file for an attachment.
    Slash { path: String, options: Vec<(String, String)>, file: Option<(String, Vec<u8>)> },
    /// A button; a form that opens is filled with these values.
    Press { label: String, fill: Vec<(String, String)> },
    /// The clock moves to this instant, visiting every mark on the way.
    Advance { to_ms: i64 },
    /// An HTTP POST with a JSON body and a bearer token, such as an alert.
    Post { url: String, bearer: String, body: serde_json::Value },
}

/// A running sandbox. Clones share it.
#[derive(Debug, Clone)]
pub struct Sandbox {
    pub(crate) shared: Shared,
    pub(crate) bot: Arc<OnceLock<Arc<dyn Bot>>>,
    pub(crate) story: Arc<Mutex<Story>>,
    address: SocketAddr,
    clock: SimClock,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
pub(crate) struct Story {
    pub(crate) steps: Vec<Step>,
    pub(crate) next: usize,
    pub(crate) last: String,
}

/// How a sandbox is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    pub world: World,
    pub clock: SimClock,
    pub token: String,
    /// 0 takes a free port.
    pub port: u16,
    /// Messages per channel and five seconds; Discord's is about 5.
    pub per_five_seconds: u32,
    /// Discord's published OpenAPI document; bodies both ways are held against it (with the feature `schema`).
    pub openapi: Option<std::path::PathBuf>,
}

impl Sandbox {
    /// Starts on loopback.
    ///
    /// # Errors
    /// The port cannot be used.
    pub async fn start(setup: Setup) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", setup.port)).await?;
        let address = listener.local_addr()?;
        let mut state = State::new(setup.world, setup.clock.clone(), setup.token, setup.per_five_seconds);
        state.base = format!("http://{address}");
        #[cfg(feature = "schema")]
        if let Some(path) = &setup.openapi {
            state.schema = Some(schema::Checker::load(path).map_err(std::io::Error::other)?);
        }
        let shared: Shared = Arc::new(Mutex::new(state));
        let stop = CancellationToken::new();
        let sandbox = Self {
            shared: Arc::clone(&shared),
            bot: Arc::default(),
            story: Arc::default(),
            address,
            clock: setup.clock,
            stop: stop.clone(),
        };
        let api = rest::routes().route("/ws", get(gateway::connect)).with_state(shared);
        let app = api.merge(page::routes(sandbox.clone()));
        tokio::spawn(async move {
            let serving = axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned());
            if let Err(error) = serving.await {
                tracing::error!(%error, "The sandbox's server failed");
            }
        });
        Ok(sandbox)
    }

    /// The base URL of the API and of the page.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The clock.
    pub fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// Names the bot whose marks are visited when the clock moves.
    pub fn attach(&self, bot: Arc<dyn Bot>) {
        drop(self.bot.set(bot));
    }

    /// The same sandbox for another bot, after a restart.
    pub fn without_bot(mut self) -> Self {
        self.bot = Arc::default();
        self
    }

    /// Sets the story the page plays.
    pub fn tell(&self, steps: Vec<Step>) {
        *self.story.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Story { steps, ..Story::default() };
    }

    /// Whether commands are registered: the bot is online.
    pub fn online(&self) -> bool {
        let state = lock(&self.shared);
        state.commands.contains_key(&state.world.guild)
    }

    /// Moves the clock, visiting every mark on the way and waiting for silence at each.
    ///
    /// # Errors
    /// The bot found no silence.
    pub async fn advance_to(&self, to_ms: i64) -> Result<(), String> {
        let Some(bot) = self.bot.get().cloned() else {
            self.clock.move_to(to_ms);
            return Ok(());
        };
        bot.quiet().await?;
        while let Some(due) = bot.next_due().await.filter(|due| *due <= to_ms) {
            self.clock.move_to(due.max(self.clock.now_ms()));
            bot.quiet().await?;
        }
        self.clock.move_to(to_ms);
        bot.quiet().await
    }

    /// Does one step of a story.
    ///
    /// # Errors
    /// The step cannot be done; a sentence says why.
    pub async fn play(&self, step: &Step) -> Result<Seen, String> {
        let pairs = |list: &[(String, String)]| list.iter().map(|(a, b)| (a.clone(), b.clone())).collect::<Vec<_>>();
        let seen = match &step.act {
            Act::Slash { path, options, file } => {
                let options = pairs(options);
                let options: Vec<(&str, &str)> = options.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                let file = file.as_ref().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
                self.slash(&step.who, &step.channel, path, &options, file).await.map_err(|e| e.to_string())?
            }
            Act::Press { label, fill } => {
                let seen = self.press(&step.who, &step.channel, label).await.map_err(|e| e.to_string())?;
                let Seen::Modal { data, .. } = &seen else {
                    return self.settled(seen).await;
                };
                let values: Vec<(&str, &str)> = fill.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                self.fill(&step.who, &step.channel, data, &values).await.map_err(|e| e.to_string())?
            }
            Act::Advance { to_ms } => {
                self.advance_to(*to_ms).await?;
                Seen::Nothing
            }
            Act::Post { url, bearer, body } => {
                let http = reqwest::Client::builder().no_proxy().build().map_err(|e| e.to_string())?;
                let answer = http.post(url).bearer_auth(bearer).json(body).send().await.map_err(|e| e.to_string())?;
                if !answer.status().is_success() {
                    return Err(format!("the bot answered {}", answer.status()));
                }
                Seen::Nothing
            }
        };
        self.settled(seen).await
    }

    async fn settled(&self, seen: Seen) -> Result<Seen, String> {
        if let Some(bot) = self.bot.get().cloned() {
            bot.quiet().await?;
        }
        Ok(seen)
    }

    /// The messages of a channel everybody sees, oldest first.
    pub fn messages(&self, channel: &str) -> Vec<Message> {
        let state = lock(&self.shared);
        let Some(id) = state.world.channel(channel).map(|c| c.id) else {
            return Vec::new();
        };
        state.messages.values().filter(|m| m.channel == id && m.only.is_none()).cloned().collect()
    }

    /// Every request the bot made.
    pub fn requests(&self) -> Vec<Logged> {
        lock(&self.shared).log.clone()
    }

    /// Where the bot broke one of Discord's limits; must be empty.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.shared).violations.clone()
    }

    /// Scripts faults for the next Create Message requests, in order.
    pub fn fail_next(&self, faults: &[Fault]) {
        lock(&self.shared).faults.extend(faults);
    }

    /// Forgets the scripted faults that are left.
    pub fn mend(&self) {
        lock(&self.shared).faults.clear();
    }

    /// Answers history with an empty list, as Discord does without the right to read it.
    pub fn hide_history(&self, hidden: bool) {
        lock(&self.shared).unreadable = hidden;
    }

    /// Deletes a message, as a moderator would.
    pub fn delete(&self, id: u64) {
        lock(&self.shared).messages.remove(&id);
    }

    /// Drops every gateway connection without a word.
    pub fn drop_gateway(&self) {
        for session in lock(&self.shared).sessions.values_mut() {
            if let Some(live) = session.live.take() {
                drop(live.send(serde_json::json!({ "drop": true })));
            }
        }
    }

    /// Stops serving.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}
