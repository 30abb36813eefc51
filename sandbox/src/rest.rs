//! The REST API: the routes a bot of our kind uses, with rate-limit headers, the nonce window and scripted faults.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Path, Query, Request, State as Axum};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use serde_json::{Value, json};

use crate::model::{Fault, Logged, Message, Seen, State};
use crate::rules;

pub(crate) type Shared = Arc<Mutex<State>>;

pub(crate) fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The routes, without the gateway and the page.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/v10/gateway", get(gateway))
        .route("/api/v10/gateway/bot", get(gateway))
        .route("/api/v10/users/@me", get(me))
        .route("/api/v10/applications/{app}/guilds/{guild}/commands", put(register))
        .route("/api/v10/interactions/{id}/{token}/callback", post(callback))
        .route("/api/v10/webhooks/{app}/{token}/messages/@original", patch(edit_original))
        .route("/api/v10/channels/{channel}", get(channel))
        .route("/api/v10/channels/{channel}/messages", get(history).post(create))
        .route("/api/v10/channels/{channel}/messages/{message}", patch(edit))
        .route("/api/v10/guilds/{guild}/members/search", get(search))
        .route("/cdn/{id}/{name}", get(file))
}

type Answer = (StatusCode, Value);

fn error(status: u16, code: i64, message: &str) -> Answer {
    (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), json!({ "code": code, "message": message }))
}

fn invalid(bad: &[String]) -> Answer {
    (StatusCode::BAD_REQUEST, json!({ "code": 50035, "message": "Invalid Form Body", "errors": bad }))
}

/// Holds an answer of ours against the published schema, where it is given.
fn answered(state: &mut State, route: &str, value: &Value) {
    #[cfg(feature = "schema")]
    if let Some(schema) = &state.schema {
        let bad = schema.answer(route, value);
        state.violations.extend(bad);
    }
    #[cfg(not(feature = "schema"))]
    let _: (&State, &str, &Value) = (state, route, value);
}

/// Checks the token, logs the request, keeps what the rules found.
fn done(state: &mut State, method: &Method, path: &str, headers: &HeaderMap, answer: Answer) -> Response {
    let authorized =
        headers.get("authorization").and_then(|v| v.to_str().ok()) == Some(&format!("Bot {}", state.token));
    let (status, body) = if authorized { answer } else { error(401, 0, "401: Unauthorized") };
    state.log.push(Logged { method: method.to_string(), path: path.to_owned(), status: status.as_u16() });
    if status == StatusCode::NO_CONTENT {
        return status.into_response();
    }
    (status, axum::Json(body)).into_response()
}

/// Keeps what the rules, and the published schema where it is given, have against a request's body.
fn found(state: &mut State, route: &str, body: &Value, bad: Vec<String>) -> Result<(), Answer> {
    #[cfg(feature = "schema")]
    if let Some(schema) = &state.schema {
        let more = schema.request(route, body);
        state.violations.extend(more);
    }
    #[cfg(not(feature = "schema"))]
    let _: &Value = body;
    if bad.is_empty() {
        return Ok(());
    }
    state.violations.extend(bad.iter().map(|b| format!("{route}: {b}")));
    Err(invalid(&bad))
}

