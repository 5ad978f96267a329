//! Rows as CSV. NULL is an empty field, an empty text is `""`.

use super::fields::Fields;
use super::scan::any_of;
use crate::decode::lead;
use crate::tabular::CsvDialect;

/// Writes the fields of CSV records.
#[derive(Debug)]
pub(super) struct CsvFields {
    dialect: CsvDialect,
}

impl CsvFields {
    pub(super) fn new(dialect: CsvDialect) -> CsvFields {
        CsvFields { dialect }
    }
}

impl Fields for CsvFields {
    const DELIMITER: u8 = b',';

    fn write_null(&self, is_alone: bool, out: &mut Vec<u8>) -> bool {
        // A record of one empty field would be a blank line, which is no record: an empty text is nearer to NULL than nothing.
        if is_alone {
            out.extend_from_slice(b"\"\"");
        }
        !is_alone
    }

    #[inline]
    fn write_text(&self, text: &[u8], is_first: bool, out: &mut Vec<u8>) -> bool {
        write_text(text, self.dialect, is_first && lead(text) > 0, out)
    }

    fn infinity(&self) -> &'static str {
        match self.dialect {
            CsvDialect::Athena => "Infinity",
            CsvDialect::Rfc4180 => "inf",
        }
    }
}

const QUOTE: u8 = 1;
const ESCAPE: u8 = 2;

/// What each byte asks for: quotes around the field, or an escape too.
const fn table(dialect: CsvDialect) -> [u8; 256] {
    let mut table = [0; 256];
    table[b',' as usize] = QUOTE;
    table[b'\n' as usize] = QUOTE;
    table[b'\r' as usize] = QUOTE;
    table[b'"' as usize] = QUOTE | ESCAPE;
    if let CsvDialect::Athena = dialect {
        table[b'\\' as usize] = QUOTE | ESCAPE;
        table[b'\n' as usize] = QUOTE | ESCAPE;
        table[b'\r' as usize] = QUOTE | ESCAPE;
    }
    table
}

/// What care the bytes of `text` need together.
#[inline]
fn needs(text: &[u8], dialect: CsvDialect) -> u8 {
    let athena = if dialect == CsvDialect::Athena { QUOTE | ESCAPE } else { 0 };
    any_of(text, |byte| {
        let newline = u8::from(byte == b'\n') | u8::from(byte == b'\r');
        let quote = u8::from(byte == b'"') * (QUOTE | ESCAPE);
        let escaped_for_athena = (newline | u8::from(byte == b'\\')) * athena;
        newline | u8::from(byte == b',') | quote | escaped_for_athena
    })
}

/// Appends a field, in quotes where they are wanted or needed; whether it has line ends that are others in it.
fn write_text(text: &[u8], dialect: CsvDialect, quoted: bool, out: &mut Vec<u8>) -> bool {
    if text.is_empty() {
        out.extend_from_slice(b"\"\"");
        return false;
    }
    let flags = needs(text, dialect) | u8::from(quoted);
    if flags & QUOTE == 0 {
        out.extend_from_slice(text);
        return false;
    }
    out.push(b'"');
    let mut line_ends = false;
    if flags & ESCAPE == 0 {
        out.extend_from_slice(text);
    } else {
        line_ends = write_escaped(text, dialect, out);
    }
    out.push(b'"');
    line_ends
}

fn write_escaped(text: &[u8], dialect: CsvDialect, out: &mut Vec<u8>) -> bool {
    static RFC4180: [u8; 256] = table(CsvDialect::Rfc4180);
    static ATHENA: [u8; 256] = table(CsvDialect::Athena);
    let table = if dialect == CsvDialect::Athena { &ATHENA } else { &RFC4180 };
    let (mut copied, mut line_ends) = (0, false);
    for (at, byte) in text.iter().enumerate() {
        if table[usize::from(*byte)] & ESCAPE == 0 {
            continue;
        }
        out.extend_from_slice(&text[copied..at]);
        copied = at + 1;
        line_ends |= matches!(byte, b'\n' | b'\r');
        match byte {
            // The reader would end the record at a newline whatever the quotes, and takes one of two backslashes away.
            b'\n' => out.extend_from_slice(b"\\\\n"),
            b'\r' => out.extend_from_slice(b"\\\\r"),
            byte => out.extend_from_slice(&[*byte, *byte]),
        }
    }
    out.extend_from_slice(&text[copied..]);
    line_ends
}

