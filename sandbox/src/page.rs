//! The page: plain HTML that shows a channel as one person sees it, and lets them run commands, press buttons, fill forms
//! and move the clock. Server-rendered; a few lines of script refresh it.

use axum::Router;
use axum::extract::{Form, Multipart, Query, State as Axum};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;
use serde_json::Value;

use crate::Sandbox;
use crate::act::parts;
use crate::model::{Message, Seen, State, rfc3339};
use crate::rest::lock;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

pub(crate) fn routes(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/messages", get(fragment))
        .route("/page.css", get(|| async { ([("content-type", "text/css")], STYLE) }))
        .route("/page.js", get(|| async { ([("content-type", "text/javascript")], SCRIPT) }))
        .route("/act/slash", post(slash))
        .route("/act/press", post(press))
        .route("/act/fill", post(fill))
        .route("/act/pick", post(pick))
        .route("/act/choose", post(choose))
        .route("/act/clock", post(clock))
        .route("/act/step", post(step))
        .with_state(sandbox)
}

#[derive(Debug, Clone, Deserialize)]
struct View {
    #[serde(default)]
    who: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    note: String,
}

impl View {
    /// Falls back to the first person and channel.
    fn complete(mut self, state: &State) -> Self {
        if state.world.person(&self.who).is_none() {
            self.who = state.world.people.first().map_or(String::new(), |p| p.username.clone());
        }
        if state.world.channel(&self.channel).is_none() {
            self.channel = state.world.channels.first().map_or(String::new(), |c| c.name.clone());
        }
        self
    }

    fn back(&self, note: &str) -> Response {
        let encode = |t: &str| {
            t.bytes()
                .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
                .collect::<String>()
        };
        Redirect::to(&format!("/?who={}&channel={}&note={}", encode(&self.who), encode(&self.channel), encode(note)))
            .into_response()
    }
}

async fn page(Axum(sandbox): Axum<Sandbox>, Query(view): Query<View>) -> Html<String> {
    let state = lock(&sandbox.shared);
    let view = view.complete(&state);
    Html(whole(&sandbox, &state, &view, None).into_string())
}

async fn fragment(Axum(sandbox): Axum<Sandbox>, Query(view): Query<View>) -> Html<String> {
    let state = lock(&sandbox.shared);
    let view = view.complete(&state);
    Html(messages(&state, &view).into_string())
}

fn whole(sandbox: &Sandbox, state: &State, view: &View, form: Option<(&str, &Value)>) -> Markup {
    let here = |who: &str, channel: &str| format!("/?who={who}&channel={channel}");
    let story = sandbox.story.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Sandbox · #" (view.channel) }
                link rel="stylesheet" href="/page.css";
                link rel="icon" href="data:,";
                script src="/page.js" defer {}
            }
            body {
                header {
                    strong { (state.world.name) } " · sandbox: nothing leaves this machine"
                    span.clock { "Clock: " (rfc3339(state.clock.now_ms()).replace('T', " ").chars().take(16).collect::<String>()) " UTC" }
                }
                nav aria-label="Channels and people" {
                    h2 { "Channels" }
                    @for channel in &state.world.channels {
                        a href=(here(&view.who, &channel.name)) aria-current=[(channel.name == view.channel).then_some("page")] { "# " (channel.name) }
                    }
                    h2 { "You are" }
                    @for person in &state.world.people {
                        a href=(here(&person.username, &view.channel)) aria-current=[(person.username == view.who).then_some("true")] {
                            (person.name) br;
                            small { (roles(state, &person.roles)) }
                        }
                    }
                }
                main {
                    h1 { "# " (view.channel) }
                    @if !view.note.is_empty() { p.note role="status" { (view.note) } }
                    @if let Some((custom_id, data)) = form { (modal(view, custom_id, data)) }
                    div #messages data-src=(format!("/messages?who={}&channel={}", view.who, view.channel)) { (messages(state, view)) }
                    (commands(state, view))
                }
                aside {
                    h2 { "Story" }
                    @if let Some(step) = story.steps.get(story.next) {
                        p { "Step " (story.next + 1) " of " (story.steps.len()) ": " (step.caption) }
                        form method="post" action="/act/step" { (hidden(view)) button.main { "Do this step" } }
                    } @else if story.steps.is_empty() {
                        p { "No story is loaded." }
                    } @else {
                        p { "The story is over. Look around, or connect your own server: see the README." }
                    }
                    @if !story.last.is_empty() { p.last { (story.last) } }
                    h2 { "Clock" }
                    form method="post" action="/act/clock" {
                        (hidden(view))
                        @for (label, value) in [("+1 min", "1"), ("+15 min", "15"), ("+1 h", "60"), ("+1 day", "1440"), ("Next event", "next")] {
                            button name="minutes" value=(value) { (label) }
                        }
                    }
                    p { small { "Moving the clock visits everything that is due on the way." } }
                }
            }
        }
    }
}

