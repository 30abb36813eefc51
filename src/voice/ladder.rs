//! Words of the countdown: the rungs, go or no-go, a moved T-0, a scrub.

use super::message::{Message, Tone, WHAT_NOW};
use super::reply::TO_MEND;
use super::text::{Stamp, Text};
use super::words;
use crate::domain::freeze::FreezeNotice;
use crate::domain::ids::Audience;
use crate::domain::ladder::LadderNotice;
use crate::domain::ladder::view::unconfirmed;
use crate::domain::lifecycle::GO_GRACE_MIN;
use crate::domain::lifecycle::PlanNotice;
use crate::domain::notice::Notice;
use crate::domain::plan::RungPlan;
use crate::domain::release::{Phase, Release};
use crate::domain::stage::GoAnswer;
use crate::domain::stage::StageNotice;
use crate::domain::{ladder, minutes};

/// From so many minutes before T-0 on a notice is a check of go or no-go as well.
const LAST_CHECK_MIN: u32 = 30;

pub(super) fn say(notice: &Notice, release: &Release) -> Message {
    let name = words::name(release);
    let plan = &release.plan;
    match notice {
        LadderNotice::Rung { rung, label, audience, text: _, late, not_sent, open, quiet } => {
            let receipt = release.rungs.get(rung).and_then(|state| state.receipt.as_ref());
            let mut body = match &release.phase {
                Phase::HeldBefore { .. } => Text::from("⏸️ On hold: the countdown is paused. T-0 was ")
                    .and(words::planned(release))
                    .t(" and will move."),
                _ => Text::from("T-0: ").and(words::planned(release)).t(" (").and(words::until_t0(plan)).t(")."),
            };
            if let Some(late) = late {
                body = body.br().and(words::late(late, "sent"));
            }
            if *quiet {
                body = body.br().t("Quiet hours: this message pings nobody.");
            }
            if !not_sent.is_empty() {
                body = body.br().t(format!("Earlier notices not sent: {}.", not_sent.join(", ")));
            }
            let now = match audience {
                a if *a == Audience::engineering() => "No action needed. If you object, tell the owner.",
                a if *a == Audience::status_page() => {
                    "Post the text above on the status page, then confirm with “Briefed”."
                }
                _ => "Press “Briefed” once your team knows.",
            };
            let correction = release.rungs.get(rung).and_then(|state| state.correction.as_ref());
            if let Some(correction) = correction.filter(|c| c.retracted) {
                return Message::new(Tone::Bad, Text::from(format!("🚫 Retracted · {label} · {name}"))).body(
                    Text::from(format!("{} retracted this notice at ", correction.by))
                        .time(correction.at, Stamp::Short)
                        .t(format!(": “{}”", correction.text)),
                );
            }
            let right = correction.map_or_else(Text::new, |correction| {
                Text::from(format!("✏️ {}: “{}” ", correction.by, correction.text)).time(correction.at, Stamp::Short)
            });
            // The last check before T-0 names what may go wrong, and what is done then.
            let last = RungPlan::of_key(rung).is_some_and(|rung| rung.before_min <= LAST_CHECK_MIN);
            // Its own people read it; an audience of the plan's own may be customers.
            let ours = [Audience::engineering(), Audience::support(), Audience::status_page()].contains(audience);
            let mut message = Message::new(Tone::Plain, Text::from(format!("📣 {label} · {name}")))
                .body(body)
                .field("Correction", right)
                .field("Audience", Text::from(super::run::sentence(&words::audience(audience))))
                .field("People", words::people(release))
                .field("Readiness", Text::from(words::readiness(release, open)));
            if ours {
                message = message.field("Alerts", firing(release));
            }
            if *audience == Audience::status_page() {
                let name = if release.policy.pages.is_empty() { "Status page text" } else { "Status page" };
                message = message.field(name, status_pages(release));
            }
            message = message.field("Risks", if last && ours { words::risks(plan) } else { Text::new() });
            let waiting: Vec<String> = unconfirmed(release).into_iter().filter(|key| key != rung).collect();
            if !waiting.is_empty() {
                message = message.field("Missing receipts", Text::from(waiting.join(", ")));
            }
            match receipt {
                Some(receipt) => {
                    message.tone = Tone::Good;
                    message.field(
                        "Receipt",
                        Text::from(format!("✅ Briefed: {} ", receipt.name)).time(receipt.at, Stamp::Short),
                    )
                }
                None if ladder::view::needs_receipt(release, audience) => message.field(WHAT_NOW, Text::from(now)),
                None => message,
            }
        }
        StageNotice::GoNoGo { asked, open } => {
            let headline = match asked {
                0 => format!("🕛 T-0 · go / no-go? · {name}"),
                3.. => format!("⚠️ T-0 passed 4 hours ago · {name}"),
                _ => format!("⏳ T-0 passed · waiting for go / no-go · {name}"),
            };
            let body = if *asked >= 3 {
                Text::from("This release can no longer go at that T-0. Set a new T-0 with ")
                    .code("/release reschedule")
                    .t(", or cancel with ")
                    .code("/release scrub")
                    .t(".")
            } else if open.is_empty() && *asked > 0 {
                Text::from("Still no answer. Give the go, hold or cancel with the buttons of the question.")
            } else if open.is_empty() {
                let text = Text::from(ready(release)).t(" Nothing goes live automatically.");
                match plan.t0_at() {
                    // The last question says that this T-0 is over.
                    Some(t0) => text.t(" This T-0 expires at ").time(t0 + minutes(GO_GRACE_MIN), Stamp::Short).t("."),
                    None => text,
                }
            } else {
                Text::from("Not ready. Fix the open items, hold or cancel.")
            };
            let message = Message::new(if open.is_empty() { Tone::Wait } else { Tone::Bad }, Text::from(headline))
                .body(body)
                .field("Open items", words::open_list(open, &release.policy));
            // A reminder is a reply to the question, which has the rest.
            if (1..3).contains(asked) {
                return message;
            }
            message
                .field("Alerts", firing(release))
                .field("Missing receipts", Text::from(unconfirmed(release).join(", ")))
                .field("Risks", words::risks(plan))
                .field("People", words::people(release))
        }
        StageNotice::GoAnswered { how, by } => {
            let (tone, headline) = match how {
                GoAnswer::Go => (Tone::Good, format!("✅ {by} gave the go")),
                GoAnswer::Held => (Tone::Wait, format!("⏸️ {by} put the release on hold")),
                GoAnswer::Scrubbed => (Tone::Bad, format!("🚫 {by} cancelled the release")),
                GoAnswer::Moved => (Tone::Wait, format!("🗓️ {by} moved T-0")),
                GoAnswer::TooLate => (Tone::Bad, "⚠️ Nobody gave the go within 4 hours".to_owned()),
            };
            Message::new(tone, Text::from(format!("{headline} · {name}")))
        }
        LadderNotice::Corrected { label, audience, text, retracted, by } => {
            let who = words::audience(audience);
            let (tone, headline, body) = if *retracted {
                (
                    Tone::Bad,
                    format!("🚫 {label} retracted · {name}"),
                    format!("{by} retracted the {label} notice to {who}: “{text}”"),
                )
            } else {
                (
                    Tone::Wait,
                    format!("✏️ {label} corrected · {name}"),
                    format!("{by} corrected the {label} notice to {who}: “{text}”"),
                )
            };
            Message::new(tone, Text::from(headline)).body(body).field(
                "Unchanged",
                Text::from("T-0: ").and(words::planned(release)).t(" (").and(words::until_t0(plan)).t(")."),
            )
        }
        LadderNotice::QuietOver { label, audience, at } => {
            Message::new(Tone::Wait, Text::from(format!("🌅 Sent during your quiet hours: {label} · {name}"))).body(
                Text::from(format!("T-Minus posted the notice for {} above at ", words::audience(audience)))
                    .time(*at, Stamp::Short)
                    .t(". T-0: ")
                    .and(words::planned(release))
                    .t(" (")
                    .and(words::until_t0(plan))
                    .t(")."),
            )
        }
        FreezeNotice::Excepted { freeze, until, by, reason } => {
            Message::new(Tone::Bad, Text::from(format!("🧊 Freeze exception · {name}")))
                .body(
                    Text::from(format!("{by} allowed this release to go live during freeze “{freeze}” (until "))
                        .time(*until, Stamp::Full)
                        .t(format!("): “{reason}”.")),
                )
                .field("People", words::people(release))
        }
        FreezeNotice::Overlap { others } => Message::new(Tone::Wait, Text::from(format!("⚠️ Overlap · {name}")))
            .body(
                Text::from(format!(
                    "Another release of {} is close to this release's T-0: ",
                    plan.service.as_deref().unwrap_or("the same service")
                ))
                .and(words::planned(release))
                .t("."),
            )
            .field("Other releases", Text::lines(others.iter().map(super::workspace::planned)))
            .field(
                WHAT_NOW,
                Text::from("Agree on an order. If they conflict, move one with ").code("/release reschedule").t("."),
            ),
        PlanNotice::Departed { train } => {
            let mut message = Message::new(Tone::Plain, Text::from(format!("🚆 Draft of train “{train}” · {name}")))
                .body(
                    Text::from("T-0: ")
                        .and(words::planned(release))
                        .t(" (")
                        .and(words::until_t0(plan))
                        .t("). Nothing is scheduled until you submit it."),
                );
            if !release.findings.is_empty() {
                message = message.field(TO_MEND, words::findings(release));
            }
            message.field(
                WHAT_NOW,
                Text::from("Complete it with ")
                    .code("/release edit")
                    .t(" or ")
                    .code("/release import")
                    .t(", then submit it. To cancel this release: ")
                    .code("/release scrub")
                    .t(". To skip the next one: ")
                    .code("/tminus train skip")
                    .t("."),
            )
        }
        PlanNotice::Moved { by, from, reason } => {
            let mut body =
                Text::from("New T-0: ").and(words::planned(release)).t(" (").and(words::until_t0(plan)).t(").");
            if let Some(from) = from {
                body = body.br().t("Previously: ").and(words::when(release, *from)).t(".");
            }
            body =
                body.br().t(format!("{by} moved it. The countdown restarts, and the required roles must sign again."));
            let why = reason.as_ref().map_or_else(Text::new, |why| Text::from(format!("“{why}”")));
            Message::new(Tone::Wait, Text::from(format!("🗓️ T-0 moved · {name}"))).body(body).field("Reason", why)
        }
        LadderNotice::Overtaken { label, audience, scrubbed: true } => {
            Message::new(Tone::Bad, Text::from(format!("🚫 Cancelled · was {label} · {name}"))).body(Text::from(
                format!(
                    "This release was cancelled after this notice to {}. No action needed.",
                    words::audience(audience)
                ),
            ))
        }
        LadderNotice::Overtaken { label, audience, scrubbed: false } => Message::new(
            Tone::Wait,
            Text::from(format!("🗓️ T-0 moved · was {label} · {name}")),
        )
        .body(
            Text::from(format!("The T-0 in this notice to {} is out of date. New T-0: ", words::audience(audience)))
                .and(words::planned(release))
                .t(" (")
                .and(words::until_t0(plan))
                .t(")."),
        ),
        PlanNotice::Scrubbed { by, reason, again } => {
            let told = if *again { " The earlier notice no longer applies." } else { "" };
            Message::new(Tone::Bad, Text::from(format!("🚫 Cancelled · {name}")))
                .body(Text::from(format!("{by} cancelled this release: “{reason}”.{told}")))
        }
        _ => Message::default(),
    }
}

