//! Which alerts a release has, and which wait for somebody.

use jiff::{SignedDuration, Timestamp};

use super::{Alert, Signal};
use crate::domain::release::{Release, Run};

/// Within this long after a ping the next alert pings nobody: on-call is here already.
const PINGED: SignedDuration = SignedDuration::from_secs(60);

/// The release's alerts: those of its run, or before go those that stand against it.
pub fn of(release: &Release) -> &[Alert] {
    release.phase.run().map_or(&release.ahead, |run| &run.alerts)
}

/// Whether the release has this alert open, whenever it started.
pub fn has_open(release: &Release, id: &str) -> bool {
    let own = of(release).iter().any(|alert| alert.is_open() && alert.id() == id);
    let more = release.ahead_more.is_open(id);
    own || more
        || release.phase.run().is_some_and(|run| run.crowd.is_open(id) || run.elsewhere.iter().any(|e| e.key == id))
}

/// Open alerts that nobody has acknowledged.
pub fn unheard(release: &Release) -> impl Iterator<Item = &Alert> {
    of(release).iter().filter(|alert| alert.counts() && alert.acked.is_none())
}

/// How many alerts of the run are open, those without a message of their own among them.
pub fn open_count(run: &Run) -> usize {
    run.alerts.iter().filter(|alert| alert.counts()).count() + run.crowd.open_count()
}

/// Whether an alert that was set aside at go has started again since: its end was not heard of.
pub(super) fn started_since(release: &Release, known: &Alert, signal: &Signal) -> bool {
    known.pre_existing && release.phase.run().is_some_and(|run| signal.starts_at >= run.go_at)
}

/// Whether an alert pinged somebody just now.
pub(in crate::domain) fn pinged_lately(release: &Release, now: Timestamp) -> bool {
    let lately = |at: Timestamp| now < at + PINGED;
    let crowd = release.phase.run().and_then(|run| run.crowd.pinged);
    of(release).iter().any(|alert| alert.pinged && lately(alert.heard)) || crowd.is_some_and(lately)
}

/// Alerts nobody has acknowledged: since when, and how often that was said.
pub(super) fn waiting(release: &Release) -> Option<(Timestamp, u8)> {
    let run = release.phase.run()?;
    let posted = unheard(release).filter(|alert| alert.posted && alert.again.is_none()).map(|alert| alert.heard);
    let since = posted.chain(run.crowd.waits_since()).min()?;
    Some((since, run.alert_reminders))
}

pub(super) fn reminder_key(release: &Release) -> Option<String> {
    let run = release.phase.run()?;
    (run.alert_reminders > 0).then(|| format!("alerts-unheard/{}/{}", run.alert_rounds, run.alert_reminders))
}

/// Open alerts with messages of their own; more share one.
const MOST_OPEN: usize = 8;
/// New messages of alerts within a minute; more share one.
const MOST_NEW: usize = 5;
const NEW: SignedDuration = SignedDuration::from_secs(60);
/// Alerts of one body that still get messages of their own.
const MOST_IN_A_GROUP: usize = 4;

/// Whether a new alert gets no message of its own.
pub(in crate::domain) fn joins(release: &Release, signal: &Signal, now: Timestamp) -> bool {
    let own = || of(release).iter().filter(|alert| alert.posted && !alert.pre_existing);
    let new = own().filter(|alert| now < alert.heard + NEW).count();
    let open = own().filter(|alert| alert.is_open()).count();
    signal.group > MOST_IN_A_GROUP || open >= MOST_OPEN || new >= MOST_NEW
}
