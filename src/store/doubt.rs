//! Posts of unknown outcome: what puts a row in doubt, the look-up that settles it, and the message that came after all. How
//! posts travel is `outbox`'s.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;

use super::group::{Done, Op};
use super::outbox::{Claimed, ClaimedRow};
use super::{Store, StoreFault};
use crate::domain::ids::ChannelId;

/// Attempts that ended with the process before a row is given up as poison.
const MAX_RECOVERIES: i64 = 3;

/// Longer than anything waits for its repeat: 429 at most a quarter of an hour, everything else less.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(20);

/// What became of a message whose row went on without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Late {
    /// It is the row's message now.
    Taken,
    /// It was already: the nonce gave both attempts the same message.
    Same,
    /// The row has another message, the one named.
    Other(String),
    /// Another attempt is under way.
    Open,
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Posted {
        message: String,
        /// When it came into its channel.
        at: Timestamp,
    },
    NotThere,
    /// The history cannot be trusted; within the nonce's safe window the nonce alone decides. The licence is as old as `as_of`.
    TrustNonce {
        as_of: Timestamp,
    },
    Later {
        at: Timestamp,
    },
    /// The channel cannot be read, so it cannot be written either; probed again.
    Blocked {
        probe_at: Timestamp,
        why: String,
        /// The channel is not there, with all that was in it.
        gone: bool,
    },
    Held {
        why: String,
    },
}

