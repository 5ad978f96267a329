//! A version of a table: what Glue keeps of one, and which runs its rows come from.

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::head::TableRef;
use super::serde::SerDe;
use super::time_units::TimeUnits;
use crate::error::{Error, ErrorKind, Result};
use crate::output::Kind;
use crate::schema::types::{arrow_type, athena_type};

/// The parameter of a table over files that were there already: where they lie.
pub const REGISTERED: &str = "etl.registered";
/// The parameter of a table over raw logs: the LogFormat by which our own queries read them.
pub const LOG_FORMAT: &str = "etl.log_format";

/// The parameter of a table over JSON: the keys as they are written, where some have capitals, an object's before those within it.
pub const KEYS: &str = "etl.keys";

/// A table as of one version. It never changes once it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Of this format; 1.
    pub format: u32,
    pub database: String,
    pub name: String,
    /// Counts from 1.
    pub version: u64,
    pub description: Option<String>,
    pub table_type: String,
    pub parameters: BTreeMap<String, String>,
    pub storage: StorageDescriptor,
    pub partition_keys: Vec<Column>,
    /// LF-Tags of the table, and of its columns.
    pub tags: BTreeMap<String, String>,
    pub column_tags: BTreeMap<String, BTreeMap<String, String>>,
    /// Who may do what, as Lake Formation grants it.
    pub grants: Vec<serde_json::Value>,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub origin: Origin,
    /// The runs whose files hold the rows.
    pub segments: Vec<Segment>,
    /// Of all segments.
    pub files: u64,
    pub rows: u64,
    pub bytes: u64,
    /// Earlier versions, the oldest first, as far as they are kept.
    pub history: Vec<PastVersion>,
    /// SHA-256 of all the rest: tells whether somebody edited it.
    #[serde(default)]
    pub digest: String,
}

/// Where and how files are stored, as Glue's `StorageDescriptor` has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StorageDescriptor {
    /// Without the partition keys.
    pub columns: Vec<Column>,
    /// The key of the folder of the newest run's files, with a slash at its end.
    pub location: String,
    pub input_format: String,
    pub output_format: String,
    pub compressed: bool,
    pub serde: SerDe,
}

/// A column, with the name that Athena has for its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// What made a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub pipeline: String,
    pub output: String,
    pub run: String,
    /// SHA-256 of all that the pipeline says of this output.
    pub definition: String,
    /// SHA-256 of what must be the same for rows of two runs to be in one table.
    pub shape: String,
    /// The run whose version this one is again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_to: Option<String>,
}

/// The files of one run that hold rows of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    pub run: String,
    /// The key of the list of its files.
    pub manifest: String,
    /// The key of their folder.
    pub location: String,
    /// The partitions of it that are to be read, by folder; `""` where the table has none. Others were replaced by later runs.
    pub partitions: BTreeMap<String, PartitionSize>,
}

/// How much a partition of a segment holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionSize {
    pub files: u64,
    pub rows: u64,
    pub bytes: u64,
}

/// A version that was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastVersion {
    pub version: u64,
    pub object: String,
    pub run: String,
    pub updated: DateTime<Utc>,
    pub rows: u64,
}

impl PastVersion {
    /// The version at `reference`, of so many rows, as those behind it remember it.
    pub fn of(reference: &TableRef, rows: u64) -> PastVersion {
        PastVersion {
            version: reference.version,
            object: reference.object.clone(),
            run: reference.run.clone(),
            updated: reference.updated,
            rows,
        }
    }
}

impl Table {
    /// Counts what the segments hold.
    pub fn count(&mut self) {
        let sizes = || self.segments.iter().flat_map(|segment| segment.partitions.values());
        (self.files, self.rows, self.bytes) = sizes().fold((0, 0, 0), |(f, r, b), size| (f + size.files, r + size.rows, b + size.bytes));
    }

    /// The digest that this version should have.
    pub fn expected_digest(&self) -> String {
        let plain = Table { digest: String::new(), ..self.clone() };
        // Maps are sorted, so that the same table always gives the same text.
        let text = serde_json::to_vec(&plain).unwrap_or_default();
        hex::encode(Sha256::digest(&text))
    }

    /// The columns of the files, in Arrow's types: times in the units of the files.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] where somebody wrote a type, or a unit, that is none.
    pub fn file_schema(&self) -> Result<SchemaRef> {
        Ok(Arc::new(Schema::new(self.fields(&self.storage.columns)?)))
    }

    /// The partition keys, in Arrow's types.
    ///
    /// # Errors
    /// As [`Table::file_schema`].
    pub fn partition_fields(&self) -> Result<Vec<Field>> {
        self.fields(&self.partition_keys)
    }

    fn fields(&self, columns: &[Column]) -> Result<Vec<Field>> {
        let told = TimeUnits::told(&self.parameters);
        let units = told.map_err(|e| e.with_context("table", format!("{}.{}", self.database, self.name)))?;
        columns.iter().map(|column| self.field(column, &units)).collect()
    }

    fn field(&self, column: &Column, units: &TimeUnits) -> Result<Field> {
        let data_type = arrow_type(&column.data_type).map_err(|fault| {
            let message = format!("column {} of {}.{} has the type `{}`", column.name, self.database, self.name, column.data_type);
            Error::new(ErrorKind::Input, message).with_context("wrong", fault.message)
        })?;
        Ok(Field::new(&column.name, units.apply(&column.name, data_type), true))
    }

    /// Where its files lie, if they were there already and no run made them.
    pub fn registered(&self) -> Option<&str> {
        self.parameters.get(REGISTERED).map(String::as_str)
    }

    /// What reports call the kind of the files: `parquet`, `csv`, `tsv` or `json`; of those that no run made also `log`. What Glue calls it is
    /// no help, as that is `csv` for both.
    pub fn kind_name(&self) -> &'static str {
        let log = if self.parameters.contains_key(LOG_FORMAT) { "log" } else { "unknown" };
        self.storage.serde.kind().map_or(log, Kind::name)
    }
}

impl Column {
    /// The column of a field.
    ///
    /// # Errors
    /// Where Athena has no such type.
    pub fn of(name: &str, data_type: &DataType, comment: Option<String>) -> Result<Column> {
        Ok(Column { name: name.to_lowercase(), data_type: athena_type(data_type)?, comment })
    }
}
