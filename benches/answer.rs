//! From an interaction to its first answer, all in one run: T-Minus with a sign-off on disk (`synchronous=FULL`); a bot of discord.js and
//! better-sqlite3 that does the same work (`benches/peer`, after `npm ci` there); a bare serenity bot that answers and keeps nothing; and
//! a loop of bare fsyncs. `cargo bench --bench answer`

#![expect(clippy::print_stdout, reason = "figures")]
#![expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "figures")]

use std::collections::VecDeque;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chat_sandbox::{Limits, Sandbox, Seen, Setup, SimClock, wall_ms};
use serenity::all::{
    ClientBuilder, Context, CreateInteractionResponse, CreateInteractionResponseMessage, EventHandler, GatewayIntents,
    HttpBuilder, Interaction,
};
use tminus::sandboxed::{BOT_TOKEN, PLAN, world};
use tokio::task::JoinSet;
use tokio::time::Instant;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Releases that are signed; each has a slot for each of three people.
const RELEASES: usize = 40;
const SIGNERS: [(&str, &str); 3] = [("chloe", "engineering_lead"), ("dev", "product_owner"), ("eva", "sre_ops")];

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match arguments.as_slice() {
        [role, url] if role == "echo" => runtime.block_on(echo(url)),
        _ => runtime.block_on(measure()),
    }
}

/// Answers every interaction and keeps nothing.
struct Echo;

#[serenity::async_trait]
impl EventHandler for Echo {
    async fn interaction_create(&self, context: Context, interaction: Interaction) {
        let Interaction::Command(command) = interaction else { return };
        let answer = CreateInteractionResponseMessage::new().content("echo").ephemeral(true);
        drop(command.create_response(&context.http, CreateInteractionResponse::Message(answer)).await);
    }
}

async fn echo(url: &str) -> Fallible<()> {
    let http = HttpBuilder::new(BOT_TOKEN).proxy(url).ratelimiter_disabled(true).build();
    let commands = serde_json::json!([{ "type": 1, "name": "echo", "description": "Says it again", "options": [] }]);
    http.set_application_id(serenity::all::ApplicationId::new(http.get_current_application_info().await?.id.get()));
    http.create_guild_commands(serenity::all::GuildId::new(world().guild), &commands).await?;
    ClientBuilder::new_with_http(http, GatewayIntents::GUILDS).event_handler(Echo).await?.start().await?;
    Ok(())
}

/// Times of one way of asking, in order.
struct Times(Vec<Duration>);

impl Times {
    fn at(&self, share: f64) -> Duration {
        self.0[((self.0.len() as f64 - 1.0) * share) as usize]
    }
    fn shown(&self) -> String {
        format!("p50 {:.2?}, p99 {:.2?}, most {:.2?}", self.at(0.5), self.at(0.99), self.at(1.0))
    }
}

fn sorted(mut times: Vec<Duration>) -> Times {
    times.sort_unstable();
    Times(times)
}

/// Overwrites 4 KiB and waits for the disk, again and again: the floor of anything that is durable.
fn fsyncs(folder: &Path, lasting: Duration) -> Fallible<Times> {
    let mut file = std::fs::File::create(folder.join("fsync"))?;
    file.write_all(&[1_u8; 4096])?;
    file.sync_all()?;
    let (mut times, begun) = (Vec::new(), Instant::now());
    while begun.elapsed() < lasting {
        let one = Instant::now();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[(times.len() % 251) as u8; 4096])?;
        file.sync_data()?;
        times.push(one.elapsed());
    }
    Ok(sorted(times))
}

/// What is asked of a bot, one after the other or at once.
#[derive(Clone)]
enum Asking {
    Echo,
    /// A slot that is signed, or signed no more.
    Sign,
    /// The same of the peer, which knows no roles of people.
    Peer,
    /// What needs no desk.
    Help,
    /// What is decided and refused: the desk, and nothing on disk.
    Refused,
}

#[derive(Clone, Copy)]
struct Slot {
    release: usize,
    signer: usize,
    signed: bool,
}

async fn ask(sandbox: &Sandbox, asking: &Asking, slot: Slot) -> Fallible<()> {
    let no = format!("REL-{}", slot.release + 1);
    let (who, role) = SIGNERS[slot.signer];
    let options = [("role", role), ("release", no.as_str())];
    let path = if slot.signed { "release signoff withdraw" } else { "release signoff give" };
    let seen = match asking {
        Asking::Echo => sandbox.slash(who, "releases", "echo", &[], None).await,
        Asking::Sign | Asking::Peer => sandbox.slash(who, "releases", path, &options, None).await,
        Asking::Help => sandbox.slash(who, "releases", "tminus help", &[], None).await,
        Asking::Refused => sandbox.slash("gwen", "releases", "release signoff give", &options, None).await,
    };
    let Ok(Seen::Message(message)) = seen else { return Err("no answer".into()) };
    let good = match asking {
        Asking::Echo | Asking::Help => true,
        Asking::Sign | Asking::Peer => message.headline().starts_with('✅'),
        Asking::Refused => message.headline().starts_with('⛔'),
    };
    if good { Ok(()) } else { Err(message.headline().into()) }
}

