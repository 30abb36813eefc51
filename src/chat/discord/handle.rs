//! Handles one interaction: parse, ask the desk, answer within Discord's three seconds. What the channel must know goes through
//! the outbox, not from here.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use serenity::model::application::{CommandInteraction, ComponentInteraction, Interaction, ModalInteraction};
use serenity::model::guild::Member;
use serenity::model::id::ApplicationId;
use serenity::model::user::User;
use tokio::sync::Semaphore;

use super::missed::Missed;
use super::parse::{self, Typed};
use super::reply::{Asked, Handled, Reply, Stop};
use super::rest::Rest;
use super::{forms, lists, render, send};
use crate::chat::discord::commands;
use crate::chat::rate::{Kind, Rate, TooOften};
use crate::desk::{Answer, Ask, Desk};
use crate::domain::command::Command;
use crate::domain::ids::{UserId, WorkspaceId};
use crate::domain::may::may;
use crate::domain::people::Actor;
use crate::domain::policy::Policy;
use crate::domain::prompt::{self, Choice, Filled, Form, Prompt};
use crate::domain::refusal::Refusal;
use crate::domain::release::Release;
use crate::domain::rights::Action;
use crate::domain::workspace::{Workspace, WorkspaceCommand};
use crate::voice::{self, system};

/// What handling needs; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Handler {
    pub(super) desk: Desk,
    pub(super) rest: Rest,
    pub(super) http: reqwest::Client,
    /// The API's base URL, if it is on loopback.
    pub(super) local: Option<String>,
    /// Servers whose settings come from the configuration file.
    pub(super) by_file: Arc<BTreeSet<WorkspaceId>>,
    pub(super) rate: Arc<Rate>,
    /// How many may be told at once that they ask too often; beyond that nobody is.
    pub(super) telling: Arc<Semaphore>,
    pub(super) missed: Arc<Missed>,
}

/// A request this old is late: Discord waits three seconds for its answer, and clocks may differ by five.
const LATE: SignedDuration = SignedDuration::from_secs(10);

/// Enough for people; a flood is not worth more.
pub(super) const TOLD_AT_ONCE: usize = 16;

/// Whether somebody is shown what the platform says of the server.
///
/// # Errors
/// They are not.
pub(super) fn may_examine(actor: &Actor, policy: &Policy) -> Result<(), Refusal> {
    may(actor, &Action::Examine, policy, None).map(drop)
}

impl Handler {
    /// Handles an interaction to its end. A fault of the answer is logged: what was recorded stands.
    pub(super) async fn handle(&self, interaction: Interaction) {
        let (id, kind) = (interaction.id(), interaction.kind());
        let at = send::created(&id.to_string()).unwrap_or_else(|| self.desk.clock().now());
        let reply = |application: ApplicationId, token, user: &User| {
            let (application, person) = (application.to_string(), UserId(user.id.to_string()));
            Reply::new(&self.rest, &self.missed, Asked { application, id: id.to_string(), token, person, at })
        };
        let outcome = match &interaction {
            Interaction::Command(it) => {
                let reply = reply(it.application_id, &it.token, &it.user);
                self.unless_too_often(&reply, &it.user, it.guild_id, self.command(&reply, it)).await
            }
            Interaction::Component(it) => {
                let reply = reply(it.application_id, &it.token, &it.user);
                self.unless_too_often(&reply, &it.user, it.guild_id, self.component(&reply, it)).await
            }
            Interaction::Modal(it) => {
                let reply = reply(it.application_id, &it.token, &it.user);
                self.unless_too_often(&reply, &it.user, it.guild_id, self.modal(&reply, it)).await
            }
            // There is nothing to say to a list that could not be made.
            Interaction::Autocomplete(it) => match self.counted(&it.user, it.guild_id, Kind::Typing) {
                Ok(()) => self.autocomplete(&reply(it.application_id, &it.token, &it.user), it).await,
                Err(_) => Ok(()),
            },
            _ => Ok(()),
        };
        if let Err(stop) = outcome {
            tracing::warn!(interaction = %id, ?kind, ?stop, "reply not delivered");
        }
    }

