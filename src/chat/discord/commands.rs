//! The slash commands as registered: one root for releases, one for administrators. Kept as data, so that the handlers and
//! the registration cannot disagree about names without a test noticing.

use serde_json::{Value, json};

use super::doctor::POSTABLE;

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
    completed("release", "Which release; may be left out if only one is open", false)
}

fn role() -> Value {
    let roles = crate::domain::plan::SignoffRole::ALL;
    let list: Vec<(String, &str)> = roles.iter().map(|r| (r.to_string(), r.slug())).collect();
    let list: Vec<(&str, &str)> = list.iter().map(|(n, s)| (n.as_str(), *s)).collect();
    choices("role", "The role you sign for", true, &list)
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
    let reason = |required| text("reason", "Why; goes on the record", required);
    let releases = vec![
        verb(
            "new",
            "Begin a release plan: a short form, then its sections with /release edit",
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
        verb("submit", "Submit a draft: ask for sign-offs and start the countdown", vec![], true),
        verb(
            "go",
            "Give go: the release is live",
            vec![text("break_glass", "Emergency only: go past what stands open, and why", false)],
            true,
        ),
        verb("hold", "Stop the clocks", vec![reason(true)], true),
        verb("resume", "Let the clocks run again", vec![], true),
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
                text("time", "Extend by, such as 30m", false),
                reason(false),
            ],
            true,
        ),
        verb(
            "update",
            "Post the promised update",
            vec![text("text", "What to say; left out, a form opens", false)],
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
            "Roll back, or say how the rollback went",
            vec![
                reason(true),
                choices(
                    "step",
                    "Default: start",
                    false,
                    &[("Start", "start"), ("Done and verified", "verified"), ("It failed", "failed")],
                ),
            ],
            true,
        ),
        verb("all-clear", "Give the all-clear, if nothing is open", vec![], true),
        verb(
            "reschedule",
            "Move T-0: whoever was told is told again, and the roles sign again",
            vec![text("time", "The new T-0, such as 2026-12-15 15:00 Europe/Berlin", true), reason(true)],
            true,
        ),
        verb(
            "handover",
            "Give the owner's or the on-call's part to somebody else",
            vec![
                choices("part", "Which part", true, &[("Release owner", "owner"), ("On-call engineer", "on_call")]),
                option(6, "to", "Who takes it over", true),
                reason(false),
            ],
            true,
        ),
        verb("scrub", "Call the release off before T-0", vec![reason(true)], true),
        verb(
            "amend",
            "Agree to a changed plan while the release runs, or decline it",
            vec![choices("answer", "Your answer", true, &[("Agree", "agree"), ("Decline", "decline")]), reason(false)],
            true,
        ),
        verb(
            "timeline",
            "What happened, from the journal",
            vec![
                choices("show", "Default: everything", false, &crate::voice::timeline::About::choices()),
                option(6, "who", "What this member did", false),
                choices(
                    "format",
                    "Of the file; default: text",
                    false,
                    &[("Text", "text"), ("JSON, a line each", "json")],
                ),
            ],
            true,
        ),
        verb("export", "The plan with what happened filled in", vec![], true),
        group(
            "signoff",
            "Sign-offs",
            vec![
                verb(
                    "give",
                    "Sign the present revision",
                    vec![
                        role(),
                        text("for", "Somebody outside the chat who signs: their name", false),
                        text("reason", "For them: where their word stands, such as a mail", false),
                    ],
                    true,
                ),
                verb("refuse", "Refuse to sign, with a reason", vec![role(), reason(true)], true),
                verb("withdraw", "Withdraw your sign-off", vec![role()], true),
                verb(
                    "snooze",
                    "Put the next reminder off, once",
                    vec![text("time", "By how long, such as 4h (the default); at most 24h", false)],
                    true,
                ),
            ],
        ),
        group(
            "concern",
            "Objections that stand against go",
            vec![
                verb("raise", "Object to the release; go is refused until it is resolved", vec![reason(true)], true),
                verb(
                    "resolve",
                    "Your concern is answered, or a release manager overrules it, and how",
                    vec![reason(true), completed("concern", "Which one; may be left out if one is open", false)],
                    true,
                ),
            ],
        ),
        group(
            "alert",
            "Alerts and values",
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
                    vec![text("text", "Its name; left out, the oldest open one", false)],
                    true,
                ),
            ],
        ),
        group(
            "item",
            "Checklist items",
            vec![
                verb("done", "An item is done", vec![completed("text", "The item", true), reason(false)], true),
                verb("waive", "An item does not apply", vec![completed("text", "The item", true), reason(true)], true),
                verb(
                    "brief",
                    "Confirm a notice for your audience, as its button does",
                    vec![text("text", "Which notice, such as T-2h; may be left out if one waits", false)],
                    true,
                ),
                verb(
                    "correct",
                    "Correct or retract a notice; its audience is told again",
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
                    "Set its date",
                    vec![text("time", "Such as 2026-12-15 15:00 Europe/Berlin", true)],
                    true,
                ),
                verb("file", "File its link", vec![text("text", "Where it is", true)], true),
                verb("waive", "Waive it, with a reason", vec![reason(true)], true),
            ],
        ),
    ];
    let setup = vec![
        option(7, "release_channel", "Where releases are announced", false),
        option(7, "ops_channel", "Where T-Minus speaks of itself", false),
        text("timezone", "Default zone, such as Europe/Berlin", false),
        option(8, "release_manager", "May import and steer releases", false),
        option(8, "engineering_lead", "Signs as Engineering Lead", false),
        option(8, "product_owner", "Signs as Product Owner", false),
        option(8, "sre_ops", "Signs as SRE/Ops", false),
        option(8, "security", "Signs as Security", false),
        option(8, "engineering", "Told at T-24h", false),
        option(8, "support", "Told at T-2h; confirms", false),
        option(7, "support_channel", "Where support reads", false),
        text("quiet_hours", "Audiences are told without being called, such as 22:00-07:00; off ends it", false),
        option(8, "status_page", "Confirms the status page at T-30m", false),
        option(8, "break_glass", "May go by break-glass, beside the owner; default: release managers", false),
        choices(
            "must_confirm",
            "Whose receipt go waits for",
            false,
            &[("Support", "support"), ("Status page", "status_page"), ("Both", "both"), ("Nobody's", "nobody")],
        ),
        option(4, "signoff_hours", "Hours after which a sign-off expires; 0: never", false),
        option(5, "self_approval", "Author and owner may sign their own plan at Low risk; default: no", false),
        option(5, "administrator_bypass", "Administrators may pass the roles, on the record; default: no", false),
        option(5, "on_behalf", "Sign-offs of people outside the chat may be recorded; default: no", false),
        option(5, "waive_high", "What stands against a High risk release may be waived; default: no", false),
        choices(
            "clear",
            "Takes a role or channel away again",
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
        text(
            "notices",
            "Who is told where a plan names nobody, such as T-24h engineering, T-2h support; or off",
            false,
        ),
        text("digest", "When the weekly digest is said, such as Mon 09:00; off ends it", false),
    ];
    json!([
        { "type": 1, "name": "release", "description": "Run a release's communications", "options": releases, "contexts": [0] },
        {
            "type": 1, "name": "tminus", "description": "Set T-Minus up", "contexts": [0],
            "options": [
                verb("setup", "Set channels and roles", setup, false),
                verb("check", "What is set, and what is missing", vec![], false),
                verb("history", "Who changed this server's settings, and when", vec![], false),
                verb("help", "What T-Minus does, and how to begin", vec![], false),
                verb("resend", "Send the server's own messages that are stuck again", vec![], false),
                audience(),
                rule(),
                freeze(),
                train(),
            ],
        },
    ])
}

