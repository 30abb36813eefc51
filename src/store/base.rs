//! The database as every file of the store sees it: its connections, its faults, JSON in a column.

use std::path::PathBuf;

use jiff::Timestamp;
use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite, Transaction};

use crate::store::checkpoint;

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
    pub(super) fn application_id(self) -> i64 {
        match self {
            Self::Service => 0x544d_494e,
            Self::Sandbox => 0x544d_5342,
        }
    }
}

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) write: SqlitePool,
    pub(super) read: SqlitePool,
    pub(super) checkpoints: checkpoint::Checkpoints,
    /// Distinguishes installations that share a token; part of every nonce.
    pub(super) installation: String,
}

/// A write transaction, begun immediately.
pub type Txn = Transaction<'static, Sqlite>;

impl Store {
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
