//! Sleeps to the next wake-up, a nudge or one second, whichever is first; then what is due becomes `Tick` commands. It
//! touches the database only when something is due or was written.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::desk::{Ask, Desk};
use crate::domain::people::Actor;
use crate::domain::workspace::WorkspaceCommand;
use crate::store::StoreFault;

const BATCH: i64 = 64;

/// Runs until cancelled.
pub async fn run(desk: Desk, nudge: Arc<Notify>, stop: CancellationToken) {
    let mut next: Option<Timestamp> = Some(Timestamp::UNIX_EPOCH);
    while !stop.is_cancelled() {
        let now = desk.clock().now();
        if next.is_some_and(|at| at <= now) {
            match round(&desk, now).await {
                Ok(()) => {}
                Err(fault) => {
                    tracing::error!(error = &fault as &dyn std::error::Error, "Due releases could not be read");
                    next = Some(now + SignedDuration::from_secs(1));
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                    continue;
                }
            }
        }
        next = match desk.store().next_wakeup().await {
            Ok(next) => next,
            Err(fault) => {
                tracing::error!(error = &fault as &dyn std::error::Error, "The next wake-up could not be read");
                Some(now + SignedDuration::from_secs(1))
            }
        };
        if next.is_some_and(|at| at <= desk.clock().now()) {
            continue;
        }
        // Sleep on, without the database, until something is due or was written.
        let mut nudged = false;
        let alone = Notify::new();
        while !nudged && !stop.is_cancelled() && next.is_none_or(|at| at > desk.clock().now()) {
            tokio::select! {
                () = desk.clock().wait(next, &alone) => {}
                () = nudge.notified() => nudged = true,
                () = stop.cancelled() => {}
            }
        }
    }
}

/// One round: every release and workspace whose wake-up has come gets its tick.
async fn round(desk: &Desk, now: Timestamp) -> Result<(), StoreFault> {
    for release in desk.store().due_releases(now, BATCH).await? {
        if let Err(fault) = desk.ask(Ask::Tick { release }).await {
            tracing::error!(%release, error = &fault as &dyn std::error::Error, "A release could not be ticked");
            // Not tight: a release that cannot be ticked must not become a busy loop.
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
    }
    for guild in desk.store().due_workspaces(now, BATCH).await? {
        let ask = Ask::Workspace {
            guild: guild.clone(),
            actor: Actor::Clock,
            command: WorkspaceCommand::Tick,
            template: None,
        };
        if let Err(fault) = desk.ask(ask).await {
            tracing::error!(%guild, error = &fault as &dyn std::error::Error, "A workspace could not be ticked");
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
    }
    Ok(())
}
