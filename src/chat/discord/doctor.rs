//! What Discord says of a configuration: whether the token is good, whether the bot is in the server, whether channels and
//! roles exist, which permissions are missing where. Each check stands alone: one that fails hides no other. It never writes.
//!
//! Computing rights: <https://discord.com/developers/docs/topics/permissions#permission-overwrites>

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::commands::shape::POSTABLE;
use super::registration;
use super::rest::{Limit, Rest};
use crate::domain::ids::{ChannelId, WorkspaceId};
use crate::domain::policy::Policy;
use crate::sending::SendFault;

/// The rights the bot needs in every channel it speaks in, by bit and by Discord's name.
pub const RIGHTS: [(u64, &str); 5] = [
    (1 << 10, "View Channel"),
    (1 << 11, "Send Messages"),
    (1 << 14, "Embed Links"),
    (1 << 15, "Attach Files"),
    (1 << 16, "Read Message History"),
];

const ADMINISTRATOR: u64 = 1 << 3;
const MENTION_EVERYONE: u64 = 1 << 17;

/// What a check says of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Good,
    Bad,
    /// It could not be checked.
    Unknown,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub verdict: Verdict,
    /// A sentence; where the thing is not good, with what to do.
    pub text: String,
}

impl Finding {
    pub fn good(text: impl Into<String>) -> Self {
        Self { verdict: Verdict::Good, text: text.into() }
    }

    pub fn bad(text: impl Into<String>) -> Self {
        Self { verdict: Verdict::Bad, text: text.into() }
    }

    pub fn unknown(text: impl Into<String>) -> Self {
        Self { verdict: Verdict::Unknown, text: text.into() }
    }

    /// A check that `fault` ended.
    pub fn unchecked(what: &str, fault: &SendFault) -> Self {
        let text = |todo: &str| format!("{what}: not checked ({fault}). {todo}");
        match fault {
            SendFault::Wait(_) | SendFault::Limited(_) => {
                Self::unknown(text("Discord limits the requests now. Run this check again in a minute."))
            }
            SendFault::NotSent(_) => {
                Self::unknown(text("Check the network, DNS, the firewall and the address in the configuration."))
            }
            SendFault::Unknown(_) => {
                Self::unknown(text("The other side has a fault. Run this check again in a minute."))
            }
            SendFault::TokenDead => {
                Self::bad(text("Reset the token in Discord's developer portal and set the new one."))
            }
            SendFault::Blocked(_) | SendFault::Forbidden(_) => Self::bad(text("Grant the bot permission to read it.")),
            SendFault::Refused(_)
            | SendFault::NotThere(_)
            | SendFault::Deleted
            | SendFault::AlreadyDone
            | SendFault::Expired => Self::bad(text("Check the id and the address in the configuration.")),
        }
    }
}

/// The link that invites a bot with exactly the rights it needs.
pub fn invite_link(application: &str) -> String {
    let rights: u64 = RIGHTS.iter().map(|(bit, _)| bit).sum();
    format!(
        "https://discord.com/oauth2/authorize?client_id={application}&scope=bot%20applications.commands&permissions={rights}"
    )
}

/// Who the bot is.
struct Bot {
    /// Absent where it could not be looked up.
    id: Option<String>,
    /// Its application's id; absent where that could not be looked up.
    application: Option<String>,
    /// The link that invites it, or where to find one.
    invite: String,
}

/// Checks everything a configuration names, one by one: `others` are servers that only sources and pages name, each with its
/// name for people. The second value says whether Discord answered at all.
pub async fn examine(
    rest: &Rest,
    workspaces: &[(WorkspaceId, Policy)],
    others: &[(String, WorkspaceId)],
) -> (Vec<Finding>, bool) {
    let mut found = Vec::new();
    let Some(bot) = bot(rest, &mut found).await else {
        found.push(Finding::unknown(
            "Application, servers, channels, permissions and roles: not checked. Fix the token check first.",
        ));
        let reached = found.iter().any(|finding| finding.verdict == Verdict::Bad);
        return (found, reached);
    };
    if workspaces.is_empty() {
        found.push(Finding::good(
            "The file has no [[workspace]]: set up each server with /tminus setup, and check it with /tminus check.",
        ));
    }
    for (guild, policy) in workspaces {
        server(rest, &bot, guild, policy, &mut found).await;
    }
    for (name, guild) in others {
        found.push(match get(rest, &format!("/guilds/{}", guild.0)).await {
            Ok(server) => Finding::good(format!("{name}: the bot is in its server, {}.", word(&server["name"]))),
            Err(fault) => absent(&format!("{name}: "), guild, &bot, &fault),
        });
    }
    (found, true)
}

