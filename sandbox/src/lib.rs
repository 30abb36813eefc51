//! A small simulated Discord on loopback: REST and gateway, stateful, with Discord's documented limits, scripted faults, a
//! clock of its own, and a page to act on it as several people. It knows nothing of the bot that connects to it: stories,
//! captions and the closing card are data it is handed.

#![expect(missing_docs, reason = "fields and variants of plain data say what they are by their names")]

mod act;
mod clock;
mod control;
mod dice;
mod faults;
mod gateway;
mod json;
mod limits;
mod model;
mod moving;
mod page;
mod prometheus;
mod rest;
mod rules;
#[cfg(feature = "schema")]
mod schema;
mod story;
mod telling;
mod world;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::routing::get;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use act::{CannotAct, Options};
pub use clock::{SimClock, ran_ms, wall_ms};
pub use dice::Dice;
pub use faults::{CREATE, Fault, Right, Script};
pub use limits::{Counting, Limits, Way};
pub use model::{File, Logged, Message, Seen, StatusPost};
pub use story::{Act, Step, Tale};
pub use world::{ChannelSeed, Closing, PersonSeed, RoleSeed, Sample, SignalSeed, World};

use model::{Outgoing, State};
use rest::{Shared, lock};
use story::Player;

/// A future of a hook.
pub type Waiting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the sandbox asks of whoever runs the bot, so that advancing the clock visits every mark and waits for silence.
pub trait Bot: Send + Sync + std::fmt::Debug {
    /// When the bot will do something by itself next, in milliseconds.
    fn next_due(&self) -> Waiting<Option<i64>>;
    /// Resolves when the bot has nothing left to do at the present instant; an error says what is left.
    fn quiet(&self) -> Waiting<Result<(), String>>;
    /// A value of production moved: whoever watches it would tell the bot now, or not.
    fn signal(&self, name: &str, value: f64) -> Waiting<Result<(), String>>;
    /// Whether the bot says no with this message: a story stops where it did not expect that.
    fn refuses(&self, said: &Message) -> bool;
}

/// A running sandbox. Clones share it.
#[derive(Debug, Clone)]
pub struct Sandbox {
    pub(crate) shared: Shared,
    bot: Arc<Mutex<Option<Arc<dyn Bot>>>>,
    player: Arc<Mutex<Player>>,
    /// Shown when the story is over; beside the world, because the page has that locked.
    closing: Arc<Mutex<Option<Closing>>>,
    /// The story somebody asked for, to begin in a fresh world.
    wanted: Arc<watch::Sender<Option<String>>>,
    /// Somebody has asked [`Sandbox::wanted`], so stories can be begun from the page.
    tells: Arc<AtomicBool>,
    /// Held by whoever moves the world: the clock, values of production, a story's step, a fresh server.
    turn: Arc<tokio::sync::Mutex<()>>,
    address: SocketAddr,
    clock: SimClock,
    stop: CancellationToken,
}

