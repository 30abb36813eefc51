//! Notices beyond their instant: corrected, retracted, confirmed by command, told in quiet hours, missed together; and steps
//! taken back within a minute.

use tminus::sandboxed::{PLAN, t};

use crate::rig::{Rig, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_go_pressed_by_mistake_is_taken_back_within_a_minute() {
    let rig = Rig::approved().await;
    rig.advance(t(0)).await;
    let went = rig.slash("ana", "release go", &[]).await;
    assert!(went.contains("[Undo]") && went.contains("Undo: Within 60 s"), "{went}");
    rig.sandbox().clock().move_to(t(0) + 59_000);
    let undone = rig.sandbox().press("ana", "releases", "Undo").await.unwrap();
    rig.quiet().await;
    assert!(crate::rig::shown(&undone).contains("Undone"), "{}", crate::rig::shown(&undone));
    let said = rig.newest("releases");
    assert!(said.starts_with("calls @ana @ben\n↩️ Go undone") && said.contains("the release is not live"), "{said}");
    let shown = rig.slash("ana", "release show", &[]).await;
    assert!(shown.starts_with("✅ Approved"), "{shown}");
    // Go again, and let the minute pass.
    let went = rig.slash("ana", "release go", &[]).await;
    assert!(went.starts_with("✅ Done"), "{went}");
    assert!(rig.count("releases", "🚀 Live · ") >= 2, "both are announced");
    rig.sandbox().clock().move_to(t(0) + 59_000 + 61_000);
    let late = rig.press("ana", "releases", "Undo", &[]).await;
    assert!(late.contains("the 60 seconds are over"), "{late}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_step_is_taken_back_by_whoever_took_it() {
    let rig = Rig::approved().await;
    rig.advance(t(0)).await;
    rig.slash("ana", "release go", &[]).await;
    rig.advance(t(31)).await;
    let blocked = rig.slash("ana", "release stage", &[("stage", "advance")]).await;
    assert!(blocked.contains("decision point T+15m"), "an open question blocks the next stage: {blocked}");
    rig.slash("eva", "release decide", &[("verdict", "continue"), ("reason", "calm")]).await;
    let moved = rig.slash("ana", "release stage", &[("stage", "advance")]).await;
    assert!(moved.contains("stage 2 of 3") && moved.contains("[Undo]"), "{moved}");
    rig.press("ana", "releases", "Undo", &[]).await;
    let said = rig.newest("releases");
    assert!(said.contains("↩️ Stage step undone") && said.contains("stage 1 of 3"), "{said}");
    let again = rig.sandbox().press("ana", "releases", "Undo").await;
    assert!(again.is_err() || crate::rig::shown(&again.unwrap()).contains("no open step"), "once");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_notice_is_corrected_or_retracted_and_its_audience_told_again() {
    let mut rig = Rig::approved().await;
    rig.advance(t(-119)).await;
    rig.news();
    let denied = rig.slash("hugo", "release item correct", &[("text", "T-2h"), ("reason", "x")]).await;
    assert!(denied.contains("You don't have permission"), "{denied}");
    let unknown = rig.slash("ana", "release item correct", &[("text", "T-3h"), ("reason", "x")]).await;
    assert!(unknown.contains("T-2h/support"), "what there is: {unknown}");
    let early = rig.slash("ana", "release item correct", &[("text", "T-30m"), ("reason", "x")]).await;
    assert!(early.contains("You can't correct T-30m/status-page"), "{early}");
    let right = [("text", "T-2h"), ("reason", "Card payments only; transfers are not touched")];
    let done = rig.slash("ana", "release item correct", &right).await;
    assert!(done.contains("Corrected: T-2h/support"), "{done}");
    rig.advance(t(-118)).await;
    insta::assert_snapshot!("corrected", rig.news());
    let right = [("text", "T-2h"), ("reason", "Support need not prepare"), ("step", "retract")];
    rig.slash("ana", "release item correct", &right).await;
    rig.advance(t(-117)).await;
    insta::assert_snapshot!("retracted", rig.news());
    let lines = rig.slash("ana", "release timeline", &[]).await;
    assert!(lines.contains("retracted T-2h/support"), "{lines}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_is_given_by_command_as_well() {
    let rig = Rig::approved().await;
    rig.advance(t(-119)).await;
    let foreign = rig.slash("ana", "release item brief", &[]).await;
    assert!(foreign.contains("Only support can confirm this"), "{foreign}");
    let done = rig.slash("gwen", "release item brief", &[]).await;
    assert!(done.contains("Receipt for T-2h/support recorded"), "{done}");
    let none = rig.slash("gwen", "release item brief", &[]).await;
    assert!(none.contains("There is no open receipt"), "{none}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_by_command_says_what_to_name_where_several_wait() {
    let rig = Rig::new().await;
    let plan = PLAN.replace("Status page updated (T-30m)", "Support team warned again (T-30m)");
    rig.import("ana", "checkout-4.2.md", plan.as_bytes()).await;
    rig.press("ana", "releases", "Submit for sign-off", &[]).await;
    rig.sign_all().await;
    rig.advance(t(-29)).await;
    let which = rig.slash("gwen", "release item brief", &[]).await;
    assert!(which.contains("Several are open. Name one: T-2h/support; T-30m/support."), "{which}");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_quiet_hours_an_audience_is_told_without_being_called_and_called_when_they_end() {
    let rig = Rig::with(false).await;
    rig.configure().await;
    let world = tminus::sandboxed::world();
    let engineering = world.roles.iter().find(|r| r.name == "Engineering").unwrap().id.to_string();
    let wrong = rig.slash("ana", "tminus setup", &[("quiet_hours", "late")]).await;
    assert!(wrong.contains("Write it like 22:00-07:00"), "{wrong}");
    // T-24h is at 14:00 in Berlin.
    let set = [("quiet_hours", "13:00-15:30"), ("engineering", engineering.as_str())];
    let done = rig.slash("ana", "tminus setup", &set).await;
    assert!(done.contains("(quiet 13:00-15:30 Europe/Berlin)"), "{done}");
    let rig = rig.approve().await;
    rig.advance(t(-24 * 60)).await;
    let told = rig.newest("releases");
    assert!(told.starts_with("📣 T-24h · ") && told.contains("Quiet hours: this message pings nobody"), "{told}");
    rig.advance(t(-24 * 60 + 90) - 1).await;
    assert_eq!(rig.count("releases", "🌅"), 0);
    rig.advance(t(-24 * 60 + 90)).await;
    let called = rig.newest("releases");
    assert!(called.starts_with("calls @Engineering\n🌅 Sent during your quiet hours: T-24h"), "{called}");
    // A rollback prompt knows no quiet hours: T-0 is at 14:00 too.
    rig.advance(t(0)).await;
    rig.slash("ana", "release go", &[]).await;
    rig.slash("ana", "release alert report", &[("metric", "Error Rate"), ("text", "4%")]).await;
    rig.advance(t(6)).await;
    let prompt =
        rig.sandbox().messages("releases").iter().map(text).find(|m| m.contains("Roll back?")).unwrap_or_default();
    assert!(prompt.starts_with("calls "), "somebody is called: {prompt}");
    rig.finish().await;
}

/// Found by reading: a mark whose rung had left the plan never left the agenda, and the service ticked without end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quiet_hours_end_for_a_notice_that_the_plan_dropped_meanwhile() {
    let rig = Rig::with(false).await;
    rig.configure().await;
    rig.slash("ana", "tminus setup", &[("quiet_hours", "13:00-15:30")]).await;
    let rig = rig.approve().await;
    rig.advance(t(-24 * 60)).await;
    assert!(rig.newest("releases").contains("Quiet hours: this message pings nobody"));
    let plan = PLAN.replace("- [ ] Engineering team notified (T-24h)\n", "");
    assert_ne!(plan, PLAN);
    let (into, file) = ([("release", "REL-1")], Some(("checkout-4.2.md", plan.as_bytes())));
    let seen = rig.sandbox().slash("ana", "releases", "release import", &into, file).await.unwrap();
    rig.quiet().await;
    assert!(crate::rig::shown(&seen).contains("REL-1 revision 2"), "{}", crate::rig::shown(&seen));
    rig.advance(t(-24 * 60 + 91)).await;
    assert_eq!(rig.count("releases", "🌅"), 0, "nobody is called for a notice that is no longer planned");
    rig.finish().await;
}

/// What was missed while the service was away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f21_reminders_missed_together_are_one_message() {
    let rig = Rig::new().await;
    rig.import("ana", "checkout-4.2.md", PLAN.as_bytes()).await;
    rig.press("ana", "releases", "Submit for sign-off", &[]).await;
    // Away for 22 hours: the reminders after 4 hours would be one, and T-24h, T-2h are past.
    rig.sandbox().clock().move_to(t(-90));
    rig.quiet().await;
    assert_eq!(rig.count("releases", "⏳ Sign-offs pending"), 1, "the newest only");
    rig.sign_all().await;
    rig.slash("ana", "release item done", &[("text", "dependencies-deployed-and-stable")]).await;
    rig.sandbox().clock().move_to(t(90));
    rig.quiet().await;
    assert_eq!(rig.count("releases", "· REL-1 Checkout 4.2: new payment step\nNot ready"), 0);
    let asked = rig.count("releases", "🕛 T-0") + rig.count("releases", "⏳ T-0 passed");
    assert_eq!(asked, 1, "T-0, T+15m and T+1h asked for go together");
    rig.slash("ana", "release go", &[]).await;
    // Away for two hours: updates of 30 minutes collapse into one, decision points are asked and say how late.
    rig.sandbox().clock().move_to(t(90 + 125));
    rig.quiet().await;
    let late = rig.sandbox().messages("releases").iter().map(text).find(|m| m.contains("Update overdue")).unwrap();
    assert!(late.contains("This update covers 4 due updates"), "{late}");
    assert_eq!(rig.count("releases", "Update overdue"), 1);
    let point =
        rig.sandbox().messages("releases").iter().map(text).find(|m| m.contains("❓ Decide at T+15m · ")).unwrap();
    assert!(point.contains("Due 14:45, asked 1h 50m late. T-Minus was offline from 14:30 to 16:35."), "{point}");
    rig.finish().await;
}

/// An audience of the plan's own: where it is told, who is called and when not is set in chat.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audience_of_the_plans_own_is_told_where_chat_says() {
    let rig = Rig::strict(&[]).await;
    let world = tminus::sandboxed::world();
    let channel = world.channels.iter().find(|c| c.name == "engineering").unwrap().id.to_string();
    let role = world.roles.iter().find(|r| r.name == "Security").unwrap().id.to_string();
    let set = async |more: &[(&str, &str)]| {
        let options: Vec<(&str, &str)> = [("name", "Legal notified")].iter().chain(more).copied().collect();
        rig.slash("ana", "tminus audience set", &options).await
    };
    let nothing = set(&[]).await;
    assert!(nothing.contains("Choose what to set"), "{nothing}");
    let nobody = set(&[("must_confirm", "true")]).await;
    assert!(nobody.contains("Set that role as well"), "{nobody}");
    let refused = rig.slash("hugo", "tminus audience set", &[("name", "legal"), ("role", &role)]).await;
    assert!(refused.starts_with("⛔ You can't"), "{refused}");
    let done = set(&[("channel", &channel), ("role", &role), ("quiet_hours", "09:00-10:30")]).await;
    assert!(done.contains("legal: #engineering, pings @Security, quiet hours 09:00-10:30 Europe/Berlin"), "{done}");
    let listed = rig.slash("ana", "tminus audience list", &[]).await;
    assert!(
        listed.contains("**legal**: #engineering") && listed.contains("**support**: #support, pings @Support"),
        "{listed}"
    );
    let check = rig.slash("hugo", "tminus check", &[]).await;
    assert!(check.contains("legal: @Security") && check.contains("(quiet 09:00-10:30 Europe/Berlin)"), "{check}");
    let line = "- [ ] Engineering team notified (T-24h)\n";
    let plan = PLAN.replace(line, &format!("{line}- [ ] Legal notified (T-4h)\n"));
    assert_ne!(plan, PLAN);
    rig.submit(&plan).await;
    // T-4h is 10:00 in Berlin: quiet; they end half an hour later.
    rig.advance(t(-240)).await;
    let told = rig.newest("engineering");
    assert!(told.starts_with("📣 T-4h · ") && told.contains("Quiet hours"), "{told}");
    rig.advance(t(-210)).await;
    let called = rig.newest("engineering");
    assert!(called.starts_with("calls @Security"), "{called}");
    let removed = rig.slash("ana", "tminus audience remove", &[("name", "legal")]).await;
    assert!(removed.contains("gets its notices in the release channel"), "{removed}");
    rig.finish().await;
}
