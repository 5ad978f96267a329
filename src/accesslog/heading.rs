//! Lines of a log that say which fields the lines behind them have: `#Fields:` of the W3C Extended Log File Format
//! (<https://www.w3.org/TR/WD-logfile.html>), as IIS and CloudFront write it, and the names that each file of VPC flow logs begins with.

use super::directive::snake_case;
use super::{LogFormat, Preset};
use crate::error::Result;
use std::sync::Arc;

/// What `#Fields:` lines begin with.
const FIELDS: &[u8] = b"#Fields:";

/// The names of the fields of VPC flow logs, and the types of those that are no words:
/// <https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html#flow-logs-fields>.
const FLOW: [(&str, &str); 42] = [
    ("version", "int"),
    ("account-id", ""),
    ("interface-id", ""),
    ("srcaddr", ""),
    ("dstaddr", ""),
    ("srcport", "int"),
    ("dstport", "int"),
    ("protocol", "int"),
    ("packets", "bigint"),
    ("bytes", "bigint"),
    ("start", "epoch"),
    ("end", "epoch"),
    ("action", ""),
    ("log-status", ""),
    ("vpc-id", ""),
    ("subnet-id", ""),
    ("instance-id", ""),
    ("tcp-flags", "int"),
    ("type", ""),
    ("pkt-srcaddr", ""),
    ("pkt-dstaddr", ""),
    ("region", ""),
    ("az-id", ""),
    ("sublocation-type", ""),
    ("sublocation-id", ""),
    ("pkt-src-aws-service", ""),
    ("pkt-dst-aws-service", ""),
    ("flow-direction", ""),
    ("traffic-path", "int"),
    ("ecs-cluster-arn", ""),
    ("ecs-cluster-name", ""),
    ("ecs-container-instance-arn", ""),
    ("ecs-container-instance-id", ""),
    ("ecs-container-id", ""),
    ("ecs-second-container-id", ""),
    ("ecs-service-name", ""),
    ("ecs-task-definition-arn", ""),
    ("ecs-task-arn", ""),
    ("ecs-task-id", ""),
    ("reject-reason", ""),
    ("resource-id", ""),
    ("encryption-status", ""),
];

/// Fields of W3C logs that are no words.
const TYPES: [(&str, &str); 16] = [
    ("c-port", "int"),
    ("s-port", "int"),
    ("sc-status", "status"),
    ("sc-substatus", "int"),
    ("sc-win32-status", "bigint"),
    ("sc-bytes", "bigint"),
    ("cs-bytes", "bigint"),
    ("bytes", "bigint"),
    ("time-to-first-byte", "double"),
    ("origin-fbl", "double"),
    ("origin-lbl", "double"),
    ("fle-encrypted-fields", "int"),
    ("sc-content-len", "bigint"),
    ("sc-range-start", "bigint"),
    ("sc-range-end", "bigint"),
    ("timestamp", "epoch"),
];

/// Whether `line` says which fields the lines behind it have.
pub fn is_heading(line: &[u8]) -> bool {
    line.starts_with(FIELDS) || is_flow(line)
}

/// Where the last heading of `lines` begins that stands behind others than the first.
pub fn last_heading(lines: &[u8]) -> Option<usize> {
    let mut end = lines.len();
    while let Some(at) = memchr::memmem::rfind(&lines[..end], FIELDS) {
        if at == 0 || lines[at - 1] == b'\n' {
            return Some(at);
        }
        end = at;
    }
    let first = memchr::memchr(b'\n', lines).map_or(lines, |end| &lines[..end]);
    is_flow(first).then_some(0)
}

