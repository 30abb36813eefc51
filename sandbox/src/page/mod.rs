//! The page: a chat server as one person sees it, with a clock, values to move, faults, an inspector and a story beside it.
//! Rendered here; a plain script fetches what changed. It shows state and never changes it: acting is `control`'s.

mod chat;
mod markup;
mod panels;
mod status;

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, Query, State as Axum};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Sandbox;
use crate::control::local;
use crate::model::State;
use crate::rest::lock;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const STATUS_SCRIPT: &str = include_str!("status.js");
/// Nothing from elsewhere, nothing inline: what a bot says cannot become code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn routes(sandbox: Sandbox) -> Router {
    let text =
        |kind: &'static str, body: &'static str| get(move || async move { ([(header::CONTENT_TYPE, kind)], body) });
    Router::new()
        .route("/", get(page))
        .route("/fragment", get(fragment))
        .route("/form", get(form))
        .route("/commands", get(commands))
        .route("/events", get(events))
        .route("/status", get(status::page))
        .route("/sample/{no}", get(sample))
        .route("/page.css", text("text/css; charset=utf-8", STYLE))
        .route("/status.js", text("text/javascript; charset=utf-8", STATUS_SCRIPT))
        .route("/page.js", text("text/javascript; charset=utf-8", SCRIPT))
        .layer(middleware::map_response(guarded))
        .layer(middleware::from_fn(local))
        .with_state(sandbox)
}

async fn guarded(mut response: Response) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Who looks, and at which channel. A step of the story (from 1) chooses both.
#[derive(Debug, Clone, Default, Deserialize)]
struct Ask {
    #[serde(default)]
    who: String,
    #[serde(default)]
    channel: String,
    /// As the address has it; what is no number is no step.
    #[serde(default)]
    step: String,
}

impl Ask {
    fn step(&self) -> Option<usize> {
        self.step.parse().ok().filter(|step| *step > 0)
    }
}

/// The same, once it was found.
#[derive(Debug, Clone)]
struct View {
    who: String,
    me: u64,
    channel: String,
    here: u64,
    step: Option<usize>,
}

impl View {
    /// Falls back to the story's step, then to the first person and channel.
    fn of(ask: Ask, sandbox: &Sandbox, state: &State) -> Self {
        let wanted = ask.step();
        let step = wanted.and_then(|step| {
            let player = sandbox.player();
            player.tale.steps.get(step - 1).map(|s| (s.who.clone(), s.channel.clone()))
        });
        let (step_who, step_channel) = step.unwrap_or_default();
        let who = [ask.who, step_who].into_iter().find_map(|who| state.world.person(&who).cloned());
        let who = who.or_else(|| state.world.people.first().cloned());
        let channel = [ask.channel, step_channel].into_iter().find_map(|name| state.channel(&name).cloned());
        let first = || state.world.channels.iter().find_map(|seed| state.channels.get(&seed.id).cloned());
        let channel = channel.or_else(first);
        Self {
            me: who.as_ref().map_or(0, |p| p.id),
            who: who.map(|p| p.username).unwrap_or_default(),
            here: channel.as_ref().map_or(0, |c| c.id),
            channel: channel.map(|c| c.name).unwrap_or_default(),
            step: wanted,
        }
    }

    fn link(&self, who: &str, channel: &str) -> String {
        format!("/?who={}&channel={}", crate::json::encoded(who), crate::json::encoded(channel))
    }
}

/// The parts of the page that change, by the id of their place.
fn parts(sandbox: &Sandbox, state: &State, view: &View) -> Vec<(&'static str, Markup)> {
    vec![
        ("channels", chat::channels(state, view)),
        ("people", chat::people(state, view)),
        ("head", chat::head(state, view)),
        ("now", panels::now(state)),
        ("running", panels::running(sandbox)),
        ("story", panels::story(sandbox, state, view)),
        ("step", panels::step(sandbox, state)),
        ("signals", panels::signals(state)),
        ("faults", panels::faults(state, view)),
        ("inspector", panels::inspector(state)),
        ("statuspage", status::panel(state)),
    ]
}

