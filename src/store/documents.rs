//! Documents and prompts: plan revisions, proposals, templates of trains, and what buttons lead to. Bytes are stored once, by their hash.

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

use super::{FileRef, Store, StoreFault, json, release_id, to_json};
use crate::domain::effect::Prompt;
use crate::domain::ids::{GuildId, ReleaseId};
use crate::domain::release::Release;

/// A file's name and bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    pub file_name: String,
    pub bytes: Vec<u8>,
}

/// A prompt to be stored.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewPrompt {
    pub id: String,
    pub guild: GuildId,
    pub release: ReleaseId,
    /// The prompt as JSON.
    pub kind: String,
    /// Milliseconds of Unix time.
    pub at: i64,
}

/// A prompt and the release it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPrompt {
    pub release: ReleaseId,
    pub prompt: Prompt,
}

/// What a document is for.
#[derive(Debug, Clone)]
pub enum DocumentOf<'d> {
    /// The present revision of a release, for ever.
    Revision(&'d Release),
    /// The newest amendment of a release.
    Proposal(&'d Release),
    /// A train's template.
    Train { guild: &'d GuildId, name: &'d str },
}

/// The hash bytes are stored under: SHA-256, hexadecimal.
pub fn content_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Store {
    /// Keeps a document; another template of a train's name replaces the one before.
    pub async fn keep_document(
        txn: &mut SqliteConnection,
        of: &DocumentOf<'_>,
        file_name: &str,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<(), StoreFault> {
        let (content, at) = (content_hash(bytes), at.as_millisecond());
        sqlx::query!("INSERT INTO content (hash, bytes) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING", content, bytes)
            .execute(&mut *txn)
            .await?;
        match of {
            DocumentOf::Revision(release) => Self::keep_revision(txn, release, file_name, &content, at).await,
            DocumentOf::Proposal(release) => Self::keep_proposal(txn, release, file_name, &content, at).await,
            DocumentOf::Train { guild, name } => Self::keep_train_plan(txn, guild, name, file_name, &content).await,
        }
    }

    async fn keep_revision(
        txn: &mut SqliteConnection,
        release: &Release,
        file_name: &str,
        content: &str,
        at: i64,
    ) -> Result<(), StoreFault> {
        let id = release.id.to_string();
        sqlx::query!(
            "INSERT INTO revision (release_id, revision, digest, file_name, content, at) VALUES (?, ?, ?, ?, ?, ?)",
            id,
            release.revision,
            release.digest,
            file_name,
            content,
            at
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    async fn keep_proposal(
        txn: &mut SqliteConnection,
        release: &Release,
        file_name: &str,
        content: &str,
        at: i64,
    ) -> Result<(), StoreFault> {
        let (id, n) = (release.id.to_string(), release.amendments);
        sqlx::query!(
            "INSERT INTO proposal (release_id, n, file_name, content, at) VALUES (?, ?, ?, ?, ?)",
            id,
            n,
            file_name,
            content,
            at
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    async fn keep_train_plan(
        txn: &mut SqliteConnection,
        guild: &GuildId,
        name: &str,
        file_name: &str,
        content: &str,
    ) -> Result<(), StoreFault> {
        sqlx::query!(
            "INSERT INTO train_plan (guild_id, name, file_name, content) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (guild_id, name) DO UPDATE SET file_name = ?3, content = ?4",
            guild.0,
            name,
            file_name,
            content
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// The document of the newest amendment is the release's present revision now.
    ///
    /// # Errors
    /// Database faults; there is no such document.
    pub async fn adopt_proposal(
        txn: &mut SqliteConnection,
        release: &Release,
        at: Timestamp,
    ) -> Result<(), StoreFault> {
        let (id, n, at) = (release.id.to_string(), release.amendments, at.as_millisecond());
        let done = sqlx::query!(
            "INSERT INTO revision (release_id, revision, digest, file_name, content, at)
             SELECT release_id, ?1, ?2, file_name, content, ?3 FROM proposal WHERE release_id = ?4 AND n = ?5",
            release.revision,
            release.digest,
            at,
            id,
            n
        )
        .execute(txn)
        .await?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        Err(StoreFault::Inconsistent { table: "proposal", column: "n", key: id })
    }

    /// A revision's file.
    pub async fn revision(&self, release: ReleaseId, revision: u32) -> Result<Option<StoredFile>, StoreFault> {
        let id = release.to_string();
        let row = sqlx::query_as!(
            StoredFile,
            "SELECT file_name, bytes FROM revision JOIN content ON hash = content WHERE release_id = ? AND revision = ?",
            id,
            revision
        );
        Ok(row.fetch_optional(self.read()).await?)
    }

    /// A revision's file by its hash, to go along with a message.
    pub async fn revision_file(txn: &mut SqliteConnection, release: &Release) -> Result<Option<FileRef>, StoreFault> {
        let id = release.id.to_string();
        let row = sqlx::query_as!(
            FileRef,
            "SELECT file_name AS name, content FROM revision WHERE release_id = ? AND revision = ?",
            id,
            release.revision
        );
        Ok(row.fetch_optional(txn).await?)
    }

    /// Bytes by their hash.
    pub async fn content(&self, hash: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        let bytes = sqlx::query_scalar!("SELECT bytes FROM content WHERE hash = ?", hash);
        Ok(bytes.fetch_optional(self.read()).await?)
    }

    /// A train's template.
    pub async fn train_plan(
        txn: &mut SqliteConnection,
        guild: &GuildId,
        name: &str,
    ) -> Result<Option<StoredFile>, StoreFault> {
        let row = sqlx::query_as!(
            StoredFile,
            "SELECT file_name, bytes FROM train_plan JOIN content ON hash = content WHERE guild_id = ? AND name = ?",
            guild.0,
            name
        );
        Ok(row.fetch_optional(txn).await?)
    }

    /// Adds prompts; one that is there already stays.
    pub async fn add_prompts(txn: &mut SqliteConnection, prompts: &[&NewPrompt]) -> Result<(), StoreFault> {
        let prompts = to_json(&prompts, "prompt")?;
        sqlx::query!(
            "INSERT INTO prompt (id, guild_id, release_id, kind, at)
             SELECT value ->> 'id', value ->> 'guild', value ->> 'release', value ->> 'kind', value ->> 'at'
             FROM json_each(?) WHERE true ON CONFLICT (id) DO NOTHING",
            prompts
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// A prompt of one server; one of another server is not found.
    pub async fn prompt(
        txn: &mut SqliteConnection,
        guild: &GuildId,
        id: &str,
    ) -> Result<Option<StoredPrompt>, StoreFault> {
        let row = sqlx::query!("SELECT release_id, kind FROM prompt WHERE id = ? AND guild_id = ?", id, guild.0)
            .fetch_optional(txn)
            .await?;
        row.map(|row| {
            Ok(StoredPrompt { release: release_id(&row.release_id)?, prompt: json(&row.kind, "prompt", "kind", id)? })
        })
        .transpose()
    }

    /// The same for reading only.
    pub async fn read_prompt(&self, guild: &GuildId, id: &str) -> Result<Option<StoredPrompt>, StoreFault> {
        let mut connection = self.read().acquire().await?;
        Self::prompt(&mut connection, guild, id).await
    }
}
