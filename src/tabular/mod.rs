//! Inputs that are tables already: CSV, TSV and JSON lines, decoded by the same contract as access logs.

mod column_name;
mod delimiter;
mod dialect;
mod fields;
mod hive;
mod infer;
mod json;
mod json_columns;
mod json_fault;
mod json_flat;
mod json_line;
mod json_places;
mod json_shape;
mod misfits;
mod record;
mod renames;
mod row_columns;
mod rows;
mod syntax;
mod tsv;
mod typed;
mod values;

pub use column_name::plain_name;
pub use delimiter::{delimiter_name, find_delimiter, separator_line};
pub use dialect::{CsvDialect, CsvOptions};
pub use hive::{DelimitedFields, HiveLines, HiveText, LineSyntax, Pattern, QuotedFields};
pub use json::JsonDecoder;
pub use json_columns::{check_json_lines, infer_json};
pub use json_fault::is_json_layout;
pub use json_places::renamed_lines;
pub use renames::Renames;
pub use row_columns::{RowGuess, check_header, guess_rows, header_names, infer_rows};
pub use rows::RowDecoder;
pub use syntax::RowSyntax;
pub use typed::{OnMismatch, Typing, text_of};
