//! From a decision's effects to outbox rows: words are chosen here, once, and frozen.

use jiff::{SignedDuration, Timestamp};

use super::messages;
use super::unit::Unit;
use crate::delivery::{Key, Owner, Post, Rendering, Target, marker_of, nonce_of};
use crate::domain::closing::ClosingNotice;
use crate::domain::delivery::DeliveryNotice;
use crate::domain::effect::{Effect, Posting, Priority};
use crate::domain::ids::{Destination, UserId, WorkspaceId};
use crate::domain::key::PostKey;
use crate::domain::ladder::page_key;
use crate::domain::notice::Notice;
use crate::domain::prompt::Prompt;
use crate::domain::release::{Phase, Release};
use crate::domain::workspace::{Workspace, WorkspaceNotice};
use crate::store::{PostRow, StoreFault, to_json};
use crate::voice::{self, Field, Message, PageEntry, Text};

/// Edits of the card are at least this far apart; those of other messages less.
const CARD_APART: SignedDuration = SignedDuration::from_secs(30);
const EDIT_APART: SignedDuration = SignedDuration::from_secs(3);
/// Fields of a message that are quoted where it could not be delivered.
const MAX_QUOTED: usize = 6;

/// Puts a decision's effects into the outbox.
pub(super) async fn speak(unit: &mut Unit<'_>, release: &Release, effects: &[Effect]) -> Result<(), StoreFault> {
    for effect in effects {
        match effect {
            Effect::Post(posting) => post(unit, release, posting).await?,
            Effect::Edit { key, notice, prompt } => {
                let mut message = voice::say(notice, release, unit.now, prompt.as_ref());
                if let Notice::Delivery(DeliveryNotice::Stuck { key, settled: None, .. }) = notice.as_ref() {
                    quote(unit, &own(release, key), &mut message).await?;
                }
                let rendering = rendered(unit, release, &message, prompt.as_ref())?;
                unit.edit(own(release, key), rendering, EDIT_APART);
            }
            Effect::Redeliver { key, how } => messages::redeliver(unit, &own(release, key), how).await?,
            Effect::Recall { from, to } => messages::recall(unit, release.id, from, to).await?,
        }
    }
    Ok(())
}

/// The card and the status pages follow a release that has changed.
pub(super) fn follow(unit: &mut Unit<'_>, release: &Release) -> Result<(), StoreFault> {
    if let Some(entry) = voice::page_entry(release, unit.now) {
        for page in &release.policy.pages {
            let rendering = Rendering { payload: to_json(&entry, "outbox")?, prompt: None };
            unit.edit(own(release, &page_key(page)), rendering, EDIT_APART);
        }
    }
    card(unit, release)
}

fn own(release: &Release, key: &PostKey) -> Key {
    Key::of_release(release.id, key.clone())
}

fn rendered(
    unit: &mut Unit<'_>,
    release: &Release,
    message: &Message,
    prompt: Option<&Prompt>,
) -> Result<Rendering, StoreFault> {
    let prompt = prompt.map(|prompt| unit.keep_prompt(release, prompt)).transpose()?;
    Ok(Rendering { payload: to_json(message, "outbox")?, prompt })
}

async fn post(unit: &mut Unit<'_>, release: &Release, posting: &Posting) -> Result<(), StoreFault> {
    let Some((place, role)) = release.policy.address(&posting.to) else {
        tracing::error!(release.no = %release.no, post.key = %posting.key, "no channel set, message dropped");
        return Ok(());
    };
    let target = messages::target(&release.server, &place);
    let mut row = Row {
        owner: Owner::Release(release.id),
        server: &release.server,
        key: posting.key.clone(),
        target,
        to: posting.to.clone(),
        rendering: Rendering { payload: String::new(), prompt: None },
        priority: posting.priority,
        useful_until: posting.useful_until,
    };
    if let Destination::Page(_) = &posting.to {
        let Some(entry) = voice::page_entry(release, unit.now) else { return Ok(()) };
        (row.rendering.payload, row.useful_until) = (to_json(&entry, "outbox")?, None);
        put(unit, row);
        return Ok(());
    }
    let mut message = voice::say(&posting.notice, release, unit.now, posting.prompt.as_ref());
    if let Notice::Delivery(DeliveryNotice::Stuck { key, .. }) = &posting.notice {
        quote(unit, &own(release, key), &mut message).await?;
    }
    if let Notice::Closing(ClosingNotice::AllClear { .. }) = &posting.notice
        && let Some(head) = unit.head().await?
    {
        message = message.field(voice::RECORD, voice::record(&head.to_string()));
    }
    message.call_users.clone_from(&posting.mention);
    message.reply_to.clone_from(&posting.reply_to);
    message.call_roles.extend(role.filter(|_| posting.ping));
    if let Some(most) = posting.at_most {
        match next_of(unit, release, &posting.key, most).await? {
            Ok(key) => row.key = key,
            Err(last) => {
                (message.call_users, message.call_roles) = (Vec::new(), Vec::new());
                let newest = voice::system::newest_of_many(message);
                let rendering = rendered(unit, release, &newest, posting.prompt.as_ref())?;
                unit.edit(own(release, &last), rendering, EDIT_APART);
                return Ok(());
            }
        }
    }
    if posting.document {
        unit.bring_document(own(release, &row.key), release);
    }
    row.rendering = rendered(unit, release, &message, posting.prompt.as_ref())?;
    put(unit, row);
    Ok(())
}