    /// Counts what somebody asks; too much is noted in the log, not line by line.
    fn counted(&self, user: &User, guild: Option<serenity::model::id::GuildId>, kind: Kind) -> Result<(), TooOften> {
        let person = UserId(user.id.to_string());
        let counted = self.rate.take(&person, parse::guild(guild).as_ref(), kind);
        if let Err(over) = counted
            && self.rate.is_news(&person)
        {
            tracing::warn!(user = %person, server = ?guild.map(|g| g.get()), ?over, "rate limit exceeded, request dropped");
        }
        counted
    }

    /// Does what is asked, or says that it is too much. A flood is not answered one by one.
    async fn unless_too_often(
        &self,
        reply: &Reply<'_>,
        user: &User,
        guild: Option<serenity::model::id::GuildId>,
        asked: impl Future<Output = Handled>,
    ) -> Handled {
        // A late request already looks failed to the person: it is carried out only if it can still be answered.
        if reply.at() + LATE < self.desk.clock().now() && reply.wait().await.is_err() {
            tracing::warn!(interaction = reply.id(), "request came too late to be answered, not done");
            return Ok(());
        }
        let message = match self.counted(user, guild, Kind::Act) {
            Ok(()) => return told(reply, asked.await).await,
            Err(TooOften::Person(wait)) => system::too_often(false, wait),
            Err(TooOften::Server(wait)) => system::too_often(true, wait),
        };
        let Ok(_turn) = self.telling.try_acquire() else { return Ok(()) };
        reply.say(&message, None).await
    }

    /// Whoever may not even read is told so, on every surface, before anything is looked up.
    fn admitted(&self, user: &User, member: Option<&Member>) -> Handled<Actor> {
        let actor = parse::actor(user, member, self.desk.clock().now());
        let policy = Policy::default();
        match may(&actor, &Action::Read, &policy, None) {
            Ok(_) => Ok(actor),
            Err(refusal) => Err(voice::refuse(&refusal, &policy, None).into()),
        }
    }

    async fn command(&self, reply: &Reply<'_>, it: &CommandInteraction) -> Handled {
        let typed = Typed::of(it);
        let guild = server(it.guild_id)?;
        let actor = self.admitted(&it.user, it.member.as_deref())?;
        match typed.path.as_str() {
            "tminus help" => return reply.say(&system::help(), None).await,
            "tminus check" => return self.check(reply, &guild, &actor).await,
            "tminus history" => return self.history(reply, &guild, &actor).await,
            "tminus setup" => return self.setup(reply, &guild, actor, &typed).await,
            "tminus resend" => {
                let command = WorkspaceCommand::SendAgain;
                return self.ask(reply, Ask::Workspace { server: guild, actor, command, template: None }).await;
            }
            path if path.starts_with("tminus audience ") => return self.audience(reply, guild, actor, &typed).await,
            path if path.starts_with("tminus rule ") => return self.rule(reply, guild, actor, &typed).await,
            path if path.starts_with("tminus freeze ") => return self.freeze(reply, guild, actor, &typed).await,
            path if path.starts_with("tminus train ") => return self.train(reply, it, guild, actor, &typed).await,
            "release list" => return self.list(reply, &guild).await,
            "release show" => return self.show(reply, &guild, &typed).await,
            "release timeline" => return self.timeline(reply, &guild, &typed).await,
            "release export" => return self.export_plan(reply, &guild, &typed).await,
            "release new" => return self.new_form(reply, &typed).await,
            "release edit" => return self.edit(reply, &guild, &typed).await,
            "release import" => return self.import(reply, it, &guild, actor, &typed).await,
            "release update" if typed.text("text").is_none() => return self.update_form(reply, &guild, &typed).await,
            _ => {}
        }
        // Only a time that somebody types needs the server's zone.
        let zone = match typed.text("time") {
            None => None,
            Some(_) => self.policy(&guild).await?.zone,
        };
        let Some(command) = commands::command(&typed, zone.as_deref()) else {
            return Err(Stop::sorry("This version does not have that command. See /tminus help."));
        };
        let ask = Ask::Command { server: guild, actor, release: typed.text("release"), command: command? };
        self.ask(reply, ask).await
    }

