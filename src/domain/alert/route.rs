//! Which releases an alert concerns. An alert goes to the newest running release of its service, and the others say so; before go it
//! stands against the releases planned for its service; after the all-clear it is followed for the time the plan names.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AlertCommand, Signal, view};
use crate::domain::closing::view::monitored_until;
use crate::domain::command::Command;
use crate::domain::ids::{ReleaseId, ReleaseNo};
use crate::domain::release::{Phase, Release};

/// What an alert says of where it belongs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// A release's number, as typed.
    pub release: Option<String>,
    pub service: Option<String>,
}

/// An alert as it came in, with what says where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    pub labels: Labels,
    pub signal: Signal,
}

/// Why an alert concerns no release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stray {
    /// It cannot be read: why.
    Unreadable(String),
    /// No release of this server is open.
    NoneOpen,
    /// None is of its service, or is the one it names.
    NoMatch,
}

/// Whether an open release can be concerned: which of them are worth a closer look.
pub fn may_concern(labels: &Labels, no: ReleaseNo, service: Option<&str>) -> bool {
    names(labels, no) || labels.service.as_deref().is_none_or(|wanted| service.is_none_or(|own| same(own, wanted)))
}

fn names(labels: &Labels, no: ReleaseNo) -> bool {
    labels.release.as_deref().and_then(|typed| typed.parse::<ReleaseNo>().ok()) == Some(no)
}

fn same(a: &str, b: &str) -> bool {
    a.trim().eq_ignore_ascii_case(b.trim())
}

/// The commands an alert becomes, for the open releases it may concern.
///
/// # Errors
/// It concerns none of them.
pub fn commands<'r>(
    open: impl IntoIterator<Item = &'r Release>,
    labels: &Labels,
    signal: &Signal,
    now: Timestamp,
) -> Result<Vec<(ReleaseId, Command)>, Stray> {
    let open: Vec<&Release> = open.into_iter().filter(|release| takes(release, now)).collect();
    let id = signal.id();
    let holders = || open.iter().copied().filter(|release| view::has_open(release, &id));
    if !signal.firing {
        // Who never heard of it has nothing to hear of its end.
        return Ok(holders().flat_map(|release| [own(release, signal), over(release, signal)]).flatten().collect());
    }
    let matching = matching(&open, labels);
    let newest = newest_running(&matching);
    let mut commands = Vec::new();
    for release in &open {
        let by_label = names(labels, release.no);
        let matches = matching.iter().any(|other| other.id == release.id);
        let unlabelled = labels.release.is_none() && labels.service.is_none();
        let theirs = match &release.phase {
            _ if by_label => true,
            _ if view::of(release).iter().any(|alert| alert.is_open() && alert.key.starts_with(&id)) => true,
            _ if !matches => false,
            Phase::Gathering { .. } | Phase::Approved { .. } | Phase::HeldBefore { .. } => planned_for(release, labels),
            _ if release.running().is_some() => unlabelled || newest.is_some_and(|newest| newest.id == release.id),
            // What is over hears of it where nothing runs that it could mean.
            _ => newest.is_none() && newest_over(&matching).is_some_and(|newest| newest.id == release.id),
        };
        if theirs {
            commands.extend(own(release, signal));
        } else if let Some(newest) = newest.filter(|_| matches && release.running().is_some()) {
            let (name, no) = (signal.name.clone(), newest.no);
            let command = AlertCommand::Elsewhere { id: id.clone(), name, no, firing: true };
            commands.push((release.id, Command::Alert(command)));
        }
    }
    match commands.is_empty() {
        false => Ok(commands),
        true if open.is_empty() => Err(Stray::NoneOpen),
        true => Err(Stray::NoMatch),
    }
}

fn own(release: &Release, signal: &Signal) -> Option<(ReleaseId, Command)> {
    Some((release.id, Command::Alert(AlertCommand::Signal(Box::new(signal.clone())))))
}

/// The end of an alert that a newer release has.
fn over(release: &Release, signal: &Signal) -> Option<(ReleaseId, Command)> {
    let elsewhere = release.phase.run()?.elsewhere.iter().find(|elsewhere| elsewhere.key == signal.id())?;
    let (name, no) = (elsewhere.name.clone(), elsewhere.no);
    Some((release.id, Command::Alert(AlertCommand::Elsewhere { id: signal.id(), name, no, firing: false })))
}

/// Whether alerts concern a release at this time.
fn takes(release: &Release, now: Timestamp) -> bool {
    release.phase.name().takes_alerts() && monitored_until(release).is_none_or(|until| now <= until)
}

/// Releases of the alert's service; those without a service where none is, and all of them for an alert without labels.
fn matching<'r>(open: &[&'r Release], labels: &Labels) -> Vec<&'r Release> {
    let Some(wanted) = labels.service.as_deref() else { return open.to_vec() };
    let of = |service: Option<&str>| {
        let fits = |release: &&&Release| match service {
            Some(service) => release.plan.service.as_deref().is_some_and(|own| same(own, service)),
            None => release.plan.service.is_none(),
        };
        open.iter().filter(fits).copied().collect::<Vec<_>>()
    };
    let own = of(Some(wanted));
    if own.is_empty() { of(None) } else { own }
}

/// Whether a planned release is of exactly the alert's service.
fn planned_for(release: &Release, labels: &Labels) -> bool {
    match (&release.plan.service, &labels.service) {
        (Some(own), Some(wanted)) => same(own, wanted),
        (None, None) => true,
        _ => false,
    }
}

/// The one whose go is latest.
fn newest_running<'r>(of: &[&'r Release]) -> Option<&'r Release> {
    of.iter().copied().filter(|release| release.running().is_some()).max_by_key(|release| release.t0())
}

fn newest_over<'r>(of: &[&'r Release]) -> Option<&'r Release> {
    of.iter().copied().filter(|release| release.phase.closing().is_some()).max_by_key(|release| release.t0())
}
