//! Topic: freeze windows, in which no release goes live without a recorded exception; and releases of one service that lie
//! close together. A freeze never stands against a rollback.

pub(in crate::domain) mod rules;
pub mod view;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::ReleaseNo;
use super::phase::PhaseName;
use super::recur::Rule;
use super::zone_of;

/// Lets the release through a freeze; the name may be left out where one stands against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreezeException {
    pub freeze: Option<String>,
    pub reason: String,
}

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreezeEvent {
    Excepted { freeze: String, until: Timestamp, reason: String },
}

/// The most freezes a workspace may have.
pub const MAX_FREEZES: usize = 25;

/// Firings looked at for one that begins a window: some weeks of a rule for every hour.
const MOST_INSIDE: usize = 1_000;

/// A time in which nothing goes live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// Unique within its workspace, at most 60 characters.
    pub name: String,
    pub window: Window,
    #[serde(default)]
    pub reason: Option<String>,
}

/// When a freeze holds: from its start on, up to but without its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    Fixed {
        from: Timestamp,
        until: Timestamp,
    },
    /// From each firing of one rule to the next of the other, on the clock of a zone.
    Recurring {
        from: Rule,
        until: Rule,
        zone: String,
    },
}

/// An exception from a freeze, for one release and up to the end of the window it was given for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    pub freeze: String,
    pub until: Timestamp,
    pub by: String,
    pub reason: String,
}

/// Another open release, as far as overlaps concern it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub no: ReleaseNo,
    pub title: String,
    pub t0: Option<Timestamp>,
    pub service: Option<String>,
    /// Live, and not all clear yet.
    pub running: bool,
}

impl Planned {
    /// Whether a release in a phase runs; one on hold does if go was given before.
    pub fn runs(phase: PhaseName, went: bool) -> bool {
        match phase {
            PhaseName::Live | PhaseName::Watching | PhaseName::RollingBack => true,
            PhaseName::Held => went,
            _ => false,
        }
    }
}

impl Freeze {
    /// The end of the window that holds at `at`, if one does.
    pub fn holds(&self, at: Timestamp) -> Option<Timestamp> {
        match &self.window {
            Window::Fixed { from, until } => (*from <= at && at < *until).then_some(*until),
            Window::Recurring { from, until, zone } => {
                let zone = zone_of(zone);
                let end = until.after(&zone, from.last(&zone, at)?).next()?;
                (at < end).then_some(end)
            }
        }
    }

    /// The next start after `after`. A firing inside a window, or at its very end, begins nothing.
    pub fn next_start(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.window {
            Window::Fixed { from, .. } => (*from > after).then_some(*from),
            Window::Recurring { from, zone, .. } => {
                let before = |start: Timestamp| start - SignedDuration::from_millis(1);
                from.after(&zone_of(zone), after).take(MOST_INSIDE).find(|start| self.holds(before(*start)).is_none())
            }
        }
    }
}

/// The freezes that hold at `at`, with their ends.
pub fn holding(freezes: &[Freeze], at: Timestamp) -> impl Iterator<Item = (&Freeze, Timestamp)> {
    freezes.iter().filter_map(move |freeze| Some((freeze, freeze.holds(at)?)))
}

/// The first instant from `at` on in which no freeze holds; `None` if none is found within some hundred windows.
pub fn opening(freezes: &[Freeze], at: Timestamp) -> Option<Timestamp> {
    let mut at = at;
    for _ in 0..200 {
        match holding(freezes, at).map(|(_, until)| until).max() {
            Some(until) => at = until,
            None => return Some(at),
        }
    }
    None
}

/// What is said to channels, without the words: each variant carries only what the release itself no longer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum FreezeNotice {
    /// A freeze this release may pass.
    Excepted { freeze: String, until: Timestamp, by: String, reason: String },
    /// Other releases of the same service near this one.
    Overlap { others: Vec<Planned> },
}

/// The answers to its commands.
#[derive(Debug, Clone, PartialEq)]
pub enum FreezeReply {
    Excepted { freeze: String, until: Timestamp },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn weekend() -> Freeze {
        let (from, until) = (Rule::parse("Fri 15:00").unwrap(), Rule::parse("Mon 08:00").unwrap());
        Freeze {
            name: "Weekend".to_owned(),
            window: Window::Recurring { from, until, zone: "Europe/Berlin".to_owned() },
            reason: None,
        }
    }

    fn fixed(from: &str, until: &str) -> Freeze {
        Freeze { name: "Fair".to_owned(), window: Window::Fixed { from: at(from), until: at(until) }, reason: None }
    }

