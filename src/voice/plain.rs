//! A message as plain text for a terminal: names for people, the plan's own zone for instants.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::message::Message;
use super::text::{Span, Stamp, Text};
use crate::domain::plan::span_label;

/// The message as lines. `names` tells what user ids are called; `now` is what "in 2 hours" counts from.
pub fn plain(message: &Message, zone: &str, now: Timestamp, names: &BTreeMap<String, String>) -> String {
    let line = |text: &Text| spans(text, zone, now, names);
    let mut out = line(&message.headline);
    if !message.body.is_empty() {
        out.push('\n');
        out.push_str(&line(&message.body));
    }
    for field in &message.fields {
        let value = line(&field.value);
        // The chat shows no field without words either.
        if value.trim().is_empty() {
            continue;
        }
        let value =
            if value.contains('\n') { format!("\n  {}", value.replace('\n', "\n  ")) } else { format!(" {value}") };
        out.push_str(&format!("\n{}:{value}", field.name));
    }
    if !message.buttons.is_empty() {
        let labels: Vec<String> = message.buttons.iter().map(|button| format!("[{}]", button.label)).collect();
        out.push_str(&format!("\n{}", labels.join(" ")));
    }
    out
}

/// The text in one line or several, as [`plain`] writes it.
pub(super) fn spans(text: &Text, zone: &str, now: Timestamp, names: &BTreeMap<String, String>) -> String {
    let named = |id: &str| names.get(id).cloned().unwrap_or_else(|| id.to_owned());
    let tz = crate::domain::zone_of(zone);
    text.0
        .iter()
        .map(|span| match span {
            Span::Plain(words) | Span::Bold(words) | Span::Code(words) => words.clone(),
            Span::User(user) => named(&user.0),
            Span::Role(role) => format!("@{}", role.0),
            Span::Channel(channel) => format!("#{}", channel.0),
            Span::Time(at, Stamp::Full) => tz.to_datetime(*at).strftime("%Y-%m-%d %H:%M").to_string(),
            Span::Time(at, Stamp::Short) => tz.to_datetime(*at).strftime("%H:%M").to_string(),
            Span::Time(at, Stamp::Relative) => relative(*at, now),
            Span::Break => "\n".to_owned(),
        })
        .collect()
}

fn relative(at: Timestamp, now: Timestamp) -> String {
    let minutes = (at.as_second() - now.as_second()).div_euclid(60);
    match minutes {
        0 => "now".to_owned(),
        ahead if ahead > 0 => format!("in {}", span_label(ahead.unsigned_abs())),
        past => format!("{} ago", span_label(past.unsigned_abs())),
    }
}
