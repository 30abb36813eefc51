//! From a decision's effects to outbox rows: words are chosen here, once, and frozen.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::sheet::Sheet;
use crate::domain::effect::{Destination, Effect, Posting, Priority, Prompt};
use crate::domain::ids::{ChannelId, GuildId, ReleaseId, UserId};
use crate::domain::ladder::{is_awaited, page_key};
use crate::domain::notice::Notice;
use crate::domain::policy::quiet_until;
use crate::domain::release::{Phase, Release};
use crate::domain::workspace::{Workspace, WorkspaceNotice};
use crate::store::{NewEdit, NewPost, StoreFault};
use crate::voice::{self, Document, Field, Message, PageEntry, Text};

/// Edits of the card are at least this far apart; those of other messages less.
const CARD_APART_MS: i64 = 30_000;
const EDIT_APART_MS: i64 = 3_000;
/// Fields of a message that are quoted where it could not be delivered.
const MAX_QUOTED: usize = 6;

/// Puts a decision's effects into the outbox and keeps the card true.
pub(super) async fn speak(
    sheet: &mut Sheet<'_>,
    release: &Release,
    effects: &[Effect],
    now: Timestamp,
) -> Result<(), StoreFault> {
    for effect in effects {
        match effect {
            Effect::Post(posting) => post(sheet, release, posting, now).await?,
            Effect::Edit { key, notice, prompt } => {
                let mut message = voice::say(notice, release, now, prompt.as_ref());
                if let Notice::Stuck { key, settled: None, .. } = notice.as_ref() {
                    quote(sheet, &full_key(release, key), &mut message).await?;
                }
                let prompt = match prompt {
                    Some(prompt) => Some(sheet.keep_prompt(release, prompt, now).await?),
                    None => None,
                };
                let (key, payload) = (full_key(release, key), payload(&message)?);
                let edit = NewEdit { key, release: Some(release.id), payload, prompt, apart: EDIT_APART_MS };
                sheet.edit(edit);
            }
            Effect::Redeliver { key, how } => sheet.redeliver(full_key(release, key), how.clone()),
            Effect::Recall { from, to } => sheet.recall(release.id, from.clone(), to.clone()),
        }
    }
    pages(sheet, release, now).await?;
    card(sheet, release, now).await
}

async fn post(sheet: &mut Sheet<'_>, release: &Release, posting: &Posting, now: Timestamp) -> Result<(), StoreFault> {
    if let Destination::Page(page) = &posting.to {
        return page_post(sheet, release, page, posting, now).await;
    }
    let Some((channel, role)) = release.policy.address(&posting.to) else {
        tracing::error!(release.no = %release.no, post.key = posting.key, "no channel set, message dropped");
        return Ok(());
    };
    let mut message = voice::say(&posting.notice, release, now, posting.prompt.as_ref());
    if let Notice::Stuck { key, .. } = &posting.notice {
        quote(sheet, &full_key(release, key), &mut message).await?;
    }
    if let Notice::AllClear { .. } = &posting.notice
        && let Some(head) = sheet.head().await?
    {
        message = message.field(voice::RECORD, voice::record(&head.to_string()));
    }
    message.call_users.clone_from(&posting.mention);
    message.reply_to = posting.reply_to.as_ref().map(|key| full_key(release, key));
    message.document = posting.document.then_some(Document { release: release.id, revision: release.revision });
    let quiet = match &posting.to {
        Destination::Audience(audience) => quiet_until(&release.policy, audience, now).is_some(),
        Destination::Release | Destination::Ops | Destination::Page(_) => false,
    };
    message.call_roles.extend(role.filter(|_| posting.ping && !quiet));
    let prompt = match &posting.prompt {
        Some(prompt) => Some(sheet.keep_prompt(release, prompt, now).await?),
        None => None,
    };
    let (priority, useful_until) = (posting.priority, posting.useful_until);
    let key = match posting.at_most {
        None => posting.key.clone(),
        Some(most) => match next_of(sheet, release, &posting.key, most).await? {
            Ok(key) => key,
            Err(last) => {
                (message.call_users, message.call_roles) = (Vec::new(), Vec::new());
                let payload = payload(&voice::system::newest_of_many(message))?;
                let key = full_key(release, &last);
                sheet.edit(NewEdit { key, release: Some(release.id), payload, prompt, apart: EDIT_APART_MS });
                return Ok(());
            }
        },
    };
    let (key, to) = (key.as_str(), posting.to.clone());
    let row = Row { key, channel, to, payload: payload(&message)?, prompt, priority, useful_until };
    put(sheet, Origin::of(release), row, now);
    Ok(())
}

