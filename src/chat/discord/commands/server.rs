//! Slash commands for a server's settings.

use serde_json::{Value, json};

use super::shape::{choices, completed, group, option, role, text, verb};
use crate::domain::{policy, workspace};

/// The verbs as they are registered.
pub(super) fn verbs() -> Vec<Value> {
    vec![
        verb("setup", "Set channels, roles and policy", setup(), false),
        verb("check", "Show what is set and what is missing", vec![], false),
        verb("history", "Show who changed this server's settings, and when", vec![], false),
        verb("help", "Show what T-Minus does and how to start", vec![], false),
        verb("resend", "Resend this server's own stuck messages (not those of a release)", vec![], false),
        audience(),
        rule(),
        freeze(),
        train(),
    ]
}

fn setup() -> Vec<Value> {
    vec![
        option(7, "release_channel", "Channel where T-Minus announces releases", false),
        option(7, "ops_channel", "Channel for messages about T-Minus itself, such as undelivered notices", false),
        text("timezone", "Default time zone, such as Europe/Berlin", false),
        option(8, "release_manager", "Role that may import and run releases", false),
        option(8, "engineering_lead", "Role that signs as Engineering Lead", false),
        option(8, "product_owner", "Role that signs as Product Owner", false),
        option(8, "sre_ops", "Role that signs as SRE/Ops", false),
        option(8, "security", "Role that signs as Security", false),
        option(8, "engineering", "Role that gets the T-24h notice", false),
        option(8, "support", "Role that gets the T-2h notice and confirms it", false),
        option(7, "support_channel", "Channel for support's notices", false),
        text("quiet_hours", "Hours when notices ping no audience role, such as 22:00-07:00; off removes them", false),
        option(8, "status_page", "Role that confirms the status page at T-30m", false),
        option(8, "break_glass", "Role that may use break-glass besides the owner; default: release managers", false),
        choices(
            "must_confirm",
            "Which receipts go waits for",
            false,
            &[("Support", "support"), ("Status page", "status_page"), ("Both", "both"), ("None", "nobody")],
        ),
        option(4, "signoff_hours", "Hours until a sign-off expires; 0 = never", false),
        option(5, "self_approval", "Author and owner may sign their own plan at Low risk; default: no", false),
        option(5, "administrator_bypass", "Administrators may override role checks, on the record; default: no", false),
        option(5, "on_behalf", "Allow recording sign-offs of people outside this server; default: no", false),
        option(5, "waive_high", "Allow waiving items of High risk releases; default: no", false),
        choices(
            "clear",
            "Remove a role or channel setting",
            false,
            &[
                ("Ops channel", "ops_channel"),
                ("Engineering Lead", "engineering_lead"),
                ("Product Owner", "product_owner"),
                ("SRE/Ops", "sre_ops"),
                ("Security", "security"),
                ("Break-glass", "break_glass"),
                ("Engineering", "engineering"),
                ("Support", "support"),
                ("Status page", "status_page"),
                ("Support's channel", "support_channel"),
            ],
        ),
        text("notices", "Notices for plans that name none, such as T-24h engineering, T-2h support; or off", false),
        text("digest", "When to post the weekly digest, such as Mon 09:00; off stops it", false),
    ]
}

fn audience() -> Value {
    let name = || completed("name", "Which audience, such as support, or one your plans name", true);
    let set = vec![
        name(),
        option(7, "channel", "Channel for its notices", false),
        option(8, "role", "Role its notices ping; its members confirm them", false),
        text("quiet_hours", "Hours when its notices don't ping the role, such as 22:00-07:00; off for none", false),
        option(5, "must_confirm", "Go waits for this audience's receipts", false),
        text(
            "wording",
            "Its line when the state changes: {title} {t0} {state} {impact}; off for the usual line",
            false,
        ),
    ];
    group(
        "audience",
        "Who gets a release's notices, and where",
        vec![
            verb("set", "Set an audience's channel, role and quiet hours", set, false),
            verb("list", "List the audiences", vec![], false),
            verb(
                "remove",
                "Remove an audience's settings; its notices go to the release channel again",
                vec![name()],
                false,
            ),
        ],
    )
}

fn rule() -> Value {
    let mut people = option(4, "people", "How many people of the role must sign; default 1", false);
    people["min_value"] = json!(1);
    people["max_value"] = json!(policy::MAX_PEOPLE);
    let add = vec![
        text("name", "The rule's name, such as Payments", true),
        role(),
        people,
        choices(
            "type",
            "Only for this release type",
            false,
            &[("Standard", "standard"), ("Hotfix", "hotfix"), ("Emergency", "emergency")],
        ),
        choices(
            "risk",
            "Only at this risk or higher",
            false,
            &[("Low", "low"), ("Medium", "medium"), ("High", "high")],
        ),
        text("service", "Only for this service", false),
    ];
    group(
        "rule",
        "Sign-offs required on top of those for type and risk",
        vec![
            verb("add", "Add a rule; overlapping rules all apply", add, false),
            verb("list", "List the rules", vec![], false),
            verb("remove", "Remove a rule", vec![completed("name", "Which rule", true)], false),
        ],
    )
}

fn freeze() -> Value {
    let name = || completed("name", "Which freeze", true);
    let add = vec![
        text("name", "The freeze's name, such as Year end", true),
        text("from", "Start: a date and time, or a rule such as Fri 15:00", true),
        text("until", "End: a date and time, or a rule such as Mon 08:00", true),
        text("reason", "Reason; the warning shows it", false),
        text("timezone", "Time zone; default: the server's", false),
    ];
    let except = vec![
        text("reason", "Reason; T-Minus records and announces it", true),
        completed("name", "Which freeze; optional if only one applies", false),
    ];
    group(
        "freeze",
        "Times when no release goes live",
        vec![
            verb("add", "Add a freeze, one-time or recurring", add, false),
            verb("list", "List the freezes and which are active now", vec![], false),
            verb("remove", "Remove a freeze", vec![name()], false),
            verb("except", "Let one release go live during a freeze", except, true),
        ],
    )
}

fn train() -> Value {
    let name = || completed("name", "Which train", true);
    let mut days = option(4, "days_ahead", "How many days before T-0 to create the draft; default 3", false);
    days["min_value"] = json!(1);
    days["max_value"] = json!(workspace::train::MAX_DAYS_AHEAD);
    let add = vec![
        text("name", "The train's name, such as Weekly", true),
        text("time", "A rule for T-0, such as Tue 14:00 or 0 14 * * TUE", true),
        option(11, "plan", "The plan template; write {t0} where the date goes", true),
        days,
        text("timezone", "Time zone; default: the server's", false),
    ];
    group(
        "train",
        "Recurring releases",
        vec![
            verb("add", "Add a train: it creates drafts from a template", add, false),
            verb("list", "List the trains and their next T-0", vec![], false),
            verb(
                "skip",
                "Skip a train's next release, and announce it",
                vec![name(), text("reason", "Reason for the skip", true)],
                false,
            ),
            verb("unskip", "Undo a skip: the release takes place", vec![name()], false),
            verb("remove", "Remove a train", vec![name()], false),
        ],
    )
}
