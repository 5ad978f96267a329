//! Times of all kinds: those that no unit of 64 bits holds, those of other units, and the days of a time zone.

use crate::etl::{Etl, Outcome};
use crate::lake::{Lake, action};
use crate::rows::rows;
use arrow::array::{
    Array, ArrayRef, Int32Array, StructArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray,
};
use arrow::datatypes::Field;
use parquet::data_type::{Int32Type, Int96, Int96Type};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::fs::File;
use std::sync::Arc;

/// A day and the nanoseconds of that day, as INT96 has them: days count from the one that Julian days begin with.
fn int96(days_since_1970: i64, nanos: i64) -> Int96 {
    let mut time = Int96::new();
    time.set_data(nanos as u32, (nanos >> 32) as u32, (days_since_1970 + 2_440_588) as u32);
    time
}

/// A file with the columns `id`, which counts, and `time`, of INT96, where it is not NULL.
fn write_int96(etl: &Etl, name: &str, times: &[Option<Int96>]) {
    let schema = Arc::new(parse_message_type("message rows { optional int32 id; optional int96 time; }").unwrap());
    let mut file = SerializedFileWriter::new(File::create(etl.path(name)).unwrap(), schema, Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let ids: Vec<i32> = (0..times.len() as i32).collect();
    column.typed::<Int32Type>().write_batch(&ids, Some(&vec![1; ids.len()]), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let levels: Vec<i16> = times.iter().map(|time| i16::from(time.is_some())).collect();
    column.typed::<Int96Type>().write_batch(&times.iter().flatten().copied().collect::<Vec<_>>(), Some(&levels), None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
}

fn column(etl: &Etl, folder: &str, name: &str) -> Vec<String> {
    rows(&etl.path(folder)).iter().map(|row| row[name].clone().unwrap_or_default()).collect()
}

fn query(etl: &Etl, sql: &str) -> String {
    String::from_utf8(etl.run(["query", "--format", "csv", sql]).ok().stdout).unwrap()
}

/// The unit of a column's times in a file, as Parquet has it.
fn unit(etl: &Etl, file: &str, leaf: usize) -> String {
    let reader = SerializedFileReader::new(File::open(etl.path(file)).unwrap()).unwrap();
    format!("{:?}", reader.metadata().file_metadata().schema_descr().column(leaf).logical_type_ref())
}

#[test]
fn times_of_int96_are_what_they_say_in_all_years() {
    let etl = Etl::new();
    let noon = 43_200_000_000_000;
    let times = [
        Some(int96(-719_162, 0)),
        Some(int96(-106_753, noon)),
        None,
        Some(int96(18_321, noon + 1_000)),
        Some(int96(18_321, noon + 1_999)),
        Some(int96(106_752, noon)),
        Some(int96(2_932_896, 86_399_999_999_000)),
    ];
    write_int96(&etl, "a.parquet", &times);
    let expected = [
        "0001-01-01 00:00:00.000000",
        "1677-09-20 12:00:00.000000",
        "",
        "2020-02-29 12:00:00.000001",
        "2020-02-29 12:00:00.000001",
        "2262-04-12 12:00:00.000000",
        "9999-12-31 23:59:59.999999",
    ];
    let note = "column `time`: 1 time of INT96 has digits beyond microseconds, which are cut off";
    for to in ["csv", "json"] {
        etl.convert(&format!("a.parquet -o {to} --to {to}")).ok().says(note).says("times of INT96 are read to the microsecond: time");
        assert_eq!(column(&etl, to, "time"), expected, "{to}");
    }
    // Counted once, also where the file is read twice.
    etl.convert("a.parquet -o two --to csv --splits 2 --partition-by dt").ok().says(note);
    assert!(etl.path("two/dt=0001-01-01/part-00000.csv").exists() && etl.path("two/dt=9999-12-31/part-00000.csv").exists());
    etl.convert("a.parquet -o parquet").ok();
    let micros = |text: &str| format!("arrow_cast('{text}', 'Timestamp(Microsecond, None)')");
    for path in ["a.parquet", "parquet/part-00000.parquet"] {
        let found = query(&etl, &format!("SELECT time FROM '{path}' WHERE time > {} ORDER BY id", micros("2262-04-12 00:00:00")));
        assert_eq!(found, "time\n2262-04-12 12:00:00.000000\n9999-12-31 23:59:59.999999\n", "{path}");
        assert_eq!(query(&etl, &format!("SELECT count(*) FROM '{path}' WHERE time < {}", micros("1677-09-21 00:00:00"))), "count(*)\n2\n");
    }
    etl.run(["query", "SELECT count(*) FROM 'a.parquet'"]).ok().says("times of INT96 are read to the microsecond");
    let inspected: serde_json::Value = serde_json::from_slice(&etl.run(["inspect", "--json", "a.parquet"]).ok().stdout).unwrap();
    let time = &inspected["columns"][1];
    assert_eq!([&time["min"], &time["max"]], ["0001-01-01 00:00:00.000000", "9999-12-31 23:59:59.999999"], "{inspected}");
}

#[test]
fn times_of_int96_within_others_are_read_as_such() {
    let etl = Etl::new();
    // A list as Hive writes it.
    let message = "message rows { optional group visit { optional int32 id; optional int96 at; } optional int96 time;
        optional group all (LIST) { repeated group bag { optional int96 array_element; } } }";
    let schema = Arc::new(parse_message_type(message).unwrap());
    let mut file = SerializedFileWriter::new(File::create(etl.path("a.parquet")).unwrap(), schema, Arc::default()).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut ids = group.next_column().unwrap().unwrap();
    ids.typed::<Int32Type>().write_batch(&[1], Some(&[2]), None).unwrap();
    ids.close().unwrap();
    for level in [2, 1] {
        let mut times = group.next_column().unwrap().unwrap();
        times.typed::<Int96Type>().write_batch(&[int96(376_200, 1)], Some(&[level]), None).unwrap();
        times.close().unwrap();
    }
    let mut times = group.next_column().unwrap().unwrap();
    times.typed::<Int96Type>().write_batch(&[int96(376_200, 0), int96(-200_000, 0)], Some(&[3, 3]), Some(&[0, 1])).unwrap();
    times.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
    let outcome = etl.convert("a.parquet -o json --to json").ok();
    let text = String::from_utf8(etl.read("json/part-00000.json")).unwrap();
    let row: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (at, before) = ("3000-01-01 00:00:00.000000", "1422-06-03 00:00:00.000000");
    assert_eq!(row, serde_json::json!({"visit": {"id": 1, "at": at}, "time": at, "all": [at, before]}));
    outcome.says("column `visit`: 1 time of INT96").says("column `time`: 1 time of INT96");
    let found = etl.run(["query", "--format", "json", "SELECT visit, time, \"all\" FROM 'a.parquet'"]).ok();
    assert_eq!(String::from_utf8(found.stdout).unwrap(), text);
}

#[test]
fn a_time_of_int96_that_no_timestamp_holds_is_an_error() {
    let etl = Etl::new();
    write_int96(&etl, "a.parquet", &[Some(int96(0, 0)), Some(int96(i64::from(i32::MAX) - 2_440_588, 0))]);
    etl.convert("a.parquet -o out --to csv").fails(3).says("a.parquet").says("column `time`").says("no timestamp holds");
    assert!(!etl.path("out").exists());
}

#[test]
fn days_and_hours_are_those_of_times_of_any_unit() {
    let etl = Etl::new();
    let second = 1_582_934_402;
    let arrays: [(&str, ArrayRef); 5] = [
        ("s", Arc::new(TimestampSecondArray::from(vec![second, -1]))),
        ("ms", Arc::new(TimestampMillisecondArray::from(vec![second * 1_000, -1]).with_timezone("UTC"))),
        ("us", Arc::new(TimestampMicrosecondArray::from(vec![second * 1_000_000, -1]))),
        ("zone", Arc::new(TimestampMicrosecondArray::from(vec![second * 1_000_000, -1]).with_timezone("Asia/Tokyo"))),
        ("ns", Arc::new(TimestampNanosecondArray::from(vec![second * 1_000_000_000, -1]))),
    ];
    for (name, array) in arrays {
        etl.parquet("a.parquet", vec![("id", Arc::new(Int32Array::from(vec![1, 2]))), ("at", array)]);
        etl.convert(&format!("a.parquet -o {name} --to csv --partition-by dt,hour")).ok();
        let day = |folder: &str| column(&etl, &format!("{name}/{folder}"), "id");
        assert_eq!((day("dt=2020-02-29/hour=00"), day("dt=1969-12-31/hour=23")), (vec!["1".to_string()], vec!["2".to_string()]), "{name}");
    }
}

#[test]
fn parquet_has_times_that_its_readers_know() {
    let etl = Etl::new();
    let nanos: ArrayRef =
        Arc::new(TimestampNanosecondArray::from(vec![Some(1_582_934_402_000_001_000), Some(-1), None]).with_timezone("UTC"));
    let micros: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![Some(1_582_934_402_000_001), Some(-1), None]));
    let seconds: ArrayRef = Arc::new(TimestampSecondArray::from(vec![Some(1_582_934_402), Some(-1), None]));
    etl.parquet("a.parquet", vec![("ns", nanos), ("us", micros), ("s", seconds)]);
    for (option, units, lost) in [
        ("", ["MILLIS", "MICROS", "MILLIS"], &[("ns", 2, "milli")][..]),
        ("--timestamps millis", ["MILLIS", "MILLIS", "MILLIS"], &[("ns", 2, "milli"), ("us", 2, "milli")]),
        ("--timestamps micros", ["MICROS", "MICROS", "MICROS"], &[("ns", 1, "micro")]),
        ("--timestamps keep", ["NANOS", "MICROS", "MILLIS"], &[]),
    ] {
        let report = etl.report(&format!("a.parquet -o out --overwrite {option}"));
        for (leaf, expected) in units.into_iter().enumerate() {
            let unit = unit(&etl, "out/part-00000.parquet", leaf);
            assert!(unit.contains(expected), "{option}: {unit} is not {expected}");
        }
        let notes: Vec<&str> = report["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect();
        assert_eq!(notes.len(), lost.len(), "{option}: {notes:?}");
        for (note, (column, values, unit)) in notes.iter().zip(lost) {
            assert!(note.starts_with(&format!("column `{column}`: {values} time")) && note.contains(unit), "{note}");
        }
    }
    let found = query(&etl, "SELECT ns, us, s FROM 'out/*.parquet'");
    assert!(found.contains("2020-02-29 00:00:02.000001000,2020-02-29 00:00:02.000001,2020-02-29 00:00:02.000"), "{found}");
    // Text has the digits that there are, unless it is told to have others.
    etl.convert("a.parquet -o csv --to csv").ok();
    assert_eq!(column(&etl, "csv", "ns"), ["2020-02-29 00:00:02.000001000", "1969-12-31 23:59:59.999999999", ""]);
    etl.convert("a.parquet -o millis --to json --timestamps millis").ok().says("column `ns`: 2 times");
    assert_eq!(column(&etl, "millis", "ns"), ["2020-02-29 00:00:02.000", "1969-12-31 23:59:59.999", ""]);
    // A result of SQL is written as any other.
    let sql = "SELECT arrow_cast(TIMESTAMP '2020-02-29 00:00:02.000000001', 'Timestamp(Nanosecond, None)') AS t";
    let outcome = etl.run(["query", "--format", "parquet", sql]).ok().says("column `t`: 1 time has digits beyond milliseconds");
    etl.write("q.parquet", &outcome.stdout);
    assert!(unit(&etl, "q.parquet", 0).contains("MILLIS"));
}

#[test]
fn a_partition_of_a_time_is_called_as_hive_calls_it() {
    let etl = Etl::new();
    let times: ArrayRef = Arc::new(
        TimestampMicrosecondArray::from(vec![Some(1_582_934_402_000_000), Some(1_582_934_402_500_000), Some(-1), None])
            .with_timezone("UTC"),
    );
    etl.parquet("a.parquet", vec![("id", Arc::new(Int32Array::from(vec![1, 2, 3, 4]))), ("at", times)]);
    etl.convert("a.parquet -o out --partition-by at").ok();
    let expected = [
        "at=1969-12-31 23%3A59%3A59.999999",
        "at=2020-02-29 00%3A00%3A02",
        "at=2020-02-29 00%3A00%3A02.5",
        "at=__HIVE_DEFAULT_PARTITION__",
    ];
    assert_eq!(etl.names("out").into_iter().filter(|name| name.starts_with("at=")).collect::<Vec<_>>(), expected);
    assert_eq!(query(&etl, "SELECT id, at FROM 'out' ORDER BY id"), query(&etl, "SELECT id, at FROM 'a.parquet' ORDER BY id"));
    assert_eq!(query(&etl, "SELECT id FROM 'out' WHERE at > TIMESTAMP '2020-02-29 00:00:02'"), "id\n2\n");
}

#[test]
fn a_table_has_the_times_that_its_partitions_are_called_by() {
    let lake = Lake::in_folder();
    let times: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from(vec![1_582_934_402_000_001, 1_582_934_402_500_000]).with_timezone("UTC"));
    lake.parquet("a.parquet", vec![("id", Arc::new(Int32Array::from(vec![1, 2]))), ("at", times)]);
    let outputs = "outputs: {t: {from: raw, table: db.t, partition_by: [at]}}";
    lake.pipeline(
        "t.yaml",
        format!("version: 1\nname: t\nlake: {{location: lake}}\nsources: {{raw: {{location: a.parquet}}}}\n{outputs}\n"),
    );
    let report = lake.run_pipeline("t.yaml", 0);
    // Tables have milliseconds, and so have the names of their folders.
    assert!(report["notes"].to_string().contains("column `at`: 1 time has digits"), "{report}");
    assert!(lake.below("db").iter().any(|key| key.contains("/at=2020-02-29 00%3A00%3A02/")), "{:?}", lake.below("db"));
    assert_eq!(lake.value("SELECT at FROM db.t WHERE id = 2"), "2020-02-29 00:00:02.500");
    assert_eq!(lake.value("SELECT id FROM db.t WHERE at < TIMESTAMP '2020-02-29 00:00:02.1'"), "1");
}

