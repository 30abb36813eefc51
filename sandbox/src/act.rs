//! Acting as a person: slash commands, buttons, selects, forms. The bot's answer must come within Discord's three seconds.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::Sandbox;
use crate::model::{Interaction, Message, Seen, State};
use crate::rest::lock;

/// Discord's limit for the first answer, and how long an edit of a deferred one is waited for.
const FIRST_ANSWER: Duration = Duration::from_secs(3);
const DEFERRED: Duration = Duration::from_secs(15);

/// An option of a slash command as typed: `name:value` with the value's type looked up in the registration.
pub type Options<'a> = &'a [(&'a str, &'a str)];

/// Why a person could not do that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CannotAct(pub String);

fn cannot<T>(why: impl Into<String>) -> Result<T, CannotAct> {
    Err(CannotAct(why.into()))
}

impl Sandbox {
    /// Types a slash command, such as `release signoff give`, in a channel.
    ///
    /// # Errors
    /// No such person, channel, command or option.
    pub async fn slash(
        &self,
        who: &str,
        channel: &str,
        path: &str,
        options: Options<'_>,
        file: Option<(&str, &[u8])>,
    ) -> Result<Seen, CannotAct> {
        let data = self.command_data(path, options, file, None)?;
        self.interact(who, channel, 2, data, None).await
    }

    /// Types into an option that completes itself.
    ///
    /// # Errors
    /// As [`Sandbox::slash`].
    pub async fn complete(
        &self,
        who: &str,
        channel: &str,
        path: &str,
        option: &str,
        typed: &str,
    ) -> Result<Seen, CannotAct> {
        let data = self.command_data(path, &[(option, typed)], None, Some(option))?;
        self.interact(who, channel, 4, data, None).await
    }

    /// Presses the newest button with a label that the person can see in a channel.
    ///
    /// # Errors
    /// No such person, channel or button.
    pub async fn press(&self, who: &str, channel: &str, label: &str) -> Result<Seen, CannotAct> {
        let found = {
            let state = lock(&self.shared);
            let (person, channel) = (person(&state, who)?.id, self.channel(&state, channel)?);
            let visible = |m: &&Message| m.channel == channel && m.only.is_none_or(|only| only == person);
            state.messages.values().rev().filter(visible).find_map(|m| {
                let button = parts(&m.body).into_iter().find(|b| b["label"] == label)?;
                Some((m.clone(), button["custom_id"].as_str().unwrap_or_default().to_owned()))
            })
        };
        let Some((message, custom_id)) = found else {
            return cannot(format!("{who} sees no button “{label}” in {channel}"));
        };
        self.interact(who, channel, 3, json!({ "custom_id": custom_id, "component_type": 2 }), Some(&message)).await
    }

    /// Presses a button by its id, wherever it came from: for tests of stolen buttons.
    ///
    /// # Errors
    /// No such person, channel or message.
    pub async fn press_id(&self, who: &str, channel: &str, message: u64, custom_id: &str) -> Result<Seen, CannotAct> {
        let Some(message) = lock(&self.shared).messages.get(&message).cloned() else {
            return cannot("no such message");
        };
        self.interact(who, channel, 3, json!({ "custom_id": custom_id, "component_type": 2 }), Some(&message)).await
    }

    /// Picks a member in the newest select menu a person sees.
    ///
    /// # Errors
    /// No such person, channel or menu.
    pub async fn pick(&self, who: &str, channel: &str, member: &str) -> Result<Seen, CannotAct> {
        let (found, picked) = {
            let state = lock(&self.shared);
            let (me, channel, picked) =
                (person(&state, who)?.id, self.channel(&state, channel)?, person(&state, member)?.clone());
            let visible = |m: &&Message| m.channel == channel && m.only.is_none_or(|only| only == me);
            let found = state.messages.values().rev().filter(visible).find_map(|m| {
                let menu = parts(&m.body).into_iter().find(|b| b["type"] == 5)?;
                Some((m.clone(), menu["custom_id"].as_str().unwrap_or_default().to_owned()))
            });
            let member = json!({ "users": { picked.id.to_string(): state.user(&picked) }, "members": {} });
            (found, (picked.id.to_string(), member))
        };
        let Some((message, custom_id)) = found else {
            return cannot(format!("{who} sees no menu in {channel}"));
        };
        let data = json!({ "custom_id": custom_id, "component_type": 5, "values": [picked.0], "resolved": picked.1 });
        self.interact(who, channel, 3, data, Some(&message)).await
    }

