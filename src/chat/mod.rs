//! Chat platforms behind one closed enum. A platform is five files: gateway, commands, parse, render, send.

pub mod discord;
mod outgoing;
pub mod rate;
pub mod token;
pub mod token_watch;

use jiff::Timestamp;

use crate::delivery::Repeat;
use crate::domain::ids::{ChannelId, WorkspaceId};
pub use crate::sending::{LookUp, SendFault};
pub use outgoing::{File, Outgoing, Rank, Standing};

/// The platforms T-Minus speaks.
#[derive(Debug, Clone)]
pub enum Platform {
    Discord(discord::send::Sender),
}

impl Platform {
    /// Whether a channel is a server's own.
    ///
    /// # Errors
    /// A classified fault.
    pub async fn owns(&self, server: &WorkspaceId, channel: &ChannelId) -> Result<bool, SendFault> {
        match self {
            Self::Discord(sender) => sender.owns(server, channel).await,
        }
    }

    /// What it allows when nobody knows whether an attempt had an effect.
    pub fn repeat(&self) -> Repeat {
        match self {
            Self::Discord(_) => Repeat::LookUpFirst { nonce: Some(discord::send::NONCE) },
        }
    }

    /// Posts a message; the nonce makes a repeated post within the platform's window return the first.
    ///
    /// # Errors
    /// A classified fault.
    pub async fn post(&self, channel: &ChannelId, message: Outgoing<'_>, nonce: &str) -> Result<String, SendFault> {
        match self {
            Self::Discord(sender) => sender.post(channel, message, nonce).await,
        }
    }

    /// Asks for an answer of any kind, whose date the clock hears. One that does not come is asked for again by the caller.
    pub async fn ask_time(&self) {
        match self {
            Self::Discord(sender) => sender.ask_time().await,
        }
    }

    /// Whether the platform accepts the bot's token, as far as anybody knows.
    pub fn accepts_token(&self) -> bool {
        match self {
            Self::Discord(sender) => sender.token().standing() == token::Standing::Good,
        }
    }

    /// A request was refused for the token: nothing more is sent before the platform was asked about it.
    pub fn doubt_token(&self) {
        match self {
            Self::Discord(sender) => sender.token().doubt(),
        }
    }

    /// Asks whether the token is accepted.
    ///
    /// # Errors
    /// [`SendFault::TokenDead`] if it is not; any other fault says nothing of it.
    pub async fn confirm_token(&self) -> Result<(), SendFault> {
        match self {
            Self::Discord(sender) => sender.confirm_token().await,
        }
    }

    /// When a message of ours came into its channel, by its id.
    pub fn created(&self, id: &str) -> Option<Timestamp> {
        match self {
            Self::Discord(_) => discord::send::created(id),
        }
    }

    /// Edits a message in place.
    ///
    /// # Errors
    /// A classified fault.
    pub async fn edit(&self, channel: &ChannelId, id: &str, message: Outgoing<'_>) -> Result<(), SendFault> {
        match self {
            Self::Discord(sender) => sender.edit(channel, id, message).await,
        }
    }

    /// Removes a message of ours; one that is gone already is no fault.
    ///
    /// # Errors
    /// A classified fault.
    pub async fn remove(&self, channel: &ChannelId, id: &str) -> Result<(), SendFault> {
        match self {
            Self::Discord(sender) => sender.remove(channel, id).await,
        }
    }

    /// Our own messages in a channel since an instant, oldest first.
    ///
    /// # Errors
    /// A classified fault.
    pub async fn standing(&self, channel: &ChannelId, since: Timestamp) -> Result<Vec<Standing>, SendFault> {
        match self {
            Self::Discord(sender) => sender.standing(channel, since).await,
        }
    }

    /// Looks for a marker among what was said since shortly before `since`; `anchor` is a message known to be in the channel.
    ///
    /// # Errors
    /// A classified fault of the reading itself.
    pub async fn look_up(
        &self,
        channel: &ChannelId,
        marker: &str,
        anchor: Option<&str>,
        since: Timestamp,
    ) -> Result<LookUp, SendFault> {
        match self {
            Self::Discord(sender) => sender.look_up(channel, marker, anchor, since).await,
        }
    }
}
