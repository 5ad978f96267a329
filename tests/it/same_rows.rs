//! Whether Trino reads of a table what we read of it.

use crate::glue_lake::GlueLake;
use crate::trino::Rows;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use etl::query::{LakeTables, QueryEngine, QueryOptions};
use serde_json::{Map, Value, json};

/// How a table's values are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum As {
    /// Each in its type.
    Typed,
    /// As JSON has them: bytes are hexadecimal digits.
    Json,
    /// As CSV has them: all are texts but the partition keys, and NULL is none.
    Text,
    /// As the view of CSV has them: in their types, and NULL is no text.
    Cast,
}

/// Compares the lake's table `database.table` with what Trino reads of `name` in the same database.
#[track_caller]
pub(crate) fn same(lake: &GlueLake, table: &str, name: &str, told: As) -> usize {
    let ours = of_lake(lake, table);
    let (database, _) = table.split_once('.').unwrap();
    let theirs = of_trino(lake, &format!("{}.{name}", lake.database(database)), &ours.columns, told);
    let types: Vec<(String, String)> = ours.columns.iter().map(|(name, of)| (name.clone(), trino_type(of, told))).collect();
    let keys = ours.columns.iter().position(|(name, _)| Some(name.as_str()) == theirs.first_key.as_deref()).unwrap_or(types.len());
    for ((name, wanted), (_, found)) in types[..keys].iter().zip(&theirs.types) {
        // Of nested types it is compared that they are nested, and how their values look.
        assert_eq!(wanted.split('(').next(), found.split('(').next(), "the type of {name} in {table}");
        if !wanted.starts_with(['r', 'a', 'm']) {
            assert_eq!(wanted, found, "the type of {name} in {table}");
        }
    }
    let sorted = |rows: &[Vec<Value>]| {
        let mut lines: Vec<String> =
            rows.iter().map(|row| json!(row.iter().map(|v| plain(v, told)).collect::<Vec<_>>()).to_string()).collect();
        lines.sort();
        lines
    };
    let (ours, theirs) = (sorted(&ours.rows), sorted(&theirs.rows));
    let missing = ours.iter().find(|row| theirs.binary_search(row).is_err());
    let unknown = theirs.iter().find(|row| ours.binary_search(row).is_err());
    assert!(
        ours == theirs,
        "{table} as {name}: {} rows here, {} in Trino\nonly here:  {missing:?}\nonly there: {unknown:?}",
        ours.len(),
        theirs.len()
    );
    ours.len()
}

struct Ours {
    columns: Vec<(String, DataType)>,
    rows: Vec<Vec<Value>>,
}

struct Theirs {
    types: Vec<(String, String)>,
    first_key: Option<String>,
    rows: Vec<Vec<Value>>,
}

/// What no format keeps apart is the same.
fn plain(value: &Value, told: As) -> Value {
    match value {
        Value::Null if matches!(told, As::Text | As::Cast) => json!(""),
        Value::Number(_) | Value::Bool(_) if told == As::Text => json!(value.to_string()),
        other => other.clone(),
    }
}

fn of_lake(lake: &GlueLake, table: &str) -> Ours {
    let engine = QueryEngine::new(QueryOptions { threads: 1, stdin: false, ..QueryOptions::default() }).unwrap();
    engine.register_lake(LakeTables::open(lake.minio.storage("lake")).unwrap()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut result = engine.query(&format!("SELECT * FROM {table}")).await.unwrap();
        let columns = result.schema().fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect();
        let mut rows = Vec::new();
        while let Some(batch) = result.next().await.unwrap() {
            rows.extend((0..batch.num_rows()).map(|row| values(&batch, row)));
        }
        Ours { columns, rows }
    })
}

fn values(batch: &RecordBatch, row: usize) -> Vec<Value> {
    batch.columns().iter().map(|column| value(column, row)).collect()
}

