//! The columns of the table that a LogFormat makes: their names, types and sources.

use super::directive::{Directive, Field, Request};
use super::parsed::Escapes;
use super::strftime::TimeItem;
use arrow::datatypes::{DataType, TimeUnit};
use std::collections::HashMap;

/// A column of the table that a LogFormat makes.
#[derive(Debug, Clone)]
pub struct Column {
    /// Lower case, unique in the format.
    pub name: String,
    /// What it holds: Utf8View, Int32, Int64, Float64, or UTC micro- or milliseconds.
    pub data_type: DataType,
    /// The directives that it is read from.
    pub directive: String,
    pub(super) source: Source,
}

/// Where a column's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The text of a step.
    Text {
        step: usize,
        nothing: Nothing,
    },
    Number {
        step: usize,
    },
    /// The sum of the numbers in the text of a step.
    Sum {
        step: usize,
    },
    Time {
        group: usize,
    },
    Query {
        step: usize,
    },
    /// What a step asks for: its query, or the path before that.
    Target {
        step: usize,
        is_query: bool,
    },
    /// What has no place in a format of JSON lines.
    Extra,
    /// A piece of the request line of a step.
    Request {
        step: usize,
        piece: RequestPiece,
    },
}

/// The text that a server writes where there is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nothing {
    Dash,
    Empty,
    /// `-` or no text: JSON is written by either custom.
    Either,
    /// Any text is a value.
    Never,
}

impl Nothing {
    /// What stands for nothing where values are written with `escapes`.
    #[inline]
    pub(super) fn of(escapes: Escapes) -> Nothing {
        match escapes {
            Escapes::Keyed => Nothing::Either,
            _ if escapes.nothing_is_empty() => Nothing::Empty,
            _ => Nothing::Dash,
        }
    }

