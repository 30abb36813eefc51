//! What people, sources and the courier try, by number; and the workspaces they try it in.

use jiff::{SignedDuration, Timestamp};

use super::{PLAN, administrator, person, policy, seen};
use crate::domain::alert::{AlertCommand, Seen, Signal};
use crate::domain::closing::{AllClearCommand, ClosingCommand};
use crate::domain::command::Command;
use crate::domain::concern::ConcernCommand;
use crate::domain::decision::Verdict;
use crate::domain::delivery::{DeliveryCommand, NotPosted, Trouble};
use crate::domain::freeze::{Freeze, FreezeException, Window};
use crate::domain::ids::{Audience, Destination, Place, RoleId, UserId};
use crate::domain::ladder::NoticeCommand;
use crate::domain::lifecycle::{Imported, PlanCommand};
use crate::domain::people::{Actor, Post};
use crate::domain::plan::{PlannedTime, SignoffRole};
use crate::domain::policy::{Policy, Route, SignoffRule};
use crate::domain::rollback::RollbackCommand;
use crate::domain::signoff::SignoffCommand;
use crate::domain::stage::StageCommand;
use crate::plan_doc;

/// Every command a person could try, by number; most are refused most of the time.
pub(super) fn command(n: u8, minute: i64, now: Timestamp) -> (Actor, Command) {
    command_saying(n, minute, now, &|| "because".to_owned())
}

