//! Preview: everything a plan will say if all goes well, by playing it through the real decisions on a clock of its own.
//! Nothing is sent and nothing stored. It must not decide anything itself; it only plays the people.

mod kind;

use std::collections::BTreeMap;

use jiff::Timestamp;
use kind::kind;
use serde_json::{Value, json};

use crate::domain::agenda::agenda;
use crate::domain::closing::{AllClearCommand, ClosingCommand};
use crate::domain::command::Command;
use crate::domain::decision::{PointState, Verdict};
use crate::domain::effect::{Effect, Posting};
use crate::domain::event::Event;
use crate::domain::ids::{Audience, ChannelId, Destination, ReleaseId, ReleaseNo, RoleId, UserId, WorkspaceId};
use crate::domain::ladder::{LadderNotice, NoticeCommand, NoticeEvent, RungSaid};
use crate::domain::lifecycle::{Imported, PlanCommand, grace};
use crate::domain::mark::MarkKind;
use crate::domain::notice::Notice;
use crate::domain::people::{Actor, Person, Standing};
use crate::domain::plan::{self, Contact, Plan, Quantity, ReleaseType, Risk, SignoffRole, t_label};
use crate::domain::policy::{Policy, Route};
use crate::domain::prompt::Prompt;
use crate::domain::release::{Phase, Release, Run};
use crate::domain::signoff::{self, SignoffCommand};
use crate::domain::stage::StageCommand;
use crate::domain::updates::UpdateMark;
use crate::domain::work::Context;
use crate::domain::{alert, decide};
use crate::voice;

/// More steps than this are no release.
const MAX_STEPS: usize = 3_000;

/// What will be said, in time order.
#[derive(Debug)]
pub struct Played {
    pub marks: Vec<Said>,
    /// Notices whose time has passed: they will not be sent.
    pub skipped: Vec<String>,
    /// The instant of the import and the submission.
    pub now: Timestamp,
    /// The plan could not be submitted as it is: how many errors lint found.
    pub errors: usize,
    /// There would be more than we played.
    pub truncated: bool,
    zone: String,
    title: String,
    nothing: &'static str,
}

/// One message.
#[derive(Debug)]
pub struct Said {
    pub at: Timestamp,
    /// From the planned T-0.
    pub label: String,
    pub kind: &'static str,
    pub audience: String,
    pub channel: String,
    pub text: String,
}

impl Played {
    /// As in the contract of `tminus preview`.
    pub fn json(&self) -> Value {
        let marks: Vec<Value> = self
            .marks
            .iter()
            .map(|said| {
                json!({
                    "at": in_zone(said.at, &self.zone), "label": said.label, "kind": said.kind,
                    "audience": said.audience, "channel": said.channel, "text": said.text,
                })
            })
            .collect();
        json!({
            "title": self.title, "zone": self.zone, "now": in_zone(self.now, &self.zone), "marks": marks,
            "skipped": self.skipped, "errors": self.errors, "truncated": self.truncated,
        })
    }

    /// As people read it.
    pub fn text(&self) -> String {
        let mut out = format!(
            "{}\nSubmitted {}. The preview assumes that everyone signs and confirms at once, that the owner gives\n\
             the go at T-0, advances each stage when its hold time ends, writes the updates and always decides\n\
             to continue, and that no alert fires. The plan's channel is used where the server has it, else the\n\
             release channel; audiences with channels of their own read there.\n\n",
            self.title,
            in_zone(self.now, &self.zone)
        );
        if self.errors > 0 {
            let s = if self.errors == 1 { "" } else { "s" };
            out.push_str(&format!(
                "⛔ You can't submit this plan yet: plan lint finds {} error{s}. The preview assumes these errors\n\
                 are fixed; a missing type counts as Standard, a missing risk as High.\n\n",
                self.errors
            ));
        }
        for said in &self.marks {
            let head = format!(
                "{}  {}  {} → {} in {}",
                in_zone(said.at, &self.zone),
                said.label,
                said.kind,
                said.audience,
                said.channel
            );
            out.push_str(&format!("{head}\n"));
            said.text.lines().for_each(|line| out.push_str(&format!("    {line}\n")));
            out.push('\n');
        }
        for skipped in &self.skipped {
            out.push_str(&format!("not sent: {skipped}; its time has passed\n"));
        }
        if self.truncated {
            out.push_str("… the preview stops here; the release would send more\n");
        }
        out
    }

