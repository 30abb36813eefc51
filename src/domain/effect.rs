//! Everything the world must be told because of a decision. An effect says what, to whom and until when it is useful;
//! it must not know words (`voice`) nor platforms.

use jiff::Timestamp;

use super::ids::{Destination, Place, UserId};
use super::key::PostKey;
use super::notice::Notice;
use super::prompt::Prompt;

/// One thing to be said, or said anew.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Post(Box<Posting>),
    /// The message posted under `key` gets this rendering; the latest wins.
    Edit {
        key: PostKey,
        notice: Box<Notice>,
        prompt: Option<Prompt>,
    },
    /// A message that could not be delivered: what a person decided about it.
    Redeliver {
        key: PostKey,
        how: Redelivery,
    },
    /// Somebody has a part now that another had: what is not in its channel yet calls them as well. The other may be called by it
    /// for another reason.
    Recall {
        from: UserId,
        to: UserId,
    },
}

/// What becomes of a message that could not be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redelivery {
    /// To the channel that stands for its readers now, if that is another one.
    SendAgain { to: Option<Place> },
    /// It is there already.
    CallSent,
    /// Unless it is there already, it is not sent any more.
    Withdraw,
}

/// A message to be posted exactly once.
#[derive(Debug, Clone, PartialEq)]
pub struct Posting {
    /// Unique within the release: `g1/T-2h/support`, `case/1`. A second posting under a key is no news.
    pub key: PostKey,
    /// So many messages under this key; whatever comes then is shown in the last of them.
    pub at_most: Option<u32>,
    pub to: Destination,
    pub notice: Notice,
    pub prompt: Option<Prompt>,
    pub priority: Priority,
    /// After this instant the message is not worth sending.
    pub useful_until: Option<Timestamp>,
    /// People to be mentioned, beside the audience's role.
    pub mention: Vec<UserId>,
    /// Whether it mentions the audience's role.
    pub ping: bool,
    /// The message it is a reply to, by its key within the release.
    pub reply_to: Option<PostKey>,
    /// The plan's document goes along as a file.
    pub document: bool,
}

/// Order in a channel's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A person must decide or act now.
    Prompt = 0,
    /// A notice of the ladder, at its instant.
    Notice = 1,
    /// Everything else.
    Update = 2,
    /// What reports a person's own doing, as often as they do it.
    Report = 3,
}
