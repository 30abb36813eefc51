//! What people wrote: the typed release plan. It must not know Markdown (`plan_doc` does) nor what has happened since.
//!
//! The fields are those of the template, one for one; units are in the field names.

pub mod quantity;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{Audience, ChannelId, UserId};
pub use super::trigger::TriggerRule;
pub use quantity::{Bound, Cmp, Quantity};

macro_rules! shown {
    ($type:ty { $($variant:ident => $text:literal),+ $(,)? }) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$variant => $text),+ })
            }
        }
    };
    (all $type:ty { $($variant:ident => $text:literal),+ $(,)? }) => {
        shown!($type { $($variant => $text),+ });
        impl $type {
            /// Every value, in the template's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

/// A release plan. What a draft may still lack is an `Option`; lint stands against submitting until it is there, so from
/// gathering on every such field is filled.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    #[serde(default)]
    pub level: Level,
    pub title: String,
    pub service: Option<String>,
    /// What users notice, for audiences outside the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<String>,
    pub t0: Option<PlannedTime>,
    pub kind: Option<ReleaseType>,
    pub risk: Option<Risk>,
    pub owner: Option<Contact>,
    pub on_call: Option<Contact>,
    pub approaches: Vec<Approach>,
    pub stages: Vec<StagePlan>,
    pub metrics: Vec<MetricPlan>,
    pub triggers: Vec<TriggerPlan>,
    pub points: Vec<PointPlan>,
    pub rungs: Vec<RungPlan>,
    pub channel: Option<String>,
    /// The channel of the server that this names, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
    /// Minutes between updates, 5 to 240.
    pub updates_every_min: Option<u32>,
    pub escalation: Vec<Contact>,
    pub gates: Vec<GatePlan>,
    pub risks: Vec<RiskPlan>,
    pub contingency: Vec<ContingencyPlan>,
    pub actions: Vec<ActionPlan>,
    pub signoffs: Vec<SignoffPlan>,
    /// Boxes outside the sections we know: plain tasks of the checklist, never gates.
    #[serde(default)]
    pub tasks: Vec<TaskPlan>,
}

/// The interval of updates until the plan names one, in minutes.
pub const DEFAULT_UPDATES_MIN: u32 = 30;

impl Plan {
    /// The planned instant of T-0, once there is one.
    pub fn t0_at(&self) -> Option<Timestamp> {
        self.t0.as_ref().map(|t0| t0.at)
    }

    /// The plan's time zone; UTC until it names one.
    pub fn zone(&self) -> &str {
        self.t0.as_ref().map_or("UTC", |t0| t0.zone.as_str())
    }

    /// The member who owns the release, once known.
    pub fn owner_user(&self) -> Option<&UserId> {
        self.owner.as_ref().and_then(|contact| contact.user.as_ref())
    }

    /// The member who is on call, once known.
    pub fn on_call_user(&self) -> Option<&UserId> {
        self.on_call.as_ref().and_then(|contact| contact.user.as_ref())
    }

    /// Minutes between updates.
    pub fn update_interval_min(&self) -> u32 {
        self.updates_every_min.unwrap_or(DEFAULT_UPDATES_MIN)
    }

    /// The name of the plan's channel, without `#` and with the date of T-0 filled in.
    pub fn channel_name(&self) -> Option<String> {
        let date = self.t0_at().map(|at| super::zone_of(self.zone()).to_datetime(at).date().to_string());
        let name = self.channel.as_deref()?.trim().trim_start_matches('#');
        Some(name.replace("[date]", &date.unwrap_or_default()).to_lowercase())
    }

    /// Whether somebody is named for the sign-off that is asked "if required".
    pub fn names_security(&self) -> bool {
        self.signoffs.iter().any(|signoff| signoff.role == SignoffRole::Security && signoff.name.is_some())
    }

    /// Everybody the plan names by words.
    pub fn contacts_mut(&mut self) -> impl Iterator<Item = &mut Contact> {
        self.owner.iter_mut().chain(&mut self.on_call).chain(&mut self.escalation)
    }
}

/// How much of a document was understood as a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// The template's own headings and labels: the whole model.
    #[default]
    A,
    /// The runbook form: a metrics table with a "rollback if" column, T+N headings.
    B,
    /// Other headings, read by synonyms; what is missing is asked.
    C,
    /// A checklist: a title and boxes.
    D,
}
shown!(Level { A => "A", B => "B", C => "C", D => "D" });

/// A planned instant with the words and the zone its author used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTime {
    pub at: Timestamp,
    /// IANA name or a fixed offset such as `+02:00`.
    pub zone: String,
    /// What the author typed.
    pub typed: String,
}

/// Release type: picks the sign-offs and the notice ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseType {
    Standard,
    Hotfix,
    Emergency,
}

/// Risk level: picks the sign-offs and what must be in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    Low,
    Medium,
    High,
}

shown!(all ReleaseType { Standard => "Standard", Hotfix => "Hotfix", Emergency => "Emergency" });
shown!(all Risk { Low => "Low", Medium => "Medium", High => "High" });

/// A person the plan names. `user` is known once the name was matched to a member of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub name: String,
    pub handle: Option<String>,
    pub user: Option<UserId>,
}

/// How the change reaches its users.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approach {
    BigBang,
    Canary { percent: f64 },
    BlueGreen,
    FeatureFlag { groups: String },
}

/// One step of the rollout. `hold_min` is the soak time in minutes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StagePlan {
    pub text: String,
    pub percent: Option<f64>,
    /// `10 submissions`, `3 hosts`: an extent that is counted, as written.
    #[serde(default)]
    pub count: Option<String>,
    /// `internal users`, `region US-WEST`: an extent that is named, as written.
    #[serde(default)]
    pub group: Option<String>,
    pub hold_min: Option<u32>,
}

