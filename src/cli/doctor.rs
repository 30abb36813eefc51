//! `tminus doctor`: is everything there that a release would need?

use std::path::Path;
use std::process::ExitCode;

use super::{complain, say};
use crate::chat::discord::doctor::{Finding, examine};
use crate::chat::discord::rest::{Rest, http_client};
use crate::clock::Clock;
use crate::config;
use crate::domain::plan::span_label;

/// 0 good, 1 findings, 2 could not look.
pub(super) async fn run(path: &Path, offline: bool) -> ExitCode {
    let config = match config::load(path, &std::env::vars().collect()) {
        Ok(config) => config,
        Err(bad) => {
            complain(&bad.to_string());
            return ExitCode::from(1);
        }
    };
    let mut found =
        vec![Finding { good: true, text: "The configuration is good.".to_owned() }, folder(&config.database)];
    if !offline {
        let http = match http_client() {
            Ok(http) => http,
            Err(error) => {
                complain(&format!("tminus: {error}"));
                return ExitCode::from(2);
            }
        };
        let clock = Clock::system();
        let rest = Rest::new(http, &config.api_url, config.token.clone(), clock.clone());
        match examine(&rest, &config.workspaces).await {
            Ok(more) => {
                found.extend(more);
                found.push(time(&rest, &clock).await);
            }
            Err(fault) => {
                complain(&format!("Discord could not be asked: {fault}. Try again, or `--offline` for the rest."));
                return ExitCode::from(2);
            }
        }
    }
    for finding in &found {
        say(&format!("{} {}", if finding.good { "✅" } else { "❌" }, finding.text));
    }
    let bad = found.iter().filter(|finding| !finding.good).count();
    match bad {
        0 => say("Everything is there."),
        1 => say("One thing to mend."),
        n => say(&format!("{n} things to mend.")),
    }
    if bad == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// Whether this machine's clock agrees with Discord's.
async fn time(rest: &Rest, clock: &Clock) -> Finding {
    for _ in 0..3 {
        if clock.is_confirmed() {
            break;
        }
        rest.ask_time().await;
    }
    let minutes = |ms: i64| span_label(ms.unsigned_abs().div_ceil(60_000));
    match clock.ahead_ms() {
        _ if !clock.is_confirmed() => Finding {
            good: false,
            text: "The dates of Discord's answers did not confirm the time; T-Minus would send nothing. Look at what stands between (a proxy, a slow network).".to_owned(),
        },
        0 => Finding { good: true, text: "The machine's clock agrees with Discord's.".to_owned() },
        ms => Finding {
            good: false,
            text: format!(
                "The machine's clock is up to {} {} Discord's. Set it, and keep it with NTP.",
                minutes(ms),
                if ms > 0 { "ahead of" } else { "behind" }
            ),
        },
    }
}

/// Where the database is to be: its folder must exist and be writable.
fn folder(database: &Path) -> Finding {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = database.display();
    match std::fs::metadata(folder) {
        Err(error) => {
            Finding { good: false, text: format!("The database's folder {}: {error}. Make it.", folder.display()) }
        }
        Ok(about) if about.permissions().readonly() || !about.is_dir() => {
            Finding { good: false, text: format!("The database's folder {} cannot be written to.", folder.display()) }
        }
        Ok(_) if database.exists() => Finding { good: true, text: format!("The database is {shown}.") },
        Ok(_) => Finding { good: true, text: format!("The database will be {shown}; it does not exist yet.") },
    }
}
