//! `tminus run` and the commands around it.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::app::App;
use crate::cli::print::{complain, say};
use crate::clock::Clock;
use crate::config::{self, BadConfig};
use crate::store::{self, Broken, Head, Purpose};
use crate::{sending, telemetry};

pub(super) async fn run(path: &Path) -> anyhow::Result<ExitCode> {
    let config = config::load(path, &config::environment()?)?;
    telemetry::start(config.log_format, &config.log_filter)?;
    let clock = clock().await?;
    let app = App::start(config, clock, Purpose::Service).await?;
    tracing::info!(intake = %app.intake, "started");
    let code = tokio::select! {
        ended = ended() => {
            ended?;
            ExitCode::SUCCESS
        }
        why = app.failure() => {
            complain(&format!("tminus: {why}"));
            ExitCode::FAILURE
        }
    };
    app.stop().await;
    Ok(code)
}

/// The system's clock; a test's, in a debug build that a test controls.
async fn clock() -> anyhow::Result<Clock> {
    #[cfg(debug_assertions)]
    if let Ok(address) = std::env::var("TMINUS_TEST_CONTROL") {
        return Ok(Clock::sandbox(crate::control::attach(&address).await?));
    }
    #[cfg(not(debug_assertions))]
    tokio::task::yield_now().await;
    Ok(Clock::system())
}

/// Waits for SIGINT or SIGTERM.
pub(super) async fn ended() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done.context("cannot listen for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}

pub(super) fn check(path: &Path) -> ExitCode {
    let reading = match config::environment().and_then(|environment| config::read(path, &environment)) {
        Ok(reading) => reading,
        Err(bad) => return refused(&bad),
    };
    if !reading.problems.is_empty() {
        return refused(&BadConfig::Wrong(reading.problems));
    }
    say("The configuration is valid.");
    for note in &reading.notes {
        say(&format!("Note: {note}. `tminus run` does not start without it."));
    }
    ExitCode::SUCCESS
}

/// Prints every setting in effect except the values of secrets, and on request where each comes from.
pub(super) fn show(path: &Path, origin: bool) -> ExitCode {
    let reading = match config::environment().and_then(|environment| config::read(path, &environment)) {
        Ok(reading) => reading,
        Err(bad) => return refused(&bad),
    };
    for setting in &reading.settings {
        let from = if origin { format!("  # {}", setting.origin) } else { String::new() };
        say(&format!("{} = {}{from}", setting.key, setting.value));
    }
    if reading.problems.is_empty() { ExitCode::SUCCESS } else { refused(&BadConfig::Wrong(reading.problems)) }
}

/// Prints why a configuration is refused: 1 for mistakes in it, 2 for a file that cannot be read.
pub(super) fn refused(bad: &BadConfig) -> ExitCode {
    complain(&bad.to_string());
    ExitCode::from(if matches!(bad, BadConfig::Unreadable(..)) { 2 } else { 1 })
}

pub(super) async fn health(url: &str) -> ExitCode {
    match sending::look(&format!("{}/healthz", url.trim_end_matches('/'))).await {
        Ok((200..=299, _)) => ExitCode::SUCCESS,
        Ok((status, _)) => {
            complain(&format!("unhealthy: {status}"));
            ExitCode::from(1)
        }
        Err(fault) => {
            complain(&format!("no answer: {fault}"));
            ExitCode::from(2)
        }
    }
}

/// Exits with 1 where the journal is not what was written, and with 2 where it could not be looked at.
pub(super) async fn audit(path: &Path, noted: Option<&Head>) -> anyhow::Result<ExitCode> {
    let config = config::load(path, &config::environment()?)?;
    let verified = match store::verify_file(&config.database, Purpose::Service, noted).await {
        Ok(verified) => verified,
        Err(fault) => {
            complain(&format!("tminus: {fault}"));
            return Ok(ExitCode::from(2));
        }
    };
    let why = match verified {
        Ok(head) if head.seq == 0 => {
            say("The journal is empty: this database has no entries yet.");
            return Ok(ExitCode::SUCCESS);
        }
        Ok(head) => {
            let noted = noted.map_or(String::new(), |noted| format!(" Entry {} matches the noted head.", noted.seq));
            say(&format!("{} entries, the hash chain is intact. Head: {head}.{noted}", head.seq));
            return Ok(ExitCode::SUCCESS);
        }
        Err(Broken::At(seq)) => {
            format!("The hash chain breaks at entry {seq}: from there on, the journal differs from what T-Minus wrote.")
        }
        Err(Broken::CutAfter(last)) => {
            format!(
                "The journal ends at entry {last}, before the noted head: its end was cut off, or an older copy was restored."
            )
        }
        Err(Broken::Rewritten(seq)) => {
            format!(
                "Entry {seq} does not match the noted head: this entry or an earlier one was rewritten, or an older copy was restored and continued."
            )
        }
    };
    complain(&why);
    Ok(ExitCode::from(1))
}
