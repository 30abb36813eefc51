//! The control API: what tests, benchmarks and the page do with the sandbox over HTTP. JSON, on loopback, same origin only.

use axum::extract::{Query, Request, State as Axum};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Sandbox;
use crate::act::CannotAct;
use crate::faults::{Fault, Right, Script};
use crate::model::{Form, Seen};
use crate::rest::lock;

pub(crate) fn routes(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/control/state", get(state))
        .route("/control/messages", get(messages))
        .route("/control/requests", get(requests))
        .route("/control/act", post(act))
        .route("/control/clock", post(clock))
        .route("/control/story", post(story))
        .route("/control/signals", post(signals))
        .route("/control/faults", post(faults))
        .route("/control/status", post(status))
        .layer(middleware::from_fn(local))
        .with_state(sandbox)
}

/// Only this machine's own page may steer: another site in the same browser may not, by whatever name it calls us.
pub(crate) async fn local(request: Request, next: Next) -> Response {
    let host = |value: &str| {
        let name = value.trim_start_matches("http://");
        let name = name.rsplit_once(':').map_or(name, |(name, _)| name);
        matches!(name, "127.0.0.1" | "localhost" | "[::1]")
    };
    let allowed = {
        let headers = request.headers();
        let says = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
        says(header::HOST).is_some_and(host) && says(header::ORIGIN).is_none_or(host)
    };
    if allowed {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "The sandbox accepts requests only from this machine.").into_response()
    }
}

/// What could not be done is an answer like any other, with an `error` in it: a browser's console stays for what is broken.
fn refused(why: &str) -> Response {
    Json(json!({ "error": why })).into_response()
}

async fn state(Axum(sandbox): Axum<Sandbox>) -> Json<Value> {
    let player = sandbox.player();
    let story = json!({
        "name": player.tale.name, "next": player.next, "steps": player.tale.steps.len(), "stuck": player.stuck,
        "busy": player.busy, "told": player.told,
    });
    drop(player);
    let state = lock(&sandbox.shared);
    Json(json!({
        "now_ms": state.clock.now_ms(), "online": sandbox.online_in(&state), "story": story, "violations": state.violations,
        "invalid_requests": state.buckets.invalid, "sessions": state.sessions.values().filter(|s| s.live.is_some()).count(),
    }))
}

#[derive(Deserialize)]
struct Where {
    channel: String,
}

async fn messages(Axum(sandbox): Axum<Sandbox>, Query(wanted): Query<Where>) -> Json<Value> {
    let list = sandbox.messages(&wanted.channel);
    let state = lock(&sandbox.shared);
    Json(Value::Array(list.iter().map(|m| state.message_json(m)).collect()))
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn requests(Axum(sandbox): Axum<Sandbox>, Query(page): Query<After>) -> Json<Value> {
    let state = lock(&sandbox.shared);
    let list = state.log.iter().filter(|entry| entry.no > page.after).map(|entry| {
        json!({
            "no": entry.no, "at_ms": entry.at_ms, "method": entry.method, "route": entry.route, "path": entry.path,
            "status": entry.status, "took_us": entry.took_us, "bad": entry.bad,
        })
    });
    Json(Value::Array(list.collect()))
}

#[derive(Deserialize)]
struct Acting {
    who: String,
    channel: String,
    #[serde(flatten)]
    what: What,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Slash {
        path: String,
        #[serde(default)]
        options: Vec<(String, String)>,
        file: Option<(String, Content)>,
    },
    Complete {
        path: String,
        option: String,
        typed: String,
    },
    /// A button or a menu; the id as text, because it does not fit a number of JavaScript.
    Use {
        message: String,
        custom_id: String,
        #[serde(default)]
        values: Vec<String>,
    },
    Press {
        label: String,
    },
    Fill {
        form: u64,
        values: Vec<(String, String)>,
    },
    Say {
        text: String,
    },
    Dismiss {
        message: String,
    },
}

/// A file's content: text, or its bytes as numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Bytes(Vec<u8>),
}

