//! Which targets are idle, so that a message which is due when it is decided is stored with its lease and sent at once, without
//! another commit in between. The courier says what is idle; the desk takes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::delivery::Target;
use crate::store::PostRow;

/// The desk's and the courier's view of the targets. All are busy at first. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Lanes {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    /// How many more posts may be begun. Zero while nothing may be sent.
    room: usize,
    /// Targets with a message under way or waiting.
    busy: BTreeSet<Target>,
    /// Targets the desk took and the courier has not begun on.
    taken: BTreeSet<Target>,
    /// Posts that are stored with their lease, for the courier.
    claimed: Vec<PostRow>,
    /// Grows with everything the desk writes: a look at the database that began before says nothing of it.
    written: u64,
}

impl Lanes {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a target that is idle.
    pub(super) fn take(&self, target: &Target) -> bool {
        let mut inner = self.lock();
        if inner.room == 0 || inner.busy.contains(target) || inner.taken.contains(target) {
            return false;
        }
        inner.room -= 1;
        inner.taken.insert(target.clone())
    }

    /// What was taken is stored: the courier may begin.
    pub(super) fn hand_over(&self, posts: Vec<PostRow>) {
        self.lock().claimed.extend(posts);
    }

    /// What was taken is not stored.
    pub(super) fn give_back(&self, posts: &[PostRow]) {
        let mut inner = self.lock();
        for post in posts {
            inner.taken.remove(&post.target);
        }
    }

    /// Messages wait for these targets: nothing overtakes them.
    pub(super) fn wait_for<'t>(&self, targets: impl Iterator<Item = &'t Target>) {
        let mut inner = self.lock();
        inner.written += 1;
        inner.busy.extend(targets.cloned());
    }

    /// Whether the desk took a target the courier has not begun on.
    pub fn has_taken(&self) -> bool {
        !self.lock().taken.is_empty()
    }

    /// A look at the database begins; see [`Lanes::looked`].
    pub fn look(&self) -> u64 {
        self.lock().written
    }

    /// What the desk has claimed for the courier, which begins now.
    pub fn claimed(&self) -> Vec<PostRow> {
        let mut inner = self.lock();
        let claimed = std::mem::take(&mut inner.claimed);
        for post in &claimed {
            inner.taken.remove(&post.target);
            inner.busy.insert(post.target.clone());
        }
        claimed
    }

    /// What a look found: all targets but these are idle. It counts only if nothing was written since it began.
    pub fn looked(&self, written: u64, room: usize, busy: BTreeSet<Target>) {
        let mut inner = self.lock();
        if inner.written == written {
            (inner.room, inner.busy) = (room, busy);
        }
    }

    /// Nothing may be sent at once any more.
    pub fn close(&self) {
        self.lock().room = 0;
    }
}
