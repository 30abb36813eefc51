//! What was understood of a document, as JSON for machines and as lines for people.

use serde_json::{Value, json};

use super::read::Reading;
use crate::domain::plan::{
    Approach, Bound, Contact, Level, MetricPlan, PlannedTime, Quantity, StagePlan, TriggerPlan, TriggerRule,
    span_label, t_label,
};

/// The model as JSON; `None` for a refused document.
pub fn show(reading: &Reading) -> Option<Value> {
    let plan = reading.plan.as_ref()?;
    // The template's own heading is no title.
    let title = if plan.level == Level::A { reading.title.clone() } else { Some(plan.title.clone()) };
    let counts = reading.counts;
    Some(json!({
        "level": plan.level,
        "title": title,
        "service": plan.service,
        "t0": plan.t0.as_ref().and_then(rfc9557),
        "type": plan.kind,
        "risk": plan.risk,
        "owner": plan.owner.as_ref().map(contact),
        "on_call": plan.on_call.as_ref().map(contact),
        "approaches": plan.approaches.iter().map(approach).collect::<Vec<_>>(),
        "stages": plan.stages.iter().enumerate().map(|(i, stage)| one_stage(i, stage)).collect::<Vec<_>>(),
        "metrics": plan.metrics.iter().map(metric).collect::<Vec<_>>(),
        "triggers": plan.triggers.iter().map(trigger).collect::<Vec<_>>(),
        "decision_points": plan.points.iter()
            .map(|p| json!({ "offset": t_label(i64::from(p.after_min)), "after_min": p.after_min, "text": p.text }))
            .collect::<Vec<_>>(),
        "notices": plan.rungs.iter()
            .map(|r| json!({
                "offset": t_label(-i64::from(r.before_min)), "before_min": r.before_min,
                "audience": r.audience.0, "text": r.text,
            }))
            .collect::<Vec<_>>(),
        "channel": plan.channel,
        "updates_every_min": plan.updates_every_min,
        "escalation": plan.escalation.iter().map(contact).collect::<Vec<_>>(),
        "gates": plan.gates,
        "risks": plan.risks,
        "contingency": plan.contingency,
        "actions": plan.actions,
        "signoffs": plan.signoffs,
        "tasks": plan.tasks,
        "counts": { "boxes_open": counts.boxes_open, "boxes_done": counts.boxes_done, "tables": counts.tables },
        "questions": reading.questions,
        "items": reading.items.keys().filter(|id| !id.starts_with("trigger/")).collect::<Vec<_>>(),
        "digest": reading.digest,
    }))
}

/// RFC 9557: instant, offset and zone; a fixed offset is its own zone.
fn rfc9557(t0: &PlannedTime) -> Option<String> {
    Some(t0.at.to_zoned_datetime(super::zone::by_name(&t0.zone)?).to_string())
}

fn contact(contact: &Contact) -> Value {
    json!({ "name": contact.name, "handle": contact.handle, "user": contact.user })
}

fn approach(approach: &Approach) -> Value {
    match approach {
        Approach::BigBang => json!({ "kind": "big_bang" }),
        Approach::Canary { percent } => json!({ "kind": "canary", "percent": percent }),
        Approach::BlueGreen => json!({ "kind": "blue_green" }),
        Approach::FeatureFlag { groups } => json!({ "kind": "feature_flag", "groups": groups }),
    }
}

fn one_stage(i: usize, stage: &StagePlan) -> Value {
    json!({
        "n": i + 1, "text": stage.text, "percent": stage.percent, "count": stage.count, "group": stage.group,
        "hold_min": stage.hold_min,
    })
}

fn quantity(quantity: &Quantity) -> Value {
    json!({ "value": quantity.value, "unit": quantity.unit })
}

fn bound(bound: &Bound) -> Value {
    json!({
        "cmp": bound.cmp.to_string(), "value": bound.than.value, "to": bound.to, "unit": bound.than.unit,
        "text": bound.to_string(),
    })
}

fn metric(metric: &MetricPlan) -> Value {
    json!({
        "name": metric.name, "baseline": metric.baseline.as_ref().map(quantity),
        "success": metric.success.as_ref().map(bound), "alert": metric.alert.as_ref().map(bound),
        "alert_for_s": metric.alert_for_s, "query": metric.query,
    })
}

fn trigger(trigger: &TriggerPlan) -> Value {
    json!({
        "text": trigger.text, "ticked": trigger.ticked, "watched": trigger.rule.is_some(),
        "rule": trigger.rule.as_ref().map(rule),
    })
}

