//! A status page beside the chat: what customers would see, and a form to post there by hand.

use axum::extract::{Form, State as Axum};
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

use super::View;
use crate::Sandbox;
use crate::json::rfc3339;
use crate::model::{State, StatusPost};
use crate::rest::lock;

/// What a post can say of the service, mildest first.
const STATES: [&str; 5] = ["Scheduled maintenance", "In progress", "Degraded performance", "Outage", "Completed"];

fn list(posts: &[StatusPost]) -> Markup {
    let open = posts.last().filter(|post| post.state != "Completed" && post.state != "Scheduled maintenance");
    html! {
        p.standing { @match open { Some(post) => { "⚠️ " (post.state) } None => { "✅ All systems operational" } } }
        @for post in posts.iter().rev() {
            p.post { strong { (post.state) } " · " time datetime=(rfc3339(post.at_ms)) data-at=(post.at_ms / 1000) data-style="f" { (rfc3339(post.at_ms)) }
                br; (post.text) br; small { "posted by " (post.who) } }
        }
    }
}

pub(super) fn panel(state: &State, view: &View) -> Markup {
    html! {
        (list(&state.posts))
        form.post method="post" action="/status/post" {
            input type="hidden" name="who" value=(view.who);
            input type="hidden" name="channel" value=(view.channel);
            label { "State " select name="state" { @for state in STATES { option value=(state) { (state) } } } }
            label { "What customers read " input type="text" name="text" required maxlength="500"; }
            button.button.style2 { "Post to the status page" }
        }
        p { a href="/status" target="_blank" { "Open it as customers see it" } }
    }
}

pub(super) async fn page(Axum(sandbox): Axum<Sandbox>) -> Html<String> {
    let state = lock(&sandbox.shared);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (state.world.name) " · Status" }
                link rel="stylesheet" href="/page.css";
                link rel="icon" href="data:,";
            }
            body.status {
                main { h1 { (state.world.name) " status" } (list(&state.posts)) }
            }
        }
    };
    Html(page.into_string())
}

#[derive(Deserialize)]
pub(super) struct Posted {
    who: String,
    channel: String,
    state: String,
    text: String,
}

pub(super) async fn post(Axum(sandbox): Axum<Sandbox>, Form(posted): Form<Posted>) -> Response {
    let mut state = lock(&sandbox.shared);
    let who = state.world.person(&posted.who).map(|p| p.name.clone());
    if let Some(who) = who.filter(|_| STATES.contains(&posted.state.as_str()) && !posted.text.trim().is_empty()) {
        let at_ms = state.clock.now_ms();
        let text = posted.text.chars().take(500).collect();
        state.posts.push(StatusPost { at_ms, who, state: posted.state, text });
        state.touch();
    }
    let back = format!("/?who={}&channel={}", crate::json::encoded(&posted.who), crate::json::encoded(&posted.channel));
    Redirect::to(&back).into_response()
}
