//! Everything that can be asked of a release: by people, by alerts, by the clock, by the courier. Data only.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::delivery::NotPosted;
use super::ids::{Place, ReleaseNo, UserId};
use super::key::PostKey;
use super::lateness::Away;
use super::plan::{Plan, PlannedTime, Quantity, SignoffRole};
use super::policy::Policy;

/// A command, by topic; `decide` delegates to the topic's module.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Plan(PlanCommand),
    Signoff(SignoffCommand),
    Notice(NoticeCommand),
    Delivery(DeliveryCommand),
    Stage(StageCommand),
    Update {
        text: Option<String>,
        values: Vec<(String, Quantity)>,
    },
    Decide {
        point: Option<u32>,
        verdict: Verdict,
        reason: Option<String>,
    },
    Alert(AlertCommand),
    Rollback(RollbackCommand),
    Closing(ClosingCommand),
    Concern(ConcernCommand),
    Except(FreezeException),
    /// The clock reached a mark (or may have): do what is due. What is late says when nobody was there to do it.
    Tick {
        away: Option<Away>,
    },
}

/// A plan as read from a document, with what lint says against submitting it.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    pub plan: Plan,
    pub digest: String,
    pub findings: Vec<(String, String)>,
    /// Safe fixes lint offers.
    pub fixes: u32,
    /// Items of the revision before that are the same under new words: old id → new id.
    pub renamed: BTreeMap<String, String>,
    /// Gates and tasks that were done and that the human unticked in an exported document.
    pub undone: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum PlanCommand {
    /// The first revision; `no` was allotted by the workspace.
    Import {
        imported: Box<Imported>,
        no: ReleaseNo,
    },
    Revise {
        imported: Box<Imported>,
    },
    /// A draft a train makes, in the name of whoever set the train up.
    Depart {
        imported: Box<Imported>,
        no: ReleaseNo,
        train: String,
        author: UserId,
    },
    /// The workspace's rules changed.
    Repolicy {
        policy: Box<Policy>,
    },
    Submit,
    /// A new T-0 before go.
    Reschedule {
        t0: PlannedTime,
        reason: String,
    },
    Scrub {
        reason: String,
    },
    /// Ties a name of the plan to a member of the server.
    Name {
        post: Post,
        user: UserId,
    },
    /// To an amendment, by its number or the open one.
    Agree {
        n: Option<u32>,
    },
    Decline {
        n: Option<u32>,
        reason: String,
    },
    /// Somebody else takes a part over.
    HandOver {
        post: Post,
        to: UserId,
        reason: Option<String>,
    },
}

/// Lets the release through a freeze; the name may be left out where one stands against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreezeException {
    pub freeze: Option<String>,
    pub reason: String,
}

/// The posts of a plan that a person fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Post {
    Owner,
    OnCall,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignoffCommand {
    Give(SignoffRole),
    /// For somebody outside the chat: who, and where their word stands.
    Record {
        role: SignoffRole,
        name: String,
        evidence: String,
    },
    Refuse {
        role: SignoffRole,
        reason: String,
    },
    Withdraw(SignoffRole),
    /// The next reminder comes later, once in a round.
    Snooze {
        minutes: u32,
    },
}

/// A named objection, raised and resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConcernCommand {
    Raise {
        text: String,
    },
    /// The concern by its number, or the only open one.
    Resolve {
        concern: Option<String>,
        how: String,
    },
}

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

/// What became of a message, known by its posting key, and what people decide about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryCommand {
    /// The courier posted it.
    Delivered { key: PostKey, place: Place, at: Timestamp },
    /// The courier could not post it.
    Stuck { key: PostKey, found: NotPosted },
    /// A person has it sent again.
    SendAgain { key: PostKey },
    /// A person looked, and it is there.
    CallSent { key: PostKey },
}

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

/// An answer at a decision point or a rollback prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Continue,
    Hold,
    RollBack,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AlertCommand {
    Signal(Box<Signal>),
    /// A newer release of the service has this alert.
    Elsewhere {
        id: String,
        name: String,
        no: ReleaseNo,
        firing: bool,
    },
    /// A person reports a metric's value, with its unit or as a bare number.
    Report {
        metric: String,
        value: Quantity,
    },
    Ack {
        alert: String,
    },
}

/// An alert as a source sent it, in our words. All text is the source's and is not trusted.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    pub source: String,
    pub fingerprint: String,
    pub starts_at: Timestamp,
    pub firing: bool,
    pub name: String,
    pub summary: String,
    pub severity: Option<String>,
    /// What the alert measures, to be matched with the plan's metrics and triggers.
    pub metric: Option<String>,
    pub value: Seen,
    /// It says that data is missing, not that a limit is passed.
    pub no_data: bool,
    /// How long the condition had already held when the alert started, in seconds.
    pub held_s: u32,
    /// How many alerts came with it in one body, itself among them.
    pub group: usize,
    /// The rule's author asks for a rollback prompt (label `tminus_action=rollback`).
    pub asks_rollback: bool,
}

impl Signal {
    /// The alert's identity at its source, whenever it started.
    pub fn id(&self) -> String {
        format!("{}/{}", self.source, self.fingerprint)
    }

    /// One firing of it: kept through repeats and recovery.
    pub fn key(&self) -> String {
        format!("{}/{}", self.id(), self.starts_at.as_millisecond())
    }
}

/// A value as a source sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Seen {
    #[default]
    Nothing,
    Value(Quantity),
    /// It cannot be read as a number.
    Text(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RollbackCommand {
    Decide { verdict: Verdict, reason: String },
    Start { reason: String },
    Verified { note: Option<String> },
    Failed { reason: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClosingCommand {
    AllClear,
    /// Watch again after the all-clear.
    Rewatch,
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
