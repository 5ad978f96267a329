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
