//! Words of the promised updates.

use jiff::Timestamp;

use crate::domain::release::{Release, Run};
use crate::domain::updates::{UpdateEvent, UpdateNotice, UpdateReply};
use crate::voice::message::{Message, Tone};
use crate::voice::running::{alerts_line, away, next_point};
use crate::voice::text::{Stamp, Text};
use crate::voice::words;

pub(super) fn say(notice: &UpdateNotice, release: &Release, now: Timestamp) -> Message {
    let Some(run) = release.phase.run() else { return Message::default() };
    let UpdateNotice { text, by, unchanged, merged } = notice;
    let message = update(release, run, now, (text.as_deref(), by.as_deref()), *unchanged);
    message.field("Late", away(*merged))
}

fn update(
    release: &Release,
    run: &Run,
    now: Timestamp,
    (text, by): (Option<&str>, Option<&str>),
    unchanged: Option<Timestamp>,
) -> Message {
    let at = run.updates.last.as_ref().filter(|_| unchanged.is_some()).map_or(now, |last| last.at);
    let label = release.label_at(at).unwrap_or_default();
    let mut message = Message::new(Tone::Plain, Text::from(format!("🔄 Update {label} · {}", words::name(release))));
    message = match (text, by) {
        (Some(text), Some(by)) => message.body(Text::from(format!("{by}: {text}"))),
        (None, Some(by)) => message.body(Text::from(format!("{by} reported values."))),
        _ => message.body("Latest data:"),
    };
    let next = Text::new().time(run.updates.next_due, Stamp::Short);
    let message = message
        .field("Now", Text::from(words::stage(release, run)))
        .field("Metrics", words::metrics(release, run, now))
        .field("Alerts", alerts_line(run));
    let message = match unchanged {
        Some(at) => message.field("As of", Text::new().time(at, Stamp::Full).t(" · next update by ").and(next)),
        None => message.short("Next update by", next),
    };
    message.short("Next decision", next_point(run))
}

/// The answer to whoever asked.
pub(super) fn done(reply: &UpdateReply) -> Text {
    match reply {
        UpdateReply::Posted => Text::from("Update posted."),
    }
}

/// An event as a line of the timeline.
pub(super) fn entry(event: &UpdateEvent) -> String {
    match event {
        UpdateEvent::Written { text, .. } => {
            text.as_ref().map_or("reported values".to_owned(), |t| format!("update: {t}"))
        }
        UpdateEvent::Posted | UpdateEvent::Shown { .. } => "posted an update".to_owned(),
        UpdateEvent::Unchanged => "looked again: nothing changed".to_owned(),
        UpdateEvent::Missed => "the promised update is overdue".to_owned(),
    }
}
