//! What a real chat has not, beside it: the story, the clock, values of production, faults, the inspector.

use maud::{Markup, html};

use super::View;
use crate::Sandbox;
use crate::faults::{CALLBACK, CREATE, Right};
use crate::json::rfc3339;
use crate::model::State;
use crate::world::Sample;

/// Requests the inspector lists.
const LISTED: usize = 40;

pub(super) fn now(state: &State) -> Markup {
    let ms = state.clock.now_ms();
    html! { "Now: " time #clock datetime=(rfc3339(ms)) data-at=(ms / 1000) data-style="f" { (rfc3339(ms)) } }
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
        p.hint { "The clock stops at every due event on the way and waits until the bot is done." }
    }
}

pub(super) fn running(sandbox: &Sandbox) -> Markup {
    let running = sandbox.clock().is_running();
    let held = sandbox.player().holds_clock;
    html! {
        p { @if running { "▶ Running in real time. " } @else if held { "⏸ Paused while the story plays. " } @else { "⏸ Paused. " }
            button.link type="button" data-run=(!running) { @if running { "Pause the clock" } @else { "Run in real time" } } }
    }
}

pub(super) fn story(sandbox: &Sandbox, state: &State, view: &View) -> Markup {
    let online = sandbox.online_in(state);
    let player = sandbox.player();
    let steps = &player.tale.steps;
    html! {
        @if steps.is_empty() { p { "No story is loaded." } }
        @else {
            p.title { strong { (player.tale.title) } " · step " (player.next.min(steps.len())) " of " (steps.len()) }
            progress max=(steps.len()) value=(player.next) aria-label="Story progress" {}
            @if let Some(step) = steps.get(player.next) {
                p.caption { span.unseen { "Next: " } (step.caption) }
                p.hint { (step.who) " · #" (step.channel) " · " (step.act.label()) }
                div.row {
                    (next_step(player.busy || !online))
                    button.button.style2 #play type="button" data-play="" data-left=(steps.len() - player.next) { "Play" }
                }
                @if !online { p.hint { "The bot is not connected. One moment, please." } }
                @if let Some(why) = &player.stuck {
                    p.wrong role="alert" { "This step failed: " (why) }
                    p.hint { "A manual action got in the way of the story. Undo it and try again"
                        @if sandbox.tells() { ", or " button.link type="button" data-begin=(player.tale.name) { "restart the story" } }
                        "." }
                }
            } @else if let Some(closing) = sandbox.closing() {
                div.closing {
                    h3 { (closing.title) }
                    ol { @for step in &closing.steps { li { (code(step)) } } }
                    @if let Some((label, address)) = &closing.link { p { a href=(address) target="_blank" rel="noreferrer noopener" { (label) } } }
                }
            } @else { p { "The story is over. Explore the server." } }
            @if let Some(asked) = view.step.filter(|step| *step > player.next && *step <= steps.len()) {
                p { "This link leads to step " (asked) ", which the story has not reached yet. "
                    button.button.style2 type="button" data-to=(asked) { "Play up to this step" } }
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
            (samples(&state.world.samples))
            @if let Some(unknown) = view.step.filter(|step| *step > steps.len()) { p.hint { "This story has no step " (unknown) "." } }
            @if sandbox.tells() {
                details.steps {
                    summary { "Other stories" }
                    ul {
                        @for (name, title) in player.tale.others.iter().chain([&(player.tale.name.clone(), format!("{} (again)", player.tale.title))]) {
                            li { button.link type="button" data-begin=(name) { (title) } }
                        }
                    }
                    p.hint { "Each story starts on a fresh server and deletes the messages of this one." }
                }
            }
        }
    }
}

/// The story's next step in one line, for a phone: there the story's panel is a drawer.
pub(super) fn step(sandbox: &Sandbox, state: &State) -> Markup {
    let online = sandbox.online_in(state);
    let player = sandbox.player();
    html! {
        @if let Some(step) = player.tale.steps.get(player.next) {
            (next_step(player.busy || !online))
            span { (step.caption) }
        } @else if !player.tale.steps.is_empty() {
            button.button.style2 type="button" data-drawer="right" { "The story is over: what next" }
        }
    }
}

fn next_step(waits: bool) -> Markup {
    html! { button.button.style1 type="button" data-step="" aria-disabled=[waits.then_some("true")] { "Next step" } }
}

/// Files for whoever wants to do it all by hand.
fn samples(list: &[Sample]) -> Markup {
    html! {
        @if !list.is_empty() {
            details.steps {
                summary { "Try it by hand" }
                ul { @for (n, sample) in list.iter().enumerate() {
                    li { a href=(format!("/sample/{n}")) download=(sample.name) { (sample.name) } " · " (code(&sample.about)) }
                } }
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
        @if state.world.signals.is_empty() { p { "This sandbox has no production values to change." } }
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
                button.button.style3 type="button" data-production="mend" { "Fix production" }
            }
            @if !state.world.signals_note.is_empty() { p.hint { (code(&state.world.signals_note)) } }
        }
    }
}

pub(super) fn faults(state: &State, view: &View) -> Markup {
    let script = |route: &str, fault: &str, times: u32, label: &str| {
        html! { button.button.style2 type="button" data-fault=(fault) data-times=(times) data-route=(route) { (label) } }
    };
    let said = || state.in_channel(view.here).rev().filter(|m| m.author.is_none() && m.only.is_none()).take(10);
    html! {
        p.hint { "Faults for the bot's next messages:" }
        div.row {
            (script(CREATE, "rate_limited", 1, "429 once"))
            (script(CREATE, "fail_before", 1, "502 before posting"))
            (script(CREATE, "fail_after", 1, "502 after posting"))
            (script(CREATE, "slow=2000", 3, "Slow (2 s), three times"))
        }
        p.hint { "Faults for the bot's next response to a button or command:" }
        div.row {
            (script(CALLBACK, "fail_before", 4, "Response lost, retries too"))
            (script(CALLBACK, "slow=4000", 1, "Response after 4 s"))
        }
        p.hint { "Connection and server:" }
        div.row {
            button.button.style2 type="button" data-break="drop_gateway" { "Drop the gateway" }
            button.button.style2 type="button" data-jump="60" { "Sleep an hour" }
        }
        @if said().next().is_some() {
            form #moderate.post novalidate {
                label { "Message to delete as a moderator "
                    select name="message" { @for message in said() { option value=(message.id) { (super::chat::summary(message)) } } } }
                button.button.style4 { "Delete message" }
            }
        }
        p.hint { "Bot permissions in #" (view.channel) ":" }
        div.row {
            @for right in [Right::SendMessages, Right::EmbedLinks, Right::ReadMessageHistory] {
                @let gone = state.revoked.contains(&(Some(view.here), right));
                button.button.style2 type="button" aria-pressed=(gone) data-right=(right.label()) data-gone=(gone) {
                    @if gone { "Restore " } @else { "Revoke " } (right.label())
                }
            }
        }
        @let scripted = state.faults.list().map(|s| match s.times { Some(n) => format!("{} (× {n})", s.fault.words()), None => s.fault.words() });
        @let taken = state.revoked.iter().map(|(_, right)| format!("no “{}”", right.label()));
        @let waiting: Vec<String> = scripted.chain(taken).collect();
        @if !waiting.is_empty() {
            p { "Active: " (waiting.join(", ")) ". "
                button.link type="button" data-break="mend" { "Clear all" } }
        }
    }
}

pub(super) fn inspector(state: &State) -> Markup {
    let broken = state.violations.len();
    html! {
        p { @if broken == 0 { "✅ No limits broken." } @else { "❌ Limits broken: " (broken) } }
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
