//! A small simulated Discord on loopback: REST and gateway, stateful, with Discord's documented limits, scripted faults, a
//! clock of its own, and a page to act on it as several people. It knows nothing of the bot that connects to it: stories,
//! captions and the closing card are data it is handed.

#![expect(missing_docs, reason = "fields and variants of plain data say what they are by their names")]

mod act;
mod clock;
mod control;
mod faults;
mod gateway;
mod json;
mod limits;
mod model;
mod page;
mod prometheus;
mod rest;
mod rules;
#[cfg(feature = "schema")]
mod schema;
mod story;
mod world;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use act::{CannotAct, Options};
pub use clock::{SimClock, wall_ms};
pub use faults::{CREATE, Fault, Right, Script};
pub use limits::Limits;
pub use model::{File, Logged, Message, Seen, StatusPost};
pub use story::{Act, Step, Tale};
pub use world::{ChannelSeed, Closing, PersonSeed, RoleSeed, Sample, SignalSeed, World};

use model::State;
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

/// How often what is due now is waited for, 20 ms apart.
const MARKS_AT_ONCE: usize = 250;
/// What is due this soon is waited for where a message is missed while a story's clock stands still: a retry, not a mark
/// of the story.
const SOON_MS: i64 = 10_000;
/// How long somebody at the page waits for the clock.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

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
                tracing::debug!(%error, "TCP_NODELAY could not be set");
            }
        });
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

    /// Sets the story the page plays.
    pub fn tell(&self, tale: Tale) {
        let mut player = self.player();
        let fresh = Player { tale, told: player.told + 1, ..Player::default() };
        let before = std::mem::replace(&mut *player, fresh);
        drop(player);
        if before.holds_clock {
            self.clock.set_running(true);
        }
        lock(&self.shared).touch();
    }

    /// Empties the world and sets the clock's instant for another story. The bot must be away.
    pub fn reset(&self, world: World) {
        let mut state = lock(&self.shared);
        for session in state.sessions.values_mut() {
            if let Some(live) = session.live.take() {
                drop(live.send(json!({ "control": "drop" })));
            }
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

    /// Asks for a story. No step is played until it begins.
    pub(crate) fn want(&self, name: &str) -> Result<(), &'static str> {
        if !self.tells() {
            return Err("Stories cannot be begun here.");
        }
        let mut player = self.player();
        if player.tale.name != name && !player.tale.others.iter().any(|(other, _)| other == name) {
            return Err("There is no such story.");
        }
        if player.busy {
            return Err("A step is being played; a moment.");
        }
        player.busy = true;
        drop(player);
        self.wanted.send_replace(Some(name.to_owned()));
        lock(&self.shared).touch();
        Ok(())
    }

    pub(crate) fn tells(&self) -> bool {
        self.tells.load(Ordering::Relaxed)
    }

    /// Waits until nobody moves the world, and keeps it still while the guard lives: before it is made anew.
    pub async fn still(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// The story that was asked for could not begin; the page says why.
    pub fn cannot_tell(&self, why: &str) {
        let mut player = self.player();
        player.busy = false;
        player.stuck = Some(why.to_owned());
        drop(player);
        lock(&self.shared).touch();
    }

    /// Resolves when somebody asks for a story, with its name. From the first call on the page offers stories; whoever asks
    /// must then begin it ([`Sandbox::tell`]) or say why not ([`Sandbox::cannot_tell`]).
    pub async fn wanted(&self) -> String {
        self.tells.store(true, Ordering::Relaxed);
        let mut wanted = self.wanted.subscribe();
        loop {
            let name = wanted.borrow_and_update().clone();
            if let Some(name) = name {
                self.wanted.send_replace(None);
                return name;
            }
            if wanted.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Whether commands are registered: the bot is online.
    pub fn online(&self) -> bool {
        self.online_in(&lock(&self.shared))
    }

    pub(crate) fn online_in(&self, state: &State) -> bool {
        !state.registered().is_empty()
            && state.sessions.values().any(|s| s.live.as_ref().is_some_and(|live| !live.is_closed()))
    }

    /// The next instant something is due at, once what is due now is done.
    async fn next_event(&self) -> Result<Option<i64>, String> {
        let Some(bot) = self.bot() else { return Ok(None) };
        for _ in 0..MARKS_AT_ONCE {
            bot.quiet().await?;
            let now = self.clock.now_ms();
            match bot.next_due().await {
                Some(due) if due <= now => {}
                later => return Ok(later),
            }
            // Something is due this very moment, and will be done as soon as the bot looks.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Err("the bot does not get done with what is due now".to_owned())
    }

    /// Moves the clock on until somebody would notice: a message in some channel. False if nothing is due.
    pub(crate) async fn advance_to_news(&self) -> Result<bool, String> {
        let newest = || lock(&self.shared).channels.values().filter_map(|c| c.last).max();
        let before = newest();
        let until = Instant::now() + PATIENCE;
        // Edits alone, such as a card's, are passed over; a bot that only edits has an end.
        for _ in 0..MARKS_AT_ONCE {
            let Some(due) = self.next_event().await? else { return Ok(false) };
            self.advance_until(due, Some(until)).await?;
            if newest() != before {
                break;
            }
        }
        lock(&self.shared).touch();
        Ok(true)
    }

    /// Moves the clock, visiting every mark on the way and waiting for silence at each.
    ///
    /// # Errors
    /// The bot found no silence.
    pub async fn advance_to(&self, to_ms: i64) -> Result<(), String> {
        self.advance_until(to_ms, None).await
    }

    /// The same for somebody who watches: where a fault makes the bot try for ever, the clock stops on the way and says so.
    pub(crate) async fn advance_watched(&self, to_ms: i64) -> Result<(), String> {
        self.advance_until(to_ms, Some(Instant::now() + PATIENCE)).await
    }

    async fn advance_until(&self, to_ms: i64, until: Option<Instant>) -> Result<(), String> {
        let Some(bot) = self.bot() else {
            self.clock.move_to(to_ms);
            return Ok(());
        };
        bot.quiet().await?;
        while let Some(due) = bot.next_due().await.filter(|due| *due <= to_ms) {
            self.clock.move_to(due.max(self.clock.now_ms()));
            bot.quiet().await?;
            if until.is_some_and(|until| Instant::now() > until) {
                return Err(
                    "The clock stopped on the way: something is tried again and again (is a fault in force?). \
                            Press again to go on."
                        .to_owned(),
                );
            }
        }
        self.clock.move_to(to_ms);
        bot.quiet().await
    }

    /// Moves values of production, by name, and lets whoever watches them tell the bot.
    ///
    /// # Errors
    /// No such value, or the bot did not take the news.
    pub async fn set_signals(&self, values: &[(String, f64)]) -> Result<(), String> {
        let bot = self.bot();
        for (name, value) in values {
            {
                let mut state = lock(&self.shared);
                let at = state.world.signals.iter().position(|signal| signal.name == *name);
                let at = at.ok_or_else(|| format!("there is no value called {name}"))?;
                let (min, max) = (state.world.signals[at].min, state.world.signals[at].max);
                state.signals[at] = value.clamp(min, max);
                state.touch();
            }
            if let Some(bot) = &bot {
                bot.signal(name, *value).await?;
            }
        }
        match bot {
            Some(bot) => bot.quiet().await,
            None => Ok(()),
        }
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

    /// Plays the next step of the story; false if it is over.
    ///
    /// # Errors
    /// The step cannot be done; a sentence says why.
    pub async fn play_next(&self) -> Result<bool, String> {
        let turn = self.still().await;
        // Whoever asked may go away meanwhile; the step is played to its end.
        let sandbox = self.clone();
        let playing = tokio::spawn(async move {
            let played = sandbox.play_now().await;
            drop(turn);
            played
        });
        playing.await.map_err(|broken| format!("the step ended abnormally: {broken}"))?
    }

    async fn play_now(&self) -> Result<bool, String> {
        // Before the player is locked: whoever shows the page locks the world first.
        let online = self.online();
        let (at, step) = {
            let mut player = self.player();
            if player.busy {
                return Err("A step is being played already.".to_owned());
            }
            if !online {
                return Err("The bot is not connected.".to_owned());
            }
            let at = player.next;
            let Some(step) = player.tale.steps.get(at).cloned() else { return Ok(false) };
            player.busy = true;
            if self.clock.is_running() {
                self.clock.set_running(false);
                player.holds_clock = true;
            }
            (at, step)
        };
        lock(&self.shared).step = Some(at);
        let outcome = self.play(&step).await;
        lock(&self.shared).step = None;
        let mut player = self.player();
        player.busy = false;
        match &outcome {
            Ok(_) => {
                player.next = at + 1;
                player.stuck = None;
                if player.next == player.tale.steps.len() && std::mem::take(&mut player.holds_clock) {
                    self.clock.set_running(true);
                }
            }
            Err(why) => player.stuck = Some(why.clone()),
        }
        drop(player);
        lock(&self.shared).touch();
        outcome.map(|_| true)
    }

    /// While the clock stands still, what is due within seconds is waited for in real time.
    async fn wait_for_retries(&self) -> Result<(), String> {
        let Some(bot) = self.bot() else { return Ok(()) };
        for _ in 0..MARKS_AT_ONCE {
            let now = self.clock.now_ms();
            let due = if self.clock.is_running() { None } else { bot.next_due().await };
            let Some(due) = due.filter(|due| due - now <= SOON_MS) else { return Ok(()) };
            tokio::time::sleep(std::time::Duration::from_millis((due - now).max(20).unsigned_abs())).await;
            self.clock.move_to(due);
            bot.quiet().await?;
        }
        Err("the bot does not get done with what is due now".to_owned())
    }

    /// Does one step of a story.
    ///
    /// # Errors
    /// The step cannot be done, or the bot refused what the story did not mean it to refuse; a sentence says why.
    pub async fn play(&self, step: &Step) -> Result<Seen, String> {
        let seen = self.perform(step).await?;
        if let (Seen::Message(said), Some(bot)) = (&seen, self.bot()) {
            match (bot.refuses(said), step.refused) {
                (true, false) => return Err(said.headline()),
                (false, true) => return Err(format!("it was to be refused, and was not: {}", said.headline())),
                _ => {}
            }
        }
        Ok(seen)
    }

    async fn perform(&self, step: &Step) -> Result<Seen, String> {
        let pairs = |list: &[(String, String)]| list.iter().map(|(a, b)| (a.clone(), b.clone())).collect::<Vec<_>>();
        let seen = match &step.act {
            Act::Slash { path, options, file } => {
                let options = pairs(options);
                let options: Vec<(&str, &str)> = options.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                let file = file.as_ref().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
                self.slash(&step.who, &step.channel, path, &options, file).await.map_err(|e| e.to_string())?
            }
            Act::Press { label, fill } => {
                let seen = match self.press(&step.who, &step.channel, label).await {
                    Ok(seen) => seen,
                    // The message may be on its way still: the bot was told to wait.
                    Err(_not_there_yet) => {
                        self.wait_for_retries().await?;
                        self.press(&step.who, &step.channel, label).await.map_err(|e| e.to_string())?
                    }
                };
                let Seen::Modal { data, .. } = &seen else {
                    return self.settled(seen).await;
                };
                let values: Vec<(&str, &str)> = fill.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                self.fill(&step.who, &step.channel, data, &values).await.map_err(|e| e.to_string())?
            }
            Act::Advance { to_ms } => {
                self.advance_to(*to_ms).await?;
                Seen::Acknowledged
            }
            Act::Post { url, bearer, body } => {
                let http = reqwest::Client::builder().no_proxy().build().map_err(|e| e.to_string())?;
                let answer = http.post(url).bearer_auth(bearer).json(body).send().await.map_err(|e| e.to_string())?;
                if !answer.status().is_success() {
                    return Err(format!("the bot answered {}", answer.status()));
                }
                Seen::Acknowledged
            }
            Act::Signals(values) => {
                self.set_signals(values).await?;
                Seen::Acknowledged
            }
            Act::Say(text) => {
                self.say(&step.who, &step.channel, text).map_err(|e| e.to_string())?;
                Seen::Acknowledged
            }
            Act::Publish { state, text } => {
                self.publish(&step.who, state, text).map_err(|e| e.to_string())?;
                Seen::Acknowledged
            }
        };
        if let Seen::Nothing = seen {
            return Err("the application did not respond".to_owned());
        }
        self.settled(seen).await
    }

    async fn settled(&self, seen: Seen) -> Result<Seen, String> {
        if let Some(bot) = self.bot() {
            bot.quiet().await?;
        }
        Ok(seen)
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
        self.end_sessions(&json!({ "control": "drop" }));
    }

    /// Closes every gateway connection with a code.
    pub fn close_gateway(&self, code: u16) {
        self.end_sessions(&json!({ "control": "close", "code": code }));
    }

    fn end_sessions(&self, how: &Value) {
        for session in lock(&self.shared).sessions.values_mut() {
            if let Some(live) = session.live.take() {
                drop(live.send(how.clone()));
            }
        }
    }

    /// Stops serving.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}
