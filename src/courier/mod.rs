//! From the outbox to the world: claim before the network, look up before any repeat, record with a fence. One round is a
//! function, so that the loop only repeats it; after a restart the same rounds continue.

mod retry;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::chat::{LookUp, Outgoing, Platform, SendFault};
use crate::clock::Clock;
use crate::control::point;
use crate::desk::{Ask, Desk};
use crate::store::{Claimed, DueEdit, Found, Outcome, Store, StoreFault};
use crate::voice::Message;

/// How long one attempt may hold a row. Longer than the longest request.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How long an accepted request may take to show, before it is looked up.
pub const SETTLE: SignedDuration = SignedDuration::from_secs(30);
/// A nonce is remembered for a minute at least (`reliability.md` 3). It is trusted for a request that begins this long after
/// the first attempt: the request may take its time.
const TRUSTED: SignedDuration = SignedDuration::from_secs(47);
/// How long a look-up that found nothing licenses another attempt.
const FRESH: SignedDuration = SignedDuration::from_secs(10);
/// The longest a request can take.
const REQUEST: SignedDuration = SignedDuration::from_secs(13);
/// How long a round that could do nothing of what is due waits for the next.
const IDLE: std::time::Duration = std::time::Duration::from_millis(250);
const BATCH: i64 = 16;

/// The courier.
#[derive(Debug, Clone)]
pub struct Courier {
    store: Store,
    desk: Desk,
    platform: Platform,
    clock: Clock,
    nudge: Arc<Notify>,
    health: Arc<Health>,
}

/// What the courier knows of itself, for readiness.
#[derive(Debug, Default)]
pub struct Health {
    token_dead: std::sync::atomic::AtomicBool,
}

