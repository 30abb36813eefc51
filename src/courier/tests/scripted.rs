//! Single stories of the simulation: what review found, schedules that once failed, and that the checker can see.

use std::sync::Arc;

use chat_sandbox::SimClock;
use jiff::Timestamp;

use super::simulated::{Chat, Faults};
use super::{BEGIN_MS, FIRM, Process, USUAL, WORLDS, World, folder, notice, play, prepare};
use crate::clock::{Clock, Machine};
use crate::courier::Outlook;
use crate::courier::under_way::UnderWay;
use crate::store::PostRow;

async fn next(process: &Process, clock: &SimClock) -> Option<Timestamp> {
    let now = Timestamp::from_millisecond(clock.now_ms()).unwrap();
    Outlook::read(&process.store, now).await.unwrap().next(now)
}

/// Minutes of the virtual clock, a round in each second at most.
async fn minutes_pass(process: &Process, clock: &SimClock, minutes: i64) {
    let end = clock.now_ms() + minutes * 60_000;
    while clock.now_ms() < end {
        process.courier.round().await.unwrap();
        let due = next(process, clock).await.map_or(end, Timestamp::as_millisecond);
        clock.move_to(due.max(clock.now_ms() + 1_000).min(end));
    }
}

/// Found by review: a doubtful post in a channel that cannot be read was looked up every ten seconds, and its refusals stopped
/// everybody else's posts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f9_what_is_doubtful_in_a_hidden_channel_is_probed_and_then_posted_once() {
    let (folder, clock) = (folder(), SimClock::frozen(BEGIN_MS));
    let lost = Faults { lost: 1.0, ..Faults::default() };
    let chat = Arc::new(Chat::new(clock.clone(), 1, lost));
    let process = Process::start(&folder.path().join("hidden.db"), &clock, &chat, 0).await;
    let release = prepare(&process.courier.desk).await;
    let mut useful = notice(release, 1, BEGIN_MS);
    useful.post.useful_until = Some(Timestamp::from_millisecond(BEGIN_MS + 30 * 60_000).unwrap());
    let posts = [notice(release, 0, BEGIN_MS), useful];
    process.store.enqueue(&posts).await.unwrap();
    // Posted, the answers are lost, and the channels are hidden before anybody can look.
    process.courier.round().await.unwrap();
    chat.shut(true);
    chat.calm();
    let before = chat.requests();
    minutes_pass(&process, &clock, 120).await;
    let asked = chat.requests() - before;
    assert!((20..=100).contains(&asked), "every five minutes for each of the two, and for the news of them: {asked}");
    let states: std::collections::BTreeMap<_, _> =
        process.store.states_of(release).await.unwrap().into_iter().collect();
    assert_eq!(states[&posts[0].key.to_string()], "unknown", "looked up at each probe");
    assert_eq!(states[&posts[1].key.to_string()], "skipped", "what is of no use any more ends");
    chat.shut(false);
    minutes_pass(&process, &clock, 6).await;
    assert_eq!((chat.copies("notice-0"), chat.copies("notice-1")), (1, 1));
    let states: std::collections::BTreeMap<_, _> =
        process.store.states_of(release).await.unwrap().into_iter().collect();
    assert_eq!(states[&posts[0].key.to_string()], "posted", "found, not posted again");
    process.end().await;
}

/// Found by review: after a start each message that waits in a hidden channel was looked up for itself, every five minutes, and
/// from some fifty on, one server silenced all others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f9_one_look_up_asks_for_all_that_waits_in_a_hidden_channel() {
    const EACH: u64 = 40;
    let (folder, clock) = (folder(), SimClock::frozen(BEGIN_MS));
    let chat = Arc::new(Chat::new(clock.clone(), 1, Faults::default()));
    let file = folder.path().join("many.db");
    let mut process = Process::start(&file, &clock, &chat, 0).await;
    let release = prepare(&process.courier.desk).await;
    let posts: Vec<PostRow> = (0..EACH).map(|n| notice(release, 2 * n, BEGIN_MS)).collect();
    process.store.enqueue(&posts).await.unwrap();
    chat.shut(true);
    let before = chat.requests();
    for _ in 0..4 {
        minutes_pass(&process, &clock, 30).await;
        process.end().await;
        process = Process::start(&file, &clock, &chat, 0).await;
    }
    let asked = chat.requests() - before;
    // This channel and the one that is told: twelve probes in the first hour, four in the second, some at each start.
    assert!((24..=60).contains(&asked), "one probe asks for all: {asked}");
    chat.shut(false);
    minutes_pass(&process, &clock, 16).await;
    assert!((0..EACH).all(|n| chat.copies(&format!("notice-{}", 2 * n)) == 1), "each once");
    process.end().await;
}