    /// Asks the desk, once per interaction, and says what came of it; a duplicate was answered before.
    pub(super) async fn ask(&self, reply: &Reply<'_>, ask: Ask) -> Handled {
        match self.desk.ask_once(ask, "discord", reply.id()).await? {
            Answer::Done { message, prompt, .. } => reply.say(&message, prompt.as_deref()).await,
            Answer::Refused { message } | Answer::Said { message } => reply.say(&message, None).await,
            Answer::Duplicate => Ok(()),
            Answer::Taken { .. } | Answer::Posts(_) | Answer::Silent => Err(Stop::sorry("There was nothing to do.")),
        }
    }

    pub(super) async fn workspace(&self, guild: &WorkspaceId) -> Handled<Workspace> {
        Ok(self.desk.store().read_workspace(guild).await?)
    }

    pub(super) async fn policy(&self, guild: &WorkspaceId) -> Handled<Policy> {
        Ok(self.workspace(guild).await?.policy)
    }

    /// Settings that the configuration file makes are not changed from chat. `what` names them.
    pub(super) fn in_chat(&self, guild: &WorkspaceId, what: &str) -> Handled {
        if self.by_file.contains(guild) {
            let sentence = format!(
                "You can't change this server's {what} here: the service's configuration file sets them. Ask your operator. /tminus check shows the current settings."
            );
            return Err(Stop::sorry(&sentence));
        }
        Ok(())
    }

    async fn component(&self, reply: &Reply<'_>, it: &ComponentInteraction) -> Handled {
        let actor = self.admitted(&it.user, it.member.as_ref())?;
        if let (Some(guild), Some(no)) = (parse::guild(it.guild_id), it.data.custom_id.strip_prefix("e:")) {
            let section = parse::chosen(it).unwrap_or_default();
            return self.section_form(reply, &guild, actor, no, &section).await;
        }
        let (Some(guild), Some((_, prompt, choice))) =
            (parse::guild(it.guild_id), parse::custom_id(&it.data.custom_id))
        else {
            return Err(Stop::sorry("This button is from an older version of T-Minus. Use the newest message."));
        };
        match choice {
            Choice::EditAgain => return self.edit_again(reply, &guild, &prompt).await,
            Choice::ApplyFixes | Choice::DownloadFixed => {
                return self.fixes(reply, &guild, actor, &prompt, choice).await;
            }
            _ => {}
        }
        if let Some(form) = choice.form() {
            return self.form(reply, &guild, &prompt, choice, form).await;
        }
        let user = parse::picked(it);
        if let Some(user) = &user {
            self.own_member(reply, &guild, user).await?;
        }
        let filled = Filled { user, ..Filled::default() };
        self.ask(reply, Ask::Click { server: guild, actor, prompt, choice, filled }).await
    }

    /// A prompt and its release; `None` where it leads nowhere any more.
    pub(super) async fn prompted(&self, guild: &WorkspaceId, prompt: &str) -> Handled<Option<(Release, Prompt)>> {
        let Some(stored) = self.desk.store().read_prompt(guild, prompt).await? else { return Ok(None) };
        let release = self.desk.store().read_release(stored.release).await?;
        Ok(release.map(|release| (release, stored.prompt)))
    }

    /// Opens the form a choice needs. Whether the person may decide is judged when it comes back.
    async fn form(&self, reply: &Reply<'_>, guild: &WorkspaceId, prompt: &str, choice: Choice, form: Form) -> Handled {
        let Some((release, asked)) = self.prompted(guild, prompt).await? else {
            return Err(Stop::sorry("This button no longer works. See /release show."));
        };
        // Nobody writes a reason for a question that was answered meanwhile.
        if let Err(refusal) = prompt::rules::waits(&release, &asked) {
            return Err(voice::refuse(&refusal, &release.policy, Some(&voice::words::name(&release))).into());
        }
        let title = match choice {
            Choice::Verdict(verdict) => format!("{}: {}", voice::words::verdict(verdict), release.no),
            Choice::Failed => format!("Rollback failed: {}", release.no),
            Choice::WriteUpdate => format!("Update: {}", release.no),
            Choice::Decline => format!("Decline the change: {}", release.no),
            _ => format!("Post-mortem: {}", release.no),
        };
        reply.now(forms::open(&render::custom_id('f', prompt, choice), form, &title, Some(&release))).await
    }

