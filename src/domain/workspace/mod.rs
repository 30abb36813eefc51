//! The Workspace aggregate: one chat server's settings, its release numbers, the people its plans name, its freezes and its
//! trains; with an agenda of its own. It must not know any release but by what is handed in.

mod notice;
pub mod rules;
pub(in crate::domain) mod settings;
pub mod stray;
pub mod train;
pub(in crate::domain) mod trains;
pub mod weekly;
pub(in crate::domain) mod work;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::notice::{WorkspaceNotice, WorkspaceReply};
use self::stray::{StrayAlert, Strays};
use self::train::Train;
use self::weekly::Standing;
use super::freeze::{Freeze, Planned};
use super::ids::{Audience, ReleaseNo, UserId, WorkspaceId};
use super::people::{Actor, By};
use super::policy::{Policy, RouteChange, SignoffRule};
use super::recur::Rule;
use super::refusal::Refusal;
use super::rights::{self, Action, Denied, Refused};

/// How long before its start a freeze is announced.
pub const WARN_BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// One server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    #[serde(rename = "guild")]
    pub server: WorkspaceId,
    pub policy: Policy,
    pub next_no: u32,
    /// Names as plans write them (lower case) and the members they mean.
    pub people: BTreeMap<String, UserId>,
    /// By freeze: starts up to here were announced, or passed before it was set.
    #[serde(default)]
    pub freezes_seen: BTreeMap<String, Timestamp>,
    #[serde(default)]
    pub trains: BTreeMap<String, Train>,
    /// How far the machine's clock was ahead, in milliseconds, when that was said; `None` once it is right.
    #[serde(default)]
    pub clock_ahead_ms: Option<i64>,
    /// When the last digest was due, or the workspace was set up.
    #[serde(default)]
    pub digested: Option<Timestamp>,
    /// Whether releases were open then, and which number was next.
    #[serde(default)]
    pub digest_open: bool,
    #[serde(default)]
    pub digest_no: u32,
    /// Refusals of late that stand on the record.
    #[serde(default)]
    pub refusals: Vec<Refused>,
    /// Alerts that concerned no release, of late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strays: Option<Strays>,
}

/// What happened to a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceEvent {
    Configured {
        policy: Box<Policy>,
    },
    Numbered {
        no: ReleaseNo,
    },
    Remembered {
        name: String,
        user: UserId,
    },
    /// Its next start was announced, or passed unannounced.
    FreezeSeen {
        freeze: String,
        start: Timestamp,
    },
    TrainAdded {
        name: String,
        train: Train,
    },
    TrainRemoved {
        name: String,
    },
    TrainSkipped {
        name: String,
        t0: Timestamp,
        reason: String,
    },
    /// A skip is taken back.
    TrainUnskipped {
        name: String,
        t0: Timestamp,
    },
    /// A firing was dealt with: drafted, skipped, or missed.
    TrainHandled {
        name: String,
        t0: Timestamp,
    },
    /// The machine's clock is far off; negative is behind.
    ClockWrong {
        ahead_ms: i64,
    },
    ClockRight,
    /// What follows was done by somebody who may manage the server, past the roles.
    Bypassed {
        action: Action,
    },
    /// Somebody was refused this.
    Refused {
        user: UserId,
        action: Action,
        why: Denied,
    },
    /// Its own messages that were stuck are sent again.
    SentAgain,
    /// Alerts that concern no release.
    Strayed {
        alerts: Vec<StrayAlert>,
    },
    /// The weekly digest was said, or there was nothing to say.
    Digested {
        open: bool,
    },
}

/// A line of a workspace's own record.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Noted {
    pub at: Timestamp,
    pub by: By,
    #[serde(rename = "workspace")]
    pub event: WorkspaceEvent,
}

/// What can be asked of a workspace beside its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkspaceCommand {
    AddFreeze(Freeze),
    RemoveFreeze {
        name: String,
    },
    AddRule(SignoffRule),
    RemoveRule {
        name: String,
    },
    AddTrain {
        name: String,
        rule: Rule,
        zone: String,
        days_ahead: u32,
        /// Names of the template and the members they mean; `None` where nobody was found.
        people: BTreeMap<String, Option<UserId>>,
    },
    RemoveTrain {
        name: String,
    },
    /// Its next firing.
    SkipTrain {
        name: String,
        reason: String,
    },
    /// Its next firing that is skipped takes place after all.
    UnskipTrain {
        name: String,
    },
    /// What is said of an audience changes; what is not said stays.
    SetAudience {
        audience: Audience,
        change: RouteChange,
    },
    RemoveAudience {
        audience: Audience,
    },
    /// The workspace's own messages that are stuck are sent again.
    SendAgain,
    /// Alerts that concern no release.
    Stray {
        alerts: Vec<StrayAlert>,
    },
    Tick,
    /// How far the machine's clock is ahead of the chat platform's, in milliseconds.
    Clock {
        ahead_ms: i64,
    },
}

/// What the world must be told, or a draft to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkspaceEffect {
    /// In the release channel, once for ever under a key.
    Post {
        key: String,
        notice: Box<WorkspaceNotice>,
        mention: Vec<UserId>,
        useful_until: Option<Timestamp>,
    },
    /// A message that is edited later, under the key as it is.
    Begin {
        key: String,
        notice: Box<WorkspaceNotice>,
    },
    Edit {
        key: String,
        notice: Box<WorkspaceNotice>,
    },
    Draft {
        train: String,
        t0: Timestamp,
    },
    /// The workspace's own messages that are stuck.
    SendAgain,
}

