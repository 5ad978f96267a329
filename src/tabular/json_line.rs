//! What can be told of a line of JSON without reading it into a table: how deep it nests, which keys it has, and whether one of them
//! comes twice.

use std::borrow::Cow;

/// How deep values may nest. Readers go down by recursion, and a line must not exhaust their stack.
pub(super) const DEEPEST: usize = 100;

/// Whether values nest deeper than can be read.
pub(super) fn is_deep(line: &[u8]) -> bool {
    // Most lines have no more brackets than that at all.
    if memchr::memchr2_iter(b'[', b'{', line).nth(DEEPEST).is_none() {
        return false;
    }
    let (mut depth, mut at) = (0usize, 0);
    while let Some(byte) = line.get(at) {
        match byte {
            b'"' => at = string_end(line, at + 1),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
        at += 1;
    }
    false
}

/// The keys of the object that the line is; nothing where one of them can't be told. Of a line that is no object they are any texts.
pub(super) fn keys(line: &[u8]) -> Option<Vec<Cow<'_, str>>> {
    let (mut depth, mut at, mut keys) = (0usize, 0, Vec::new());
    while let Some(byte) = line.get(at) {
        match byte {
            b'"' => {
                let end = string_end(line, at + 1);
                let behind = line.get(end + 1..).unwrap_or_default().trim_ascii_start();
                if depth == 1 && behind.first() == Some(&b':') {
                    keys.push(key_text(line, at, end)?);
                }
                at = end;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    Some(keys)
}

/// A key that an object of `line` has twice: of its two values a reader takes one and drops the other. What is no JSON may have any.
pub(super) fn twice(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut nested = Nested::default();
    walk(line, |depth, key| nested.see(depth, key));
    nested.twice
}

/// How many keys stand in lines, and how many of them have `null`, as far as that can be told at a glance: a text that starts with a colon
/// counts as one more.
pub(super) fn count_keys(lines: &[u8]) -> (usize, usize) {
    let (mut keys, mut nulls) = (0, 0);
    for colon in memchr::memchr_iter(b':', lines) {
        // Most have no blank on either side.
        let before = match lines[..colon].last() {
            Some(b' ' | b'\t' | b'\r') => lines[..colon].trim_ascii_end(),
            _ => &lines[..colon],
        };
        let Some(before) = before.strip_suffix(b"\"") else { continue };
        // An odd number of backslashes makes the quote one of a text.
        if before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0 {
            keys += 1;
            let behind = match lines.get(colon + 1) {
                Some(b' ' | b'\t' | b'\r') => lines[colon + 1..].trim_ascii_start().first(),
                behind => behind,
            };
            nulls += usize::from(behind == Some(&b'n'));
        }
    }
    (keys, nulls)
}

/// The keys of the objects that are not yet closed.
#[derive(Debug, Default)]
struct Nested<'a> {
    keys: Vec<(usize, Cow<'a, [u8]>)>,
    twice: Option<Cow<'a, [u8]>>,
}

impl<'a> Nested<'a> {
    /// Takes a key of an object at `depth` into account, or its end; false where it has one twice.
    fn see(&mut self, depth: usize, key: Option<&'a [u8]>) -> bool {
        if let Some(key) = key {
            let text = memchr::memchr(b'\\', key).and_then(|_| serde_json::from_slice::<String>(&[b"\"", key, b"\""].concat()).ok());
            self.keys.push((depth, text.map_or(Cow::Borrowed(key), |text| Cow::Owned(text.into_bytes()))));
            return true;
        }
        let own = self.keys.iter().rposition(|(of, _)| *of < depth).map_or(0, |last| last + 1);
        self.keys[own..].sort_unstable();
        self.twice = self.keys[own..].windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].1.clone());
        self.keys.truncate(own);
        self.twice.is_none()
    }
}

/// Tells `see` of each key with its depth, as it is written, and of the end of each object, until that is false. False if it was.
fn walk<'a>(line: &'a [u8], mut see: impl FnMut(usize, Option<&'a [u8]>) -> bool) -> bool {
    // Whether each bracket that is open is that of an object.
    let mut open: Vec<bool> = Vec::new();
    let (mut at, mut key) = (0, false);
    while let Some(byte) = line.get(at) {
        match byte {
            b'"' => {
                let end = string_end(line, at + 1);
                if key && !see(open.len(), Some(&line[at + 1..end])) {
                    return false;
                }
                key = false;
                at = end;
            }
            b'{' | b'[' => {
                key = *byte == b'{';
                open.push(key);
            }
            b'}' | b']' => {
                if open.last() == Some(&true) && !see(open.len(), None) {
                    return false;
                }
                open.pop();
                key = false;
            }
            b',' => key = open.last() == Some(&true),
            b':' | b' ' | b'\t' | b'\r' => {}
            // A number, or a word.
            _ => match memchr::memchr3(b',', b'}', b']', &line[at..]) {
                Some(length) => {
                    at += length;
                    continue;
                }
                None => break,
            },
        }
        at += 1;
    }
    true
}

/// The text of the key whose quotes are at `start` and `end`; nothing where it is none.
pub(super) fn key_text(line: &[u8], start: usize, end: usize) -> Option<Cow<'_, str>> {
    let key = line.get(start + 1..end)?;
    Some(match memchr::memchr(b'\\', key) {
        None => Cow::Borrowed(std::str::from_utf8(key).ok()?),
        Some(_) => Cow::Owned(serde_json::from_slice(line.get(start..=end)?).ok()?),
    })
}

