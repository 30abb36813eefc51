//! A server's settings as the configuration file has them. It must not know where they are used.

use jiff::Timestamp;

use super::or;
use super::reader::{Given, Section};
use super::value::{Id, LONGEST_SHOWN, Raw};
use crate::domain::freeze::{Freeze, MAX_FREEZES, Window};
use crate::domain::ids::{Audience, ChannelId, RoleId, WorkspaceId};
use crate::domain::plan::{ReleaseType, Risk, RungPlan, SignoffRole};
use crate::domain::policy::{MAX_PEOPLE, MAX_RULES, Policy, Quiet, Route, SIGNOFF_HOURS, SignoffRule, check_wording};
use crate::domain::recur::Rule;
use crate::plan_doc;

const WORDING: &str = "1 to 300 characters, with the placeholders {title}, {t0}, {state} and {impact}";
const ZONE: &str = "an IANA time zone such as Europe/Berlin";
const EVERYONE: &str = "found the server's own id, which is @everyone";
const A_ROLE: &str = "a role that you assign to members";

/// Every `[[workspace]]`; a server has one.
pub(super) fn workspaces(root: &Section<'_>) -> Vec<(WorkspaceId, Policy)> {
    let mut workspaces: Vec<(WorkspaceId, Policy)> = Vec::new();
    for section in root.list("workspace") {
        let server = section.must_id("guild_id", Id::Server);
        let taken = |server: &&Given<String>| workspaces.iter().any(|(known, _)| known.0 == server.value);
        if let Some(server) = server.as_ref().filter(taken) {
            section.wrong(server, format!("found {:?} twice", server.value), "one [[workspace]] for each server");
        }
        let server = or(server, String::new());
        let policy = policy(section, &server);
        workspaces.push((WorkspaceId(server), policy));
    }
    workspaces
}

fn policy(section: Section<'_>, server: &str) -> Policy {
    let zone = section.get("timezone", ZONE, |raw| {
        raw.text().filter(|zone| jiff::tz::TimeZone::get(zone).is_ok()).map(str::to_owned)
    });
    let hours = section.get("signoff_hours", "a whole number from 1 to 8760", |raw| {
        raw.whole::<u32>().filter(|hours| SIGNOFF_HOURS.contains(hours))
    });
    let digest = section.get("digest", "a weekly time such as Mon 09:00, five cron fields, or off", |raw| {
        let text = raw.text()?.trim();
        if text.eq_ignore_ascii_case("off") { Some(None) } else { Rule::parse(text).ok().filter(Rule::fires).map(Some) }
    });
    let on = |key| or(section.flag(key), false);
    let mut policy = Policy {
        release_channel: section.id("release_channel_id", Id::Channel).map(|id| ChannelId(id.value)),
        ops_channel: section.id("ops_channel_id", Id::Channel).map(|id| ChannelId(id.value)),
        zone: zone.map(|zone| zone.value),
        self_approval: on("self_approval"),
        administrator_bypass: on("administrator_bypass"),
        on_behalf: on("on_behalf"),
        waive_high: on("waive_high"),
        signoff_hours: hours.map(|hours| hours.value),
        no_digest: matches!(&digest, Some(Given { value: None, .. })),
        digest: digest.and_then(|digest| digest.value),
        ladder: ladder(&section),
        ..Policy::default()
    };
    roles(&section, server, &mut policy);
    audiences(&section, server, &mut policy);
    policy.rules = rules(&section);
    policy.freezes = freezes(&section, policy.zone.as_deref());
    section.done();
    policy
}

fn ladder(section: &Section<'_>) -> Option<Vec<RungPlan>> {
    const NOTICES: &str = "notices such as T-24h engineering, T-2h support, T-30m status page; or off";
    let given = section.text("ladder", NOTICES)?;
    match plan_doc::ladder(&given.value) {
        Ok(rungs) => Some(rungs),
        Err(why) => {
            section.wrong(&given, brief(first_sentence(&why)), NOTICES);
            None
        }
    }
}

