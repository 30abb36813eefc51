//! The rig: a bot and its sandbox with a clock that stands still, and what people see as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chat_sandbox::{Limits, Message, Sandbox, Seen, SimClock};
use serde_json::Value;
use tempfile::TempDir;
use tminus::sandboxed::{Asking, BEGIN_MS, Machine, Options, PLAN, Sandboxed, UNCOUNTED};

pub struct Rig {
    pub pair: Sandboxed,
    folder: TempDir,
    pages: String,
    /// The clocks of the machine the bot runs on.
    pub machine: Machine,
    /// The body last seen of each message, so that news and edits show once.
    seen: BTreeMap<u64, Value>,
}

pub const CHANNELS: [&str; 4] = ["releases", "engineering", "support", "tminus-ops"];

impl Rig {
    pub async fn new() -> Self {
        Self::with(true).await
    }

    /// With or without a server set up by the configuration.
    pub async fn with(configured: bool) -> Self {
        Self::with_pages(configured, "").await
    }

    /// With status pages, as the configuration file has them.
    pub async fn with_pages(configured: bool, pages: &str) -> Self {
        Self::asking(configured, pages, UNCOUNTED).await
    }

    /// People may ask only so much.
    pub async fn asking(configured: bool, pages: &str, asking: Asking) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pages = pages.replace("GUILD", &tminus::sandboxed::world().guild.to_string());
        let (clock, machine) = (SimClock::frozen(BEGIN_MS), Machine::default());
        let options = Options {
            port: 0,
            clock,
            limits: Limits::WIDE,
            configured,
            pages: pages.clone(),
            machine: machine.clone(),
            asking,
        };
        let pair = Sandboxed::start(options, &folder.path().join("test.db")).await.unwrap();
        Self { pair, folder, pages, machine, seen: BTreeMap::new() }
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.pair.sandbox
    }

    /// The id of somebody, as an option for a member takes it.
    pub fn id(&self, who: &str) -> String {
        let world = tminus::sandboxed::world();
        world.people.iter().find(|person| person.username == who).unwrap().id.to_string()
    }

    /// The id of a channel, as an option for one takes it.
    pub fn id_of_channel(&self, name: &str) -> String {
        tminus::sandboxed::world().channels.iter().find(|c| c.name == name).unwrap().id.to_string()
    }

    /// Types a command in #releases and returns what its author sees.
    pub async fn slash(&self, who: &str, path: &str, options: &[(&str, &str)]) -> String {
        let seen = self.sandbox().slash(who, "releases", path, options, None).await.unwrap();
        self.quiet().await;
        shown(&seen)
    }

    pub async fn import(&self, who: &str, name: &str, plan: &[u8]) -> String {
        let new = [("release", "new")];
        let seen = self.sandbox().slash(who, "releases", "release import", &new, Some((name, plan))).await.unwrap();
        self.quiet().await;
        shown(&seen)
    }

    pub async fn press(&self, who: &str, channel: &str, label: &str, fill: &[(&str, &str)]) -> String {
        let mut seen = self.sandbox().press(who, channel, label).await.unwrap();
        if let Seen::Modal { data, .. } = &seen {
            seen = self.sandbox().fill(who, channel, data, fill).await.unwrap();
        }
        self.quiet().await;
        shown(&seen)
    }

    /// Chooses a section in the newest menu and returns the form's text.
    pub async fn open(&self, who: &str, label: &str) -> (Value, String) {
        let Seen::Modal { data, .. } = self.sandbox().choose(who, "releases", label).await.unwrap() else {
            panic!("no form")
        };
        let text = data["components"][0]["components"][0]["value"].as_str().unwrap_or_default().to_owned();
        (data, text)
    }

    /// Sends a form back and returns what its author sees, with the file beside it.
    pub async fn send(&self, who: &str, form: &Value, fill: &[(&str, &str)]) -> (String, Option<(String, String)>) {
        let seen = self.sandbox().fill(who, "releases", form, fill).await.unwrap();
        self.quiet().await;
        let file = match &seen {
            Seen::Message(message) => message.file().map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap())),
            _ => None,
        };
        (shown(&seen), file)
    }

    pub async fn quiet(&self) {
        self.pair.app.quiet().await.unwrap();
    }

    pub async fn advance(&self, to_ms: i64) {
        self.sandbox().advance_to(to_ms).await.unwrap();
    }

    /// A submitted release with all sign-offs and gates, ready for go.
    pub async fn approved() -> Self {
        Self::new().await.approve().await
    }

    /// A server set up in chat, with these settings beside the usual ones.
    pub async fn strict(more: &[(&str, &str)]) -> Self {
        let rig = Self::with(false).await;
        rig.configure_with(more).await;
        rig
    }

    /// Imports a plan and submits it.
    pub async fn submit(&self, plan: &str) {
        self.import("ana", "plan.md", plan.as_bytes()).await;
        let answer = self.slash("ana", "release submit", &[]).await;
        assert!(answer.starts_with("✅ Done"), "{answer}");
    }

    /// Imports the plan and has it signed.
    pub async fn approve(self) -> Self {
        let rig = self;
        rig.import("ana", "checkout-4.2.md", PLAN.as_bytes()).await;
        rig.press("ana", "releases", "Submit for sign-off", &[]).await;
        rig.sign_all().await;
        rig.slash("ana", "release item done", &[("text", "dependencies-deployed-and-stable")]).await;
        rig
    }

    /// Sets a server up in chat, as the sandbox's file would.
    pub async fn configure(&self) {
        self.configure_with(&[]).await;
    }

    /// The same with options of one's own; a role by its name after an @.
    pub async fn configure_with(&self, more: &[(&str, &str)]) {
        let world = tminus::sandboxed::world();
        let role = |name: &str| world.roles.iter().find(|r| r.name == name).unwrap().id.to_string();
        let channel = |name: &str| world.channels.iter().find(|c| c.name == name).unwrap().id.to_string();
        let options = [
            ("release_channel", channel("releases")),
            ("ops_channel", channel("tminus-ops")),
            ("timezone", "Europe/Berlin".to_owned()),
            ("release_manager", role("Release Managers")),
            ("engineering_lead", role("Engineering Leads")),
            ("product_owner", role("Product")),
            ("sre_ops", role("SRE")),
            ("security", role("Security")),
            ("engineering", role("Engineering")),
            ("support", role("Support")),
            ("support_channel", channel("support")),
            ("status_page", role("Status Page")),
        ];
        let named = |value: &str| value.strip_prefix('@').map_or_else(|| value.to_owned(), role);
        let more: Vec<(&str, String)> = more.iter().map(|(name, value)| (*name, named(value))).collect();
        let options: Vec<(&str, &str)> =
            options.iter().chain(&more).map(|(name, value)| (*name, value.as_str())).collect();
        let done = self.slash("ana", "tminus setup", &options).await;
        assert!(done.starts_with("✅ Setup complete"), "{done}");
    }

    pub async fn sign_all(&self) {
        for (who, role) in [("chloe", "engineering_lead"), ("dev", "product_owner"), ("eva", "sre_ops")] {
            let answer = self.slash(who, "release signoff give", &[("role", role)]).await;
            assert!(answer.starts_with("✅ Done"), "{answer}");
        }
    }

    /// What was said or changed since the last look, channel by channel.
    pub fn news(&mut self) -> String {
        let mut out = String::new();
        for channel in CHANNELS {
            for message in self.pair.sandbox.messages(channel) {
                let before = self.seen.insert(message.id, message.body.clone());
                if before.as_ref() == Some(&message.body) {
                    continue;
                }
                let word = if before.is_some() { "edited" } else { "says" };
                let _: Result<(), std::fmt::Error> = writeln!(out, "#{channel} {word}:\n{}", indent(&text(&message)));
            }
        }
        out
    }

    pub fn count(&self, channel: &str, needle: &str) -> usize {
        self.sandbox().messages(channel).iter().filter(|m| text(m).contains(needle)).count()
    }

    /// How many messages the bot posted to a channel, and how many of them pinged somebody when they came.
    pub fn said(&self, channel: &str) -> (usize, usize) {
        let posts = self.sandbox().messages(channel);
        (posts.len(), posts.iter().filter(|post| post.pinged).count())
    }

    pub fn newest(&self, channel: &str) -> String {
        self.sandbox().messages(channel).last().map(text).unwrap_or_default()
    }

    /// The newest message with these words.
    pub fn newest_about(&self, channel: &str, needle: &str) -> String {
        self.sandbox().messages(channel).iter().rev().map(text).find(|m| m.contains(needle)).unwrap_or_default()
    }

    /// Ends the bot and starts it again on the same file.
    pub async fn restart(self) -> Self {
        self.restart_after(|| ()).await
    }

    /// The same, with something that happens while it is away.
    pub async fn restart_after(self, meanwhile: impl FnOnce()) -> Self {
        let Self { pair, folder, pages, machine, seen } = self;
        let sandbox = pair.sandbox.clone();
        pair.stop_bot().await.unwrap();
        meanwhile();
        let file = folder.path().join("test.db");
        let pair = Sandboxed::connect(sandbox, &file, true, &pages, machine.clone()).await.unwrap();
        Self { pair, folder, pages, machine, seen }
    }

    /// Every test ends in silence.
    pub async fn finish(self) {
        self.quiet().await;
        assert_eq!(self.sandbox().violations(), Vec::<String>::new());
        self.pair.check_journal().await.unwrap();
        self.pair.stop_bot().await.unwrap();
    }
}

