//! Discord's documented limits, held by rules of our own against every body a bot sends.
//! <https://discord.com/developers/docs/resources/message>

use serde_json::Value;

fn count(value: &Value) -> usize {
    value.as_str().map_or(0, |s| s.chars().count())
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What is wrong with a message's body; empty if nothing is. `create` demands that it says something.
pub(crate) fn message(body: &Value, create: bool) -> Vec<String> {
    let mut bad = Vec::new();
    let mut rule = |ok: bool, what: &str| {
        if !ok {
            bad.push(what.to_owned());
        }
    };
    let known = [
        "content", "nonce", "enforce_nonce", "tts", "embeds", "allowed_mentions", "message_reference", "components",
        "sticker_ids", "attachments", "flags", "poll",
    ];
    for key in body.as_object().into_iter().flat_map(|o| o.keys()) {
        rule(known.contains(&key.as_str()), &format!("unknown field {key}"));
    }
    rule(count(&body["content"]) <= 2000, "content over 2000");
    let embeds = list(body, "embeds");
    rule(embeds.len() <= 10, "more than 10 embeds");
    let mut total = 0;
    for embed in embeds {
        let (title, description) = (count(&embed["title"]), count(&embed["description"]));
        let footer = count(&embed["footer"]["text"]);
        rule(title <= 256 && description <= 4096 && footer <= 2048, "an embed's text is over its limit");
        let fields = list(embed, "fields");
        rule(fields.len() <= 25, "more than 25 fields");
        total += title + description + footer;
        for field in fields {
            let (name, value) = (count(&field["name"]), count(&field["value"]));
            rule(
                (1..=256).contains(&name) && (1..=1024).contains(&value),
                "a field's name or value is empty or over its limit",
            );
            total += name + value;
        }
    }
    rule(total <= 6000, "embeds over 6000 in sum");
    for failure in components(list(body, "components")) {
        rule(false, &failure);
    }
    let mentions = &body["allowed_mentions"];
    rule(mentions.is_object(), "allowed_mentions is missing");
    let parse = list(mentions, "parse");
    for kind in ["users", "roles"] {
        let both = parse.iter().any(|p| p == kind) && !list(mentions, kind).is_empty();
        rule(!both, "allowed_mentions: parse and ids of one kind exclude each other");
        rule(list(mentions, kind).len() <= 100, "allowed_mentions over 100");
    }
    if create {
        let says = count(&body["content"]) > 0 || !embeds.is_empty() || !list(body, "components").is_empty();
        rule(says, "an empty message");
        rule(count(&body["nonce"]) <= 25, "nonce over 25");
    }
    bad
}

fn components(rows: &[Value]) -> Vec<String> {
    let mut bad = Vec::new();
    if rows.len() > 5 {
        bad.push("more than 5 rows".to_owned());
    }
    let mut ids = std::collections::BTreeSet::new();
    for row in rows {
        let parts = list(row, "components");
        let select = parts.iter().any(|p| p["type"] != 2 && p["type"] != 4);
        if row["type"] != 1 || parts.is_empty() || parts.len() > 5 || (select && parts.len() > 1) {
            bad.push("a row holds up to 5 buttons or one select".to_owned());
        }
        for part in parts {
            let id = part["custom_id"].as_str().unwrap_or_default();
            if id.is_empty() || id.chars().count() > 100 || !ids.insert(id.to_owned()) {
                bad.push(format!("custom_id `{id}` is empty, over 100 or doubled"));
            }
            let options = list(part, "options");
            let long = |o: &Value| count(&o["label"]) > 100 || count(&o["value"]) > 100 || count(&o["label"]) == 0;
            if part["type"] == 3 && (options.is_empty() || options.len() > 25 || options.iter().any(long)) {
                bad.push("a menu of 0 or over 25 entries, or an entry over 100".to_owned());
            }
            if count(&part["label"]) > 80 || count(&part["placeholder"]) > 150 {
                bad.push("a label over 80 or a placeholder over 150".to_owned());
            }
        }
    }
    bad
}

/// What is wrong with an interaction's answer.
pub(crate) fn callback(body: &Value) -> Vec<String> {
    let mut bad = Vec::new();
    let data = &body["data"];
    match body["type"].as_u64() {
        Some(4 | 7) => bad.extend(message(data, true)),
        Some(5 | 6) => {}
        Some(8) => {
            if list(data, "choices").len() > 25 {
                bad.push("more than 25 choices".to_owned());
            }
        }
        Some(9) => {
            if count(&data["title"]) > 45 || !(1..=5).contains(&list(data, "components").len()) {
                bad.push("a modal's title over 45, or not 1 to 5 parts".to_owned());
            }
            for row in list(data, "components") {
                for part in list(row, "components") {
                    if count(&part["value"]) > 4000 || count(&part["placeholder"]) > 100 {
                        bad.push("a modal's value over 4000 or a placeholder over 100".to_owned());
                    }
                    if count(&part["label"]) > 45 || part["type"] != 4 {
                        bad.push("a modal's label over 45, or not a text input".to_owned());
                    }
                }
            }
        }
        other => bad.push(format!("callback type {other:?}")),
    }
    bad
}

/// What is wrong with a registration.
pub(crate) fn commands(body: &Value) -> Vec<String> {
    fn walk(options: &[Value], depth: usize, bad: &mut Vec<String>) {
        if options.len() > 25 || (depth > 3 && !options.is_empty()) {
            bad.push("more than 25 options, or nested too deep".to_owned());
        }
        let mut optional = false;
        for option in options {
            let name = option["name"].as_str().unwrap_or_default();
            let good = (1..=32).contains(&name.chars().count())
                && name.chars().all(|c| c.is_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
            if !good || !(1..=100).contains(&count(&option["description"])) {
                bad.push(format!("command name or description of `{name}`"));
            }
            if option["autocomplete"] == true && option.get("choices").is_some() {
                bad.push(format!("`{name}` has choices and autocomplete"));
            }
            match option["required"].as_bool() {
                Some(true) if optional => bad.push(format!("required `{name}` after an optional one")),
                Some(false) => optional = true,
                _ => {}
            }
            walk(list(option, "options"), depth + 1, bad);
        }
    }
    let mut bad = Vec::new();
    let all = body.as_array().map_or(&[] as &[Value], Vec::as_slice);
    if all.len() > 100 {
        bad.push("more than 100 commands".to_owned());
    }
    walk(all, 0, &mut bad);
    bad
}