    #[inline]
    pub(super) fn is(self, text: &[u8]) -> bool {
        match self {
            Nothing::Dash => text == b"-",
            Nothing::Empty => text.is_empty(),
            Nothing::Either => matches!(text, b"" | b"-"),
            Nothing::Never => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestPiece {
    Method,
    /// Scheme, host and port of a target that is a URL.
    Origin,
    /// The target, without its query, nor the origin where that has a column.
    Path,
    Query,
    Protocol,
    /// The whole line, only where it can't be split.
    Unsplit,
}

/// `%t`'s type: Athena reads Parquet's INT64 TIMESTAMP(MILLIS).
pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

/// The columns in the order of the line, of which each group of times has one, in its unit of `units`; the unsplit request lines come last.
pub(super) fn columns(found: &[(Directive, Vec<u8>)], units: &[TimeUnit], membership: &[Option<usize>], escapes: Escapes) -> Vec<Column> {
    let both_statuses = |directive: &Directive| {
        directive.request == Request::Original && found.iter().any(|(d, _)| d.field.is_status() && d.request != Request::Original)
    };
    let has_bytes = found.iter().any(|(d, _)| d.field == Field::BytesOut { headers: false });
    let nothing = Nothing::of(escapes);
    // (wanted name, type, directive text, source, conditional)
    let mut wanted: Vec<(String, DataType, String, Source, bool)> = Vec::new();
    let mut unsplit = Vec::new();
    let mut seen_groups = vec![false; units.len()];
    for (step, (directive, _)) in found.iter().enumerate() {
        let text = directive.text.clone();
        let mut push =
            |name: &str, data_type, source| wanted.push((name.to_string(), data_type, text.clone(), source, directive.conditional));
        let string = Source::Text { step, nothing };
        match &directive.field {
            Field::Text(name) => push(name, DataType::Utf8View, string),
            Field::User => push("auth_user", DataType::Utf8View, string),
            Field::ConnectionStatus => push("connection_status", DataType::Utf8View, Source::Text { step, nothing: Nothing::Never }),
            Field::Query => push("query", DataType::Utf8View, Source::Query { step }),
            field if field.is_status() && both_statuses(directive) => push("status_original", DataType::Int32, Source::Number { step }),
            Field::Int(name) => push(name, DataType::Int32, Source::Number { step }),
            Field::Long(name) => push(name, DataType::Int64, Source::Number { step }),
            Field::Millis(name) => push(name, DataType::Int64, Source::Number { step }),
            Field::Double(name) => push(name, DataType::Float64, Source::Number { step }),
            Field::Sum(name) => {
                push(name, DataType::Utf8View, string);
                push(&format!("{name}_sum"), DataType::Float64, Source::Sum { step });
            }
            Field::BytesOut { headers: true } if has_bytes => push("bytes_out", DataType::Int64, Source::Number { step }),
            Field::BytesOut { .. } => push("bytes", DataType::Int64, Source::Number { step }),
            Field::Target => {
                push("path", DataType::Utf8View, Source::Target { step, is_query: false });
                push("query", DataType::Utf8View, Source::Target { step, is_query: true });
            }
            Field::RequestLine | Field::UrlRequest => {
                for (name, piece) in [
                    ("method", RequestPiece::Method),
                    ("origin", RequestPiece::Origin),
                    ("path", RequestPiece::Path),
                    ("query", RequestPiece::Query),
                    ("protocol", RequestPiece::Protocol),
                ] {
                    if piece != RequestPiece::Origin || directive.field == Field::UrlRequest {
                        push(name, DataType::Utf8View, Source::Request { step, piece });
                    }
                }
                unsplit.push((
                    "request".to_string(),
                    DataType::Utf8View,
                    text,
                    Source::Request { step, piece: RequestPiece::Unsplit },
                    directive.conditional,
                ));
            }
            Field::Time { column, items } => match membership[step] {
                Some(group) if !seen_groups[group] => {
                    seen_groups[group] = true;
                    let members = (0..found.len()).filter(|i| membership[*i] == Some(group));
                    let texts: Vec<&str> = members.map(|i| found[i].0.text.as_str()).collect();
                    let data_type = DataType::Timestamp(units[group], Some("UTC".into()));
                    wanted.push((column.clone(), data_type, texts.join(" "), Source::Time { group }, directive.conditional));
                    // The digits that the instant hasn't are not lost.
                    if items.contains(&TimeItem::LongFraction) {
                        wanted.push((format!("{column}_text"), DataType::Utf8View, text, string, directive.conditional));
                    }
                }
                Some(_) => {}
                None if column == "time_end" => push("time_text", DataType::Utf8View, string),
                None => push(&format!("{column}_text"), DataType::Utf8View, string),
            },
        }
    }
    wanted.extend(unsplit);
    // What is always logged has the plain name before what is logged only for some statuses.
    let mut taken: HashMap<String, usize> = HashMap::new();
    let mut names = vec![String::new(); wanted.len()];
    for conditional in [false, true] {
        for (index, (name, .., when)) in wanted.iter().enumerate() {
            if *when == conditional {
                names[index] = unique(name, &mut taken);
            }
        }
    }
    wanted
        .into_iter()
        .zip(names)
        .map(|((_, data_type, directive, source, _), name)| Column { name, data_type, directive, source })
        .collect()
}

/// `name`, or `name_2`, `name_3` and so on where it is taken.
fn unique(name: &str, taken: &mut HashMap<String, usize>) -> String {
    // The number that a name got last is kept: the thousandth of it is found without looking at the 999 before.
    let mut number = taken.get(name).map_or(1, |last| last + 1);
    let mut candidate = if number == 1 { name.to_string() } else { format!("{name}_{number}") };
    while taken.contains_key(&candidate) {
        number += 1;
        candidate = format!("{name}_{number}");
    }
    taken.insert(name.to_string(), number);
    taken.entry(candidate.clone()).or_insert(1);
    candidate
}
