//! Words of the concerns.

use crate::domain::concern::{self, Concern, ConcernEvent, ConcernNotice, ConcernReply, Resolved};
use crate::domain::release::Release;
use crate::voice::message::{Message, Tone, WHAT_NOW};
use crate::voice::text::{Stamp, Text};
use crate::voice::words;

pub(super) fn say(notice: &ConcernNotice, release: &Release) -> Message {
    let find = |n: u32| release.concerns.iter().find(|concern| concern.n == n);
    match notice {
        ConcernNotice::State { n } => find(*n).map_or_else(Message::default, |concern| raised(concern, release)),
        ConcernNotice::Resolved { n } => match find(*n).and_then(|concern| Some((concern, concern.resolved.as_ref()?)))
        {
            Some((concern, resolved)) => ended(concern, resolved, release),
            None => Message::default(),
        },
    }
}

fn raised(concern: &Concern, release: &Release) -> Message {
    let (n, name) = (concern.n, words::name(release));
    let body = Text::new().and(who(concern)).t(format!(": “{}”", concern.text));
    match &concern.resolved {
        None => Message::new(Tone::Bad, Text::from(format!("✋ Concern #{n} · {name}"))).body(body).field(
            WHAT_NOW,
            Text::from(if release.phase.run().is_some() {
                "Go went ahead by break-glass despite this concern, which stays open. "
            } else {
                "This concern blocks go. "
            })
            .user(&concern.by)
            .t(" or a release manager can resolve it with ")
            .code("/release concern resolve")
            .t("."),
        ),
        Some(resolved) => Message::new(Tone::Plain, Text::from(format!("✅ Concern #{n} resolved · {name}")))
            .body(body)
            .field("Resolved", how(resolved)),
    }
}

fn ended(concern: &Concern, resolved: &Resolved, release: &Release) -> Message {
    let left = concern::view::open(release).count();
    let rest = match left {
        0 => "No open concerns.".to_owned(),
        1 => "One concern is still open.".to_owned(),
        n => format!("{n} concerns are still open."),
    };
    Message::new(Tone::Good, Text::from(format!("✅ Concern #{} resolved · {}", concern.n, words::name(release))))
        .body(Text::new().and(who(concern)).t(format!(": “{}”", concern.text)))
        .field("Resolved", how(resolved))
        .field("Remaining", Text::from(rest))
}

fn who(concern: &Concern) -> Text {
    Text::new().user(&concern.by)
}

fn how(resolved: &Resolved) -> Text {
    Text::from(format!("{}: “{}” ", resolved.by, resolved.how)).time(resolved.at, Stamp::Relative)
}

/// The answer to whoever asked.
pub(super) fn done(reply: &ConcernReply) -> Text {
    match reply {
        ConcernReply::Raised { n } => Text::from(format!(
            "Concern #{n} raised. It blocks go until somebody resolves it, and the release channel shows it."
        )),
        ConcernReply::Resolved { n } => Text::from(format!("Concern #{n} resolved, and the release channel shows it.")),
    }
}

/// An event as a line of the timeline.
pub(super) fn entry(event: &ConcernEvent) -> String {
    match event {
        ConcernEvent::Raised { n, text, .. } => format!("raised concern #{n}: “{text}”"),
        ConcernEvent::Resolved { n, how } => format!("resolved concern #{n}: “{how}”"),
    }
}
