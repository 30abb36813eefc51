//! Acting as a person: slash commands, buttons, selects, forms. The bot's answer must come within Discord's three seconds.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::Sandbox;
use crate::json::resolved;
use crate::model::{Interaction, Message, STANDINGS, Seen, State, StatusPost};
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
        self.interact(who, channel, 2, data, None, format!("/{path}")).await
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
        self.interact(who, channel, 4, data, None, format!("/{path}")).await
    }

    /// Presses the newest button with a label that the person can see in a channel.
    ///
    /// # Errors
    /// No such person, channel or button.
    pub async fn press(&self, who: &str, channel: &str, label: &str) -> Result<Seen, CannotAct> {
        let found = self.newest(who, channel, |part| part["type"] == 2 && part["label"] == label)?;
        let Some((message, button)) = found else {
            return cannot(format!("{who} sees no button “{label}” in {channel}"));
        };
        self.component(who, channel, message, &button, &[]).await
    }

    /// Presses a button by its id, wherever it came from: for tests of stolen buttons.
    ///
    /// # Errors
    /// No such person, channel or message.
    pub async fn press_id(&self, who: &str, channel: &str, message: u64, custom_id: &str) -> Result<Seen, CannotAct> {
        self.component(who, channel, message, &json!({ "type": 2, "custom_id": custom_id }), &[]).await
    }

    /// Picks a member in the newest select menu a person sees.
    ///
    /// # Errors
    /// No such person, channel or menu.
    pub async fn pick(&self, who: &str, channel: &str, member: &str) -> Result<Seen, CannotAct> {
        let id = person(&lock(&self.shared), member)?.id.to_string();
        let Some((message, menu)) = self.newest(who, channel, |part| part["type"] == 5)? else {
            return cannot(format!("{who} sees no menu in {channel}"));
        };
        self.component(who, channel, message, &menu, &[id]).await
    }

    /// Chooses an entry, by its label, in the newest select menu a person sees.
    ///
    /// # Errors
    /// No such person, channel or entry.
    pub async fn choose(&self, who: &str, channel: &str, label: &str) -> Result<Seen, CannotAct> {
        let has = |part: &Value| part["options"].as_array().is_some_and(|l| l.iter().any(|o| o["label"] == label));
        let Some((message, menu)) = self.newest(who, channel, |part| part["type"] == 3 && has(part))? else {
            return cannot(format!("{who} sees no menu with “{label}” in {channel}"));
        };
        let entry = menu["options"].as_array().into_iter().flatten().find(|o| o["label"] == label);
        let value = entry.and_then(|o| o["value"].as_str()).unwrap_or_default().to_owned();
        self.component(who, channel, message, &menu, &[value]).await
    }

    /// The newest message a person sees in a channel that has a part of a kind, with the part.
    fn newest(
        &self,
        who: &str,
        channel: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Option<(u64, Value)>, CannotAct> {
        let state = lock(&self.shared);
        let (person, channel) = (person(&state, who)?.id, self.channel(&state, channel)?);
        let visible = |m: &&Message| m.only.is_none_or(|only| only == person);
        let found = state.in_channel(channel).rev().filter(visible).find_map(|m| {
            let part = parts(&m.body).into_iter().find(|part| part["disabled"] != true && wanted(part))?;
            Some((m.id, part))
        });
        Ok(found)
    }

    /// Uses a button, or a menu with the values chosen.
    ///
    /// # Errors
    /// No such person, channel or message.
    pub async fn component(
        &self,
        who: &str,
        channel: &str,
        message: u64,
        part: &Value,
        values: &[String],
    ) -> Result<Seen, CannotAct> {
        let (data, used) = {
            let state = lock(&self.shared);
            let Some(message) = state.message(message) else { return cannot("This message no longer exists.") };
            let known = parts(&message.body).into_iter().find(|known| known["custom_id"] == part["custom_id"]);
            if known.as_ref().is_some_and(|known| known["disabled"] == true) {
                return cannot("This button is disabled.");
            }
            let kind = known.as_ref().map_or(&part["type"], |known| &known["type"]).as_u64().unwrap_or(2);
            let mut data = json!({ "custom_id": part["custom_id"], "component_type": kind });
            if kind != 2 {
                let limit = |key: &str| known.as_ref().and_then(|k| k[key].as_u64()).unwrap_or(1);
                let count = u64::try_from(values.len()).unwrap_or(u64::MAX);
                if !(limit("min_values")..=limit("max_values").max(1)).contains(&count) {
                    return cannot(format!("Choose {} to {}.", limit("min_values"), limit("max_values").max(1)));
                }
                data["values"] = json!(values);
                data["resolved"] = resolved(&state, kind, values);
            }
            let label =
                known.as_ref().and_then(|k| k["label"].as_str().or(k["placeholder"].as_str()).map(str::to_owned));
            (data, label.unwrap_or_default())
        };
        self.interact(who, channel, 3, data, Some(message), used).await
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
        for input in parts(form) {
            let id = input["custom_id"].as_str().unwrap_or_default();
            let row = rows.iter().map(|r| &r["components"][0]).find(|r| r["custom_id"] == id);
            let length = row.and_then(|r| r["value"].as_str()).unwrap_or_default().chars().count();
            let label = input["label"].as_str().unwrap_or(id);
            if length == 0 && input["required"] != false {
                return cannot(format!("“{label}” is required."));
            }
            let (least, most) =
                (input["min_length"].as_u64().unwrap_or(0), input["max_length"].as_u64().unwrap_or(4000));
            if length > 0 && !(least..=most).contains(&u64::try_from(length).unwrap_or(u64::MAX)) {
                return cannot(format!("“{label}” must have {least} to {most} characters."));
            }
        }
        let title = form["title"].as_str().unwrap_or_default().to_owned();
        let data = json!({ "custom_id": form["custom_id"], "components": rows });
        self.interact(who, channel, 5, data, None, title).await
    }

    /// Says something, as people do.
    ///
    /// # Errors
    /// No such person or channel, or nothing to say.
    pub fn say(&self, who: &str, channel: &str, text: &str) -> Result<(), CannotAct> {
        let mut state = lock(&self.shared);
        let (author, channel) = (person(&state, who)?.id, self.channel(&state, channel)?);
        if text.trim().is_empty() || text.chars().count() > 2000 {
            return cannot("A message must have 1 to 2,000 characters.");
        }
        let (id, at_ms) = (state.snowflake(), state.clock.now_ms());
        let message = Message {
            id,
            channel,
            body: json!({ "content": text }),
            at_ms,
            edited_ms: None,
            only: None,
            author: Some(author),
            by: None,
            files: Vec::new(),
            pinned: false,
            pinged: false,
            step: None,
        };
        state.put(message);
        state.mark_read(author, channel);
        Ok(())
    }

    /// Posts on the status page, as a person.
    ///
    /// # Errors
    /// No such person or state, or nothing to say.
    pub fn publish(&self, who: &str, standing: &str, text: &str) -> Result<(), CannotAct> {
        let mut state = lock(&self.shared);
        let who = person(&state, who)?.name.clone();
        if !STANDINGS.contains(&standing) {
            return cannot(format!("The state must be one of: {}.", STANDINGS.join(", ")));
        }
        if text.trim().is_empty() || text.chars().count() > 500 {
            return cannot("The message to customers must have 1 to 500 characters.");
        }
        let at_ms = state.clock.now_ms();
        state.posts.push(StatusPost { at_ms, who, state: standing.to_owned(), text: text.to_owned() });
        state.touch();
        Ok(())
    }

    /// Dismisses a message only this person sees.
    ///
    /// # Errors
    /// No such person or message.
    pub fn dismiss(&self, who: &str, message: u64) -> Result<(), CannotAct> {
        let mut state = lock(&self.shared);
        let me = person(&state, who)?.id;
        if state.message(message).is_none_or(|m| m.only != Some(me)) {
            return cannot("There is nothing to dismiss.");
        }
        state.forget(message);
        state.touch();
        Ok(())
    }

    fn channel(&self, state: &State, name: &str) -> Result<u64, CannotAct> {
        state.channel(name).map(|c| c.id).ok_or_else(|| CannotAct(format!("there is no channel {name}")))
    }

    fn command_data(
        &self,
        path: &str,
        options: Options<'_>,
        file: Option<(&str, &[u8])>,
        focused: Option<&str>,
    ) -> Result<Value, CannotAct> {
        let mut state = lock(&self.shared);
        if state.registered().next().is_none() {
            return cannot("no commands are registered");
        }
        let mut words = path.split(' ');
        let root = words.next().unwrap_or_default().to_owned();
        let Some(mut node) = state.registered().find(|c| c["name"] == root.as_str()) else {
            return cannot(format!("there is no command /{root}"));
        };
        let command = node["id"].clone();
        let mut levels = Vec::new();
        for word in words {
            let child = node["options"].as_array().into_iter().flatten().find(|o| o["name"] == word);
            node = child.ok_or_else(|| CannotAct(format!("/{path} is not a command")))?;
            levels.push((word.to_owned(), node["type"].clone()));
        }
        // The one that is used, not everything that is registered.
        let node = node.clone();
        let mut resolved = json!({});
        let mut typed = Vec::new();
        for (name, value) in options {
            let Some(spec) = node["options"].as_array().into_iter().flatten().find(|o| o["name"] == *name) else {
                return cannot(format!("/{path} has no option {name}"));
            };
            let mut option = json!({ "name": name, "type": spec["type"], "value": typed_value(spec, value)? });
            if spec["type"] == 6 {
                let id = option["value"].as_str().unwrap_or_default().to_owned();
                let Some(named) = id.parse().ok().and_then(|id| state.world.by_id(id)) else {
                    return cannot(format!("{name} takes a member's id"));
                };
                resolved["users"][&id] = state.user(named);
                resolved["members"][&id] = state.member(named);
            }
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
                return cannot(format!("/{path} needs the option {}", spec["name"].as_str().unwrap_or_default()));
            }
        }
        if let Some((name, bytes)) = file {
            let id = state.snowflake();
            state.files.insert(id, (name.to_owned(), bytes.to_vec()));
            let url = format!("{}/cdn/{id}/{}", state.base, name.replace(' ', "%20"));
            resolved["attachments"] = json!({ id.to_string(): { "id": id.to_string(), "filename": name, "size": bytes.len(), "url": url, "proxy_url": url, "content_type": "text/markdown" } });
            let wanted = node["options"].as_array().into_iter().flatten().find(|o| o["type"] == 11);
            let Some(wanted) = wanted else { return cannot(format!("/{path} takes no file")) };
            typed.insert(0, json!({ "name": wanted["name"], "type": 11, "value": id.to_string() }));
        }
        let mut inner = typed;
        for (name, kind) in levels.into_iter().rev() {
            inner = vec![json!({ "name": name, "type": kind, "options": inner })];
        }
        Ok(
            json!({ "id": command, "name": root, "type": 1, "guild_id": state.world.guild.to_string(), "options": inner, "resolved": resolved }),
        )
    }

    async fn interact(
        &self,
        who: &str,
        channel: &str,
        kind: u8,
        data: Value,
        source: Option<u64>,
        used: String,
    ) -> Result<Seen, CannotAct> {
        let (mut seen, id) = {
            let mut state = lock(&self.shared);
            let (foreign, who) = who.strip_prefix("other-server:").map_or((false, who), |who| (true, who));
            let person = person(&state, who)?.clone();
            let channel = self.channel(&state, channel)?;
            let guild = if foreign { state.world.other_guild.unwrap_or(1) } else { state.world.guild };
            let id = state.snowflake().to_string();
            let token = format!("interaction-token-{id}");
            let rights = state.rights(channel).to_string();
            let mut body = json!({
                "id": id, "application_id": state.app.to_string(), "type": kind, "token": token, "version": 1,
                "guild_id": guild.to_string(), "channel_id": channel.to_string(), "channel": state.channel_json(channel),
                "guild": { "id": guild.to_string(), "locale": "en-US", "features": [] },
                "member": state.member(&person), "app_permissions": rights, "locale": "en-US", "guild_locale": "en-US",
                "entitlements": [], "authorizing_integration_owners": { "0": guild.to_string() }, "context": 0,
                "attachment_size_limit": 10_485_760, "data": data,
            });
            if let Some(message) = source.and_then(|id| state.message(id)) {
                body["message"] = state.message_json(message);
            }
            let (answer, seen) = oneshot::channel();
            let interaction = Interaction {
                user: person.id,
                channel,
                at_ms: state.clock.now_ms(),
                used,
                source,
                acked: false,
                original: None,
                answer: Some(answer),
                deferred: None,
            };
            state.begin(&id, &token, interaction);
            state.dispatch("INTERACTION_CREATE", &body);
            state.newest_interaction = Some(body);
            (seen, id)
        };
        match tokio::time::timeout(FIRST_ANSWER, &mut seen).await {
            Ok(answer) => Ok(answer.unwrap_or(Seen::Nothing)),
            Err(_three_seconds) => {
                let deferred = lock(&self.shared).interactions.get(&id).is_some_and(|it| it.deferred.is_some());
                if !deferred {
                    return Ok(Seen::Nothing);
                }
                Ok(tokio::time::timeout(DEFERRED, seen).await.ok().and_then(Result::ok).unwrap_or(Seen::Nothing))
            }
        }
    }
}

