//! `tminus plan` and `tminus preview`: documents in, documents and findings out. Nothing is stored.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::print::{complain, say};
use crate::clock::Clock;
use crate::domain::plan::{ReleaseType, Risk};
use crate::plan_doc::{self, Filled, Linted, NewPlan, Reading, Setting, Severity};
use crate::{preview, telemetry};

#[derive(Debug, Subcommand)]
pub(super) enum PlanCommand {
    /// Print a new plan in the template's structure.
    New(NewArguments),
    /// Report problems in plans. Exit code: 0 no errors, 1 errors, 2 a file could not be read.
    Lint {
        /// The documents; `-` reads standard input.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[arg(long, value_enum, default_value_t = LintFormat::Text)]
        format: LintFormat,
        #[command(flatten)]
        setting: SettingArguments,
    },
    /// Show how T-Minus understands a plan.
    Show {
        /// The document; `-` reads standard input.
        file: PathBuf,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        setting: SettingArguments,
    },
    /// Print the plan with every safe fix applied.
    Fix {
        /// The document; `-` reads standard input.
        file: PathBuf,
        /// Write the fixed document back into the file.
        #[arg(long)]
        write: bool,
    },
    /// Print the plan with a state filled in; without a state, print it unchanged.
    Export {
        /// The document; `-` reads standard input.
        file: PathBuf,
        /// JSON file with what has happened: `done`, `signed`, `updated`, `t0`, `observed`, `log`.
        #[arg(long)]
        state: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(super) struct PreviewArguments {
    /// The document; `-` reads standard input.
    file: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    setting: SettingArguments,
}

#[derive(Debug, Args)]
pub(super) struct SettingArguments {
    /// Check dates against this time (RFC 3339) instead of now.
    #[arg(long, value_name = "INSTANT")]
    now: Option<Timestamp>,
    /// Time zone for dates that name none, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct NewArguments {
    /// The title of the release.
    #[arg(long)]
    title: Option<String>,
    /// Date, time and zone, such as "2026-12-08 14:00 Europe/Berlin".
    #[arg(long)]
    when: Option<String>,
    #[arg(long = "type", value_enum)]
    kind: Option<Kind>,
    #[arg(long, value_enum)]
    risk: Option<Level>,
    /// Name and handle, such as "Ana Ferreira (@ana)".
    #[arg(long)]
    owner: Option<String>,
    #[arg(long)]
    on_call: Option<String>,
    #[arg(long)]
    service: Option<String>,
    /// The channel, such as `#releases-[date]`.
    #[arg(long)]
    channel: Option<String>,
    /// Minutes between updates, 5 to 240.
    #[arg(long, value_parser = clap::value_parser!(u32).range(5..=240))]
    every: Option<u32>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LintFormat {
    Text,
    Json,
    Sarif,
    Github,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Kind {
    Standard,
    Hotfix,
    Emergency,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Level {
    Low,
    Medium,
    High,
}

/// The exit code for "could not run".
const UNREADABLE: u8 = 2;

/// Runs a plan command.
///
/// # Errors
/// Standard output cannot be written.
pub(super) fn run(command: PlanCommand) -> anyhow::Result<ExitCode> {
    match command {
        PlanCommand::New(arguments) => put(plan_doc::new_plan(&arguments.plan()).as_bytes()),
        PlanCommand::Lint { files, format, setting } => lint(&files, format, &setting),
        PlanCommand::Show { file, format, setting } => show(&file, format, &setting),
        PlanCommand::Fix { file, write } => fix(&file, write),
        PlanCommand::Export { file, state } => export(&file, state.as_deref()),
    }
}

impl SettingArguments {
    /// `None` after complaining of an unknown zone.
    fn read(&self) -> Option<Setting> {
        if let Some(zone) = &self.zone
            && jiff::tz::TimeZone::get(zone).is_err()
        {
            complain(&format!("tminus: `{zone}` is not a time zone. Use a name such as Europe/Berlin."));
            return None;
        }
        let now = Some(self.now.unwrap_or_else(|| Clock::system().now()));
        Some(Setting { zone: self.zone.clone(), now, ladder: plan_doc::usual_ladder() })
    }
}

impl NewArguments {
    fn plan(self) -> NewPlan {
        let kind = self.kind.map(|kind| match kind {
            Kind::Standard => ReleaseType::Standard,
            Kind::Hotfix => ReleaseType::Hotfix,
            Kind::Emergency => ReleaseType::Emergency,
        });
        let risk = self.risk.map(|risk| match risk {
            Level::Low => Risk::Low,
            Level::Medium => Risk::Medium,
            Level::High => Risk::High,
        });
        NewPlan {
            title: self.title,
            when: self.when,
            kind,
            risk,
            owner: self.owner,
            on_call: self.on_call,
            service: self.service,
            channel: self.channel,
            every_min: self.every,
        }
    }
}

/// Bytes to standard output, as they are. A reader that went away is no fault.
fn put(bytes: &[u8]) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

/// The file's name in findings and complaints.
fn shown(file: &Path) -> String {
    if is_stdin(file) { "<stdin>".to_owned() } else { file.display().to_string() }
}

/// At most `limit` bytes of a file, or of standard input.
fn bytes_of(file: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let read = || {
        let mut bytes = Vec::new();
        if is_stdin(file) {
            std::io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
        } else {
            std::fs::File::open(file)?.take(limit).read_to_end(&mut bytes)?;
        }
        Ok::<_, std::io::Error>(bytes)
    };
    read().map_err(|error| format!("cannot read {}: {error}", shown(file)))
}

fn load(file: &Path) -> Result<Vec<u8>, String> {
    // A file over the limit is refused without being read whole.
    bytes_of(file, u64::try_from(plan_doc::MAX_BYTES).unwrap_or(u64::MAX) + 1)
}

fn lint(files: &[PathBuf], format: LintFormat, setting: &SettingArguments) -> anyhow::Result<ExitCode> {
    let Some(setting) = setting.read() else { return Ok(ExitCode::from(UNREADABLE)) };
    let mut worst = 0;
    let mut read: Vec<(String, String, Reading)> = Vec::with_capacity(files.len());
    for file in files {
        match load(file) {
            Ok(bytes) => {
                let reading = plan_doc::read(&bytes, &setting);
                worst = worst.max(u8::from(reading.blocked()));
                read.push((shown(file), String::from_utf8_lossy(&bytes).into_owned(), reading));
            }
            Err(sentence) => {
                complain(&format!("tminus: {sentence}"));
                worst = UNREADABLE;
            }
        }
    }
    let out = match format {
        LintFormat::Text => {
            let color = telemetry::takes_colour(&std::io::stdout());
            read.iter().map(|(file, source, reading)| text(file, source, reading, color)).collect()
        }
        LintFormat::Json => {
            let files: Vec<Value> = read.iter().map(|(file, source, reading)| linted(file, source, reading)).collect();
            format!("{:#}\n", json!({ "files": files }))
        }
        LintFormat::Sarif => {
            let files: Vec<Linted<'_>> = read
                .iter()
                .map(|(file, source, reading)| Linted { file, source, diagnostics: &reading.diagnostics })
                .collect();
            format!("{:#}\n", plan_doc::sarif(&files))
        }
        LintFormat::Github => read
            .iter()
            .flat_map(|(file, source, reading)| reading.diagnostics.iter().map(move |d| (d, source, file)))
            .map(|(d, source, file)| plan_doc::github(d, source, file) + "\n")
            .collect(),
    };
    put(out.as_bytes())?;
    Ok(ExitCode::from(worst))
}

fn linted(file: &str, source: &str, reading: &Reading) -> Value {
    let diagnostics: Vec<Value> = reading.diagnostics.iter().map(|d| plan_doc::json(d, source)).collect();
    json!({ "file": file, "level": reading.plan.as_ref().map(|plan| plan.level), "diagnostics": diagnostics })
}

/// Findings of a file, then one line that sums them up.
fn text(file: &str, source: &str, reading: &Reading, color: bool) -> String {
    let mut out = plan_doc::render_all(&reading.diagnostics, source, file, 100, color);
    let count = |severity| reading.diagnostics.iter().filter(|d| d.severity == severity).count();
    let level = reading.plan.as_ref().map_or_else(|| "refused".to_owned(), |plan| format!("level {}", plan.level));
    out.push_str(&format!(
        "{file}: {level}; {}, {}, {}\n",
        plural(count(Severity::Error), "error", "errors"),
        plural(count(Severity::Warning), "warning", "warnings"),
        plural(count(Severity::Info), "note", "notes")
    ));
    out
}

fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn show(file: &Path, format: Format, setting: &SettingArguments) -> anyhow::Result<ExitCode> {
    let Some(setting) = setting.read() else { return Ok(ExitCode::from(UNREADABLE)) };
    let bytes = match load(file) {
        Ok(bytes) => bytes,
        Err(sentence) => {
            complain(&format!("tminus: {sentence}"));
            return Ok(ExitCode::from(UNREADABLE));
        }
    };
    let reading = plan_doc::read(&bytes, &setting);
    let (Some(model), Some(lines)) = (plan_doc::show(&reading), plan_doc::show_text(&reading)) else {
        let source = String::from_utf8_lossy(&bytes);
        complain(&text(&shown(file), &source, &reading, false));
        return Ok(ExitCode::from(1));
    };
    match format {
        Format::Json => put(format!("{model:#}\n").as_bytes()),
        Format::Text => put(lines.as_bytes()),
    }
}

fn fix(file: &Path, write: bool) -> anyhow::Result<ExitCode> {
    if write && is_stdin(file) {
        complain("tminus: --write needs a file; standard input cannot be written back.");
        return Ok(ExitCode::from(UNREADABLE));
    }
    let bytes = match load(file) {
        Ok(bytes) => bytes,
        Err(sentence) => {
            complain(&format!("tminus: {sentence}"));
            return Ok(ExitCode::from(UNREADABLE));
        }
    };
    match plan_doc::fix(&bytes) {
        Ok((fixed, count)) => {
            if write
                && count > 0
                && let Err(error) = std::fs::write(file, &fixed)
            {
                complain(&format!("tminus: cannot write {}: {error}", file.display()));
                return Ok(ExitCode::from(UNREADABLE));
            }
            complain(&format!("{}: {} applied", shown(file), plural(count, "safe fix", "safe fixes")));
            if write { Ok(ExitCode::SUCCESS) } else { put(fixed.as_bytes()) }
        }
        Err(diagnostic) => {
            let source = String::from_utf8_lossy(&bytes);
            complain(&plan_doc::render_text(&diagnostic, &source, &shown(file), 100, false));
            Ok(ExitCode::from(1))
        }
    }
}

fn export(file: &Path, state: Option<&Path>) -> anyhow::Result<ExitCode> {
    let read = |file: &Path| load(file).map_err(|sentence| complain(&format!("tminus: {sentence}")));
    // The same bytes come back, however many they are.
    let bytes = match bytes_of(file, u64::MAX) {
        Ok(bytes) => bytes,
        Err(sentence) => {
            complain(&format!("tminus: {sentence}"));
            return Ok(ExitCode::from(UNREADABLE));
        }
    };
    let filled = match state {
        None => Filled::default(),
        Some(path) => {
            let Ok(json) = read(path) else { return Ok(ExitCode::from(UNREADABLE)) };
            match serde_json::from_slice(&json) {
                Ok(filled) => filled,
                Err(error) => {
                    complain(&format!("tminus: cannot read the state in {}: {error}", path.display()));
                    return Ok(ExitCode::from(UNREADABLE));
                }
            }
        }
    };
    if !filled.is_empty() {
        let reading = plan_doc::read(&plan_doc::strip(&bytes), &Setting::default());
        if reading.plan.is_none() {
            complain(&text(&shown(file), &String::from_utf8_lossy(&bytes), &reading, false));
            return Ok(ExitCode::from(1));
        }
    }
    let exported = plan_doc::export(&bytes, &filled);
    for id in &exported.unplaced {
        complain(&format!("{}: the document has no place for {id}", shown(file)));
    }
    put(&exported.bytes)?;
    Ok(ExitCode::from(u8::from(!exported.unplaced.is_empty())))
}

/// `tminus preview`.
///
/// # Errors
/// Standard output cannot be written.
pub(super) fn preview(arguments: &PreviewArguments) -> anyhow::Result<ExitCode> {
    let Some(setting) = arguments.setting.read() else { return Ok(ExitCode::from(UNREADABLE)) };
    let bytes = match load(&arguments.file) {
        Ok(bytes) => bytes,
        Err(sentence) => {
            complain(&format!("tminus: {sentence}"));
            return Ok(ExitCode::from(UNREADABLE));
        }
    };
    let reading = plan_doc::read(&bytes, &setting);
    let file = shown(&arguments.file);
    let Some(plan) = reading.plan.clone() else {
        complain(&text(&file, &String::from_utf8_lossy(&bytes), &reading, false));
        return Ok(ExitCode::from(1));
    };
    let now = setting.now.unwrap_or_else(|| Clock::system().now());
    let errors = reading.diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    let played = preview::play(plan, errors, now);
    match arguments.format {
        Format::Json => put(format!("{:#}\n", played.json()).as_bytes())?,
        Format::Text => put(played.text().as_bytes())?,
    };
    if played.marks.is_empty() {
        say("");
        complain(&format!("{file}: {}", played.why_nothing()));
        return Ok(ExitCode::from(1));
    }
    Ok(ExitCode::SUCCESS)
}
