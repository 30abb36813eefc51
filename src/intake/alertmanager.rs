//! Alertmanager's webhook, version 4, and Grafana's, which has the same shape. Unknown fields are ignored, new ones never required; status is
//! read per alert, and an odd alert costs the others nothing.
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::reading::{fires, fit, identity, identity_of, instant, scalar, seen, texts};
use crate::config::SourceKind;
use crate::domain::alert::Signal;
use crate::domain::alert::route::{Incoming, Labels};
use crate::intake::state::{Body, Intake, whole};
use crate::plan_doc::duration_seconds;

/// Names under which Grafana reports a rule that has no data, or whose query failed; the rule's own name is a label.
/// <https://grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/nodata-and-error-states/>
const NO_DATA: [(&str, &str); 2] = [("DatasourceNoData", "no data"), ("DatasourceError", "query failed")];

/// `POST /hooks/alertmanager/{source}` with a bearer token.
pub(super) async fn take(State(intake): State<Arc<Intake>>, Path(name): Path<String>, request: Request) -> StatusCode {
    let Some(source) = intake.source(&name, SourceKind::Alertmanager) else {
        return intake.denied(None, request).await;
    };
    if !same_token(bearer(request.headers()), source.secret.expose_secret()) {
        return intake.denied(Some(source), request).await;
    }
    let body = match whole(request).await {
        Ok(body) => body,
        Err(status) => return status,
    };
    let Ok(body) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST };
    let now = intake.desk.clock().now();
    intake.take(source, read(&name, &body, now)).await
}

/// The token of an `Authorization: Bearer` header; the scheme in any case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get("authorization")?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn same_token(given: Option<&str>, wanted: &str) -> bool {
    let hash = |text: &str| Sha256::digest(text.as_bytes());
    given.is_some_and(|given| bool::from(hash(given).ct_eq(&hash(wanted))))
}

/// The alerts of a body. What cannot be read is named with the reason: a sender would repeat a refusal for ever.
fn read(source: &str, body: &Value, now: Timestamp) -> Body {
    let mut read = Body::default();
    let Some(alerts) = body.get("alerts").and_then(Value::as_array) else {
        read.unreadable.push("the body has no list `alerts`".to_owned());
        return read;
    };
    let status = body.get("status").and_then(scalar);
    for alert in alerts {
        match incoming(source, alert, status.as_deref(), now) {
            Some(incoming) => read.alerts.push(incoming),
            None => read.unreadable.push("an entry of `alerts` is no object".to_owned()),
        }
    }
    let firing = read.alerts.iter().filter(|incoming| incoming.signal.firing).count();
    for incoming in &mut read.alerts {
        incoming.signal.group = firing;
    }
    let truncated = body.get("truncatedAlerts").and_then(Value::as_u64).unwrap_or(0);
    if truncated > 0 {
        read.unreadable.push(format!("{truncated} more alerts were left out by Alertmanager (max_alerts)"));
    }
    read
}

fn incoming(source: &str, alert: &Value, status: Option<&str>, now: Timestamp) -> Option<Incoming> {
    let fields = alert.as_object()?;
    let (labels, annotations) = (texts(fields.get("labels")), texts(fields.get("annotations")));
    let label = |name: &str| labels.get(name).map(|v| fit(v, 120)).filter(|v| !v.is_empty());
    let note = |name: &str| annotations.get(name).map(|v| fit(v, 300)).filter(|v| !v.is_empty());
    let (name, no_data) = named(&labels);
    let own = fields.get("status").and_then(scalar);
    let fingerprint = fields.get("fingerprint").and_then(scalar).filter(|print| !print.is_empty());
    let signal = Signal {
        source: source.to_owned(),
        fingerprint: fingerprint.map_or_else(|| identity_of(&labels), |print| identity(&print)),
        starts_at: fields.get("startsAt").and_then(instant).unwrap_or(now),
        firing: own.as_deref().or(status).is_none_or(fires),
        name,
        summary: note("summary").or_else(|| note("description")).or_else(|| note("message")).unwrap_or_default(),
        severity: label("severity"),
        metric: ["metric", "check"].into_iter().find_map(|key| label(key).or_else(|| note(key))),
        value: note("value").map(|value| seen(&value)).unwrap_or_default(),
        no_data,
        held_s: note("for").and_then(|v| duration_seconds(&v)).unwrap_or(0),
        group: 1,
        asks_rollback: label("tminus_action").as_deref() == Some("rollback"),
    };
    Some(Incoming { labels: Labels { release: label("release"), service: label("service") }, signal })
}

/// What an alert is called, and whether it says that data is missing.
fn named(labels: &BTreeMap<String, String>) -> (String, bool) {
    let label = |name: &str| labels.get(name).map(|v| fit(v, 120)).filter(|v| !v.is_empty());
    let alert = label("alertname");
    let missing = NO_DATA.iter().find(|(name, _)| alert.as_deref() == Some(name));
    match (missing, label("rulename").or_else(|| label("grafana_rulename")), alert) {
        (Some((_, what)), Some(rule), _) => (format!("{rule} ({what})"), true),
        (missing, _, Some(alert)) => (alert, missing.is_some()),
        (_, Some(rule), None) => (rule, false),
        (_, None, None) => ("unnamed alert".to_owned(), false),
    }
}
