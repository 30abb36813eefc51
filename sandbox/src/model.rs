//! The state of the simulated Discord. One lock; no I/O here.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::SimClock;
use crate::faults::{Faults, Right};
use crate::limits::{Buckets, Limits};
use crate::world::World;

/// Discord's epoch in milliseconds.
const EPOCH_MS: i64 = 1_420_070_400_000;
/// How long a nonce is remembered, on the sandbox's clock.
const NONCE_WINDOW_MS: i64 = 120_000;
/// How long an interaction's token lives, on the sandbox's clock.
pub(crate) const TOKEN_MS: i64 = 15 * 60_000;
/// Events kept for a session that resumes.
const REPLAY: usize = 1_000;
/// Requests remembered; bodies only of the newest.
const LOG: usize = 20_000;
const BODIES: usize = 200;
/// Messages for one person only are forgotten beyond these.
pub(crate) const EPHEMERAL: usize = 400;

/// A file of a message.
#[derive(Debug, Clone)]
pub struct File {
    pub id: u64,
    pub name: String,
    /// What a screen reader says of a picture.
    pub description: Option<String>,
    pub bytes: Vec<u8>,
}

/// A message as stored.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: u64,
    pub channel: u64,
    pub body: Value,
    pub at_ms: i64,
    pub edited_ms: Option<i64>,
    /// Seen by this person only.
    pub only: Option<u64>,
    /// Who wrote it; `None` for the bot.
    pub author: Option<u64>,
    /// Who used a command, for an interaction's answer, and which.
    pub by: Option<(u64, String)>,
    pub files: Vec<File>,
    pub pinned: bool,
    /// Whether it mentioned somebody when it was posted; an edit pings nobody.
    pub pinged: bool,
    /// The story's step it came in, from 0.
    pub step: Option<usize>,
}

impl Message {
    /// What it says, in one line: its text, or its embed's title and description.
    pub fn headline(&self) -> String {
        let embed = &self.body["embeds"][0];
        let said = [&self.body["content"], &embed["title"], &embed["description"]];
        let said = said.into_iter().filter_map(Value::as_str).filter(|text| !text.is_empty());
        let text = said.collect::<Vec<_>>().join(": ");
        if text.is_empty() { "a message".to_owned() } else { text.replace('\n', " ").chars().take(200).collect() }
    }

    /// The first file's name and bytes.
    pub fn file(&self) -> Option<(String, Vec<u8>)> {
        self.files.first().map(|file| (file.name.clone(), file.bytes.clone()))
    }
}

/// What an interaction led to, as its user sees it.
#[derive(Debug, Clone)]
pub enum Seen {
    /// A message, seen by the user alone or by everybody.
    Message(Message),
    /// A form to fill: its custom id and its body.
    Modal { custom_id: String, data: Value },
    /// Names for the option being typed.
    Choices(Vec<(String, String)>),
    /// Acknowledged without a word.
    Acknowledged,
    /// Nothing came within the time.
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Interaction {
    pub(crate) user: u64,
    pub(crate) channel: u64,
    pub(crate) at_ms: i64,
    /// `/release import`, or what was pressed.
    pub(crate) used: String,
    /// The message a button or menu stands on.
    pub(crate) source: Option<u64>,
    pub(crate) acked: bool,
    pub(crate) original: Option<u64>,
    pub(crate) answer: Option<oneshot::Sender<Seen>>,
    /// The answer was deferred: the edit brings it. True for one seen by its user only.
    pub(crate) deferred: Option<bool>,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) seq: u64,
    pub(crate) intents: u64,
    /// What was sent, with its number.
    pub(crate) events: VecDeque<(u64, Arc<str>)>,
    pub(crate) live: Option<mpsc::UnboundedSender<Outgoing>>,
}

/// What goes out on a connection.
#[derive(Debug, Clone)]
pub(crate) enum Outgoing {
    Payload(Arc<str>),
    /// The connection ends without a word.
    Drop,
    /// It ends with a code.
    Close(u16),
}

/// A channel or a thread.
#[derive(Debug, Clone)]
pub(crate) struct Channel {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) topic: String,
    pub(crate) category: String,
    /// The channel a thread belongs to.
    pub(crate) parent: Option<u64>,
    pub(crate) last: Option<u64>,
    /// It is the second server's.
    pub(crate) foreign: bool,
}

