//! The journal and the inbox: append-only, hash-chained; ids of what came in once.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

use crate::domain::event::Recorded;
use crate::domain::ids::{ReleaseId, WorkspaceId};
use crate::domain::workspace::Noted;
use crate::store::base::{Purpose, Store, StoreFault, json, to_json};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub seq: i64,
    pub recorded: Recorded,
}

/// A point of the chain that was noted outside the database: an entry's number and the beginning of its hash, as `812-3f2a…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub seq: i64,
    pub hash: String,
}

/// Entries of a workspace's own that are read at once: years of settings.
const OWN_SHOWN: i64 = 2_000;

/// Hexadecimal digits of a hash that are shown, and the fewest taken back: enough that nobody finds another journal with the same.
const SHOWN: usize = 24;

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.seq, self.hash.get(..SHOWN).unwrap_or(&self.hash))
    }
}

impl std::str::FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "“{text}” is not a journal head. Write it as the all-clear shows it, like 812-3f2a9c0b1d2e4f60718293a4"
            )
        };
        let (seq, hash) = text.trim().split_once('-').ok_or_else(bad)?;
        let seq: i64 = seq.parse().map_err(|_not_a_number| bad())?;
        let hash = hash.to_lowercase();
        let fits = (SHOWN..=64).contains(&hash.len()) && hash.bytes().all(|b| b.is_ascii_hexdigit());
        if fits && seq > 0 { Ok(Self { seq, hash }) } else { Err(bad()) }
    }
}

/// An entry with its place in the chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    seq: i64,
    #[serde(rename = "guild")]
    server: WorkspaceId,
    release: Option<String>,
    /// Milliseconds of Unix time.
    at: i64,
    /// JSON.
    entry: String,
    prev: String,
    hash: String,
}

impl Line {
    /// The entry that follows this head; `entry` is JSON already.
    pub fn after(
        head: Option<&Head>,
        server: &WorkspaceId,
        release: Option<ReleaseId>,
        at: Timestamp,
        entry: String,
    ) -> Self {
        let (seq, prev) = head.map_or((0, String::new()), |head| (head.seq, head.hash.clone()));
        let (release, at) = (release.map(|id| id.to_string()), at.as_millisecond());
        let hash = link(&prev, &server.0, release.as_deref().unwrap_or(""), at, &entry);
        Self { seq: seq + 1, server: server.clone(), release, at, entry, prev, hash }
    }

    /// The head of the chain that ends with it.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash.clone() }
    }
}

/// Where and how a journal is not what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// This entry does not follow from the one before.
    At(i64),
    /// The chain ends before the entry that was noted.
    CutAfter(i64),
    /// The entry that was noted is another one now: the chain was written anew.
    Rewritten(i64),
}

