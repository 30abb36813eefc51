//! The bot and its sandbox in one process: the simulated Discord, a seeded server, the story of one release. Used by
//! `tminus sandbox` and by the tests.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;
use tminus_sandbox::{Act, Bot, ChannelSeed, PersonSeed, RoleSeed, Sandbox, Setup, SimClock, Step, Waiting, World};

use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, LogFormat, Source, SourceKind};
use crate::domain::ids::{Audience, ChannelId, GuildId, RoleId};
use crate::domain::plan::SignoffRole;
use crate::domain::policy::{Policy, Route};
use crate::store::Purpose;

/// The plan of the stories, filled in the template.
pub const PLAN: &str = include_str!("../tests/data/plans/checkout-4.2.md");
/// The bearer token the sandbox's alert source uses.
pub const ALERT_TOKEN: &str = "sandbox-alert-token-of-24-bytes";
/// The bot token of the simulated Discord.
pub const BOT_TOKEN: &str = "sandbox-bot-token";
/// Where the sandbox's clock begins: 2026-12-07 12:00 UTC, 25 hours before the plan's T-0.
pub const BEGIN_MS: i64 = 1_796_644_800_000;

const GUILD: u64 = 700_000_000_000_000_001;
const MANAGER: u64 = 700_000_000_000_000_011;
const LEAD: u64 = 700_000_000_000_000_012;
const PRODUCT: u64 = 700_000_000_000_000_013;
const SRE: u64 = 700_000_000_000_000_014;
const SECURITY: u64 = 700_000_000_000_000_015;
const ENGINEERING: u64 = 700_000_000_000_000_016;
const SUPPORT: u64 = 700_000_000_000_000_017;
const STATUS: u64 = 700_000_000_000_000_018;
const RELEASES: u64 = 700_000_000_000_000_101;
const SUPPORT_CHANNEL: u64 = 700_000_000_000_000_102;
const ENGINEERING_CHANNEL: u64 = 700_000_000_000_000_103;
const OPS: u64 = 700_000_000_000_000_104;

/// The seeded server: five roles that sign or steer, three audiences, eight people.
pub fn world() -> World {
    let role = |id, name: &str| RoleSeed { id, name: name.to_owned() };
    let channel = |id, name: &str| ChannelSeed { id, name: name.to_owned() };
    let person = |n: u64, username: &str, name: &str, roles: &[u64]| PersonSeed {
        id: 700_000_000_000_001_000 + n,
        username: username.to_owned(),
        name: name.to_owned(),
        roles: roles.to_vec(),
        manages: n == 1,
    };
    World {
        guild: GUILD,
        name: "Acme Shop".to_owned(),
        roles: vec![
            role(MANAGER, "Release Managers"),
            role(LEAD, "Engineering Leads"),
            role(PRODUCT, "Product"),
            role(SRE, "SRE"),
            role(SECURITY, "Security"),
            role(ENGINEERING, "Engineering"),
            role(SUPPORT, "Support"),
            role(STATUS, "Status Page"),
        ],
        channels: vec![
            channel(RELEASES, "releases"),
            channel(ENGINEERING_CHANNEL, "engineering"),
            channel(SUPPORT_CHANNEL, "support"),
            channel(OPS, "tminus-ops"),
        ],
        people: vec![
            person(1, "ana", "Ana Ferreira", &[MANAGER, ENGINEERING, LEAD]),
            person(2, "ben", "Ben Okafor", &[ENGINEERING]),
            person(3, "chloe", "Chloe Martin", &[LEAD, ENGINEERING]),
            person(4, "dev", "Dev Patel", &[PRODUCT]),
            person(5, "eva", "Eva Novak", &[SRE, ENGINEERING]),
            person(6, "farid", "Farid Rahimi", &[SECURITY]),
            person(7, "gwen", "Gwen Lee", &[SUPPORT, STATUS]),
            person(8, "hugo", "Hugo Weiss", &[]),
        ],
        other_guild: Some(700_000_000_000_000_002),
    }
}

