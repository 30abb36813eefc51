//! What the database is known to hold, because the desk alone writes it: a read costs a trip to the database's thread and a parse.
//! Bounded: a map that is full forgets everything, and reads again. Any fault forgets all of it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use crate::domain::ids::{GuildId, ReleaseId};
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
    pub(super) workspaces: HashMap<GuildId, Stored<Workspace>>,
    pub(super) releases: HashMap<ReleaseId, Stored<Release>>,
    /// A server's releases that are not over, newest first.
    pub(super) open: HashMap<GuildId, Vec<ReleaseHead>>,
    /// The end of the journal; `None` before it was read.
    pub(super) head: Option<Option<Head>>,
}

/// Keeps something, perhaps instead of everything else.
pub(super) fn keep<K: Hash + Eq, V>(map: &mut HashMap<K, V>, key: K, value: V) {
    if map.len() >= MOST {
        map.clear();
    }
    map.insert(key, value);
}
