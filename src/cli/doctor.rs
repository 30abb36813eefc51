//! `tminus doctor`: whether everything a release needs is there. Every check is reported by itself.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use super::service::refused;
use crate::chat::discord::doctor::{Finding, Verdict, examine};
use crate::chat::discord::rest::{Rest, http_client};
use crate::cli::print::{complain, say};
use crate::clock::Clock;
use crate::config::{self, Config, SourceKind};
use crate::domain::ids::WorkspaceId;
use crate::domain::plan::span_label;
use crate::outside::{PageKind, Pages, StatusPage};
use crate::redact;
use crate::sending::{self, SendFault};

/// 0 good, 1 findings, 2 something could not be checked.
pub(super) async fn run(path: &Path, offline: bool) -> ExitCode {
    let reading = match config::environment().and_then(|environment| config::read(path, &environment)) {
        Ok(reading) => reading,
        Err(bad) => return refused(&bad),
    };
    let config = &reading.config;
    config.secrets().iter().for_each(redact::keep_out);
    let problems = || reading.problems.iter().chain(&reading.notes);
    let mut found: Vec<Finding> = problems().map(|problem| Finding::bad(problem.to_string())).collect();
    if found.is_empty() {
        found.push(Finding::good("The configuration is valid."));
    }
    found.push(folder(&config.database));
    found.push(intake(config).await);
    // A token goes nowhere but where the file says.
    let asked = !offline && problems().all(|problem| !problem.key.starts_with("discord"));
    if asked {
        match online(config).await {
            Ok(more) => found.extend(more),
            Err(error) => {
                complain(&format!("tminus: {error}"));
                return ExitCode::from(2);
            }
        }
    } else if !offline {
        found.push(Finding::unknown("Discord: not checked. Fix the settings under [discord] first."));
    }
    for finding in &found {
        let icon = match finding.verdict {
            Verdict::Good => "✅",
            Verdict::Bad => "🔴",
            Verdict::Unknown => "⚪",
        };
        say(&format!("{icon} {}", finding.text));
    }
    let count = |verdict: Verdict| found.iter().filter(|finding| finding.verdict == verdict).count();
    let (bad, unknown) = (count(Verdict::Bad), count(Verdict::Unknown));
    match bad {
        0 if unknown == 0 => say("All checks passed."),
        0 => say("No problems found, but some checks could not run."),
        1 => say("1 problem to fix."),
        n => say(&format!("{n} problems to fix.")),
    }
    match (bad, unknown) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(2),
        _ => ExitCode::from(1),
    }
}

/// What Discord and the status pages say.
async fn online(config: &Config) -> anyhow::Result<Vec<Finding>> {
    let clock = Clock::system();
    let rest = Rest::new(http_client()?, &config.api_url, config.token.clone(), clock.clone());
    let sources = config.sources.iter().map(|source| (format!("Source {}", source.name), source.server.clone()));
    let pages = config.pages.iter().map(|page| (format!("Status page {}", page.name), page.server.clone()));
    let others: Vec<(String, WorkspaceId)> =
        sources.chain(pages).filter(|(_, server)| config.workspaces.iter().all(|(known, _)| known != server)).collect();
    let (mut found, reached) = examine(&rest, &config.workspaces, &others).await;
    if reached {
        found.push(time(&rest, &clock).await);
    }
    let pages = Pages::new(config.pages.clone(), &clock)?;
    for page in &config.pages {
        found.push(status_page(&pages, page).await);
    }
    Ok(found)
}

