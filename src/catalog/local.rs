//! The catalog that lies in the lake itself.

use super::head::{Head, PolicyRef, TableRef};
use super::table::Table;
use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use crate::publish::RunId;
use crate::publish::keys::{self, HEAD, POLICIES};
use crate::storage::{Object, Storage, Version};
use chrono::Utc;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// The format of a head without policies.
const FORMAT: u32 = 1;
/// That of one with policies.
const GOVERNED: u32 = 2;
/// What brings back a version that can't be read.
const REPAIR: &str = "etl catalog repair";

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
            Some(object) => {
                let head: Head = self.parse(HEAD, &object.bytes).map_err(|error| self.hinted(error))?;
                self.known(&head)?;
                Ok(Snapshot { head, version: Some(object.version) })
            }
        }
    }

    /// What is there now, where that may be damaged: then without a table, and with what is wrong.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where the store can't be read.
    pub fn damaged_snapshot(&self) -> Result<(Snapshot, Option<String>)> {
        let shown = self.storage.location().join(HEAD);
        let Some(object) = self.storage.get(HEAD)? else { return Ok((self.snapshot()?, Some(format!("{shown} is gone")))) };
        match self.parse::<Head>(HEAD, &object.bytes) {
            Ok(head) => {
                self.known(&head)?;
                let wrong = LocalCatalog::misfit(&head).map(|table| format!("{shown} was edited: its entry for {table} is inconsistent"));
                Ok((Snapshot { head, version: Some(object.version) }, wrong))
            }
            Err(_) => Ok((Snapshot { head: Head::default(), version: Some(object.version) }, Some(format!("{shown} can't be read")))),
        }
    }

    /// The description of a table's version.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be read.
    pub fn table(&self, reference: &TableRef) -> Result<Table> {
        let found = self.storage.get(&reference.object)?;
        self.found(&reference.object, found).map_err(|error| self.hinted(error))
    }

    /// Whether the description of a table's version is gone, or can't be understood.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where the store can't be read.
    pub fn is_lost(&self, reference: &TableRef) -> Result<bool> {
        Ok(self.whole(reference)?.is_none())
    }

    /// The description of a table's version; nothing where it is gone, or can't be understood.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where the store can't be read.
    pub fn whole(&self, reference: &TableRef) -> Result<Option<Table>> {
        let object = self.storage.get(&reference.object)?;
        Ok(self.found(&reference.object, object).ok())
    }

    /// The descriptions of all tables of `snapshot`.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where one can't be read.
    pub fn tables(&self, snapshot: &Snapshot) -> Result<Vec<Table>> {
        let keys: Vec<String> = snapshot.head.tables().map(|(_, _, reference)| reference.object.clone()).collect();
        let found = self.storage.get_all(&keys)?.into_iter().zip(&keys);
        found.map(|(object, key)| self.found(key, object).map_err(|error| self.hinted(error))).collect()
    }

    /// The description that is kept at the key `object`.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be read.
    pub fn table_at(&self, object: &str) -> Result<Table> {
        self.found(object, self.storage.get(object)?)
    }

    /// The newest policy of each owner, whatever the head says: for a head that is rebuilt.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where the store can't be read.
    pub fn newest_policies(&self) -> Result<BTreeMap<String, PolicyRef>> {
        let mut newest = BTreeMap::new();
        // Names of runs begin with their time, and entries are sorted.
        for entry in self.storage.list(POLICIES)? {
            if let Some((owner, _)) = entry.key.strip_prefix(POLICIES).and_then(|rest| rest.trim_start_matches('/').split_once('/')) {
                newest.insert(owner.to_string(), PolicyRef { object: entry.key.clone(), updated: entry.modified });
            }
        }
        Ok(newest)
    }

    /// Writes the policy of `owner`, which nobody reads before a commit names it.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where it can't be written.
    pub fn write_policy(&self, owner: &str, run: &RunId, policy: &impl Serialize) -> Result<PolicyRef> {
        let object = keys::policy(owner, run.as_str());
        match self.storage.put_new(&object, to_json(policy)?)? {
            true => Ok(PolicyRef { object, updated: Utc::now() }),
            false => Err(Error::new(ErrorKind::Internal, format!("{} is there already", self.storage.location().join(&object)))),
        }
    }

    /// The policy that `reference` names.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where it can't be read.
    pub fn policy<T: DeserializeOwned>(&self, reference: &PolicyRef) -> Result<T> {
        let key = &reference.object;
        let gone = || Error::new(ErrorKind::Input, format!("{} is gone", self.storage.location().join(key)));
        self.parse(key, &self.storage.get(key)?.ok_or_else(gone)?.bytes)
    }

    /// Refuses a head of a later format.
    fn known(&self, head: &Head) -> Result<()> {
        match head.format {
            // The first head of a lake had none once.
            0 | FORMAT | GOVERNED => Ok(()),
            other => {
                let message = format!(
                    "{} has format {other}, but this version of etl reads formats {FORMAT} and {GOVERNED}",
                    self.storage.location().join(HEAD)
                );
                Err(Error::new(ErrorKind::Input, message)
                    .with_context("what to do", "use a version of etl as new as the one that wrote it"))
            }
        }
    }

    fn hinted(&self, error: Error) -> Error {
        error.with_context("what to do", format!("`{REPAIR} --lake {}`", self.storage.location()))
    }

    fn found(&self, key: &str, object: Option<Object>) -> Result<Table> {
        let gone = || Error::new(ErrorKind::Input, format!("{} is gone", self.storage.location().join(key)));
        self.parse(key, &object.ok_or_else(gone)?.bytes)
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

    /// Makes `head` the head where `seen` is still what is there, and counts that; false where others were faster.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where it can't be written.
    pub(super) fn replace_head(&self, seen: &Snapshot, mut head: Head) -> Result<bool> {
        head.format = if head.policies.is_empty() { FORMAT } else { GOVERNED };
        head.sequence += 1;
        head.updated = Some(Utc::now());
        let text = to_json(&head)?;
        match &seen.version {
            Some(version) => self.storage.replace(HEAD, text, version),
            None => self.storage.put_new(HEAD, text),
        }
    }

    /// The lake's objects.
    pub(super) fn storage(&self) -> &Storage {
        &self.storage
    }

    pub(super) fn parse<T: DeserializeOwned>(&self, key: &str, bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes).map_err(|e| {
            Error::new(ErrorKind::Input, format!("{} was not written by etl", self.storage.location().join(key))).with_source(e)
        })
    }
}

/// `value` as the catalog's objects hold it.
pub(super) fn to_json(value: &impl Serialize) -> Result<Vec<u8>> {
    let text = serde_json::to_vec_pretty(value);
    text.map_err(|e| Error::new(ErrorKind::Internal, "a description can't be written as JSON").with_source(e))
}
