//! Rows of messages that are posted once. What follows from what is `delivery`'s; here it is kept and found again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use sqlx::SqliteConnection;

use super::{Store, StoreFault, instant, json, to_json};
use crate::delivery::{Key, Owner, Post, PostState, Rendering, Report, Target};
use crate::domain::effect::Destination;
use crate::domain::ids::{GuildId, ReleaseId};
use crate::domain::key::PostKey;

/// A message and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostRow {
    /// Zero before it is stored.
    pub id: i64,
    pub key: Key,
    pub guild: GuildId,
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
    /// What its owner has not heard yet.
    pub report: Option<Report>,
}

/// A file that goes along: its name, and its bytes by their hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRef {
    pub name: String,
    pub content: String,
}

/// The next message of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Front {
    /// Absent where none is due, or another one is under way.
    pub id: Option<i64>,
    pub target: Target,
    pub priority: i64,
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

/// A message as the statements take it.
#[derive(Serialize)]
struct Written<'r> {
    id: i64,
    owner: String,
    key: String,
    guild: &'r GuildId,
    release: Option<ReleaseId>,
    target: String,
    to: Option<String>,
    priority: i64,
    payload: &'r str,
    prompt: Option<&'r str>,
    nonce: &'r str,
    marker: &'r str,
    plain: bool,
    file: Option<&'r str>,
    content: Option<&'r str>,
    post: String,
    state: &'static str,
    next_at: Option<i64>,
    expires: Option<i64>,
    told: bool,
    report: Option<String>,
    message: Option<&'r str>,
    posted_at: Option<i64>,
}

impl<'r> Written<'r> {
    fn of(row: &'r PostRow) -> Result<Self, StoreFault> {
        let json_of = |value: &Option<Destination>| value.as_ref().map(|to| to_json(to, "outbox")).transpose();
        let open = matches!(row.post.state, PostState::Waiting { .. } | PostState::Unknown { .. });
        let (message, posted_at) = match &row.post.state {
            PostState::Posted { message, at } => (Some(message.as_str()), Some(at.as_millisecond())),
            _ => (None, None),
        };
        Ok(Self {
            id: row.id,
            owner: row.key.owner.to_string(),
            key: row.key.post.to_string(),
            guild: &row.guild,
            release: row.key.release(),
            target: to_json(&row.target, "outbox")?,
            to: json_of(&row.to)?,
            priority: row.priority,
            payload: &row.rendering.payload,
            prompt: row.rendering.prompt.as_deref(),
            nonce: &row.nonce,
            marker: &row.marker,
            plain: row.plain,
            file: row.file.as_ref().map(|file| file.name.as_str()),
            content: row.file.as_ref().map(|file| file.content.as_str()),
            post: to_json(&row.post, "outbox")?,
            state: name(&row.post.state),
            next_at: row.post.next_at().map(Timestamp::as_millisecond),
            expires: row.post.useful_until.filter(|_| open).map(Timestamp::as_millisecond),
            told: row.post.told,
            report: row.report.map(|report| to_json(&report, "outbox")).transpose()?,
            message,
            posted_at,
        })
    }
}

fn written(rows: &[&PostRow]) -> Result<String, StoreFault> {
    to_json(&rows.iter().map(|row| Written::of(row)).collect::<Result<Vec<_>, _>>()?, "outbox")
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
    owner: String,
    key: String,
    guild_id: String,
    release_id: Option<String>,
    target: String,
    addressee: Option<String>,
    priority: i64,
    payload: String,
    prompt_id: Option<String>,
    nonce: String,
    marker: String,
    plain: i64,
    file_name: Option<String>,
    content: Option<String>,
    post: String,
    report: Option<String>,
}

impl TryFrom<Row> for PostRow {
    type Error = StoreFault;

