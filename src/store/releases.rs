//! Rows of releases. Every query of a tenant's rows names its server.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::SqliteConnection;

use crate::domain::agenda::next_wakeup;
use crate::domain::freeze::Planned;
use crate::domain::ids::{ReleaseId, ReleaseNo, WorkspaceId};
use crate::domain::phase::PhaseName;
use crate::domain::release::{MAX_STATE_BYTES, Release};
use crate::store::base::{Store, StoreFault, instant, json, to_json};

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

/// A release as the statements take it.
#[derive(Serialize)]
struct Written<'r> {
    id: ReleaseId,
    #[serde(rename = "guild")]
    server: &'r WorkspaceId,
    no: u32,
    read_at: i64,
    version: i64,
    phase: &'static str,
    title: &'r str,
    service: Option<&'r str>,
    /// Milliseconds of Unix time.
    wakeup: Option<i64>,
    state: String,
}

impl<'r> Written<'r> {
    fn of((release, read_at, version): (&'r Release, i64, i64)) -> Result<Self, StoreFault> {
        Ok(Self {
            id: release.id,
            server: &release.server,
            no: release.no.0,
            read_at,
            version,
            phase: phase_text(release.phase.name()),
            title: &release.plan.title,
            service: release.plan.service.as_deref(),
            wakeup: next_wakeup(release).map(Timestamp::as_millisecond),
            state: sized(to_json(release, "release")?, "release", release)?,
        })
    }
}

/// A text within the size limit; an import over it is refused before.
fn sized(text: String, table: &'static str, release: &Release) -> Result<String, StoreFault> {
    if text.len() <= MAX_STATE_BYTES {
        return Ok(text);
    }
    Err(StoreFault::Inconsistent { table, column: "size", key: release.id.to_string() })
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

pub(super) fn release_id(text: &str) -> Result<ReleaseId, StoreFault> {
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
    pub async fn read_release(&self, id: ReleaseId) -> Result<Option<Release>, StoreFault> {
        let mut connection = self.read().acquire().await?;
        Ok(Self::release(&mut connection, id).await?.map(|(release, _)| release))
    }

    /// The id behind `REL-42` in one server.
    pub async fn release_numbered(
        txn: &mut SqliteConnection,
        server: &WorkspaceId,
        no: ReleaseNo,
    ) -> Result<Option<ReleaseId>, StoreFault> {
        let row = sqlx::query_scalar!("SELECT id FROM release WHERE guild_id = ? AND no = ?", server.0, no.0)
            .fetch_optional(txn)
            .await?;
        row.map(|id| release_id(&id)).transpose()
    }

    /// A server's releases that are not over, newest first.
    pub async fn open_releases(
        txn: &mut SqliteConnection,
        server: &WorkspaceId,
    ) -> Result<Vec<ReleaseHead>, StoreFault> {
        let rows = sqlx::query!(
            "SELECT id, no, title, phase, service FROM release WHERE guild_id = ? AND phase NOT IN ('closed', 'scrubbed') ORDER BY no DESC",
            server.0
        )
        .fetch_all(txn)
        .await?;
        rows.into_iter().map(|row| head(&row.id, row.no, row.title, &row.phase, row.service)).collect()
    }

    /// A server's releases from submitting to the all-clear, as far as overlaps and freezes concern them; oldest first.
    pub async fn planned(txn: &mut SqliteConnection, server: &WorkspaceId) -> Result<Vec<Planned>, StoreFault> {
        let rows = sqlx::query!(
            r#"SELECT id, no, title, service, phase, plan ->> '$.t0.at' AS "t0: String",
                    coalesce(state ->> '$.phase.phase' = 'held', 0) AS "paused!: bool"
             FROM release JOIN release_terms ON release_id = id
             WHERE guild_id = ? AND phase IN ('gathering', 'approved', 'held', 'live', 'watching', 'rolling_back') ORDER BY no"#,
            server.0
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
    pub async fn list_releases(&self, server: &WorkspaceId) -> Result<Vec<ReleaseHead>, StoreFault> {
        let rows = sqlx::query!(
            "SELECT id, no, title, phase, service FROM release WHERE guild_id = ? ORDER BY no DESC LIMIT 25",
            server.0
        )
        .fetch_all(self.read())
        .await?;
        rows.into_iter().map(|row| head(&row.id, row.no, row.title, &row.phase, row.service)).collect()
    }

    /// Releases whose next wake-up has come.
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

    /// Stores releases, each with the version it was read at (zero if new) and its next version.
    ///
    /// # Errors
    /// [`StoreFault::Conflict`] if another process changed one meanwhile; a taken number; a state over the size limit.
    pub async fn save_releases(
        txn: &mut SqliteConnection,
        releases: impl Iterator<Item = (&Release, i64, i64)>,
    ) -> Result<(), StoreFault> {
        let rows = releases.map(Written::of).collect::<Result<Vec<_>, _>>()?;
        let (new, known): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.read_at == 0);
        if !new.is_empty() {
            let new = to_json(&new, "release")?;
            sqlx::query!(
                "INSERT INTO release (id, guild_id, no, version, phase, title, service, next_wakeup, state)
                 SELECT r.value ->> 'id', r.value ->> 'guild', r.value ->> 'no', r.value ->> 'version', r.value ->> 'phase',
                        r.value ->> 'title', r.value ->> 'service', r.value ->> 'wakeup', r.value ->> 'state'
                 FROM json_each(?) r",
                new
            )
            .execute(&mut *txn)
            .await?;
        }
        if known.is_empty() {
            return Ok(());
        }
        let changed = to_json(&known, "release")?;
        let done = sqlx::query!(
            "WITH n AS MATERIALIZED (SELECT jsonb(value) AS r FROM json_each(?))
             UPDATE release SET version = r ->> 'version', phase = r ->> 'phase', title = r ->> 'title',
                                service = r ->> 'service', next_wakeup = r ->> 'wakeup', state = r ->> 'state'
             FROM n WHERE release.id = r ->> 'id' AND release.version = r ->> 'read_at'",
            changed
        )
        .execute(txn)
        .await?;
        if done.rows_affected() == known.len() as u64 {
            return Ok(());
        }
        Err(StoreFault::Conflict(known.iter().map(|row| row.id.to_string()).collect::<Vec<_>>().join(", ")))
    }

    /// Saves what a release runs by.
    ///
    /// # Errors
    /// A plan over the size limit.
    pub async fn save_terms(txn: &mut SqliteConnection, release: &Release) -> Result<(), StoreFault> {
        let id = release.id.to_string();
        let plan = sized(to_json(&release.plan, "release_terms")?, "release_terms", release)?;
        let policy = to_json(&release.policy, "release_terms")?;
        sqlx::query!(
            "INSERT OR REPLACE INTO release_terms (release_id, plan, policy) VALUES (?, ?, ?)",
            id,
            plan,
            policy
        )
        .execute(txn)
        .await?;
        Ok(())
    }

    /// A reading connection, for the few look-ups that take either kind.
    pub async fn reader(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Sqlite>, StoreFault> {
        Ok(self.read().acquire().await?)
    }
}
