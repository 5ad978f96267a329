//! The command line: one file a command, each turning arguments into a call of the library.

mod access;
mod asking;
mod athena;
mod athena_estimate;
mod athena_query;
mod athena_question;
mod bar;
mod bench;
mod catalog;
mod child;
mod completions;
mod convert;
mod csv_field;
mod doctor;
mod from_format;
mod generate;
mod governed_lake;
mod history;
mod init;
mod inspect;
mod inspection_text;
mod log_format;
mod pager;
mod pipeline;
mod plan;
mod plan_telling;
mod plan_text;
mod query;
mod query_result;
mod query_session;
mod query_shell;
mod repair;
mod result_lines;
mod result_table;
mod run;
mod run_folder;
mod schedule;
mod schema;
mod shell_words;
mod single_run;
mod store;
mod tags;
mod terminal;
mod tips;
mod vacuum;
mod validate;
mod variable;
mod waiting;

use crate::error::ErrorKind;
use crate::printable::{is_unseen, printable};
use crate::trace;
use clap::{CommandFactory, Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;
use terminal::is_broken_pipe;

/// Turn web logs and other raw files into tables that people can query.
#[derive(Debug, Parser)]
#[command(name = "etl", version, max_term_width = 110)]
#[command(after_help = "Exit codes: 0 done, 1 a bug in etl, 2 wrong usage or format, 3 unreadable input, 4 output, 5 too many \
                        rejected lines, 6 a failed query, 7 a failed check, 8 another run published first, 130 interrupted.\nEvery command has examples: etl run --help")]
struct Cli {
    /// Print only results and errors
    #[arg(long, short, global = true, help_heading = "Output")]
    quiet: bool,
    /// Print each request to S3 and other services, and each step of a run
    #[arg(long, short, global = true, help_heading = "Output", conflicts_with = "quiet")]
    verbose: bool,
    /// When to use colors
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = terminal::ColourArg::Auto, help_heading = "Output")]
    color: terminal::ColourArg,
    #[command(flatten)]
    store: store::StoreArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::InitArgs),
    Validate(validate::ValidateArgs),
    Plan(plan::PlanArgs),
    Run(run::RunArgs),
    Schedule(schedule::ScheduleArgs),
    History(history::HistoryArgs),
    Rollback(history::RollbackArgs),
    Vacuum(vacuum::VacuumArgs),
    Catalog(catalog::CatalogArgs),
    Athena(athena::AthenaCommandArgs),
    Doctor(doctor::DoctorArgs),
    Tags(tags::TagsArgs),
    Access(access::AccessArgs),
    Query(Box<query::QueryArgs>),
    Convert(Box<convert::ConvertArgs>),
    Bench(Box<bench::BenchArgs>),
    Inspect(inspect::InspectArgs),
    Generate(generate::GenerateArgs),
    Schema(schema::SchemaArgs),
    Completions(completions::CompletionsArgs),
    /// Print the manual pages in roff format
    Man,
}

/// Runs the command that the arguments name, and says what went wrong on standard error.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(arguments()) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; a closed pipe is none either.
            let is_error = error.use_stderr();
            let _ = tips::tipped(escaped(error.kind()).unwrap_or(error), &Cli::command()).print();
            return if is_error { ExitCode::from(ErrorKind::Usage.exit_code()) } else { ExitCode::SUCCESS };
        }
    };
    terminal::set_telling(cli.quiet, cli.color);
    if cli.verbose {
        trace::listen(terminal::say);
    }
    let store = cli.store.arguments();
    cli.store.apply();
    let success = |()| ExitCode::SUCCESS;
    let done = match cli.command {
        Command::Plan(args) => plan::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Convert(args) => convert::run(*args).map(success),
        Command::Bench(args) => bench::run(&args).map(success),
        Command::Query(args) => query::run(*args).map(success),
        Command::Inspect(args) => inspect::run(&args).map(success),
        Command::Generate(args) => generate::run(&args).map(success),
        Command::Completions(args) => completions::run(&args, Cli::command()).map(success),
        Command::Man => completions::man(Cli::command()).map(success),
        Command::Schedule(args) => schedule::run(&args, store).map(success),
        Command::History(args) => history::run(&args).map(success),
        Command::Rollback(args) => history::run_rollback(&args).map(success),
        Command::Vacuum(args) => vacuum::run(&args).map(success),
        Command::Catalog(args) => catalog::run(&args),
        Command::Tags(args) => tags::run(&args),
        Command::Access(args) => access::run(&args).map(success),
        Command::Doctor(args) => doctor::run(&args).map(success),
        Command::Athena(args) => athena::run(&args).map(success),
        Command::Init(args) => init::run(&args).map(success),
        Command::Validate(args) => validate::run(&args).map(success),
        Command::Schema(args) => schema::run(&args).map(success),
    };
    match done {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::say_error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// The arguments of the process. SQL that begins with a comment begins as an option does: a blank before it tells them apart.
fn arguments() -> impl Iterator<Item = OsString> {
    std::env::args_os().map(|argument| match argument.to_str() {
        Some(sql) if sql.starts_with("-- ") || sql.starts_with("--\n") => format!(" {sql}").into(),
        _ => argument,
    })
}

/// The error of arguments that have something in them that isn't seen, as names of files may: the same of escaped ones.
fn escaped(kind: clap::error::ErrorKind) -> Option<clap::Error> {
    let arguments: Vec<String> = arguments().map(|argument| argument.to_string_lossy().into_owned()).collect();
    if !arguments.iter().any(|argument| argument.contains(is_unseen)) {
        return None;
    }
    let error = Cli::try_parse_from(arguments.iter().map(|argument| printable(argument).into_owned())).err();
    Some(error.unwrap_or_else(|| Cli::command().error(kind, "an argument contains invisible characters")))
}
