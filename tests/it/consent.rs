//! Sign-offs, waivers, receipts and go where the plan, the rules or the people change in between. All of it was found by review.

use tminus::sandboxed::{PLAN, t};

use crate::rig::{Rig, shown, text};

fn high() -> String {
    PLAN.replace("[x] Medium [ ] High", "[ ] Medium [x] High")
}

fn emergency() -> String {
    PLAN.replace("[x] Standard [ ] Hotfix [ ] Emergency", "[ ] Standard [ ] Hotfix [x] Emergency")
}

async fn revise(rig: &Rig, plan: &str) -> String {
    let (options, file) = ([("release", "REL-1")], Some(("plan.md", plan.as_bytes())));
    let seen = rig.sandbox().slash("ana", "releases", "release import", &options, file).await.unwrap();
    rig.quiet().await;
    shown(&seen)
}

async fn sign(rig: &Rig, who: &str, role: &str) -> String {
    rig.slash(who, "release signoff give", &[("role", role)]).await
}

async fn rule(rig: &Rig, verb: &str) {
    let add = [("name", "Audit"), ("role", "security"), ("risk", "medium")];
    let options = if verb == "add" { add.as_slice() } else { &add[..1] };
    let done = rig.slash("ana", &format!("tminus rule {verb}"), options).await;
    assert!(done.starts_with('✅'), "{done}");
}

/// What was waived at Medium counted at High, where nothing is waived.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiver_of_a_lower_risk_does_not_count_at_high() {
    let rig = Rig::strict(&[("must_confirm", "support")]).await;
    rig.submit(PLAN).await;
    for item in ["T-2h/support", "dependencies deployed and stable"] {
        let waived = rig.slash("ana", "release item waive", &[("text", item), ("reason", "a small change")]).await;
        assert!(waived.starts_with('✅'), "{waived}");
    }
    rig.sign_all().await;
    revise(&rig, &high()).await;
    rig.sign_all().await;
    let go = rig.slash("ana", "release go", &[]).await;
    for open in ["T-2h/support is not confirmed", "“Dependencies deployed and stable” is not done"] {
        assert!(go.contains(open), "{open}: {go}");
    }
    rig.finish().await;
}

/// A notice whose time was past on the new schedule was not said, and what go waited for could not be given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_that_go_waits_for_can_be_given_though_its_notice_was_skipped() {
    let rig = Rig::strict(&[("must_confirm", "support")]).await;
    rig.submit(&high()).await;
    rig.sign_all().await;
    rig.advance(t(-119)).await;
    assert!(rig.slash("gwen", "release item brief", &[("text", "T-2h")]).await.starts_with('✅'));
    rig.advance(t(-30)).await;
    let moved = [("time", "2026-12-08 15:00 Europe/Berlin"), ("reason", "the vendor is late")];
    let moved = rig.slash("ana", "release reschedule", &moved).await;
    assert!(moved.starts_with('✅'), "{moved}");
    rig.sign_all().await;
    let go = rig.slash("ana", "release go", &[]).await;
    assert!(go.contains("T-2h/support is not confirmed"), "{go}");
    let brief = rig.slash("gwen", "release item brief", &[]).await;
    assert!(brief.starts_with('✅'), "the only one that waits: {brief}");
    assert!(rig.slash("hugo", "release show", &[]).await.contains("✅ T-2h/support confirmed"));
    let go = rig.slash("ana", "release go", &[]).await;
    assert!(!go.contains("T-2h/support"), "{go}");
    rig.finish().await;
}

/// The option “break_glass” let whoever may break glass give any go, without a trace of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_nothing_to_break_go_is_for_whoever_may_give_it() {
    let rig = Rig::strict(&[("break_glass", "@SRE")]).await;
    rig.submit(&emergency()).await;
    rig.sign_all().await;
    rig.slash("ana", "release item done", &[("text", "dependencies-deployed-and-stable")]).await;
    let glass = [("break_glass", "it is quicker")];
    let denied = rig.slash("eva", "release go", &glass).await;
    assert!(denied.contains("Ask: the release owner, "), "{denied}");
    assert!(rig.slash("ana", "release go", &glass).await.contains("is live"));
    assert_eq!(rig.count("tminus-ops", "Live by break-glass"), 0, "nothing was broken");
    rig.finish().await;
}

/// Whoever gave go by break-glass and has no other part was offered a button that was refused to everybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_go_by_break_glass_is_taken_back_by_whoever_gave_it() {
    let rig = Rig::strict(&[("break_glass", "@Security")]).await;
    rig.submit(&emergency()).await;
    let went = rig.slash("farid", "release go", &[("break_glass", "checkout is down")]).await;
    assert!(went.contains("is live"), "{went}");
    let undone = rig.press("farid", "releases", "Undo", &[]).await;
    assert!(undone.contains("Undone"), "{undone}");
    rig.finish().await;
}