fn policy() -> Policy {
    let role = |id: u64| RoleId(id.to_string());
    let route = |channel: Option<u64>, id| Route { channel: channel.map(|c| ChannelId(c.to_string())), role: Some(role(id)) };
    Policy {
        release_channel: Some(ChannelId(RELEASES.to_string())),
        ops_channel: Some(ChannelId(OPS.to_string())),
        zone: Some("Europe/Berlin".to_owned()),
        signers: [
            (SignoffRole::EngineeringLead, vec![role(LEAD)]),
            (SignoffRole::ProductOwner, vec![role(PRODUCT)]),
            (SignoffRole::SreOps, vec![role(SRE)]),
            (SignoffRole::Security, vec![role(SECURITY)]),
        ]
        .into(),
        release_managers: vec![role(MANAGER)],
        audiences: [
            (Audience::engineering(), route(Some(ENGINEERING_CHANNEL), ENGINEERING)),
            (Audience::support(), route(Some(SUPPORT_CHANNEL), SUPPORT)),
            (Audience::status_page(), route(None, STATUS)),
        ]
        .into(),
        self_approval: false,
    }
}

/// How the pair is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// The page's port; 0 takes a free one.
    pub port: u16,
    /// Shared by the bot and the simulated Discord.
    pub clock: SimClock,
    /// Messages per channel and five seconds; Discord's is about 5.
    pub per_five_seconds: u32,
}

/// The bot connected to its sandbox.
#[derive(Debug)]
pub struct Sandboxed {
    /// The simulated Discord.
    pub sandbox: Sandbox,
    /// The bot.
    pub app: Arc<App>,
    /// The intake's base URL.
    pub intake: String,
}

#[derive(Debug)]
struct Marks(Weak<App>);

impl Bot for Marks {
    fn next_due(&self) -> Waiting<Option<i64>> {
        let app = self.0.upgrade();
        Box::pin(async move {
            match app {
                Some(app) => app.next_due().await.ok().flatten().map(Timestamp::as_millisecond),
                None => None,
            }
        })
    }

    fn quiet(&self) -> Waiting<Result<(), String>> {
        let app = self.0.upgrade();
        Box::pin(async move {
            match app {
                Some(app) => app.quiet().await.map_err(|error| error.to_string()),
                None => Ok(()),
            }
        })
    }
}

/// The configuration of a bot that connects to a sandbox at `api_url`.
fn config(api_url: String, database: &Path) -> Config {
    Config {
        token: SecretString::from(BOT_TOKEN.to_owned()),
        api_url,
        database: database.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        sources: vec![Source {
            name: "sandbox".to_owned(),
            kind: SourceKind::Alertmanager,
            guild: GuildId(GUILD.to_string()),
            secret: SecretString::from(ALERT_TOKEN.to_owned()),
        }],
        log_format: LogFormat::Human,
        log_filter: "info".to_owned(),
        workspaces: vec![(GuildId(GUILD.to_string()), policy())],
    }
}

impl Sandboxed {
    /// Starts the sandbox, then the bot, and waits until it is online.
    ///
    /// # Errors
    /// A port, a file or the database cannot be used, or the bot did not come online.
    pub async fn start(options: Options, database: &Path) -> anyhow::Result<Self> {
        let setup = Setup {
            world: world(),
            clock: options.clock,
            token: BOT_TOKEN.to_owned(),
            port: options.port,
            per_five_seconds: options.per_five_seconds,
        };
        let sandbox = Sandbox::start(setup).await?;
        Self::connect(sandbox, database).await
    }

