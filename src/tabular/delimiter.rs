//! Which delimiter a CSV has.

use super::dialect::CsvOptions;
use super::fields::split_record;
use super::infer::MOST_COLUMNS;
use super::record::Alone;
use crate::decode::lead;

/// What is looked for, in the order that decides between those that fit as well.
const KNOWN: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Records that are looked at.
const LOOKED_AT: usize = 200;

/// Where the line ends, its newline included, that names the delimiter of a file that starts with `bytes`, and which it names: `sep=;`,
/// as spreadsheets write and read it.
pub fn separator_line(bytes: &[u8]) -> Option<(usize, u8)> {
    let end = memchr::memchr(b'\n', &bytes[..bytes.len().min(16)]).map_or(bytes.len(), |newline| newline + 1);
    let line = bytes[..end].strip_suffix(b"\n").unwrap_or(&bytes[..end]);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = match line.strip_prefix(b"\"") {
        Some(quoted) => quoted.strip_suffix(b"\"")?,
        None => line,
    };
    match line.split_at_checked(4)? {
        (key, [delimiter]) if key.eq_ignore_ascii_case(b"sep=") && delimiter.is_ascii() && *delimiter != b'"' => Some((end, *delimiter)),
        _ => None,
    }
}

/// The delimiter of the CSV that starts with `start`, whole lines: the one that cuts most records into as many fields as the first, `usual`
/// where several do or none does. Where the columns are known there are `width` of them.
pub fn find_delimiter(start: &[u8], usual: u8, options: CsvOptions, width: Option<usize>) -> u8 {
    let start = &start[lead(start)..];
    let mut best = (usual, 0.5);
    for delimiter in [usual].into_iter().chain(KNOWN.into_iter().filter(|known| *known != usual)) {
        let cut = cut(start, CsvOptions { delimiter, ..options });
        if cut.fields < 2 || width.is_some_and(|width| width != cut.fields) {
            continue;
        }
        // `1,5;2,5`: commas that are all within numbers are no delimiters where something else is one.
        let doubtful = best.0 == b',' && cut.fitting >= best.1 && commas_are_in_numbers(start);
        if cut.fitting > best.1 || doubtful || (delimiter == usual && cut.fitting >= best.1) {
            best = (delimiter, cut.fitting);
        }
    }
    best.0
}

/// What messages call a delimiter.
pub fn delimiter_name(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "a tab".to_string(),
        other => format!("`{}`", char::from(other)),
    }
}

/// What a delimiter makes of the first records.
struct Cut {
    /// Of the first record.
    fields: usize,
    /// The share of the records that have as many.
    fitting: f64,
}

fn cut(start: &[u8], options: CsvOptions) -> Cut {
    let (mut at, mut alone, mut fields) = (0, Alone::default(), Vec::new());
    let (mut first, mut fitting, mut records) = (None, 0, 0);
    while at < start.len() && records < LOOKED_AT {
        let split = split_record(start, at, &mut alone, options, MOST_COLUMNS, &mut fields);
        let blank = start[at..split.next].trim_ascii().is_empty();
        at = split.next;
        if blank {
            continue;
        }
        let expected = *first.get_or_insert(split.count);
        records += 1;
        fitting += usize::from(split.count == expected && split.fault.is_none());
    }
    // The first one fits itself, which says nothing.
    let fitting = if records > 1 { (fitting as f64 - 1.0) / (records as f64 - 1.0) } else { 1.0 };
    Cut { fields: first.unwrap_or(0), fitting }
}

fn commas_are_in_numbers(start: &[u8]) -> bool {
    let digit = |at: Option<usize>| at.and_then(|at| start.get(at)).is_some_and(u8::is_ascii_digit);
    memchr::memchr_iter(b',', start).all(|at| digit(at.checked_sub(1)) && digit(Some(at + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_name_the_delimiter() {
        for (text, found) in [
            ("sep=;\na;b\n", Some((6, b';'))),
            ("SEP=,\r\na,b\n", Some((7, b','))),
            ("\"sep=\t\"\n", Some((8, b'\t'))),
            ("sep=;", Some((5, b';'))),
            ("sep=;x\n", None),
            ("sep=\n", None),
            ("sep,a\n", None),
            ("sep", None),
        ] {
            assert_eq!(separator_line(text.as_bytes()), found, "{text}");
        }
    }

    #[test]
    fn the_delimiter_is_the_one_that_cuts_records_alike() {
        let found = |text: &str| char::from(find_delimiter(text.as_bytes(), b',', CsvOptions::default(), None));
        for (text, delimiter) in [
            ("a,b\n1,2\n", ','),
            ("a;b\n1,5;2,5\n", ';'),
            ("a\tb\n1,5\t2\n", '\t'),
            ("a|b|c\n1|2|3\n", '|'),
            ("name;text\n1;\"a, b\nc;d\"\n2;x\n", ';'),
            ("id,list;of\n1,a;b;c\n2,d\n", ','),
            ("1,5;2,5\n2,5;3,5\n", ';'),
            ("1,5\n2,5\n", ','),
            ("text\na;b\nc;d\n", ','),
            ("a;b\n1\n2\n3\n", ','),
            ("a;b\n", ';'),
            ("", ','),
        ] {
            assert_eq!(found(text), delimiter, "{text}");
        }
        assert_eq!(find_delimiter(b"a;b\tc\n", b',', CsvOptions::default(), Some(2)), b';');
        assert_eq!(find_delimiter(b"a;b,c;d\n", b',', CsvOptions::default(), Some(3)), b';');
        assert_eq!(find_delimiter(b"a,b\n", b'\t', CsvOptions::default(), None), b',');
    }
}
