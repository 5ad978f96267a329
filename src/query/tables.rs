//! Turns what stands in `FROM` into tables.

use super::options::QueryOptions;
use super::rejects::RejectLog;
use super::table::FileTable;
use crate::catalog::resolve;
use crate::error::{Error, ErrorKind, Result};
use crate::input::Table;
use crate::units::ByteSize;
use async_trait::async_trait;
use datafusion::catalog::{TableProvider, UrlTableFactory};
use datafusion::common::DataFusionError;
use datafusion::error::Result as DataFusionResult;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The tables of an engine: opened once for each path, however often a query names it.
#[derive(Debug)]
pub(super) struct Tables {
    options: QueryOptions,
    opened: Mutex<Opened>,
    rejects: Arc<RejectLog>,
}

#[derive(Debug, Default)]
struct Opened {
    by_path: BTreeMap<String, Arc<FileTable>>,
    notes: Vec<String>,
    names: Vec<String>,
    /// Those of them that are views.
    views: BTreeSet<String>,
}

impl Tables {
    pub(super) fn new(options: QueryOptions) -> Self {
        Tables { options, opened: Mutex::default(), rejects: Arc::default() }
    }

    /// The table of the files that `path` names.
    pub(super) fn open(&self, path: &str) -> Result<Arc<FileTable>> {
        if let Some(known) = self.lock().by_path.get(path) {
            return Ok(known.clone());
        }
        if self.options.restricted {
            return Err(no_files());
        }
        if path == "-" && !self.options.stdin {
            let message = "standard input was read as the query; read the query from a file with --file, or the table from one";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let table = Table::open(resolve(&[path.to_string()])?, &self.options.read)?;
        let mut opened = self.lock();
        let told = |note: &String| if note.contains(path) { note.clone() } else { format!("{path}: {note}") };
        opened.notes.extend(table.notes.iter().chain(&table.alike()).map(told));
        let table = Arc::new(FileTable::new(table, self.options.threads.max(1), self.rejects.clone()));
        opened.by_path.insert(path.to_string(), table.clone());
        Ok(table)
    }

    /// Takes note of a name that a table was given.
    pub(super) fn remember(&self, name: &str) {
        self.lock().names.push(name.to_string());
    }

    /// Takes note of the name of a view.
    pub(super) fn remember_view(&self, name: &str) {
        let mut opened = self.lock();
        if opened.views.insert(name.to_string()) {
            opened.names.push(name.to_string());
        }
    }

    /// Whether `name` is that of a view.
    pub(super) fn is_view(&self, name: &str) -> bool {
        self.lock().views.contains(name)
    }

    /// The names that tables were given.
    pub(super) fn names(&self) -> Vec<String> {
        self.lock().names.clone()
    }

    /// The paths that were opened.
    pub(super) fn paths(&self) -> Vec<String> {
        self.lock().by_path.keys().cloned().collect()
    }

    /// What opening the tables found.
    pub(super) fn notes(&self) -> Vec<String> {
        let opened = self.lock();
        opened.notes.iter().cloned().chain(opened.by_path.values().filter_map(|table| table.growth())).collect()
    }

    pub(super) fn rejects(&self) -> &RejectLog {
        &self.rejects
    }

    pub(super) fn rejects_shared(&self) -> Arc<RejectLog> {
        self.rejects.clone()
    }

    /// Whether only what somebody sees of a lake may be asked for.
    pub(super) fn is_restricted(&self) -> bool {
        self.options.restricted
    }

    /// What queries may hold.
    pub(super) fn memory(&self) -> ByteSize {
        self.options.memory
    }

    /// Whether standard input is one of them, which can be read once.
    pub(super) fn read_stdin(&self) -> bool {
        self.lock().by_path.contains_key("-")
    }

    /// How many threads decode a table.
    pub(super) fn threads(&self) -> usize {
        self.options.threads.max(1)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `name` can only be meant as a path, so that what is wrong with it is worth saying.
fn is_path(name: &str) -> bool {
    is_like_a_path(name) || Path::new(name).exists()
}

/// Whether it can be told from `name` alone.
fn is_like_a_path(name: &str) -> bool {
    name == "-" || name.contains(['/', '.', '*', '?'])
}

/// The error of a file where only what somebody sees of a lake may be asked for.
fn no_files() -> Error {
    Error::new(ErrorKind::Query, "files can't be queried with --as: policies only protect tables of a lake")
        .with_context("what to do", "name tables of the lake, as DATABASE.TABLE")
}

#[async_trait]
impl UrlTableFactory for Tables {
    async fn try_new(&self, name: &str) -> DataFusionResult<Option<Arc<dyn TableProvider>>> {
        if self.options.restricted {
            return if is_like_a_path(name) { Err(DataFusionError::External(Box::new(no_files()))) } else { Ok(None) };
        }
        if !is_path(name) {
            return Ok(None);
        }
        match self.open(name) {
            Ok(table) => Ok(Some(table)),
            Err(error) => Err(DataFusionError::External(Box::new(error))),
        }
    }
}