/// What a command led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceDecision {
    pub workspace: Workspace,
    pub events: Vec<WorkspaceEvent>,
    pub effects: Vec<WorkspaceEffect>,
    pub reply: WorkspaceReply,
}

/// Something that will happen by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mark {
    Freeze { name: String, start: Timestamp },
    Train { name: String, t0: Timestamp },
    Digest,
}

/// The workspace's releases, as far as what happens by itself names them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inside<'a> {
    pub planned: &'a [Planned],
    /// For a digest that is due.
    pub open: &'a [Standing],
}

impl Workspace {
    /// A server nobody has set up.
    pub fn new(server: WorkspaceId) -> Self {
        Self {
            server,
            policy: Policy::default(),
            next_no: 1,
            people: BTreeMap::new(),
            freezes_seen: BTreeMap::new(),
            trains: BTreeMap::new(),
            clock_ahead_ms: None,
            digested: None,
            digest_open: false,
            digest_no: 1,
            refusals: Vec::new(),
            strays: None,
        }
    }

    /// Applies one event.
    pub fn evolve(&mut self, event: &WorkspaceEvent, at: Timestamp) {
        match event {
            WorkspaceEvent::Configured { policy } => {
                let same = |name: &String| {
                    let of = |policy: &Policy| policy.freezes.iter().find(|f| f.name == *name).cloned();
                    of(&self.policy) == of(policy)
                };
                self.freezes_seen = policy
                    .freezes
                    .iter()
                    .map(|freeze| {
                        let seen = self.freezes_seen.get(&freeze.name).filter(|_| same(&freeze.name));
                        (freeze.name.clone(), seen.copied().unwrap_or(at))
                    })
                    .collect();
                // Another rhythm begins now, not with what it would have missed.
                let rhythm = |policy: &Policy| (policy.digest.clone(), policy.no_digest, policy.zone.clone());
                if rhythm(&self.policy) != rhythm(policy) {
                    self.digested = Some(at);
                }
                self.policy = (**policy).clone();
                self.digested.get_or_insert(at);
            }
            WorkspaceEvent::Numbered { no } => {
                self.next_no = no.0 + 1;
                // A server of before there were digests.
                self.digested.get_or_insert(at);
            }
            WorkspaceEvent::Remembered { name, user } => {
                self.people.insert(name.to_lowercase(), user.clone());
            }
            WorkspaceEvent::FreezeSeen { freeze, start } => {
                self.freezes_seen.insert(freeze.clone(), *start);
            }
            WorkspaceEvent::TrainAdded { name, train } => {
                self.trains.insert(name.clone(), train.clone());
            }
            WorkspaceEvent::TrainRemoved { name } => {
                self.trains.remove(name);
            }
            WorkspaceEvent::TrainSkipped { name, t0, .. } => {
                if let Some(train) = self.trains.get_mut(name) {
                    train.skipped.push(*t0);
                }
            }
            WorkspaceEvent::TrainUnskipped { name, t0 } => {
                if let Some(train) = self.trains.get_mut(name) {
                    train.skipped.retain(|at| at != t0);
                }
            }
            WorkspaceEvent::SentAgain => {}
            WorkspaceEvent::Strayed { alerts } => self.strays = Some(Strays::with(self.strays.take(), alerts, at)),
            WorkspaceEvent::TrainHandled { name, t0 } => {
                if let Some(train) = self.trains.get_mut(name) {
                    train.handled = *t0;
                    train.skipped.retain(|at| at > t0);
                }
            }
            WorkspaceEvent::ClockWrong { ahead_ms } => self.clock_ahead_ms = Some(*ahead_ms),
            WorkspaceEvent::ClockRight => self.clock_ahead_ms = None,
            WorkspaceEvent::Bypassed { .. } => {}
            WorkspaceEvent::Refused { user, action, why } => {
                let (user, action, why) = (user.clone(), action.clone(), *why);
                rights::rules::keep(&mut self.refusals, Refused { user, action, why, at });
            }
            WorkspaceEvent::Digested { open } => {
                self.digested = Some(at);
                self.digest_open = *open;
                self.digest_no = self.next_no;
            }
        }
    }

    /// When something happens by itself next.
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        self.marks().into_iter().map(|(at, _)| at).min()
    }

    fn marks(&self) -> Vec<(Timestamp, Mark)> {
        let freezes = self.policy.freezes.iter().filter_map(|freeze| {
            let start = freeze.next_start(*self.freezes_seen.get(&freeze.name)?)?;
            Some((start - WARN_BEFORE, Mark::Freeze { name: freeze.name.clone(), start }))
        });
        let trains = self.trains.iter().filter_map(|(name, train)| {
            let t0 = train.firings().next()?;
            Some((train.draft_at(t0), Mark::Train { name: name.clone(), t0 }))
        });
        let digest = self.digested.and_then(|last| weekly::next(&self.policy, last)).map(|at| (at, Mark::Digest));
        freezes.chain(trains).chain(digest).collect()
    }

    /// The record of a refusal, where it does not stand already.
    pub fn refused(&self, action: &Action, refusal: &Refusal, actor: &Actor, now: Timestamp) -> Option<WorkspaceEvent> {
        let (person, why) = (actor.person()?, rights::rules::denied(refusal)?);
        let new = rights::rules::is_new(&self.refusals, &person.user, action, why, now);
        new.then(|| WorkspaceEvent::Refused { user: person.user.clone(), action: action.clone(), why })
    }

    /// Whether a digest is due.
    pub fn digest_is_due(&self, now: Timestamp) -> bool {
        self.digested.and_then(|last| weekly::next(&self.policy, last)).is_some_and(|at| at <= now)
    }
}
