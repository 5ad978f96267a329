//! Which readers' catalogs were told of which tables, kept in the lake: so that they can be told again by who has no pipeline at hand, and
//! nothing is removed that their readers still see.

use super::glue::GlueSettings;
use super::reader_options::ReaderOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::publish::keys::READERS;
use crate::storage::Storage;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A table of the lake that Glue knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Of this format; 1.
    pub format: u32,
    /// The lake's table.
    pub database: String,
    pub table: String,
    pub glue: GlueSettings,
    pub options: ReaderOptions,
}

/// The format of these.
const FORMAT: u32 = 1;

impl Registration {
    /// That of the lake's table `database.table`.
    pub fn new(database: &str, table: &str, glue: GlueSettings, options: ReaderOptions) -> Registration {
        Registration { format: FORMAT, database: database.to_string(), table: table.to_string(), glue, options }
    }

    /// All of the lake in `storage`.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where one can't be read.
    pub fn all(storage: &Storage) -> Result<Vec<Registration>> {
        let keys: Vec<String> = storage.list(READERS)?.into_iter().map(|entry| entry.key).filter(|key| key.ends_with(".json")).collect();
        let objects = storage.get_all(&keys)?;
        let read = objects.into_iter().zip(&keys).filter_map(|(object, key)| {
            let wrong = |e| {
                let message = format!("{} doesn't say in which catalog a table is registered", storage.location().join(key));
                Error::new(ErrorKind::Input, message).with_source(e).with_context("what to do", "remove it; the next run writes it again")
            };
            Some(serde_json::from_slice(&object?.bytes).map_err(wrong))
        });
        read.collect()
    }

    /// Keeps it in the lake, before the catalog is told the first time.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where it can't be written.
    pub fn keep(&self, storage: &Storage) -> Result<()> {
        let text = serde_json::to_vec(self).map_err(|e| Error::new(ErrorKind::Internal, "a registration is not JSON").with_source(e))?;
        match storage.get(&self.key())? {
            Some(known) if known.bytes == text => Ok(()),
            _ => storage.put(&self.key(), text),
        }
    }

    /// Forgets it.
    ///
    /// # Errors
    /// [`ErrorKind::Output`] where it can't be removed.
    pub fn forget(&self, storage: &Storage) -> Result<()> {
        storage.delete(&[self.key()])
    }

    /// One for each table of each catalog.
    fn key(&self) -> String {
        let glue = &self.glue;
        let place = [glue.region.as_deref(), glue.catalog_id.as_deref(), Some(glue.database_prefix.as_str())];
        let place: Vec<&str> = place.into_iter().map(Option::unwrap_or_default).collect();
        let digest = hex::encode(&Sha256::digest(place.join("\n"))[..8]);
        format!("{READERS}/{}.{}@{digest}.json", self.database, self.table)
    }

    /// The name of the database in the catalog.
    pub fn reader_database(&self) -> String {
        self.glue.database(&self.database)
    }
}
