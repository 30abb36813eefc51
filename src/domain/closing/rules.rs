//! The rules of post-mortem, actions and checklist items.

use jiff::{SignedDuration, Timestamp};

use super::view::{self, action_reminder, named, open_items, reminder_key, waivable_items};
use super::{
    ActionState, AllClearMark, Closing, ClosingCommand, ClosingEvent, ClosingMark, ClosingNotice, ClosingRefusal,
    ClosingReply, POSTMORTEM_DAYS, Postmortem, Settled,
};
use crate::domain::ids::Destination;
use crate::domain::mark::Mark;
use crate::domain::people::By;
use crate::domain::phase::PhaseName;
use crate::domain::plan::Risk;
use crate::domain::prompt::Prompt;
use crate::domain::refusal::{Refusal, Wanted};
use crate::domain::release::{Phase, Release};
use crate::domain::reply::Reply;
use crate::domain::signoff;
use crate::domain::work::{Work, reason};

/// Characters kept of why something was waived; the journal has all.
const WAIVER: usize = 120;

/// A reminder of the post-mortem that could not be posted for so long is not posted any more.
const REMINDER_USEFUL: SignedDuration = SignedDuration::from_hours(7 * 24);

pub(in crate::domain) fn decide(work: &mut Work<'_>, command: ClosingCommand) -> Result<Reply, Refusal> {
    match command {
        ClosingCommand::Schedule { at } => {
            due_postmortem(work)?;
            if at <= work.ctx.now {
                return Err(Refusal::BadNumber { typed: at.to_string() });
            }
            work.record(ClosingEvent::Scheduled { at });
            let by = work.by();
            work.report("postmortem", Destination::Release, ClosingNotice::PostmortemScheduled { at, by });
            Ok(ClosingReply::PostmortemScheduled { at }.into())
        }
        ClosingCommand::File { link } => {
            // A link that is wrong can be replaced.
            let filed = work.release.phase.closing().map(|closing| &closing.postmortem);
            if !matches!(filed, Some(Postmortem::Filed { .. })) {
                due_postmortem(work)?;
            }
            let link = link_of(&link)?;
            let asked = reminder_key(&work.release);
            work.record(ClosingEvent::Filed { link: link.clone() });
            let notice = ClosingNotice::PostmortemFiled { link, by: work.by() };
            tell_filed(work, asked, notice);
            close_if_settled(work);
            Ok(ClosingReply::PostmortemFiled.into())
        }
        ClosingCommand::WaivePostmortem { reason: why } => {
            due_postmortem(work)?;
            let why = reason(&why)?;
            let asked = reminder_key(&work.release);
            work.record(ClosingEvent::Waived { reason: why.clone() });
            let notice = ClosingNotice::PostmortemWaived { reason: why, by: work.by() };
            tell_filed(work, asked, notice);
            close_if_settled(work);
            Ok(ClosingReply::PostmortemWaived.into())
        }
        ClosingCommand::ItemDone { item, note } => {
            let (id, text) = named(open_items(&work.release), &item)?;
            let note = note.map(|n| n.trim().chars().take(500).collect::<String>()).filter(|n| !n.is_empty());
            work.record(ClosingEvent::ItemDone { item: id, note });
            close_if_settled(work);
            Ok(ClosingReply::ItemDone { text }.into())
        }
        ClosingCommand::ItemWaived { item, reason: why } => {
            let (id, text) = named(waivable_items(&work.release), &item)?;
            // What stands against a High risk release is hard.
            let hard = work.release.plan.risk == Some(Risk::High) && !work.ctx.policy.waive_high;
            if hard && work.release.phase.closing().is_none() {
                return Err(ClosingRefusal::NotWaived.into());
            }
            let why = reason(&why)?;
            work.record(ClosingEvent::ItemWaived { item: id, reason: why });
            close_if_settled(work);
            Ok(ClosingReply::ItemWaived { text }.into())
        }
    }
}

/// A post-mortem as it can be found again: a URL, or a document by its file name.
fn link_of(typed: &str) -> Result<String, Refusal> {
    let link = reason(typed)?;
    let url = ["https://", "http://"].iter().find_map(|scheme| link.strip_prefix(scheme));
    let url = url.is_some_and(|rest| rest.split('/').next().is_some_and(|host| host.contains(char::is_alphanumeric)));
    let document = link.rsplit_once('.').is_some_and(|(name, kind)| {
        let kind_fits = (1..=5).contains(&kind.len()) && kind.chars().all(|c| c.is_ascii_alphanumeric());
        kind_fits && name.contains(char::is_alphanumeric)
    });
    let one_word = !link.contains(char::is_whitespace);
    if (url && one_word) || document { Ok(link) } else { Err(ClosingRefusal::BadLink { typed: link }.into()) }
}

