//! The answer to whoever gave a command: to them alone, one or two sentences, with what comes next.

use jiff::Timestamp;

use super::message::{Message, Pick, Tone, WHAT_NOW};
use super::notice::buttons;
use super::text::{Span, Stamp, Text};
use super::words;
use crate::domain::alert::AlertReply;
use crate::domain::amend::AmendReply;
use crate::domain::closing::ClosingReply;
use crate::domain::concern::ConcernReply;
use crate::domain::decision::PointReply;
use crate::domain::delivery::DeliveryReply;
use crate::domain::evidence::{self, Source};
use crate::domain::freeze::FreezeReply;
use crate::domain::ladder::LadderReply;
use crate::domain::ladder::rung::Fate;
use crate::domain::lifecycle::PlanReply;
use crate::domain::people::Post;
use crate::domain::phase::PhaseName;
use crate::domain::plan::{Level, span_label, t_label};
use crate::domain::prompt::{Choice, Prompt};
use crate::domain::release::Release;
use crate::domain::reply::Reply;
use crate::domain::rollback::RollbackReply;
use crate::domain::signoff::SignoffReply;
use crate::domain::stage::StageReply;
use crate::domain::updates::UpdateReply;
use crate::domain::{ladder, release};

/// Gives a reply its words, with the prompt its buttons or its menu lead to.
pub fn answer(reply: &Reply, release: &Release, now: Timestamp) -> (Message, Option<Prompt>) {
    match reply {
        Reply::Plan(PlanReply::Imported { revision, material }) => imported(release, now, *revision, *material),
        Reply::Plan(PlanReply::Named) => imported(release, now, release.revision, true),
        Reply::Ladder(LadderReply::Received { rung }) => {
            let prompt = Prompt::Received { rung: rung.clone(), generation: release.generation };
            let mut message = plain(reply, release);
            message.buttons = buttons(release, &prompt);
            (message, Some(prompt))
        }
        Reply::Stage(StageReply::Went) | Reply::Stage(StageReply::Moved) | Reply::Stage(StageReply::Finished) => {
            let mut message = plain(reply, release);
            message.buttons = buttons(release, &Prompt::Stepped);
            message = message.field("Undo", Text::from("Within 60 s, if this was a mistake."));
            (message, Some(Prompt::Stepped))
        }
        other => (plain(other, release), None),
    }
}

