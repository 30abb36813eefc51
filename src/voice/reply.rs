//! The answer to whoever gave a command: to them alone, one or two sentences, with what comes next.

use jiff::Timestamp;

use super::message::{Message, Pick, Tone};
use super::notice::buttons;
use super::text::{Span, Stamp, Text};
use super::words;
use crate::domain::agenda::{MarkKind, agenda};
use crate::domain::command::Post;
use crate::domain::effect::{Choice, Prompt, Reply};
use crate::domain::plan::{Level, span_label, t_label};
use crate::domain::release::{PhaseName, Release};

/// Gives a reply its words, with the prompt its buttons or its menu lead to.
pub fn answer(reply: &Reply, release: &Release, now: Timestamp) -> (Message, Option<Prompt>) {
    match reply {
        Reply::Imported { revision, material } => imported(release, now, *revision, *material),
        Reply::Named => imported(release, now, release.revision, true),
        Reply::Received { rung } => {
            let prompt = Prompt::Received { rung: rung.clone(), generation: release.generation };
            let mut message = plain(reply, release);
            message.buttons = buttons(release, &prompt);
            (message, Some(prompt))
        }
        Reply::Went | Reply::Moved | Reply::Finished => {
            let mut message = plain(reply, release);
            message.buttons = buttons(release, &Prompt::Stepped);
            message = message.field("By mistake", Text::from("Undo it within a minute; later it stays on the record."));
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
        Reply::Submitted => ok(Text::from("Submitted. The required roles are asked in the release channel.")),
        Reply::Signed { role, whose, missing } => {
            let rest = if missing.is_empty() {
                "All required roles have signed.".to_owned()
            } else {
                format!("Still missing: {}.", words::roles(missing))
            };
            let whose = whose.as_ref().map_or("Your".to_owned(), |name| format!("{name}'s"));
            ok(Text::from(format!("{whose} {role} sign-off on revision {} is recorded. {rest}", release.revision)))
        }
        Reply::SignoffRefused { role } => {
            ok(Text::from(format!("Your refusal as {role} is recorded, and the owner is told.")))
        }
        Reply::HandedOver { post } => {
            ok(Text::from(format!("There is a new {}, and that is announced.", super::people::post(*post))))
        }
        Reply::ConcernRaised { n } => ok(Text::from(format!(
            "Concern #{n} is raised; the owner is told, and go is refused until it is resolved."
        ))),
        Reply::ConcernResolved { n } => ok(Text::from(format!("Concern #{n} is resolved, and that is announced."))),
        Reply::Snoozed { until } => ok(Text::from("The next reminder comes ")
            .time(*until, Stamp::Full)
            .t(" (")
            .time(*until, Stamp::Relative)
            .t("). It can be put off once.")),
        Reply::AmendmentProposed { n } => ok(Text::from(format!(
            "Amendment #{n} is proposed. Nothing of it holds until owner and on-call have both agreed."
        ))),
        Reply::AmendmentAgreed { n } => {
            ok(Text::from(format!("You agreed to amendment #{n}. It holds once the other part has agreed.")))
        }
        Reply::AmendmentDeclined { n } => ok(Text::from(format!("Amendment #{n} is declined; the plan stays."))),
        Reply::Amended { n } => ok(Text::from(format!("Amendment #{n} holds from now on, and that is announced."))),
        Reply::Withdrawn { role } => {
            ok(Text::from(format!("Your {role} sign-off is withdrawn, and the owner is told.")))
        }
        Reply::Received { rung } => {
            ok(Text::from(format!("Receipt for {rung} recorded. Pressed by mistake? Undo it within a minute.")))
        }
        Reply::TakenBack { rung } => ok(Text::from(format!("The receipt for {rung} is taken back; it is open again."))),
        Reply::Corrected { rung, retracted: false } => {
            ok(Text::from(format!("Corrected: {rung}. Its message shows it, and its audience is told.")))
        }
        Reply::Corrected { rung, retracted: true } => {
            ok(Text::from(format!("Retracted: {rung}. Its message shows it, and its audience is told.")))
        }
        Reply::Undone => ok(Text::from("Taken back, on the record, and announced.")),
        Reply::Went => ok(Text::from(format!(
            "{name} is live. First update due in {}.",
            span_label(u64::from(plan.update_interval_min()))
        ))),
        Reply::Moved => ok(Text::from(
            release.phase.run().map_or(String::new(), |run| format!("Now {}.", words::stage(release, run))),
        )),
        Reply::Finished => ok(Text::from("The last stage is done; watching until the all-clear.")),
        Reply::Extended { minutes } => ok(Text::from(format!("Extended by {}.", span_label(u64::from(*minutes))))),
        Reply::Held => ok(Text::from("On hold. Go on with ").code("/release resume").t(".")),
        Reply::Resumed => ok(Text::from("Resumed.")),
        Reply::UpdatePosted => ok(Text::from("Update posted.")),
        Reply::Decided { verdict } => ok(Text::from(format!("Recorded: {}.", words::verdict(*verdict)))),
        Reply::Acknowledged => ok(Text::from("Acknowledged. The alert's message shows it.")),
        Reply::Observed { metric } => ok(Text::from(format!("Recorded your value of {metric}."))),
        Reply::RollbackStarted => {
            ok(Text::from("Rollback decided and announced. Confirm with the buttons under the announcement."))
        }
        Reply::RollbackFailed => {
            ok(Text::from("Recorded: the rollback failed. Everybody on the escalation path is told."))
        }
        Reply::RolledBack => ok(Text::from("Recorded: rolled back and verified. A post-mortem is due.")),
        Reply::AllClear => ok(Text::from("All clear given, with the numbers.")),
        Reply::Rescheduled { told, skipped } => {
            let mut text =
                Text::from("T-0 is now ").and(words::planned(plan)).t(" (").and(words::until_t0(plan)).t(").");
            text = text.br().t("The required roles are asked to sign again.");
            if !told.is_empty() {
                let names: Vec<String> = told.iter().map(words::audience).collect();
                text = text.br().t(format!("Told of the new time: {}.", names.join(", ")));
            }
            if !skipped.is_empty() {
                text = text.br().t(format!("Not said, their time is past: {}.", skipped.join(", ")));
            }
            ok(text)
        }
        Reply::Excepted { freeze, until } => {
            ok(Text::from(format!("Recorded and announced: this release may pass the freeze “{freeze}”, until "))
                .time(*until, Stamp::Full)
                .t("."))
        }
        Reply::Scrubbed => ok(Text::from("Scrubbed. Whoever was told is told again.")),
        Reply::PostmortemScheduled { at } => ok(Text::from("Scheduled for ").time(*at, Stamp::Full).t(".")),
        Reply::PostmortemFiled => ok(Text::from("Post-mortem filed. Reminders stop.")),
        Reply::PostmortemWaived => ok(Text::from("Post-mortem waived. Reminders stop.")),
        Reply::ItemDone { text } => ok(Text::from(format!("Done: “{text}”"))),
        Reply::ItemWaived { text } => ok(Text::from(format!("Waived: “{text}”"))),
        Reply::SentAgain { to } => {
            let text = Text::from("It is sent again at once");
            let text = match to {
                Some(channel) => text.t(", in ").and(Text(vec![Span::Channel(channel.clone())])),
                None => text,
            };
            ok(text.t(". If that fails, the ops channel is told."))
        }
        Reply::CalledSent => ok(Text::from("Recorded: it was posted. It is not sent again.")),
        Reply::Imported { .. } | Reply::Named | Reply::Silent => Message::default(),
    };
    message.footer = words::footer(release);
    message
}

/// The field that names what stands against submitting.
pub const TO_MEND: &str = "To mend before submitting";

fn imported(release: &Release, now: Timestamp, revision: u32, material: bool) -> (Message, Option<Prompt>) {
    let plan = &release.plan;
    let headline = format!("📥 Imported · {} revision {revision}", release.no);
    let mut message = Message::new(Tone::Plain, Text::from(headline)).body(
        Text::new().b(&plan.title).br().t("T-0: ").and(match plan.t0 {
            Some(_) => words::planned(plan).t(" · ").and(words::until_t0(plan)),
            None => Text::from("not set yet"),
        }),
    );
    let asked = release.phase.name() != PhaseName::Draft;
    if revision > 1 && asked {
        let word = if material { "material: sign-offs start anew" } else { "cosmetic: sign-offs stay" };
        message = message.short("Change", Text::from(word));
    }
    if revision > 1 {
        message = message.field("What changed", words::changes(&release.changes, 10));
    }
    message = message
        .field("Read as", Text::from(format!("level {}: {}", plan.level, level(plan.level))))
        .short("Type and risk", Text::from(format!("{}, {}", words::chosen(plan.kind), words::chosen(plan.risk))))
        .field(
            "Read",
            Text::from(format!(
                "{} stages, {} metrics, {} triggers ({} watched), {} decision points, {} notices, update every {}",
                plan.stages.len(),
                plan.metrics.len(),
                plan.triggers.len(),
                plan.triggers.iter().filter(|t| t.rule.is_some()).count(),
                plan.points.len(),
                plan.rungs.len(),
                span_label(u64::from(plan.update_interval_min())),
            )),
        )
        .field("What will be said", schedule(release, now));
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
            "Who is it",
            Text::from(format!("The plan names “{}” as {word}. Pick the member once; it is remembered.", contact.name)),
        );
        message.pick = Some(Pick { placeholder: format!("Pick the {word}") });
        prompt = Some(Prompt::Person { post });
        // The fixes lead to the release as well, whichever prompt is beside them.
        message.buttons = buttons(release, &Prompt::Submit);
        message.buttons.retain(|button| button.choice != Choice::Submit);
    } else if release.phase.name() == PhaseName::Draft {
        message.buttons = buttons(release, &Prompt::Submit);
        if release.findings.is_empty() {
            message = message.field("What now", Text::from("Nothing is scheduled until it is submitted."));
        }
        prompt = (!message.buttons.is_empty()).then_some(Prompt::Submit);
    }
    message.footer = words::footer(release);
    (message, prompt)
}

