//! Two servers in one process (S3): whatever is typed, pressed or sent in one, with the other's numbers, ids and names in it, nothing
//! of the other is read or written.
//!
//! `TMINUS_ACTIONS` sets how many (default 1,200), `TMINUS_SEED` the seed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chat_sandbox::{Dice, SimClock};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use serenity::model::application::Interaction;

use super::super::commands;
use super::super::handle::Handler;
use super::super::render::custom_id;
use super::super::rest::{Rest, http_client};
use crate::clock::Clock;
use crate::desk::{self, Ask, Desk, Nudges};
use crate::domain::command::{Imported, Verdict};
use crate::domain::effect::{Choice, Prompt};
use crate::domain::freeze::{Freeze, Window};
use crate::domain::ids::{Audience, ChannelId, GuildId, RoleId, UserId};
use crate::domain::people::{Actor, Person, Standing};
use crate::domain::plan::SignoffRole;
use crate::domain::policy::{Policy, Route};
use crate::domain::workspace::WorkspaceCommand;
use crate::plan_doc;
use crate::store::{Purpose, Store};

const PLAN: &str = include_str!("../../../../tests/data/plans/checkout-4.2.md");
const BEGIN_MS: i64 = 1_796_644_800_000;

/// A server, and the word that stands in all it says.
#[derive(Debug, Clone)]
struct Server {
    guild: u64,
    word: &'static str,
}

const SERVERS: [Server; 2] = [Server { guild: 1, word: "ALPHA" }, Server { guild: 2, word: "BRAVO" }];

impl Server {
    fn id(&self) -> GuildId {
        GuildId(self.guild.to_string())
    }
    /// Roles and channels differ from server to server; people are members of both.
    fn role(&self, n: u64) -> u64 {
        self.guild * 1_000 + n
    }
    fn policy(&self) -> Policy {
        let role = |n| vec![RoleId(self.role(n).to_string())];
        let channel = |n: u64| Some(ChannelId((self.guild * 1_000 + 500 + n).to_string()));
        let signers = SignoffRole::ALL.iter().zip(1..).map(|(slot, n)| (*slot, role(n))).collect();
        let freeze = Freeze {
            name: format!("{} fair", self.word),
            window: Window::Fixed {
                from: Timestamp::from_millisecond(BEGIN_MS + 90 * 86_400_000).unwrap(),
                until: Timestamp::from_millisecond(BEGIN_MS + 91 * 86_400_000).unwrap(),
            },
            reason: None,
        };
        Policy {
            release_channel: channel(1),
            ops_channel: channel(2),
            zone: Some("Europe/Berlin".to_owned()),
            signers,
            release_managers: role(5),
            audiences: [(Audience::support(), Route { role: role(6).pop(), channel: channel(3), ..Route::default() })]
                .into(),
            freezes: vec![freeze],
            ..Policy::default()
        }
    }
    /// Every other plan is an emergency, with everything ready, so that some go live by break-glass.
    fn plan(&self, n: u64) -> String {
        let plan = match n.is_multiple_of(400) || n == 2 {
            true => PLAN
                .replace("[x] Standard [ ] Hotfix [ ] Emergency", "[ ] Standard [ ] Hotfix [x] Emergency")
                .replace("- [ ] Dependencies deployed", "- [x] Dependencies deployed"),
            false => PLAN.to_owned(),
        };
        plan.replace("Checkout 4.2: new payment step", &format!("{} {n}", self.word))
            .replace("Dependencies deployed and stable", &format!("{} deployed", self.word))
            .replace("checkout  \n", &format!("{}-shop  \n", self.word))
            .replace("Initial health check", &format!("{} looks well", self.word))
    }
}

fn person(user: &str, roles: Vec<RoleId>) -> Actor {
    let (user, name) = (UserId::from(user), "Somebody".to_owned());
    Actor::Person(Person { user, name, roles, manages_server: true, standing: Standing::Member })
}

/// The bot's own answers, as Discord would get them.
async fn listener() -> (String, Arc<Mutex<Vec<Vec<u8>>>>) {
    let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let keep = Arc::clone(&heard);
    let hear = move |body: axum::body::Bytes| {
        let keep = Arc::clone(&keep);
        async move {
            keep.lock().unwrap().push(body.to_vec());
            axum::Json(json!({ "id": "1" }))
        }
    };
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, axum::Router::new().fallback(hear)).await });
    (url, heard)
}

