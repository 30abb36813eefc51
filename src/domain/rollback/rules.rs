//! The rules of the rollback prompt and of the rollback itself.

use jiff::Timestamp;

use super::view::{proposed, unverified};
use super::{
    Case, CaseState, Cause, REMIND_AFTER_MIN, RollbackCommand, RollbackEvent, RollbackMark, RollbackNotice,
    RollbackReply,
};
use crate::domain::alert::event::AlertEvent;
use crate::domain::closing::{Closing, Issue};
use crate::domain::decision::{self, PointReply, Verdict};
use crate::domain::effect::Priority;
use crate::domain::evidence::{TriggerState, TriggerWatch};
use crate::domain::ids::Destination;
use crate::domain::ladder::{self, Outcome};
use crate::domain::mark::Mark;
use crate::domain::people::By;
use crate::domain::plan::ContingencyWhen;
use crate::domain::prompt::Prompt;
use crate::domain::refusal::{Refusal, Wanted};
use crate::domain::release::{Phase, Release};
use crate::domain::reply::Reply;
use crate::domain::stage::rules::HoldBy;
use crate::domain::stage::{self, Done, StageNotice};
use crate::domain::work::{Work, reason};
use crate::domain::{amend, minutes};

fn key(n: usize) -> String {
    format!("case/{n}")
}

/// Opens one prompt; a further cause joins the open one.
pub(in crate::domain) fn propose(work: &mut Work<'_>, cause: Cause) {
    let Some(run) = work.release.running() else { return };
    if matches!(work.release.phase, Phase::RollingBack { .. }) {
        return;
    }
    if let Some(case) = proposed(run) {
        if case.causes.contains(&cause) {
            return;
        }
        let n = case.n;
        work.record(RollbackEvent::CauseAdded { cause });
        work.edit(key(n), RollbackNotice::Case { n }, Some(Prompt::Case { n }));
        return;
    }
    work.record(RollbackEvent::Proposed { cause });
    let n = work.release.phase.run().map_or(0, |run| run.cases.len());
    let mention = work.crew();
    let posting = work.post(key(n), Destination::Release, RollbackNotice::Case { n });
    posting.prompt = Some(Prompt::Case { n });
    posting.priority = Priority::Prompt;
    posting.mention = mention;
}

/// Starts the rollback; used by the prompt, by a decision point and by the command.
pub(in crate::domain) fn start(work: &mut Work<'_>, cause: Option<Cause>, why: String) -> Result<(), Refusal> {
    let Some(run) = work.release.running() else {
        return work.wrong_phase(Wanted::RollBack);
    };
    if matches!(work.release.phase, Phase::RollingBack { .. }) {
        return work.wrong_phase(Wanted::RollBack);
    }
    let open = proposed(run).map(|case| case.n);
    if open.is_none() {
        let cause = cause.unwrap_or(Cause::Person { name: work.by() });
        work.record(RollbackEvent::Proposed { cause });
    }
    let owed = stage::owed::before(work);
    let (held, held_min) = match &work.release.phase {
        Phase::Held { said, since, .. } => {
            let min = work.ctx.now.duration_since(*since).as_secs() / 60;
            (Some(said.clone()).filter(|said| !said.is_empty()), u32::try_from(min).unwrap_or(0))
        }
        _ => (None, 0),
    };
    work.record(RollbackEvent::Started { reason: why.clone() });
    if let Some(n) = open {
        work.edit(key(n), RollbackNotice::Case { n }, None);
    }
    stage::owed::show(work, owed, Done::Moot);
    decision::rules::moot(work);
    if let Some(hold) = held {
        let by = work.by();
        work.edit(hold, StageNotice::HoldOver { by, held_min }, None);
    }
    let n = work.release.phase.run().map_or(0, |run| run.cases.len());
    let (by, mention) = (work.by(), work.crew());
    let posting = work.post(format!("rollback/{n}"), Destination::Release, RollbackNotice::Started { by, reason: why });
    posting.prompt = Some(Prompt::Rollback { n });
    posting.priority = Priority::Prompt;
    posting.mention = mention;
    Ok(())
}

pub(in crate::domain) fn decide(work: &mut Work<'_>, command: RollbackCommand) -> Result<Reply, Refusal> {
    match command {
        RollbackCommand::Start { reason: why } => {
            let why = reason(&why)?;
            start(work, None, why)?;
            Ok(RollbackReply::Started.into())
        }
        RollbackCommand::Decide { verdict, reason: why } => answer(work, verdict, &why),
        RollbackCommand::Verified { note } => verified(work, note),
        RollbackCommand::Failed { reason: why } => failed(work, &why),
    }
}

