//! Fetches an attached plan: from Discord's own hosts only (or the local server in local mode), capped while it streams.

use reqwest::Url;
use serenity::model::application::{CommandDataOptionValue, CommandInteraction};
use serenity::model::channel::Attachment;

use super::parse::Typed;
use super::render;
use crate::plan_doc::MAX_BYTES;

const HOSTS: [&str; 2] = ["cdn.discordapp.com", "media.discordapp.net"];

/// Why an attachment was not read; a sentence for the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfetched {
    #[error("The file has {0} bytes; the limit is {MAX_BYTES}")]
    TooLarge(u64),
    #[error("The file is not a Discord attachment; attach it to the command")]
    Foreign,
    #[error("T-Minus could not download the file; attach it again")]
    Failed,
}

/// Fetches an attachment of a declared size. `local` is the API's base URL when it is on loopback.
///
/// # Errors
/// A sentence for the person who attached it.
pub async fn fetch(
    http: &reqwest::Client,
    url: &str,
    declared: u64,
    local: Option<&str>,
) -> Result<Vec<u8>, Unfetched> {
    if declared > MAX_BYTES as u64 {
        return Err(Unfetched::TooLarge(declared));
    }
    let url = Url::parse(url).map_err(|_not_a_url| Unfetched::Foreign)?;
    let from_discord =
        url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(|h| HOSTS.contains(&h));
    let from_local = local.and_then(|l| Url::parse(l).ok()).is_some_and(|l| l.origin() == url.origin());
    if !from_discord && !from_local {
        return Err(Unfetched::Foreign);
    }
    let mut answer = http.get(url).send().await.map_err(|_network| Unfetched::Failed)?;
    if !answer.status().is_success() {
        return Err(Unfetched::Failed);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_network| Unfetched::Failed)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_BYTES {
            return Err(Unfetched::TooLarge(bytes.len() as u64));
        }
    }
    Ok(bytes)
}

/// The attachment given in the option `plan`.
pub(super) fn of<'a>(it: &'a CommandInteraction, typed: &Typed) -> Option<&'a Attachment> {
    match typed.value("plan") {
        Some(CommandDataOptionValue::Attachment(id)) => it.data.resolved.attachments.get(id),
        _ => None,
    }
}

/// Its file name as it may be shown and stored.
pub(super) fn name(attached: &Attachment) -> String {
    render::clean(&attached.filename).chars().filter(|c| !matches!(c, '/' | '\\')).take(100).collect()
}
