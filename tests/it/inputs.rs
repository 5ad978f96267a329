//! Tables as inputs: CSV, JSON lines and Parquet go through the same outputs, splits and accounting.

use super::etl::{Etl, generated, gzip, program};
use super::rows::rows;
use arrow::array::{ArrayRef, DictionaryArray, LargeStringArray, ListArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array};
use arrow::array::{Decimal128Array, Int32Array, TimestampMicrosecondArray};
use arrow::datatypes::{Int32Type, UInt8Type};
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::process::Command;
use std::sync::Arc;

const SALES: &str = "\
date,shop_id,note,price,open,at
2014-01-31,25,\"two
lines, \"\"quoted\"\"\",1.5,true,2020-02-29 00:00:02.500
2014-02-01,-26,,0.25,false,
,,\"\",,,2020-03-01T00:00:00Z
";

#[test]
fn tables_go_through_every_format_unchanged() {
    let etl = Etl::new();
    etl.write("sales.csv", SALES).write("sales.tsv", "a\tb\n1\tx,y\n2\t\n").write("sales.csv.gz", gzip(SALES.as_bytes()));
    for table in ["sales.csv", "sales.tsv", "sales.csv.gz"] {
        let mut known = None;
        let mut input = table.to_string();
        for (step, to) in ["json", "parquet", "parquet", "csv", "parquet", "json", "csv"].iter().enumerate() {
            let out = format!("{table}-{step}");
            etl.convert(&format!("{input} -o {out} --to {to} --splits 2")).ok();
            let got = rows(&etl.path(&out));
            assert_eq!(*known.get_or_insert_with(|| got.clone()), got, "{out}");
            input = out;
        }
    }
    let first = &rows(&etl.path("sales.csv-1"))[0];
    assert_eq!((first["note"].as_deref(), first["price"].as_deref()), (Some("two\nlines, \"quoted\""), Some("1.5")));
    let schema = etl.run(["inspect", "--json", "sales.csv-1/part-00000.parquet"]).ok();
    let schema = String::from_utf8(schema.stdout).unwrap();
    for data_type in ["\"date\"", "\"bigint\"", "\"double\"", "\"boolean\"", "timestamp("] {
        assert!(schema.contains(data_type), "{data_type}: {schema}");
    }
}

#[test]
fn records_that_do_not_fit_are_rejects_with_the_line_of_the_text() {
    let etl = Etl::new();
    let filler = "1,\"two\nlines\"\n".repeat(80_000);
    let text = format!("\u{feff}n,t\n{filler}1\n\nx,late\n2,end\n");
    etl.write("a.csv", &text);
    for how in ["", "--splits 3", "--partition-by t"] {
        let report = etl.report(&format!("a.csv -o out --to csv --overwrite --rejects bad {how}"));
        assert_eq!(["lines", "rows", "rejects", "blank"].map(|key| report[key].as_u64().unwrap()), [80_004, 80_001, 2, 1]);
        let bad = String::from_utf8(etl.read("bad")).unwrap();
        let line = |needle: &str| text.lines().position(|line| line == needle).unwrap() + 1;
        let place = |needle: &str| format!("\"line\":{},\"offset\":{}", line(needle), text.find(&format!("\n{needle}\n")).unwrap() + 1);
        assert!(bad.contains(&place("1")) && bad.contains(&place("x,late")), "{bad}");
    }
}

#[test]
fn a_quote_within_a_field_is_text() {
    let etl = Etl::new();
    let text = format!("n,t\n1,5\" screen\n{}", "2,other text\n".repeat(200_000));
    etl.write("a.csv", text);
    assert_eq!(etl.report("a.csv -o out --to csv")["rows"], 200_001);
}

#[test]
fn the_columns_of_a_csv_are_told_by_their_names() {
    let etl = Etl::new();
    etl.write("1.csv", "a,b\n1,2\n").write("2.csv", "b,a\n3,4\n").write("3.csv", "").write("4.csv", "a,b\n").write("5.csv", "A, b\n5,6");
    etl.convert("1.csv 2.csv -o swapped --to csv").ok();
    assert_eq!(etl.read("swapped/part-00000.csv"), b"a,b\n1,2\n4,3\n");
    etl.write("6.csv", "x,y\n1,2\n").convert("1.csv 6.csv -o out").fails(2).says("6.csv:1: the header is `x,y`").says("expected: a,b");
    assert!(!etl.path("out").exists());
    assert_eq!(etl.report("1.csv 3.csv 4.csv 5.csv -o out --to json")["rows"], 2);
    etl.write("a.csv", "a,a\n").convert("a.csv -o x").fails(2).says("names `a` twice");
}

