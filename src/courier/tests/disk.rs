//! The disk fails: full, read-only, locked by another process, torn, damaged, and an upgrade in between. A clear sentence, nothing
//! lost, nothing sent that is not recorded, and it goes on when it can.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chat_sandbox::{Dice, SimClock};
use jiff::Timestamp;

use super::simulated::{Chat, Faults};
use super::{BEGIN_MS, Process, copy, notice, prepare};
use crate::courier::CourierFault;
use crate::delivery::{Report, Target};
use crate::desk::{Ask, DeskFault};
use crate::domain::command::Command as Order;
use crate::domain::ids::{ReleaseId, WorkspaceId};
use crate::domain::lifecycle::PlanCommand;
use crate::domain::{plan, release};
use crate::store::{Purpose, Store, StoreFault};

const NOTICES: u64 = 4;

/// A process with notices that are due, and its chat, which never fails.
async fn due(folder: &std::path::Path) -> (Process, Arc<Chat>, ReleaseId, std::path::PathBuf) {
    let clock = SimClock::frozen(BEGIN_MS);
    let chat = Arc::new(Chat::new(clock.clone(), 1, Faults::default()));
    let file = folder.join("disk.db");
    let process = Process::start(&file, &clock, &chat, 0).await;
    let release = prepare(&process.courier.desk).await;
    let posts: Vec<_> = (0..NOTICES).map(|n| notice(release, n, BEGIN_MS)).collect();
    process.store.enqueue(&posts).await.unwrap();
    (process, chat, release, file)
}

fn scrub(release: &str) -> Ask {
    let command = Order::Plan(PlanCommand::Scrub { reason: "No".to_owned() });
    Ask::Command { server: WorkspaceId::from("1"), actor: super::actor(), release: Some(release.to_owned()), command }
}

fn said(chat: &Chat) -> usize {
    (0..NOTICES).map(|n| chat.copies(&format!("notice-{n}"))).sum()
}

async fn drain(process: &Process) {
    for _ in 0..20 {
        if process.courier.round().await.unwrap() == 0 {
            return;
        }
    }
}

