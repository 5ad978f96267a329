//! Apache's escapes in logged values, and bytes that are not UTF-8.
//!
//! Apache writes `"` and `\` with a backslash before them, control characters as in C (`\n`, `\t`, …) or as `\xhh`, and
//! every byte from 0x80 on as `\xhh` (`ap_escape_logitem`). nginx writes `\xHH` alone.

/// Appends `value` to `out` with its escapes decoded. A lone backslash stays as it is.
pub fn unescape(value: &[u8], out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let (byte, width) = match rest.get(at + 1) {
            Some(b'n') => (b'\n', 2),
            Some(b't') => (b'\t', 2),
            Some(b'r') => (b'\r', 2),
            Some(b'b') => (0x08, 2),
            Some(b'f') => (0x0c, 2),
            Some(b'v') => (0x0b, 2),
            Some(b'a') => (0x07, 2),
            Some(&same @ (b'"' | b'\\')) => (same, 2),
            Some(b'x') => match (hex(rest.get(at + 2)), hex(rest.get(at + 3))) {
                (Some(high), Some(low)) => (high << 4 | low, 4),
                _ => (b'\\', 1),
            },
            _ => (b'\\', 1),
        };
        out.push(byte);
        rest = &rest[at + width..];
    }
    out.extend_from_slice(rest);
}

/// Appends `value`, the inside of a JSON string, to `out` with its escapes decoded (RFC 8259, section 7). What is no escape, or half of a
/// pair of surrogates, stays as it is.
pub fn unescape_json(value: &[u8], out: &mut Vec<u8>) {
    let unit = |at: usize| (value.get(at..at + 2)? == b"\\u").then(|| value.get(at + 2..at + 6))?.and_then(four_digits);
    let mut at = 0;
    while let Some(backslash) = memchr::memchr(b'\\', &value[at..]) {
        out.extend_from_slice(&value[at..at + backslash]);
        at += backslash;
        let (c, width) = match value.get(at + 1) {
            Some(b'n') => ('\n', 2),
            Some(b't') => ('\t', 2),
            Some(b'r') => ('\r', 2),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(&same @ (b'"' | b'\\' | b'/')) => (char::from(same), 2),
            Some(b'u') => match (unit(at), unit(at + 6)) {
                (Some(high @ 0xd800..0xdc00), Some(low @ 0xdc00..0xe000)) => {
                    (char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)).unwrap_or('\\'), 12)
                }
                (Some(code), _) => char::from_u32(code).map_or(('\\', 1), |c| (c, 6)),
                (None, _) => ('\\', 1),
            },
            _ => ('\\', 1),
        };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        at += width;
    }
    out.extend_from_slice(&value[at..]);
}

/// The number of four hexadecimal digits.
fn four_digits(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |code, digit| Some(code << 4 | u32::from(hex(Some(digit))?)))
}

fn hex(digit: Option<&u8>) -> Option<u8> {
    (*digit? as char).to_digit(16).map(|d| d as u8)
}

/// Appends `value` to `out` with each byte that is not part of UTF-8 written as `\xhh`.
pub fn escape_invalid(value: &[u8], out: &mut Vec<u8>) {
    for chunk in value.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        for byte in chunk.invalid() {
            out.extend_from_slice(&[b'\\', b'x', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_json_are_decoded() {
        for (text, decoded) in
            [(r#"a\"b\\c\/\n"#, "a\"b\\c/\n"), (r"\u0022\u00e9\ud83d\ude00", "\"é😀"), (r"\ud83d \u12 \x22 \", r"\ud83d \u12 \x22 \")]
        {
            let mut out = Vec::new();
            unescape_json(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), decoded);
        }
    }

    #[test]
    fn escapes_are_apaches() {
        for (text, bytes) in [
            ("plain", &b"plain"[..]),
            (r#"a\"b\\c"#, b"a\"b\\c"),
            (r"\x16\x03\xe9", b"\x16\x03\xe9"),
            (r"\n\t\r\b\v\f", b"\n\t\r\x08\x0b\x0c"),
            (r"\", b"\\"),
            (r"\xg0 \q", b"\\xg0 \\q"),
        ] {
            let mut out = Vec::new();
            unescape(text.as_bytes(), &mut out);
            assert_eq!(out, bytes, "{text}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_kept_as_escapes() {
        let mut out = Vec::new();
        escape_invalid(b"Gh0st\xad m\xc3\xbcller \xc3", &mut out);
        assert_eq!(out, "Gh0st\\xad müller \\xc3".as_bytes());
    }
}
