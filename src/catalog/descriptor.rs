//! How Athena is told to read the files of each format.
//!
//! Source: the AWS pages on the SerDes that Athena supports (OpenCSVSerDe, Hive JSON SerDe, Parquet SerDe) and on Glue's
//! `StorageDescriptor`.

use super::table::{Column, SerDe, StorageDescriptor};
use crate::output::{Codec, CsvDialect, FileFormat, Kind};
use std::collections::BTreeMap;

const TEXT_INPUT: &str = "org.apache.hadoop.mapred.TextInputFormat";
const TEXT_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat";
/// The SerDe of CSV.
pub(super) const OPEN_CSV: &str = "org.apache.hadoop.hive.serde2.OpenCSVSerde";
/// The SerDe of JSON.
pub(super) const HCATALOG_JSON: &str = "org.apache.hive.hcatalog.data.JsonSerDe";
/// What escapes in CSV where a quote is doubled and nothing is escaped: a code that is no character, and stands in no text. (Left out, or a
/// quote, the SerDe takes a backslash.)
const NO_ESCAPE: &str = "\u{ffff}";
const PARQUET_INPUT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";
const PARQUET_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat";

/// The storage descriptor and the table parameters of files of `format` in the folder `location`.
pub fn describe(format: FileFormat, columns: Vec<Column>, location: &str) -> (StorageDescriptor, BTreeMap<String, String>) {
    let mut parameters = texts(&[("EXTERNAL", "TRUE"), ("classification", format.kind.name()), ("compressionType", format.codec.name())]);
    let (input, output, library, settings) = match format.kind {
        Kind::Parquet => {
            let library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";
            (PARQUET_INPUT, PARQUET_OUTPUT, library, texts(&[("serialization.format", "1")]))
        }
        Kind::Json => {
            let times = "yyyy-MM-dd HH:mm:ss.SSS,yyyy-MM-dd'T'HH:mm:ss.SSS'Z'";
            (TEXT_INPUT, TEXT_OUTPUT, HCATALOG_JSON, texts(&[("timestamp.formats", times)]))
        }
        Kind::Csv => {
            let library = OPEN_CSV;
            let escape = if format.dialect == CsvDialect::Athena { "\\" } else { NO_ESCAPE };
            parameters.extend(texts(&[
                ("skip.header.line.count", "1"),
                ("areColumnsQuoted", "true"),
                ("delimiter", ","),
                ("typeOfData", "file"),
            ]));
            (TEXT_INPUT, TEXT_OUTPUT, library, texts(&[("separatorChar", ","), ("quoteChar", "\""), ("escapeChar", escape)]))
        }
    };
    let storage = StorageDescriptor {
        columns,
        location: format!("{}/", location.trim_end_matches('/')),
        input_format: input.to_string(),
        output_format: output.to_string(),
        // Parquet compresses within its pages.
        compressed: format.kind != Kind::Parquet && format.codec != Codec::None,
        serde: SerDe { library: library.to_string(), parameters: settings },
    };
    (storage, parameters)
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}