    /// Chooses an entry, by its label, in the newest select menu a person sees.
    ///
    /// # Errors
    /// No such person, channel or entry.
    pub async fn choose(&self, who: &str, channel: &str, label: &str) -> Result<Seen, CannotAct> {
        let found = {
            let state = lock(&self.shared);
            let (me, channel) = (person(&state, who)?.id, self.channel(&state, channel)?);
            let visible = |m: &&Message| m.channel == channel && m.only.is_none_or(|only| only == me);
            state.messages.values().rev().filter(visible).find_map(|m| {
                let menu = parts(&m.body).into_iter().find(|b| b["type"] == 3)?;
                let entry = menu["options"].as_array()?.iter().find(|o| o["label"] == label)?;
                let id = menu["custom_id"].as_str().unwrap_or_default().to_owned();
                Some((m.clone(), id, entry["value"].clone()))
            })
        };
        let Some((message, custom_id, value)) = found else {
            return cannot(format!("{who} sees no menu with “{label}” in {channel}"));
        };
        let data = json!({ "custom_id": custom_id, "component_type": 3, "values": [value] });
        self.interact(who, channel, 3, data, Some(&message)).await
    }

    /// Fills a form that was opened and sends it.
    ///
    /// # Errors
    /// No such person or channel.
    pub async fn fill(&self, who: &str, channel: &str, form: &Value, values: Options<'_>) -> Result<Seen, CannotAct> {
        let rows: Vec<Value> = parts(form)
            .into_iter()
            .map(|input| {
                let id = input["custom_id"].as_str().unwrap_or_default();
                let given = values.iter().find(|(name, _)| *name == id).map(|(_, v)| json!(v));
                let value = given.or_else(|| input.get("value").cloned()).unwrap_or_else(|| json!(""));
                json!({ "type": 1, "components": [{ "type": 4, "custom_id": id, "value": value }] })
            })
            .collect();
        let data = json!({ "custom_id": form["custom_id"], "components": rows });
        self.interact(who, channel, 5, data, None).await
    }

    fn channel(&self, state: &State, name: &str) -> Result<u64, CannotAct> {
        state.world.channel(name).map(|c| c.id).ok_or_else(|| CannotAct(format!("there is no channel {name}")))
    }

    fn command_data(
        &self,
        path: &str,
        options: Options<'_>,
        file: Option<(&str, &[u8])>,
        focused: Option<&str>,
    ) -> Result<Value, CannotAct> {
        let mut state = lock(&self.shared);
        let Some(registered) = state.commands.get(&state.world.guild).cloned() else {
            return cannot("no commands are registered");
        };
        let mut words = path.split(' ');
        let root = words.next().unwrap_or_default().to_owned();
        let Some(mut node) = registered.as_array().into_iter().flatten().find(|c| c["name"] == root.as_str()).cloned()
        else {
            return cannot(format!("there is no command /{root}"));
        };
        let mut levels = Vec::new();
        for word in words {
            let child = node["options"].as_array().into_iter().flatten().find(|o| o["name"] == word).cloned();
            node = child.ok_or_else(|| CannotAct(format!("/{path} is no command")))?;
            levels.push((word.to_owned(), node["type"].clone()));
        }
        let mut resolved = json!({});
        let mut typed = Vec::new();
        for (name, value) in options {
            let Some(spec) = node["options"].as_array().into_iter().flatten().find(|o| o["name"] == *name) else {
                return cannot(format!("/{path} has no option {name}"));
            };
            let mut option = json!({ "name": name, "type": spec["type"], "value": value });
            if focused == Some(*name) {
                option["focused"] = json!(true);
            }
            typed.push(option);
        }
        for spec in
            node["options"].as_array().into_iter().flatten().filter(|o| o["required"] == true && focused.is_none())
        {
            let given = options.iter().any(|(name, _)| spec["name"] == *name) || (spec["type"] == 11 && file.is_some());
            if !given {
                return cannot(format!("/{path} needs the option {}", spec["name"]));
            }
        }
        if let Some((name, bytes)) = file {
            let id = state.snowflake();
            state.files.insert(id, (name.to_owned(), bytes.to_vec()));
            let url = format!("{}/cdn/{id}/{}", state.base, name.replace(' ', "%20"));
            resolved["attachments"] = json!({ id.to_string(): { "id": id.to_string(), "filename": name, "size": bytes.len(), "url": url, "proxy_url": url, "content_type": "text/markdown" } });
            typed.insert(0, json!({ "name": "plan", "type": 11, "value": id.to_string() }));
        }
        let mut inner = typed;
        for (name, kind) in levels.into_iter().rev() {
            inner = vec![json!({ "name": name, "type": kind, "options": inner })];
        }
        let id = state.snowflake().to_string();
        Ok(
            json!({ "id": id, "name": root, "type": 1, "guild_id": state.world.guild.to_string(), "options": inner, "resolved": resolved }),
        )
    }

