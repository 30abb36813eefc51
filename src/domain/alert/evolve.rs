//! What the events of alerts change.

use jiff::Timestamp;

use super::crowd::hashed;
use super::event::AlertEvent;
use super::{Alert, Elsewhere, MAX_ALERTS, ahead};
use crate::domain::closing::Issue;
use crate::domain::evidence;
use crate::domain::people::By;
use crate::domain::release::{Release, Run};

pub(in crate::domain) fn evolve(release: &mut Release, event: &AlertEvent, at: Timestamp, by: &By) {
    let before_go = release.phase.run().is_none();
    if matches!(event, AlertEvent::Fired { pre_existing: false, .. } | AlertEvent::Crowded { .. }) && !before_go {
        release.issues.insert(Issue::Alert);
    }
    ahead::evolve(release, event);
    if let Some(alerts) = alerts_mut(release) {
        evolve_alerts(alerts, event, at, by);
    }
    let Some(run) = release.phase.run_mut() else { return };
    match event {
        AlertEvent::Fired { .. } => forget_ended(run),
        AlertEvent::Elsewhere { id, name, no } => {
            run.elsewhere.push(Elsewhere { key: id.clone(), name: name.clone(), no: *no });
        }
        AlertEvent::ElsewhereOver { id } => run.elsewhere.retain(|elsewhere| elsewhere.key != *id),
        AlertEvent::Reminded => run.alert_reminders = run.alert_reminders.saturating_add(1),
        AlertEvent::AllHeard => (run.alert_reminders, run.alert_rounds) = (0, run.alert_rounds + 1),
        AlertEvent::Crowded { .. }
        | AlertEvent::CrowdRepeated { .. }
        | AlertEvent::CrowdEnded { .. }
        | AlertEvent::CrowdAcknowledged => run.crowd.evolve(event, at, by),
        _ => evidence::rules::evolve(run, event, at),
    }
}

fn alerts_mut(release: &mut Release) -> Option<&mut Vec<Alert>> {
    if release.phase.run().is_some() {
        return release.phase.run_mut().map(|run| &mut run.alerts);
    }
    Some(&mut release.ahead)
}

fn evolve_alerts(alerts: &mut Vec<Alert>, event: &AlertEvent, at: Timestamp, by: &By) {
    if let AlertEvent::Fired {
        key,
        name,
        summary,
        severity,
        metric,
        value,
        unread,
        no_data,
        starts_at,
        pre_existing,
        posted,
        pinged,
    } = event
    {
        alerts.push(Alert {
            key: key.clone(),
            name: name.clone(),
            summary: summary.clone(),
            severity: severity.clone(),
            metric: metric.clone(),
            value: *value,
            unread: unread.clone(),
            no_data: *no_data,
            first: *starts_at,
            last: at,
            heard: at,
            count: 1,
            resolved_at: None,
            again: None,
            returns: 0,
            acked: None,
            pre_existing: *pre_existing,
            posted: *posted,
            pinged: *pinged,
        });
        return;
    }
    let key = match event {
        AlertEvent::Repeated { key, .. }
        | AlertEvent::Resolved { key }
        | AlertEvent::Reopened { key }
        | AlertEvent::Returned { key }
        | AlertEvent::Acknowledged { key } => key,
        _ => return,
    };
    let Some(alert) = alerts.iter_mut().find(|alert| alert.key == *key) else { return };
    match event {
        AlertEvent::Repeated { value, unread, .. } => {
            alert.count = alert.count.saturating_add(1);
            alert.last = at;
            alert.value = value.or(alert.value.filter(|_| unread.is_none()));
            alert.unread.clone_from(unread);
        }
        AlertEvent::Resolved { .. } => (alert.resolved_at, alert.again) = (Some(at), None),
        AlertEvent::Reopened { .. } => {
            alert.count = alert.count.saturating_add(1);
            (alert.resolved_at, alert.last, alert.again) = (None, at, Some(at));
        }
        AlertEvent::Returned { .. } => {
            // Who acknowledged it did so for the time before.
            (alert.again, alert.acked, alert.heard) = (None, None, at);
            alert.returns = alert.returns.saturating_add(1);
            alert.pinged = true;
        }
        AlertEvent::Acknowledged { .. } => alert.acked = Some((by.to_string(), at)),
        _ => {}
    }
}

/// Of alerts with all their words only so many are kept; of the oldest that ended its start is kept here.
pub(in crate::domain) fn forget_ended(run: &mut Run) {
    while run.alerts.len() > MAX_ALERTS {
        let Some(oldest) = run.alerts.iter().position(|a| !a.is_open() || a.pre_existing) else { return };
        let gone = run.alerts.remove(oldest);
        let id = hashed(gone.key.rsplit_once('/').map_or(gone.key.as_str(), |(id, _)| id));
        run.crowd.remember(id, gone.first);
    }
}
