//! Generated log lines of the presets, with the most hostile values that a client can have logged, and lines made of rows again.

use super::table::{Cell, Table};
use etl::accesslog::Preset;
use etl::accesslog::instant::civil_from_days;
use proptest::collection::vec;
use proptest::prelude::*;

/// A line, and what its zone is: a row has its time in UTC.
#[derive(Debug, Clone)]
pub(crate) struct LogLine {
    pub(crate) preset: Preset,
    pub(crate) text: Vec<u8>,
    pub(crate) offset_minutes: i64,
}

/// Any line of the presets. Bytes over 0x7f are escaped, as Apache does it, where `escaped`; else they stand as they were sent.
pub(crate) fn log_line(escaped: bool) -> impl Strategy<Value = LogLine> {
    let preset = prop::sample::select(&[Preset::Common, Preset::Combined, Preset::VhostCombined, Preset::CombinedIo][..]);
    let host = "[0-9a-z][0-9a-z.:-]{0,40}";
    let time = (0i64..253_402_300_000, -720i64..=840);
    let numbers = ("-|[1-5][0-9][0-9]", "-|0|[1-9][0-9]{0,17}", 0u32..65_536, any::<u32>(), any::<u32>());
    let values = (user(escaped), request(escaped), quoted(escaped), quoted(escaped));
    (preset, host, "-|[a-z]{1,8}", time, numbers, values).prop_map(|(preset, host, ident, (seconds, zone), numbers, values)| {
        let (status, bytes, port, bytes_in, bytes_out) = numbers;
        let (user, request, referer, agent) = values;
        // Beside a name with blanks, an ident may be a column too many.
        let ident = if user.contains(&b' ') { "-".to_string() } else { ident };
        let vhost = if preset == Preset::VhostCombined { format!("www.{host}:{port} ") } else { String::new() };
        let mut text = format!("{vhost}{host} {ident} ").into_bytes();
        text.extend(user);
        text.extend(format!(" [{}] \"", clf(seconds, zone)).bytes());
        text.extend(request);
        text.extend(format!("\" {status} {bytes}").bytes());
        if preset != Preset::Common {
            text.extend([b" \"", &referer[..], b"\" \"", &agent, b"\""].concat());
        }
        if preset == Preset::CombinedIo {
            text.extend(format!(" {bytes_in} {bytes_out}").bytes());
        }
        LogLine { preset, text, offset_minutes: zone }
    })
}

/// What a client sent, as it is logged.
fn logged(sent: &[u8], escaped: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in sent {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', *byte]),
            b'\n' => out.extend(b"\\n"),
            b'\t' => out.extend(b"\\t"),
            0..=0x1f | 0x7f => out.extend(format!("\\x{byte:02x}").bytes()),
            0x80.. if escaped => out.extend(format!("\\x{byte:02x}").bytes()),
            _ => out.push(*byte),
        }
    }
    out
}

/// Bytes that mean something to a parser, and some others.
fn sent() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        prop::sample::select(&b"\"\\[]- ?/:\t\nx0\xc3\xbc\xff"[..]).prop_map(|b| vec![b]),
        any::<u8>().prop_map(|b| vec![b]),
        prop::sample::select(vec![
            &b"] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\""[..],
            b" [01/Jan/2000:00:00:00 +0000] ",
            b"[01/Jan/2000:00:00:00 +0000]",
            b" HTTP/1.1",
            b"\" 200 -",
            b"- -",
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

fn quoted(escaped: bool) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(b"-".to_vec()), sent().prop_map(move |sent| logged(&sent, escaped))]
}

/// An empty name is logged as `""`. One with blanks is of words of letters only: others may as well be more columns.
fn user(escaped: bool) -> impl Strategy<Value = Vec<u8>> {
    quoted(escaped).prop_map(|user| if user.is_empty() { b"\"\"".to_vec() } else { user }).prop_map(|user| {
        if user.contains(&b' ') && !is_of_words(&user) { user.iter().map(|b| if *b == b' ' { b'_' } else { *b }).collect() } else { user }
    })
}

fn is_of_words(user: &[u8]) -> bool {
    user.split(|byte| *byte == b' ')
        .all(|word| word.first().is_some_and(u8::is_ascii_lowercase) && word.iter().all(|b| *b > 0x7f || b"x[]\\-".contains(b)))
}

fn request(escaped: bool) -> impl Strategy<Value = Vec<u8>> {
    let http = ("[A-Z]{1,8}", sent(), "( HTTP/[0-9](\\.[0-9])?)?")
        .prop_map(move |(method, target, protocol)| [method.as_bytes(), b" /", &logged(&target, escaped), protocol.as_bytes()].concat());
    prop_oneof![quoted(escaped), http]
}

/// `10/Oct/2000:13:55:36 -0700`, of the seconds since 1970 there.
fn clf(local_seconds: i64, offset_minutes: i64) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = civil_from_days(local_seconds.div_euclid(86_400));
    let of_day = local_seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let (sign, offset) = (if offset_minutes < 0 { '-' } else { '+' }, offset_minutes.abs());
    let month = MONTHS[usize::from(month) - 1];
    format!("{day:02}/{month}/{year:04}:{hour:02}:{minute:02}:{second:02} {sign}{:02}{:02}", offset / 60, offset % 60)
}

/// The line that the first row of `table` was read from, its time in the line's zone.
pub(crate) fn rendered(table: &Table, line: &LogLine) -> Vec<u8> {
    let text = |name: &str| match table.named(name, 0) {
        Cell::Null => b"-".to_vec(),
        Cell::Text(text) => text,
        Cell::Number(number) => number.to_string().into_bytes(),
        Cell::Time(millis) => clf(millis.div_euclid(1_000) + line.offset_minutes * 60, line.offset_minutes).into_bytes(),
    };
    let request = match table.request_line("%r", 0) {
        Cell::Text(request) => request,
        _ => b"-".to_vec(),
    };
    let user = match table.named("auth_user", 0) {
        Cell::Text(user) if user.is_empty() => b"\"\"".to_vec(),
        _ => text("auth_user"),
    };
    let mut out = Vec::new();
    if line.preset == Preset::VhostCombined {
        out.extend([&text("vhost")[..], b":", &text("port"), b" "].concat());
    }
    out.extend([&text("host")[..], b" ", &text("ident"), b" ", &user, b" [", &text("time"), b"] \"", &request, b"\" "].concat());
    out.extend([text("status"), text("bytes")].join(&b' '));
    if line.preset != Preset::Common {
        out.extend([b" \"", &text("referer")[..], b"\" \"", &text("user_agent"), b"\""].concat());
    }
    if line.preset == Preset::CombinedIo {
        out.extend([b" ", &text("bytes_in")[..], b" ", &text("bytes_out")].concat());
    }
    out
}
