//! The parts of a line of JSON, found without reading their values. Access logs are read leniently: escapes that are none of JSON's, as
//! Apache writes them (`\x22`), end no line.

use super::ends::bare_quote;
use std::ops::Range;

/// A value, by where its text lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// The inside of a string.
    Text(Range<usize>),
    /// A number, `true` or `false`.
    Bare(Range<usize>),
    Null(Range<usize>),
    /// An object or an array, with its brackets.
    Nested(Range<usize>),
}

impl Token {
    /// Where all of it lies, with its quotes.
    pub(super) fn whole(&self) -> Range<usize> {
        match self {
            Token::Text(inside) => inside.start - 1..inside.end + 1,
            Token::Bare(range) | Token::Null(range) | Token::Nested(range) => range.clone(),
        }
    }
}

/// How deep values may nest.
pub(super) const DEEPEST: usize = 32;

/// The first place from `at` on that is no blank.
#[inline]
pub(super) fn blanks(line: &[u8], mut at: usize) -> usize {
    while matches!(line.get(at), Some(b' ' | b'\t' | b'\r')) {
        at += 1;
    }
    at
}

/// Where the string whose inside begins at `at` has its closing quote.
#[inline]
fn string_end(line: &[u8], at: usize) -> Option<usize> {
    bare_quote(line.get(at..)?).map(|end| at + end)
}

/// The value that begins at `at`.
#[inline]
pub(super) fn value(line: &[u8], at: usize) -> Option<Token> {
    match line.get(at)? {
        b'"' => string_end(line, at + 1).map(|end| Token::Text(at + 1..end)),
        b'{' | b'[' => nested_end(line, at).map(|end| Token::Nested(at..end)),
        _ => {
            let length = line[at..].iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r'));
            let range = at..at + length.unwrap_or(line.len() - at);
            match &line[range.clone()] {
                b"null" => Some(Token::Null(range)),
                b"true" | b"false" => Some(Token::Bare(range)),
                number if is_number(number) => Some(Token::Bare(range)),
                _ => None,
            }
        }
    }
}

/// Whether `text` is a number of JSON (RFC 8259, section 6).
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text[0] == b'0') {
        return false;
    }
    let mut rest = &text[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        rest = &fraction[length..];
        if length == 0 {
            return false;
        }
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

/// The end of the object or array that begins at `at`; nothing where its brackets don't match.
fn nested_end(line: &[u8], at: usize) -> Option<usize> {
    let (mut open, mut depth) = ([0; DEEPEST], 0);
    let mut at = at;
    loop {
        match *line.get(at)? {
            b'"' => at = string_end(line, at + 1)?,
            bracket @ (b'{' | b'[') => {
                *open.get_mut(depth)? = bracket;
                depth += 1;
            }
            bracket @ (b'}' | b']') => {
                depth = depth.checked_sub(1)?;
                // In ASCII an opening bracket is two before the one that closes it.
                if open[depth] + 2 != bracket {
                    return None;
                }
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// A key of an object, as it is written, and where its value begins.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) key: Range<usize>,
    pub(super) value: usize,
}

/// What comes next in an object.
#[derive(Debug)]
pub(super) enum Next {
    Key(Key),
    /// Nothing: its end is here.
    End(usize),
}

/// What comes in the object of `line` from `at` on, which is behind its opening bracket or a value; `first` says which.
#[inline]
pub(super) fn next(line: &[u8], at: usize, first: bool) -> Option<Next> {
    let mut at = blanks(line, at);
    match (line.get(at)?, first) {
        (b'}', _) => return Some(Next::End(at + 1)),
        (b',', false) => at = blanks(line, at + 1),
        (_, true) => {}
        _ => return None,
    }
    if line.get(at) != Some(&b'"') {
        return None;
    }
    let end = string_end(line, at + 1)?;
    let colon = blanks(line, end + 1);
    (line.get(colon) == Some(&b':')).then(|| Next::Key(Key { key: at + 1..end, value: blanks(line, colon + 1) }))
}

/// The text of the string that is all there is in the array `line[array]`.
pub(super) fn only_text(line: &[u8], array: &Range<usize>) -> Option<Range<usize>> {
    let at = blanks(line, array.start + 1);
    if line[array.start] != b'[' || line.get(at) != Some(&b'"') {
        return None;
    }
    let end = string_end(line, at + 1)?;
    (blanks(line, end + 1) + 1 == array.end).then_some(at + 1..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_json_ends_them() {
        for (text, token) in [
            (r#""a\"b" ,"#, Some(Token::Text(1..5))),
            ("-1.5e+3}", Some(Token::Bare(0..7))),
            ("0", Some(Token::Bare(0..1))),
            ("true]", Some(Token::Bare(0..4))),
            ("null,", Some(Token::Null(0..4))),
            (r#"{"a":["]"]} x"#, Some(Token::Nested(0..11))),
            ("[1,{}]", Some(Token::Nested(0..6))),
            ("01", None),
            ("1.", None),
            ("-", None),
            ("1e", None),
            ("nul", None),
            ("[}", None),
            ("[", None),
            ("\"", None),
            ("\"\\", None),
            ("", None),
        ] {
            assert_eq!(value(text.as_bytes(), 0), token, "{text}");
        }
        assert_eq!(value("[".repeat(100_000).as_bytes(), 0), None);
        assert_eq!(only_text(br#"[ "a" ]"#, &(0..7)), Some(3..4));
        assert_eq!((only_text(br#"["a","b"]"#, &(0..9)), only_text(b"[]", &(0..2)), only_text(b"[1]", &(0..3))), (None, None, None));
    }
}
