//! Plans in chat: import, new, edit, fixes, export. It turns documents into what the desk is asked, and answers with findings
//! and files; nothing of a person's text is ever lost to a refusal.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use serenity::model::application::CommandInteraction;

use super::attachment;
use super::handle::Handler;
use super::parse::Typed;
use super::reply::{Handled, Reply, Stop};
use super::rest::{Limit, Upload};
use crate::desk::{Answer, Ask, DeskFault, findings};
use crate::domain::ids::{ChannelId, ReleaseNo, UserId, WorkspaceId};
use crate::domain::lifecycle::Imported;
use crate::domain::people::Actor;
use crate::domain::plan::{Contact, Plan};
use crate::domain::prompt::Choice;
use crate::domain::release::{MAX_PLAN_BYTES, Phase, Release};
use crate::plan_doc::{self, Diagnostic, Reading};
use crate::store::ReleaseHead;
use crate::voice::{self, Message, system};

/// The longest text Discord takes in a paragraph input.
pub(super) const MAX_INPUT: usize = 4_000;
pub(super) const NOT_HERE: &str = "T-Minus cannot find this release. See /release list.";
pub(super) const BYTES_MISSING: &str = "The database does not have this plan's document. Tell your operator.";

/// A document on its way to the desk.
pub(super) struct Incoming {
    pub(super) guild: WorkspaceId,
    pub(super) actor: Actor,
    /// The release it revises; absent for a new one.
    pub(super) release: Option<ReleaseNo>,
    /// The revision it was made from: another one meanwhile is not overwritten.
    pub(super) expect: Option<u32>,
    /// The person says that it is a new release, even if another has the same title.
    pub(super) new: bool,
    pub(super) file_name: String,
    pub(super) bytes: Vec<u8>,
}

impl Handler {
    pub(super) async fn import(
        &self,
        reply: &Reply<'_>,
        it: &CommandInteraction,
        guild: &WorkspaceId,
        actor: Actor,
        typed: &Typed,
    ) -> Handled {
        let attached = attachment::of(it, typed).ok_or_else(|| Stop::sorry("Attach the plan in the option “plan”."))?;
        let named = typed.text("release").filter(|text| !text.trim().eq_ignore_ascii_case("new"));
        let release = named.map(|text| text.parse()).transpose();
        let release =
            release.map_err(|()| Stop::sorry("The option “release” takes a number such as REL-42, or “new”."))?;
        let new = typed.text("release").is_some_and(|text| text.trim().eq_ignore_ascii_case("new"));
        reply.wait().await?;
        let file_name = attachment::name(attached);
        let bytes = attachment::fetch(&self.http, &attached.url, u64::from(attached.size), self.local.as_deref()).await;
        let bytes = bytes.map_err(|unfetched| system::unreadable(&file_name, &[format!("{unfetched}.")]))?;
        let incoming = Incoming { guild: guild.clone(), actor, release, expect: None, new, file_name, bytes };
        self.take(reply, incoming).await
    }

    /// Reads a document, asks the desk, and answers. Whatever stops it, nothing was stored.
    pub(super) async fn take(&self, reply: &Reply<'_>, incoming: Incoming) -> Handled {
        let Incoming { guild, actor, release, expect, new, file_name, bytes } = incoming;
        // An old export must not put back what was changed since.
        let expect = expect.or_else(|| release.and_then(|_| plan_doc::exported_revision(&bytes)));
        let unticked = plan_doc::unticked(&bytes);
        let (mut reading, bytes) = self.read(&guild, release, bytes).await?;
        let source = String::from_utf8_lossy(&bytes).into_owned();
        let Some(mut plan) = reading.plan.take() else {
            let lines = plan_doc::render_chat(&reading.diagnostics, &source, 3);
            return Err(system::unreadable(&file_name, &lines).into());
        };
        if release.is_none() && !new {
            self.same_title(&guild, &plan.title).await?;
        }
        let (mut renamed, mut undone) = (BTreeMap::new(), Vec::new());
        if let Some(no) = release
            && let Some((merge, old, asked)) = self.merged(&guild, no, &reading).await?
        {
            let news = merge.diagnostics(&old, &reading, asked);
            reading.diagnostics.extend(news);
            renamed = merge.plain_ids();
            undone = unticked.iter().filter_map(|id| plan_doc::plain_id(id)).collect();
        }
        for contact in plan.contacts_mut() {
            self.resolve(&guild, contact).await;
        }
        plan.channel_id = self.channel(&guild, &plan).await;
        let size = serde_json::to_vec(&plan).map_or(usize::MAX, |json| json.len());
        if size > MAX_PLAN_BYTES {
            let lines = [format!(
                "The plan's fields hold {size} bytes; the limit is {MAX_PLAN_BYTES}. Shorten the longest texts, or link to them."
            )];
            return Err(system::unreadable(&file_name, &lines).into());
        }
        let fixes = reading.diagnostics.iter().flat_map(|d| &d.suggestions).filter(|s| s.safe).count();
        let imported = Box::new(Imported {
            plan,
            digest: reading.digest.clone(),
            findings: findings(&reading),
            fixes: u32::try_from(fixes).unwrap_or(u32::MAX),
            renamed,
            undone,
        });
        let stem = file_name.trim_end_matches(".md").to_owned();
        let ask = Ask::Import { server: guild, actor, release, expect, imported, file_name, bytes };
        match self.desk.ask_once(ask, "discord", reply.id()).await? {
            Answer::Done { message, prompt, release } => {
                let blocked = reading.blocked();
                let (text, findings) = (source.clone(), reading.diagnostics);
                // A report over thousands of findings is work, not an answer.
                let worked = tokio::task::spawn_blocking(move || with_findings(*message, &findings, &text, &stem));
                let (mut message, file) = worked.await.map_err(|error| DeskFault::NotRecorded(error.to_string()))?;
                if blocked && let Ok(Some(release)) = self.desk.store().read_release(release).await {
                    message =
                        system::with_menu(message, release.no.to_string(), plan_doc::menu(&source, &reading.questions));
                }
                reply.with(&message, prompt.as_deref(), file).await
            }
            Answer::Refused { message } => Err((*message).into()),
            _ => Ok(()),
        }
    }