/// The same where it quotes no long word: that may be a secret in the wrong place.
fn brief(why: &str) -> &str {
    let long = |word: &str| word.chars().count() > LONGEST_SHOWN + 2;
    if why.split([' ', '“', '”', '`']).any(long) { "that cannot be read" } else { why }
}

/// What is wrong, without the advice that follows it.
fn first_sentence(why: &str) -> &str {
    why.split(". ").next().unwrap_or(why).trim_end_matches('.')
}

fn roles(section: &Section<'_>, server: &str, policy: &mut Policy) {
    let section = section.section("roles");
    let ids = |key| {
        let ids = section.ids(key, Id::Role);
        for id in ids.iter().filter(|id| id.value == server) {
            section.wrong(id, EVERYONE, A_ROLE);
        }
        ids.into_iter().map(|id| RoleId(id.value)).collect::<Vec<_>>()
    };
    policy.release_managers = ids("release_manager");
    policy.break_glass = ids("break_glass");
    for role in SignoffRole::ALL {
        let ids = ids(role.slug());
        if section.has(role.slug()) {
            policy.signers.insert(*role, ids);
        }
    }
    section.done();
}

fn audiences(workspace: &Section<'_>, server: &str, policy: &mut Policy) {
    for (name, section) in workspace.named("audiences") {
        // As plans and chat name it.
        let whom = plan_doc::audience(&name);
        let zone = policy.zone.as_deref();
        let role = section.id("role_id", Id::Role);
        if let Some(role) = role.as_ref().filter(|role| role.value == server) {
            section.wrong(role, EVERYONE, A_ROLE);
        }
        // Any zone will do to judge the hours; a missing one is another mistake.
        let quiet = section.get("quiet_hours", "two times of day such as 22:00-07:00", |raw| {
            Quiet::parse(raw.text()?, zone.unwrap_or("UTC"))
        });
        if let Some(quiet) = quiet.as_ref().filter(|_| !workspace.has("timezone")) {
            section.wrong(quiet, "quiet hours without a time zone", "`timezone` in the [[workspace]] as well");
        }
        let must_confirm = section.flag("must_confirm");
        if let Some(flag) = must_confirm.as_ref().filter(|flag| flag.value) {
            if whom == Audience::engineering() {
                section.wrong(flag, "found true", "false: engineering never confirms");
            } else if !section.has("role_id") {
                section.wrong(flag, "found true without `role_id`", "the role whose members confirm");
            }
        }
        let wording = section.text("wording", WORDING).filter(|given| match check_wording(&given.value) {
            Ok(()) => true,
            Err(why) => {
                section.wrong(given, brief(first_sentence(&why)), WORDING);
                false
            }
        });
        let route = Route {
            channel: section.id("channel_id", Id::Channel).map(|id| ChannelId(id.value)),
            role: role.map(|id| RoleId(id.value)),
            quiet: quiet.map(|quiet| quiet.value),
            must_confirm: or(must_confirm, false),
            wording: wording.map(|wording| wording.value),
        };
        if whom.0.is_empty() {
            section.refuse("the name has no letters", "engineering, support, status-page or a name of yours");
        } else if policy.audiences.insert(whom, route).is_some() {
            section.refuse("the same audience twice, in two spellings", "one section for each audience");
        }
        section.done();
    }
}

/// A name of a rule or a freeze.
fn is_title(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= 60
}

const TITLE: &str = "1 to 60 characters";

/// The words of a type or a risk, as the file has them.
fn known<T: Copy + std::fmt::Display>(all: &[T]) -> Vec<(String, T)> {
    all.iter().map(|value| (value.to_string().to_lowercase(), *value)).collect()
}

