//! What is decided and not stored yet, and the one transaction that stores it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::memory::{Kept, Memory};
use crate::domain::effect::{Destination, Redelivery};
use crate::domain::ids::{ChannelId, GuildId, ReleaseId, UserId};
use crate::domain::policy::Policy;
use crate::domain::release::Release;
use crate::domain::workspace::Workspace;
use crate::store::{
    Batch, Change, Conn, Line, NewEdit, NewPost, NewPrompt, ReleaseRow, Store, StoreFault, TermsRow, WorkspaceRow,
    Writer,
};

/// What something came in as: its source and its id there.
pub(in crate::desk) type Once = (String, String);

/// Something that is changed: as it will be, and the version it was read at.
#[derive(Debug, Clone)]
pub(super) struct Changed<T, R> {
    pub(super) kept: Kept<T>,
    pub(super) row: R,
    pub(super) read_at: i64,
}

/// Changes something, perhaps again: whoever read it first read what is stored.
pub(super) fn change<K: Ord, T, R>(map: &mut BTreeMap<K, Changed<T, R>>, key: K, changed: Changed<T, R>) {
    let read_at = map.get(&key).map_or(changed.read_at, |known| known.read_at);
    map.insert(key, Changed { read_at, ..changed });
}

/// Documents, in the order they came.
#[derive(Debug, Clone)]
pub(super) enum Document {
    Revision { release: Arc<Release>, file_name: String, bytes: Vec<u8> },
    Proposal { release: Arc<Release>, file_name: String, bytes: Vec<u8> },
    Adopted { release: Arc<Release> },
    TrainPlan { guild: GuildId, name: String, file_name: String, bytes: Vec<u8> },
}

/// What becomes of a post that is stored already.
#[derive(Debug, Clone)]
pub(super) enum Mending {
    Redeliver(String, Redelivery),
    Told(i64),
    /// Somebody else is called as well by what a release has waiting.
    Recall {
        release: ReleaseId,
        from: UserId,
        to: UserId,
    },
    /// A workspace's own messages.
    SendAgain(GuildId, Vec<(Destination, ChannelId)>),
    /// Other channels are set: the rules before and after.
    Readdress(GuildId, Box<(Policy, Policy)>),
}

/// Posts and edits, then what becomes of posts; what comes after that is another stage.
#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) posts: Vec<NewPost>,
    pub(super) edits: BTreeMap<String, NewEdit>,
    pub(super) mendings: Vec<Mending>,
}

impl Stage {
    fn sends(&self) -> Batch<'_> {
        Batch { posts: &self.posts, edits: self.edits.values().collect(), ..Batch::default() }
    }
}

/// What is decided and not stored: one request's, or the batch's.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) once: Vec<Once>,
    pub(super) workspaces: BTreeMap<GuildId, Changed<Workspace, WorkspaceRow>>,
    pub(super) releases: BTreeMap<ReleaseId, Changed<Release, ReleaseRow>>,
    /// What releases run by, where that changes.
    pub(super) terms: BTreeMap<ReleaseId, TermsRow>,
    pub(super) prompts: Vec<NewPrompt>,
    pub(super) lines: Vec<Line>,
    pub(super) documents: Vec<Document>,
    pub(super) stages: Vec<Stage>,
    /// Rows of posts whose release was told that they reached their channel.
    pub(super) reported: Vec<i64>,
}

impl Layer {
    /// The last stage, if it is as wanted, or another one after it.
    fn stage(&mut self, fits: impl Fn(&Stage) -> bool) -> &mut Stage {
        if !self.stages.last().is_some_and(fits) {
            self.stages.push(Stage::default());
        }
        let last = self.stages.len() - 1;
        &mut self.stages[last]
    }

    pub(super) fn mend(&mut self, mending: Mending) {
        self.stage(|_| true).mendings.push(mending);
    }

    /// Takes over what another layer has decided after this one.
    pub(super) fn absorb(&mut self, later: Self) {
        self.once.extend(later.once);
        for (guild, changed) in later.workspaces {
            change(&mut self.workspaces, guild, changed);
        }
        for (id, changed) in later.releases {
            change(&mut self.releases, id, changed);
        }
        self.terms.extend(later.terms);
        self.prompts.extend(later.prompts);
        self.lines.extend(later.lines);
        self.documents.extend(later.documents);
        self.reported.extend(later.reported);
        for stage in later.stages {
            for post in stage.posts {
                self.post(post);
            }
            for edit in stage.edits.into_values() {
                self.edit(edit);
            }
            for mending in stage.mendings {
                self.mend(mending);
            }
        }
    }

    pub(super) fn post(&mut self, post: NewPost) {
        self.stage(|stage| stage.mendings.is_empty()).posts.push(post);
    }

    pub(super) fn edit(&mut self, edit: NewEdit) {
        self.stage(|stage| stage.mendings.is_empty()).edits.insert(edit.key.clone(), edit);
    }

    pub(super) fn is_empty(&self) -> bool {
        let Self { once, workspaces, releases, terms, prompts, lines, documents, stages, reported } = self;
        once.is_empty()
            && workspaces.is_empty()
            && releases.is_empty()
            && terms.is_empty()
            && prompts.is_empty()
            && lines.is_empty()
            && documents.is_empty()
            && stages.is_empty()
            && reported.is_empty()
    }

    /// Whether releases that are known go on, and nothing else happens: most batches are so.
    fn only_goes_on(&self) -> bool {
        let Self { once: _, workspaces, releases, terms, prompts: _, lines: _, documents, stages, reported } = self;
        workspaces.is_empty()
            && terms.is_empty()
            && documents.is_empty()
            && reported.is_empty()
            && releases.values().all(|changed| changed.read_at > 0)
            && (stages.is_empty() || (stages.len() == 1 && stages[0].mendings.is_empty()))
    }

