//! Which server a channel or a role belongs to. A server's settings must name its own channels and roles; nothing is sent
//! into a channel of another server. A channel never moves to another server, so Discord's answer is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::Method;
use serde_json::Value;
use serenity::model::application::CommandDataOptionValue;

use super::handle::Handler;
use super::parse::Typed;
use super::reply::{Handled, Reply, Stop};
use super::rest::{Limit, Rest};
use crate::chat::SendFault;
use crate::domain::ids::{ChannelId, GuildId, RoleId, UserId};
use crate::domain::policy::Policy;

/// Channels whose server is remembered.
const KEPT: usize = 20_000;

/// The servers of channels, as Discord told them. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Owners {
    by_channel: Arc<Mutex<HashMap<ChannelId, GuildId>>>,
}

impl Owners {
    fn lock(&self) -> MutexGuard<'_, HashMap<ChannelId, GuildId>> {
        self.by_channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a channel is a server's own, if that is known.
    fn knows(&self, guild: &GuildId, channel: &ChannelId) -> Option<bool> {
        self.lock().get(channel).map(|owner| owner == guild)
    }

    /// Notes what Discord says of a channel; whether it is a server's own.
    fn learn(&self, guild: &GuildId, channel: &ChannelId, answer: &Value) -> bool {
        let owner = GuildId(answer["guild_id"].as_str().unwrap_or_default().to_owned());
        self.note(&owner, [channel.clone()]);
        owner == *guild
    }

    /// Notes channels of a server.
    pub(super) fn note(&self, guild: &GuildId, channels: impl IntoIterator<Item = ChannelId>) {
        let mut by_channel = self.lock();
        if by_channel.len() > KEPT {
            by_channel.clear();
        }
        by_channel.extend(channels.into_iter().map(|channel| (channel, guild.clone())));
    }
}

impl Rest {
    /// Whether a channel is a server's own. Discord is asked, once, where it did not say yet.
    ///
    /// # Errors
    /// A classified fault: the channel is gone or hidden, or Discord could not be asked.
    pub(in crate::chat) async fn owns(&self, guild: &GuildId, channel: &ChannelId) -> Result<bool, SendFault> {
        if let Some(own) = self.owners().knows(guild, channel) {
            return Ok(own);
        }
        let answer = self.json(Method::GET, &format!("/channels/{channel}"), None, Limit::Urgent).await?;
        Ok(self.owners().learn(guild, channel, &answer))
    }

    /// The same for a person who waits.
    async fn owns_for_person(&self, guild: &GuildId, channel: &ChannelId) -> Result<bool, SendFault> {
        if let Some(own) = self.owners().knows(guild, channel) {
            return Ok(own);
        }
        let answer = self.read(&format!("/channels/{channel}"), Limit::Urgent).await?;
        Ok(self.owners().learn(guild, channel, &answer))
    }

    /// A server's roles, by id.
    async fn roles(&self, guild: &GuildId) -> Result<Vec<RoleId>, SendFault> {
        let answer = self.read(&format!("/guilds/{guild}/roles"), Limit::Urgent).await?;
        let ids = answer.as_array().into_iter().flatten().filter_map(|role| role["id"].as_str());
        Ok(ids.map(|id| RoleId(id.to_owned())).collect())
    }

