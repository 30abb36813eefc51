//! What headings and labels mean: the template's names, the names other people use, and spelling.
//! Exact, then folded, then synonym, then near.

use std::sync::LazyLock;

/// A section of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Overview,
    Dependencies,
    Strategy,
    Success,
    Rollback,
    Communication,
    Risks,
    Actions,
    Signoffs,
}

impl Part {
    pub(super) const ALL: [Self; 9] = [
        Self::Overview,
        Self::Dependencies,
        Self::Strategy,
        Self::Success,
        Self::Rollback,
        Self::Communication,
        Self::Risks,
        Self::Actions,
        Self::Signoffs,
    ];

    /// The template's heading.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Overview => "Release Overview",
            Self::Dependencies => "Pre-Release Dependencies",
            Self::Strategy => "Deployment Strategy",
            Self::Success => "Success Criteria",
            Self::Rollback => "Rollback Criteria",
            Self::Communication => "Communication Plan",
            Self::Risks => "Risk Mitigation",
            Self::Actions => "Post-Release Actions",
            Self::Signoffs => "Approval Sign-offs",
        }
    }
}

/// The template's bold labels, and the section each belongs to.
const GROUPS: &[(&str, Part)] = &[
    ("relateddocuments", Part::Dependencies),
    ("technicalprerequisites", Part::Dependencies),
    ("rolloutapproach", Part::Strategy),
    ("rolloutstages", Part::Strategy),
    ("keymetrics", Part::Success),
    ("automaticrollbacktriggers", Part::Rollback),
    ("manualrollbackdecisionpoints", Part::Rollback),
    ("prerelease", Part::Communication),
    ("duringrelease", Part::Communication),
    ("postrelease", Part::Communication),
    ("identifiedrisks", Part::Risks),
    ("contingencyplans", Part::Risks),
];

/// The section a bold label of the template belongs to, by its letters.
pub(super) fn group_part(folded: &str) -> Option<Part> {
    GROUPS.iter().find(|(name, _)| *name == folded).map(|(_, part)| *part)
}

/// How sure a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Match {
    Exact,
    Synonym,
    Spelling,
    /// A word of the heading points there.
    Hint,
}

