//! Status pages follow the release: a page as Statuspage has it (in the shapes of its published API), a signed webhook, and a
//! git work tree.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tminus::sandboxed::t;

use crate::rig::{Rig, text};

/// What stands on the page, what was asked, and what goes wrong next.
#[derive(Default)]
struct Fake {
    incidents: Mutex<BTreeMap<String, Value>>,
    asked: Mutex<Vec<(String, Value)>>,
    /// Answers of create requests to come: `lost` is done and answered with 502, `refused` is not done.
    next: Mutex<Vec<&'static str>>,
    /// The key has lost its rights.
    locked: AtomicBool,
}

type Answer = (StatusCode, Json<Value>);

impl Fake {
    fn log(&self, what: &str, body: &Value) {
        self.asked.lock().unwrap().push((what.to_owned(), body.clone()));
    }

    fn states(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter_map(|(_, body)| body["incident"]["status"].as_str().map(str::to_owned)).collect()
    }
}

async fn create(State(fake): State<Arc<Fake>>, headers: HeaderMap, Json(body): Json<Value>) -> Answer {
    fake.log("create", &body);
    if headers["authorization"] != "OAuth page-key" {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "Could not authenticate" })));
    }
    let next = fake.next.lock().unwrap().pop();
    if next == Some("forbidden") || fake.locked.load(Ordering::Relaxed) {
        return (StatusCode::FORBIDDEN, Json(json!({ "error": "no" })));
    }
    let mut incidents = fake.incidents.lock().unwrap();
    let id = format!("inc{}", incidents.len() + 1);
    let mut incident = body["incident"].clone();
    assert!(incident["name"].as_str().is_some_and(|name| name.len() <= 255));
    incident["id"] = json!(id);
    incidents.insert(id, incident.clone());
    if next == Some("lost") {
        return (StatusCode::BAD_GATEWAY, Json(json!({})));
    }
    (StatusCode::CREATED, Json(incident))
}

