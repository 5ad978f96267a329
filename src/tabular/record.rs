//! Where the records of a CSV end, also where their quotes are broken.
//!
//! A quoted field may go on over several lines. Where it never closes, or has text behind its closing quote, nobody can tell where its
//! record was meant to end: then the record is its first line alone, and the next one starts at the next line. So a broken quote
//! costs its own line and no other.

use super::dialect::{CsvDialect, CsvOptions};
use crate::decode::lead;

/// What a record of several lines may have, in bytes.
pub(super) const MOST_RECORD: usize = 16 << 20;

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Fault {
    TextBehind,
    #[default]
    NeverCloses,
    /// The record has more than [`MOST_RECORD`] bytes by then.
    TooLong,
    /// A line of TSV has a backslash before a letter or digit that makes no escape with it.
    NoEscape,
    /// A line of TSV ends with a backslash.
    EscapesNothing,
}

impl Fault {
    /// The reason of a reject.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Fault::TextBehind => "text behind a closing quote",
            Fault::NeverCloses => "a quote that is never closed",
            Fault::TooLong => "a quote that is not closed within the 16 MiB that a record may have",
            Fault::NoEscape => "a backslash before a letter or digit that TSV has no escape of",
            Fault::EscapesNothing => "a backslash at the end of the line",
        }
    }
}

/// Lines of which it is known that no record goes over their ends. Where the quotes of a record are seen to be broken, those of any other
/// that is within a quoted field at the end of a line between are broken by the same. So nothing is looked at again and again, however
/// many quotes are broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Alone {
    /// No record goes over a line end before this byte.
    pub(super) until: usize,
    pub(super) fault: Fault,
}

impl Alone {
    /// What is known when the quotes of a record were seen to be broken at the byte `shown`.
    pub(super) fn extend(&mut self, shown: usize, fault: Fault) {
        if shown > self.until {
            *self = Alone { until: shown, fault };
        }
    }
}

/// What comes of a quoted field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoted {
    /// Its text ends at `end`; `next` is the delimiter or newline behind it, or where the bytes end.
    Closed { end: usize, next: usize, escaped: bool },
    /// The bytes end before that can be told.
    Open,
    /// It shows at the byte `shown` that its quotes are broken.
    Broken { shown: usize, fault: Fault },
}

/// Reads the quoted field whose text starts at `text`, of the record that starts at `start`, which may have `most` bytes.
pub(super) fn quoted(bytes: &[u8], start: usize, text: usize, alone: Alone, options: CsvOptions, most: usize) -> Quoted {
    let limit = start.saturating_add(most);
    let mut bound = bytes.len().min(limit);
    let mut beyond = if limit < bytes.len() { Quoted::Broken { shown: limit, fault: Fault::TooLong } } else { Quoted::Open };
    if text < alone.until
        && let Some(newline) = memchr::memchr(b'\n', &bytes[text..alone.until.min(bound).max(text)])
    {
        bound = text + newline;
        beyond = Quoted::Broken { shown: alone.until, fault: alone.fault };
    }
    let searched = &bytes[..bound.max(text.min(bytes.len()))];
    let found = match options.dialect {
        CsvDialect::Rfc4180 => closing(searched, text),
        CsvDialect::Athena => closing_with_backslashes(searched, text),
    };
    let Some((end, escaped)) = found else { return beyond };
    match (bytes.get(end + 1), bytes.get(end + 2)) {
        (None, _) => Quoted::Closed { end, next: bytes.len(), escaped },
        (Some(byte), _) if *byte == options.delimiter || *byte == b'\n' => Quoted::Closed { end, next: end + 1, escaped },
        (Some(b'\r'), Some(b'\n')) => Quoted::Closed { end, next: end + 2, escaped },
        (Some(b'\r'), None) => Quoted::Closed { end, next: bytes.len(), escaped },
        _ => Quoted::Broken { shown: end + 1, fault: Fault::TextBehind },
    }
}

/// Where the quote is that closes the text at `start`, and whether there are doubled ones before it.
fn closing(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    let (mut at, mut doubled) = (start, false);
    loop {
        let quote = at + memchr::memchr(b'"', bytes.get(at..)?)?;
        if bytes.get(quote + 1) != Some(&b'"') {
            return Some((quote, doubled));
        }
        doubled = true;
        at = quote + 2;
    }
}

