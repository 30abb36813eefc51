//! The only reader of the machine's clocks. Everything else is handed a time or a [`Clock`]. What it shows is the machine's
//! wall clock, corrected by what the chat platform says the time is; it knows no platform, it is told.

mod trust;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chat_sandbox::SimClock;
use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use self::trust::{Reading, Trust};

/// The longest sleep: the wall clock is looked at again at least this often (suspend, clock steps).
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Where the present comes from, and how far it is believed. Clones share both.
#[derive(Debug, Clone)]
pub struct Clock {
    source: Source,
    trust: Arc<Mutex<Trust>>,
    /// Whether the time is confirmed.
    confirmed: Arc<watch::Sender<bool>>,
    /// Answers with a date so far.
    answers: Arc<AtomicU64>,
}

#[derive(Debug, Clone)]
enum Source {
    System,
    Sandbox(SimClock, Machine),
}

/// How a simulated machine's clocks differ from the sandbox's. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    ahead: Arc<AtomicI64>,
    stood: Arc<AtomicI64>,
}

impl Machine {
    /// Sets how far its wall clock is ahead of the true time, in milliseconds; negative for behind.
    pub fn set_ahead(&self, ms: i64) {
        self.ahead.store(ms, Ordering::Relaxed);
    }

    /// Its monotonic clock stood still for so many milliseconds more, as in a suspended machine.
    pub fn stand(&self, ms: i64) {
        self.stood.fetch_add(ms, Ordering::Relaxed);
    }

    /// How far its wall clock is ahead of the true time, in milliseconds.
    pub fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }
}

/// The instant at which an answer was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked(Reading);

/// A stretch of time that ran without a jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Era {
    /// Counts the jumps since the process began.
    pub no: u64,
    /// Its first instant; before everything if there was no jump.
    pub since: Timestamp,
}

impl Source {
    fn read(&self) -> Reading {
        match self {
            Self::System => Reading { wall: chat_sandbox::wall_ms(), ran: chat_sandbox::ran_ms() },
            Self::Sandbox(clock, machine) => {
                let now = clock.now_ms();
                Reading { wall: now + machine.ahead(), ran: now - machine.stood.load(Ordering::Relaxed) }
            }
        }
    }
}

fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Clock {
    /// The machine's clock, not yet confirmed by anybody.
    pub fn system() -> Self {
        Self::new(Source::System)
    }

    /// A sandbox's clock, moved by hand, not yet confirmed.
    pub fn sandbox(clock: SimClock) -> Self {
        Self::machine(clock, Machine::default())
    }

    /// The clock of a simulated machine beside a sandbox, not yet confirmed.
    pub fn machine(clock: SimClock, machine: Machine) -> Self {
        Self::new(Source::Sandbox(clock, machine))
    }

    /// The same, believed without confirmation: where there is nobody to ask.
    #[cfg(test)]
    #[must_use]
    pub fn believed(self) -> Self {
        let reading = self.source.read();
        self.lock().believe(reading);
        self.confirmed.send_replace(true);
        self
    }

    fn new(source: Source) -> Self {
        Self { source, trust: Arc::default(), confirmed: Arc::new(watch::channel(false).0), answers: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Trust> {
        self.trust.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the machine's clocks under the lock, so that readings come in order.
    fn with<T>(&self, what: impl FnOnce(&mut Trust, Reading) -> T) -> T {
        let mut trust = self.lock();
        let done = what(&mut trust, self.source.read());
        let (confirmed, ahead_ms) = (trust.confirmed(), trust.ahead());
        let changed = self.confirmed.send_if_modified(|known| std::mem::replace(known, confirmed) != confirmed);
        drop(trust);
        match (changed, confirmed, ahead_ms) {
            (false, ..) => {}
            (true, false, _) => tracing::warn!(
                "time in doubt (clock was set, machine slept, or the platform's time differs), sending is paused"
            ),
            (true, true, 0) => tracing::info!("time confirmed"),
            (true, true, _) => tracing::warn!(ahead_ms, "machine clock is wrong, using the platform's time"),
        }
        done
    }

    /// The present instant, in whole milliseconds, as well as it is known. What fires by itself asks [`Clock::is_confirmed`]
    /// first.
    pub fn now(&self) -> Timestamp {
        instant(self.with(Trust::now))
    }

    /// Whether the present instant is known well enough to fire by.
    pub fn is_confirmed(&self) -> bool {
        self.with(|trust, reading| {
            trust.now(reading);
            trust.confirmed()
        })
    }

    /// Whether it has been confirmed so long ago that it is to be asked for again, though nothing speaks against it.
    pub fn is_stale(&self) -> bool {
        self.with(|trust, reading| trust.is_stale(reading))
    }

    /// How far the machine's wall clock was ahead when the time was last confirmed, in milliseconds; 0 where they agree within
    /// five seconds.
    pub fn ahead_ms(&self) -> i64 {
        self.lock().ahead()
    }

    /// The stretch of even time this is.
    pub fn era(&self) -> Era {
        let (no, since) = self.lock().era();
        Era { no, since: since.map_or(Timestamp::MIN, instant) }
    }

    /// Told whenever the time becomes confirmed or doubtful.
    pub fn confirmations(&self) -> watch::Receiver<bool> {
        self.confirmed.subscribe()
    }

    /// Waits until the time is confirmed; `false` if `stop` came first.
    pub async fn confirmed(&self, stop: &CancellationToken) -> bool {
        let mut confirmations = self.confirmations();
        while !self.is_confirmed() {
            tokio::select! {
                changed = confirmations.changed() => {
                    if changed.is_err() {
                        return false;
                    }
                }
                () = stop.cancelled() => return false,
            }
        }
        true
    }

    /// Before a request whose answer will bear a date.
    pub fn asking(&self) -> Asked {
        Asked(self.source.read())
    }

    /// The platform's answer bore this date, in whole seconds of Unix time. Only a platform's own transport may say so: whoever
    /// can speak here moves every notice.
    pub fn heard(&self, asked: Asked, date_s: i64) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.with(|trust, reading| {
            trust.now(reading);
            trust.heard(asked.0, reading, date_s);
        });
    }

    /// Answers with a date so far: whether a question was answered at all.
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Waits until `at`, a nudge, a jump of a sandbox's clock or one second, whichever is first. Callers look again.
    pub async fn wait(&self, at: Option<Timestamp>, nudge: &Notify) {
        let ahead = at.map_or(LONGEST_SLEEP, |at| {
            let ms = at.as_millisecond().saturating_sub(self.now().as_millisecond()).max(0);
            Duration::from_millis(ms.unsigned_abs()).min(LONGEST_SLEEP)
        });
        match &self.source {
            Source::System => {
                tokio::select! {
                    () = nudge.notified() => {}
                    () = tokio::time::sleep(ahead) => {}
                }
            }
            Source::Sandbox(clock, _) => {
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
