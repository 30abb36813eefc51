//! Words for the ops channel: what could not be posted, why, and what a person can do.

use crate::domain::delivery::{DeliveryEvent, DeliveryNotice, DeliveryReply, Settled, Stuck, Trouble};
use crate::domain::ids::{ChannelId, Place};
use crate::domain::release::Release;
use crate::voice::message::{Message, Tone, WHAT_NOW};
use crate::voice::text::{Span, Text};
use crate::voice::words;

pub(super) fn say(notice: &DeliveryNotice, release: &Release) -> Message {
    match notice {
        DeliveryNotice::Stuck { stuck, settled, .. } => unsent(stuck, settled.as_ref(), release),
        DeliveryNotice::OpsGone { channel, why } => ops_gone(channel, why, release),
    }
}

fn ops_gone(channel: &ChannelId, why: &str, release: &Release) -> Message {
    let ops = Text(vec![Span::Channel(channel.clone())]);
    let headline = format!("🔴 T-Minus cannot post in the ops channel · {}", words::name(release));
    Message::new(Tone::Bad, Text::from(headline))
        .body(
            Text::from("T-Minus reports undelivered messages in ")
                .and(ops)
                .t(", but it lacks permission to post there, or the channel is gone."),
        )
        .field("Reason", Text::new().code(why))
        .field(
            WHAT_NOW,
            Text::from("Restore the permissions (see ")
                .code("/tminus check")
                .t(") or set another ops channel (")
                .code("/tminus setup")
                .t(", option “ops_channel”). T-Minus then posts the waiting reports there."),
        )
}

fn unsent(stuck: &Stuck, settled: Option<&Settled>, release: &Release) -> Message {
    let channel = || match &stuck.place {
        Place::Page(page) => Text::from(format!("the status page {page}")),
        Place::Channel(channel) => Text(vec![Span::Channel(channel.clone())]),
    };
    let name = words::name(release);
    let message = match settled {
        None => match &stuck.again {
            Some(by) => Message::new(Tone::Wait, Text::from(format!("⏳ Sending again · {name}"))).body(Text::from(
                format!("{by} retried this message. If the retry fails too, T-Minus reports it here."),
            )),
            None => open(stuck, &name),
        },
        Some(Settled::Posted) if stuck.place.channel().is_none() => {
            Message::new(Tone::Good, Text::from(format!("✅ Status page updated after all · {name}")))
                .body(Text::from("The update is now on ").and(channel()).t("."))
        }
        Some(Settled::Posted) => Message::new(Tone::Good, Text::from(format!("✅ Posted after all · {name}")))
            .body(Text::from("The message is now in ").and(channel()).t(".")),
        Some(Settled::CalledSent { by }) => {
            Message::new(Tone::Good, Text::from(format!("✅ Confirmed as posted · {name}")))
                .body(Text::from(format!("{by} checked ")).and(channel()).t(": the message is there."))
        }
        Some(Settled::Overtaken) => Message::new(Tone::Plain, Text::from(format!("🗑️ No longer needed · {name}")))
            .body(Text::from("This message was never posted and is now superseded. T-Minus will not send it.")),
    };
    let why = if settled.is_none() { Text::new().code(&stuck.why) } else { Text::new() };
    message
        .field("Message", Text::from(stuck.said.clone()))
        .short("Channel", channel())
        .short("Reason", why)
        .field(WHAT_NOW, what_now(stuck, settled.is_none()))
}

fn what_now(stuck: &Stuck, open: bool) -> Text {
    if !open || stuck.again.is_some() {
        return Text::new();
    }
    if stuck.place.channel().is_none() {
        return Text::from(match stuck.trouble {
            Trouble::Held => "Check the page, then press “It was posted” or “Send again”.",
            Trouble::Blocked => {
                "Post the text on the page by hand. Ask your operator to fix the page's key, address or permission; T-Minus keeps trying."
            }
            Trouble::Dead | Trouble::Expired => "Post the text on the page by hand. Send your operator the reason.",
        });
    }
    Text::from(match stuck.trouble {
        Trouble::Held => {
            "Check the channel, then press “It was posted” or “Send again”. Give T-Minus the Read Message History permission there."
        }
        Trouble::Blocked => {
            "Restore the permissions (see /tminus check), then press “Send again”; or set another channel (/tminus audience set, /tminus setup), and T-Minus posts it there. Until then, inform the channel's readers yourself."
        }
        Trouble::Dead => "Inform the channel's readers yourself. Send your operator the reason.",
        Trouble::Expired => "Inform the channel's readers yourself if they still need to know.",
    })
}

fn open(stuck: &Stuck, name: &str) -> Message {
    if stuck.place.channel().is_none() {
        let headline = if stuck.trouble == Trouble::Held {
            "⚠️ Status page may not be updated"
        } else {
            "🔴 Status page not updated"
        };
        return Message::new(Tone::Bad, Text::from(format!("{headline} · {name}")))
            .body("Customers may not see the current state of this release. Chat messages are not affected. The text for the page is below.");
    }
    let (headline, body) = match stuck.trouble {
        Trouble::Held => (
            "⚠️ Message may not be posted",
            "The connection broke while T-Minus was sending this message. T-Minus cannot read the channel's history to check, so it does not retry: the message might appear twice.",
        ),
        Trouble::Blocked => (
            "🔴 Not posted",
            "T-Minus lacks permission to post there, or the channel is gone. It retries while the message is useful. The text is below.",
        ),
        Trouble::Dead => (
            "🔴 Not posted",
            "This message cannot be posted as it is, and T-Minus will not retry. The reason and the text are below.",
        ),
        Trouble::Expired => (
            "🔴 Not posted in time",
            "T-Minus could not post this message while it was useful, and will not send it now.",
        ),
    };
    Message::new(Tone::Bad, Text::from(format!("{headline} · {name}"))).body(body)
}

/// The answer to whoever asked.
pub(super) fn done(reply: &DeliveryReply) -> Text {
    match reply {
        DeliveryReply::SentAgain { to } => {
            let text = Text::from("T-Minus retries now");
            let text = match to {
                Some(channel) => text.t(", in ").and(Text(vec![Span::Channel(channel.clone())])),
                None => text,
            };
            text.t(". If the retry fails, the ops channel gets a report.")
        }
        DeliveryReply::CalledSent => Text::from("Recorded: the message was posted. T-Minus will not send it again."),
    }
}

/// An event as a line of the timeline.
pub(super) fn entry(event: &DeliveryEvent) -> String {
    match event {
        DeliveryEvent::Stuck { stuck, .. } => match stuck.trouble {
            Trouble::Held => format!("may not be posted, waiting for a person: {}", stuck.said),
            Trouble::Blocked => format!("cannot post yet ({}): {}", stuck.why, stuck.said),
            Trouble::Dead => format!("cannot post ({}): {}", stuck.why, stuck.said),
            Trouble::Expired => format!("not posted in time: {}", stuck.said),
        },
        DeliveryEvent::Freed { .. } => "posted a stuck message".to_owned(),
        DeliveryEvent::Dropped { .. } => "dropped a stuck message: superseded".to_owned(),
        DeliveryEvent::SentAgain { to: None, .. } => "retried a stuck message".to_owned(),
        DeliveryEvent::SentAgain { .. } => "retried a stuck message in the new channel".to_owned(),
        DeliveryEvent::CalledSent { .. } => "confirmed that a stuck message was posted".to_owned(),
    }
}