/// The same with other words of theirs.
pub fn command_saying(n: u8, minute: i64, now: Timestamp, reason: &dyn Fn() -> String) -> (Actor, Command) {
    let signal = |firing, value| {
        Command::Alert(AlertCommand::Signal(Box::new(Signal {
            source: "prod".to_owned(),
            fingerprint: if n < 48 { "f".to_owned() } else { format!("g{}", minute % 9) },
            // The same firing within ten minutes.
            starts_at: Timestamp::from_second(now.as_second() / 600 * 600).unwrap(),
            firing,
            name: if reason() == "because" { "ErrorRate".to_owned() } else { reason() },
            summary: if reason() == "because" { String::new() } else { reason() },
            severity: None,
            metric: Some("Error rate".to_owned()),
            value: Seen::Value(seen(value)),
            no_data: false,
            held_s: 0,
            // Of the upper half many come at once.
            group: if n < 48 { 1 } else { 6 },
            asks_rollback: n.is_multiple_of(2),
        })))
    };
    let ana = || person("ana", &["manager", "lead"]);
    let eva = || person("eva", &["sre", "lead"]);
    match n % 48 {
        0 => (ana(), Command::Plan(PlanCommand::Submit)),
        1 => (person("chloe", &["lead"]), Command::Signoff(SignoffCommand::Give(SignoffRole::EngineeringLead))),
        2 => (person("dev", &["product"]), Command::Signoff(SignoffCommand::Give(SignoffRole::ProductOwner))),
        3 => (eva(), Command::Signoff(SignoffCommand::Give(SignoffRole::SreOps))),
        4 => (eva(), Command::Signoff(SignoffCommand::Give(SignoffRole::EngineeringLead))),
        5 => (ana(), Command::Signoff(SignoffCommand::Give(SignoffRole::EngineeringLead))),
        6 => (
            person("dev", &["product"]),
            Command::Signoff(SignoffCommand::Refuse { role: SignoffRole::ProductOwner, reason: reason() }),
        ),
        7 => (person("chloe", &["lead"]), Command::Signoff(SignoffCommand::Withdraw(SignoffRole::EngineeringLead))),
        8 => (
            ana(),
            Command::Closing(ClosingCommand::ItemDone {
                item: "dependencies-deployed-and-stable".to_owned(),
                note: None,
            }),
        ),
        9 => (ana(), Command::Stage(StageCommand::Go { break_glass: (minute % 3 == 0).then(reason) })),
        10 => (ana(), Command::Stage(StageCommand::Hold { reason: reason() })),
        11 => (ana(), Command::Stage(StageCommand::Resume)),
        12 => (ana(), Command::Stage(StageCommand::Advance { reason: Some(reason()) })),
        13 => (
            ana(),
            Command::Update {
                text: Some(reason()),
                values: vec![
                    ("Error Rate".to_owned(), seen(0.5)),
                    ("P99 Latency".to_owned(), seen(210.0)),
                    ("Throughput".to_owned(), seen(1_100.0)),
                ],
            },
        ),
        14 => (
            eva(),
            Command::Decide {
                point: None,
                verdict: [Verdict::Continue, Verdict::Hold][minute as usize % 2],
                reason: Some(reason()),
            },
        ),
        15 => (Actor::Source("prod".to_owned()), signal(true, 3.0)),
        16 => (Actor::Source("prod".to_owned()), signal(false, 3.0)),
        17 => (
            eva(),
            Command::Rollback(RollbackCommand::Decide {
                verdict: [Verdict::Continue, Verdict::Hold, Verdict::RollBack][minute as usize % 3],
                reason: reason(),
            }),
        ),
        18 => (ana(), Command::Rollback(RollbackCommand::Verified { note: (minute % 2 == 0).then(reason) })),
        19 => (ana(), Command::AllClear(AllClearCommand::Give)),
        20 => (ana(), Command::Closing(ClosingCommand::File { link: "https://wiki.example/42".to_owned() })),
        21 => {
            let troubles = [Trouble::Held, Trouble::Blocked, Trouble::Dead, Trouble::Expired];
            let stuck = DeliveryCommand::Stuck {
                key: "g1/T-2h/support".into(),
                found: NotPosted {
                    trouble: troubles[minute.rem_euclid(4) as usize],
                    place: Place::Channel("support".into()),
                    to: Some(Destination::Audience(Audience::support())),
                    said: "T-2h".to_owned(),
                    why: "403 50013 Missing Permissions".to_owned(),
                },
            };
            (Actor::Courier, Command::Delivery(stuck))
        }
        22 => (ana(), Command::Delivery(DeliveryCommand::SendAgain { key: "g1/T-2h/support".into() })),
        23 => (ana(), Command::Delivery(DeliveryCommand::CallSent { key: "g1/T-2h/support".into() })),
        24 => {
            let key = "g1/T-2h/support".into();
            (
                Actor::Courier,
                Command::Delivery(DeliveryCommand::Delivered { key, place: Place::Channel("support".into()), at: now }),
            )
        }
        25 => {
            let back = NoticeCommand::TakeBack { rung: "T-2h/support".to_owned(), generation: 1 };
            (person("gwen", &["support"]), Command::Notice(back))
        }
        26 => {
            let t0 = PlannedTime {
                at: now + SignedDuration::from_mins(minute * 20 - 60),
                zone: "Europe/Berlin".to_owned(),
                typed: "later".to_owned(),
            };
            (ana(), Command::Plan(PlanCommand::Reschedule { t0, reason: reason() }))
        }
        27 => (ana(), Command::Except(FreezeException { freeze: None, reason: reason() })),
        28 => {
            let (from, until) = (now + SignedDuration::from_hours(20), now + SignedDuration::from_hours(40));
            let freeze = Freeze { name: "Fair".to_owned(), window: Window::Fixed { from, until }, reason: None };
            let policy = Box::new(Policy { freezes: vec![freeze], ..policy() });
            (administrator(ana()), Command::Plan(PlanCommand::Repolicy { policy }))
        }
        29 => (ana(), Command::Stage(StageCommand::Undo)),
        30 => {
            let correct =
                NoticeCommand::Correct { rung: "T-2h".to_owned(), text: reason(), retracted: minute % 2 == 1 };
            (ana(), Command::Notice(correct))
        }
        31 => (person("gwen", &["support"]), Command::Notice(NoticeCommand::Brief { rung: None })),
        35 => {
            let (to, reason) = (UserId::from("zoe"), Some(reason()));
            let post = if minute % 2 == 0 { Post::Owner } else { Post::OnCall };
            (ana(), Command::Plan(PlanCommand::HandOver { post, to, reason }))
        }
        36 => (
            person("max", &["manager"]),
            Command::Signoff(SignoffCommand::Record {
                role: [SignoffRole::ProductOwner, SignoffRole::SreOps][minute as usize % 2],
                name: ["Jo", "Dev"][minute as usize / 2 % 2].to_owned(),
                evidence: reason(),
            }),
        ),
        37 => (person("chloe", &["lead"]), Command::Signoff(SignoffCommand::Snooze { minutes: 240 })),
        38 => (
            ana(),
            Command::Closing(ClosingCommand::ItemWaived {
                item: ["dependencies-deployed-and-stable", "T-2h/support"][minute as usize % 2].to_owned(),
                reason: reason(),
            }),
        ),
        39 => (ana(), Command::Plan(PlanCommand::Revise { imported: Box::new(amended(minute)) })),
        40 => (person("ben", &["sre"]), Command::Plan(PlanCommand::Agree { n: None })),
        41 if n >= 48 => (person("ben", &[]), Command::Alert(AlertCommand::Ack { alert: String::new() })),
        42 if n >= 48 => (ana(), Command::AllClear(AllClearCommand::Rewatch)),
        41 => (ana(), Command::Plan(PlanCommand::Agree { n: None })),
        42 => (person("ben", &["sre"]), Command::Plan(PlanCommand::Decline { n: None, reason: reason() })),
        43 => (
            administrator(person("adam", &[])),
            Command::Signoff(SignoffCommand::Give(SignoffRole::ALL[minute as usize % 4])),
        ),
        44 => (person("finn", &["sre"]), Command::Signoff(SignoffCommand::Give(SignoffRole::SreOps))),
        45 => (person("hugo", &[]), Command::Stage(StageCommand::Go { break_glass: None })),
        46 => {
            let rule = SignoffRule {
                name: "two".to_owned(),
                role: SignoffRole::SreOps,
                people: 2,
                kind: None,
                risk: None,
                service: None,
            };
            let rules = if minute % 2 == 0 { vec![rule] } else { vec![] };
            (
                administrator(ana()),
                Command::Plan(PlanCommand::Repolicy { policy: Box::new(Policy { rules, ..policy() }) }),
            )
        }
        47 => {
            (ana(), Command::Signoff(SignoffCommand::Refuse { role: SignoffRole::EngineeringLead, reason: reason() }))
        }
        32 => (ana(), Command::Signoff(SignoffCommand::Remind)),
        33 => (eva(), Command::Concern(ConcernCommand::Raise { text: reason() })),
        34 => (ana(), Command::Concern(ConcernCommand::Resolve { concern: None, how: reason() })),
        _ => (
            person("gwen", &["support"]),
            Command::Notice(NoticeCommand::Receipt { rung: "T-2h/support".to_owned(), generation: 1 }),
        ),
    }
}

