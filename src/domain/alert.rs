//! Topic: alerts. An alert is relayed on change of state only; "resolved" ends the paging, never means healthy. What an alert proves
//! is `evidence`'s; alerts beyond what people can read are `crowd`'s.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::agenda::{Mark, MarkKind};
use super::ahead;
use super::all_clear;
use super::command::{AlertCommand, Signal};
use super::crowd;
use super::decide::Work;
use super::effect::{Destination, Priority, Prompt, Reply};
use super::event::AlertEvent;
use super::evidence::{self, observe};
use super::ids::{ReleaseNo, UserId};
use super::notice::Notice;
use super::people::By;
use super::refusal::Refusal;
use super::release::{Issue, Phase, Release, Run};
use super::rollback::{self, Cause};
use super::schedule;
use super::{key::PostKey, minutes};

/// Alerts with all their words that a release keeps; beyond it the oldest that ended goes.
pub const MAX_ALERTS: usize = 20;

/// After these minutes an alert nobody acknowledged reminds, and climbs the escalation path; no further reminder after the last.
pub const REMIND_AFTER_MIN: [u32; 6] = [5, 15, 30, 60, 120, 240];

/// An alert that ended and fires again is believed after this long, or on its next repeat: late and doubled deliveries ping nobody.
const BELIEVED_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// A later start within this long after the end is the same trouble: a source that restarts gives its alerts a new start.
const SAME_TROUBLE: SignedDuration = SignedDuration::from_mins(5);

/// Within this long after a ping the next alert pings nobody: on-call is here already.
const PINGED: SignedDuration = SignedDuration::from_secs(60);

/// An alert as relayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub key: String,
    pub name: String,
    pub summary: String,
    pub severity: Option<String>,
    pub metric: Option<String>,
    /// The last readable value while firing; a resolved body repeats it, so it is never read as a recovery.
    pub value: Option<f64>,
    /// The value as the source wrote it, where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// It says that data is missing, not that a limit is passed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_data: bool,
    pub first: Timestamp,
    pub last: Timestamp,
    /// When this release heard of it.
    #[serde(default = "never")]
    pub heard: Timestamp,
    pub count: u32,
    pub resolved_at: Option<Timestamp>,
    /// It fires again since then, and nobody was pinged for that yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Timestamp>,
    /// How often it fired again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub returns: u32,
    pub acked: Option<(String, Timestamp)>,
    /// Was firing before T-0: shown, set aside.
    pub pre_existing: bool,
    /// It has a message of its own.
    #[serde(default = "yes")]
    pub posted: bool,
    /// Its message pinged somebody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinged: bool,
}

fn never() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn yes() -> bool {
    true
}

pub(super) fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Alert {
    /// It fires, as far as anybody knows.
    pub fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// It fires, and concerns this run.
    pub fn counts(&self) -> bool {
        self.is_open() && !self.pre_existing
    }

    /// Its identity at its source, whenever it started.
    fn id(&self) -> &str {
        self.key.rsplit_once('/').map_or(self.key.as_str(), |(id, _)| id)
    }
}

/// An alert that a newer release of the service has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    pub key: String,
    pub name: String,
    pub no: ReleaseNo,
}

/// The release's alerts: those of its run, or before go those that stand against it.
pub fn of(release: &Release) -> &[Alert] {
    release.phase.run().map_or(&release.ahead, |run| &run.alerts)
}

/// Whether the release has this alert open, whenever it started.
pub fn has_open(release: &Release, id: &str) -> bool {
    let own = of(release).iter().any(|alert| alert.is_open() && alert.id() == id);
    let more = release.ahead_more.is_open(id);
    own || more
        || release.phase.run().is_some_and(|run| run.crowd.is_open(id) || run.elsewhere.iter().any(|e| e.key == id))
}

/// Open alerts that nobody has acknowledged.
pub fn unheard(release: &Release) -> impl Iterator<Item = &Alert> {
    of(release).iter().filter(|alert| alert.counts() && alert.acked.is_none())
}

