//! Answers to interactions: callbacks of every type, the original answer, follow-ups; three seconds and fifteen minutes.
//! <https://discord.com/developers/docs/interactions/receiving-and-responding>

use axum::extract::{Path, Query, State as Axum};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::messages::{merge, new};
use super::{Answer, Payload, Shared, error, good, lock, missing, nothing};
use crate::model::{Seen, State, TOKEN_MS};

#[derive(serde::Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    with_response: bool,
}

pub(super) async fn callback(
    Axum(shared): Axum<Shared>,
    Path((id, token)): Path<(String, String)>,
    Query(ask): Query<Ask>,
    mut payload: Payload,
) -> Answer {
    let mut state = lock(&shared);
    let known = state.tokens.get(&token).map(String::as_str) == Some(id.as_str());
    let Some(interaction) = state.interactions.get(&id).filter(|_| known) else { return missing("Interaction") };
    if interaction.acked {
        return error(400, 40_060, "Interaction has already been acknowledged.");
    }
    // Three seconds have passed: whoever waited is gone.
    if interaction.answer.as_ref().is_none_or(tokio::sync::oneshot::Sender::is_closed) {
        return missing("Interaction");
    }
    let (user, source) = (interaction.user, interaction.source);
    let kind = payload.body["type"].as_u64().unwrap_or(0);
    let data = payload.body["data"].take();
    let only = data["flags"].as_u64().unwrap_or(0) & 64 != 0;
    let mut said = None;
    let seen = match kind {
        4 => {
            let payload = Payload { body: data, files: std::mem::take(&mut payload.files) };
            let message = say(&mut state, &id, payload, only);
            said = Some(message.id);
            Some(Seen::Message(message))
        }
        // A deferred answer shows as "thinking"; a deferred edit as nothing.
        5 => None,
        6 => Some(Seen::Acknowledged),
        7 => {
            let payload = Payload { body: data, files: std::mem::take(&mut payload.files) };
            let Some(message) = source.and_then(|source| {
                merge(&mut state, source, payload)?;
                state.message(source).cloned()
            }) else {
                return missing("Message");
            };
            if let Some(it) = state.interactions.get_mut(&id) {
                it.original = Some(message.id);
            }
            said = Some(message.id);
            Some(Seen::Message(message))
        }
        8 => {
            let word = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
            let choice = |c: &Value| (word(&c["name"]), word(&c["value"]));
            Some(Seen::Choices(data["choices"].as_array().into_iter().flatten().map(choice).collect()))
        }
        _ => Some(Seen::Modal { custom_id: data["custom_id"].as_str().unwrap_or_default().to_owned(), data }),
    };
    if let Some(it) = state.interactions.get_mut(&id) {
        it.acked = true;
        if kind == 6 {
            it.original = source;
        }
        match seen {
            Some(seen) => {
                if let Some(answer) = it.answer.take() {
                    drop(answer.send(seen));
                }
            }
            None => it.deferred = Some(only),
        }
    }
    if !ask.with_response {
        return nothing();
    }
    let message = said.and_then(|id| state.message(id)).map(|message| state.message_json(message));
    let mut resource = json!({ "type": kind });
    if let Some(message) = message {
        resource["message"] = message;
    }
    let interaction = json!({
        "id": id, "type": 2, "response_message_id": resource["message"]["id"], "response_message_loading": kind == 5,
        "response_message_ephemeral": only, "user_id": user.to_string(),
    });
    good(json!({ "interaction": interaction, "resource": resource }))
}

/// Says an interaction's answer.
fn say(state: &mut State, id: &str, mut payload: Payload, only: bool) -> crate::model::Message {
    let files = payload.files(state);
    let (number, at_ms) = (state.snowflake(), state.clock.now_ms());
    let (user, channel, used) =
        state.interactions.get(id).map_or((0, 0, String::new()), |it| (it.user, it.channel, it.used.clone()));
    let mut message = new(number, channel, payload.body, at_ms, files);
    message.only = only.then_some(user);
    message.by = Some((user, used));
    state.put(message.clone());
    if let Some(it) = state.interactions.get_mut(id)
        && it.original.is_none()
    {
        it.original = Some(number);
    }
    message
}

/// The interaction of a token that still lives.
fn alive(state: &State, token: &str) -> Result<String, Answer> {
    let Some(id) = state.tokens.get(token).cloned() else { return Err(missing("Webhook")) };
    let begun = state.interactions.get(&id).map_or(i64::MIN, |it| it.at_ms);
    if state.clock.now_ms() - begun > TOKEN_MS {
        return Err(error(401, 50_027, "Invalid Webhook Token"));
    }
    if state.interactions.get(&id).is_some_and(|it| !it.acked) {
        return Err(missing("Webhook"));
    }
    Ok(id)
}

pub(super) async fn follow_up(
    Axum(shared): Axum<Shared>,
    Path((_, token)): Path<(String, String)>,
    payload: Payload,
) -> Answer {
    let mut state = lock(&shared);
    match alive(&state, &token) {
        Err(answer) => answer,
        Ok(id) => {
            let only = payload.body["flags"].as_u64().unwrap_or(0) & 64 != 0;
            let message = say(&mut state, &id, payload, only);
            good(state.message_json(&message))
        }
    }
}

/// The message a path means: the original, or one by its id.
fn target(state: &State, id: &str, message: &str) -> Option<u64> {
    match message {
        "@original" => state.interactions.get(id)?.original,
        number => number.parse().ok(),
    }
}

pub(super) async fn edit(
    Axum(shared): Axum<Shared>,
    Path((_, token, message)): Path<(String, String, String)>,
    payload: Payload,
) -> Answer {
    let mut state = lock(&shared);
    let id = match alive(&state, &token) {
        Ok(id) => id,
        Err(answer) => return answer,
    };
    let waiting = state.interactions.get(&id).and_then(|it| it.deferred.filter(|_| it.original.is_none()));
    if let (Some(only), "@original") = (waiting, message.as_str()) {
        let said = say(&mut state, &id, payload, only);
        if let Some(answer) = state.interactions.get_mut(&id).and_then(|it| it.answer.take()) {
            drop(answer.send(Seen::Message(said.clone())));
        }
        return good(state.message_json(&said));
    }
    match target(&state, &id, &message) {
        Some(target) => merge(&mut state, target, payload).map_or_else(|| missing("Message"), good),
        None => missing("Message"),
    }
}

pub(super) async fn fetch(
    Axum(shared): Axum<Shared>,
    Path((_, token, message)): Path<(String, String, String)>,
) -> Answer {
    let state = lock(&shared);
    let found = alive(&state, &token).ok().and_then(|id| target(&state, &id, &message));
    let found = found.and_then(|id| state.message(id));
    found.map_or_else(|| missing("Message"), |m| good(state.message_json(m)))
}

pub(super) async fn delete(
    Axum(shared): Axum<Shared>,
    Path((_, token, message)): Path<(String, String, String)>,
) -> Answer {
    let mut state = lock(&shared);
    let found = alive(&state, &token).ok().and_then(|id| target(&state, &id, &message));
    match found.and_then(|id| state.forget(id)) {
        Some(_) => {
            state.touch();
            Answer(StatusCode::NO_CONTENT, Value::Null)
        }
        None => missing("Message"),
    }
}
