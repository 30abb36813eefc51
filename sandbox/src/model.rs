//! The state of the simulated Discord, and its JSON. One lock; no I/O here.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::SimClock;
use crate::world::{PersonSeed, World};

/// Discord's epoch in milliseconds.
const EPOCH_MS: i64 = 1_420_070_400_000;
/// How long a nonce is remembered, on the sandbox's clock.
const NONCE_WINDOW_MS: i64 = 120_000;

/// A message as stored.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: u64,
    pub channel: u64,
    pub body: Value,
    pub at_ms: i64,
    pub edited_ms: Option<i64>,
    /// Seen by this person only.
    pub only: Option<u64>,
    /// Who used a command, for an interaction's answer.
    pub by: Option<u64>,
    /// Name and bytes of a file sent along.
    pub file: Option<(String, Vec<u8>)>,
}

/// What an interaction led to, as its user sees it.
#[derive(Debug, Clone)]
pub enum Seen {
    /// A message, seen by the user alone or by everybody.
    Message(Message),
    /// A form to fill: its custom id and its body.
    Modal { custom_id: String, data: Value },
    /// Names for the option being typed.
    Choices(Vec<(String, String)>),
    /// Nothing came within the time.
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Interaction {
    pub(crate) user: u64,
    pub(crate) channel: u64,
    pub(crate) acked: bool,
    pub(crate) original: Option<u64>,
    pub(crate) answer: Option<oneshot::Sender<Seen>>,
    /// The answer was deferred: the edit brings it.
    pub(crate) deferred: bool,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) seq: u64,
    pub(crate) events: Vec<Value>,
    pub(crate) live: Option<mpsc::UnboundedSender<Value>>,
}

/// A request a bot made, with the verdict of the rules.
#[derive(Debug, Clone)]
pub struct Logged {
    pub method: String,
    pub path: String,
    pub status: u16,
}

/// A scripted fault of Create Message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Answer 502 before anything happened.
    FailBefore,
    /// Create the message, then answer 502.
    FailAfter,
    /// Answer 429 once.
    RateLimited,
    /// Answer 403: the right to send is missing.
    Forbidden,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) clock: SimClock,
    pub(crate) world: World,
    pub(crate) token: String,
    pub(crate) base: String,
    pub(crate) app: u64,
    pub(crate) messages: BTreeMap<u64, Message>,
    pub(crate) commands: HashMap<u64, Value>,
    pub(crate) interactions: HashMap<String, Interaction>,
    pub(crate) tokens: HashMap<String, String>,
    pub(crate) files: HashMap<u64, (String, Vec<u8>)>,
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) log: Vec<Logged>,
    pub(crate) violations: Vec<String>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) unreadable: bool,
    #[cfg(feature = "schema")]
    pub(crate) schema: Option<crate::schema::Checker>,
    nonces: Vec<(String, i64, u64)>,
    buckets: HashMap<String, (u32, tokio::time::Instant)>,
    pub(crate) per_five_seconds: u32,
    last_id: u64,
    pub(crate) changed: watch::Sender<u64>,
}

impl State {
    pub(crate) fn new(world: World, clock: SimClock, token: String, per_five_seconds: u32) -> Self {
        Self {
            clock,
            world,
            token,
            base: String::new(),
            app: 900_000_000_000_000_001,
            messages: BTreeMap::new(),
            commands: HashMap::new(),
            interactions: HashMap::new(),
            tokens: HashMap::new(),
            files: HashMap::new(),
            sessions: BTreeMap::new(),
            log: Vec::new(),
            violations: Vec::new(),
            faults: Vec::new(),
            unreadable: false,
            #[cfg(feature = "schema")]
            schema: None,
            nonces: Vec::new(),
            buckets: HashMap::new(),
            per_five_seconds,
            last_id: 0,
            changed: watch::channel(0).0,
        }
    }

    /// A snowflake of the sandbox's present; strictly rising.
    pub(crate) fn snowflake(&mut self) -> u64 {
        let ms = u64::try_from(self.clock.now_ms() - EPOCH_MS).unwrap_or(0);
        self.last_id = (ms << 22).max(self.last_id + 1);
        self.last_id
    }

