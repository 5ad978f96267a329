//! The databases of a Glue catalog, whose tables are looked up when a query names them.

use super::files::Files;
use super::table::GlueTable;
use super::view::view;
use crate::catalog::{Catalog, Entry, GlueCatalog, VIRTUAL_VIEW};
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::query::rejects::RejectLog;
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::execution::context::SessionState;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The tables of a Glue catalog, known as `database.table`.
#[derive(Debug, Clone)]
pub struct GlueTables {
    catalog: GlueCatalog,
}

impl GlueTables {
    /// Those of `catalog`. Nothing is asked yet.
    pub fn new(catalog: GlueCatalog) -> GlueTables {
        GlueTables { catalog }
    }
}

/// What the databases of an engine share.
pub(in crate::query) struct GlueSource {
    catalog: GlueCatalog,
    files: Arc<Files>,
    threads: usize,
    rejects: Arc<RejectLog>,
    /// The engine's, as long as there is one.
    session: Session,
    known: Mutex<Known>,
}

/// Gives what views are planned in.
type Session = Box<dyn Fn() -> Option<SessionState> + Send + Sync>;

#[derive(Default)]
struct Known {
    tables: BTreeMap<(String, String), Arc<dyn TableProvider>>,
    /// Views that are being planned: none may be made of itself.
    planning: Vec<String>,
}

impl fmt::Debug for GlueSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GlueSource").field("catalog", &self.catalog).finish_non_exhaustive()
    }
}

impl GlueSource {
    pub(in crate::query) fn new(tables: GlueTables, threads: usize, rejects: Arc<RejectLog>, session: Session) -> GlueSource {
        GlueSource { catalog: tables.catalog, files: Arc::default(), threads, rejects, session, known: Mutex::default() }
    }

    /// The table or view, opened once.
    async fn table(&self, database: &str, name: &str) -> Result<Arc<dyn TableProvider>> {
        let key = (database.to_string(), name.to_string());
        if let Some(known) = self.lock().tables.get(&key) {
            return Ok(known.clone());
        }
        let Some(entry) = self.catalog.table(database, name)? else { return Err(self.missing(database, name)) };
        let table: Arc<dyn TableProvider> = match entry.table_type == VIRTUAL_VIEW {
            true => self.view(&entry).await?,
            false => Arc::new(self.open(entry)?),
        };
        self.lock().tables.insert(key, table.clone());
        Ok(table)
    }

    fn open(&self, entry: Entry) -> Result<GlueTable> {
        let partitions = match entry.partition_keys.is_empty() || entry.is_projected() {
            true => Vec::new(),
            false => self.catalog.partitions(&entry.database, &entry.name)?,
        };
        GlueTable::new(entry, &partitions, self.files.clone(), self.threads, self.rejects.clone())
    }

    async fn view(&self, entry: &Entry) -> Result<Arc<dyn TableProvider>> {
        let name = entry.full_name();
        let state = (self.session)().ok_or_else(|| Error::new(ErrorKind::Internal, "a view was asked for when its engine was gone"))?;
        {
            let mut known = self.lock();
            if known.planning.contains(&name) {
                return Err(Error::new(ErrorKind::Query, format!("the view {name} is made of itself")));
            }
            known.planning.push(name.clone());
        }
        let planned = view(entry, state).await;
        self.lock().planning.retain(|planning| *planning != name);
        planned
    }

    fn missing(&self, database: &str, name: &str) -> Error {
        let error = |what: String| Error::new(ErrorKind::Query, format!("there is no {what} in {}", self.catalog.name()));
        let near = |error: Error, wanted: &str, names: &[String], prefix: &str| match nearest(wanted, names.iter().map(String::as_str)) {
            Some(near) => error.with_context("did you mean", format!("{prefix}{near}")),
            None => error,
        };
        let tables: Vec<String> = self.catalog.tables(database).into_iter().flatten().map(|entry| entry.name).collect();
        if tables.is_empty() {
            let databases = self.catalog.databases().unwrap_or_default();
            if !databases.iter().any(|known| known == database) {
                return near(error(format!("database {database}")), database, &databases, "");
            }
        }
        near(error(format!("table {database}.{name}")), name, &tables, &format!("{database}."))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The databases as DataFusion looks them up, beside those that it has itself.
pub(in crate::query) struct GlueDatabases {
    source: Arc<GlueSource>,
    own: Option<Arc<dyn CatalogProvider>>,
}

impl fmt::Debug for GlueDatabases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GlueDatabases").field("source", &self.source).finish_non_exhaustive()
    }
}

impl GlueDatabases {
    pub(in crate::query) fn new(source: Arc<GlueSource>, own: Option<Arc<dyn CatalogProvider>>) -> GlueDatabases {
        GlueDatabases { source, own }
    }
}

impl CatalogProvider for GlueDatabases {
    fn schema_names(&self) -> Vec<String> {
        self.own.as_ref().map(|own| own.schema_names()).unwrap_or_default()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let own = self.own.as_ref().and_then(|own| own.schema(name));
        own.or_else(|| Some(Arc::new(GlueDatabase { source: self.source.clone(), name: name.to_string() })))
    }
}

/// One database.
#[derive(Debug)]
struct GlueDatabase {
    source: Arc<GlueSource>,
    name: String,
}

#[async_trait]
impl SchemaProvider for GlueDatabase {
    /// None is listed: a catalog may have many thousands.
    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }

    async fn table(&self, name: &str) -> datafusion::common::Result<Option<Arc<dyn TableProvider>>> {
        self.source.table(&self.name, name).await.map(Some).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    fn table_exist(&self, _name: &str) -> bool {
        true
    }
}