    /// Why there is nothing to say.
    pub fn why_nothing(&self) -> &'static str {
        self.nothing
    }
}

/// RFC 3339 with the zone's offset, in whole seconds.
fn in_zone(at: Timestamp, zone: &str) -> String {
    let zone = crate::domain::zone_of(zone);
    let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
    at.display_with_offset(zone.to_offset(at)).to_string()
}

/// Plays a plan from its submission at `now`; `errors` is what lint found against it. What it lacks is played as strictly as can be: Standard, High.
pub fn play(mut plan: Plan, errors: usize, now: Timestamp) -> Played {
    let mut played = Played {
        marks: Vec::new(),
        skipped: Vec::new(),
        now,
        errors,
        truncated: false,
        zone: plan.zone().to_owned(),
        title: plan.title.clone(),
        nothing: "the plan has no T-0, so T-Minus can't schedule anything; fill in `Release Date/Time`",
    };
    let Some(t0) = plan.t0_at() else { return played };
    if t0 + grace(plan.kind) < now {
        played.nothing = "T-0 is in the past; set a new T-0, or use another --now";
        return played;
    }
    plan.kind.get_or_insert(ReleaseType::Standard);
    plan.risk.get_or_insert(Risk::High);
    let mut names = BTreeMap::new();
    let nobody = |name: &str| Contact { name: name.to_owned(), handle: None, user: None };
    plan.owner.get_or_insert_with(|| nobody("the owner"));
    plan.on_call.get_or_insert_with(|| nobody("the on-call engineer"));
    for (n, contact) in plan.contacts_mut().enumerate() {
        let user = UserId(format!("person-{n}"));
        names.insert(user.0.clone(), contact.name.clone());
        contact.user = Some(user);
    }
    let mut stage = Stage { policy: policy(&plan), channel: channel(&plan), names, now, t0, played };
    stage.run(plan);
    stage.played.marks.sort_by_key(|said| said.at);
    stage.played
}

struct Stage {
    policy: Policy,
    channel: String,
    names: BTreeMap<String, String>,
    now: Timestamp,
    t0: Timestamp,
    played: Played,
}

fn role(name: &str) -> RoleId {
    RoleId(name.to_owned())
}

/// Every role is somebody's, every audience has its own.
fn policy(plan: &Plan) -> Policy {
    let route = |audience: &Audience| (audience.clone(), Route { role: Some(role(&audience.0)), ..Route::default() });
    Policy {
        release_channel: Some(ChannelId("release".to_owned())),
        signers: SignoffRole::ALL.iter().map(|r| (*r, vec![role(r.slug())])).collect(),
        release_managers: vec![role("release_manager")],
        audiences: plan.rungs.iter().map(|rung| route(&rung.audience)).collect(),
        ..Policy::default()
    }
}

/// The release channel's name, with the date filled in.
fn channel(plan: &Plan) -> String {
    let date = plan
        .t0_at()
        .map(|at| crate::domain::zone_of(plan.zone()).to_datetime(at).date().to_string())
        .unwrap_or_default();
    plan.channel.as_deref().map_or_else(|| "the release channel".to_owned(), |name| name.replace("[date]", &date))
}

fn person(user: &str, roles: Vec<RoleId>) -> Actor {
    Actor::Person(Person {
        user: UserId(user.to_owned()),
        name: user.to_owned(),
        roles,
        manages_server: true,
        standing: Standing::Member,
    })
}

