//! Secrets: in the file, in a file of their own, or in the environment.

use std::path::PathBuf;

use secrecy::SecretString;

use super::problem::Origin;
use super::reader::Section;
use super::value::{Raw, is_placeholder};
use crate::config::reader::{Given, Secret};

impl<'a> Section<'a> {
    /// A secret, given as `key` or as a file that `twin` names. Neither value is ever shown.
    pub(super) fn secret(&self, key: &'static str, twin: &'static str, expected: &str) -> Secret {
        let filled = |(raw, _): &(Raw<'a>, Origin)| raw.text() != Some("");
        let (mut value, mut file) = (self.raw(key).filter(filled), self.raw(twin).filter(filled));
        // A variable overrides the file in either form.
        let by_variable = |given: &Option<(Raw<'a>, Origin)>| matches!(given, Some((_, Origin::Variable(_))));
        match (by_variable(&value), by_variable(&file)) {
            (true, false) => file = None,
            (false, true) => value = None,
            _ => {}
        }
        let (raw, origin, in_file) = match (value, file) {
            (None, None) => return Secret::Missing,
            (Some(_), Some((_, origin))) => {
                let found = format!("the secret is given twice, as `{key}` and as `{twin}`");
                self.reader.problem(&origin, &self.key(twin), found, "one of the two");
                return Secret::Wrong;
            }
            (Some((raw, origin)), None) => (raw, origin, false),
            (None, Some((raw, origin))) => (raw, origin, true),
        };
        let path = self.key(if in_file { twin } else { key });
        self.reader.setting(&path, "(not shown)".to_owned(), &origin);
        let wrong = |found: String, expected: &str| {
            self.reader.problem(&origin, &path, found, expected);
            Secret::Wrong
        };
        let Some(text) = raw.text().map(str::trim) else {
            return wrong("not text".to_owned(), "text in quotes");
        };
        let secret = if in_file {
            match std::fs::read_to_string(text) {
                // Some editors begin a file with a byte order mark.
                Ok(content) => content.trim_start_matches('\u{feff}').trim().to_owned(),
                Err(error) => {
                    let expected = format!("the path of a readable file (the secret itself goes into `{key}`)");
                    return wrong(format!("cannot read the file ({error})"), &expected);
                }
            }
        } else {
            text.to_owned()
        };
        if secret.is_empty() {
            return wrong("empty".to_owned(), expected);
        }
        // Headers and signatures carry it as it is.
        if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("spaces, line breaks or other characters in it".to_owned(), expected);
        }
        if is_placeholder(&secret, self.reader.open.get()) {
            return wrong("a placeholder".to_owned(), expected);
        }
        let file = in_file.then(|| PathBuf::from(text));
        Secret::Given(Given { value: SecretString::from(secret), key: path, origin }, file)
    }

    pub(super) fn must_secret(
        &self,
        key: &'static str,
        twin: &'static str,
        expected: &str,
    ) -> Option<Given<SecretString>> {
        match self.secret(key, twin, expected) {
            Secret::Given(secret, _) => Some(secret),
            Secret::Missing => {
                let expected = format!("{expected}; or `{twin}`, the path of a file that holds it");
                self.reader.problems.borrow_mut().push(self.missing(key, &expected));
                None
            }
            Secret::Wrong => None,
        }
    }
}