fn plain(reply: &Reply, release: &Release) -> Message {
    let name = words::name(release);
    let plan = &release.plan;
    let ok = |text: Text| Message::new(Tone::Good, Text::from(format!("✅ Done · {}", release.no))).body(text);
    let mut message = match reply {
        Reply::Plan(PlanReply::Submitted) if plan.channel.is_some() && plan.channel_id.is_none() => {
            ok(Text::from("Submitted. I requested the sign-offs.")).field("Channel", channel(release))
        }
        Reply::Plan(PlanReply::Submitted) => {
            ok(Text::from("Submitted. T-Minus requests the sign-offs in the release channel."))
        }
        Reply::Signoff(SignoffReply::Signed { role, whose, missing }) => {
            let rest = if missing.is_empty() {
                "All required roles have signed.".to_owned()
            } else {
                format!("Still missing: {}.", words::roles(missing))
            };
            let whose = whose.as_ref().map_or("Your".to_owned(), |name| format!("{name}'s"));
            ok(Text::from(format!("{whose} {role} sign-off on revision {} is recorded. {rest}", release.revision)))
        }
        Reply::Signoff(SignoffReply::Refused { role }) => {
            ok(Text::from(format!("Your refusal as {role} is recorded, and the release channel shows it.")))
        }
        Reply::Plan(PlanReply::HandedOver { post }) => {
            ok(Text::from(format!("Handed over. T-Minus announces the new {}.", super::people::post(*post))))
        }
        Reply::Concern(ConcernReply::Raised { n }) => ok(Text::from(format!(
            "Concern #{n} raised. It blocks go until somebody resolves it, and the release channel shows it."
        ))),
        Reply::Concern(ConcernReply::Resolved { n }) => {
            ok(Text::from(format!("Concern #{n} resolved, and the release channel shows it.")))
        }
        Reply::Signoff(SignoffReply::Snoozed { until }) => ok(Text::from("Next reminder: ")
            .time(*until, Stamp::Full)
            .t(" (")
            .time(*until, Stamp::Relative)
            .t("). You can delay it only once.")),
        Reply::Amend(AmendReply::Proposed { n }) => {
            ok(Text::from(format!("Amendment #{n} proposed. It takes effect once both owner and on-call agree.")))
        }
        Reply::Amend(AmendReply::Agreed { n }) => {
            ok(Text::from(format!("You agreed to amendment #{n}. It takes effect once the other role agrees.")))
        }
        Reply::Amend(AmendReply::Declined { n }) => {
            ok(Text::from(format!("Amendment #{n} declined. The plan does not change.")))
        }
        Reply::Amend(AmendReply::Amended { n }) => {
            ok(Text::from(format!("Amendment #{n} is now in effect. T-Minus announces it.")))
        }
        Reply::Signoff(SignoffReply::Withdrawn { role }) => {
            ok(Text::from(format!("Your {role} sign-off is withdrawn, and the release channel shows it.")))
        }
        Reply::Ladder(LadderReply::Received { rung }) => {
            ok(Text::from(format!("Receipt for {rung} recorded. Mistake? Undo within 60 s.")))
        }
        Reply::Ladder(LadderReply::TakenBack { rung }) => {
            ok(Text::from(format!("Receipt for {rung} undone. The notice is unconfirmed again.")))
        }
        Reply::Ladder(LadderReply::Corrected { rung, retracted: false }) => ok(Text::from(format!(
            "Corrected: {rung}. Its message shows the correction, and T-Minus notifies its audience."
        ))),
        Reply::Ladder(LadderReply::Corrected { rung, retracted: true }) => ok(Text::from(format!(
            "Retracted: {rung}. Its message shows the retraction, and T-Minus notifies its audience."
        ))),
        Reply::Stage(StageReply::Undone) => ok(Text::from("Undone. T-Minus records and announces it.")),
        Reply::Stage(StageReply::Went) => ok(Text::from(format!(
            "{name} is live. First update due in {}.",
            span_label(u64::from(plan.update_interval_min()))
        ))),
        Reply::Stage(StageReply::Moved) => ok(Text::from(
            release.phase.run().map_or(String::new(), |run| format!("Now {}.", words::stage(release, run))),
        )),
        Reply::Stage(StageReply::Finished) => ok(Text::from(
            "The last stage is done. T-Minus relays alerts until the all-clear; report values with /release alert report.",
        )),
        Reply::Stage(StageReply::Extended { minutes }) => {
            ok(Text::from(format!("Extended by {}.", span_label(u64::from(*minutes)))))
        }
        Reply::Stage(StageReply::Held) => ok(Text::from("On hold. Resume with ").code("/release resume").t(".")),
        Reply::Stage(StageReply::Resumed) => ok(Text::from("Resumed.")),
        Reply::Update(UpdateReply::Posted) => ok(Text::from("Update posted.")),
        Reply::Point(PointReply::Decided { verdict }) => {
            ok(Text::from(format!("Recorded: {}.", words::verdict(*verdict))))
        }
        Reply::Alert(AlertReply::Acknowledged) => ok(Text::from("Acknowledged.")),
        Reply::Alert(AlertReply::Observed { metric }) => ok(observed(release, metric)),
        Reply::Rollback(RollbackReply::Started) => {
            ok(Text::from("Rollback started and announced. Confirm it with the buttons under the announcement."))
        }
        Reply::Rollback(RollbackReply::Failed) => {
            ok(Text::from("Recorded: the rollback failed. T-Minus pings everybody on the escalation path."))
        }
        Reply::Rollback(RollbackReply::RolledBack { verified: true }) => {
            ok(Text::from("Recorded: rolled back and verified. A post-mortem is due."))
        }
        Reply::Rollback(RollbackReply::RolledBack { verified: false }) => ok(Text::from(
            "Recorded: rolled back, not verified. The announcement names what is open. A post-mortem is due.",
        )),
        Reply::Closing(ClosingReply::Rewatched) => {
            ok(Text::from("T-Minus watches the release again. Everyone already notified gets a message."))
        }
        Reply::Closing(ClosingReply::AllClear) => {
            ok(Text::from("You gave the all-clear. T-Minus announces it with the numbers."))
        }
        Reply::Plan(PlanReply::Rescheduled { told, skipped }) => {
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
            ok(text)
        }
        Reply::Freeze(FreezeReply::Excepted { freeze, until }) => {
            ok(Text::from(format!("Recorded and announced: this release can go live during freeze “{freeze}” (until "))
                .time(*until, Stamp::Full)
                .t(")."))
        }
        Reply::Plan(PlanReply::Scrubbed) => ok(Text::from("Cancelled. Everyone already notified gets the change.")),
        Reply::Closing(ClosingReply::PostmortemScheduled { at }) => {
            ok(Text::from("Scheduled for ").time(*at, Stamp::Full).t("."))
        }
        Reply::Closing(ClosingReply::PostmortemFiled) => ok(Text::from("Post-mortem filed. Reminders stop.")),
        Reply::Closing(ClosingReply::PostmortemWaived) => ok(Text::from("Post-mortem waived. Reminders stop.")),
        Reply::Closing(ClosingReply::ItemDone { text }) => ok(Text::from(format!("Ticked: “{text}”"))),
        Reply::Closing(ClosingReply::ItemWaived { text }) => ok(Text::from(format!("Waived: “{text}”"))),
        Reply::Delivery(DeliveryReply::SentAgain { to }) => {
            let text = Text::from("T-Minus retries now");
            let text = match to {
                Some(channel) => text.t(", in ").and(Text(vec![Span::Channel(channel.clone())])),
                None => text,
            };
            ok(text.t(". If the retry fails, the ops channel gets a report."))
        }
        Reply::Delivery(DeliveryReply::CalledSent) => {
            ok(Text::from("Recorded: the message was posted. T-Minus will not send it again."))
        }
        Reply::Plan(PlanReply::Imported { .. }) | Reply::Plan(PlanReply::Named) | Reply::Silent => Message::default(),
    };
    message.footer = words::footer(release);
    message
}

