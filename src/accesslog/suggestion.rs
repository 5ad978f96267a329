//! A format for lines that are in none of the known ones: what is known of a line in words of the server's, and the rest by its looks.

use super::line::LineValues;
use super::{DecodeOptions, LogDecoder, LogFormat, Preset};
use crate::decode::Decoder;
use bytes::Bytes;
use std::net::IpAddr;
use std::sync::Arc;

/// A format that a user may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// In its notation, as `--log-format` takes it.
    pub format: String,
    /// How many lines of the sample fit it.
    pub fitting: u64,
    /// How many lines, blank ones aside, were tried.
    pub tried: u64,
    /// The preset that it goes on from.
    pub base: Option<Preset>,
}

/// Looks for a format of the lines of `sample`; nothing where the first line fits none that was thought of.
pub fn suggest(sample: &Bytes) -> Option<Suggestion> {
    let lines = sample.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = std::str::from_utf8(lines.into_iter().find(|line| !line.trim_ascii().is_empty())?).ok()?;
    let known = [Preset::VhostCombined, Preset::Combined, Preset::Common];
    let longer = known.into_iter().filter_map(|preset| Some((Some(preset), longer(preset, first)?)));
    let led = known[1..].iter().filter_map(|preset| Some((Some(*preset), led(*preset, first)?)));
    // What has no time is rather no log.
    let by_looks = Some(by_looks(first)).filter(|format| format.contains("{time:")).map(|format| (None, format));
    let candidates = longer.chain(led).chain(by_looks);
    candidates.filter_map(|(base, format)| tried(sample, format, base)).find(|suggestion| suggestion.fitting > 0)
}

fn tried(sample: &Bytes, format: String, base: Option<Preset>) -> Option<Suggestion> {
    let parsed = Arc::new(LogFormat::parse("suggested", &format).ok()?);
    let mut decoder = LogDecoder::new(parsed, DecodeOptions { projection: Some(Vec::new()), unescape: false });
    let decoded = decoder.decode(sample).ok()?;
    Some(Suggestion { format, fitting: decoded.batch.num_rows() as u64, tried: decoded.lines - decoded.blank, base })
}

/// `preset` with more fields behind it, as `line` has them; nothing where the line doesn't begin as it does.
fn longer(preset: Preset, line: &str) -> Option<String> {
    let format = LogFormat::parse("open", &format!("{} %{{rest}}n", preset.log_format())).ok()?;
    let mut values = LineValues::new(&format);
    values.read(&format, line.as_bytes()).ok()?;
    let (start, end) = values.spans.last().copied()?;
    let rest = line.get(start as usize..end as usize)?;
    let words = lists(rest, &words(rest));
    // Only nginx writes seconds with a point.
    let nginx = words.iter().any(|word| is_decimal(word)).then(|| nginx_text(preset)).flatten();
    let mut names = Names::default();
    let more: Vec<String> = words.iter().map(|word| if nginx.is_some() { names.nginx(word) } else { names.apache(word) }).collect();
    Some(format!("{} {}", nginx.unwrap_or(preset.log_format()), more.join(" ")))
}

/// `preset` with fields before it.
fn led(preset: Preset, line: &str) -> Option<String> {
    let words = words(line);
    let format = preset.format();
    (1..words.len().min(4)).find_map(|count| {
        let behind = words.get(count)?;
        let at = behind.as_ptr() as usize - line.as_ptr() as usize;
        LineValues::new(&format).read(&format, &line.as_bytes()[at..]).ok()?;
        let mut names = Names::default();
        let before: Vec<String> = words[..count].iter().map(|word| names.before(word)).collect();
        Some(format!("{} {}", before.join(" "), preset.log_format()))
    })
}

