//! Why a line is no JSON object of its own, in the words of those who wrote it.

use serde::de::IgnoredAny;

/// What is wrong with a line that is no JSON object of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonFault {
    CommaBefore,
    CommaBehind,
    /// There is more than one object in it.
    Several {
        commas: bool,
    },
    Array,
    /// It begins with an object that does not end in it.
    Open,
    /// It is a part of an object or an array over several lines, but not the first.
    Part,
    /// It is no JSON, or something that is nowhere an object.
    Other(&'static str),
}

/// What serde's messages begin with, and what a reject says of it.
const WORDS: [(&str, &str); 8] = [
    ("expected value", NO_VALUE),
    ("expected ident", NO_VALUE),
    ("invalid number", "a number that is not written as JSON has it, such as 01, 1. or 1e"),
    ("control character", "a control character in a text, which must be escaped"),
    ("expected `,`", "something else than a comma or a bracket behind a value"),
    ("expected `:`", "a key without a value"),
    ("key must be a string", "a key without double quotes"),
    ("invalid escape", "a backslash before something that is not escaped in JSON"),
];
const NO_VALUE: &str = "a value that JSON does not have, such as NaN, +1, .5 or a text without double quotes";

impl JsonFault {
    /// What is wrong with `line`; nothing where it is one object or blank.
    pub(super) fn of(line: &[u8]) -> Option<JsonFault> {
        let line = line.trim_ascii();
        match line {
            [b'[', ..] => return Some(JsonFault::Array),
            [b'}' | b']', ..] => return Some(JsonFault::Part),
            [b',', rest @ ..] => {
                let object = rest.trim_ascii_start().starts_with(b"{");
                return Some(if object { JsonFault::CommaBefore } else { JsonFault::Part });
            }
            _ => {}
        }
        let mut values = serde_json::Deserializer::from_slice(line).into_iter::<IgnoredAny>();
        let first = values.next()?;
        let rest = line[values.byte_offset()..].trim_ascii_start();
        let is_object = line.starts_with(b"{");
        match (first, rest) {
            (Err(error), _) if is_object && error.is_eof() => Some(JsonFault::Open),
            (Err(error), _) if is_object => Some(JsonFault::Other(words(&error, line))),
            (Err(_), _) => Some(JsonFault::Other("no JSON object")),
            (Ok(_), []) if is_object => None,
            (Ok(_), []) => Some(JsonFault::Other("a value that is no object")),
            (Ok(_), [b':' | b',', ..]) if !is_object => Some(JsonFault::Part),
            (Ok(_), _) if !is_object => Some(JsonFault::Other("no JSON object")),
            (Ok(_), [b',']) => Some(JsonFault::CommaBehind),
            (Ok(_), [b'{', ..]) => Some(JsonFault::Several { commas: false }),
            (Ok(_), [b',', more @ ..]) if more.trim_ascii_start().starts_with(b"{") => Some(JsonFault::Several { commas: true }),
            (Ok(_), [b']', ..]) => Some(JsonFault::Part),
            (Ok(_), _) => Some(JsonFault::Other("something behind the object")),
        }
    }

    /// The reason of a reject.
    pub(super) fn reason(self) -> &'static str {
        match self {
            JsonFault::CommaBefore => "a comma before the object",
            JsonFault::CommaBehind => "a comma behind the object",
            JsonFault::Several { .. } => "more than one object in the line",
            JsonFault::Array => "an array, where an object belongs",
            JsonFault::Open => "an object that does not end in its line",
            JsonFault::Part => "a part of an object or an array over several lines",
            JsonFault::Other(reason) => reason,
        }
    }

    /// Whether it is JSON all the same, only not an object a line.
    pub(super) fn is_layout(self) -> bool {
        !matches!(self, JsonFault::Other(_))
    }

    /// What a file of such lines has, and the command that makes lines of `file`, which has a blank before it, or of what is piped to it.
    pub(super) fn remedy(self, file: &str) -> (&'static str, String) {
        match self {
            JsonFault::CommaBefore | JsonFault::CommaBehind => {
                ("has a comma before or behind its objects", format!("sed 's/^[[:space:]]*,//; s/,[[:space:]]*$//'{file}"))
            }
            JsonFault::Several { commas: true } => {
                let command = format!("sed 's/,[[:space:]]*$//; s/^/[/; s/$/]/'{file} | jq -c '.[]'");
                ("has more than one JSON object in a line", command)
            }
            JsonFault::Several { commas: false } => ("has more than one JSON object in a line", format!("jq -c '.'{file}")),
            JsonFault::Array => ("has arrays of JSON", format!("jq -c 'if type == \"array\" then .[] else . end'{file}")),
            JsonFault::Open | JsonFault::Part | JsonFault::Other(_) => ("has a JSON object over several lines", format!("jq -c '.'{file}")),
        }
    }
}

