//! What loggers that a server writes to put before its lines: syslog, journald, container runtimes and compose.

use super::digits::digits;
use crate::diagnostic::{caret, nearest};
use crate::error::{Error, ErrorKind};

/// What stands before each line of a server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefix {
    #[default]
    None,
    /// RFC 3164 (`<134>Mar  1 10:00:00 web nginx[7]: `), as journalctl shows lines, too, and RFC 5424
    /// (`<134>1 2026-03-01T10:00:00.000Z web nginx 7 - - `); the priority may be missing.
    Syslog,
    /// Kubernetes' Container Runtime Interface: `2026-03-01T10:00:00.123456789Z stdout F `.
    Cri,
    /// `docker compose logs`: `web-1  | `.
    Compose,
    /// Docker's json-file: the line within `{"log":"…\n","stream":"stdout","time":"…"}`.
    Docker,
}

impl Prefix {
    pub const ALL: [Prefix; 5] = [Prefix::None, Prefix::Syslog, Prefix::Cri, Prefix::Compose, Prefix::Docker];

    /// What stands before the name of a prefix in a format.
    pub(super) const MARK: &str = "prefix=";

    /// The name on the command line, and behind `prefix=` before a format.
    pub fn name(self) -> &'static str {
        match self {
            Prefix::None => "none",
            Prefix::Syslog => "syslog",
            Prefix::Cri => "cri",
            Prefix::Compose => "compose",
            Prefix::Docker => "docker",
        }
    }

    /// The prefix of this name.
    pub fn named(name: &str) -> Option<Prefix> {
        Prefix::ALL.into_iter().find(|prefix| prefix.name() == name)
    }

    /// The prefix that the format `text` begins with, as `prefix=cri %h …`, and the format behind it.
    pub fn split(text: &str) -> (Prefix, &str) {
        let told = text.strip_prefix(Prefix::MARK).and_then(|rest| rest.split_once(' '));
        told.and_then(|(name, rest)| Some((Prefix::named(name)?, rest))).unwrap_or((Prefix::None, text))
    }

    /// The error of `text`, which begins with a prefix that there isn't, or has no format behind it.
    pub(super) fn unknown(text: &str) -> Error {
        let start = Prefix::MARK.len();
        let end = text[start..].find(' ').map_or(text.len(), |at| start + at);
        let names: Vec<&str> = Prefix::ALL.into_iter().map(Prefix::name).collect();
        let why = match Prefix::named(&text[start..end]) {
            Some(_) => "expected a format after it, as in `prefix=cri combined`".to_string(),
            None => match nearest(&text[start..end], names.iter().copied()) {
                Some(near) => format!("no such prefix; did you mean `{near}`?"),
                None => format!("no such prefix; expected one of {}", names.join(", ")),
            },
        };
        Error::of_lines(ErrorKind::Format, format!("this log format can't be used:\n{}", caret(text, start..end, &why)))
    }

    /// How long the prefix of `line` is; nothing where it has none. Of Docker's lines, which are looked into, it is nothing.
    #[inline]
    pub(super) fn length(self, line: &[u8]) -> Option<usize> {
        match self {
            Prefix::None | Prefix::Docker => Some(0),
            Prefix::Syslog => syslog(line),
            Prefix::Cri => cri(line),
            Prefix::Compose => compose(line),
        }
    }

    /// What is wrong with a line that has no such prefix.
    pub(super) fn missing(self) -> &'static str {
        match self {
            Prefix::None => "",
            Prefix::Syslog => "it begins with no header of syslog",
            Prefix::Cri => "it begins with no time, stream and `F` of a container's log (`P` is a part of a line)",
            Prefix::Compose => "it begins with no service and `|` of compose",
            Prefix::Docker => "it is no JSON of Docker's",
        }
    }

    /// The prefix as an expression of Java, without a group that is kept.
    pub(super) fn java_regex(self) -> &'static str {
        match self {
            Prefix::None | Prefix::Docker => "",
            Prefix::Syslog => {
                "(?:<[0-9]{1,3}>)?+(?:1 [^ ]++ [^ ]++ [^ ]++ [^ ]++ [^ ]++ (?:-|\\[[^\\]]*+\\]) |(?:[A-Z][a-z]{2} [ 0-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9]|[0-9]{4}-[0-9]{2}-[0-9]{2}T[^ ]++) [^ ]++ [^ :]++: )"
            }
            Prefix::Cri => "[0-9]{4}-[0-9]{2}-[0-9]{2}T[^ ]++ std(?:out|err) F ",
            Prefix::Compose => "[A-Za-z0-9][A-Za-z0-9._-]*+ *+\\| ",
        }
    }
}