async fn update(
    State(fake): State<Arc<Fake>>,
    Path((_, id)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> Answer {
    fake.log("update", &body);
    if fake.locked.load(Ordering::Relaxed) {
        return (StatusCode::FORBIDDEN, Json(json!({ "error": "no" })));
    }
    let mut incidents = fake.incidents.lock().unwrap();
    let Some(incident) = incidents.get_mut(&id) else { return (StatusCode::NOT_FOUND, Json(json!({}))) };
    for (key, value) in body["incident"].as_object().unwrap() {
        incident[key] = value.clone();
    }
    (StatusCode::OK, Json(incident.clone()))
}

async fn list(State(fake): State<Arc<Fake>>, Path((_, which)): Path<(String, String)>) -> Answer {
    fake.log(&format!("list {which}"), &Value::Null);
    let wanted = if which == "scheduled" { "scheduled" } else { "in_progress" };
    let incidents = fake.incidents.lock().unwrap();
    (StatusCode::OK, Json(incidents.values().filter(|i| i["status"] == wanted).cloned().collect()))
}

async fn told(State(fake): State<Arc<Fake>>, headers: HeaderMap, body: String) -> StatusCode {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert!(header("webhook-signature").starts_with("v1,") && !header("webhook-timestamp").is_empty());
    fake.log(&header("webhook-id"), &body);
    StatusCode::NO_CONTENT
}

/// Starts the fake and gives its base URL.
async fn fake() -> (Arc<Fake>, String) {
    let fake = Arc::new(Fake::default());
    let router = Router::new()
        .route("/v1/pages/{page}/incidents", post(create))
        .route("/v1/pages/{page}/incidents/{id}", patch(update))
        .route("/v1/pages/{page}/incidents/{id}", get(list))
        .route("/hook", post(told))
        .with_state(Arc::clone(&fake));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (fake, url)
}

fn statuspage(url: &str) -> String {
    format!(
        "[[status_pages]]\nname = \"main\"\nkind = \"statuspage\"\nguild_id = \"GUILD\"\napi_url = \"{url}/v1\"\n\
         page_id = \"p1\"\napi_key = \"page-key\"\ncomponent_ids = [\"c1\"]\n"
    )
}

async fn to_go(rig: &Rig) {
    rig.advance(t(0)).await;
    let went = rig.slash("ana", "release go", &[]).await;
    assert!(went.starts_with("✅ Done"), "{went}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statuspage_follows_the_release_to_its_end() {
    let (fake, url) = fake().await;
    let rig = Rig::with_pages(true, &statuspage(&url)).await.approve().await;
    rig.advance(t(-30) - 1).await;
    assert_eq!(fake.incidents.lock().unwrap().len(), 0, "not before its rung");
    // The answer is lost: it is found by its metadata, not created again.
    fake.next.lock().unwrap().push("lost");
    rig.advance(t(-28)).await;
    let incidents = fake.incidents.lock().unwrap().clone();
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    let incident = &incidents["inc1"];
    assert_eq!(
        (&incident["status"], &incident["scheduled_for"]),
        (&json!("scheduled"), &json!("2026-12-08T13:00:00Z"))
    );
    assert_eq!(incident["scheduled_until"], json!("2026-12-08T15:30:00Z"), "as long as its stages");
    assert_eq!(
        (&incident["scheduled_auto_in_progress"], &incident["scheduled_auto_completed"]),
        (&json!(false), &json!(false)),
        "the release's state decides, not the clock"
    );
    let rung = rig.sandbox().messages("releases").iter().map(text).find(|m| m.contains("📣 T-30m · ")).unwrap();
    assert!(rung.contains("✅ main: updated; T-Minus keeps it current") && !rung.contains("[Briefed]"), "{rung}");
    to_go(&rig).await;
    let incident = || fake.incidents.lock().unwrap()["inc1"].clone();
    assert_eq!(
        (&incident()["status"], &incident()["components"]["c1"]),
        (&json!("in_progress"), &json!("under_maintenance"))
    );
    rig.slash("ana", "release rollback", &[("reason", "Errors")]).await;
    rig.advance(t(5)).await;
    assert!(incident()["body"].as_str().unwrap().contains("rolling back the update"), "{}", incident());
    rig.slash("ana", "release rollback", &[("reason", "Done"), ("step", "verified")]).await;
    rig.advance(t(10)).await;
    assert_eq!((&incident()["status"], &incident()["components"]["c1"]), (&json!("completed"), &json!("operational")));
    assert_eq!(incident()["scheduled_until"], json!("2026-12-08T13:05:00Z"), "when it ended");
    assert_eq!(fake.incidents.lock().unwrap().len(), 1);
    // Nothing internal ever stands on the page.
    for (_, body) in fake.asked.lock().unwrap().iter() {
        let said = body.to_string();
        assert!(!said.contains("Ana") && !said.contains("Errors") && !said.contains("REL-1 "), "{said}");
    }
    rig.finish().await;
}

/// A rollout that takes longer than planned moves its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_never_shows_an_end_that_is_past_while_the_work_goes_on() {
    let (fake, url) = fake().await;
    let rig = Rig::with_pages(true, &statuspage(&url)).await.approve().await;
    to_go(&rig).await;
    let until = || fake.incidents.lock().unwrap()["inc1"]["scheduled_until"].clone();
    rig.advance(t(140)).await;
    assert_eq!(until(), json!("2026-12-08T15:30:00Z"), "as planned");
    rig.advance(t(185)).await;
    assert_eq!(until(), json!("2026-12-08T18:00:00Z"), "as much time again");
    let told =
        |fake: &Fake| fake.asked.lock().unwrap().iter().filter(|(_, body)| body.to_string().contains("18:00")).count();
    rig.advance(t(290)).await;
    assert_eq!(told(&fake), 1, "readers are told once");
    // The last stage is done: that was the end, whatever the watch brings.
    for _ in ["T+15m", "T+1h", "T+4h"] {
        let verdict = [("verdict", "continue"), ("reason", "All metrics at the baseline")];
        let decided = rig.slash("eva", "release decide", &verdict).await;
        assert!(decided.starts_with("✅"), "{decided}");
    }
    for _ in 0..3 {
        let moved = rig.slash("ana", "release stage", &[("stage", "advance"), ("reason", "all is calm")]).await;
        assert!(moved.starts_with("✅"), "{moved}");
    }
    rig.advance(t(291)).await;
    let status = || fake.incidents.lock().unwrap()["inc1"]["status"].clone();
    assert_eq!((until(), status()), (json!("2026-12-08T17:50:00Z"), json!("verifying")));
    rig.slash("ana", "release hold", &[("reason", "One graph looks odd")]).await;
    rig.advance(t(330)).await;
    assert_eq!((until(), status()), (json!("2026-12-08T17:50:00Z"), json!("verifying")));
    rig.slash("ana", "release resume", &[]).await;
    rig.advance(t(1_500)).await;
    for _ in ["T+24h"] {
        let verdict = [("verdict", "continue"), ("reason", "All metrics at the baseline")];
        let decided = rig.slash("eva", "release decide", &verdict).await;
        assert!(decided.starts_with("✅"), "{decided}");
    }
    let values = "P99 Latency: 212ms\nError Rate: 0.5%\nThroughput: 1180 rps";
    rig.press("ana", "releases", "Write update", &[("text", "Final values."), ("values", values)]).await;
    let over = rig.slash("ana", "release all-clear", &[]).await;
    assert!(over.starts_with("✅"), "{over}");
    rig.advance(t(1_501)).await;
    assert_eq!((until(), status()), (json!("2026-12-08T17:50:00Z"), json!("completed")));
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_refuses_is_told_to_the_ops_channel_and_stops_nothing() {
    let (fake, url) = fake().await;
    let rig = Rig::with_pages(true, &statuspage(&url)).await.approve().await;
    rig.advance(t(-31)).await;
    fake.next.lock().unwrap().push("forbidden");
    rig.advance(t(-30)).await;
    assert_eq!(rig.count("releases", "📣 T-30m · "), 1, "the chat is told at its instant");
    let told = rig.newest("tminus-ops");
    assert!(told.contains("🔴 Status page not updated") && told.contains("the status page main"), "{told}");
    assert!(
        told.contains("Post the text on the page by hand") && told.contains("Message text: Scheduled maintenance"),
        "{told}"
    );
    rig.advance(t(-20)).await;
    assert_eq!(fake.incidents.lock().unwrap().len(), 1, "tried again");
    assert!(rig.newest("tminus-ops").contains("✅ Status page updated after all"), "{}", rig.newest("tminus-ops"));
    rig.slash("ana", "release scrub", &[("reason", "The provider is not ready")]).await;
    rig.advance(t(-10)).await;
    assert_eq!(fake.states().last().unwrap(), "completed");
    let body = fake.incidents.lock().unwrap()["inc1"]["body"].clone();
    assert_eq!(body, json!("We cancelled the update. Nothing changes."));
    rig.finish().await;
}

/// Found by review: nobody heard of a page that went on saying what was no longer true.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_cannot_be_brought_up_to_date_is_told_once_and_so_is_its_end() {
    let (fake, url) = fake().await;
    let rig = Rig::with_pages(true, &statuspage(&url)).await.approve().await;
    rig.advance(t(-29)).await;
    fake.locked.store(true, Ordering::Relaxed);
    to_go(&rig).await;
    let told = rig.newest("tminus-ops");
    assert!(
        told.contains("🔴 Status page not updated") && told.contains("Message text: Scheduled maintenance"),
        "{told}"
    );
    rig.slash("ana", "release hold", &[("reason", "Look first")]).await;
    rig.advance(t(20)).await;
    assert_eq!(rig.count("tminus-ops", "🔴 Status page not updated"), 1, "once");
    fake.locked.store(false, Ordering::Relaxed);
    rig.advance(t(26)).await;
    assert_eq!(fake.incidents.lock().unwrap()["inc1"]["status"], "in_progress");
    let told = rig.newest("tminus-ops");
    assert!(
        told.contains("✅ Status page updated after all") && told.contains("is now on the status page main"),
        "{told}"
    );
    rig.finish().await;
}

/// Found by review: after “Send again” the message about a page stayed at “Sending again”, or said “after all” while the page still refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sending_a_page_again_ends_as_the_page_answers() {
    let (fake, url) = fake().await;
    let rig = Rig::with_pages(true, &statuspage(&url)).await.approve().await;
    rig.advance(t(-29)).await;
    fake.locked.store(true, Ordering::Relaxed);
    to_go(&rig).await;
    let about = || {
        let said: Vec<String> = rig.sandbox().messages("tminus-ops").iter().map(text).collect();
        said.into_iter().filter(|m| m.to_lowercase().contains("status page")).collect::<Vec<_>>()
    };
    assert_eq!(about().len(), 1);
    rig.press("ana", "tminus-ops", "Send again", &[]).await;
    rig.advance(t(7)).await;
    assert!(about().len() == 1 && about()[0].contains("🔴 Status page not updated"), "{:?}", about());
    fake.locked.store(false, Ordering::Relaxed);
    rig.press("ana", "tminus-ops", "Send again", &[]).await;
    rig.advance(t(8)).await;
    assert!(about().len() == 1 && about()[0].contains("✅ Status page updated after all"), "{:?}", about());
    rig.finish().await;
}

/// Found by review: a page that was mended after the release was called off announced it, and called it off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_never_showed_a_release_leaves_it_out_when_it_is_over() {
    let (fake, url) = fake().await;
    let rig = Rig::with_pages(true, &statuspage(&url)).await.approve().await;
    fake.locked.store(true, Ordering::Relaxed);
    rig.advance(t(-29)).await;
    assert!(rig.newest("tminus-ops").contains("🔴 Status page not updated"));
    rig.slash("ana", "release scrub", &[("reason", "Not today")]).await;
    assert!(rig.newest("tminus-ops").contains("🗑️ No longer needed"), "{}", rig.newest("tminus-ops"));
    fake.locked.store(false, Ordering::Relaxed);
    rig.advance(t(0)).await;
    assert_eq!(fake.incidents.lock().unwrap().len(), 0);
    rig.finish().await;
}

