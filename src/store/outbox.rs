//! Rows of the outbox: posts that happen exactly once, edits of which the latest wins, attempts as they were made.
//! Every change of a post is fenced by its state, and by its attempt where one is under way.

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;

use super::{Store, StoreFault, instant, to_json};
use crate::domain::ids::{ChannelId, GuildId, ReleaseId};

/// Attempts that ended with the process before a row is given up as poison.
const MAX_RECOVERIES: i64 = 3;

/// A message to be posted once.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct NewPost {
    pub key: String,
    pub guild: GuildId,
    /// Absent where the workspace itself speaks.
    pub release: Option<ReleaseId>,
    pub channel: ChannelId,
    pub priority: i64,
    pub due: i64,
    pub useful_until: Option<i64>,
    /// The platform-neutral message as JSON: frozen.
    pub payload: String,
    pub prompt: Option<String>,
    pub nonce: String,
    pub marker: String,
}

/// A post taken for sending, or waiting for its look-up.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    pub id: i64,
    pub key: String,
    pub channel: ChannelId,
    pub payload: String,
    pub prompt: Option<String>,
    pub nonce: String,
    pub marker: String,
    pub attempt: i64,
    pub lease_until: Option<Timestamp>,
    pub first_attempt: Option<Timestamp>,
    pub due: Timestamp,
    pub anchor: Option<String>,
}

/// What an attempt led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Sent {
        message: String,
    },
    /// Posted earlier and deleted by somebody since: never posted again.
    SentDeleted,
    /// Certainly not executed; may be tried again at `at`.
    Retry {
        at: Timestamp,
        why: String,
    },
    /// May or may not have been executed: looked up before anything else.
    Unknown {
        look_up_at: Timestamp,
        why: String,
    },
    /// A right or the channel is missing; probed again.
    Blocked {
        probe_at: Timestamp,
        why: String,
    },
    Dead {
        why: String,
    },
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Posted {
        message: String,
    },
    NotThere,
    /// The history cannot be trusted; within the nonce's safe window the nonce alone decides. The licence is as old as `as_of`.
    TrustNonce {
        as_of: Timestamp,
    },
    Later {
        at: Timestamp,
    },
    Held {
        why: String,
    },
}

/// Where posts stand, counted for health and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostState {
    pub state: String,
    pub count: i64,
}

struct ClaimedRow {
    id: i64,
    key: String,
    channel_id: String,
    payload: String,
    prompt_id: Option<String>,
    nonce: String,
    marker: String,
    attempt: i64,
    lease_until: Option<i64>,
    first_attempt: Option<i64>,
    due: i64,
    anchor_id: Option<String>,
}

impl TryFrom<ClaimedRow> for Claimed {
    type Error = StoreFault;

    fn try_from(row: ClaimedRow) -> Result<Self, StoreFault> {
        let time = |ms: Option<i64>, column| ms.map(|ms| instant(ms, "outbox", column)).transpose();
        Ok(Self {
            id: row.id,
            key: row.key,
            channel: ChannelId(row.channel_id),
            payload: row.payload,
            prompt: row.prompt_id,
            nonce: row.nonce,
            marker: row.marker,
            attempt: row.attempt,
            lease_until: time(row.lease_until, "lease_until")?,
            first_attempt: time(row.first_attempt, "first_attempt")?,
            due: instant(row.due, "outbox", "due")?,
            anchor: row.anchor_id,
        })
    }
}