/// The plan with other thresholds, and now and then another stage, trigger or interval.
fn amended(minute: i64) -> Imported {
    let mut text = PLAN.replace("< 250ms", &format!("< {}ms", 260 + minute % 7));
    if minute % 2 == 0 {
        text = text.replace("100% of users - 1 hour", &format!("100% of users - {} minutes", 40 + minute % 5));
        text = text.replace("exceeds 2% for 5 minutes", &format!("exceeds {}% for 5 minutes", 3 + minute % 4));
    }
    if minute % 3 == 0 {
        text = text.replace("every: 30 minutes", "every: 15 minutes");
    }
    let reading = plan_doc::read(text.as_bytes(), &plan_doc::Setting::default());
    let mut plan = reading.plan.unwrap();
    plan.owner.as_mut().unwrap().user = Some(UserId::from("ana"));
    plan.on_call.as_mut().unwrap().user = Some(UserId::from("ben"));
    Imported {
        plan,
        digest: reading.digest,
        findings: Vec::new(),
        fixes: 0,
        renamed: std::collections::BTreeMap::new(),
        undone: Vec::new(),
    }
}

/// Workspaces of different strictness.
pub fn policies(n: u8) -> Policy {
    let two = SignoffRule {
        name: "two".to_owned(),
        role: SignoffRole::SreOps,
        people: 2,
        kind: None,
        risk: None,
        service: None,
    };
    match n % 4 {
        0 => policy(),
        1 => Policy { on_behalf: true, signoff_hours: Some(20), ..policy() },
        2 => Policy { administrator_bypass: true, rules: vec![two], ..policy() },
        _ => Policy {
            on_behalf: true,
            administrator_bypass: true,
            break_glass: vec![RoleId::from("sre")],
            audiences: [(
                Audience::support(),
                Route { role: Some(RoleId::from("support")), must_confirm: true, ..Route::default() },
            )]
            .into(),
            ..policy()
        },
    }
}
