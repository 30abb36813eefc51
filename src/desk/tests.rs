//! What the writer must keep when it decides in memory and stores at once: every test goes in by the desk's door.

use std::path::Path;

use chat_sandbox::SimClock;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::Nudges;
use crate::clock::Clock;
use crate::delivery::{Capabilities, Repeat};
use crate::desk::door::{Answer, Ask, Desk, DeskFault, Request};
use crate::domain::command::Command;
use crate::domain::concern::ConcernCommand;
use crate::domain::ids::{ChannelId, ReleaseNo, RoleId, UserId, WorkspaceId};
use crate::domain::lifecycle::{Imported, PlanCommand};
use crate::domain::people::{Actor, Person, Standing};
use crate::domain::plan::SignoffRole;
use crate::domain::policy::Policy;
use crate::domain::release::Release;
use crate::sandboxed::PLAN;
use crate::store::{Line, Purpose, Store, verify};

async fn store(folder: &Path) -> Store {
    Store::open(&folder.join("desk.db"), Purpose::Sandbox).await.unwrap()
}

/// A desk whose writer is not at work yet.
fn desk(store: &Store) -> (Desk, mpsc::Receiver<Request>) {
    Desk::new(
        store.clone(),
        Clock::sandbox(SimClock::frozen(1_800_000_000_000)).believed(),
        Capabilities::of_chat(Repeat::LookUpFirst { nonce: None }),
    )
}

fn works(desk: &Desk, requests: mpsc::Receiver<Request>) {
    tokio::spawn(super::run(desk.clone(), requests, Nudges::default()));
}

/// A server that speaks in this channel.
fn speaks_in(server: &str, channel: &str) -> Ask {
    let policy = Policy { release_channel: Some(ChannelId::from(channel)), ..Policy::default() };
    Ask::Configure { server: WorkspaceId::from(server), actor: Actor::File, policy: Box::new(policy) }
}

async fn channel(store: &Store, server: &str) -> Option<String> {
    let workspace = store.read_workspace(&WorkspaceId::from(server)).await.unwrap();
    workspace.policy.release_channel.map(|channel| channel.0)
}

