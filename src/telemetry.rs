//! The log: one line per event, on standard error, human or JSON. Message readable, fields queryable, no secrets: each line passes
//! `redact`.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::redact::Clean;

/// Begins logging. serenity stays at warn: its spans hold whole requests, interaction tokens included.
///
/// # Errors
/// The filter does not parse, or a log was begun already.
pub fn start(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_new(format!("{filter},serenity=warn,tracing::span=off,hyper=warn,reqwest=warn,sqlx=warn"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Clean(std::io::stderr()))
        .with_ansi(takes_colour(&std::io::stderr()))
        .with_target(false);
    let started = match format {
        LogFormat::Human => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("{error}"))
}

/// Whether a filter can be used.
pub fn is_filter(filter: &str) -> bool {
    EnvFilter::try_new(filter).is_ok()
}

/// Whether a stream is a terminal whose user has not switched colours off (<https://no-color.org>).
pub fn takes_colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Human,
    Json,
}
