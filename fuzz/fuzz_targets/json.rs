//! Any JSON lines, cut anywhere. The columns are guessed from the first half of the input, so that the rest may not fit them.
//!
//! In the folder `fuzz`, with stable Rust, for ten minutes:
//!
//!     mkdir -p corpus/json
//!     cargo run --release --bin json -- corpus/json seeds/tables_json -max_len=2048 -timeout=5 -max_total_time=600
//!
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
#[allow(dead_code)]
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
#[path = "../../src/tabular/mod.rs"]
#[allow(dead_code, unused_imports)]
mod tabular;
#[path = "../../src/text_column.rs"]
#[allow(dead_code)]
mod text_column;
#[path = "../../src/units.rs"]
#[allow(dead_code)]
mod units;

#[path = "../checks.rs"]
mod checks;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tabular::{JsonDecoder, Typing, check_json_lines, infer_json};

fuzz_target!(|input: &[u8]| {
    let _ = check_json_lines("fuzz", None, input);
    let Ok(schema) = infer_json("fuzz", &input[..input.len().div_ceil(2)]) else { return };
    let decoder = |projection| JsonDecoder::new(schema.clone(), Typing::default(), projection);
    let text = Bytes::copy_from_slice(input);
    let whole = checks::decode(&mut decoder(None), &text);
    checks::records(&whole, &text);
    assert_eq!(whole.lines, whole.text_lines);
    // Cut behind any line, the file gives the same rows and rejects.
    for end in memchr::memchr_iter(b'\n', &text).take(8) {
        checks::same_when_cut(&mut decoder(None), &whole, &text, end + 1);
    }
    // A column alone is the same column, and the rejects are the same too.
    checks::same_alone(&whole, &text, |column| Box::new(decoder(Some(vec![column]))));
});
