//! One piece of work, from its row to its record: an attempt, a look-up, an edit, a report, a sweep.

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use super::far_end::Along;
use super::shown::{already_shown, shows};
use super::under_way::Failure;
use super::{Courier, FarEnd, faults};
use crate::chat::{File, Rank};
use crate::delivery::{EditEvent, Key, Outcome, PostEvent, PostState, Target};
use crate::desk::{Ask, Desk, DeskFault, EditNews, Step};
use crate::sending::SendFault;
use crate::store::{PostRow, StoreFault};
use crate::voice::Message;

/// The longest a request can take from here on: its turn, then the connection, then the answer.
const REQUEST: SignedDuration = SignedDuration::from_secs(16);
/// Two messages with one marker are looked for this far back.
const SWEPT: SignedDuration = SignedDuration::from_hours(48);

impl<F: FarEnd> Courier<F> {
    /// An attempt at a claimed message.
    pub(super) async fn send(&self, row: PostRow) -> Result<(), DeskFault> {
        let key = row.key.to_string();
        self.at("after_claim", &key).await;
        self.at("before_send", &key).await;
        let (outcome, payload) = match self.attempt(&row).await {
            Ok(message) => (Outcome::Sent { message }, None),
            Err(Refusal::Held(outcome)) => (outcome, None),
            Err(Refusal::Fault(fault)) => {
                self.at("after_send", &key).await;
                self.refused(&row, fault)
            }
        };
        if let Outcome::Sent { .. } = outcome {
            self.at("after_send", &key).await;
        }
        let sent = matches!(outcome, Outcome::Sent { .. });
        self.record(&row, outcome, payload).await?;
        if sent {
            self.at("after_record", &key).await;
        }
        Ok(())
    }

    async fn attempt(&self, row: &PostRow) -> Result<String, Refusal> {
        self.may_begin(row)?;
        // What fails here is not the message's doing, and nothing was sent.
        let owned = self.far.owns(row).await.map_err(|fault| match fault {
            SendFault::Unknown(why) | SendFault::Refused(why) | SendFault::Forbidden(why) => SendFault::NotSent(why),
            fault => fault,
        })?;
        if !owned {
            return Err(SendFault::NotThere("the channel belongs to another server".to_owned()).into());
        }
        let along = self.along(row).await.map_err(|fault| SendFault::NotSent(fault.to_string()))?;
        // Asking took its time.
        self.may_begin(row)?;
        Ok(self.far.post(row, &along).await?)
    }

    /// Whether a request may begin: it would end before the lease, and refusals are not too many.
    fn may_begin(&self, row: &PostRow) -> Result<(), Refusal> {
        let now = self.clock.now();
        let held = |wait, why: &str| Err(Refusal::Held(Outcome::Failed { wait, why: why.to_owned() }));
        if !matches!(row.post.state, PostState::Sending { until, .. } if now + REQUEST <= until) {
            return held(Some(SignedDuration::ZERO), "the lease was about to expire");
        }
        if !self.far.accepts_token() {
            return Err(SendFault::TokenDead.into());
        }
        match self.health.tripped(now).filter(|_| Rank::of(row.priority) != Rank::Urgent) {
            Some(until) => held(
                Some(until.duration_since(now)),
                "Discord refused too many requests in ten minutes; T-Minus sends only urgent messages",
            ),
            None => Ok(()),
        }
    }

    /// The message it is a reply to, and the file that goes along.
    async fn along(&self, row: &PostRow) -> Result<Along, StoreFault> {
        let replied = serde_json::from_str::<Message>(&row.rendering.payload).ok().and_then(|m| m.reply_to);
        let reply_to = match replied {
            Some(post) => {
                let key = Key { owner: row.key.owner.clone(), post };
                let replied = self.store.post_of(&key).await?.filter(|replied| replied.target == row.target);
                replied.and_then(|replied| replied.post.message_id().map(str::to_owned))
            }
            None => None,
        };
        let file = match &row.file {
            Some(file) => self.store.content(&file.content).await?.map(|bytes| File { name: file.name.clone(), bytes }),
            None => None,
        };
        Ok(Along { reply_to, file })
    }

    /// What follows from a fault, and simpler words where those are tried next.
    fn refused(&self, row: &PostRow, fault: SendFault) -> (Outcome, Option<String>) {
        self.note(&row.target, &fault);
        if !matches!(fault, SendFault::Wait(_)) {
            let attempt = row.post.attempt;
            tracing::warn!(post.key = %row.key, attempt, %fault, "post failed or outcome unknown");
        }
        match (fault, plainer(row)) {
            // It will never be taken as it is: once more as bare words, before it is given up.
            (SendFault::Refused(why) | SendFault::Forbidden(why), Some(payload)) => {
                (Outcome::Simplified { why }, Some(payload))
            }
            (fault, _) => (faults::outcome(fault, self.now()), None),
        }
    }

    /// What a fault says of the chat as a whole.
    fn note(&self, target: &Target, fault: &SendFault) {
        if target.channel().is_none() {
            return;
        }
        if *fault == SendFault::TokenDead {
            self.far.doubt_token();
        }
        // What Discord counts: 401, 403 and 429.
        let counts = matches!(
            fault,
            SendFault::Limited(_) | SendFault::Blocked(_) | SendFault::Forbidden(_) | SendFault::TokenDead
        );
        if counts && self.health.refused(self.clock.now()) {
            tracing::error!("more than 50 refusals in ten minutes, sending only urgent messages");
        }
    }

