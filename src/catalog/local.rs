//! The catalog that lies in the lake itself.

use super::head::{Database, Head, TableRef};
use super::table::{PastVersion, Table};
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::{Storage, Version};
use chrono::Utc;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The folder of all that is not data, in a lake.
const HEAD: &str = "_etl/catalog/head.json";
const TABLES: &str = "_etl/catalog/tables";

/// How often a commit begins again because another one was faster.
const MOST_TRIES: u32 = 100;

/// A lake's catalog.
#[derive(Debug, Clone)]
pub struct LocalCatalog {
    storage: Storage,
}

/// What all tables were at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub head: Head,
    /// Nothing where there is no catalog yet.
    version: Option<Version>,
}

impl Snapshot {
    /// Whether there is no catalog yet.
    pub fn is_empty(&self) -> bool {
        self.version.is_none()
    }
}

impl LocalCatalog {
    /// The catalog of the lake in `storage`.
    pub fn new(storage: Storage) -> LocalCatalog {
        LocalCatalog { storage }
    }

    /// What is there now.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be read.
    pub fn snapshot(&self) -> Result<Snapshot> {
        match self.storage.get(HEAD)? {
            None => Ok(Snapshot { head: Head { format: 1, ..Head::default() }, version: None }),
            Some(object) => Ok(Snapshot { head: self.parse(HEAD, &object.bytes)?, version: Some(object.version) }),
        }
    }

    /// The description of a table's version.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be read.
    pub fn table(&self, reference: &TableRef) -> Result<Table> {
        self.table_at(&reference.object)
    }

    /// The description that is kept at the key `object`.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be read.
    pub fn table_at(&self, object: &str) -> Result<Table> {
        let found = self.storage.get(object)?;
        let found = found.ok_or_else(|| Error::new(ErrorKind::Input, format!("{} is gone", self.storage.location().join(object))))?;
        self.parse(object, &found.bytes)
    }

    /// The table `database.name`.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] where there is none, with the nearest name; [`ErrorKind::Input`] where it can't be read.
    pub fn find(&self, snapshot: &Snapshot, database: &str, name: &str) -> Result<Table> {
        if let Some(reference) = snapshot.head.table(database, name) {
            return self.table(reference);
        }
        let wanted = format!("{database}.{name}");
        let known: Vec<String> = snapshot.head.tables().map(|(database, name, _)| format!("{database}.{name}")).collect();
        let hint = nearest(&wanted, known.iter().map(String::as_str)).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let message = format!("there is no table `{wanted}` in {}{hint}", self.storage.location());
        Err(Error::new(ErrorKind::Usage, message)
            .with_context("tables", if known.is_empty() { "none".to_string() } else { known.join(", ") }))
    }

    /// Makes `tables` the ones that readers see, all at once. Each follows the version that `base` had of it; its version, history and
    /// digest are set here.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where another run published one of them since `base` was read. Nothing has changed then.
    pub fn commit(&self, base: &Snapshot, mut tables: Vec<Table>) -> Result<Vec<Table>> {
        for table in &mut tables {
            self.write_version(base, table)?;
        }
        let mut current = base.clone();
        for attempt in 0..MOST_TRIES {
            // Told that another one was faster, we may be the one: where the answer to a write was lost, and others went on from there.
            if attempt > 0 && self.has(&current.head, &tables)? {
                return Ok(tables);
            }
            let mut head = current.head.clone();
            for table in &tables {
                let (seen, now) = (base.head.table(&table.database, &table.name), head.table(&table.database, &table.name));
                if seen.map(|table| &table.object) != now.map(|table| &table.object) {
                    return Err(self.lost(table, now));
                }
                let database: &mut Database = head.databases.entry(table.database.clone()).or_default();
                database.tables.insert(table.name.clone(), reference(table));
            }
            head.sequence += 1;
            head.updated = Some(Utc::now());
            let text = to_json(&head)?;
            let done = match &current.version {
                Some(version) => self.storage.replace(HEAD, text, version)?,
                None => self.storage.put_new(HEAD, text)?,
            };
            if done {
                return Ok(tables);
            }
            // Others have their turn in another order the next time.
            let most = 20 * u64::from(attempt + 1).min(25);
            std::thread::sleep(Duration::from_millis(getrandom::u64().unwrap_or_default() % most));
            current = self.snapshot()?;
        }
        let message = format!("the catalog of {} is replaced by others all the time; nothing was published", self.storage.location());
        Err(Error::new(ErrorKind::Conflict, message).with_context("what to do", "run it again"))
    }

    /// Whether readers of `head` see `tables`, or saw them until a later version.
    fn has(&self, head: &Head, tables: &[Table]) -> Result<bool> {
        for table in tables {
            let key = object_key(table);
            let seen = match head.table(&table.database, &table.name) {
                None => false,
                Some(now) => now.object == key || self.table(now)?.history.iter().any(|past| past.object == key),
            };
            if !seen {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn write_version(&self, base: &Snapshot, table: &mut Table) -> Result<()> {
        let before = base.head.table(&table.database, &table.name);
        table.version = before.map_or(1, |before| before.version + 1);
        if let Some(before) = before {
            let old = self.table(before)?;
            table.created = old.created;
            let past = PastVersion {
                version: before.version,
                object: before.object.clone(),
                run: before.run.clone(),
                updated: before.updated,
                rows: old.rows,
            };
            table.history = old.history.into_iter().chain([past]).collect();
        }
        table.count();
        table.digest = table.expected_digest();
        // A version that lost is replaced by that of the run's next try.
        self.storage.put(&object_key(table), to_json(table)?)
    }

    fn lost(&self, table: &Table, now: Option<&TableRef>) -> Error {
        let winner = now.map_or("it was removed".to_string(), |now| format!("run {} published version {} of it", now.run, now.version));
        let message =
            format!("{}.{} has changed while this run was at work: {winner}; nothing of this run is seen", table.database, table.name);
        Error::new(ErrorKind::Conflict, message).with_context("what to do", "run it again; it goes on from what is there now")
    }

    fn parse<T: DeserializeOwned>(&self, key: &str, bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes).map_err(|e| {
            Error::new(ErrorKind::Input, format!("{} is not what etl writes there", self.storage.location().join(key))).with_source(e)
        })
    }
}

fn reference(table: &Table) -> TableRef {
    TableRef { version: table.version, object: object_key(table), run: table.origin.run.clone(), updated: table.updated }
}

/// The key of a version: runs never share one.
fn object_key(table: &Table) -> String {
    format!("{TABLES}/{}/{}/{:06}-{}.json", table.database, table.name, table.version, table.origin.run)
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>> {
    let text = serde_json::to_vec_pretty(value);
    text.map_err(|e| Error::new(ErrorKind::Internal, "a description can't be written as JSON").with_source(e))
}
