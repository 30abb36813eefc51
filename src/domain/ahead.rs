//! Topic: alerts of a planned release. Each stands against go until somebody acknowledges it; the first are kept with all their words,
//! more of them as a number, and every one is on the record.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::alert;
use super::command::Signal;
use super::crowd;
use super::decide::Work;
use super::event::AlertEvent;
use super::release::Release;

/// Open alerts kept with all their words.
const MOST: usize = 200;
/// How long before T-0 alerts of a planned release get messages of their own.
const CLOSE: SignedDuration = SignedDuration::from_hours(24);

/// Before go it is shown at every notice; from a day before T-0 on the first few have messages of their own, which ping nobody.
pub(super) fn fired(work: &mut Work<'_>, signal: &Signal) {
    let open = work.release.ahead.iter().filter(|alert| alert.is_open()).count();
    if open >= MOST {
        return relay(work, signal);
    }
    let close = open < alert::MAX_ALERTS && work.release.plan.t0_at().is_some_and(|t0| work.ctx.now >= t0 - CLOSE);
    let key = alert::record_fired(work, signal, false, close, false);
    if close {
        alert::post(work, &key, Vec::new());
    }
}

/// Alerts before go beyond those that are kept with all their words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    open: BTreeSet<u64>,
    /// Nobody has acknowledged them.
    unheard: bool,
}

impl Ahead {
    /// Whether one of them fires.
    pub fn is_open(&self, id: &str) -> bool {
        self.open.contains(&crowd::hashed(id))
    }

    /// How many stand against go.
    pub fn unheard(&self) -> usize {
        if self.unheard { self.open.len() } else { 0 }
    }

    fn evolve(&mut self, event: &AlertEvent) {
        match event {
            AlertEvent::AheadCounted { id, .. } if self.open.len() < crowd::MOST_KEPT => {
                self.open.insert(crowd::hashed(id));
                self.unheard = true;
            }
            AlertEvent::AheadEnded { id } => drop(self.open.remove(&crowd::hashed(id))),
            AlertEvent::AheadAcknowledged => self.unheard = false,
            _ => {}
        }
    }
}

/// One more alert before go, or the end of one: it is on the record, and counts against go.
pub(super) fn relay(work: &mut Work<'_>, signal: &Signal) {
    let (id, name, severity) = (signal.id(), signal.name.clone(), signal.severity.clone());
    match (signal.firing, work.release.ahead_more.is_open(&id)) {
        (true, false) => work.record(AlertEvent::AheadCounted { id, name, severity }),
        (false, true) => work.record(AlertEvent::AheadEnded { id }),
        _ => {}
    }
}

pub(super) fn evolve(release: &mut Release, event: &AlertEvent) {
    release.ahead_more.evolve(event);
}
