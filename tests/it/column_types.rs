//! Columns that a file or a table can't have as they are: refused before anything is written, or written with a word.

use crate::etl::Etl;
use crate::lake::Lake;
use crate::rows::rows;
use arrow::array::{
    Array, ArrayRef, BooleanArray, Date64Array, Decimal128Array, Decimal256Array, DurationSecondArray, FixedSizeBinaryArray, Float16Array,
    Float32Array, Float64Array, Int32Array, MapBuilder, NullArray, StringArray, StringBuilder, StructArray, Time32MillisecondArray,
    Time64MicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Fields, Schema, i256};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ARROW_SCHEMA_META_KEY, ArrowWriter, encode_arrow_schema};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::sync::Arc;

fn object(name: &str, array: ArrayRef) -> ArrayRef {
    Arc::new(StructArray::from(vec![(Arc::new(Field::new(name, array.data_type().clone(), true)), array)]))
}

const TABLE: &str = "
version: 1
name: typed
lake: {location: lake}
sources:
  raw: {location: a.parquet}
outputs:
  typed: {from: raw, table: db.typed}
";

#[test]
fn a_table_with_a_type_that_athena_has_not_is_refused_before_it_is_written() {
    let time: ArrayRef = Arc::new(Time32MillisecondArray::from(vec![1]));
    let wide = Decimal256Array::from(vec![i256::ONE]).with_precision_and_scale(60, 2).unwrap();
    let all: [(ArrayRef, &str, &str); 5] = [
        (time.clone(), "column `x` has type Time32(ms), which Athena doesn't have", "CAST"),
        (Arc::new(Time64MicrosecondArray::from(vec![1])), "column `x` has type Time64", "CAST"),
        (object("inner", object("at", time)), "column `x.inner.at` has type Time32", "CAST"),
        (Arc::new(DurationSecondArray::from(vec![1])), "column `x` has type Duration(s)", "seconds"),
        (Arc::new(wide), "column `x` has type Decimal256(60, 2)", "38 digits"),
    ];
    for (array, what, hint) in all {
        let lake = Lake::in_folder();
        lake.parquet("a.parquet", vec![("x", array)]);
        lake.pipeline("typed.yaml", TABLE);
        lake.etl("run typed.yaml").fails(2).says(what).says("db.typed").says("typed.yaml:").says("what to do").says(hint);
        assert_eq!(lake.below("db"), Vec::<String>::new(), "{what}");
        // A plan says the same.
        lake.etl("plan typed.yaml").fails(1).says(what);
    }
}

#[test]
fn what_parquet_has_no_type_for_is_refused_before_anything_is_written() {
    let etl = Etl::new();
    etl.write("a.json", "{\"id\":1,\"more\":{\"empty\":{}}}\n{\"id\":2,\"more\":{\"empty\":{}}}\n");
    etl.convert("a.json -o out").fails(2).says("column `more.empty` is an object without keys, which Parquet can't hold").says("--schema");
    assert!(!etl.path("out").exists());
    etl.convert("a.json -o json --to json").ok();
    assert_eq!(etl.read("json/part-00000.json"), etl.read("a.json"));
    etl.parquet("d.parquet", vec![("took", Arc::new(DurationSecondArray::from(vec![90])))]);
    etl.convert("d.parquet -o out").fails(2).says("column `took` has type Duration(s), which Parquet doesn't have");
    etl.convert("d.parquet -o text --to csv").ok();
    assert_eq!(rows(&etl.path("text"))[0]["took"].as_deref(), Some("PT90S"));
    let sql = "SELECT arrow_cast(1, 'Duration(Second)') AS took";
    let outcome =
        etl.run(["query", "--format", "parquet", sql]).fails(2).says("column `took` has type Duration(s), which Parquet doesn't have");
    assert!(outcome.stdout.is_empty());
    // A time of day is one in Parquet, and text elsewhere.
    etl.parquet("t.parquet", vec![("at", Arc::new(Time64MicrosecondArray::from(vec![43_200_000_001])))]);
    etl.convert("t.parquet -o times").ok();
    etl.convert("times/part-00000.parquet -o time --to csv").ok();
    assert_eq!(rows(&etl.path("time"))[0]["at"].as_deref(), Some("12:00:00.000001"));
}

