//! Discord's own dialect of Markdown, which is no CommonMark: escapes, emphasis, code, quotes, headings, small print, lists,
//! links, spoilers, mentions, timestamps. Everything else is text, and stays text.
//! <https://support.discord.com/hc/en-us/articles/210298617>

use maud::{Markup, PreEscaped, html};

use crate::json::rfc3339;
use crate::model::State;

/// A text as its readers see it.
pub(super) fn markup(state: &State, text: &str) -> Markup {
    let mut out = String::new();
    let mut lines = text.split('\n').peekable();
    let mut plain: Vec<&str> = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(after) = line.strip_prefix("```") {
            flush(state, &mut out, &mut plain);
            // "```text" names a language, "```text```" is a block on one line.
            let mut body = Vec::new();
            if let Some(inner) = after.strip_suffix("```").filter(|inner| !inner.is_empty()) {
                body.push(inner);
            } else {
                for line in lines.by_ref() {
                    if let Some(last) = line.strip_suffix("```") {
                        if !last.is_empty() {
                            body.push(last);
                        }
                        break;
                    }
                    body.push(line);
                }
            }
            out.push_str(&html! { pre { code { (body.join("\n")) } } }.into_string());
            continue;
        }
        let block = ["### ", "## ", "# ", "-# ", "> ", "- ", "* "].into_iter().find(|mark| line.starts_with(mark));
        let Some(mark) = block else {
            plain.push(line);
            continue;
        };
        flush(state, &mut out, &mut plain);
        let mut inner = inline(state, &line[mark.len()..]);
        if mark == "> " || mark == "- " || mark == "* " {
            let mut rest = vec![inner];
            while let Some(next) = lines.next_if(|next| next.starts_with(mark)) {
                rest.push(inline(state, &next[mark.len()..]));
            }
            let tag = if mark == "> " {
                ("<blockquote>", "</blockquote>", "", "<br>")
            } else {
                ("<ul>", "</ul>", "<li>", "</li>")
            };
            let items: Vec<String> = rest.into_iter().map(|item| format!("{}{item}", tag.2)).collect();
            inner = items.join(tag.3);
            out.push_str(&format!("{}{inner}{}", tag.0, tag.1));
            continue;
        }
        let (open, close) = match mark {
            "-# " => ("<small>", "</small>"),
            _ => ("<p class=\"heading\">", "</p>"),
        };
        out.push_str(&format!("{open}{inner}{close}"));
    }
    flush(state, &mut out, &mut plain);
    PreEscaped(out)
}

fn flush(state: &State, out: &mut String, plain: &mut Vec<&str>) {
    let text = std::mem::take(plain).join("\n");
    let text = text.trim_end_matches('\n');
    if !text.is_empty() {
        out.push_str(&format!("<p>{}</p>", inline(state, text)));
    }
}

fn escape(out: &mut String, c: char) {
    match c {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        '"' => out.push_str("&quot;"),
        '\n' => out.push_str("<br>"),
        c => out.push(c),
    }
}

/// Marks of emphasis, longer ones first, with what they become.
const MARKS: [(&str, &str, &str); 6] = [
    ("**", "<strong>", "</strong>"),
    ("__", "<u>", "</u>"),
    ("~~", "<s>", "</s>"),
    ("||", "<span class=\"spoiler\" tabindex=\"0\">", "</span>"),
    ("*", "<em>", "</em>"),
    ("_", "<em>", "</em>"),
];

fn inline(state: &State, text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        if let Some((markup, len)) = token(state, rest, before) {
            out.push_str(&markup);
            before = 'x';
            rest = &rest[len..];
            continue;
        }
        let (c, len) = match rest[c.len_utf8()..].chars().next() {
            Some(next) if c == '\\' && next.is_ascii_punctuation() => (next, 2),
            _ => (c, c.len_utf8()),
        };
        escape(&mut out, c);
        before = c;
        rest = &rest[len..];
    }
    out
}

/// What begins here and is more than a character: its markup, and the bytes it takes.
fn token(state: &State, rest: &str, before: char) -> Option<(String, usize)> {
    if let Some(inner) = rest.strip_prefix('`') {
        let end = inner.find('`').filter(|end| *end > 0)?;
        return Some((html! { code { (&inner[..end]) } }.into_string(), end + 2));
    }
    if let Some(inner) = rest.strip_prefix('<') {
        let end = inner.find('>')?;
        return pill(state, &inner[..end]).map(|pill| (pill.into_string(), end + 2));
    }
    if rest.starts_with("https://") || rest.starts_with("http://") {
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ')')).unwrap_or(rest.len());
        let address = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
        return Some((link(address, address), address.len()));
    }
    if let Some(inner) = rest.strip_prefix('[') {
        let (label, after) = inner.split_once("](")?;
        let (address, _) = after.split_once(')')?;
        let good = !label.contains(['[', '\n']) && (address.starts_with("https://") || address.starts_with("http://"));
        return good.then(|| (link(address, label), label.len() + address.len() + 4));
    }
    let (mark, open, close) = MARKS.into_iter().find(|(mark, ..)| rest.starts_with(mark))?;
    let inner = &rest[mark.len()..];
    // A single underscore inside a word is a letter of it.
    if mark == "_" && before.is_alphanumeric() {
        return None;
    }
    let end = closing(inner, mark)?;
    let body = &inner[..end];
    let empty = body.is_empty() || body.starts_with(char::is_whitespace) && mark.len() == 1;
    (!empty).then(|| (format!("{open}{}{close}", inline(state, body)), end + 2 * mark.len()))
}

