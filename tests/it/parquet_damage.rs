//! Parquet that isn't as it was written: a changed byte, a footer that says what can't be, pages that would fill the memory.

use super::etl::Etl;
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, ListArray, RecordBatch, StringArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::Int32Type;
use etl::error::{Error, ErrorKind, Result};
use etl::input::{RowGroup, Table, TableFormat, TableOptions, footer, resolve};
use etl::query::{QueryEngine, QueryOptions};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Files of all kinds of columns, as `etl` writes them.
fn files(etl: &Etl) -> Vec<String> {
    let rows = 700;
    let some = |row: i32| (row % 7 != 3).then_some(row);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("float", Arc::new(Float64Array::from_iter((0..rows).map(|row| some(row).map(|row| f64::from(row % 30) / 3.0))))),
        ("flag", Arc::new(BooleanArray::from_iter((0..rows).map(|row| some(row).map(|row| row % 5 == 1))))),
        ("date", Arc::new(Date32Array::from_iter((0..rows).map(some)))),
        (
            "price",
            Arc::new(Decimal128Array::from_iter((0..rows).map(|row| some(row).map(i128::from))).with_precision_and_scale(20, 2).unwrap()),
        ),
        ("raw", Arc::new(BinaryArray::from_iter((0..rows).map(|row| some(row).map(|row| row.to_string()))))),
        (
            "list",
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>((0..rows).map(|row| some(row).map(|row| vec![Some(row), None])))),
        ),
    ];
    write(etl, "others.parquet", RecordBatch::try_from_iter(columns).unwrap(), WriterProperties::default());
    etl.log("a.log", 600);
    let mut made = Vec::new();
    for input in ["a.log", "others.parquet"] {
        for codec in ["zstd", "gzip", "snappy", "none"] {
            etl.convert(&format!("{input} -o {input}-{codec} --to parquet --compression {codec}")).ok();
            made.push(format!("{input}-{codec}/part-00000.parquet"));
        }
    }
    made
}

fn write(etl: &Etl, name: &str, batch: RecordBatch, properties: WriterProperties) {
    let mut writer = ArrowWriter::try_new(File::create(etl.path(name)).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn table(path: &Path) -> Result<Table> {
    Table::open(resolve(&[path.display().to_string()])?, &TableOptions::default())
}

/// The rows as a conversion reads them.
fn read(path: &Path) -> Result<RecordBatch> {
    let table = table(path)?;
    let TableFormat::Parquet { schema } = &table.format else { panic!("{} is no Parquet", path.display()) };
    let source = &table.sources[0];
    let footer = footer(&source.open_random()?.unwrap(), &source.path)?;
    let mut batches = Vec::new();
    for group in 0..footer.metadata().num_row_groups() {
        for batch in RowGroup::open(source, &footer, group, schema, None)? {
            batches.push(batch?);
        }
    }
    Ok(concat_batches(schema, &batches)?)
}

/// The rows as a query reads them.
fn queried(path: &Path) -> Result<Vec<RecordBatch>> {
    answered(&format!("SELECT * FROM '{}'", path.display()))
}

fn answered(sql: &str) -> Result<Vec<RecordBatch>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let engine = QueryEngine::new(QueryOptions { threads: 2, ..Default::default() })?;
        let mut result = engine.query(sql).await?;
        let mut batches = Vec::new();
        while let Some(batch) = result.next().await? {
            batches.push(batch);
        }
        Ok(batches)
    })
}

fn inspected(path: &Path) -> Result<()> {
    etl::inspect::inspect(&table(path)?).map(drop)
}

/// Where the column chunks lie.
fn chunks(path: &Path) -> Vec<(String, Range<usize>)> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let columns = reader.metadata().row_groups().iter().flat_map(|group| group.columns());
    columns
        .map(|column| {
            let (start, length) = column.byte_range();
            (column.column_path().string(), start as usize..(start + length) as usize)
        })
        .collect()
}

fn named(error: &Error, path: &Path) {
    assert_eq!(error.kind(), ErrorKind::Input, "{error}");
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(error.to_string().contains(name), "{name} is not in: {error}");
}

