//! What comes in over HTTP: alerts from Alertmanager and a signed generic webhook, health, readiness, metrics. 2xx means
//! durably stored; one 401 for every bad credential; 4xx only for what will never be right.

mod alertmanager;
mod connections;
mod generic;
mod health;
mod reading;
mod refusals;
mod state;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use state::Intake;

/// Serves until cancelled.
pub async fn run(listener: TcpListener, intake: Arc<Intake>, stop: CancellationToken) {
    let hooks = Router::new()
        .route("/hooks/alertmanager/{source}", post(alertmanager::take))
        .route("/hooks/generic/{source}", post(generic::take))
        .route_layer(from_fn_with_state(Arc::clone(&intake), timed));
    let app = hooks
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .with_state(intake);
    connections::serve(listener, app, stop).await;
}

/// Nothing is recorded by a clock in doubt, and no stamp is judged by it: senders repeat what is answered with 503.
async fn timed(State(intake): State<Arc<Intake>>, request: Request, next: Next) -> Response {
    if intake.desk.clock().is_confirmed() {
        return next.run(request).await;
    }
    (StatusCode::SERVICE_UNAVAILABLE, "the time is not confirmed yet; retry later\n").into_response()
}
