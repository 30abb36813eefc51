//! `/tminus setup`, `check`, `audience` and `rule`: a server's settings from chat, and what Discord says of them.

use serenity::model::application::CommandDataOptionValue;

use super::doctor::{self, Verdict};
use super::handle::{Handler, may_examine};
use super::parse::Typed;
use super::reply::{Handled, Reply};
use crate::desk::{Answer, Ask};
use crate::domain::ids::{Audience, ChannelId, RoleId, WorkspaceId};
use crate::domain::people::Actor;
use crate::domain::plan::{ReleaseType, Risk, SignoffRole};
use crate::domain::policy::{Policy, Quiet, RouteChange, SIGNOFF_HOURS, SignoffRule, check_wording};
use crate::domain::recur::Rule;
use crate::domain::workspace::WorkspaceCommand;
use crate::plan_doc;
use crate::voice::{Message, system};

impl Handler {
    /// What is set, what is missing, and for those who manage the server or its releases the bot's rights channel by channel.
    pub(super) async fn check(&self, reply: &Reply<'_>, guild: &WorkspaceId, actor: &Actor) -> Handled {
        let policy = self.policy(guild).await?;
        let settings = || system::check(&policy, self.by_file.contains(guild));
        // Looking it up costs requests, and names channels that not everybody sees.
        if may_examine(actor, &policy).is_err() {
            return reply.say(&settings(), None).await;
        }
        if let Err(wait) = self.rate.look(guild) {
            return reply.say(&system::looked_just_now(settings(), wait), None).await;
        }
        // Discord is asked several times: that may take longer than an answer may.
        reply.wait().await?;
        reply.say(&self.checked(guild, &policy).await, None).await
    }

    async fn checked(&self, guild: &WorkspaceId, policy: &Policy) -> Message {
        let message = system::check(policy, self.by_file.contains(guild));
        let found = doctor::table(&self.rest, guild, policy).await;
        let lines: Vec<(bool, String)> =
            found.into_iter().map(|found| (found.verdict == Verdict::Good, found.text)).collect();
        system::with_rights(message, &lines)
    }

    pub(super) async fn setup(&self, reply: &Reply<'_>, guild: &WorkspaceId, actor: Actor, typed: &Typed) -> Handled {
        self.in_chat(guild, "settings")?;
        not_everyone(guild, typed)?;
        self.own(reply, guild, typed).await?;
        if !reply.waits() {
            reply.wait().await?;
        }
        // Settings that could not be read must not be replaced by empty ones.
        let before = self.policy(guild).await?;
        let mut policy = before.clone();
        set_policy(&mut policy, typed)?;
        let ask = Ask::Configure { server: guild.clone(), actor, policy: Box::new(policy.clone()) };
        match self.desk.ask_once(ask, "discord", reply.id()).await? {
            Answer::Refused { message } => reply.say(&message, None).await,
            Answer::Duplicate => Ok(()),
            _ => reply.say(&system::with_test_post(self.checked(guild, &policy).await, &before, &policy), None).await,
        }
    }

    pub(super) async fn audience(&self, reply: &Reply<'_>, guild: WorkspaceId, actor: Actor, typed: &Typed) -> Handled {
        let audience = plan_doc::audience(&typed.text("name").unwrap_or_default());
        let command = match typed.verb() {
            "set" => {
                self.in_chat(&guild, "audiences")?;
                not_everyone(&guild, typed)?;
                self.own(reply, &guild, typed).await?;
                WorkspaceCommand::SetAudience { audience, change: route_change(&self.policy(&guild).await?, typed)? }
            }
            "remove" => {
                self.in_chat(&guild, "audiences")?;
                WorkspaceCommand::RemoveAudience { audience }
            }
            _ => return reply.say(&system::audiences(&self.policy(&guild).await?), None).await,
        };
        self.ask(reply, Ask::Workspace { server: guild, actor, command, template: None }).await
    }

    pub(super) async fn rule(&self, reply: &Reply<'_>, guild: WorkspaceId, actor: Actor, typed: &Typed) -> Handled {
        let command = match typed.verb() {
            "add" => {
                self.in_chat(&guild, "rules")?;
                WorkspaceCommand::AddRule(rule(typed)?)
            }
            "remove" => {
                self.in_chat(&guild, "rules")?;
                WorkspaceCommand::RemoveRule { name: typed.text("name").unwrap_or_default() }
            }
            _ => return reply.say(&system::rules(&self.policy(&guild).await?), None).await,
        };
        self.ask(reply, Ask::Workspace { server: guild, actor, command, template: None }).await
    }
}