    fn try_from(row: Row) -> Result<Self, StoreFault> {
        let owner = match &row.release_id {
            Some(id) => Owner::Release(json(&format!("\"{id}\""), "outbox", "release_id", &row.key)?),
            None => Owner::Workspace(GuildId(row.owner)),
        };
        Ok(Self {
            id: row.id,
            target: json(&row.target, "outbox", "target", &row.key)?,
            to: row.addressee.map(|to| json(&to, "outbox", "addressee", &row.key)).transpose()?,
            post: json(&row.post, "outbox", "post", &row.key)?,
            report: row.report.map(|report| json(&report, "outbox", "report", &row.key)).transpose()?,
            key: Key { owner, post: PostKey::from(row.key) },
            guild: GuildId(row.guild_id),
            priority: row.priority,
            rendering: Rendering { payload: row.payload, prompt: row.prompt_id },
            nonce: row.nonce,
            marker: row.marker,
            plain: row.plain != 0,
            file: row.file_name.zip(row.content).map(|(name, content)| FileRef { name, content }),
        })
    }
}

impl Store {
    /// Adds messages; a key that is there already is no news. Returns the ids of those that are new.
    pub async fn add_posts(txn: &mut SqliteConnection, rows: &[&PostRow]) -> Result<BTreeMap<Key, i64>, StoreFault> {
        let new = written(rows)?;
        let added = sqlx::query!(
            r#"WITH n AS MATERIALIZED (SELECT jsonb(value) AS p FROM json_each(?))
            INSERT INTO outbox (owner, key, guild_id, release_id, target, addressee, priority, payload, prompt_id, nonce, marker,
                                file_name, content, post, state, next_at, expires, report)
            SELECT p ->> 'owner', p ->> 'key', p ->> 'guild', p ->> 'release', p ->> 'target', p ->> 'to', p ->> 'priority',
                   p ->> 'payload', p ->> 'prompt', p ->> 'nonce', p ->> 'marker', p ->> 'file', p ->> 'content', p ->> 'post',
                   p ->> 'state', p ->> 'next_at', p ->> 'expires', p ->> 'report'
            FROM n WHERE true ON CONFLICT (owner, key) DO NOTHING
            RETURNING id, owner, key"#,
            new
        )
        .fetch_all(txn)
        .await?;
        let mut ids: BTreeMap<(String, String), i64> =
            added.into_iter().map(|row| ((row.owner, row.key), row.id)).collect();
        let mine = |row: &&PostRow| ids.remove(&(row.key.owner.to_string(), row.key.post.to_string()));
        Ok(rows.iter().zip(rows.iter().map(mine)).filter_map(|(row, id)| Some((row.key.clone(), id?))).collect())
    }

