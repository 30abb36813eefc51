//! From the outbox to the world: claim before the network, look up before any repeat, record with a fence. One round is a
//! function, so that the loop only repeats it; after a restart the same rounds continue.

mod health;
mod retry;
mod shown;
#[cfg(test)]
mod tests;
mod under_way;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::{Quota, RateLimiter};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use self::health::Health;
use self::shown::{shows, stands};
use self::under_way::{Ended, Failure, UnderWay};
use crate::chat::{File, LookUp, Outgoing, Platform, Rank, SendFault};
use crate::clock::Clock;
use crate::control::point;
use crate::desk::{Ask, Desk};
use crate::domain::effect::Priority;
use crate::domain::ids::ChannelId;
use crate::outside::Pages;
use crate::store::{
    Claimed, Claiming, Delivered, DueEdit, Edited, Found, Late, Outcome, Plain, Room, Store, StoreFault, Undelivered,
    Waiting,
};
use crate::voice::{Message, PageEntry};

/// How long one attempt may hold a row. Longer than the longest request.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How long an accepted request may take to show, before it is looked up.
pub const SETTLE: SignedDuration = SignedDuration::from_secs(30);
/// A nonce is remembered for a minute at least. It is trusted for a request that begins this long after
/// the first attempt: the request may take its time.
const TRUSTED: SignedDuration = SignedDuration::from_secs(44);
/// After its first attempt a message is repeated for so long without a look-up. A request may take effect most of a minute late: the last
/// repeat's effect still comes while the nonce of the first is remembered.
const REPEATS: SignedDuration = SignedDuration::from_secs(4);
/// A status page that takes the same twice is tried again within this.
const AGAIN: SignedDuration = SignedDuration::from_mins(2);
/// How long a look-up that found nothing licenses another attempt.
const FRESH: SignedDuration = SignedDuration::from_secs(10);
/// The longest a request can take from here on: its turn, then the connection, then the answer.
const REQUEST: SignedDuration = SignedDuration::from_secs(16);
/// How long a round that could do nothing of what is due waits for the next.
const IDLE: std::time::Duration = std::time::Duration::from_millis(250);
/// Looks at the outbox because something was written: so many at once, then so many a second. What waits in a backlog costs no more for
/// all that comes to it.
const LOOKS_AT_ONCE: NonZeroU32 = NonZeroU32::new(25).unwrap();
const LOOKS_A_SECOND: NonZeroU32 = NonZeroU32::new(50).unwrap();
/// What may be under way at once. At 48 requests a second and 150 ms a request eight are enough; the rest waits its turn.
const ROOM: usize = 24;
/// More room, for what a person must decide.
const ROOM_URGENT: usize = 8;
/// Priorities in the outbox (`domain::effect::Priority`).
const URGENT: i64 = Priority::Prompt as i64;
const DUE: i64 = Priority::Notice as i64;
/// How the work of sending a row is named.
const POST: &str = "post ";
const LOOK_UP: &str = "look-up ";
const IN: &str = " in ";
const REPORT: &str = "report";
/// Two messages with one marker are looked for this often, this far back.
const SWEEP: SignedDuration = SignedDuration::from_hours(24);
const SWEPT: SignedDuration = SignedDuration::from_hours(48);

/// The courier.
#[derive(Debug, Clone)]
pub struct Courier {
    store: Store,
    desk: Desk,
    platform: Platform,
    pages: Pages,
    clock: Clock,
    nudge: Arc<Notify>,
    health: Arc<Health>,
    /// The jumps of the clock up to the era whose doubts are marked; `u64::MAX` before any is.
    marked: Arc<AtomicU64>,
}

impl Courier {
    /// A courier over its parts.
    pub fn new(desk: Desk, platform: Platform, pages: Pages, nudge: Arc<Notify>, health: Arc<Health>) -> Self {
        let (store, clock, marked) = (desk.store().clone(), desk.clock().clone(), Arc::new(AtomicU64::new(u64::MAX)));
        Self { store, clock, desk, platform, pages, nudge, health, marked }
    }

