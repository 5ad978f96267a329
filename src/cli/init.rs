//! `etl init`: a pipeline to start from.

use super::terminal::say;
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::spec::template;
use clap::Args;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "Examples:
  etl init weblogs.yaml
  etl generate --lines 10000 > access.log && etl validate weblogs.yaml && etl run weblogs.yaml";

/// Write a commented pipeline to start from
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct InitArgs {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
}

/// Writes the file.
///
/// # Errors
/// [`ErrorKind::Output`] where it exists already, or can't be written.
pub(super) fn run(args: &InitArgs) -> Result<()> {
    let shown = args.file.display().to_string();
    let mut options = OpenOptions::new();
    options.write(true);
    match args.force {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    let mut file = match options.open(&args.file) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Error::new(ErrorKind::Output, format!("{shown} already exists; use --force to overwrite it")));
        }
        opened => opened.map_err(|error| Error::output(&shown, error))?,
    };
    file.write_all(template().as_bytes()).map_err(|error| Error::output(&shown, error))?;
    say(&format!("wrote {shown}; next: etl validate {shown}"));
    Ok(())
}
