//! Paths that lead into a lake. A table's folder holds the files of earlier versions, too, until a vacuum removes them: read as any folder it
//! gives rows more than once.

use super::files::{live_files, source_of};
use super::local::{LocalCatalog, Snapshot};
use crate::error::{Error, ErrorKind, Result};
use crate::input::{Inputs, Place, Source, resolve_each};
use crate::publish::RunId;
use crate::storage::{Location, Storage, StoreSettings};
use std::collections::BTreeSet;
use std::path::Path;

/// The files that `arguments` name, as of [`crate::input::resolve`]; those of a table of a lake, where its folder is named, are the ones of its
/// current version.
///
/// # Errors
/// As those of [`crate::input::resolve`]; [`ErrorKind::Usage`] for a folder or glob that has files of a lake's runs and is not a table's folder.
pub fn resolve(arguments: &[String]) -> Result<Inputs> {
    let settings = StoreSettings::default();
    let mut notes = Vec::new();
    let mut inputs = resolve_each(arguments, &settings, |argument, found| {
        let (sources, note) = current_files(argument, found, &settings)?;
        notes.extend(note);
        Ok(sources)
    })?;
    inputs.notes.extend(notes);
    Ok(inputs)
}

/// What is read where `argument` named the files `found`, and what the user should know of that.
///
/// # Errors
/// As those of [`resolve`].
pub fn current_files(argument: &str, found: Vec<Source>, settings: &StoreSettings) -> Result<(Vec<Source>, Option<String>)> {
    match InLake::find(argument, &found, settings)? {
        Some(place) => place.current(argument).map(|(sources, note)| (sources, Some(note))),
        None => Ok((found, None)),
    }
}

/// Refuses an argument that named the files `found`, where runs of a lake made them.
///
/// # Errors
/// [`ErrorKind::Usage`] with the lake and the table.
pub fn refuse_files_of_lakes(argument: &str, found: &[Source], settings: &StoreSettings) -> Result<()> {
    match InLake::find(argument, found, settings)? {
        Some(place) => Err(place.refused(argument)),
        None => Ok(()),
    }
}

/// A file of a lake's run that an argument named among others.
struct InLake {
    storage: Storage,
    catalog: LocalCatalog,
    snapshot: Snapshot,
    database: String,
    table: String,
    /// The argument is the folder of the table.
    is_table: bool,
}

/// The folder of a run in a path: what is above it.
#[derive(Clone, Copy)]
struct OfRun<'a> {
    lake: &'a str,
    database: &'a str,
    table: &'a str,
}

impl<'a> OfRun<'a> {
    /// Of `…/DATABASE/TABLE/RUN/…`; told from the path alone, so that of all other files nothing is asked.
    fn of(path: &'a str) -> Option<OfRun<'a>> {
        let mut end = 0;
        for part in path.split('/') {
            if RunId::of_folder(part).is_some() {
                let above = path[..end].strip_suffix('/')?;
                let (above, table) = above.rsplit_once('/')?;
                let (lake, database) = above.rsplit_once('/').unwrap_or((".", above));
                return Some(OfRun { lake: if lake.is_empty() { "/" } else { lake }, database, table });
            }
            end += part.len() + 1;
        }
        None
    }
}

impl InLake {
    /// The first of `found` that a run of a lake made; nothing where `argument` is the name of that one file.
    fn find(argument: &str, found: &[Source], settings: &StoreSettings) -> Result<Option<InLake>> {
        let mut looked_at = BTreeSet::new();
        for source in found {
            let has_run = source.path.split('/').any(|part| RunId::of_folder(part).is_some());
            let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            if !has_run || !looked_at.insert(folder) || is_one_file(argument, source) {
                continue;
            }
            // Names may lead there by links, or from within the lake.
            let real = match &source.place {
                Place::File(file) => std::fs::canonicalize(file.path()).ok().map(|path| path.to_string_lossy().into_owned()),
                Place::Object(_) => Some(source.path.clone()),
                Place::Stream(_) => None,
            };
            let Some(run) = real.as_deref().and_then(OfRun::of) else { continue };
            let lake = match OfRun::of(&source.path) {
                // As the user calls it, where that is the same.
                Some(named) if leads_to(named.lake, run.lake) => named.lake,
                _ => run.lake,
            };
            let storage = Storage::open_with(Location::parse(lake)?, settings)?;
            let catalog = LocalCatalog::new(storage.clone());
            let snapshot = catalog.snapshot()?;
            if snapshot.is_empty() {
                continue;
            }
            let folder = format!("{}/{}/{}", run.lake, run.database, run.table);
            let is_table = argument.trim_end_matches('/') == folder || leads_to(argument, &folder);
            let (database, table) = (run.database.to_string(), run.table.to_string());
            return Ok(Some(InLake { storage, catalog, snapshot, database, table, is_table }));
        }
        Ok(None)
    }

