//! JSON lines that are flat objects of known keys, read in one pass: what most lines are.
//!
//! Source: [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259). What is not read here is not wrong for that: whoever asks has another reader, which is
//! slower and knows what to say.

use super::json_line::blanks;
use super::renames::Renames;
use crate::text_column::{Care, TextColumn};
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use bytes::Bytes;
use std::collections::HashMap;

/// How values lie in a block that is all UTF-8.
const AS_THEY_ARE: Care = Care { valid_utf8: true, unescape: false };

/// Reads flat objects into columns of texts.
#[derive(Debug)]
pub(super) struct FlatReader {
    schema: SchemaRef,
    /// The keys as they stand in lines, without quotes.
    names: Vec<Vec<u8>>,
    by_name: HashMap<Vec<u8>, usize>,
}

/// The columns of a block while they are filled.
struct Columns {
    columns: Vec<TextColumn>,
    /// How many rows each has.
    rows: Vec<usize>,
    /// Text without its escapes.
    unescaped: Vec<u8>,
}

impl FlatReader {
    /// A reader of objects with the keys of `schema`; nothing where one of its columns is no text that may be missing.
    pub(super) fn of(schema: &SchemaRef, renames: &Renames) -> Option<FlatReader> {
        if !schema.fields().iter().all(|field| *field.data_type() == DataType::Utf8View && field.is_nullable()) {
            return None;
        }
        let names: Vec<Vec<u8>> = schema.fields().iter().map(|field| field.name().as_bytes().to_vec()).collect();
        let mut by_name: HashMap<Vec<u8>, usize> = names.iter().enumerate().map(|(column, name)| (name.clone(), column)).collect();
        for (before, now) in renames.iter() {
            if let Some(column) = by_name.get(now.as_bytes()).copied() {
                by_name.entry(before.as_bytes().to_vec()).or_insert(column);
            }
        }
        Some(FlatReader { schema: schema.clone(), names, by_name })
    }

    /// The lines of `block` that lie at `spans`, a row each; nothing where one of them is anything else than an object of strings, numbers, `true`,
    /// `false` and `null`, whose keys are columns and none of them twice.
    pub(super) fn read(&self, block: &Bytes, spans: impl ExactSizeIterator<Item = (usize, usize)>) -> Option<RecordBatch> {
        if simdutf8::basic::from_utf8(block).is_err() || u32::try_from(block.len()).is_err() {
            return None;
        }
        let (count, width) = (spans.len(), self.names.len());
        let columns = (0..width).map(|_| TextColumn::with_capacity(count)).collect();
        let mut columns = Columns { columns, rows: vec![0; width], unescaped: Vec::new() };
        for (row, (start, end)) in spans.enumerate() {
            self.line(&block[start..end], start, row, &mut columns)?;
            for (column, rows) in columns.columns.iter_mut().zip(&mut columns.rows) {
                if *rows == row {
                    column.push_null();
                    *rows += 1;
                }
            }
        }
        let arrays: Vec<ArrayRef> = columns.columns.iter_mut().map(|column| column.finish(block)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options).ok()
    }

    /// Reads a line that lies at `offset` of its block and becomes row `row`.
    fn line(&self, line: &[u8], offset: usize, row: usize, columns: &mut Columns) -> Option<()> {
        let mut at = blanks(line, 0);
        at = expect(line, at, b'{')?;
        at = blanks(line, at);
        // Lines of one source have their keys in one order, most often that of the columns.
        let mut next = 0;
        if line.get(at) == Some(&b'}') {
            return (blanks(line, at + 1) == line.len()).then_some(());
        }
        loop {
            at = expect(line, at, b'"')?;
            let column;
            (column, at) = self.key(line, at, next)?;
            next = column + 1;
            // Twice in one object.
            if columns.rows[column] > row {
                return None;
            }
            columns.rows[column] += 1;
            at = expect(line, blanks(line, at), b':')?;
            at = columns.value(line, blanks(line, at), offset, column)?;
            at = blanks(line, at);
            match line.get(at)? {
                b',' => at = blanks(line, at + 1),
                b'}' => return (blanks(line, at + 1) == line.len()).then_some(()),
                _ => return None,
            }
        }
    }

    /// The column of the key that begins at `at`, and where its quote ends.
    fn key(&self, line: &[u8], at: usize, next: usize) -> Option<(usize, usize)> {
        let rest = &line[at..];
        if let Some(name) = self.names.get(next)
            && rest.starts_with(name)
            && rest.get(name.len()) == Some(&b'"')
        {
            return Some((next, at + name.len() + 1));
        }
        let length = memchr::memchr2(b'"', b'\\', rest).filter(|end| rest[*end] == b'"')?;
        Some((*self.by_name.get(&rest[..length])?, at + length + 1))
    }
}

