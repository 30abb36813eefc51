//! Renderings of messages that are or will be posted: the latest wins, whenever an earlier one takes effect, and edits of one
//! message keep apart. How posts travel is `outbox`'s.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::SqliteConnection;

use super::group::Op;
use super::{Store, StoreFault};
use crate::domain::ids::{ChannelId, ReleaseId};

/// A new rendering of a message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewEdit {
    pub key: String,
    /// Absent: the workspace's own.
    pub release: Option<ReleaseId>,
    pub payload: String,
    pub prompt: Option<String>,
    /// Edits of one message are at least so many milliseconds apart, so that they coalesce.
    pub apart: i64,
}

/// What an edit led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// Shown, or never to be shown.
    Done {
        /// What the message shows now.
        shows: Option<String>,
    },
    Again {
        at: Timestamp,
        /// Why people must know, if they must.
        tell: Option<String>,
        /// Until when this attempt may still take effect, if nobody knows whether it did.
        unsure_until: Option<Timestamp>,
        /// The channel takes none: whatever waits in it waits until then.
        shut: bool,
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
    /// People were told of trouble with it, or are about to be.
    pub troubled: bool,
    /// The attempt begins no sooner.
    pub began: Timestamp,
    /// What the message showed when it was posted: payload and prompt.
    pub posted: (String, Option<String>),
    /// What it showed after the last edit.
    pub shown: Option<String>,
    /// An earlier attempt may still take effect.
    pub unsure: bool,
}

