//! What people do in the two servers of `servers`, with whatever they know of the other. It must not know what may come of it.

use chat_sandbox::Dice;
use serde_json::{Value, json};

use super::super::super::render::custom_id;
use super::{Field, Server};
use crate::domain::decision::Verdict;
use crate::domain::plan::SignoffRole;
use crate::domain::prompt::{Choice, Prompt};

/// Every command there is, with its options, as registered.
pub(super) fn leaves(node: &Value, path: &str, found: &mut Vec<(String, Vec<Value>)>) {
    let options = node["options"].as_array().cloned().unwrap_or_default();
    let inner: Vec<&Value> = options.iter().filter(|option| option["type"] == 1 || option["type"] == 2).collect();
    if inner.is_empty() {
        found.push((path.to_owned(), options));
    } else {
        for child in inner {
            leaves(child, &format!("{path} {}", child["name"].as_str().unwrap()), found);
        }
    }
}

/// The one attachment of an interaction, as Discord numbers it.
const ATTACHED: &str = "900";

/// What brings a release on.
const USUAL: [&str; 10] = [
    "release submit", "release signoff give", "release item done", "release go", "release stage", "release update",
    "release decide", "release resume", "release alert report", "release handover",
];

const CHOICES: [Choice; 24] = [
    Choice::Snooze,
    Choice::CallSent,
    Choice::Sign(SignoffRole::EngineeringLead),
    Choice::Sign(SignoffRole::ProductOwner),
    Choice::Sign(SignoffRole::SreOps),
    Choice::Sign(SignoffRole::Security),
    Choice::Briefed,
    Choice::Acknowledge,
    Choice::Verdict(Verdict::Continue),
    Choice::Verdict(Verdict::Hold),
    Choice::Verdict(Verdict::RollBack),
    Choice::Verified,
    Choice::Failed,
    Choice::WriteUpdate,
    Choice::Submit,
    Choice::FilePostmortem,
    Choice::Pick,
    Choice::ApplyFixes,
    Choice::DownloadFixed,
    Choice::EditAgain,
    Choice::SendAgain,
    Choice::Undo,
    Choice::Agree,
    Choice::Decline,
];

/// What a monitoring system sends: to which source, with which secret.
pub(super) struct Alerts {
    pub(super) to: String,
    pub(super) secret: String,
    pub(super) body: Value,
}

/// What people do in one server, with whatever they know of the other.
pub(super) struct Play<'a> {
    pub(super) dice: &'a mut Dice,
    pub(super) field: &'a Field,
    pub(super) here: &'a Server,
    pub(super) id: u64,
}