fn audience() -> Value {
    let name = || completed("name", "Which audience, such as support, or one of your plans", true);
    let set = vec![
        name(),
        option(7, "channel", "Where it is told", false),
        option(8, "role", "Called by its notices; its members confirm them", false),
        text("quiet_hours", "Told without being called, such as 22:00-07:00; off for none", false),
        option(5, "must_confirm", "Go waits for its receipts", false),
    ];
    group(
        "audience",
        "Who is told of a release, and where",
        vec![
            verb("set", "Set where an audience is told, and who is called", set, false),
            verb("list", "The audiences", vec![], false),
            verb("remove", "Tell an audience in the release channel again", vec![name()], false),
        ],
    )
}

fn rule() -> Value {
    let mut people = option(4, "people", "How many people of the role; default 1", false);
    people["min_value"] = json!(1);
    people["max_value"] = json!(crate::domain::policy::MAX_PEOPLE);
    let add = vec![
        text("name", "Its name, such as Payments", true),
        role(),
        people,
        choices(
            "type",
            "Only for this type",
            false,
            &[("Standard", "standard"), ("Hotfix", "hotfix"), ("Emergency", "emergency")],
        ),
        choices("risk", "Only from this risk on", false, &[("Low", "low"), ("Medium", "medium"), ("High", "high")]),
        text("service", "Only for this service", false),
    ];
    group(
        "rule",
        "Sign-offs asked beside those of type and risk",
        vec![
            verb("add", "Add a rule; where rules overlap, all hold", add, false),
            verb("list", "The rules", vec![], false),
            verb("remove", "Remove a rule", vec![completed("name", "Which rule", true)], false),
        ],
    )
}

fn freeze() -> Value {
    let name = || completed("name", "Which freeze", true);
    let add = vec![
        text("name", "Its name, such as Year end", true),
        text("from", "A time, or a rule such as Fri 15:00", true),
        text("until", "A time, or a rule such as Mon 08:00", true),
        text("reason", "Why; shown in the warning", false),
        text("timezone", "Zone of the rules; default: the server's", false),
    ];
    let except = vec![
        text("reason", "Why; goes on the record and is announced", true),
        completed("name", "Which freeze; may be left out", false),
    ];
    group(
        "freeze",
        "Times in which no release goes live",
        vec![
            verb("add", "Add a freeze, once or recurring", add, false),
            verb("list", "The freezes, and which holds now", vec![], false),
            verb("remove", "Remove a freeze", vec![name()], false),
            verb("except", "Let one release pass a freeze", except, true),
        ],
    )
}

fn train() -> Value {
    let name = || completed("name", "Which train", true);
    let mut days = option(4, "days_ahead", "Days before T-0 at which the draft is made; default 3", false);
    days["min_value"] = json!(1);
    days["max_value"] = json!(crate::domain::train::MAX_DAYS_AHEAD);
    let add = vec![
        text("name", "Its name, such as Weekly", true),
        text("time", "A rule for T-0, such as Tue 14:00 or 0 14 * * TUE", true),
        option(11, "plan", "The template; {t0} stands where the date belongs", true),
        days,
        text("timezone", "Default: the server's", false),
    ];
    group(
        "train",
        "Recurring releases",
        vec![
            verb("add", "Set a train up: drafts from a template", add, false),
            verb("list", "The trains and their next T-0", vec![], false),
            verb(
                "skip",
                "Skip the next release of a train; announced",
                vec![name(), text("reason", "Why", true)],
                false,
            ),
            verb("unskip", "Take a skip back: the release takes place", vec![name()], false),
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
