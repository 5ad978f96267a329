//! The tables of a lake, as its catalog has them at one moment.

use super::partitions::Partitions;
use super::registered::{self, as_read};
use super::rejects::RejectLog;
use super::restricted::{Restriction, restricted};
use super::table::FileTable;
use super::versions::{MARK, Moment};
use crate::catalog::{LocalCatalog, Snapshot, Table as CatalogTable, live_files, source_of};
use crate::error::{Error, ErrorKind, Result};
use crate::governance;
use crate::input::{Table, TableFormat};
use crate::output::Kind;
use crate::storage::Storage;
use crate::tabular::{CsvDialect, CsvOptions, Renames, RowSyntax, Typing};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::DataFusionError;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The tables that a query can name, as `database.table`.
#[derive(Debug, Clone)]
pub struct LakeTables {
    storage: Storage,
    catalog: LocalCatalog,
    snapshot: Snapshot,
    /// Versions that nobody else sees yet.
    staged: BTreeMap<(String, String), CatalogTable>,
    /// What is seen of them, where it is not all.
    restriction: Option<Arc<Restriction>>,
    /// When they are looked at, where it isn't now.
    moment: Option<Moment>,
}

impl LakeTables {
    /// The tables of the lake in `storage`, as they are now.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where the catalog can't be read.
    pub fn open(storage: Storage) -> Result<LakeTables> {
        let catalog = LocalCatalog::new(storage.clone());
        let snapshot = catalog.snapshot()?;
        Ok(LakeTables { storage, catalog, snapshot, staged: BTreeMap::new(), restriction: None, moment: None })
    }

    /// What `principal` sees of the tables, by the policies of the lake.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where policies or descriptions of tables can't be read, [`ErrorKind::Conflict`] where policies contradict each other.
    pub fn seen_by(mut self, principal: &str) -> Result<LakeTables> {
        let evaluator = governance::evaluator(&self.catalog, &self.snapshot)?;
        self.restriction = Some(Arc::new(Restriction::of(principal, &evaluator)));
        Ok(self)
    }

    /// The tables that `snapshot` has.
    pub fn of(storage: Storage, snapshot: Snapshot) -> LakeTables {
        let catalog = LocalCatalog::new(storage.clone());
        LakeTables { storage, catalog, snapshot, staged: BTreeMap::new(), restriction: None, moment: None }
    }

    /// The tables as they were at `moment`: when the run of that name had published, or at a time in UTC.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a run that published no table that is there, [`ErrorKind::Input`] where the catalog can't be read.
    pub fn at(mut self, moment: &str) -> Result<LakeTables> {
        let moment = Moment::parse(moment);
        if let Moment::Version(version) = moment {
            let message =
                format!("`{version}` is a version number, which only applies to a single table; expected a run, or a time in UTC");
            return Err(Error::new(ErrorKind::Usage, message).with_context("what to do", format!("FROM table FOR VERSION AS OF {version}")));
        }
        // A run that nobody knows is told before anything is asked.
        moment.resolved(&self.catalog, &self.snapshot)?;
        self.moment = Some(moment);
        Ok(self)
    }

    /// Whether any policy names the principal whose sight this is; else it sees what everybody sees, which is mostly nothing.
    pub fn knows_principal(&self) -> bool {
        self.restriction.as_ref().is_none_or(|restriction| restriction.is_known())
    }

    /// The same tables, with these in the place of those that have their names.
    pub fn with_staged(mut self, tables: impl IntoIterator<Item = CatalogTable>) -> LakeTables {
        self.staged.extend(tables.into_iter().map(|table| ((table.database.clone(), table.name.clone()), table)));
        self
    }

    /// All names, as `(database, table)`, sorted.
    pub fn names(&self) -> Vec<(String, String)> {
        let known = self.snapshot.head.tables().map(|(database, name, _)| (database.to_string(), name.to_string()));
        // Then those were there, too, that were dropped since.
        let dropped = self.snapshot.head.dropped.values().filter(|_| self.moment.is_some());
        let known = known.chain(dropped.map(|dropped| (dropped.database.clone(), dropped.name.clone())));
        let seen =
            |(database, name): &(String, String)| self.restriction.as_ref().is_none_or(|restriction| restriction.sees(database, name));
        let mut names: Vec<(String, String)> = known.chain(self.staged.keys().cloned()).filter(seen).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The databases, sorted.
    pub fn databases(&self) -> Vec<String> {
        let mut databases: Vec<String> = self.names().into_iter().map(|(database, _)| database).collect();
        // Of one who asks with his own rights those without a table that he sees, too.
        databases.extend(self.restriction.iter().flat_map(|restriction| restriction.databases()));
        databases.sort();
        databases.dedup();
        databases
    }

    /// What the table that was dropped since was at `moment`.
    fn dropped(&self, database: &str, name: &str, moment: &Moment) -> Result<Option<CatalogTable>> {
        let Some(dropped) = self.snapshot.head.dropped(database, name) else { return Ok(None) };
        if moment.resolved(&self.catalog, &self.snapshot)?.is_some_and(|time| time >= dropped.at) {
            return Ok(None);
        }
        match self.catalog.whole(&dropped.table)? {
            Some(table) => moment.of(table, &self.catalog, &self.snapshot).map(Some),
            None => {
                let message = format!(
                    "{database}.{name} was dropped on {}, and `etl vacuum` removed its files",
                    dropped.at.format("%Y-%m-%d %H:%M UTC")
                );
                Err(Error::new(ErrorKind::Input, message))
            }
        }
    }

    fn find(&self, database: &str, name: &str) -> Result<Option<CatalogTable>> {
        if let Some(staged) = self.staged.get(&(database.to_string(), name.to_string())) {
            return Ok(Some(staged.clone()));
        }
        let (name, moment) = match name.split_once(MARK) {
            Some((name, moment)) => (name, Some(Moment::parse(moment))),
            None => (name, self.moment.clone()),
        };
        let Some(reference) = self.snapshot.head.table(database, name) else {
            return match &moment {
                Some(moment) => self.dropped(database, name, moment),
                None => Ok(None),
            };
        };
        let table = self.catalog.table(reference)?;
        match moment {
            Some(moment) => moment.of(table, &self.catalog, &self.snapshot).map(Some),
            None => Ok(Some(table)),
        }
    }
}

/// The tables of one database.
pub(super) struct LakeSchema {
    tables: Arc<LakeTables>,
    database: String,
    threads: usize,
    rejects: Arc<RejectLog>,
}

impl fmt::Debug for LakeSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LakeSchema").field("database", &self.database).finish_non_exhaustive()
    }
}

