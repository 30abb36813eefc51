//! The intake's own defence: slow, idle and wrong senders keep nobody else from working.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::child::{HOOK_SECRET, Place};

/// Measured before: none of 600 slow connections ended in 75 s, and 1,129 idle ones kept the gateway away at a limit of 1,024 files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f32_slow_and_idle_connections_stop_nobody() {
    let place = Place::new().await;
    place.configure_plainly();
    let _service = place.start("ulimit -n 1024");
    place.until_ready().await;

    let mut idle = Vec::new();
    for _ in 0..2_000 {
        idle.push(TcpStream::connect(place.intake).await.unwrap());
    }
    place.sandbox.close_gateway(4_009);
    place.until("away", async || !place.sandbox.online()).await;
    place.until("connected again", async || place.sandbox.online()).await;
    place.until_ready().await;
    assert_eq!(place.get("/healthz").await.0, 200);
    assert_eq!(place.hook("Bearer", HOOK_SECRET, &[]).await, 202);
    assert_eq!(place.hook("bearer", HOOK_SECRET, &[]).await, 202, "the scheme's case does not matter");
    drop(idle);

    let begun = Instant::now();
    let mut slow = JoinSet::new();
    for n in 0..600 {
        let (head, secret) = (n % 2 == 0, if n % 3 == 0 { "wrong" } else { HOOK_SECRET });
        let address = place.intake;
        slow.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let first = match head {
                true => "POST /hooks/alertmanager/alerts HTTP/1.1\r\nHost: x\r\n".to_owned(),
                false => format!(
                    "POST /hooks/alertmanager/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Length: 100000\r\n\r\n"
                ),
            };
            stream.write_all(first.as_bytes()).await.unwrap();
            let mut answer = [0_u8; 1024];
            loop {
                let drip = tokio::time::timeout(Duration::from_millis(900), stream.read(&mut answer)).await;
                let goes_on = match drip {
                    Err(_nothing_yet) => stream.write_all(b"x").await.is_ok(),
                    Ok(Ok(0) | Err(_)) => false,
                    Ok(Ok(_)) => true,
                };
                if !goes_on || begun.elapsed() > Duration::from_secs(75) {
                    return begun.elapsed();
                }
            }
        });
    }
    assert_eq!(place.hook("Bearer", HOOK_SECRET, &[]).await, 202, "beside them");
    let longest = slow.join_all().await.into_iter().max().unwrap();
    assert!(longest < Duration::from_secs(60), "{longest:?}");

    for secret in ["x", "another-one-that-is-no-secret"] {
        for _ in 0..50 {
            assert_eq!(place.hook("Bearer", secret, &[]).await, 401);
        }
    }
    let url = format!("http://{}/hooks/alertmanager/{HOOK_SECRET}", place.intake);
    let wrong = reqwest::Client::builder().no_proxy().build().unwrap().post(url).body("{}").send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let log = place.log();
    assert!(log.matches("webhook refused").count() <= 3, "{log}");
    assert!(!log.contains(HOOK_SECRET), "{log}");
}
