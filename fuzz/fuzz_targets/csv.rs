//! Any CSV or TSV, cut anywhere: the first byte of the input chooses which, delimiter, header and dialect, the rest is the file.
//!
//! In the folder `fuzz`, with stable Rust, for ten minutes:
//!
//!     mkdir -p corpus/csv
//!     cargo run --release --bin csv -- corpus/csv seeds/tables_csv -max_len=2048 -timeout=5 -max_total_time=600
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
#[path = "../../src/input/framing.rs"]
#[allow(dead_code)]
mod framing;
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
use framing::Framing;
use libfuzzer_sys::fuzz_target;
use tabular::{CsvDialect, CsvOptions, RowDecoder, RowSyntax, Typing, find_delimiter, header_names, infer_rows};

fuzz_target!(|input: &[u8]| {
    let Some((&choice, text)) = input.split_first() else { return };
    let options = CsvOptions {
        delimiter: [b',', b'\t', b';', b'x'][usize::from(choice & 3)],
        header: choice & 4 != 0,
        dialect: if choice & 8 != 0 { CsvDialect::Athena } else { CsvDialect::Rfc4180 },
    };
    find_delimiter(text, b',', options, None);
    let syntax = if choice & 16 != 0 { RowSyntax::Tsv { header: options.header } } else { RowSyntax::Csv(options) };
    let _ = header_names("fuzz", text, syntax);
    let Ok(schema) = infer_rows("fuzz", text, syntax) else { return };
    let decoder = |projection| RowDecoder::new(syntax, schema.clone(), Typing::default(), projection);
    let text = Bytes::copy_from_slice(text);
    let whole = checks::decode(&mut decoder(None), &text);
    checks::records(&whole, &text);
    // Cut where it is known that a record ends, the file gives the same rows and rejects, however little is known of the rest.
    let framing = Framing::Rows(syntax);
    for known in (1..=8).map(|eighth| text.len() * eighth / 8) {
        let Some(cut) = framing.last_end(&text[..known], 16 << 20) else { continue };
        checks::same_when_cut(&mut decoder(None), &whole, &text, cut);
    }
    // A column alone is the same column, and the rejects are the same too.
    checks::same_alone(&whole, &text, |column| Box::new(decoder(Some(vec![column]))));
});
