//! Properties of the pure core: replay is state, fired marks leave, nothing becomes live without its sign-offs; and the
//! journal's language, frozen in a golden file.

mod rights;
pub mod tries;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tries::{command, policies};

use super::agenda::agenda;
use super::command::Command;
use super::decide::{decide, open};
use super::effect::{Effect, Redelivery};
use super::event::{Event, Recorded};
use super::ids::{Audience, ChannelId, ReleaseId, ReleaseNo, RoleId, UserId, WorkspaceId};
use super::key::PostKey;
use super::ladder::LadderMark;
use super::lifecycle::{Imported, PlanCommand, PlanRefusal};
use super::people::{Actor, Person, Standing};
use super::plan::{Quantity, SignoffRole};
use super::policy::{Policy, Route};
use super::refusal::Refusal;
use super::release::{self, Phase, Release};
use super::rights::rules::refused;
use super::signoff::view::missing;
use super::signoff::{self, Signoff};
use super::stage::StageEvent;
use super::work::{Context, Decision};
use super::{concern, freeze, mark};
use crate::plan_doc;

const PLAN: &str = include_str!("../../tests/data/plans/checkout-4.2.md");

fn seen(value: f64) -> Quantity {
    Quantity { value, unit: String::new() }
}

fn person(user: &str, roles: &[&str]) -> Actor {
    let roles = roles.iter().map(|r| RoleId::from(*r)).collect();
    let (user, name) = (UserId::from(user), user.to_owned());
    Actor::Person(Person { user, name, roles, manages_server: false, standing: Standing::Member })
}

/// The same with the right to manage the server.
fn administrator(actor: Actor) -> Actor {
    match actor {
        Actor::Person(person) => Actor::Person(Person { manages_server: true, ..person }),
        actor => actor,
    }
}

fn policy() -> Policy {
    let signers = [
        (SignoffRole::EngineeringLead, "lead"),
        (SignoffRole::ProductOwner, "product"),
        (SignoffRole::SreOps, "sre"),
        (SignoffRole::Security, "security"),
    ];
    Policy {
        release_channel: Some(ChannelId::from("releases")),
        signers: signers.into_iter().map(|(role, id)| (role, vec![RoleId::from(id)])).collect(),
        release_managers: vec![RoleId::from("manager")],
        audiences: [(Audience::support(), Route { role: Some(RoleId::from("support")), ..Route::default() })].into(),
        ..Policy::default()
    }
}

pub fn begin() -> Timestamp {
    "2026-12-07T12:00:00Z".parse().unwrap()
}

/// An imported draft and its journal.
pub fn draft(text: &str) -> (Release, Vec<Recorded>) {
    let decision = imported(text, 0).unwrap();
    (decision.release, decision.events)
}

/// The import of a plan where so many releases are open.
fn imported(text: &str, others: usize) -> Result<Decision, Refusal> {
    let reading = plan_doc::read(text.as_bytes(), &plan_doc::Setting::default());
    let mut plan = reading.plan.unwrap();
    plan.owner.as_mut().unwrap().user = Some(UserId::from("ana"));
    plan.on_call.as_mut().unwrap().user = Some(UserId::from("ben"));
    let imported = Box::new(Imported {
        plan,
        digest: reading.digest,
        findings: Vec::new(),
        fixes: 0,
        renamed: std::collections::BTreeMap::new(),
        undone: Vec::new(),
    });
    let (actor, policy) = (person("ana", &["manager"]), policy());
    let ctx = Context { now: begin(), actor: &actor, policy: &policy, others: &[] };
    let command = Command::Plan(PlanCommand::Import { imported, no: ReleaseNo(1) });
    open(ReleaseId(uuid::Uuid::nil()), WorkspaceId::from("guild"), command, ctx, others)
}

#[test]
fn two_hundred_releases_are_open_at_most_and_an_emergency_always_may() {
    let emergency = PLAN.replace("[x] Standard [ ] Hotfix [ ] Emergency", "[ ] Standard [ ] Hotfix [x] Emergency");
    assert!(imported(PLAN, 199).is_ok());
    assert_eq!(imported(PLAN, 200).unwrap_err(), PlanRefusal::TooManyOpen { most: 200 }.into());
    assert!(imported(&emergency, 200).is_ok());
}

