//! No secret leaves: what signs requests, and what the environment gave a pipeline, is taken out of all text that goes out, whoever
//! wrote it.

use crate::printable::printable;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// What this process must not show, in any of the forms in which it may be in a text.
static KNOWN: Mutex<Known> = Mutex::new(Known { keys: BTreeSet::new(), values: BTreeSet::new(), places: BTreeSet::new() });

struct Known {
    /// Keys of stores.
    keys: BTreeSet<String>,
    /// What the environment gave.
    values: BTreeSet<String>,
    /// Starts of locations, up to the value in them: only as a part of these may a value be shown.
    places: BTreeSet<String>,
}

/// What stands for a secret.
const HIDDEN: &str = "[redacted]";
/// A value of the environment that has fewer bytes is not hidden: it would be found in any text.
pub const SHORTEST: usize = 4;
/// A key that is shorter is none; nor is a line of a longer value.
const SHORTEST_KEY: usize = 8;

/// After these, up to the next blank, quote, comma, `&` or `<`, comes what nobody else should see.
const MARKS: [&str; 12] = [
    "x-amz-signature=",
    "x-amz-credential=",
    "x-amz-security-token=",
    "x-amz-security-token:",
    "signature=",
    "credential=",
    "awsaccesskeyid=",
    "aws_access_key_id=",
    "aws_secret_access_key=",
    "aws_session_token=",
    "<awsaccesskeyid>",
    "<signatureprovided>",
];

/// Keeps a key of a store in mind, so that no text may show it.
pub fn remember_key(key: &str) {
    if key.len() >= SHORTEST_KEY {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        // Keys of a role change every hour or so; a process that runs for years needs only the last ones.
        if known.keys.len() >= 64 {
            known.keys.clear();
        }
        known.keys.insert(key.to_string());
    }
}

/// Keeps a value in mind that the environment gave, so that no text may show it. What is shorter than [`SHORTEST`] is no secret.
pub fn remember(value: &str) {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).values.extend(forms(value));
}

/// Lets texts show `value` as a part of `location`, and of what lies below it: whoever reads of a path must find it.
pub fn show_within(location: &str, value: &str) {
    // A folder may be given with its slash.
    let location = format!("{location}/");
    if let Some(at) = location.rfind(value).filter(|_| value.len() >= SHORTEST) {
        KNOWN.lock().unwrap_or_else(PoisonError::into_inner).places.extend(forms(&location[..at + value.len()]));
    }
}