    /// Reads a document that is new, or the next of a release. One that names no notice, like the one before it, keeps the release's.
    pub(super) async fn read(
        &self,
        guild: &WorkspaceId,
        release: Option<ReleaseNo>,
        bytes: Vec<u8>,
    ) -> Handled<(Reading, Vec<u8>)> {
        let (reading, bytes) = self.desk.read_plan(guild, bytes).await?;
        if let (false, Some(no)) = (reading.names_notices, release)
            && let Some((release, before)) = self.document(guild, &no.to_string()).await?
            && !self.desk.read_plan(guild, before).await?.0.names_notices
        {
            return Ok(self.desk.read_again(&release, bytes).await?);
        }
        Ok((reading, bytes))
    }

    /// How the items of the present revision go on in the next, with the present one's reading.
    pub(super) async fn merged(
        &self,
        guild: &WorkspaceId,
        no: ReleaseNo,
        new: &Reading,
    ) -> Handled<Option<(plan_doc::Merge, Reading, bool)>> {
        let Some((release, bytes)) = self.document(guild, &no.to_string()).await? else { return Ok(None) };
        let (old, _) = self.desk.read_again(&release, bytes).await?;
        let filled = plan_doc::Filled::of(&release, Vec::new(), self.desk.clock().now());
        let done: BTreeSet<String> = filled.done;
        let asked = !matches!(release.phase, Phase::Draft);
        Ok(Some((plan_doc::merge(&old, new, &done), old, asked)))
    }

    /// A release and its present revision's bytes.
    pub(super) async fn document(&self, guild: &WorkspaceId, no: &str) -> Handled<Option<(Release, Vec<u8>)>> {
        let release = super::lists::release(&self.desk, guild, Some(no.to_owned())).await?;
        let Some(release) = release else { return Ok(None) };
        let revision = self.desk.store().revision(release.id, release.revision).await?;
        Ok(revision.map(|revision| (release, revision.bytes)))
    }

    /// Matches a name of the plan with a member, if exactly one member bears it.
    pub(super) async fn resolve(&self, guild: &WorkspaceId, contact: &mut Contact) {
        if contact.user.is_some() {
            return;
        }
        let query = contact.handle.clone().unwrap_or_else(|| contact.name.clone());
        let encoded: String = query
            .bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect();
        let path = format!("/guilds/{guild}/members/search?query={encoded}&limit=10");
        let members = match self.rest.read(&path, Limit::Urgent).await {
            Ok(members) => members,
            Err(fault) => {
                tracing::warn!(%fault, "member search failed, asking for the person instead");
                return;
            }
        };
        let wanted = [contact.handle.as_deref(), Some(contact.name.as_str())];
        let same =
            |value: &Value| value.as_str().is_some_and(|v| wanted.iter().flatten().any(|w| w.eq_ignore_ascii_case(v)));
        let mut found = members.as_array().into_iter().flatten().filter(|m| {
            let bot = m.pointer("/user/bot").and_then(Value::as_bool).unwrap_or(false);
            // Only the username is unique; the other names anybody may give themselves.
            !bot && m.pointer("/user/username").is_some_and(same)
        });
        if let (Some(only), None) = (found.next(), found.next()) {
            contact.user = only.pointer("/user/id").and_then(Value::as_str).map(UserId::from);
        }
    }