/// How many alerts of the run are open, those without a message of their own among them.
pub fn open_count(run: &Run) -> usize {
    run.alerts.iter().filter(|alert| alert.counts()).count() + run.crowd.open_count()
}

pub(super) fn decide(work: &mut Work<'_>, command: AlertCommand) -> Result<Reply, Refusal> {
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
            Ok(Reply::Observed { metric })
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
    let crowd = typed.is_empty() && crowd::unheard(&work.release);
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
        crowd::show(work);
    }
    if ahead {
        work.record(AlertEvent::AheadAcknowledged);
    }
    show_reminder(work);
    Ok(Reply::Acknowledged)
}

fn posting_key(key: &str) -> PostKey {
    PostKey::from(format!("alert/{key}"))
}

/// The alert's message as it stands now, if it has one.
fn show(work: &mut Work<'_>, key: &str) {
    let Some(alert) = of(&work.release).iter().find(|alert| alert.key == key && alert.posted) else { return };
    let prompt = prompt(&work.release, alert);
    work.edit(posting_key(key), Notice::Alert { key: key.to_owned() }, prompt);
}

fn prompt(release: &Release, alert: &Alert) -> Option<Prompt> {
    let asks = alert.acked.is_none() || release.running().is_some() || all_clear::watches_again(release);
    (alert.counts() && asks).then(|| Prompt::Alert { key: alert.key.clone() })
}