/// Asked before the writer is at work, so that all of it is one batch, in this order.
async fn together(store: &Store, asks: Vec<(&'static str, Ask)>) -> Vec<Result<Answer, DeskFault>> {
    let (desk, requests) = desk(store);
    let mut asked = Vec::new();
    for (id, ask) in asks {
        let desk = desk.clone();
        asked.push(tokio::spawn(async move { desk.ask_once(ask, "chat", id).await }));
        tokio::task::yield_now().await;
    }
    works(&desk, requests);
    let mut answers = Vec::new();
    for one in asked {
        answers.push(one.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn what_came_before_is_left_out_of_a_batch_and_the_rest_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let first = together(&store, vec![("1", speaks_in("a", "one"))]).await;
    assert_eq!(first.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [Answer::Silent]);
    let asks = vec![
        ("2", speaks_in("b", "two")),
        ("1", speaks_in("a", "never")),
        ("3", speaks_in("c", "three")),
        ("3", speaks_in("c", "nor this")),
    ];
    let answers: Vec<Answer> = together(&store, asks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, [Answer::Silent, Answer::Duplicate, Answer::Silent, Answer::Duplicate]);
    for (server, speaks) in [("a", "one"), ("b", "two"), ("c", "three")] {
        assert_eq!(channel(&store, server).await.as_deref(), Some(speaks));
    }
    assert_eq!(verify(&store, None).await.unwrap().unwrap().seq, 3, "one entry each");
}

/// A refusal is told apart from what was done when the same comes twice.
#[tokio::test]
async fn what_is_refused_is_refused_again_and_what_was_done_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let stranger = |channel: &str| match speaks_in("a", channel) {
        Ask::Configure { server, policy, .. } => Ask::Configure { server, actor: Actor::Clock, policy },
        other => other,
    };
    for _ in 0..2 {
        let refused = together(&store, vec![("9", stranger("x"))]).await.remove(0).unwrap();
        assert!(matches!(refused, Answer::Refused { .. }), "{refused:?}");
    }
    assert_eq!(together(&store, vec![("9", speaks_in("a", "one"))]).await.remove(0).unwrap(), Answer::Silent);
    assert_eq!(together(&store, vec![("9", stranger("x"))]).await.remove(0).unwrap(), Answer::Duplicate);
    assert_eq!(channel(&store, "a").await.as_deref(), Some("one"));
}

/// Somebody else writes what the writer keeps in memory: it stores nothing on top of it, forgets, and goes on from what is there.
#[tokio::test]
async fn whoever_writes_beside_the_writer_is_noticed_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let (desk, requests) = desk(&store);
    works(&desk, requests);
    desk.ask(speaks_in("a", "one")).await.unwrap();

    // Its own desk, as another process would have.
    together(&store, vec![("1", speaks_in("a", "theirs"))]).await.remove(0).unwrap();
    let missed = desk.ask(speaks_in("a", "ours")).await;
    assert!(matches!(missed, Err(DeskFault::NotRecorded(_))), "{missed:?}");
    assert_eq!(channel(&store, "a").await.as_deref(), Some("theirs"));
    desk.ask(speaks_in("a", "ours")).await.unwrap();
    assert_eq!(channel(&store, "a").await.as_deref(), Some("ours"));

    // The journal alone.
    let mut txn = store.begin().await.unwrap();
    let head = Store::head(&mut txn).await.unwrap();
    let (server, at) = (WorkspaceId::from("b"), Timestamp::from_second(1_800_000_000).unwrap());
    let line = Line::after(head.as_ref(), &server, None, at, "{}".to_owned());
    Store::append(&mut txn, &[line]).await.unwrap();
    txn.commit().await.unwrap();
    assert!(desk.ask(speaks_in("c", "three")).await.is_err());
    assert_eq!(channel(&store, "c").await, None, "nothing of it is stored");
    desk.ask(speaks_in("c", "three")).await.unwrap();
    assert!(verify(&store, None).await.unwrap().is_ok(), "the chain holds");
}

fn ana() -> Actor {
    let (user, name, roles) = (UserId::from("1"), "Ana".to_owned(), vec![RoleId::from("managers")]);
    Actor::Person(Person { user, name, roles, manages_server: false, standing: Standing::Member })
}

/// A server whose REL-1 gathers sign-offs.
async fn submitted(desk: &Desk) -> Release {
    let server = WorkspaceId::from("a");
    let policy = Policy {
        release_channel: Some(ChannelId::from("one")),
        release_managers: vec![RoleId::from("managers")],
        signers: [SignoffRole::EngineeringLead, SignoffRole::ProductOwner, SignoffRole::SreOps]
            .map(|role| (role, vec![RoleId::from("signers")]))
            .into(),
        ..Policy::default()
    };
    desk.ask(Ask::Configure { server: server.clone(), actor: Actor::File, policy: Box::new(policy) }).await.unwrap();
    let text = PLAN.replace("2026-12-08 14:00", "2027-01-20 14:00");
    let (reading, bytes) = desk.read_plan(&server, text.into()).await.unwrap();
    let (mut plan, digest) = (reading.plan.unwrap(), reading.digest);
    for (n, contact) in plan.contacts_mut().enumerate() {
        contact.user = Some(UserId(format!("10{n}")));
    }
    let imported = Imported { plan, digest, findings: Vec::new(), fixes: 0, renamed: [].into(), undone: Vec::new() };
    let (release, expect, file_name) = (None, None, "plan.md".to_owned());
    let (imported, whose) = (Box::new(imported), server.clone());
    let ask = Ask::Import { server: whose, actor: ana(), release, expect, imported, file_name, bytes };
    let Answer::Done { release, .. } = desk.ask(ask).await.unwrap() else { panic!("not imported") };
    let command = Command::Plan(PlanCommand::Submit);
    let submit = Ask::Command { server, actor: ana(), release: None, command };
    let answer = desk.ask(submit).await.unwrap();
    assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
    desk.store().read_release(release).await.unwrap().unwrap()
}

fn objects(text: &str) -> Ask {
    let command = Command::Concern(ConcernCommand::Raise { text: text.to_owned() });
    Ask::Command { server: WorkspaceId::from("a"), actor: ana(), release: Some(ReleaseNo(1).to_string()), command }
}

/// The same for a release, which is stored in one trip: nothing of such a batch stays, and the connection is good for the next.
#[tokio::test]
async fn a_release_that_somebody_else_changed_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let (desk, requests) = desk(&store);
    works(&desk, requests);
    let id = submitted(&desk).await.id;
    let concerns = async || {
        let release = store.read_release(id).await.unwrap().unwrap();
        release.concerns.into_iter().map(|concern| concern.text).collect::<Vec<_>>()
    };
    together(&store, vec![("1", objects("theirs"))]).await.remove(0).unwrap();
    let missed = desk.ask_once(objects("ours"), "chat", "2").await;
    assert!(matches!(missed, Err(DeskFault::NotRecorded(_))), "{missed:?}");
    assert_eq!(concerns().await, ["theirs"]);
    let again = desk.ask_once(objects("ours"), "chat", "2").await.unwrap();
    assert!(matches!(again, Answer::Done { .. }), "what was not stored did not come before: {again:?}");
    assert_eq!(concerns().await, ["theirs", "ours"]);
    assert_eq!(desk.ask_once(objects("ours"), "chat", "2").await.unwrap(), Answer::Duplicate);
    assert!(verify(&store, None).await.unwrap().is_ok(), "the chain holds");
}