impl State {
    /// Every command somebody can use in the server: its own, then the global ones.
    pub(crate) fn registered(&self) -> impl Iterator<Item = &Value> {
        let of = |guild: u64| self.commands.get(&guild).and_then(Value::as_array).into_iter().flatten();
        of(self.world.guild).chain(of(0))
    }
}

/// A typed value as the option's type wants it.
fn typed_value(spec: &Value, value: &str) -> Result<Value, CannotAct> {
    let name = spec["name"].as_str().unwrap_or_default();
    let wrong = |what: &str| CannotAct(format!("{name} takes {what}"));
    Ok(match spec["type"].as_u64() {
        Some(4) => json!(value.parse::<i64>().map_err(|_not_whole| wrong("a whole number"))?),
        Some(10) => json!(value.parse::<f64>().map_err(|_no_number| wrong("a number"))?),
        Some(5) => json!(value == "true" || value == "True"),
        _ => json!(value),
    })
}

fn person<'s>(state: &'s State, who: &str) -> Result<&'s crate::world::PersonSeed, CannotAct> {
    state.world.person(who).ok_or_else(|| CannotAct(format!("there is no person named {who}")))
}

/// The parts of a body that somebody can use: in rows, containers and sections, in their order.
pub(crate) fn parts(body: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for part in body["components"].as_array().into_iter().flatten().chain(body.get("accessory")) {
        if part["components"].is_array() || part["accessory"].is_object() {
            found.extend(parts(part));
        } else if part["custom_id"].is_string() || part["type"] == 2 {
            found.push(part.clone());
        }
    }
    found
}
