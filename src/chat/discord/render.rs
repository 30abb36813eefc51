//! From the platform-neutral message to Discord's JSON: embeds, action rows, explicit `allowed_mentions`. Text that is not
//! ours is escaped, so that nothing in it can format, link, mention or turn direction.
//!
//! Limits: <https://discord.com/developers/docs/resources/message>

use serde_json::{Value, json};

use crate::chat::outgoing::{Outgoing, Rank};
use crate::domain::ids::{RoleId, UserId};
use crate::domain::prompt::Choice;
use crate::voice::{Button, Message, Span, Stamp, Style, Text, Tone, words};

const TITLE: usize = 256;
const DESCRIPTION: usize = 2_000;
const FIELD_NAME: usize = 256;
const FIELD_VALUE: usize = 1_024;
const FIELDS: usize = 25;
const EMBED_TOTAL: usize = 5_800;
const LABEL: usize = 80;
/// People and roles one message calls at most: their mentions must fit into 2,000 characters.
const CALLS: usize = 75;

/// The body of Create Message and Edit Message.
pub fn body(out: Outgoing<'_>) -> Value {
    let message = out.message;
    // Roles first: a long list of people must not push out who is on duty.
    let roles: Vec<&RoleId> = once(&message.call_roles).take(CALLS).collect();
    let users: Vec<&UserId> = once(&message.call_users).take(CALLS - roles.len()).collect();
    let calls = users.iter().map(|u| format!("<@{u}>")).chain(roles.iter().map(|r| format!("<@&{r}>")));
    let mut body = json!({
        "content": calls.collect::<Vec<_>>().join(" "),
        "embeds": [embed(message, out.marker)],
        "components": components(message, out.prompt),
        "allowed_mentions": {
            "parse": [],
            "users": users,
            "roles": roles,
        },
    });
    if let (Some(replied), Some(fields)) = (out.reply_to, body.as_object_mut()) {
        // Who wrote the other message is not pinged, and one that is gone holds nothing up.
        fields.insert("message_reference".to_owned(), json!({ "message_id": replied, "fail_if_not_exists": false }));
        fields["allowed_mentions"]["replied_user"] = json!(false);
    }
    body
}

/// Each of them once, in their order: a role that is set for two sign-offs is called once.
fn once<T: Ord>(all: &[T]) -> impl Iterator<Item = &T> {
    let mut known = std::collections::BTreeSet::new();
    all.iter().filter(move |one| known.insert(*one))
}

/// The data of an interaction's answer, for one reader only.
pub fn private(message: &Message, prompt: Option<&str>) -> Value {
    let mut data = body(Outgoing { message, prompt, marker: "", rank: Rank::Later, reply_to: None, file: None });
    if let Some(fields) = data.as_object_mut() {
        fields.insert("flags".to_owned(), json!(64));
    }
    data
}

fn embed(message: &Message, marker: &str) -> Value {
    let color = match message.tone {
        Tone::Plain => 0x5b_7a_9d,
        Tone::Good => 0x3b_a5_5d,
        Tone::Wait => 0xd9_97_2b,
        Tone::Bad => 0xc9_3c_3c,
    };
    let footer = match (message.footer.is_empty(), marker.is_empty()) {
        (false, false) => format!("{} · {marker}", message.footer),
        (true, false) => marker.to_owned(),
        (_, true) => message.footer.clone(),
    };
    let title = cut(&plain(&message.headline), TITLE);
    let description = cut(&markup(&message.body), DESCRIPTION);
    let mut total = width(&title) + width(&description) + width(&footer);
    let mut fields = Vec::new();
    for field in message.fields.iter().take(FIELDS) {
        let (name, value) = (cut(&clean(&field.name), FIELD_NAME), cut(&markup(&field.value), FIELD_VALUE));
        let more = width(&name) + width(&value);
        if total + more > EMBED_TOTAL || value.trim().is_empty() {
            continue;
        }
        total += more;
        fields.push(json!({ "name": name, "value": value, "inline": field.short }));
    }
    let mut embed = json!({ "title": title, "color": color, "fields": fields });
    if let Some(parts) = embed.as_object_mut() {
        if !description.is_empty() {
            parts.insert("description".to_owned(), json!(description));
        }
        if !footer.is_empty() {
            parts.insert("footer".to_owned(), json!({ "text": footer }));
        }
    }
    embed
}