struct Field {
    desk: Desk,
    store: Store,
    handler: Handler,
    clock: SimClock,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    /// Every prompt there is, and whose.
    prompts: Vec<(String, u64)>,
    kinds: BTreeMap<String, Prompt>,
    /// Every release there is, and whose.
    releases: Vec<(String, u64)>,
    /// Number, server and phase of each.
    phases: Vec<(i64, u64, String)>,
    /// The sections of the plan, as the menu names them, with their text.
    sections: Vec<(String, String)>,
    seen: Seen,
}

/// How far the tables have been looked at, and what each release and workspace was then.
#[derive(Debug, Default)]
struct Seen {
    journal: i64,
    outbox: i64,
    prompt: i64,
    versions: BTreeMap<(String, String), i64>,
}

impl Field {
    async fn new(folder: &std::path::Path) -> Self {
        let clock = SimClock::frozen(BEGIN_MS);
        let store = Store::open(&folder.join("two.db"), Purpose::Sandbox).await.unwrap();
        let (desk, requests) = Desk::new(store.clone(), Clock::sandbox(clock.clone()).believed());
        tokio::spawn(desk::run(desk.clone(), requests, Nudges::default()));
        let (url, heard) = listener().await;
        let http = http_client().unwrap();
        let token = SecretString::from("t".to_owned());
        let rest = Rest::new(http.clone(), &url, token, Clock::sandbox(clock.clone()).believed());
        let handler = Handler { desk: desk.clone(), rest, http, local: Some(url), by_file: Arc::default() };
        let mut field = Self {
            desk,
            store,
            handler,
            clock,
            heard,
            prompts: Vec::new(),
            kinds: BTreeMap::new(),
            releases: Vec::new(),
            phases: Vec::new(),
            sections: plan_doc::menu(PLAN)
                .into_iter()
                .filter_map(|(section, _)| Some((section.clone(), plan_doc::chapter(PLAN, &section)?.text)))
                .collect(),
            seen: Seen::default(),
        };
        for server in &SERVERS {
            field.configure(server).await;
            for n in 1..=3 {
                field.import(server, n).await;
            }
            let command = WorkspaceCommand::AddTrain {
                name: format!("{} train", server.word),
                rule: crate::domain::recur::Rule::parse("Tue 14:00").unwrap(),
                zone: "Europe/Berlin".to_owned(),
                days_ahead: 2,
                people: BTreeMap::new(),
            };
            let actor = person("11", vec![RoleId(server.role(5).to_string())]);
            let template = Some(("train.md".to_owned(), server.plan(9).into_bytes()));
            field.desk.ask(Ask::Workspace { guild: server.id(), actor, command, template }).await.unwrap();
        }
        field.look(None).await;
        field
    }

    async fn configure(&self, server: &Server) {
        let policy = Box::new(server.policy());
        self.desk.ask(Ask::Configure { guild: server.id(), actor: Actor::File, policy }).await.unwrap();
    }

    async fn import(&self, server: &Server, n: u64) {
        let (reading, bytes) = self.desk.read_plan(&server.id(), server.plan(n).into_bytes()).await.unwrap();
        let mut plan = reading.plan.unwrap();
        plan.owner.as_mut().unwrap().user = Some(UserId::from("11"));
        plan.on_call.as_mut().unwrap().user = Some(UserId::from("12"));
        let ahead = self.clock.now_ms() + 30 * 3_600_000;
        plan.t0.as_mut().unwrap().at = Timestamp::from_millisecond(ahead).unwrap();
        let imported = Box::new(Imported {
            plan,
            digest: reading.digest,
            findings: Vec::new(),
            fixes: 0,
            renamed: BTreeMap::new(),
            undone: Vec::new(),
        });
        let (guild, actor) = (server.id(), person("11", vec![RoleId(server.role(5).to_string())]));
        let import =
            Ask::Import { guild, actor, release: None, expect: None, imported, file_name: "p.md".to_owned(), bytes };
        self.desk.ask(import).await.unwrap();
    }

