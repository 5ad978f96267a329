//! What holds for every LogFormat and every log.

use super::log_line::{LogLine, log_line, rendered};
use super::table::{Cell, Table};
use etl::accesslog::{DecodeOptions, LogFormat, Preset};
use etl::escape;
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;

/// Formats that use every way in which a value's end is found.
const FORMATS: [&str; 10] = [
    r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
    r#"%v:%p %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
    "%h %l %u %t %r %>s %b %{Referer}i %{User-Agent}i",
    "%{X-Forwarded-For}i %l %u %t %D",
    "%{Referer}i -> %U",
    "%{User-Agent}i",
    r"%h\t%200,304t\t%m %U%q %H\t%D",
    "[%{A}i] [%{B}i] %400b %{%s}t %u",
    "%{%a %d %b %Y %n%T %p %Z}t %{sec}t%{usec_frac}t|%{end:msec}t|%{B}i0%D",
    r#"{"t":"%{%Y-%m-%dT%H:%M:%S}t.%{usec_frac}t%{%z}t","u":"%u","r":"%r","s":%>s,"D":%D}"#,
];

fn format(index: usize) -> Arc<LogFormat> {
    Arc::new(LogFormat::parse("test", FORMATS[index]).unwrap())
}

/// Lines that fit the formats, nearly fit them, or don't, with all kinds of ends.
fn log() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => log_line(true).prop_map(|line| line.text),
        2 => (log_line(false), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut line, at, byte)| {
            let at = at.index(line.text.len());
            line.text[at] = byte;
            line.text
        }),
        1 => vec(any::<u8>(), 0..60),
        1 => vec(prop::sample::select(&b" \"\\[]-|0129\t\r\n?>aT:/+"[..]), 0..60),
        1 => Just(Vec::new()),
    ];
    let end = prop::sample::select(vec![&b"\n"[..], b"\n", b"\r\n", b"\n\n", b""]);
    vec((line, end).prop_map(|(line, end)| [&line[..], end].concat()), 0..12).prop_map(|lines| lines.concat())
}

/// A reject's line, offset and bytes.
type Rejected = (u64, u64, Vec<u8>);

/// Everything that a log gives: the rows, and the rejects.
fn contents(table: &Table) -> (Vec<Vec<Cell>>, Vec<Rejected>) {
    let rows = (0..table.rows()).map(|row| (0..table.columns.len()).map(|column| table.cell(column, row)).collect()).collect();
    let rejects = table.decoded.rejects.iter().map(|r| (r.line, r.offset, r.raw.to_vec())).collect();
    (rows, rejects)
}

/// A line as its columns show it: bytes that aren't UTF-8 as `\xhh`.
fn shown(line: &[u8]) -> String {
    let mut out = Vec::new();
    escape::escape_invalid(line, &mut out);
    String::from_utf8(out).unwrap()
}

