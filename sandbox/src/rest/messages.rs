//! Messages of channels: create with the nonce window, edit, read, delete, pin.

use axum::extract::{Path, Query, State as Axum};
use serde_json::{Value, json};

use super::{Answer, Payload, Shared, denied, error, good, lock, missing, nothing};
use crate::faults::Right;
use crate::model::{File, Message, State};

/// The most pins of a channel.
const MAX_PINS: usize = 250;

/// What the bot lacks to say this in a channel.
fn may_say(state: &State, channel: u64, body: &Value, files: usize) -> Result<(), Answer> {
    let Some(found) = state.channels.get(&channel) else { return Err(missing("Channel")) };
    if !state.may(channel, Right::ViewChannel) {
        return Err(denied(true));
    }
    let send = if found.parent.is_some() { Right::SendInThreads } else { Right::SendMessages };
    let filled = |name: &str| body[name].as_array().is_some_and(|l| !l.is_empty());
    let lacks = !state.may(channel, send)
        || (filled("embeds") && !state.may(channel, Right::EmbedLinks))
        || (files > 0 && !state.may(channel, Right::AttachFiles));
    if lacks { Err(denied(false)) } else { Ok(()) }
}

pub(super) async fn create(Axum(shared): Axum<Shared>, Path(channel): Path<u64>, mut payload: Payload) -> Answer {
    let mut state = lock(&shared);
    if let Err(answer) = may_say(&state, channel, &payload.body, payload.files.len()) {
        return answer;
    }
    let says = ["content", "embeds", "components"].iter().any(|part| match &payload.body[*part] {
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    });
    if !says && payload.files.is_empty() {
        return error(400, 50_006, "Cannot send an empty message");
    }
    let nonce = match &payload.body["nonce"] {
        Value::String(nonce) => Some(nonce.clone()),
        Value::Number(nonce) => Some(nonce.to_string()),
        _ => None,
    };
    let nonce = nonce.filter(|_| payload.body["enforce_nonce"] == true);
    if let Some(id) = nonce.as_deref().and_then(|n| state.by_nonce(n)) {
        // A deleted first message leaves nothing to return.
        return state.message(id).map_or_else(|| missing("Message"), |m| good(state.message_json(m)));
    }
    let files = payload.files(&mut state);
    let (id, at_ms) = (state.snowflake(), state.clock.now_ms());
    state.put(new(id, channel, payload.body, at_ms, files));
    if let Some(nonce) = nonce {
        state.keep_nonce(&nonce, id);
    }
    state.message(id).map_or_else(|| missing("Message"), |m| good(state.message_json(m)))
}

/// A message of the bot.
pub(super) fn new(id: u64, channel: u64, body: Value, at_ms: i64, files: Vec<File>) -> Message {
    let pinged = body["content"].as_str().is_some_and(|content| content.contains("<@"));
    Message {
        id,
        channel,
        body,
        at_ms,
        edited_ms: None,
        only: None,
        author: None,
        by: None,
        files,
        pinned: false,
        pinged,
        step: None,
    }
}

/// Puts an edit's fields into a message; what it does not name stays.
pub(super) fn merge(state: &mut State, id: u64, mut payload: Payload) -> Option<Value> {
    let files = payload.files(state);
    let now = state.clock.now_ms();
    let message = state.message_mut(id)?;
    if !message.body.is_object() {
        message.body = json!({});
    }
    if let Value::Object(fields) = payload.body {
        for (key, value) in fields {
            message.body[key] = value;
        }
    }
    message.edited_ms = Some(now);
    let public = message.only.is_none();
    if !files.is_empty() {
        message.files.clone_from(&files);
        state.files.extend(files.into_iter().map(|file| (file.id, (file.name, file.bytes))));
    }
    if public {
        state.tell_message("MESSAGE_UPDATE", id);
    }
    state.touch();
    state.message(id).map(|message| state.message_json(message))
}

pub(super) async fn edit(
    Axum(shared): Axum<Shared>,
    Path((channel, id)): Path<(u64, u64)>,
    payload: Payload,
) -> Answer {
    let mut state = lock(&shared);
    if !state.may(channel, Right::ViewChannel) {
        return denied(true);
    }
    match state.message(id).filter(|m| m.channel == channel && m.only.is_none()) {
        None => missing("Message"),
        Some(message) if message.author.is_some() => {
            error(403, 50_005, "Cannot edit a message authored by another user")
        }
        Some(_) => merge(&mut state, id, payload).map_or_else(|| missing("Message"), good),
    }
}

