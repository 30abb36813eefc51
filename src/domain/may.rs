//! Who may do what, and when: one function, default deny. Commands, buttons, forms, lists and webhooks all come here, through the
//! roots that decide; no topic asks for itself. It must not know surfaces.

use jiff::Timestamp;

use super::alert::AlertCommand;
use super::closing::{AllClearCommand, ClosingCommand};
use super::command::Command;
use super::concern::{self, ConcernCommand};
use super::delivery::DeliveryCommand;
use super::ids::{Audience, RoleId, UserId};
use super::ladder::{self, LadderRefusal, NoticeCommand};
use super::lifecycle::{PlanCommand, PlanRefusal};
use super::people::{Actor, By, Person, Post, Standing};
use super::plan::SignoffRole;
use super::policy::Policy;
use super::refusal::{Refusal, Wanted};
use super::release::{Phase, Release};
use super::rights::{Action, Grant, Who};
use super::rollback::RollbackCommand;
use super::signoff::{self, SignoffRefusal};
use super::stage::{self, StageCommand};

impl Action {
    /// Whether it can be asked for without a release.
    fn concerns_the_server(&self) -> bool {
        matches!(
            self,
            Self::Setup
                | Self::Train
                | Self::Import
                | Self::Depart
                | Self::Redeliver
                | Self::Signal
                | Self::Tick
                | Self::Examine
                | Self::Read
        )
    }

    /// What a command asks for at an instant.
    ///
    /// # Errors
    /// It names something that is not there.
    pub fn of(command: &Command, release: &Release, now: Timestamp) -> Result<Self, Refusal> {
        Ok(match command {
            Command::Plan(command) => match command {
                PlanCommand::Import { .. } => Self::Import,
                PlanCommand::Depart { .. } => Self::Depart,
                PlanCommand::Revise { .. } if release.running().is_some() => Self::Amend,
                PlanCommand::Revise { .. } => Self::Revise,
                PlanCommand::Agree { .. } | PlanCommand::Decline { .. } => Self::Agree,
                PlanCommand::Repolicy { .. } => Self::Repolicy,
                PlanCommand::Submit => Self::Submit,
                PlanCommand::Reschedule { .. } => Self::Reschedule,
                PlanCommand::Scrub { .. } => Self::Scrub,
                PlanCommand::Name { .. } => Self::Name,
                PlanCommand::HandOver { post, .. } => Self::HandOver(*post),
            },
            Command::Signoff(command) => command.action(),
            Command::Notice(command) => match command {
                NoticeCommand::Receipt { .. } | NoticeCommand::TakeBack { .. } | NoticeCommand::Brief { .. } => {
                    Self::Receive(ladder::view::meant(release, command)?.audience)
                }
                NoticeCommand::Correct { .. } => Self::Correct,
            },
            Command::Delivery(DeliveryCommand::Delivered { .. } | DeliveryCommand::Stuck { .. }) => Self::Deliver,
            Command::Delivery(DeliveryCommand::SendAgain { .. } | DeliveryCommand::CallSent { .. }) => Self::Redeliver,
            Command::Stage(command) => match command {
                StageCommand::Go { break_glass: None } => Self::Go,
                // With nothing to break it is a go like any other, of somebody who may give one.
                StageCommand::Go { break_glass: Some(_) } if stage::view::go_gaps(release, now).is_empty() => Self::Go,
                StageCommand::Go { break_glass: Some(_) } => Self::BreakGlass,
                StageCommand::Advance { .. } | StageCommand::Extend { .. } => Self::Stage,
                StageCommand::Hold { .. } => Self::Hold,
                StageCommand::Resume => Self::Resume,
                StageCommand::Undo => Self::Undo,
            },
            Command::Update { .. } => Self::Update,
            Command::Decide { .. } => Self::Decide,
            Command::Alert(AlertCommand::Signal(_) | AlertCommand::Elsewhere { .. }) => Self::Signal,
            Command::Alert(AlertCommand::Report { .. }) => Self::Report,
            Command::Alert(AlertCommand::Ack { .. }) => Self::Acknowledge,
            Command::Rollback(command) => match command {
                RollbackCommand::Decide { .. } => Self::Answer,
                RollbackCommand::Start { .. } => Self::RollBack,
                RollbackCommand::Verified { .. } | RollbackCommand::Failed { .. } => Self::Verify,
            },
            Command::AllClear(AllClearCommand::Give) => Self::AllClear,
            Command::AllClear(AllClearCommand::Rewatch) => Self::Rewatch,
            Command::Closing(command) => match command {
                ClosingCommand::Schedule { .. }
                | ClosingCommand::File { .. }
                | ClosingCommand::WaivePostmortem { .. } => Self::Postmortem,
                ClosingCommand::ItemDone { .. } => Self::Item,
                ClosingCommand::ItemWaived { .. } => Self::Waive,
            },
            Command::Concern(ConcernCommand::Raise { .. }) => Self::Object,
            Command::Concern(ConcernCommand::Resolve { concern, .. }) => {
                Self::Settle(concern::view::meant(release, concern.as_deref())?.by)
            }
            Command::Except(_) => Self::Except,
            Command::Tick { .. } => Self::Tick,
        })
    }
}