/// The line that begins at the start of `lines`, without its end.
pub fn line_of(lines: &[u8]) -> &[u8] {
    let line = memchr::memchr(b'\n', lines).map_or(lines, |end| &lines[..end]);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The format of the lines behind the heading `line`; `sample` is one of those, where it is known.
///
/// # Errors
/// [`crate::ErrorKind::Format`] for a heading without fields, or with the same twice.
pub fn format_of(line: &[u8], sample: Option<&[u8]>) -> Result<Arc<LogFormat>> {
    let names = names(line);
    for preset in [Preset::CloudFront, Preset::VpcFlow] {
        if begins_as(&names, preset) {
            return Ok(preset.format());
        }
    }
    let (name, text) = match is_flow(line) {
        true => ("vpc_flow", flow_text(&names)),
        false => ("w3c", w3c_text(&names, sample)),
    };
    LogFormat::parse(name, &text).map(Arc::new)
}

/// The names in a heading.
fn names(line: &[u8]) -> Vec<String> {
    let line = String::from_utf8_lossy(line.strip_prefix(FIELDS).unwrap_or(line));
    line.split_ascii_whitespace().map(str::to_string).collect()
}

/// Whether `names` are the fields of `preset`, or its and newer ones, which it keeps.
fn begins_as(names: &[String], preset: Preset) -> bool {
    let format = preset.format();
    let known = format.steps.iter().map(|step| step.text.trim_matches(['{', '}', '?']).split(':').next().unwrap_or_default());
    let known: Vec<&str> = known.filter(|name| *name != "extra").collect();
    let matches = |(at, known): (usize, &&str)| match (preset, at) {
        (Preset::CloudFront, 1) => names[at] == "time",
        (Preset::CloudFront, 0) => names[at] == "date",
        (Preset::VpcFlow, 10) => names[at] == "start",
        (Preset::VpcFlow, 11) => names[at] == "end",
        _ => snake_case(&names[at]) == **known,
    };
    names.len() >= known.len() && known.iter().enumerate().all(matches)
}

fn is_cloudfront(names: &[String]) -> bool {
    names.iter().any(|name| name == "x-edge-location")
}

/// Whether `line` is names of fields of VPC flow logs, and nothing else.
fn is_flow(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if !line.first().is_some_and(u8::is_ascii_lowercase) || !line.contains(&b' ') {
        return false;
    }
    // Newer fields than those that are known here may be among them.
    let is_name =
        |word: &[u8]| !word.is_empty() && word.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-');
    let is_known = |word: &&[u8]| FLOW.iter().any(|(name, _)| name.as_bytes() == *word);
    let words = || line.split(|byte| *byte == b' ');
    words().all(is_name) && words().filter(is_known).count() >= words().count().min(3)
}

fn flow_text(names: &[String]) -> String {
    let field = |name: &String| {
        let column = match name.as_str() {
            "start" => "time".to_string(),
            "end" => "time_end".to_string(),
            name => snake_case(name),
        };
        match FLOW.iter().find(|(known, _)| known == name).map(|(_, of)| *of) {
            None | Some("") => format!("{{{column}}}"),
            Some(of) => format!("{{{column}:{of}}}"),
        }
    };
    format!("{{#{}}}{}", names.join(" "), names.iter().map(field).collect::<Vec<_>>().join(" "))
}

/// Whether `names` are those of fields of W3C logs: CloudFront writes them as keys of JSON, too.
pub(super) fn is_w3c(names: &[String]) -> bool {
    names.iter().filter(|name| name.starts_with("cs-") || name.starts_with("sc-") || name.starts_with("x-edge-")).count() >= 2
}

/// The field of the key `name`, beside others of these `names`.
pub(super) fn keyed_field(name: &str, names: &[String]) -> String {
    w3c_field(name, names, "text", "clock")
}

/// The fields of a W3C log in our notation. What stands in one of its words has no blank: those are written as `+` or `%20`.
fn w3c_text(names: &[String], sample: Option<&[u8]>) -> String {
    let tabs = sample.is_some_and(|sample| sample.contains(&b'\t')) || is_cloudfront(names);
    let time = names.iter().position(|name| name == "time");
    let clock = sample.zip(time).and_then(|(sample, at)| sample.split(|byte| *byte == if tabs { b'\t' } else { b' ' }).nth(at));
    // The standard allows parts of a second.
    let clock = if clock.is_some_and(|clock| clock.contains(&b'.')) { "clock_parts" } else { "clock" };
    let (between, any) = if tabs { ("\\t", "text") } else { (" ", "word") };
    let fields: Vec<String> = names.iter().map(|name| w3c_field(name, names, any, clock)).collect();
    format!("{{#}}{}", fields.join(between))
}

/// The field `name` of a W3C log that has these `names`; `any` is the type of those that have none of their own, `clock` that of the time of day.
fn w3c_field(name: &str, names: &[String], any: &str, clock: &str) -> String {
    let known = TYPES.iter().find(|(known, _)| *known == name).map(|(_, of)| *of);
    match (name, known) {
        ("date", _) => "{time:date}".to_string(),
        ("time", _) if names.iter().any(|name| name == "date") => format!("{{time:{clock}}}"),
        // IIS counts milliseconds, CloudFront seconds with parts.
        ("time-taken", _) => format!("{{time_taken:{}}}", if is_cloudfront(names) { "double" } else { "bigint" }),
        (name, known) => format!("{{{}:{}}}", snake_case(name), known.unwrap_or(any)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_found() {
        assert!(is_heading(b"#Fields: date time") && is_heading(b"version account-id interface-id brand-new"));
        assert!(!is_heading(b"#Version: 1.0") && !is_heading(b"version") && !is_heading(b"2 1234 eni"));
        assert_eq!(last_heading(b"#Fields: a\nx #Fields: b\n#Fields: c\nx\n"), Some(24));
        assert_eq!(last_heading(b"x #Fields: b\n"), None);
        assert_eq!(last_heading(b"srcaddr dstaddr\n1.2.3.4 1.2.3.4\n"), Some(0));
    }

    #[test]
    fn formats_are_those_of_the_fields() {
        let columns = |line: &str, sample: Option<&str>| {
            let format = format_of(line.as_bytes(), sample.map(str::as_bytes)).unwrap();
            let columns = format.columns().iter().map(|column| format!("{} {}", column.name, column.data_type));
            (format.name().to_string(), columns.collect::<Vec<_>>().join(", "))
        };
        assert_eq!(
            columns("#Fields: date time cs-method cs(User-Agent) sc-status time-taken", None),
            (
                "w3c".to_string(),
                "time Timestamp(ms, \"UTC\"), cs_method Utf8View, cs_user_agent Utf8View, sc_status Int32, time_taken Int64".to_string()
            )
        );
        assert!(
            columns("#Fields: date time sc-status", Some("2026-03-01 10:00:00.250 200"))
                .1
                .starts_with("time Timestamp(µs, \"UTC\"), sc_status")
        );
        assert_eq!(
            columns("start dstaddr bytes traffic-path", None),
            ("vpc_flow".to_string(), "time Timestamp(ms, \"UTC\"), dstaddr Utf8View, bytes Int64, traffic_path Int32".to_string())
        );
        let flow: Vec<&str> = FLOW[..14].iter().map(|(name, _)| *name).collect();
        assert_eq!(format_of(flow.join(" ").as_bytes(), None).unwrap().text(), Preset::VpcFlow.log_format());
        let of_cloudfront = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/formats/cloudfront.log")).unwrap();
        let heading = line_of(&of_cloudfront[last_heading(&of_cloudfront).unwrap()..]);
        assert_eq!(format_of(heading, None).unwrap().name(), "cloudfront");
        let newer = [heading, b" x-new"].concat();
        assert_eq!(format_of(&newer, None).unwrap().name(), "cloudfront");
        assert!(columns("#Fields: date time x-edge-location time-taken", None).1.ends_with("time_taken Float64"));
        assert!(format_of(b"#Fields:", None).is_err());
    }
}
