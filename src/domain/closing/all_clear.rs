//! The all-clear: the question for it, its answer, and a release that is watched again after it.

use super::view::all_clear_gaps;
use super::{AllClearCommand, ClosingEvent, ClosingNotice, ClosingReply, rules};
use crate::domain::effect::Priority;
use crate::domain::ids::Destination;
use crate::domain::ladder::{self, Outcome};
use crate::domain::prompt::Prompt;
use crate::domain::refusal::{Refusal, Wanted};
use crate::domain::reply::Reply;
use crate::domain::work::Work;
use crate::domain::{alert, amend};

pub(in crate::domain) fn decide(work: &mut Work<'_>, command: AllClearCommand) -> Result<Reply, Refusal> {
    match command {
        AllClearCommand::Give => give(work),
        AllClearCommand::Rewatch => rewatch(work),
    }
}

fn give(work: &mut Work<'_>) -> Result<Reply, Refusal> {
    let items = all_clear_gaps(&work.release, work.ctx.now);
    if !items.is_empty() {
        return Err(Refusal::Open { wanted: Wanted::AllClear, items });
    }
    amend::rules::lapse(work);
    let question = work.release.phase.run().and_then(|run| run.clear_question.clone());
    work.record(ClosingEvent::AllClear);
    if let Some(question) = question {
        let by = work.by();
        work.edit(question, ClosingNotice::ClearGiven { by }, None);
    }
    ladder::rules::leave_pages(work);
    let by = work.by();
    let key = work.unique("all-clear");
    work.post(key, Destination::Release, ClosingNotice::AllClear { by });
    ladder::outcome::tell(work, Outcome::AllClear);
    rules::close_if_settled(work);
    Ok(ClosingReply::AllClear.into())
}

/// The all-clear was given too soon: the release is watched again.
fn rewatch(work: &mut Work<'_>) -> Result<Reply, Refusal> {
    work.record(ClosingEvent::Rewatched);
    let (key, by, mention) = (work.unique("rewatched"), work.by(), work.crew());
    work.post(key, Destination::Release, ClosingNotice::Rewatched { by }).mention = mention;
    alert::rules::show_all(work);
    ladder::outcome::tell(work, Outcome::Rewatched);
    Ok(ClosingReply::Rewatched.into())
}

/// Everything is decided: the owner is asked for the all-clear, and updates without news end.
pub(in crate::domain) fn ask_clear(work: &mut Work<'_>) {
    let question = work.release.phase.run().and_then(|run| run.clear_question.clone());
    work.record(ClosingEvent::ClearAsked);
    let asked = work.release.phase.run().map_or(0, |run| run.clear_asked);
    let (key, open, first) = (work.unique("clear"), all_clear_gaps(&work.release, work.ctx.now), question.is_none());
    // It climbs once, and not for ever.
    let mention = work.climb(u8::from(asked > 3));
    let posting = work.post(key, Destination::Release, ClosingNotice::ClearAsk { asked, open });
    posting.mention = mention;
    posting.priority = Priority::Prompt;
    posting.prompt = first.then_some(Prompt::AllClear);
    posting.reply_to = question.map(Into::into);
}
