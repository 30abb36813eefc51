//! The identifiers of the domain. It must not know how a platform spells them: to us they are opaque text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a message goes; the policy names the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    Release,
    Ops,
    Audience(Audience),
    /// A status page, by name: what it shows is the release's own state.
    Page(String),
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

text_id!(
    /// A person on the chat platform.
    UserId
);
text_id!(
    /// A chat role; membership is read from each interaction, never cached.
    RoleId
);
text_id!(
    /// A chat channel.
    ChannelId
);
text_id!(
    /// A workspace: a chat server with its settings and releases. The adapter gives it a text that is unique among all platforms; Discord's is
    /// the server's id.
    WorkspaceId
);
text_id!(
    /// Who is told: `engineering`, `support`, `status-page` or a name of the plan's own.
    Audience
);

/// Where readers find a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Place {
    Channel(ChannelId),
    /// A status page, by name.
    Page(String),
}

impl Place {
    /// The chat channel, if it is one.
    pub fn channel(&self) -> Option<&ChannelId> {
        match self {
            Self::Channel(channel) => Some(channel),
            Self::Page(_) => None,
        }
    }
}

/// How a status page is written in the record; no chat platform's id looks like it.
const PAGE: &str = "page:";

impl From<Place> for String {
    fn from(place: Place) -> Self {
        match place {
            Place::Channel(channel) => channel.0,
            Place::Page(name) => format!("{PAGE}{name}"),
        }
    }
}

/// The only place that reads the text form.
impl From<String> for Place {
    fn from(text: String) -> Self {
        match text.strip_prefix(PAGE) {
            Some(name) => Self::Page(name.to_owned()),
            None => Self::Channel(ChannelId(text)),
        }
    }
}

impl Audience {
    /// The engineering team (T-24h in the template).
    pub fn engineering() -> Self {
        Self::from("engineering")
    }
    /// The support team (T-2h in the template).
    pub fn support() -> Self {
        Self::from("support")
    }
    /// Readers of the status page (T-30m in the template).
    pub fn status_page() -> Self {
        Self::from("status-page")
    }
}

/// A release, unique in the installation (UUIDv7, minted outside the domain).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseId(pub uuid::Uuid);

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number people use, counted per workspace; shown as `REL-42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseNo(pub u32);

impl fmt::Display for ReleaseNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "REL-{}", self.0)
    }
}

impl std::str::FromStr for ReleaseNo {
    type Err = ();

    /// Accepts `REL-42`, `rel-42`, `#42` and `42`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim();
        let digits = match text.get(..4) {
            Some(head) if head.eq_ignore_ascii_case("rel-") => &text[4..],
            _ => text.trim_start_matches('#'),
        };
        digits.parse().map(Self).map_err(|_not_a_number| ())
    }
}