/// As [`closing`], where a backslash makes a quote part of the text.
fn closing_with_backslashes(bytes: &[u8], start: usize) -> Option<(usize, bool)> {
    let (mut at, mut escaped) = (start, false);
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        let next = bytes.get(found + 1);
        let pair = match bytes[found] {
            b'"' if next != Some(&b'"') => return Some((found, escaped)),
            b'"' => true,
            _ => matches!(next, Some(b'"' | b'\\')),
        };
        escaped = true;
        at = found + 1 + usize::from(pair);
    }
}

/// What comes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scanned {
    /// It ends here, its newline included.
    Whole(usize),
    Open,
    Broken {
        shown: usize,
        fault: Fault,
    },
}

/// Finds the end of the record at `start`. A quote opens a field only where the field starts: one within, as in `7" screen`, is text.
fn scan(bytes: &[u8], start: usize, alone: Alone, options: CsvOptions, most: usize) -> Scanned {
    let mut at = start;
    while let Some(found) = memchr::memchr2(b'"', b'\n', &bytes[at..]) {
        let here = at + found;
        if bytes[here] == b'\n' {
            return within(bytes, start, here + 1, most);
        }
        at = here + 1;
        if here > start && bytes[here - 1] != options.delimiter {
            continue;
        }
        match quoted(bytes, start, here + 1, alone, options, most) {
            Quoted::Closed { next, .. } if next == bytes.len() => return Scanned::Open,
            Quoted::Closed { next, .. } if bytes[next] == b'\n' => return within(bytes, start, next + 1, most),
            // The delimiter tells whether a quote behind it opens a field.
            Quoted::Closed { next, .. } => at = next,
            Quoted::Open => return Scanned::Open,
            Quoted::Broken { shown, fault } => return Scanned::Broken { shown, fault },
        }
    }
    // However it goes on, a record of several lines is too long by now.
    if is_too_long(bytes, start, bytes.len(), most) { broken_by_length(start, most) } else { Scanned::Open }
}

fn within(bytes: &[u8], start: usize, end: usize, most: usize) -> Scanned {
    if is_too_long(bytes, start, end, most) { broken_by_length(start, most) } else { Scanned::Whole(end) }
}

fn broken_by_length(start: usize, most: usize) -> Scanned {
    Scanned::Broken { shown: start + most, fault: Fault::TooLong }
}

/// Whether a record of several lines is longer than it may be. How long a line may be is the concern of who reads lines.
pub(super) fn is_too_long(bytes: &[u8], start: usize, end: usize, most: usize) -> bool {
    end - start > most && memchr::memchr(b'\n', &bytes[start..start + most]).is_some()
}

/// Where the first record of `bytes` ends, its newline included; `most` is what a record of several lines may have.
pub(super) fn first_record_end(bytes: &[u8], options: CsvOptions, most: usize) -> Option<usize> {
    match scan(bytes, 0, Alone::default(), options, most) {
        Scanned::Whole(end) => Some(end),
        Scanned::Open => None,
        Scanned::Broken { .. } => line_end(bytes, 0),
    }
}

/// The last place of `bytes` up to which records are told from these bytes alone, whatever comes behind them: where a record ends, and
/// no line before it belongs to one that is not yet known to be broken.
pub(super) fn last_record_end(bytes: &[u8], options: CsvOptions, most: usize) -> Option<usize> {
    let first = memchr::memchr(b'"', bytes).unwrap_or(bytes.len());
    // Before the first quote each line is a record.
    let mut at = memchr::memrchr(b'\n', &bytes[..first]).map_or(0, |newline| newline + 1);
    let (mut last, mut alone) = ((at > 0).then_some(at), Alone::default());
    while at < bytes.len() {
        let end = match scan(bytes, at, alone, options, most) {
            Scanned::Whole(end) => Some(end),
            Scanned::Open => None,
            Scanned::Broken { shown, fault } => {
                alone.extend(shown, fault);
                line_end(bytes, at)
            }
        };
        let Some(end) = end else { break };
        at = end;
        if at >= alone.until {
            last = Some(at);
        }
    }
    last
}

/// How many bytes before a record are none of it. Where nothing is behind them they are the record; and before a quote, too, which opens a
/// field only at the start of it.
pub(super) fn lead_of_record(bytes: &[u8]) -> usize {
    let lead = lead(bytes);
    match bytes.get(lead) {
        None | Some(b'\n' | b'\r' | b'"') => 0,
        Some(_) => lead,
    }
}

/// Where the line at `start` ends, its newline included.
pub(super) fn line_end(bytes: &[u8], start: usize) -> Option<usize> {
    memchr::memchr(b'\n', &bytes[start..]).map(|newline| start + newline + 1)
}