fn syslog(line: &[u8]) -> Option<usize> {
    let priority = match line.first() {
        Some(b'<') => {
            let number = digits(&line[1..], 3);
            (number > 0 && line.get(1 + number) == Some(&b'>')).then_some(2 + number)?
        }
        _ => 0,
    };
    let rest = &line[priority..];
    if let Some(fields) = rest.strip_prefix(b"1 ") {
        return Some(priority + 2 + header_5424(fields)?);
    }
    let time = if rest.first().is_some_and(u8::is_ascii_digit) { iso(rest)? } else { time_3164(rest)? };
    // The host, and the program with its number: `web nginx[7]: `.
    let host = word(rest.get(time + 1..)?)?;
    let tag = rest.get(time + 1 + host + 1..)?;
    let end = word(tag)?;
    (tag[end - 1] == b':').then_some(priority + time + 1 + host + 1 + end + 1)
}

/// `Mar  1 10:00:00`, and the blank behind it is there.
fn time_3164(text: &[u8]) -> Option<usize> {
    let time: &[u8; 16] = text.first_chunk()?;
    let is_time = super::strftime::month(&time[..3]).is_some()
        && time[3] == b' '
        && time[6] == b' '
        && time[9] == b':'
        && time[12] == b':'
        && time[15] == b' '
        && [5, 7, 8, 10, 11, 13, 14].into_iter().all(|at| time[at].is_ascii_digit());
    is_time.then_some(15)
}

/// A time of ISO 8601 with a blank behind it.
fn iso(text: &[u8]) -> Option<usize> {
    let start: &[u8; 11] = text.first_chunk()?;
    let is_date = start[4] == b'-' && start[7] == b'-' && start[10] == b'T' && start[..4].iter().all(u8::is_ascii_digit);
    is_date.then(|| word(text))?
}

/// Time, host, program, process, message id and structured data of RFC 5424, each with the blank behind it.
fn header_5424(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for _ in 0..5 {
        at += word(text.get(at..)?)? + 1;
    }
    let data = text.get(at..)?;
    let length = match data.first()? {
        b'-' => 1,
        _ => {
            // Elements in brackets, with quotes in which a backslash is before what is text.
            let (mut quoted, mut end) = (false, 0);
            loop {
                match data.get(end)? {
                    b'\\' if quoted => end += 1,
                    b'"' => quoted = !quoted,
                    b']' if !quoted && data.get(end + 1) != Some(&b'[') => break,
                    _ if end == 0 && data[0] != b'[' => return None,
                    _ => {}
                }
                end += 1;
            }
            end + 1
        }
    };
    // A byte order mark may stand before the message.
    let mark = if data.get(length + 1..).is_some_and(|rest| rest.starts_with(b"\xef\xbb\xbf")) { 3 } else { 0 };
    (data.get(length) == Some(&b' ')).then_some(at + length + 1 + mark)
}

fn cri(line: &[u8]) -> Option<usize> {
    let time = iso(line)?;
    let rest = line.get(time + 1..)?;
    let is_stream = rest.starts_with(b"stdout F ") || rest.starts_with(b"stderr F ");
    is_stream.then_some(time + 1 + 9)
}

fn compose(line: &[u8]) -> Option<usize> {
    let name = line.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte)).count();
    let blanks = line[name..].iter().take_while(|byte| **byte == b' ').count();
    (name > 0 && line[name + blanks..].starts_with(b"| ")).then_some(name + blanks + 2)
}

/// How long the word at the start of `text` is that has a blank behind it.
fn word(text: &[u8]) -> Option<usize> {
    memchr::memchr(b' ', text).filter(|length| *length > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_told_from_lines() {
        for (prefix, line) in [
            (Prefix::Syslog, "<134>Mar  1 10:00:00 web nginx[7]: |"),
            (Prefix::Syslog, "Mar 11 10:00:00 web nginx: |"),
            (Prefix::Syslog, "2026-03-01T10:00:00+0100 web nginx[7]: |"),
            (Prefix::Syslog, "<134>1 2026-03-01T10:00:00.003Z web nginx 7 - - |"),
            (Prefix::Syslog, "<134>1 2026-03-01T10:00:00.003Z web nginx 7 ID1 [a@1 b=\"c]\\\" d\"][e@2] \u{feff}|"),
            (Prefix::Cri, "2026-03-01T10:00:00.123456789Z stdout F |"),
            (Prefix::Compose, "web-1    | |"),
        ] {
            let expected = line.rfind('|').unwrap();
            assert_eq!(prefix.length(line.as_bytes()), Some(expected), "{line}");
            for other in [Prefix::Syslog, Prefix::Cri, Prefix::Compose] {
                assert_eq!(other.length(line.as_bytes()).is_some(), other == prefix, "{line} {}", other.name());
            }
        }
        for line in [
            "",
            "<1",
            "<134>",
            "1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] \"GET / HTTP/1.1\" 200 2",
            "Mar",
            "2026-03-01T10:00:00Z stdout P x",
        ] {
            for prefix in [Prefix::Syslog, Prefix::Cri, Prefix::Compose] {
                assert_eq!(prefix.length(line.as_bytes()), None, "{line}");
            }
        }
        assert_eq!(Prefix::split("prefix=cri %h"), (Prefix::Cri, "%h"));
        assert_eq!(Prefix::split("prefix=x %h"), (Prefix::None, "prefix=x %h"));
    }
}
