//! The lexer under the grammars: a normalised text and a place in it. It must not know what a threshold or a trigger is.

/// Typographic variants, entities and emphasis to plain characters, so that one grammar reads them all. Lengths change: for
/// values only. Blanks (`___`) must be looked for before, because emphasis is removed here.
pub(crate) fn plain(text: &str) -> String {
    if text.bytes().all(|b| b.is_ascii() && !matches!(b, b'&' | b'`' | b'*' | b'\\' | b'<' | b'>' | b'\n' | b'\r')) {
        return text.trim().replace("->", "→");
    }
    let text = &without_comments(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}' | '\t' | '\n' | '\r' => out.push(' '),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push('-'),
            '\u{2018}' | '\u{2019}' => out.push('\''),
            '\u{201c}' | '\u{201d}' => out.push('"'),
            '\u{ff01}'..='\u{ff5e}' => out.extend(char::from_u32(u32::from(c) - 0xfee0)),
            '⩽' | '≦' => out.push('≤'),
            '⩾' | '≧' => out.push('≥'),
            '\u{b5}' => out.push('μ'),
            '⇒' | '➜' | '➡' => out.push('→'),
            '`' | '*' | '\\' | '\u{fe0f}' | '\u{200b}' => {}
            c => out.push(c),
        }
    }
    if out.contains('&') {
        for (entity, c) in [("&lt;", "<"), ("&gt;", ">"), ("&le;", "≤"), ("&ge;", "≥"), ("&nbsp;", " "), ("&amp;", "&")]
        {
            out = out.replace(entity, c);
        }
    }
    for (written, c) in
        [("<br>", " "), ("<br/>", " "), ("<br />", " "), ("->", "→"), ("=>", "→"), ("<=", "≤"), (">=", "≥")]
    {
        if out.contains(written) {
            out = out.replace(written, c);
        }
    }
    if out.contains("  ") {
        out = out.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    }
    out.trim().to_owned()
}

/// A comment is nobody's value.
fn without_comments(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains("<!--") {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find("<!--") {
        out.push_str(&rest[..open]);
        let Some(close) = rest[open..].find("-->") else { return out.into() };
        rest = &rest[open + close + 3..];
    }
    out.push_str(rest);
    out.into()
}

/// A placeholder nobody filled: `[value]`, `___`, `XX`, nothing; asked of the raw text.
pub(crate) fn blank(raw: &str) -> bool {
    let text = raw.trim().trim_matches(['*', '`']).trim();
    let inside = text.trim_start_matches(['<', '>', '≤', '≥', '=', '~', ' ']).trim_end_matches(['.', ':']);
    let bracketed = inside.starts_with('[') && inside.ends_with(']') && !inside.contains("](");
    text.is_empty()
        || text.contains("___")
        || (bracketed && !matches!(inside, "[x]" | "[X]"))
        || matches!(inside.to_ascii_uppercase().trim_end_matches('%'), "XX" | "XXX" | "X" | "FILL_IN" | "YYYY-MM-DD")
}

/// "Nothing here", said on purpose or for now: `-`, `n/a`, `TBD`.
pub(crate) fn none(raw: &str) -> bool {
    let text = plain(raw).to_ascii_lowercase();
    matches!(
        text.as_str(),
        "" | "-" | "n/a" | "na" | "tbd" | "tba" | "tbc" | "???" | "??" | "none" | "not applicable" | "…" | "..." | "?"
    )
}

/// Blank or none: no value to read.
pub(crate) fn unfilled(raw: &str) -> bool {
    blank(raw) || none(raw)
}

/// A place in a plain text. `low` is the same text in ASCII lower case, byte for byte.
#[derive(Debug, Clone)]
pub(super) struct Scan<'t> {
    pub(super) text: &'t str,
    low: std::rc::Rc<str>,
    pub(super) at: usize,
}

impl<'t> Scan<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, low: text.to_ascii_lowercase().into(), at: 0 }
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn low(&self) -> &str {
        &self.low[self.at..]
    }

    pub(super) fn done(&self) -> bool {
        self.rest().trim().is_empty()
    }

    pub(super) fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes a symbol, after blanks.
    pub(super) fn symbol(&mut self, symbol: &str) -> bool {
        let before = self.at;
        self.space();
        let found = self.rest().starts_with(symbol);
        self.at = if found { self.at + symbol.len() } else { before };
        found
    }

    /// Takes the longest of some words or phrases, after blanks; what follows must not go on with the word.
    pub(super) fn word(&mut self, words: &[&'static str]) -> Option<&'static str> {
        let before = self.at;
        self.space();
        let low = self.low();
        let ends = |word: &str| {
            let next = low[word.len()..].chars().next();
            !word.ends_with(|c: char| c.is_alphanumeric()) || next.is_none_or(|c| !(c.is_alphanumeric() || c == '_'))
        };
        let found = words.iter().filter(|word| low.starts_with(**word) && ends(word)).max_by_key(|word| word.len());
        match found {
            Some(word) => {
                self.at += word.len();
                Some(word)
            }
            None => {
                self.at = before;
                None
            }
        }
    }

    /// Whether one of the words comes next; takes nothing.
    pub(super) fn next_is(&self, words: &[&'static str]) -> bool {
        self.clone().word(words).is_some()
    }

    /// Takes the next run of letters (and what joins them inside a word), after blanks.
    pub(super) fn letters(&mut self) -> Option<&'t str> {
        let before = self.at;
        self.space();
        let rest = self.rest();
        let len = rest
            .char_indices()
            .take_while(|(i, c)| {
                c.is_alphabetic() || (*i > 0 && (c.is_alphanumeric() || matches!(c, '_' | '-' | '\'')))
            })
            .map(|(i, c)| i + c.len_utf8())
            .last();
        match len {
            Some(len) => {
                self.at += len;
                Some(rest[..len].trim_end_matches(['-', '\'']))
            }
            None => {
                self.at = before;
                None
            }
        }
    }

    /// Takes a text in brackets, nested ones included; without the brackets.
    pub(super) fn note(&mut self) -> Option<&'t str> {
        let before = self.at;
        if !self.symbol("(") {
            return None;
        }
        let mut depth = 1usize;
        for (i, c) in self.rest().char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let note = &self.rest()[..i];
                self.at += i + 1;
                return Some(note);
            }
        }
        self.at = before;
        None
    }

    /// Tries a reading; on `None` the place is as before.
    pub(super) fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.at;
        let found = read(self);
        if found.is_none() {
            self.at = before;
        }
        found
    }
}
