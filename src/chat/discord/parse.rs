//! From what Discord sends to what the desk is asked. Identity and roles are those of this very interaction.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serenity::model::application::{
    CommandDataOption, CommandDataOptionValue, CommandInteraction, ComponentInteraction, ComponentInteractionDataKind,
    ModalInteraction,
};
use serenity::model::guild::Member;
use serenity::model::user::User;

use crate::domain::alert::AlertCommand;
use crate::domain::closing::{AllClearCommand, ClosingCommand};
use crate::domain::command::Command;
use crate::domain::concern::ConcernCommand;
use crate::domain::decision::Verdict;
use crate::domain::ids::{GuildId, RoleId, UserId};
use crate::domain::ladder::NoticeCommand;
use crate::domain::lifecycle::PlanCommand;
use crate::domain::people::{Actor, Person, Post, Standing};
use crate::domain::plan::{Quantity, SignoffRole};
use crate::domain::prompt::Choice;
use crate::domain::rollback::RollbackCommand;
use crate::domain::signoff::SignoffCommand;
use crate::domain::stage::StageCommand;
use crate::plan_doc::{number_with_unit, parse_when};

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

pub(super) fn guild(id: Option<serenity::model::id::GuildId>) -> Option<GuildId> {
    id.map(|id| GuildId(id.to_string()))
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
    fn member(&self, name: &str) -> Result<UserId, Unread> {
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

/// The desk's command behind a slash command, for those that are one.
pub(super) fn command(typed: &Typed, zone: Option<&str>) -> Option<Result<Command, Unread>> {
    let text = |name: &str| typed.text(name).unwrap_or_default();
    let role = || {
        SignoffRole::from_slug(&text("role"))
            .ok_or_else(|| "That is not a sign-off role. Choose one from the list.".to_owned())
    };
    let command = match typed.path.as_str() {
        "release submit" => Ok(Command::Plan(PlanCommand::Submit)),
        "release handover" => typed.member("to").map(|to| {
            let post = if text("part") == "on_call" { Post::OnCall } else { Post::Owner };
            Command::Plan(PlanCommand::HandOver { post, to, reason: typed.text("reason") })
        }),
        "release scrub" => Ok(Command::Plan(PlanCommand::Scrub { reason: text("reason") })),
        "release reschedule" => parse_when(&text("time"), zone)
            .map(|t0| Command::Plan(PlanCommand::Reschedule { t0, reason: text("reason") }))
            .map_err(|problem| format!("{} {}", problem.message, problem.help)),
        "release go" => Ok(Command::Stage(StageCommand::Go { break_glass: typed.text("break_glass") })),
        "release hold" => Ok(Command::Stage(StageCommand::Hold { reason: text("reason") })),
        "release resume" => Ok(Command::Stage(StageCommand::Resume)),
        "release stage" => stage(typed),
        "release decide" => verdict(&text("verdict")).map(|verdict| Command::Decide {
            point: None,
            verdict,
            reason: typed.text("reason"),
        }),
        "release rollback" => Ok(Command::Rollback(match text("step").as_str() {
            "verified" => RollbackCommand::Verified { note: typed.text("reason") },
            "failed" => RollbackCommand::Failed { reason: text("reason") },
            _ => RollbackCommand::Start { reason: text("reason") },
        })),
        "release all-clear" => Ok(Command::AllClear(AllClearCommand::Give)),
        "release update" => typed
            .text("text")
            .map(|text| Command::Update { text: Some(text), values: Vec::new() })
            .ok_or_else(String::new),
        "release signoff give" => role().map(|role| {
            Command::Signoff(match typed.text("for") {
                Some(name) => SignoffCommand::Record { role, name, evidence: text("reason") },
                None => SignoffCommand::Give(role),
            })
        }),
        "release signoff snooze" => length(&typed.text("time").unwrap_or_else(|| "4h".to_owned()))
            .map(|minutes| Command::Signoff(SignoffCommand::Snooze { minutes })),
        "release amend" => Ok(Command::Plan(match text("answer").as_str() {
            "decline" => PlanCommand::Decline { n: None, reason: text("reason") },
            _ => PlanCommand::Agree { n: None },
        })),
        "release signoff refuse" => {
            role().map(|role| Command::Signoff(SignoffCommand::Refuse { role, reason: text("reason") }))
        }
        "release signoff withdraw" => role().map(|role| Command::Signoff(SignoffCommand::Withdraw(role))),
        "release concern raise" => Ok(Command::Concern(ConcernCommand::Raise { text: text("reason") })),
        "release concern resolve" => {
            Ok(Command::Concern(ConcernCommand::Resolve { concern: typed.text("concern"), how: text("reason") }))
        }
        "release alert report" => {
            number(&text("text")).map(|value| Command::Alert(AlertCommand::Report { metric: text("metric"), value }))
        }
        "release alert ack" => Ok(Command::Alert(AlertCommand::Ack { alert: text("text") })),
        "release item done" => {
            Ok(Command::Closing(ClosingCommand::ItemDone { item: text("text"), note: typed.text("reason") }))
        }
        "release item waive" => {
            Ok(Command::Closing(ClosingCommand::ItemWaived { item: text("text"), reason: text("reason") }))
        }
        "release item brief" => Ok(Command::Notice(NoticeCommand::Brief { rung: typed.text("text") })),
        "release item correct" => Ok(Command::Notice(NoticeCommand::Correct {
            rung: text("text"),
            text: text("reason"),
            retracted: text("step") == "retract",
        })),
        "release postmortem file" => Ok(Command::Closing(ClosingCommand::File { link: text("text") })),
        "release postmortem waive" => Ok(Command::Closing(ClosingCommand::WaivePostmortem { reason: text("reason") })),
        "release postmortem schedule" => parse_when(&text("time"), zone)
            .map(|when| Command::Closing(ClosingCommand::Schedule { at: when.at }))
            .map_err(|problem| format!("{} {}", problem.message, problem.help)),
        _ => return None,
    };
    Some(command)
}

fn stage(typed: &Typed) -> Result<Command, Unread> {
    let reason = typed.text("reason");
    if typed.text("stage").as_deref() != Some("extend") {
        return Ok(Command::Stage(StageCommand::Advance { reason }));
    }
    let time = typed.text("time").unwrap_or_default();
    let minutes = length(&time)?;
    Ok(Command::Stage(StageCommand::Extend { minutes, reason: reason.unwrap_or_default() }))
}

fn length(time: &str) -> Result<u32, Unread> {
    let minutes = crate::plan_doc::duration_minutes(time);
    minutes.ok_or_else(|| format!("“{time}” is not a duration. Write it like 30m or 1h in the option “time”."))
}

fn verdict(text: &str) -> Result<Verdict, Unread> {
    match text {
        "continue" => Ok(Verdict::Continue),
        "hold" => Ok(Verdict::Hold),
        "roll_back" => Ok(Verdict::RollBack),
        other => Err(format!("“{other}” is not a decision. Choose Continue, Hold or Roll back.")),
    }
}

fn number(text: &str) -> Result<Quantity, Unread> {
    number_with_unit(text)
        .ok_or_else(|| format!("“{text}” is not a value. Write a number with its unit, such as 212ms or 0.4%."))
}

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
