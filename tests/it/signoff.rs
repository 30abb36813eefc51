//! Who may sign: a case each, by command and by button, with nothing recorded when refused.

use serde_json::Value;
use tminus::sandboxed::{PLAN, t};

use crate::rig::{Rig, shown};

async fn asked() -> Rig {
    let rig = Rig::new().await;
    rig.import("ana", "checkout-4.2.md", PLAN.as_bytes()).await;
    rig.press("ana", "releases", "Submit for sign-off", &[]).await;
    rig
}

/// The message that asks for sign-offs and the id of one of its buttons.
pub fn button(rig: &Rig, label: &str) -> (u64, String) {
    for message in rig.sandbox().messages("releases").iter().rev() {
        let rows = message.body["components"].as_array().cloned().unwrap_or_default();
        let parts = rows.iter().flat_map(|r| r["components"].as_array().cloned().unwrap_or_default());
        if let Some(found) = parts.into_iter().find(|b: &Value| b["label"] == label) {
            return (message.id, found["custom_id"].as_str().unwrap().to_owned());
        }
    }
    panic!("no button {label}");
}

async fn refused(rig: &Rig, who: &str, role: &str, label: &str, why: &str) {
    let answer = rig.slash(who, "release signoff give", &[("role", role)]).await;
    assert!(answer.starts_with("⛔") && answer.contains(why), "by command, {who}: {answer}");
    let (message, id) = button(rig, label);
    let answer = shown(&rig.sandbox().press_id(who, "releases", message, &id).await.unwrap());
    assert!(answer.starts_with("⛔") && answer.contains(why), "by button, {who}: {answer}");
    assert_eq!(rig.count("releases", "signed ·"), 0, "nothing is announced");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mis_pressed_receipt_is_taken_back_within_a_minute() {
    let rig = Rig::approved().await;
    rig.advance(t(-119)).await;
    let answer = rig.press("gwen", "support", "Briefed", &[]).await;
    assert!(answer.contains("[Undo]"), "{answer}");
    rig.advance(t(-119) + 30_000).await;
    assert!(rig.newest("support").contains("✅ Briefed: Gwen Lee"), "{}", rig.newest("support"));
    let answer = rig.press("gwen", "support", "Undo", &[]).await;
    assert!(answer.contains("undone"), "{answer}");
    rig.advance(t(-118)).await;
    let rung = rig.newest("support");
    assert!(!rung.contains("✅ Briefed") && rung.contains("[Briefed]"), "the question is open again: {rung}");
    rig.press("gwen", "support", "Briefed", &[]).await;
    rig.advance(t(-116)).await;
    let late = rig.press("gwen", "support", "Undo", &[]).await;
    assert!(late.contains("the 60 seconds are over"), "{late}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_without_the_mapped_role_cannot_sign() {
    let rig = asked().await;
    refused(&rig, "hugo", "engineering_lead", "Sign as Engineering Lead", "You don't have permission").await;
    refused(&rig, "dev", "sre_ops", "Sign as SRE/Ops", "You don't have permission").await;
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_cannot_sign_the_own_plan() {
    let rig = asked().await;
    refused(&rig, "ana", "engineering_lead", "Sign as Engineering Lead", "owner or author").await;
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_in_another_server_cannot_sign() {
    let rig = asked().await;
    refused(
        &rig, "other-server:chloe", "engineering_lead", "Sign as Engineering Lead", "This server has no open release",
    )
    .await;
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_signs_for_one_role_and_only_once() {
    let rig = asked().await;
    rig.sign_all().await;
    let again = rig.slash("chloe", "release signoff give", &[("role", "engineering_lead")]).await;
    assert!(again.contains("Chloe Martin already signed"), "{again}");
    assert_eq!(rig.count("releases", "All required roles have signed. T-0"), 1);
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_material_change_voids_sign_offs_and_old_buttons() {
    let rig = asked().await;
    let (message, old) = button(&rig, "Sign as Product Owner");
    rig.sign_all().await;
    let changed = PLAN.replace("exceeds 2% for 5 minutes", "exceeds 3% for 5 minutes");
    let plan = ("checkout-4.2.md", changed.as_bytes());
    let seen =
        rig.sandbox().slash("ana", "releases", "release import", &[("release", "REL-1")], Some(plan)).await.unwrap();
    rig.quiet().await;
    assert!(shown(&seen).contains("material: voids the sign-offs"), "{}", shown(&seen));
    let stale = shown(&rig.sandbox().press_id("dev", "releases", message, &old).await.unwrap());
    assert!(stale.contains("out of date"), "{stale}");
    let go = rig.slash("ana", "release go", &[]).await;
    assert!(go.contains("Engineering Lead sign-off"), "{go}");
    let cosmetic = changed.replace("without losing a single order", "without losing an order");
    let plan = ("checkout-4.2.md", cosmetic.as_bytes());
    rig.sign_all().await;
    let seen =
        rig.sandbox().slash("ana", "releases", "release import", &[("release", "REL-1")], Some(plan)).await.unwrap();
    assert!(shown(&seen).contains("cosmetic: sign-offs stay"), "{}", shown(&seen));
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn go_needs_every_sign_off_and_break_glass_needs_an_emergency() {
    let rig = asked().await;
    let go = rig.slash("ana", "release go", &[]).await;
    assert!(go.contains("You can't give the go yet") && go.contains("Dependencies deployed and stable"), "{go}");
    let glass = rig.slash("ana", "release go", &[("break_glass", "hurry")]).await;
    assert!(glass.contains("Break-glass is only for Emergency releases"), "{glass}");
    let stranger = rig.slash("hugo", "release go", &[]).await;
    assert!(stranger.contains("You don't have permission"), "{stranger}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_goes_by_break_glass_and_owes_its_sign_offs() {
    let rig = Rig::new().await;
    let plan = PLAN.replace("[x] Standard [ ] Hotfix [ ] Emergency", "[ ] Standard [ ] Hotfix [x] Emergency");
    rig.import("ana", "emergency.md", plan.as_bytes()).await;
    rig.press("ana", "releases", "Submit for sign-off", &[]).await;
    assert_eq!(rig.count("support", "📣 T-2h · "), 1, "an emergency tells at once");
    let glass = rig.slash("ana", "release go", &[("break_glass", "Orders are being lost")]).await;
    assert!(glass.contains("is live"), "{glass}");
    assert_eq!(rig.count("tminus-ops", "Live by break-glass"), 1);
    // Asked while there is time, by whoever it is for; asked again when it is due.
    let asked = rig.newest("releases");
    assert!(asked.contains("⏳ Sign-offs owed after break-glass") && asked.contains("[Sign as SRE/Ops]"), "{asked}");
    assert!(asked.contains("calls @Engineering Leads @Product @SRE"), "{asked}");
    assert!(rig.press("eva", "releases", "Sign as SRE/Ops", &[]).await.starts_with("✅"));
    rig.advance(tminus::sandboxed::BEGIN_MS + 25 * 3_600_000).await;
    assert_eq!(rig.count("releases", "Sign-offs owed after break-glass"), 2);
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_revised_the_plan_cannot_sign_it() {
    let rig = asked().await;
    let changed = PLAN.replace("> 2%", "> 3%");
    let plan = ("checkout-4.2.md", changed.as_bytes());
    rig.sandbox().slash("iris", "releases", "release import", &[("release", "REL-1")], Some(plan)).await.unwrap();
    rig.quiet().await;
    refused(&rig, "iris", "engineering_lead", "Sign as Engineering Lead", "owner or author").await;
    let broken = PLAN.replace("[x] Medium", "[ ] Medium");
    let plan = ("checkout-4.2.md", broken.as_bytes());
    let options = [("release", "REL-1")];
    let seen = rig.sandbox().slash("iris", "releases", "release import", &options, Some(plan)).await.unwrap();
    assert!(shown(&seen).contains("TM030"), "what cannot be submitted cannot replace it: {}", shown(&seen));
    rig.finish().await;
}

/// A concern stands against go until whoever raised it, or a release manager, ends it by name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_concern_stands_against_go_until_it_is_resolved_by_name() {
    let rig = Rig::approved().await;
    let stranger = rig.slash("hugo", "release concern raise", &[("reason", "I do not like it")]).await;
    assert!(stranger.contains("You don't have permission"), "{stranger}");
    let raised = rig.slash("eva", "release concern raise", &[("reason", "The replica lags; @everyone look")]).await;
    assert!(raised.contains("Concern #1 raised"), "{raised}");
    let said = rig.newest("releases");
    assert!(said.contains("✋ Concern #1") && said.contains("@eva") && said.contains("calls @ana"), "{said}");
    let again = rig.slash("dev", "release concern raise", &[("reason", "No runbook")]).await;
    assert!(again.contains("Concern #2 raised"), "{again}");

    rig.advance(t(0)).await;
    let refused = rig.slash("ana", "release go", &[]).await;
    assert!(refused.contains("concern #1 by @eva") && refused.contains("concern #2 by @dev"), "{refused}");
    let asked = rig.newest("releases");
    assert!(asked.contains("concern #1"), "the go / no-go names it: {asked}");

    // Several are open, one must be named; another's is not anybody's to end.
    let which = rig.slash("eva", "release concern resolve", &[("reason", "caught up")]).await;
    assert!(which.contains("#1") && which.contains("#2"), "{which}");
    let foreign = rig.slash("eva", "release concern resolve", &[("concern", "2"), ("reason", "fine")]).await;
    assert!(foreign.contains("@dev (who raised it)"), "{foreign}");
    let done = rig.slash("eva", "release concern resolve", &[("concern", "#1"), ("reason", "caught up")]).await;
    assert!(done.contains("Concern #1 resolved"), "{done}");
    let over = rig.slash("ana", "release concern resolve", &[("reason", "The runbook is linked now")]).await;
    assert!(over.contains("Concern #2 resolved"), "a release manager may: {over}");
    let told = rig.newest("releases");
    assert!(told.contains("calls @ana @dev") && told.contains("No open concerns"), "whoever raised it is told: {told}");
    let none = rig.slash("eva", "release concern resolve", &[("reason", "?")]).await;
    assert!(none.contains("⛔"), "{none}");

    let went = rig.slash("ana", "release go", &[]).await;
    assert!(went.contains("is live"), "{went}");
    let late = rig.slash("eva", "release concern raise", &[("reason", "too late")]).await;
    assert!(late.contains("⛔"), "after go it is an alert or a rollback: {late}");
    rig.finish().await;
}

/// Owner and on-call are handed over on the record; every ping from then on goes to whoever has the part.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_is_handed_over_and_the_pings_move_with_it() {
    let rig = Rig::approved().await;
    let id = |name: &str| tminus::sandboxed::world().person(name).unwrap().id.to_string();
    let hand = async |who: &str, part: &str, to: &str| {
        rig.slash(who, "release handover", &[("part", part), ("to", &id(to)), ("reason", "Ana is ill")]).await
    };
    let stranger = hand("hugo", "owner", "hugo").await;
    assert!(stranger.contains("You don't have permission"), "{stranger}");
    let signer = hand("ana", "owner", "eva").await;
    assert!(signer.contains("They signed this plan as SRE/Ops"), "an owner does not sign their own plan: {signer}");
    let on_call = hand("ben", "owner", "ben").await;
    assert!(on_call.contains("You don't have permission"), "the on-call gives away their own part only: {on_call}");
    let done = hand("ana", "owner", "hugo").await;
    assert!(done.contains("T-Minus announces the new release owner"), "{done}");
    let said = rig.newest("releases");
    let words = "@hugo is now the release owner, replacing @ana";
    assert!(said.contains("🤝 New release owner") && said.contains(words), "{said}");
    assert!(said.contains("calls @hugo @ana") && said.contains("Ana is ill"), "{said}");
    let again = hand("hugo", "owner", "hugo").await;
    assert!(again.contains("⛔"), "{again}");
    // The document still says Ana: importing it again, with a word changed that is not material, undoes nothing.
    let cosmetic = PLAN.replace("## Post-Release", "Thanks to everybody.\n\n## Post-Release");
    assert_ne!(cosmetic, PLAN);
    let file = Some(("checkout-4.2.md", cosmetic.as_bytes()));
    rig.sandbox().slash("iris", "releases", "release import", &[("release", "REL-1")], file).await.unwrap();
    rig.quiet().await;
    let card = rig.slash("ana", "release show", &[]).await;
    assert!(card.contains("owner @hugo"), "{card}");
    rig.advance(t(0)).await;
    let asked = rig.newest("releases");
    assert!(asked.contains("calls @hugo") && !asked.contains("calls @ana"), "go or no-go is the new owner's: {asked}");
    let went = rig.slash("hugo", "release go", &[]).await;
    assert!(went.contains("is live"), "{went}");
    rig.slash("ben", "release rollback", &[("reason", "Orders are lost")]).await;
    let done = hand("ben", "on_call", "eva").await;
    let said = rig.newest("releases");
    assert!(said.contains("Waiting for an answer: • the rollback in progress"), "{said}");
    assert!(done.contains("T-Minus announces the new on-call engineer"), "while it is live as well: {done}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reminder_is_sent_now_once_an_hour() {
    let rig = asked().await;
    let begin = rig.sandbox().clock().now_ms();
    let hour = 3_600_000;
    let remind = |who: &'static str| rig.slash(who, "release signoff remind", &[]);
    assert!(remind("hugo").await.contains("You don't have permission"), "hugo has no part in it");
    let answer = remind("ana").await;
    assert!(answer.contains("Reminded: ") && answer.contains("next reminder at"), "{answer}");
    assert_eq!(rig.count("releases", "⏳ Sign-offs pending"), 1);
    rig.advance(begin + hour - 60_000).await;
    let early = remind("dev").await;
    assert!(early.starts_with("⛔") && early.contains("less than an hour old"), "{early}");
    // The reminder of the fourth hour would come ten minutes after this one: one is enough.
    rig.advance(begin + 4 * hour - 600_000).await;
    assert!(remind("dev").await.contains("Reminded: "));
    rig.advance(begin + 5 * hour).await;
    assert_eq!(rig.count("releases", "⏳ Sign-offs pending"), 2);
    assert!(rig.newest("releases").contains("calls @"), "those pending: {}", rig.newest("releases"));
    let timeline = rig.slash("dev", "release timeline", &[("show", "decisions")]).await;
    assert!(timeline.contains("sent a reminder to those who have not signed"), "{timeline}");
    for (who, role) in [("chloe", "engineering_lead"), ("dev", "product_owner"), ("eva", "sre_ops")] {
        rig.slash(who, "release signoff give", &[("role", role)]).await;
    }
    let done = remind("ana").await;
    assert!(done.contains("There is no open reminder of sign-offs"), "{done}");
    rig.finish().await;
}

/// Found by a reader: the reminder was worth sending only until T-0, and go may come later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reminder_after_t0_reaches_its_channel() {
    let rig = asked().await;
    rig.advance(t(20)).await;
    let before = rig.count("releases", "⏳ Sign-offs pending");
    let answer = rig.slash("ana", "release signoff remind", &[]).await;
    assert!(answer.contains("Reminded: "), "{answer}");
    assert_eq!(rig.count("releases", "⏳ Sign-offs pending"), before + 1);
    rig.finish().await;
}
