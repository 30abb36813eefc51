//! No configured secret gets out: into the log at any level, the database, its backup, metrics, health or the chat, though those
//! who are written to repeat whatever they get.

use std::sync::Arc;
use std::time::Duration;

use chat_sandbox::{Fault, Limits, Script};
use tminus::sandboxed::{PLAN, world};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::child::{HOOK_SECRET, Place};
use crate::rig::shown;

const TOKEN: &str = "MTEyMjMz.canary-token.of-the-bot-7f3a";
const API_KEY: &str = "canary-api-key-of-statuspage-91c4";
const SIGNING: &str = "whsec_Y2FuYXJ5LXNpZ25pbmcta2V5LW9mLWEtcGFnZQ==";
const IN_URL: &str = "canary-in-the-url-55d0";

/// Answers every request with an error that repeats it, as fields of JSON or as it is.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for n in 0_u64.. {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            tokio::spawn(async move {
                let mut asked = vec![0; 16_384];
                let read = stream.read(&mut asked).await.unwrap_or(0);
                let asked = String::from_utf8_lossy(&asked[..read]).into_owned();
                let (status, body) = match n % 4 {
                    0 => ("422 Unprocessable Entity", serde_json::json!({ "error": asked }).to_string()),
                    1 => ("500 Internal Server Error", asked),
                    2 => ("401 Unauthorized", serde_json::json!({ "message": asked, "error": [asked] }).to_string()),
                    _ => ("403 Forbidden", format!("<html>{asked}</html>")),
                };
                let answer =
                    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
                drop(stream.write_all(answer.as_bytes()).await);
            });
        }
    });
    port
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

/// Measured before: a status page that repeats its request put its API key into log, database and ops chat.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_gets_out() {
    let place = Arc::new(Place::with(world(), Limits::WIDE).await);
    place.sandbox.set_token(TOKEN);
    let (port, guild) = (echo().await, world().guild);
    let file = place.path("token");
    std::fs::write(&file, TOKEN).unwrap();
    let pages = format!(
        "[log]\nfilter = \"trace\"\n\
         [[status_pages]]\nname = \"main\"\nguild_id = \"{guild}\"\nkind = \"statuspage\"\npage_id = \"p1\"\napi_url = \"http://127.0.0.1:{port}/v1\"\napi_key = \"{API_KEY}\"\n\
         [[status_pages]]\nname = \"hook\"\nguild_id = \"{guild}\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{port}/{IN_URL}\"\nsecret = \"{SIGNING}\"\n"
    );
    place.configure(&format!("token_file = \"{}\"", file.display()), &format!("{pages}{}", place.workspace()));
    let service = place.start("");
    place.until_ready().await;
    place.until("online", async || place.sandbox.online()).await;
    let does = async |who: &str, path: &str, options: &[(&str, &str)], file: Option<&[u8]>| {
        let file = file.map(|plan| ("plan.md", plan));
        shown(&place.sandbox.slash(who, "releases", path, options, file).await.unwrap())
    };
    // Discord repeats the token as well, in what it refuses.
    for fault in [Fault::Status(403), Fault::Status(500), Fault::Status(401)] {
        place.sandbox.script(Script { route: chat_sandbox::CREATE.to_owned(), fault, times: Some(1), chance: 1.0 });
    }
    let plan = PLAN.replace("2026-12-08 14:00 Europe/Berlin", "<t:1999999999:F>").replace("- [ ] Dep", "- [x] Dep");
    does("ana", "release import", &[], Some(plan.as_bytes())).await;
    does("ana", "release submit", &[], None).await;
    for (who, role) in [("chloe", "engineering_lead"), ("dev", "product_owner"), ("eva", "sre_ops")] {
        does(who, "release signoff give", &[("role", role)], None).await;
    }
    let went = does("ana", "release go", &[], None).await;
    assert!(went.starts_with("✅ Done"), "{went}");
    // Secrets in the wrong places of a request.
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for secret in [HOOK_SECRET, API_KEY, SIGNING, TOKEN] {
        let url = format!("http://{}/hooks/alertmanager/{secret}?key={secret}", place.intake);
        drop(http.post(url).header("Authorization", format!("Bearer {secret}x")).body(secret).send().await);
    }
    place.until("told of the page", async || place.log().contains("outcome unknown")).await;
    tokio::time::sleep(Duration::from_secs(5)).await;

    let chat = serde_json::to_string(&place.sandbox.messages("tminus-ops").iter().map(|m| &m.body).collect::<Vec<_>>());
    let chat = chat.unwrap()
        + &serde_json::to_string(&place.sandbox.messages("releases").iter().map(|m| &m.body).collect::<Vec<_>>())
            .unwrap();
    assert!(chat.contains("main") && chat.contains("422"), "the chat says what the page refused: {chat}");
    let answers = [place.get("/metrics").await.1, place.get("/readyz").await.1, place.get("/healthz").await.1].concat();
    drop(service);
    let read = |name: &str| std::fs::read(place.path(name)).unwrap_or_default();
    let places = [
        ("log", read("log")),
        ("database", read("t.db")),
        ("write-ahead log", read("t.db-wal")),
        ("chat", chat.into_bytes()),
        ("metrics and health", answers.into_bytes()),
    ];
    assert!(places[1].1.len() + places[2].1.len() > 100_000, "the database was looked at");
    let plain = SIGNING.trim_start_matches("whsec_");
    for (name, bytes) in &places {
        for secret in [TOKEN, HOOK_SECRET, API_KEY, SIGNING, plain, IN_URL] {
            assert!(!holds(bytes, secret), "{secret} in the {name}: {}", String::from_utf8_lossy(bytes));
        }
    }
}
