//! Messages, their edits and their targets, as a unit of work sees them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;

use super::Unit;
use super::page::Wanted;
use crate::delivery::{ChannelState, EditEvent, Key, PostEvent, Rendering, Report, Target};
use crate::domain::ids::{GuildId, ReleaseId};
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
        match Store::post_id(&mut self.txn, key).await? {
            Some(id) => Ok(self.messages(&[id]).await?.pop()),
            None => Ok(self.fresh(key).cloned()),
        }
    }

    /// Whether there is a message under a key.
    pub(in crate::desk) async fn is_there(&mut self, key: &Key) -> Result<bool, StoreFault> {
        if self.known.posted.contains(key) || self.fresh(key).is_some() {
            return Ok(true);
        }
        let there = Store::post_id(&mut self.txn, key).await?.is_some();
        if there {
            self.known.learn_posted(std::iter::once(key.clone()));
        }
        Ok(there)
    }

    /// Stored messages by id, as they are by now.
    pub(in crate::desk) async fn messages(&mut self, ids: &[i64]) -> Result<Vec<PostRow>, StoreFault> {
        let known = |id: &i64| self.page.posts.get(id).or_else(|| self.read.get(id)).cloned();
        let (mut rows, mut missing) = (Vec::with_capacity(ids.len()), Vec::new());
        for id in ids {
            match known(id) {
                Some(row) => rows.push(row),
                None => missing.push(*id),
            }
        }
        if !missing.is_empty() {
            rows.extend(Store::posts(&mut self.txn, &missing).await?);
        }
        Ok(rows)
    }

    /// Reads messages the batch is about, all at once.
    pub(in crate::desk) async fn read_ahead(&mut self, ids: &[i64]) -> Result<(), StoreFault> {
        if !ids.is_empty() {
            let rows = Store::posts(&mut self.txn, ids).await?;
            self.read.extend(rows.into_iter().map(|row| (row.id, row)));
        }
        Ok(())
    }

    /// Every message that is not settled.
    pub(in crate::desk) async fn open_messages(&mut self) -> Result<Vec<PostRow>, StoreFault> {
        let ids = Store::open_posts(&mut self.txn).await?;
        self.messages(&ids).await
    }

    /// A release's messages that are not settled, those of this batch included.
    pub(in crate::desk) async fn open_messages_of(&mut self, release: ReleaseId) -> Result<Vec<PostRow>, StoreFault> {
        let ids = Store::open_posts_of(&mut self.txn, release).await?;
        let rows = self.messages_and_new(&ids).await?;
        Ok(rows.into_iter().filter(|row| row.key.release() == Some(release)).collect())
    }

    /// A server's messages that are not posted, those of this batch included.
    pub(in crate::desk) async fn unposted(&mut self, guild: &GuildId) -> Result<Vec<PostRow>, StoreFault> {
        let ids = Store::unposted(&mut self.txn, guild).await?;
        let rows = self.messages_and_new(&ids).await?;
        Ok(rows.into_iter().filter(|row| row.guild == *guild).collect())
    }

    /// Messages that are to be edited, and whether an edit of a chat message may have been under way.
    pub(in crate::desk) async fn open_edits(&mut self) -> Result<Vec<(i64, bool)>, StoreFault> {
        let posts = Store::open_edits(&mut self.txn).await?;
        let rows = Store::edits(&mut self.txn, &posts, self.now).await?;
        Ok(rows.into_iter().map(|row| (row.post, row.message.is_some() && row.target.channel().is_some())).collect())
    }

    /// Every target that takes nothing, or nothing for a while.
    pub(in crate::desk) async fn channels(&mut self) -> Result<BTreeMap<Target, ChannelState>, StoreFault> {
        let mut channels = self.stored_channels().await?.clone();
        channels.extend(self.page.channels.clone());
        Ok(channels)
    }

    /// A message is as given from here on.
    pub(in crate::desk) fn save_message(&mut self, row: PostRow, rewritten: bool) {
        if row.id == 0 {
            self.page
                .new_posts
                .iter_mut()
                .filter(|fresh| fresh.key == row.key)
                .for_each(|fresh| fresh.clone_from(&row));
            return;
        }
        self.page.rewritten.extend(rewritten.then_some(row.id));
        self.page.posts.insert(row.id, row);
    }

    /// The same, and those of this batch that are not stored yet.
    pub(in crate::desk) async fn messages_and_new(&mut self, ids: &[i64]) -> Result<Vec<PostRow>, StoreFault> {
        let mut rows = self.messages(ids).await?;
        rows.extend(self.page.new_posts.iter().cloned());
        Ok(rows)
    }

    /// An event of a message, by the rules of its target.
    pub(in crate::desk) fn happened(&mut self, row: &mut PostRow, event: PostEvent) {
        let can = self.desk.can.of(&row.target);
        // A person or a decision has dealt with the trouble before anybody was told of it.
        let settles = matches!(
            event,
            PostEvent::Withdrawn | PostEvent::Moved | PostEvent::SentAgain { .. } | PostEvent::FoundByPerson
        );
        let pending = row.report.take().filter(|report| !settles || *report == Report::Arrived);
        row.report = row.post.next(event, self.now, &can).or(pending);
    }

    /// Whether a target takes anything.
    pub(in crate::desk) async fn channel(&mut self, target: &Target) -> Result<ChannelState, StoreFault> {
        if let Some(state) = self.page.channels.get(target) {
            return Ok(state.clone());
        }
        Ok(self.stored_channels().await?.get(target).cloned().unwrap_or(ChannelState::OPEN))
    }

    async fn stored_channels(&mut self) -> Result<&BTreeMap<Target, ChannelState>, StoreFault> {
        let channels = match self.channels.take() {
            Some(channels) => channels,
            None => Store::channels(&mut self.txn).await?,
        };
        Ok(self.channels.insert(channels))
    }

    /// A target is as given from here on.
    pub(in crate::desk) fn save_channel(&mut self, target: Target, state: ChannelState) {
        self.page.channels.insert(target, state);
    }

    /// Requests another rendering of a message; an equal one changes nothing.
    pub(in crate::desk) fn edit(&mut self, key: Key, rendering: Rendering, apart: SignedDuration) {
        self.page.wanted.insert(key, Wanted { rendering, apart });
    }

    /// An event of a message's edits.
    pub(in crate::desk) async fn edit_happened(&mut self, post: i64, event: EditEvent) -> Result<(), StoreFault> {
        let row = match self.page.edits.remove(&post) {
            Some(row) => Some(row),
            None => Store::edits(&mut self.txn, &[post], self.now).await?.pop(),
        };
        if let Some(mut row) = row {
            row.edit.next(event, self.now);
            self.page.edits.insert(post, row);
        }
        Ok(())
    }

    /// A message brings its release's document, which may be kept only later in the request.
    pub(in crate::desk) fn bring_document(&mut self, key: Key, release: &Release) {
        self.page.bring.insert(key, Arc::new(release.clone()));
    }
}
