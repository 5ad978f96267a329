//! What can be told of a line of JSON without reading it into a table: how deep it nests, which keys it has.

use std::borrow::Cow;

/// How deep values may nest. Readers go down by recursion, and a line must not exhaust their stack.
const DEEPEST: usize = 100;

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
                    let key = &line[at + 1..end];
                    keys.push(match memchr::memchr(b'\\', key) {
                        None => Cow::Borrowed(std::str::from_utf8(key).ok()?),
                        Some(_) => Cow::Owned(serde_json::from_slice(&line[at..=end]).ok()?),
                    });
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

/// Where the quote is that closes the string whose text starts at `start`; the line's end where none does.
fn string_end(line: &[u8], start: usize) -> usize {
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
            assert_eq!(keys(line.as_bytes()).unwrap(), expected, "{line}");
        }
        assert_eq!(keys(br#"{"\ud800":1}"#), None);
    }

    #[test]
    fn brackets_in_texts_are_not_deep() {
        assert!(is_deep("[".repeat(101).as_bytes()));
        assert!(!is_deep("[".repeat(100).as_bytes()));
        assert!(!is_deep(format!("\"{}", "[\\\"".repeat(200)).as_bytes()));
        assert!(!is_deep("[]".repeat(200).as_bytes()));
    }
}