    async fn record(&self, row: &PostRow, outcome: Outcome, payload: Option<String>) -> Result<(), DeskFault> {
        let (now, attempt) = (self.clock.now(), row.post.attempt);
        let event = PostEvent::Attempted { attempt, outcome: outcome.clone() };
        let after = self.say(vec![Step::Post { id: row.id, event, payload }]).await?.pop();
        let Outcome::Sent { message } = outcome else { return Ok(()) };
        match after.as_ref().and_then(|after| after.post.message_id()) {
            Some(recorded) if recorded == message => {
                let late_ms = now.as_millisecond() - row.post.due.as_millisecond();
                self.health.sent();
                match Rank::of(row.priority) {
                    Rank::Urgent | Rank::Due => tracing::info!(post.key = %row.key, message, late_ms, "posted"),
                    Rank::Later => tracing::debug!(post.key = %row.key, message, late_ms, "posted"),
                }
            }
            Some(first) => {
                tracing::error!(post.key = %row.key, message, first, "posted twice, removing the second message");
                if let Err(fault) = self.far.remove(&row.target, &message).await {
                    tracing::error!(post.key = %row.key, message, %fault, "duplicate not removed, the sweep retries");
                }
            }
            None => {
                tracing::warn!(post.key = %row.key, message, "posted while another attempt is recorded, the sweep removes a duplicate");
            }
        }
        Ok(())
    }

    /// An unknown outcome is looked up; only a history that was surely read allows a repeat.
    pub(super) async fn look_up(&self, row: PostRow) -> Result<(), Failure> {
        let anchor = self.store.newest_in(&row.target).await?;
        let looked = self.far.look_up(&row, anchor.as_deref()).await;
        self.at("after_look_up", &row.key.to_string()).await;
        if let Err(fault) = &looked {
            tracing::warn!(post.key = %row.key, %fault, "look-up failed");
            self.note(&row.target, fault);
        }
        let found = faults::found(looked, |message| self.far.created(&row.target, message), self.now());
        let event = PostEvent::LookedUp { attempt: row.post.attempt, found };
        let after = self.say(vec![Step::Post { id: row.id, event, payload: None }]).await?.pop();
        if let Some(after) = after.filter(|after| after.post.state == PostState::Held) {
            tracing::error!(post.key = %row.key, why = after.post.why, "message held for a person's decision");
        }
        Ok(())
    }

    /// The newest rendering of a message.
    pub(super) async fn edit(&self, post: i64) -> Result<(), Failure> {
        let began = self.clock.now();
        let Some(row) = self.store.read_posts(&[post]).await?.pop() else { return Ok(()) };
        let (Some(message), Some(edit)) = (row.post.message_id(), &row.edit) else { return Ok(()) };
        let page = row.target.channel().is_none();
        // It shows that already.
        let known = !page && already_shown(&row.rendering, edit, message);
        let shown = if known { Ok(()) } else { self.far.edit(&row, edit, message).await };
        let (n, attempt, now) = (edit.wanted, edit.attempt, self.clock.now());
        let (event, news) = match shown {
            Ok(()) => {
                let shows = Some(shows(message, &edit.rendering));
                let news = if known { EditNews::None } else { EditNews::Shown { awaited: row.post.awaited } };
                (EditEvent::Done { n, began, shows }, news)
            }
            Err(fault) => {
                self.note(&row.target, &fault);
                if !matches!(fault, SendFault::Wait(_)) {
                    tracing::warn!(post, attempt, %fault, "edit failed or outcome unknown");
                }
                faults::edit(&fault, page, attempt, n, now)
            }
        };
        self.say(vec![Step::Edit { post, event, news }]).await?;
        Ok(())
    }

    /// Two messages with one marker: all but the recorded one are removed.
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<(), StoreFault> {
        let since = now - SWEPT;
        for (target, ours) in self.store.posted_since(since).await? {
            let Some(channel) = target.channel() else { continue };
            let standing = match self.far.standing(channel, since).await {
                Ok(standing) => standing,
                Err(fault) => {
                    tracing::warn!(%channel, %fault, "channel sweep failed");
                    continue;
                }
            };
            for (marker, kept) in ours {
                let there = standing.iter().any(|s| s.id == kept);
                for double in standing.iter().filter(|s| s.marker == marker && s.id != kept && there) {
                    tracing::error!(%channel, marker, message = double.id, "posted twice, removing the duplicate");
                    if let Err(fault) = self.far.remove(&target, &double.id).await {
                        tracing::error!(%channel, message = double.id, %fault, "duplicate not removed");
                    }
                }
            }
        }
        Ok(())
    }
}

/// Why an attempt was not made, or not answered well.
enum Refusal {
    /// Not begun.
    Held(Outcome),
    Fault(SendFault),
}

impl From<SendFault> for Refusal {
    fn from(fault: SendFault) -> Self {
        Self::Fault(fault)
    }
}

/// The same as bare words; `None` if it is that already, or cannot be read.
fn plainer(row: &PostRow) -> Option<String> {
    if row.plain || row.target.channel().is_none() {
        return None;
    }
    let message: Message = serde_json::from_str(&row.rendering.payload).ok()?;
    serde_json::to_string(&message.plain()).ok()
}

/// Releases and workspaces hear what became of their messages; what fails here is told again after a rest.
pub(super) async fn report(desk: &Desk, posts: Vec<i64>) -> Result<(), Failure> {
    let mut asks = JoinSet::new();
    for post in posts {
        let desk = desk.clone();
        asks.spawn(async move { desk.ask(Ask::Report { post }).await });
    }
    let mut failed = None;
    while let Some(asked) = asks.join_next().await {
        match asked {
            Ok(Ok(_)) => {}
            Ok(Err(fault)) => failed = Some(fault.into()),
            Err(panic) => failed = Some(panic.into()),
        }
    }
    failed.map_or(Ok(()), Err)
}
