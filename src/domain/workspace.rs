//! The Workspace aggregate: one chat server's settings, its release numbers, the people its plans name, its freezes and its
//! trains; with an agenda of its own. It must not know any release but by what is handed in.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::freeze::{Freeze, MAX_FREEZES, Planned};
use super::ids::{GuildId, ReleaseNo, UserId};
use super::may::{Action, may};
use super::people::Actor;
use super::policy::Policy;
use super::recur::Rule;
use super::refusal::Refusal;
use super::train::{MAX_DAYS_AHEAD, MAX_DRAFTS, MAX_TRAINS, Train};

/// How long before its start a freeze is announced.
pub const WARN_BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// A start this long past is not worth a word any more: the service was away.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);

/// A machine's clock further off than this is said (`reliability.md` 5.6).
const CLOCK_ALARM: SignedDuration = SignedDuration::from_secs(60);

/// The most marks one tick deals with.
const MAX_MARKS_A_TICK: usize = 200;

/// One server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    pub guild: GuildId,
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
}

/// What can be asked of a workspace beside its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkspaceCommand {
    AddFreeze(Freeze),
    RemoveFreeze {
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
    Draft {
        train: String,
        t0: Timestamp,
    },
}

/// What a workspace says, without the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkspaceNotice {
    FreezeAhead {
        freeze: Freeze,
        start: Timestamp,
        until: Option<Timestamp>,
        inside: Vec<Planned>,
    },
    TrainSkipped {
        name: String,
        t0: Timestamp,
        zone: String,
        by: String,
        reason: String,
        next: Option<Timestamp>,
    },
    /// The service was away until after T-0.
    TrainMissed {
        name: String,
        t0: Timestamp,
        zone: String,
    },
    /// The template could not be made into a draft.
    TrainFailed {
        name: String,
        t0: Timestamp,
        zone: String,
        why: String,
    },
    /// The machine's clock is far off, and the platform's counts.
    ClockWrong {
        ahead: SignedDuration,
    },
    ClockRight,
    /// A message of the workspace's own that could not be posted.
    Undelivered {
        said: String,
        why: String,
        channel: super::ids::ChannelId,
    },
}

/// The answer to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkspaceReply {
    FreezeAdded { freeze: Freeze, holds: Option<Timestamp>, next: Vec<Timestamp> },
    FreezeRemoved { name: String },
    TrainAdded { name: String, zone: String, days_ahead: u32, next: Vec<Timestamp>, unknown: Vec<String> },
    TrainRemoved { name: String },
    TrainSkipped { name: String, t0: Timestamp, zone: String, next: Option<Timestamp> },
    Silent,
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
}

impl Workspace {
    /// A server nobody has set up.
    pub fn new(guild: GuildId) -> Self {
        Self {
            guild,
            policy: Policy::default(),
            next_no: 1,
            people: BTreeMap::new(),
            freezes_seen: BTreeMap::new(),
            trains: BTreeMap::new(),
            clock_ahead_ms: None,
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
                self.policy = (**policy).clone();
            }
            WorkspaceEvent::Numbered { no } => self.next_no = no.0 + 1,
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
            WorkspaceEvent::TrainHandled { name, t0 } => {
                if let Some(train) = self.trains.get_mut(name) {
                    train.handled = *t0;
                    train.skipped.retain(|at| at > t0);
                }
            }
            WorkspaceEvent::ClockWrong { ahead_ms } => self.clock_ahead_ms = Some(*ahead_ms),
            WorkspaceEvent::ClockRight => self.clock_ahead_ms = None,
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
        freezes.chain(trains).collect()
    }
}

struct Work<'a> {
    workspace: Workspace,
    now: Timestamp,
    actor: &'a Actor,
    events: Vec<WorkspaceEvent>,
    effects: Vec<WorkspaceEffect>,
}

impl Work<'_> {
    fn record(&mut self, event: WorkspaceEvent) {
        self.workspace.evolve(&event, self.now);
        self.events.push(event);
    }

    fn post(&mut self, key: String, notice: WorkspaceNotice, useful_until: Option<Timestamp>) {
        let notice = Box::new(notice);
        self.effects.push(WorkspaceEffect::Post { key, notice, mention: Vec::new(), useful_until });
    }
}

