//! Whether every page of the file is sound. It reads the whole file, so it runs beside the service, on a reading connection.

use tokio_util::sync::CancellationToken;

use crate::store::base::{Store, StoreFault};

/// Steps of SQLite's virtual machine between two looks at whether to stop.
const STEPS: i32 = 10_000;

impl Store {
    /// Reads every page, until stopped.
    ///
    /// # Errors
    /// [`StoreFault::Damaged`] with what SQLite found first; other database faults.
    pub async fn check_pages(&self, stop: CancellationToken) -> Result<(), StoreFault> {
        let mut connection = self.read().acquire().await?;
        let stopped = stop.clone();
        connection.lock_handle().await?.set_progress_handler(STEPS, move || !stopped.is_cancelled());
        let found = sqlx::query_scalar::<_, String>("PRAGMA quick_check(1)").fetch_one(&mut *connection).await;
        connection.lock_handle().await?.remove_progress_handler();
        match found {
            Ok(found) if found == "ok" => Ok(()),
            Ok(found) => Err(StoreFault::Damaged(found)),
            Err(_) if stop.is_cancelled() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