    pub(crate) fn touch(&self) {
        self.changed.send_modify(|n| *n += 1);
    }

    /// The message a nonce of the past minutes stands for.
    pub(crate) fn by_nonce(&mut self, nonce: &str) -> Option<u64> {
        let now = self.clock.now_ms();
        self.nonces.retain(|(_, at, _)| now - at < NONCE_WINDOW_MS);
        self.nonces.iter().find(|(n, _, _)| n == nonce).map(|(_, _, id)| *id)
    }

    pub(crate) fn keep_nonce(&mut self, nonce: &str, id: u64) {
        let now = self.clock.now_ms();
        self.nonces.push((nonce.to_owned(), now, id));
    }

    /// Counts a request in its bucket: what is left and when it refills, or how long to wait.
    pub(crate) fn bucket(&mut self, name: &str) -> Result<(u32, f64), f64> {
        let now = tokio::time::Instant::now();
        let full = self.per_five_seconds;
        let entry = self.buckets.entry(name.to_owned()).or_insert((full, now + std::time::Duration::from_secs(5)));
        if entry.1 <= now {
            *entry = (full, now + std::time::Duration::from_secs(5));
        }
        let after = (entry.1 - now).as_secs_f64();
        if entry.0 == 0 {
            return Err(after);
        }
        entry.0 -= 1;
        Ok((entry.0, after))
    }

    pub(crate) fn dispatch(&mut self, name: &str, data: &Value) {
        for session in self.sessions.values_mut() {
            session.seq += 1;
            let event = json!({ "op": 0, "s": session.seq, "t": name, "d": data });
            session.events.push(event.clone());
            if let Some(live) = &session.live
                && live.send(event).is_err()
            {
                session.live = None;
            }
        }
    }

    pub(crate) fn put(&mut self, message: Message) -> Value {
        let value = self.message_json(&message);
        self.messages.insert(message.id, message);
        self.touch();
        value
    }

    pub(crate) fn bot_user(&self) -> Value {
        json!({
            "id": self.app.to_string(), "username": "tminus", "global_name": null, "discriminator": "0000", "avatar": null,
            "bot": true, "public_flags": 0, "primary_guild": null, "mfa_enabled": false, "verified": true, "email": null, "flags": 0,
        })
    }

    pub(crate) fn user(&self, person: &PersonSeed) -> Value {
        json!({
            "id": person.id.to_string(), "username": person.username, "global_name": person.name, "discriminator": "0",
            "avatar": null, "bot": false, "public_flags": 0, "flags": 0, "primary_guild": null,
        })
    }

    pub(crate) fn member(&self, person: &PersonSeed, with_roles: bool) -> Value {
        // MANAGE_GUILD is bit 5; the rest is what any member has.
        let permissions = if person.manages { 0x20_u64 | 0x8000_0000 } else { 0x8000_0000 };
        let roles: Vec<String> =
            if with_roles { person.roles.iter().map(ToString::to_string).collect() } else { Vec::new() };
        json!({
            "user": self.user(person), "nick": null, "avatar": null, "banner": null, "roles": roles,
            "joined_at": "2024-01-01T00:00:00+00:00", "premium_since": null, "deaf": false, "mute": false, "flags": 0,
            "pending": false, "permissions": permissions.to_string(), "communication_disabled_until": null,
        })
    }

    pub(crate) fn channel_json(&self, id: u64) -> Option<Value> {
        let channel = self.world.channels.iter().find(|c| c.id == id)?;
        let last = self.messages.values().rev().find(|m| m.channel == id && m.only.is_none()).map(|m| m.id.to_string());
        Some(json!({
            "id": id.to_string(), "guild_id": self.world.guild.to_string(), "type": 0, "name": channel.name, "position": 0,
            "permission_overwrites": [], "nsfw": false, "topic": null, "last_message_id": last, "parent_id": null,
            "rate_limit_per_user": 0, "flags": 0, "last_pin_timestamp": null,
        }))
    }