    /// What was written since the last look: all of it must be `only`'s, with nothing of the other's words.
    async fn look(&mut self, only: Option<&Server>) {
        let written = self.store.written_since((self.seen.journal, self.seen.outbox, self.seen.prompt)).await.unwrap();
        (self.seen.journal, self.seen.outbox, self.seen.prompt) = (written.journal, written.outbox, written.prompt);
        for (id, guild, kind) in written.prompts {
            let guild: u64 = guild.parse().unwrap();
            assert!(only.is_none_or(|only| only.guild == guild), "a prompt of server {guild} was written from another");
            self.kinds.insert(id.clone(), serde_json::from_str(&kind).unwrap());
            self.prompts.push((id, guild));
        }
        self.releases = Vec::new();
        let phases = written.phases.into_iter();
        self.phases = phases.map(|(no, guild, phase)| (no, guild.parse().unwrap(), phase)).collect();
        for ((table, key, guild), version) in written.versions {
            if table == "release" {
                self.releases.push((key.clone(), guild.parse().unwrap()));
            }
            let before = self.seen.versions.insert((table, key.clone()), version);
            let foreign = only.is_some_and(|only| guild != only.guild.to_string());
            assert!(!foreign || before == Some(version), "{key} of server {guild} was written from another");
        }
        let Some(only) = only else { return };
        let other = SERVERS.iter().find(|server| server.guild != only.guild).unwrap();
        for (guild, text) in written.rows {
            assert_eq!(guild, only.guild.to_string(), "a row of another server was written: {text}");
            assert!(!text.contains(other.word), "words of {} in {}: {text}", other.word, only.word);
        }
    }
}

/// Every command there is, with its options, as registered.
fn leaves(node: &Value, path: &str, found: &mut Vec<(String, Vec<Value>)>) {
    let options = node["options"].as_array().cloned().unwrap_or_default();
    let inner: Vec<&Value> = options.iter().filter(|option| option["type"] == 1 || option["type"] == 2).collect();
    if inner.is_empty() {
        found.push((path.to_owned(), options));
    } else {
        for child in inner {
            leaves(child, &format!("{path} {}", child["name"].as_str().unwrap()), found);
        }
    }
}

/// What brings a release on.
const USUAL: [&str; 10] = [
    "release submit", "release signoff give", "release item done", "release go", "release stage", "release update",
    "release decide", "release resume", "release alert report", "release handover",
];

const CHOICES: [Choice; 24] = [
    Choice::Snooze,
    Choice::CallSent,
    Choice::Sign(SignoffRole::EngineeringLead),
    Choice::Sign(SignoffRole::ProductOwner),
    Choice::Sign(SignoffRole::SreOps),
    Choice::Sign(SignoffRole::Security),
    Choice::Briefed,
    Choice::Acknowledge,
    Choice::Verdict(Verdict::Continue),
    Choice::Verdict(Verdict::Hold),
    Choice::Verdict(Verdict::RollBack),
    Choice::Verified,
    Choice::Failed,
    Choice::WriteUpdate,
    Choice::Submit,
    Choice::FilePostmortem,
    Choice::Pick,
    Choice::ApplyFixes,
    Choice::DownloadFixed,
    Choice::EditAgain,
    Choice::SendAgain,
    Choice::Undo,
    Choice::Agree,
    Choice::Decline,
];

/// What people do in one server, with whatever they know of the other.
struct Play<'a> {
    dice: &'a mut Dice,
    field: &'a Field,
    here: &'a Server,
    id: u64,
}

