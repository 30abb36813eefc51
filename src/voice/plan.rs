//! Words of a plan's way to approval: drafts, revisions, people, a moved T-0, cancelling.

use crate::domain::changes::Change;
use crate::domain::closing::Postmortem;
use crate::domain::ids::UserId;
use crate::domain::lifecycle::{PlanEvent, PlanNotice, PlanRefusal, PlanReply};
use crate::domain::people::Post;
use crate::domain::release::{Phase, Release};
use crate::domain::signoff::view::valid;
use crate::domain::{decision, rollback, signoff};
use crate::voice::imported::TO_MEND;
use crate::voice::message::{Message, Tone, WHAT_NOW};
use crate::voice::text::{Span, Stamp, Text};
use crate::voice::words::{self, in_zone};

pub(super) fn say(notice: &PlanNotice, release: &Release) -> Message {
    let name = words::name(release);
    let plan = &release.plan;
    match notice {
        PlanNotice::DraftForgotten => Message::new(Tone::Wait, Text::from(format!("⏳ Draft not submitted · {name}")))
            .body(
                Text::from("T-0: ")
                    .and(words::until_t0(&release.plan))
                    .t(". Nothing is scheduled until you submit the draft. Submit with ")
                    .code("/release submit")
                    .t(", or cancel with ")
                    .code("/release scrub")
                    .t("."),
            ),
        PlanNotice::Ticked { by, items } => {
            let lines = items.iter().map(|item| Text::from(format!("✅ {item}")));
            Message::new(Tone::Wait, Text::from(format!("⚠️ New revision ticked items · {name}")))
                .body(Text::from(format!(
                    "{by} imported revision {}, which marks these items as done.",
                    release.revision
                )))
                .field("Items", Text::lines(lines))
                .field(
                    WHAT_NOW,
                    Text::from("No action needed if they are done. If one is not, use ")
                        .code("/release concern raise")
                        .t("; go then waits."),
                )
        }
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
        PlanNotice::Scrubbed { by, reason, again } => {
            let told = if *again { " The earlier notice no longer applies." } else { "" };
            Message::new(Tone::Bad, Text::from(format!("🚫 Cancelled · {name}")))
                .body(Text::from(format!("{by} cancelled this release: “{reason}”.{told}")))
        }
        PlanNotice::HandedOver { post: part, from, to, by, reason } => {
            handed_over(release, *part, from.as_ref(), to, by, reason.as_deref())
        }
        PlanNotice::CardMoved { channel } => {
            Message::new(Tone::Plain, Text::from(format!("🧭 Card moved · {}", words::name(release)))).body(
                Text::from("The release channel changed. This release's card is now in ")
                    .and(Text(vec![Span::Channel(channel.clone())]))
                    .t("."),
            )
        }
    }
}

fn handed_over(
    release: &Release,
    part: Post,
    from: Option<&UserId>,
    to: &UserId,
    by: &str,
    reason: Option<&str>,
) -> Message {
    let mut body = Text::new().user(to).t(format!(" is now the {}", words::post(part)));
    if let Some(from) = from {
        body = body.t(", replacing ").user(from);
    }
    body = body.t(format!(". {by} handed over the role"));
    body = match reason {
        Some(reason) => body.t(format!(": “{reason}”.")),
        None => body.t("."),
    };
    let planned = release.phase.run().is_none();
    let signed: Vec<&str> = valid(release).map(|(_, signoff)| signoff.name.as_str()).collect();
    let stand = if planned && part == Post::Owner && !signed.is_empty() {
        format!(
            "Sign-offs given under the previous owner stay valid: {}. Withdraw yours if you disagree.",
            signed.join(", ")
        )
    } else {
        String::new()
    };
    Message::new(Tone::Plain, Text::from(format!("🤝 New {} · {}", words::post(part), words::name(release))))
        .body(body)
        .field("Waiting for an answer", waiting(release))
        .field("Sign-offs", if stand.is_empty() { Text::new() } else { Text::from(stand) })
        .field("From now on", Text::from("Reminders and questions for this role go to ").user(to).t("."))
}