    pub(crate) fn guild_json(&self) -> Value {
        let world = &self.world;
        let role = |id: u64, name: &str| {
            json!({
                "id": id.to_string(), "name": name, "color": 0, "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null },
                "hoist": false, "managed": false, "mentionable": true, "permissions": "2147483648", "position": 1, "icon": null,
                "unicode_emoji": null, "flags": 0,
            })
        };
        let mut roles = vec![role(world.guild, "@everyone")];
        roles.extend(world.roles.iter().map(|r| role(r.id, &r.name)));
        let channels: Vec<Value> = world.channels.iter().filter_map(|c| self.channel_json(c.id)).collect();
        json!({
            "id": world.guild.to_string(), "name": world.name, "icon": null, "splash": null, "discovery_splash": null,
            "owner_id": world.people.first().map_or(1, |p| p.id).to_string(), "afk_channel_id": null, "afk_timeout": 300,
            "verification_level": 0, "default_message_notifications": 0, "explicit_content_filter": 0, "roles": roles,
            "emojis": [], "features": [], "mfa_level": 0, "application_id": null, "system_channel_id": null,
            "system_channel_flags": 0, "rules_channel_id": null, "vanity_url_code": null, "description": null, "banner": null,
            "premium_tier": 0, "preferred_locale": "en-US", "public_updates_channel_id": null, "nsfw_level": 0, "stickers": [],
            "premium_progress_bar_enabled": false, "joined_at": "2024-01-01T00:00:00+00:00", "large": false,
            "unavailable": false, "member_count": world.people.len(), "voice_states": [], "members": [],
            "channels": channels, "threads": [], "presences": [], "stage_instances": [], "guild_scheduled_events": [],
            "safety_alerts_channel_id": null, "soundboard_sounds": [],
        })
    }

    pub(crate) fn message_json(&self, message: &Message) -> Value {
        let list = |name: &str| message.body.get(name).filter(|v| v.is_array()).cloned().unwrap_or_else(|| json!([]));
        let mentioned = |kind: &str| message.body["allowed_mentions"][kind].as_array().cloned().unwrap_or_default();
        let mentions: Vec<Value> = mentioned("users")
            .iter()
            .filter_map(Value::as_str)
            .filter_map(|id| self.world.people.iter().find(|p| p.id.to_string() == id))
            .map(|p| self.user(p))
            .collect();
        let embeds: Vec<Value> = list("embeds")
            .as_array()
            .into_iter()
            .flatten()
            .map(|embed| {
                let mut embed = embed.clone();
                embed["type"] = json!("rich");
                embed
            })
            .collect();
        json!({
            "id": message.id.to_string(), "channel_id": message.channel.to_string(), "author": self.bot_user(),
            "content": message.body["content"].as_str().unwrap_or_default(), "timestamp": rfc3339(message.at_ms),
            "edited_timestamp": message.edited_ms.map(rfc3339), "tts": false, "mention_everyone": false, "mentions": mentions,
            "mention_roles": mentioned("roles"), "attachments": [], "embeds": embeds, "components": numbered(&list("components"), &mut 0),
            "pinned": false, "type": 0, "flags": if message.only.is_some() { 64 } else { 0 },
        })
    }
}

/// Numbers every component, as Discord does where the sender gave no id.
fn numbered(components: &Value, next: &mut u32) -> Value {
    let one = |part: &Value, next: &mut u32| {
        let mut part = part.clone();
        *next += 1;
        part["id"] = json!(*next);
        if part["components"].is_array() {
            part["components"] = numbered(&part["components"], next);
        }
        part
    };
    Value::Array(components.as_array().into_iter().flatten().map(|part| one(part, next)).collect())
}

/// Milliseconds of Unix time as RFC 3339 in UTC, by the civil-from-days rule.
pub(crate) fn rfc3339(ms: i64) -> String {
    let (days, in_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + i64::from(month <= 2);
    let (h, m, s, milli) = (in_day / 3_600_000, in_day / 60_000 % 60, in_day / 1_000 % 60, in_day % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{milli:03}+00:00")
}

#[cfg(test)]
mod tests {
    #[test]
    fn instants_are_written_right() {
        assert_eq!(super::rfc3339(0), "1970-01-01T00:00:00.000+00:00");
        assert_eq!(super::rfc3339(1_796_734_800_123), "2026-12-08T13:00:00.123+00:00");
        assert_eq!(super::rfc3339(951_782_400_000), "2000-02-29T00:00:00.000+00:00");
    }
}
