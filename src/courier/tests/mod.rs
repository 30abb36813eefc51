//! The simulation: the real store, desk and courier against a chat that fails in every documented way, on a virtual clock, with
//! the process ending at any named point and beginning again, sometimes on a backup. Then all is calm, everything drains, and
//! every notice must stand in its channel exactly once, or be held and say so.
//!
//! `TMINUS_SCHEDULES` sets how many schedules each world plays (default 60), `TMINUS_SEED` the first seed; a failure names its own. `TMINUS_WORLD` plays one world alone.

#![expect(clippy::print_stderr, reason = "what was played, and from which seed")]

mod disk;
mod kills;
mod load;
mod scripted;
pub(super) mod simulated;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chat_sandbox::SimClock;
use jiff::{SignedDuration, Timestamp};

use self::simulated::{Chat, Faults, Seat, Stand};
use super::{Courier, CourierFault, Health, Outlook};
use crate::clock::{Clock, Machine};
use crate::delivery::{Capabilities, Key, Post, Rendering, Repeat, Target};
use crate::desk::{self, Ask, Desk, Nudges};
use crate::domain::ids::{ChannelId, Destination, ReleaseId, RoleId, UserId, WorkspaceId};
use crate::domain::lifecycle;
use crate::domain::people::{Actor, Person, Standing};
use crate::domain::plan::SignoffRole;
use crate::domain::policy::Policy;
use crate::plan_doc::{self, Setting};
use crate::store::{PostRow, Purpose, Store};
use crate::voice::{Message, Text, Tone};

const BEGIN_MS: i64 = 1_796_644_800_000;
/// Faults end here; what is due comes before.
const CALM_MS: i64 = BEGIN_MS + 3 * 3_600_000;
/// Chat messages of a schedule, and beside them one webhook and one lever.
const NOTICES: u64 = 4;

/// A world: what can go wrong in it, and what is promised there.
#[derive(Debug, Clone, Copy)]
struct World {
    name: &'static str,
    worst: Faults,
    /// Processes on one database at once: what the lock beside it prevents, and must do no harm all the same.
    processes: usize,
    /// The process may begin again on an older copy of its database.
    restores: bool,
    /// The process may begin again on a database whose last commits are torn off.
    tears: bool,
    /// The machine's clocks step, drift, stand still and sleep, and some answers bear a false date.
    clocks: bool,
    /// Notices may end held for a person; elsewhere only one in a hundred, as poison that ended the process four times.
    may_hold: bool,
}

const USUAL: Faults = Faults {
    before: 0.12,
    lost: 0.24,
    zombie: 0.08,
    zombie_ms: 20_000,
    limited: 0.1,
    blocked: 0.05,
    look_up: 0.2,
    hidden: false,
    nonce_ms: 60_000,
    crash: 0.06,
    stall: 0.0,
    stall_ms: 0,
    false_date: 0.0,
};

const WORLDS: [World; 10] = [
    World { name: "usual", ..FIRM },
    World { name: "slow", worst: Faults { zombie: 0.3, zombie_ms: 55_000, ..USUAL }, ..FIRM },
    // Slower than anything settles: only the nonce knows, for as long as it is remembered.
    World { name: "very slow", worst: Faults { zombie: 0.3, zombie_ms: 100_000, nonce_ms: 120_000, ..USUAL }, ..FIRM },
    World { name: "without nonces", worst: Faults { nonce_ms: 0, ..USUAL }, ..FIRM },
    World { name: "without history", worst: Faults { hidden: true, ..USUAL }, may_hold: true, ..FIRM },
    World { name: "with old backups", restores: true, ..FIRM },
    World { name: "with power cuts", tears: true, ..FIRM },
    // Without nonces: what was measured across a jump would show.
    World {
        name: "with wrong clocks",
        worst: Faults { false_date: 0.05, nonce_ms: 0, zombie: 0.3, ..USUAL },
        clocks: true,
        ..FIRM
    },
    World { name: "two processes that stall", worst: STALLING, processes: 2, ..FIRM },
    // A nonce heals two sends of one moment; here nothing does.
    World {
        name: "two processes without nonces",
        worst: Faults { nonce_ms: 0, stall: 0.06, ..STALLING },
        processes: 2,
        ..FIRM
    },
];

/// Processes that stand still for up to a quarter of an hour, and go on as if nothing had been.
const STALLING: Faults = Faults { stall: 0.12, stall_ms: 1_000_000, crash: 0.02, ..USUAL };
const FIRM: World =
    World { name: "", worst: USUAL, processes: 1, restores: false, tears: false, clocks: false, may_hold: false };