/// Decides a command; `planned` are the workspace's open releases, for a warning to name them.
///
/// # Errors
/// A [`Refusal`]: nothing is to be stored or said.
pub fn decide(
    workspace: &Workspace,
    command: WorkspaceCommand,
    actor: &Actor,
    now: Timestamp,
    planned: &[Planned],
) -> Result<WorkspaceDecision, Refusal> {
    may(actor, &action_of(&command), &workspace.policy, None)?;
    let mut work = Work { workspace: workspace.clone(), now, actor, events: Vec::new(), effects: Vec::new() };
    let reply = match command {
        WorkspaceCommand::AddFreeze(freeze) => add_freeze(&mut work, freeze),
        WorkspaceCommand::RemoveFreeze { name } => remove_freeze(&mut work, &name),
        WorkspaceCommand::AddTrain { name, rule, zone, days_ahead, people } => {
            add_train(&mut work, &name, rule, zone, days_ahead, people)
        }
        WorkspaceCommand::RemoveTrain { name } => {
            let name = known_train(workspace, &name)?;
            work.record(WorkspaceEvent::TrainRemoved { name: name.clone() });
            Ok(WorkspaceReply::TrainRemoved { name })
        }
        WorkspaceCommand::SkipTrain { name, reason } => skip_train(&mut work, &name, &reason),
        WorkspaceCommand::Tick => {
            tick(&mut work, planned);
            Ok(WorkspaceReply::Silent)
        }
        WorkspaceCommand::Clock { ahead_ms } => {
            clock(&mut work, ahead_ms);
            Ok(WorkspaceReply::Silent)
        }
    }?;
    Ok(WorkspaceDecision { workspace: work.workspace, events: work.events, effects: work.effects, reply })
}

/// What a command asks for.
fn action_of(command: &WorkspaceCommand) -> Action {
    match command {
        WorkspaceCommand::AddFreeze(_) | WorkspaceCommand::RemoveFreeze { .. } => Action::Setup,
        WorkspaceCommand::AddTrain { .. }
        | WorkspaceCommand::RemoveTrain { .. }
        | WorkspaceCommand::SkipTrain { .. } => Action::Train,
        WorkspaceCommand::Tick | WorkspaceCommand::Clock { .. } => Action::Tick,
    }
}

fn tick(work: &mut Work<'_>, planned: &[Planned]) {
    for _ in 0..MAX_MARKS_A_TICK {
        let due = work.workspace.marks().into_iter().filter(|(at, _)| *at <= work.now).min_by_key(|(at, _)| *at);
        match due {
            None => return,
            Some((_, Mark::Freeze { name, start })) => warn(work, &name, start, planned),
            Some((_, Mark::Train { name, t0 })) => depart(work, &name, t0),
        }
    }
}

/// Said when it begins and when it ends, and only where people have set the bot up.
fn clock(work: &mut Work<'_>, ahead_ms: i64) {
    let ahead = SignedDuration::from_millis(ahead_ms);
    if work.workspace.policy.release_channel.is_none() {
        return;
    }
    let said = work.workspace.clock_ahead_ms;
    // Again where it has become much worse, or wrong the other way.
    let worse = said.is_none_or(|said| ahead_ms.abs() > 2 * said.abs() || ahead_ms.signum() != said.signum());
    let (event, notice) = if ahead.abs() > CLOCK_ALARM && worse {
        (WorkspaceEvent::ClockWrong { ahead_ms }, WorkspaceNotice::ClockWrong { ahead })
    } else if ahead_ms == 0 && said.is_some() {
        (WorkspaceEvent::ClockRight, WorkspaceNotice::ClockRight)
    } else {
        return;
    };
    work.record(event);
    work.post("clock".to_owned(), notice, None);
}

fn warn(work: &mut Work<'_>, name: &str, start: Timestamp, planned: &[Planned]) {
    work.record(WorkspaceEvent::FreezeSeen { freeze: name.to_owned(), start });
    let Some(freeze) = work.workspace.policy.freezes.iter().find(|freeze| freeze.name == name).cloned() else { return };
    let until = freeze.holds(start);
    if until.is_some_and(|until| until <= work.now) || start + FORGOTTEN < work.now {
        return;
    }
    let inside = planned
        .iter()
        .filter(|planned| !planned.running)
        .filter(|planned| planned.t0.is_some_and(|t0| t0 >= start && until.is_none_or(|until| t0 < until)))
        .cloned()
        .collect();
    let key = format!("freeze/{}/{}", start.as_millisecond(), freeze.name);
    work.post(key, WorkspaceNotice::FreezeAhead { freeze, start, until, inside }, until);
}

fn depart(work: &mut Work<'_>, name: &str, t0: Timestamp) {
    let Some(train) = work.workspace.trains.get(name) else { return };
    let (skipped, zone) = (train.skipped.contains(&t0), train.zone.clone());
    work.record(WorkspaceEvent::TrainHandled { name: name.to_owned(), t0 });
    if skipped {
        return;
    }
    if t0 > work.now {
        work.effects.push(WorkspaceEffect::Draft { train: name.to_owned(), t0 });
    } else if t0 + FORGOTTEN > work.now {
        let key = format!("train/{}/{name}", t0.as_millisecond());
        work.post(key, WorkspaceNotice::TrainMissed { name: name.to_owned(), t0, zone }, None);
    }
}

fn name_of(text: &str) -> Result<String, Refusal> {
    let name: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect();
    if name.is_empty() { Err(Refusal::NameNeeded) } else { Ok(name) }
}

