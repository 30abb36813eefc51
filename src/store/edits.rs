//! Rows of newer renderings of posted messages, and of targets that take nothing at present. What follows from what is `delivery`'s.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::SqliteConnection;

use super::{PostRow, Store, StoreFault, json, to_json};
use crate::delivery::{ChannelState, Edit, Key, Post, Rendering, Target};

/// The edits of a message, with the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditRow {
    pub post: i64,
    pub target: Target,
    /// The platform's id; absent before it is posted.
    pub message: Option<String>,
    pub marker: String,
    /// What it showed when it was posted.
    pub posted: Rendering,
    /// What it is to show.
    pub wanted: Rendering,
    /// Its owner waits for news that its newest rendering is shown.
    pub awaited: bool,
    pub edit: Edit,
}

/// Edits as the statement takes them.
#[derive(Serialize)]
struct Written<'r> {
    post: i64,
    payload: &'r str,
    prompt: Option<&'r str>,
    edit: String,
    next_at: Option<i64>,
}

struct Row {
    n: i64,
    post: i64,
    target: String,
    message_id: Option<String>,
    marker: String,
    posted: String,
    posted_prompt: Option<String>,
    state: String,
    wanted: Option<String>,
    wanted_prompt: Option<String>,
    edit: Option<String>,
}

impl EditRow {
    /// A message that was stored just now.
    pub fn new(post: i64, row: &PostRow, now: Timestamp) -> Self {
        let (target, marker, posted) = (row.target.clone(), row.marker.clone(), row.rendering.clone());
        let edit = Edit { wanted: 0, ..Edit::first(now) };
        Self { post, target, message: None, marker, wanted: posted.clone(), posted, awaited: false, edit }
    }
}

impl Row {
    /// A message that was never edited gets its first edit, of what it was posted with.
    fn row(self, now: Timestamp) -> Result<EditRow, StoreFault> {
        let key = self.post.to_string();
        let posted = Rendering { payload: self.posted, prompt: self.posted_prompt };
        let (wanted, edit) = match (self.wanted, self.edit) {
            (Some(payload), Some(edit)) => {
                (Rendering { payload, prompt: self.wanted_prompt }, json(&edit, "edit", "edit", &key)?)
            }
            _ => (posted.clone(), Edit { wanted: 0, ..Edit::first(now) }),
        };
        let target = json(&self.target, "outbox", "target", &key)?;
        let state: Post = json(&self.state, "outbox", "post", &key)?;
        let (post, message, marker, awaited) = (self.post, self.message_id, self.marker, state.awaited);
        Ok(EditRow { post, target, message, marker, posted, wanted, awaited, edit })
    }
}

