//! What the database is known to hold, because the writer alone has written it. Bounded: when a map is full it forgets everything,
//! and reads again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::layer::{Changed, Layer};
use crate::domain::ids::{GuildId, ReleaseId, ReleaseNo};
use crate::domain::release::Release;
use crate::domain::workspace::Workspace;
use crate::store::{Head, NewPrompt, ReleaseHead, StoredPrompt};

/// The most of each kind that is kept in memory. A release is some 6 kB of JSON.
const MOST: usize = 256;
const MOST_SMALL: usize = 4_096;

/// Something with the version it is stored at.
#[derive(Debug, Clone)]
pub(super) struct Kept<T> {
    pub(super) value: Arc<T>,
    pub(super) version: i64,
    /// Milliseconds of Unix time.
    pub(super) wakeup: Option<i64>,
}

/// A map that forgets everything when it is full.
#[derive(Debug)]
pub(super) struct Bounded<K, V> {
    pub(super) map: HashMap<K, V>,
    most: usize,
}

impl<K: Hash + Eq, V> Bounded<K, V> {
    fn new(most: usize) -> Self {
        Self { map: HashMap::new(), most }
    }

    pub(super) fn put(&mut self, key: K, value: V) {
        if self.map.len() >= self.most {
            self.map.clear();
        }
        self.map.insert(key, value);
    }
}

/// What the database is known to hold.
#[derive(Debug)]
pub(in crate::desk) struct Memory {
    pub(super) workspaces: Bounded<GuildId, Kept<Workspace>>,
    pub(super) releases: Bounded<ReleaseId, Kept<Release>>,
    pub(super) numbers: Bounded<(GuildId, ReleaseNo), ReleaseId>,
    /// A server's releases that are not over.
    pub(super) open: Bounded<GuildId, Vec<ReleaseHead>>,
    pub(super) prompts: Bounded<String, (GuildId, StoredPrompt)>,
    pub(super) asking: Bounded<(ReleaseId, String), String>,
    /// Keys of posts, with the rendering wanted last, if it is known.
    pub(super) posts: Bounded<String, Option<(String, Option<String>)>>,
    /// `None` before it was read.
    pub(super) head: Option<Option<Head>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            workspaces: Bounded::new(MOST),
            releases: Bounded::new(MOST),
            numbers: Bounded::new(MOST_SMALL),
            open: Bounded::new(MOST),
            prompts: Bounded::new(MOST_SMALL),
            asking: Bounded::new(MOST_SMALL),
            posts: Bounded::new(MOST_SMALL),
            head: None,
        }
    }
}

/// Who must look at what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::desk) struct Written {
    /// Posts or edits.
    pub(in crate::desk) posts: bool,
    /// A wake-up moved.
    pub(in crate::desk) wakeups: bool,
}

impl Memory {
    /// What was stored is what is known.
    pub(super) fn learn(&mut self, batch: Layer) -> Written {
        let mut written = Written::default();
        for (guild, Changed { kept, .. }) in batch.workspaces {
            written.wakeups |= self.workspaces.map.get(&guild).is_none_or(|known| known.wakeup != kept.wakeup);
            self.workspaces.put(guild, kept);
        }
        for (id, Changed { kept, .. }) in batch.releases {
            let known = self.releases.map.get(&id);
            written.wakeups |= known.is_none_or(|known| known.wakeup != kept.wakeup);
            let head = ReleaseHead::of(&kept.value);
            if known.is_none_or(|known| ReleaseHead::of(&known.value) != head) {
                self.open.map.remove(&kept.value.guild);
            }
            self.numbers.put((kept.value.guild.clone(), kept.value.no), id);
            self.releases.put(id, kept);
        }
        for NewPrompt { id, release, kind, .. } in batch.prompts {
            self.asking.put((release, kind), id);
        }
        if let Some(line) = batch.lines.last() {
            self.head = Some(Some(line.head()));
        }
        for stage in batch.stages {
            written.posts |= !stage.posts.is_empty() || !stage.edits.is_empty() || !stage.mendings.is_empty();
            for post in stage.posts {
                // A key that was there already keeps its own message.
                if !self.posts.map.contains_key(&post.key) {
                    self.posts.put(post.key, None);
                }
            }
            for (key, edit) in stage.edits {
                self.posts.put(key, Some((edit.payload, edit.prompt)));
            }
        }
        written
    }
}
