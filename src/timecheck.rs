//! Asks the chat platform what time it is when the clock is in doubt or was long not confirmed, and has every server told when
//! the machine's clock is far off. The answers' dates reach the clock through the transport; this file
//! must not set it.

use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::chat::Platform;
use crate::clock::Clock;
use crate::desk::{Ask, Desk};
use crate::domain::people::Actor;
use crate::domain::workspace::WorkspaceCommand;

/// Between two questions while nobody answers: this long at first, twice as long after each, at most [`LONGEST`].
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
/// How long an answer is waited for: one that takes longer would hardly say anything.
const PATIENCE: Duration = Duration::from_secs(8);
/// A server that could not be told is told again after this.
const AGAIN: Duration = Duration::from_secs(15);

/// Runs until cancelled.
pub async fn run(desk: Desk, platform: Platform, stop: CancellationToken) {
    let clock = desk.clock().clone();
    let (mut confirmations, mut pause, mut told) = (clock.confirmations(), PAUSE, None);
    let mut silent = Silence::default();
    while !stop.is_cancelled() {
        if !clock.is_confirmed() || clock.is_stale() {
            confirmations.mark_unchanged();
            let before = clock.answers();
            tokio::select! {
                () = platform.ask_time() => {}
                () = tokio::time::sleep(PATIENCE) => {}
                () = stop.cancelled() => return,
            }
            let answered = clock.answers() > before;
            silent.note(answered, clock.is_confirmed());
            if !clock.is_confirmed() || clock.is_stale() {
                // An answer that needs a second gets it soon.
                pause = if answered { PAUSE } else { pause };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    _ = confirmations.changed() => {}
                    () = stop.cancelled() => return,
                }
                pause = (pause * 2).min(LONGEST);
                continue;
            }
        }
        (pause, silent) = (PAUSE, Silence::default());
        // Servers set up since are told as well, ten minutes later at most.
        let off = off(&clock);
        let all = (told == Some(0) && off == 0) || tell(&desk, clock.ahead_ms()).await;
        told = all.then_some(off);
        rest(&clock, if all { None } else { Some(AGAIN) }, &stop).await;
    }
}

/// What is said of an unconfirmed time: once when it begins to last, then now and then.
#[derive(Debug, Default)]
struct Silence {
    asked: u32,
}

impl Silence {
    fn note(&mut self, answered: bool, confirmed: bool) {
        self.asked += 1;
        if confirmed || !(self.asked == 4 || self.asked.is_multiple_of(60)) {
            return;
        }
        if answered {
            tracing::error!("time not confirmed by Discord's answers, sending is paused");
        } else {
            tracing::error!("no answer from Discord, time not confirmed, sending is paused");
        }
    }
}

/// How far the machine's clock is off, as coarsely as it is worth telling: begun minutes; 0 is right.
fn off(clock: &Clock) -> i64 {
    let ms = clock.ahead_ms();
    ms.signum() * (ms.abs() + 59_999) / 60_000
}

/// Until the time is doubtful, was long not confirmed, or is off by other minutes than before; at most so long.
async fn rest(clock: &Clock, most: Option<Duration>, stop: &CancellationToken) {
    let (mut confirmations, alone, ahead) = (clock.confirmations(), Notify::new(), off(clock));
    let over = tokio::time::sleep(most.unwrap_or(Duration::MAX));
    tokio::pin!(over);
    while clock.is_confirmed() && !clock.is_stale() && off(clock) == ahead {
        tokio::select! {
            () = clock.wait(None, &alone) => {}
            _ = confirmations.changed() => {}
            () = &mut over => return,
            () = stop.cancelled() => return,
        }
    }
}

/// Every server learns how far the machine's clock is off; whether that is worth a word is its own decision.
async fn tell(desk: &Desk, ahead_ms: i64) -> bool {
    let servers = match desk.store().servers().await {
        Ok(servers) => servers,
        Err(fault) => {
            tracing::error!(error = &fault as &dyn std::error::Error, "cannot read the list of servers");
            return false;
        }
    };
    let mut all = true;
    for server in servers {
        let command = WorkspaceCommand::Clock { ahead_ms };
        let ask = Ask::Workspace { server: server.clone(), actor: Actor::Clock, command, template: None };
        if let Err(fault) = desk.ask(ask).await {
            tracing::error!(%server, error = &fault as &dyn std::error::Error, "clock check not recorded for server");
            all = false;
        }
    }
    all
}
