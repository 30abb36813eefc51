//! Words of strangers in every field that is shown (S9, S10): nobody is called but those on the list, nothing becomes markup, nothing
//! turns or hides text, and no message is longer than Discord takes.
//!
//! `TMINUS_STRINGS` sets how many strings (default 6,000), `TMINUS_SEED` the seed.

use std::cell::{Cell, RefCell};

use chat_sandbox::Dice;
use jiff::SignedDuration;
use serde_json::Value;

use super::super::render::{body, private};
use crate::chat::outgoing::{Outgoing, Rank};
use crate::domain::amend::{AmendNotice, AmendmentEnd};
use crate::domain::changes::Change;
use crate::domain::command::Command;
use crate::domain::decide::decide;
use crate::domain::delivery::Trouble;
use crate::domain::effect::Effect;
use crate::domain::freeze::{Freeze, Planned, Window};
use crate::domain::ids::{Audience, ChannelId, ReleaseNo, UserId};
use crate::domain::lifecycle::PlanReply;
use crate::domain::notice::Notice;
use crate::domain::people::{Actor, Person};
use crate::domain::phase::PhaseName;
use crate::domain::plan::{Plan, SignoffRole};
use crate::domain::policy::{Policy, Route, SignoffRule};
use crate::domain::release::Release;
use crate::domain::reply::Reply;
use crate::domain::rights::Action;
use crate::domain::tests::tries::{command_saying, policies};
use crate::domain::tests::{begin, draft};
use crate::domain::work::Context;
use crate::domain::workspace::weekly::Standing;
use crate::domain::workspace::{WorkspaceNotice, WorkspaceReply};
use crate::voice::{self, Message, system};

const PLAN: &str = include_str!("../../../../tests/data/plans/checkout-4.2.md");

/// What strangers write: mentions in every spelling, links behind words, turned and hidden text, broken markup.
const NASTY: [&str; 38] = [
    "@everyone",
    "@here",
    "<@999999999999999999>",
    "<@!999999999999999999>",
    "<@&999999999999999999>",
    "<#999999999999999999>",
    "<@&999999999999999999",
    "@\u{200B}everyone",
    "@\u{FEFF}here",
    "＠everyone",
    "<\u{200B}@999999999999999999>",
    "\\<@999999999999999999>",
    "\\\\<@999999999999999999>",
    "\\",
    "\\\\\\",
    "`",
    "```",
    "``<@999999999999999999>``",
    "**",
    "__",
    "~~",
    "||",
    "||<@999999999999999999>||",
    "[free](http://evil.example)",
    "[<@999999999999999999>](http://evil.example/)",
    "\n# loud",
    "\n- item",
    "\n> quote",
    "<t:0:R>",
    "<:evil:999999999999999999>",
    "</release go:999999999999999999>",
    "\u{202E}gnp.exe",
    "\u{2066}\u{2069}",
    "\u{7}\u{1b}[2J\u{0}",
    "\r\n",
    "<id:customize>",
    "👩\u{200D}🚀",
    "ﷺ",
];

fn hostile(dice: &mut Dice) -> String {
    let mut text = String::new();
    for _ in 0..=dice.roll(5) {
        match dice.roll(8) {
            0 => text.push_str(&"x<@999999999999999999>".repeat(usize::try_from(dice.roll(300)).unwrap())),
            1 => text
                .extend((0..dice.roll(40)).filter_map(|_| char::from_u32(u32::try_from(dice.roll(0x3_0000)).unwrap()))),
            _ => text.push_str(NASTY[usize::try_from(dice.roll(NASTY.len() as u64)).unwrap()]),
        }
    }
    text
}

/// Replaces free text all through a value: what may be any string, by trying.
fn poison(value: &mut Value, key: &str, say: &dyn Fn() -> String, may: &mut dyn FnMut() -> bool) {
    // Names of things that are looked up, and what the reader of the document makes itself.
    const KEPT: [&str; 9] = ["id", "user", "zone", "at", "level", "role", "kind", "audience", "cmp"];
    match value {
        Value::String(text) if !KEPT.contains(&key) && may() => {
            let before = text.clone();
            *text = say();
            if text.is_empty() {
                *text = before;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| poison(item, key, say, may)),
        Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| poison(value, key, say, may)),
        _ => {}
    }
}

