//! A new plan in the template's structure, in our own words, filled in as far as its author said. What is left in brackets
//! is asked by lint.

use crate::domain::plan::{ReleaseType, Risk};

/// What the author of a new plan said already; the rest stays a placeholder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewPlan {
    /// What ships.
    pub title: Option<String>,
    /// Date, time and zone as typed.
    pub when: Option<String>,
    /// The release type.
    pub kind: Option<ReleaseType>,
    /// The risk level.
    pub risk: Option<Risk>,
    /// Name and handle.
    pub owner: Option<String>,
    /// Name and handle.
    pub on_call: Option<String>,
    /// The service, for routing alerts.
    pub service: Option<String>,
    /// The channel, `#releases-[date]`.
    pub channel: Option<String>,
    /// Minutes between updates.
    pub every_min: Option<u32>,
}

/// The document.
pub fn new_plan(plan: &NewPlan) -> String {
    // One line each: a break would begin another field.
    let value = |text: &Option<String>, hole: &str| {
        let line = text.as_deref().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        line.filter(|line| !line.is_empty()).unwrap_or_else(|| format!("[{hole}]"))
    };
    let kinds = boxes(ReleaseType::ALL, plan.kind);
    let risks = boxes(Risk::ALL, plan.risk);
    let service = match &plan.service {
        Some(_) => format!("**Service:** {}  \n", value(&plan.service, "")),
        None => String::new(),
    };
    let every = plan.every_min.map_or_else(|| "30 minutes".to_owned(), |minutes| format!("{minutes} minutes"));
    format!(
        "\
# Release Plan

> **Purpose:** Everyone involved knows what ships, how we know it is healthy, and how we roll it back.

## Release Overview

**Feature/Change:** {title}  
**Release Date/Time:** {when}  
**Release Type:** {kinds}  
**Risk Level:** {risks}  
**Release Owner:** {owner}  
**On-Call Engineer:** {on_call}  
{service}
## Pre-Release Dependencies

**Related Documents:**
- [ ] Release checklist: [path or link]
- [ ] Deployment guide: [path or link]
- [ ] Monitoring plan: [path or link]

**Technical Prerequisites:**
- [ ] All tests pass on the commit that ships
- [ ] Feature flags are in place, off by default
- [ ] Database migrations are tested on a copy
- [ ] All dependencies are deployed and stable

## Deployment Strategy

**Rollout Approach:**
- [ ] Big Bang (all at once)
- [ ] Canary (percentage: ___%)
- [ ] Blue-Green
- [ ] Feature Flag (groups: ___)

**Rollout Stages:**
1. **Stage 1:** [audience, such as 5% of users] - [duration, such as 30 minutes]
2. **Stage 2:** [25% of users] - [1 hour]
3. **Stage 3:** [100% of users] - [1 hour]

## Success Criteria

**Key Metrics to Monitor:**

| Metric | Baseline | Success Threshold | Alert Threshold |
|--------|----------|-------------------|-----------------|
| P99 Latency | [200ms] | [< 250ms] | [> 400ms] |
| Error Rate | [0.4%] | [< 1%] | [> 2%] |
| Throughput | [1,200 rps] | [> 1,000 rps] | [< 800 rps] |

## Rollback Criteria

**Automatic Rollback Triggers:**
- [ ] Error rate exceeds ___% for ___ minutes
- [ ] P99 latency exceeds ___ms for ___ minutes
- [ ] Service health check fails for ___ consecutive checks

**Manual Rollback Decision Points:**
- [ ] T+15 minutes: First health check
- [ ] T+1 hour: Stability check
- [ ] T+4 hours: All metrics
- [ ] T+24 hours: Final decision

## Communication Plan

**Pre-Release:**
- [ ] Engineering team notified (T-24h)
- [ ] Support team briefed (T-2h)
- [ ] Status page updated (T-30m)

**During Release:**
- [ ] Channel: {channel}
- [ ] Updates every: {every}
- [ ] Escalation path: [first person → second person]

**Post-Release:**
- [ ] All-clear notification
- [ ] Post-mortem scheduled (if issues occurred)
- [ ] Success metrics shared

## Risk Mitigation

**Identified Risks:**
1. **Risk:** [what could go wrong]  
   **Mitigation:** [how you mitigate it]

**Contingency Plans:**
- **If rollback fails:** [what the team does then]
- **If monitoring blind spots detected:** [what the team does then]
- **If cascading failures occur:** [what the team does then]

## Post-Release Actions

- [ ] Monitor dashboards for next 24 hours
- [ ] Update `post-release-monitoring-log.md`
- [ ] Hold a retrospective if needed
- [ ] Document surprises
- [ ] Update the runbooks

## Approval Sign-offs

- [ ] Engineering Lead: [Name] - [Date/Time]
- [ ] Product Owner: [Name] - [Date/Time]
- [ ] SRE/Ops: [Name] - [Date/Time]
- [ ] Security (if required): [Name] - [Date/Time]

---

**Last Updated:** [Date]  
**Next Review:** After release completion
",
        title = value(&plan.title, "what ships, in a few words"),
        when = value(&plan.when, "YYYY-MM-DD HH:MM zone"),
        owner = value(&plan.owner, "name and handle"),
        on_call = value(&plan.on_call, "name and handle"),
        channel = plan.channel.as_deref().map_or_else(|| "#releases-[date]".to_owned(), |c| c.trim().to_owned()),
    )
}

fn boxes<T: Copy + PartialEq + std::fmt::Display>(all: &[T], chosen: Option<T>) -> String {
    let drawn = |value: &T| format!("[{}] {value}", if Some(*value) == chosen { 'x' } else { ' ' });
    all.iter().map(drawn).collect::<Vec<_>>().join(" ")
}
