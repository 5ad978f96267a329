//! The files in `tests/fixtures`, and values as they write them.

use arrow::compute::kernels::cast_utils::string_to_timestamp_nanos;
use serde_json::Value;
use std::path::Path;

/// The text of the file `name`.
fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A file that is one JSON value.
pub(crate) fn json(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap()
}

/// A file with a JSON value on each line.
pub(crate) fn json_lines(name: &str) -> Vec<Value> {
    text(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The bytes of a string, or of `{"b64": "…"}` where they are not UTF-8; nothing for null.
pub(crate) fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Object(object) => Some(base64(object["b64"].as_str().unwrap())),
        other => panic!("expected a string or bytes, not {other}"),
    }
}

/// Milliseconds since 1970 of an RFC 3339 time; one without a zone is in UTC.
pub(crate) fn millis(time: &str) -> i64 {
    string_to_timestamp_nanos(time).unwrap().div_euclid(1_000_000)
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    let (mut bits, mut held) = (0u32, 0);
    for byte in text.bytes().filter(|b| *b != b'=') {
        bits = bits << 6 | ALPHABET.iter().position(|b| *b == byte).unwrap() as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    out
}

#[test]
fn base64_is_decoded() {
    assert_eq!(base64("R2gwc3St"), b"Gh0st\xad");
    assert_eq!(base64("gA=="), b"\x80");
}
