//! Sending for the courier: create, edit, look up. Classification is the transport's; repeating is the courier's.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use super::render;
use super::rest::{Limit, Rest, Upload};
use crate::chat::outgoing::{Outgoing, Rank, Standing};
use crate::chat::token::Token;
use crate::delivery::NonceWindow;
use crate::domain::ids::{ChannelId, WorkspaceId};
use crate::sending::{LookUp, SendFault};

/// A look-up begins this long before the first attempt: clocks differ.
const EARLIER: SignedDuration = SignedDuration::from_secs(60);
/// Pages of 100 messages a look-up reads at most. It reads to the present: after a restored backup nobody knows when a message
/// was posted.
const MAX_PAGES: usize = 20;
/// How long a page of a history waits for its turn.
const TURN: Duration = Duration::from_secs(5);
/// Pages of 100 messages a sweep reads of one channel at most.
const MAX_SWEPT: usize = 20;

/// Discord remembers a nonce for a minute at least (Create Message, `enforce_nonce`): a request that begins within 44 seconds may take its
/// time. A request may take effect most of a minute late, so repeats end after four seconds.
/// <https://discord.com/developers/docs/resources/message#create-message>
pub(in crate::chat) const NONCE: NonceWindow =
    NonceWindow { trusted: SignedDuration::from_secs(44), repeats: SignedDuration::from_secs(4) };

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

    pub(in crate::chat) fn token(&self) -> &Token {
        self.rest.token()
    }

    pub(in crate::chat) async fn owns(&self, guild: &WorkspaceId, channel: &ChannelId) -> Result<bool, SendFault> {
        self.rest.owns(guild, channel).await
    }

    /// Get Current User needs nothing but a valid token.
    pub(in crate::chat) async fn confirm_token(&self) -> Result<(), SendFault> {
        self.rest.json(Method::GET, "/users/@me", None, Limit::Urgent).await.map(drop)
    }

    pub(in crate::chat) async fn ask_time(&self) {
        self.rest.ask_time().await;
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
        let limit = match out.rank {
            Rank::Urgent => Limit::Urgent,
            Rank::Due => Limit::Notice,
            Rank::Later => Limit::Bucket,
        };
        let path = format!("/channels/{channel}/messages");
        let answer = match out.file {
            None => self.rest.json(Method::POST, &path, Some(&body), limit).await?,
            Some(file) => {
                let file = Upload { name: file.name.clone(), bytes: file.bytes.clone() };
                self.rest.upload(Method::POST, &path, &body, file, limit).await?
            }
        };
        id_of(&answer).ok_or_else(|| SendFault::Unknown("Discord's answer has no message id".to_owned()))
    }

    pub(in crate::chat) async fn edit(
        &self,
        channel: &ChannelId,
        id: &str,
        out: Outgoing<'_>,
    ) -> Result<(), SendFault> {
        let body = render::body(out);
        self.rest
            .json(Method::PATCH, &format!("/channels/{channel}/messages/{id}"), Some(&body), Limit::Bucket)
            .await?;
        Ok(())
    }

    pub(in crate::chat) async fn remove(&self, channel: &ChannelId, id: &str) -> Result<(), SendFault> {
        let path = format!("/channels/{channel}/messages/{id}");
        match self.rest.json(Method::DELETE, &path, None, Limit::Bucket).await {
            Ok(_) | Err(SendFault::Deleted) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Other bots' footers may look like a marker: only markers we know are ours count, and that is the caller's to say.
    pub(in crate::chat) async fn standing(
        &self,
        channel: &ChannelId,
        since: Timestamp,
    ) -> Result<Vec<Standing>, SendFault> {
        let (mut after, mut found) = (snowflake(since), Vec::new());
        for _ in 0..MAX_SWEPT {
            let mut messages = self.page(channel, after, 100).await?;
            messages.sort_by_key(number_of);
            for message in &messages {
                let footer = message.pointer("/embeds/0/footer/text").and_then(Value::as_str).unwrap_or_default();
                if let (Some(id), Some(marker)) = (id_of(message), footer.rsplit(" · ").next()) {
                    found.push(Standing { id, marker: marker.to_owned() });
                }
            }
            after = messages.iter().filter_map(number_of).max().unwrap_or(after);
            if messages.len() < 100 {
                break;
            }
        }
        Ok(found)
    }

    async fn newest(&self, channel: &ChannelId) -> Result<Option<String>, SendFault> {
        let answer = self.rest.json(Method::GET, &format!("/channels/{channel}"), None, Limit::Bucket).await?;
        Ok(answer.get("last_message_id").and_then(Value::as_str).map(str::to_owned))
    }

    /// Discord answers an empty list where the bot may not read. So "not there" needs a witness: a message that was seen, or a
    /// channel whose newest message is older than the first attempt, or the anchor, seen on purpose.
    pub(in crate::chat) async fn look_up(
        &self,
        channel: &ChannelId,
        marker: &str,
        anchor: Option<&str>,
        since: Timestamp,
    ) -> Result<LookUp, SendFault> {
        let begin = snowflake(since - EARLIER);
        let mut after = begin;
        let mut seen = false;
        for _ in 0..MAX_PAGES {
            let messages = self.page(channel, after, 100).await?;
            seen |= !messages.is_empty();
            if let Some(found) = messages.iter().find(|m| shows(m, marker)) {
                let id = id_of(found)
                    .ok_or_else(|| SendFault::Unknown("Discord returned a message without an id".to_owned()))?;
                return Ok(LookUp::Found(id));
            }
            after = messages.iter().filter_map(number_of).max().unwrap_or(after);
            if messages.len() < 100 {
                if seen || self.quiet_since(channel, begin).await? || self.sees(channel, anchor).await? {
                    return Ok(LookUp::Absent);
                }
                // Something is there, and nothing was seen: it may have been said between the two questions.
                let again = self.page(channel, begin, 100).await?;
                let found = again.iter().find(|m| shows(m, marker)).and_then(id_of);
                return Ok(match found {
                    Some(id) => LookUp::Found(id),
                    None if again.is_empty() => LookUp::Inconclusive,
                    None => LookUp::Absent,
                });
            }
        }
        Ok(LookUp::Inconclusive)
    }

    /// Whether nothing was said since an id.
    async fn quiet_since(&self, channel: &ChannelId, begin: u64) -> Result<bool, SendFault> {
        let newest = self.newest(channel).await?.and_then(|id| id.parse::<u64>().ok());
        Ok(newest.is_none_or(|id| id < begin))
    }

    async fn page(&self, channel: &ChannelId, after: u64, limit: usize) -> Result<Vec<Value>, SendFault> {
        let path = format!("/channels/{channel}/messages?limit={limit}&after={after}");
        let page = loop {
            match self.rest.json(Method::GET, &path, None, Limit::Bucket).await {
                // A history of several pages is read on, not from its beginning again.
                Err(SendFault::Wait(wait)) if wait <= TURN => tokio::time::sleep(wait).await,
                answer => break answer?,
            }
        };
        Ok(page.as_array().cloned().unwrap_or_default())
    }

    /// Whether a message known to be in the channel can be seen there.
    async fn sees(&self, channel: &ChannelId, anchor: Option<&str>) -> Result<bool, SendFault> {
        let Some(anchor) = anchor.and_then(|a| a.parse::<u64>().ok()) else {
            return Ok(false);
        };
        let messages = self.page(channel, anchor.saturating_sub(1), 1).await?;
        Ok(messages.iter().any(|m| number_of(m) == Some(anchor)))
    }
}

/// Milliseconds of Unix time at which Discord's ids begin. <https://discord.com/developers/docs/reference#snowflakes>
const EPOCH_MS: i64 = 1_420_070_400_000;

/// The smallest id of an instant.
fn snowflake(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond() - EPOCH_MS).unwrap_or(0) << 22
}

/// When a message was created, by its id.
pub(in crate::chat) fn created(id: &str) -> Option<Timestamp> {
    let ms = i64::try_from(id.parse::<u64>().ok()? >> 22).ok()?;
    Timestamp::from_millisecond(ms + EPOCH_MS).ok()
}

fn number_of(message: &Value) -> Option<u64> {
    id_of(message)?.parse().ok()
}

fn id_of(message: &Value) -> Option<String> {
    message.get("id").and_then(Value::as_str).map(str::to_owned)
}

/// Whether a message of ours carries the marker in its footer.
fn shows(message: &Value, marker: &str) -> bool {
    let footer = message.pointer("/embeds/0/footer/text").and_then(Value::as_str).unwrap_or_default();
    footer.split(" · ").any(|part| part == marker)
}
