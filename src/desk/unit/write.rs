//! The end of a unit of work: one statement for each table that changes, then the commit.

use std::collections::{BTreeMap, BTreeSet};

use super::Unit;
use super::page::{Changed, Document, Page};
use crate::delivery::{EditEvent, Key, PostEvent, PostState};
use crate::desk::Written;
use crate::desk::known::{self, Known};
use crate::domain::agenda::next_wakeup;
use crate::store::{DocumentOf, EditRow, PostRow, ReleaseHead, ReleaseRow, Store, StoreFault, TermsRow, WorkspaceRow};

impl Unit<'_> {
    /// Stores the page. After a fault nothing of it is stored, and nothing is known any more.
    pub(in crate::desk) async fn commit(mut self) -> Result<Written, StoreFault> {
        let mut claimed = Vec::new();
        let stored = self.write(&mut claimed).await;
        let Self { desk, txn, known, page, .. } = self;
        let committed = match stored {
            Ok(()) => txn.commit().await.map_err(StoreFault::from),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = committed {
            *known = Known::default();
            desk.lanes.give_back(&claimed);
            return Err(fault);
        }
        desk.store.committed();
        desk.lanes.wait_for(page.new_posts.iter().chain(page.posts.values()).map(|post| &post.target));
        let no_posts = page.new_posts.is_empty() && page.posts.is_empty();
        let work = !(no_posts && page.edits.is_empty() && page.channels.is_empty());
        desk.lanes.hand_over(claimed);
        Ok(Written { posts: work, wakeups: learn(known, page) })
    }

    /// One statement for each table that changes.
    async fn write(&mut self, claimed: &mut Vec<PostRow>) -> Result<(), StoreFault> {
        for Changed { now, read_at } in self.page.workspaces.values() {
            Store::save_workspace(&mut self.txn, &WorkspaceRow::of(&now.value)?, *read_at, now.version).await?;
        }
        self.write_releases().await?;
        if !self.page.lines.is_empty() {
            Store::append(&mut self.txn, &self.page.lines).await?;
        }
        if !self.page.prompts.is_empty() {
            Store::add_prompts(&mut self.txn, &self.page.prompts.values().collect::<Vec<_>>()).await?;
        }
        self.write_documents().await?;
        let mut there = self.rows_of_keys().await?;
        self.write_posts(&mut there, claimed).await?;
        self.write_edits(there).await?;
        for (target, state) in &self.page.channels {
            Store::save_channel(&mut self.txn, target, state).await?;
        }
        Ok(())
    }

    async fn write_releases(&mut self) -> Result<(), StoreFault> {
        if self.page.releases.is_empty() {
            return Ok(());
        }
        let rows = self.page.releases.values().map(|c| ReleaseRow::of(&c.now.value, c.read_at, c.now.version));
        Store::save_releases(&mut self.txn, &rows.collect::<Result<Vec<_>, _>>()?).await?;
        for (id, Changed { now, .. }) in &self.page.releases {
            let before = self.known.releases.get(id).map(|known| known.value.as_ref());
            if let Some(terms) = TermsRow::of(&now.value, before)? {
                Store::save_terms(&mut self.txn, *id, &terms).await?;
            }
        }
        Ok(())
    }

    async fn write_documents(&mut self) -> Result<(), StoreFault> {
        for document in &self.page.documents {
            let (of, file_name, bytes) = match document {
                Document::Revision { release, file_name, bytes } => (DocumentOf::Revision(release), file_name, bytes),
                Document::Proposal { release, file_name, bytes } => (DocumentOf::Proposal(release), file_name, bytes),
                Document::Train { guild, name, file_name, bytes } => {
                    (DocumentOf::Train { guild, name }, file_name, bytes)
                }
                Document::Adopted { release } => {
                    Store::adopt_proposal(&mut self.txn, release, self.now).await?;
                    continue;
                }
            };
            Store::keep_document(&mut self.txn, &of, file_name, bytes, self.now).await?;
        }
        Ok(())
    }

    /// Messages that are there already under the keys the batch uses, each with its edits.
    async fn rows_of_keys(&mut self) -> Result<BTreeMap<Key, EditRow>, StoreFault> {
        let new = self.page.new_posts.iter().map(|post| &post.key);
        let keys: BTreeSet<Key> = new.chain(self.page.wanted.keys()).cloned().collect();
        Store::edits_of(&mut self.txn, &keys.into_iter().collect::<Vec<_>>(), self.now).await
    }

    /// New messages, those for idle targets with their lease; then what became of others.
    async fn write_posts(
        &mut self,
        there: &mut BTreeMap<Key, EditRow>,
        claimed: &mut Vec<PostRow>,
    ) -> Result<(), StoreFault> {
        self.page.new_posts.retain(|post| !there.contains_key(&post.key));
        for post in &mut self.page.new_posts {
            if let Some(release) = self.page.bring.get(&post.key) {
                post.file = Store::revision_file(&mut self.txn, release).await?;
            }
        }
        let mut first: Vec<&mut PostRow> = self.page.new_posts.iter_mut().collect();
        first.sort_by_key(|post| post.priority);
        for post in first {
            // By a doubtful clock nothing is sent.
            let due = post.post.state == (PostState::Waiting { at: self.now }) && !post.post.is_useless(self.now);
            if due && self.desk.clock.is_confirmed() && self.desk.lanes.take(&post.target) {
                let can = self.desk.can.of(&post.target);
                post.post.next(PostEvent::Due, self.now, &can);
                claimed.push(post.clone());
            }
        }
        if !self.page.new_posts.is_empty() {
            let new: Vec<&PostRow> = self.page.new_posts.iter().collect();
            let ids = Store::add_posts(&mut self.txn, &new).await?;
            for post in claimed.iter_mut() {
                post.id = ids.get(&post.key).copied().unwrap_or_default();
            }
            for post in &self.page.new_posts {
                if let Some(id) = ids.get(&post.key) {
                    there.insert(post.key.clone(), EditRow::new(*id, post, self.now));
                }
            }
        }
        if !self.page.posts.is_empty() {
            let changed: Vec<&PostRow> = self.page.posts.values().collect();
            Store::save_posts(&mut self.txn, &changed).await?;
        }
        if !self.page.rewritten.is_empty() {
            let changed = self.page.posts.values().filter(|row| self.page.rewritten.contains(&row.id));
            Store::rewrite_posts(&mut self.txn, &changed.collect::<Vec<_>>()).await?;
        }
        Ok(())
    }

    /// Renderings that differ from what is posted or wanted already.
    async fn write_edits(&mut self, mut there: BTreeMap<Key, EditRow>) -> Result<(), StoreFault> {
        for (key, wanted) in std::mem::take(&mut self.page.wanted) {
            let Some(stored) = there.remove(&key) else { continue };
            // What the courier said of it in this batch counts.
            let mut row = self.page.edits.get(&stored.post).cloned().unwrap_or(stored);
            if row.wanted != wanted.rendering {
                row.edit.next(EditEvent::Wanted { apart: wanted.apart }, self.now);
                row.wanted = wanted.rendering;
                self.page.edits.insert(row.post, row);
            }
        }
        if self.page.edits.is_empty() {
            return Ok(());
        }
        Store::save_edits(&mut self.txn, &self.page.edits.values().collect::<Vec<_>>()).await
    }
}

/// What was stored is what is known; whether a wake-up moved.
fn learn(known: &mut Known, page: Page) -> bool {
    let mut woken = false;
    for (guild, Changed { now, .. }) in page.workspaces {
        let before = known.workspaces.get(&guild).map(|before| before.value.next_wakeup());
        woken |= before != Some(now.value.next_wakeup());
        known::keep(&mut known.workspaces, guild, now);
    }
    for (id, Changed { now, .. }) in page.releases {
        let before = known.releases.get(&id).map(|before| &before.value);
        woken |= before.is_none_or(|before| next_wakeup(before) != next_wakeup(&now.value));
        if before.is_none_or(|before| ReleaseHead::of(before) != ReleaseHead::of(&now.value)) {
            known.open.remove(&now.value.guild);
        }
        known::keep(&mut known.releases, id, now);
    }
    known.learn_prompts(page.prompts.into_keys());
    known.learn_posted(page.new_posts.into_iter().map(|post| post.key));
    if let Some(line) = page.lines.last() {
        known.head = Some(Some(line.head()));
    }
    woken
}