/// What a schedule ended with.
#[derive(Debug, Default, PartialEq, Eq)]
struct Verdict {
    lost: Vec<String>,
    doubled: Vec<String>,
    early: Vec<String>,
    held: usize,
    unexpected: Vec<String>,
}

struct Process {
    store: Store,
    courier: Courier<Seat>,
    writer: tokio::task::JoinHandle<()>,
    seat: Seat,
    clock: Clock,
    /// Its clock has to be told the time.
    asks: bool,
    /// A round that has begun and not ended: the process stands still in it.
    round: Option<tokio::task::JoinHandle<Result<usize, CourierFault>>>,
}

impl Process {
    /// On a machine whose clock is right, and believed.
    async fn start(file: &Path, clock: &SimClock, chat: &Arc<Chat>, me: usize) -> Self {
        Self::start_by(Clock::sandbox(clock.clone()).believed(), file, chat, me).await
    }

    async fn start_by(clock: Clock, file: &Path, chat: &Arc<Chat>, me: usize) -> Self {
        let (asks, seat) = (!clock.is_confirmed(), Seat { chat: Arc::clone(chat), me, clock: clock.clone() });
        seat.free();
        let store =
            Store::open(file, Purpose::Sandbox).await.unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
        let (desk, requests) = Desk::new(store.clone(), clock.clone(), chat.capabilities());
        let nudges = Nudges::default();
        let writer = tokio::spawn(desk::run(desk.clone(), requests, nudges.clone()));
        let courier = Courier::new(desk, seat.clone(), nudges.courier, Arc::new(Health::default()));
        Self { store, courier, writer, seat, clock, asks, round: None }
    }

    /// With another process alive, what that one is sending is not this one's to doubt at its start: leases are.
    fn beside(self, another: bool) -> Self {
        if another {
            self.courier.marked.store(self.clock.era().no, std::sync::atomic::Ordering::Release);
        }
        self
    }

    /// As after a kill: what was committed stands, nothing else does.
    async fn end(self) {
        if let Some(round) = self.round {
            round.abort();
            drop(round.await);
        }
        self.writer.abort();
        drop(self.courier);
        drop(self.writer.await);
        self.store.close().await;
    }
}

fn actor() -> Actor {
    let user = UserId::from("ana");
    Actor::Person(Person {
        user,
        name: "Ana".to_owned(),
        roles: vec![RoleId::from("manager")],
        manages_server: true,
        standing: Standing::Member,
    })
}

/// A server whose releases speak in `channel`.
async fn configure(desk: &Desk, channel: &str) -> WorkspaceId {
    let server = WorkspaceId::from("1");
    let signers = SignoffRole::ALL.iter().map(|role| (*role, vec![RoleId::from("signer")])).collect();
    let policy = Policy {
        release_channel: Some(ChannelId::from(channel)),
        ops_channel: Some(ChannelId::from("ops")),
        release_managers: vec![RoleId::from("manager")],
        signers,
        ..Policy::default()
    };
    let configure = Ask::Configure { server: server.clone(), actor: Actor::File, policy: Box::new(policy) };
    desk.ask(configure).await.unwrap();
    server
}

/// A draft of the example plan, with T-0 at an instant of its own if one is given.
async fn import(desk: &Desk, server: &WorkspaceId, t0: Option<Timestamp>) -> ReleaseId {
    let bytes = include_bytes!("../../../tests/data/plans/checkout-4.2.md").to_vec();
    let reading = plan_doc::read(&bytes, &Setting::default());
    let mut plan = reading.plan.unwrap();
    for contact in plan.contacts_mut() {
        contact.user = Some(UserId::from("ana"));
    }
    if let (Some(planned), Some(at)) = (&mut plan.t0, t0) {
        planned.at = at;
    }
    let imported = Box::new(lifecycle::Imported {
        plan,
        digest: reading.digest,
        findings: Vec::new(),
        fixes: 0,
        renamed: std::collections::BTreeMap::new(),
        undone: Vec::new(),
    });
    let import = Ask::Import {
        server: server.clone(),
        actor: actor(),
        release: None,
        expect: None,
        imported,
        file_name: "p.md".to_owned(),
        bytes,
    };
    let desk::Answer::Done { release, .. } = desk.ask(import).await.unwrap() else { panic!("no release") };
    release
}

