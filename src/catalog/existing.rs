//! Files that are there already, as a catalog is told of them: a table that no pipeline made, and whose files nobody of us changes.

use super::descriptor::{describe, describe_log};
use super::entry::{EXTERNAL_TABLE, Entry, Partition};
use super::merge::as_told;
use super::projection::Projection;
use super::reader_options::ReaderOptions;
use super::table::{Column, KEYS, REGISTERED, StorageDescriptor};
use super::time_units::TimeUnits;
use super::told::{Told, reader_columns};
use crate::error::{Error, ErrorKind, Result};
use crate::input::{RowSyntax, TableFormat};
use crate::output::{Codec, CsvDialect, FileFormat, Kind, Timestamps};
use crate::schema::field_names;
use arrow::datatypes::Field;
use std::collections::{BTreeMap, BTreeSet};

/// What was found of the files.
#[derive(Debug)]
pub struct Existing<'a> {
    pub database: &'a str,
    pub name: &'a str,
    /// The folder that they lie in, with a slash at its end: `s3://bucket/…/`.
    pub address: &'a str,
    pub format: &'a TableFormat,
    /// By which all are compressed; `none` where some are not.
    pub compression: &'a str,
    /// The names in folders such as `dt=2020-02-29`.
    pub keys: &'a [String],
    /// Those folders, below the address, with their values.
    pub folders: &'a BTreeMap<String, Vec<String>>,
    /// Partitions are computed by readers.
    pub projected: bool,
}