    /// Whether a release of this title is open already: nobody knows then whether a new one is meant.
    pub(super) async fn same_title(&self, guild: &WorkspaceId, title: &str) -> Handled {
        let releases = self.desk.store().list_releases(guild).await?;
        let same = |head: &&ReleaseHead| !head.phase.is_over() && head.title.eq_ignore_ascii_case(title);
        match releases.iter().find(same) {
            Some(open) => Err(system::which_release(&open.no.to_string(), title).into()),
            None => Ok(()),
        }
    }

    /// The server's text channel that the plan names, if there is one.
    pub(super) async fn channel(&self, guild: &WorkspaceId, plan: &Plan) -> Option<ChannelId> {
        let wanted = plan.channel_name()?;
        let path = format!("/guilds/{guild}/channels");
        let channels = match self.rest.read(&path, Limit::Urgent).await {
            Ok(channels) => channels,
            Err(fault) => {
                tracing::warn!(%fault, "channels not read, the plan's channel is taken for missing");
                return None;
            }
        };
        // Text channels and announcement channels take messages.
        let fits = |channel: &&Value| {
            matches!(channel["type"].as_u64(), Some(0 | 5)) && channel["name"].as_str() == Some(wanted.as_str())
        };
        let found = channels.as_array()?.iter().find(fits)?;
        found["id"].as_str().map(ChannelId::from)
    }

    /// A release's document as it is to be.
    pub(super) async fn take_revision(
        &self,
        reply: &Reply<'_>,
        guild: &WorkspaceId,
        actor: Actor,
        release: &Release,
        document: String,
    ) -> Handled {
        let incoming = Incoming {
            guild: guild.clone(),
            actor,
            release: Some(release.no),
            new: false,
            expect: Some(release.revision),
            file_name: self.name_of(release).await,
            bytes: document.into_bytes(),
        };
        self.take(reply, incoming).await
    }

    pub(super) async fn name_of(&self, release: &Release) -> String {
        let stored = self.desk.store().revision(release.id, release.revision).await.ok().flatten();
        stored.map_or_else(|| file_name(&release.plan.title), |revision| revision.file_name)
    }

    /// "Apply safe fixes" and "Download fixed plan".
    pub(super) async fn fixes(
        &self,
        reply: &Reply<'_>,
        guild: &WorkspaceId,
        actor: Actor,
        prompt: &str,
        choice: Choice,
    ) -> Handled {
        reply.wait().await?;
        let gone = || Stop::sorry("This button no longer works. See /release show.");
        let (release, _) = self.prompted(guild, prompt).await?.ok_or_else(gone)?;
        let (_, bytes) = self.document(guild, &release.no.to_string()).await?.ok_or_else(gone)?;
        let fixed = match plan_doc::fix(&bytes) {
            Ok((fixed, count)) if count > 0 => fixed,
            Ok(_) => return Err(Stop::sorry("No safe fixes are left to apply.")),
            Err(diagnostic) => return Err(Stop::sorry(&diagnostic.message)),
        };
        if choice == Choice::DownloadFixed {
            let file = Upload { name: self.name_of(&release).await, bytes: fixed.into_bytes() };
            return reply.with(&system::fixed(&voice::words::name(&release)), None, Some(file)).await;
        }
        self.take_revision(reply, guild, actor, &release, fixed).await
    }

    /// `/release export`: the document with what happened filled in.
    pub(super) async fn export(&self, reply: &Reply<'_>, release: &Release) -> Handled {
        let entries = self.desk.store().history(release.id).await?;
        let log = entries.iter().map(|entry| voice::timeline::line(release, &entry.recorded)).collect();
        let revision = self.desk.store().revision(release.id, release.revision).await?;
        let revision = revision.ok_or_else(|| Stop::sorry(BYTES_MISSING))?;
        let filled = plan_doc::Filled::of(release, log, self.desk.clock().now());
        let exported = plan_doc::export(&revision.bytes, &filled);
        let file = Upload { name: revision.file_name, bytes: exported.bytes };
        let name = voice::words::name(release);
        reply.with(&system::exported(&name, &exported.unplaced), None, Some(file)).await
    }
}

/// The first three findings in the answer, all of them in a file beside it.
fn with_findings(message: Message, found: &[Diagnostic], source: &str, stem: &str) -> (Message, Option<Upload>) {
    if found.is_empty() {
        return (message, None);
    }
    let lines = plan_doc::render_chat(found, source, 3);
    let message = system::with_findings(message, &lines);
    let several = found.len() > 3;
    let file = several.then(|| {
        let text = plan_doc::render_file(found, source, &format!("{stem}.md"));
        Upload { name: format!("{stem}-findings.txt"), bytes: text.into_bytes() }
    });
    (message, file)
}

/// A file's name from a title.
pub(super) fn file_name(title: &str) -> String {
    let slug: String =
        title.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).take(60).collect();
    let slug = slug.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    if slug.is_empty() { "plan.md".to_owned() } else { format!("{slug}.md") }
}
