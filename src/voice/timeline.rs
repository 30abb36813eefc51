//! The journal as lines people read.

use jiff::Timestamp;

use super::words::{self, in_zone};
use crate::domain::alert::event::AlertEvent;
use crate::domain::changes::Change;
use crate::domain::closing::ClosingEvent;
use crate::domain::concern::ConcernEvent;
use crate::domain::decision::PointEvent;
use crate::domain::delivery::{DeliveryEvent, Trouble};
use crate::domain::event::{Event, Recorded};
use crate::domain::freeze::FreezeEvent;
use crate::domain::ladder::{NoticeEvent, RungMissed, RungSaid};
use crate::domain::lifecycle::PlanEvent;
use crate::domain::release::Release;
use crate::domain::rights::RightsEvent;
use crate::domain::rollback::RollbackEvent;
use crate::domain::signoff::SignoffEvent;
use crate::domain::stage::StageEvent;
use crate::domain::updates::UpdateEvent;

/// What a timeline may be narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Sign-offs, concerns, go and what else people decided.
    Decisions,
    /// The plan's revisions, people and schedule.
    Plan,
    /// Alerts, triggers, values.
    Signals,
    /// Notices, receipts, and messages that got stuck.
    Messages,
    /// Who was refused something, and who passed the roles.
    Rights,
}

impl About {
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Decisions, "Decisions and sign-offs", "decisions"),
        (Self::Plan, "The plan and its schedule", "plan"),
        (Self::Signals, "Alerts and values", "signals"),
        (Self::Messages, "Messages and receipts", "messages"),
        (Self::Rights, "Refusals and overrides", "rights"),
    ];

    /// Label and value of each.
    pub fn choices() -> [(&'static str, &'static str); 5] {
        Self::ALL.map(|(_, label, slug)| (label, slug))
    }

    /// The one behind a value.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, _, known)| *known == slug).map(|(about, _, _)| *about)
    }

    /// Whether an event is of the kind.
    pub fn holds(self, event: &Event) -> bool {
        let about = match event {
            Event::Signoff(_)
            | Event::Concern(_)
            | Event::Stage(_)
            | Event::Point(_)
            | Event::Rollback(_)
            | Event::Closing(_)
            | Event::Freeze(_) => Self::Decisions,
            Event::Plan(_) => Self::Plan,
            Event::Alert(_) | Event::Update(_) => Self::Signals,
            Event::Notice(_) | Event::Delivery(_) => Self::Messages,
            Event::Rights(_) => Self::Rights,
        };
        self == about
    }
}

/// One line: T-label, instant in the plan's zone, who, what.
pub fn line(release: &Release, recorded: &Recorded) -> String {
    let label = release.label_at(recorded.at).unwrap_or_else(|| "draft".to_owned());
    let when: Timestamp = recorded.at;
    // One entry, one line, whatever somebody wrote.
    words::one_line(&format!(
        "{} · {} · {}: {}",
        label,
        in_zone(when, release.plan.zone()),
        recorded.by,
        what(release, &recorded.event)
    ))
}