/// One after the other, the first hundred left out.
async fn one_at_a_time(sandbox: &Sandbox, asking: &Asking, slots: &mut VecDeque<Slot>) -> Fallible<Times> {
    let mut times = Vec::new();
    for n in 0..400 {
        let slot = slots.pop_front().ok_or("no slot")?;
        let begun = Instant::now();
        ask(sandbox, asking, slot).await?;
        if n >= 100 {
            times.push(begun.elapsed());
        }
        slots.push_back(turned(slot));
    }
    Ok(sorted(times))
}

fn turned(slot: Slot) -> Slot {
    Slot { signed: !slot.signed, ..slot }
}

fn slots() -> VecDeque<Slot> {
    (0..RELEASES * SIGNERS.len())
        .map(|n| Slot { release: n / SIGNERS.len(), signer: n % SIGNERS.len(), signed: false })
        .collect()
}

struct Figures {
    one: Times,
    steady: Times,
    per_second: f64,
    /// Of the bot, for each act with 64 outstanding.
    processor: Duration,
}

impl Figures {
    fn print(&self, name: &str) {
        println!("{name}, one at a time:        {}", self.one.shown());
        println!("{name}, 200 a second:         {}", self.steady.shown());
        println!(
            "{name}, 64 outstanding:       {:.0} a second, {:.2?} of processor each",
            self.per_second, self.processor
        );
    }
}

/// Processor time of a process so far, in its own and the kernel's code; a hundredth of a second exactly.
fn processor(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = |n| after_name.split(' ').nth(n).and_then(|t: &str| t.parse::<u64>().ok()).unwrap_or_default();
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

async fn figures(sandbox: &Sandbox, asking: Asking, bot: u32) -> Fallible<Figures> {
    let mut slots = slots();
    let one = one_at_a_time(sandbox, &asking, &mut slots).await?;
    // Two hundred a second, whatever the earlier ones do.
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let (mut acts, mut steady) = (JoinSet::new(), Vec::new());
    for _ in 0..2_000 {
        let due = tick.tick().await;
        while let Some(done) = acts.try_join_next() {
            let (slot, took): (Slot, Duration) = done??;
            steady.push(took);
            slots.push_back(turned(slot));
        }
        let Some(slot) = slots.pop_front() else { return Err("more than every slot is asked at once".into()) };
        let (sandbox, asking) = (sandbox.clone(), asking.clone());
        acts.spawn(async move { ask(&sandbox, &asking, slot).await.map(|()| (slot, due.elapsed())) });
    }
    while let Some(done) = acts.join_next().await {
        let (slot, took) = done??;
        steady.push(took);
        slots.push_back(turned(slot));
    }
    // Sixty-four at once, for five seconds.
    let (begun, spent, mut count) = (Instant::now(), processor(bot), 0_u32);
    while begun.elapsed() < Duration::from_secs(5) {
        while acts.len() < 64 {
            let slot = slots.pop_front().ok_or("no slot")?;
            let (sandbox, asking) = (sandbox.clone(), asking.clone());
            acts.spawn(async move { ask(&sandbox, &asking, slot).await.map(|()| (slot, Duration::ZERO)) });
        }
        if let Some(done) = acts.join_next().await {
            let (slot, _) = done??;
            count += 1;
            slots.push_back(turned(slot));
        }
    }
    let per_second = f64::from(count) / begun.elapsed().as_secs_f64();
    while acts.join_next().await.is_some() {
        count += 1;
    }
    let processor = (processor(bot) - spent) / count.max(1);
    Ok(Figures { one, steady: sorted(steady), per_second, processor })
}

/// The bot of discord.js, where its packages are installed.
async fn peer(folder: &Path) -> Fallible<Option<Figures>> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peer");
    if !program.join("node_modules").is_dir() {
        return Ok(None);
    }
    let place = sandbox().await?;
    let world = world();
    let channel = world.channels.iter().find(|c| c.name == "releases").map_or(0, |c| c.id);
    let arguments = [place.url(), BOT_TOKEN.to_owned(), world.guild.to_string(), channel.to_string()];
    let command = Command::new("node")
        .arg(program.join("bot.mjs"))
        .args(arguments)
        .arg(folder.join("peer.db"))
        .stdin(Stdio::null())
        .spawn()?;
    let bot = Bot(command);
    online(&place).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let figures = figures(&place, Asking::Peer, bot.0.id()).await?;
    place.stop();
    Ok(Some(figures))
}

async fn sandbox() -> Fallible<Sandbox> {
    let setup = Setup {
        world: world(),
        clock: SimClock::running(wall_ms()),
        token: BOT_TOKEN.to_owned(),
        port: 0,
        limits: Limits::WIDE,
        house: None,
        openapi: None,
    };
    Ok(Sandbox::start(setup).await?)
}

