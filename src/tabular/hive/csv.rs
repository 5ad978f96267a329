//! The fields of a line as OpenCSVSerde splits it.
//!
//! A quote may stand anywhere; two of them within quotes are one; an escape means something before a quote or an escape only, and is lost
//! elsewhere. A line that ends within quotes lacks its last field. A line with nothing in it has no field at all.

use super::values::{Value, Values};

/// The signs of OpenCSVSerde; NUL where one is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotedFields {
    pub separator: u8,
    pub quote: u8,
    pub escape: u8,
}

impl QuotedFields {
    /// Splits `line` into its first `most` fields.
    pub(super) fn split(self, line: &[u8], most: usize, values: &mut Values) {
        values.clear();
        if line.is_empty() {
            return;
        }
        if memchr::memchr2(self.quote, self.escape, line).is_none() {
            let mut start = 0;
            let ends = memchr::memchr_iter(self.separator, line).chain([line.len()]);
            for end in ends.take(most) {
                values.fields.push(Value::Here(start..end));
                start = end + 1;
            }
            return;
        }
        self.split_quoted(line, most, values);
    }

    fn split_quoted(self, line: &[u8], most: usize, values: &mut Values) {
        let (mut quoted, mut within) = (false, false);
        let (mut at, mut start) = (0, 0);
        while at < line.len() && values.fields.len() < most {
            let (byte, next) = (line[at], line.get(at + 1).copied());
            if byte == self.escape {
                if (quoted || within) && next.is_some_and(|next| next == self.quote || next == self.escape) {
                    values.changed.extend(next);
                    at += 1;
                }
            } else if byte == self.quote {
                if (quoted || within) && next == Some(self.quote) {
                    values.changed.push(self.quote);
                    at += 1;
                } else {
                    if is_beyond_third(line, at) && line[at - 1] != self.separator && next.is_some_and(|next| next != self.separator) {
                        // In the middle of a field it is a sign like others, but for blanks before the first one.
                        let field = &values.changed[start..];
                        if !field.is_empty() && field.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0x0b) {
                            values.changed.truncate(start);
                        } else {
                            values.changed.push(byte);
                        }
                    }
                    quoted = !quoted;
                }
                within = !within;
            } else if byte == self.separator && !quoted {
                values.fields.push(Value::Changed(start..values.changed.len()));
                start = values.changed.len();
                within = false;
            } else {
                values.changed.push(byte);
                within = true;
            }
            at += 1;
        }
        if values.fields.len() < most && !quoted {
            values.fields.push(Value::Changed(start..values.changed.len()));
        }
    }
}

/// Whether more than three characters, as Java counts them, end with the byte `at`.
fn is_beyond_third(line: &[u8], at: usize) -> bool {
    // A character of four bytes counts twice there.
    at > 2 && line[..at].iter().map(|byte| usize::from(byte & 0xc0 != 0x80) + usize::from(*byte >= 0xf0)).sum::<usize>() > 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str, most: usize) -> Vec<Option<String>> {
        let mut values = Values::default();
        QuotedFields { separator: b',', quote: b'"', escape: b'\\' }.split(line.as_bytes(), most, &mut values);
        let text = |index| match values.get(index) {
            Value::Missing => None,
            Value::Here(range) => Some(line[range.clone()].to_string()),
            Value::Changed(range) => Some(String::from_utf8(values.changed[range.clone()].to_vec()).unwrap()),
        };
        (0..most).map(text).collect()
    }

    #[test]
    fn lines_are_split_as_athena_splits_them() {
        let some = |texts: &[&str]| texts.iter().map(|text| Some(text.to_string())).collect::<Vec<_>>();
        assert_eq!(split("a,b,c", 3), some(&["a", "b", "c"]));
        assert_eq!(split("a,b,c,d", 3), some(&["a", "b", "c"]));
        assert_eq!(split("a", 3), [Some("a".to_string()), None, None]);
        assert_eq!(split("", 2), [None, None]);
        assert_eq!(split("\"a,\"\"b\"\"\",\"\",c", 3), some(&["a,\"b\"", "", "c"]));
        assert_eq!(split("\"a\\\"b\",\"c\\\\d\",\"e\\nf\"", 3), some(&["a\"b", "c\\d", "enf"]));
        // Within quotes at the end of the line: the field is lost.
        assert_eq!(split("a,\"b", 2), [Some("a".to_string()), None]);
        assert_eq!(split("abc,d\"e\"f", 2), some(&["abc", "d\"e\"f"]));
        assert_eq!(split("abcd,  \"e\"", 2), some(&["abcd", "e"]));
    }
}