/// What a person sees of an answer.
pub fn shown(seen: &Seen) -> String {
    match seen {
        Seen::Message(message) => text(message),
        Seen::Modal { data, .. } => format!("form: {}", data["title"].as_str().unwrap_or_default()),
        Seen::Choices(choices) => choices.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>().join("\n"),
        Seen::Acknowledged => "(acknowledged)".to_owned(),
        Seen::Nothing => "(no answer)".to_owned(),
    }
}

/// A message as text: who is called, embeds, buttons. Markers differ from run to run and are left out.
pub fn text(message: &Message) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    let body = &message.body;
    if let Some(content) = body["content"].as_str().filter(|c| !c.is_empty()) {
        line(format!("calls {}", readable(content)));
    }
    for embed in body["embeds"].as_array().into_iter().flatten() {
        line(embed["title"].as_str().unwrap_or_default().to_owned());
        if let Some(words) = embed["description"].as_str() {
            line(readable(words));
        }
        for field in embed["fields"].as_array().into_iter().flatten() {
            let mut value = readable(field["value"].as_str().unwrap_or_default()).replace('\n', "\n    ");
            if let Some((before, rest)) = value.split_once("Journal head ") {
                // It differs from run to run.
                let after = rest.split_once('.').map_or("", |(_, after)| after);
                value = format!("{before}Journal head ⟨head⟩.{after}");
            }
            line(format!("  {}: {value}", field["name"].as_str().unwrap_or_default()));
        }
        if let Some(footer) = embed["footer"]["text"].as_str() {
            let kept: Vec<&str> = footer.split(" · ").filter(|p| !(p.len() == 9 && p.starts_with('n'))).collect();
            line(format!("  — {}", kept.join(" · ")));
        }
    }
    let labels: Vec<String> = body["components"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|row| row["components"].as_array().cloned().unwrap_or_default())
        .map(|b| format!("[{}]", b["label"].as_str().or(b["placeholder"].as_str()).unwrap_or_default()))
        .collect();
    if !labels.is_empty() {
        line(format!("  {}", labels.join(" ")));
    }
    if let Some((name, _)) = &message.file() {
        line(format!("  file {name}"));
    }
    out.trim_end().to_owned()
}

