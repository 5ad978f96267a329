//! Every form of table that pipelines write, with hostile values: what Trino reads of it equals what we read.

use crate::glue_lake::GlueLake;
use crate::hostile_rows::columns;
use crate::same_rows::{As, same};
use serde_json::json;

/// The outputs: their names, what they hold, their forms, and how values look in them.
const FORMS: [(&str, &str, &str, As); 10] = [
    ("csv", "flat", "format: {csv: {cast_view: csv_typed}}", As::Text),
    ("csv_gzip", "flat", "format: {csv: {cast_view: csv_gzip_typed}}, compression: gzip", As::Text),
    ("rfc", "lines", "format: {csv: {dialect: rfc4180, cast_view: rfc_typed}}", As::Text),
    ("rfc_gzip", "lines", "format: {csv: {dialect: rfc4180, cast_view: rfc_gzip_typed}}, compression: gzip", As::Text),
    ("json", "hostile", "format: json", As::Json),
    ("json_gzip", "hostile", "format: json, compression: gzip", As::Json),
    ("parquet_none", "hostile", "format: parquet, compression: none", As::Typed),
    ("parquet_snappy", "hostile", "format: parquet, compression: snappy", As::Typed),
    ("parquet_zstd", "hostile", "format: parquet, compression: zstd", As::Typed),
    ("parquet_gzip", "hostile", "format: parquet, compression: gzip", As::Typed),
];

const FLAT: &str = "id, word, other, flag, small, big, ratio, share, price, day, moment, raw";

/// A pipeline that writes all forms, with `more` settings of each output.
fn pipeline(more: &str) -> String {
    let outputs: Vec<String> =
        FORMS.iter().map(|(name, from, form, _)| format!("  {name}: {{from: {from}, table: forms.{name}, {form}{more}}}\n")).collect();
    // RFC 4180 has line ends in values, and readers of lines have none.
    let one_line = |name: &str| format!("replace(replace({name}, chr(10), ' '), chr(13), ' ') AS {name}");
    let lines = FLAT.replace("word", &one_line("word")).replace("other", &one_line("other"));
    format!(
        "version: 1
name: forms
lake: {{location: lake}}
sources:
  hostile: {{location: in/*.parquet}}
transforms:
  flat: {{sql: 'SELECT {FLAT} FROM hostile'}}
  lines: {{sql: 'SELECT {lines} FROM hostile'}}
outputs:
{}",
        outputs.concat()
    )
    .replace("' '", "'' ''")
}

#[track_caller]
fn all_are_the_same(lake: &GlueLake, rows: usize) {
    for (name, _, _, told) in FORMS {
        let table = format!("forms.{name}");
        assert_eq!(same(lake, &table, name, told), rows, "{table}");
        if told == As::Text {
            assert_eq!(same(lake, &table, &format!("{name}_typed"), As::Cast), rows, "{table}");
        }
    }
    // In CSV a NULL is a text of no letters, whatever it is elsewhere.
    let count =
        |table: &str, what: &str| lake.trino.number(&format!("SELECT count(*) FROM {}.{table} WHERE {what}", lake.database("forms")));
    assert_eq!(count("csv", "word IS NULL"), 0);
    assert_eq!(count("csv", "word = ''"), count("parquet_zstd", "word IS NULL OR word = ''"));
    assert!(count("parquet_zstd", "word IS NULL") > 0 && count("parquet_zstd", "word = ''") > 0);
    // JSON has no such numbers, and the run says so.
    assert!(count("parquet_zstd", "is_nan(ratio)") > 0);
    assert_eq!(count("json", "is_nan(ratio) OR is_infinite(ratio)"), 0);
}

#[test]
fn trino_reads_every_form_as_we_do() {
    let Some(lake) = GlueLake::get() else { return };
    std::fs::create_dir(lake.path("in")).unwrap();
    lake.parquet("in/1.parquet", columns(300, 0));
    lake.pipeline("forms.yaml", &pipeline(", splits: 2, mode: append"));
    lake.etl("run forms.yaml").ok().says("rfc is RFC 4180 CSV").says("values of NaN or infinity became null");
    for (name, ..) in FORMS {
        let told = lake.told("forms", name);
        assert_ne!(told["StorageDescriptor"]["InputFormat"], "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat", "{name}");
        assert!(told["Parameters"]["compressionType"].is_string(), "{name}: {told}");
        assert_eq!(told["PartitionKeys"], json!([]));
        assert!(told["StorageDescriptor"]["Location"].as_str().unwrap().ends_with('/'));
    }
    all_are_the_same(&lake, 300);
    // From the second run on the files lie in two folders, and a list says which they are.
    lake.parquet("in/2.parquet", columns(100, 300));
    lake.etl("run forms.yaml").ok();
    for (name, ..) in FORMS {
        let told = lake.told("forms", name);
        assert_eq!(told["StorageDescriptor"]["InputFormat"], "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat", "{name}");
    }
    all_are_the_same(&lake, 400);
}

#[test]
fn line_ends_of_rfc_4180_end_rows_for_trino() {
    let Some(lake) = GlueLake::get() else { return };
    lake.write("in/1.json", "{\"id\":1,\"word\":\"one\\ntwo\"}\n");
    let text = "
version: 1
name: lines
lake: {location: lake}
sources:
  rows: {location: 'in/*.json', format: json}
outputs:
  rfc: {from: rows, table: lines.rfc, format: {csv: {dialect: rfc4180}}}
  athena: {from: rows, table: lines.athena, format: csv}
";
    lake.pipeline("lines.yaml", text);
    lake.etl("run lines.yaml").ok().says("lines.rfc is RFC 4180 CSV: readers of Glue end rows at line ends within texts");
    let count = |table: &str| lake.trino.number(&format!("SELECT count(*) FROM {}.{table}", lake.database("lines")));
    assert_eq!((count("rfc"), count("athena")), (2, 1));
    same(&lake, "lines.athena", "athena", As::Text);
}

#[test]
fn athena_alone_is_told_types_of_csv() {
    let Some(lake) = GlueLake::get() else { return };
    lake.write("in/1.json", "{\"id\":1,\"ratio\":0.5,\"flag\":true,\"word\":\"x\",\"moment\":\"2020-02-29 12:00:00\"}\n");
    let text = "
version: 1
name: native
lake: {location: lake}
sources:
  rows: {location: 'in/*.json', format: json}
outputs:
  rows: {from: rows, table: native.rows, format: {csv: {types: native, cast_view: typed}}}
";
    lake.pipeline("native.yaml", text);
    lake.etl("run native.yaml").ok();
    let told = lake.told("native", "rows");
    assert_eq!(told["Parameters"]["use.null.for.invalid.data"], "true");
    let types: Vec<&str> =
        told["StorageDescriptor"]["Columns"].as_array().unwrap().iter().map(|column| column["Type"].as_str().unwrap()).collect();
    assert_eq!(types, ["bigint", "double", "boolean", "string", "string"], "times are texts, which that SerDe reads only as numbers");
}
