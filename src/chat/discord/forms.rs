//! The forms (modals): a reason, an update, a link. Legacy text inputs, because serenity 0.12 loses the values of newer ones.

use serde_json::{Value, json};

use crate::domain::effect::Form;
use crate::domain::release::Release;

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
        Form::Reason => vec![input("text", "Why? It goes on the record.", 2, true, 500, None)],
        Form::Link => vec![input("text", "Link to the post-mortem", 1, true, 300, None)],
        Form::Update => vec![
            input("text", "What should people know?", 2, false, 1500, None),
            input("values", "Values, one a line: Metric: value", 2, false, 1000, release.map(metric_lines)),
        ],
    };
    json!({ "type": 9, "data": { "custom_id": custom_id, "title": super::render::cut(title, 45), "components": rows } })
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