/// The key of the next message of a series.
///
/// # Errors
/// In the inner result: there are as many as may be; the key of the last.
async fn next_of(
    unit: &mut Unit<'_>,
    release: &Release,
    key: &PostKey,
    most: u32,
) -> Result<Result<PostKey, PostKey>, StoreFault> {
    for n in 1..=most {
        let next = key.under(n);
        if !unit.is_there(&own(release, &next)).await? {
            return Ok(Ok(next));
        }
    }
    Ok(Err(key.under(most)))
}

/// What a message says that cannot reach its channel: its readers may be told by hand.
async fn quote(unit: &mut Unit<'_>, key: &Key, message: &mut Message) -> Result<(), StoreFault> {
    let Some(PostRow { rendering: Rendering { payload, .. }, .. }) = unit.message(key).await? else { return Ok(()) };
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
fn card(unit: &mut Unit<'_>, release: &Release) -> Result<(), StoreFault> {
    if matches!(release.phase, Phase::Draft) {
        return Ok(());
    }
    let Some((place, _)) = release.policy.address(&Destination::Release) else { return Ok(()) };
    let prompt = release.running().map(|_| Prompt::Update);
    let mut message = voice::card(release, unit.now);
    if let Some(prompt) = &prompt {
        message.buttons = voice::buttons(release, prompt);
    }
    let rendering = rendered(unit, release, &message, prompt.as_ref())?;
    unit.edit(own(release, &release.card_key()), rendering.clone(), CARD_APART);
    let row = Row {
        owner: Owner::Release(release.id),
        server: &release.server,
        key: release.card_key(),
        target: messages::target(&release.server, &place),
        to: Destination::Release,
        rendering,
        priority: Priority::Update,
        useful_until: None,
    };
    put(unit, row);
    Ok(())
}

/// Something the workspace itself says, in its release channel; what concerns the bot, in the ops channel.
pub(super) async fn announce(
    unit: &mut Unit<'_>,
    workspace: &Workspace,
    key: &PostKey,
    notice: &WorkspaceNotice,
    mention: Vec<UserId>,
    useful_until: Option<Timestamp>,
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
    let Some((place, _)) = workspace.policy.address(&to) else {
        tracing::error!(server = %workspace.server, post.key = %key, "no channel set, message dropped");
        return Ok(());
    };
    let mut message = voice::workspace::say(notice);
    if let WorkspaceNotice::Digest { .. } = notice
        && let Some(head) = unit.head().await?
    {
        message = message.field(voice::RECORD, voice::record(&head.to_string()));
    }
    message.call_users = mention;
    let row = Row {
        owner: Owner::Workspace(workspace.server.clone()),
        server: &workspace.server,
        key: key.clone(),
        target: messages::target(&workspace.server, &place),
        to,
        rendering: Rendering { payload: to_json(&message, "outbox")?, prompt: None },
        priority: Priority::Update,
        useful_until,
    };
    put(unit, row);
    Ok(())
}

/// Something the workspace said, as it is now.
pub(super) fn announce_again(
    unit: &mut Unit<'_>,
    workspace: &Workspace,
    key: PostKey,
    notice: &WorkspaceNotice,
) -> Result<(), StoreFault> {
    let rendering = Rendering { payload: to_json(&voice::workspace::say(notice), "outbox")?, prompt: None };
    unit.edit(Key::of_workspace(&workspace.server, key), rendering, CARD_APART);
    Ok(())
}

/// A message to be posted.
struct Row<'a> {
    owner: Owner,
    server: &'a WorkspaceId,
    key: PostKey,
    target: Target,
    to: Destination,
    rendering: Rendering,
    priority: Priority,
    useful_until: Option<Timestamp>,
}

fn put(unit: &mut Unit<'_>, row: Row<'_>) {
    let Row { owner, server, key, target, to, rendering, priority, useful_until } = row;
    let awaited = key.is_awaited() && matches!(owner, Owner::Release(_));
    let key = Key { owner, post: key };
    let nonce = nonce_of(unit.installation(), &key, &target, &rendering.payload);
    unit.post(PostRow {
        id: 0,
        key,
        server: server.clone(),
        target,
        to: Some(to),
        priority: priority as i64,
        rendering,
        marker: marker_of(&nonce),
        nonce,
        plain: false,
        file: None,
        post: Post::new(unit.now, useful_until, awaited),
        edit: None,
    });
}
