//! What comes after its time, and why. It must not know what it is that comes late.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Later than this it is late, and says so.
const LATE_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// A time in which T-Minus did not run, as far as anybody knows: from its last sign of life to the instant it was back. It may
/// have run for the first minutes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Something that comes after its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    /// When it should have come.
    pub due: Timestamp,
    /// How many whole minutes later it came.
    pub min: u32,
    /// The time away that lies between the two, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Away>,
    /// Its channel took no message meanwhile.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shut: bool,
}

impl Late {
    /// How late it is now; `None` for what comes within a minute of its time.
    pub fn of(due: Timestamp, now: Timestamp, away: Option<Away>) -> Option<Self> {
        let late = now.duration_since(due);
        (late > LATE_AFTER).then(|| Self {
            due,
            min: u32::try_from(late.as_mins()).unwrap_or(u32::MAX),
            away: away.filter(|away| away.to > due && away.from < now),
            shut: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_is_what_comes_more_than_a_minute_after_its_time_and_only_an_absence_in_between_explains_it() {
        let at = |s: i64| Timestamp::from_second(s).unwrap();
        let away = |from, to| Some(Away { from: at(from), to: at(to) });
        assert_eq!(Late::of(at(1_000), at(1_060), away(900, 1_060)), None);
        let late = Late::of(at(1_000), at(1_200), away(900, 1_190)).unwrap();
        assert_eq!((late.min, late.away), (3, away(900, 1_190)));
        assert_eq!(Late::of(at(1_000), at(1_200), away(500, 1_000)).unwrap().away, None, "it was back in time");
    }
}
