//! The configuration: compiled-in defaults < file < environment. A missing, wrong or misspelt setting is named with its
//! key, file and line. It must not open anything but the files it names.

mod workspace;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use crate::chat::discord::gateway::is_loopback;
use crate::chat::rate::Limits;
use crate::domain::ids::GuildId;
use crate::domain::policy::Policy;
use crate::outside::{PageKind, StatusPage};
use workspace::WorkspaceSection;

/// The defaults, with every key explained.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// The shortest secret accepted, in bytes.
pub const MIN_SECRET: usize = 24;

/// What is wrong with the configuration: sentences for an operator.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct BadConfig(pub Vec<String>);

/// The configuration as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    discord: DiscordSection,
    database: DatabaseSection,
    intake: IntakeSection,
    limits: Limits,
    log: LogSection,
    status_pages: Vec<PageSection>,
    #[serde(default)]
    workspace: Vec<WorkspaceSection>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct DiscordSection {
    token: SecretString,
    token_file: String,
    api_url: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct DatabaseSection {
    path: PathBuf,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct IntakeSection {
    listen: String,
    sources: Vec<SourceSection>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceSection {
    name: String,
    kind: SourceKind,
    guild_id: String,
    secret: Option<SecretString>,
    secret_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageSection {
    name: String,
    kind: String,
    guild_id: String,
    api_url: Option<String>,
    page_id: Option<String>,
    api_key: Option<SecretString>,
    api_key_file: Option<PathBuf>,
    #[serde(default)]
    component_ids: Vec<String>,
    path: Option<PathBuf>,
    folder: Option<String>,
    #[serde(default)]
    push: bool,
    url: Option<String>,
    secret: Option<SecretString>,
    secret_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogSection {
    format: LogFormat,
    filter: String,
}

/// What a source of alerts speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    Alertmanager,
    Generic,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Human,
    Json,
}

/// The configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub token: SecretString,
    pub api_url: String,
    pub database: PathBuf,
    pub listen: SocketAddr,
    pub sources: Vec<Source>,
    pub pages: Vec<StatusPage>,
    pub limits: Limits,
    pub log_format: LogFormat,
    pub log_filter: String,
    pub workspaces: Vec<(GuildId, Policy)>,
}

/// A source of alerts.
#[derive(Debug, Clone)]
pub struct Source {
    pub name: String,
    pub kind: SourceKind,
    pub guild: GuildId,
    pub secret: SecretString,
}

/// Reads and checks the configuration.
///
/// # Errors
/// Everything that is wrong, each with key, file and line where there is one.
pub fn load(path: &Path, environment: &BTreeMap<String, String>) -> Result<Config, BadConfig> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| BadConfig(vec![format!("{shown}: cannot be read: {e}")]))?;
    let mut table: toml::Table = parse(DEFAULTS, "config/default.toml")?;
    let given: toml::Table = parse(&text, &shown)?;
    merge(&mut table, given);
    for (name, value) in environment.iter().filter(|(n, _)| n.starts_with("TMINUS_") && n.contains("__")) {
        overlay(&mut table, name, value)?;
    }
    let file: File = table.clone().try_into().map_err(|error| locate(&error, &text, &shown))?;
    check(file, &shown, &text)
}

fn parse(text: &str, shown: &str) -> Result<toml::Table, BadConfig> {
    text.parse::<toml::Table>().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        BadConfig(vec![format!("{shown}:{line}: {}", error.message().trim())])
    })
}