/// A request a bot made, with the verdict of the rules.
#[derive(Debug, Clone)]
pub struct Logged {
    pub no: u64,
    pub at_ms: i64,
    pub method: String,
    /// `POST /channels/{}/messages`.
    pub route: String,
    pub path: String,
    pub status: u16,
    /// In microseconds of real time.
    pub took_us: u64,
    pub request: Value,
    pub answer: Value,
    /// What the rules and the schema had against it.
    pub bad: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: SimClock,
    pub(crate) world: World,
    pub(crate) token: String,
    /// The gateway takes no connection.
    pub(crate) gateway_shut: bool,
    pub(crate) base: String,
    pub(crate) app: u64,
    pub(crate) channels: BTreeMap<u64, Channel>,
    pub(crate) messages: BTreeMap<(u64, u64), Message>,
    pub(crate) place: HashMap<u64, u64>,
    pub(crate) ephemeral: VecDeque<u64>,
    pub(crate) commands: HashMap<u64, Value>,
    /// The newest interaction as it was sent.
    pub(crate) newest_interaction: Option<Value>,
    pub(crate) interactions: HashMap<String, Interaction>,
    pub(crate) tokens: HashMap<String, String>,
    old_tokens: VecDeque<(i64, String, String)>,
    pub(crate) files: HashMap<u64, (String, Vec<u8>)>,
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) scheduled: BTreeMap<u64, Value>,
    pub(crate) log: VecDeque<Logged>,
    logged: u64,
    pub(crate) violations: Vec<String>,
    /// Rules of whoever runs the bot, beside Discord's.
    pub(crate) house: Option<fn(&str, &Value) -> Vec<String>>,
    pub(crate) faults: Faults,
    /// Rights the bot has not, everywhere (`None`) or in one channel.
    pub(crate) revoked: BTreeSet<(Option<u64>, Right)>,
    pub(crate) buckets: Buckets,
    /// The newest message each person has seen in each channel.
    pub(crate) read: HashMap<(u64, u64), u64>,
    /// Forms that are open, by a number.
    pub(crate) forms: HashMap<u64, Form>,
    pub(crate) forms_opened: u64,
    /// Values of production, in the order of the seeds.
    pub(crate) signals: Vec<f64>,
    /// What the status page says, oldest first.
    pub(crate) posts: Vec<StatusPost>,
    /// The story's step being played, from 0.
    pub(crate) step: Option<usize>,
    #[cfg(feature = "schema")]
    pub(crate) schema: Option<Arc<crate::schema::Checker>>,
    nonces: VecDeque<(String, i64, u64)>,
    last_id: u64,
    pub(crate) changed: watch::Sender<u64>,
}

/// A form somebody has open.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) who: u64,
    pub(crate) data: Value,
}

/// What a post on the status page can say of the service, mildest first.
pub(crate) const STANDINGS: [&str; 5] =
    ["Scheduled maintenance", "In progress", "Degraded performance", "Outage", "Completed"];

/// A post on the simulated status page.
#[derive(Debug, Clone)]
pub struct StatusPost {
    pub at_ms: i64,
    pub who: String,
    pub state: String,
    pub text: String,
}

impl State {
    pub(crate) fn new(world: World, clock: SimClock, token: String, limits: Limits) -> Self {
        let channel = |seed: &crate::world::ChannelSeed, foreign: bool| Channel {
            id: seed.id,
            name: seed.name.clone(),
            topic: seed.topic.clone(),
            category: seed.category.clone(),
            parent: None,
            last: None,
            foreign,
        };
        let own = world.channels.iter().map(|seed| (seed.id, channel(seed, false)));
        let others = world.other_channels.iter().map(|seed| (seed.id, channel(seed, true)));
        Self {
            channels: own.chain(others).collect(),
            signals: world.signals.iter().map(|signal| signal.normal).collect(),
            clock,
            world,
            token,
            gateway_shut: false,
            base: String::new(),
            app: 900_000_000_000_000_001,
            messages: BTreeMap::new(),
            place: HashMap::new(),
            ephemeral: VecDeque::new(),
            commands: HashMap::new(),
            newest_interaction: None,
            interactions: HashMap::new(),
            tokens: HashMap::new(),
            old_tokens: VecDeque::new(),
            files: HashMap::new(),
            sessions: BTreeMap::new(),
            scheduled: BTreeMap::new(),
            log: VecDeque::new(),
            logged: 0,
            violations: Vec::new(),
            house: None,
            faults: Faults::default(),
            revoked: BTreeSet::new(),
            buckets: Buckets::new(limits),
            read: HashMap::new(),
            forms: HashMap::new(),
            forms_opened: 0,
            posts: Vec::new(),
            step: None,
            #[cfg(feature = "schema")]
            schema: None,
            nonces: VecDeque::new(),
            last_id: 0,
            changed: watch::channel(0).0,
        }
    }

    /// A snowflake of the sandbox's present; strictly rising.
    pub(crate) fn snowflake(&mut self) -> u64 {
        let ms = u64::try_from(self.clock.now_ms() - EPOCH_MS).unwrap_or(0);
        self.last_id = (ms << 22).max(self.last_id + 1);
        self.last_id
    }

