//! Systems outside the chat that are written to: status pages. Only what the operator named in the configuration is reached;
//! no redirects, no proxy from the environment. It must not know what a release is: it is handed a page's entry.

mod git;
mod statuspage;
mod webhook;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};

use crate::clock::Clock;
use crate::delivery::Repeat;
use crate::domain::ids::WorkspaceId;
use crate::sending::{LookUp, SendFault, http_client, said, unanswered};
use crate::voice::PageEntry;

/// A status page of the configuration.
#[derive(Debug, Clone)]
pub struct StatusPage {
    /// Unique; what people and the journal call it.
    pub name: String,
    /// The server whose releases it shows.
    pub server: WorkspaceId,
    pub kind: PageKind,
}

/// What a page is, and how it is reached.
#[derive(Debug, Clone)]
pub enum PageKind {
    /// Atlassian Statuspage. <https://developer.statuspage.io>
    Statuspage { api_url: String, page_id: String, api_key: SecretString, component_ids: Vec<String> },
    /// A page built from files in a git work tree, such as cState: a file written and committed.
    Git { path: PathBuf, folder: String, push: bool },
    /// A webhook, signed by Standard Webhooks.
    Webhook { url: String, secret: SecretString },
}

/// Every page, by name. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Pages {
    by_name: Arc<BTreeMap<String, Page>>,
}

#[derive(Debug)]
enum Page {
    Statuspage(statuspage::Statuspage),
    Git(git::GitPage),
    Webhook(webhook::Webhook),
}

impl Pages {
    /// The pages of a configuration.
    ///
    /// # Errors
    /// The TLS library could not be set up.
    pub fn new(pages: Vec<StatusPage>, clock: &Clock) -> Result<Self, reqwest::Error> {
        let http = http_client(concat!("tminus/", env!("CARGO_PKG_VERSION")))?;
        let mut paces = BTreeMap::<String, statuspage::Pace>::new();
        let mut page = |kind: PageKind| match kind {
            PageKind::Statuspage { api_url, page_id, api_key, component_ids } => {
                let pace =
                    paces.entry(api_key.expose_secret().to_owned()).or_insert_with(statuspage::Pace::new).clone();
                let http = http.clone();
                Page::Statuspage(statuspage::Statuspage::new(http, &api_url, &page_id, api_key, component_ids, pace))
            }
            PageKind::Git { path, folder, push } => Page::Git(git::GitPage::new(path, folder, push)),
            PageKind::Webhook { url, secret } => {
                Page::Webhook(webhook::Webhook::new(http.clone(), url, secret, clock.clone()))
            }
        };
        let by_name = pages.into_iter().map(|p| (p.name, page(p.kind))).collect();
        Ok(Self { by_name: Arc::new(by_name) })
    }

    fn page(&self, name: &str) -> Result<&Page, SendFault> {
        let gone = || SendFault::NotThere(format!("the configuration no longer has status page “{name}”"));
        self.by_name.get(name).ok_or_else(gone)
    }

    /// Shows an entry for the first time; `marker` is kept with it, so that it is found again.
    ///
    /// # Errors
    /// A classified fault.
    pub async fn show(&self, name: &str, entry: &PageEntry, marker: &str) -> Result<String, SendFault> {
        match self.page(name)? {
            Page::Statuspage(page) => page.create(entry, marker).await,
            Page::Git(page) => page.write(entry, marker).await,
            Page::Webhook(page) => page.tell(entry, marker, 0).await,
        }
    }

    /// Shows how an entry stands now, for the `n`th time: every attempt at one state has the same `n`.
    ///
    /// # Errors
    /// A classified fault.
    pub async fn update(&self, name: &str, id: &str, entry: &PageEntry, marker: &str, n: u64) -> Result<(), SendFault> {
        match self.page(name)? {
            Page::Statuspage(page) => page.update(id, entry).await,
            Page::Git(page) => page.write(entry, marker).await.map(drop),
            Page::Webhook(page) => page.tell(entry, marker, n).await.map(drop),
        }
    }

    /// What each page allows when nobody knows whether it shows an entry: the same file, or an id the receiver knows, changes nothing.
    pub fn repeats(&self) -> BTreeMap<String, Repeat> {
        let repeat = |page: &Page| match page {
            Page::Statuspage(_) => Repeat::LookUpFirst { nonce: None },
            Page::Git(_) | Page::Webhook(_) => Repeat::Idempotent,
        };
        self.by_name.iter().map(|(name, page)| (name.clone(), repeat(page))).collect()
    }

    /// Whether an entry is there.
    ///
    /// # Errors
    /// A classified fault.
    pub async fn find(&self, name: &str, marker: &str) -> Result<LookUp, SendFault> {
        match self.page(name)? {
            Page::Statuspage(page) => page.find(marker).await,
            // Writing the same file again, or telling a receiver the same id again, changes nothing.
            Page::Git(_) | Page::Webhook(_) => Ok(LookUp::Absent),
        }
    }
}

/// Why a page refused, in its own words: the fields `error` or `message` of its answer. Anything else in it may repeat the request.
fn reason(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let field = body.get("error").or_else(|| body.get("message"))?;
    let first = field.as_array().and_then(|list| list.first()).unwrap_or(field);
    first.as_str().map(said)
}

/// The class of an answer that is no success. A page's token is not the bot's: nothing here stops the chat.
fn classify(status: StatusCode, body: &[u8], retry_after: Option<u64>) -> SendFault {
    let text = match reason(body) {
        Some(reason) => format!("{}: {reason}", status.as_u16()),
        None => status.to_string(),
    };
    match status.as_u16() {
        420 | 429 => SendFault::Wait(Duration::from_secs(retry_after.unwrap_or(5).clamp(1, 900))),
        401 | 403 => SendFault::Blocked(text),
        404 => SendFault::NotThere(text),
        408 | 500..=599 => SendFault::Unknown(text),
        _ => SendFault::Refused(text),
    }
}

/// Sends a request and reads its answer.
async fn send(request: reqwest::RequestBuilder) -> Result<Vec<u8>, SendFault> {
    let answer = request.send().await.map_err(|error| unanswered(&error))?;
    let status = answer.status();
    let retry_after =
        answer.headers().get("retry-after").and_then(|v| v.to_str().ok()).and_then(|v| v.trim().parse().ok());
    let bytes = answer.bytes().await.map_err(|error| unanswered(&error))?;
    if status.is_success() { Ok(bytes.to_vec()) } else { Err(classify(status, &bytes, retry_after)) }
}
