//! The lake's own catalog as one of the catalogs that readers look tables up in.
//!
//! What pipelines make comes into it by [`LocalCatalog::commit`] alone. Here come tables over files that were there already: a version without
//! segments that says where they lie. Its files are listed when it is read, and are nobody's of the lake: no vacuum, repair or rollback knows them.

use super::descriptor::describe_log;
use super::entry::{Entry, Partition};
use super::head::Head;
use super::local::{LocalCatalog, Snapshot};
use super::merge::{marked, merged};
use super::reader_options::ReaderOptions;
use super::readers::{Catalog, Change, Foreign, Registered, There};
use super::table::{LOG_FORMAT, Origin, REGISTERED, StorageDescriptor, Table};
use super::told::{LAKE, TABLE, Told, reader_columns};
use crate::accesslog::LogFormat;
use crate::error::{Error, ErrorKind, Result};
use crate::input::{Resolver, partitions_in};
use crate::output::Kind;
use crate::publish::{Claim, Lease, RunId};
use crate::storage::StoreSettings;
use chrono::Utc;
use std::collections::BTreeMap;

/// Who makes versions of tables over files that were there already: the name of no pipeline.
pub const REGISTERING: &str = ".register";
/// How often it is begun again because somebody else was faster.
const MOST_TRIES: u32 = 10;

impl LocalCatalog {
    /// A table of the lake as an entry of a catalog, its locations as addresses.
    fn entry(&self, table: &Table) -> Result<Entry> {
        let mut storage = table.storage.clone();
        let mut parameters = table.parameters.clone();
        if table.registered().is_none() {
            storage.location = format!("{}/", self.storage().location().join(storage.location.trim_end_matches('/')));
            parameters.insert(LAKE.to_string(), self.storage().location().to_string());
            parameters.insert(TABLE.to_string(), format!("{}.{}", table.database, table.name));
        }
        storage.columns = match parameters.get(LOG_FORMAT) {
            Some(text) => describe_log(&LogFormat::parse("registered", text)?, &storage.location).0.columns,
            None => reader_columns(&storage.columns, storage.serde.kind().unwrap_or(Kind::Parquet), &ReaderOptions::default()),
        };
        Ok(Entry {
            database: table.database.clone(),
            name: table.name.clone(),
            description: table.description.clone(),
            table_type: table.table_type.clone(),
            storage,
            partition_keys: table.partition_keys.clone(),
            parameters,
            view: None,
        })
    }

    fn version_in(&self, snapshot: &Snapshot, database: &str, name: &str) -> Result<Option<Table>> {
        snapshot.head.table(database, name).map(|reference| self.table(reference)).transpose()
    }

    /// The partitions of a table, as its files lie now; of those in several folders the newest.
    fn partitions_of(&self, table: &Table) -> Result<Vec<Partition>> {
        if table.partition_keys.is_empty() {
            return Ok(Vec::new());
        }
        let entry = self.entry(table)?;
        let mut folders: BTreeMap<Vec<String>, String> = BTreeMap::new();
        let values = |folder: &str| -> Option<Vec<String>> {
            let pairs = partitions_in(folder);
            let value = |key: &super::table::Column| pairs.iter().find(|(name, _)| *name == key.name).map(|(_, value)| value.clone());
            table.partition_keys.iter().map(value).collect()
        };
        match table.registered() {
            Some(address) => {
                for source in Resolver::new(&StoreSettings::default()).find(address)? {
                    let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_string();
                    folders.extend(values(&folder).map(|values| (values, folder)));
                }
            }
            None => {
                for (segment, folder) in
                    table.segments.iter().flat_map(|segment| segment.partitions.keys().map(move |folder| (segment, folder)))
                {
                    let place = self.storage().location().join(&format!("{}/{folder}", segment.location.trim_end_matches('/'))).to_string();
                    folders.extend(values(folder).map(|values| (values, place)));
                }
            }
        }
        let partition = |(values, place): (Vec<String>, String)| Partition {
            values,
            storage: StorageDescriptor { location: format!("{place}/"), ..entry.storage.clone() },
            parameters: BTreeMap::new(),
        };
        Ok(folders.into_iter().map(partition).collect())
    }

    /// Replaces what the head names, without touching a file of a table.
    fn forget(&self, database: &str, name: &str) -> Result<bool> {
        for _ in 0..MOST_TRIES {
            let snapshot = self.snapshot()?;
            if snapshot.head.table(database, name).is_none() {
                return Ok(false);
            }
            let mut head: Head = snapshot.head.clone();
            head.drop_table(database, name);
            if self.replace_head(&snapshot, head)? {
                return Ok(true);
            }
        }
        Err(busy(database, name))
    }
}

impl Catalog for LocalCatalog {
    fn name(&self) -> String {
        format!("the catalog of {}", self.storage().location())
    }

