//! What Discord says of a configuration: whether the token is good, whether the bot is in the server, whether channels and
//! roles exist, which rights it lacks where. It reads and never writes.
//!
//! Computing rights: <https://discord.com/developers/docs/topics/permissions#permission-overwrites>

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::rest::{Limit, Rest};
use crate::chat::SendFault;
use crate::domain::ids::{ChannelId, GuildId};
use crate::domain::policy::Policy;

/// The rights the bot needs in every channel it speaks in, by bit and by Discord's name.
pub const RIGHTS: [(u64, &str); 5] = [
    (1 << 10, "View Channel"),
    (1 << 11, "Send Messages"),
    (1 << 14, "Embed Links"),
    (1 << 15, "Attach Files"),
    (1 << 16, "Read Message History"),
];

/// The kinds of channel that notices go to: text and announcement. <https://discord.com/developers/docs/resources/channel#channel-object-channel-types>
pub const POSTABLE: [u64; 2] = [0, 5];

const ADMINISTRATOR: u64 = 1 << 3;
const MENTION_EVERYONE: u64 = 1 << 17;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is as it should be.
    pub good: bool,
    /// A sentence; where it is not, with what to do.
    pub text: String,
}

fn good(text: impl Into<String>) -> Finding {
    Finding { good: true, text: text.into() }
}

fn bad(text: impl Into<String>) -> Finding {
    Finding { good: false, text: text.into() }
}

/// The link that invites a bot with exactly the rights it needs.
pub fn invite_link(application: &str) -> String {
    let rights: u64 = RIGHTS.iter().map(|(bit, _)| bit).sum();
    format!(
        "https://discord.com/oauth2/authorize?client_id={application}&scope=bot%20applications.commands&permissions={rights}"
    )
}

/// Looks at everything a configuration names.
///
/// # Errors
/// Discord could not be asked at all: no connection, or it does not answer.
pub async fn examine(rest: &Rest, workspaces: &[(GuildId, Policy)]) -> Result<Vec<Finding>, SendFault> {
    let me = match get(rest, "/users/@me").await {
        Ok(me) => me,
        Err(SendFault::TokenDead) => {
            return Ok(vec![bad(
                "Discord refuses the token. Reset it in the developer portal and put the new one in its file.",
            )]);
        }
        Err(fault) => return Err(fault),
    };
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (id, name) = (word(&me["id"]), word(&me["username"]));
    let application = get(rest, "/applications/@me").await?;
    let invite = invite_link(&word(&application["id"]));
    let mut found =
        vec![good(format!("The token is good: the bot is {name}.")), good(format!("Invite link: {invite}"))];
    if workspaces.is_empty() {
        found.push(good(
            "No [[workspace]] in the file: servers are set up with /tminus setup, and checked with /tminus check.",
        ));
    }
    for (guild, policy) in workspaces {
        server(rest, &id, &invite, guild, policy, &mut found).await?;
    }
    Ok(found)
}

/// Looks at one server's channels, rights and roles.
///
/// # Errors
/// Discord could not be asked.
pub async fn table(rest: &Rest, guild: &GuildId, policy: &Policy) -> Result<Vec<Finding>, SendFault> {
    let me = get(rest, "/users/@me").await?;
    let application = get(rest, "/applications/@me").await?;
    let invite = invite_link(application["id"].as_str().unwrap_or_default());
    let mut found = Vec::new();
    server(rest, me["id"].as_str().unwrap_or_default(), &invite, guild, policy, &mut found).await?;
    Ok(found)
}

async fn get(rest: &Rest, path: &str) -> Result<Value, SendFault> {
    rest.json(Method::GET, path, None, Limit::Bucket).await
}

