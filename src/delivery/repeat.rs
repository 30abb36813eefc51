//! What a target allows when nobody knows whether an attempt had an effect.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::delivery::target::Target;

/// Whether an attempt of unknown outcome may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Only after a look-up that did not find it; or at once, while the target recognises the repeat by its nonce.
    LookUpFirst { nonce: Option<NonceWindow> },
    /// Always: the target deduplicates by the message's key.
    Idempotent,
    /// Never: a person decides.
    Never,
}

/// How long a target recognises a repeated attempt by its nonce, counted from the first attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NonceWindow {
    /// A request that begins within this time still meets the nonce: it may take its time on the way.
    pub trusted: SignedDuration,
    /// Repeats without a look-up end after this time, so that the last repeat's late effect still meets the nonce.
    pub repeats: SignedDuration,
}

/// What a target can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    pub repeat: Repeat,
    /// How long an accepted request may take to show.
    pub settle: SignedDuration,
}

impl Capability {
    /// How long nonces are remembered, if they are.
    pub(super) fn nonce(&self) -> Option<NonceWindow> {
        match self.repeat {
            Repeat::LookUpFirst { nonce } => nonce,
            Repeat::Idempotent | Repeat::Never => None,
        }
    }
}

/// The capability of every target.
#[derive(Debug, Clone)]
pub struct Capabilities {
    pub chat: Capability,
    /// Status pages by name; another one is looked up first.
    pub pages: BTreeMap<String, Repeat>,
}

impl Capabilities {
    /// How long an accepted request may take to show, where the target says nothing else.
    pub const SETTLE: SignedDuration = SignedDuration::from_secs(30);

    /// A chat, and no status page.
    #[cfg(test)]
    pub fn of_chat(repeat: Repeat) -> Self {
        Self { chat: Capability { repeat, settle: Self::SETTLE }, pages: BTreeMap::new() }
    }

    /// What a target can do.
    pub fn of(&self, target: &Target) -> Capability {
        let repeat = match target {
            Target::Chat { .. } => return self.chat,
            Target::Page { name } => self.pages.get(name).copied().unwrap_or(Repeat::LookUpFirst { nonce: None }),
            // A receiver of Standard Webhooks keeps the id of every message. <https://www.standardwebhooks.com>
            Target::Hook { .. } => Repeat::Idempotent,
            Target::Lever { .. } => Repeat::Never,
        };
        Capability { repeat, settle: Self::SETTLE }
    }
}
