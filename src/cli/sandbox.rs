//! `tminus sandbox`.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;
use tminus_sandbox::SimClock;

use super::{complain, say};
use crate::config::LogFormat;
use crate::sandboxed::{self, BEGIN_MS, Options, Sandboxed};
use crate::telemetry;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The page's port; 0 takes a free one.
    #[arg(long, default_value_t = 8730)]
    port: u16,
    /// Plays the story to its end, prints what was said, and exits.
    #[arg(long)]
    headless: bool,
    /// The story the page plays: smooth.
    #[arg(long, default_value = "smooth", value_parser = ["smooth"])]
    story: String,
    /// Keep the database in this file instead of a temporary one.
    #[arg(long)]
    db: Option<PathBuf>,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    telemetry::start(LogFormat::Human, "warn")?;
    let folder = std::env::temp_dir().join(format!("tminus-sandbox-{}", std::process::id()));
    let database = match &arguments.db {
        Some(file) => file.clone(),
        None => {
            std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
            folder.join("sandbox.db")
        }
    };
    let clock = if arguments.headless { SimClock::frozen(BEGIN_MS) } else { SimClock::running(BEGIN_MS) };
    // Playing without a person waits for nobody: only then the limiter is wide open.
    let per_five_seconds = if arguments.headless { 1_000 } else { 20 };
    let pair = Sandboxed::start(Options { port: arguments.port, clock, per_five_seconds, configured: true }, &database)
        .await?;
    let story = sandboxed::smooth(&pair.intake);
    pair.sandbox.tell(story.clone());
    let url = pair.sandbox.url();
    say(&json!({ "ready": true, "page": format!("{url}/"), "discord_api": url, "intake": pair.intake, "metrics_source": null }).to_string());
    if arguments.headless {
        for step in &story {
            complain(&format!("· {}", step.caption));
            pair.sandbox.play(step).await.map_err(|why| anyhow::anyhow!("{}: {why}", step.caption))?;
        }
        complain(&format!("The story {} was played to its end.", arguments.story));
    } else {
        complain(&format!(
            "The sandbox is ready: open {url}/ in a browser. Nothing leaves this machine. Ctrl-C ends it."
        ));
        super::service::ended().await?;
    }
    let sandbox = pair.sandbox.clone();
    pair.stop_bot().await;
    sandbox.stop();
    if arguments.db.is_none()
        && let Err(error) = std::fs::remove_dir_all(&folder)
    {
        tracing::warn!(%error, "The temporary database could not be removed");
    }
    Ok(())
}
