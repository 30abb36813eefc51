//! The program as an operator meets it: exit codes and sentences.

use std::process::Command;

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
    let (code, said, _) = tminus(&["plan", "lint", "tests/data/plans/checkout-4.2.md"]);
    assert_eq!((code, said.as_str()), (0, ""), "a filled plan is clean");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.md");
    let plan = std::fs::read_to_string("tests/data/plans/checkout-4.2.md").unwrap();
    std::fs::write(&path, plan.replace("Europe/Berlin", "Europe/Berlyn")).unwrap();
    let (code, said, _) = tminus(&["plan", "lint", path.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(
        said.contains("bad.md:8:24") && said.contains("TM072") && said.contains("Did you mean `Europe/Berlin`?"),
        "{said}"
    );
    assert_eq!(tminus(&["plan", "lint", "/nowhere.md"]).0, 2);
}

#[test]
fn a_second_instance_ends_with_75() {
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