    fn databases(&self) -> Result<Vec<String>> {
        Ok(self.snapshot()?.head.databases.iter().filter(|(_, tables)| !tables.tables.is_empty()).map(|(name, _)| name.clone()).collect())
    }

    fn tables(&self, database: &str) -> Result<Vec<Entry>> {
        let head = self.snapshot()?.head;
        let tables = head.tables().filter(|(of, ..)| *of == database.to_lowercase());
        tables.map(|(_, _, reference)| self.entry(&LocalCatalog::table(self, reference)?)).collect()
    }

    fn table(&self, database: &str, name: &str) -> Result<Option<Entry>> {
        let table = self.version_in(&self.snapshot()?, &database.to_lowercase(), &name.to_lowercase())?;
        table.map(|table| self.entry(&table)).transpose()
    }

    fn partitions(&self, database: &str, name: &str) -> Result<Vec<Partition>> {
        let table = self.version_in(&self.snapshot()?, &database.to_lowercase(), &name.to_lowercase())?;
        table.map_or(Ok(Vec::new()), |table| self.partitions_of(&table))
    }

    fn look(&self, database: &str, name: &str) -> Result<There> {
        let Some(table) = self.version_in(&self.snapshot()?, &database.to_lowercase(), &name.to_lowercase())? else {
            return Ok(There::default());
        };
        Ok(There {
            entry: Some(self.entry(&table)?),
            partitions: self.partitions_of(&table)?,
            version: Some(table.digest.clone()),
            foreign: Foreign::default(),
        })
    }

    /// Only of files that were there already: what a pipeline makes is committed by it.
    fn register(&self, there: &There, told: &Told, adopt: bool) -> Result<Registered> {
        let (database, name) = (&told.entry.database, &told.entry.name);
        let unchanged = Registered::nothing(told.entry.full_name(), Change::Unchanged);
        let Some(address) = told.entry.parameters.get(REGISTERED) else {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("{database}.{name} belongs to a pipeline, which publishes it; it can't be registered"),
            ));
        };
        let snapshot = self.snapshot()?;
        let known = self.version_in(&snapshot, database, name)?;
        if known.as_ref().map(|table| &table.digest) != there.version.as_ref() {
            return Err(busy(database, name));
        }
        if let Some(known) = &known {
            let owner = match known.registered() {
                None => Some(format!("the pipeline {}, by its output {}", known.origin.pipeline, known.origin.output)),
                Some(other) if other != address && !adopt => Some(format!("who registered the files at {other}")),
                Some(_) => None,
            };
            if let Some(owner) = owner {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("the table {database}.{name} belongs to somebody else; nothing was changed"),
                )
                .with_context("owner", owner)
                .with_context("what to do", "register the files under another name, or drop that table first"));
            }
        }
        let (mut wanted, before) = match &there.entry {
            Some(known) => (merged(&told.entry, known), Some(known)),
            None => (marked(&told.entry), None),
        };
        if before == Some(&wanted) {
            return Ok(unchanged);
        }
        wanted.storage.columns.clone_from(&told.columns);
        let now = Utc::now();
        let run = RunId::new(now);
        let table = Table {
            format: 1,
            database: database.clone(),
            name: name.clone(),
            version: 0,
            description: wanted.description,
            table_type: wanted.table_type,
            parameters: wanted.parameters,
            storage: wanted.storage,
            partition_keys: wanted.partition_keys,
            tags: known.as_ref().map(|known| known.tags.clone()).unwrap_or_default(),
            column_tags: known.as_ref().map(|known| known.column_tags.clone()).unwrap_or_default(),
            grants: known.as_ref().map(|known| known.grants.clone()).unwrap_or_default(),
            created: now,
            updated: now,
            origin: Origin {
                pipeline: REGISTERING.to_string(),
                output: name.clone(),
                run: run.to_string(),
                definition: String::new(),
                shape: String::new(),
                rolled_back_to: None,
            },
            segments: Vec::new(),
            files: 0,
            rows: 0,
            bytes: 0,
            history: Vec::new(),
            digest: String::new(),
        };
        let tables = vec![(database.clone(), name.clone())];
        let claim = Claim { run, pipeline: REGISTERING.to_string(), folders: Vec::new(), tables, versions: Vec::new() };
        let lease = Lease::take(self.storage(), &claim)?;
        self.commit(&snapshot, vec![table], &lease)?;
        Ok(Registered { change: if known.is_some() { Change::Updated } else { Change::Created }, ..unchanged })
    }

    fn drop_table(&self, database: &str, name: &str) -> Result<bool> {
        self.forget(&database.to_lowercase(), &name.to_lowercase())
    }
}

fn busy(database: &str, name: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("others are changing {database}.{name}; nothing was changed"))
        .with_context("what to do", "run it again")
}