/// A release to hang the notices on.
async fn prepare(desk: &Desk) -> ReleaseId {
    let server = configure(desk, "releases").await;
    import(desk, &server, None).await
}

fn notice(release: ReleaseId, n: u64, due: i64) -> PostRow {
    let message = Message::new(Tone::Plain, Text::from(format!("Notice {n}")));
    let channel = ChannelId::from(if n.is_multiple_of(2) { "support" } else { "releases" });
    let server = WorkspaceId::from("1");
    PostRow {
        id: 0,
        key: Key::of_release(release, format!("notice/{n}").into()),
        target: Target::chat(&server, &channel),
        server,
        to: Some(Destination::Release),
        priority: 1,
        rendering: Rendering { payload: serde_json::to_string(&message).unwrap(), prompt: None },
        nonce: format!("nonce-{n}"),
        marker: format!("notice-{n}"),
        plain: false,
        file: None,
        post: Post::new(Timestamp::from_millisecond(due).unwrap(), None, false),
        edit: None,
    }
}

/// What a chat allows, for a desk that sends nothing.
fn any_chat() -> Capabilities {
    Capabilities::of_chat(Repeat::LookUpFirst { nonce: None })
}

/// What became of a process in its turn.
enum Turn {
    Done(usize),
    Stands(i64),
    Ended,
}

impl Process {
    /// One round, as far as it gets.
    async fn turn(&mut self, clock: &SimClock) -> Turn {
        if self.asks && (!self.clock.is_confirmed() || self.clock.is_stale()) {
            self.seat.ask_time();
        }
        match self.seat.stands() {
            Some(Stand::Until(until)) if until > clock.now_ms() => return Turn::Stands(until),
            Some(Stand::Until(_)) => self.seat.free(),
            Some(Stand::Ended) => return Turn::Ended,
            None => {}
        }
        let courier = self.courier.clone();
        let mut round = self.round.take().unwrap_or_else(|| tokio::spawn(async move { courier.round().await }));
        let stand = tokio::select! {
            biased;
            // Only here: this is what a kill is.
            stand = self.seat.called() => stand,
            done = &mut round => return Turn::Done(done.unwrap().unwrap()),
        };
        self.round = Some(round);
        match stand {
            Stand::Ended => Turn::Ended,
            Stand::Until(until) => Turn::Stands(until),
        }
    }
}

/// A copy of a closed database. The index of a log is never copied: it belongs to the processes that had it open.
fn copy(from: &Path, to: &Path) {
    let name = |path: &Path, ending: &str| PathBuf::from(format!("{}{ending}", path.display()));
    for ending in ["-shm", "-wal", ""] {
        drop(std::fs::remove_file(name(to, ending)));
    }
    for ending in ["", "-wal"] {
        if name(from, ending).exists() {
            std::fs::copy(name(from, ending), name(to, ending)).unwrap();
        }
    }
}

/// A copy of a database that may be written to meanwhile, as it lay on the disk at one instant: what is the same in two readings
/// was there between them. (A copy of file and log at two instants is no state a power cut could leave.)
fn copy_live(from: &Path, to: &Path) {
    let log = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    let read = || (std::fs::read(from).unwrap(), std::fs::read(log(from)).ok());
    let mut seen = read();
    loop {
        let again = read();
        if seen == again {
            break;
        }
        seen = again;
    }
    copy(from, to);
    std::fs::write(to, seen.0).unwrap();
    match seen.1 {
        Some(bytes) => std::fs::write(log(to), bytes).unwrap(),
        None => drop(std::fs::remove_file(log(to))),
    }
}

/// Cuts the write-ahead log at any byte; what may follow is garbage.
fn tear(file: &Path, chat: &Chat) {
    let log = PathBuf::from(format!("{}-wal", file.display()));
    // The index of the log is of the process that ended.
    drop(std::fs::remove_file(format!("{}-shm", file.display())));
    let Ok(mut bytes) = std::fs::read(&log) else { return };
    let keep = bytes.len() as u64 - chat.roll(bytes.len().min(40_000) as u64 + 1);
    bytes.truncate(usize::try_from(keep).unwrap());
    bytes.extend((0..chat.roll(3_000)).map(|n| u8::try_from(n * 37 % 251).unwrap()));
    std::fs::write(&log, bytes).unwrap();
}