/// A button's id: what it leads to and which choice it is. Everything else is looked up when it is pressed.
pub fn custom_id(kind: char, prompt: &str, choice: Choice) -> String {
    // A choice is plain data: it always becomes JSON.
    format!("{kind}:{prompt}:{}", serde_json::to_string(&choice).unwrap_or_default())
}

fn components(message: &Message, prompt: Option<&str>) -> Vec<Value> {
    let menu = message.menu.as_ref().filter(|menu| !menu.entries.is_empty());
    let menu = menu.map(|menu| json!({ "type": 1, "components": [section_menu(&menu.release, &menu.entries)] }));
    let Some(prompt) = prompt else { return menu.into_iter().collect() };
    let mut rows: Vec<Value> = message
        .buttons
        .chunks(5)
        .take(5)
        .map(|row| json!({ "type": 1, "components": row.iter().map(|b| button(b, prompt)).collect::<Vec<_>>() }))
        .collect();
    if let Some(pick) = &message.pick {
        let id = custom_id('p', prompt, Choice::Pick);
        let select = json!({ "type": 5, "custom_id": id, "placeholder": cut(&pick.placeholder, 150), "min_values": 1, "max_values": 1 });
        rows.push(json!({ "type": 1, "components": [select] }));
    }
    rows.extend(menu);
    rows
}

fn button(button: &Button, prompt: &str) -> Value {
    let style = match button.style {
        Style::Main => 1,
        Style::Quiet => 2,
        Style::Good => 3,
        Style::Danger => 4,
    };
    json!({ "type": 2, "style": style, "label": cut(&button.label, LABEL), "custom_id": custom_id('p', prompt, button.choice) })
}

/// A headline has no markup at all.
fn plain(text: &Text) -> String {
    let mut out = String::new();
    for span in &text.0 {
        match span {
            Span::Plain(words) | Span::Bold(words) | Span::Code(words) => out.push_str(&clean(words)),
            Span::Break => out.push(' '),
            Span::User(_) | Span::Role(_) | Span::Channel(_) | Span::Time(..) => {}
        }
    }
    out
}

fn markup(text: &Text) -> String {
    let mut out = String::new();
    for span in &text.0 {
        match span {
            Span::Plain(words) => out.push_str(&escape(words)),
            Span::Bold(words) => {
                out.push_str("**");
                out.push_str(&escape(words));
                out.push_str("**");
            }
            Span::Code(words) => {
                out.push('`');
                out.push_str(&clean(words).replace('`', "ˋ"));
                out.push('`');
            }
            Span::User(user) => out.push_str(&format!("<@{user}>")),
            Span::Role(role) => out.push_str(&format!("<@&{role}>")),
            Span::Channel(channel) => out.push_str(&format!("<#{channel}>")),
            Span::Time(at, stamp) => {
                let style = match stamp {
                    Stamp::Full => 'F',
                    Stamp::Short => 't',
                    Stamp::Relative => 'R',
                };
                out.push_str(&format!("<t:{}:{style}>", at.as_second()));
            }
            Span::Break => out.push('\n'),
        }
    }
    out
}

/// Removes what hides or turns text.
pub fn clean(text: &str) -> String {
    text.chars().filter(|c| !words::turns(*c) && (!c.is_control() || *c == '\n')).collect()
}

