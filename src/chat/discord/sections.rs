//! A plan written section by section, in forms.

use super::forms;
use super::handle::Handler;
use super::parse::Typed;
use super::plans::{BYTES_MISSING, MAX_INPUT, NOT_HERE, file_name};
use super::reply::{Handled, Reply, Stop};
use super::rest::Upload;
use crate::chat::discord::plans::Incoming;
use crate::desk::{Answer, Ask};
use crate::domain::ids::WorkspaceId;
use crate::domain::people::Actor;
use crate::domain::plan::{ReleaseType, Risk};
use crate::domain::prompt::{Prompt, RefusedSection};
use crate::domain::release::Release;
use crate::plan_doc::{self, NewPlan, Question};
use crate::voice::system;

impl Handler {
    /// `/release new`: a short form; type and risk go along in its id.
    pub(super) async fn new_form(&self, reply: &Reply<'_>, typed: &Typed) -> Handled {
        let id = format!("n:{}:{}", typed.text("type").unwrap_or_default(), typed.text("risk").unwrap_or_default());
        reply.now(forms::new_plan(&id)).await
    }

    /// The form of `/release new` came back: a plan is written and imported.
    pub(super) async fn new_plan(
        &self,
        reply: &Reply<'_>,
        guild: &WorkspaceId,
        actor: Actor,
        id: &str,
        fields: impl Fn(&str) -> Option<String>,
    ) -> Handled {
        let (kind, risk) = id.split_once(':').unwrap_or((id, ""));
        let kind = ReleaseType::ALL.iter().copied().find(|k| k.to_string().eq_ignore_ascii_case(kind));
        let risk = Risk::ALL.iter().copied().find(|r| r.to_string().eq_ignore_ascii_case(risk));
        let title = fields("title");
        let file_name = file_name(title.as_deref().unwrap_or("plan"));
        let text = plan_doc::new_plan(&NewPlan {
            title,
            when: fields("when"),
            kind,
            risk,
            owner: fields("owner"),
            on_call: fields("on_call"),
            service: fields("service"),
            ..NewPlan::default()
        });
        reply.wait().await?;
        let bytes = text.into_bytes();
        let (name, kept) = (file_name.clone(), bytes.clone());
        let incoming =
            Incoming { guild: guild.clone(), actor, release: None, expect: None, new: true, file_name, bytes };
        match self.take(reply, incoming).await {
            Ok(()) => Ok(()),
            // What was typed goes back as the plan it would have been.
            Err(stop) => reply.with(&reply.words(stop)?, None, Some(Upload { name, bytes: kept })).await,
        }
    }

    /// `/release edit`: which section.
    pub(super) async fn edit(&self, reply: &Reply<'_>, guild: &WorkspaceId, typed: &Typed) -> Handled {
        let release = self.release(guild, typed).await?;
        let found = self.document(guild, &release.no.to_string()).await?;
        let (release, bytes) = found.ok_or_else(|| Stop::sorry(BYTES_MISSING))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (reading, _) = self.read(guild, Some(release.no), bytes).await?;
        reply.say(&system::edit(&release, plan_doc::menu(&text, &reading.questions)), None).await
    }

    /// A section or a question was chosen: its text opens in a form, or its few answers in a menu.
    pub(super) async fn section_form(
        &self,
        reply: &Reply<'_>,
        guild: &WorkspaceId,
        actor: Actor,
        no: &str,
        section: &str,
    ) -> Handled {
        let found = self.document(guild, no).await?;
        let (release, bytes) = found.ok_or_else(|| Stop::sorry(NOT_HERE))?;
        if let Some((section, answer)) = section.split_once('=') {
            let id = format!("{no}:{section}:{}", release.revision);
            return self.edited(reply, guild, actor, &id, answer.to_owned()).await;
        }
        let question = Question::of_key(section);
        if let Some(question) = question.filter(|question| !question.choices().is_empty()) {
            let entry = |choice: String| (format!("{section}={choice}"), choice);
            let entries = question.choices().into_iter().map(entry).collect();
            return reply.say(&system::choose(&release, question.label, entries), None).await;
        }
        let text = String::from_utf8_lossy(&bytes);
        let gone = || Stop::sorry("The plan no longer has that section. Run /release edit again.");
        let chapter = plan_doc::chapter(&text, section).ok_or_else(gone)?;
        if chapter.text.chars().count() > MAX_INPUT {
            let sentence = format!(
                "“{}” has {} characters; a form takes at most {MAX_INPUT}. Edit the file from /release export, then import it with the option “release”.",
                chapter.name,
                chapter.text.chars().count()
            );
            return Err(Stop::sorry(&sentence));
        }
        let id = format!("E:{no}:{section}:{}", release.revision);
        reply
            .now(match question {
                Some(question) => forms::question(&id, &question, &chapter.text),
                None => forms::section(&id, &chapter.name, &chapter.text),
            })
            .await
    }