#[test]
fn what_is_no_csv_is_not_taken_for_one() {
    let etl = Etl::new();
    etl.write("a.csv", "a,b\n1,x\n2,\"open\n3,y\n4,z\n");
    let report = etl.report("a.csv -o open --to json");
    assert_eq!((report["rows"].as_u64(), report["rejects"].as_u64()), (Some(3), Some(1)));
    assert!(!report["rejects_by_reason"]["a quote that is never closed"].is_null());
    etl.write("a.csv", b"\xff\xfea\0,\0b\0\n\0").convert("a.csv -o out").fails(3).says("iconv");
    etl.write("a.csv", "a,b\r1,2\r").convert("a.csv -o out").fails(2).says("carriage return");
    etl.write("a.csv", "a,\n1,2\n").convert("a.csv -o out").fails(2).says("column 2 of the header has no name");
    assert!(!etl.path("out").exists());
}

#[test]
fn a_header_and_a_delimiter_can_be_told() {
    let etl = Etl::new();
    etl.write("a.csv", "1;x\n2;y\n");
    etl.convert("a.csv -o out --to csv --no-header --delimiter ;").ok();
    assert_eq!(etl.read("out/part-00000.csv"), b"column_1,column_2\n1,x\n2,y\n");
    etl.convert("a.csv -o x --delimiter ab").fails(2).says("is not a delimiter");
}

#[test]
fn the_columns_can_be_told_by_a_schema() {
    let etl = Etl::new();
    let schema =
        "name: sales\ncolumns:\n  - {name: shop_id, type: string}\n  - {name: price, type: 'decimal(10,2)'}\n  - {name: sold, type: int}\n";
    etl.write("sales.yaml", schema).write("sales.csv", "Shop ID,Price,Sold\n007,1.5,3\n008,2,x\n");
    let report = etl.report("sales.csv -o out --to csv --schema sales.yaml");
    assert_eq!((report["rows"].as_u64(), report["rejects"].as_u64()), (Some(1), Some(1)));
    assert_eq!(etl.read("out/part-00000.csv"), b"shop_id,price,sold\n007,1.50,3\n");
    etl.write("sales.json", "{\"shop_id\":\"007\",\"price\":1.5,\"sold\":3}\n{\"price\":1}\n");
    etl.convert("sales.json -o json --to csv --schema sales.yaml").ok();
    assert_eq!(etl.read("json/part-00000.csv"), b"shop_id,price,sold\n007,1.50,3\n,1.00,\n");
    etl.write("other.csv", "price,shop_id,sold,seller\n")
        .convert("other.csv -o x --schema sales.yaml")
        .fails(2)
        .says("expected: shop_id,price,sold");
    etl.log("a.log", 1).convert("a.log -o x --schema sales.yaml").fails(2).says("--schema is for CSV, TSV and JSON");
    // An empty file has columns then.
    etl.write("empty.csv", "").convert("empty.csv -o empty --to csv --schema sales.yaml").ok();
    assert_eq!(etl.read("empty/part-00000.csv"), b"shop_id,price,sold\n");
    etl.convert("empty.csv -o x").fails(2).says("--schema");
}

