//! The journal as lines people read.

use jiff::Timestamp;

use super::words::{self, in_zone};
use super::{
    alert, closing, concern, decision, delivery, freeze, ladder, plan, rights, rollback, signoff, stage, updates,
};
use crate::domain::event::{Event, Recorded};
use crate::domain::release::Release;

/// What a timeline may be narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Sign-offs, concerns, go and what else people decided.
    Decisions,
    /// The plan's revisions, people and schedule.
    Plan,
    /// Alerts, triggers, values.
    Signals,
    /// Notices, receipts, and messages that got stuck.
    Messages,
    /// Who was refused something, and who passed the roles.
    Rights,
}

impl About {
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Decisions, "Decisions and sign-offs", "decisions"),
        (Self::Plan, "The plan and its schedule", "plan"),
        (Self::Signals, "Alerts and values", "signals"),
        (Self::Messages, "Messages and receipts", "messages"),
        (Self::Rights, "Refusals and overrides", "rights"),
    ];

    /// Label and value of each.
    pub fn choices() -> [(&'static str, &'static str); 5] {
        Self::ALL.map(|(_, label, slug)| (label, slug))
    }

    /// The one behind a value.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, _, known)| *known == slug).map(|(about, _, _)| *about)
    }

    /// Whether an event is of the kind.
    pub fn holds(self, event: &Event) -> bool {
        let about = match event {
            Event::Signoff(_)
            | Event::Concern(_)
            | Event::Stage(_)
            | Event::Point(_)
            | Event::Rollback(_)
            | Event::Closing(_)
            | Event::Freeze(_) => Self::Decisions,
            Event::Plan(_) => Self::Plan,
            Event::Alert(_) | Event::Update(_) => Self::Signals,
            Event::Notice(_) | Event::Delivery(_) => Self::Messages,
            Event::Rights(_) => Self::Rights,
        };
        self == about
    }
}

/// One line: T-label, instant in the plan's zone, who, what.
pub fn line(release: &Release, recorded: &Recorded) -> String {
    let label = release.label_at(recorded.at).unwrap_or_else(|| "draft".to_owned());
    let when: Timestamp = recorded.at;
    // One entry, one line, whatever somebody wrote.
    words::one_line(&format!(
        "{} · {} · {}: {}",
        label,
        in_zone(when, release.plan.zone()),
        recorded.by,
        what(release, &recorded.event)
    ))
}

fn what(release: &Release, event: &Event) -> String {
    match event {
        Event::Plan(event) => plan::entry(event),
        Event::Signoff(event) => signoff::entry(event, release),
        Event::Rights(event) => rights::entry(event),
        Event::Concern(event) => concern::entry(event),
        Event::Notice(event) => ladder::entry(event),
        Event::Delivery(event) => delivery::entry(event),
        Event::Stage(event) => stage::entry(event),
        Event::Update(event) => updates::entry(event),
        Event::Point(event) => decision::entry(event),
        Event::Alert(event) => alert::entry(event, release),
        Event::Rollback(event) => rollback::entry(event),
        Event::Freeze(event) => freeze::entry(event),
        Event::Closing(event) => closing::entry(event, release),
    }
}
