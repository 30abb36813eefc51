//! Plans through the front door: every plan becomes a draft that says what stands against it; what is no plan is refused and
//! nothing is stored; hostile text shows as it is and calls nobody; export gives the document back.

use chat_sandbox::Seen;
use tminus::sandboxed::{PLAN, t};

use crate::rig::{Rig, shown};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_does_not_parse_is_a_finding_with_its_place() {
    let rig = Rig::new().await;
    for (from, to, place) in [
        ("2026-12-08 14:00 Europe/Berlin", "8/12/2026 14:00 CET", "line 8, column 24: "),
        ("2026-12-08 14:00 Europe/Berlin", "2026-03-29 02:30 Europe/Berlin", "line 8, column 24: "),
        ("> 400ms", "> 4oo ms", "line 46, column 35: "),
        ("< 1% ", "< 1,5% ", "line 47, column 23: "),
    ] {
        let plan = PLAN.replacen(from, to, 1);
        let answer = rig.import("ana", "bad.md", plan.as_bytes()).await;
        assert!(answer.starts_with("📥 Imported") && answer.contains(place), "{to}: {answer}");
    }
    let submit = rig.slash("ana", "release submit", &[("release", "REL-1")]).await;
    assert!(submit.contains("You can't submit this plan yet") && submit.contains("TM074"), "{submit}");
    let binary = rig.import("ana", "bad.md", &[0xff, 0xfe]).await;
    assert!(binary.starts_with("⛔ Import failed") && binary.contains("TM001"), "{binary}");
    let list = rig.slash("ana", "release list", &[]).await;
    assert!(!list.contains("REL-5"), "nothing was stored: {list}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incomplete_plan_is_a_draft_that_cannot_be_submitted() {
    let rig = Rig::new().await;
    let plan = PLAN.replace("[x] Medium", "[ ] Medium").replace("(@ana)", "").replace("Ana Ferreira", "Someone Else");
    let answer = rig.import("ana", "draft.md", plan.as_bytes()).await;
    assert!(answer.contains("Choose one risk level") && answer.contains("Pick the member once"), "{answer}");
    let submit = rig.slash("ana", "release submit", &[]).await;
    assert!(submit.contains("You can't submit this plan yet") && submit.contains("TM030"), "{submit}");
    let picked = rig.sandbox().pick("ana", "releases", "ana").await.unwrap();
    assert!(shown(&picked).contains("owner @ana") || shown(&picked).contains("Fix before"), "{}", shown(&picked));
    let stranger = rig.import("hugo", "draft.md", PLAN.as_bytes()).await;
    assert!(stranger.contains("You don't have permission"), "{stranger}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_plan_cannot_ping_crash_or_hang() {
    let rig = Rig::new().await;
    let deep = format!("{PLAN}\n{}x\n", "> ".repeat(5_000));
    let nested: String = (0..200).map(|n| format!("{}- x\n", "  ".repeat(n))).collect();
    for (name, bytes) in [
        ("big.md", vec![b'x'; 1_000_000]),
        ("deep.md", deep.into_bytes()),
        ("nested.md", format!("{PLAN}\n{nested}").into_bytes()),
        ("bidi.md", PLAN.replace("payment step", "\u{202E}pets tnemyap").into_bytes()),
        ("binary.md", vec![0xff, 0xfe, 0x00, 0x41]),
        ("pipes.md", format!("{PLAN}\n{}\n{}\n", "|".repeat(4_000), "|-".repeat(4_000)).into_bytes()),
        ("empty.md", Vec::new()),
    ] {
        let begun = std::time::Duration::from_secs(2);
        let answer = tokio::time::timeout(begun, rig.import("ana", name, &bytes)).await.expect("no hang");
        assert!(answer.starts_with("⛔"), "{name}: {answer}");
    }
    let hostile = PLAN
        .replace(
            "Checkout 4.2: new payment step",
            "@everyone @here <@&700000000000000016> <@700000000000001002> [x](http://evil)",
        )
        .replace("Raise the quota", "<#1> `code` **bold** @everyone")
        .replace("Engineering team notified", "@everyone engineering <@&700000000000000017>");
    let answer = rig.import("ana", "hostile.md", hostile.as_bytes()).await;
    assert!(answer.contains("@everyone"), "shown as text: {answer}");
    rig.press("ana", "releases", "Submit for sign-off", &[]).await;
    rig.sign_all().await;
    rig.advance(t(0)).await;
    let allowed = ["700000000000001001", "700000000000000016", "700000000000000017", "700000000000000018"];
    for channel in crate::rig::CHANNELS {
        for message in rig.sandbox().messages(channel) {
            let mentions = &message.body["allowed_mentions"];
            assert_eq!(mentions["parse"], serde_json::json!([]));
            for id in mentions["users"].as_array().into_iter().chain(mentions["roles"].as_array()).flatten() {
                assert!(allowed.contains(&id.as_str().unwrap()), "{id} is called");
            }
            let content = message.body["content"].as_str().unwrap_or_default();
            assert!(!content.contains("everyone") && !content.contains("here"), "{content}");
        }
    }
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn export_ticks_only_what_happened() {
    let rig = Rig::approved().await;
    rig.advance(t(-100)).await;
    rig.press("gwen", "support", "Briefed", &[]).await;
    let seen = rig.sandbox().slash("ana", "releases", "release export", &[], None).await.unwrap();
    let Seen::Message(message) = seen else { panic!("no message") };
    let (name, bytes) = message.file().unwrap();
    assert_eq!(name, "checkout-4.2.md");
    let exported = String::from_utf8(bytes).unwrap();
    let changed: Vec<(&str, &str)> = PLAN.lines().zip(exported.lines()).filter(|(a, b)| a != b).collect();
    assert_eq!(
        changed.iter().map(|(_, new)| *new).collect::<Vec<_>>(),
        [
            "- [x] Dependencies deployed and stable",
            "- [x] Engineering team notified (T-24h)",
            "- [x] Support team briefed (T-2h)",
            "- [x] Slack channel: #releases",
            "- [x] Escalation path: Ben Okafor (@ben) → Eva Novak (@eva)",
            "- [x] Engineering Lead: Chloe Martin - 2026-12-07 13:00 Europe/Berlin",
            "- [x] Product Owner: Dev Patel - 2026-12-07 13:00 Europe/Berlin",
            "- [x] SRE/Ops: Eva Novak - 2026-12-07 13:00 Europe/Berlin",
        ]
    );
    assert_eq!(exported.matches("<!-- tminus:begin log").count(), 1, "{exported}");
    assert!(
        exported.contains("Ana Ferreira") && exported.contains("submitted"),
        "the log says who did what: {exported}"
    );
    rig.finish().await;
}

/// The file beside an answer.
fn file_of(seen: &Seen) -> (String, String) {
    let Seen::Message(message) = seen else { panic!("no message") };
    let (name, bytes) = message.file().unwrap();
    (name, String::from_utf8(bytes).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_begins_with_a_form_and_grows_section_by_section() {
    let rig = Rig::new().await;
    let options = [("type", "hotfix"), ("risk", "low")];
    let Seen::Modal { data, .. } = rig.sandbox().slash("ana", "releases", "release new", &options, None).await.unwrap()
    else {
        panic!("no form")
    };
    let fill = [("title", "Search 7.1"), ("when", "2026-12-08 14:00 Europe/Berlin"), ("owner", "Ana Ferreira (@ana)")];
    let (answer, findings) = rig.send("ana", &data, &fill).await;
    assert!(
        answer.starts_with("📥 Imported") && answer.contains("Search 7.1") && answer.contains("Hotfix, Low"),
        "{answer}"
    );
    assert!(answer.contains("Template, read in full.") && answer.contains("On-Call Engineer"), "{answer}");
    let (name, text) = findings.unwrap();
    assert_eq!(name, "search-7-1-findings.txt");
    assert!(text.contains("search-7-1.md:12:23") && text.contains("TM030"), "{text}");

    let (form, section) = rig.open("ana", "Release Overview").await;
    assert!(
        section.starts_with("## Release Overview\n") && section.contains("**Feature/Change:** Search 7.1"),
        "{section}"
    );
    let filled = section.replace("[name and handle]", "Ben Okafor (@ben)");
    let (answer, _) = rig.send("ana", &form, &[("text", filled.as_str())]).await;
    assert!(
        answer.contains("REL-1 revision 2") && answer.contains("On-Call Engineer: added **Ben Okafor (@ben)**"),
        "{answer}"
    );
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_edit_gives_the_text_back() {
    let rig = Rig::new().await;
    rig.import("ana", "checkout-4.2.md", PLAN.as_bytes()).await;
    let shown = rig.slash("hugo", "release edit", &[]).await;
    assert!(shown.starts_with("✏️ Edit"), "{shown}");
    let (form, section) = rig.open("hugo", "Communication Plan").await;
    let mine = section.replace("30 minutes", "15 minutes");
    let (answer, file) = rig.send("hugo", &form, &[("text", mine.as_str())]).await;
    assert!(answer.contains("You don't have permission") && answer.contains("nothing was lost"), "{answer}");
    assert_eq!(file, Some(("your-text.md".to_owned(), mine.clone())));
    let Seen::Modal { data, .. } = rig.sandbox().press("hugo", "releases", "Edit again").await.unwrap() else {
        panic!("no form")
    };
    assert_eq!(data["components"][0]["components"][0]["value"], mine.as_str());
    // Two people edit at once: other sections are merged, the same one is not overwritten.
    rig.slash("ana", "release edit", &[]).await;
    let (first, comms) = rig.open("ana", "Communication Plan").await;
    let (second, risks) = rig.open("ana", "Risk Mitigation").await;
    let (answer, _) = rig.send("ana", &first, &[("text", &comms.replace("30 minutes", "45 minutes"))]).await;
    assert!(answer.contains("revision 2") && answer.contains("30 minutes → **45 minutes**"), "{answer}");
    let (answer, _) = rig.send("ana", &second, &[("text", &risks.replace("read-only mode", "maintenance mode"))]).await;
    assert!(answer.contains("revision 3"), "{answer}");
    let (answer, file) = rig.send("ana", &first, &[("text", &comms.replace("30 minutes", "60 minutes"))]).await;
    assert!(answer.contains("Someone changed this section in the meantime") && file.is_some(), "{answer}");
    let seen = rig.sandbox().slash("ana", "releases", "release export", &[], None).await.unwrap();
    let (_, exported) = file_of(&seen);
    assert!(exported.contains("Updates every: 45 minutes") && exported.contains("maintenance mode"), "{exported}");
    let changed = PLAN.lines().zip(exported.lines()).filter(|(a, b)| a != b).count();
    assert_eq!(changed, 2, "nothing else moved");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn safe_fixes_are_applied_or_downloaded() {
    let rig = Rig::new().await;
    let plan =
        PLAN.replace("## Success Criteria", "## Success Metrics").replace("exceeds 2% for 5 minutes", "exceeds 2%");
    let answer = rig.import("ana", "loose.md", plan.as_bytes()).await;
    assert!(answer.contains("TM011") && answer.contains("TM064") && answer.contains("[Apply safe fixes]"), "{answer}");
    let fixed = rig.sandbox().press("ana", "releases", "Download fixed plan").await.unwrap();
    assert_eq!(file_of(&fixed), ("loose.md".to_owned(), PLAN.to_owned()));
    let applied = rig.press("ana", "releases", "Apply safe fixes", &[]).await;
    assert!(applied.contains("REL-1 revision 2") && !applied.contains("TM0"), "{applied}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_plan_becomes_a_draft_that_asks_for_the_rest() {
    let rig = Rig::new().await;
    for (name, text, level) in [
        ("runbook.md", include_str!("../data/plans/runbook.md"), "Runbook."),
        ("phases.md", include_str!("../data/plans/mobile-phases.md"), "Free-form plan."),
        ("list.md", include_str!("../data/plans/launch-checklist.md"), "Checklist."),
    ] {
        let answer = rig.import("ana", name, text.as_bytes()).await;
        assert!(
            answer.starts_with("📥 Imported") && answer.contains(level) && answer.contains("are missing"),
            "{answer}"
        );
    }
    let submit = rig.slash("ana", "release submit", &[("release", "REL-3")]).await;
    assert!(submit.contains("You can't submit this plan yet") && submit.contains("Release Date/Time"), "{submit}");
    let card = rig.slash("ana", "release show", &[("release", "REL-3")]).await;
    assert!(card.contains("not set"), "{card}");
    rig.slash("ana", "release edit", &[("release", "REL-3")]).await;
    let (form, blank) = rig.open("ana", "Add: Release Overview").await;
    let filled = blank
        .replace("[what ships, in a few words]", "Launch day")
        .replace("[YYYY-MM-DD HH:MM zone]", "2026-12-10 10:00 UTC")
        .replace("[ ] Hotfix", "[x] Hotfix")
        .replace("[ ] Low", "[x] Low");
    let (answer, _) = rig.send("ana", &form, &[("text", filled.as_str())]).await;
    assert!(
        answer.contains("REL-3 revision 2") && answer.contains("Launch day") && answer.contains("Hotfix, Low"),
        "{answer}"
    );
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_comes_home_with_what_a_human_edited_meanwhile() {
    let rig = Rig::approved().await;
    rig.advance(t(-100)).await;
    let seen = rig.sandbox().slash("ana", "releases", "release export", &[], None).await.unwrap();
    let (_, exported) = file_of(&seen);
    let edited = exported
        .replace("] Dependencies deployed and stable", "] Dependencies deployed and stable everywhere")
        .replace("Schedule retrospective if needed", "Hold a retrospective");
    let seen = rig
        .sandbox()
        .slash("ana", "releases", "release import", &[("release", "REL-1")], Some(("home.md", edited.as_bytes())))
        .await
        .unwrap();
    rig.quiet().await;
    let answer = shown(&seen);
    assert!(
        answer.contains("revision 2") && answer.contains("looks like a rewording of") && answer.contains("stays done"),
        "{answer}"
    );
    let seen = rig.sandbox().slash("ana", "releases", "release export", &[("release", "REL-1")], None).await.unwrap();
    let (_, again) = file_of(&seen);
    assert!(again.contains("- [x] Dependencies deployed and stable everywhere"), "the item went on: {again}");
    assert_eq!(again.matches("tminus:begin log").count(), 1);
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_export_puts_nothing_back_and_an_unticked_gate_is_open_again() {
    let rig = Rig::approved().await;
    let export = async || {
        let seen =
            rig.sandbox().slash("ana", "releases", "release export", &[("release", "REL-1")], None).await.unwrap();
        file_of(&seen).1
    };
    let import = async |text: &str| {
        let file = Some(("home.md", text.as_bytes()));
        let seen =
            rig.sandbox().slash("ana", "releases", "release import", &[("release", "REL-1")], file).await.unwrap();
        rig.quiet().await;
        shown(&seen)
    };
    let old = export().await;
    assert!(old.contains("- [x] Dependencies deployed and stable"), "{old}");
    let answer = import(&old.replace("- [x] Dependencies", "- [ ] Dependencies")).await;
    assert!(answer.contains("revision 2"), "{answer}");
    let newer = export().await;
    assert!(newer.contains("- [ ] Dependencies deployed and stable"), "a human unticked it: {newer}");
    let answer = import(&old).await;
    assert!(answer.contains("Somebody changed the plan in the meantime: it is now at revision 2"), "{answer}");
    let go = rig.slash("ana", "release go", &[]).await;
    assert!(go.contains("Dependencies deployed and stable"), "the gate stands open again: {go}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_shows_the_moved_t0() {
    let rig = Rig::approved().await;
    let options = [("time", "2026-12-10 18:00"), ("reason", "Latency must stay < 400ms")];
    rig.slash("ana", "release reschedule", &options).await;
    let options = [("release", "REL-1")];
    let seen = rig.sandbox().slash("ana", "releases", "release export", &options, None).await.unwrap();
    let (_, exported) = file_of(&seen);
    assert!(exported.contains("**Release Date/Time:** 2026-12-10 18:00 Europe/Berlin"), "{exported}");
    assert!(exported.contains("stay < 400ms"), "{exported}");
    // Importing it again does not move T-0 back.
    let edited = exported.replace("Purpose", "Aim");
    let file = Some(("home.md", edited.as_bytes()));
    let seen = rig.sandbox().slash("ana", "releases", "release import", &options, file).await.unwrap();
    rig.quiet().await;
    assert!(shown(&seen).contains("T-0: Thu 17:00"), "{}", shown(&seen));
    rig.finish().await;
}

/// What an import asks is answered in chat, one thing at a time, until the plan can be submitted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_says_little_is_completed_in_chat() {
    let rig = Rig::new().await;
    let mut answer = rig.import("ana", "orders.md", b"# Orders 9\n\nWe ship the order service.\n").await;
    assert!(answer.contains("Findings"), "{answer}");
    let answers = [
        ("Release Date/Time", "2026-12-08 14:00 Europe/Berlin"),
        ("Release Type", "Standard"),
        ("Risk Level", "Low"),
        ("Release Owner", "Ana Ferreira (@ana)"),
        ("On-Call Engineer", "Ben Okafor (@ben)"),
        ("Rollout Approach", "Canary (percentage: 5%)"),
        ("Channel", "#releases"),
        ("Updates every", "30 minutes"),
        ("Approval Sign-offs", "Engineering Lead: Ben Okafor\nProduct Owner: Hugo Lindqvist"),
    ];
    for (revision, (label, value)) in (2..).zip(answers) {
        let seen = rig.sandbox().choose("ana", "releases", &format!("Fill in: {label}")).await.unwrap();
        answer = if let Seen::Modal { data, .. } = &seen {
            rig.send("ana", data, &[("text", value)]).await.0
        } else {
            let chosen = rig.sandbox().choose("ana", "releases", value).await.unwrap();
            rig.quiet().await;
            shown(&chosen)
        };
        assert!(answer.contains(&format!("revision {revision}")), "{label}: {answer}");
    }
    assert!(!answer.contains("missing: Release"), "{answer}");
    let submitted = rig.slash("ana", "release submit", &[]).await;
    assert!(submitted.starts_with("✅"), "{submitted}");
    rig.finish().await;
}