/// That it is ready, and what speaks against it without stopping it.
fn ready(release: &Release) -> String {
    let receipts = unconfirmed(release).len();
    let alerts = release.ahead.iter().filter(|alert| alert.is_open()).count() + release.ahead_more.open_count();
    let receipts = (receipts > 0).then(|| format!("{receipts} {}", words::plural(receipts, "receipt", "receipts")));
    let alerts = (alerts > 0).then(|| format!("{alerts} firing {}", words::plural(alerts, "alert", "alerts")));
    let except: Vec<String> = receipts.into_iter().chain(alerts).collect();
    if except.is_empty() {
        "Everything is ready.".to_owned()
    } else {
        format!("You can give the go. Missing, but not blocking it: {}.", except.join(", "))
    }
}

/// Alerts of the service that fire before go.
fn firing(release: &Release) -> Text {
    const NAMED: usize = 8;
    let open = || release.ahead.iter().filter(|alert| alert.is_open());
    let more = open().count().saturating_sub(NAMED) + release.ahead_more.open_count();
    let more = (more > 0).then(|| Text::from(format!("and {more} more")));
    let lines = open().take(NAMED).map(|alert| {
        let severity = alert.severity.as_ref().map_or(String::new(), |severity| format!(" ({severity})"));
        let text = Text::from(format!("🔴 {}{severity}, firing since ", alert.name)).time(alert.first, Stamp::Short);
        match &alert.acked {
            Some((by, _)) => text.t(format!(", acknowledged by {by}")),
            None => text.t(", not acknowledged"),
        }
    });
    Text::lines(lines.chain(more))
}

/// What T-Minus wrote on which page; the text to put there by hand where it writes none.
fn status_pages(release: &Release) -> Text {
    let pages = &release.policy.pages;
    if pages.is_empty() {
        let plan = &release.plan;
        let starts = plan.t0.as_ref().map_or_else(String::new, |t0| words::in_zone(t0.at, &t0.zone));
        return Text::new().code(format!("Scheduled maintenance: {}. Starts {starts}.", plan.title));
    }
    Text::lines(pages.iter().map(|page| {
        let stuck = release.stuck.contains_key(&ladder::page_key(page));
        Text::from(match (release.pages_shown.contains(page), stuck) {
            (true, false) => format!("✅ {page}: updated; T-Minus keeps it current"),
            (true, true) => format!("⚠️ {page}: out of date; see the ops channel"),
            (false, true) => format!("🔴 {page}: not updated; see the ops channel"),
            (false, false) => format!("⏳ {page}: updating"),
        })
    }))
}
