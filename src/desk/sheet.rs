//! What a batch has read and what it will write. Reads find what the batch decided before, then what is kept in memory, then the
//! database; writes wait until everything is decided and go out together, a statement for each table. It must not decide
//! anything.
//!
//! The writer is alone in writing what is kept here, so it is what the database holds; should anybody else have written all the
//! same, versions and the journal's numbers show it, nothing of the batch is stored, and everything kept is forgotten.

mod layer;
mod memory;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::agenda::next_wakeup;
use crate::domain::effect::{Destination, Prompt, Redelivery};
use crate::domain::freeze::Planned;
use crate::domain::ids::{ChannelId, GuildId, ReleaseId, ReleaseNo, UserId};
use crate::domain::policy::Policy;
use crate::domain::release::Release;
use crate::domain::workspace::Workspace;
use crate::store::{
    Conn, Head, Line, NewEdit, NewPost, NewPrompt, ReleaseHead, ReleaseRow, Store, StoreFault, StoredPrompt, TermsRow,
    WorkspaceRow, Writer,
};

pub(super) use self::layer::Once;
use self::layer::{Changed, Document, Layer, Mending};
use self::memory::Kept;
pub(super) use self::memory::{Memory, Written};

/// How storing a batch ended.
#[derive(Debug)]
pub(super) enum Stored {
    All(Written),
    /// Nothing is stored, because these had come before.
    CameBefore(BTreeSet<Once>),
}

/// A batch on its way to the disk.
pub(super) struct Sheet<'m> {
    store: &'m Store,
    writer: Writer,
    memory: &'m mut Memory,
    batch: Layer,
    /// The request at hand; what it decided counts once it is kept.
    page: Layer,
}

impl<'m> Sheet<'m> {
    pub(super) async fn new(store: &'m Store, memory: &'m mut Memory) -> Result<Self, StoreFault> {
        Ok(Self { store, writer: store.writer().await?, memory, batch: Layer::default(), page: Layer::default() })
    }

    /// This installation's id.
    pub(super) fn installation(&self) -> &str {
        self.store.installation()
    }

    /// What of this had come in before the batch.
    pub(super) async fn came_before(&mut self, once: &[&Once]) -> Result<BTreeSet<Once>, StoreFault> {
        match once {
            [] => Ok(BTreeSet::new()),
            once => Store::came_before(&mut self.writer, once).await,
        }
    }

    /// Whether this came in earlier in the batch.
    pub(super) fn came(&self, once: &Once) -> bool {
        self.batch.once.contains(once)
    }

    /// The request at hand is decided, and counts.
    pub(super) fn keep(&mut self, once: Option<&Once>) {
        let mut page = std::mem::take(&mut self.page);
        page.once.extend(once.cloned());
        self.batch.absorb(page);
    }

    /// The request at hand has changed nothing.
    pub(super) fn drop_page(&mut self) {
        self.page = Layer::default();
    }

    fn connection(&mut self) -> &mut Conn {
        &mut self.writer
    }

    /// A workspace, or a fresh one where the server is not known yet.
    pub(super) async fn workspace(&mut self, guild: &GuildId) -> Result<Arc<Workspace>, StoreFault> {
        Ok(self.kept_workspace(guild).await?.value)
    }

    async fn kept_workspace(&mut self, guild: &GuildId) -> Result<Kept<Workspace>, StoreFault> {
        let changed = self.page.workspaces.get(guild).or_else(|| self.batch.workspaces.get(guild));
        if let Some(kept) = changed.map(|c| &c.kept).or_else(|| self.memory.workspaces.map.get(guild)) {
            return Ok(kept.clone());
        }
        let (workspace, version) = Store::workspace(self.connection(), guild).await?;
        let wakeup = workspace.next_wakeup().map(Timestamp::as_millisecond);
        let kept = Kept { value: Arc::new(workspace), version, wakeup };
        if version > 0 {
            self.memory.workspaces.put(guild.clone(), kept.clone());
        }
        Ok(kept)
    }

    /// The version a workspace is at; it grows with each change, and is 0 where the server is not known.
    pub(super) async fn version(&mut self, guild: &GuildId) -> Result<i64, StoreFault> {
        Ok(self.kept_workspace(guild).await?.version)
    }

