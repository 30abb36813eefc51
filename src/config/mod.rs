//! The configuration: compiled-in defaults < file < environment. Every mistake is named with its file and line or its variable,
//! its key and what is expected. It must not open anything but the files it names.

mod page;
mod problem;
mod reader;
mod secret;
mod syntax;
#[cfg(test)]
mod tests;
mod value;
mod workspace;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use problem::{Problem, Setting};
use reader::{Given, Reader, Secret, Section};
use secrecy::{ExposeSecret, SecretString};
use value::Id;

use crate::chat::discord::gateway::is_loopback;
use crate::chat::rate::Limits;
use crate::domain::ids::WorkspaceId;
use crate::domain::policy::Policy;
use crate::outside::{PageKind, StatusPage};
use crate::telemetry::{self, LogFormat};
use crate::{sending, signature};

/// The defaults, with every key explained.
const DEFAULTS: &str = include_str!("../../config/default.toml");

/// The shortest secret of a source accepted, in bytes.
const MIN_SECRET: usize = 24;

/// Why a configuration cannot be used: sentences for an operator.
#[derive(Debug, thiserror::Error)]
pub enum BadConfig {
    #[error("{0}: cannot read the file ({1}); expected the path of a readable file")]
    Unreadable(String, std::io::Error),
    #[error("{}", lines(.0))]
    Wrong(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// What an alert source speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    Alertmanager,
    Generic,
}

/// The configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub token: SecretString,
    /// The file the token was read from, if it was.
    pub token_file: Option<PathBuf>,
    pub api_url: String,
    pub database: PathBuf,
    pub listen: SocketAddr,
    pub sources: Vec<Source>,
    pub pages: Vec<StatusPage>,
    pub limits: Limits,
    pub log_format: LogFormat,
    pub log_filter: String,
    pub workspaces: Vec<(WorkspaceId, Policy)>,
}

impl Config {
    /// Every secret, so that none gets out. A URL may hold one, in what follows its host.
    pub fn secrets(&self) -> Vec<SecretString> {
        let sources = self.sources.iter().map(|source| source.secret.clone());
        let pages = self.pages.iter().flat_map(|page| match &page.kind {
            PageKind::Statuspage { api_key, api_url, .. } => vec![after_host(api_url), api_key.clone()],
            PageKind::Webhook { url, secret } => vec![after_host(url), secret.clone()],
            PageKind::Git { .. } => Vec::new(),
        });
        sources.chain(pages).chain([self.token.clone(), after_host(&self.api_url)]).collect()
    }
}

/// What follows the host of a URL, where that is no plain word.
fn after_host(url: &str) -> SecretString {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let path = rest.find(['/', '?', '#']).map_or("", |at| &rest[at + 1..]);
    let plain = path.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'/');
    SecretString::from(if plain { "" } else { path })
}

/// A source of alerts.
#[derive(Debug, Clone)]
pub struct Source {
    pub name: String,
    pub kind: SourceKind,
    pub server: WorkspaceId,
    pub secret: SecretString,
}

/// Everything a configuration says. Where there are problems, what they are about is left out of `config`.
#[derive(Debug)]
pub struct Reading {
    pub config: Config,
    pub problems: Vec<Problem>,
    /// What `tminus run` still needs and a file need not hold: the token.
    pub notes: Vec<Problem>,
    pub settings: Vec<Setting>,
}

/// The variables of the environment.
///
/// # Errors
/// One of T-Minus's own is not text; its value is not shown.
pub fn environment() -> Result<BTreeMap<String, String>, BadConfig> {
    let mut variables = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) => drop(variables.insert(name, value)),
            Err(_) if name.starts_with("TMINUS_") => problems.push(Problem::variable(name, "not UTF-8", "text")),
            Err(_) => {}
        }
    }
    if problems.is_empty() { Ok(variables) } else { Err(BadConfig::Wrong(problems)) }
}

/// Reads the configuration for the service.
///
/// # Errors
/// Every mistake in it; a missing token is one.
pub fn load(path: &Path, environment: &BTreeMap<String, String>) -> Result<Config, BadConfig> {
    let Reading { config, mut problems, notes, .. } = read(path, environment)?;
    problems.extend(notes);
    if problems.is_empty() { Ok(config) } else { Err(BadConfig::Wrong(problems)) }
}

