//! Why a command was not carried out, for people. Every variant has words in `voice` that say what to do next.

use super::amend::AmendRefusal;
use super::closing::ClosingRefusal;
use super::ladder::LadderRefusal;
use super::lifecycle::PlanRefusal;
use super::open::Open;
use super::phase::PhaseName;
use super::rights::Who;
use super::signoff::SignoffRefusal;
use super::stage::StageRefusal;

/// A refusal of a pressed button that came too late carries the present phase.
pub fn stale(now: PhaseName) -> Refusal {
    Refusal::Stale { now }
}

/// A command that was refused; nothing was stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    Plan(PlanRefusal),
    Signoff(SignoffRefusal),
    Amend(AmendRefusal),
    Ladder(LadderRefusal),
    Stage(StageRefusal),
    Closing(ClosingRefusal),
    UnknownRelease {
        typed: String,
    },
    /// Several are open and none was named.
    WhichRelease {
        open: Vec<String>,
    },
    NotAllowed {
        who: Vec<Who>,
    },
    /// The server has silenced them.
    TimedOut,
    WrongPhase {
        phase: PhaseName,
        wanted: Wanted,
    },
    /// Things that stand against it, each with who can mend it.
    Open {
        wanted: Wanted,
        items: Vec<Open>,
    },
    /// The button belongs to an earlier revision or to something already settled.
    Stale {
        now: PhaseName,
    },
    ReasonNeeded,
    UnknownItem {
        typed: String,
        known: Vec<String>,
    },
    AlreadyDone {
        what: String,
    },
    BadNumber {
        typed: String,
    },
    /// Only whoever did it can take it back.
    NotYours {
        by: String,
    },
    NameNeeded,
    TooMany {
        what: &'static str,
        most: usize,
    },
    /// A rule that fires more often than its drafts can be looked after.
    TooOften {
        most: usize,
        days_ahead: u32,
    },
    /// A rule without a firing to come, or a time that is past.
    NeverAgain,
    /// The minute in which it could be taken back is over.
    UndoOver,
    NothingOpen {
        what: &'static str,
    },
    /// An audience is set, and nothing of it is named.
    NothingToSet,
}

/// What the refused command was after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Import,
    Submit,
    Sign,
    Go,
    Hold,
    Resume,
    Stage,
    Update,
    Decide,
    RollBack,
    Verify,
    AllClear,
    Scrub,
    Reschedule,
    Except,
    Postmortem,
    Alert,
    Receipt,
    Correct,
    Item,
    Concern,
    HandOver,
    Amend,
}

of_topics!(Refusal {
    Plan: PlanRefusal,
    Signoff: SignoffRefusal,
    Amend: AmendRefusal,
    Ladder: LadderRefusal,
    Stage: StageRefusal,
    Closing: ClosingRefusal,
});
