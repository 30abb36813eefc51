//! The rules of alerts: relayed, repeated, resolved, acknowledged, reminded of.

use jiff::SignedDuration;

use super::event::AlertEvent;
use super::view::{self, of, pinged_lately, reminder_key, started_since, unheard, waiting};
use super::{Alert, AlertCommand, AlertMark, AlertNotice, AlertReply, REMIND_AFTER_MIN, Signal, ahead, crowd_rules};
use crate::domain::effect::Priority;
use crate::domain::evidence::rules::observe;
use crate::domain::ids::{Destination, UserId};
use crate::domain::key::PostKey;
use crate::domain::mark::Mark;
use crate::domain::prompt::Prompt;
use crate::domain::refusal::Refusal;
use crate::domain::release::{Phase, Release};
use crate::domain::reply::Reply;
use crate::domain::rollback::{self, Cause};
use crate::domain::work::Work;
use crate::domain::{closing, delivery, evidence, minutes};

/// An alert that ended and fires again is believed after this long, or on its next repeat: late and doubled deliveries ping nobody.
const BELIEVED_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// A later start within this long after the end is the same trouble: a source that restarts gives its alerts a new start.
const SAME_TROUBLE: SignedDuration = SignedDuration::from_mins(5);

pub(in crate::domain) fn decide(work: &mut Work<'_>, command: AlertCommand) -> Result<Reply, Refusal> {
    match command {
        AlertCommand::Signal(signal) => {
            relay(work, *signal);
            Ok(Reply::Silent)
        }
        AlertCommand::Elsewhere { id, name, no, firing } => {
            let known = work.release.phase.run().is_some_and(|run| run.elsewhere.iter().any(|e| e.key == id));
            if firing && !known {
                work.record(AlertEvent::Elsewhere { id, name, no });
            } else if !firing && known {
                work.record(AlertEvent::ElsewhereOver { id });
            }
            Ok(Reply::Silent)
        }
        AlertCommand::Report { metric, value } => {
            let metric = observe(work, &metric, &value)?;
            Ok(AlertReply::Observed { metric }.into())
        }
        AlertCommand::Ack { alert } => acknowledge(work, &alert),
    }
}

/// One alert by its key or its name; all that wait where none is named.
fn acknowledge(work: &mut Work<'_>, typed: &str) -> Result<Reply, Refusal> {
    let named = |alert: &&Alert| alert.key == typed || alert.name.eq_ignore_ascii_case(typed);
    let found: Vec<Alert> = match typed {
        "" => unheard(&work.release).cloned().collect(),
        _ => of(&work.release).iter().filter(|alert| !alert.pre_existing).find(named).cloned().into_iter().collect(),
    };
    let crowd = typed.is_empty() && crowd_rules::unheard(&work.release);
    let ahead = typed.is_empty() && work.release.ahead_more.unheard() > 0;
    if found.is_empty() && !crowd && !ahead {
        return Err(Refusal::NothingOpen { what: "alert" });
    }
    if let ([only], false) = (found.as_slice(), crowd || ahead)
        && let Some((by, _)) = &only.acked
    {
        return Err(Refusal::AlreadyDone { what: format!("{}, by {by}", only.name) });
    }
    for alert in found {
        work.record(AlertEvent::Acknowledged { key: alert.key.clone() });
        show(work, &alert.key);
    }
    if crowd {
        work.record(AlertEvent::CrowdAcknowledged);
        crowd_rules::show(work);
    }
    if ahead {
        work.record(AlertEvent::AheadAcknowledged);
    }
    show_reminder(work);
    Ok(AlertReply::Acknowledged.into())
}

fn posting_key(key: &str) -> PostKey {
    PostKey::from(format!("alert/{key}"))
}

/// The alert's message as it stands now, if it has one.
fn show(work: &mut Work<'_>, key: &str) {
    let Some(alert) = of(&work.release).iter().find(|alert| alert.key == key && alert.posted) else { return };
    let prompt = prompt(&work.release, alert);
    work.edit(posting_key(key), AlertNotice::Alert { key: key.to_owned() }, prompt);
}

fn prompt(release: &Release, alert: &Alert) -> Option<Prompt> {
    let asks = alert.acked.is_none() || release.running().is_some() || closing::view::watches_again(release);
    (alert.counts() && asks).then(|| Prompt::Alert { key: alert.key.clone() })
}