    /// What came in, the releases that go on, and what is said first.
    fn going_on(&self) -> Batch<'_> {
        let known = self.releases.values().filter(|changed| changed.read_at > 0);
        Batch {
            came: &self.once,
            releases: known.map(|c| Change { row: &c.row, read_at: c.read_at, version: c.kept.version }).collect(),
            lines: &self.lines,
            prompts: &self.prompts,
            ..self.stages.first().map(Stage::sends).unwrap_or_default()
        }
    }

    /// A rendering that was wanted last is no news.
    pub(super) fn leave_out_what_is_known(&mut self, memory: &Memory) {
        // Unless the batch itself wants another one before: then it is news again.
        let mut wanted = BTreeSet::new();
        for stage in &mut self.stages {
            stage.edits.retain(|key, edit| match memory.posts.map.get(key) {
                Some(Some((payload, prompt))) => {
                    wanted.contains(key) || *payload != edit.payload || *prompt != edit.prompt
                }
                _ => true,
            });
            wanted.extend(stage.edits.keys().cloned());
        }
    }
}

/// The batch in one transaction. What had come before, if anything had: then nothing is written.
pub(super) async fn write(
    writer: &mut Writer,
    batch: &Layer,
    now: Timestamp,
) -> Result<Option<BTreeSet<Once>>, StoreFault> {
    let fits = if batch.only_goes_on() {
        Store::put_alone(writer, &batch.going_on(), now).await?
    } else {
        let mut txn = Store::begin_on(writer).await?;
        let fits = fill(&mut txn, batch, now).await?;
        if fits {
            txn.commit().await?;
        } else {
            txn.rollback().await?;
        }
        fits
    };
    if fits { Ok(None) } else { stood_against(writer, batch).await.map(Some) }
}

/// What of a batch that was not stored had come before; where nothing had, somebody else has written.
async fn stood_against(writer: &mut Writer, batch: &Layer) -> Result<BTreeSet<Once>, StoreFault> {
    let before = Store::came_before(writer, &batch.once.iter().collect::<Vec<_>>()).await?;
    if before.is_empty() {
        let releases = batch.releases.keys().map(ToString::to_string);
        let named: Vec<String> = releases.chain(batch.workspaces.keys().map(ToString::to_string)).collect();
        return Err(StoreFault::Conflict(named.join(", ")));
    }
    Ok(before)
}

/// Everything of the batch, step by step; `false` where it does not fit what is stored.
async fn fill(txn: &mut Conn, batch: &Layer, now: Timestamp) -> Result<bool, StoreFault> {
    for Changed { kept, row, read_at } in batch.workspaces.values() {
        Store::save_workspace(txn, row, *read_at, kept.version).await?;
    }
    for Changed { kept, row, .. } in batch.releases.values().filter(|changed| changed.read_at == 0) {
        Store::add_release(txn, row, kept.version).await?;
    }
    for (id, row) in &batch.terms {
        Store::save_terms(txn, *id, row).await?;
    }
    if !Store::put(txn, &batch.going_on(), now).await? {
        return Ok(false);
    }
    for document in &batch.documents {
        match document {
            Document::Revision { release, file_name, bytes } => {
                Store::keep_revision(txn, release, file_name, bytes, now).await?;
            }
            Document::Proposal { release, file_name, bytes } => {
                Store::keep_proposal(txn, release, file_name, bytes, now).await?;
            }
            Document::Adopted { release } => Store::adopt_proposal(txn, release, now).await?,
            Document::TrainPlan { guild, name, file_name, bytes } => {
                Store::keep_train_plan(txn, guild, name, file_name, bytes).await?;
            }
        }
    }
    // Before what is told: whoever is told of trouble hears of its end, though an earlier post of it was reported just now.
    Store::mark_reported(txn, &batch.reported).await?;
    for (n, stage) in batch.stages.iter().enumerate() {
        // The first one's went with what goes on.
        if n > 0 && !Store::put(txn, &stage.sends(), now).await? {
            return Ok(false);
        }
        for mending in &stage.mendings {
            match mending {
                Mending::Redeliver(key, Redelivery::SendAgain { to }) => {
                    Store::send_again(txn, key, to.as_ref(), now).await?;
                }
                Mending::Redeliver(key, Redelivery::CallSent) => Store::call_sent(txn, key).await?,
                Mending::Redeliver(key, Redelivery::Withdraw) => Store::withdraw(txn, key).await?,
                Mending::Told(row) => Store::mark_told(txn, *row).await?,
                Mending::Recall { release, from, to } => Store::recall(txn, *release, from, to).await?,
                Mending::Readdress(guild, rules) => readdress(txn, guild, &rules.0, &rules.1, now).await?,
                Mending::SendAgain(guild, to) => Store::send_own_again(txn, guild, to, now).await?,
            }
        }
    }
    Ok(true)
}

/// What waits for somebody goes to the channel that stands for them now.
async fn readdress(
    txn: &mut Conn,
    guild: &GuildId,
    before: &Policy,
    after: &Policy,
    now: Timestamp,
) -> Result<(), StoreFault> {
    for (to, channel) in Store::addressees(txn, guild).await? {
        let stood = before.address(&to).is_some_and(|(known, _)| known == channel);
        if let Some((new, _)) = after.address(&to).filter(|(new, _)| stood && *new != channel) {
            Store::readdress(txn, guild, &to, (&channel, &new), now).await?;
        }
    }
    Ok(())
}