fn roles(state: &State, ids: &[u64]) -> String {
    let name = |id: &u64| state.world.roles.iter().find(|r| r.id == *id).map(|r| r.name.clone());
    ids.iter().filter_map(name).collect::<Vec<_>>().join(", ")
}

fn hidden(view: &View) -> Markup {
    html! { input type="hidden" name="who" value=(view.who); input type="hidden" name="channel" value=(view.channel); }
}

fn messages(state: &State, view: &View) -> Markup {
    let me = state.world.person(&view.who).map_or(0, |p| p.id);
    let channel = state.world.channel(&view.channel).map_or(0, |c| c.id);
    let shown: Vec<&Message> =
        state.messages.values().filter(|m| m.channel == channel && m.only.is_none_or(|only| only == me)).collect();
    html! {
        @if shown.is_empty() { p.empty { "Nothing has been said here yet." } }
        @for message in shown.iter().skip(shown.len().saturating_sub(60)) { (one(state, view, message, me)) }
    }
}

fn one(state: &State, view: &View, message: &Message, me: u64) -> Markup {
    let called = message.body["allowed_mentions"]["users"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|u| u.as_str().and_then(|u| u.parse().ok()) == Some(me));
    let class = if message.only.is_some() {
        "message only"
    } else if called {
        "message called"
    } else {
        "message"
    };
    html! {
        article class=(class) {
            p.who { strong { "T-Minus" } " " span.app { "APP" } " " time { (rfc3339(message.at_ms).replace('T', " ").chars().take(16).collect::<String>()) } @if message.edited_ms.is_some() { " (edited)" } }
            @if let Some(text) = message.body["content"].as_str().filter(|t| !t.is_empty()) { p { (markup(state, text)) } }
            @for embed in message.body["embeds"].as_array().into_iter().flatten() {
                div.embed style=(format!("border-color:#{:06x}", embed["color"].as_u64().unwrap_or(0))) {
                    h3 { (embed["title"].as_str().unwrap_or_default()) }
                    @if let Some(text) = embed["description"].as_str() { p { (markup(state, text)) } }
                    div.fields {
                        @for field in embed["fields"].as_array().into_iter().flatten() {
                            div class=(if field["inline"] == true { "field short" } else { "field" }) {
                                strong { (field["name"].as_str().unwrap_or_default()) }
                                p { (markup(state, field["value"].as_str().unwrap_or_default())) }
                            }
                        }
                    }
                    @if let Some(text) = embed["footer"]["text"].as_str() { small { (text) } }
                }
            }
            @if let Some((name, bytes)) = &message.file { details { summary { "📎 " (name) } pre { (String::from_utf8_lossy(bytes)) } } }
            @if !parts(&message.body).is_empty() {
                div.buttons {
                    @for part in parts(&message.body) {
                        @if part["type"] == 2 {
                            form method="post" action="/act/press" {
                                (hidden(view))
                                input type="hidden" name="message" value=(message.id);
                                input type="hidden" name="custom_id" value=(part["custom_id"].as_str().unwrap_or_default());
                                button class=(format!("style{}", part["style"].as_u64().unwrap_or(2))) { (part["label"].as_str().unwrap_or_default()) }
                            }
                        } @else if part["type"] == 3 {
                            form method="post" action="/act/choose" {
                                (hidden(view))
                                label { (part["placeholder"].as_str().unwrap_or("Choose")) " "
                                    select name="label" {
                                        @for label in part["options"].as_array().into_iter().flatten().filter_map(|o| o["label"].as_str()) {
                                            option value=(label) { (label) }
                                        }
                                    }
                                }
                                button { "Choose" }
                            }
                        } @else {
                            form method="post" action="/act/pick" {
                                (hidden(view))
                                label { (part["placeholder"].as_str().unwrap_or("Pick")) " "
                                    select name="member" { @for p in &state.world.people { option value=(p.username) { (p.name) } } }
                                }
                                button { "Pick" }
                            }
                        }
                    }
                }
            }
            @if message.only.is_some() { small { "Only you can see this." } }
        }
    }
}