impl Store {
    /// At start: whatever was being sent is of unknown outcome, and whatever is overdue, blocked or not, is looked up before it
    /// is sent (a restored backup makes sent notices look unsent). Returns how many rows that concerns.
    ///
    /// # Errors
    /// Database faults.
    pub async fn doubt_at_start(&self, now: Timestamp, settle: SignedDuration) -> Result<u64, StoreFault> {
        let (now_ms, settled) = (now.as_millisecond(), (now + settle).as_millisecond());
        let longest = (now + LONGEST_WAIT).as_millisecond();
        let mut txn = self.begin().await?;
        // How long ago a request began is known by the clock that noted it, and that may have been another: it settles anew.
        let unseen = sqlx::query!(
            "UPDATE outbox SET next_try = ?1 WHERE state = 'unknown' AND (attempt > 0 OR next_try > ?2)",
            settled,
            longest
        )
        .execute(&mut *txn)
        .await?;
        let sending = sqlx::query!(
            "UPDATE outbox SET recoveries = recoveries + 1, lease_until = NULL, next_try = ?1, tainted = 1,
                    state = 'unknown', reason = 'interrupted while it was sent'
             WHERE state = 'sending'",
            settled
        )
        .execute(&mut *txn)
        .await?;
        // The pair of states is the condition of a partial index, without which this would read every row.
        let overdue = sqlx::query!(
            "UPDATE outbox SET state = 'unknown', next_try = ?1, reason = 'overdue at start' WHERE state IN ('planned', 'blocked') AND due < ?1",
            now_ms
        )
        .execute(&mut *txn)
        .await?;
        // A look-up made by another clock licenses nothing.
        sqlx::query!("UPDATE outbox SET looked_up = NULL WHERE state IN ('planned', 'blocked') AND tainted = 1")
            .execute(&mut *txn)
            .await?;
        // Nothing waits so long for a repeat: a clock that was wrong wrote it.
        let astray = sqlx::query!(
            "UPDATE outbox SET next_try = max(?1, due) WHERE state IN ('planned', 'blocked') AND next_try > ?2 AND (attempt > 0 OR state = 'blocked')",
            now_ms,
            longest
        )
        .execute(&mut *txn)
        .await?;
        sqlx::query!("UPDATE edit SET next_try = ?1 WHERE done < wanted AND next_try > ?2", now_ms, longest)
            .execute(&mut *txn)
            .await?;
        // Any of these may have been under way. What reaches a status page late is another matter (`outside`).
        sqlx::query!(
            "UPDATE edit SET again = ?1 WHERE done < wanted AND next_try <= ?2
                AND key IN (SELECT key FROM outbox WHERE outbox.key = edit.key AND message_id IS NOT NULL AND channel_id NOT LIKE 'page:%')",
            settled,
            now_ms
        )
        .execute(&mut *txn)
        .await?;
        sqlx::query!("UPDATE edit SET again = ?1 WHERE again > ?2", settled, longest).execute(&mut *txn).await?;
        txn.commit().await?;
        Ok(sending.rows_affected() + overdue.rows_affected() + astray.rows_affected() + unseen.rows_affected())
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

    /// Sending it ended abnormally: looked up like a lost answer, and given up as poison when that happened too often. Where the
    /// look-up itself did, it is made again later.
    ///
    /// # Errors
    /// Database faults.
    pub async fn poisoned(&self, id: i64, now: Timestamp, settle: SignedDuration) -> Result<(), StoreFault> {
        let settled = (now + settle).as_millisecond();
        let mut txn = self.begin().await?;
        sqlx::query!(
            "UPDATE outbox SET recoveries = recoveries + (state = 'sending'), lease_until = NULL, next_try = ?2, tainted = 1,
                    state = 'unknown', reason = CASE WHEN state = 'sending' THEN 'sending it' ELSE 'the look-up' END || ' ended abnormally'
             WHERE id = ?1 AND state IN ('sending', 'unknown')",
            id,
            settled
        )
        .execute(&mut *txn)
        .await?;
        txn.commit().await?;
        Ok(())
    }

    /// A post that was once of unknown outcome is looked up again before another attempt, unless that was done within
    /// `fresh`: an older look-up says nothing of what took effect since.
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

    /// Records a message whose row was doubted meanwhile.
    ///
    /// # Errors
    /// Database faults.
    pub async fn record_late(&self, id: i64, attempt: i64, message: &str, now: Timestamp) -> Result<Late, StoreFault> {
        let now_ms = now.as_millisecond();
        let mut txn = self.begin().await?;
        // No other attempt was made since: it can only be this one's.
        let done = sqlx::query!(
            "UPDATE outbox SET state = 'sent', message_id = ?3, posted_at = ?4, reason = 'recorded late'
             WHERE id = ?1 AND attempt = ?2 AND state IN ('unknown', 'planned', 'held')",
            id,
            attempt,
            message,
            now_ms
        )
        .execute(&mut *txn)
        .await?;
        let known = sqlx::query_scalar!("SELECT message_id FROM outbox WHERE id = ?", id).fetch_one(&mut *txn).await?;
        txn.commit().await?;
        Ok(match known {
            _ if done.rows_affected() == 1 => Late::Taken,
            Some(known) if known == message => Late::Same,
            Some(known) => Late::Other(known),
            None => Late::Open,
        })
    }

    /// What was posted since an instant, by channel: markers with the messages that count.
    ///
    /// # Errors
    /// Database faults.
    pub async fn posted_since(
        &self,
        since: Timestamp,
    ) -> Result<BTreeMap<ChannelId, Vec<(String, String)>>, StoreFault> {
        let since = since.as_millisecond();
        let rows = sqlx::query!(
            r#"SELECT channel_id, marker, message_id AS "message_id!" FROM outbox WHERE message_id IS NOT NULL AND posted_at >= ?"#,
            since
        )
        .fetch_all(self.read())
        .await?;
        let mut by_channel = BTreeMap::<ChannelId, Vec<(String, String)>>::new();
        for row in rows {
            by_channel.entry(ChannelId(row.channel_id)).or_default().push((row.marker, row.message_id));
        }
        Ok(by_channel)
    }

    /// Posts of unknown outcome whose look-up is due, one for a channel.
    ///
    /// # Errors
    /// Database faults.
    pub async fn due_look_ups(&self, now: Timestamp, limit: i64) -> Result<Vec<Claimed>, StoreFault> {
        let now = now.as_millisecond();
        let rows = sqlx::query_as!(
            ClaimedRow,
            r#"SELECT o.id AS "id!", o.key AS "key!", o.guild_id AS "guild_id!", o.channel_id AS "channel_id!", o.payload AS "payload!", o.prompt_id, o.nonce AS "nonce!",
                    o.marker AS "marker!", o.attempt AS "attempt!", o.lease_until, o.first_attempt, o.due AS "due!", o.anchor_id,
                    o.priority AS "priority!", o.plain AS "plain!", o.tainted AS "tainted!"
             FROM (
                WITH RECURSIVE channel (id) AS (
                    SELECT min(channel_id) FROM outbox WHERE state = 'unknown'
                    UNION ALL
                    SELECT (SELECT min(channel_id) FROM outbox WHERE state = 'unknown' AND channel_id > channel.id)
                    FROM channel WHERE channel.id IS NOT NULL)
                SELECT (SELECT n.id FROM outbox n WHERE n.channel_id = channel.id AND n.state = 'unknown' AND n.next_try <= ?1
                        ORDER BY n.priority, n.next_try, n.id LIMIT 1) AS id
                FROM channel WHERE channel.id IS NOT NULL) f
             JOIN outbox o ON o.id = f.id
             ORDER BY o.priority, o.next_try, o.id LIMIT ?2"#,
            now,
            limit
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter().map(Claimed::try_from).collect()
    }

    /// Settles a look-up, fenced by the state and the attempt it was made for. What is surely not there and ended the process too
    /// often is given up as poison. What is blocked is looked up again at each probe, until it is of no use any more; whatever else
    /// is in doubt in that channel waits for the same probe.
    ///
    /// # Errors
    /// Database faults.
    pub async fn resolve(&self, id: i64, attempt: i64, found: &Found, now: Timestamp) -> Result<bool, StoreFault> {
        let done = self.write(Op::Resolve { id, attempt, found: found.clone(), now }).await?;
        Ok(matches!(done, Done::Fenced(true)))
    }

    pub(super) async fn resolve_in(
        txn: &mut SqliteConnection,
        id: i64,
        attempt: i64,
        found: &Found,
        now: Timestamp,
    ) -> Result<bool, StoreFault> {
        let now_ms = now.as_millisecond();
        let (state, message, next, why): (&str, Option<&str>, Option<i64>, Option<&str>) = match found {
            Found::Posted { message, at: _ } => ("sent", Some(message), None, Some("found in the channel")),
            Found::NotThere => ("planned", None, Some(now_ms), Some("not in the channel")),
            Found::TrustNonce { .. } => (
                "planned",
                None,
                Some(now_ms),
                Some("cannot read the channel's history; the nonce prevents a duplicate"),
            ),
            Found::Later { at } => ("unknown", None, Some(at.as_millisecond()), Some("the look-up failed")),
            Found::Blocked { probe_at, why, .. } => ("blocked", None, Some(probe_at.as_millisecond()), Some(why)),
            Found::Held { why } => ("held", None, None, Some(why)),
        };
        let posted = match found {
            Found::Posted { at, .. } => Some(at.as_millisecond()),
            _ => None,
        };
        let looked_up = match found {
            Found::TrustNonce { as_of } => as_of.as_millisecond(),
            _ => now_ms,
        };
        let gone = matches!(found, Found::Blocked { gone: true, .. });
        let done = sqlx::query!(
            "UPDATE outbox SET message_id = coalesce(?4, message_id), posted_at = coalesce(?5, posted_at), gone = ?11,
                    tainted = CASE WHEN ?3 = 'blocked' THEN 1 ELSE tainted END,
                    told = CASE WHEN ?3 = 'held' OR (?3 = 'blocked' AND useful_until < ?10) OR (recoveries > ?9 AND ?3 = 'planned') THEN 0 ELSE told END,
                    state = CASE WHEN withdrawn = 1 AND ?3 IN ('planned', 'blocked', 'held') THEN 'superseded'
                                 WHEN ?3 = 'blocked' AND useful_until < ?10 THEN 'skipped'
                                 WHEN recoveries > ?9 AND ?3 = 'planned' THEN 'dead' ELSE ?3 END,
                    next_try = coalesce(CASE WHEN ?3 = 'blocked' AND useful_until BETWEEN ?10 AND ?6 THEN useful_until + 1 END, ?6, next_try),
                    reason = CASE WHEN recoveries > ?9 AND ?3 = 'planned' THEN 'it is not in the channel, and sending it ended the process too often' ELSE ?7 END, looked_up = CASE WHEN ?3 = 'planned' THEN ?8 ELSE looked_up END
             WHERE id = ?1 AND attempt = ?2 AND state = 'unknown'",
            id,
            attempt,
            state,
            message,
            posted,
            next,
            why,
            looked_up,
            MAX_RECOVERIES,
            now_ms,
            gone
        )
        .execute(&mut *txn)
        .await?;
        let settled = done.rows_affected() == 1;
        if settled && state == "blocked" {
            sqlx::query!(
                "UPDATE outbox SET state = CASE WHEN withdrawn = 1 THEN 'superseded' ELSE 'blocked' END, tainted = 1, reason = ?2, gone = ?5,
                        next_try = CASE WHEN useful_until < ?3 THEN max(?4, useful_until + 1) ELSE ?3 END
                 WHERE state = 'unknown' AND next_try < ?3 AND channel_id = (SELECT channel_id FROM outbox WHERE id = ?1)",
                id,
                why,
                next,
                now_ms,
                gone
            )
            .execute(txn)
            .await?;
        }
        Ok(settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Purpose;

    /// Found by review: a clock that was a day fast put off a blocked message that was never tried itself, and nothing brought it back.
    #[tokio::test]
    async fn what_was_blocked_under_a_fast_clock_is_probed_by_the_right_one_and_not_before_it_is_due() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fast.db");
        Store::old(&file, 7).await.unwrap();
        let store = Store::open(&file, Purpose::Sandbox).await.unwrap();
        for sql in [
            "UPDATE outbox SET due = 60000, next_try = 90000000, attempt = 0 WHERE state = 'blocked'",
            "UPDATE outbox SET due = 95000000, next_try = 95000000, attempt = 0 WHERE state = 'planned'",
        ] {
            sqlx::query(sql).execute(&store.write).await.unwrap();
        }
        let at = |s: i64| Timestamp::from_second(s).unwrap();
        store.doubt_at_start(at(10), SignedDuration::from_secs(30)).await.unwrap();
        let next = async |state: &str| -> i64 {
            let row = sqlx::query_scalar("SELECT next_try FROM outbox WHERE state = ?").bind(state.to_owned());
            row.fetch_one(&store.write).await.unwrap()
        };
        assert_eq!((next("blocked").await, next("planned").await), (60_000, 95_000_000));
        store.close().await;
    }

    /// Found by review: what perhaps stands in its channel was counted as not posted in time, and nobody had looked.
    #[tokio::test]
    async fn what_may_be_posted_is_looked_up_before_it_counts_as_too_late() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("late.db");
        Store::old(&file, 7).await.unwrap();
        let store = Store::open(&file, Purpose::Sandbox).await.unwrap();
        for sql in [
            "DELETE FROM attempt",
            "DELETE FROM outbox WHERE state NOT IN ('planned', 'blocked')",
            "UPDATE outbox SET due = 5000, next_try = 5000, useful_until = 9000",
            "UPDATE outbox SET tainted = 1, channel_id = 'd' WHERE state = 'blocked'",
        ] {
            sqlx::query(sql).execute(&store.write).await.unwrap();
        }
        let (now, fresh) = (Timestamp::from_second(60).unwrap(), SignedDuration::from_secs(10));
        let waiting = store.waiting(now, fresh).await.unwrap();
        let (lease, room) = (SignedDuration::from_secs(30), crate::store::Room { all: 9, urgent: 9 });
        let claiming = crate::store::Claiming { now, waiting, lease, settle: lease, fresh, repeats: fresh, room };
        assert_eq!(store.claim(claiming).await.unwrap(), []);
        let states = || async { store.every_post().await.unwrap().0.into_iter().map(|(_, state)| state) };
        assert_eq!(states().await.collect::<Vec<_>>(), ["skipped", "unknown"]);
        let row = store.due_look_ups(now, 9).await.unwrap().remove(0);
        let found = Found::Posted { message: "77".to_owned(), at: now };
        assert!(store.resolve(row.id, row.attempt, &found, now).await.unwrap());
        assert_eq!(states().await.collect::<Vec<_>>(), ["skipped", "sent"]);
    }

    /// Found by review: without a first attempt nothing was known to be over, and the row was looked up for ever.
    #[tokio::test]
    async fn what_is_of_no_use_and_not_there_is_skipped_whenever_it_was_first_tried() {
        for (first_attempt, states) in [("NULL", ["skipped"]), ("1000", ["skipped"]), ("59000", ["planned"])] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("useless.db");
            Store::old(&file, 7).await.unwrap();
            let store = Store::open(&file, Purpose::Sandbox).await.unwrap();
            let row = format!(
                "UPDATE outbox SET due = 5000, next_try = 5000, useful_until = 9000, tainted = 1, looked_up = 60000, first_attempt = {first_attempt}"
            );
            for sql in ["DELETE FROM attempt", "DELETE FROM outbox WHERE state <> 'planned'", &row] {
                sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&store.write).await.unwrap();
            }
            let (now, fresh) = (Timestamp::from_second(60).unwrap(), SignedDuration::from_secs(10));
            let waiting = store.waiting(now, fresh).await.unwrap();
            let (lease, room) = (SignedDuration::from_secs(30), crate::store::Room { all: 9, urgent: 9 });
            let repeats = SignedDuration::from_secs(44);
            let claiming = crate::store::Claiming { now, waiting, lease, settle: lease, fresh, repeats, room };
            assert_eq!(store.claim(claiming).await.unwrap(), [], "{first_attempt}");
            let stand = store.every_post().await.unwrap().0.into_iter().map(|(_, state)| state).collect::<Vec<_>>();
            assert_eq!(stand, states, "{first_attempt}");
            let again = store.waiting(now, fresh).await.unwrap();
            assert!(!again.is_due() && !again.useless, "{first_attempt}: nothing to do before the window is over");
            store.close().await;
        }
    }

    #[tokio::test]
    async fn look_ups_are_one_for_a_channel_the_most_urgent_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("many.db");
        Store::old(&file, 7).await.unwrap();
        let store = Store::open(&file, Purpose::Sandbox).await.unwrap();
        for sql in [
            "UPDATE outbox SET state = 'unknown', channel_id = id % 3, next_try = 1000 * id, priority = 1",
            "UPDATE outbox SET priority = 0 WHERE id IN (5, 8)",
        ] {
            sqlx::query(sql).execute(&store.write).await.unwrap();
        }
        let due = async |s: i64, limit: i64| -> Vec<i64> {
            let rows = store.due_look_ups(Timestamp::from_second(s).unwrap(), limit).await.unwrap();
            rows.into_iter().map(|row| row.id).collect()
        };
        assert_eq!(due(0, 9).await, Vec::<i64>::new());
        assert_eq!(due(4, 9).await, [1, 2, 3]);
        assert_eq!(due(9, 9).await, [5, 1, 3], "channel 2 has 2, 5 and 8");
        assert_eq!(due(9, 2).await, [5, 1]);
    }
}
