//! The fields of a record: where they lie, and what those of CSV say without their escapes.

use super::dialect::{CsvDialect, CsvOptions};
use super::record::{Alone, Fault, MOST_RECORD, Quoted, is_too_long, line_end, quoted};

/// Where a field lies in the block: without its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowField {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) null: bool,
    /// It has escapes in it.
    pub(super) escaped: bool,
}

/// A record that was split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Split {
    /// Where the next record starts.
    pub(super) next: usize,
    /// How many fields it has.
    pub(super) count: usize,
    /// It is broken: it is its first line alone, and its fields say nothing.
    pub(super) fault: Option<Fault>,
}

/// Splits the record at `start` into `fields`. Of a record with more than `most`, these are the first ones and the last. `bytes` end with
/// a record's end or the input's; `alone` is what records before it told.
pub(super) fn split_record(
    bytes: &[u8],
    start: usize,
    alone: &mut Alone,
    options: CsvOptions,
    most: usize,
    fields: &mut Vec<RowField>,
) -> Split {
    let CsvOptions { delimiter, dialect, .. } = options;
    let backslashes = dialect == CsvDialect::Athena;
    fields.clear();
    let (mut at, mut count) = (start, 0);
    let broken = |alone: &mut Alone, shown: usize, fault: Fault, count: usize| {
        alone.extend(shown, fault);
        Split { next: line_end(bytes, start).unwrap_or(bytes.len()), count, fault: Some(fault) }
    };
    loop {
        // A field is many times as large as an empty value, so a record of millions of those must not have a field for each.
        if count > most {
            fields.pop();
        }
        count += 1;
        if bytes.get(at) == Some(&b'"') {
            match quoted(bytes, start, at + 1, *alone, options, MOST_RECORD) {
                Quoted::Closed { end, next, escaped } => {
                    fields.push(RowField { start: at + 1, end, null: false, escaped });
                    at = next;
                }
                Quoted::Open => return broken(alone, bytes.len(), Fault::NeverCloses, count),
                Quoted::Broken { shown, fault } => return broken(alone, shown, fault, count),
            }
        } else {
            let next = memchr::memchr2(delimiter, b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
            let end = if bytes.get(next) == Some(&delimiter) { next } else { trimmed_end(bytes, at, next) };
            let escaped = backslashes && memchr::memchr2(b'"', b'\\', &bytes[at..end]).is_some();
            fields.push(RowField { start: at, end, null: at == end, escaped });
            at = next;
        }
        let next = match bytes.get(at) {
            Some(byte) if *byte == delimiter => {
                at += 1;
                continue;
            }
            Some(_) => at + 1,
            None => at,
        };
        return match is_too_long(bytes, start, next, MOST_RECORD) {
            true => broken(alone, start + MOST_RECORD, Fault::TooLong, count),
            false => Split { next, count, fault: None },
        };
    }
}

/// `end` without the line end before it.
pub(super) fn trimmed_end(bytes: &[u8], start: usize, mut end: usize) -> usize {
    if end > start && bytes[end - 1] == b'\n' {
        end -= 1;
    }
    if end > start && bytes[end - 1] == b'\r' {
        end -= 1;
    }
    end
}

/// Appends the field `value` to `out` without its escapes.
pub(super) fn unescape(value: &[u8], dialect: CsvDialect, out: &mut Vec<u8>) {
    let mut rest = value;
    match dialect {
        CsvDialect::Rfc4180 => {
            while let Some(at) = memchr::memmem::find(rest, b"\"\"") {
                out.extend_from_slice(&rest[..=at]);
                rest = &rest[at + 2..];
            }
        }
        CsvDialect::Athena => {
            while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
                out.extend_from_slice(&rest[..at]);
                let pair = match (rest[at], rest.get(at + 1)) {
                    (b'\\', Some(&next @ (b'"' | b'\\'))) => Some(next),
                    (b'\\', _) => None,
                    // Two quotes are one; a single one, in a field without quotes, is text.
                    (_, next) => {
                        out.push(b'"');
                        rest = &rest[at + 1 + usize::from(next == Some(&b'"'))..];
                        continue;
                    }
                };
                out.extend(pair);
                rest = &rest[at + 1 + usize::from(pair.is_some())..];
            }
        }
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(record: &str, dialect: CsvDialect) -> Vec<String> {
        let options = CsvOptions { dialect, ..Default::default() };
        let mut fields = Vec::new();
        let split = split_record(record.as_bytes(), 0, &mut Alone::default(), options, 10, &mut fields);
        assert_eq!(split, Split { next: record.len(), count: fields.len(), fault: None }, "{record}");
        let text = |field: &RowField| {
            let (value, mut out) = (&record.as_bytes()[field.start..field.end], Vec::new());
            match field.escaped {
                true => unescape(value, dialect, &mut out),
                false => out.extend_from_slice(value),
            }
            String::from_utf8(out).unwrap()
        };
        fields.iter().map(text).collect()
    }

    #[test]
    fn of_too_many_fields_the_first_ones_and_the_last_are_kept() {
        let mut fields = Vec::new();
        for most in 1..9 {
            let split = split_record(b"a,b,c,d,e,f,\"g\"", 0, &mut Alone::default(), CsvOptions::default(), most, &mut fields);
            assert_eq!((split.count, split.next, fields.len()), (7, 15, 7.min(most + 1)));
            assert!(fields[0].start == 0 && fields.last().unwrap().start == 13);
        }
    }

    #[test]
    fn a_backslash_is_what_its_dialect_says() {
        for (record, rfc, athena) in [
            (r#"a\\b,"c\\d""#, [r"a\\b", r"c\\d"], [r"a\b", r"c\d"]),
            (r#""a\\",b"#, [r"a\\", "b"], [r"a\", "b"]),
            (r#""a""b",c"#, [r#"a"b"#, "c"], [r#"a"b"#, "c"]),
            (r#""x\\""","""""#, [r#"x\\""#, r#"""#], [r#"x\""#, r#"""#]),
            (r"C:\new,\", [r"C:\new", r"\"], ["C:new", ""]),
        ] {
            assert_eq!(fields(record, CsvDialect::Rfc4180), rfc, "{record}");
            assert_eq!(fields(record, CsvDialect::Athena), athena, "{record}");
        }
        // A quote behind a backslash ends a field of the one dialect, and is part of it in the other.
        assert_eq!(fields(r#""a\",b\"",c"#, CsvDialect::Athena), [r#"a",b""#, "c"]);
        assert_eq!(fields(r#""a\",b\"",c"#, CsvDialect::Rfc4180), [r"a\", r#"b\"""#, "c"]);
    }
}