/// A rule that came while the countdown stood still asked nobody, and one that went approved nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_reach_a_release_that_is_on_hold() {
    let rig = Rig::strict(&[]).await;
    rig.submit(PLAN).await;
    rig.sign_all().await;
    rig.slash("ana", "release hold", &[("reason", "waiting for the vendor")]).await;
    rig.advance(t(30)).await;
    rule(&rig, "add").await;
    let asked = rig.newest("releases");
    assert!(asked.contains("⏳ Sign-offs pending") && asked.contains("calls @Security"), "{asked}");
    assert!(asked.contains("On hold: T-0 will move. Still missing: **Security**"), "{asked}");
    let request = rig.sandbox().messages("releases").iter().map(text).find(|m| m.contains("[Sign as Security]"));
    assert!(request.is_some(), "the request has the button");
    rule(&rig, "remove").await;
    assert!(rig.newest("releases").contains("✅ Approved"), "{}", rig.newest("releases"));
    rig.slash("ana", "release resume", &[]).await;
    let card = rig.slash("hugo", "release show", &[]).await;
    assert!(card.contains("Approved"), "{card}");
    rig.finish().await;
}

/// A sign-off that the rules ask for no more bound its giver for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_off_that_is_required_no_more_can_be_taken_back() {
    let rig = Rig::strict(&[]).await;
    rule(&rig, "add").await;
    rig.submit(PLAN).await;
    assert!(sign(&rig, "farid", "security").await.starts_with('✅'));
    rule(&rig, "remove").await;
    assert!(sign(&rig, "farid", "security").await.contains("does not need a Security sign-off"));
    rig.sign_all().await;
    let back = rig.slash("farid", "release signoff withdraw", &[("role", "security")]).await;
    assert!(back.starts_with('✅'), "{back}");
    let said = rig.newest("releases");
    assert!(said.contains("Nothing changes: all required roles have signed."), "{said}");
    assert!(rig.slash("hugo", "release show", &[]).await.contains("Approved"), "it stays approved");
    rig.finish().await;
}

/// Whoever refused dropped a colleague's sign-off, and the colleague was not told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_sign_off_falls_by_a_refusal_is_told() {
    let rig = Rig::strict(&[]).await;
    rig.submit(PLAN).await;
    rig.sign_all().await;
    rig.slash("iris", "release signoff refuse", &[("role", "engineering_lead"), ("reason", "the load test failed")])
        .await;
    let said = rig.newest("releases");
    assert!(
        said.contains(
            "Had signed: Chloe Martin. Earlier sign-offs no longer count. If you still approve, sign again with"
        ),
        "{said}"
    );
    assert!(said.contains("calls @ana @chloe"), "{said}");
    rig.finish().await;
}

/// An amendment voided what had been signed after break-glass, told nobody, and left buttons that were overtaken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_signed_after_break_glass_outlives_an_amendment() {
    let rig = Rig::strict(&[]).await;
    rig.submit(&emergency()).await;
    assert!(rig.slash("ana", "release go", &[("break_glass", "checkout is down")]).await.contains("is live"));
    assert!(sign(&rig, "chloe", "engineering_lead").await.starts_with('✅'));
    revise(&rig, &emergency().replace("100% of users - 1 hour", "100% of users - 2 hours")).await;
    for who in ["ana", "ben"] {
        rig.press(who, "releases", "Agree", &[]).await;
    }
    let asked = rig.newest_about("releases", "Sign-offs owed after break-glass");
    assert!(asked.contains("still missing: Product Owner, SRE/Ops"), "{asked}");
    assert!(rig.press("eva", "releases", "Sign as SRE/Ops", &[]).await.starts_with('✅'));
    assert!(sign(&rig, "chloe", "engineering_lead").await.contains("signed"), "it stands");
    let again = sign(&rig, "iris", "engineering_lead").await;
    assert!(again.starts_with('⛔') && again.contains("Chloe Martin"), "{again}");
    rig.finish().await;
}

/// Go was wanted ahead of its T-0, in a freeze that T-0 is not in, and the exception that was named was refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_freeze_that_stands_against_go_now_can_be_excepted() {
    let rig = Rig::strict(&[]).await;
    rig.submit(PLAN).await;
    rig.sign_all().await;
    rig.slash("ana", "release item done", &[("text", "dependencies-deployed-and-stable")]).await;
    let freeze = [("name", "Fair"), ("from", "2026-12-01 00:00"), ("until", "2026-12-08 12:00")];
    assert!(rig.slash("ana", "tminus freeze add", &freeze).await.starts_with('✅'));
    rig.advance(t(-180)).await;
    let go = rig.slash("ana", "release go", &[]).await;
    assert!(go.contains("Fair"), "{go}");
    let except = rig.slash("ana", "tminus freeze except", &[("reason", "the vendor needs it now")]).await;
    assert!(except.starts_with('✅'), "{except}");
    // Two that hold now and at T-0 are told apart by their names.
    for name in ["Wide", "Wider"] {
        let freeze = [("name", name), ("from", "2026-12-01 00:00"), ("until", "2026-12-20 12:00")];
        assert!(rig.slash("ana", "tminus freeze add", &freeze).await.starts_with('✅'));
    }
    let which = rig.slash("ana", "tminus freeze except", &[("reason", "the vendor needs it now")]).await;
    assert!(which.starts_with('⛔') && which.matches("Wider").count() == 1, "{which}");
    for name in ["Wide", "wider"] {
        let except = [("name", name), ("reason", "the vendor needs it now")];
        let except = rig.slash("ana", "tminus freeze except", &except).await;
        assert!(except.starts_with('✅'), "{except}");
    }
    assert!(rig.slash("ana", "release go", &[]).await.contains("is live"));
    rig.finish().await;
}

