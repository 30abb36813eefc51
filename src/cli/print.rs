//! Lines on the terminal: results to standard output, complaints to standard error.

use std::io::Write as _;

use crate::redact;

/// A sentence for the operator, on standard error.
#[expect(clippy::print_stderr, reason = "the command line speaks on standard error")]
pub(super) fn complain(sentence: &str) {
    eprintln!("{}", redact::clean(sentence));
}

/// A result, on standard output. A reader that closed its end wants no more of it.
pub(super) fn say(result: &str) {
    let _closed = writeln!(std::io::stdout().lock(), "{}", redact::clean(result));
}