/// In the reminder that asked for it, or as news where nobody was asked yet.
fn tell_filed(work: &mut Work<'_>, asked: Option<String>, notice: ClosingNotice) {
    match asked {
        Some(key) => work.edit(key, notice, None),
        None => drop(work.report("postmortem", Destination::Release, notice)),
    }
}

fn due_postmortem(work: &Work<'_>) -> Result<(), Refusal> {
    match work.release.phase.closing().map(|c| &c.postmortem) {
        Some(Postmortem::Due { .. }) => Ok(()),
        Some(Postmortem::Filed { by, .. } | Postmortem::Waived { by, .. }) => {
            Err(Refusal::AlreadyDone { what: format!("post-mortem, by {by}") })
        }
        Some(Postmortem::NotRequired) => Err(Refusal::NothingOpen { what: "post-mortem" }),
        None => work.wrong_phase(Wanted::Postmortem),
    }
}

/// Nothing is left to chase, and nothing is owed after a break-glass go.
pub(in crate::domain) fn close_if_settled(work: &mut Work<'_>) {
    if matches!(work.release.phase.name(), PhaseName::AllClear | PhaseName::RolledBack)
        && signoff::view::owed(&work.release).is_empty()
        && work.release.phase.closing().is_some_and(Closing::settled)
    {
        work.record(ClosingEvent::Closed);
        work.post("closed", Destination::Release, ClosingNotice::Closed);
    }
}

fn remind_postmortem(work: &mut Work<'_>) {
    work.record(ClosingEvent::PostmortemReminded);
    let reminder = match work.release.phase.closing().map(|c| &c.postmortem) {
        Some(Postmortem::Due { reminders, .. }) => *reminders,
        _ => return,
    };
    // Open actions that are due now share the message.
    let actions = action_reminder(&work.release).is_some_and(|at| at <= work.ctx.now);
    if actions {
        work.record(ClosingEvent::ActionsReminded);
    }
    let open = work.release.phase.closing().map_or(Vec::new(), Closing::open_actions);
    ask_of_overdue(work);
    let (mention, useful_until) = (work.climb(u8::from(reminder > 2)), work.ctx.now + REMINDER_USEFUL);
    let notice = ClosingNotice::PostmortemDue { reminder, open };
    let posting = work.post(format!("postmortem/{reminder}"), Destination::Release, notice);
    posting.mention = mention;
    posting.prompt = Some(Prompt::Postmortem);
    posting.useful_until = Some(useful_until);
}

fn remind_actions(work: &mut Work<'_>) {
    work.record(ClosingEvent::ActionsReminded);
    let Some(closing) = work.release.phase.closing() else {
        return;
    };
    let (n, open) = (closing.action_reminders, closing.open_actions());
    let mention = work.owner();
    work.post(format!("actions/{n}"), Destination::Release, ClosingNotice::ActionsOpen { open }).mention = mention;
}

/// Actions whose time is over are asked for in a message that lists them anyway.
fn ask_of_overdue(work: &mut Work<'_>) {
    let now = work.ctx.now;
    let over = |action: &&ActionState| action.waits() && action.over_at.is_some_and(|at| at <= now);
    let closing = work.release.phase.closing().into_iter().flat_map(|closing| &closing.actions);
    let over: Vec<String> = closing.filter(over).map(|action| action.id.clone()).collect();
    for item in over {
        work.record(ClosingEvent::ActionOver { item });
    }
}

/// An action's time is over: the owner is asked whether it is done. The clock ticks nobody's action.
fn action_over(work: &mut Work<'_>) {
    ask_of_overdue(work);
    let open = work.release.phase.closing().map_or(Vec::new(), |closing| {
        let asked = closing.actions.iter().filter(|a| a.asked && a.settled.is_none());
        asked.map(|action| action.text.clone()).collect()
    });
    let (key, mention) = (work.unique("action-over"), work.owner());
    work.post(key, Destination::Release, ClosingNotice::ActionsOpen { open }).mention = mention;
}

/// Does what is due.
pub(in crate::domain) fn fire(work: &mut Work<'_>, mark: &ClosingMark) {
    match mark {
        ClosingMark::Postmortem => remind_postmortem(work),
        ClosingMark::Actions => remind_actions(work),
        ClosingMark::ActionOver { .. } => action_over(work),
    }
}

