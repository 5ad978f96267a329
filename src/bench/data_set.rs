//! The forms in which the same rows are kept.

use crate::error::Result;
use crate::input::{FormatChoice, TableOptions};
use crate::output::{FileFormat, Kind};
use crate::tabular::CsvDialect;
use arrow::datatypes::Schema;
use serde::Serialize;
use std::sync::Arc;

/// A kind of file and how it is compressed; one that there isn't (JSON compressed by zstd) keeps the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Form {
    pub format: Kind,
    /// As on the command line: `none`, `gzip`, `snappy`, `zstd`.
    pub compression: String,
}

impl Form {
    /// `CSV`, `JSON gzip`, `Parquet zstd`.
    pub fn title(&self) -> String {
        let kind = match self.format {
            Kind::Csv => "CSV",
            Kind::Tsv => "TSV",
            Kind::Json => "JSON",
            Kind::Parquet => "Parquet",
        };
        match self.compression.as_str() {
            "none" => kind.to_string(),
            codec => format!("{kind} {codec}"),
        }
    }

    /// Whether files can be written so.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Usage`] with what the kind can have.
    pub fn check(&self) -> Result<()> {
        FileFormat::new(self.format, Some(&self.compression), None, CsvDialect::default()).map(drop)
    }
}

/// The rows in one form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataSet {
    #[serde(flatten)]
    pub form: Form,
    /// How many files; in each partition, where there are some.
    pub splits: u64,
    /// The columns that are folders.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partition_by: Vec<String>,
}

impl DataSet {
    /// A name for folders and tables: `csv_gzip_100`, `parquet_zstd_1_by_dt`.
    pub fn name(&self) -> String {
        let by = if self.partition_by.is_empty() { String::new() } else { format!("_by_{}", self.partition_by.join("_")) };
        let name = format!("{}_{}_{}{by}", self.form.format.name(), self.form.compression, self.splits);
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
    }

    /// How its files are read: text doesn't tell the columns of the rows, which are those of `schema`; CSV is escaped as `dialect` says.
    pub(super) fn reading(&self, schema: &Schema, dialect: CsvDialect) -> TableOptions {
        // What is a folder is no column of the files.
        let own = schema.fields().iter().filter(|field| !self.partition_by.contains(field.name()));
        let own = || Arc::new(Schema::new(own.cloned().collect::<Vec<_>>()));
        let of = |format| TableOptions { format, ..TableOptions::default() };
        match self.form.format {
            Kind::Csv => TableOptions { delimiter: Some(b','), dialect, schema: Some(own()), ..of(FormatChoice::Csv) },
            Kind::Tsv => TableOptions { schema: Some(own()), ..of(FormatChoice::Tsv) },
            Kind::Json => TableOptions { schema: Some(own()), ..of(FormatChoice::Json) },
            Kind::Parquet => of(FormatChoice::Parquet),
        }
    }

    /// As people call it: `CSV gzip in 100 files`.
    pub fn title(&self) -> String {
        let files = if self.splits == 1 { "1 file".to_string() } else { format!("{} files", crate::units::count(self.splits)) };
        match self.partition_by.is_empty() {
            true => format!("{} in {files}", self.form.title()),
            false => format!("{} by {}, {files} each", self.form.title(), self.partition_by.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_of_folders_and_tables() {
        let form = Form { format: Kind::Parquet, compression: "zstd".into() };
        let set = DataSet { form, splits: 1, partition_by: vec!["dt".into(), "Shop/Id".into()] };
        assert_eq!(set.name(), "parquet_zstd_1_by_dt_shop_id");
        assert_eq!(set.title(), "Parquet zstd by dt, Shop/Id, 1 file each");
        let form = Form { format: Kind::Json, compression: "zstd".into() };
        assert!(form.check().unwrap_err().to_string().contains("json can't be compressed with zstd"));
    }
}
