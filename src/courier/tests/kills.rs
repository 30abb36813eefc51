//! Real kills of a real process made of store, writer and courier: this test binary starts itself as that process, lets it reach
//! a named point or just any instant, and sends SIGKILL. Then all drains, and every notice must stand in its channel exactly
//! once, or be given up as poison after four deaths and say so.
//!
//! `TMINUS_PROCESS_KILLS` sets how many kills are wanted (default 60), `TMINUS_SEED` the seed.

#![expect(clippy::print_stderr, reason = "what was killed, and from which seed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chat_sandbox::{CREATE, ChannelSeed, Dice, Fault, Limits, Sandbox, Script, Setup, SimClock, World};
use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::sync::CancellationToken;

use super::{any_chat, notice, number, prepare};
use crate::chat::Platform;
use crate::chat::discord::rest::{Rest, http_client};
use crate::chat::discord::send::Sender;
use crate::clock::Clock;
use crate::courier::{Courier, Health, Outside};
use crate::delivery::{Key, Target};
use crate::desk::{self, Desk, Nudges};
use crate::domain::ids::{ChannelId, ReleaseId, WorkspaceId};
use crate::outside::Pages;
use crate::store::{PostRow, Purpose, Store};

const TOKEN: &str = "kill-token";
const CHANNEL: u64 = 7_000;
const BEGIN_MS: i64 = 1_796_644_800_000;
/// Notices of an episode, all of one channel: one is sent at a time, so a kill wears one.
const NOTICES: u64 = 40;
/// Kills at which a notice is left alone: beyond three it is given up as poison.
const WORN: u32 = 3;

/// Nothing more is coming when nothing came for so long.
const IDLE: Duration = Duration::from_millis(200);
/// Episodes played at once.
const AT_ONCE: usize = 3;

/// What the child is told, in its environment.
const CONTROL: &str = "TMINUS_KILL_CONTROL";
const DATABASE: &str = "TMINUS_KILL_DATABASE";
const API: &str = "TMINUS_KILL_API";

/// The process under test; nothing unless the parent asks for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of the kills"]
async fn child() {
    let (Ok(control), Ok(database), Ok(api)) = (std::env::var(CONTROL), std::env::var(DATABASE), std::env::var(API))
    else {
        return;
    };
    let clock = Clock::sandbox(crate::control::attach(&control).await.unwrap()).believed();
    let store = Store::open(Path::new(&database), Purpose::Sandbox).await.unwrap();
    let rest = Rest::new(http_client().unwrap(), &api, SecretString::from(TOKEN.to_owned()), clock.clone());
    let outside = Outside { chat: Platform::Discord(Sender::new(rest)), pages: Pages::default() };
    let (desk, requests) = Desk::new(store, clock, outside.capabilities());
    let nudges = Nudges::default();
    tokio::spawn(desk::run(desk.clone(), requests, nudges.clone()));
    let courier = Courier::new(desk, outside, nudges.courier, Arc::new(Health::default()));
    courier.run(CancellationToken::new()).await;
}

struct Process {
    child: Child,
    lines: tokio::io::Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
}

/// A test that fails leaves no process behind.
impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Process {
    async fn start(control: &TcpListener, database: &Path, sandbox: &Sandbox) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "courier::tests::kills::child", "--ignored", "--nocapture", "--quiet"])
            .env(CONTROL, control.local_addr().unwrap().to_string())
            .env(DATABASE, database)
            .env(API, sandbox.url())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (stream, _) = tokio::time::timeout(Duration::from_secs(20), control.accept()).await.unwrap().unwrap();
        stream.set_nodelay(true).unwrap();
        let (read, write) = stream.into_split();
        let mut process = Self { child, lines: BufReader::new(read).lines(), write };
        process.tell(&format!("clock {}", sandbox.clock().now_ms())).await;
        process
    }

    async fn tell(&mut self, line: &str) {
        // A process that was killed meanwhile does not listen.
        drop(self.write.write_all(format!("{line}\n").as_bytes()).await);
    }

    /// The next point it reaches: name and key.
    async fn point(&mut self, within: Duration) -> Option<(String, String)> {
        let line = tokio::time::timeout(within, self.lines.next_line()).await.ok()?.ok()??;
        let (point, key) = line.strip_prefix("point ")?.split_once(' ')?;
        Some((point.to_owned(), key.to_owned()))
    }

    /// SIGKILL, and nothing of it is left.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn post(release: ReleaseId, n: u64) -> PostRow {
    let server = WorkspaceId::from("1");
    PostRow {
        key: Key::of_release(release, format!("kill/{n}").into()),
        target: Target::chat(&server, &ChannelId(CHANNEL.to_string())),
        nonce: format!("kill-{n}"),
        marker: format!("kill-{n}"),
        ..notice(release, n, BEGIN_MS)
    }
}

