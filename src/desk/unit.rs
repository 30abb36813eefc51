//! One transaction: what the requests of a batch have read, decided and will write. Reads find what was decided before in the batch,
//! then what is known, then the database; writes are collected and go out at the end, in few statements. A request that is
//! refused or fails leaves nothing behind. It must not decide anything about releases.

mod outbox;
mod page;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use self::page::{Changed, Document, Page, change};
use super::known::{self, Known, Stored};
use crate::delivery::{ChannelState, Target, hashed};
use crate::desk::door::Desk;
use crate::domain::freeze::{self, Planned};
use crate::domain::ids::{ReleaseId, ReleaseNo, WorkspaceId};
use crate::domain::prompt::Prompt;
use crate::domain::release::Release;
use crate::domain::workspace::Workspace;
use crate::store::{
    DocumentKey, Head, Line, NewPrompt, PostRow, ReleaseHead, Store, StoreFault, StoredPrompt, Txn, json, to_json,
};

/// Source and id of what came in.
pub(super) type Once = (String, String);

/// A batch on its way to the disk.
pub(super) struct Unit<'d> {
    desk: &'d Desk,
    txn: Txn,
    known: &'d mut Known,
    pub(super) now: Timestamp,
    page: Page,
    /// Messages that were read ahead.
    read: BTreeMap<i64, PostRow>,
    /// Targets something is known against, once they were read, as they are by now.
    channels: Option<BTreeMap<Target, ChannelState>>,
}

impl<'d> Unit<'d> {
    pub(super) async fn begin(desk: &'d Desk, known: &'d mut Known, now: Timestamp) -> Result<Self, StoreFault> {
        let (txn, page, read) = (desk.store.begin().await?, Page::default(), BTreeMap::new());
        Ok(Self { desk, txn, known, now, page, read, channels: None })
    }

    /// This installation's id.
    pub(super) fn installation(&self) -> &str {
        self.desk.store.installation()
    }

    /// Notes what comes in; what of it is new.
    pub(super) async fn note_came(&mut self, once: &[&Once]) -> Result<BTreeSet<Once>, StoreFault> {
        if once.is_empty() { Ok(BTreeSet::new()) } else { Store::note_came(&mut self.txn, once, self.now).await }
    }

    /// What was refused may come again.
    pub(super) async fn forget_came(&mut self, once: &[&Once]) -> Result<(), StoreFault> {
        if once.is_empty() { Ok(()) } else { Store::forget_came(&mut self.txn, once).await }
    }

    /// How much is decided so far.
    pub(super) fn decided(&self) -> usize {
        self.page.decided
    }

    /// A workspace, or a fresh one where the server is not known yet.
    pub(super) async fn workspace(&mut self, server: &WorkspaceId) -> Result<Arc<Workspace>, StoreFault> {
        Ok(self.workspace_now(server).await?.value)
    }

    async fn workspace_now(&mut self, server: &WorkspaceId) -> Result<Stored<Workspace>, StoreFault> {
        if let Some(changed) = self.page.workspaces.get(server) {
            return Ok(changed.now.clone());
        }
        if let Some(known) = self.known.workspaces.get(server) {
            return Ok(known.clone());
        }
        let (workspace, version) = Store::workspace(&mut self.txn, server).await?;
        let stored = Stored { value: Arc::new(workspace), version };
        if version > 0 {
            known::keep(&mut self.known.workspaces, server.clone(), stored.clone());
        }
        Ok(stored)
    }

    /// How often a workspace was changed; 0 where the server is not known.
    pub(super) async fn workspace_version(&mut self, server: &WorkspaceId) -> Result<i64, StoreFault> {
        Ok(self.workspace_now(server).await?.version)
    }

    /// A workspace is as given from here on.
    pub(super) async fn save_workspace(&mut self, workspace: Arc<Workspace>) -> Result<(), StoreFault> {
        let server = workspace.server.clone();
        let read_at = self.workspace_now(&server).await?.version;
        let now = Stored { value: workspace, version: read_at + 1 };
        self.page.decided += 1;
        change(&mut self.page.workspaces, server, Changed { now, read_at });
        Ok(())
    }

    /// A release, if there is such a one.
    pub(super) async fn release(&mut self, id: ReleaseId) -> Result<Option<Arc<Release>>, StoreFault> {
        Ok(self.release_now(id).await?.map(|stored| stored.value))
    }

    async fn release_now(&mut self, id: ReleaseId) -> Result<Option<Stored<Release>>, StoreFault> {
        if let Some(changed) = self.page.releases.get(&id) {
            return Ok(Some(changed.now.clone()));
        }
        if let Some(known) = self.known.releases.get(&id) {
            return Ok(Some(known.clone()));
        }
        let Some((release, version)) = Store::release(&mut self.txn, id).await? else { return Ok(None) };
        let stored = Stored { value: Arc::new(release), version };
        known::keep(&mut self.known.releases, id, stored.clone());
        Ok(Some(stored))
    }

    /// A release is as given from here on. Its card and its status pages follow at the end of the batch.
    pub(super) async fn save_release(&mut self, release: Arc<Release>) -> Result<(), StoreFault> {
        let (id, read_at) = (release.id, self.release_now(release.id).await?.map_or(0, |stored| stored.version));
        let now = Stored { value: release, version: read_at + 1 };
        self.page.decided += 1;
        change(&mut self.page.releases, id, Changed { now, read_at });
        Ok(())
    }