#[test]
fn every_page_has_a_checksum() {
    let etl = Etl::new();
    for file in files(&etl) {
        let bytes = etl.read(&file);
        let reader = SerializedFileReader::new(File::open(etl.path(&file)).unwrap()).unwrap();
        let group = reader.get_row_group(0).unwrap();
        for column in 0..group.num_columns() {
            let (chunk, mut pages) = (group.metadata().column(column), group.get_column_page_reader(column).unwrap());
            let (start, length) = chunk.byte_range();
            let stored = &bytes[start as usize..(start + length) as usize];
            let mut count = 0;
            while pages.get_next_page().unwrap().is_some() {
                count += 1;
            }
            // Field 4 of each header stands where the field after the third begins: three numbers, and then one more.
            let fields = |header: &[u8]| {
                let mut at = 0;
                for _ in 0..4 {
                    assert_eq!(header[at], 0x15, "{file}: column {column} has a page without a checksum");
                    at += 2 + header[at + 1..].iter().take_while(|byte| **byte >= 0x80).count();
                }
            };
            assert!(count > 0);
            fields(stored);
            fields(&stored[(chunk.data_page_offset() as u64 - start) as usize..]);
        }
    }
}

#[test]
fn a_changed_byte_in_a_page_is_an_error() {
    let etl = Etl::new();
    let damaged = etl.path("damaged.parquet");
    let (mut checksums, mut flips) = (0, 0);
    for file in files(&etl) {
        let (whole, expected) = (etl.read(&file), read(&etl.path(&file)).unwrap());
        let answer = queried(&etl.path(&file)).unwrap();
        for (column, place) in chunks(&etl.path(&file)) {
            let step = (place.len() / 12).max(1);
            for (turn, at) in place.clone().step_by(step).chain(place.start..place.start + 8.min(place.len())).enumerate() {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << (turn % 8);
                std::fs::write(&damaged, &bytes).unwrap();
                flips += 1;
                match read(&damaged) {
                    Ok(got) => assert_eq!(got, expected, "{file}: byte {at} of column {column}"),
                    Err(error) => {
                        named(&error, &damaged);
                        let text = error.to_string();
                        assert!(text.contains(&format!("`{column}`")) || text.contains("row group 0"), "{text}");
                        checksums += usize::from(text.contains("a wrong checksum") && text.contains("page at byte"));
                    }
                }
                if turn.is_multiple_of(4) {
                    match queried(&damaged) {
                        Ok(got) => assert_eq!(got, answer, "{file}: byte {at} of column {column}"),
                        Err(error) => named(&error, &damaged),
                    }
                    if let Err(error) = inspected(&damaged) {
                        named(&error, &damaged);
                    }
                }
            }
        }
    }
    // The others hit headers.
    assert!(checksums * 2 > flips, "{checksums} of {flips}");
}

#[test]
fn queries_of_all_kinds_say_what_a_conversion_says() {
    let etl = Etl::new();
    let rows = (0..3_000).map(|row| format!("value-{row}"));
    let columns: Vec<(&str, ArrayRef)> =
        vec![("a", Arc::new(Int32Array::from_iter_values(0..3_000))), ("b", Arc::new(StringArray::from_iter_values(rows)))];
    write(&etl, "a.parquet", RecordBatch::try_from_iter(columns).unwrap(), WriterProperties::default());
    etl.convert("a.parquet -o whole --to parquet").ok();
    let whole = etl.path("whole/part-00000.parquet");
    let mut bytes = etl.read("whole/part-00000.parquet");
    for (column, place) in chunks(&whole) {
        let at = place.start + place.len() * 2 / 3;
        bytes[at] ^= 4;
        etl.write("bad.parquet", &bytes);
        let told = etl.convert("bad.parquet -o x").fails(3).stderr.clone();
        assert!(told.contains("a wrong checksum") && told.contains("what to do"), "{column}: {told}");
        for sql in [
            "SELECT * FROM bad",
            "SELECT a FROM bad WHERE b > 'value-2' AND a > 7",
            "SELECT b FROM bad WHERE a % 7 = 3 ORDER BY b",
            "SELECT b, count(a) AS n, count(DISTINCT a) AS d FROM bad GROUP BY b ORDER BY b",
            "SELECT x.a, y.b FROM bad AS x JOIN bad AS y ON x.a = y.a AND x.b = y.b",
            "SELECT x.a, y.b FROM bad AS x JOIN bad AS y ON x.a < y.a AND x.b = y.b LIMIT 100000",
            "SELECT a, b FROM bad UNION ALL SELECT a, b FROM bad",
            "SELECT a, (SELECT max(b) FROM bad) AS m FROM bad WHERE a IN (SELECT a FROM bad WHERE b <> 'x')",
            "SELECT a, b, rank() OVER (PARTITION BY b ORDER BY a) AS r FROM bad",
            "WITH c AS (SELECT a, b FROM bad) SELECT * FROM c AS x CROSS JOIN c AS y WHERE x.b || y.b = 'z'",
        ] {
            for threads in ["1", "4"] {
                let arguments = ["query", sql, "--table", "bad=bad.parquet", "--threads", threads];
                assert_eq!(etl.run(arguments).fails(3).stderr, told, "{column}: {sql}");
            }
        }
        bytes[at] ^= 4;
    }
}

