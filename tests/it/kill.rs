//! Real processes, real SIGKILLs between claim, send and record: each notice is posted exactly once.
//!
//! `TMINUS_KILLS` sets how many kills are wanted (default 200), `TMINUS_SEED` the seed; the seed is printed.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chat_sandbox::{Dice, Limits, Sandbox, Seen, Setup, SimClock};
use tempfile::TempDir;
use tminus::sandboxed::{BEGIN_MS, BOT_TOKEN, PLAN, t, world};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::rig::{shown, text};

/// Kills one notice may meet: beyond three the courier gives it up as poison, and one may go unseen here.
const KILLS_A_NOTICE: u32 = 2;

pub struct Process {
    pub child: Child,
    pub lines: tokio::io::Lines<BufReader<tokio::net::tcp::OwnedReadHalf>>,
    pub write: tokio::net::tcp::OwnedWriteHalf,
}

pub struct Field {
    pub sandbox: Sandbox,
    control: TcpListener,
    config: std::path::PathBuf,
    _folder: TempDir,
}

fn file(sandbox: &Sandbox, folder: &TempDir) -> std::path::PathBuf {
    let world = world();
    let role = |name: &str| world.roles.iter().find(|r| r.name == name).unwrap().id;
    let channel = |name: &str| world.channels.iter().find(|c| c.name == name).unwrap().id;
    let text = format!(
        "[discord]\ntoken = \"{BOT_TOKEN}\"\napi_url = \"{}\"\n[database]\npath = \"{}\"\n[intake]\nlisten = \"127.0.0.1:0\"\n[limits]\nperson_per_minute = 4000000000\nserver_per_minute = 4000000000\n[log]\nfilter = \"error\"\n\
         [[workspace]]\nguild_id = \"{}\"\nrelease_channel_id = \"{}\"\ntimezone = \"Europe/Berlin\"\n\
         [workspace.roles]\nrelease_manager = [\"{}\"]\nengineering_lead = [\"{}\"]\nproduct_owner = [\"{}\"]\nsre_ops = [\"{}\"]\n\
         [workspace.audiences.engineering]\nchannel_id = \"{}\"\n[workspace.audiences.support]\nchannel_id = \"{}\"\n",
        sandbox.url(),
        folder.path().join("kill.db").display(),
        world.guild,
        channel("releases"),
        role("Release Managers"),
        role("Engineering Leads"),
        role("Product"),
        role("SRE"),
        channel("engineering"),
        channel("support"),
    );
    let path = folder.path().join("tminus.toml");
    std::fs::write(&path, text).unwrap();
    path
}

impl Field {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup {
            world: world(),
            clock: SimClock::frozen(BEGIN_MS),
            token: BOT_TOKEN.to_owned(),
            port: 0,
            limits: Limits { per_five_seconds: 100_000, global_per_second: 100_000, ..Limits::DISCORD },
            house: None,
            openapi: None,
        };
        let sandbox = Sandbox::start(setup).await.unwrap();
        let control = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = file(&sandbox, &folder);
        Self { sandbox, control, config, _folder: folder }
    }

    pub async fn start(&self) -> Process {
        let child = Command::new(env!("CARGO_BIN_EXE_tminus"))
            .args(["run", "--config"])
            .arg(&self.config)
            .env("TMINUS_TEST_CONTROL", self.control.local_addr().unwrap().to_string())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let (stream, _): (TcpStream, _) =
            tokio::time::timeout(Duration::from_secs(20), self.control.accept()).await.unwrap().unwrap();
        stream.set_nodelay(true).unwrap();
        let (read, write) = stream.into_split();
        let mut process = Process { child, lines: BufReader::new(read).lines(), write };
        process.tell(&format!("clock {}", self.sandbox.clock().now_ms())).await;
        // What is in doubt is marked by the clock of the start, before that clock is moved.
        let point = process.point(Duration::from_secs(20)).await;
        assert!(point.is_some_and(|point| point.starts_with("after_doubts")), "the start comes first");
        process.tell("go").await;
        process
    }

    async fn move_to(&self, process: &mut Process, ms: i64) {
        self.sandbox.clock().move_to(ms);
        process.tell(&format!("clock {}", self.sandbox.clock().now_ms())).await;
    }
}

