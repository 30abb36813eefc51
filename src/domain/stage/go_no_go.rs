//! The question at T-0. The owner is asked, the escalation path is climbed, and the question shows how it was answered.

use super::{GoAnswer, StageNotice, view};
use crate::domain::effect::Priority;
use crate::domain::ids::Destination;
use crate::domain::lifecycle::{LAST_ASKED, PlanEvent};
use crate::domain::prompt::Prompt;
use crate::domain::work::Work;

/// T-0 is here without go: the owner is asked, then the escalation path climbs.
pub(in crate::domain) fn ask(work: &mut Work<'_>) {
    let (asked, question) = (work.release.countdown.t0_asked, work.release.countdown.go_question.clone());
    work.record(PlanEvent::T0Asked);
    let open = view::gaps_ahead(&work.release, work.ctx.now);
    let mention = work.climb(asked);
    let prompt = (asked < LAST_ASKED).then_some(Prompt::Go);
    let first = question.is_none();
    let key = work.unique("go");
    let posting = work.post(key, Destination::Release, StageNotice::GoNoGo { asked, open });
    posting.mention = mention;
    posting.priority = Priority::Prompt;
    posting.reply_to = question.clone().map(Into::into);
    // A reminder points to the question; the last one asks for something else.
    posting.prompt = prompt.clone().filter(|_| first);
    if let (None, Some(question)) = (prompt, question) {
        answer(work, &question, GoAnswer::TooLate);
    }
}

/// The question for go or no-go shows its answer, and has no buttons any more.
pub(in crate::domain) fn answered(work: &mut Work<'_>, question: Option<String>, how: GoAnswer) {
    if let Some(question) = question {
        answer(work, &question, how);
    }
}

fn answer(work: &mut Work<'_>, question: &str, how: GoAnswer) {
    let by = work.by();
    work.edit(question, StageNotice::GoAnswered { how, by }, None);
}