/// What came of an episode.
#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    at: BTreeMap<String, u64>,
    dead: usize,
}

/// Whether every notice is sent or given up, as the database has it.
async fn settled(database: &Path, release: ReleaseId) -> bool {
    let store = Store::open(database, Purpose::Sandbox).await.unwrap();
    let states = store.states_of(release).await.unwrap();
    store.close().await;
    let notices = states.iter().filter(|(key, _)| key.contains("/kill/"));
    notices.map(|(_, state)| state).all(|state| state == "posted" || state == "dead")
}

async fn episode(seed: u64, wanted: u64) -> Tally {
    let mut tally = Tally::default();
    let mut dice = Dice::new(seed | 1);
    let world = World {
        guild: 1,
        channels: vec![ChannelSeed {
            id: CHANNEL,
            name: "kills".to_owned(),
            category: "Kills".to_owned(),
            topic: String::new(),
        }],
        ..World::default()
    };
    let clock = SimClock::frozen(BEGIN_MS);
    let (token, limits) = (TOKEN.to_owned(), Limits::WIDE);
    let setup = Setup { world, clock: clock.clone(), token, port: 0, limits, house: None, openapi: None };
    let sandbox = Sandbox::start(setup).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("kill.db");
    let release = {
        let store = Store::open(&database, Purpose::Sandbox).await.unwrap();
        let (desk, requests) = Desk::new(store.clone(), Clock::sandbox(clock.clone()).believed(), any_chat());
        let writer = tokio::spawn(desk::run(desk.clone(), requests, Nudges::default()));
        let release = prepare(&desk).await;
        let posts: Vec<PostRow> = (0..NOTICES).map(|n| post(release, n)).collect();
        store.enqueue(&posts).await.unwrap();
        writer.abort();
        store.close().await;
        release
    };
    let faults = [Fault::FailAfter, Fault::FailBefore, Fault::RateLimited];
    let fault = faults[usize::try_from(dice.roll(3)).unwrap()];
    sandbox.script(Script { route: CREATE.to_owned(), fault, times: None, chance: 0.15 });
    let control = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut worn = BTreeMap::<String, u32>::new();
    let mut process = Process::start(&control, &database, &sandbox).await;
    let mut idle = 0;
    'episode: while tally.kills < wanted {
        // Each process dies at a point, or at whatever instant comes after so many points.
        let mut passes = (dice.roll(4) == 0).then(|| dice.roll(90));
        loop {
            let Some((point, key)) = process.point(IDLE).await else {
                // Nothing more happens at this instant of its clock; a few of those, and the episode is over.
                idle += 1;
                if idle > 4 {
                    break 'episode;
                }
                let later = clock.now_ms() + 31_000;
                clock.move_to(later);
                process.tell(&format!("clock {later}")).await;
                continue;
            };
            if !key.contains("/kill/") {
                process.tell("go").await;
                continue;
            }
            idle = 0;
            let met = worn.entry(key).or_default();
            let mut at = point.clone();
            let dies = match &mut passes {
                Some(0) => {
                    process.tell("go").await;
                    tokio::time::sleep(Duration::from_micros(dice.roll(8_000))).await;
                    at = "any instant".to_owned();
                    true
                }
                Some(passes) => {
                    *passes -= 1;
                    false
                }
                // Every start looks up first; most kills are to meet what comes after.
                None => *met < WORN && dice.roll(if point == "after_look_up" { 80 } else { 3 }) == 0,
            };
            if !dies {
                process.tell("go").await;
                continue;
            }
            *met += 1;
            *tally.at.entry(at).or_default() += 1;
            break;
        }
        process.kill();
        tally.kills += 1;
        process = Process::start(&control, &database, &sandbox).await;
        // What is in doubt is marked by the clock of the start.
        while process.point(IDLE).await.is_some_and(|(point, _)| point != "after_doubts") {
            process.tell("go").await;
        }
        process.tell("go").await;
        // The unknown outcome settles before it is looked up.
        let later = clock.now_ms() + 31_000;
        clock.move_to(later);
        process.tell(&format!("clock {later}")).await;
    }
    sandbox.mend();
    // Calm: everything that is still open drains; on a busy machine in more rounds. What died four times may be given up.
    let mut given_up = BTreeSet::new();
    for round in 0..120 {
        // What died so often may be given up, or come yet: only its row says which.
        if round >= 60 && round % 20 == 0 {
            let store = Store::open(&database, Purpose::Sandbox).await.unwrap();
            let dead = store.states_of(release).await.unwrap().into_iter().filter(|(_, state)| state == "dead");
            given_up = dead.map(|(key, _)| key).collect();
            store.close().await;
        }
        let ended = |n: u64| {
            let (marker, key) = (format!("kill-{n}"), format!("{release}/kill/{n}"));
            let stands = sandbox.messages("kills").iter().any(|m| m.body["embeds"][0]["footer"]["text"] == *marker);
            stands || given_up.contains(&key)
        };
        // What stands may still be of unknown outcome to the process: on a busy machine a round ends before it has looked.
        if round >= 6 && (0..NOTICES).all(ended) && settled(&database, release).await {
            break;
        }
        let later = clock.now_ms() + 31_000;
        clock.move_to(later);
        process.tell(&format!("clock {later}")).await;
        // A look-up counts for ten seconds of the clock. On a busy machine the clock waits longer before it moves on.
        let idle = if round < 60 { IDLE } else { 10 * IDLE };
        while process.point(idle).await.is_some() {
            process.tell("go").await;
        }
    }
    process.kill();
    let store = Store::open(&database, Purpose::Sandbox).await.unwrap();
    assert_eq!(store.integrity().await.unwrap(), ["ok"], "seed {seed}");
    let states: BTreeMap<String, String> = store.states_of(release).await.unwrap().into_iter().collect();
    let said = sandbox.messages("kills");
    for n in 0..NOTICES {
        let marker = format!("kill-{n}");
        let mine = |m: &&chat_sandbox::Message| m.body["embeds"][0]["footer"]["text"] == *marker;
        let (copies, state) = (said.iter().filter(mine).count(), &states[&format!("{release}/kill/{n}")]);
        match (copies, state.as_str()) {
            (1, "posted") => {}
            (0, "dead") => tally.dead += 1,
            (copies, state) => panic!("seed {seed}: notice {n} stands {copies} times and is {state}"),
        }
    }
    assert_eq!(sandbox.violations(), Vec::<String>::new());
    store.close().await;
    tally
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f2_sigkill_of_store_writer_and_courier_loses_and_doubles_nothing() {
    let (wanted, first) = (number("TMINUS_PROCESS_KILLS", 300), number("TMINUS_SEED", 20_261_124));
    eprintln!("{wanted} kills wanted, from seed {first}");
    let (mut tally, mut begun, mut episodes) = (Tally::default(), 0, 0);
    let mut playing = tokio::task::JoinSet::new();
    while tally.kills < wanted || !playing.is_empty() {
        while playing.len() < AT_ONCE && tally.kills < wanted {
            playing.spawn(episode(first + begun, (wanted - tally.kills).min(70)));
            begun += 1;
            assert!(begun < wanted, "kills hardly happen: {tally:?}");
        }
        let done = playing.join_next().await.unwrap().unwrap();
        episodes += 1;
        tally.kills += done.kills;
        tally.dead += done.dead;
        for (point, kills) in done.at {
            *tally.at.entry(point).or_default() += kills;
        }
    }
    let notices = usize::try_from(episodes * NOTICES).unwrap();
    eprintln!(
        "{} kills in {episodes} episodes, {notices} notices, {} given up; {:?}",
        tally.kills, tally.dead, tally.at
    );
    assert!(tally.dead * 25 <= notices, "{} of {notices} given up", tally.dead);
    if wanted >= 60 {
        assert_eq!(tally.at.len(), 6, "every point was hit: {:?}", tally.at);
    }
}