fn what(release: &Release, event: &Event) -> String {
    let trigger = |n: &usize| release.plan.triggers.get(*n).map_or("a trigger", |t| t.text.as_str()).to_owned();
    match event {
        Event::Plan(event) => match event {
            PlanEvent::Imported { train: Some(train), .. } => format!("created the draft of train “{train}”"),
            PlanEvent::Imported { train: None, .. } => "imported the plan, revision 1".to_owned(),
            PlanEvent::PolicyChanged { .. } => "changed this server's settings".to_owned(),
            PlanEvent::Revised { material, moved, changes, .. } => {
                let what: Vec<String> = changes.iter().map(changed).collect();
                format!(
                    "imported a new revision ({}{}){}{}",
                    if *material { "material" } else { "cosmetic" },
                    if *moved { ", T-0 moved" } else { "" },
                    if what.is_empty() { "" } else { ": " },
                    what.join("; ")
                )
            }
            PlanEvent::Rescheduled { t0, reason, .. } => {
                format!("moved T-0 to {}: “{reason}”", in_zone(t0.at, &t0.zone))
            }
            PlanEvent::Submitted { .. } => "submitted the plan".to_owned(),
            PlanEvent::Approved => "approved: all required roles have signed".to_owned(),
            PlanEvent::Scrubbed { reason } => format!("cancelled the release: “{reason}”"),
            PlanEvent::Named { .. } => "matched a name in the plan to a member".to_owned(),
            PlanEvent::HandedOver { post, from, to, reason } => {
                let why = reason.as_ref().map_or(String::new(), |why| format!(": “{why}”"));
                let from = from.as_ref().map_or(String::new(), |from| format!(" from member {from}"));
                format!("handed the {} role{from} to member {to}{why}", super::people::post(*post))
            }
            PlanEvent::AmendmentProposed { n, changes, .. } => {
                let what: Vec<&str> = changes.iter().map(|change| change.what.as_str()).collect();
                format!("proposed amendment #{n}: {}", what.join("; "))
            }
            PlanEvent::AmendmentAgreed { n } => format!("agreed to amendment #{n}"),
            PlanEvent::AmendmentDeclined { n, reason } => format!("declined amendment #{n}: “{reason}”"),
            PlanEvent::Amended { n } => format!("amendment #{n} took effect"),
            PlanEvent::DraftReminded => "reminded the author about the draft".to_owned(),
            PlanEvent::T0Asked => "asked for go / no-go".to_owned(),
        },
        Event::Signoff(event) => match event {
            SignoffEvent::Given { role, behalf: None, .. } => format!("signed as {role}"),
            SignoffEvent::Given { role, name, behalf: Some(behalf), .. } => {
                format!("recorded the {role} sign-off of {name} (outside the chat): “{}”", behalf.evidence)
            }
            SignoffEvent::Expired { role, name, .. } => format!("the {role} sign-off of {name} expired"),
            SignoffEvent::Snoozed { until } => {
                format!("delayed the next reminder until {}", in_zone(*until, release.plan.zone()))
            }
            SignoffEvent::Refused { role, reason } => format!("refused as {role}: “{reason}”"),
            SignoffEvent::Withdrawn { role } => format!("withdrew the {role} sign-off"),
            SignoffEvent::Reminded => "reminded those who have not signed".to_owned(),
        },
        Event::Rights(RightsEvent::Bypassed { action }) => {
            format!("used the administrator override: {}", words::action(action))
        }
        Event::Rights(RightsEvent::Refused { action, why }) => {
            format!("was refused: {} ({})", words::action(action), words::denied(*why))
        }
        Event::Concern(ConcernEvent::Raised { n, text, .. }) => format!("raised concern #{n}: “{text}”"),
        Event::Concern(ConcernEvent::Resolved { n, how }) => format!("resolved concern #{n}: “{how}”"),
        Event::Notice(event) => match event {
            NoticeEvent::Said { rung, how: RungSaid::OnTime, .. } => format!("sent {rung}"),
            NoticeEvent::Said { rung, how: RungSaid::Late, .. } => format!("sent {rung} late"),
            NoticeEvent::Said { rung, how: RungSaid::Skipped, missed, .. } => {
                format!("skipped {rung}: {}", missed_why(*missed))
            }
            NoticeEvent::Delivered { rung, .. } => format!("posted {rung}"),
            NoticeEvent::Received { rung, .. } => format!("confirmed {rung}"),
            NoticeEvent::Corrected { rung, text, retracted: false } => format!("corrected {rung}: “{text}”"),
            NoticeEvent::Corrected { rung, text, retracted: true } => format!("retracted {rung}: “{text}”"),
            NoticeEvent::QuietOver { rung } => format!("quiet hours over: pinged for {rung}"),
            NoticeEvent::PageShown { page } => format!("updated status page {page}"),
            NoticeEvent::TakenBack { rung } => format!("undid the receipt for {rung}"),
        },
        Event::Delivery(event) => match event {
            DeliveryEvent::Stuck { stuck, .. } => match stuck.trouble {
                Trouble::Held => format!("may not be posted, waiting for a person: {}", stuck.said),
                Trouble::Blocked => format!("cannot post yet ({}): {}", stuck.why, stuck.said),
                Trouble::Dead => format!("cannot post ({}): {}", stuck.why, stuck.said),
                Trouble::Expired => format!("not posted in time: {}", stuck.said),
            },
            DeliveryEvent::Freed { .. } => "posted a stuck message".to_owned(),
            DeliveryEvent::Dropped { .. } => "dropped a stuck message: superseded".to_owned(),
            DeliveryEvent::SentAgain { to: None, .. } => "retried a stuck message".to_owned(),
            DeliveryEvent::SentAgain { .. } => "retried a stuck message in the new channel".to_owned(),
            DeliveryEvent::CalledSent { .. } => "confirmed that a stuck message was posted".to_owned(),
        },
        Event::Stage(event) => match event {
            StageEvent::Went { break_glass: None } => "gave the go".to_owned(),
            StageEvent::Went { break_glass: Some(reason) } => format!("gave the go by break-glass: “{reason}”"),
            StageEvent::SoakEnded => "soak complete".to_owned(),
            StageEvent::Advanced { reason: None } => "advanced the stage".to_owned(),
            StageEvent::Advanced { reason: Some(reason) } => format!("advanced the stage: “{reason}”"),
            StageEvent::Extended { minutes, reason } => {
                format!("extended the stage by {minutes} min: “{reason}”")
            }
            StageEvent::Finished { .. } => "finished the last stage".to_owned(),
            StageEvent::Held { reason, .. } => format!("put the release on hold: “{reason}”"),
            StageEvent::Undone => "undid the step within 60 seconds".to_owned(),
            StageEvent::Resumed => "resumed the release".to_owned(),
            StageEvent::HoldTold => "notified every audience of the hold".to_owned(),
        },
        Event::Update(UpdateEvent::Written { text, .. }) => {
            text.as_ref().map_or("reported values".to_owned(), |t| format!("update: {t}"))
        }
        Event::Update(UpdateEvent::Posted | UpdateEvent::Shown { .. }) => "posted an update".to_owned(),
        Event::Update(UpdateEvent::Unchanged) => "looked again: nothing changed".to_owned(),
        Event::Update(UpdateEvent::Missed) => "the promised update is overdue".to_owned(),
        Event::Point(event) => match event {
            PointEvent::Opened { after_min } => {
                format!("asked for a decision at {}", words::after(*after_min))
            }
            PointEvent::Reminded { after_min } => {
                format!("reminded about the decision at {}", words::after(*after_min))
            }
            PointEvent::Decided { after_min, verdict, reason } => {
                let why = reason.as_ref().map_or(String::new(), |r| format!(": “{r}”"));
                format!("decided {} at {}{why}", words::verdict(*verdict), words::after(*after_min))
            }
        },
        Event::Alert(event) => match event {
            AlertEvent::Fired { name, pre_existing: false, .. } => format!("alert {name} fired"),
            AlertEvent::Fired { name, pre_existing: true, .. } => {
                format!("alert {name} was firing before T-0; set aside")
            }
            AlertEvent::Repeated { .. } => "the alert repeated".to_owned(),
            AlertEvent::Resolved { .. } => "the alert resolved".to_owned(),
            AlertEvent::Reopened { .. } => "the alert fired again".to_owned(),
            AlertEvent::Returned { .. } => "the alert still fires; on-call pinged again".to_owned(),
            AlertEvent::Elsewhere { name, no, .. } => format!("alert {name} fired; it belongs to {no}"),
            AlertEvent::ElsewhereOver { .. } => "an alert of a newer release resolved".to_owned(),
            AlertEvent::Crowded { name, .. } => format!("alert {name} fired, in the shared message"),
            AlertEvent::CrowdRepeated { name, .. } => format!("alert {name} fired again, in the shared message"),
            AlertEvent::CrowdEnded { .. } => "an alert of the shared message resolved".to_owned(),
            AlertEvent::CrowdAcknowledged => "acknowledged the alerts of the shared message".to_owned(),
            AlertEvent::Reminded => "reminded on-call about alerts".to_owned(),
            AlertEvent::AheadCounted { name, .. } => format!("alert {name} fired before go"),
            AlertEvent::AheadEnded { .. } => "an alert before go resolved".to_owned(),
            AlertEvent::AheadAcknowledged => "acknowledged the other alerts before go".to_owned(),
            AlertEvent::AllHeard => "every alert is acknowledged or resolved".to_owned(),
            AlertEvent::Acknowledged { .. } => "acknowledged the alert".to_owned(),
            AlertEvent::Observed { metric, observation } => {
                format!("{metric} observed at {}", observation.value)
            }
            AlertEvent::TriggerPending { trigger: n, .. } => format!("trigger pending: {}", trigger(n)),
            AlertEvent::TriggerCleared { trigger: n } => format!("trigger cleared: {}", trigger(n)),
            AlertEvent::TriggerSettled { trigger: n } => format!("trigger settled by the decision: {}", trigger(n)),
            AlertEvent::TriggerFired { trigger: n, .. } => format!("trigger fired: {}", trigger(n)),
        },
        Event::Rollback(event) => match event {
            RollbackEvent::Proposed { .. } => "asked whether to roll back".to_owned(),
            RollbackEvent::CauseAdded { .. } => "added a cause to the rollback prompt".to_owned(),
            RollbackEvent::Reminded => "reminded about the rollback".to_owned(),
            RollbackEvent::Declined { verdict, reason } => {
                format!("decided {}: “{reason}”", words::verdict(*verdict))
            }
            RollbackEvent::Started { reason } => format!("decided to roll back: “{reason}”"),
            RollbackEvent::Failed { reason } => format!("the rollback failed: “{reason}”"),
            RollbackEvent::Verified { unverified: false, .. } => "rolled back and verified".to_owned(),
            RollbackEvent::Verified { unverified: true, note } => {
                format!("rolled back, not verified: “{}”", note.as_deref().unwrap_or_default())
            }
        },
        Event::Freeze(FreezeEvent::Excepted { freeze, reason, .. }) => {
            format!("allowed go during freeze “{freeze}”: “{reason}”")
        }
        Event::Closing(event) => match event {
            ClosingEvent::AllClear => "gave the all-clear".to_owned(),
            ClosingEvent::Scheduled { at } => {
                format!("scheduled the post-mortem for {}", in_zone(*at, release.plan.zone()))
            }
            ClosingEvent::Filed { link } => format!("filed the post-mortem: {link}"),
            ClosingEvent::Waived { reason } => format!("waived the post-mortem: “{reason}”"),
            ClosingEvent::PostmortemReminded => "reminded about the post-mortem".to_owned(),
            ClosingEvent::ItemDone { item, .. } => format!("done: {}", item_text(release, item)),
            ClosingEvent::ItemWaived { item, reason } => {
                format!("waived “{}”: “{reason}”", item_text(release, item))
            }
            ClosingEvent::ActionsReminded => "reminded about open actions".to_owned(),
            ClosingEvent::ClearAsked => "asked for the all-clear".to_owned(),
            ClosingEvent::ActionOver { item } => format!("asked whether “{}” is done", item_text(release, item)),
            ClosingEvent::Rewatched => "reopened the watch".to_owned(),
            ClosingEvent::Closed => "closed the release".to_owned(),
        },
    }
}

