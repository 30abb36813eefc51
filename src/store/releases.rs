//! Rows of releases, their plan revisions and prompts. Every query of a tenant's rows names its guild.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::SqliteConnection;

use super::{Store, StoreFault, instant, json, to_json};
use crate::domain::agenda::next_wakeup;
use crate::domain::effect::Prompt;
use crate::domain::freeze::Planned;
use crate::domain::ids::{GuildId, ReleaseId, ReleaseNo};
use crate::domain::release::{MAX_STATE_BYTES, PhaseName, Release};

/// A release in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseHead {
    pub id: ReleaseId,
    pub no: ReleaseNo,
    pub title: String,
    pub phase: PhaseName,
    pub service: Option<String>,
}

impl ReleaseHead {
    /// As a list names it.
    pub fn of(release: &Release) -> Self {
        let (title, service) = (release.plan.title.clone(), release.plan.service.clone());
        Self { id: release.id, no: release.no, title, phase: release.phase.name(), service }
    }
}

/// What a release runs by, as its row will be.
#[derive(Debug, Clone, PartialEq)]
pub struct TermsRow {
    plan: String,
    policy: String,
}

impl TermsRow {
    /// The row of a release, unless it says what the one before says.
    ///
    /// # Errors
    /// A plan over the size limit; an import over it is refused before.
    pub fn of(release: &Release, before: Option<&Release>) -> Result<Option<Self>, StoreFault> {
        if before.is_some_and(|before| before.plan == release.plan && before.policy == release.policy) {
            return Ok(None);
        }
        let (plan, policy) = (to_json(&release.plan, "release_terms")?, to_json(&release.policy, "release_terms")?);
        if plan.len() > MAX_STATE_BYTES {
            return Err(StoreFault::Inconsistent {
                table: "release_terms",
                column: "plan size",
                key: release.id.to_string(),
            });
        }
        Ok(Some(Self { plan, policy }))
    }
}

/// A release as its row will be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReleaseRow {
    pub(super) id: String,
    #[serde(skip)]
    guild: GuildId,
    #[serde(skip)]
    no: u32,
    phase: &'static str,
    title: String,
    service: Option<String>,
    /// Milliseconds of Unix time.
    pub wakeup: Option<i64>,
    #[serde(skip)]
    pub(super) state: String,
}

impl ReleaseRow {
    /// The row of a release.
    ///
    /// # Errors
    /// A state over the size limit.
    pub fn of(release: &Release) -> Result<Self, StoreFault> {
        let (id, state) = (release.id.to_string(), to_json(release, "release")?);
        if state.len() > MAX_STATE_BYTES {
            return Err(StoreFault::Inconsistent { table: "release", column: "state size", key: id });
        }
        let (guild, no, phase) = (release.guild.clone(), release.no.0, phase_text(release.phase.name()));
        let (title, service) = (release.plan.title.clone(), release.plan.service.clone());
        let wakeup = next_wakeup(release).map(Timestamp::as_millisecond);
        Ok(Self { id, guild, no, phase, title, service, wakeup, state })
    }
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

/// A plan's bytes as imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRevision {
    pub file_name: String,
    pub bytes: Vec<u8>,
}

/// A prompt and the release it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPrompt {
    pub release: ReleaseId,
    pub prompt: Prompt,
}

fn phase_text(name: PhaseName) -> &'static str {
    match name {
        PhaseName::Draft => "draft",
        PhaseName::Gathering => "gathering",
        PhaseName::Approved => "approved",
        PhaseName::Held => "held",
        PhaseName::Live => "live",
        PhaseName::Watching => "watching",
        PhaseName::RollingBack => "rolling_back",
        PhaseName::RolledBack => "rolled_back",
        PhaseName::AllClear => "all_clear",
        PhaseName::Closed => "closed",
        PhaseName::Scrubbed => "scrubbed",
    }
}

fn release_id(text: &str) -> Result<ReleaseId, StoreFault> {
    let parsed = uuid::Uuid::parse_str(text);
    parsed.map(ReleaseId).map_err(|_not_an_id| StoreFault::Inconsistent {
        table: "release",
        column: "id",
        key: text.to_owned(),
    })
}

fn head(id: &str, no: i64, title: String, phase: &str, service: Option<String>) -> Result<ReleaseHead, StoreFault> {
    let no = u32::try_from(no).map_err(|_negative| StoreFault::Inconsistent {
        table: "release",
        column: "no",
        key: id.to_owned(),
    })?;
    let phase = json(&format!("\"{phase}\""), "release", "phase", id)?;
    Ok(ReleaseHead { id: release_id(id)?, no: ReleaseNo(no), title, phase, service })
}

