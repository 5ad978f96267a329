//! The first bytes of what should be text, which tell that it is something else: UTF-16, an archive, or compressed once more.

use super::compression::{Compression, unreadable};
use crate::error::{Error, ErrorKind, Result};

/// What is put before UTF-8 by some programs.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// Looks at the decompressed `start` of the input at `path`, which has as many bytes as were read at once.
///
/// # Errors
/// [`ErrorKind::Input`] where that is no text in UTF-8 for which there is another name, with the command that makes text of it.
pub(super) fn check(path: &str, compression: Compression, start: &[u8]) -> Result<()> {
    let outer = compression.unpack();
    let (what, program) = if let Some(encoding) = wide(start) {
        (format!("{path} is {}, and UTF-8 is read", encoding.0), format!("iconv -f {} -t UTF-8", encoding.1))
    } else if start.get(257..262) == Some(b"ustar") && start[..257].contains(&0) {
        (format!("{path} is a tar archive, and files are read"), "tar -xO".to_string())
    } else if let (Some(_), Some((name, program))) = (outer, compressed(start)) {
        (format!("{path} is compressed twice: what its {} stream holds is {name}", compression.name()), program.to_string())
    } else {
        return Ok(());
    };
    let command = match outer {
        Some(outer) => format!("{outer} {path} | {program}"),
        None if path == "-" => format!("… | {program}"),
        None => format!("{program} < {path}"),
    };
    Err(Error::new(ErrorKind::Input, what).with_context("what to do", format!("make text of it first: {command} | etl … -")))
}

/// What compressed bytes are called, with the program that reads them; of bzip2 more than a few letters is looked at.
fn compressed(start: &[u8]) -> Option<(&'static str, &'static str)> {
    match Compression::of(start) {
        Compression::Gzip => Some(("gzip", "gzip -dc")),
        Compression::Zstd => Some(("zstd", "zstd -dc")),
        // A block, or the end of what is empty.
        Compression::Bzip2 if matches!(start.get(4..10), Some(b"\x31\x41\x59\x26\x53\x59" | b"\x17\x72\x45\x38\x50\x90")) => {
            Some(("bzip2", "bzip2 -dc"))
        }
        _ => unreadable(start),
    }
}

/// How many bytes are looked at for letters of two bytes.
const LOOKED_AT: usize = 1024;
/// With fewer letters nothing is told.
const FEWEST: usize = 8;

/// The encoding of a text whose letters have two or four bytes, and its name for iconv: by its mark, or as nearly each second byte is zero.
fn wide(start: &[u8]) -> Option<(&'static str, &'static str)> {
    match start {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Some(("UTF-32", "UTF-32")),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some(("UTF-16", "UTF-16")),
        _ => {}
    }
    let pairs: Vec<[bool; 2]> = start[..start.len().min(LOOKED_AT)].chunks_exact(2).map(|pair| [pair[0] == 0, pair[1] == 0]).collect();
    // Most of a log, and the delimiters and digits of any table, are ASCII.
    let is_wide = |zero: usize| {
        let zeros = pairs.iter().filter(|pair| pair[zero]).count();
        zeros >= FEWEST && zeros * 4 >= pairs.len() * 3 && pairs.iter().all(|pair| !pair[1 - zero])
    };
    match (is_wide(1), is_wide(0)) {
        (true, _) => Some(("UTF-16", "UTF-16LE")),
        (_, true) => Some(("UTF-16", "UTF-16BE")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn letters_of_two_bytes_are_told_with_and_without_a_mark() {
        let line = "1.2.3.4 - müller [29/Feb/2020:00:00:02 +0000] \"GET /東京 HTTP/1.1\" 200 2\r\n";
        let marked = format!("\u{feff}{line}");
        assert_eq!(wide(&utf16(line, u16::to_le_bytes)), Some(("UTF-16", "UTF-16LE")));
        assert_eq!(wide(&utf16(line, u16::to_be_bytes)), Some(("UTF-16", "UTF-16BE")));
        for text in [marked.as_str(), "\u{feff}", "\u{feff}東京"] {
            assert_eq!(wide(&utf16(text, u16::to_le_bytes)), Some(("UTF-16", "UTF-16")), "{text}");
            assert_eq!(wide(&utf16(text, u16::to_be_bytes)), Some(("UTF-16", "UTF-16")), "{text}");
        }
        assert_eq!(wide(b"\xff\xfe\0\0a\0\0\0"), Some(("UTF-32", "UTF-32")));
        for text in
            [line.as_bytes(), MARK, b"", b"a\0", &[0; 4096], &[&[0; 100], line.as_bytes()].concat(), b"a\0b\0c\0d\0e\0f\0g\0h\0\0\0"]
        {
            assert_eq!(wide(text), None, "{text:?}");
        }
    }
}