/// Letters and digits only, lower case: how headings and labels are compared.
pub(super) fn fold(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A heading without numbering, emoji and what stands in brackets at its end.
fn heading_core(heading: &str) -> &str {
    let bare = heading.trim_start_matches(|c: char| !c.is_alphabetic());
    let end = bare.rfind(" (").filter(|_| bare.ends_with(')')).unwrap_or(bare.len());
    bare[..end].trim()
}

const SYNONYMS: &[(Part, &[&str])] = &[
    (
        Part::Overview,
        &[
            "overview", "releaseinformation", "releasesummary", "summary", "releasedetails", "launchoverview",
            "deploymentoverview", "details", "generalinformation", "basics", "releaseinfo", "deploymentinformation",
            "changesummary", "metadata", "executivesummary", "概要", "リリース概要", "개요", "überblick", "übersicht",
            "aperçu", "resumen",
        ],
    ),
    (
        Part::Dependencies,
        &[
            "dependencies", "prerequisites", "prereleasechecklist", "predeploymentchecklist", "prelaunchchecklist",
            "readiness", "predeployment", "prerelease", "predeploymentverification", "prelaunch", "preflight",
            "preflightchecklist", "requirements", "readinesschecklist", "beforerelease", "beforedeployment",
            "releasereadiness", "goliveprerequisites", "gonogochecklist", "gonogocriteria", "gonogo", "前提条件",
            "事前準備", "사전준비", "사전조건", "voraussetzungen", "prérequis", "requisitosprevios",
        ],
    ),
    (
        Part::Strategy,
        &[
            "rolloutstrategy", "rolloutplan", "rolloutphases", "rollout", "releasestrategy", "deploymentplan",
            "rolloutschedule", "phases", "stages", "rolloutstages", "deploymentphases", "deploymentstages",
            "phasedrollout", "launchphases", "releasephases", "strategy",
        ],
    ),
    (
        Part::Success,
        &[
            "successmetrics", "monitoring", "metrics", "keymetrics", "slos", "kpis", "monitoringplan",
            "monitoringandalerts", "healthmetrics", "successcriteriametrics", "thresholds", "monitoringmetrics",
            "acceptancecriteria", "targets", "performancetargets", "observability", "successindicators",
            "keymetricstomonitor", "成功基準", "監視", "성공기준", "모니터링", "erfolgskriterien", "critèresdesuccès",
            "criteriosdeéxito",
        ],
    ),
    (
        Part::Rollback,
        &[
            "rollbacktriggers", "rollbackplan", "rollbackprocedures", "rollbackprocedure", "rollback",
            "rollbackstrategy", "abortcriteria", "rollbackconditions", "rollbackdecisioncriteria",
            "rollbackthresholds", "whentorollback", "backoutplan", "reversionplan", "killcriteria", "stopconditions",
            "切り戻し", "切り戻し基準", "切り戻し条件", "ロールバック条件", "ロールバック基準", "롤백조건", "롤백기준",
            "rollbackkriterien", "rückfallplan", "critèresderetourarrière", "criteriosdereversión",
        ],
    ),
    (
        Part::Communication,
        &[
            "communications", "communication", "communicationsplan", "notifications", "stakeholdercommunication",
            "comms", "commsplan", "announcements", "contactsandcommunication", "連絡", "連絡体制", "커뮤니케이션",
            "kommunikation", "kommunikationsplan", "plandecommunication", "comunicación",
        ],
    ),
    (
        Part::Risks,
        &[
            "risks", "riskassessment", "riskmanagement", "riskanalysis", "risksandmitigations", "riskmatrix",
            "knownrisks", "riskregister", "risksandmitigation", "リスク", "위험", "리스크", "risiken", "risques",
            "riesgos",
        ],
    ),
    (
        Part::Actions,
        &[
            "postrelease", "followupactions", "followup", "postdeployment", "postlaunch", "postreleasetasks",
            "postdeploymentactions", "nextsteps", "afterrelease", "postreleasechecklist", "postrollout",
            "postdeploymentchecklist",
        ],
    ),
    (
        Part::Signoffs,
        &[
            "signoffs", "signoff", "approvals", "approval", "approvers", "approvalgates", "deploymentapproval",
            "releaseapproval", "approvalsignoff", "gonogodecision", "gonogoapproval", "gonogosignoff", "gonogovotes",
            "承認", "승인", "freigabe", "freigaben", "approbations", "aprobaciones",
        ],
    ),
];

/// Words that point to a section where nothing else does.
const HINTS: &[(Part, &[&str])] = &[
    (
        Part::Rollback,
        &[
            "rollback", "abort", "backout", "ロールバック", "切り戻し", "롤백", "回滚", "rückfall", "retour arrière",
            "reversión",
        ],
    ),
    (Part::Success, &["success criteria", "success metric", "kpi", "metrics", "performance target", "threshold"]),
    (Part::Signoffs, &["sign-off", "signoff", "approval"]),
    (Part::Communication, &["communication"]),
    (Part::Risks, &["risk"]),
    (Part::Dependencies, &["prerequisite", "pre-deployment", "pre-release", "pre-launch"]),
    (Part::Actions, &["post-deployment", "post-release", "post-launch", "post-rollout"]),
    (Part::Strategy, &["rollout strategy", "rollout phase", "rollout schedule", "deployment strategy"]),
];

/// The template's headings, folded once.
static HEADINGS: LazyLock<Vec<(Part, String)>> =
    LazyLock::new(|| Part::ALL.into_iter().map(|part| (part, fold(part.heading()))).collect());

/// The template's labels, folded once.
static FIELDS: LazyLock<Vec<(Field, String)>> =
    LazyLock::new(|| LABELS.iter().map(|(field, _)| (*field, fold(field.label()))).collect());

/// Letters two names do not share: each slip mends two of them at most, so most pairs are told apart without more work.
fn apart(a: &str, b: &str) -> usize {
    let mut bag = [0i16; 64];
    a.chars().for_each(|c| bag[c as usize % 64] += 1);
    b.chars().for_each(|c| bag[c as usize % 64] -= 1);
    bag.iter().map(|n| usize::from(n.unsigned_abs())).sum()
}

/// Whether two folded names are at most `limit` slips apart.
pub(super) fn near(a: &str, b: &str, limit: usize) -> bool {
    apart(a, b) <= 2 * limit && strsim::damerau_levenshtein(a, b) <= limit
}

/// The section whose heading in the template this is.
pub(super) fn exact(heading: &str) -> Option<Part> {
    // No heading of the template is longer, folded or not, by much.
    if heading.len() > 60 {
        return None;
    }
    let wanted = fold(heading);
    HEADINGS.iter().find(|(_, name)| *name == wanted).map(|(part, _)| *part)
}

/// The section a heading means.
pub(super) fn part(heading: &str) -> Option<(Part, Match)> {
    if let Some(part) = exact(heading) {
        return Some((part, Match::Exact));
    }
    let core = fold(heading_core(heading));
    if core.is_empty() {
        return None;
    }
    if let Some((part, _)) = HEADINGS.iter().find(|(_, name)| *name == core) {
        return Some((*part, Match::Synonym));
    }
    let synonym = SYNONYMS.iter().find(|(_, names)| names.contains(&core.as_str()));
    if let Some((part, _)) = synonym {
        return Some((*part, Match::Synonym));
    }
    let spelled = HEADINGS.iter().find(|(_, name)| near(name, &core, (name.len() / 5).max(1)));
    if let Some((part, _)) = spelled {
        return Some((*part, Match::Spelling));
    }
    let low = heading.to_lowercase();
    let hint = HINTS.iter().find(|(_, words)| words.iter().any(|word| low.contains(word)));
    hint.map(|(part, _)| (*part, Match::Hint))
}

/// A field of the overview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Title,
    When,
    Kind,
    Risk,
    Owner,
    OnCall,
    Service,
    Impact,
    /// Only a time of day, for a date that stands elsewhere.
    Time,
}

