//! Two servers in one process (S3): whatever is typed, pressed, attached or sent by a monitoring system in one, with the other's
//! numbers, ids, names and secrets in it, nothing of the other is read or written.
//!
//! `TMINUS_ACTIONS` sets how many (default 1,200), `TMINUS_SEED` the seed.

mod play;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::Path;
use axum::routing::get;
use chat_sandbox::{Dice, SimClock};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;
use serenity::model::application::Interaction;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::play::{Alerts, Play, leaves};
use super::super::commands;
use super::super::handle::Handler;
use super::super::rest::{Rest, http_client};
use crate::chat::rate::Rate;
use crate::chat::token::Token;
use crate::clock::Clock;
use crate::config::{Source, SourceKind};
use crate::delivery::{Capabilities, Repeat};
use crate::desk::{self, Ask, Desk, Nudges};
use crate::domain::freeze::{Freeze, Window};
use crate::domain::ids::{Audience, ChannelId, RoleId, UserId, WorkspaceId};
use crate::domain::lifecycle::Imported;
use crate::domain::people::{Actor, Person, Standing};
use crate::domain::plan::SignoffRole;
use crate::domain::policy::{Policy, Route};
use crate::domain::prompt::Prompt;
use crate::domain::recur;
use crate::domain::workspace::WorkspaceCommand;
use crate::intake::{self, Intake};
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
    fn id(&self) -> WorkspaceId {
        WorkspaceId(self.guild.to_string())
    }
    /// Roles and channels differ from server to server; people are members of both.
    fn role(&self, n: u64) -> u64 {
        self.guild * 1_000 + n
    }
    /// Its monitoring system, as the configuration names it.
    fn source(&self) -> Source {
        let name = self.word.to_lowercase();
        let secret = SecretString::from(format!("{name} secret"));
        Source { name, kind: SourceKind::Alertmanager, server: self.id(), secret }
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

/// The bot's own answers, as Discord would get them, and the documents that are attached.
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
    let attached = |Path((guild, n, day)): Path<(u64, u64, String)>| async move {
        let server = SERVERS.iter().find(|server| server.guild == guild).unwrap();
        server.plan(n).replace("2026-12-08 14:00", &format!("{day} 14:00"))
    };
    let (socket, url) = socket().await;
    let app = axum::Router::new().route("/plan/{guild}/{n}/{day}", get(attached)).fallback(hear);
    tokio::spawn(async move { axum::serve(socket, app).await });
    (url, heard)
}

async fn socket() -> (TcpListener, String) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    (socket, url)
}

