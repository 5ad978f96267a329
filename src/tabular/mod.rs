//! Inputs that are tables already: CSV and JSON lines, decoded by the same contract as access logs.

mod csv;
mod csv_columns;
mod delimiter;
mod dialect;
mod fields;
mod hive;
mod infer;
mod json;
mod json_columns;
mod json_fault;
mod json_line;
mod json_places;
mod json_shape;
mod misfits;
mod record;
mod typed;
mod values;

pub use csv::CsvDecoder;
pub use csv_columns::{check_header, csv_header, infer_csv};
pub use delimiter::{delimiter_name, find_delimiter, separator_line};
pub use dialect::{CsvDialect, CsvOptions};
pub use hive::{DelimitedFields, HiveLines, HiveText, LineSyntax, Pattern, QuotedFields};
pub use json::JsonDecoder;
pub use json_columns::{check_json_lines, infer_json};
pub use json_fault::is_json_layout;
pub use record::{first_record_end, last_record_end};
pub use typed::{OnMismatch, Typing, text_of};
