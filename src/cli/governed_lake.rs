//! The policies of a lake, for commands that show what follows from them.

use super::pipeline::open_lake;
use crate::catalog::{LocalCatalog, Snapshot};
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::governance::{Evaluator, Policy, evaluator, policies};
use crate::pipeline::head_of;
use crate::printable::printable;
use crate::storage::Storage;
use clap::Args;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use std::collections::BTreeMap;
use std::io::IsTerminal;

/// Which lake.
#[derive(Debug, Args)]
pub(super) struct LakeArgs {
    /// The lake: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LAKE", env = "ETL_LAKE")]
    lake: String,
}

/// A lake at one moment.
pub(super) struct GovernedLake {
    pub(super) storage: Storage,
    pub(super) catalog: LocalCatalog,
    pub(super) snapshot: Snapshot,
}

impl LakeArgs {
    /// # Errors
    /// [`ErrorKind::Input`] where there is none.
    pub(super) fn open(&self) -> Result<GovernedLake> {
        let storage = open_lake(&self.lake)?;
        let catalog = LocalCatalog::new(storage.clone());
        let snapshot = head_of(&storage, &catalog)?;
        Ok(GovernedLake { storage, catalog, snapshot })
    }
}

impl GovernedLake {
    /// All policies together, held against the tables.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where they can't be read.
    pub(super) fn evaluator(&self) -> Result<Evaluator> {
        evaluator(&self.catalog, &self.snapshot)
    }

    /// The policies, by who says them.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where one can't be read.
    pub(super) fn policies(&self) -> Result<BTreeMap<String, Policy>> {
        policies(&self.catalog, &self.snapshot)
    }
}

/// The error of a table or database that is not there, with the nearest one that is.
pub(super) fn unknown(what: &str, wanted: &str, known: &[String]) -> Error {
    let hint = nearest(wanted, known.iter().map(String::as_str)).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let error = Error::new(ErrorKind::Usage, format!("this lake has no {what} `{wanted}`{hint}"));
    let listed: Vec<&str> = known.iter().take(20).map(String::as_str).collect();
    error.with_context("known", if listed.is_empty() { "none".to_string() } else { listed.join(", ") })
}

/// A table for people, without rows.
pub(super) fn shown(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_header(header.iter().map(|text| printable(text).into_owned()).collect::<Vec<_>>());
    let fit = std::io::stdout().is_terminal();
    table.set_content_arrangement(if fit { ContentArrangement::Dynamic } else { ContentArrangement::Disabled });
    table
}