fn add_freeze(work: &mut Work<'_>, freeze: Freeze) -> Result<WorkspaceReply, Refusal> {
    let freeze = Freeze { name: name_of(&freeze.name)?, ..freeze };
    let mut policy = work.workspace.policy.clone();
    policy.freezes.retain(|known| !known.name.eq_ignore_ascii_case(&freeze.name));
    if policy.freezes.len() >= MAX_FREEZES {
        return Err(Refusal::TooMany { what: "freezes", most: MAX_FREEZES });
    }
    let holds = freeze.holds(work.now);
    let next: Vec<Timestamp> =
        std::iter::successors(freeze.next_start(work.now), |last| freeze.next_start(*last)).take(3).collect();
    if holds.is_none() && next.is_empty() {
        return Err(Refusal::NeverAgain);
    }
    policy.freezes.push(freeze.clone());
    work.record(WorkspaceEvent::Configured { policy: Box::new(policy) });
    Ok(WorkspaceReply::FreezeAdded { freeze, holds, next })
}

fn remove_freeze(work: &mut Work<'_>, typed: &str) -> Result<WorkspaceReply, Refusal> {
    let mut policy = work.workspace.policy.clone();
    let known: Vec<String> = policy.freezes.iter().map(|freeze| freeze.name.clone()).collect();
    let Some(at) = known.iter().position(|name| name.eq_ignore_ascii_case(typed.trim())) else {
        return Err(Refusal::UnknownItem { typed: typed.to_owned(), known });
    };
    let name = policy.freezes.remove(at).name;
    work.record(WorkspaceEvent::Configured { policy: Box::new(policy) });
    Ok(WorkspaceReply::FreezeRemoved { name })
}

fn add_train(
    work: &mut Work<'_>,
    name: &str,
    rule: Rule,
    zone: String,
    days_ahead: u32,
    people: BTreeMap<String, Option<UserId>>,
) -> Result<WorkspaceReply, Refusal> {
    let Some(person) = work.actor.person() else { return Err(Refusal::NotAllowed { who: vec![] }) };
    let name = name_of(name)?;
    if days_ahead == 0 || days_ahead > MAX_DAYS_AHEAD {
        return Err(Refusal::BadNumber { typed: days_ahead.to_string() });
    }
    let known = work.workspace.trains.keys().any(|known| known.eq_ignore_ascii_case(&name));
    if !known && work.workspace.trains.len() >= MAX_TRAINS {
        return Err(Refusal::TooMany { what: "trains", most: MAX_TRAINS });
    }
    let old = work.workspace.trains.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
    let old = old.map(|(known, train)| (known.clone(), train.clone()));
    // The same firings with another template or more days ahead: what was drafted is not drafted again.
    let same = old.as_ref().filter(|(_, old)| old.rule == rule && old.zone == zone);
    let train = Train {
        handled: same.map_or(work.now, |(_, old)| old.handled.max(work.now)),
        rule,
        zone: zone.clone(),
        days_ahead,
        author: person.user.clone(),
        author_name: person.name.clone(),
        skipped: Vec::new(),
    };
    let next = train.next(5);
    if next.is_empty() {
        return Err(Refusal::NeverAgain);
    }
    if train.too_often() {
        return Err(Refusal::TooOften { most: MAX_DRAFTS, days_ahead });
    }
    if let Some((old, _)) = old {
        work.record(WorkspaceEvent::TrainRemoved { name: old });
    }
    work.record(WorkspaceEvent::TrainAdded { name: name.clone(), train });
    let mut unknown = Vec::new();
    for (name, user) in people {
        match user {
            Some(user) => work.record(WorkspaceEvent::Remembered { name, user }),
            None => unknown.push(name),
        }
    }
    Ok(WorkspaceReply::TrainAdded { name, zone, days_ahead, next, unknown })
}

/// A train by its name, however it is capitalised.
fn known_train(workspace: &Workspace, typed: &str) -> Result<String, Refusal> {
    workspace.trains.keys().find(|name| name.eq_ignore_ascii_case(typed.trim())).cloned().ok_or_else(|| {
        Refusal::UnknownItem { typed: typed.to_owned(), known: workspace.trains.keys().cloned().collect() }
    })
}

fn skip_train(work: &mut Work<'_>, typed: &str, why: &str) -> Result<WorkspaceReply, Refusal> {
    let name = known_train(&work.workspace, typed)?;
    let reason = super::decide::reason(why)?;
    let Some(train) = work.workspace.trains.get(&name) else { return Err(Refusal::NeverAgain) };
    let next = train.next(2);
    let Some(t0) = next.first().copied() else { return Err(Refusal::NeverAgain) };
    let (zone, after) = (train.zone.clone(), next.get(1).copied());
    work.record(WorkspaceEvent::TrainSkipped { name: name.clone(), t0, reason: reason.clone() });
    let notice = WorkspaceNotice::TrainSkipped {
        name: name.clone(),
        t0,
        zone: zone.clone(),
        by: work.actor.by().to_string(),
        reason,
        next: after,
    };
    work.post(format!("train/{}/{name}", t0.as_millisecond()), notice, None);
    Ok(WorkspaceReply::TrainSkipped { name, t0, zone, next: after })
}
