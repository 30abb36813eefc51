//! A chat that fails in every documented way, for the simulation of delivery: seeded, on a virtual clock, in memory. It knows
//! what Discord promises and nothing of how the courier copes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chat_sandbox::{Dice, SimClock};
use tokio::sync::Notify;

use crate::chat::Standing;
use crate::clock::Clock;
use crate::courier::far_end::{Along, FarEnd};
use crate::delivery::{Capabilities, Edit, NonceWindow, Repeat, Target};
use crate::domain::ids::ChannelId;
use crate::sending::{LookUp, SendFault};
use crate::store::PostRow;

/// How likely each fault is, 0 to 1, and how long things take. Each seed draws its own.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Faults {
    /// Answered with 5xx, or not reached: nothing was created.
    pub before: f64,
    /// Created, but the answer is lost.
    pub lost: f64,
    /// The answer is lost, and the message is created up to `zombie_ms` later.
    pub zombie: f64,
    pub zombie_ms: u64,
    /// Answered with 429.
    pub limited: f64,
    /// A right is missing for this one request.
    pub blocked: f64,
    /// A look-up fails.
    pub look_up: f64,
    /// History cannot be read: look-ups are inconclusive.
    pub hidden: bool,
    /// How long a nonce is remembered, in milliseconds; 0 for a server that has none.
    pub nonce_ms: i64,
    /// The process ends, at each named point.
    pub crash: f64,
    /// The process stands still at a named point, for up to `stall_ms`; what it had begun goes on afterwards.
    pub stall: f64,
    pub stall_ms: u64,
    /// An answer bears a date of its own.
    pub false_date: f64,
}

/// The chat and the dice.
#[derive(Debug)]
pub struct Chat {
    clock: SimClock,
    inner: Mutex<Inner>,
    seats: [Chair; 2],
}

/// As Discord's: `chat::discord::send`.
const NONCE: NonceWindow =
    NonceWindow { trusted: jiff::SignedDuration::from_secs(44), repeats: jiff::SignedDuration::from_secs(4) };

/// One process's place at the chat.
#[derive(Debug, Default)]
struct Chair {
    /// Told when the process is to end, or stands still.
    called: Notify,
    stands: Mutex<Option<Stand>>,
    /// Told when it goes on.
    goes_on: Notify,
}

/// What became of a process at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    Ended,
    /// It stands still until this instant.
    Until(i64),
}

/// One process's side of the chat.
#[derive(Debug, Clone)]
pub struct Seat {
    pub chat: Arc<Chat>,
    pub me: usize,
    /// The process's clock, which hears the date of every answer.
    pub clock: Clock,
}

impl Seat {
    fn chair(&self) -> &Chair {
        &self.chat.seats[self.me]
    }

    /// A named point of the courier: perhaps the process ends here and never comes back, or stands still for a while.
    pub async fn point(&self, name: &str) {
        let stands = self.chat.meets(name);
        if let Some(stand) = stands {
            self.chair().stands.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(stand);
            self.chair().called.notify_one();
        }
        loop {
            let goes_on = self.chair().goes_on.notified();
            tokio::pin!(goes_on);
            goes_on.as_mut().enable();
            match self.stands() {
                None => return,
                Some(Stand::Ended) => std::future::pending::<()>().await,
                Some(Stand::Until(_)) => goes_on.await,
            }
        }
    }

    /// Any answer would do, if one comes: its date is what is wanted.
    pub fn ask_time(&self) {
        let asked = self.clock.asking();
        if let Some(date) = self.chat.date() {
            self.clock.heard(asked, date);
        }
    }

    /// Whether and why it does not go on.
    pub fn stands(&self) -> Option<Stand> {
        *self.chair().stands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it ends or stands still.
    pub async fn called(&self) -> Stand {
        loop {
            if let Some(stand) = self.stands() {
                return stand;
            }
            self.chair().called.notified().await;
        }
    }

    /// It goes on, or a new process takes the seat.
    pub fn free(&self) {
        *self.chair().stands.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.chair().goes_on.notify_waiters();
    }
}

#[derive(Debug)]
struct Inner {
    faults: Faults,
    dice: Dice,
    /// What stands in the channels: marker and nonce, in order.
    said: BTreeMap<Target, Vec<(u64, String)>>,
    nonces: Vec<(String, i64, u64)>,
    /// Created later: instant, target, marker, nonce.
    late: Vec<(i64, Target, String, String)>,
    last: u64,
    points: BTreeMap<String, u64>,
    poison: String,
    requests: u64,
    /// The channel is hidden from the bot: it can be neither read nor written.
    shut: bool,
}

impl Inner {
    fn chance(&mut self, of: f64) -> bool {
        of > 0.0 && self.dice.draw() < of
    }