/// Reads the configuration for somebody who checks it.
///
/// # Errors
/// The file cannot be read, or is not TOML.
pub fn read(path: &Path, environment: &BTreeMap<String, String>) -> Result<Reading, BadConfig> {
    let shown = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => understand(&shown, &text, environment),
        Err(error) => Err(BadConfig::Unreadable(shown, error)),
    }
}

const TOKEN: &str = "the bot's token, from Bot > Reset Token in Discord's developer portal";
const TOKEN_PLACES: &str = "TMINUS_DISCORD__TOKEN in the environment, discord.token_file or discord.token";
const HTTPS: &str = "a URL with https, or with http on a loopback address";
const API_URL: &str = "a URL with https, or with http on a loopback address, without the path /api";
const SOURCE_SECRET: &str = "24 bytes or more, such as the output of `openssl rand -base64 32`";
const SIGNING_SECRET: &str = "`whsec_` and a key in base64, such as the output of `openssl rand -base64 32`";
const NAME: &str = "1 to 40 letters, digits, - and _";

fn understand(shown: &str, text: &str, environment: &BTreeMap<String, String>) -> Result<Reading, BadConfig> {
    let defaults = syntax::parse("config/default.toml", DEFAULTS).map_err(BadConfig::Wrong)?;
    let table = syntax::parse(shown, text).map_err(BadConfig::Wrong)?;
    let reader = Reader::new(shown, text, environment);
    let root = Section::root(&reader, table.get_ref(), Some(defaults.get_ref()));

    // First of all: a listen address that other machines reach makes secrets stricter.
    let intake = root.section("intake");
    let address = "an IP address and a port such as 127.0.0.1:8731";
    let listen = or(intake.get("listen", address, |raw| raw.text()?.parse::<SocketAddr>().ok()), default_listen());
    reader.set_open(!listen.ip().is_loopback());
    let sources = sources(&intake);
    intake.done();

    let discord = root.section("discord");
    let mut notes = Vec::new();
    let (token, token_file) = match discord.secret("token", "token_file", TOKEN) {
        Secret::Given(token, file) => {
            if !is_token(&token.value) {
                discord.wrong(&token, "not a token", TOKEN);
            }
            (token.value, file)
        }
        Secret::Wrong => (SecretString::from(String::new()), None),
        Secret::Missing => {
            notes.push(discord.missing("token", TOKEN_PLACES));
            (SecretString::from(String::new()), None)
        }
    };
    let api_url = or(url(&discord, "api_url", API_URL, is_api_url), String::new());
    discord.done();

    let database = root.section("database");
    let file = or(database_file(&database, &mut notes), String::new());
    database.done();

    let section = root.section("limits");
    let limit = |key| or(section.get(key, "a whole number above 0", |raw| raw.whole()), NonZeroU32::MIN);
    let limits =
        Limits { person_per_minute: limit("person_per_minute"), server_per_minute: limit("server_per_minute") };
    section.done();

    let log = root.section("log");
    let formats = [("human", LogFormat::Human), ("json", LogFormat::Json)];
    let log_format = or(log.one_of("format", &formats), LogFormat::Human);
    let levels = "levels such as info or info,tminus=debug: off, error, warn, info, debug, trace";
    let filter = log.get("filter", levels, |raw| raw.text().filter(|text| is_filter(text)).map(str::to_owned));
    let log_filter = or(filter, "info".to_owned());
    log.done();

    let pages = page::pages(&root);
    let workspaces = workspace::workspaces(&root);
    root.done();
    let (problems, settings) = reader.end();
    let config = Config {
        token,
        token_file,
        api_url,
        database: file.into(),
        listen,
        sources,
        pages,
        limits,
        log_format,
        log_filter,
        workspaces,
    };
    Ok(Reading { config, problems, notes, settings })
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8731))
}

/// A value, or another where there is none or a wrong one.
fn or<T>(given: Option<Given<T>>, other: T) -> T {
    given.map_or(other, |given| given.value)
}

fn sources(intake: &Section<'_>) -> Vec<Source> {
    let mut names = Vec::new();
    intake.list("sources").into_iter().filter_map(|section| source(section, &mut names)).collect()
}

