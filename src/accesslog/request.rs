//! The request line: `GET /path?query HTTP/1.1`.

use super::near;

/// A request line in its pieces, borrowed from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLine<'a> {
    pub method: &'a [u8],
    /// The target up to the first `?`: a path, an absolute URI, an authority, or `*`.
    pub path: &'a [u8],
    /// What follows the first `?`; nothing where there is none.
    pub query: Option<&'a [u8]>,
    /// `HTTP/1.1` and the like; nothing in a request of HTTP/0.9, which has no version.
    pub protocol: Option<&'a [u8]>,
}

/// Splits a request line: `method SP target SP protocol`, or `GET SP target` as HTTP/0.9 has it, where the target must
/// look like one (RFC 1945, section 4.1: a request without a version is a GET). Blanks inside the target are kept: some servers accept them. Nothing for any other text: what a client
/// sent that is not HTTP.
pub fn split(line: &[u8]) -> Option<RequestLine<'_>> {
    let blank = near::find([b' '], line)?;
    let (method, rest) = (&line[..blank], &line[blank + 1..]);
    if method.is_empty() || !method.iter().all(|b| is_token(*b)) {
        return None;
    }
    let protocol_at = match rest.len() {
        // The common case, without a search: ` HTTP/1.1` at the end.
        n @ 10.. if &rest[n - 9..n - 3] == b" HTTP/" => Some(n - 9),
        _ => memchr::memrchr(b' ', rest),
    };
    let (target, protocol) = match protocol_at {
        Some(at) if is_protocol(&rest[at + 1..]) => (&rest[..at], Some(&rest[at + 1..])),
        None if method == b"GET" && (rest.starts_with(b"/") || memchr::memmem::find(rest, b"://").is_some()) => (rest, None),
        _ => return None,
    };
    if target.is_empty() {
        return None;
    }
    let (path, query) = self::target(target);
    Some(RequestLine { method, path, query, protocol })
}

/// The path of what was asked for, and its query, where it has one.
pub fn target(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    match near::find([b'?'], target) {
        Some(at) => (&target[..at], Some(&target[at + 1..])),
        None => (target, None),
    }
}

/// The scheme, host and port that `url` begins with, and what is behind them; nothing where it is no URL with a host.
pub fn origin(url: &[u8]) -> Option<(&[u8], &[u8])> {
    let scheme = near::find([b':'], url)?;
    let host = scheme + 3;
    if scheme == 0 || !url[scheme..].starts_with(b"://") || !url[..scheme].iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let end = near::find([b'/'], &url[host..]).map_or(url.len(), |at| host + at);
    Some(url.split_at(end))
}

/// `tchar` of RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A name in capitals, `/`, a version: HTTP/1.1, HTTP/2.0, RTSP/1.0.
fn is_protocol(text: &[u8]) -> bool {
    let Some(slash) = text.iter().position(|b| *b == b'/') else { return false };
    let (name, version) = (&text[..slash], &text[slash + 1..]);
    !name.is_empty()
        && name.iter().all(u8::is_ascii_uppercase)
        && version.first().is_some_and(u8::is_ascii_digit)
        && version.iter().all(|b| b.is_ascii_digit() || *b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Option<(String, String, Option<String>, Option<String>)> {
        let text = |b: &[u8]| String::from_utf8(b.to_vec()).unwrap();
        split(line.as_bytes()).map(|r| (text(r.method), text(r.path), r.query.map(text), r.protocol.map(text)))
    }

    #[test]
    fn request_lines_are_split_where_they_are_http() {
        let some = |m: &str, p: &str, q: Option<&str>, v: Option<&str>| Some((m.into(), p.into(), q.map(Into::into), v.map(Into::into)));
        assert_eq!(shown("GET /a?b=c?d HTTP/1.1"), some("GET", "/a", Some("b=c?d"), Some("HTTP/1.1")));
        assert_eq!(shown("GET /a? HTTP/2.0"), some("GET", "/a", Some(""), Some("HTTP/2.0")));
        assert_eq!(shown("GET /a b HTTP/1.1"), some("GET", "/a b", None, Some("HTTP/1.1")));
        assert_eq!(shown("GET /"), some("GET", "/", None, None));
        assert_eq!(shown("OPTIONS * HTTP/1.0"), some("OPTIONS", "*", None, Some("HTTP/1.0")));
        assert_eq!(shown("VERSION-CONTROL /x HTTP/3"), some("VERSION-CONTROL", "/x", None, Some("HTTP/3")));
        assert_eq!(shown("GET @bxss.me::80/rpb.png HTTP/1.1"), some("GET", "@bxss.me::80/rpb.png", None, Some("HTTP/1.1")));
        for not_http in [
            "",
            "-",
            "HELP",
            "GET  HTTP/1.1",
            "GET /a b",
            "SSH-2.0-Crawler http://a.example/",
            "HEAD /",
            r"\x16\x03\x01\x01 \x02",
            "GET HTTP/1.1",
            " / HTTP/1.1",
        ] {
            assert_eq!(shown(not_http), None, "{not_http}");
        }
    }
}
