//! The commands: arguments and settings are read once, one function of the library does the work, what it says is printed.
//!
//! One file per command. What people and programs read goes to standard output, the log to standard error.

mod bench;
mod context;
mod create_email_target_user_records;
mod demo;
mod descriptors;
mod exit;
mod import;
mod import_django;
mod log;
mod notification;
mod notify;
mod opt_out;
mod output;
mod printer;
mod process_notifications;
mod record;
mod run;
mod secret;
mod settings;
mod target;
mod target_grant;
mod target_inspect;
mod target_install;
mod target_limit;
mod target_set;
mod target_show;
mod user;

use clap::{Args, Parser, Subcommand};
use context::Context;
use log::Log;
use output::Format;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Notifies users through sandboxed targets: e-mail, SMS, push, and whatever you write.
#[derive(Debug, Parser)]
#[command(name = "engine", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Global {
    /// The settings file; `engine.toml` in the current folder if there is one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How results are printed; `json` prints one value, `{"error": …}` if it could not be done.
    #[arg(long, global = true, value_enum, default_value_t)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Deliver what becomes due, until stopped.
    Run,
    /// Deliver what is due now, once.
    #[command(
        after_help = "Exit code: 0 when all that was due was handled, or waits for its target, as standard error says; 3 when some of it ended in DELIVERY FAILURE, EXPIRED or UNKNOWN; 1 when it was stopped before, or could not be done."
    )]
    ProcessNotifications(process_notifications::ProcessNotifications),
    /// Notify a user.
    #[command(
        after_help = "Exit code: 4 when the user has opted out, 5 when they have no active record in the target, 6 when there was nothing to send; --quiet makes 0 of these."
    )]
    Notify(notify::Notify),
    /// Make or update the e-mail record of every user who has an e-mail address.
    #[command(after_help = "Exit code: 1 when an address was refused.")]
    CreateEmailTargetUserRecords(create_email_target_user_records::CreateEmailTargetUserRecords),
    /// The users.
    #[command(subcommand)]
    User(user::User),
    /// Where users are reached in targets.
    #[command(subcommand)]
    Record(record::Record),
    /// Users who want nothing.
    #[command(subcommand)]
    OptOut(opt_out::OptOut),
    /// The targets.
    #[command(subcommand)]
    Target(target::Target),
    /// The secrets that components can name and never read.
    #[command(subcommand)]
    Secret(secret::Secret),
    /// The notifications and their history.
    #[command(subcommand)]
    Notification(notification::Notification),
    /// What was kept elsewhere.
    #[command(subcommand)]
    Import(import_django::Import),
    /// The settings.
    #[command(subcommand)]
    Settings(settings::Settings),
    /// See it work: a mail through the whole engine into an inbox of its own, with nothing to set up.
    Demo,
    /// Measure what this machine can deliver: a backlog that is filled and drained, and the wait from due to sent.
    Bench(bench::Bench),
    /// What the engine itself runs to compile a component, bounded in time and memory: from standard input to standard output.
    #[command(hide = true)]
    CompileComponent {
        #[arg(long)]
        memory: u64,
        #[arg(long)]
        seconds: u64,
    },
}

/// Does what these arguments ask, and says how it went.
pub fn main(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error, &arguments),
    };
    if let Command::CompileComponent { memory, seconds } = cli.command {
        let done = crate::host::compile_input(Duration::from_secs(seconds), memory);
        return done.map_or(ExitCode::FAILURE, ExitCode::from);
    }
    let format = cli.global.output;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&error.into(), format).into(),
    };
    let log = Log::new();
    let code = runtime.block_on(cli.execute(&log)).unwrap_or_else(|error| exit::report(&error, format));
    runtime.block_on(log.end());
    code.into()
}

impl Cli {
    async fn execute(self, log: &Log) -> anyhow::Result<exit::Code> {
        let Global { config, output } = self.global;
        match self.command {
            Command::Settings(command) => command.execute(config.as_deref(), output, log).await,
            Command::Demo => demo::execute(output, log).await,
            Command::Bench(command) => command.execute(output, log).await,
            command => {
                let context = match command {
                    Command::Run => Context::open_patiently(config.as_deref(), output, log).await?,
                    _ => Context::open(config.as_deref(), output, log).await?,
                };
                let code = match command {
                    Command::Run => run::execute(&context).await,
                    Command::ProcessNotifications(command) => command.execute(&context).await,
                    Command::Notify(command) => command.execute(&context).await,
                    Command::CreateEmailTargetUserRecords(command) => command.execute(&context).await,
                    Command::OptOut(command) => command.execute(&context).await,
                    Command::User(command) => command.execute(&context).await,
                    Command::Record(command) => command.execute(&context).await,
                    Command::Target(command) => command.execute(&context).await,
                    Command::Secret(command) => command.execute(&context).await,
                    Command::Notification(command) => command.execute(&context).await,
                    Command::Import(command) => command.execute(&context).await,
                    Command::Settings(_) | Command::Demo | Command::Bench(_) | Command::CompileComponent { .. } => {
                        Ok(exit::Code::Done)
                    }
                };
                context.store.close().await;
                code
            }
        }
    }
}