fn nginx_text(preset: Preset) -> Option<&'static str> {
    match preset {
        Preset::Combined => Preset::NginxMain.log_format().strip_suffix(r#" "$http_x_forwarded_for""#),
        Preset::Common => Some(r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent"#),
        _ => None,
    }
}

/// The fields of `line` by their looks alone.
fn by_looks(line: &str) -> String {
    let mut names = Names::default();
    if line.contains('\t') {
        return line.split('\t').map(|word| names.field(word)).collect::<Vec<_>>().join("\\t");
    }
    words(line).iter().map(|word| names.field(word)).collect::<Vec<_>>().join(" ")
}

/// The words of `line`: blanks are between them, but for those in quotes and in the brackets of a time.
fn words(line: &str) -> Vec<&str> {
    let bytes = line.as_bytes();
    let (mut words, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let closed = match rest[0] {
            b'"' => {
                rest.windows(2).skip(1).position(|two| two == b"\" ").map(|end| end + 2).or(rest.ends_with(b"\"").then_some(rest.len()))
            }
            b'[' => memchr::memchr(b']', rest).map(|end| end + 1),
            _ => None,
        };
        let end = closed.filter(|end| *end > 1).unwrap_or_else(|| memchr::memchr(b' ', rest).unwrap_or(rest.len()));
        words.push(&line[at..at + end]);
        at += end + 1;
    }
    words
}

/// The `words` of `text`, of which those are one that nginx wrote as a list of what upstream servers did: `0.003, 0.010 : -`.
fn lists<'a>(text: &'a str, words: &[&'a str]) -> Vec<&'a str> {
    let place = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    let mut joined: Vec<&str> = Vec::new();
    for word in words {
        match joined.last_mut() {
            Some(last) if !last.ends_with('"') && (last.ends_with(',') || last.ends_with(" :") || *word == ":") => {
                *last = &text[place(last)..place(word) + word.len()];
            }
            _ => joined.push(word),
        }
    }
    joined
}

/// Names for fields that nobody has named, each given once.
#[derive(Debug, Default)]
struct Names {
    given: Vec<String>,
    numbered: u32,
}

impl Names {
    /// `name`, where it was not given yet.
    fn once(&mut self, name: &str) -> Option<String> {
        let is_new = !self.given.iter().any(|given| given == name);
        if is_new {
            self.given.push(name.to_string());
        }
        is_new.then(|| name.to_string())
    }

    fn number(&mut self) -> u32 {
        self.numbered += 1;
        self.numbered
    }

    fn apache(&mut self, word: &str) -> String {
        let (inside, quote) = unquoted(word);
        let directive = if is_addresses(inside) {
            self.once("%{X-Forwarded-For}i")
        } else if quote.is_empty() && is_whole(inside) {
            self.once("%D")
        } else {
            None
        };
        let directive = directive.unwrap_or_else(|| format!("%{{Field-{}}}i", self.number()));
        format!("{quote}{directive}{quote}")
    }

    fn nginx(&mut self, word: &str) -> String {
        let (inside, quote) = unquoted(word);
        let variable = if is_addresses(inside) {
            self.once("$http_x_forwarded_for")
        } else if is_decimal(inside) {
            self.once("$request_time").or_else(|| self.once("$upstream_response_time"))
        } else if inside.split([',', ':']).next().is_some_and(is_decimal) {
            self.once("$upstream_response_time")
        } else if quote.is_empty() && is_whole(inside) {
            self.once("$request_length")
        } else {
            None
        };
        let variable = variable.unwrap_or_else(|| format!("$field_{}", self.number()));
        format!("{quote}{variable}{quote}")
    }

    /// A field before those of a server's.
    fn before(&mut self, word: &str) -> String {
        let (inside, quote) = unquoted(word);
        let directive = match inside.parse::<IpAddr>() {
            Ok(_) => self.once("%a"),
            Err(_) if is_addresses(inside) => self.once("%{X-Forwarded-For}i"),
            Err(_) if inside.contains('.') && !inside.contains('/') => self.once("%v"),
            Err(_) => None,
        };
        format!("{quote}{}{quote}", directive.unwrap_or_else(|| format!("%{{Field-{}}}i", self.number())))
    }

    fn field(&mut self, word: &str) -> String {
        let (inside, quote) = unquoted(word);
        if word.starts_with('[') && LogFormat::parse("time", "%t").is_ok_and(|time| fits(&time, word)) {
            return self.once("{time:clf}").unwrap_or_else(|| format!("{{field_{}:text}}", self.number()));
        }
        for (kind, name) in [("iso", "time"), ("date", "time"), ("clock", "time")] {
            let format = LogFormat::parse("time", &format!("{{{name}:{kind}}}"));
            if quote.is_empty() && format.is_ok_and(|format| fits(&format, word)) {
                return self.once(&format!("{{{name}:{kind}}}")).unwrap_or_else(|| format!("{{field_{}}}", self.number()));
            }
        }
        let is_request = !quote.is_empty() && inside.rsplit(' ').next().is_some_and(|last| last.starts_with("HTTP/"));
        match () {
            () if is_request => self.once("{request:request}").unwrap_or_else(|| format!("{{field_{}:quoted}}", self.number())),
            () if !quote.is_empty() => format!("{{field_{}:quoted}}", self.number()),
            () if is_decimal(word) => format!("{{number_{}:double}}", self.number()),
            () if is_whole(word) => format!("{{number_{}:bigint}}", self.number()),
            () if word.parse::<IpAddr>().is_ok() => self.once("{host}").unwrap_or_else(|| format!("{{field_{}}}", self.number())),
            () => format!("{{field_{}:quoted}}", self.number()),
        }
    }
}

fn fits(format: &LogFormat, word: &str) -> bool {
    LineValues::new(format).read(format, word.as_bytes()).is_ok()
}

fn unquoted(word: &str) -> (&str, &str) {
    match word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => (inside, "\""),
        None => (word, ""),
    }
}

fn is_whole(word: &str) -> bool {
    (1..=18).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit()) && (word == "0" || !word.starts_with('0'))
}