#[test]
fn odd_json_is_kept_or_rejected() {
    let etl = Etl::new();
    let text = "{\"a\":1,\"n\":{\"x\":[]},\"z\":null}\n{\"a\":\"t\"}\n{\"a\":{}}\n[1]\n{\"a\":1} {\"a\":2}\n\n{\"n\":{\"x\":[\"s\"]}}\n{\"late\":1}\n{\"a\":";
    etl.write("a.json", text);
    let report = etl.report("a.json -o out --to json");
    assert_eq!(report["lines"], 9);
    assert_eq!(report["blank"], 1);
    etl.convert("a.json -o parquet").ok();
    assert_eq!(rows(&etl.path("parquet")).len() as u64, report["rows"].as_u64().unwrap());
    etl.convert("a.json -o csv --to csv").fails(2).says("which CSV can't hold");
    etl.write("twice.json", "{\"a\":1,\"a\":2}\n{\"a\":3}\n").convert("twice.json -o twice --to json").ok();
    assert_eq!(etl.read("twice/part-00000.json"), b"{\"a\":3}\n");
    let deep = format!("{{\"a\":[1]}}\n{{\"a\":{}{}}}\n", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(etl.write("deep.json", deep).report("deep.json -o deep --to json")["rejects"], 1);
    // Every value of a fault is the same fault.
    etl.write("b.json", format!("{{\"k\":1}}\n{}", (0..500).map(|n| format!("{{\"k\":[{n}]}}\n")).collect::<String>()));
    etl.write("k.yaml", "name: k\ncolumns:\n  - {name: k, type: bigint}\n");
    assert_eq!(etl.report("b.json -o b --schema k.yaml")["rejects_by_reason"].as_object().unwrap().len(), 1);
}

#[test]
fn no_output_has_unsigned_numbers() {
    let etl = Etl::new();
    let list = ListArray::from_iter_primitive::<UInt8Type, _, _>([Some(vec![Some(200)]), None]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("u8", Arc::new(UInt8Array::from(vec![Some(u8::MAX), None]))),
        ("u16", Arc::new(UInt16Array::from(vec![Some(u16::MAX), None]))),
        ("u32", Arc::new(UInt32Array::from(vec![Some(u32::MAX), None]))),
        ("u64", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None]))),
        ("large", Arc::new(LargeStringArray::from(vec![Some("x"), None]))),
        ("coded", Arc::new(DictionaryArray::<Int32Type>::from_iter([Some("d"), None]))),
        ("money", Arc::new(Decimal128Array::from(vec![Some(12_345), None]).with_precision_and_scale(10, 2).unwrap())),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![Some(1_582_934_402_000_001), None]))),
    ];
    etl.parquet("a.parquet", columns.clone());
    for to in ["parquet", "csv", "json"] {
        etl.convert(&format!("a.parquet -o {to} --to {to}")).ok();
        let row = &rows(&etl.path(to))[0];
        let got = ["u8", "u16", "u32", "u64", "large", "coded", "money"].map(|name| row[name].as_deref().unwrap());
        assert_eq!(got, ["255", "65535", "4294967295", "18446744073709551615", "x", "d", "123.45"], "{to}");
        assert!(rows(&etl.path(to))[1].values().all(Option::is_none), "{to}");
    }
    let dates: ArrayRef = Arc::new(arrow::array::Date64Array::from(vec![1_582_934_400_000, 0]));
    etl.parquet("dates.parquet", vec![("day", dates), ("b", Arc::new(arrow::array::BinaryArray::from_vec(vec![b"\xff", b"x"])))]);
    etl.convert("dates.parquet -o dates").ok();
    assert_eq!(rows(&etl.path("dates"))[0]["day"].as_deref(), Some("2020-02-29"));
    etl.convert("dates.parquet -o x --partition-by b").fails(2).says("can't be used in folder names");
    let mut nested = columns;
    nested.push(("list", Arc::new(list)));
    etl.parquet("nested.parquet", nested);
    etl.convert("nested.parquet -o nested --splits 2 --partition-by u64").ok();
    let file = std::fs::File::open(etl.path("nested/u64=18446744073709551615/part-00000.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    for column in reader.metadata().file_metadata().schema_descr().columns() {
        let logical = format!("{:?}", column.logical_type_ref());
        assert!(!logical.contains("is_signed: false"), "{} is {logical}", column.path());
    }
}

#[test]
fn parquet_without_rows_or_with_other_columns() {
    let etl = Etl::new();
    etl.parquet("none.parquet", vec![("a", Arc::new(Int32Array::from(Vec::<i32>::new())))]);
    etl.parquet("some.parquet", vec![("a", Arc::new(Int32Array::from(vec![1])))]);
    etl.parquet("other.parquet", vec![("b", Arc::new(Int32Array::from(vec![1])))]);
    etl.convert("none.parquet -o none --to csv").ok().says("there are no rows");
    assert_eq!(etl.read("none/part-00000.csv"), b"a\n");
    assert_eq!(etl.report("none.parquet some.parquet -o some")["rows"], 1);
    etl.convert("some.parquet other.parquet -o x").fails(3).says("other.parquet and some.parquet have no columns in common");
    let whole = etl.read("some.parquet");
    etl.write("cut.parquet", &whole[..whole.len() - 9])
        .convert("cut.parquet -o x")
        .fails(3)
        .says("cut.parquet is not a whole Parquet file");
    etl.pipe("- -o x --from parquet", &whole).fails(2).says("its footer comes last");
}

#[test]
fn what_can_be_read_only_once_is_read_whole() {
    let etl = Etl::new();
    let log = generated(12_000);
    etl.write("a.log", &log).write("a.gz", gzip(&log));
    for (index, how) in ["", "--splits 3"].iter().enumerate() {
        // A pipe with a name, as bash's `<(…)` makes, looked into to find the format.
        let script = format!(
            "mkfifo p{index} q{index}; (cat a.log > p{index} &); (cat a.gz > q{index} &); '{}' convert p{index} q{index} -o out{index} {how}",
            program().display()
        );
        let output = Command::new("sh").args(["-c", &script]).current_dir(etl.path("")).output().unwrap();
        super::etl::Outcome::of(output).ok().says("24,000 lines = 24,000 rows");
    }
}

