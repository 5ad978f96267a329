//! What is told of an input of which the format can't be told: its first line as it is, and what that is nearest to.

use super::source::Source;
use crate::accesslog::{Preset, nearest, suggest};
use crate::decode::lead;
use crate::error::{Error, ErrorKind};
use crate::printable::printable;
use crate::units::count;
use bytes::Bytes;

/// Characters of a line that are shown, and those from where it stops to fit.
const SHOWN: usize = 200;
const SHOWN_REST: usize = 40;

/// The error of `source`, which begins with `lines` of no format that is known.
pub(super) fn unknown_format(source: &Source, lines: &[u8]) -> Error {
    if is_nothing(lines) {
        return nothing_but_nul(source, "; where its format is named (--log-format) such lines are rejected");
    }
    let first = lines.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let first = &first[lead(first)..];
    let mut error = Error::new(ErrorKind::Format, format!("{} is in none of the formats that are known by name", source.path))
        .with_context("its first line", shown(first, SHOWN));
    // A line end of two bytes is none of the line's values.
    let line = first.strip_suffix(b"\r").unwrap_or(first);
    if let Some(preset) = Preset::ALL.into_iter().find(|preset| preset.fits(line)) {
        let name = preset.name();
        error = error.with_context("nearest", format!("{name}, which is {}", preset.log_format())).with_context(
            "stops to fit",
            format!("nowhere, but its user has a blank and may as well be more columns: --log-format {name} says that it is one"),
        );
    } else if let Some(nearest) = nearest(line) {
        let place = match &line[nearest.at.min(line.len())..] {
            [] => "at its end".to_string(),
            rest => format!("at byte {}, where {} stands", nearest.at, shown(rest, SHOWN_REST)),
        };
        let name = nearest.preset.name();
        let told = match nearest.preset.log_format() {
            // The list of a service's fields is long.
            format if format.starts_with('{') => name.to_string(),
            format => format!("{name}, which is {format}"),
        };
        error = error.with_context("nearest", told).with_context("stops to fit", format!("{place}: {}", nearest.reason));
    }
    if let Some(suggestion) = suggest(&Bytes::copy_from_slice(lines)) {
        let share = match suggestion.fitting == suggestion.tried {
            true => "reads all of them".to_string(),
            false => format!("reads {} of the first {} lines", count(suggestion.fitting), count(suggestion.tried)),
        };
        error = error.with_context("perhaps", format!("--log-format '{}', which {share}", suggestion.format.replace('\'', "'\\''")));
    }
    error.with_context("known", Preset::ALL.map(Preset::name).join(", ")).with_context(
        "what to do",
        "give its format with --log-format, or its name and --httpd-conf FILE or --nginx-conf FILE; a table is named by --from csv|tsv|json|parquet",
    )
}

/// Whether there is nothing in `lines` but NUL bytes.
pub(super) fn is_nothing(lines: &[u8]) -> bool {
    lines.iter().all(|byte| *byte == 0 || byte.is_ascii_whitespace()) && lines.contains(&0)
}

/// The error of a source of which the first lines are nothing but NUL bytes; `or` is what else can be done.
pub(super) fn nothing_but_nul(source: &Source, or: &str) -> Error {
    Error::new(ErrorKind::Format, format!("{} begins with nothing but NUL bytes, so it can't be told what it is", source.path))
        .with_context("what is wrong", "it was cut off or never written, or it is no text")
        .with_context("what to do", format!("leave it out, or bring it back from a copy{or}"))
}

/// `line` between signs that let blanks at its ends be seen, with what can't be seen escaped, cut behind so many characters.
fn shown(line: &[u8], most: usize) -> String {
    let mut text = String::new();
    let mut left = most;
    for chunk in line.utf8_chunks() {
        let valid: String = chunk.valid().chars().take(left).collect();
        left -= valid.chars().count();
        text.push_str(&printable(&valid));
        let invalid = &chunk.invalid()[..chunk.invalid().len().min(left)];
        left -= invalid.len();
        text.extend(invalid.iter().map(|byte| format!("\\x{byte:02x}")));
        if left == 0 {
            break;
        }
    }
    let is_cut = String::from_utf8_lossy(&line[..line.len().min(most * 4 + 4)]).chars().nth(most).is_some();
    match is_cut {
        true => format!("`{text}`… ({} bytes)", count(line.len() as u64)),
        false => format!("`{text}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shown_as_it_is() {
        assert_eq!(shown(b"  a\tb\0 \r", 200), "`  a\\tb\\u{0} \\r`");
        assert_eq!(shown("é\u{202e}".as_bytes(), 200), "`é\\u{202e}`");
        assert_eq!(shown(b"a\xff\xfeb", 200), "`a\\xff\\xfeb`");
        assert_eq!(shown(&"é".repeat(1_000).into_bytes(), 200), format!("`{}`… (2,000 bytes)", "é".repeat(200)));
        assert_eq!(shown(&[0xff; 300], 3), "`\\xff\\xff\\xff`… (300 bytes)");
        assert_eq!((shown(b"abc", 3), shown(b"", 3)), ("`abc`".to_string(), "``".to_string()));
    }
}
