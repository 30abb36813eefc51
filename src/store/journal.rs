//! The journal and the inbox: append-only, hash-chained; ids of what came in once.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

use super::{Store, StoreFault, json, to_json};
use crate::domain::event::Recorded;
use crate::domain::ids::{GuildId, ReleaseId};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub seq: i64,
    pub recorded: Recorded,
}

fn link(prev: &str, guild: &str, release: &str, at: i64, entry: &str) -> String {
    let mut hash = Sha256::new();
    for part in [prev, guild, release, &at.to_string(), entry] {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

impl Store {
    /// Appends entries for one aggregate. `entries` are already JSON, with their instants.
    ///
    /// # Errors
    /// Database faults.
    pub async fn append(
        txn: &mut SqliteConnection,
        guild: &GuildId,
        release: Option<ReleaseId>,
        entries: &[(Timestamp, String)],
    ) -> Result<(), StoreFault> {
        if entries.is_empty() {
            return Ok(());
        }
        let head =
            sqlx::query_scalar!("SELECT hash FROM journal ORDER BY seq DESC LIMIT 1").fetch_optional(&mut *txn).await?;
        let mut prev = head.unwrap_or_default();
        let release = release.map(|id| id.to_string());
        let rows: Vec<serde_json::Value> = entries
            .iter()
            .map(|(at, entry)| {
                let at = at.as_millisecond();
                let hash = link(&prev, &guild.0, release.as_deref().unwrap_or(""), at, entry);
                let row = serde_json::json!({ "at": at, "entry": entry, "prev": prev, "hash": hash });
                prev = hash;
                row
            })
            .collect();
        let rows = to_json(&rows, "journal")?;
        sqlx::query!(
            "INSERT INTO journal (guild_id, release_id, at, entry, prev_hash, hash)
             SELECT ?, ?, value ->> 'at', value ->> 'entry', value ->> 'prev', value ->> 'hash' FROM json_each(?)",
            guild.0,
            release,
            rows
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// A release's journal, oldest first.
    ///
    /// # Errors
    /// Database faults; a row that does not parse.
    pub async fn history(&self, release: ReleaseId) -> Result<Vec<Entry>, StoreFault> {
        let id = release.to_string();
        let rows = sqlx::query!("SELECT seq, entry FROM journal WHERE release_id = ? ORDER BY seq", id)
            .fetch_all(self.read())
            .await?;
        rows.into_iter()
            .map(|row| Ok(Entry { seq: row.seq, recorded: json(&row.entry, "journal", "entry", &id)? }))
            .collect()
    }

    /// Notes that something came in; `false` if it had come before.
    ///
    /// # Errors
    /// Database faults.
    pub async fn note(txn: &mut SqliteConnection, source: &str, id: &str, at: Timestamp) -> Result<bool, StoreFault> {
        let at = at.as_millisecond();
        let done =
            sqlx::query!("INSERT INTO inbox (source, id, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", source, id, at)
                .execute(txn)
                .await?;
        Ok(done.rows_affected() == 1)
    }
}

/// Checks the whole chain.
///
/// # Errors
/// Database faults. A broken chain is `Ok(Err(seq))`, the first entry that does not fit.
pub async fn verify(store: &Store) -> Result<Result<(i64, String), i64>, StoreFault> {
    let mut prev = String::new();
    let mut last = 0;
    loop {
        let rows = sqlx::query!(
            "SELECT seq, guild_id, release_id, at, entry, prev_hash, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT 1000",
            last
        )
        .fetch_all(store.read())
        .await?;
        if rows.is_empty() {
            return Ok(Ok((last, prev)));
        }
        for row in rows {
            let hash = link(&prev, &row.guild_id, row.release_id.as_deref().unwrap_or(""), row.at, &row.entry);
            if row.seq != last + 1 || row.prev_hash != prev || row.hash != hash {
                return Ok(Err(row.seq));
            }
            prev = hash;
            last = row.seq;
        }
    }
}
