//! Words of handing a part over.

use super::message::{Message, Tone};
use super::text::Text;
use super::words;
use crate::domain::closing::Postmortem;
use crate::domain::command::Post;
use crate::domain::notice::Notice;
use crate::domain::release::{Phase, Release};
use crate::domain::signoff::valid;
use crate::domain::{decision, rollback, signoff};

/// The part by its name.
pub fn post(post: Post) -> &'static str {
    match post {
        Post::Owner => "release owner",
        Post::OnCall => "on-call engineer",
    }
}

pub(super) fn say(notice: &Notice, release: &Release) -> Message {
    if let Notice::Bypassed { action, by } = notice {
        return Message::new(Tone::Bad, Text::from(format!("⚠️ Past the roles · {}", words::name(release))))
            .body(Text::from(format!(
                "{by} may manage the server and did this without the role it needs: {}.",
                words::action(action)
            )))
            .field(
                "Why it could be",
                Text::from(
                    "This server lets administrators pass the roles (administrator_bypass). It stands on the timeline.",
                ),
            );
    }
    let Notice::HandedOver { post: part, from, to, by, reason } = notice else { return Message::default() };
    let mut body = Text::new().user(to).t(format!(" is the {} now", post(*part)));
    if let Some(from) = from {
        body = body.t(", in place of ").user(from);
    }
    body = body.t(format!(". Handed over by {by}"));
    body = match reason {
        Some(reason) => body.t(format!(": “{reason}”.")),
        None => body.t("."),
    };
    let planned = release.phase.run().is_none();
    let signed: Vec<&str> = valid(release).map(|(_, signoff)| signoff.name.as_str()).collect();
    let stand = if planned && *part == Post::Owner && !signed.is_empty() {
        format!(
            "Given under the owner before, they stand: {}. Whoever does not want that withdraws.",
            signed.join(", ")
        )
    } else {
        String::new()
    };
    Message::new(Tone::Plain, Text::from(format!("🤝 New {} · {}", post(*part), words::name(release))))
        .body(body)
        .field("Waiting for an answer", waiting(release))
        .field("Sign-offs", if stand.is_empty() { Text::new() } else { Text::from(stand) })
        .field("From here on", Text::from("Reminders and questions for this part go to them."))
}

/// Questions that are open when somebody takes a part over, and where each is answered.
fn waiting(release: &Release) -> Text {
    let mut lines = Vec::new();
    if let Some(run) = release.running() {
        if rollback::proposed(run).is_some() {
            lines.push(Text::from("• a rollback prompt: its buttons, or ").code("/release rollback"));
        }
        if let Some(point) = decision::open(run) {
            let label = words::after(point.after_min);
            lines.push(Text::from(format!("• the decision at {label}: its buttons, or ")).code("/release decide"));
        }
        if run.updates.missed_in_row > 0 {
            lines.push(Text::from("• the promised update: ").code("/release update"));
        }
    }
    if matches!(release.phase, Phase::RollingBack { .. }) {
        let rollback = Text::from("• the rollback that is under way: confirmed with ").code("/release rollback");
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
        count => lines.push(Text::from(format!("• alerts nobody acknowledged: {count}, ")).code("/release alert ack")),
    }
    let owed = signoff::owed(release);
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
        count => {
            lines.push(Text::from(format!("• messages that are not where they belong: {count}, in the ops channel")))
        }
    }
    if release.amendment.is_some() {
        lines.push(Text::from("• an amendment: its buttons"));
    }
    if release.t0_asked > 0 && release.phase.run().is_none() && !release.ended() {
        lines.push(Text::from("• go or no-go: ").code("/release go"));
    }
    Text::lines(lines)
}
