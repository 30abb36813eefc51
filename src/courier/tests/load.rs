//! How fast, how punctual, and at what cost: the real courier over the real transport against the simulated Discord with its
//! limits, in real time. The large runs are benchmarks (`--ignored`, in `.ci/long`); a small one always runs.

#![expect(clippy::print_stderr, reason = "figures for their reader")]

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chat_sandbox::{ChannelSeed, Counting, Limits, Sandbox, Setup, SimClock, Way, World, wall_ms};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::simulated::{Chat, Faults};
use super::{actor, configure, import, notice, prepare};
use crate::chat::Platform;
use crate::chat::discord::rest::{Rest, http_client};
use crate::chat::discord::send::Sender;
use crate::clock::Clock;
use crate::courier::{Courier, Health, Outside};
use crate::delivery::{Key, Target};
use crate::desk::{self, Ask, Desk, Nudges};
use crate::domain::command::Command as Order;
use crate::domain::ids::{ChannelId, ReleaseId, WorkspaceId};
use crate::domain::lifecycle::PlanCommand;
use crate::outside::Pages;
use crate::store::{PostRow, Purpose, Store};

const TOKEN: &str = "load-token";
/// Channels begin here.
const FIRST: u64 = 7_000;
/// Where what a person must decide goes.
const URGENT: u64 = 9_999;

struct Field {
    sandbox: Sandbox,
    clock: SimClock,
    store: Store,
    desk: Desk,
    outside: Outside,
    nudges: Nudges,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Field {
    async fn new(channels: u64, limits: Limits) -> Self {
        let seeds = (0..channels).map(|n| FIRST + n).chain([URGENT]);
        let channel =
            |id: u64| ChannelSeed { id, name: format!("c{id}"), category: "Load".to_owned(), topic: String::new() };
        let world = World { guild: 1, channels: seeds.map(channel).collect(), ..World::default() };
        let clock = SimClock::running(wall_ms());
        let setup =
            Setup { world, clock: clock.clone(), token: TOKEN.to_owned(), port: 0, limits, house: None, openapi: None };
        let sandbox = Sandbox::start(setup).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("load.db"), Purpose::Sandbox).await.unwrap();
        let clock_of_bot = Clock::sandbox(clock.clone()).believed();
        let rest = Rest::new(
            http_client().unwrap(),
            &sandbox.url(),
            SecretString::from(TOKEN.to_owned()),
            clock_of_bot.clone(),
        );
        let outside = Outside { chat: Platform::Discord(Sender::new(rest)), pages: Pages::default() };
        let (desk, requests) = Desk::new(store.clone(), clock_of_bot, outside.capabilities());
        let nudges = Nudges::default();
        tokio::spawn(desk::run(desk.clone(), requests, nudges.clone()));
        Self { sandbox, clock, store, desk, outside, nudges, stop: CancellationToken::new(), _folder: folder }
    }

    fn courier(&self) -> Courier {
        let nudge = Arc::clone(&self.nudges.courier);
        Courier::new(self.desk.clone(), self.outside.clone(), nudge, Arc::new(Health::default()))
    }

    async fn enqueue(&self, posts: &[PostRow]) {
        self.store.enqueue(posts).await.unwrap();
        self.nudges.courier.notify_one();
    }

    /// When each marker's message was created, by how many copies there are.
    fn created(&self, channels: u64) -> BTreeMap<String, Vec<i64>> {
        let mut found = BTreeMap::<String, Vec<i64>>::new();
        for id in (0..channels).map(|n| FIRST + n).chain([URGENT]) {
            for message in self.sandbox.messages(&format!("c{id}")) {
                let footer = message.body["embeds"][0]["footer"]["text"].as_str().unwrap_or_default().to_owned();
                found.entry(footer).or_default().push(message.at_ms);
            }
        }
        found
    }
}

fn post(release: ReleaseId, n: u64, channel: u64, priority: i64, due: i64) -> PostRow {
    let server = WorkspaceId::from("1");
    PostRow {
        key: Key::of_release(release, format!("load/{n}").into()),
        target: Target::chat(&server, &ChannelId(channel.to_string())),
        priority,
        nonce: format!("load-{n}"),
        marker: format!("load-{n}"),
        ..notice(release, n, due)
    }
}

