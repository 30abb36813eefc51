//! Who may do what in which state, as a table a person has read.

use jiff::SignedDuration;

use super::{PLAN, administrator, begin, draft, person, policy};
use crate::domain::closing::ClosingCommand;
use crate::domain::command::Command;
use crate::domain::decide::decide;
use crate::domain::ids::{Audience, RoleId, UserId};
use crate::domain::lifecycle::PlanCommand;
use crate::domain::may::may;
use crate::domain::people::{Actor, Person, Post, Standing};
use crate::domain::phase::PhaseName;
use crate::domain::plan::{ReleaseType, SignoffRole};
use crate::domain::policy::Policy;
use crate::domain::release::{Phase, Release};
use crate::domain::rights::Action;
use crate::domain::rollback::RollbackCommand;
use crate::domain::signoff::SignoffCommand;
use crate::domain::stage::StageCommand;
use crate::domain::work::Context;

/// A release in every state `may` tells apart, by name.
fn states() -> Vec<(&'static str, Release)> {
    let policy = policy();
    let step = |release: &Release, minute: i64, who: &Actor, command: Command| -> Release {
        let now = begin() + SignedDuration::from_mins(minute);
        let ctx = Context { now, actor: who, policy: &policy, others: &[] };
        let shown = format!("{command:?}");
        let done = decide(release, command, ctx).unwrap_or_else(|refusal| panic!("{shown}: {refusal:?}"));
        done.release
    };
    let (ana, reason) = (person("ana", &["manager", "lead"]), || "because".to_owned());
    let stage = |command| Command::Stage(command);
    let draft = draft(PLAN).0;
    let mut gathering = step(&draft, 0, &ana, Command::Plan(PlanCommand::Submit));
    let item =
        Command::Closing(ClosingCommand::ItemDone { item: "dependencies-deployed-and-stable".to_owned(), note: None });
    gathering = step(&gathering, 1, &ana, item);
    let mut approved = gathering.clone();
    for (who, role) in
        [("chloe", SignoffRole::EngineeringLead), ("dev", SignoffRole::ProductOwner), ("eva", SignoffRole::SreOps)]
    {
        let slot = match role {
            SignoffRole::EngineeringLead => "lead",
            SignoffRole::ProductOwner => "product",
            _ => "sre",
        };
        approved = step(&approved, 2, &person(who, &[slot]), Command::Signoff(SignoffCommand::Give(role)));
    }
    let held_before = step(&approved, 3, &ana, stage(StageCommand::Hold { reason: reason() }));
    let go = 25 * 60;
    let live = step(&approved, go, &ana, stage(StageCommand::Go { break_glass: None }));
    let mut emergency = gathering.clone();
    emergency.plan.kind = Some(ReleaseType::Emergency);
    let broken = step(&emergency, go, &ana, stage(StageCommand::Go { break_glass: Some(reason()) }));
    let held = step(&live, go + 1, &ana, stage(StageCommand::Hold { reason: reason() }));
    let mut watching = live.clone();
    while watching.phase.name() == PhaseName::Live {
        watching = step(&watching, go + 2, &ana, stage(StageCommand::Advance { reason: Some(reason()) }));
    }
    let rolling = step(&live, go + 3, &ana, Command::Rollback(RollbackCommand::Start { reason: reason() }));
    let rolled = step(&rolling, go + 4, &ana, Command::Rollback(RollbackCommand::Verified { note: Some(reason()) }));
    let scrubbed = step(&approved, 4, &ana, Command::Plan(PlanCommand::Scrub { reason: reason() }));
    let mut closing = rolled.clone();
    let (run, after) = match &rolled.phase {
        Phase::RolledBack { run, closing, .. } => (run.clone(), closing.clone()),
        phase => panic!("{phase:?}"),
    };
    closing.phase = Phase::AllClear { run: run.clone(), closing: after.clone() };
    let mut closed = rolled.clone();
    closed.phase = Phase::Closed { at: begin(), run, closing: after };
    vec![
        ("draft", draft),
        ("gathering", gathering),
        ("approved", approved),
        ("held before T-0", held_before),
        ("live", live),
        ("live by break-glass", broken),
        ("held", held),
        ("watching", watching),
        ("rolling back", rolling),
        ("rolled back", rolled),
        ("all-clear", closing),
        ("closed", closed),
        ("scrubbed", scrubbed),
    ]
}