impl Content {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

fn pairs(list: &[(String, String)]) -> Vec<(&str, &str)> {
    list.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect()
}

async fn act(Axum(sandbox): Axum<Sandbox>, Json(acting): Json<Acting>) -> Response {
    let (who, channel) = (acting.who.as_str(), acting.channel.as_str());
    let seen = match acting.what {
        What::Slash { path, options, file } => {
            let file = file.map(|(name, content)| (name, content.bytes()));
            let file = file.as_ref().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
            sandbox.slash(who, channel, &path, &pairs(&options), file).await
        }
        What::Complete { path, option, typed } => sandbox.complete(who, channel, &path, &option, &typed).await,
        What::Use { message, custom_id, values } => {
            let message = message.parse().unwrap_or(0);
            sandbox.component(who, channel, message, &json!({ "type": 2, "custom_id": custom_id }), &values).await
        }
        What::Press { label } => sandbox.press(who, channel, &label).await,
        What::Fill { form, values } => {
            let open = lock(&sandbox.shared).forms.get(&form).cloned();
            match open {
                None => Err(CannotAct("This form is closed.".to_owned())),
                Some(open) => {
                    let sent = sandbox.fill(who, channel, &open.data, &pairs(&values)).await;
                    if sent.is_ok() {
                        lock(&sandbox.shared).forms.remove(&form);
                    }
                    sent
                }
            }
        }
        What::Say { text } => sandbox.say(who, channel, &text).map(|()| Seen::Acknowledged),
        What::Dismiss { message } => sandbox.dismiss(who, message.parse().unwrap_or(0)).map(|()| Seen::Acknowledged),
    };
    match seen {
        Err(why) => refused(&why.0),
        Ok(seen) => Json(shown(&sandbox, who, seen)).into_response(),
    }
}

fn shown(sandbox: &Sandbox, who: &str, seen: Seen) -> Value {
    match seen {
        Seen::Message(message) => json!({ "message": message.id.to_string(), "only": message.only.is_some() }),
        Seen::Choices(list) => json!({ "choices": list }),
        Seen::Acknowledged => json!({ "acknowledged": true }),
        Seen::Nothing => json!({ "nothing": true }),
        Seen::Modal { data, .. } => {
            let mut state = lock(&sandbox.shared);
            let Some(who) = state.world.person(who).map(|p| p.id) else { return json!({ "nothing": true }) };
            state.forms_opened += 1;
            let id = state.forms_opened;
            // One form is open at a time for each person.
            state.forms.retain(|_, form| form.who != who);
            state.forms.insert(id, Form { who, data: data.clone() });
            json!({ "modal": { "form": id, "data": data } })
        }
    }
}

#[derive(Deserialize)]
struct Move {
    minutes: Option<i64>,
    to_ms: Option<i64>,
    #[serde(default)]
    next: bool,
    /// Skips every mark on the way: a fault, as of a machine that slept.
    #[serde(default)]
    jump: bool,
    /// Lets the clock run by itself, or stand still.
    run: Option<bool>,
}

async fn clock(Axum(sandbox): Axum<Sandbox>, Json(ask): Json<Move>) -> Response {
    in_turn(sandbox, |sandbox| async move { moved(&sandbox, ask).await }).await
}

/// Does something that moves the world: one after the other, and to its end even if whoever asked goes away.
async fn in_turn<F: Future<Output = Response> + Send + 'static>(
    sandbox: Sandbox,
    work: impl FnOnce(Sandbox) -> F + Send + 'static,
) -> Response {
    let turn = sandbox.still().await;
    let working = tokio::spawn(async move {
        let answer = work(sandbox).await;
        drop(turn);
        answer
    });
    working.await.unwrap_or_else(|broken| refused(&format!("The action failed: {broken}")))
}

