//! Rows of the outbox: posts that happen exactly once, edits of which the latest wins, attempts that did not arrive at once.
//! Every change of a post is fenced by its state, and by its attempt where one is under way.

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;

use super::group::{Claiming, Done, Op};
use super::{Store, StoreFault, instant};
use crate::domain::effect::Destination;
use crate::domain::ids::{ChannelId, GuildId, ReleaseId};

/// A message to be posted once.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct NewPost {
    pub key: String,
    pub guild: GuildId,
    /// Absent where the workspace itself speaks.
    pub release: Option<ReleaseId>,
    pub channel: ChannelId,
    /// Whom the channel stands for: another one may, later.
    pub to: Destination,
    /// Its release waits for news that it is posted; of any other it hears only where it did not arrive at first.
    pub awaited: bool,
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
    /// Whose message it is.
    pub guild: GuildId,
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
    pub priority: i64,
    /// It is bare words already.
    pub plain: bool,
    /// Its outcome was once unknown.
    pub tainted: bool,
}

/// After its first attempt a message is repeated for so long, and the last repeat has settled, in milliseconds.
pub(super) const WINDOW_MS: i64 = 35_000;
/// How long an accepted request may take to show, in milliseconds.
pub(super) const SETTLED_MS: i64 = 30_000;

/// What an attempt led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Sent {
        message: String,
    },
    /// Posted earlier and deleted by somebody since: never posted again.
    SentDeleted,
    /// Not begun: the channel takes nothing more of this priority before `at`. That is no attempt.
    NoRoom {
        at: Timestamp,
    },
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
    /// May or may not have been executed, and a repeat does no harm: tried again at `at`. The licence counts like a look-up made at
    /// `as_of`.
    Repeat {
        at: Timestamp,
        as_of: Timestamp,
        why: String,
    },
    /// A right or the channel is missing; probed again.
    Blocked {
        probe_at: Timestamp,
        why: String,
        /// The channel is not there, with all that was in it.
        gone: bool,
    },
    Dead {
        why: String,
    },
    /// Refused as it was: tried once more as bare words.
    Plain {
        plain: Plain,
        why: String,
    },
}

/// A post as bare words. Another body needs another nonce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    pub payload: String,
    pub nonce: String,
}

/// How many rows may be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub all: i64,
    /// For what a person must decide; at least as many.
    pub urgent: i64,
}

/// What waits for the courier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub look_ups: bool,
    pub posts: bool,
    /// Leases that ran out.
    pub expired: bool,
    /// Posts that were once of unknown outcome, and whose last look-up is too old.
    pub stale: bool,
    /// Posts that are not worth saying any more.
    pub useless: bool,
    /// Posts in a channel that takes none, where another probes it later.
    pub shut_out: bool,
    pub edits: bool,
    /// Releases to be told that a post reached its channel.
    pub delivered: bool,
    /// People to be told that one did not.
    pub stuck: bool,
    /// When the next of it is due that is not yet.
    pub later: Option<Timestamp>,
}

impl Waiting {
    /// Whether there is anything to send or to look up now.
    pub fn is_due(&self) -> bool {
        self.look_ups || self.posts || self.expired || self.edits
    }
}

/// Where posts stand, counted for health and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostState {
    pub state: String,
    pub count: i64,
}

pub(super) struct ClaimedRow {
    pub(super) id: i64,
    pub(super) key: String,
    pub(super) guild_id: String,
    pub(super) channel_id: String,
    pub(super) payload: String,
    pub(super) prompt_id: Option<String>,
    pub(super) nonce: String,
    pub(super) marker: String,
    pub(super) attempt: i64,
    pub(super) lease_until: Option<i64>,
    pub(super) first_attempt: Option<i64>,
    pub(super) due: i64,
    pub(super) anchor_id: Option<String>,
    pub(super) priority: i64,
    pub(super) plain: i64,
    pub(super) tainted: i64,
}

impl TryFrom<ClaimedRow> for Claimed {
    type Error = StoreFault;

    fn try_from(row: ClaimedRow) -> Result<Self, StoreFault> {
        let time = |ms: Option<i64>, column| ms.map(|ms| instant(ms, "outbox", column)).transpose();
        Ok(Self {
            id: row.id,
            key: row.key,
            guild: GuildId(row.guild_id),
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
            priority: row.priority,
            plain: row.plain != 0,
            tainted: row.tainted != 0,
        })
    }
}