#[test]
fn dt_and_hour_are_what_the_clocks_of_a_zone_show() {
    let etl = Etl::new();
    let log = |times: &[&str]| -> String {
        times.iter().map(|time| format!("192.0.2.1 - - [{time} +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"\n")).collect()
    };
    etl.write("a.log", log(&["29/Feb/2020:14:59:59", "29/Feb/2020:15:00:00", "25/Oct/2020:00:30:00", "25/Oct/2020:01:30:00"]));
    let folders = |zone: &str| -> Vec<String> {
        etl.convert(&format!("a.log -o out --to csv --overwrite --partition-by dt,hour --timezone {zone}")).ok();
        let mut folders = Vec::new();
        for day in etl.names("out").into_iter().filter(|name| name.starts_with("dt=")) {
            for hour in etl.names(&format!("out/{day}")) {
                let times = column(&etl, &format!("out/{day}/{hour}"), "time").join(" ");
                folders.push(format!("{} {}: {times}", &day[3..], &hour[5..]));
            }
        }
        folders
    };
    assert_eq!(
        folders("Asia/Tokyo"),
        [
            "2020-02-29 23: 2020-02-29 14:59:59.000",
            "2020-03-01 00: 2020-02-29 15:00:00.000",
            "2020-10-25 09: 2020-10-25 00:30:00.000",
            "2020-10-25 10: 2020-10-25 01:30:00.000"
        ]
    );
    assert_eq!(
        folders("Asia/Kolkata")[..2],
        ["2020-02-29 20: 2020-02-29 14:59:59.000 2020-02-29 15:00:00.000", "2020-10-25 06: 2020-10-25 00:30:00.000"][..]
    );
    // The hour that comes twice when summer ends is one folder.
    assert_eq!(folders("Europe/Berlin")[2], "2020-10-25 02: 2020-10-25 00:30:00.000 2020-10-25 01:30:00.000");
    // With files cut by row the folders are counted first, by the same clock.
    etl.convert("a.log -o split --to csv --partition-by dt --timezone Asia/Tokyo --splits 1").ok();
    assert!(etl.path("split/dt=2020-03-01/part-00000.csv").exists());
    let wrong = |arguments: &str| -> Outcome { etl.convert(&format!("a.log -o x --to csv {arguments}")).fails(2) };
    wrong("--partition-by dt --timezone Asia/Tokio").says("did you mean `Asia/Tokyo`?");
    wrong("--partition-by status --timezone Asia/Tokyo").says("--partition-by has neither");
    wrong("--timezone Asia/Tokyo").says("--partition-by");
}

const ZONED: &str = "
version: 1
name: zoned
timezone: Asia/Tokyo
lake: {location: lake}
sources:
  access: {location: a.log}
outputs:
  days: {from: access, table: web.days, partition_by: [dt], mode: append}
  utc: {from: access, table: web.utc, partition_by: [dt], timezone: UTC, mode: append}
";

#[test]
fn a_pipeline_has_the_days_of_its_zone() {
    let lake = Lake::in_folder();
    lake.write("a.log", "192.0.2.1 - - [29/Feb/2020:15:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"\n");
    lake.pipeline("zoned.yaml", ZONED);
    let plan = String::from_utf8(lake.etl("plan --detailed-exitcode zoned.yaml").fails(2).stdout).unwrap();
    assert!(plan.contains("days in Asia/Tokyo"), "{plan}");
    let report = lake.run_pipeline("zoned.yaml", 0);
    assert!(report["notes"].to_string().contains("days: dt and hour are in Asia/Tokyo"), "{report}");
    let days = || [lake.value("SELECT dt FROM web.days"), lake.value("SELECT dt FROM web.utc"), lake.value("SELECT time FROM web.days")];
    assert_eq!(days(), ["2020-03-01", "2020-02-29", "2020-02-29 15:00:00.000"]);
    // Another zone makes other folders of the same rows, so that all are rebuilt.
    lake.pipeline("zoned.yaml", ZONED.replace("Asia/Tokyo", "Europe/Berlin"));
    let report = lake.run_pipeline("zoned.yaml", 0);
    assert_eq!((action(&report, "days"), action(&report, "utc")), ("replaced", "unchanged"), "{report}");
    assert_eq!(days(), ["2020-02-29", "2020-02-29", "2020-02-29 15:00:00.000"]);
    lake.pipeline("zoned.yaml", ZONED.replace("Asia/Tokyo", "Asia/Tokio").replace("partition_by: [dt], timezone: UTC", "timezone: UTC"));
    lake.etl("validate zoned.yaml").fails(2).says("did you mean `Asia/Tokyo`?").says("`partition_by` has neither");
}

const UNITS: &str = "
version: 1
name: units
lake: {location: lake}
sources:
  raw: {location: a.parquet}
transforms:
  again: {sql: SELECT * FROM raw}
outputs:
  direct: {from: raw, table: t.direct}
  by_sql: {from: again, table: t.by_sql, format: json}
  micros: {from: again, table: t.micros, timestamps: micros}
";

#[test]
fn tables_have_milliseconds_unless_they_are_told_others() {
    let lake = Lake::in_folder();
    let nanos: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![1_582_934_402_000_001_000, 1_582_934_402_007_000_000]));
    lake.parquet("a.parquet", vec![("at", nanos)]);
    lake.pipeline("units.yaml", UNITS);
    let report = lake.run_pipeline("units.yaml", 0);
    let notes = report["notes"].to_string();
    for output in ["direct", "by_sql"] {
        assert!(notes.contains(&format!("{output}: column `at`: 1 time has digits beyond milliseconds")), "{notes}");
        assert_eq!(lake.value(&format!("SELECT max(at) FROM t.{output}")), "2020-02-29 00:00:02.007");
    }
    assert!(!notes.contains("micros: column"), "{notes}");
    for (table, expected) in [("direct", "MILLIS"), ("micros", "MICROS")] {
        let file = lake.below(&format!("t/{table}")).into_iter().find(|key| key.ends_with(".parquet")).unwrap();
        assert!(unit(&lake, &format!("lake/{file}"), 0).contains(expected), "{table}");
    }
    // Another unit makes the files anew.
    lake.pipeline("units.yaml", UNITS.replace("timestamps: micros", "timestamps: keep"));
    let report = lake.run_pipeline("units.yaml", 0);
    assert_eq!((action(&report, "micros"), action(&report, "direct")), ("replaced", "unchanged"), "{report}");
    lake.pipeline("units.yaml", UNITS.replace("format: json", "format: json, timestamps: micros"));
    lake.etl("validate units.yaml").fails(2).says("times in text files with milliseconds");
    lake.pipeline("units.yaml", UNITS.replace("timestamps: micros", "timestamps: micro"));
    lake.etl("validate units.yaml").fails(2).says("did you mean `micros`?");
}

#[test]
fn microseconds_of_a_log_are_written_or_told() {
    let lake = Lake::in_folder();
    lake.write("logs/a.log", "1.2.3.4 1582934402123456\n1.2.3.4 1582934402123000\n");
    let convert = |how: &str| {
        let fixed = ["convert", "logs/a.log", "-o", "out", "--overwrite", "--log-format", "%h %{usec}t"];
        lake.run(fixed.into_iter().chain(how.split_whitespace())).ok()
    };
    convert("--to csv");
    assert_eq!(column(&lake, "out", "time"), ["2020-02-29 00:00:02.123456", "2020-02-29 00:00:02.123000"]);
    convert("--to parquet");
    assert!(unit(&lake, "out/part-00000.parquet", 1).contains("MICROS"));
    convert("--to parquet --timestamps millis").says("column `time`: 1 time has digits beyond milliseconds, which are cut off");
    assert!(unit(&lake, "out/part-00000.parquet", 1).contains("MILLIS"));
    let sql = "SELECT max(time) AS t FROM 'logs/a.log'";
    let found = lake.run(["query", "--format", "csv", "--log-format", "%h %{usec}t", sql]).ok();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "t\n2020-02-29 00:00:02.123456\n");
    let pipeline = "
version: 1
name: micros
lake: {location: lake}
sources:
  log: {location: logs/*.log, log_format: '%h %{usec}t'}
outputs:
  cut: {from: log, table: t.cut}
  kept: {from: log, table: t.kept, timestamps: keep}
";
    lake.pipeline("micros.yaml", pipeline);
    let notes = lake.run_pipeline("micros.yaml", 0)["notes"].to_string();
    assert!(notes.contains("cut: column `time`: 1 time has digits beyond milliseconds") && !notes.contains("kept: column"), "{notes}");
    for (table, expected) in [("cut", "MILLIS"), ("kept", "MICROS")] {
        let file = lake.below(&format!("t/{table}")).into_iter().find(|key| key.ends_with(".parquet")).unwrap();
        assert!(unit(&lake, &format!("lake/{file}"), 1).contains(expected), "{table}");
    }
}

const FINE: &str = "
version: 1
name: fine
lake: {location: lake}
sources:
  raw: {location: a*.parquet}
outputs:
  micros: {from: raw, table: t.micros, timestamps: micros}
  keep: {from: raw, table: t.keep, timestamps: keep}
  by_time: {from: raw, table: t.by_time, timestamps: micros, partition_by: [at]}
  added: {from: raw, table: t.added, mode: append}
verify:
  - {name: first, value: {sql: SELECT min(at) FROM t.micros, equals: '1969-12-31 23:59:59.999999'}}
";

#[test]
fn a_lake_shows_times_in_the_units_of_its_files() {
    let lake = Lake::in_folder();
    let nanos = |values: &[i64]| -> ArrayRef { Arc::new(TimestampNanosecondArray::from(values.to_vec()).with_timezone("UTC")) };
    let object = |array: ArrayRef| -> ArrayRef {
        let field = Arc::new(Field::new("seen", array.data_type().clone(), true));
        Arc::new(StructArray::from(vec![(field, array)]))
    };
    let ids: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
    let times = nanos(&[-1_000, 1_000, 2_000]);
    lake.parquet("a.parquet", vec![("id", ids), ("at", times.clone()), ("o", object(times))]);
    lake.pipeline("fine.yaml", FINE);
    lake.run_pipeline("fine.yaml", 0);
    for (table, digits) in [("micros", ""), ("keep", "000"), ("by_time", "")] {
        let value = |sql: &str| lake.value(&sql.replace("TABLE", &format!("t.{table}")));
        assert_eq!(
            value("SELECT at, cast(at AS date) AS day FROM TABLE WHERE id = 1"),
            format!("1969-12-31 23:59:59.999999{digits},1969-12-31")
        );
        assert_eq!(value("SELECT count(DISTINCT at), count(DISTINCT o['seen']) FROM TABLE"), "3,3");
        assert_eq!(value("SELECT id FROM TABLE WHERE at = '1970-01-01 00:00:00.000002'"), "3");
        assert_eq!(value("SELECT o['seen'] FROM TABLE WHERE id = 2"), format!("1970-01-01 00:00:00.000001{digits}"));
    }
    assert_eq!(lake.value("SELECT min(at), count(DISTINCT at) FROM t.added"), "1969-12-31 23:59:59.999,2");
    // The files that are there have milliseconds, those that are added have more.
    let (ids, times): (ArrayRef, _) = (Arc::new(Int32Array::from(vec![4])), nanos(&[-2_000]));
    lake.parquet("a2.parquet", vec![("id", ids), ("at", times.clone()), ("o", object(times))]);
    lake.pipeline("fine.yaml", FINE.replace("mode: append", "mode: append, timestamps: micros").replace(".999999'", ".999998000'"));
    lake.run_pipeline("fine.yaml", 0);
    let sql = "SELECT string_agg(cast(at AS string), ' ' ORDER BY id) FROM t.added";
    let found = "1969-12-31T23:59:59.999Z 1970-01-01T00:00:00Z 1970-01-01T00:00:00Z 1969-12-31T23:59:59.999998Z";
    assert_eq!(lake.value(sql), found);
    lake.pipeline("fine.yaml", FINE.replace("mode: append", "mode: append, timestamps: millis").replace(".999999'", ".999998'"));
    lake.parquet("a3.parquet", vec![("id", Arc::new(Int32Array::from(vec![5]))), ("at", nanos(&[0])), ("o", object(nanos(&[0])))]);
    lake.run_pipeline("fine.yaml", 0);
    assert_eq!(lake.value("SELECT at FROM t.added WHERE id = 4"), "1969-12-31 23:59:59.999998");
}
