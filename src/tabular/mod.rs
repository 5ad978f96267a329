//! Inputs that are tables already: CSV and JSON lines, decoded by the same contract as access logs.

mod csv;
mod dialect;
mod fields;
mod infer;
mod json;
mod json_line;

pub use csv::{CsvDecoder, CsvOptions, check_header, csv_header, infer_csv};
pub use dialect::CsvDialect;
pub use json::{JsonDecoder, infer_json};
