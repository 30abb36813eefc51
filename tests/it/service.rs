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
    assert!(said.contains("tminus.toml:4: unknown field `lissen`"), "{said}");
    let (code, _, said) = tminus(&["run", "--config", "/nowhere/tminus.toml"]);
    assert_eq!(code, 78, "{said}");
}

#[test]
fn the_example_configuration_is_good_once_its_secret_exists() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "a-token").unwrap();
    let example = std::fs::read_to_string("config/example.toml").unwrap();
    let path = folder.path().join("example.toml");
    std::fs::write(&path, example.replace("/run/secrets/discord-token", token.to_str().unwrap())).unwrap();
    let (code, said, error) = tminus(&["config", "check", "--config", path.to_str().unwrap()]);
    assert_eq!((code, said.as_str()), (0, "The configuration is good.\n"), "{error}");
}

#[test]
fn lint_says_where_and_exits_with_its_verdict() {
    let (code, said, _) =
        tminus(&["plan", "lint", "tests/data/plans/checkout-4.2.md", "--now", "2026-12-01T00:00:00Z"]);
    let clean = "tests/data/plans/checkout-4.2.md: level A; 0 errors, 0 warnings, 0 for information\n";
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
    assert!(said.contains("another instance holds"), "{said}");
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
    assert!(stranger.contains("members who may manage the server"), "{stranger}");
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
    assert!(done.starts_with("✅ Set up") && done.contains("Engineering Lead: @Engineering Leads"), "{done}");
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
        said.contains("#releases (release channel): every right is there") && said.contains("permissions=117760"),
        "{said}"
    );
    assert!(said.contains("The machine's clock agrees with Discord's."), "{said}");
    sandbox.clock().set(wall_ms() + 3 * 3_600_000 + 5_000);
    let (code, said) = ask(&[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("The machine's clock is up to 3h 1m behind Discord's."), "{said}");
    sandbox.clock().set(wall_ms());

    sandbox.revoke(Right::EmbedLinks, Some("support"), true);
    write(tminus::sandboxed::BOT_TOKEN, 4, "5");
    let (code, said) = ask(&[]).await;
    assert_eq!(code, Some(1), "{said}");
    for missing in [
        "#support (support): missing Embed Links",
        "the release channel, 4, does not exist",
        "role 5 does not exist",
        "3 things to mend",
    ] {
        assert!(said.contains(missing), "{missing}: {said}");
    }
    sandbox.revoke(Right::ViewChannel, Some("support"), true);
    assert!(ask(&[]).await.1.contains("is hidden from the bot"));
    write("not-the-token", channel("releases"), &manager);
    let (code, said) = ask(&[]).await;
    assert!(code == Some(1) && said.contains("Discord refuses the token"), "{said}");
    assert_eq!(ask(&["--offline"]).await.0, Some(0));
    std::fs::write(&file, "[discord]\ntoken = \"x\"\napi_url = \"http://127.0.0.1:9\"\n").unwrap();
    assert_eq!(ask(&[]).await.0, Some(2), "nobody answers there");
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
    assert!(!good && said.contains("there is no database at"), "{said}");
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
    assert!(!good && said.contains("The journal ends at entry 0, before the one that was noted"), "{said}");
    let (good, said) = tminus(&["audit", "verify", "--head", "9", "--config", &at("tminus.toml")]);
    assert!(!good && said.contains("it looks like 812-3f2a9c0b1d2e"), "{said}");
    let (good, said) = tminus(&["sandbox", "--headless", "--port", "0", "--db", &at("service.db")]);
    assert!(!good && said.contains("service.db"), "{said}");
}