/// The journal replays to the state, whatever failed in between.
async fn check(process: &Process, release: ReleaseId) {
    crate::store::verify(&process.store, None).await.unwrap().unwrap();
    let journal: Vec<_> = process.store.history(release).await.unwrap().into_iter().map(|e| e.recorded).collect();
    let replayed = release::Release::replay(&journal);
    assert_eq!(replayed, process.store.read_release(release).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f25_a_full_disk_acknowledges_nothing_sends_nothing_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let (process, chat, release, _) = due(folder.path()).await;
    // The log is folded in first, so that the limit on pages is the limit on what is written.
    process.store.pragma("wal_checkpoint(TRUNCATE)").await.unwrap();
    let pages = process.store.pragma("page_count").await.unwrap().unwrap();
    process.store.pragma(&format!("max_page_count = {pages}")).await.unwrap();
    // Until nothing fits any more.
    let (mut refused, mut submitted) = (0, false);
    for n in 0..400 {
        let long = Order::Plan(PlanCommand::Reschedule {
            t0: plan::PlannedTime {
                at: Timestamp::from_millisecond(BEGIN_MS + 90_000_000 + n * 60_000).unwrap(),
                zone: "UTC".to_owned(),
                typed: String::new(),
            },
            reason: "x".repeat(400),
        });
        let submit = if submitted { long } else { Order::Plan(PlanCommand::Submit) };
        let ask = Ask::Command {
            server: WorkspaceId::from("1"),
            actor: super::actor(),
            release: Some("REL-1".to_owned()),
            command: submit,
        };
        let answer = process.courier.desk.ask(ask).await;
        submitted |= matches!(answer, Ok(crate::desk::Answer::Done { .. }));
        if let Err(fault) = answer {
            assert!(matches!(&fault, DeskFault::NotRecorded(why) if why.contains("the disk is full")), "{fault:?}");
            refused += 1;
            // The connection that met it is gone; the disk is as full for the next.
            process.store.pragma(&format!("max_page_count = {pages}")).await.unwrap();
            if refused > 3 {
                break;
            }
        }
    }
    assert!(refused > 3, "the disk never became full");
    check(&process, release).await;
    let before = said(&chat);
    let outcome = process.courier.round().await;
    // Either the claim itself is refused, or there was room for it: what was sent is then recorded or found again.
    assert!(outcome.is_ok() || matches!(outcome, Err(CourierFault::Desk(_))), "{outcome:?}");
    if outcome.is_err() {
        assert_eq!(said(&chat), before, "what cannot be claimed is not sent");
    }
    process.store.pragma("max_page_count = 1000000").await.unwrap();
    drain(&process).await;
    assert_eq!(said(&chat), NOTICES as usize, "each once, when there is room again");
    assert!(process.courier.desk.ask(scrub("REL-1")).await.is_ok());
    check(&process, release).await;
    process.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f26_a_disk_that_turned_read_only_sends_nothing_until_it_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let (process, chat, release, _) = due(folder.path()).await;
    process.store.pragma("query_only = ON").await.unwrap();
    let fault = process.courier.desk.ask(scrub("REL-1")).await.unwrap_err();
    assert!(matches!(&fault, DeskFault::NotRecorded(why) if why.contains("cannot write to the database")), "{fault}");
    let fault = process.courier.round().await.unwrap_err();
    assert!(fault.to_string().contains("cannot write to the database"), "{fault}");
    assert_eq!(said(&chat), 0, "nothing that cannot be recorded is sent");
    process.store.pragma("query_only = OFF").await.unwrap();
    drain(&process).await;
    assert_eq!(said(&chat), NOTICES as usize);
    check(&process, release).await;
    process.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f24_a_database_locked_by_another_process_fails_loudly_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (process, chat, release, file) = due(folder.path()).await;
    let other = Store::open(&file, Purpose::Sandbox).await.unwrap();
    let held = other.begin().await.unwrap();
    let desk = process.courier.desk.clone();
    let asked = tokio::spawn(async move { desk.ask(scrub("REL-1")).await });
    let fault = tokio::time::timeout(Duration::from_secs(20), asked).await.unwrap().unwrap().unwrap_err();
    assert!(
        matches!(&fault, DeskFault::NotRecorded(why) if why.contains("another process has locked the database")),
        "{fault}"
    );
    let fault = process.courier.round().await.unwrap_err();
    assert!(fault.to_string().contains("another process has locked the database"), "{fault}");
    assert_eq!(said(&chat), 0);
    held.rollback().await.unwrap();
    other.close().await;
    drain(&process).await;
    assert_eq!(said(&chat), NOTICES as usize);
    check(&process, release).await;
    process.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_a_flipped_byte_is_noticed_or_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let (process, _, release, file) = due(folder.path()).await;
    drain(&process).await;
    let (state, posts) =
        (process.store.read_release(release).await.unwrap(), process.store.every_post().await.unwrap());
    process.end().await;
    let bytes = std::fs::read(&file).unwrap();
    let (mut dice, mut noticed) = (Dice::new(20_261_124), 0);
    for n in 0..120 {
        let mut flipped = bytes.clone();
        let at = usize::try_from(dice.roll(bytes.len() as u64)).unwrap();
        flipped[at] ^= 1 << dice.roll(8);
        let path = folder.path().join("flipped.db");
        for ending in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(format!("{}{ending}", path.display())));
        }
        std::fs::write(&path, &flipped).unwrap();
        let store = match Store::open(&path, Purpose::Sandbox).await {
            Ok(store) => store,
            Err(fault) => {
                let said = fault.to_string();
                assert!(!said.is_empty(), "{fault:?}");
                noticed += 1;
                continue;
            }
        };
        let sound = store.integrity().await.is_ok_and(|found| found == ["ok"]);
        let chain = matches!(crate::store::verify(&store, None).await, Ok(Ok(_)));
        let read = store.read_release(release).await;
        let journal = store.history(release).await.map(|h| h.into_iter().map(|e| e.recorded).collect::<Vec<_>>());
        let replayed = journal.ok().and_then(|journal| release::Release::replay(&journal));
        let rows = store.every_post().await;
        let same = read.as_ref().is_ok_and(|read| *read == state) && rows.as_ref().is_ok_and(|rows| *rows == posts);
        let seen = !sound || !chain || rows.is_err() || read.as_ref().map_or(true, |read| replayed != *read);
        // Words of a message that was sent, an index, a free page: nobody reads them again.
        assert!(seen || same, "flip {n} at byte {at} changed what is read, and nothing noticed it");
        noticed += usize::from(seen);
        store.close().await;
    }
    assert!(noticed > 3, "only {noticed} of 120 were noticed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_a_damaged_file_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (process, _, _, file) = due(folder.path()).await;
    process.end().await;
    let mut bytes = std::fs::read(&file).unwrap();
    // The interior of every page but the first is overwritten.
    for page in bytes.chunks_mut(4096).skip(1) {
        let length = page.len();
        page[..length / 2].fill(0xA5);
    }
    std::fs::write(&file, bytes).unwrap();
    let fault = Store::open(&file, Purpose::Sandbox).await.unwrap_err();
    assert!(matches!(fault, StoreFault::Damaged(_)), "{fault:?}");
    assert!(fault.to_string().contains("put the newest backup in its place"), "{fault}");
}