/// Decides whether `actor` may take `action` now; `release` is absent where none exists yet. The right comes before the phase.
/// What a command names, a rung or a concern, is looked up before both: whose it is decides who may.
///
/// # Errors
/// A [`Refusal`] that names who may instead, or the phase that stands against it.
pub fn may(actor: &Actor, action: &Action, policy: &Policy, release: Option<&Release>) -> Result<Grant, Refusal> {
    let mut grant = Grant::Ordinary;
    match actor {
        Actor::Person(person) => match may_person(person, action, policy, release) {
            Ok(()) => {}
            Err(refusal) if bypasses(person, action, policy, release, &refusal) => grant = Grant::Bypass,
            Err(refusal) => return Err(refusal),
        },
        Actor::Clock if matches!(action, Action::Tick | Action::Depart) => {}
        Actor::Courier if matches!(action, Action::Deliver) => {}
        Actor::File if matches!(action, Action::Setup | Action::Repolicy) => {}
        Actor::Source(_) if matches!(action, Action::Signal) => {}
        Actor::Clock | Actor::Courier | Actor::File | Actor::Source(_) => {
            return Err(Refusal::NotAllowed { who: vec![] });
        }
    }
    match release {
        Some(release) => fits(action, release)?,
        None if action.concerns_the_server() => {}
        None => return Err(Refusal::UnknownRelease { typed: String::new() }),
    }
    Ok(grant)
}

/// Whether somebody who may manage the server passes a role that is wanted. It never lets them sign their
/// own plan or sign twice, and never do what is nobody's.
fn bypasses(person: &Person, action: &Action, policy: &Policy, release: Option<&Release>, refusal: &Refusal) -> bool {
    let a_role_is_wanted = match refusal {
        Refusal::NotAllowed { who } => !who.is_empty(),
        Refusal::Signoff(SignoffRefusal::RoleUnmapped { .. })
        | Refusal::Ladder(LadderRefusal::AudienceUnmapped { .. })
        | Refusal::Ladder(LadderRefusal::NotOfAudience { .. }) => true,
        _ => false,
    };
    let theirs = match action {
        Action::Settle(_) | Action::Undo | Action::Agree | Action::SignFor(_) | Action::Withdraw(_) => true,
        Action::Sign(role) => not_own(person, *role, policy, release).is_err(),
        _ => false,
    };
    policy.administrator_bypass && person.manages_server && a_role_is_wanted && !theirs
}

