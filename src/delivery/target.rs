//! Where something goes.

use serde::{Deserialize, Serialize};

use crate::domain::ids::{ChannelId, WorkspaceId};

/// A destination outside T-Minus. Messages to one target go one at a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A chat channel.
    Chat { workspace: WorkspaceId, channel: ChannelId },
    /// A status page, by its name in the configuration.
    Page { name: String },
    /// A subscriber's webhook, by the subscription's name.
    Hook { subscription: String },
    /// Something that acts on production, by its name in the configuration.
    Lever { name: String },
}

impl Target {
    /// A channel of a workspace.
    pub fn chat(workspace: &WorkspaceId, channel: &ChannelId) -> Self {
        Self::Chat { workspace: workspace.clone(), channel: channel.clone() }
    }

    /// The chat channel, if it is one.
    pub fn channel(&self) -> Option<&ChannelId> {
        match self {
            Self::Chat { channel, .. } => Some(channel),
            Self::Page { .. } | Self::Hook { .. } | Self::Lever { .. } => None,
        }
    }
}

/// For logs: a channel's id, or a name.
impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Chat { channel, .. } => &channel.0,
            Self::Page { name } | Self::Lever { name } => name,
            Self::Hook { subscription } => subscription,
        })
    }
}
