//! Topic: what the owner owes while the rollout runs: a stage that has soaked, and the promised update. Both share one message, so
//! that nobody is pinged twice for what they can do at once.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::decide::Work;
use super::effect::{Destination, Priority, Prompt};
use super::ids::UserId;
use super::notice::Notice;
use super::release::Run;

/// What comes due this soon after the owner was pinged joins that message.
const JOINS: SignedDuration = SignedDuration::from_mins(10);

/// The message that asks the owner, while it waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Counts such messages within a run.
    pub n: u32,
    pub at: Timestamp,
    /// The present stage has soaked.
    pub soaked: bool,
    /// The promised update is overdue.
    pub update: bool,
    /// How many updates it stands for: those due while the service was away count as one.
    #[serde(default)]
    pub merged: u32,
}

/// How the owner's part was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// A stage step: the next stage, or the end of the rollout.
    Stepped {
        by: String,
    },
    Extended {
        by: String,
        minutes: u32,
        reason: String,
    },
    Updated {
        by: String,
    },
    /// A hold or a rollback makes it moot.
    Moot,
}

fn key(n: u32) -> String {
    format!("owed/{n}")
}

/// Something comes due: the message of a moment ago takes it in, or a new one begins.
pub(super) fn add(run: &mut Run, at: Timestamp, due: impl FnOnce(&mut Owed)) {
    let joins = run.owed.as_ref().is_some_and(|owed| at < owed.at + JOINS);
    if !joins {
        run.owed_count += 1;
        // What an earlier message asked for is asked for by the newest alone.
        let soaked = run.owed.as_ref().is_some_and(|owed| owed.soaked);
        run.owed = Some(Owed { n: run.owed_count, at, soaked, update: false, merged: 0 });
    }
    if let Some(owed) = &mut run.owed {
        due(owed);
    }
}

/// Something is done; a message that asks for nothing any more is over.
pub(super) fn settle(run: &mut Run, done: impl FnOnce(&mut Owed)) {
    let Some(mut owed) = run.owed.take() else { return };
    done(&mut owed);
    run.owed = Some(owed).filter(|owed| owed.soaked || owed.update);
}

/// Says what is owed, after the event that made it so; `before` is what was owed before it.
pub(super) fn ask(work: &mut Work<'_>, before: Option<&Owed>, mention: Vec<UserId>, until: Option<Timestamp>) {
    let Some(owed) = work.release.phase.run().and_then(|run| run.owed.clone()) else { return };
    let notice = Notice::Owed { soaked: owed.soaked, update: owed.update, merged: owed.merged, done: None };
    match before {
        Some(before) if before.n == owed.n => work.edit(key(owed.n), notice, Some(Prompt::Owed { n: owed.n })),
        before => {
            if let Some(before) = before {
                let done = Some(Done::Moot);
                work.edit(
                    key(before.n),
                    Notice::Owed { soaked: before.soaked, update: before.update, merged: 0, done },
                    None,
                );
            }
            let posting = work.post(key(owed.n), Destination::Release, notice);
            posting.prompt = Some(Prompt::Owed { n: owed.n });
            posting.priority = Priority::Update;
            posting.mention = mention;
            posting.useful_until = until;
        }
    }
}

/// What was owed before an event; the message of it shows how it was done after that.
pub(super) fn before(work: &Work<'_>) -> Option<Owed> {
    work.release.phase.run().and_then(|run| run.owed.clone())
}

/// The message shows what was done, and what is still owed. `false` where there was no message.
pub(super) fn show(work: &mut Work<'_>, before: Option<Owed>, done: Done) -> bool {
    let Some(before) = before else { return false };
    let now = work.release.phase.run().and_then(|run| run.owed.clone()).filter(|owed| owed.n == before.n);
    let (soaked, update) = now.as_ref().map_or((false, false), |owed| (owed.soaked, owed.update));
    let prompt = now.map(|owed| Prompt::Owed { n: owed.n });
    work.edit(key(before.n), Notice::Owed { soaked, update, merged: 0, done: Some(done) }, prompt);
    true
}