    /// A workspace is as given from here on.
    pub(super) async fn save_workspace(&mut self, workspace: Arc<Workspace>) -> Result<(), StoreFault> {
        let before = self.kept_workspace(&workspace.guild).await?;
        let row = WorkspaceRow::of(&workspace)?;
        let guild = workspace.guild.clone();
        let kept = Kept { value: workspace, version: before.version + 1, wakeup: row.wakeup };
        layer::change(&mut self.page.workspaces, guild, Changed { kept, row, read_at: before.version });
        Ok(())
    }

    /// A release, if there is such a one.
    pub(super) async fn release(&mut self, id: ReleaseId) -> Result<Option<Arc<Release>>, StoreFault> {
        Ok(self.kept_release(id).await?.map(|kept| kept.value))
    }

    async fn kept_release(&mut self, id: ReleaseId) -> Result<Option<Kept<Release>>, StoreFault> {
        let changed = self.page.releases.get(&id).or_else(|| self.batch.releases.get(&id));
        if let Some(kept) = changed.map(|c| &c.kept).or_else(|| self.memory.releases.map.get(&id)) {
            return Ok(Some(kept.clone()));
        }
        let Some((release, version)) = Store::release(self.connection(), id).await? else { return Ok(None) };
        let wakeup = next_wakeup(&release).map(Timestamp::as_millisecond);
        let kept = Kept { value: Arc::new(release), version, wakeup };
        self.memory.releases.put(id, kept.clone());
        Ok(Some(kept))
    }

    /// A release is as given from here on.
    pub(super) async fn save_release(&mut self, release: Arc<Release>) -> Result<(), StoreFault> {
        let id = release.id;
        let known = self.kept_release(id).await?;
        let before = known.as_ref().map_or(0, |kept| kept.version);
        if let Some(terms) = TermsRow::of(&release, known.as_ref().map(|kept| kept.value.as_ref()))? {
            self.page.terms.insert(id, terms);
        }
        let row = ReleaseRow::of(&release)?;
        let kept = Kept { value: release, version: before + 1, wakeup: row.wakeup };
        layer::change(&mut self.page.releases, id, Changed { kept, row, read_at: before });
        Ok(())
    }

    /// The id behind `REL-42` in one server.
    pub(super) async fn numbered(&mut self, guild: &GuildId, no: ReleaseNo) -> Result<Option<ReleaseId>, StoreFault> {
        let changed = self.page.releases.values().chain(self.batch.releases.values());
        let mut fresh = changed.filter(|c| c.kept.value.no == no && c.kept.value.guild == *guild);
        if let Some(found) = fresh.next() {
            return Ok(Some(found.kept.value.id));
        }
        let key = (guild.clone(), no);
        if let Some(id) = self.memory.numbers.map.get(&key) {
            return Ok(Some(*id));
        }
        let found = Store::release_numbered(self.connection(), guild, no).await?;
        if let Some(id) = found {
            self.memory.numbers.put(key, id);
        }
        Ok(found)
    }

    /// A server's releases that are not over, newest first.
    pub(super) async fn open(&mut self, guild: &GuildId) -> Result<Vec<ReleaseHead>, StoreFault> {
        if !self.memory.open.map.contains_key(guild) {
            let heads = Store::open_releases(self.connection(), guild).await?;
            self.memory.open.put(guild.clone(), heads);
        }
        let stored = self.memory.open.map.get(guild).into_iter().flatten().cloned();
        let mut heads: BTreeMap<ReleaseNo, ReleaseHead> = stored.map(|head| (head.no, head)).collect();
        for changed in self.batch.releases.values().chain(self.page.releases.values()) {
            let release = &changed.kept.value;
            if release.guild == *guild {
                heads.insert(release.no, ReleaseHead::of(release));
            }
        }
        Ok(heads.into_values().rev().filter(|head| !head.phase.is_over()).collect())
    }