/// Every open alert's message as it stands now.
pub(in crate::domain) fn show_all(work: &mut Work<'_>) {
    let open = of(&work.release).iter().filter(|alert| alert.counts());
    open.map(|alert| alert.key.clone()).collect::<Vec<_>>().iter().for_each(|key| show(work, key));
}

/// What a source says of an alert.
fn relay(work: &mut Work<'_>, signal: Signal) {
    if !signal.firing {
        ahead::ended(work, &signal);
    }
    let id = signal.id();
    let known = of(&work.release).iter().rev().find(|alert| alert.id() == id).cloned();
    match (known, signal.firing) {
        (None, _) if work.release.phase.run().is_some_and(|run| run.crowd.knows(&signal)) => {
            crowd_rules::relay(work, &signal)
        }
        (None, true) => fired(work, signal),
        (Some(known), true) if known.is_open() && !started_since(&work.release, &known, &signal) => {
            repeated(work, &known, &signal);
        }
        (Some(known), true) if known.is_open() => {
            work.record(AlertEvent::Resolved { key: known.key });
            fired(work, signal);
        }
        (Some(known), true) if signal.starts_at < known.first => {} // The end of that one is on record.
        (Some(known), true) => {
            let ended = known.resolved_at.unwrap_or(known.last);
            if signal.starts_at > known.first && work.ctx.now > ended + SAME_TROUBLE {
                fired(work, signal);
            } else {
                work.record(AlertEvent::Reopened { key: known.key.clone() });
                show(work, &known.key);
            }
        }
        (Some(known), false) if known.is_open() => resolved(work, &known, &signal),
        (_, false) => {}
    }
}

fn fired(work: &mut Work<'_>, signal: Signal) {
    let planned = work.release.phase.run().is_none();
    if planned {
        return ahead::fired(work, &signal);
    }
    let pre_existing = work.release.phase.run().is_some_and(|run| signal.starts_at < run.go_at);
    if !pre_existing && view::joins(&work.release, &signal, work.ctx.now) {
        return crowd_rules::fired(work, &signal);
    }
    let pings = !pre_existing && !pinged_lately(&work.release, work.ctx.now);
    let key = record_fired(work, &signal, pre_existing, !pre_existing, pings);
    if pre_existing {
        return;
    }
    post(work, &key, if pings { on_call(work) } else { Vec::new() });
    proves(work, &signal);
}

pub(in crate::domain) fn record_fired(
    work: &mut Work<'_>,
    signal: &Signal,
    pre_existing: bool,
    posted: bool,
    pinged: bool,
) -> String {
    let reading = evidence::view::read(&work.release.plan, signal);
    let key = signal.key();
    work.record(AlertEvent::Fired {
        key: key.clone(),
        name: signal.name.clone(),
        summary: signal.summary.clone(),
        severity: signal.severity.clone(),
        metric: reading.metric,
        value: reading.value,
        unread: reading.unread,
        no_data: signal.no_data,
        starts_at: signal.starts_at,
        pre_existing,
        posted,
        pinged,
    });
    key
}

pub(in crate::domain) fn post(work: &mut Work<'_>, key: &str, mention: Vec<UserId>) {
    let prompt = of(&work.release).iter().find(|alert| alert.key == key).and_then(|alert| prompt(&work.release, alert));
    let posting = work.post(posting_key(key), Destination::Release, AlertNotice::Alert { key: key.to_owned() });
    posting.prompt = prompt;
    posting.priority = Priority::Prompt;
    posting.mention = mention;
}

/// What a firing alert means for triggers, and whether its rule asks for a rollback.
pub(in crate::domain) fn proves(work: &mut Work<'_>, signal: &Signal) {
    evidence::rules::of_alert(work, signal);
    if signal.asks_rollback {
        rollback::rules::propose(work, Cause::Alert { name: signal.name.clone() });
    }
}

fn repeated(work: &mut Work<'_>, known: &Alert, signal: &Signal) {
    let reading = evidence::view::read(&work.release.plan, signal);
    let key = known.key.clone();
    work.record(AlertEvent::Repeated { key: key.clone(), value: reading.value, unread: reading.unread });
    if known.again.is_some() {
        returned(work, &key);
    }
    if known.pre_existing || work.release.phase.run().is_none() {
        return;
    }
    show(work, &key);
    proves(work, signal);
}

