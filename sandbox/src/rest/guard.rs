//! What every request passes: who asks, how often, what is scripted to go wrong, what the rules say, and the log.

use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Request, State as Axum};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Answer, MAX_BODY, Shared, error, lock};
use crate::faults::Fault;
use crate::limits::{Verdict, Way};
use crate::model::{Logged, State};
use crate::rules;

/// How often a late request looks whether its time has come.
const LOOK: Duration = Duration::from_millis(5);

/// `POST /channels/{}/messages`: a route without the names of its parts.
fn route_of(request: &Request) -> String {
    let matched = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let matched = matched.strip_prefix("/api/v10").unwrap_or(matched);
    let mut route = format!("{} ", request.method());
    let mut inside = false;
    for c in matched.chars() {
        match c {
            '{' => {
                inside = true;
                route.push('{');
            }
            '}' => {
                inside = false;
                route.push('}');
            }
            c if !inside => route.push(c),
            _ => {}
        }
    }
    route
}

/// The bucket a route is counted in, with its major parameter.
fn bucket_of(route: &str, path: &str) -> Option<String> {
    let counted = [
        "POST /channels/{}/messages", "PATCH /channels/{}/messages/{}", "DELETE /channels/{}/messages/{}",
        "POST /channels/{}/messages/{}/threads", "POST /channels/{}/threads", "PUT /channels/{}/messages/pins/{}",
    ];
    let path = path.strip_prefix("/api/v10").unwrap_or(path);
    let major = path.split('/').nth(2).unwrap_or_default();
    counted.contains(&route).then(|| format!("{route} {major}"))
}

pub(super) async fn guard(Axum(shared): Axum<Shared>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = route_of(&request);
    let path = request.uri().path().to_owned();
    let method = request.method().to_string();
    // A token in the path is the right to use it.
    let open = route.contains("/webhooks/") || route.ends_with("/callback");
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BODY).await else {
        return error(413, 40_005, "Request entity too large").into_response();
    };
    let sent = said(&parts.headers, &bytes);
    let way = lock(&shared).buckets.limits().way;
    if way != Way::default() {
        let jitter = lock(&shared).jitter(way.jitter_ms);
        tokio::time::sleep(Duration::from_millis(way.each_ms + jitter)).await;
    }
    let (refused, verdict, fault) = {
        let mut state = lock(&shared);
        let wanted = format!("Bot {}", state.token);
        let known = parts.headers.get(header::AUTHORIZATION).is_some_and(|v| v.as_bytes() == wanted.as_bytes());
        let exempt = route.ends_with("/callback");
        let verdict = state.buckets.take(bucket_of(&route, &path).as_deref(), exempt);
        let (refused, fault) = if !known && !open {
            (Some(error(401, 0, "401: Unauthorized")), None)
        } else if let Verdict::Wait { after_s, global } = verdict {
            (Some(limited(after_s, global)), None)
        } else {
            (None, state.faults.take(&route))
        };
        (refused, verdict, fault)
    };
    if let Some(Fault::Slow(ms)) = fault {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    let before = match fault {
        Some(Fault::FailBefore | Fault::Late(_)) => Some(error(502, 0, "bad gateway")),
        Some(Fault::RateLimited) => Some(limited(0.05, false)),
        Some(Fault::Forbidden) => Some(super::denied(false)),
        Some(Fault::Status(status)) => Some(error(status, 0, "scripted")),
        Some(Fault::FailAfter | Fault::Slow(_)) | None => None,
    };
    let mut bad = Vec::new();
    let answer = if let Some(answer) = refused.or(before) {
        if let Some(Fault::Late(ms)) = fault {
            let clock = lock(&shared).clock.clone();
            let due = clock.now_ms().saturating_add_unsigned(ms);
            tokio::spawn(async move {
                while clock.now_ms() < due {
                    tokio::time::sleep(LOOK).await;
                }
                next.run(Request::from_parts(parts, Body::from(bytes))).await
            });
        }
        answer.into_response()
    } else {
        bad = rules::request(&route, &sent);
        let house = lock(&shared).house;
        bad.extend(house.map(|rules| rules(&route, &sent)).unwrap_or_default());
        let refused = (!bad.is_empty()).then(|| invalid(&bad));
        bad.extend(check(&lock(&shared), &route, Side::Request, &sent));
        match refused {
            Some(answer) => answer.into_response(),
            None => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        }
    };
    let (mut head, body) = answer.into_parts();
    let bytes = to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let value: Value = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or_default() };
    let mut bytes = bytes;
    if fault == Some(Fault::FailAfter) && head.status.is_success() {
        head.status = StatusCode::BAD_GATEWAY;
        bytes = Bytes::from_static(b"<html>bad gateway</html>");
        head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        head.headers.remove(header::CONTENT_LENGTH);
    }
    tell_limits(&mut head.headers, verdict, &value, &route);
    {
        let mut state = lock(&shared);
        if head.status == StatusCode::OK {
            bad.extend(check(&state, &route, Side::Answer, &value));
        }
        if matches!(head.status.as_u16(), 401 | 403 | 429) {
            state.buckets.invalid += 1;
        }
        let entry = Logged {
            no: 0,
            at_ms: state.clock.now_ms(),
            method,
            route,
            path: path.strip_prefix("/api/v10").unwrap_or(&path).to_owned(),
            status: head.status.as_u16(),
            took_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
            request: sent,
            answer: value,
            bad,
        };
        state.log(entry);
        dated(&mut head.headers, state.clock.now_ms());
    }
    // Even a sleep of nothing waits for the timer's next tick, a millisecond.
    if way.each_ms > 0 {
        tokio::time::sleep(Duration::from_millis(way.each_ms)).await;
    }
    Response::from_parts(head, Body::from(bytes))
}