/// The key of the next message of a series.
///
/// # Errors
/// In the inner result: there are as many as may be; the key of the last.
async fn next_of(
    sheet: &mut Sheet<'_>,
    release: &Release,
    key: &str,
    most: u32,
) -> Result<Result<String, String>, StoreFault> {
    for n in 1..=most {
        let next = format!("{key}/{n}");
        if !sheet.has_post(&full_key(release, &next)).await? {
            return Ok(Ok(next));
        }
    }
    Ok(Err(format!("{key}/{most}")))
}

/// A release comes onto a status page, once.
async fn page_post(
    sheet: &mut Sheet<'_>,
    release: &Release,
    page: &str,
    posting: &Posting,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let Some(entry) = voice::page_entry(release, now) else { return Ok(()) };
    if sheet.has_post(&full_key(release, &posting.key)).await? {
        return Ok(());
    }
    let (key, channel, to) = (posting.key.as_str(), ChannelId::page(page), posting.to.clone());
    let row = Row {
        key,
        channel,
        to,
        payload: payload(&entry)?,
        prompt: None,
        priority: posting.priority,
        useful_until: None,
    };
    put(sheet, Origin::of(release), row, now);
    Ok(())
}

/// Pages that show the release follow its state.
async fn pages(sheet: &mut Sheet<'_>, release: &Release, now: Timestamp) -> Result<(), StoreFault> {
    let Some(entry) = voice::page_entry(release, now) else { return Ok(()) };
    for page in &release.policy.pages {
        let key = full_key(release, &page_key(page));
        if sheet.has_post(&key).await? {
            let edit = NewEdit {
                key,
                release: Some(release.id),
                payload: payload(&entry)?,
                prompt: None,
                apart: EDIT_APART_MS,
            };
            sheet.edit(edit);
        }
    }
    Ok(())
}

/// What a message says that cannot reach its channel: its readers may be told by hand.
async fn quote(sheet: &mut Sheet<'_>, key: &str, message: &mut Message) -> Result<(), StoreFault> {
    let Some(payload) = sheet.payload(key).await? else { return Ok(()) };
    if let Ok(entry) = serde_json::from_str::<PageEntry>(&payload) {
        let text = Text::from(format!("{} — {}", entry.title, entry.body));
        message.fields.push(Field { name: "Message text".to_owned(), value: text, short: false });
        return Ok(());
    }
    let Ok(original) = serde_json::from_str::<Message>(&payload) else { return Ok(()) };
    if !original.body.is_empty() {
        message.fields.push(Field { name: "Message text".to_owned(), value: original.body, short: false });
    }
    // What its readers were to do with it is not what the reader here is to do.
    let told = original.fields.into_iter().filter(|field| field.name != voice::WHAT_NOW);
    message.fields.extend(told.take(MAX_QUOTED));
    Ok(())
}

/// The headline of a stored message.
pub(super) fn headline(payload: &str) -> String {
    if let Ok(entry) = serde_json::from_str::<PageEntry>(payload) {
        return entry.title;
    }
    serde_json::from_str::<Message>(payload).map_or_else(|_| "a message".to_owned(), |message| message.headline.words())
}

/// The card is desired state: posted once, then edited when its rendering changed.
async fn card(sheet: &mut Sheet<'_>, release: &Release, now: Timestamp) -> Result<(), StoreFault> {
    if matches!(release.phase, Phase::Draft) {
        return Ok(());
    }
    let Some((channel, _)) = release.policy.address(&Destination::Release) else {
        return Ok(());
    };
    let prompt = release.running().map(|_| Prompt::Update);
    let mut message = voice::card(release, now);
    if let Some(prompt) = &prompt {
        message.buttons = voice::buttons(release, prompt);
    }
    let prompt = match prompt {
        Some(prompt) => Some(sheet.keep_prompt(release, &prompt, now).await?),
        None => None,
    };
    let edit = NewEdit {
        key: full_key(release, &release.card_key()),
        release: Some(release.id),
        payload: payload(&message)?,
        prompt: prompt.clone(),
        apart: CARD_APART_MS,
    };
    if sheet.has_post(&edit.key).await? {
        sheet.edit(edit);
        return Ok(());
    }
    let key = release.card_key();
    let row = Row {
        key: &key,
        channel,
        to: Destination::Release,
        payload: edit.payload,
        prompt,
        priority: Priority::Update,
        useful_until: None,
    };
    put(sheet, Origin::of(release), row, now);
    Ok(())
}

