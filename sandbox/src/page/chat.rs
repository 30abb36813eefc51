//! The chat itself: channels with what is new, people to be, messages with everything that can stand in one, forms.

use std::hash::{DefaultHasher, Hash, Hasher};

use maud::{Markup, html};
use serde_json::{Value, json};

use super::View;
use super::markup::markup;
use crate::act::parts;
use crate::json::{content_type, rfc3339};
use crate::model::{Channel, Message, State};
use crate::world::PersonSeed;

/// The hint in a channel without messages.
pub(super) const EMPTY: &str = "No messages yet. Press “Next step” to play the story, or type / to see the commands.";
/// How many messages a channel shows.
const SHOWN: usize = 80;
/// Messages of one author this close together are one block, in milliseconds.
const TOGETHER_MS: i64 = 7 * 60_000;

pub(super) fn channels(state: &State, view: &View) -> Markup {
    let mut categories: Vec<&str> = Vec::new();
    for channel in state.channels.values().filter(|c| c.parent.is_none()) {
        if !categories.contains(&channel.category.as_str()) {
            categories.push(&channel.category);
        }
    }
    // In the order of the seeds, then what was made since.
    let place = |channel: &Channel| state.world.channels.iter().position(|s| s.id == channel.id).unwrap_or(usize::MAX);
    html! {
        @for category in categories {
            h2 { (category) }
            ul {
                @let mut list: Vec<&Channel> = state.channels.values().filter(|c| c.parent.is_none() && c.category == category).collect();
                @let () = list.sort_by_key(|c| (place(c), c.id));
                @for channel in list {
                    li {
                        (entry(state, view, channel, "#"))
                        @let threads: Vec<&Channel> = state.channels.values().filter(|c| c.parent == Some(channel.id)).collect();
                        @if !threads.is_empty() {
                            ul.threads { @for thread in threads { li { (entry(state, view, thread, "↳")) } } }
                        }
                    }
                }
            }
        }
    }
}

fn entry(state: &State, view: &View, channel: &Channel, sign: &str) -> Markup {
    let (new, called) = if channel.id == view.here { (0, 0) } else { state.unread(view.me, channel.id) };
    html! {
        a href=(view.link(&view.who, &channel.name)) class=(if new > 0 { "unread" } else { "" }) aria-current=[(channel.id == view.here).then_some("page")] {
            span aria-hidden="true" { (sign) " " } (channel.name)
            @if called > 0 { span.badge { (called) span.unseen { " mention you" } } }
            @else if new > 0 { span.dot { span.unseen { " (" (new) " new)" } } }
        }
    }
}

fn roles(state: &State, person: &PersonSeed) -> String {
    let name = |id: &u64| state.world.roles.iter().find(|r| r.id == *id).map(|r| r.name.clone());
    let names: Vec<String> = person.roles.iter().filter_map(name).collect();
    if names.is_empty() { "no role".to_owned() } else { names.join(", ") }
}

pub(super) fn people(state: &State, view: &View) -> Markup {
    html! {
        h2 { "Act as" }
        ul {
            @for person in &state.world.people {
                @let called: usize = state.channels.keys().map(|channel| state.unread(person.id, *channel).1).sum();
                li {
                    a.person href=(view.link(&person.username, &view.channel)) aria-current=[(person.id == view.me).then_some("true")] {
                        (avatar(&person.name, false))
                        span.names { (person.name) small { (roles(state, person)) } }
                        @if called > 0 && person.id != view.me { span.badge { (called) span.unseen { " mention them" } } }
                    }
                }
            }
        }
    }
}

fn avatar(name: &str, bot: bool) -> Markup {
    let initials: String = name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect();
    let colour = name.bytes().map(usize::from).sum::<usize>() % 6;
    html! { span class=(if bot { "avatar bot".to_owned() } else { format!("avatar c{colour}") }) aria-hidden="true" { (initials.to_uppercase()) } }
}