/// The plan with hostile words wherever the type takes any words.
fn poisoned(plan: &Plan, say: &dyn Fn() -> String, dice: &RefCell<Dice>) -> Plan {
    let mut json = serde_json::to_value(plan).unwrap();
    let Value::Object(fields) = &mut json else { panic!("a plan is an object") };
    let names: Vec<String> = fields.keys().cloned().collect();
    for name in names {
        let Value::Object(fields) = &mut json else { panic!("a plan is an object") };
        let before = fields[&name].clone();
        poison(fields.get_mut(&name).unwrap(), &name, say, &mut || dice.borrow_mut().roll(4) > 0);
        if serde_json::from_value::<Plan>(json.clone()).is_err() {
            // It holds a word of a fixed list.
            json[&name] = before;
        }
    }
    serde_json::from_value(json).unwrap()
}

/// What Discord would make of a text: every run of markup that is not behind a backslash or inside code.
fn markup_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '\\' {
            let mut chars = rest.chars();
            chars.next();
            chars.next();
            rest = chars.as_str();
            continue;
        }
        if c == '`' {
            // Our own code spans: closed on the same line, with nothing of theirs that could close them.
            let close = rest[1..].find('`');
            rest = close.map_or("", |at| &rest[at + 2..]);
            continue;
        }
        if c == '<' {
            let end = rest.find('>').map_or(rest.len(), |end| end + 1);
            found.push(rest[..end].to_owned());
        }
        if c == '[' || (c == '@' && (rest.starts_with("@everyone") || rest.starts_with("@here"))) || c == '|' {
            found.push(rest.chars().take(12).collect());
        }
        rest = &rest[c.len_utf8()..];
    }
    found
}

/// Everything that must hold of a body, whoever's words are in it.
fn check(message: &Message, body: &Value) {
    let length = |value: &Value| value.as_str().map_or(0, |text| text.encode_utf16().count());
    let content = body["content"].as_str().unwrap();
    let called: Vec<String> = message
        .call_users
        .iter()
        .map(|user| format!("<@{user}>"))
        .chain(message.call_roles.iter().map(|role| format!("<@&{role}>")))
        .collect();
    assert!(content.split(' ').filter(|c| !c.is_empty()).all(|c| called.iter().any(|own| own == c)), "{content}");
    assert!(length(&body["content"]) <= 2_000);
    assert_eq!(body["allowed_mentions"]["parse"], serde_json::json!([]));
    for (kind, own) in [
        ("users", message.call_users.iter().map(|u| u.0.clone()).collect::<Vec<_>>()),
        ("roles", message.call_roles.iter().map(|r| r.0.clone()).collect()),
    ] {
        let allowed = body["allowed_mentions"][kind].as_array().unwrap();
        assert!(allowed.iter().all(|id| own.iter().any(|own| id == own.as_str())), "{allowed:?}");
        assert!(allowed.len() <= 100);
    }
    let mut total = 0;
    for embed in body["embeds"].as_array().unwrap() {
        let fields = embed["fields"].as_array().unwrap();
        assert!(fields.len() <= 25 && length(&embed["title"]) <= 256 && length(&embed["description"]) <= 4_096);
        assert!(length(&embed["footer"]["text"]) <= 2_048);
        total += length(&embed["title"]) + length(&embed["description"]) + length(&embed["footer"]["text"]);
        for field in fields {
            assert!(
                (1..=256).contains(&length(&field["name"])) && (1..=1_024).contains(&length(&field["value"])),
                "{field}"
            );
            total += length(&field["name"]) + length(&field["value"]);
        }
        let shown = fields.iter().map(|field| &field["value"]).chain([&embed["description"]]);
        for text in shown.filter_map(Value::as_str) {
            let strange = markup_in(text).into_iter().find(|found| {
                // Mentions of members, roles and channels of ours and instants are spans of our own making.
                found.contains("999999999999999999") || found == "<t:0:R>" || found.starts_with(['[', '@', '|'])
            });
            assert!(strange.is_none(), "{strange:?} in {text}");
        }
        for text in [&embed["title"], &embed["description"]].into_iter().chain(fields.iter().map(|f| &f["value"])) {
            let text = text.as_str().unwrap_or_default();
            let turns = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{61C}');
            assert!(!text.chars().any(|c| turns(c) || (c.is_control() && c != '\n')), "{text:?}");
        }
    }
    assert!(total <= 6_000, "{total}");
    for row in body["components"].as_array().unwrap() {
        let parts = row["components"].as_array().unwrap();
        assert!(parts.len() <= 5);
        assert!(parts.iter().all(|part| length(&part["label"]) <= 80 && length(&part["custom_id"]) <= 100));
    }
}