    /// Releases of a server that this batch has changed.
    fn changed_in<'u>(&'u self, server: &'u WorkspaceId) -> impl Iterator<Item = &'u Release> {
        let changed = self.page.releases.values().map(|changed| changed.now.value.as_ref());
        changed.filter(move |release| release.server == *server)
    }

    /// The id behind `REL-42` in one server.
    pub(super) async fn numbered(
        &mut self,
        server: &WorkspaceId,
        no: ReleaseNo,
    ) -> Result<Option<ReleaseId>, StoreFault> {
        if let Some(head) = self.open(server).await?.into_iter().find(|head| head.no == no) {
            return Ok(Some(head.id));
        }
        Store::release_numbered(&mut self.txn, server, no).await
    }

    /// A server's releases that are not over, newest first.
    pub(super) async fn open(&mut self, server: &WorkspaceId) -> Result<Vec<ReleaseHead>, StoreFault> {
        if !self.known.open.contains_key(server) {
            let heads = Store::open_releases(&mut self.txn, server).await?;
            known::keep(&mut self.known.open, server.clone(), heads);
        }
        let stored = self.known.open.get(server).into_iter().flatten().cloned();
        let mut heads: BTreeMap<ReleaseNo, ReleaseHead> = stored.map(|head| (head.no, head)).collect();
        heads.extend(self.changed_in(server).map(|release| (release.no, ReleaseHead::of(release))));
        Ok(heads.into_values().rev().filter(|head| !head.phase.is_over()).collect())
    }

    /// A server's releases from submitting to the all-clear, oldest first.
    pub(super) async fn planned(&mut self, server: &WorkspaceId) -> Result<Vec<Planned>, StoreFault> {
        let stored = Store::planned(&mut self.txn, server).await?;
        let mut planned: BTreeMap<ReleaseNo, Planned> = stored.into_iter().map(|other| (other.no, other)).collect();
        for release in self.changed_in(server) {
            planned.remove(&release.no);
            planned.extend(freeze::view::planned(release).map(|other| (release.no, other)));
        }
        Ok(planned.into_values().collect())
    }

    /// A prompt of one server; one of another server is not found.
    pub(super) async fn prompt(&mut self, server: &WorkspaceId, id: &str) -> Result<Option<StoredPrompt>, StoreFault> {
        if let Some(new) = self.page.prompts.get(id) {
            let prompt = json(&new.kind, "prompt", "kind", id)?;
            return Ok((new.server == *server).then_some(StoredPrompt { release: new.release, prompt }));
        }
        Store::prompt(&mut self.txn, server, id).await
    }

    /// Keeps a prompt; one that asks the same is the same. Its id cannot be guessed without this installation's.
    pub(super) fn keep_prompt(&mut self, release: &Release, prompt: &Prompt) -> Result<String, StoreFault> {
        let kind = to_json(prompt, "prompt")?;
        let id = hashed(&[self.desk.store.installation(), &release.id.to_string(), &kind]);
        let (server, at) = (release.server.clone(), self.now.as_millisecond());
        let new = NewPrompt { id: id.clone(), server, release: release.id, kind, at };
        if !self.known.prompts.contains(&id) {
            self.page.prompts.entry(id.clone()).or_insert(new);
        }
        Ok(id)
    }

    /// The end of the journal, what the request at hand has written included.
    pub(super) async fn head(&mut self) -> Result<Option<Head>, StoreFault> {
        if let Some(line) = self.page.lines.last() {
            return Ok(Some(line.head()));
        }
        if self.known.head.is_none() {
            self.known.head = Some(Store::head(&mut self.txn).await?);
        }
        Ok(self.known.head.clone().flatten())
    }

    /// Appends entries, which are JSON already, to the journal.
    pub(super) async fn record(
        &mut self,
        server: &WorkspaceId,
        release: Option<ReleaseId>,
        entries: Vec<(Timestamp, String)>,
    ) -> Result<(), StoreFault> {
        let mut head = self.head().await?;
        for (at, entry) in entries {
            let line = Line::after(head.as_ref(), server, release, at, entry);
            head = Some(line.head());
            self.page.lines.push(line);
        }
        Ok(())
    }

    /// A train's template: its file's name and bytes.
    pub(super) async fn train_plan(
        &mut self,
        server: &WorkspaceId,
        name: &str,
    ) -> Result<Option<(String, Vec<u8>)>, StoreFault> {
        let key = DocumentKey::Train(server.clone(), name.to_owned());
        if let Some(new) = self.page.documents.iter().rev().find(|document| document.key == key) {
            return Ok(Some((new.file_name.clone(), new.bytes.clone())));
        }
        let stored = Store::document(&mut self.txn, &key).await?;
        Ok(stored.map(|file| (file.file_name, file.bytes)))
    }

    /// Keeps a document.
    pub(super) fn keep_document(&mut self, key: DocumentKey, file_name: &str, bytes: &[u8]) {
        self.page.documents.push(Document { key, file_name: file_name.to_owned(), bytes: bytes.to_vec() });
    }

    /// The document of a release's newest amendment is its present revision from here on.
    pub(super) fn adopt_amendment(&mut self, release: Arc<Release>) {
        self.page.adopted.push(release);
    }

    /// Releases the batch has changed, whose cards and status pages are to follow.
    pub(super) fn changed_releases(&self) -> Vec<Arc<Release>> {
        self.page.releases.values().map(|changed| Arc::clone(&changed.now.value)).collect()
    }
}
