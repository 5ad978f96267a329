//! The `log_format`s of nginx's configuration files.
//!
//! Grammar: words, strings in quotes, `{`, `}`, `;`, and comments behind `#`
//! (<https://nginx.org/en/docs/beginners_guide.html#conf_structure>). `combined` is nginx's own: no file has it.

use super::httpd_conf::not_named;
use crate::error::Result;

/// What one file of a configuration says of logs.
#[derive(Debug, Default, PartialEq)]
pub struct NginxConf {
    /// Names and formats, each as it stands in the file from `escape=` or its first string on, in the order of the file.
    pub formats: Vec<(String, String)>,
    /// The files that are part of it, as `include` names them: patterns, relative to the folder of the main file.
    pub includes: Vec<String>,
}

impl NginxConf {
    /// Reads the file's `text`; other directives are passed over, also the sections around them.
    pub fn parse(text: &str) -> NginxConf {
        let mut conf = NginxConf::default();
        let mut words = Words { text, at: 0 };
        let mut directive: Vec<(String, std::ops::Range<usize>)> = Vec::new();
        while let Some((word, range)) = words.next_word() {
            match word {
                Word::Text(text) => directive.push((text, range)),
                Word::End => {
                    conf.take(text, &directive);
                    directive.clear();
                }
                Word::Brace => directive.clear(),
            }
        }
        conf
    }

    fn take(&mut self, text: &str, directive: &[(String, std::ops::Range<usize>)]) {
        match directive {
            [(keyword, _), (name, _), first, ..] if keyword == "log_format" => {
                let last = &directive[directive.len() - 1];
                // Between strings there may be comments and line ends.
                let strings: Vec<&str> = directive[2..].iter().map(|(_, range)| &text[range.clone()]).collect();
                let is_plain = first.1.end == last.1.end && !text[first.1.clone()].starts_with(['\'', '"']);
                let format = if is_plain { strings[0].to_string() } else { format!("log_format {name} {};", strings.join(" ")) };
                self.formats.push((name.clone(), format));
            }
            [(keyword, _), (pattern, _)] if keyword == "include" => self.includes.push(pattern.clone()),
            _ => {}
        }
    }
}

/// The format of the name `wanted` in `formats`, which are those of the file `path` and what it includes.
///
/// # Errors
/// [`crate::ErrorKind::Format`] with the names that there are, and the nearest.
pub fn named(path: &str, formats: &[(String, String)], wanted: &str) -> Result<String> {
    let found = formats.iter().rev().find(|(name, _)| name == wanted).map(|(_, format)| format.clone());
    found.ok_or_else(|| {
        let names: Vec<&str> = formats.iter().map(|(name, _)| name.as_str()).collect();
        not_named(path, wanted, &names, "log_format", "`log_format name '…';` line")
    })
}

enum Word {
    Text(String),
    /// `;`
    End,
    /// `{` or `}`
    Brace,
}

struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl Words<'_> {
    /// The next word, its quotes and escapes taken away, and where it stands with them.
    fn next_word(&mut self) -> Option<(Word, std::ops::Range<usize>)> {
        loop {
            let rest = &self.text[self.at..];
            self.at += rest.len() - rest.trim_start().len();
            if !self.text[self.at..].starts_with('#') {
                break;
            }
            self.at += self.text[self.at..].find('\n').unwrap_or(self.text.len() - self.at);
        }
        let start = self.at;
        let first = self.text[start..].chars().next()?;
        self.at += first.len_utf8();
        match first {
            ';' => return Some((Word::End, start..self.at)),
            '{' | '}' => return Some((Word::Brace, start..self.at)),
            _ => {}
        }
        let quote = matches!(first, '\'' | '"').then_some(first);
        let mut word = String::new();
        if quote.is_none() {
            word.push(first);
        }
        let mut before = first;
        while let Some(c) = self.text[self.at..].chars().next() {
            // `${name}` within a word is no section.
            let is_end = match quote {
                Some(quote) => c == quote && before != '\\',
                None => {
                    (c.is_whitespace() || matches!(c, ';' | '{' | '}'))
                        && !(c == '{' && before == '$')
                        && !(c == '}' && word.contains("${"))
                }
            };
            if is_end {
                self.at += quote.map_or(0, char::len_utf8);
                return Some((Word::Text(word), start..self.at));
            }
            self.at += c.len_utf8();
            word.push(c);
            before = if before == '\\' && c == '\\' { ' ' } else { c };
        }
        Some((Word::Text(word), start..self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accesslog::LogFormat;

    const CONF: &str = r#"
user nginx;
http {
    include mime.types;
    # log_format old '$status';
    log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                    # the second half
                    '$status $body_bytes_sent "$http_referer" '
                    '"$http_user_agent" "${http_x_forwarded_for}"';
    log_format json escape=json '{"time":"$time_iso8601","ua":"$http_user_agent"}';
    log_format short $status;
    log_format double "$remote_addr \"$request\"";
    server { location / { access_log /var/log/nginx/a.log main; } include "conf.d/*.conf"; }
}
"#;

    #[test]
    fn formats_and_includes_are_found() {
        let conf = NginxConf::parse(CONF);
        let names: Vec<&str> = conf.formats.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["main", "json", "short", "double"]);
        assert_eq!(conf.includes, ["mime.types", "conf.d/*.conf"]);
        let columns = |name: &str| {
            let format = LogFormat::parse(name, &named("nginx.conf", &conf.formats, name).unwrap()).unwrap();
            format.columns().iter().map(|column| column.name.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            columns("main"),
            "host auth_user time method path query protocol status bytes referer user_agent x_forwarded_for request"
        );
        assert_eq!((columns("json").as_str(), columns("short").as_str()), ("time user_agent", "status"));
        assert_eq!(columns("double"), "host method path query protocol request");
        let error = named("nginx.conf", &conf.formats, "mai").unwrap_err().to_string();
        assert!(error.contains("did you mean `main`?"), "{error}");
    }

    #[test]
    fn what_is_no_configuration_gives_nothing() {
        for text in ["", "log_format", "log_format x", "log_format x 'y", "{{{;;;", "#", "'"] {
            assert_eq!(NginxConf::parse(text), NginxConf::default(), "{text}");
        }
    }
}