pub(super) fn head(state: &State, view: &View) -> Markup {
    let topic = state.channels.get(&view.here).map_or("", |c| c.topic.as_str());
    let pins: Vec<&Message> = state.in_channel(view.here).filter(|m| m.pinned).collect();
    html! {
        h1 { "#" (view.channel) }
        @if !topic.is_empty() { p.topic { (topic) } }
        details.drop name="head" {
            summary { "📌 Pins" @if !pins.is_empty() { " (" (pins.len()) ")" } }
            div.sheet {
                @if pins.is_empty() { p { "This channel has no pinned messages." } }
                @for pin in pins { p { a href=(format!("#m{}", pin.id)) { (summary(pin)) } } }
            }
        }
        details.drop name="head" {
            summary { "🗓 Events" @if !state.scheduled.is_empty() { " (" (state.scheduled.len()) ")" } }
            div.sheet {
                @if state.scheduled.is_empty() { p { "There are no scheduled events." } }
                @for event in state.scheduled.values() {
                    p { strong { (event["name"].as_str().unwrap_or_default()) } " · " (instant(&event["scheduled_start_time"]))
                        br; (event["entity_metadata"]["location"].as_str().unwrap_or_default()) }
                }
            }
        }
    }
}

/// An instant as the bot wrote it, in the viewer's zone.
fn instant(value: &Value) -> Markup {
    let written = value.as_str().unwrap_or_default();
    html! { time datetime=(written) data-style="f" { (written) } }
}

/// A message in a few words.
pub(super) fn summary(message: &Message) -> String {
    message.headline().chars().take(80).collect()
}

fn visible<'s>(state: &'s State, view: &View) -> Vec<&'s Message> {
    let me = view.me;
    let newest = state.in_channel(view.here).rev().filter(|m| m.only.is_none_or(|only| only == me)).take(SHOWN);
    let mut shown: Vec<&Message> = newest.collect();
    shown.reverse();
    shown
}

/// Whether a message goes on from the one before it.
fn follows(message: &Message, before: Option<&&Message>) -> bool {
    before.is_some_and(|before| {
        before.author == message.author
            && before.only == message.only
            && message.by.is_none()
            && message.at_ms - before.at_ms < TOGETHER_MS
    })
}

fn articles(state: &State, view: &View) -> Vec<(u64, String)> {
    let shown = visible(state, view);
    let one = |(n, message): (usize, &&Message)| {
        let before = n.checked_sub(1).and_then(|n| shown.get(n));
        (message.id, article(state, view, message, follows(message, before)).into_string())
    };
    shown.iter().enumerate().map(one).collect()
}

pub(super) fn messages(state: &State, view: &View) -> Markup {
    let list = articles(state, view);
    html! {
        @if list.is_empty() { p.empty { (EMPTY) } }
        @for (_, article) in list { (maud::PreEscaped(article)) }
    }
}

/// The messages with a mark of what they say, so that only those that changed are shown anew.
pub(super) fn list(state: &State, view: &View) -> Value {
    let mark = |html: &str| {
        let mut hasher = DefaultHasher::new();
        html.hash(&mut hasher);
        format!("{:x}", hasher.finish())
    };
    Value::Array(
        articles(state, view).into_iter().map(|(id, html)| json!([id.to_string(), mark(&html), html])).collect(),
    )
}

fn article(state: &State, view: &View, message: &Message, follows: bool) -> Markup {
    let person = message.author.and_then(|id| state.world.by_id(id));
    let name = person.map_or(state.world.bot.as_str(), |p| p.name.as_str());
    let called = state.calls(message, view.me);
    let highlighted = view.step.is_some_and(|step| message.step == Some(step.saturating_sub(1)));
    let mut class = "message".to_owned();
    for (is, word) in [
        (message.only.is_some(), " only"),
        (called, " called"),
        (follows, " follows"),
        (highlighted, " linked"),
        (message.body["flags"].as_u64().unwrap_or(0) & (1 << 12) != 0, " silent"),
    ] {
        if is {
            class.push_str(word);
        }
    }
    let at = rfc3339(message.at_ms);
    html! {
        article id=(format!("m{}", message.id)) class=(class) data-at=(message.at_ms / 1000) {
            @if let Some((by, used)) = message.by.as_ref().filter(|(_, used)| used.starts_with('/')) {
                @let who = state.world.by_id(*by).map_or("somebody", |p| p.name.as_str());
                p.used { "↱ " (who) " used " span.pill { (used) } }
            }
            @if let Some((id, headline)) = replied(state, message) {
                p.used { "↱ replies to " a href=(format!("#m{id}")) { (headline) } }
            }
            @if !follows { (avatar(name, person.is_none())) }
            div.body {
                @if !follows {
                    p.by { strong { (name) } @if person.is_none() { span.app { "APP" } }
                        time datetime=(at) data-at=(message.at_ms / 1000) data-style="f" { (at) }
                        @if called { span.unseen { " mentions you" } } }
                }
                (said(state, message))
                (components(state, message))
                @if let Some(thread) = state.channels.get(&message.id) {
                    p.thread { a href=(view.link(&view.who, &thread.name)) { "Thread: " (thread.name) } }
                }
                @if message.only.is_some() {
                    p.private { "👁 Only you can see this · " button.link type="button" data-dismiss=(message.id) { "Dismiss" } }
                }
            }
        }
    }
}

