//! What readers' catalogs are told of a version of a table.
//!
//! A catalog knows one location of a table, or of a partition, and readers read all that lies there. Where the live files are all that one
//! run wrote to a folder, that folder is the location; where they lie in several, a list of them is. So readers see what the lake's own
//! readers see, and nothing of runs that are at work or were replaced.

use super::cast_view;
use super::entry::{Entry, Partition};
use super::files::live_files;
use super::lists::{self, FileList, KnownLists, SYMLINK_INPUT};
use super::reader_options::{CsvTypes, ReaderOptions};
use super::table::{Column, StorageDescriptor, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::input::partitions_in;
use crate::output::Kind;
use crate::storage::{Location, Storage};
use std::collections::BTreeMap;

/// The parameter that says which lake a table is of, by its address.
pub const LAKE: &str = "etl.lake";
/// The parameter that says which of its tables it is, as `database.table`.
pub const TABLE: &str = "etl.table";
/// The parameter that says which version of it, counted from 1.
pub const VERSION: &str = "etl.version";
/// The parameter of a table that says which pipeline makes it.
pub const PIPELINE: &str = "etl.pipeline";
const RUN: &str = "etl.run";

/// What is told of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub entry: Entry,
    /// Sorted by their values; none of a table whose partitions are projected.
    pub partitions: Vec<Partition>,
    /// What must be in the lake before anybody is told.
    pub lists: Vec<FileList>,
    /// The view beside it.
    pub view: Option<Entry>,
    /// The columns with the types that our own queries give them, without the partition keys.
    pub columns: Vec<Column>,
}

/// What a catalog is told of `table`, which it knows as `database.name`. Of lists that say the same as those in `known`, these are told.
///
/// # Errors
/// [`ErrorKind::Usage`] for a lake that is a folder, [`ErrorKind::Format`] where readers can't be told as the options say,
/// [`ErrorKind::Input`] where a manifest can't be read.
pub fn tell(storage: &Storage, table: &Table, database: &str, options: &ReaderOptions, known: &KnownLists) -> Result<Told> {
    if let Location::Folder(path) = storage.location() {
        let message = format!("the lake {} is a local folder, but readers of a catalog read from S3", path.display());
        return Err(Error::new(ErrorKind::Usage, message).with_context("what to do", "use a lake in a bucket: s3://bucket/prefix"));
    }
    let told = Telling { storage, table, options, known, folders: folders(storage, table, options)? };
    told.all(database)
}

/// The live files of a partition, or of all of a table that has none.
#[derive(Debug, Default)]
struct Folder {
    /// The keys of the folders that they lie in, each once.
    places: Vec<String>,
    files: Vec<String>,
}

fn folders(storage: &Storage, table: &Table, options: &ReaderOptions) -> Result<BTreeMap<String, Folder>> {
    let mut folders: BTreeMap<String, Folder> = BTreeMap::new();
    for segment in &table.segments {
        for partition in segment.partitions.keys() {
            let place = format!("{}/{partition}", segment.location.trim_end_matches('/'));
            folders.entry(partition.clone()).or_default().places.push(place.trim_end_matches('/').to_string());
        }
    }
    // Only lists name files, and manifests are as long as there are files.
    let projected = options.projection.is_some() && !table.partition_keys.is_empty();
    if folders.values().any(|folder| folder.places.len() > 1) || projected {
        for file in live_files(storage, table)? {
            folders.entry(file.partition).or_default().files.push(file.key);
        }
    }
    Ok(folders)
}

struct Telling<'a> {
    storage: &'a Storage,
    table: &'a Table,
    options: &'a ReaderOptions,
    known: &'a KnownLists,
    folders: BTreeMap<String, Folder>,
}

