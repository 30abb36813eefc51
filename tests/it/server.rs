//! A server as a whole: its settings are changed by nobody quietly, and nobody's flood keeps the others waiting.

use tminus::sandboxed::{PLAN, t};

use crate::rig::{Rig, shown, text};

/// Nobody changes quietly who may do what: it is said where T-Minus speaks of itself, and stands on a record people can read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_set_is_said_with_what_it_was_and_by_whom() {
    let rig = Rig::strict(&[]).await;
    assert_eq!(rig.count("tminus-ops", "Settings changed"), 0, "the first settings replace nothing");
    rig.slash("ana", "tminus setup", &[("self_approval", "true"), ("timezone", "America/New_York")]).await;
    let said = rig.newest("tminus-ops");
    for part in [
        "⚠️ Settings changed: a safeguard is off",
        "• zone: Europe/Berlin → America/New_York",
        "• self-approval at Low risk: off → on",
        "By: Ana Ferreira",
        "/tminus history",
    ] {
        let found = rig.sandbox().messages("tminus-ops").iter().map(text).any(|m| m.contains(part));
        assert!(found, "{part}: {said}");
    }
    rig.slash("ana", "tminus rule add", &[("name", "Audit"), ("role", "security"), ("risk", "medium")]).await;
    let said = rig.newest("tminus-ops");
    let rule = "rule “Audit”: not set → 1 person from Security, when the risk is Medium or higher";
    assert!(said.starts_with("⚙️ Settings changed") && said.contains(rule), "{said}");
    rig.slash("ana", "tminus rule add", &[("name", "Audit"), ("role", "security"), ("risk", "medium")]).await;
    assert_eq!(rig.count("tminus-ops", "rule “Audit”"), 1, "the same again is no news");
    let removed = rig.slash("ana", "tminus rule remove", &[("name", "Audit")]).await;
    assert!(removed.starts_with("✅"), "{removed}");
    let said = rig.newest("tminus-ops");
    assert!(said.starts_with("⚠️ Settings changed: a safeguard is off"), "{said}");
    rig.slash("ana", "tminus setup", &[("self_approval", "false")]).await;
    let said = rig.newest("tminus-ops");
    assert!(!said.contains("a safeguard is off"), "{said}");
    let refused = rig.slash("hugo", "tminus history", &[]).await;
    assert!(refused.starts_with("⛔ You can't"), "{refused}");
    let seen = rig.sandbox().slash("ana", "releases", "tminus history", &[], None).await.unwrap();
    rig.quiet().await;
    let answer = shown(&seen);
    assert!(answer.contains("Ana Ferreira: self-approval at Low risk: on → off"), "{answer}");
    let chat_sandbox::Seen::Message(message) = &seen else { panic!("{answer}") };
    let file = String::from_utf8(message.file().unwrap().1).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    assert!(lines[0].contains("the configuration file: alert sources: not set → sandbox"), "{file}");
    assert!(lines[1].contains("release channel: not set → #"), "{file}");
    assert!(file.contains("zone: Europe/Berlin → America/New_York; self-approval at Low risk: off → on"), "{file}");
    assert_eq!(lines.len(), 6, "{file}");
    // Whoever reads there until now hears of it as well.
    let engineering = rig.id_of_channel("engineering");
    let moved = [("ops_channel", engineering.as_str()), ("on_behalf", "true")];
    rig.slash("ana", "tminus setup", &moved).await;
    for channel in ["tminus-ops", "engineering"] {
        let said = rig.newest_about(channel, "Settings changed");
        assert!(said.contains("sign-offs for people outside the chat: off → on"), "{channel}: {said}");
    }
    rig.finish().await;
}

