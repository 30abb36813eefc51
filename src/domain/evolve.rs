//! `evolve`: an event changes the release. This root only matches and delegates; replaying a journal through it gives the
//! state. It decides nothing and cannot fail: an event that does not fit the phase leaves the release as it is.

#![deny(clippy::wildcard_enum_match_arm, reason = "a new command, event or mark must break the root that delegates it")]

use super::event::{Event, Recorded};
use super::lifecycle::{self, PlanEvent};
use super::release::Release;
use super::{alert, closing, concern, decision, delivery, freeze, ladder, rights, rollback, signoff, stage, updates};

impl Release {
    /// The release a first event opens.
    pub fn opened(recorded: &Recorded) -> Option<Self> {
        if let Event::Plan(event @ PlanEvent::Imported { .. }) = &recorded.event {
            return lifecycle::evolve::opened(event, recorded.at);
        }
        None
    }

    /// Applies one event.
    pub fn evolve(&mut self, recorded: &Recorded) {
        let (at, by) = (recorded.at, &recorded.by);
        self.seq += 1;
        match &recorded.event {
            Event::Plan(event) => lifecycle::evolve::evolve(self, event, at, by),
            Event::Signoff(event) => signoff::evolve::evolve(self, event, at, by),
            Event::Notice(event) => ladder::rules::evolve(self, event, at, by),
            Event::Delivery(event) => delivery::rules::evolve(self, event),
            Event::Stage(event) => stage::evolve::evolve(self, event, at, by),
            Event::Update(event) => updates::rules::evolve(self, event, at, by),
            Event::Point(event) => decision::rules::evolve(self, event, at, by),
            Event::Alert(event) => alert::evolve::evolve(self, event, at, by),
            Event::Rollback(event) => rollback::rules::evolve(self, event, at, by),
            Event::Closing(event) => closing::rules::evolve(self, event, at, by),
            Event::Freeze(event) => freeze::rules::evolve(self, event, by),
            Event::Concern(event) => concern::rules::evolve(self, event, at, by),
            Event::Rights(event) => rights::rules::evolve(self, event, at, by),
        }
    }

    /// The state a journal leads to; `None` if it does not begin with an import.
    pub fn replay<'a>(journal: impl IntoIterator<Item = &'a Recorded>) -> Option<Self> {
        let mut journal = journal.into_iter();
        let mut release = Self::opened(journal.next()?)?;
        journal.for_each(|recorded| release.evolve(recorded));
        Some(release)
    }
}
