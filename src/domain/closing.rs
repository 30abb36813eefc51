//! Topic: after it. The all-clear as a claim with proof, the post-mortem chased until filed, the actions, and gate items
//! before go (they share the `item` commands).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::agenda::{Mark, MarkKind};
use super::alert::{self, Judged};
use super::amend;
use super::command::ClosingCommand;
use super::decide::{Work, reason};
use super::decision::PointState;
use super::effect::{Destination, Prompt, Reply};
use super::event::ClosingEvent;
use super::ladder;
use super::minutes;
use super::notice::Notice;
use super::people::By;
use super::plan::{Plan, Risk, t_label};
use super::refusal::{Open, Refusal, Wanted};
use super::release::{Phase, PhaseName, Release};
use super::rollback;
use super::signoff;
use super::stage::stage_count;

/// Days after which a due post-mortem is asked for: +1, +3, +7, then weekly, eight weekly ones at most.
pub const POSTMORTEM_DAYS: [i64; 11] = [1, 3, 7, 14, 21, 28, 35, 42, 49, 56, 63];
/// Days after which open actions are listed.
pub const ACTION_DAYS: [i64; 3] = [1, 3, 7];

/// Characters kept of why something was waived; the journal has all.
const WAIVER: usize = 120;

/// A reminder of the post-mortem that could not be posted for so long is not posted any more (`reliability.md` 5.7).
const REMINDER_USEFUL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The action that a break-glass go opens.
pub const REVIEW: &str = "break-glass-review";

/// What is left to do once the release itself is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    pub since: Timestamp,
    pub postmortem: Postmortem,
    pub actions: Vec<ActionState>,
    pub action_reminders: u8,
}

/// Where the post-mortem stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Postmortem {
    NotRequired,
    Due { reminders: u8, scheduled: Option<Timestamp> },
    Filed { link: String, by: String, at: Timestamp },
    Waived { reason: String, by: String, at: Timestamp },
}

/// A post-release action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionState {
    pub id: String,
    pub text: String,
    /// For an action with a duration: when it is over by itself.
    pub over_at: Option<Timestamp>,
    pub settled: Option<Settled>,
}

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    Done { by: String, note: Option<String> },
    Waived { by: String, reason: String },
}

/// Someone looks at the break-glass go afterwards.
fn review() -> ActionState {
    let text = "Review the break-glass go: was it right, and what would make the next one unneeded".to_owned();
    ActionState { id: REVIEW.to_owned(), text, over_at: None, settled: None }
}

impl Closing {
    /// The chores at the instant of all-clear, or of a verified rollback.
    pub fn start(plan: &Plan, broke_glass: bool, postmortem_due: bool, at: Timestamp) -> Self {
        let action = |a: &super::plan::ActionPlan| ActionState {
            id: a.id.clone(),
            text: a.text.clone(),
            over_at: a.for_min.map(|m| at + minutes(m)),
            settled: None,
        };
        Self {
            since: at,
            postmortem: if postmortem_due {
                Postmortem::Due { reminders: 0, scheduled: None }
            } else {
                Postmortem::NotRequired
            },
            actions: plan.actions.iter().map(action).chain(broke_glass.then(review)).collect(),
            action_reminders: 0,
        }
    }

    /// Nothing is left to chase.
    pub fn settled(&self) -> bool {
        !matches!(self.postmortem, Postmortem::Due { .. }) && self.actions.iter().all(|a| a.settled.is_some())
    }

    fn open_actions(&self) -> Vec<String> {
        self.actions.iter().filter(|a| a.settled.is_none()).map(|a| a.text.clone()).collect()
    }
}

/// What stands against the all-clear.
pub fn all_clear_gaps(release: &Release, now: Timestamp) -> Vec<Open> {
    let Some(run) = release.phase.run() else {
        return Vec::new();
    };
    let mut open = Vec::new();
    if rollback::proposed(run).is_some() {
        open.push(Open::RollbackPrompt);
    }
    let firing = run.alerts.iter().filter(|a| a.resolved_at.is_none() && !a.pre_existing);
    open.extend(firing.map(|a| Open::Alert { name: a.name.clone() }));
    let unanswered = run.points.iter().filter(|p| !matches!(p.state, PointState::Decided { .. }));
    open.extend(unanswered.map(|p| Open::Point { label: t_label(i64::from(p.after_min)) }));
    if matches!(release.phase, Phase::Live { .. }) {
        open.push(Open::StagesLeft { done: run.stage.index, of: stage_count(release) });
    }
    if run.updates.missed_in_row > 1 {
        open.push(Open::UpdateOverdue);
    }
    for metric in &release.plan.metrics {
        match alert::judge(metric, run, now) {
            Judged::Ok => {}
            Judged::NoData => open.push(Open::NoData { metric: metric.name.clone() }),
            Judged::Between | Judged::Breach => {
                let unit = metric.success.as_ref().or(metric.alert.as_ref()).map_or("", |b| b.than.unit.as_str());
                let value = run.observed.get(&metric.name).map_or(f64::NAN, |o| o.value);
                let shown = super::plan::Quantity { value, unit: unit.to_owned() };
                let success = metric.success.as_ref().map_or(String::new(), ToString::to_string);
                open.push(Open::NotHealthy { metric: metric.name.clone(), value: shown.to_string(), success });
            }
        }
    }
    open
}

