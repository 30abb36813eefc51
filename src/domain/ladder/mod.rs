//! Topic: the notice ladder before T-0 and its receipts. A rung is known by (release, generation, rung): an edit of the
//! plan does not say it again, a reschedule does.

pub(in crate::domain) mod outcome;
pub(in crate::domain) mod rules;
pub mod rung;
pub(in crate::domain) mod schedule;
pub mod view;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{Audience, RoleId, UserId};
use super::key::PostKey;
use super::lateness::{Away, Late};
use super::open::Open;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeCommand {
    /// "Briefed": `rung` is the rung's key in the present generation.
    Receipt { rung: String, generation: u32 },
    /// A receipt given by mistake, by whoever gave it, within a minute.
    TakeBack { rung: String, generation: u32 },
    /// A receipt by command; the rung as typed, or the only one that waits.
    Brief { rung: Option<String> },
    /// What was said is wrong: what is right, or that it does not hold at all.
    Correct { rung: String, text: String, retracted: bool },
}

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeEvent {
    Said {
        rung: String,
        how: RungSaid,
        missed: Option<RungMissed>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quiet_until: Option<Timestamp>,
        /// The time away that made it late.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        away: Option<Away>,
    },
    Delivered {
        rung: String,
        at: Timestamp,
        /// It was said in time, and reached its channel so many minutes after it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        late_min: Option<u32>,
        /// The channel took no message meanwhile.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        shut: bool,
    },
    Received {
        rung: String,
        user: UserId,
        name: String,
    },
    TakenBack {
        rung: String,
    },
    Corrected {
        rung: String,
        text: String,
        retracted: bool,
    },
    /// The audience was called now that its quiet hours are over.
    QuietOver {
        rung: String,
    },
    /// A status page shows the release.
    PageShown {
        page: String,
    },
}

/// A rung's message: schedules apart.
pub fn posting_key(generation: u32, rung: &str) -> PostKey {
    PostKey::Rung { generation, rung: rung.to_owned() }
}

/// The posting key of a release on a status page.
pub fn page_key(page: &str) -> PostKey {
    PostKey::Page { page: page.to_owned() }
}

/// Why a rung was not said at its instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RungMissed {
    /// A later rung's instant had passed as well.
    Superseded,
    /// T-0 had passed.
    AfterT0,
    /// The release type has no such rung.
    ByType,
    /// Its instant on the new schedule was past already.
    PastWhenRescheduled,
    /// Go was given before its instant.
    WentBefore,
    /// It could not be posted while it was useful.
    Undelivered,
}

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Live,
    /// Go was taken back within its minute.
    GoUndone,
    /// For longer than the present stage was planned to take.
    OnHold,
    /// After audiences were told of a hold.
    Resumed,
    RolledBack,
    AllClear,
    /// The all-clear was taken back.
    Rewatched,
}

impl Outcome {
    /// Whether it changes what the audience's people tell others now.
    fn pings(self) -> bool {
        match self {
            Self::Live | Self::GoUndone | Self::OnHold | Self::RolledBack | Self::Rewatched => true,
            Self::Resumed | Self::AllClear => false,
        }
    }
}

/// The countdown of a release: its notices and the question at T-0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Countdown {
    /// Counts schedules: a rung is said once per generation.
    pub generation: u32,
    pub rungs: BTreeMap<String, RungState>,
    /// Audiences that were ever sent a notice, on this schedule or an earlier one.
    #[serde(default)]
    pub told: BTreeSet<Audience>,
    /// Status pages that show it.
    #[serde(default)]
    pub pages_shown: BTreeSet<String>,
    pub t0_asked: u8,
    /// The message that asks for go or no-go, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub go_question: Option<String>,
    /// T-0 as the document writes it, once a command or a hold moved it.
    #[serde(default)]
    pub t0_written: Option<Timestamp>,
    /// When its present T-0 was written, while it was a draft.
    #[serde(default)]
    pub drafted_at: Option<Timestamp>,
    pub draft_reminded: bool,
}

impl Countdown {
    /// The first schedule, of a plan that was written at an instant.
    pub(super) fn begin(drafted_at: Timestamp) -> Self {
        Self {
            generation: 1,
            rungs: BTreeMap::new(),
            told: BTreeSet::new(),
            pages_shown: BTreeSet::new(),
            t0_asked: 0,
            go_question: None,
            t0_written: None,
            drafted_at: Some(drafted_at),
            draft_reminded: false,
        }
    }
}

/// What became of a rung of the ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct RungState {
    pub said: RungSaid,
    /// Set when the courier reports the message's id.
    pub delivered_at: Option<Timestamp>,
    pub receipt: Option<Receipt>,
    /// When the quiet hours end in which it was said.
    #[serde(default)]
    pub quiet_until: Option<Timestamp>,
    /// How many minutes late it was said, if it was late.
    #[serde(default)]
    pub late_min: Option<u32>,
    /// The time away that made it late.
    #[serde(default)]
    pub away: Option<Away>,
    /// Its channel took no message meanwhile.
    #[serde(default)]
    pub shut: bool,
    /// When it should have been said: a hold moves T-0, not what is past.
    #[serde(default)]
    pub due: Option<Timestamp>,
    /// Why it was not said, if it was not.
    #[serde(default)]
    pub missed: Option<RungMissed>,
    #[serde(default)]
    pub correction: Option<Correction>,
}

impl RungState {
    /// Nobody has confirmed it, and it was not retracted.
    pub fn unanswered(&self) -> bool {
        self.receipt.is_none() && self.correction.as_ref().is_none_or(|correction| !correction.retracted)
    }
}

/// What somebody set right about a rung that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    pub text: String,
    /// It does not hold at all.
    pub retracted: bool,
    pub by: String,
    pub at: Timestamp,
}

/// How a rung was handled at its instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RungSaid {
    OnTime,
    Late,
    Skipped,
}

/// A person of the audience confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub user: UserId,
    pub name: String,
    pub at: Timestamp,
}

/// What is said to channels, without the words: each variant carries only what the release itself no longer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum LadderNotice {
    Rung {
        rung: String,
        label: String,
        audience: Audience,
        text: String,
        late: Option<Late>,
        not_sent: Vec<String>,
        open: Vec<Open>,
        /// It comes in the audience's quiet hours: nobody is called.
        quiet: bool,
    },
    /// The release on a status page; the words are the page's own.
    Page,
    /// A rung was wrong: what is right, or that it does not hold at all.
    Corrected { label: String, audience: Audience, text: String, retracted: bool, by: String },
    /// A rung was said in its audience's quiet hours, which are over.
    QuietOver { label: String, audience: Audience, at: Timestamp },
    /// What became of the release, for an audience that had a notice.
    Outcome { outcome: Outcome, audience: Audience },
    /// A rung of a schedule that is no more.
    Overtaken { label: String, audience: Audience, scrubbed: bool },
}

/// The answers to its commands.
#[derive(Debug, Clone, PartialEq)]
pub enum LadderReply {
    Received { rung: String },
    TakenBack { rung: String },
    Corrected { rung: String, retracted: bool },
}

/// Why one of its commands was not carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum LadderRefusal {
    AudienceUnmapped {
        audience: Audience,
    },
    NotOfAudience {
        audience: Audience,
        role: RoleId,
    },
    /// Go would wait for a receipt that nobody can give.
    NobodyConfirms {
        audience: Audience,
    },
    NotPosted {
        rung: String,
    },
}

/// What happens by itself at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LadderMark {
    Rung {
        rung: String,
    },
    /// An audience's quiet hours end, in which it was told without being called.
    QuietOver {
        rung: String,
    },
}
