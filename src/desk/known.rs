//! A cache of stored rows. Only the desk writes them, and any fault empties it. A read costs a trip to the database's thread and a parse.
//! Bounded: a map that is full is emptied.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use crate::delivery::Key;
use crate::domain::ids::{ReleaseId, WorkspaceId};
use crate::domain::release::Release;
use crate::domain::workspace::Workspace;
use crate::store::{Head, ReleaseHead};

/// The most of each kind that is kept. A release is some 6 kB of JSON.
const MOST: usize = 256;

/// Something with the version it is stored at.
#[derive(Debug)]
pub(super) struct Stored<T> {
    pub(super) value: Arc<T>,
    /// Zero where it is not stored yet.
    pub(super) version: i64,
}

impl<T> Clone for Stored<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), version: self.version }
    }
}

#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) workspaces: HashMap<WorkspaceId, Stored<Workspace>>,
    pub(super) releases: HashMap<ReleaseId, Stored<Release>>,
    /// A server's releases that are not over, newest first.
    pub(super) open: HashMap<WorkspaceId, Vec<ReleaseHead>>,
    /// Keys of messages that are there.
    pub(super) posted: HashSet<Key>,
    /// Ids of prompts.
    pub(super) prompts: HashSet<String>,
    /// The end of the journal; `None` before it was read.
    pub(super) head: Option<Option<Head>>,
}

/// The most prompts and messages whose ids and keys are kept.
const MOST_SMALL: usize = 16_384;

impl Known {
    pub(super) fn learn_prompts(&mut self, ids: impl Iterator<Item = String>) {
        if self.prompts.len() >= MOST_SMALL {
            self.prompts.clear();
        }
        self.prompts.extend(ids);
    }

    pub(super) fn learn_posted(&mut self, keys: impl Iterator<Item = Key>) {
        if self.posted.len() >= MOST_SMALL {
            self.posted.clear();
        }
        self.posted.extend(keys);
    }
}

/// Keeps something, perhaps instead of everything else.
pub(super) fn keep<K: Hash + Eq, V>(map: &mut HashMap<K, V>, key: K, value: V) {
    if map.len() >= MOST {
        map.clear();
    }
    map.insert(key, value);
}
