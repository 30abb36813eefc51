//! What the desk's batches write when releases go on, in one trip to the database's thread: a trip costs more than what is written.
//! Nothing is decided here: where anything is not as the batch expects it, nothing of it is stored.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::SqliteConnection;

use super::releases::ReleaseRow;
use super::{Line, NewEdit, NewPost, NewPrompt, Store, StoreFault, Writer, to_json};

/// A release that goes from the version it was read at to another.
#[derive(Debug, Clone, Copy)]
pub struct Change<'b> {
    pub row: &'b ReleaseRow,
    pub read_at: i64,
    pub version: i64,
}

/// A change as the statement takes it.
#[derive(Debug, Serialize)]
struct NewState<'b> {
    id: &'b str,
    read_at: i64,
    version: i64,
    state: &'b str,
}

impl<'b> Change<'b> {
    fn state(&self) -> NewState<'b> {
        let Self { row, read_at, version } = *self;
        NewState { id: &row.id, read_at, version, state: &row.state }
    }
}

/// What happens to releases that are known, and what that leads to.
#[derive(Debug, Default)]
pub struct Batch<'b> {
    /// Source and id of what came in.
    pub came: &'b [(String, String)],
    pub releases: Vec<Change<'b>>,
    /// Entries of the journal, each of which follows from the one before.
    pub lines: &'b [Line],
    pub prompts: &'b [NewPrompt],
    /// A key that is there already is no news.
    pub posts: &'b [NewPost],
    /// Messages that are rendered anew, each named once; an equal rendering is no news.
    pub edits: Vec<&'b NewEdit>,
}

impl Store {
    /// Stores a batch, in the transaction at hand or in one of its own. `false`: something of it had come before, or was changed
    /// meanwhile. After that, and after a fault, whoever began the transaction must undo it.
    ///
    /// # Errors
    /// Database faults; a row that breaks any other constraint is one.
    pub async fn put(connection: &mut SqliteConnection, batch: &Batch<'_>, now: Timestamp) -> Result<bool, StoreFault> {
        let came = to_json(&batch.came, "inbox")?;
        let changes = to_json(&batch.releases.iter().map(Change::state).collect::<Vec<_>>(), "release")?;
        let heads = to_json(&batch.releases.iter().map(|change| change.row).collect::<Vec<_>>(), "release")?;
        let (lines, prompts) = (to_json(&batch.lines, "journal")?, to_json(&batch.prompts, "prompt")?);
        let (posts, edits) = (to_json(&batch.posts, "outbox")?, to_json(&batch.edits, "edit")?);
        let (how_many_came, how_many_change) = (count(batch.came.len()), count(batch.releases.len()));
        let now = now.as_millisecond();
        // An entry of `meta` without a value is refused: so ends a batch whose counts are not what it expects. Rows of many columns are
        // kept as JSONB: `value` is written out anew each time it is named.
        let done = sqlx::query_scalar!(
            r#"SAVEPOINT batch;
             INSERT INTO inbox (source, id, at) SELECT value ->> 0, value ->> 1, ? FROM json_each(?) WHERE true ON CONFLICT DO NOTHING;
             INSERT INTO meta (key, value) SELECT 'came before', NULL WHERE changes() <> ?;
             UPDATE release SET version = n.value ->> 'version', state = n.value ->> 'state' FROM json_each(?) n
             WHERE release.id = n.value ->> 'id' AND release.version = n.value ->> 'read_at';
             INSERT INTO meta (key, value) SELECT 'changed meanwhile', NULL WHERE changes() <> ?;
             UPDATE release SET phase = n.value ->> 'phase', title = n.value ->> 'title', service = n.value ->> 'service',
                                next_wakeup = n.value ->> 'wakeup' FROM json_each(?) n
             WHERE release.id = n.value ->> 'id' AND (release.phase, release.title, release.service, release.next_wakeup)
                IS NOT (n.value ->> 'phase', n.value ->> 'title', n.value ->> 'service', n.value ->> 'wakeup');
             WITH n AS MATERIALIZED (SELECT jsonb(value) AS line FROM json_each(?))
             INSERT INTO journal (seq, guild_id, release_id, at, entry, prev_hash, hash)
             SELECT line ->> 'seq', line ->> 'guild', line ->> 'release', line ->> 'at', line ->> 'entry', line ->> 'prev',
                    line ->> 'hash' FROM n;
             INSERT INTO prompt (id, guild_id, release_id, kind, at)
             SELECT value ->> 'id', value ->> 'guild', value ->> 'release', value ->> 'kind', value ->> 'at' FROM json_each(?);
             WITH n AS MATERIALIZED (SELECT jsonb(value) AS post FROM json_each(?))
             INSERT INTO outbox (key, guild_id, release_id, channel_id, priority, due, useful_until, payload, prompt_id, nonce, marker, state, next_try, reported, addressee)
             SELECT post ->> 'key', post ->> 'guild', post ->> 'release', post ->> 'channel', post ->> 'priority', post ->> 'due',
                    post ->> 'useful_until', post ->> 'payload', post ->> 'prompt', post ->> 'nonce', post ->> 'marker', 'planned',
                    post ->> 'due', 1 - (post ->> 'awaited'), post -> 'to'
             FROM n WHERE true ON CONFLICT DO NOTHING;
             WITH n AS MATERIALIZED (SELECT jsonb(value) AS edit FROM json_each(?)),
                  new AS MATERIALIZED (SELECT edit ->> 'key' AS key, edit ->> 'release' AS release, edit ->> 'payload' AS payload,
                                              edit ->> 'prompt' AS prompt, edit ->> 'apart' AS apart FROM n)
             INSERT INTO edit (key, release_id, payload, prompt_id, wanted, done, next_try, apart)
             SELECT new.key, new.release, new.payload, new.prompt, 1, 0, ?, new.apart FROM new
             WHERE EXISTS (SELECT 1 FROM edit e WHERE e.key = new.key)
                OR NOT EXISTS (SELECT 1 FROM outbox o WHERE o.key = new.key AND o.payload = new.payload AND o.prompt_id IS new.prompt)
             ON CONFLICT (key) DO UPDATE SET
                 payload = excluded.payload, prompt_id = excluded.prompt_id, wanted = wanted + 1, attempt = 0, apart = excluded.apart,
                 next_try = CASE WHEN done < wanted THEN next_try ELSE max(excluded.next_try, coalesce(done_at, 0) + excluded.apart) END
             WHERE payload <> excluded.payload OR prompt_id IS NOT excluded.prompt_id;
             RELEASE batch;
             SELECT 1 AS "stored!: i64""#,
            now,
            came,
            how_many_came,
            changes,
            how_many_change,
            heads,
            lines,
            prompts,
            posts,
            edits,
            now
        )
        .fetch_one(connection)
        .await;
        match done {
            // The row comes after the release: without it, nobody knows that all of it was carried out.
            Ok(_) => Ok(true),
            Err(error) if error.as_database_error().is_some_and(|e| is_misfit(e.message())) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Stores a batch in a transaction of its own: all of it, or nothing. `false` as in [`Store::put`].
    ///
    /// # Errors
    /// Database faults.
    pub async fn put_alone(writer: &mut Writer, batch: &Batch<'_>, now: Timestamp) -> Result<bool, StoreFault> {
        let mut alone = Alone { writer, over: false };
        let put = Self::put(alone.writer, batch, now).await;
        alone.over = match &put {
            Ok(true) => true,
            // Where SQLite has ended the transaction by itself (the disk is full), there is none to undo.
            Ok(false) | Err(_) => sqlx::query!("ROLLBACK").execute(&mut **alone.writer).await.is_ok(),
        };
        drop(alone);
        put
    }
}

/// A connection with a transaction that sqlx does not know of. Unless that is over, even because nobody waited for its end, the connection
/// is not used again: what came next would be part of it.
struct Alone<'w> {
    writer: &'w mut Writer,
    over: bool,
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.writer.close_on_drop();
        }
    }
}