impl Play<'_> {
    fn roll(&mut self, most: u64) -> u64 {
        self.dice.roll(most)
    }
    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()].clone()
    }

    fn text(&mut self, name: &str) -> String {
        if name == "release" {
            // The numbers of both servers are the same; a few name nothing, or a release by its inner id.
            let newest = self.field.releases.iter().filter(|(_, guild)| *guild == self.here.guild).count() as u64;
            let releases: Vec<String> = self.field.releases.iter().map(|(id, _)| id.clone()).collect();
            return match self.roll(12) {
                0 => self.one(&releases),
                1 => "REL-999".to_owned(),
                _ => format!("REL-{}", newest.saturating_sub(self.roll(4)).max(1)),
            };
        }
        if name == "time" && self.roll(2) == 0 {
            return self.one(&["30m", "Fri 15:00", "2026-12-15 15:00 Europe/Berlin"]).to_owned();
        }
        if name == "text" && self.roll(3) == 0 {
            return self.one(&["212ms", "3%", "dependencies-deployed-and-stable", "T-2h"]).to_owned();
        }
        // In small letters: an echo of what was typed is told from what was read.
        self.one(&[
            "because", "dependencies-deployed-and-stable", "alpha-deployed", "bravo-deployed", "alpha deployed",
            "bravo fair", "alpha fair", "alpha train", "bravo train", "T-2h", "#1", "1", "30m", "Error Rate", "212ms",
            "2026-12-15 15:00 Europe/Berlin", "Fri 15:00", "Mon 08:00", "0 14 * * TUE", "Europe/Berlin",
        ])
        .to_owned()
    }

    fn option(&mut self, spec: &Value, focus: bool) -> Value {
        let (name, kind) = (spec["name"].as_str().unwrap().to_owned(), spec["type"].as_u64().unwrap());
        let elsewhere = self.one(&[1_u64, 2]) * 1_000;
        let value = match kind {
            4 => json!(self.roll(5)),
            5 => json!(self.roll(2) == 0),
            6 => json!((11 + self.roll(4)).to_string()),
            7 => json!((self.here.guild * 1_000 + 500 + 1 + self.roll(3)).to_string()),
            8 => json!((elsewhere + 1 + self.roll(6)).to_string()),
            _ => match spec["choices"].as_array() {
                Some(choices) => self.one(choices)["value"].clone(),
                None => json!(self.text(&name)),
            },
        };
        let mut option = json!({ "name": name, "type": kind, "value": value });
        if focus {
            option["focused"] = json!(true);
            option["value"] = json!("");
        }
        option
    }

    fn command(&mut self, all: &[(String, Vec<Value>)], complete: bool) -> Value {
        let (path, specs) = loop {
            let (path, specs) = self.one(all);
            // A server that is set up anew with strange roles has nobody left who may do anything; nor lives what is scrubbed.
            let rare = match path.as_str() {
                "tminus setup" => 200,
                "release scrub" => 10,
                _ => 1,
            };
            let usual = complete || USUAL.contains(&path.as_str()) || self.roll(3) == 0;
            if usual && self.roll(rare) == 0 {
                break (path, specs);
            }
        };
        let focus = specs.iter().position(|spec| complete && spec["autocomplete"] == true);
        let mut options = Vec::new();
        for (n, spec) in specs.iter().enumerate() {
            let named = spec["name"] == "release" && self.roll(16) > 0;
            let wanted = spec["required"] == true || focus == Some(n) || named || self.roll(3) == 0;
            if wanted && spec["type"] != 11 {
                options.push(self.option(spec, focus == Some(n)));
            }
        }
        let people: Vec<u64> = (11..15).collect();
        let users: serde_json::Map<String, Value> = people.iter().map(|id| (id.to_string(), user(*id))).collect();
        let members: serde_json::Map<String, Value> = people
            .iter()
            .map(|id| {
                (
                    id.to_string(),
                    json!({ "roles": [], "joined_at": null, "permissions": "0", "deaf": false, "mute": false }),
                )
            })
            .collect();
        typed(&path, options, json!({ "users": users, "members": members }))
    }

    /// What brings one of this server's newest releases on; `None` where nothing does.
    fn onward(&mut self) -> Option<Value> {
        let here: Vec<(i64, u64, String)> =
            self.field.phases.iter().filter(|(_, guild, _)| *guild == self.here.guild).cloned().collect();
        let (no, _, phase) = self.one(&here[here.len().saturating_sub(6)..]);
        let role = self.one(&["engineering_lead", "product_owner", "sre_ops"]);
        let (path, more): (&str, &[(&str, &str)]) = match (phase.as_str(), self.roll(5)) {
            ("draft", _) => ("release submit", &[]),
            ("gathering", 0) => ("release go", &[("break_glass", "because")]),
            ("gathering", _) => ("release signoff give", &[("role", role)]),
            ("approved", _) => ("release go", &[]),
            ("held", _) => ("release resume", &[]),
            ("live" | "watching", 0) => ("release stage", &[("stage", "advance"), ("reason", "because")]),
            ("live" | "watching", 1) => ("release update", &[("text", "because")]),
            ("live" | "watching", 2) => ("release decide", &[("verdict", "continue"), ("reason", "because")]),
            ("live" | "watching", 3) => ("release alert report", &[("metric", "Error Rate"), ("text", "0.4%")]),
            ("live" | "watching", _) => ("release hold", &[("reason", "because")]),
            _ => return None,
        };
        let release = format!("REL-{no}");
        let options = [("release", release.as_str())].into_iter().chain(more.iter().copied());
        let options = options.map(|(name, value)| json!({ "name": name, "type": 3, "value": value })).collect();
        Some(typed(path, options, json!({})))
    }

    fn button(&mut self, kind: char) -> Option<String> {
        if self.field.prompts.is_empty() {
            return None;
        }
        let other = self.roll(3) == 0;
        let here = self.here.guild;
        let of: Vec<String> = self
            .field
            .prompts
            .iter()
            .filter(|(_, guild)| (*guild == here) != other)
            .map(|(id, _)| id.clone())
            .collect();
        (!of.is_empty()).then(|| {
            let (prompt, mut choice) = (self.one(&of), self.one(&CHOICES));
            if self.roll(2) == 0 {
                choice = match &self.field.kinds[&prompt] {
                    Prompt::Signoff { .. } => Choice::Sign(self.one(SignoffRole::ALL)),
                    Prompt::Receipt { .. } => Choice::Briefed,
                    Prompt::Submit => Choice::Submit,
                    Prompt::Update => Choice::WriteUpdate,
                    Prompt::Point { .. } | Prompt::Case { .. } => Choice::Verdict(Verdict::Continue),
                    _ => choice,
                };
            }
            custom_id(kind, &prompt, choice)
        })
    }

    /// An interaction of Discord's, with its kind.
    fn interaction(&mut self, all: &[(String, Vec<Value>)]) -> Value {
        // One who holds every role knows what to do next; the others try what they can think of.
        let onward = if self.roll(8) == 0 { self.onward() } else { None };
        let leads = onward.is_some();
        let (kind, data) = match self.roll(10) {
            _ if leads => (2, onward.unwrap_or_default()),
            0..=4 => (2, self.command(all, false)),
            5 => (4, self.command(all, true)),
            6 | 7 => {
                let id = self.button('p').unwrap_or_else(|| "e:REL-1".to_owned());
                (3, json!({ "custom_id": id, "component_type": 2 }))
            }
            8 => {
                let id = self.text("release");
                let (section, _) = self.one(&self.field.sections);
                (3, json!({ "custom_id": format!("e:{id}"), "component_type": 3, "values": [section] }))
            }
            _ => {
                let mut value = "because".to_owned();
                let id = match self.roll(4) {
                    0 => format!("u:{}", self.text("release")),
                    1 => {
                        // A section as it was, with a line more.
                        let (section, text) = self.one(&self.field.sections);
                        value = format!("{text}\n\nSeen {}.", self.roll(1_000));
                        format!("E:{}:{section}:{}", self.text("release"), 1 + self.roll(2))
                    }
                    _ => self.button('f').unwrap_or_else(|| "u:REL-1".to_owned()),
                };
                let text = json!({ "type": 4, "custom_id": "text", "value": value });
                (5, json!({ "custom_id": id, "components": [{ "type": 1, "components": [text] }] }))
            }
        };
        let person = 11 + self.roll(4);
        let roles: Vec<String> =
            (1..=6).filter(|_| leads || self.dice.roll(6) > 0).map(|n| self.here.role(n).to_string()).collect();
        let guild = self.here.guild.to_string();
        let mut body = json!({
            "id": self.id.to_string(), "application_id": "9", "type": kind, "token": format!("token-{}", self.id), "version": 1,
            "guild_id": guild, "channel_id": "7", "locale": "en-US", "guild_locale": "en-US", "app_permissions": "0",
            "entitlements": [], "authorizing_integration_owners": {}, "context": 0, "attachment_size_limit": 1, "data": data,
            "member": {
                "user": user(person), "roles": roles, "joined_at": "2024-01-01T00:00:00+00:00", "deaf": false, "mute": false,
                "flags": 0, "pending": false, "permissions": if person == 11 { "32" } else { "0" },
            },
        });
        if kind == 3 {
            body["message"] = json!({
                "id": "77", "channel_id": "7", "author": user(9), "content": "", "timestamp": "2024-01-01T00:00:00+00:00",
                "edited_timestamp": null, "tts": false, "mention_everyone": false, "mentions": [], "mention_roles": [],
                "attachments": [], "embeds": [], "pinned": false, "type": 0,
            });
        }
        body
    }
}

