//! What a button leads to, and what can be chosen. The button's own bytes carry neither.

pub mod rules;

use serde::{Deserialize, Serialize};

use super::decision::Verdict;
use super::ids::UserId;
use super::key::PostKey;
use super::people::Post;
use super::plan::{self, SignoffRole};

/// What a button leads to; stored, so that the button itself carries only an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    Signoff {
        digest: String,
    },
    Receipt {
        rung: String,
        generation: u32,
    },
    /// A receipt just given, to be taken back.
    Received {
        rung: String,
        generation: u32,
    },
    /// A go or a stage step just taken.
    Stepped,
    /// Go or no-go.
    Go,
    /// What the owner owes.
    Owed {
        n: u32,
    },
    /// A release on hold.
    Held,
    /// Whether it is all clear.
    AllClear,
    /// A message that could not be delivered.
    Stuck {
        key: PostKey,
    },
    Alert {
        key: String,
    },
    /// Every alert that nobody has acknowledged.
    Alerts,
    Point {
        after_min: u32,
    },
    Case {
        n: usize,
    },
    Rollback {
        n: usize,
    },
    Update,
    Submit,
    Postmortem,
    /// A changed plan for a running release.
    Amendment {
        n: u32,
    },
    /// A reminder of sign-offs.
    Reminder {
        round: u32,
    },
    /// Pick the member a plan's name means.
    Person {
        post: Post,
    },
    /// A section's text that was refused, to be edited again.
    Section(Box<RefusedSection>),
}

/// Which section it was, and the person's own text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedSection {
    pub section: String,
    pub text: String,
}

/// What can be chosen at a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    Sign(SignoffRole),
    Briefed,
    Acknowledge,
    Rewatch,
    Verdict(Verdict),
    Verified,
    /// Rolled back, and not shown by values.
    Unverified,
    Go,
    Scrub,
    Resume,
    Advance,
    Extend,
    AllClear,
    Failed,
    WriteUpdate,
    Submit,
    FilePostmortem,
    Pick,
    /// Apply lint's safe fixes as a new revision.
    ApplyFixes,
    /// The plan with the safe fixes, as a file.
    DownloadFixed,
    /// Open a refused section's text again.
    EditAgain,
    SendAgain,
    CallSent,
    Undo,
    Agree,
    Decline,
    Snooze,
}

impl Choice {
    /// Whether the person must give words first: a form is shown, which is the confirmation as well.
    pub fn form(self) -> Option<Form> {
        match self {
            Self::Verdict(Verdict::Continue | Verdict::Hold | Verdict::RollBack)
            | Self::Failed
            | Self::Unverified
            | Self::Scrub
            | Self::Extend
            | Self::Decline => Some(Form::Reason),
            Self::WriteUpdate => Some(Form::Update),
            Self::FilePostmortem => Some(Form::Link),
            Self::Sign(_)
            | Self::Briefed
            | Self::Acknowledge
            | Self::Rewatch
            | Self::Verified
            | Self::Go
            | Self::Resume
            | Self::Advance
            | Self::AllClear
            | Self::Submit
            | Self::Pick
            | Self::ApplyFixes
            | Self::DownloadFixed
            | Self::EditAgain
            | Self::SendAgain
            | Self::CallSent
            | Self::Agree
            | Self::Snooze
            | Self::Undo => None,
        }
    }
}

/// The forms a choice can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Reason,
    Update,
    Link,
}

/// How much longer a stage soaks by its button, in minutes.
pub const EXTEND_MIN: u32 = 30;

/// What a form brought along.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filled {
    /// Reason, link or words.
    pub text: Option<String>,
    /// Metric values of an update.
    pub values: Vec<(String, plan::Quantity)>,
    /// A picked member.
    pub user: Option<UserId>,
}
