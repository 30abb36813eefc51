//! The program as an operator meets it: exit codes and sentences.

use std::process::Command;

use chat_sandbox::{Limits, Right, Sandbox, Seen, Setup, SimClock, wall_ms};
use tminus::sandboxed::{PLAN, world};

use crate::rig::{Rig, shown};

fn tminus(arguments: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_tminus")).args(arguments).env("NO_COLOR", "1").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code().unwrap_or(-1), text(out.stdout), text(out.stderr))
}

#[test]
fn a_bad_configuration_ends_with_78_and_names_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tminus.toml");
    std::fs::write(&path, "[discord]\ntoken = \"x\"\n[intake]\nlissen = \"127.0.0.1:1\"\n").unwrap();
    let (code, _, said) = tminus(&["run", "--config", path.to_str().unwrap()]);
    assert_eq!(code, 78, "{said}");
    assert!(said.contains("tminus.toml:4: intake.lissen: unknown key; expected `listen`"), "{said}");
    let commands: [(&[&str], i32); 4] =
        [(&["run"], 78), (&["config", "check"], 2), (&["config", "show"], 2), (&["doctor"], 2)];
    for (command, code) in commands {
        let (ended, _, said) = tminus(&[command, &["--config", "/nowhere/tminus.toml"]].concat());
        assert_eq!(ended, code, "{command:?}: {said}");
    }
}

#[test]
fn example_is_valid_and_run_asks_for_the_token() {
    let example = |command: &[&str], variable: (&str, &str)| {
        let mut tminus = Command::new(env!("CARGO_BIN_EXE_tminus"));
        tminus.args(command).args(["--config", "config/example.toml"]);
        let out = tminus.env_remove("TMINUS_DISCORD__TOKEN").env(variable.0, variable.1).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (out.status.code(), text(out.stdout), text(out.stderr))
    };
    let none = ("NO_COLOR", "1");
    let missing = "config/example.toml:4: discord.token: missing; expected TMINUS_DISCORD__TOKEN in the environment, discord.token_file or discord.token";
    let (code, said, error) = example(&["config", "check"], none);
    let note = format!("The configuration is valid.\nNote: {missing}. `tminus run` does not start without it.\n");
    assert_eq!((code, said, error.as_str()), (Some(0), note, ""));
    let (code, _, error) = example(&["run"], none);
    assert_eq!((code, error), (Some(78), format!("{missing}\n")));
    let (code, said, _) = example(&["config", "check"], ("TMINUS_DISCORD__TOKEN", "a-token"));
    assert_eq!((code, said.as_str()), (Some(0), "The configuration is valid.\n"));
    let (code, said, error) = example(&["config", "check"], ("TMINUS_LOG__FORMAT", "jsn"));
    let expected = "TMINUS_LOG__FORMAT: log.format: found \"jsn\"; expected \"human\" or \"json\"\n";
    assert_eq!((code, said.as_str(), error.as_str()), (Some(1), "", expected));
    let (code, said, _) = example(&["config", "show", "--origin"], ("TMINUS_DISCORD__TOKEN", "a-token"));
    assert_eq!(code, Some(0));
    for line in [
        "intake.listen = \"0.0.0.0:8731\"  # config/example.toml:11",
        "discord.token = (not shown)  # TMINUS_DISCORD__TOKEN",
        "log.format = \"human\"  # default",
    ] {
        assert!(said.lines().any(|shown| shown == line), "{line}: {said}");
    }
}