/// The forms in which `value` may be in a text: as it is, escaped as in messages, JSON, HTML or addresses; and each line of it.
pub fn forms(value: &str) -> Vec<String> {
    let lines = value.lines().map(str::trim).filter(|line| value.contains('\n') && line.len() >= SHORTEST_KEY);
    let mut forms = Vec::new();
    for text in lines.chain([value, value.trim()]).filter(|text| text.len() >= SHORTEST) {
        let json = serde_json::to_string(text).unwrap_or_default();
        let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        let quoted = text.escape_debug().to_string();
        forms.extend([
            text.to_string(),
            quoted.replace("\\\"", "\""),
            quoted.replace("\\'", "'"),
            quoted,
            text.escape_default().to_string(),
            printable(text).into_owned(),
            json[1.min(json.len())..json.len().saturating_sub(1)].to_string(),
            html.replace('\'', "&#39;"),
            html,
            in_address(text, "-._~"),
            in_address(text, "-._~/"),
            text.replace('\'', "''"),
            text.replace('\n', " "),
            text.replace("\r\n", "\n"),
        ]);
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// `text` as a part of an address: all but letters, digits and `plain` as `%XX`.
fn in_address(text: &str, plain: &str) -> String {
    let mut address = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || plain.as_bytes().contains(&byte) {
            true => address.push(byte.into()),
            // A String takes whatever is written to it.
            false => drop(write!(address, "%{byte:02X}")),
        }
    }
    address
}

/// `text` without secrets: keys in use and in the environment, values that the environment gave, signatures, tokens, and passwords in
/// addresses.
pub fn redact(text: &str) -> String {
    let mut text = text.to_string();
    text = without_values(&text).into_owned();
    let environment =
        ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"].iter().filter_map(|name| std::env::var(name).ok());
    let mut secrets: Vec<String> = environment.filter(|secret| secret.len() >= SHORTEST_KEY).collect();
    {
        let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.extend(known.keys.iter().filter(|secret| text.contains(secret.as_str())).cloned());
    }
    text = replaced(text, secrets);
    for mark in MARKS {
        text = hide(&text, mark, |c| c.is_whitespace() || "\"'&,<>".contains(c));
    }
    for mark in ["authorization:", "authorization\":"] {
        text = hide(&text, mark, |c| c == '\n' || c == '\r');
    }
    without_passwords(&text)
}

/// `text` without the values that the environment gave, but where they say where something is.
pub fn without_values(text: &str) -> Cow<'_, str> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut found = spans(text, &known.values);
    if found.is_empty() {
        return text.into();
    }
    let places = spans(text, &known.places);
    drop(known);
    // How far the places reach that start up to each.
    let reach: Vec<usize> = places
        .iter()
        .scan(0, |furthest, place| {
            *furthest = place.end.max(*furthest);
            Some(*furthest)
        })
        .collect();
    found.retain(|value| {
        let before = places.partition_point(|place| place.start <= value.start);
        before.checked_sub(1).is_none_or(|last| reach[last] < value.end)
    });
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for value in found {
        // What two values have in common is hidden once.
        if value.start >= at {
            shown.push_str(&text[at..value.start]);
            shown.push_str(HIDDEN);
        }
        at = at.max(value.end);
    }
    shown.push_str(&text[at..]);
    shown.into()
}

/// Where in `text` each of `words` stands, in the order of the text.
fn spans(text: &str, words: &BTreeSet<String>) -> Vec<Range<usize>> {
    let found = words.iter().flat_map(|word| text.match_indices(word.as_str()));
    let mut found: Vec<Range<usize>> = found.map(|(at, word)| at..at + word.len()).collect();
    found.sort_unstable_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    found
}

fn replaced(mut text: String, mut secrets: Vec<String>) -> String {
    // The longest first, or what is left of a longer one could be read.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets {
        text = text.replace(&secret, HIDDEN);
    }
    text
}

/// `json` with all of its texts redacted; numbers stay what they are.
pub fn redact_json(json: &str) -> String {
    // A long document is hardly ever looked through text by text.
    if redact(json) == json {
        return json.to_string();
    }
    let mut done = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(start) = rest.find('"') {
        let (before, text) = rest.split_at(start + 1);
        let bytes = text.as_bytes();
        let mut end = 0;
        while end < bytes.len() && bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let end = end.min(bytes.len());
        done.push_str(before);
        // No quote and no escape is touched: what stands for a secret has none, and the forms of one have whole escapes.
        done.push_str(&redact(&text[..end]));
        rest = &text[end..];
        if let Some(behind) = rest.strip_prefix('"') {
            done.push('"');
            rest = behind;
        }
    }
    done.push_str(rest);
    done
}

/// `text` with what follows each `mark`, written in any case, hidden up to `end`.
fn hide(text: &str, mark: &str, end: impl Fn(char) -> bool) -> String {
    // Lower case of ASCII only: places stay what they are.
    let lower = text.to_ascii_lowercase();
    let mut done = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = lower[at..].find(mark) {
        let from = at + found + mark.len();
        let to = text[from..].find(&end).map_or(text.len(), |length| from + length);
        done.push_str(&text[at..from]);
        if to > from {
            done.push_str(HIDDEN);
        }
        at = to;
    }
    done.push_str(&text[at..]);
    done
}