    #[test]
    fn a_weekly_freeze_keeps_its_wall_clock_through_both_clock_changes() {
        // Berlin changes its clock on 28 March and 31 October 2027: the window is an hour shorter, and an hour longer.
        for (inside, last, end) in [
            ("2027-03-26T14:00:00Z", "2027-03-29T05:59:59Z", "2027-03-29T06:00:00Z"),
            ("2027-10-29T13:00:00Z", "2027-11-01T06:59:59Z", "2027-11-01T07:00:00Z"),
        ] {
            let freeze = weekend();
            assert_eq!(freeze.holds(at(inside)), Some(at(end)), "from its first instant");
            assert_eq!(freeze.holds(at(inside) - SignedDuration::from_secs(1)), None);
            assert_eq!(freeze.holds(at(last)), Some(at(end)));
            assert_eq!(freeze.holds(at(end)), None, "its end is outside");
        }
    }

    /// Found by review: a freeze for every evening that ends on Monday was believed to end each evening.
    #[test]
    fn a_window_with_several_starts_holds_to_its_end_and_begins_once() {
        let rule = |text: &str| Rule::parse(text).unwrap();
        let window = |from, until| Freeze {
            window: Window::Recurring { from: rule(from), until: rule(until), zone: "Europe/Berlin".to_owned() },
            ..weekend()
        };
        let evenings = window("Mon-Fri 18:00", "Mon 08:00");
        let (monday, end) = (at("2026-12-07T17:00:00Z"), at("2026-12-14T07:00:00Z"));
        assert_eq!(evenings.holds(monday), Some(end));
        assert_eq!(evenings.holds(at("2026-12-09T09:00:00Z")), Some(end), "Wednesday morning");
        assert_eq!(evenings.holds(at("2026-12-14T08:00:00Z")), None);
        assert_eq!(evenings.next_start(at("2026-12-04T12:00:00Z")), Some(monday), "Friday is inside");
        assert_eq!(evenings.next_start(monday), Some(at("2026-12-14T17:00:00Z")), "Tuesday is inside");
        // More ends than starts: the first counts.
        let nights = window("Fri 20:00", "daily 06:00");
        assert_eq!(nights.holds(at("2026-12-04T22:00:00Z")), Some(at("2026-12-05T05:00:00Z")));
        assert_eq!(nights.holds(at("2026-12-06T03:00:00Z")), None, "Sunday morning");
        // Once in four years.
        let leap = window("0 0 29 2 *", "0 0 1 3 *");
        assert_eq!(leap.holds(at("2028-02-29T12:00:00Z")), Some(at("2028-02-29T23:00:00Z")));
        assert_eq!(leap.holds(at("2027-06-01T12:00:00Z")), None);
    }

    /// By brute force: a window holds where some start has no end since.
    #[test]
    fn a_recurring_window_holds_where_a_start_has_no_end_since() {
        let rules = ["0 */5 * * *", "Mon-Fri 18:00", "Mon 08:00", "daily 02:30", "30 1 1,15 * *", "0 12 * * SAT,SUN"];
        let (zone, begin) = (zone_of("Europe/Berlin"), at("2027-03-20T00:00:00Z"));
        for from in rules {
            for until in rules {
                let (from, until) = (Rule::parse(from).unwrap(), Rule::parse(until).unwrap());
                let long_ago = begin - SignedDuration::from_hours(24 * 40);
                let within = |rule: &Rule| -> Vec<Timestamp> {
                    rule.after(&zone, long_ago)
                        .take_while(|at| *at < begin + SignedDuration::from_hours(24 * 40))
                        .collect()
                };
                let (starts, ends) = (within(&from), within(&until));
                let window = Window::Recurring { from, until, zone: "Europe/Berlin".to_owned() };
                let freeze = Freeze { window, ..weekend() };
                for n in 0..300 {
                    let at = begin + SignedDuration::from_mins(n * 97);
                    let started = starts.iter().rfind(|start| **start <= at).unwrap();
                    let end = ends.iter().find(|end| *end > started).copied();
                    assert_eq!(freeze.holds(at), end.filter(|end| *end > at), "{:?} at {at}", freeze.window);
                }
            }
        }
    }

    #[test]
    fn the_next_opening_lies_behind_every_freeze_that_touches() {
        let freezes = [weekend(), fixed("2026-12-07T06:00:00Z", "2026-12-09T23:00:00Z")];
        // Saturday: the fair begins before the weekend's end.
        assert_eq!(opening(&freezes, at("2026-12-05T12:00:00Z")), Some(at("2026-12-09T23:00:00Z")));
        assert_eq!(opening(&freezes, at("2026-12-10T12:00:00Z")), Some(at("2026-12-10T12:00:00Z")));
        let always = Freeze {
            window: Window::Recurring {
                from: Rule::parse("0 0 * * *").unwrap(),
                until: Rule::parse("0 0 * * *").unwrap(),
                zone: "UTC".to_owned(),
            },
            ..weekend()
        };
        assert_eq!(opening(&[always], at("2026-12-05T12:00:00Z")), None, "no opening is an answer too");
    }
}