/// Discord's markup as far as bots use it: escapes, bold, code, mentions, timestamps, line breaks. Everything else is text.
fn markup(state: &State, text: &str) -> Markup {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    let mut bold = false;
    let escape = |out: &mut String, c: char| match c {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        '"' => out.push_str("&quot;"),
        '\n' => out.push_str("<br>"),
        c => out.push(c),
    };
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                if let Some(next) = chars.next() {
                    escape(&mut out, next);
                }
            }
            '*' if chars.peek() == Some(&'*') => {
                chars.next();
                out.push_str(if bold { "</b>" } else { "<b>" });
                bold = !bold;
            }
            '`' => {
                out.push_str("<code>");
                while let Some(c) = chars.next().filter(|c| *c != '`') {
                    escape(&mut out, c);
                }
                out.push_str("</code>");
            }
            '<' => {
                let mut token = String::new();
                while let Some(c) = chars.next().filter(|c| *c != '>') {
                    token.push(c);
                }
                out.push_str(&html! { (pill(state, &token)) }.into_string());
            }
            c => escape(&mut out, c),
        }
    }
    if bold {
        out.push_str("</b>");
    }
    PreEscaped(out)
}

fn pill(state: &State, token: &str) -> Markup {
    let id = |prefix: &str| token.strip_prefix(prefix).and_then(|id| id.parse::<u64>().ok());
    if let Some(role) = id("@&") {
        let name = state.world.roles.iter().find(|r| r.id == role).map_or("unknown role", |r| r.name.as_str());
        return html! { span.pill { "@" (name) } };
    }
    if let Some(user) = id("@") {
        let name = state.world.people.iter().find(|p| p.id == user).map_or("unknown", |p| p.name.as_str());
        return html! { span.pill { "@" (name) } };
    }
    if let Some(channel) = id("#") {
        let name = state.world.channels.iter().find(|c| c.id == channel).map_or("unknown", |c| c.name.as_str());
        return html! { span.pill { "#" (name) } };
    }
    if let Some(stamp) = token.strip_prefix("t:") {
        let (seconds, style) = stamp.split_once(':').unwrap_or((stamp, "f"));
        return html! { time data-at=(seconds) data-now=(state.clock.now_ms() / 1000) data-style=(style) { (rfc3339(seconds.parse::<i64>().unwrap_or(0) * 1000)) } };
    }
    html! { "<" (token) ">" }
}

fn modal(view: &View, custom_id: &str, data: &Value) -> Markup {
    html! {
        form.modal method="post" action="/act/fill" {
            (hidden(view))
            h2 { (data["title"].as_str().unwrap_or_default()) }
            input type="hidden" name="form" value=(data.to_string());
            input type="hidden" name="custom_id" value=(custom_id);
            @for input in parts(data) {
                @let name = input["custom_id"].as_str().unwrap_or_default();
                label { (input["label"].as_str().unwrap_or_default())
                    textarea name=(format!("in_{name}")) rows=(if input["style"] == 1 { "1" } else { "4" }) { (input["value"].as_str().unwrap_or_default()) }
                }
            }
            button.main { "Send" }
        }
    }
}

