//! Acknowledged means recorded, recorded means shown: people sign, withdraw, object and settle while the process is killed at any
//! instant, answers are lost or late, and interactions come twice. What somebody was told is done stands after the restart, once;
//! and in the end every message shows what the record says.
//!
//! `TMINUS_ACK_KILLS` sets how many kills (default 25), `TMINUS_SEED` the seed.

use std::collections::BTreeMap;
use std::time::Duration;

use chat_sandbox::{Dice, Fault, Script, Seen};
use serde_json::Value;
use tminus::sandboxed::PLAN;
use tokio::io::AsyncWriteExt as _;
use tokio::task::{JoinHandle, JoinSet};

use crate::kill::Field;
use crate::rig::{shown, text};

const RELEASES: u32 = 12;
/// How much is done at once.
const AT_ONCE: u64 = 8;
/// Not a line for the process: its end.
const KILL: &str = "kill";
/// What people press and the bot answers.
const CALLBACK: &str = "POST /interactions/{}/{}/callback";

/// Something that one person does and takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    release: u32,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Sign(&'static str, &'static str),
    Object,
}

/// How a slot stands on the record: signed, or the number of the concern that is open.
type Standing = Option<u64>;

/// The process under test; its points are let go at once.
struct Running {
    orders: tokio::sync::mpsc::UnboundedSender<String>,
    ended: JoinHandle<()>,
}

