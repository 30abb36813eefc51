//! A server's rules as data: channels, roles, audiences, freezes, and which sign-offs a plan needs. Who may do what is `may`'s.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::freeze::Freeze;
use super::ids::{Audience, ChannelId, RoleId};
use super::plan::{Plan, ReleaseType, Risk, SignoffRole};
use super::recur::instant;
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
    /// Status pages that show this workspace's releases, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<String>,
    /// Times in which nothing goes live.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub freezes: Vec<Freeze>,
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
}

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

/// The roles a release needs, each with the rule that asked for it (`plans.md` 5.2). Until the plan names its type and risk
/// the strictest apply.
pub fn required_signoffs(plan: &Plan) -> Vec<(SignoffRole, Why)> {
    required(plan.kind.unwrap_or(ReleaseType::Standard), plan.risk.unwrap_or(Risk::High))
}

fn required(kind: ReleaseType, risk: Risk) -> Vec<(SignoffRole, Why)> {
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
    required(kind, risk).into_iter().map(|(role, _)| role).collect()
}

/// Why a role is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    Always,
    Risk(Risk),
    Type(ReleaseType),
}