impl Stage {
    fn run(&mut self, plan: Plan) {
        let imported = Box::new(Imported {
            plan,
            digest: "preview".to_owned(),
            findings: Vec::new(),
            fixes: 0,
            renamed: BTreeMap::new(),
            undone: Vec::new(),
        });
        let command = Command::Plan(PlanCommand::Import { imported, no: ReleaseNo(1) });
        let author = person("author", vec![role("release_manager")]);
        let ctx = Context { now: self.now, actor: &author, policy: &self.policy, others: &[] };
        let id = ReleaseId(uuid::Uuid::nil());
        let Ok(opened) = decide::open(id, WorkspaceId("preview".to_owned()), command, ctx, 0) else { return };
        let mut release = opened.release;
        self.ask(&mut release, &author, Command::Plan(PlanCommand::Submit));
        self.everybody_signs(&mut release);
        for _ in 0..MAX_STEPS {
            self.people(&mut release);
            let next = agenda(&release).into_iter().next();
            let Some(mark) = next else { return };
            self.now = self.now.max(mark.at);
            self.reach(&mut release);
        }
        self.played.truncated = true;
    }

    /// Asks the release something; what it says is kept. A refusal changes nothing.
    fn ask(&mut self, release: &mut Release, actor: &Actor, command: Command) -> bool {
        let ctx = Context { now: self.now, actor, policy: &self.policy, others: &[] };
        let Ok(decision) = decide::decide(release, command, ctx) else { return false };
        *release = decision.release;
        for recorded in &decision.events {
            if let Event::Notice(NoticeEvent::Said { rung, how: RungSaid::Skipped, .. }) = &recorded.event {
                self.played.skipped.push(rung.clone());
            }
        }
        for effect in decision.effects {
            if let Effect::Post(posting) = effect {
                self.said(release, &posting);
                self.confirm(release, &posting);
            }
        }
        true
    }

    fn said(&mut self, release: &Release, posting: &Posting) {
        let message = voice::say(&posting.notice, release, self.now, posting.prompt.as_ref());
        let (audience, channel) = match &posting.to {
            Destination::Release => ("everyone".to_owned(), self.channel.clone()),
            Destination::Ops => ("operators".to_owned(), "the ops channel".to_owned()),
            Destination::Page(page) => ("customers".to_owned(), format!("the status page {page}")),
            Destination::Audience(audience) => (voice::words::audience(audience), self.channel.clone()),
        };
        let label = match &posting.notice {
            Notice::Ladder(LadderNotice::Rung { label, .. }) => label.clone(),
            _ => t_label((self.now.as_millisecond() - self.t0.as_millisecond()).div_euclid(60_000)),
        };
        let text = voice::plain(&message, &self.played.zone, self.now, &self.names);
        self.played.marks.push(Said { at: self.now, label, kind: kind(&posting.notice), audience, channel, text });
    }

    /// Whoever was told confirms at once.
    fn confirm(&mut self, release: &mut Release, posting: &Posting) {
        if let (Some(Prompt::Receipt { rung, generation }), Destination::Audience(audience)) =
            (&posting.prompt, &posting.to)
        {
            let actor = person(&audience.0, vec![role(&audience.0)]);
            let command = NoticeCommand::Receipt { rung: rung.clone(), generation: *generation };
            self.ask(release, &actor, Command::Notice(command));
        }
    }

    fn everybody_signs(&mut self, release: &mut Release) {
        for signer in signoff::view::missing(release) {
            let actor = person(&signer.to_string(), vec![role(signer.slug())]);
            self.ask(release, &actor, Command::Signoff(SignoffCommand::Give(signer)));
        }
        for gate in release.plan.gates.clone() {
            let owner = self.owner(release);
            self.ask(release, &owner, Command::Closing(ClosingCommand::ItemDone { item: gate.id, note: None }));
        }
    }

    fn owner(&self, release: &Release) -> Actor {
        let user = release.plan.owner_user().map_or("author", |user| user.0.as_str());
        let name = self.names.get(user).cloned().unwrap_or_else(|| user.to_owned());
        let roles = vec![role("release_manager")];
        Actor::Person(Person {
            user: UserId(user.to_owned()),
            name,
            roles,
            manages_server: true,
            standing: Standing::Member,
        })
    }

