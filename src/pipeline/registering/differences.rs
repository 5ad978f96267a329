//! What Glue has of lakes' tables differs from what was registered.

use crate::aws::AwsSettings;
use crate::catalog::{Catalog, Difference, GlueCatalog, KnownLists, LAKE, LocalCatalog, Registration, TABLE, Told, VIRTUAL_VIEW, tell};
use crate::error::{Error, Result};
use crate::storage::{Location, Storage};
use serde::Serialize;
use std::collections::BTreeMap;

/// A table of a lake, compared with what a catalog has of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReaderDifference {
    /// How the catalog is called.
    pub catalog: String,
    /// `database.table`, as the catalog knows it.
    pub table: String,
    /// The lake's address.
    pub lake: String,
    /// The version that the catalog was told last; nothing where it knows no such table.
    pub version: Option<u64>,
    /// The lake's version; nothing where the lake no longer has this table.
    pub lake_version: Option<u64>,
    /// The catalog was told an earlier version than the lake has, or none to its end.
    pub behind: bool,
    /// What would change, a line each: `there -> wanted`.
    pub lines: Vec<String>,
}

impl ReaderDifference {
    /// Whether the catalog is as it would be told.
    pub fn is_none(&self) -> bool {
        !self.behind && self.lines.is_empty()
    }
}

/// Compares all tables of the lake in `storage` with the catalogs that were told of them; or that which is called `only` there or here.
///
/// # Errors
/// Where the lake or a catalog can't be read.
pub fn differences_of(storage: &Storage, only: Option<(&str, &str)>) -> Result<Vec<ReaderDifference>> {
    let mut found = Vec::new();
    for registration in Registration::all(storage)? {
        let names = [(registration.database.as_str(), registration.table.as_str()), (&registration.reader_database(), &registration.table)];
        if only.is_none_or(|only| names.contains(&only)) {
            let glue = GlueCatalog::connect(&registration.glue, &AwsSettings::of_command_line())?;
            found.push(compare(storage, &registration, &glue)?);
        }
    }
    Ok(found)
}

/// Compares all tables of `glue` that say of which lake they are with those lakes; or only the one.
///
/// # Errors
/// Where the catalog or a lake can't be read.
pub fn differences_in(glue: &GlueCatalog, only: Option<(&str, &str)>) -> Result<Vec<ReaderDifference>> {
    let entries = match only {
        Some((database, name)) => glue.table(database, name)?.into_iter().collect(),
        None => glue.databases()?.iter().map(|database| glue.tables(database)).collect::<Result<Vec<_>>>()?.concat(),
    };
    // Lakes are opened once, and asked once what was told of them. One that is gone, or not ours to read, hides nothing of the others.
    let mut lakes: BTreeMap<String, std::result::Result<(Storage, Vec<Registration>), String>> = BTreeMap::new();
    let mut found = Vec::new();
    for entry in entries.iter().filter(|entry| entry.table_type != VIRTUAL_VIEW) {
        let (Some(lake), Some(table)) = (entry.parameters.get(LAKE), entry.parameters.get(TABLE)) else { continue };
        let is_told = |one: &&Registration| {
            format!("{}.{}", one.database, one.table) == *table && one.reader_database() == entry.database && one.table == entry.name
        };
        let open = || {
            let storage = Storage::open(Location::parse(lake)?)?;
            Ok((storage.clone(), Registration::all(&storage)?))
        };
        let opened = lakes.entry(lake.clone()).or_insert_with(|| open().map_err(|error: Error| error.to_string().replace('\n', ";")));
        let line = match opened {
            Err(error) => format!("the lake can't be read: {error}"),
            Ok((storage, registrations)) => match registrations.iter().find(is_told) {
                Some(registration) => {
                    found.push(compare(storage, registration, glue)?);
                    continue;
                }
                None => "the lake doesn't know that it is registered in this catalog".to_string(),
            },
        };
        found.push(ReaderDifference {
            catalog: glue.name(),
            table: entry.full_name(),
            lake: lake.clone(),
            version: None,
            lake_version: None,
            behind: false,
            lines: vec![line],
        });
    }
    Ok(found)
}

fn compare(storage: &Storage, registration: &Registration, glue: &GlueCatalog) -> Result<ReaderDifference> {
    let database = registration.reader_database();
    let there = glue.look(&database, &registration.table)?;
    let mut found = ReaderDifference {
        catalog: glue.name(),
        table: format!("{database}.{}", registration.table),
        lake: storage.location().to_string(),
        version: None,
        lake_version: None,
        behind: false,
        lines: Vec::new(),
    };
    let local = LocalCatalog::new(storage.clone());
    let Some(reference) = local.snapshot()?.head.table(&registration.database, &registration.table).cloned() else {
        found.lines.extend(there.entry.map(|_| "the lake no longer has this table".to_string()));
        return Ok(found);
    };
    found.lake_version = Some(reference.version);
    let told = tell(storage, &local.table(&reference)?, &database, &registration.options, &KnownLists::of(&there))?;
    let difference = Difference::of(&told, &there);
    found.version = difference.version;
    found.behind = difference.is_behind();
    found.lines = match difference.owner {
        Some(owner) => vec![format!("the existing table is {owner}")],
        None => difference.lines,
    };
    if let Some(view) = told.view {
        let there = glue.look(&view.database, &view.name)?;
        let name = view.full_name();
        let told = Told { entry: view, partitions: Vec::new(), lists: Vec::new(), view: None, columns: Vec::new() };
        let difference = Difference::of(&told, &there);
        let missing = there.entry.is_none().then(|| "none there".to_string());
        found.lines.extend(missing.into_iter().chain(difference.lines).map(|line| format!("view {name}: {line}")));
    }
    Ok(found)
}
