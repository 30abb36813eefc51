//! How options are registered, and how their values are read.

use serde_json::{Value, json};

use crate::chat::discord::parse::{Typed, Unread};
use crate::domain::plan::{PlannedTime, SignoffRole};
use crate::plan_doc::parse_when;

pub(super) fn option(kind: u8, name: &str, description: &str, required: bool) -> Value {
    let mut option = json!({ "type": kind, "name": name, "description": description, "required": required });
    if kind == 7 {
        option["channel_types"] = json!(POSTABLE);
    }
    option
}

pub(super) fn text(name: &str, description: &str, required: bool) -> Value {
    option(3, name, description, required)
}

pub(super) fn completed(name: &str, description: &str, required: bool) -> Value {
    let mut option = text(name, description, required);
    option["autocomplete"] = json!(true);
    option
}

pub(super) fn choices(name: &str, description: &str, required: bool, choices: &[(&str, &str)]) -> Value {
    let mut option = text(name, description, required);
    option["choices"] = choices.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    option
}

pub(super) fn release() -> Value {
    completed("release", "Which release; optional if only one is open", false)
}

pub(super) fn role() -> Value {
    let roles = SignoffRole::ALL;
    let list: Vec<(String, &str)> = roles.iter().map(|r| (r.to_string(), r.slug())).collect();
    let list: Vec<(&str, &str)> = list.iter().map(|(n, s)| (n.as_str(), *s)).collect();
    choices("role", "The sign-off role", true, &list)
}

pub(super) fn verb(name: &str, description: &str, mut options: Vec<Value>, with_release: bool) -> Value {
    if with_release {
        options.push(release());
    }
    json!({ "type": 1, "name": name, "description": description, "options": options })
}

pub(super) fn group(name: &str, description: &str, verbs: Vec<Value>) -> Value {
    json!({ "type": 2, "name": name, "description": description, "options": verbs })
}

pub(super) fn reason(required: bool) -> Value {
    text("reason", "Reason; goes on the record", required)
}

/// The sign-off role in the option “role”.
pub(super) fn typed_role(typed: &Typed) -> Result<SignoffRole, Unread> {
    SignoffRole::from_slug(&typed.text("role").unwrap_or_default())
        .ok_or_else(|| "That is not a sign-off role. Choose one from the list.".to_owned())
}

/// An instant in the option “time”; `zone` is the server's.
pub(super) fn typed_time(typed: &Typed, zone: Option<&str>) -> Result<PlannedTime, Unread> {
    parse_when(&typed.text("time").unwrap_or_default(), zone)
        .map_err(|problem| format!("{} {}", problem.message, problem.help))
}

/// A duration such as `30m`, in minutes.
pub(super) fn length(time: &str) -> Result<u32, Unread> {
    let minutes = crate::plan_doc::duration_minutes(time);
    minutes.ok_or_else(|| format!("“{time}” is not a duration. Write it like 30m or 1h in the option “time”."))
}

/// The kinds of channel that notices go to: text and announcement. <https://discord.com/developers/docs/resources/channel#channel-object-channel-types>
pub(in crate::chat::discord) const POSTABLE: [u64; 2] = [0, 5];
