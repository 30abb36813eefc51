//! Whether every page of the file is sound. It reads the whole file, so it runs beside the service, on a reading connection.

use super::{Store, StoreFault};

impl Store {
    /// Reads every page.
    ///
    /// # Errors
    /// [`StoreFault::Damaged`] with what SQLite found first; other database faults.
    pub async fn check_pages(&self) -> Result<(), StoreFault> {
        let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(self.read()).await?;
        if found == "ok" { Ok(()) } else { Err(StoreFault::Damaged(found)) }
    }
}