impl Store {
    /// Edits that may be sent now, one per channel: their message is posted and their time has come, or an earlier attempt of
    /// unknown outcome may have undone what was shown last.
    ///
    /// # Errors
    /// Database faults.
    pub async fn due_edits(&self, now: Timestamp, limit: i64) -> Result<Vec<DueEdit>, StoreFault> {
        let (began, now) = (now, now.as_millisecond());
        let rows = sqlx::query!(
            r#"SELECT key AS "key!", channel_id AS "channel_id!", message_id AS "message_id!", marker AS "marker!", payload AS "payload!", prompt_id,
                    wanted AS "wanted!", attempt AS "attempt!", trouble AS "trouble!: i64", shown, unsure AS "unsure!: bool",
                    posted AS "posted!", posted_prompt FROM (
                SELECT e.key, o.channel_id, o.message_id, o.marker, e.payload, e.prompt_id, e.wanted, e.attempt, e.trouble, e.due,
                       e.shown, e.again IS NOT NULL AS unsure, o.payload AS posted, o.prompt_id AS posted_prompt,
                       row_number() OVER (PARTITION BY o.channel_id ORDER BY e.due, e.attempt DESC, e.key) AS place
                FROM (SELECT key, payload, prompt_id, wanted, attempt, trouble, shown, again, next_try AS due FROM edit WHERE done < wanted AND next_try <= ?1
                      UNION ALL
                      SELECT key, payload, prompt_id, wanted, attempt, trouble, shown, again, again FROM edit WHERE again <= ?1 AND done >= wanted) e
                JOIN outbox o ON o.key = e.key
                WHERE o.message_id IS NOT NULL)
             WHERE place = 1 ORDER BY due LIMIT ?2"#,
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
                troubled: row.trouble != 0,
                began,
                posted: (row.posted, row.posted_prompt),
                shown: row.shown,
                unsure: row.unsure,
            })
            .collect())
    }

    /// Records an edit: done up to what it showed, or to be tried again. Whoever was told of trouble is told of its end.
    ///
    /// # Errors
    /// Database faults.
    pub async fn record_edit(&self, edit: &DueEdit, edited: &Edited, now: Timestamp) -> Result<(), StoreFault> {
        let (edit, edited) = (Box::new(edit.clone()), edited.clone());
        self.write(Op::Edit { edit, edited, now }).await.map(drop)
    }

    pub(super) async fn record_edit_in(
        txn: &mut SqliteConnection,
        edit: &DueEdit,
        edited: &Edited,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let (key, wanted) = (&edit.key, edit.wanted);
        let (began, now) = (edit.began.as_millisecond(), now.as_millisecond());
        match edited {
            Edited::Done { shows } => {
                if edit.troubled {
                    sqlx::query!("UPDATE outbox SET reported = 0 WHERE key = ? AND state = 'sent'", key)
                        .execute(&mut *txn)
                        .await?;
                }
                sqlx::query!(
                    "UPDATE edit SET done = max(done, ?1), done_at = ?2, attempt = 0, trouble = 0, shown = coalesce(?5, shown),
                            again = CASE WHEN again <= ?3 THEN NULL ELSE again END
                     WHERE key = ?4",
                    wanted,
                    now,
                    began,
                    key,
                    shows
                )
                .execute(&mut *txn)
                .await?;
            }
            Edited::Again { at, tell, unsure_until, shut } => {
                let (at, unsure_until) = (at.as_millisecond(), unsure_until.map(Timestamp::as_millisecond));
                if *shut {
                    sqlx::query!(
                        "UPDATE edit SET next_try = ?1 WHERE done < wanted AND next_try < ?1 AND EXISTS
                            (SELECT 1 FROM outbox o WHERE o.key = edit.key AND o.channel_id = ?2 AND o.message_id IS NOT NULL)",
                        at,
                        edit.channel.0
                    )
                    .execute(&mut *txn)
                    .await?;
                    sqlx::query!(
                        "UPDATE edit SET again = ?1 WHERE again < ?1 AND EXISTS
                            (SELECT 1 FROM outbox o WHERE o.key = edit.key AND o.channel_id = ?2 AND o.message_id IS NOT NULL)",
                        at,
                        edit.channel.0
                    )
                    .execute(&mut *txn)
                    .await?;
                }
                sqlx::query!(
                    "UPDATE edit SET next_try = ?1, attempt = attempt + 1, reason = coalesce(?2, reason),
                            trouble = CASE WHEN ?2 IS NOT NULL AND trouble IN (0, 3) THEN 1 ELSE trouble END,
                            again = coalesce(?3, CASE WHEN again < ?1 THEN ?1 ELSE again END)
                     WHERE key = ?4",
                    at,
                    tell,
                    unsure_until,
                    key
                )
                .execute(&mut *txn)
                .await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::store::Purpose;

    /// A process ended over an edit that had begun: whatever the request still does, the latest is what is seen last.
    #[tokio::test]
    async fn an_edit_that_was_under_way_at_the_end_of_a_process_is_repeated_when_it_can_do_nothing_more() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("edits.db");
        Store::old(&file, 6).await.unwrap();
        let store = Store::open(&file, Purpose::Sandbox).await.unwrap();
        for sql in [
            "UPDATE outbox SET message_id = id WHERE state IN ('sent', 'dead')",
            "UPDATE outbox SET channel_id = 'page:status' WHERE state = 'dead'",
            "INSERT INTO edit (key, release_id, payload, wanted, done, next_try)
             SELECT key, release_id, '{}', 2, 1, 1000 FROM outbox WHERE message_id IS NOT NULL",
        ] {
            sqlx::query(sql).execute(&store.write).await.unwrap();
        }
        let at = |s: i64| Timestamp::from_second(s).unwrap();
        let settle = SignedDuration::from_secs(30);
        store.doubt_at_start(at(10), settle).await.unwrap();
        let due = async |s: i64| store.due_edits(at(s), 9).await.unwrap();
        for edit in due(10).await {
            store.record_edit(&edit, &Edited::Done { shows: None }, at(11)).await.unwrap();
        }
        assert_eq!(due(39).await, []);
        let again = due(40).await;
        assert_eq!(again.iter().map(|e| e.key.as_str()).collect::<Vec<_>>(), ["r/sent"], "a page's own way is another");
        store.record_edit(&again[0], &Edited::Done { shows: None }, at(41)).await.unwrap();
        assert_eq!(due(4_000).await, [], "once more is enough");
    }
}
