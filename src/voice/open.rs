//! What stands open, in words: each with what mends it.

use crate::domain::freeze;
use crate::domain::open::Open;
use crate::domain::policy::{self, Policy};
use crate::domain::release::Release;
use crate::domain::signoff::Pending;
use crate::voice::text::{Span, Stamp, Text};
use crate::voice::words::{plural, short};

/// One open thing, and who can mend it.
pub fn open(item: &Open, policy: &Policy) -> Text {
    match item {
        Open::Signoff(pending) => {
            let text = Text::from(format!("{} sign-off", self::pending(pending)));
            match policy.signers.get(&pending.role).filter(|roles| !roles.is_empty()) {
                Some(signers) => signers
                    .iter()
                    .enumerate()
                    .fold(text.t(" ("), |t, (n, r)| if n > 0 { t.t(", ") } else { t }.role(r))
                    .t(")"),
                None => text.t(" (no role is mapped: /tminus setup)"),
            }
        }
        Open::Gate { text } => Text::from(format!("“{text}” is not done (/release item done)")),
        Open::Receipt { rung, audience } => {
            let text = Text::from(format!("{rung} is not confirmed"));
            let role = policy.audiences.get(audience).and_then(|route| route.role.as_ref());
            let text = match role {
                Some(role) => text.t(" (").role(role).t(")"),
                None => text.t(" (no role is mapped: /tminus setup)"),
            };
            text.t(" (/release item brief, or the owner: /release item waive)")
        }
        Open::Concern { n, by, text } => Text::from(format!("concern #{n} by "))
            .user(by)
            .t(format!(": “{}” (/release concern resolve)", short(text, 80))),
        Open::ChannelShut { channel } => Text::from("T-Minus cannot post in ")
            .and(Text(vec![Span::Channel(channel.clone())]))
            .t(" (restore its permissions, then press “Send again” in the ops channel; or set another channel: /tminus setup)"),
        Open::Escalation { names } if names.is_empty() => {
            Text::from("the escalation path is empty (/release edit)")
        }
        Open::Escalation { names } => Text::from(format!(
            "the escalation path names people who are not members here: {} (add the handle, such as Eva (@eva), with /release edit; signers must then sign again)",
            short(&names.join(", "), 80)
        )),
        Open::OwnerUnknown { name } => {
            Text::from(format!("owner “{name}” is not matched to a member (pick one under the reply to the import)"))
        }
        Open::OnCallUnknown { name } => {
            Text::from(format!("on-call “{name}” is not matched to a member (pick one under the reply to the import)"))
        }
        Open::SignersUnmapped(role) => Text::from(format!("nobody can sign as {role} (map a role: /tminus setup)")),
        Open::NoReleaseChannel => Text::from("no release channel is set (/tminus setup)"),
        Open::Missing { field } => Text::from(format!("the plan lacks “{field}” (/release edit)")),
        Open::T0Unknown => Text::from("the plan has no T-0 (import it with a release date and time)"),
        Open::T0Past => {
            Text::from("the planned T-0 has passed (/release reschedule; for a draft, import it with a new time)")
        }
        Open::Finding { code, text } => Text::from(format!("{text} ({code})")),
        Open::Alert { name } => Text::from(format!("alert “{name}” is still firing")),
        Open::MoreAlerts { count } => Text::from(format!("{count} more {} firing", plural(*count, "alert is", "alerts are"))),
        Open::AlertAhead { name } => {
            Text::from(format!("alert “{name}” is firing (acknowledge it: /release alert ack)"))
        }
        Open::MoreAlertsAhead { count } => Text::from(format!(
            "{count} more {} firing (acknowledge all: /release alert ack)",
            plural(*count, "alert is", "alerts are")
        )),
        Open::RollbackPrompt => Text::from("a rollback prompt waits for a decision"),
        Open::Point { label } => Text::from(format!("decision point {label} has no answer")),
        Open::NoData { metric } => Text::from(format!("no fresh value for {metric} (/release alert report)")),
        Open::NotHealthy { metric, value, success } => {
            let want = if success.is_empty() { String::new() } else { format!(", success is {success}") };
            Text::from(format!("{metric} was {value}{want} (/release alert report)"))
        }
        Open::StagesLeft { done, of } => Text::from(format!("stage {} of {of} is still running", done + 1)),
        Open::Freeze { name, until, opening } => {
            let text = Text::from(format!("freeze “{name}” until ")).time(*until, Stamp::Full);
            let text = match opening {
                Some(opening) if opening == until => text,
                Some(opening) => text.t(", next opening ").time(*opening, Stamp::Full),
                None => text.t(", no opening found"),
            };
            text.t(" (/release reschedule, or a release manager: /tminus freeze except)")
        }
        Open::UpdateOverdue => Text::from("updates are overdue (/release update)"),
    }
}

