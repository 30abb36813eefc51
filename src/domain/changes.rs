//! What differs between two revisions of a plan, field by field, by the template's names. Data only; `voice` shows it.

use serde::{Deserialize, Serialize};

use super::digest::digest;
use super::plan::{self, Approach, Contact, Plan, t_label};

/// One difference. Absent on a side means it was not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The field or item, as the template calls it.
    pub what: String,
    pub from: Option<String>,
    pub to: Option<String>,
    /// Sign-offs given for the revision before do not cover it.
    pub material: bool,
    /// It stands for so many that are not kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rest: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The most differences kept; how many more there are is kept with them.
const MOST: usize = 24;

/// The most of a value that is kept, in characters.
const WIDEST: usize = 60;

/// The items of a list of the plan: what names each, and what it says.
type Items = fn(&Plan) -> Vec<(String, String)>;

/// The differences from `old` to `new`, material ones first, as many as are kept.
pub fn between(old: &Plan, new: &Plan) -> Vec<Change> {
    let mut changes = all(old, new);
    if changes.len() > MOST {
        let rest = changes.split_off(MOST - 1);
        let (what, material) = (format!("{} more changes", rest.len()), rest.iter().any(|change| change.material));
        changes.push(Change { what, from: None, to: None, material, rest: rest.len() });
    }
    changes
}

/// Adds later differences to earlier ones, so that the sum leads from the first plan to the last.
pub fn add(sum: &mut Vec<Change>, later: &[Change]) {
    for change in later {
        let same = |known: &Change| known.what == change.what && known.rest == 0 && change.rest == 0;
        match sum.iter().position(same) {
            None => sum.push(change.clone()),
            // Back to what it was is no change.
            Some(known) if sum[known].from == change.to && change.from != change.to => {
                sum.remove(known);
            }
            Some(known) => {
                sum[known].to.clone_from(&change.to);
                sum[known].material |= change.material;
            }
        }
    }
    sum.sort_by_key(|change| !change.material);
    if sum.len() > MOST {
        let rest: Vec<Change> = sum.split_off(MOST - 1);
        let more = rest.iter().map(|change| change.rest.max(1)).sum();
        let material = rest.iter().any(|change| change.material);
        sum.push(Change { what: format!("{more} more changes"), from: None, to: None, material, rest: more });
    }
}

/// All of them. Where the digests differ there is a material one: nobody is asked to sign again without being told why.
pub fn all(old: &Plan, new: &Plan) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut field = |what: &str, from: Option<String>, to: Option<String>, material: bool| {
        if from != to {
            let (from, to) = shown(from, to);
            changes.push(Change { what: what.to_owned(), from, to, material, rest: 0 });
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
        let names: Vec<String> = plan.escalation.iter().filter_map(|c| person(&Some(c.clone()))).collect();
        (!names.is_empty()).then(|| names.join(" → "))
    };
    field("Escalation path", chain(old), chain(new), true);
    let security = |plan: &Plan| plan.names_security().then(|| "required".to_owned());
    field("Security sign-off", security(old), security(new), true);
    let lists: [(&str, bool, Items); 11] = [
        ("Stage", true, |p| p.stages.iter().enumerate().map(|(i, s)| ((i + 1).to_string(), s.text.clone())).collect()),
        ("Metric", true, |p| {
            let shown = |part: Option<String>| part.unwrap_or_else(|| "–".to_owned());
            let cells = |m: &plan::MetricPlan| {
                let (base, success) =
                    (m.baseline.as_ref().map(ToString::to_string), m.success.as_ref().map(ToString::to_string));
                let alert = m.alert.as_ref().map(ToString::to_string);
                let lasting = m.alert_for_s.map_or_else(String::new, |s| format!(" for {s} s"));
                let query = m.query.as_ref().map_or_else(String::new, |query| format!(", query {query}"));
                format!("baseline {}, success {}, alert {}{lasting}{query}", shown(base), shown(success), shown(alert))
            };
            p.metrics.iter().map(|m| (m.name.clone(), cells(m))).collect()
        }),
        ("Trigger", true, |p| {
            keyed(p.triggers.iter().map(|t| (t.text.clone(), if t.ticked { "ticked" } else { "not ticked" })))
        }),
        ("Decision point", true, |p| {
            p.points.iter().map(|x| (t_label(i64::from(x.after_min)), x.text.clone())).collect()
        }),
        ("Notice", true, |p| {
            keyed(p.rungs.iter().map(|r| (r.key(), if r.demands_receipt() { "go waits for its receipt" } else { "" })))
        }),
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
                let shown = |value: &String| if value.is_empty() { "present".to_owned() } else { value.clone() };
                field(&format!("{name} {key}"), Some(shown(value)), now.map(shown), material);
            }
        }
        for (key, value) in after.iter().filter(|(key, _)| !before.iter().any(|(known, _)| known == key)) {
            let to = if value.is_empty() { "present".to_owned() } else { value.clone() };
            field(&format!("{name} {key}"), None, Some(to), material);
        }
    }
    for gate in &new.gates {
        let state = |done: bool| Some(if done { "done" } else { "open" }.to_owned());
        if let Some(before) = old.gates.iter().find(|before| before.text == gate.text && before.done != gate.done) {
            let what = format!("Checkbox {}", gate.text);
            changes.push(Change { what, from: state(before.done), to: state(gate.done), material: false, rest: 0 });
        }
    }
    if !changes.iter().any(|change| change.material) && digest(old) != digest(new) {
        let what = "The order or a detail of the plan's lists".to_owned();
        changes.push(Change { what, from: None, to: None, material: true, rest: 0 });
    }
    changes.sort_by_key(|change| !change.material);
    for change in &mut changes {
        change.what = change.what.chars().take(WIDEST).collect();
    }
    changes
}