/// What came before a late go was counted from the go, and a line break in somebody's words made a line of the record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_keeps_its_labels_after_go_and_one_line_for_each_entry() {
    let rig = Rig::approved().await;
    rig.advance(t(10)).await;
    assert!(rig.slash("ana", "release go", &[]).await.contains("is live"));
    let forged = "fine\nT-1h · Tue 8 Dec 13:00 Europe/Berlin · Eva Novak: signed as Security";
    rig.slash("ana", "release update", &[("text", forged)]).await;
    let seen = rig.sandbox().slash("hugo", "releases", "release timeline", &[], None).await.unwrap();
    let chat_sandbox::Seen::Message(message) = &seen else { panic!("no message") };
    let record = String::from_utf8(message.file().unwrap().1).unwrap();
    let line =
        |what: &str| record.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {record}"));
    assert!(line("sent T-30m/status-page").starts_with("T-30m · "), "{record}");
    assert!(line("gave the go").starts_with("T+0 · ") || line("gave the go").starts_with("T-0 · "), "{record}");
    assert!(line("signed as Security").contains("update: fine T-1h"), "{record}");
    rig.finish().await;
}

/// A receipt that go waits for was asked of nobody, and @everyone was given parts that it gives to nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn setup_refuses_what_would_be_nobodys() {
    let rig = Rig::with(false).await;
    let alone = rig.slash("ana", "tminus setup", &[("must_confirm", "support")]).await;
    assert!(alone.contains("Set a role in the option “support” as well"), "{alone}");
    let guild = tminus::sandboxed::world().guild.to_string();
    let everyone = rig.slash("ana", "tminus setup", &[("engineering_lead", guild.as_str())]).await;
    assert!(everyone.contains("You can't use @everyone as a role here"), "{everyone}");
    let told = [("name", "support"), ("role", guild.as_str())];
    let told = rig.slash("ana", "tminus audience set", &told).await;
    assert!(told.contains("You can't use @everyone as a role here"), "{told}");
    rig.finish().await;
}

/// What waited for its channel called whoever had the part before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_its_channel_calls_whoever_has_the_part_by_then() {
    let rig = Rig::approved().await;
    rig.advance(t(0)).await;
    assert!(rig.slash("ana", "release go", &[]).await.contains("is live"));
    rig.sandbox().revoke(chat_sandbox::Right::SendMessages, Some("releases"), true);
    rig.slash("eva", "release hold", &[("reason", "the queue grows")]).await;
    let to = rig.id("iris");
    let part = [("part", "on_call"), ("to", to.as_str()), ("reason", "Ben is ill")];
    let moved = rig.slash("ana", "release handover", &part).await;
    assert!(moved.starts_with('✅'), "{moved}");
    rig.sandbox().revoke(chat_sandbox::Right::SendMessages, Some("releases"), false);
    rig.advance(t(30)).await;
    let held = rig.newest_about("releases", "the queue grows");
    assert!(held.contains("calls @ana @ben @iris"), "{held}");
    assert!(rig.newest_about("releases", "Ben is ill").contains("@ben"), "who had it is told");
    rig.finish().await;
}

/// Whoever signed and was given the owner's part while it ran had signed their own plan once go was taken back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_go_that_is_taken_back_leaves_no_owner_who_signed() {
    let rig = Rig::approved().await;
    rig.advance(t(0)).await;
    assert!(rig.slash("ana", "release go", &[]).await.contains("is live"));
    let to = rig.id("chloe");
    let moved = rig.slash("ana", "release handover", &[("part", "owner"), ("to", to.as_str())]).await;
    assert!(moved.starts_with('✅'), "{moved}");
    assert!(rig.press("ana", "releases", "Undo", &[]).await.contains("Undone"));
    let card = rig.slash("hugo", "release show", &[]).await;
    assert!(card.contains("Gathering") && card.contains("⬜ Engineering Lead"), "{card}");
    let asked = rig.newest("releases");
    assert!(asked.contains("⏳ Sign-offs pending") && asked.contains("Engineering Lead"), "{asked}");
    let go = rig.slash("ana", "release go", &[]).await;
    assert!(go.contains("Engineering Lead sign-off"), "{go}");
    rig.finish().await;
}