/// Makes text show as it is: markup and mentions are escaped, `@` cannot begin a mention.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut line_start = true;
    for c in clean(text).chars() {
        match c {
            '\\' | '*' | '_' | '~' | '`' | '|' | '[' | ']' | '<' | '>' => {
                out.push('\\');
                out.push(c);
            }
            '#' | '-' if line_start => {
                out.push('\\');
                out.push(c);
            }
            '@' => out.push_str("@\u{200B}"),
            _ => out.push(c),
        }
        line_start = c == '\n' || (line_start && c == ' ');
    }
    out
}

/// How long Discord may take a text to be. It does not say what it counts; in UTF-16 units no text is shorter than in others.
fn width(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Cuts at a character boundary, never inside a mention or an escape's pair.
pub fn cut(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    let (mut kept, mut room) = (String::new(), max - 1);
    for c in text.chars() {
        if c.len_utf16() > room {
            break;
        }
        room -= c.len_utf16();
        kept.push(c);
    }
    if let Some(open) = kept.rfind('<')
        && !kept[open..].contains('>')
        && !kept[..open].ends_with('\\')
    {
        kept.truncate(open);
    }
    while kept.ends_with('\\') {
        kept.pop();
    }
    kept.push('…');
    kept
}

/// A select menu of sections; the release goes along in its id.
pub(super) fn section_menu(no: &str, entries: &[(String, String)]) -> Value {
    let options: Vec<Value> =
        entries.iter().take(25).map(|(value, label)| json!({ "value": value, "label": cut(label, 100) })).collect();
    json!({
        "type": 3, "custom_id": format!("e:{no}"), "placeholder": "Fill in or edit", "min_values": 1, "max_values": 1,
        "options": options,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_called_twice_is_pinged_once() {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let mut message = Message::new(Tone::Plain, Text::from("x"));
        message.call_roles = ids(&["2", "1", "2"]).into_iter().map(RoleId).collect();
        message.call_users = ids(&["7", "7"]).into_iter().map(UserId).collect();
        let out =
            Outgoing { message: &message, prompt: None, marker: "", rank: Rank::Later, reply_to: None, file: None };
        let body = body(out);
        assert_eq!(body["content"], "<@7> <@&2> <@&1>");
        assert_eq!(body["allowed_mentions"]["roles"], json!(["2", "1"]));
    }

    #[test]
    fn hostile_text_shows_as_it_is() {
        let hostile = "@everyone <@1> <@&2> **b** [x](http://e) `c` \u{202E}evil\u{7}\n# big\n- item ||s||";
        assert_eq!(
            escape(hostile),
            "@\u{200B}everyone \\<@\u{200B}1\\> \\<@\u{200B}&2\\> \\*\\*b\\*\\* \\[x\\](http://e) \\`c\\` evil\n\\# big\n\\- item \\|\\|s\\|\\|"
        );
    }

    #[test]
    fn a_cut_never_leaves_half_a_mention() {
        assert_eq!(cut("hello <@123456> you", 12), "hello …");
        assert_eq!(cut("ab\\*cd", 4), "ab…");
    }

    #[test]
    fn an_overlong_message_keeps_discords_limits() {
        let long = "ä<@1>".repeat(3_000);
        let mut message = Message::new(Tone::Bad, Text::from(long.as_str())).body(Text::from(long.as_str()));
        for _ in 0..30 {
            message = message.field(long.as_str(), Text::from(long.as_str()));
        }
        let value = body(Outgoing {
            message: &message,
            prompt: None,
            marker: "n1",
            rank: Rank::Later,
            reply_to: Some("1"),
            file: None,
        });
        let embed = &value["embeds"][0];
        let count = |v: &Value| v.as_str().map_or(0, |s| s.chars().count());
        assert!(count(&embed["title"]) <= 256 && count(&embed["description"]) <= 4096);
        let fields = embed["fields"].as_array().unwrap();
        let sum: usize = fields.iter().map(|f| count(&f["name"]) + count(&f["value"])).sum();
        assert!(sum + count(&embed["title"]) + count(&embed["description"]) <= 6_000);
        assert_eq!(value["allowed_mentions"], json!({ "parse": [], "users": [], "roles": [], "replied_user": false }));
    }
}
