//! Everything the world must be told because of a decision. An effect says what, to whom and until when it is useful;
//! it must not know words (`voice`) nor platforms.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::command::{Post, Verdict};
use super::ids::{Audience, ChannelId, Place, UserId};
use super::key::PostKey;
use super::notice::Notice;
use super::plan::SignoffRole;
use super::refusal::Refusal;
use super::release::PhaseName;

/// One thing to be said, or said anew.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Post(Box<Posting>),
    /// The message posted under `key` gets this rendering; the latest wins.
    Edit {
        key: PostKey,
        notice: Box<Notice>,
        prompt: Option<Prompt>,
    },
    /// A message that could not be delivered: what a person decided about it.
    Redeliver {
        key: PostKey,
        how: Redelivery,
    },
    /// Somebody has a part now that another had: what is not in its channel yet calls them as well. The other may be called by it
    /// for another reason.
    Recall {
        from: UserId,
        to: UserId,
    },
}

/// What becomes of a message that could not be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redelivery {
    /// To the channel that stands for its readers now, if that is another one.
    SendAgain { to: Option<Place> },
    /// It is there already.
    CallSent,
    /// Unless it is there already, it is not sent any more.
    Withdraw,
}

/// A message to be posted exactly once.
#[derive(Debug, Clone, PartialEq)]
pub struct Posting {
    /// Unique within the release: `g1/T-2h/support`, `case/1`. A second posting under a key is no news.
    pub key: PostKey,
    /// So many messages under this key; whatever comes then is shown in the last of them.
    pub at_most: Option<u32>,
    pub to: Destination,
    pub notice: Notice,
    pub prompt: Option<Prompt>,
    pub priority: Priority,
    /// After this instant the message is not worth sending.
    pub useful_until: Option<Timestamp>,
    /// People to be mentioned, beside the audience's role.
    pub mention: Vec<UserId>,
    /// Whether it mentions the audience's role.
    pub ping: bool,
    /// The message it is a reply to, by its key within the release.
    pub reply_to: Option<PostKey>,
    /// The plan's document goes along as a file.
    pub document: bool,
}

/// Where a message goes; the policy names the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    Release,
    Ops,
    Audience(Audience),
    /// A status page, by name: what it shows is the release's own state.
    Page(String),
}

/// Order in a channel's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A person must decide or act now.
    Prompt = 0,
    /// A notice of the ladder, at its instant.
    Notice = 1,
    /// Everything else.
    Update = 2,
    /// What reports a person's own doing, as often as they do it.
    Report = 3,
}

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

/// What a command led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub events: Vec<super::event::Recorded>,
    pub effects: Vec<Effect>,
    pub reply: Reply,
    /// The release after the events.
    pub release: super::release::Release,
}

/// A refusal of a pressed button that came too late carries the present phase.
pub fn stale(now: PhaseName) -> Refusal {
    Refusal::Stale { now }
}
