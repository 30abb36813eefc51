//! The only reader of the wall clock. Everything else is handed a time or a [`Clock`].

use std::time::Duration;

use chat_sandbox::SimClock;
use jiff::Timestamp;
use tokio::sync::Notify;

/// Where the present comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A sandbox's clock, moved by hand.
    Sandbox(SimClock),
}

/// The longest sleep: the wall clock is looked at again at least this often (suspend, clock steps).
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

impl Clock {
    /// The present instant, in whole milliseconds.
    pub fn now(&self) -> Timestamp {
        let ms = match self {
            Self::System => chat_sandbox::wall_ms(),
            Self::Sandbox(clock) => clock.now_ms(),
        };
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Waits until `at`, a nudge, a jump of a sandbox's clock or one second, whichever is first. Callers look again.
    pub async fn wait(&self, at: Option<Timestamp>, nudge: &Notify) {
        let ahead = at.map_or(LONGEST_SLEEP, |at| {
            let ms = at.as_millisecond().saturating_sub(self.now().as_millisecond()).max(0);
            Duration::from_millis(ms.unsigned_abs()).min(LONGEST_SLEEP)
        });
        match self {
            Self::System => {
                tokio::select! {
                    () = nudge.notified() => {}
                    () = tokio::time::sleep(ahead) => {}
                }
            }
            Self::Sandbox(clock) => {
                let mut jumps = clock.jumps();
                tokio::select! {
                    () = nudge.notified() => {}
                    _ = jumps.changed() => {}
                    () = tokio::time::sleep(ahead) => {}
                }
            }
        }
    }
}