/// A slash command as Discord nests it.
fn typed(path: &str, mut options: Vec<Value>, resolved: Value) -> Value {
    let words: Vec<&str> = path.split(' ').collect();
    for (depth, word) in words.iter().enumerate().skip(1).rev() {
        let kind = if words.len() == 3 && depth == 1 { 2 } else { 1 };
        options = vec![json!({ "name": word, "type": kind, "options": options })];
    }
    json!({ "id": "5", "name": words[0], "type": 1, "options": options, "resolved": resolved })
}

fn user(id: u64) -> Value {
    json!({ "id": id.to_string(), "username": format!("u{id}"), "discriminator": "0", "global_name": null, "avatar": null, "bot": false })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_two_servers_never_read_or_write_each_others() {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let (actions, seed) = (number("TMINUS_ACTIONS", 1_200), number("TMINUS_SEED", 20_261_125).max(1));
    eprintln!("{actions} actions, seed {seed}");
    let (folder, mut dice) = (tempfile::tempdir().unwrap(), Dice::new(seed));
    let mut field = Field::new(folder.path()).await;
    let mut all = Vec::new();
    for root in commands::all().as_array().unwrap() {
        leaves(root, root["name"].as_str().unwrap(), &mut all);
    }
    let (mut done, mut answered, mut kinds) = (0_u64, 0_u64, BTreeMap::<&str, u64>::new());
    for n in 0..actions {
        let server = &SERVERS[usize::try_from(dice.roll(2)).unwrap()];
        let other = SERVERS.iter().find(|other| other.guild != server.guild).unwrap();
        let body = Play { dice: &mut dice, field: &field, here: server, id: 1_000_000 + n }.interaction(&all);
        let interaction: Interaction =
            serde_json::from_value(body.clone()).unwrap_or_else(|error| panic!("{error}: {body}"));
        field.heard.lock().unwrap().clear();
        field.handler.handle(interaction).await;
        let heard = std::mem::take(&mut *field.heard.lock().unwrap());
        answered += u64::from(!heard.is_empty());
        for said in &heard {
            let text = String::from_utf8_lossy(said);
            assert!(
                !text.contains(other.word),
                "seed {seed}, action {n}: {} is told of {}: {text}\n{body}",
                server.word,
                other.word
            );
            let kind = if text.contains("✅ Done") {
                done += 1;
                "done"
            } else if text.contains('⛔') {
                "refused"
            } else {
                "shown"
            };
            *kinds.entry(kind).or_default() += 1;
        }
        field.look(Some(server)).await;
        if n.is_multiple_of(40) {
            // Time goes on for both, and releases come and go.
            field.clock.move_to(field.clock.now_ms() + i64::try_from(dice.roll(3 * 3_600_000)).unwrap());
            let now = Timestamp::from_millisecond(field.clock.now_ms()).unwrap();
            for release in field.store.due_releases(now, 1_000).await.unwrap() {
                field.desk.ask(Ask::Tick { release, away: None }).await.unwrap();
            }
            if n.is_multiple_of(200) {
                for server in &SERVERS {
                    // What was set up by chance leaves ever fewer people who may do anything.
                    field.configure(server).await;
                    field.import(server, n).await;
                }
            }
            field.look(None).await;
        }
    }
    let mut phases = BTreeMap::<&str, u64>::new();
    for (_, _, phase) in &field.phases {
        *phases.entry(phase).or_default() += 1;
    }
    eprintln!("{answered} of {actions} answered, {kinds:?}; releases {phases:?}, {} prompts", field.prompts.len());
    assert!(done * 16 > actions, "most of it was refused: {kinds:?}");
    assert!(phases.contains_key("live") || phases.contains_key("watching"), "nothing goes live: {phases:?}");
    assert_eq!(answered, actions, "nobody is left without an answer");
}
