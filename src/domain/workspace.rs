//! The Workspace aggregate: one chat server's settings, its release numbers and the people its plans name. It must not
//! know any release.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{GuildId, ReleaseNo, UserId};
use super::policy::Policy;

/// One server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    pub guild: GuildId,
    pub policy: Policy,
    pub next_no: u32,
    /// Names as plans write them (lower case) and the members they mean.
    pub people: BTreeMap<String, UserId>,
}

/// What happened to a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceEvent {
    Configured { policy: Box<Policy> },
    Numbered { no: ReleaseNo },
    Remembered { name: String, user: UserId },
}

impl Workspace {
    /// A server nobody has set up.
    pub fn new(guild: GuildId) -> Self {
        Self { guild, policy: Policy::default(), next_no: 1, people: BTreeMap::new() }
    }

    /// Applies one event.
    pub fn evolve(&mut self, event: &WorkspaceEvent) {
        match event {
            WorkspaceEvent::Configured { policy } => self.policy = (**policy).clone(),
            WorkspaceEvent::Numbered { no } => self.next_no = no.0 + 1,
            WorkspaceEvent::Remembered { name, user } => {
                self.people.insert(name.to_lowercase(), user.clone());
            }
        }
    }
}
