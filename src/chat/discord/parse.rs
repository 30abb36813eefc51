//! From what Discord sends to what the desk is asked. Identity and roles are those of this very interaction.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serenity::model::application::{
    CommandDataOption, CommandDataOptionValue, CommandInteraction, ComponentInteraction, ComponentInteractionDataKind,
    ModalInteraction,
};
use serenity::model::guild::Member;
use serenity::model::user::User;

use crate::domain::ids::{RoleId, UserId, WorkspaceId};
use crate::domain::people::{Actor, Person, Standing};
use crate::domain::plan::Quantity;
use crate::domain::prompt::Choice;
use crate::plan_doc::number_with_unit;

/// Who pressed or typed, as this interaction shows them at `now`.
pub(super) fn actor(user: &User, member: Option<&Member>, now: Timestamp) -> Actor {
    let silenced = |member: &Member| {
        let until = member.communication_disabled_until;
        until.is_some_and(|until| until.unix_timestamp() > now.as_second())
    };
    let standing = match member {
        _ if user.bot => Standing::Bot,
        None => Standing::Outside,
        Some(member) if silenced(member) => Standing::TimedOut,
        Some(_) => Standing::Member,
    };
    let name =
        member.and_then(|m| m.nick.clone()).or_else(|| user.global_name.clone()).unwrap_or_else(|| user.name.clone());
    Actor::Person(Person {
        user: UserId(user.id.to_string()),
        name: name.chars().filter(|c| !c.is_control()).take(40).collect(),
        roles: member.map_or(Vec::new(), |m| m.roles.iter().map(|r| RoleId(r.to_string())).collect()),
        manages_server: member.and_then(|m| m.permissions).is_some_and(|p| p.manage_guild() || p.administrator()),
        standing,
    })
}

pub(super) fn guild(id: Option<serenity::model::id::GuildId>) -> Option<WorkspaceId> {
    id.map(|id| WorkspaceId(id.to_string()))
}

/// A slash command taken apart: its path, its options, and the option being typed.
#[derive(Debug, Default)]
pub(super) struct Typed {
    /// `release signoff give`.
    pub(super) path: String,
    options: Vec<(String, CommandDataOptionValue)>,
    /// People named in options: whether each is a bot, and whether a member.
    people: BTreeMap<String, (bool, bool)>,
    /// The option under the cursor, for autocomplete.
    pub(super) focus: Option<(String, String)>,
}

impl Typed {
    /// Whatever was given, under any name.
    /// Each option with its name.
    pub(super) fn named(&self) -> impl Iterator<Item = (&str, &CommandDataOptionValue)> {
        self.options.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &CommandDataOptionValue> {
        self.options.iter().map(|(_, value)| value)
    }

    /// The last word of the path.
    pub(super) fn verb(&self) -> &str {
        self.path.rsplit(' ').next().unwrap_or_default()
    }

    pub(super) fn of(interaction: &CommandInteraction) -> Self {
        let resolved = &interaction.data.resolved;
        let person = |(id, user): (&serenity::model::id::UserId, &User)| {
            (id.to_string(), (user.bot, resolved.members.contains_key(id)))
        };
        let people = resolved.users.iter().map(person).collect();
        let mut typed = Self { path: interaction.data.name.clone(), people, ..Self::default() };
        typed.walk(&interaction.data.options);
        typed
    }

    fn walk(&mut self, options: &[CommandDataOption]) {
        for option in options {
            match &option.value {
                CommandDataOptionValue::SubCommand(inner) | CommandDataOptionValue::SubCommandGroup(inner) => {
                    self.path.push(' ');
                    self.path.push_str(&option.name);
                    self.walk(inner);
                }
                CommandDataOptionValue::Autocomplete { value, .. } => {
                    self.focus = Some((option.name.clone(), value.clone()))
                }
                value => self.options.push((option.name.clone(), value.clone())),
            }
        }
    }

    pub(super) fn value(&self, name: &str) -> Option<&CommandDataOptionValue> {
        self.options.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// A member, not a bot.
    pub(super) fn member(&self, name: &str) -> Result<UserId, Unread> {
        let Some(CommandDataOptionValue::User(id)) = self.value(name) else {
            return Err(format!("Choose a member in the option “{name}”."));
        };
        match self.people.get(&id.to_string()) {
            Some((false, true)) => Ok(UserId(id.to_string())),
            Some((true, _)) => Err("A bot cannot take that role.".to_owned()),
            _ => Err("That person is not a member of this server.".to_owned()),
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            CommandDataOptionValue::String(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// Why a command could not be read; a sentence for the person.
pub(super) type Unread = String;

/// Lines `Metric: value` of an update's form; a line that is no value is told back.
pub(super) fn values(text: &str) -> Result<Vec<(String, Quantity)>, Unread> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.ends_with(':'))
        .map(|line| {
            let (name, value) =
                line.rsplit_once([':', '=']).ok_or_else(|| format!("“{line}” is not in the form Metric: value."))?;
            Ok((name.trim().to_owned(), number(value)?))
        })
        .collect()
}

/// A button's or form's id taken apart: its kind, the stored prompt, the choice.
pub(super) fn custom_id(id: &str) -> Option<(char, String, Choice)> {
    let mut parts = id.splitn(3, ':');
    let kind = parts.next()?.chars().next()?;
    let prompt = parts.next()?.to_owned();
    let choice = serde_json::from_str(parts.next()?).ok()?;
    Some((kind, prompt, choice))
}

/// The member picked in a select menu.
pub(super) fn picked(interaction: &ComponentInteraction) -> Option<UserId> {
    match &interaction.data.kind {
        ComponentInteractionDataKind::UserSelect { values } => values.first().map(|id| UserId(id.to_string())),
        _ => None,
    }
}

/// The entry chosen in a select menu.
pub(super) fn chosen(interaction: &ComponentInteraction) -> Option<String> {
    match &interaction.data.kind {
        ComponentInteractionDataKind::StringSelect { values } => values.first().cloned(),
        _ => None,
    }
}

/// The text of a form's input.
pub(super) fn input(modal: &ModalInteraction, name: &str) -> Option<String> {
    use serenity::model::application::ActionRowComponent;
    modal.data.components.iter().flat_map(|row| &row.components).find_map(|part| match part {
        ActionRowComponent::InputText(text) if text.custom_id == name => text.value.clone(),
        _ => None,
    })
}

/// A number with its unit.
pub(super) fn number(text: &str) -> Result<Quantity, Unread> {
    number_with_unit(text)
        .ok_or_else(|| format!("“{text}” is not a value. Write a number with its unit, such as 212ms or 0.4%."))
}
