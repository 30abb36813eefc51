//! The pace of requests: evenly enough that no way of counting fifty a second refuses one, urgent ones first. It measures
//! protocol time; it must not know what is sent.
//!
//! Discord allows 50 requests a second and does not say how it counts (`performance.md` b): with 40 ms of jitter a window that
//! slides cannot safely take more than 48. Ten in any 208 ms is that rate, and an urgent request waits no longer than one such
//! span. A library's token bucket would allow fifty at once and more directly after.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// Requests in any [`SPAN`].
const GROUP: usize = 10;
const SPAN: Duration = Duration::from_millis(208);

/// Who goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// A person waits, or must decide.
    Urgent,
    /// A notice at its instant.
    Notice,
    Normal,
}

/// The gate every counted request passes.
#[derive(Debug, Default)]
pub struct Pace {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    /// The latest passes, at most [`GROUP`].
    passed: VecDeque<Instant>,
    /// Nothing passes before: the platform said that it is too much.
    held: Option<Instant>,
    waiting: BTreeSet<(Urgency, u64)>,
    tickets: u64,
}

impl Inner {
    /// When the next request may pass; `None` is now.
    fn free_at(&self, now: Instant) -> Option<Instant> {
        let oldest = self.passed.front().filter(|_| self.passed.len() >= GROUP);
        oldest.map(|oldest| *oldest + SPAN).into_iter().chain(self.held).max().filter(|at| *at > now)
    }

    fn pass(&mut self, now: Instant) {
        if self.passed.len() >= GROUP {
            self.passed.pop_front();
        }
        self.passed.push_back(now);
    }
}

/// A place in the queue; given up when it is dropped.
struct Ticket<'a> {
    pace: &'a Pace,
    place: (Urgency, u64),
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.pace.lock().waiting.remove(&self.place);
        self.pace.changed.notify_waiters();
    }
}

impl Pace {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing passes for so long.
    pub fn hold(&self, length: Duration) {
        let until = Instant::now() + length;
        let mut inner = self.lock();
        inner.held = Some(inner.held.map_or(until, |held| held.max(until)));
    }

    /// How long nothing passes yet.
    pub fn held(&self) -> Option<Duration> {
        let (held, now) = (self.lock().held, Instant::now());
        held.filter(|at| *at > now).map(|at| at - now)
    }

    /// Waits for its turn.
    pub async fn turn(&self, urgency: Urgency) {
        let ticket = {
            let mut inner = self.lock();
            inner.tickets += 1;
            let place = (urgency, inner.tickets);
            inner.waiting.insert(place);
            Ticket { pace: self, place }
        };
        loop {
            let changed = self.changed.notified();
            let wait = {
                let mut inner = self.lock();
                let now = Instant::now();
                match (inner.waiting.first() == Some(&ticket.place), inner.free_at(now)) {
                    (true, None) => {
                        inner.pass(now);
                        return;
                    }
                    (true, Some(at)) => Some(at),
                    (false, _) => None,
                }
            };
            match wait {
                Some(at) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(at) => {}
                        () = changed => {}
                    }
                }
                None => changed.await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_span_sees_more_than_its_share_and_the_urgent_go_first() {
        let pace = std::sync::Arc::new(Pace::default());
        let begin = Instant::now();
        let mut normal = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let pace = std::sync::Arc::clone(&pace);
            normal.spawn(async move {
                pace.turn(Urgency::Normal).await;
                Instant::now().duration_since(begin)
            });
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        pace.turn(Urgency::Urgent).await;
        let urgent = Instant::now().duration_since(begin);
        assert!(urgent <= Duration::from_millis(500) + SPAN, "{urgent:?}");
        let mut passed: Vec<Duration> = normal.join_all().await;
        passed.push(urgent);
        passed.sort();
        for window in passed.windows(GROUP + 1) {
            assert!(window[GROUP] - window[0] >= SPAN - Duration::from_millis(1), "{window:?}");
        }
        assert!(passed[100] <= Duration::from_millis(2_200), "a hundred in two seconds: {:?}", passed[100]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_holds_nobody_up() {
        let pace = std::sync::Arc::new(Pace::default());
        for _ in 0..GROUP {
            pace.turn(Urgency::Normal).await;
        }
        let gone = tokio::spawn({
            let pace = std::sync::Arc::clone(&pace);
            async move { pace.turn(Urgency::Urgent).await }
        });
        tokio::task::yield_now().await;
        gone.abort();
        let next = tokio::time::timeout(Duration::from_secs(1), pace.turn(Urgency::Normal)).await;
        assert!(next.is_ok(), "the queue goes on");
    }
}
