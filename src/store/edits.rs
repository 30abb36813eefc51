//! Renderings of messages that are or will be posted: the latest wins, and edits of one message keep apart. How posts travel
//! is `outbox`'s.

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;

use super::{Store, StoreFault};
use crate::domain::ids::{ChannelId, ReleaseId};

/// A new rendering of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEdit {
    pub key: String,
    pub release: ReleaseId,
    pub payload: String,
    pub prompt: Option<String>,
    /// Edits of one message are at least this far apart, so that they coalesce.
    pub apart: SignedDuration,
}

/// What an edit led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// Shown, or never to be shown.
    Done,
    Again {
        at: Timestamp,
        /// Why people must know, if they must.
        tell: Option<String>,
    },
}

/// An edit that may be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueEdit {
    pub key: String,
    pub channel: ChannelId,
    pub message: String,
    pub marker: String,
    pub payload: String,
    pub prompt: Option<String>,
    pub wanted: i64,
    pub attempt: i64,
}

impl Store {
    /// Wants a message rendered anew; an equal rendering is no news.
    ///
    /// # Errors
    /// Database faults.
    pub async fn want_edit(txn: &mut SqliteConnection, edit: &NewEdit, now: Timestamp) -> Result<(), StoreFault> {
        let release = edit.release.to_string();
        let (now, apart) = (now.as_millisecond(), i64::try_from(edit.apart.as_millis()).unwrap_or(i64::MAX));
        sqlx::query!(
            "INSERT INTO edit (key, release_id, payload, prompt_id, wanted, done, next_try)
             SELECT ?1, ?2, ?3, ?4, 1, 0, ?5
             WHERE EXISTS (SELECT 1 FROM edit WHERE key = ?1)
                OR NOT EXISTS (SELECT 1 FROM outbox WHERE key = ?1 AND payload = ?3 AND prompt_id IS ?4)
             ON CONFLICT (key) DO UPDATE SET
                 payload = ?3, prompt_id = ?4, wanted = wanted + 1, attempt = 0,
                 next_try = CASE WHEN done < wanted THEN next_try ELSE max(?5, coalesce(done_at, 0) + ?6) END
             WHERE payload <> ?3 OR prompt_id IS NOT ?4",
            edit.key,
            release,
            edit.payload,
            edit.prompt,
            now,
            apart
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// Edits that may be sent now, one per channel: their message is posted and their time has come.
    ///
    /// # Errors
    /// Database faults.
    pub async fn due_edits(&self, now: Timestamp, limit: i64) -> Result<Vec<DueEdit>, StoreFault> {
        let now = now.as_millisecond();
        let rows = sqlx::query!(
            r#"SELECT key AS "key!", channel_id AS "channel_id!", message_id AS "message_id!", marker AS "marker!", payload AS "payload!", prompt_id,
                    wanted AS "wanted!", attempt AS "attempt!" FROM (
                SELECT e.key, o.channel_id, o.message_id, o.marker, e.payload, e.prompt_id, e.wanted, e.attempt, e.next_try,
                       row_number() OVER (PARTITION BY o.channel_id ORDER BY e.next_try) AS place
                FROM edit e JOIN outbox o ON o.key = e.key
                WHERE e.done < e.wanted AND e.next_try <= ? AND o.message_id IS NOT NULL)
             WHERE place = 1 ORDER BY next_try LIMIT ?"#,
            now,
            limit
        )
        .fetch_all(self.read())
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| DueEdit {
                key: row.key,
                channel: ChannelId(row.channel_id),
                message: row.message_id,
                marker: row.marker,
                payload: row.payload,
                prompt: row.prompt_id,
                wanted: row.wanted,
                attempt: row.attempt,
            })
            .collect())
    }

    /// Records an edit: done up to `wanted`, or to be tried again. Whoever was told of trouble is told of its end.
    ///
    /// # Errors
    /// Database faults.
    pub async fn record_edit(&self, key: &str, wanted: i64, edited: &Edited, now: Timestamp) -> Result<(), StoreFault> {
        let now = now.as_millisecond();
        let mut txn = self.begin().await?;
        match edited {
            Edited::Done => {
                sqlx::query!(
                    "UPDATE outbox SET reported = 0 WHERE key = ?1 AND state = 'sent' AND EXISTS (SELECT 1 FROM edit WHERE key = ?1 AND trouble = 2)",
                    key
                )
                .execute(&mut *txn)
                .await?;
                sqlx::query!(
                    "UPDATE edit SET done = max(done, ?), done_at = ?, attempt = 0, trouble = 0 WHERE key = ?",
                    wanted,
                    now,
                    key
                )
                .execute(&mut *txn)
                .await?;
            }
            Edited::Again { at, tell } => {
                let at = at.as_millisecond();
                sqlx::query!(
                    "UPDATE edit SET next_try = ?1, attempt = attempt + 1, reason = coalesce(?2, reason),
                            trouble = CASE WHEN ?2 IS NOT NULL AND trouble = 0 THEN 1 ELSE trouble END
                     WHERE key = ?3",
                    at,
                    tell,
                    key
                )
                .execute(&mut *txn)
                .await?;
            }
        }
        txn.commit().await?;
        Ok(())
    }
}