/// What must hold after every step.
fn check(release: &Release, journal: &[Recorded], now: Timestamp) {
    assert_eq!(Release::replay(journal).as_ref(), Some(release), "replay is state");
    if let Phase::Approved { .. } = &release.phase {
        assert!(missing(release).is_empty(), "approved without its sign-offs");
    }
    let planned = release.phase.run().is_none();
    for (role, signoff) in signoff::view::valid(release) {
        let own = Some(&signoff.user) == release.plan.owner_user() || signoff.user == release.author;
        assert!(!planned || !own, "the owner or author signed as {role}");
        // Known by name alone, a name is one hand; else the member is.
        let one_hand = |a: &Signoff, b: &Signoff| {
            let named = a.behalf.is_some() || b.behalf.is_some();
            (!named && a.user == b.user) || (named && a.name.to_lowercase() == b.name.to_lowercase())
        };
        let same = signoff::view::valid(release).filter(|(_, other)| one_hand(other, signoff)).count();
        assert_eq!(same, 1, "one role each");
    }
    assert!(
        agenda(release).iter().all(|mark| mark.at > now),
        "a fired mark left: {:?} at {now}",
        agenda(release).first()
    );
    let size = serde_json::to_vec(release).unwrap().len();
    assert!(size < release::MAX_STATE_BYTES, "{size} bytes");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn whatever_people_do_the_invariants_hold(steps in proptest::collection::vec((0u8..96, 0i64..400), 1..60), as_usual in any::<bool>(), which in 0u8..4) {
        let (mut release, mut journal) = draft(PLAN);
        let (policy, mut now) = (policies(which), begin());
        let mut keys = std::collections::BTreeSet::new();
        // The usual beginning, so that most runs get past it.
        let usual = [(0, 0), (1, 0), (2, 0), (3, 0), (8, 0), (9, 25 * 60 + 1)];
        for (n, minutes) in usual.into_iter().take(if as_usual { 6 } else { 4 }).chain(steps) {
            now += SignedDuration::from_mins(minutes);
            let (actor, command) = command(n, minutes, now);
            for (actor, command) in [(Actor::Clock, Command::Tick { away: None }), (actor, command), (Actor::Clock, Command::Tick { away: None })] {
                let ctx = Context { now, actor: &actor, policy: &policy, others: &[] };
                let decision = match decide(&release, command.clone(), ctx) {
                    Ok(decision) => decision,
                    Err(refusal) => match refused(&release, &command, &refusal, ctx) {
                        Some(noted) => noted,
                        None => continue,
                    },
                };
                let went = decision.events.iter().any(|e| matches!(&e.event, Event::Stage(StageEvent::Went { break_glass: None })));
                prop_assert!(!went || freeze::view::gaps(&release, now).is_empty(), "live in a freeze");
                prop_assert!(!went || concern::view::open(&release).next().is_none(), "live over a concern");
                prop_assert!(!went || signoff::view::pending_at(&release, now).is_empty(), "live without its sign-offs");
                let owed = release.policy.audiences.get(&Audience::support()).is_some_and(|route| route.must_confirm);
                let given = release.countdown.rungs.get("T-2h/support").is_some_and(|state| state.receipt.is_some());
                prop_assert!(!went || !owed || given || release.waived.contains_key("T-2h/support"), "live without a receipt");
                release = decision.release;
                journal.extend(decision.events);
                for effect in decision.effects {
                    if let Effect::Post(posting) = effect {
                        // Contingencies are shown once by their key; everything else is new.
                        let fresh = keys.insert(posting.key.clone());
                        prop_assert!(fresh || posting.key.to_string().starts_with("contingency/"), "said twice: {}", posting.key);
                    }
                }
            }
            check(&release, &journal, now);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    /// A schedule that moves, stops and is called off at any moment: a rung is said at most once in each generation, what is
    /// said belongs to the present one, and of an earlier one everything was withdrawn or edited.
    #[test]
    fn f20_at_most_one_notice_of_a_rung_lives(steps in proptest::collection::vec((0u8..6, 0i64..900), 1..40)) {
        let (mut release, _) = draft(PLAN);
        let (policy, mut now) = (policy(), begin());
        let (mut said, mut overtaken) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
        // Submit; then move, hold, resume, correct, call off.
        let moves = [(26, 0), (10, 0), (11, 0), (30, 0), (12, 0), (32, 0)];
        for (n, minutes) in std::iter::once((0, 0)).chain(steps.into_iter().map(|(n, m)| (moves[usize::from(n)].0, m))) {
            now += SignedDuration::from_mins(minutes);
            let (actor, command) = command(n, minutes, now);
            for (actor, command) in [(Actor::Clock, Command::Tick { away: None }), (actor, command), (Actor::Clock, Command::Tick { away: None })] {
                let ctx = Context { now, actor: &actor, policy: &policy, others: &[] };
                let Ok(decision) = decide(&release, command, ctx) else { continue };
                release = decision.release;
                for effect in decision.effects {
                    match effect {
                        Effect::Post(posting) => {
                            let PostKey::Rung { generation, .. } = posting.key else { continue };
                            prop_assert_eq!(generation, release.countdown.generation, "{} is of an earlier schedule", posting.key);
                            prop_assert!(said.insert(posting.key.clone()), "{} said twice", posting.key);
                        }
                        Effect::Redeliver { key, how: Redelivery::Withdraw } => {
                            overtaken.insert(key);
                        }
                        _ => {}
                    }
                }
            }
            let old = |key: &PostKey| !matches!(key, PostKey::Rung { generation, .. } if *generation == release.countdown.generation);
            let stale: Vec<_> = said.iter().filter(|key| old(key) && !overtaken.contains(*key)).collect();
            prop_assert!(stale.is_empty(), "{stale:?} still live");
        }
    }
}

/// Offsets are elapsed time, through every clock change of four zones.
#[test]
fn f19_every_notice_of_a_plan_is_exact_through_both_clock_changes() {
    let nights = [
        ("Europe/Berlin", "2027-03-28 12:00", "2027-10-31 12:00"),
        ("America/New_York", "2027-03-14 12:00", "2026-11-01 12:00"),
        ("Australia/Lord_Howe", "2027-10-03 12:00", "2027-04-04 12:00"),
        ("Africa/Cairo", "2027-04-30 12:00", "2027-10-29 12:00"),
    ];
    for (zone, spring, autumn) in nights {
        for day in [spring, autumn] {
            let (mut release, _) = draft(&PLAN.replace("2026-12-08 14:00 Europe/Berlin", &format!("{day} {zone}")));
            let t0 = release.plan.t0_at().unwrap();
            release.phase = Phase::Gathering { since: begin() };
            let marks: Vec<(String, i64)> = agenda(&release)
                .into_iter()
                .filter_map(|mark| match mark.kind {
                    mark::MarkKind::Ladder(LadderMark::Rung { rung }) => {
                        Some((rung, t0.duration_since(mark.at).as_secs() / 60))
                    }
                    _ => None,
                })
                .collect();
            let want = [("T-24h/engineering", 1440), ("T-2h/support", 120), ("T-30m/status-page", 30)];
            assert_eq!(marks, want.map(|(rung, minutes)| (rung.to_owned(), minutes)), "{zone} {day}");
            // The day before, the clock on the wall reads another hour than at T-0.
            let wall = |at: Timestamp| super::zone_of(zone).to_datetime(at).hour();
            let day_before = wall(t0 - SignedDuration::from_hours(24));
            assert!(zone == "Australia/Lord_Howe" || day_before != wall(t0), "{zone} {day}: {day_before}");
        }
    }
}

/// Windows were minutes before they were seconds; a plan without a level or tasks is an old one.
#[test]
fn rules_of_older_versions_are_read() {
    use super::plan::TriggerRule;
    let read = |json: &str| serde_json::from_str::<TriggerRule>(json).unwrap();
    let old =
        r#"{"exceeds":{"metric":"Error rate","bound":{"cmp":"above","than":{"value":2.0,"unit":"%"}},"for_min":5}}"#;
    assert_eq!(read(old).wait_s(), 300);
    let old = r#"{"moves":{"metric":"Conversion","down":true,"percent":10.0,"within_min":60}}"#;
    assert!(matches!(read(old), TriggerRule::Moves { within_s: Some(3600), for_s: 0, .. }));
    for rule in [read(old), TriggerRule::All(vec![read(old)])] {
        assert_eq!(read(&serde_json::to_string(&rule).unwrap()), rule);
    }
}

#[test]
fn the_journals_language_is_frozen() {
    let script = [
        (0, 0),
        (1, 0),
        (2, 0),
        (3, 0),
        (6, 10),
        (2, 10),
        (8, 0),
        (9, 25 * 60 + 1),
        (13, 10),
        (14, 10),
        (12, 30),
        (15, 20),
        (17, 10),
        (11, 5),
        (12, 60),
        (12, 60),
        (14, 60),
        (15, 8),
        (17, 6),
        (18, 30),
        (20, 60),
        (21, 1),
        (22, 1),
        (24, 1),
        (21, 4),
        (23, 1),
    ];
    let before_go = [(0, 0), (1, 0), (21, 23 * 60 + 10), (31, 1), (30, 2), (26, 90), (28, 1), (26, 80), (27, 1)];
    let undone = [(0, 0), (1, 0), (2, 0), (3, 0), (8, 0), (9, 25 * 60 + 1), (29, 0), (9, 0), (12, 31), (29, 0)];
    let objected = [(0, 0), (33, 5), (34, 5), (35, 5)];
    let strict = [
        (0, 0),
        (37, 1),
        (1, 1),
        (36, 4),
        (43, 2),
        (45, 1),
        (8, 1),
        (38, 1),
        (2, 20 * 60),
        (1, 1),
        (43, 2),
        (9, 239),
        (39, 3),
        (42, 1),
        (39, 4),
        (40, 1),
    ];
    let every = Policy { signoff_hours: Some(20), ..policies(3) };
    // Alerts: before go, again after their end, many at once; a long hold; a watch that is taken up again.
    let alerts = [
        (0, 0),
        (1, 0),
        (2, 0),
        (3, 0),
        (15, 1),
        (16, 1),
        (8, 0),
        (9, 25 * 60 + 1),
        (15, 5),
        (16, 1),
        (15, 1),
        (15, 2),
        (63, 1),
        (63, 1),
        (64, 0),
        (63, 1),
        (89, 0),
        (16, 1),
        (10, 1),
        (11, 90),
        (13, 200),
    ];
    let mut journal =
        [played(&script), played(&before_go), played(&undone), played(&objected), played(&alerts)].concat();
    journal.extend(played_by(&strict, &every));
    journal.extend(played(&[(0, 0), (32, 5)]));
    let lines: String = journal.iter().map(|r| serde_json::to_string(r).unwrap() + "\n").collect();
    golden_lines(&lines);
}

/// The journal a script leads to, after the import.
fn played(script: &[(u8, i64)]) -> Vec<Recorded> {
    played_by(script, &policy())
}

/// The same in another workspace, with refusals that matter.
fn played_by(script: &[(u8, i64)], policy: &Policy) -> Vec<Recorded> {
    let (mut release, mut journal) = draft(PLAN);
    let strict = *policy != self::policy();
    let mut now = begin();
    for &(n, minutes) in script {
        now += SignedDuration::from_mins(minutes);
        let (actor, command) = command(n, minutes, now);
        for (actor, command) in [(Actor::Clock, Command::Tick { away: None }), (actor, command)] {
            let ctx = Context { now, actor: &actor, policy, others: &[] };
            let decision = match decide(&release, command.clone(), ctx) {
                Ok(decision) => Some(decision),
                Err(refusal) if strict => refused(&release, &command, &refusal, ctx),
                Err(_) => None,
            };
            if let Some(decision) = decision {
                release = decision.release;
                journal.extend(decision.events);
            }
        }
    }
    journal.split_off(1)
}

/// Compares with the golden file, which only ever grows.
fn golden_lines(lines: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/events/v1.jsonl");
    if std::env::var("TMINUS_WRITE_GOLDEN").is_ok() {
        std::fs::write(path, lines).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    // Digests follow the plan, not the language.
    let undigested = |text: &str| {
        let cut = |part: &str| part.get(64..).map_or_else(|| part.to_owned(), |rest| format!("…{rest}"));
        let mut parts = text.split("\"digest\":\"");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |out, part| out + "\"digest\":\"" + &cut(part))
    };
    let (new, old) = (undigested(lines), undigested(&golden));
    for (n, (new, old)) in new.lines().zip(old.lines()).enumerate() {
        assert_eq!(new, old, "line {}: the shape of an event changed: old journals must still be read", n + 1);
    }
    assert_eq!(new.lines().count(), old.lines().count(), "the golden file misses events, or has more");
    for line in golden.lines() {
        let recorded: Recorded = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&recorded).unwrap(), line);
    }
    // Lines as earlier builds wrote them: what the golden file loses when it is written anew comes here.
    for line in include_str!("../../tests/data/events/older.jsonl").lines() {
        let recorded: Recorded = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let again: Recorded = serde_json::from_str(&serde_json::to_string(&recorded).unwrap()).unwrap();
        assert_eq!(again, recorded);
    }
    let topics = [
        "plan", "signoff", "notice", "delivery", "stage", "update", "point", "alert", "rollback", "closing", "freeze",
        "concern", "rights",
    ];
    for topic in topics {
        assert!(golden.contains(&format!("\"topic\":\"{topic}\"")), "no event of {topic} in the golden file");
    }
}