/// Questions that are open when somebody takes a part over, and where each is answered.
fn waiting(release: &Release) -> Text {
    let mut lines = Vec::new();
    if let Some(run) = release.running() {
        if rollback::view::proposed(run).is_some() {
            lines.push(Text::from("• a rollback prompt: use its buttons, or ").code("/release rollback"));
        }
        if let Some(point) = decision::view::open(run) {
            let label = words::after(point.after_min);
            lines.push(Text::from(format!("• the decision at {label}: use its buttons, or ")).code("/release decide"));
        }
        if run.updates.missed_in_row > 0 {
            lines.push(Text::from("• an overdue update: ").code("/release update"));
        }
    }
    if matches!(release.phase, Phase::RollingBack { .. }) {
        let rollback = Text::from("• the rollback in progress: confirm it with ").code("/release rollback");
        lines.push(rollback.t(", step “verified”"));
    }
    if let Phase::Live { run } = &release.phase
        && run.stage.soak_said
    {
        lines.push(Text::from("• the next stage: ").code("/release stage"));
    }
    let unheard = release.running().into_iter().flat_map(|run| &run.alerts);
    let unheard = unheard.filter(|alert| alert.resolved_at.is_none() && alert.acked.is_none() && !alert.pre_existing);
    match unheard.count() {
        0 => {}
        count => lines.push(Text::from(format!("• unacknowledged alerts: {count}, ")).code("/release alert ack")),
    }
    let owed = signoff::view::owed(release);
    if !owed.is_empty() {
        let text = format!("• sign-offs owed after break-glass: {}", words::roles(&owed));
        lines.push(Text::from(text));
    }
    if let Some(closing) = release.phase.closing().filter(|_| !release.ended()) {
        if matches!(closing.postmortem, Postmortem::Due { .. }) {
            lines.push(Text::from("• the post-mortem: ").code("/release postmortem file"));
        }
        match closing.actions.iter().filter(|action| action.settled.is_none()).count() {
            0 => {}
            count => lines.push(Text::from(format!("• open actions: {count}, ")).code("/release item done")),
        }
    }
    match release.stuck.values().filter(|stuck| stuck.again.is_none()).count() {
        0 => {}
        count => lines.push(Text::from(format!("• stuck messages: {count}, see the ops channel"))),
    }
    if release.amendment.is_some() {
        lines.push(Text::from("• an amendment: use its buttons"));
    }
    if release.countdown.t0_asked > 0 && release.phase.run().is_none() && !release.ended() {
        lines.push(Text::from("• go / no-go: ").code("/release go"));
    }
    Text::lines(lines)
}

/// The answer to whoever asked.
pub(super) fn done(reply: &PlanReply, release: &Release) -> Text {
    let plan = &release.plan;
    match reply {
        PlanReply::Submitted if plan.channel.is_some() && plan.channel_id.is_none() => {
            Text::from("Submitted. I requested the sign-offs.")
        }
        PlanReply::Submitted => Text::from("Submitted. T-Minus requests the sign-offs in the release channel."),
        PlanReply::HandedOver { post: part } => {
            Text::from(format!("Handed over. T-Minus announces the new {}.", words::post(*part)))
        }
        PlanReply::Rescheduled { told, skipped } => {
            let mut text =
                Text::from("T-0 is now ").and(words::planned(release)).t(" (").and(words::until_t0(plan)).t(").");
            text = text.br().t("T-Minus asks the required roles to sign again.");
            if !told.is_empty() {
                let names: Vec<String> = told.iter().map(words::audience).collect();
                text = text.br().t(format!("Notified of the new time: {}.", names.join(", ")));
            }
            if !skipped.is_empty() {
                text = text.br().t(format!("Skipped, their time has passed: {}.", skipped.join(", ")));
            }
            text
        }
        // The answer to an import says what was read.
        PlanReply::Imported { .. } | PlanReply::Named => Text::new(),
        PlanReply::Scrubbed => Text::from("Cancelled. Everyone already notified gets the change."),
    }
}

/// Why not, and what to do instead.
pub(super) fn refuse(refusal: &PlanRefusal) -> Text {
    match refusal {
        PlanRefusal::EditedMeanwhile { revision } => Text::from(format!(
            "Somebody changed the plan in the meantime: it is now at revision {revision}. Check it with /release edit, then try again."
        )),
        PlanRefusal::TooManyOpen { most } => Text::from(format!(
            "This server already has {most} open releases, the maximum. Close or cancel some first: "
        ))
        .code("/release list")
        .t(", ")
        .code("/release scrub")
        .t("."),
        PlanRefusal::NotScheduledYet => {
            Text::from("A draft has no schedule yet. Change its date with ").code("/release edit").t(".")
        }
        PlanRefusal::TimePast { at } => Text::from("That time is in the past: ")
            .time(*at, Stamp::Full)
            .t(". Enter a future date and time, such as 2026-12-15 15:00 Europe/Berlin."),
    }
}

/// An event as a line of the timeline.
pub(super) fn entry(event: &PlanEvent) -> String {
    match event {
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
        PlanEvent::HandedOver { post: part, from, to, reason } => {
            let why = reason.as_ref().map_or(String::new(), |why| format!(": “{why}”"));
            let from = from.as_ref().map_or(String::new(), |from| format!(" from member {from}"));
            format!("handed the {} role{from} to member {to}{why}", words::post(*part))
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
