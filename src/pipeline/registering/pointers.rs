//! What readers' catalogs point to in a lake: nothing of that may be removed.

use crate::aws::AwsSettings;
use crate::catalog::{Catalog, GlueCatalog, Registration, folder_in};
use crate::error::{Error, Result};
use crate::publish::RunId;
use crate::storage::Storage;
use std::collections::BTreeSet;

/// The folders that catalogs send readers to.
#[derive(Debug, Default)]
pub(crate) struct Pointers {
    /// Names of folders of lists.
    pub(crate) lists: BTreeSet<String>,
    /// Runs with files that readers see.
    pub(crate) runs: BTreeSet<RunId>,
}

impl Pointers {
    /// Asks all catalogs that were told of tables of the lake in `storage`.
    ///
    /// # Errors
    /// Where one can't be asked: then it isn't known what may be removed.
    pub(crate) fn of(storage: &Storage) -> Result<Pointers> {
        let mut pointers = Pointers::default();
        for registration in Registration::all(storage)? {
            let name = format!("{}.{}", registration.database, registration.table);
            let unknown = |error: Error| {
                error.with_context("table", &name).with_context("then", "nothing was removed: readers of that catalog may still see it")
            };
            let glue = GlueCatalog::connect(&registration.glue, &AwsSettings::of_command_line()).map_err(unknown)?;
            let there = glue.look(&registration.reader_database(), &registration.table).map_err(unknown)?;
            let template = there.entry.as_ref().and_then(|entry| entry.parameters.get("storage.location.template"));
            let places = there.entry.iter().map(|entry| &entry.storage.location).chain(template);
            for place in places.chain(there.partitions.iter().map(|partition| &partition.storage.location)) {
                pointers.lists.extend(folder_in(place).map(str::to_string));
                pointers.runs.extend(place.split('/').filter_map(RunId::of_folder));
            }
        }
        pointers.add_listed(storage)?;
        Ok(pointers)
    }

    /// Adds the runs whose files are in the lists.
    fn add_listed(&mut self, storage: &Storage) -> Result<()> {
        if self.lists.is_empty() {
            return Ok(());
        }
        let mut keys = Vec::new();
        for registration in Registration::all(storage)? {
            let folder = format!("{}/{}/{}", registration.database, registration.table, crate::catalog::LISTS);
            let listed = storage.list(&folder)?.into_iter().map(|entry| entry.key);
            keys.extend(listed.filter(|key| folder_in(key).is_some_and(|name| self.lists.contains(name))));
        }
        for object in storage.get_all(&keys)?.into_iter().flatten() {
            let text = String::from_utf8_lossy(&object.bytes).into_owned();
            self.runs.extend(text.lines().flat_map(|line| line.split('/')).filter_map(RunId::of_folder));
        }
        Ok(())
    }
}