pub(in crate::domain) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    if let Some(at) = view::clear_ask(release) {
        marks.push(Mark::new(at, AllClearMark::Ask));
    }
    let (Phase::AllClear { closing, .. } | Phase::RolledBack { closing, .. }) = &release.phase else {
        return;
    };
    let days = |n: i64| closing.since + SignedDuration::from_hours(24 * n);
    if let Postmortem::Due { reminders, .. } = &closing.postmortem
        && let Some(after) = POSTMORTEM_DAYS.get(usize::from(*reminders))
    {
        marks.push(Mark::new(days(*after), ClosingMark::Postmortem));
    }
    if let Some(at) = action_reminder(release) {
        marks.push(Mark::new(at, ClosingMark::Actions));
    }
    for action in closing.actions.iter().filter(|action| action.waits()) {
        if let Some(at) = action.over_at {
            marks.push(Mark::new(at, ClosingMark::ActionOver { action: action.id.clone() }));
        }
    }
}

pub(in crate::domain) fn evolve(release: &mut Release, event: &ClosingEvent, at: Timestamp, by: &By) {
    match event {
        ClosingEvent::AllClear => {
            if let Phase::Live { run } | Phase::Watching { run } = &release.phase {
                let mut closing =
                    Closing::start(&release.plan, run.break_glass.is_some(), !release.issues.is_empty(), at);
                if let Some(before) = &release.closed_before {
                    closing.go_on_from(before);
                }
                release.phase = Phase::AllClear { run: run.clone(), closing };
                release.amendment = None;
            }
            return;
        }
        ClosingEvent::ClearAsked => {
            let question = format!("clear/{}", release.seq);
            if let Some(run) = release.phase.run_mut() {
                run.clear_asked = run.clear_asked.saturating_add(1);
                run.clear_question.get_or_insert(question);
            }
            return;
        }
        ClosingEvent::Rewatched => {
            if let Phase::AllClear { run, closing } = &release.phase {
                let mut run = run.clone();
                run.updates.restart(at);
                (run.watched_from, run.clear_asked, run.clear_question) = (Some(at), 0, None);
                release.closed_before = Some(closing.clone());
                release.phase = Phase::Watching { run };
            }
            return;
        }
        ClosingEvent::Closed => {
            if let Phase::AllClear { run, closing } | Phase::RolledBack { run, closing, .. } = &release.phase {
                release.phase = Phase::Closed { at, run: run.clone(), closing: closing.clone() };
            }
            return;
        }
        ClosingEvent::ItemDone { item, .. } if release.phase.closing().is_none() => {
            release.gates_done.insert(item.clone());
            return;
        }
        ClosingEvent::ItemWaived { item, reason }
            if release.phase.closing().is_none() || item.starts_with("signoff/") =>
        {
            // A receipt that is waived was not given.
            let gate = release.plan.rungs.iter().all(|rung| rung.key() != *item) && !item.starts_with("signoff/");
            if gate {
                release.gates_done.insert(item.clone());
            }
            let reason: String = reason.chars().take(WAIVER).collect();
            release.waived.insert(item.clone(), format!("{by}: “{reason}”"));
            return;
        }
        _ => {}
    }
    let by = by.to_string();
    let Some(closing) = release.phase.closing_mut() else {
        return;
    };
    match event {
        ClosingEvent::Scheduled { at } => {
            if let Postmortem::Due { scheduled, .. } = &mut closing.postmortem {
                *scheduled = Some(*at);
            }
        }
        ClosingEvent::PostmortemReminded => {
            if let Postmortem::Due { reminders, .. } = &mut closing.postmortem {
                *reminders = reminders.saturating_add(1);
            }
        }
        ClosingEvent::Filed { link } => closing.postmortem = Postmortem::Filed { link: link.clone(), by, at },
        ClosingEvent::Waived { reason } => closing.postmortem = Postmortem::Waived { reason: reason.clone(), by, at },
        ClosingEvent::ActionsReminded => closing.action_reminders = closing.action_reminders.saturating_add(1),
        ClosingEvent::ItemDone { item, note } => settle(closing, item, Settled::Done { by, note: note.clone() }),
        ClosingEvent::ItemWaived { item, reason } => {
            settle(closing, item, Settled::Waived { by, reason: reason.clone() });
        }
        ClosingEvent::ActionOver { item } => {
            if let Some(action) = closing.actions.iter_mut().find(|action| action.id == *item) {
                action.asked = true;
            }
        }
        ClosingEvent::AllClear | ClosingEvent::ClearAsked | ClosingEvent::Rewatched | ClosingEvent::Closed => {}
    }
}

fn settle(closing: &mut Closing, id: &str, how: Settled) {
    if let Some(action) = closing.actions.iter_mut().find(|a| a.id == id) {
        action.settled = Some(how);
    }
}