    /// The files of the table's current version, and what the user should know of that.
    fn current(self, argument: &str) -> Result<(Vec<Source>, String)> {
        let reference = self.snapshot.head.table(&self.database, &self.table).filter(|_| self.is_table);
        let Some(reference) = reference else { return Err(self.refused(argument)) };
        let table = self.catalog.table(reference)?;
        let files = live_files(&self.storage, &table)?;
        if files.is_empty() {
            return Err(self.refused(argument));
        }
        let sources = files.iter().map(|file| source_of(&self.storage, file)).collect::<Result<_>>()?;
        let lake = self.storage.location();
        Ok((
            sources,
            format!("{argument} is the table {}.{} of the lake {lake}: version {} is read", self.database, self.table, table.version),
        ))
    }

    fn refused(&self, argument: &str) -> Error {
        let (lake, name) = (self.storage.location(), format!("{}.{}", self.database, self.table));
        let message = format!(
            "{argument} contains files of the lake {lake}, including earlier versions of its tables: rows would be counted more than once"
        );
        let what = match self.snapshot.head.table(&self.database, &self.table) {
            Some(_) => format!(
                "name the table: `etl query --lake {lake} \"FROM {name}\"`, or its folder {}, of which the current version is read; a single file can be named, too",
                lake.join(&format!("{}/{}", self.database, self.table))
            ),
            None => {
                let tables: Vec<String> = self.snapshot.head.tables().map(|(database, name, _)| format!("{database}.{name}")).collect();
                let tables = if tables.is_empty() { "it has none now".to_string() } else { tables.join(", ") };
                format!(
                    "name one of its tables ({tables}), as in `etl query --lake {lake} \"FROM DATABASE.TABLE\"`; a single file can be named, too"
                )
            }
        };
        Error::new(ErrorKind::Usage, message).with_context("what to do", what)
    }
}

/// Whether `argument` is the name of the file `source` itself.
fn is_one_file(argument: &str, source: &Source) -> bool {
    match &source.place {
        Place::File(_) => match Location::parse(argument) {
            Ok(Location::Folder(path)) => path.is_file(),
            _ => false,
        },
        _ => argument == source.path || Location::parse(argument).is_ok_and(|location| location.to_string() == source.path),
    }
}

/// Whether the folder `name` is the one at `real`, a path without links.
fn leads_to(name: &str, real: &str) -> bool {
    let path = match Location::parse(name) {
        Ok(Location::Folder(path)) => path,
        Ok(bucket) => return bucket.to_string() == real,
        Err(_) => return false,
    };
    std::fs::canonicalize(path).is_ok_and(|path| path == Path::new(real))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_run_is_told_by_its_name() {
        let parts = |path: &str| OfRun::of(path).map(|run| [run.lake, run.database, run.table].join(" "));
        let run = "20200301T030000000Z-7f3a9c01";
        assert_eq!(parts(&format!("a/lake/web/access/{run}/dt=1/part-0.parquet")).unwrap(), "a/lake web access");
        assert_eq!(parts(&format!("s3://bucket/web/access/{run}-2/part-0.parquet")).unwrap(), "s3://bucket web access");
        assert_eq!(parts(&format!("web/access/{run}/part-0.parquet")).unwrap(), ". web access");
        assert_eq!(parts(&format!("/web/access/{run}/part-0.parquet")).unwrap(), "/ web access");
        assert_eq!(parts(&format!("access/{run}/part-0.parquet")), None);
        assert_eq!(parts("web/access/part-0.parquet"), None);
    }
}
