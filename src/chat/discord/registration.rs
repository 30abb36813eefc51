//! Registers the slash commands of each server and keeps trying until they are there. Commands already there are not sent
//! again.
//!
//! <https://discord.com/developers/docs/interactions/application-commands#bulk-overwrite-guild-application-commands>

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::commands;
use super::rest::{Limit, Rest};
use crate::sending::SendFault;

/// Between two attempts: so long at first, twice as long after each, at most [`LONGEST`].
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// The same where only a person can help, such as by inviting the bot with its commands.
const REFUSED: Duration = Duration::from_secs(300);

/// How registration stands in every server the bot is in.
#[derive(Debug, Default)]
pub struct Registrations {
    by_guild: Mutex<BTreeMap<u64, Registration>>,
}

#[derive(Debug)]
struct Registration {
    /// Ends the attempts.
    stop: CancellationToken,
    /// Why the last attempt failed, if it did.
    failed: Option<String>,
}

impl Registrations {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Registration>> {
        self.by_guild.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Servers whose commands are not registered although it was tried, each with the reason.
    pub fn failed(&self) -> Vec<(u64, String)> {
        let failed = |(guild, registration): (&u64, &Registration)| Some((*guild, registration.failed.clone()?));
        self.lock().iter().filter_map(failed).collect()
    }

    /// Whether no server has its commands although it was tried.
    pub fn stands_nowhere(&self) -> bool {
        let by_guild = self.lock();
        !by_guild.is_empty() && by_guild.values().all(|registration| registration.failed.is_some())
    }

    /// The bot left a server.
    pub(super) fn forget(&self, guild: u64) {
        if let Some(registration) = self.lock().remove(&guild) {
            registration.stop.cancel();
        }
    }

    /// Starts over in a server; earlier attempts end.
    fn begin(&self, guild: u64, stop: &CancellationToken) -> CancellationToken {
        let stop = stop.child_token();
        let registration = Registration { stop: stop.clone(), failed: None };
        if let Some(earlier) = self.lock().insert(guild, registration) {
            earlier.stop.cancel();
        }
        stop
    }

    /// Notes how an attempt ended.
    fn note(&self, guild: u64, failed: Option<String>) {
        if let Some(registration) = self.lock().get_mut(&guild) {
            registration.failed = failed;
        }
    }

    /// Registers the commands of a server, as often as it takes.
    pub(super) async fn run(&self, rest: &Rest, application: u64, guild: u64, stop: &CancellationToken) {
        let stop = self.begin(guild, stop);
        let mut pause = PAUSE;
        while !stop.is_cancelled() {
            let fault = match register(rest, application, guild).await {
                Ok(sent) => {
                    tracing::info!(guild, sent, "slash commands registered");
                    return self.note(guild, None);
                }
                Err(fault) => fault,
            };
            // Another run has begun meanwhile, or the bot left the server.
            if stop.is_cancelled() {
                return;
            }
            tracing::warn!(guild, %fault, "slash commands not registered, retrying");
            self.note(guild, Some(fault.to_string()));
            let wait = match fault {
                SendFault::Wait(wait) | SendFault::Limited(wait) => wait.max(PAUSE),
                SendFault::Blocked(_) | SendFault::Forbidden(_) | SendFault::Refused(_) => REFUSED,
                _ => pause,
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => {}
            }
            pause = (pause * 2).min(LONGEST);
        }
    }
}

/// One attempt; whether anything had to be sent.
async fn register(rest: &Rest, application: u64, guild: u64) -> Result<bool, SendFault> {
    if stand(rest, &application.to_string(), &guild.to_string()).await? {
        return Ok(false);
    }
    let path = path(&application.to_string(), &guild.to_string());
    rest.json(Method::PUT, &path, Some(&commands::all()), Limit::Bucket).await?;
    Ok(true)
}

/// Whether a server has the commands of this version.
///
/// # Errors
/// A classified fault.
pub(super) async fn stand(rest: &Rest, application: &str, guild: &str) -> Result<bool, SendFault> {
    let there = rest.json(Method::GET, &path(application, guild), None, Limit::Bucket).await?;
    Ok(are(&commands::all(), &there))
}

fn path(application: &str, guild: &str) -> String {
    format!("/applications/{application}/guilds/{guild}/commands")
}

/// Whether the commands there are the wanted ones, in any order.
fn are(wanted: &Value, there: &Value) -> bool {
    let by_name = |commands: &Value| {
        let commands = commands.as_array().into_iter().flatten();
        commands.map(|command| (command["name"].to_string(), command.clone())).collect::<BTreeMap<_, _>>()
    };
    let (wanted, there) = (by_name(wanted), by_name(there));
    wanted.len() == there.len() && wanted.iter().all(|(name, command)| there.get(name).is_some_and(|t| is(command, t)))
}

/// What a command or an option says beside its name and description, and Discord leaves out where it says nothing.
const SAID: [&str; 9] = [
    "autocomplete", "channel_types", "choices", "max_length", "max_value", "min_length", "min_value", "options",
    "required",
];

/// Whether a command, an option or a value is as wanted. Discord adds fields of its own, and leaves out what is empty or false.
fn is(wanted: &Value, there: &Value) -> bool {
    let empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    match (wanted, there) {
        (Value::Object(fields), Value::Object(others)) => {
            // Where a command may be used is said of global commands only: of a server's, Discord may leave it out.
            let same = |(key, value): (&String, &Value)| {
                key == "contexts" || others.get(key).map_or(empty(value), |other| is(value, other))
            };
            let said = |key: &&str| !fields.contains_key(*key) && others.get(*key).is_some_and(|value| !empty(value));
            fields.iter().all(same) && SAID.iter().find(|key| said(key)).is_none()
        }
        (Value::Array(items), Value::Array(others)) => {
            items.len() == others.len() && items.iter().zip(others).all(|(item, other)| is(item, other))
        }
        _ => wanted == there || (empty(wanted) && empty(there)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As Discord lists commands: fields of its own, nothing that is false or empty, another order.
    fn listed(mut command: Value, id: u64) -> Value {
        fn strip(value: &mut Value) {
            if let Some(fields) = value.as_object_mut() {
                fields.retain(|_, value| *value != json!(false) && *value != json!([]));
                fields.values_mut().for_each(strip);
            }
            value.as_array_mut().into_iter().flatten().for_each(strip);
        }
        strip(&mut command);
        for (key, value) in [
            ("id", json!(id.to_string())),
            ("version", json!("7")),
            ("nsfw", json!(false)),
            ("name_localizations", Value::Null),
        ] {
            command[key] = value;
        }
        command
    }

    #[test]
    fn commands_are_sent_only_where_they_differ() {
        let wanted = commands::all();
        let commands = wanted.as_array().unwrap().iter().rev().enumerate();
        let there: Vec<Value> = commands.map(|(n, command)| listed(command.clone(), n as u64)).collect();
        assert!(are(&wanted, &json!(there)));
        assert!(!are(&wanted, &json!([])) && !are(&wanted, &json!(there[1..])));
        for change in [
            |command: &mut Value| command["description"] = json!("another"),
            |command: &mut Value| drop(command["options"].as_array_mut().unwrap().pop()),
            |command: &mut Value| command["options"][0]["options"] = json!([{ "type": 3, "name": "old" }]),
            |command: &mut Value| command["options"].as_array_mut().unwrap().push(json!({ "type": 1, "name": "gone" })),
        ] {
            let mut changed = there.clone();
            change(&mut changed[0]);
            assert!(!are(&wanted, &json!(changed)), "{}", changed[0]);
        }
    }
}