/// Whether a constraint is one of those that tell that something came before or was changed meanwhile; any other is a defect of ours.
fn is_misfit(message: &str) -> bool {
    ["NOT NULL constraint failed: meta.value", "UNIQUE constraint failed: journal.seq"].contains(&message)
}

fn count(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Purpose;

    /// Found by review: a transaction whose end nobody waited for was one that sqlx did not know of, and what came next was part of it.
    #[tokio::test]
    async fn what_nobody_waited_for_does_not_hold_what_comes_next() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("batch.db"), Purpose::Sandbox).await.unwrap();
        let came = |what: &str, n: usize| [("chat".to_owned(), format!("{what} {n}"))];
        for n in 0..60 {
            let mut writer = store.writer().await.unwrap();
            let left = came("left", n);
            let batch = Batch { came: &left, ..Batch::default() };
            tokio::select! {
                biased;
                _ = Store::put_alone(&mut writer, &batch, Timestamp::UNIX_EPOCH) => {}
                () = async { for _ in 0..n % 6 { tokio::task::yield_now().await } } => {}
            }
            drop(writer);
            let mut writer = store.writer().await.unwrap();
            let kept = came("kept", n);
            let batch = Batch { came: &kept, ..Batch::default() };
            assert!(Store::put_alone(&mut writer, &batch, Timestamp::UNIX_EPOCH).await.unwrap());
            let seen = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM inbox WHERE id = ?").bind(&kept[0].1);
            assert_eq!(seen.fetch_one(store.read()).await.unwrap(), 1, "stored for everybody, in round {n}");
        }
        store.close().await;
    }
}
