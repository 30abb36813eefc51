//! A server's rules as data: channels, roles, audiences, freezes, and which sign-offs a plan needs. Who may do what is `may`'s.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::freeze::Freeze;
use super::ids::{Audience, ChannelId, Destination, Place, RoleId};
use super::plan::{Plan, ReleaseType, Risk, RungPlan, SignoffRole};
use super::recur::{Rule, instant};
use super::zone_of;

/// A workspace's rules as a release carries them from the moment it is submitted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    pub release_channel: Option<ChannelId>,
    pub ops_channel: Option<ChannelId>,
    /// IANA name used where a plan names no zone.
    pub zone: Option<String>,
    /// Roles that may sign; an absent or empty entry means nobody.
    pub signers: BTreeMap<SignoffRole, Vec<RoleId>>,
    /// Roles that may import and steer any release of the workspace.
    pub release_managers: Vec<RoleId>,
    pub audiences: BTreeMap<Audience, Route>,
    /// Author and owner may sign their own plan. Off unless a workspace turns it on.
    pub self_approval: bool,
    /// Whoever may manage the server may do what a role is needed for; on the record each time. Off as well.
    #[serde(skip_serializing_if = "is_false")]
    pub administrator_bypass: bool,
    /// The sign-off of somebody outside the chat may be recorded for them.
    #[serde(skip_serializing_if = "is_false")]
    pub on_behalf: bool,
    /// What stands against a High risk release may be waived like any other's.
    #[serde(skip_serializing_if = "is_false")]
    pub waive_high: bool,
    /// Who may go by break-glass beside the owner; empty: release managers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub break_glass: Vec<RoleId>,
    /// Hours after which a sign-off no longer counts; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signoff_hours: Option<u32>,
    /// When the weekly digest is said; absent: Monday, 09:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Rule>,
    #[serde(skip_serializing_if = "is_false")]
    pub no_digest: bool,
    /// Sign-offs asked beside those of type and risk.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<SignoffRule>,
    /// Status pages that show this workspace's releases, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<String>,
    /// Sources whose alerts reach this workspace, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Who is told, and when, where a plan names no notice; absent: the usual, empty: nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Vec<RungPlan>>,
    /// Times in which nothing goes live.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub freezes: Vec<Freeze>,
}

impl Policy {
    /// The place that stands for a destination, and the role to be called in it; `None` where no channel is set at all.
    pub fn address(&self, to: &Destination) -> Option<(Place, Option<RoleId>)> {
        let release = || self.release_channel.clone();
        match to {
            Destination::Release => release().map(|channel| (Place::Channel(channel), None)),
            Destination::Ops => {
                self.ops_channel.clone().or_else(release).map(|channel| (Place::Channel(channel), None))
            }
            Destination::Audience(audience) => {
                let route = self.audiences.get(audience);
                let channel = route.and_then(|r| r.channel.clone()).or_else(release)?;
                Some((Place::Channel(channel), route.and_then(|r| r.role.clone())))
            }
            Destination::Page(page) => Some((Place::Page(page.clone()), None)),
        }
    }

    /// Whether author and owner may sign: where the workspace lets them, and the risk is Low.
    pub fn owner_may_sign(&self, plan: &Plan) -> bool {
        self.self_approval && plan.risk == Some(Risk::Low)
    }
}

/// How long a sign-off may be made to count, in hours.
pub const SIGNOFF_HOURS: std::ops::RangeInclusive<u32> = 1..=8_760;

/// The most rules for sign-offs a workspace may have, and the most people one may ask for.
pub const MAX_RULES: usize = 25;
pub const MAX_PEOPLE: u8 = 10;

/// Asks for a role where its conditions hold; a condition that is absent always holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignoffRule {
    /// Unique within its workspace, at most 60 characters.
    pub name: String,
    pub role: SignoffRole,
    /// How many people of the role.
    pub people: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ReleaseType>,
    /// This risk or a higher one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Risk>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

impl SignoffRule {
    fn holds(&self, plan: &Plan) -> bool {
        let (kind, risk) = assumed(plan);
        let service = |wanted: &String| plan.service.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(wanted));
        self.kind.is_none_or(|wanted| wanted == kind)
            && self.risk.is_none_or(|wanted| wanted <= risk)
            && self.service.as_ref().is_none_or(service)
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Where an audience reads, who of it is mentioned, and who may confirm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Route {
    /// Absent: the release channel.
    pub channel: Option<ChannelId>,
    /// Mentioned by a notice, and the only role whose members may press "Briefed".
    pub role: Option<RoleId>,
    /// Told without being called between these times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
    /// Go waits for its receipts.
    #[serde(skip_serializing_if = "is_false")]
    pub must_confirm: bool,
    /// What it reads of the release's state, with `{title}`, `{t0}`, `{state}` and `{impact}`; absent: the usual line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wording: Option<String>,
}

/// What is to change of a route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RouteChange {
    pub channel: Option<ChannelId>,
    pub role: Option<RoleId>,
    /// `Some(None)`: none any more.
    pub quiet: Option<Option<Quiet>>,
    pub must_confirm: Option<bool>,
    /// `Some(None)`: the usual line again.
    pub wording: Option<Option<String>>,
}

/// The longest wording of an audience, in characters.
pub const MAX_WORDING: usize = 300;

