//! Every mistake in a configuration has one message: place, key, finding and expectation, word for word.

use std::collections::BTreeMap;

use super::{Config, DEFAULTS, Reading, load, understand};

const TOKEN: (&str, &str) = ("TMINUS_DISCORD__TOKEN", "abc");

const SERVER: &str = "[[workspace]]\nguild_id = \"112233445566778899\"\n";
const ZONED: &str = "[[workspace]]\nguild_id = \"112233445566778899\"\ntimezone = \"Europe/Berlin\"\n";
const SOURCE: &str =
    "[[intake.sources]]\nname = \"prod\"\nkind = \"alertmanager\"\nguild_id = \"112233445566778899\"\n";
const SECRET: &str = "secret = \"m0Yk2b9vQx7Lr4Tz8Wp1Nd6Hs3Jf5Gc\"\n";
const PAGE: &str = "[[status_pages]]\nname = \"main\"\nguild_id = \"112233445566778899\"\n";
const RULE: &str = "[[workspace.signoff_rules]]\nname = \"Payments\"\nrole = \"sre_ops\"\n";

fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What `tminus run` says of a file, a line for each mistake.
fn load_text(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.toml");
    std::fs::write(&path, text).unwrap();
    let loaded = load(&path, &environment(variables));
    loaded.map_err(|bad| bad.to_string().replace(&path.display().to_string(), "t.toml"))
}

fn mistakes(text: &str, variables: &[(&str, &str)]) -> String {
    load_text(text, variables).unwrap_err()
}

/// The long expectations, each written out once.
fn spelled(expected: &str) -> String {
    let id = |what: &str, menu: &str| {
        format!(
            "a Discord {what} id: 17 to 20 digits (turn on Developer Mode in Discord's settings, right-click the {what}, Copy {menu} ID)"
        )
    };
    expected
        .replace("<server id>", &id("server", "Server"))
        .replace("<channel id>", &id("channel", "Channel"))
        .replace("<role id>", &id("role", "Role"))
        .replace("<bare>", "a value that is not TOML; expected text in double quotes, a number, true or false")
        .replace("<database>", "the path of the database file, in a folder that exists")
        .replace("<token>", "the bot's token, from Bot > Reset Token in Discord's developer portal")
        .replace("<spaced>", "spaces, line breaks or other characters in it")
        .replace("<https>", "a URL with https, or with http on a loopback address")
        .replace("<source secret>", "24 bytes or more, such as the output of `openssl rand -base64 32`")
        .replace("<signing secret>", "`whsec_` and a key in base64, such as the output of `openssl rand -base64 32`")
        .replace("<levels>", "levels such as info or info,tminus=debug: off, error, warn, info, debug, trace")
        .replace("<end>", "an instant such as 2026-12-20T18:00:00+01:00, or a weekly time such as Fri 15:00")
}

