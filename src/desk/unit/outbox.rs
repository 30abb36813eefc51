//! Messages and their targets, as a unit of work sees them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;

use super::Unit;
use crate::delivery::{ChannelState, EditEvent, Key, PostEvent, Rendering, Target};
use crate::domain::ids::{ReleaseId, WorkspaceId};
use crate::domain::release::Release;
use crate::store::{PostRow, Store, StoreFault};

impl Unit<'_> {
    /// A message to be posted; a key that is there already is no news.
    pub(in crate::desk) fn post(&mut self, post: PostRow) {
        if self.fresh(&post.key).is_none() {
            self.page.new_posts.push(post);
        }
    }

    fn fresh(&self, key: &Key) -> Option<&PostRow> {
        self.page.new_posts.iter().find(|post| post.key == *key)
    }

    /// The message under a key, if there is one.
    pub(in crate::desk) async fn message(&mut self, key: &Key) -> Result<Option<PostRow>, StoreFault> {
        let stored = Store::posts_of(&mut self.txn, [key]).await?;
        Ok(self.as_they_are(stored).pop().or_else(|| self.fresh(key).cloned()))
    }

    /// Whether there is a message under a key.
    pub(in crate::desk) async fn is_there(&mut self, key: &Key) -> Result<bool, StoreFault> {
        if self.known.posted.contains(key) {
            return Ok(true);
        }
        let there = self.message(key).await?;
        if there.as_ref().is_some_and(|row| row.id > 0) {
            self.known.learn_posted(std::iter::once(key.clone()));
        }
        Ok(there.is_some())
    }

    /// Stored messages, as this batch has made them by now.
    fn as_they_are(&self, stored: Vec<PostRow>) -> Vec<PostRow> {
        stored.into_iter().map(|row| self.page.posts.get(&row.id).cloned().unwrap_or(row)).collect()
    }

    /// Stored messages by id.
    pub(in crate::desk) async fn messages(&mut self, ids: &[i64]) -> Result<Vec<PostRow>, StoreFault> {
        let missing: Vec<i64> = ids.iter().copied().filter(|id| !self.read.contains_key(id)).collect();
        self.read_ahead(&missing).await?;
        Ok(self.as_they_are(ids.iter().filter_map(|id| self.read.get(id).cloned()).collect()))
    }

    /// Reads messages the batch is about, all at once.
    pub(in crate::desk) async fn read_ahead(&mut self, ids: &[i64]) -> Result<(), StoreFault> {
        if !ids.is_empty() {
            let rows = Store::posts(&mut self.txn, ids).await?;
            self.read.extend(rows.into_iter().map(|row| (row.id, row)));
        }
        Ok(())
    }

    /// Every message that is not settled, or does not show what it is to show.
    pub(in crate::desk) async fn open_messages(&mut self) -> Result<Vec<PostRow>, StoreFault> {
        let stored = Store::open_posts(&mut self.txn).await?;
        Ok(self.as_they_are(stored))
    }

    /// A release's messages that are not settled, those of this batch included.
    pub(in crate::desk) async fn open_messages_of(&mut self, release: ReleaseId) -> Result<Vec<PostRow>, StoreFault> {
        let mut rows = Store::open_posts_of(&mut self.txn, release).await?;
        rows.extend(self.page.new_posts.iter().filter(|row| row.key.release() == Some(release)).cloned());
        Ok(self.as_they_are(rows))
    }

    /// A server's messages that are not posted, those of this batch included.
    pub(in crate::desk) async fn unposted(&mut self, server: &WorkspaceId) -> Result<Vec<PostRow>, StoreFault> {
        let mut rows = Store::unposted(&mut self.txn, server).await?;
        rows.extend(self.page.new_posts.iter().filter(|row| row.server == *server).cloned());
        Ok(self.as_they_are(rows))
    }

    /// A message is as given from here on.
    pub(in crate::desk) fn save_message(&mut self, row: PostRow) {
        if row.id > 0 {
            self.page.posts.insert(row.id, row);
        } else if let Some(fresh) = self.page.new_posts.iter_mut().find(|fresh| fresh.key == row.key) {
            *fresh = row;
        }
    }

    /// An event of a message, by the rules of its target.
    pub(in crate::desk) fn happened(&mut self, row: &mut PostRow, event: PostEvent) {
        row.post.next(event, self.now, &self.desk.can.of(&row.target));
    }

    /// Requests another rendering of a message; an equal one changes nothing.
    pub(in crate::desk) fn edit(&mut self, key: Key, rendering: Rendering, apart: SignedDuration) {
        self.page.wanted.insert(key, EditEvent::Wanted { rendering, apart });
    }

    /// A message brings its release's document, which may be kept only later in the request.
    pub(in crate::desk) fn bring_document(&mut self, key: Key, release: &Release) {
        self.page.bring.insert(key, Arc::new(release.clone()));
    }

    /// What is known against a target.
    pub(in crate::desk) async fn channel(&mut self, target: &Target) -> Result<ChannelState, StoreFault> {
        Ok(self.channels().await?.get(target).cloned().unwrap_or(ChannelState::OPEN))
    }

    /// Every target something is known against.
    pub(in crate::desk) async fn channels(&mut self) -> Result<&BTreeMap<Target, ChannelState>, StoreFault> {
        let channels = match self.channels.take() {
            Some(channels) => channels,
            None => Store::channels(&mut self.txn).await?,
        };
        Ok(self.channels.insert(channels))
    }

    /// Something is learnt of a target.
    pub(in crate::desk) async fn change_channel(
        &mut self,
        target: &Target,
        change: impl FnOnce(&mut ChannelState),
    ) -> Result<(), StoreFault> {
        let before = self.channel(target).await?;
        let mut after = before.clone();
        change(&mut after);
        if after != before {
            self.page.channels.insert(target.clone(), after.clone());
            self.channels.get_or_insert_default().insert(target.clone(), after);
        }
        Ok(())
    }
}