    /// Rounds until cancelled; what was claimed is finished first.
    pub async fn run(self, stop: CancellationToken) {
        let (alone, mut under_way) = (Notify::new(), UnderWay::default());
        let looks = RateLimiter::direct(Quota::per_second(LOOKS_A_SECOND).allow_burst(LOOKS_AT_ONCE));
        let mut confirmations = self.clock.confirmations();
        while !stop.is_cancelled() {
            let next = match self.look(&mut under_way).await {
                Ok(next) => next,
                Err(fault) => {
                    // Not knowing when is not "never": look again soon.
                    tracing::error!(error = &fault as &dyn std::error::Error, "cannot read the outbox");
                    Some(Timestamp::MIN)
                }
            };
            self.health.set_under_way(under_way.len());
            // Sleep on, without the database, until something is due, was written or has ended.
            let (mut woken, mut nudged, mut done) = (false, false, Vec::new());
            while !woken && !stop.is_cancelled() {
                let due = next.is_some_and(|at| at <= self.clock.now());
                woken = tokio::select! {
                    Some(ended) = under_way.next(|| self.clock.now()) => {
                        done.push(ended);
                        true
                    }
                    () = self.nudge.notified() => {
                        nudged = true;
                        true
                    }
                    _ = confirmations.changed() => true,
                    () = stop.cancelled() => true,
                    // Due, yet nothing could be done (a channel is busy, the token is dead): look again, but not at once.
                    () = tokio::time::sleep(IDLE), if due => true,
                    () = self.clock.wait(next, &alone), if !due => next.is_some_and(|at| at <= self.clock.now()),
                };
            }
            // Whatever else has ended meanwhile makes room as well.
            done.extend(std::iter::from_fn(|| under_way.try_next(|| self.clock.now())));
            for ended in done {
                self.bury(ended).await;
            }
            while nudged
                && !stop.is_cancelled()
                && let Err(early) = looks.check()
            {
                tokio::select! {
                    () = tokio::time::sleep(early.wait_time_from(DefaultClock::default().now())) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
        while let Some(ended) = under_way.next(|| self.clock.now()).await {
            self.bury(ended).await;
        }
    }

    /// A row whose sending panicked is not tried for ever; one whose look-up did lets the others of its channel go first.
    async fn bury(&self, ended: Ended) {
        let Ended::Abnormally(name) = ended else { return };
        let look_up = name.strip_prefix(LOOK_UP).and_then(|n| Some(n.split_once(IN)?.0));
        if let Some(id) = name.strip_prefix(POST).or(look_up).and_then(|id| id.parse().ok())
            && let Err(fault) = self.store.poisoned(id, self.clock.now(), SETTLE).await
        {
            tracing::error!(row = id, error = &fault as &dyn std::error::Error, "crash of a delivery not recorded");
        }
    }

    /// Begins what is due, and says when the next will be.
    async fn look(&self, under_way: &mut UnderWay) -> Result<Option<Timestamp>, StoreFault> {
        let next = match self.begin(under_way).await? {
            // What is begun may have left something that is due: its end, or a while, says.
            Some(waiting) if waiting.is_due() => Some(Timestamp::MIN),
            Some(waiting) => waiting.later,
            None => self.store.next_delivery().await?,
        };
        // A report that failed is made again after its rest, whatever else happens.
        let report = under_way.rested(REPORT, self.clock.now());
        Ok(next.into_iter().chain(report).min())
    }

    /// One round, to its end: whatever is due now. Returns how much was begun.
    ///
    /// # Errors
    /// Database faults; what was claimed then is found again by the next round or the next start.
    #[cfg(test)]
    pub async fn round(&self) -> Result<usize, StoreFault> {
        let mut under_way = UnderWay::default();
        self.begin(&mut under_way).await?;
        let begun = under_way.len();
        while let Some(ended) = under_way.next(|| self.clock.now()).await {
            self.bury(ended).await;
        }
        Ok(begun)
    }

    /// Begins what is due and not under way yet; says what was seen waiting, unless nothing may be begun.
    async fn begin(&self, under_way: &mut UnderWay) -> Result<Option<Waiting>, StoreFault> {
        if !self.platform.accepts_token() || !self.clock.is_confirmed() || !self.mark_doubts(under_way).await? {
            return Ok(None);
        }
        let now = self.clock.now();
        let waiting = self.store.waiting(now, FRESH).await?;
        if waiting.look_ups {
            for doubtful in self.store.due_look_ups(now, room(under_way.len())).await? {
                // One at a time in a channel: what it says of the channel is true of the others as well.
                let (name, channel) =
                    (format!("{LOOK_UP}{}{IN}{}", doubtful.id, doubtful.channel), &doubtful.channel.0);
                let looking =
                    |name: &str| name.strip_prefix(LOOK_UP).and_then(|n| Some(n.split_once(IN)?.1)) == Some(channel);
                if under_way.free(&name, now) && !under_way.any(looking) {
                    let courier = self.clone();
                    under_way.begin(name, async move { courier.look_up(doubtful).await });
                }
            }
        }
        if waiting.posts || waiting.expired {
            for row in self.claim(now, waiting, under_way.len()).await? {
                let courier = self.clone();
                under_way.begin(format!("{POST}{}", row.id), async move { courier.send(row).await });
            }
        }
        if waiting.edits {
            // Edits are never urgent: while refusals are too many they wait.
            let edits = if self.health.tripped(now).is_some() { 0 } else { room(under_way.len()) };
            for edit in self.store.due_edits(now, edits).await? {
                // One at a time in a channel: its bucket is not known to be free.
                let name = format!("edit in {}", edit.channel);
                if under_way.free(&name, now) {
                    let courier = self.clone();
                    under_way.begin(name, async move { courier.edit(edit).await });
                }
            }
        }
        let name = REPORT.to_owned();
        // Putting posts aside is news as well.
        let news = waiting.stuck || waiting.useless || waiting.shut_out;
        if (waiting.delivered || news) && under_way.free(&name, now) {
            let delivered = if waiting.delivered { self.store.unreported().await? } else { Vec::new() };
            let stuck = if news { self.store.untold().await? } else { Vec::new() };
            let desk = self.desk.clone();
            under_way.begin(name, async move { report(&desk, delivered, stuck).await });
        }
        let name = "sweep".to_owned();
        if under_way.free(&name, now) && self.health.sweep_due(now, SWEEP) {
            let courier = self.clone();
            under_way.begin(name, async move { courier.sweep(now).await });
        }
        Ok(Some(waiting))
    }

    /// Nothing is sent before what is in doubt is marked. A jump of the clock is a start to it: what was measured across it, how
    /// long ago a request began or a look-up was made, does not count. `false` while something is still under way.
    async fn mark_doubts(&self, under_way: &UnderWay) -> Result<bool, StoreFault> {
        let era = self.clock.era();
        if self.marked.load(Ordering::Acquire) == era.no {
            return Ok(true);
        }
        if under_way.any(|name| name.starts_with(POST) || name.starts_with(LOOK_UP)) {
            return Ok(false);
        }
        let rows = self.store.doubt_at_start(self.clock.now(), SETTLE).await?;
        tracing::info!(rows, jumps = era.no, "messages in doubt marked");
        self.at("after_doubts", "").await;
        self.marked.store(era.no, Ordering::Release);
        Ok(self.clock.era() == era)
    }

    /// A named point, at which a test may end the process.
    async fn at(&self, name: &str, what: &str) {
        point(name, what).await;
        #[cfg(test)]
        if let Platform::Simulated(seat) = &self.platform {
            seat.point(name).await;
        }
    }

    async fn claim(&self, now: Timestamp, waiting: Waiting, under_way: usize) -> Result<Vec<Claimed>, StoreFault> {
        let urgent = i64::try_from((ROOM + ROOM_URGENT).saturating_sub(under_way)).unwrap_or(0);
        let room = Room { all: room(under_way), urgent };
        self.store
            .claim(Claiming { now, waiting, lease: LEASE, settle: SETTLE, fresh: FRESH, repeats: TRUSTED, room })
            .await
    }

    async fn send(&self, row: Claimed) -> Result<(), StoreFault> {
        self.at("after_claim", &row.key).await;
        self.at("before_send", &row.key).await;
        if self.outlives(&row) {
            let at = self.clock.now();
            return self.settle(&row, Outcome::Retry { at, why: "the lease was about to expire".to_owned() }).await;
        }
        let rank = rank(&row);
        if !self.platform.accepts_token() {
            return self.failed(&row, SendFault::TokenDead).await;
        }
        if let Some(until) = self.health.tripped(self.clock.now()).filter(|_| rank != Rank::Urgent) {
            let why = "Discord refused too many requests in ten minutes; T-Minus sends only urgent messages".to_owned();
            return self.settle(&row, Outcome::Retry { at: until, why }).await;
        }
        let sent = self.post(&row, rank).await;
        self.at("after_send", &row.key).await;
        match sent {
            Ok(id) => {
                self.settle(&row, Outcome::Sent { message: id }).await?;
                self.at("after_record", &row.key).await;
                Ok(())
            }
            Err(fault) => self.failed(&row, fault).await,
        }
    }

    /// Whether the channel is its server's own. What fails here is not the message's doing, and nothing was sent.
    async fn owned(&self, row: &Claimed) -> Result<bool, SendFault> {
        self.platform.owns(&row.guild, &row.channel).await.map_err(|fault| match fault {
            SendFault::Unknown(why) | SendFault::Refused(why) | SendFault::Forbidden(why) => SendFault::NotSent(why),
            fault => fault,
        })
    }

    /// Whether a request could outlive the lease: then it is not begun.
    fn outlives(&self, row: &Claimed) -> bool {
        row.lease_until.is_none_or(|until| self.clock.now() + REQUEST > until)
    }

    /// To the chat, or to the status page that its channel stands for.
    async fn post(&self, row: &Claimed, rank: Rank) -> Result<String, SendFault> {
        if let Some(page) = row.channel.as_page() {
            return self.pages.show(page, &stored::<PageEntry>(&row.payload)?, &row.marker).await;
        }
        if !self.owned(row).await? {
            return Err(SendFault::NotThere("the channel belongs to another server".to_owned()));
        }
        // Asking took its time.
        if self.outlives(row) {
            return Err(SendFault::NotSent("the lease was about to expire".to_owned()));
        }
        let message: Message = stored(&row.payload)?;
        let (reply_to, file) = self.beside(&message, &row.channel).await?;
        let (prompt, marker) = (row.prompt.as_deref(), row.marker.as_str());
        let (reply_to, file) = (reply_to.as_deref(), file.as_ref());
        let out = Outgoing { message: &message, prompt, marker, rank, reply_to, file };
        match self.platform.post(&row.channel, out, &row.nonce).await {
            // Nothing was posted: better without its file than not at all.
            Err(SendFault::Blocked(_)) if file.is_some() => {
                self.platform.post(&row.channel, Outgoing { file: None, ..out }, &row.nonce).await
            }
            posted => posted,
        }
    }

    /// The message it is a reply to, and the document that goes along.
    async fn beside(
        &self,
        message: &Message,
        channel: &ChannelId,
    ) -> Result<(Option<String>, Option<File>), SendFault> {
        let unread = |fault: StoreFault| SendFault::NotSent(fault.to_string());
        let reply_to = match &message.reply_to {
            Some(key) => self.store.posted_as(key, channel).await.map_err(unread)?,
            None => None,
        };
        let file = match &message.document {
            Some(document) => self.store.revision(document.release, document.revision).await.map_err(unread)?,
            None => None,
        };
        Ok((reply_to, file.map(|file| File { name: file.file_name, bytes: file.bytes })))
    }

    async fn failed(&self, row: &Claimed, fault: SendFault) -> Result<(), StoreFault> {
        self.note(&row.channel, &fault);
        let now = self.clock.now();
        let outcome = match (&fault, plainer(row)) {
            // Discord will never take it as it is: once more as bare words, before it is given up.
            (SendFault::Refused(why) | SendFault::Forbidden(why), Some(plain)) => {
                Outcome::Plain { plain, why: why.clone() }
            }
            _ => retry::after(&fault, row.attempt, now, SETTLE, self.repeats_until(row, now)),
        };
        if !matches!(fault, SendFault::Wait(_)) {
            tracing::warn!(post.key = row.key, attempt = row.attempt, %fault, "post failed or outcome unknown");
        }
        self.settle(row, outcome).await
    }

    /// Until when a repeat of a post does no harm, even if the attempt succeeded; `None` if it is to be looked up.
    fn repeats_until(&self, row: &Claimed, now: Timestamp) -> Option<Timestamp> {
        if let Some(page) = row.channel.as_page() {
            return self.pages.is_idempotent(page).then(|| now + AGAIN);
        }
        let first = row.first_attempt.filter(|first| self.platform.keeps_nonces() && self.within_nonce(*first, now))?;
        Some(first + REPEATS)
    }

    /// What a fault says of the platform as a whole.
    fn note(&self, channel: &ChannelId, fault: &SendFault) {
        if channel.as_page().is_some() {
            return;
        }
        if *fault == SendFault::TokenDead {
            self.platform.doubt_token();
        }
        // What Discord counts: 401, 403 and 429.
        let counts = matches!(
            fault,
            SendFault::Limited(_) | SendFault::Blocked(_) | SendFault::Forbidden(_) | SendFault::TokenDead
        );
        if counts && self.health.refused(self.clock.now()) {
            tracing::error!("more than 50 refusals in ten minutes, sending only urgent messages");
        }
    }

    async fn settle(&self, row: &Claimed, outcome: Outcome) -> Result<(), StoreFault> {
        let now = self.clock.now();
        let recorded = self.store.record(row.id, row.attempt, &outcome, now).await?;
        match (&outcome, recorded) {
            (Outcome::Sent { message }, true) => {
                let late_ms = now.as_millisecond() - row.due.as_millisecond();
                self.health.sent();
                match rank(row) {
                    Rank::Urgent | Rank::Due => tracing::info!(post.key = row.key, message, late_ms, "posted"),
                    Rank::Later => tracing::debug!(post.key = row.key, message, late_ms, "posted"),
                }
            }
            (Outcome::Sent { message }, false) => self.late(row, message, now).await?,
            (_, false) => {
                tracing::warn!(post.key = row.key, ?outcome, "row already settled, outcome ignored");
            }
            (_, true) => {}
        }
        Ok(())
    }

    /// Posted, but the row went on without us: the message becomes the row's own, or, if that has another, it goes.
    async fn late(&self, row: &Claimed, message: &str, now: Timestamp) -> Result<(), StoreFault> {
        match self.store.record_late(row.id, row.attempt, message, now).await? {
            Late::Taken => tracing::warn!(post.key = row.key, message, "recorded after its lease expired"),
            Late::Same => {}
            Late::Other(first) => {
                tracing::error!(post.key = row.key, message, first, "posted twice, removing the second message");
                if let Err(fault) = self.platform.remove(&row.channel, message).await {
                    tracing::error!(post.key = row.key, message, %fault, "duplicate not removed, the sweep retries");
                }
            }
            Late::Open => {
                tracing::warn!(post.key = row.key, message, "another attempt is under way, the sweep checks again")
            }
        }
        Ok(())
    }

    /// Two messages with one marker: the later goes. Heals what a fence that missed has left.
    async fn sweep(&self, now: Timestamp) -> Result<(), StoreFault> {
        let since = now - SWEPT;
        let swept = self.store.posted_since(since).await?;
        for (channel, ours) in swept.into_iter().filter(|(channel, _)| channel.as_page().is_none()) {
            let standing = match self.platform.standing(&channel, since).await {
                Ok(standing) => standing,
                Err(fault) => {
                    tracing::warn!(%channel, %fault, "channel sweep failed");
                    continue;
                }
            };
            for (marker, kept) in ours {
                let there = standing.iter().any(|s| s.id == kept);
                for double in standing.iter().filter(|s| s.marker == marker && s.id != kept && there) {
                    tracing::error!(%channel, marker, message = double.id, "posted twice, removing the duplicate");
                    if let Err(fault) = self.platform.remove(&channel, &double.id).await {
                        tracing::error!(%channel, message = double.id, %fault, "duplicate not removed");
                    }
                }
            }
        }
        Ok(())
    }

    /// An unknown outcome is looked up; only a history that was surely read licenses a repeat.
    async fn look_up(&self, row: Claimed) -> Result<(), StoreFault> {
        let now = self.clock.now();
        let since = row.first_attempt.unwrap_or(row.due);
        let looked = match row.channel.as_page() {
            Some(page) => self.pages.find(page, &row.marker).await,
            None => self.platform.look_up(&row.channel, &row.marker, row.anchor.as_deref(), since).await,
        };
        self.at("after_look_up", &row.key).await;
        if let Err(fault) = &looked {
            self.note(&row.channel, fault);
        }
        let found = match looked {
            Ok(LookUp::Found(message)) => {
                // It came when it was created, not when it was found.
                let created = row.channel.as_page().is_none().then(|| self.platform.created(&message)).flatten();
                Found::Posted { at: created.map_or(now, |at| at.min(now)), message }
            }
            Ok(LookUp::Absent) => Found::NotThere,
            Ok(LookUp::Inconclusive) => match row.first_attempt {
                // Only overdue at start: every attempt's outcome was known, so there is nothing to doubt but a backup.
                _ if !row.tainted => Found::NotThere,
                None => Found::NotThere,
                // The licence ends with the window: whoever is told to wait meanwhile looks again.
                Some(first) if self.within_nonce(first, now) => Found::TrustNonce { as_of: first + TRUSTED - FRESH },
                Some(_) => Found::Held {
                    why: "T-Minus cannot read the channel's history, so it cannot tell whether it posted the message"
                        .to_owned(),
                },
            },
            Err(fault) => {
                tracing::warn!(post.key = row.key, %fault, "look-up failed");
                retry::unseen(&fault, row.due, now)
            }
        };
        if let Found::Held { why } = &found {
            tracing::error!(post.key = row.key, why, "message held for a person's decision");
        }
        self.store.resolve(row.id, row.attempt, &found, now).await?;
        Ok(())
    }

    /// Whether an attempt that began then is surely within the nonce's window: no jump of the clock lies between.
    fn within_nonce(&self, first: Timestamp, now: Timestamp) -> bool {
        (first..=first + TRUSTED).contains(&now) && self.clock.era().since <= first
    }

    async fn edit(&self, edit: DueEdit) -> Result<(), StoreFault> {
        let outcome = if edit.channel.as_page().is_none() && stands(&edit) { Ok(()) } else { self.change(&edit).await };
        let now = self.clock.now();
        let edited = match outcome {
            Ok(()) => Edited::Done { shows: Some(shows(&edit.message, &edit.payload, edit.prompt.as_deref())) },
            Err(fault) => {
                self.note(&edit.channel, &fault);
                if !matches!(fault, SendFault::Wait(_)) {
                    tracing::warn!(post.key = edit.key, attempt = edit.attempt, %fault, "edit failed or outcome unknown");
                }
                retry::after_edit(&fault, edit.channel.as_page().is_some(), edit.attempt, now, SETTLE)
            }
        };
        self.store.record_edit(&edit, &edited, now).await
    }

    /// In the chat, or on the status page that its channel stands for.
    async fn change(&self, edit: &DueEdit) -> Result<(), SendFault> {
        if let Some(page) = edit.channel.as_page() {
            let entry: PageEntry = stored(&edit.payload)?;
            return self.pages.update(page, &edit.message, &entry, &edit.marker, edit.wanted).await;
        }
        let message: Message = stored(&edit.payload)?;
        let (marker, prompt) = (edit.marker.as_str(), edit.prompt.as_deref());
        let out = Outgoing { message: &message, prompt, marker, rank: Rank::Later, reply_to: None, file: None };
        self.platform.edit(&edit.channel, &edit.message, out).await
    }
}

/// Who goes first, by the priority in the row.
fn rank(row: &Claimed) -> Rank {
    match row.priority {
        URGENT => Rank::Urgent,
        DUE => Rank::Due,
        _ => Rank::Later,
    }
}

/// What was frozen into a row.
fn stored<T: serde::de::DeserializeOwned>(payload: &str) -> Result<T, SendFault> {
    serde_json::from_str(payload)
        .map_err(|error| SendFault::Refused(format!("cannot parse the stored message: {error}")))
}

/// What may still begin, as a number of rows.
fn room(under_way: usize) -> i64 {
    i64::try_from(ROOM.saturating_sub(under_way)).unwrap_or(0)
}

/// The same as bare words, under a nonce of its own; `None` if it is that already, or cannot be read.
fn plainer(row: &Claimed) -> Option<Plain> {
    if row.channel.as_page().is_some() {
        return None;
    }
    let message: Message = serde_json::from_str(&row.payload).ok()?;
    let payload = serde_json::to_string(&message.plain()).ok()?;
    let nonce: String = row.nonce.chars().rev().collect();
    (!row.plain).then_some(Plain { payload, nonce })
}

/// Releases and workspaces are told what became of their messages; what fails here is told again after a rest.
async fn report(desk: &Desk, delivered: Vec<Delivered>, stuck: Vec<Undelivered>) -> Result<(), Failure> {
    let mut asks = JoinSet::new();
    let delivered = delivered.into_iter().map(|d| Ask::Delivered {
        release: d.release,
        row: d.row,
        key: d.key,
        channel: d.channel,
        at: d.at,
    });
    for ask in delivered.chain(stuck.into_iter().map(Ask::Stuck)) {
        let desk = desk.clone();
        asks.spawn(async move { desk.ask(ask).await });
    }
    let mut failed = None;
    while let Some(asked) = asks.join_next().await {
        match asked {
            Ok(Ok(_)) => {}
            Ok(Err(fault)) => failed = Some(fault.into()),
            Err(panic) => failed = Some(panic.into()),
        }
    }
    failed.map_or(Ok(()), Err)
}