/// A test that fails leaves no process behind.
impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Process {
    async fn tell(&mut self, line: &str) {
        // A process that has ended does not listen.
        drop(self.write.write_all(format!("{line}\n").as_bytes()).await);
    }

    /// The next point the courier reaches, if it reaches one soon.
    async fn point(&mut self, within: Duration) -> Option<String> {
        let line = tokio::time::timeout(within, self.lines.next_line()).await.ok()?;
        Some(line.ok()??.trim_start_matches("point ").to_owned())
    }

    /// Lets the courier run until it reaches no further point.
    async fn run_dry(&mut self) {
        while self.point(Duration::from_millis(400)).await.is_some() {
            self.tell("go").await;
        }
    }

    pub fn kill(mut self) {
        // SIGKILL: nothing of the process runs any more.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

async fn prepare(field: &Field, releases: u64) {
    let mut process = field.start().await;
    for _ in 0..500 {
        if field.sandbox.online() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let drained = tokio::spawn(async move {
        process.run_dry().await;
        process
    });
    for n in 1..=releases {
        let plan = PLAN
            .replace("Checkout 4.2: new payment step", &format!("Release {n}"))
            .replace("- [ ] Dependencies", "- [x] Dependencies");
        let release = format!("REL-{n}");
        let named = [("release", release.as_str())];
        let done = |seen: Seen| assert!(!shown(&seen).starts_with('⛔'), "{}", shown(&seen));
        done(
            field
                .sandbox
                .slash("ana", "releases", "release import", &[], Some(("plan.md", plan.as_bytes())))
                .await
                .unwrap(),
        );
        done(field.sandbox.slash("ana", "releases", "release submit", &named, None).await.unwrap());
        for (who, role) in [("chloe", "engineering_lead"), ("dev", "product_owner"), ("eva", "sre_ops")] {
            let options = [("role", role), ("release", release.as_str())];
            done(field.sandbox.slash(who, "releases", "release signoff give", &options, None).await.unwrap());
        }
    }
    let mut process = drained.await.unwrap();
    process.run_dry().await;
    process.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f2_sigkill_between_claim_send_and_record_posts_each_notice_exactly_once() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let wanted = number("TMINUS_KILLS", 200);
    let seed = number("TMINUS_SEED", 20_261_124).max(1);
    eprintln!("seed {seed}");
    let mut dice = Dice::new(seed);
    let field = Field::new().await;
    let (near, nearest) = ((wanted * 2 / 5).min(140), (wanted / 4).min(45));
    // Enough notices for the kills of the largest share.
    let releases = (wanted - near - nearest).max(near) * 2 / 3 + 10;
    prepare(&field, releases).await;

    let mut kills: u64 = 0;
    let mut at_points = std::collections::BTreeMap::<String, u64>::new();
    // Each kill costs half a minute of the clock; a rung's share must end before the next rung, or it is rightly skipped.
    let rungs = [
        (-24 * 60, "engineering", "T-24h", wanted - near - nearest),
        (-120, "support", "T-2h", near),
        (-30, "releases", "T-30m", nearest),
    ];
    for (rung, channel, label, share) in rungs {
        let mut here = 0;
        let mut process = field.start().await;
        field.move_to(&mut process, t(rung)).await;
        let mut met = std::collections::BTreeMap::<String, u32>::new();
        // What is being sent: a kill meets all of it.
        let mut sending = std::collections::BTreeSet::<String>::new();
        loop {
            let Some(point) = process.point(Duration::from_millis(1_500)).await else {
                break;
            };
            let (point, key) = point.split_once(' ').map(|(p, k)| (p.to_owned(), k.to_owned())).unwrap();
            match point.as_str() {
                "after_look_up" => {}
                "after_record" => drop(sending.remove(&key)),
                _ => drop(sending.insert(key.clone())),
            }
            let worn = sending.iter().chain([&key]).any(|key| met.get(key).is_some_and(|met| *met >= KILLS_A_NOTICE));
            // Every start looks up first; most kills are to meet what comes after.
            let spared = if point == "after_look_up" { dice.roll(60) > 0 } else { dice.roll(2) == 0 };
            if here >= share || worn || spared {
                process.tell("go").await;
                continue;
            }
            process.kill();
            *at_points.entry(point).or_default() += 1;
            (kills, here) = (kills + 1, here + 1);
            sending.insert(key);
            for key in std::mem::take(&mut sending) {
                *met.entry(key).or_default() += 1;
            }
            process = field.start().await;
            // The unknown outcome settles before it is looked up.
            let later = field.sandbox.clock().now_ms() + 31_000;
            field.move_to(&mut process, later).await;
        }
        let posted = |n: u64| {
            let title = format!("REL-{n} Release {n}\n");
            let said = field.sandbox.messages(channel).iter().map(text).collect::<Vec<_>>();
            said.iter().filter(|m| m.contains(&format!("📣 {label} · ")) && m.contains(&title)).count()
        };
        // Calm: everything that is still open drains. On a slow machine it takes more rounds, well within the rung's time.
        for round in 0..30 {
            let later = field.sandbox.clock().now_ms() + 31_000;
            field.move_to(&mut process, later).await;
            process.run_dry().await;
            if round >= 5 && (1..=releases).all(|n| posted(n) > 0) {
                break;
            }
        }
        process.kill();
        for n in 1..=releases {
            let count = posted(n);
            assert_eq!(count, 1, "{label} of REL-{n}: posted {count} times (seed {seed}, {kills} kills)");
        }
    }
    eprintln!("edits without a change: {:?}", crate::rig::unchanged_edits(&field.sandbox));
    eprintln!("{kills} kills, {} notices, killed at {at_points:?}", releases * 3);
    assert!(kills >= wanted, "only {kills} kills");
    for point in ["after_claim", "before_send", "after_send", "after_record", "after_look_up"] {
        assert!(at_points.contains_key(point), "{point} was not hit: {at_points:?}");
    }
    assert_eq!(field.sandbox.violations(), Vec::<String>::new());
}

/// F35: what was begun is finished or found again; nothing new is claimed; it ends well within ten seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f35_sigterm_ends_in_time_and_the_next_start_continues() {
    const RELEASES: u64 = 12;
    let field = Field::new().await;
    prepare(&field, RELEASES).await;
    let (mut ended_at, mut process) = (Vec::new(), field.start().await);
    field.move_to(&mut process, t(-24 * 60)).await;
    for point in ["after_claim", "before_send", "after_send", "after_record"] {
        loop {
            let Some(reached) = process.point(Duration::from_secs(10)).await else {
                panic!("{point} was not reached");
            };
            if reached.starts_with(point) {
                break;
            }
            process.tell("go").await;
        }
        let term = Command::new("kill").args(["-TERM", &process.child.id().to_string()]).status().unwrap();
        assert!(term.success());
        let begun = tokio::time::Instant::now();
        let mut open = true;
        let status = loop {
            if let Some(status) = process.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "it does not end: stopped at {point}");
            // Whatever it still reaches may go on.
            if open {
                process.tell("go").await;
                open = process.point(Duration::from_millis(50)).await.is_some()
                    || begun.elapsed() < Duration::from_secs(9);
            }
        };
        assert_eq!(status.code(), Some(0), "at {point}");
        ended_at.push(begun.elapsed().as_millis());
        process = field.start().await;
        let later = field.sandbox.clock().now_ms() + 31_000;
        field.move_to(&mut process, later).await;
    }
    for _ in 0..4 {
        let later = field.sandbox.clock().now_ms() + 31_000;
        field.move_to(&mut process, later).await;
        process.run_dry().await;
    }
    process.kill();
    eprintln!("ended after {ended_at:?} ms");
    let posted: Vec<String> =
        field.sandbox.messages("engineering").iter().map(text).filter(|m| m.contains("📣 T-24h · ")).collect();
    for n in 1..=RELEASES {
        let count = posted.iter().filter(|m| m.contains(&format!("REL-{n} Release {n}\n"))).count();
        assert_eq!(count, 1, "T-24h of REL-{n}: posted {count} times");
    }
}