#[cfg(test)]
mod tests {
    use super::super::fields::FieldRows;
    use super::super::losses::{Loss, Losses};
    use super::*;
    use arrow::record_batch::RecordBatch;

    fn shown(text: &str, dialect: CsvDialect) -> String {
        let mut out = Vec::new();
        write_text(text.as_bytes(), dialect, false, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn athena_reads_the_numbers_that_have_no_digits() {
        use arrow::array::{Array, ArrayRef, Float32Array, Float64Array};
        let arrays: [ArrayRef; 2] = [
            std::sync::Arc::new(Float32Array::from(vec![f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 0.1])),
            std::sync::Arc::new(Float64Array::from(vec![f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.1])),
        ];
        let batch = RecordBatch::try_from_iter(["a", "b"].into_iter().zip(arrays)).unwrap();
        assert_eq!(batch.column(0).len(), 4);
        for (dialect, expected) in [
            (CsvDialect::Athena, "Infinity,Infinity\n-Infinity,-Infinity\nNaN,NaN\n0.1,0.1\n"),
            (CsvDialect::Rfc4180, "inf,inf\n-inf,-inf\nNaN,NaN\n0.1,0.1\n"),
        ] {
            let mut out = Vec::new();
            FieldRows::new(CsvFields::new(dialect)).write(&batch, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn what_a_file_can_not_tell_is_counted() {
        use arrow::array::{ArrayRef, Int32Array, StringArray};
        let texts: ArrayRef = std::sync::Arc::new(StringArray::from(vec![Some("a\nb\r\n"), None, Some("\\\""), Some("\r")]));
        let numbers: ArrayRef = std::sync::Arc::new(Int32Array::from(vec![Some(1), None, Some(2), None]));
        let losses = |columns: &[(&str, &ArrayRef)], dialect| {
            let batch = RecordBatch::try_from_iter(columns.iter().map(|(name, array)| (*name, ArrayRef::clone(array)))).unwrap();
            let mut rows = FieldRows::new(CsvFields::new(dialect));
            rows.write(&batch, &mut Vec::new()).unwrap();
            rows.losses()
        };
        let mut expected = Losses::default();
        expected.add(Loss::LineEnds, "t", 2);
        assert_eq!(losses(&[("n", &numbers), ("t", &texts)], CsvDialect::Athena), expected);
        assert_eq!(losses(&[("n", &numbers), ("t", &texts)], CsvDialect::Rfc4180), Losses::default());
        assert_eq!(losses(&[("n", &numbers)], CsvDialect::Athena), Losses::default());
        expected = Losses::default();
        expected.add(Loss::LoneNull, "t", 1);
        assert_eq!(losses(&[("t", &texts)], CsvDialect::Rfc4180), expected);
    }

    #[test]
    fn fields_are_quoted_as_their_dialect_wants() {
        for (text, rfc, athena) in [
            ("plain", "plain", "plain"),
            ("", "\"\"", "\"\""),
            ("a,b", "\"a,b\"", "\"a,b\""),
            ("a\"b", "\"a\"\"b\"", "\"a\"\"b\""),
            ("a\\b", "a\\b", "\"a\\\\b\""),
            ("a\nb", "\"a\nb\"", "\"a\\\\nb\""),
        ] {
            assert_eq!(shown(text, CsvDialect::Rfc4180), rfc);
            assert_eq!(shown(text, CsvDialect::Athena), athena);
        }
    }

    #[test]
    fn what_looks_as_if_it_were_none_of_a_record_is_in_quotes() {
        use arrow::array::{ArrayRef, StringArray};
        let column: ArrayRef = std::sync::Arc::new(StringArray::from(vec!["\0a", "\u{feff}", "b\0"]));
        let batch = RecordBatch::try_from_iter([("a", column.clone()), ("b", column)]).unwrap();
        let mut out = Vec::new();
        FieldRows::new(CsvFields::new(CsvDialect::Rfc4180)).write(&batch, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "\"\0a\",\0a\n\"\u{feff}\",\u{feff}\nb\0,b\0\n");
    }
}
