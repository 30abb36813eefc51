//! A thousand interactions a second through gateway and REST: an echo client in a process of its own answers each with a
//! message; how long each took, and what it cost. `cargo bench -p chat-sandbox --bench load -- [SECONDS] [PER_SECOND]`

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chat_sandbox::{ChannelSeed, Limits, PersonSeed, Sandbox, Seen, Setup, SimClock, World, wall_ms};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::tungstenite::Message as Frame;

const TOKEN: &str = "load";
const GUILD: u64 = 700_000_000_000_000_001;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [role, url] = arguments.as_slice()
        && role == "echo"
    {
        return tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(echo(url));
    }
    let number = |n: usize, or: u64| arguments.get(n).and_then(|a| a.parse().ok()).unwrap_or(or);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(drive(number(0, 30), number(1, 1_000)))
}

/// The least a bot can be: HELLO, IDENTIFY, and an answer to every interaction.
async fn echo(url: &str) -> Fallible<()> {
    let http = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
    let commands = json!([{ "type": 1, "name": "echo", "description": "Says it again", "options": [] }]);
    let registered = http
        .put(format!("{url}/api/v10/applications/1/guilds/{GUILD}/commands"))
        .header("authorization", format!("Bot {TOKEN}"));
    registered.json(&commands).send().await?.error_for_status()?;
    let (mut socket, _) =
        tokio_tungstenite::connect_async(format!("{}/ws?v=10&encoding=json", url.replacen("http", "ws", 1))).await?;
    let identify = json!({ "op": 2, "d": { "token": TOKEN, "intents": 1, "properties": {} } });
    socket.send(Frame::text(identify.to_string())).await?;
    while let Some(frame) = socket.next().await {
        let Frame::Text(text) = frame? else { continue };
        let event: Value = serde_json::from_str(&text)?;
        if event["t"] != "INTERACTION_CREATE" {
            continue;
        }
        let path = |key: &str| event["d"][key].as_str().unwrap_or_default().to_owned();
        let address = format!("{url}/api/v10/interactions/{}/{}/callback", path("id"), path("token"));
        let answer = json!({ "type": 4, "data": { "content": "echo", "flags": 64 } });
        let http = http.clone();
        tokio::spawn(async move { http.post(address).json(&answer).send().await });
    }
    Ok(())
}

async fn drive(seconds: u64, per_second: u64) -> Fallible<()> {
    let person = |n: u64| PersonSeed {
        id: 700_000_000_000_001_000 + n,
        username: format!("p{n}"),
        name: format!("Person {n}"),
        roles: Vec::new(),
        manages: false,
    };
    let channel = ChannelSeed {
        id: 700_000_000_000_000_101,
        name: "general".to_owned(),
        category: String::new(),
        topic: String::new(),
    };
    let world = World {
        guild: GUILD,
        name: "Load".to_owned(),
        bot: "Echo".to_owned(),
        channels: vec![channel],
        people: (0..20).map(person).collect(),
        ..World::default()
    };
    let setup = Setup {
        world,
        clock: SimClock::running(wall_ms()),
        token: TOKEN.to_owned(),
        port: 0,
        limits: Limits::DISCORD,
        house: None,
        openapi: None,
    };
    let sandbox = Sandbox::start(setup).await?;
    let mut child =
        Command::new(std::env::current_exe()?).args(["echo", &sandbox.url()]).stdin(Stdio::null()).spawn()?;
    while !sandbox.online() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (own, its) = (cpu_ms("self")?, cpu_ms(&child.id().to_string())?);
    let took: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let lost: Arc<Mutex<u64>> = Arc::default();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(per_second)?);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..seconds * per_second {
        // Open loop: an interaction counts from the instant it was to begin at, whatever the earlier ones do.
        let due = tick.tick().await;
        let (sandbox, took, lost) = (sandbox.clone(), Arc::clone(&took), Arc::clone(&lost));
        tasks.spawn(async move {
            match sandbox.slash(&format!("p{}", n % 20), "general", "echo", &[], None).await {
                Ok(Seen::Message(_)) => {
                    took.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(due.elapsed())
                }
                _ => *lost.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += 1,
            }
        });
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
    let whole = begun.elapsed().as_secs_f64();
    let mut took = std::mem::take(&mut *took.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    took.sort_unstable();
    let at = |share: f64| took.get(((took.len() as f64 - 1.0) * share) as usize).copied().unwrap_or_default();
    let (own, its) = (cpu_ms("self")? - own, cpu_ms(&child.id().to_string())? - its);
    let count = took.len().max(1) as f64;
    let report = format!(
        "{} interactions in {whole:.1} s ({:.0} a second), {} lost\np50 {:.1?}  p99 {:.1?}  p99.9 {:.1?}  most {:.1?}\nCPU per interaction: sandbox {:.0} µs, echo client {:.0} µs\n",
        took.len(),
        count / whole,
        lost.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
        own as f64 * 1_000.0 / count,
        its as f64 * 1_000.0 / count,
    );
    std::io::stdout().write_all(report.as_bytes())?;
    child.kill()?;
    child.wait()?;
    sandbox.stop();
    Ok(())
}

/// A process' CPU time so far, in milliseconds, at Linux's hundred ticks a second.
fn cpu_ms(process: &str) -> Fallible<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    Ok((ticks(11) + ticks(12)) * 10)
}
