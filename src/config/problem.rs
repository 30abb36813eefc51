//! A mistake in the configuration and its place, as an operator reads them.

use std::fmt;

/// Where a setting was given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    Variable(String),
    /// The file as a whole.
    File(String),
    Line(String, usize),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::File(file) => f.write_str(file),
            Self::Line(file, line) => write!(f, "{file}:{line}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A mistake: where, in which setting, what was found and what is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub origin: Origin,
    /// Dotted, such as `discord.token`; empty where no key is known.
    pub key: String,
    pub(super) found: String,
    pub(super) expected: String,
}

impl Problem {
    /// A mistake in a variable of the environment.
    pub(super) fn variable(name: String, found: &str, expected: &str) -> Self {
        Self {
            origin: Origin::Variable(name),
            key: String::new(),
            found: found.to_owned(),
            expected: expected.to_owned(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}; expected {}", self.found, self.expected)
    }
}

/// A setting in effect; the value of a secret is not in it.
#[derive(Debug, Clone)]
pub struct Setting {
    pub key: String,
    pub value: String,
    pub origin: Origin,
}