impl Store {
    /// The platform's id of a message, if it was posted to this channel.
    ///
    /// # Errors
    /// Database faults.
    pub async fn posted_as(&self, key: &str, channel: &ChannelId) -> Result<Option<String>, StoreFault> {
        let channel = &channel.0;
        let id = sqlx::query_scalar!("SELECT message_id FROM outbox WHERE key = ? AND channel_id = ?", key, channel);
        Ok(id.fetch_optional(self.read()).await?.flatten())
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

    /// Skips what is not worth saying any more and is surely not posted: what may be is looked up first. Within `repeats` of its first
    /// attempt a fresh look-up may be a licence to repeat, which says nothing.
    ///
    /// # Errors
    /// Database faults.
    pub async fn skip_useless(
        txn: &mut SqliteConnection,
        now: Timestamp,
        fresh: SignedDuration,
        repeats: SignedDuration,
    ) -> Result<u64, StoreFault> {
        let (since, first) = ((now - fresh).as_millisecond(), (now - repeats).as_millisecond());
        let now = now.as_millisecond();
        let done = sqlx::query!(
            "UPDATE outbox SET state = 'skipped', told = 0, reason = 'no longer useful'
             WHERE state IN ('planned', 'blocked') AND next_try <= ?1 AND useful_until IS NOT NULL AND useful_until < ?1
                AND NOT (tainted = 1 AND (coalesce(looked_up, 0) < ?2 OR coalesce(first_attempt, 0) > ?3))",
            now,
            since,
            first
        )
        .execute(&mut *txn)
        .await?;
        let repeats = i64::try_from(repeats.as_millis()).unwrap_or(i64::MAX);
        sqlx::query!(
            "UPDATE outbox SET next_try = first_attempt + ?3
             WHERE state IN ('planned', 'blocked') AND next_try <= ?1 AND useful_until IS NOT NULL AND useful_until < ?1
                AND tainted = 1 AND first_attempt > ?2",
            now,
            first,
            repeats
        )
        .execute(txn)
        .await?;
        Ok(done.rows_affected())
    }

    /// What is due in a channel that was found to take no message waits for the next probe of that channel, and is told as blocked
    /// like the others: one request asks for all of them.
    ///
    /// # Errors
    /// Database faults.
    pub async fn wait_for_probe(txn: &mut SqliteConnection, now: Timestamp) -> Result<u64, StoreFault> {
        let now = now.as_millisecond();
        let done = sqlx::query!(
            "UPDATE outbox SET state = 'blocked', reason = p.reason, gone = p.gone,
                    next_try = CASE WHEN useful_until BETWEEN ?1 AND p.at THEN useful_until + 1 ELSE p.at END
             FROM (SELECT channel_id, max(next_try) AS at, reason, gone FROM outbox
                   WHERE state = 'blocked' AND next_try > ?1 GROUP BY channel_id) p
             WHERE outbox.channel_id = p.channel_id AND outbox.state IN ('planned', 'blocked') AND outbox.next_try <= ?1",
            now
        )
        .execute(txn)
        .await?;
        Ok(done.rows_affected())
    }

    /// Takes due posts for sending: most urgent first, one per channel.
    ///
    /// # Errors
    /// Database faults.
    pub async fn claim(&self, claiming: Claiming) -> Result<Vec<Claimed>, StoreFault> {
        match self.write(Op::Claim(claiming)).await? {
            Done::Claimed(claimed) => Ok(claimed),
            Done::Fenced(_) | Done::Noted => Ok(Vec::new()),
        }
    }

    pub(super) async fn claim_in(txn: &mut SqliteConnection, claiming: &Claiming) -> Result<Vec<Claimed>, StoreFault> {
        let Claiming { now, waiting, lease, settle, fresh, repeats, room } = *claiming;
        if waiting.expired {
            Self::doubt_expired(txn, now, settle).await?;
        }
        if waiting.useless {
            Self::skip_useless(txn, now, fresh, repeats).await?;
        }
        // Before what may be there already is looked up: that waits for the probe as well.
        if waiting.shut_out {
            Self::wait_for_probe(txn, now).await?;
        }
        if waiting.stale {
            Self::doubt_tainted(txn, now, fresh).await?;
        }
        if room.urgent <= 0 {
            return Ok(Vec::new());
        }
        let since = (now - fresh).as_millisecond();
        let (now_ms, lease) = (now.as_millisecond(), (now + lease).as_millisecond());
        let mut rows = sqlx::query_as!(
            ClaimedRow,
            r#"UPDATE outbox SET state = 'sending', attempt = attempt + 1, lease_until = ?2, first_attempt = coalesce(first_attempt, ?1),
                    anchor_id = coalesce(anchor_id, (SELECT s.message_id FROM outbox s
                        WHERE s.channel_id = outbox.channel_id AND s.message_id IS NOT NULL ORDER BY s.posted_at DESC LIMIT 1))
             WHERE id IN (
                WITH RECURSIVE channel (id) AS (
                    SELECT min(channel_id) FROM outbox WHERE state IN ('planned', 'blocked')
                    UNION ALL
                    SELECT (SELECT min(channel_id) FROM outbox WHERE state IN ('planned', 'blocked') AND channel_id > channel.id)
                    FROM channel WHERE channel.id IS NOT NULL),
                next (id) AS (
                    SELECT (SELECT n.id FROM outbox n
                            WHERE n.channel_id = channel.id AND n.state IN ('planned', 'blocked') AND n.next_try <= ?1
                                AND NOT (n.tainted = 1 AND coalesce(n.looked_up, 0) < ?5)
                                AND (n.useful_until IS NULL OR n.useful_until >= ?1)
                            ORDER BY n.priority, n.next_try, n.id LIMIT 1)
                    FROM channel
                    WHERE channel.id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.channel_id = channel.id AND b.state = 'sending')
                        AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.channel_id = channel.id AND b.state = 'blocked' AND b.next_try > ?1))
                SELECT id FROM (
                    SELECT o.id, o.priority, row_number() OVER (ORDER BY o.priority, o.next_try, o.id) AS turn
                    FROM next JOIN outbox o ON o.id = next.id)
                WHERE turn <= ?3 OR (priority = 0 AND turn <= ?4))
             RETURNING id AS "id!", key AS "key!", guild_id AS "guild_id!", channel_id AS "channel_id!", payload AS "payload!", prompt_id, nonce AS "nonce!",
                       marker AS "marker!", attempt AS "attempt!", lease_until, first_attempt, due AS "due!", anchor_id,
                       priority AS "priority!", plain AS "plain!", tainted AS "tainted!""#,
            now_ms,
            lease,
            room.all,
            room.urgent,
            since
        )
        .fetch_all(txn)
        .await?;
        rows.sort_by_key(|row| (row.priority, row.due, row.id));
        rows.into_iter().map(Claimed::try_from).collect()
    }

    /// Records what an attempt led to. `false`: the fence missed, somebody else has settled the row.
    ///
    /// # Errors
    /// Database faults.
    pub async fn record(&self, id: i64, attempt: i64, outcome: &Outcome, now: Timestamp) -> Result<bool, StoreFault> {
        let done = self.write(Op::Record { id, attempt, outcome: outcome.clone(), now }).await?;
        Ok(matches!(done, Done::Fenced(true)))
    }

    pub(super) async fn record_in(
        txn: &mut SqliteConnection,
        id: i64,
        attempt: i64,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let now_ms = now.as_millisecond();
        let (state, message, next, why): (&str, Option<&str>, Option<i64>, Option<&str>) = match outcome {
            Outcome::Sent { message } => ("sent", Some(message), None, None),
            Outcome::SentDeleted => ("sent_deleted", None, None, Some("posted, then deleted by someone")),
            Outcome::Retry { at, why } | Outcome::Repeat { at, why, .. } => {
                ("planned", None, Some(at.as_millisecond()), Some(why))
            }
            Outcome::NoRoom { at } => return Self::put_off(txn, id, attempt, *at).await,
            Outcome::Unknown { look_up_at, why } => ("unknown", None, Some(look_up_at.as_millisecond()), Some(why)),
            Outcome::Blocked { probe_at, why, .. } => ("blocked", None, Some(probe_at.as_millisecond()), Some(why)),
            Outcome::Dead { why } => ("dead", None, None, Some(why)),
            Outcome::Plain { why, .. } => ("planned", None, Some(now_ms), Some(why)),
        };
        let plain = match outcome {
            Outcome::Plain { plain, .. } => Some(plain),
            _ => None,
        };
        let (payload, nonce) = (plain.map(|p| p.payload.as_str()), plain.map(|p| p.nonce.as_str()));
        let posted = message.map(|_| now_ms);
        let gone = matches!(outcome, Outcome::Blocked { gone: true, .. });
        let licence = match outcome {
            Outcome::Repeat { as_of, .. } => Some(as_of.as_millisecond()),
            _ => None,
        };
        let done = sqlx::query!(
            "UPDATE outbox SET message_id = coalesce(?4, message_id), posted_at = coalesce(?5, posted_at),
                    state = CASE WHEN withdrawn = 0 OR ?3 NOT IN ('planned', 'blocked', 'dead') THEN ?3
                                 WHEN tainted = 1 OR ?12 IS NOT NULL THEN 'unknown' ELSE 'superseded' END,
                    next_try = coalesce(CASE WHEN withdrawn = 1 AND (tainted = 1 OR ?12 IS NOT NULL) THEN ?10 + ?13 END, CASE WHEN ?3 = 'blocked' AND useful_until BETWEEN ?10 AND ?6 THEN useful_until + 1 END, ?6, next_try),
                    reason = ?7, lease_until = NULL,
                    payload = coalesce(?8, payload), nonce = coalesce(?9, nonce), plain = CASE WHEN ?8 IS NULL THEN plain ELSE 1 END, tainted = CASE WHEN ?3 = 'unknown' OR ?12 IS NOT NULL THEN 1 ELSE tainted END,
                    looked_up = coalesce(?12, looked_up), first_attempt = CASE WHEN ?3 = 'planned' AND tainted = 0 AND ?12 IS NULL THEN NULL ELSE first_attempt END,
                    told = CASE WHEN ?3 = 'dead' THEN 0 ELSE told END, gone = ?11
             WHERE id = ?1 AND attempt = ?2 AND state = 'sending'",
            id,
            attempt,
            state,
            message,
            posted,
            next,
            why,
            payload,
            nonce,
            now_ms,
            gone,
            licence,
            SETTLED_MS
        )
        .execute(&mut *txn)
        .await?;
        // What arrived at once stands in its row, and so does one that ended with its process; any other attempt has a line of its own.
        if state != "sent" || attempt > 1 {
            sqlx::query!(
                "INSERT INTO attempt (outbox_id, n, ended, outcome) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                id,
                attempt,
                now_ms,
                state
            )
            .execute(txn)
            .await?;
        }
        Ok(done.rows_affected() == 1)
    }

    /// A post waits for room in its channel, and so does what is not more urgent there.
    async fn put_off(txn: &mut SqliteConnection, id: i64, attempt: i64, until: Timestamp) -> Result<bool, StoreFault> {
        let until = until.as_millisecond();
        let done = sqlx::query!(
            "UPDATE outbox SET next_try = CASE WHEN withdrawn = 1 THEN max(?3, coalesce(first_attempt, 0) + ?4) ELSE ?3 END,
                    lease_until = NULL, attempt = attempt - 1,
                    state = CASE WHEN withdrawn = 0 THEN 'planned' WHEN tainted = 1 THEN 'unknown' ELSE 'superseded' END,
                    first_attempt = CASE WHEN tainted = 0 THEN NULL ELSE first_attempt END
             WHERE id = ?1 AND attempt = ?2 AND state = 'sending'",
            id,
            attempt,
            until,
            WINDOW_MS
        )
        .execute(&mut *txn)
        .await?;
        sqlx::query!(
            "UPDATE outbox SET next_try = ?2
             WHERE state IN ('planned', 'blocked') AND next_try < ?2 AND state = 'planned'
                AND channel_id = (SELECT channel_id FROM outbox WHERE id = ?1) AND priority >= (SELECT priority FROM outbox WHERE id = ?1)",
            id,
            until
        )
        .execute(txn)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// What the courier has to do now, in one look.
    ///
    /// # Errors
    /// Database faults.
    pub async fn waiting(&self, now: Timestamp, fresh: SignedDuration) -> Result<Waiting, StoreFault> {
        let (now, since) = (now.as_millisecond(), (now - fresh).as_millisecond());
        let row = sqlx::query!(
            r#"SELECT EXISTS (SELECT 1 FROM outbox WHERE state = 'unknown' AND next_try <= ?1) AS "look_ups!: bool",
                      EXISTS (SELECT 1 FROM outbox WHERE state IN ('planned', 'blocked') AND next_try <= ?1) AS "posts!: bool",
                      EXISTS (SELECT 1 FROM outbox WHERE state = 'sending' AND lease_until <= ?1) AS "expired!: bool",
                      EXISTS (SELECT 1 FROM outbox WHERE state IN ('planned', 'blocked') AND next_try <= ?1
                                  AND tainted = 1 AND coalesce(looked_up, 0) < ?2) AS "stale!: bool",
                      EXISTS (SELECT 1 FROM outbox WHERE state IN ('planned', 'blocked') AND next_try <= ?1
                                  AND useful_until < ?1) AS "useless!: bool",
                      EXISTS (SELECT 1 FROM outbox p WHERE p.state = 'blocked' AND p.next_try > ?1
                                  AND EXISTS (SELECT 1 FROM outbox w WHERE w.channel_id = p.channel_id
                                                  AND w.state IN ('planned', 'blocked') AND w.next_try <= ?1)) AS "shut_out!: bool",
                      EXISTS (SELECT 1 FROM edit e JOIN outbox o ON o.key = e.key
                              WHERE e.done < e.wanted AND e.next_try <= ?1 AND o.message_id IS NOT NULL)
                          OR EXISTS (SELECT 1 FROM edit WHERE again <= ?1 AND done >= wanted) AS "edits!: bool",
                      EXISTS (SELECT 1 FROM outbox WHERE state = 'sent' AND reported = 0) AS "delivered!: bool",
                      EXISTS (SELECT 1 FROM outbox WHERE told = 0 AND state IN ('held', 'blocked', 'dead', 'skipped'))
                          OR EXISTS (SELECT 1 FROM edit WHERE trouble = 1) AS "stuck!: bool",
                      (SELECT min(t) FROM (
                          SELECT min(next_try) AS t FROM outbox WHERE state IN ('planned', 'blocked') AND next_try > ?1
                          UNION ALL SELECT min(next_try) FROM outbox WHERE state = 'unknown' AND next_try > ?1
                          UNION ALL SELECT min(lease_until) FROM outbox WHERE state = 'sending' AND lease_until > ?1
                          UNION ALL SELECT min(e.next_try) FROM edit e JOIN outbox o ON o.key = e.key
                              WHERE e.done < e.wanted AND e.next_try > ?1 AND o.message_id IS NOT NULL
                          UNION ALL SELECT min(again) FROM edit WHERE again > ?1 AND done >= wanted)) AS "later: i64""#,
            now,
            since
        )
        .fetch_one(self.read())
        .await?;
        let (look_ups, posts, edits) = (row.look_ups, row.posts, row.edits);
        let (expired, stale, useless, shut_out) = (row.expired, row.stale, row.useless, row.shut_out);
        Ok(Waiting {
            look_ups,
            posts,
            expired,
            stale,
            useless,
            shut_out,
            edits,
            delivered: row.delivered,
            stuck: row.stuck,
            later: row.later.map(|ms| instant(ms, "outbox", "next_try")).transpose()?,
        })
    }

    /// When the courier has something to do next.
    ///
    /// # Errors
    /// Database faults.
    pub async fn next_delivery(&self) -> Result<Option<Timestamp>, StoreFault> {
        let row = sqlx::query_scalar!(
            r#"SELECT min(t) AS "t: i64" FROM (
                SELECT min(next_try) AS t FROM outbox WHERE state IN ('planned', 'blocked')
                UNION ALL SELECT min(next_try) FROM outbox WHERE state = 'unknown'
                UNION ALL SELECT min(lease_until) FROM outbox WHERE state = 'sending'
                UNION ALL SELECT min(e.next_try) FROM edit e JOIN outbox o ON o.key = e.key WHERE e.done < e.wanted AND o.message_id IS NOT NULL
                UNION ALL SELECT min(again) FROM edit WHERE again IS NOT NULL AND done >= wanted)"#
        )
        .fetch_one(self.read())
        .await?;
        row.map(|ms| instant(ms, "outbox", "next_try")).transpose()
    }

    /// How many posts stand where, for health and metrics.
    ///
    /// # Errors
    /// Database faults.
    pub async fn post_states(&self) -> Result<Vec<PostState>, StoreFault> {
        // Each by its own small index: what was ever posted is not counted, only what is open or in trouble.
        let row = sqlx::query!(
            r#"SELECT (SELECT count(*) FROM outbox WHERE state IN ('planned', 'blocked')) AS "waiting!: i64",
                      (SELECT count(*) FROM outbox WHERE state = 'unknown') AS "unknown!: i64",
                      (SELECT count(*) FROM outbox WHERE state = 'sending') AS "sending!: i64",
                      (SELECT count(*) FROM outbox WHERE state IN ('held', 'dead')) AS "stuck!: i64""#
        )
        .fetch_one(self.read())
        .await?;
        let states =
            [("waiting", row.waiting), ("unknown", row.unknown), ("sending", row.sending), ("stuck", row.stuck)];
        Ok(states.into_iter().map(|(state, count)| PostState { state: state.to_owned(), count }).collect())
    }
}
