//! The command line. Every command takes `--help`; none ever asks a question.

mod doctor;
mod plan;
mod sandbox;
mod service;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::store::Head;

/// Runs the communications of a software release.
#[derive(Debug, Parser)]
#[command(name = "tminus", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try it: a simulated Discord on this machine with the real bot connected to it.
    Sandbox(sandbox::Arguments),
    /// Run the service.
    Run {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Look at the configuration.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Look whether everything is there: configuration, token, server, channels, roles and rights. 0 good, 1 findings.
    Doctor {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        /// Do not ask Discord.
        #[arg(long)]
        offline: bool,
    },
    /// Ask a running service whether it is healthy.
    Health {
        /// The intake's address.
        #[arg(long, default_value = "http://127.0.0.1:8731")]
        url: String,
    },
    /// Work with plan documents.
    Plan {
        #[command(subcommand)]
        command: plan::PlanCommand,
    },
    /// Everything a plan will say if all goes well, with its instant, audience and channel.
    Preview(plan::PreviewArguments),
    /// Check the journal.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check a file: 0 good, 1 findings.
    Check {
        #[arg(long)]
        config: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Verify the hash chain from its first entry.
    Verify {
        #[arg(long)]
        config: PathBuf,
        /// A head noted earlier, such as an all-clear says: shows a journal that was cut off or written anew.
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

/// A sentence for the operator, on standard error.
#[expect(clippy::print_stderr, reason = "the command line speaks on standard error")]
fn complain(sentence: &str) {
    eprintln!("{sentence}");
}

/// A result, on standard output.
#[expect(clippy::print_stdout, reason = "the command line answers on standard output")]
fn say(result: &str) {
    println!("{result}");
}