/// Found by review: a push that the remote refused was repeated for ever, and nobody was told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_that_is_refused_is_told() {
    let (tree, away) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let remote = away.path().join("site.git");
    let git = |arguments: &[&str]| {
        let out = Command::new("git").arg("-C").arg(tree.path()).args(arguments).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    };
    git(&["init", "--quiet"]);
    git(&["remote", "add", "origin", &remote.display().to_string()]);
    git(&["config", "push.autoSetupRemote", "true"]);
    let pages = format!(
        "[[status_pages]]\nname = \"files\"\nkind = \"git\"\nguild_id = \"GUILD\"\npath = \"{}\"\npush = true\n",
        tree.path().display()
    );
    let rig = Rig::with_pages(true, &pages).await.approve().await;
    rig.advance(t(-29)).await;
    let told = rig.newest("tminus-ops");
    assert!(told.contains("🔴 Status page not updated") && told.contains("git push: "), "{told}");
    git(&["init", "--quiet", "--bare", &remote.display().to_string()]);
    rig.advance(t(-20)).await;
    assert!(rig.newest("tminus-ops").contains("✅ Status page updated after all"), "{}", rig.newest("tminus-ops"));
    rig.finish().await;
}

/// Found by review: a release that was held and resumed told its receivers the same id twice, and they kept the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_state_told_to_a_webhook_has_an_id_of_its_own() {
    let (fake, url) = fake().await;
    let pages = format!(
        "[[status_pages]]\nname = \"hook\"\nkind = \"webhook\"\nguild_id = \"GUILD\"\nurl = \"{url}/hook\"\nsecret = \"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\"\n"
    );
    let rig = Rig::with_pages(true, &pages).await.approve().await;
    to_go(&rig).await;
    for minute in [1, 3] {
        rig.slash("ana", "release hold", &[("reason", "Look first")]).await;
        rig.advance(t(minute)).await;
        rig.slash("ana", "release resume", &[]).await;
        rig.advance(t(minute + 1)).await;
    }
    let asked = fake.asked.lock().unwrap().clone();
    let ids: std::collections::BTreeSet<&String> = asked.iter().map(|(id, _)| id).collect();
    assert_eq!((asked.len(), ids.len()), (6, 6), "{asked:?}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_signed_and_a_git_page_is_committed() {
    let (fake, url) = fake().await;
    let tree = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let out = Command::new("git").arg("-C").arg(tree.path()).args(arguments).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    git(&["init", "--quiet"]);
    let pages = format!(
        "[[status_pages]]\nname = \"hook\"\nkind = \"webhook\"\nguild_id = \"GUILD\"\nurl = \"{url}/hook\"\nsecret = \"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\"\n\
         [[status_pages]]\nname = \"files\"\nkind = \"git\"\nguild_id = \"GUILD\"\npath = \"{}\"\n",
        tree.path().display()
    );
    let rig = Rig::with_pages(true, &pages).await.approve().await;
    rig.advance(t(-29)).await;
    let file = git(&["ls-files"]).trim().to_owned();
    assert!(file.starts_with("content/issues/rel-1-n"), "{file}");
    let shown = std::fs::read_to_string(tree.path().join(&file)).unwrap();
    assert!(shown.contains("resolved: false") && shown.contains("date: 2026-12-08T13:00:00Z"), "{shown}");
    // T-0 moves: both follow, and the file keeps its name.
    rig.slash("ana", "release reschedule", &[("time", "2026-12-08 18:00"), ("reason", "Later")]).await;
    rig.advance(t(-20)).await;
    assert_eq!(git(&["ls-files"]).trim(), file);
    assert!(std::fs::read_to_string(tree.path().join(&file)).unwrap().contains("date: 2026-12-08T17:00:00Z"));
    rig.slash("ana", "release scrub", &[("reason", "No")]).await;
    rig.advance(t(-10)).await;
    assert!(std::fs::read_to_string(tree.path().join(&file)).unwrap().contains("resolved: true"));
    assert_eq!(git(&["rev-list", "--count", "HEAD"]).trim(), "3");
    assert_eq!(git(&["status", "--porcelain"]), "");
    let types: Vec<String> =
        fake.asked.lock().unwrap().iter().map(|(_, body)| body["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(types, ["maintenance.scheduled", "maintenance.scheduled", "maintenance.cancelled"]);
    let ids: std::collections::BTreeSet<String> = fake.asked.lock().unwrap().iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids.len(), 3, "each state has an id of its own");
    rig.finish().await;
}
