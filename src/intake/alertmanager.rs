//! Alertmanager's webhook, version 4. Unknown fields are ignored, new ones never required; status is read per alert.
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Incoming, Intake, Whole, tidy};
use crate::config::SourceKind;
use crate::domain::command::Signal;
use crate::plan_doc::{duration_minutes, number_with_unit};

#[derive(Debug, Deserialize)]
struct Body {
    alerts: Vec<Alert>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: Timestamp,
    fingerprint: String,
}

/// `POST /hooks/alertmanager/{source}` with a bearer token.
pub(super) async fn take(
    State(intake): State<Arc<Intake>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Whole(body): Whole,
) -> StatusCode {
    let Some(source) = intake.source(&name, SourceKind::Alertmanager) else {
        return intake.denied(&name);
    };
    let given = headers.get("authorization").and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    let hash = |text: &str| Sha256::digest(text.as_bytes());
    let same = given.is_some_and(|g| bool::from(hash(g).ct_eq(&hash(source.secret.expose_secret()))));
    if !same {
        return intake.denied(&name);
    }
    match serde_json::from_slice::<Body>(&body) {
        Ok(body) => {
            let plausible = |alert: &Alert| crate::domain::plausible(alert.starts_at);
            let alerts = body.alerts.into_iter().filter(plausible);
            intake.take(source, alerts.map(|alert| incoming(&name, alert)).collect()).await
        }
        // Well-formed JSON of a shape we do not know would be retried for ever: accepted, counted, logged.
        Err(error) if serde_json::from_slice::<serde_json::Value>(&body).is_ok() => {
            tracing::warn!(source = name, %error, "A body of another shape was ignored");
            intake.metrics.unparsed.inc();
            StatusCode::ACCEPTED
        }
        Err(_not_json) => StatusCode::BAD_REQUEST,
    }
}

fn incoming(source: &str, alert: Alert) -> Incoming {
    let label = |name: &str| alert.labels.get(name).map(|v| tidy(v, 120)).filter(|v| !v.is_empty());
    let note = |name: &str| alert.annotations.get(name).map(|v| tidy(v, 300)).filter(|v| !v.is_empty());
    let signal = Signal {
        source: source.to_owned(),
        fingerprint: tidy(&alert.fingerprint, 64),
        starts_at: alert.starts_at,
        firing: alert.status == "firing",
        name: label("alertname").unwrap_or_else(|| "alert without a name".to_owned()),
        summary: note("summary").or_else(|| note("description")).unwrap_or_default(),
        severity: label("severity"),
        metric: label("metric").or_else(|| note("metric")),
        value: note("value").and_then(|v| number_with_unit(&v)).filter(|q| q.value.is_finite()),
        held_min: note("for").and_then(|v| duration_minutes(&v)).unwrap_or(0),
        asks_rollback: label("tminus_action").as_deref() == Some("rollback"),
    };
    Incoming { release: label("release"), service: label("service"), signal }
}
