//! Reads output files back with readers that are not the program's own.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, TimestampMillisecondType};
use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A row: the text of each column's value, by name.
pub(crate) type Row = BTreeMap<String, Option<String>>;

/// The output files below `folder`, in the order of their names.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// The rows of all files below `folder`.
pub(crate) fn rows(folder: &Path) -> Vec<Row> {
    files(folder).iter().flat_map(|path| file_rows(path)).collect()
}

/// The rows of one file.
pub(crate) fn file_rows(path: &Path) -> Vec<Row> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    if name.ends_with(".parquet") {
        return parquet_rows(path);
    }
    let mut bytes = fs::read(path).unwrap();
    if name.ends_with(".gz") {
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
        bytes = plain;
    }
    let text = String::from_utf8(bytes).unwrap();
    match &name {
        name if name.contains(".json") => json_rows(&text),
        name if name.contains(".tsv") => named(tsv_records(&text)),
        _ => named(csv_records(&text)),
    }
}

fn json_rows(text: &str) -> Vec<Row> {
    let value = |value: serde_json::Value| match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    let row = |line: &str| -> Row {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        object.into_iter().map(|(key, v)| (key, value(v))).collect()
    };
    text.lines().map(row).collect()
}

/// Names the fields of records by the first of them.
pub(crate) fn named(mut records: Vec<Vec<Option<String>>>) -> Vec<Row> {
    let header = records.remove(0);
    let name = |field: &Option<String>| field.clone().unwrap();
    records
        .into_iter()
        .map(|record| {
            assert_eq!(record.len(), header.len(), "{record:?}");
            header.iter().map(name).zip(record).collect()
        })
        .collect()
}

/// The records of CSV as RFC 4180 has it; an empty field without quotes is NULL.
pub(crate) fn csv_records(text: &str) -> Vec<Vec<Option<String>>> {
    let mut records = Vec::new();
    let mut record = Vec::new();
    let mut chars = text.chars().peekable();
    while chars.peek().is_some() {
        let mut field = String::new();
        let quoted = chars.next_if_eq(&'"').is_some();
        if quoted {
            loop {
                match chars.next().expect("a closing quote") {
                    '"' if chars.next_if_eq(&'"').is_some() => field.push('"'),
                    '"' => break,
                    c => field.push(c),
                }
            }
        }
        while let Some(c) = chars.next_if(|c| !",\n".contains(*c)) {
            assert!(!quoted, "text behind a closing quote");
            field.push(c);
        }
        record.push((quoted || !field.is_empty()).then_some(field));
        if chars.next() == Some('\n') {
            records.push(std::mem::take(&mut record));
        }
    }
    assert!(record.is_empty(), "the last record has no newline");
    records
}

/// The records of TSV as Hive's LazySimpleSerDe reads it in Athena: a backslash makes what is behind it a part of the text, whatever it is.
pub(crate) fn tsv_records(text: &str) -> Vec<Vec<Option<String>>> {
    assert!(text.ends_with('\n') && !text.contains('\r'), "no line ends but newlines: {text:?}");
    let record = |line: &str| {
        let mut fields = vec![String::new()];
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match (c, fields.last_mut()) {
                ('\t', _) => fields.push(String::new()),
                (c, Some(field)) => {
                    field.push(c);
                    field.extend((c == '\\').then(|| chars.next().expect("a backslash is before something")));
                }
                _ => unreachable!("there is a field"),
            }
        }
        let value = |raw: String| {
            let mut escapes = raw.chars();
            let text = std::iter::from_fn(|| escapes.next().map(|c| if c == '\\' { escapes.next().unwrap() } else { c })).collect();
            (raw != "\\N").then_some(text)
        };
        fields.into_iter().map(value).collect()
    };
    text.strip_suffix('\n').unwrap_or_default().split('\n').map(record).collect()
}

fn parquet_rows(path: &Path) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            let fields = batch.schema();
            let cells = fields.fields().iter().zip(batch.columns());
            rows.push(cells.map(|(field, array)| (field.name().clone(), cell(array.as_ref(), row))).collect());
        }
    }
    rows
}

fn cell(array: &dyn Array, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, _) => {
            let time = array.as_primitive::<TimestampMillisecondType>().value_as_datetime(row).unwrap();
            time.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
        }
        _ => array_value_to_string(array, row).unwrap(),
    })
}

#[test]
fn csv_is_read_as_rfc_4180_says() {
    let some = |text: &str| Some(text.to_string());
    assert_eq!(csv_records("a,\"b\"\"\n,\",\n\"\"\n"), [vec![some("a"), some("b\"\n,"), None], vec![some("")]]);
}

#[test]
fn tsv_is_read_as_hive_does() {
    let some = |text: &str| Some(text.to_string());
    let read = tsv_records("a\\\tb\t\t\\N\n\\\\N\t\\\\\t\\\\n\n");
    assert_eq!(read, [vec![some("a\tb"), some(""), None], vec![some("\\N"), some("\\"), some("\\n")]]);
}
