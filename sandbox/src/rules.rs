//! Discord's documented limits, held by rules of our own against every body a bot sends.
//! <https://discord.com/developers/docs/resources/message>

use serde_json::Value;

fn count(value: &Value) -> usize {
    value.as_str().map_or(0, |s| s.chars().count())
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What is wrong with a request's body; empty if nothing is.
pub(crate) fn request(route: &str, body: &Value) -> Vec<String> {
    match route {
        "POST /channels/{}/messages"
        | "PATCH /channels/{}/messages/{}"
        | "POST /webhooks/{}/{}"
        | "PATCH /webhooks/{}/{}/messages/{}" => message(body),
        "POST /interactions/{}/{}/callback" => callback(body),
        "PUT /applications/{}/commands" | "PUT /applications/{}/guilds/{}/commands" => commands(body),
        "POST /channels/{}/messages/{}/threads" | "POST /channels/{}/threads" => thread(body),
        "POST /guilds/{}/channels" => {
            let name = count(&body["name"]);
            let good = (1..=100).contains(&name) && count(&body["topic"]) <= 1024;
            if good {
                Vec::new()
            } else {
                vec!["a channel name must have 1 to 100 characters, its topic at most 1024".to_owned()]
            }
        }
        "POST /guilds/{}/scheduled-events" => event(body),
        _ => Vec::new(),
    }
}

fn thread(body: &Value) -> Vec<String> {
    let mut bad = Vec::new();
    if !(1..=100).contains(&count(&body["name"])) {
        bad.push("a thread name must have 1 to 100 characters".to_owned());
    }
    let archive = body["auto_archive_duration"].as_u64();
    if archive.is_some_and(|minutes| ![60, 1440, 4320, 10_080].contains(&minutes)) {
        bad.push("auto_archive_duration must be 60, 1440, 4320 or 10080".to_owned());
    }
    bad
}

fn event(body: &Value) -> Vec<String> {
    let mut bad = Vec::new();
    if !(1..=100).contains(&count(&body["name"])) || count(&body["description"]) > 1000 {
        bad.push("an event name must have 1 to 100 characters, its description at most 1000".to_owned());
    }
    if body["privacy_level"] != 2 {
        bad.push("privacy_level must be 2".to_owned());
    }
    if body["entity_type"] == 3 {
        let place = count(&body["entity_metadata"]["location"]);
        if !(1..=100).contains(&place) || !body["scheduled_end_time"].is_string() {
            bad.push("an external event needs a location of 1 to 100 characters and an end time".to_owned());
        }
    }
    bad
}

/// A message whose layout is its components.
const IS_COMPONENTS_V2: u64 = 1 << 15;

fn message(body: &Value) -> Vec<String> {
    let mut bad = Vec::new();
    let mut rule = |ok: bool, what: &str| {
        if !ok {
            bad.push(what.to_owned());
        }
    };
    let known = [
        "content", "nonce", "enforce_nonce", "tts", "embeds", "allowed_mentions", "message_reference", "components",
        "sticker_ids", "attachments", "flags", "poll", "username", "avatar_url", "thread_name", "applied_tags",
    ];
    for key in body.as_object().into_iter().flat_map(|o| o.keys()) {
        rule(known.contains(&key.as_str()), &format!("unknown field {key}"));
    }
    rule(count(&body["content"]) <= 2000, "content has more than 2000 characters");
    let embeds = list(body, "embeds");
    rule(embeds.len() <= 10, "more than 10 embeds");
    let mut total = 0;
    for embed in embeds {
        let (title, description) = (count(&embed["title"]), count(&embed["description"]));
        let (footer, author) = (count(&embed["footer"]["text"]), count(&embed["author"]["name"]));
        let fits = title <= 256 && description <= 4096 && footer <= 2048 && author <= 256;
        rule(fits, "an embed's text is over its limit");
        let fields = list(embed, "fields");
        rule(fields.len() <= 25, "more than 25 fields");
        total += title + description + footer + author;
        for field in fields {
            let (name, value) = (count(&field["name"]), count(&field["value"]));
            rule(
                (1..=256).contains(&name) && (1..=1024).contains(&value),
                "a field's name or value is empty or over its limit",
            );
            total += name + value;
        }
    }
    rule(total <= 6000, "embeds have more than 6000 characters in total");
    rule(list(body, "attachments").len() <= 10, "more than 10 attachments");
    let described = list(body, "attachments").iter().all(|a| count(&a["description"]) <= 1024);
    rule(described, "an attachment description has more than 1024 characters");
    let parts = list(body, "components");
    if body["flags"].as_u64().unwrap_or(0) & IS_COMPONENTS_V2 == 0 {
        for failure in components(parts) {
            rule(false, &failure);
        }
    } else {
        rule(count(&body["content"]) == 0 && embeds.is_empty(), "components V2 allow no content and no embeds");
        rule(nested(parts) <= 40, "more than 40 components");
    }
    let mentions = &body["allowed_mentions"];
    let parse = list(mentions, "parse");
    for kind in ["users", "roles"] {
        let both = parse.iter().any(|p| p == kind) && !list(mentions, kind).is_empty();
        rule(!both, "allowed_mentions: parse and ids of the same kind exclude each other");
        rule(list(mentions, kind).len() <= 100, "allowed_mentions has more than 100 ids");
    }
    rule(count(&body["nonce"]) <= 25, "nonce has more than 25 characters");
    bad
}

fn nested(parts: &[Value]) -> usize {
    parts.iter().map(|part| 1 + nested(list(part, "components"))).sum()
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
            bad.push("a row must hold 1 to 5 buttons or one select".to_owned());
        }
        for part in parts {
            let id = part["custom_id"].as_str().unwrap_or_default();
            if id.is_empty() || id.chars().count() > 100 || !ids.insert(id.to_owned()) {
                bad.push(format!("custom_id `{id}` is empty, over 100 characters or duplicated"));
            }
            let options = list(part, "options");
            let long = |o: &Value| count(&o["label"]) > 100 || count(&o["value"]) > 100 || count(&o["label"]) == 0;
            if part["type"] == 3 && (options.is_empty() || options.len() > 25 || options.iter().any(long)) {
                bad.push("a menu must have 1 to 25 entries of 1 to 100 characters".to_owned());
            }
            if count(&part["label"]) > 80 || count(&part["placeholder"]) > 150 {
                bad.push("a label has more than 80 characters, or a placeholder more than 150".to_owned());
            }
        }
    }
    bad
}