/// Values of the file replace those of the defaults, table by table.
fn merge(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => merge(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// `TMINUS_DISCORD__API_URL=…` sets `discord.api_url`.
fn overlay(table: &mut toml::Table, name: &str, value: &str) -> Result<(), BadConfig> {
    let path = name.trim_start_matches("TMINUS_").to_lowercase();
    let bad = || BadConfig(vec![format!("{name}: there is no setting `{}`", path.replace("__", "."))]);
    let (section, key) = path.split_once("__").ok_or_else(bad)?;
    let section = table.get_mut(section).and_then(toml::Value::as_table_mut).ok_or_else(bad)?;
    let value = match section.get(key).ok_or_else(bad)? {
        toml::Value::Integer(_) => {
            let number = value.trim().parse();
            toml::Value::Integer(
                number.map_err(|_not_a_number| BadConfig(vec![format!("{name}: “{value}” is not a whole number")]))?,
            )
        }
        _ => toml::Value::String(value.to_owned()),
    };
    section.insert(key.to_owned(), value);
    Ok(())
}

/// Finds the line of a key serde complains about: the message names it between backticks.
fn locate(error: &toml::de::Error, text: &str, shown: &str) -> BadConfig {
    let message = error.message().trim().to_owned();
    let key = message.split('`').nth(1).unwrap_or_default();
    let line = text.lines().position(|l| {
        let l = l.trim_start().trim_start_matches('[');
        !key.is_empty() && l.starts_with(key)
    });
    let place = line.map_or(shown.to_owned(), |n| format!("{shown}:{}", n + 1));
    BadConfig(vec![format!("{place}: {message}")])
}

fn line_of(text: &str, key: &str) -> String {
    text.lines().position(|l| l.trim_start().starts_with(key)).map_or(String::new(), |n| format!(":{}", n + 1))
}

fn secret(given: Option<&SecretString>, file: Option<&Path>) -> Result<SecretString, String> {
    use secrecy::ExposeSecret;
    let given = given.filter(|s| !s.expose_secret().is_empty());
    match (given, file.filter(|p| !p.as_os_str().is_empty())) {
        (Some(_), Some(_)) => Err("is given twice, as a value and as a file".to_owned()),
        (Some(secret), None) => Ok(secret.clone()),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
            Ok(SecretString::from(text.trim().to_owned()))
        }
        (None, None) => Err("is missing".to_owned()),
    }
}

fn check(file: File, shown: &str, text: &str) -> Result<Config, BadConfig> {
    use secrecy::ExposeSecret;
    let mut bad = Vec::new();
    let token = match secret(Some(&file.discord.token), Some(Path::new(&file.discord.token_file))) {
        Ok(token) => token,
        Err(why) => {
            bad.push(format!(
                "{shown}{}: discord.token {why} (set discord.token, discord.token_file or TMINUS_DISCORD__TOKEN)",
                line_of(text, "token")
            ));
            SecretString::from(String::new())
        }
    };
    let api = file.discord.api_url.clone();
    if !(api.starts_with("https://") || (api.starts_with("http://") && is_loopback(&api))) {
        bad.push(format!(
            "{shown}{}: discord.api_url must be https, or http on loopback; it is `{api}`",
            line_of(text, "api_url")
        ));
    }
    let listen = file.intake.listen.parse().unwrap_or_else(|_not_an_address| {
        bad.push(format!(
            "{shown}{}: intake.listen must be an address and port such as 127.0.0.1:8731; it is `{}`",
            line_of(text, "listen"),
            file.intake.listen
        ));
        SocketAddr::from(([127, 0, 0, 1], 0))
    });
    let mut sources: Vec<Source> = Vec::new();
    for source in file.intake.sources {
        let at = format!("{shown}{}: intake.sources `{}`", line_of(text, "[[intake.sources]]"), source.name);
        if !is_name(&source.name) || sources.iter().any(|s| s.name == source.name) {
            bad.push(format!("{at}: name must be unique, of letters, digits, - and _"));
        }
        match secret(source.secret.as_ref(), source.secret_file.as_deref()) {
            Err(why) => bad.push(format!("{at}: secret {why}")),
            Ok(secret) if secret.expose_secret().len() < MIN_SECRET => {
                bad.push(format!("{at}: secret must have {MIN_SECRET} bytes or more"))
            }
            Ok(secret) => {
                sources.push(Source { name: source.name, kind: source.kind, guild: GuildId(source.guild_id), secret })
            }
        }
    }
    let mut pages: Vec<StatusPage> = Vec::new();
    for section in file.status_pages {
        let at = format!("{shown}{}: status_pages `{}`", line_of(text, "[[status_pages]]"), section.name);
        if !is_name(&section.name) || pages.iter().any(|page| page.name == section.name) {
            bad.push(format!("{at}: name must be unique, of letters, digits, - and _"));
        }
        match page(section) {
            Ok(page) => pages.push(page),
            Err(why) => bad.push(format!("{at}: {why}")),
        }
    }
    let mut workspaces = Vec::new();
    for workspace in file.workspace {
        let (guild, policy) = workspace::policy(workspace, shown, text, &mut bad);
        if workspaces.iter().any(|(known, _)| *known == guild) {
            bad.push(format!("{shown}: workspace {guild} stands there twice; a server has one section"));
        }
        workspaces.push((guild, policy));
    }
    if !bad.is_empty() {
        return Err(BadConfig(bad));
    }
    Ok(Config {
        token,
        api_url: api,
        database: file.database.path,
        listen,
        sources,
        pages,
        log_format: file.log.format,
        limits: file.limits,
        log_filter: file.log.filter,
        workspaces,
    })
}

/// What stands in URLs, keys and logs.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// An address that secrets may be sent to.
fn safe_url(url: &str) -> Result<(), String> {
    let good = url.starts_with("https://") || (url.starts_with("http://") && is_loopback(url));
    if good { Ok(()) } else { Err(format!("must be reached by https, or http on loopback; it is `{url}`")) }
}

/// The status pages of a fragment of configuration.
///
/// # Errors
/// What is wrong with it.
pub fn pages(text: &str) -> Result<Vec<StatusPage>, BadConfig> {
    #[derive(Deserialize)]
    struct Fragment {
        #[serde(default)]
        status_pages: Vec<PageSection>,
    }
    let fragment: Fragment =
        toml::from_str(text).map_err(|error| BadConfig(vec![error.message().trim().to_owned()]))?;
    fragment.status_pages.into_iter().map(page).collect::<Result<_, _>>().map_err(|why| BadConfig(vec![why]))
}

/// A status page of the file.
fn page(section: PageSection) -> Result<StatusPage, String> {
    let kind = match section.kind.as_str() {
        "statuspage" => {
            let api_url = section.api_url.unwrap_or_else(|| "https://api.statuspage.io/v1".to_owned());
            safe_url(&api_url).map_err(|why| format!("api_url {why}"))?;
            let api_key = secret(section.api_key.as_ref(), section.api_key_file.as_deref());
            PageKind::Statuspage {
                api_url,
                page_id: section.page_id.ok_or("page_id is missing")?,
                api_key: api_key.map_err(|why| format!("api_key {why}"))?,
                component_ids: section.component_ids,
            }
        }
        "git" => {
            let path = section.path.ok_or("path is missing: the git work tree the page is built from")?;
            if !path.join(".git").exists() {
                return Err(format!("path `{}` is not a git work tree", path.display()));
            }
            let folder = section.folder.unwrap_or_else(|| "content/issues".to_owned());
            if folder.split('/').any(|part| part == "..") || folder.starts_with('/') {
                return Err("folder must lie inside the work tree".to_owned());
            }
            PageKind::Git { path, folder, push: section.push }
        }
        "webhook" => {
            let url = section.url.ok_or("url is missing")?;
            safe_url(&url).map_err(|why| format!("url {why}"))?;
            let secret = secret(section.secret.as_ref(), section.secret_file.as_deref());
            PageKind::Webhook { url, secret: secret.map_err(|why| format!("secret {why}"))? }
        }
        other => return Err(format!("kind `{other}` is not known; known are statuspage, git, webhook")),
    };
    Ok(StatusPage { name: section.name, guild: GuildId(section.guild_id), kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str, env: &[(&str, &str)]) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.toml");
        std::fs::write(&path, text).unwrap();
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        load(&path, &env).map_err(|bad| bad.to_string().replace(&path.display().to_string(), "t.toml"))
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line() {
        let error = load_text("[discord]\ntoken = \"x\"\n\n[database]\npaht = \"a.db\"\n", &[]).unwrap_err();
        assert_eq!(error, "t.toml:5: unknown field `paht`, expected `path`");
    }

    #[test]
    fn a_missing_token_says_where_to_put_it() {
        let error = load_text("", &[]).unwrap_err();
        assert_eq!(
            error,
            "t.toml: discord.token is missing (set discord.token, discord.token_file or TMINUS_DISCORD__TOKEN)"
        );
        assert!(load_text("", &[("TMINUS_DISCORD__TOKEN", "abc")]).is_ok());
    }

    #[test]
    fn plain_http_and_short_secrets_are_refused() {
        let error = load_text("[discord]\ntoken = \"x\"\napi_url = \"http://example.org\"\n", &[]).unwrap_err();
        assert!(error.starts_with("t.toml:3: discord.api_url must be https"), "{error}");
        let source = "[discord]\ntoken = \"x\"\n[[intake.sources]]\nname = \"a\"\nkind = \"alertmanager\"\nguild_id = \"1\"\nsecret = \"short\"\n";
        let error = load_text(source, &[]).unwrap_err();
        assert_eq!(error, "t.toml:3: intake.sources `a`: secret must have 24 bytes or more");
    }

    /// Found by review: `[workspace.audiences.Legal]` was another audience than the plan's "Legal notified", and nobody was called.
    #[test]
    fn audiences_are_named_as_in_plans_and_everybody_is_no_part() {
        let of = |more: &str| {
            format!("[discord]\ntoken = \"x\"\n[[workspace]]\nguild_id = \"1\"\nrelease_channel_id = \"2\"\n{more}")
        };
        let audience = |name: &str| format!("[workspace.audiences.{name}]\nrole_id = \"3\"\nmust_confirm = true\n");
        let config = load_text(&of(&(audience("Legal") + &audience("status_page"))), &[]).unwrap();
        let known: Vec<&str> = config.workspaces[0].1.audiences.keys().map(|audience| audience.0.as_str()).collect();
        assert_eq!(known, ["legal", "status-page"]);
        let twice = load_text(&of(&(audience("Legal") + &audience("legal"))), &[]).unwrap_err();
        assert!(twice.contains("is there twice, under two spellings"), "{twice}");
        for part in ["[workspace.roles]\nsre_ops = [\"1\"]\n", "[workspace.audiences.legal]\nrole_id = \"1\"\n"] {
            let error = load_text(&of(part), &[]).unwrap_err();
            assert!(error.contains("cannot stand for a part"), "{error}");
        }
    }

    #[test]
    fn an_unknown_environment_key_is_refused() {
        let error = load_text("", &[("TMINUS_DISCORD__TOKEN", "abc"), ("TMINUS_DISCORD__TOKNE", "abc")]).unwrap_err();
        assert_eq!(error, "TMINUS_DISCORD__TOKNE: there is no setting `discord.tokne`");
    }
}
