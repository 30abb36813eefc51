//! The forms (modals): a reason, an update, a link. Legacy text inputs, because serenity 0.12 loses the values of newer ones.

use serde_json::{Value, json};

use crate::domain::prompt::Form;
use crate::domain::release::Release;
use crate::plan_doc::Question;

/// The body of an interaction answer that opens a form.
pub(super) fn open(custom_id: &str, form: Form, title: &str, release: Option<&Release>) -> Value {
    let input = |id: &str, label: &str, style: u8, required: bool, max: u32, value: Option<String>| {
        let mut input = json!({ "type": 4, "custom_id": id, "label": label, "style": style, "required": required, "max_length": max });
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            input["value"] = json!(value);
        }
        json!({ "type": 1, "components": [input] })
    };
    let rows = match form {
        Form::Reason => vec![input("text", "Reason (goes on the record)", 2, true, 500, None)],
        Form::Link => vec![input("text", "Link to the post-mortem", 1, true, 300, None)],
        Form::Update => vec![
            input("text", "What should people know?", 2, false, 1500, None),
            input("values", "Values, one per line, as Metric: value", 2, false, 1000, release.map(metric_lines)),
        ],
    };
    json!({ "type": 9, "data": { "custom_id": custom_id, "title": super::render::cut(title, 45), "components": rows } })
}

fn row(input: Value) -> Value {
    json!({ "type": 1, "components": [input] })
}

/// The form of `/release new`; type and risk were options.
pub(super) fn new_plan(custom_id: &str) -> Value {
    let line = |id: &str, label: &str, required: bool, hint: &str| {
        row(json!({
            "type": 4, "custom_id": id, "label": label, "style": 1, "required": required, "max_length": 200,
            "placeholder": hint,
        }))
    };
    let rows = vec![
        line("title", "What ships", true, "Checkout 4.2: new payment step"),
        line("when", "Date, time and time zone", false, "2026-12-08 14:00 Europe/Berlin"),
        line("owner", "Release owner", false, "Ana Ferreira (@ana)"),
        line("on_call", "On-call engineer", false, "Ben Okafor (@ben)"),
        line("service", "Service", false, "checkout"),
    ];
    json!({ "type": 9, "data": { "custom_id": custom_id, "title": "New release plan", "components": rows } })
}

/// A section's Markdown, to be edited.
pub(super) fn section(custom_id: &str, name: &str, text: &str) -> Value {
    let mut input = json!({
        "type": 4, "custom_id": "text", "label": "Section text (Markdown)", "style": 2, "required": true,
        "max_length": 4000,
    });
    if !text.is_empty() {
        input["value"] = json!(text);
    }
    let title = super::render::cut(&format!("Edit: {name}"), 45);
    json!({ "type": 9, "data": { "custom_id": custom_id, "title": title, "components": [row(input)] } })
}

/// What a plan does not say yet.
pub(super) fn question(custom_id: &str, question: &Question, text: &str) -> Value {
    let (label, style) = if question.is_list() { ("One per line", 2) } else { ("Answer", 1) };
    let mut input = json!({
        "type": 4, "custom_id": "text", "label": label, "style": style, "required": true, "max_length": 2000,
        "placeholder": format!("Example: {}", question.example),
    });
    if !text.is_empty() {
        input["value"] = json!(text);
    }
    let title = super::render::cut(question.title(), 45);
    json!({ "type": 9, "data": { "custom_id": custom_id, "title": title, "components": [row(input)] } })
}

/// The metrics' names, to be completed. Old values are not filled in: sent along unread, they would count as fresh.
fn metric_lines(release: &Release) -> String {
    release
        .plan
        .metrics
        .iter()
        .map(|m| format!("{}:", m.name))
        .collect::<Vec<_>>()
        .join("\n")
        .chars()
        .take(1000)
        .collect()
}