/// The placeholders a wording may hold.
pub const PLACEHOLDERS: [&str; 4] = ["{title}", "{t0}", "{state}", "{impact}"];

/// Whether an audience's wording can be used.
///
/// # Errors
/// It is empty or too long, or a placeholder in it is not known: which one, and which are.
pub fn check_wording(text: &str) -> Result<(), String> {
    if text.is_empty() || text.chars().count() > MAX_WORDING {
        return Err(format!("A wording has 1 to {MAX_WORDING} characters."));
    }
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let end = rest.get(at..).and_then(|tail| tail.find('}')).map_or(rest.len(), |end| at + end + 1);
        let placeholder = rest.get(at..end).unwrap_or_default();
        if !PLACEHOLDERS.contains(&placeholder) {
            return Err(format!("`{placeholder}` is not a placeholder. Use {}.", PLACEHOLDERS.join(", ")));
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    Ok(())
}

/// Audiences of a workspace at most.
pub const MAX_AUDIENCES: usize = 20;

/// Hours of a day's clock in a zone; they may pass midnight. From is inside, until is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    /// Minutes since midnight.
    pub from: u16,
    pub until: u16,
    /// IANA name.
    pub zone: String,
}

impl Quiet {
    /// Reads `22:00-07:00`.
    pub fn parse(text: &str, zone: &str) -> Option<Self> {
        let minutes = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        let (from, until) = text.split_once(['-', '–'])?;
        let (from, until) = (minutes(from)?, minutes(until)?);
        (from != until).then(|| Self { from, until, zone: zone.to_owned() })
    }

    /// The end of the hours that hold at `at`, if they do.
    pub fn holds(&self, at: Timestamp) -> Option<Timestamp> {
        let zone = zone_of(&self.zone);
        let civil = zone.to_datetime(at);
        let minute = u16::try_from(civil.hour()).unwrap_or(0) * 60 + u16::try_from(civil.minute()).unwrap_or(0);
        let inside = if self.from < self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        };
        let day = if minute < self.until { civil.date() } else { civil.date().tomorrow().ok()? };
        let (hour, rest) = (i8::try_from(self.until / 60).ok()?, i8::try_from(self.until % 60).ok()?);
        if inside { instant(day.at(hour, rest, 0, 0), &zone) } else { None }
    }
}

impl std::fmt::Display for Quiet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (from, until) = ((self.from / 60, self.from % 60), (self.until / 60, self.until % 60));
        write!(f, "{:02}:{:02}-{:02}:{:02} {}", from.0, from.1, until.0, until.1, self.zone)
    }
}

/// The end of an audience's quiet hours, if they hold at `at`.
pub fn quiet_until(policy: &Policy, audience: &Audience, at: Timestamp) -> Option<Timestamp> {
    policy.audiences.get(audience)?.quiet.as_ref()?.holds(at)
}

/// What a release needs of a role, and every rule that asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    pub role: SignoffRole,
    pub people: u8,
    pub why: Vec<Why>,
}

/// The sign-offs a release needs. Where rules overlap their roles are united, and
/// the highest number of people counts. Until the plan names its type and risk the strictest apply.
pub fn required_signoffs(plan: &Plan, policy: &Policy) -> Vec<Requirement> {
    let (kind, risk) = assumed(plan);
    let mut asked: Vec<(SignoffRole, u8, Why)> =
        usual(kind, risk).into_iter().map(|(role, why)| (role, 1, why)).collect();
    // "Security (if required)": whoever names a person there requires it.
    if plan.names_security() {
        asked.push((SignoffRole::Security, 1, Why::Named));
    }
    let rules = policy.rules.iter().filter(|rule| rule.holds(plan));
    asked.extend(rules.map(|rule| (rule.role, rule.people, Why::Rule(rule.name.clone()))));
    let mut needed: BTreeMap<SignoffRole, Requirement> = BTreeMap::new();
    for (role, people, why) in asked {
        let entry = needed.entry(role).or_insert_with(|| Requirement { role, people, why: Vec::new() });
        entry.people = entry.people.max(people);
        entry.why.push(why);
    }
    needed.into_values().collect()
}

fn assumed(plan: &Plan) -> (ReleaseType, Risk) {
    (plan.kind.unwrap_or(ReleaseType::Standard), plan.risk.unwrap_or(Risk::High))
}

fn usual(kind: ReleaseType, risk: Risk) -> Vec<(SignoffRole, Why)> {
    use SignoffRole::{EngineeringLead, ProductOwner, Security, SreOps};
    let mut roles = vec![(EngineeringLead, Why::Always)];
    if kind == ReleaseType::Hotfix {
        roles.push((SreOps, Why::Type(kind)));
    } else {
        roles.push((ProductOwner, Why::Always));
        if risk >= Risk::Medium {
            roles.push((SreOps, Why::Risk(risk)));
        }
    }
    if risk == Risk::High {
        roles.push((Security, Why::Risk(risk)));
    }
    roles
}

/// The roles a type and a risk need, in the template's order.
pub fn required_roles(kind: ReleaseType, risk: Risk) -> Vec<SignoffRole> {
    usual(kind, risk).into_iter().map(|(role, _)| role).collect()
}

/// Why a role is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    Always,
    Risk(Risk),
    Type(ReleaseType),
    /// The plan names somebody for it.
    Named,
    /// A rule of the workspace, by its name.
    Rule(String),
}