fn answer(work: &mut Work<'_>, verdict: Verdict, why: &str) -> Result<Reply, Refusal> {
    let Some(n) = work.release.running().and_then(proposed).map(|case| case.n) else {
        return Err(Refusal::NothingOpen { what: "rollback prompt" });
    };
    let why = reason(why)?;
    if verdict == Verdict::RollBack {
        start(work, None, why)?;
        return Ok(RollbackReply::Started.into());
    }
    work.record(RollbackEvent::Declined { verdict, reason: why.clone() });
    settle_triggers(work);
    work.edit(key(n), RollbackNotice::Case { n }, None);
    if verdict == Verdict::Hold && !matches!(work.release.phase, Phase::Held { .. }) {
        stage::rules::hold(work, why, HoldBy::Answer { key: key(n), case: Some(n) })?;
    }
    Ok(PointReply::Decided { verdict }.into())
}

/// After a decision a trigger counts again only once it recovered and came back.
fn settle_triggers(work: &mut Work<'_>) {
    let firing: Vec<usize> = work.release.phase.run().map_or(Vec::new(), |run| {
        let firing = |(i, t): (usize, &TriggerWatch)| matches!(t.state, TriggerState::Firing { .. }).then_some(i);
        run.triggers.iter().enumerate().filter_map(firing).collect()
    });
    for trigger in firing {
        work.record(AlertEvent::TriggerSettled { trigger });
    }
}

/// It is over. With something open a reason is needed, and the record says that it was not verified.
fn verified(work: &mut Work<'_>, note: Option<String>) -> Result<Reply, Refusal> {
    let Phase::RollingBack { case, .. } = &work.release.phase else {
        return work.wrong_phase(Wanted::RollBack);
    };
    let n = case.n;
    let note = note.map(|text| text.trim().chars().take(500).collect::<String>()).filter(|t| !t.is_empty());
    let open = unverified(&work.release, work.ctx.now);
    if !open.is_empty() && note.is_none() {
        return Err(Refusal::Open { wanted: Wanted::Verify, items: open });
    }
    let verified = open.is_empty();
    amend::rules::lapse(work);
    work.record(RollbackEvent::Verified { note: note.clone(), unverified: !verified });
    ladder::rules::leave_pages(work);
    work.edit(format!("rollback/{n}"), RollbackNotice::Done { by: work.by() }, None);
    let by = work.by();
    let notice = RollbackNotice::RolledBack { by, note, unverified: open };
    work.post(format!("rollback/{n}/verified"), Destination::Release, notice);
    ladder::outcome::tell(work, Outcome::RolledBack);
    Ok(RollbackReply::RolledBack { verified }.into())
}

pub(super) fn failed(work: &mut Work<'_>, why: &str) -> Result<Reply, Refusal> {
    let why = reason(why)?;
    work.record(RollbackEvent::Failed { reason: why.clone() });
    let (key, by, mention) = (work.unique("rollback-failed"), work.by(), work.climb(u8::MAX));
    let posting = work.post(key, Destination::Release, RollbackNotice::Failed { by, reason: why });
    posting.mention = mention;
    posting.priority = Priority::Prompt;
    work.contingency(ContingencyWhen::RollbackFails);
    Ok(RollbackReply::Failed.into())
}

/// An unanswered prompt, or a rollback nobody confirmed.
pub(in crate::domain) fn remind(work: &mut Work<'_>) {
    work.record(RollbackEvent::Reminded);
    let rolling = match &work.release.phase {
        Phase::RollingBack { case, .. } => Some(case.clone()),
        _ => None,
    };
    if let Some(case) = rolling {
        let CaseState::Executing { reminders, .. } = case.state else {
            return;
        };
        let mention = work.climb(reminders);
        let key = format!("rollback/{}/reminder/{reminders}", case.n);
        let posting = work.post(key, Destination::Release, RollbackNotice::Reminder { count: reminders });
        posting.mention = mention;
        posting.reply_to = Some(format!("rollback/{}", case.n).into());
        posting.priority = Priority::Prompt;
        return;
    }
    let Some(case) = work.release.phase.run().and_then(proposed).cloned() else {
        return;
    };
    let CaseState::Proposed { reminders } = case.state else {
        return;
    };
    let n = case.n;
    let mention = work.climb(reminders + 1);
    let (key, question) = (format!("{}/reminder/{reminders}", key(n)), key(n));
    let posting = work.post(key, Destination::Release, RollbackNotice::CaseReminder { n, count: reminders });
    posting.reply_to = Some(question.into());
    posting.priority = Priority::Prompt;
    posting.mention = mention;
}