fn rules(workspace: &Section<'_>) -> Vec<SignoffRule> {
    let mut names = Vec::new();
    let sections = workspace.list("signoff_rules");
    if let Some(section) = sections.get(MAX_RULES) {
        section.refuse(format!("{} rules", sections.len()), format!("at most {MAX_RULES}"));
    }
    sections.into_iter().filter_map(|section| rule(section, &mut names)).collect()
}

fn rule(section: Section<'_>, names: &mut Vec<String>) -> Option<SignoffRule> {
    let name = section.name(names, TITLE, is_title);
    let roles: Vec<(&str, SignoffRole)> = SignoffRole::ALL.iter().map(|role| (role.slug(), *role)).collect();
    let role = section.must_one_of("role", &roles);
    let people = section.get("people", &format!("a whole number from 1 to {MAX_PEOPLE}"), |raw| {
        raw.whole::<u8>().filter(|people| (1..=MAX_PEOPLE).contains(people))
    });
    let kind = section.one_of("type", &known(ReleaseType::ALL));
    let risk = section.one_of("risk", &known(Risk::ALL));
    let service = section.text("service", "the name of a service");
    section.done();
    Some(SignoffRule {
        name: name?.value,
        role: role?.value,
        people: or(people, 1),
        kind: kind.map(|kind| kind.value),
        risk: risk.map(|risk| risk.value),
        service: service.map(|service| service.value),
    })
}

fn freezes(workspace: &Section<'_>, zone: Option<&str>) -> Vec<Freeze> {
    let mut names = Vec::new();
    let sections = workspace.list("freezes");
    if let Some(section) = sections.get(MAX_FREEZES) {
        section.refuse(format!("{} freezes", sections.len()), format!("at most {MAX_FREEZES}"));
    }
    sections.into_iter().filter_map(|section| freeze(section, &mut names, workspace.has("timezone"), zone)).collect()
}

/// An end of a freeze: an instant, or a rule in the workspace's zone.
enum End {
    At(Timestamp),
    Each(Rule),
}

impl End {
    fn read(raw: &Raw<'_>) -> Option<Self> {
        let text = raw.moment()?;
        text.parse().ok().map(Self::At).or_else(|| Rule::parse(&text).ok().map(Self::Each))
    }
}

fn freeze(section: Section<'_>, names: &mut Vec<String>, zoned: bool, zone: Option<&str>) -> Option<Freeze> {
    const ENDS: &str = "an instant such as 2026-12-20T18:00:00+01:00, or a weekly time such as Fri 15:00";
    let name = section.name(names, TITLE, is_title);
    section.must("from", ENDS);
    section.must("until", ENDS);
    let (from, until) = (section.get("from", ENDS, End::read), section.get("until", ENDS, End::read));
    let reason = section.text("reason", "a sentence");
    section.done();
    let window = match (from?, until?) {
        (Given { value: End::At(from), .. }, Given { value: End::At(until), .. }) if from < until => {
            Some(Window::Fixed { from, until })
        }
        (Given { value: End::At(_), .. }, until @ Given { value: End::At(_), .. }) => {
            section.wrong(&until, "found an end before the beginning", "a later time than `from`");
            None
        }
        (Given { value: End::Each(from), .. }, until @ Given { value: End::Each(_), .. }) if matches!(&until.value, End::Each(rule) if *rule == from) =>
        {
            section.wrong(&until, "found the same time as `from`", "another time than `from`");
            None
        }
        (Given { value: End::Each(from), .. }, Given { value: End::Each(until), .. }) if zoned => {
            zone.map(|zone| Window::Recurring { from, until, zone: zone.to_owned() })
        }
        (from @ Given { value: End::Each(_), .. }, Given { value: End::Each(_), .. }) => {
            section.wrong(&from, "a weekly time without a time zone", "`timezone` in the [[workspace]] as well");
            None
        }
        (_, until) => {
            section.wrong(&until, "one end is an instant, the other a weekly time", "two of the same sort");
            None
        }
    };
    Some(Freeze { name: name?.value, window: window?, reason: reason.map(|reason| reason.value) })
}
