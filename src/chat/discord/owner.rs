//! Which server a channel or a role belongs to. A server's settings must name its own channels and roles; nothing is sent
//! into a channel of another server. A channel never moves to another server, so Discord's answer is kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::Method;
use serde_json::Value;

use super::rest::{Limit, Rest};
use crate::domain::ids::{ChannelId, RoleId, WorkspaceId};
use crate::domain::policy::Policy;
use crate::sending::SendFault;

/// Channels whose server is remembered.
const KEPT: usize = 20_000;

/// The servers of channels, as Discord told them. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Owners {
    by_channel: Arc<Mutex<HashMap<ChannelId, WorkspaceId>>>,
}

impl Owners {
    fn lock(&self) -> MutexGuard<'_, HashMap<ChannelId, WorkspaceId>> {
        self.by_channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a channel is a server's own, if that is known.
    fn knows(&self, guild: &WorkspaceId, channel: &ChannelId) -> Option<bool> {
        self.lock().get(channel).map(|owner| owner == guild)
    }

    /// Notes what Discord says of a channel; whether it is a server's own.
    fn learn(&self, guild: &WorkspaceId, channel: &ChannelId, answer: &Value) -> bool {
        let owner = WorkspaceId(answer["guild_id"].as_str().unwrap_or_default().to_owned());
        self.note(&owner, [channel.clone()]);
        owner == *guild
    }

    /// Notes channels of a server.
    pub(super) fn note(&self, guild: &WorkspaceId, channels: impl IntoIterator<Item = ChannelId>) {
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
    pub(in crate::chat) async fn owns(&self, guild: &WorkspaceId, channel: &ChannelId) -> Result<bool, SendFault> {
        if let Some(own) = self.owners().knows(guild, channel) {
            return Ok(own);
        }
        let answer = self.json(Method::GET, &format!("/channels/{channel}"), None, Limit::Urgent).await?;
        Ok(self.owners().learn(guild, channel, &answer))
    }

    /// The same for a person who waits.
    pub(super) async fn owns_for_person(&self, guild: &WorkspaceId, channel: &ChannelId) -> Result<bool, SendFault> {
        if let Some(own) = self.owners().knows(guild, channel) {
            return Ok(own);
        }
        let answer = self.read(&format!("/channels/{channel}"), Limit::Urgent).await?;
        Ok(self.owners().learn(guild, channel, &answer))
    }

    /// A server's roles, by id.
    pub(super) async fn roles(&self, guild: &WorkspaceId) -> Result<Vec<RoleId>, SendFault> {
        let answer = self.read(&format!("/guilds/{guild}/roles"), Limit::Urgent).await?;
        let ids = answer.as_array().into_iter().flatten().filter_map(|role| role["id"].as_str());
        Ok(ids.map(|id| RoleId(id.to_owned())).collect())
    }

    /// What a server's settings name that is not the server's own, as sentences for an operator.
    ///
    /// # Errors
    /// Discord could not be asked.
    pub(super) async fn foreign(&self, guild: &WorkspaceId, policy: &Policy) -> Result<Vec<String>, SendFault> {
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
