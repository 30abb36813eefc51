//! Folding the write-ahead log into the file, beside the writer: a fold takes some milliseconds, and no answer waits for one.
//! <https://sqlite.org/wal.html#avoiding_excessively_large_wal_files>

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Store, StoreFault};

/// Commits between two folds: of some ten pages each.
const COMMITS: u32 = 64;
/// Pages at which the writer folds by itself. Only then, or when nobody writes meanwhile, does the log begin anew.
pub(super) const PAGES: &str = "4000";

/// What is known of the log.
#[derive(Debug, Clone)]
pub(super) struct Fold {
    connection: SqlitePool,
    commits: Arc<AtomicU32>,
    enough: Arc<Notify>,
}

impl Fold {
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
        if self.fold.commits.fetch_add(1, Ordering::Relaxed) + 1 >= COMMITS {
            self.fold.commits.store(0, Ordering::Relaxed);
            self.fold.enough.notify_one();
        }
    }

    /// Folds whenever enough was written, until stopped.
    pub async fn keep_folded(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = self.fold.enough.notified() => {}
                () = stop.cancelled() => return,
            }
            if let Err(fault) = self.fold_now().await {
                // The writer does it itself when the log is long.
                tracing::warn!(error = &fault as &dyn std::error::Error, "WAL checkpoint failed");
            }
        }
    }

    async fn fold_now(&self) -> Result<(), StoreFault> {
        // What somebody reads or writes meanwhile stays for the next time.
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&self.fold.connection).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Purpose;

    #[tokio::test]
    async fn what_was_written_is_folded_in_beside_the_writer() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fold.db");
        let store = Store::open(&file, Purpose::Sandbox).await.unwrap();
        let size = || std::fs::metadata(&file).unwrap().len();
        store.fold_now().await.unwrap();
        let before = size();
        let stop = CancellationToken::new();
        let folding = tokio::spawn({
            let (store, stop) = (store.clone(), stop.clone());
            async move { store.keep_folded(stop).await }
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
        folding.await.unwrap();
        store.close().await;
    }
}