    /// Stores where messages are.
    pub async fn save_posts(txn: &mut SqliteConnection, rows: &[&PostRow]) -> Result<(), StoreFault> {
        let rows = written(rows)?;
        sqlx::query!(
            "WITH n AS MATERIALIZED (SELECT jsonb(value) AS p FROM json_each(?))
            UPDATE outbox SET post = p ->> 'post', state = p ->> 'state', next_at = p ->> 'next_at', expires = p ->> 'expires',
                              told = p ->> 'told', report = p ->> 'report', message_id = p ->> 'message',
                              posted_at = p ->> 'posted_at'
            FROM n WHERE outbox.id = p ->> 'id'",
            rows
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// Stores what messages say and where they go, after that was changed before they were posted.
    pub async fn rewrite_posts(txn: &mut SqliteConnection, rows: &[&PostRow]) -> Result<(), StoreFault> {
        let rows = written(rows)?;
        sqlx::query!(
            "UPDATE outbox SET target = p.value ->> 'target', payload = p.value ->> 'payload', nonce = p.value ->> 'nonce',
                               plain = p.value ->> 'plain', file_name = p.value ->> 'file', content = p.value ->> 'content'
            FROM json_each(?) p WHERE outbox.id = p.value ->> 'id'",
            rows
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// Messages by id.
    pub async fn posts(txn: &mut SqliteConnection, ids: &[i64]) -> Result<Vec<PostRow>, StoreFault> {
        let ids = to_json(&ids, "outbox")?;
        let rows = sqlx::query_as!(
            Row,
            "SELECT id, owner, key, guild_id, release_id, target, addressee, priority, payload, prompt_id, nonce, marker, plain,
                    file_name, content, post, report
             FROM outbox WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
            ids
        )
        .fetch_all(txn)
        .await?;
        rows.into_iter().map(PostRow::try_from).collect()
    }

    /// The same on a reading connection.
    pub async fn read_posts(&self, ids: &[i64]) -> Result<Vec<PostRow>, StoreFault> {
        let mut connection = self.read().acquire().await?;
        Self::posts(&mut connection, ids).await
    }

    /// The id of a message, if there is one under its key.
    pub async fn post_id(txn: &mut SqliteConnection, key: &Key) -> Result<Option<i64>, StoreFault> {
        let (owner, key) = (key.owner.to_string(), key.post.to_string());
        let id = sqlx::query_scalar!("SELECT id FROM outbox WHERE owner = ? AND key = ?", owner, key);
        Ok(id.fetch_optional(txn).await?)
    }

    /// Every message that is not settled.
    pub async fn open_posts(txn: &mut SqliteConnection) -> Result<Vec<i64>, StoreFault> {
        Ok(sqlx::query_scalar!("SELECT id FROM outbox WHERE next_at IS NOT NULL").fetch_all(txn).await?)
    }

    /// A release's messages that are not settled.
    pub async fn open_posts_of(txn: &mut SqliteConnection, release: ReleaseId) -> Result<Vec<i64>, StoreFault> {
        let id = release.to_string();
        let ids = sqlx::query_scalar!("SELECT id FROM outbox WHERE next_at IS NOT NULL AND release_id = ?", id);
        Ok(ids.fetch_all(txn).await?)
    }

    /// A server's messages that are not posted yet, or never were.
    pub async fn unposted(txn: &mut SqliteConnection, guild: &GuildId) -> Result<Vec<i64>, StoreFault> {
        let ids = sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM outbox WHERE next_at IS NOT NULL AND guild_id = ?1
             UNION ALL SELECT id FROM outbox WHERE state IN ('held', 'dead') AND guild_id = ?1"#,
            guild.0
        )
        .fetch_all(txn)
        .await?;
        Ok(ids)
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
                AND (told = 0 OR (expires < ?2 AND post ->> '$.doubt' IS NULL))
             UNION ALL
             SELECT id FROM outbox WHERE state = 'unknown' AND target = ?1 AND next_at <= ?2 AND told = 0 LIMIT 200"#,
            target,
            now
        )
        .fetch_all(self.read())
        .await?;
        Ok(ids)
    }

    /// For each target with posts that wait, its most urgent one that is due and may go; the most urgent first.
    pub async fn fronts(&self, now: Timestamp) -> Result<Vec<Front>, StoreFault> {
        let now = now.as_millisecond();
        let rows = sqlx::query!(
            r#"WITH RECURSIVE t (target) AS (
                SELECT min(target) FROM outbox WHERE state = 'waiting'
                UNION ALL
                SELECT (SELECT min(target) FROM outbox WHERE state = 'waiting' AND target > t.target)
                FROM t WHERE t.target IS NOT NULL)
            SELECT t.target AS "target!: String", o.id AS "id?: i64", coalesce(o.priority, 0) AS "priority!: i64",
                   EXISTS (SELECT 1 FROM outbox b WHERE b.target = t.target AND b.state = 'sending') AS "sending!: bool"
            FROM t LEFT JOIN outbox o ON o.id = (
                SELECT n.id FROM outbox n WHERE n.target = t.target AND n.state = 'waiting' AND n.next_at <= ?
                ORDER BY n.priority, n.next_at, n.id LIMIT 1)
            WHERE t.target IS NOT NULL ORDER BY o.priority, o.next_at, o.id"#,
            now
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter().map(|row| front(row.id.filter(|_| !row.sending), &row.target, row.priority)).collect()
    }

    /// For each target, its most urgent post whose look-up is due; the most urgent first.
    pub async fn look_ups(&self, now: Timestamp) -> Result<Vec<Front>, StoreFault> {
        let now = now.as_millisecond();
        let rows = sqlx::query!(
            r#"WITH RECURSIVE t (target) AS (
                SELECT min(target) FROM outbox WHERE state = 'unknown'
                UNION ALL
                SELECT (SELECT min(target) FROM outbox WHERE state = 'unknown' AND target > t.target)
                FROM t WHERE t.target IS NOT NULL)
            SELECT o.id AS "id!", o.target AS "target!", o.priority AS "priority!" FROM t JOIN outbox o ON o.id = (
                SELECT n.id FROM outbox n WHERE n.target = t.target AND n.state = 'unknown' AND n.next_at <= ?
                ORDER BY n.priority, n.next_at, n.id LIMIT 1)
            ORDER BY o.priority, o.next_at, o.id"#,
            now
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter().map(|row| front(Some(row.id), &row.target, row.priority)).collect()
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

    /// The platform's id of a message, if it was posted to this target.
    pub async fn posted_as(&self, key: &Key, target: &Target) -> Result<Option<String>, StoreFault> {
        let (owner, key, target) = (key.owner.to_string(), key.post.to_string(), to_json(target, "outbox")?);
        let id = sqlx::query_scalar!(
            "SELECT message_id FROM outbox WHERE owner = ? AND key = ? AND target = ?",
            owner,
            key,
            target
        );
        Ok(id.fetch_optional(self.read()).await?.flatten())
    }

    /// What was posted since an instant, by target: markers with the messages that count.
    pub async fn posted_since(&self, since: Timestamp) -> Result<BTreeMap<Target, Vec<(String, String)>>, StoreFault> {
        let since = since.as_millisecond();
        let rows = sqlx::query!(
            r#"SELECT target, marker, message_id AS "message!" FROM outbox WHERE message_id IS NOT NULL AND posted_at >= ?"#,
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
                EXISTS (SELECT 1 FROM outbox WHERE state = 'waiting') AS "waiting!: bool",
                EXISTS (SELECT 1 FROM outbox WHERE state = 'sending' AND next_at <= ?1)
                    OR EXISTS (SELECT 1 FROM outbox WHERE state = 'unknown' AND next_at <= ?1) AS "overdue!: bool",
                EXISTS (SELECT 1 FROM outbox WHERE expires < ?1) AS "expired!: bool",
                EXISTS (SELECT 1 FROM edit e JOIN outbox o ON o.id = e.post_id
                    WHERE e.next_at <= ?1 AND o.message_id IS NOT NULL) AS "edits!: bool",
                EXISTS (SELECT 1 FROM outbox WHERE report IS NOT NULL) AS "reports!: bool",
                (SELECT min(t) FROM (
                    SELECT min(next_at) AS t FROM outbox WHERE state = 'waiting' AND next_at > ?1
                    UNION ALL SELECT min(next_at) FROM outbox WHERE state = 'sending' AND next_at > ?1
                    UNION ALL SELECT min(next_at) FROM outbox WHERE state = 'unknown' AND next_at > ?1
                    UNION ALL SELECT min(expires) + 1 FROM outbox WHERE expires >= ?1
                    UNION ALL SELECT min(e.next_at) FROM edit e JOIN outbox o ON o.id = e.post_id
                        WHERE e.next_at > ?1 AND o.message_id IS NOT NULL)) AS "later: i64""#,
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
            r#"SELECT (SELECT count(*) FROM outbox WHERE state = 'waiting') AS "waiting!: i64",
                      (SELECT count(*) FROM outbox WHERE state = 'unknown') AS "unknown!: i64",
                      (SELECT count(*) FROM outbox WHERE state = 'sending') AS "sending!: i64",
                      (SELECT count(*) FROM outbox WHERE state IN ('held', 'dead')) AS "stuck!: i64""#
        )
        .fetch_one(self.read())
        .await?;
        let counts =
            [("waiting", row.waiting), ("unknown", row.unknown), ("sending", row.sending), ("stuck", row.stuck)];
        Ok(counts.map(|(state, count)| PostCount { state, count }))
    }
}

fn front(id: Option<i64>, target: &str, priority: i64) -> Result<Front, StoreFault> {
    Ok(Front { id, target: json(target, "outbox", "target", target)?, priority })
}
