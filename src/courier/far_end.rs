//! What the courier asks of the world: each kind of target finds here what it is reached through.

use jiff::Timestamp;

use crate::chat::{File, Outgoing, Platform, Rank, Standing};
use crate::delivery::{Capabilities, Capability, Edit, Rendering, Target};
use crate::domain::ids::ChannelId;
use crate::outside::Pages;
use crate::sending::{LookUp, SendFault};
use crate::store::PostRow;
use crate::voice::{Message, PageEntry};

/// What goes along with a message: read from the store before the attempt.
#[derive(Debug, Default)]
pub struct Along {
    /// The platform's id of the message it is a reply to, where that is in the same target.
    pub reply_to: Option<String>,
    pub file: Option<File>,
}

/// The world as the courier sees it. The simulation of delivery is another one.
pub trait FarEnd: Clone + std::fmt::Debug + Send + Sync + 'static {
    /// Posts a message; `Ok` is its id there.
    fn post(&self, row: &PostRow, along: &Along) -> impl Future<Output = Result<String, SendFault>> + Send;

    /// Shows a posted message as it is wanted.
    fn edit(&self, row: &PostRow, edit: &Edit, message: &str) -> impl Future<Output = Result<(), SendFault>> + Send;

    /// Looks for a message that may be there. `anchor` is a message known to be there.
    fn look_up(&self, row: &PostRow, anchor: Option<&str>) -> impl Future<Output = Result<LookUp, SendFault>> + Send;

    /// Whether a target belongs to the workspace whose message it is.
    fn owns(&self, row: &PostRow) -> impl Future<Output = Result<bool, SendFault>> + Send;

    /// Our own messages in a channel since an instant.
    fn standing(
        &self,
        channel: &ChannelId,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<Standing>, SendFault>> + Send;

    /// Removes a message of ours; one that is gone already is no fault.
    fn remove(&self, target: &Target, message: &str) -> impl Future<Output = Result<(), SendFault>> + Send;

    /// When a message was created, where its id says so.
    fn created(&self, target: &Target, message: &str) -> Option<Timestamp>;

    /// Whether the chat accepts the bot's token, as far as anybody knows.
    fn accepts_token(&self) -> bool;

    /// A request was refused for the token: nothing more is sent before the platform was asked about it.
    fn doubt_token(&self);

    /// A named point of an attempt, at which a simulation may end or stop the process.
    fn reached(&self, _point: &str) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// The chat and the status pages.
#[derive(Debug, Clone)]
pub struct Outside {
    pub chat: Platform,
    pub pages: Pages,
}

impl Outside {
    /// What each target allows.
    pub fn capabilities(&self) -> Capabilities {
        let chat = Capability { repeat: self.chat.repeat(), settle: Capabilities::SETTLE };
        Capabilities { chat, pages: self.pages.repeats() }
    }
}

impl FarEnd for Outside {
    async fn post(&self, row: &PostRow, along: &Along) -> Result<String, SendFault> {
        let channel = match &row.target {
            Target::Chat { channel, .. } => channel,
            Target::Page { name } => {
                return self.pages.show(name, &stored::<PageEntry>(&row.rendering.payload)?, &row.marker).await;
            }
            Target::Hook { .. } | Target::Lever { .. } => return Err(not_configured(&row.target)),
        };
        let message: Message = stored(&row.rendering.payload)?;
        let out = Outgoing {
            message: &message,
            prompt: row.rendering.prompt.as_deref(),
            marker: &row.marker,
            rank: Rank::of(row.priority),
            reply_to: along.reply_to.as_deref(),
            file: along.file.as_ref(),
        };
        match self.chat.post(channel, out, &row.nonce).await {
            // Nothing was posted: better without its file than not at all.
            Err(SendFault::Blocked(_)) if out.file.is_some() => {
                self.chat.post(channel, Outgoing { file: None, ..out }, &row.nonce).await
            }
            posted => posted,
        }
    }

    async fn edit(&self, row: &PostRow, edit: &Edit, message: &str) -> Result<(), SendFault> {
        let Rendering { payload, prompt } = &edit.rendering;
        match &row.target {
            Target::Chat { channel, .. } => {
                let (shown, prompt): (Message, _) = (stored(payload)?, prompt.as_deref());
                let (marker, rank) = (row.marker.as_str(), Rank::Later);
                let out = Outgoing { message: &shown, prompt, marker, rank, reply_to: None, file: None };
                self.chat.edit(channel, message, out).await
            }
            Target::Page { name } => {
                self.pages.update(name, message, &stored::<PageEntry>(payload)?, &row.marker, edit.wanted).await
            }
            Target::Hook { .. } | Target::Lever { .. } => Err(not_configured(&row.target)),
        }
    }

    async fn look_up(&self, row: &PostRow, anchor: Option<&str>) -> Result<LookUp, SendFault> {
        match &row.target {
            Target::Chat { channel, .. } => {
                let since = row.post.first_attempt().unwrap_or(row.post.due);
                self.chat.look_up(channel, &row.marker, anchor, since).await
            }
            Target::Page { name } => self.pages.find(name, &row.marker).await,
            Target::Hook { .. } | Target::Lever { .. } => Err(not_configured(&row.target)),
        }
    }

    async fn owns(&self, row: &PostRow) -> Result<bool, SendFault> {
        match &row.target {
            Target::Chat { channel, .. } => self.chat.owns(&row.server, channel).await,
            Target::Page { .. } | Target::Hook { .. } | Target::Lever { .. } => Ok(true),
        }
    }

    async fn standing(&self, channel: &ChannelId, since: Timestamp) -> Result<Vec<Standing>, SendFault> {
        self.chat.standing(channel, since).await
    }

    async fn remove(&self, target: &Target, message: &str) -> Result<(), SendFault> {
        match target {
            Target::Chat { channel, .. } => self.chat.remove(channel, message).await,
            // A page has one entry for each marker.
            Target::Page { .. } | Target::Hook { .. } | Target::Lever { .. } => Ok(()),
        }
    }

    fn created(&self, target: &Target, message: &str) -> Option<Timestamp> {
        target.channel().and_then(|_| self.chat.created(message))
    }

    fn accepts_token(&self) -> bool {
        self.chat.accepts_token()
    }

    fn doubt_token(&self) {
        self.chat.doubt_token();
    }
}

/// What was frozen into a row.
fn stored<T: serde::de::DeserializeOwned>(payload: &str) -> Result<T, SendFault> {
    serde_json::from_str(payload)
        .map_err(|error| SendFault::Refused(format!("cannot parse the stored message: {error}")))
}

fn not_configured(target: &Target) -> SendFault {
    SendFault::NotThere(format!("the configuration has no “{target}”"))
}