async fn moved(sandbox: &Sandbox, ask: Move) -> Response {
    if let Some(run) = ask.run {
        sandbox.clock().set_running(run);
        sandbox.player().holds_clock = false;
        lock(&sandbox.shared).touch();
    }
    let now = sandbox.clock().now_ms();
    let to = match (ask.to_ms, ask.minutes) {
        (Some(to), _) => to,
        (None, Some(minutes)) => now + minutes.clamp(0, 100_000) * 60_000,
        (None, None) if ask.next => {
            return match sandbox.advance_to_news().await {
                Ok(true) => Json(json!({ "now_ms": sandbox.clock().now_ms() })).into_response(),
                Ok(false) => refused("Nothing is due."),
                Err(why) => refused(&why),
            };
        }
        (None, None) => now,
    };
    let moved = if ask.jump {
        sandbox.clock().move_to(to);
        Ok(())
    } else {
        sandbox.advance_watched(to).await
    };
    lock(&sandbox.shared).touch();
    match moved {
        Ok(()) => Json(json!({ "now_ms": sandbox.clock().now_ms() })).into_response(),
        Err(why) => refused(&why),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Telling {
    /// Plays the next step.
    Step,
    /// Plays up to and with a step, counted from 1.
    To(usize),
    /// Begins another story, or the same again, in a fresh world.
    Begin(String),
}

async fn story(Axum(sandbox): Axum<Sandbox>, Json(telling): Json<Telling>) -> Response {
    let to = match telling {
        Telling::Begin(name) => {
            return match sandbox.want(&name) {
                Ok(()) => Json(json!({})).into_response(),
                Err(why) => refused(why),
            };
        }
        Telling::Step => sandbox.player().next + 1,
        Telling::To(step) => step,
    };
    while sandbox.player().next < to {
        match sandbox.play_next().await {
            Ok(true) => {}
            Ok(false) => return refused("The story is over."),
            Err(why) => return refused(&why),
        }
    }
    Json(json!({ "next": sandbox.player().next })).into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Signalling {
    Set(Vec<(String, f64)>),
    /// Every value where "break production" puts it.
    Break,
    Mend,
}

async fn signals(Axum(sandbox): Axum<Sandbox>, Json(ask): Json<Signalling>) -> Response {
    let values = match ask {
        Signalling::Set(values) => values,
        Signalling::Break => sandbox.preset(true),
        Signalling::Mend => sandbox.preset(false),
    };
    in_turn(sandbox, |sandbox| async move {
        match sandbox.set_signals(&values).await {
            Ok(()) => Json(json!({})).into_response(),
            Err(why) => refused(&why),
        }
    })
    .await
}

#[derive(Deserialize)]
struct Publishing {
    who: String,
    state: String,
    text: String,
}

async fn status(Axum(sandbox): Axum<Sandbox>, Json(ask): Json<Publishing>) -> Response {
    match sandbox.publish(&ask.who, &ask.state, &ask.text) {
        Ok(()) => Json(json!({})).into_response(),
        Err(why) => refused(&why.0),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Breaking {
    Script {
        #[serde(default)]
        route: String,
        fault: String,
        times: Option<u32>,
        chance: Option<f64>,
        seed: Option<u64>,
    },
    Mend,
    DropGateway,
    CloseGateway(u16),
    Revoke {
        right: String,
        channel: Option<String>,
    },
    Grant {
        right: String,
        channel: Option<String>,
    },
    DeleteMessage(String),
    DeleteChannel(String),
}

/// What is wrong with a scripted fault, so that a slip of the pen is not taken for a fault that never comes.
fn wrong_script(route: &str, times: Option<u32>, chance: Option<f64>) -> Option<&'static str> {
    let known = route.split_once(' ').is_some_and(|(method, path)| {
        ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method)
            && path.starts_with('/')
            && path.split('/').skip(1).all(|part| part == "{}" || (!part.is_empty() && !part.contains(['{', '}'])))
    });
    if !route.is_empty() && !known {
        Some("Write the route as in the inspector's log, such as POST /channels/{}/messages.")
    } else if times == Some(0) {
        Some("A fault must happen at least once.")
    } else if chance.is_some_and(|chance| !(0.0..=1.0).contains(&chance)) {
        Some("The chance must be between 0 and 1.")
    } else {
        None
    }
}

async fn faults(Axum(sandbox): Axum<Sandbox>, Json(ask): Json<Breaking>) -> Response {
    let right = |label: &str| Right::named(label);
    let done = match ask {
        Breaking::Script { route, fault, times, chance, seed } => {
            let kind = match fault.as_str() {
                "fail_before" => Some(Fault::FailBefore),
                "fail_after" => Some(Fault::FailAfter),
                "rate_limited" => Some(Fault::RateLimited),
                "forbidden" => Some(Fault::Forbidden),
                other => match other.split_once('=') {
                    Some(("slow", ms)) => ms.parse().ok().map(Fault::Slow),
                    Some(("late", ms)) => ms.parse().ok().map(Fault::Late),
                    Some(("status", status)) => status.parse().ok().map(Fault::Status),
                    _ => None,
                },
            };
            if let Some(wrong) = wrong_script(&route, times, chance) {
                return refused(wrong);
            }
            if let Some(seed) = seed {
                lock(&sandbox.shared).faults.seed(seed);
            }
            kind.map(|fault| sandbox.script(Script { route, fault, times, chance: chance.unwrap_or(1.0) })).is_some()
        }
        Breaking::Mend => {
            sandbox.mend();
            true
        }
        Breaking::DropGateway => {
            sandbox.drop_gateway();
            true
        }
        Breaking::CloseGateway(code) => {
            sandbox.close_gateway(code);
            true
        }
        Breaking::Revoke { right: label, channel } => {
            right(&label).is_some_and(|right| sandbox.revoke(right, channel.as_deref(), true))
        }
        Breaking::Grant { right: label, channel } => {
            right(&label).is_some_and(|right| sandbox.revoke(right, channel.as_deref(), false))
        }
        Breaking::DeleteMessage(id) => id.parse().is_ok_and(|id| sandbox.delete(id)),
        Breaking::DeleteChannel(name) => sandbox.delete_channel(&name),
    };
    lock(&sandbox.shared).touch();
    if done {
        Json(json!({})).into_response()
    } else {
        refused("There is no such fault, permission, channel or message.")
    }
}