impl Running {
    async fn start(field: &Field) -> Self {
        let mut process = field.start().await;
        let (orders, mut told) = tokio::sync::mpsc::unbounded_channel::<String>();
        let ended = tokio::spawn(async move {
            loop {
                let line = tokio::select! {
                    line = process.lines.next_line() => match line {
                        Ok(Some(_)) => "go".to_owned(),
                        _ => std::future::pending().await,
                    },
                    line = told.recv() => line.unwrap_or_else(|| KILL.to_owned()),
                };
                if line == KILL {
                    return process.kill();
                }
                drop(process.write.write_all(format!("{line}\n").as_bytes()).await);
            }
        });
        for _ in 0..1_000 {
            if field.sandbox.online() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self { orders, ended }
    }

    fn advance(&self, field: &Field, ms: i64) {
        let later = field.sandbox.clock().now_ms() + ms;
        field.sandbox.clock().move_to(later);
        self.orders.send(format!("clock {later}")).unwrap();
    }

    async fn kill(self) {
        self.orders.send(KILL.to_owned()).unwrap();
        self.ended.await.unwrap();
    }
}

async fn slash(field: &Field, who: &str, path: &str, options: &[(&str, &str)]) -> Seen {
    field.sandbox.slash(who, "releases", path, options, None).await.unwrap()
}

/// The journal of a release, through the front door.
async fn journal(field: &Field, release: u32) -> Vec<Value> {
    let no = format!("REL-{release}");
    let seen = slash(field, "ana", "release timeline", &[("release", no.as_str()), ("format", "json")]).await;
    let Seen::Message(message) = &seen else { panic!("no timeline: {}", shown(&seen)) };
    let (_, bytes) = message.file().unwrap();
    String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How the slots of a release stand by its journal; that every text stands once.
fn standing(journal: &[Value], release: u32) -> BTreeMap<Slot, Standing> {
    let mut found = BTreeMap::new();
    let mut texts: BTreeMap<String, u32> = BTreeMap::new();
    for entry in journal {
        let event = &entry["recorded"]["event"];
        match event["topic"].as_str().unwrap() {
            "signoff" => {
                for (kind, signed) in [("given", Some(1)), ("withdrawn", None)] {
                    if let Some(role) = event["what"][kind]["role"].as_str() {
                        let what =
                            SIGNERS.iter().find(|(_, slug)| *slug == role).map(|(who, slug)| What::Sign(who, slug));
                        let before = found.insert(Slot { release, what: what.unwrap() }, signed);
                        assert_ne!(before.flatten(), signed, "twice in a row: {entry}");
                    }
                }
            }
            "concern" => {
                let slot = Slot { release, what: What::Object };
                if let Some(n) = event["what"]["raised"]["n"].as_u64() {
                    let text = event["what"]["raised"]["text"].as_str().unwrap().to_owned();
                    *texts.entry(text).or_default() += 1;
                    found.insert(slot, Some(n));
                } else {
                    let n = event["what"]["resolved"]["n"].as_u64();
                    assert_eq!(found.insert(slot, None).flatten(), n, "{entry}");
                }
            }
            _ => {}
        }
    }
    assert!(texts.values().all(|count| *count == 1), "recorded twice: {texts:?}");
    found
}

const SIGNERS: [(&str, &str); 3] = [("chloe", "engineering_lead"), ("dev", "product_owner"), ("eva", "sre_ops")];

async fn prepare(field: &Field) {
    let process = Running::start(field).await;
    for n in 1..=RELEASES {
        let plan = PLAN.replace("Checkout 4.2: new payment step", &format!("Release {n}"));
        let seen = field
            .sandbox
            .slash("ana", "releases", "release import", &[], Some(("plan.md", plan.as_bytes())))
            .await
            .unwrap();
        assert!(!shown(&seen).starts_with('⛔'), "{}", shown(&seen));
        let no = format!("REL-{n}");
        let seen = slash(field, "ana", "release submit", &[("release", no.as_str())]).await;
        assert!(shown(&seen).starts_with('✅'), "{}", shown(&seen));
    }
    process.advance(field, 60_000);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    process.kill().await;
}

/// Everything that is on its way arrives; then each request for sign-offs and each concern shows what the record says.
async fn settle(field: &Field, stands: &BTreeMap<Slot, Standing>, seed: u64) {
    let process = Running::start(field).await;
    let mut wrong = Vec::new();
    // Hundreds of messages may wait for their edit, five in five seconds.
    for _ in 0..400 {
        process.advance(field, 31_000);
        tokio::time::sleep(Duration::from_millis(150)).await;
        let said: Vec<String> = field.sandbox.messages("releases").iter().map(text).collect();
        wrong = differs(&said, stands);
        if wrong.is_empty() {
            break;
        }
    }
    assert!(wrong.is_empty(), "seed {seed}: not shown as recorded: {wrong:#?}");
    process.kill().await;
}

fn differs(said: &[String], stands: &BTreeMap<Slot, Standing>) -> Vec<String> {
    let mut wrong = Vec::new();
    for n in 1..=RELEASES {
        let of = |headline: &str| -> Vec<&String> {
            let (whole, at_end) =
                (format!("{headline} · REL-{n} Release {n}\n"), format!("{headline} · REL-{n} Release {n}"));
            said.iter().filter(|m| m.contains(&whole) || m.lines().any(|line| line == at_end)).collect()
        };
        let requests = [of("✍️ Sign-off requested"), of("✅ Signed by all required roles")].concat();
        let [asked] = requests[..] else {
            wrong.push(format!("REL-{n} asks {} times", requests.len()));
            continue;
        };
        for ((who, slug), name) in SIGNERS.iter().zip(["Engineering Lead", "Product Owner", "SRE/Ops"]) {
            let signed = stands.get(&Slot { release: n, what: What::Sign(who, slug) }).copied().flatten().is_some();
            if asked.contains(&format!("✅ {name}: ")) != signed {
                wrong.push(format!("REL-{n} {name}, signed: {signed}: {asked}"));
            }
        }
        // A message of its own may be given up where the process died over it four times, which is told; the card is the truth.
        let title = format!("REL-{n} Release {n}\n");
        let cards: Vec<&String> = said.iter().filter(|m| m.contains("live card") && m.contains(&title)).collect();
        let [card] = cards[..] else {
            wrong.push(format!("REL-{n} has {} cards", cards.len()));
            continue;
        };
        let open = stands.get(&Slot { release: n, what: What::Object }).copied().flatten();
        if open.is_some_and(|number| !card.contains(&format!("✋ #{number} ")))
            || (open.is_none() && card.contains("✋ #"))
        {
            wrong.push(format!("REL-{n}: concern {open:?} on the record: {card}"));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_is_recorded_and_recorded_is_shown() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let (wanted, seed) = (number("TMINUS_ACK_KILLS", 25), number("TMINUS_SEED", 20_261_125).max(1));
    eprintln!("{wanted} kills, seed {seed}");
    let mut dice = Dice::new(seed);
    let field = Field::new().await;
    prepare(&field).await;
    let slots: Vec<Slot> = (1..=RELEASES)
        .flat_map(|release| {
            let signs = SIGNERS.iter().map(|(who, slug)| What::Sign(who, slug));
            signs.chain([What::Object]).map(move |what| Slot { release, what })
        })
        .collect();
    let mut stands: BTreeMap<Slot, Standing> = BTreeMap::new();
    // What was tried before the kill: how it stood, and whether somebody was told that it is done.
    let mut tried: BTreeMap<Slot, (Standing, Option<bool>)> = BTreeMap::new();
    let (mut told, mut done, mut unsaid, mut texts, mut lost) = (0_u64, 0_u64, 0_u64, 0_u64, 0_u64);
    for round in 0..=wanted {
        let process = Running::start(&field).await;
        let releases: std::collections::BTreeSet<u32> = tried.keys().map(|slot| slot.release).collect();
        for release in releases {
            let now = standing(&journal(&field, release).await, release);
            for (slot, (before, said)) in tried.iter().filter(|(slot, _)| slot.release == release) {
                let after = now.get(slot).copied().flatten();
                let changed = after.is_some() != before.is_some();
                match said {
                    Some(true) => {
                        assert!(changed, "seed {seed}, round {round}: told that it is done, and it is not: {slot:?}")
                    }
                    Some(false) => {
                        assert!(!changed, "seed {seed}, round {round}: refused and done all the same: {slot:?}")
                    }
                    None if changed => unsaid += 1,
                    None => lost += 1,
                }
                done += u64::from(changed);
                stands.insert(*slot, after);
            }
        }
        tried.clear();
        if round == wanted {
            process.kill().await;
            break;
        }
        let fault = match dice.roll(5) {
            0 => Some(Fault::FailBefore),
            1 => Some(Fault::FailAfter),
            2 => Some(Fault::Slow(40)),
            _ => None,
        };
        if let Some(fault) = fault {
            field.sandbox.script(Script { route: CALLBACK.to_owned(), fault, times: None, chance: 0.4 });
        }
        let mut acts: JoinSet<(Slot, String)> = JoinSet::new();
        for _ in 0..=dice.roll(AT_ONCE) {
            let slot = slots[usize::try_from(dice.roll(slots.len() as u64)).unwrap()];
            if tried.contains_key(&slot) {
                continue;
            }
            let before = stands.get(&slot).copied().flatten();
            tried.insert(slot, (before, None));
            texts += 1;
            let (sandbox, concern) = (field.sandbox.clone(), before.unwrap_or(0).to_string());
            let words = format!("objection {texts}");
            acts.spawn(async move {
                let no = format!("REL-{}", slot.release);
                let release = ("release", no.as_str());
                let (who, path, options) = match (slot.what, before) {
                    (What::Sign(who, role), None) => (who, "release signoff give", vec![("role", role), release]),
                    (What::Sign(who, role), Some(_)) => {
                        (who, "release signoff withdraw", vec![("role", role), release])
                    }
                    (What::Object, None) => {
                        ("chloe", "release concern raise", vec![("reason", words.as_str()), release])
                    }
                    (What::Object, Some(_)) => {
                        let options = vec![("reason", "settled"), ("concern", concern.as_str()), release];
                        ("chloe", "release concern resolve", options)
                    }
                };
                let seen = sandbox.slash(who, "releases", path, &options, None).await.unwrap();
                (slot, shown(&seen))
            });
            if dice.roll(3) == 0 {
                tokio::task::yield_now().await;
                field.sandbox.repeat_interaction();
            }
        }
        // The kill comes at any instant: before anything arrived, in the middle, or when all is answered.
        let latest = if dice.roll(2) == 0 { 60_000 } else { 250_000 };
        tokio::time::sleep(Duration::from_micros(dice.roll(latest))).await;
        process.kill().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        while let Some(Ok((slot, said))) = acts.try_join_next() {
            let entry = tried.get_mut(&slot).unwrap();
            match said.chars().next() {
                Some('✅') => {
                    told += 1;
                    entry.1 = Some(true);
                }
                Some('⛔') => entry.1 = Some(false),
                _ => {}
            }
        }
        acts.abort_all();
        field.sandbox.mend();
        if round % 100 == 99 {
            // Only what is known: the record is looked at first.
            let process = Running::start(&field).await;
            for release in 1..=RELEASES {
                stands.extend(standing(&journal(&field, release).await, release));
            }
            tried.retain(|_, (_, said)| said.is_some());
            process.kill().await;
            settle(&field, &stands, seed).await;
            tried.clear();
        }
    }
    settle(&field, &stands, seed).await;
    eprintln!(
        "{wanted} kills; {told} were told that it is done; {done} done, {unsaid} of them unsaid; {lost} never arrived"
    );
    assert!(told > wanted / 4 && unsaid + lost > 0, "the kills come too early or too late");
    assert_eq!(field.sandbox.violations(), Vec::<String>::new());
}
