//! Sleeps to the next wake-up, a nudge or one second, whichever is first; then what is due becomes `Tick` commands. It
//! touches the database only when something is due or was written, and each ten minutes for a sign of life: from that a later
//! start knows how long nobody was there.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::desk::{Ask, Desk};
use crate::domain::ids::{ReleaseId, WorkspaceId};
use crate::domain::lateness::Away;
use crate::domain::people::Actor;
use crate::domain::workspace::WorkspaceCommand;
use crate::store::StoreFault;

const BATCH: i64 = 64;

/// How long what is due and did not move is left alone.
const STUCK: std::time::Duration = std::time::Duration::from_millis(500);

/// Rounds in a row about the same, after which it counts as not moving.
const MOST_ROUNDS: u32 = 4;

/// Between two signs of life.
const SIGN: SignedDuration = SignedDuration::from_mins(10);

/// A gap longer than this between two looks at the clock is a time away: it looks each second.
const GAP: SignedDuration = SignedDuration::from_secs(60);

/// When this process was there, and when nobody was.
#[derive(Debug, Default)]
struct Presence {
    seen: Option<Timestamp>,
    noted: Option<Timestamp>,
    /// The last time away, of this process or before it.
    away: Option<Away>,
}

impl Presence {
    /// A look at the clock.
    fn look(&mut self, now: Timestamp) {
        if let Some(seen) = self.seen.replace(now)
            && now > seen + GAP
        {
            self.away = Some(Away { from: seen, to: now });
        }
    }

    /// Whether a sign of life is due.
    fn owes(&self, now: Timestamp) -> bool {
        self.noted.is_none_or(|noted| !(noted..noted + SIGN).contains(&now))
    }

    /// The first look of a process begins where the last sign of life was.
    async fn arrive(desk: &Desk) -> Self {
        let seen = desk.store().last_alive().await.unwrap_or_else(|fault| {
            tracing::error!(error = &fault as &dyn std::error::Error, "cannot read the last heartbeat");
            None
        });
        Self { seen, ..Self::default() }
    }

    /// Leaves a sign of life, if one is due.
    async fn sign(&mut self, desk: &Desk, now: Timestamp) {
        if !self.owes(now) {
            return;
        }
        // Whether or not it is stored, the next is due ten minutes later.
        self.noted = Some(now);
        if let Err(fault) = desk.store().note_alive(now).await {
            tracing::warn!(error = &fault as &dyn std::error::Error, "heartbeat not stored");
        }
    }
}

/// What one round was about.
#[derive(Debug, Default, PartialEq, Eq)]
struct Due {
    releases: Vec<ReleaseId>,
    workspaces: Vec<WorkspaceId>,
}

/// Runs until cancelled.
pub async fn run(desk: Desk, nudge: Arc<Notify>, stop: CancellationToken) {
    let mut next: Option<Timestamp> = Some(Timestamp::UNIX_EPOCH);
    // What the last round was about, and how many in a row were about the same.
    let (mut before, mut rounds) = (Due::default(), 0);
    let mut presence = Presence::arrive(&desk).await;
    while !stop.is_cancelled() {
        let now = desk.clock().now();
        if next.is_some_and(|at| at <= now) && !confirmed(&desk, &stop).await {
            continue;
        }
        if desk.clock().is_confirmed() {
            presence.look(now);
        }
        if next.is_some_and(|at| at <= now) {
            match round(&desk, now, presence.away).await {
                Ok(due) => {
                    rounds = if due == before { rounds + 1 } else { 1 };
                    // Not tight: what a tick does not move must not become a busy loop.
                    if rounds >= MOST_ROUNDS && due != Due::default() {
                        tracing::error!(?due, "due work makes no progress");
                        tokio::time::sleep(STUCK).await;
                    }
                    before = due;
                }
                Err(fault) => {
                    tracing::error!(error = &fault as &dyn std::error::Error, "cannot read what is due");
                    next = Some(now + SignedDuration::from_secs(1));
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                    continue;
                }
            }
        }
        next = match desk.store().next_wakeup().await {
            Ok(next) => next,
            Err(fault) => {
                tracing::error!(error = &fault as &dyn std::error::Error, "cannot read the next wake-up");
                Some(now + SignedDuration::from_secs(1))
            }
        };
        if next.is_some_and(|at| at <= desk.clock().now()) {
            continue;
        }
        before = Due::default();
        if desk.clock().is_confirmed() {
            presence.sign(&desk, now).await;
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
            if desk.clock().is_confirmed() {
                let now = desk.clock().now();
                presence.look(now);
                nudged |= presence.owes(now);
            }
        }
    }
}

/// Whether the time is confirmed; if not, waits until that may have changed. Nothing fires by a doubtful clock.
async fn confirmed(desk: &Desk, stop: &CancellationToken) -> bool {
    let mut confirmations = desk.clock().confirmations();
    if desk.clock().is_confirmed() {
        return true;
    }
    tokio::select! {
        _ = confirmations.changed() => {}
        () = tokio::time::sleep(STUCK) => {}
        () = stop.cancelled() => {}
    }
    false
}

/// One round: every release and workspace whose wake-up has come gets its tick.
async fn round(desk: &Desk, now: Timestamp, away: Option<Away>) -> Result<Due, StoreFault> {
    let due = Due {
        releases: desk.store().due_releases(now, BATCH).await?,
        workspaces: desk.store().due_workspaces(now, BATCH).await?,
    };
    for release in &due.releases {
        if let Err(fault) = desk.ask(Ask::Tick { release: *release, away }).await {
            tracing::error!(%release, error = &fault as &dyn std::error::Error, "release tick failed");
        }
    }
    for server in &due.workspaces {
        let ask = Ask::Workspace {
            server: server.clone(),
            actor: Actor::Clock,
            command: WorkspaceCommand::Tick,
            template: None,
        };
        if let Err(fault) = desk.ask(ask).await {
            tracing::error!(%server, error = &fault as &dyn std::error::Error, "workspace tick failed");
        }
    }
    Ok(due)
}
