//! The REST API. Every request passes one guard: token, limits, scripted faults, rules, schema, log. The handlers behind it
//! only change the state.

mod guard;
mod guilds;
mod interactions;
mod messages;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Path, Request, State as Axum};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use axum::{Router, middleware};
use serde_json::{Value, json};

use crate::json::content_type;
use crate::model::{File, State};

pub(crate) type Shared = Arc<Mutex<State>>;

pub(crate) fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The largest request Discord takes.
const MAX_BODY: usize = 25 * 1024 * 1024;

/// The routes, without the gateway and the page.
pub(crate) fn routes(shared: &Shared) -> Router<Shared> {
    let api = Router::new()
        .route("/gateway", get(guilds::gateway))
        .route("/gateway/bot", get(guilds::gateway))
        .route("/users/@me", get(guilds::me))
        .route("/applications/@me", get(guilds::application))
        .route("/oauth2/applications/@me", get(guilds::application))
        .route("/applications/{app}/commands", put(guilds::register_all).get(guilds::registered_all))
        .route("/applications/{app}/guilds/{guild}/commands", put(guilds::register).get(guilds::registered))
        .route("/interactions/{id}/{token}/callback", post(interactions::callback))
        .route("/webhooks/{app}/{token}", post(interactions::follow_up))
        .route(
            "/webhooks/{app}/{token}/messages/{message}",
            patch(interactions::edit).get(interactions::fetch).delete(interactions::delete),
        )
        .route("/channels/{channel}", get(guilds::channel).delete(guilds::delete_channel))
        .route("/channels/{channel}/typing", post(guilds::typing))
        .route("/channels/{channel}/messages", get(messages::history).post(messages::create))
        .route(
            "/channels/{channel}/messages/{message}",
            patch(messages::edit).get(messages::fetch).delete(messages::delete),
        )
        .route("/channels/{channel}/messages/{message}/threads", post(guilds::thread_of))
        .route("/channels/{channel}/threads", post(guilds::thread))
        .route("/channels/{channel}/messages/pins", get(messages::pins))
        .route("/channels/{channel}/messages/pins/{message}", put(messages::pin).delete(messages::unpin))
        .route("/channels/{channel}/pins/{message}", put(messages::pin).delete(messages::unpin))
        .route("/guilds/{guild}", get(guilds::guild))
        .route("/guilds/{guild}/channels", get(guilds::channels).post(guilds::create_channel))
        .route("/guilds/{guild}/roles", get(guilds::roles))
        .route("/guilds/{guild}/members/search", get(guilds::search))
        .route("/guilds/{guild}/members/{member}", get(guilds::member))
        .route("/guilds/{guild}/scheduled-events", get(guilds::events).post(guilds::create_event))
        .route(
            "/guilds/{guild}/scheduled-events/{event}",
            get(guilds::event).patch(guilds::edit_event).delete(guilds::delete_event),
        )
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(shared), guard::guard));
    Router::new()
        .nest("/api/v10", api)
        .route("/cdn/{id}/{name}", get(file))
        .layer(axum::extract::DefaultBodyLimit::max(MAX_BODY))
}

async fn unknown() -> Answer {
    error(404, 0, "404: Not Found")
}

async fn not_allowed() -> Answer {
    error(405, 0, "405: Method Not Allowed")
}

/// An answer before the guard sends it.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) StatusCode, pub(crate) Value);

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        if self.0 == StatusCode::NO_CONTENT {
            return self.0.into_response();
        }
        (self.0, axum::Json(self.1)).into_response()
    }
}

pub(crate) fn good(value: Value) -> Answer {
    Answer(StatusCode::OK, value)
}

pub(crate) fn nothing() -> Answer {
    Answer(StatusCode::NO_CONTENT, Value::Null)
}

pub(crate) fn error(status: u16, code: i64, message: &str) -> Answer {
    Answer(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), json!({ "code": code, "message": message }))
}

/// What is not there.
pub(crate) fn missing(what: &str) -> Answer {
    let code = match what {
        "Channel" => 10_003,
        "Guild" => 10_004,
        "Member" => 10_007,
        "Message" => 10_008,
        "Webhook" => 10_015,
        "Interaction" => 10_062,
        "Guild Scheduled Event" => 10_070,
        _ => 0,
    };
    error(404, code, &format!("Unknown {what}"))
}

/// A right the bot lacks.
pub(crate) fn denied(access: bool) -> Answer {
    if access { error(403, 50_001, "Missing Access") } else { error(403, 50_013, "Missing Permissions") }
}

/// A JSON body, or the `payload_json` of a multipart one with its files.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    pub(crate) body: Value,
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

impl Payload {
    /// The files with ids and the descriptions the body gives them.
    pub(crate) fn files(&mut self, state: &mut State) -> Vec<File> {
        let described = self.body["attachments"].as_array().cloned().unwrap_or_default();
        let files = std::mem::take(&mut self.files).into_iter().enumerate();
        files
            .map(|(n, (name, bytes))| {
                let about = described.get(n).and_then(|a| a["description"].as_str()).map(str::to_owned);
                File { id: state.snowflake(), name, description: about, bytes }
            })
            .collect()
    }
}

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = Answer;

    async fn from_request(request: Request, state: &S) -> Result<Self, Answer> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("multipart/") {
            let bytes = Bytes::from_request(request, state)
                .await
                .map_err(|_too_large| error(413, 40_005, "Request entity too large"))?;
            let body = if bytes.is_empty() {
                Value::Null
            } else {
                serde_json::from_slice(&bytes)
                    .map_err(|_malformed| error(400, 50_109, "The request body contains invalid JSON."))?
            };
            return Ok(Self { body, files: Vec::new() });
        }
        let malformed = || error(400, 50_035, "Invalid Form Body");
        let mut form = Multipart::from_request(request, state).await.map_err(|_no_form| malformed())?;
        let mut payload = Self::default();
        while let Some(field) = form.next_field().await.map_err(|_broken| malformed())? {
            let name = field.file_name().map(str::to_owned);
            let bytes = field.bytes().await.map_err(|_broken| malformed())?;
            match name {
                Some(name) => payload.files.push((name, bytes.to_vec())),
                None => payload.body = serde_json::from_slice(&bytes).map_err(|_no_json| malformed())?,
            }
        }
        Ok(payload)
    }
}

async fn file(Axum(shared): Axum<Shared>, Path((id, _)): Path<(u64, String)>) -> Response {
    match lock(&shared).files.get(&id) {
        Some((name, bytes)) => {
            let safe = [
                (header::CONTENT_TYPE, content_type(name)),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
            ];
            (safe, bytes.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