impl Telling<'_> {
    fn all(&self, database: &str) -> Result<Told> {
        let mut entry = self.entry(database);
        let columns = self.table.storage.columns.clone();
        let mut told = Told { entry: entry.clone(), partitions: Vec::new(), lists: Vec::new(), view: None, columns };
        if self.table.partition_keys.is_empty() {
            entry.storage = match self.folders.values().next() {
                // Not a row: the folder of the newest run, in which nothing is.
                None => self.plain(&entry.storage, self.table.storage.location.trim_end_matches('/')),
                Some(folder) => self.located(&entry.storage, folder, &mut told.lists),
            };
        } else {
            let values: Vec<Vec<String>> = self.folders.keys().map(|folder| self.values(folder)).collect::<Result<_>>()?;
            // Where there is no partition none is computed either.
            match self.options.projection.as_ref().filter(|_| !values.is_empty()) {
                Some(projection) => {
                    let (template, listed) = self.template(&mut told.lists)?;
                    if listed {
                        entry.storage.input_format = SYMLINK_INPUT.to_string();
                    }
                    let keys: Vec<(&str, &str)> =
                        self.table.partition_keys.iter().map(|key| (key.name.as_str(), key.data_type.as_str())).collect();
                    entry.parameters.extend(projection.parameters(&keys, &values, &template)?);
                }
                None => {
                    for (folder, values) in self.folders.values().zip(values) {
                        let storage = self.located(&entry.storage, folder, &mut told.lists);
                        let parameters = BTreeMap::new();
                        told.partitions.push(Partition { values, storage: without_comments(storage), parameters });
                    }
                    told.partitions.sort_by(|a, b| a.values.cmp(&b.values));
                }
            }
        }
        told.view = self.options.cast_view.as_ref().filter(|_| self.is_open_csv()).map(|name| cast_view::of(&entry, self.table, name));
        told.entry = entry;
        Ok(told)
    }

    fn is_open_csv(&self) -> bool {
        self.kind() == Kind::Csv
    }

    /// Of its files; what no SerDe of ours reads has columns as they are.
    fn kind(&self) -> Kind {
        self.table.storage.serde.kind().unwrap_or(Kind::Parquet)
    }

    /// The table, at the folder in which all its runs' folders lie.
    fn entry(&self, database: &str) -> Entry {
        let table = self.table;
        let mut storage = table.storage.clone();
        let mut parameters = table.parameters.clone();
        storage.columns = reader_columns(&storage.columns, self.kind(), self.options);
        if self.is_open_csv() && self.options.csv_types == CsvTypes::Native {
            parameters.insert("use.null.for.invalid.data".to_string(), "true".to_string());
        }
        let lake = self.storage.location().to_string();
        parameters.extend([
            (LAKE.to_string(), lake),
            (TABLE.to_string(), format!("{}.{}", table.database, table.name)),
            (PIPELINE.to_string(), table.origin.pipeline.clone()),
            (RUN.to_string(), table.origin.run.clone()),
            (VERSION.to_string(), table.version.to_string()),
        ]);
        storage.location = self.address(self.below("").trim_end_matches('/'));
        Entry {
            database: database.to_string(),
            name: table.name.clone(),
            description: table.description.clone(),
            table_type: table.table_type.clone(),
            storage,
            partition_keys: table.partition_keys.clone(),
            parameters,
            view: None,
        }
    }

    /// Where the rows of `folder` are.
    fn located(&self, base: &StorageDescriptor, folder: &Folder, lists: &mut Vec<FileList>) -> StorageDescriptor {
        if let [place] = folder.places.as_slice() {
            return self.plain(base, place);
        }
        let text = self.text(folder);
        let (place, is_there) = self.known.folder([text.as_str()]);
        let place = self.below(&place);
        if !is_there {
            lists.push(FileList { key: lists::key(&place), text });
        }
        StorageDescriptor { input_format: SYMLINK_INPUT.to_string(), ..self.plain(base, &place) }
    }

    fn plain(&self, base: &StorageDescriptor, place: &str) -> StorageDescriptor {
        StorageDescriptor { location: self.address(place), ..base.clone() }
    }

    /// Where the partitions of all values lie, and whether by lists: the folder of a run, if it has them all.
    fn template(&self, lists: &mut Vec<FileList>) -> Result<(String, bool)> {
        let keys: Vec<String> = self.table.partition_keys.iter().map(|key| format!("{0}=${{{0}}}", key.name)).collect();
        let keys = keys.join("/");
        for folder in self.folders.keys() {
            let plain: Vec<String> =
                self.table.partition_keys.iter().zip(self.values(folder)?).map(|(k, v)| format!("{}={v}", k.name)).collect();
            if plain.join("/") != *folder {
                let message =
                    format!("the partition `{folder}` of {}.{} can't be computed by readers", self.table.database, self.table.name);
                return Err(Error::new(ErrorKind::Format, message)
                    .with_context("why", "its value has characters that are escaped in the folder name, which they don't support")
                    .with_context("what to do", "leave out `partition_projection`, to register partitions one by one"));
            }
        }
        let roots: Vec<&str> = self
            .folders
            .iter()
            .flat_map(|(folder, found)| found.places.iter().filter_map(move |place| place.strip_suffix(folder.as_str())))
            .collect();
        let all = self.folders.values().map(|folder| folder.places.len()).sum::<usize>();
        if let Some(root) = roots.first().filter(|root| roots.len() == all && roots.iter().all(|other| other == *root)) {
            return Ok((self.address(&format!("{root}{keys}")), false));
        }
        let texts: Vec<String> = self.folders.iter().map(|(name, folder)| format!("{name}\n{}", self.text(folder))).collect();
        let (place, is_there) = self.known.folder(texts.iter().map(String::as_str));
        let place = self.below(&place);
        let list = |(name, folder): (&String, &Folder)| FileList { key: lists::key(&format!("{place}/{name}")), text: self.text(folder) };
        lists.extend(self.folders.iter().filter(|_| !is_there).map(list));
        Ok((self.address(&format!("{place}/{keys}")), true))
    }

    /// The list of the files of `folder`.
    fn text(&self, folder: &Folder) -> String {
        folder.files.iter().map(|key| format!("{}\n", self.storage.location().join(key))).collect()
    }

    /// The values of the partition keys that `folder` gives.
    fn values(&self, folder: &str) -> Result<Vec<String>> {
        let pairs = partitions_in(folder);
        let value = |key: &Column| {
            let found = pairs.iter().find(|(name, _)| *name == key.name).map(|(_, value)| value.clone());
            found.ok_or_else(|| Error::new(ErrorKind::Input, format!("the folder `{folder}` has no value for {}", key.name)))
        };
        self.table.partition_keys.iter().map(value).collect()
    }

    /// The key of what lies below the folder of the table.
    fn below(&self, folder: &str) -> String {
        format!("{}/{}/{folder}", self.table.database, self.table.name)
    }

    /// `s3://bucket/…/`
    fn address(&self, key: &str) -> String {
        format!("{}/", self.storage.location().join(key))
    }
}