    /// A server's releases from submitting to the all-clear, oldest first.
    pub(super) async fn planned(&mut self, guild: &GuildId) -> Result<Vec<Planned>, StoreFault> {
        let stored = Store::planned(self.connection(), guild).await?;
        let mut planned: BTreeMap<ReleaseNo, Planned> = stored.into_iter().map(|other| (other.no, other)).collect();
        for changed in self.batch.releases.values().chain(self.page.releases.values()) {
            let release = &changed.kept.value;
            if release.guild == *guild {
                planned.remove(&release.no);
                planned.extend(Planned::of(release).map(|other| (release.no, other)));
            }
        }
        Ok(planned.into_values().collect())
    }

    /// A prompt of one server; one of another server is not found.
    pub(super) async fn prompt(&mut self, guild: &GuildId, id: &str) -> Result<Option<StoredPrompt>, StoreFault> {
        let mut fresh = self.page.prompts.iter().chain(&self.batch.prompts);
        if let Some(new) = fresh.find(|new| new.id == id && new.guild == *guild) {
            let prompt = serde_json::from_str(&new.kind).map_err(|error| unfit("prompt", &error))?;
            return Ok(Some(StoredPrompt { release: new.release, prompt }));
        }
        if let Some((whose, prompt)) = self.memory.prompts.map.get(id) {
            return Ok((whose == guild).then(|| prompt.clone()));
        }
        let found = Store::prompt(self.connection(), guild, id).await?;
        if let Some(prompt) = &found {
            self.memory.prompts.put(id.to_owned(), (guild.clone(), prompt.clone()));
        }
        Ok(found)
    }

    /// Keeps a prompt, or finds the one that asks the same already.
    pub(super) async fn keep_prompt(
        &mut self,
        release: &Release,
        prompt: &Prompt,
        at: Timestamp,
    ) -> Result<String, StoreFault> {
        let kind = serde_json::to_string(prompt).map_err(|error| unfit("prompt", &error))?;
        let mut fresh = self.page.prompts.iter().chain(&self.batch.prompts);
        if let Some(new) = fresh.find(|new| new.release == release.id && new.kind == kind) {
            return Ok(new.id.clone());
        }
        let key = (release.id, kind);
        if let Some(id) = self.memory.asking.map.get(&key) {
            return Ok(id.clone());
        }
        if let Some(id) = Store::prompt_asking(self.connection(), release.id, &key.1).await? {
            self.memory.asking.put(key, id.clone());
            return Ok(id);
        }
        let id = uuid::Uuid::now_v7().simple().to_string();
        let (guild, at) = (release.guild.clone(), at.as_millisecond());
        self.page.prompts.push(NewPrompt { id: id.clone(), guild, release: release.id, kind: key.1, at });
        Ok(id)
    }

    /// Whether a post was ever decided under a key.
    pub(super) async fn has_post(&mut self, key: &str) -> Result<bool, StoreFault> {
        if self.fresh_post(key).is_some() || self.memory.posts.map.contains_key(key) {
            return Ok(true);
        }
        let found = Store::has_post(self.connection(), key).await?;
        if found {
            self.memory.posts.put(key.to_owned(), None);
        }
        Ok(found)
    }

    fn fresh_post(&self, key: &str) -> Option<&NewPost> {
        let stages = self.page.stages.iter().chain(&self.batch.stages);
        stages.flat_map(|stage| &stage.posts).find(|post| post.key == key)
    }

    /// The frozen message under a key.
    pub(super) async fn payload(&mut self, key: &str) -> Result<Option<String>, StoreFault> {
        if let Some(post) = self.fresh_post(key) {
            return Ok(Some(post.payload.clone()));
        }
        Store::payload(self.connection(), key).await
    }

    /// The end of the journal, what the request at hand has written included.
    pub(super) async fn head(&mut self) -> Result<Option<Head>, StoreFault> {
        if let Some(line) = self.page.lines.last().or_else(|| self.batch.lines.last()) {
            return Ok(Some(line.head()));
        }
        if self.memory.head.is_none() {
            let head = Store::head(self.connection()).await?;
            self.memory.head = Some(head);
        }
        Ok(self.memory.head.clone().flatten())
    }

    /// Appends entries, which are JSON already, to the journal.
    pub(super) async fn record(
        &mut self,
        guild: &GuildId,
        release: Option<ReleaseId>,
        entries: Vec<(Timestamp, String)>,
    ) -> Result<(), StoreFault> {
        let mut head = self.head().await?;
        for (at, entry) in entries {
            let line = Line::after(head.as_ref(), guild, release, at, entry);
            head = Some(line.head());
            self.page.lines.push(line);
        }
        Ok(())
    }

