//! Rows of targets that take nothing, or nothing for a while.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;

use crate::delivery::{ChannelState, Target};
use crate::store::base::{Store, StoreFault, json, to_json};

impl Store {
    /// Every target something is known against.
    pub async fn channels(txn: &mut SqliteConnection) -> Result<BTreeMap<Target, ChannelState>, StoreFault> {
        let rows = sqlx::query!("SELECT target, state FROM channel").fetch_all(txn).await?;
        rows.into_iter()
            .map(|row| {
                let target = json(&row.target, "channel", "target", &row.target)?;
                Ok((target, json(&row.state, "channel", "state", &row.target)?))
            })
            .collect()
    }

    /// The same on a reading connection.
    pub async fn read_channels(&self) -> Result<BTreeMap<Target, ChannelState>, StoreFault> {
        let mut connection = self.read().acquire().await?;
        Self::channels(&mut connection).await
    }

    /// Stores what is known against a target; one that is open has no row.
    pub async fn save_channel(
        txn: &mut SqliteConnection,
        target: &Target,
        state: &ChannelState,
    ) -> Result<(), StoreFault> {
        let (target, text) = (to_json(target, "channel")?, to_json(state, "channel")?);
        let statement = if *state == ChannelState::OPEN {
            sqlx::query!("DELETE FROM channel WHERE target = ?", target)
        } else {
            sqlx::query!("INSERT OR REPLACE INTO channel (target, state) VALUES (?, ?)", target, text)
        };
        statement.execute(txn).await?;
        Ok(())
    }
}