fn link(prev: &str, server: &str, release: &str, at: i64, entry: &str) -> String {
    let mut hash = Sha256::new();
    for part in [prev, server, release, &at.to_string(), entry] {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

impl Store {
    /// The end of the chain, as this transaction sees it.
    pub async fn head(txn: &mut SqliteConnection) -> Result<Option<Head>, StoreFault> {
        let row = sqlx::query!("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetch_optional(txn).await?;
        Ok(row.map(|row| Head { seq: row.seq, hash: row.hash }))
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

    /// The newest of what a workspace's own journal says of people, oldest first, and whether that is all of it. What only counts is
    /// left out.
    ///
    /// # Errors
    /// Database faults; a row that does not parse.
    pub async fn own_history(&self, server: &WorkspaceId) -> Result<(Vec<Noted>, bool), StoreFault> {
        let rows = sqlx::query_scalar!(
            "SELECT entry FROM journal
             WHERE guild_id = ? AND release_id IS NULL AND NOT EXISTS (
                SELECT 1 FROM json_each(entry, '$.workspace') k
                WHERE k.key IN ('numbered', 'remembered', 'freeze_seen', 'train_handled', 'digested', 'clock_wrong'))
             ORDER BY seq DESC LIMIT ?",
            server.0,
            OWN_SHOWN
        )
        .fetch_all(self.read())
        .await?;
        let whole = i64::try_from(rows.len()).is_ok_and(|rows| rows < OWN_SHOWN);
        let noted = rows.iter().rev().map(|entry| json(entry, "journal", "entry", &server.0));
        Ok((noted.collect::<Result<_, _>>()?, whole))
    }

    /// Appends entries, each of which follows from the one before.
    ///
    /// # Errors
    /// Database faults; one of them is that somebody else has appended meanwhile.
    pub async fn append(txn: &mut SqliteConnection, lines: &[Line]) -> Result<(), StoreFault> {
        let lines = to_json(&lines, "journal")?;
        sqlx::query!(
            "WITH n AS MATERIALIZED (SELECT jsonb(value) AS line FROM json_each(?))
             INSERT INTO journal (seq, guild_id, release_id, at, entry, prev_hash, hash)
             SELECT line ->> 'seq', line ->> 'guild', line ->> 'release', line ->> 'at', line ->> 'entry', line ->> 'prev',
                    line ->> 'hash' FROM n",
            lines
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// Notes what comes in, by source and id; what of it is new.
    pub async fn note_came(
        txn: &mut SqliteConnection,
        came: &[&(String, String)],
        now: Timestamp,
    ) -> Result<BTreeSet<(String, String)>, StoreFault> {
        let (came, now) = (to_json(&came, "inbox")?, now.as_millisecond());
        let new = sqlx::query!(
            "INSERT INTO inbox (source, id, at) SELECT value ->> 0, value ->> 1, ? FROM json_each(?) WHERE true
             ON CONFLICT DO NOTHING RETURNING source, id",
            now,
            came
        )
        .fetch_all(txn)
        .await?;
        Ok(new.into_iter().map(|row| (row.source, row.id)).collect())
    }

    /// Forgets what came in and was refused: it may come again.
    pub async fn forget_came(txn: &mut SqliteConnection, came: &[&(String, String)]) -> Result<(), StoreFault> {
        let came = to_json(&came, "inbox")?;
        sqlx::query!(
            "DELETE FROM inbox WHERE (source, id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
            came
        )
        .execute(txn)
        .await?;
        Ok(())
    }
}

/// Checks the whole chain, and that it holds the point that was noted, if there is one: alone the chain cannot show that its
/// end was cut off, or that all of it was written anew.
///
/// # Errors
/// Database faults. A broken chain is `Ok(Err(…))`.
pub async fn verify(store: &Store, noted: Option<&Head>) -> Result<Result<Head, Broken>, StoreFault> {
    verify_in(store.read(), noted).await
}

/// The same of a file, which is neither created, migrated nor written, whether or not the service runs.
///
/// # Errors
/// No such file; one of another kind; database faults.
pub async fn verify_file(
    path: &Path,
    purpose: Purpose,
    noted: Option<&Head>,
) -> Result<Result<Head, Broken>, StoreFault> {
    if !path.exists() {
        return Err(StoreFault::Missing(path.to_owned()));
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    let kind: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&pool).await?;
    if kind != purpose.application_id() {
        return Err(StoreFault::Foreign(path.to_owned()));
    }
    let found = verify_in(&pool, noted).await;
    pool.close().await;
    found
}

async fn verify_in(pool: &SqlitePool, noted: Option<&Head>) -> Result<Result<Head, Broken>, StoreFault> {
    let mut prev = String::new();
    let mut last = 0;
    loop {
        let rows = sqlx::query!(
            "SELECT seq, guild_id, release_id, at, entry, prev_hash, hash FROM journal WHERE seq > ? ORDER BY seq LIMIT 1000",
            last
        )
        .fetch_all(pool)
        .await?;
        if rows.is_empty() {
            return Ok(match noted {
                Some(noted) if noted.seq > last => Err(Broken::CutAfter(last)),
                _ => Ok(Head { seq: last, hash: prev }),
            });
        }
        for row in rows {
            let hash = link(&prev, &row.guild_id, row.release_id.as_deref().unwrap_or(""), row.at, &row.entry);
            // An empty id and none have the same hash, and no entry is written with an empty one.
            let emptied = row.release_id.as_deref() == Some("");
            if emptied || row.seq != last + 1 || row.prev_hash != prev || row.hash != hash {
                return Ok(Err(Broken::At(row.seq)));
            }
            if noted.is_some_and(|noted| noted.seq == row.seq && !hash.starts_with(&noted.hash)) {
                return Ok(Err(Broken::Rewritten(row.seq)));
            }
            prev = hash;
            last = row.seq;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn append(txn: &mut SqliteConnection, at: Timestamp, entry: String) {
        let head = Store::head(&mut *txn).await.unwrap();
        let line = Line::after(head.as_ref(), &WorkspaceId::from("guild"), None, at, entry);
        Store::append(txn, &[line]).await.unwrap();
    }

    async fn journal(file: &Path) -> (Store, Head) {
        let store = Store::open(file, Purpose::Sandbox).await.unwrap();
        let mut txn = store.begin().await.unwrap();
        for n in 0..20_i64 {
            let at = Timestamp::from_second(1_800_000_000 + n).unwrap();
            append(&mut txn, at, format!("{{\"n\":{n}}}")).await;
        }
        let head = Store::head(&mut txn).await.unwrap().unwrap();
        // Whoever can write the file can do that as well.
        for trigger in ["DROP TRIGGER journal_no_update", "DROP TRIGGER journal_no_delete"] {
            sqlx::query(trigger).execute(&mut *txn).await.unwrap();
        }
        txn.commit().await.unwrap();
        (store, head)
    }

    async fn run(store: &Store, sql: &'static str, number: i64) {
        let mut txn = store.begin().await.unwrap();
        sqlx::query(sql).bind(number).execute(&mut *txn).await.unwrap();
        txn.commit().await.unwrap();
    }

    /// As somebody would who may write the file: every hash is made to fit again.
    async fn chain_anew(store: &Store) {
        let mut txn = store.begin().await.unwrap();
        let rows: Vec<(i64, String, Option<String>, i64, String)> =
            sqlx::query_as("SELECT seq, guild_id, release_id, at, entry FROM journal ORDER BY seq")
                .fetch_all(&mut *txn)
                .await
                .unwrap();
        let mut prev = String::new();
        for (seq, server, release, at, entry) in rows {
            let hash = link(&prev, &server, release.as_deref().unwrap_or(""), at, &entry);
            sqlx::query("UPDATE journal SET prev_hash = ?, hash = ? WHERE seq = ?")
                .bind(prev)
                .bind(&hash)
                .bind(seq)
                .execute(&mut *txn)
                .await
                .unwrap();
            prev = hash;
        }
        txn.commit().await.unwrap();
    }

    #[tokio::test]
    async fn whatever_is_changed_is_found_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        for (n, column) in ["entry", "guild_id", "release_id", "at", "prev_hash", "hash"].into_iter().enumerate() {
            let (store, head) = journal(&folder.path().join(format!("{n}.db"))).await;
            assert_eq!(verify(&store, Some(&head)).await.unwrap(), Ok(head));
            let sql = match column {
                "entry" => "UPDATE journal SET entry = replace(entry, ':', ' :') WHERE seq = ?",
                "guild_id" => "UPDATE journal SET guild_id = 'other' WHERE seq = ?",
                "release_id" => "UPDATE journal SET release_id = '' WHERE seq = ?",
                "at" => "UPDATE journal SET at = at + 1 WHERE seq = ?",
                "prev_hash" => "UPDATE journal SET prev_hash = hash WHERE seq = ?",
                _ => "UPDATE journal SET hash = prev_hash WHERE seq = ?",
            };
            run(&store, sql, 7).await;
            assert_eq!(verify(&store, None).await.unwrap(), Err(Broken::At(7)), "{column}");
            store.close().await;
        }
        let (store, _) = journal(&folder.path().join("gap.db")).await;
        run(&store, "DELETE FROM journal WHERE seq = ?", 7).await;
        assert_eq!(verify(&store, None).await.unwrap(), Err(Broken::At(8)), "an entry is missing");
    }

    /// Every byte of every entry, one after the other: changed, found at its place, and put back.
    #[tokio::test]
    async fn every_byte_of_every_entry_counts() {
        let folder = tempfile::tempdir().unwrap();
        let (store, head) = journal(&folder.path().join("bytes.db")).await;
        // A byte more or less need not leave JSON behind.
        store.pragma("ignore_check_constraints = ON").await.unwrap();
        let entries: Vec<(i64, String)> =
            sqlx::query_as("SELECT seq, entry FROM journal ORDER BY seq").fetch_all(store.read()).await.unwrap();
        let write = async |seq: i64, entry: &str| {
            let mut txn = store.begin().await.unwrap();
            let update = sqlx::query("UPDATE journal SET entry = ? WHERE seq = ?").bind(entry).bind(seq);
            update.execute(&mut *txn).await.unwrap();
            txn.commit().await.unwrap();
        };
        let mut flips = 0;
        for (seq, entry) in &entries {
            for at in 0..entry.len() {
                let mut bytes = entry.clone().into_bytes();
                // Another character of ASCII, so that it stays text.
                bytes[at] ^= 1 + u8::try_from(at % 3).unwrap();
                write(*seq, &String::from_utf8(bytes).unwrap()).await;
                assert_eq!(verify(&store, None).await.unwrap(), Err(Broken::At(*seq)), "byte {at} of {entry}");
                flips += 1;
            }
            write(*seq, entry).await;
        }
        assert_eq!(verify(&store, Some(&head)).await.unwrap(), Ok(head));
        assert_eq!(flips, entries.iter().map(|(_, entry)| entry.len()).sum::<usize>());
    }

    /// A tail is cut off and others grow in its place: the chain holds by itself, the noted head does not.
    #[tokio::test]
    async fn a_tail_that_was_cut_and_grew_again_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let (store, head) = journal(&folder.path().join("grown.db")).await;
        run(&store, "DELETE FROM journal WHERE seq > ?", 15).await;
        for n in 0..9_i64 {
            let mut txn = store.begin().await.unwrap();
            let at = Timestamp::from_second(1_800_001_000 + n).unwrap();
            append(&mut txn, at, "{\"grown\":true}".to_owned()).await;
            txn.commit().await.unwrap();
        }
        assert!(verify(&store, None).await.unwrap().is_ok(), "it holds by itself");
        assert_eq!(verify(&store, Some(&head)).await.unwrap(), Err(Broken::Rewritten(20)));
    }

    #[tokio::test]
    async fn a_noted_head_shows_a_tail_that_was_cut_off_and_a_chain_that_was_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (store, head) = journal(&folder.path().join("cut.db")).await;
        run(&store, "DELETE FROM journal WHERE seq > ?", 15).await;
        assert!(verify(&store, None).await.unwrap().is_ok(), "what is left holds by itself");
        assert_eq!(verify(&store, Some(&head)).await.unwrap(), Err(Broken::CutAfter(15)));

        let (store, head) = journal(&folder.path().join("anew.db")).await;
        run(&store, "UPDATE journal SET entry = '{}' WHERE seq = ?", 3).await;
        chain_anew(&store).await;
        assert!(verify(&store, None).await.unwrap().is_ok(), "a chain that was written anew holds by itself");
        let noted: Head = head.to_string().parse().unwrap();
        assert_eq!(verify(&store, Some(&noted)).await.unwrap(), Err(Broken::Rewritten(20)));
        for bad in [
            "", "20", "x-123456789012345678901234", "0-123456789012345678901234", "20-123456789012",
            "20-zzzzzzzzzzzzzzzzzzzzzzzz",
        ] {
            assert!(bad.parse::<Head>().is_err(), "{bad}");
        }
    }
}
