//! Topic: sign-offs. Bound to a digest of the plan; given, recorded for somebody outside the chat, refused, withdrawn, expired;
//! chased only from those pending.

pub(in crate::domain) mod evolve;
pub(in crate::domain) mod rules;
pub mod view;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::changes::Change;
use super::ids::UserId;
use super::plan::SignoffRole;
use super::rights::Action;

/// What can be asked about sign-offs.
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
    /// A reminder now, at most one in [`REMIND_AGAIN`].
    Remind,
}

impl SignoffCommand {
    /// The right it needs.
    pub(in crate::domain) fn action(&self) -> Action {
        match self {
            Self::Give(role) | Self::Refuse { role, .. } => Action::Sign(*role),
            Self::Withdraw(role) => Action::Withdraw(*role),
            Self::Record { role, .. } => Action::SignFor(*role),
            Self::Snooze { .. } | Self::Remind => Action::Snooze,
        }
    }
}

/// What can have happened to sign-offs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignoffEvent {
    Given {
        role: SignoffRole,
        user: UserId,
        name: String,
        digest: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        behalf: Option<Behalf>,
    },
    Refused {
        role: SignoffRole,
        reason: String,
    },
    Withdrawn {
        role: SignoffRole,
    },
    Reminded,
    /// Somebody had those pending reminded.
    RemindedNow,
    /// It was given too long ago.
    Expired {
        role: SignoffRole,
        user: UserId,
        name: String,
    },
    /// The next reminder waits.
    Snoozed {
        until: Timestamp,
    },
}

/// The sign-offs of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signing {
    /// Counts rounds of sign-offs: a material change begins a new one.
    pub round: u32,
    #[serde(deserialize_with = "one_or_many")]
    pub signoffs: BTreeMap<SignoffRole, Vec<Signoff>>,
    /// By role: what changed since it signed last, in any round.
    #[serde(default)]
    pub since_signed: BTreeMap<SignoffRole, SinceSigned>,
    /// Who refused to sign, and why, until that person signs or the plan changes.
    #[serde(default)]
    pub declined: Vec<Declined>,
    pub signoff_reminders: u8,
    /// The next reminder comes not before this; once in a round.
    #[serde(default)]
    pub snoozed: Option<Timestamp>,
    /// The latest reminder of this round, by itself or by command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded_at: Option<Timestamp>,
}

/// States of before a role could be signed by several people hold one.
fn one_or_many<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<SignoffRole, Vec<Signoff>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(Signoff),
        Many(Vec<Signoff>),
    }
    let read: BTreeMap<SignoffRole, OneOrMany> = BTreeMap::deserialize(from)?;
    let many = |(role, found)| match found {
        OneOrMany::One(one) => (role, vec![one]),
        OneOrMany::Many(many) => (role, many),
    };
    Ok(read.into_iter().map(many).collect())
}

impl Signing {
    /// Nobody has signed: the first round.
    pub(super) fn begin() -> Self {
        Self {
            round: 1,
            signoffs: BTreeMap::new(),
            since_signed: BTreeMap::new(),
            declined: Vec::new(),
            signoff_reminders: 0,
            snoozed: None,
            reminded_at: None,
        }
    }
}

/// A recorded yes, bound to a revision digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signoff {
    pub user: UserId,
    pub name: String,
    pub at: Timestamp,
    pub digest: String,
    pub revision: u32,
    /// Recorded by `user` for somebody outside the chat, whose name `name` is then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behalf: Option<Behalf>,
}

/// A refused sign-off. A sign-off by somebody else of the role does not undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    pub role: SignoffRole,
    pub user: UserId,
    pub name: String,
    pub reason: String,
    pub digest: String,
}

/// How a sign-off of somebody outside the chat came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behalf {
    /// Who recorded it.
    pub by: String,
    /// Where their word stands, such as a mail.
    pub evidence: String,
}

/// Hours after the request at which those pending are reminded; no further reminder after the last.
pub const REMIND_AFTER_H: [i64; 5] = [4, 24, 48, 72, 96];

/// Hours after a break-glass go at which its missing sign-offs are asked for; they are due at the first.
pub const FOLLOW_UP_H: [i64; 3] = [24, 48, 72];

/// How soon after a reminder somebody can have another one sent.
pub const REMIND_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// How long a reminder may be put off, in minutes, and how long a button puts it off.
pub const MAX_SNOOZE_MIN: u32 = 24 * 60;
pub const SNOOZE_MIN: u32 = 4 * 60;

/// What changed since a role signed last, over all revisions in between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinceSigned {
    pub revision: u32,
    pub changes: Vec<Change>,
}

/// A role that has not signed in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    pub role: SignoffRole,
    /// People of it who have signed the present digest, and how many are needed.
    pub have: usize,
    pub need: usize,
    /// Somebody of it refused.
    pub refused: bool,
}

/// A sign-off that is owed, as an item to be waived.
pub fn item(role: SignoffRole) -> String {
    format!("signoff/{}", role.slug())
}

/// What is said to channels, without the words: each variant carries only what the release itself no longer shows.
#[derive(Debug, Clone, PartialEq)]
pub enum SignoffNotice {
    Ask {
        changed: bool,
    },
    /// A request whose round is over: the plan changed.
    Over,
    Reminder {
        missing: Vec<SignoffRole>,
    },
    Signed {
        role: SignoffRole,
        name: String,
        behalf: Option<Behalf>,
        /// Who of the same role refused this revision, and why.
        against: Vec<(String, String)>,
    },
    Expired {
        role: SignoffRole,
        name: String,
        hours: u32,
    },
    Refused {
        role: SignoffRole,
        name: String,
        reason: String,
        /// Colleagues who had signed as the same; that counts no more.
        fell: Vec<String>,
    },
    Withdrawn {
        role: SignoffRole,
        name: String,
    },
    Approved,
    BreakGlassFollowUp {
        missing: Vec<SignoffRole>,
    },
}

/// The answers to its commands.
#[derive(Debug, Clone, PartialEq)]
pub enum SignoffReply {
    /// Those pending were reminded; another reminder can be sent from then on.
    Reminded {
        missing: Vec<SignoffRole>,
        again: Timestamp,
    },
    Signed {
        role: SignoffRole,
        /// Whose it is, where it was recorded for somebody else.
        whose: Option<String>,
        missing: Vec<SignoffRole>,
    },
    Refused {
        role: SignoffRole,
    },
    Withdrawn {
        role: SignoffRole,
    },
    /// The next reminder of sign-offs comes then.
    Snoozed {
        until: Timestamp,
    },
}

/// Why one of its commands was not carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum SignoffRefusal {
    /// The latest reminder is too recent for another one.
    RemindedLately {
        again: Timestamp,
    },
    /// Whoever is to own the plan has signed it.
    HasSigned {
        role: SignoffRole,
    },
    RoleUnmapped {
        role: SignoffRole,
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
    NotSigned {
        role: SignoffRole,
    },
}

/// What happens by itself at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignoffMark {
    Reminder,
    /// A sign-off counts no more.
    Expires,
    FollowUp,
}

impl SignoffMark {
    /// Marks of this kind that are missed together are one: the newest.
    pub(super) fn reminds(&self) -> bool {
        match self {
            Self::Reminder | Self::FollowUp => true,
            Self::Expires => false,
        }
    }
}