/// "Trigger x: ticked → not ticked".
fn changed(change: &Change) -> String {
    match (&change.from, &change.to) {
        (Some(from), Some(to)) => format!("{}: {from} → {to}", change.what),
        (None, Some(_)) => format!("{} added", change.what),
        (Some(_), None) => format!("{} removed", change.what),
        (None, None) => change.what.clone(),
    }
}

/// What an item says; its id where the plan has it no more.
fn item_text<'a>(release: &'a Release, item: &'a str) -> &'a str {
    let gates = release.plan.gates.iter().map(|gate| (&gate.id, &gate.text));
    let actions = release.phase.closing().into_iter().flat_map(|closing| &closing.actions);
    let actions = actions.map(|action| (&action.id, &action.text));
    gates.chain(actions).find(|(id, _)| *id == item).map_or(item, |(_, text)| text)
}

fn missed_why(missed: Option<RungMissed>) -> &'static str {
    match missed {
        Some(RungMissed::Superseded) => "a later notice was due as well",
        Some(RungMissed::AfterT0) => "T-0 had passed",
        Some(RungMissed::ByType) => "this type of release has no such notice",
        Some(RungMissed::PastWhenRescheduled) => "its time had passed when T-0 moved",
        Some(RungMissed::WentBefore) => "go came before its time",
        Some(RungMissed::Undelivered) => "T-Minus could not post it in time",
        None => "its time had passed",
    }
}
