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
        p.hint { "The clock stops at everything that is due on the way, and waits until it is done." }
    }
}

pub(super) fn running(sandbox: &Sandbox) -> Markup {
    let running = sandbox.clock().is_running();
    let held = sandbox.player().holds_clock;
    html! {
        p { @if running { "▶ It runs, a second for a second. " } @else if held { "⏸ It stands still while the story is played. " } @else { "⏸ It stands still. " }
            button.link type="button" data-run=(!running) { @if running { "Stop it" } @else { "Let it run" } } }
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
            progress max=(steps.len()) value=(player.next) aria-label="How far the story is" {}
            @if let Some(step) = steps.get(player.next) {
                p.caption { span.unseen { "Next: " } (step.caption) }
                p.hint { (step.who) " · #" (step.channel) " · " (step.act.label()) }
                div.row {
                    button.button.style1 type="button" data-step="" aria-disabled=[(player.busy || !online).then_some("true")] { "Next step" }
                    button.button.style2 #play type="button" data-play="" data-left=(steps.len() - player.next) { "Play" }
                }
                @if !online { p.hint { "The bot is not connected; a moment." } }
                @if let Some(why) = &player.stuck {
                    p.wrong role="alert" { "This step cannot be done: " (why) }
                    p.hint { "Something was done by hand that the story did not expect. Put it right and try again"
                        @if sandbox.tells() { ", or " button.link type="button" data-begin=(player.tale.name) { "begin the story again" } }
                        "." }
                }
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
                    p.hint { "A story begins in a fresh server: what was said here is gone." }
                }
            }
        }
    }
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
        p.hint { "What goes wrong with the bot's next messages:" }
        div.row {
            (script(CREATE, "rate_limited", 1, "429 once"))
            (script(CREATE, "fail_before", 1, "500 before it is posted"))
            (script(CREATE, "fail_after", 1, "500 after it was posted"))
            (script(CREATE, "slow=2000", 3, "Slow, three times"))
        }
        p.hint { "What goes wrong with its next answer to a button or a command:" }
        div.row {
            (script(CALLBACK, "fail_before", 1, "The answer is lost"))
            (script(CALLBACK, "slow=4000", 1, "The answer comes too late"))
        }
        p.hint { "The connection and the server:" }
        div.row {
            button.button.style2 type="button" data-break="drop_gateway" { "Drop the gateway" }
            button.button.style2 type="button" data-jump="60" { "Sleep an hour" }
        }
        @if said().next().is_some() {
            form #moderate.post novalidate {
                label { "A message to delete, as a moderator would "
                    select name="message" { @for message in said() { option value=(message.id) { (super::chat::summary(message)) } } } }
                button.button.style4 { "Delete it" }
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
        @let scripted = state.faults.list().map(|s| match s.times { Some(n) => format!("{} (× {n})", s.fault.words()), None => s.fault.words() });
        @let taken = state.revoked.iter().map(|(_, right)| format!("without “{}”", right.label()));
        @let waiting: Vec<String> = scripted.chain(taken).collect();
        @if !waiting.is_empty() {
            p { "In force: " (waiting.join(", ")) ". "
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
