//! What a plan does not say is asked, and the answers make a plan that can be submitted: nobody edits Markdown.

use super::reading;
use crate::plan_doc::{NewPlan, Question, Severity, menu, new_plan, replace_chapter};

const HEADLINE: &str = "# Orders 9\n\nWe ship the order service.\n";
const CHAT: &str = "Orders 9\n\n- deploy at some point\n- check the error rate\n";
const TABLE: &str = "# Orders 9\n\n| Field | Value |\n|---|---|\n| Release Owner | [Name] |\n| Risk | TBD |\n\n## Rollback triggers\n\n- error rate above 2 % for 5 min\n";
const OTHER_ORDER: &str = "# Orders 9\n\n## Approval Sign-offs\n\n## Communication Plan\n\n**During Release:**\n- [ ] Slack channel:\n\n## Release Overview\n\n**Release Date/Time:** soon  \n**Release Type:** [ ] Standard [ ] Hotfix [ ] Emergency\n";

fn answer(label: &str, risk: &str) -> String {
    let answer = match label {
        "Risk Level" => risk,
        "Key Metrics" => "Error Rate; < 1%; > 2%\nP99 Latency; < 250ms; > 400ms\nThroughput; > 1,000 rps; < 800 rps",
        "Automatic Rollback Triggers" => {
            "Error rate exceeds 2% for 5 minutes\nP99 latency exceeds 400ms for 10 minutes"
        }
        "Rollout Stages" => "5% of users - 30 minutes\n100% of users - 1 hour",
        "Contingency Plans" => {
            "If rollback fails: restore the snapshot\nIf monitoring blind spots detected: stop\nIf cascading failures occur: shed load"
        }
        "Approval Sign-offs" => "Engineering Lead: Ana\nProduct Owner: Hugo\nSRE/Ops: Ben\nSecurity: Eva",
        known => {
            let keys = (0..).map_while(|n| Question::of_key(&format!("ask-{n}")));
            return keys.into_iter().find(|question| question.label == known).unwrap().example.to_owned();
        }
    };
    answer.to_owned()
}

#[test]
fn answering_what_is_asked_completes_any_plan() {
    let blank = new_plan(&NewPlan::default());
    let titled = new_plan(&NewPlan { title: Some("Orders 9".to_owned()), ..NewPlan::default() });
    let windows = blank.replace('\n', "\r\n");
    for text in [HEADLINE, CHAT, TABLE, OTHER_ORDER, &blank, &titled, &windows] {
        for risk in ["Low", "Medium", "High"] {
            let mut document = text.to_owned();
            // An answer may bring more questions: the risk level does.
            for round in 0.. {
                let open = reading(&document).questions;
                let asked: Vec<(String, String)> =
                    menu(&document, &open).into_iter().filter(|(key, _)| Question::of_key(key).is_some()).collect();
                let Some((key, _)) = asked.first() else { break };
                assert!(round < 30, "{risk}: {asked:?} is asked for ever:\n{document}");
                let label = Question::of_key(key).unwrap().label;
                document = replace_chapter(&document, key, &answer(label, risk)).unwrap();
                let left = reading(&document).questions;
                assert!(!left.iter().any(|field| field == label), "{label} is still open:\n{document}");
            }
            let done = reading(&document);
            let errors: Vec<_> = done.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
            assert!(errors.is_empty(), "{risk}: {errors:#?}\n{document}");
            let plan = done.plan.unwrap();
            assert_eq!(plan.owner.unwrap().name, "Ana Ferreira", "{document}");
            assert_eq!(plan.updates_every_min, Some(30), "{document}");
            assert!(document.contains(text.lines().next().unwrap()), "{document}");
        }
    }
}

/// Found by rereading: the date of a document's history and the owner of a step were overwritten.
#[test]
fn an_answer_leaves_what_is_not_the_releases() {
    let text = "# Orders 9\n\n## Step 1: freeze\n\n**Owner:** Database team\n\n## Document history\n\n**Date:** 2026-11-30\n**On call:** none\n";
    for label in ["Release Date/Time", "Release Owner", "On-Call Engineer", "Risk Level"] {
        let key = (0..).map(|n| format!("ask-{n}")).find(|key| Question::of_key(key).unwrap().label == label).unwrap();
        let answered = replace_chapter(text, &key, &answer(label, "Low")).unwrap();
        // "On call" is the release's wherever it stands; the others are not.
        let kept =
            if label == "On-Call Engineer" { text.replace("none", "Ben Okafor (@ben)") } else { text.to_owned() };
        assert!(answered.starts_with(&kept), "{label}: {answered}");
        assert!(!reading(&answered).questions.iter().any(|open| open == label), "{label}: {answered}");
    }
}

#[test]
fn an_answer_keeps_every_other_byte() {
    let text =
        "# A\n\n## Release Overview\n\n**Release Owner:** [Name]  \n**Note:** *kept*  \n\n## Rest\n\n- [x] done\n";
    let key = (0..).map(|n| format!("ask-{n}")).find(|key| Question::of_key(key).unwrap().label == "Release Owner");
    let answered = replace_chapter(text, &key.unwrap(), "Ana (@ana)").unwrap();
    assert_eq!(answered, text.replace("[Name]", "Ana (@ana)"));
}