/// The columns of files as readers are told them: of text formats, which have no values of some types, others than the lake's own.
pub fn reader_columns(columns: &[Column], kind: Kind, options: &ReaderOptions) -> Vec<Column> {
    let told = |data_type: &str| match kind {
        Kind::Csv if options.csv_types == CsvTypes::Native && is_read_by_csv(data_type) => data_type.to_string(),
        Kind::Csv => "string".to_string(),
        Kind::Json => without_binary(data_type),
        Kind::Tsv | Kind::Parquet => data_type.to_string(),
    };
    columns.iter().map(|column| Column { data_type: told(&column.data_type), ..column.clone() }).collect()
}

/// `data_type`, with texts for bytes: JSON has them in hexadecimal digits, which readers would take for the bytes.
fn without_binary(data_type: &str) -> String {
    const BINARY: &str = "binary";
    let mut told = String::with_capacity(data_type.len());
    let mut rest = data_type;
    while let Some(at) = rest.find(BINARY) {
        let (before, after) = (&rest[..at], &rest[at + BINARY.len()..]);
        told.push_str(before);
        // Not the name of a field, behind which a colon stands.
        let is_type = told.chars().last().is_none_or(|last| "<:,".contains(last)) && (after.is_empty() || after.starts_with([',', '>']));
        told.push_str(if is_type { "string" } else { BINARY });
        rest = after;
    }
    told + rest
}

/// Whether OpenCSVSerde reads what we write of the type: it wants days since 1970 for dates, and milliseconds for times.
fn is_read_by_csv(data_type: &str) -> bool {
    ["int", "bigint", "double", "boolean", "tinyint", "smallint", "float"].contains(&data_type)
}

/// Comments are the table's: who writes one there need not write it to each partition.
fn without_comments(mut storage: StorageDescriptor) -> StorageDescriptor {
    storage.columns.iter_mut().for_each(|column| column.comment = None);
    storage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_in_json_are_told_as_texts() {
        for (lake, told) in [
            ("binary", "string"),
            ("struct<binary:binary,a:array<binary>,m:map<string,binary>>", "struct<binary:string,a:array<string>,m:map<string,string>>"),
            ("struct<my_binary:int,binary_2:int>", "struct<my_binary:int,binary_2:int>"),
            ("bigint", "bigint"),
        ] {
            assert_eq!(without_binary(lake), told);
        }
    }
}