/// S18: whoever floods the bot keeps nobody waiting, and is told what happens. `TMINUS_FLOOD` sets how many (default 500).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_one_person_keeps_nobody_else_waiting() {
    let n = |n| std::num::NonZeroU32::new(n).unwrap();
    let asking = tminus::sandboxed::Asking { person_per_minute: n(60), server_per_minute: n(600) };
    let rig = Rig::asking(true, "", asking).await;
    let flood: usize = std::env::var("TMINUS_FLOOD").ok().and_then(|n| n.parse().ok()).unwrap_or(500);
    let over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (sandbox, done) = (rig.sandbox().clone(), std::sync::Arc::clone(&over));
    let flooding = tokio::spawn(async move {
        let (mut asked, mut asks, mut told, mut helped) = (0, tokio::task::JoinSet::new(), 0, 0);
        while asked < flood || !asks.is_empty() {
            while asked < flood && asks.len() < 64 {
                let sandbox = sandbox.clone();
                asked += 1;
                asks.spawn(async move { sandbox.slash("hugo", "releases", "tminus help", &[], None).await });
            }
            let seen = asks.join_next().await.unwrap().unwrap();
            match seen {
                Ok(seen) if shown(&seen).contains("Rate limit exceeded") => told += 1,
                Ok(seen) if shown(&seen).contains("It does not deploy") => helped += 1,
                // Not answered at all.
                _ => {}
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        (told, helped)
    });
    let (mut waits, all) = (Vec::new(), tokio::time::Instant::now());
    while !over.load(std::sync::atomic::Ordering::Relaxed) {
        let begun = tokio::time::Instant::now();
        let seen = rig.sandbox().slash("iris", "releases", "tminus help", &[], None).await.unwrap();
        assert!(!shown(&seen).contains("Rate limit exceeded"), "{}", shown(&seen));
        waits.push(begun.elapsed());
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    }
    let (told, helped) = flooding.await.unwrap();
    waits.sort_unstable();
    let refilled = usize::try_from(all.elapsed().as_secs()).unwrap() + 2;
    assert!((30..=30 + refilled).contains(&helped), "{helped} were done in {refilled} s");
    assert!(told > 0, "nobody told them");
    let p99 = waits[(waits.len() - 1) * 99 / 100];
    assert!(p99 < std::time::Duration::from_secs(1), "others wait {p99:?}");
    rig.finish().await;
}

/// Who is told of a plan that names nobody is the server's to say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_names_no_notice_has_the_servers() {
    let rig = Rig::strict(&[]).await;
    let silent: String = PLAN.lines().filter(|line| !line.contains("(T-")).map(|line| format!("{line}\n")).collect();
    let imported = rig.import("ana", "plan.md", silent.as_bytes()).await;
    assert!(imported.contains("T-Minus uses these: T-24h engineering, T-2h support, T-30m status page"), "{imported}");
    let wrong = rig.slash("ana", "tminus setup", &[("notices", "support before lunch")]).await;
    assert!(wrong.starts_with("⛔ You can't") && wrong.contains("gives no time before T-0"), "{wrong}");
    let set = rig.slash("ana", "tminus setup", &[("notices", "T-3h support, T-1h legal")]).await;
    assert!(set.contains("notices for plans that list none: T-3h support, T-1h legal"), "{set}");
    let said = rig.newest("tminus-ops");
    assert!(said.contains("notices for plans that list none: not set → T-3h support, T-1h legal"), "{said}");
    rig.slash("ana", "release scrub", &[("reason", "Once more, with the server's notices")]).await;
    let imported = rig.import("ana", "plan.md", silent.as_bytes()).await;
    assert!(imported.contains("T-Minus uses these: T-3h support, T-1h legal"), "{imported}");
    rig.slash("ana", "release submit", &[("release", "REL-2")]).await;
    rig.slash("chloe", "release signoff give", &[("role", "engineering_lead")]).await;
    // Other notices are the server's since: a plan that is there already keeps its own, and whoever signed has signed.
    rig.slash("ana", "tminus setup", &[("notices", "T-2h support")]).await;
    let mended = silent.replace("Payment provider", "The payment provider") + "\nMended.\n";
    let file = Some(("plan.md", mended.as_bytes()));
    let seen = rig.sandbox().slash("ana", "releases", "release import", &[("release", "REL-2")], file).await.unwrap();
    rig.quiet().await;
    assert!(shown(&seen).contains("uses these: T-3h support, T-1h legal"), "{}", shown(&seen));
    let card = rig.slash("ana", "release show", &[("release", "REL-2")]).await;
    assert!(card.contains("✅ Engineering Lead"), "{card}");
    rig.advance(t(-59)).await;
    assert_eq!(rig.count("support", "📣 T-3h · "), 1);
    assert_eq!(rig.count("releases", "📣 T-1h · "), 1, "legal has no channel of its own");
    rig.finish().await;
}

/// The configuration file wins, and says so: nothing it sets is changed from chat.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_the_file_sets_is_changed_nowhere_else() {
    let rig = Rig::new().await;
    let before = rig.slash("ana", "tminus check", &[]).await;
    for (path, options) in [
        ("tminus setup", vec![("timezone", "Asia/Tokyo")]),
        ("tminus rule add", vec![("name", "Audit"), ("role", "security")]),
        ("tminus rule remove", vec![("name", "Audit")]),
        ("tminus audience set", vec![("name", "support"), ("quiet_hours", "22:00-07:00")]),
        ("tminus audience remove", vec![("name", "support")]),
        ("tminus freeze add", vec![("name", "Year end"), ("from", "Fri 15:00"), ("until", "Mon 08:00")]),
        ("tminus freeze remove", vec![("name", "Year end")]),
    ] {
        let refused = rig.slash("ana", path, &options).await;
        let said =
            refused.contains("You can't change this server's") && refused.contains("configuration file sets them");
        assert!(refused.starts_with("⛔ You can't") && said, "{path}: {refused}");
    }
    let check = rig.slash("ana", "tminus check", &[]).await;
    assert!(check.contains("Source: The configuration file sets this server's settings"), "{check}");
    let settings = |text: &str| text.split("Discord check").next().unwrap_or_default().to_owned();
    assert_eq!(settings(&check), settings(&before));
    assert!(check.contains("⏳ T-Minus checked a moment ago. Check again in"), "{check}");
    let history = rig.slash("ana", "tminus history", &[]).await;
    assert!(history.contains("the configuration file: release channel: not set → #releases"), "{history}");
    assert_eq!(rig.count("tminus-ops", "Settings changed"), 0);
    rig.finish().await;
}

/// The sandbox seeds its settings as chat sets them: every command works there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seeded_settings_can_be_changed_from_chat() {
    let rig = Rig::with(false).await;
    rig.pair.set_up().await.unwrap();
    let seeded = rig.slash("hugo", "tminus check", &[]).await;
    assert!(seeded.contains("#releases") && !seeded.contains("configuration file"), "{seeded}");
    for (path, options) in [
        ("tminus setup", vec![("timezone", "Asia/Tokyo")]),
        ("tminus rule add", vec![("name", "Audit"), ("role", "security")]),
        ("tminus audience set", vec![("name", "support"), ("quiet_hours", "22:00-07:00")]),
        ("tminus freeze add", vec![("name", "Year end"), ("from", "Fri 15:00"), ("until", "Mon 08:00")]),
    ] {
        rig.slash("ana", path, &options).await;
    }
    for (path, set) in [
        ("tminus check", "Asia/Tokyo"),
        ("tminus rule list", "Audit"),
        ("tminus audience list", "22:00"),
        ("tminus freeze list", "Year end"),
    ] {
        let answer = rig.slash("hugo", path, &[]).await;
        assert!(answer.contains(set), "{path}: {answer}");
    }
    rig.finish().await;
}
