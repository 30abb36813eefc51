//! Why a command was not carried out, for people. Every variant has words in `voice` that say what to do next.

use jiff::Timestamp;

use super::ids::{Audience, ChannelId, RoleId, UserId};
use super::phase::PhaseName;
use super::plan::{ReleaseType, SignoffRole};
use super::rights::Who;
use super::signoff::Pending;

/// A refusal of a pressed button that came too late carries the present phase.
pub fn stale(now: PhaseName) -> Refusal {
    Refusal::Stale { now }
}

/// A command that was refused; nothing was stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
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
    /// Whoever is to own the plan has signed it.
    HasSigned {
        role: SignoffRole,
    },
    /// The server has silenced them.
    TimedOut,
    RoleUnmapped {
        role: SignoffRole,
    },
    AudienceUnmapped {
        audience: Audience,
    },
    NotOfAudience {
        audience: Audience,
        role: RoleId,
    },
    OwnPlan {
        role: SignoffRole,
    },
    AlreadySigned {
        role: SignoffRole,
        by: String,
    },
    OneRoleEach {
        held: SignoffRole,
        /// The name it was signed under.
        by: String,
    },
    NotRequired {
        role: SignoffRole,
    },
    /// Somebody records their own sign-off as another's.
    SignYourself,
    /// This workspace records no sign-off of people outside the chat.
    NotOnBehalf,
    /// What stands against a High risk release is not waived here.
    NotWaived,
    NotSigned {
        role: SignoffRole,
    },
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
    /// The plan has another revision than the edit was made from.
    EditedMeanwhile {
        revision: u32,
    },
    ReasonNeeded,
    BreakGlassOnly {
        kind: Option<ReleaseType>,
    },
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
    /// A post-mortem is a link or a named document.
    BadLink {
        typed: String,
    },
    /// Only whoever did it can take it back.
    NotYours {
        by: String,
    },
    NameNeeded,
    /// So many of a server's releases are not over yet.
    TooManyOpen {
        most: usize,
    },
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
    /// A draft has no schedule yet.
    NotScheduledYet,
    /// A time that must lie ahead does not.
    TimePast {
        at: Timestamp,
    },
    /// Something else happened since: taking it back would take that back too.
    UndoOvertaken,
    /// The minute in which it could be taken back is over.
    UndoOver,
    NothingOpen {
        what: &'static str,
    },
    /// What a running release cannot change any more, by the names of its fields.
    NotAmendable {
        what: Vec<String>,
    },
    /// A notice that was never posted cannot be corrected.
    NothingToSet,
    /// Go would wait for a receipt that nobody can give.
    NobodyConfirms {
        audience: Audience,
    },
    NotPosted {
        rung: String,
    },
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

/// One thing that stands open.
#[derive(Debug, Clone, PartialEq)]
pub enum Open {
    Signoff(Pending),
    /// A notice that must be confirmed and is not.
    Receipt {
        rung: String,
        audience: Audience,
    },
    Gate {
        text: String,
    },
    Concern {
        n: u32,
        by: UserId,
        text: String,
    },
    /// The release channel takes no messages.
    ChannelShut {
        channel: ChannelId,
    },
    /// These of the escalation path are no members; nobody stands on it where there are none.
    Escalation {
        names: Vec<String>,
    },
    OwnerUnknown {
        name: String,
    },
    OnCallUnknown {
        name: String,
    },
    SignersUnmapped(SignoffRole),
    NoReleaseChannel,
    T0Past,
    T0Unknown,
    Missing {
        field: &'static str,
    },
    Finding {
        code: String,
        text: String,
    },
    Alert {
        name: String,
    },
    /// Alerts without messages of their own.
    MoreAlerts {
        count: usize,
    },
    /// An alert that fires before go, and that nobody has acknowledged.
    AlertAhead {
        name: String,
    },
    /// More of them than are named.
    MoreAlertsAhead {
        count: usize,
    },
    RollbackPrompt,
    Point {
        label: String,
    },
    NoData {
        metric: String,
    },
    NotHealthy {
        metric: String,
        value: String,
        success: String,
    },
    StagesLeft {
        done: usize,
        of: usize,
    },
    UpdateOverdue,
    Freeze {
        name: String,
        until: Timestamp,
        opening: Option<Timestamp>,
    },
}
