//! What a batch has decided and not stored yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::delivery::{ChannelState, EditEvent, Key, Target};
use crate::desk::known::Stored;
use crate::domain::ids::{ReleaseId, WorkspaceId};
use crate::domain::release::Release;
use crate::domain::workspace::Workspace;
use crate::store::{DocumentKey, Line, NewPrompt, PostRow};

/// A document to be kept.
#[derive(Debug)]
pub(in crate::desk) struct Document {
    pub(in crate::desk) key: DocumentKey,
    pub(in crate::desk) file_name: String,
    pub(in crate::desk) bytes: Vec<u8>,
}

/// What is decided and not stored.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Grows with each release and workspace that is changed.
    pub(super) decided: usize,
    pub(super) workspaces: BTreeMap<WorkspaceId, Changed<Workspace>>,
    pub(super) releases: BTreeMap<ReleaseId, Changed<Release>>,
    pub(super) prompts: BTreeMap<String, NewPrompt>,
    pub(super) lines: Vec<Line>,
    pub(super) documents: Vec<Document>,
    /// Releases whose newest amendment's document is the present revision from here on.
    pub(super) adopted: Vec<Arc<Release>>,
    pub(super) new_posts: Vec<PostRow>,
    pub(super) posts: BTreeMap<i64, PostRow>,
    /// Renderings that messages are to show.
    pub(super) wanted: BTreeMap<Key, EditEvent>,
    pub(super) channels: BTreeMap<Target, ChannelState>,
    /// Posts that bring the document of their release.
    pub(super) bring: BTreeMap<Key, Arc<Release>>,
}

/// Something as it will be, and the version it was stored at; zero where it is new.
#[derive(Debug)]
pub(super) struct Changed<T> {
    pub(super) now: Stored<T>,
    pub(super) read_at: i64,
}

/// Changes something, perhaps again. The version that the first change of the batch read counts.
pub(super) fn change<K: Ord, T>(map: &mut BTreeMap<K, Changed<T>>, key: K, changed: Changed<T>) {
    let read_at = map.get(&key).map_or(changed.read_at, |known| known.read_at);
    map.insert(key, Changed { read_at, ..changed });
}