impl LakeSchema {
    pub(super) fn new(tables: Arc<LakeTables>, database: String, threads: usize, rejects: Arc<RejectLog>) -> LakeSchema {
        LakeSchema { tables, database, threads, rejects }
    }

    fn open(&self, table: &CatalogTable) -> Result<FileTable> {
        if let Some(address) = table.registered() {
            let (table, partitions) = registered::open(table, address)?;
            return Ok(FileTable::with_partitions(table, partitions, self.threads, self.rejects.clone()));
        }
        let files = live_files(&self.tables.storage, table)?;
        let fields = table.partition_fields()?;
        let folders: Vec<&str> = files.iter().map(|file| file.partition.as_str()).collect();
        let partitions = Partitions::of_folders(&folders, &fields)?;
        let sources = files.iter().map(|file| source_of(&self.tables.storage, file)).collect::<Result<Vec<_>>>()?;
        let table = Table { sources, format: format(table)?, notes: Vec::new(), misfits: BTreeMap::new() };
        Ok(FileTable::with_partitions(table, partitions, self.threads, self.rejects.clone()))
    }
}

#[async_trait]
impl SchemaProvider for LakeSchema {
    fn table_names(&self) -> Vec<String> {
        self.tables.names().into_iter().filter(|(database, _)| *database == self.database).map(|(_, name)| name).collect()
    }

    async fn table(&self, name: &str) -> datafusion::common::Result<Option<Arc<dyn TableProvider>>> {
        let restriction = self.tables.restriction.as_deref();
        if restriction.is_some() && name.contains(MARK) {
            // Policies are of what a table has now.
            let error = Error::new(ErrorKind::Query, "earlier versions can't be queried with --as: policies apply to the current ones");
            return Err(DataFusionError::External(Box::new(error)));
        }
        // Whether what is hidden is there, or can be opened, is not told.
        if restriction.is_some_and(|restriction| !restriction.sees(&self.database, name)) {
            return Ok(None);
        }
        let found = self.tables.find(&self.database, name).and_then(|table| table.map(|table| self.open(&table)).transpose());
        let table = match found {
            Ok(table) => table.map(|table| Arc::new(table) as Arc<dyn TableProvider>),
            Err(error) => return Err(DataFusionError::External(Box::new(error))),
        };
        Ok(match restriction {
            Some(restriction) => table.and_then(|table| restricted(restriction, &self.database, name, table)),
            None => table,
        })
    }

    fn table_exist(&self, name: &str) -> bool {
        let name = name.split(MARK).next().unwrap_or(name);
        self.table_names().iter().any(|known| known == name)
    }
}

/// How the files of `table` are read.
fn format(table: &CatalogTable) -> Result<TableFormat> {
    let schema: SchemaRef = table.file_schema()?;
    let schema = as_read(&schema);
    let typing = Typing { coarse_times: true, ..Typing::default() };
    let serde = &table.storage.serde;
    match serde.kind() {
        Some(Kind::Parquet) => Ok(TableFormat::Parquet { schema }),
        Some(Kind::Json) => Ok(TableFormat::Json { schema, typing, renames: Renames::default() }),
        Some(Kind::Tsv) => Ok(TableFormat::Rows { syntax: RowSyntax::Tsv { header: true }, schema, typing }),
        Some(Kind::Csv) => {
            let escape = serde.parameters.get("escapeChar").map(String::as_str);
            let dialect = if escape == Some("\\") { CsvDialect::Athena } else { CsvDialect::Rfc4180 };
            Ok(TableFormat::Rows { syntax: CsvOptions { dialect, ..Default::default() }.into(), schema, typing })
        }
        None => {
            let message =
                format!("the files of {}.{} are for {}, as set up there, which can't be read", table.database, table.name, serde.library);
            Err(Error::new(ErrorKind::Input, message)
                .with_context("known", "the SerDes of parquet, csv, tsv and json, as etl sets them up"))
        }
    }
}
