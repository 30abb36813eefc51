//! Topic: go, the rollout stages with their soak clocks, hold and resume, and what the owner owes meanwhile.

pub(in crate::domain) mod evolve;
pub(in crate::domain) mod go_no_go;
pub(in crate::domain) mod owed;
pub(in crate::domain) mod rules;
pub mod view;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::open::Open;
use super::people::By;
use super::phase::Before;
use super::plan::ReleaseType;
use super::updates::UpdateClock;

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageCommand {
    Go {
        break_glass: Option<String>,
    },
    Advance {
        reason: Option<String>,
    },
    Extend {
        minutes: u32,
        reason: String,
    },
    Hold {
        reason: String,
    },
    Resume,
    /// The latest go or stage step, by whoever took it, within a minute.
    Undo,
}

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageEvent {
    Went {
        break_glass: Option<String>,
    },
    SoakEnded,
    Advanced {
        reason: Option<String>,
    },
    Extended {
        minutes: u32,
        reason: String,
    },
    Finished {
        reason: Option<String>,
    },
    Held {
        reason: String,
        /// The message that shows it, where that is a question's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<String>,
    },
    Resumed,
    /// A hold's audiences were told that it takes longer.
    HoldTold,
    /// The latest step was taken back.
    Undone,
}

/// What became of the question for go or no-go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoAnswer {
    Go,
    Held,
    Scrubbed,
    /// T-0 was moved.
    Moved,
    /// Four hours have passed.
    TooLate,
}

/// What was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    Go,
    Stage,
}

/// The message that asks the owner, while it waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Counts such messages within a run.
    pub n: u32,
    pub at: Timestamp,
    /// The present stage has soaked.
    pub soaked: bool,
    /// The promised update is overdue.
    pub update: bool,
    /// How many updates it stands for: those due while the service was away count as one.
    #[serde(default)]
    pub merged: u32,
}

/// How the owner's part was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// A stage step: the next stage, or the end of the rollout.
    Stepped {
        by: String,
    },
    Extended {
        by: String,
        minutes: u32,
        reason: String,
    },
    Updated {
        by: String,
    },
    /// A hold or a rollback makes it moot.
    Moot,
}

/// A go or a stage step, and what it was before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Undo {
    pub at: Timestamp,
    pub by: By,
    pub step: Step,
}

/// What a step changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Went {
        #[serde(rename = "approved")]
        back: Before,
    },
    Moved {
        stage: StageClock,
        updates: UpdateClock,
    },
}

/// Where the rollout stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageClock {
    /// Counts from 0; equal to the number of stages once the last is done.
    pub index: usize,
    pub since: Timestamp,
    /// When this stage has soaked long enough; absent if the plan gives no time.
    pub soak_until: Option<Timestamp>,
    pub soak_said: bool,
}

/// What is said to channels, without the words: each variant carries only what the release itself no longer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum StageNotice {
    GoNoGo {
        asked: u8,
        open: Vec<Open>,
    },
    /// The question for go or no-go has its answer.
    GoAnswered {
        how: GoAnswer,
        by: String,
    },
    Went {
        by: String,
        break_glass: Option<String>,
        open: Vec<Open>,
    },
    /// A go or a stage step that was taken back at once.
    Undone {
        what: Undone,
        by: String,
    },
    Started {
        reason: Option<String>,
    },
    /// What the owner owes: the next step of a stage that has soaked, the promised update; and how it was done.
    Owed {
        soaked: bool,
        update: bool,
        /// Updates that were due while the service was away, this one among them.
        merged: u32,
        done: Option<Done>,
    },
    Extended {
        minutes: u32,
        reason: String,
        by: String,
    },
    AllDone,
    Held {
        by: String,
        reason: String,
        /// Said to an audience that counts on the time, beside the release channel.
        again: bool,
        /// The rollback prompt that was answered with it.
        case: Option<usize>,
    },
    /// A hold that is over, in its own message.
    HoldOver {
        by: String,
        held_min: u32,
    },
    Resumed {
        by: String,
        held_min: u32,
    },
}

/// The answers to its commands.
#[derive(Debug, Clone, PartialEq)]
pub enum StageReply {
    Undone,
    Went,
    Moved,
    Finished,
    Extended { minutes: u32 },
    Held,
    Resumed,
}

/// Why one of its commands was not carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum StageRefusal {
    BreakGlassOnly {
        kind: Option<ReleaseType>,
    },
    /// Something else happened since: taking it back would take that back too.
    UndoOvertaken,
}

/// What happens by itself at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageMark {
    SoakEnds,
    /// A hold takes longer than its stage was planned to.
    LongHold,
}
