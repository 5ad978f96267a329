//! Names of users that have blanks, which may as well be more columns than the format has.

/// Words that stand in columns of logs: methods, where a cache had it from, and what stands for a host that is near or not known.
const WORDS: [&[u8]; 30] = [
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
];

/// Whether `user` has blanks and may as well be more columns than the format has: what should be the ident before it is one of them, or a
/// word is what a column may hold.
pub(super) fn could_be_columns(ident: Option<&[u8]>, user: &[u8]) -> bool {
    memchr::memchr(b' ', user).is_some()
        && (ident.is_some_and(|ident| ident != b"-") || user.split(|byte| *byte == b' ').any(could_be_column))
}

/// Whether `word` is rather the value of a column than of a name.
fn could_be_column(word: &[u8]) -> bool {
    let Some(first) = word.first() else { return true };
    // `-`, numbers, addresses, signs between columns. A letter that isn't ASCII is escaped or above 0x7f.
    let has_letter = word.iter().any(|byte| byte.is_ascii_alphabetic() || *byte > 0x7f);
    // Numbers with units, times, hosts. No name of a user has a colon where it is sent with a password behind one.
    let is_value = first.is_ascii_digit() || *first == b'/' || word.contains(&b':');
    let is_host = word.windows(3).any(|three| three[0].is_ascii_alphanumeric() && three[1] == b'.' && three[2].is_ascii_alphanumeric());
    let is_id = word.len() >= 8 && word.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-') && word.iter().any(u8::is_ascii_digit);
    !has_letter || is_value || is_host || is_id || has_quote(word) || WORDS.contains(&word)
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
        for name in
            ["john doe", "JOHN DOE", "Dr. John O'Neil", r"M\xc3\xbcller Hans", "Müller Hans", "anna-lena x", "bob2 smith", "x [01/Jan/2000"]
        {
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
            "",
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