/// Every post of the last version before the one migration, in its state of now.
const CONVERTED: [(&str, &str); 8] = [
    ("planned", "waiting"),
    ("sending", "sending"),
    ("unknown", "unknown"),
    ("sent", "posted"),
    ("blocked", "waiting"),
    ("held", "held"),
    ("dead", "dead"),
    ("skipped", "skipped"),
];

async fn check_converted(store: &Store) {
    let posts = store.every_post().await.unwrap();
    let states = store.states_of(posts[0].key.release().unwrap()).await.unwrap();
    let wanted = CONVERTED.map(|(key, state)| (format!("{}/{key}", posts[0].key.owner), state.to_owned()));
    assert_eq!(states, wanted);
    let doubtful = posts.iter().filter(|row| row.post.doubt.is_some()).map(|row| row.key.post.to_string());
    assert_eq!(doubtful.collect::<Vec<_>>(), ["sending", "unknown"]);
    assert_eq!(posts[3].post.report, Some(Report::Arrived), "its release waits for the news");
    let target = Target::chat(&WorkspaceId::from("g"), &"c".into());
    let closed = store.channel_state(&target).await.unwrap().and_then(|state| state.closed).unwrap();
    assert!(!closed.gone);
    let edit = posts[3].edit.clone().unwrap();
    assert_eq!((edit.wanted, edit.done, edit.rendering.payload.as_str()), (2, 1, "{\"headline\":\"y\"}"));
    let plan = store.revision(posts[0].key.release().unwrap(), 1).await.unwrap().unwrap();
    assert_eq!((plan.file_name.as_str(), plan.bytes.as_slice()), ("plan.md", b"plan".as_slice()));
    assert_eq!(store.integrity().await.unwrap(), ["ok"]);
    assert_eq!(store.pragma("foreign_key_check").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f29_a_database_of_before_is_converted_with_everything() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("before.db");
    Store::before(&file, "").await.unwrap();
    for _ in 0..2 {
        let store = Store::open(&file, Purpose::Sandbox).await.unwrap();
        check_converted(&store).await;
        store.close().await;
    }
    let older = folder.path().join("older.db");
    Store::before(&older, "UPDATE _sqlx_migrations SET version = 20261130000001").await.unwrap();
    let fault = Store::open(&older, Purpose::Sandbox).await.unwrap_err();
    assert!(matches!(fault, StoreFault::TooOld), "{fault}");
}

const MIGRATE: &str = "TMINUS_MIGRATE_DATABASE";

/// The process that is killed while it upgrades; nothing unless the parent asks for it.
#[tokio::test]
#[ignore = "the child of the killed migrations"]
async fn migrating_child() {
    if let Ok(path) = std::env::var(MIGRATE) {
        Store::open(std::path::Path::new(&path), Purpose::Sandbox).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f28_a_killed_upgrade_leaves_the_old_schema_or_the_new() {
    let mut dice = Dice::new(20_261_124);
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old.db");
    for _ in 0..3 {
        Store::before(&old, "").await.unwrap();
        for _ in 0..16 {
            let file = folder.path().join("new.db");
            copy(&old, &file);
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "courier::tests::disk::migrating_child", "--ignored", "--quiet"])
                .env(MIGRATE, &file)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_micros(2_000 + dice.roll(40_000)));
            child.kill().unwrap();
            child.wait().unwrap();
            let store = Store::open(&file, Purpose::Sandbox).await.unwrap();
            check_converted(&store).await;
            store.close().await;
        }
        std::fs::remove_file(&old).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f23_a_message_that_panics_is_given_up_and_the_others_go_out() {
    let folder = tempfile::tempdir().unwrap();
    let (process, chat, release, _) = due(folder.path()).await;
    chat.poison("notice-1");
    for _ in 0..12 {
        drain(&process).await;
        let sim = chat.clock();
        sim.move_to(sim.now_ms() + 31_000);
    }
    let states: std::collections::BTreeMap<_, _> =
        process.store.states_of(release).await.unwrap().into_iter().collect();
    assert_eq!(states[&format!("{release}/notice/1")], "dead");
    assert_eq!(said(&chat), NOTICES as usize - 1, "the others are not affected");
    process.end().await;
}