/// The date the platform puts on every answer, in whole seconds, unless one is scripted.
fn dated(headers: &mut HeaderMap, now_ms: i64) {
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(now_ms.max(0).unsigned_abs());
    if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(at)) {
        headers.entry(header::DATE).or_insert(date);
    }
}

fn limited(after_s: f64, global: bool) -> Answer {
    let body = json!({ "message": "You are being rate limited.", "retry_after": after_s, "global": global, "code": 0 });
    Answer(StatusCode::TOO_MANY_REQUESTS, body)
}

fn invalid(bad: &[String]) -> Answer {
    let errors: Vec<Value> = bad.iter().map(|says| json!({ "code": "RULE", "message": says })).collect();
    let body = json!({ "code": 50_035, "message": "Invalid Form Body", "errors": { "_errors": errors } });
    Answer(StatusCode::BAD_REQUEST, body)
}

/// The JSON a request carries; of a multipart one its `payload_json`.
fn said(headers: &HeaderMap, bytes: &Bytes) -> Value {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if bytes.is_empty() {
        return Value::Null;
    }
    if !kind.starts_with("multipart/") {
        return serde_json::from_slice(bytes).unwrap_or_default();
    }
    let text = String::from_utf8_lossy(bytes);
    let part = text.find("name=\"payload_json\"").and_then(|at| text[at..].find("\r\n\r\n").map(|gap| at + gap + 4));
    let json = part.and_then(|start| serde_json::Deserializer::from_str(&text[start..]).into_iter().next()?.ok());
    json.unwrap_or_default()
}

fn tell_limits(headers: &mut HeaderMap, verdict: Verdict, body: &Value, route: &str) {
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    };
    if let Verdict::Pass { limit, left, after_s } = verdict {
        set("x-ratelimit-limit", limit.to_string());
        set("x-ratelimit-remaining", left.to_string());
        set("x-ratelimit-reset-after", format!("{after_s:.3}"));
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century fit")]
        let now_s = crate::clock::wall_ms() as f64 / 1_000.0;
        set("x-ratelimit-reset", format!("{:.3}", now_s + after_s));
        let bucket: String = route.bytes().map(|b| format!("{b:02x}")).rev().take(16).collect();
        set("x-ratelimit-bucket", bucket);
    }
    if let Some(after) = body["retry_after"].as_f64() {
        let global = body["global"] == true;
        set("retry-after", format!("{}", after.ceil()));
        set("x-ratelimit-scope", if global { "global" } else { "user" }.to_owned());
        if global {
            set("x-ratelimit-global", "true".to_owned());
        }
        if verdict == Verdict::Free || matches!(verdict, Verdict::Wait { .. }) {
            set("x-ratelimit-reset-after", format!("{after:.3}"));
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Request,
    Answer,
}

/// Holds a body against the published schema, where it is given.
#[cfg(feature = "schema")]
fn check(state: &State, route: &str, side: Side, body: &Value) -> Vec<String> {
    let Some(schema) = &state.schema else { return Vec::new() };
    match side {
        Side::Request => schema.request(route, body),
        Side::Answer => schema.answer(route, body),
    }
}

#[cfg(not(feature = "schema"))]
fn check(_state: &State, _route: &str, side: Side, _body: &Value) -> Vec<String> {
    match side {
        Side::Request | Side::Answer => Vec::new(),
    }
}
