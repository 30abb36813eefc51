//! What people and releases are told of posts: what reached its channel, what did not, and what a person decided about it.
//! How posts travel is `outbox`'s.

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;

use super::outbox::WINDOW_MS;
use super::{Store, StoreFault, instant, json, to_json};
use crate::domain::delivery::Trouble;
use crate::domain::effect::Destination;
use crate::domain::ids::{ChannelId, GuildId, ReleaseId, UserId};

/// A workspace's own message is worth sending again this long.
const OWN_USEFUL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A post that did not reach its channel, for whoever must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    pub id: i64,
    pub guild: GuildId,
    /// Absent where the workspace itself spoke.
    pub release: Option<ReleaseId>,
    pub key: String,
    pub trouble: Trouble,
    pub channel: ChannelId,
    /// Whom the channel stood for, where that is on record.
    pub to: Option<Destination>,
    pub payload: String,
    pub why: String,
}

/// A post that reached its channel, for its release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    pub row: i64,
    pub release: ReleaseId,
    pub key: String,
    pub channel: ChannelId,
    pub at: Timestamp,
}

impl Store {
    /// Sent posts the release was not told of yet.
    ///
    /// # Errors
    /// Database faults.
    pub async fn unreported(&self) -> Result<Vec<Delivered>, StoreFault> {
        let rows = sqlx::query!(
            r#"SELECT id AS "id!", release_id AS "release_id!", key, channel_id, posted_at AS "posted_at!" FROM outbox WHERE state = 'sent' AND reported = 0 ORDER BY id LIMIT 100"#
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter()
            .map(|row| {
                let release = json(&format!("\"{}\"", row.release_id), "outbox", "release_id", &row.key)?;
                let at = instant(row.posted_at, "outbox", "posted_at")?;
                Ok(Delivered { row: row.id, release, key: row.key, channel: ChannelId(row.channel_id), at })
            })
            .collect()
    }

    /// Posts that did not reach their channel, and pages that could not be brought up to date, of which nobody was told yet.
    ///
    /// # Errors
    /// Database faults.
    pub async fn untold(&self) -> Result<Vec<Undelivered>, StoreFault> {
        let rows = sqlx::query!(
            r#"SELECT id AS "id!", guild_id AS "guild_id!", release_id, key AS "key!", state AS "state!", channel_id AS "channel_id!",
                    addressee, payload AS "payload!", reason AS "reason!: String" FROM (
                SELECT id, guild_id, release_id, key, state, channel_id, addressee, payload, coalesce(reason, '') AS reason FROM outbox
                WHERE told = 0 AND state IN ('held', 'blocked', 'dead', 'skipped')
                UNION ALL
                SELECT o.id, o.guild_id, o.release_id, o.key, 'blocked', o.channel_id, o.addressee, e.payload, coalesce(e.reason, '')
                FROM edit e JOIN outbox o ON o.key = e.key WHERE e.trouble = 1)
             ORDER BY id LIMIT 100"#
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Undelivered {
                    id: row.id,
                    guild: GuildId(row.guild_id),
                    release: match row.release_id {
                        Some(id) => Some(json(&format!("\"{id}\""), "outbox", "release_id", &row.key)?),
                        None => None,
                    },
                    trouble: match row.state.as_str() {
                        "held" => Trouble::Held,
                        "blocked" => Trouble::Blocked,
                        "skipped" => Trouble::Expired,
                        _ => Trouble::Dead,
                    },
                    to: row.addressee.map(|to| json(&to, "outbox", "addressee", &row.key)).transpose()?,
                    key: row.key,
                    channel: ChannelId(row.channel_id),
                    payload: row.payload,
                    why: row.reason,
                })
            })
            .collect()
    }

    /// Notes that people were told of it; its release hears of its end, unless it is posted and only an edit did not reach it.
    ///
    /// # Errors
    /// Database faults.
    pub async fn mark_told(txn: &mut SqliteConnection, id: i64) -> Result<(), StoreFault> {
        sqlx::query!(
            "UPDATE outbox SET told = 1,
                    reported = reported AND (release_id IS NULL OR EXISTS (SELECT 1 FROM edit WHERE key = outbox.key AND trouble = 1))
             WHERE id = ?",
            id
        )
        .execute(&mut *txn)
        .await?;
        sqlx::query!(
            "UPDATE edit SET trouble = 2 WHERE trouble = 1 AND key = (SELECT key FROM outbox WHERE id = ?)",
            id
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// A person has it sent again: at once, with the same nonce, however late it is; and with it whatever waits in that channel for
    /// its next probe. What was held is not looked up again, since a person has looked; anything else that may have been posted is.
    /// `to`: another channel stands for its readers now, and it goes there with another nonce, unless it is just being sent or looked up.
    ///
    /// # Errors
    /// Database faults.
    pub async fn send_again(
        txn: &mut SqliteConnection,
        key: &str,
        to: Option<&ChannelId>,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let now = now.as_millisecond();
        sqlx::query!(
            "UPDATE outbox SET next_try = ?1 WHERE state = 'blocked' AND next_try > ?1
                AND channel_id = (SELECT channel_id FROM outbox WHERE key = ?2)",
            now,
            key
        )
        .execute(&mut *txn)
        .await?;
        sqlx::query!(
            "UPDATE outbox SET state = 'planned', next_try = ?1, useful_until = NULL, recoveries = 0, told = 0,
                    tainted = CASE WHEN state = 'held' THEN 0 ELSE tainted END, reason = 'sent again by a person'
             WHERE key = ?2 AND state IN ('held', 'blocked', 'dead')",
            now,
            key
        )
        .execute(&mut *txn)
        .await?;
        if let Some(to) = to {
            Self::send_to(txn, key, to, now).await?;
        }
        // It is being sent, waits for its turn or is looked up where it was to be: if that fails, people are told anew.
        sqlx::query!(
            "UPDATE outbox SET useful_until = NULL, told = 0 WHERE key = ? AND state IN ('planned', 'sending', 'unknown')",
            key
        )
        .execute(&mut *txn)
        .await?;
        // If that fails as well, it is told again.
        sqlx::query!("UPDATE edit SET next_try = ?, trouble = 3 WHERE key = ? AND trouble = 2", now, key)
            .execute(txn)
            .await?;
        Ok(())
    }

    /// What waits goes to another channel, which is asked at once. Nothing of the old one counts there.
    async fn send_to(txn: &mut SqliteConnection, key: &str, to: &ChannelId, now: i64) -> Result<(), StoreFault> {
        sqlx::query!(
            "UPDATE outbox SET channel_id = ?2, gone = 0, tainted = 1, anchor_id = NULL, looked_up = NULL, first_attempt = NULL,
                    nonce = substr(nonce, 13) || substr(nonce, 1, 12)
             WHERE key = ?1 AND state = 'planned'",
            key,
            to.0
        )
        .execute(&mut *txn)
        .await?;
        sqlx::query!(
            "UPDATE outbox SET next_try = ?1 WHERE state = 'blocked' AND next_try > ?1 AND channel_id = ?2",
            now,
            to.0
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// Whom messages wait for that are not posted yet, and in which channel.
    ///
    /// # Errors
    /// Database faults.
    pub async fn addressees(
        txn: &mut SqliteConnection,
        guild: &GuildId,
    ) -> Result<Vec<(Destination, ChannelId)>, StoreFault> {
        let rows = sqlx::query!(
            r#"SELECT DISTINCT addressee AS "to!", channel_id FROM outbox
               WHERE state IN ('planned', 'blocked') AND guild_id = ? AND addressee IS NOT NULL"#,
            guild.0
        )
        .fetch_all(txn)
        .await?;
        rows.into_iter()
            .map(|row| Ok((json(&row.to, "outbox", "addressee", &guild.0)?, ChannelId(row.channel_id))))
            .collect()
    }

    /// Another channel stands for an addressee from now on: what was to be posted in the old one goes to the new one, at once. What
    /// may stand in the old one stays, unless that is gone with all that was in it.
    ///
    /// # Errors
    /// Database faults.
    pub async fn readdress(
        txn: &mut SqliteConnection,
        guild: &GuildId,
        to: &Destination,
        (old, new): (&ChannelId, &ChannelId),
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let (now, to) = (now.as_millisecond(), to_json(to, "outbox")?);
        sqlx::query!(
            "UPDATE outbox SET state = 'planned', next_try = max(due, ?1), channel_id = ?5, recoveries = 0, told = 0, tainted = 1, anchor_id = NULL,
                    looked_up = NULL, first_attempt = NULL, nonce = substr(nonce, 13) || substr(nonce, 1, 12), reason = 'another channel is set', gone = 0
             WHERE state IN ('planned', 'blocked') AND guild_id = ?2 AND addressee = ?3 AND channel_id = ?4
                AND (tainted = 0 OR gone = 1)",
            now,
            guild.0,
            to,
            old.0,
            new.0
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// A person has a workspace's own messages sent again that did not reach their channel in the last week and are worth it
    /// still, at once; and with them whatever waits in the server for its next probe. What is held is not: nobody has looked whether
    /// it stands there. `to` is where each reader is reached now: what was for another channel goes there.
    ///
    /// # Errors
    /// Database faults.
    pub async fn send_own_again(
        txn: &mut SqliteConnection,
        guild: &GuildId,
        to: &[(Destination, ChannelId)],
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let (since, now) = ((now - OWN_USEFUL).as_millisecond(), now.as_millisecond());
        let to = to_json(&to, "outbox")?;
        sqlx::query!(
            "UPDATE outbox SET next_try = ?1 WHERE state = 'blocked' AND next_try > ?1 AND guild_id = ?2",
            now,
            guild.0
        )
        .execute(&mut *txn)
        .await?;
        // Each half in the words of a partial index of its own: as one condition they would scan all that was ever posted.
        sqlx::query!(
            "UPDATE outbox SET state = 'planned', next_try = ?2, recoveries = 0, told = 0, reason = 'sent again by a person',
                    channel_id = o.channel, gone = 0, anchor_id = CASE WHEN outbox.channel_id = o.channel THEN anchor_id END,
                    looked_up = CASE WHEN outbox.channel_id = o.channel THEN looked_up END,
                    first_attempt = CASE WHEN outbox.channel_id = o.channel THEN first_attempt END,
                    nonce = CASE WHEN outbox.channel_id = o.channel THEN nonce ELSE substr(nonce, 13) || substr(nonce, 1, 12) END,
                    tainted = CASE WHEN outbox.channel_id = o.channel THEN tainted ELSE 1 END
             FROM (SELECT id, coalesce((SELECT value ->> 1 FROM json_each(?4) WHERE value -> 0 = addressee), channel_id) AS channel
                   FROM (SELECT * FROM outbox WHERE state = 'blocked'
                         UNION ALL SELECT * FROM outbox WHERE state IN ('held', 'dead') AND state = 'dead')
                   WHERE release_id IS NULL AND guild_id = ?1 AND due >= ?3 AND key NOT LIKE '%/undelivered/%'
                      AND (useful_until IS NULL OR useful_until >= ?2)) o
             WHERE outbox.id = o.id",
            guild.0,
            now,
            since,
            to
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// What a release has waiting and never sent calls `to` wherever it calls `from`. Another body needs another nonce.
    ///
    /// # Errors
    /// Database faults.
    pub async fn recall(
        txn: &mut SqliteConnection,
        release: ReleaseId,
        from: &UserId,
        to: &UserId,
    ) -> Result<(), StoreFault> {
        let release = release.to_string();
        sqlx::query!(
            "UPDATE outbox SET nonce = substr(nonce, 13) || substr(nonce, 1, 12), payload = json_set(payload, '$.call_users', json((
                    SELECT json_group_array(who) FROM (
                        SELECT value AS who FROM json_each(payload, '$.call_users') UNION SELECT ?3))))
             WHERE state IN ('planned', 'blocked') AND tainted = 0 AND release_id = ?1
                AND EXISTS (SELECT 1 FROM json_each(payload, '$.call_users') WHERE value = ?2)",
            release,
            from.0,
            to.0
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// A person found it in the channel: it is never sent again.
    ///
    /// # Errors
    /// Database faults.
    pub async fn call_sent(txn: &mut SqliteConnection, key: &str) -> Result<(), StoreFault> {
        sqlx::query!(
            "UPDATE outbox SET state = 'skipped', told = 1, reason = 'found in the channel by a person' WHERE key = ? AND state = 'held'",
            key
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// What is not in its channel yet is not sent any more; an attempt under way may still arrive, and one whose outcome is unknown is
    /// looked up.
    ///
    /// # Errors
    /// Database faults.
    pub async fn withdraw(txn: &mut SqliteConnection, key: &str) -> Result<(), StoreFault> {
        sqlx::query!(
            "UPDATE outbox SET withdrawn = 1, told = 1, reason = 'overtaken',
                    next_try = CASE WHEN state = 'planned' AND tainted = 1 THEN max(next_try, coalesce(first_attempt, 0) + ?2) ELSE next_try END,
                    state = CASE WHEN state = 'planned' AND tainted = 1 THEN 'unknown'
                                 WHEN state IN ('planned', 'blocked', 'held', 'dead') THEN 'superseded' ELSE state END
             WHERE key = ?1 AND state IN ('planned', 'blocked', 'held', 'dead', 'sending', 'unknown')",
            key,
            WINDOW_MS
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// The frozen message under a key.
    ///
    /// # Errors
    /// Database faults.
    pub async fn payload(txn: &mut SqliteConnection, key: &str) -> Result<Option<String>, StoreFault> {
        Ok(sqlx::query_scalar!("SELECT payload FROM outbox WHERE key = ?", key).fetch_optional(txn).await?)
    }

    /// Notes that releases were told of these.
    ///
    /// # Errors
    /// Database faults.
    pub async fn mark_reported(txn: &mut SqliteConnection, ids: &[i64]) -> Result<(), StoreFault> {
        if ids.is_empty() {
            return Ok(());
        }
        let ids = to_json(&ids, "outbox")?;
        sqlx::query!("UPDATE outbox SET reported = 1 WHERE id IN (SELECT value FROM json_each(?))", ids)
            .execute(txn)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Found, Purpose};

    /// A row in each state, all of them the workspace's own, with an anchor in its channel.
    async fn own(folder: &tempfile::TempDir) -> Store {
        let file = folder.path().join("own.db");
        Store::old(&file, 7).await.unwrap();
        let store = Store::open(&file, Purpose::Sandbox).await.unwrap();
        let sql = "UPDATE outbox SET release_id = NULL, anchor_id = '7', tainted = 1, told = 1, addressee = '\"ops\"'";
        sqlx::query(sql).execute(&store.write).await.unwrap();
        store
    }

    async fn rows(store: &Store) -> Vec<(String, String, String, Option<String>, i64)> {
        let sql = "SELECT key, state, channel_id, anchor_id, tainted FROM outbox WHERE key IN ('r/blocked', 'r/held', 'r/dead') ORDER BY key";
        sqlx::query_as(sql).fetch_all(&store.write).await.unwrap()
    }

    #[tokio::test]
    async fn a_workspaces_own_go_to_the_channel_of_now_and_what_is_held_waits_for_a_person() {
        let folder = tempfile::tempdir().unwrap();
        let store = own(&folder).await;
        let (guild, now) = (GuildId("g".to_owned()), Timestamp::from_second(60).unwrap());
        let row = |key: &str, state: &str, channel: &str, anchor: Option<&str>, tainted| {
            (key.to_owned(), state.to_owned(), channel.to_owned(), anchor.map(str::to_owned), tainted)
        };
        let held = row("r/held", "held", "c", Some("7"), 1);
        for (channel, anchor, tainted) in [("c", Some("7"), 1), ("new", None, 1)] {
            let to = [(Destination::Ops, ChannelId::from(channel)), (Destination::Release, ChannelId::from("other"))];
            let mut txn = store.begin().await.unwrap();
            Store::send_own_again(&mut txn, &guild, &to, now).await.unwrap();
            txn.commit().await.unwrap();
            let planned = |key| row(key, "planned", channel, anchor, tainted);
            assert_eq!(rows(&store).await, [planned("r/blocked"), planned("r/dead"), held.clone()]);
            let back = "UPDATE outbox SET state = substr(key, 3)";
            sqlx::query(back).execute(&store.write).await.unwrap();
        }
    }

    /// Another channel is set: what waits goes there, what may stand in the old one does not, unless that is gone.
    #[tokio::test]
    async fn what_waits_follows_the_rules_and_what_may_be_posted_already_waits_for_a_person() {
        let folder = tempfile::tempdir().unwrap();
        let store = own(&folder).await;
        let now = Timestamp::from_second(60).unwrap();
        for (tainted, gone, moves) in [(0, false, true), (1, false, false), (1, true, true)] {
            sqlx::query("UPDATE outbox SET state = substr(key, 3), channel_id = 'c', tainted = ?, gone = ?")
                .bind(tainted)
                .bind(gone)
                .execute(&store.write)
                .await
                .unwrap();
            let mut txn = store.begin().await.unwrap();
            let guild = GuildId("g".to_owned());
            let waiting = Store::addressees(&mut txn, &guild).await.unwrap();
            assert_eq!(waiting, [(Destination::Ops, ChannelId::from("c"))]);
            for to in [Destination::Release, Destination::Ops] {
                let channels = (&ChannelId::from("c"), &ChannelId::from("new"));
                Store::readdress(&mut txn, &guild, &to, channels, now).await.unwrap();
            }
            txn.commit().await.unwrap();
            let sql = "SELECT key, nonce FROM outbox WHERE channel_id = 'new' AND state = 'planned' ORDER BY key";
            let moved: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(&store.write).await.unwrap();
            let keys: Vec<&str> = moved.iter().map(|(key, _)| key.as_str()).collect();
            assert_eq!(keys, if moves { vec!["r/blocked", "r/planned"] } else { vec![] }, "{tainted} {gone}");
        }
    }

    /// The press comes while it is on its way again: nothing is done to it, and a failure is told anew.
    #[tokio::test]
    async fn sending_again_in_any_state_ends_in_another_try_or_in_news() {
        for (state, after, channel) in [
            ("blocked", "planned", "new"),
            ("held", "planned", "new"),
            ("dead", "planned", "new"),
            ("planned", "planned", "new"),
            ("sending", "sending", "c"),
            ("unknown", "unknown", "c"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let store = own(&folder).await;
            let mut txn = store.begin().await.unwrap();
            let (key, now) = (format!("r/{state}"), Timestamp::from_second(60).unwrap());
            Store::send_again(&mut txn, &key, Some(&ChannelId::from("new")), now).await.unwrap();
            txn.commit().await.unwrap();
            let sql = "SELECT state, channel_id, told FROM outbox WHERE key = ?";
            let row: (String, String, i64) = sqlx::query_as(sql).bind(&key).fetch_one(&store.write).await.unwrap();
            assert_eq!(row, (after.to_owned(), channel.to_owned(), 0), "{state}");
        }
    }

    /// After a start it is in doubt while a person has it sent again: if its channel still takes none, that is told anew.
    #[tokio::test]
    async fn what_is_looked_up_while_a_person_has_it_sent_again_is_told_anew_if_it_fails() {
        let folder = tempfile::tempdir().unwrap();
        let store = own(&folder).await;
        let now = Timestamp::from_second(60).unwrap();
        let mut txn = store.begin().await.unwrap();
        Store::send_again(&mut txn, "r/unknown", Some(&ChannelId::from("new")), now).await.unwrap();
        txn.commit().await.unwrap();
        let row = store.due_look_ups(now, 9).await.unwrap().remove(0);
        assert_eq!((row.key.as_str(), row.channel.0.as_str()), ("r/unknown", "c"), "it may stand where it was to be");
        let found = Found::Blocked { probe_at: now, why: "403".to_owned(), gone: false };
        assert!(store.resolve(row.id, row.attempt, &found, now).await.unwrap());
        let untold = store.untold().await.unwrap();
        assert!(untold.iter().any(|post| post.key == "r/unknown" && post.to == Some(Destination::Ops)), "{untold:?}");
    }
}