impl Store {
    /// Messages by id, each with its edits so far.
    pub async fn edits(txn: &mut SqliteConnection, posts: &[i64], now: Timestamp) -> Result<Vec<EditRow>, StoreFault> {
        let posts = to_json(&posts, "edit")?;
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT 0 AS "n!: i64", o.id AS "post!", o.target AS "target!", o.message_id, o.marker AS "marker!",
                      o.payload AS "posted!", o.prompt_id AS posted_prompt, o.post AS "state!", e.payload AS "wanted?",
                      e.prompt_id AS wanted_prompt, e.edit AS "edit?"
               FROM outbox o LEFT JOIN edit e ON e.post_id = o.id
               WHERE o.id IN (SELECT value FROM json_each(?))"#,
            posts
        )
        .fetch_all(txn)
        .await?;
        rows.into_iter().map(|row| row.row(now)).collect()
    }

    /// Messages by key, as far as they are there, each with its edits so far.
    pub async fn edits_of(
        txn: &mut SqliteConnection,
        keys: &[Key],
        now: Timestamp,
    ) -> Result<BTreeMap<Key, EditRow>, StoreFault> {
        let texts: Vec<(String, String)> =
            keys.iter().map(|key| (key.owner.to_string(), key.post.to_string())).collect();
        if texts.is_empty() {
            return Ok(BTreeMap::new());
        }
        let wanted = to_json(&texts, "outbox")?;
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT k.key + 0 AS "n!: i64", o.id AS "post!", o.target AS "target!", o.message_id, o.marker AS "marker!",
                      o.payload AS "posted!", o.prompt_id AS posted_prompt, o.post AS "state!", e.payload AS "wanted?",
                      e.prompt_id AS wanted_prompt, e.edit AS "edit?"
               FROM json_each(?) k JOIN outbox o ON o.owner = k.value ->> 0 AND o.key = k.value ->> 1
               LEFT JOIN edit e ON e.post_id = o.id"#,
            wanted
        )
        .fetch_all(txn)
        .await?;
        let key = |n: i64| usize::try_from(n).ok().and_then(|n| keys.get(n)).cloned();
        rows.into_iter().filter_map(|row| key(row.n).map(|key| row.row(now).map(|row| (key, row)))).collect()
    }

    /// The same on a reading connection.
    pub async fn read_edits(&self, posts: &[i64], now: Timestamp) -> Result<Vec<EditRow>, StoreFault> {
        let mut connection = self.read().acquire().await?;
        Self::edits(&mut connection, posts, now).await
    }

    /// Messages whose edit is due, with their targets, the longest due first.
    pub async fn due_edits(&self, now: Timestamp) -> Result<Vec<(i64, Target)>, StoreFault> {
        let now = now.as_millisecond();
        let rows = sqlx::query!(
            r#"SELECT e.post_id AS "post!", o.target AS "target!" FROM edit e JOIN outbox o ON o.id = e.post_id
               WHERE e.next_at <= ? AND o.message_id IS NOT NULL ORDER BY e.next_at, e.post_id"#,
            now
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter()
            .map(|row| Ok((row.post, json(&row.target, "outbox", "target", &row.post.to_string())?)))
            .collect()
    }

    /// Messages that are to be edited.
    pub async fn open_edits(txn: &mut SqliteConnection) -> Result<Vec<i64>, StoreFault> {
        Ok(sqlx::query_scalar!("SELECT post_id FROM edit WHERE next_at IS NOT NULL").fetch_all(txn).await?)
    }

    /// Stores edits.
    pub async fn save_edits(txn: &mut SqliteConnection, rows: &[&EditRow]) -> Result<(), StoreFault> {
        let written = |row: &&'_ EditRow| -> Result<String, StoreFault> {
            let (payload, prompt) = (row.wanted.payload.as_str(), row.wanted.prompt.as_deref());
            let next_at = row.edit.next_at().map(Timestamp::as_millisecond);
            to_json(&Written { post: row.post, payload, prompt, edit: to_json(&row.edit, "edit")?, next_at }, "edit")
        };
        let rows = rows.iter().map(written).collect::<Result<Vec<_>, _>>()?.join(",");
        let rows = format!("[{rows}]");
        sqlx::query!(
            "WITH n AS MATERIALIZED (SELECT jsonb(value) AS e FROM json_each(?))
            INSERT INTO edit (post_id, payload, prompt_id, edit, next_at)
            SELECT e ->> 'post', e ->> 'payload', e ->> 'prompt', e ->> 'edit', e ->> 'next_at' FROM n WHERE true
            ON CONFLICT (post_id) DO UPDATE SET payload = excluded.payload, prompt_id = excluded.prompt_id,
                                                edit = excluded.edit, next_at = excluded.next_at",
            rows
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// Every target that is known to take nothing, or nothing for a while.
    pub async fn channels(txn: &mut SqliteConnection) -> Result<BTreeMap<Target, ChannelState>, StoreFault> {
        let rows = sqlx::query!("SELECT target, state FROM channel").fetch_all(txn).await?;
        rows.into_iter()
            .map(|row| {
                let target = json(&row.target, "channel", "target", &row.target)?;
                Ok((target, json(&row.state, "channel", "state", &row.target)?))
            })
            .collect()
    }

    /// The same on a reading connection.
    pub async fn read_channels(&self) -> Result<BTreeMap<Target, ChannelState>, StoreFault> {
        let mut connection = self.read().acquire().await?;
        Self::channels(&mut connection).await
    }

    /// Stores whether a target takes anything; one that is open has no row.
    pub async fn save_channel(
        txn: &mut SqliteConnection,
        target: &Target,
        state: &ChannelState,
    ) -> Result<(), StoreFault> {
        let (target, text) = (to_json(target, "channel")?, to_json(state, "channel")?);
        if *state == ChannelState::OPEN {
            sqlx::query!("DELETE FROM channel WHERE target = ?", target).execute(txn).await?;
            return Ok(());
        }
        sqlx::query!(
            "INSERT INTO channel (target, state) VALUES (?1, ?2) ON CONFLICT (target) DO UPDATE SET state = ?2",
            target,
            text
        )
        .execute(txn)
        .await?;
        Ok(())
    }
}
