//! `etl completions` and `etl man`: what packages install beside the binary.

use crate::error::{Error, ErrorKind, Result};
use clap::{Args, Command};
use clap_complete::Shell;
use std::io::Write;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  etl completions bash > ~/.local/share/bash-completion/completions/etl\n  etl completions zsh > ~/.zfunc/_etl"
)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, mut command: Command) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "etl", &mut script);
    put(&script)
}

/// All commands' manual pages, one behind the other.
pub(super) fn man(command: Command) -> Result<()> {
    let mut pages = Vec::new();
    let failed = |e: std::io::Error| Error::new(ErrorKind::Internal, "can't make the manual page").with_source(e);
    let subcommands: Vec<Command> = command.get_subcommands().cloned().collect();
    clap_mangen::Man::new(command).render(&mut pages).map_err(failed)?;
    for subcommand in subcommands {
        clap_mangen::Man::new(subcommand).render(&mut pages).map_err(failed)?;
    }
    put(&pages)
}

fn put(bytes: &[u8]) -> Result<()> {
    std::io::stdout().lock().write_all(bytes).map_err(|e| Error::output("standard output", e))
}