/// Checks one server's channels, permissions and roles.
pub async fn table(rest: &Rest, guild: &WorkspaceId, policy: &Policy) -> Vec<Finding> {
    let mut found = Vec::new();
    let bot = bot(rest, &mut found).await;
    // The chat shows what is about the server.
    found.retain(|finding| finding.verdict != Verdict::Good);
    if let Some(bot) = bot {
        server(rest, &bot, guild, policy, &mut found).await;
    }
    found
}

/// Looks up the bot; `None` where every other check would fail as well.
async fn bot(rest: &Rest, found: &mut Vec<Finding>) -> Option<Bot> {
    let id = match get(rest, "/users/@me").await {
        Ok(me) => {
            found.push(Finding::good(format!("The token works: the bot is {}.", word(&me["username"]))));
            Some(word(&me["id"]))
        }
        Err(SendFault::TokenDead) => {
            found.push(Finding::bad(
                "Discord rejects the token. Reset it in the developer portal (Bot > Reset Token) and put the new one in the configuration.",
            ));
            return None;
        }
        Err(fault) => {
            found.push(Finding::unchecked("Token", &fault));
            // Nothing answers: every other request would wait for its time-out.
            if matches!(fault, SendFault::NotSent(_)) {
                return None;
            }
            None
        }
    };
    let (application, invite) = match get(rest, "/applications/@me").await {
        Ok(application) => {
            let id = word(&application["id"]);
            let link = invite_link(&id);
            found.push(Finding::good(format!("Invite link: {link}")));
            (Some(id), link)
        }
        Err(fault) => {
            found.push(Finding::unchecked("Application", &fault));
            (None, "the link is in the developer portal under Installation".to_owned())
        }
    };
    Some(Bot { id, application, invite })
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

async fn get(rest: &Rest, path: &str) -> Result<Value, SendFault> {
    rest.json(Method::GET, path, None, Limit::Bucket).await
}

/// A server that could not be looked up.
fn absent(whose: &str, guild: &WorkspaceId, bot: &Bot, fault: &SendFault) -> Finding {
    match fault {
        SendFault::Blocked(_) | SendFault::NotThere(_) | SendFault::Refused(_) | SendFault::Forbidden(_) => {
            let invite = &bot.invite;
            Finding::bad(format!(
                "{whose}the bot is not in server {guild}. Check the guild_id, or invite the bot: {invite}"
            ))
        }
        fault => Finding::unchecked(&format!("{whose}server {guild}"), fault),
    }
}

/// The bot as a member: its roles, and its permissions before the exceptions of channels.
struct Member<'b> {
    id: &'b str,
    own: Vec<String>,
    base: u64,
}

async fn server(rest: &Rest, bot: &Bot, guild: &WorkspaceId, policy: &Policy, found: &mut Vec<Finding>) {
    let server = match get(rest, &format!("/guilds/{}", guild.0)).await {
        Ok(server) => server,
        Err(fault) => {
            found.push(absent("", guild, bot, &fault));
            return;
        }
    };
    let name = word(&server["name"]);
    if let Some(application) = &bot.application {
        found.push(commands(&name, registration::stand(rest, application, &guild.0).await, &bot.invite));
    }
    let roles = server["roles"].as_array().cloned().unwrap_or_default();
    let member = match &bot.id {
        Some(id) => match get(rest, &format!("/guilds/{}/members/{id}", guild.0)).await {
            Ok(member) => Some(as_member(id, &member, &roles, guild)),
            Err(fault) => {
                found.push(Finding::unchecked(&format!("{name}: the bot's own roles"), &fault));
                None
            }
        },
        None => None,
    };
    if policy.release_channel.is_none() {
        found.push(Finding::bad(format!(
            "{name}: no release channel is set, so T-Minus cannot post about releases there. Set release_channel_id, or run /tminus setup."
        )));
    }
    let mut channels: Vec<(&str, &ChannelId)> = Vec::new();
    channels.extend(policy.release_channel.as_ref().map(|channel| ("release channel", channel)));
    channels.extend(policy.ops_channel.as_ref().map(|channel| ("ops channel", channel)));
    for (audience, route) in &policy.audiences {
        channels.extend(route.channel.as_ref().map(|channel| (audience.0.as_str(), channel)));
    }
    for (what, id) in channels {
        let answer = get(rest, &format!("/channels/{}", id.0)).await;
        found.push(channel(&name, what, id, guild, answer, member.as_ref()));
    }
    if let Some(member) = &member {
        permissions(&name, policy, &roles, member.base, guild, found);
    }
    named_roles(&name, policy, &roles, guild, found);
}