fn check_accounts(table: &Table, log: &[u8]) {
    let decoded = &table.decoded;
    assert_eq!(decoded.lines, table.rows() as u64 + decoded.rejects.len() as u64 + decoded.blank);
    let newlines = log.iter().filter(|b| **b == b'\n').count() as u64;
    assert_eq!(decoded.lines, newlines + u64::from(!log.is_empty() && !log.ends_with(b"\n")));
    for reject in &decoded.rejects {
        let start = usize::try_from(reject.offset).unwrap();
        assert_eq!(&log[start..start + usize::try_from(reject.length).unwrap()], &reject.raw[..]);
        assert_eq!(log[..start].iter().filter(|b| **b == b'\n').count() as u64, reject.line);
        assert!(!reject.reason.is_empty());
    }
    for column in decoded.batch.columns() {
        column.to_data().validate_full().unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_row_renders_to_its_line(line in log_line(true)) {
        let table = Table::of(&line.preset.format(), &line.text);
        prop_assert_eq!(table.rows(), 1, "{:?}", table.decoded.rejects);
        prop_assert_eq!(shown(&rendered(&table, &line)), shown(&line.text));
    }

    #[test]
    fn a_row_with_any_bytes_renders_to_its_line(line in log_line(false)) {
        let table = Table::of(&line.preset.format(), &line.text);
        prop_assert_eq!(table.rows(), 1, "{:?}", table.decoded.rejects);
        prop_assert_eq!(shown(&rendered(&table, &line)), shown(&line.text));
    }

    #[test]
    fn every_line_is_accounted_for(index in 0..FORMATS.len(), unescape: bool, log in log()) {
        let table = Table::decoded(&format(index), &log, DecodeOptions { projection: None, unescape });
        check_accounts(&table, &log);
    }

    #[test]
    fn blocks_decode_as_the_whole(index in 0..FORMATS.len(), log in log(), cuts in vec(any::<bool>(), 40)) {
        let format = format(index);
        let (mut rows, mut rejects, mut lines) = (Vec::new(), Vec::new(), 0);
        let mut start = 0;
        let ends = log.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1);
        let chosen: Vec<usize> = ends.zip(cuts.iter().cycle()).filter(|(_, cut)| **cut).map(|(end, _)| end).collect();
        for end in chosen.into_iter().chain([log.len()]) {
            let table = Table::of(&format, &log[start..end]);
            let (block_rows, block_rejects) = contents(&table);
            rows.extend(block_rows);
            rejects.extend(block_rejects.into_iter().map(|(line, offset, raw)| (line + lines, offset + start as u64, raw)));
            lines += table.decoded.lines;
            start = end;
        }
        prop_assert_eq!((rows, rejects), contents(&Table::of(&format, &log)));
    }

    #[test]
    fn a_projection_is_the_same_columns(index in 0..FORMATS.len(), log in log(), picks in vec(any::<prop::sample::Index>(), 0..8)) {
        let format = format(index);
        let picks: Vec<usize> = picks.into_iter().map(|pick| pick.index(format.columns().len())).collect();
        let whole = Table::of(&format, &log);
        let part = Table::decoded(&format, &log, DecodeOptions { projection: Some(picks.clone()), unescape: false });
        prop_assert_eq!(whole.rows(), part.rows());
        prop_assert_eq!(contents(&whole).1, contents(&part).1);
        for (at, pick) in picks.iter().enumerate() {
            for row in 0..whole.rows() {
                prop_assert_eq!(part.cell(at, row), whole.cell(*pick, row));
            }
        }
    }

    #[test]
    fn any_text_is_a_log_format_or_an_error(text in log_format_text(), log in log()) {
        if let Ok(format) = LogFormat::parse("test", &text) {
            check_accounts(&Table::of(&Arc::new(format), &log), &log);
        }
    }

    #[test]
    fn a_line_of_one_preset_is_detected(line in log_line(true)) {
        let LogLine { preset, mut text, .. } = line;
        // A name with a blank in it tells nothing.
        let users = Table::of(&preset.format(), &text);
        prop_assume!(!matches!(users.named("auth_user", 0), Cell::Text(user) if user.contains(&b' ')));
        // One line alone, of `::1` and a user with a blank in the name, may be of a virtual host and its port as well.
        if preset != Preset::VhostCombined {
            text.iter_mut().take_while(|b| **b != b' ').filter(|b| **b == b':').for_each(|b| *b = b'.');
        }
        let found = etl::accesslog::detect(&text.into()).unwrap().expect("a format");
        prop_assert_eq!(found.format.name(), preset.name());
        prop_assert_eq!((found.fitting, found.tried), (1, 1));
    }
}

fn log_format_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(&["%h ", "%t", "%u ", "\"%r\"", "%>s", " %b", "%{A}i", "%U%q", "%{%T}t", "%200t", "%{sec}t", "%!200{B}o"][..])
            .prop_map(str::to_string),
        3 => prop::sample::select(&["%", "{", "}", "^", "%{", "<", ">", "!", "%%", "\\", "\"", " ", "é", "%{%", "%E", "t", "ti", "end:"][..])
            .prop_map(str::to_string),
        1 => any::<char>().prop_map(String::from),
        1 => "\\PC{0,4}",
    ];
    vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

#[test]
fn a_line_is_never_looked_at_again_and_again() {
    // A decoder that isn't linear takes minutes for these; there is no clock here, a run that hangs is the failure.
    const LONG: usize = 1 << 20;
    let repeated: [&[u8]; 12] =
        [b"\"", b"\\", b"[", b" ", b" 0", b"0", b" -", b"\\\" ", b" [10/Oct/2000:13:55:36 -0700]", b"] [", b" Mon", b"a"];
    let starts: [&[u8]; 4] = [b"", b"1.2.3.4 - ", b"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] \"", b"Mon 10 Oct 2000 "];
    let mut formats: Vec<Arc<LogFormat>> = (0..FORMATS.len()).map(format).collect();
    formats.extend(Preset::ALL.map(Preset::format));
    formats.extend(
        ["%{A}i %{%n%n%H}t", "%{A}ia%{%a}tb", "%{A}i0%s", "%{A}iaaaaaaaab%{B}i"].map(|f| Arc::new(LogFormat::parse("test", f).unwrap())),
    );
    for format in &formats {
        for start in starts {
            for part in repeated {
                let log = [start, &part.repeat(LONG / part.len())].concat();
                check_accounts(&Table::of(format, &log), &log);
            }
        }
    }
}
