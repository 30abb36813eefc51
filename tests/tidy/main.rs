//! The house rules a compiler does not check: purity, one-way imports, file heads, file sizes.

#![expect(clippy::unwrap_used, reason = "a test ends where its ground gives way")]

mod imports;

use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new(folder), &mut found);
    assert!(!found.is_empty(), "no files under {folder}");
    found.into_iter().map(|p| (p.clone(), fs::read_to_string(p).unwrap())).collect()
}

/// A file's code without its tests, its comments and its strings' lines that only hold text.
fn production(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_test(path: &Path) -> bool {
    path.ends_with("tests.rs") || path.components().any(|c| c.as_os_str() == "tests")
}

fn forbid(folder: &str, words: &[&str]) {
    for (path, text) in files(folder) {
        if is_test(&path) {
            continue;
        }
        for (n, line) in production(&text).lines().enumerate() {
            for word in words {
                assert!(!line.contains(word), "{}: line {} of the code names `{word}`: {line}", path.display(), n + 1);
            }
        }
    }
}

#[test]
fn the_domain_is_pure() {
    let foreign = [
        "tokio", "sqlx", "serenity", "axum", "reqwest", "tracing", "std::fs", "std::net", "async fn", ".await",
        "::now(", "crate::store", "crate::desk", "crate::voice", "crate::plan_doc", "crate::chat", "crate::clock",
    ];
    forbid("src/domain", &foreign);
}

#[test]
fn imports_point_one_way() {
    let impure = ["tokio", "sqlx", "serenity", "axum", "reqwest", "async fn", "::now("];
    for folder in ["src/voice", "src/plan_doc"] {
        forbid(folder, &impure);
        forbid(folder, &["crate::store", "crate::desk", "crate::chat", "crate::courier", "crate::intake"]);
    }
    // Domain, delivery, store, desk, courier: each knows those before it.
    forbid("src/domain", &["crate::delivery", "crate::store", "crate::desk", "crate::courier"]);
    let foreign = ["crate::store", "crate::desk", "crate::voice", "crate::chat", "crate::courier", "crate::intake"];
    forbid("src/delivery", &impure);
    forbid("src/delivery", &foreign);
    forbid("src/delivery", &["crate::clock", "tracing"]);
    forbid("src/store", &foreign[1..]);
    forbid("src/desk", &foreign[3..]);
    forbid("src/courier", &["crate::intake", "discord"]);
    forbid("src/outside", &["crate::store", "crate::desk", "crate::chat", "crate::courier", "crate::domain::release"]);
    for folder in ["sandbox/src", "sandbox/examples", "sandbox/benches", "sandbox/tests"] {
        forbid(folder, &["tminus", "T-Minus"]);
    }
}

#[test]
fn libraries_stay_in_their_rooms() {
    let rooms: [(&str, &[&str]); 7] = [
        // `cron` speaks it; everything else is jiff.
        ("chrono::", &["src/domain/recur.rs"]),
        ("serenity::", &["src/chat/discord"]),
        ("sqlx::", &["src/store"]),
        // A test hears the bot's answers.
        ("axum::", &["src/intake", "src/chat/discord/tests/servers.rs"]),
        // The sandbox's Alertmanager posts as the real one does.
        ("reqwest::", &["src/chat/discord", "src/outside", "src/sending.rs", "src/sandboxed.rs"]),
        // One place decides time-outs, redirects and proxies.
        ("Client::builder", &["src/sending.rs", "src/sandboxed.rs"]),
        ("Client::new", &[]),
    ];
    for (path, text) in files("src") {
        for (library, allowed) in rooms {
            let here = allowed.iter().any(|room| path.starts_with(room));
            assert!(here || !production(&text).contains(library), "{} names {library}", path.display());
        }
    }
}

/// A statement fits on a screen, and the store does not choose: states are `delivery`'s.
#[test]
fn statements_are_short_and_choose_nothing() {
    for (path, text) in files("src/store").into_iter().filter(|(path, _)| !path.ends_with("testing.rs")) {
        let code = production(&text);
        for call in code.split("sqlx::query").skip(1) {
            let statement = call.split(".execute(").next().unwrap().split(".fetch").next().unwrap();
            let lines = statement.split('"').skip(1).step_by(2).map(|sql| sql.lines().count()).max().unwrap_or(0);
            assert!(lines <= 25, "{}: a statement of {lines} lines: {statement}", path.display());
            assert!(!statement.contains("CASE"), "{} chooses: {statement}", path.display());
        }
        assert!(!code.contains(".message()"), "{} reads an error's text", path.display());
    }
    for statement in fs::read_to_string("src/store/convert.sql").unwrap().split(';') {
        assert!(statement.trim().lines().count() <= 25, "a statement of the converter: {statement}");
    }
}

#[test]
fn only_the_clock_reads_the_clock() {
    for (path, text) in files("src").into_iter().chain(files("sandbox/src")) {
        if path.ends_with("clock.rs") {
            continue;
        }
        let code = production(&text).replace("tokio::time::Instant::now", "").replace("use tokio::time::Instant;", "");
        // The transport's and the sandbox's limiters measure protocol time with tokio's clock.
        let protocol = [
            "rest.rs", "pace.rs", "reply.rs", "statuspage.rs", "connections.rs", "refusals.rs",
            "sandbox/src/limits.rs", "sandbox/src/gateway.rs", "sandbox/src/rest/guard.rs",
        ]
        .iter()
        .any(|file| path.ends_with(file));
        for read in ["Timestamp::now", "SystemTime::now", "Utc::now", "Zoned::now", "Instant::now"] {
            assert!(
                !code.contains(read) || (protocol && read == "Instant::now"),
                "{} reads the clock: {read}",
                path.display()
            );
        }
    }
}

#[test]
fn every_file_says_what_it_is_for_and_stays_readable() {
    for (path, text) in files("src").into_iter().chain(files("sandbox/src")).chain(files("tests")) {
        let purpose = text.starts_with("//! ") && !text.starts_with("//! TODO");
        assert!(purpose, "{} does not begin with its purpose", path.display());
        let lines = production(&text).lines().count();
        let longer = ["src/plan_doc", "sandbox"].iter().any(|folder| path.starts_with(folder)) || is_test(&path);
        let most = if longer { MOST_OF_LONGER } else { MOST };
        assert!(lines <= most, "{} has {lines} lines", path.display());
    }
}

/// Lines of a file, comments and its tests aside; the reader of plans, the sandbox and files of tests may be longer.
const MOST: usize = 400;
const MOST_OF_LONGER: usize = 500;

/// Files that name each other are read together: at most so many.
const MOST_OF_A_CIRCLE: usize = 3;

#[test]
fn no_import_circle_is_large() {
    let files: Vec<(String, String)> = files("src")
        .into_iter()
        .filter(|(path, _)| !is_test(path) && !path.ends_with("testing.rs"))
        .map(|(path, text)| (path.to_string_lossy().into_owned(), production(&text)))
        .collect();
    let graph = imports::graph(&files);
    assert!(graph.values().map(|named| named.len()).sum::<usize>() > 1_000, "the graph has its edges");
    for circle in imports::circles(&graph) {
        assert!(circle.len() <= MOST_OF_A_CIRCLE, "these files import each other: {circle:?}");
    }
}

/// A topic's vocabulary comes before the release, the release before what is read of it, that before the rules.
#[test]
fn topics_are_layered() {
    for (path, text) in files("src/domain") {
        let code = production(&text);
        let topic = path.components().count() > 3 && !path.starts_with("src/domain/workspace");
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if is_test(&path) || !topic || path.starts_with("src/domain/prompt") || path.starts_with("src/domain/plan") {
            continue;
        }
        let forbidden: &[&str] = match name.as_str() {
            "mod.rs" | "event.rs" | "crowd.rs" => &["domain::release", "super::release", "::work", "::rules", "::view"],
            "view.rs" | "rung.rs" => &["::work", "::rules", "domain::effect", "domain::reply"],
            _ => &["crate::voice", "domain::decide", "domain::evolve::"],
        };
        for word in forbidden {
            let named =
                code.lines().find(|line| line.contains(word) && !line.contains("mod ") && !line.contains("pub(in"));
            assert!(named.is_none(), "{} names {word}: {named:?}", path.display());
        }
    }
}

/// What is Discord's stays in its adapter.
#[test]
fn platform_words_stay_in_the_adapter() {
    for (path, text) in files("src") {
        // What the logs show is set by the names of crates.
        let logs = path.ends_with("telemetry.rs");
        if path.starts_with("src/chat/discord") || path.starts_with("src/sandboxed") || logs || is_test(&path) {
            continue;
        }
        for word in ["GuildId", "serenity", "Interaction", "Snowflake"] {
            assert!(!production(&text).contains(word), "{} names {word}", path.display());
        }
    }
}

/// A comment gives its reason itself, or names a document of this repository.
#[test]
fn nothing_cites_a_document_that_is_not_here() {
    let absent =
        ["architecture 1", "architecture 2", "architecture 3", "architecture 4", "architecture 5", "architecture 6"];
    let absent = absent.iter().chain(&["product.md", "contracts", "words.md", "reference/", "../shared"]);
    for (path, text) in files("src").into_iter().chain(files("tests")).chain(files("sandbox/src")) {
        for (n, line) in text.lines().enumerate().filter(|(_, line)| line.contains("//")) {
            let comment = &line[line.find("//").unwrap()..];
            for word in absent.clone() {
                assert!(!comment.contains(word), "{}:{} cites {word}", path.display(), n + 1);
            }
            // An address on the web has its own `docs/`.
            let cited = comment.match_indices("docs/").filter(|(at, _)| !comment[..*at].ends_with('/'));
            for cited in cited.map(|(at, docs)| &comment[at + docs.len()..]) {
                let name: String = cited.chars().take_while(|c| c.is_alphanumeric() || "./-_".contains(*c)).collect();
                let name = name.trim_end_matches('.');
                let here = Path::new("docs").join(name);
                let begins = || {
                    here.parent().and_then(|folder| fs::read_dir(folder).ok()).is_some_and(|mut all| {
                        let start = here.file_name().unwrap_or_default().to_string_lossy().into_owned();
                        all.any(|entry| entry.is_ok_and(|e| e.file_name().to_string_lossy().starts_with(&start)))
                    })
                };
                assert!(here.exists() || begins(), "{}:{} cites docs/{name}", path.display(), n + 1);
            }
        }
    }
}

/// Whoever can tell the clock the time moves every notice: only a platform's own transport may.
#[test]
fn only_a_platform_tells_the_clock_the_time() {
    for (path, text) in files("src") {
        let may = ["src/chat/discord/rest.rs", "src/chat/simulated.rs", "src/clock.rs", "src/clock/trust.rs"];
        let may = may.iter().any(|file| path.ends_with(file));
        let tells = [".heard(", ".believed("].iter().any(|word| production(&text).contains(word));
        assert!(may || is_test(&path) || !tells, "{} tells the clock the time", path.display());
    }
}

/// Rights are decided in one function, asked by the roots that decide and by the door of each surface; no topic asks for itself,
/// so none can forget to.
#[test]
fn rights_are_asked_for_at_the_roots() {
    let roots = [
        "src/domain/may.rs", "src/domain/decide.rs", "src/domain/lifecycle/rules.rs", "src/domain/workspace/rules.rs",
        "src/desk/workspace.rs", "src/chat/discord/handle.rs",
    ];
    let mut asked = 0;
    for (path, text) in files("src").into_iter().filter(|(path, _)| !is_test(path)) {
        let code = production(&text);
        let asks = code.matches(" may(").count() + code.matches("(may(").count() + code.matches("::may(").count();
        assert!(asks == 0 || roots.iter().any(|root| path.ends_with(root)), "{} asks for a right", path.display());
        asked += asks;
        let compares = code.contains("release_managers.contains") || code.contains(".manages_server");
        assert!(!compares || path.ends_with("src/domain/may.rs"), "{} judges a right by itself", path.display());
        // Whoever comes in over the chat passes the one door.
        let lets_in = code.contains("parse::actor(");
        assert!(
            !lets_in || path.ends_with("handle.rs") && code.matches("parse::actor(").count() == 1,
            "{}",
            path.display()
        );
    }
    assert!(asked >= 7, "{asked}: the roots ask");
    let handle = fs::read_to_string("src/chat/discord/handle.rs").unwrap();
    assert_eq!(handle.matches("self.admitted(").count(), 4, "commands, completions, components, forms");
}

/// `docs/faults.md`: every row of the fault matrix has a test named after it, or a written reason.
#[test]
fn every_row_of_the_fault_matrix_has_its_test() {
    let table = fs::read_to_string("docs/faults.md").unwrap();
    let code: String = files("src").into_iter().chain(files("tests/it")).map(|(_, text)| text).collect();
    let names: Vec<&str> = code
        .lines()
        .filter_map(|line| line.split_once("fn f"))
        .map(|(_, rest)| rest.split('(').next().unwrap())
        .collect();
    let tested = |row: u32| {
        let (first, inner) = (format!("{row}_"), format!("_f{row}_"));
        names.iter().any(|name| name.starts_with(&first) || name.contains(&inner))
    };
    for row in (1..=30).chain([32, 34, 35]) {
        assert!(table.contains(&format!("F{row}")), "docs/faults.md does not name F{row}");
        let reason = table.contains(&format!("| F{row} |")) && table.contains(&format!("## F{row}:"));
        assert!(tested(row) || reason, "no test is named f{row}_…, and no reason is written");
    }
    assert!(table.matches("\n## F").count() <= 3, "at most three rows may have a reason instead of a test");
}
