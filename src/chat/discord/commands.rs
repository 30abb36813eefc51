//! The slash commands as registered: one root for releases, one for administrators. Kept as data, so that the handlers and
//! the registration cannot disagree about names without a test noticing.

use serde_json::{Value, json};

use super::doctor::POSTABLE;
use crate::domain::{plan, policy, workspace};

fn option(kind: u8, name: &str, description: &str, required: bool) -> Value {
    let mut option = json!({ "type": kind, "name": name, "description": description, "required": required });
    if kind == 7 {
        option["channel_types"] = json!(POSTABLE);
    }
    option
}

fn text(name: &str, description: &str, required: bool) -> Value {
    option(3, name, description, required)
}

fn completed(name: &str, description: &str, required: bool) -> Value {
    let mut option = text(name, description, required);
    option["autocomplete"] = json!(true);
    option
}

fn choices(name: &str, description: &str, required: bool, choices: &[(&str, &str)]) -> Value {
    let mut option = text(name, description, required);
    option["choices"] = choices.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    option
}

fn release() -> Value {
    completed("release", "Which release; optional if only one is open", false)
}

fn role() -> Value {
    let roles = plan::SignoffRole::ALL;
    let list: Vec<(String, &str)> = roles.iter().map(|r| (r.to_string(), r.slug())).collect();
    let list: Vec<(&str, &str)> = list.iter().map(|(n, s)| (n.as_str(), *s)).collect();
    choices("role", "The sign-off role", true, &list)
}

fn verb(name: &str, description: &str, mut options: Vec<Value>, with_release: bool) -> Value {
    if with_release {
        options.push(release());
    }
    json!({ "type": 1, "name": name, "description": description, "options": options })
}

fn group(name: &str, description: &str, verbs: Vec<Value>) -> Value {
    json!({ "type": 2, "name": name, "description": description, "options": verbs })
}

