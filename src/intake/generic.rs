//! The generic webhook, signed as Standard Webhooks prescribes: HMAC-SHA256 over id, timestamp and raw body; five minutes'
//! tolerance; several signatures for key rotation. <https://github.com/standard-webhooks/standard-webhooks>

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::reading::{fires, fit, identity, instant, scalar, seen};
use crate::config::SourceKind;
use crate::domain::alert::route::{Incoming, Labels};
use crate::domain::alert::{Seen, Signal};
use crate::domain::plan::Quantity;
use crate::intake::state::{Body, Intake, whole};
use crate::plan_doc::duration_seconds;
use crate::signature;

const TOLERANCE_S: i64 = 300;

/// One alert. `id`, `name` and `starts_at` are required: the three tell one firing from another.
fn read(source: &str, body: &Value) -> Option<Incoming> {
    let field = |name: &str| body.get(name).and_then(scalar).filter(|text| !text.trim().is_empty());
    let clip = |name: &str| field(name).map(|text| fit(&text, 120)).filter(|text| !text.is_empty());
    let value = match (body.get("value").and_then(Value::as_f64), clip("unit")) {
        (Some(value), unit) => Seen::Value(Quantity { value, unit: unit.unwrap_or_default() }),
        (None, unit) => {
            field("value").map(|text| seen(&(text + unit.as_deref().unwrap_or_default()))).unwrap_or_default()
        }
    };
    let signal = Signal {
        source: source.to_owned(),
        fingerprint: identity(&field("id")?),
        starts_at: body.get("starts_at").and_then(instant)?,
        firing: field("status").is_none_or(|status| fires(&status)),
        name: clip("name")?,
        summary: field("summary").map(|text| fit(&text, 300)).unwrap_or_default(),
        severity: clip("severity"),
        metric: clip("metric").or_else(|| clip("check")),
        value,
        no_data: false,
        held_s: field("for").and_then(|text| duration_seconds(&text)).unwrap_or(0),
        group: 1,
        asks_rollback: body.get("rollback").and_then(Value::as_bool).unwrap_or(false),
    };
    Some(Incoming { labels: Labels { release: clip("release"), service: clip("service") }, signal })
}

/// `POST /hooks/generic/{source}`.
pub(super) async fn take(State(intake): State<Arc<Intake>>, Path(name): Path<String>, request: Request) -> StatusCode {
    let Some(source) = intake.source(&name, SourceKind::Generic) else {
        return intake.denied(None, request).await;
    };
    let now = intake.desk.clock().now();
    let Some(signed) = Signed::of(request.headers(), now) else {
        return intake.denied(Some(source), request).await;
    };
    let body = match whole(request).await {
        Ok(body) => body,
        Err(status) => return status,
    };
    if !signed.is_good(source.secret.expose_secret(), &body) {
        return intake.refuse(&source.name);
    }
    let Some(incoming) = serde_json::from_slice(&body).ok().and_then(|body| read(&name, &body)) else {
        return StatusCode::BAD_REQUEST;
    };
    intake.take(source, Body { alerts: vec![incoming], unreadable: Vec::new() }).await
}

/// What the headers say of a body that is still to be read.
struct Signed {
    id: String,
    stamp: String,
    signatures: String,
}

impl Signed {
    /// `None` where a header is missing or the timestamp is not fresh: whatever the body is, it is refused.
    fn of(headers: &HeaderMap, now: Timestamp) -> Option<Self> {
        let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let signed = Self {
            id: header("webhook-id")?,
            stamp: header("webhook-timestamp")?,
            signatures: header("webhook-signature")?,
        };
        let fresh = signed.stamp.parse::<i64>().is_ok_and(|s| (s - now.as_second()).abs() <= TOLERANCE_S);
        fresh.then_some(signed)
    }

    /// Whether one of the signatures is right.
    fn is_good(&self, secret: &str, body: &[u8]) -> bool {
        signature::verify(secret, &self.id, &self.stamp, body, &self.signatures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published example of the scheme.
    #[test]
    fn the_published_vector_verifies_and_its_neighbours_do_not() {
        let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        let sign = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let at = |s: i64| Timestamp::from_second(s).unwrap();
        let headers = |sign: &str| {
            let mut h = HeaderMap::new();
            h.insert("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk".parse().unwrap());
            h.insert("webhook-timestamp", "1649367553".parse().unwrap());
            h.insert("webhook-signature", sign.parse().unwrap());
            h
        };
        let signed = |secret: &str, headers: &HeaderMap, body: &[u8], now| {
            Signed::of(headers, now).is_some_and(|signed| signed.is_good(secret, body))
        };
        assert!(signed(secret, &headers(sign), body, at(1_649_367_553 + 299)));
        assert!(signed(secret, &headers(&format!("v1,AAAA {sign}")), body, at(1_649_367_553)));
        assert!(!signed(secret, &headers(sign), body, at(1_649_367_553 + 301)));
        assert!(!signed(secret, &headers(sign), b"{}", at(1_649_367_553)));
        assert!(!signed("whsec_", &headers(sign), body, at(1_649_367_553)));
        assert!(!signed("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oX", &headers(sign), body, at(1_649_367_553)));
    }
}
