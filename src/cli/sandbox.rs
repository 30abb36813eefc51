//! `tminus sandbox`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chat_sandbox::{Limits, SimClock};
use serde_json::json;

use super::{complain, say};
use crate::config::LogFormat;
use crate::sandboxed::{self, BEGIN_MS, Options, STORIES, Sandboxed};
use crate::telemetry;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The page's port; 0 takes a free one.
    #[arg(long, default_value_t = 8730)]
    port: u16,
    /// Plays the story to its end, says its steps, and exits.
    #[arg(long)]
    headless: bool,
    /// The story the page plays.
    #[arg(long, default_value = "smooth", value_parser = STORIES)]
    story: String,
    /// Keep the database in this file instead of a temporary one.
    #[arg(long)]
    db: Option<PathBuf>,
}

/// The page waits for people: a little more than Discord allows, so that a story of two minutes is not held back.
const WATCHED: Limits = Limits { per_five_seconds: 20, global_per_second: 50 };

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    telemetry::start(LogFormat::Human, "warn")?;
    let folder = std::env::temp_dir().join(format!("tminus-sandbox-{}", std::process::id()));
    if arguments.db.is_none() {
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let database = arguments.db.clone().unwrap_or_else(|| folder.join("sandbox.db"));
    let ended = play(&arguments, &database).await;
    if arguments.db.is_none()
        && let Err(error) = std::fs::remove_dir_all(&folder)
    {
        tracing::warn!(%error, "The temporary database could not be removed");
    }
    ended
}

async fn play(arguments: &Arguments, database: &Path) -> anyhow::Result<()> {
    let clock = if arguments.headless { SimClock::frozen(BEGIN_MS) } else { SimClock::running(BEGIN_MS) };
    let limits = if arguments.headless { Limits::WIDE } else { WATCHED };
    let options = Options { port: arguments.port, clock, limits, configured: true };
    let mut pair = Sandboxed::start(options, database).await?;
    let sandbox = pair.sandbox.clone();
    sandbox.tell(sandboxed::tale(&arguments.story));
    let url = sandbox.url();
    let ready = json!({
        "ready": true, "page": format!("{url}/"), "discord_api": url, "intake": pair.intake, "metrics_source": sandbox.metrics_url(),
    });
    say(&ready.to_string());
    if arguments.headless {
        for step in &sandboxed::tale(&arguments.story).steps {
            complain(&format!("· {}", step.caption));
            sandbox.play(step).await.map_err(|why| anyhow::anyhow!("{}: {why}", step.caption))?;
        }
        complain(&format!("The story {} was played to its end.", arguments.story));
    } else {
        complain(&format!(
            "The sandbox is ready: open {url}/ in a browser. Nothing leaves this machine. Ctrl-C ends it."
        ));
        loop {
            // Neither side of this choice touches the database.
            let wanted = tokio::select! {
                ended = super::service::ended() => { ended?; None }
                name = sandbox.wanted() => Some(name),
            };
            let Some(name) = wanted else { break };
            pair = begin(pair, &name, database).await?;
        }
    }
    pair.stop_bot().await;
    sandbox.stop();
    Ok(())
}

/// Another story, in a fresh server with a fresh database.
async fn begin(pair: Sandboxed, name: &str, database: &Path) -> anyhow::Result<Sandboxed> {
    let sandbox = pair.sandbox.clone();
    pair.stop_bot().await;
    for ending in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{ending}", database.display()));
        if file.exists() {
            std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    sandbox.clock().set(BEGIN_MS);
    sandbox.reset(sandboxed::world());
    sandbox.tell(sandboxed::tale(name));
    Sandboxed::connect(sandbox, database, true).await
}
