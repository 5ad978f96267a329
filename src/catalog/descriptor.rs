//! How Athena is told to read the files of each format.
//!
//! Source: the AWS pages on the SerDes that Athena supports (OpenCSVSerDe, LazySimpleSerDe, Hive JSON SerDe, Parquet SerDe) and on Glue's
//! `StorageDescriptor`.

use super::serde::{CSV, JSON, PARQUET, SerDe, TEXT, TSV};
use super::table::{Column, LOG_FORMAT, StorageDescriptor};
use crate::accesslog::LogFormat;
use crate::output::{Codec, CsvDialect, FileFormat, Kind};
use std::collections::BTreeMap;

const TEXT_INPUT: &str = "org.apache.hadoop.mapred.TextInputFormat";
const TEXT_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat";
/// What escapes in CSV where a quote is doubled and nothing is escaped: a code that is no character, and stands in no text. (Left out, or a
/// quote, the SerDe takes a backslash.)
const NO_ESCAPE: &str = "\u{ffff}";
const PARQUET_INPUT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";
const PARQUET_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat";

/// The SerDe of raw logs.
const REGEX: &str = "org.apache.hadoop.hive.serde2.RegexSerDe";

/// The storage descriptor and the table parameters of raw logs of `format` in the folder `location`: a text for each directive, and a row of
/// NULLs for each line that is not of the format.
pub(super) fn describe_log(format: &LogFormat, location: &str) -> (StorageDescriptor, BTreeMap<String, String>) {
    let pattern = format.java_regex();
    let column = |(name, directive): (String, String)| Column { name, data_type: "string".to_string(), comment: Some(directive) };
    let storage = StorageDescriptor {
        columns: pattern.columns.into_iter().map(column).collect(),
        location: format!("{}/", location.trim_end_matches('/')),
        input_format: TEXT_INPUT.to_string(),
        output_format: TEXT_OUTPUT.to_string(),
        compressed: false,
        serde: SerDe { library: REGEX.to_string(), parameters: texts(&[("input.regex", &pattern.regex)]) },
    };
    let mut parameters = texts(&[("EXTERNAL", "TRUE"), ("classification", "log"), ("typeOfData", "file"), (LOG_FORMAT, format.text())]);
    if let Some(lines) = format.heading_lines() {
        parameters.insert("skip.header.line.count".to_string(), lines.to_string());
    }
    (storage, parameters)
}

/// The storage descriptor and the table parameters of files of `format` in the folder `location`.
pub fn describe(format: FileFormat, columns: Vec<Column>, location: &str) -> (StorageDescriptor, BTreeMap<String, String>) {
    let class = match format.kind {
        // Glue has no word of its own for it.
        Kind::Tsv => Kind::Csv.name(),
        kind => kind.name(),
    };
    let mut parameters = texts(&[("EXTERNAL", "TRUE"), ("classification", class), ("compressionType", format.codec.name())]);
    let (input, output, library, settings) = match format.kind {
        Kind::Parquet => (PARQUET_INPUT, PARQUET_OUTPUT, PARQUET, texts(&[("serialization.format", "1")])),
        Kind::Json => {
            let times = "yyyy-MM-dd HH:mm:ss.SSS,yyyy-MM-dd'T'HH:mm:ss.SSS'Z'";
            (TEXT_INPUT, TEXT_OUTPUT, JSON, texts(&[("timestamp.formats", times)]))
        }
        Kind::Csv => {
            let escape = if format.dialect == CsvDialect::Athena { "\\" } else { NO_ESCAPE };
            parameters.extend(texts(&[
                ("skip.header.line.count", "1"),
                ("areColumnsQuoted", "true"),
                ("delimiter", ","),
                ("typeOfData", "file"),
            ]));
            (TEXT_INPUT, TEXT_OUTPUT, CSV, texts(&[("separatorChar", ","), ("quoteChar", "\""), ("escapeChar", escape)]))
        }
        Kind::Tsv => {
            parameters.extend(texts(&[
                ("skip.header.line.count", "1"),
                ("areColumnsQuoted", "false"),
                ("delimiter", "\t"),
                ("typeOfData", "file"),
            ]));
            (TEXT_INPUT, TEXT_OUTPUT, TEXT, texts(&TSV))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serde_tells_the_kind_of_its_files() {
        for kind in [Kind::Csv, Kind::Tsv, Kind::Json, Kind::Parquet] {
            for dialect in [CsvDialect::Athena, CsvDialect::Rfc4180] {
                let format = FileFormat::new(kind, None, None, dialect).unwrap();
                assert_eq!(describe(format, Vec::new(), "x").0.serde.kind(), Some(kind));
            }
        }
        let mut other = describe(FileFormat::new(Kind::Tsv, None, None, CsvDialect::Athena).unwrap(), Vec::new(), "x").0.serde;
        other.parameters.insert("field.delim".into(), "|".into());
        assert_eq!(other.kind(), None);
        assert_eq!(SerDe { library: "org.apache.hadoop.hive.serde2.RegexSerDe".into(), parameters: BTreeMap::new() }.kind(), None);
    }

    #[test]
    fn tsv_is_told_from_csv_by_its_serde_alone() {
        let format = FileFormat::new(Kind::Tsv, Some("gzip"), None, CsvDialect::Athena).unwrap();
        let (storage, parameters) = describe(format, Vec::new(), "s3://bucket/t");
        assert_eq!(storage.input_format, TEXT_INPUT);
        assert_eq!(storage.serde.library, "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe");
        let settings: Vec<_> = storage.serde.parameters.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let expected =
            [("escape.delim", "\\"), ("field.delim", "\t"), ("serialization.format", "\t"), ("serialization.null.format", "\\N")];
        assert_eq!(settings, expected);
        let of = |key: &str| parameters.get(key).map(String::as_str);
        assert_eq!((of("classification"), of("skip.header.line.count"), of("compressionType")), (Some("csv"), Some("1"), Some("gzip")));
    }
}
