//! What the owner owes while the rollout runs: a stage that has soaked, and the promised update. Both share one message, so
//! that nobody is pinged twice for what they can do at once.

use jiff::{SignedDuration, Timestamp};

use super::{Done, Owed, StageNotice};
use crate::domain::effect::Priority;
use crate::domain::ids::{Destination, UserId};
use crate::domain::prompt::Prompt;
use crate::domain::release::Run;
use crate::domain::work::Work;

/// What comes due this soon after the owner was pinged joins that message.
const JOINS: SignedDuration = SignedDuration::from_mins(10);

fn key(n: u32) -> String {
    format!("owed/{n}")
}

/// Something comes due: the message of a moment ago takes it in, or a new one begins.
pub(in crate::domain) fn add(run: &mut Run, at: Timestamp, due: impl FnOnce(&mut Owed)) {
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
pub(in crate::domain) fn settle(run: &mut Run, done: impl FnOnce(&mut Owed)) {
    let Some(mut owed) = run.owed.take() else { return };
    done(&mut owed);
    run.owed = Some(owed).filter(|owed| owed.soaked || owed.update);
}

/// Says what is owed, after the event that made it so; `before` is what was owed before it.
pub(in crate::domain) fn ask(
    work: &mut Work<'_>,
    before: Option<&Owed>,
    mention: Vec<UserId>,
    until: Option<Timestamp>,
) {
    let Some(owed) = work.release.phase.run().and_then(|run| run.owed.clone()) else { return };
    let notice = StageNotice::Owed { soaked: owed.soaked, update: owed.update, merged: owed.merged, done: None };
    match before {
        Some(before) if before.n == owed.n => work.edit(key(owed.n), notice, Some(Prompt::Owed { n: owed.n })),
        before => {
            if let Some(before) = before {
                let done = Some(Done::Moot);
                work.edit(
                    key(before.n),
                    StageNotice::Owed { soaked: before.soaked, update: before.update, merged: 0, done },
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
pub(in crate::domain) fn before(work: &Work<'_>) -> Option<Owed> {
    work.release.phase.run().and_then(|run| run.owed.clone())
}

/// The message shows what was done, and what is still owed. `false` where there was no message.
pub(in crate::domain) fn show(work: &mut Work<'_>, before: Option<Owed>, done: Done) -> bool {
    let Some(before) = before else { return false };
    let now = work.release.phase.run().and_then(|run| run.owed.clone()).filter(|owed| owed.n == before.n);
    let (soaked, update) = now.as_ref().map_or((false, false), |owed| (owed.soaked, owed.update));
    let prompt = now.map(|owed| Prompt::Owed { n: owed.n });
    work.edit(key(before.n), StageNotice::Owed { soaked, update, merged: 0, done: Some(done) }, prompt);
    true
}
