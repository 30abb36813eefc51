//! A page built from files in a git work tree, in cState's layout: one Markdown file with front matter for each maintenance.
//! Writing the same file again is no change, so a repeat does no harm. <https://github.com/cstate/cstate>

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

use crate::sending::{SendFault, said};
use crate::voice::{PageEntry, PageState};

/// The longest a git command may take.
const GIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct GitPage {
    path: PathBuf,
    folder: String,
    push: bool,
    /// One commit at a time in a work tree.
    turn: tokio::sync::Mutex<()>,
}

impl GitPage {
    pub(super) fn new(path: PathBuf, folder: String, push: bool) -> Self {
        Self { path, folder, push, turn: tokio::sync::Mutex::new(()) }
    }

    /// Writes the entry's file, commits it, and pushes if so configured. The file's path is its id.
    pub(super) async fn write(&self, entry: &PageEntry, marker: &str) -> Result<String, SendFault> {
        let _turn = self.turn.lock().await;
        // Its name does not move with T-0: the file is written over.
        let name = format!("{}/{}-{marker}.md", self.folder.trim_matches('/'), entry.release.to_lowercase());
        let broken = |error: std::io::Error| SendFault::Blocked(format!("{}: {error}", self.path.display()));
        let (file, text) = (self.path.join(&name), file(entry));
        if let Some(folder) = file.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(broken)?;
        }
        // Whole or not at all: a page is built from what stands there.
        let beside = file.with_extension("tmp");
        tokio::fs::write(&beside, text).await.map_err(broken)?;
        tokio::fs::rename(&beside, &file).await.map_err(broken)?;
        git(&self.path, &["add", "--", &name]).await?;
        let staged = run(&self.path, &["diff", "--cached", "--quiet", "--", &name]).await?;
        if !staged.status.success() {
            let message = format!("{}: {}", entry.release, entry.title);
            git(&self.path, &["commit", "--quiet", "--message", &message, "--", &name]).await?;
        }
        if self.push {
            git(&self.path, &["push", "--quiet"]).await?;
        }
        Ok(name)
    }
}

/// A git command that must succeed. What it refuses (a push that was overtaken, a lock that was left) a person must mend.
async fn git(path: &Path, arguments: &[&str]) -> Result<(), SendFault> {
    let output = run(path, arguments).await?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let line = said(text.lines().last().unwrap_or_default());
    Err(SendFault::Blocked(format!("git {}: {line}", arguments.first().unwrap_or(&""))))
}

async fn run(path: &Path, arguments: &[&str]) -> Result<Output, SendFault> {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(path)
        .args(["-c", "user.name=T-Minus", "-c", "user.email=tminus@localhost"])
        .args(arguments)
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    match tokio::time::timeout(GIT, command.output()).await {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(error)) => Err(SendFault::Blocked(format!("cannot run git: {error}"))),
        Err(_elapsed) => Err(SendFault::NotSent("git took longer than ten seconds".to_owned())),
    }
}

/// The file: front matter as cState reads it, then the text.
fn file(entry: &PageEntry) -> String {
    let resolved = matches!(entry.state, PageState::Completed | PageState::Cancelled);
    // JSON strings are YAML strings: whatever a title holds, it stays one.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let (starts, ends) = (entry.starts, entry.ends);
    let mut text = format!("---\ntitle: {}\ndate: {starts}\nresolved: {resolved}\n", quoted(&entry.title));
    if resolved {
        text.push_str(&format!("resolvedWhen: {ends}\n"));
    }
    text.push_str("informational: true\nseverity: notice\nsection: issue\n---\n\n");
    text.push_str(&format!("{}\n\nPlanned: {starts} to {ends}.\n", entry.body));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_holds_whatever_a_title_says() {
        let entry = PageEntry {
            release: "REL-1".to_owned(),
            title: "Scheduled maintenance: \"x\"\n---\nresolved: true".to_owned(),
            body: "Soon.".to_owned(),
            state: PageState::Scheduled,
            starts: "2026-12-08T13:00:00Z".parse().unwrap(),
            ends: "2026-12-08T14:00:00Z".parse().unwrap(),
        };
        let text = file(&entry);
        assert_eq!(text.matches("\n---\n").count(), 1, "{text}");
        assert!(text.contains("\nresolved: false\n") && !text.contains("\nresolved: true\n"), "{text}");
    }
}
