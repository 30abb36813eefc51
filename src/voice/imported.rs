//! The answer to an import: what was read, what is missing, what would be said.

use jiff::Timestamp;

use crate::domain::evidence::{self, Source};
use crate::domain::ladder;
use crate::domain::ladder::rung::Fate;
use crate::domain::people::Post;
use crate::domain::phase::PhaseName;
use crate::domain::plan::{Level, span_label, t_label};
use crate::domain::prompt::{Choice, Prompt};
use crate::domain::release::{self, Release};
use crate::voice::buttons::buttons;
use crate::voice::message::{Message, Pick, Tone, WHAT_NOW};
use crate::voice::text::{Span, Stamp, Text};
use crate::voice::{open, words};

/// The field that names what stands against submitting.
pub const TO_MEND: &str = "Fix before submitting";

pub(super) fn imported(release: &Release, now: Timestamp, revision: u32, material: bool) -> (Message, Option<Prompt>) {
    let plan = &release.plan;
    let headline = format!("📥 Imported · {} revision {revision}", release.no);
    let mut message = Message::new(Tone::Plain, Text::from(headline)).body(
        Text::new().b(&plan.title).br().t("T-0: ").and(match plan.t0 {
            Some(_) => words::planned(release).t(" · ").and(words::until_t0(plan)),
            None => Text::from("not set yet"),
        }),
    );
    message = message.field("Freeze", open::frozen(release));
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
pub(super) fn channel(release: &Release) -> Text {
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
    let waiting =
        ladder::rung::rungs(&asked).into_iter().filter(|rung| !asked.countdown.rungs.contains_key(&rung.key()));
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