fn callback(body: &Value) -> Vec<String> {
    let mut bad = Vec::new();
    let data = &body["data"];
    match body["type"].as_u64() {
        Some(4) => {
            bad.extend(message(data));
            let files = list(data, "attachments").len();
            let says =
                count(&data["content"]) > 0 || ["embeds", "components"].iter().any(|p| !list(data, p).is_empty());
            if !says && files == 0 {
                bad.push("an empty message".to_owned());
            }
        }
        Some(7) => bad.extend(message(data)),
        Some(5 | 6) => {}
        Some(8) => {
            let long = |c: &Value| !(1..=100).contains(&count(&c["name"])) || count(&c["value"]) > 100;
            if list(data, "choices").len() > 25 || list(data, "choices").iter().any(long) {
                bad.push("more than 25 choices, or a choice over 100 characters".to_owned());
            }
        }
        Some(9) => modal(data, &mut bad),
        other => bad.push(format!("unknown callback type {other:?}")),
    }
    bad
}

fn modal(data: &Value, bad: &mut Vec<String>) {
    let rows = list(data, "components");
    if !(1..=45).contains(&count(&data["title"])) || !(1..=5).contains(&rows.len()) {
        bad.push("a modal must have a title of 1 to 45 characters and 1 to 5 components".to_owned());
    }
    if !(1..=100).contains(&count(&data["custom_id"])) {
        bad.push("a modal's custom_id must have 1 to 100 characters".to_owned());
    }
    for row in rows {
        // A label (18) holds one part; a text display (10) none.
        let inner: Vec<&Value> = match row["type"].as_u64() {
            Some(1) => list(row, "components").iter().collect(),
            Some(18) => {
                if !(1..=45).contains(&count(&row["label"])) || count(&row["description"]) > 100 {
                    bad.push("a label must have 1 to 45 characters, its description at most 100".to_owned());
                }
                vec![&row["component"]]
            }
            Some(10) => Vec::new(),
            _ => {
                bad.push("a modal may hold only labels, text displays or rows with a text input".to_owned());
                Vec::new()
            }
        };
        for part in inner {
            if count(&part["value"]) > 4000 || count(&part["placeholder"]) > 150 {
                bad.push("a modal's value has more than 4000 characters, or a placeholder more than 150".to_owned());
            }
            if row["type"] == 1 && (!(1..=45).contains(&count(&part["label"])) || part["type"] != 4) {
                bad.push("a modal row must hold a text input with a label of 1 to 45 characters".to_owned());
            }
        }
    }
}

fn commands(body: &Value) -> Vec<String> {
    fn walk(options: &[Value], depth: usize, bad: &mut Vec<String>) {
        if options.len() > 25 || (depth > 3 && !options.is_empty()) {
            bad.push("more than 25 options, or options nested too deep".to_owned());
        }
        let mut optional = false;
        for option in options {
            let name = option["name"].as_str().unwrap_or_default();
            let good = (1..=32).contains(&name.chars().count())
                && name.chars().all(|c| c.is_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
            if !good || !(1..=100).contains(&count(&option["description"])) {
                bad.push(format!("invalid command name or description: `{name}`"));
            }
            if option["autocomplete"] == true && option.get("choices").is_some() {
                bad.push(format!("`{name}` has both choices and autocomplete"));
            }
            match option["required"].as_bool() {
                Some(true) if optional => bad.push(format!("required option `{name}` follows an optional one")),
                Some(false) => optional = true,
                _ => {}
            }
            let choices = list(option, "choices");
            if choices.len() > 25 || choices.iter().any(|c| count(&c["name"]) > 100 || count(&c["value"]) > 100) {
                bad.push(format!("`{name}` has more than 25 choices, or a choice over 100 characters"));
            }
            walk(list(option, "options"), depth + 1, bad);
        }
    }
    /// What Discord counts of a command: names, descriptions and values on all levels.
    fn size(node: &Value) -> usize {
        let own: usize = ["name", "description", "value"].iter().map(|key| count(&node[*key])).sum();
        own + ["options", "choices"].iter().flat_map(|key| list(node, key)).map(size).sum::<usize>()
    }
    let mut bad = Vec::new();
    let all = body.as_array().map_or(&[] as &[Value], Vec::as_slice);
    if all.len() > 100 {
        bad.push("more than 100 commands".to_owned());
    }
    if all.iter().any(|command| size(command) > 8000) {
        bad.push("a command has more than 8000 characters in total".to_owned());
    }
    walk(all, 0, &mut bad);
    bad
}
