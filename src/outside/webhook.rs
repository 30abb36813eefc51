//! A page behind a webhook, signed by Standard Webhooks. The id is the same for every attempt at one state of an entry, so a
//! receiver that keeps ids takes each once.

use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::send;
use crate::clock::Clock;
use crate::sending::SendFault;
use crate::signature;
use crate::voice::PageEntry;

#[derive(Debug)]
pub(super) struct Webhook {
    http: reqwest::Client,
    url: String,
    secret: SecretString,
    clock: Clock,
}

impl Webhook {
    pub(super) fn new(http: reqwest::Client, url: String, secret: SecretString, clock: Clock) -> Self {
        Self { http, url, secret, clock }
    }

    pub(super) async fn tell(&self, entry: &PageEntry, marker: &str, n: u64) -> Result<String, SendFault> {
        let state = entry.state.word();
        let id = format!("{marker}-{n}");
        let now = self.clock.now();
        let body = json!({
            "type": format!("maintenance.{state}"),
            "timestamp": now,
            "data": {
                "release": entry.release, "title": entry.title, "body": entry.body,
                "starts_at": entry.starts, "ends_at": entry.ends,
            },
        })
        .to_string();
        let stamp = now.as_second().to_string();
        let signature = signature::sign(self.secret.expose_secret(), &id, &stamp, body.as_bytes())
            .ok_or_else(|| SendFault::Refused("the secret is not a valid key".to_owned()))?;
        let request = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", stamp)
            .header("webhook-signature", signature)
            .body(body);
        send(request).await?;
        Ok(id)
    }
}