#[test]
fn lint_says_where_and_exits_with_its_verdict() {
    let (code, said, _) =
        tminus(&["plan", "lint", "tests/data/plans/checkout-4.2.md", "--now", "2026-12-01T00:00:00Z"]);
    let clean = "tests/data/plans/checkout-4.2.md: level A; 0 errors, 0 warnings, 0 notes\n";
    assert_eq!((code, said.as_str()), (0, clean), "a filled plan is clean");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.md");
    let plan = std::fs::read_to_string("tests/data/plans/checkout-4.2.md").unwrap();
    std::fs::write(&path, plan.replace("Europe/Berlin", "Europe/Berlyn")).unwrap();
    let (code, said, _) = tminus(&["plan", "lint", path.to_str().unwrap(), "--now", "2026-12-01T00:00:00Z"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("bad.md:8:24") && said.contains("TM072") && said.contains("Did you mean `Europe/Berlin`?"),
        "{said}"
    );
    assert_eq!(tminus(&["plan", "lint", "/nowhere.md"]).0, 2);
}

#[test]
fn plans_are_read_from_standard_input() {
    let plan = || std::fs::File::open("tests/data/plans/checkout-4.2.md").unwrap();
    let of = |arguments: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_tminus")).args(arguments).stdin(plan()).output().unwrap();
        (out.status.code(), out.stdout)
    };
    let now = ["--now", "2026-12-01T00:00:00Z"];
    let (code, said) = of(&[&["plan", "lint", "-"], now.as_slice()].concat());
    assert_eq!(code, Some(0));
    assert!(said.starts_with(b"<stdin>: level A"));
    for command in [["plan", "show", "-"].as_slice(), &["preview", "-"]] {
        let (code, said) = of(&[command, &now].concat());
        assert!(code == Some(0) && said.starts_with(b"Checkout 4.2"), "{command:?}");
    }
    for command in ["export", "fix"] {
        assert_eq!(of(&["plan", command, "-"]), (Some(0), PLAN.as_bytes().to_vec()), "{command}");
    }
    assert_eq!(of(&["plan", "fix", "--write", "-"]).0, Some(2));
}

#[test]
fn fix_writes_the_safe_fixes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.md");
    std::fs::write(&path, PLAN.replace("## Success Criteria", "## Success Metrics")).unwrap();
    let fix = |more: &[&str]| tminus(&[&["plan", "fix", path.to_str().unwrap()], more].concat());
    let (code, fixed, _) = fix(&[]);
    assert_eq!((code, fixed.as_str()), (0, PLAN));
    for applied in ["1 safe fix applied", "0 safe fixes applied"] {
        let (code, said, told) = fix(&["--write"]);
        assert_eq!((code, said.as_str()), (0, ""));
        assert!(told.contains(applied), "{told}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), PLAN);
    }
}

#[test]
fn occupied_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (code, _, said) = tminus(&["sandbox", "--headless", "--port", &address.port().to_string()]);
    assert_eq!(code, 1);
    assert!(said.contains(&format!("already listens on {address}")) && said.contains("--port 0"), "{said}");
}

#[test]
fn log_holds_no_colour_codes_outside_a_terminal() {
    let out = Command::new(env!("CARGO_BIN_EXE_tminus"))
        .args(["sandbox", "--headless", "--port", "0", "--story", "scrub"])
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert!(out.status.success() && !said.contains('\u{1b}') && !said.contains("close frame"), "{said}");
}

