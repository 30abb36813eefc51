//! Discord's rate limits: a bucket per route and major parameter, one for the whole bot, and the headers that tell.
//! <https://discord.com/developers/docs/topics/rate-limits>

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// How much a bot may send.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Messages created per channel and five seconds; Discord's is about 5. Edits have a bucket of the same size.
    pub per_five_seconds: u32,
    /// Requests a second in all; interaction callbacks are exempt.
    pub global_per_second: u32,
}

impl Limits {
    /// As Discord has them.
    pub const DISCORD: Self = Self { per_five_seconds: 5, global_per_second: 50 };
    /// For playing without a person, where nobody waits.
    pub const WIDE: Self = Self { per_five_seconds: 1_000, global_per_second: 10_000 };
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

#[derive(Debug)]
pub(crate) struct Buckets {
    limits: Limits,
    by_name: HashMap<String, (u32, Instant)>,
    global: (u32, Instant),
    /// Answers of 401, 403 and 429: Discord bans an address at 10,000 in ten minutes.
    pub(crate) invalid: u64,
}

impl Buckets {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, by_name: HashMap::new(), global: (0, Instant::now()), invalid: 0 }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// Counts a request. `bucket` names a counted route with its major parameter.
    pub(crate) fn take(&mut self, bucket: Option<&str>, exempt: bool) -> Verdict {
        let now = Instant::now();
        if !exempt {
            if now.duration_since(self.global.1) >= Duration::from_secs(1) {
                self.global = (0, now);
            }
            if self.global.0 >= self.limits.global_per_second {
                let after = Duration::from_secs(1).saturating_sub(now.duration_since(self.global.1));
                return Verdict::Wait { after_s: after.as_secs_f64(), global: true };
            }
            self.global.0 += 1;
        }
        let Some(bucket) = bucket else { return Verdict::Free };
        let full = self.limits.per_five_seconds;
        if self.by_name.len() > 4_096 {
            self.by_name.retain(|_, (_, reset)| *reset > now);
        }
        let entry = self.by_name.entry(bucket.to_owned()).or_insert((full, now + PERIOD));
        if entry.1 <= now {
            *entry = (full, now + PERIOD);
        }
        let after_s = (entry.1 - now).as_secs_f64();
        if entry.0 == 0 {
            return Verdict::Wait { after_s, global: false };
        }
        entry.0 -= 1;
        Verdict::Pass { limit: full, left: entry.0, after_s }
    }
}
