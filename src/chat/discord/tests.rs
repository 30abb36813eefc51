//! The transport against servers that answer in every wrong way: canned bytes over loopback (F11, F12, F13).

#![expect(clippy::print_stderr, reason = "which answers were tried")]

mod hostile;
mod servers;

use std::time::Duration;

use chat_sandbox::Dice;
use reqwest::Method;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::rest::{Limit, Rest, http_client};
use crate::clock::Clock;
use crate::sending::SendFault;

/// A server that answers each connection with these bytes, after it has read the request; `None` says nothing at all.
async fn server(answer: Option<Vec<u8>>, closes: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = [0_u8; 4096];
                drop(stream.read(&mut request).await);
                if let Some(answer) = answer {
                    drop(stream.write_all(&answer).await);
                }
                if !closes {
                    tokio::time::sleep(Duration::from_secs(30)).await;
                }
            });
        }
    });
    url
}

async fn ask(url: &str) -> Result<serde_json::Value, SendFault> {
    let rest = Rest::new(http_client().unwrap(), url, SecretString::from("t".to_owned()), Clock::system());
    rest.json(Method::POST, "/channels/1/messages", Some(&serde_json::json!({})), Limit::Bucket).await
}

fn limited(headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 429 Too Many Requests\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}

#[tokio::test]
async fn f11_every_way_of_saying_too_many_is_a_wait_within_bounds() {
    let table = [
        ("", r#"{"retry_after": 0, "global": false}"#, 0.0),
        ("", r#"{"retry_after": 0.3, "global": true}"#, 0.3),
        ("", r#"{"retry_after": 1337}"#, 900.0),
        ("", r#"{"retry_after": -1}"#, 5.0),
        ("", r#"{"retry_after": "soon"}"#, 5.0),
        ("", r#"{"retry_after": null}"#, 5.0),
        ("", "{}", 5.0),
        ("", "not json", 5.0),
        ("retry-after: 7\r\n", "", 7.0),
        ("retry-after: -7\r\n", "", 5.0),
        ("retry-after: many\r\n", "", 5.0),
        ("retry-after: 7\r\nx-ratelimit-scope: shared\r\n", r#"{"retry_after": 2}"#, 2.0),
    ];
    for (headers, body, seconds) in table {
        let url = server(Some(limited(headers, body)), true).await;
        let fault = ask(&url).await.unwrap_err();
        assert_eq!(fault, SendFault::Limited(Duration::from_secs_f64(seconds)), "{headers}{body}");
    }
}

/// One request for each time it is told to wait: others are held back, in the bucket or everywhere.
#[tokio::test]
async fn f11_a_refusal_holds_back_what_it_concerns_even_without_headers() {
    for (body, others_wait) in [
        (r#"{"retry_after": 30, "global": true}"#, true),
        (r#"{"retry_after": 30, "global": false}"#, false),
        ("<html>banned</html>", true),
    ] {
        let url = server(Some(limited("retry-after: 30\r\n", body)), true).await;
        let rest = Rest::new(http_client().unwrap(), &url, SecretString::from("t".to_owned()), Clock::system());
        let ask = async |channel: u32| {
            rest.json(Method::POST, &format!("/channels/{channel}/messages"), None, Limit::Bucket).await
        };
        assert_eq!(ask(1).await, Err(SendFault::Limited(Duration::from_secs(30))), "{body}");
        // Not asked: it would be told `Limited` again.
        assert!(matches!(ask(1).await, Err(SendFault::Wait(_))), "{body}");
        assert_eq!(matches!(ask(2).await, Err(SendFault::Wait(_))), others_wait, "{body}");
    }
    let url = server(Some(limited("", r#"{"retry_after": 0.4, "global": true}"#)), true).await;
    let rest = Rest::new(http_client().unwrap(), &url, SecretString::from("t".to_owned()), Clock::system());
    let ask = async |n: u32| rest.json(Method::POST, &format!("/channels/{n}/messages"), None, Limit::Urgent).await;
    assert!(ask(1).await.is_err());
    let begun = tokio::time::Instant::now();
    assert!(ask(2).await.is_err());
    assert!(begun.elapsed() >= Duration::from_millis(300), "a short wait is waited: {:?}", begun.elapsed());
}

#[tokio::test]
async fn f12_answers_that_make_no_sense_are_never_a_reason_to_send_again() {
    let ok = |headers: &str, body: &str| {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
    };
    let good = r#"{"id": "5"}"#;
    for headers in [
        "x-ratelimit-remaining: n/a\r\nx-ratelimit-reset-after: 1\r\n".to_owned(),
        "x-ratelimit-remaining: -4\r\nx-ratelimit-reset-after: -1\r\n".to_owned(),
        "x-ratelimit-remaining: 1\r\nx-ratelimit-remaining: 2\r\nx-ratelimit-reset-after: NaN\r\n".to_owned(),
        "x-ratelimit-remaining: 99999999999999999999\r\nx-ratelimit-reset-after: 1e300\r\n".to_owned(),
        format!("x-filler: {}\r\n", "a".repeat(20_000)),
    ] {
        let url = server(Some(ok(&headers, good)), true).await;
        assert_eq!(ask(&url).await.unwrap()["id"], "5", "a good answer stays good: {}", &headers[..30]);
    }
    let truncated = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"id\":".to_vec();
    for bytes in [ok("", "<html>"), ok("", ""), truncated, ok("", &"x".repeat(10_000_000))] {
        let url = server(Some(bytes), true).await;
        assert!(matches!(ask(&url).await, Err(SendFault::Unknown(_))), "done or not: nobody knows");
    }
    // Any bytes at all: a class, no panic. Seeded; the seed is the row.
    for seed in 1..=200_u64 {
        let mut dice = Dice::new(seed);
        let length = usize::try_from(dice.roll(300)).unwrap();
        let mut bytes = if seed % 2 == 0 { b"HTTP/1.1 200 OK\r\n".to_vec() } else { Vec::new() };
        bytes.extend((0..length).map(|_| u8::try_from(dice.roll(256)).unwrap()));
        let url = server(Some(bytes), true).await;
        let fault = ask(&url).await;
        assert!(matches!(fault, Err(SendFault::Unknown(_) | SendFault::NotSent(_))), "seed {seed}: {fault:?}");
    }
}

/// F12 in number, without the sockets: every header that is read and every body there may be, mutated. `TMINUS_ANSWERS` says how
/// many (default 20,000; a million in the long proofs), `TMINUS_SEED` which.
#[tokio::test]
async fn f12_any_answer_has_a_class_and_a_wait_within_bounds() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (count, seed) = (number("TMINUS_ANSWERS", 20_000), number("TMINUS_SEED", 20_261_125));
    eprintln!("{count} answers, from seed {seed}");
    const STATUS: [u16; 14] = [200, 201, 204, 301, 400, 401, 403, 404, 408, 429, 429, 500, 502, 599];
    const NAMES: [&str; 6] = [
        "retry-after", "x-ratelimit-remaining", "x-ratelimit-reset-after", "x-ratelimit-global", "x-ratelimit-scope",
        "date",
    ];
    const VALUES: [&str; 16] = [
        "0", "1", "0.3", "-1", "1337", "1e308", "NaN", "inf", "", " 5 ", "99999999999999999999999", "true", "shared",
        "soon", "Wed, 25 Nov 2026 18:00:26 GMT", "Wed, 31 Feb 9999999 99:99:99 GMT",
    ];
    const BODIES: [&str; 8] = [
        r#"{"id": "5"}"#,
        r#"{"retry_after": 0.65, "global": true, "code": 0, "message": "You are being rate limited."}"#,
        r#"{"retry_after": -1e300, "global": "yes"}"#,
        r#"{"code": 50013, "message": "Missing Permissions"}"#,
        r#"{"code": 10008, "message": "Unknown Message", "errors": {"a": [[[[[[]]]]]]}}"#,
        r#"{"code": 99999999999999999999, "message": null}"#,
        "<html><body>502 Bad Gateway</body></html>",
        "",
    ];
    let url = "http://127.0.0.1:9";
    let rest = Rest::new(http_client().unwrap(), url, SecretString::from("t".to_owned()), Clock::system());
    let (mut dice, mut classes) = (Dice::new(seed | 1), std::collections::BTreeMap::<String, u64>::new());
    for n in 0..count {
        let mut pick = |most: usize| usize::try_from(dice.roll(u64::try_from(most).unwrap())).unwrap();
        let mut headers = reqwest::header::HeaderMap::new();
        for _ in 0..pick(6) {
            let (name, mut value) = (NAMES[pick(NAMES.len())], VALUES[pick(VALUES.len())].as_bytes().to_vec());
            if pick(4) == 0 && !value.is_empty() {
                let at = pick(value.len());
                value[at] = u8::try_from(pick(256)).unwrap();
            }
            if let Ok(value) = reqwest::header::HeaderValue::from_bytes(&value) {
                headers.append(name, value);
            }
        }
        let mut body = BODIES[pick(BODIES.len())].as_bytes().to_vec();
        for _ in 0..pick(4) {
            if !body.is_empty() {
                let at = pick(body.len());
                match pick(3) {
                    0 => body.truncate(at),
                    1 => body[at] = u8::try_from(pick(256)).unwrap(),
                    _ => body.insert(at, b"{}[]\",:0-eE."[pick(12)]),
                }
            }
        }
        let status = reqwest::StatusCode::from_u16(STATUS[pick(STATUS.len())]).unwrap();
        let bytes = (pick(20) > 0).then_some(body.as_slice());
        if let Some(date) = super::rest::date(&headers) {
            assert!(date.checked_mul(1_000).is_some(), "seed {seed}, answer {n}: {date}");
        }
        let taken = rest.taken(status, &headers, bytes, &format!("POST/channels/{}", pick(50)), Limit::Bucket);
        let class = format!("{taken:?}");
        *classes.entry(class.split(['(', ' ']).take(2).collect::<Vec<_>>().join("(")).or_default() += 1;
        let said =
            || format!("seed {seed}, answer {n}: {status} {headers:?} {:?}: {taken:?}", String::from_utf8_lossy(&body));
        match &taken {
            Ok(value) => {
                assert!(status.is_success() && (status == 204 || !value.is_null() || body == b"null"), "{}", said())
            }
            Err(SendFault::Limited(wait)) => {
                assert!(status == 429 && *wait <= Duration::from_secs(900), "{}", said());
            }
            // "Not executed" is said by a refusal only: what may have been done is looked up.
            Err(SendFault::Unknown(_)) => {
                assert!(status.is_success() || status == 408 || status.is_server_error(), "{}", said())
            }
            Err(_) => assert!(status.is_redirection() || status.is_client_error(), "{}", said()),
        }
    }
    eprintln!("{classes:?}");
    assert!(classes.len() >= 7, "every class was met: {classes:?}");
}

#[tokio::test]
async fn f13_a_server_that_hangs_is_an_unknown_outcome_after_ten_seconds() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-le".to_vec();
    let body = b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"id\"".to_vec();
    let mut hangs = tokio::task::JoinSet::new();
    for (what, answer) in [("before the answer", None), ("in the headers", Some(head)), ("in the body", Some(body))] {
        let url = server(answer, false).await;
        hangs.spawn(async move {
            let begun = tokio::time::Instant::now();
            let fault = ask(&url).await;
            (what, fault, begun.elapsed())
        });
    }
    while let Some(hung) = hangs.join_next().await {
        let (what, fault, took) = hung.unwrap();
        assert!(matches!(fault, Err(SendFault::Unknown(_))), "{what}: {fault:?}");
        assert!(took < Duration::from_secs(12), "{what}: {took:?}");
    }
    // Nobody listens: certainly not executed, at once.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert!(matches!(ask(&format!("http://{gone}")).await, Err(SendFault::NotSent(_))));
}
