//! `/release timeline`, `/release export` and `/tminus history`: the record, filtered and as a file.

use serde_json::json;
use serenity::model::application::CommandDataOptionValue;

use super::handle::{Handler, may_examine};
use super::parse::Typed;
use super::reply::{Handled, Reply};
use super::rest::Upload;
use crate::domain::ids::{UserId, WorkspaceId};
use crate::domain::people::{Actor, By};
use crate::store::Entry;
use crate::voice::timeline::{About, line};
use crate::voice::{self, system};

impl Handler {
    /// The newest lines in the answer, all of them in a file beside it: those that were asked for.
    pub(super) async fn timeline(&self, reply: &Reply<'_>, guild: &WorkspaceId, typed: &Typed) -> Handled {
        let release = self.release(guild, typed).await?;
        reply.wait().await?;
        let entries = self.desk.store().history(release.id).await?;
        let about = typed.text("show").and_then(|slug| About::from_slug(&slug));
        let who = match typed.value("who") {
            Some(CommandDataOptionValue::User(id)) => Some(UserId(id.to_string())),
            _ => None,
        };
        let wanted = |entry: &&Entry| {
            let theirs = |wanted: &UserId| matches!(&entry.recorded.by, By::Person { user, .. } if *user == *wanted);
            about.is_none_or(|about| about.holds(&entry.recorded.event)) && who.as_ref().is_none_or(theirs)
        };
        let kept: Vec<&Entry> = entries.iter().filter(wanted).collect();
        let lines: Vec<String> = kept.iter().map(|entry| line(&release, &entry.recorded)).collect();
        let (ending, bytes) = match typed.text("format").as_deref() {
            Some("json") => ("jsonl", as_json(&kept)),
            _ => ("txt", (lines.join("\n") + "\n").into_bytes()),
        };
        let name = voice::words::name(&release);
        let file = (!lines.is_empty()).then(|| Upload { name: format!("{}-timeline.{ending}", release.no), bytes });
        reply.with(&system::timeline(&name, &lines, entries.len()), None, file).await
    }

    /// `/tminus history`: who changed what in this server, for those who manage it or its releases.
    pub(super) async fn history(&self, reply: &Reply<'_>, guild: &WorkspaceId, actor: &Actor) -> Handled {
        let policy = self.policy(guild).await?;
        if let Err(refusal) = may_examine(actor, &policy) {
            return Err(voice::refuse(&refusal, &policy, None).into());
        }
        reply.wait().await?;
        let (noted, whole) = self.desk.store().own_history(guild).await?;
        let lines = voice::settings::record(&noted, whole);
        let bytes = lines.iter().map(|(_, plain)| plain.clone() + "\n").collect::<String>().into_bytes();
        let file = (!lines.is_empty()).then(|| Upload { name: "server-history.txt".to_owned(), bytes });
        reply.with(&voice::settings::history(&lines, whole), None, file).await
    }

    pub(super) async fn export_plan(&self, reply: &Reply<'_>, guild: &WorkspaceId, typed: &Typed) -> Handled {
        let release = self.release(guild, typed).await?;
        reply.wait().await?;
        self.export(reply, &release).await
    }
}

/// A line of JSON for each entry, with its place in the journal, as `tminus audit verify` counts it.
fn as_json(entries: &[&Entry]) -> Vec<u8> {
    let line = |entry: &&Entry| json!({ "seq": entry.seq, "recorded": entry.recorded }).to_string() + "\n";
    entries.iter().map(line).collect::<String>().into_bytes()
}
