//! How a source's fields are read: as kindly as can be, because what a sender got a 2xx for must be relayed. It must not know which
//! source it is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::domain::alert::Seen;
use crate::domain::plan::Quantity;
use crate::domain::plausible;
use crate::plan_doc::{duration_seconds, number_with_unit};

/// Words that say that an alert is over. Every other word says that it fires: better one message too many than an alert that nobody sees.
const OVER: [&str; 17] = [
    "resolved", "resolve", "ok", "okay", "normal", "closed", "close", "recovered", "recovery", "up", "inactive",
    "green", "cleared", "deactivated", "healthy", "completed", "success",
];

/// Whether an alert fires by its source's word for it.
pub(super) fn fires(status: &str) -> bool {
    let word = status.trim().to_lowercase();
    !OVER.contains(&word.as_str())
}

/// A scalar as text; nothing for null, lists and objects.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Labels or annotations; what is no text is read as text, what is null is not there.
pub(super) fn texts(value: Option<&Value>) -> BTreeMap<String, String> {
    let pairs = value.and_then(Value::as_object).into_iter().flatten();
    pairs.filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect()
}

/// An instant: RFC 3339, or a count of seconds, milliseconds, microseconds or nanoseconds since 1970. `None` for anything else, and
/// for instants that cannot be meant.
pub(super) fn instant(value: &Value) -> Option<Timestamp> {
    let counted = |count: f64| {
        let seconds = match count.abs() {
            n if n < 1e11 => count,
            n if n < 1e14 => count / 1e3,
            n if n < 1e17 => count / 1e6,
            _ => count / 1e9,
        };
        #[expect(clippy::cast_possible_truncation, reason = "an instant is in milliseconds")]
        Timestamp::from_millisecond((seconds * 1e3).round() as i64).ok()
    };
    let at = match value {
        Value::Number(number) => counted(number.as_f64()?),
        Value::String(text) => text.trim().parse().ok().or_else(|| counted(text.trim().parse().ok()?)),
        _ => None,
    };
    at.filter(|at| plausible(*at))
}

/// A text of a source: no control characters, and cut in the middle with a mark, because names differ and causes stand at the end.
pub(super) fn fit(text: &str, most: usize) -> String {
    let kept: Vec<char> = text.trim().chars().filter(|c| !c.is_control() || *c == '\n').collect();
    if kept.len() <= most {
        return kept.into_iter().collect();
    }
    let tail = most / 2;
    let head = most - tail - 1;
    let (first, last) = (kept.iter().take(head), kept.iter().skip(kept.len() - tail));
    first.chain(['…'].iter()).chain(last).collect()
}

/// An identity as short as can be kept: a long one by its hash, so that two that begin alike stay two.
pub(super) fn identity(id: &str) -> String {
    let plain = id.chars().all(|c| !c.is_control() && c != '/');
    if plain && !id.is_empty() && id.chars().count() <= 64 {
        return id.to_owned();
    }
    let hash = Sha256::digest(id.as_bytes());
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The identity of an alert that brings none: its labels, as Alertmanager itself derives it.
pub(super) fn identity_of(labels: &BTreeMap<String, String>) -> String {
    identity(&labels.iter().map(|(name, value)| format!("{name}={value}\u{0}")).collect::<String>())
}

/// A value as written. `450m` is 450 milli in one place and minutes in another: it is shown as it is.
pub(super) fn seen(text: &str) -> Seen {
    let text = text.trim();
    if text.is_empty() {
        return Seen::Nothing;
    }
    let milli_or_minutes = text.strip_suffix('m').is_some_and(|n| n.parse::<f64>().is_ok());
    let number = || number_with_unit(text).filter(|q| q.value.is_finite());
    let duration = || duration_seconds(text).map(|s| Quantity { value: f64::from(s), unit: "s".to_owned() });
    match Some(()).filter(|()| !milli_or_minutes).and_then(|()| number().or_else(duration)) {
        Some(quantity) => Seen::Value(quantity),
        None => Seen::Text(fit(text, 40)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_but_an_end_fires() {
        for word in ["firing", "Firing", "firing ", "FIRED", "ALARM", "alerting", "triggered", "open", "no_data", ""] {
            assert!(fires(word), "{word}");
        }
        for word in ["resolved", "Resolved ", "OK", "ok", "Normal", "closed", "RECOVERED"] {
            assert!(!fires(word), "{word}");
        }
    }

    #[test]
    fn instants_are_read_as_sources_write_them() {
        let wanted: Timestamp = "2026-12-08T13:02:00Z".parse().unwrap();
        for written in [
            "\"2026-12-08T13:02:00Z\"", "\"2026-12-08T09:02:00-04:00\"", "1796734920", "1796734920000",
            "1796734920000000", "\"1796734920\"", "1796734920.0",
        ] {
            assert_eq!(instant(&serde_json::from_str(written).unwrap()), Some(wanted), "{written}");
        }
        for written in ["null", "\"\"", "\"soon\"", "\"0001-01-01T00:00:00Z\"", "\"9999-12-30T21:59:59Z\"", "[]", "-5"]
        {
            assert_eq!(instant(&serde_json::from_str(written).unwrap()), None, "{written}");
        }
    }

    #[test]
    fn a_cut_text_keeps_its_end_and_shows_the_cut() {
        let long = format!("push failed: {} connection refused", "x".repeat(400));
        let cut = fit(&long, 60);
        assert_eq!(cut.chars().count(), 60);
        assert!(cut.starts_with("push failed") && cut.contains('…') && cut.ends_with("connection refused"), "{cut}");
        assert_eq!(fit("short\u{7}", 60), "short");
    }

    #[test]
    fn long_identities_that_begin_alike_stay_two() {
        let arn = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:production-checkout-";
        assert_ne!(identity(&format!("{arn}latency")), identity(&format!("{arn}errors")));
        assert_eq!(identity("short-one"), "short-one");
        assert!(!identity("a/b/c").contains('/'));
    }

    #[test]
    fn values_are_read_right_or_shown() {
        let value = |n: f64, unit: &str| Seen::Value(Quantity { value: n, unit: unit.to_owned() });
        for (written, wanted) in [
            ("3.1%", value(3.1, "%")),
            ("1.2s", value(1.2, "s")),
            ("1m 30s", value(90.0, "s")),
            ("1h 2m 3s", value(3_723.0, "s")),
            ("39000/min", value(39_000.0, "/min")),
            ("1.177e+04%", value(11_770.0, "%")),
            ("0.031", value(0.031, "")),
            ("", Seen::Nothing),
            ("NaN", Seen::Text("NaN".to_owned())),
            ("+Inf", Seen::Text("+Inf".to_owned())),
            ("450m", Seen::Text("450m".to_owned())),
            ("high", Seen::Text("high".to_owned())),
        ] {
            assert_eq!(seen(written), wanted, "{written}");
        }
    }
}
