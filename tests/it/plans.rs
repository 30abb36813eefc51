//! Plans through the front door: what cannot be read is refused with its place and nothing is stored; hostile text shows
//! as it is and calls nobody; export gives the document back.

use tminus::sandboxed::{PLAN, t};
use tminus_sandbox::Seen;

use crate::rig::{Rig, shown};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_does_not_parse_is_refused_with_its_place() {
    let rig = Rig::new().await;
    for (from, to, place) in [
        ("2026-12-08 14:00 Europe/Berlin", "8/12/2026 14:00 CET", "line 8, column 24 (TM074)"),
        ("2026-12-08 14:00 Europe/Berlin", "2026-03-29 02:30 Europe/Berlin", "line 8, column 24 (TM073)"),
        ("> 400ms", "> 4oo ms", "line 46, column 35 (TM050)"),
        ("< 1% ", "< 1,5% ", "line 47, column 23 (TM050)"),
    ] {
        let plan = PLAN.replacen(from, to, 1);
        let answer = rig.import("ana", "bad.md", plan.as_bytes()).await;
        assert!(answer.starts_with("⛔ The plan cannot be read") && answer.contains(place), "{to}: {answer}");
    }
    let list = rig.slash("ana", "release list", &[]).await;
    assert!(list.contains("None yet"), "nothing was stored: {list}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incomplete_plan_is_a_draft_that_cannot_be_submitted() {
    let rig = Rig::new().await;
    let plan = PLAN.replace("[x] Medium", "[ ] Medium").replace("(@ana)", "").replace("Ana Ferreira", "Someone Else");
    let answer = rig.import("ana", "draft.md", plan.as_bytes()).await;
    assert!(answer.contains("No risk level is ticked") && answer.contains("Pick the member once"), "{answer}");
    let submit = rig.slash("ana", "release submit", &[]).await;
    assert!(submit.contains("Submitting is not possible") && submit.contains("TM030"), "{submit}");
    let picked = rig.sandbox().pick("ana", "releases", "ana").await.unwrap();
    assert!(shown(&picked).contains("owner @ana") || shown(&picked).contains("To mend"), "{}", shown(&picked));
    let stranger = rig.import("hugo", "draft.md", PLAN.as_bytes()).await;
    assert!(stranger.contains("You may not do this"), "{stranger}");
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
        ("pipes.md", format!("{PLAN}\n{}\n", "|".repeat(4_000)).into_bytes()),
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
    let (name, bytes) = message.file.unwrap();
    assert_eq!(name, "checkout-4.2.md");
    let exported = String::from_utf8(bytes).unwrap();
    let changed: Vec<(&str, &str)> = PLAN.lines().zip(exported.lines()).filter(|(a, b)| a != b).collect();
    assert_eq!(
        changed.iter().map(|(_, new)| *new).collect::<Vec<_>>(),
        [
            "- [x] Dependencies deployed and stable",
            "- [x] Engineering team notified (T-24h)",
            "- [x] Support team briefed (T-2h)",
            "- [x] Engineering Lead: Chloe Martin - 2026-12-07 13:00 Europe/Berlin",
            "- [x] Product Owner: Dev Patel - 2026-12-07 13:00 Europe/Berlin",
            "- [x] SRE/Ops: Eva Novak - 2026-12-07 13:00 Europe/Berlin",
        ]
    );
    assert_eq!(PLAN.lines().count(), exported.lines().count());
    rig.finish().await;
}