fn words(error: &serde_json::Error, line: &[u8]) -> &'static str {
    let at = error.column().saturating_sub(1).min(line.len());
    if matches!(line.get(at), Some(b'}' | b']')) {
        match line[..at].trim_ascii_end().last() {
            Some(b',') => return "a comma before a closing bracket",
            Some(b':') => return "a key without a value",
            _ => {}
        }
    }
    let message = error.to_string();
    WORDS.iter().find(|(start, _)| message.starts_with(start)).map_or("no JSON", |(_, words)| words)
}

/// Whether `reason` is that of a reject which is JSON, only not an object a line.
pub fn is_json_layout(reason: &str) -> bool {
    use JsonFault::{Array, CommaBefore, CommaBehind, Open, Part, Several};
    [CommaBefore, CommaBehind, Several { commas: false }, Array, Open, Part].iter().any(|fault| fault.reason() == reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_its_name() {
        for good in ["", "{}", " {\"a\":[1,-0.5e-7,null,true,\"\\u00e9\\n\"]}\r"] {
            assert_eq!(JsonFault::of(good.as_bytes()), None, "{good}");
        }
        for (line, fault) in [
            ("{\"a\":1},", JsonFault::CommaBehind),
            (", {\"a\":1}", JsonFault::CommaBefore),
            ("{\"a\":1}{\"a\":2}", JsonFault::Several { commas: false }),
            ("{\"a\":1} , {\"a\":2},", JsonFault::Several { commas: true }),
            ("[{\"a\":1}]", JsonFault::Array),
            ("[", JsonFault::Array),
            ("{\"a\":1}]", JsonFault::Part),
            ("{", JsonFault::Open),
            ("{\"a\":\"", JsonFault::Open),
            ("\"a\": 1,", JsonFault::Part),
            ("}", JsonFault::Part),
            ("],", JsonFault::Part),
            ("5,", JsonFault::Part),
        ] {
            assert_eq!(JsonFault::of(line.as_bytes()), Some(fault), "{line}");
            assert!(fault.is_layout() && is_json_layout(fault.reason()), "{line}");
        }
        for (line, reason) in [
            ("5", "a value that is no object"),
            ("\"x\"", "a value that is no object"),
            ("not json", "no JSON object"),
            ("{\"a\":1} x", "something behind the object"),
            ("{\"a\":NaN}", NO_VALUE),
            ("{\"a\":nix}", NO_VALUE),
            ("{\"a\":+1}", NO_VALUE),
            ("{\"a\":01}", "a number that is not written as JSON has it, such as 01, 1. or 1e"),
            ("{\"a\":-}", "a number that is not written as JSON has it, such as 01, 1. or 1e"),
            ("{\"a\":1.}", "a number that is not written as JSON has it, such as 01, 1. or 1e"),
            ("{\"a\":1e}", "a number that is not written as JSON has it, such as 01, 1. or 1e"),
            ("{\"a\":\"x\ty\"}", "a control character in a text, which must be escaped"),
            ("{\"a\":1,}", "a comma before a closing bracket"),
            ("{\"a\":[1, ]}", "a comma before a closing bracket"),
            ("{\"a\":}", "a key without a value"),
            ("{\"a\":1 \"b\":2}", "something else than a comma or a bracket behind a value"),
            ("{\"a\":[1 2]}", "something else than a comma or a bracket behind a value"),
            ("{\"a\" 1}", "a key without a value"),
            ("{a:1}", "a key without double quotes"),
            ("{\"a\":\"\\q\"}", "a backslash before something that is not escaped in JSON"),
        ] {
            let fault = JsonFault::of(line.as_bytes()).unwrap();
            assert_eq!((fault.reason(), fault.is_layout(), is_json_layout(reason)), (reason, false, false), "{line}");
        }
    }
}