#[test]
fn types_that_have_a_wider_one_become_that() {
    let etl = Etl::new();
    let halves: ArrayRef = Arc::new(Float16Array::from_iter_values([half(0x3e00)]));
    let bytes: ArrayRef = Arc::new(FixedSizeBinaryArray::try_from_iter([[0xab_u8, 0xcd]].into_iter()).unwrap());
    let decimals: ArrayRef = Arc::new(Decimal256Array::from(vec![i256::from_i128(12_345)]).with_precision_and_scale(38, 2).unwrap());
    let nothing: ArrayRef = Arc::new(NullArray::new(1));
    etl.parquet("a.parquet", vec![("half", halves), ("fixed", bytes), ("decimal", decimals), ("none", nothing)]);
    for to in ["parquet", "csv", "json"] {
        etl.convert(&format!("a.parquet -o {to} --to {to}")).ok();
        let row = &rows(&etl.path(to))[0];
        let got = ["half", "fixed", "decimal", "none"].map(|name| row[name].as_deref());
        assert_eq!(got, [Some("1.5"), Some("abcd"), Some("123.45"), None], "{to}");
    }
    let found = etl.run(["query", "--format", "csv", "SELECT half, encode(fixed, 'hex'), decimal, \"none\" IS NULL FROM 'a.parquet'"]).ok();
    assert!(found.stdout.ends_with(b"\n1.5,abcd,123.45,true\n"), "{found:?}");
    let lake = Lake::in_folder();
    std::fs::copy(etl.path("a.parquet"), lake.path("a.parquet")).unwrap();
    lake.pipeline("typed.yaml", TABLE);
    lake.run_pipeline("typed.yaml", 0);
    assert_eq!(lake.value("SELECT half, decimal, \"none\" IS NULL FROM db.typed"), "1.5,123.45,true");
}

fn half(bits: u16) -> <arrow::datatypes::Float16Type as arrow::datatypes::ArrowPrimitiveType>::Native {
    <arrow::datatypes::Float16Type as arrow::datatypes::ArrowPrimitiveType>::Native::from_bits(bits)
}

#[test]
fn a_date_with_a_time_of_day_is_no_date() {
    let etl = Etl::new();
    etl.parquet("a.parquet", vec![("day", Arc::new(Date64Array::from(vec![1_582_934_400_001])))]);
    etl.convert("a.parquet -o out --to csv").fails(3).says("column `day`").says("time of day").says("a.parquet");
}

#[test]
fn names_that_differ_in_capitals_only_are_told_apart() {
    let etl = Etl::new();
    etl.write("a.json", "{\"Id\":1,\"id\":2,\"id_2\":3,\"o\":{\"k\":4,\"K\":5}}\n");
    let note = "column `id` is written as `id_3`";
    etl.convert("a.json -o json --to json").ok().says(note).says("column `o.K` is written as `K_2`");
    let json: serde_json::Value = serde_json::from_slice(&etl.read("json/part-00000.json")).unwrap();
    assert_eq!(json, serde_json::json!({"Id": 1, "id_3": 2, "id_2": 3, "o": {"k": 4, "K_2": 5}}));
    etl.convert("a.json -o parquet").ok().says(note);
    let found = etl.run(["query", "--format", "json", "SELECT * FROM 'parquet/*.parquet'"]).ok();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&found.stdout).unwrap(), json);
    etl.convert("a.json -o parquet --append").ok();
    etl.write("b.csv", "A,b,a\n1,2,3\n").convert("b.csv -o csv --to csv").ok().says("column `a` is written as `a_2`");
    assert_eq!(etl.read("csv/part-00000.csv"), b"A,b,a_2\n1,2,3\n");
}

#[test]
fn numbers_that_json_has_not_are_counted() {
    let etl = Etl::new();
    let doubles: ArrayRef = Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(1.5), None, Some(f64::INFINITY)]));
    let singles: ArrayRef = Arc::new(Float32Array::from(vec![Some(0.5), Some(f32::NEG_INFINITY), None, Some(1.0)]));
    let ids: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3, 4]));
    etl.parquet("a.parquet", vec![("id", ids), ("d", doubles), ("o", object("f", singles))]);
    let says = ["column `d`: 2 values of NaN or infinity became null", "column `o`: 1 value of NaN or infinity became null"];
    let outcome = etl.convert("a.parquet -o out --to json --splits 2").ok();
    let outcome = says.into_iter().fold(outcome, |outcome, note| outcome.says(note));
    assert!(!outcome.stderr.contains("`id`"), "{}", outcome.stderr);
    says.into_iter().fold(etl.run(["query", "--format", "json", "SELECT * FROM 'a.parquet'"]).ok(), |outcome, note| outcome.says(note));
    let csv = etl.convert("a.parquet -o p --to parquet").ok();
    assert!(!csv.stderr.contains("became null"));
}