impl Play<'_> {
    fn roll(&mut self, most: u64) -> u64 {
        self.dice.roll(most)
    }
    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()].clone()
    }

    fn text(&mut self, name: &str) -> String {
        if name == "release" {
            // The numbers of both servers are the same; a few name nothing, or a release by its inner id.
            let newest = self.field.releases.iter().filter(|(_, guild)| *guild == self.here.guild).count() as u64;
            let releases: Vec<String> = self.field.releases.iter().map(|(id, _)| id.clone()).collect();
            return match self.roll(12) {
                0 => self.one(&releases),
                1 => "REL-999".to_owned(),
                _ => format!("REL-{}", newest.saturating_sub(self.roll(4)).max(1)),
            };
        }
        if name == "time" && self.roll(2) == 0 {
            return self.one(&["30m", "Fri 15:00", "2026-12-15 15:00 Europe/Berlin"]).to_owned();
        }
        if name == "text" && self.roll(3) == 0 {
            return self.one(&["212ms", "3%", "dependencies-deployed-and-stable", "T-2h"]).to_owned();
        }
        // In small letters: an echo of what was typed is told from what was read.
        self.one(&[
            "because", "dependencies-deployed-and-stable", "alpha-deployed", "bravo-deployed", "alpha deployed",
            "bravo fair", "alpha fair", "alpha train", "bravo train", "T-2h", "#1", "1", "30m", "Error Rate", "212ms",
            "2026-12-15 15:00 Europe/Berlin", "Fri 15:00", "Mon 08:00", "0 14 * * TUE", "Europe/Berlin",
        ])
        .to_owned()
    }

    fn option(&mut self, spec: &Value, focus: bool) -> Value {
        let (name, kind) = (spec["name"].as_str().unwrap().to_owned(), spec["type"].as_u64().unwrap());
        let elsewhere = self.one(&[1_u64, 2]) * 1_000;
        let value = match kind {
            4 => json!(self.roll(5)),
            5 => json!(self.roll(2) == 0),
            6 => json!((11 + self.roll(4)).to_string()),
            7 => json!((self.here.guild * 1_000 + 500 + 1 + self.roll(3)).to_string()),
            8 => json!((elsewhere + 1 + self.roll(6)).to_string()),
            11 => json!(ATTACHED),
            _ => match spec["choices"].as_array() {
                Some(choices) => self.one(choices)["value"].clone(),
                None => json!(self.text(&name)),
            },
        };
        let mut option = json!({ "name": name, "type": kind, "value": value });
        if focus {
            option["focused"] = json!(true);
            option["value"] = json!("");
        }
        option
    }

    fn command(&mut self, all: &[(String, Vec<Value>)], complete: bool) -> Value {
        let (path, specs) = loop {
            let (path, specs) = self.one(all);
            // A server that is set up anew with strange roles has nobody left who may do anything; nor lives what is scrubbed.
            let rare = match path.as_str() {
                "tminus setup" => 200,
                "release scrub" => 10,
                _ => 1,
            };
            let usual = complete || USUAL.contains(&path.as_str()) || self.roll(3) == 0;
            if usual && self.roll(rare) == 0 {
                break (path, specs);
            }
        };
        let focus = specs.iter().position(|spec| complete && spec["autocomplete"] == true);
        let mut options = Vec::new();
        for (n, spec) in specs.iter().enumerate() {
            let named = spec["name"] == "release" && self.roll(16) > 0;
            let wanted = spec["required"] == true || focus == Some(n) || named || self.roll(3) == 0;
            if wanted {
                options.push(self.option(spec, focus == Some(n)));
            }
        }
        let people: Vec<u64> = (11..15).collect();
        let users: serde_json::Map<String, Value> = people.iter().map(|id| (id.to_string(), user(*id))).collect();
        let members: serde_json::Map<String, Value> = people
            .iter()
            .map(|id| {
                (
                    id.to_string(),
                    json!({ "roles": [], "joined_at": null, "permissions": "0", "deaf": false, "mute": false }),
                )
            })
            .collect();
        let attached = self.attached();
        typed(&path, options, json!({ "users": users, "members": members, "attachments": attached }))
    }

    /// What brings one of this server's newest releases on, or another plan; `None` where nothing does.
    fn onward(&mut self) -> Option<Value> {
        if self.roll(12) == 0 {
            let plan = vec![json!({ "name": "plan", "type": 11, "value": ATTACHED })];
            return Some(typed("release import", plan, json!({ "attachments": self.attached() })));
        }
        let here: Vec<(i64, u64, String)> =
            self.field.phases.iter().filter(|(_, guild, _)| *guild == self.here.guild).cloned().collect();
        let (no, _, phase) = self.one(&here[here.len().saturating_sub(6)..]);
        let role = self.one(&["engineering_lead", "product_owner", "sre_ops"]);
        let (path, more): (&str, &[(&str, &str)]) = match (phase.as_str(), self.roll(5)) {
            ("draft", _) => ("release submit", &[]),
            ("gathering", 0) => ("release go", &[("break_glass", "because")]),
            ("gathering", _) => ("release signoff give", &[("role", role)]),
            ("approved", _) => ("release go", &[]),
            ("held", _) => ("release resume", &[]),
            ("live" | "watching", 0) => ("release stage", &[("stage", "advance"), ("reason", "because")]),
            ("live" | "watching", 1) => ("release update", &[("text", "because")]),
            ("live" | "watching", 2) => ("release decide", &[("verdict", "continue"), ("reason", "because")]),
            ("live" | "watching", 3) => ("release alert report", &[("metric", "Error Rate"), ("text", "0.4%")]),
            ("live" | "watching", _) => ("release hold", &[("reason", "because")]),
            _ => return None,
        };
        let release = format!("REL-{no}");
        let options = [("release", release.as_str())].into_iter().chain(more.iter().copied());
        let options = options.map(|(name, value)| json!({ "name": name, "type": 3, "value": value })).collect();
        Some(typed(path, options, json!({})))
    }

    fn button(&mut self, kind: char) -> Option<String> {
        if self.field.prompts.is_empty() {
            return None;
        }
        let other = self.roll(3) == 0;
        let here = self.here.guild;
        let of: Vec<String> = self
            .field
            .prompts
            .iter()
            .filter(|(_, guild)| (*guild == here) != other)
            .map(|(id, _)| id.clone())
            .collect();
        (!of.is_empty()).then(|| {
            let (prompt, mut choice) = (self.one(&of), self.one(&CHOICES));
            if self.roll(2) == 0 {
                choice = match &self.field.kinds[&prompt] {
                    Prompt::Signoff { .. } => Choice::Sign(self.one(SignoffRole::ALL)),
                    Prompt::Receipt { .. } => Choice::Briefed,
                    Prompt::Submit => Choice::Submit,
                    Prompt::Update => Choice::WriteUpdate,
                    Prompt::Point { .. } | Prompt::Case { .. } => Choice::Verdict(Verdict::Continue),
                    _ => choice,
                };
            }
            custom_id(kind, &prompt, choice)
        })
    }

    /// Now and then it is not a person who says something, but a monitoring system.
    pub(super) fn alerts(&mut self) -> Option<Alerts> {
        if self.roll(12) > 0 {
            return None;
        }
        let to = self.here.word.to_lowercase();
        let from = if self.roll(4) == 0 { self.one(&["alpha", "bravo"]).to_owned() } else { to.clone() };
        let alerts: Vec<Value> = (0..=self.roll(3)).map(|_| self.alert()).collect();
        Some(Alerts { to, secret: format!("{from} secret"), body: json!({ "version": "4", "alerts": alerts }) })
    }

    /// One alert, of whichever release and service its labels say.
    fn alert(&mut self) -> Value {
        let mut labels = json!({
            "alertname": self.one(&["Error Rate", "alpha fair", "bravo fair"]),
            "severity": self.one(&["warning", "critical"]),
        });
        if self.roll(2) == 0 {
            labels["service"] = json!(self.one(&["alpha-shop", "bravo-shop", "payments"]));
        }
        if self.roll(3) > 0 {
            labels["release"] = json!(self.text("release"));
        }
        if self.roll(8) == 0 {
            labels["tminus_action"] = json!("rollback");
        }
        let begun = jiff::Timestamp::from_millisecond(self.field.clock.now_ms()).unwrap();
        let value = self.one(&["4%", "0.1%", "212ms"]);
        json!({
            "status": self.one(&["firing", "firing", "resolved"]), "labels": labels, "startsAt": begun.to_string(),
            "annotations": { "value": value, "summary": "because", "for": "5m" },
            // The same in both servers: monitoring systems may be set up alike.
            "fingerprint": format!("{:016x}", self.roll(20)),
        })
    }

    /// A document of this server's, attached.
    fn attached(&mut self) -> Value {
        let ahead = self.field.clock.now_ms() + 3 * 86_400_000;
        let day = jiff::Timestamp::from_millisecond(ahead).unwrap().strftime("%Y-%m-%d");
        let url = format!("{}/plan/{}/{}/{day}", self.field.attached, self.here.guild, 1 + self.roll(100));
        json!({ ATTACHED: {
            "id": ATTACHED, "filename": "plan.md", "size": 4_000, "url": url, "proxy_url": url, "content_type": "text/markdown",
        } })
    }

    /// An interaction of Discord's, with its kind.
    pub(super) fn interaction(&mut self, all: &[(String, Vec<Value>)]) -> Value {
        // One who holds every role knows what to do next; the others try what they can think of.
        let onward = if self.roll(8) == 0 { self.onward() } else { None };
        let leads = onward.is_some();
        let (kind, data) = match self.roll(10) {
            _ if leads => (2, onward.unwrap_or_default()),
            0..=4 => (2, self.command(all, false)),
            5 => (4, self.command(all, true)),
            6 | 7 => {
                let id = self.button('p').unwrap_or_else(|| "e:REL-1".to_owned());
                (3, json!({ "custom_id": id, "component_type": 2 }))
            }
            8 => {
                let id = self.text("release");
                let (section, _) = self.one(&self.field.sections);
                (3, json!({ "custom_id": format!("e:{id}"), "component_type": 3, "values": [section] }))
            }
            _ => {
                let mut value = "because".to_owned();
                let id = match self.roll(4) {
                    0 => format!("u:{}", self.text("release")),
                    1 => {
                        // A section as it was, with a line more.
                        let (section, text) = self.one(&self.field.sections);
                        value = format!("{text}\n\nSeen {}.", self.roll(1_000));
                        format!("E:{}:{section}:{}", self.text("release"), 1 + self.roll(2))
                    }
                    _ => self.button('f').unwrap_or_else(|| "u:REL-1".to_owned()),
                };
                let text = json!({ "type": 4, "custom_id": "text", "value": value });
                (5, json!({ "custom_id": id, "components": [{ "type": 1, "components": [text] }] }))
            }
        };
        let person = 11 + self.roll(4);
        let roles: Vec<String> =
            (1..=6).filter(|_| leads || self.dice.roll(6) > 0).map(|n| self.here.role(n).to_string()).collect();
        let guild = self.here.guild.to_string();
        let mut body = json!({
            "id": self.id.to_string(), "application_id": "9", "type": kind, "token": format!("token-{}", self.id), "version": 1,
            "guild_id": guild, "channel_id": "7", "locale": "en-US", "guild_locale": "en-US", "app_permissions": "0",
            "entitlements": [], "authorizing_integration_owners": {}, "context": 0, "attachment_size_limit": 1, "data": data,
            "member": {
                "user": user(person), "roles": roles, "joined_at": "2024-01-01T00:00:00+00:00", "deaf": false, "mute": false,
                "flags": 0, "pending": false, "permissions": if person == 11 { "32" } else { "0" },
            },
        });
        if kind == 3 {
            body["message"] = json!({
                "id": "77", "channel_id": "7", "author": user(9), "content": "", "timestamp": "2024-01-01T00:00:00+00:00",
                "edited_timestamp": null, "tts": false, "mention_everyone": false, "mentions": [], "mention_roles": [],
                "attachments": [], "embeds": [], "pinned": false, "type": 0,
            });
        }
        body
    }
}

/// A slash command as Discord nests it.
fn typed(path: &str, mut options: Vec<Value>, resolved: Value) -> Value {
    let words: Vec<&str> = path.split(' ').collect();
    for (depth, word) in words.iter().enumerate().skip(1).rev() {
        let kind = if words.len() == 3 && depth == 1 { 2 } else { 1 };
        options = vec![json!({ "name": word, "type": kind, "options": options })];
    }
    json!({ "id": "5", "name": words[0], "type": 1, "options": options, "resolved": resolved })
}

fn user(id: u64) -> Value {
    json!({ "id": id.to_string(), "username": format!("u{id}"), "discriminator": "0", "global_name": null, "avatar": null, "bot": false })
}
