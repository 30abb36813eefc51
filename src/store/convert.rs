//! A database of the versions before the one migration becomes one of now, in one transaction. Goes at the first tag.

use sqlx::{Connection, SqliteConnection};

use crate::store::base::{Store, StoreFault, json};
use crate::store::documents::content_hash;
use crate::store::open::MIGRATIONS;
use crate::store::posts::PostRow;

/// The last migration of those versions.
const LAST: i64 = 20_261_201_000_001;

/// Converts a database of those versions; any other is left alone.
///
/// # Errors
/// [`StoreFault::TooOld`] where the last of those versions has not opened it yet; database faults.
pub(super) async fn from_before(connection: &mut SqliteConnection) -> Result<(), StoreFault> {
    let known = "SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
    if sqlx::query_scalar::<_, i64>(known).fetch_one(&mut *connection).await? == 0 {
        return Ok(());
    }
    let newest = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations";
    match sqlx::query_scalar::<_, i64>(newest).fetch_one(&mut *connection).await? {
        0 => return Ok(()),
        newest if newest > LAST => return Ok(()),
        newest if newest < LAST => return Err(StoreFault::TooOld),
        _ => {}
    }
    tracing::info!("converting the database");
    sqlx::query("PRAGMA foreign_keys = OFF").execute(&mut *connection).await?;
    let mut txn = connection.begin_with("BEGIN IMMEDIATE").await?;
    set_aside(&mut txn).await?;
    let first = &MIGRATIONS.migrations[0];
    sqlx::raw_sql(first.sql.clone()).execute(&mut *txn).await?;
    keep_content(&mut txn).await?;
    sqlx::raw_sql(include_str!("convert.sql")).execute(&mut *txn).await?;
    store_converted(&mut txn).await?;
    sqlx::raw_sql(include_str!("convert-end.sql")).execute(&mut *txn).await?;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (?, ?, 1, ?, 0)",
    )
    .bind(first.version)
    .bind(first.description.as_ref())
    .bind(first.checksum.as_ref())
    .execute(&mut *txn)
    .await?;
    txn.commit().await?;
    sqlx::query("PRAGMA foreign_keys = ON").execute(&mut *connection).await?;
    Ok(())
}

/// Messages, some at a time.
async fn store_converted(txn: &mut SqliteConnection) -> Result<(), StoreFault> {
    let mut last = 0;
    loop {
        let next = "SELECT id, row FROM converted WHERE id > ? ORDER BY id LIMIT 500";
        let rows: Vec<(i64, String)> = sqlx::query_as(next).bind(last).fetch_all(&mut *txn).await?;
        let Some((newest, _)) = rows.last() else { return Ok(()) };
        last = *newest;
        let read = |(id, row): &(i64, String)| json::<PostRow>(row, "outbox", "row", &id.to_string());
        let posts = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Store::save_posts(txn, &posts.iter().collect::<Vec<_>>()).await?;
    }
}

/// Every table gets another name, and nothing else keeps its own.
async fn set_aside(txn: &mut SqliteConnection) -> Result<(), StoreFault> {
    let named = "SELECT type, name FROM sqlite_schema
                 WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations' ORDER BY type <> 'trigger'";
    let all: Vec<(String, String)> = sqlx::query_as(named).fetch_all(&mut *txn).await?;
    for (kind, name) in all {
        let change = match kind.as_str() {
            "table" => format!("ALTER TABLE \"{name}\" RENAME TO \"before_{name}\""),
            kind => format!("DROP {kind} \"{name}\""),
        };
        sqlx::raw_sql(sqlx::AssertSqlSafe(change)).execute(&mut *txn).await?;
    }
    Ok(())
}

/// Bytes by their hash; which document has which.
async fn keep_content(txn: &mut SqliteConnection) -> Result<(), StoreFault> {
    sqlx::raw_sql("CREATE TEMP TABLE hash_of (document TEXT, id INTEGER, hash TEXT)").execute(&mut *txn).await?;
    for document in ["revision", "proposal", "train_plan"] {
        let all = sqlx::AssertSqlSafe(format!("SELECT rowid, bytes FROM before_{document}"));
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(all).fetch_all(&mut *txn).await?;
        for (id, bytes) in rows {
            let hash = content_hash(&bytes);
            sqlx::query("INSERT INTO content (hash, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING")
                .bind(&hash)
                .bind(bytes)
                .execute(&mut *txn)
                .await?;
            sqlx::query("INSERT INTO hash_of VALUES (?, ?, ?)")
                .bind(document)
                .bind(id)
                .bind(hash)
                .execute(&mut *txn)
                .await?;
        }
    }
    Ok(())
}