pub(super) fn decide(work: &mut Work<'_>, command: ClosingCommand) -> Result<Reply, Refusal> {
    match command {
        ClosingCommand::AllClear => all_clear(work),
        ClosingCommand::Schedule { at } => {
            due_postmortem(work)?;
            if at <= work.ctx.now {
                return Err(Refusal::BadNumber { typed: at.to_string() });
            }
            work.record(ClosingEvent::Scheduled { at });
            let (key, by) = (work.unique("postmortem"), work.by());
            work.post(key, Destination::Release, Notice::PostmortemScheduled { at, by });
            Ok(Reply::PostmortemScheduled { at })
        }
        ClosingCommand::File { link } => {
            due_postmortem(work)?;
            let link = reason(&link)?;
            work.record(ClosingEvent::Filed { link: link.clone() });
            let (key, by) = (work.unique("postmortem"), work.by());
            work.post(key, Destination::Release, Notice::PostmortemFiled { link, by });
            close_if_settled(work);
            Ok(Reply::PostmortemFiled)
        }
        ClosingCommand::WaivePostmortem { reason: why } => {
            due_postmortem(work)?;
            let why = reason(&why)?;
            work.record(ClosingEvent::Waived { reason: why.clone() });
            let (key, by) = (work.unique("postmortem"), work.by());
            work.post(key, Destination::Release, Notice::PostmortemWaived { reason: why, by });
            close_if_settled(work);
            Ok(Reply::PostmortemWaived)
        }
        ClosingCommand::ItemDone { item, note } => {
            let (id, text) = named(open_items(&work.release), &item)?;
            let note = note.map(|n| n.trim().chars().take(500).collect::<String>()).filter(|n| !n.is_empty());
            work.record(ClosingEvent::ItemDone { item: id, note });
            close_if_settled(work);
            Ok(Reply::ItemDone { text })
        }
        ClosingCommand::ItemWaived { item, reason: why } => {
            let (id, text) = named(waivable_items(&work.release), &item)?;
            // What stands against a High risk release is hard (`plans.md` 5.1).
            let hard = work.release.plan.risk == Some(Risk::High) && !work.ctx.policy.waive_high;
            if hard && work.release.phase.closing().is_none() {
                return Err(Refusal::NotWaived);
            }
            let why = reason(&why)?;
            work.record(ClosingEvent::ItemWaived { item: id, reason: why });
            close_if_settled(work);
            Ok(Reply::ItemWaived { text })
        }
    }
}

