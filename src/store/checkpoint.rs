//! Copies the write-ahead log into the file beside the writer: a checkpoint takes some milliseconds, and no answer waits for one.
//! <https://sqlite.org/wal.html#avoiding_excessively_large_wal_files>

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::store::base::{Store, StoreFault};

/// Commits between two checkpoints, of some ten pages each.
const COMMITS: u32 = 64;
/// Pages at which the writer makes one itself. Only then, or when nobody writes meanwhile, does the log begin again.
pub(super) const PAGES: &str = "4000";

/// A connection of its own, and the commits since the last checkpoint.
#[derive(Debug, Clone)]
pub(super) struct Checkpoints {
    connection: SqlitePool,
    commits: Arc<AtomicU32>,
    enough: Arc<Notify>,
}

impl Checkpoints {
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        let connection = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options);
        Self { connection, commits: Arc::default(), enough: Arc::default() }
    }

    pub(super) async fn close(&self) {
        self.connection.close().await;
    }
}

impl Store {
    /// A transaction was committed.
    pub fn committed(&self) {
        if self.checkpoints.commits.fetch_add(1, Ordering::Relaxed) + 1 >= COMMITS {
            self.checkpoints.commits.store(0, Ordering::Relaxed);
            self.checkpoints.enough.notify_one();
        }
    }

    /// Makes a checkpoint whenever enough was written, until stopped.
    pub async fn keep_checkpoints(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = self.checkpoints.enough.notified() => {}
                () = stop.cancelled() => return,
            }
            if let Err(fault) = self.checkpoint().await {
                // The writer makes one when the log is long.
                tracing::warn!(error = &fault as &dyn std::error::Error, "WAL checkpoint failed");
            }
        }
    }

    /// Pages that somebody reads or writes meanwhile wait for the next one.
    async fn checkpoint(&self) -> Result<(), StoreFault> {
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&self.checkpoints.connection).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::base::Purpose;

    #[tokio::test]
    async fn enough_commits_lead_to_a_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("checkpoint.db");
        let store = Store::open(&file, Purpose::Sandbox).await.unwrap();
        let size = || std::fs::metadata(&file).unwrap().len();
        store.checkpoint().await.unwrap();
        let before = size();
        let stop = CancellationToken::new();
        let keeping = tokio::spawn({
            let (store, stop) = (store.clone(), stop.clone());
            async move { store.keep_checkpoints(stop).await }
        });
        for n in 0..COMMITS {
            assert_eq!(size(), before, "not before it is enough");
            sqlx::query("INSERT INTO inbox (source, id, at) VALUES (?, ?, 1)")
                .bind("x".repeat(2_000))
                .bind(n)
                .execute(&store.write)
                .await
                .unwrap();
            store.committed();
        }
        while size() == before {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        keeping.await.unwrap();
        store.close().await;
    }
}
