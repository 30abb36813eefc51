//! `/tminus freeze` and `/tminus train`: what recurs in a workspace. Times are read here, once, and echoed by the answer.

use std::collections::BTreeMap;

use serenity::model::application::{CommandDataOptionValue, CommandInteraction};

use super::attachment;
use super::handle::Handler;
use super::parse::{self, Typed};
use super::reply::{Handled, Reply, Stop};
use crate::desk::Ask;
use crate::domain::command::Command;
use crate::domain::freeze::{Freeze, FreezeException, Window};
use crate::domain::ids::{UserId, WorkspaceId};
use crate::domain::people::Actor;
use crate::domain::recur::Rule;
use crate::domain::workspace::WorkspaceCommand;
use crate::domain::workspace::train::{self, T0_HOLE};
use crate::plan_doc::{self, parse_when};
use crate::voice::{self, system};

/// The largest length of a reason or name that is kept.
const LONGEST: usize = 300;

impl Handler {
    pub(super) async fn freeze(&self, reply: &Reply<'_>, guild: WorkspaceId, actor: Actor, typed: &Typed) -> Handled {
        let text = |name: &str| typed.text(name).unwrap_or_default();
        let command = match typed.verb() {
            "add" => {
                self.in_chat(&guild, "freezes")?;
                WorkspaceCommand::AddFreeze(freeze(typed, self.policy(&guild).await?.zone.as_deref())?)
            }
            "remove" => {
                self.in_chat(&guild, "freezes")?;
                WorkspaceCommand::RemoveFreeze { name: text("name") }
            }
            "except" => {
                let exception = FreezeException { freeze: typed.text("name"), reason: text("reason") };
                let command = Command::Except(exception);
                return self
                    .ask(reply, Ask::Command { server: guild, actor, release: typed.text("release"), command })
                    .await;
            }
            _ => {
                let (policy, now) = (self.policy(&guild).await?, self.desk.clock().now());
                return reply.say(&voice::lists::freezes(&policy, now), None).await;
            }
        };
        self.ask(reply, Ask::Workspace { server: guild, actor, command, template: None }).await
    }

    pub(super) async fn train(
        &self,
        reply: &Reply<'_>,
        it: &CommandInteraction,
        guild: WorkspaceId,
        actor: Actor,
        typed: &Typed,
    ) -> Handled {
        let text = |name: &str| typed.text(name).unwrap_or_default();
        let command = match typed.verb() {
            "add" => return self.add_train(reply, it, guild, actor, typed).await,
            "remove" => WorkspaceCommand::RemoveTrain { name: text("name") },
            "skip" => WorkspaceCommand::SkipTrain { name: text("name"), reason: text("reason") },
            "unskip" => WorkspaceCommand::UnskipTrain { name: text("name") },
            _ => return reply.say(&voice::lists::trains(&self.workspace(&guild).await?), None).await,
        };
        self.ask(reply, Ask::Workspace { server: guild, actor, command, template: None }).await
    }

    async fn add_train(
        &self,
        reply: &Reply<'_>,
        it: &CommandInteraction,
        guild: WorkspaceId,
        actor: Actor,
        typed: &Typed,
    ) -> Handled {
        let rule = Rule::parse(&typed.text("time").unwrap_or_default()).map_err(|problem| problem.0)?;
        let zone = zone_option(typed, self.policy(&guild).await?.zone.as_deref())?;
        let days_ahead = match typed.value("days_ahead") {
            Some(CommandDataOptionValue::Integer(days)) => u32::try_from(*days).unwrap_or(0),
            _ => 3,
        };
        // Downloading may take longer than an answer may.
        reply.wait().await?;
        let (file_name, bytes) = self.attached(it, typed).await?;
        if !std::str::from_utf8(&bytes).is_ok_and(|text| text.contains(T0_HOLE)) {
            let sentence = "The template does not say where T-0 goes. Write {t0} in its Release Date/Time and, if you like, {date} in the title.";
            return Err(Stop::sorry(sentence));
        }
        let people = self.people_of(&guild, &bytes, &rule, &zone).await?;
        let name = typed.text("name").unwrap_or_default();
        let command = WorkspaceCommand::AddTrain { name, rule, zone, days_ahead, people };
        self.ask(reply, Ask::Workspace { server: guild, actor, command, template: Some((file_name, bytes)) }).await
    }
}