    async fn modal(&self, reply: &Reply<'_>, it: &ModalInteraction) -> Handled {
        let guild = server(it.guild_id)?;
        let actor = self.admitted(&it.user, it.member.as_ref())?;
        if let Some(id) = it.data.custom_id.strip_prefix("n:") {
            let field = |name: &str| parse::input(it, name).filter(|t| !t.trim().is_empty());
            return self.new_plan(reply, &guild, actor, id, field).await;
        }
        if let Some(id) = it.data.custom_id.strip_prefix("E:") {
            let text = parse::input(it, "text").unwrap_or_default();
            return self.edited(reply, &guild, actor, id, text).await;
        }
        let text = parse::input(it, "text").filter(|t| !t.trim().is_empty());
        let values = parse::values(&parse::input(it, "values").unwrap_or_default())?;
        if let Some(release) = it.data.custom_id.strip_prefix("u:") {
            let command = Command::Update { text, values };
            return self
                .ask(reply, Ask::Command { server: guild, actor, release: Some(release.to_owned()), command })
                .await;
        }
        let Some((_, prompt, choice)) = parse::custom_id(&it.data.custom_id) else {
            return Err(Stop::sorry("This form is from an older version of T-Minus. Open it again."));
        };
        let filled = Filled { text, values, user: None };
        self.ask(reply, Ask::Click { server: guild, actor, prompt, choice, filled }).await
    }

    async fn autocomplete(&self, reply: &Reply<'_>, it: &CommandInteraction) -> Handled {
        let Some(guild) = parse::guild(it.guild_id) else { return Ok(()) };
        if self.admitted(&it.user, it.member.as_deref()).is_err() {
            return reply.now(lists::nothing()).await;
        }
        reply.now(lists::complete(&self.desk, &guild, &Typed::of(it)).await?).await
    }

    pub(super) async fn release(&self, guild: &WorkspaceId, typed: &Typed) -> Handled<Release> {
        let release = lists::release(&self.desk, guild, typed.text("release")).await?;
        release.ok_or_else(|| Stop::sorry("Choose the release in the option “release”. /release list shows them all."))
    }

    async fn show(&self, reply: &Reply<'_>, guild: &WorkspaceId, typed: &Typed) -> Handled {
        let release = self.release(guild, typed).await?;
        reply.say(&voice::card(&release, self.desk.clock().now()), None).await
    }

    async fn update_form(&self, reply: &Reply<'_>, guild: &WorkspaceId, typed: &Typed) -> Handled {
        let release = self.release(guild, typed).await?;
        let title = format!("Update: {}", release.no);
        reply.now(forms::open(&format!("u:{}", release.no), Form::Update, &title, Some(&release))).await
    }

    async fn list(&self, reply: &Reply<'_>, guild: &WorkspaceId) -> Handled {
        let heads = self.desk.store().list_releases(guild).await?;
        let rows: Vec<_> = heads.into_iter().map(|h| (h.no.to_string(), h.title, h.phase)).collect();
        reply.say(&system::list(&rows), None).await
    }
}

/// Tells the person what stood in the way of an answer.
async fn told(reply: &Reply<'_>, outcome: Handled) -> Handled {
    match outcome {
        Ok(()) => Ok(()),
        Err(stop) => reply.say(&reply.words(stop)?, None).await,
    }
}

fn server(guild: Option<serenity::model::id::GuildId>) -> Handled<WorkspaceId> {
    parse::guild(guild).ok_or_else(|| Stop::sorry("T-Minus works only in a server, not in direct messages."))
}
