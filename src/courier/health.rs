//! What the courier knows of itself and of the platform: for readiness, for metrics, and to stop in time. It must not send.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Refusals within [`WINDOW`] beyond which only urgent posts are sent. Discord bans an address at 10,000 answers of 401, 403
/// or 429 in ten minutes.
const MAX_REFUSED: usize = 50;
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// When two messages with one marker are first looked for: later than an accepted request may take effect.
const FIRST_SWEEP: SignedDuration = SignedDuration::from_mins(20);

/// The courier's state of health.
#[derive(Debug, Default)]
pub struct Health {
    under_way: AtomicUsize,
    sent: AtomicU64,
    /// The latest refusals, one more than are allowed at most.
    refused: Mutex<VecDeque<Timestamp>>,
    next_sweep: Mutex<Option<Timestamp>>,
}

impl Health {
    /// Posts sent since the start.
    pub fn posts_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Deliveries under way.
    pub fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Acquire)
    }

    pub(super) fn set_under_way(&self, n: usize) {
        self.under_way.store(n, Ordering::Release);
    }

    pub(super) fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a refusal; `true` if this one is too many.
    pub(super) fn refused(&self, now: Timestamp) -> bool {
        let before = self.tripped(now).is_some();
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.push_back(now);
        if refused.len() > MAX_REFUSED + 1 {
            refused.pop_front();
        }
        drop(refused);
        !before && self.tripped(now).is_some()
    }

    /// Until when nothing but urgent posts is sent, if refusals were too many.
    pub(super) fn tripped(&self, now: Timestamp) -> Option<Timestamp> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = refused.front().filter(|_| refused.len() > MAX_REFUSED)?;
        Some(*oldest + WINDOW).filter(|until| *until > now && *oldest <= now)
    }

    /// Whether a sweep is due; then it counts as done. The first is due [`FIRST_SWEEP`] after the start, so that a service that
    /// starts anew every day is swept too.
    pub(super) fn sweep_due(&self, now: Timestamp, every: SignedDuration) -> bool {
        let mut next = self.next_sweep.lock().unwrap_or_else(PoisonError::into_inner);
        let due = next.is_some_and(|at| at <= now);
        if due || next.is_none() {
            *next = Some(now + if due { every } else { FIRST_SWEEP });
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_breaker_opens_after_fifty_refusals_and_closes_by_itself() {
        let health = Health::default();
        let at = |s: i64| Timestamp::from_second(1_000_000 + s).unwrap();
        for n in 0..50 {
            assert!(!health.refused(at(n)), "{n}");
        }
        assert_eq!(health.tripped(at(50)), None);
        assert!(health.refused(at(50)), "the fifty-first");
        assert!(!health.refused(at(51)), "said once");
        assert_eq!(health.tripped(at(52)), Some(at(1) + WINDOW));
        assert_eq!(health.tripped(at(1) + WINDOW), None, "fifty in ten minutes are allowed again");
    }
}