fn resolved(work: &mut Work<'_>, known: &Alert, signal: &Signal) {
    work.record(AlertEvent::Resolved { key: known.key.clone() });
    // What is over before it reached its channel pings nobody any more.
    delivery::rules::drop_unsent(work, &posting_key(&known.key));
    show(work, &known.key);
    evidence::rules::ended(work, signal);
    show_reminder(work);
}

/// It fires again, and that is believed: on-call is pinged.
fn returned(work: &mut Work<'_>, key: &str) {
    work.record(AlertEvent::Returned { key: key.to_owned() });
    let Some(alert) = of(&work.release).iter().find(|alert| alert.key == key) else { return };
    if alert.pre_existing || work.release.phase.run().is_none() {
        return;
    }
    let (n, mention) = (alert.returns, on_call(work));
    let notice = AlertNotice::Returned { key: key.to_owned() };
    let posting = work.post(posting_key(key).under(format_args!("again/{n}")), Destination::Release, notice);
    posting.prompt = Some(Prompt::Alert { key: key.to_owned() });
    posting.priority = Priority::Prompt;
    posting.mention = mention;
    posting.reply_to = Some(posting_key(key));
}

/// A minute has passed since an alert fired again.
fn believed(work: &mut Work<'_>, key: &str) {
    let alert = of(&work.release).iter().find(|alert| alert.key == key).cloned();
    returned(work, key);
    if let Some(alert) = alert.filter(|alert| alert.counts() && work.release.phase.run().is_some()) {
        evidence::rules::of_open_alert(work, &alert);
        show(work, key);
    }
}

/// On-call, or the owner where nobody is.
pub(in crate::domain) fn on_call(work: &Work<'_>) -> Vec<UserId> {
    let on_call: Vec<UserId> = work.release.plan.on_call_user().into_iter().cloned().collect();
    if on_call.is_empty() { work.owner() } else { on_call }
}

fn remind(work: &mut Work<'_>) {
    work.record(AlertEvent::Reminded);
    let n = work.release.phase.run().map_or(0, |run| run.alert_reminders);
    let Some(key) = reminder_key(&work.release) else { return };
    let first = unheard(&work.release).find(|alert| alert.posted).map(|alert| posting_key(&alert.key));
    // On-call was pinged by the alert itself: the first reminder pings them again, later ones climb.
    let mention = if n == 1 { on_call(work) } else { work.climb(n) };
    let posting = work.post(key, Destination::Release, AlertNotice::Unheard { reminder: n });
    posting.prompt = Some(Prompt::Alerts);
    posting.priority = Priority::Prompt;
    posting.mention = mention;
    posting.reply_to = first;
}

/// The newest reminder once nothing waits any more: answered, without its button.
fn show_reminder(work: &mut Work<'_>) {
    if waiting(&work.release).is_some() {
        return;
    }
    if let Some(key) = reminder_key(&work.release) {
        work.edit(key, AlertNotice::Unheard { reminder: 0 }, None);
        work.record(AlertEvent::AllHeard);
    }
}

/// Does what is due.
pub(in crate::domain) fn fire(work: &mut Work<'_>, mark: &AlertMark) {
    match mark {
        AlertMark::Believed { key } => believed(work, key),
        AlertMark::Reminder => remind(work),
    }
}

pub(in crate::domain) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    if release.ended() {
        return;
    }
    // A trigger that fires at the same instant asks instead of the reminder.
    evidence::rules::marks(release, marks);
    for alert in of(release).iter().filter(|alert| alert.is_open()) {
        if let Some(again) = alert.again {
            let kind = AlertMark::Believed { key: alert.key.clone() };
            marks.push(Mark::new(again + BELIEVED_AFTER, kind));
        }
    }
    // The question whether to roll back reminds for both.
    let asked = release.phase.run().is_some_and(|run| rollback::view::proposed(run).is_some());
    let rolling = matches!(release.phase, Phase::RollingBack { .. });
    if !asked
        && !rolling
        && let Some((since, n)) = waiting(release)
        && let Some(after) = REMIND_AFTER_MIN.get(usize::from(n))
    {
        marks.push(Mark::new(since + minutes(*after), AlertMark::Reminder));
    }
}