impl Store {
    /// A release with its version.
    ///
    /// # Errors
    /// Database faults.
    pub async fn release(txn: &mut SqliteConnection, id: ReleaseId) -> Result<Option<(Release, i64)>, StoreFault> {
        let id = id.to_string();
        let row = sqlx::query!(
            "SELECT version, state, plan, policy FROM release JOIN release_terms ON release_id = id WHERE id = ?",
            id
        )
        .fetch_optional(txn)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let running: Release = json(&row.state, "release", "state", &id)?;
        let plan = json(&row.plan, "release_terms", "plan", &id)?;
        let policy = json(&row.policy, "release_terms", "policy", &id)?;
        Ok(Some((Release { plan, policy, ..running }, row.version)))
    }

    /// The same for reading only.
    ///
    /// # Errors
    /// Database faults.
    pub async fn read_release(&self, id: ReleaseId) -> Result<Option<Release>, StoreFault> {
        let mut connection = self.read().acquire().await?;
        Ok(Self::release(&mut connection, id).await?.map(|(release, _)| release))
    }

    /// The id behind `REL-42` in one server.
    ///
    /// # Errors
    /// Database faults.
    pub async fn release_numbered(
        txn: &mut SqliteConnection,
        guild: &GuildId,
        no: ReleaseNo,
    ) -> Result<Option<ReleaseId>, StoreFault> {
        let row = sqlx::query_scalar!("SELECT id FROM release WHERE guild_id = ? AND no = ?", guild.0, no.0)
            .fetch_optional(txn)
            .await?;
        row.map(|id| release_id(&id)).transpose()
    }

    /// A server's releases that are not over, newest first.
    ///
    /// # Errors
    /// Database faults.
    pub async fn open_releases(txn: &mut SqliteConnection, guild: &GuildId) -> Result<Vec<ReleaseHead>, StoreFault> {
        let rows = sqlx::query!(
            "SELECT id, no, title, phase, service FROM release WHERE guild_id = ? AND phase NOT IN ('closed', 'scrubbed') ORDER BY no DESC",
            guild.0
        )
        .fetch_all(txn)
        .await?;
        rows.into_iter().map(|row| head(&row.id, row.no, row.title, &row.phase, row.service)).collect()
    }

    /// A server's releases from submitting to the all-clear, as far as overlaps and freezes concern them; oldest first.
    ///
    /// # Errors
    /// Database faults.
    pub async fn planned(txn: &mut SqliteConnection, guild: &GuildId) -> Result<Vec<Planned>, StoreFault> {
        let rows = sqlx::query!(
            r#"SELECT id, no, title, service, phase, plan ->> '$.t0.at' AS "t0: String",
                    coalesce(state ->> '$.phase.phase' = 'held', 0) AS "paused!: bool"
             FROM release JOIN release_terms ON release_id = id
             WHERE guild_id = ? AND phase IN ('gathering', 'approved', 'held', 'live', 'watching', 'rolling_back') ORDER BY no"#,
            guild.0
        )
        .fetch_all(txn)
        .await?;
        rows.into_iter()
            .map(|row| {
                let head = head(&row.id, row.no, row.title, &row.phase, row.service)?;
                let t0 = row.t0.map(|text| json(&format!("\"{text}\""), "release", "t0", &row.id)).transpose()?;
                let running = Planned::runs(head.phase, row.paused);
                Ok(Planned { no: head.no, title: head.title, t0, service: head.service, running })
            })
            .collect()
    }

    /// A server's releases, newest first, at most 25.
    ///
    /// # Errors
    /// Database faults.
    pub async fn list_releases(&self, guild: &GuildId) -> Result<Vec<ReleaseHead>, StoreFault> {
        let rows = sqlx::query!(
            "SELECT id, no, title, phase, service FROM release WHERE guild_id = ? ORDER BY no DESC LIMIT 25",
            guild.0
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter().map(|row| head(&row.id, row.no, row.title, &row.phase, row.service)).collect()
    }

    /// Releases whose next wake-up has come.
    ///
    /// # Errors
    /// Database faults.
    pub async fn due_releases(&self, now: Timestamp, limit: i64) -> Result<Vec<ReleaseId>, StoreFault> {
        let now = now.as_millisecond();
        let rows = sqlx::query_scalar!(
            "SELECT id FROM release WHERE next_wakeup IS NOT NULL AND next_wakeup <= ? ORDER BY next_wakeup LIMIT ?",
            now,
            limit
        )
        .fetch_all(self.read())
        .await?;
        rows.iter().map(|id| release_id(id)).collect()
    }

    /// The earliest wake-up of all.
    ///
    /// # Errors
    /// Database faults.
    pub async fn next_wakeup(&self) -> Result<Option<Timestamp>, StoreFault> {
        let row = sqlx::query_scalar!(
            r#"SELECT min(w) AS "w: i64" FROM (
                SELECT min(next_wakeup) AS w FROM release WHERE next_wakeup IS NOT NULL
                UNION ALL SELECT min(next_wakeup) FROM workspace WHERE next_wakeup IS NOT NULL)"#
        )
        .fetch_one(self.read())
        .await?;
        row.map(|ms| instant(ms, "release", "next_wakeup")).transpose()
    }

