//! Messages that come, change and go: what the gateway tells of them, and who has read them.

use serde_json::json;

use crate::model::{EPHEMERAL, Message, State};

impl State {
    /// Stores a new message and tells the sessions.
    pub(crate) fn put(&mut self, mut message: Message) {
        message.step = self.step;
        for file in &message.files {
            self.files.insert(file.id, (file.name.clone(), file.bytes.clone()));
        }
        let (channel, id, public) = (message.channel, message.id, message.only.is_none());
        self.place.insert(id, channel);
        self.messages.insert((channel, id), message);
        if public {
            if let Some(channel) = self.channels.get_mut(&channel) {
                channel.last = Some(id);
            }
            self.tell_message("MESSAGE_CREATE", id);
        } else {
            self.ephemeral.push_back(id);
            if self.ephemeral.len() > EPHEMERAL
                && let Some(old) = self.ephemeral.pop_front()
            {
                self.forget(old);
            }
        }
        self.touch();
    }

    /// Tells of a message as a bot without the right to read content is told.
    pub(crate) fn tell_message(&mut self, name: &str, id: u64) {
        if !self.sessions.values().any(|s| s.intents & (1 << 9) != 0) {
            return;
        }
        let Some(mut told) = self.message(id).map(|message| self.message_json(message)) else { return };
        told["guild_id"] = json!(self.world.guild.to_string());
        if told["author"]["bot"] != true {
            for (key, empty) in [("content", json!("")), ("embeds", json!([])), ("components", json!([]))] {
                told[key] = empty;
            }
        }
        self.dispatch(name, &told);
    }

    /// Removes a message without a word.
    pub(crate) fn forget(&mut self, id: u64) -> Option<Message> {
        let channel = self.place.remove(&id)?;
        self.messages.remove(&(channel, id))
    }

    /// Removes a channel with what was said in it.
    pub(crate) fn remove_channel(&mut self, id: u64) {
        let gone: Vec<u64> = self.in_channel(id).map(|m| m.id).collect();
        for message in gone {
            self.forget(message);
        }
        if let Some(value) = self.channel_json(id) {
            self.channels.remove(&id);
            self.dispatch("CHANNEL_DELETE", &value);
        }
        self.touch();
    }

    /// Remembers that a person has read a channel to its end.
    pub(crate) fn mark_read(&mut self, person: u64, channel: u64) {
        if let Some(last) = self.channels.get(&channel).and_then(|c| c.last) {
            self.read.insert((person, channel), last);
        }
    }

    /// What a person has not read in a channel: how many messages, and how many call them.
    pub(crate) fn unread(&self, person: u64, channel: u64) -> (usize, usize) {
        let seen = self.read.get(&(person, channel)).copied().unwrap_or(0);
        let new = self.messages.range((channel, seen + 1)..=(channel, u64::MAX)).map(|(_, m)| m);
        let new = new.filter(|m| m.only.is_none() && m.author != Some(person));
        new.fold((0, 0), |(all, called), m| (all + 1, called + usize::from(self.calls(m, person))))
    }

    /// Whether a message mentions a person, by name or by role, and was allowed to.
    pub(crate) fn calls(&self, message: &Message, person: u64) -> bool {
        let allowed = |kind: &str, id: u64| {
            let list = message.body["allowed_mentions"][kind].as_array();
            list.is_some_and(|l| l.iter().any(|v| v.as_str().and_then(|v| v.parse().ok()) == Some(id)))
        };
        let text = message.body["content"].as_str().unwrap_or_default();
        let Some(person) = self.world.by_id(person) else { return false };
        (allowed("users", person.id) && text.contains(&format!("<@{}>", person.id)))
            || person.roles.iter().any(|role| allowed("roles", *role) && text.contains(&format!("<@&{role}>")))
    }
}
