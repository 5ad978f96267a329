//! The fields of a line as LazySimpleSerDe splits it.

use super::values::{Value, Values};
use std::sync::Arc;

/// The signs of LazySimpleSerDe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelimitedFields {
    pub separator: u8,
    /// What takes the meaning from the sign behind it, where there is one.
    pub escape: Option<u8>,
    /// The field that is NULL.
    pub null: Arc<[u8]>,
    /// The last column has all that is left of the line, separators too.
    pub last_takes_rest: bool,
}

impl DelimitedFields {
    /// Splits `line` into its first `most` fields.
    pub(super) fn split(&self, line: &[u8], most: usize, values: &mut Values) {
        values.clear();
        let (mut start, mut at, mut escaped) = (0, 0, false);
        while values.fields.len() < most {
            let rest = self.last_takes_rest && values.fields.len() + 1 == most;
            let found = match self.escape {
                _ if rest => None,
                Some(escape) => memchr::memchr2(self.separator, escape, &line[at..]),
                None => memchr::memchr(self.separator, &line[at..]),
            };
            let end = found.map_or(line.len(), |found| at + found);
            if end < line.len() && line[end] != self.separator {
                escaped = true;
                at = (end + 2).min(line.len());
                continue;
            }
            let escaped_here = escaped || rest;
            values.fields.push(self.value(line, start, end, escaped_here, &mut values.changed));
            if end == line.len() {
                return;
            }
            (start, at, escaped) = (end + 1, end + 1, false);
        }
    }

    fn value(&self, line: &[u8], start: usize, end: usize, may_escape: bool, changed: &mut Vec<u8>) -> Value {
        let text = &line[start..end];
        if *text == *self.null {
            return Value::Missing;
        }
        let Some(escape) = self.escape.filter(|_| may_escape) else { return Value::Here(start..end) };
        let from = changed.len();
        let mut rest = text;
        while let Some(at) = memchr::memchr(escape, rest) {
            changed.extend_from_slice(&rest[..at]);
            changed.extend(rest.get(at + 1));
            rest = rest.get(at + 2..).unwrap_or_default();
        }
        changed.extend_from_slice(rest);
        Value::Changed(from..changed.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(fields: &DelimitedFields, line: &str, most: usize) -> Vec<Option<String>> {
        let mut values = Values::default();
        fields.split(line.as_bytes(), most, &mut values);
        let text = |index| match values.get(index) {
            Value::Missing => None,
            Value::Here(range) => Some(line[range.clone()].to_string()),
            Value::Changed(range) => Some(String::from_utf8(values.changed[range.clone()].to_vec()).unwrap()),
        };
        (0..most).map(text).collect()
    }

    #[test]
    fn lines_are_split_at_separators_that_no_escape_is_before() {
        let some = |texts: &[&str]| texts.iter().map(|text| Some(text.to_string())).collect::<Vec<_>>();
        let mut fields = DelimitedFields { separator: b'\t', escape: Some(b'\\'), null: b"\\N"[..].into(), last_takes_rest: false };
        assert_eq!(split(&fields, "a\t\tb c", 3), some(&["a", "", "b c"]));
        assert_eq!(split(&fields, "\\N\ta\\\tb\\\\\t\\\\N", 3), [None, Some("a\tb\\".to_string()), Some("\\N".to_string())]);
        assert_eq!(split(&fields, "a", 3), [Some("a".to_string()), None, None]);
        assert_eq!(split(&fields, "", 2), [Some(String::new()), None]);
        assert_eq!(split(&fields, "a\\", 1), some(&["a"]));
        assert_eq!(split(&fields, "a\tb\tc", 2), some(&["a", "b"]));
        fields.last_takes_rest = true;
        assert_eq!(split(&fields, "a\tb\tc\\\\", 2), some(&["a", "b\tc\\"]));
        fields.escape = None;
        assert_eq!(split(&fields, "a\\\tb", 2), some(&["a\\", "b"]));
    }
}
