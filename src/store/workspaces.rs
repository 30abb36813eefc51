//! Rows of workspaces.

use sqlx::SqliteConnection;

use super::{Store, StoreFault, json, to_json};
use crate::domain::ids::GuildId;
use crate::domain::workspace::Workspace;

impl Store {
    /// A workspace, or a fresh one where the server is not known yet; with its version.
    ///
    /// # Errors
    /// Database faults.
    pub async fn workspace(txn: &mut SqliteConnection, guild: &GuildId) -> Result<(Workspace, i64), StoreFault> {
        let row = sqlx::query!("SELECT version, state FROM workspace WHERE guild_id = ?", guild.0)
            .fetch_optional(txn)
            .await?;
        match row {
            Some(row) => Ok((json(&row.state, "workspace", "state", &guild.0)?, row.version)),
            None => Ok((Workspace::new(guild.clone()), 0)),
        }
    }

    /// The same for reading only.
    ///
    /// # Errors
    /// Database faults.
    pub async fn read_workspace(&self, guild: &GuildId) -> Result<Workspace, StoreFault> {
        let mut connection = self.read().acquire().await?;
        Ok(Self::workspace(&mut connection, guild).await?.0)
    }

    /// Saves a workspace against the version it was read at.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] if somebody else saved meanwhile.
    pub async fn save_workspace(
        txn: &mut SqliteConnection,
        workspace: &Workspace,
        version: i64,
    ) -> Result<(), StoreFault> {
        let state = to_json(workspace, "workspace")?;
        let done = sqlx::query!(
            "INSERT INTO workspace (guild_id, version, state) VALUES (?1, ?2 + 1, ?3)
             ON CONFLICT (guild_id) DO UPDATE SET version = version + 1, state = ?3 WHERE version = ?2",
            workspace.guild.0,
            version,
            state
        )
        .execute(txn)
        .await?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreFault::Conflict(workspace.guild.0.clone())) }
    }
}
