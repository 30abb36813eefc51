//! `evolve`: an event changes the release. This root only matches and delegates; replaying a journal through it gives the
//! state. It decides nothing and cannot fail: an event that does not fit the phase leaves the release as it is.

#![deny(clippy::wildcard_enum_match_arm, reason = "a new command, event or mark must break the root that delegates it")]

use super::event::{Event, PlanEvent, Recorded};
use super::release::Release;
use super::{
    alert, closing, concern, decision, delivery, freeze, ladder, lifecycle, rights, rollback, signoff, stage, updates,
};

impl Release {
    /// The release a first event opens.
    pub fn opened(recorded: &Recorded) -> Option<Self> {
        if let Event::Plan(event @ PlanEvent::Imported { .. }) = &recorded.event {
            return lifecycle::opened(event, recorded.at);
        }
        None
    }

    /// Applies one event.
    pub fn evolve(&mut self, recorded: &Recorded) {
        let (at, by) = (recorded.at, &recorded.by);
        self.seq += 1;
        match &recorded.event {
            Event::Plan(event) => lifecycle::evolve(self, event, at, by),
            Event::Signoff(event) => signoff::evolve(self, event, at, by),
            Event::Notice(event) => ladder::evolve(self, event, at, by),
            Event::Delivery(event) => delivery::evolve(self, event),
            Event::Stage(event) => stage::evolve(self, event, at, by),
            Event::Update(event) => updates::evolve(self, event, at, by),
            Event::Point(event) => decision::evolve(self, event, at, by),
            Event::Alert(event) => alert::evolve(self, event, at, by),
            Event::Rollback(event) => rollback::evolve(self, event, at, by),
            Event::Closing(event) => closing::evolve(self, event, at, by),
            Event::Freeze(event) => freeze::evolve(self, event, by),
            Event::Concern(event) => concern::evolve(self, event, at, by),
            Event::Rights(event) => rights::evolve(self, event, at, by),
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
