//! Any Parquet: what a conversion reads of a file whose footer, pages or values are damaged. The first byte of an input says how it
//! is taken: as a file as it stands, or as one of the seeds in which the rest changes bytes.
//!
//! In the folder `fuzz`, with stable Rust, for ten minutes:
//!
//!     mkdir -p corpus/parquet_footer
//!     cargo run --release --bin parquet_footer -- corpus/parquet_footer seeds/parquet_footer -max_len=16384 -timeout=5 \
//!         -rss_limit_mb=1024 -max_total_time=600
//!
//! A finding is a panic that isn't caught, a slow input, one that takes too much memory, or one that breaks what is checked here; it is
//! written to a file `crash-…`.

#![no_main]

// The sources and not the package, so that the query engine isn't built.
#[path = "../../src/error.rs"]
#[allow(dead_code)]
mod error;
#[path = "../../src/nested.rs"]
mod nested;
#[path = "../../src/printable.rs"]
#[allow(dead_code)]
mod printable;
#[path = "../../src/units.rs"]
#[allow(dead_code)]
mod units;

#[path = "../../src/input"]
#[allow(dead_code, unused_imports)]
mod input {
    pub(crate) mod faults;
    pub(crate) mod int96;
    pub(crate) mod parquet_footer;
    pub(crate) mod parquet_pages;
    pub(crate) mod row_group;
    pub(crate) mod thrift;
    pub(crate) mod told_types;
}

use arrow::array::{Array, RecordBatch};
use bytes::Bytes;
use error::{ErrorKind, Result};
use input::parquet_footer::footer;
use input::row_group::{GroupRows, as_written};
use libfuzzer_sys::fuzz_target;

/// Files that `etl` made of made-up data.
const SEEDS: [&[u8]; 3] =
    [include_bytes!("../seeds/parquet_footer/log"), include_bytes!("../seeds/parquet_footer/plain"), include_bytes!("../seeds/parquet_footer/types")];

fuzz_target!(|input: &[u8]| {
    let Some((how, rest)) = input.split_first() else { return };
    match how {
        // Two bytes for where, counted from the end, and one for what is there then.
        1..=3 => {
            let seed = SEEDS[usize::from(how - 1)];
            let (mut file, mut changed) = (seed[1..].to_vec(), false);
            for change in rest.chunks_exact(3) {
                let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % file.len();
                let place = file.len() - 1 - at;
                changed |= file[place] != change[2];
                file[place] = change[2];
            }
            let rows = read(&file.into());
            assert!(changed || rows.is_ok(), "{rows:?}");
        }
        _ => drop(read(&Bytes::copy_from_slice(rest))),
    }
});

/// How many rows a conversion reads, all of which are what they should be.
fn read(file: &Bytes) -> Result<usize> {
    let all = rows(file);
    if let Err(error) = &all {
        assert!(error.kind() == ErrorKind::Input, "{error}");
        assert!(error.to_string().contains("fuzz"), "{error}");
    }
    all
}

fn rows(file: &Bytes) -> Result<usize> {
    let footer = footer(file, "fuzz")?;
    let schema = as_written(footer.schema());
    let mut rows = 0;
    for group in 0..footer.metadata().num_row_groups() {
        for batch in GroupRows::<Bytes>::new(|_| Ok([file.clone(), file.clone(), file.clone()]), "fuzz", &footer, group, &schema, None)? {
            rows += whole(&batch?);
            // Few bytes can stand for many rows.
            if rows > 100_000 {
                return Ok(rows);
            }
        }
    }
    Ok(rows)
}

fn whole(batch: &RecordBatch) -> usize {
    for column in batch.columns() {
        column.to_data().validate_full().unwrap();
    }
    batch.num_rows()
}
