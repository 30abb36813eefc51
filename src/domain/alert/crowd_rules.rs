//! Alerts beyond what people can read: one message for all of them, each on the record.

use super::event::AlertEvent;
use super::{AlertNotice, Signal, rules, view};
use crate::domain::effect::Priority;
use crate::domain::evidence;
use crate::domain::ids::Destination;
use crate::domain::plan::Plan;
use crate::domain::prompt::Prompt;
use crate::domain::release::Release;
use crate::domain::work::Work;

/// Whether alerts without messages of their own wait for somebody.
pub(in crate::domain) fn unheard(release: &Release) -> bool {
    release.phase.run().is_some_and(|run| run.crowd.is_unheard())
}

fn key(n: u32) -> String {
    format!("alerts/{n}")
}

/// A new alert joins the shared message.
pub(in crate::domain) fn fired(work: &mut Work<'_>, signal: &Signal) {
    let begins = work.release.phase.run().is_none_or(|run| run.crowd.open_count() == 0);
    let pings = begins && !view::pinged_lately(&work.release, work.ctx.now);
    let reading = evidence::view::read(&work.release.plan, signal);
    work.record(AlertEvent::Crowded {
        id: signal.id(),
        name: signal.name.clone(),
        severity: signal.severity.clone(),
        metric: reading.metric,
        value: reading.value,
        starts_at: signal.starts_at,
        pinged: pings,
        about: about(&work.release.plan, signal),
    });
    if begins {
        let n = work.release.phase.run().map_or(0, |run| run.crowd.n);
        let mention = if pings { rules::on_call(work) } else { Vec::new() };
        let posting = work.post(key(n), Destination::Release, AlertNotice::Crowd { n });
        posting.prompt = Some(Prompt::Alerts);
        posting.priority = Priority::Prompt;
        posting.mention = mention;
    } else {
        show(work);
    }
    rules::proves(work, signal);
}

/// The plan's metric or check that an alert is about.
pub(super) fn about(plan: &Plan, signal: &Signal) -> Option<String> {
    let says = |subject: &String| {
        let metric = signal.metric.as_deref().is_some_and(|metric| evidence::same_metric(metric, subject));
        metric || evidence::same_metric(&signal.name, subject)
    };
    evidence::reportable(plan).into_iter().find(says)
}

/// A known alert of the shared message repeats, ends, or fires again.
pub(in crate::domain) fn relay(work: &mut Work<'_>, signal: &Signal) {
    let id = signal.id();
    let open = work.release.phase.run().is_some_and(|run| run.crowd.is_open(&id));
    let starts_at = signal.starts_at;
    match (signal.firing, open) {
        (true, true) => rules::proves(work, signal),
        // Fired before go: set aside with the others of that time.
        (true, false) if work.release.phase.run().is_some_and(|run| starts_at < run.go_at) => {}
        (true, false) => {
            let about = about(&work.release.plan, signal);
            let (name, severity) = (signal.name.clone(), signal.severity.clone());
            work.record(AlertEvent::CrowdRepeated { id, name, severity, about });
            show(work);
        }
        (false, true) => {
            work.record(AlertEvent::CrowdEnded { id, starts_at });
            show(work);
            evidence::rules::ended(work, signal);
        }
        (false, false) => {}
    }
}

/// The shared message as it stands now.
pub(in crate::domain) fn show(work: &mut Work<'_>) {
    let Some(crowd) = work.release.phase.run().map(|run| &run.crowd) else { return };
    let (n, prompt) = (crowd.n, crowd.waits_since().map(|_| Prompt::Alerts));
    work.edit(key(n), AlertNotice::Crowd { n }, prompt);
}
