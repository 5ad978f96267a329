//! LogFormat nicknames out of an Apache configuration file.

use crate::diagnostic::nearest;
use crate::error::{Error, ErrorKind, Result};
use std::collections::BTreeMap;

/// The LogFormat that `text`, the content of the file `path`, gives the nickname `name`.
///
/// # Errors
/// [`ErrorKind::Format`] with the nicknames that the file has, and the nearest.
pub fn nickname(path: &str, text: &str, name: &str) -> Result<String> {
    let mut known = nicknames(text);
    if let Some(format) = known.remove(name) {
        return Ok(format);
    }
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    Err(not_named(path, name, &names, "LogFormat", "`LogFormat \"…\" nickname` line"))
}

/// The error of a configuration `path` that has `names` for its formats, but not `wanted`; `kind` is what it calls a format, and `line` how
/// the line of one looks.
pub(super) fn not_named(path: &str, wanted: &str, names: &[&str], kind: &str, line: &str) -> Error {
    let hint = match nearest(wanted, names.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if names.is_empty() => format!("; it has no {line}"),
        None => format!("; it has {}", names.join(", ")),
    };
    Error::new(ErrorKind::Format, format!("{path} has no {kind} called `{wanted}`{hint}"))
}

/// Every nickname and its LogFormat, escapes still as in the file. The last of the same name wins, as in Apache. Lines ended
/// by a backslash go on; comments and other directives are passed over, also the sections around them.
pub fn nicknames(text: &str) -> BTreeMap<String, String> {
    let joined = text.replace("\\\r\n", "").replace("\\\n", "");
    let mut found = BTreeMap::new();
    for line in joined.lines() {
        let line = line.trim_start();
        let Some((word, rest)) = line.split_once(char::is_whitespace) else { continue };
        if !word.eq_ignore_ascii_case("LogFormat") {
            continue;
        }
        let Some((format, rest)) = argument(rest) else { continue };
        if let Some((name, _)) = argument(rest) {
            found.insert(name, format);
        }
    }
    found
}

/// The first word of `text`, in quotes or not, and what follows it.
fn argument(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let quote = text.chars().next()?;
    if quote != '"' && quote != '\'' {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return Some((text[..end].to_string(), &text[end..]));
    }
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some((text[1..at].to_string(), &text[at + 1..])),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONF: &str = r#"
# LogFormat "%h" commented
<IfModule log_config_module>
    LogFormat "%h %l %u %t \"%r\" %>s %b" common
    logformat '%v "%r"' single
    LogFormat "%h \
%u" continued
    LogFormat "%h"
    CustomLog logs/access_log common
</IfModule>
"#;

    #[test]
    fn nicknames_are_found() {
        let found = nicknames(CONF);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["common", "continued", "single"]);
        assert_eq!(found["common"], r#"%h %l %u %t \"%r\" %>s %b"#);
        assert_eq!(found["continued"], "%h %u");
        let error = nickname("httpd.conf", CONF, "comon").unwrap_err().to_string();
        assert!(error.contains("did you mean `common`?"), "{error}");
    }
}