#[test]
fn f30_a_second_instance_ends_with_75() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("t.db");
    let lock = std::fs::File::create(folder.path().join("t.db.lock")).unwrap();
    lock.lock().unwrap();
    let path = folder.path().join("tminus.toml");
    std::fs::write(
        &path,
        format!(
            "[discord]\ntoken = \"x\"\napi_url = \"http://127.0.0.1:9\"\n[database]\npath = \"{}\"\n",
            database.display()
        ),
    )
    .unwrap();
    let (code, _, said) = tminus(&["run", "--config", path.to_str().unwrap()]);
    assert_eq!(code, 75, "{said}");
    assert!(said.contains("another instance is using"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_set_up_in_chat_by_whoever_manages_it() {
    let rig = Rig::with(false).await;
    let world = world();
    let role = |name: &str| world.roles.iter().find(|r| r.name == name).unwrap().id.to_string();
    let channel = world.channels.iter().find(|c| c.name == "releases").unwrap().id.to_string();
    let import = rig.import("ana", "plan.md", PLAN.as_bytes()).await;
    assert!(import.contains("no role is mapped yet"), "nobody may, before it is set up: {import}");
    let stranger = rig.slash("hugo", "tminus setup", &[("timezone", "Europe/Berlin")]).await;
    assert!(stranger.contains("members with the Manage Server permission"), "{stranger}");
    let zone = rig.slash("ana", "tminus setup", &[("timezone", "Europe/Berlyn")]).await;
    assert!(zone.contains("is not a time zone"), "{zone}");
    let (manager, lead, product, sre) =
        (role("Release Managers"), role("Engineering Leads"), role("Product"), role("SRE"));
    let options = [
        ("release_channel", channel.as_str()),
        ("timezone", "Europe/Berlin"),
        ("release_manager", &manager),
        ("engineering_lead", &lead),
        ("product_owner", &product),
        ("sre_ops", &sre),
    ];
    let done = rig.slash("ana", "tminus setup", &options).await;
    assert!(done.starts_with("✅ Setup complete") && done.contains("Engineering Lead: @Engineering Leads"), "{done}");
    rig.import("ana", "plan.md", PLAN.as_bytes()).await;
    rig.press("ana", "releases", "Submit for sign-off", &[]).await;
    rig.sign_all().await;
    assert_eq!(rig.count("releases", "All required roles have signed. T-0"), 1);
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_complete_themselves_from_this_server() {
    let rig = Rig::approved().await;
    for (path, option, typed, want) in [
        ("release show", "release", "check", "REL-1 Checkout 4.2: new payment step"),
        ("release alert report", "metric", "late", "P99 Latency"),
    ] {
        let seen = rig.sandbox().complete("ana", "releases", path, option, typed).await.unwrap();
        assert_eq!(shown(&seen), want);
    }
    let foreign = rig.sandbox().complete("other-server:ana", "releases", "release show", "release", "").await.unwrap();
    assert!(matches!(foreign, Seen::Choices(choices) if choices.is_empty()));
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_names_what_is_missing_and_where() {
    // The doctor's machine is this one: its clock and the simulated Discord's agree.
    let setup = Setup {
        world: world(),
        clock: SimClock::running(wall_ms()),
        token: tminus::sandboxed::BOT_TOKEN.to_owned(),
        port: 0,
        limits: Limits::WIDE,
        house: None,
        openapi: None,
    };
    let sandbox = Sandbox::start(setup).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let world = world();
    let channel = |name: &str| world.channels.iter().find(|c| c.name == name).unwrap().id;
    let file = folder.path().join("tminus.toml");
    let write = |token: &str, release: u64, manager: &str| {
        let text = format!(
            "[discord]\ntoken = \"{token}\"\napi_url = \"{}\"\n[database]\npath = \"{}\"\n\
             [[workspace]]\nguild_id = \"{}\"\nrelease_channel_id = \"{release}\"\n\
             [workspace.roles]\nrelease_manager = [\"{manager}\"]\n\
             [workspace.audiences.support]\nchannel_id = \"{}\"\n",
            sandbox.url(),
            folder.path().join("t.db").display(),
            world.guild,
            channel("support"),
        );
        std::fs::write(&file, text).unwrap();
    };
    let manager = world.roles[0].id.to_string();
    let ask = async |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tminus"));
        command.args(["doctor", "--config"]).arg(&file).args(more);
        let out = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap() + &String::from_utf8(out.stderr).unwrap())
    };
    write(tminus::sandboxed::BOT_TOKEN, channel("releases"), &manager);
    let (code, said) = ask(&[]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("#releases (release channel): T-Minus has every permission it needs")
            && said.contains("permissions=117760"),
        "{said}"
    );
    assert!(said.contains("The machine's clock agrees with Discord's."), "{said}");
    sandbox.clock().set(wall_ms() + 3 * 3_600_000 + 5_000);
    let (code, said) = ask(&[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("The machine's clock is up to 3h 1m behind Discord's."), "{said}");
    sandbox.clock().set(wall_ms());

    sandbox.revoke(Right::EmbedLinks, Some("support"), true);
    write(tminus::sandboxed::BOT_TOKEN, 700_000_000_000_000_904, "700000000000000905");
    let (code, said) = ask(&[]).await;
    assert_eq!(code, Some(1), "{said}");
    for missing in [
        "#support (support): missing permissions: Embed Links",
        "the release channel, 700000000000000904, does not exist",
        "role 700000000000000905 does not exist",
        "3 problems to fix",
    ] {
        assert!(said.contains(missing), "{missing}: {said}");
    }
    sandbox.revoke(Right::ViewChannel, Some("support"), true);
    assert!(ask(&[]).await.1.contains("the bot cannot see the support"));
    write("not-the-token", channel("releases"), &manager);
    let (code, said) = ask(&[]).await;
    assert!(code == Some(1) && said.contains("Discord rejects the token"), "{said}");
    assert_eq!(ask(&["--offline"]).await.0, Some(0));
    std::fs::write(&file, "[discord]\ntoken = \"x\"\napi_url = \"http://127.0.0.1:9\"\n").unwrap();
    let (code, said) = ask(&[]).await;
    assert_eq!(code, Some(2), "nobody answers there: {said}");
    assert!(said.contains("✅ The configuration is valid.") && said.contains("⚪ Token: not checked"), "{said}");
}

/// A process that does not outlive its test.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_database_of_the_sandbox_and_one_of_the_service_never_meet() {
    let folder = tempfile::tempdir().unwrap();
    let tminus = |arguments: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_tminus")).args(arguments).output().unwrap();
        (out.status.success(), String::from_utf8(out.stderr).unwrap())
    };
    let at = |name: &str| folder.path().join(name).display().to_string();
    let config = |database: &str| {
        let text = format!(
            "[discord]\ntoken = \"x\"\napi_url = \"http://127.0.0.1:9\"\n[database]\npath = \"{}\"\n[intake]\nlisten = \"127.0.0.1:0\"\n",
            at(database)
        );
        std::fs::write(at("tminus.toml"), text).unwrap();
    };
    let played = tminus(&["sandbox", "--headless", "--port", "0", "--story", "scrub", "--db", &at("sandbox.db")]);
    assert!(played.0, "{}", played.1);
    config("sandbox.db");
    for command in [["run", "--config"].as_slice(), &["audit", "verify", "--config"]] {
        let (good, said) = tminus(&[command, &[at("tminus.toml").as_str()]].concat());
        assert!(!good && said.contains("sandbox.db"), "{said}");
    }
    config("service.db");
    // Nothing is vouched for that is not there, and nothing is written by looking.
    let (good, said) = tminus(&["audit", "verify", "--config", &at("tminus.toml")]);
    assert!(!good && said.contains("no database at"), "{said}");
    assert!(!folder.path().join("service.db").exists());
    // As a service left it that never heard anything.
    let empty = Command::new(env!("CARGO_BIN_EXE_tminus"))
        .args(["run", "--config", &at("tminus.toml")])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let empty = Ended(empty);
    let verify = |more: &[&str]| tminus(&[&["audit", "verify", "--config", at("tminus.toml").as_str()], more].concat());
    let mut looks = 0;
    while !verify(&[]).0 {
        assert!(looks < 1_000, "{}", verify(&[]).1);
        looks += 1;
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    drop(empty);
    let (good, said) = verify(&["--head", "9-abcdefabcdefabcdefabcdef"]);
    assert!(!good && said.contains("The journal ends at entry 0, before the noted head"), "{said}");
    let (good, said) = tminus(&["audit", "verify", "--head", "9", "--config", &at("tminus.toml")]);
    assert!(!good && said.contains("like 812-3f2a9c0b1d2e"), "{said}");
    let (good, said) = tminus(&["sandbox", "--headless", "--port", "0", "--db", &at("service.db")]);
    assert!(!good && said.contains("service.db"), "{said}");
}
