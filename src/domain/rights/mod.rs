//! Topic: rights on the record. What somebody may want to do, who may, and the overrides and refusals that are recorded.

pub mod rules;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{Audience, RoleId, UserId};
use super::people::Post;
use super::plan::SignoffRole;

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RightsEvent {
    /// What follows was done by somebody who may manage the server, past the roles.
    Bypassed { action: Action },
    /// Somebody was refused something that matters.
    Refused { action: Action, why: Denied },
}

/// What somebody wants to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The server's settings: channels, roles, freezes.
    Setup,
    /// Trains: make, remove, skip.
    Train,
    /// A new release from a document.
    Import,
    /// A draft by a train.
    Depart,
    /// Open releases take the server's changed settings over.
    Repolicy,
    Revise,
    /// A changed plan for a release that runs.
    Amend,
    /// Agree to that, or decline it.
    Agree,
    /// Tie a name of the plan to a member.
    Name,
    /// Give the owner's or the on-call's part to somebody else.
    HandOver(Post),
    Submit,
    Reschedule,
    Scrub,
    /// Give or refuse.
    Sign(SignoffRole),
    /// Take one's own back.
    Withdraw(SignoffRole),
    /// Record the sign-off of somebody outside the chat.
    SignFor(SignoffRole),
    /// Put the next reminder of sign-offs off, or send it now.
    Snooze,
    /// "Briefed", or taking that back.
    Receive(Audience),
    /// Correct or retract a notice.
    Correct,
    /// What became of a message.
    Deliver,
    /// Send a stuck message again, or call it posted.
    Redeliver,
    Go,
    BreakGlass,
    /// The next stage, or more time for this one.
    Stage,
    /// Take the latest go or step back.
    Undo,
    Hold,
    Resume,
    Update,
    /// Answer a decision point.
    Decide,
    /// Answer a rollback prompt.
    Answer,
    RollBack,
    /// A rollback worked, or failed.
    Verify,
    /// An alert of a source.
    Signal,
    /// A person reports a metric's value.
    Report,
    Acknowledge,
    /// Tick a gate or an action.
    Item,
    /// Say that one does not apply.
    Waive,
    AllClear,
    /// Watch again after the all-clear.
    Rewatch,
    Postmortem,
    /// Raise a concern.
    Object,
    /// Resolve one that this person raised.
    Settle(UserId),
    /// Let a release through a freeze.
    Except,
    /// Do what is due.
    Tick,
    /// See what the platform says of the server's channels, rights and roles.
    Examine,
    /// See a release: show, list, timeline, export, complete a name.
    Read,
}

/// By what right something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    Ordinary,
    /// Past the roles, by the switch for administrators.
    Bypass,
}

/// Who may, in words a refusal can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    Owner,
    OnCall,
    Author,
    /// Whoever raised the concern.
    Raiser(UserId),
    Managers(Vec<RoleId>),
    /// Whom this workspace trusts with break-glass.
    BreakGlass(Vec<RoleId>),
    Signers(SignoffRole, Vec<RoleId>),
    ServerManagers,
}

/// Why somebody was refused, as the record keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denied {
    NotAllowed,
    /// They own or wrote the plan.
    OwnPlan,
    /// They signed as something else.
    OneRoleEach,
    /// Break-glass is for emergencies.
    NoEmergency,
    /// So many things stood open.
    Open(usize),
}

/// A refusal of late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub user: UserId,
    pub action: Action,
    pub why: Denied,
    pub at: Timestamp,
}

/// What is said to channels, without the words: each variant carries only what the release itself no longer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum RightsNotice {
    /// Somebody past the roles.
    Bypassed { action: Action, by: String },
}
