//! Discord's objects as JSON, complete enough for clients that read every documented field.

use serde_json::{Value, json};

use crate::model::{File, Message, State};
use crate::world::PersonSeed;

impl State {
    pub(crate) fn bot_user(&self) -> Value {
        json!({
            "id": self.app.to_string(), "username": self.world.bot.to_lowercase(), "global_name": null, "discriminator": "0000",
            "avatar": null, "bot": true, "public_flags": 0, "primary_guild": null, "mfa_enabled": false, "verified": true,
            "email": null, "flags": 0,
        })
    }

    pub(crate) fn application(&self) -> Value {
        json!({
            "id": self.app.to_string(), "name": self.world.bot, "icon": null, "description": "", "bot_public": false,
            "bot_require_code_grant": false, "verify_key": "0".repeat(64), "flags": 0, "summary": "", "team": null,
            "bot": self.bot_user(), "owner": self.world.people.first().map(|p| self.user(p)), "type": null,
            "flags_new": "0", "redirect_uris": [], "interactions_endpoint_url": null, "role_connections_verification_url": null,
            "approximate_guild_count": 1, "approximate_user_install_count": 0, "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0, "eligible_oauth2_scopes": [],
        })
    }

    pub(crate) fn user(&self, person: &PersonSeed) -> Value {
        json!({
            "id": person.id.to_string(), "username": person.username, "global_name": person.name, "discriminator": "0",
            "avatar": null, "bot": false, "public_flags": 0, "flags": 0, "primary_guild": null,
        })
    }

    /// The member the bot itself is.
    pub(crate) fn bot_member(&self) -> Value {
        json!({
            "user": self.bot_user(), "nick": null, "avatar": null, "banner": null, "roles": [self.app.to_string()],
            "joined_at": "2024-01-01T00:00:00+00:00", "premium_since": null, "deaf": false, "mute": false, "flags": 0,
            "pending": false, "communication_disabled_until": null,
        })
    }

    pub(crate) fn member(&self, person: &PersonSeed) -> Value {
        // MANAGE_GUILD is bit 5; the rest is what any member has.
        let permissions = if person.manages { 0x20_u64 | 0x8000_0000 } else { 0x8000_0000 };
        let roles: Vec<String> = person.roles.iter().map(ToString::to_string).collect();
        json!({
            "user": self.user(person), "nick": null, "avatar": null, "banner": null, "roles": roles,
            "joined_at": "2024-01-01T00:00:00+00:00", "premium_since": null, "deaf": false, "mute": false, "flags": 0,
            "pending": false, "permissions": permissions.to_string(), "communication_disabled_until": null,
        })
    }

    pub(crate) fn channel_json(&self, id: u64) -> Option<Value> {
        let channel = self.channels.get(&id)?;
        let guild = if channel.foreign { self.world.other_guild.unwrap_or_default() } else { self.world.guild };
        let guild = guild.to_string();
        let last = channel.last.map(|id| id.to_string());
        if let Some(parent) = channel.parent {
            return Some(json!({
                "id": id.to_string(), "guild_id": guild, "type": 11, "name": channel.name, "parent_id": parent.to_string(),
                "owner_id": self.app.to_string(), "last_message_id": last, "rate_limit_per_user": 0, "flags": 0,
                "message_count": self.in_channel(id).count(), "member_count": 1, "total_message_sent": self.in_channel(id).count(),
                "last_pin_timestamp": null,
                "thread_metadata": {
                    "archived": false, "auto_archive_duration": 1440, "locked": false,
                    "archive_timestamp": rfc3339(self.clock.now_ms()), "create_timestamp": rfc3339(self.clock.now_ms()),
                },
            }));
        }
        let denied: u64 = self
            .revoked
            .iter()
            .filter(|(place, _)| *place == Some(id))
            .map(|(_, right)| right.bit())
            .fold(0, |all, bit| all | bit);
        let overwrites = if denied == 0 {
            json!([])
        } else {
            json!([{ "id": self.app.to_string(), "type": 0, "allow": "0", "deny": denied.to_string() }])
        };
        Some(json!({
            "id": id.to_string(), "guild_id": guild, "type": 0, "name": channel.name, "position": 0,
            "permission_overwrites": overwrites, "nsfw": false,
            "topic": (!channel.topic.is_empty()).then_some(channel.topic.as_str()), "last_message_id": last, "parent_id": null,
            "rate_limit_per_user": 0, "flags": 0, "last_pin_timestamp": null,
        }))
    }

    pub(crate) fn roles_json(&self) -> Vec<Value> {
        let role = |id: u64, name: &str, permissions: u64, managed: bool| {
            json!({
                "id": id.to_string(), "name": name, "color": 0,
                "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null },
                "hoist": false, "managed": managed, "mentionable": !managed, "permissions": permissions.to_string(),
                "position": 1, "icon": null, "unicode_emoji": null, "flags": 0,
            })
        };
        // The bot's own role carries its rights; a right revoked everywhere is missing here.
        let own = self.rights(0);
        let mut roles = vec![role(self.world.guild, "@everyone", 0x8000_0000, false)];
        roles.push(role(self.app, &self.world.bot, own, true));
        roles.extend(self.world.roles.iter().map(|r| role(r.id, &r.name, 0x8000_0000, false)));
        roles
    }