/// Whether a status page can be reached, as far as that changes nothing on it.
async fn status_page(pages: &Pages, page: &StatusPage) -> Finding {
    let name = format!("Status page {}", page.name);
    match (&page.kind, pages.find(&page.name, "tminus-doctor").await) {
        (PageKind::Statuspage { .. }, Ok(_)) => Finding::good(format!("{name}: Statuspage accepts the API key.")),
        (PageKind::Git { path, .. }, Ok(_)) => Finding::good(format!("{name}: its work tree is {}.", path.display())),
        (PageKind::Webhook { .. }, Ok(_)) => {
            Finding::good(format!("{name}: a webhook; only a release shows whether it answers."))
        }
        (_, Err(SendFault::Blocked(why))) => {
            Finding::bad(format!("{name}: the API key is refused ({why}). Set a key of this page's account."))
        }
        (_, Err(SendFault::NotThere(why))) => {
            Finding::bad(format!("{name}: not found ({why}). Check page_id and api_url."))
        }
        (_, Err(fault)) => Finding::unchecked(&name, &fault),
    }
}

/// Where alerts come in; where T-Minus runs already, whether it is ready.
async fn intake(config: &Config) -> Finding {
    let listen = config.listen;
    let hooks: Vec<String> = config
        .sources
        .iter()
        .map(|source| match source.kind {
            SourceKind::Alertmanager => format!("/hooks/alertmanager/{}", source.name),
            SourceKind::Generic => format!("/hooks/generic/{}", source.name),
        })
        .collect();
    let hooks = if hooks.is_empty() { "no source of alerts is set".to_owned() } else { hooks.join(", ") };
    match std::net::TcpListener::bind(listen) {
        Ok(_) => Finding::good(format!("The intake can listen on {listen}: {hooks}.")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => running(listen, &hooks).await,
        Err(error) => Finding::bad(format!(
            "The intake cannot listen on {listen} ({error}). Set intake.listen to an address of this machine."
        )),
    }
}

/// What the program that listens on the intake's address says of itself.
async fn running(listen: SocketAddr, hooks: &str) -> Finding {
    let host = if listen.ip().is_unspecified() { IpAddr::from([127, 0, 0, 1]) } else { listen.ip() };
    let instead = "If it is not T-Minus, stop it or set another intake.listen.";
    match sending::look(&format!("http://{}/readyz", SocketAddr::new(host, listen.port()))).await {
        Ok((200, said)) if said.starts_with("ready") => {
            Finding::good(format!("T-Minus runs on {listen} and is ready: {hooks}."))
        }
        Ok((503, why)) => {
            let why = sending::said(&why);
            Finding::bad(format!("T-Minus runs on {listen} and is not ready: {}.", why.trim_end_matches('.')))
        }
        Ok((status, _)) => Finding::unknown(format!("A program on {listen} answers {status} to /readyz. {instead}")),
        Err(fault) => Finding::unknown(format!("A program on {listen} does not answer ({fault}). {instead}")),
    }
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
        _ if !clock.is_confirmed() => Finding::bad(
            "T-Minus could not confirm the time from Discord's answers, so it would send nothing. Check the connection to Discord for a proxy or a slow network.",
        ),
        0 => Finding::good("The machine's clock agrees with Discord's."),
        ms => Finding::bad(format!(
            "The machine's clock is up to {} {} Discord's. Correct it, and keep it in sync with NTP.",
            minutes(ms),
            if ms > 0 { "ahead of" } else { "behind" }
        )),
    }
}

/// Whether the database's folder is there and writable.
fn folder(database: &Path) -> Finding {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (shown, folder_shown) = (database.display(), folder.display());
    match std::fs::metadata(folder) {
        Err(error) => Finding::bad(format!(
            "T-Minus cannot use the database folder {folder_shown}: {error}. Create it, or change database.path."
        )),
        Ok(about) if about.permissions().readonly() || !about.is_dir() => Finding::bad(format!(
            "T-Minus cannot write to the database folder {folder_shown}. Change its permissions, or database.path."
        )),
        Ok(_) if database.exists() => Finding::good(format!("The database is {shown}.")),
        Ok(_) => Finding::good(format!("The database {shown} does not exist yet; T-Minus creates it when it starts.")),
    }
}