fn may_person(person: &Person, action: &Action, policy: &Policy, release: Option<&Release>) -> Result<(), Refusal> {
    match person.standing {
        Standing::Member => {}
        Standing::TimedOut => return Err(Refusal::TimedOut),
        Standing::Outside | Standing::Bot => return Err(Refusal::NotAllowed { who: vec![] }),
    }
    let managers = || Who::Managers(policy.release_managers.clone());
    let who = match action {
        Action::Sign(role) => return may_sign(person, *role, policy, release),
        // Whoever gave it, or recorded it, takes it back whatever became of their roles.
        Action::Withdraw(role) => {
            let gave =
                release.is_some_and(|r| signoff::view::valid(r).any(|(of, s)| of == *role && s.user == person.user));
            return if gave { Ok(()) } else { may_sign(person, *role, policy, release) };
        }
        Action::SignFor(role) => return may_sign_for(person, *role, policy, release),
        Action::Receive(audience) => return may_receive(person, audience, policy),
        Action::Read => return Ok(()),
        // Whoever took the step takes it back, whichever part let them take it.
        Action::Undo if release.is_some_and(|release| took(person, release)) => return Ok(()),
        Action::Import | Action::Train | Action::Except => vec![managers()],
        Action::Revise | Action::Name | Action::Submit => vec![Who::Author, Who::Owner, managers()],
        Action::Amend => vec![Who::Author, Who::Owner, Who::OnCall, managers()],
        // Where one person has both parts a release manager is the second.
        Action::Agree if release.is_some_and(|r| r.plan.owner_user() == r.plan.on_call_user()) => {
            vec![Who::Owner, managers()]
        }
        Action::Agree => vec![Who::Owner, Who::OnCall],
        Action::BreakGlass if !policy.break_glass.is_empty() => {
            vec![Who::Owner, Who::BreakGlass(policy.break_glass.clone())]
        }
        Action::HandOver(Post::OnCall) => vec![Who::Owner, Who::OnCall, managers()],
        Action::HandOver(Post::Owner)
        | Action::Scrub
        | Action::Reschedule
        | Action::Correct
        | Action::Go
        | Action::BreakGlass
        | Action::Item
        | Action::Waive
        | Action::AllClear
        | Action::Postmortem => vec![Who::Owner, managers()],
        // The server's own messages: whoever gives the rights back sends them again.
        Action::Redeliver if release.is_none() => vec![
            Who::ServerManagers,
            managers(),
            Who::Signers(SignoffRole::SreOps, signers(policy, SignoffRole::SreOps)),
        ],
        Action::Redeliver
        | Action::Stage
        | Action::Undo
        | Action::Hold
        | Action::Resume
        | Action::Update
        | Action::Decide
        | Action::Answer
        | Action::RollBack
        | Action::Verify
        | Action::Rewatch
        | Action::Report
        | Action::Acknowledge => vec![
            Who::Owner,
            Who::OnCall,
            managers(),
            Who::Signers(SignoffRole::SreOps, signers(policy, SignoffRole::SreOps)),
        ],
        Action::Object | Action::Snooze => {
            let signers = SignoffRole::ALL.iter().map(|role| Who::Signers(*role, signers(policy, *role)));
            [Who::Owner, Who::OnCall, Who::Author, managers()].into_iter().chain(signers).collect()
        }
        Action::Settle(raiser) => vec![Who::Raiser(raiser.clone()), managers()],
        // It names channels that not everybody sees.
        Action::Examine => vec![Who::ServerManagers, managers()],
        Action::Setup | Action::Repolicy => vec![Who::ServerManagers],
        // The clock's, the courier's and the sources' own.
        Action::Depart | Action::Deliver | Action::Signal | Action::Tick => vec![],
    };
    if who.iter().any(|w| is(person, w, release)) { Ok(()) } else { Err(Refusal::NotAllowed { who }) }
}

