//! Rows as JSON lines. Every key is there in every row, NULLs too, so that readers that guess see all columns.

use super::columns::{Column, plain, write_double};
use super::scan::any_of;
use super::timestamp::TimestampText;
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::Schema;
use arrow::json::writer::{LineDelimited, WriterBuilder};
use arrow::record_batch::RecordBatch;

/// Writes rows as JSON objects.
#[derive(Debug)]
pub(super) struct JsonRows {
    /// `{"name":` or `,"name":` for each column.
    keys: Vec<Vec<u8>>,
    /// Lists and structs are left to arrow's writer.
    nested: bool,
    time: TimestampText,
}

impl JsonRows {
    pub(super) fn new(schema: &Schema) -> JsonRows {
        let keys = schema.fields().iter().enumerate().map(|(index, field)| {
            let mut key = vec![if index == 0 { b'{' } else { b',' }];
            write_text(field.name().as_bytes(), &mut key);
            key.push(b':');
            key
        });
        let nested = schema.fields().iter().any(|f| f.data_type().is_nested());
        JsonRows { keys: keys.collect(), nested, time: TimestampText::default() }
    }

    /// Appends the rows of `batch`.
    pub(super) fn write(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        if self.nested {
            let builder = WriterBuilder::new().with_explicit_nulls(true).with_timestamp_tz_format("%Y-%m-%d %H:%M:%S%.3f".to_string());
            let mut writer = builder.build::<_, LineDelimited>(out);
            return writer.write(batch).map_err(|e| Error::new(ErrorKind::Output, "can't write these columns as JSON").with_source(e));
        }
        let arrays = plain(batch)?;
        let columns = arrays.iter().map(Column::of).collect::<Result<Vec<_>>>()?;
        let mut digits = itoa::Buffer::new();
        for row in 0..batch.num_rows() {
            for (column, key) in columns.iter().zip(&self.keys) {
                out.extend_from_slice(key);
                if column.is_null(row) {
                    out.extend_from_slice(b"null");
                    continue;
                }
                match column {
                    Column::Text(array) => write_text(array.value(row).as_bytes(), out),
                    Column::Int(array) => out.extend_from_slice(digits.format(array.value(row)).as_bytes()),
                    Column::Long(array) => out.extend_from_slice(digits.format(array.value(row)).as_bytes()),
                    Column::Double(array) if array.value(row).is_finite() => write_double(array.value(row), out),
                    Column::Double(_) => out.extend_from_slice(b"null"),
                    Column::Boolean(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
                    Column::Time(array) => {
                        out.push(b'"');
                        self.time.write(array.value(row), out);
                        out.push(b'"');
                    }
                    Column::Other { formatter, quoted: true, .. } => write_text(formatter.value(row).to_string().as_bytes(), out),
                    Column::Other { formatter, .. } => out.extend_from_slice(formatter.value(row).to_string().as_bytes()),
                }
            }
            out.extend_from_slice(if columns.is_empty() { b"{}\n" } else { b"}\n" });
        }
        Ok(())
    }
}

/// Whether a byte must be escaped.
#[inline]
fn needs_escape(text: &[u8]) -> bool {
    any_of(text, |byte| u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\')) != 0
}

/// Appends a JSON string (RFC 8259, section 7).
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    if needs_escape(text) {
        let mut copied = 0;
        for (at, byte) in text.iter().enumerate() {
            let escape: &[u8] = match byte {
                b'"' => b"\\\"",
                b'\\' => b"\\\\",
                b'\n' => b"\\n",
                b'\r' => b"\\r",
                b'\t' => b"\\t",
                0..0x20 => &[b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), b"0123456789abcdef"[usize::from(byte & 15)]],
                _ => continue,
            };
            out.extend_from_slice(&text[copied..at]);
            out.extend_from_slice(escape);
            copied = at + 1;
        }
        out.extend_from_slice(&text[copied..]);
    } else {
        out.extend_from_slice(text);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_as_json_wants() {
        for text in ["", "plain", "a\"b\\c", "\u{1}\n\t\r\u{1f}", "müller €"] {
            let mut out = Vec::new();
            write_text(text.as_bytes(), &mut out);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
