//! The slash commands: one root for releases, one for administrators. Each file registers its verbs and reads
//! what somebody typed; verbs that answer with a form, a list or a file are read by the handlers.

mod alert;
mod concern;
mod item;
mod plan;
mod postmortem;
mod run;
mod server;
pub(super) mod shape;
mod signoff;

use serde_json::{Value, json};

use crate::chat::discord::parse::{Typed, Unread};
use crate::domain::command::Command;

/// Everything that is registered in a server.
pub fn all() -> Value {
    let mut releases = plan::verbs();
    releases.extend(run::verbs());
    releases.extend(plan::later_verbs());
    releases.extend([signoff::verbs(), concern::verbs(), alert::verbs(), item::verbs(), postmortem::verbs()]);
    json!([
        { "type": 1, "name": "release", "description": "Run a release's communications", "options": releases, "contexts": [0] },
        { "type": 1, "name": "tminus", "description": "Set up T-Minus", "contexts": [0], "options": server::verbs() },
    ])
}

/// The desk's command behind a slash command, for those that are one. `zone` is the server's, for times without one.
pub(super) fn command(typed: &Typed, zone: Option<&str>) -> Option<Result<Command, Unread>> {
    plan::read(typed, zone)
        .or_else(|| run::read(typed))
        .or_else(|| signoff::read(typed))
        .or_else(|| concern::read(typed))
        .or_else(|| alert::read(typed))
        .or_else(|| item::read(typed))
        .or_else(|| postmortem::read(typed, zone))
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