fn is_decimal(word: &str) -> bool {
    word.split_once('.')
        .is_some_and(|(whole, fraction)| is_whole(whole) && fraction.bytes().all(|b| b.is_ascii_digit()) && !fraction.is_empty())
}

/// Whether `text` is addresses with commas between them.
fn is_addresses(text: &str) -> bool {
    text.split(", ").all(|one| one.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_suggested_that_the_lines_fit() {
        let combined = r#"1.2.3.4 - - [29/Feb/2020:00:00:02 +0000] "GET / HTTP/1.1" 200 2 "-" "a b""#;
        for (line, expected) in [
            (format!("{combined} \"www.example.com\" 1234"), r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{Field-1}i" %D"#),
            (
                format!("{combined} \"203.0.113.9, 10.0.0.1\" x"),
                r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{X-Forwarded-For}i" %{Field-1}i"#,
            ),
            (
                format!("{combined} 0.003 0.002"),
                r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time $upstream_response_time"#,
            ),
            (
                format!("{combined} 0.250 0.003, 0.200 : - x"),
                r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time $upstream_response_time $field_1"#,
            ),
            (format!("www.example.com {combined}"), r#"%v %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#),
            (
                "2026-03-01T10:00:00.123Z INFO 192.0.2.1 \"GET / HTTP/1.1\" 200 0.5 \"x y\"".to_string(),
                "{time:iso} {field_1:quoted} {host} {request:request} {number_2:bigint} {number_3:double} {field_4:quoted}",
            ),
            ("2026-03-01\t10:00:00\tx y\t7".to_string(), r"{time:date}\t{time:clock}\t{field_1:quoted}\t{number_2:bigint}"),
        ] {
            let found = suggest(&Bytes::from(format!("{line}\n{line}\n\n"))).unwrap();
            assert_eq!((found.format.as_str(), found.fitting, found.tried), (expected, 2, 2), "{line}");
        }
        assert_eq!(suggest(&Bytes::from_static(b"\n")), None);
        assert_eq!(suggest(&Bytes::from_static(b"\xff\n")), None);
    }
}