    pub(super) fn post(&mut self, post: NewPost) {
        self.page.post(post);
    }

    /// Wants a message rendered anew; an equal rendering is no news.
    pub(super) fn edit(&mut self, edit: NewEdit) {
        self.page.edit(edit);
    }

    /// The workspace's own messages that are stuck are sent again, to where each reader is reached now.
    pub(super) fn send_again(&mut self, guild: GuildId, to: Vec<(Destination, ChannelId)>) {
        self.page.mend(Mending::SendAgain(guild, to));
    }

    /// Other channels may be set: what waits follows.
    pub(super) fn readdress(&mut self, guild: GuildId, before: Policy, after: Policy) {
        self.page.mend(Mending::Readdress(guild, Box::new((before, after))));
    }

    pub(super) fn redeliver(&mut self, key: String, how: Redelivery) {
        self.page.mend(Mending::Redeliver(key, how));
    }

    /// What waits in a release for its channel calls somebody else as well.
    pub(super) fn recall(&mut self, release: ReleaseId, from: UserId, to: UserId) {
        self.page.mend(Mending::Recall { release, from, to });
    }

    pub(super) fn told(&mut self, row: i64) {
        self.page.mend(Mending::Told(row));
    }

    pub(super) fn reported(&mut self, row: i64) {
        self.page.reported.push(row);
    }

    /// A revision's bytes, for ever.
    pub(super) fn keep_revision(&mut self, release: Arc<Release>, file_name: &str, bytes: &[u8]) {
        let (file_name, bytes) = (file_name.to_owned(), bytes.to_vec());
        self.page.documents.push(Document::Revision { release, file_name, bytes });
    }

    /// The document of an amendment.
    pub(super) fn keep_proposal(&mut self, release: Arc<Release>, file_name: &str, bytes: &[u8]) {
        let (file_name, bytes) = (file_name.to_owned(), bytes.to_vec());
        self.page.documents.push(Document::Proposal { release, file_name, bytes });
    }

    /// The newest amendment's document is the present revision from here on.
    pub(super) fn adopt_proposal(&mut self, release: Arc<Release>) {
        self.page.documents.push(Document::Adopted { release });
    }

    pub(super) fn keep_train_plan(&mut self, guild: &GuildId, name: &str, file_name: &str, bytes: &[u8]) {
        let (guild, name) = (guild.clone(), name.to_owned());
        let (file_name, bytes) = (file_name.to_owned(), bytes.to_vec());
        self.page.documents.push(Document::TrainPlan { guild, name, file_name, bytes });
    }

    /// A train's template: its file's name and bytes.
    pub(super) async fn train_plan(
        &mut self,
        guild: &GuildId,
        name: &str,
    ) -> Result<Option<(String, Vec<u8>)>, StoreFault> {
        let fresh = self.batch.documents.iter().chain(&self.page.documents).rev();
        for document in fresh {
            if let Document::TrainPlan { guild: whose, name: known, file_name, bytes } = document
                && whose == guild
                && known == name
            {
                return Ok(Some((file_name.clone(), bytes.clone())));
            }
        }
        Store::train_plan(self.connection(), guild, name).await
    }

    /// Stores the batch in one transaction. After a fault nothing of it is stored.
    pub(super) async fn store(mut self, now: Timestamp) -> Result<Stored, StoreFault> {
        if self.batch.is_empty() {
            return Ok(Stored::All(Written::default()));
        }
        self.batch.leave_out_what_is_known(self.memory);
        match layer::write(&mut self.writer, &self.batch, now).await {
            Ok(None) => {
                self.store.committed();
                Ok(Stored::All(self.memory.learn(self.batch)))
            }
            Ok(Some(before)) => Ok(Stored::CameBefore(before)),
            Err(fault) => {
                // Whatever is true now is read again.
                *self.memory = Memory::default();
                Err(fault)
            }
        }
    }
}

fn unfit(table: &'static str, error: &serde_json::Error) -> StoreFault {
    StoreFault::Inconsistent { table, column: "json", key: error.to_string() }
}
