//! Scripted faults, per route and seeded, and the rights of the bot that can be taken away.

use std::collections::VecDeque;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Answer 502 before anything happened.
    FailBefore,
    /// Do it, then answer 502.
    FailAfter,
    /// Answer 429 once.
    RateLimited,
    /// Answer 403: a right is missing.
    Forbidden,
    /// Answer this status before anything happened.
    Status(u16),
    /// Answer after so many milliseconds.
    Slow(u64),
    /// Answer 502, and do it when so many milliseconds have gone by on the sandbox's clock.
    Late(u64),
}

impl Fault {
    /// In a reader's words.
    pub(crate) fn words(self) -> String {
        match self {
            Self::FailBefore => "502, request not done".to_owned(),
            Self::FailAfter => "502, although the request was done".to_owned(),
            Self::RateLimited => "429, too many requests".to_owned(),
            Self::Forbidden => "403, permission missing".to_owned(),
            Self::Status(status) => status.to_string(),
            Self::Slow(ms) => format!("response after {} s", ms / 1_000),
            Self::Late(ms) => format!("502, but the request is done {} s later", ms / 1_000),
        }
    }
}

/// A fault with where and how often.
#[derive(Debug, Clone)]
pub struct Script {
    /// `POST /channels/{}/messages`; empty for every route.
    pub route: String,
    pub fault: Fault,
    /// How many requests it takes; `None` until mended.
    pub times: Option<u32>,
    /// How likely a request is taken, 0 to 1.
    pub chance: f64,
}

/// The route of Create Message.
pub const CREATE: &str = "POST /channels/{}/messages";
/// The route of an interaction's first answer.
pub(crate) const CALLBACK: &str = "POST /interactions/{}/{}/callback";

#[derive(Debug)]
pub(crate) struct Faults {
    scripts: VecDeque<Script>,
    seed: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Self { scripts: VecDeque::new(), seed: 0x9E37_79B9_7F4A_7C15 }
    }
}

impl Faults {
    pub(crate) fn seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    pub(crate) fn add(&mut self, script: Script) {
        self.scripts.push_back(script);
    }

    pub(crate) fn clear(&mut self) {
        self.scripts.clear();
    }

    pub(crate) fn list(&self) -> impl Iterator<Item = &Script> {
        self.scripts.iter()
    }

    /// The fault for a request to this route; one at most.
    pub(crate) fn take(&mut self, route: &str) -> Option<Fault> {
        let at = self.scripts.iter().position(|s| s.route.is_empty() || s.route == route)?;
        let chance = self.scripts[at].chance;
        if chance < 1.0 && self.draw() >= chance {
            return None;
        }
        let script = &mut self.scripts[at];
        let fault = script.fault;
        if let Some(times) = &mut script.times {
            *times -= 1;
            if *times == 0 {
                self.scripts.remove(at);
            }
        }
        Some(fault)
    }

    /// A whole number below `most`.
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small"
        )]
        let drawn = (self.draw() * most as f64) as u64;
        drawn
    }

    /// A number from 0 to 1 (SplitMix64).
    fn draw(&mut self) -> f64 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        #[expect(clippy::cast_precision_loss, reason = "53 bits are what a fraction has")]
        let fraction = ((z ^ (z >> 31)) >> 11) as f64;
        fraction / 9_007_199_254_740_992.0
    }
}

/// A right of the bot in the server's channels.
/// <https://discord.com/developers/docs/topics/permissions>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    ManageChannels,
    ViewChannel,
    SendMessages,
    EmbedLinks,
    AttachFiles,
    ReadMessageHistory,
    CreatePublicThreads,
    SendInThreads,
    CreateEvents,
    PinMessages,
}

impl Right {
    /// Every right the sandbox knows.
    pub const ALL: [Self; 10] = [
        Self::ManageChannels,
        Self::ViewChannel,
        Self::SendMessages,
        Self::EmbedLinks,
        Self::AttachFiles,
        Self::ReadMessageHistory,
        Self::CreatePublicThreads,
        Self::SendInThreads,
        Self::CreateEvents,
        Self::PinMessages,
    ];

    /// Its bit.
    pub fn bit(self) -> u64 {
        1 << match self {
            Self::ManageChannels => 4,
            Self::ViewChannel => 10,
            Self::SendMessages => 11,
            Self::EmbedLinks => 14,
            Self::AttachFiles => 15,
            Self::ReadMessageHistory => 16,
            Self::CreatePublicThreads => 35,
            Self::SendInThreads => 38,
            Self::CreateEvents => 44,
            Self::PinMessages => 51,
        }
    }

    /// As Discord's settings name it.
    pub fn label(self) -> &'static str {
        match self {
            Self::ManageChannels => "Manage Channels",
            Self::ViewChannel => "View Channel",
            Self::SendMessages => "Send Messages",
            Self::EmbedLinks => "Embed Links",
            Self::AttachFiles => "Attach Files",
            Self::ReadMessageHistory => "Read Message History",
            Self::CreatePublicThreads => "Create Public Threads",
            Self::SendInThreads => "Send Messages in Threads",
            Self::CreateEvents => "Create Events",
            Self::PinMessages => "Pin Messages",
        }
    }

    /// The right with this label.
    pub fn named(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.label() == label)
    }
}
