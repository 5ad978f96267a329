//! Rows as TSV, as Hive's LazySimpleSerDe reads it: NULL is `\N`, an empty text is nothing, and a backslash stands before a tab and
//! before a backslash that is text. Bytes are base64.

use super::columns::plain;
use super::fields::Fields;
use super::scan::any_of;
use crate::decode::lead;
use crate::error::Result;
use arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use base64::prelude::{BASE64_STANDARD, Engine};
use std::sync::Arc;

/// Writes the fields of TSV lines.
#[derive(Debug)]
pub(super) struct TsvFields;

impl Fields for TsvFields {
    const DELIMITER: u8 = b'\t';

    fn columns(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        plain(batch)?.into_iter().map(with_text_of_bytes).collect()
    }

    #[inline]
    fn write_null(&self, _is_alone: bool, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(b"\\N");
        true
    }

    #[inline]
    fn write_text(&self, text: &[u8], is_first: bool, out: &mut Vec<u8>) -> bool {
        // What looks as if it were none of the line is text behind a backslash.
        if is_first && lead(text) > 0 {
            out.push(b'\\');
        }
        if needs_escapes(text) {
            return write_escaped(text, out);
        }
        out.extend_from_slice(text);
        false
    }

    /// As Java reads it.
    fn infinity(&self) -> &'static str {
        "Infinity"
    }
}

#[inline]
fn needs_escapes(text: &[u8]) -> bool {
    any_of(text, |byte| u8::from(byte == b'\t') | u8::from(byte == b'\\') | u8::from(byte == b'\n') | u8::from(byte == b'\r')) != 0
}

/// Appends a text with escapes; whether it has line ends.
fn write_escaped(text: &[u8], out: &mut Vec<u8>) -> bool {
    let (mut copied, mut line_ends) = (0, false);
    for (at, byte) in text.iter().enumerate() {
        let escaped: &[u8] = match byte {
            b'\t' => b"\\\t",
            b'\\' => b"\\\\",
            // No reader of lines has any in a value, and of an escape `\n` some read the letter alone: so it is the two characters.
            b'\n' => b"\\\\n",
            b'\r' => b"\\\\r",
            _ => continue,
        };
        line_ends |= matches!(byte, b'\n' | b'\r');
        out.extend_from_slice(&text[copied..at]);
        out.extend_from_slice(escaped);
        copied = at + 1;
    }
    out.extend_from_slice(&text[copied..]);
    line_ends
}

/// `array`, or where it has bytes, their base64.
fn with_text_of_bytes(array: ArrayRef) -> Result<ArrayRef> {
    let bytes = match array.data_type() {
        DataType::Binary | DataType::LargeBinary | DataType::FixedSizeBinary(_) => cast(&array, &DataType::BinaryView)?,
        DataType::BinaryView => array,
        _ => return Ok(array),
    };
    let (mut texts, mut text) = (StringViewBuilder::with_capacity(bytes.len()), String::new());
    for value in bytes.as_binary_view() {
        text.clear();
        texts.append_option(value.map(|value| {
            BASE64_STANDARD.encode_string(value, &mut text);
            text.as_str()
        }));
    }
    Ok(Arc::new(texts.finish()))
}

#[cfg(test)]
mod tests {
    use super::super::fields::FieldRows;
    use super::super::losses::{Loss, Losses};
    use super::*;
    use arrow::array::{BinaryArray, BooleanArray, FixedSizeBinaryArray, Float64Array, Int64Array, StringArray, TimestampMillisecondArray};

    fn written(columns: Vec<(&str, ArrayRef)>) -> (String, Losses) {
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap();
        let (mut rows, mut out) = (FieldRows::new(TsvFields), Vec::new());
        rows.header(&batch.schema(), &mut out);
        rows.write(&batch, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), rows.losses())
    }

    #[test]
    fn values_are_as_hive_reads_them() {
        let (text, losses) = written(vec![
            ("t\tn", Arc::new(StringArray::from(vec![Some("plain"), None, Some("")]))),
            ("n", Arc::new(Int64Array::from(vec![None, Some(i64::MIN), Some(7)]))),
            ("d", Arc::new(Float64Array::from(vec![Some(f64::NEG_INFINITY), Some(f64::NAN), Some(0.1)]))),
            ("f", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
            ("at", Arc::new(TimestampMillisecondArray::from(vec![Some(1_582_934_402_007), Some(-1), None]))),
            ("b", Arc::new(BinaryArray::from(vec![Some(&b"\0\xff"[..]), Some(b""), None]))),
            ("x", Arc::new(FixedSizeBinaryArray::try_from_iter([[0u8; 3], [255; 3], [1; 3]].into_iter()).unwrap())),
        ]);
        let expected = [
            "t\\\tn\tn\td\tf\tat\tb\tx",
            "plain\t\\N\t-Infinity\ttrue\t2020-02-29 00:00:02.007\tAP8=\tAAAA",
            "\\N\t-9223372036854775808\tNaN\t\\N\t1969-12-31 23:59:59.999\t\t////",
            "\t7\t0.1\tfalse\t\\N\t\\N\tAQEB",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        assert_eq!(losses, Losses::default());
    }

    #[test]
    fn what_means_something_is_escaped() {
        for (value, field) in [
            ("\\N", "\\\\N"),
            ("\\", "\\\\"),
            ("a\tb", "a\\\tb"),
            ("a\nb\r\n", "a\\\\nb\\\\r\\\\n"),
            ("\"quoted\", 'too'", "\"quoted\", 'too'"),
            ("\0x", "\\\0x"),
            ("\u{feff}x", "\\\u{feff}x"),
            ("sixteen bytes and\ta tab", "sixteen bytes and\\\ta tab"),
        ] {
            let column: ArrayRef = Arc::new(StringArray::from(vec![value]));
            let (text, losses) = written(vec![("t", column)]);
            assert_eq!(text, format!("t\n{field}\n"));
            let mut expected = Losses::default();
            expected.add(Loss::LineEnds, "t", u64::from(value.contains('\n')));
            assert_eq!(losses, expected, "{value:?}");
        }
    }
}