async fn gateway(Axum(shared): Axum<Shared>, method: Method, headers: HeaderMap) -> Response {
    let mut state = lock(&shared);
    let url = format!("{}/ws", state.base.replacen("http", "ws", 1));
    let answer = json!({ "url": url, "shards": 1, "session_start_limit": { "total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1 } });
    done(&mut state, &method, "/gateway", &headers, (StatusCode::OK, answer))
}

async fn me(Axum(shared): Axum<Shared>, method: Method, headers: HeaderMap) -> Response {
    let mut state = lock(&shared);
    let user = state.bot_user();
    done(&mut state, &method, "/users/@me", &headers, (StatusCode::OK, user))
}

async fn register(
    Axum(shared): Axum<Shared>,
    Path((_, guild)): Path<(String, u64)>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut state = lock(&shared);
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let answer = match found(&mut state, "commands", &body, rules::commands(&body)) {
        Ok(()) => {
            state.commands.insert(guild, body.clone());
            (StatusCode::OK, body)
        }
        Err(answer) => answer,
    };
    state.touch();
    done(&mut state, &method, "/commands", &headers, answer)
}

/// A JSON body, or the `payload_json` of a multipart one with its first file.
async fn payload(request: Request) -> (Method, HeaderMap, Value, Option<(String, Vec<u8>)>) {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    let multipart =
        headers.get("content-type").and_then(|v| v.to_str().ok()).is_some_and(|v| v.starts_with("multipart/"));
    if !multipart {
        let bytes = Bytes::from_request(request, &()).await.unwrap_or_default();
        return (method, headers, serde_json::from_slice(&bytes).unwrap_or_default(), None);
    }
    let (mut body, mut file) = (Value::Null, None);
    if let Ok(mut form) = Multipart::from_request(request, &()).await {
        while let Ok(Some(field)) = form.next_field().await {
            let name = field.file_name().map(str::to_owned);
            let bytes = field.bytes().await.unwrap_or_default();
            match name {
                Some(name) => file = Some((name, bytes.to_vec())),
                None => body = serde_json::from_slice(&bytes).unwrap_or_default(),
            }
        }
    }
    (method, headers, body, file)
}

async fn callback(Axum(shared): Axum<Shared>, Path((id, token)): Path<(String, String)>, request: Request) -> Response {
    let (method, headers, body, file) = payload(request).await;
    let mut state = lock(&shared);
    let answer = answer_interaction(&mut state, &id, &token, &body, file);
    done(&mut state, &method, "/interactions/callback", &headers, answer)
}

fn answer_interaction(
    state: &mut State,
    id: &str,
    token: &str,
    body: &Value,
    file: Option<(String, Vec<u8>)>,
) -> Answer {
    let Some(interaction) = state.interactions.get(id) else {
        return error(404, 10062, "Unknown interaction");
    };
    if state.tokens.get(token).map(String::as_str) != Some(id) {
        return error(404, 10062, "Unknown interaction");
    }
    if interaction.acked {
        return error(400, 40060, "Interaction has already been acknowledged.");
    }
    if interaction.answer.as_ref().is_none_or(tokio::sync::oneshot::Sender::is_closed) {
        return error(404, 10062, "Unknown interaction");
    }
    let (user, channel) = (interaction.user, interaction.channel);
    if let Err(answer) = found(state, "callback", body, rules::callback(body)) {
        return answer;
    }
    let data = &body["data"];
    let seen = match body["type"].as_u64() {
        Some(4) => {
            let message = private(state, data, user, channel, file);
            let id_of_message = message.id;
            state.put(message.clone());
            if let Some(it) = state.interactions.get_mut(id) {
                it.original = Some(id_of_message);
            }
            Some(Seen::Message(message))
        }
        Some(8) => {
            let choice = |c: &Value| {
                (c["name"].as_str().unwrap_or_default().to_owned(), c["value"].as_str().unwrap_or_default().to_owned())
            };
            Some(Seen::Choices(data["choices"].as_array().into_iter().flatten().map(choice).collect()))
        }
        Some(9) => Some(Seen::Modal {
            custom_id: data["custom_id"].as_str().unwrap_or_default().to_owned(),
            data: data.clone(),
        }),
        _ => None,
    };
    if let Some(it) = state.interactions.get_mut(id) {
        it.acked = true;
        match seen {
            Some(seen) => {
                if let Some(answer) = it.answer.take() {
                    drop(answer.send(seen));
                }
            }
            None => it.deferred = true,
        }
    }
    (StatusCode::NO_CONTENT, Value::Null)
}

fn private(state: &mut State, data: &Value, user: u64, channel: u64, file: Option<(String, Vec<u8>)>) -> Message {
    let only = (data["flags"].as_u64().unwrap_or(0) & 64 != 0).then_some(user);
    let (id, at_ms) = (state.snowflake(), state.clock.now_ms());
    Message { id, channel, body: data.clone(), at_ms, edited_ms: None, only, by: Some(user), file }
}

async fn edit_original(
    Axum(shared): Axum<Shared>,
    Path((_, token)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (method, headers, mut body, file) = payload(request).await;
    let mut state = lock(&shared);
    let Some(id) = state.tokens.get(&token).cloned() else {
        return done(&mut state, &method, "/webhooks/@original", &headers, error(404, 10015, "Unknown Webhook"));
    };
    let answer = match found(&mut state, "edit original", &body, rules::message(&body, false)) {
        Err(answer) => answer,
        Ok(()) => {
            let (user, channel) = state.interactions.get(&id).map_or((0, 0), |it| (it.user, it.channel));
            body["flags"] = json!(64);
            let message = private(&mut state, &body, user, channel, file);
            let value = state.put(message.clone());
            if let Some(it) = state.interactions.get_mut(&id)
                && let Some(answer) = it.answer.take()
            {
                drop(answer.send(Seen::Message(message)));
            }
            (StatusCode::OK, value)
        }
    };
    done(&mut state, &method, "/webhooks/@original", &headers, answer)
}

async fn channel(Axum(shared): Axum<Shared>, Path(id): Path<u64>, method: Method, headers: HeaderMap) -> Response {
    let mut state = lock(&shared);
    let answer = state.channel_json(id).map_or_else(|| error(404, 10003, "Unknown Channel"), |c| (StatusCode::OK, c));
    done(&mut state, &method, "/channels", &headers, answer)
}

#[derive(serde::Deserialize)]
struct Page {
    #[serde(default = "fifty")]
    limit: usize,
    after: Option<u64>,
}

fn fifty() -> usize {
    50
}

async fn history(
    Axum(shared): Axum<Shared>,
    Path(channel): Path<u64>,
    Query(page): Query<Page>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let mut state = lock(&shared);
    let after = page.after.unwrap_or(0);
    let mut list: Vec<Value> = if state.unreadable {
        Vec::new()
    } else {
        let rows = state.messages.values().filter(|m| m.channel == channel && m.only.is_none() && m.id > after);
        rows.take(page.limit.min(100)).map(|m| state.message_json(m)).collect()
    };
    list.reverse();
    let list = Value::Array(list);
    answered(&mut state, "history", &list);
    done(&mut state, &method, "/messages", &headers, (StatusCode::OK, list))
}

async fn create(Axum(shared): Axum<Shared>, Path(channel): Path<u64>, request: Request) -> Response {
    let (method, headers, body, file) = payload(request).await;
    let mut state = lock(&shared);
    let bucket = state.bucket(&format!("create/{channel}"));
    let (left, after) = match bucket {
        Ok(bucket) => bucket,
        Err(after) => {
            let answer = (
                StatusCode::TOO_MANY_REQUESTS,
                json!({ "message": "You are being rate limited.", "retry_after": after, "global": false }),
            );
            return done(&mut state, &method, "/messages", &headers, answer);
        }
    };
    let fault = if state.faults.is_empty() { None } else { Some(state.faults.remove(0)) };
    let answer = create_message(&mut state, channel, &body, file, fault);
    let mut response = done(&mut state, &method, "/messages", &headers, answer);
    let limits = [
        ("x-ratelimit-limit", state.per_five_seconds.to_string()),
        ("x-ratelimit-remaining", left.to_string()),
        ("x-ratelimit-reset-after", format!("{after:.3}")),
    ];
    for (name, value) in limits {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn create_message(
    state: &mut State,
    channel: u64,
    body: &Value,
    file: Option<(String, Vec<u8>)>,
    fault: Option<Fault>,
) -> Answer {
    match fault {
        Some(Fault::FailBefore) => return error(502, 0, "bad gateway"),
        Some(Fault::RateLimited) => {
            return (
                StatusCode::TOO_MANY_REQUESTS,
                json!({ "message": "You are being rate limited.", "retry_after": 0.05, "global": false }),
            );
        }
        Some(Fault::Forbidden) => return error(403, 50013, "Missing Permissions"),
        Some(Fault::FailAfter) | None => {}
    }
    if state.channel_json(channel).is_none() {
        return error(404, 10003, "Unknown Channel");
    }
    if let Err(answer) = found(state, "create", body, rules::message(body, true)) {
        return answer;
    }
    let nonce = body["nonce"].as_str().filter(|_| body["enforce_nonce"] == true).map(str::to_owned);
    if let Some(id) = nonce.as_deref().and_then(|n| state.by_nonce(n)) {
        return match state.messages.get(&id) {
            Some(message) => (StatusCode::OK, state.message_json(message)),
            None => error(404, 10008, "Unknown Message"),
        };
    }
    let (id, at_ms) = (state.snowflake(), state.clock.now_ms());
    let message = Message { id, channel, body: body.clone(), at_ms, edited_ms: None, only: None, by: None, file };
    let value = state.put(message);
    answered(state, "create", &value);
    if let Some(nonce) = nonce {
        state.keep_nonce(&nonce, id);
    }
    if fault == Some(Fault::FailAfter) { error(502, 0, "bad gateway") } else { (StatusCode::OK, value) }
}

async fn edit(
    Axum(shared): Axum<Shared>,
    Path((channel, id)): Path<(u64, u64)>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut state = lock(&shared);
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let answer = match found(&mut state, "edit", &body, rules::message(&body, false)) {
        Err(answer) => answer,
        Ok(()) => {
            let now = state.clock.now_ms();
            match state.messages.get_mut(&id).filter(|m| m.channel == channel) {
                Some(message) => {
                    message.body = body;
                    message.edited_ms = Some(now);
                    let message = message.clone();
                    state.touch();
                    let value = state.message_json(&message);
                    answered(&mut state, "edit", &value);
                    (StatusCode::OK, value)
                }
                None => error(404, 10008, "Unknown Message"),
            }
        }
    };
    done(&mut state, &method, "/messages/edit", &headers, answer)
}

#[derive(serde::Deserialize)]
struct Search {
    query: String,
    #[serde(default = "fifty")]
    limit: usize,
}

async fn search(
    Axum(shared): Axum<Shared>,
    Query(search): Query<Search>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let mut state = lock(&shared);
    let wanted = search.query.to_lowercase();
    let hits = state
        .world
        .people
        .iter()
        .filter(|p| p.username.to_lowercase().starts_with(&wanted) || p.name.to_lowercase().starts_with(&wanted));
    let list: Vec<Value> = hits.take(search.limit).map(|p| state.member(p, true)).collect();
    done(&mut state, &method, "/members/search", &headers, (StatusCode::OK, Value::Array(list)))
}

async fn file(Axum(shared): Axum<Shared>, Path((id, _)): Path<(u64, String)>) -> Response {
    match lock(&shared).files.get(&id) {
        Some((_, bytes)) => (StatusCode::OK, bytes.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