/// The message it is a reply to, while that stands, and what that is about.
fn replied<'s>(state: &'s State, message: &Message) -> Option<(u64, &'s str)> {
    let id = message.body["message_reference"]["message_id"].as_str()?.parse().ok()?;
    let body = &state.message(id)?.body;
    Some((id, body["embeds"][0]["title"].as_str().or(body["content"].as_str())?))
}

fn said(state: &State, message: &Message) -> Markup {
    let content = message.body["content"].as_str().filter(|t| !t.is_empty());
    html! {
        @if let Some(text) = content { div.text { (markup(state, text)) @if message.edited_ms.is_some() { span.edited { " (edited)" } } } }
        @for embed in message.body["embeds"].as_array().into_iter().flatten() { (self::embed(state, embed)) }
        @for file in &message.files {
            @let address = format!("/cdn/{}/{}", file.id, crate::json::encoded(&file.name));
            @if content_type(&file.name).starts_with("image/") {
                figure { img src=(address) alt=(file.description.as_deref().unwrap_or(&file.name)); }
            } @else {
                details.file { summary { "📎 " (file.name) " · " (file.bytes.len()) " bytes" }
                    pre tabindex="0" { (String::from_utf8_lossy(&file.bytes).chars().take(20_000).collect::<String>()) }
                    p { a href=(address) download=(file.name) { "Download" } } }
            }
        }
        @if content.is_none() && message.edited_ms.is_some() { span.edited { "(edited)" } }
    }
}

fn embed(state: &State, embed: &Value) -> Markup {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    html! {
        div.embed data-colour=(format!("#{:06x}", embed["color"].as_u64().unwrap_or(0x80_848e))) {
            @if let Some(author) = embed["author"]["name"].as_str() { p.author { (author) } }
            @if let Some(title) = embed["title"].as_str() {
                h3 { @match embed["url"].as_str() {
                    Some(url) => { a href=(url) target="_blank" rel="noreferrer noopener" { (title) } }
                    None => { (markup(state, title)) }
                } }
            }
            @if let Some(description) = embed["description"].as_str() { div.text { (markup(state, description)) } }
            div.fields {
                @for field in embed["fields"].as_array().into_iter().flatten() {
                    div class=(if field["inline"] == true { "field short" } else { "field" }) {
                        strong { (text(&field["name"])) }
                        div.text { (markup(state, &text(&field["value"]))) }
                    }
                }
            }
            @for kind in ["image", "thumbnail"] {
                @if let Some(address) = embed[kind]["url"].as_str() { (picture(address, embed["title"].as_str().unwrap_or(kind))) }
            }
            @let at = &embed["timestamp"];
            @if embed["footer"]["text"].is_string() || at.is_string() {
                p.footer { (text(&embed["footer"]["text"])) @if at.is_string() { " " (instant(at)) } }
            }
        }
    }
}

/// A picture by its address. The page's policy lets only this machine's through; of others the address is shown.
fn picture(address: &str, about: &str) -> Markup {
    html! {
        @if address.starts_with("data:") || address.starts_with("http://127.0.0.1") { figure { img src=(address) alt=(about); } }
        @else { p.hint { "🖼 " (address) } }
    }
}

/// Buttons and menus, and the layout of the newer kind of components.
fn components(state: &State, message: &Message) -> Markup {
    html! { @for part in message.body["components"].as_array().into_iter().flatten() { (component(state, message.id, part)) } }
}