/// Open things as a list.
pub fn open_list(items: &[Open], policy: &Policy) -> Text {
    const SHOWN: usize = 12;
    // A person's objection is not what falls off the end of a list.
    let (first, rest): (Vec<&Open>, Vec<&Open>) = items.iter().partition(|item| matches!(item, Open::Concern { .. }));
    let lines = first.into_iter().chain(rest).take(SHOWN).map(|item| Text::from("• ").and(open(item, policy)));
    let more = (items.len() > SHOWN).then(|| Text::from(format!("and {} more", items.len() - SHOWN)));
    Text::lines(lines.chain(more))
}

/// A role that has not signed in full: "SRE/Ops, 1 of 2".
pub fn pending(pending: &Pending) -> String {
    let refused = if pending.refused { ", refused" } else { "" };
    match pending.need {
        1 => format!("{}{refused}", pending.role),
        need => format!("{}, {} of {need}{refused}", pending.role, pending.have),
    }
}

/// What is ready before go: "5 of 7 ready; open: SRE/Ops sign-off".
pub fn readiness(release: &Release, open: &[Open]) -> String {
    let required = policy::required_signoffs(&release.plan, &release.policy).len();
    let concerns = open.iter().filter(|item| matches!(item, Open::Concern { .. })).count();
    let receipts = open.iter().filter(|item| matches!(item, Open::Receipt { .. })).count();
    let of = required + release.plan.gates.len() + concerns + receipts;
    if open.is_empty() {
        return format!("{of} of {of} ready");
    }
    let missing: Vec<String> = open
        .iter()
        .map(|item| match item {
            Open::Signoff(pending) => format!("{} sign-off", self::pending(pending)),
            Open::Gate { text } => text.clone(),
            Open::Receipt { rung, .. } => format!("receipt for {rung}"),
            Open::Concern { n, .. } => format!("concern #{n}"),
            Open::T0Past => "T-0 has passed".to_owned(),
            Open::ChannelShut { .. } => "T-Minus cannot post in the release channel".to_owned(),
            Open::Escalation { .. } => "escalation path is incomplete".to_owned(),
            Open::Freeze { name, .. } => format!("T-0 is inside freeze “{name}”"),
            Open::AlertAhead { name } => format!("alert “{name}” is firing"),
            Open::MoreAlertsAhead { count } => {
                format!("{count} more {} firing", plural(*count, "alert is", "alerts are"))
            }
            _ => "another item".to_owned(),
        })
        .collect();
    let counts = |item: &&Open| {
        matches!(item, Open::Signoff(_) | Open::Gate { .. } | Open::Concern { .. } | Open::Receipt { .. })
    };
    let counted = open.iter().filter(counts).count();
    let done = of.saturating_sub(counted);
    format!("{done} of {of} ready; open: {}", missing.join(", "))
}

/// The freezes that T-0 lies in and no exception covers.
pub fn frozen(release: &Release) -> Text {
    let inside = release.plan.t0_at().map(|at| freeze::view::gaps(release, at)).unwrap_or_default();
    Text::lines(inside.iter().map(|gap| Text::from("⚠️ T-0 is inside ").and(open(gap, &release.policy))))
}