/// Where the blanks end that stand at `at`.
pub(super) fn blanks(line: &[u8], at: usize) -> usize {
    at + line.get(at..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count()
}

/// Where the quote is that closes the string whose text starts at `start`; the line's end where none does.
pub(super) fn string_end(line: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(found) = memchr::memchr2(b'"', b'\\', line.get(at..).unwrap_or_default()) {
        if line[at + found] == b'"' {
            return at + found;
        }
        at += found + 2;
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_outermost_object() {
        for (line, expected) in [
            (r#"{"a":1,"b" : {"c":[{"d":2}]},"\u00e9\"":"e:","f":["g"]}"#, vec!["a", "b", "é\"", "f"]),
            ("{}", vec![]),
            (r#"["a","b"]"#, vec![]),
            (r#"{"a":"x\\","b":"\"}{","c":3"#, vec!["a", "b", "c"]),
            (r#"{"a":1,"b"#, vec!["a"]),
        ] {
            let keys = keys(line.as_bytes()).unwrap();
            assert_eq!(keys.iter().map(Cow::as_ref).collect::<Vec<_>>(), expected, "{line}");
        }
        assert!(keys(br#"{"\ud800":1}"#).is_none());
    }

    #[test]
    fn brackets_in_texts_are_not_deep() {
        assert!(is_deep("[".repeat(101).as_bytes()));
        assert!(!is_deep("[".repeat(100).as_bytes()));
        assert!(!is_deep(format!("\"{}", "[\\\"".repeat(200)).as_bytes()));
        assert!(!is_deep("[]".repeat(200).as_bytes()));
    }

    #[test]
    fn a_key_that_comes_twice_is_found() {
        for (line, twice) in [
            (r#"{"a":1,"b":2}"#, None),
            (r#"{"a":1,"a":2}"#, Some("a")),
            (r#"{"b":1,"a":2}"#, None),
            (r#"{"b":1,"a":2,"b":[]}"#, Some("b")),
            (r#"{"b":1}"#, None),
            (r#"{"a":{"x":1,"y":{"x":3}},"b":[{"x":1},{"x":2}]}"#, None),
            (r#"{"b":{"x":1,"y":2,"x":3}}"#, Some("x")),
            (r#"{"b":[{"x":1},{"y":1, "y" : null}],"a":1}"#, Some("y")),
            (r#"{"a":"a","b":"\",\"a\":"}"#, None),
            (r#"{"a":1,"\u0061":2}"#, Some("a")),
            (r#"{"\u0061":1,"a":true,"c":-1.5e3}"#, Some("a")),
            (r#"{"c":{"a":1},"a":{"c":1}}"#, None),
            (r#"{"A":1,"a":1}"#, None),
            (r#"{"a":1,"a":"#, None),
            (r#"{"q":1}{"q":1}"#, None),
            (r#"{"q":1,"q":1}"#, Some("q")),
            ("", None),
            ("]}", None),
            ("{\"a\":1,\"", None),
        ] {
            assert_eq!(super::twice(line.as_bytes()).as_deref(), twice.map(str::as_bytes), "{line}");
        }
    }

    #[test]
    fn keys_are_counted_at_a_glance() {
        for (lines, counts) in [
            ("{\"a\":1,\"b\" : null}\n{\"a\":{\"c\":\t null},\"t\":\"10:30\"}\n", (5, 2)),
            ("{\"a\":\"x:y\"}", (1, 0)),
            (r#"{"a\\":"{\"b\":1}","c\"":null}"#, (2, 1)),
            ("{\"a\":\":8080\"}", (2, 0)),
            ("", (0, 0)),
            (":", (0, 0)),
        ] {
            assert_eq!(count_keys(lines.as_bytes()), counts, "{lines}");
        }
    }
}
