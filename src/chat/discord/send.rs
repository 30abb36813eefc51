//! Sending for the courier: create, edit, look up. Classification is the transport's; repeating is the courier's.

use reqwest::Method;
use serde_json::{Value, json};

use super::render;
use super::rest::{Limit, Rest};
use crate::chat::{LookUp, Outgoing, SendFault};
use crate::domain::ids::ChannelId;

/// Pages of 100 messages a look-up reads at most.
const MAX_PAGES: usize = 5;

/// Discord's side of the courier.
#[derive(Debug, Clone)]
pub struct Sender {
    rest: Rest,
}

impl Sender {
    /// A sender over a transport.
    pub fn new(rest: Rest) -> Self {
        Self { rest }
    }

    pub(in crate::chat) async fn post(
        &self,
        channel: &ChannelId,
        out: Outgoing<'_>,
        nonce: &str,
    ) -> Result<String, SendFault> {
        let mut body = render::body(out);
        if let Some(fields) = body.as_object_mut() {
            fields.insert("nonce".to_owned(), json!(nonce));
            fields.insert("enforce_nonce".to_owned(), json!(true));
        }
        let answer = self
            .rest
            .json(
                Method::POST,
                &format!("/channels/{channel}/messages"),
                Some(&body),
                Limit::Bucket,
            )
            .await?;
        id_of(&answer).ok_or_else(|| SendFault::Unknown("the answer holds no message id".to_owned()))
    }

    pub(in crate::chat) async fn edit(
        &self,
        channel: &ChannelId,
        id: &str,
        out: Outgoing<'_>,
    ) -> Result<(), SendFault> {
        let body = render::body(out);
        self.rest
            .json(
                Method::PATCH,
                &format!("/channels/{channel}/messages/{id}"),
                Some(&body),
                Limit::Bucket,
            )
            .await?;
        Ok(())
    }

    pub(in crate::chat) async fn newest(&self, channel: &ChannelId) -> Result<Option<String>, SendFault> {
        let answer = self
            .rest
            .json(Method::GET, &format!("/channels/{channel}"), None, Limit::Bucket)
            .await?;
        Ok(answer
            .get("last_message_id")
            .and_then(Value::as_str)
            .map(str::to_owned))
    }

    /// An empty list may mean that the bot may not read: only a list that shows the anchor counts as read. A channel that
    /// was empty before the first attempt counts as read while it says that it still is.
    pub(in crate::chat) async fn look_up(
        &self,
        channel: &ChannelId,
        marker: &str,
        anchor: Option<&str>,
    ) -> Result<LookUp, SendFault> {
        let start = anchor.and_then(|a| a.parse::<u64>().ok());
        let mut after = start.map_or(0, |id| id.saturating_sub(1));
        let mut anchored = false;
        let mut any = false;
        for _ in 0..MAX_PAGES {
            let path = format!("/channels/{channel}/messages?limit=100&after={after}");
            let page = self.rest.json(Method::GET, &path, None, Limit::Bucket).await?;
            let messages = page.as_array().cloned().unwrap_or_default();
            any |= !messages.is_empty();
            for message in &messages {
                let id = id_of(message).and_then(|id| id.parse::<u64>().ok()).unwrap_or(0);
                anchored |= Some(id) == start;
                if shows(message, marker) {
                    return Ok(LookUp::Found(id.to_string()));
                }
                after = after.max(id);
            }
            if messages.len() < 100 {
                let read = match start {
                    Some(_) => anchored,
                    None => any || self.newest(channel).await?.is_none(),
                };
                return Ok(if read {
                    LookUp::Absent
                } else {
                    LookUp::Inconclusive
                });
            }
        }
        Ok(LookUp::Inconclusive)
    }
}

fn id_of(message: &Value) -> Option<String> {
    message.get("id").and_then(Value::as_str).map(str::to_owned)
}

/// Whether a message of ours carries the marker in its footer.
fn shows(message: &Value, marker: &str) -> bool {
    let footer = message
        .pointer("/embeds/0/footer/text")
        .and_then(Value::as_str)
        .unwrap_or_default();
    footer.split(" · ").any(|part| part == marker)
}
