//! Rows of messages that are posted once. What follows from what is `delivery`'s; here it is kept and found again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use crate::delivery::{Edit, EditEvent, Key, Post, PostState, Rendering, Target};
use crate::domain::ids::{Destination, ReleaseId, WorkspaceId};
use crate::store::base::{Store, StoreFault, instant, json, to_json};

/// A message, where it is, and what it is to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostRow {
    /// Zero before it is stored.
    pub id: i64,
    pub key: Key,
    #[serde(rename = "guild")]
    pub server: WorkspaceId,
    pub target: Target,
    /// The destination that the rules resolved to `target`; later rules may resolve it to another.
    pub to: Option<Destination>,
    /// `domain::effect::Priority` as a number.
    pub priority: i64,
    /// Frozen.
    pub rendering: Rendering,
    pub nonce: String,
    pub marker: String,
    /// It is bare words already.
    pub plain: bool,
    pub file: Option<FileRef>,
    pub post: Post,
    /// Absent while nothing else was ever to be shown.
    pub edit: Option<Edit>,
}

impl PostRow {
    /// An event of its edits.
    pub fn edited(&mut self, event: EditEvent, now: Timestamp) {
        Edit::follow(&mut self.edit, &self.rendering, event, now);
    }

    /// When its edit is due: a message that is not posted has nothing to edit.
    fn edit_at(&self) -> Option<Timestamp> {
        self.post.message_id().and(self.edit.as_ref()?.next_at())
    }
}

/// A file that goes along: its name, and its bytes by their hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRef {
    pub name: String,
    pub content: String,
}

/// The next message of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Front {
    /// Absent where none is due.
    pub id: Option<i64>,
    pub target: Target,
    pub priority: i64,
    /// Another message of the target is under way.
    pub busy: bool,
}

/// What there is to read of the outbox: most often little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// Targets that take nothing, or nothing for a while.
    pub channels: bool,
    /// Posts that wait, due or not.
    pub waiting: bool,
    /// Leases that ended, and look-ups that are due.
    pub overdue: bool,
    /// Posts that are of no use any more.
    pub expired: bool,
    pub edits: bool,
    pub reports: bool,
    /// When the next post or edit is due that is not yet.
    pub later: Option<Timestamp>,
}

/// Where posts stand, counted for health and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostCount {
    pub state: &'static str,
    pub count: i64,
}

/// A message as its row has it, with what it is found by. Instants are milliseconds of Unix time.
#[derive(Serialize)]
struct Written<'r> {
    #[serde(flatten)]
    row: &'r PostRow,
    owner: String,
    release: Option<ReleaseId>,
    state: &'static str,
    next_at: Option<i64>,
    expires: Option<i64>,
    edit_at: Option<i64>,
    message: Option<&'r str>,
    posted_at: Option<i64>,
}

impl<'r> From<&'r PostRow> for Written<'r> {
    fn from(row: &'r PostRow) -> Self {
        let open = matches!(row.post.state, PostState::Waiting { .. } | PostState::Unknown { .. });
        let posted_at = match row.post.state {
            PostState::Posted { at, .. } => Some(at.as_millisecond()),
            _ => None,
        };
        Self {
            row,
            owner: row.key.owner.to_string(),
            release: row.key.release(),
            state: name(&row.post.state),
            next_at: row.post.next_at().map(Timestamp::as_millisecond),
            expires: row.post.useful_until.filter(|_| open).map(Timestamp::as_millisecond),
            edit_at: row.edit_at().map(Timestamp::as_millisecond),
            message: row.post.message_id(),
            posted_at,
        }
    }
}

fn name(state: &PostState) -> &'static str {
    match state {
        PostState::Waiting { .. } => "waiting",
        PostState::Sending { .. } => "sending",
        PostState::Unknown { .. } => "unknown",
        PostState::Posted { .. } => "posted",
        PostState::Deleted => "deleted",
        PostState::Held => "held",
        PostState::Dead => "dead",
        PostState::Skipped => "skipped",
        PostState::Superseded => "superseded",
    }
}

struct Row {
    id: i64,
    row: String,
}

fn read(rows: Vec<Row>) -> Result<Vec<PostRow>, StoreFault> {
    let read = |Row { id, row }| Ok(PostRow { id, ..json(&row, "outbox", "row", &id.to_string())? });
    rows.into_iter().map(read).collect()
}

