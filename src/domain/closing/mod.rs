//! Topic: after it. The all-clear as a claim with proof, the post-mortem chased until filed, the actions, and gate items
//! before go (they share the `item` commands).

pub(in crate::domain) mod all_clear;
pub(in crate::domain) mod rules;
pub mod view;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::minutes;
use super::open::Open;
use super::plan::{self, Plan};

/// Minutes after everything is decided at which the all-clear is asked for, first after a moment in which it may be given unasked;
/// no further reminder after the last.
pub const CLEAR_ASKED_AFTER_MIN: [u32; 8] = [5, 35, 125, 245, 1_440, 2_880, 4_320, 5_760];
/// How long after the all-clear alerts still concern a release whose plan names no time, in minutes.
const MONITORED_MIN: u32 = 24 * 60;

/// Days after which a due post-mortem is asked for: +1, +3, +7, then weekly, eight weekly ones at most.
pub const POSTMORTEM_DAYS: [i64; 11] = [1, 3, 7, 14, 21, 28, 35, 42, 49, 56, 63];
/// Days after which open actions are listed.
pub const ACTION_DAYS: [i64; 3] = [1, 3, 7];

/// The action that a break-glass go opens.
pub const REVIEW: &str = "break-glass-review";

/// What is left to do once the release itself is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    pub since: Timestamp,
    pub postmortem: Postmortem,
    pub actions: Vec<ActionState>,
    pub action_reminders: u8,
}

/// Where the post-mortem stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Postmortem {
    NotRequired,
    Due { reminders: u8, scheduled: Option<Timestamp> },
    Filed { link: String, by: String, at: Timestamp },
    Waived { reason: String, by: String, at: Timestamp },
}

/// A post-release action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionState {
    pub id: String,
    pub text: String,
    /// For an action with a duration: when it is over by itself.
    pub over_at: Option<Timestamp>,
    /// Its time is over, and the owner was asked whether it is done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked: bool,
    pub settled: Option<Settled>,
}

impl ActionState {
    /// Its time runs, or is over and nobody was asked.
    fn waits(&self) -> bool {
        self.settled.is_none() && !self.asked
    }
}

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    Done { by: String, note: Option<String> },
    Waived { by: String, reason: String },
}

/// Someone looks at the break-glass go afterwards.
fn review() -> ActionState {
    let text = "Review the break-glass go: was it justified, and how can the team avoid the next one?".to_owned();
    ActionState { id: REVIEW.to_owned(), text, over_at: None, asked: false, settled: None }
}

impl Closing {
    /// The chores at the instant of all-clear, or of a verified rollback.
    pub fn start(plan: &Plan, broke_glass: bool, postmortem_due: bool, at: Timestamp) -> Self {
        let action = |a: &plan::ActionPlan| ActionState {
            id: a.id.clone(),
            text: a.text.clone(),
            over_at: a.for_min.map(|m| at + minutes(m)),
            asked: false,
            settled: None,
        };
        Self {
            since: at,
            postmortem: if postmortem_due {
                Postmortem::Due { reminders: 0, scheduled: None }
            } else {
                Postmortem::NotRequired
            },
            actions: plan.actions.iter().map(action).chain(broke_glass.then(review)).collect(),
            action_reminders: 0,
        }
    }

    /// What was settled before the release was watched again stays settled.
    fn go_on_from(&mut self, before: &Self) {
        if !matches!(before.postmortem, Postmortem::NotRequired) {
            self.postmortem = before.postmortem.clone();
        }
        for action in &mut self.actions {
            let settled = before.actions.iter().find(|old| old.id == action.id).and_then(|old| old.settled.clone());
            action.settled = settled;
        }
    }

    /// Nothing is left to chase.
    pub fn settled(&self) -> bool {
        !matches!(self.postmortem, Postmortem::Due { .. }) && self.actions.iter().all(|a| a.settled.is_some())
    }

    fn open_actions(&self) -> Vec<String> {
        self.actions.iter().filter(|a| a.settled.is_none()).map(|a| a.text.clone()).collect()
    }
}

/// What is asked of the all-clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllClearCommand {
    Give,
    /// Watch again after it.
    Rewatch,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClosingCommand {
    Schedule {
        at: Timestamp,
    },
    File {
        link: String,
    },
    WaivePostmortem {
        reason: String,
    },
    /// A gate before go, an action after the release.
    ItemDone {
        item: String,
        note: Option<String>,
    },
    ItemWaived {
        item: String,
        reason: String,
    },
}

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosingEvent {
    AllClear,
    Scheduled {
        at: Timestamp,
    },
    /// The owner was asked for the all-clear.
    ClearAsked,
    /// An action's time is over; whether it is done is a person's to say.
    ActionOver {
        item: String,
    },
    Filed {
        link: String,
    },
    Waived {
        reason: String,
    },
    PostmortemReminded,
    ItemDone {
        item: String,
        note: Option<String>,
    },
    ItemWaived {
        item: String,
        reason: String,
    },
    ActionsReminded,
    /// Watched again after the all-clear.
    Rewatched,
    Closed,
}

/// Facts that make a post-mortem due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Issue {
    Alert,
    RollbackPrompt,
    Rollback,
    BreakGlass,
    MissedUpdate,
}

/// What is said to channels, without the words: each variant carries only what the release itself no longer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum ClosingNotice {
    AllClear {
        by: String,
    },
    /// Watched again after the all-clear.
    Rewatched {
        by: String,
    },
    PostmortemDue {
        reminder: u8,
        /// Actions that are open as well.
        open: Vec<String>,
    },
    /// Whether the release is all clear.
    ClearAsk {
        asked: u8,
        open: Vec<Open>,
    },
    ClearGiven {
        by: String,
    },
    PostmortemScheduled {
        at: Timestamp,
        by: String,
    },
    PostmortemFiled {
        link: String,
        by: String,
    },
    PostmortemWaived {
        reason: String,
        by: String,
    },
    ActionsOpen {
        open: Vec<String>,
    },
    Closed,
}

/// The answers to its commands.
#[derive(Debug, Clone, PartialEq)]
pub enum ClosingReply {
    AllClear,
    Rewatched,
    PostmortemScheduled { at: Timestamp },
    PostmortemFiled,
    PostmortemWaived,
    ItemDone { text: String },
    ItemWaived { text: String },
}

/// Why one of its commands was not carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum ClosingRefusal {
    /// What stands against a High risk release is not waived here.
    NotWaived,
    /// A post-mortem is a link or a named document.
    BadLink { typed: String },
}

/// The all-clear is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllClearMark {
    Ask,
}

/// What happens by itself at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClosingMark {
    Postmortem,
    /// A post-release action's time is over.
    ActionOver {
        action: String,
    },
    Actions,
}

impl ClosingMark {
    /// Marks of this kind that are missed together are one: the newest.
    pub(super) fn reminds(&self) -> bool {
        match self {
            Self::Postmortem | Self::Actions => true,
            Self::ActionOver { .. } => false,
        }
    }
}
