//! A value of the configuration before a setting understands it. It must not know where it was given.

use std::str::FromStr;

use toml::de::DeValue;

/// The longest text an error repeats. A secret pasted into the wrong place is longer.
pub(super) const LONGEST_SHOWN: usize = 22;
/// The longest key an error repeats; no setting's is longer.
const LONGEST_KEY: usize = 24;

/// A key as an error repeats it: one nobody knows may be a secret in the wrong place.
pub(super) fn shown_key(key: &str) -> String {
    match key.chars().count() {
        length if length > LONGEST_KEY => format!("(a key of {length} characters)"),
        _ => key.to_owned(),
    }
}

/// What an id belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Id {
    Server,
    Channel,
    Role,
}

impl Id {
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Server => {
                "a Discord server id: 17 to 20 digits (turn on Developer Mode in Discord's settings, right-click the server, Copy Server ID)"
            }
            Self::Channel => {
                "a Discord channel id: 17 to 20 digits (turn on Developer Mode in Discord's settings, right-click the channel, Copy Channel ID)"
            }
            Self::Role => {
                "a Discord role id: 17 to 20 digits (turn on Developer Mode in Discord's settings, right-click the role, Copy Role ID)"
            }
        }
    }
}

/// A value before it is understood.
#[derive(Clone, Copy)]
pub(super) enum Raw<'a> {
    Toml(&'a DeValue<'a>),
    Variable(&'a str),
}

impl Raw<'_> {
    pub(super) fn text(&self) -> Option<&str> {
        match *self {
            Self::Toml(value) => value.as_str(),
            Self::Variable(text) => Some(text),
        }
    }

    pub(super) fn flag(&self) -> Option<bool> {
        match *self {
            Self::Toml(value) => value.as_bool(),
            Self::Variable(text) => text.parse().ok(),
        }
    }

    pub(super) fn whole<N: FromStr>(&self) -> Option<N> {
        match *self {
            Self::Toml(DeValue::Integer(number)) if number.radix() == 10 => number.as_str().parse().ok(),
            Self::Toml(_) => None,
            Self::Variable(text) => text.parse().ok(),
        }
    }

    /// Text, or an unquoted date and time.
    pub(super) fn moment(&self) -> Option<String> {
        match *self {
            Self::Toml(DeValue::Datetime(at)) => Some(at.to_string()),
            _ => self.text().map(str::to_owned),
        }
    }

    /// An id, with quotes or without.
    pub(super) fn id(&self) -> Option<String> {
        let digits = match *self {
            Self::Toml(DeValue::Integer(number)) if number.radix() == 10 => number.as_str(),
            _ => self.text()?.trim(),
        };
        let plain = (17..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse::<u64>().is_ok_and(|id| id > 0);
        (plain && number).then(|| digits.to_owned())
    }

    pub(super) fn written(&self, longest: usize) -> String {
        match *self {
            Self::Toml(value) => written(value, longest),
            Self::Variable(text) => quoted(text, longest),
        }
    }
}

fn quoted(text: &str, longest: usize) -> String {
    match text.chars().count() {
        length if length > longest => format!("{length} characters"),
        _ => format!("{text:?}"),
    }
}

pub(super) fn written(value: &DeValue<'_>, longest: usize) -> String {
    match value {
        DeValue::String(text) => quoted(text, longest),
        DeValue::Integer(number) if number.as_str().len() > longest => format!("{} digits", number.as_str().len()),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(at) => at.to_string(),
        DeValue::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| written(item.get_ref(), longest)).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(_) => "a section".to_owned(),
    }
}

/// Whether a secret is text from documentation. This project's own is never accepted, others only where no other machine
/// reaches the intake.
pub(super) fn is_placeholder(secret: &str, open: bool) -> bool {
    const BEGINNINGS: [&str; 6] = ["changeme", "changethis", "replaceme", "yoursecret", "yourtoken", "placeholder"];
    const WORDS: [&str; 4] = ["secret", "password", "token", "example"];
    let plain: String = secret.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let plain = plain.strip_prefix("whsec").unwrap_or(&plain);
    let begins = || BEGINNINGS.iter().any(|word| plain.starts_with(word));
    let repeats = || !plain.is_empty() && WORDS.iter().any(|word| plain.replace(word, "").is_empty());
    let one_letter = || secret.len() > 3 && secret.chars().all(|letter| secret.starts_with(letter));
    plain.starts_with("replacethis") || (open && (begins() || repeats() || one_letter()))
}
