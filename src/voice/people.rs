//! Words of handing a part over.

use super::message::{Message, Tone};
use super::text::Text;
use super::words;
use crate::domain::closing::Postmortem;
use crate::domain::lifecycle::PlanNotice;
use crate::domain::notice::Notice;
use crate::domain::people::Post;
use crate::domain::release::{Phase, Release};
use crate::domain::rights::RightsNotice;
use crate::domain::signoff::view::valid;
use crate::domain::{decision, rollback, signoff};

/// The part by its name.
pub fn post(post: Post) -> &'static str {
    match post {
        Post::Owner => "release owner",
        Post::OnCall => "on-call engineer",
    }
}

pub(super) fn say(notice: &Notice, release: &Release) -> Message {
    if let RightsNotice::Bypassed { action, by } = notice {
        return Message::new(Tone::Bad, Text::from(format!("⚠️ Administrator override · {}", words::name(release))))
            .body(Text::from(format!(
                "{by} used the Manage Server permission to do this without the required role: {}.",
                words::action(action)
            )))
            .field(
                "Why this is possible",
                Text::from(
                    "This server allows administrator overrides (administrator_bypass). The timeline records each one.",
                ),
            );
    }
    let PlanNotice::HandedOver { post: part, from, to, by, reason } = notice else { return Message::default() };
    let mut body = Text::new().user(to).t(format!(" is now the {}", post(*part)));
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
    let stand = if planned && *part == Post::Owner && !signed.is_empty() {
        format!(
            "Sign-offs given under the previous owner stay valid: {}. Withdraw yours if you disagree.",
            signed.join(", ")
        )
    } else {
        String::new()
    };
    Message::new(Tone::Plain, Text::from(format!("🤝 New {} · {}", post(*part), words::name(release))))
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
    if release.t0_asked > 0 && release.phase.run().is_none() && !release.ended() {
        lines.push(Text::from("• go / no-go: ").code("/release go"));
    }
    Text::lines(lines)
}