/// Drains `notices` due within one second over `channels`, with an urgent one in the middle.
async fn drain(notices: u64, channels: u64, counting: Counting) -> (f64, i64) {
    let way = Way { each_ms: 50, jitter_ms: 40 };
    let field = Field::new(channels, Limits { counting, way, ..Limits::DISCORD }).await;
    let release = prepare(&field.desk).await;
    // What preparing said is not part of this.
    let stop = field.stop.clone();
    let begin = field.clock.now_ms() + 500;
    let due = |n: u64| begin + i64::try_from(n * 1_000 / notices).unwrap();
    let posts: Vec<PostRow> = (0..notices).map(|n| post(release, n, FIRST + n % channels, 1, due(n))).collect();
    field.enqueue(&posts).await;
    let running = tokio::spawn(field.courier().run(stop));
    let half = Duration::from_millis(500 + notices * 1_000 / 48 / 2);
    tokio::time::sleep(half).await;
    let asked = field.clock.now_ms();
    field.enqueue(&[post(release, notices, URGENT, 0, asked)]).await;
    let mut created = field.created(channels);
    for _ in 0..(notices * 4) {
        if created.len() as u64 == notices + 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        created = field.created(channels);
    }
    field.stop.cancel();
    running.await.unwrap();
    let times = |marker: &str| created.get(marker).cloned().unwrap_or_default();
    let mut last = begin;
    for n in 0..notices {
        let at = times(&format!("load-{n}"));
        assert_eq!(at.len(), 1, "{counting:?}: notice {n} stands {} times", at.len());
        assert!(at[0] >= due(n), "{counting:?}: notice {n} is early");
        last = last.max(at[0]);
    }
    let urgent = times(&format!("load-{notices}"))[0] - asked;
    // What fifty a second allow, and a message's way there: each way and half the jitter.
    let ideal = notices as f64 / 50.0 + 0.07;
    let took = (last - begin) as f64 / 1_000.0;
    let refused = field.sandbox.refused();
    eprintln!(
        "{counting:?}: {notices} notices over {channels} channels in {took:.2} s, {:.3} times the ideal of {ideal:.2} s; {refused} refused; urgent after {urgent} ms",
        took / ideal
    );
    assert_eq!(refused, 0, "{counting:?}: nothing is refused");
    (took / ideal, urgent)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f22_a_burst_is_drained_at_discords_limits_and_the_urgent_go_first() {
    // Figures are the benchmark's business; that nothing is refused, early, lost or doubled is this one's.
    let (_, urgent) = drain(150, 60, Counting::Sliding).await;
    assert!(urgent < 1_500, "behind a hundred others it would have waited two seconds: {urgent} ms");
}

/// `--ignored`: twenty seconds for each way of counting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a benchmark of a minute, in .ci/long"]
async fn a_thousand_notices_due_in_one_second() {
    for counting in [Counting::Fixed, Counting::Sliding, Counting::Leaky] {
        let (times, urgent) = drain(1_000, 330, counting).await;
        assert!(times <= 1.05, "{counting:?}: {times} times the ideal");
        assert!(urgent <= 250 + 2 * 50 + 40, "{counting:?}: an urgent post left after {urgent} ms");
    }
}

/// Every statement of the courier and the timekeeper finds its rows by an index, however much is stored: read from the
/// statements that were checked when compiled.
#[tokio::test]
async fn no_statement_of_the_hot_path_scans_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("plans.db"), Purpose::Sandbox).await.unwrap();
    let (mut seen, mut firsts) = (0, 0);
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.sqlx")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let query: serde_json::Value = serde_json::from_str(&text).unwrap();
        let sql = query["query"].as_str().unwrap();
        for (sql, step) in store.plan_of(sql).await.unwrap() {
            let scans = ["outbox", "release", "journal", "prompt"]
                .iter()
                .any(|table| step == format!("SCAN {table}") || step.starts_with(&format!("SCAN {table} ")));
            // An index that holds only what is open is as long as what is open.
            let open_only =
                ["outbox_open", "outbox_turn", "outbox_expires", "outbox_stuck", "outbox_report", "outbox_edit"]
                    .iter()
                    .any(|index| step.contains(index));
            // Verifying the chain reads the whole journal: that is what it is for.
            let whole = sql.contains("FROM journal ORDER BY seq");
            // A step that is passed over while no row lacks its prompt (`FkIfZero`), which none does.
            let guarded = ["INSERT INTO prompt", "INSERT INTO release", "INSERT INTO content"]
                .iter()
                .any(|begin| sql.starts_with(begin));
            assert!(!scans || open_only || whole || guarded, "{step}\n  in {sql}");
            // The first of a target is found without reading what waits behind it.
            if step.starts_with("SEARCH n ") {
                assert!(step.contains("outbox_turn (state=? AND target=?)"), "{step}\n  in {sql}");
                firsts += 1;
            }
            seen += 1;
        }
    }
    assert!(seen > 50 && firsts > 0, "only {seen} steps were looked at");
}

