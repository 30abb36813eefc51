//! Moving the world: the clock, values of production, stories. One mover at a time, each to its end even if whoever asked goes
//! away. It must not know HTTP.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::Sandbox;
use crate::clock::Patience;
use crate::model::Seen;
use crate::rest::lock;
use crate::story::{Act, Player, Step, Tale};

/// How often what is due now is waited for, 20 ms apart.
const MARKS_AT_ONCE: usize = 250;
/// What is due this soon is waited for where a message is missed while a story's clock stands still: a retry, not a mark
/// of the story.
const SOON_MS: i64 = 10_000;
/// How long somebody at the page waits for the clock.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

impl Sandbox {
    /// Sets the story the page plays.
    pub fn tell(&self, tale: Tale) {
        let mut player = self.player();
        let fresh = Player { tale, told: player.told + 1, ..Player::default() };
        let before = std::mem::replace(&mut *player, fresh);
        drop(player);
        if before.holds_clock {
            self.clock.set_running(true);
        }
        lock(&self.shared).touch();
    }

    /// Asks for a story. No step is played until it begins.
    pub(crate) fn want(&self, name: &str) -> Result<(), &'static str> {
        if !self.tells() {
            return Err("This sandbox can't start stories.");
        }
        let mut player = self.player();
        if player.tale.name != name && !player.tale.others.iter().any(|(other, _)| other == name) {
            return Err("There is no such story.");
        }
        if player.busy {
            return Err("A step is still playing. One moment, please.");
        }
        player.busy = true;
        drop(player);
        self.wanted.send_replace(Some(name.to_owned()));
        lock(&self.shared).touch();
        Ok(())
    }

    pub(crate) fn tells(&self) -> bool {
        self.tells.load(Ordering::Relaxed)
    }

    /// Waits until nobody moves the world, and keeps it still while the guard lives: before it is made anew.
    pub async fn still(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// The story that was asked for could not begin; the page says why.
    pub fn cannot_tell(&self, why: &str) {
        let mut player = self.player();
        player.busy = false;
        player.stuck = Some(why.to_owned());
        drop(player);
        lock(&self.shared).touch();
    }

    /// Resolves when somebody asks for a story, with its name. From the first call on the page offers stories; whoever asks
    /// must then begin it ([`Sandbox::tell`]) or say why not ([`Sandbox::cannot_tell`]).
    pub async fn wanted(&self) -> String {
        self.tells.store(true, Ordering::Relaxed);
        let mut wanted = self.wanted.subscribe();
        loop {
            let name = wanted.borrow_and_update().clone();
            if let Some(name) = name {
                self.wanted.send_replace(None);
                return name;
            }
            if wanted.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// The next instant something is due at, once what is due now is done.
    async fn next_event(&self) -> Result<Option<i64>, String> {
        let Some(bot) = self.bot() else { return Ok(None) };
        for _ in 0..MARKS_AT_ONCE {
            bot.quiet().await?;
            let now = self.clock.now_ms();
            match bot.next_due().await {
                Some(due) if due <= now => {}
                later => return Ok(later),
            }
            // Something is due this very moment, and will be done as soon as the bot looks.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Err("the bot does not finish the work that is due now".to_owned())
    }

    /// Moves the clock on until somebody would notice: a message in some channel. False if nothing is due.
    pub(crate) async fn advance_to_news(&self) -> Result<bool, String> {
        let newest = || lock(&self.shared).channels.values().filter_map(|c| c.last).max();
        let before = newest();
        let until = Patience::of(PATIENCE);
        // Edits alone, such as a card's, are passed over; a bot that only edits has an end.
        for _ in 0..MARKS_AT_ONCE {
            let Some(due) = self.next_event().await? else { return Ok(false) };
            self.advance_until(due, Some(until)).await?;
            if newest() != before {
                break;
            }
        }
        lock(&self.shared).touch();
        Ok(true)
    }

    /// Moves the clock, visiting every mark on the way and waiting for silence at each.
    ///
    /// # Errors
    /// The bot found no silence.
    pub async fn advance_to(&self, to_ms: i64) -> Result<(), String> {
        self.advance_until(to_ms, None).await
    }

    /// The same for somebody who watches: where a fault makes the bot try for ever, the clock stops on the way and says so.
    pub(crate) async fn advance_watched(&self, to_ms: i64) -> Result<(), String> {
        self.advance_until(to_ms, Some(Patience::of(PATIENCE))).await
    }

    async fn advance_until(&self, to_ms: i64, until: Option<Patience>) -> Result<(), String> {
        let Some(bot) = self.bot() else {
            self.clock.move_to(to_ms);
            return Ok(());
        };
        bot.quiet().await?;
        while let Some(due) = bot.next_due().await.filter(|due| *due <= to_ms) {
            self.clock.move_to(due.max(self.clock.now_ms()));
            bot.quiet().await?;
            if until.is_some_and(Patience::is_over) {
                return Err("The clock stopped on the way because the bot keeps retrying (is a fault active?). \
                            Press again to continue."
                    .to_owned());
            }
        }
        self.clock.move_to(to_ms);
        bot.quiet().await
    }

    /// Moves values of production, by name, and lets whoever watches them tell the bot.
    ///
    /// # Errors
    /// No such value, or the bot did not take the news.
    pub async fn set_signals(&self, values: &[(String, f64)]) -> Result<(), String> {
        let bot = self.bot();
        for (name, value) in values {
            {
                let mut state = lock(&self.shared);
                let at = state.world.signals.iter().position(|signal| signal.name == *name);
                let at = at.ok_or_else(|| format!("there is no production value named {name}"))?;
                let (min, max) = (state.world.signals[at].min, state.world.signals[at].max);
                state.signals[at] = value.clamp(min, max);
                state.touch();
            }
            if let Some(bot) = &bot {
                bot.signal(name, *value).await?;
            }
        }
        match bot {
            Some(bot) => bot.quiet().await,
            None => Ok(()),
        }
    }

    /// Plays the next step of the story; false if it is over.
    ///
    /// # Errors
    /// The step cannot be done; a sentence says why.
    pub async fn play_next(&self) -> Result<bool, String> {
        let turn = self.still().await;
        // Whoever asked may go away meanwhile; the step is played to its end.
        let sandbox = self.clone();
        let playing = tokio::spawn(async move {
            let played = sandbox.play_now().await;
            drop(turn);
            played
        });
        playing.await.map_err(|broken| format!("the step crashed: {broken}"))?
    }

    async fn play_now(&self) -> Result<bool, String> {
        // Before the player is locked: whoever shows the page locks the world first.
        let online = self.online();
        let (at, step) = {
            let mut player = self.player();
            if player.busy {
                return Err("A step is already playing.".to_owned());
            }
            if !online {
                return Err("The bot is not connected.".to_owned());
            }
            let at = player.next;
            let Some(step) = player.tale.steps.get(at).cloned() else { return Ok(false) };
            player.busy = true;
            if self.clock.is_running() {
                self.clock.set_running(false);
                player.holds_clock = true;
            }
            (at, step)
        };
        lock(&self.shared).step = Some(at);
        let outcome = self.play(&step).await;
        lock(&self.shared).step = None;
        let mut player = self.player();
        player.busy = false;
        match &outcome {
            Ok(_) => {
                player.next = at + 1;
                player.stuck = None;
                if player.next == player.tale.steps.len() && std::mem::take(&mut player.holds_clock) {
                    self.clock.set_running(true);
                }
            }
            Err(why) => player.stuck = Some(why.clone()),
        }
        drop(player);
        lock(&self.shared).touch();
        outcome.map(|_| true)
    }

    /// While the clock stands still, what is due within seconds is waited for in real time.
    async fn wait_for_retries(&self) -> Result<(), String> {
        let Some(bot) = self.bot() else { return Ok(()) };
        for _ in 0..MARKS_AT_ONCE {
            let now = self.clock.now_ms();
            let due = if self.clock.is_running() { None } else { bot.next_due().await };
            let Some(due) = due.filter(|due| due - now <= SOON_MS) else { return Ok(()) };
            tokio::time::sleep(std::time::Duration::from_millis((due - now).max(20).unsigned_abs())).await;
            self.clock.move_to(due);
            bot.quiet().await?;
        }
        Err("the bot does not finish the work that is due now".to_owned())
    }

    /// Does one step of a story.
    ///
    /// # Errors
    /// The step cannot be done, or the bot refused what the story did not mean it to refuse; a sentence says why.
    pub async fn play(&self, step: &Step) -> Result<Seen, String> {
        let seen = self.perform(step).await?;
        if let (Seen::Message(said), Some(bot)) = (&seen, self.bot()) {
            match (bot.refuses(said), step.refused) {
                (true, false) => return Err(said.headline()),
                (false, true) => {
                    return Err(format!("the bot should have refused this, but did not: {}", said.headline()));
                }
                _ => {}
            }
        }
        Ok(seen)
    }

    async fn perform(&self, step: &Step) -> Result<Seen, String> {
        let pairs = |list: &[(String, String)]| list.iter().map(|(a, b)| (a.clone(), b.clone())).collect::<Vec<_>>();
        let seen = match &step.act {
            Act::Slash { path, options, file } => {
                let options = pairs(options);
                let options: Vec<(&str, &str)> = options.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                let file = file.as_ref().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
                self.slash(&step.who, &step.channel, path, &options, file).await.map_err(|e| e.to_string())?
            }
            Act::Press { label, fill } => {
                let seen = match self.press(&step.who, &step.channel, label).await {
                    Ok(seen) => seen,
                    // The message may be on its way still: the bot was told to wait.
                    Err(_not_there_yet) => {
                        self.wait_for_retries().await?;
                        self.press(&step.who, &step.channel, label).await.map_err(|e| e.to_string())?
                    }
                };
                let Seen::Modal { data, .. } = &seen else {
                    return self.settled(seen).await;
                };
                let values: Vec<(&str, &str)> = fill.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                self.fill(&step.who, &step.channel, data, &values).await.map_err(|e| e.to_string())?
            }
            Act::Advance { to_ms } => {
                self.advance_to(*to_ms).await?;
                Seen::Acknowledged
            }
            Act::Post { url, bearer, body } => {
                let http = reqwest::Client::builder().no_proxy().build().map_err(|e| e.to_string())?;
                let answer = http.post(url).bearer_auth(bearer).json(body).send().await.map_err(|e| e.to_string())?;
                if !answer.status().is_success() {
                    return Err(format!("the bot answered {}", answer.status()));
                }
                Seen::Acknowledged
            }
            Act::Signals(values) => {
                self.set_signals(values).await?;
                Seen::Acknowledged
            }
            Act::Say(text) => {
                self.say(&step.who, &step.channel, text).map_err(|e| e.to_string())?;
                Seen::Acknowledged
            }
            Act::Publish { state, text } => {
                self.publish(&step.who, state, text).map_err(|e| e.to_string())?;
                Seen::Acknowledged
            }
        };
        if let Seen::Nothing = seen {
            return Err("the application did not respond".to_owned());
        }
        self.settled(seen).await
    }

    async fn settled(&self, seen: Seen) -> Result<Seen, String> {
        if let Some(bot) = self.bot() {
            bot.quiet().await?;
        }
        Ok(seen)
    }
}