    pub(crate) fn guild_json(&self) -> Value {
        let world = &self.world;
        let of = |thread: bool| {
            let ids = self.channels.values().filter(|c| c.parent.is_some() == thread && !c.foreign).map(|c| c.id);
            ids.filter_map(|id| self.channel_json(id)).collect::<Vec<Value>>()
        };
        let mut guild = json!({
            "id": world.guild.to_string(), "name": world.name, "owner_id": world.people.first().map_or(1, |p| p.id).to_string(),
            "afk_timeout": 300, "verification_level": 0, "default_message_notifications": 0, "explicit_content_filter": 0,
            "roles": self.roles_json(), "emojis": [], "features": [], "mfa_level": 0, "system_channel_flags": 0,
            "premium_tier": 0, "preferred_locale": "en-US", "nsfw_level": 0, "stickers": [],
            "premium_progress_bar_enabled": false, "joined_at": "2024-01-01T00:00:00+00:00", "large": false,
            "unavailable": false, "member_count": world.people.len() + 1, "voice_states": [], "members": [self.bot_member()],
            "channels": of(false), "threads": of(true), "presences": [], "stage_instances": [],
            "region": "deprecated", "widget_enabled": false, "max_members": 500_000, "max_stage_video_channel_users": 50,
            "max_video_channel_users": 25, "premium_subscription_count": 0, "nsfw": false,
            "guild_scheduled_events": self.scheduled.values().collect::<Vec<_>>(), "soundboard_sounds": [],
        });
        for empty in [
            "home_header", "widget_channel_id", "max_presences", "icon", "splash", "discovery_splash",
            "afk_channel_id", "application_id", "system_channel_id", "rules_channel_id", "vanity_url_code",
            "description", "banner", "public_updates_channel_id", "safety_alerts_channel_id", "incidents_data",
        ] {
            guild[empty] = Value::Null;
        }
        guild
    }

    pub(crate) fn attachment_json(&self, file: &File) -> Value {
        let url = format!("{}/cdn/{}/{}", self.base, file.id, encoded(&file.name));
        let mut json = json!({
            "id": file.id.to_string(), "filename": file.name, "size": file.bytes.len(), "url": url, "proxy_url": url,
            "content_type": content_type(&file.name),
        });
        if let Some(description) = &file.description {
            json["description"] = json!(description);
        }
        json
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
        let author =
            message.author.and_then(|id| self.world.by_id(id)).map_or_else(|| self.bot_user(), |p| self.user(p));
        let mut json = json!({
            "id": message.id.to_string(), "channel_id": message.channel.to_string(), "author": author,
            "content": message.body["content"].as_str().unwrap_or_default(), "timestamp": rfc3339(message.at_ms),
            "edited_timestamp": message.edited_ms.map(rfc3339), "tts": false, "mention_everyone": false, "mentions": mentions,
            "mention_roles": mentioned("roles"), "attachments": message.files.iter().map(|f| self.attachment_json(f)).collect::<Vec<_>>(),
            "embeds": embeds, "components": numbered(&list("components"), &mut 0), "pinned": message.pinned, "type": 0,
            "flags": if message.only.is_some() { 64 } else { message.body["flags"].as_u64().unwrap_or(0) },
        });
        if let Some(nonce) = message.body.get("nonce").filter(|n| !n.is_null()) {
            json["nonce"] = nonce.clone();
        }
        json
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

/// A file's type by its name.
pub(crate) fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next().map(str::to_ascii_lowercase).as_deref() {
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("md") => "text/markdown; charset=utf-8",
        Some("txt" | "log" | "ics" | "json") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// A name as part of an address.
pub(crate) fn encoded(text: &str) -> String {
    let one = |b: u8| {
        if b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_') {
            char::from(b).to_string()
        } else {
            format!("%{b:02X}")
        }
    };
    text.bytes().map(one).collect()
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

/// What a menu's values stand for.
pub(crate) fn resolved(state: &State, kind: u64, values: &[String]) -> Value {
    let mut out = json!({});
    if kind == 5 || kind == 7 {
        let people = || values.iter().filter_map(|id| state.world.by_id(id.parse().ok()?));
        let users: serde_json::Map<String, Value> = people().map(|p| (p.id.to_string(), state.user(p))).collect();
        let partial = |person| {
            let mut member = state.member(person);
            if let Some(fields) = member.as_object_mut() {
                fields.retain(|name, _| !matches!(name.as_str(), "user" | "deaf" | "mute"));
            }
            member
        };
        let members: serde_json::Map<String, Value> = people().map(|p| (p.id.to_string(), partial(p))).collect();
        (out["users"], out["members"]) = (Value::Object(users), Value::Object(members));
    }
    if kind == 6 || kind == 7 {
        let roles = state.roles_json();
        let chosen = roles.into_iter().filter(|r| values.iter().any(|v| r["id"] == v.as_str()));
        let roles: serde_json::Map<String, Value> =
            chosen.map(|r| (r["id"].as_str().unwrap_or_default().to_owned(), r)).collect();
        out["roles"] = Value::Object(roles);
    }
    if kind == 8 {
        let channels = values.iter().filter_map(|id| Some((id.clone(), state.channel_json(id.parse().ok()?)?)));
        out["channels"] = Value::Object(channels.collect());
    }
    out
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
