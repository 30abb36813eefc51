//! What a command names must be of its own server: members, channels, roles.

use serenity::model::application::CommandDataOptionValue;

use super::handle::Handler;
use super::parse::Typed;
use super::reply::{Handled, Reply, Stop};
use super::rest::Limit;
use crate::domain::ids::{ChannelId, RoleId, UserId, WorkspaceId};
use crate::sending::SendFault;

impl Handler {
    /// Somebody is a member of this server.
    ///
    /// # Errors
    /// They are not: a sentence for the person; or Discord could not be asked.
    pub(super) async fn own_member(&self, reply: &Reply<'_>, guild: &WorkspaceId, user: &UserId) -> Handled {
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
    pub(super) async fn own(&self, reply: &Reply<'_>, guild: &WorkspaceId, typed: &Typed) -> Handled {
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