/// Mentions by name, timestamps as UTC, escapes undone.
fn readable(text: &str) -> String {
    let world = tminus::sandboxed::world();
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['<', '\\']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(escaped) = rest.strip_prefix('\\') {
            let c = escaped.chars().next().unwrap_or_default();
            out.push(c);
            rest = &escaped[c.len_utf8()..];
            continue;
        }
        let end = rest.find('>').unwrap_or(rest.len() - 1);
        let token = &rest[1..end];
        rest = &rest[end + 1..];
        let id = |prefix: &str| token.strip_prefix(prefix).and_then(|id| id.parse::<u64>().ok());
        if let Some(role) = id("@&") {
            out.push_str(
                &world.roles.iter().find(|r| r.id == role).map_or("@&?".to_owned(), |r| format!("@{}", r.name)),
            );
        } else if let Some(user) = id("@") {
            out.push_str(
                &world.people.iter().find(|p| p.id == user).map_or("@?".to_owned(), |p| format!("@{}", p.username)),
            );
        } else if let Some(channel) = id("#") {
            out.push_str(
                &world.channels.iter().find(|c| c.id == channel).map_or("#?".to_owned(), |c| format!("#{}", c.name)),
            );
        } else if let Some((seconds, style)) = token.strip_prefix("t:").and_then(|t| t.split_once(':')) {
            let at = jiff::Timestamp::from_second(seconds.parse().unwrap()).unwrap();
            let shown = at.strftime(if style == "t" { "%H:%M" } else { "%a %H:%M" }).to_string();
            out.push_str(&if style == "R" { format!("⟨{shown}⟩") } else { shown });
        } else {
            out.push_str(&format!("<{token}>"));
        }
    }
    out.push_str(rest);
    out.replace('\u{200B}', "")
}

pub fn indent(text: &str) -> String {
    text.lines().map(|l| format!("  {l}")).collect::<Vec<_>>().join("\n")
}

/// Edits of messages that showed what the message showed already, and edits in all.
pub fn unchanged_edits(sandbox: &Sandbox) -> (usize, usize) {
    let shows = |body: &Value| ["content", "embeds", "components"].map(|part| body[part].clone());
    let (mut shown, mut unchanged, mut all) = (BTreeMap::new(), 0, 0);
    // Of requests long ago the bodies are not kept.
    for request in sandbox.requests().iter().filter(|request| request.status < 300 && !request.request.is_null()) {
        match request.route.as_str() {
            "POST /channels/{}/messages" => {
                let id = request.answer["id"].as_str().unwrap_or_default().to_owned();
                shown.insert(id, shows(&request.request));
            }
            "PATCH /channels/{}/messages/{}" => {
                let id = request.path.rsplit('/').next().unwrap_or_default().to_owned();
                let now = shows(&request.request);
                all += 1;
                unchanged += usize::from(shown.insert(id, now.clone()).is_some_and(|before| before == now));
            }
            _ => {}
        }
    }
    (unchanged, all)
}
