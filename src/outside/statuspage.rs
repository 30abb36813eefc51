//! Atlassian Statuspage: a scheduled maintenance is an incident with a status; one request a second for a token; no
//! idempotency key, so it is found again by its metadata. <https://developer.statuspage.io>

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::send;
use crate::sending::{LookUp, SendFault};
use crate::voice::{PageEntry, PageState};

/// Statuspage counts one request a second for a token, over a minute.
const APART: Duration = Duration::from_millis(1_050);

#[derive(Debug)]
pub(super) struct Statuspage {
    http: reqwest::Client,
    base: String,
    key: SecretString,
    components: Vec<String>,
    pace: Pace,
}

/// When the next request of a token may leave. Clones share it, as pages share their token's limit.
#[derive(Debug, Clone)]
pub(super) struct Pace(Arc<tokio::sync::Mutex<Instant>>);

impl Pace {
    pub(super) fn new() -> Self {
        Self(Arc::new(tokio::sync::Mutex::new(Instant::now())))
    }

    async fn turn(&self) {
        let mut next = self.0.lock().await;
        tokio::time::sleep_until(*next).await;
        *next = Instant::now() + APART;
    }
}

impl Statuspage {
    pub(super) fn new(
        http: reqwest::Client,
        api_url: &str,
        page_id: &str,
        key: SecretString,
        components: Vec<String>,
        pace: Pace,
    ) -> Self {
        let base = format!("{}/pages/{page_id}", api_url.trim_end_matches('/'));
        Self { http, base, key, components, pace }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, SendFault> {
        self.pace.turn().await;
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .header("Authorization", format!("OAuth {}", self.key.expose_secret()));
        if let Some(body) = body {
            request = request.json(body);
        }
        let bytes = send(request).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| SendFault::Unknown(format!("cannot parse Statuspage's answer: {error}")))
    }

    /// What create and update have in common. It neither begins nor completes by Statuspage's own clock: T-0 without go is no
    /// maintenance, and success is never announced by a timer.
    fn incident(&self, entry: &PageEntry) -> Value {
        let status = match entry.state {
            // Statuspage has no cancelled: the text says it.
            PageState::Cancelled => PageState::Completed.word(),
            PageState::Scheduled | PageState::InProgress | PageState::Verifying | PageState::Completed => {
                entry.state.word()
            }
        };
        let component = match entry.state {
            PageState::InProgress | PageState::Verifying => "under_maintenance",
            PageState::Scheduled | PageState::Completed | PageState::Cancelled => "operational",
        };
        let mut incident = json!({
            "name": entry.title,
            "status": status,
            "body": entry.body,
            "scheduled_for": entry.starts,
            "scheduled_until": entry.ends,
            "scheduled_auto_in_progress": false,
            "scheduled_auto_completed": false,
        });
        if !self.components.is_empty() {
            let states: serde_json::Map<String, Value> =
                self.components.iter().map(|id| (id.clone(), json!(component))).collect();
            incident["component_ids"] = json!(self.components);
            incident["components"] = Value::Object(states);
        }
        incident
    }

    pub(super) async fn create(&self, entry: &PageEntry, marker: &str) -> Result<String, SendFault> {
        let mut incident = self.incident(entry);
        incident["metadata"] = json!({ "tminus": { "release": entry.release, "marker": marker } });
        let answer = self.ask(Method::POST, "/incidents", Some(&json!({ "incident": incident }))).await?;
        let id = answer.get("id").and_then(Value::as_str);
        id.map(str::to_owned).ok_or_else(|| SendFault::Unknown("Statuspage's answer has no incident id".to_owned()))
    }

    pub(super) async fn update(&self, id: &str, entry: &PageEntry) -> Result<(), SendFault> {
        let body = json!({ "incident": self.incident(entry) });
        self.ask(Method::PATCH, &format!("/incidents/{id}"), Some(&body)).await.map(drop)
    }

    /// Scheduled ones, and those whose time has come.
    pub(super) async fn find(&self, marker: &str) -> Result<LookUp, SendFault> {
        for path in ["/incidents/scheduled", "/incidents/active_maintenance"] {
            let answer = self.ask(Method::GET, path, None).await?;
            let ours = |i: &&Value| i.pointer("/metadata/tminus/marker").and_then(Value::as_str) == Some(marker);
            let found = answer.as_array().into_iter().flatten().find(ours).and_then(|i| i.get("id")?.as_str());
            if let Some(id) = found {
                return Ok(LookUp::Found(id.to_owned()));
            }
        }
        Ok(LookUp::Absent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::domain::ids::WorkspaceId;
    use crate::outside::{Page, PageKind, Pages, StatusPage};

    #[test]
    fn pages_of_one_token_share_its_limit() {
        let page = |name: &str, key: &str| StatusPage {
            name: name.to_owned(),
            server: WorkspaceId::from("guild"),
            kind: PageKind::Statuspage {
                api_url: "https://api.example".to_owned(),
                page_id: name.to_owned(),
                api_key: SecretString::from(key.to_owned()),
                component_ids: Vec::new(),
            },
        };
        let pages = vec![page("a", "one"), page("b", "one"), page("c", "two")];
        let pages = Pages::new(pages, &Clock::system()).unwrap();
        let pace = |name: &str| match &pages.by_name[name] {
            Page::Statuspage(page) => Arc::clone(&page.pace.0),
            Page::Git(_) | Page::Webhook(_) => panic!("another kind"),
        };
        assert!(Arc::ptr_eq(&pace("a"), &pace("b")) && !Arc::ptr_eq(&pace("a"), &pace("c")));
    }
}