/// Whether the release is in a phase in which this makes sense. What else stands against it (an open gate, a settled question)
/// is the topic's to say.
fn fits(action: &Action, release: &Release) -> Result<(), Refusal> {
    let phase = &release.phase;
    let planned = matches!(phase, Phase::Gathering { .. } | Phase::Approved { .. });
    let held_before = matches!(phase, Phase::HeldBefore { .. });
    let rolling = matches!(phase, Phase::RollingBack { .. });
    let rolled_back = matches!(phase, Phase::RolledBack { .. });
    let (fits, wanted) = match action {
        Action::Revise => (planned || matches!(phase, Phase::Draft), Wanted::Import),
        // Later a change of people would slip past whoever signed.
        Action::Name => (matches!(phase, Phase::Draft), Wanted::Import),
        // In a draft it is the plan's own to say.
        Action::HandOver(_) => (!release.ended() && !matches!(phase, Phase::Draft), Wanted::HandOver),
        Action::Submit => (matches!(phase, Phase::Draft), Wanted::Submit),
        Action::Reschedule if matches!(phase, Phase::Draft) => return Err(PlanRefusal::NotScheduledYet.into()),
        Action::Reschedule => (planned || held_before, Wanted::Reschedule),
        Action::Scrub => (planned || held_before || matches!(phase, Phase::Draft), Wanted::Scrub),
        Action::Sign(_) | Action::SignFor(_) | Action::Withdraw(_) => {
            // After a break-glass go the sign-offs that were skipped follow.
            let follows = phase.run().is_some_and(|run| run.break_glass.is_some()) && !release.ended();
            (planned || held_before || follows, Wanted::Sign)
        }
        // A reminder left over from before: signing may be possible all the same.
        Action::Snooze if !matches!(phase, Phase::Gathering { .. }) => {
            return Err(Refusal::NothingOpen { what: "reminder of sign-offs" });
        }
        Action::Snooze => return Ok(()),
        Action::Amend | Action::Agree => (release.running().is_some() && !rolling, Wanted::Amend),
        Action::Receive(_) => (!release.ended(), Wanted::Receipt),
        Action::Correct => (!release.ended(), Wanted::Correct),
        Action::Go | Action::BreakGlass => (planned, Wanted::Go),
        Action::Stage => (matches!(phase, Phase::Live { .. }), Wanted::Stage),
        Action::Hold => (planned || matches!(phase, Phase::Live { .. } | Phase::Watching { .. }), Wanted::Hold),
        Action::Resume => (held_before || matches!(phase, Phase::Held { .. }), Wanted::Resume),
        Action::Update => (release.running().is_some(), Wanted::Update),
        Action::Decide => (release.running().is_some() && !rolling, Wanted::Decide),
        Action::RollBack => (release.running().is_some() && !rolling, Wanted::RollBack),
        Action::Verify => (rolling, Wanted::RollBack),
        Action::Report => (release.running().is_some() || rolled_back, Wanted::Alert),
        Action::Acknowledge => (phase.name().takes_alerts(), Wanted::Alert),
        Action::AllClear => (matches!(phase, Phase::Live { .. } | Phase::Watching { .. }), Wanted::AllClear),
        Action::Rewatch => (matches!(phase, Phase::AllClear { .. }), Wanted::AllClear),
        Action::Postmortem => (phase.closing().is_some(), Wanted::Postmortem),
        Action::Object => (planned || held_before, Wanted::Concern),
        // A break-glass go leaves it open.
        Action::Settle(_) => (!release.ended() && !matches!(phase, Phase::Draft), Wanted::Concern),
        Action::Except => (planned || held_before, Wanted::Except),
        Action::Undo => (release.running().is_some(), Wanted::Stage),
        Action::Answer => (release.running().is_some(), Wanted::RollBack),
        Action::Signal => (phase.name().takes_alerts(), Wanted::Alert),
        Action::Item | Action::Waive => (!release.ended(), Wanted::Item),
        // The server's own, or a second beginning of a release.
        Action::Setup | Action::Train | Action::Import | Action::Depart => {
            return Err(Refusal::AlreadyDone { what: "import".to_owned() });
        }
        // Any phase: what is late does nothing.
        Action::Repolicy | Action::Deliver | Action::Redeliver | Action::Tick | Action::Examine | Action::Read => {
            return Ok(());
        }
    };
    if fits { Ok(()) } else { Err(Refusal::WrongPhase { phase: phase.name(), wanted }) }
}