/// Three messages of each of two hundred releases, at some fifty milliseconds each, and as much again.
const LEAD_MS: i64 = 75_000;

/// So many releases whose T-24h comes one each 60 ms (below the pace, so that each waits for its instant alone), from the mark
/// through timekeeper, desk and courier to the message: how late each was, in milliseconds.
async fn punctual(field: &Field, releases: i64) -> Vec<i64> {
    let server = configure(&field.desk, &FIRST.to_string()).await;
    let day = SignedDuration::from_hours(24);
    let begin = field.clock.now_ms() + LEAD_MS;
    let due = |n: i64| begin + n * 60;
    let mut ids = Vec::new();
    for n in 0..releases {
        let t0 = Timestamp::from_millisecond(due(n)).unwrap() + day;
        let id = import(&field.desk, &server, Some(t0)).await;
        let no = field.store.read_release(id).await.unwrap().unwrap().no;
        let command = Order::Plan(PlanCommand::Submit);
        let submit = Ask::Command { server: server.clone(), actor: actor(), release: Some(no.to_string()), command };
        let answer = field.desk.ask(submit).await.unwrap();
        assert!(matches!(answer, desk::Answer::Done { .. }), "{answer:?}");
        ids.push(no);
    }
    let courier = tokio::spawn(field.courier().run(field.stop.clone()));
    let timekeeper =
        crate::timekeeper::run(field.desk.clone(), Arc::clone(&field.nudges.timekeeper), field.stop.clone());
    let timekeeper = tokio::spawn(timekeeper);
    // What preparing said stands in the same channel, one after the other: it must be posted before.
    let before = u64::try_from(begin - 1_000 - field.clock.now_ms()).unwrap();
    tokio::time::sleep(Duration::from_millis(before)).await;
    let waiting = field.store.post_counts().await.unwrap().iter().map(|state| state.count).sum::<i64>();
    // The word of the settings that were changed is for a channel that is not there.
    assert!(
        waiting <= 1,
        "{waiting} messages of preparing are not posted yet: the machine is too slow for this benchmark"
    );
    let wait = u64::try_from(due(releases) + 1_000 - field.clock.now_ms()).unwrap();
    tokio::time::sleep(Duration::from_millis(wait)).await;
    field.stop.cancel();
    courier.await.unwrap();
    timekeeper.await.unwrap();
    let said = field.sandbox.messages(&format!("c{FIRST}"));
    ids.iter()
        .zip(0..)
        .map(|(no, n)| {
            let title = format!("T-24h · {no} ");
            let mine = |message: &&chat_sandbox::Message| message.headline().contains(&title);
            let found: Vec<i64> = said.iter().filter(mine).map(|message| message.at_ms).collect();
            let newest = said.last().map(chat_sandbox::Message::headline);
            assert_eq!(
                found.len(),
                1,
                "T-24h of {no} stands {} times; {} messages, the newest {newest:?}",
                found.len(),
                said.len()
            );
            found[0] - due(n)
        })
        .collect()
}