impl Columns {
    /// Reads the value at `at` of `line`, and gives where it ends.
    fn value(&mut self, line: &[u8], at: usize, offset: usize, column: usize) -> Option<usize> {
        let texts = &mut self.columns[column];
        let word = |word: &[u8]| line[at..].starts_with(word).then_some(at + word.len());
        let end = match line.get(at)? {
            b'"' => return self.string(line, at + 1, offset, column),
            b'n' => {
                texts.push_null();
                return word(b"null");
            }
            b't' => word(b"true")?,
            b'f' => word(b"false")?,
            _ => number(line, at)?,
        };
        texts.push(&line[at..end], (offset + at) as u32, AS_THEY_ARE);
        Some(end)
    }

    /// Reads the string whose text begins at `at`, and gives where it ends, its quote included.
    fn string(&mut self, line: &[u8], at: usize, offset: usize, column: usize) -> Option<usize> {
        let rest = &line[at..];
        let mut end = memchr::memchr2(b'"', b'\\', rest)?;
        if rest[end] == b'"' {
            if has_control(&rest[..end]) {
                return None;
            }
            self.columns[column].push(&rest[..end], (offset + at) as u32, AS_THEY_ARE);
            return Some(at + end + 1);
        }
        self.unescaped.clear();
        let mut start = 0;
        loop {
            if has_control(&rest[start..end]) {
                return None;
            }
            self.unescaped.extend_from_slice(&rest[start..end]);
            if rest[end] == b'"' {
                self.columns[column].push_changed(&self.unescaped);
                return Some(at + end + 1);
            }
            start = unescape(rest, end + 1, &mut self.unescaped)?;
            end = start + memchr::memchr2(b'"', b'\\', &rest[start..])?;
        }
    }
}

/// Appends what the escape means that stands behind a backslash at `at`, and gives where it ends.
fn unescape(text: &[u8], at: usize, to: &mut Vec<u8>) -> Option<usize> {
    let byte = match text.get(at)? {
        byte @ (b'"' | b'\\' | b'/') => *byte,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            let hex = |at: usize| {
                let digits = text.get(at..at + 4)?;
                digits.iter().try_fold(0u32, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
            };
            let (first, mut end) = (hex(at + 1)?, at + 5);
            let mut code = first;
            if (0xd800..0xdc00).contains(&first) && text.get(end..end + 2) == Some(b"\\u") {
                let second = hex(end + 2).filter(|second| (0xdc00..0xe000).contains(second))?;
                code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                end += 6;
            }
            // Half a character is none.
            to.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(end);
        }
        _ => return None,
    };
    to.push(byte);
    Some(at + 1)
}