/// Whether a server has the slash commands of this version. Those that are missing are registered when T-Minus runs.
fn commands(name: &str, stand: Result<bool, SendFault>, invite: &str) -> Finding {
    match stand {
        Ok(true) => Finding::good(format!("{name}: the slash commands are registered.")),
        Ok(false) => Finding::good(format!(
            "{name}: the slash commands are missing or outdated. T-Minus registers them when it runs; if it runs already, see /readyz."
        )),
        Err(SendFault::Blocked(_) | SendFault::Forbidden(_)) => Finding::bad(format!(
            "{name}: T-Minus may not register slash commands. Invite the bot again with the scope applications.commands: {invite}"
        )),
        Err(fault) => Finding::unchecked(&format!("{name}: slash commands"), &fault),
    }
}

fn as_member<'b>(id: &'b str, member: &Value, roles: &[Value], guild: &WorkspaceId) -> Member<'b> {
    let own: Vec<String> = member["roles"].as_array().into_iter().flatten().map(word).collect();
    let base = roles
        .iter()
        .filter(|role| role["id"] == guild.0.as_str() || own.contains(&word(&role["id"])))
        .fold(0, |all, role| all | bits(&role["permissions"]));
    Member { id, own, base }
}

/// What Discord says of one channel.
fn channel(
    name: &str,
    what: &str,
    id: &ChannelId,
    guild: &WorkspaceId,
    answer: Result<Value, SendFault>,
    member: Option<&Member<'_>>,
) -> Finding {
    let json = match answer {
        Ok(json) => json,
        Err(SendFault::NotThere(_)) => {
            return Finding::bad(format!("{name}: the {what}, {id}, does not exist. Choose another."));
        }
        Err(SendFault::Blocked(_)) => {
            return Finding::bad(format!("{name}: the bot cannot see the {what}, {id}. Grant it View Channel there."));
        }
        Err(fault) => return Finding::unchecked(&format!("{name}: the {what}, {id}"), &fault),
    };
    let called = format!("{name}, #{} ({what})", word(&json["name"]));
    if !of(&json, &guild.0) {
        return Finding::bad(format!(
            "{name}: the {what}, {id}, belongs to another server. Choose a channel of this server."
        ));
    }
    if !takes_notices(&json) {
        return Finding::bad(format!(
            "{called}: not a text channel. Choose a text or announcement channel: Discord archives threads, and forums and categories take no messages."
        ));
    }
    let Some(member) = member else {
        return Finding::unknown(format!("{called}: permissions not checked, because the bot's roles are unknown."));
    };
    let own: Vec<&str> = member.own.iter().map(String::as_str).collect();
    let missing = missing(rights(member.base, &json, &guild.0, member.id, &own));
    match missing.is_empty() {
        true => Finding::good(format!("{called}: T-Minus has every permission it needs.")),
        false => Finding::bad(format!(
            "{called}: missing permissions: {}. Grant them to the bot's role in the channel's settings.",
            missing.join(", ")
        )),
    }
}

/// What the bot may do in a whole server, and should not or cannot.
fn permissions(name: &str, policy: &Policy, roles: &[Value], base: u64, guild: &WorkspaceId, found: &mut Vec<Finding>) {
    for role in not_callable(policy, roles, base, &guild.0) {
        found.push(Finding::bad(format!(
            "{name}: T-Minus cannot ping @{role}. Allow anyone to @mention it in the role's settings. Messages still go out, without the ping."
        )));
    }
    if base & MENTION_EVERYONE != 0 {
        found.push(Finding::bad(format!(
            "{name}: the bot has the Mention Everyone permission and does not need it. Remove it from the bot's role; T-Minus never pings everyone."
        )));
    }
}

/// Whether every role that the settings name exists and can be given.
fn named_roles(name: &str, policy: &Policy, roles: &[Value], guild: &WorkspaceId, found: &mut Vec<Finding>) {
    let named = policy.signers.values().flatten().chain(&policy.release_managers).chain(&policy.break_glass);
    let named = named.chain(policy.audiences.values().filter_map(|route| route.role.as_ref()));
    let named: BTreeSet<&str> = named.map(|role| role.0.as_str()).collect();
    // @everyone is in nobody's list of roles.
    if named.contains(guild.0.as_str()) {
        found.push(Finding::bad(format!(
            "{name}: a setting uses @everyone as its role, and T-Minus counts nobody as a member of @everyone. Choose a role that you assign to members."
        )));
    }
    for role in named.into_iter().filter(|role| !roles.iter().any(|known| known["id"] == *role)) {
        found.push(Finding::bad(format!(
            "{name}: role {role} does not exist. Choose another role in the setting that names it."
        )));
    }
}

/// Roles that requests and notices are to call, and that the bot may not mention.
fn not_callable<'r>(policy: &Policy, roles: &'r [Value], base: u64, guild: &str) -> BTreeSet<&'r str> {
    let called = policy.signers.values().flatten();
    called
        .chain(policy.audiences.values().filter_map(|route| route.role.as_ref()))
        // Of the role that everybody has something else is said.
        .filter(|role| role.0 != guild)
        .filter_map(|role| roles.iter().find(|known| known["id"] == role.0.as_str()))
        .filter(|role| role["mentionable"] == false && base & (MENTION_EVERYONE | ADMINISTRATOR) == 0)
        .filter_map(|role| role["name"].as_str())
        .collect()
}