/// A value as JSON: numbers that are whole as such, fractions as texts, which have all their digits.
fn value(array: &ArrayRef, row: usize) -> Value {
    if array.logical_nulls().is_some_and(|nulls| nulls.is_null(row)) {
        return Value::Null;
    }
    let text = || ArrayFormatter::try_new(array.as_ref(), &FormatOptions::new()).unwrap().value(row).to_string();
    let one = || array.slice(row, 1);
    match array.data_type() {
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            json!(cast(&one(), &DataType::Int64).unwrap().as_primitive::<Int64Type>().value(0))
        }
        DataType::Float32 | DataType::Float64 => {
            json!(format!("{:?}", cast(&one(), &DataType::Float64).unwrap().as_primitive::<Float64Type>().value(0)))
        }
        DataType::Timestamp(..) => {
            let millis = cast(&one(), &DataType::Timestamp(TimeUnit::Millisecond, None)).unwrap();
            let millis = millis.as_primitive::<TimestampMillisecondType>().value(0);
            json!(chrono::DateTime::from_timestamp_millis(millis).unwrap().format("%Y-%m-%d %H:%M:%S%.3f").to_string())
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>().value(row);
            json!((0..list.len()).map(|at| nested(&list, at)).collect::<Vec<_>>())
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            Value::Object(columns.map(|(field, column)| (field.name().clone(), nested(column, row))).collect::<Map<_, _>>())
        }
        DataType::Map(..) => {
            let map = array.as_map().value(row);
            let (keys, values) = (map.column(0), map.column(1));
            let key = |at: usize| value(keys, at).as_str().map_or_else(|| value(keys, at).to_string(), str::to_string);
            Value::Object((0..keys.len()).map(|at| (key(at), nested(values, at))).collect::<Map<_, _>>())
        }
        DataType::Dictionary(_, of) => value(&cast(&one(), of).unwrap(), 0),
        _ => json!(text()),
    }
}

/// A value within another, where Trino's JSON has numbers for fractions.
fn nested(array: &ArrayRef, row: usize) -> Value {
    match value(array, row) {
        Value::String(text) if matches!(array.data_type(), DataType::Float32 | DataType::Float64) => json!(text.parse::<f64>().unwrap()),
        other => other,
    }
}

fn of_trino(lake: &GlueLake, table: &str, columns: &[(String, DataType)], told: As) -> Theirs {
    let of: Rows = lake.trino.rows(&format!("DESCRIBE {table}"));
    let text = |row: &[Value], at: usize| row[at].as_str().unwrap_or_default().to_string();
    let known: Vec<(String, String, bool)> =
        of.rows.iter().map(|row| (text(row, 0), text(row, 1), text(row, 2).contains("partition"))).collect();
    let names: Vec<&str> = known.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), "the columns of {table}");
    let selected: Vec<String> = known
        .iter()
        .map(|(name, kind, _)| {
            let name = format!("\"{name}\"");
            match kind.split('(').next().unwrap_or_default() {
                // Of a `real` Trino writes fewer digits than it has.
                "real" | "double" => format!("CAST(CAST({name} AS double) AS varchar)"),
                "row" | "array" | "map" => format!("json_format(CAST({name} AS json))"),
                "varbinary" => format!("lower(to_hex({name}))"),
                _ => name,
            }
        })
        .collect();
    let rows = lake.trino.rows(&format!("SELECT {} FROM {table}", selected.join(", "))).rows;
    let rows = rows.into_iter().map(|row| row.into_iter().zip(columns).map(|(value, (_, of))| read(value, of, told)).collect()).collect();
    let first_key = known.iter().find(|(.., is_key)| *is_key).map(|(name, ..)| name.clone());
    Theirs { types: known.into_iter().map(|(name, kind, _)| (name, kind)).collect(), first_key, rows }
}

/// What Trino wrote of a value that is one of the type `of` here.
fn read(value: Value, of: &DataType, told: As) -> Value {
    match (value, of) {
        (Value::String(text), DataType::Float32 | DataType::Float64) if !text.is_empty() => {
            let number: f64 = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            // Of a text all digits are not those of the number that is meant.
            let number = if *of == DataType::Float32 { f64::from(number as f32) } else { number };
            json!(format!("{number:?}"))
        }
        (Value::String(text), of) if of.is_nested() => serde_json::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}")),
        (Value::String(text), DataType::Binary | DataType::LargeBinary | DataType::BinaryView) if told == As::Text => {
            json!(text.to_lowercase())
        }
        (value, _) => value,
    }
}

fn trino_type(of: &DataType, told: As) -> String {
    if told == As::Text {
        return "varchar".to_string();
    }
    match of {
        DataType::Boolean => "boolean".to_string(),
        DataType::Int8 => "tinyint".to_string(),
        DataType::Int16 => "smallint".to_string(),
        DataType::Int32 => "integer".to_string(),
        DataType::Int64 => "bigint".to_string(),
        DataType::Float32 => "real".to_string(),
        DataType::Float64 => "double".to_string(),
        DataType::Date32 => "date".to_string(),
        DataType::Timestamp(..) => "timestamp(3)".to_string(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView if told != As::Json => "varbinary".to_string(),
        DataType::Struct(_) => "row".to_string(),
        DataType::List(_) => "array".to_string(),
        DataType::Map(..) => "map".to_string(),
        DataType::Dictionary(_, of) => trino_type(of, told),
        _ => "varchar".to_string(),
    }
}