fn source(section: Section<'_>, names: &mut Vec<String>) -> Option<Source> {
    let name = section.name(names, NAME, is_name);
    let kinds = [("alertmanager", SourceKind::Alertmanager), ("generic", SourceKind::Generic)];
    let kind = section.must_one_of("kind", &kinds);
    let server = section.must_id("guild_id", Id::Server);
    let secret = section.must_secret("secret", "secret_file", SOURCE_SECRET);
    if let Some(secret) = &secret {
        let signs = kind.as_ref().is_some_and(|kind| kind.value == SourceKind::Generic);
        if secret.value.expose_secret().len() < MIN_SECRET {
            section.wrong(secret, format!("found fewer than {MIN_SECRET} bytes"), SOURCE_SECRET);
        } else if signs && !is_key(&secret.value) {
            section.wrong(secret, "not a signing key", SIGNING_SECRET);
        }
    }
    section.done();
    Some(Source { name: name?.value, kind: kind?.value, server: WorkspaceId(server?.value), secret: secret?.value })
}

const DATABASE: &str = "the path of the database file, in a folder that exists";

/// The database's file; it need not be there yet.
fn database_file(section: &Section<'_>, notes: &mut Vec<Problem>) -> Option<Given<String>> {
    let given = section.text("path", DATABASE)?;
    let path = Path::new(&given.value);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let found = if given.value.contains('\0') || given.value.starts_with(':') {
        "that is no file's path"
    } else if path.is_dir() || given.value.ends_with('/') {
        "that is a folder"
    } else if path.exists() && !path.is_file() {
        "that is a device or a socket"
    } else {
        // The file may be checked on a machine where it is not run.
        if !folder.is_dir() {
            notes.push(section.note(&given, "its folder does not exist", DATABASE));
        }
        return Some(given);
    };
    section.wrong(&given, found, DATABASE);
    None
}

/// The API's base: the paths and the version are T-Minus's own.
fn is_api_url(text: &str) -> bool {
    let path = text.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    is_base(text) && path.split('/').all(|part| part != "api")
}

/// Whether a token could be one of Discord's: the header names its kind by itself.
fn is_token(token: &SecretString) -> bool {
    let token = token.expose_secret();
    !token.starts_with("Bot") && !token.contains(['"', '\'', '=', '#'])
}

/// Whether a secret signs by Standard Webhooks, with a key of [`MIN_SECRET`] bytes or more.
fn is_key(secret: &SecretString) -> bool {
    signature::key_length(secret.expose_secret()) >= MIN_SECRET
}

/// A name that URLs, keys and logs carry.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Levels, alone or as `target=level`.
fn is_filter(filter: &str) -> bool {
    let level = |text: &str| ["off", "error", "warn", "info", "debug", "trace"].contains(&text.trim());
    let plain = filter.split(',').all(|part| match part.split_once('=') {
        Some((target, text)) => !target.trim().is_empty() && level(text),
        None => level(part),
    });
    plain && telemetry::is_filter(filter)
}

/// A URL that secrets may be sent to. Neither it nor what stands in its place is shown: it may hold one.
fn url(section: &Section<'_>, key: &'static str, expected: &str, good: fn(&str) -> bool) -> Option<Given<String>> {
    section.private(key, expected, |raw| raw.text().map(str::trim).filter(|text| good(text)).map(str::to_owned))
}

/// Whether paths of an API can follow: a host, perhaps a port and a path, nothing else.
fn is_base(text: &str) -> bool {
    is_url(text) && !text.contains(['?', '#'])
}

/// Whether it names a host that is reached by https, or by http on this machine, without a name and password.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let named = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[') && !host.contains('@');
    let safe = scheme.eq_ignore_ascii_case("https") || (scheme.eq_ignore_ascii_case("http") && is_loopback(text));
    named && safe && text.bytes().all(|byte| byte.is_ascii_graphic()) && sending::is_url(text)
}

/// The status pages of a fragment of configuration.
///
/// # Errors
/// Every mistake in it.
pub fn pages(text: &str) -> Result<Vec<StatusPage>, BadConfig> {
    let environment = BTreeMap::new();
    let table = syntax::parse("status_pages", text).map_err(BadConfig::Wrong)?;
    let reader = Reader::new("status_pages", text, &environment);
    let root = Section::root(&reader, table.get_ref(), None);
    let pages = page::pages(&root);
    root.done();
    let (problems, _) = reader.end();
    if problems.is_empty() { Ok(pages) } else { Err(BadConfig::Wrong(problems)) }
}
