//! Asks the chat platform what time it is when the clock is in doubt or was long not confirmed, and has every server told when
//! the machine's clock is far off (`reliability.md` 5.6). The answers' dates reach the clock through the transport; this file
//! must not set it.

use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::chat::Platform;
use crate::clock::Clock;
use crate::desk::{Ask, Desk};
use crate::domain::people::Actor;
use crate::domain::workspace::WorkspaceCommand;

/// Between two questions while nobody confirms the time: this long at first, twice as long after each, at most [`LONGEST`].
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(15);

/// Runs until cancelled.
pub async fn run(desk: Desk, platform: Platform, stop: CancellationToken) {
    let clock = desk.clock().clone();
    let (mut confirmations, mut pause, mut told) = (clock.confirmations(), PAUSE, None);
    while !stop.is_cancelled() {
        if !clock.is_confirmed() || clock.is_stale() {
            platform.ask_time().await;
        }
        if clock.is_confirmed() && told != Some(minutes(&clock)) && tell(&desk, clock.ahead_ms()).await {
            told = Some(minutes(&clock));
        }
        if clock.is_confirmed() && !clock.is_stale() {
            pause = PAUSE;
            rest(&clock, &stop).await;
            continue;
        }
        if pause == LONGEST && !clock.is_confirmed() {
            tracing::error!("Nobody confirms the time; nothing is sent until Discord answers");
        }
        confirmations.mark_unchanged();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = confirmations.changed() => {}
            () = stop.cancelled() => {}
        }
        pause = (pause * 2).min(LONGEST);
    }
}

/// How far the machine's clock is ahead, as coarsely as it is worth telling.
fn minutes(clock: &Clock) -> i64 {
    clock.ahead_ms() / 60_000
}

/// Until the time is doubtful, was long not confirmed, or differs from what was told.
async fn rest(clock: &Clock, stop: &CancellationToken) {
    let (mut confirmations, alone, ahead) = (clock.confirmations(), Notify::new(), minutes(clock));
    while clock.is_confirmed() && !clock.is_stale() && minutes(clock) == ahead {
        tokio::select! {
            () = clock.wait(None, &alone) => {}
            _ = confirmations.changed() => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Every server learns how far the machine's clock is off; whether that is worth a word is its own decision.
async fn tell(desk: &Desk, ahead_ms: i64) -> bool {
    let guilds = match desk.store().guilds().await {
        Ok(guilds) => guilds,
        Err(fault) => {
            tracing::error!(error = &fault as &dyn std::error::Error, "The servers could not be read");
            return false;
        }
    };
    let mut all = true;
    for guild in guilds {
        let command = WorkspaceCommand::Clock { ahead_ms };
        let ask = Ask::Workspace { guild: guild.clone(), actor: Actor::Clock, command, template: None };
        if let Err(fault) = desk.ask(ask).await {
            tracing::error!(%guild, error = &fault as &dyn std::error::Error, "A server was not told of the clock");
            all = false;
        }
    }
    all
}
