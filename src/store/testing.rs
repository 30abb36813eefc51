//! What tests ask of the database beside what the service asks: its plans and pragmas, an old one, a full one. No code of the
//! service calls it.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::delivery::{ChannelState, Target};
use crate::domain::ids::ReleaseId;
use crate::store::base::{Purpose, Store, StoreFault};
use crate::store::posts::PostRow;

/// What was written since a look: rows with their server, and the versions of what is kept.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) journal: i64,
    pub(crate) outbox: i64,
    pub(crate) prompt: i64,
    /// Server and text of each new row of journal and outbox.
    pub(crate) rows: Vec<(String, String)>,
    /// Every new prompt, its server and what it asks.
    pub(crate) prompts: Vec<(String, String, String)>,
    /// Table, key and server of every release and workspace, with its version.
    pub(crate) versions: Vec<((String, String, String), i64)>,
    /// Number, server and phase of every release.
    pub(crate) phases: Vec<(i64, String, String)>,
}

impl Store {
    /// Everything that was written after these rows of journal, outbox and prompts, and what is kept now.
    pub(crate) async fn written_since(
        &self,
        (journal, outbox, prompt): (i64, i64, i64),
    ) -> Result<Written, StoreFault> {
        let mut written = Written { journal, outbox, prompt, ..Written::default() };
        let rows: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT seq, guild_id, entry FROM journal WHERE seq > ? ORDER BY seq")
                .bind(journal)
                .fetch_all(self.read())
                .await?;
        for (seq, server, text) in rows {
            written.journal = seq;
            written.rows.push((server, text));
        }
        let rows: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT id, guild_id, row ->> '$.rendering.payload' FROM outbox WHERE id > ? ORDER BY id")
                .bind(outbox)
                .fetch_all(self.read())
                .await?;
        for (id, server, text) in rows {
            written.outbox = id;
            written.rows.push((server, text));
        }
        let rows: Vec<(i64, String, String, String)> =
            sqlx::query_as("SELECT rowid, id, guild_id, kind FROM prompt WHERE rowid > ? ORDER BY rowid")
                .bind(prompt)
                .fetch_all(self.read())
                .await?;
        for (row, id, server, kind) in rows {
            written.prompt = row;
            written.prompts.push((id, server, kind));
        }
        written.phases = sqlx::query_as("SELECT no, guild_id, phase FROM release").fetch_all(self.read()).await?;
        let kept: Vec<(String, String, String, i64)> = sqlx::query_as(
            "SELECT 'release', id, guild_id, version FROM release
             UNION ALL SELECT 'workspace', guild_id, guild_id, version FROM workspace",
        )
        .fetch_all(self.read())
        .await?;
        written.versions =
            kept.into_iter().map(|(table, key, server, version)| ((table, key, server), version)).collect();
        Ok(written)
    }

    /// How SQLite would carry out a statement, or several, step by step: each step with its statement.
    pub(crate) async fn plan_of(&self, sql: &str) -> Result<Vec<(String, String)>, StoreFault> {
        let mut connection = self.write.acquire().await?;
        let mut steps = Vec::new();
        // No text of ours holds a semicolon.
        for statement in sql.split(';').map(str::trim) {
            let explained = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
            let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(explained).fetch_all(&mut *connection).await?;
            steps.extend(rows.into_iter().map(|(.., step)| (statement.to_owned(), step)));
        }
        Ok(steps)
    }

    /// Sets something on the one connection that writes.
    pub(crate) async fn pragma(&self, pragma: &str) -> Result<Option<i64>, StoreFault> {
        let mut connection = self.write.acquire().await?;
        let sql = sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"));
        Ok(sqlx::query_scalar(sql).fetch_optional(&mut *connection).await?)
    }

    /// Puts posts into the outbox.
    pub(crate) async fn enqueue(&self, posts: &[PostRow]) -> Result<(), StoreFault> {
        let mut txn = self.begin().await?;
        Self::save_posts(&mut txn, &posts.iter().collect::<Vec<_>>()).await?;
        txn.commit().await?;
        Ok(())
    }

    /// A database as the last version before the one migration left it, with a release and a post in each state; `change` is more
    /// SQL.
    pub(crate) async fn before(path: &Path, change: &str) -> Result<(), StoreFault> {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).foreign_keys(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        let id = Purpose::Sandbox.application_id();
        for sql in [
            include_str!("../../tests/data/schema/before.sql"),
            include_str!("../../tests/data/schema/before-rows.sql"),
            change,
            &format!("PRAGMA application_id = {id}"),
        ] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&pool).await?;
        }
        pool.close().await;
        Ok(())
    }

    /// Every post.
    pub(crate) async fn every_post(&self) -> Result<Vec<PostRow>, StoreFault> {
        let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM outbox ORDER BY id").fetch_all(self.read()).await?;
        self.read_posts(&ids).await
    }

    /// Where a target is recorded to be.
    pub(crate) async fn channel_state(&self, target: &Target) -> Result<Option<ChannelState>, StoreFault> {
        Ok(self.read_channels().await?.remove(target))
    }

    /// What SQLite finds wrong with the file; `ok` if nothing.
    pub(crate) async fn integrity(&self) -> Result<Vec<String>, StoreFault> {
        let mut connection = self.write.acquire().await?;
        Ok(sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut *connection).await?)
    }

    /// Fills the database with releases that are over or far ahead, and with as many messages that were sent.
    pub(crate) async fn fill(&self, rows: u64, like: ReleaseId) -> Result<(), StoreFault> {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let mut txn = self.begin().await?;
        sqlx::query(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
             INSERT INTO release (id, guild_id, no, version, phase, title, service, next_wakeup, state)
             SELECT 'filler-' || i, 'filler', i, 1, 'gathering', 'Filler', NULL, 4000000000000 + i, '{}' FROM n",
        )
        .bind(rows)
        .execute(&mut *txn)
        .await?;
        sqlx::query(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
             INSERT INTO outbox (owner, key, guild_id, release_id, row)
             SELECT ?2, 'filler/' || i, '1', ?2, json_object('key', json_object('owner', json_object('release', ?2), 'post', 'filler/' || i), 'guild', '1',
                    'target', json_object('chat', json_object('workspace', '1', 'channel', cast(7000 + i % 300 AS TEXT))),
                    'priority', 1, 'rendering', json_object('payload', printf('%.*c', 1500, 'x')), 'marker', 'f' || i, 'post', json_object('told', json('false')),
                    'state', 'posted', 'message', cast(i AS TEXT), 'posted_at', i)
             FROM n",
        )
        .bind(rows)
        .bind(like.to_string())
        .execute(&mut *txn)
        .await?;
        txn.commit().await?;
        Ok(())
    }

    /// Where a release's posts stand, by key.
    pub(crate) async fn states_of(&self, release: ReleaseId) -> Result<Vec<(String, String)>, StoreFault> {
        let states = sqlx::query_as("SELECT owner || '/' || key, state FROM outbox WHERE release_id = ? ORDER BY id");
        Ok(states.bind(release.to_string()).fetch_all(self.read()).await?)
    }
}
