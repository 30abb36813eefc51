//! New alerts of a running release over 64 connections, each in a body of its own, acknowledged when stored: T-Minus beside a receiver of
//! Node and better-sqlite3 (`benches/peer`, after `npm ci` there), in one run. `cargo bench --bench alerts`

#![expect(clippy::print_stdout, reason = "figures")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures with the machine's own clock")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chat_sandbox::{Limits, Sandbox, Seen, Setup, SimClock, wall_ms};
use tminus::sandboxed::{BOT_TOKEN, PLAN, world};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const CONNECTIONS: usize = 64;
const LASTING: Duration = Duration::from_secs(10);
const SECRET: &str = "a-bearer-token-of-the-benchmark";
const SIGNERS: [(&str, &str); 3] = [("chloe", "engineering_lead"), ("dev", "product_owner"), ("eva", "sre_ops")];

/// A process that does not outlive the benchmark.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn main() -> Fallible<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(measure())
}

fn body(n: u64) -> String {
    serde_json::json!({
        "version": "4", "status": "firing", "receiver": "tminus", "groupKey": format!("{{}}:{{n=\"{n}\"}}"),
        "alerts": [{
            "status": "firing", "fingerprint": format!("{n:016x}"), "startsAt": "2026-12-01T10:00:00Z",
            "labels": { "alertname": format!("Alert{n}"), "service": "checkout", "severity": "critical", "instance": format!("web-{n}") },
            "annotations": { "summary": "The error rate is above its threshold" },
        }],
    })
    .to_string()
}

/// Posts bodies over one kept connection until the time is over; counts those that were taken.
async fn posts(port: u16, path: &str, begun: Instant, next: &AtomicU64, taken: &AtomicU64) -> Fallible<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let mut answer = vec![0_u8; 4096];
    while begun.elapsed() < LASTING {
        let body = body(next.fetch_add(1, Ordering::Relaxed));
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {SECRET}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
        let mut read = 0;
        while !answer[..read].windows(4).any(|four| four == b"\r\n\r\n") {
            let more = stream.read(&mut answer[read..]).await?;
            if more == 0 {
                return Err("the connection was closed".into());
            }
            read += more;
        }
        if !answer.starts_with(b"HTTP/1.1 202") {
            return Err(String::from_utf8_lossy(&answer[..read]).into_owned().into());
        }
        // Answers of a few bytes come with their heads.
        taken.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

async fn rate(port: u16, path: &'static str) -> Fallible<f64> {
    let (next, taken, begun) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Instant::now());
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (next, taken) = (Arc::clone(&next), Arc::clone(&taken));
        all.spawn(async move { posts(port, path, begun, &next, &taken).await });
    }
    while let Some(done) = all.join_next().await {
        done??;
    }
    Ok(f64::from(u32::try_from(taken.load(Ordering::Relaxed))?) / begun.elapsed().as_secs_f64())
}

fn config(sandbox: &Sandbox, folder: &Path, port: u16) -> Fallible<std::path::PathBuf> {
    let world = world();
    let role = |name: &str| world.roles.iter().find(|r| r.name == name).map_or(0, |r| r.id);
    let channel = |name: &str| world.channels.iter().find(|c| c.name == name).map_or(0, |c| c.id);
    let text = format!(
        "[discord]\ntoken = \"{BOT_TOKEN}\"\napi_url = \"{}\"\n[database]\npath = \"{}\"\n[intake]\nlisten = \"127.0.0.1:{port}\"\n[log]\nfilter = \"error\"\n\
         [[intake.sources]]\nname = \"bench\"\nkind = \"alertmanager\"\nsecret = \"{SECRET}\"\nguild_id = \"{}\"\n\
         [[workspace]]\nguild_id = \"{}\"\nrelease_channel_id = \"{}\"\nops_channel_id = \"{}\"\ntimezone = \"Europe/Berlin\"\n\
         [workspace.roles]\nrelease_manager = [\"{}\"]\nengineering_lead = [\"{}\"]\nproduct_owner = [\"{}\"]\nsre_ops = [\"{}\"]\n",
        sandbox.url(),
        folder.join("alerts.db").display(),
        world.guild,
        world.guild,
        channel("releases"),
        channel("tminus-ops"),
        role("Release Managers"),
        role("Engineering Leads"),
        role("Product"),
        role("SRE"),
    );
    let path = folder.join("tminus.toml");
    std::fs::write(&path, text)?;
    Ok(path)
}

/// One release that is live.
async fn live(sandbox: &Sandbox) -> Fallible<()> {
    let soon = jiff::Timestamp::from_millisecond(wall_ms() + 26 * 3_600_000)?.in_tz("Europe/Berlin")?;
    let plan = PLAN.replace("2026-12-08 14:00", &soon.strftime("%Y-%m-%d %H:%M").to_string());
    let say = async |who: &str, path: &str, options: &[(&str, &str)], file: Option<(&str, &[u8])>| -> Fallible<()> {
        match sandbox.slash(who, "releases", path, options, file).await {
            Ok(Seen::Message(message)) if !message.headline().starts_with('⛔') => Ok(()),
            other => Err(format!("{path}: {other:?}").into()),
        }
    };
    say("ana", "release import", &[], Some(("plan.md", plan.as_bytes()))).await?;
    say("ana", "release submit", &[("release", "REL-1")], None).await?;
    for (who, role) in SIGNERS {
        say(who, "release signoff give", &[("role", role), ("release", "REL-1")], None).await?;
    }
    say("ana", "release go", &[("release", "REL-1"), ("reason", "A benchmark")], None).await
}

async fn measure() -> Fallible<()> {
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let (clock, token) = (SimClock::running(wall_ms()), BOT_TOKEN.to_owned());
    let setup = Setup { world: world(), clock, token, port: 0, limits: Limits::WIDE, house: None, openapi: None };
    let place = Sandbox::start(setup).await?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let file = config(&place, folder.path(), port)?;
    let command = Command::new(env!("CARGO_BIN_EXE_tminus"))
        .args(["run", "--config"])
        .arg(&file)
        .stdout(Stdio::null())
        .spawn()?;
    let bot = Program(command);
    while !place.online() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    live(&place).await?;
    let ours = rate(port, "/hooks/alertmanager/bench").await?;
    println!("new alerts of a live release, {CONNECTIONS} connections: {ours:.0} a second");
    drop(bot);
    place.stop();

    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peer");
    if !program.join("node_modules").is_dir() {
        println!("Node and better-sqlite3: not measured; run `npm ci` in benches/peer first");
        return Ok(());
    }
    let command = Command::new("node")
        .args([program.join("receiver.mjs"), folder.path().join("peer.db")])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut peer = Program(command);
    let mut line = String::new();
    BufReader::new(peer.0.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let theirs = rate(line.trim().parse()?, "/").await?;
    println!(
        "Node and better-sqlite3, the same:            {theirs:.0} a second; T-Minus {:.2} times that",
        ours / theirs
    );
    Ok(())
}
