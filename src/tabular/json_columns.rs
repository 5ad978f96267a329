//! The columns of JSON lines, and whether a file is one of them.

use super::infer::{check_share, check_width};
use super::json_shape::{Object, Shape};
use crate::decode::lead;
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::{Field, Schema, SchemaRef};
use serde::de::IgnoredAny;
use std::sync::Arc;

/// The schema of JSON lines from the first of them. Keys keep the order in which they are met.
///
/// # Errors
/// [`ErrorKind::Format`] where no line is an object.
pub fn infer_json(path: &str, start: &[u8]) -> Result<SchemaRef> {
    let (mut lines, mut values) = (0, 0);
    let mut all = Object::default();
    for line in start.split(|b| *b == b'\n').map(|line| &line[lead(line)..]) {
        let Some(Shape::Object(object)) = Shape::of(line) else { continue };
        // No type holds both an object and a number: the first line with a value decides, and others become rejects.
        if !all.agrees(&object) {
            continue;
        }
        lines += 1;
        values += object.keys.len() as u64;
        all.merge(object);
    }
    if all.keys.is_empty() {
        return Err(Error::new(ErrorKind::Format, format!("{path} has no JSON object in its first lines; expected one object a line")));
    }
    check_share(path, all.keys.len(), lines, values)?;
    check_width(path, all.keys.len())?;
    let fields = all.keys.iter().map(|(key, shape)| Field::new(key, shape.column_type(), true));
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// Whether the file `path`, which the command `unpack` decompresses and which begins with `start`, has one value a line.
///
/// # Errors
/// [`ErrorKind::Format`] where it is one array, has arrays, or objects over several lines: read as lines, nearly all would be rejected.
pub fn check_json_lines(path: &str, unpack: Option<&str>, start: &[u8]) -> Result<()> {
    let refused = |what: &str, program: &str| {
        // What is piped to `etl` is there no more, and `jq` reads neither `-` nor what is compressed.
        let command = match unpack {
            None if path == "-" => format!("… | jq -c '{program}' | etl … --from json -"),
            None => format!("jq -c '{program}' {path} > lines.jsonl"),
            Some(unpack) if path == "-" => format!("… | {unpack} | jq -c '{program}' | etl … --from json -"),
            Some(unpack) => format!("{unpack} {path} | jq -c '{program}' > lines.jsonl"),
        };
        Err(Error::new(ErrorKind::Format, format!("{path} {what}; expected one object a line"))
            .with_context("what to do", format!("make lines of it: {command}")))
    };
    let start = start.trim_ascii_start();
    if start.starts_with(b"[") {
        return refused("is an array of JSON", ".[]");
    }
    let first = memchr::memchr(b'\n', start).map_or(start, |end| &start[..end]);
    if !start.starts_with(b"{") || serde_json::from_slice::<IgnoredAny>(first).is_ok() {
        return Ok(());
    }
    let mut values = serde_json::Deserializer::from_slice(start).into_iter::<IgnoredAny>();
    let goes_on = match values.next() {
        Some(Ok(_)) => values.byte_offset() > first.len(),
        Some(Err(error)) => error.is_eof() && start[first.len()..].trim_ascii().len() > 1,
        None => false,
    };
    if goes_on { refused("has a JSON object over several lines", ".") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_values_make_no_table() {
        let lines: String = (0..12_000).map(|i| format!("{{\"user{i}\":1}}\n")).collect();
        let error = infer_json("x.json", lines.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("12,000 different keys, and about 1 each"), "{error}");
        let keys: Vec<String> = (0..60_000).map(|i| format!("\"k{i}\":1")).collect();
        let error = infer_json("x.json", format!("{{{}}}", keys.join(",")).as_bytes()).unwrap_err().to_string();
        assert!(error.contains("60,000 columns"), "{error}");
    }

    #[test]
    fn what_is_not_a_value_a_line_is_told() {
        for text in ["[]", " \n[{\"a\":1},\n{\"a\":2}]", "{\n \"a\": 1\n}\n", "{\"a\": 1,\n\"b\": [\n{}", "\n{\"a\":\n{\"b\":1}}\n"] {
            let error = check_json_lines("x.json", None, text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("one object a line") && error.contains("jq -c"), "{text}: {error}");
        }
        for text in
            ["", "{\"a\":1}\n{\"a\":2}\n", "{\"a\":\n{\"a\":2}\n{\"a\":2}", "{\"a\":1", "x\n{}", "{\"a\":1} {\"a\":2}\n", "{\"a\":1,\n"]
        {
            check_json_lines("x.json", None, text.as_bytes()).unwrap();
        }
    }
}