    /// A mark is reached: an update somebody owes is written by them first, then the clock does its part.
    fn reach(&mut self, release: &mut Release) {
        let owed = agenda(release)
            .into_iter()
            .any(|m| matches!(m.kind, MarkKind::Update(UpdateMark::Due)) && m.at <= self.now);
        if owed && matches!(release.phase, Phase::Live { .. }) {
            self.write_update(release);
        }
        self.ask(release, &Actor::Clock, Command::Tick { away: None });
    }

    fn write_update(&mut self, release: &mut Release) {
        let owner = self.owner(release);
        let values = healthy(release);
        let text = Some("(the owner's words)".to_owned());
        self.ask(release, &owner, Command::Update { text, values });
    }

    /// What people do about what they were told: by the release's state, because several things may come at one instant.
    fn people(&mut self, release: &mut Release) {
        let owner = self.owner(release);
        if matches!(release.phase, Phase::Gathering { .. } | Phase::Approved { .. }) && release.countdown.t0_asked > 0 {
            self.ask(release, &owner, Command::Stage(StageCommand::Go { break_glass: None }));
        }
        if let Phase::Live { run } = &release.phase
            && (run.stage.soak_said || run.stage.soak_until.is_none())
        {
            let reason = run.stage.soak_until.is_none().then(|| "no hold time planned".to_owned());
            self.ask(release, &owner, Command::Stage(StageCommand::Advance { reason }));
        }
        for _ in 0..release.plan.points.len() {
            let open = |run: &Run| run.points.iter().any(|p| matches!(p.state, PointState::Open { .. }));
            if release.phase.run().is_some_and(open) {
                let reason = Some("healthy".to_owned());
                self.ask(release, &owner, Command::Decide { point: None, verdict: Verdict::Continue, reason });
            }
        }
        if let Phase::Watching { run } = &release.phase
            && run.points.iter().all(|p| matches!(p.state, PointState::Decided { .. }))
        {
            // Fresh values are part of the last look.
            self.write_values(release);
            self.ask(release, &owner, Command::AllClear(AllClearCommand::Give));
        }
        if matches!(release.phase, Phase::AllClear { .. }) {
            let actions = release.plan.actions.iter().filter(|a| a.for_min.is_none()).map(|a| a.id.clone());
            let actions: Vec<String> = actions.collect();
            let open = release.phase.closing().map(|closing| closing.actions.clone()).unwrap_or_default();
            for id in actions.into_iter().filter(|id| open.iter().any(|a| a.id == *id && a.settled.is_none())) {
                self.ask(release, &owner, Command::Closing(ClosingCommand::ItemDone { item: id, note: None }));
            }
        }
    }

    fn write_values(&mut self, release: &mut Release) {
        let owner = self.owner(release);
        for (metric, value) in healthy(release) {
            let command = alert::AlertCommand::Report { metric, value };
            self.ask(release, &owner, Command::Alert(command));
        }
    }
}

/// A healthy value of every metric: the baseline, or what satisfies success.
fn healthy(release: &Release) -> Vec<(String, Quantity)> {
    let value = |metric: &plan::MetricPlan| {
        let fits = |value: f64| {
            metric.success.as_ref().is_none_or(|b| b.holds(value))
                && metric.alert.as_ref().is_none_or(|b| !b.holds(value))
        };
        let edge = metric.success.as_ref().or(metric.alert.as_ref()).map(|b| b.than.value).unwrap_or(1.0);
        let base = metric.baseline.as_ref().map(|b| b.value);
        let tries = [base.unwrap_or(edge), edge, edge * 0.9, edge * 1.1, edge - 1.0, edge + 1.0, 0.0];
        tries.into_iter().find(|value| fits(*value)).unwrap_or(edge)
    };
    let all = release.plan.metrics.iter().map(|m| (m.name.clone(), Quantity { value: value(m), unit: String::new() }));
    all.collect()
}
