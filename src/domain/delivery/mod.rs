//! Topic: what the courier could not deliver, and what people decide about it. A message is known by its posting key. It must
//! not know how messages travel: the courier says what became of one, and carries out what is decided here.

pub(in crate::domain) mod rules;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{ChannelId, Destination, Place};
use super::key::PostKey;

/// What became of a message, known by its posting key, and what people decide about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryCommand {
    /// The courier posted it.
    Delivered { key: PostKey, place: Place, at: Timestamp },
    /// The courier could not post it.
    Stuck { key: PostKey, found: NotPosted },
    /// A person has it sent again.
    SendAgain { key: PostKey },
    /// A person looked, and it is there.
    CallSent { key: PostKey },
}

/// Why a message is not where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// It may or may not have been posted, and the channel's history cannot say.
    Held,
    /// A right or the channel is missing; it is tried again every few minutes while it is useful.
    Blocked,
    /// It will never be accepted as it is.
    Dead,
    /// It could not be posted while it was useful, and never will be.
    Expired,
}

/// What the courier says of a message that it could not post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotPosted {
    pub trouble: Trouble,
    pub place: Place,
    /// Whom the place stood for, where that is on record.
    pub to: Option<Destination>,
    /// Its headline.
    pub said: String,
    /// What the platform said.
    pub why: String,
}

/// A message that is not where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stuck {
    pub trouble: Trouble,
    #[serde(rename = "channel")]
    pub place: Place,
    /// Whom the place stands for, where that is on record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Destination>,
    /// Its headline.
    pub said: String,
    /// What the platform said.
    pub why: String,
    /// The posting that tells people of it.
    pub post: String,
    /// Who had it sent again, while that is under way.
    #[serde(default)]
    pub again: Option<String>,
}

/// How trouble ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It was posted after all.
    Posted,
    /// Somebody looked, and it is there.
    CalledSent { by: String },
    /// It was not sent, and what it would say is overtaken.
    Overtaken,
}

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryEvent {
    Stuck {
        key: PostKey,
        stuck: Stuck,
    },
    Freed {
        key: PostKey,
    },
    SentAgain {
        key: PostKey,
        by: String,
        /// Another channel than before stands for its readers now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Place>,
    },
    CalledSent {
        key: PostKey,
    },
    /// It was not sent, and what it would say is overtaken.
    Dropped {
        key: PostKey,
    },
}

/// What is said to channels, without the words: each variant carries only what the release itself no longer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum DeliveryNotice {
    /// What could not be posted is told nowhere: the ops channel takes no message.
    OpsGone { channel: ChannelId, why: String },
    /// A message that could not be delivered, for the ops channel.
    Stuck { key: PostKey, stuck: Stuck, settled: Option<Settled> },
}

/// The answers to its commands.
#[derive(Debug, Clone, PartialEq)]
pub enum DeliveryReply {
    SentAgain {
        /// Where it goes now, if that is another channel.
        to: Option<ChannelId>,
    },
    CalledSent,
}