pub(super) async fn fetch(Axum(shared): Axum<Shared>, Path((channel, id)): Path<(u64, u64)>) -> Answer {
    let state = lock(&shared);
    if !state.may(channel, Right::ReadMessageHistory) {
        return denied(false);
    }
    let found = state.message(id).filter(|m| m.channel == channel && m.only.is_none());
    found.map_or_else(|| missing("Message"), |m| good(state.message_json(m)))
}

pub(super) async fn delete(Axum(shared): Axum<Shared>, Path((channel, id)): Path<(u64, u64)>) -> Answer {
    let mut state = lock(&shared);
    match state.message(id).filter(|m| m.channel == channel && m.only.is_none()) {
        None => missing("Message"),
        Some(message) if message.author.is_some() => denied(false),
        Some(_) => {
            state.forget(id);
            let gone = json!({ "id": id.to_string(), "channel_id": channel.to_string(), "guild_id": state.world.guild.to_string() });
            state.dispatch("MESSAGE_DELETE", &gone);
            state.touch();
            nothing()
        }
    }
}

#[derive(serde::Deserialize)]
pub(super) struct Page {
    #[serde(default = "fifty")]
    limit: usize,
    after: Option<u64>,
    before: Option<u64>,
    around: Option<u64>,
}

fn fifty() -> usize {
    50
}

pub(super) async fn history(Axum(shared): Axum<Shared>, Path(channel): Path<u64>, Query(page): Query<Page>) -> Answer {
    let state = lock(&shared);
    if !state.channels.contains_key(&channel) {
        return missing("Channel");
    }
    if !state.may(channel, Right::ViewChannel) {
        return denied(true);
    }
    if !(1..=100).contains(&page.limit) {
        return error(400, 50_035, "Invalid Form Body");
    }
    // Without the right to read history there is none.
    if !state.may(channel, Right::ReadMessageHistory) {
        return good(json!([]));
    }
    let public = |m: &&Message| m.only.is_none();
    let mut list: Vec<&Message> = match (page.after, page.before, page.around) {
        (Some(after), ..) => {
            state.in_channel(channel).filter(public).filter(|m| m.id > after).take(page.limit).collect()
        }
        (None, Some(before), _) => {
            state.in_channel(channel).rev().filter(public).filter(|m| m.id < before).take(page.limit).collect()
        }
        (None, None, Some(around)) => {
            let half = page.limit / 2;
            let older = state.in_channel(channel).rev().filter(public).filter(|m| m.id < around).take(half);
            let newer = state.in_channel(channel).filter(public).filter(|m| m.id >= around).take(page.limit - half);
            older.chain(newer).collect()
        }
        (None, None, None) => state.in_channel(channel).rev().filter(public).take(page.limit).collect(),
    };
    list.sort_by_key(|m| std::cmp::Reverse(m.id));
    good(Value::Array(list.into_iter().map(|m| state.message_json(m)).collect()))
}

pub(super) async fn pins(Axum(shared): Axum<Shared>, Path(channel): Path<u64>) -> Answer {
    let state = lock(&shared);
    let pinned = state.in_channel(channel).rev().filter(|m| m.pinned);
    let at = |m: &Message| crate::json::rfc3339(m.edited_ms.unwrap_or(m.at_ms));
    let items: Vec<Value> = pinned.map(|m| json!({ "pinned_at": at(m), "message": state.message_json(m) })).collect();
    good(json!({ "items": items, "has_more": false }))
}

fn set_pin(state: &mut State, channel: u64, id: u64, pinned: bool) -> Answer {
    if !state.may(channel, Right::PinMessages) {
        return denied(false);
    }
    if pinned && state.in_channel(channel).filter(|m| m.pinned).count() >= MAX_PINS {
        return error(400, 30_003, "Maximum number of pins reached for the channel (250)");
    }
    match state.message_mut(id).filter(|m| m.channel == channel) {
        Some(message) => {
            message.pinned = pinned;
            let told = json!({
                "guild_id": state.world.guild.to_string(), "channel_id": channel.to_string(), "last_pin_timestamp": null,
            });
            state.dispatch("CHANNEL_PINS_UPDATE", &told);
            state.touch();
            nothing()
        }
        None => missing("Message"),
    }
}

pub(super) async fn pin(Axum(shared): Axum<Shared>, Path((channel, id)): Path<(u64, u64)>) -> Answer {
    set_pin(&mut lock(&shared), channel, id, true)
}

pub(super) async fn unpin(Axum(shared): Axum<Shared>, Path((channel, id)): Path<(u64, u64)>) -> Answer {
    set_pin(&mut lock(&shared), channel, id, false)
}