/// How a sandbox is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    pub world: World,
    pub clock: SimClock,
    pub token: String,
    /// 0 takes a free port.
    pub port: u16,
    pub limits: Limits,
    /// Rules of whoever runs the bot, beside Discord's: by route and body, what is wrong.
    pub house: Option<fn(&str, &Value) -> Vec<String>>,
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
        let closing = setup.world.closing.clone();
        let mut state = State::new(setup.world, setup.clock.clone(), setup.token, setup.limits);
        state.base = format!("http://{address}");
        state.house = setup.house;
        #[cfg(feature = "schema")]
        if let Some(path) = &setup.openapi {
            state.schema = Some(schema::Checker::load(path).map_err(std::io::Error::other)?);
        }
        let shared: Shared = Arc::new(Mutex::new(state));
        let stop = CancellationToken::new();
        let sandbox = Self {
            shared: Arc::clone(&shared),
            bot: Arc::default(),
            player: Arc::default(),
            closing: Arc::new(Mutex::new(closing)),
            wanted: Arc::new(watch::channel(None).0),
            tells: Arc::default(),
            turn: Arc::default(),
            address,
            clock: setup.clock,
            stop: stop.clone(),
        };
        let socket = get(gateway::connect);
        let api = rest::routes(&shared).route("/ws", socket.clone()).route("/ws/", socket).with_state(shared);
        let app = api
            .merge(control::routes(sandbox.clone()))
            .merge(prometheus::routes(sandbox.clone()))
            .merge(page::routes(sandbox.clone()));
        // Answers go out at once: without this the kernel holds small ones back for tens of milliseconds.
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "could not set TCP_NODELAY");
            }
        });
        tokio::spawn(async move {
            let serving = axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned());
            if let Err(error) = serving.await {
                tracing::error!(%error, "sandbox server failed");
            }
        });
        Ok(sandbox)
    }

    /// The base URL of the API and of the page.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base URL of the metrics source: a Prometheus that answers queries for the world's signals.
    pub fn metrics_url(&self) -> String {
        format!("{}/prometheus", self.url())
    }

    /// The clock.
    pub fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// Names the bot whose marks are visited when the clock moves; `None` while it is away.
    pub fn attach(&self, bot: Option<Arc<dyn Bot>>) {
        *self.bot.lock().unwrap_or_else(PoisonError::into_inner) = bot;
    }

    fn bot(&self) -> Option<Arc<dyn Bot>> {
        self.bot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn player(&self) -> MutexGuard<'_, Player> {
        self.player.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Empties the world and sets the clock's instant for another story. The bot must be away.
    pub fn reset(&self, world: World) {
        let mut state = lock(&self.shared);
        for session in state.sessions.values_mut() {
            session.end(Outgoing::Drop);
        }
        let mut fresh = State::new(world, self.clock.clone(), state.token.clone(), state.buckets.limits());
        fresh.base.clone_from(&state.base);
        fresh.house = state.house;
        #[cfg(feature = "schema")]
        {
            fresh.schema = state.schema.take();
        }
        // The page's watchers go on watching.
        std::mem::swap(&mut fresh.changed, &mut state.changed);
        *state = fresh;
        state.touch();
    }

    /// Whether commands are registered: the bot is online.
    pub fn online(&self) -> bool {
        self.online_in(&lock(&self.shared))
    }

    pub(crate) fn online_in(&self, state: &State) -> bool {
        state.registered().next().is_some()
            && state.sessions.values().any(|s| s.live.as_ref().is_some_and(|live| !live.is_closed()))
    }

    pub(crate) fn closing(&self) -> Option<Closing> {
        self.closing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every value as it normally is, or as "break production" puts it.
    pub(crate) fn preset(&self, broken: bool) -> Vec<(String, f64)> {
        let state = lock(&self.shared);
        let value = |signal: &SignalSeed| if broken { signal.broken } else { signal.normal };
        state.world.signals.iter().map(|signal| (signal.name.clone(), value(signal))).collect()
    }

    /// Answers of 401, 403 and 429 so far.
    pub fn refused(&self) -> u64 {
        lock(&self.shared).buckets.invalid
    }

    /// The messages of a channel everybody sees, oldest first.
    pub fn messages(&self, channel: &str) -> Vec<Message> {
        let state = lock(&self.shared);
        let Some(id) = state.channel(channel).map(|c| c.id) else {
            return Vec::new();
        };
        state.in_channel(id).filter(|m| m.only.is_none()).cloned().collect()
    }

    /// What the status page says, oldest first.
    pub fn status_posts(&self) -> Vec<StatusPost> {
        lock(&self.shared).posts.clone()
    }

    /// Every request the bot made.
    pub fn requests(&self) -> Vec<Logged> {
        lock(&self.shared).log.iter().cloned().collect()
    }

    /// Where the bot broke one of Discord's limits; must be empty.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.shared).violations.clone()
    }

    /// Scripts faults for the next Create Message requests, in order.
    pub fn fail_next(&self, faults: &[Fault]) {
        for fault in faults {
            self.script(Script { route: CREATE.to_owned(), fault: *fault, times: Some(1), chance: 1.0 });
        }
    }

    /// Scripts a fault.
    pub fn script(&self, script: Script) {
        lock(&self.shared).faults.add(script);
    }

    /// Forgets the scripted faults that are left, and gives every right back.
    pub fn mend(&self) {
        let mut state = lock(&self.shared);
        state.faults.clear();
        state.revoked.clear();
    }

    /// Sends the newest interaction to the bot once more, as a resumed session may; false if there was none.
    pub fn repeat_interaction(&self) -> bool {
        let mut state = lock(&self.shared);
        let newest = state.newest_interaction.clone();
        newest.map(|body| state.dispatch("INTERACTION_CREATE", &body)).is_some()
    }

    /// Gives the bot another token; the one it had is not valid any more.
    pub fn set_token(&self, token: &str) {
        token.clone_into(&mut lock(&self.shared).token);
    }

    /// Removes the commands of every server, as an administrator would.
    pub fn forget_commands(&self) {
        lock(&self.shared).commands.clear();
    }

    /// Gives somebody these roles and no others, as an administrator would between two of their clicks.
    /// False if there is no such person.
    pub fn set_roles(&self, who: &str, roles: &[u64]) -> bool {
        let mut state = lock(&self.shared);
        let found = state.world.people.iter_mut().find(|person| person.username == who);
        found.map(|person| person.roles = roles.to_vec()).is_some()
    }

    /// Takes a right from the bot, or gives it back; everywhere or in one channel.
    /// False if there is no such channel.
    pub fn revoke(&self, right: Right, channel: Option<&str>, taken: bool) -> bool {
        let mut state = lock(&self.shared);
        let place = channel.map(|name| state.channel(name).map(|c| c.id));
        if place == Some(None) {
            return false;
        }
        let place = place.flatten();
        if taken {
            state.revoked.insert((place, right));
        } else {
            state.revoked.remove(&(place, right));
        }
        true
    }

    /// Answers history with an empty list, as Discord does without the right to read it.
    pub fn hide_history(&self, hidden: bool) {
        self.revoke(Right::ReadMessageHistory, None, hidden);
    }

    /// Deletes a message, as a moderator would; false if there is none.
    pub fn delete(&self, id: u64) -> bool {
        lock(&self.shared).forget(id).is_some()
    }

    /// Deletes a channel, as a moderator would; false if there is none.
    pub fn delete_channel(&self, name: &str) -> bool {
        let mut state = lock(&self.shared);
        let found = state.channel(name).map(|c| c.id);
        if let Some(id) = found {
            state.remove_channel(id);
        }
        found.is_some()
    }

    /// Drops every gateway connection without a word.
    pub fn drop_gateway(&self) {
        self.end_sessions(&Outgoing::Drop);
    }

    /// Closes every gateway connection with a code.
    pub fn close_gateway(&self, code: u16) {
        self.end_sessions(&Outgoing::Close(code));
    }

    /// Drops every gateway connection and takes no new one, or takes them again. A session that resumes is sent what it
    /// missed.
    pub fn shut_gateway(&self, shut: bool) {
        lock(&self.shared).gateway_shut = shut;
        if shut {
            self.drop_gateway();
        }
    }

    fn end_sessions(&self, how: &Outgoing) {
        for session in lock(&self.shared).sessions.values_mut() {
            session.end(how.clone());
        }
    }

    /// Stops serving.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}