/// The same notices by APScheduler among as many stored jobs (`benches/peer/scheduler.py`), where its packages are installed.
async fn peer(field: &Field, stored: u64, releases: i64) -> Option<Vec<i64>> {
    let first = field.clock.now_ms() + 15_000 + i64::try_from(stored / 10).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer/scheduler.py");
    let (channel, database) = ((FIRST + 1).to_string(), folder.path().join("peer.db"));
    let numbers = [stored.to_string(), first.to_string(), releases.to_string(), "60".to_owned()];
    let mut child = Command::new("python3")
        .args([program, &field.sandbox.url(), TOKEN, &channel])
        .arg(database)
        .args(numbers)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    while child.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let late = field.sandbox.messages(&format!("c{channel}")).into_iter().filter_map(|message| {
        let n: i64 = message.body["content"].as_str()?.strip_prefix("peer ")?.parse().ok()?;
        Some(message.at_ms - first - n * 60)
    });
    let mut late: Vec<i64> = late.collect();
    late.sort_unstable();
    (late.len() == usize::try_from(releases).unwrap()).then_some(late)
}

fn shares(late: &[i64]) -> String {
    let at = |share: usize| late[(late.len() - 1) * share / 100];
    format!("late by {} ms (p99 {} ms, most {} ms)", at(50), at(99), at(100))
}

/// `--ignored`: releases that are due among many stored, found and said, beside APScheduler.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a benchmark of some minutes, in .ci/long"]
async fn notices_are_punctual_however_much_is_stored() {
    let mut found = Vec::new();
    for stored in [1_000_u64, 100_000] {
        let field = Field::new(4, Limits::WIDE).await;
        let release = prepare(&field.desk).await;
        field.store.fill(stored, release).await.unwrap();
        let now = Clock::sandbox(field.clock.clone()).now();
        let mut scans: Vec<u128> = Vec::new();
        for _ in 0..2_000 {
            let begun = tokio::time::Instant::now();
            field.store.due_releases(now, 64).await.unwrap();
            field.store.next_wakeup().await.unwrap();
            scans.push(begun.elapsed().as_micros());
        }
        scans.sort_unstable();
        // As many as may be open beside the one that is there already.
        let mut late = punctual(&field, 199).await;
        late.sort_unstable();
        assert!(late[0] >= 0, "never before its instant");
        let (scan, scan99) = (scans[scans.len() / 2], scans[scans.len() * 99 / 100]);
        eprintln!("{stored} stored: due work found in {scan} us (p99 {scan99} us); notices {}", shares(&late));
        match peer(&field, stored, 199).await {
            Some(peer) => eprintln!("{stored} stored: APScheduler {}", shares(&peer)),
            None => eprintln!("APScheduler: not measured; pip install apscheduler sqlalchemy"),
        }
        found.push((scan99, late[late.len() * 99 / 100]));
    }
    assert!(found[1].0 * 2 <= found[0].0 * 3 + 200, "p99 among many: {} us against {} us", found[1].0, found[0].0);
    assert!(found[1].1 <= 40, "p99 of lateness: {} ms", found[1].1);
}

/// `--ignored`: how long store, desk and courier take to their first round, with nothing stored and with much, after a kill.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a benchmark of some seconds, in .ci/long"]
async fn a_start_does_not_grow_with_what_is_stored() {
    let mut medians = Vec::new();
    for stored in [0_u64, 100_000] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("start.db");
        let clock = SimClock::frozen(super::BEGIN_MS);
        let chat = Arc::new(Chat::new(clock.clone(), 1, Faults::default()));
        let process = super::Process::start(&file, &clock, &chat, 0).await;
        let release = prepare(&process.courier.desk).await;
        process.store.fill(stored, release).await.unwrap();
        process.end().await;
        let mut times: Vec<u128> = Vec::new();
        for n in 0..15 {
            clock.move_to(clock.now_ms() + 1_000);
            let begun = tokio::time::Instant::now();
            let process = super::Process::start(&file, &clock, &chat, 0).await;
            process.store.enqueue(&[notice(release, n, clock.now_ms() - 500)]).await.unwrap();
            while process.courier.round().await.unwrap() > 0 {}
            times.push(begun.elapsed().as_micros());
            assert_eq!(chat.copies(&format!("notice-{n}")), 1, "the overdue one is posted");
            process.end().await;
        }
        times.sort_unstable();
        medians.push(times[7]);
    }
    eprintln!("start to the first overdue post: {} us empty, {} us with 100,000 stored", medians[0], medians[1]);
    assert!(medians[1] * 2 <= medians[0] * 3 + 20_000, "{medians:?}");
}
