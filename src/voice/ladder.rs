//! Words of the countdown: the rungs, go or no-go, a moved T-0, a scrub.

use super::message::{Message, Tone, WHAT_NOW};
use super::reply::TO_MEND;
use super::text::{Stamp, Text};
use super::words;
use crate::domain::ids::Audience;
use crate::domain::ladder::unconfirmed;
use crate::domain::notice::Notice;
use crate::domain::plan::RungPlan;
use crate::domain::release::{Phase, Release};

/// From so many minutes before T-0 on a notice is a check of go or no-go as well.
const LAST_CHECK_MIN: u32 = 30;

pub(super) fn say(notice: &Notice, release: &Release) -> Message {
    let name = words::name(release);
    let plan = &release.plan;
    match notice {
        Notice::Rung { rung, label, audience, text, late, not_sent, open, quiet } => {
            let receipt = release.rungs.get(rung).and_then(|state| state.receipt.as_ref());
            let mut body = match &release.phase {
                Phase::HeldBefore { .. } => Text::from("⏸️ On hold: the countdown stands still. T-0 was ")
                    .and(words::planned(plan))
                    .t(" and will move."),
                _ => Text::from("T-0 is ").and(words::until_t0(plan)).t(": ").and(words::planned(plan)).t("."),
            };
            if let Some(late) = late {
                body = body.br().and(words::late(late, "sent"));
            }
            if *quiet {
                body = body.br().t("Quiet hours: nobody is called by this message.");
            }
            if !not_sent.is_empty() {
                body = body.br().t(format!("Not sent before: {}.", not_sent.join(", ")));
            }
            let now = match audience {
                a if *a == Audience::engineering() => "Nothing to do unless you object: tell the owner.",
                a if *a == Audience::status_page() => "Put the text above on the status page, then press Briefed.",
                _ => "Press Briefed once your team knows.",
            };
            let correction = release.rungs.get(rung).and_then(|state| state.correction.as_ref());
            if let Some(correction) = correction.filter(|c| c.retracted) {
                return Message::new(Tone::Bad, Text::from(format!("🚫 Retracted · {label} · {name}"))).body(
                    Text::from(format!(
                        "This notice does not hold: “{}”. {} took it back ",
                        correction.text, correction.by
                    ))
                    .time(correction.at, Stamp::Short)
                    .t("."),
                );
            }
            let right = correction.map_or_else(Text::new, |correction| {
                Text::from(format!("✏️ {}: “{}” ", correction.by, correction.text)).time(correction.at, Stamp::Short)
            });
            // The last check before T-0 names what may go wrong, and what is done then (`product.md` 2).
            let last = RungPlan::of_key(rung).is_some_and(|rung| rung.before_min <= LAST_CHECK_MIN);
            let mut message = Message::new(Tone::Plain, Text::from(format!("📣 {label} · {name}")))
                .body(body)
                .field("Corrected", right)
                .field("For", Text::from(format!("{}: {text}", words::audience(audience))))
                .field("People", words::people(release))
                .field("Readiness", Text::from(words::readiness(release, open)));
            if *audience == Audience::status_page() {
                let name = if release.policy.pages.is_empty() { "Status page text" } else { "Status page" };
                message = message.field(name, status_pages(release));
            }
            // Its own people read it; an audience of the plan's own may be customers.
            let ours = [Audience::engineering(), Audience::support(), Audience::status_page()].contains(audience);
            message = message.field("Risks", if last && ours { risks(release) } else { Text::new() });
            let waiting: Vec<String> = unconfirmed(release).into_iter().filter(|key| key != rung).collect();
            if !waiting.is_empty() {
                message = message.field("Not confirmed yet", Text::from(waiting.join(", ")));
            }
            match receipt {
                Some(receipt) => {
                    message.tone = Tone::Good;
                    message.field(
                        "Receipt",
                        Text::from(format!("✅ Briefed: {} ", receipt.name)).time(receipt.at, Stamp::Short),
                    )
                }
                None if crate::domain::ladder::needs_receipt(release, audience) => {
                    message.field("What now", Text::from(now))
                }
                None => message,
            }
        }
        Notice::GoNoGo { asked, open } => {
            let headline = match asked {
                0 => format!("🕛 T-0 · go or no-go · {name}"),
                3.. => format!("🕛 T-0 passed four hours ago · {name}"),
                _ => format!("🕛 T-0 passed, no go · {name}"),
            };
            let body = if *asked >= 3 {
                Text::from("Go is no longer possible for this time. Set a new one with ")
                    .code("/release reschedule")
                    .t(", or ")
                    .code("/release scrub")
                    .t(".")
            } else if open.is_empty() {
                Text::from("Everything is ready. Owner: ")
                    .code("/release go")
                    .t(", ")
                    .code("/release hold")
                    .t(" or ")
                    .code("/release scrub")
                    .t(". Nothing goes live by itself.")
            } else {
                Text::from("Not ready. Mend what is open, or ")
                    .code("/release hold")
                    .t(" or ")
                    .code("/release scrub")
                    .t(".")
            };
            Message::new(if open.is_empty() { Tone::Wait } else { Tone::Bad }, Text::from(headline))
                .body(body)
                .field("Open", words::open_list(open, &release.policy))
                .field("Not confirmed yet", Text::from(unconfirmed(release).join(", ")))
                .field("Risks", risks(release))
                .field("People", words::people(release))
        }
        Notice::Corrected { label, audience, text, retracted, by } => {
            let who = words::audience(audience);
            let (tone, headline, body) = if *retracted {
                (
                    Tone::Bad,
                    format!("🚫 {label} retracted · {name}"),
                    format!("What {who} was told at {label} does not hold: “{text}”. Taken back by {by}."),
                )
            } else {
                (
                    Tone::Wait,
                    format!("✏️ {label} corrected · {name}"),
                    format!("To what {who} was told at {label}: “{text}”. Corrected by {by}."),
                )
            };
            Message::new(tone, Text::from(headline)).body(body).field(
                "Still true",
                Text::from("T-0 is ").and(words::until_t0(plan)).t(": ").and(words::planned(plan)).t("."),
            )
        }
        Notice::QuietOver { label, audience, at } => {
            Message::new(Tone::Wait, Text::from(format!("🌅 {label} was told in your quiet hours · {name}"))).body(
                Text::from(format!("The notice for {} stands above, from ", words::audience(audience)))
                    .time(*at, Stamp::Short)
                    .t(". T-0 is ")
                    .and(words::until_t0(plan))
                    .t(": ")
                    .and(words::planned(plan))
                    .t("."),
            )
        }
        Notice::Excepted { freeze, until, by, reason } => {
            Message::new(Tone::Bad, Text::from(format!("🧊 Freeze exception · {name}")))
                .body(
                    Text::from(format!("{by} lets this release go live in the freeze “{freeze}” (until "))
                        .time(*until, Stamp::Full)
                        .t(format!("): “{reason}”.")),
                )
                .field("People", words::people(release))
        }
        Notice::Overlap { others } => Message::new(Tone::Wait, Text::from(format!("⚠️ Overlap · {name}")))
            .body(
                Text::from(format!(
                    "Another release of {} is near this one's T-0, ",
                    plan.service.as_deref().unwrap_or("the same service")
                ))
                .and(words::planned(plan))
                .t("."),
            )
            .field("Others", Text::lines(others.iter().map(super::workspace::planned)))
            .field(
                WHAT_NOW,
                Text::from("Agree on an order; move one with ")
                    .code("/release reschedule")
                    .t(" if they disturb each other."),
            ),
        Notice::Departed { train } => {
            let mut message = Message::new(Tone::Plain, Text::from(format!("🚆 Draft of train “{train}” · {name}")))
                .body(
                    Text::from("T-0: ")
                        .and(words::planned(plan))
                        .t(" (")
                        .and(words::until_t0(plan))
                        .t("). Nothing is scheduled until it is submitted."),
                );
            if !release.findings.is_empty() {
                message = message.field(TO_MEND, words::findings(release));
            }
            message.field(
                WHAT_NOW,
                Text::from("Fill it in with ")
                    .code("/release edit")
                    .t(" or ")
                    .code("/release import")
                    .t(", then submit it. Not this time: ")
                    .code("/release scrub")
                    .t("; not the next one: ")
                    .code("/tminus train skip")
                    .t("."),
            )
        }
        Notice::Moved { by, from, reason } => {
            let mut body = Text::from("New T-0: ").and(words::planned(plan)).t(" (").and(words::until_t0(plan)).t(").");
            if let Some(from) = from {
                body = body.br().t("Before: ").and(words::when(*from, plan.zone())).t(".");
            }
            body = body.br().t(format!("Set by {by}. The countdown starts anew, and the required roles sign again."));
            let why = reason.as_ref().map_or_else(Text::new, |why| Text::from(format!("“{why}”")));
            Message::new(Tone::Wait, Text::from(format!("🗓️ T-0 moved · {name}"))).body(body).field("Reason", why)
        }
        Notice::Overtaken { label, audience, scrubbed: true } => {
            Message::new(Tone::Bad, Text::from(format!("🚫 Scrubbed · was {label} · {name}"))).body(Text::from(
                format!("This release was called off after {} was told. Nothing to do.", words::audience(audience)),
            ))
        }
        Notice::Overtaken { label, audience, scrubbed: false } => Message::new(
            Tone::Wait,
            Text::from(format!("🗓️ T-0 moved · was {label} · {name}")),
        )
        .body(
            Text::from(format!("The time {} was told here is no longer true. New T-0: ", words::audience(audience)))
                .and(words::planned(plan))
                .t(" (")
                .and(words::until_t0(plan))
                .t(")."),
        ),
        Notice::Scrubbed { by, reason, again } => {
            let told = if *again { " You were told it would happen; it will not." } else { "" };
            Message::new(Tone::Bad, Text::from(format!("🚫 Scrubbed · {name}")))
                .body(Text::from(format!("Called off by {by}: “{reason}”.{told}")))
        }
        _ => Message::default(),
    }
}

fn risks(release: &Release) -> Text {
    Text::lines(release.plan.risks.iter().map(|r| Text::from(format!("• {} → {}", r.risk, r.mitigation))))
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
        let stuck = release.stuck.contains_key(&crate::domain::ladder::page_key(page));
        Text::from(match (release.pages_shown.contains(page), stuck) {
            (true, false) => format!("✅ {page}: updated, and it follows the release"),
            (true, true) => format!("⛔ {page}: shows an older state; see the ops channel"),
            (false, true) => format!("⛔ {page}: not updated; see the ops channel"),
            (false, false) => format!("⏳ {page}: being updated"),
        })
    }))
}