fn rule(typed: &Typed) -> Result<SignoffRule, String> {
    fn of<T: Copy + std::fmt::Display>(all: &[T], typed: Option<String>) -> Option<T> {
        let typed = typed?;
        all.iter().copied().find(|value| value.to_string().eq_ignore_ascii_case(&typed))
    }
    let role = typed.text("role").and_then(|slug| SignoffRole::from_slug(&slug));
    let people = match typed.value("people") {
        Some(CommandDataOptionValue::Integer(people)) => u8::try_from(*people).unwrap_or(0),
        _ => 1,
    };
    Ok(SignoffRule {
        name: typed.text("name").unwrap_or_default(),
        role: role.ok_or("That is not a sign-off role. Choose one from the list.")?,
        people,
        kind: of(ReleaseType::ALL, typed.text("type")),
        risk: of(Risk::ALL, typed.text("risk")),
        service: typed
            .text("service")
            .map(|text| text.trim().chars().take(60).collect::<String>())
            .filter(|s| !s.is_empty()),
    })
}

/// The role that everybody has stands in nobody's list of roles: who is given a part by it may do nothing.
fn not_everyone(guild: &WorkspaceId, typed: &Typed) -> Result<(), String> {
    let everyone =
        |value: &CommandDataOptionValue| matches!(value, CommandDataOptionValue::Role(id) if id.to_string() == guild.0);
    match typed.values().any(everyone) {
        true => Err("You can't use @everyone as a role here. Choose a role that you assign to members.".to_owned()),
        false => Ok(()),
    }
}

/// Quiet hours as they are typed, in the server's zone; `Some(None)` for none any more.
fn quiet(policy: &Policy, typed: &Typed) -> Result<Option<Option<Quiet>>, String> {
    let Some(text) = typed.text("quiet_hours") else { return Ok(None) };
    if text.trim().eq_ignore_ascii_case("off") {
        return Ok(Some(None));
    }
    let zone = policy
        .zone
        .as_deref()
        .ok_or("Quiet hours need the server's time zone. Set it first: /tminus setup, option “timezone”.")?;
    let quiet = Quiet::parse(&text, zone);
    Ok(Some(Some(
        quiet.ok_or_else(|| format!("“{text}” is not a time range. Write it like 22:00-07:00, or write off."))?,
    )))
}

fn route_change(policy: &Policy, typed: &Typed) -> Result<RouteChange, String> {
    Ok(RouteChange {
        channel: match typed.value("channel") {
            Some(CommandDataOptionValue::Channel(id)) => Some(ChannelId(id.to_string())),
            _ => None,
        },
        role: match typed.value("role") {
            Some(CommandDataOptionValue::Role(id)) => Some(RoleId(id.to_string())),
            _ => None,
        },
        quiet: quiet(policy, typed)?,
        must_confirm: match typed.value("must_confirm") {
            Some(CommandDataOptionValue::Boolean(on)) => Some(*on),
            _ => None,
        },
        wording: wording(typed)?,
    })
}

/// An audience's own line; `off` brings the usual one back.
fn wording(typed: &Typed) -> Result<Option<Option<String>>, String> {
    let Some(text) = typed.text("wording").map(|text| text.trim().to_owned()) else { return Ok(None) };
    if text.eq_ignore_ascii_case("off") {
        return Ok(Some(None));
    }
    check_wording(&text).map(|()| Some(Some(text)))
}

/// From setup, quiet hours hold for each of the usual audiences; `/tminus audience set` gives one its own.
fn set_quiet(policy: &mut Policy, typed: &Typed) -> Result<(), String> {
    let Some(quiet) = quiet(policy, typed)? else { return Ok(()) };
    for audience in [Audience::engineering(), Audience::support(), Audience::status_page()] {
        policy.audiences.entry(audience).or_default().quiet.clone_from(&quiet);
    }
    Ok(())
}