/// Members of an audience's role only.
fn may_receive(person: &Person, audience: &Audience, policy: &Policy) -> Result<(), Refusal> {
    let role = policy.audiences.get(audience).and_then(|route| route.role.clone());
    match role {
        None => Err(LadderRefusal::AudienceUnmapped { audience: audience.clone() }.into()),
        Some(role) if person.roles.contains(&role) => Ok(()),
        Some(role) => Err(LadderRefusal::NotOfAudience { audience: audience.clone(), role }.into()),
    }
}

fn may_sign(person: &Person, role: SignoffRole, policy: &Policy, release: Option<&Release>) -> Result<(), Refusal> {
    let mapped = signers(policy, role);
    if mapped.is_empty() {
        return Err(SignoffRefusal::RoleUnmapped { role }.into());
    }
    if !has_any(person, &mapped) {
        return Err(Refusal::NotAllowed { who: vec![Who::Signers(role, mapped)] });
    }
    not_own(person, role, policy, release)
}

/// Whether the step that can be taken back is this person's.
fn took(person: &Person, release: &Release) -> bool {
    let undo = release.running().and_then(|run| run.undo.as_ref());
    undo.is_some_and(|undo| matches!(&undo.by, By::Person { user, .. } if *user == person.user))
}

/// Release managers and members of the role record it, where the workspace lets them.
fn may_sign_for(person: &Person, role: SignoffRole, policy: &Policy, release: Option<&Release>) -> Result<(), Refusal> {
    if !policy.on_behalf {
        return Err(SignoffRefusal::NotOnBehalf.into());
    }
    let (managers, mapped) = (policy.release_managers.clone(), signers(policy, role));
    if mapped.is_empty() {
        return Err(SignoffRefusal::RoleUnmapped { role }.into());
    }
    if !has_any(person, &managers) && !has_any(person, &mapped) {
        return Err(Refusal::NotAllowed { who: vec![Who::Managers(managers), Who::Signers(role, mapped)] });
    }
    not_own(person, role, policy, release)
}

/// Author and owner do not sign their own plan, neither for themselves nor for others.
fn not_own(person: &Person, role: SignoffRole, policy: &Policy, release: Option<&Release>) -> Result<(), Refusal> {
    let Some(release) = release else {
        return Err(Refusal::NotAllowed { who: vec![] });
    };
    let wrote = release.author == person.user || release.revisers.contains(&person.user);
    let own = wrote || release.plan.owner_user() == Some(&person.user);
    if own && !policy.owner_may_sign(&release.plan) {
        return Err(SignoffRefusal::OwnPlan { role }.into());
    }
    Ok(())
}

fn signers(policy: &Policy, role: SignoffRole) -> Vec<RoleId> {
    policy.signers.get(&role).cloned().unwrap_or_default()
}

fn has_any(person: &Person, roles: &[RoleId]) -> bool {
    roles.iter().any(|role| person.roles.contains(role))
}

fn is(person: &Person, who: &Who, release: Option<&Release>) -> bool {
    let named = |user: Option<&UserId>| user == Some(&person.user);
    match who {
        Who::Owner => named(release.and_then(|r| r.plan.owner_user())),
        Who::OnCall => named(release.and_then(|r| r.plan.on_call_user())),
        Who::Author => named(release.map(|r| &r.author)),
        Who::Raiser(user) => named(Some(user)),
        Who::Managers(roles) | Who::BreakGlass(roles) | Who::Signers(_, roles) => has_any(person, roles),
        Who::ServerManagers => person.manages_server,
    }
}
