//! Lines of text as Hive's SerDes read them, and with them Athena and Trino: every line is a row, whatever stands in it.
//!
//! Source: what OpenCSVSerde, LazySimpleSerDe and RegexSerDe do with lines, as Trino's documentation and its own readers of them have it.
//! A field that is missing is NULL, one too many is passed over, and quotes hold no line end.

mod csv;
mod delimited;
mod java_regex;
mod lines;
mod numbers;
mod values;

pub use csv::QuotedFields;
pub use delimited::DelimitedFields;
pub use java_regex::Pattern;
pub use lines::{HiveLines, HiveText, LineSyntax};
