//! Rows of the fault matrix that a front door shows, each named after its row.

use chat_sandbox::{CREATE, Fault, Script};
use tminus::sandboxed::t;

use crate::clock::comes;
use crate::rig::{Rig, shown, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f10_a_message_deleted_before_the_repeat_is_not_posted_again() {
    let rig = Rig::approved().await;
    rig.advance(t(-24 * 60) - 1).await;
    rig.sandbox().fail_next(&[Fault::FailAfter]);
    rig.advance(t(-24 * 60)).await;
    let posted = rig.sandbox().messages("engineering").pop().unwrap();
    // A moderator removes it before its lost answer is looked up.
    assert!(rig.sandbox().delete(posted.id));
    rig.advance(t(-23 * 60)).await;
    assert_eq!(rig.count("engineering", "📣 T-24h"), 0, "delivered, then removed by somebody: that is final");
    let creates = |rig: &Rig| {
        let requests = rig.sandbox().requests();
        requests.iter().filter(|r| r.route == CREATE && r.request.to_string().contains("📣 T-24h")).count()
    };
    assert_eq!(creates(&rig), 2, "the repeat carried the nonce, and was told that it is gone");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f14_whatever_ends_the_gateway_it_comes_back_and_a_press_counts_once() {
    let rig = Rig::new().await;
    rig.import("ana", "checkout-4.2.md", tminus::sandboxed::PLAN.as_bytes()).await;
    rig.press("ana", "releases", "Submit for sign-off", &[]).await;
    let back = async || {
        for _ in 0..800 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            if rig.sandbox().online() {
                return;
            }
        }
        panic!("the gateway did not come back");
    };
    for code in [4000, 4007, 4009] {
        rig.sandbox().close_gateway(code);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        back().await;
    }
    rig.sandbox().drop_gateway();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    back().await;
    let answer = rig.slash("chloe", "release signoff give", &[("role", "engineering_lead")]).await;
    assert!(answer.starts_with("✅ Done"), "{answer}");
    assert_eq!(signed(&rig).await, 1);
    let registered = rig.sandbox().requests().iter().filter(|r| r.route.starts_with("PUT /applications")).count();
    assert!(registered <= 5, "{registered} identifies for four ends");
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_a_sign_off_whose_answer_is_lost_stands_and_the_card_shows_it() {
    let rig = Rig::new().await;
    rig.import("ana", "checkout-4.2.md", tminus::sandboxed::PLAN.as_bytes()).await;
    rig.press("ana", "releases", "Submit for sign-off", &[]).await;
    let route = "POST /interactions/{}/{}/callback".to_owned();
    for (who, role, status) in
        [("chloe", "engineering_lead", 404), ("dev", "product_owner", 400), ("eva", "sre_ops", 502)]
    {
        rig.sandbox().script(Script {
            route: route.clone(),
            fault: Fault::Status(status),
            times: Some(1),
            chance: 1.0,
        });
        let options = [("role", role)];
        let seen = rig.sandbox().slash(who, "releases", "release signoff give", &options, None).await;
        drop(seen);
        rig.quiet().await;
    }
    rig.sandbox().mend();
    rig.advance(tminus::sandboxed::BEGIN_MS + 31_000).await;
    let card = rig.slash("ana", "release show", &[]).await;
    assert!(card.starts_with("✅ Approved"), "recorded is shown: {card}");
    let again = rig.slash("chloe", "release signoff give", &[("role", "engineering_lead")]).await;
    assert!(again.contains("Chloe Martin already signed"), "{again}");
    rig.finish().await;
}

/// An edit whose answer was lost takes effect after a newer one: what is seen last is the latest all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_an_edit_that_takes_effect_late_does_not_stand() {
    let rig = Rig::new().await;
    rig.import("ana", "checkout-4.2.md", tminus::sandboxed::PLAN.as_bytes()).await;
    rig.press("ana", "releases", "Submit for sign-off", &[]).await;
    let at = |seconds: i64| tminus::sandboxed::BEGIN_MS + 60_000 + seconds * 1_000;
    rig.advance(at(0)).await;
    let asked = || {
        let said: Vec<String> = rig.sandbox().messages("releases").iter().map(text).collect();
        said.into_iter().find(|m| m.contains("✍️ Sign-off requested")).unwrap()
    };
    let fault = Fault::Late(20_000);
    rig.sandbox().script(Script {
        route: "PATCH /channels/{}/messages/{}".to_owned(),
        fault,
        times: Some(2),
        chance: 1.0,
    });
    rig.slash("chloe", "release signoff give", &[("role", "engineering_lead")]).await;
    rig.advance(at(4)).await;
    rig.slash("dev", "release signoff give", &[("role", "product_owner")]).await;
    rig.advance(at(10)).await;
    assert!(asked().contains("✅ Product Owner"), "{}", asked());
    rig.advance(at(25)).await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(!asked().contains("✅ Product Owner"), "the late one has taken effect: {}", asked());
    rig.advance(at(60)).await;
    assert!(asked().contains("✅ Product Owner"), "{}", asked());
    rig.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f16_of_many_presses_at_once_exactly_one_wins_and_the_others_are_told() {
    let rig = Rig::new().await;
    rig.import("ana", "checkout-4.2.md", tminus::sandboxed::PLAN.as_bytes()).await;
    rig.press("ana", "releases", "Submit for sign-off", &[]).await;
    let mut presses = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let sandbox = rig.sandbox().clone();
        presses.spawn(async move {
            let options = [("role", "engineering_lead")];
            sandbox.slash("chloe", "releases", "release signoff give", &options, None).await.unwrap()
        });
    }
    let answers: Vec<String> = presses.join_all().await.iter().map(shown).collect();
    rig.quiet().await;
    let won = answers.iter().filter(|answer| answer.starts_with("✅ Done")).count();
    let told = answers.iter().filter(|answer| answer.contains("Chloe Martin already signed")).count();
    assert_eq!((won, told), (1, 19), "{answers:?}");
    assert_eq!(signed(&rig).await, 1);
    rig.finish().await;
}

/// How often the record says that the engineering lead signed.
async fn signed(rig: &Rig) -> usize {
    rig.slash("ana", "release timeline", &[]).await.matches("signed as Engineering Lead").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f18_three_days_away_or_asleep_say_what_is_still_true_and_nothing_else() {
    for asleep in [false, true] {
        let mut rig = Rig::approved().await;
        let (sandbox, before) = (rig.sandbox().clone(), rig.sandbox().messages("releases").len());
        if asleep {
            // The monotonic clock stood still meanwhile.
            rig.machine.stand(t(3 * 24 * 60) - sandbox.clock().now_ms());
            sandbox.clock().move_to(t(3 * 24 * 60));
        } else {
            rig = rig.restart_after(|| sandbox.clock().move_to(t(3 * 24 * 60))).await;
        }
        comes(&rig, "releases", "⚠️ T-0 passed 4 hours ago").await;
        for (channel, rung) in [("engineering", "T-24h"), ("support", "T-2h"), ("releases", "T-30m")] {
            assert_eq!(rig.count(channel, &format!("📣 {rung} · ")), 0, "{rung} is not said days later");
        }
        let news: Vec<String> = rig.sandbox().messages("releases").iter().skip(before).map(text).collect();
        assert_eq!(news.len(), 1, "{news:?}");
        assert!(news[0].contains("⚠️ T-0 passed 4 hours ago") && news[0].contains("calls @ana"), "{news:?}");
        let lines = rig.slash("ana", "release timeline", &[]).await;
        assert!(lines.contains("skipped"), "what was not said is on the timeline: {lines}");
        rig.finish().await;
    }
}

/// The lid was closed over a rung: it is said once, late, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f18_a_rung_slept_over_is_said_late_once() {
    for minutes in [1, 10, 180] {
        let rig = Rig::approved().await;
        rig.advance(t(-24 * 60) - 30_000).await;
        rig.machine.stand(minutes * 60_000);
        rig.sandbox().clock().move_to(t(-24 * 60) - 30_000 + minutes * 60_000);
        comes(&rig, "engineering", "📣 T-24h").await;
        assert_eq!(rig.count("engineering", "📣 T-24h"), 1, "{minutes} minutes");
        assert_eq!(
            rig.newest("engineering").contains(" late. T-Minus was offline from 12:59 to "),
            minutes > 1,
            "{}",
            rig.newest("engineering")
        );
        rig.finish().await;
    }
}