    /// Creates a message, or returns the one its nonce stands for.
    fn create(&mut self, now: i64, target: &Target, marker: &str, nonce: &str) -> u64 {
        // A receiver of webhooks keeps the id of every message, for good.
        if let Target::Hook { .. } = target
            && let Some((id, _)) = self.said.get(target).into_iter().flatten().find(|(_, said)| said == marker)
        {
            return *id;
        }
        let window = if target.channel().is_some() { self.faults.nonce_ms } else { 0 };
        let known = self.nonces.iter().find(|(n, at, _)| n == nonce && window > 0 && now - at <= window);
        if let Some((_, _, id)) = known {
            return *id;
        }
        self.last = (u64::try_from(now).unwrap_or(0) << 8).max(self.last + 1);
        self.said.entry(target.clone()).or_default().push((self.last, marker.to_owned()));
        self.nonces.push((nonce.to_owned(), now, self.last));
        self.last
    }

    /// Requests that were slow take effect.
    fn catch_up(&mut self, now: i64) {
        let (due, late) = std::mem::take(&mut self.late).into_iter().partition(|(at, ..)| *at <= now);
        self.late = late;
        let due: Vec<_> = due;
        for (at, channel, marker, nonce) in due {
            self.create(at, &channel, &marker, &nonce);
        }
    }
}

/// When a message was created, by its id.
fn created(id: &str) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(i64::try_from(id.parse::<u64>().ok()? >> 8).ok()?).ok()
}

impl Chat {
    pub fn new(clock: SimClock, seed: u64, faults: Faults) -> Self {
        let inner = Inner {
            faults,
            dice: Dice::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
            said: BTreeMap::new(),
            nonces: Vec::new(),
            late: Vec::new(),
            last: 0,
            points: BTreeMap::new(),
            poison: String::new(),
            requests: 0,
            shut: false,
        };
        Self { clock, inner: Mutex::new(inner), seats: Default::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number below `sides`, from the same dice as the faults.
    pub fn roll(&self, sides: u64) -> u64 {
        let drawn = self.lock().dice.draw();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a small roll"
        )]
        let rolled = (drawn * sides as f64) as u64;
        rolled
    }

    /// From here on nothing fails, and history can be read or not as before.
    pub fn calm(&self) {
        let mut inner = self.lock();
        inner.faults = Faults { hidden: inner.faults.hidden, nonce_ms: inner.faults.nonce_ms, ..Faults::default() };
    }

    /// When the next slow request takes effect, after those that have by now.
    pub fn next_late(&self) -> Option<i64> {
        let mut inner = self.lock();
        inner.catch_up(self.clock.now_ms());
        inner.late.iter().map(|(at, ..)| *at).min()
    }

    /// What it allows when nobody knows whether an attempt had an effect.
    pub fn capabilities(&self) -> Capabilities {
        let nonce = (self.lock().faults.nonce_ms > 0).then_some(NONCE);
        Capabilities::of_chat(Repeat::LookUpFirst { nonce })
    }

    /// How often each named point was reached.
    pub fn points(&self) -> BTreeMap<String, u64> {
        self.lock().points.clone()
    }

    /// How often a marker stands in any channel.
    pub fn copies(&self, marker: &str) -> usize {
        let mut inner = self.lock();
        let now = self.clock.now_ms();
        inner.catch_up(now);
        inner.said.values().flatten().filter(|(_, said)| said == marker).count()
    }

    /// When a marker was first said, in milliseconds of the true time.
    pub fn first_said(&self, marker: &str) -> Option<i64> {
        let inner = self.lock();
        let ids = inner.said.values().flatten().filter(|(_, said)| said == marker).map(|(id, _)| *id);
        ids.min().and_then(|id| i64::try_from(id >> 8).ok())
    }

    /// Every marker that stands somewhere.
    pub fn markers(&self) -> Vec<String> {
        self.lock().said.values().flatten().map(|(_, marker)| marker.clone()).collect()
    }