pub(in crate::domain) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    match &release.phase {
        Phase::RollingBack { case, .. } => {
            if let CaseState::Executing { since, reminders, .. } = &case.state
                && let Some(after) = REMIND_AFTER_MIN.get(usize::from(*reminders))
            {
                marks.push(Mark::new(*since + minutes(*after), RollbackMark::RollbackReminder));
            }
        }
        Phase::Live { run } | Phase::Watching { run } | Phase::Held { run, .. } => {
            if let Some(case) = proposed(run)
                && let CaseState::Proposed { reminders } = case.state
                && let Some(after) = REMIND_AFTER_MIN.get(usize::from(reminders))
            {
                marks.push(Mark::new(case.opened + minutes(*after), RollbackMark::CaseReminder));
            }
        }
        _ => {}
    }
}

pub(in crate::domain) fn evolve(release: &mut Release, event: &RollbackEvent, at: Timestamp, by: &By) {
    match event {
        RollbackEvent::Proposed { .. } => {
            release.issues.insert(Issue::RollbackPrompt);
        }
        RollbackEvent::Started { .. } => {
            release.issues.insert(Issue::Rollback);
        }
        _ => {}
    }
    match (event, &mut release.phase) {
        (
            RollbackEvent::Started { reason },
            Phase::Live { run } | Phase::Watching { run } | Phase::Held { run, .. },
        ) => {
            let mut run = run.clone();
            // That it rolls back is an update by itself.
            run.updates.restart(at);
            run.owed = None;
            if let Some(case) = run.cases.last_mut() {
                let (by, reason) = (by.clone(), reason.clone());
                case.state = CaseState::Executing { since: at, by, reason, reminders: 0, failed: None };
                let case = case.clone();
                release.phase = Phase::RollingBack { run, case };
            }
        }
        (event, Phase::RollingBack { run, case }) => {
            if let CaseState::Executing { by: started_by, reason, reminders, failed, .. } = &mut case.state {
                match event {
                    RollbackEvent::Reminded => *reminders = reminders.saturating_add(1),
                    RollbackEvent::Failed { reason } => *failed = Some(reason.clone()),
                    RollbackEvent::Verified { unverified, .. } => {
                        let unverified = *unverified;
                        let (by, reason) = (started_by.clone(), reason.clone());
                        case.state = CaseState::Verified { at, by, reason, unverified };
                    }
                    _ => {}
                }
            }
            if let Some(last) = run.cases.last_mut() {
                *last = case.clone();
            }
            if matches!(event, RollbackEvent::Verified { .. }) {
                let (run, case) = (run.clone(), case.clone());
                let closing = Closing::start(&release.plan, run.break_glass.is_some(), true, at);
                release.phase = Phase::RolledBack { run, case, closing };
                release.amendment = None;
            }
        }
        (event, phase) => {
            let Some(run) = phase.run_mut() else { return };
            match event {
                RollbackEvent::Proposed { cause } => {
                    let n = run.cases.len() + 1;
                    let state = CaseState::Proposed { reminders: 0 };
                    run.cases.push(Case { n, opened: at, causes: vec![cause.clone()], state });
                }
                RollbackEvent::CauseAdded { cause } => {
                    if let Some(case) = run.cases.last_mut() {
                        case.causes.push(cause.clone());
                    }
                }
                RollbackEvent::Reminded => {
                    if let Some(Case { state: CaseState::Proposed { reminders }, .. }) = run.cases.last_mut() {
                        *reminders = reminders.saturating_add(1);
                    }
                }
                RollbackEvent::Declined { verdict, reason } => {
                    if let Some(case) = run.cases.last_mut() {
                        let (by, reason) = (by.clone(), reason.clone());
                        case.state = CaseState::Declined { at, by, verdict: *verdict, reason };
                    }
                }
                RollbackEvent::Started { .. } | RollbackEvent::Failed { .. } | RollbackEvent::Verified { .. } => {}
            }
        }
    }
}