    async fn interact(
        &self,
        who: &str,
        channel: &str,
        kind: u8,
        data: Value,
        message: Option<&Message>,
    ) -> Result<Seen, CannotAct> {
        let (seen, id) = {
            let mut state = lock(&self.shared);
            let (foreign, who) = who.strip_prefix("other-server:").map_or((false, who), |who| (true, who));
            let person = person(&state, who)?.clone();
            let channel = self.channel(&state, channel)?;
            let guild = if foreign { state.world.other_guild.unwrap_or(1) } else { state.world.guild };
            let id = state.snowflake().to_string();
            let token = format!("interaction-token-{id}");
            let mut body = json!({
                "id": id, "application_id": state.app.to_string(), "type": kind, "token": token, "version": 1,
                "guild_id": guild.to_string(), "channel_id": channel.to_string(), "channel": state.channel_json(channel),
                "member": state.member(&person, true), "app_permissions": "2147483648", "locale": "en-US", "guild_locale": "en-US",
                "entitlements": [], "authorizing_integration_owners": { "0": guild.to_string() }, "context": 0,
                "attachment_size_limit": 10_485_760, "data": data,
            });
            if let Some(message) = message {
                body["message"] = state.message_json(message);
            }
            let (answer, seen) = oneshot::channel();
            let interaction = Interaction {
                user: person.id,
                channel,
                acked: false,
                original: None,
                answer: Some(answer),
                deferred: false,
            };
            state.interactions.insert(id.clone(), interaction);
            state.tokens.insert(token, id.clone());
            state.dispatch("INTERACTION_CREATE", &body);
            (seen, id)
        };
        let mut seen = seen;
        match tokio::time::timeout(FIRST_ANSWER, &mut seen).await {
            Ok(answer) => Ok(answer.unwrap_or(Seen::Nothing)),
            Err(_three_seconds) => {
                let deferred = lock(&self.shared).interactions.get(&id).is_some_and(|it| it.deferred);
                if !deferred {
                    return Ok(Seen::Nothing);
                }
                Ok(tokio::time::timeout(DEFERRED, seen).await.ok().and_then(Result::ok).unwrap_or(Seen::Nothing))
            }
        }
    }
}

fn person<'s>(state: &'s State, who: &str) -> Result<&'s crate::world::PersonSeed, CannotAct> {
    state.world.person(who).ok_or_else(|| CannotAct(format!("there is nobody called {who}")))
}

/// The parts inside a body's rows.
pub(crate) fn parts(body: &Value) -> Vec<Value> {
    let rows = body["components"].as_array().cloned().unwrap_or_default();
    rows.iter().flat_map(|row| row["components"].as_array().cloned().unwrap_or_default()).collect()
}