fn full_key(release: &Release, key: &str) -> String {
    format!("{}/{key}", release.id)
}

fn payload(message: &impl serde::Serialize) -> Result<String, StoreFault> {
    serde_json::to_string(message).map_err(|error| StoreFault::Inconsistent {
        table: "outbox",
        column: "payload",
        key: error.to_string(),
    })
}

/// Something the workspace itself says, in its release channel; what concerns the bot, in the ops channel.
pub(super) async fn announce(
    sheet: &mut Sheet<'_>,
    workspace: &Workspace,
    key: &str,
    notice: &WorkspaceNotice,
    mention: Vec<UserId>,
    useful_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let to = match notice {
        WorkspaceNotice::Undelivered { .. }
        | WorkspaceNotice::ClockWrong { .. }
        | WorkspaceNotice::ClockRight
        | WorkspaceNotice::Bypassed { .. }
        | WorkspaceNotice::Changed { .. }
        | WorkspaceNotice::Strays { .. }
        | WorkspaceNotice::SetUp { ops: true, .. }
        | WorkspaceNotice::Digest { .. } => Destination::Ops,
        _ => Destination::Release,
    };
    let Some((channel, _)) = workspace.policy.address(&to) else {
        tracing::error!(guild = %workspace.guild, post.key = key, "no channel set, message dropped");
        return Ok(());
    };
    let mut message = voice::workspace::say(notice);
    if let WorkspaceNotice::Digest { .. } = notice
        && let Some(head) = sheet.head().await?
    {
        message = message.field(voice::RECORD, voice::record(&head.to_string()));
    }
    message.call_users = mention;
    let origin = Origin { guild: &workspace.guild, release: None };
    let row =
        Row { key, channel, to, payload: payload(&message)?, prompt: None, priority: Priority::Update, useful_until };
    put(sheet, origin, row, now);
    Ok(())
}

/// Something the workspace said, as it stands now.
pub(super) fn announce_anew(
    sheet: &mut Sheet<'_>,
    workspace: &Workspace,
    key: &str,
    notice: &WorkspaceNotice,
) -> Result<(), StoreFault> {
    let (key, payload) = (format!("{}/{key}", workspace.guild), payload(&voice::workspace::say(notice))?);
    sheet.edit(NewEdit { key, release: None, payload, prompt: None, apart: CARD_APART_MS });
    Ok(())
}

/// Whose message it is.
#[derive(Debug, Clone, Copy)]
struct Origin<'a> {
    guild: &'a GuildId,
    release: Option<ReleaseId>,
}

impl Origin<'_> {
    fn of(release: &Release) -> Origin<'_> {
        Origin { guild: &release.guild, release: Some(release.id) }
    }
}

/// A message to be posted.
struct Row<'a> {
    key: &'a str,
    channel: ChannelId,
    to: Destination,
    payload: String,
    prompt: Option<String>,
    priority: Priority,
    useful_until: Option<Timestamp>,
}

fn put(sheet: &mut Sheet<'_>, origin: Origin<'_>, row: Row<'_>, now: Timestamp) {
    let payload = row.payload;
    let key = match origin.release {
        Some(release) => format!("{release}/{}", row.key),
        None => format!("{}/{}", origin.guild, row.key),
    };
    // The same message of the same installation has the same nonce, through restarts and restored backups.
    let mut hash = Sha256::new();
    for part in [sheet.installation(), &key, &row.channel.0, &payload] {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let nonce: String = hash.finalize().iter().take(12).map(|b| format!("{b:02x}")).collect();
    let post = NewPost {
        marker: format!("n{}", &nonce[..8]),
        key,
        guild: origin.guild.clone(),
        release: origin.release,
        channel: row.channel,
        to: row.to,
        awaited: origin.release.is_some() && is_awaited(row.key),
        priority: row.priority as i64,
        due: now.as_millisecond(),
        useful_until: row.useful_until.map(Timestamp::as_millisecond),
        payload,
        prompt: row.prompt,
        nonce,
    };
    sheet.post(post);
}