impl Store {
    /// Stores messages as they are: new ones, and those that are there already. Returns the ids of the new ones.
    ///
    /// # Errors
    /// A new one's key is taken.
    pub async fn save_posts(txn: &mut SqliteConnection, rows: &[&PostRow]) -> Result<BTreeMap<Key, i64>, StoreFault> {
        let written = to_json(&rows.iter().map(|row| Written::from(*row)).collect::<Vec<_>>(), "outbox")?;
        let stored = sqlx::query!(
            r#"INSERT INTO outbox (id, owner, key, guild_id, release_id, row)
               SELECT nullif(value ->> 'id', 0), value ->> 'owner', value ->> '$.key.post', value ->> 'guild', value ->> 'release',
                      value
               FROM json_each(?) WHERE true
               ON CONFLICT (id) DO UPDATE SET row = excluded.row RETURNING id AS "id!", owner, key"#,
            written
        )
        .fetch_all(txn)
        .await?;
        let mut ids: BTreeMap<(String, String), i64> =
            stored.into_iter().map(|row| ((row.owner, row.key), row.id)).collect();
        let new = rows.iter().filter(|row| row.id == 0).map(|row| &row.key);
        Ok(new
            .filter_map(|key| Some((key.clone(), ids.remove(&(key.owner.to_string(), key.post.to_string()))?)))
            .collect())
    }

    /// Messages by id.
    pub async fn posts(txn: &mut SqliteConnection, ids: &[i64]) -> Result<Vec<PostRow>, StoreFault> {
        let ids = to_json(&ids, "outbox")?;
        let rows = sqlx::query_as!(
            Row,
            "SELECT id, row FROM outbox WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
            ids
        );
        read(rows.fetch_all(txn).await?)
    }

    /// The same on a reading connection.
    pub async fn read_posts(&self, ids: &[i64]) -> Result<Vec<PostRow>, StoreFault> {
        let mut connection = self.read().acquire().await?;
        Self::posts(&mut connection, ids).await
    }

