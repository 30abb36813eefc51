//! The answer to whoever sent a command: to them alone, at once.

use jiff::Timestamp;

use super::decision::Verdict;
use super::ids::{Audience, ChannelId};
use super::people::Post;
use super::plan::SignoffRole;

/// The answer to whoever sent the command; goes out at once, to them alone.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Imported {
        revision: u32,
        material: bool,
    },
    Submitted,
    Signed {
        role: SignoffRole,
        /// Whose it is, where it was recorded for somebody else.
        whose: Option<String>,
        missing: Vec<SignoffRole>,
    },
    SignoffRefused {
        role: SignoffRole,
    },
    HandedOver {
        post: Post,
    },
    ConcernRaised {
        n: u32,
    },
    ConcernResolved {
        n: u32,
    },
    Withdrawn {
        role: SignoffRole,
    },
    /// The next reminder of sign-offs comes then.
    Snoozed {
        until: Timestamp,
    },
    AmendmentProposed {
        n: u32,
    },
    AmendmentAgreed {
        n: u32,
    },
    AmendmentDeclined {
        n: u32,
    },
    Amended {
        n: u32,
    },
    Received {
        rung: String,
    },
    TakenBack {
        rung: String,
    },
    Corrected {
        rung: String,
        retracted: bool,
    },
    Undone,
    Went,
    Moved,
    Finished,
    Extended {
        minutes: u32,
    },
    Held,
    Resumed,
    UpdatePosted,
    Decided {
        verdict: Verdict,
    },
    Acknowledged,
    Observed {
        metric: String,
    },
    RollbackStarted,
    RollbackFailed,
    RolledBack {
        /// Nothing spoke against it.
        verified: bool,
    },
    AllClear,
    Rewatched,
    /// Audiences told of the new time, and rungs whose time is past.
    Rescheduled {
        told: Vec<Audience>,
        skipped: Vec<String>,
    },
    Excepted {
        freeze: String,
        until: Timestamp,
    },
    Scrubbed,
    PostmortemScheduled {
        at: Timestamp,
    },
    PostmortemFiled,
    PostmortemWaived,
    ItemDone {
        text: String,
    },
    ItemWaived {
        text: String,
    },
    Named,
    SentAgain {
        /// Where it goes now, if that is another channel.
        to: Option<ChannelId>,
    },
    CalledSent,
    /// Nothing to say: the clock, the courier and sources do not listen.
    Silent,
}