    /// What a server's settings name that is not the server's own, as sentences for an operator.
    ///
    /// # Errors
    /// Discord could not be asked.
    pub(super) async fn foreign(&self, guild: &GuildId, policy: &Policy) -> Result<Vec<String>, SendFault> {
        let mut foreign = Vec::new();
        let own = [("release channel", &policy.release_channel), ("ops channel", &policy.ops_channel)];
        let own = own.into_iter().map(|(what, channel)| (what.to_owned(), channel.as_ref()));
        let routes =
            policy.audiences.iter().map(|(name, route)| (format!("channel of {name}"), route.channel.as_ref()));
        for (what, channel) in own.chain(routes) {
            let Some(channel) = channel else { continue };
            match self.owns_for_person(guild, channel).await {
                Ok(true) | Err(SendFault::NotThere(_) | SendFault::Blocked(_)) => {}
                Ok(false) => foreign.push(format!("the {what}, {channel}, belongs to another server")),
                Err(fault) => return Err(fault),
            }
        }
        let known = self.roles(guild).await?;
        let named = policy.signers.values().flatten().chain(&policy.release_managers).chain(&policy.break_glass);
        let named = named.chain(policy.audiences.values().filter_map(|route| route.role.as_ref()));
        let mut unknown: Vec<&RoleId> = named.filter(|role| !known.contains(role)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        foreign.extend(unknown.into_iter().map(|role| format!("role {role} is not a role of this server")));
        Ok(foreign)
    }
}

/// A server's channels and threads, as the gateway lists them.
pub(super) fn channels_of(guild: &serenity::model::guild::Guild) -> Vec<ChannelId> {
    let channels = guild.channels.keys().map(ToString::to_string);
    channels.chain(guild.threads.iter().map(|thread| thread.id.to_string())).map(ChannelId).collect()
}

impl Handler {
    /// Somebody is a member of this server.
    ///
    /// # Errors
    /// They are not: a sentence for the person; or Discord could not be asked.
    pub(super) async fn own_member(&self, reply: &Reply<'_>, guild: &GuildId, user: &UserId) -> Handled {
        // Discord is asked: that may take longer than an answer may.
        reply.wait().await?;
        match self.rest.read(&format!("/guilds/{guild}/members/{user}"), Limit::Urgent).await {
            Ok(_) => Ok(()),
            Err(SendFault::Refused(_) | SendFault::NotThere(_)) => {
                Err(Stop::sorry("That person is not a member of this server. Choose a member."))
            }
            Err(fault) => Err(Stop::sorry(&format!(
                "Discord did not say whether that person is a member of this server ({fault}). Try again."
            ))),
        }
    }

    /// Every channel and role among a command's options is this server's own.
    ///
    /// # Errors
    /// One is not: the person is told which option; or Discord could not be asked.
    pub(super) async fn own(&self, reply: &Reply<'_>, guild: &GuildId, typed: &Typed) -> Handled {
        let named = |value: &CommandDataOptionValue| {
            matches!(value, CommandDataOptionValue::Channel(_) | CommandDataOptionValue::Role(_))
        };
        if !typed.values().any(named) {
            return Ok(());
        }
        // Discord may have to be asked: that may take longer than an answer may.
        reply.wait().await?;
        let unasked = |fault: SendFault| {
            Stop::sorry(&format!(
                "Discord did not say whether this server has these channels and roles ({fault}). Try again."
            ))
        };
        let not_own = |name: &str, what: &str| {
            Stop::sorry(&format!(
                "The {what} in the option “{name}” is not of this server. Choose a {what} of this server."
            ))
        };
        let mut roles = None;
        for (name, value) in typed.named() {
            match value {
                CommandDataOptionValue::Channel(id) => {
                    match self.rest.owns_for_person(guild, &ChannelId(id.to_string())).await {
                        // One that the bot cannot see is this server's: `/tminus check` names the missing permission.
                        Ok(true) | Err(SendFault::Blocked(_)) => {}
                        Ok(false) | Err(SendFault::NotThere(_)) => return Err(not_own(name, "channel")),
                        Err(fault) => return Err(unasked(fault)),
                    }
                }
                CommandDataOptionValue::Role(id) => {
                    if roles.is_none() {
                        roles = Some(self.rest.roles(guild).await.map_err(unasked)?);
                    }
                    let role = RoleId(id.to_string());
                    if !roles.as_ref().is_some_and(|roles| roles.contains(&role)) {
                        return Err(not_own(name, "role"));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}
