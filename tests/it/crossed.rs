//! Two servers: nothing of one is posted in, or configured with, what belongs to the other, wherever it is set.

use chat_sandbox::{ChannelSeed, Limits, World};
use tminus::sandboxed::{BOT_TOKEN, PLAN, world};

use crate::child::Place;
use crate::rig::{shown, text};

const FOREIGN: u64 = 700_000_000_000_000_777;
const FOREIGN_ROLE: u64 = 700_000_000_000_000_778;

/// The sandbox's world, with a channel of another server that the bot is in as well.
fn two_servers() -> World {
    let other = ChannelSeed {
        id: FOREIGN,
        name: "their-releases".to_owned(),
        category: "Theirs".to_owned(),
        topic: String::new(),
    };
    World { other_channels: vec![other], ..world() }
}

async fn started(workspace: &str) -> (Place, crate::child::Service) {
    let place = Place::with(two_servers(), Limits::WIDE).await;
    place.configure(&format!("token = \"{BOT_TOKEN}\""), workspace);
    let service = place.start("");
    place.until_ready().await;
    place.until("online", async || place.sandbox.online()).await;
    (place, service)
}

async fn does(place: &Place, path: &str, options: &[(&str, &str)], file: Option<&str>) -> String {
    let file = file.map(|plan| ("plan.md", plan.as_bytes()));
    shown(&place.sandbox.slash("ana", "releases", path, options, file).await.unwrap())
}

/// Measured before: a plan was posted in the other server while the answer said that it may not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_or_role_of_another_server_is_refused_as_an_option() {
    let (place, _service) = started("").await;
    let (channel, role) = (FOREIGN.to_string(), FOREIGN_ROLE.to_string());
    let own = place.channel("releases").to_string();
    let done = does(&place, "tminus setup", &[("release_channel", &own), ("timezone", "Europe/Berlin")], None).await;
    assert!(done.contains("✅ releases: #releases"), "{done}");
    for (path, option, value, more) in [
        ("tminus setup", "release_channel", &channel, None),
        ("tminus setup", "ops_channel", &channel, None),
        ("tminus setup", "support_channel", &channel, None),
        ("tminus setup", "release_manager", &role, None),
        ("tminus setup", "engineering_lead", &role, None),
        ("tminus setup", "support", &role, None),
        ("tminus setup", "break_glass", &role, None),
        ("tminus audience set", "channel", &channel, Some(("name", "Partners"))),
        ("tminus audience set", "role", &role, Some(("name", "Partners"))),
    ] {
        let options: Vec<(&str, &str)> = more.into_iter().chain([(option, value.as_str())]).collect();
        let said = does(&place, path, &options, None).await;
        assert!(said.starts_with('⛔') && said.contains("not of this server"), "/{path} {option}: {said}");
    }
    let check = does(&place, "tminus check", &[], None).await;
    assert!(!check.contains(&channel) && !check.contains("@&?"), "nothing of it is set: {check}");
    assert_eq!(place.sandbox.messages("their-releases").len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_of_another_server_in_the_file_gets_nothing() {
    let place = Place::with(two_servers(), Limits::WIDE).await;
    let (own, ops) = (place.channel("releases").to_string(), place.channel("tminus-ops").to_string());
    let foreign = FOREIGN.to_string();
    let usual = place.workspace();
    drop(place);
    for (wrong, from, to) in [
        ("release channel", format!("release_channel_id = \"{own}\""), format!("release_channel_id = \"{foreign}\"")),
        ("ops channel", format!("ops_channel_id = \"{ops}\""), format!("ops_channel_id = \"{foreign}\"")),
        (
            "channel of engineering",
            "[workspace.roles]".to_owned(),
            format!("[workspace.audiences.engineering]\nchannel_id = \"{foreign}\"\n[workspace.roles]"),
        ),
        ("role", "release_manager = [".to_owned(), format!("security = [\"{FOREIGN_ROLE}\"]\nrelease_manager = [")),
    ] {
        assert!(usual.contains(&from), "{from}");
        let (place, _service) = started(&usual.replace(&from, &to)).await;
        let shown = async || place.get("/metrics").await.1.contains("tminus_servers_misconfigured 1");
        place.until("shown", shown).await;
        assert!(place.log().contains("names a channel or role of another server"), "{wrong}: {}", place.log());
        let plan = PLAN.replace("2026-12-08 14:00 Europe/Berlin", "<t:1999999999:F>");
        // The plan names a channel that this server does not have: the release channel is meant.
        let plan = plan.replace("#releases", "#their-releases");
        let imported = does(&place, "release import", &[], Some(&plan)).await;
        assert!(imported.contains("REL-1"), "{wrong}: {imported}");
        let submitted = does(&place, "release submit", &[], None).await;
        assert!(submitted.starts_with("✅ Done"), "{wrong}: {submitted}");
        does(&place, "release scrub", &[("reason", "only a test")], None).await;
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        assert_eq!(place.sandbox.messages("their-releases").len(), 0, "{wrong}");
        if wrong == "release channel" {
            let told: Vec<String> = place.sandbox.messages("tminus-ops").iter().map(text).collect();
            assert!(told.iter().any(|said| said.contains("belongs to another server")), "{told:?}\n{}", place.log());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_setup_refusals_lead_to_it_and_setting_up_logs_no_error() {
    let (place, _service) = started("").await;
    let plan = PLAN.replace("2026-12-08 14:00 Europe/Berlin", "<t:1999999999:F>");
    let mut silent = Vec::new();
    let of = |path: &'static str, options: &'static [(&'static str, &'static str)], file| (path, options, file);
    for (path, options, file) in [
        of("release import", &[], Some(plan.as_str())),
        of("release new", &[("type", "standard"), ("risk", "low")], None),
        of("release submit", &[], None),
        of("release go", &[], None),
        of("release hold", &[("reason", "x")], None),
        of("release rollback", &[("reason", "x")], None),
        of("release signoff give", &[("role", "sre_ops")], None),
        of("release concern raise", &[("reason", "x")], None),
        of("release reschedule", &[("time", "2030-12-01 14:00 UTC"), ("reason", "x")], None),
        of("release update", &[("text", "x")], None),
        of("release all-clear", &[], None),
        of("tminus freeze add", &[("name", "x"), ("from", "Fri 15:00"), ("until", "Mon 08:00")], None),
    ] {
        let said = does(&place, path, options, file).await;
        if !(said.contains("/tminus setup") || said.starts_with("form:")) {
            silent.push(format!("/{path}: {said}"));
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
    let own = place.channel("releases").to_string();
    let ops = place.channel("tminus-ops").to_string();
    let role = place.role("Release Managers").to_string();
    let options = [
        ("release_channel", own.as_str()),
        ("ops_channel", &ops),
        ("timezone", "Europe/Berlin"),
        ("release_manager", &role),
    ];
    does(&place, "tminus setup", &options, None).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let log = place.log();
    assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
}
