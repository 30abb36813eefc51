//! Words for the ops channel: what could not be posted, why, and what a person can do.

use super::message::{Message, Tone, WHAT_NOW};
use super::text::{Span, Text};
use super::words;
use crate::domain::delivery::DeliveryNotice;
use crate::domain::delivery::{Settled, Stuck, Trouble};
use crate::domain::ids::Place;
use crate::domain::lifecycle::PlanNotice;
use crate::domain::notice::Notice;
use crate::domain::release::Release;

pub(super) fn say(notice: &Notice, release: &Release) -> Message {
    if let DeliveryNotice::OpsGone { channel, why } = notice {
        let ops = Text(vec![Span::Channel(channel.clone())]);
        let headline = format!("🔴 T-Minus cannot post in the ops channel · {}", words::name(release));
        return Message::new(Tone::Bad, Text::from(headline))
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
            );
    }
    if let PlanNotice::CardMoved { channel } = notice {
        return Message::new(Tone::Plain, Text::from(format!("🧭 Card moved · {}", words::name(release)))).body(
            Text::from("The release channel changed. This release's card is now in ")
                .and(Text(vec![Span::Channel(channel.clone())]))
                .t("."),
        );
    }
    let DeliveryNotice::Stuck { stuck, settled, .. } = notice else { return Message::default() };
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
