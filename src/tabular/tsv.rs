//! The fields of a line of TSV, as Hive's LazySimpleSerDe reads them.
//!
//! A backslash takes the meaning from what is behind it: a tab, a backslash, any sign. Before a letter or a digit it makes an escape, of
//! which there are few: `\n` and `\r`, as Hive writes line ends, `\t`, as most others write a tab, and `\N`, which is NULL where it is all
//! of a field. What else there might be is told apart by no two readers alike, so such a line is rejected.

use super::fields::{RowField, Split, trimmed_end};
use super::record::{Fault, line_end};

/// The field that is NULL.
const NULL: &[u8] = b"\\N";

/// Splits the line at `start` into `fields`. Of one with more than `most`, these are the first ones and the last.
pub(super) fn split_line(bytes: &[u8], start: usize, most: usize, fields: &mut Vec<RowField>) -> Split {
    fields.clear();
    let (mut at, mut field, mut count) = (start, start, 0);
    let (mut escaped, mut names_null) = (false, false);
    let broken =
        |at: usize, count: usize, fault: Fault| Split { next: line_end(bytes, at).unwrap_or(bytes.len()), count, fault: Some(fault) };
    loop {
        // Most escapes are this one.
        if at == field && bytes[at..].starts_with(b"\\N\t") && count < most {
            fields.push(RowField { start: at, end: at + 2, null: true, escaped: false });
            (at, field, count) = (at + 3, at + 3, count + 1);
            continue;
        }
        let found = memchr::memchr3(b'\t', b'\n', b'\\', &bytes[at..]).map_or(bytes.len(), |found| at + found);
        let byte = bytes.get(found);
        if byte == Some(&b'\\') {
            match &bytes[found + 1..] {
                [] | [b'\n', ..] | [b'\r'] | [b'\r', b'\n', ..] => return broken(found, count + 1, Fault::EscapesNothing),
                [b'N', ..] => names_null = true,
                [b'n' | b'r' | b't', ..] => {}
                [other, ..] if other.is_ascii_alphanumeric() => return broken(found, count + 1, Fault::NoEscape),
                _ => {}
            }
            escaped = true;
            at = found + 2;
            continue;
        }
        // A field is many times as large as an empty value, so a line of millions of those must not have a field for each.
        if count > most {
            fields.pop();
        }
        count += 1;
        let is_last = byte != Some(&b'\t');
        let end = if is_last { trimmed_end(bytes, field, found) } else { found };
        let null = names_null && bytes[field..end] == *NULL;
        if names_null && !null {
            return broken(found, count, Fault::NoEscape);
        }
        fields.push(RowField { start: field, end, null, escaped: escaped && !null });
        at = (found + 1).min(bytes.len());
        if is_last {
            return Split { next: at, count, fault: None };
        }
        (field, escaped, names_null) = (at, false, false);
    }
}

/// Appends the field `value` to `out` without its escapes.
pub(super) fn unescape(value: &[u8], out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        out.push(match rest.get(at + 1) {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(other) => *other,
            None => b'\\',
        });
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of the line's fields, NULL as nothing; or what is wrong with it.
    fn fields(line: &str) -> Result<Vec<Option<String>>, Fault> {
        let (bytes, mut fields) = (line.as_bytes(), Vec::new());
        let split = split_line(bytes, 0, 10, &mut fields);
        assert_eq!(split.next, line.find('\n').map_or(line.len(), |at| at + 1), "{line:?}");
        if let Some(fault) = split.fault {
            return Err(fault);
        }
        assert_eq!(split.count, fields.len(), "{line:?}");
        let text = |field: &RowField| {
            let mut out = Vec::new();
            match field.escaped {
                true => unescape(&bytes[field.start..field.end], &mut out),
                false => out.extend_from_slice(&bytes[field.start..field.end]),
            }
            (!field.null).then(|| String::from_utf8(out).unwrap())
        };
        Ok(fields.iter().map(text).collect())
    }

    #[test]
    fn a_line_is_split_at_tabs_that_no_backslash_is_before() {
        let some = |texts: &[&str]| Ok(texts.iter().map(|text| Some(text.to_string())).collect());
        for (line, texts) in [
            ("a\tb c\t\n", &["a", "b c", ""][..]),
            ("a\r\nb", &["a"]),
            ("", &[""]),
            ("\n", &[""]),
            ("\t", &["", ""]),
            ("\"a\tb\"\n", &["\"a", "b\""]),
            ("a\\\tb\\\\\tc", &["a\tb\\", "c"]),
            ("\\\\N\t\\\\\\\\N", &["\\N", "\\\\N"]),
            ("\\\\n\t\\n\\r\\t\t\\\"\\\u{1}\\é", &["\\n", "\n\r\t", "\"\u{1}é"]),
            ("\\\r\tx", &["\r", "x"]),
        ] {
            assert_eq!(fields(line), some(texts), "{line:?}");
        }
    }

    #[test]
    fn null_is_a_field_of_its_own() {
        let text = |text: &str| Some(text.to_string());
        assert_eq!(fields("\\N\t\t\\N\r\n"), Ok(vec![None, text(""), None]));
        assert_eq!(fields("\\N"), Ok(vec![None]));
        for line in ["\\Na", "a\\N\tb\n", "\\N\\N\n", "a\t \\N"] {
            assert_eq!(fields(line), Err(Fault::NoEscape), "{line:?}");
        }
    }

    #[test]
    fn an_escape_of_nothing_is_a_fault() {
        for line in ["a\\x41\tb\n", "\\0", "a\t\\b\nc", "\\\\\\q"] {
            assert_eq!(fields(line), Err(Fault::NoEscape), "{line:?}");
        }
        for line in ["a\\\nb", "a\\", "a\t\\\r\n", "\\\r", "\\\\\\\n"] {
            assert_eq!(fields(line), Err(Fault::EscapesNothing), "{line:?}");
        }
    }

    #[test]
    fn of_too_many_fields_the_first_ones_and_the_last_are_kept() {
        let mut fields = Vec::new();
        for most in 1..9 {
            let split = split_line(b"a\tb\tc\td\te\tf\t\\N\n", 0, most, &mut fields);
            assert_eq!((split.count, split.next, fields.len()), (7, 15, 7.min(most + 1)));
            assert!(fields[0].start == 0 && fields.last().is_some_and(|field| field.null));
        }
    }
}
