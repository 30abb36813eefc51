//! The sandbox's clock: stands still, or runs from a chosen instant at real pace. Protocol timers (heartbeats, the three
//! seconds) stay on real time; message times, the nonce window and `Date` headers follow this clock.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Instant, SystemTime};

use tokio::sync::watch;

/// A settable clock in milliseconds of Unix time. Clones share it.
#[derive(Debug, Clone)]
pub struct SimClock {
    state: Arc<Mutex<State>>,
    changed: Arc<watch::Sender<i64>>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    base_ms: i64,
    running_since: Option<Instant>,
}

impl SimClock {
    /// A clock that stands still at `at_ms`.
    pub fn frozen(at_ms: i64) -> Self {
        Self::new(State { base_ms: at_ms, running_since: None })
    }

    /// A clock that runs from `at_ms` at real pace.
    pub fn running(at_ms: i64) -> Self {
        Self::new(State { base_ms: at_ms, running_since: Some(now_instant()) })
    }

    fn new(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)), changed: Arc::new(watch::channel(state.base_ms).0) }
    }

    /// The present instant.
    pub fn now_ms(&self) -> i64 {
        let state = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let ran = state.running_since.map_or(0, |since| i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX));
        state.base_ms.saturating_add(ran)
    }

    /// Moves to `at_ms`; never backwards.
    pub fn move_to(&self, at_ms: i64) {
        let now = self.now_ms();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.base_ms = at_ms.max(now);
        state.running_since = state.running_since.map(|_| now_instant());
        let at = state.base_ms;
        drop(state);
        self.changed.send_replace(at);
    }

    /// Sets the instant, backwards as well: for a fresh world whose bot is away.
    pub fn set(&self, at_ms: i64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.base_ms = at_ms;
        state.running_since = state.running_since.map(|_| now_instant());
        drop(state);
        self.changed.send_replace(at_ms);
    }

    /// Lets it run at real pace, or stand still, from the present instant on.
    pub fn set_running(&self, running: bool) {
        let now = self.now_ms();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { base_ms: now, running_since: running.then(now_instant) };
        drop(state);
        self.changed.send_replace(now);
    }

    /// Whether it runs by itself.
    pub fn is_running(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).running_since.is_some()
    }

    /// Told at every jump.
    pub fn jumps(&self) -> watch::Receiver<i64> {
        self.changed.subscribe()
    }
}

/// How long somebody waits for something, in real time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience(Instant);

impl Patience {
    /// From now on, so long.
    pub(crate) fn of(length: std::time::Duration) -> Self {
        Self(now_instant() + length)
    }

    pub(crate) fn is_over(self) -> bool {
        now_instant() > self.0
    }
}

#[expect(clippy::disallowed_methods, reason = "the sandbox's clock is the one place that measures real time")]
fn now_instant() -> Instant {
    Instant::now()
}

/// Milliseconds of the machine's monotonic clock since this was first asked. On Linux and macOS it stands still while the
/// machine is suspended.
pub fn ran_ms() -> i64 {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let begun = *BEGUN.get_or_init(now_instant);
    i64::try_from(now_instant().duration_since(begun).as_millis()).unwrap_or(i64::MAX)
}

/// The machine's wall clock in milliseconds.
#[expect(clippy::disallowed_methods, reason = "the sandbox's clock is the one place that reads the wall clock")]
pub fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
