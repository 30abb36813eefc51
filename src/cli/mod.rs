//! The command line. Every command takes `--help`; none ever asks a question.

mod doctor;
mod plan;
mod print;
mod sandbox;
mod service;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::cli::print::complain;
use crate::store::Head;

/// Run the communications of a software release.
#[derive(Debug, Parser)]
#[command(name = "tminus", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try T-Minus: run the real bot against a simulated Discord on this machine.
    Sandbox(sandbox::Arguments),
    /// Run the service.
    Run {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Check or show the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Check configuration, token, servers, channels, roles, permissions, alert sources and status pages. Exit code: 0 all
    /// good, 1 problems found, 2 checks could not run.
    Doctor {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        /// Skip the checks that contact Discord.
        #[arg(long)]
        offline: bool,
    },
    /// Check that a running service is healthy.
    Health {
        /// Base URL of the service's HTTP intake.
        #[arg(long, default_value = "http://127.0.0.1:8731")]
        url: String,
    },
    /// Work with plan documents.
    Plan {
        #[command(subcommand)]
        command: plan::PlanCommand,
    },
    /// Show every message a plan will send if all goes well, with its time, audience and channel.
    Preview(plan::PreviewArguments),
    /// Verify the journal.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check a configuration file. Exit code: 0 valid, 1 errors found, 2 file not readable.
    Check {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Show every setting in effect, without the values of secrets.
    Show {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        /// Add where each setting comes from: a line of the file, a variable or the default.
        #[arg(long)]
        origin: bool,
    },
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Verify the hash chain from its first entry.
    Verify {
        #[arg(long)]
        config: PathBuf,
        /// A journal head noted earlier, such as the one in an all-clear. It reveals a journal that was truncated or
        /// rewritten.
        #[arg(long)]
        head: Option<Head>,
    },
}

/// The exit code for a configuration error (`sysexits`: EX_CONFIG).
const EX_CONFIG: u8 = 78;
/// The exit code when another instance holds the database (EX_TEMPFAIL).
const EX_TEMPFAIL: u8 = 75;

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::from(error)),
    };
    let code = runtime.block_on(async {
        match arguments.command {
            Command::Sandbox(arguments) => sandbox::run(arguments).await.map(|()| ExitCode::SUCCESS),
            Command::Run { config } => service::run(&config).await,
            Command::Config { command: ConfigCommand::Check { config } } => Ok(service::check(&config)),
            Command::Config { command: ConfigCommand::Show { config, origin } } => Ok(service::show(&config, origin)),
            Command::Doctor { config, offline } => Ok(doctor::run(&config, offline).await),
            Command::Health { url } => Ok(service::health(&url).await),
            Command::Plan { command } => plan::run(command),
            Command::Preview(arguments) => plan::preview(&arguments),
            Command::Audit { command: AuditCommand::Verify { config, head } } => {
                service::audit(&config, head.as_ref()).await
            }
        }
    });
    code.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    if let Some(bad) = error.downcast_ref::<crate::config::BadConfig>() {
        complain(&bad.to_string());
        return ExitCode::from(EX_CONFIG);
    }
    complain(&format!("tminus: {error:#}"));
    if error.downcast_ref::<crate::app::Held>().is_some() { ExitCode::from(EX_TEMPFAIL) } else { ExitCode::FAILURE }
}