/// Whether a channel is this server's.
fn of(channel: &Value, guild: &str) -> bool {
    channel["guild_id"] == guild
}

fn takes_notices(channel: &Value) -> bool {
    channel["type"].as_u64().is_some_and(|kind| POSTABLE.contains(&kind))
}

fn bits(value: &Value) -> u64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The bot's rights in a channel: the roles', then the channel's exceptions for everyone, for roles, for the bot itself.
fn rights(base: u64, channel: &Value, guild: &str, bot: &str, own: &[&str]) -> u64 {
    if base & ADMINISTRATOR != 0 {
        return u64::MAX;
    }
    let exceptions = channel["permission_overwrites"].as_array().cloned().unwrap_or_default();
    let mut rights = base;
    let mut apply = |chosen: &dyn Fn(&str) -> bool| {
        let these = exceptions.iter().filter(|e| e["id"].as_str().is_some_and(chosen));
        let (allow, deny) = these.fold((0, 0), |(allow, deny), e| (allow | bits(&e["allow"]), deny | bits(&e["deny"])));
        rights = rights & !deny | allow;
    };
    apply(&|id| id == guild);
    apply(&|id| id != guild && own.contains(&id));
    apply(&|id| id == bot && !own.contains(&id));
    rights
}

fn missing(rights: u64) -> Vec<&'static str> {
    RIGHTS.iter().filter(|(bit, _)| rights & bit == 0).map(|(_, name)| *name).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::ids::{Audience, RoleId};
    use crate::domain::plan::SignoffRole;
    use crate::domain::policy::Route;

    #[test]
    fn a_channel_is_this_servers_and_one_for_text() {
        let channel = |kind: u64| json!({ "guild_id": "1", "type": kind });
        assert!(of(&channel(0), "1") && !of(&channel(0), "2") && !of(&json!({ "type": 1 }), "1"));
        let taken: Vec<u64> = (0..20).filter(|kind| takes_notices(&channel(*kind))).collect();
        assert_eq!(taken, [0, 5], "no category, no thread, no forum");
    }

    /// Found by review: only audiences' roles were looked at, and sign-off requests called nobody.
    #[test]
    fn roles_that_sign_and_roles_that_are_told_can_both_be_called() {
        let role = |id: &str, mentionable| json!({ "id": id, "name": format!("@{id}"), "mentionable": mentionable });
        let everyone = role("1", false);
        let roles =
            [role("leads", false), role("support", false), role("sre", true), role("managers", false), everyone];
        let id = |name: &str| RoleId(name.to_owned());
        let policy = Policy {
            signers: [
                (SignoffRole::EngineeringLead, vec![id("leads")]),
                (SignoffRole::SreOps, vec![id("sre"), id("1")]),
            ]
            .into(),
            release_managers: vec![id("managers")],
            audiences: [(Audience::support(), Route { role: Some(id("support")), ..Route::default() })].into(),
            ..Policy::default()
        };
        assert_eq!(not_callable(&policy, &roles, 0, "1").into_iter().collect::<Vec<_>>(), ["@leads", "@support"]);
        assert!(not_callable(&policy, &roles, MENTION_EVERYONE, "1").is_empty());
    }

    #[test]
    fn exceptions_are_applied_in_discords_order() {
        let all: u64 = RIGHTS.iter().map(|(bit, _)| bit).sum();
        let exception =
            |id: &str, allow: u64, deny: u64| json!({ "id": id, "allow": allow.to_string(), "deny": deny.to_string() });
        let channel = |list: &[Value]| json!({ "permission_overwrites": list });
        let (view, send) = (1 << 10, 1 << 11);
        let of = |list: &[Value]| missing(rights(all, &channel(list), "g", "b", &["r", "s"]));
        assert_eq!(of(&[]), Vec::<&str>::new());
        assert_eq!(of(&[exception("g", 0, send)]), ["Send Messages"]);
        assert_eq!(
            of(&[exception("g", 0, send), exception("r", send, 0)]),
            Vec::<&str>::new(),
            "a role wins over everyone"
        );
        assert_eq!(
            of(&[exception("r", 0, view), exception("s", view, 0)]),
            Vec::<&str>::new(),
            "allow wins among roles"
        );
        assert_eq!(
            of(&[exception("s", send, 0), exception("b", 0, send)]),
            ["Send Messages"],
            "the member wins over roles"
        );
        assert_eq!(of(&[exception("x", 0, view)]), Vec::<&str>::new(), "another's exception is none of ours");
        assert!(missing(rights(ADMINISTRATOR, &channel(&[exception("g", 0, view)]), "g", "b", &[])).is_empty());
    }
}
