//! What differs between two revisions of a plan, field by field, by the template's names. Data only; `voice` shows it.

use serde::{Deserialize, Serialize};

use super::plan::{Approach, Contact, Plan, t_label};

/// One difference. Absent on a side means it was not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The field or item, as the template calls it.
    pub what: String,
    pub from: Option<String>,
    pub to: Option<String>,
    /// Sign-offs given for the revision before do not cover it.
    pub material: bool,
}

/// The most differences kept; more than that is another plan.
const MOST: usize = 12;

/// The most of a value that is kept, in characters.
const WIDEST: usize = 60;

/// The items of a list of the plan: what names each, and what it says.
type Items = fn(&Plan) -> Vec<(String, String)>;

/// The differences from `old` to `new`, material ones first.
pub fn between(old: &Plan, new: &Plan) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut field = |what: &str, from: Option<String>, to: Option<String>, material: bool| {
        if from != to {
            let cut = |text: Option<String>| text.map(|text| text.chars().take(WIDEST).collect());
            changes.push(Change { what: what.to_owned(), from: cut(from), to: cut(to), material });
        }
    };
    let person = |contact: &Option<Contact>| {
        contact.as_ref().map(|c| match &c.handle {
            Some(handle) => format!("{} (@{handle})", c.name),
            None => c.name.clone(),
        })
    };
    field("Feature/Change", Some(old.title.clone()), Some(new.title.clone()), true);
    let when = |plan: &Plan| plan.t0.as_ref().map(|t0| format!("{} {}", t0.at, t0.zone));
    let typed = |plan: &Plan| plan.t0.as_ref().map(|t0| t0.typed.clone());
    if when(old) != when(new) {
        field("Release Date/Time", typed(old), typed(new), true);
    }
    field("Release Type", old.kind.map(|k| k.to_string()), new.kind.map(|k| k.to_string()), true);
    field("Risk Level", old.risk.map(|r| r.to_string()), new.risk.map(|r| r.to_string()), true);
    field("Release Owner", person(&old.owner), person(&new.owner), true);
    field("On-Call Engineer", person(&old.on_call), person(&new.on_call), true);
    field("Service", old.service.clone(), new.service.clone(), true);
    field("Rollout Approach", approaches(old), approaches(new), true);
    field("Channel", old.channel.clone(), new.channel.clone(), true);
    let every = |plan: &Plan| plan.updates_every_min.map(|m| format!("{m} minutes"));
    field("Updates every", every(old), every(new), true);
    let chain = |plan: &Plan| {
        let names: Vec<&str> = plan.escalation.iter().map(|c| c.name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(" → "))
    };
    field("Escalation path", chain(old), chain(new), true);
    let security = |plan: &Plan| plan.names_security().then(|| "asked".to_owned());
    field("Security sign-off", security(old), security(new), true);
    let lists: [(&str, bool, Items); 11] = [
        ("Stage", true, |p| p.stages.iter().enumerate().map(|(i, s)| ((i + 1).to_string(), s.text.clone())).collect()),
        ("Metric", true, |p| {
            let shown = |part: Option<String>| part.unwrap_or_else(|| "–".to_owned());
            let cells = |m: &super::plan::MetricPlan| {
                let (base, success) =
                    (m.baseline.as_ref().map(ToString::to_string), m.success.as_ref().map(ToString::to_string));
                let alert = m.alert.as_ref().map(ToString::to_string);
                format!("baseline {}, success {}, alert {}", shown(base), shown(success), shown(alert))
            };
            p.metrics.iter().map(|m| (m.name.clone(), cells(m))).collect()
        }),
        ("Trigger", true, |p| {
            keyed(p.triggers.iter().map(|t| (t.text.clone(), if t.ticked { "ticked" } else { "not ticked" })))
        }),
        ("Decision point", true, |p| {
            p.points.iter().map(|x| (t_label(i64::from(x.after_min)), x.text.clone())).collect()
        }),
        ("Notice", true, |p| keyed(p.rungs.iter().map(|r| (r.key(), "")))),
        ("Gate", true, |p| keyed(p.gates.iter().map(|g| (g.text.clone(), "")))),
        ("Risk", true, |p| p.risks.iter().map(|r| (r.risk.clone(), r.mitigation.clone())).collect()),
        ("Contingency", true, |p| p.contingency.iter().map(|c| (c.when.to_string(), c.text.clone())).collect()),
        ("Action", false, |p| keyed(p.actions.iter().map(|a| (a.text.clone(), "")))),
        ("Sign-off", false, |p| {
            p.signoffs.iter().map(|s| (s.role.to_string(), s.name.clone().unwrap_or_default())).collect()
        }),
        ("Task", false, |p| keyed(p.tasks.iter().map(|t| (t.text.clone(), if t.done { "done" } else { "" })))),
    ];
    for (name, material, items) in lists {
        let (before, after) = (items(old), items(new));
        for (key, value) in &before {
            let now = after.iter().find(|(known, _)| known == key).map(|(_, value)| value);
            if now != Some(value) {
                let shown = |value: &String| if value.is_empty() { "there".to_owned() } else { value.clone() };
                field(&format!("{name} {key}"), Some(shown(value)), now.map(shown), material);
            }
        }
        for (key, value) in after.iter().filter(|(key, _)| !before.iter().any(|(known, _)| known == key)) {
            let to = if value.is_empty() { "there".to_owned() } else { value.clone() };
            field(&format!("{name} {key}"), None, Some(to), material);
        }
    }
    changes.sort_by_key(|change| !change.material);
    changes.truncate(MOST);
    for change in &mut changes {
        change.what = change.what.chars().take(WIDEST).collect();
    }
    changes
}

fn keyed(items: impl Iterator<Item = (String, &'static str)>) -> Vec<(String, String)> {
    items.map(|(key, value)| (key, value.to_owned())).collect()
}

fn approaches(plan: &Plan) -> Option<String> {
    let word = |approach: &Approach| match approach {
        Approach::BigBang => "Big Bang".to_owned(),
        Approach::Canary { percent } => format!("Canary {percent}%"),
        Approach::BlueGreen => "Blue-Green".to_owned(),
        Approach::FeatureFlag { groups } => format!("Feature Flag ({groups})"),
    };
    let words: Vec<String> = plan.approaches.iter().map(word).collect();
    (!words.is_empty()).then(|| words.join(", "))
}