fn rule(of: &TriggerRule) -> Value {
    match of {
        TriggerRule::Exceeds { metric, bound: than, for_s, within_s } => {
            json!({ "kind": "exceeds", "metric": metric, "bound": bound(than), "for_s": for_s, "within_s": within_s })
        }
        TriggerRule::Fails { check, times } => json!({ "kind": "fails", "check": check, "times": times }),
        TriggerRule::Down { check, for_s } => json!({ "kind": "down", "check": check, "for_s": for_s }),
        TriggerRule::Moves { metric, down, percent, for_s, within_s } => {
            json!({
                "kind": "moves", "metric": metric, "down": down, "percent": percent, "for_s": for_s, "within_s": within_s,
            })
        }
        TriggerRule::Silent { metric, for_s } => json!({ "kind": "silent", "metric": metric, "for_s": for_s }),
        TriggerRule::All(parts) => json!({ "kind": "all", "parts": parts.iter().map(rule).collect::<Vec<_>>() }),
    }
}

/// The model as lines for a terminal.
pub fn show_text(reading: &Reading) -> Option<String> {
    let plan = reading.plan.as_ref()?;
    let none = || "not given".to_owned();
    let mut out = format!("{}\nLevel {}: {}\n\n", plan.title, plan.level, level_words(plan.level));
    let mut line = |name: &str, value: String| out.push_str(&format!("{name:<16} {value}\n"));
    line("T-0", plan.t0.as_ref().map_or_else(none, |t0| rfc9557(t0).unwrap_or_else(|| t0.at.to_string())));
    line(
        "Type, risk",
        format!(
            "{}, {}",
            plan.kind.map_or_else(none, |k| k.to_string()),
            plan.risk.map_or_else(none, |r| r.to_string())
        ),
    );
    line("Owner", plan.owner.as_ref().map_or_else(none, |c| c.name.clone()));
    line("On-call", plan.on_call.as_ref().map_or_else(none, |c| c.name.clone()));
    line("Channel", plan.channel.clone().unwrap_or_else(none));
    line("Updates every", plan.updates_every_min.map_or_else(none, |m| span_label(u64::from(m))));
    line(
        "List boxes",
        format!(
            "{} open, {} done; {} tables",
            reading.counts.boxes_open, reading.counts.boxes_done, reading.counts.tables
        ),
    );
    let mut list = |name: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            out.push_str(&format!("\n{name}\n"));
            lines.iter().for_each(|line| out.push_str(&format!("  {line}\n")));
        }
    };
    let dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    list(
        "Stages",
        plan.stages
            .iter()
            .map(|s| {
                let extent = s.percent.map(|p| format!("{p}%")).or_else(|| s.count.clone()).or_else(|| s.group.clone());
                format!("{} · {} · holds {}", s.text, dash(extent), dash(s.hold_min.map(|m| span_label(u64::from(m)))))
            })
            .collect(),
    );
    list(
        "Metrics",
        plan.metrics
            .iter()
            .map(|m| {
                let (base, success) =
                    (m.baseline.as_ref().map(ToString::to_string), m.success.as_ref().map(ToString::to_string));
                let alert = m.alert.as_ref().map(ToString::to_string);
                format!("{}: baseline {}, success {}, alert {}", m.name, dash(base), dash(success), dash(alert))
            })
            .collect(),
    );
    list(
        "Triggers",
        plan.triggers
            .iter()
            .map(|t| format!("{} {}", if t.rule.is_some() { "watched:" } else { "judged by a person:" }, t.text))
            .collect(),
    );
    list(
        "Notices",
        plan.rungs
            .iter()
            .map(|r| format!("{} {}: {}", t_label(-i64::from(r.before_min)), r.audience, r.text))
            .collect(),
    );
    list(
        "Decision points",
        plan.points.iter().map(|p| format!("{} {}", t_label(i64::from(p.after_min)), p.text)).collect(),
    );
    list("Please add", reading.questions.clone());
    Some(out)
}

/// What a level means, in one sentence.
pub fn level_words(level: Level) -> &'static str {
    match level {
        Level::A => "the template's structure, read in full",
        Level::B => "a runbook, read through its metrics table and offsets",
        Level::C => "a free-form plan, read as far as T-Minus understands it; T-Minus asks for the rest",
        Level::D => "a checklist; T-Minus asks for the rest",
    }
}
