//! Text as spans. Whatever is `Plain` is escaped by renderers, so words of plans, alerts and people can never become
//! markup or mentions; only spans of our own making are.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ChannelId, RoleId, UserId};

/// A run of text for a platform to render.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(pub Vec<Span>);

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    Plain(String),
    Bold(String),
    Code(String),
    User(UserId),
    Role(RoleId),
    Channel(ChannelId),
    Time(Timestamp, Stamp),
    Break,
}

/// How an instant is shown; the platform uses the reader's own zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stamp {
    /// Day and time.
    Full,
    /// Time of day.
    Short,
    /// "in 2 hours".
    Relative,
}

impl Text {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// Appends plain words.
    pub fn t(mut self, words: impl AsRef<str>) -> Self {
        self.0.push(Span::Plain(words.as_ref().to_owned()));
        self
    }
    /// Appends bold words.
    pub fn b(mut self, words: impl AsRef<str>) -> Self {
        self.0.push(Span::Bold(words.as_ref().to_owned()));
        self
    }
    /// Appends words in code style.
    pub fn code(mut self, words: impl AsRef<str>) -> Self {
        self.0.push(Span::Code(words.as_ref().to_owned()));
        self
    }
    /// Appends a person.
    pub fn user(mut self, user: &UserId) -> Self {
        self.0.push(Span::User(user.clone()));
        self
    }
    /// Appends a role.
    pub fn role(mut self, role: &RoleId) -> Self {
        self.0.push(Span::Role(role.clone()));
        self
    }
    /// Appends an instant.
    pub fn time(mut self, at: Timestamp, stamp: Stamp) -> Self {
        self.0.push(Span::Time(at, stamp));
        self
    }
    /// Appends another text.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
    /// Begins a new line.
    pub fn br(mut self) -> Self {
        self.0.push(Span::Break);
        self
    }
    /// Lines joined by breaks.
    pub fn lines(lines: impl IntoIterator<Item = Self>) -> Self {
        let mut out = Self::new();
        for (n, line) in lines.into_iter().enumerate() {
            if n > 0 {
                out.0.push(Span::Break);
            }
            out.0.extend(line.0);
        }
        out
    }
    /// The words alone, as a headline has them.
    pub fn words(&self) -> String {
        let word = |span: &Span| match span {
            Span::Plain(words) | Span::Bold(words) | Span::Code(words) => words.clone(),
            Span::Break => " ".to_owned(),
            Span::User(_) | Span::Role(_) | Span::Channel(_) | Span::Time(..) => String::new(),
        };
        self.0.iter().map(word).collect()
    }
    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        Self::new().t(words)
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Self(vec![Span::Plain(words)])
    }
}

#[cfg(test)]
impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for span in &self.0 {
            match span {
                Span::Plain(words) => f.write_str(words)?,
                Span::Bold(words) => write!(f, "*{words}*")?,
                Span::Code(words) => write!(f, "`{words}`")?,
                Span::User(user) => write!(f, "@{user}")?,
                Span::Role(role) => write!(f, "@&{role}")?,
                Span::Channel(channel) => write!(f, "#{channel}")?,
                Span::Time(at, Stamp::Full) => write!(f, "{}", at.strftime("%a %d %b %H:%M UTC"))?,
                Span::Time(at, Stamp::Short) => write!(f, "{}", at.strftime("%H:%M UTC"))?,
                Span::Time(at, Stamp::Relative) => write!(f, "⟨relative {}⟩", at.strftime("%d %H:%M"))?,
                Span::Break => f.write_str("\n")?,
            }
        }
        Ok(())
    }
}