/// What happens to the machine's clocks between two turns: now and then something, by the dice of the schedule.
fn tamper(machine: &Machine, truth: &SimClock, draws: &Chat, drift: &mut i64) {
    let roll = |most: i64| i64::try_from(draws.roll(most.unsigned_abs())).unwrap();
    const HOURS: i64 = 26 * 3_600_000;
    match roll(16) {
        0 => machine.set_ahead(roll(2 * HOURS) - HOURS),
        1 => machine.set_ahead(machine.ahead() + roll(4_000) - 2_000),
        2 => machine.set_ahead(0),
        3 => *drift = roll(600) - 300,
        kind @ (4 | 5) => {
            // Asleep, the wall clock goes on; paused, as a guest of another machine, it does not.
            let away = roll(if roll(10) == 0 { HOURS } else { 20 * 60_000 });
            machine.stand(away);
            if kind == 5 {
                machine.set_ahead(machine.ahead() - away);
            }
            truth.move_to(truth.now_ms() + away);
        }
        _ => machine.set_ahead(machine.ahead() + *drift),
    }
}

async fn play(world: World, seed: u64, folder: &Path) -> (Verdict, std::collections::BTreeMap<String, u64>) {
    let clock = SimClock::frozen(BEGIN_MS);
    let file = folder.join(format!("{seed}.db"));
    let backup = folder.join(format!("{seed}.backup"));
    // Each seed draws its own mixture of faults.
    let draws = Chat::new(clock.clone(), seed ^ 0xABCD, Faults::default());
    #[expect(clippy::cast_precision_loss, reason = "a small roll")]
    let share = |most: f64| most * draws.roll(1_000) as f64 / 1_000.0;
    let worst = world.worst;
    let faults = Faults {
        before: share(worst.before),
        lost: share(worst.lost),
        zombie: share(worst.zombie),
        limited: share(worst.limited),
        blocked: share(worst.blocked),
        look_up: share(worst.look_up),
        crash: share(worst.crash),
        ..worst
    };
    let chat = Arc::new(Chat::new(clock.clone(), seed, faults));
    let process = Process::start(&file, &clock, &chat, 0).await;
    let release = prepare(&process.courier.desk).await;
    let mut posts: Vec<PostRow> = (0..NOTICES + 2)
        .map(|n| notice(release, n, BEGIN_MS + i64::try_from(draws.roll(7_200_000)).unwrap()))
        .collect();
    posts[4].target = Target::Hook { subscription: "dashboard".to_owned() };
    posts[5].target = Target::Lever { name: "traffic".to_owned() };
    process.store.enqueue(&posts).await.unwrap();
    process.end().await;
    copy(&file, &backup);
    let (machine, mut drift) = (Machine::default(), 0);
    // Where the clocks are wrong, each start has to be told the time.
    let machines = || match world.clocks {
        true => Clock::machine(clock.clone(), machine.clone()),
        false => Clock::sandbox(clock.clone()).believed(),
    };
    if world.clocks && seed.is_multiple_of(2) {
        machine.set_ahead(i64::try_from(draws.roll(10 * 3_600_000)).unwrap() - 5 * 3_600_000);
    }
    let mut processes = Vec::new();
    for me in 0..world.processes {
        let process = Process::start_by(machines(), &file, &chat, me).await;
        processes.push(process.beside(world.processes > 1));
    }

    let mut calm = false;
    'turns: for turn in 0.. {
        assert!(turn < 20_000, "{}, seed {seed}: it does not end", world.name);
        if !calm && clock.now_ms() >= CALM_MS {
            chat.calm();
            calm = true;
        }
        if world.clocks && !calm {
            tamper(&machine, &clock, &draws, &mut drift);
        }
        let mut next: Vec<i64> = chat.next_late().into_iter().chain((!calm).then_some(CALM_MS)).collect();
        for n in 0..processes.len() {
            match processes[n].turn(&clock).await {
                Turn::Done(0) => {}
                Turn::Done(_) => continue 'turns,
                Turn::Stands(until) => next.push(until),
                Turn::Ended => {
                    let torn = world.tears.then(|| {
                        // As it lies on the disk at this instant, and what a power cut may leave of the log.
                        let torn = folder.join(format!("{seed}.torn"));
                        copy_live(&file, &torn);
                        tear(&torn, &chat);
                        torn
                    });
                    processes.remove(n).end().await;
                    if let Some(torn) = torn {
                        copy(&torn, &file);
                    }
                    if world.restores {
                        // The file as it was at some earlier end, or this end kept for later.
                        match chat.roll(4) {
                            0 => copy(&backup, &file),
                            1 => copy(&file, &backup),
                            _ => {}
                        }
                    }
                    clock.move_to(clock.now_ms() + i64::try_from(draws.roll(17 * 60_000)).unwrap());
                    let process = Process::start_by(machines(), &file, &chat, n).await;
                    processes.insert(n, process.beside(world.processes > 1));
                    continue 'turns;
                }
            }
        }
        let now = Timestamp::from_millisecond(clock.now_ms()).unwrap();
        let due = Outlook::read(&processes[0].store, now).await.unwrap().next(now);
        next.extend(due.map(|at| at.max(now + SignedDuration::from_millis(250)).as_millisecond()));
        let Some(next) = next.into_iter().min() else { break };
        clock.move_to(next);
    }
    let process = processes.remove(0);
    for other in processes {
        other.end().await;
    }
    let states: std::collections::BTreeMap<String, String> =
        process.store.states_of(release).await.unwrap().into_iter().collect();
    process.end().await;
    let mut verdict = Verdict::default();
    for post in &posts {
        let state = states.get(&post.key.to_string()).map_or("gone", String::as_str);
        let lever = matches!(post.target, Target::Lever { .. });
        match (chat.copies(&post.marker), state) {
            // A lever that may have acted is a person's matter: it never acts twice.
            (0, "held") if lever => {}
            (1, _) => {}
            (0, "held" | "dead") => verdict.held += 1,
            (0, state) => verdict.lost.push(format!("{}: {state}", post.marker)),
            (n, state) => verdict.doubled.push(format!("{}: {n} copies, {state}", post.marker)),
        }
        // Ten seconds: see the clock's own test.
        let early = chat.first_said(&post.marker).map_or(0, |at| post.post.due.as_millisecond() - at);
        if early > 10_000 {
            verdict.early.push(format!("{}: {early} ms", post.marker));
        }
        verdict.held += usize::from(!lever && matches!(state, "held" | "dead") && chat.copies(&post.marker) == 1);
    }
    let ours = |marker: &String| !marker.starts_with("notice-") || posts.iter().any(|post| post.marker == *marker);
    verdict.unexpected = chat.markers().into_iter().filter(|marker| !ours(marker)).collect();
    (verdict, chat.points())
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// A folder in memory where there is one: the simulation is about order, not about the disk.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f1_f3_f4_f5_f6_f7_f8_f9_f17_every_schedule_posts_each_notice_exactly_once_or_holds_it() {
    let (schedules, first) = (number("TMINUS_SCHEDULES", 60), number("TMINUS_SEED", 20_261_124));
    eprintln!("{schedules} schedules in each of {} worlds, from seed {first}", WORLDS.len());
    let folder = folder();
    let mut points = std::collections::BTreeMap::<String, u64>::new();
    let only = std::env::var("TMINUS_WORLD").ok();
    for world in WORLDS.into_iter().filter(|world| only.as_ref().is_none_or(|only| only == world.name)) {
        let (mut held, mut running) = (0, tokio::task::JoinSet::new());
        let mut ended = |(seed, verdict, hit): (u64, Verdict, std::collections::BTreeMap<String, u64>)| {
            let fine = verdict.lost.is_empty()
                && verdict.doubled.is_empty()
                && verdict.unexpected.is_empty()
                && verdict.early.is_empty();
            assert!(fine, "{}, seed {seed}: {verdict:?}", world.name);
            held += verdict.held;
            for (point, times) in hit {
                *points.entry(point).or_default() += times;
            }
        };
        for seed in first..first + schedules {
            let folder = folder.path().join(world.name);
            std::fs::create_dir_all(&folder).unwrap();
            running.spawn(async move {
                let (verdict, hit) = play(world, seed, &folder).await;
                (seed, verdict, hit)
            });
            if running.len() >= 4 {
                ended(running.join_next().await.unwrap().unwrap());
            }
        }
        while let Some(done) = running.join_next().await {
            ended(done.unwrap());
        }
        eprintln!("{}: {} notices, {held} held", world.name, schedules * NOTICES);
        assert!(
            world.may_hold || held * 100 <= usize::try_from(schedules * NOTICES).unwrap(),
            "{}: {held} held",
            world.name
        );
    }
    eprintln!("{points:?}");
    for point in ["after_doubts", "after_claim", "before_send", "after_send", "after_record", "after_look_up"] {
        assert!(
            points.get(point).is_some_and(|times| *times >= schedules.min(100)),
            "{point} was hardly reached: {points:?}"
        );
    }
}
