//! Words for audiences about what became of a release: one line, in the audience's own wording where it has one.

use super::message::{Message, Tone};
use super::text::{Stamp, Text};
use super::words;
use crate::domain::ids::Audience;
use crate::domain::ladder::Outcome;
use crate::domain::release::Release;
use crate::domain::rollback;

pub(super) fn say(outcome: Outcome, audience: &Audience, release: &Release) -> Message {
    let (tone, icon, state) = state(outcome);
    let headline = format!("{icon} {} · {}", capital(state), words::name(release));
    let wording = release.policy.audiences.get(audience).and_then(|route| route.wording.as_ref());
    let body = match wording {
        Some(wording) => filled(wording, release, state),
        None => line(outcome, release),
    };
    Message::new(tone, Text::from(headline)).body(body)
}

fn state(outcome: Outcome) -> (Tone, &'static str, &'static str) {
    match outcome {
        Outcome::Live => (Tone::Good, "🚀", "live"),
        Outcome::GoUndone => (Tone::Wait, "↩️", "not live yet"),
        Outcome::OnHold => (Tone::Wait, "⏸️", "on hold"),
        Outcome::Resumed => (Tone::Good, "▶️", "resumed"),
        Outcome::RolledBack => (Tone::Bad, "↩️", "rolled back"),
        Outcome::AllClear => (Tone::Good, "✅", "all clear"),
        Outcome::Rewatched => (Tone::Wait, "👀", "watching again"),
    }
}

fn line(outcome: Outcome, release: &Release) -> Text {
    let run = release.phase.run();
    match outcome {
        Outcome::Live => match run {
            Some(run) => Text::from("The rollout started at ").time(run.go_at, Stamp::Short).t("."),
            None => Text::from("The rollout started."),
        },
        Outcome::GoUndone => Text::from("The go was undone within 60 seconds. The release is not live."),
        Outcome::OnHold => {
            Text::from("The rollout is paused for longer than planned. You get a message when it resumes.")
        }
        Outcome::Resumed => Text::from("The rollout continues."),
        Outcome::RolledBack if rollback::view::ended_unverified(release) => {
            Text::from("The team rolled the release back. It has not verified the recovery yet.")
        }
        Outcome::RolledBack => Text::from("Users are on the previous version again."),
        Outcome::AllClear => Text::from("The release is complete."),
        Outcome::Rewatched => Text::from("An alert fired after the all-clear. The team is investigating."),
    }
}

/// An audience's own wording with its placeholders filled in.
fn filled(wording: &str, release: &Release, state: &str) -> Text {
    let plan = &release.plan;
    let values = [
        ("{title}", Text::from(plan.title.as_str())),
        ("{t0}", words::planned(release)),
        ("{state}", Text::from(state)),
        ("{impact}", Text::from(plan.impact.as_deref().unwrap_or("not stated"))),
    ];
    let (mut text, mut rest) = (Text::new(), wording);
    while let Some((at, placeholder, value)) =
        values.iter().filter_map(|(name, value)| Some((rest.find(name)?, *name, value))).min_by_key(|(at, ..)| *at)
    {
        text = text.t(rest.get(..at).unwrap_or_default()).and(value.clone());
        rest = rest.get(at + placeholder.len()..).unwrap_or_default();
    }
    text.t(rest)
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