impl Existing<'_> {
    /// What a catalog is told of them.
    ///
    /// # Errors
    /// [`ErrorKind::Format`] for columns that Athena can't have, JSON that is read as an access log, and partitions that can't be computed.
    pub fn tell(&self) -> Result<Told> {
        let mut parameters = BTreeMap::new();
        let schema = self.format.schema();
        let columns = schema.fields().iter().map(|field| column(field)).collect::<Result<Vec<_>>>()?;
        if matches!(self.format, TableFormat::Log { formats, .. } if formats.all().iter().any(|format| format.is_keyed())) {
            let message = "lines of JSON can't be registered as an access log: readers name the columns of such a table by the keys";
            return Err(Error::new(ErrorKind::Format, message)
                .with_context("what to do", "register them with --from json; a view can give the columns other names"));
        }
        let (mut storage, described) = self.described(&columns);
        parameters.extend(described);
        parameters.insert("compressionType".to_string(), self.compression.to_string());
        parameters.insert(REGISTERED.to_string(), self.address.to_string());
        if !matches!(self.format, TableFormat::Log { .. }) {
            TimeUnits::of(schema.fields().iter().map(AsRef::as_ref)).tell(&mut parameters);
        }
        if matches!(self.format, TableFormat::Json { .. }) {
            // Readers don't mind how keys are written, and our own queries do.
            let keys = field_names(schema.fields());
            if keys.iter().any(|key| *key != key.to_lowercase()) {
                parameters.insert(KEYS.to_string(), serde_json::json!(keys).to_string());
            }
        }
        storage.location = self.address.to_string();
        storage.compressed = !matches!(self.format, TableFormat::Parquet { .. }) && self.compression != "none";
        let partition_keys: Vec<Column> = self.keys.iter().map(|key| text_column(key)).collect();
        self.alike(&storage.columns, &partition_keys)?;
        let mut told = Told {
            entry: Entry {
                database: self.database.to_string(),
                name: self.name.to_string(),
                description: None,
                table_type: EXTERNAL_TABLE.to_string(),
                storage,
                partition_keys,
                parameters,
                view: None,
            },
            partitions: Vec::new(),
            lists: Vec::new(),
            view: None,
            columns,
        };
        match self.projected && !self.keys.is_empty() {
            true => told.entry.parameters.extend(self.projection()?),
            false => told.partitions = self.partitions(&told.entry.storage),
        }
        Ok(told)
    }

    /// How readers read the files.
    fn described(&self, columns: &[Column]) -> (StorageDescriptor, BTreeMap<String, String>) {
        let plain = |kind, dialect| FileFormat { kind, codec: Codec::None, dialect, timestamps: Timestamps::default() };
        match self.format {
            TableFormat::Log { formats, .. } => describe_log(&formats.all()[0], self.address),
            TableFormat::Json { .. } => describe(plain(Kind::Json, CsvDialect::default()), columns.to_vec(), self.address),
            // Never found by looking at files: it is what a catalog says of them.
            TableFormat::Parquet { .. } | TableFormat::Hive(_) => {
                describe(plain(Kind::Parquet, CsvDialect::default()), columns.to_vec(), self.address)
            }
            TableFormat::Rows { syntax: RowSyntax::Tsv { header }, .. } => {
                let (storage, mut parameters) = describe(plain(Kind::Tsv, CsvDialect::default()), columns.to_vec(), self.address);
                if !header {
                    parameters.remove("skip.header.line.count");
                }
                (storage, parameters)
            }
            TableFormat::Rows { syntax: RowSyntax::Csv(options), .. } => {
                let columns = reader_columns(columns, Kind::Csv, &ReaderOptions::default());
                let (mut storage, mut parameters) = describe(plain(Kind::Csv, options.dialect), columns, self.address);
                let delimiter = char::from(options.delimiter).to_string();
                storage.serde.parameters.insert("separatorChar".to_string(), delimiter.clone());
                parameters.insert("delimiter".to_string(), delimiter);
                if !options.header {
                    parameters.remove("skip.header.line.count");
                }
                (storage, parameters)
            }
        }
    }

    /// The partitions as they lie, sorted by their values.
    pub fn partitions(&self, table: &StorageDescriptor) -> Vec<Partition> {
        let partition = |(folder, values): (&String, &Vec<String>)| {
            let mut storage = StorageDescriptor { location: format!("{}{folder}/", self.address), ..table.clone() };
            storage.columns.iter_mut().for_each(|column| column.comment = None);
            Partition { values: values.clone(), storage, parameters: BTreeMap::from([(REGISTERED.to_string(), "true".to_string())]) }
        };
        let mut partitions: Vec<Partition> = self.folders.iter().filter(|(folder, _)| !folder.is_empty()).map(partition).collect();
        partitions.sort_by(|a, b| a.values.cmp(&b.values));
        partitions
    }

    /// How readers compute the partitions.
    fn projection(&self) -> Result<BTreeMap<String, String>> {
        for (folder, values) in self.folders {
            let plain: Vec<String> = self.keys.iter().zip(values).map(|(key, value)| format!("{key}={value}")).collect();
            if plain.join("/") != *folder {
                let error = Error::new(ErrorKind::Format, format!("the partition `{folder}` can't be computed by readers"));
                return Err(error
                    .with_context("why", "its name has upper-case or escaped characters, which they don't support")
                    .with_context("what to do", "leave out `--partitions projected`, to register partitions one by one"));
            }
        }
        let template: Vec<String> = self.keys.iter().map(|key| format!("{key}=${{{key}}}")).collect();
        let keys: Vec<(&str, &str)> = self.keys.iter().map(|key| (key.as_str(), "string")).collect();
        let values: Vec<Vec<String>> = self.folders.values().cloned().collect();
        let template = format!("{}{}/", self.address, template.join("/"));
        Projection::default().parameters(&keys, &values, &template).map_err(|error| error.with_context("table", self.name))
    }

    /// Refuses what is two columns here and one for readers.
    fn alike(&self, columns: &[Column], keys: &[Column]) -> Result<()> {
        let mut seen = BTreeSet::new();
        match columns.iter().chain(keys).find(|column| !seen.insert(&column.name)) {
            None => Ok(()),
            Some(twice) => {
                let message = format!("{} would have two columns `{}`: names in a catalog are in lower case", self.name, twice.name);
                Err(Error::new(ErrorKind::Format, message)
                    .with_context("what to do", "convert the files with one of them renamed, or leave one of them out: `etl convert`"))
            }
        }
    }
}

/// What a catalog is told that knows the files already, as `known`: which partitions there are now. All else stays as it is.
#[must_use]
pub fn told_again(told: Told, known: &Entry) -> Told {
    let mut entry = as_told(known);
    if told.entry.is_projected() {
        let is_projection = |key: &str| key.starts_with("projection.") || key == "storage.location.template";
        entry.parameters.retain(|key, _| !is_projection(key));
        entry.parameters.extend(told.entry.parameters.into_iter().filter(|(key, _)| is_projection(key)));
    }
    let partitions = told.partitions.into_iter().map(|partition| {
        let mut storage = StorageDescriptor { location: partition.storage.location, ..entry.storage.clone() };
        storage.columns.iter_mut().for_each(|column| column.comment = None);
        Partition { storage, ..partition }
    });
    Told { partitions: partitions.collect(), entry, lists: told.lists, view: told.view, columns: told.columns }
}

fn column(field: &Field) -> Result<Column> {
    Column::of(field.name(), field.data_type(), None).map_err(|error| error.with_context("column", field.name()))
}

fn text_column(name: &str) -> Column {
    Column { name: name.to_string(), data_type: "string".to_string(), comment: None }
}
