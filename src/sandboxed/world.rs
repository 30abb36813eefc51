//! The seeded server of the sandbox and the settings the bot has for it. Data only.

use chat_sandbox::{ChannelSeed, Closing, PersonSeed, RoleSeed, Sample, SignalSeed, World};

use crate::chat::discord::doctor::invite_link;
use crate::domain::ids::{Audience, ChannelId, RoleId};
use crate::domain::plan::SignoffRole;
use crate::domain::policy::{Policy, Route};

pub(super) const GUILD: u64 = 700_000_000_000_000_001;
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

/// The seeded server: five roles that sign or steer, three audiences, nine people.
pub fn world() -> World {
    let role = |id, name: &str| RoleSeed { id, name: name.to_owned() };
    let channel = |id, name: &str, category: &str, topic: &str| ChannelSeed {
        id,
        name: name.to_owned(),
        category: category.to_owned(),
        topic: topic.to_owned(),
    };
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
        bot: "T-Minus".to_owned(),
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
            channel(RELEASES, "releases", "Shipping", "Plans, countdowns and decisions"),
            channel(ENGINEERING_CHANNEL, "engineering", "Teams", "Everybody who builds the shop"),
            channel(SUPPORT_CHANNEL, "support", "Teams", "Everybody who talks to customers"),
            channel(OPS, "tminus-ops", "Operations", "Messages about T-Minus itself"),
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
            person(9, "iris", "Iris Braun", &[MANAGER, LEAD]),
        ],
        other_guild: Some(700_000_000_000_000_002),
        other_channels: Vec::new(),
        signals: WATCHED.iter().map(Watched::seed).collect(),
        signals_note: "Alertmanager notifies T-Minus when a value crosses its threshold and when it recovers. In between, a person reports healthy values: `/release alert report`.".to_owned(),
        samples: vec![Sample {
            name: "checkout-4.2.md".to_owned(),
            about: "a filled-in plan. Attach it to `/release import`, submit it, then act as the people who sign.".to_owned(),
            bytes: super::PLAN.as_bytes().to_vec(),
        }],
        closing: Some(closing()),
    }
}

/// The sandbox stands on its own: this is all it says of how to go on.
fn closing() -> Closing {
    let steps = [
        "In Discord's developer portal, create an application with a bot. It needs no privileged intents. Copy its token.",
        "Invite the bot with the link below; replace `YOUR_APPLICATION_ID` with your application's id.",
        "Save the token in a file and set `token_file` in `tminus.toml` to its path (see `config/example.toml`). `tminus doctor --config tminus.toml` shows what is missing; `tminus run --config tminus.toml` starts the bot. Then type `/tminus setup` in your server.",
    ];
    Closing {
        title: "Connect your own server".to_owned(),
        steps: steps.map(str::to_owned).to_vec(),
        link: Some(("Invite link".to_owned(), invite_link("YOUR_APPLICATION_ID"))),
    }
}

/// A value of the shop's production with the rule that watches it, as the plan's table has it.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) metric: &'static str,
    series: &'static str,
    pub(super) unit: &'static str,
    range: (f64, f64, f64),
    normal: f64,
    broken: f64,
    pub(super) alert: &'static str,
    pub(super) above: bool,
    pub(super) threshold: f64,
    pub(super) summary: &'static str,
}

impl Watched {
    fn seed(&self) -> SignalSeed {
        let (min, max, step) = self.range;
        SignalSeed {
            name: self.metric.to_owned(),
            series: self.series.to_owned(),
            unit: if self.unit == "%" { "%".to_owned() } else { format!(" {}", self.unit) },
            min,
            max,
            step,
            normal: self.normal,
            broken: self.broken,
        }
    }
}

/// What the shop's Alertmanager watches.
pub(super) const WATCHED: [Watched; 3] = [
    Watched {
        metric: "Error Rate",
        series: "checkout_error_percent",
        unit: "%",
        range: (0.0, 10.0, 0.1),
        normal: 0.4,
        broken: 3.1,
        alert: "CheckoutErrorRate",
        above: true,
        threshold: 2.0,
        summary: "Payments fail for one user in thirty",
    },
    Watched {
        metric: "P99 Latency",
        series: "checkout_latency_p99_milliseconds",
        unit: "ms",
        range: (50.0, 2000.0, 10.0),
        normal: 200.0,
        broken: 320.0,
        alert: "CheckoutLatency",
        above: true,
        threshold: 400.0,
        summary: "The checkout is slow",
    },
    Watched {
        metric: "Throughput",
        series: "checkout_requests_per_second",
        unit: "rps",
        range: (0.0, 2000.0, 10.0),
        normal: 1200.0,
        broken: 980.0,
        alert: "CheckoutThroughput",
        above: false,
        threshold: 800.0,
        summary: "Fewer people check out than usual",
    },
];

pub(super) fn policy() -> Policy {
    let role = |id: u64| RoleId(id.to_string());
    let route = |channel: Option<u64>, id| Route {
        channel: channel.map(|c| ChannelId(c.to_string())),
        role: Some(role(id)),
        ..Route::default()
    };
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
        ..Policy::default()
    }
}
