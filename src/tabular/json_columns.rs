//! The columns of JSON lines, and whether a file is one of them.

use super::infer::{check_share, check_width};
use super::json_fault::JsonFault;
use super::json_shape::{Object, Shape};
use crate::decode::lead;
use crate::error::{Error, ErrorKind, Result};
use arrow::datatypes::{Field, Schema, SchemaRef};
use serde::de::IgnoredAny;
use std::sync::Arc;

/// The schema of JSON lines from the first of them. Keys keep the order in which they are met.
///
/// # Errors
/// [`ErrorKind::Format`] where no line is an object with keys.
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
    if all.keys.is_empty() && lines > 0 {
        let message = format!("{path} has only objects without keys in its first lines, so its columns can't be told");
        return Err(Error::new(ErrorKind::Format, message).with_context("what to do", "name the columns with --schema"));
    }
    if all.keys.is_empty() {
        return Err(Error::new(ErrorKind::Format, format!("{path} has no JSON object in its first lines; expected one object a line")));
    }
    check_share(path, all.keys.len(), lines, values)?;
    check_width(path, all.keys.len())?;
    let fields = all.keys.iter().map(|(key, shape)| Field::new(key, shape.column_type(), true));
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// Whether the file `path`, which the command `unpack` decompresses and which begins with `start`, has one object a line.
///
/// # Errors
/// [`ErrorKind::Format`] where it begins with an array or an object over several lines, or where no fewer lines of `start` are JSON that
/// is not laid out as an object a line than are: read as lines, most would be rejected.
pub fn check_json_lines(path: &str, unpack: Option<&str>, start: &[u8]) -> Result<()> {
    // What is piped to `etl` is there no more, and the commands read neither `-` nor what is compressed.
    let file = if unpack.is_none() && path != "-" { format!(" {path}") } else { String::new() };
    let refused = |what: &str, command: &str| {
        let command = match unpack {
            None if path == "-" => format!("… | {command} | etl … --from json -"),
            None => format!("{command} > lines.jsonl"),
            Some(unpack) if path == "-" => format!("… | {unpack} | {command} | etl … --from json -"),
            Some(unpack) => format!("{unpack} {path} | {command} > lines.jsonl"),
        };
        Err(Error::new(ErrorKind::Format, format!("{path} {what}; expected one object a line"))
            .with_context("what to do", format!("make lines of it: {command}")))
    };
    let start = start[lead(start)..].trim_ascii_start();
    if start.starts_with(b"[") {
        return refused("is an array of JSON", &format!("jq -c '.[]'{file}"));
    }
    let (mut objects, mut others, mut cause, mut at) = (0, 0, None, 0);
    while at < start.len() {
        let end = line_end(start, at);
        let from = at + lead(&start[at..end]);
        let fault = JsonFault::of(&start[from..end]);
        objects += usize::from(fault.is_none() && !start[from..end].trim_ascii().is_empty());
        let spread = match fault {
            Some(JsonFault::Open | JsonFault::Array) => value_end(&start[from..], end - from).map(|length| from + length),
            _ => None,
        };
        match fault {
            // An object that is cut off.
            Some(JsonFault::Open) if spread.is_none() => {}
            Some(JsonFault::Open) if at == 0 => {
                let (what, command) = JsonFault::Open.remedy(&file);
                return refused(what, &command);
            }
            Some(fault) if fault.is_layout() => {
                let lines = &start[at..spread.unwrap_or(end)];
                others += memchr::memchr_iter(b'\n', lines).count() + usize::from(!lines.ends_with(b"\n"));
                cause.get_or_insert(fault);
            }
            _ => {}
        }
        at = spread.unwrap_or(end);
    }
    match cause {
        Some(fault) if others >= objects => {
            let (what, command) = fault.remedy(&file);
            refused(what, &command)
        }
        _ => Ok(()),
    }
}

/// Where the line ends that has the byte `at`, its newline included.
fn line_end(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |newline| at + newline + 1)
}

/// Where the last line ends of the value that `bytes` begin with, if it goes on behind the `first` line; all of them where they end before
/// it does.
fn value_end(bytes: &[u8], first: usize) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    match values.next()? {
        Ok(_) => Some(values.byte_offset()).filter(|end| *end > first).map(|end| line_end(bytes, end)),
        Err(error) => (error.is_eof() && !bytes[first..].trim_ascii().is_empty()).then_some(bytes.len()),
    }
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
        for text in ["", "{\"a\":1}\n{\"a\":2}\n", "{\"a\":\n{\"a\":2}\n{\"a\":2}", "{\"a\":1", "x\n{}", "{\"a\":1,\n"] {
            check_json_lines("x.json", None, text.as_bytes()).unwrap();
        }
    }

    #[test]
    fn lines_of_another_layout_are_refused_where_they_are_no_fewer() {
        for (line, command) in [
            ("{\"a\":1},\n", "sed 's/^[[:space:]]*,//; s/,[[:space:]]*$//' x.json > lines.jsonl"),
            (",{\"a\":1}\n", "sed 's/^[[:space:]]*,//"),
            ("{\"a\":1} {\"a\":2}\n", "jq -c '.' x.json"),
            ("{\"a\":1},{\"a\":2}\n", "s/^/[/; s/$/]/' x.json | jq -c '.[]'"),
            ("[{\"a\":1}]\n", "jq -c 'if type == \"array\" then .[] else . end' x.json"),
            ("{\n\"a\":1\n}\n", "jq -c '.' x.json"),
            ("[\n{\"a\":1}\n]\n", "then .[] else . end' x.json"),
        ] {
            let good = "{\"a\":1}\n";
            let error = check_json_lines("x.json", None, format!("{good}{line}").as_bytes()).unwrap_err().to_string();
            assert!(error.contains("one object a line") && error.contains(command), "{line}: {error}");
            check_json_lines("x.json", None, format!("{}{line}{good}", good.repeat(3)).as_bytes()).unwrap();
        }
    }

    #[test]
    fn objects_without_keys_are_objects() {
        let error = infer_json("x.json", b"{}\n{}\n").unwrap_err().to_string();
        assert!(error.contains("only objects without keys") && error.contains("--schema"), "{error}");
        assert!(infer_json("x.json", b"x\n").unwrap_err().to_string().contains("no JSON object"));
    }
}
