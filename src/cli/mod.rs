//! The command line: one file a command, each turning arguments into a call of the library.

mod bar;
mod completions;
mod convert;
mod from_format;
mod generate;
mod inspect;
mod inspection_text;
mod log_format;
mod query;
mod result_table;
mod store;
mod terminal;

use crate::error::{Error, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;

/// Web logs and other raw files become tables that people can query.
#[derive(Debug, Parser)]
#[command(name = "etl", version, max_term_width = 110, disable_help_subcommand = true)]
#[command(after_help = "Exit codes: 0 done, 1 a fault of etl itself, 2 wrong usage or format, 3 unreadable input, 4 output, 5 too many \
                        rejected lines, 6 a failed query, 130 interrupted.\nEvery command has examples: etl convert --help")]
struct Cli {
    #[command(flatten)]
    store: store::StoreArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Convert(Box<convert::ConvertArgs>),
    Query(Box<query::QueryArgs>),
    Inspect(inspect::InspectArgs),
    Generate(generate::GenerateArgs),
    Completions(completions::CompletionsArgs),
    /// Print the manual pages, in roff
    Man,
}

/// Runs the command that the arguments name, and says what went wrong on standard error.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; a closed pipe is none either.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(ErrorKind::Usage.exit_code()) } else { ExitCode::SUCCESS };
        }
    };
    cli.store.apply();
    let done = match cli.command {
        Command::Convert(args) => convert::run(*args),
        Command::Query(args) => query::run(*args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Completions(args) => completions::run(&args, Cli::command()),
        Command::Man => completions::man(Cli::command()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::say(&format!("error: {error}"));
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// Whether whoever read our output has seen enough (`etl … | head`).
fn is_broken_pipe(error: &Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) {
            return true;
        }
        source = cause.source();
    }
    false
}
