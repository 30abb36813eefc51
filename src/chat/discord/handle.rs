//! Handles one interaction: parse, ask the desk, answer within Discord's three seconds. Answers are for the person alone;
//! what the channel must know goes through the outbox.

use reqwest::Method;
use serde_json::{Value, json};
use serenity::model::application::{CommandInteraction, ComponentInteraction, Interaction, ModalInteraction};
use serenity::model::guild::Member;
use serenity::model::user::User;

use super::forms;
use super::lists;
use super::parse::{self, Typed};
use super::render;
use super::rest::{Limit, Rest, Upload};
use crate::chat::SendFault;
use crate::desk::{Answer, Ask, Desk, DeskFault};
use crate::domain::command::Command;
use crate::domain::effect::{Choice, Form};
use crate::domain::ids::GuildId;
use crate::domain::may::{Action, may};
use crate::domain::people::Actor;
use crate::domain::policy::Policy;
use crate::domain::prompt::Filled;
use crate::domain::workspace::WorkspaceCommand;
use crate::voice::{self, Message, system};

/// What handling needs; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Handler {
    pub(super) desk: Desk,
    pub(super) rest: Rest,
    pub(super) http: reqwest::Client,
    /// The API's base URL, if it is on loopback.
    pub(super) local: Option<String>,
    /// Servers whose settings come from the configuration file.
    pub(super) by_file: std::sync::Arc<std::collections::BTreeSet<GuildId>>,
}

/// Where the answer goes.
pub(super) struct Reply<'a> {
    rest: &'a Rest,
    application: String,
    pub(super) id: String,
    token: &'a str,
}

impl Reply<'_> {
    pub(super) async fn now(&self, body: Value) -> Result<(), SendFault> {
        let path = format!("/interactions/{}/{}/callback", self.id, self.token);
        self.rest.json(Method::POST, &path, Some(&body), Limit::Exempt).await.map(|_| ())
    }

    pub(super) async fn say(&self, message: &Message, prompt: Option<&str>) -> Result<(), SendFault> {
        self.now(json!({ "type": 4, "data": render::private(message, prompt) })).await
    }

    /// "Thinking", for work that may take longer; answered by [`Reply::later`].
    pub(super) async fn wait(&self) -> Result<(), SendFault> {
        self.now(json!({ "type": 5, "data": { "flags": 64 } })).await
    }

    pub(super) async fn later(
        &self,
        message: &Message,
        prompt: Option<&str>,
        file: Option<Upload>,
    ) -> Result<(), SendFault> {
        let path = format!("/webhooks/{}/{}/messages/@original", self.application, self.token);
        let mut body = render::private(message, prompt);
        if let Some(fields) = body.as_object_mut() {
            fields.remove("flags");
        }
        match file {
            Some(file) => self.rest.upload(Method::PATCH, &path, &body, file, Limit::Exempt).await.map(|_| ()),
            None => self.rest.json(Method::PATCH, &path, Some(&body), Limit::Exempt).await.map(|_| ()),
        }
    }
}

/// Whether somebody is shown what the platform says of the server.
pub(super) fn may_examine(actor: &Actor, policy: &Policy) -> bool {
    may(actor, &Action::Examine, policy, None).is_ok()
}

impl Handler {
    /// Handles an interaction to its end. A fault of the answer is logged: what was recorded stands.
    pub(super) async fn handle(&self, interaction: Interaction) {
        let (id, kind) = (interaction.id().to_string(), interaction.kind());
        let outcome = match &interaction {
            Interaction::Command(command) => self.command(command).await,
            Interaction::Autocomplete(command) => self.autocomplete(command).await,
            Interaction::Component(component) => self.component(component).await,
            Interaction::Modal(modal) => self.modal(modal).await,
            _ => Ok(()),
        };
        if let Err(fault) = outcome {
            tracing::warn!(interaction = id, ?kind, %fault, "An answer did not reach the person");
        }
    }

    fn reply<'a>(&'a self, application: impl ToString, id: impl ToString, token: &'a str) -> Reply<'a> {
        Reply { rest: &self.rest, application: application.to_string(), id: id.to_string(), token }
    }