fn all_clear(work: &mut Work<'_>) -> Result<Reply, Refusal> {
    let items = all_clear_gaps(&work.release, work.ctx.now);
    if !items.is_empty() {
        return Err(Refusal::Open { wanted: Wanted::AllClear, items });
    }
    amend::lapse(work);
    work.record(ClosingEvent::AllClear);
    ladder::leave_pages(work);
    let by = work.by();
    work.post("all-clear", Destination::Release, Notice::AllClear { by });
    close_if_settled(work);
    Ok(Reply::AllClear)
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

/// Items that can be ticked now: gates before go, actions after it. The text or the id may be typed.
pub fn open_items(release: &Release) -> Vec<(String, String)> {
    match &release.phase {
        Phase::Draft | Phase::Gathering { .. } | Phase::Approved { .. } | Phase::HeldBefore { .. } => release
            .plan
            .gates
            .iter()
            .filter(|gate| !gate.done && !release.gates_done.contains(&gate.id))
            .map(|gate| (gate.id.clone(), gate.text.clone()))
            .collect(),
        phase => phase.closing().map_or(Vec::new(), |closing| {
            let open = closing.actions.iter().filter(|a| a.settled.is_none());
            open.map(|a| (a.id.clone(), a.text.clone())).collect()
        }),
    }
}

/// Items that can be waived now: those to be ticked, and receipts that go waits for.
pub fn waivable_items(release: &Release) -> Vec<(String, String)> {
    let mut items = open_items(release);
    if release.phase.run().is_none() && !release.ended() {
        items.extend(ladder::owed(release).map(|rung| (rung.key(), rung.key())));
    }
    if release.phase.closing().is_some() && !release.ended() {
        let owed = signoff::owed(release).into_iter();
        items.extend(owed.map(|role| (signoff::item(role), format!("{role} sign-off owed after break-glass"))));
    }
    items
}

fn named(open: Vec<(String, String)>, typed: &str) -> Result<(String, String), Refusal> {
    let wanted = typed.trim().to_lowercase();
    let found =
        open.iter().find(|(id, text)| id.to_lowercase() == wanted || text.to_lowercase() == wanted).or_else(|| {
            let mut hits = open.iter().filter(|(_, text)| !wanted.is_empty() && text.to_lowercase().contains(&wanted));
            hits.next().filter(|_| hits.next().is_none())
        });
    found.cloned().ok_or_else(|| Refusal::UnknownItem {
        typed: typed.to_owned(),
        known: open.into_iter().map(|(_, text)| text).collect(),
    })
}

/// Nothing is left to chase, and nothing is owed after a break-glass go.
pub(super) fn close_if_settled(work: &mut Work<'_>) {
    if matches!(work.release.phase.name(), PhaseName::AllClear | PhaseName::RolledBack)
        && signoff::owed(&work.release).is_empty()
        && work.release.phase.closing().is_some_and(Closing::settled)
    {
        work.record(ClosingEvent::Closed);
        work.post("closed", Destination::Release, Notice::Closed);
    }
}

pub(super) fn remind_postmortem(work: &mut Work<'_>) {
    work.record(ClosingEvent::PostmortemReminded);
    let reminder = match work.release.phase.closing().map(|c| &c.postmortem) {
        Some(Postmortem::Due { reminders, .. }) => *reminders,
        _ => return,
    };
    let (mention, useful_until) = (work.climb(u8::from(reminder > 2)), work.ctx.now + REMINDER_USEFUL);
    let posting = work.post(format!("postmortem/{reminder}"), Destination::Release, Notice::PostmortemDue { reminder });
    posting.mention = mention;
    posting.prompt = Some(Prompt::Postmortem);
    posting.useful_until = Some(useful_until);
}

pub(super) fn remind_actions(work: &mut Work<'_>) {
    work.record(ClosingEvent::ActionsReminded);
    let Some(closing) = work.release.phase.closing() else {
        return;
    };
    let (n, open) = (closing.action_reminders, closing.open_actions());
    let mention = work.owner();
    work.post(format!("actions/{n}"), Destination::Release, Notice::ActionsOpen { open }).mention = mention;
}

pub(super) fn action_over(work: &mut Work<'_>, action: &str) {
    work.record(ClosingEvent::ItemDone { item: action.to_owned(), note: None });
    close_if_settled(work);
}

pub(super) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    let (Phase::AllClear { closing, .. } | Phase::RolledBack { closing, .. }) = &release.phase else {
        return;
    };
    let days = |n: i64| closing.since + SignedDuration::from_hours(24 * n);
    if let Postmortem::Due { reminders, .. } = &closing.postmortem
        && let Some(after) = POSTMORTEM_DAYS.get(usize::from(*reminders))
    {
        marks.push(Mark { at: days(*after), kind: MarkKind::Postmortem { n: *reminders } });
    }
    for action in closing.actions.iter().filter(|a| a.settled.is_none()) {
        if let Some(at) = action.over_at {
            marks.push(Mark { at, kind: MarkKind::ActionDone { action: action.id.clone() } });
        }
    }
    let waiting = closing.actions.iter().any(|a| a.settled.is_none() && a.over_at.is_none());
    if waiting && let Some(after) = ACTION_DAYS.get(usize::from(closing.action_reminders)) {
        marks.push(Mark { at: days(*after), kind: MarkKind::Actions { n: closing.action_reminders } });
    }
}

pub(super) fn evolve(release: &mut Release, event: &ClosingEvent, at: Timestamp, by: &By) {
    match event {
        ClosingEvent::AllClear => {
            if let Phase::Live { run } | Phase::Watching { run } = &release.phase {
                let closing = Closing::start(&release.plan, run.break_glass.is_some(), !release.issues.is_empty(), at);
                release.phase = Phase::AllClear { run: run.clone(), closing };
                release.amendment = None;
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
        ClosingEvent::AllClear | ClosingEvent::Closed => {}
    }
}

fn settle(closing: &mut Closing, id: &str, how: Settled) {
    if let Some(action) = closing.actions.iter_mut().find(|a| a.id == id) {
        action.settled = Some(how);
    }
}