async fn online(sandbox: &Sandbox) {
    while !sandbox.online() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A process that does not outlive the benchmark.
struct Bot(Child);

impl Drop for Bot {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn config(sandbox: &Sandbox, folder: &Path) -> Fallible<std::path::PathBuf> {
    let world = world();
    let role = |name: &str| world.roles.iter().find(|r| r.name == name).map_or(0, |r| r.id);
    let channel = |name: &str| world.channels.iter().find(|c| c.name == name).map_or(0, |c| c.id);
    let text = format!(
        "[discord]\ntoken = \"{BOT_TOKEN}\"\napi_url = \"{}\"\n[database]\npath = \"{}\"\n[intake]\nlisten = \"127.0.0.1:0\"\n[limits]\nperson_per_minute = 4000000000\nserver_per_minute = 4000000000\n[log]\nfilter = \"error\"\n\
         [[workspace]]\nguild_id = \"{}\"\nrelease_channel_id = \"{}\"\ntimezone = \"Europe/Berlin\"\n\
         [workspace.roles]\nrelease_manager = [\"{}\"]\nengineering_lead = [\"{}\"]\nproduct_owner = [\"{}\"]\nsre_ops = [\"{}\"]\n",
        sandbox.url(),
        folder.join("answer.db").display(),
        world.guild,
        channel("releases"),
        role("Release Managers"),
        role("Engineering Leads"),
        role("Product"),
        role("SRE"),
    );
    let path = folder.join("tminus.toml");
    std::fs::write(&path, text)?;
    Ok(path)
}

async fn prepare(sandbox: &Sandbox) -> Fallible<()> {
    let day = jiff::Timestamp::from_millisecond(wall_ms() + 10 * 86_400_000)?.strftime("%Y-%m-%d").to_string();
    for n in 1..=RELEASES {
        let plan = PLAN
            .replace("2026-12-08 14:00", &format!("{day} 14:00"))
            .replace("Checkout 4.2: new payment step", &format!("Release {n}"));
        let file = Some(("plan.md", plan.as_bytes()));
        sandbox.slash("ana", "releases", "release import", &[], file).await.map_err(|e| e.to_string())?;
        let no = format!("REL-{n}");
        let seen = sandbox.slash("ana", "releases", "release submit", &[("release", no.as_str())], None).await;
        match seen {
            Ok(Seen::Message(message)) if message.headline().starts_with('✅') => {}
            other => return Err(format!("not submitted: {other:?}").into()),
        }
    }
    Ok(())
}

async fn measure() -> Fallible<()> {
    let folder = tempfile::tempdir_in(std::env::current_dir()?.join("target"))?;
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load of the machine before: {}", load.trim());
    let floor = fsyncs(folder.path(), Duration::from_secs(4))?;

    let place = sandbox().await?;
    let url = place.url();
    let bare = Bot(Command::new(std::env::current_exe()?).args(["echo", &url]).stdin(Stdio::null()).spawn()?);
    online(&place).await;
    let echo = figures(&place, Asking::Echo, bare.0.id()).await?;
    drop(bare);
    place.stop();

    let place = sandbox().await?;
    let file = config(&place, folder.path())?;
    let command = Command::new(env!("CARGO_BIN_EXE_tminus"))
        .args(["run", "--config"])
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    let bot = Bot(command);
    online(&place).await;
    prepare(&place).await?;
    // Until what preparing has left to be said is said.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let help = one_at_a_time(&place, &Asking::Help, &mut slots()).await?;
    let refused = one_at_a_time(&place, &Asking::Refused, &mut slots()).await?;
    let sign = figures(&place, Asking::Sign, bot.0.id()).await?;
    drop(bot);
    let peer = peer(folder.path()).await?;
    let again = fsyncs(folder.path(), Duration::from_secs(4))?;
    let both = sorted(floor.0.iter().chain(&again.0).copied().collect());
    let fsync_rate = both.0.len() as f64 / both.0.iter().sum::<Duration>().as_secs_f64();

    println!("bare fsync of 4 KiB:         {}; {fsync_rate:.0} a second", both.shown());
    echo.print("echo");
    println!("help, one at a time:         {}", help.shown());
    println!("refusal, one at a time:      {}", refused.shown());
    sign.print("sign-off");
    match &peer {
        Some(peer) => peer.print("discord.js"),
        None => println!("discord.js: not measured; run `npm ci` in benches/peer first"),
    }
    let (want, have) = (echo.one.at(0.5) + 3 * both.at(0.5), sign.one.at(0.5));
    println!("p50 one at a time:           {have:.2?} against {want:.2?} (echo and three fsyncs)");
    let (want, have) = (echo.steady.at(0.99) + 5 * both.at(0.99), sign.steady.at(0.99));
    println!("p99 at 200 a second:         {have:.2?} against {want:.2?} (echo and five times the fsync's p99)");
    println!("durable sign-offs:           {:.2} times bare fsyncs", sign.per_second / fsync_rate);
    Ok(())
}