fn component(state: &State, message: u64, part: &Value) -> Markup {
    let inner = || part["components"].as_array().into_iter().flatten();
    html! {
        @match part["type"].as_u64().unwrap_or(0) {
            1 => { div.row { @for part in inner() { (component(state, message, part)) } } }
            2 if part["style"] == 5 => {
                a.button.link-out href=(part["url"].as_str().unwrap_or_default()) target="_blank" rel="noreferrer noopener" { (part["label"].as_str().unwrap_or("Open")) " ↗" }
            }
            2 => {
                button type="button" class=(format!("button style{}", part["style"].as_u64().unwrap_or(2))) disabled[part["disabled"] == true] data-use=(part["custom_id"].as_str().unwrap_or_default()) data-message=(message) {
                    @if let Some(emoji) = part["emoji"]["name"].as_str() { (emoji) " " }
                    (part["label"].as_str().unwrap_or_default())
                }
            }
            3 | 5..=8 => { (menu(state, message, part)) }
            9 => { div.section { div { @for part in inner() { (component(state, message, part)) } } (component(state, message, &part["accessory"])) } }
            10 => { div.text { (markup(state, part["content"].as_str().unwrap_or_default())) } }
            11 => { (picture(part["media"]["url"].as_str().unwrap_or_default(), part["description"].as_str().unwrap_or("picture"))) }
            12 => { @for item in part["items"].as_array().into_iter().flatten() {
                (picture(item["media"]["url"].as_str().unwrap_or_default(), item["description"].as_str().unwrap_or("picture")))
            } }
            14 => { hr; }
            17 => { div.embed { @for part in inner() { (component(state, message, part)) } } }
            _ => {}
        }
    }
}

fn menu(state: &State, message: u64, part: &Value) -> Markup {
    let named = |id: u64, name: &str| (id.to_string(), name.to_owned(), String::new());
    let entries: Vec<(String, String, String)> = match part["type"].as_u64() {
        Some(5) => state.world.people.iter().map(|p| named(p.id, &p.name)).collect(),
        Some(6) => state.world.roles.iter().map(|r| named(r.id, &r.name)).collect(),
        Some(7) => {
            let people = state.world.people.iter().map(|p| named(p.id, &p.name));
            people.chain(state.world.roles.iter().map(|r| named(r.id, &format!("@{}", r.name)))).collect()
        }
        Some(8) => state
            .channels
            .values()
            .filter(|c| c.parent.is_none())
            .map(|c| named(c.id, &format!("#{}", c.name)))
            .collect(),
        _ => {
            let text = |o: &Value, key: &str| o[key].as_str().unwrap_or_default().to_owned();
            let options = part["options"].as_array().into_iter().flatten();
            options.map(|o| (text(o, "value"), text(o, "label"), text(o, "description"))).collect()
        }
    };
    let placeholder = part["placeholder"].as_str().unwrap_or("Choose");
    let several = part["max_values"].as_u64().unwrap_or(1) > 1;
    let id = part["custom_id"].as_str().unwrap_or_default();
    html! {
        select aria-label=(placeholder) disabled[part["disabled"] == true] multiple[several] data-use=(id) data-message=(message) {
            @if !several { option value="" { (placeholder) } }
            @for (value, label, about) in entries {
                option value=(value) { (label) @if !about.is_empty() { " – " (about) } }
            }
        }
        @if several { button.button.style2 type="button" data-several=(id) { "Choose these" } }
    }
}

/// A form that opened, for its dialog.
pub(super) fn form(number: u64, data: &Value) -> Markup {
    html! {
        form.modal data-form=(number) novalidate {
            h2 #dialog-title { (data["title"].as_str().unwrap_or_default()) }
            @for input in parts(data) {
                @let id = input["custom_id"].as_str().unwrap_or_default();
                @let required = input["required"] != false;
                @let most = input["max_length"].as_u64().unwrap_or(4000);
                @let value = input["value"].as_str().unwrap_or_default();
                @let place = format!("in-{id}");
                div.input {
                    label for=(place) { (input["label"].as_str().unwrap_or_default()) @if required { span.must { " (required)" } } }
                    @if input["style"] == 1 {
                        input id=(place) name=(id) type="text" maxlength=(most) required[required] value=(value) placeholder=[input["placeholder"].as_str()];
                    } @else {
                        textarea id=(place) name=(id) rows="6" maxlength=(most) required[required] placeholder=[input["placeholder"].as_str()] { (value) }
                    }
                    small.count data-for=(place) { (value.chars().count()) " / " (most) }
                }
            }
            p.wrong role="alert" {}
            div.row {
                button.button.style2 type="button" data-close="" { "Cancel" }
                button.button.style1 type="submit" { "Send" }
            }
        }
    }
}