/// Takes a role or a channel away; nobody has the part then.
fn clear(policy: &mut Policy, what: &str) {
    let audience = match what {
        "engineering" => Some(Audience::engineering()),
        "support" | "support_channel" => Some(Audience::support()),
        "status_page" => Some(Audience::status_page()),
        _ => None,
    };
    match (what, audience.and_then(|audience| policy.audiences.get_mut(&audience))) {
        ("ops_channel", _) => policy.ops_channel = None,
        ("break_glass", _) => policy.break_glass.clear(),
        ("support_channel", Some(route)) => route.channel = None,
        // Go cannot wait for a receipt that nobody can give.
        (_, Some(route)) => (route.role, route.must_confirm) = (None, false),
        _ => {
            if let Some(role) = SignoffRole::from_slug(what) {
                policy.signers.remove(&role);
            }
        }
    }
}

fn set_policy(policy: &mut Policy, typed: &Typed) -> Result<(), String> {
    let role = |name: &str| match typed.value(name) {
        Some(CommandDataOptionValue::Role(id)) => Some(RoleId(id.to_string())),
        _ => None,
    };
    let channel = |name: &str| match typed.value(name) {
        Some(CommandDataOptionValue::Channel(id)) => Some(ChannelId(id.to_string())),
        _ => None,
    };
    if let Some(zone) = typed.text("timezone") {
        if jiff::tz::TimeZone::get(&zone).is_err() {
            return Err(format!("“{zone}” is not a time zone. Write it like Europe/Berlin."));
        }
        policy.zone = Some(zone);
    }
    if let Some(what) = typed.text("clear") {
        clear(policy, &what);
    }
    policy.release_channel = channel("release_channel").or_else(|| policy.release_channel.take());
    policy.ops_channel = channel("ops_channel").or_else(|| policy.ops_channel.take());
    if let Some(id) = role("release_manager") {
        policy.release_managers = vec![id];
    }
    if let Some(id) = role("break_glass") {
        policy.break_glass = vec![id];
    }
    for signer in SignoffRole::ALL {
        if let Some(id) = role(signer.slug()) {
            policy.signers.insert(*signer, vec![id]);
        }
    }
    for (name, audience) in [
        ("engineering", Audience::engineering()),
        ("support", Audience::support()),
        ("status_page", Audience::status_page()),
    ] {
        let route = policy.audiences.entry(audience).or_default();
        route.role = role(name).or_else(|| route.role.take());
        route.channel = channel(&format!("{name}_channel")).or_else(|| route.channel.take());
        match typed.text("must_confirm").as_deref() {
            Some("both") => route.must_confirm = name != "engineering",
            Some("nobody") => route.must_confirm = false,
            Some(one) => route.must_confirm = one == name,
            None => {}
        }
        if route.must_confirm && route.role.is_none() && typed.text("must_confirm").is_some() {
            return Err(format!(
                "Nobody can give the receipt that go would wait for. Set a role in the option “{name}” as well."
            ));
        }
    }
    let switch = |name: &str, flag: &mut bool| {
        if let Some(CommandDataOptionValue::Boolean(on)) = typed.value(name) {
            *flag = *on;
        }
    };
    switch("self_approval", &mut policy.self_approval);
    switch("administrator_bypass", &mut policy.administrator_bypass);
    switch("on_behalf", &mut policy.on_behalf);
    switch("waive_high", &mut policy.waive_high);
    if let Some(CommandDataOptionValue::Integer(hours)) = typed.value("signoff_hours") {
        let hours = u32::try_from(*hours).unwrap_or(u32::MAX);
        policy.signoff_hours = match hours {
            0 => None,
            hours if SIGNOFF_HOURS.contains(&hours) => Some(hours),
            _ => {
                return Err(
                    "The option “signoff_hours” takes 1 to 8760, or 0 for sign-offs that never expire.".to_owned()
                );
            }
        };
    }
    if let Some(text) = typed.text("notices") {
        policy.ladder = Some(plan_doc::ladder(&text)?);
    }
    if let Some(text) = typed.text("digest") {
        policy.no_digest = text.trim().eq_ignore_ascii_case("off");
        if !policy.no_digest {
            policy.digest = Some(Rule::parse(&text).map_err(|problem| problem.0)?);
        }
    }
    set_quiet(policy, typed)
}
