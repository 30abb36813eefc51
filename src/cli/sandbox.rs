//! `tminus sandbox`.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chat_sandbox::{Limits, Sandbox, SimClock};
use serde_json::json;

use crate::cli::print::{complain, say};
use crate::clock::Machine;
use crate::sandboxed::{self, BEGIN_MS, Options, STORIES, Sandboxed};
use crate::telemetry::{self, LogFormat};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Port of the page; 0 picks a free one.
    #[arg(long, default_value_t = 8730)]
    port: u16,
    /// Play the story to its end, print its steps, and exit.
    #[arg(long)]
    headless: bool,
    /// Story to play.
    #[arg(long, default_value = "smooth", value_parser = STORIES)]
    story: String,
    /// Keep the database in this new file for inspection; starting another story replaces it.
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
            "{} already exists, and the sandbox needs a new file: remove it, or choose another file",
            file.display()
        );
    }
    let database = arguments.db.clone().unwrap_or_else(|| folder.join("sandbox.db"));
    let ended = play(&arguments, &database).await;
    if arguments.db.is_none()
        && let Err(error) = std::fs::remove_dir_all(&folder)
    {
        tracing::warn!(%error, "temporary database not removed");
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
        configured: false,
        pages: String::new(),
        machine: Machine::default(),
        asking: sandboxed::UNCOUNTED,
    };
    let pair = Sandboxed::start(options, database).await?;
    pair.set_up().await?;
    let sandbox = pair.sandbox.clone();
    let mut bot = Some(pair);
    sandbox.tell(sandboxed::tale(&arguments.story));
    let url = sandbox.url();
    let words = if arguments.headless {
        format!("The sandbox plays the story {} at {url}/.", arguments.story)
    } else {
        format!("The sandbox is ready: open {url}/ in a browser. Nothing leaves this machine. Ctrl-C ends it.")
    };
    // A person reads the address in words, a program as JSON.
    let person = std::io::stdout().is_terminal();
    if person {
        say(&words);
    } else {
        let ready = json!({
            "ready": true, "page": format!("{url}/"), "discord_api": url, "intake": bot.as_ref().map(|pair| pair.intake.as_str()), "metrics_source": sandbox.metrics_url(),
        });
        say(&ready.to_string());
    }
    if arguments.headless {
        for step in &sandboxed::tale(&arguments.story).steps {
            complain(&format!("· {}", step.caption));
            sandbox.play(step).await.map_err(|why| anyhow::anyhow!("{}: {why}", step.caption))?;
        }
        complain(&format!("The story “{}” is complete.", arguments.story));
    } else {
        if !person {
            complain(&words);
        }
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
                    tracing::error!(error = format!("{error:#}"), "story failed to start");
                    sandbox.cannot_tell(&format!("The sandbox could not set up a new server: {error:#}"));
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
    let pair = Sandboxed::connect(sandbox.clone(), database, false, "", Machine::default()).await?;
    pair.set_up().await?;
    drop(still);
    Ok(pair)
}
