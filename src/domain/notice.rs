//! What is said to a channel, without the words: each variant carries only what the release itself no longer shows.

use jiff::Timestamp;

use super::amend::AmendmentEnd;
use super::changes::Change;
use super::decision::Verdict;
use super::delivery::{Settled, Stuck};
use super::freeze::Planned;
use super::ids::{Audience, ChannelId, UserId};
use super::key::PostKey;
use super::ladder::Outcome;
use super::lateness::Late;
use super::people::Post;
use super::plan::{ContingencyWhen, SignoffRole};
use super::refusal::Open;
use super::rights::Action;
use super::signoff::Behalf;
use super::stage::{Done, GoAnswer, Undone};

/// One thing to be said to a channel; `voice` gives it words, reading the release beside it.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    DraftForgotten,
    SignoffAsk {
        changed: bool,
    },
    /// A request whose round is over: the plan changed.
    SignoffOver,
    SignoffReminder {
        missing: Vec<SignoffRole>,
    },
    Signed {
        role: SignoffRole,
        name: String,
        behalf: Option<Behalf>,
        /// Who of the same role refused this revision, and why.
        against: Vec<(String, String)>,
    },
    SignoffExpired {
        role: SignoffRole,
        name: String,
        hours: u32,
    },
    /// Somebody past the roles.
    Bypassed {
        action: Action,
        by: String,
    },
    /// A changed plan for the release that runs, as it stands.
    AmendmentAsk {
        n: u32,
        by: UserId,
        changes: Vec<Change>,
        ended: Option<AmendmentEnd>,
    },
    Amended {
        changes: Vec<Change>,
        by: Vec<UserId>,
    },
    SignoffRefused {
        role: SignoffRole,
        name: String,
        reason: String,
        /// Colleagues who had signed as the same; that counts no more.
        fell: Vec<String>,
    },
    /// Items that go waited for count as done because a new revision ticks them.
    Ticked {
        by: String,
        items: Vec<String>,
    },
    Withdrawn {
        role: SignoffRole,
        name: String,
    },
    Approved,
    /// Somebody else has a part now.
    HandedOver {
        post: Post,
        from: Option<UserId>,
        to: UserId,
        by: String,
        reason: Option<String>,
    },
    /// An objection, as it stands.
    Concern {
        n: u32,
    },
    ConcernResolved {
        n: u32,
    },
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
    /// The card is in another channel from here on: what is left of it in the old one.
    CardMoved {
        channel: ChannelId,
    },
    /// What could not be posted is told nowhere: the ops channel takes no message.
    OpsGone {
        channel: ChannelId,
        why: String,
    },
    /// A message that could not be delivered, for the ops channel.
    Stuck {
        key: PostKey,
        stuck: Stuck,
        settled: Option<Settled>,
    },
    /// A freeze this release may pass.
    Excepted {
        freeze: String,
        until: Timestamp,
        by: String,
        reason: String,
    },
    /// Other releases of the same service near this one.
    Overlap {
        others: Vec<Planned>,
    },
    /// A train made this draft.
    Departed {
        train: String,
    },
    /// The release on a status page; the words are the page's own.
    Page,
    /// A rung was wrong: what is right, or that it does not hold at all.
    Corrected {
        label: String,
        audience: Audience,
        text: String,
        retracted: bool,
        by: String,
    },
    /// A rung was said in its audience's quiet hours, which are over.
    QuietOver {
        label: String,
        audience: Audience,
        at: Timestamp,
    },
    GoNoGo {
        asked: u8,
        open: Vec<Open>,
    },
    /// What became of the release, for an audience that had a notice.
    Outcome {
        outcome: Outcome,
        audience: Audience,
    },
    /// The question for go or no-go has its answer.
    GoAnswered {
        how: GoAnswer,
        by: String,
    },
    /// T-0 lies elsewhere.
    Moved {
        by: String,
        from: Option<Timestamp>,
        reason: Option<String>,
    },
    /// A rung of a schedule that is no more.
    Overtaken {
        label: String,
        audience: Audience,
        scrubbed: bool,
    },
    Went {
        by: String,
        break_glass: Option<String>,
        open: Vec<Open>,
    },
    BreakGlassFollowUp {
        missing: Vec<SignoffRole>,
    },
    /// A go or a stage step that was taken back at once.
    Undone {
        what: Undone,
        by: String,
    },
    StageStarted {
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
    StagesDone,
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
    Scrubbed {
        by: String,
        reason: String,
        again: bool,
    },
    Update {
        text: Option<String>,
        by: Option<String>,
        /// When it was looked at last, and nothing had changed.
        unchanged: Option<Timestamp>,
        /// Updates that were due while the service was away, this one among them.
        merged: u32,
    },
    Point {
        after_min: u32,
        text: String,
        reminder: u8,
        late: Option<Late>,
    },
    PointDecided {
        after_min: u32,
        verdict: Verdict,
        by: String,
        reason: Option<String>,
    },
    Alert {
        key: String,
    },
    /// An alert that ended fires again.
    AlertReturned {
        key: String,
    },
    /// Alerts nobody has acknowledged; none waits any more where the reminder is 0.
    AlertsUnheard {
        reminder: u8,
    },
    /// More alerts than have messages of their own.
    Crowd {
        n: u32,
    },
    Case {
        n: usize,
    },
    CaseReminder {
        n: usize,
        count: u8,
    },
    RollingBack {
        by: String,
        reason: String,
    },
    RollbackReminder {
        count: u8,
    },
    RolledBack {
        by: String,
        note: Option<String>,
        /// What spoke against calling it verified.
        unverified: Vec<Open>,
    },
    /// The rollback's own message once it is over.
    RollbackDone {
        by: String,
    },
    RollbackFailed {
        by: String,
        reason: String,
    },
    Contingency {
        when: ContingencyWhen,
        text: String,
    },
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