fn shown(message: &Message) {
    check(
        message,
        &body(Outgoing {
            message,
            prompt: Some("prompt"),
            marker: "n12345678",
            rank: Rank::Later,
            reply_to: None,
            file: None,
        }),
    );
    check(message, &private(message, Some("prompt")));
    // The last resort, bare words, keeps the same rules.
    let plain = message.plain();
    check(
        &plain,
        &body(Outgoing {
            message: &plain,
            prompt: None,
            marker: "n12345678",
            rank: Rank::Later,
            reply_to: None,
            file: None,
        }),
    );
}

/// One release from its import to wherever strangers bring it.
fn play(dice: &RefCell<Dice>, say: &dyn Fn() -> String) {
    let roll = |most: u64| dice.borrow_mut().roll(most);
    let (mut release, _) = draft(PLAN);
    release.plan = poisoned(&release.plan, say, dice);
    release.findings = vec![("TM001".to_owned(), say())];
    shown(&voice::answer(&Reply::Plan(PlanReply::Imported { revision: 1, material: true }), &release, begin()).0);
    release.findings.clear();
    let policy = policies(u8::try_from(roll(4)).unwrap());
    let (mut now, mut before) = (begin(), [0_u8, 1, 2, 3, 44, 8, 38].into_iter());
    for _ in 0..40 {
        let n = before.next().unwrap_or_else(|| u8::try_from(roll(48)).unwrap());
        let minutes = i64::try_from(roll(400)).unwrap();
        now += SignedDuration::from_mins(minutes);
        let (actor, command) = command_saying(n, minutes, now, say);
        let actor = match actor {
            Actor::Person(person) => Actor::Person(Person { name: say(), ..person }),
            Actor::Source(_) => Actor::Source(say()),
            actor => actor,
        };
        for (actor, command) in [(Actor::Clock, Command::Tick { away: None }), (actor, command)] {
            let ctx = Context { now, actor: &actor, policy: &policy, others: &[] };
            match decide(&release, command, ctx) {
                Ok(decision) => {
                    release = decision.release;
                    spoken(&release, &decision.effects, now);
                    shown(&voice::answer(&decision.reply, &release, now).0);
                    let lines: Vec<String> =
                        decision.events.iter().map(|event| voice::timeline::line(&release, event)).collect();
                    shown(&system::timeline(&voice::words::name(&release), &lines, lines.len() + 1));
                }
                Err(refusal) => shown(&voice::refuse(&refusal, &release.policy, Some(&voice::words::name(&release)))),
            }
        }
    }
    shown(&voice::card(&release, now));
    let change = || Change { what: say(), from: Some(say()), to: Some(say()), material: true, rest: 0 };
    let changes = || (0..12).map(|_| change()).collect::<Vec<_>>();
    let by = UserId::from("1");
    for ended in [None, Some(AmendmentEnd::Declined { by: say(), reason: say() })] {
        shown(&voice::say(
            &Notice::Amend(AmendNotice::Ask { n: 1, by: by.clone(), changes: changes(), ended }),
            &release,
            now,
            None,
        ));
    }
    shown(&voice::say(&Notice::Amend(AmendNotice::Amended { changes: changes(), by: vec![by] }), &release, now, None));
}

fn spoken(release: &Release, effects: &[Effect], now: jiff::Timestamp) {
    for effect in effects {
        let (notice, prompt, mention): (&Notice, _, Vec<UserId>) = match effect {
            Effect::Post(posting) => (&posting.notice, posting.prompt.as_ref(), posting.mention.clone()),
            Effect::Edit { notice, prompt, .. } => (notice.as_ref(), prompt.as_ref(), Vec::new()),
            Effect::Redeliver { .. } | Effect::Recall { .. } => continue,
        };
        let mut message = voice::say(notice, release, now, prompt);
        message.call_users = mention;
        shown(&message);
    }
}