/// Every open alert's message as it stands now.
pub(super) fn show_all(work: &mut Work<'_>) {
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
            crowd::relay(work, &signal)
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

/// Whether an alert that was set aside at go has started again since: its end was not heard of.
fn started_since(release: &Release, known: &Alert, signal: &Signal) -> bool {
    known.pre_existing && release.phase.run().is_some_and(|run| signal.starts_at >= run.go_at)
}

fn fired(work: &mut Work<'_>, signal: Signal) {
    let planned = work.release.phase.run().is_none();
    if planned {
        return ahead::fired(work, &signal);
    }
    let pre_existing = work.release.phase.run().is_some_and(|run| signal.starts_at < run.go_at);
    if !pre_existing && crowd::joins(&work.release, &signal, work.ctx.now) {
        return crowd::fired(work, &signal);
    }
    let pings = !pre_existing && !pinged_lately(&work.release, work.ctx.now);
    let key = record_fired(work, &signal, pre_existing, !pre_existing, pings);
    if pre_existing {
        return;
    }
    post(work, &key, if pings { on_call(work) } else { Vec::new() });
    proves(work, &signal);
}

pub(super) fn record_fired(
    work: &mut Work<'_>,
    signal: &Signal,
    pre_existing: bool,
    posted: bool,
    pinged: bool,
) -> String {
    let reading = evidence::read(&work.release.plan, signal);
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

pub(super) fn post(work: &mut Work<'_>, key: &str, mention: Vec<UserId>) {
    let prompt = of(&work.release).iter().find(|alert| alert.key == key).and_then(|alert| prompt(&work.release, alert));
    let posting = work.post(posting_key(key), Destination::Release, Notice::Alert { key: key.to_owned() });
    posting.prompt = prompt;
    posting.priority = Priority::Prompt;
    posting.mention = mention;
}

/// What a firing alert means for triggers, and whether its rule asks for a rollback.
pub(super) fn proves(work: &mut Work<'_>, signal: &Signal) {
    evidence::of_alert(work, signal);
    if signal.asks_rollback {
        rollback::propose(work, Cause::Alert { name: signal.name.clone() });
    }
}

fn repeated(work: &mut Work<'_>, known: &Alert, signal: &Signal) {
    let reading = evidence::read(&work.release.plan, signal);
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
    schedule::drop_unsent(work, &posting_key(&known.key));
    show(work, &known.key);
    evidence::ended(work, signal);
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
    let notice = Notice::AlertReturned { key: key.to_owned() };
    let posting = work.post(posting_key(key).under(format_args!("again/{n}")), Destination::Release, notice);
    posting.prompt = Some(Prompt::Alert { key: key.to_owned() });
    posting.priority = Priority::Prompt;
    posting.mention = mention;
    posting.reply_to = Some(posting_key(key));
}

/// A minute has passed since an alert fired again.
pub(super) fn believed(work: &mut Work<'_>, key: &str) {
    let alert = of(&work.release).iter().find(|alert| alert.key == key).cloned();
    returned(work, key);
    if let Some(alert) = alert.filter(|alert| alert.counts() && work.release.phase.run().is_some()) {
        evidence::of_open_alert(work, &alert);
        show(work, key);
    }
}

/// On-call, or the owner where nobody is.
pub(super) fn on_call(work: &Work<'_>) -> Vec<UserId> {
    let on_call: Vec<UserId> = work.release.plan.on_call_user().into_iter().cloned().collect();
    if on_call.is_empty() { work.owner() } else { on_call }
}

/// Whether an alert pinged somebody just now.
pub(super) fn pinged_lately(release: &Release, now: Timestamp) -> bool {
    let lately = |at: Timestamp| now < at + PINGED;
    let crowd = release.phase.run().and_then(|run| run.crowd.pinged);
    of(release).iter().any(|alert| alert.pinged && lately(alert.heard)) || crowd.is_some_and(lately)
}

/// Alerts nobody has acknowledged: since when, and how often that was said.
fn waiting(release: &Release) -> Option<(Timestamp, u8)> {
    let run = release.phase.run()?;
    let posted = unheard(release).filter(|alert| alert.posted && alert.again.is_none()).map(|alert| alert.heard);
    let since = posted.chain(run.crowd.waits_since()).min()?;
    Some((since, run.alert_reminders))
}

fn reminder_key(release: &Release) -> Option<String> {
    let run = release.phase.run()?;
    (run.alert_reminders > 0).then(|| format!("alerts-unheard/{}/{}", run.alert_rounds, run.alert_reminders))
}

pub(super) fn remind(work: &mut Work<'_>) {
    work.record(AlertEvent::Reminded);
    let n = work.release.phase.run().map_or(0, |run| run.alert_reminders);
    let Some(key) = reminder_key(&work.release) else { return };
    let first = unheard(&work.release).find(|alert| alert.posted).map(|alert| posting_key(&alert.key));
    // On-call was pinged by the alert itself: the first reminder pings them again, later ones climb.
    let mention = if n == 1 { on_call(work) } else { work.climb(n) };
    let posting = work.post(key, Destination::Release, Notice::AlertsUnheard { reminder: n });
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
        work.edit(key, Notice::AlertsUnheard { reminder: 0 }, None);
        work.record(AlertEvent::AllHeard);
    }
}

pub(super) fn marks(release: &Release, marks: &mut Vec<Mark>) {
    if release.ended() {
        return;
    }
    // A trigger that fires at the same instant asks instead of the reminder.
    evidence::marks(release, marks);
    for alert in of(release).iter().filter(|alert| alert.is_open()) {
        if let Some(again) = alert.again {
            let kind = MarkKind::AlertBelieved { key: alert.key.clone() };
            marks.push(Mark { at: again + BELIEVED_AFTER, kind });
        }
    }
    // The question whether to roll back reminds for both.
    let asked = release.phase.run().is_some_and(|run| rollback::proposed(run).is_some());
    let rolling = matches!(release.phase, Phase::RollingBack { .. });
    if !asked
        && !rolling
        && let Some((since, n)) = waiting(release)
        && let Some(after) = REMIND_AFTER_MIN.get(usize::from(n))
    {
        marks.push(Mark { at: since + minutes(*after), kind: MarkKind::AlertReminder });
    }
}

pub(super) fn evolve(release: &mut Release, event: &AlertEvent, at: Timestamp, by: &By) {
    let before_go = release.phase.run().is_none();
    if matches!(event, AlertEvent::Fired { pre_existing: false, .. } | AlertEvent::Crowded { .. }) && !before_go {
        release.issues.insert(Issue::Alert);
    }
    ahead::evolve(release, event);
    if let Some(alerts) = alerts_mut(release) {
        evolve_alerts(alerts, event, at, by);
    }
    let Some(run) = release.phase.run_mut() else { return };
    match event {
        AlertEvent::Fired { .. } => crowd::forget_ended(run),
        AlertEvent::Elsewhere { id, name, no } => {
            run.elsewhere.push(Elsewhere { key: id.clone(), name: name.clone(), no: *no });
        }
        AlertEvent::ElsewhereOver { id } => run.elsewhere.retain(|elsewhere| elsewhere.key != *id),
        AlertEvent::Reminded => run.alert_reminders = run.alert_reminders.saturating_add(1),
        AlertEvent::AllHeard => (run.alert_reminders, run.alert_rounds) = (0, run.alert_rounds + 1),
        AlertEvent::Crowded { .. }
        | AlertEvent::CrowdRepeated { .. }
        | AlertEvent::CrowdEnded { .. }
        | AlertEvent::CrowdAcknowledged => crowd::evolve(run, event, at, by),
        _ => evidence::evolve(run, event, at),
    }
}

fn alerts_mut(release: &mut Release) -> Option<&mut Vec<Alert>> {
    if release.phase.run().is_some() {
        return release.phase.run_mut().map(|run| &mut run.alerts);
    }
    Some(&mut release.ahead)
}

fn evolve_alerts(alerts: &mut Vec<Alert>, event: &AlertEvent, at: Timestamp, by: &By) {
    if let AlertEvent::Fired {
        key,
        name,
        summary,
        severity,
        metric,
        value,
        unread,
        no_data,
        starts_at,
        pre_existing,
        posted,
        pinged,
    } = event
    {
        alerts.push(Alert {
            key: key.clone(),
            name: name.clone(),
            summary: summary.clone(),
            severity: severity.clone(),
            metric: metric.clone(),
            value: *value,
            unread: unread.clone(),
            no_data: *no_data,
            first: *starts_at,
            last: at,
            heard: at,
            count: 1,
            resolved_at: None,
            again: None,
            returns: 0,
            acked: None,
            pre_existing: *pre_existing,
            posted: *posted,
            pinged: *pinged,
        });
        return;
    }
    let key = match event {
        AlertEvent::Repeated { key, .. }
        | AlertEvent::Resolved { key }
        | AlertEvent::Reopened { key }
        | AlertEvent::Returned { key }
        | AlertEvent::Acknowledged { key } => key,
        _ => return,
    };
    let Some(alert) = alerts.iter_mut().find(|alert| alert.key == *key) else { return };
    match event {
        AlertEvent::Repeated { value, unread, .. } => {
            alert.count = alert.count.saturating_add(1);
            alert.last = at;
            alert.value = value.or(alert.value.filter(|_| unread.is_none()));
            alert.unread.clone_from(unread);
        }
        AlertEvent::Resolved { .. } => (alert.resolved_at, alert.again) = (Some(at), None),
        AlertEvent::Reopened { .. } => {
            alert.count = alert.count.saturating_add(1);
            (alert.resolved_at, alert.last, alert.again) = (None, at, Some(at));
        }
        AlertEvent::Returned { .. } => {
            // Who acknowledged it did so for the time before.
            (alert.again, alert.acked, alert.heard) = (None, None, at);
            alert.returns = alert.returns.saturating_add(1);
            alert.pinged = true;
        }
        AlertEvent::Acknowledged { .. } => alert.acked = Some((by.to_string(), at)),
        _ => {}
    }
}
