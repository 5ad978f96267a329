//! The arguments of commands that take a pipeline.

use super::terminal::cores;
use super::variable::{VarArgs, variables};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::{Lake, Pipeline, Scope};
use crate::query::default_memory;
use crate::storage::{Location, Storage, StoreSettings};
use crate::units::{ByteSize, Rate};
use clap::Args;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// What `run` and `plan` take in place of one pipeline's file.
pub(super) const FILE_OR_FOLDER: &str = "The pipeline's file, or a folder of pipelines";

/// A pipeline's file, and the values of its variables.
#[derive(Debug, Args)]
pub(super) struct PipelineArgs {
    /// The pipeline's file
    #[arg(value_name = "PIPELINE")]
    file: PathBuf,

    #[command(flatten)]
    vars: VarArgs,
}

/// Which part of a pipeline.
#[derive(Debug, Args)]
pub(super) struct ScopeArgs {
    /// Only these outputs, by name, separated by commas
    #[arg(long, value_name = "OUTPUT", value_delimiter = ',')]
    only: Vec<String>,

    /// Rebuild all rows, including those of unchanged files
    #[arg(long)]
    full: bool,

    /// Read files with rejected lines again: lines that parse now become rows
    #[arg(long, conflicts_with = "full")]
    retry_rejects: bool,

    /// Allow this share of rejected lines for this run, instead of the pipeline's limit: 5% or 0.05
    #[arg(long, value_name = "RATE")]
    max_reject_rate: Option<Rate>,
}

/// How much memory queries may hold.
#[derive(Debug, Args)]
pub(super) struct MemoryArgs {
    /// Memory for sorts, groupings and joins, which spill to disk beyond it [default: half of the machine's memory]
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,
}

impl MemoryArgs {
    pub(super) fn size(&self) -> ByteSize {
        self.memory.unwrap_or_else(default_memory)
    }
}

/// How many threads work.
#[derive(Debug, Args)]
pub(super) struct ThreadArgs {
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl PipelineArgs {
    /// Reads the pipeline from standard input, as if that stood in its file.
    ///
    /// # Errors
    /// As [`PipelineArgs::load`].
    pub(super) fn load_given(&self) -> Result<Pipeline> {
        let text = std::io::read_to_string(std::io::stdin()).map_err(|e| Error::input("standard input", e))?;
        Pipeline::check_text(&self.file, &text, &variables(&self.vars)?)?.into_pipeline()
    }

    /// The folder of pipelines that was named in place of one.
    pub(super) fn folder(&self) -> Option<&Path> {
        Some(self.file.as_path()).filter(|path| path.is_dir())
    }

    /// The file that is there, where the one that was named differs from it by its ending only.
    fn other_ending(&self) -> Option<PathBuf> {
        if self.file.exists() {
            return None;
        }
        ["yaml", "yml"].iter().map(|ending| self.file.with_extension(ending)).find(|other| other.is_file())
    }

    /// The values of variables.
    pub(super) fn vars(&self) -> &VarArgs {
        &self.vars
    }

    /// Reads the pipeline.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] for all that is wrong in it, [`ErrorKind::Input`] where it can't be read.
    pub(super) fn load(&self) -> Result<Pipeline> {
        Pipeline::load(&self.file, &variables(&self.vars)?).map_err(|error| match self.other_ending() {
            Some(other) => error.with_context("what to do", format!("did you mean {}?", other.display())),
            None => error,
        })
    }
}

impl ScopeArgs {
    /// Outputs are those of one pipeline.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where some are named.
    pub(super) fn refuse_outputs(&self) -> Result<()> {
        match self.only.is_empty() {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Usage, "--only names outputs of a pipeline; this is a folder of pipelines")),
        }
    }

    pub(super) fn scope(&self) -> Scope {
        Scope { full: self.full, only: self.only.clone(), retry_rejects: self.retry_rejects, max_reject_rate: self.max_reject_rate }
    }
}

impl ThreadArgs {
    pub(super) fn count(&self) -> usize {
        self.threads.map_or_else(cores, NonZeroUsize::get)
    }
}

/// The lake at `location`, which must be there.
///
/// # Errors
/// [`ErrorKind::Input`] where it is not.
pub(super) fn open_lake(location: &str) -> Result<Storage> {
    open(location, &StoreSettings::default())
}

/// A pipeline's lake, which must be there.
///
/// # Errors
/// [`ErrorKind::Input`] where it is not.
pub(super) fn open_lake_of(lake: &Lake) -> Result<Storage> {
    open(&lake.location, &lake.store)
}

fn open(location: &str, settings: &StoreSettings) -> Result<Storage> {
    let location = Location::parse(location)?;
    if location.path().is_some_and(|path| !path.is_dir()) {
        let error = Error::new(ErrorKind::Input, format!("there is no lake at {location}"));
        return Err(error.with_context("what to do", "`etl run PIPELINE` creates it"));
    }
    Storage::open_with(location, settings)
}
