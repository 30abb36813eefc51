//! Refused credentials in the log: the first at once, then one line a minute and source with how many there were.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Stands for every name and kind that no source has.
pub(super) const NO_SOURCE: &str = "(none of this name and kind)";
const EVERY: Duration = Duration::from_secs(60);

/// When a source's refusals were logged last, and how many came since.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    by_source: Mutex<BTreeMap<String, (Instant, u64)>>,
}

impl Refusals {
    /// Counts a refusal. `source` is one the configuration names, or one name for all others.
    pub(super) fn count(&self, source: &str) {
        if let Some(refused) = self.due(source, Instant::now()) {
            tracing::warn!(source, refused, "webhook refused: no such source, a wrong credential or a stale timestamp");
        }
    }

    /// How many to log now, if it is time to.
    fn due(&self, source: &str, now: Instant) -> Option<u64> {
        let mut by_source = self.by_source.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((logged, since)) = by_source.get_mut(source) else {
            by_source.insert(source.to_owned(), (now, 0));
            return Some(1);
        };
        *since += 1;
        (now >= *logged + EVERY).then(|| {
            *logged = now;
            std::mem::take(since)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_a_minute_with_its_count() {
        let (refusals, begin) = (Refusals::default(), Instant::now());
        let lines: Vec<u64> =
            (0..600).filter_map(|n| refusals.due("alerts", begin + Duration::from_millis(n * 200))).collect();
        assert_eq!(lines, [1, 300], "two minutes, five a second");
        assert_eq!(refusals.due("other", begin), Some(1));
    }
}
