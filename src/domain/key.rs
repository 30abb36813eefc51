//! Which of its messages a release or a workspace means. A key is used once for ever; it has one text form for the record.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A message, within what says it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum PostKey {
    /// A notice of the ladder, by schedule and rung: `g1/T-2h/support`.
    Rung { generation: u32, rung: String },
    /// The release on a status page: `page/status`.
    Page { page: String },
    /// About a message that did not arrive: `stuck/12`.
    Stuck { n: u64 },
    /// The same about one of the workspace's own: `undelivered/7/1796644800000`.
    Undelivered { post: i64, at_ms: i64 },
    /// Any other.
    Named(String),
}

impl PostKey {
    /// Whether its owner is told when it arrives: a notice that may be late, or a status page.
    pub fn is_awaited(&self) -> bool {
        matches!(self, Self::Rung { .. } | Self::Page { .. })
    }

    /// Whether it tells of another message that did not arrive.
    pub fn is_about_a_message(&self) -> bool {
        matches!(self, Self::Stuck { .. } | Self::Undelivered { .. })
    }

    /// A message that belongs to this one: `case/1` and `reminder/2` make `case/1/reminder/2`.
    pub fn under(&self, part: impl fmt::Display) -> Self {
        Self::from(format!("{self}/{part}"))
    }
}

impl fmt::Display for PostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rung { generation, rung } => write!(f, "g{generation}/{rung}"),
            Self::Page { page } => write!(f, "page/{page}"),
            Self::Stuck { n } => write!(f, "stuck/{n}"),
            Self::Undelivered { post, at_ms } => write!(f, "undelivered/{post}/{at_ms}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

impl From<PostKey> for String {
    fn from(key: PostKey) -> Self {
        key.to_string()
    }
}

/// The only place that reads the text form.
impl From<String> for PostKey {
    fn from(text: String) -> Self {
        let Some((kind, rest)) = text.split_once('/') else { return Self::Named(text) };
        let undelivered = || rest.split_once('/').and_then(|(post, at)| Some((post.parse().ok()?, at.parse().ok()?)));
        match (kind, rest.parse().ok(), kind.strip_prefix('g').and_then(|n| n.parse().ok())) {
            ("page", ..) => Self::Page { page: rest.to_owned() },
            ("stuck", Some(n), _) => Self::Stuck { n },
            ("undelivered", ..) => match undelivered() {
                Some((post, at_ms)) => Self::Undelivered { post, at_ms },
                None => Self::Named(text),
            },
            (.., Some(generation)) => Self::Rung { generation, rung: rest.to_owned() },
            _ => Self::Named(text),
        }
    }
}

impl From<&str> for PostKey {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_keeps_its_text_form() {
        for text in [
            "g3/T-2h/support", "page/status", "stuck/12", "undelivered/7/1796644800000", "card", "case/1/reminder/2",
            "go/3",
        ] {
            assert_eq!(PostKey::from(text).to_string(), text);
        }
        assert_eq!(PostKey::from("g12/T-30m/x"), PostKey::Rung { generation: 12, rung: "T-30m/x".to_owned() });
        assert_eq!(PostKey::from("go/3"), PostKey::Named("go/3".to_owned()));
        assert_eq!(PostKey::from("case/1").under("reminder/2"), PostKey::from("case/1/reminder/2"));
    }
}
