//! Any LogFormat, and any log read by it: the first line of the input is the LogFormat, the rest is the log.
//!
//! In the folder `fuzz`, with stable Rust, for ten minutes:
//!
//!     mkdir -p corpus
//!     cargo run --release --bin log_format_and_decoder -- corpus seeds -dict=log_format.dict -max_len=2048 -timeout=5 -max_total_time=600
//!
//! `cargo fuzz run log_format_and_decoder` does the same with the address sanitizer, where cargo-fuzz and nightly Rust are.
//! A finding is a panic, a slow input, or an input that breaks what is checked here; it is written to a file `crash-…`.

#![no_main]

// The sources and not the package, so that the query engine isn't built.
#[path = "../../src/accesslog/mod.rs"]
#[allow(dead_code, unused_imports)]
mod accesslog;
#[path = "../../src/decode.rs"]
#[allow(dead_code)]
mod decode;
#[path = "../../src/diagnostic.rs"]
mod diagnostic;
#[path = "../../src/error.rs"]
#[allow(dead_code)]
mod error;
#[path = "../../src/printable.rs"]
#[allow(dead_code)]
mod printable;
#[path = "../../src/escape.rs"]
#[allow(dead_code)]
mod escape;
#[path = "../../src/text_column.rs"]
#[allow(dead_code)]
mod text_column;

use accesslog::{DecodeOptions, LogDecoder, LogFormat};
use arrow::array::Array;
use arrow::compute::concat_batches;
use bytes::Bytes;
use decode::{Decoded, Decoder};
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;

fuzz_target!(|input: &[u8]| {
    let end = memchr::memchr(b'\n', input).unwrap_or(input.len());
    let (format, log) = (String::from_utf8_lossy(&input[..end]), Bytes::copy_from_slice(input.get(end + 1..).unwrap_or_default()));
    accesslog::nicknames(&String::from_utf8_lossy(input));
    accesslog::detect(&log).unwrap();
    let Ok(format) = LogFormat::parse("fuzz", &format) else { return };
    let format = Arc::new(format);
    let decode = |log: &Bytes, options: DecodeOptions| {
        let decoded = LogDecoder::new(format.clone(), options).decode(log).unwrap();
        check(&decoded, log);
        decoded
    };

    let whole = decode(&log, DecodeOptions::default());
    decode(&log, DecodeOptions { projection: None, unescape: true });

    // Cut in the middle, the log gives the same rows and rejects.
    let cut = memchr::memchr(b'\n', &log[log.len() / 2..]).map_or(log.len(), |at| log.len() / 2 + at + 1);
    let halves = [log.slice(..cut), log.slice(cut..)].map(|half| decode(&half, DecodeOptions::default()));
    let joined = concat_batches(&whole.batch.schema(), [&halves[0].batch, &halves[1].batch]).unwrap();
    assert_eq!(joined, whole.batch);
    assert_eq!(halves[0].rejects.len() + halves[1].rejects.len(), whole.rejects.len());

    // A column alone is the same column.
    let last = format.columns().len() - 1;
    let alone = decode(&log, DecodeOptions { projection: Some(vec![last]), unescape: false });
    assert_eq!(alone.batch.column(0), whole.batch.column(last));
});

/// Every line is a row, a reject or blank, each reject is a line of the log, and the text of columns is UTF-8.
fn check(decoded: &Decoded, log: &[u8]) {
    let newlines = memchr::memchr_iter(b'\n', log).count() as u64;
    assert_eq!(decoded.lines, newlines + u64::from(!log.is_empty() && !log.ends_with(b"\n")));
    assert_eq!(decoded.lines, decoded.batch.num_rows() as u64 + decoded.rejects.len() as u64 + decoded.blank);
    for reject in &decoded.rejects {
        let start = reject.offset as usize;
        assert_eq!(log[start..start + reject.length as usize], reject.raw);
        assert_eq!(memchr::memchr_iter(b'\n', &log[..start]).count() as u64, reject.line);
    }
    for column in decoded.batch.columns() {
        column.to_data().validate_full().unwrap();
    }
}
