//! A server's settings as the configuration file has them. It must not know where they are used.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::line_of;
use crate::domain::freeze::{Freeze, Window};
use crate::domain::ids::{Audience, ChannelId, GuildId, RoleId};
use crate::domain::plan::{ReleaseType, Risk, SignoffRole};
use crate::domain::policy::{MAX_PEOPLE, MAX_RULES, Policy, Quiet, Route, SIGNOFF_HOURS, SignoffRule};
use crate::domain::recur::Rule;
use crate::plan_doc;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkspaceSection {
    guild_id: String,
    release_channel_id: Option<String>,
    ops_channel_id: Option<String>,
    timezone: Option<String>,
    #[serde(default)]
    self_approval: bool,
    #[serde(default)]
    administrator_bypass: bool,
    #[serde(default)]
    on_behalf: bool,
    #[serde(default)]
    waive_high: bool,
    signoff_hours: Option<u32>,
    digest: Option<String>,
    ladder: Option<String>,
    #[serde(default)]
    signoff_rules: Vec<RuleSection>,
    #[serde(default)]
    roles: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    audiences: BTreeMap<String, AudienceSection>,
    #[serde(default)]
    freezes: Vec<FreezeSection>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FreezeSection {
    name: String,
    from: String,
    until: String,
    reason: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSection {
    name: String,
    role: String,
    people: Option<u8>,
    #[serde(rename = "type")]
    kind: Option<String>,
    risk: Option<String>,
    service: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AudienceSection {
    role_id: Option<String>,
    channel_id: Option<String>,
    quiet_hours: Option<String>,
    #[serde(default)]
    must_confirm: bool,
}

/// The settings of one section; what is wrong with them goes to `bad`.
pub(super) fn policy(workspace: WorkspaceSection, shown: &str, text: &str, bad: &mut Vec<String>) -> (GuildId, Policy) {
    let at = format!("{shown}{}: workspace {}", line_of(text, "[[workspace]]"), workspace.guild_id);
    let mut policy = Policy {
        release_channel: workspace.release_channel_id.map(ChannelId),
        ops_channel: workspace.ops_channel_id.map(ChannelId),
        zone: workspace.timezone,
        self_approval: workspace.self_approval,
        administrator_bypass: workspace.administrator_bypass,
        on_behalf: workspace.on_behalf,
        waive_high: workspace.waive_high,
        signoff_hours: workspace.signoff_hours,
        ..Policy::default()
    };
    if let Some(zone) = &policy.zone
        && jiff::tz::TimeZone::get(zone).is_err()
    {
        bad.push(format!("{at}: timezone `{zone}` is not known"));
    }
    for (name, roles) in workspace.roles {
        let roles: Vec<RoleId> = roles.into_iter().map(RoleId).collect();
        match SignoffRole::from_slug(&name) {
            Some(role) => {
                policy.signers.insert(role, roles);
            }
            None if name == "release_manager" => policy.release_managers = roles,
            None if name == "break_glass" => policy.break_glass = roles,
            None => bad.push(format!("{shown}{}: workspace.roles has no `{name}`; known are engineering_lead, product_owner, sre_ops, security, release_manager, break_glass", line_of(text, &name))),
        }
    }
    let parts = policy.signers.values().flatten().chain(&policy.release_managers).chain(&policy.break_glass);
    let told = workspace.audiences.values().filter_map(|audience| audience.role_id.as_ref());
    if parts.map(|role| &role.0).chain(told).any(|role| *role == workspace.guild_id) {
        bad.push(format!(
            "{at}: @everyone (the server's own id) cannot stand for a part; name a role that people are given"
        ));
    }
    for (name, audience) in workspace.audiences {
        // As plans and chat name it.
        let whom = plan_doc::audience(&name);
        if whom.0.is_empty() {
            bad.push(format!("{at}: audiences.{name} names nobody"));
        }
        let quiet = match (&audience.quiet_hours, &policy.zone) {
            (None, _) => None,
            (Some(_), None) => {
                bad.push(format!("{at}: audiences.{name}.quiet_hours needs the workspace's timezone"));
                None
            }
            (Some(text), Some(zone)) => {
                let quiet = Quiet::parse(text, zone);
                if quiet.is_none() {
                    bad.push(format!("{at}: audiences.{name}.quiet_hours must be like 22:00-07:00; it is `{text}`"));
                }
                quiet
            }
        };
        if audience.must_confirm && (audience.role_id.is_none() || whom == Audience::engineering()) {
            bad.push(format!(
                "{at}: audiences.{name}.must_confirm needs a role_id whose members confirm; engineering is told and confirms nothing"
            ));
        }
        let route = Route {
            channel: audience.channel_id.map(ChannelId),
            role: audience.role_id.map(RoleId),
            quiet,
            must_confirm: audience.must_confirm,
        };
        if policy.audiences.insert(whom, route).is_some() {
            bad.push(format!("{at}: audiences.{name} is there twice, under two spellings"));
        }
    }
    if policy.signoff_hours.is_some_and(|hours| !SIGNOFF_HOURS.contains(&hours)) {
        bad.push(format!("{at}: signoff_hours must be from 1 to 8760"));
    }
    match workspace.digest.as_deref().map(str::trim) {
        None => {}
        Some(text) if text.eq_ignore_ascii_case("off") => policy.no_digest = true,
        Some(text) => match Rule::parse(text) {
            Ok(rule) => policy.digest = Some(rule),
            Err(problem) => bad.push(format!("{at}: digest: {}", problem.0)),
        },
    }
    match workspace.ladder.as_deref().map(plan_doc::ladder) {
        None => {}
        Some(Ok(rungs)) => policy.ladder = Some(rungs),
        Some(Err(why)) => bad.push(format!("{at}: ladder: {why}")),
    }
    if workspace.signoff_rules.len() > MAX_RULES {
        bad.push(format!("{at}: more than {MAX_RULES} signoff_rules"));
    }
    for section in workspace.signoff_rules {
        let name = section.name.clone();
        match rule(section) {
            Ok(rule) if policy.rules.iter().any(|known| known.name == rule.name) => {
                bad.push(format!("{at}: signoff_rules has `{name}` twice"));
            }
            Ok(rule) => policy.rules.push(rule),
            Err(why) => bad.push(format!("{at}: signoff_rules `{name}`: {why}")),
        }
    }
    for section in workspace.freezes {
        match freeze(&section, policy.zone.as_deref()) {
            Ok(_) if policy.freezes.iter().any(|known: &Freeze| known.name == section.name) => {
                bad.push(format!("{at}: freezes has `{}` twice", section.name));
            }
            Ok(freeze) => policy.freezes.push(freeze),
            Err(why) => bad.push(format!("{at}: freezes `{}`: {why}", section.name)),
        }
    }
    (GuildId(workspace.guild_id), policy)
}

/// A rule for sign-offs of the file.
fn rule(section: RuleSection) -> Result<SignoffRule, String> {
    fn one_of<T: Copy + std::fmt::Display>(all: &[T], given: Option<String>, key: &str) -> Result<Option<T>, String> {
        let Some(given) = given else { return Ok(None) };
        let found = all.iter().find(|value| value.to_string().eq_ignore_ascii_case(given.trim()));
        let known: Vec<String> = all.iter().map(|value| value.to_string().to_lowercase()).collect();
        found.copied().map(Some).ok_or_else(|| format!("{key} `{given}` is not one of {}", known.join(", ")))
    }
    let role = SignoffRole::from_slug(&section.role).ok_or_else(|| format!("role `{}` is not known", section.role))?;
    let people = section.people.unwrap_or(1);
    if people == 0 || people > MAX_PEOPLE {
        return Err(format!("people must be from 1 to {MAX_PEOPLE}"));
    }
    Ok(SignoffRule {
        name: section.name,
        role,
        people,
        kind: one_of(ReleaseType::ALL, section.kind, "type")?,
        risk: one_of(Risk::ALL, section.risk, "risk")?,
        service: section.service,
    })
}

/// A freeze of the file: two instants (RFC 3339), or two rules in the workspace's zone.
fn freeze(section: &FreezeSection, zone: Option<&str>) -> Result<Freeze, String> {
    let window = match (section.from.parse(), section.until.parse()) {
        (Ok(from), Ok(until)) if from < until => Window::Fixed { from, until },
        (Ok(_), Ok(_)) => return Err("it ends before it begins".to_owned()),
        _ => {
            let zone = zone.ok_or("its rules need the workspace's timezone")?.to_owned();
            let rule = |text: &str| Rule::parse(text).map_err(|problem| problem.0);
            Window::Recurring { from: rule(&section.from)?, until: rule(&section.until)?, zone }
        }
    };
    Ok(Freeze { name: section.name.clone(), window, reason: section.reason.clone() })
}
