//! What comes out is what went in, whatever the format, the threads and the way in.

use super::etl::{Etl, bzip2, generated, gzip, zstd};
use super::rows::{files, named, rows};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Lines that a format could get wrong.
const HARD: &[u8] = b"\
h - - [29/Feb/2020:00:00:02 +0000] \"GET /a,b;c HTTP/1.1\" 200 5 \"\" \"say \\\"hi\\\", \\\\ and \\x41\"
h - \\\"quoted user\\\" [29/Feb/2020:00:00:02 -0130] \"GET /?q=1&r='x' HTTP/1.1\" 304 - \"-\" \"\xc3\xa9\xe2\x82\xac\"
h - - [01/Jan/1970:00:00:00 +0000] \"\" 400 0 \"-\" \"\xff\xfe bytes\"
h - - [31/Dec/2999:23:59:59 +0000] \"\\x16\\x03\\x01\" 400 18446744073 \"-\" \"tab\\tnew\\nline\"
::1 - u [29/Feb/2020:00:00:18 +0000] \"OPTIONS * HTTP/1.0\" 200 110 \"http://x/?a=,\\\"\" \"{\\\"json\\\":1}\"
";

#[test]
fn formats_and_compressions_hold_the_same_cells() {
    let etl = Etl::new();
    etl.write("a.log", [HARD, &generated(1_500)].concat());
    for unescape in ["", " --unescape"] {
        let mut known = None;
        for (to, codecs) in [("csv", &["none", "gzip"][..]), ("json", &["none", "gzip"]), ("parquet", &["none", "snappy", "zstd", "gzip"])]
        {
            for (codec, splits) in codecs.iter().zip([1, 7, 3, 2]) {
                let out = format!("out{}-{to}-{codec}", unescape.len());
                etl.convert(&format!("a.log -o {out} --to {to} --compression {codec} --splits {splits} --log-format combined{unescape}"))
                    .ok();
                let got = rows(&etl.path(&out));
                assert_eq!((got.len(), files(&etl.path(&out)).len()), (1_505, splits));
                match &known {
                    None => known = Some(got),
                    Some(known) => assert!(*known == got, "{out} has other cells"),
                }
            }
        }
        let known = known.unwrap();
        let agent = known[0]["user_agent"].as_deref().unwrap();
        assert_eq!(agent, if unescape.is_empty() { "say \\\"hi\\\", \\\\ and \\x41" } else { "say \"hi\", \\ and A" });
        assert_eq!(known[0]["referer"].as_deref(), Some(""));
        assert_eq!(known[1]["referer"], None);
        assert_eq!(known[1]["time"].as_deref(), Some("2020-02-29 01:30:02.000"));
    }
}

#[test]
fn output_bytes_do_not_depend_on_threads_or_the_way_in() {
    let etl = Etl::new();
    let log = generated(20_000);
    etl.write("a.log", &log).write("a.gz", gzip(&log)).write("a.zst", zstd(&log)).write("a.bz2", bzip2(&log));
    let (first, second) = log.split_at(log.len() / 2);
    etl.write("members.gz", [gzip(first), gzip(second)].concat());
    for how in ["--to parquet --splits 3", "--to csv --compression gzip", "--to json --target-size 1MB", "--to parquet --partition-by dt"] {
        etl.convert(&format!("a.log -o plain {how} --threads 1 --overwrite")).ok();
        let bytes = |folder: &str| -> Vec<(String, Vec<u8>)> {
            let root = etl.path(folder);
            let name = |path: &std::path::Path| path.strip_prefix(&root).unwrap().display().to_string();
            files(&root).iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
        };
        let known = bytes("plain");
        for input in ["a.log --threads 4", "a.gz", "a.zst", "a.bz2 --threads 3", "members.gz"] {
            etl.convert(&format!("{input} -o other {how} --overwrite")).ok();
            assert!(bytes("other") == known, "{input} {how}");
        }
        etl.pipe(&format!("- -o other {how} --overwrite"), &log).ok();
        assert!(bytes("other") == known, "standard input {how}");
    }
}