/// The field that names what stands against submitting.
pub const TO_MEND: &str = "Fix before submitting";

/// The value as it was taken, and what no fresh value is known of.
fn observed(release: &Release, metric: &str) -> Text {
    let Some(run) = release.phase.run() else { return Text::from(format!("Recorded your value for {metric}.")) };
    let planned = release.plan.metrics.iter().find(|known| known.name == metric);
    let value =
        planned.zip(run.observed.get(metric)).map(|(planned, seen)| (words::value(planned, seen.value), seen.at));
    let text = match value {
        Some((value, at)) => Text::from(format!("{metric} {value} recorded at ")).time(at, Stamp::Short).t("."),
        None => Text::from(format!("Recorded your value for {metric}.")),
    };
    let now = run.observed.get(metric).map(|seen| seen.at);
    let fresh =
        |name: &str| run.observed.get(name).zip(now).is_some_and(|(seen, now)| evidence::view::fresh(seen, now));
    let missing: Vec<&str> = release.plan.metrics.iter().map(|m| m.name.as_str()).filter(|name| !fresh(name)).collect();
    if missing.is_empty() { text } else { text.t(format!(" No fresh value yet: {}.", missing.join(", "))) }
}

fn imported(release: &Release, now: Timestamp, revision: u32, material: bool) -> (Message, Option<Prompt>) {
    let plan = &release.plan;
    let headline = format!("📥 Imported · {} revision {revision}", release.no);
    let mut message = Message::new(Tone::Plain, Text::from(headline)).body(
        Text::new().b(&plan.title).br().t("T-0: ").and(match plan.t0 {
            Some(_) => words::planned(release).t(" · ").and(words::until_t0(plan)),
            None => Text::from("not set yet"),
        }),
    );
    message = message.field("Freeze", words::frozen(release));
    let asked = release.phase.name() != PhaseName::Draft;
    if revision > 1 && asked {
        let word = if material { "material: voids the sign-offs" } else { "cosmetic: sign-offs stay valid" };
        message = message.short("Change", Text::from(word));
    }
    if revision > 1 {
        message = message.field("Changes", words::changes(&release.changes, 10));
    }
    message = message
        .field("Plan format", Text::from(level(plan.level)))
        .short("Type and risk", Text::from(format!("{}, {}", words::chosen(plan.kind), words::chosen(plan.risk))))
        .field(
            "Found",
            Text::from(format!(
                "{} stages, {} metrics, {} triggers, {} decision points, {} notices, update every {}",
                plan.stages.len(),
                plan.metrics.len(),
                plan.triggers.len(),
                plan.points.len(),
                plan.rungs.len(),
                span_label(u64::from(plan.update_interval_min())),
            )),
        )
        .field("Triggers without a source", sourceless(release))
        .field("Channel", channel(release))
        .field(if asked { "Scheduled messages" } else { "Messages after you submit" }, schedule(release, now));
    let mut prompt = None;
    if !release.findings.is_empty() {
        message.tone = Tone::Wait;
        message = message.field(TO_MEND, words::findings(release));
    }
    let named = [(Post::Owner, "owner", &plan.owner), (Post::OnCall, "on-call engineer", &plan.on_call)];
    let unknown = named.into_iter().find_map(|(post, word, contact)| {
        contact.as_ref().filter(|contact| contact.user.is_none()).map(|contact| (post, word, contact))
    });
    if let Some((post, word, contact)) = unknown {
        message = message.field(
            "Who is this?",
            Text::from(format!(
                "The plan names “{}” as {word}. Pick the member once; T-Minus remembers it.",
                contact.name
            )),
        );
        message.pick = Some(Pick { placeholder: format!("Pick the {word}") });
        prompt = Some(Prompt::Person { post });
        // The fixes lead to the release as well, whichever prompt is beside them.
        message.buttons = buttons(release, &Prompt::Submit);
        message.buttons.retain(|button| button.choice != Choice::Submit);
    } else if release.phase.name() == PhaseName::Draft {
        message.buttons = buttons(release, &Prompt::Submit);
        if release.findings.is_empty() {
            message = message.field(WHAT_NOW, Text::from("Submit the plan. T-Minus sends nothing before that."));
        }
        prompt = (!message.buttons.is_empty()).then_some(Prompt::Submit);
    }
    message.footer = words::footer(release);
    (message, prompt)
}

