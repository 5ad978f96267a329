//! No secret leaves in a message: what signs requests is taken out of all text that came from elsewhere.

use std::collections::BTreeSet;
use std::sync::Mutex;

/// Secrets this process has used, to be found in any text.
static USED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// What stands for a secret.
const HIDDEN: &str = "[redacted]";

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

/// Keeps a secret in mind, so that no text may show it.
pub(super) fn remember(secret: &str) {
    // What is as short as a word of a message would be taken out of messages everywhere.
    if secret.len() >= 8 {
        let mut used = USED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // Keys of a role change every hour or so; a process that runs for years needs only the last ones.
        if used.len() >= 64 {
            used.clear();
        }
        used.insert(secret.to_string());
    }
}

/// `text` without secrets: keys in use and in the environment, signatures, tokens, and passwords in addresses.
pub(super) fn redact(text: &str) -> String {
    let mut text = text.to_string();
    let environment =
        ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"].iter().filter_map(|name| super::settings::set(name));
    let used: Vec<String> = USED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).iter().cloned().collect();
    for secret in environment.filter(|secret| secret.len() >= 8).chain(used) {
        text = text.replace(&secret, HIDDEN);
    }
    for mark in MARKS {
        text = hide(&text, mark, |c| c.is_whitespace() || "\"'&,<>".contains(c));
    }
    for mark in ["authorization:", "authorization\":"] {
        text = hide(&text, mark, |c| c == '\n' || c == '\r');
    }
    without_passwords(&text)
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
        match text[from..host].rfind('@') {
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
        assert_eq!(redact("mail me@example.org about http://host/a@b"), "mail me@example.org about http://host/a@b");
        assert_eq!(redact("<AWSAccessKeyId>AKID</AWSAccessKeyId>"), "<AWSAccessKeyId>[redacted]</AWSAccessKeyId>");
        remember("verySecret/Key+1");
        assert_eq!(redact("it is verySecret/Key+1."), "it is [redacted].");
        assert_eq!(redact("Straße ÄÖ Signature=ä€x y"), "Straße ÄÖ Signature=[redacted] y");
    }
}