    /// Whoever may not even read is told so, on every surface, before anything is looked up.
    fn admitted(&self, user: &User, member: Option<&Member>) -> Result<Actor, Box<Message>> {
        let actor = parse::actor(user, member, self.desk.clock().now());
        let policy = Policy::default();
        match may(&actor, &Action::Read, &policy, None) {
            Ok(_) => Ok(actor),
            Err(refusal) => Err(Box::new(voice::refuse(&refusal, &policy, None))),
        }
    }

    async fn command(&self, it: &CommandInteraction) -> Result<(), SendFault> {
        let reply = self.reply(it.application_id, it.id, &it.token);
        let typed = Typed::of(it);
        let Some(guild) = parse::guild(it.guild_id) else {
            return reply.say(&system::sorry("T-Minus works inside a server."), None).await;
        };
        let actor = match self.admitted(&it.user, it.member.as_deref()) {
            Ok(actor) => actor,
            Err(refused) => return reply.say(&refused, None).await,
        };
        match typed.path.as_str() {
            "tminus help" => return reply.say(&system::help(), None).await,
            "tminus check" => return self.check(&reply, &guild, &actor).await,
            "tminus setup" => return self.setup(&reply, &guild, actor, &typed).await,
            "tminus resend" => {
                let command = WorkspaceCommand::SendAgain;
                return self.ask(&reply, Ask::Workspace { guild, actor, command, template: None }).await;
            }
            path if path.starts_with("tminus audience ") => {
                return self.audience(&reply, guild, actor, &typed).await;
            }
            path if path.starts_with("tminus rule ") => return self.rule(&reply, guild, actor, &typed).await,
            path if path.starts_with("tminus freeze ") => return self.freeze(&reply, guild, actor, &typed).await,
            path if path.starts_with("tminus train ") => return self.train(&reply, it, guild, actor, &typed).await,
            "release list" => return self.list(&reply, &guild).await,
            "release show" => return self.show(&reply, &guild, &typed).await,
            "release timeline" => return self.timeline(&reply, &guild, &typed).await,
            "release export" => return self.export_plan(&reply, &guild, &typed).await,
            "release new" => return self.new_form(&reply, &typed).await,
            "release edit" => return self.edit(&reply, &guild, &typed).await,
            "release import" => return self.import(&reply, it, &guild, actor, &typed).await,
            "release update" if typed.text("text").is_none() => {
                return self.update_form(&reply, &guild, &typed).await;
            }
            _ => {}
        }
        // Only a time that somebody types needs the server's zone.
        let zone = match typed.text("time") {
            None => None,
            Some(_) => match self.policy(&guild).await {
                Ok(policy) => policy.zone,
                Err(fault) => return reply.say(&self.fault(&reply.id, &fault), None).await,
            },
        };
        match parse::command(&typed, zone.as_deref()) {
            None => {
                reply
                    .say(&system::sorry("This version does not know that command; the list is in /tminus help."), None)
                    .await
            }
            Some(Err(sentence)) => reply.say(&system::sorry(&sentence), None).await,
            Some(Ok(command)) => {
                let ask = Ask::Command { guild, actor, release: typed.text("release"), command };
                self.ask(&reply, ask).await
            }
        }
    }

    /// Asks the desk, once per interaction, and says what came of it.
    pub(super) async fn ask(&self, reply: &Reply<'_>, ask: Ask) -> Result<(), SendFault> {
        match self.asked(reply, ask).await {
            Some((message, prompt)) => reply.say(&message, prompt.as_deref()).await,
            None => Ok(()),
        }
    }

    /// The same after "thinking".
    pub(super) async fn ask_later(&self, reply: &Reply<'_>, ask: Ask) -> Result<(), SendFault> {
        match self.asked(reply, ask).await {
            Some((message, prompt)) => reply.later(&message, prompt.as_deref(), None).await,
            None => Ok(()),
        }
    }

