//! A decision on a workspace in the making.

use jiff::{SignedDuration, Timestamp};

use super::notice::WorkspaceNotice;
use super::{Workspace, WorkspaceEffect, WorkspaceEvent};
use crate::domain::people::Actor;
use crate::domain::refusal::Refusal;

/// A start this long past is not worth a word any more: the service was away.
pub(in crate::domain) const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);

/// A decision in the making.
#[derive(Debug)]
pub struct Work<'a> {
    pub(super) workspace: Workspace,
    pub(super) now: Timestamp,
    pub(super) actor: &'a Actor,
    pub(super) events: Vec<WorkspaceEvent>,
    pub(super) effects: Vec<WorkspaceEffect>,
}

impl Work<'_> {
    pub(in crate::domain) fn record(&mut self, event: WorkspaceEvent) {
        self.workspace.evolve(&event, self.now);
        self.events.push(event);
    }

    pub(in crate::domain) fn post(&mut self, key: String, notice: WorkspaceNotice, useful_until: Option<Timestamp>) {
        let notice = Box::new(notice);
        self.effects.push(WorkspaceEffect::Post { key, notice, mention: Vec::new(), useful_until });
    }
}

/// A name in at most 60 characters.
pub(in crate::domain) fn name_of(text: &str) -> Result<String, Refusal> {
    let name: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect();
    if name.is_empty() { Err(Refusal::NameNeeded) } else { Ok(name) }
}
