//! `tminus sandbox`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chat_sandbox::{Limits, Sandbox, SimClock};
use serde_json::json;

use super::{complain, say};
use crate::clock::Machine;
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
    /// Keep the database in this new file, to look at afterwards; another story begins it anew.
    #[arg(long)]
    db: Option<PathBuf>,
}

/// The page waits for people: a little more than Discord allows, so that a story of two minutes is not held back.
const WATCHED: Limits = Limits { per_five_seconds: 20, global_per_second: 50, ..Limits::DISCORD };

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    telemetry::start(LogFormat::Human, "warn")?;
    let folder = std::env::temp_dir().join(format!("tminus-sandbox-{}", std::process::id()));
    if arguments.db.is_none() {
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    if let Some(file) = arguments.db.as_ref().filter(|file| file.exists()) {
        anyhow::bail!(
            "{} exists already, and the sandbox begins in a fresh server: remove it, or name another file",
            file.display()
        );
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
    let options = Options {
        port: arguments.port,
        clock,
        limits,
        configured: true,
        pages: String::new(),
        machine: Machine::default(),
        asking: sandboxed::UNCOUNTED,
    };
    let pair = Sandboxed::start(options, database).await?;
    let sandbox = pair.sandbox.clone();
    let mut bot = Some(pair);
    sandbox.tell(sandboxed::tale(&arguments.story));
    let url = sandbox.url();
    let ready = json!({
        "ready": true, "page": format!("{url}/"), "discord_api": url, "intake": bot.as_ref().map(|pair| pair.intake.as_str()), "metrics_source": sandbox.metrics_url(),
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
            match begin(&sandbox, bot.take(), &name, database).await {
                Ok(pair) => bot = Some(pair),
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "The story could not begin");
                    sandbox.cannot_tell(&format!("The fresh server could not be set up: {error:#}"));
                }
            }
        }
    }
    if let Some(pair) = bot {
        pair.stop_bot().await?;
    }
    sandbox.stop();
    Ok(())
}

/// Another story, in a fresh server with a fresh database.
async fn begin(sandbox: &Sandbox, bot: Option<Sandboxed>, name: &str, database: &Path) -> anyhow::Result<Sandboxed> {
    // Whoever moves the clock or plays a step gets done first.
    let still = sandbox.still().await;
    if let Some(pair) = bot {
        pair.stop_bot().await?;
    }
    for ending in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{ending}", database.display()));
        if file.exists() {
            std::fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    sandbox.clock().set(BEGIN_MS);
    sandbox.reset(sandboxed::world());
    sandbox.tell(sandboxed::tale(name));
    let pair = Sandboxed::connect(sandbox.clone(), database, true, "", Machine::default()).await;
    drop(still);
    pair
}
