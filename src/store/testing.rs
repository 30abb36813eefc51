//! What tests ask of the database beside what the service asks: its plans and pragmas, an old one, a full one. No code of the
//! service calls it.

use std::path::Path;

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

use super::{Batch, Line, MIGRATIONS, NewPost, Purpose, Store, StoreFault};
use crate::domain::ids::ReleaseId;
use crate::domain::release::Release;

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
    ///
    /// # Errors
    /// Database faults.
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
        for (seq, guild, text) in rows {
            written.journal = seq;
            written.rows.push((guild, text));
        }
        let rows: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT id, guild_id, payload FROM outbox WHERE id > ? ORDER BY id")
                .bind(outbox)
                .fetch_all(self.read())
                .await?;
        for (id, guild, text) in rows {
            written.outbox = id;
            written.rows.push((guild, text));
        }
        let rows: Vec<(i64, String, String, String)> =
            sqlx::query_as("SELECT rowid, id, guild_id, kind FROM prompt WHERE rowid > ? ORDER BY rowid")
                .bind(prompt)
                .fetch_all(self.read())
                .await?;
        for (row, id, guild, kind) in rows {
            written.prompt = row;
            written.prompts.push((id, guild, kind));
        }
        written.phases = sqlx::query_as("SELECT no, guild_id, phase FROM release").fetch_all(self.read()).await?;
        let kept: Vec<(String, String, String, i64)> = sqlx::query_as(
            "SELECT 'release', id, guild_id, version FROM release
             UNION ALL SELECT 'workspace', guild_id, guild_id, version FROM workspace",
        )
        .fetch_all(self.read())
        .await?;
        written.versions =
            kept.into_iter().map(|(table, key, guild, version)| ((table, key, guild), version)).collect();
        Ok(written)
    }

    /// How SQLite would carry out a statement, or several, step by step: each step with its statement.
    ///
    /// # Errors
    /// Database faults.
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
    ///
    /// # Errors
    /// Database faults.
    pub(crate) async fn pragma(&self, pragma: &str) -> Result<Option<i64>, StoreFault> {
        let mut connection = self.write.acquire().await?;
        let sql = sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"));
        Ok(sqlx::query_scalar(sql).fetch_optional(&mut *connection).await?)
    }

    /// How many schemas came before the present one.
    pub(crate) fn older_schemas() -> usize {
        MIGRATIONS.migrations.len() - 1
    }

    /// Puts posts into the outbox.
    ///
    /// # Errors
    /// Database faults.
    pub(crate) async fn enqueue(txn: &mut SqliteConnection, posts: &[NewPost]) -> Result<(), StoreFault> {
        let batch = Batch { posts, ..Batch::default() };
        match Self::put(txn, &batch, Timestamp::UNIX_EPOCH).await? {
            true => Ok(()),
            false => Err(StoreFault::Conflict("a test's".to_owned())),
        }
    }

    /// Appends entries to the journal.
    ///
    /// # Errors
    /// Database faults.
    pub(crate) async fn append(txn: &mut SqliteConnection, lines: &[Line]) -> Result<(), StoreFault> {
        let batch = Batch { lines, ..Batch::default() };
        match Self::put(txn, &batch, Timestamp::UNIX_EPOCH).await? {
            true => Ok(()),
            false => Err(StoreFault::Conflict("a test's".to_owned())),
        }
    }

    /// A database as a version of so many migrations made it.
    async fn of_version(path: &Path, migrations: usize) -> Result<SqlitePool, StoreFault> {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).foreign_keys(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        let first = MIGRATIONS.migrations.iter().take(migrations).cloned().collect();
        let migrator =
            sqlx::migrate::Migrator { migrations: std::borrow::Cow::Owned(first), ..sqlx::migrate::Migrator::DEFAULT };
        migrator.run(&pool).await.map_err(StoreFault::Migrate)?;
        let id = Purpose::Sandbox.application_id();
        sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA application_id = {id}"))).execute(&pool).await?;
        Ok(pool)
    }

    /// A database as a version of so many migrations left it, with a post in each state.
    ///
    /// # Errors
    /// Database faults.
    pub(crate) async fn old(path: &Path, migrations: usize) -> Result<(), StoreFault> {
        let pool = Self::of_version(path, migrations).await?;
        sqlx::query("INSERT INTO release (id, guild_id, no, version, phase, title, state) VALUES ('r', 'g', 1, 1, 'gathering', 'Old', '{}')")
            .execute(&pool)
            .await?;
        for (n, state) in
            ["planned", "sending", "unknown", "sent", "blocked", "held", "dead", "skipped"].iter().enumerate()
        {
            let n = i64::try_from(n).unwrap_or_default();
            sqlx::query(
                "INSERT INTO outbox (key, guild_id, release_id, channel_id, priority, due, payload, nonce, marker, state, next_try, attempt)
                 VALUES (?1, 'g', 'r', 'c', 1, 5, '{}', ?1, ?1, ?2, 5, 1)",
            )
            .bind(format!("r/{state}"))
            .bind(*state)
            .execute(&pool)
            .await?;
            let attempt = match migrations {
                ..9 => "INSERT INTO attempt (outbox_id, n, started) VALUES (?, 1, 5)",
                _ => "INSERT INTO attempt (outbox_id, n, ended, outcome) VALUES (?, 1, 5, 'interrupted')",
            };
            sqlx::query(attempt).bind(n + 1).execute(&pool).await?;
        }
        pool.close().await;
        Ok(())
    }

    /// A database with a release as it was stored when its plan and rules stood in its state.
    ///
    /// # Errors
    /// Database faults.
    pub(crate) async fn old_with(path: &Path, release: &Release) -> Result<(), StoreFault> {
        let pool = Self::of_version(path, 9).await?;
        let mut state = serde_json::to_value(release).unwrap_or_default();
        state["plan"] = serde_json::to_value(&release.plan).unwrap_or_default();
        state["policy"] = serde_json::to_value(&release.policy).unwrap_or_default();
        sqlx::query("INSERT INTO release (id, guild_id, no, version, phase, title, state) VALUES (?, ?, 1, 1, 'draft', 'Old', ?)")
            .bind(release.id.to_string())
            .bind(&release.guild.0)
            .bind(state.to_string())
            .execute(&pool)
            .await?;
        pool.close().await;
        Ok(())
    }

    /// Every post's key and state, and how many attempts were made in all.
    ///
    /// # Errors
    /// Database faults.
    pub(crate) async fn every_post(&self) -> Result<(Vec<(String, String)>, i64), StoreFault> {
        let posts = sqlx::query_as("SELECT key, state FROM outbox ORDER BY id").fetch_all(self.read()).await?;
        let attempts = sqlx::query_scalar("SELECT count(*) FROM attempt JOIN outbox ON outbox.id = outbox_id")
            .fetch_one(self.read())
            .await?;
        Ok((posts, attempts))
    }

    /// What SQLite finds wrong with the file; `ok` if nothing.
    ///
    /// # Errors
    /// Database faults.
    pub(crate) async fn integrity(&self) -> Result<Vec<String>, StoreFault> {
        let mut connection = self.write.acquire().await?;
        Ok(sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut *connection).await?)
    }

    /// Fills the database with releases that are over or far ahead, and with as many messages that were sent.
    ///
    /// # Errors
    /// Database faults.
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
             INSERT INTO outbox (key, guild_id, release_id, channel_id, priority, due, payload, nonce, marker, state, next_try,
                                 message_id, posted_at, reported, told)
             SELECT 'filler/' || i, '1', ?2, cast(7000 + i % 300 AS TEXT), 1, i, '{}', 'filler-' || i, 'f' || i, 'sent', i, cast(i AS TEXT), i, 1, 1
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
    ///
    /// # Errors
    /// Database faults.
    pub(crate) async fn states_of(&self, release: ReleaseId) -> Result<Vec<(String, String)>, StoreFault> {
        let states = sqlx::query_as("SELECT key, state FROM outbox WHERE release_id = ? ORDER BY id");
        Ok(states.bind(release.to_string()).fetch_all(self.read()).await?)
    }
}