/// Rollback triggers that nothing can feed: a person must report.
fn sourceless(release: &Release) -> Text {
    let without =
        release.plan.triggers.iter().filter(|trigger| evidence::source(trigger, &release.policy) == Source::Person);
    Text::lines(without.map(|trigger| {
        Text::from(format!("⚪ {}: no source; a person must report (", trigger.text))
            .code("/release alert report")
            .t(")")
    }))
}

/// Where the release posts, if the plan names a channel.
fn channel(release: &Release) -> Text {
    let (plan, policy) = (&release.plan, &release.policy);
    let here = plan.channel_id.as_ref().or(policy.release_channel.as_ref());
    let here = here.map_or_else(|| Text::from("no channel"), |channel| Text(vec![Span::Channel(channel.clone())]));
    match (plan.channel_name(), &plan.channel_id) {
        (None, _) => Text::new(),
        (Some(_), Some(_)) => here,
        (Some(name), None) => Text::from("⚠️ ").and(here).t(format!(
            ": this server has no channel #{name}, and T-Minus does not create channels. To post there, create it and import again."
        )),
    }
}

/// How much of the document was understood.
fn level(level: Level) -> &'static str {
    match level {
        Level::A => "Template, read in full.",
        Level::B => "Runbook. Please add the missing details.",
        Level::C => "Free-form plan. Please add the missing details.",
        Level::D => "Checklist. Please add everything else.",
    }
}

/// What would be said if it were submitted now: late, skipped, or at its time.
fn schedule(release: &Release, now: Timestamp) -> Text {
    if release.plan.t0.is_none() {
        return Text::from("None until you set T-0.");
    }
    let mut asked = release.clone();
    if matches!(asked.phase, release::Phase::Draft) {
        asked.phase = release::Phase::Gathering { since: now };
    }
    let waiting = ladder::rung::rungs(&asked).into_iter().filter(|rung| !asked.rungs.contains_key(&rung.key()));
    let told = waiting.filter_map(|rung| {
        let key = rung.key();
        Some(match ladder::rung::fate(&asked, rung, now)? {
            Fate::Ahead(at) => Text::from(format!("{key} at ")).time(at, Stamp::Full),
            Fate::Now => Text::from(format!("{key}: now")),
            Fate::Late => Text::from(format!("{key}: now, late")),
            Fate::Missed(_) => Text::from(format!("{key}: skipped, its time has passed")),
        })
    });
    Text::lines(told.chain([Text::from(format!("{}: go / no-go", t_label(0)))]))
}
