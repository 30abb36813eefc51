//! Documents and prompts: plan revisions, amendments, templates of trains, and the targets of buttons. Bytes are stored once, by
//! their hash.

use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

use crate::domain::ids::{ReleaseId, WorkspaceId};
use crate::domain::prompt::Prompt;
use crate::store::base::{Store, StoreFault, json, to_json};
use crate::store::posts::FileRef;
use crate::store::releases::release_id;

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
    #[serde(rename = "guild")]
    pub server: WorkspaceId,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentKey {
    /// A revision of a release, for ever.
    Revision(ReleaseId, u32),
    /// An amendment of a release, by its number.
    Proposal(ReleaseId, u32),
    /// A train's template; another one replaces it.
    Train(WorkspaceId, String),
}

impl std::fmt::Display for DocumentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Revision(release, n) => write!(f, "{release}/revision/{n}"),
            Self::Proposal(release, n) => write!(f, "{release}/proposal/{n}"),
            Self::Train(server, name) => write!(f, "{server}/train/{name}"),
        }
    }
}

/// The hash bytes are stored under: SHA-256, hexadecimal.
pub fn content_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Store {
    /// Keeps a document.
    ///
    /// # Errors
    /// There is one already, and it is not a train's.
    pub async fn keep_document(
        txn: &mut SqliteConnection,
        key: &DocumentKey,
        file_name: &str,
        bytes: &[u8],
    ) -> Result<(), StoreFault> {
        let content = content_hash(bytes);
        sqlx::query!("INSERT INTO content (hash, bytes) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING", content, bytes)
            .execute(&mut *txn)
            .await?;
        Self::keep_file(txn, key, &FileRef { name: file_name.to_owned(), content }).await
    }

    /// Keeps a file whose bytes are stored already.
    ///
    /// # Errors
    /// As [`Store::keep_document`].
    pub async fn keep_file(txn: &mut SqliteConnection, key: &DocumentKey, file: &FileRef) -> Result<(), StoreFault> {
        let text = key.to_string();
        if let DocumentKey::Train(..) = key {
            sqlx::query!("DELETE FROM document WHERE key = ?", text).execute(&mut *txn).await?;
        }
        sqlx::query!("INSERT INTO document (key, file_name, content) VALUES (?, ?, ?)", text, file.name, file.content)
            .execute(txn)
            .await?;
        Ok(())
    }

    /// A document's file by its hash.
    pub async fn file(txn: &mut SqliteConnection, key: &DocumentKey) -> Result<Option<FileRef>, StoreFault> {
        let key = key.to_string();
        let file = sqlx::query_as!(FileRef, "SELECT file_name AS name, content FROM document WHERE key = ?", key);
        Ok(file.fetch_optional(txn).await?)
    }

    /// A document.
    pub async fn document(txn: &mut SqliteConnection, key: &DocumentKey) -> Result<Option<StoredFile>, StoreFault> {
        let key = key.to_string();
        let file = sqlx::query_as!(
            StoredFile,
            "SELECT file_name, bytes FROM document JOIN content ON hash = content WHERE key = ?",
            key
        );
        Ok(file.fetch_optional(txn).await?)
    }

    /// A revision's file.
    pub async fn revision(&self, release: ReleaseId, revision: u32) -> Result<Option<StoredFile>, StoreFault> {
        let mut connection = self.read().acquire().await?;
        Self::document(&mut connection, &DocumentKey::Revision(release, revision)).await
    }

    /// Bytes by their hash.
    pub async fn content(&self, hash: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        let bytes = sqlx::query_scalar!("SELECT bytes FROM content WHERE hash = ?", hash);
        Ok(bytes.fetch_optional(self.read()).await?)
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
        server: &WorkspaceId,
        id: &str,
    ) -> Result<Option<StoredPrompt>, StoreFault> {
        let row = sqlx::query!("SELECT release_id, kind FROM prompt WHERE id = ? AND guild_id = ?", id, server.0)
            .fetch_optional(txn)
            .await?;
        row.map(|row| {
            Ok(StoredPrompt { release: release_id(&row.release_id)?, prompt: json(&row.kind, "prompt", "kind", id)? })
        })
        .transpose()
    }

    /// The same for reading only.
    pub async fn read_prompt(&self, server: &WorkspaceId, id: &str) -> Result<Option<StoredPrompt>, StoreFault> {
        let mut connection = self.read().acquire().await?;
        Self::prompt(&mut connection, server, id).await
    }
}
