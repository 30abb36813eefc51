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

/// Alerts kept with all their words; the oldest that ended make room.
const MOST: usize = 40;
/// More of them are kept as numbers.
const MOST_COUNTED: usize = 1_000;
/// How long before T-0 alerts of a planned release get messages of their own.
const CLOSE: SignedDuration = SignedDuration::from_hours(24);

/// Before go it is shown at every notice; from a day before T-0 on the first few have messages of their own, which ping nobody.
pub(super) fn fired(work: &mut Work<'_>, signal: &Signal) {
    let open = work.release.ahead.iter().filter(|alert| alert.is_open()).count();
    if open >= MOST || work.release.ahead_more.is_open(&signal.id()) {
        return count(work, signal);
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

    /// How many fire.
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// How many stand against go.
    pub fn unheard(&self) -> usize {
        if self.unheard { self.open.len() } else { 0 }
    }

    fn evolve(&mut self, event: &AlertEvent) {
        match event {
            AlertEvent::AheadCounted { id, .. } => {
                self.open.insert(crowd::hashed(id));
                self.unheard = true;
            }
            AlertEvent::AheadEnded { id } => drop(self.open.remove(&crowd::hashed(id))),
            AlertEvent::AheadAcknowledged => self.unheard = false,
            _ => {}
        }
    }
}

/// One more alert before go: it is on the record, and counts against go.
fn count(work: &mut Work<'_>, signal: &Signal) {
    let more = &work.release.ahead_more;
    if more.open.len() < MOST_COUNTED && !more.is_open(&signal.id()) {
        let (name, severity) = (signal.name.clone(), signal.severity.clone());
        work.record(AlertEvent::AheadCounted { id: signal.id(), name, severity });
    }
}

/// A counted alert ended, in any phase of the release.
pub(super) fn ended(work: &mut Work<'_>, signal: &Signal) {
    if work.release.ahead_more.is_open(&signal.id()) {
        work.record(AlertEvent::AheadEnded { id: signal.id() });
    }
}

pub(super) fn evolve(release: &mut Release, event: &AlertEvent) {
    release.ahead_more.evolve(event);
    if release.ahead.len() >= MOST
        && matches!(event, AlertEvent::Fired { .. })
        && let Some(oldest) = release.ahead.iter().position(|alert| !alert.is_open())
    {
        release.ahead.remove(oldest);
    }
}