/// Everything that is registered in a server.
pub fn all() -> Value {
    let reason = |required| text("reason", "Reason; goes on the record", required);
    let releases = vec![
        verb(
            "new",
            "Start a release plan with a short form; fill in its sections with /release edit",
            vec![
                choices(
                    "type",
                    "Release type",
                    true,
                    &[("Standard", "standard"), ("Hotfix", "hotfix"), ("Emergency", "emergency")],
                ),
                choices("risk", "Risk level", true, &[("Low", "low"), ("Medium", "medium"), ("High", "high")]),
            ],
            false,
        ),
        verb("edit", "Edit a section of the plan", vec![], true),
        verb("import", "Import a release plan (Markdown)", vec![option(11, "plan", "The plan document", true)], true),
        verb("show", "Show a release", vec![], true),
        verb("list", "List this server's releases", vec![], false),
        verb("submit", "Submit a draft: request sign-offs and start the countdown", vec![], true),
        verb(
            "go",
            "Give the go: the release goes live",
            vec![text(
                "break_glass",
                "Emergency releases only: why the release must go live despite open items",
                false,
            )],
            true,
        ),
        verb("hold", "Pause the countdown and stage timers", vec![reason(true)], true),
        verb("resume", "Resume the countdown and stage timers", vec![], true),
        verb(
            "stage",
            "Advance or extend the rollout stage",
            vec![
                choices(
                    "stage",
                    "What to do",
                    true,
                    &[("Advance to the next stage", "advance"), ("Extend this stage", "extend")],
                ),
                text("time", "How long to extend the stage, such as 30m", false),
                reason(false),
            ],
            true,
        ),
        verb(
            "update",
            "Post the promised update",
            vec![text("text", "The update's text; leave it out to open a form", false)],
            true,
        ),
        verb(
            "decide",
            "Answer the open decision point",
            vec![
                choices(
                    "verdict",
                    "The decision",
                    true,
                    &[("Continue", "continue"), ("Hold", "hold"), ("Roll back", "roll_back")],
                ),
                reason(false),
            ],
            true,
        ),
        verb(
            "rollback",
            "Start a rollback, or report its result",
            vec![
                reason(true),
                choices(
                    "step",
                    "Default: start",
                    false,
                    &[("Start", "start"), ("Done and verified", "verified"), ("Failed", "failed")],
                ),
            ],
            true,
        ),
        verb("all-clear", "Give the all-clear, if nothing is open", vec![], true),
        verb(
            "reschedule",
            "Move T-0: everyone already notified gets the new time, and the roles sign again",
            vec![text("time", "The new T-0, such as 2026-12-15 15:00 Europe/Berlin", true), reason(true)],
            true,
        ),
        verb(
            "handover",
            "Hand over the owner or on-call role",
            vec![
                choices("part", "Which role", true, &[("Release owner", "owner"), ("On-call engineer", "on_call")]),
                option(6, "to", "The member who takes over", true),
                reason(false),
            ],
            true,
        ),
        verb("scrub", "Cancel the release before it goes live", vec![reason(true)], true),
        verb(
            "amend",
            "Agree to or decline a plan change while the release runs",
            vec![choices("answer", "Your answer", true, &[("Agree", "agree"), ("Decline", "decline")]), reason(false)],
            true,
        ),
        verb(
            "timeline",
            "Show what happened, from the journal",
            vec![
                choices("show", "Which entries; default: everything", false, &crate::voice::timeline::About::choices()),
                option(6, "who", "Only what this member did", false),
                choices("format", "File format; default: text", false, &[("Text", "text"), ("JSON Lines", "json")]),
            ],
            true,
        ),
        verb("export", "Export the plan with the results filled in", vec![], true),
        group(
            "signoff",
            "Sign-offs",
            vec![
                verb(
                    "give",
                    "Sign the current revision",
                    vec![
                        role(),
                        text("for", "Record the sign-off of someone outside this server: their name", false),
                        text("reason", "With “for”: where they gave the sign-off, such as an email", false),
                    ],
                    true,
                ),
                verb("refuse", "Refuse to sign, with a reason", vec![role(), reason(true)], true),
                verb("withdraw", "Withdraw your sign-off", vec![role()], true),
                verb(
                    "snooze",
                    "Snooze the next reminder, once",
                    vec![text("time", "How long, such as 4h (default); at most 24h", false)],
                    true,
                ),
            ],
        ),
        group(
            "concern",
            "Concerns that block go",
            vec![
                verb("raise", "Raise a concern; it blocks go until someone resolves it", vec![reason(true)], true),
                verb(
                    "resolve",
                    "Resolve your own concern, or overrule another's as a release manager",
                    vec![reason(true), completed("concern", "Which concern; optional if only one is open", false)],
                    true,
                ),
            ],
        ),
        group(
            "alert",
            "Alerts and metric values",
            vec![
                verb(
                    "report",
                    "Report a metric's value",
                    vec![
                        completed("metric", "The metric", true),
                        text("text", "The value, such as 212ms or 0.4%", true),
                    ],
                    true,
                ),
                verb(
                    "ack",
                    "Acknowledge an alert",
                    vec![text("text", "The alert's name; default: the oldest unacknowledged alert", false)],
                    true,
                ),
            ],
        ),
        group(
            "item",
            "Checklist items",
            vec![
                verb("done", "Mark an item as done", vec![completed("text", "The item", true), reason(false)], true),
                verb(
                    "waive",
                    "Waive an item that does not apply",
                    vec![completed("text", "The item", true), reason(true)],
                    true,
                ),
                verb(
                    "brief",
                    "Confirm a notice for your audience, like its button",
                    vec![text("text", "Which notice, such as T-2h; optional if only one is unconfirmed", false)],
                    true,
                ),
                verb(
                    "correct",
                    "Correct or retract a notice, and notify its audience again",
                    vec![
                        text("text", "Which notice, such as T-2h", true),
                        reason(true),
                        choices("step", "Default: correct", false, &[("Correct", "correct"), ("Retract", "retract")]),
                    ],
                    true,
                ),
            ],
        ),
        group(
            "postmortem",
            "The post-mortem",
            vec![
                verb(
                    "schedule",
                    "Schedule the post-mortem",
                    vec![text("time", "Date and time, such as 2026-12-15 15:00 Europe/Berlin", true)],
                    true,
                ),
                verb(
                    "file",
                    "File the link to the post-mortem",
                    vec![text("text", "Link to the post-mortem", true)],
                    true,
                ),
                verb("waive", "Waive the post-mortem, with a reason", vec![reason(true)], true),
            ],
        ),
    ];
    let setup = vec![
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
    ];
    json!([
        { "type": 1, "name": "release", "description": "Run a release's communications", "options": releases, "contexts": [0] },
        {
            "type": 1, "name": "tminus", "description": "Set up T-Minus", "contexts": [0],
            "options": [
                verb("setup", "Set channels, roles and policy", setup, false),
                verb("check", "Show what is set and what is missing", vec![], false),
                verb("history", "Show who changed this server's settings, and when", vec![], false),
                verb("help", "Show what T-Minus does and how to start", vec![], false),
                verb("resend", "Resend this server's own stuck messages (not those of a release)", vec![], false),
                audience(),
                rule(),
                freeze(),
                train(),
            ],
        },
    ])
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Discord: at most 25 entries on a level, descriptions of at most 100 characters, required options first.
    fn check(options: &Value) {
        let options = options.as_array().unwrap();
        assert!(options.len() <= 25);
        let mut optional = false;
        for option in options {
            assert!(option["description"].as_str().unwrap().chars().count() <= 100, "{option}");
            match option["required"].as_bool() {
                Some(true) => assert!(!optional, "required after optional: {option}"),
                Some(false) => optional = true,
                None => {}
            }
            if option.get("options").is_some() {
                check(&option["options"]);
            }
        }
    }

    /// What Discord counts: names, descriptions and values, through all levels.
    fn size(node: &Value) -> usize {
        let own = ["name", "description", "value"].iter().map(|k| node[*k].as_str().map_or(0, |s| s.chars().count()));
        let below = ["options", "choices"].iter().flat_map(|k| node[*k].as_array().into_iter().flatten());
        own.sum::<usize>() + below.map(size).sum::<usize>()
    }

    #[test]
    fn commands_keep_discords_limits() {
        for command in all().as_array().unwrap() {
            check(&command["options"]);
            assert!(size(command) < 8_000, "{}", size(command));
        }
    }
}
