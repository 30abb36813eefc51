//! A metrics source that can be broken on purpose: instant queries of the world's signals, as Prometheus answers them.
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries>

use axum::extract::{Query, State as Axum};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Sandbox;
use crate::rest::lock;

pub(crate) fn routes(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/prometheus/api/v1/query", get(query))
        .route("/prometheus/metrics", get(exposition))
        .route("/prometheus/-/healthy", get(|| async { "Healthy.\n" }))
        .with_state(sandbox)
}

#[derive(Deserialize)]
struct Ask {
    #[serde(default)]
    query: String,
}

async fn query(Axum(sandbox): Axum<Sandbox>, Query(ask): Query<Ask>) -> Response {
    let name = ask.query.trim();
    // Only a series by its name: an expression would need Prometheus itself.
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':') {
        let says = json!({ "status": "error", "errorType": "bad_data", "error": "the sandbox answers only queries for one series by name" });
        return (StatusCode::BAD_REQUEST, Json(says)).into_response();
    }
    let state = lock(&sandbox.shared);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century fit")]
    let now_s = state.clock.now_ms() as f64 / 1_000.0;
    let found = state.world.signals.iter().zip(&state.signals).filter(|(signal, _)| signal.series == name);
    let result: Vec<Value> = found
        .map(|(signal, value)| json!({ "metric": { "__name__": signal.series }, "value": [now_s, value.to_string()] }))
        .collect();
    Json(json!({ "status": "success", "data": { "resultType": "vector", "result": result } })).into_response()
}

async fn exposition(Axum(sandbox): Axum<Sandbox>) -> Response {
    let state = lock(&sandbox.shared);
    let lines = state.world.signals.iter().zip(&state.signals);
    let text: String = lines.map(|(s, value)| format!("# TYPE {0} gauge\n{0} {value}\n", s.series)).collect();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
