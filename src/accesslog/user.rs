//! Names of users that have blanks, which may as well be more columns than the format has.

use super::near;

/// Words that stand in columns of logs: methods, where a cache had it from, what stands for a host that is near or not known, and signs.
const WORDS: [&[u8]; 35] = [
    b"GET",
    b"HEAD",
    b"POST",
    b"PUT",
    b"DELETE",
    b"CONNECT",
    b"OPTIONS",
    b"TRACE",
    b"PATCH",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"REPORT",
    b"HIT",
    b"MISS",
    b"BYPASS",
    b"EXPIRED",
    b"STALE",
    b"UPDATING",
    b"REVALIDATED",
    b"http",
    b"https",
    b"on",
    b"off",
    b"localhost",
    b"unknown",
    b"-",
    b"+",
    b".",
    b"|",
    b"->",
];

/// Whether `user` has blanks and may as well be more columns than the format has: what should be the ident before it is one of them, a
/// column at its begin or end is empty, or a word is what a column may hold.
pub(super) fn could_be_columns(ident: Option<&[u8]>, user: &[u8]) -> bool {
    if near::find([b' '], user).is_none() {
        return false;
    }
    let first = user.split(|byte| *byte == b' ').next().unwrap_or_default();
    // No column before a user has escapes: behind such a word, a `-` is of the name as well.
    let is_name = first.contains(&b'\\') && !user.ends_with(b" -");
    ident.is_some_and(|ident| ident != b"-")
        || user.starts_with(b" ")
        || user.ends_with(b" ")
        || user.split(|byte| *byte == b' ').any(|word| could_be_column(word) && !(is_name && word == b"-"))
}

/// Whether `word` is rather the value of a column than of a name.
fn could_be_column(word: &[u8]) -> bool {
    let bare = match word {
        [b'[', bare @ .., b']'] => bare,
        // Brackets are closed, but those of times, which have blanks.
        [b'[', rest @ ..] if !rest.contains(&b']') => return false,
        _ => word,
    };
    // Numbers, also with units, addresses, times and paths. No name of a user has a colon where it is sent with a password behind one.
    let is_value = bare.first().is_some_and(|first| first.is_ascii_digit() || *first == b'/') || bare.contains(&b':');
    let is_host = bare.windows(3).any(|three| three[0].is_ascii_alphanumeric() && three[1] == b'.' && three[2].is_ascii_alphanumeric());
    let is_id = bare.len() >= 8 && bare.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-') && bare.iter().any(u8::is_ascii_digit);
    is_value || is_host || is_id || has_quote(bare) || WORDS.contains(&bare)
}

/// Whether a quote is in `word` that is none of it, as no backslash is before it.
fn has_quote(word: &[u8]) -> bool {
    word.iter().enumerate().any(|(at, byte)| *byte == b'"' && (at == 0 || word[at - 1] != b'\\'))
}

#[cfg(test)]
mod tests {
    use super::could_be_columns;

    #[test]
    fn names_stay_names_and_what_a_column_may_hold_is_none() {
        for name in [
            "john doe",
            "JOHN DOE",
            "Dr. John O'Neil",
            r"M\xc3\xbcller Hans",
            "Müller Hans",
            "anna-lena x",
            "bob2 smith",
            "x [01/Jan/2000",
            "x [01/Jan/2000:10:11:12 b",
            r"x\x80 - b",
            r#"a \"\" ]] b"#,
        ] {
            assert!(!could_be_columns(Some(b"-"), name.as_bytes()), "{name}");
            assert!(!could_be_columns(None, name.as_bytes()), "{name}");
            assert!(could_be_columns(Some(b"x"), name.as_bytes()), "{name}");
        }
        for column in [
            "www.example.com",
            "443",
            "0.005",
            "0.005,",
            "3ms",
            "GET",
            "HIT",
            "unknown",
            "localhost",
            "-",
            "[-]",
            ".",
            "|",
            "https://x.example/",
            "/x",
            "192.0.2.1",
            "[192.0.2.1]",
            "2001:db8::1",
            "[::1]:80",
            "web:",
            "a1b2c3d4",
            "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "\"x\"",
            "HTTP/1.1",
            "TLSv1.3",
            "https",
            "10:42:07",
        ] {
            for user in [format!("{column} bob"), format!("bob {column}"), format!("john {column} doe")] {
                assert!(could_be_columns(Some(b"-"), user.as_bytes()), "{user}");
                assert!(could_be_columns(None, user.as_bytes()), "{user}");
            }
            assert!(!could_be_columns(Some(b"-"), column.as_bytes()), "{column}");
        }
    }
}