/// `text` with the users and passwords of addresses hidden (`https://user:password@host`).
fn without_passwords(text: &str) -> String {
    let mut done = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(found) = text[at..].find("://") {
        let from = at + found + 3;
        let host = text[from..].find(|c: char| c.is_whitespace() || "/\"'?#`)".contains(c)).map_or(text.len(), |length| from + length);
        done.push_str(&text[at..from]);
        // A password may have a slash in it; a port is digits, so what else comes behind a colon is one.
        let is_password =
            text[from..host].rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']') && !port.bytes().all(|b| b.is_ascii_digit()));
        let end = text[from..].find(|c: char| c.is_whitespace() || "\"'`".contains(c)).map_or(text.len(), |length| from + length);
        let within = if is_password { &text[from..end] } else { &text[from..host] };
        match within.rfind('@') {
            Some(length) => {
                done.push_str(HIDDEN);
                at = from + length;
            }
            None => at = from,
        }
    }
    done.push_str(&text[at..]);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_tokens_and_passwords_are_hidden() {
        let presigned = "GET https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIDEXAMPLE%2F2020&X-Amz-Signature=abcdef0123&x-id=1 failed";
        assert_eq!(
            redact(presigned),
            "GET https://b.s3.amazonaws.com/k?X-Amz-Credential=[redacted]&X-Amz-Signature=[redacted]&x-id=1 failed"
        );
        let header = "sent Authorization: AWS4-HMAC-SHA256 Credential=AKID/2020, SignedHeaders=host, Signature=ffff\nand then";
        assert_eq!(redact(header), "sent Authorization:[redacted]\nand then");
        assert_eq!(redact("proxy http://me:hunter2@proxy:3128/ is down"), "proxy http://[redacted]@proxy:3128/ is down");
        assert_eq!(redact("s3://AKID:a/b+c@bucket/key, http://h:80/a@b"), "s3://[redacted]@bucket/key, http://h:80/a@b");
        assert_eq!(redact("mail me@example.org about http://host/a@b"), "mail me@example.org about http://host/a@b");
        assert_eq!(redact("<AWSAccessKeyId>AKID</AWSAccessKeyId>"), "<AWSAccessKeyId>[redacted]</AWSAccessKeyId>");
        remember_key("verySecret/Key+1");
        assert_eq!(redact("it is verySecret/Key+1."), "it is [redacted].");
        remember("first-line \"1\"\nsecond-line<2>\nx");
        for shown in [
            "first-line \"1\"\nsecond-line<2>\nx",
            "first-line \\\"1\\\"\\nsecond-line<2>\\nx",
            "first-line%20%221%22%0Asecond-line%3C2%3E%0Ax",
            "first-line &quot;1&quot;",
            "second-line&lt;2&gt;",
            "second-line<2>",
        ] {
            assert_eq!(redact(&format!("a {shown} b")), "a [redacted] b");
        }
        assert_eq!(redact_json(r#"{"k\\": "it is \"second-line<2>\"", "n": 12}"#), r#"{"k\\": "it is \"[redacted]\"", "n": 12}"#);
        remember("abc");
        assert_eq!(redact("abc"), "abc");
        remember("folder/x\"y");
        show_within("/a/folder/x\"y.d/*.log", "folder/x\"y");
        assert_eq!(redact("folder/x\"y in /a/folder/x\"y.d/1.log"), "[redacted] in /a/folder/x\"y.d/1.log");
        assert_eq!(redact_json(r#"["/a/folder/x\"y/b", "of folder/x\"y"]"#), r#"["/a/folder/x\"y/b", "of [redacted]"]"#);
        // A place shows no other value than its own, and two values that have a part in common are both hidden.
        remember("y.d/1.log or");
        assert_eq!(redact("/a/folder/x\"y.d/1.log or"), "/a/folder/x\"[redacted]");
        remember("overlap one");
        remember("one overlap");
        assert_eq!(redact("an overlap one overlap."), "an [redacted].");
        assert_eq!(redact("Straße ÄÖ Signature=ä€x y"), "Straße ÄÖ Signature=[redacted] y");
    }
}