    /// Messages by key, as far as they are there.
    pub async fn posts_of<'k>(
        txn: &mut SqliteConnection,
        keys: impl IntoIterator<Item = &'k Key>,
    ) -> Result<Vec<PostRow>, StoreFault> {
        let texts: Vec<(String, String)> =
            keys.into_iter().map(|key| (key.owner.to_string(), key.post.to_string())).collect();
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let keys = to_json(&texts, "outbox")?;
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT o.id AS "id!", o.row AS "row!" FROM json_each(?) k
               JOIN outbox o ON o.owner = k.value ->> 0 AND o.key = k.value ->> 1"#,
            keys
        );
        read(rows.fetch_all(txn).await?)
    }

    /// Every message that is not settled, or does not show what it is to show.
    pub async fn open_posts(txn: &mut SqliteConnection) -> Result<Vec<PostRow>, StoreFault> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT id AS "id!", row AS "row!" FROM outbox WHERE next_at IS NOT NULL
               UNION ALL SELECT id, row FROM outbox WHERE edit_at IS NOT NULL"#
        );
        read(rows.fetch_all(txn).await?)
    }

    /// A release's messages that are not settled.
    pub async fn open_posts_of(txn: &mut SqliteConnection, release: ReleaseId) -> Result<Vec<PostRow>, StoreFault> {
        let id = release.to_string();
        let rows = sqlx::query_as!(Row, "SELECT id, row FROM outbox WHERE next_at IS NOT NULL AND release_id = ?", id);
        read(rows.fetch_all(txn).await?)
    }

    /// A server's messages that are not posted yet, or never were.
    pub async fn unposted(txn: &mut SqliteConnection, server: &WorkspaceId) -> Result<Vec<PostRow>, StoreFault> {
        let rows = sqlx::query_as!(
            Row,
            r#"SELECT id AS "id!", row AS "row!" FROM outbox WHERE next_at IS NOT NULL AND guild_id = ?1
               UNION ALL SELECT id, row FROM outbox WHERE state IN ('held', 'dead') AND guild_id = ?1"#,
            server.0
        );
        read(rows.fetch_all(txn).await?)
    }

    /// Posts whose lease ended, and posts that are due and of no use any more.
    pub async fn overdue_posts(&self, now: Timestamp) -> Result<Vec<i64>, StoreFault> {
        let now = now.as_millisecond();
        let ids = sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM outbox WHERE state = 'sending' AND next_at <= ?1
             UNION ALL
             SELECT id FROM outbox WHERE expires < ?1 AND expires IS NOT NULL AND state = 'waiting' AND next_at <= ?1
             LIMIT 200"#,
            now
        )
        .fetch_all(self.read())
        .await?;
        Ok(ids)
    }

    /// Posts that wait for a target which takes nothing, of which people do not know yet or which are of no use any more.
    pub async fn shut_out(&self, target: &Target, now: Timestamp) -> Result<Vec<i64>, StoreFault> {
        let (target, now) = (to_json(target, "outbox")?, now.as_millisecond());
        let ids = sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM outbox
               WHERE state = 'waiting' AND target = ?1 AND next_at <= ?2
                AND (told = 0 OR (expires < ?2 AND row ->> '$.post.doubt' IS NULL))
             UNION ALL
             SELECT id FROM outbox WHERE state = 'unknown' AND target = ?1 AND next_at <= ?2 AND told = 0 LIMIT 200"#,
            target,
            now
        )
        .fetch_all(self.read())
        .await?;
        Ok(ids)
    }

    /// For each target with posts that wait, its most urgent one that is due; the most urgent first.
    pub async fn fronts(&self, now: Timestamp) -> Result<Vec<Front>, StoreFault> {
        self.fronts_in("waiting", now).await
    }

    /// For each target with posts to be looked up, its most urgent one that is due; the most urgent first.
    pub async fn look_ups(&self, now: Timestamp) -> Result<Vec<Front>, StoreFault> {
        self.fronts_in("unknown", now).await
    }

    async fn fronts_in(&self, state: &str, now: Timestamp) -> Result<Vec<Front>, StoreFault> {
        let now = now.as_millisecond();
        let rows = sqlx::query!(
            r#"WITH RECURSIVE t (target) AS (
                SELECT min(target) FROM outbox WHERE state = ?1 AND next_at IS NOT NULL
                UNION ALL
                SELECT (SELECT min(target) FROM outbox WHERE state = ?1 AND next_at IS NOT NULL AND target > t.target)
                FROM t WHERE t.target IS NOT NULL)
            SELECT t.target AS "target!: String", o.id AS "id?: i64", coalesce(o.priority, 0) AS "priority!: i64",
                   EXISTS (SELECT 1 FROM outbox b WHERE b.state = 'sending' AND b.next_at IS NOT NULL
                           AND b.target = t.target) AS "busy!: bool"
            FROM t LEFT JOIN outbox o ON o.id = (
                SELECT n.id FROM outbox n
                WHERE n.state = ?1 AND n.target = t.target AND n.next_at IS NOT NULL AND +n.next_at <= ?2
                ORDER BY n.priority, n.next_at, n.id LIMIT 1)
            WHERE t.target IS NOT NULL ORDER BY o.priority, o.next_at, o.id"#,
            state,
            now
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter()
            .map(|row| {
                let target = json(&row.target, "outbox", "target", &row.target)?;
                Ok(Front { id: row.id, target, priority: row.priority, busy: row.busy })
            })
            .collect()
    }

    /// Messages whose edit is due, with their targets, the longest due first.
    pub async fn due_edits(&self, now: Timestamp) -> Result<Vec<(i64, Target)>, StoreFault> {
        let now = now.as_millisecond();
        let rows = sqlx::query!("SELECT id, target FROM outbox WHERE edit_at <= ? ORDER BY edit_at, id", now);
        let rows = rows.fetch_all(self.read()).await?.into_iter();
        rows.map(|row| Ok((row.id, json(&row.target, "outbox", "target", &row.id.to_string())?))).collect()
    }

    /// Posts whose owners have not heard what became of them, oldest first.
    pub async fn reports(&self) -> Result<Vec<i64>, StoreFault> {
        let ids =
            sqlx::query_scalar!(r#"SELECT id AS "id!" FROM outbox WHERE report IS NOT NULL ORDER BY id LIMIT 100"#);
        Ok(ids.fetch_all(self.read()).await?)
    }

    /// The newest message known to be in a target.
    pub async fn newest_in(&self, target: &Target) -> Result<Option<String>, StoreFault> {
        let target = to_json(target, "outbox")?;
        let newest = sqlx::query_scalar!(
            r#"SELECT message_id AS "id!" FROM outbox WHERE target = ? AND message_id IS NOT NULL
               ORDER BY posted_at DESC LIMIT 1"#,
            target
        );
        Ok(newest.fetch_optional(self.read()).await?)
    }

    /// The message under a key, if there is one.
    pub async fn post_of(&self, key: &Key) -> Result<Option<PostRow>, StoreFault> {
        let mut connection = self.read().acquire().await?;
        Ok(Self::posts_of(&mut connection, [key]).await?.pop())
    }

    /// What was posted since an instant, by target: markers with the messages that count.
    pub async fn posted_since(&self, since: Timestamp) -> Result<BTreeMap<Target, Vec<(String, String)>>, StoreFault> {
        let since = since.as_millisecond();
        let rows = sqlx::query!(
            r#"SELECT target, row ->> '$.marker' AS "marker!: String", message_id AS "message!" FROM outbox WHERE message_id IS NOT NULL AND posted_at >= ?"#,
            since
        )
        .fetch_all(self.read())
        .await?;
        let mut by_target = BTreeMap::<Target, Vec<(String, String)>>::new();
        for row in rows {
            let target = json(&row.target, "outbox", "target", &row.marker)?;
            by_target.entry(target).or_default().push((row.marker, row.message));
        }
        Ok(by_target)
    }

    /// What there is to read of the outbox now, and when something follows by itself later.
    pub async fn pending(&self, now: Timestamp) -> Result<Pending, StoreFault> {
        let now = now.as_millisecond();
        let row = sqlx::query!(
            r#"SELECT EXISTS (SELECT 1 FROM channel) AS "channels!: bool",
                EXISTS (SELECT 1 FROM outbox WHERE state = 'waiting' AND next_at IS NOT NULL) AS "waiting!: bool",
                EXISTS (SELECT 1 FROM outbox WHERE state = 'sending' AND next_at <= ?1)
                    OR EXISTS (SELECT 1 FROM outbox WHERE state = 'unknown' AND next_at <= ?1) AS "overdue!: bool",
                EXISTS (SELECT 1 FROM outbox WHERE expires < ?1) AS "expired!: bool",
                EXISTS (SELECT 1 FROM outbox WHERE edit_at <= ?1) AS "edits!: bool",
                EXISTS (SELECT 1 FROM outbox WHERE report IS NOT NULL) AS "reports!: bool",
                (SELECT min(t) FROM (
                    SELECT min(next_at) AS t FROM outbox WHERE state = 'waiting' AND next_at > ?1
                    UNION ALL SELECT min(next_at) FROM outbox WHERE state = 'sending' AND next_at > ?1
                    UNION ALL SELECT min(next_at) FROM outbox WHERE state = 'unknown' AND next_at > ?1
                    UNION ALL SELECT min(expires) + 1 FROM outbox WHERE expires >= ?1
                    UNION ALL SELECT min(edit_at) FROM outbox WHERE edit_at > ?1)) AS "later: i64""#,
            now
        )
        .fetch_one(self.read())
        .await?;
        Ok(Pending {
            channels: row.channels,
            waiting: row.waiting,
            overdue: row.overdue,
            expired: row.expired,
            edits: row.edits,
            reports: row.reports,
            later: row.later.map(|ms| instant(ms, "outbox", "next_at")).transpose()?,
        })
    }

    /// How many posts stand where, for health and metrics.
    pub async fn post_counts(&self) -> Result<[PostCount; 4], StoreFault> {
        // Each by its own small index: what was ever posted is not counted, only what is open or in trouble.
        let row = sqlx::query!(
            r#"SELECT (SELECT count(*) FROM outbox WHERE state = 'waiting' AND next_at IS NOT NULL) AS "waiting!: i64",
                      (SELECT count(*) FROM outbox WHERE state = 'unknown' AND next_at IS NOT NULL) AS "unknown!: i64",
                      (SELECT count(*) FROM outbox WHERE state = 'sending' AND next_at IS NOT NULL) AS "sending!: i64",
                      (SELECT count(*) FROM outbox WHERE state IN ('held', 'dead')) AS "stuck!: i64""#
        )
        .fetch_one(self.read())
        .await?;
        let counts =
            [("waiting", row.waiting), ("unknown", row.unknown), ("sending", row.sending), ("stuck", row.stuck)];
        Ok(counts.map(|(state, count)| PostCount { state, count }))
    }
}