    /// Starts the bot against a sandbox that runs already: a restart.
    ///
    /// # Errors
    /// As [`Sandboxed::start`].
    pub async fn connect(sandbox: Sandbox, database: &Path) -> anyhow::Result<Self> {
        let clock = Clock::Sandbox(sandbox.clock().clone());
        let app = App::start(config(sandbox.url(), database), clock, Purpose::Sandbox).await?;
        let intake = format!("http://{}", app.intake);
        let app = Arc::new(app);
        sandbox.attach(Arc::new(Marks(Arc::downgrade(&app))));
        for _ in 0..1_000 {
            if app.ready() && sandbox.online() {
                return Ok(Self { sandbox, app, intake });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::bail!("the bot did not come online within ten seconds")
    }

    /// Checks the journal: its chain, and that replaying it gives each stored state. Returns the number of entries.
    ///
    /// # Errors
    /// A sentence that says what does not fit.
    pub async fn check_journal(&self) -> anyhow::Result<i64> {
        let store = self.app.desk().store();
        let (entries, _) = crate::store::verify(store).await?.map_err(|seq| anyhow::anyhow!("the chain breaks at entry {seq}"))?;
        for head in store.list_releases(&GuildId(GUILD.to_string())).await? {
            let journal: Vec<_> = store.history(head.id).await?.into_iter().map(|e| e.recorded).collect();
            let replayed = crate::domain::release::Release::replay(&journal);
            anyhow::ensure!(replayed == store.read_release(head.id).await?, "replaying the journal of {} gives another state", head.no);
        }
        Ok(entries)
    }

    /// Ends the bot; the sandbox goes on.
    pub async fn stop_bot(self) {
        let Self { app, .. } = self;
        for _ in 0..100 {
            if Arc::strong_count(&app) == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        if let Ok(app) = Arc::try_unwrap(app) {
            app.stop().await;
        }
    }
}

/// Minutes after (or before) the plan's T-0, in milliseconds of Unix time.
pub fn t(minutes: i64) -> i64 {
    BEGIN_MS + (25 * 60 + minutes) * 60_000
}

fn step(caption: &str, who: &str, channel: &str, act: Act) -> Step {
    Step { caption: caption.to_owned(), who: who.to_owned(), channel: channel.to_owned(), act }
}

fn slash(caption: &str, who: &str, path: &str, options: &[(&str, &str)]) -> Step {
    let options = options.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    step(caption, who, "releases", Act::Slash { path: path.to_owned(), options, file: None })
}

fn press(caption: &str, who: &str, channel: &str, label: &str, fill: &[(&str, &str)]) -> Step {
    let fill = fill.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    step(caption, who, channel, Act::Press { label: label.to_owned(), fill })
}

fn advance(caption: &str, channel: &str, minutes: i64) -> Step {
    step(caption, "ana", channel, Act::Advance { to_ms: t(minutes) })
}

/// An Alertmanager body for the error rate, as it began at `since` minutes after T-0.
pub fn alert(intake: &str, since: i64, value: &str, firing: bool) -> Act {
    let starts = Timestamp::from_millisecond(t(since)).unwrap_or(Timestamp::UNIX_EPOCH).to_string();
    Act::Post {
        url: format!("{intake}/hooks/alertmanager/sandbox"),
        bearer: ALERT_TOKEN.to_owned(),
        body: json!({
            "version": "4", "groupKey": "{}:{alertname=\"CheckoutErrorRate\"}", "status": if firing { "firing" } else { "resolved" },
            "receiver": "tminus", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager.example",
            "alerts": [{
                "status": if firing { "firing" } else { "resolved" },
                "labels": { "alertname": "CheckoutErrorRate", "service": "checkout", "severity": "critical", "metric": "Error rate" },
                "annotations": { "summary": "Payments fail for one user in thirty", "value": value },
                "startsAt": starts, "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "c0ffee",
            }],
        }),
    }
}

/// The story `smooth`: one release from import to the post-mortem's reminder. Nothing about it is smooth for five minutes.
pub fn smooth(intake: &str) -> Vec<Step> {
    let plan = Act::Slash {
        path: "release import".to_owned(),
        options: Vec::new(),
        file: Some(("checkout-4.2.md".to_owned(), PLAN.as_bytes().to_vec())),
    };
    let healthy = "P99 Latency: 212ms\nError Rate: 0.5%\nThroughput: 1180 rps";
    vec![
        step("Ana imports the filled-in plan", "ana", "releases", plan),
        press("She reads what will be said, and submits it", "ana", "releases", "Submit for sign-off", &[]),
        slash("She owns the plan, so she cannot sign it", "ana", "release signoff give", &[("role", "engineering_lead")]),
        press("Chloe signs as Engineering Lead", "chloe", "releases", "Sign as Engineering Lead", &[]),
        advance("T-24h: engineering is told", "engineering", -24 * 60),
        press("Dev signs as Product Owner", "dev", "releases", "Sign as Product Owner", &[]),
        press("Eva signs as SRE/Ops: the release is approved", "eva", "releases", "Sign as SRE/Ops", &[]),
        slash("Ana ticks the last prerequisite", "ana", "release item done", &[("text", "dependencies-deployed-and-stable")]),
        advance("T-2h: support is told", "support", -120),
        press("Gwen confirms for support", "gwen", "support", "Briefed", &[]),
        advance("T-30m: the status page", "releases", -30),
        press("Gwen has updated the status page", "gwen", "releases", "Briefed", &[]),
        advance("T-0: go or no-go", "releases", 0),
        slash("Ana gives go", "ana", "release go", &[]),
        advance("Ten minutes later", "releases", 10),
        slash("Ana writes an update", "ana", "release update", &[("text", "5% of users are on the new step; nothing unusual.")]),
        advance("T+15m: the first decision point", "releases", 15),
        press("Eva lets it continue", "eva", "releases", "Continue", &[("text", "Latency and errors are at the baseline.")]),
        advance("T+20m", "releases", 20),
        step("Production breaks: an alert arrives", "ben", "releases", alert(intake, 20, "3.1", true)),
        press("Ben acknowledges it", "ben", "releases", "Acknowledge", &[]),
        advance("Two minutes later", "releases", 22),
        step("The alert repeats: its message is edited", "ben", "releases", alert(intake, 20, "3.4", true)),
        advance("Five minutes over 2%: the trigger asks for a decision", "releases", 25),
        press("Eva holds the rollout", "eva", "releases", "Hold", &[("text", "The provider's quota is being raised; five percent is bearable.")]),
        advance("T+35m", "releases", 35),
        step("The alert ends, which alone proves nothing", "ben", "releases", alert(intake, 20, "3.4", false)),
        slash("Ben reports a fresh value", "ben", "release alert report", &[("metric", "Error Rate"), ("text", "0.5%")]),
        slash("Ana resumes; later times move by ten minutes", "ana", "release resume", &[]),
        advance("Stage 1 has soaked", "releases", 45),
        slash("Ana goes on to 25%", "ana", "release stage", &[("stage", "advance")]),
        slash("Ana writes an update", "ana", "release update", &[("text", "25% of users; the quota is raised.")]),
        advance("T+1h, moved by the hold", "releases", 70),
        press("Ben lets it continue", "ben", "releases", "Continue", &[("text", "No errors since the quota was raised.")]),
        slash("Ana writes an update", "ana", "release update", &[("text", "Stable at 25%.")]),
        advance("Nobody writes the next update: T-Minus does, and says so", "releases", 105),
        slash("Ana goes on to everyone", "ana", "release stage", &[("stage", "advance")]),
        slash("She writes the update she owed", "ana", "release update", &[("text", "Everyone is on the new step.")]),
        advance("Half an hour", "releases", 134),
        slash("Ana writes an update", "ana", "release update", &[("text", "Everything is calm.")]),
        advance("Stage 3 has soaked", "releases", 165),
        slash("Ana ends the rollout: watching", "ana", "release stage", &[("stage", "advance")]),
        slash("The all-clear is refused, with the list", "ana", "release all-clear", &[]),
        advance("T+4h, moved by the hold", "releases", 250),
        press("Eva lets it continue", "eva", "releases", "Continue", &[("text", "All metrics at the baseline.")]),
        advance("T+24h, moved by the hold", "releases", 1450),
        press("Eva lets it continue", "eva", "releases", "Continue", &[("text", "A quiet night.")]),
        press("Ana reports the final values", "ana", "releases", "Write update", &[("text", "Final values."), ("values", healthy)]),
        slash("Ana gives the all-clear", "ana", "release all-clear", &[]),
        advance("A day later: the post-mortem is due, because an alert fired", "releases", 1451 + 1440),
        press("Ana files it", "ana", "releases", "File post-mortem", &[("text", "https://wiki.example/post-mortems/checkout-4.2")]),
    ]
}
