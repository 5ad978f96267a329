//! What reads and writes the rows of a file, by the name that Hive has for it.

use crate::output::Kind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(super) const PARQUET: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";
pub(super) const JSON: &str = "org.apache.hive.hcatalog.data.JsonSerDe";
pub(super) const CSV: &str = "org.apache.hadoop.hive.serde2.OpenCSVSerde";
pub(super) const TEXT: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";

/// What makes TSV of lines of text: [`TEXT`] knows many other forms of them.
pub(super) const TSV: [(&str, &str); 4] =
    [("field.delim", "\t"), ("serialization.format", "\t"), ("escape.delim", "\\"), ("serialization.null.format", "\\N")];

/// What reads and writes the rows of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SerDe {
    pub library: String,
    pub parameters: BTreeMap<String, String>,
}

impl SerDe {
    /// The kind of its files; nothing where they are none of those that are written here.
    pub fn kind(&self) -> Option<Kind> {
        match self.library.as_str() {
            PARQUET => Some(Kind::Parquet),
            JSON => Some(Kind::Json),
            CSV => Some(Kind::Csv),
            TEXT if TSV.iter().all(|(key, value)| self.parameters.get(*key).is_some_and(|found| found == value)) => Some(Kind::Tsv),
            _ => None,
        }
    }
}
