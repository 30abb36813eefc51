//! What the routes share: who sends, what a body holds, and how much of it is read.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use http_body_util::BodyExt as _;

use crate::chat::discord::gateway::GatewayHealth;
use crate::chat::token::Token;
use crate::config::{Source, SourceKind};
use crate::courier;
use crate::desk::{Answer, Ask, Desk};
use crate::domain::alert::route::Incoming;
use crate::intake::{health, refusals};

/// The largest body accepted, in bytes: Alertmanager's for about 2,000 alerts.
const MAX_BODY: usize = 1024 * 1024;

/// How much of a larger body is read and thrown away, in bytes: a sender that is still writing when the connection is closed
/// sees a broken pipe and tries again, instead of the refusal.
const MAX_DISCARDED: usize = 16 * MAX_BODY;

/// How long the body of a refused sender is read.
const DENIED: Duration = Duration::from_secs(1);

/// How long a sender may take for a body.
const BODY: Duration = Duration::from_secs(30);

/// What the routes share.
#[derive(Debug)]
pub struct Intake {
    pub desk: Desk,
    pub sources: Vec<Source>,
    pub gateway: Arc<GatewayHealth>,
    pub courier: Arc<courier::Health>,
    pub token: Token,
    pub metrics: health::Metrics,
    pub(super) refusals: refusals::Refusals,
}

impl Intake {
    /// The shared state.
    pub fn new(
        desk: Desk,
        sources: Vec<Source>,
        gateway: Arc<GatewayHealth>,
        courier: Arc<courier::Health>,
        token: Token,
    ) -> Self {
        let (metrics, refusals) = (health::Metrics::default(), refusals::Refusals::default());
        Self { desk, sources, gateway, courier, token, metrics, refusals }
    }

    pub(super) fn source(&self, name: &str, kind: SourceKind) -> Option<&Source> {
        self.sources.iter().find(|s| s.name == name && s.kind == kind)
    }

    /// Hands a body's alerts to the desk. The answer goes out only when all are on disk.
    pub(super) async fn take(&self, source: &Source, body: Body) -> StatusCode {
        let (all, unreadable) = (body.alerts.len() as u64, body.unreadable.len() as u64);
        let ask = Ask::Alerts {
            server: source.server.clone(),
            source: source.name.clone(),
            alerts: body.alerts,
            unreadable: body.unreadable,
        };
        match self.desk.ask(ask).await {
            Ok(answer) => {
                let strays = if let Answer::Taken { strays } = answer { strays as u64 } else { 0 };
                self.metrics.unparsed.inc_by(unreadable);
                self.metrics.unrouted.inc_by(strays.saturating_sub(unreadable));
                self.metrics.taken.inc_by((all + unreadable).saturating_sub(strays));
                StatusCode::ACCEPTED
            }
            Err(fault) => {
                tracing::error!(source = source.name, error = &fault as &dyn std::error::Error, "alerts not stored");
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// Refuses a sender before its body is read, and reads on for a moment: one that is still writing hears of it. A name that is no
    /// source's may be a secret in the wrong place: it is not logged.
    pub(super) async fn denied(&self, source: Option<&Source>, request: Request) -> StatusCode {
        let _read_or_not = tokio::time::timeout(DENIED, discard(request)).await;
        self.refuse(source.map_or(refusals::NO_SOURCE, |source| &source.name))
    }

    /// Counts a bad credential.
    pub(super) fn refuse(&self, source: &str) -> StatusCode {
        self.metrics.denied.inc();
        self.refusals.count(source);
        StatusCode::UNAUTHORIZED
    }
}

/// What a body holds: alerts, and why the rest of it cannot be read.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) alerts: Vec<Incoming>,
    pub(super) unreadable: Vec<String>,
}

/// A whole body, once its sender is known. One that is too large is read past, so that its sender hears of it.
///
/// # Errors
/// It broke off, took longer than [`BODY`], or is larger than [`MAX_BODY`].
pub(super) async fn whole(request: Request) -> Result<Bytes, StatusCode> {
    tokio::time::timeout(BODY, read(request)).await.unwrap_or(Err(StatusCode::SERVICE_UNAVAILABLE))
}

/// Reads past a body, up to [`MAX_BODY`].
pub(super) async fn discard(request: Request) {
    let (mut body, mut read) = (request.into_body(), 0_usize);
    while read <= MAX_BODY
        && let Some(Ok(frame)) = body.frame().await
    {
        read = read.saturating_add(frame.data_ref().map_or(0, Bytes::len));
    }
}

pub(super) async fn read(request: Request) -> Result<Bytes, StatusCode> {
    let mut body = request.into_body();
    let (mut kept, mut read) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let data = frame.map_err(|_broken| StatusCode::BAD_REQUEST)?.into_data().unwrap_or_default();
        read = read.saturating_add(data.len());
        if read > MAX_DISCARDED {
            break;
        }
        if read <= MAX_BODY {
            kept.extend_from_slice(&data);
        }
    }
    if read > MAX_BODY { Err(StatusCode::PAYLOAD_TOO_LARGE) } else { Ok(kept.into()) }
}