/// Two values as they are shown: what differs is never cut off.
fn shown(from: Option<String>, to: Option<String>) -> (Option<String>, Option<String>) {
    // So much of what is alike is left before the difference.
    const ALIKE: usize = 16;
    let alike = match (&from, &to) {
        (Some(from), Some(to)) => from.chars().zip(to.chars()).take_while(|(a, b)| a == b).count(),
        _ => 0,
    };
    let cut = |text: String| {
        if text.chars().count() <= WIDEST {
            return text;
        }
        let skip = if alike + ALIKE < WIDEST { 0 } else { alike - ALIKE };
        let kept: String = text.chars().skip(skip).take(WIDEST).collect();
        let (before, after) = (skip > 0, text.chars().count() > skip + WIDEST);
        format!("{}{kept}{}", if before { "…" } else { "" }, if after { "…" } else { "" })
    };
    (from.map(cut), to.map(cut))
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

#[cfg(test)]
mod tests {
    use super::super::plan::{Contact, RungPlan};
    use super::*;
    use crate::domain::ids::Audience;

    /// What a hand changes in a plan, each material by the digest.
    const HANDS: [fn(&mut Plan); 9] = [
        |plan| plan.rungs[0].text.push_str(" (must confirm)"),
        |plan| plan.rungs.reverse(),
        |plan| plan.metrics[0].alert_for_s = Some(300),
        |plan| plan.metrics[0].query = Some("sum(rate(errors))".to_owned()),
        |plan| plan.escalation[0].handle = Some("dev2".to_owned()),
        |plan| plan.triggers.reverse(),
        |plan| plan.points[0].text.push_str(&"and look again ".repeat(9)),
        |plan| plan.title = format!("{}{}", plan.title, "x".repeat(80)),
        |plan| plan.stages[0].text.push('!'),
    ];

    #[test]
    fn whoever_signs_again_is_told_why() {
        let text = include_str!("../../tests/data/plans/checkout-4.2.md");
        let mut old = crate::plan_doc::read(text.as_bytes(), &crate::plan_doc::Setting::default()).plan.unwrap();
        let person = Contact { name: "Dev Patel".to_owned(), handle: None, ..old.owner.clone().unwrap() };
        old.escalation = vec![person];
        let rung = |before_min| RungPlan { before_min, audience: Audience::support(), text: "T".to_owned() };
        old.rungs = vec![rung(120), rung(60)];
        for (n, hand) in HANDS.iter().enumerate() {
            let mut new = old.clone();
            hand(&mut new);
            assert_ne!(digest(&old), digest(&new), "hand {n}");
            let changes = between(&old, &new);
            assert!(changes.iter().any(|change| change.material), "hand {n}: {changes:?}");
            for change in changes {
                assert!(
                    change.from.is_none() && change.to.is_none() || change.from != change.to,
                    "hand {n}: {change:?}"
                );
            }
        }
        let mut many = old.clone();
        many.gates.clear();
        let gate = |n: usize| plan::GatePlan { id: n.to_string(), text: n.to_string(), ..old.gates[0].clone() };
        many.gates.extend((0..40).map(gate));
        let changes = between(&old, &many);
        let told: usize = changes.iter().map(|change| change.rest.max(1)).sum();
        assert_eq!((changes.len(), told), (MOST, all(&old, &many).len()), "none is left out unsaid");
    }
}
