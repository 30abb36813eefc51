//! The only SQL. One writing connection, a few reading ones. Statements are literal and checked when compiled, except pragmas
//! and the converter. It must not decide anything: rows in, rows out.
//!
//! Every function that reads or writes fails with a [`StoreFault`] of the database; what else can fail is said where it can.

mod channels;
mod check;
mod checkpoint;
mod convert;
mod documents;
mod journal;
mod posts;
mod releases;
#[cfg(test)]
mod testing;
mod workspaces;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Sqlite, SqliteConnection, Transaction};

pub use documents::{DocumentKey, NewPrompt, StoredPrompt, content_hash};
pub use journal::{Broken, Entry, Head, Line, verify, verify_file};
pub use posts::{FileRef, Front, Pending, PostRow};
pub use releases::ReleaseHead;
use releases::release_id;

/// A database fault. Trying again helps only with [`StoreFault::Busy`].
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    #[error("another process has locked the database")]
    Busy,
    #[error("the disk is full")]
    Full,
    #[error(
        "the database is damaged ({0}); T-Minus sends nothing. Stop the service, keep the file, and put the newest backup in its place (docs/operating.md, Restore)"
    )]
    Damaged(String),
    #[error("cannot write to the database ({0}); T-Minus sends and records nothing until it can")]
    Unwritable(String),
    #[error("invalid value in {table}.{column} of {key}")]
    Inconsistent { table: &'static str, column: &'static str, key: String },
    #[error("another process changed {0} in the meantime")]
    Conflict(String),
    #[error("SQLite {found} is too old; 3.51.3 or newer is required, because it fixes a WAL corruption")]
    OldSqlite { found: String },
    #[error(
        "no database at {0}; pass the service's configuration with --config, from the directory the service runs in"
    )]
    Missing(PathBuf),
    #[error(
        "this database is of a version before 1 December 2026; open it once with the version of that day (see CHANGELOG.md, Upgrading)"
    )]
    TooOld,
    #[error("{0} is not a T-Minus database for this use (service or sandbox)")]
    Foreign(PathBuf),
    #[error("database statement failed: {0}")]
    Sql(#[source] sqlx::Error),
    #[error(
        "this database does not fit this version of T-Minus ({0}); use the version that wrote it, or restore the backup from before the upgrade"
    )]
    Migrate(#[source] sqlx::migrate::MigrateError),
}

impl From<sqlx::Error> for StoreFault {
    fn from(error: sqlx::Error) -> Self {
        // SQLite's primary result code is the low byte of the extended one. <https://sqlite.org/rescode.html>
        let code = error.as_database_error().and_then(|e| e.code()?.parse::<u32>().ok()).map(|code| code & 0xFF);
        match code {
            Some(5 | 6) => Self::Busy,
            Some(13) => Self::Full,
            Some(8 | 10) => Self::Unwritable(error.to_string()),
            Some(11 | 26) => Self::Damaged(error.to_string()),
            _ => Self::Sql(error),
        }
    }
}

/// What a database file is for; a sandbox's can never be opened by `run`, nor the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Service,
    Sandbox,
}

impl Purpose {
    fn application_id(self) -> i64 {
        match self {
            Self::Service => 0x544d_494e,
            Self::Sandbox => 0x544d_5342,
        }
    }
}

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    write: SqlitePool,
    read: SqlitePool,
    checkpoints: checkpoint::Checkpoints,
    /// Distinguishes installations that share a token; part of every nonce.
    installation: String,
}

/// Forward only, one transaction each.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// A write transaction, begun immediately.
pub type Txn = Transaction<'static, Sqlite>;

impl Store {
    /// Opens, checks and migrates the database at `path`, creating it if needed.
    ///
    /// # Errors
    /// Unusable file, foreign or newer database, old SQLite.
    pub async fn open(path: &Path, purpose: Purpose) -> Result<Self, StoreFault> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .pragma("trusted_schema", "OFF")
            .pragma("cell_size_check", "ON")
            .pragma("mmap_size", "0")
            .pragma("temp_store", "MEMORY")
            .pragma("wal_autocheckpoint", checkpoint::PAGES)
            .pragma("journal_size_limit", "67108864");
        // SQLite ends a transaction by itself when the disk is full; sqlx then still counts one. Such a connection is not used again.
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .after_release(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
            .connect_with(options.clone())
            .await?;
        let mut connection = write.acquire().await?;
        check_version(&mut connection).await?;
        claim_purpose(&mut connection, path, purpose).await?;
        convert::from_before(&mut connection).await?;
        drop(connection);
        MIGRATIONS.run(&write).await.map_err(|error| match error {
            sqlx::migrate::MigrateError::Execute(error) => StoreFault::from(error),
            other => StoreFault::Migrate(other),
        })?;
        let read = SqlitePoolOptions::new()
            .max_connections(2)
            .test_before_acquire(false)
            .connect_with(options.clone().pragma("query_only", "ON"))
            .await?;
        let checkpoints = checkpoint::Checkpoints::new(options);
        let fresh = uuid::Uuid::now_v7().to_string();
        sqlx::query!("INSERT INTO meta (key, value) VALUES ('installation', ?) ON CONFLICT (key) DO NOTHING", fresh)
            .execute(&write)
            .await?;
        let installation =
            sqlx::query_scalar!("SELECT value FROM meta WHERE key = 'installation'").fetch_one(&write).await?;
        Ok(Self { write, read, checkpoints, installation })
    }