/// What a server says of itself, and what T-Minus says of itself.
fn around(say: &dyn Fn() -> String) {
    let at = begin();
    let planned = || Planned { no: ReleaseNo(1), title: say(), t0: Some(at), service: Some(say()), running: false };
    let freeze = || Freeze { name: say(), window: Window::Fixed { from: at, until: at }, reason: Some(say()) };
    let standing = || Standing {
        no: ReleaseNo(2),
        title: say(),
        phase: PhaseName::Live,
        t0: None,
        signoffs_missing: 1,
        concerns_open: 2,
        postmortem: Some(true),
        actions_open: 3,
    };
    let rule = || SignoffRule {
        name: say(),
        role: SignoffRole::Security,
        people: 2,
        kind: None,
        risk: None,
        service: Some(say()),
    };
    let zone = || "Europe/Berlin".to_owned();
    let notices = [
        WorkspaceNotice::FreezeAhead {
            freeze: freeze(),
            start: at,
            until: Some(at),
            inside: (0..12).map(|_| planned()).collect(),
        },
        WorkspaceNotice::TrainSkipped { name: say(), t0: at, zone: zone(), by: say(), reason: say(), next: None },
        WorkspaceNotice::TrainMissed { name: say(), t0: at, zone: zone() },
        WorkspaceNotice::TrainFailed { name: say(), t0: at, zone: zone(), why: say() },
        WorkspaceNotice::SetUp { by: say(), ops: true },
        WorkspaceNotice::Bypassed { action: Action::Go, by: say() },
        WorkspaceNotice::Digest { open: (0..15).map(|_| standing()).collect(), more: 3 },
        WorkspaceNotice::Undelivered { said: say(), why: say(), channel: ChannelId::from("1"), trouble: Trouble::Held },
        WorkspaceNotice::TrainRuns { name: say(), t0: at, zone: zone(), by: say() },
    ];
    notices.iter().for_each(|notice| shown(&voice::workspace::say(notice)));
    let replies = [
        WorkspaceReply::FreezeAdded { freeze: freeze(), holds: Some(at), next: vec![at] },
        WorkspaceReply::FreezeRemoved { name: say() },
        WorkspaceReply::RuleAdded { rule: rule() },
        WorkspaceReply::RuleRemoved { name: say() },
        WorkspaceReply::TrainAdded { name: say(), days_ahead: 2, next: vec![at], unknown: vec![say(), say()] },
        WorkspaceReply::TrainRemoved { name: say() },
        WorkspaceReply::TrainSkipped { name: say(), t0: at, next: None },
        WorkspaceReply::TrainRuns { name: say(), t0: at },
        WorkspaceReply::AudienceSet { audience: Audience(say()), route: Route::default() },
        WorkspaceReply::AudienceRemoved { audience: Audience(say()) },
    ];
    replies.iter().filter_map(voice::workspace::answer).for_each(|message| shown(&message));
    let policy = Policy { rules: (0..25).map(|_| rule()).collect(), ..policies(0) };
    let lines: Vec<String> = (0..12).map(|_| say()).collect();
    let audiences = Policy { audiences: (0..20).map(|_| (Audience(say()), Route::default())).collect(), ..policies(0) };
    for message in [
        system::rules(&policy),
        system::audiences(&audiences),
        system::list(&lines.iter().map(|line| (line.clone(), line.clone(), PhaseName::Draft)).collect::<Vec<_>>()),
        system::exported(&say(), &lines),
        system::fixed(&say()),
        system::unreadable(&say(), &lines),
        system::sorry(&say()),
        system::fault(&say()),
        system::with_rights(system::help(), &lines.iter().map(|line| (false, line.clone())).collect::<Vec<_>>()),
        system::with_findings(system::help(), &lines),
    ] {
        shown(&message);
    }
}

#[test]
fn s9_s10_hostile_words_call_nobody_and_break_nothing() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let (wanted, seed) = (number("TMINUS_STRINGS", 6_000), number("TMINUS_SEED", 20_261_125).max(1));
    eprintln!("{wanted} strings, seed {seed}");
    let (dice, said) = (RefCell::new(Dice::new(seed)), Cell::new(0_u64));
    let say = || {
        said.set(said.get() + 1);
        hostile(&mut dice.borrow_mut())
    };
    while said.get() < wanted {
        play(&dice, &say);
        around(&say);
    }
    eprintln!("{} strings", said.get());
}
