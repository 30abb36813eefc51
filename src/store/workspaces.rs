//! Rows of workspaces.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use crate::domain::ids::WorkspaceId;
use crate::domain::workspace::Workspace;
use crate::store::base::{Store, StoreFault, json, to_json};

impl Store {
    /// A workspace, or a fresh one where the server is not known yet; with its version.
    pub async fn workspace(txn: &mut SqliteConnection, server: &WorkspaceId) -> Result<(Workspace, i64), StoreFault> {
        let row = sqlx::query!("SELECT version, state FROM workspace WHERE guild_id = ?", server.0)
            .fetch_optional(txn)
            .await?;
        match row {
            Some(row) => Ok((json(&row.state, "workspace", "state", &server.0)?, row.version)),
            None => Ok((Workspace::new(server.clone()), 0)),
        }
    }

    /// The same for reading only.
    pub async fn read_workspace(&self, server: &WorkspaceId) -> Result<Workspace, StoreFault> {
        let mut connection = self.read().acquire().await?;
        Ok(Self::workspace(&mut connection, server).await?.0)
    }

    /// Saves a workspace that was read at one version as another; read at version 0 it is new.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] if somebody else saved meanwhile.
    pub async fn save_workspace(
        txn: &mut SqliteConnection,
        workspace: &Workspace,
        read_at: i64,
        version: i64,
    ) -> Result<(), StoreFault> {
        let (server, state) = (&workspace.server.0, to_json(workspace, "workspace")?);
        let wakeup = workspace.next_wakeup().map(Timestamp::as_millisecond);
        let done = sqlx::query!(
            "INSERT INTO workspace (guild_id, version, state, next_wakeup) VALUES (?1, ?5, ?3, ?4)
             ON CONFLICT (guild_id) DO UPDATE SET version = ?5, state = ?3, next_wakeup = ?4 WHERE version = ?2",
            server,
            read_at,
            state,
            wakeup,
            version
        )
        .execute(txn)
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreFault::Conflict(server.clone())) }
    }

    /// Every workspace.
    pub async fn servers(&self) -> Result<Vec<WorkspaceId>, StoreFault> {
        let rows = sqlx::query_scalar!("SELECT guild_id FROM workspace").fetch_all(self.read()).await?;
        Ok(rows.into_iter().map(WorkspaceId).collect())
    }

    /// Workspaces whose wake-up has come.
    pub async fn due_workspaces(&self, now: Timestamp, limit: i64) -> Result<Vec<WorkspaceId>, StoreFault> {
        let now = now.as_millisecond();
        let rows = sqlx::query_scalar!(
            "SELECT guild_id FROM workspace WHERE next_wakeup <= ? ORDER BY next_wakeup LIMIT ?",
            now,
            limit
        )
        .fetch_all(self.read())
        .await?;
        Ok(rows.into_iter().map(WorkspaceId).collect())
    }
}
