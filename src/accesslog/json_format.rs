//! What formats of JSON lines have beside others: how values are read whose ends are known, and the column of what has no place.

use super::column::{Column, Source};
use super::directive::Field;
use super::format::{Lex, LogFormat};
use arrow::datatypes::DataType;

/// The column of what has no place in a format.
pub(super) const EXTRA: &str = "extra";

/// Columns of which an entry of an access log has one at least.
const OF_REQUESTS: [&str; 10] = ["host", "method", "path", "request", "status", "c_ip", "cs_method", "cs_uri_stem", "sc_status", "bytes"];

impl LogFormat {
    /// Whether its lines are JSON objects that are read by their keys.
    pub fn is_keyed(&self) -> bool {
        self.keys.is_some()
    }

    /// The steps of which an entry has a value of one at least; none where the format has no such columns.
    pub(super) fn essential_steps(&self) -> Vec<usize> {
        let step = |column: &Column| match column.source {
            Source::Text { step, .. } | Source::Number { step } | Source::Request { step, .. } | Source::Target { step, .. } => Some(step),
            _ => None,
        };
        self.columns.iter().filter(|column| OF_REQUESTS.contains(&column.name.as_str())).filter_map(step).collect()
    }

    /// The column of what has no place in the others.
    pub(super) fn extra_column(&self) -> Column {
        let is_taken = |name: &String| self.columns.iter().any(|column| column.name == *name);
        let mut name = EXTRA.to_string();
        let mut number = 2;
        while is_taken(&name) {
            name = format!("{EXTRA}_{number}");
            number += 1;
        }
        Column { name, data_type: DataType::Utf8View, directive: "all other keys".to_string(), source: Source::Extra }
    }

    /// How the value of `field` is read, which is of the time group `group`.
    pub(super) fn keyed_lex(field: &Field, group: Option<usize>) -> Lex {
        match field {
            Field::Time { items, .. } => Lex::Time { items: items.clone(), group },
            Field::Int(_) => Lex::Number { long: false, empty: true, signed: true },
            Field::Long(_) | Field::BytesOut { .. } => Lex::Number { long: true, empty: true, signed: true },
            Field::Millis(_) => Lex::Millis { empty: true },
            Field::Double(_) => Lex::Double { empty: true },
            _ => Lex::BeforeEnd { user: false },
        }
    }
}
