//! `tminus doctor`: is everything there that a release would need?

use std::path::Path;
use std::process::ExitCode;

use super::{complain, say};
use crate::chat::discord::doctor::{Finding, examine};
use crate::chat::discord::rest::{Rest, http_client};
use crate::config;

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
        let rest = Rest::new(http, &config.api_url, config.token.clone());
        match examine(&rest, &config.workspaces).await {
            Ok(more) => found.extend(more),
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