    pub(crate) fn touch(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    pub(crate) fn log(&mut self, mut entry: Logged) {
        self.logged += 1;
        entry.no = self.logged;
        self.violations.extend(entry.bad.iter().map(|bad| format!("{}: {bad}", entry.route)));
        self.log.push_back(entry);
        if self.log.len() > LOG {
            self.log.pop_front();
        }
        if let Some(old) = self.log.len().checked_sub(BODIES + 1).and_then(|at| self.log.get_mut(at)) {
            (old.request, old.answer) = (Value::Null, Value::Null);
        }
    }

    /// A channel by name, with or without `#`.
    /// A seeded number of milliseconds below `most`.
    pub(crate) fn jitter(&mut self, most: u64) -> u64 {
        self.faults.below(most)
    }

    pub(crate) fn channel(&self, name: &str) -> Option<&Channel> {
        let name = name.trim_start_matches('#');
        self.channels.values().find(|c| c.name == name)
    }

    pub(crate) fn message(&self, id: u64) -> Option<&Message> {
        self.messages.get(&(*self.place.get(&id)?, id))
    }

    pub(crate) fn message_mut(&mut self, id: u64) -> Option<&mut Message> {
        self.messages.get_mut(&(*self.place.get(&id)?, id))
    }

    /// A channel's messages, oldest first.
    pub(crate) fn in_channel(&self, channel: u64) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.range((channel, 0)..=(channel, u64::MAX)).map(|(_, message)| message)
    }

    /// Whether the bot has a right in a channel.
    pub(crate) fn may(&self, channel: u64, right: Right) -> bool {
        let parent = self.channels.get(&channel).and_then(|c| c.parent);
        ![None, Some(channel), parent.or(Some(channel))].iter().any(|place| self.revoked.contains(&(*place, right)))
    }

    /// The bot's rights in a channel, as bits.
    pub(crate) fn rights(&self, channel: u64) -> u64 {
        Right::ALL.into_iter().filter(|right| self.may(channel, *right)).map(Right::bit).sum::<u64>() | 0x8000_0000
    }

    /// The message a nonce of the past minutes stands for.
    pub(crate) fn by_nonce(&mut self, nonce: &str) -> Option<u64> {
        let now = self.clock.now_ms();
        while self.nonces.front().is_some_and(|(_, at, _)| now - at >= NONCE_WINDOW_MS) {
            self.nonces.pop_front();
        }
        self.nonces.iter().find(|(n, _, _)| n == nonce).map(|(_, _, id)| *id)
    }

    pub(crate) fn keep_nonce(&mut self, nonce: &str, id: u64) {
        let now = self.clock.now_ms();
        self.nonces.push_back((nonce.to_owned(), now, id));
    }

    /// Keeps an interaction; forgets those whose token is long dead.
    pub(crate) fn begin(&mut self, id: &str, token: &str, interaction: Interaction) {
        let now = self.clock.now_ms();
        while self.old_tokens.front().is_some_and(|(at, ..)| now - at > 2 * TOKEN_MS) || self.old_tokens.len() > 10_000
        {
            if let Some((_, token, id)) = self.old_tokens.pop_front() {
                self.tokens.remove(&token);
                self.interactions.remove(&id);
            }
        }
        self.old_tokens.push_back((now, token.to_owned(), id.to_owned()));
        self.tokens.insert(token.to_owned(), id.to_owned());
        self.interactions.insert(id.to_owned(), interaction);
    }

    /// Sends an event to every session that asked for its kind.
    pub(crate) fn dispatch(&mut self, name: &str, data: &Value) {
        let wanted = match name {
            "MESSAGE_CREATE" | "MESSAGE_UPDATE" | "MESSAGE_DELETE" => 1 << 9,
            "GUILD_SCHEDULED_EVENT_CREATE" | "GUILD_SCHEDULED_EVENT_UPDATE" | "GUILD_SCHEDULED_EVENT_DELETE" => 1 << 16,
            "GUILD_CREATE" | "CHANNEL_CREATE" | "CHANNEL_DELETE" | "THREAD_CREATE" | "CHANNEL_PINS_UPDATE" => 1,
            _ => 0,
        };
        for session in self.sessions.values_mut().filter(|s| wanted == 0 || s.intents & wanted != 0) {
            session.send(name, data);
        }
    }
}

impl Session {
    pub(crate) fn send(&mut self, name: &str, data: &Value) {
        self.seq += 1;
        let text: Arc<str> = text(&Event { op: 0, s: self.seq, t: name, d: data }).into();
        self.events.push_back((self.seq, Arc::clone(&text)));
        if self.events.len() > REPLAY {
            self.events.pop_front();
        }
        if let Some(live) = &self.live
            && live.send(Outgoing::Payload(text)).is_err()
        {
            self.live = None;
        }
    }

    /// Ends the connection, if there is one; the session can be resumed.
    pub(crate) fn end(&mut self, how: Outgoing) {
        if let Some(live) = self.live.take() {
            drop(live.send(how));
        }
    }
}

/// An event as it is sent.
#[derive(Serialize)]
struct Event<'e> {
    op: u8,
    s: u64,
    t: &'e str,
    d: &'e Value,
}

/// As JSON; what is plain data cannot fail to be.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
