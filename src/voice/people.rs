//! Words of handing a part over.

use super::message::{Message, Tone};
use super::text::Text;
use super::words;
use crate::domain::command::Post;
use crate::domain::notice::Notice;
use crate::domain::release::Release;

/// The part by its name.
pub fn post(post: Post) -> &'static str {
    match post {
        Post::Owner => "release owner",
        Post::OnCall => "on-call engineer",
    }
}

pub(super) fn say(notice: &Notice, release: &Release) -> Message {
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
    Message::new(Tone::Plain, Text::from(format!("🤝 New {} · {}", post(*part), words::name(release))))
        .body(body)
        .field(
            "From here on",
            Text::from("Reminders and new questions for this part go to them. Questions that are open already are not posted again; they may answer them."),
        )
}