fn commands(state: &State, view: &View) -> Markup {
    let registered = state.commands.get(&state.world.guild).cloned().unwrap_or_default();
    let mut verbs: Vec<(String, Value)> = Vec::new();
    for root in registered.as_array().into_iter().flatten() {
        for node in root["options"].as_array().into_iter().flatten() {
            let path =
                format!("{} {}", root["name"].as_str().unwrap_or_default(), node["name"].as_str().unwrap_or_default());
            if node["type"] == 2 {
                for verb in node["options"].as_array().into_iter().flatten() {
                    verbs.push((format!("{path} {}", verb["name"].as_str().unwrap_or_default()), verb.clone()));
                }
            } else {
                verbs.push((path, node.clone()));
            }
        }
    }
    html! {
        section aria-label="Commands" {
            h2 { "Commands" }
            @for (path, verb) in verbs {
                details {
                    summary { code { "/" (path) } " " (verb["description"].as_str().unwrap_or_default()) }
                    form method="post" action="/act/slash" enctype="multipart/form-data" {
                        (hidden(view))
                        input type="hidden" name="path" value=(path);
                        @for option in verb["options"].as_array().into_iter().flatten() { (field(state, option)) }
                        button.main { "Run" }
                    }
                }
            }
        }
    }
}

fn field(state: &State, option: &Value) -> Markup {
    let name = option["name"].as_str().unwrap_or_default();
    let required = option["required"] == true;
    let input = format!("op_{name}");
    html! {
        label { (name) @if required { " (required)" } ": " small { (option["description"].as_str().unwrap_or_default()) }
            @if let Some(choices) = option["choices"].as_array() {
                select name=(input) {
                    @if !required { option value="" { "–" } }
                    @for c in choices { option value=(c["value"].as_str().unwrap_or_default()) { (c["name"].as_str().unwrap_or_default()) } }
                }
            } @else if option["type"] == 11 {
                input type="file" name="file" required[required];
            } @else if option["type"] == 8 {
                select name=(input) { option value="" { "–" } @for r in &state.world.roles { option value=(r.id) { (r.name) } } }
            } @else if option["type"] == 7 {
                select name=(input) { option value="" { "–" } @for c in &state.world.channels { option value=(c.id) { "#" (c.name) } } }
            } @else {
                input type="text" name=(input) required[required];
            }
        }
    }
}

/// Where to go after an act: back to the channel, or to the form that opened.
fn after(sandbox: &Sandbox, view: &View, outcome: Result<Seen, String>) -> Response {
    match outcome {
        Ok(Seen::Modal { custom_id, data }) => {
            let state = lock(&sandbox.shared);
            Html(whole(sandbox, &state, view, Some((&custom_id, &data))).into_string()).into_response()
        }
        Ok(Seen::Nothing) => view.back("The application did not respond."),
        Ok(Seen::Message(_) | Seen::Choices(_)) => view.back(""),
        Err(why) => view.back(&why),
    }
}

async fn slash(Axum(sandbox): Axum<Sandbox>, mut form: Multipart) -> Response {
    let mut view = View { who: String::new(), channel: String::new(), note: String::new() };
    let (mut path, mut options, mut file) = (String::new(), Vec::new(), None);
    while let Ok(Some(field)) = form.next_field().await {
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let bytes = field.bytes().await.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match (name.as_str(), file_name) {
            ("who", _) => view.who = text,
            ("channel", _) => view.channel = text,
            ("path", _) => path = text,
            ("file", Some(name)) if !bytes.is_empty() => file = Some((name, bytes.to_vec())),
            _ => {
                if let Some(option) = name.strip_prefix("op_").filter(|_| !text.is_empty()) {
                    options.push((option.to_owned(), text));
                }
            }
        }
    }
    let options: Vec<(&str, &str)> = options.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let file = file.as_ref().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let outcome = sandbox.slash(&view.who, &view.channel, &path, &options, file).await.map_err(|e| e.to_string());
    let outcome = match outcome {
        Ok(seen) => sandbox.settled(seen).await,
        Err(why) => Err(why),
    };
    after(&sandbox, &view, outcome)
}

