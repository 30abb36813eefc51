//! Alerts of a planned release. Each stands against go until somebody acknowledges it; the first are kept with all their words,
//! more of them as a number, and every one is on the record.

use jiff::SignedDuration;

use super::event::AlertEvent;
use super::{MAX_ALERTS, Signal, rules};
use crate::domain::release::Release;
use crate::domain::work::Work;

/// Alerts kept with all their words; the oldest that ended make room.
const MOST: usize = 40;
/// More of them are kept as numbers.
const MOST_COUNTED: usize = 1_000;
/// How long before T-0 alerts of a planned release get messages of their own.
const CLOSE: SignedDuration = SignedDuration::from_hours(24);

/// Before go it is shown at every notice; from a day before T-0 on the first few have messages of their own, which ping nobody.
pub(in crate::domain) fn fired(work: &mut Work<'_>, signal: &Signal) {
    let open = work.release.ahead.iter().filter(|alert| alert.is_open()).count();
    if open >= MOST || work.release.ahead_more.is_open(&signal.id()) {
        return count(work, signal);
    }
    let close = open < MAX_ALERTS && work.release.plan.t0_at().is_some_and(|t0| work.ctx.now >= t0 - CLOSE);
    let key = rules::record_fired(work, signal, false, close, false);
    if close {
        rules::post(work, &key, Vec::new());
    }
}

/// One more alert before go: it is on the record, and counts against go.
fn count(work: &mut Work<'_>, signal: &Signal) {
    let more = &work.release.ahead_more;
    if more.open_count() < MOST_COUNTED && !more.is_open(&signal.id()) {
        let (name, severity) = (signal.name.clone(), signal.severity.clone());
        work.record(AlertEvent::AheadCounted { id: signal.id(), name, severity });
    }
}

/// A counted alert ended, in any phase of the release.
pub(in crate::domain) fn ended(work: &mut Work<'_>, signal: &Signal) {
    if work.release.ahead_more.is_open(&signal.id()) {
        work.record(AlertEvent::AheadEnded { id: signal.id() });
    }
}

pub(in crate::domain) fn evolve(release: &mut Release, event: &AlertEvent) {
    release.ahead_more.evolve(event);
    if release.ahead.len() >= MOST
        && matches!(event, AlertEvent::Fired { .. })
        && let Some(oldest) = release.ahead.iter().position(|alert| !alert.is_open())
    {
        release.ahead.remove(oldest);
    }
}