/// A file whose writer had all columns as dictionaries, and says so, as `pyarrow` does.
fn write_dictionaries(etl: &Etl, name: &str, columns: Vec<(&str, ArrayRef)>) {
    fn coded(data_type: &DataType) -> DataType {
        match data_type {
            DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| with_codes(field)).collect()),
            other => DataType::Dictionary(Box::new(DataType::Int8), Box::new(other.clone())),
        }
    }
    fn with_codes(field: &Field) -> Field {
        field.clone().with_data_type(coded(field.data_type()))
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let schema = Schema::new(batch.schema().fields().iter().map(|field| with_codes(field)).collect::<Fields>());
    let told = KeyValue::new(ARROW_SCHEMA_META_KEY.to_string(), encode_arrow_schema(&schema));
    let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![told])).build();
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(File::create(etl.path(name)).unwrap(), batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn dictionaries_of_any_type_are_their_values() {
    let etl = Etl::new();
    let rows = 300;
    let flags: ArrayRef = Arc::new(BooleanArray::from_iter((0..rows).map(|row| (row != 1).then_some(row == 0))));
    let decimals: ArrayRef =
        Arc::new(Decimal128Array::from_iter_values((0..rows).map(i128::from)).with_precision_and_scale(30, 2).unwrap());
    let wide = Decimal256Array::from_iter_values((0..rows).map(|row| i256::from_i128(row.into())));
    let wide: ArrayRef = Arc::new(wide.with_precision_and_scale(60, 2).unwrap());
    let fixed: ArrayRef = Arc::new(FixedSizeBinaryArray::try_from_iter((0..rows).map(|row| (row as u16).to_be_bytes())).unwrap());
    // More of them than keys of a byte can tell apart.
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("text {row}"))));
    let columns = vec![("b", flags.clone()), ("d", decimals), ("w", wide), ("f", fixed), ("t", texts), ("o", object("b", flags))];
    write_dictionaries(&etl, "a.parquet", columns);
    etl.convert("a.parquet -o json --to json").ok();
    let first = r#"{"b":true,"d":0.00,"w":0.00,"f":"0000","t":"text 0","o":{"b":true}}"#;
    let last = r#"{"b":false,"d":2.99,"w":2.99,"f":"012b","t":"text 299","o":{"b":false}}"#;
    let text = String::from_utf8(etl.read("json/part-00000.json")).unwrap();
    assert_eq!((text.lines().next(), text.lines().last(), text.lines().count()), (Some(first), Some(last), 300));
    let found = etl.run(["query", "--format", "json", "SELECT * FROM 'a.parquet'"]).ok();
    assert_eq!(String::from_utf8(found.stdout).unwrap(), text);
    let sql = "SELECT count(*), count(b), max(d), max(w), max(t) FROM 'a.parquet' WHERE d > 0.5 AND t LIKE '%9'";
    let found = etl.run(["query", "--format", "csv", sql]).ok();
    assert!(found.stdout.ends_with(b"\n25,25,2.99,2.99,text 99\n"), "{found:?}");
    etl.run(["inspect", "a.parquet"]).ok();
}

#[test]
fn a_map_that_has_a_key_twice_is_no_object() {
    let etl = Etl::new();
    let maps = |keys: &[&[&str]]| -> ArrayRef {
        let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        for keys in keys {
            for key in *keys {
                maps.keys().append_value(key);
                maps.values().append_value("x");
            }
            maps.append(true).unwrap();
        }
        Arc::new(maps.finish())
    };
    etl.parquet("good.parquet", vec![("m", maps(&[&["k", "l"], &["k"], &[]]))]);
    etl.convert("good.parquet -o good --to json").ok();
    etl.convert("good/part-00000.json -o back --to json").ok();
    let twice = maps(&[&["a"], &["k", "l", "k"]]);
    let what = "a map has the key `k` twice";
    etl.parquet("a.parquet", vec![("m", twice.clone())]);
    etl.parquet("o.parquet", vec![("o", object("m", twice.clone()))]);
    etl.convert("o.parquet -o out --to json").fails(4).says("column `o`").says(what);
    etl.run(["query", "--format", "json", "SELECT * FROM 'a.parquet'"]).fails(4).says("column `m`").says(what);
    etl.run(["query", "--format", "json", "SELECT * FROM 'a.parquet' LIMIT 1"]).ok();
    etl.convert("a.parquet -o parquet").ok();
    let lake = Lake::in_folder();
    lake.parquet("a.parquet", vec![("m", twice)]);
    lake.pipeline("typed.yaml", TABLE.replace("table: db.typed", "table: db.typed, format: json"));
    lake.etl("run typed.yaml").fails(4).says("column `m`").says(what).says("write Parquet");
}

#[test]
fn what_csv_can_not_tell_is_counted() {
    let etl = Etl::new();
    etl.write("a.json", "{\"t\":\"a\\nb\",\"n\":1}\n{\"t\":null,\"n\":2}\n{\"t\":\"c\",\"n\":3}\n");
    etl.convert("a.json -o athena --to csv --dialect athena").ok().says("column `t`: 1 text has line ends, which became");
    assert!(!etl.convert("a.json -o rfc --to csv").ok().stderr.contains("column `t`"));
    let sql = "SELECT t FROM 'a.json'";
    let outcome = etl.run(["query", "--format", "csv", sql]).ok().says("column `t`: 1 NULL is an empty text now");
    assert_eq!(outcome.stdout, b"t\n\"a\nb\"\n\"\"\nc\n");
}
