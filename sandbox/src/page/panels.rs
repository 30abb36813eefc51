//! What a real chat has not, beside it: the story, the clock, values of production, faults, the inspector.

use maud::{Markup, html};

use super::View;
use crate::Sandbox;
use crate::faults::{CREATE, Right};
use crate::json::rfc3339;
use crate::model::State;

/// Requests the inspector lists.
const LISTED: usize = 40;

pub(super) fn now(state: &State) -> Markup {
    let ms = state.clock.now_ms();
    html! { "Clock: " time #clock datetime=(rfc3339(ms)) data-at=(ms / 1000) data-style="f" { (rfc3339(ms)) } }
}

/// The buttons of the clock never change, so that they can be pressed in a row.
pub(super) fn clock() -> Markup {
    html! {
        div.row {
            @for (label, value) in [("+1 min", "1"), ("+15 min", "15"), ("+1 h", "60"), ("+1 day", "1440")] {
                button.button.style2 type="button" data-minutes=(value) { (label) }
            }
            button.button.style1 type="button" data-next="" { "Next event" }
        }
        p.hint { "The clock stops at everything that is due on the way, and waits until it is done." }
    }
}

pub(super) fn story(sandbox: &Sandbox, view: &View) -> Markup {
    let player = sandbox.player();
    let steps = &player.tale.steps;
    html! {
        @if steps.is_empty() { p { "No story is loaded." } }
        @else {
            p.title { strong { (player.tale.title) } " · step " (player.next.min(steps.len())) " of " (steps.len()) }
            progress max=(steps.len()) value=(player.next) aria-label="How far the story is" {}
            @if let Some(step) = steps.get(player.next) {
                p.caption { span.unseen { "Next: " } (step.caption) }
                p.hint { (step.who) " · #" (step.channel) " · " (step.act.label()) }
                div.row {
                    button.button.style1 type="button" data-step="" disabled[player.busy] { "Next step" }
                    button.button.style2 #play type="button" data-play="" data-left=(steps.len() - player.next) { "Play" }
                }
                @if let Some(why) = &player.stuck { p.wrong role="alert" { "This step cannot be done: " (why) } }
            } @else if let Some(closing) = sandbox.closing() {
                div.closing {
                    h3 { (closing.title) }
                    ol { @for step in &closing.steps { li { (code(step)) } } }
                    @if let Some((label, address)) = &closing.link { p { a href=(address) target="_blank" rel="noreferrer noopener" { (label) } } }
                }
            } @else { p { "The story is over. Look around." } }
            @if let Some(asked) = view.step.filter(|step| *step > player.next && *step <= steps.len()) {
                p { "This address means step " (asked) ", which is still to come. "
                    button.button.style2 type="button" data-to=(asked) { "Play up to it" } }
            }
            details.steps {
                summary { "All steps" }
                ol {
                    @for (n, step) in steps.iter().enumerate() {
                        li class=(if n < player.next { "done" } else { "" }) {
                            a href=(format!("/?step={}", n + 1)) { (step.caption) }
                            @if n < player.next { span.unseen { " (done)" } " ✓" }
                        }
                    }
                }
            }
            @if !player.tale.others.is_empty() {
                details.steps {
                    summary { "Other stories" }
                    ul {
                        @for (name, title) in player.tale.others.iter().chain([&(player.tale.name.clone(), format!("{} (again)", player.tale.title))]) {
                            li { button.link type="button" data-begin=(name) { (title) } }
                        }
                    }
                    p.hint { "A story begins in a fresh server: what was said here is gone." }
                }
            }
        }
    }
}

/// Words between backquotes as code.
fn code(text: &str) -> Markup {
    html! { @for (n, part) in text.split('`').enumerate() { @if n % 2 == 1 { code { (part) } } @else { (part) } } }
}

pub(super) fn signals(state: &State) -> Markup {
    html! {
        @if state.world.signals.is_empty() { p { "This world has no values to move." } }
        @else {
            @for (n, (signal, value)) in state.world.signals.iter().zip(&state.signals).enumerate() {
                div.signal {
                    label for=(format!("signal{n}")) { (signal.name) }
                    output { (value) (signal.unit) }
                    input id=(format!("signal{n}")) type="range" min=(signal.min) max=(signal.max) step=(signal.step) value=(value) data-signal=(signal.name);
                }
            }
            div.row {
                button.button.style4 type="button" data-production="break" { "Break production" }
                button.button.style3 type="button" data-production="mend" { "Mend production" }
            }
        }
    }
}

pub(super) fn faults(state: &State, view: &View) -> Markup {
    let script = |fault: &str, times: u32, label: &str| {
        html! { button.button.style2 type="button" data-fault=(fault) data-times=(times) data-route=(CREATE) { (label) } }
    };
    let newest = state.in_channel(view.here).rev().find(|m| m.author.is_none() && m.only.is_none());
    html! {
        p.hint { "What goes wrong with the bot's next messages:" }
        div.row {
            (script("rate_limited", 1, "429 once"))
            (script("fail_before", 1, "500 before it is posted"))
            (script("fail_after", 1, "500 after it was posted"))
            (script("slow=2000", 3, "Slow, three times"))
        }
        p.hint { "The connection and the server:" }
        div.row {
            button.button.style2 type="button" data-break="drop_gateway" { "Drop the gateway" }
            button.button.style2 type="button" data-jump="60" { "Sleep an hour" }
            @if let Some(message) = newest {
                button.button.style4 type="button" data-delete=(message.id) { "Delete the newest message here" }
            }
        }
        p.hint { "Rights of the bot in #" (view.channel) ":" }
        div.row {
            @for right in [Right::SendMessages, Right::EmbedLinks, Right::ReadMessageHistory] {
                @let gone = state.revoked.contains(&(Some(view.here), right));
                button.button.style2 type="button" aria-pressed=(gone) data-right=(right.label()) data-gone=(gone) {
                    @if gone { "Give back " } @else { "Take " } (right.label())
                }
            }
        }
        @let scripted: Vec<String> = state.faults.list().map(|s| format!("{:?} × {}", s.fault, s.times.map_or("∞".to_owned(), |n| n.to_string()))).collect();
        @if !scripted.is_empty() || !state.revoked.is_empty() {
            p { "Waiting: " (if scripted.is_empty() { "rights taken".to_owned() } else { scripted.join(", ") }) " "
                button.link type="button" data-break="mend" { "Mend everything" } }
        }
    }
}

pub(super) fn inspector(state: &State) -> Markup {
    let broken = state.violations.len();
    html! {
        p { @if broken == 0 { "✅ No limit was broken." } @else { "❌ " (broken) " broken limits." } }
        @for entry in state.log.iter().rev().take(LISTED) {
            details.request id=(format!("r{}", entry.no)) {
                summary {
                    span class=(if entry.status < 400 { "good" } else { "bad" }) { (entry.status) } " "
                    code { (entry.method) " " (entry.path) } " "
                    small { (entry.took_us / 1000) "." (entry.took_us / 100 % 10) " ms" }
                    @if !entry.bad.is_empty() { " ❌" }
                }
                @for bad in &entry.bad { p.wrong { (bad) } }
                @if !entry.request.is_null() { pre tabindex="0" { (serde_json::to_string_pretty(&entry.request).unwrap_or_default()) } }
                @if !entry.answer.is_null() { pre tabindex="0" { (serde_json::to_string_pretty(&entry.answer).unwrap_or_default()) } }
            }
        }
    }
}