/// Where a mark closes: not escaped, not inside code.
fn closing(text: &str, mark: &str) -> Option<usize> {
    let mut at = 0;
    let mut code = false;
    while at < text.len() {
        let rest = &text[at..];
        let c = rest.chars().next()?;
        if c == '\\' {
            at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            continue;
        }
        if c == '`' {
            code = !code;
        }
        if !code && rest.starts_with(mark) {
            let longer = mark.len() == 1 && rest[1..].starts_with(mark);
            if !longer {
                return Some(at);
            }
            at += 1;
        }
        at += c.len_utf8();
    }
    None
}

fn link(address: &str, label: &str) -> String {
    html! { a href=(address) target="_blank" rel="noreferrer noopener" { (label) } }.into_string()
}

fn pill(state: &State, token: &str) -> Option<Markup> {
    let id = |prefix: &str| token.strip_prefix(prefix).and_then(|id| id.parse::<u64>().ok());
    if let Some(role) = id("@&") {
        let name = state.world.roles.iter().find(|r| r.id == role).map_or("unknown role", |r| r.name.as_str());
        return Some(html! { span.pill { "@" (name) } });
    }
    if let Some(user) = id("@") {
        let name = state.world.by_id(user).map_or("unknown", |p| p.name.as_str());
        return Some(html! { span.pill { "@" (name) } });
    }
    if let Some(channel) = id("#") {
        let name = state.channels.get(&channel).map_or("deleted-channel", |c| c.name.as_str());
        return Some(html! { span.pill { "#" (name) } });
    }
    if let Some(command) = token.strip_prefix('/') {
        let (name, id) = command.rsplit_once(':')?;
        id.parse::<u64>().ok()?;
        return Some(html! { span.pill { "/" (name) } });
    }
    if let Some(stamp) = token.strip_prefix("t:") {
        let (seconds, style) = stamp.split_once(':').unwrap_or((stamp, "f"));
        let seconds: i64 = seconds.parse().ok().filter(|s: &i64| s.unsigned_abs() < 8_640_000_000_000)?;
        return Some(
            html! { time datetime=(rfc3339(seconds * 1000)) data-at=(seconds) data-style=(style) { (rfc3339(seconds * 1000)) } },
        );
    }
    if let Some(address) =
        token.strip_prefix("https://").map(|_| token).or(token.strip_prefix("http://").map(|_| token))
    {
        return Some(PreEscaped(link(address, address)));
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::clock::SimClock;
    use crate::limits::Limits;
    use crate::model::State;
    use crate::world::World;

    fn shown(text: &str) -> String {
        let state = State::new(World::default(), SimClock::frozen(0), String::new(), Limits::DISCORD);
        super::markup(&state, text).into_string()
    }

    #[test]
    fn the_dialect_is_discords() {
        for (text, wanted) in [
            (
                "**bold** and *it* and __u__ and ~~no~~",
                "<p><strong>bold</strong> and <em>it</em> and <u>u</u> and <s>no</s></p>",
            ),
            ("snake_case_name stays", "<p>snake_case_name stays</p>"),
            (r"\*not\* \<@1>", "<p>*not* &lt;@1&gt;</p>"),
            ("a\nb", "<p>a<br>b</p>"),
            ("> one\n> two\nthree", "<blockquote>one<br>two</blockquote><p>three</p>"),
            ("- a\n- b", "<ul><li>a</li><li>b</ul>"),
            ("-# small", "<small>small</small>"),
            ("`<b>`", "<p><code>&lt;b&gt;</code></p>"),
            ("```text\n<x>\n```\nafter", "<pre><code>&lt;x&gt;</code></pre><p>after</p>"),
            ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
            ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
            ("unclosed **bold", "<p>unclosed **bold</p>"),
            ("<@5> <#6>", "<p><span class=\"pill\">@unknown</span> <span class=\"pill\">#deleted-channel</span></p>"),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
        assert!(shown("<t:1796734800:F>").contains("data-at=\"1796734800\" data-style=\"F\""));
        assert!(shown("see https://example.org/a.").contains("href=\"https://example.org/a\""));
    }
}