    /// A section's form came back. A refusal gives the text back, with a button to go on.
    pub(super) async fn edited(
        &self,
        reply: &Reply<'_>,
        guild: &WorkspaceId,
        actor: Actor,
        id: &str,
        text: String,
    ) -> Handled {
        let mut parts = id.splitn(3, ':');
        let (Some(no), Some(section), Some(base)) =
            (parts.next(), parts.next(), parts.next().and_then(|base| base.parse::<u32>().ok()))
        else {
            return Err(Stop::sorry("This form is from an older version of T-Minus. Open it again."));
        };
        reply.wait().await?;
        let mut aside = text.clone();
        let Err(stop) = self.put(reply, actor, (guild, no), (section, base, &text), &mut aside).await else {
            return Ok(());
        };
        let refusal = reply.words(stop)?;
        // The text goes back as it was sent, and the button opens it again.
        let prompt = Prompt::Section(Box::new(RefusedSection { section: section.to_owned(), text: text.clone() }));
        let kept = match no.parse() {
            Ok(no) => self.desk.ask(Ask::Keep { server: guild.clone(), release: no, prompt }).await,
            Err(()) => Ok(Answer::Silent),
        };
        let file = Upload { name: "your-text.md".to_owned(), bytes: aside.into_bytes() };
        match kept {
            Ok(Answer::Done { prompt, .. }) => {
                reply.with(&system::given_back(refusal), prompt.as_deref(), Some(file)).await
            }
            _ => reply.with(&refusal, None, Some(file)).await,
        }
    }

    /// Puts a section's text into the newest document. `aside` is what a refusal gives back.
    async fn put(
        &self,
        reply: &Reply<'_>,
        actor: Actor,
        (guild, no): (&WorkspaceId, &str),
        (section, base, text): (&str, u32, &str),
        aside: &mut String,
    ) -> Handled {
        let found = self.document(guild, no).await?;
        let (release, bytes) = found.ok_or_else(|| Stop::sorry(NOT_HERE))?;
        let newest = String::from_utf8_lossy(&bytes).into_owned();
        let document = self.replaced(&release, &newest, section, base, text).await.inspect_err(|_| {
            // Both texts side by side: "Edit again" replaces what is there now, so it must have been seen.
            if let Some(now) = plan_doc::chapter(&newest, section) {
                *aside = format!("{text}\n\n<!-- current text of this section -->\n\n{}\n", now.text);
            }
        })?;
        self.take_revision(reply, guild, actor, &release, document).await
    }

    /// The newest document with one section replaced, unless somebody changed that section meanwhile.
    async fn replaced(
        &self,
        release: &Release,
        newest: &str,
        section: &str,
        base: u32,
        text: &str,
    ) -> Result<String, String> {
        if base != release.revision {
            let before = self.desk.store().revision(release.id, base).await.ok().flatten();
            let before = before.map(|revision| String::from_utf8_lossy(&revision.bytes).into_owned());
            let old = before.as_deref().and_then(|before| plan_doc::chapter(before, section)).map(|c| c.text);
            let new = plan_doc::chapter(newest, section).map(|c| c.text);
            if old != new {
                return Err(format!(
                    "Someone changed this section in the meantime; the plan is now at revision {}. The attached file has your text and theirs. “Edit again” opens your text; sending it replaces theirs.",
                    release.revision
                ));
            }
        }
        plan_doc::replace_chapter(newest, section, text)
            .ok_or_else(|| "The plan no longer has that section. Your text is attached.".to_owned())
    }

    /// "Edit again" under a refused section: the form opens with the refused text.
    pub(super) async fn edit_again(&self, reply: &Reply<'_>, guild: &WorkspaceId, prompt: &str) -> Handled {
        let Some((release, Prompt::Section(refused))) = self.prompted(guild, prompt).await? else {
            return Err(Stop::sorry("This button no longer works. See /release edit."));
        };
        let id = format!("E:{}:{}:{}", release.no, refused.section, release.revision);
        reply
            .now(match Question::of_key(&refused.section) {
                Some(question) => forms::question(&id, &question, &refused.text),
                None => forms::section(&id, "your unsaved text", &refused.text),
            })
            .await
    }
}
