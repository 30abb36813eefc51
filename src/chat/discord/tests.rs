//! The transport against servers that answer in every wrong way: canned bytes over loopback (F11, F12, F13).

use std::time::Duration;

use chat_sandbox::Dice;
use reqwest::Method;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::rest::{Limit, Rest, http_client};
use crate::chat::SendFault;
use crate::clock::Clock;

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
