//! Words of the notices before T-0 and of their receipts.

use crate::domain::ids::Audience;
use crate::domain::ladder::view::unconfirmed;
use crate::domain::ladder::{self, LadderNotice, LadderRefusal, LadderReply, NoticeEvent, RungMissed, RungSaid};
use crate::domain::plan::RungPlan;
use crate::domain::release::{Phase, Release};
use crate::voice::message::{Message, Tone, WHAT_NOW};
use crate::voice::text::{Stamp, Text};
use crate::voice::{open, outcome, words};

/// From so many minutes before T-0 on a notice is a check of go or no-go as well.
const LAST_CHECK_MIN: u32 = 30;

pub(super) fn say(notice: &LadderNotice, release: &Release) -> Message {
    let name = words::name(release);
    let plan = &release.plan;
    match notice {
        LadderNotice::Rung { rung, label, audience, text: _, late, not_sent, open, quiet } => {
            let receipt = release.countdown.rungs.get(rung).and_then(|state| state.receipt.as_ref());
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
            let correction = release.countdown.rungs.get(rung).and_then(|state| state.correction.as_ref());
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
                .field("Audience", Text::from(super::running::sentence(&words::audience(audience))))
                .field("People", words::people(release))
                .field("Readiness", Text::from(open::readiness(release, open)));
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
        LadderNotice::Outcome { outcome, audience } => outcome::say(*outcome, audience, release),
        // A status page has its own words.
        LadderNotice::Page => Message::default(),
    }
}

/// Alerts of the service that fire before go.
pub(super) fn firing(release: &Release) -> Text {
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
        Text::from(match (release.countdown.pages_shown.contains(page), stuck) {
            (true, false) => format!("✅ {page}: updated; T-Minus keeps it current"),
            (true, true) => format!("⚠️ {page}: out of date; see the ops channel"),
            (false, true) => format!("🔴 {page}: not updated; see the ops channel"),
            (false, false) => format!("⏳ {page}: updating"),
        })
    }))
}

/// The answer to whoever asked.
pub(super) fn done(reply: &LadderReply) -> Text {
    match reply {
        LadderReply::Received { rung } => {
            Text::from(format!("Receipt for {rung} recorded. Mistake? Undo within 60 s."))
        }
        LadderReply::TakenBack { rung } => {
            Text::from(format!("Receipt for {rung} undone. The notice is unconfirmed again."))
        }
        LadderReply::Corrected { rung, retracted: false } => Text::from(format!(
            "Corrected: {rung}. Its message shows the correction, and T-Minus notifies its audience."
        )),
        LadderReply::Corrected { rung, retracted: true } => Text::from(format!(
            "Retracted: {rung}. Its message shows the retraction, and T-Minus notifies its audience."
        )),
    }
}

/// Why not, and what to do instead.
pub(super) fn refuse(refusal: &LadderRefusal) -> Text {
    match refusal {
        LadderRefusal::AudienceUnmapped { audience } => Text::from(format!(
            "No chat role is mapped to {}, so nobody can confirm for it. Ask an administrator to map one with ",
            words::audience(audience)
        ))
        .code("/tminus setup")
        .t("."),
        LadderRefusal::NotOfAudience { audience, role } => {
            Text::from(format!("Only {} can confirm this: ", words::audience(audience))).role(role).t(".")
        }
        LadderRefusal::NobodyConfirms { audience } if *audience == Audience::engineering() => {
            Text::from("Go can't wait for engineering: engineering notices need no receipt.")
        }
        LadderRefusal::NobodyConfirms { audience } => Text::from(format!(
            "Go can wait for {} only if a role can confirm. Set that role as well.",
            words::audience(audience)
        )),
        LadderRefusal::NotPosted { rung } => {
            Text::from(format!("You can't correct {rung}: T-Minus has not posted it."))
        }
    }
}

/// An event as a line of the timeline.
pub(super) fn entry(event: &NoticeEvent) -> String {
    match event {
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
    }
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
