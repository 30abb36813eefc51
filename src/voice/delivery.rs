//! Words for the ops channel: what could not be posted, why, and what a person can do.

use super::message::{Message, Tone, WHAT_NOW};
use super::text::{Span, Text};
use super::words;
use crate::domain::delivery::{Settled, Stuck, Trouble};
use crate::domain::notice::Notice;
use crate::domain::release::Release;

pub(super) fn say(notice: &Notice, release: &Release) -> Message {
    if let Notice::OpsGone { channel, why } = notice {
        let ops = Text(vec![Span::Channel(channel.clone())]);
        let headline = format!("⛔ The ops channel takes no messages · {}", words::name(release));
        return Message::new(Tone::Bad, Text::from(headline))
            .body(
                Text::from("What T-Minus cannot post is told in ")
                    .and(ops)
                    .t(", and it may not post there, or the channel is gone."),
            )
            .field("Reason", Text::new().code(why))
            .field(
                WHAT_NOW,
                Text::from("Give the rights back (see ")
                    .code("/tminus check")
                    .t(") or set another one (")
                    .code("/tminus setup")
                    .t(", option “ops_channel”). What waits is told there then."),
            );
    }
    if let Notice::CardMoved { channel } = notice {
        return Message::new(Tone::Plain, Text::from(format!("🧭 Card moved · {}", words::name(release)))).body(
            Text::from("Another release channel was set. Where this release stands is shown in ")
                .and(Text(vec![Span::Channel(channel.clone())]))
                .t(" from here on."),
        );
    }
    let Notice::Stuck { stuck, settled, .. } = notice else { return Message::default() };
    let channel = || match stuck.channel.as_page() {
        Some(page) => Text::from(format!("the status page {page}")),
        None => Text(vec![Span::Channel(stuck.channel.clone())]),
    };
    let name = words::name(release);
    let message = match settled {
        None => match &stuck.again {
            Some(by) => Message::new(Tone::Wait, Text::from(format!("📤 Being sent again · {name}")))
                .body(Text::from(format!("{by} had it sent again. If that fails as well, it is said here."))),
            None => open(stuck, &name),
        },
        Some(Settled::Posted) if stuck.channel.as_page().is_some() => {
            Message::new(Tone::Good, Text::from(format!("✅ Status page updated after all · {name}")))
                .body(Text::from("It is on ").and(channel()).t(" now."))
        }
        Some(Settled::Posted) => Message::new(Tone::Good, Text::from(format!("✅ Posted after all · {name}")))
            .body(Text::from("The message is in ").and(channel()).t(" now.")),
        Some(Settled::CalledSent { by }) => Message::new(Tone::Good, Text::from(format!("✅ Was posted · {name}")))
            .body(Text::from(format!("{by} looked: it is in ")).and(channel()).t(".")),
        Some(Settled::Overtaken) => Message::new(Tone::Plain, Text::from(format!("🗑️ No longer needed · {name}")))
            .body(Text::from("It was not posted, and what it would say is overtaken. It is not sent any more.")),
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
    if stuck.channel.as_page().is_some() {
        return Text::from(match stuck.trouble {
            Trouble::Held => "Look at the page, then press the button that is true.",
            Trouble::Blocked => {
                "Put the text on the page by hand. Ask your operator to mend the page's key, address or right; T-Minus goes on trying."
            }
            Trouble::Dead | Trouble::Expired => "Put the text on the page by hand. Tell your operator the reason.",
        });
    }
    Text::from(match stuck.trouble {
        Trouble::Held => {
            "Look into the channel, then press the button that is true. Give T-Minus the right Read Message History there."
        }
        Trouble::Blocked => {
            "Give the rights back (see /tminus check), then press Send again; or set another channel (/tminus audience set, /tminus setup), and it goes there. Until then tell those who read that channel."
        }
        Trouble::Dead => "Tell those who read that channel. Tell your operator the reason.",
        Trouble::Expired => "Tell those who read that channel, if they still need to know.",
    })
}

fn open(stuck: &Stuck, name: &str) -> Message {
    if stuck.channel.as_page().is_some() {
        let headline = if stuck.trouble == Trouble::Held {
            "⚠️ Status page perhaps not updated"
        } else {
            "⛔ Status page not updated"
        };
        return Message::new(Tone::Bad, Text::from(format!("{headline} · {name}")))
            .body("Customers do not see this release on the page. The chat is not affected; what the page would say stands below.");
    }
    let (headline, body) = match stuck.trouble {
        Trouble::Held => (
            "⚠️ Perhaps not posted",
            "The connection broke while it was sent, and the channel's history cannot be read. It is not sent again by itself, because it might be there already.",
        ),
        Trouble::Blocked => (
            "⛔ Not posted",
            "T-Minus may not post there, or the channel is gone. It tries again by itself while the message is useful. What it says stands below.",
        ),
        Trouble::Dead => (
            "⛔ Not posted",
            "It cannot be posted as it is, and is not tried again; the reason and what it says stand below.",
        ),
        Trouble::Expired => {
            ("⛔ Not posted in time", "The message could not be posted while it was useful, and is not sent any more.")
        }
    };
    Message::new(Tone::Bad, Text::from(format!("{headline} · {name}"))).body(body)
}
