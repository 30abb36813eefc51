//! The generic webhook, signed as Standard Webhooks prescribes: HMAC-SHA256 over id, timestamp and raw body; five minutes'
//! tolerance; several signatures for key rotation. <https://github.com/standard-webhooks/standard-webhooks>

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{Incoming, Intake, Whole, tidy};
use crate::config::SourceKind;
use crate::domain::command::Signal;
use crate::domain::plan::Quantity;
use crate::domain::plausible;
use crate::signature;

const TOLERANCE_S: i64 = 300;

/// One alert. `id`, `name` and `starts_at` are required: the three tell one firing from another.
#[derive(Debug, Deserialize)]
struct Body {
    id: String,
    name: String,
    #[serde(default = "firing")]
    status: String,
    starts_at: Timestamp,
    #[serde(default)]
    summary: String,
    severity: Option<String>,
    metric: Option<String>,
    value: Option<f64>,
    unit: Option<String>,
    release: Option<String>,
    service: Option<String>,
    #[serde(default)]
    rollback: bool,
}

fn firing() -> String {
    "firing".to_owned()
}

/// `POST /hooks/generic/{source}`.
pub(super) async fn take(
    State(intake): State<Arc<Intake>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Whole(body): Whole,
) -> StatusCode {
    let Some(source) = intake.source(&name, SourceKind::Generic) else {
        return intake.denied(&name);
    };
    let now = intake.desk.clock().now();
    if !signed(source.secret.expose_secret(), &headers, &body, now) {
        return intake.denied(&name);
    }
    let Some(body) = serde_json::from_slice::<Body>(&body).ok().filter(|b| plausible(b.starts_at)) else {
        return StatusCode::BAD_REQUEST;
    };
    let clip = |text: Option<String>| text.map(|t| tidy(&t, 120)).filter(|t| !t.is_empty());
    let signal = Signal {
        source: name.clone(),
        fingerprint: tidy(&body.id, 64),
        starts_at: body.starts_at,
        firing: body.status == "firing",
        name: tidy(&body.name, 120),
        summary: tidy(&body.summary, 300),
        severity: clip(body.severity),
        metric: clip(body.metric),
        value: body
            .value
            .filter(|v| v.is_finite())
            .map(|value| Quantity { value, unit: clip(body.unit).unwrap_or_default() }),
        held_min: 0,
        asks_rollback: body.rollback,
    };
    intake.take(source, vec![Incoming { release: clip(body.release), service: clip(body.service), signal }]).await
}

/// Whether one of the signatures is right and the timestamp fresh.
fn signed(secret: &str, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let (Some(id), Some(stamp), Some(signatures)) =
        (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"))
    else {
        return false;
    };
    let fresh = stamp.parse::<i64>().is_ok_and(|s| (s - now.as_second()).abs() <= TOLERANCE_S);
    fresh && signature::verify(secret, id, stamp, body, signatures)
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
        assert!(signed(secret, &headers(sign), body, at(1_649_367_553 + 299)));
        assert!(signed(secret, &headers(&format!("v1,AAAA {sign}")), body, at(1_649_367_553)));
        assert!(!signed(secret, &headers(sign), body, at(1_649_367_553 + 301)));
        assert!(!signed(secret, &headers(sign), b"{}", at(1_649_367_553)));
        assert!(!signed("whsec_", &headers(sign), body, at(1_649_367_553)));
        assert!(!signed("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oX", &headers(sign), body, at(1_649_367_553)));
    }
}