    /// This installation's id.
    pub fn installation(&self) -> &str {
        &self.installation
    }

    /// Begins a write transaction.
    ///
    /// # Errors
    /// [`StoreFault::Busy`] when another process holds the lock for long.
    pub async fn begin(&self) -> Result<Txn, StoreFault> {
        Ok(self.write.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Notes a sign of life, so that a later start knows since when nobody was there.
    pub async fn note_alive(&self, now: Timestamp) -> Result<(), StoreFault> {
        let now = now.as_millisecond().to_string();
        sqlx::query!(
            "INSERT INTO meta (key, value) VALUES ('alive', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            now
        )
        .execute(&self.write)
        .await?;
        Ok(())
    }

    /// The last sign of life: one that was noted, or the newest entry of the journal.
    pub async fn last_alive(&self) -> Result<Option<Timestamp>, StoreFault> {
        let seen = sqlx::query_scalar!(
            r#"SELECT max(at) AS "at: i64" FROM (
                SELECT CAST(value AS INTEGER) AS at FROM meta WHERE key = 'alive'
                UNION ALL SELECT at FROM (SELECT at FROM journal ORDER BY seq DESC LIMIT 1))"#
        )
        .fetch_one(self.read())
        .await?;
        seen.map(|ms| instant(ms, "meta", "alive")).transpose()
    }

    pub(in crate::store) fn read(&self) -> &SqlitePool {
        &self.read
    }

    /// Closes every connection, so that the write-ahead log is folded in.
    pub async fn close(&self) {
        self.checkpoints.close().await;
        self.read.close().await;
        self.write.close().await;
    }
}

async fn check_version(connection: &mut SqliteConnection) -> Result<(), StoreFault> {
    let found = sqlx::query_scalar!(r#"SELECT sqlite_version() AS "v!: String""#).fetch_one(connection).await?;
    let numbers: Vec<u32> = found.split('.').filter_map(|n| n.parse().ok()).collect();
    if numbers.as_slice() < [3, 51, 3].as_slice() { Err(StoreFault::OldSqlite { found }) } else { Ok(()) }
}

async fn claim_purpose(connection: &mut SqliteConnection, path: &Path, purpose: Purpose) -> Result<(), StoreFault> {
    let found: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *connection).await?;
    if found == purpose.application_id() {
        return Ok(());
    }
    if found != 0 || tables != 0 {
        return Err(StoreFault::Foreign(path.to_owned()));
    }
    // A pragma takes no parameter, so each purpose has its own statement.
    let statement = match purpose {
        Purpose::Service => "PRAGMA application_id = 1414351182",
        Purpose::Sandbox => "PRAGMA application_id = 1414353730",
    };
    sqlx::query(statement).execute(connection).await?;
    Ok(())
}

/// Milliseconds to an instant; rows hold what we wrote.
pub(in crate::store) fn instant(ms: i64, table: &'static str, column: &'static str) -> Result<Timestamp, StoreFault> {
    Timestamp::from_millisecond(ms).map_err(|_out_of_range| StoreFault::Inconsistent {
        table,
        column,
        key: ms.to_string(),
    })
}

/// JSON of a row to its type.
///
/// # Errors
/// It is not of the type.
pub fn json<T: serde::de::DeserializeOwned>(
    text: &str,
    table: &'static str,
    column: &'static str,
    key: &str,
) -> Result<T, StoreFault> {
    serde_json::from_str(text).map_err(|error| {
        tracing::error!(table, column, key, %error, "cannot parse stored row");
        StoreFault::Inconsistent { table, column, key: key.to_owned() }
    })
}

/// A type to JSON for a row.
///
/// # Errors
/// None in practice: our types are plain data.
pub fn to_json<T: serde::Serialize + ?Sized>(value: &T, table: &'static str) -> Result<String, StoreFault> {
    serde_json::to_string(value).map_err(|error| StoreFault::Inconsistent {
        table,
        column: "json",
        key: error.to_string(),
    })
}