/// Where the number ends that begins at `at`.
fn number(line: &[u8], at: usize) -> Option<usize> {
    let digits = |at: usize| at + line[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let some_digits = |at: usize| Some(digits(at)).filter(|end| *end > at);
    let at = at + usize::from(line[at] == b'-');
    let mut end = match line.get(at)? {
        b'0' => at + 1,
        _ => some_digits(at)?,
    };
    if line.get(end) == Some(&b'.') {
        end = some_digits(end + 1)?;
    }
    if let Some(b'e' | b'E') = line.get(end) {
        end = some_digits(end + 1 + usize::from(matches!(line.get(end + 1), Some(b'+' | b'-'))))?;
    }
    Some(end)
}

fn expect(line: &[u8], at: usize, byte: u8) -> Option<usize> {
    (line.get(at) == Some(&byte)).then_some(at + 1)
}

/// Whether text has characters that may only be escaped in JSON.
fn has_control(text: &[u8]) -> bool {
    text.iter().fold(false, |found, byte| found | (*byte < 0x20))
}

#[cfg(test)]
mod tests {
    use super::super::json::read;
    use super::*;
    use crate::generate::Random;
    use arrow::datatypes::{Field, Schema};
    use serde_json::Value;
    use std::sync::Arc;

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(["a", "b", "é", "long name"].map(|name| Field::new(name, DataType::Utf8View, true)).to_vec()))
    }

    fn flat(line: &str) -> Option<RecordBatch> {
        let block = Bytes::from(format!("  {line}"));
        FlatReader::of(&schema(), &Renames::default()).unwrap().read(&block, [(2, block.len())].into_iter())
    }

    #[test]
    fn what_is_read_is_what_the_other_reader_reads() {
        for line in [
            r#"{}"#,
            r#" { } "#,
            r#"{"a":1,"b":-0.5e+10,"é":true,"long name":"x"}"#,
            r#"{"b":null,"a":false}"#,
            "{\t\"long name\" : \"a text that is longer than twelve\" , \"é\":\"\" }\r",
            r#"{"a":"\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00 and more","b":"😀é"}"#,
            r#"{"a":0,"b":-0,"é":1E5,"long name":123456789012345678901234567890.10}"#,
            r#"{"a":"\u0000"}"#,
        ] {
            let expected = read(&schema(), true, [line.as_bytes()]).unwrap();
            assert_eq!(flat(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_flat_object_of_known_keys_is_left_to_others() {
        for line in [
            "",
            "x",
            "[]",
            "1",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,",
            "{\"a\":1,}",
            "{,}",
            "{\"a\":1}}",
            "{\"a\":1} {\"a\":2}",
            "{\"a\":1} x",
            r#"{"a":1,"a":2}"#,
            r#"{"a":{}}"#,
            r#"{"a":[1]}"#,
            r#"{"c":1}"#,
            r#"{"A":1}"#,
            r#"{"\u0061":1}"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":.5}"#,
            r#"{"a":+1}"#,
            r#"{"a":-}"#,
            r#"{"a":1e}"#,
            r#"{"a":1e+}"#,
            r#"{"a":NaN}"#,
            r#"{"a":nul}"#,
            r#"{"a":nulll}"#,
            r#"{"a":truee}"#,
            r#"{"a":True}"#,
            r#"{"a":"x}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12"}"#,
            r#"{"a":"\u12g4"}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\ud800\u0041"}"#,
            r#"{"a":"\udc00"}"#,
            "{\"a\":\"\t\"}",
            "{\"a\":\"\\n\u{1}\"}",
            r#"{"a" 1}"#,
            r#"{"a":1 "b":2}"#,
            r#"{a:1}"#,
            r#"{"a":'x'}"#,
            r#"{"a":"\"#,
            r#"{"a":"\u+041"}"#,
        ] {
            assert!(flat(line).is_none(), "{line}");
        }
        let block = Bytes::from(b"{\"a\":\"\xff\"}".to_vec());
        assert!(FlatReader::of(&schema(), &Renames::default()).unwrap().read(&block, [(0, block.len())].into_iter()).is_none());
    }

    #[test]
    fn only_texts_that_may_be_missing_are_columns() {
        let of = |field| FlatReader::of(&Arc::new(Schema::new(vec![field])), &Renames::default());
        assert!(of(Field::new("a", DataType::Utf8View, false)).is_none());
        assert!(of(Field::new("a", DataType::Int64, true)).is_none());
    }

    /// Whatever a line is, where it is read it is JSON, and what the other reader makes of it.
    #[test]
    fn lines_of_chance_are_read_as_by_the_other_reader() {
        const PIECES: [&str; 34] = [
            "{",
            "}",
            "\"",
            ":",
            ",",
            "\"a\"",
            "\"b\"",
            "\"é\"",
            "\"a\":",
            "\"b\":",
            "\"long name\":",
            "1",
            "-",
            "0",
            ".5",
            "e3",
            "null",
            "true",
            "false",
            "\"x\"",
            "\"\\n\"",
            "\\",
            "\\u0041",
            "\\ud83d\\ude00",
            "\\ud800",
            " ",
            "\t",
            "[",
            "]",
            "é",
            "\u{1}",
            "\"c\":",
            "{\"a\":1,",
            "\"\"}",
        ];
        let mut random = Random::new(1);
        let mut chance = |most: usize| (random.next() % most as u64) as usize;
        let mut found = 0;
        for _ in 0..200_000 {
            let mut line = String::from(if chance(4) == 0 { "" } else { "{" });
            for _ in 0..chance(9) {
                line.push_str(PIECES[chance(PIECES.len())]);
            }
            if chance(2) == 0 {
                line.push('}');
            }
            let Some(batch) = flat(&line) else { continue };
            found += 1;
            assert!(serde_json::from_str::<Value>(&line).is_ok_and(|value| value.is_object()), "{line}");
            assert_eq!(batch, read(&schema(), true, [line.as_bytes()]).unwrap(), "{line}");
        }
        assert!(found > 500, "{found}");
    }
}
