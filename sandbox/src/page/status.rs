//! A status page beside the chat: what customers would see, and a form to post there by hand.

use axum::extract::State as Axum;
use axum::response::Html;
use maud::{DOCTYPE, Markup, html};

use crate::Sandbox;
use crate::json::rfc3339;
use crate::model::{STANDINGS, State, StatusPost};
use crate::rest::lock;

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

/// What the page says.
pub(super) fn panel(state: &State) -> Markup {
    list(&state.posts)
}

/// The form beside it never changes, so that nobody's typing is lost.
pub(super) fn form() -> Markup {
    html! {
        form #publish.post novalidate {
            label { "State " select name="state" { @for state in STANDINGS { option value=(state) { (state) } } } }
            label { "Message to customers " input type="text" name="text" required maxlength="500"; }
            button.button.style2 { "Post to the status page" }
        }
        p { a href="/status" target="_blank" { "Open the customer view" } }
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
                script src="/status.js" defer {}
            }
            body.status {
                main { h1 { (state.world.name) " status" } (list(&state.posts)) }
            }
        }
    };
    Html(page.into_string())
}
