//! The end of a unit of work: the collected changes go to the database, then the commit.

use std::collections::{BTreeMap, BTreeSet};

use super::Unit;
use super::page::{Changed, Document, Page};
use crate::delivery::{Key, PostEvent, PostState};
use crate::desk::door::Written;
use crate::desk::known::{self, Known, Stored};
use crate::domain::agenda::next_wakeup;
use crate::domain::release::Release;
use crate::store::{DocumentKey, PostRow, ReleaseHead, Store, StoreFault};

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
        let open = page.new_posts.iter().chain(page.posts.values()).filter(|row| row.post.next_at().is_some());
        desk.lanes.wait_for(open.map(|row| &row.target));
        let work = !(page.new_posts.is_empty() && page.posts.is_empty() && page.channels.is_empty());
        desk.lanes.hand_over(claimed);
        Ok(Written { posts: work, wakeups: learn(known, page) })
    }

    /// Releases, journal lines, prompts and messages take one statement each, however many there are.
    async fn write(&mut self, claimed: &mut Vec<PostRow>) -> Result<(), StoreFault> {
        for Changed { now, read_at } in self.page.workspaces.values() {
            Store::save_workspace(&mut self.txn, &now.value, *read_at, now.version).await?;
        }
        self.write_releases().await?;
        if !self.page.lines.is_empty() {
            Store::append(&mut self.txn, &self.page.lines).await?;
        }
        if !self.page.prompts.is_empty() {
            Store::add_prompts(&mut self.txn, &self.page.prompts.values().collect::<Vec<_>>()).await?;
        }
        self.write_documents().await?;
        self.settle_posts().await?;
        self.write_posts(claimed).await?;
        for (target, state) in &self.page.channels {
            Store::save_channel(&mut self.txn, target, state).await?;
        }
        Ok(())
    }

    async fn write_releases(&mut self) -> Result<(), StoreFault> {
        if self.page.releases.is_empty() {
            return Ok(());
        }
        let changed = self.page.releases.values().map(|c| (c.now.value.as_ref(), c.read_at, c.now.version));
        Store::save_releases(&mut self.txn, changed).await?;
        for (id, Changed { now: Stored { value: release, .. }, .. }) in &self.page.releases {
            let before = self.known.releases.get(id).map(|known| &known.value);
            if before.is_none_or(|before| before.plan != release.plan || before.policy != release.policy) {
                Store::save_terms(&mut self.txn, release).await?;
            }
        }
        Ok(())
    }

    async fn write_documents(&mut self) -> Result<(), StoreFault> {
        for Document { key, file_name, bytes } in &self.page.documents {
            Store::keep_document(&mut self.txn, key, file_name, bytes).await?;
        }
        for release in &self.page.adopted {
            let proposal = DocumentKey::Proposal(release.id, release.amendments);
            let file = Store::file(&mut self.txn, &proposal).await?.ok_or_else(|| StoreFault::Inconsistent {
                table: "document",
                column: "key",
                key: proposal.to_string(),
            })?;
            Store::keep_file(&mut self.txn, &revision(release), &file).await?;
        }
        Ok(())
    }

    /// Which messages are new, and what each is to show.
    async fn settle_posts(&mut self) -> Result<(), StoreFault> {
        let Page { new_posts, wanted, .. } = &self.page;
        let keys: BTreeSet<&Key> = new_posts.iter().map(|post| &post.key).chain(wanted.keys()).collect();
        let stored = Store::posts_of(&mut self.txn, keys).await?;
        let mut there: BTreeMap<Key, PostRow> = stored.into_iter().map(|row| (row.key.clone(), row)).collect();
        self.page.new_posts.retain(|post| !there.contains_key(&post.key));
        for post in &mut self.page.new_posts {
            if let Some(release) = self.page.bring.get(&post.key) {
                post.file = Store::file(&mut self.txn, &revision(release)).await?;
            }
            if let Some(wanted) = self.page.wanted.remove(&post.key) {
                post.edited(wanted, self.now);
            }
        }
        for (key, wanted) in std::mem::take(&mut self.page.wanted) {
            let Some(stored) = there.remove(&key) else { continue };
            // What the courier said of it in this batch counts.
            let mut row = self.page.posts.get(&stored.id).cloned().unwrap_or_else(|| stored.clone());
            row.edited(wanted, self.now);
            if row != stored {
                self.page.posts.insert(row.id, row);
            }
        }
        Ok(())
    }

    /// New messages, those for idle targets with their lease, and what became of others.
    async fn write_posts(&mut self, claimed: &mut Vec<PostRow>) -> Result<(), StoreFault> {
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
        let rows: Vec<&PostRow> = self.page.new_posts.iter().chain(self.page.posts.values()).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let ids = Store::save_posts(&mut self.txn, &rows).await?;
        for post in claimed.iter_mut() {
            let id = ids.get(&post.key).copied();
            post.id = id.ok_or_else(|| StoreFault::Inconsistent {
                table: "outbox",
                column: "key",
                key: post.key.to_string(),
            })?;
        }
        Ok(())
    }
}

/// The present revision of a release.
fn revision(release: &Release) -> DocumentKey {
    DocumentKey::Revision(release.id, release.revision)
}

/// What was stored is what is known; whether a wake-up moved.
fn learn(known: &mut Known, page: Page) -> bool {
    let mut woken = false;
    for (server, Changed { now, .. }) in page.workspaces {
        let before = known.workspaces.get(&server).map(|before| before.value.next_wakeup());
        woken |= before != Some(now.value.next_wakeup());
        known::keep(&mut known.workspaces, server, now);
    }
    for (id, Changed { now, .. }) in page.releases {
        let before = known.releases.get(&id).map(|before| &before.value);
        woken |= before.is_none_or(|before| next_wakeup(before) != next_wakeup(&now.value));
        if before.is_none_or(|before| ReleaseHead::of(before) != ReleaseHead::of(&now.value)) {
            known.open.remove(&now.value.server);
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