impl Store {
    /// Puts posts into the outbox; a key that is there already is no news.
    ///
    /// # Errors
    /// Database faults.
    pub async fn enqueue(txn: &mut SqliteConnection, posts: &[NewPost]) -> Result<(), StoreFault> {
        if posts.is_empty() {
            return Ok(());
        }
        let rows = to_json(&posts, "outbox")?;
        sqlx::query!(
            "INSERT INTO outbox (key, guild_id, release_id, channel_id, priority, due, useful_until, payload, prompt_id, nonce, marker, state, next_try, reported)
             SELECT value ->> 'key', value ->> 'guild', value ->> 'release', value ->> 'channel', value ->> 'priority', value ->> 'due',
                    value ->> 'useful_until', value ->> 'payload', value ->> 'prompt', value ->> 'nonce', value ->> 'marker', 'planned', value ->> 'due', value ->> 'release' IS NULL
             FROM json_each(?) WHERE true
             ON CONFLICT DO NOTHING",
            rows
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// Whether a post was ever enqueued under a key.
    ///
    /// # Errors
    /// Database faults.
    pub async fn has_post(txn: &mut SqliteConnection, key: &str) -> Result<bool, StoreFault> {
        let found = sqlx::query_scalar!(r#"SELECT count(*) AS "n!: i64" FROM outbox WHERE key = ?"#, key)
            .fetch_one(txn)
            .await?;
        Ok(found > 0)
    }

    /// At start: whatever was being sent is of unknown outcome, and whatever is overdue is looked up before it is sent
    /// (a restored backup makes sent notices look unsent). Returns how many rows that concerns.
    ///
    /// # Errors
    /// Database faults.
    pub async fn doubt_at_start(&self, now: Timestamp, settle: SignedDuration) -> Result<u64, StoreFault> {
        let (now_ms, settled) = (now.as_millisecond(), (now + settle).as_millisecond());
        let mut txn = self.begin().await?;
        let sending = sqlx::query!(
            "UPDATE outbox SET recoveries = recoveries + 1, lease_until = NULL, next_try = ?1, tainted = 1,
                    state = CASE WHEN recoveries + 1 > ?2 THEN 'dead' ELSE 'unknown' END,
                    reason = CASE WHEN recoveries + 1 > ?2 THEN 'the process died too often while sending it' ELSE 'the process ended while sending it' END
             WHERE state = 'sending'",
            settled,
            MAX_RECOVERIES
        )
        .execute(&mut *txn)
        .await?;
        let overdue = sqlx::query!(
            "UPDATE outbox SET state = 'unknown', next_try = ?1, reason = 'overdue at start' WHERE state = 'planned' AND due < ?1",
            now_ms
        )
        .execute(&mut *txn)
        .await?;
        txn.commit().await?;
        Ok(sending.rows_affected() + overdue.rows_affected())
    }

    /// Leases that ran out in this process's own life become unknown outcomes.
    ///
    /// # Errors
    /// Database faults.
    pub async fn doubt_expired(
        txn: &mut SqliteConnection,
        now: Timestamp,
        settle: SignedDuration,
    ) -> Result<u64, StoreFault> {
        let (now_ms, settled) = (now.as_millisecond(), (now + settle).as_millisecond());
        let done = sqlx::query!(
            "UPDATE outbox SET state = 'unknown', lease_until = NULL, next_try = ?2, tainted = 1, reason = 'the lease ran out' WHERE state = 'sending' AND lease_until <= ?1",
            now_ms,
            settled
        )
        .execute(txn)
        .await?;
        Ok(done.rows_affected())
    }

    /// A post that was once of unknown outcome is looked up again before another attempt, unless that was done within
    /// `fresh`: an older look-up says nothing of what took effect since (`reliability.md` 5.5).
    ///
    /// # Errors
    /// Database faults.
    pub async fn doubt_tainted(
        txn: &mut SqliteConnection,
        now: Timestamp,
        fresh: SignedDuration,
    ) -> Result<u64, StoreFault> {
        let (now_ms, since) = (now.as_millisecond(), (now - fresh).as_millisecond());
        let done = sqlx::query!(
            "UPDATE outbox SET state = 'unknown', next_try = ?1, reason = 'looked up again before another attempt'
             WHERE tainted = 1 AND state IN ('planned', 'blocked') AND next_try <= ?1 AND coalesce(looked_up, 0) < ?2",
            now_ms,
            since
        )
        .execute(txn)
        .await?;
        Ok(done.rows_affected())
    }

    /// Skips what is not worth saying any more and is surely not posted.
    ///
    /// # Errors
    /// Database faults.
    pub async fn skip_useless(txn: &mut SqliteConnection, now: Timestamp) -> Result<u64, StoreFault> {
        let now = now.as_millisecond();
        let done = sqlx::query!(
            "UPDATE outbox SET state = 'skipped', told = 0, reason = 'no longer useful'
             WHERE state IN ('planned', 'blocked') AND next_try <= ?1 AND useful_until IS NOT NULL AND useful_until < ?1",
            now
        )
        .execute(txn)
        .await?;
        Ok(done.rows_affected())
    }

    /// Takes due posts for sending: most urgent first, one per channel. The attempts are noted in the same transaction.
    ///
    /// # Errors
    /// Database faults.
    pub async fn claim(
        txn: &mut SqliteConnection,
        now: Timestamp,
        lease: SignedDuration,
        limit: i64,
    ) -> Result<Vec<Claimed>, StoreFault> {
        let (now_ms, lease) = (now.as_millisecond(), (now + lease).as_millisecond());
        let rows = sqlx::query_as!(
            ClaimedRow,
            r#"UPDATE outbox SET state = 'sending', attempt = attempt + 1, lease_until = ?2, first_attempt = coalesce(first_attempt, ?1),
                    anchor_id = coalesce(anchor_id, (SELECT s.message_id FROM outbox s
                        WHERE s.channel_id = outbox.channel_id AND s.message_id IS NOT NULL ORDER BY s.posted_at DESC LIMIT 1))
             WHERE id IN (
                SELECT min(id) FROM outbox o
                WHERE state IN ('planned', 'blocked') AND next_try <= ?1
                  AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.channel_id = o.channel_id AND b.state = 'sending')
                  AND priority = (SELECT min(p.priority) FROM outbox p WHERE p.channel_id = o.channel_id AND p.state IN ('planned', 'blocked') AND p.next_try <= ?1)
                GROUP BY channel_id LIMIT ?3)
             RETURNING id AS "id!", key AS "key!", channel_id AS "channel_id!", payload AS "payload!", prompt_id,
                       nonce AS "nonce!", marker AS "marker!", attempt AS "attempt!", lease_until, first_attempt, due AS "due!", anchor_id"#,
            now_ms,
            lease,
            limit
        )
        .fetch_all(&mut *txn)
        .await?;
        let claimed = rows.into_iter().map(Claimed::try_from).collect::<Result<Vec<_>, _>>()?;
        let attempts: Vec<(i64, i64)> = claimed.iter().map(|c| (c.id, c.attempt)).collect();
        let attempts = to_json(&attempts, "attempt")?;
        sqlx::query!(
            "INSERT INTO attempt (outbox_id, n, started) SELECT value ->> 0, value ->> 1, ? FROM json_each(?)",
            now_ms,
            attempts
        )
        .execute(txn)
        .await?;
        Ok(claimed)
    }

    /// Remembers a message known to be in the channel before the first attempt.
    ///
    /// # Errors
    /// Database faults.
    pub async fn set_anchor(&self, id: i64, anchor: &str) -> Result<(), StoreFault> {
        let mut txn = self.begin().await?;
        sqlx::query!("UPDATE outbox SET anchor_id = ? WHERE id = ? AND anchor_id IS NULL", anchor, id)
            .execute(&mut *txn)
            .await?;
        txn.commit().await?;
        Ok(())
    }

    /// Records what an attempt led to. `false`: the fence missed, somebody else has settled the row.
    ///
    /// # Errors
    /// Database faults.
    pub async fn record(&self, id: i64, attempt: i64, outcome: &Outcome, now: Timestamp) -> Result<bool, StoreFault> {
        let now_ms = now.as_millisecond();
        let (state, message, next, why): (&str, Option<&str>, Option<i64>, Option<&str>) = match outcome {
            Outcome::Sent { message } => ("sent", Some(message), None, None),
            Outcome::SentDeleted => ("sent_deleted", None, None, Some("posted, then deleted by somebody")),
            Outcome::Retry { at, why } => ("planned", None, Some(at.as_millisecond()), Some(why)),
            Outcome::Unknown { look_up_at, why } => ("unknown", None, Some(look_up_at.as_millisecond()), Some(why)),
            Outcome::Blocked { probe_at, why } => ("blocked", None, Some(probe_at.as_millisecond()), Some(why)),
            Outcome::Dead { why } => ("dead", None, None, Some(why)),
        };
        let posted = message.map(|_| now_ms);
        let mut txn = self.begin().await?;
        let done = sqlx::query!(
            "UPDATE outbox SET message_id = coalesce(?4, message_id), posted_at = coalesce(?5, posted_at),
                    state = CASE WHEN withdrawn = 1 AND ?3 IN ('planned', 'blocked', 'dead') THEN 'superseded' ELSE ?3 END,
                    next_try = coalesce(?6, next_try), reason = ?7, lease_until = NULL, tainted = CASE WHEN ?3 = 'unknown' THEN 1 ELSE tainted END
             WHERE id = ?1 AND attempt = ?2 AND state = 'sending'",
            id,
            attempt,
            state,
            message,
            posted,
            next,
            why
        )
        .execute(&mut *txn)
        .await?;
        sqlx::query!(
            "UPDATE attempt SET ended = ?, outcome = ? WHERE outbox_id = ? AND n = ?",
            now_ms,
            state,
            id,
            attempt
        )
        .execute(&mut *txn)
        .await?;
        txn.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Posts of unknown outcome whose look-up is due.
    ///
    /// # Errors
    /// Database faults.
    pub async fn due_look_ups(&self, now: Timestamp, limit: i64) -> Result<Vec<Claimed>, StoreFault> {
        let now = now.as_millisecond();
        let rows = sqlx::query_as!(
            ClaimedRow,
            r#"SELECT id AS "id!", key, channel_id, payload, prompt_id, nonce, marker, attempt, lease_until, first_attempt, due, anchor_id
             FROM outbox WHERE state = 'unknown' AND next_try <= ? ORDER BY priority, next_try LIMIT ?"#,
            now,
            limit
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter().map(Claimed::try_from).collect()
    }

    /// Settles a look-up, fenced by the state and the attempt it was made for.
    ///
    /// # Errors
    /// Database faults.
    pub async fn resolve(&self, id: i64, attempt: i64, found: &Found, now: Timestamp) -> Result<bool, StoreFault> {
        let now_ms = now.as_millisecond();
        let (state, message, next, why): (&str, Option<&str>, Option<i64>, Option<&str>) = match found {
            Found::Posted { message } => ("sent", Some(message), None, Some("found in the channel")),
            Found::NotThere => ("planned", None, Some(now_ms), Some("not in the channel")),
            Found::TrustNonce { .. } => {
                ("planned", None, Some(now_ms), Some("the channel's history cannot be read; the nonce decides"))
            }
            Found::Later { at } => ("unknown", None, Some(at.as_millisecond()), Some("the look-up failed")),
            Found::Held { why } => ("held", None, None, Some(why)),
        };
        let posted = message.map(|_| now_ms);
        let looked_up = match found {
            Found::TrustNonce { as_of } => as_of.as_millisecond(),
            _ => now_ms,
        };
        let mut txn = self.begin().await?;
        let done = sqlx::query!(
            "UPDATE outbox SET message_id = coalesce(?4, message_id), posted_at = coalesce(?5, posted_at),
                    state = CASE WHEN withdrawn = 1 AND ?3 IN ('planned', 'held') THEN 'superseded' ELSE ?3 END,
                    next_try = coalesce(?6, next_try), reason = ?7, looked_up = CASE WHEN ?3 = 'planned' THEN ?8 ELSE looked_up END
             WHERE id = ?1 AND attempt = ?2 AND state = 'unknown'",
            id,
            attempt,
            state,
            message,
            posted,
            next,
            why,
            looked_up
        )
        .execute(&mut *txn)
        .await?;
        txn.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// When the courier has something to do next.
    ///
    /// # Errors
    /// Database faults.
    pub async fn next_delivery(&self) -> Result<Option<Timestamp>, StoreFault> {
        let row = sqlx::query_scalar!(
            r#"SELECT min(t) AS "t: i64" FROM (
                SELECT min(next_try) AS t FROM outbox WHERE state IN ('planned', 'unknown', 'blocked')
                UNION ALL SELECT min(lease_until) FROM outbox WHERE state = 'sending'
                UNION ALL SELECT min(e.next_try) FROM edit e JOIN outbox o ON o.key = e.key WHERE e.done < e.wanted AND o.message_id IS NOT NULL)"#
        )
        .fetch_one(self.read())
        .await?;
        row.map(|ms| instant(ms, "outbox", "next_try")).transpose()
    }

    /// Where a release's posts stand, by key.
    ///
    /// # Errors
    /// Database faults.
    #[cfg(test)]
    pub(crate) async fn states_of(&self, release: ReleaseId) -> Result<Vec<(String, String)>, StoreFault> {
        let states = sqlx::query_as("SELECT key, state FROM outbox WHERE release_id = ? ORDER BY id");
        Ok(states.bind(release.to_string()).fetch_all(self.read()).await?)
    }

    /// How many posts stand where, for health and metrics.
    ///
    /// # Errors
    /// Database faults.
    pub async fn post_states(&self) -> Result<Vec<PostState>, StoreFault> {
        let rows = sqlx::query!(r#"SELECT state, count(*) AS "count!: i64" FROM outbox GROUP BY state"#)
            .fetch_all(self.read())
            .await?;
        Ok(rows.into_iter().map(|row| PostState { state: row.state, count: row.count }).collect())
    }
}