#[derive(Debug, Deserialize)]
struct Press {
    who: String,
    channel: String,
    message: u64,
    custom_id: String,
}

async fn press(Axum(sandbox): Axum<Sandbox>, Form(press): Form<Press>) -> Response {
    let view = View { who: press.who, channel: press.channel, note: String::new() };
    let outcome =
        sandbox.press_id(&view.who, &view.channel, press.message, &press.custom_id).await.map_err(|e| e.to_string());
    let outcome = match outcome {
        Ok(seen @ Seen::Modal { .. }) => Ok(seen),
        Ok(seen) => sandbox.settled(seen).await,
        Err(why) => Err(why),
    };
    after(&sandbox, &view, outcome)
}

async fn fill(Axum(sandbox): Axum<Sandbox>, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let get = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default();
    let view = View { who: get("who"), channel: get("channel"), note: String::new() };
    let form: Value = serde_json::from_str(&get("form")).unwrap_or_default();
    let values: Vec<(&str, &str)> =
        fields.iter().filter_map(|(n, v)| Some((n.strip_prefix("in_")?, v.as_str()))).collect();
    let outcome = match sandbox.fill(&view.who, &view.channel, &form, &values).await.map_err(|e| e.to_string()) {
        Ok(seen) => sandbox.settled(seen).await,
        Err(why) => Err(why),
    };
    after(&sandbox, &view, outcome)
}

#[derive(Debug, Deserialize)]
struct Picked {
    who: String,
    channel: String,
    member: String,
}

async fn pick(Axum(sandbox): Axum<Sandbox>, Form(picked): Form<Picked>) -> Response {
    let view = View { who: picked.who, channel: picked.channel, note: String::new() };
    let outcome = sandbox.pick(&view.who, &view.channel, &picked.member).await.map_err(|e| e.to_string());
    after(&sandbox, &view, outcome)
}

#[derive(Debug, Deserialize)]
struct Chosen {
    who: String,
    channel: String,
    label: String,
}

async fn choose(Axum(sandbox): Axum<Sandbox>, Form(chosen): Form<Chosen>) -> Response {
    let view = View { who: chosen.who, channel: chosen.channel, note: String::new() };
    let outcome = sandbox.choose(&view.who, &view.channel, &chosen.label).await.map_err(|e| e.to_string());
    after(&sandbox, &view, outcome)
}

#[derive(Debug, Deserialize)]
struct Move {
    who: String,
    channel: String,
    minutes: String,
}

async fn clock(Axum(sandbox): Axum<Sandbox>, Form(form): Form<Move>) -> Response {
    let view = View { who: form.who, channel: form.channel, note: String::new() };
    let now = sandbox.clock.now_ms();
    let to = match form.minutes.parse::<i64>() {
        Ok(minutes) => now + minutes.clamp(0, 100_000) * 60_000,
        Err(_next_event) => {
            let next = match sandbox.bot.get().cloned() {
                Some(bot) => bot.next_due().await,
                None => None,
            };
            next.unwrap_or(now)
        }
    };
    match sandbox.advance_to(to).await {
        Ok(()) => view.back(""),
        Err(why) => view.back(&why),
    }
}

async fn step(Axum(sandbox): Axum<Sandbox>, Form(view): Form<View>) -> Response {
    let next = {
        let story = sandbox.story.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        story.steps.get(story.next).cloned()
    };
    let Some(step) = next else {
        return view.back("The story is over.");
    };
    let outcome = sandbox.play(&step).await;
    let mut view = view;
    view.channel = step.channel.trim_start_matches('#').to_owned();
    if lock(&sandbox.shared).world.person(&step.who).is_some() {
        view.who.clone_from(&step.who);
    }
    match outcome {
        Ok(_) => {
            let mut story = sandbox.story.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            story.next += 1;
            story.last = format!("Done: {}", step.caption);
            drop(story);
            view.back("")
        }
        Err(why) => view.back(&why),
    }
}
