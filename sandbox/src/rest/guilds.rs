//! The server: commands, channels, threads, members, roles, scheduled events.

use axum::extract::{Path, Query, State as Axum};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Answer, Payload, Shared, denied, error, good, lock, missing, nothing};
use crate::faults::Right;
use crate::json::rfc3339;
use crate::model::{Channel, State};

/// The most scheduled events that are open.
const MAX_EVENTS: usize = 100;

pub(super) async fn gateway(Axum(shared): Axum<Shared>) -> Answer {
    let state = lock(&shared);
    let url = format!("{}/ws", state.base.replacen("http", "ws", 1));
    let starts = json!({ "total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1 });
    good(json!({ "url": url, "shards": 1, "session_start_limit": starts }))
}

pub(super) async fn me(Axum(shared): Axum<Shared>) -> Answer {
    let mut me = lock(&shared).bot_user();
    me["locale"] = json!("en-US");
    good(me)
}

pub(super) async fn application(Axum(shared): Axum<Shared>) -> Answer {
    good(lock(&shared).application())
}

fn keep(shared: &Shared, guild: u64, body: Value) -> Answer {
    let mut state = lock(shared);
    let mut commands = body.as_array().cloned().unwrap_or_default();
    for command in &mut commands {
        command["id"] = json!(state.snowflake().to_string());
        command["application_id"] = json!(state.app.to_string());
        command["version"] = json!(state.snowflake().to_string());
        let filled = [
            ("type", json!(1)),
            ("description", json!("")),
            ("default_member_permissions", Value::Null),
            ("nsfw", json!(false)),
        ];
        for (key, value) in filled {
            if command.get(key).is_none() {
                command[key] = value;
            }
        }
        if guild != 0 {
            command["guild_id"] = json!(guild.to_string());
        }
    }
    let commands = Value::Array(commands);
    state.commands.insert(guild, commands.clone());
    state.touch();
    good(commands)
}

pub(super) async fn register(
    Axum(shared): Axum<Shared>,
    Path((_, guild)): Path<(String, u64)>,
    payload: Payload,
) -> Answer {
    keep(&shared, guild, payload.body)
}

/// Global commands are kept under the server 0.
pub(super) async fn register_all(Axum(shared): Axum<Shared>, payload: Payload) -> Answer {
    keep(&shared, 0, payload.body)
}

pub(super) async fn registered(Axum(shared): Axum<Shared>, Path((_, guild)): Path<(String, u64)>) -> Answer {
    good(lock(&shared).commands.get(&guild).cloned().unwrap_or_else(|| json!([])))
}

pub(super) async fn registered_all(Axum(shared): Axum<Shared>) -> Answer {
    good(lock(&shared).commands.get(&0).cloned().unwrap_or_else(|| json!([])))
}

pub(super) async fn channel(Axum(shared): Axum<Shared>, Path(id): Path<u64>) -> Answer {
    let state = lock(&shared);
    match state.channel_json(id) {
        Some(_) if !state.may(id, Right::ViewChannel) => denied(true),
        Some(channel) => good(channel),
        None => missing("Channel"),
    }
}

pub(super) async fn delete_channel(Axum(shared): Axum<Shared>, Path(id): Path<u64>) -> Answer {
    let mut state = lock(&shared);
    if !state.may(id, Right::ManageChannels) {
        return denied(false);
    }
    match state.channel_json(id) {
        Some(channel) => {
            state.remove_channel(id);
            good(channel)
        }
        None => missing("Channel"),
    }
}

pub(super) async fn typing(Axum(shared): Axum<Shared>, Path(id): Path<u64>) -> Answer {
    if lock(&shared).channels.contains_key(&id) { nothing() } else { missing("Channel") }
}

pub(super) async fn guild(Axum(shared): Axum<Shared>, Path(id): Path<u64>) -> Answer {
    let state = lock(&shared);
    if id == state.world.guild { good(state.guild_json()) } else { missing("Guild") }
}

pub(super) async fn channels(Axum(shared): Axum<Shared>) -> Answer {
    let state = lock(&shared);
    let ids = state.channels.values().filter(|c| c.parent.is_none() && !c.foreign).map(|c| c.id);
    good(Value::Array(ids.filter_map(|id| state.channel_json(id)).collect()))
}

pub(super) async fn roles(Axum(shared): Axum<Shared>) -> Answer {
    good(Value::Array(lock(&shared).roles_json()))
}

fn add(state: &mut State, id: u64, name: &str, topic: &str, parent: Option<u64>) -> Answer {
    let category = parent.map_or("Channels", |_| "").to_owned();
    let channel =
        Channel { id, name: name.to_owned(), topic: topic.to_owned(), category, parent, last: None, foreign: false };
    state.channels.insert(id, channel);
    let value = state.channel_json(id).unwrap_or_default();
    state.dispatch(if parent.is_some() { "THREAD_CREATE" } else { "CHANNEL_CREATE" }, &value);
    state.touch();
    Answer(StatusCode::CREATED, value)
}

pub(super) async fn create_channel(Axum(shared): Axum<Shared>, payload: Payload) -> Answer {
    let mut state = lock(&shared);
    if !state.may(0, Right::ManageChannels) {
        return denied(false);
    }
    let id = state.snowflake();
    let text = |name: &str| payload.body[name].as_str().unwrap_or_default().to_owned();
    add(&mut state, id, &text("name"), &text("topic"), None)
}

pub(super) async fn thread_of(
    Axum(shared): Axum<Shared>,
    Path((channel, message)): Path<(u64, u64)>,
    payload: Payload,
) -> Answer {
    let mut state = lock(&shared);
    if state.message(message).is_none_or(|m| m.channel != channel) {
        return missing("Message");
    }
    if !state.may(channel, Right::CreatePublicThreads) {
        return denied(false);
    }
    // The thread has its message's id, so a second try finds the first.
    if state.channels.contains_key(&message) {
        return error(400, 160_004, "A thread has already been created for this message");
    }
    let name = payload.body["name"].as_str().unwrap_or_default().to_owned();
    add(&mut state, message, &name, "", Some(channel))
}

pub(super) async fn thread(Axum(shared): Axum<Shared>, Path(channel): Path<u64>, payload: Payload) -> Answer {
    let mut state = lock(&shared);
    if !state.channels.contains_key(&channel) {
        return missing("Channel");
    }
    if !state.may(channel, Right::CreatePublicThreads) {
        return denied(false);
    }
    let id = state.snowflake();
    let name = payload.body["name"].as_str().unwrap_or_default().to_owned();
    add(&mut state, id, &name, "", Some(channel))
}

#[derive(serde::Deserialize)]
pub(super) struct Search {
    query: String,
    #[serde(default = "one")]
    limit: usize,
}

fn one() -> usize {
    1
}

pub(super) async fn search(Axum(shared): Axum<Shared>, Query(search): Query<Search>) -> Answer {
    let state = lock(&shared);
    let wanted = search.query.to_lowercase();
    let people = state.world.people.iter();
    let hits =
        people.filter(|p| p.username.to_lowercase().starts_with(&wanted) || p.name.to_lowercase().starts_with(&wanted));
    good(Value::Array(hits.take(search.limit).map(|p| state.member(p)).collect()))
}

pub(super) async fn member(Axum(shared): Axum<Shared>, Path((_, id)): Path<(u64, u64)>) -> Answer {
    let state = lock(&shared);
    if id == state.app {
        return good(state.bot_member());
    }
    state.world.by_id(id).map_or_else(|| missing("Member"), |person| good(state.member(person)))
}

fn event_json(state: &State, id: u64, body: &Value) -> Value {
    let text = |name: &str| body[name].clone();
    json!({
        "id": id.to_string(), "guild_id": state.world.guild.to_string(), "channel_id": body["channel_id"],
        "creator_id": state.app.to_string(), "creator": state.bot_user(), "name": text("name"), "description": text("description"),
        "scheduled_start_time": text("scheduled_start_time"), "scheduled_end_time": text("scheduled_end_time"),
        "privacy_level": 2, "status": body["status"].as_u64().unwrap_or(1), "entity_type": body["entity_type"],
        "entity_id": null, "entity_metadata": body["entity_metadata"], "user_count": 0, "image": null,
        "recurrence_rule": body["recurrence_rule"], "guild_scheduled_event_exceptions": [],
    })
}

pub(super) async fn create_event(Axum(shared): Axum<Shared>, payload: Payload) -> Answer {
    let mut state = lock(&shared);
    if !state.may(0, Right::CreateEvents) {
        return denied(false);
    }
    let open = state.scheduled.values().filter(|e| e["status"].as_u64().unwrap_or(0) < 3).count();
    if open >= MAX_EVENTS {
        return error(400, 30_038, "Maximum number of uncompleted guild scheduled events reached (100)");
    }
    let now = rfc3339(state.clock.now_ms());
    if payload.body["scheduled_start_time"].as_str().is_none_or(|start| start < now.as_str()) {
        return error(400, 50_035, "Invalid Form Body");
    }
    let id = state.snowflake();
    let value = event_json(&state, id, &payload.body);
    state.scheduled.insert(id, value.clone());
    state.dispatch("GUILD_SCHEDULED_EVENT_CREATE", &value);
    state.touch();
    good(value)
}

pub(super) async fn events(Axum(shared): Axum<Shared>) -> Answer {
    good(Value::Array(lock(&shared).scheduled.values().cloned().collect()))
}

pub(super) async fn event(Axum(shared): Axum<Shared>, Path((_, id)): Path<(u64, u64)>) -> Answer {
    lock(&shared).scheduled.get(&id).map_or_else(|| missing("Guild Scheduled Event"), |e| good(e.clone()))
}

pub(super) async fn edit_event(
    Axum(shared): Axum<Shared>,
    Path((_, id)): Path<(u64, u64)>,
    payload: Payload,
) -> Answer {
    let mut state = lock(&shared);
    let Some(mut event) = state.scheduled.get(&id).cloned() else { return missing("Guild Scheduled Event") };
    for (key, value) in payload.body.as_object().into_iter().flatten() {
        event[key.as_str()] = value.clone();
    }
    state.scheduled.insert(id, event.clone());
    state.dispatch("GUILD_SCHEDULED_EVENT_UPDATE", &event);
    state.touch();
    good(event)
}

pub(super) async fn delete_event(Axum(shared): Axum<Shared>, Path((_, id)): Path<(u64, u64)>) -> Answer {
    let mut state = lock(&shared);
    match state.scheduled.remove(&id) {
        Some(event) => {
            state.dispatch("GUILD_SCHEDULED_EVENT_DELETE", &event);
            state.touch();
            nothing()
        }
        None => missing("Guild Scheduled Event"),
    }
}