    /// Stores a release that is new.
    ///
    /// # Errors
    /// Database faults; one of them is a number that is taken.
    pub async fn add_release(txn: &mut SqliteConnection, row: &ReleaseRow, version: i64) -> Result<(), StoreFault> {
        sqlx::query!(
            "INSERT INTO release (id, guild_id, no, version, phase, title, service, next_wakeup, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row.id,
            row.guild.0,
            row.no,
            version,
            row.phase,
            row.title,
            row.service,
            row.wakeup,
            row.state
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// Saves what a release runs by.
    ///
    /// # Errors
    /// Database faults.
    pub async fn save_terms(txn: &mut SqliteConnection, id: ReleaseId, row: &TermsRow) -> Result<(), StoreFault> {
        let id = id.to_string();
        sqlx::query!(
            "INSERT INTO release_terms (release_id, plan, policy) VALUES (?1, ?2, ?3)
             ON CONFLICT (release_id) DO UPDATE SET plan = ?2, policy = ?3",
            id,
            row.plan,
            row.policy
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// Keeps a revision's bytes for ever.
    ///
    /// # Errors
    /// Database faults.
    pub async fn keep_revision(
        txn: &mut SqliteConnection,
        release: &Release,
        file_name: &str,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<(), StoreFault> {
        let (id, at) = (release.id.to_string(), at.as_millisecond());
        sqlx::query!(
            "INSERT INTO revision (release_id, revision, digest, file_name, bytes, at) VALUES (?, ?, ?, ?, ?, ?)",
            id,
            release.revision,
            release.digest,
            file_name,
            bytes,
            at
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// Keeps the document of an amendment until owner and on-call have agreed.
    ///
    /// # Errors
    /// Database faults.
    pub async fn keep_proposal(
        txn: &mut SqliteConnection,
        release: &Release,
        file_name: &str,
        bytes: &[u8],
        at: Timestamp,
    ) -> Result<(), StoreFault> {
        let (id, n, at) = (release.id.to_string(), release.amendments, at.as_millisecond());
        sqlx::query!(
            "INSERT INTO proposal (release_id, n, file_name, bytes, at) VALUES (?, ?, ?, ?, ?)",
            id,
            n,
            file_name,
            bytes,
            at
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// The document of the newest amendment is the release's present revision now.
    ///
    /// # Errors
    /// Database faults.
    pub async fn adopt_proposal(
        txn: &mut SqliteConnection,
        release: &Release,
        at: Timestamp,
    ) -> Result<(), StoreFault> {
        let (id, n, at) = (release.id.to_string(), release.amendments, at.as_millisecond());
        let done = sqlx::query!(
            "INSERT INTO revision (release_id, revision, digest, file_name, bytes, at)
             SELECT release_id, ?1, ?2, file_name, bytes, ?3 FROM proposal WHERE release_id = ?4 AND n = ?5",
            release.revision,
            release.digest,
            at,
            id,
            n
        )
        .execute(txn)
        .await?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(StoreFault::Inconsistent { table: "proposal", column: "n", key: id })
        }
    }

    /// A revision's bytes.
    ///
    /// # Errors
    /// Database faults.
    pub async fn revision(&self, release: ReleaseId, revision: u32) -> Result<Option<StoredRevision>, StoreFault> {
        let id = release.to_string();
        let row =
            sqlx::query!("SELECT file_name, bytes FROM revision WHERE release_id = ? AND revision = ?", id, revision)
                .fetch_optional(self.read())
                .await?;
        Ok(row.map(|row| StoredRevision { file_name: row.file_name, bytes: row.bytes }))
    }

    /// The prompt of a release that asks this already, as JSON.
    ///
    /// # Errors
    /// Database faults.
    pub async fn prompt_asking(
        txn: &mut SqliteConnection,
        release: ReleaseId,
        kind: &str,
    ) -> Result<Option<String>, StoreFault> {
        let release = release.to_string();
        Ok(sqlx::query_scalar!("SELECT id FROM prompt WHERE release_id = ? AND kind = ?", release, kind)
            .fetch_optional(txn)
            .await?)
    }

    /// A prompt of one server; one of another server is not found.
    ///
    /// # Errors
    /// Database faults.
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
    ///
    /// # Errors
    /// Database faults.
    pub async fn read_prompt(&self, guild: &GuildId, id: &str) -> Result<Option<StoredPrompt>, StoreFault> {
        let mut connection = self.read().acquire().await?;
        Self::prompt(&mut connection, guild, id).await
    }

    /// A reading connection, for the few look-ups that take either kind.
    ///
    /// # Errors
    /// Database faults.
    pub async fn reader(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Sqlite>, StoreFault> {
        Ok(self.read().acquire().await?)
    }
}