    /// What to answer; `None` for a duplicate, which was answered before.
    async fn asked(&self, reply: &Reply<'_>, ask: Ask) -> Option<(Message, Option<String>)> {
        match self.desk.ask_once(ask, "discord", &reply.id).await {
            Ok(Answer::Done { message, prompt, .. }) => Some((*message, prompt)),
            Ok(Answer::Refused { message } | Answer::Said { message }) => Some((*message, None)),
            Ok(Answer::Duplicate) => None,
            Ok(Answer::Unrouted | Answer::Silent) => Some((system::sorry("There was nothing to do."), None)),
            Err(fault) => Some((self.fault(&reply.id, &fault), None)),
        }
    }

    pub(super) fn fault(&self, id: &str, fault: &DeskFault) -> Message {
        tracing::error!(interaction = id, error = fault as &dyn std::error::Error, "A command was not recorded");
        system::fault(id)
    }

    pub(super) async fn policy(&self, guild: &GuildId) -> Result<Policy, DeskFault> {
        match self.desk.store().read_workspace(guild).await {
            Ok(workspace) => Ok(workspace.policy),
            Err(fault) => Err(DeskFault::NotRecorded(fault.to_string())),
        }
    }

    async fn component(&self, it: &ComponentInteraction) -> Result<(), SendFault> {
        let reply = self.reply(it.application_id, it.id, &it.token);
        let actor = match self.admitted(&it.user, it.member.as_ref()) {
            Ok(actor) => actor,
            Err(refused) => return reply.say(&refused, None).await,
        };
        if let (Some(guild), Some(no)) = (parse::guild(it.guild_id), it.data.custom_id.strip_prefix("e:")) {
            let section = parse::chosen(it).unwrap_or_default();
            return self.section_form(&reply, &guild, no, &section).await;
        }
        let (Some(guild), Some((_, prompt, choice))) =
            (parse::guild(it.guild_id), parse::custom_id(&it.data.custom_id))
        else {
            return reply
                .say(&system::sorry("This button belongs to an older version; use the newest message."), None)
                .await;
        };
        match choice {
            Choice::EditAgain => return self.edit_again(&reply, &guild, &prompt).await,
            Choice::ApplyFixes | Choice::DownloadFixed => {
                return self.fixes(&reply, &guild, actor, &prompt, choice).await;
            }
            _ => {}
        }
        if let Some(form) = choice.form() {
            return self.form(&reply, &guild, &prompt, choice, form).await;
        }
        let filled = Filled { user: parse::picked(it), ..Filled::default() };
        self.ask(&reply, Ask::Click { guild, actor, prompt, choice, filled }).await
    }

    /// Opens the form a choice needs. Whether the person may decide is judged when it comes back.
    async fn form(
        &self,
        reply: &Reply<'_>,
        guild: &GuildId,
        prompt: &str,
        choice: Choice,
        form: Form,
    ) -> Result<(), SendFault> {
        let stored = self.desk.store().read_prompt(guild, prompt).await;
        let release = match stored {
            Ok(Some(stored)) => self.desk.store().read_release(stored.release).await,
            Ok(None) => Ok(None),
            Err(fault) => Err(fault),
        };
        let release = match release {
            Ok(release) => release,
            Err(fault) => {
                return reply.say(&self.fault(&reply.id, &DeskFault::NotRecorded(fault.to_string())), None).await;
            }
        };
        let Some(release) = release else {
            return reply.say(&system::sorry("This button leads nowhere any more. See /release show."), None).await;
        };
        let title = match choice {
            Choice::Verdict(verdict) => format!("{}: {}", voice::words::verdict(verdict), release.no),
            Choice::Failed => format!("Rollback failed: {}", release.no),
            Choice::WriteUpdate => format!("Update: {}", release.no),
            _ => format!("Post-mortem: {}", release.no),
        };
        reply.now(forms::open(&render::custom_id('f', prompt, choice), form, &title, Some(&release))).await
    }