#[test]
fn a_changed_byte_in_a_footer_never_panics() {
    let etl = Etl::new();
    let damaged = etl.path("damaged.parquet");
    for file in files(&etl).into_iter().filter(|file| file.contains("zstd")) {
        let whole = etl.read(&file);
        let size = whole.len();
        let length = u32::from_le_bytes(whole[size - 8..size - 4].try_into().unwrap()) as usize;
        let indexes = chunks(&etl.path(&file)).iter().map(|(_, place)| place.end).max().unwrap();
        for at in indexes..size {
            let is_footer = at >= size - 8 - length;
            for (turn, value) in [whole[at] ^ 1, whole[at] ^ 0x80, !whole[at]].into_iter().enumerate() {
                // Indexes are only read by queries.
                let query = (at + turn).is_multiple_of(23);
                if !is_footer && !query {
                    continue;
                }
                let mut bytes = whole.clone();
                bytes[at] = value;
                std::fs::write(&damaged, &bytes).unwrap();
                let place = || format!("{file}: byte {at} as {value}");
                let mut results = vec![read(&damaged).map(drop)];
                if turn == 0 {
                    results.push(inspected(&damaged));
                }
                for error in results.into_iter().filter_map(Result::err) {
                    assert!(error.to_string().contains("damaged.parquet"), "{}: {error}", place());
                    assert_ne!(error.kind(), ErrorKind::Internal, "{}: {error}", place());
                }
                if query && let Err(error) = queried(&damaged) {
                    assert_ne!(error.kind(), ErrorKind::Internal, "{}: {error}", place());
                }
            }
        }
    }
}

#[test]
fn what_would_fill_the_memory_is_refused() {
    let etl = Etl::new();
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(150 << 20)]));
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).set_dictionary_enabled(false);
    write(&etl, "page.parquet", RecordBatch::try_from_iter([("huge", text)]).unwrap(), properties.build());
    assert!(etl.read("page.parquet").len() < 100_000);
    for arguments in
        [["convert", "page.parquet", "-o", "x"].as_slice(), &["inspect", "page.parquet"], &["query", "SELECT * FROM 'page.parquet'"]]
    {
        let outcome = etl.run(arguments).fails(3).says("column `huge` in row group 0 of");
        outcome.says("is too big to be read: its page at byte 4 has 157.3 MB when decompressed");
    }
    let small: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    write(&etl, "small.parquet", RecordBatch::try_from_iter([("a", small)]).unwrap(), WriterProperties::default());
    let mut bytes = etl.read("small.parquet");
    let size = bytes.len();
    bytes[size - 8..size - 4].copy_from_slice(&2_000_000_000u32.to_le_bytes());
    etl.write("footer.parquet", &bytes);
    etl.convert("footer.parquet -o x").fails(3).says("footer.parquet is not a whole Parquet file").says("claims a footer of 2000000000");
    // A hole in front of it takes no room on the disk.
    let file = File::create(etl.path("hole.parquet")).unwrap();
    file.set_len(3_000_000_000).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &bytes[size - 8..], 3_000_000_000 - 8).unwrap();
    for arguments in
        [["convert", "hole.parquet", "-o", "x"].as_slice(), &["inspect", "hole.parquet"], &["query", "SELECT * FROM 'hole.parquet'"]]
    {
        etl.run(arguments).fails(3).says("the footer of hole.parquet is too big: 2.00 GB, more than the limit of 16 MiB");
    }
}

#[test]
fn columns_that_lie_elsewhere_are_known_from_the_footer() {
    let etl = Etl::new();
    let columns: Vec<(&str, ArrayRef)> = vec![("a", Arc::new(Int32Array::from(vec![1, 2, 3])))];
    write(&etl, "a.parquet", RecordBatch::try_from_iter(columns).unwrap(), WriterProperties::default());
    let whole = etl.read("a.parquet");
    // The offset of the first data page is a field of its own in the footer, as is that of the dictionary: `4` as a number, doubled.
    let length = u32::from_le_bytes(whole[whole.len() - 8..whole.len() - 4].try_into().unwrap()) as usize;
    let start = whole.len() - 8 - length;
    let mut refused = 0;
    for at in (start..whole.len() - 8).filter(|at| whole[*at] == 8) {
        let mut bytes = whole.clone();
        // Minus four.
        bytes[at] = 7;
        etl.write("b.parquet", &bytes);
        let outcome = etl.convert("b.parquet -o x --overwrite");
        assert!(outcome.code == Some(0) || outcome.code == Some(3), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
        refused += usize::from(outcome.stderr.contains("column `a`: it claims") && outcome.stderr.contains("from byte -4 on"));
    }
    assert!(refused > 0);
}
