//! Discord's rate limits: a bucket per route and major parameter, one for the whole bot, and the headers that tell.
//! <https://discord.com/developers/docs/topics/rate-limits>

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// How much a bot may send, and what lies between it and the server.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Messages created per channel and five seconds; Discord's is about 5. Edits have a bucket of the same size.
    pub per_five_seconds: u32,
    /// Requests a second in all; interaction callbacks are exempt.
    pub global_per_second: u32,
    pub counting: Counting,
    pub way: Way,
}

/// How requests are counted. Discord does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Counting {
    /// A window opens with its first request.
    #[default]
    Fixed,
    /// The time before each request is looked at.
    Sliding,
    /// A bucket that drains evenly.
    Leaky,
}

/// The network between: so many milliseconds each way, and up to so many more on the way in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Way {
    pub each_ms: u64,
    pub jitter_ms: u64,
}

impl Limits {
    /// As Discord has them.
    pub const DISCORD: Self = Self {
        per_five_seconds: 5,
        global_per_second: 50,
        counting: Counting::Fixed,
        way: Way { each_ms: 0, jitter_ms: 0 },
    };
    /// For playing without a person, where nobody waits.
    pub const WIDE: Self = Self { per_five_seconds: 1_000, global_per_second: 10_000, ..Self::DISCORD };
}

/// What a request's buckets say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Verdict {
    /// No bucket counts this route.
    Free,
    Pass {
        limit: u32,
        left: u32,
        after_s: f64,
    },
    Wait {
        after_s: f64,
        global: bool,
    },
}

const PERIOD: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);

/// So many in a period, counted one way.
#[derive(Debug)]
struct Count {
    full: u32,
    period: Duration,
    counting: Counting,
    /// Fixed: used since `since`. Leaky: the level at `since`.
    used: f64,
    since: Instant,
    /// Sliding: what passed within the period.
    passed: VecDeque<Instant>,
}

impl Count {
    fn new(full: u32, period: Duration, counting: Counting, now: Instant) -> Self {
        Self { full, period, counting, used: 0.0, since: now, passed: VecDeque::new() }
    }

    /// Counts a request, or says how long until one passes.
    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let full = f64::from(self.full);
        match self.counting {
            Counting::Fixed => {
                if now.duration_since(self.since) >= self.period {
                    (self.used, self.since) = (0.0, now);
                }
                if self.used >= full {
                    return Err(self.period.saturating_sub(now.duration_since(self.since)));
                }
                self.used += 1.0;
            }
            Counting::Sliding => {
                while self.passed.front().is_some_and(|at| now.duration_since(*at) >= self.period) {
                    self.passed.pop_front();
                }
                if let Some(oldest) = self.passed.front().filter(|_| self.passed.len() >= self.full as usize) {
                    return Err(self.period.saturating_sub(now.duration_since(*oldest)));
                }
                self.passed.push_back(now);
            }
            Counting::Leaky => {
                let rate = full / self.period.as_secs_f64();
                self.used = (self.used - now.duration_since(self.since).as_secs_f64() * rate).max(0.0);
                self.since = now;
                if self.used + 1.0 > full {
                    return Err(Duration::from_secs_f64((self.used + 1.0 - full) / rate));
                }
                self.used += 1.0;
            }
        }
        Ok(())
    }

    /// What is left, and after how long all of it is free again.
    fn left(&self, now: Instant) -> (u32, Duration) {
        match self.counting {
            Counting::Fixed => {
                let reset = self.period.saturating_sub(now.duration_since(self.since));
                (self.full.saturating_sub(whole(self.used)), reset)
            }
            Counting::Sliding => {
                let newest = self.passed.back().map_or(Duration::ZERO, |at| now.duration_since(*at));
                let used = u32::try_from(self.passed.len()).unwrap_or(u32::MAX);
                (self.full.saturating_sub(used), self.period.saturating_sub(newest))
            }
            Counting::Leaky => {
                let rate = f64::from(self.full) / self.period.as_secs_f64();
                (self.full.saturating_sub(whole(self.used.ceil())), Duration::from_secs_f64(self.used / rate))
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count, never negative")]
fn whole(used: f64) -> u32 {
    used as u32
}

#[derive(Debug)]
pub(crate) struct Buckets {
    limits: Limits,
    by_name: HashMap<String, Count>,
    global: Count,
    /// Answers of 401, 403 and 429: Discord bans an address at 10,000 in ten minutes.
    pub(crate) invalid: u64,
}

impl Buckets {
    pub(crate) fn new(limits: Limits) -> Self {
        let global = Count::new(limits.global_per_second, SECOND, limits.counting, Instant::now());
        Self { limits, by_name: HashMap::new(), global, invalid: 0 }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// Counts a request. `bucket` names a counted route with its major parameter.
    pub(crate) fn take(&mut self, bucket: Option<&str>, exempt: bool) -> Verdict {
        let now = Instant::now();
        if !exempt && let Err(after) = self.global.take(now) {
            return Verdict::Wait { after_s: after.as_secs_f64(), global: true };
        }
        let Some(bucket) = bucket else { return Verdict::Free };
        let full = self.limits.per_five_seconds;
        if self.by_name.len() > 4_096 {
            self.by_name.retain(|_, count| now.duration_since(count.since) < PERIOD || !count.passed.is_empty());
        }
        let counting = self.limits.counting;
        let count = self.by_name.entry(bucket.to_owned()).or_insert_with(|| Count::new(full, PERIOD, counting, now));
        if let Err(after) = count.take(now) {
            return Verdict::Wait { after_s: after.as_secs_f64(), global: false };
        }
        let (left, after) = count.left(now);
        Verdict::Pass { limit: full, left, after_s: after.as_secs_f64() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_way_of_counting_refuses_the_one_too_many() {
        for (counting, burst_after_half) in [(Counting::Fixed, 10), (Counting::Sliding, 10), (Counting::Leaky, 15)] {
            let begin = Instant::now();
            let mut count = Count::new(10, SECOND, counting, begin);
            let mut passed = (0..20).filter(|_| count.take(Instant::now()).is_ok()).count();
            assert_eq!(passed, 10, "{counting:?}: a full burst");
            tokio::time::advance(Duration::from_millis(500)).await;
            passed += (0..20).filter(|_| count.take(Instant::now()).is_ok()).count();
            assert_eq!(passed, burst_after_half, "{counting:?}: half a second later");
            tokio::time::advance(Duration::from_millis(1_000)).await;
            passed = (0..20).filter(|_| count.take(Instant::now()).is_ok()).count();
            assert_eq!(passed, 10, "{counting:?}: all free again");
        }
    }
}