async fn server(
    rest: &Rest,
    bot: &str,
    invite: &str,
    guild: &GuildId,
    policy: &Policy,
    found: &mut Vec<Finding>,
) -> Result<(), SendFault> {
    let server = match get(rest, &format!("/guilds/{}", guild.0)).await {
        Ok(server) => server,
        Err(SendFault::Blocked(_) | SendFault::NotThere(_) | SendFault::Refused(_) | SendFault::Forbidden(_)) => {
            found.push(bad(format!("The bot is not in server {}. Invite it: {invite}", guild.0)));
            return Ok(());
        }
        Err(fault) => return Err(fault),
    };
    let name = server["name"].as_str().unwrap_or_default().to_owned();
    let member = get(rest, &format!("/guilds/{}/members/{bot}", guild.0)).await?;
    let roles = server["roles"].as_array().cloned().unwrap_or_default();
    let own: Vec<&str> = member["roles"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let base = roles
        .iter()
        .filter(|role| role["id"] == guild.0.as_str() || role["id"].as_str().is_some_and(|id| own.contains(&id)))
        .fold(0, |all, role| all | bits(&role["permissions"]));
    let mut channels: Vec<(&str, &ChannelId)> = Vec::new();
    channels.extend(policy.release_channel.as_ref().map(|channel| ("release channel", channel)));
    channels.extend(policy.ops_channel.as_ref().map(|channel| ("ops channel", channel)));
    for (audience, route) in &policy.audiences {
        channels.extend(route.channel.as_ref().map(|channel| (audience.0.as_str(), channel)));
    }
    if policy.release_channel.is_none() {
        found.push(bad(format!("{name}: no release channel is set; nothing can be said there.")));
    }
    for (what, channel) in channels {
        found.push(match get(rest, &format!("/channels/{}", channel.0)).await {
            Ok(json) if !of(&json, &guild.0) => bad(format!(
                "{name}: the {what}, {}, belongs to another server. Nothing of this one may be said there: name another.",
                channel.0
            )),
            Ok(json) if !takes_notices(&json) => bad(format!(
                "{name}, #{} ({what}): no text channel. Name a text or announcement channel: a thread is archived in time, a forum or category takes no messages.",
                json["name"].as_str().unwrap_or_default()
            )),
            Ok(json) => {
                let called = format!("{name}, #{} ({what})", json["name"].as_str().unwrap_or_default());
                let missing = missing(rights(base, &json, &guild.0, bot, &own));
                if missing.is_empty() {
                    good(format!("{called}: every right is there."))
                } else {
                    bad(format!(
                        "{called}: missing {}. Give them to the bot's role in the channel's settings.",
                        missing.join(", ")
                    ))
                }
            }
            Err(SendFault::NotThere(_)) => {
                bad(format!("{name}: the {what}, {}, does not exist. Name another.", channel.0))
            }
            Err(SendFault::Blocked(_)) => {
                bad(format!("{name}: the {what}, {}, is hidden from the bot. Give it View Channel there.", channel.0))
            }
            Err(fault) => return Err(fault),
        });
    }
    let named = policy.signers.values().flatten().chain(&policy.release_managers).chain(&policy.break_glass);
    let named = named.chain(policy.audiences.values().filter_map(|route| route.role.as_ref()));
    for role in not_callable(policy, &roles, base, &guild.0) {
        found.push(bad(format!(
            "{name}: @{role} cannot be called. Allow anyone to @mention it in the role's settings; messages go out all the same."
        )));
    }
    if base & MENTION_EVERYONE != 0 {
        found.push(bad(format!(
            "{name}: the bot holds Mention Everyone and does not need it. Take it from the bot's role; T-Minus never calls everyone."
        )));
    }
    // Nobody's roles list the one that everybody has.
    if named.clone().any(|role| role.0 == guild.0) {
        found.push(bad(format!(
            "{name}: @everyone stands for a part, and gives it to nobody. Name a role that people are given."
        )));
    }
    let mut gone: Vec<&str> =
        named.map(|role| role.0.as_str()).filter(|role| !roles.iter().any(|known| known["id"] == *role)).collect();
    gone.sort_unstable();
    gone.dedup();
    for role in gone {
        found.push(bad(format!("{name}: role {role} does not exist. Whoever it stood for is nobody now.")));
    }
    Ok(())
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