#[test]
fn a_window_of_zstd_that_is_too_large_is_told_with_what_to_do() {
    let etl = Etl::new();
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(28).unwrap();
    std::io::Write::write_all(&mut encoder, &generated(5)).unwrap();
    etl.write("a.log.zst", encoder.finish().unwrap());
    let outcome = etl.convert("a.log.zst -o x").fails(3).says("needs a window of more than 128 MiB");
    outcome.says("zstd -dc --long=31 a.log.zst | etl");
}

#[test]
fn a_folder_has_no_file_twice() {
    let etl = Etl::new();
    etl.log("logs/b.log", 5).write("logs/.hidden", "x").write("logs/_SUCCESS", "");
    std::os::unix::fs::symlink("b.log", etl.path("logs/a-current")).unwrap();
    std::os::unix::fs::symlink(".", etl.path("logs/self")).unwrap();
    let report = etl.report("logs -o out");
    assert_eq!((report["rows"].as_u64(), report["sources"].as_array().unwrap().len()), (Some(5), 1));
}

#[test]
fn a_single_column_of_csv_loses_no_row() {
    let etl = Etl::new();
    etl.write("a.json", "{\"a\":\"x\"}\n{\"a\":null}\n{\"a\":\"y\"}\n");
    etl.convert("a.json -o out --to csv").ok();
    assert_eq!(etl.report("out -o again --to json")["rows"], 3);
}

#[test]
fn types_are_told_from_all_files() {
    let etl = Etl::new();
    etl.write("t/1.csv", "a,b\n1,\n").write("t/2.csv", "a,b\n2.5,x\n").write("t/3.csv", "a,b\n3,5\n");
    etl.convert("t -o csv --to json").ok();
    assert_eq!(etl.report("t -o csv2 --to json")["rejects"], 0);
    etl.write("j/1.json", "{\"a\":1}\n").write("j/2.json", "{\"a\":2,\"b\":\"x\"}\n");
    assert_eq!(etl.report("j -o json --to csv")["rows"], 2);
}

#[test]
fn names_that_are_not_utf8_are_found_by_globs_of_queries() {
    use std::os::unix::ffi::OsStrExt;
    let etl = Etl::new();
    etl.log("logs/a.log", 3);
    std::fs::write(etl.path("logs").join(std::ffi::OsStr::from_bytes(b"caf\xe9.log")), generated(4)).unwrap();
    for from in ["logs/*.log", "logs"] {
        let outcome = etl.run(["query", &format!("SELECT count(*) FROM '{from}'"), "--format", "csv"]).ok();
        assert!(String::from_utf8_lossy(&outcome.stdout).ends_with("\n7\n"), "{from}: {}", outcome.stderr);
        assert_eq!(etl.report(&format!("{from} -o out --overwrite"))["rows"], 7);
    }
}

#[test]
fn a_folder_of_two_formats_is_told() {
    let etl = Etl::new();
    etl.log("logs/a.log", 3);
    let line = String::from_utf8(generated(1)).unwrap();
    etl.write("logs/b.log", format!("www.example.com:443 {line}"));
    etl.convert("logs -o out").fails(5).says("no line of logs/b.log can be read").says("logs/b.log looks like vhost_combined");
    let asked = etl.convert("logs -o out --max-reject-rate 100%").ok();
    asked.says("logs/b.log looks like vhost_combined").says("1 reject ").says("every line of logs/b.log was rejected");
}

#[test]
fn times_of_other_zones_are_utc_in_text() {
    use arrow::array::{ArrayRef, NullArray, TimestampMicrosecondArray};
    let etl = Etl::new();
    let time: ArrayRef = std::sync::Arc::new(TimestampMicrosecondArray::from(vec![0, 1_000]).with_timezone("+01:00"));
    let none: ArrayRef = std::sync::Arc::new(NullArray::new(2));
    etl.parquet("t.parquet", vec![("t", time), ("n", none)]);
    etl.convert("t.parquet -o csv --to csv").ok();
    let text = String::from_utf8(etl.read("csv/part-00000.csv")).unwrap();
    assert!(text.contains("1970-01-01 00:00:00") && !text.contains("01:00:00") && !text.contains("\"\""), "{text}");
}

#[test]
fn long_texts_make_pages_of_fewer_rows() {
    let etl = Etl::new();
    let lines: String = (0..1_200).map(|n| format!("{{\"n\":{n},\"t\":\"{n}{}\"}}\n", "x".repeat(40_000))).collect();
    etl.write("a.json", &lines).convert("a.json -o out").ok();
    etl.convert("out -o again --to json").ok();
    assert!(etl.read("again/part-00000.json") == lines.into_bytes());
    let reader = SerializedFileReader::new(std::fs::File::open(etl.path("out/part-00000.parquet")).unwrap()).unwrap();
    let pages = reader.get_row_group(0).unwrap().get_column_page_reader(1).unwrap();
    assert!(pages.filter(|page| page.as_ref().unwrap().is_data_page()).count() > 1);
}