struct Field {
    desk: Desk,
    store: Store,
    handler: Handler,
    clock: SimClock,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    /// Where documents are attached.
    attached: String,
    intake: Arc<Intake>,
    /// Where monitoring systems send what they see.
    hooks: String,
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
        let (desk, requests) = Desk::new(
            store.clone(),
            Clock::sandbox(clock.clone()).believed(),
            Capabilities::of_chat(Repeat::LookUpFirst { nonce: None }),
        );
        tokio::spawn(desk::run(desk.clone(), requests, Nudges::default()));
        let (url, heard) = listener().await;
        let http = http_client().unwrap();
        let token = SecretString::from("t".to_owned());
        let rest = Rest::new(http.clone(), &url, token.clone(), Clock::sandbox(clock.clone()).believed());
        let handler = Handler {
            desk: desk.clone(),
            rest,
            http,
            local: Some(url.clone()),
            by_file: Arc::default(),
            rate: Arc::new(Rate::new(crate::sandboxed::UNCOUNTED)),
            telling: Arc::new(tokio::sync::Semaphore::new(1)),
            missed: Arc::default(),
        };
        let sources = SERVERS.iter().map(Server::source).collect();
        let intake = Arc::new(Intake::new(desk.clone(), sources, Arc::default(), Arc::default(), Token::from(token)));
        let (hook, hooks) = socket().await;
        tokio::spawn(intake::run(hook, Arc::clone(&intake), CancellationToken::new()));
        let mut field = Self {
            attached: url.clone(),
            intake,
            hooks,
            desk,
            store,
            handler,
            clock,
            heard,
            prompts: Vec::new(),
            kinds: BTreeMap::new(),
            releases: Vec::new(),
            phases: Vec::new(),
            sections: plan_doc::menu(PLAN, &[])
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
                rule: recur::Rule::parse("Tue 14:00").unwrap(),
                zone: "Europe/Berlin".to_owned(),
                days_ahead: 2,
                people: BTreeMap::new(),
            };
            let actor = person("11", vec![RoleId(server.role(5).to_string())]);
            let template = Some(("train.md".to_owned(), server.plan(9).into_bytes()));
            field.desk.ask(Ask::Workspace { server: server.id(), actor, command, template }).await.unwrap();
        }
        field.look(None).await;
        field
    }

    async fn configure(&self, server: &Server) {
        let policy = Box::new(server.policy());
        self.desk.ask(Ask::Configure { server: server.id(), actor: Actor::File, policy }).await.unwrap();
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
        let import = Ask::Import {
            server: guild,
            actor,
            release: None,
            expect: None,
            imported,
            file_name: "p.md".to_owned(),
            bytes,
        };
        self.desk.ask(import).await.unwrap();
    }

    /// Sends what a monitoring system sees; says whether it was let in.
    async fn send(&self, alerts: &Alerts) -> bool {
        let url = format!("{}/hooks/alertmanager/{}", self.hooks, alerts.to);
        let sent = self.handler.http.post(url).bearer_auth(&alerts.secret).body(alerts.body.to_string()).send();
        match sent.await.unwrap().status().as_u16() {
            202 => true,
            401 => false,
            other => panic!("{other} for {}", alerts.body),
        }
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
    let (mut done, mut answered, mut sent, mut kinds) = (0_u64, 0_u64, 0_u64, BTreeMap::<&str, u64>::new());
    for n in 0..actions {
        if n > 0 && n.is_multiple_of(40) {
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
        let server = &SERVERS[usize::try_from(dice.roll(2)).unwrap()];
        let other = SERVERS.iter().find(|other| other.guild != server.guild).unwrap();
        let mut play = Play { dice: &mut dice, field: &field, here: server, id: 1_000_000 + n };
        if let Some(alerts) = play.alerts() {
            sent += 1;
            // One server's secret opens nothing of another's; what is let in is what the address names, whoever sent it.
            let own = alerts.secret == format!("{} secret", alerts.to);
            assert_eq!(field.send(&alerts).await, own, "{} sends to {}", alerts.secret, alerts.to);
            let of = SERVERS.iter().find(|server| server.source().name == alerts.to).unwrap();
            field.look(Some(of)).await;
            continue;
        }
        let body = play.interaction(&all);
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
    }
    let mut phases = BTreeMap::<&str, u64>::new();
    for (_, _, phase) in &field.phases {
        *phases.entry(phase).or_default() += 1;
    }
    let (taken, denied) = (field.intake.metrics.taken.get(), field.intake.metrics.denied.get());
    eprintln!("{sent} sent by monitoring: {taken} alerts taken, {denied} senders denied");
    // Beside those the test itself brings.
    let attached = field.releases.len() as u64 - 2 * (3 + actions.saturating_sub(1) / 200);
    eprintln!("{attached} releases from attached plans");
    eprintln!("{answered} of {actions} answered, {kinds:?}; releases {phases:?}, {} prompts", field.prompts.len());
    assert!(done * 20 > answered, "most of it was refused: {kinds:?}");
    assert!(phases.contains_key("live") || phases.contains_key("watching"), "nothing goes live: {phases:?}");
    assert_eq!(answered + sent, actions, "nobody is left without an answer");
    assert!(actions < 1_000 || attached > 0, "no plan is taken that was attached");
    assert!(taken > 0 && denied > 0, "{taken} alerts reach a release, {denied} are turned away");
}