/// Who may do what in which state: every actor, every action, every state. What is not listed is denied.
#[test]
fn the_matrix_of_rights_is_what_a_person_has_read() {
    let standing = |standing, actor: Actor| match actor {
        Actor::Person(person) => Actor::Person(Person { standing, ..person }),
        actor => actor,
    };
    let all = ["manager", "lead", "product", "sre", "security", "support"];
    let actors = [
        ("member", person("zoe", &[])),
        ("owner", person("ana", &[])),
        ("on-call", person("ben", &[])),
        ("author", person("mia", &[])),
        ("manager", person("max", &["manager"])),
        ("engineering", person("chloe", &["lead"])),
        ("product", person("dev", &["product"])),
        ("SRE", person("eva", &["sre"])),
        ("security", person("sam", &["security"])),
        ("support", person("sue", &["support"])),
        ("owner with every role", person("ana", &all)),
        ("administrator", administrator(person("adam", &[]))),
        ("administrator outside", standing(Standing::Outside, administrator(person("adam", &all)))),
        ("timed out, every role", standing(Standing::TimedOut, person("tim", &all))),
        ("bot, every role", standing(Standing::Bot, person("bot", &all))),
        ("clock", Actor::Clock),
        ("courier", Actor::Courier),
        ("file", Actor::File),
        ("webhook", Actor::Source("prod".to_owned())),
    ];
    let actions = [
        Action::Setup,
        Action::Train,
        Action::Import,
        Action::Depart,
        Action::Repolicy,
        Action::Revise,
        Action::Amend,
        Action::Agree,
        Action::Name,
        Action::HandOver(Post::Owner),
        Action::HandOver(Post::OnCall),
        Action::Submit,
        Action::Reschedule,
        Action::Scrub,
        Action::Sign(SignoffRole::EngineeringLead),
        Action::Sign(SignoffRole::ProductOwner),
        Action::Sign(SignoffRole::SreOps),
        Action::Sign(SignoffRole::Security),
        Action::SignFor(SignoffRole::SreOps),
        Action::Withdraw(SignoffRole::SreOps),
        Action::Snooze,
        Action::Receive(Audience::support()),
        Action::Receive(Audience::engineering()),
        Action::Correct,
        Action::Deliver,
        Action::Redeliver,
        Action::Go,
        Action::BreakGlass,
        Action::Stage,
        Action::Undo,
        Action::Hold,
        Action::Resume,
        Action::Update,
        Action::Decide,
        Action::Answer,
        Action::RollBack,
        Action::Verify,
        Action::Signal,
        Action::Report,
        Action::Acknowledge,
        Action::Item,
        Action::Waive,
        Action::AllClear,
        Action::Rewatch,
        Action::Postmortem,
        Action::Object,
        Action::Settle(UserId::from("eva")),
        Action::Except,
        Action::Tick,
        Action::Examine,
        Action::Read,
    ];
    let usual = matrix(&policy(), &actors, &actions);
    assert!(usual.len() <= 600, "{}", usual.len());
    insta::assert_snapshot!("rights", usual.join("\n"));
    // With every switch on, and somebody trusted with break-glass: what differs.
    let every = Policy {
        administrator_bypass: true,
        on_behalf: true,
        self_approval: true,
        break_glass: vec![RoleId::from("support")],
        ..policy()
    };
    let differs = |policy: &Policy| -> Vec<String> {
        matrix(policy, &actors, &actions).into_iter().filter(|row| !usual.contains(row)).collect()
    };
    insta::assert_snapshot!("rights_with_every_switch", differs(&every).join("\n"));
    // The bypass alone lets nobody record a sign-off for others.
    let bypass = Policy { administrator_bypass: true, ..policy() };
    assert!(differs(&bypass).iter().all(|row| !row.starts_with("SignFor")), "{:#?}", differs(&bypass));
}

/// Who may take each action in each state, a line for the states in which the same people may.
fn matrix(policy: &Policy, actors: &[(&str, Actor)], actions: &[Action]) -> Vec<String> {
    let mut lines = Vec::new();
    for action in actions {
        let mut row = |state: &str, release: Option<&Release>| {
            let allowed = |(_, actor): &&(&str, Actor)| may(actor, action, policy, release).is_ok();
            let who: Vec<&str> = actors.iter().filter(allowed).map(|(name, _)| *name).collect();
            if !who.is_empty() {
                lines.push((format!("{action:?}"), state.to_owned(), who.join(", ")));
            }
        };
        row("no release", None);
        for (state, mut release) in states() {
            release.author = UserId::from("mia");
            row(state, Some(&release));
        }
    }
    let mut shown: Vec<(String, Vec<String>, String)> = Vec::new();
    for (action, state, who) in lines {
        match shown.iter_mut().find(|(a, _, w)| *a == action && *w == who) {
            Some((_, states, _)) => states.push(state),
            None => shown.push((action, vec![state], who)),
        }
    }
    shown.iter().map(|(action, states, who)| format!("{action} | {} | {who}", states.join(", "))).collect()
}

/// An unmapped role means nobody, whatever roles a person has.
#[test]
fn nobody_may_by_a_role_that_is_not_mapped() {
    let bare = Policy::default();
    let all = person("max", &["manager", "lead", "product", "sre", "security", "support", ""]);
    for (_, release) in states() {
        for action in [
            Action::Import,
            Action::Train,
            Action::Go,
            Action::Hold,
            Action::RollBack,
            Action::Sign(SignoffRole::Security),
            Action::SignFor(SignoffRole::Security),
            Action::Receive(Audience::support()),
            Action::Except,
            Action::Object,
            Action::Settle(UserId::from("eva")),
            Action::HandOver(Post::Owner),
            Action::HandOver(Post::OnCall),
            Action::BreakGlass,
            Action::Waive,
            Action::Amend,
            Action::Snooze,
        ] {
            assert!(may(&all, &action, &bare, Some(&release)).is_err(), "{action:?}");
        }
    }
}