/// A CSV of all types whose columns have runs of NULLs, of few values, of many, and of ever greater ones.
fn many_kinds(rows: u64) -> String {
    let mut text = String::from("few,many,up,down,double,flag,day,at,long_text,none,late\n");
    let mut state = 1u64;
    for row in 0..rows {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let chance = state >> 33;
        let null = |value: String, share: u64| if chance.is_multiple_of(share) || row / 25_000 == 1 { String::new() } else { value };
        let late = if row > rows - 10 { "x" } else { "" };
        text.push_str(&format!(
            "{},{},{row},{},{},{},2020-02-{:02},2020-02-29 01:02:{:02}.{:03},{},,{late}\n",
            null(format!("v{}", chance % 5), 7),
            null(format!("{chance}"), 3),
            (rows - row) as i64 * -1_000_000_007,
            null(format!("{}.5", chance % 1_000), 2),
            null(chance.is_multiple_of(2).to_string(), 5),
            chance % 28 + 1,
            row / 1_000 % 60,
            row % 1_000,
            null(format!("\"{}, {}\"", "text ".repeat((chance % 9) as usize), row / 3), 11),
        ));
    }
    text
}

#[test]
fn large_files_of_all_types_hold_the_same_cells() {
    let etl = Etl::new();
    etl.log("a.log", 45_000).write("b.csv", many_kinds(60_000));
    for input in ["a.log", "b.csv"] {
        etl.convert(&format!("{input} -o csv --to csv --overwrite")).ok();
        let known = rows(&etl.path("csv"));
        for how in ["--to parquet", "--to parquet --compression none --splits 3", "--to json"] {
            etl.convert(&format!("{input} -o other --overwrite {how}")).ok();
            assert!(rows(&etl.path("other")) == known, "{input} {how}");
        }
    }
}

#[test]
fn a_large_stream_gives_the_bytes_that_the_file_gives() {
    let etl = Etl::new();
    let mut log = generated(170_000);
    // A line across the place where the second unit begins.
    log.splice((32 << 20) - 40..(32 << 20) - 40, std::iter::repeat_n(b'y', 3_000));
    etl.write("a.log", &log).write("a.gz", gzip(&log));
    for how in ["--to csv --compression gzip", "--to parquet", "--to parquet --splits 3"] {
        let read = |etl: &Etl| files(&etl.path("out")).iter().map(|path| std::fs::read(path).unwrap()).collect::<Vec<_>>();
        etl.convert(&format!("a.log -o out --overwrite {how} --threads 1")).ok();
        let known = read(&etl);
        etl.convert(&format!("a.log -o out --overwrite {how} --threads 3")).ok();
        assert!(read(&etl) == known, "threads {how}");
        etl.convert(&format!("a.gz -o out --overwrite {how}")).ok();
        assert!(read(&etl) == known, "gzip {how}");
        etl.pipe(&format!("- -o out --overwrite {how}"), &log).ok();
        assert!(read(&etl) == known, "standard input {how}");
    }
}

/// What Athena's OpenCSVSerde makes of a line: `\\` escapes, and quotes are no part of a value.
fn open_csv(line: &str) -> Vec<Option<String>> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted && chars.peek().is_some_and(|next| "\\\"".contains(*next)) => field.extend(chars.next()),
            '\\' => {}
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(Some(std::mem::take(&mut field))),
            c => field.push(c),
        }
    }
    fields.push(Some(field));
    fields
}

#[test]
fn athena_reads_its_dialect_back_unchanged() {
    let etl = Etl::new();
    etl.write("a.log", [HARD, &generated(500)].concat());
    etl.convert("a.log -o athena --to csv --dialect athena --log-format combined").ok();
    etl.convert("a.log -o json --to json --log-format combined").ok();
    let text = String::from_utf8(etl.read("athena/part-00000.csv")).unwrap();
    let read = named(text.lines().map(open_csv).collect());
    let expected = rows(&etl.path("json"));
    assert_eq!(read.len(), expected.len());
    for (read, mut expected) in read.into_iter().zip(expected) {
        // This reader has no NULL.
        expected.values_mut().for_each(|value| *value = Some(value.take().unwrap_or_default()));
        assert_eq!(read, expected);
    }
}