    async fn modal(&self, it: &ModalInteraction) -> Result<(), SendFault> {
        let reply = self.reply(it.application_id, it.id, &it.token);
        let Some(guild) = parse::guild(it.guild_id) else {
            return reply.say(&system::sorry("T-Minus works inside a server."), None).await;
        };
        let actor = match self.admitted(&it.user, it.member.as_ref()) {
            Ok(actor) => actor,
            Err(refused) => return reply.say(&refused, None).await,
        };
        if let Some(id) = it.data.custom_id.strip_prefix("n:") {
            let field = |name: &str| parse::input(it, name).filter(|t| !t.trim().is_empty());
            return self.new_plan(&reply, &guild, actor, id, field).await;
        }
        if let Some(id) = it.data.custom_id.strip_prefix("E:") {
            let text = parse::input(it, "text").unwrap_or_default();
            return self.edited(&reply, &guild, actor, id, text).await;
        }
        let text = parse::input(it, "text").filter(|t| !t.trim().is_empty());
        let values = match parse::values(&parse::input(it, "values").unwrap_or_default()) {
            Ok(values) => values,
            Err(sentence) => return reply.say(&system::sorry(&sentence), None).await,
        };
        if let Some(release) = it.data.custom_id.strip_prefix("u:") {
            let command = Command::Update { text, values };
            return self.ask(&reply, Ask::Command { guild, actor, release: Some(release.to_owned()), command }).await;
        }
        let Some((_, prompt, choice)) = parse::custom_id(&it.data.custom_id) else {
            return reply.say(&system::sorry("This form belongs to an older version."), None).await;
        };
        let filled = Filled { text, values, user: None };
        self.ask(&reply, Ask::Click { guild, actor, prompt, choice, filled }).await
    }

    async fn autocomplete(&self, it: &CommandInteraction) -> Result<(), SendFault> {
        let reply = self.reply(it.application_id, it.id, &it.token);
        let Some(guild) = parse::guild(it.guild_id) else {
            return Ok(());
        };
        if self.admitted(&it.user, it.member.as_deref()).is_err() {
            return reply.now(lists::nothing()).await;
        }
        match lists::complete(&self.desk, &guild, &Typed::of(it)).await {
            Ok(body) => reply.now(body).await,
            Err(fault) => {
                tracing::error!(error = &fault as &dyn std::error::Error, "Autocomplete could not be read");
                Ok(())
            }
        }
    }

    pub(super) async fn release(
        &self,
        reply: &Reply<'_>,
        guild: &GuildId,
        typed: &Typed,
    ) -> Result<Option<crate::domain::release::Release>, SendFault> {
        let release = lists::release(&self.desk, guild, typed.text("release")).await;
        match release {
            Ok(Some(release)) => Ok(Some(release)),
            Ok(None) => {
                reply.say(&system::sorry("Name the release in the option “release”; see /release list."), None).await?;
                Ok(None)
            }
            Err(fault) => {
                reply.say(&self.fault(&reply.id, &DeskFault::NotRecorded(fault.to_string())), None).await?;
                Ok(None)
            }
        }
    }

    async fn show(&self, reply: &Reply<'_>, guild: &GuildId, typed: &Typed) -> Result<(), SendFault> {
        let Some(release) = self.release(reply, guild, typed).await? else {
            return Ok(());
        };
        reply.say(&voice::card(&release, self.desk.clock().now()), None).await
    }

    async fn update_form(&self, reply: &Reply<'_>, guild: &GuildId, typed: &Typed) -> Result<(), SendFault> {
        let Some(release) = self.release(reply, guild, typed).await? else {
            return Ok(());
        };
        let title = format!("Update: {}", release.no);
        reply.now(forms::open(&format!("u:{}", release.no), Form::Update, &title, Some(&release))).await
    }

    async fn list(&self, reply: &Reply<'_>, guild: &GuildId) -> Result<(), SendFault> {
        match self.desk.store().list_releases(guild).await {
            Ok(heads) => {
                let rows: Vec<_> = heads.into_iter().map(|h| (h.no.to_string(), h.title, h.phase)).collect();
                reply.say(&system::list(&rows), None).await
            }
            Err(fault) => reply.say(&self.fault(&reply.id, &DeskFault::NotRecorded(fault.to_string())), None).await,
        }
    }
}