/// Each block of `mistakes.txt` is a file and the message it gets after `t.toml:`; a line `@NAME` stands for good settings.
#[test]
fn every_mistake_has_its_message() {
    let settings = [("@SERVER\n", SERVER), ("@ZONED\n", ZONED), ("@SOURCE\n", SOURCE), ("@SECRET\n", SECRET)];
    let settings = settings.into_iter().chain([("@PAGE\n", PAGE), ("@RULE\n", RULE)]);
    let blocks: Vec<&str> = include_str!("mistakes.txt").split("\n\n").collect();
    let mut others = Vec::new();
    for block in &blocks {
        let (text, expected) = block.split_once("=> ").unwrap();
        let text = settings.clone().fold(text.to_owned(), |text, (name, lines)| text.replace(name, lines));
        // Settings of `[discord]` are judged where no variable hides them.
        let variables = if text.contains("token") { &[][..] } else { &[TOKEN][..] };
        let (said, wanted) = (mistakes(&text, variables), format!("t.toml:{}", spelled(expected.trim_end())));
        if said != wanted {
            others.push(format!("{text}said   {said}\nwanted {wanted}\n"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
    assert!(blocks.len() >= 120, "{} mistakes", blocks.len());
}

#[test]
fn lists_have_an_end() {
    let many: String = (0..26).map(|n| RULE.replace("Payments", &format!("Rule {n}"))).collect();
    let message = "t.toml:78: workspace.signoff_rules: 26 rules; expected at most 25";
    assert_eq!(mistakes(&format!("{SERVER}{many}"), &[TOKEN]), message);
}

#[test]
fn variables_are_named_instead_of_the_file() {
    let all = "unknown variable; expected one of TMINUS_DATABASE__PATH, TMINUS_DISCORD__API_URL, TMINUS_DISCORD__TOKEN, TMINUS_DISCORD__TOKEN_FILE, TMINUS_INTAKE__LISTEN, TMINUS_LIMITS__PERSON_PER_MINUTE, TMINUS_LIMITS__SERVER_PER_MINUTE, TMINUS_LOG__FILTER, TMINUS_LOG__FORMAT";
    for (name, value, expected) in [
        ("TMINUS_LOG__FORMAT", "jsn", "log.format: found \"jsn\"; expected \"human\" or \"json\""),
        (
            "TMINUS_LIMITS__PERSON_PER_MINUTE",
            "many",
            "limits.person_per_minute: found \"many\"; expected a whole number above 0",
        ),
        (
            "TMINUS_INTAKE__LISTEN",
            ":8731",
            "intake.listen: found \":8731\"; expected an IP address and a port such as 127.0.0.1:8731",
        ),
        (
            "TMINUS_DISCORD__API_URL",
            "http://example.org",
            "discord.api_url: the value does not fit; expected <https>, without the path /api",
        ),
        ("TMINUS_DISCORD__TOKNE", "abc", "unknown variable; expected TMINUS_DISCORD__TOKEN"),
        ("TMINUS_DISCORD_TOKEN", "abc", "unknown variable; expected TMINUS_DISCORD__TOKEN"),
        ("TMINUS_log__format", "json", "unknown variable; expected TMINUS_LOG__FORMAT"),
        ("TMINUS_INTAKE__SOURCES", "[]", all),
    ] {
        // The file has good values of its own: it is not to blame.
        let file = "[log]\nformat = \"json\"\n[limits]\nperson_per_minute = 60\n";
        assert_eq!(mistakes(file, &[TOKEN, (name, value)]), format!("{name}: {}", spelled(expected)));
    }
    assert!(load_text("", &[TOKEN, ("TMINUS_SEED", "1"), ("TMINUS_LOG__FORMAT", "")]).is_ok());
    let config = load_text("[log]\nfilter = \"error\"\n", &[TOKEN, ("TMINUS_LOG__FILTER", "debug")]).unwrap();
    assert_eq!(config.log_filter, "debug");
}

#[test]
fn a_token_comes_from_one_place() {
    let places = "TMINUS_DISCORD__TOKEN in the environment, discord.token_file or discord.token";
    assert_eq!(mistakes("", &[]), format!("t.toml: discord.token: missing; expected {places}"));
    assert_eq!(mistakes("\n[discord]\n", &[]), format!("t.toml:2: discord.token: missing; expected {places}"));
    let pasted = "t.toml:2: discord.token_file: cannot read the file (No such file or directory (os error 2)); expected the path of a readable file (the secret itself goes into `token`)";
    assert_eq!(mistakes("[discord]\ntoken_file = \"MTIzNDU2.Gabc.xyz\"\n", &[]), pasted);
    let twice = "t.toml:3: discord.token_file: the secret is given twice, as `token` and as `token_file`; expected one of the two";
    assert_eq!(mistakes("[discord]\ntoken = \"abc\"\ntoken_file = \"/nowhere\"\n", &[]), twice);
    // A variable overrides both.
    assert!(load_text("[discord]\ntoken_file = \"/nowhere\"\n", &[TOKEN]).is_ok());
}

#[test]
fn placeholders_are_no_secrets() {
    let file =
        |listen: &str, secret: &str| format!("[intake]\nlisten = \"{listen}:8731\"\n{SOURCE}secret = \"{secret}\"\n");
    for secret in [
        "changeme-changeme-changeme", "change-me-change-me-change-me", "secretsecretsecretsecret",
        "xxxxxxxxxxxxxxxxxxxxxxxx",
    ] {
        let expected = spelled("t.toml:7: intake.sources.secret: a placeholder; expected <source secret>");
        assert_eq!(mistakes(&file("0.0.0.0", secret), &[TOKEN]), expected, "{secret}");
        assert!(load_text(&file("127.0.0.1", secret), &[TOKEN]).is_ok(), "{secret}: nobody else reaches it");
    }
    for listen in ["0.0.0.0", "127.0.0.1"] {
        assert!(mistakes(&file(listen, "replace-this-with-24-or-more-bytes"), &[TOKEN]).contains("a placeholder"));
        assert!(load_text(&file(listen, "m0Yk2b9vQx7Lr4Tz8Wp1Nd6Hs3Jf5Gc"), &[TOKEN]).is_ok());
    }
}

#[test]
fn no_message_repeats_a_secret() {
    const PASTED: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcdE.zyxwvutsrqponmlkjihgfedcba0123456789-_";
    let server = format!("{SERVER}timezone = \"{PASTED}\"\nrelease_channel_id = \"{PASTED}\"\n");
    let page = format!("{PAGE}kind = \"webhook\"\nurl = \"http://{PASTED}\"\nsecret = \"whsec_{PASTED}*\"\n");
    for text in [
        format!("[discord]\ntoken_file = \"{PASTED}\"\n"),
        format!("[discord]\ntoken = {PASTED}\n"),
        format!("[discord]\ntoken = \"{PASTED}\n"),
        format!("[discord]\ntoken = [\"{PASTED}\"]\n"),
        format!("[discord]\ntokne = \"{PASTED}\"\n"),
        format!("[discord]\ntoken = \"{PASTED}\"\ntoken_file = \"{PASTED}\"\n"),
        format!("[discord]\napi_url = \"{PASTED}\"\n"),
        format!("{SOURCE}secret_file = \"{PASTED}\"\n"),
        format!("{PAGE}kind = \"statuspage\"\npage_id = \"p\"\napi_key_file = \"{PASTED}\"\n"),
        server,
        page,
        format!("[discord]\n\"{PASTED}\" = true\n"),
        format!("[\"{PASTED}\"]\n"),
        format!("[discord]\ntoken = \"\n{PASTED}\"\n"),
        format!("{SERVER}ladder = \"{PASTED}\"\n"),
        format!("{SERVER}[workspace.audiences.support]\nwording = \"{{{PASTED}}}\"\n"),
        format!("{SERVER}[workspace.audiences.\"{PASTED}\"]\ncolour = 1\n"),
        format!("{SERVER}[workspace.roles]\nsre_ops = [\"{PASTED}\"]\n"),
        format!("{PAGE}kind = \"{PASTED}\"\n"),
        format!("[log]\nfilter = \"{PASTED}\"\n"),
    ] {
        let message = mistakes(&text, &[]);
        assert!(!message.contains("MTIz") && !message.contains("zyxw"), "{text}{message}");
    }
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_the_file() {
    let text =
        format!("[log]\nformat = \"jsn\"\n{SERVER}timezone = \"Berlin\"\nself_aproval = true\n[intake]\nlisten = 1\n");
    let message = mistakes(&text, &[("TMINUS_LOG__FILTER", "loud")]);
    let places: Vec<&str> = message.lines().map(|line| line.split(": ").next().unwrap_or_default()).collect();
    // The token is missing as well; no line can be named for it.
    assert_eq!(places, ["TMINUS_LOG__FILTER", "t.toml:2", "t.toml:5", "t.toml:6", "t.toml:8", "t.toml"]);
}

/// `tminus config show` prints everything but what is, or may hold, a secret.
#[test]
fn settings_show_no_secret() {
    let text = format!(
        "[discord]\ntoken = \"a-token-of-a-bot\"\napi_url = \"https://proxy.example/k-1234\"\n{SOURCE}{SECRET}{PAGE}kind = \"webhook\"\n\
         url = \"https://hooks.example/T0/B0/m0Yk2b9v?key=1\"\nsecret = \"whsec_m0Yk2b9vQx7Lr4Tz8Wp1Nd6Hs3Jf5Gc0\"\n"
    );
    let Reading { problems, settings, .. } = understand("t.toml", &text, &environment(&[])).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    let shown: String = settings.iter().map(|setting| format!("{} = {}\n", setting.key, setting.value)).collect();
    for secret in ["a-token", "m0Yk2b9v", "k-1234"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("discord.api_url = (not shown)"), "{shown}");
}

/// Found by review: `[workspace.audiences.Legal]` was another audience than the plan's "Legal notified", and nobody was pinged.
#[test]
fn ids_and_audiences_are_read_as_plans_name_them() {
    let text = format!(
        "[[workspace]]\nguild_id = 112233445566778899\nrelease_channel_id = 12345678901234567890\n\
         [workspace.roles]\nsre_ops = [112233445566770004, \"112233445566770005\"]\n\
         [workspace.audiences.Legal]\nrole_id = \"112233445566770006\"\nmust_confirm = true\n\
         [workspace.audiences.status_page]\nrole_id = \"112233445566770007\"\n{RULE}"
    );
    let config = load_text(&text, &[TOKEN]).unwrap();
    let (server, policy) = &config.workspaces[0];
    assert_eq!(server.0, "112233445566778899");
    assert_eq!(policy.release_channel.as_ref().unwrap().0, "12345678901234567890");
    let known: Vec<&str> = policy.audiences.keys().map(|audience| audience.0.as_str()).collect();
    assert_eq!(known, ["legal", "status-page"]);
    assert_eq!(policy.signers.values().next().unwrap().len(), 2);
    assert_eq!(policy.rules[0].people, 1);
}

/// The commented blocks of the defaults are TOML with every key: uncommented, only their secrets are missing.
#[test]
fn the_documented_blocks_are_accepted() {
    let open = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c == '[' || c.is_ascii_lowercase()) => rest.to_owned(),
        _ => line.to_owned(),
    };
    let text: String = DEFAULTS.lines().map(open).collect::<Vec<_>>().join("\n");
    let Reading { config, problems, settings, .. } = understand("t.toml", &text, &environment(&[])).unwrap();
    let wrong: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    let placeholders = ["intake.sources.secret", "status_pages.api_key", "status_pages.path", "status_pages.secret"];
    assert_eq!(wrong, placeholders, "{problems:?}");
    assert_eq!(config.workspaces[0].1.freezes.len(), 2);
    assert!(settings.iter().any(|setting| setting.key == "workspace.roles.break_glass"));
}