#[test]
fn etl_reads_athenas_dialect_back() {
    let etl = Etl::new();
    etl.write("a.log", [HARD, &generated(500)].concat());
    etl.convert("a.log -o athena --to csv --dialect athena --log-format combined").ok();
    etl.convert("athena/part-00000.csv -o back --to json --from-dialect athena").ok();
    etl.convert("a.log -o json --to json --log-format combined").ok();
    // NULL and an empty text can be told apart here, too.
    assert_eq!(rows(&etl.path("back")), rows(&etl.path("json")));
    let text = |path: &str| {
        let sql = format!("SELECT host, path, request, referer, user_agent FROM '{path}'");
        etl.run(["query", sql.as_str(), "--format", "json", "--from-dialect", "athena"]).ok().stdout
    };
    assert!(text("athena/part-00000.csv") == text("json/part-00000.json"));
    etl.run(["inspect", "athena", "--from-dialect", "athena"]).ok();
}

const PIECES: [&str; 11] = ["\\", "\"", ",", "\n", "\r", "n", "a", "'", "\t", "ü", " "];

/// A value that CSV may have trouble with.
fn hard_text() -> impl Strategy<Value = Option<String>> {
    option::of(vec(select(&PIECES[..]), 0..8).prop_map(|pieces| pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any text comes back; of line ends in values, what the dialect is said to make of them.
    #[test]
    fn any_text_is_read_back_from_both_dialects(table in vec((hard_text(), hard_text()), 1..40)) {
        let etl = Etl::new();
        let json = |a: &Option<String>, b: &Option<String>| serde_json::json!({ "a": a, "b": b, "c": 1 }).to_string();
        etl.write("in.json", table.iter().map(|(a, b)| json(a, b) + "\n").collect::<String>());
        etl.write("schema.yaml", "name: t\ncolumns:\n  - {name: a, type: string}\n  - {name: b, type: string}\n  - {name: c, type: int}\n");
        for dialect in ["rfc4180", "athena"] {
            etl.convert(&format!("in.json -o csv --to csv --dialect {dialect} --schema schema.yaml --overwrite")).ok();
            etl.convert(&format!("csv -o back --from csv --to json --from-dialect {dialect} --schema schema.yaml --overwrite")).ok();
            let text = |text: &Option<String>| match dialect {
                "athena" => text.as_ref().map(|text| text.replace('\n', "\\n").replace('\r', "\\r")),
                _ => text.clone(),
            };
            let expected: Vec<_> = table.iter().map(|(a, b)| (text(a), text(b))).collect();
            let read: Vec<_> = rows(&etl.path("back")).into_iter().map(|mut row| (row.remove("a").flatten(), row.remove("b").flatten())).collect();
            prop_assert_eq!(read, expected, "{}", dialect);
        }
    }
}

#[test]
fn parquet_is_what_athena_can_read() {
    use parquet::basic::{ConvertedType, Type};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let etl = Etl::new();
    etl.log("a.log", 3_000).convert("a.log -o out").ok();
    let options = parquet::file::serialized_reader::ReadOptionsBuilder::new().with_page_index().build();
    let file = std::fs::File::open(etl.path("out/part-00000.parquet")).unwrap();
    let reader = SerializedFileReader::new_with_options(file, options).unwrap();
    let metadata = reader.metadata();
    let pairs = metadata.file_metadata().key_value_metadata().unwrap();
    let pair = |key: &str| pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone());
    assert_eq!(pair("etl.source_format").as_deref(), Some("combined"));
    assert!(pair("etl.log_format").unwrap().starts_with("%h %l %u %t"));
    // Readers other than arrow's would have to understand a schema that is not Parquet's own.
    assert_eq!(pair("ARROW:schema"), None);
    assert!(metadata.column_index().is_some() && metadata.offset_index().is_some());
    for column in metadata.row_group(0).columns() {
        let name = column.column_descr().name();
        assert!(column.statistics().is_some(), "{name}");
        let converted = column.column_descr().converted_type();
        match name {
            "time" => {
                assert_eq!(column.column_type(), Type::INT64);
                assert_eq!(converted, ConvertedType::TIMESTAMP_MILLIS);
                assert!(format!("{:?}", column.column_descr().logical_type_ref()).contains("adjusted_to_u_t_c: true"));
                assert!(column.encodings().any(|e| e == parquet::basic::Encoding::DELTA_BINARY_PACKED));
            }
            "status" => assert_eq!(column.column_type(), Type::INT32),
            "bytes" => assert_eq!(column.column_type(), Type::INT64),
            _ => assert_eq!((column.column_type(), converted), (Type::BYTE_ARRAY, ConvertedType::UTF8), "{name}"),
        }
    }
}
