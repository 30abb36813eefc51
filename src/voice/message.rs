//! The platform-neutral message: what every chat platform must be able to show.

use serde::{Deserialize, Serialize};

use super::text::Text;
use crate::domain::ids::{RoleId, UserId};
use crate::domain::key::PostKey;
use crate::domain::prompt::Choice;

/// A message, ready for any platform's renderer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    pub tone: Tone,
    /// One line: icon, word, subject.
    pub headline: Text,
    pub body: Text,
    pub fields: Vec<Field>,
    /// The reference people quote: `REL-42 · revision 1`.
    pub footer: String,
    pub buttons: Vec<Button>,
    /// A member to be picked.
    pub pick: Option<Pick>,
    /// A section of a plan to be chosen.
    pub menu: Option<Menu>,
    /// People and roles this message calls; nobody else can be called by it.
    pub call_users: Vec<UserId>,
    pub call_roles: Vec<RoleId>,
    /// The message it is a reply to, by its key within the same release or workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<PostKey>,
}

/// The field that says what its reader is to do.
pub const WHAT_NOW: &str = "Next step";

/// The colour beside the words; never the only carrier of meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    #[default]
    Plain,
    Good,
    Wait,
    Bad,
}

/// A name with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    pub value: Text,
    /// May stand beside others.
    pub short: bool,
}

/// A button; what it does is decided from the store at click time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    pub choice: Choice,
    pub label: String,
    pub style: Style,
}

/// How strongly a button draws the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    Main,
    Quiet,
    Good,
    Danger,
}

/// A select menu of members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pick {
    pub placeholder: String,
}

/// A select menu of a plan's sections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Menu {
    /// The release's number.
    pub release: String,
    /// Value and label of each entry.
    pub entries: Vec<(String, String)>,
}

impl Message {
    /// A message with a headline.
    pub fn new(tone: Tone, headline: Text) -> Self {
        Self { tone, headline, ..Self::default() }
    }
    /// Sets the body.
    pub fn body(mut self, body: impl Into<Text>) -> Self {
        self.body = body.into();
        self
    }
    /// Adds a field of its own line; an empty value is left out.
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Text>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.fields.push(Field { name: name.into(), value, short: false });
        }
        self
    }
    /// Adds a field that may stand beside others; an empty value is left out.
    pub fn short(mut self, name: impl Into<String>, value: impl Into<Text>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.fields.push(Field { name: name.into(), value, short: true });
        }
        self
    }
}

/// The longest a message of bare words is, in characters: below any platform's limit, with room for escapes.
const PLAIN: usize = 1_500;

impl Message {
    /// The same as bare words: no fields, no buttons, nothing a platform could refuse. Whoever it calls is still called.
    pub fn plain(&self) -> Self {
        let mut words = self.body.words();
        for field in &self.fields {
            words.push_str(&format!(" {}: {}.", field.name, field.value.words()));
        }
        let cut = |text: String, most: usize| text.chars().filter(|c| !c.is_control()).take(most).collect::<String>();
        Self {
            tone: self.tone,
            headline: Text::from(cut(self.headline.words(), 200)),
            body: Text::from(cut(words, PLAIN)),
            footer: self.footer.clone(),
            call_users: self.call_users.clone(),
            call_roles: self.call_roles.clone(),
            reply_to: self.reply_to.clone(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
impl std::fmt::Display for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let calls: Vec<String> = self
            .call_users
            .iter()
            .map(|u| format!("@{u}"))
            .chain(self.call_roles.iter().map(|r| format!("@&{r}")))
            .collect();
        if !calls.is_empty() {
            writeln!(f, "calls {}", calls.join(" "))?;
        }
        writeln!(f, "{}", self.headline)?;
        if !self.body.is_empty() {
            writeln!(f, "{}", self.body)?;
        }
        for field in &self.fields {
            writeln!(f, "  {}: {}", field.name, field.value.to_string().replace('\n', "\n    "))?;
        }
        if !self.buttons.is_empty() {
            let labels: Vec<String> = self.buttons.iter().map(|b| format!("[{}]", b.label)).collect();
            writeln!(f, "  {}", labels.join(" "))?;
        }
        write!(f, "  — {}", self.footer)
    }
}