impl Handler {
    /// The document beside a command: its name and bytes, or a sentence.
    pub(super) async fn attached(&self, it: &CommandInteraction, typed: &Typed) -> Result<(String, Vec<u8>), String> {
        let Some(attached) = attachment::of(it, typed) else {
            return Err("Attach the plan in the option “plan”.".to_owned());
        };
        let fetched =
            attachment::fetch(&self.http, &attached.url, u64::from(attached.size), self.local.as_deref()).await;
        fetched.map(|bytes| (attachment::name(attached), bytes)).map_err(|unfetched| format!("{unfetched}."))
    }

    /// The people a template names, matched with members once: its drafts are made without anybody to ask.
    async fn people_of(
        &self,
        guild: &WorkspaceId,
        template: &[u8],
        rule: &Rule,
        zone: &str,
    ) -> Handled<BTreeMap<String, Option<UserId>>> {
        let now = self.desk.clock().now();
        let next = rule.after(&crate::domain::zone_of(zone), now).next().unwrap_or(now);
        let text = train::filled(&String::from_utf8_lossy(template), next, zone);
        let (reading, bytes) = self.desk.read_plan(guild, text.into_bytes()).await?;
        let Some(mut plan) = reading.plan else {
            let source = String::from_utf8_lossy(&bytes).into_owned();
            let lines = plan_doc::render_chat(&reading.diagnostics, &source, 3);
            return Err(system::unreadable("the template", &lines).into());
        };
        let mut people = BTreeMap::new();
        for contact in plan.contacts_mut() {
            self.resolve(guild, contact).await;
            people.insert(contact.name.clone(), contact.user.clone());
        }
        Ok(people)
    }
}

fn zone_option(typed: &Typed, default: Option<&str>) -> Result<String, String> {
    match typed.text("timezone").or_else(|| default.map(str::to_owned)) {
        Some(zone) if jiff::tz::TimeZone::get(&zone).is_ok() => Ok(zone),
        Some(zone) => Err(format!("“{zone}” is not a time zone. Write it like Europe/Berlin.")),
        None => Err("Set the time zone in the option “timezone”, or for the server with /tminus setup.".to_owned()),
    }
}

/// A freeze as typed: two times, or two rules.
fn freeze(typed: &Typed, zone: Option<&str>) -> Result<Freeze, parse::Unread> {
    let text = |name: &str| typed.text(name).unwrap_or_default();
    let (from, until) = (text("from"), text("until"));
    let window = match (Rule::parse(&from), Rule::parse(&until)) {
        (Ok(from), Ok(until)) => Window::Recurring { from, until, zone: zone_option(typed, zone)? },
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => {
            return Err(
                "“from” and “until” must be two times, or two rules such as Fri 15:00 and Mon 08:00.".to_owned()
            );
        }
        (Err(_), Err(_)) => {
            let zone = typed.text("timezone").or_else(|| zone.map(str::to_owned));
            let when = |text: &str| {
                parse_when(text, zone.as_deref()).map(|when| when.at).map_err(|problem| {
                    format!(
                        "“{}”: {} {} You can also write a rule such as Fri 15:00.",
                        text.chars().take(60).collect::<String>(),
                        problem.message,
                        problem.help
                    )
                })
            };
            let (from, until) = (when(&from)?, when(&until)?);
            if until <= from {
                return Err("The freeze would end before it begins. Give “until” a later time than “from”.".to_owned());
            }
            Window::Fixed { from, until }
        }
    };
    let cut = |text: String| text.trim().chars().take(LONGEST).collect::<String>();
    let reason = typed.text("reason").map(cut).filter(|reason| !reason.is_empty());
    Ok(Freeze { name: text("name"), window, reason })
}
