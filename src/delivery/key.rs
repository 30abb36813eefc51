//! How a message is known: whose it is and which of theirs, the nonce a platform recognises a repeat by, and the marker a look-up
//! searches for.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::delivery::target::Target;
use crate::domain::ids::{ReleaseId, WorkspaceId};
use crate::domain::key::PostKey;

/// Whose message it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    Release(ReleaseId),
    Workspace(WorkspaceId),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Release(id) => id.fmt(f),
            Self::Workspace(server) => server.fmt(f),
        }
    }
}

/// A message, once for ever.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    pub owner: Owner,
    pub post: PostKey,
}

impl Key {
    /// A message of a release.
    pub fn of_release(release: ReleaseId, post: PostKey) -> Self {
        Self { owner: Owner::Release(release), post }
    }

    /// A message of a workspace.
    pub fn of_workspace(server: &WorkspaceId, post: PostKey) -> Self {
        Self { owner: Owner::Workspace(server.clone()), post }
    }

    /// The release it belongs to; `None` where the workspace itself speaks.
    pub fn release(&self) -> Option<ReleaseId> {
        match &self.owner {
            Owner::Release(id) => Some(*id),
            Owner::Workspace(_) => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.post)
    }
}

/// The nonce of a new message: the same message of the same installation has the same, through restarts and restored backups.
pub fn nonce_of(installation: &str, key: &Key, target: &Target, payload: &str) -> String {
    let place = match target {
        Target::Chat { channel, .. } => channel.0.clone(),
        Target::Page { name } => format!("page:{name}"),
        Target::Hook { subscription } => format!("hook:{subscription}"),
        Target::Lever { name } => format!("lever:{name}"),
    };
    hashed(&[installation, &key.to_string(), &place, payload])
}

/// The nonce of a message that was changed before it was posted: another text, or another channel.
pub fn next_nonce(nonce: &str, change: &str) -> String {
    hashed(&[nonce, change])
}

/// The marker of a message, which its footer shows.
pub fn marker_of(nonce: &str) -> String {
    format!("n{}", nonce.get(..8).unwrap_or(nonce))
}

/// A hash of texts, hexadecimal, 24 characters long.
pub fn hashed(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}