async fn page(Axum(sandbox): Axum<Sandbox>, Query(ask): Query<Ask>) -> Html<String> {
    let mut state = lock(&sandbox.shared);
    let view = View::of(ask, &sandbox, &state);
    state.mark_read(view.me, view.here);
    let place = |id: &str| {
        let found = parts(&sandbox, &state, &view).into_iter().find(|(name, _)| *name == id);
        found.map(|(_, markup)| markup).unwrap_or_default()
    };
    let panel = |id: &str, title: &str, open: bool| {
        html! {
            details.panel open[open] {
                summary { (title) }
                div id=(id) { (place(id)) }
            }
        }
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" data-who=(view.who) data-channel=(view.channel) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title(&state, &view)) }
                link rel="stylesheet" href="/page.css";
                link rel="icon" href="data:,";
                script src="/page.js" defer {}
            }
            body {
                header.top {
                    button.drawer type="button" data-drawer="left" aria-expanded="false" aria-controls="left" { "☰ Channels" }
                    strong.server { (state.world.name) }
                    span.banner { "Sandbox: nothing leaves this machine" }
                    div #now { (place("now")) }
                    button.quiet #theme type="button" aria-label="Dark / light" { span aria-hidden="true" { "◐" } span.words { " Dark / light" } }
                    button.drawer type="button" data-drawer="right" aria-expanded="false" aria-controls="right" { "Story ▸" }
                }
                nav #left aria-label="Channels and people" {
                    button.drawer type="button" data-drawer="left" { "✕ Close" }
                    div #channels { (place("channels")) }
                    div #people { (place("people")) }
                }
                main {
                    div #head { (place("head")) }
                    div #messages role="log" aria-label=(format!("Messages in #{}", view.channel)) tabindex="0" data-empty=(chat::EMPTY) { (chat::messages(&state, &view)) }
                    div #toast role="status" aria-live="polite" {}
                    div #step { (place("step")) }
                    form #composer autocomplete="off" novalidate {
                        div #menu role="listbox" aria-label="Commands" hidden {}
                        label.unseen for="say" { "Message #" (view.channel) }
                        input #say type="text" placeholder=(format!("Message #{}, or / for commands", view.channel)) maxlength="2000" aria-controls="menu" aria-expanded="false" role="combobox" aria-autocomplete="list";
                    }
                }
                aside #right aria-label="Story, clock and tools" {
                    button.drawer type="button" data-drawer="right" { "✕ Close" }
                    (panel("story", "Story", true))
                    details.panel open {
                        summary { "Clock" }
                        (panels::clock())
                        div #running { (place("running")) }
                    }
                    (panel("signals", "Production", true))
                    details.panel open {
                        summary { "Status page" }
                        div #statuspage { (place("statuspage")) }
                        (status::form())
                    }
                    (panel("faults", "Faults", false))
                    (panel("inspector", "Inspector", false))
                }
                dialog #dialog aria-labelledby="dialog-title" {}
            }
        }
    };
    Html(page.into_string())
}

/// What changed can be told from what this gives: the script keeps what it showed last.
async fn fragment(Axum(sandbox): Axum<Sandbox>, Query(ask): Query<Ask>) -> Json<Value> {
    let mut state = lock(&sandbox.shared);
    let view = View::of(ask, &sandbox, &state);
    state.mark_read(view.me, view.here);
    let parts: serde_json::Map<String, Value> = parts(&sandbox, &state, &view)
        .into_iter()
        .map(|(id, markup)| (id.to_owned(), json!(markup.into_string())))
        .collect();
    Json(json!({
        "who": view.who, "channel": view.channel, "now_ms": state.clock.now_ms(), "parts": parts,
        "messages": chat::list(&state, &view), "title": title(&state, &view),
    }))
}

fn title(state: &State, view: &View) -> String {
    format!("#{} · {} · Sandbox", view.channel, state.world.name)
}

/// A file to try by hand, by its place in the world's list.
async fn sample(Axum(sandbox): Axum<Sandbox>, Path(no): Path<usize>) -> Response {
    let state = lock(&sandbox.shared);
    match state.world.samples.get(no) {
        Some(sample) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], sample.bytes.clone()).into_response(),
        None => (axum::http::StatusCode::NOT_FOUND, "This file does not exist.").into_response(),
    }
}

#[derive(Deserialize)]
struct Which {
    form: u64,
}

async fn form(Axum(sandbox): Axum<Sandbox>, Query(which): Query<Which>) -> Response {
    let state = lock(&sandbox.shared);
    match state.forms.get(&which.form) {
        Some(form) => Html(chat::form(which.form, &form.data).into_string()).into_response(),
        None => (axum::http::StatusCode::NOT_FOUND, "This form is closed.").into_response(),
    }
}

/// The commands as the menu shows them, with the names an option can take.
async fn commands(Axum(sandbox): Axum<Sandbox>) -> Json<Value> {
    let state = lock(&sandbox.shared);
    let mut all = Vec::new();
    for root in state.registered() {
        verbs(root, root["name"].as_str().unwrap_or_default(), &mut all);
    }
    let named = |id: u64, name: &str| json!([id.to_string(), name]);
    Json(json!({
        "commands": all,
        "roles": state.world.roles.iter().map(|r| named(r.id, &r.name)).collect::<Vec<_>>(),
        "people": state.world.people.iter().map(|p| named(p.id, &p.name)).collect::<Vec<_>>(),
        "channels": state.channels.values().filter(|c| c.parent.is_none()).map(|c| named(c.id, &format!("#{}", c.name))).collect::<Vec<_>>(),
    }))
}

fn verbs(node: &Value, path: &str, all: &mut Vec<Value>) {
    let inner: Vec<&Value> =
        node["options"].as_array().into_iter().flatten().filter(|o| o["type"] == 1 || o["type"] == 2).collect();
    if inner.is_empty() {
        all.push(json!({ "path": path, "description": node["description"], "options": node["options"] }));
    }
    for child in inner {
        verbs(child, &format!("{path} {}", child["name"].as_str().unwrap_or_default()), all);
    }
}

/// One event for every change, at most twenty a second. The first comes at once: the page may have changed since it was drawn.
async fn events(Axum(sandbox): Axum<Sandbox>) -> impl IntoResponse {
    let mut watching = lock(&sandbox.shared).changed.subscribe();
    watching.mark_changed();
    let stream = futures_util::stream::unfold(watching, |mut watching| async move {
        watching.changed().await.ok()?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let version = *watching.borrow_and_update();
        Some((Ok::<Event, Infallible>(Event::default().data(version.to_string())), watching))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(20)))
}