impl Health {
    /// The platform does not accept the token any more.
    pub fn token_dead(&self) -> bool {
        self.token_dead.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl Courier {
    /// A courier over its parts.
    pub fn new(desk: Desk, platform: Platform, nudge: Arc<Notify>, health: Arc<Health>) -> Self {
        Self { store: desk.store().clone(), clock: desk.clock().clone(), desk, platform, nudge, health }
    }

    /// Rounds until cancelled; what was claimed is finished first.
    pub async fn run(self, stop: CancellationToken) {
        // Nothing is sent before what is in doubt is marked.
        while let Err(fault) = self.store.doubt_at_start(self.clock.now(), SETTLE).await {
            tracing::error!(error = &fault as &dyn std::error::Error, "Rows in doubt could not be marked");
            tokio::time::sleep(IDLE).await;
            if stop.is_cancelled() {
                return;
            }
        }
        let alone = Notify::new();
        while !stop.is_cancelled() {
            match self.round().await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(fault) => {
                    tracing::error!(error = &fault as &dyn std::error::Error, "A delivery round failed");
                    tokio::time::sleep(IDLE).await;
                }
            }
            let next = match self.store.next_delivery().await {
                Ok(next) => next,
                Err(fault) => {
                    // Not knowing when is not "never": look again soon.
                    tracing::error!(error = &fault as &dyn std::error::Error, "The next delivery could not be read");
                    tokio::time::sleep(IDLE).await;
                    continue;
                }
            };
            if next.is_some_and(|at| at <= self.clock.now()) {
                // Due, yet nothing could be done (a channel is busy, the token is dead): look again, but not at once.
                tokio::select! {
                    () = tokio::time::sleep(IDLE) => {}
                    () = self.nudge.notified() => {}
                    () = stop.cancelled() => {}
                }
                continue;
            }
            // Sleep on, without the database, until something is due or was written.
            let mut nudged = false;
            while !nudged && !stop.is_cancelled() && next.is_none_or(|at| at > self.clock.now()) {
                tokio::select! {
                    () = self.clock.wait(next, &alone) => {}
                    () = self.nudge.notified() => nudged = true,
                    () = stop.cancelled() => {}
                }
            }
        }
    }

    /// One round: whatever is due now. Returns how much was done.
    ///
    /// # Errors
    /// Database faults; what was claimed then is found again by the next round or the next start.
    pub async fn round(&self) -> Result<usize, StoreFault> {
        if self.health.token_dead() {
            return Ok(0);
        }
        let now = self.clock.now();
        let mut done = 0;
        if self.store.next_delivery().await?.is_some_and(|at| at <= now) {
            for doubtful in self.store.due_look_ups(now, BATCH).await? {
                self.look_up(doubtful).await?;
                done += 1;
            }
            let claimed = self.claim(now).await?;
            done += claimed.len();
            let mut sends = tokio::task::JoinSet::new();
            for row in claimed {
                let courier = self.clone();
                sends.spawn(async move { courier.send(row).await });
            }
            while let Some(sent) = sends.join_next().await {
                match sent {
                    Ok(Ok(())) => {}
                    Ok(Err(fault)) => {
                        tracing::error!(error = &fault as &dyn std::error::Error, "A post could not be recorded")
                    }
                    Err(panic) => tracing::error!(error = &panic as &dyn std::error::Error, "A send ended abnormally"),
                }
            }
            for edit in self.store.due_edits(now, BATCH).await? {
                self.edit(edit).await?;
                done += 1;
            }
        }
        for (row, release, key, at) in self.store.unreported().await? {
            if let Err(fault) = self.desk.ask(Ask::Delivered { release, row, key, at }).await {
                tracing::error!(error = &fault as &dyn std::error::Error, "A delivery could not be reported");
                break;
            }
            done += 1;
        }
        for post in self.store.untold().await? {
            if let Err(fault) = self.desk.ask(Ask::Stuck(post)).await {
                tracing::error!(error = &fault as &dyn std::error::Error, "An undelivered post could not be reported");
                break;
            }
            done += 1;
        }
        Ok(done)
    }

    /// A named point, at which a test may end the process.
    async fn at(&self, name: &str, what: &str) {
        point(name, what).await;
        #[cfg(test)]
        if let Platform::Simulated(chat) = &self.platform {
            chat.point(name).await;
        }
    }

    async fn claim(&self, now: Timestamp) -> Result<Vec<Claimed>, StoreFault> {
        let mut txn = self.store.begin().await?;
        Store::doubt_expired(&mut txn, now, SETTLE).await?;
        Store::doubt_tainted(&mut txn, now, FRESH).await?;
        Store::skip_useless(&mut txn, now).await?;
        let claimed = Store::claim(&mut txn, now, LEASE, BATCH).await?;
        txn.commit().await?;
        Ok(claimed)
    }

    async fn send(&self, mut row: Claimed) -> Result<(), StoreFault> {
        self.at("after_claim", &row.key).await;
        if row.anchor.is_none() {
            // The first message ever in this channel: learn what is there, so that a look-up can tell what it sees.
            match self.platform.newest(&row.channel).await {
                Ok(Some(anchor)) => {
                    self.store.set_anchor(row.id, &anchor).await?;
                    row.anchor = Some(anchor);
                }
                Ok(None) => {}
                Err(fault) => return self.failed(&row, fault).await,
            }
        }
        let message: Message = match serde_json::from_str(&row.payload) {
            Ok(message) => message,
            Err(error) => {
                return self
                    .settle(&row, Outcome::Dead { why: format!("the stored message does not parse: {error}") })
                    .await;
            }
        };
        self.at("before_send", &row.key).await;
        // A request that could outlive the lease is not begun (`reliability.md` 5.3).
        if row.lease_until.is_none_or(|until| self.clock.now() + REQUEST > until) {
            let at = self.clock.now();
            return self.settle(&row, Outcome::Retry { at, why: "the lease was nearly over".to_owned() }).await;
        }
        let out = Outgoing { message: &message, prompt: row.prompt.as_deref(), marker: &row.marker };
        let sent = self.platform.post(&row.channel, out, &row.nonce).await;
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

    async fn failed(&self, row: &Claimed, fault: SendFault) -> Result<(), StoreFault> {
        if fault == SendFault::TokenDead {
            self.health.token_dead.store(true, std::sync::atomic::Ordering::Relaxed);
            tracing::error!(
                "Discord does not accept the token; nothing is sent until the service is started with a valid one"
            );
        }
        let outcome = retry::after(&fault, row.attempt, self.clock.now(), SETTLE);
        tracing::warn!(post.key = row.key, attempt = row.attempt, %fault, "A post did not surely arrive");
        self.settle(row, outcome).await
    }

    async fn settle(&self, row: &Claimed, outcome: Outcome) -> Result<(), StoreFault> {
        let now = self.clock.now();
        let recorded = self.store.record(row.id, row.attempt, &outcome, now).await?;
        if !recorded {
            tracing::warn!(post.key = row.key, ?outcome, "The fence missed: the row was settled meanwhile");
        } else if let Outcome::Sent { message } = &outcome {
            let late_ms = now.as_millisecond() - row.due.as_millisecond();
            tracing::info!(post.key = row.key, message, late_ms, "Posted");
        }
        Ok(())
    }

    /// An unknown outcome is looked up; only a history that was surely read licenses a repeat.
    async fn look_up(&self, row: Claimed) -> Result<(), StoreFault> {
        let now = self.clock.now();
        let since = row.first_attempt.unwrap_or(row.due);
        let looked = self.platform.look_up(&row.channel, &row.marker, row.anchor.as_deref(), since).await;
        self.at("after_look_up", &row.key).await;
        let found = match looked {
            Ok(LookUp::Found(message)) => Found::Posted { message },
            Ok(LookUp::Absent) => Found::NotThere,
            // Never attempted, only overdue at start: without an anchor of its own there is nothing to doubt but a backup.
            Ok(LookUp::Inconclusive) if row.first_attempt.is_none() => Found::NotThere,
            // The licence ends with the window: whoever is told to wait meanwhile looks again.
            Ok(LookUp::Inconclusive) if row.first_attempt.is_some_and(|first| now <= first + TRUSTED) => {
                Found::TrustNonce { as_of: row.first_attempt.unwrap_or(now) + TRUSTED - FRESH }
            }
            Ok(LookUp::Inconclusive) => Found::Held {
                why: "the channel's history cannot be read, so nobody can say whether it was posted".to_owned(),
            },
            Err(SendFault::Wait(wait)) => Found::Later { at: now + SignedDuration::try_from(wait).unwrap_or(SETTLE) },
            Err(SendFault::Blocked(why)) if row.first_attempt.is_none() => {
                tracing::warn!(post.key = row.key, why, "The channel cannot be read");
                Found::NotThere
            }
            Err(fault) => {
                tracing::warn!(post.key = row.key, %fault, "A look-up failed");
                Found::Later { at: now + SignedDuration::from_secs(10) }
            }
        };
        if let Found::Held { why } = &found {
            tracing::error!(post.key = row.key, why, "A message is held for a person");
        }
        self.store.resolve(row.id, row.attempt, &found, now).await?;
        Ok(())
    }

    async fn edit(&self, edit: DueEdit) -> Result<(), StoreFault> {
        let message: Message = match serde_json::from_str(&edit.payload) {
            Ok(message) => message,
            Err(error) => {
                tracing::error!(post.key = edit.key, %error, "A stored edit does not parse");
                return self.store.record_edit(&edit.key, edit.wanted, None, self.clock.now()).await;
            }
        };
        let out = Outgoing { message: &message, prompt: edit.prompt.as_deref(), marker: &edit.marker };
        let outcome = self.platform.edit(&edit.channel, &edit.message, out).await;
        let now = self.clock.now();
        let retry_at = match outcome {
            Ok(()) => None,
            Err(SendFault::Deleted | SendFault::Refused(_)) => {
                tracing::warn!(post.key = edit.key, "A message can no longer be edited");
                None
            }
            Err(fault) => Some(retry::edit_after(&fault, edit.attempt, now)),
        };
        self.store.record_edit(&edit.key, edit.wanted, retry_at, now).await
    }
}