/// How much of the document was understood.
fn level(level: Level) -> &'static str {
    match level {
        Level::A => "the template, read in full",
        Level::B => "a runbook; what it does not say is asked",
        Level::C => "another structure; what it does not say is asked",
        Level::D => "a checklist; the rest is asked",
    }
}

/// What would be said if it were submitted now: late, skipped, or at its time.
fn schedule(release: &Release, now: Timestamp) -> Text {
    if release.plan.t0.is_none() {
        return Text::from("Nothing can be scheduled before T-0 is set.");
    }
    let mut asked = release.clone();
    if matches!(asked.phase, crate::domain::release::Phase::Draft) {
        asked.phase = crate::domain::release::Phase::Gathering { since: now };
    }
    let rungs: Vec<_> = agenda(&asked)
        .into_iter()
        .filter_map(|mark| match mark.kind {
            MarkKind::Rung { rung } => Some((mark.at, rung)),
            _ => None,
        })
        .collect();
    let last_due = rungs.iter().filter(|(at, _)| *at <= now).map(|(at, _)| *at).max();
    let told = rungs.into_iter().map(|(at, rung)| {
        if at > now {
            Text::from(format!("{rung} at ")).time(at, Stamp::Full)
        } else if Some(at) == last_due && release.plan.t0_at().is_some_and(|t0| now < t0) {
            Text::from(format!("{rung}: at once, late"))
        } else {
            Text::from(format!("{rung}: skipped, its time has passed"))
        }
    });
    Text::lines(told.chain([Text::from(format!("{}: go or no-go is asked", t_label(0)))]))
}
