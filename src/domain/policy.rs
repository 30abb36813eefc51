//! Who may do what: one function, default deny. It must not know surfaces; commands, buttons and forms all come here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::freeze::Freeze;
use super::ids::{Audience, ChannelId, RoleId, UserId};
use super::people::{Actor, Person};
use super::plan::{Plan, ReleaseType, Risk, SignoffRole};
use super::recur::instant;
use super::refusal::Refusal;
use super::release::Release;
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

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Import,
    Submit,
    Scrub,
    Reschedule,
    Correct,
    Sign(SignoffRole),
    Go,
    Steer,
    Decide,
    Acknowledge,
    Item,
    Setup,
    /// Let a release through a freeze.
    Except,
}

/// Who may, in words a refusal can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Owner,
    OnCall,
    Author,
    Managers(Vec<RoleId>),
    Signers(SignoffRole, Vec<RoleId>),
    ServerManagers,
}

/// Decides whether `actor` may take `action`; `release` is absent where none exists yet.
///
/// # Errors
/// A [`Refusal`] that names who may instead.
pub fn may(actor: &Actor, action: Action, policy: &Policy, release: Option<&Release>) -> Result<(), Refusal> {
    let Some(person) = actor.person() else {
        return Err(Refusal::NotAllowed { who: vec![] });
    };
    if let Action::Sign(role) = action {
        return may_sign(person, role, policy, release);
    }
    let managers = || Who::Managers(policy.release_managers.clone());
    let who = match action {
        Action::Import | Action::Except => vec![managers()],
        Action::Submit => vec![Who::Author, Who::Owner, managers()],
        Action::Scrub | Action::Reschedule | Action::Correct | Action::Go | Action::Item => {
            vec![Who::Owner, managers()]
        }
        Action::Steer | Action::Acknowledge | Action::Decide => vec![
            Who::Owner,
            Who::OnCall,
            managers(),
            Who::Signers(SignoffRole::SreOps, signers(policy, SignoffRole::SreOps)),
        ],
        Action::Setup => vec![Who::ServerManagers],
        Action::Sign(_) => vec![],
    };
    if who.iter().any(|w| is(person, w, release)) { Ok(()) } else { Err(Refusal::NotAllowed { who }) }
}

/// Whether `person` may confirm for an audience: members of its role only.
pub fn may_receive(actor: &Actor, audience: &Audience, policy: &Policy) -> Result<(), Refusal> {
    let role = policy.audiences.get(audience).and_then(|route| route.role.clone());
    let Some(role) = role else {
        return Err(Refusal::AudienceUnmapped { audience: audience.clone() });
    };
    match actor.person() {
        Some(person) if person.roles.contains(&role) => Ok(()),
        _ => Err(Refusal::NotOfAudience { audience: audience.clone(), role }),
    }
}

/// The end of an audience's quiet hours, if they hold at `at`.
pub fn quiet_until(policy: &Policy, audience: &Audience, at: Timestamp) -> Option<Timestamp> {
    policy.audiences.get(audience)?.quiet.as_ref()?.holds(at)
}

fn signers(policy: &Policy, role: SignoffRole) -> Vec<RoleId> {
    policy.signers.get(&role).cloned().unwrap_or_default()
}

fn may_sign(person: &Person, role: SignoffRole, policy: &Policy, release: Option<&Release>) -> Result<(), Refusal> {
    let mapped = signers(policy, role);
    if mapped.is_empty() {
        return Err(Refusal::RoleUnmapped { role });
    }
    if !has_any(person, &mapped) {
        return Err(Refusal::NotAllowed { who: vec![Who::Signers(role, mapped)] });
    }
    let Some(release) = release else {
        return Err(Refusal::NotAllowed { who: vec![] });
    };
    let wrote = release.author == person.user || release.revisers.contains(&person.user);
    let own = wrote || release.plan.owner_user() == Some(&person.user);
    if own && !policy.self_approval {
        return Err(Refusal::OwnPlan { role });
    }
    Ok(())
}

fn has_any(person: &Person, roles: &[RoleId]) -> bool {
    roles.iter().any(|role| person.roles.contains(role))
}

fn is(person: &Person, who: &Who, release: Option<&Release>) -> bool {
    let named = |user: Option<&UserId>| user == Some(&person.user);
    match who {
        Who::Owner => named(release.and_then(|r| r.plan.owner_user())),
        Who::OnCall => named(release.and_then(|r| r.plan.on_call_user())),
        Who::Author => named(release.map(|r| &r.author)),
        Who::Managers(roles) | Who::Signers(_, roles) => has_any(person, roles),
        Who::ServerManagers => person.manages_server,
    }
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
