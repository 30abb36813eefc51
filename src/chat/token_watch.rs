//! Asks the platform about a doubted token, and rereads its file.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::chat::Platform;
use crate::chat::token::{Standing, Token};
use crate::sending::SendFault;

/// Between two questions: so long at first, twice as long after each, at most [`LONGEST`].
const PAUSE: Duration = Duration::from_millis(500);

const LONGEST: Duration = Duration::from_secs(60);

/// Asks the platform whenever the token is in doubt, until it is good. `nudge` wakes the courier.
pub async fn watch(token: Token, platform: Platform, nudge: Arc<Notify>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = token.until(false) => {}
            () = stop.cancelled() => return,
        }
        let mut pause = PAUSE;
        while token.standing() != Standing::Good {
            token.reread();
            let answer = tokio::select! {
                answer = platform.confirm_token() => answer,
                () = stop.cancelled() => return,
            };
            match answer {
                Ok(()) => {
                    if token.set(Standing::Good) == Standing::Dead {
                        tracing::info!("token accepted again, sending goes on");
                    }
                    nudge.notify_one();
                }
                Err(SendFault::TokenDead) => {
                    if token.set(Standing::Dead) != Standing::Dead {
                        tracing::error!("token rejected, nothing is sent until it is valid again");
                    }
                }
                Err(fault) => tracing::warn!(%fault, "token not confirmed"),
            }
            if token.standing() != Standing::Good {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = stop.cancelled() => return,
                }
                pause = (pause * 2).min(LONGEST);
            }
        }
    }
}