    /// What a process meets at a point.
    fn meets(&self, name: &str) -> Option<Stand> {
        let now = self.clock.now_ms();
        let mut inner = self.lock();
        *inner.points.entry(name.to_owned()).or_default() += 1;
        let faults = inner.faults;
        if inner.chance(faults.crash) {
            return Some(Stand::Ended);
        }
        if inner.chance(faults.stall) {
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "milliseconds")]
            let after = (inner.dice.draw() * faults.stall_ms as f64) as i64;
            return Some(Stand::Until(now + 1 + after));
        }
        None
    }

    /// The true time.
    pub fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// The date of an answer, in seconds, unless none comes; now and then it is nonsense.
    fn date(&self) -> Option<i64> {
        let now = self.clock.now_ms().div_euclid(1_000);
        let mut inner = self.lock();
        let faults = inner.faults;
        if inner.chance(faults.look_up) {
            return None;
        }
        if inner.chance(faults.false_date) {
            let far = if inner.chance(0.5) { 30.0 } else { 400_000.0 };
            #[expect(clippy::cast_possible_truncation, reason = "seconds of some days")]
            return Some(now + (inner.dice.draw() * far - far / 2.0) as i64);
        }
        Some(now)
    }

    /// Hides every channel from the bot, or shows them again.
    pub fn shut(&self, shut: bool) {
        self.lock().shut = shut;
    }

    /// Posts and look-ups asked of it.
    pub fn requests(&self) -> u64 {
        self.lock().requests
    }

    /// Posting this marker panics from here on.
    pub fn poison(&self, marker: &str) {
        marker.clone_into(&mut self.lock().poison);
    }

    fn post(&self, row: &PostRow) -> Result<String, SendFault> {
        let (target, marker, nonce) = (&row.target, row.marker.as_str(), row.nonce.as_str());
        let now = self.clock.now_ms();
        let poisoned = self.lock().poison == marker;
        assert!(!poisoned, "poison");
        let mut inner = self.lock();
        inner.catch_up(now);
        inner.requests += 1;
        if inner.shut {
            return Err(SendFault::Blocked("403 50001 Missing Access".to_owned()));
        }
        let faults = inner.faults;
        if inner.chance(faults.limited) {
            let ms = 500 + inner.requests % 4_000;
            return Err(SendFault::Limited(Duration::from_millis(ms)));
        }
        if inner.chance(faults.blocked) {
            return Err(SendFault::Blocked("403 50013 Missing Permissions".to_owned()));
        }
        if inner.chance(faults.before) {
            let reached = inner.chance(0.5);
            return Err(if reached {
                SendFault::Unknown("502".to_owned())
            } else {
                SendFault::NotSent("connection refused".to_owned())
            });
        }
        if inner.chance(faults.zombie) {
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "milliseconds")]
            let after = (inner.dice.draw() * faults.zombie_ms as f64) as i64;
            inner.late.push((now + after, target.clone(), marker.to_owned(), nonce.to_owned()));
            return Err(SendFault::Unknown("time-out".to_owned()));
        }
        let id = inner.create(now, target, marker, nonce);
        if inner.chance(faults.lost) {
            return Err(SendFault::Unknown("the connection broke".to_owned()));
        }
        Ok(id.to_string())
    }

    fn look_up(&self, target: &Target, marker: &str) -> Result<LookUp, SendFault> {
        let now = self.clock.now_ms();
        let mut inner = self.lock();
        inner.catch_up(now);
        inner.requests += 1;
        if inner.shut {
            return Err(SendFault::Blocked("403 50001 Missing Access".to_owned()));
        }
        let faults = inner.faults;
        if inner.chance(faults.look_up) {
            return Err(SendFault::Unknown("502".to_owned()));
        }
        if faults.hidden {
            return Ok(LookUp::Inconclusive);
        }
        let found = inner.said.get(target).and_then(|said| said.iter().find(|(_, said)| said == marker));
        Ok(found.map_or(LookUp::Absent, |(id, _)| LookUp::Found(id.to_string())))
    }

    fn remove(&self, target: &Target, id: &str) {
        let mut inner = self.lock();
        if let Some(said) = inner.said.get_mut(target) {
            said.retain(|(known, _)| known.to_string() != id);
        }
    }

    fn standing(&self, channel: &ChannelId) -> Vec<Standing> {
        let inner = self.lock();
        let of = |target: &&Target| target.channel() == Some(channel);
        let said = inner.said.iter().filter(|(target, _)| of(target)).flat_map(|(_, said)| said);
        said.map(|(id, marker)| Standing { id: id.to_string(), marker: marker.clone() }).collect()
    }
}

impl FarEnd for Seat {
    async fn post(&self, row: &PostRow, _along: &Along) -> Result<String, SendFault> {
        self.chat.post(row)
    }

    async fn edit(&self, _row: &PostRow, _edit: &Edit, _message: &str) -> Result<(), SendFault> {
        Ok(())
    }

    async fn look_up(&self, row: &PostRow, _anchor: Option<&str>) -> Result<LookUp, SendFault> {
        self.chat.look_up(&row.target, &row.marker)
    }

    async fn owns(&self, _row: &PostRow) -> Result<bool, SendFault> {
        Ok(true)
    }

    async fn standing(&self, channel: &ChannelId, _since: jiff::Timestamp) -> Result<Vec<Standing>, SendFault> {
        Ok(self.chat.standing(channel))
    }

    async fn remove(&self, target: &Target, message: &str) -> Result<(), SendFault> {
        self.chat.remove(target, message);
        Ok(())
    }

    fn created(&self, target: &Target, message: &str) -> Option<jiff::Timestamp> {
        target.channel().and_then(|_| created(message))
    }

    fn accepts_token(&self) -> bool {
        true
    }

    fn doubt_token(&self) {}

    async fn reached(&self, point: &str) {
        self.point(point).await;
    }
}