shown!(Cmp {
    Below => "<", AtMost => "≤", Above => ">", AtLeast => "≥", Equal => "=", Within => "within", Outside => "outside",
});

/// A row of the key-metrics table. The band between success and alert calls for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricPlan {
    pub name: String,
    pub baseline: Option<Quantity>,
    pub success: Option<Bound>,
    pub alert: Option<Bound>,
    /// How long the alert threshold must be passed, in seconds, where the cell says it.
    #[serde(default)]
    pub alert_for_s: Option<u32>,
    /// A dashboard or query the table names, as written.
    #[serde(default)]
    pub query: Option<String>,
}

/// A rollback trigger; `rule` is absent where a person has to judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TriggerPlan {
    pub text: String,
    /// Ticked by a person. Unticked but filled still arms the prompt, never a lever.
    pub ticked: bool,
    pub rule: Option<TriggerRule>,
}

/// A decision point: minutes after T-0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointPlan {
    pub after_min: u32,
    pub text: String,
}

/// A rung of the notice ladder: minutes before T-0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungPlan {
    pub before_min: u32,
    pub audience: Audience,
    pub text: String,
}

/// Words in a notice's line by which the plan makes go wait for its receipt.
const DEMANDS: [&str; 3] = ["must confirm", "confirmation required", "receipt required"];

/// Whether a text says some words, and not "no" or "not" before them.
fn says(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default().split_whitespace().next_back();
        !matches!(before, Some("no" | "not" | "without"))
    })
}

impl RungPlan {
    /// `T-24h/engineering`: the rung's name inside one schedule generation.
    pub fn key(&self) -> String {
        format!("{}/{}", t_label(-i64::from(self.before_min)), self.audience)
    }

    /// Whether its line makes go wait for its receipt.
    pub fn demands_receipt(&self) -> bool {
        let text = self.text.to_lowercase();
        DEMANDS.iter().any(|words| says(&text, words))
    }

    /// The rung a key names, without its text: what was said stands though the plan says it no more.
    pub fn of_key(key: &str) -> Option<Self> {
        let (label, audience) = key.split_once('/')?;
        let before_min = label.strip_prefix("T-")?.split(' ').try_fold(0_u32, |minutes, part| {
            let unit = match part.chars().next_back()? {
                'd' => 1_440,
                'h' => 60,
                'm' => 1,
                _ => return None,
            };
            let count: u32 = part.get(..part.len() - 1)?.parse().ok()?;
            minutes.checked_add(count.checked_mul(unit)?)
        });
        Some(Self { before_min: before_min?, audience: Audience::from(audience), text: String::new() })
    }
}

/// What must be true before go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatePlan {
    pub id: String,
    pub text: String,
    pub kind: GateKind,
    pub done: bool,
}

/// The two lists of the template's dependencies section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateKind {
    Document,
    Prerequisite,
}

/// A risk and what is done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskPlan {
    pub risk: String,
    pub mitigation: String,
}

/// When a contingency card wakes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContingencyWhen {
    RollbackFails,
    BlindSpot,
    Cascade,
}
shown!(ContingencyWhen {
    RollbackFails => "If rollback fails",
    BlindSpot => "If monitoring blind spots detected",
    Cascade => "If cascading failures occur",
});

/// A contingency of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContingencyPlan {
    pub when: ContingencyWhen,
    pub text: String,
}

/// A post-release action; `for_min` only where the plan gives a duration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionPlan {
    pub id: String,
    pub text: String,
    pub for_min: Option<u32>,
}

/// A box of a section we do not know: shown in the checklist, ticked by people, in nobody's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskPlan {
    pub id: String,
    pub text: String,
    pub done: bool,
}

/// The four roles that sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignoffRole {
    EngineeringLead,
    ProductOwner,
    SreOps,
    Security,
}
shown!(all SignoffRole {
    EngineeringLead => "Engineering Lead",
    ProductOwner => "Product Owner",
    SreOps => "SRE/Ops",
    Security => "Security",
});

impl SignoffRole {
    /// The value used in commands and configuration.
    pub fn slug(self) -> &'static str {
        match self {
            Self::EngineeringLead => "engineering_lead",
            Self::ProductOwner => "product_owner",
            Self::SreOps => "sre_ops",
            Self::Security => "security",
        }
    }
    /// The role of a slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.slug() == slug)
    }
}

/// A sign-off line of the plan; the name is the plan's wish, the mapped role decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignoffPlan {
    pub role: SignoffRole,
    pub name: Option<String>,
}

/// Notices in a line, as they are written; none is `off`.
pub fn ladder_line(rungs: &[RungPlan]) -> String {
    if rungs.is_empty() {
        return "off".to_owned();
    }
    let one = |rung: &RungPlan| format!("{} {}", t_label(-i64::from(rung.before_min)), rung.text);
    rungs.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// `T-24h`, `T-30m`, `T+15m`, `T-0`, `T+1h 30m`: the label of an offset in minutes.
pub fn t_label(offset_min: i64) -> String {
    if offset_min == 0 {
        return "T-0".to_owned();
    }
    let sign = if offset_min < 0 { '-' } else { '+' };
    format!("T{sign}{}", span_label(offset_min.unsigned_abs()))
}

/// `24h`, `30m`, `1h 30m`; whole days only from 48 h on, so that `24h` stays `24h`.
pub fn span_label(minutes: u64) -> String {
    let (days, rest) = if minutes >= 2 * 1440 { (minutes / 1440, minutes % 1440) } else { (0, minutes) };
    let parts = [(days, "d"), (rest / 60, "h"), (rest % 60, "m")];
    let shown: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if shown.is_empty() { "0m".to_owned() } else { shown.join(" ") }
}