impl Field {
    /// The template's label.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Title => "Feature/Change",
            Self::When => "Release Date/Time",
            Self::Kind => "Release Type",
            Self::Risk => "Risk Level",
            Self::Owner => "Release Owner",
            Self::OnCall => "On-Call Engineer",
            Self::Service => "Service",
            Self::Impact => "User Impact",
            Self::Time => "Release Time",
        }
    }

    const REQUIRED: [Self; 6] = [Self::Title, Self::When, Self::Kind, Self::Risk, Self::Owner, Self::OnCall];

    pub(super) fn required() -> [Self; 6] {
        Self::REQUIRED
    }
}

const LABELS: &[(Field, &[&str])] = &[
    (
        Field::Title,
        &[
            "feature", "change", "release", "title", "releasename", "name", "project", "featurename", "changetitle",
            "releasetitle", "product", "subject",
        ],
    ),
    (
        Field::When,
        &[
            "releasedate", "datetime", "date", "when", "launchdate", "deploymentdate", "golivedate", "golive",
            "scheduledfor", "scheduled", "targetdate", "releasetime", "releasedateandtime", "deploymentwindow",
            "plannedrelease", "plannedreleasedate", "startdate", "scheduleddate", "targetreleasedate",
            "deploymentdatetime", "launchdatetime", "deploydate", "targetlaunch", "targetlaunchdate", "plannedstart",
            "t0", "start", "datetimezone", "dateandtime", "rolloutdate", "launch", "deploy", "deployment",
            "releasewindow", "launchwindow", "window", "rolloutstart", "rolloutstartdate", "plannedlaunch",
            "productiondate", "日時", "リリース日時", "リリース日", "일시", "배포일시", "datum", "termin", "zeitpunkt",
            "fecha",
        ],
    ),
    (Field::Time, &["launchtime", "time", "starttime", "deploymenttime", "golivetime"]),
    (Field::Kind, &["type", "changetype", "deploymenttype", "launchtype", "kindofrelease"]),
    (Field::Risk, &["risk", "riskrating", "riskassessment", "overallrisk", "リスク", "위험도", "risiko"]),
    (
        Field::Owner,
        &[
            "owner", "releasemanager", "releaselead", "launchlead", "lead", "dri", "deploymentlead", "changeowner",
            "author", "driver", "releasecaptain", "deploymentowner", "teamlead", "engineeringowner", "rolloutowner",
            "releasecoordinator", "responsible", "featureowner", "pointofcontact", "captain", "担当者", "責任者",
            "담당자", "책임자", "verantwortlich", "verantwortliche", "responsable",
        ],
    ),
    (
        Field::OnCall,
        &[
            "oncall", "oncallprimary", "primaryoncall", "oncallcontact", "oncallperson", "sreoncall", "oncalllead",
            "primaryoncallengineer",
        ],
    ),
    (Field::Service, &["services", "component", "system", "application", "app", "servicename", "affectedservice"]),
    (Field::Impact, &["impact", "customerimpact", "expectedimpact", "impactonusers", "userfacingimpact"]),
];

/// The overview's field a label means.
pub(super) fn field(label: &str) -> Option<(Field, Match)> {
    let wanted = fold(label);
    if let Some((field, _)) = FIELDS.iter().find(|(_, name)| *name == wanted) {
        return Some((*field, Match::Exact));
    }
    let core = fold(heading_core(label));
    if let Some((field, _)) = LABELS.iter().find(|(_, names)| names.contains(&core.as_str())) {
        return Some((*field, Match::Synonym));
    }
    // Short names are too near to each other to be guessed.
    // Of several names the nearest; a time of day is never guessed.
    let long = FIELDS.iter().filter(|(field, name)| name.len() >= 8 && *field != Field::Time);
    long.filter(|(_, name)| near(name, &core, name.len() / 5))
        .min_by_key(|(_, name)| strsim::damerau_levenshtein(name, &core))
        .map(|(field, _)| (*field, Match::Spelling))
}

/// The nearest of some names to a typed one, if any is near at all.
pub(super) fn nearest<'n>(typed: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let wanted = fold(typed);
    let score = |name: &str| strsim::jaro_winkler(&fold(name), &wanted);
    let best = names.into_iter().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    let name = fold(best);
    let alike = near(&name, &wanted, (name.len() / 4).max(1)) || score(best) >= 0.88;
    (alike && !wanted.is_empty()).then_some(best)
}