/// A jump of the clock while a request is under way: it is finished first, then what is in doubt is marked, then the rest goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f17_a_jump_waits_for_what_is_under_way() {
    let (folder, sim, machine) = (folder(), SimClock::frozen(BEGIN_MS), Machine::default());
    let stands = Faults { stall: 1.0, stall_ms: 1, ..Faults::default() };
    let chat = Arc::new(Chat::new(sim.clone(), 1, stands));
    let clock = Clock::machine(sim.clone(), machine.clone()).believed();
    // Its start is over.
    let process = Process::start_by(clock.clone(), &folder.path().join("jump.db"), &chat, 0).await.beside(true);
    let release = prepare(&process.courier.desk).await;
    let state = async |n: u64| {
        let states = process.store.states_of(release).await.unwrap();
        states.into_iter().find(|(key, _)| key.ends_with(&format!("notice/{n}"))).unwrap().1
    };
    let enqueue = async |post: PostRow| {
        process.store.enqueue(&[post]).await.unwrap();
    };
    enqueue(notice(release, 0, BEGIN_MS)).await;
    let mut under_way = UnderWay::default();
    process.courier.begin(&mut under_way).await.unwrap();
    assert_eq!(under_way.len(), 1);
    process.seat.called().await;
    // Ten minutes asleep: two answers, and the time has jumped.
    machine.stand(600_000);
    sim.move_to(BEGIN_MS + 600_000);
    for _ in 0..3 {
        process.seat.ask_time();
    }
    assert!(clock.is_confirmed() && clock.era().no == 1, "{:?}", clock.era());
    enqueue(notice(release, 1, BEGIN_MS + 600_000)).await;
    assert!(process.courier.begin(&mut under_way).await.unwrap().is_none(), "nothing begins beside it");
    assert_eq!((state(0).await.as_str(), state(1).await.as_str()), ("sending", "waiting"));
    chat.calm();
    process.seat.free();
    while under_way.next(|| clock.now()).await.is_some() {}
    assert_eq!(state(0).await, "waiting", "its lease was over before it was sent");
    while process.courier.round().await.unwrap() > 0 {}
    assert_eq!((chat.copies("notice-0"), chat.copies("notice-1")), (1, 1));
    process.end().await;
}

/// Schedules that once failed, with what they found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules_that_once_failed_do_not_fail_again() {
    // Blocked, then posted; then the database was put back to before, and the blocked row was not looked up at start.
    let found = [("with old backups", 20_262_179)];
    let folder = folder();
    for (name, seed) in found {
        let world = WORLDS.into_iter().find(|world| world.name == name).unwrap();
        let verdict = play(world, seed, folder.path()).await.0;
        assert_eq!((verdict.lost.len(), verdict.doubled.len()), (0, 0), "{name}, seed {seed}: {verdict:?}");
    }
}

/// The checker can see: where two layers are missing at once, notices are doubled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_sees_what_it_should() {
    let faults = Faults { nonce_ms: 0, zombie: 0.5, zombie_ms: 120_000, crash: 0.0, ..USUAL };
    let world = World { name: "too slow", worst: faults, ..FIRM };
    let folder = folder();
    let mut doubled = 0;
    for seed in 1..=30 {
        doubled += play(world, seed, folder.path()).await.0.doubled.len();
    }
    assert!(doubled > 0, "a request that outlives both layers doubles a notice");
}
