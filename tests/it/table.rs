//! What a decoder made of a log, as plain values that tests compare.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType};
use etl::accesslog::{Column, DecodeOptions, LogDecoder, LogFormat};
use etl::decode::{Decoded, Decoder};
use etl::escape;
use std::sync::Arc;

/// The rows of a log, and the lines that are none.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) decoded: Decoded,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Cell {
    Null,
    /// Text as it is in the column.
    Text(Vec<u8>),
    Number(i64),
    /// UTC milliseconds since 1970.
    Time(i64),
}

impl Table {
    /// Decodes `log`, escapes left as they are.
    pub(crate) fn of(format: &Arc<LogFormat>, log: &[u8]) -> Table {
        Table::decoded(format, log, DecodeOptions::default())
    }

    pub(crate) fn decoded(format: &Arc<LogFormat>, log: &[u8], options: DecodeOptions) -> Table {
        let columns = match &options.projection {
            Some(indices) => indices.iter().map(|i| format.columns()[*i].clone()).collect(),
            None => format.columns().to_vec(),
        };
        let decoded = LogDecoder::new(format.clone(), options).decode(&log.to_vec().into()).unwrap();
        Table { columns, decoded }
    }

    /// The LogFormat `text` and its columns for `log`.
    pub(crate) fn custom(text: &str, log: &[u8]) -> Table {
        let format = LogFormat::parse("custom", text).unwrap_or_else(|e| panic!("{text}: {e}"));
        Table::of(&Arc::new(format), log)
    }

    pub(crate) fn rows(&self) -> usize {
        self.decoded.batch.num_rows()
    }

    /// The value of the column named `name`.
    pub(crate) fn named(&self, name: &str, row: usize) -> Cell {
        let known = || self.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
        let index = self.columns.iter().position(|c| c.name == name).unwrap_or_else(|| panic!("no column {name} in {}", known()));
        self.cell(index, row)
    }

    pub(crate) fn cell(&self, column: usize, row: usize) -> Cell {
        let array = self.decoded.batch.column(column);
        if array.is_null(row) {
            return Cell::Null;
        }
        match array.data_type() {
            DataType::Int32 => Cell::Number(array.as_primitive::<Int32Type>().value(row).into()),
            DataType::Int64 => Cell::Number(array.as_primitive::<Int64Type>().value(row)),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Cell::Time(array.as_primitive::<TimestampMicrosecondType>().value(row).div_euclid(1_000))
            }
            DataType::Timestamp(..) => Cell::Time(array.as_primitive::<TimestampMillisecondType>().value(row)),
            _ => Cell::Text(array.as_string_view().value(row).as_bytes().to_vec()),
        }
    }

    /// The columns that were read from `directive`, as it is written in the LogFormat.
    pub(crate) fn of_directive(&self, directive: &str) -> Vec<usize> {
        (0..self.columns.len()).filter(|i| self.columns[*i].directive == directive).collect()
    }

    /// The request line that the columns of the `%r` written as `directive` make together; NULL where all of them are.
    pub(crate) fn request_line(&self, directive: &str, row: usize) -> Cell {
        let pieces: Vec<Option<Vec<u8>>> = self.of_directive(directive).into_iter().map(|i| self.cell(i, row).text()).collect();
        let [method, path, query, protocol, unsplit] = pieces.try_into().expect("a request line makes five columns");
        match (method, path, unsplit) {
            (Some(method), Some(path), None) => {
                let query = query.map_or(Vec::new(), |q| [&b"?"[..], &q].concat());
                let protocol = protocol.map_or(Vec::new(), |p| [&b" "[..], &p].concat());
                Cell::Text([&method[..], b" ", &path, &query, &protocol].concat())
            }
            (None, None, unsplit) => {
                assert_eq!((query, protocol), (None, None), "pieces of a request line that isn't split");
                unsplit.map_or(Cell::Null, Cell::Text)
            }
            pieces => panic!("a request line both split and not: {pieces:?}"),
        }
    }
}

impl Cell {
    /// The text, where it is one.
    pub(crate) fn text(self) -> Option<Vec<u8>> {
        match self {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes that were sent: Apache's escapes decoded.
    pub(crate) fn unescaped(self) -> Cell {
        match self {
            Cell::Text(text) => {
                let mut out = Vec::new();
                escape::unescape(&text, &mut out);
                Cell::Text(out)
            }
            other => other,
        }
    }

    /// What a log tells of `sent`: a `-` that was sent can't be told from nothing.
    pub(crate) fn logged(sent: Option<Vec<u8>>) -> Cell {
        match sent {
            None => Cell::Null,
            Some(text) if text == b"-" => Cell::Null,
            Some(text) => Cell::Text(text),
        }
    }
}
