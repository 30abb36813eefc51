//! Opening a database: its version, its purpose, its migrations.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};

use crate::store::base::{Purpose, Store, StoreFault};
use crate::store::{checkpoint, convert};

/// Forward only, one transaction each.
pub(super) static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

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
